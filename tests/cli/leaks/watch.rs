//! Somebody who looks all the time at what every account of a machine can see of its processes, and at the environments of
//! servers and agents.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::search::command_lines;
use crate::support::until;

pub struct Watch {
    end: Arc<AtomicBool>,
    looks: Arc<AtomicUsize>,
    seen: JoinHandle<Seen>,
}

/// What was seen; each once.
#[derive(Default)]
pub struct Seen {
    pub command_lines: BTreeSet<Vec<u8>>,
    pub environments: BTreeSet<Vec<u8>>,
}

impl Watch {
    pub fn start() -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let looks = Arc::new(AtomicUsize::new(0));
        let (theirs, counted) = (end.clone(), looks.clone());
        let seen = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !theirs.load(Ordering::Relaxed) {
                look(&mut seen);
                counted.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        });
        Self { end, looks, seen }
    }

    /// Waits until it has looked once more at all that is there now: the look under way may have passed it by.
    pub fn look_again(&self) {
        let before = self.looks.load(Ordering::Relaxed);
        until("it is looked at", || {
            self.looks.load(Ordering::Relaxed) >= before + 2
        });
    }

    pub fn end(self) -> Seen {
        self.end.store(true, Ordering::Relaxed);
        self.seen.join().unwrap()
    }
}

fn look(seen: &mut Seen) {
    for path in command_lines() {
        // It may have ended.
        let Ok(line) = fs::read(&path) else { continue };
        let mut words = line.split(|byte| *byte == 0);
        let program = words.next().unwrap_or_default();
        if program == env!("CARGO_BIN_EXE_roundel").as_bytes()
            && matches!(words.next(), Some(b"serve" | b"agent"))
        {
            let environment = path.with_file_name("environ");
            // An agent's can be read by root alone.
            seen.environments.extend(fs::read(environment));
        }
        seen.command_lines.insert(line);
    }
}
