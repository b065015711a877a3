//! Every run that is not over, in memory, as long lists need it: filtered, sorted, counted, cut into windows.
//!
//! Holds what lists are filtered and sorted by, and answers ids; the rows themselves are read from the store. Each
//! commit tells what it moved; the dispatcher leaves that here and never waits for a reader.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::clock::Timestamp;
use crate::error::Chain;
use crate::ids::AttemptId;
use crate::pipeline::status::RunState;
use crate::store::{HotRun, ReadPool, Window, WindowQuery};

mod board;
mod ranking;

use board::Board;

/// What a commit did to a run that is not over.
#[derive(Debug)]
pub(super) enum Move {
    /// It waits from now on.
    Waits(Box<HotRun<'static>>),
    /// It was placed on a node of this name.
    Placed(AttemptId, Box<str>, Timestamp),
    /// Its agent has begun.
    Started(AttemptId, Timestamp),
    /// It was asked to stop.
    Stopping(AttemptId),
    /// It was placed, never began, and waits again.
    Returned(AttemptId),
    /// It is over.
    Over(AttemptId),
}

/// The list of all runs that are not over.
#[derive(Debug, Default)]
pub struct Roster {
    /// What commits moved and nobody has taken in yet.
    moves: Mutex<Vec<Move>>,
    /// `None` until it was read from the store.
    board: Mutex<Option<Board>>,
    filled: Condvar,
}

impl Roster {
    /// Reads the runs that are not over. Moves that are told meanwhile are taken in afterwards: each may be told of a
    /// run that the store showed in that state already.
    pub(super) fn fill(&self, store: &ReadPool) {
        let mut board = Board::default();
        if let Err(err) = store.each_hot_run(|run| board.put(run)) {
            tracing::error!(error = %Chain(&err), "the runs that are not over could not be read for lists");
        }
        *self.board.lock().unwrap_or_else(PoisonError::into_inner) = Some(board);
        self.filled.notify_all();
    }

    /// Leaves here what a commit moved. Never waits for a reader: when one has the board, it takes the moves in itself.
    pub(super) fn tell(&self, moves: Vec<Move>) {
        if moves.is_empty() {
            return;
        }
        self.left().extend(moves);
        let mut board = match self.board.try_lock() {
            Ok(board) => board,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if let Some(board) = board.as_mut() {
            board.take(std::mem::take(&mut *self.left()));
        }
    }

    /// A window of the runs in these states (pending, running).
    pub(super) fn window(&self, states: &[RunState], query: &WindowQuery) -> Window<AttemptId> {
        self.read(|board| board.window(states, query))
    }

    /// Places in line, from 1, of those that wait.
    pub(super) fn places(&self, ids: impl Iterator<Item = AttemptId>) -> Vec<(AttemptId, u64)> {
        self.read(|board| ids.filter_map(|id| Some((id, board.place(id)?))).collect())
    }

    fn read<T>(&self, read: impl FnOnce(&mut Board) -> T) -> T {
        let mut held = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(board) = held.as_mut() {
                board.take(std::mem::take(&mut *self.left()));
                return read(board);
            }
            held = self
                .filled
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn left(&self) -> MutexGuard<'_, Vec<Move>> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A roster that a thread of its own fills, so that no start waits for it.
pub(super) fn filling(store: &ReadPool) -> Arc<Roster> {
    let roster = Arc::new(Roster::default());
    let (filled, store) = (Arc::clone(&roster), store.clone());
    std::thread::Builder::new()
        .name("roster".to_owned())
        .spawn(move || filled.fill(&store))
        .expect("a thread can be started");
    roster
}

#[cfg(test)]
mod tests;
