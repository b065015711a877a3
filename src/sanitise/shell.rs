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
    use proptest::prelude::*;

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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

        #[test]
        fn a_shell_reads_exactly_the_words_that_were_meant(
            words in prop::collection::vec("[-a-c \\\\'\"$`*?!~#%&;|<>(){}\\[\\]\n\t=é]{0,8}", 1..6)
        ) {
            let line: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
            let script = format!("printf '%s\\0' {}", line.join(" "));
            let said = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            let read = String::from_utf8(said.stdout).unwrap();
            let read: Vec<_> = read.split_terminator('\0').collect();
            prop_assert_eq!(read, words, "{}", script);
        }
    }
}
