//! Spans of time as CircleCI writes them: `30s`, `1.5h`, `1h30m`.

/// The longest span read: a week.
const MAX_SECONDS: f64 = 7.0 * 24.0 * 3600.0;

/// Reads a span in whole seconds, rounded up; `None` if it is not one, is zero, or is longer than a week.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b's' => 1.0,
            b'm' => 60.0,
            b'h' => 3600.0,
            _ => return None,
        };
        total += number * unit;
        rest = &rest[digits + 1..];
    }
    let fits = total > 0.0 && total <= MAX_SECONDS;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a week"
    )]
    fits.then(|| total.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn reads_numbers_with_units() {
        let cases = [
            ("30s", Some(30)),
            ("10m", Some(600)),
            ("1.5h", Some(5400)),
            ("1h30m", Some(5400)),
            ("0.2s", Some(1)),
            ("290m", Some(17_400)),
            ("", None),
            ("10", None),
            ("m", None),
            ("0s", None),
            ("10 m", None),
            ("1..5s", None),
            ("5d", None),
            ("-5s", None),
            ("99999999999h", None),
            ("5µ", None),
        ];
        for (text, value) in cases {
            assert_eq!(seconds(text), value, "{text}");
        }
    }
}
