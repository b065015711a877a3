//! Problems of a config file, as compilers print them, and what is wrong with settings.

use std::io::{self, Write};

use roundel::api::settings::Finding;
use roundel::pipeline::{Problem, Severity};
use roundel::sanitise;

use super::words::Paint;

/// Prints `file:line:column: error: message [key]` for each, its hint below.
pub(super) fn print(problems: &[Problem], out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    for problem in problems {
        let text = problem.to_string();
        let text = sanitise::line(&text);
        let word = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // The word stands after the place; what is before it is painted as the place.
        match text.split_once(&format!(": {word}: ")) {
            Some((place, rest)) => {
                let word = if problem.severity == Severity::Error {
                    paint.bad(word)
                } else {
                    paint.warn(word)
                };
                writeln!(out, "{}: {word}: {rest}", paint.strong(place))?;
            }
            None => writeln!(out, "{text}")?,
        }
        if let Some(hint) = &problem.hint {
            writeln!(out, "  {}: {}", paint.strong("hint"), sanitise::line(hint))?;
        }
    }
    Ok(())
}

/// Prints what is wrong with settings, one a line, what to do below it.
pub(super) fn print_findings(
    findings: &[Finding],
    out: &mut dyn Write,
    paint: Paint,
) -> io::Result<()> {
    for finding in findings {
        let word = if finding.is_error() {
            paint.bad("error")
        } else {
            paint.warn("warning")
        };
        let (key, message) = (
            sanitise::line(&finding.key),
            sanitise::line(&finding.message),
        );
        writeln!(out, "{}: {word}: {message}", paint.strong(&key))?;
        if let Some(fix) = &finding.fix {
            writeln!(out, "  {}: {}", paint.strong("hint"), sanitise::line(fix))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_its_place_and_its_hint() {
        let problem = Problem {
            severity: Severity::Error,
            file: "config.yml".to_owned(),
            line: 3,
            column: 5,
            end_line: 3,
            end_column: 9,
            key: "jobs.build.setps".to_owned(),
            message: "unknown key `setps`\u{1b}[31m".to_owned(),
            hint: Some("did you mean `steps`?".to_owned()),
        };
        let mut out = Vec::new();
        print(&[problem], &mut out, Paint::plain()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "config.yml:3:5: error: unknown key `setps` [jobs.build.setps]\n  hint: did you mean `steps`?\n"
        );
    }
}
