//! Waits for a future on this thread, without a runtime.
//!
//! The futures of a [`Connection`](crate::Connection) are ready at their first poll, so that
//! this costs nothing; any other future that needs no reactor works as well.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread. Errors become [`crate::Error`], with their hint.
///
/// # Errors
///
/// What the future itself says.
pub fn block_on<T, E: Into<crate::Error>>(
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, crate::Error> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result.map_err(Into::into),
            Poll::Pending => std::thread::park(),
        }
    }
}
