//! A build as a stream of JSON objects, one per line, each with its `event`.

use std::collections::HashMap;
use std::io;

use roundel::api::builds::{PipelineDetail, PipelineRef, RunRow};
use serde_json::{Value, json};

use super::report::{Broken, Report};
use crate::cli::context::Context;
use crate::cli::follow::Piece;
use crate::cli::{End, Failure};

pub(super) struct Json<'a, 'b> {
    context: &'a mut Context<'b>,
    /// Bytes at the end of what a step wrote so far that are the beginning of a character, by attempt and step.
    partial: HashMap<(String, u16), Vec<u8>>,
}

impl<'a, 'b> Json<'a, 'b> {
    pub(super) fn new(context: &'a mut Context<'b>) -> Self {
        Self {
            context,
            partial: HashMap::new(),
        }
    }

    fn print(&mut self, value: &Value) -> Result<(), Failure> {
        serde_json::to_writer(&mut *self.context.out, value).map_err(io::Error::from)?;
        writeln!(self.context.out)?;
        Ok(())
    }
}

impl Report for Json<'_, '_> {
    fn created(&mut self, created: &PipelineRef) -> Result<(), Failure> {
        self.print(&json!({ "event": "created", "created": created }))
    }

    fn started(&mut self, pipeline: &PipelineDetail) -> Result<(), Failure> {
        self.print(&json!({ "event": "started", "pipeline": pipeline }))
    }

    fn running(&mut self, _: usize) {}

    fn waits(&mut self, run: &RunRow) -> Result<(), Failure> {
        self.print(&json!({ "event": "run_waits", "run": run }))
    }

    fn began(&mut self, run: &RunRow) -> Result<(), Failure> {
        self.print(&json!({ "event": "run_began", "run": run }))
    }

    fn piece(&mut self, run: &RunRow, piece: Piece<'_>) -> Result<(), Failure> {
        let attempt = &run.attempt;
        match piece {
            Piece::Began(step) => {
                self.print(&json!({ "event": "step_began", "attempt": attempt, "step": step }))
            }
            Piece::Wrote(step, bytes) => {
                let mut held = self
                    .partial
                    .remove(&(attempt.clone(), step.index))
                    .unwrap_or_default();
                held.extend_from_slice(bytes);
                let rest = held.split_off(whole(&held));
                if !rest.is_empty() {
                    self.partial.insert((attempt.clone(), step.index), rest);
                }
                let text = String::from_utf8_lossy(&held);
                self.print(&json!({ "event": "log", "attempt": attempt, "step": step.index, "text": text }))
            }
            Piece::Ended(step) => {
                self.print(&json!({ "event": "step_ended", "attempt": attempt, "step": step }))
            }
            Piece::Closed(_) => Ok(()),
        }
    }

    fn ended(&mut self, run: &RunRow) -> Result<(), Failure> {
        self.print(&json!({ "event": "run_ended", "run": run }))
    }

    fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.print(&json!({ "event": "note", "text": text }))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.context.out.flush()?)
    }

    fn finished(
        &mut self,
        pipeline: &PipelineDetail,
        _: &[Broken],
        end: End,
    ) -> Result<(), Failure> {
        self.print(&json!({ "event": "finished", "exit_code": end.code(), "pipeline": pipeline }))
    }
}

/// Length of the bytes without an unfinished character at their end.
fn whole(bytes: &[u8]) -> usize {
    let mut from = 0;
    loop {
        match std::str::from_utf8(&bytes[from..]) {
            Ok(_) => return bytes.len(),
            Err(err) => match err.error_len() {
                Some(bad) => from += err.valid_up_to() + bad,
                None => return from + err.valid_up_to(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_never_cut() {
        let text = "aä漢".as_bytes();
        assert_eq!(
            (1..=text.len())
                .map(|n| whole(&text[..n]))
                .collect::<Vec<_>>(),
            [1, 1, 3, 3, 3, 6]
        );
        assert_eq!(whole(b"\xff\xffa\xc3"), 3);
    }
}
