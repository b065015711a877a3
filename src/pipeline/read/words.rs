//! A command line as words: spaces separate, quotes and backslashes hold together.

/// Splits a text into words as a shell does, without expanding anything; an open quote ends with the text.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn splits_like_a_shell() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            ("mysqld --port 1", &["mysqld", "--port", "1"]),
            ("  a\tb ", &["a", "b"]),
            ("sh -c 'a b'", &["sh", "-c", "a b"]),
            (r#"a"b \" c"'d'"#, &["ab \" cd"]),
            ("'' x", &["", "x"]),
            ("'open end", &["open end"]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
