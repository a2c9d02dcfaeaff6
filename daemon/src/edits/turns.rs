//! Turns: made, taken back, and brought to an end where somebody was interrupted.
//!
//! A turn is one step for whoever looks: its files, the branch and the journal go together. The order
//! makes it so: written down, files ready, `applying`, files, branch, `done`. Up to `applying` it is as if
//! nothing had been; from there on the next start completes it.

use super::beneath::Root;
use super::journal::{Change, Draft, Journal, Kept, Stage, Turn};
use super::point;
use super::swap::{Failed as SwapFailed, State, Swap, look};
use crate::git::work::{Attribution, Commits, Refusal, Retreat, Side, Work};
use crate::io_text;
use crate::profile::leaf;
use hob_index::edits::{Kind, Refused, shown};
use std::collections::HashMap;
use std::io;

/// Why a turn is not made, or not taken back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// A file is another one than was expected, or may not be changed.
    #[error("{}", .1.message)]
    Refused(Vec<u8>, Refused),
    /// A file cannot be written, or the journal.
    #[error("{0}")]
    Io(String),
    /// The same, and files are half-changed until the next one brings it to an end.
    #[error("{0}")]
    Half(String),
    /// Git does not go along.
    #[error(transparent)]
    Git(#[from] Refusal),
    /// A hook says no, with what it printed.
    #[error("{0}")]
    Hook(String),
    /// To take a turn back would lose what was done later.
    #[error("{0}")]
    LaterWork(String),
}

impl From<SwapFailed> for Failed {
    fn from(failed: SwapFailed) -> Self {
        match failed {
            SwapFailed::Refused(path, refused) => Self::Refused(path, refused),
            SwapFailed::Io(what) => Self::Io(what),
            SwapFailed::Half(what) => Self::Half(what),
        }
    }
}

fn unwritten(error: io::Error) -> Failed {
    Failed::Io(format!("the turn cannot be written down: {}", io_text(&error)))
}

/// The turns of a root, and nobody else changes them.
pub(crate) struct Turns<'a> {
    pub(crate) root: &'a Root,
    pub(crate) journal: Journal,
    /// Where they are committed.
    pub(crate) git: Option<Work>,
    pub(crate) attribution: Attribution,
}

/// A turn that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) number: u64,
    pub(crate) commits: Option<Commits>,
    /// What did not go as it should, for people.
    pub(crate) notes: Vec<String>,
}

/// A turn that was taken back.
#[derive(Debug)]
pub(crate) struct TakenBack {
    pub(crate) retreat: Option<Retreat>,
    pub(crate) notes: Vec<String>,
}

/// Looks at files after they have changed and before they are committed: the message to commit with, or
/// why not.
pub(crate) type Hooks<'a> = dyn Fn(&Work, &str) -> Result<String, Failed> + 'a;

