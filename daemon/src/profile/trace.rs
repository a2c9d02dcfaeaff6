//! The spans of a while one by one, as Perfetto and Chrome open them: the JSON of Chrome's Trace Event
//! Format (<https://perfetto.dev/docs/getting-started/other-formats>).

use super::{Operation, lock};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// So many spans are kept: as text they must fit an answer.
const MOST: usize = 50_000;

static ON: AtomicBool = AtomicBool::new(false);
static TRACE: Mutex<Option<Trace>> = Mutex::new(None);

/// What has ended since it began.
pub(super) struct Trace {
    began: Instant,
    spans: Vec<Span>,
    /// The names of those that they ran on.
    threads: BTreeMap<i32, String>,
    dropped: u64,
}

struct Span {
    operation: Arc<Operation>,
    began: Instant,
    lasted: Duration,
    thread: i32,
    /// It may overlap with others of its thread: it went from one to another, or waited meanwhile.
    moves: bool,
}

/// Begins to keep spans.
pub(super) fn begin() {
    let (began, threads) = (Instant::now(), BTreeMap::new());
    *lock(&TRACE) = Some(Trace { began, spans: Vec::new(), threads, dropped: 0 });
    ON.store(true, Ordering::Relaxed);
}

/// Ends it, and gives what was kept.
pub(super) fn end() -> Option<Trace> {
    ON.store(false, Ordering::Relaxed);
    lock(&TRACE).take()
}

/// The thread that a span begins on, where spans are kept.
pub(super) fn thread() -> Option<i32> {
    ON.load(Ordering::Relaxed).then(current)
}

/// Keeps a span that ends here.
pub(super) fn ended(
    operation: &Arc<Operation>,
    (began, lasted): (Instant, Duration),
    thread: i32,
    moves: bool,
) {
    let here = current();
    let mut trace = lock(&TRACE);
    let Some(trace) = trace.as_mut().filter(|trace| began >= trace.began) else { return };
    if trace.spans.len() >= MOST {
        trace.dropped += 1;
        return;
    }
    trace.threads.entry(here).or_insert_with(|| {
        std::thread::current().name().map_or_else(|| "hobd".to_owned(), str::to_owned)
    });
    let (operation, moves) = (operation.clone(), moves || here != thread);
    trace.spans.push(Span { operation, began, lasted, thread, moves });
}

impl Trace {
    /// How many spans were kept.
    pub(super) fn kept(&self) -> u64 {
        self.spans.len() as u64
    }

    /// And how many there was no room for.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// All of it as JSON.
    pub(super) fn json(&self) -> String {
        let process = std::process::id();
        let names = self.threads.iter().map(|(thread, name)| {
            json!({"ph": "M", "name": "thread_name", "pid": process, "tid": thread, "args": {"name": name}})
        });
        let spans = self.spans.iter().enumerate().flat_map(|(number, span)| {
            let begins = micros(span.began.saturating_duration_since(self.began));
            let lasted = micros(span.lasted);
            let event = |phase: &str, at: f64| {
                json!({"ph": phase, "name": &*span.operation.name, "cat": "hob", "ts": at,
                       "pid": process, "tid": span.thread})
            };
            let with = |mut event: serde_json::Value, member: &str, value: serde_json::Value| {
                event[member] = value;
                event
            };
            match span.moves {
                false => vec![with(event("X", begins), "dur", lasted.into())],
                true => [("b", begins), ("e", begins + lasted)]
                    .map(|(phase, at)| with(event(phase, at), "id", number.into()))
                    .into(),
            }
        });
        let events: Vec<_> = names.chain(spans).map(|event| event.to_string()).collect();
        format!("{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{}\n]}}\n", events.join(",\n"))
    }
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

fn current() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn events(trace: &Trace) -> Vec<Value> {
        let json: Value = serde_json::from_str(&trace.json()).unwrap();
        json["traceEvents"].as_array().unwrap().clone()
    }

    fn trace(spans: Vec<(&str, u64, u64, bool)>) -> Trace {
        let began = Instant::now();
        let span = |(name, from, lasted, moves): (&str, u64, u64, bool)| Span {
            operation: Arc::new(Operation { name: name.into(), ..Operation::default() }),
            began: began + Duration::from_micros(from),
            lasted: Duration::from_nanos(lasted),
            thread: 7,
            moves,
        };
        let spans = spans.into_iter().map(span).collect();
        Trace { began, spans, threads: BTreeMap::from([(7, "search-1".into())]), dropped: 0 }
    }

    #[test]
    fn a_span_of_one_thread_is_one_event() {
        let events = events(&trace(vec![("sync", 5, 1500, false)]));
        assert_eq!(events[0]["args"]["name"], "search-1");
        let span = &events[1];
        assert_eq!((&span["ph"], &span["name"]), (&"X".into(), &"sync".into()));
        assert_eq!(
            (&span["ts"], &span["dur"], &span["tid"]),
            (&5.0.into(), &1.5.into(), &7.into())
        );
    }

    #[test]
    fn one_that_moves_begins_and_ends_apart_from_others() {
        let events = events(&trace(vec![("queue", 5, 1000, true), ("queue", 6, 1000, true)]));
        let told: Vec<_> = events[1..]
            .iter()
            .map(|event| format!("{} {} {}", event["ph"], event["id"], event["ts"]))
            .collect();
        assert_eq!(told, [r#""b" 0 5.0"#, r#""e" 0 6.0"#, r#""b" 1 6.0"#, r#""e" 1 7.0"#]);
    }
}
