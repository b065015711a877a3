//! What differs between two compiled jobs, as lines that people read. Pure.

use super::plan::{Executor, JobPlan, Step, When};

/// Lines of a job that are compared one by one; of longer ones all lines count as changed.
const COMPARED_MAX: usize = 1000;

/// A line and where it is: only in the new job, only in the old one, or in both (then it says where the others are).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `+`, `-` or a blank.
    pub sign: char,
    /// The line.
    pub text: String,
}

/// The lines that differ between a job and its earlier self, below its name and that of the step they are in; none when
/// it asks for the same.
#[must_use]
pub fn job(old: Option<&JobPlan>, new: Option<&JobPlan>) -> Vec<Line> {
    let name = new.or(old).map_or("", |job| job.name.as_str());
    let (old, new) = (
        old.map(lines).unwrap_or_default(),
        new.map(lines).unwrap_or_default(),
    );
    let mut out = Vec::new();
    let mut place: Option<&str> = None;
    for (sign, text) in diff(&old, &new) {
        let is_step = text.starts_with("step ");
        if sign == ' ' {
            place = is_step.then_some(text).or(place);
            continue;
        }
        if out.is_empty() {
            out.push(Line {
                sign: ' ',
                text: format!("job {name}"),
            });
        }
        if let Some(step) = place.take().filter(|_| text.starts_with("  ")) {
            out.push(Line {
                sign: ' ',
                text: format!("  {step}"),
            });
        }
        out.push(Line {
            sign,
            text: format!("  {text}"),
        });
    }
    out
}

/// A job as lines, in a fixed order; what a step says stands below it, two cells in.
fn lines(job: &JobPlan) -> Vec<String> {
    let mut out = vec![executor(&job.executor)];
    if !job.requires.is_empty() {
        out.push(format!("requires {}", job.requires.join(", ")));
    }
    if let Some(class) = &job.resource_class {
        out.push(format!("resource_class {class}"));
    }
    if job.parallelism > 1 {
        out.push(format!("parallelism {}", job.parallelism));
    }
    out.push(format!("working_directory {}", job.working_directory));
    out.extend(job.shell.iter().map(|shell| format!("shell {shell}")));
    out.extend(pairs("environment", &job.environment));
    for step in &job.steps {
        out.push(format!("step {}", first_line(step.name())));
        match step {
            Step::Checkout { path, .. } => {
                out.extend(path.iter().map(|path| format!("  checkout to {path}")));
            }
            Step::Run(run) => {
                out.extend(run.command.lines().map(|line| format!("  $ {line}")));
                out.extend(run.shell.iter().map(|shell| format!("  shell {shell}")));
                out.extend(pairs("  environment", &run.environment));
                let directory = run.working_directory.iter();
                out.extend(directory.map(|path| format!("  working_directory {path}")));
                if run.background {
                    out.push("  background".to_owned());
                }
                if run.no_output_timeout_s != 600 {
                    out.push(format!("  no_output_timeout {} s", run.no_output_timeout_s));
                }
                match run.when {
                    When::OnSuccess => {}
                    When::Always => out.push("  when always".to_owned()),
                    When::OnFail => out.push("  when on_fail".to_owned()),
                }
            }
        }
    }
    out
}

fn executor(executor: &Executor) -> String {
    match executor {
        Executor::Machine { image: None } => "machine".to_owned(),
        Executor::Machine { image: Some(image) } => format!("machine {image}"),
        Executor::Docker { containers } => {
            let images: Vec<&str> = containers.iter().map(|one| one.image.as_str()).collect();
            format!("docker {}", images.join(", "))
        }
        Executor::Approval => "approval".to_owned(),
        Executor::Other { name } => name.clone(),
    }
}

