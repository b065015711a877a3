//! The words that filter a list: what they mean, as a condition of SQL and for rows that are in memory.
//!
//! `word` must occur, `!word` must not; `field:word` looks at one field; upper case in a word makes it count. `! ` at the
//! start turns the whole round, `-f ` takes words whose letters occur in their order, with others between them.

/// A field that can be asked by its name.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// The column, or an expression of columns.
    pub sql: &'static str,
}

impl Field {
    /// A field and where its text stands.
    #[must_use]
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sql }
    }
}

/// A filter that was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Rows that do not match are wanted.
    inverse: bool,
    terms: Vec<Term>,
}

/// One word of a filter, and where it is to be looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    not: bool,
    /// Name of the field; `None` = anywhere in the row.
    pub field: Option<&'static str>,
    word: String,
    /// Its letters need not stand side by side.
    pub fuzzy: bool,
    /// Upper case counts once somebody has typed some.
    pub exact: bool,
}

impl Term {
    /// Whether it occurs in a text, which is in lower case where capitals do not count.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        if self.fuzzy {
            let mut rest = text.chars();
            self.word.chars().all(|c| rest.any(|other| other == c))
        } else {
            text.contains(&self.word)
        }
    }
}

impl Filter {
    /// Reads a filter over these fields. Anything can be typed: what names no field is a word like others.
    #[must_use]
    pub fn read(text: &str, fields: &[Field]) -> Self {
        let mut words = text.split_whitespace().peekable();
        let inverse = words.next_if_eq(&"!").is_some();
        let fuzzy = words.next_if_eq(&"-f").is_some();
        let terms = words.map(|word| {
            let (not, word) = match word.strip_prefix('!') {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, word),
            };
            let named = word.split_once(':').and_then(|(name, rest)| {
                let field = fields.iter().find(|field| field.name == name)?;
                (!rest.is_empty()).then_some((field.name, rest))
            });
            let (field, word) = named.map_or((None, word), |(name, rest)| (Some(name), rest));
            Term {
                not,
                field,
                word: word.to_owned(),
                fuzzy,
                exact: word.chars().any(char::is_uppercase),
            }
        });
        Self {
            inverse,
            terms: terms.collect(),
        }
    }

    /// The condition over `text`, all of a row's text, and `fields`; parameters are numbered from 1. `special` are words of
    /// fields that are a question of another kind, with their condition.
    #[must_use]
    pub fn condition(
        &self,
        text: &str,
        fields: &[Field],
        special: &[(&str, &str, String)],
    ) -> (String, Vec<String>) {
        let mut words = Vec::with_capacity(self.terms.len());
        let mut parts = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let is_it = |(field, word, _): &&(&str, &str, String)| {
                term.field == Some(*field) && term.word == *word
            };
            if let Some((_, _, condition)) = special.iter().find(is_it) {
                let not = if term.not { "NOT " } else { "" };
                parts.push(format!("{not}{condition}"));
                continue;
            }
            let at = fields.iter().find(|field| Some(field.name) == term.field);
            let at = at.map_or(text, |field| field.sql);
            let n = words.len() + 1;
            let (found, word) = match (term.fuzzy, term.exact) {
                (false, true) => (format!("instr({at}, ?{n})"), term.word.clone()),
                (false, false) => (format!("instr(lower({at}), ?{n})"), term.word.clone()),
                (true, true) => (format!("({at}) GLOB ?{n}"), scattered(&term.word, glob)),
                (true, false) => (
                    format!("lower({at}) GLOB ?{n}"),
                    scattered(&term.word, glob),
                ),
            };
            words.push(word);
            let sign = if term.not { "= 0" } else { "> 0" };
            parts.push(format!("({found}) {sign}"));
        }
        let all = if parts.is_empty() {
            "1".to_owned()
        } else {
            parts.join(" AND ")
        };
        if self.inverse && !self.terms.is_empty() {
            (format!("NOT ({all})"), words)
        } else {
            (all, words)
        }
    }

    /// Whether a row in memory matches, of which `holds` tells whether a word occurs in it.
    pub fn passes(&self, mut holds: impl FnMut(&Term) -> bool) -> bool {
        let mut all = |term: &Term| holds(term) != term.not;
        self.terms.is_empty() || self.terms.iter().all(&mut all) != self.inverse
    }

    /// Whether it asks for this word of a field.
    #[must_use]
    pub fn asks(&self, field: &str, word: &str) -> bool {
        let is_it = |term: &Term| term.field == Some(field) && term.word == word;
        self.terms.iter().any(is_it)
    }
}

/// A pattern of all letters in their order with anything between.
fn scattered(word: &str, letter: impl Fn(char) -> String) -> String {
    let mut pattern = String::from("*");
    for c in word.chars() {
        pattern.push_str(&letter(c));
        pattern.push('*');
    }
    pattern
}

