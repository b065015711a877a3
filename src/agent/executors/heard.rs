//! When a step was last heard: what its silence is measured by.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::clock;

/// How long output that came while the agent itself was held up may take to be read.
const MOMENT: Duration = Duration::from_millis(200);

/// When a step was last heard.
#[derive(Debug)]
pub(super) struct Heard {
    at: Cell<Instant>,
    /// Readers that are taking in what it said.
    taking: Cell<u32>,
}

impl Heard {
    /// One that begins now.
    pub(super) fn new() -> Self {
        Self {
            at: Cell::new(clock::monotonic()),
            taking: Cell::default(),
        }
    }

    /// It is heard now.
    pub(super) fn now(&self) {
        self.at.set(clock::monotonic());
    }

    /// Takes in what it said: a step that is held back meanwhile, by a full disk say, is not silent.
    pub(super) async fn taking(&self, work: impl Future<Output = ()>) {
        self.taking.set(self.taking.get() + 1);
        work.await;
        self.taking.set(self.taking.get() - 1);
        self.now();
    }

    /// How long it has been silent.
    pub(super) fn quiet(&self) -> Duration {
        match self.taking.get() {
            0 => self.at.get().elapsed(),
            _ => Duration::ZERO,
        }
    }

    /// Resolves once it has been silent for so long.
    pub(super) async fn silent(&self, limit: Option<Duration>) {
        let Some(limit) = limit else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(limit.saturating_sub(self.quiet())).await;
            if self.quiet() < limit {
                continue;
            }
            // An agent that was stopped, or its machine, has yet to read what was said in that time.
            tokio::time::sleep(MOMENT).await;
            if self.quiet() >= limit {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Option<Duration> = Some(Duration::from_millis(30));
    const LONGER: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn a_step_is_silent_once_it_says_nothing_and_not_while_it_is_taken_in() {
        let heard = Heard::new();
        heard.silent(LIMIT).await;
        assert!(heard.quiet() >= LIMIT.unwrap());
        let held_back = heard.taking(tokio::time::sleep(LONGER));
        tokio::select! {
            biased;
            () = held_back => {}
            () = heard.silent(LIMIT) => panic!("it is held back, and not silent"),
        }
        assert!(heard.quiet() < LONGER);
    }

    #[tokio::test]
    async fn what_was_said_while_the_agent_was_stopped_is_heard_first() {
        let heard = Heard::new();
        std::thread::sleep(LONGER);
        let said_meanwhile = async {
            tokio::task::yield_now().await;
            heard.now();
            std::future::pending::<()>().await;
        };
        let begun = clock::monotonic();
        tokio::select! {
            () = heard.silent(Some(LONGER)) => {}
            () = said_meanwhile => {}
        }
        assert!(begun.elapsed() >= LONGER, "{:?}", begun.elapsed());
    }
}
