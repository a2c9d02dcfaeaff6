use super::*;
use std::sync::mpsc;

const LIMITS: Limits = Limits { queue: 2, cpu: 1, disk: 1, deadline: None, history: 3 };
/// A test that waits this long has failed.
const TOO_LONG: Duration = Duration::from_secs(20);

fn spec(work: Work) -> Spec {
    Spec::new(work, Path::new("/tree"))
}

fn asked(work: Work) -> Spec {
    spec(work).priority(Priority::Asked)
}

fn tasks() -> Tasks {
    Tasks::new(None, LIMITS)
}

fn never() -> bool {
    false
}

#[test]
fn a_task_tells_how_far_it_is_and_then_how_it_ended() {
    let tasks = tasks();
    let waiting = tasks.submit(asked(Work::Index)).unwrap();
    let id = waiting.id();
    assert_eq!(tasks.get(id).unwrap().state, TaskState::Queued);
    let running = waiting.turn(&never).unwrap();
    running.phase("reading", Some(10));
    running.advance(4);
    let task = tasks.get(id).unwrap();
    assert_eq!((task.state, task.done, task.total), (TaskState::Running, 4, Some(10)));
    assert_eq!(
        (task.kind.as_str(), task.unit.as_str(), task.phase.as_str()),
        ("index", "files", "reading")
    );
    assert!(task.rate > 0.0 && task.eta_ms.is_some() && task.cancellable);
    running.finish(Outcome::Done);
    let task = tasks.get(id).unwrap();
    assert_eq!((task.state, task.eta_ms, task.reason), (TaskState::Done, None, None));
}

#[test]
fn one_at_a_time_has_its_turn_in_a_lane() {
    let tasks = tasks();
    let first = tasks.submit(spec(Work::Index)).unwrap().turn(&never).unwrap();
    let second = tasks.submit(spec(Work::Index)).unwrap();
    let other = tasks.submit(spec(Work::Merge)).unwrap().turn(&never).unwrap();
    let (sender, began) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let running = second.turn(&never);
        sender.send(()).unwrap();
        drop(running);
    });
    assert!(began.try_recv().is_err());
    drop(first);
    began.recv_timeout(TOO_LONG).unwrap();
    thread.join().unwrap();
    drop(other);
}

#[test]
fn a_full_queue_is_an_error_and_no_wait() {
    let tasks = tasks();
    let running = tasks.submit(spec(Work::Index)).unwrap().turn(&never).unwrap();
    let _waiting: Vec<Waiting> = (0..2).map(|_| tasks.submit(spec(Work::Index)).unwrap()).collect();
    assert_eq!(tasks.submit(asked(Work::Index)).err(), Some(Full(2)));
    drop(running);
}

#[test]
fn who_waits_and_who_runs_is_cancelled_and_a_look_at_a_tree_is_not() {
    let tasks = tasks();
    let running = tasks.submit(spec(Work::Index)).unwrap().turn(&never).unwrap();
    let waiting = tasks.submit(spec(Work::Index)).unwrap();
    let (first, second) = (running.id(), waiting.id());
    tasks.cancel(second).unwrap();
    assert!(waiting.turn(&never).is_none());
    assert_eq!(tasks.get(second).unwrap().state, TaskState::Cancelled);
    tasks.cancel(first).unwrap();
    assert!(running.is_cancelled());
    drop(running);
    assert_eq!(tasks.cancel(first), Err(NotCancelled::Ended(TaskState::Cancelled)));
    assert_eq!(tasks.cancel(99), Err(NotCancelled::Unknown));
    let look = tasks.note(spec(Work::Scan));
    assert_eq!(tasks.cancel(look.id()), Err(NotCancelled::Needed));
}

#[test]
fn who_needs_it_no_more_leaves_the_queue() {
    let tasks = tasks();
    let _running = tasks.submit(spec(Work::Index)).unwrap().turn(&never).unwrap();
    assert!(tasks.submit(spec(Work::Index)).unwrap().turn(&|| true).is_none());
    assert_eq!(tasks.list().len(), 2);
}

#[test]
fn a_panic_is_that_tasks_failure() {
    let tasks = tasks();
    let outcome: Result<(), NotDone<String>> =
        tasks.run(spec(Work::Merge), &never, |_| panic!("on purpose"));
    assert_eq!(outcome, Err(NotDone::Panicked));
    let failed: Result<(), _> = tasks.run(spec(Work::Merge), &never, |_| Err("no room".to_owned()));
    assert_eq!(failed, Err(NotDone::Failed("no room".to_owned())));
    assert_eq!(tasks.run(spec(Work::Merge), &never, |_| Ok::<_, String>(7)), Ok(7));
    let reasons: Vec<_> = tasks.list().into_iter().map(|task| task.reason.unwrap()).collect();
    assert_eq!(reasons, ["no room", PANICKED]);
}

