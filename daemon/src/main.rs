//! `hobd`: see the library.

fn main() -> std::process::ExitCode {
    hob_daemon::main()
}
