//! Compare: what a build did differently from the last green one, or from another. Jobs first, then commits, then config.

use ratatui::layout::Rect;
use roundel::api::builds::PipelineRow;
use roundel::api::compare::{Commits, Comparison, JobChange, JobSide};
use roundel::error::Kind;
use serde_json::Value;
use std::time::Duration;

use super::{Scene, Screen, Touch, instead, json, only, workflow};
use crate::console::action::{Action, Slot, Want};
use crate::console::effect::Effect;
use crate::console::event::{Answer, Failure};
use crate::console::feed::Feed;
use crate::console::keymap::{Cmd, Context};
use crate::console::line::Line;
use crate::console::marks;
use crate::console::pen::Pen;
use crate::console::place::{JobRef, Place};
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::verbs::{Subject, pipeline_name};

/// Lines above the text: what is compared, and with what.
const HEAD: u16 = 3;
/// Cells of a job's name.
const NAME: u16 = 22;
/// Cells of a duration.
const TOOK: u16 = 9;

/// The screen.
#[derive(Debug, Default)]
pub struct Compare {
    id: String,
    with: String,
    feed: Feed<Comparison>,
    top: usize,
    /// Lines that the screen has room for, and how wide.
    room: (u16, u16),
}

impl Compare {
    /// Compares another build.
    pub fn enter(&mut self, id: &str, with: Option<&str>) {
        let with = with.unwrap_or_default();
        if self.id != id || self.with != with {
            *self = Self {
                id: id.to_owned(),
                with: with.to_owned(),
                ..Self::default()
            };
        }
    }

    fn lines(&self) -> Vec<Line> {
        self.feed
            .data()
            .map(|comparison| lines(comparison, self.room.1))
            .unwrap_or_default()
    }

    /// The job to look into: the first that ended otherwise, else the first of all.
    fn job(&self) -> Option<Place> {
        let comparison = self.feed.data()?;
        let now = comparison.jobs.iter().find_map(|job| job.now.as_ref())?;
        Some(Place::Job(JobRef {
            pipeline: Some(comparison.build.id.clone()),
            job: Some(now.job.clone()),
            run: None,
        }))
    }
}

impl Screen for Compare {
    fn contexts(&self, _shell: &Shell) -> Vec<Context> {
        vec![Context::Compare, Context::Things, Context::Everywhere]
    }

    fn need(&mut self, shell: &Shell) -> Vec<Action> {
        let body = shell.body();
        self.room = (
            body.height.saturating_sub(HEAD),
            body.width.saturating_sub(2),
        );
        let want = Want::Compare {
            id: self.id.clone(),
            with: self.with.clone(),
        };
        self.feed
            .need(Slot::Detail, want, shell.now)
            .into_iter()
            .collect()
    }

    fn accept(&mut self, _slot: Slot, want: &Want, answer: Result<Box<Answer>, Failure>) {
        self.feed
            .accept(want, only!(answer, Answer::Compare), |_| false);
    }

    fn touch(&mut self, touch: Touch) {
        touch.reach(&mut self.feed);
    }

    fn command(&mut self, cmd: Cmd, _shell: &Shell) -> Option<Vec<Effect>> {
        let page = usize::from(self.room.0.max(2)) - 1;
        let last = self
            .lines()
            .len()
            .saturating_sub(usize::from(self.room.0.max(1)));
        let to = match cmd {
            Cmd::Open | Cmd::LogOf => {
                return Some(match self.job() {
                    Some(place) => vec![Effect::Go(place)],
                    None => Effect::refuse("no job ended otherwise"),
                });
            }
            Cmd::Up => self.top.saturating_sub(1),
            Cmd::Down => self.top + 1,
            Cmd::PageUp => self.top.saturating_sub(page),
            Cmd::PageDown => self.top + page,
            Cmd::HalfUp => self.top.saturating_sub(page / 2),
            Cmd::HalfDown => self.top + page / 2,
            Cmd::Top => 0,
            Cmd::Bottom => last,
            _ => return None,
        };
        self.top = to.min(last);
        Some(Vec::new())
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let build = self
            .feed
            .data()
            .map(|one| Subject::Pipeline(&one.build, None));
        build.into_iter().collect()
    }

    fn view(&self, pen: &mut Pen, area: Rect, scene: &Scene) {
        let width = area.width.saturating_sub(2);
        let crumb = Line::new().muted("Builds › ");
        let text = Rect {
            x: 1,
            y: area.y + HEAD,
            width,
            height: area.height.saturating_sub(HEAD),
        };
        let Some(comparison) = self.feed.data() else {
            pen.line(1, area.y, width, &crumb.strong(self.id.clone()));
            let lines = instead(&self.feed, scene, area.width).unwrap_or_default();
            return pen.lines(text, &lines);
        };
        let build = &comparison.build;
        let head = crumb
            .strong(pipeline_name(build))
            .muted(" › compared")
            .gap(3)
            .join(workflow::state(build, scene.now));
        pen.line(1, area.y, width, &head);
        pen.line(1, area.y + 1, width, &with(comparison, scene));
        let lines = self.lines();
        pen.lines(text, lines.get(self.top..).unwrap_or_default());
    }

