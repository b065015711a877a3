//! Following: a run's log as it grows, and waiting for news of a server.
//!
//! Knows nothing of how pieces are printed. Offsets outlive a lost connection: after it, reading goes on where it was.

use std::ops::ControlFlow;
use std::time::Duration;

use roundel::api::Change;
use roundel::api::builds::{RunDetail, RunState, StepRow, StepStatus};
use roundel::client::{Client, ClientError, EventStream, StreamItem};
use tokio::time::{sleep, timeout};

use super::Failure;

/// Bytes asked for at once: the most that are answered.
const CHUNK: u64 = 1 << 20;

/// Bytes looked at in one go when the last lines are searched from the end.
const BACK: u64 = 64 * 1024;

/// How far back the last lines are searched; longer lines than that are begun in their middle.
const BACK_MAX: u64 = 16 << 20;

/// Something a run said.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    /// A step began.
    Began(&'a StepRow),
    /// It wrote; after its end, what it left running did.
    Wrote(&'a StepRow, &'a [u8]),
    /// It ended, and all that was written by then was told.
    Ended(&'a StepRow),
    /// The run is over: nothing more is written there.
    Closed(&'a StepRow),
}

/// Takes what a run said.
pub(super) trait Take {
    /// Takes one piece.
    fn take(&mut self, piece: Piece<'_>) -> Result<(), Failure>;
}

impl<F: FnMut(Piece<'_>) -> Result<(), Failure>> Take for F {
    fn take(&mut self, piece: Piece<'_>) -> Result<(), Failure> {
        self(piece)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct At {
    left_out: bool,
    began: bool,
    ended: bool,
    offset: u64,
    /// Length of its log when it was last read to the end. The offset is another where one stream is read.
    known: u64,
}

/// How far the log of one attempt was read, step by step. Several steps may write at once: one may be left running in
/// the background.
#[derive(Debug)]
pub(super) struct RunTail {
    attempt: String,
    /// `out` or `err`; both when absent.
    stream: Option<String>,
    steps: Vec<At>,
}

impl RunTail {
    pub(super) fn new(attempt: &str, stream: Option<&str>) -> Self {
        Self {
            attempt: attempt.to_owned(),
            stream: stream.map(str::to_owned),
            steps: Vec::new(),
        }
    }

    /// Tells what is new by `detail`, which may be some moments old; answers whether the run is over and all was told.
    pub(super) async fn advance(
        &mut self,
        client: &Client,
        detail: &RunDetail,
        sink: &mut impl Take,
    ) -> Result<bool, Failure> {
        let over = detail.run.state == RunState::Dead;
        for step in &detail.steps {
            let mut at = self.at(step.index);
            if at.left_out || step.status == StepStatus::Waiting {
                continue;
            }
            if step.status == StepStatus::Skipped {
                self.skip(step.index);
                continue;
            }
            if !at.began {
                sink.take(Piece::Began(step))?;
                at.began = true;
                self.set(step.index, at);
            }
            // What a step leaves running writes on after its end.
            if !at.ended || at.known < step.log_bytes {
                self.read(client, step, sink).await?;
            }
            // An agent that was killed leaves its last step running for ever.
            if !at.ended && (over || step.status != StepStatus::Running) {
                let at = At {
                    ended: true,
                    ..self.at(step.index)
                };
                self.set(step.index, at);
                sink.take(Piece::Ended(step))?;
            }
            if over {
                sink.take(Piece::Closed(step))?;
            }
        }
        Ok(over)
    }

    /// Tells what was written of a step since.
    async fn read(
        &mut self,
        client: &Client,
        step: &StepRow,
        sink: &mut impl Take,
    ) -> Result<(), Failure> {
        let index = step.index.to_string();
        let mut at = self.at(step.index);
        loop {
            let (from, to) = (at.offset, at.offset + CHUNK);
            let (bytes, length) = client
                .log_bytes(&self.attempt, &index, self.stream.as_deref(), from, to)
                .await?;
            at.offset += bytes.len() as u64;
            // Kept before it is told: a lost connection must not tell it twice.
            self.set(step.index, at);
            if !bytes.is_empty() {
                sink.take(Piece::Wrote(step, &bytes))?;
            }
            if bytes.is_empty() || at.offset >= length {
                break;
            }
        }
        at.known = step.log_bytes;
        self.set(step.index, at);
        Ok(())
    }

    /// Leaves a step out.
    pub(super) fn skip(&mut self, step: u16) {
        let at = At {
            left_out: true,
            ..At::default()
        };
        self.set(step, at);
    }

    /// Leaves out all but the last `lines` lines of what there is by now.
    pub(super) async fn skip_to_last(
        &mut self,
        client: &Client,
        detail: &RunDetail,
        lines: u64,
    ) -> Result<(), Failure> {
        let mut wanted = lines;
        for step in detail
            .steps
            .iter()
            .rev()
            .filter(|step| step.status != StepStatus::Waiting)
        {
            let mut at = self.at(step.index);
            if at.left_out {
                continue;
            }
            let name = step.index.to_string();
            let (offset, found) =
                last_lines(client, &self.attempt, &name, self.stream.as_deref(), wanted).await?;
            at.offset = offset;
            if wanted == 0 {
                // Told only if something is written there from now on.
                (at.began, at.ended, at.known) = (true, true, step.log_bytes);
            }
            self.set(step.index, at);
            wanted -= found.min(wanted);
        }
        Ok(())
    }

    fn at(&self, step: u16) -> At {
        self.steps
            .get(usize::from(step))
            .copied()
            .unwrap_or_default()
    }

    fn set(&mut self, step: u16, at: At) {
        let index = usize::from(step);
        if self.steps.len() <= index {
            self.steps.resize(index + 1, At::default());
        }
        self.steps[index] = at;
    }
}

/// Where the last `wanted` lines of a log begin, and how many there are.
pub(super) async fn last_lines(
    client: &Client,
    attempt: &str,
    step: &str,
    stream: Option<&str>,
    wanted: u64,
) -> Result<(u64, u64), Failure> {
    let (_, length) = client.log_bytes(attempt, step, stream, 0, 0).await?;
    if wanted == 0 {
        return Ok((length, 0));
    }
    let mut search = LastLines {
        end: length,
        wanted,
        found: 0,
    };
    let mut end = length;
    while end > 0 && length - end < BACK_MAX {
        let start = end.saturating_sub(BACK);
        let (bytes, _) = client.log_bytes(attempt, step, stream, start, end).await?;
        if let ControlFlow::Break(offset) = search.chunk(start, &bytes) {
            return Ok((offset, wanted));
        }
        end = start;
    }
    Ok((end, search.found + u64::from(length > 0)))
}

/// The search for line ends from the end, chunk before chunk.
struct LastLines {
    end: u64,
    wanted: u64,
    /// Line ends found, that of the last line left out.
    found: u64,
}

impl LastLines {
    fn chunk(&mut self, start: u64, bytes: &[u8]) -> ControlFlow<u64> {
        for (i, _) in bytes
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| **byte == b'\n')
        {
            let after = start + i as u64 + 1;
            if after == self.end {
                continue;
            }
            self.found += 1;
            if self.found == self.wanted {
                return ControlFlow::Break(after);
            }
        }
        ControlFlow::Continue(())
    }
}

/// News of a server: its stream, opened again when it broke, and the passing of time where there is none.
#[derive(Debug, Default)]
pub(super) struct News {
    stream: Option<EventStream>,
    last: Option<i64>,
}

impl News {
    /// The next item, or `None` once `at_most` has passed. Says [`StreamItem::Reset`] whenever something may have been
    /// missed, at the first call too.
    pub(super) async fn next(&mut self, client: &Client, at_most: Duration) -> Option<StreamItem> {
        let Some(stream) = &mut self.stream else {
            return match client.events(self.last).await {
                Ok(stream) => {
                    self.stream = Some(stream);
                    Some(StreamItem::Reset)
                }
                Err(_) => {
                    sleep(at_most).await;
                    None
                }
            };
        };
        match timeout(at_most, stream.next()).await {
            Err(_) => None,
            Ok(Some(Ok(item))) => {
                if let StreamItem::Change(Change { seq, .. }) = &item {
                    self.last = Some(*seq);
                }
                Some(item)
            }
            Ok(Some(Err(_)) | None) => {
                self.stream = None;
                None
            }
        }
    }
}

/// How long a server that went away is waited for.
const RETURN: Duration = Duration::from_secs(60);

/// Pause between two looks for it.
const RETURN_LOOK: Duration = Duration::from_millis(200);

/// Waits until a server answers again; starts none.
pub(super) async fn wait_for_return(client: &Client) -> Result<(), ClientError> {
    let begun = roundel::clock::monotonic();
    loop {
        match client.hello().await {
            Ok(_) => return Ok(()),
            Err(err) if begun.elapsed() > RETURN => return Err(err),
            Err(_) => sleep(RETURN_LOOK).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches a whole log in chunks of `size`.
    fn search(text: &str, wanted: u64, size: usize) -> (u64, u64) {
        let length = text.len();
        let mut search = LastLines {
            end: length as u64,
            wanted,
            found: 0,
        };
        let mut end = length;
        while end > 0 {
            let start = end.saturating_sub(size);
            if let ControlFlow::Break(offset) =
                search.chunk(start as u64, &text.as_bytes()[start..end])
            {
                return (offset, wanted);
            }
            end = start;
        }
        (0, search.found + u64::from(length > 0))
    }

    #[test]
    fn the_last_lines_are_found_across_chunks() {
        let cases = [
            ("a\nbb\nccc\n", 1, (5, 1)),
            ("a\nbb\nccc\n", 2, (2, 2)),
            ("a\nbb\nccc\n", 3, (0, 3)),
            ("a\nbb\nccc\n", 9, (0, 3)),
            ("a\nbb\nccc", 1, (5, 1)),
            ("a\nbb\nccc", 2, (2, 2)),
            ("\n\n\n", 2, (1, 2)),
            ("", 2, (0, 0)),
        ];
        for (text, wanted, expected) in cases {
            for size in 1..=text.len().max(1) {
                assert_eq!(
                    search(text, wanted, size),
                    expected,
                    "{text:?} {wanted} by {size}"
                );
            }
        }
    }
}
