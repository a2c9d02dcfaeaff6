"""The module's documentation."""

import os
from typing import TypeAlias

LIMIT = 10
_PRIVATE_LIMIT: int = 20
#: Where it is.
path, ROOT = "a", "b"
(left, right) = 1, 2
first = second = None
first = 3
count: int
counter += 1
os.environ["A"] = "b"

type Vector = list[float]
type Pairs[T] = list[tuple[T, T]]

if os.name == "nt":
    separator = "\\"
else:
    separator = "/"

try:
    import json
except ImportError:
    json = None


def plain(a, *, b=1):
    '''Says what it does.'''
    local = 1
    LOCAL_CONSTANT = 2

    def nested():
        return local

    class Inside:
        pass

    return lambda x: x


@decorated(
    with_arguments=True,
)
@again
async def decorated(
    x: int,
    y: int = 2,
) -> int:
    r"""

    Its first line is not the first.

    """


class Shape(Base, metaclass=Meta):
    "A shape."

    sides = 0
    COLOUR = "red"
    name: str
    __slots__ = ("a", "b")

    def __init__(self):
        self.attribute = 1

    @property
    def area(self):
        # A comment is not documentation.
        return 0

    @staticmethod
    def of(x): return x

    class Inner:
        deep = 1


for index in range(3):
    in_loop = index

with open("x") as file:
    in_with = 1


def one_line(): pass


from . import sibling
from .pkg.mod import (a as b, c)
import os.path as p


class Mentions(Shape, abc.ABC, Generic[T]):
    sized: dict[str, "Shape"] = field(default=os.sep)

    @functools.cache
    def uses(self, x: typing.Optional[Shape], *args: int) -> list[Shape | None]:
        try:
            made = Shape(x, key=self.area).of(1)
            print(f"{made.name} {plain(2)!r:>{width}}")
        except (ValueError, os.Error) as error:
            raise Failed("text") from error
        match made:
            case Shape(sides=0):
                return [y.attribute for y in args]
