//! What can go wrong with a store, and whether it is the file's fault.

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The disk, or redb.
    #[error("{0}")]
    Redb(#[from] redb::Error),
    /// What was read is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// Whoever had asked for it needs it no more.
    #[error("it was cancelled")]
    Stopped,
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Redb(error.into())
            }
        }
    )*};
}
from_redb!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::CompactionError
);

/// Whether an error means that the file is not what was written, rather than that the disk is
/// full or the file is someone else's.
pub(crate) fn is_damage(error: &StoreError) -> bool {
    match error {
        StoreError::Damaged(_) => true,
        StoreError::Redb(redb::Error::Io(error)) => matches!(
            error.kind(),
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
        ),
        StoreError::Redb(
            redb::Error::DatabaseAlreadyOpen
            | redb::Error::DatabaseClosed
            | redb::Error::TransactionInProgress
            | redb::Error::ValueTooLarge(_)
            | redb::Error::PreviousIo,
        ) => false,
        StoreError::Redb(_) => true,
        StoreError::Stopped => false,
    }
}

/// redb asserts what it relies on: a damaged file may make it panic.
pub(super) fn guard<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(_) => Err(StoreError::Damaged("reading it has failed an assertion".into())),
    }
}
