/// What shapes are.
module shapes.inner;

import std.stdio;
import std.algorithm : map, filter;
import short_ = other.mod;

/// How many.
enum limit = 10;
immutable int state = limit;
int counter, other;

/// Adds two numbers.
int add(int a, int b = limit) pure
{
    int local = a;
    int nested(int x) { return x; }
    return nested(local) + b;
}

alias Handler = void function(int);
T generic(T)(T x) if (isNumeric!T) { return x; }

/** A shape. */
@safe class Shape : Base, Named
{
    /// Its sides.
    int sides;
    private string name = "text";

    this(int sides) { this.sides = sides; }
    ~this() {}
    @property int area() const { return sides * 2; }
    override string toString() { return name; }
    struct Deep { int x; }
}

interface Named { string title(); }
enum Colour : int { red, green = 2 }
union Bits { int i; float f; }
template Pair(A, B) { alias First = A; }
mixin template Mixed() { int mixed; }

void mentions(Shape shape, Named[] rest...)
{
    auto made = new Shape(limit);
    foreach (i, one; rest) writeln(one.title(), cast(Colour) i);
    Pair!(int, string).First x = made.sides.add(Colour.red);
    rest.filter!(r => r is null).map!(generic!int);
    assert(typeid(shape) == typeid(Shape));
    throw new Exception("text");
}

unittest { add(1, 2); }
