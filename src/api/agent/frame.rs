//! The binary form of a record, the same in the spool and on the wire.
//!
//! `u32 length of the rest | u64 seq | i64 unix µs | u8 kind | u16 step | u8 stream | payload`, little endian.

use super::{OUTPUT_MAX, Record, RecordBody};

/// Bytes before the payload, the length itself left out.
const HEAD: usize = 8 + 8 + 1 + 2 + 1;
/// Bytes of the length.
const LENGTH: usize = 4;
const OUTPUT: u8 = 1;
const EVENT: u8 = 2;

/// What a frame cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// The length is smaller than a head, or larger than any record.
    #[error("a record of {0} bytes")]
    Length(usize),
    /// A kind nobody knows.
    #[error("a record of unknown kind {0}")]
    Kind(u8),
    /// An event that is not one.
    #[error("an event that cannot be read")]
    Event,
    /// The bytes end in the middle of a record.
    #[error("the last record is not whole")]
    Torn,
}

/// Appends a record's frame to `out`.
pub fn encode(record: &Record, out: &mut Vec<u8>) {
    let (kind, step, stream, payload) = match &record.body {
        RecordBody::Output {
            step,
            stream,
            bytes,
        } => (
            OUTPUT,
            *step,
            *stream,
            std::borrow::Cow::Borrowed(&bytes[..]),
        ),
        RecordBody::Event(event) => {
            let text = serde_json::to_vec(event).expect("an event is plain data");
            (EVENT, 0, 0, std::borrow::Cow::Owned(text))
        }
    };
    let length = u32::try_from(HEAD + payload.len()).expect("a record is bounded by OUTPUT_MAX");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&record.seq.to_le_bytes());
    out.extend_from_slice(&record.micros.to_le_bytes());
    out.push(kind);
    out.extend_from_slice(&step.to_le_bytes());
    out.push(stream);
    out.extend_from_slice(&payload);
}

/// Reads the first record of `bytes` and how many bytes it takes; `None` when it is not whole yet.
///
/// # Errors
/// When the bytes cannot be the beginning of a record.
pub fn decode_one(bytes: &[u8]) -> Result<Option<(Record, usize)>, FrameError> {
    let Some(whole) = frame_length(bytes)? else {
        return Ok(None);
    };
    let Some(frame) = bytes.get(..whole) else {
        return Ok(None);
    };
    let head = &frame[LENGTH..];
    let seq = u64::from_le_bytes(head[..8].try_into().expect("eight bytes"));
    let micros = i64::from_le_bytes(head[8..16].try_into().expect("eight bytes"));
    let step = u16::from_le_bytes([head[17], head[18]]);
    let payload = &head[HEAD..];
    let body = match head[16] {
        OUTPUT => RecordBody::Output {
            step,
            stream: head[19],
            bytes: payload.to_vec(),
        },
        EVENT => RecordBody::Event(serde_json::from_slice(payload).map_err(|_| FrameError::Event)?),
        kind => return Err(FrameError::Kind(kind)),
    };
    Ok(Some((Record { seq, micros, body }, whole)))
}

/// Length of the first frame of `bytes`, its length field counted; `None` when even that is not there.
///
/// # Errors
/// When no record has that length.
pub fn frame_length(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(length) = bytes.first_chunk::<LENGTH>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*length) as usize;
    if !(HEAD..=HEAD + OUTPUT_MAX).contains(&length) {
        return Err(FrameError::Length(length));
    }
    Ok(Some(LENGTH + length))
}

/// Reads all records of a body.
///
/// # Errors
/// When the body does not hold whole records and nothing else.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<Record>, FrameError> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, length) = decode_one(bytes)?.ok_or(FrameError::Torn)?;
        records.push(record);
        bytes = &bytes[length..];
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::agent::Event;
    use crate::clock::Timestamp;

    #[test]
    fn an_event_and_output_survive_the_way() {
        let records = vec![
            Record {
                seq: 1,
                micros: 5,
                body: RecordBody::Event(Event::StepStarted {
                    step: 3,
                    at: Timestamp(9),
                }),
            },
            Record {
                seq: 2,
                micros: 6,
                body: RecordBody::Output {
                    step: 3,
                    stream: 2,
                    bytes: vec![0, 255, 10],
                },
            },
        ];
        let mut bytes = Vec::new();
        records.iter().for_each(|record| encode(record, &mut bytes));
        assert_eq!(decode(&bytes), Ok(records));
        assert_eq!(decode(&bytes[..bytes.len() - 1]), Err(FrameError::Torn));
    }

    fn record() -> impl Strategy<Value = Record> {
        let output = (
            any::<u16>(),
            1..=2_u8,
            prop::collection::vec(any::<u8>(), 0..80),
        )
            .prop_map(|(step, stream, bytes)| RecordBody::Output {
                step,
                stream,
                bytes,
            });
        // Up to the year 2100.
        let event = (any::<u16>(), 0..4_102_444_800_000_i64).prop_map(|(step, at)| {
            RecordBody::Event(Event::StepStarted {
                step,
                at: Timestamp(at),
            })
        });
        (any::<u64>(), any::<i64>(), prop_oneof![output, event])
            .prop_map(|(seq, micros, body)| Record { seq, micros, body })
    }

    fn encoded(records: &[Record]) -> Vec<u8> {
        let mut bytes = Vec::new();
        records.iter().for_each(|record| encode(record, &mut bytes));
        bytes
    }

    proptest! {
        #[test]
        fn what_was_damaged_on_the_way_is_refused_or_is_records(
            records in prop::collection::vec(record(), 0..5),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = encoded(&records);
            prop_assert_eq!(decode(&whole), Ok(records));
            let mut bytes = whole[..cut.index(whole.len() + 1)].to_vec();
            for (at, byte) in changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            if let Ok(found) = decode(&bytes) {
                prop_assert_eq!(decode(&encoded(&found)), Ok(found.clone()), "what was read is written as it is");
                let bounded = |record: &Record| match &record.body {
                    RecordBody::Output { bytes, .. } => bytes.len() <= OUTPUT_MAX,
                    RecordBody::Event(_) => true,
                };
                prop_assert!(found.iter().all(bounded), "{:?}", found);
            }
        }
    }
}
