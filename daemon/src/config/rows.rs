//! The table of keys. Knows nothing of files or of the environment.

use super::Config;
use std::time::Duration;

/// A key that can be set.
pub(super) struct Row {
    /// `section.key`.
    pub(super) key: &'static str,
    /// What it does, for a person.
    pub(super) doc: &'static str,
    /// Where it is kept. What is kept there by [`Config::default`] is its default.
    pub(super) slot: fn(&mut Config) -> Slot<'_>,
}

/// Where a value is kept, which is also its type.
pub(super) enum Slot<'a> {
    /// A whole number that makes no sense below a least one.
    Count(&'a mut usize, usize),
    /// A time in milliseconds, at least one.
    Millis(&'a mut Duration),
    /// True or false.
    Switch(&'a mut bool),
    /// One of these words.
    OneOf(&'a mut &'static str, &'static [&'static str]),
    /// A text with a meaning of its own, and what says whether it has one.
    Checked(&'a mut String, fn(&str) -> Result<(), String>),
}

/// What no part of a stream is larger than, however it is escaped.
const LEAST_ANSWER: usize = 1 << 20;

/// All keys, by section.
pub(super) const ROWS: &[Row] = &[
    Row {
        key: "limits.frame_bytes",
        doc: "Bytes of a request, at most.",
        slot: |config| Slot::Count(&mut config.limits.frame_bytes, 1024),
    },
    Row {
        key: "limits.answer_bytes",
        doc: "Bytes of an answer, and of each part of a stream, at most.",
        slot: |config| Slot::Count(&mut config.limits.answer_bytes, LEAST_ANSWER),
    },
    Row {
        key: "limits.streams",
        doc: "Streams of output at once, of all connections, at most. Further ones wait.",
        slot: |config| Slot::Count(&mut config.streams, 1),
    },
    Row {
        key: "limits.query_bytes",
        doc: "Bytes of a query for the names of files or symbols, at most.",
        slot: |config| Slot::Count(&mut config.query_bytes, 1),
    },
    Row {
        key: "limits.batch",
        doc: "Requests in a batch, at most.",
        slot: |config| Slot::Count(&mut config.limits.batch, 1),
    },
    Row {
        key: "limits.calls",
        doc: "Calls that run at once on a connection, at most.",
        slot: |config| Slot::Count(&mut config.limits.calls, 1),
    },
    Row {
        key: "limits.subscriptions",
        doc: "Subscriptions of a connection, at most.",
        slot: |config| Slot::Count(&mut config.limits.subscriptions, 1),
    },
    Row {
        key: "limits.connections",
        doc: "Connections, at most.",
        slot: |config| Slot::Count(&mut config.limits.connections, 1),
    },
    Row {
        key: "limits.first_frame_ms",
        doc: "Milliseconds until a new connection has sent its first request.",
        slot: |config| Slot::Millis(&mut config.limits.first_frame),
    },
    Row {
        key: "limits.partial_frame_ms",
        doc: "Milliseconds from the first byte of a request to its last.",
        slot: |config| Slot::Millis(&mut config.limits.partial_frame),
    },
    Row {
        key: "limits.stalled_write_ms",
        doc: "Milliseconds after which a client that reads nothing is disconnected.",
        slot: |config| Slot::Millis(&mut config.limits.stalled_write),
    },
    Row {
        key: "limits.drain_ms",
        doc: "Milliseconds that running calls get when the daemon stops. It is gone within ten\n\
              seconds in any case.",
        slot: |config| Slot::Millis(&mut config.limits.drain),
    },
    Row {
        key: "daemon.idle_exit_ms",
        doc: "Milliseconds after which a daemon ends to which nobody is connected, and that has nothing\n\
              left to index; 0 is never. The next `hob` starts it again.",
        slot: |config| Slot::Count(&mut config.idle_exit_ms, 0),
    },
    Row {
        key: "log.format",
        doc: "`text`, or `json`: an object a line.",
        slot: |config| Slot::OneOf(&mut config.log_format, &["text", "json"]),
    },
    Row {
        key: "log.level",
        doc: "What is logged: off, error, warn, info, debug or trace, and a module's own as in\n\
              `info,hob_daemon::server=debug`. HOB_LOG and RUST_LOG go before it;\n\
              `hob daemon log-level` changes it while the daemon runs.",
        slot: |config| {
            Slot::Checked(&mut config.log_level, |level| crate::log::parse(level).map(drop))
        },
    },
    Row {
        key: "log.file_mb",
        doc: "MiB after which the log's file is set aside as `hobd.log.1`, and begun anew.",
        slot: |config| Slot::Count(&mut config.log_file_mb, 1),
    },
    Row {
        key: "log.files",
        doc: "How many files of the log are kept beside the one that is written to.",
        slot: |config| Slot::Count(&mut config.log_files, 0),
    },
    Row {
        key: "index.memory_mb",
        doc: "MiB that the building of an index may use.",
        slot: |config| Slot::Count(&mut config.index_memory_mb, 1),
    },
    Row {
        key: "index.threads",
        doc: "Threads that build an index, at most 256; 0 is as many as `parallel.jobs`.",
        slot: |config| Slot::Count(&mut config.index_threads, 0),
    },
    Row {
        key: "parallel.jobs",
        doc: "Files that are worked on at once, by one thread each, at most 256; 0 is one a core.\n\
              `hobd --jobs` sets it for one run.",
        slot: |config| Slot::Count(&mut config.parallel_jobs, 0),
    },
    Row {
        key: "profile.enabled",
        doc: "Measure where the time goes, for `hob profile`.",
        slot: |config| Slot::Switch(&mut config.profile),
    },
    Row {
        key: "tasks.queue",
        doc: "Tasks that wait for their turn, at most; more are refused.",
        slot: |config| Slot::Count(&mut config.tasks_queue, 1),
    },
    Row {
        key: "tasks.cpu",
        doc: "Tasks at once that mostly compute, such as indexing; 0 is one a core, and at least two.",
        slot: |config| Slot::Count(&mut config.tasks_cpu, 0),
    },
    Row {
        key: "tasks.disk",
        doc: "Tasks at once that mostly write, such as merging.",
        slot: |config| Slot::Count(&mut config.tasks_disk, 1),
    },
    Row {
        key: "tasks.deadline_ms",
        doc: "Milliseconds after which a task has failed that indexes or merges; 0 is never.",
        slot: |config| Slot::Count(&mut config.tasks_deadline_ms, 0),
    },
    Row {
        key: "tasks.history",
        doc: "Tasks that are known after their end.",
        slot: |config| Slot::Count(&mut config.tasks_history, 1),
    },
    Row {
        key: "cache.memory_mb",
        doc: "MiB of values that are kept decoded.",
        slot: |config| Slot::Count(&mut config.cache_memory_mb, 0),
    },
    Row {
        key: "cache.outlines_memory_mb",
        doc: "MiB of outlines that are kept in memory; 0 is none.",
        slot: |config| Slot::Count(&mut config.cache_outlines.memory_mb, 0),
    },
    Row {
        key: "cache.outlines_disk_mb",
        doc: "MiB of outlines that are kept on disk; 0 is none.",
        slot: |config| Slot::Count(&mut config.cache_outlines.disk_mb, 0),
    },
    Row {
        key: "cache.outlines_days",
        doc: "Days that a cached outline is good for; 0 is for ever. (It is of the text that it was\n\
              made of, and never stale: this is only for the room.)",
        slot: |config| Slot::Count(&mut config.cache_outlines.days, 0),
    },
    Row {
        key: "cache.printed_memory_mb",
        doc: "MiB of outlines that are kept in memory as they are printed; 0 is none.",
        slot: |config| Slot::Count(&mut config.cache_printed_mb, 0),
    },
    Row {
        key: "cache.mentioned_memory_mb",
        doc: "MiB of what files mention that are kept in memory; 0 is none.",
        slot: |config| Slot::Count(&mut config.cache_mentioned_mb, 0),
    },
    Row {
        key: "sync.deadline_ms",
        doc: "Milliseconds that a query waits for the changes before it, and then fails with\n\
              `not_synced`.",
        slot: |config| Slot::Millis(&mut config.sync_deadline),
    },
    Row {
        key: "sync.sweep_ms",
        doc: "Milliseconds after which a tree is looked at as a whole, for changes that the kernel does\n\
              not report.",
        slot: |config| Slot::Millis(&mut config.sync_sweep),
    },
    Row {
        key: "search.threads",
        doc: "Threads that queries share, at most 256; 0 is as many as `parallel.jobs`.",
        slot: |config| Slot::Count(&mut config.search_threads, 0),
    },
    Row {
        key: "symbols.file_kb",
        doc: "KiB of a file that are parsed for symbols; of a larger one the beginning is. (Of C it is\n\
              only what can define something that counts.)",
        slot: |config| Slot::Count(&mut config.symbols_file_kb, 1),
    },
    Row {
        key: "symbols.limit",
        doc: "Symbols in an answer, at most.",
        slot: |config| Slot::Count(&mut config.symbols_limit, 1),
    },
    Row {
        key: "context.tokens",
        doc: "Tokens that the text of a context may have, where the request does not say.",
        slot: |config| Slot::Count(&mut config.context_tokens, 0),
    },
    Row {
        key: "context.map_tokens",
        doc: "Tokens that a map may have, where the request does not say.",
        slot: |config| Slot::Count(&mut config.map_tokens, 0),
    },
    Row {
        key: "context.model",
        doc: "The model whose tokens are counted, where the request does not say. Of one whose\n\
              tokenizer is not known, as of none, a token is four bytes.",
        slot: |config| Slot::Checked(&mut config.context_model, |_| Ok(())),
    },
    Row {
        key: "context.history_ms",
        doc: "Milliseconds that a request waits while past commits are read for the first time.",
        slot: |config| Slot::Millis(&mut config.context_history),
    },
    Row {
        key: "watch.backend",
        doc: "`auto`: the kernel reports changes; `notify`: through the library that serves other\n\
              systems; `poll`: each query looks at the whole tree.",
        slot: |config| Slot::OneOf(&mut config.watch_backend, &["auto", "notify", "poll"]),
    },
    Row {
        key: "workspace.auto",
        doc: "Index a git repository when it is first searched, without `hob index`.",
        slot: |config| Slot::Switch(&mut config.workspace_auto),
    },
    Row {
        key: "workspace.idle_ms",
        doc: "Milliseconds after which a workspace that nobody asks about is unloaded. The next question\n\
              loads it again.",
        slot: |config| Slot::Millis(&mut config.workspace_idle),
    },
    Row {
        key: "edits.file_mb",
        doc: "MiB of a file that is edited, at most.",
        slot: |config| Slot::Count(&mut config.edits_file_mb, 1),
    },
    Row {
        key: "git.commit",
        doc: "Commit each turn, and before it what is not committed of its files.",
        slot: |config| Slot::Switch(&mut config.git_commit),
    },
    Row {
        key: "git.attribution",
        doc: "How a turn's commit says that hob helped: `trailer`, a line `Assisted-by: hob`; `author`, `(hob)`\n\
              after the author's name; `none`.",
        slot: |config| Slot::OneOf(&mut config.git_attribution, &["trailer", "author", "none"]),
    },
    Row {
        key: "git.hooks",
        doc: "Run the hooks `pre-commit`, `prepare-commit-msg` and `commit-msg` before a turn is committed.",
        slot: |config| Slot::Switch(&mut config.git_hooks),
    },
    Row {
        key: "git.hook_ms",
        doc: "Milliseconds that a hook may take.",
        slot: |config| Slot::Millis(&mut config.git_hook),
    },
    Row {
        key: "git.lock_ms",
        doc: "Milliseconds that a turn waits for another git that has the repository locked.",
        slot: |config| Slot::Millis(&mut config.git_lock),
    },
];

/// Sets a value from its text. An error says what was expected.
pub(super) fn set(slot: Slot<'_>, text: &str) -> Result<(), String> {
    let expected = expects(&slot);
    let refusal = || format!("expected {expected}, found `{text}`");
    match slot {
        Slot::Count(place, least) => {
            *place = text.parse().ok().filter(|number| *number >= least).ok_or_else(refusal)?;
        }
        Slot::Millis(place) => {
            let millis = text.parse().ok().filter(|millis| *millis > 0).ok_or_else(refusal)?;
            *place = Duration::from_millis(millis);
        }
        Slot::Switch(place) => *place = text.parse().map_err(|_| refusal())?,
        Slot::OneOf(place, words) => {
            *place = words.iter().find(|word| **word == text).ok_or_else(refusal)?;
        }
        Slot::Checked(place, check) => {
            check(text)?;
            text.clone_into(place);
        }
    }
    Ok(())
}

/// What a value has to be, for a person.
pub(super) fn expects(slot: &Slot<'_>) -> String {
    match slot {
        Slot::Count(_, least) => format!("a whole number from {least}"),
        Slot::Millis(_) => "a whole number of milliseconds from 1".to_owned(),
        Slot::Switch(_) => "true or false".to_owned(),
        Slot::OneOf(_, words) => {
            let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            quoted.join(" or ")
        }
        Slot::Checked(..) => "a text".to_owned(),
    }
}

/// A value as TOML.
pub(super) fn show(slot: &Slot<'_>) -> String {
    match slot {
        Slot::Count(place, _) => place.to_string(),
        Slot::Millis(place) => place.as_millis().to_string(),
        Slot::Switch(place) => place.to_string(),
        Slot::OneOf(place, _) => format!("\"{place}\""),
        Slot::Checked(place, _) => format!("\"{place}\""),
    }
}
