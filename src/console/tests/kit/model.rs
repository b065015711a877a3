//! A server in memory: answers each window as the real one does, from rows that a test may change at any time.

use std::collections::BTreeMap;

use roundel::api::builds::{
    LineOf, LogLine, LogLines, LogMatches, LogQuery, PipelineDetail, RunRow, RunState, StepRow,
};
use roundel::api::compare::Comparison;
use roundel::api::dashboard::Dashboard;
use roundel::api::fleet::{Explanation, NodeCounts, NodeRow};
use roundel::api::settings::{Settings, VersionRow};
use roundel::api::{AuditRow, Hello, ListQuery, Page, Summary};
use roundel::error::Kind;
use serde::Serialize;

use super::{rows, settings};
use crate::console::action::{Source, Want};
use crate::console::event::{Answer, Failure};
use crate::console::screens::audit;

/// Which windows are refused, and with what.
type Refuses = (fn(&Want) -> bool, Failure);

/// What the server holds.
#[derive(Clone, Debug)]
pub struct Model {
    /// Who it is.
    pub hello: Hello,
    /// Its counters; those of runs and nodes are counted when they are asked for.
    pub summary: Summary,
    /// All runs, in the line's order.
    pub runs: Vec<RunRow>,
    /// All builds, newest first.
    pub pipelines: Vec<PipelineDetail>,
    /// All nodes.
    pub nodes: Vec<NodeRow>,
    /// Steps by attempt; ordinary ones where none stand here.
    pub steps: BTreeMap<String, Vec<StepRow>>,
    /// Lines by attempt and step (`None` = the Build Agent's own log).
    pub logs: BTreeMap<(String, Option<u16>), Vec<LogLine>>,
    /// Why runs wait, where it is not as usual.
    pub explanation: Option<Explanation>,
    /// What the dashboard shows; nothing was ever built where none stands here.
    pub dashboard: Option<Dashboard>,
    /// The audit log, newest first.
    pub audit: Vec<AuditRow>,
    /// What a build did differently; there is nothing to compare it with where none stands here.
    pub comparison: Option<Comparison>,
    /// The settings.
    pub settings: Settings,
    /// Their versions, newest first.
    pub versions: Vec<VersionRow>,
    /// Windows that are refused, and with what.
    pub refuses: Option<Refuses>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            hello: rows::hello(),
            summary: rows::summary(),
            runs: Vec::new(),
            pipelines: Vec::new(),
            nodes: Vec::new(),
            steps: BTreeMap::new(),
            logs: BTreeMap::new(),
            explanation: None,
            dashboard: None,
            audit: Vec::new(),
            comparison: None,
            settings: settings::settings(&[]),
            versions: Vec::new(),
            refuses: None,
        }
    }
}

impl Model {
    /// Nothing at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Six runs that wait, three builds (running, failed, well), three nodes (one busy, one draining, one down).
    pub fn busy() -> Self {
        use roundel::api::builds::Status;
        let busy = NodeRow {
            runs: 2,
            cpu_used_millis: 4000,
            memory_used_mb: 8192,
            ..rows::node(1)
        };
        let draining = NodeRow {
            runs: 1,
            cpu_used_millis: 2000,
            memory_used_mb: 4096,
            drain: Some(rows::drain()),
            eligible: false,
            ..rows::node(2)
        };
        let down = NodeRow {
            status: "down".into(),
            ..rows::node(3)
        };
        let jobs = vec![
            rows::job(21, "build", Status::Success, &[]),
            rows::job(22, "test", Status::Running, &["build"]),
        ];
        let running = rows::pipeline(
            1,
            Status::Running,
            vec![rows::workflow("wf-0", "main", jobs)],
        );
        let well = vec![rows::job(31, "build", Status::Success, &[])];
        let well = rows::pipeline(
            3,
            Status::Success,
            vec![rows::workflow("wf-2", "main", well)],
        );
        let mut model = Self {
            runs: (1..=6).map(rows::run).collect(),
            pipelines: vec![running, rows::failed_build(2), well],
            nodes: vec![busy, draining, down],
            ..Self::default()
        };
        model.summary.waits = rows::waits();
        let on = |run: RunRow, node: &str| RunRow {
            node: Some(node.into()),
            ..run
        };
        let more = [(22, "n01"), (23, "n01"), (24, "n02")];
        model
            .runs
            .extend(more.map(|(n, node)| on(rows::running(n), node)));
        let failed = model.pipelines[1].workflows[0].jobs[2].runs[0]
            .attempt
            .clone();
        model.logs.insert((failed, Some(1)), lines(30));
        model
    }

