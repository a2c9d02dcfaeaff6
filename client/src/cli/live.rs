//! The live page of `hob top`.

use super::commands::number;
use super::profile::{HEAD, row};
use super::stats::{Stats, Wanted, hits_and_bytes};
use super::tasks::{progress, state};
use super::{Status, World, top, units};
use crate::{Connection, Error, ErrorKind, error::reason};
use clap::ArgMatches;
use hob_protocol::{ProfileOrder, Task, TaskState, Text, WorkspaceStatus};
use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table};
use std::io;
use std::time::{Duration, Instant};

/// What is shown of the profile: the last minute, and as much as fits.
const SINCE_MS: u64 = 60_000;
const OPERATIONS: u64 = 100;

/// Shows the page until somebody leaves it.
pub(super) fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    if !world.out_is_terminal {
        let error = Error::new(ErrorKind::Usage, "a live page needs a terminal");
        return Err(error.hint("`hob stats` prints the numbers once"));
    }
    let every = Duration::from_millis(number(matches, "every").unwrap_or(top::EVERY));
    // A daemon is started once, and not again by a page that somebody has left open.
    let first = world.ask(|connection, _| Stats::ask(connection, &wanted(ProfileOrder::Total)))?;
    let place = world.place();
    let mut page = Page::new(Ok(first));
    let mut terminal = ratatui::try_init().map_err(|error| unusable(&error))?;
    let ended = follow(&mut terminal, &mut page, every, |order| {
        Stats::ask(&Connection::open(&place)?, &wanted(order))
    });
    ratatui::restore();
    ended.map_err(|error| unusable(&error))?;
    Ok(Status::Done)
}

fn unusable(error: &io::Error) -> Error {
    let message = format!("cannot use the terminal: {}", reason(error));
    Error::new(ErrorKind::Io, message).hint("`hob stats` prints the numbers once")
}

fn wanted(order: ProfileOrder) -> Wanted {
    Wanted { order: Some(order), limit: OPERATIONS, since_ms: Some(SINCE_MS) }
}

fn follow(
    terminal: &mut ratatui::DefaultTerminal,
    page: &mut Page,
    every: Duration,
    ask: impl Fn(ProfileOrder) -> Result<Stats, Error>,
) -> io::Result<()> {
    let mut next = Instant::now() + every;
    loop {
        terminal.draw(|frame| page.draw(frame))?;
        if event::poll(next.saturating_duration_since(Instant::now()))? {
            let Event::Key(key) = event::read()? else { continue };
            match Wish::of(key) {
                Wish::Leave => return Ok(()),
                Wish::Pause => page.paused = !page.paused,
                Wish::Order(order) => page.order = order,
                Wish::Nothing => continue,
            }
        } else {
            next = Instant::now() + every;
        }
        if !page.paused {
            page.stats = ask(page.order);
        }
    }
}

/// What a key says.
#[derive(Debug, PartialEq)]
enum Wish {
    Leave,
    Pause,
    Order(ProfileOrder),
    Nothing,
}

impl Wish {
    fn of(key: KeyEvent) -> Self {
        if key.kind == KeyEventKind::Release {
            return Self::Nothing;
        }
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Self::Leave,
            KeyCode::Char('q') | KeyCode::Esc => Self::Leave,
            KeyCode::Char(' ') => Self::Pause,
            KeyCode::Char('t') => Self::Order(ProfileOrder::Total),
            KeyCode::Char('s') => Self::Order(ProfileOrder::Own),
            KeyCode::Char('c') => Self::Order(ProfileOrder::Count),
            KeyCode::Char('p') => Self::Order(ProfileOrder::P99),
            _ => Self::Nothing,
        }
    }
}

/// What is on the page.
struct Page {
    stats: Result<Stats, Error>,
    order: ProfileOrder,
    paused: bool,
}

