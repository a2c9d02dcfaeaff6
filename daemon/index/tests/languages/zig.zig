//! What shapes are.
const std = @import("std");
const inner = @import("inner.zig").Inner;
const Allocator = std.mem.Allocator;

/// How many.
pub const limit: usize = 10;
var state: u32 = limit;
threadlocal var local_state: ?*Shape = null;

/// Adds two numbers.
pub fn add(a: u32, comptime T: type) error{Failed}!T {
    const local = a;
    return nested(local) + state;
}

extern fn external(x: c_int) void;
pub inline fn generic(comptime T: type, list: []const T) ?T {
    return list[0];
}

/// A shape.
pub const Shape = struct {
    /// Its sides.
    sides: u32 = 4,
    name: []const u8,
    const zero = 0;

    pub fn init(allocator: Allocator) !Shape {
        return Shape{ .sides = limit, .name = "text" };
    }

    pub fn describe(self: *const Shape) void {
        std.debug.print("{d}", .{self.sides});
    }
};

const Colour = enum(u8) {
    /// Like blood.
    red,
    green = 2,

    fn shade(self: Colour) u8 {
        return @intFromEnum(self);
    }
};

const Value = union(enum) {
    number: i64,
    none,
};

const Failure = error{ NotFound, Broken };
const Opaque = opaque {
    fn touch() void {}
};

test "adds two numbers" {
    const made = try Shape.init(std.testing.allocator);
    for (made.items, 0..) |one, index| {
        if (one == .red) continue;
        switch (index) {
            limit => inner.call(one, .{ .key = state }),
            else => return Failure.NotFound,
        }
    }
    const list = std.ArrayList(Shape).init(made.allocator);
    defer list.deinit();
    outer: while (true) : (state += 1) break :outer;
    _ = @as(Colour, @enumFromInt(1));
    external(add(1, u32) catch |err| handle(err));
}