    /// The same, with much to say on the dashboard, in the audit log, and of what the failed build did differently.
    pub fn told() -> Self {
        let mut model = Self::busy();
        let row = |at: usize| model.pipelines[at].row.clone();
        model.comparison = Some(rows::comparison(row(1), row(2)));
        model.dashboard = Some(super::much());
        model.settings = settings::with_ldap();
        model.versions = vec![
            settings::version(4, "ann", &["ldap.enabled", "ldap.base_dn"]),
            settings::version(3, "bea", &["hostname"]),
        ];
        model.audit = vec![
            rows::event(2, 5, "ann", "node.drain", "n02"),
            AuditRow {
                result: "there is no node `n9`".into(),
                ..rows::event(1, 90, "bea", "node.eligibility", "n9")
            },
        ];
        model
    }

    /// The counters, with what is there counted.
    pub fn counted(&self) -> Summary {
        let of = |state| self.runs.iter().filter(|run| run.state == state).count() as u64;
        let mut nodes = NodeCounts::default();
        for node in &self.nodes {
            let kind = match node {
                node if node.status == "down" => &mut nodes.down,
                node if node.drain.is_some() => &mut nodes.draining,
                node if !node.eligible => &mut nodes.ineligible,
                _ => &mut nodes.ready,
            };
            *kind += 1;
            nodes.cpu_millis += u64::from(node.cpu_total_millis - node.cpu_reserved_millis);
            nodes.cpu_millis_used += u64::from(node.cpu_used_millis);
        }
        Summary {
            waiting: of(RunState::Pending),
            running: of(RunState::Running),
            nodes,
            ..self.summary.clone()
        }
    }

    /// Every run there is: those of the line, and those of the builds' jobs.
    fn all_runs(&self) -> impl Iterator<Item = &RunRow> {
        let passes = self.pipelines.iter().flat_map(|one| &one.workflows);
        let jobs = passes.flat_map(|pass| &pass.jobs);
        self.runs.iter().chain(jobs.flat_map(|job| &job.runs))
    }

