void before() {}

class Before {
  void method();
  int broken(int x {
  void another();
  int field;
};

void Before::after() {}
namespace last { int x; }