impl Page {
    fn new(stats: Result<Stats, Error>) -> Self {
        Self { stats, order: ProfileOrder::Total, paused: false }
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        let [body, keys] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
        match &self.stats {
            Ok(stats) => self.numbers(stats, frame, body),
            Err(error) => {
                let report = error.report();
                let lines = report.lines().map(|line| Line::from(line.to_owned()));
                frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), body);
            }
        }
        let pause = if self.paused { "go on" } else { "stop" };
        let help = format!("q leave  space {pause}  order by: t total  s self  c count  p p99");
        frame.render_widget(Line::from(help).dim(), keys);
    }

    fn numbers(&self, stats: &Stats, frame: &mut Frame<'_>, area: Rect) {
        let mut parts = vec![daemon(stats)];
        let workspaces = stats.workspaces.workspaces.iter().map(workspace);
        parts.push(with_title("workspaces", workspaces.collect()));
        if !stats.tasks.is_empty() {
            parts.push(with_title("tasks", stats.tasks.iter().map(task).collect()));
        }
        parts.push(with_title("cache", stats.cache.namespaces.iter().map(namespace).collect()));
        // A part keeps to its lines; of what is left the operations get all.
        let heights = parts.iter().map(|part| Constraint::Length(part.len() as u16 + 1));
        let rows = Layout::vertical(heights.chain([Constraint::Min(4)])).split(area);
        let last = rows.len() - 1;
        for (part, row) in parts.into_iter().zip(rows.iter()) {
            frame.render_widget(Paragraph::new(part), *row);
        }
        match &stats.profile {
            None => {
                let line = Line::from("calls are not measured: `profile.enabled` is false");
                frame.render_widget(line, rows[last]);
            }
            Some(profile) => {
                let ordered = match self.order {
                    ProfileOrder::Own => "self",
                    ProfileOrder::Count => "count",
                    ProfileOrder::P99 => "p99",
                    _ => "total",
                };
                let cells = |row: Vec<String>| {
                    let mut columns = row.into_iter();
                    let name = columns.next().map(Cell::from);
                    let figures = columns.map(|one| Cell::from(Line::from(one).right_aligned()));
                    Row::new(name.into_iter().chain(figures).collect::<Vec<_>>())
                };
                let head = HEAD.map(|name| match name == ordered {
                    true => format!("{name}*"),
                    false => name.to_owned(),
                });
                // A figure is whole or not there.
                let widths = [24, 9, 8, 8, 7, 7, 7];
                let fits = |count: &usize| {
                    widths[..*count].iter().sum::<u16>() + *count as u16 <= area.width + 1
                };
                let columns = (1..=widths.len()).rev().find(fits).unwrap_or(1);
                let cells = |row: [String; 7]| cells(row.into_iter().take(columns).collect());
                let rows_of = profile.operations.iter().map(|one| cells(row(one)));
                let widths = widths[..columns].iter().map(|width| Constraint::Length(*width));
                let table = Table::new(rows_of, widths).header(cells(head).style(title()));
                frame.render_widget(table, rows[last]);
            }
        }
    }
}

fn title() -> Style {
    Style::new().bold()
}

fn with_title(name: &'static str, mut lines: Vec<Line<'static>>) -> Vec<Line<'static>> {
    lines.insert(0, Line::styled(name, title()));
    lines
}

fn daemon(stats: &Stats) -> Vec<Line<'static>> {
    let daemon = &stats.daemon;
    let what = format!(
        " {}, process {}, up {}, {} of memory, {}",
        daemon.version,
        daemon.pid,
        units::seconds(daemon.uptime_seconds),
        units::bytes(daemon.memory_bytes),
        units::counted(daemon.connections, "connection"),
    );
    vec![Line::from(vec![Span::styled("hobd", title()), what.into()])]
}

/// `/src/linux   78,255 files, 1.3 GB, 1,200 left to index, store 139 MB`.
fn workspace(one: &WorkspaceStatus) -> Line<'static> {
    let root = one.origin.root.as_ref().map(shown).unwrap_or_default();
    let mut parts =
        vec![format!("{}, {}", units::counted(one.files, "file"), units::bytes(one.bytes))];
    let left = one.pending + one.unoutlined;
    if left > 0 {
        parts.push(format!("{} left to index", units::count(left)));
    }
    let marks = [(one.paused, "paused"), (one.unloaded, "unloaded"), (one.gone, "gone")];
    parts.extend(marks.iter().filter(|(is, _)| *is).map(|(_, mark)| (*mark).to_owned()));
    parts.push(format!("store {}", units::bytes(one.store.bytes)));
    parts.extend(one.store.problem.clone());
    parts.extend(one.problems.first().cloned());
    Line::from(format!("{root}  {}", parts.join(", ")))
}

/// `#12 index running /src/linux  ████░░░░ 52 %: reading …`.
fn task(task: &Task) -> Line<'static> {
    let root = task.root.as_ref().map(shown).unwrap_or_default();
    let mut line = format!("{:>4}  {:<9}  {:<6}  {root}", task.id, state(task.state), task.kind);
    if let (TaskState::Running, Some(total)) = (task.state, task.total.filter(|total| *total > 0)) {
        const CELLS: u64 = 10;
        let done = task.done.min(total);
        let full = usize::try_from(done.saturating_mul(CELLS) / total).unwrap_or(0);
        let bar = "█".repeat(full) + &"░".repeat(CELLS as usize - full);
        line += &format!("  {bar} {} %", done.saturating_mul(100) / total);
    }
    Line::from(line + &progress(task))
}

fn namespace(one: &hob_protocol::CacheNamespace) -> Line<'static> {
    let (hits, held) = hits_and_bytes(one);
    let rate = match (hits * 100).checked_div(hits + one.misses) {
        Some(percent) => format!(", {percent} % hit"),
        None => String::new(),
    };
    let (hits, misses) = (units::count(hits), units::count(one.misses));
    Line::from(format!("{}  {hits} hits, {misses} misses{rate}, {}", one.name, units::bytes(held)))
}

