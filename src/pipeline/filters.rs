//! Branch and tag filters: which jobs run for a revision.
//!
//! Reference: CircleCI's configuration reference. A text between slashes is a regular expression that must match the
//! whole name, any other text must be equal to it. `only` counts before `ignore`. A tag build needs a `tags` filter.

use regex::bytes::{Regex, RegexBuilder};

/// The most patterns of a config.
const MAX_PATTERNS: usize = 500;
/// The longest pattern, in bytes.
const MAX_LENGTH: usize = 512;
/// The most memory a compiled pattern may take, in bytes: ample for names, and it bounds the time to compile one.
const MAX_COMPILED: usize = 1 << 18;

/// When a job runs: by branch, by tag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters {
    pub branches: Option<Rule>,
    pub tags: Option<Rule>,
}

/// What a name must and must not match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    /// At least one must match, if given.
    pub only: Option<Vec<Pattern>>,
    /// None may match, if given.
    pub ignore: Option<Vec<Pattern>>,
}

/// A name, or an expression in slashes.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// As written.
    pub source: String,
    regex: Option<Regex>,
}

/// Why a text is no pattern.
#[derive(Debug)]
pub(crate) struct PatternError {
    /// Goes on after the pattern's text.
    pub message: String,
    pub hint: Option<String>,
}

/// Reads patterns and counts them.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    count: usize,
}

impl Patterns {
    /// Reads one entry of `only` or `ignore`.
    pub(crate) fn read(&mut self, text: &str) -> Result<Pattern, PatternError> {
        self.count += 1;
        let fail = |message: String, hint: Option<&str>| {
            Err(PatternError {
                message,
                hint: hint.map(str::to_owned),
            })
        };
        if self.count > MAX_PATTERNS {
            return fail(
                format!("is one of more than {MAX_PATTERNS} of this config"),
                None,
            );
        }
        let source = text.to_owned();
        let Some(body) = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
        else {
            return Ok(Pattern {
                source,
                regex: None,
            });
        };
        if body.len() > MAX_LENGTH {
            return fail(format!("is longer than {MAX_LENGTH} bytes"), None);
        }
        if ["(?=", "(?!", "(?<=", "(?<!"]
            .iter()
            .any(|look| body.contains(look))
        {
            let message =
                "looks around, which is known to CircleCI, but Roundel does not run it yet";
            return fail(message.to_owned(), Some("say it with `only` and `ignore`"));
        }
        match compile(body) {
            Ok(regex) => Ok(Pattern {
                source,
                regex: Some(regex),
            }),
            Err(regex::Error::CompiledTooBig(_)) => fail("is too large".to_owned(), None),
            Err(err) => {
                let reason = err.to_string();
                let reason = reason.lines().last().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ");
                fail(format!("is no regular expression: {reason}"), None)
            }
        }
    }
}

/// Compiles an expression that must match a whole name. As in Java `\w` and its kin are ASCII; only a pattern that says
/// more, as `[é]`, is taken for Unicode.
fn compile(body: &str) -> Result<Regex, regex::Error> {
    let pattern = format!("^(?:{body})$");
    let mut builder = RegexBuilder::new(&pattern);
    builder.size_limit(MAX_COMPILED);
    match builder.unicode(false).build() {
        Err(regex::Error::Syntax(_)) => builder.unicode(true).build(),
        done => done,
    }
}

impl Pattern {
    fn matches(&self, name: &str) -> bool {
        match &self.regex {
            Some(regex) => regex.is_match(name.as_bytes()),
            None => self.source == name,
        }
    }
}

impl Rule {
    fn allows(&self, name: &str) -> bool {
        let any = |patterns: &Vec<Pattern>| patterns.iter().any(|pattern| pattern.matches(name));
        self.only.as_ref().is_none_or(any) && !self.ignore.as_ref().is_some_and(any)
    }
}

