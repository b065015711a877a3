//! Looks at the bytes of a directory before the LDAP library gets them: whole messages, not too long, not too deep.
//!
//! The library takes any length that a message claims, and goes as deep as it is nested. What is said here holds for any
//! bytes. Of BER only what LDAP uses is known (RFC 4511 §5.1): short tags, definite lengths.

/// Longest message, in bytes: some attributes of one entry, or a group's name.
const MESSAGE_MAX: usize = 1 << 20;

/// Deepest nesting. The deepest that is asked for, an attribute of an entry, is at 6.
const DEPTH_MAX: usize = 16;

/// Most bytes of a length.
const LENGTH_BYTES_MAX: usize = 4;

const SEQUENCE: u8 = 0x30;
const CONSTRUCTED: u8 = 0x20;
const LONG_TAG: u8 = 0x1f;

/// Why bytes are no message, as the end of a sentence.
pub(super) type Fault = &'static str;

/// Length of the message that some bytes begin with; `None` when there have to be more of them.
pub(super) fn message(bytes: &[u8]) -> Result<Option<usize>, Fault> {
    if bytes.first().is_some_and(|tag| *tag != SEQUENCE) {
        return Err("what answers speaks no LDAP");
    }
    let Some((head, length)) = head(bytes)? else {
        return Ok(None);
    };
    if length > MESSAGE_MAX {
        return Err("a message is longer than 1 MB");
    }
    match bytes.get(head..head + length) {
        Some(content) => shape(content, 1).map(|()| Some(head + length)),
        None => Ok(None),
    }
}

/// The first element: its tag, its content, and what comes after it.
pub(super) fn split(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Fault> {
    const CUT: Fault = "an element is cut off";
    let (head, length) = head(bytes)?.ok_or(CUT)?;
    let end = head.checked_add(length).ok_or(CUT)?;
    let content = bytes.get(head..end).ok_or(CUT)?;
    Ok((bytes[0], content, &bytes[end..]))
}

fn shape(mut bytes: &[u8], depth: usize) -> Result<(), Fault> {
    if depth > DEPTH_MAX {
        return Err("a message is nested too deep");
    }
    while !bytes.is_empty() {
        let (tag, content, rest) = split(bytes)?;
        if tag & CONSTRUCTED != 0 {
            shape(content, depth + 1)?;
        }
        bytes = rest;
    }
    Ok(())
}

/// Bytes of tag and length, and the length that they say; `None` when some are not there yet.
fn head(bytes: &[u8]) -> Result<Option<(usize, usize)>, Fault> {
    let (Some(tag), Some(first)) = (bytes.first(), bytes.get(1)) else {
        return Ok(None);
    };
    if tag & LONG_TAG == LONG_TAG {
        return Err("an element has a tag that LDAP does not know");
    }
    if first & 0x80 == 0 {
        return Ok(Some((2, usize::from(*first))));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > LENGTH_BYTES_MAX {
        return Err("an element has a length that LDAP does not know");
    }
    Ok(bytes.get(2..2 + count).map(|digits| {
        let length = digits
            .iter()
            .fold(0, |length, digit| length << 8 | usize::from(*digit));
        (2 + count, length)
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_waited_for_and_then_known() {
        let bind = [0x30, 0x0c, 2, 1, 1, 0x61, 7, 10, 1, 0, 4, 0, 4, 0];
        for cut in 0..bind.len() {
            assert_eq!(message(&bind[..cut]), Ok(None), "{cut}");
        }
        assert_eq!(message(&bind), Ok(Some(bind.len())));
        let two = [bind, bind].concat();
        assert_eq!(message(&two), Ok(Some(bind.len())));
        let long = [&[0x30, 0x82, 0, 12], &bind[2..]].concat();
        assert_eq!(message(&long), Ok(Some(long.len())));
    }

    #[test]
    fn what_is_no_message_is_refused_at_once() {
        let cases: [&[u8]; 7] = [
            b"HTTP/1.1 400 Bad Request",
            &[0x15, 3, 1, 0, 2],
            &[0x30, 0x80],
            &[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff],
            &[0x30, 0x88, 1, 1, 1, 1, 1, 1, 1, 1],
            &[0x30, 2, 4, 9],
            &[0x30, 2, 0x1f, 0],
        ];
        for bytes in cases {
            assert!(message(bytes).is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let mut nested = Vec::new();
        for _ in 0..20 {
            let length = u8::try_from(nested.len()).unwrap();
            nested.splice(0..0, [0x30, length]);
        }
        assert!(message(&nested).is_err());
        assert!(message(&nested[2 * 6..]).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_none(bytes in prop::collection::vec(any::<u8>(), 0..64), like in any::<bool>()) {
            let bytes = if like { [&[0x30, 0x10][..], &bytes].concat() } else { bytes };
            if let Ok(Some(length)) = message(&bytes) {
                prop_assert!(length <= bytes.len());
                prop_assert_eq!(message(&bytes[..length]), Ok(Some(length)));
            }
        }
    }
}
