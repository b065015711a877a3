//! Starts programs at no moment at which the console is being stopped: a child that is stopped between its fork and its
//! exec keeps the thread that waits for it, and so the whole process, from stopping.

use std::sync::{Mutex, MutexGuard, PoisonError};

static STARTING: Mutex<()> = Mutex::new(());

/// Keeps children from being started for as long as it lives.
pub fn hold() -> MutexGuard<'static, ()> {
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a child.
pub fn start<T>(spawn: impl FnOnce() -> T) -> T {
    let _held = hold();
    spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_started_while_it_is_held() {
        let held = hold();
        let thread = std::thread::spawn(|| start(|| 7));
        assert!(STARTING.try_lock().is_err());
        drop(held);
        assert_eq!(thread.join().unwrap(), 7);
    }
}