    fn footer(&self, _scene: &Scene) -> Line {
        match (self.feed.failure(), self.feed.data()) {
            (Some(failure), Some(_)) => {
                Line::new().put(Role::Failed, format!("✗ {}", failure.text))
            }
            (_, Some(_)) => {
                let below = self
                    .lines()
                    .len()
                    .saturating_sub(self.top + usize::from(self.room.0));
                if self.top == 0 && below == 0 {
                    Line::new()
                } else {
                    Line::new().muted(format!("{} above, {below} below", self.top))
                }
            }
            _ => Line::new(),
        }
    }

    fn rows(&self) -> Value {
        self.feed
            .data()
            .map_or(Value::Null, |comparison| json(&[comparison]))
    }

    fn seq(&self) -> Option<i64> {
        self.feed.data().map(|comparison| comparison.seq)
    }

    fn is_settled(&self) -> bool {
        self.feed.is_settled()
    }

    fn refused(&self) -> Option<Kind> {
        self.feed.failure().map(|failure| failure.kind)
    }
}

/// What it is compared with, and which one that is.
fn with(comparison: &Comparison, scene: &Scene) -> Line {
    let Some(row) = &comparison.with else {
        return Line::new().put(Role::Waiting, "with nothing");
    };
    let PipelineRow { revision, .. } = row;
    Line::new()
        .muted("with ")
        .strong(pipeline_name(row))
        .muted(format!(" {}", text::revision(revision)))
        .muted(format!(", {} ago: ", scene.now.age(row.created_at)))
        .text(comparison.which.clone())
}

fn lines(comparison: &Comparison, width: u16) -> Vec<Line> {
    if comparison.with.is_none() {
        let why = format!("There is nothing to compare it with: {}.", comparison.which);
        let mut lines: Vec<Line> = text::wrap(&why, width)
            .into_iter()
            .map(Line::from)
            .collect();
        lines.push(
            Line::new().muted("Mark two builds in Builds with Space, and = compares the two."),
        );
        return lines;
    }
    let mut lines = jobs(&comparison.jobs, width);
    lines.extend(commits(&comparison.commits));
    lines.push(Line::new());
    let changed = comparison.config.iter().filter(|line| line.sign != ' ');
    lines.push(head("Config, as compiled", changed.count()));
    if comparison.config.is_empty() {
        lines.push(
            Line::new()
                .gap(2)
                .muted("the same jobs with the same steps"),
        );
    }
    lines.extend(comparison.config.iter().map(|line| {
        let text = format!("{} {}", line.sign, line.text);
        match line.sign {
            '+' => Line::new().put(Role::Ok, text),
            '-' => Line::new().put(Role::Failed, text),
            _ => Line::new().muted(text),
        }
    }));
    if comparison.config_cut > 0 {
        let more = text::plural(comparison.config_cut, "more line");
        lines.push(Line::new().gap(2).muted(format!("and {more}")));
    }
    lines
}

fn head(title: &str, n: usize) -> Line {
    let line = Line::new().strong(title);
    if n == 0 {
        line
    } else {
        line.muted(format!("  {}", text::count(n as u64)))
    }
}

fn jobs(jobs: &[JobChange], width: u16) -> Vec<Line> {
    let (changed, same): (Vec<_>, Vec<_>) = jobs.iter().partition(|job| !job.changes.is_empty());
    let mut lines = vec![head("Jobs that differ", changed.len())];
    let indent = NAME + 2 * TOOK + 4;
    let room = width.saturating_sub(indent).max(20);
    for job in changed {
        let mark = job.now.as_ref().map(|side| marks::status(side.status));
        let (glyph, role) = mark.map_or(("·", Role::Muted), |mark| (mark.glyph, mark.role));
        let mut words = text::wrap(&job.changes.join("; "), room).into_iter();
        let line = Line::new()
            .put(role, format!("{glyph} "))
            .bold(Role::Text, text::fit(&job.name, NAME - 1).into_owned())
            .pad(NAME + 2)
            .join(took(job.now.as_ref(), Role::Text))
            .join(took(job.then.as_ref(), Role::Muted))
            .gap(2)
            .text(words.next().unwrap_or_default());
        lines.push(line);
        lines.extend(words.map(|words| Line::new().gap(usize::from(indent)).text(words)));
    }
    if lines.len() == 1 {
        lines.push(Line::new().gap(2).muted("none"));
    } else {
        let note = format!(
            "{:>w$}{:>t$}{:>t$}",
            "",
            "took",
            "then",
            w = usize::from(NAME) + 2,
            t = usize::from(TOOK)
        );
        lines.insert(1, Line::new().muted(note));
    }
    if !same.is_empty() {
        let names: Vec<&str> = same.iter().map(|job| job.name.as_str()).collect();
        let words = format!(
            "{} as before: {}",
            text::plural(same.len() as u64, "job"),
            names.join(", ")
        );
        lines.push(Line::new().gap(2).muted(words));
    }
    lines.push(Line::new());
    lines
}