impl Filters {
    /// Whether a job with these filters runs; `tag` empty means a branch build.
    pub(crate) fn allow(&self, branch: &str, tag: &str) -> bool {
        if tag.is_empty() {
            self.branches
                .as_ref()
                .is_none_or(|rule| rule.allows(branch))
        } else {
            self.tags.as_ref().is_some_and(|rule| rule.allows(tag))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(only: &[&str], ignore: &[&str]) -> Option<Rule> {
        let mut patterns = Patterns::default();
        let mut read = |texts: &[&str]| {
            let read = texts
                .iter()
                .map(|text| patterns.read(text).unwrap())
                .collect::<Vec<_>>();
            (!read.is_empty()).then_some(read)
        };
        Some(Rule {
            only: read(only),
            ignore: read(ignore),
        })
    }

    #[test]
    fn the_table_of_the_reference() {
        let cases = [
            // filters, branch, tag, runs
            (Filters::default(), "main", "", true),
            (Filters::default(), "", "v1", false),
            (
                Filters {
                    branches: rule(&["main"], &[]),
                    tags: None,
                },
                "main",
                "",
                true,
            ),
            (
                Filters {
                    branches: rule(&["main"], &[]),
                    tags: None,
                },
                "mainline",
                "",
                false,
            ),
            (
                Filters {
                    branches: rule(&["/rel.*/"], &[]),
                    tags: None,
                },
                "release",
                "",
                true,
            ),
            (
                Filters {
                    branches: rule(&["/é..[ü]?/"], &[]),
                    tags: None,
                },
                "éx",
                "",
                false,
            ),
            (
                Filters {
                    branches: rule(&["/rel/"], &[]),
                    tags: None,
                },
                "release",
                "",
                false,
            ),
            (
                Filters {
                    branches: rule(&["/a|b/"], &[]),
                    tags: None,
                },
                "bb",
                "",
                false,
            ),
            (
                Filters {
                    branches: rule(&[], &["gh-pages"]),
                    tags: None,
                },
                "gh-pages",
                "",
                false,
            ),
            (
                Filters {
                    branches: rule(&[], &["gh-pages"]),
                    tags: None,
                },
                "main",
                "",
                true,
            ),
            (
                Filters {
                    branches: rule(&["/.*/"], &["main"]),
                    tags: None,
                },
                "main",
                "",
                false,
            ),
            (
                Filters {
                    branches: rule(&["main"], &[]),
                    tags: None,
                },
                "",
                "v1",
                false,
            ),
            (
                Filters {
                    branches: None,
                    tags: rule(&["/v.*/"], &[]),
                },
                "",
                "v1",
                true,
            ),
            (
                Filters {
                    branches: None,
                    tags: rule(&["/v.*/"], &[]),
                },
                "main",
                "",
                true,
            ),
            (
                Filters {
                    branches: rule(&[], &["/.*/"]),
                    tags: rule(&["/v.*/"], &[]),
                },
                "",
                "v1",
                true,
            ),
            (
                Filters {
                    branches: rule(&[], &["/.*/"]),
                    tags: rule(&["/v.*/"], &[]),
                },
                "main",
                "",
                false,
            ),
            (
                Filters {
                    branches: None,
                    tags: rule(&[], &["v1"]),
                },
                "",
                "v2",
                true,
            ),
        ];
        for (index, (filters, branch, tag, runs)) in cases.into_iter().enumerate() {
            assert_eq!(filters.allow(branch, tag), runs, "case {index}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let mut patterns = Patterns::default();
        let cases = [
            ("/(/", "unclosed group"),
            ("/^(?!main).*/", "looks around"),
            ("/(\\w{200}){200}/", "too large"),
        ];
        for (text, words) in cases {
            let err = patterns.read(text).unwrap_err();
            assert!(err.message.contains(words), "{text}: {}", err.message);
        }
        for text in [
            "/",
            "//",
            "plain",
            "(",
            "/a\\/b/",
            "/[é]+x/",
            "/\\w{1,200}/",
        ] {
            assert!(patterns.read(text).is_ok(), "{text}");
        }
    }
}
