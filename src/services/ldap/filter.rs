//! Search filters (RFC 4515) around values that others wrote.

/// Longest name that is looked for, in bytes: no directory has longer ones, and a filter is four times as long.
pub(super) const NAME_MAX: usize = 256;

/// A value within a filter. Everything but letters and digits is written as its bytes, so that nothing in it is read as a
/// part of the filter.
pub(super) fn escape(value: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(out, "\\{byte:02x}");
        }
    }
    out
}

/// `(attribute=value)`.
pub(super) fn equals(attribute: &str, value: &str) -> String {
    format!("({attribute}={})", escape(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_be_read_as_filter_is_escaped() {
        assert_eq!(
            equals("uid", "*)(uid=*"),
            r"(uid=\2a\29\28uid\3d\2a)".to_owned()
        );
        assert_eq!(escape(r"a\b"), r"a\5cb");
        assert_eq!(escape("ü\0"), r"\c3\bc\00");
        assert_eq!(escape("alice7"), "alice7");
    }

    proptest! {
        #[test]
        fn any_value_stays_one_value(value in "\\PC{0,24}") {
            let escaped = escape(&value);
            prop_assert!(!escaped.contains(['(', ')', '*', '=', '|', '&', '!']));
            let filter = equals("uid", &value);
            prop_assert!(ldap3::parse_filter(&filter).is_ok(), "{}", filter);
        }
    }
}
