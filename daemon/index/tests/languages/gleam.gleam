//// What shapes are.

import gleam/io
import gleam/list.{map, type List as L}
import other/inner as short

/// How many.
pub const limit = 10

/// Adds two numbers.
pub fn add(a: Int, to b: Int) -> Int {
  let local = a
  local + b
}

@external(erlang, "mod", "f")
fn external(x: String) -> Nil

pub type Shape(a) {
  Circle(radius: Float)
  Square(side: a, name: String)
}

pub type Id =
  Int

pub opaque type Hidden {
  Hidden
}

fn mentions(shape: Shape(Int), rest: List(Id)) -> Result(String, Nil) {
  let made = Square(side: limit, name: "text")
  rest
  |> list.map(fn(one) { add(one, to: limit) })
  |> short.call(made.name)
  case shape {
    Circle(r) if r >. 0.0 -> Ok(external("x"))
    Square(name: n, ..) -> Error(Nil)
    _ -> io.debug(made)
  }
}
