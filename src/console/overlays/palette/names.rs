//! Names that the server knows and the screen does not show: a few for what is being typed, of nodes, builds and runs.
//!
//! Asked per kind, and only when what is typed has become another question; the backend has one question of a kind under
//! way and keeps the newest of those that wait, so that fast typing asks no more than the server answers.

use roundel::api::ListQuery;

use super::Candidate;
use crate::console::action::{Action, Slot, Want};
use crate::console::event::Answer;
use crate::console::marks;
use crate::console::text::plural;
use crate::console::verbs::{pipeline_name, run_name};

/// Names of a kind that are asked for: as many as the panel shows.
const FEW: u64 = 8;

/// One kind of name.
#[derive(Clone, PartialEq, Debug)]
struct Kind {
    slot: Slot,
    /// Words that a name of this kind follows.
    words: &'static [&'static str],
    asked: Option<Want>,
    found: Vec<Candidate>,
}

/// The names of all kinds.
#[derive(Clone, PartialEq, Debug)]
pub struct Names {
    kinds: [Kind; 3],
}

impl Default for Names {
    fn default() -> Self {
        let kind = |slot, words| Kind {
            slot,
            words,
            asked: None,
            found: Vec::new(),
        };
        Self {
            kinds: [
                kind(Slot::NodeNames, &["node", "drain", "undrain"]),
                kind(Slot::BuildNames, &["pipeline", "project"]),
                kind(Slot::RunNames, &["run"]),
            ],
        }
    }
}

impl Names {
    /// The questions that are due for what is typed; `free` are words after which anything may follow.
    pub fn need(&mut self, typed: &str, free: impl Fn(&str) -> bool) -> Vec<Action> {
        let typed = typed.trim_start();
        let (first, rest) = typed.split_once(' ').unwrap_or(("", ""));
        let named = |kind: &Kind| kind.words.contains(&first);
        let of_a_kind = self.kinds.iter().any(named);
        let mut due = Vec::new();
        for kind in &mut self.kinds {
            let words = match (named(kind), of_a_kind || free(first)) {
                (true, _) => Some(rest),
                (false, true) => None,
                (false, false) => Some(typed),
            };
            // One letter is no question, and neither is a word that must not occur.
            let short = if named(kind) { 0 } else { 1 };
            let words = words
                .map(str::trim)
                .filter(|words| words.chars().count() > short && !words.contains('!'));
            let want = words.map(|words| {
                let query = ListQuery {
                    filter: words.to_owned(),
                    limit: Some(FEW),
                    ..ListQuery::default()
                };
                match kind.slot {
                    Slot::NodeNames => Want::Nodes(query),
                    Slot::BuildNames => Want::Pipelines(query),
                    _ => Want::Runs(query),
                }
            });
            if want.is_none() {
                (kind.asked, kind.found) = (None, Vec::new());
            } else if want != kind.asked {
                due.extend(want.clone().map(|want| Action::Fetch(kind.slot, want)));
                kind.asked = want;
            }
        }
        due
    }

    /// Takes an answer; false when it is to an older question.
    pub fn accept(
        &mut self,
        slot: Slot,
        asked: &Want,
        answer: Option<&Answer>,
        typed: &str,
    ) -> bool {
        let kind = self.kinds.iter_mut().find(|kind| kind.slot == slot);
        let Some(kind) = kind.filter(|kind| kind.asked.as_ref() == Some(asked)) else {
            return false;
        };
        let first = typed.trim_start().split(' ').next().unwrap_or_default();
        kind.found = answer
            .map(|answer| candidates(answer, first))
            .unwrap_or_default();
        true
    }

    /// The connection broke: what was asked will not be answered.
    pub fn forget(&mut self) {
        for kind in &mut self.kinds {
            kind.asked = None;
        }
    }

    /// All that were found.
    pub fn all(&self) -> impl Iterator<Item = &Candidate> {
        self.kinds.iter().flat_map(|kind| &kind.found)
    }
}

fn candidates(answer: &Answer, first: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = match answer {
        Answer::Nodes(page) => {
            let word = if matches!(first, "drain" | "undrain") {
                first
            } else {
                "node"
            };
            let one = |node: &roundel::api::fleet::NodeRow| {
                let runs = plural(u64::from(node.runs), "run");
                let note = format!("a node, {}, {runs}", marks::node(node).word);
                Candidate::new(format!("{word} {}", node.name), note)
            };
            page.rows.iter().map(one).collect()
        }
        Answer::Pipelines(page) if first == "project" => {
            let one = |name: &String| Candidate::new(format!("project {name}"), "its builds");
            page.rows.iter().map(|row| one(&row.project)).collect()
        }
        Answer::Pipelines(page) => page
            .rows
            .iter()
            .map(|row| {
                let name = format!("pipeline {}", pipeline_name(row));
                let note = format!("{}  {}", marks::status(row.status).word, row.subject);
                Candidate::named(name, note, format!("pipeline {}", row.id))
            })
            .collect(),
        Answer::Runs(page) => page
            .rows
            .iter()
            .map(|run| {
                let name = format!("run {}", run_name(run));
                Candidate::named(name, marks::run(run).word, format!("run {}", run.attempt))
            })
            .collect(),
        _ => Vec::new(),
    };
    found.dedup_by(|a, b| a.text == b.text);
    found
}
