//! A reply of 50 blocks in 20 files of 1,000 lines: made and committed, and taken back, beside what git
//! alone takes for the same change.
//!
//! `cargo run --release -p hob-tests --bin bench-apply [-- --rounds N]`

mod bench;

use bench::{Failure, Options, Table, Times, World, ms, ratio, timed};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const FILES: usize = 20;
const BLOCKS: usize = 50;
const LINES: usize = 1_000;

fn main() -> std::process::ExitCode {
    bench::main(run)
}

/// A function for each ten lines, as a person might have written it.
fn text(file: usize) -> String {
    let mut text = String::new();
    for function in 0..LINES / 10 {
        let _ = write!(
            text,
            "/// Counts what the part {function} of {file} has.\n\
             pub fn count_{file}_{function}(parts: &[Part], limit: usize) -> usize {{\n    \
                 let mut count = 0;\n    \
                 for part in parts.iter().take(limit) {{\n        \
                     count += part.number({function}).unwrap_or_default();\n    \
                 }}\n    \
                 tracing::debug!(count, limit, \"counted\");\n    \
                 count\n\
             }}\n\n"
        );
    }
    text
}

fn reply() -> String {
    let mut reply = "I count each part twice.\n\n".to_owned();
    for block in 0..BLOCKS {
        let (file, function) = (block % FILES, 7 + 13 * (block / FILES));
        let line = format!("        count += part.number({function}).unwrap_or_default();\n");
        let _ = write!(
            reply,
            "src/part{file}.rs\n```rust\n<<<<<<< SEARCH\n{line}=======\n{}>>>>>>> REPLACE\n```\n\n",
            line.replace("count +=", "count += 2 *")
        );
    }
    reply
}

fn done(command: &mut Command) -> Result<String, Failure> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What the daemon says that it took.
fn elapsed(output: &std::process::Output) -> Result<Duration, Failure> {
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    if !output.status.success() {
        return Err(format!("{answer}").into());
    }
    Ok(Duration::from_micros(answer["elapsed_us"].as_u64().ok_or("no time")?))
}

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-apply", &[])?;
    let rounds = options.number("rounds", 40)?;
    let world = World::new(&options)?;
    let identity = "[user]\nname = A\nemail = a@example.org\n";
    std::fs::write(world.path("home/.gitconfig"), identity)?;
    let tree = world.path("tree");
    std::fs::create_dir_all(tree.join("src"))?;
    for file in 0..FILES {
        std::fs::write(tree.join(format!("src/part{file}.rs")), text(file))?;
    }
    let git = |line: &str| {
        let mut command = world.command("git");
        command.args(line.split(' ')).current_dir(&tree);
        command
    };
    for line in ["init -q", "add -A", "commit -q -m parts"] {
        done(&mut git(line))?;
    }
    world.run(&tree, &["index", "--wait"])?;
    let file = world.path("reply.md");
    std::fs::write(&file, reply())?;
    let hob = |args: &[&str]| {
        let mut command = world.hob(args);
        command.current_dir(&tree);
        command
    };
    let reply = file.to_str().ok_or("the path of the world")?;
    let names = [
        "apply, in the daemon",
        "apply, whole process",
        "undo, in the daemon",
        "undo, whole process",
        "git apply and commit",
        "git reset --hard HEAD~1",
    ];
    let mut all: [Times; 6] = Default::default();
    let patch = world.path("patch");
    for _ in 0..rounds {
        let applied = timed(&mut hob(&["apply", "--json", reply]), &mut all[1])?;
        all[0].wall.push(elapsed(&applied)?);
        changed(&git("diff --name-only HEAD~1"), FILES)?;
        std::fs::write(&patch, done(&mut hob(&["diff"]))?)?;
        let undone = timed(&mut hob(&["undo", "--json"]), &mut all[3])?;
        all[2].wall.push(elapsed(&undone)?);
        changed(&git("status --porcelain"), 0)?;
        let script = format!("git apply --index {} && git commit -q -m parts", patch.display());
        let mut peer = world.command("sh");
        peer.args(["-c", &script]).current_dir(&tree);
        if !timed(&mut peer, &mut all[4])?.status.success() {
            return Err("git does not take the diff".into());
        }
        timed(&mut git("reset -q --hard HEAD~1"), &mut all[5])?;
    }
    let mut table = Table::default();
    table.row([&format!("{BLOCKS} blocks, {FILES} files, ms"), "p50", "p99", "ratio to git"]);
    for (at, (name, times)) in names.iter().zip(&all).enumerate() {
        let peer = if [2, 3, 5].contains(&at) { &all[5] } else { &all[4] };
        let (p50, p99) = (times.median(), times.quantile(0.99));
        table.row([(*name).to_owned(), ms(p50), ms(p99), ratio(p50, peer.median())]);
    }
    Ok(table.print()?)
}

/// Checks how many files git tells of.
fn changed(git: &Command, count: usize) -> Result<(), Failure> {
    let mut again = Command::new(git.get_program());
    again.args(git.get_args()).current_dir(git.get_current_dir().unwrap_or(Path::new(".")));
    let lines = done(&mut again)?.lines().count();
    match lines == count {
        true => Ok(()),
        false => Err(format!("{lines} files have changed, and {count} should have").into()),
    }
}
