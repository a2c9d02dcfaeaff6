package com.example.shapes;

import java.util.List;

/**
 * A shape.
 *
 * @author somebody
 */
@Deprecated
@SuppressWarnings({"unchecked", "raw"})
public abstract class Shape<T> extends Base implements Named, Sized {
    public static final int LIMIT = 10, OTHER = 20;
    final static String NAME = "shape";
    private int x, y[];

    static {
        int local = 1;
    }

    /** Makes one. */
    public Shape(int x) {
        this.x = x;
    }

    /** How large. */
    @Override
    public double area(int unit) throws Exception {
        int local = 1;
        Runnable r = new Runnable() {
            int field;
            public void run() {}
        };
        return 0;
    }

    abstract <U> List<U> all();

    enum Colour {
        /** Like blood. */
        RED,
        GREEN(1) { void shade() {} };
        private int value;
        Colour() {}
    }

    interface Named {
        int CONSTANT = 1;
        String name();
        default void rename() {}
    }

    @interface Marked {
        String value() default "";
    }

    record Point(int x, int y) {
        static int count;
        Point {
        }
        int sum() { return x + y; }
    }

    class Inner {
    }
}

@Deprecated(since = LIMIT)
class Mentions<T extends Comparable<T>> extends java.util.AbstractList<T> implements Named, Other {
    private final Map<String, List<T>> all = new HashMap<>();

    @Override
    public T get(int index) throws IOException {
        outer:
        for (T one : all.values()) {
            if (one instanceof Point p && p.x() == Named.CONSTANT) break outer;
            Collections.sort(this.items, Shape::compare);
        }
        Inner made = new Shape.Inner(index) { };
        try {
            return (T) super.get(index).field.twice(x -> x + SIZE);
        } catch (IllegalStateException | java.io.IOError e) {
            throw new Failure(String.format("text", made));
        }
    }
}
