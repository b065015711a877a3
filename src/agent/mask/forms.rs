//! The forms in which a value shows up in output: as it is, and as programs write it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::is_break;
use crate::secret::CHARS_MIN;

/// What says nothing of a secret, and stands in many a line: CircleCI does not mask it either.
const WORDS: [&str; 4] = ["true", "false", "True", "False"];

/// All forms of a value: of the whole, and of each line that is long enough by itself. Line breaks are left out of them, as
/// they are of the output that is searched.
pub(super) fn forms(value: &str) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let whole = value.trim();
    // The only line of a value is the whole of it.
    let lines = whole.lines().map(str::trim).filter(|line| *line != whole);
    for text in std::iter::once(whole).chain(lines) {
        if text.chars().count() >= CHARS_MIN && !WORDS.contains(&text) {
            of_text(text, &mut found);
        }
    }
    // Seen with and without what stands around it: base64 and the like of all there is.
    if value.len() != whole.len() && !found.is_empty() {
        of_text(value, &mut found);
    }
    found
}

fn of_text(text: &str, found: &mut BTreeSet<Vec<u8>>) {
    let mut add = |form: String| {
        let form: Vec<u8> = form
            .into_bytes()
            .into_iter()
            .filter(|byte| !is_break(*byte))
            .collect();
        if form.len() >= CHARS_MIN {
            found.insert(form);
        }
    };
    add(text.to_owned());
    // As a shell shows what it runs (`set -x`), what it has (`export`, `declare -p`), and what it could read again (`printf %q`).
    add(text.replace('\'', r"'\''"));
    add(escaped(text, |c| matches!(c, '\\' | '"' | '$' | '`')));
    add(escaped(text, |c| {
        c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_+=:./%@".contains(c)
    }));
    // As Python shows a text that has a quotation mark of either kind.
    add(escaped(text, |c| matches!(c, '\\' | '\'')));
    base64(text.as_bytes(), &mut add);
    add(text.bytes().map(|byte| format!("{byte:02x}")).collect());
    add(text.bytes().map(|byte| format!("{byte:02X}")).collect());
    for kept in URL_KEPT {
        for upper in [true, false] {
            let form = url(text, kept, upper);
            if text.contains(' ') {
                add(form.replace("%20", "+"));
            }
            add(form);
        }
    }
    json(text, &mut add);
}

/// With a backslash before each of these.
fn escaped(text: &str, of: impl Fn(char) -> bool) -> String {
    let mut form = String::new();
    for c in text.chars() {
        if of(c) {
            form.push('\\');
        }
        form.push(c);
    }
    form
}

/// Base64 of a text that may stand anywhere in what was encoded: as the first, second or third byte of a group. Digits
/// that its neighbours have a part in are left out.
fn base64(bytes: &[u8], add: &mut impl FnMut(String)) {
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        let own = (8 * before).div_ceil(6)..8 * padded.len() / 6;
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            add(engine.encode(&padded)[own.clone()].to_owned());
        }
    }
}

/// What is not escaped in a URL besides letters and digits: by the standard, by JavaScript's `encodeURIComponent`, by
/// Python's `quote`, by what escapes a path or query as a whole, and by forms.
const URL_KEPT: [&[u8]; 5] = [
    b"-_.~",
    b"-_.~!*'()",
    b"-_.~/",
    b"-_.~!*'();,/?:@&=+$#",
    b"-_.*",
];

fn url(text: &str, kept: &[u8], upper: bool) -> String {
    let mut form = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            form.push(char::from(byte));
        } else if upper {
            form.push_str(&format!("%{byte:02X}"));
        } else {
            form.push_str(&format!("%{byte:02x}"));
        }
    }
    form
}

/// The inside of a JSON string: plain, in ASCII alone, and with the escapes that make it safe inside of a web page.
fn json(text: &str, add: &mut impl FnMut(String)) {
    let quoted = serde_json::Value::from(text).to_string();
    let plain = quoted[1..quoted.len() - 1].to_owned();
    let mut units = [0; 2];
    let mut ascii = |of: fn(char) -> bool| -> String {
        plain
            .chars()
            .map(|c| match of(c) {
                true => (c.encode_utf16(&mut units).iter())
                    .map(|unit| format!("\\u{unit:04x}"))
                    .collect(),
                false => c.to_string(),
            })
            .collect()
    };
    let only = ascii(|c| !c.is_ascii());
    let page = ascii(|c| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'));
    for form in [only, page, plain.replace('/', "\\/"), plain] {
        add(form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, form: &str) -> bool {
        forms(value).contains(form.as_bytes())
    }

    #[test]
    fn a_value_is_known_as_programs_write_it() {
        let value = "pä\"s/s wörd&";
        for form in [
            value,
            "70c3a4",
            "p%C3%A4%22s%2Fs%20w%C3%B6rd%26",
            "p%c3%a4%22s%2fs+w%c3%b6rd%26",
            "p%C3%A4%22s/s%20w%C3%B6rd%26",
            "p%C3%A4%22s/s%20w%C3%B6rd&",
            "pä\\\"s/s wörd&",
            "pä\\\"s\\/s wörd&",
            "p\\u00e4\\\"s/s w\\u00f6rd&",
            "pä\\\"s/s wörd\\u0026",
        ] {
            assert_eq!(has(value, form), form != "70c3a4", "{form}");
        }
        assert!(has("it's me", r"it'\''s me"));
        assert!(has(r#"a$Ecret`9%&x"\"#, r#"a\$Ecret\`9%&x\"\\"#));
        assert!(has("a$Ec,ret`9%&x (y)", r"a\$Ec\,ret\`9%\&x\ \(y\)"));
        assert!(has(r#"it's "me""#, r#"it\'s "me""#));
        assert!(has("abcd", "61626364"));
    }

    #[test]
    fn base64_is_known_wherever_the_value_stands_in_it() {
        let value = "tok>en?with~all";
        for before in 0..4 {
            for after in 0..4 {
                let text = format!("{}{value}{}", "#".repeat(before), "#".repeat(after));
                let encoded = STANDARD_NO_PAD.encode(text);
                let known = forms(value);
                let found = known
                    .iter()
                    .filter(|form| encoded.contains(std::str::from_utf8(form).unwrap()))
                    .map(Vec::len)
                    .max();
                // All but the digits at either end that hold bits of the neighbours.
                assert!(
                    found.unwrap() >= 8 * value.len() / 6 - 1,
                    "{before} {after}"
                );
            }
        }
    }

    #[test]
    fn lines_are_known_each_and_short_ones_only_in_the_whole() {
        let value = "-----BEGIN\n  abcdefgh\nxy\n-----END\n";
        assert!(has(value, "abcdefgh") && has(value, "-----BEGIN"));
        assert!(has(value, "-----BEGIN  abcdefghxy-----END"));
        assert!(has(value, "-----BEGIN\\n  abcdefgh\\nxy\\n-----END"));
        assert!(!has(value, "xy"));
        assert!(forms("true").is_empty() && forms("False\n").is_empty());
    }
}
