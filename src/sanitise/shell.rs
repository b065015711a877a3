//! Words for the command lines that people are shown and may paste into a shell.

/// One word of a command line, quoted when a shell would read it otherwise.
///
/// `#` and `~` mean something at the beginning of a word only: `project#12` stays as it is.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,=~#%".contains(c);
    if !word.is_empty() && !word.starts_with(['~', '#']) && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_change_is_quoted() {
        let cases = [
            ("/a/b-c", "/a/b-c"),
            ("org/app#12", "org/app#12"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("#12", "'#12'"),
            ("~root", "'~root'"),
            ("$(id)", "'$(id)'"),
            ("a;b", "'a;b'"),
        ];
        for (word, expected) in cases {
            assert_eq!(shell_word(word), expected);
        }
    }
}