impl Turns<'_> {
    /// Makes a turn. Without hooks its commit is there before its files change.
    pub(crate) fn make(
        &self,
        (message, time): (&str, u64),
        changes: &[Change],
        hooks: Option<&Hooks<'_>>,
    ) -> Result<Made, Failed> {
        let sides = sides(changes);
        let git = self.git.as_ref().filter(|_| !sides.is_empty());
        let commits = match git.filter(|_| hooks.is_none()) {
            Some(git) => leaf("edits.objects", || git.commits(&sides, message, self.attribution))?,
            None => None,
        };
        let mut made: Vec<Vec<u8>> = Vec::new();
        for change in changes.iter().filter(|change| change.after.is_some()) {
            made.extend(self.root.missing(&change.path));
        }
        made.sort_by_key(|dir| std::cmp::Reverse(dir.len()));
        made.dedup();
        let draft = Draft { message, time, changes, made, commits: commits.as_ref() };
        let number = leaf("edits.journal", || self.journal.write(self.root.path(), &draft));
        let number = number.map_err(unwritten)?;
        point("written down");
        let ready = leaf("edits.beside", || self.ready(number, changes));
        let mut swap = match ready {
            Ok(swap) => swap,
            Err(failed) => return Err(self.unmade(number, Stage::Writing, &draft.made, failed)),
        };
        let outcome = self.journal.move_on(number, Stage::Writing, Stage::Applying);
        point("applying");
        if let Err(error) = outcome {
            swap.clear();
            return Err(self.unmade(number, Stage::Writing, &draft.made, unwritten(error)));
        }
        if let Err(failed) = leaf("edits.swap", || swap.make()) {
            swap.clear();
            return Err(self.unmade(number, Stage::Applying, &draft.made, failed.into()));
        }
        point("changed");
        let outcome = leaf("edits.commit", || match (git, hooks) {
            (Some(git), Some(hooks)) => self.commit_with(git, hooks, number, &draft),
            (Some(git), None) => advance(git, commits.as_ref(), &sides),
            (None, _) => Ok((None, Vec::new())),
        });
        point("committed");
        match outcome {
            Ok((commits, mut notes)) => {
                // Nobody looks for what stands beside the files of a turn that is done.
                notes.extend(swap.clear());
                if let Err(error) = self.journal.move_on(number, Stage::Applying, Stage::Done) {
                    notes.push(format!("the journal is behind: {}", io_text(&error)));
                }
                point("done");
                Ok(Made { number, commits, notes })
            }
            Err(failed) => {
                if hooks.is_some() {
                    swap.accept();
                }
                let hooked = swap.hooked();
                let failed = swap.taken_back_for(failed);
                swap.clear();
                Err(match hooked {
                    Some(changes) => self.remembered(number, &draft, &changes, failed),
                    None => self.unmade(number, Stage::Applying, &draft.made, failed),
                })
            }
        }
    }

    fn ready<'c>(&self, number: u64, changes: &'c [Change]) -> Result<Swap<'c>, Failed> {
        let key = (self.journal.key.as_str(), number);
        let swap = Swap::prepare(self.root, key, changes, 0..)?;
        match swap.check() {
            Ok(()) => Ok(swap),
            Err(failed) => {
                swap.clear();
                Err(failed.into())
            }
        }
    }

    /// Forgets a turn of which nothing is left but what the journal has.
    fn unmade(&self, number: u64, stage: Stage, made: &[Vec<u8>], failed: Failed) -> Failed {
        if matches!(failed, Failed::Half(_)) {
            // The next one goes on from here.
            return failed;
        }
        made.iter().for_each(|dir| self.root.remove_empty(dir));
        let forgotten = match stage {
            Stage::Writing => Ok(()),
            stage => self.journal.move_on(number, stage, Stage::Writing),
        };
        if let Err(error) = forgotten.and_then(|()| self.journal.forget(number)) {
            tracing::warn!(number, %error, "a turn that was not made stays in the journal");
        }
        failed
    }

    /// Keeps what hooks, or somebody meanwhile, have made of the files of a turn that is taken back.
    fn remembered(
        &self,
        number: u64,
        draft: &Draft<'_>,
        changes: &[Change],
        failed: Failed,
    ) -> Failed {
        if matches!(failed, Failed::Half(_)) {
            return failed;
        }
        let Draft { message, time, .. } = *draft;
        let draft = Draft { message, time, changes, made: Vec::new(), commits: None };
        let kept = self.journal.turn(number, Stage::Applying);
        let kept = kept.and_then(|turn| self.journal.rewrite(&turn, &draft));
        let kept = kept.and_then(|()| self.journal.move_on(number, Stage::Applying, Stage::Undone));
        match (kept, failed) {
            (Ok(()), Failed::Hook(what)) => Failed::Hook(format!(
                "{what}\n(the files as they were by then: `hob diff --turn {number}`)"
            )),
            (_, failed) => failed,
        }
    }

    /// Stages, has the hooks look, and commits what the files are then: a hook may have formatted them.
    fn commit_with(
        &self,
        git: &Work,
        hooks: &Hooks<'_>,
        number: u64,
        draft: &Draft<'_>,
    ) -> Result<(Option<Commits>, Vec<String>), Failed> {
        let staged = git.stage_after(&sides(draft.changes))?;
        let unstage = |failed: Failed| {
            if let Err(error) = git.restage(&staged) {
                tracing::warn!(%error, "what was staged for hooks stays staged");
            }
            failed
        };
        let message = hooks(git, draft.message).map_err(unstage)?;
        let mut changes = draft.changes.to_vec();
        for change in changes.iter_mut().filter(|change| change.after.is_some()) {
            let held = self.root.read(&change.path);
            let held = held.map_err(|refused| Failed::Refused(change.path.clone(), refused));
            change.after = held.map_err(unstage)?.map(Kept::from);
        }
        let sides = sides(&changes);
        let commits = git.commits(&sides, &message, self.attribution);
        let commits = commits.map_err(Failed::from).map_err(unstage)?;
        let turn = self.journal.turn(number, Stage::Applying).map_err(unwritten);
        let draft = Draft {
            message: &message,
            time: draft.time,
            changes: &changes,
            made: draft.made.clone(),
            commits: commits.as_ref(),
        };
        let written = turn.and_then(|turn| self.journal.rewrite(&turn, &draft).map_err(unwritten));
        written.map_err(unstage)?;
        advance(git, commits.as_ref(), &sides).map_err(unstage)
    }

    /// Tells whether turns can be taken back, the last one first, without losing what was done later.
    pub(crate) fn check(&self, turns: &[Turn]) -> Result<(), Failed> {
        // What files would hold by then.
        let mut held: HashMap<Vec<u8>, Option<Vec<u8>>> = HashMap::new();
        for turn in turns {
            let changes = self.changes(turn)?;
            for change in &changes {
                let now = match held.remove(&change.path) {
                    Some(now) => now,
                    None => self.now(change)?.ok_or_else(|| later(turn.number, &change.path))?,
                };
                let after = change.after.as_ref().map(|kept| &kept.bytes);
                if now.as_ref() != after {
                    return Err(later(turn.number, &change.path));
                }
                let before = change.before.as_ref().map(|kept| kept.bytes.clone());
                held.insert(change.path.clone(), before);
            }
            if turn.head.commits().is_none() {
                continue;
            }
            let Some(git) = &self.git else {
                let message = "its commit cannot be taken back, as there is no repository any more";
                return Err(Refusal { message: message.into(), hint: "see `hob diff`" }.into());
            };
            if let Some(what) = git.under_way() {
                let hint = "finish it first, or give it up";
                return Err(Refusal { message: format!("{what} is under way"), hint }.into());
            }
            if let Some((path, _)) = git.staged(&sides(&changes), |side| side.after)?.first() {
                let (number, name) = (turn.number, shown(path));
                return Err(Failed::LaterWork(format!(
                    "turn {number} is not taken back, as something else of `{name}` is staged: \
                     `git restore --staged` or commit it first"
                )));
            }
        }
        Ok(())
    }

    /// Whether somebody else has taken a turn back: the files are as they were before, and what is checked
    /// out does not have its commit.
    pub(crate) fn is_undone(&self, turn: &Turn) -> Result<bool, Failed> {
        for change in self.changes(turn)? {
            let now = self.now(&change)?;
            let before = change.before.map(|kept| kept.bytes);
            if now.as_ref() != Some(&before) || before == change.after.map(|kept| kept.bytes) {
                return Ok(false);
            }
        }
        match (&self.git, turn.head.commits()) {
            (Some(git), Some(commits)) => Ok(!git.has(&commits)?),
            _ => Ok(true),
        }
    }

    /// What the file of a change holds; none where it is something that the change has never made.
    fn now(&self, change: &Change) -> Result<Option<Option<Vec<u8>>>, Failed> {
        let sides = [&change.before, &change.after].into_iter().flatten();
        let most = sides.map(|kept| kept.bytes.len()).max().unwrap_or(0) as u64 + 1;
        let place = match self.root.place(&change.path, &mut None) {
            Ok(Some(place)) => place,
            Ok(None) => return Ok(Some(None)),
            Err(_) => return Ok(None),
        };
        match place.read(most) {
            Ok(held) => Ok(Some(held.map(|held| held.bytes))),
            Err(error) if error.raw_os_error().is_some() => {
                let name = shown(&change.path);
                Err(Failed::Io(format!("`{name}` cannot be read: {}", io_text(&error))))
            }
            Err(_) => Ok(None),
        }
    }

    fn changes(&self, turn: &Turn) -> Result<Vec<Change>, Failed> {
        self.journal.changes(turn).map_err(|error| unread(turn.number, &error))
    }

    /// Takes a turn back.
    pub(crate) fn take_back(&self, turn: &Turn) -> Result<TakenBack, Failed> {
        let number = turn.number;
        let changes: Vec<Change> = self.changes(turn)?.into_iter().map(reversed).collect();
        self.journal.move_on(number, Stage::Done, Stage::Preparing).map_err(unwritten)?;
        point("preparing");
        let stay = |stage: Stage, failed: Failed| {
            if matches!(failed, Failed::Half(_)) {
                return failed;
            }
            if let Err(error) = self.journal.move_on(number, stage, Stage::Done) {
                tracing::warn!(number, %error, "the journal is behind");
            }
            failed
        };
        let swap = self.ready(number, &changes).map_err(|failed| match failed {
            Failed::Refused(path, refused) if refused.kind == Kind::Conflict => {
                later(number, &path)
            }
            failed => failed,
        });
        let mut swap = swap.map_err(|failed| stay(Stage::Preparing, failed))?;
        if let Err(error) = self.journal.move_on(number, Stage::Preparing, Stage::Undoing) {
            swap.clear();
            return Err(stay(Stage::Preparing, unwritten(error)));
        }
        point("undoing");
        if let Err(failed) = swap.make() {
            swap.clear();
            return Err(stay(Stage::Undoing, failed.into()));
        }
        point("changed back");
        let mut outcome = match self.retreat(turn, &changes) {
            Ok(outcome) => outcome,
            Err(failed) => {
                let failed = swap.taken_back_for(failed);
                swap.clear();
                return Err(stay(Stage::Undoing, failed));
            }
        };
        point("retreated");
        outcome.notes.extend(swap.clear());
        turn.head.made().for_each(|dir| self.root.remove_empty(dir));
        self.undone(turn);
        point("undone");
        Ok(outcome)
    }

    fn undone(&self, turn: &Turn) {
        if let Err(error) = self.journal.move_on(turn.number, Stage::Undoing, Stage::Undone) {
            tracing::warn!(number = turn.number, %error, "the journal is behind");
        }
    }

    /// Has git take a turn back, whose files are as they were before. `changes` lead there.
    fn retreat(&self, turn: &Turn, changes: &[Change]) -> Result<TakenBack, Failed> {
        let (git, commits) = match (&self.git, turn.head.commits()) {
            (Some(git), Some(commits)) => (git, commits),
            (None, Some(_)) => {
                let message = "the repository cannot be read".to_owned();
                return Err(Refusal { message, hint: "see what `git status` says" }.into());
            }
            _ => return Ok(TakenBack { retreat: None, notes: Vec::new() }),
        };
        let forwards: Vec<Change> = changes.iter().cloned().map(reversed).collect();
        let subject = turn.head.message.lines().next().unwrap_or_default();
        let (retreat, staged) =
            git.retreat(&commits, &sides(&forwards), subject, self.attribution)?;
        let notes = staged.err().map(unstaged).into_iter().collect();
        Ok(TakenBack { retreat: Some(retreat), notes })
    }

    /// Brings turns to an end that somebody was interrupted in: completes them, or takes them back.
    pub(crate) fn recover(&self) -> Result<(), Failed> {
        let numbers = self.journal.numbers().map_err(unwritten)?;
        for (number, stage) in numbers {
            if stage.is_settled() {
                continue;
            }
            match self.journal.turn(number, stage) {
                Ok(turn) => match self.bring_to_end(&turn) {
                    // It can be had neither way. Later turns are not to wait for it.
                    // Somebody is at it: the next one tries again.
                    Err(Failed::Refused(_, refused)) if refused.kind == Kind::Conflict => {
                        tracing::warn!(number, why = refused.message, "a turn stays interrupted");
                    }
                    Err(Failed::Refused(path, refused)) => {
                        let (path, why) = (shown(&path), refused.message);
                        tracing::warn!(
                            number,
                            path,
                            why,
                            "a turn that was interrupted is set aside"
                        );
                        self.journal.set_aside(number, stage).map_err(unwritten)?;
                    }
                    outcome => outcome?,
                },
                // It was not written to its end, so nothing was done.
                Err(_) if stage == Stage::Writing => {
                    self.journal.forget(number).map_err(unwritten)?;
                }
                // Nobody can tell what it was. Later turns are not to wait for it.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    tracing::warn!(
                        number,
                        "a turn that was interrupted is damaged: it is set aside"
                    );
                    self.journal.set_aside(number, stage).map_err(unwritten)?;
                }
                Err(error) => return Err(unread(number, &error)),
            }
        }
        Ok(())
    }

    fn bring_to_end(&self, turn: &Turn) -> Result<(), Failed> {
        let (number, stage) = (turn.number, turn.stage);
        let changes = match self.journal.changes(turn) {
            Err(_) if stage == Stage::Writing => {
                return self.journal.forget(number).map_err(unwritten);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::warn!(number, "a turn that was interrupted is damaged: it is set aside");
                return self.journal.set_aside(number, stage).map_err(unwritten);
            }
            changes => changes.map_err(|error| unread(number, &error))?,
        };
        let is_undo = matches!(stage, Stage::Preparing | Stage::Undoing);
        let changes: Vec<Change> =
            if is_undo { changes.into_iter().map(reversed).collect() } else { changes };
        let states = look(self.root, (&self.journal.key, number), &changes)?;
        let has_begun = states.contains(&State::New);
        let remove_made = || turn.head.made().for_each(|dir| self.root.remove_empty(dir));
        tracing::info!(number, ?stage, "a turn was interrupted");
        match stage {
            Stage::Writing => {
                remove_made();
                return self.journal.forget(number).map_err(unwritten);
            }
            Stage::Preparing => {
                return self.journal.move_on(number, stage, Stage::Done).map_err(unwritten);
            }
            _ => {}
        }
        // What nobody has seen yet is as if it had not begun. And where somebody has gone on with a file,
        // it can be had as a whole no more, so the others go back.
        if !has_begun || states.contains(&State::Old) && states.contains(&State::Other) {
            self.only(number, &changes, &states, State::New)?;
            if is_undo {
                return self.journal.move_on(number, stage, Stage::Done).map_err(unwritten);
            }
            remove_made();
            return self.journal.move_on(number, stage, Stage::Undone).map_err(unwritten);
        }
        self.only(number, &changes, &states, State::Old)?;
        if is_undo {
            let TakenBack { notes, .. } = self.retreat(turn, &changes)?;
            notes.iter().for_each(|note| tracing::warn!(number, "{note}"));
            self.undone(turn);
            remove_made();
            return Ok(());
        }
        if let Some((git, commits)) = self.git.as_ref().zip(turn.head.commits()) {
            // Where another commit was made meanwhile, the files stay uncommitted.
            match advance(git, Some(&commits), &sides(&changes)) {
                Ok((_, notes)) => notes.iter().for_each(|note| tracing::warn!(number, "{note}")),
                Err(error) => tracing::warn!(number, %error, "a turn is not committed"),
            }
        }
        self.journal.move_on(number, stage, Stage::Done).map_err(unwritten)
    }

    /// Changes the files that are in one state to what they are to be in the other.
    fn only(
        &self,
        number: u64,
        changes: &[Change],
        states: &[State],
        which: State,
    ) -> Result<(), Failed> {
        let meant =
            || changes.iter().zip(states).enumerate().filter(|(_, (_, state))| **state == which);
        // What stands beside a file is called by its number in the whole turn.
        let numbers: Vec<usize> = meant().map(|(at, _)| at).collect();
        let meant = meant().map(|(_, (change, _))| match which {
            State::New => reversed(change.clone()),
            _ => change.clone(),
        });
        let meant: Vec<Change> = meant.collect();
        let key = (self.journal.key.as_str(), number);
        let mut swap = Swap::prepare(self.root, key, &meant, numbers.into_iter())?;
        let outcome = swap.make();
        swap.clear();
        Ok(outcome?)
    }
}

