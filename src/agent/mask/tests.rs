//! What may never be seen, in any piece of any encoding; and what must stay as it is.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

fn mask(values: &[&str]) -> Mask {
    let secrets: Vec<Secret> = values
        .iter()
        .map(|value| Secret::new((*value).to_owned()))
        .collect();
    Mask::new(&secrets).unwrap()
}

/// What comes of a text that arrives in pieces of these sizes, over and over.
fn through(mask: &Mask, text: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut stream = mask.stream();
    let (mut clean, mut rest) = (Vec::new(), text);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, more) = rest.split_at((*size).min(rest.len()));
        clean.extend(mask.feed(&mut stream, piece));
        rest = more;
    }
    clean.extend(mask.finish(&mut stream));
    clean
}

fn shown(values: &[&str], text: &str) -> String {
    let mask = mask(values);
    let whole = through(&mask, text.as_bytes(), &[usize::MAX]);
    assert_eq!(whole, through(&mask, text.as_bytes(), &[1]), "{text}");
    String::from_utf8(whole).unwrap()
}

const SECRET: &str = "q9Zr4mW2xT7vB1nK8sLd5hJ3fG6pY0cQeUiOaXwE";

#[test]
fn a_secret_is_stars_and_what_is_around_it_stays() {
    assert_eq!(shown(&["hunter22"], "a hunter22 b\n"), "a **** b\n");
    assert_eq!(shown(&["hunter22"], "hunter22hunter22"), "****");
    assert_eq!(shown(&["hunter22"], "hunter2 hunter\n"), "hunter2 hunter\n");
    assert_eq!(shown(&["hunter22"], "HUNTER22"), "HUNTER22");
}

#[test]
fn secrets_that_hold_or_overlap_one_another_leave_nothing() {
    assert_eq!(shown(&["abcd", "abcdef"], "abcdefg abcdg"), "****g ****g");
    assert_eq!(shown(&["abcd", "cdef"], "xabcdefx"), "x****x");
    assert_eq!(shown(&["bcde", "abcdefgh"], "abcdefgx"), "a****fgx");
}

#[test]
fn lines_that_were_broken_inside_of_a_long_form_are_hidden_line_by_line() {
    let encoded = STANDARD.encode(format!("user:{SECRET}"));
    let (first, last) = encoded.split_at(20);
    let text = shown(&[SECRET], &format!("x {first}\r\n{last}\n"));
    assert_eq!(text, format!("x {}****\r\n****\n", &encoded[..7]));
    // A short one is not looked for over line breaks: columns of numbers stay.
    assert_eq!(shown(&["1234"], "1\n2\n3\n4\n1234\n"), "1\n2\n3\n4\n****\n");
}

#[test]
fn several_lines_are_hidden_each() {
    let key = "-----BEGIN KEY-----\nabcdefgh\nxy\n-----END KEY-----\n";
    assert_eq!(shown(&[key], key), "****\n****\n****\n****\n");
    assert_eq!(shown(&[key], "a abcdefgh b xy\n"), "a **** b xy\n");
}

#[test]
fn what_may_be_a_beginning_is_held_and_let_go_as_soon_as_it_is_not() {
    let mask = mask(&["hunter22"]);
    let mut stream = mask.stream();
    assert_eq!(mask.feed(&mut stream, b"so hunt"), b"so ");
    assert!(!stream.waits());
    assert_eq!(stream.pause(), b"");
    assert_eq!(mask.feed(&mut stream, b"ing hu"), b"hunting ");
    assert!(stream.waits());
    // Shown after a pause; but when it goes on as the secret, the rest of that is hidden.
    assert_eq!(stream.pause(), b"hu");
    assert_eq!(mask.feed(&mut stream, b"nter22!"), b"****!");
    // The end of a line is shown at once, also after a secret.
    assert_eq!(mask.feed(&mut stream, b" hunter22\n"), b" ****\n");
    assert_eq!(mask.feed(&mut stream, b"eh\n"), b"eh\n");
}

#[test]
fn a_secret_that_was_broken_off_is_hidden_as_far_as_it_goes() {
    assert_eq!(shown(&[SECRET], &SECRET[..30]), "****");
    assert_eq!(shown(&[SECRET], &SECRET[..5]), &SECRET[..5]);
}

