void before() {}

class Before {
  void method();
  int broken(int x) { return x +; }
  void another();
  int field = ;
  int last;
};

void broken(int x {
  return x +;
}

void Before::after() {}
namespace last { int x; }