fn advance(
    git: &Work,
    commits: Option<&Commits>,
    sides: &[Side<'_>],
) -> Result<(Option<Commits>, Vec<String>), Failed> {
    let Some(commits) = commits else { return Ok((None, Vec::new())) };
    let staged = git.advance(commits, sides)?;
    Ok((Some(commits.clone()), staged.err().map(unstaged).into_iter().collect()))
}

fn unstaged(refusal: Refusal) -> String {
    format!("the index is behind: {refusal}: `git reset` brings it up to date")
}

fn unread(number: u64, error: &io::Error) -> Failed {
    Failed::Io(format!("turn {number} cannot be read: {}", io_text(error)))
}

fn later(number: u64, path: &[u8]) -> Failed {
    let name = shown(path);
    Failed::LaterWork(format!(
        "turn {number} is not taken back, as `{name}` is not as it has left it, and that would be lost: \
         `hob diff --turn {number} | git apply -R` takes back what still fits"
    ))
}

/// The way back.
fn reversed(change: Change) -> Change {
    Change { before: change.after, after: change.before, ..change }
}

/// Changes as git sees them, of the files that it keeps.
pub(super) fn sides(changes: &[Change]) -> Vec<Side<'_>> {
    fn side(change: &Change) -> Side<'_> {
        let Change { path, before, after, .. } = change;
        let (before, after) = (before.as_ref().map(Kept::side), after.as_ref().map(Kept::side));
        Side { path, before, after }
    }
    changes.iter().filter(|change| change.is_committed).map(side).collect()
}