    /// Answers a window.
    pub fn answer(&self, want: &Want) -> Result<Answer, Failure> {
        if let Some((refused, failure)) = &self.refuses
            && refused(want)
        {
            return Err(failure.clone());
        }
        let missing = |what: &str| Failure::new(Kind::NotFound, format!("no {what}"));
        match want {
            Want::Runs(query) => {
                let wanted = |run: &&RunRow| {
                    query.state.is_empty() || query.state.split(',').any(|s| s == run.state.word())
                };
                let rows = self.runs.iter().filter(wanted).cloned().collect();
                Ok(Answer::Runs(window(rows, query, |run| &run.attempt)))
            }
            Want::Run(id) => {
                let run = self
                    .all_runs()
                    .find(|run| run.attempt == *id || run.name == *id);
                let run = run.ok_or_else(|| missing("run"))?;
                let steps = self.steps.get(&run.attempt).cloned();
                let mut detail = rows::run_detail(run, steps.unwrap_or_else(|| rows::steps(run)));
                if let (Some(why), true) = (&self.explanation, detail.explanation.is_some()) {
                    detail.explanation = Some(why.clone());
                }
                Ok(Answer::Run(detail))
            }
            Want::Pipelines(query) => {
                let rows = self.pipelines.iter().map(|one| one.row.clone()).collect();
                Ok(Answer::Pipelines(window(rows, query, |row| &row.id)))
            }
            Want::Pipeline(id) => {
                let mut all = self.pipelines.iter();
                let one = all.find(|one| one.row.id == *id).cloned();
                one.map(Answer::Pipeline).ok_or_else(|| missing("pipeline"))
            }
            Want::Compare { .. } => {
                let known = self.comparison.clone();
                known
                    .map(Answer::Compare)
                    .ok_or_else(|| missing("green build"))
            }
            Want::Nodes(query) => Ok(Answer::Nodes(window(self.nodes.clone(), query, |node| {
                &node.id
            }))),
            Want::Dashboard => {
                let known = self.dashboard.clone();
                Ok(Answer::Dashboard(
                    known.unwrap_or_else(super::dashboard::dashboard),
                ))
            }
            Want::Settings => Ok(Answer::Settings(self.settings.clone())),
            Want::SettingsDiff => Ok(Answer::SettingsDiff(settings::difference(&self.settings))),
            Want::SettingsVersions => Ok(Answer::SettingsVersions(self.versions.clone())),
            Want::Audit(query) => {
                // The server reads the words that name a span.
                let (spans, words): (Vec<_>, Vec<_>) = query
                    .filter
                    .split_whitespace()
                    .partition(|word| word.starts_with("last:"));
                let since = if spans.is_empty() {
                    i64::MIN
                } else {
                    rows::ago(3600).0
                };
                let all = self.audit.iter().filter(|row| row.at.0 >= since);
                let all = all.cloned().map(audit::Event::from).collect();
                let query = ListQuery {
                    filter: words.join(" "),
                    ..query.clone()
                };
                let page = window(all, &query, |event| &event.id);
                Ok(Answer::Audit(Page {
                    rows: page.rows.into_iter().map(|event| event.row).collect(),
                    total: page.total,
                    offset: page.offset,
                    seq: page.seq,
                }))
            }
            Want::Node(id) => {
                let node = self
                    .nodes
                    .iter()
                    .find(|node| node.id == *id || node.name == *id);
                let node = node.ok_or_else(|| missing("node"))?;
                let there = |run: &&RunRow| {
                    run.state == RunState::Running && run.node.as_ref() == Some(&node.name)
                };
                let runs = self.runs.iter().filter(there).cloned().collect();
                Ok(Answer::Node(rows::node_detail(node, runs)))
            }
            Want::Lines { of, query } => Ok(Answer::Lines(self.lines(of, query))),
            Want::Matches { of, query } => {
                let words = query.search.clone().unwrap_or_default();
                let exact = words.chars().any(char::is_uppercase);
                let holds = |line: &&LogLine| {
                    if query.errors {
                        line.text.contains("error")
                    } else if exact {
                        line.text.contains(&words)
                    } else {
                        line.text.to_lowercase().contains(&words)
                    }
                };
                let lines = self.log(of, query);
                let total = lines.len() as u64;
                let (from, to) = match query.before {
                    Some(before) => (0, before),
                    None => (query.line.unwrap_or(0), total),
                };
                let within = |line: &&LogLine| (from..to).contains(&line.n);
                let found = lines.iter().filter(within).filter(holds);
                Ok(Answer::Matches(LogMatches {
                    lines: found.map(|line| line.n).collect(),
                    from,
                    to,
                    total,
                }))
            }
            #[allow(
                unreachable_patterns,
                reason = "windows that this model does not know yet"
            )]
            other => Err(missing(&format!("answer to {other:?}"))),
        }
    }

    /// The attempts that write a log, with the index of each.
    fn writers(&self, of: &Source) -> Vec<(u32, String)> {
        match of {
            Source::Step { attempt, .. } | Source::Agent { attempt } => {
                vec![(0, attempt.clone())]
            }
            Source::Together { job, .. } => {
                let passes = self.pipelines.iter().flat_map(|one| &one.workflows);
                let mut jobs = passes.flat_map(|pass| &pass.jobs);
                let runs = jobs.find(|one| one.id == *job).map(|job| &job.runs);
                let runs = runs.into_iter().flatten();
                runs.map(|run| (run.index, run.attempt.clone())).collect()
            }
        }
    }

    /// The lines of a log that a query's stream holds, numbered within it.
    fn log(&self, of: &Source, query: &LogQuery) -> Vec<LogLine> {
        let stream = match query.stream.as_deref() {
            Some("out") => Some(1),
            Some("err") => Some(2),
            _ => None,
        };
        let mut all = Vec::new();
        for (run, attempt) in self.writers(of) {
            let lines = self.logs.get(&(attempt, of.step()));
            let lines = lines.into_iter().flatten();
            let kept = lines.filter(|line| stream.is_none_or(|s| s == line.s));
            all.extend(kept.cloned().zip(0..).map(|(line, n)| LogLine {
                of: of.attempt().is_none().then_some(LineOf { run, n }),
                ..line
            }));
        }
        // By time; what came at one moment stays run by run.
        all.sort_by_key(|line| line.t);
        let numbered = all.into_iter().zip(0..);
        numbered.map(|(line, n)| LogLine { n, ..line }).collect()
    }

    fn lines(&self, of: &Source, query: &LogQuery) -> LogLines {
        let all = self.log(of, query);
        let total = all.len() as u64;
        let count = query.tail.or(query.count).unwrap_or(50);
        let first = match query.tail {
            Some(tail) => total.saturating_sub(tail),
            None => query.line.unwrap_or(0),
        };
        let writers: Vec<String> = self.writers(of).into_iter().map(|(_, id)| id).collect();
        let open = self
            .all_runs()
            .any(|run| writers.contains(&run.attempt) && run.state == RunState::Running);
        LogLines {
            bytes: all.iter().map(|line| line.text.len() as u64 + 1).sum(),
            lines: all
                .into_iter()
                .skip(first as usize)
                .take(count as usize)
                .collect(),
            total,
            open,
        }
    }
}

