//! Writes a document that YAML 1.1 and 1.2 readers take for the same: block style, quotes where a plain text would be
//! something else.

use super::scalar::is_string;

/// What is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Out {
    /// A string; quoted where it must be.
    Text(String),
    /// A number or a boolean, written as it is.
    Bare(String),
    List(Vec<Out>),
    Map(Vec<(String, Out)>),
}

impl Out {
    pub(crate) fn text(text: &str) -> Out {
        Out::Text(text.to_owned())
    }

    pub(crate) fn bare(text: &str) -> Out {
        Out::Bare(text.to_owned())
    }
}

/// The document, with a newline at its end.
pub(crate) fn emit(root: &Out) -> String {
    let mut out = String::new();
    value(&mut out, root, 0, true);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Writes a value after its key or dash; `inline` when it may begin on the line where the writer stands.
fn value(out: &mut String, node: &Out, indent: usize, inline: bool) {
    match node {
        Out::Text(text) => scalar(out, text, indent),
        Out::Bare(text) => out.push_str(text),
        Out::List(items) if items.is_empty() => out.push_str("[]"),
        Out::Map(entries) if entries.is_empty() => out.push_str("{}"),
        Out::List(items) => {
            for (index, item) in items.iter().enumerate() {
                line(out, indent, inline && index == 0);
                out.push_str("- ");
                value(out, item, indent + 2, true);
            }
        }
        Out::Map(entries) => {
            for (index, (key, node)) in entries.iter().enumerate() {
                line(out, indent, inline && index == 0);
                write_key(out, key, indent);
                let opens = match node {
                    Out::List(items) => !items.is_empty(),
                    Out::Map(entries) => !entries.is_empty(),
                    _ => false,
                };
                if !opens {
                    out.push(' ');
                }
                value(out, node, indent + 2, false);
            }
        }
    }
}

fn line(out: &mut String, indent: usize, inline: bool) {
    if inline {
        return;
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.extend(std::iter::repeat_n(' ', indent));
}

fn write_key(out: &mut String, key: &str, indent: usize) {
    let key = if is_plain(key) {
        key.to_owned()
    } else {
        quoted(key)
    };
    // YAML reads no more than 1,024 characters as a key without a question mark.
    if key.chars().count() > 1_000 {
        out.push_str("? ");
        out.push_str(&key);
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
    } else {
        out.push_str(&key);
    }
    out.push(':');
}

fn scalar(out: &mut String, text: &str, indent: usize) {
    if is_plain(text) {
        out.push_str(text);
    } else if is_block(text) {
        block(out, text, indent);
    } else {
        out.push_str(&quoted(text));
    }
}

/// Whether the text can stand without quotes: narrower than YAML, so that nobody has to know YAML to see it.
fn is_plain(text: &str) -> bool {
    let first =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '~' | '$' | '(');
    let inner = |c: char| c.is_alphanumeric() || " ._/~$()+=@^,;'\"\\<>|&*!?%-".contains(c);
    let colons = |text: &str| {
        text.match_indices(':').all(|(at, _)| {
            text[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        })
    };
    text.starts_with(first)
        && text.chars().all(|c| inner(c) || c == ':')
        && colons(text)
        && !text.ends_with(' ')
        && text.len() <= 200
        && is_string(text)
}

/// Whether the text reads best, and reads back, as a literal block.
fn is_block(text: &str) -> bool {
    let printable = |c: char| {
        c == '\n'
            || c == '\t'
            || (!c.is_control() && !matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}'))
    };
    text.contains('\n')
        && text.chars().all(printable)
        && !text.starts_with([' ', '\t', '\n'])
        && text
            .split('\n')
            .all(|line| !line.starts_with('\t') && (line.is_empty() || !line.trim().is_empty()))
}

fn block(out: &mut String, text: &str, indent: usize) {
    let body = text.trim_end_matches('\n');
    let ends = text.len() - body.len();
    out.push_str(match ends {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent.max(2)));
            out.push_str(line);
        }
    }
    out.extend(std::iter::repeat_n('\n', ends));
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x100 && c.is_control() => {
                out.push_str(&format!("\\x{:02X}", u32::from(c)));
            }
            '\u{feff}' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
