//! `hob-pages`, so that the tests' own build makes it.

fn main() -> std::process::ExitCode {
    hob_client::pages()
}
