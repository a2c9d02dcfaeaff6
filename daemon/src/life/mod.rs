//! The daemon's life: from the command line to its end.
//!
//! Who may serve is settled in `instance`, what the starter hears in `herald`. What is
//! served is not known here: [`crate::handlers::methods`] and [`Services`] say so.

mod error;
mod herald;
mod instance;

pub use error::StartError;
pub use instance::{Claim, Instance, answers, claim, private_dir};

use crate::config::{self, Loaded};
use crate::log::{self, Target};
use crate::options::{self, Options};
use crate::server::{Connections, NoHooks, Server, serve};
use crate::workspaces::Workspaces;
use crate::{Services, handlers};
use herald::{Herald, say};
use hob_protocol::place::{self, process_env};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a second daemon waits for the first one to answer.
const FIRST_ANSWERS: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);
/// When a daemon that is to stop is gone at the latest.
const LATEST_END: Duration = Duration::from_millis(9500);
/// More threads than this only wait for each other.
const MOST_THREADS: usize = 256;
/// The status of a daemon that did not start.
const NOT_STARTED: u8 = 2;

/// `hobd`, whole.
pub(crate) fn main() -> ExitCode {
    let args = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    let printed = match options::parse(args) {
        Ok(Options::Run { background, sets }) => return run(background, &sets),
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

fn run(background: bool, sets: &[String]) -> ExitCode {
    let herald = Herald::new(background);
    match live(background, sets, herald) {
        Ok(()) => ExitCode::SUCCESS,
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

fn live(background: bool, sets: &[String], herald: Herald) -> Result<(), StartError> {
    let started = Instant::now();
    let file = place::config_dir(&process_env).join("config.toml");
    let Loaded { config, warnings } = config::load(&file, &process_env, sets)?;
    let log = start_log(background, config.log_format == "json");
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    raise_descriptors();
    let socket = socket_path()?;
    let Some(instance) = take_over(&socket, background)? else {
        herald.ready();
        return Ok(());
    };
    let shutdown = CancellationToken::new();
    let connections = Connections::default();
    let runtime_dir = socket.parent().unwrap_or(Path::new("/")).to_owned();
    let workspaces = Workspaces::new(
        config.clone(),
        place::cache_dir(&process_env),
        place::state_dir(&process_env),
        runtime_dir,
    );
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(config.search_threads.min(MOST_THREADS))
        .stack_size(crate::STACK)
        .thread_name(|number| format!("search-{number}"))
        .build()
        .map_err(|error| StartError::Fault(error.to_string()))?;
    let services =
        Services { config, shutdown, started, socket, log, connections, workspaces, pool };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(crate::STACK)
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let ended = runtime.block_on(serve_until_told(Arc::new(services), &instance, herald));
    // Blocking work that does not heed its cancellation is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
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
    instance: &Instance,
    herald: Herald,
) -> Result<(), StartError> {
    let signals = Signals::install().map_err(StartError::Runtime)?;
    let listener = instance.bind()?;
    let server = Server {
        methods: handlers::methods(&services)
            .map_err(|error| StartError::Fault(error.to_string()))?,
        limits: services.config.limits,
        hooks: Arc::new(NoHooks),
        owner: rustix::process::geteuid(),
        connections: services.connections.clone(),
    };
    tokio::spawn(signals.heed(services.shutdown.clone()));
    tokio::spawn(end_in_time(services.shutdown.clone()));
    tokio::spawn(unload_idle(services.clone()));
    tracing::info!(socket = %services.socket.display(), pid = std::process::id(), "ready");
    herald.ready();
    serve(listener, server, services.shutdown.clone(), || instance.unbind()).await;
    services.close();
    tracing::info!("stopped");
    Ok(())
}

/// The right to serve, or `None` where another daemon does already. In the background that is
/// what the starter wants; in the foreground it is an error.
fn take_over(socket: &Path, background: bool) -> Result<Option<Instance>, StartError> {
    let until = Instant::now() + FIRST_ANSWERS;
    loop {
        let pid = match claim(socket)? {
            Claim::Ours(instance) => return Ok(Some(instance)),
            Claim::Taken(pid) => pid,
        };
        if !background {
            return Err(StartError::Running { socket: socket.to_owned(), pid });
        }
        if answers(socket) {
            return Ok(None);
        }
        // The other one is starting, or stopping: then its lock will be free.
        if Instant::now() > until {
            return Err(StartError::Silent { socket: socket.to_owned(), pid });
        }
        std::thread::sleep(LOOK);
    }
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
fn start_log(background: bool, json: bool) -> Option<PathBuf> {
    let filter = process_env("HOB_LOG").or_else(|| process_env("RUST_LOG"));
    let filter = filter.as_deref().and_then(std::ffi::OsStr::to_str);
    let dir = place::state_dir(&process_env);
    let path = background.then(|| dir.join("hobd.log"));
    let target = path.clone().map_or(Target::Stderr, Target::File);
    let made = if background { private_dir(&dir) } else { Ok(()) };
    log::init(&target, json, filter);
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

/// A handler or a store that hangs does not keep the daemon: what is stored survives a kill.
async fn end_in_time(shutdown: CancellationToken) {
    shutdown.cancelled().await;
    std::thread::spawn(|| {
        std::thread::sleep(LATEST_END);
        tracing::error!("the daemon does not end by itself");
        std::process::exit(1);
    });
}

/// The signals that the daemon hears. Those that would kill it and mean no harm are heard too.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// Past a limit on the size of files: the write fails, which is enough.
    _file_size: Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ))?,
        })
    }

    async fn heed(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                // The terminal that it was started from has closed, which is nothing to it.
                _ = self.hang_up.recv() => {}
            }
        }
        tracing::info!("stopping: a signal");
        shutdown.cancel();
    }
}
