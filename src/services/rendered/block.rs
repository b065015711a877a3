//! A block of lines between two marks in a text file of others. Pure: bytes in, bytes out.
//!
//! The first mark says what there was before, so that taking the block away needs nobody's memory.

use std::ops::Range;

const BEGIN: &str = "# >>> roundel:";
const BEGIN_REST: &str = " written by `roundel proxy render`, which changes and removes it";
const MADE: &str = "; the file was made for it";
const ENDED: &str = "; the line before had no end";
const END: &str = "# <<< roundel";

/// Where a block stands.
struct Span {
    /// Both marks included.
    whole: Range<usize>,
    inner: Range<usize>,
    made: bool,
    ended: bool,
}

fn find(bytes: &[u8]) -> Result<Option<Span>, &'static str> {
    let mut begun: Option<(usize, usize, &[u8])> = None;
    let mut found = None;
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if line.starts_with(BEGIN.as_bytes()) {
            if begun.is_some() || found.is_some() {
                return Err("has more than one beginning of Roundel's lines");
            }
            begun = Some((at, next, line));
        } else if line.trim_ascii() == END.as_bytes() {
            let Some((from, inner, mark)) = begun.take() else {
                return Err("has an end of Roundel's lines without a beginning");
            };
            let says = |what: &str| memchr::memmem::find(mark, what.as_bytes()).is_some();
            found = Some(Span {
                whole: from..next,
                inner: inner..at,
                made: says(MADE),
                ended: says(ENDED),
            });
        }
        at = next;
    }
    if begun.is_some() {
        return Err("has a beginning of Roundel's lines without an end");
    }
    Ok(found)
}

/// The lines between the marks.
pub(super) fn inner(bytes: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    Ok(find(bytes)?.map(|span| &bytes[span.inner]))
}

/// A file with these lines in the block, which is put at the end where there is none. `text` ends its last line.
pub(super) fn put(bytes: Option<&[u8]>, text: &str) -> Result<Vec<u8>, &'static str> {
    let old = bytes.unwrap_or_default();
    let mut new = Vec::with_capacity(old.len() + text.len() + 200);
    if let Some(span) = find(old)? {
        new.extend_from_slice(&old[..span.inner.start]);
        new.extend_from_slice(text.as_bytes());
        new.extend_from_slice(&old[span.inner.end..]);
        return Ok(new);
    }
    new.extend_from_slice(old);
    let ended = !old.is_empty() && !old.ends_with(b"\n");
    if ended {
        new.push(b'\n');
    }
    let made = if bytes.is_none() { MADE } else { "" };
    let ended = if ended { ENDED } else { "" };
    let mark = format!("{BEGIN}{BEGIN_REST}{made}{ended}\n");
    for part in [mark.as_str(), text, END, "\n"] {
        new.extend_from_slice(part.as_bytes());
    }
    Ok(new)
}

/// A file without the block; `None`: then there was no file.
pub(super) fn take(bytes: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    let Some(span) = find(bytes)? else {
        return Ok(Some(bytes.to_vec()));
    };
    let (mut before, after) = (&bytes[..span.whole.start], &bytes[span.whole.end..]);
    // Where something was added behind the block, the line before needs its end.
    if span.ended && after.is_empty() {
        before = before.strip_suffix(b"\n").unwrap_or(before);
    }
    let left = [before, after].concat();
    Ok((!span.made || !left.is_empty()).then_some(left))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: &str = "A=1\nB=\"2\"\n";

    #[test]
    fn a_block_comes_at_the_end_and_is_changed_in_place() {
        let file = put(Some(b"X=1"), LINES).unwrap();
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(text.starts_with("X=1\n# >>> roundel:"), "{text}");
        assert!(text.ends_with("\nA=1\nB=\"2\"\n# <<< roundel\n"), "{text}");
        assert_eq!(put(Some(&file), LINES).unwrap(), file);
        let more = [file, b"Y=2\n".to_vec()].concat();
        let changed = put(Some(&more), "A=3\n").unwrap();
        assert_eq!(inner(&changed).unwrap(), Some(b"A=3\n".as_slice()));
        // What was added behind it does not run into the line before.
        assert_eq!(take(&changed).unwrap().unwrap(), b"X=1\nY=2\n");
    }

    #[test]
    fn a_file_that_was_made_for_it_goes_unless_somebody_used_it() {
        let file = put(None, LINES).unwrap();
        assert_eq!(take(&file).unwrap(), None);
        let used = [file, b"Y=2\n".to_vec()].concat();
        assert_eq!(take(&used).unwrap().unwrap(), b"Y=2\n");
        let empty = put(Some(b""), LINES).unwrap();
        assert_eq!(take(&empty).unwrap().unwrap(), b"");
    }

    #[test]
    fn marks_that_do_not_pair_are_left_to_people() {
        let file = String::from_utf8(put(None, LINES).unwrap()).unwrap();
        let mark = file.lines().next().unwrap();
        for broken in [
            format!("{mark}\nA=1\n"),
            format!("A=1\n{END}\n"),
            format!("{file}{file}"),
            format!("{mark}\n{file}"),
        ] {
            assert!(put(Some(broken.as_bytes()), LINES).is_err(), "{broken}");
            assert!(take(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_file_holds_taking_the_block_away_restores_its_bytes(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(b"\n".to_vec()),
                    Just(b"\r\n".to_vec()),
                    Just(b"HTTP_PROXY=http://old:1".to_vec()),
                    Just(b"# <<< roundel of old".to_vec()),
                    prop::collection::vec(any::<u8>(), 0..12),
                ],
                0..12,
            ),
        ) {
            let file = parts.concat();
            let once = put(Some(&file), LINES).unwrap();
            prop_assert_eq!(&put(Some(&once), LINES).unwrap(), &once);
            let changed = put(Some(&once), "C=3\n").unwrap();
            prop_assert_eq!(take(&once).unwrap().unwrap(), file.clone());
            prop_assert_eq!(take(&changed).unwrap().unwrap(), file);
        }
    }
}
