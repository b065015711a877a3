//! An answer that comes line by line, a JSON value each, while the server works on it.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::ClientError;

/// Longest wait for the next line: no step of anything that is told so takes longer.
const SILENCE: Duration = Duration::from_secs(200);

/// Longest line taken: a step shows at most a chain of certificates.
const LINE_MAX: usize = 1 << 20;

/// The open answer.
#[derive(Debug)]
pub struct Lines<T> {
    body: Incoming,
    buffer: BytesMut,
    server: String,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    pub(super) fn new(body: Incoming, server: String) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            server,
            of: PhantomData,
        }
    }

    /// Waits for the next line; `None` after the last. Cancel safe: dropping the wait loses nothing. After an error the
    /// answer is of no more use.
    pub async fn next(&mut self) -> Option<Result<T, ClientError>> {
        loop {
            match take(&mut self.buffer) {
                Ok(Some(value)) => return Some(Ok(value)),
                Ok(None) => {}
                Err(err) => return Some(Err(err)),
            }
            let frame = match timeout(SILENCE, self.body.frame()).await {
                Err(_) => {
                    return Some(Err(ClientError::Timeout {
                        server: self.server.clone(),
                        limit: SILENCE,
                    }));
                }
                Ok(None) if self.buffer.is_empty() => return None,
                Ok(None) => {
                    return Some(Err(ClientError::protocol("the answer ended within a line")));
                }
                Ok(Some(Err(err))) => {
                    return Some(Err(ClientError::Protocol {
                        what: "the answer broke off",
                        source: Some(err.into()),
                    }));
                }
                Ok(Some(Ok(frame))) => frame,
            };
            if let Ok(data) = frame.into_data() {
                self.buffer.extend_from_slice(&data);
            }
        }
    }
}

/// Takes a line off the front, where a whole one is there.
fn take<T: DeserializeOwned>(buffer: &mut BytesMut) -> Result<Option<T>, ClientError> {
    let Some(end) = memchr::memchr(b'\n', buffer) else {
        if buffer.len() > LINE_MAX {
            return Err(ClientError::protocol("a line of the answer is too long"));
        }
        return Ok(None);
    };
    let line = buffer.split_to(end);
    buffer.advance(1);
    match serde_json::from_slice(&line) {
        Ok(value) => Ok(Some(value)),
        Err(err) => Err(ClientError::Protocol {
            what: "a line of the answer is not what was asked for",
            source: Some(err.into()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_however_they_were_cut() {
        let mut buffer = BytesMut::new();
        let mut taken: Vec<u32> = Vec::new();
        for part in ["1\n2", "2\n", "", "3", "3\n"] {
            buffer.extend_from_slice(part.as_bytes());
            while let Some(value) = take(&mut buffer).expect("numbers") {
                taken.push(value);
            }
        }
        assert_eq!(taken, [1, 22, 33]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn what_is_no_such_value_or_too_long_is_an_error() {
        let mut wrong = BytesMut::from("\"x\"\n");
        assert!(take::<u32>(&mut wrong).is_err());
        let mut long = BytesMut::from(vec![b'1'; LINE_MAX + 1].as_slice());
        assert!(take::<u32>(&mut long).is_err());
    }
}
