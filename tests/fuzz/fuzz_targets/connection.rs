//! Any bytes on a connection, in whatever framing they begin.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hob_daemon::server::fuzz::connection(bytes));
