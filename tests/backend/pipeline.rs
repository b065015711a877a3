//! The pipeline compiler against real files, and against files that nobody would write.

mod corpus;
mod documents;
mod properties;

pub use properties::check as check_text;
use roundel::pipeline::{Facts, Problem, Severity};

/// A revision of branch `master`.
fn master() -> Facts {
    Facts {
        file: "config.yml".to_owned(),
        branch: "master".to_owned(),
        ..Facts::default()
    }
}

/// Checks what holds for every answer of a compile that failed.
fn check_problems(name: &str, problems: &[Problem]) {
    assert!(
        problems
            .iter()
            .any(|problem| problem.severity == Severity::Error),
        "{name}: no error"
    );
    assert!(
        problems.is_sorted_by_key(|problem| (problem.line, problem.column)),
        "{name}: order"
    );
    for problem in problems {
        assert!(problem.line > 0 && problem.column > 0, "{name}: {problem}");
        assert!(
            (problem.line, problem.column) <= (problem.end_line, problem.end_column),
            "{name}: {problem}"
        );
        assert!(
            !problem.message.is_empty() && !problem.message.ends_with('.'),
            "{name}: {problem}"
        );
    }
}
