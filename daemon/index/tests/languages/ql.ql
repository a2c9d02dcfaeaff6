/**
 * @name Finds shapes
 */

import java
import semmle.code.java.dataflow.TaintTracking as Taint

/** A shape. */
class Shape extends Expr, Base::Named {
  int sides;

  Shape() { this.getType() instanceof Circle and sides = 4 }

  /** Its name. */
  string getName() { result = this.(Named).title() }

  predicate isLarge() { sides > limit() }
}

module Inner {
  newtype TColour = TRed() or TGreen(int x)
  class Colour = TColour;
}

predicate contains(Shape a, Shape b) { exists(int i | i = a.getSides() | b.has(i)) }

int limit() { result = 10 }

from Shape shape, Inner::Colour colour
where contains(shape, any(Shape s)) and not shape.isLarge()
select shape, "text " + colour.toString()
