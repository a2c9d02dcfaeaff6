//! The least that a command costs: `hob ping`, beside a bare client that sends the
//! same frames, and beside `/bin/true`.
//!
//! `cargo run --release -p hob-tests --bin bench-ping [-- --rounds N]`

mod bench;

use bench::{Failure, Options, Table, Times, World, ms, ratio, timed};
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;

/// The frames of `hob ping`, in one write as there.
const FRAMES: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"daemon.hello","params":{"protocol":2,"client":"hob 0.1.0"}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","id":2,"method":"daemon.ping"}"#,
    "\n"
);

fn main() -> std::process::ExitCode {
    // This program is its own bare client, so that both are built alike.
    let mut args = std::env::args_os().skip(1);
    match (args.next(), args.next()) {
        (Some(flag), Some(socket)) if flag == "--bare" => bench::main(|| bare(&socket)),
        _ => bench::main(run),
    }
}

fn bare(socket: &OsStr) -> Result<(), Failure> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(FRAMES.as_bytes())?;
    let answers: Vec<String> = BufReader::new(stream).lines().take(2).collect::<Result<_, _>>()?;
    match answers.iter().all(|answer| answer.contains("\"result\"")) {
        true => Ok(writeln!(std::io::stdout(), "{} answers", answers.len())?),
        false => Err("the daemon does not answer a bare client".into()),
    }
}

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-ping", &[])?;
    let rounds = options.number("rounds", 1000)?;
    let world = World::new(&options)?;
    // The first one starts the daemon.
    world.run(&world.path("home"), &["ping"])?;
    let this = std::env::current_exe()?;
    let mut all: [(&str, Times); 3] = [
        ("hob ping", Times::default()),
        ("bare client", Times::default()),
        ("/bin/true", Times::default()),
    ];
    for _ in 0..rounds {
        let mut commands = [world.hob(["ping"]), world.command(&this), world.command("/bin/true")];
        commands[1].arg("--bare").arg(world.socket());
        for (command, (name, times)) in commands.iter_mut().zip(&mut all) {
            if !timed(command, times)?.status.success() {
                return Err(format!("`{name}` has failed").into());
            }
        }
    }
    let mut table = Table::default();
    table.row(["whole process, ms", "p50", "p99", "cpu", "ratio to bare"]);
    let bare = all[1].1.median();
    for (name, times) in &all {
        let (p50, p99) = (times.median(), times.quantile(0.99));
        table.row([(*name).to_owned(), ms(p50), ms(p99), ms(times.cpu_each()), ratio(p50, bare)]);
    }
    Ok(table.print()?)
}
