//! `hob-pages`: all of it is in the library, so that tests can call the same.

fn main() -> std::process::ExitCode {
    hob_client::pages()
}
