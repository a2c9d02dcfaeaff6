//! The daemon's life: from the command line to its end.
//!
//! Who may serve is settled in `instance` and `seat`, what the starter hears in `herald`, what systemd
//! hears in `service`; `program` and `succession` are about a new build that takes over, `end` about
//! signals. What is served is not known here: [`crate::handlers::methods`] and [`Services`] say so.

mod end;
mod error;
mod herald;
mod instance;
mod program;
mod seat;
mod service;
mod succession;

pub use error::StartError;
pub use instance::{Claim, Handed, Instance, answers, claim, private_dir};
pub(crate) use instance::{check_path, is_claimed, same_place, verify_private};

use crate::cache::Cache;
use crate::config::{self, Config, Loaded};
use crate::log::{self, Target};
use crate::options::{self, Options, Succeed};
use crate::parallel::Crew;
use crate::server::{Connections, Server, serve};
use crate::tasks::Tasks;
use crate::workspaces::Workspaces;
use crate::{Services, edits, handlers};
use end::{Signals, end_in_time, end_when_idle};
use herald::Herald;
pub(crate) use herald::say;
use hob_protocol::place::{self, process_env};
use program::Program;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seat::{Inheritance, Seat};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use succession::Succession;
use tokio_util::sync::CancellationToken;

/// Threads for calls that compute or wait, at most.
const CALLS: usize = 256;
/// The status of a daemon that did not start.
const NOT_STARTED: u8 = 2;