/// One letter of a pattern, standing for itself.
fn glob(c: char) -> String {
    match c {
        '*' | '?' | '[' => format!("[{c}]"),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::{Connection, params_from_iter};

    use super::*;

    const FIELDS: &[Field] = &[
        Field::new("project", "project"),
        Field::new("status", "coalesce(status, '')"),
    ];
    const ROWS: [(&str, &str); 4] = [
        ("org/api", "failed"),
        ("org/web", "success"),
        ("Org/App", "running"),
        ("x*y:z", "failed"),
    ];

    /// Rows of odd letters, that only nobody's filter is meant for.
    const ODD: [(&str, &str); 4] = [
        ("a[b]^c/d-e", "%_\\'\""),
        ("Über/Straße", "ÉTÉ"),
        ("!x", "status:failed"),
        ("-f", "日本 é"),
    ];

    /// What matches, by SQL and in memory: the two must agree.
    fn found(text: &str) -> Vec<&'static str> {
        found_in(text, &ROWS)
    }

    fn found_in(text: &str, rows: &[(&'static str, &'static str)]) -> Vec<&'static str> {
        let filter = Filter::read(text, FIELDS);
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE t (project TEXT, status TEXT)")
            .unwrap();
        for (project, status) in rows {
            db.execute("INSERT INTO t VALUES (?1, ?2)", [project, status])
                .unwrap();
        }
        let (condition, words) = filter.condition("project || ' ' || status", FIELDS, &[]);
        let sql = format!("SELECT project FROM t WHERE {condition}");
        let mut statement = db.prepare(&sql).unwrap();
        let found = statement.query_map(params_from_iter(words), |row| row.get::<_, String>(0));
        let by_sql: Vec<String> = found.unwrap().collect::<Result<_, _>>().unwrap();
        let in_memory = rows.iter().filter(|(project, status)| {
            let all = format!("{project} {status}");
            filter.passes(|term| {
                let text = match term.field {
                    Some("project") => project,
                    Some(_) => status,
                    None => all.as_str(),
                };
                // As SQLite does it.
                let lower = text.to_ascii_lowercase();
                term.is_in(if term.exact { text } else { &lower })
            })
        });
        let in_memory: Vec<&str> = in_memory.map(|(project, _)| *project).collect();
        assert_eq!(by_sql, in_memory, "{text}: {sql}");
        in_memory
    }

    #[test]
    fn what_is_typed_means_the_same_in_sql_and_in_memory() {
        let all = ["org/api", "org/web", "Org/App", "x*y:z"];
        for (text, rows) in [
            ("", &all[..]),
            ("  ", &all),
            ("org", &all[..3]),
            ("Org", &["Org/App"]),
            ("org !web", &["org/api", "Org/App"]),
            ("!org", &["x*y:z"]),
            ("status:failed", &["org/api", "x*y:z"]),
            ("!status:failed", &["org/web", "Org/App"]),
            ("project:api status:success", &[]),
            ("status:api", &[]),
            ("! org failed", &["org/web", "Org/App", "x*y:z"]),
            ("! !status:failed", &["org/api", "x*y:z"]),
            ("-f oap", &["org/api", "Org/App"]),
            ("-f OA", &["Org/App"]),
            ("-f project:oi", &["org/api"]),
            ("-f !oap", &["org/web", "x*y:z"]),
            ("! -f oap", &["org/web", "x*y:z"]),
            // What looks like a sign and is none.
            ("x*", &["x*y:z"]),
            ("-f x*z", &["x*y:z"]),
            ("-f x?", &[]),
            ("y:z", &["x*y:z"]),
            ("status:", &[]),
            ("!", &all),
            ("-f", &all),
            ("%", &[]),
            ("'", &[]),
        ] {
            assert_eq!(found(text), rows, "{text}");
        }
    }

    #[test]
    fn a_question_of_another_kind_has_its_own_condition() {
        let special = [("status", "slow", "(slow)".to_owned())];
        for (text, condition) in [
            ("status:slow", "(slow)"),
            ("!status:slow", "NOT (slow)"),
            ("! status:slow", "NOT ((slow))"),
            ("slow", "(instr(lower(t), ?1)) > 0"),
            ("status:slow x", "(slow) AND (instr(lower(t), ?1)) > 0"),
        ] {
            let filter = Filter::read(text, FIELDS);
            assert_eq!(
                filter.condition("t", FIELDS, &special).0,
                condition,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_a_condition_that_memory_agrees_with(
            start in prop::sample::select(vec!["", "! ", "-f ", "! -f "]),
            pieces in prop::collection::vec(
                prop_oneof![
                    2 => prop::sample::select(vec![
                        " ", "! ", "!", "-f ", "project:", "status:", "other:", ":", "::", "%", "_", "'", "\"", "''", ";--",
                        "*", "?", "[", "]", "[^a]", "^", "-", "\\", "org", "Org", "a", "é", "É", "ß", "Ü", "本", "failed",
                    ]).prop_map(str::to_owned),
                    1 => "\\PC{0,3}",
                ],
                0..8,
            )
        ) {
            let text = format!("{start}{}", pieces.concat());
            let rows = [ROWS, ODD].concat();
            let found = found_in(&text, &rows);
            // Turned round, it takes the other rows; `!` alone turns nothing.
            if !text.trim_start().starts_with("! ") && !Filter::read(&text, FIELDS).terms.is_empty() {
                let others = found_in(&format!("! {text}"), &rows);
                prop_assert_eq!(found.len() + others.len(), rows.len(), "{}", text);
            }
        }
    }
}
