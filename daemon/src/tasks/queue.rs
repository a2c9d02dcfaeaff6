//! Who goes next: pure, with the time given.

use std::time::{Duration, Instant};

/// What a task uses up most, of which only so much runs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Cpu,
    Disk,
}

impl Lane {
    pub(super) const COUNT: usize = 2;
}

/// How urgent it is; the more urgent goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    /// Nobody waits for it, and nothing gets slower without it soon.
    Idle,
    /// It makes later questions faster.
    Usual,
    /// A person waits for it.
    Asked,
}

/// After so long who waits is as urgent as the next kind, so that nobody starves.
const AGE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Waiting {
    id: u64,
    lane: Lane,
    priority: Priority,
    since: Instant,
    /// It has asked for its turn. One that has not (its tree is still being looked at) keeps nobody
    /// waiting.
    asks: bool,
}

impl Waiting {
    /// How urgent it is by now. There is no limit to it.
    fn urgency(&self, now: Instant) -> u128 {
        let waited = now.saturating_duration_since(self.since);
        self.priority as u128 * AGE.as_nanos() + waited.as_nanos()
    }
}

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} tasks wait already, which is the limit (`tasks.queue`)")]
pub(crate) struct Full(pub(crate) usize);

/// Those who wait for their turn, and how many run.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Vec<Waiting>,
    most: usize,
    running: [usize; Lane::COUNT],
    at_once: [usize; Lane::COUNT],
}

impl Queue {
    /// At most so many wait, and so many run at once in each lane.
    pub(super) fn new(most: usize, at_once: [usize; Lane::COUNT]) -> Self {
        Self { waiting: Vec::new(), most, running: [0; Lane::COUNT], at_once }
    }

    /// Lines a task up. It does not count as waiting if its turn is at once.
    pub(super) fn push(
        &mut self,
        id: u64,
        lane: Lane,
        priority: Priority,
        now: Instant,
    ) -> Result<(), Full> {
        let blocked = self.running[lane as usize] >= self.at_once[lane as usize];
        if blocked && self.waiting.len() >= self.most {
            return Err(Full(self.most));
        }
        self.waiting.push(Waiting { id, lane, priority, since: now, asks: false });
        Ok(())
    }

    /// A person waits for it now.
    pub(super) fn raise(&mut self, id: u64) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.id == id) {
            waiting.priority = Priority::Asked;
        }
    }

    /// It waits no more.
    pub(super) fn leave(&mut self, id: u64) {
        self.waiting.retain(|waiting| waiting.id != id);
    }

    /// Whether it is this one's turn; then it runs, until [`Queue::done`].
    pub(super) fn take_turn(&mut self, id: u64, now: Instant) -> bool {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.id == id) else {
            return false;
        };
        self.waiting[at].asks = true;
        let lane = self.waiting[at].lane;
        let free = self.at_once[lane as usize].saturating_sub(self.running[lane as usize]);
        let mine = self.waiting[at].urgency(now);
        // Of equals the one that came first.
        let ahead = |(place, other): (usize, &Waiting)| {
            let theirs = other.urgency(now);
            let goes_first = theirs > mine || (theirs == mine && place < at);
            other.lane == lane && other.asks && goes_first
        };
        let turn = self.waiting.iter().enumerate().filter(|other| ahead(*other)).count() < free;
        if turn {
            self.waiting.remove(at);
            self.running[lane as usize] += 1;
        }
        turn
    }

    /// One that ran in a lane has ended.
    pub(super) fn done(&mut self, lane: Lane) {
        self.running[lane as usize] = self.running[lane as usize].saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Lane::{Cpu, Disk};
    use Priority::{Asked, Idle, Usual};

    /// A queue with one at a time in each lane, in which task 0 runs.
    fn busy(now: Instant) -> Queue {
        let mut queue = Queue::new(3, [1, 1]);
        queue.push(0, Cpu, Usual, now).unwrap();
        assert!(queue.take_turn(0, now));
        queue
    }

    /// Those of the given that get their turn, one after the other.
    fn order(queue: &mut Queue, ids: &[u64], now: Instant) -> Vec<u64> {
        // All ask while there is no room.
        assert!(!ids.iter().any(|id| queue.take_turn(*id, now)));
        let mut order = Vec::new();
        while order.len() < ids.len() {
            queue.done(Cpu);
            let next: Vec<u64> =
                ids.iter().copied().filter(|id| queue.take_turn(*id, now)).collect();
            assert_eq!(next.len(), 1, "one at a time");
            order.extend(next);
        }
        order
    }

    #[test]
    fn who_is_more_urgent_goes_first_and_of_equals_the_first() {
        let now = Instant::now();
        let mut queue = busy(now);
        queue.push(1, Cpu, Idle, now).unwrap();
        queue.push(2, Cpu, Usual, now).unwrap();
        queue.push(3, Cpu, Asked, now).unwrap();
        assert_eq!(order(&mut queue, &[1, 2, 3], now), [3, 2, 1]);
        queue.push(4, Cpu, Usual, now).unwrap();
        queue.push(5, Cpu, Usual, now).unwrap();
        assert_eq!(order(&mut queue, &[5, 4], now), [4, 5]);
    }

    #[test]
    fn who_does_not_ask_for_its_turn_keeps_nobody_waiting() {
        let now = Instant::now();
        let mut queue = Queue::new(3, [1, 1]);
        queue.push(1, Cpu, Asked, now).unwrap();
        queue.push(2, Cpu, Usual, now).unwrap();
        assert!(queue.take_turn(2, now));
        assert!(!queue.take_turn(1, now));
        queue.done(Cpu);
        assert!(queue.take_turn(1, now));
    }

    #[test]
    fn nobody_starves() {
        let now = Instant::now();
        let mut queue = busy(now);
        queue.push(1, Cpu, Idle, now).unwrap();
        queue.push(2, Cpu, Asked, now + 3 * AGE).unwrap();
        assert_eq!(order(&mut queue, &[1, 2], now + 3 * AGE), [1, 2]);
    }

    #[test]
    fn one_for_whom_somebody_waits_is_raised() {
        let now = Instant::now();
        let mut queue = busy(now);
        queue.push(1, Cpu, Usual, now).unwrap();
        queue.push(2, Cpu, Idle, now).unwrap();
        queue.raise(2);
        assert_eq!(order(&mut queue, &[1, 2], now), [2, 1]);
    }

    #[test]
    fn lanes_do_not_wait_for_each_other() {
        let now = Instant::now();
        let mut queue = busy(now);
        queue.push(1, Cpu, Asked, now).unwrap();
        queue.push(2, Disk, Idle, now).unwrap();
        assert!(!queue.take_turn(1, now));
        assert!(queue.take_turn(2, now));
    }

    #[test]
    fn a_full_queue_refuses_and_one_that_need_not_wait_is_let_in() {
        let now = Instant::now();
        let mut queue = busy(now);
        for id in 1..=3 {
            queue.push(id, Cpu, Usual, now).unwrap();
        }
        assert_eq!(queue.push(4, Cpu, Asked, now), Err(Full(3)));
        assert_eq!(queue.push(5, Disk, Idle, now), Ok(()));
        queue.leave(1);
        queue.leave(5);
        assert_eq!(queue.push(6, Cpu, Asked, now), Ok(()));
        assert_eq!(order(&mut queue, &[2, 3, 6], now), [6, 2, 3]);
    }
}
