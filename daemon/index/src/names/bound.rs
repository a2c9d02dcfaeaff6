//! At most how well a name can match a pattern.
//!
//! `nucleo` takes some hundred nanoseconds to score a name, and a short pattern matches hundreds of
//! thousands. What is found here in one look at the bytes is never less than what it scores: 16 for
//! each byte of the pattern; for each a bonus, of the word start or hump where it may stand, or of
//! that where the run of bytes that it continues begins; 3 less for each that cannot continue a run.
//! The first byte's bonus counts twice.

/// What `nucleo` gives (see its `score.rs`, which keeps them to itself).
const MATCH: i32 = 16;
const GAP: i32 = 3;
const CONSECUTIVE: i32 = 4;
const BOUNDARY: i32 = 8;
const DELIMITED: i32 = 9;
const FIRST: i32 = 10;
const HUMP: i32 = 5;

/// Patterns of more bytes are not bounded: they match little.
const MOST: usize = 64;

/// The classes of bytes between which a word may start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Other,
    Delimiter,
    Lower,
    Upper,
    Digit,
}

/// Bounds for one pattern of ASCII.
pub(super) struct Bound {
    length: usize,
    /// For each byte, the places of the pattern where it stands, a bit each.
    places: Box<[u64; 256]>,
    classes: Box<[Class; 256]>,
}

impl Bound {
    /// `pattern` is folded where case is ignored.
    pub(super) fn new(pattern: &[u8], ignore_case: bool) -> Self {
        let mut places = Box::new([0; 256]);
        for (at, byte) in pattern.iter().enumerate().take(MOST) {
            places[usize::from(*byte)] |= 1 << at;
            if ignore_case {
                places[usize::from(byte.to_ascii_uppercase())] |= 1 << at;
            }
        }
        let mut classes = Box::new([Class::Other; 256]);
        for byte in 0..=127u8 {
            classes[usize::from(byte)] = class(byte);
        }
        Self { length: pattern.len(), places, classes }
    }

    /// The most that any name can score.
    pub(super) fn highest(&self) -> u16 {
        let length = i32::try_from(self.length).unwrap_or(i32::MAX / 32);
        let bonus = if length == 0 { 0 } else { FIRST };
        u16::try_from(length * (MATCH + FIRST) + bonus).unwrap_or(u16::MAX)
    }

    /// The most that this name of ASCII can score.
    pub(super) fn of(&self, name: &[u8]) -> u16 {
        if self.length > MOST {
            return u16::MAX;
        }
        // Where a byte of the pattern may stand with each bonus, and where it may continue a run.
        let (mut first, mut delimited, mut boundary, mut hump, mut run) = (0, 0, 0, 0, 0);
        let (mut places_before, mut class_before) = (0, None);
        for byte in name {
            let places = self.places[usize::from(*byte)];
            let class = self.classes[usize::from(*byte)];
            run |= places & places_before << 1;
            match bonus(class_before, class) {
                FIRST => first |= places,
                DELIMITED => delimited |= places,
                BOUNDARY => boundary |= places,
                HUMP => hump |= places,
                _ => {}
            }
            (places_before, class_before) = (places, Some(class));
        }
        let best = |at: usize| match 1u64 << at {
            bit if first & bit != 0 => FIRST,
            bit if delimited & bit != 0 => DELIMITED,
            bit if boundary & bit != 0 => BOUNDARY,
            bit if hump & bit != 0 => HUMP,
            _ => 0,
        };
        self.sum(best, run)
    }

    fn sum(&self, best: impl Fn(usize) -> i32, run: u64) -> u16 {
        if self.length == 0 {
            return 0;
        }
        let mut score = MATCH + 2 * best(0);
        // The best bonus of the run that a byte may continue.
        let mut carried = best(0);
        for at in 1..self.length {
            let own = best(at);
            let continues = run & 1 << at != 0;
            let in_run = if continues { CONSECUTIVE.max(carried).max(own) } else { 0 };
            score += MATCH + in_run.max(own - GAP).max(if continues { 0 } else { -GAP });
            carried = if continues { carried.max(own) } else { own };
        }
        u16::try_from(score).unwrap_or(u16::MAX)
    }
}

fn class(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' => Class::Lower,
        b'A'..=b'Z' => Class::Upper,
        b'0'..=b'9' => Class::Digit,
        b'/' | b',' | b':' | b';' | b'|' => Class::Delimiter,
        _ if byte.is_ascii_whitespace() => Class::Space,
        _ => Class::Other,
    }
}

/// The bonus of a byte after another one, or at the beginning.
fn bonus(before: Option<Class>, class: Class) -> i32 {
    let is_word = matches!(class, Class::Lower | Class::Upper | Class::Digit);
    match (before, class) {
        (None | Some(Class::Space), _) if is_word => FIRST,
        (Some(Class::Delimiter), _) if is_word => DELIMITED,
        (Some(Class::Other), _) if is_word => BOUNDARY,
        (Some(Class::Lower), Class::Upper) => HUMP,
        (before, Class::Digit) if before != Some(Class::Digit) => HUMP,
        (_, Class::Space) => FIRST,
        (_, Class::Other) => BOUNDARY,
        _ => 0,
    }
}
