//! Any frame as messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hob_daemon::server::fuzz::messages(bytes));