#[test]
fn endless_line_breaks_are_not_kept_for_ever() {
    let mask = mask(&[SECRET]);
    let mut stream = mask.stream();
    let mut shown = mask.feed(&mut stream, &SECRET.as_bytes()[..20]).len();
    for _ in 0..100 {
        shown += mask.feed(&mut stream, &[b'\n'; 10_000]).len();
        assert!(stream.held.len() <= HELD_MAX);
    }
    assert!(shown > 500_000);
    let clean = mask.feed(&mut stream, &SECRET.as_bytes()[20..]);
    assert_eq!(clean.trim_ascii(), b"****");
}

#[test]
fn many_large_secrets_are_found_too() {
    let keys: Vec<String> = (0..20)
        .map(|n| format!("{n:04}-{}", SECRET.repeat(40)))
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mask = mask(&keys);
    assert!(matches!(mask.automaton, Machine::Small(_)));
    let text = format!("<{}>", keys.join(","));
    let clean = through(&mask, text.as_bytes(), &[1000]);
    assert_eq!(clean, format!("<{}>", ["****"; 20].join(",")).as_bytes());
}

/// A text as programs would write it.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let url = |text: &str| -> String {
        let one = |byte: u8| match byte {
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(one).collect()
    };
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let json = serde_json::to_string(text).unwrap();
    [
        text.to_owned(),
        STANDARD.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        hex.to_uppercase(),
        hex,
        url(text),
        json,
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// Whether any long part of the secret is in the text, in any of the encodings.
fn leaks(text: &[u8], secret: &str, before: usize) -> bool {
    let finds = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    let middle = &secret[2..secret.len() - 2];
    // The digits of base64 that are the secret's alone.
    let shifted = [STANDARD, URL_SAFE_NO_PAD].map(|engine| {
        let text = format!("{}{secret}", "#".repeat(before));
        let encoded = engine.encode(&text).trim_end_matches('=').to_owned();
        encoded[8 * (before + 2) / 6 + 1..8 * (text.len() - 2) / 6].to_owned()
    });
    finds(middle.as_bytes())
        || shifted.iter().any(|part| finds(part.as_bytes()))
        || encodings(middle)[3..].iter().any(|part| finds(part))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_secret_is_seen_however_it_is_written_and_cut(
        secret in "[a-zA-Z0-9+/=_ \"\\\\<&%$'-]{2}[a-zA-Z0-9+/_-]{14,36}",
        noise in "[ -~\n]{0,40}",
        before in 0usize..3,
        sizes in proptest::collection::vec(1usize..30, 1..6),
    ) {
        prop_assume!(secret.trim().len() == secret.len());
        let mask = mask(&[&secret]);
        for mut text in encodings(&format!("{}{secret}{}", "#".repeat(before), &noise.replace('\n', ""))) {
            text.extend_from_slice(noise.as_bytes());
            prop_assert!(leaks(&text, &secret, before), "the test finds what is there");
            let clean = through(&mask, &text, &sizes);
            prop_assert!(!leaks(&clean, &secret, before), "{}", String::from_utf8_lossy(&clean));
        }
    }

    #[test]
    fn what_holds_no_secret_stays_byte_by_byte(
        text in proptest::collection::vec(any::<u8>(), 0..300),
        sizes in proptest::collection::vec(1usize..50, 1..6),
    ) {
        let mask = mask(&[SECRET, "another secret\nof two lines"]);
        prop_assert_eq!(through(&mask, &text, &sizes), text);
    }

    /// Bytes of the secrets themselves, in an order that seldom makes one whole.
    #[test]
    fn pieces_do_not_change_what_comes_out(
        text in "[ab\n]{0,200}",
        sizes in proptest::collection::vec(1usize..20, 1..6),
    ) {
        let mask = mask(&["abba", "babab", "aaaaaaaaaaaaaaab"]);
        let whole = through(&mask, text.as_bytes(), &[usize::MAX]);
        prop_assert_eq!(&through(&mask, text.as_bytes(), &sizes), &whole);
        for secret in ["abba", "babab"] {
            prop_assert!(memchr::memmem::find(&whole, secret.as_bytes()).is_none());
        }
        let breaks = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(breaks(&whole), breaks(text.as_bytes()));
    }
}
