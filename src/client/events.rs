//! The stream of changes: server-sent events as typed items.
//!
//! Knows the names of the items and nothing of what they are for.

use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use tokio::time::timeout_at;

use super::error::ClientError;
use crate::api::session::StreamEnd;
use crate::api::{Change, LogAdvanced, Summary};
use crate::clock;

/// Silence after which the stream counts as dead: the server sends at least a comment each five seconds.
const SILENCE: Duration = Duration::from_secs(15);

/// Longest line taken. A change names at most some hundred ids.
const LINE_MAX: usize = 1 << 20;

/// An item of the stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// Something changed: read it anew.
    Change(Change),
    /// The hot counters.
    Summary(Summary),
    /// A log grew.
    Log(LogAdvanced),
    /// The position asked for is gone, or too much was missed: read everything anew.
    Reset,
    /// Whoever reads may not go on, and why; nothing comes after it.
    Ended(String),
}

/// The open stream.
#[derive(Debug)]
pub struct EventStream {
    body: Incoming,
    parser: Parser,
    heard: Instant,
    server: String,
}

impl EventStream {
    pub(super) fn new(body: Incoming, server: String) -> Self {
        Self {
            body,
            parser: Parser::default(),
            heard: clock::monotonic(),
            server,
        }
    }

    /// Waits for the next item; `None` when the server ended the stream. Cancel safe: dropping the wait loses nothing.
    /// After an error the stream is of no more use.
    pub async fn next(&mut self) -> Option<Result<StreamItem, ClientError>> {
        loop {
            match self.parser.next() {
                Ok(Some(item)) => return Some(Ok(item)),
                Ok(None) => {}
                Err(err) => return Some(Err(err)),
            }
            // Counted from the last byte, not from this call: who asks often must notice a dead stream too.
            let frame = match timeout_at((self.heard + SILENCE).into(), self.body.frame()).await {
                Err(_) => {
                    return Some(Err(ClientError::Timeout {
                        server: self.server.clone(),
                        limit: SILENCE,
                    }));
                }
                Ok(None) => return None,
                Ok(Some(Err(err))) => {
                    return Some(Err(ClientError::Protocol {
                        what: "the stream broke",
                        source: Some(err.into()),
                    }));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            self.heard = clock::monotonic();
            if let Ok(data) = frame.into_data() {
                self.parser.push(&data);
            }
        }
    }
}

/// Cuts bytes, however they were chunked, into items.
#[derive(Debug, Default)]
struct Parser {
    buffer: BytesMut,
    /// Where to look on for the end of the line, so that a long one is not searched again with each chunk.
    searched: usize,
    name: String,
    data: String,
}

impl Parser {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    fn next(&mut self) -> Result<Option<StreamItem>, ClientError> {
        while let Some(end) = self.buffer[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n')
        {
            let line = self.buffer.split_to(self.searched + end);
            self.buffer.advance(1);
            self.searched = 0;
            let line = std::str::from_utf8(&line)
                .map_err(|_| ClientError::protocol("the stream is not text"))?
                .trim_end_matches('\r');
            if line.is_empty() {
                let (name, data) = (
                    std::mem::take(&mut self.name),
                    std::mem::take(&mut self.data),
                );
                if let Some(item) = item(&name, &data)? {
                    return Ok(Some(item));
                }
                continue;
            }
            // A line that starts with a colon is a comment; its field is empty.
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut self.name),
                "data" => {
                    if !self.data.is_empty() {
                        self.data.push('\n');
                    }
                    self.data.push_str(value);
                }
                _ => {}
            }
            if self.data.len() > LINE_MAX {
                return Err(ClientError::protocol("an item of the stream is too long"));
            }
        }
        self.searched = self.buffer.len();
        if self.buffer.len() > LINE_MAX {
            return Err(ClientError::protocol("a line of the stream is too long"));
        }
        Ok(None)
    }
}

/// What an item says; `None` for names that a newer server may send.
fn item(name: &str, data: &str) -> Result<Option<StreamItem>, ClientError> {
    fn read<T: DeserializeOwned>(data: &str) -> Result<T, ClientError> {
        serde_json::from_str(data).map_err(|err| ClientError::Protocol {
            what: "an item of the stream is not what this version knows",
            source: Some(err.into()),
        })
    }
    Ok(match name {
        "change" => Some(StreamItem::Change(read(data)?)),
        "summary" => Some(StreamItem::Summary(read(data)?)),
        "log" => Some(StreamItem::Log(read(data)?)),
        "reset" => Some(StreamItem::Reset),
        "end" => Some(StreamItem::Ended(read::<StreamEnd>(data)?.reason)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Topic;

    const STREAM: &str = concat!(
        ": alive\n\n",
        "event: change\nid: 7\ndata: {\"seq\":7,\"topic\":\"runs\",\"ids\":[\"ä\"]}\n\n",
        "event: something_newer\ndata: 1\n\n",
        "event: log\r\ndata: {\"attempt\":\"a\",\r\ndata: \"step\":2,\"bytes\":10}\r\n\r\n",
        "event: reset\ndata: null\n\n",
        "event: end\ndata: {\"reason\":\"gone\"}\n\n",
        "event: change\ndata: {\"unfinished",
    );

    fn read(chunks: impl Iterator<Item = Vec<u8>>) -> Vec<StreamItem> {
        let mut parser = Parser::default();
        let mut items = Vec::new();
        for chunk in chunks {
            parser.push(&chunk);
            while let Some(item) = parser.next().unwrap() {
                items.push(item);
            }
        }
        items
    }

    #[test]
    fn items_are_the_same_however_the_bytes_are_cut() {
        let whole = read(std::iter::once(STREAM.as_bytes().to_vec()));
        let change = Change {
            seq: 7,
            topic: Topic::Runs,
            ids: vec!["ä".to_owned()],
        };
        let log = LogAdvanced {
            attempt: "a".to_owned(),
            step: 2,
            bytes: 10,
        };
        assert_eq!(
            whole,
            [
                StreamItem::Change(change),
                StreamItem::Log(log),
                StreamItem::Reset,
                StreamItem::Ended("gone".to_owned())
            ]
        );
        for size in 1..STREAM.len() {
            assert_eq!(
                read(STREAM.as_bytes().chunks(size).map(<[u8]>::to_vec)),
                whole,
                "chunks of {size}"
            );
        }
    }

    #[test]
    fn what_is_no_stream_of_ours_is_an_error_and_not_a_growing_buffer() {
        let mut parser = Parser::default();
        parser.push(b"event: change\ndata: {}\n\n");
        assert!(parser.next().is_err());
        let mut parser = Parser::default();
        parser.push(&vec![b'x'; LINE_MAX + 1]);
        assert!(parser.next().is_err());
    }
}