fn took(side: Option<&JobSide>, role: Role) -> Line {
    let words = side.and_then(|side| side.took_ms).map_or_else(
        || "–".to_owned(),
        |ms| text::took(Duration::from_millis(ms)),
    );
    Line::new().put(role, format!("{words:>w$}", w = usize::from(TOOK)))
}

fn commits(commits: &Commits) -> Vec<Line> {
    let mut lines = vec![head("Commits", usize::try_from(commits.total).unwrap_or(0))];
    if !commits.unknown.is_empty() {
        lines.push(
            Line::new()
                .gap(2)
                .put(Role::Waiting, commits.unknown.clone()),
        );
    } else if commits.total == 0 && commits.missing == 0 {
        lines.push(
            Line::new()
                .gap(2)
                .muted("none: both are of the same commit"),
        );
    }
    lines.extend(commits.rows.iter().map(|commit| {
        Line::new()
            .gap(2)
            .put(Role::Link, text::revision(&commit.id))
            .gap(2)
            .text(commit.subject.clone())
            .muted(format!(
                "   {}, {}",
                commit.author,
                commit.at.local("%m-%d %H:%M")
            ))
    }));
    let more = commits.total.saturating_sub(commits.rows.len() as u64);
    if more > 0 {
        lines.push(
            Line::new()
                .gap(2)
                .muted(format!("and {} more", text::count(more))),
        );
    }
    if commits.missing > 0 {
        let words = format!(
            "{} that only the other one has",
            text::count(commits.missing)
        );
        lines.push(Line::new().gap(2).put(Role::Waiting, words));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use roundel::api::builds::Status;
    use roundel::api::compare::{Commit, ConfigLine};
    use roundel::clock::Timestamp;

    fn side(status: Status, took_ms: u64) -> Option<JobSide> {
        Some(JobSide {
            job: "j".to_owned(),
            status,
            took_ms: Some(took_ms),
            nodes: Vec::new(),
            cause: String::new(),
        })
    }

    fn shown(lines: &[Line]) -> Vec<String> {
        lines
            .iter()
            .map(|line| line.plain().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn jobs_that_differ_come_with_both_durations_and_the_others_by_name() {
        let change = |name: &str, changes: &[&str]| JobChange {
            workflow: "main".to_owned(),
            name: name.to_owned(),
            then: side(Status::Success, 41_000),
            now: side(Status::Failed, 112_000),
            changes: changes.iter().map(|&words| words.to_owned()).collect(),
        };
        let lines = shown(&jobs(
            &[
                change("test", &["failed, was success", "took 2.7 times as long"]),
                change("lint", &[]),
            ],
            80,
        ));
        assert_eq!(lines[0], "Jobs that differ  1");
        assert!(lines[2].starts_with("✗ test"), "{lines:?}");
        assert!(
            lines[2].contains("1m 52s     41 s  failed, was success; took 2.7"),
            "{lines:?}"
        );
        assert!(
            lines.contains(&"  1 job as before: lint".to_owned()),
            "{lines:?}"
        );
        assert!(
            lines.iter().all(|line| text::width(line) <= 80),
            "{lines:?}"
        );
        assert_eq!(shown(&jobs(&[], 80))[1], "  none");
    }

    #[test]
    fn commits_are_listed_counted_or_said_to_be_unknown() {
        let row = Commit {
            id: "0123456789".to_owned(),
            author: "Ann".to_owned(),
            at: Timestamp(0),
            subject: "Fix".to_owned(),
        };
        for (what, words) in [
            (Commits::default(), "of the same commit"),
            (
                Commits {
                    rows: vec![row],
                    total: 60,
                    ..Commits::default()
                },
                "0123456  Fix   Ann, ",
            ),
            (
                Commits {
                    missing: 2,
                    ..Commits::default()
                },
                "2 that only the other one has",
            ),
            (
                Commits {
                    unknown: "the mirror is gone".to_owned(),
                    ..Commits::default()
                },
                "the mirror is gone",
            ),
        ] {
            let lines = shown(&commits(&what)).join("\n");
            assert!(lines.contains(words), "{words}: {lines}");
            assert_eq!(lines.contains("and 59 more"), what.total == 60, "{lines}");
        }
    }

    #[test]
    fn a_config_line_keeps_its_sign_where_there_is_no_colour() {
        let build =
            crate::console::verbs::fixtures::pipeline(2, Value::Object(serde_json::Map::default()));
        let comparison = Comparison {
            with: Some(build.clone()),
            build,
            which: "the last green build".to_owned(),
            commits: Commits::default(),
            config: vec![ConfigLine {
                sign: '+',
                text: "  parallelism 4".to_owned(),
            }],
            config_cut: 3,
            jobs: Vec::new(),
            seq: 1,
        };
        let text = shown(&lines(&comparison, 80)).join("\n");
        assert!(
            text.contains("+   parallelism 4\n  and 3 more lines"),
            "{text}"
        );
        let none = Comparison {
            with: None,
            which: "no build of main before it ended green".to_owned(),
            ..comparison
        };
        let text = shown(&lines(&none, 80)).join("\n");
        assert!(
            text.contains("nothing to compare it with: no build of main"),
            "{text}"
        );
    }
}
