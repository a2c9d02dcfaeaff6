// Everything that C has, and:
#include <vector>

#define LIMIT 10

namespace outer::inner {
namespace {
int unnamed;
}
namespace deep {
class Declared;
}
}  // namespace outer::inner
namespace fs = std::filesystem;

/// A shape.
template <typename T>
class Shape : public Base<T> {
 public:
  Shape();
  explicit Shape(int sides) : sides_(sides) {}
  Shape(const Shape&) = delete;
  template <typename U> Shape(U other);
  virtual ~Shape();
  operator bool() const;
  bool operator==(const Shape& other) const { return true; }
  T* get() { return nullptr; }
  /// How large.
  virtual double area() const = 0;
  template <typename U>
  void convert(U to);
  static int count;
  T value = 3;
  int (*callback)(int);
  enum class Kind { Round, Square };
  using Value = T;
  friend void helper();
  struct Inner {
    int field;
  };
#ifdef X
  void conditional();
#endif
};

template <typename T>
Shape<T>::Shape() : sides_(1) {}
Plain::Plain() {}
Plain::~Plain() {}
Plain::operator bool() const { return true; }
int Plain::count = 0;

void outer::Plain::method(int x) {
  auto lambda = [] { int local; };
  int local;
}

template <>
class Shape<int> {
  int special;
};

struct Outer::Nested {
  int field;
};

union Bits {
  int i;
};

enum Old { FIRST };
enum class Coloured : char { Red };

extern "C" {
void prototype();
void defined() {}
int inside;
}

typedef struct {
  int field;
} unnamed_t;

using Alias = std::vector<int>;
template <typename T> using Generic = std::vector<T>;
template <typename T> concept Small = sizeof(T) < 4;
template <typename T> constexpr T pi = T(3);

[[nodiscard]] auto trailing(int x) -> int { return x; }

template <typename T>
static std::vector<T>& larger(T a, T b) {
  return a;
}

#include <vector>
#include "dir/own.hpp"
using std::swap;
using namespace outer::inner;

class Derived final : public Shape, private ns::Base<int> {
  Derived(int x) : Shape(x), size_{x} { run(); }
  std::unique_ptr<Shape> make() const override;
  int size_;
};

std::unique_ptr<Shape> Derived::make() const {
  auto made = std::make_unique<Derived>(1);
  Shape* plain = new Shape(kLimit);
  Derived* other = new outer::Derived<int>{};
  made->size_ += plain->area() + this->get<int>(0) + Shape::count();
  for (const auto& [key, value] : all) std::filesystem::path::join(key, static_cast<Size>(value));
  return [&made](Shape& x) -> Shape* { return x.self(); }(*made);
}
