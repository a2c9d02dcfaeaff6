//! Any bytes, in any pieces, as frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hob_daemon::server::fuzz::frames(bytes));
