//! Replies with edits of any form.
#![no_main]

mod edits;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| edits::check(None, bytes));