#[test]
fn what_takes_too_long_fails() {
    let tasks = Tasks::new(None, Limits { deadline: Some(Duration::from_millis(10)), ..LIMITS });
    // What queries wait for has no deadline of its own.
    let scan = tasks.note(spec(Work::Scan));
    let running = tasks.submit(spec(Work::Merge)).unwrap().turn(&never).unwrap();
    let id = running.id();
    let until = Instant::now() + TOO_LONG;
    while !running.is_cancelled() {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    drop(running);
    let task = tasks.get(id).unwrap();
    assert_eq!(task.state, TaskState::Failed);
    assert!(task.reason.unwrap().contains("deadline"));
    assert!(!scan.is_cancelled());
}

#[test]
fn what_was_quick_is_kept_only_if_it_was_asked_for() {
    let tasks = tasks();
    drop(tasks.note(spec(Work::Save)));
    tasks.note(spec(Work::Save)).finish(Outcome::Done);
    let common = tasks.note(spec(Work::Scan).priority(Priority::Idle));
    std::thread::sleep(NOT_WORTH_KEEPING);
    common.finish(Outcome::Done);
    let waiting = tasks.submit(spec(Work::Index)).unwrap();
    let id = waiting.id();
    tasks.raise(id);
    waiting.turn(&never).unwrap().finish(Outcome::Done);
    let kept: Vec<(u64, TaskState)> =
        tasks.list().into_iter().map(|task| (task.id, task.state)).collect();
    assert_eq!(kept, [(id, TaskState::Done), (1, TaskState::Cancelled)]);
}

#[test]
fn the_history_is_there_after_a_restart_and_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tasks.redb");
    let tasks = Tasks::new(Some(path.clone()), LIMITS);
    for _ in 0..5 {
        tasks.submit(asked(Work::Index)).unwrap().turn(&never).unwrap().finish(Outcome::Done);
    }
    let begun = tasks.submit(asked(Work::Index)).unwrap().turn(&never).unwrap();
    tasks.close();
    drop(begun);
    let tasks = Tasks::new(Some(path), LIMITS);
    let known: Vec<(u64, TaskState)> =
        tasks.list().into_iter().map(|task| (task.id, task.state)).collect();
    assert_eq!(known, [(6, TaskState::Failed), (5, TaskState::Done), (4, TaskState::Done)]);
    assert!(tasks.get(6).unwrap().reason.unwrap().contains("the daemon ended"));
    assert_eq!(tasks.submit(spec(Work::Index)).unwrap().id(), 7);
}

#[test]
fn one_that_took_long_is_remembered_when_it_ends() {
    let tasks = Tasks::new(None, Limits { history: 1, ..LIMITS });
    let long = tasks.submit(asked(Work::Index)).unwrap().turn(&never).unwrap();
    let id = long.id();
    tasks.submit(asked(Work::Merge)).unwrap().turn(&never).unwrap().finish(Outcome::Done);
    long.finish(Outcome::Done);
    assert_eq!(tasks.get(id).map(|task| task.state), Some(TaskState::Done));
}

#[test]
fn the_time_that_is_left_is_that_of_the_parts_that_follow_too() {
    let tasks = tasks();
    let running = tasks.submit(asked(Work::Index)).unwrap().turn(&never).unwrap();
    running.phase_before("reading", Some(10), 10);
    let began = Instant::now();
    running.advance(5);
    while began.elapsed() < Duration::from_millis(3) {
        std::hint::spin_loop();
    }
    let gone = began.elapsed().as_millis() as u64;
    // Three times as many are left as are done.
    assert!(tasks.get(running.id()).unwrap().eta_ms >= Some(3 * gone));
}

#[test]
fn a_history_that_cannot_be_written_is_written_later() {
    let dir = tempfile::tempdir().unwrap();
    let blocked = dir.path().join("blocked");
    std::fs::write(&blocked, "a file, where a directory is to be").unwrap();
    let path = blocked.join("tasks.redb");
    let tasks = Tasks::new(Some(path.clone()), LIMITS);
    tasks.submit(asked(Work::Index)).unwrap().turn(&never).unwrap().finish(Outcome::Done);
    let until = Instant::now() + TOO_LONG;
    while tasks.0.lock().rest.is_none() {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    std::fs::remove_file(&blocked).unwrap();
    tasks.close();
    assert_eq!(Tasks::new(Some(path), LIMITS).list().len(), 1);
}

#[test]
fn who_follows_hears_of_each_step() {
    let tasks = tasks();
    let mut news = tasks.news();
    let waiting = tasks.submit(asked(Work::Index)).unwrap();
    let id = waiting.id();
    assert!(news.has_changed().unwrap());
    news.mark_unchanged();
    let running = waiting.turn(&never).unwrap();
    assert!(news.has_changed().unwrap());
    news.mark_unchanged();
    std::thread::spawn(move || running.finish(Outcome::Done));
    let until = Instant::now() + TOO_LONG;
    while !news.has_changed().unwrap() {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    assert_eq!(tasks.get(id).unwrap().state, TaskState::Done);
}