/// `hobd`, whole.
pub(crate) fn main() -> ExitCode {
    let args = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    let printed = match options::parse(args) {
        Ok(Options::Run { sets, succeed: Some(Succeed::Try), .. }) => return would_start(&sets),
        Ok(Options::Run { background, sets, succeed }) => return run(background, &sets, succeed),
        Ok(Options::Doctor { json }) => return crate::doctor::main(json),
        Ok(Options::Help) => say(options::HELP),
        Ok(Options::HelpConfig) => say(&config::documentation()),
        Ok(Options::Version) => say(concat!("hobd ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(what) => {
            let _ = write!(std::io::stderr(), "hobd: {what}\nhint: see `hobd --help`\n");
            return ExitCode::from(NOT_STARTED);
        }
    };
    // A reader that has seen enough is no failure.
    let _ = printed;
    ExitCode::SUCCESS
}

/// Tells whether a daemon would start with these settings.
fn would_start(sets: &[String]) -> ExitCode {
    let loaded = config::load(&config_file(), &process_env, sets).map_err(StartError::from);
    // It is an answer, whoever listens.
    let _ = say(&match loaded {
        Ok(_) => "ready\n".to_owned(),
        Err(error) => herald::refusal(&error),
    });
    ExitCode::SUCCESS
}

fn config_file() -> PathBuf {
    place::config_dir(&process_env).join("config.toml")
}

fn run(background: bool, sets: &[String], succeed: Option<Succeed>) -> ExitCode {
    let inheritance = Inheritance::of_process(succeed, socket_path().ok().as_deref());
    let herald = Herald::new(background);
    match live(background, sets, inheritance, herald) {
        Ok(code) => code,
        Err(error) => {
            // In the foreground the herald says it at the same place.
            if background {
                tracing::error!(%error, "the daemon does not start");
            }
            herald.failed(&error);
            ExitCode::from(NOT_STARTED)
        }
    }
}

fn live(
    background: bool,
    sets: &[String],
    inheritance: Inheritance,
    herald: Herald,
) -> Result<ExitCode, StartError> {
    let started = Instant::now();
    let Loaded { config, warnings } = config::load(&config_file(), &process_env, sets)?;
    let log = start_log(background, &config);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    raise_descriptors();
    let socket = socket_path()?;
    let Some(seat) = Seat::take(&socket, background, inheritance)? else {
        herald.ready();
        return Ok(ExitCode::SUCCESS);
    };
    let shutdown = CancellationToken::new();
    let connections = Connections::default();
    // What is stored tells what is in the user's trees. A directory that is there stays as it is.
    let _ = private_dir(&place::cache_dir(&process_env));
    let runtime_dir = socket.parent().unwrap_or(Path::new("/")).to_owned();
    let turns = place::state_dir(&process_env).join("turns");
    let history = place::state_dir(&process_env).join("tasks.redb");
    let tasks = Tasks::new(Some(history), config.task_limits());
    let workspaces = Workspaces::new(
        config.clone(),
        place::cache_dir(&process_env),
        place::state_dir(&process_env),
        runtime_dir,
        tasks.clone(),
    );
    let crew = Crew::new("search", config.search_jobs());
    let cache = Cache::new(place::cache_dir(&process_env).join("values.redb"), |namespace| {
        config.room(namespace)
    });
    recover_turns(&turns, config.edits());
    let services = Services {
        config,
        shutdown,
        started,
        socket,
        log,
        connections,
        workspaces,
        tasks,
        cache,
        turns,
        crew,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Each stream may keep one waiting for its client; the others are for all else.
        .max_blocking_threads(services.config.streams.saturating_add(CALLS))
        .thread_stack_size(crate::STACK)
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let succession = runtime.block_on(serve_until_told(Arc::new(services), seat, herald))?;
    // Blocking work that does not heed its cancellation is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    if succession.is_due() {
        let error = succession.succeed();
        tracing::error!(%error, "the new program cannot be run");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings to an end, beside all else, what a daemon before was killed in.
fn recover_turns(turns: &Path, settings: edits::Settings) {
    let turns = turns.to_owned();
    let thread = std::thread::Builder::new().name("turns".to_owned());
    let spawned = thread.spawn(move || edits::recover(&turns, settings));
    if let Err(error) = spawned {
        tracing::warn!(%error, "interrupted turns wait for the next one");
    }
}

/// Unloads the workspaces that nobody asks about, until the daemon stops.
async fn unload_idle(services: Arc<Services>) {
    loop {
        let work = services.clone();
        let looked =
            tokio::task::spawn_blocking(move || work.workspaces.unload_idle(Instant::now()));
        let Ok(next) = looked.await else { return };
        tokio::select! {
            () = tokio::time::sleep(next) => {}
            () = services.shutdown.cancelled() => return,
        }
    }
}

/// Serves, from the bound socket to the last flush.
async fn serve_until_told(
    services: Arc<Services>,
    seat: Seat,
    herald: Herald,
) -> Result<Arc<Succession>, StartError> {
    let signals = Signals::install().map_err(StartError::Runtime)?;
    let Seat { instance, handed } = seat;
    let listener = match handed {
        Some(handed) => instance.adopt(handed)?,
        None => instance.bind()?,
    };
    let shutdown = services.shutdown.clone();
    let mut args = std::env::args_os();
    let program = Program::running(args.next().as_deref());
    let succession =
        Succession::new(program, args.collect(), (instance, &listener), shutdown.clone());
    let succession = Arc::new(succession.map_err(StartError::Runtime)?);
    let server = Server {
        methods: handlers::methods(&services)
            .map_err(|error| StartError::Fault(error.to_string()))?,
        limits: services.config.limits,
        hooks: Arc::new(handlers::Interface),
        owner: rustix::process::geteuid(),
        connections: services.connections.clone(),
    };
    tokio::spawn(signals.heed(shutdown.clone(), succession.clone()));
    tokio::spawn(end_in_time(shutdown.clone(), succession.clone()));
    tokio::spawn(succession.clone().go_rounds());
    tokio::spawn(unload_idle(services.clone()));
    tokio::spawn(end_when_idle(services.clone(), succession.clone()));
    tokio::spawn(service::ping_watchdog(services.clone()));
    tracing::info!(socket = %services.socket.display(), pid = std::process::id(), "ready");
    herald.ready();
    service::ready(&services);
    serve(&listener, server, shutdown, &*succession).await;
    services.close();
    succession.leave();
    tracing::info!("stopped");
    Ok(succession)
}

fn socket_path() -> Result<PathBuf, StartError> {
    let uid = rustix::process::geteuid().as_raw();
    if process_env("HOB_SOCKET").is_none() {
        private_dir(&place::runtime_dir(&process_env, uid))?;
    }
    let socket = place::socket(&process_env, uid);
    std::path::absolute(&socket).map_err(StartError::io("find the socket", &socket))
}

/// The path of the log, where it is a file. A daemon that cannot log serves all the same.
fn start_log(background: bool, config: &Config) -> Option<PathBuf> {
    let given = process_env("HOB_LOG").or_else(|| process_env("RUST_LOG"));
    let given = given.as_deref().and_then(std::ffi::OsStr::to_str);
    let dir = place::state_dir(&process_env);
    let path = background.then(|| dir.join("hobd.log"));
    let target = path.clone().map_or(Target::Stderr, Target::File);
    let made = if background { private_dir(&dir) } else { Ok(()) };
    log::init(&target, &config.log_options(), given.unwrap_or(&config.log_level));
    if let Err(error) = made {
        tracing::warn!(%error, "the directory of the log");
    }
    path
}

/// Each connection, watch and file takes a descriptor, and the soft limit is for `select`.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of descriptors stays as it is");
    }
}
