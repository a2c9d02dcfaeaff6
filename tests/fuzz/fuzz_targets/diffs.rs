//! Unified diffs.
#![no_main]

mod edits;

use hob_index::edits::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| edits::check(Some(Format::Udiff), bytes));