fn pairs(word: &str, pairs: &[(String, String)]) -> impl Iterator<Item = String> {
    pairs
        .iter()
        .map(move |(name, value)| format!("{word} {name}={}", first_line(value)))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// The lines of two texts, those that only one has with their sign.
fn diff<'a>(old: &'a [String], new: &'a [String]) -> Vec<(char, &'a str)> {
    let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (head, old, new) = (&old[..same], &old[same..], &new[same..]);
    let tail = old.iter().rev().zip(new.iter().rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let (old, new, tail) = (
        &old[..old.len() - tail],
        &new[..new.len() - tail],
        &old[old.len() - tail..],
    );
    let mut out: Vec<(char, &str)> = head.iter().map(|line| (' ', line.as_str())).collect();
    if old.len() > COMPARED_MAX || new.len() > COMPARED_MAX {
        out.extend(old.iter().map(|line| ('-', line.as_str())));
        out.extend(new.iter().map(|line| ('+', line.as_str())));
    } else {
        out.extend(longest(old, new));
    }
    out.extend(tail.iter().map(|line| (' ', line.as_str())));
    out
}

/// By the longest common part: `table[i][j]` is its length from line `i` of the old and `j` of the new text on.
fn longest<'a>(old: &'a [String], new: &'a [String]) -> Vec<(char, &'a str)> {
    let width = new.len() + 1;
    let mut table = vec![0u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            table[i * width + j] = if old[i] == new[j] {
                table[(i + 1) * width + j + 1] + 1
            } else {
                table[(i + 1) * width + j].max(table[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push((' ', old[i].as_str()));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || (i < old.len() && table[(i + 1) * width + j] >= table[i * width + j + 1])
        {
            out.push(('-', old[i].as_str()));
            i += 1;
        } else {
            out.push(('+', new[j].as_str()));
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(yaml_like: &[(&str, &str)]) -> JobPlan {
        let steps = yaml_like.iter().map(|(name, command)| {
            Step::Run(super::super::plan::RunStep {
                name: (*name).to_owned(),
                command: (*command).to_owned(),
                no_output_timeout_s: 600,
                ..Default::default()
            })
        });
        JobPlan {
            name: "test".to_owned(),
            requires: Vec::new(),
            executor: Executor::Machine { image: None },
            resource_class: None,
            cpu_millis: 1000,
            memory_mb: 1024,
            parallelism: 1,
            environment: Vec::new(),
            working_directory: "~/project".to_owned(),
            shell: None,
            steps: steps.collect(),
            notes: Vec::new(),
        }
    }

    fn shown(lines: &[Line]) -> Vec<String> {
        lines
            .iter()
            .map(|line| format!("{}{}", line.sign, line.text))
            .collect()
    }

    #[test]
    fn what_a_job_asks_for_anew_stands_below_its_job_and_step() {
        let old = plan(&[("deps", "npm ci"), ("test", "npm test\necho done")]);
        assert_eq!(job(Some(&old), Some(&old)), []);
        let mut new = plan(&[("deps", "npm ci"), ("test", "npm test -- --ci\necho done")]);
        new.parallelism = 4;
        new.environment.push(("NODE".to_owned(), "20".to_owned()));
        assert_eq!(
            shown(&job(Some(&old), Some(&new))),
            [
                " job test",
                "+  parallelism 4",
                "+  environment NODE=20",
                "   step test",
                "-    $ npm test",
                "+    $ npm test -- --ci",
            ]
        );
    }

    #[test]
    fn a_job_that_came_or_went_is_told_whole() {
        let one = plan(&[("hi", "echo hi")]);
        let whole = [
            "machine",
            "working_directory ~/project",
            "step hi",
            "  $ echo hi",
        ];
        for (old, new, sign) in [(None, Some(&one), '+'), (Some(&one), None, '-')] {
            let lines = shown(&job(old, new));
            assert_eq!(lines[0], " job test");
            let rest: Vec<String> = whole.iter().map(|line| format!("{sign}  {line}")).collect();
            assert_eq!(lines[1..], rest);
        }
        assert_eq!(job(None, None), []);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_back(
            old in prop::collection::vec("[ab]{0,2}", 0..14),
            new in prop::collection::vec("[ab]{0,2}", 0..14),
        ) {
            let lines = diff(&old, &new);
            let side = |other: char| -> Vec<&str> {
                lines.iter().filter(|(sign, _)| *sign != other).map(|(_, text)| *text).collect()
            };
            prop_assert_eq!(side('+'), old.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(side('-'), new.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