/// `n` lines that say their number from 1, every tenth on stderr as an error.
pub fn lines(n: u64) -> Vec<LogLine> {
    let line = |n: u64| {
        if (n + 1).is_multiple_of(10) {
            LogLine {
                s: 2,
                ..rows::log_line(n, &format!("error in line {}", n + 1))
            }
        } else {
            rows::log_line(n, &format!("this is line {}", n + 1))
        }
    };
    (0..n).map(line).collect()
}

/// Filters, sorts and cuts a list as the server does.
fn window<T: Serialize>(mut rows: Vec<T>, query: &ListQuery, id: fn(&T) -> &String) -> Page<T> {
    rows.retain(|row| matches(&said(row), &query.filter));
    let column = query.sort.trim_start_matches('-');
    if !column.is_empty() {
        rows.sort_by_cached_key(|row| key(row, column));
        if query.sort.starts_with('-') {
            rows.reverse();
        }
    }
    let limit = query.limit.unwrap_or(50).min(1000) as usize;
    let around = query.around.as_ref();
    let at = around.and_then(|wanted| rows.iter().position(|row| id(row) == wanted));
    let offset = at.map_or(query.offset.unwrap_or(0) as usize, |at| {
        at.saturating_sub(limit / 2)
    });
    let offset = offset.min(rows.len());
    Page {
        total: rows.len() as u64,
        offset: offset as u64,
        rows: rows.into_iter().skip(offset).take(limit).collect(),
        seq: 1,
    }
}

/// The words of a row: every text and number in it, at any depth.
fn said<T: Serialize>(row: &T) -> String {
    fn collect(value: &serde_json::Value, into: &mut String) {
        use serde_json::Value;
        match value {
            Value::String(text) => *into += &format!("{text} "),
            Value::Number(n) => *into += &format!("#{n} "),
            Value::Array(all) => all.iter().for_each(|one| collect(one, into)),
            Value::Object(map) => map.values().for_each(|one| collect(one, into)),
            Value::Null | Value::Bool(_) => {}
        }
    }
    let mut words = String::new();
    collect(&serde_json::to_value(row).unwrap(), &mut words);
    words
}

/// All words must occur, `!word` must not; capitals count only where the word has some.
fn matches(text: &str, filter: &str) -> bool {
    filter.split_whitespace().all(|word| {
        let (word, wanted) = match word.strip_prefix('!') {
            Some(rest) if !rest.is_empty() => (rest, false),
            _ => (word, true),
        };
        let exact = word.chars().any(char::is_uppercase);
        let holds = if exact {
            text.contains(word)
        } else {
            text.to_lowercase().contains(word)
        };
        holds == wanted
    })
}

/// What a row is sorted by: numbers as numbers, then words.
fn key<T: Serialize>(row: &T, column: &str) -> (i64, String) {
    let all = serde_json::to_value(row).unwrap();
    let field = match column {
        "job" => "job_name",
        "waiting" => "queued_at",
        "created" => "created_at",
        "cpu" => "cpu_used_millis",
        "memory" => "memory_used_mb",
        other => other,
    };
    match &all[field] {
        serde_json::Value::Number(n) => (n.as_i64().unwrap_or(i64::MAX), String::new()),
        serde_json::Value::String(text) => (0, text.clone()),
        _ => (i64::MAX, String::new()),
    }
}
