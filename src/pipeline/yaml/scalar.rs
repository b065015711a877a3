//! Scalars: source text, and what YAML 1.1 takes it for.
//!
//! Reference: <https://yaml.org/type/>, as SnakeYAML applies it: `y` and `n` are strings. Nothing is converted before
//! a reader asks for a type, so `3.10` stays `3.10` where text is wanted.

/// A scalar as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scalar {
    /// The text, with quotes, escapes and folding undone.
    pub text: String,
    /// Written without quotes and without a tag: only then can it be anything but a string.
    pub plain: bool,
}

impl Scalar {
    /// Whether it is null: empty, `~` or `null`.
    pub(crate) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The boolean, if it is one.
    pub(crate) fn boolean(&self) -> Option<bool> {
        if self.plain {
            boolean(&self.text)
        } else {
            None
        }
    }

    /// The whole number, if it is one.
    pub(crate) fn integer(&self) -> Option<i64> {
        if self.plain {
            integer(&self.text)
        } else {
            None
        }
    }

    /// What it is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        if self.is_null() {
            "empty"
        } else if self.boolean().is_some() {
            "a boolean"
        } else if self.plain && is_number(&self.text) {
            "a number"
        } else {
            "a string"
        }
    }
}

/// Whether a reader of YAML 1.1 or 1.2 takes this plain text for a string; date and time count as not.
pub(crate) fn is_string(text: &str) -> bool {
    let null = Scalar {
        text: text.to_owned(),
        plain: true,
    }
    .is_null();
    !(null
        || boolean(text).is_some()
        || is_number(text)
        || matches!(text, "y" | "Y" | "n" | "N" | "=" | "<<"))
}

fn boolean(text: &str) -> Option<bool> {
    let cased = |word: &str| {
        text == word
            || text == word.to_uppercase()
            || (text[..1] == word[..1].to_uppercase() && text[1..] == word[1..])
    };
    if !(2..=5).contains(&text.len()) || !text.is_ascii() {
        None
    } else if ["yes", "on", "true"].into_iter().any(cased) {
        Some(true)
    } else if ["no", "off", "false"].into_iter().any(cased) {
        Some(false)
    } else {
        None
    }
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let clean = digits.replace('_', "");
    let magnitude = match clean.as_bytes() {
        [b'0', b'x', ..] => i64::from_str_radix(&clean[2..], 16),
        [b'0', b'b', ..] => i64::from_str_radix(&clean[2..], 2),
        [b'0', b'o', ..] => i64::from_str_radix(&clean[2..], 8),
        [b'0', _, ..] => i64::from_str_radix(&clean[1..], 8),
        _ => clean.parse(),
    };
    magnitude
        .ok()
        .map(|value| if negative { -value } else { value })
}

/// Whether it looks like any number or date of YAML 1.1: generous, since its use is to decide on quotes and words.
fn is_number(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let special = [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(&body);
    let digit_first = body
        .trim_start_matches('.')
        .starts_with(|c: char| c.is_ascii_digit());
    let numeric =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | ':' | '-' | '+' | 'e' | 'E');
    special
        || (digit_first && (body.chars().all(numeric) || integer(text).is_some() || is_date(text)))
}

/// A date with an optional time, as `2001-12-14 21:59:43.10 -5`.
fn is_date(text: &str) -> bool {
    let date: Vec<&str> = text.splitn(3, '-').collect();
    date.len() == 3 && date[0].len() == 4 && date[0].bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar {
            text: text.to_owned(),
            plain: true,
        }
    }

    #[test]
    fn booleans_are_those_of_yaml_1_1_in_three_spellings() {
        for text in [
            "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE",
        ] {
            assert_eq!(plain(text).boolean(), Some(true), "{text}");
        }
        for text in [
            "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE",
        ] {
            assert_eq!(plain(text).boolean(), Some(false), "{text}");
        }
        for text in [
            "y", "n", "Y", "N", "tRUE", "yEs", "o", "", "é", "truee", "ünd",
        ] {
            assert_eq!(plain(text).boolean(), None, "{text}");
        }
        assert_eq!(
            Scalar {
                text: "true".into(),
                plain: false
            }
            .boolean(),
            None
        );
    }

    #[test]
    fn integers_are_those_of_yaml_1_1() {
        let cases = [
            ("0", Some(0)),
            ("12", Some(12)),
            ("-3", Some(-3)),
            ("+3", Some(3)),
            ("012", Some(10)),
            ("0o17", Some(15)),
            ("0x1F", Some(31)),
            ("0b101", Some(5)),
            ("1_000", Some(1000)),
            ("1.0", None),
            ("1:30", None),
            ("09", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("99999999999999999999", None),
        ];
        for (text, value) in cases {
            assert_eq!(plain(text).integer(), value, "{text}");
        }
    }

    #[test]
    fn only_what_every_reader_takes_for_text_counts_as_a_string() {
        for text in [
            "build",
            "v1",
            "1a",
            "3.x",
            "a:b",
            "cimg/go:1.17",
            "10m",
            "~/x",
            "-x",
            "0xZZ",
            "1.2.3-rc",
        ] {
            assert!(is_string(text), "{text}");
        }
        for text in [
            "",
            "~",
            "null",
            "yes",
            "n",
            "1",
            "1.5",
            "1e3",
            "1:30",
            "012",
            "0x1f",
            ".5",
            ".inf",
            "2019-01-01",
            "2019-01-01 10:00:00",
            "<<",
            "=",
            "-1",
        ] {
            assert!(!is_string(text), "{text}");
        }
    }

    #[test]
    fn kinds_have_words() {
        let cases = [
            ("", "empty"),
            ("on", "a boolean"),
            ("3.10", "a number"),
            ("x", "a string"),
        ];
        for (text, kind) in cases {
            assert_eq!(plain(text).kind(), kind, "{text}");
        }
    }
}
