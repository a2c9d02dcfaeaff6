//! `hobd`, the daemon of hob.

/// Indexing allocates and frees a lot; this allocator gives the memory back to the system (without
/// huge pages: they hold two megabytes for a few bytes).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    hob_daemon::main()
}
