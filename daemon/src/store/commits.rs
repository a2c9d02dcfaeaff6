//! What past commits say and touched, by their hashes.

use super::tables::{COMMITS, begin, commit};
use super::{Store, StoreError};
use hob_index::context::history::Commit;
use std::sync::PoisonError;

impl Store {
    /// What is known of a commit. One that is damaged is not known.
    pub(crate) fn commit(&self, id: &[u8]) -> Result<Option<Commit>, StoreError> {
        self.checked(|| {
            let found = self.reader().commits.get(id)?;
            Ok(found.and_then(|bytes| Commit::decode(bytes.value(), id)))
        })
    }

    /// Adds what is known of commits.
    pub(crate) fn add_commits(&self, commits: &[(Vec<u8>, Commit)]) -> Result<(), StoreError> {
        self.checked(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            let write = begin(&db)?;
            {
                let mut table = write.open_table(COMMITS)?;
                for (id, one) in commits {
                    table.insert(id.as_slice(), one.encode(id).as_slice())?;
                }
            }
            commit(write)?;
            self.reopen_reader(&db)
        })
    }
}
