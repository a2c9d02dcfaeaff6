library shapes;

import 'dart:math' as math show Random;
import 'package:other/other.dart';
export 'src/inner.dart';
part 'part.dart';

/// How many.
const int limit = 10;
final plain = 1, another = 2;
var state;
late String text;

/// Adds two numbers.
///
/// With more to say.
@override
int add(int a, [int b = limit]) {
  final local = a;
  int nested() => local;
  return nested() + b;
}

int get answer => 42;
set answer(int value) {}

typedef Handler<T> = void Function(T value);
typedef int Old(int x);

/// A shape.
@immutable
abstract class Shape<T extends Comparable<T>> extends Base with Mixed implements Named {
  /// Its sides.
  final int sides;
  static const zero = 0;
  Map<String, List<T>>? all;

  Shape(this.sides, {required super.name});
  const Shape.named(int x) : sides = x, super();
  factory Shape.create() => Circle(zero);

  double get area => 0;
  set area(double value) {}

  /// Says what it is.
  String describe() => 'text ${add(1)} $sides';
  void abstractly();
  static Shape of(int x) => Shape.create();
  @override
  bool operator ==(Object other) => other is Shape && other.sides == sides;
}

mixin Mixed on Base {
  void mix() {}
}

extension Doubled on Shape<int> {
  int get doubled => sides * 2;
}

extension type Id(int value) {}

/// A colour.
enum Colour implements Named {
  /// Like blood.
  red(1),
  green(2);

  const Colour(this.code);
  final int code;
}

Future<void> mentions(Shape<int>? shape, {Named? rest, void Function(int)? call}) async {
  var made = Point(x: 1, y: math.max(limit, 2));
  final other = new Circle<int>.named(made.x);
  const fixed = const Duration(seconds: zero);
  shape?.describe().split(made.y);
  for (final one in shape!.all) {
    if (one is Colour) print(one as Point);
  }
  try {
    await call?.call(state);
  } on FormatException catch (error, stack) {
    throw StateError('text');
  }
  made
    ..x = 1
    ..grow(limit);
  List<Named> list = <Named>[for (var i in other) i];
  switch (made) { case Point(x: var x): break; default: add(x); }
}