/// A path as a terminal can show it.
fn shown(path: &Text) -> String {
    path.to_string_lossy().chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use hob_protocol::{
        CacheNamespace, CacheStats, DaemonStatus, Operation, Origin, ProfileTop, WorkspaceList,
    };
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn drawn(page: &Page, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| page.draw(frame)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let lines = buffer.content.chunks(usize::from(width)).map(|cells| {
            let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned() + "\n"
        });
        lines.collect()
    }

    fn stats() -> Stats {
        let operation = |name: &str, total_us| Operation {
            name: name.to_owned(),
            count: 1_200,
            total_us,
            self_us: total_us / 2,
            p50_us: 40,
            p99_us: 3_000,
            max_us: 12_000,
        };
        let task = serde_json::json!({
            "id": 12, "kind": "index", "root": "/src/linux", "state": "running", "phase": "reading",
            "done": 39_000, "total": 78_000, "unit": "files", "rate": 2_345.0, "eta_ms": 16_000,
            "submitted_ms": 0, "waited_ms": 0, "ran_ms": 17_000, "cancellable": true,
        });
        Stats {
            daemon: DaemonStatus {
                version: "0.1.0".to_owned(),
                protocol: 2,
                pid: 4242,
                uptime_seconds: 3_700,
                memory_bytes: 89_000_000,
                connections: 3,
                descriptors: 40,
                descriptors_limit: 1024,
                socket: "/run/s".into(),
                log: None,
                workspaces: Vec::new(),
            },
            workspaces: WorkspaceList {
                workspaces: vec![WorkspaceStatus {
                    origin: Origin {
                        root: Some("/src/li\nnux".into()),
                        generation: 1,
                        freshness: hob_protocol::Freshness::Indexing,
                    },
                    files: 78_255,
                    bytes: 1_298_000_000,
                    pending: 39_255,
                    ..WorkspaceStatus::default()
                }],
            },
            tasks: vec![serde_json::from_value(task).unwrap()],
            cache: CacheStats {
                namespaces: vec![CacheNamespace {
                    name: "outline".to_owned(),
                    memory_hits: 30,
                    misses: 10,
                    ..CacheNamespace::default()
                }],
                ..CacheStats::default()
            },
            profile: Some(ProfileTop {
                operations: vec![operation("outline.parse", 14_300_000), operation("search", 900)],
                ..ProfileTop::default()
            }),
        }
    }

    #[test]
    fn the_page_shows_it_all() {
        let page = Page::new(Ok(stats()));
        expect![[r#"
            hobd 0.1.0, process 4242, up 1 h 1 min, 89 MB of memory, 3 connections

            workspaces
            /src/li?nux  78,255 files, 1.3 GB, 39,255 left to index, store 0 B

            tasks
              12  running    index   /src/linux  █████░░░░░ 50 %: reading 39,000 of 78,000 files, 2,345 a second

            cache
            outline  30 hits, 10 misses, 75 % hit, 0 B

            operation                    count   total*     self     p50     p99     max
            outline.parse                1,200   14.3 s    7.2 s   40 us  3.0 ms   12 ms
            search                       1,200   900 us   450 us   40 us  3.0 ms   12 ms



            q leave  space stop  order by: t total  s self  c count  p p99
        "#]].assert_eq(&drawn(&page, 100, 18));
        expect![[r#"
            hobd 0.1.0, process 4242, up 1 h 1 min, 89 MB

            workspaces
            /src/li?nux  78,255 files, 1.3 GB, 39,255 lef

            tasks
              12  running    index   /src/linux  █████░░░

            cache
            outline  30 hits, 10 misses, 75 % hit, 0 B

            operation                    count   total*
            outline.parse                1,200   14.3 s
            search                       1,200   900 us

            q leave  space stop  order by: t total  s sel
        "#]]
        .assert_eq(&drawn(&page, 45, 16));
        // It fits any terminal.
        for (width, height) in [(1, 1), (10, 3), (300, 100)] {
            drawn(&page, width, height);
        }
    }

    #[test]
    fn without_a_daemon_the_page_says_so() {
        let error =
            Error::new(ErrorKind::NotRunning, "no daemon runs").hint("`hob ping` starts one");
        let mut page = Page::new(Err(error));
        page.paused = true;
        expect![[r#"
            hob: no daemon runs
            hint: `hob ping` starts one

            q leave  space go on  order by: t total  s self  c count  p p99
        "#]]
        .assert_eq(&drawn(&page, 70, 4));
    }

    #[test]
    fn keys_are_understood() {
        let key = |code, modifiers| Wish::of(KeyEvent::new(code, modifiers));
        let plain = |char| key(KeyCode::Char(char), KeyModifiers::NONE);
        assert_eq!(plain('q'), Wish::Leave);
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Wish::Leave);
        assert_eq!(plain('c'), Wish::Order(ProfileOrder::Count));
        assert_eq!((plain(' '), plain('x')), (Wish::Pause, Wish::Nothing));
    }
}
