//! The crate's documentation is not the first item's.

use std::fmt;

/// A point.
///
/// With more to say.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Point<T> {
    /// Across.
    pub x: T,
    y: T,
}

struct Unit;
struct Pair(u8, u8);

/** A choice. */
#[derive(
    Debug,
    PartialEq,
)]
enum Choice {
    /// None of it.
    Nothing,
    Some(u8),
    All { of: u8 },
}

union Bits {
    int: u32,
    float: f32,
}

impl<T: Copy> Point<T> {
    pub const ORIGIN: u8 = 0;

    // Not documentation.
    pub fn new(
        x: T,
        y: T,
    ) -> Self {
        const LOCAL: u8 = 1;
        static ALSO_LOCAL: u8 = 2;
        fn nested() {}
        struct Inside {
            field: u8,
        }
        Self { x, y }
    }
}

impl fmt::Display for self::other::Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl From<Pair> for &Point<u8> {}
impl Shape for [u8] {}
impl Shape for (u8, u8) {}
impl Shape for dyn Shape {}

/// What has a size.
pub trait Shape {
    /// What it is measured in.
    type Unit: Copy;
    const SIDES: usize;
    /// How large.
    fn area(&self) -> Self::Unit;
    fn twice(&self) -> Self::Unit { self.area() }
}

mod inner {
    pub(crate) static COUNT: u8 = 0;
    pub mod deeper {}
}
mod elsewhere;

type Alias<T> = Option<T>;

const _: () = ();
pub const LIMIT: usize = 1 << 10;
static mut STATE: Vec<u8> = Vec::new();

/// Makes one.
#[macro_export]
macro_rules! make {
    () => {};
}

extern "C" {
    fn abs(x: i32) -> i32;
    static environ: *const u8;
}

async unsafe extern "C" fn r#async<'a, T>(x: &'a T) -> &'a T
where
    T: ?Sized,
{
    x
}

use std::collections::{BTreeMap as Map, HashMap};

impl<T: Copy + Into<u8>> Point<T> {
    fn mentions<'a>(&'a self, all: &[Choice]) -> Result<Map<u8, Pair>, fmt::Error> {
        let pair = Pair(LIMIT as u8, inner::COUNT);
        let map = HashMap::<u8, _>::new();
        'outer: for one in all {
            match one {
                Choice::All { of } => self.take(of.max(1)).collect::<Vec<_>>(),
                Choice::Some(x) if x > &LIMIT => break 'outer,
                _ => make!(pair.0, Choice::Some(call(x)), other!(1)),
            }
        }
        let made = Point { x: 1, y: <u8 as Default>::default() };
        #[cfg(test)]
        println!("{pair}", made.x);
        map
    }
}
