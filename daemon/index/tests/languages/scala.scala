package shapes.inner

import scala.collection.mutable
import other.{First, Second => Renamed, _}
import given.one.*

/** A package object. */
package object tools {
  val Limit = 10
}

/** A shape.
  *
  * With more to say.
  */
@deprecated("use another")
abstract class Shape[T <: Ordered[T]](val sides: Int, name: String)(implicit ord: Ordering[T])
    extends Base(name) with Named {
  type Value = List[T]
  type Abstract
  // Its area.
  val area: Double = 0.0
  var state = sides
  lazy val late = make()
  val (first, second) = (1, 2)

  def this(name: String) = this(0, name)

  /** Adds. */
  def add(a: Int, b: Int = 1): Int = {
    val local = a
    def nested(x: Int): Int = x
    nested(local) + b
  }

  def abstractly: String
  def +(that: Shape[T]): Shape[T] = that
  class Inner
}

object Shape {
  val Zero = 0
  def apply(): Shape[Int] = new Circle(Zero)
}

case class Point(x: Int, y: Int = 2) extends Named
case object Origin extends Point(0, 0)

trait Named extends Any {
  def title: String
}

enum Colour(val code: Int) extends Marker {
  case Red extends Colour(1)
  case Green, Blue
  case Mixed(a: Colour, b: Colour)
}

given ordering: Ordering[Point] with {
  def compare(a: Point, b: Point): Int = a.x - b.x
}

extension (shape: Shape[Int]) {
  def doubled: Int = shape.sides * 2
}

opaque type Id = Long

def top(x: Int): Int = x
val topLevel = top(1)

object Mentions {
  def mentions[A: Ordering](shape: Option[Shape[A]], rest: Named*): Either[String, Point] = {
    val made = Point(1, y = rest.size)
    val other = new mutable.HashMap[String, Named]() with Marker
    shape.map(_.add(1, 2)).foreach { one => println(s"text $one ${made.x}") }
    for ((index, one) <- rest.zipWithIndex if index > Shape.Zero) yield one match {
      case Point(x, _) if x > 0 => Left(x.toString)
      case p: Point.type => Right(p)
      case Colour.Red | Origin => throw new IllegalStateException("text")
    }
    shape foldLeft made
    try identity[Int](3) catch { case e: java.io.IOException => other += 1 }
  }
}


var topVariable: Int = 1
