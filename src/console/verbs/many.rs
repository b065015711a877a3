//! The same verbs for many marked things at once. Each asks first and lists what it hits; what it cannot hit is left
//! out and said, with the reasons.

use std::collections::BTreeMap;

use roundel::api::fleet::NodeCounts;

use super::{
    AT_A_DEADLINE, Subject, Verb, cancel, drain, eligibility, end_drain, pipeline_name, rerun,
    rerun_menu, run_name, stop,
};
use crate::console::action::Write;
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::overlays::{Button, Dialog, Item, Menu, Overlay, Prompt, Purpose, Word};
use crate::console::text;

/// Names that a question lists.
const NAMED: usize = 6;
/// What is typed before the last node is drained.
const ALL: &str = "drain all";

/// `3 runs`: what is marked, in words.
#[must_use]
pub fn count(marked: &[Subject]) -> String {
    text::plural(marked.len() as u64, noun(marked))
}

fn noun(marked: &[Subject]) -> &'static str {
    match marked.first() {
        Some(Subject::Run(_)) => "run",
        Some(Subject::Pipeline(..)) => "build",
        Some(Subject::Fact(_)) => "event",
        Some(Subject::Node(_)) | None => "node",
    }
}

/// What one verb hits of all that is marked, and what it leaves out.
struct Hit {
    noun: &'static str,
    names: Vec<String>,
    writes: Vec<Write>,
    left: BTreeMap<String, u64>,
}

impl Hit {
    fn of(marked: &[Subject], write: impl Fn(&Subject) -> Result<Write, String>) -> Self {
        let mut hit = Self {
            noun: noun(marked),
            names: Vec::new(),
            writes: Vec::new(),
            left: BTreeMap::new(),
        };
        for subject in marked {
            match write(subject) {
                Ok(write) => {
                    hit.writes.push(write);
                    hit.names.push(match subject {
                        Subject::Run(run) => run_name(run),
                        Subject::Pipeline(row, _) => pipeline_name(row),
                        Subject::Node(node) => node.name.clone(),
                        Subject::Fact(fact) => fact.name(),
                    });
                }
                Err(why) => *hit.left.entry(why).or_default() += 1,
            }
        }
        hit
    }

    fn count(&self) -> String {
        text::plural(self.writes.len() as u64, self.noun)
    }

    /// Why nothing is hit, if so.
    fn some(self) -> Result<Self, String> {
        if !self.writes.is_empty() {
            return Ok(self);
        }
        let reasons: Vec<&str> = self.left.keys().map(String::as_str).collect();
        Err(format!("none of them can: {}", reasons.join(", ")))
    }

    /// What is hit and what is left out, one paragraph each.
    fn body(&self, what: &str) -> Vec<String> {
        let first = self.names.iter().take(NAMED);
        let mut names = first.cloned().collect::<Vec<_>>().join(", ");
        let more = self.names.len().saturating_sub(NAMED);
        if more > 0 {
            names.push_str(&format!(" and {} more", text::count(more as u64)));
        }
        let mut body = vec![format!("{names}."), what.to_owned()];
        if !self.left.is_empty() {
            let reasons = self.left.iter().map(|(why, n)| format!("{n}: {why}"));
            let reasons = reasons.collect::<Vec<_>>().join("; ");
            body.push(format!("Left out: {reasons}."));
        }
        body
    }

    fn dialog(&self, title: String, what: &str, buttons: Vec<Button>) -> Dialog {
        let mut dialog = Dialog::new(title, self.body(what), buttons);
        if let Some(first) = self.writes.first() {
            let more = if self.writes.len() > 1 { "  …" } else { "" };
            dialog.command = format!("{}{more}", first.command());
        }
        dialog
    }

    /// A question with one answer that does it.
    fn ask(self, title: &str, what: &str, yes: &str) -> Vec<Effect> {
        let title = format!("{title} {}?", self.count());
        let button = Button::new(yes, true, vec![Effect::WriteMany(self.writes.clone())]);
        let dialog = self.dialog(title, what, vec![button]);
        vec![Effect::Open(Overlay::Dialog(dialog))]
    }
}

/// All verbs of what is marked; `nodes` counts all nodes there are.
#[must_use]
pub fn verbs(marked: &[Subject], nodes: Option<NodeCounts>) -> Vec<Verb> {
    let verb = |cmd, label: String, effects| Verb {
        cmd,
        label,
        effects,
    };
    let count = count(marked);
    match marked.first() {
        Some(Subject::Fact(_)) | None => Vec::new(),
        Some(Subject::Run(_)) => vec![verb(Cmd::Stop, format!("stop {count}"), stops(marked))],
        Some(Subject::Pipeline(..)) => vec![
            verb(Cmd::Rerun, format!("run {count} again"), reruns(marked)),
            verb(Cmd::Stop, format!("cancel {count}"), cancels(marked)),
        ],
        Some(Subject::Node(_)) => vec![
            verb(
                Cmd::Drain,
                format!("drain {count}, or end it"),
                drains(marked, nodes),
            ),
            verb(
                Cmd::Eligibility,
                format!("give {count} no new work, or let them"),
                eligibilities(marked),
            ),
        ],
    }
}

fn stops(marked: &[Subject]) -> Result<Vec<Effect>, String> {
    let hit = Hit::of(marked, |subject| match subject {
        Subject::Run(run) => stop(run),
        _ => Err("it is no run".to_owned()),
    });
    let what = "What waits leaves the queue; steps that run get TERM, then KILL after 5 s. All end as canceled.";
    Ok(hit.some()?.ask("Stop", what, "Stop them"))
}

fn cancels(marked: &[Subject]) -> Result<Vec<Effect>, String> {
    let hit = Hit::of(marked, |subject| match subject {
        Subject::Pipeline(row, _) => cancel(row),
        _ => Err("it is no build".to_owned()),
    });
    let what = "What runs or waits of them ends as canceled; what has ended stays as it is.";
    Ok(hit.some()?.ask("Cancel", what, "Stop them"))
}

fn reruns(marked: &[Subject]) -> Result<Vec<Effect>, String> {
    let again = |from_failed| {
        Hit::of(marked, |subject| match subject {
            Subject::Pipeline(row, within) => {
                rerun(row, within.map(|within| within.pass), from_failed)
            }
            _ => Err("it is no build".to_owned()),
        })
        .some()
    };
    let all = again(false)?.ask("Run again all jobs of", "Each gets a new pass.", "Run them");
    let failed = again(true).map(|hit| {
        let what = "What succeeded is kept, the rest runs again.";
        hit.ask("Run again what failed of", what, "Run them")
    });
    Ok(rerun_menu(&count(marked), Ok(all), failed))
}

/// One thing to do, or a menu where there are two opposite ones.
fn either(
    title: String,
    first: (&str, Result<Vec<Effect>, String>),
    second: (&str, Result<Vec<Effect>, String>),
) -> Result<Vec<Effect>, String> {
    match (first.1, second.1) {
        (Err(why), Err(_)) => Err(why),
        (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(one),
        (Ok(one), Ok(other)) => {
            let item = |label: &str, effects| Item {
                key: label.chars().next(),
                label: label.to_owned(),
                note: String::new(),
                effects: Ok(effects),
            };
            let menu = Menu::new(title, vec![item(first.0, one), item(second.0, other)]);
            Ok(vec![Effect::Open(Overlay::Menu(menu))])
        }
    }
}

fn drains(marked: &[Subject], nodes: Option<NodeCounts>) -> Result<Vec<Effect>, String> {
    let hit = |deadline_s| {
        Hit::of(marked, |subject| match subject {
            Subject::Node(node) => drain(node, deadline_s),
            _ => Err("it is no node".to_owned()),
        })
    };
    let ends = Hit::of(marked, |subject| match subject {
        Subject::Node(node) => end_drain(node),
        _ => Err("it is no node".to_owned()),
    });
    let wait = hit(None).some().map(|hits| {
        let names = hits.names.clone();
        let deadline = Prompt::new(Purpose::Deadline { nodes: names }, "10m");
        let buttons = vec![
            Button::new(
                "Drain, wait",
                false,
                vec![Effect::WriteMany(hits.writes.clone())],
            ),
            Button::new(
                "Until a deadline…",
                false,
                vec![Effect::Open(Overlay::Prompt(deadline))],
            ),
            Button::new("Now", true, vec![Effect::WriteMany(hit(Some(0)).writes)]),
        ];
        let what = format!("What runs there goes on until it ends. {AT_A_DEADLINE}");
        let mut dialog = hits.dialog(format!("Drain {}?", hits.count()), &what, buttons);
        if takes_all(hits.writes.len(), nodes) {
            dialog
                .body
                .push("No node is left that takes work.".to_owned());
            dialog.word = Some(Word::new(ALL));
        }
        vec![Effect::Open(Overlay::Dialog(dialog))]
    });
    let end = ends.some().map(|hit| {
        let what = "They take new work again at once.";
        hit.ask("End the drain of", what, "End them")
    });
    either(
        format!("Drain of {}", count(marked)),
        ("drain those that do not", wait),
        ("end it for those that do", end),
    )
}

/// Whether draining so many leaves no node that could take work.
fn takes_all(hit: usize, nodes: Option<NodeCounts>) -> bool {
    nodes.is_some_and(|nodes| {
        let rest = nodes.ready + nodes.ineligible;
        hit > 0 && hit as u64 >= u64::from(rest)
    })
}

fn eligibilities(marked: &[Subject]) -> Result<Vec<Effect>, String> {
    let set = |eligible| {
        Hit::of(marked, |subject| match subject {
            Subject::Node(node) => eligibility(node, eligible),
            _ => Err("it is no node".to_owned()),
        })
        .some()
    };
    let none = set(false).map(|hit| {
        let what = "What runs there goes on; new work goes elsewhere.";
        hit.ask("Give no new work to", what, "No new work")
    });
    let some = set(true).map(|hit| {
        let what = "New work may go there from now on.";
        hit.ask("Let take new work:", what, "Let them")
    });
    either(
        format!("New work for {}", count(marked)),
        ("none for those that take it", none),
        ("let the others take it", some),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::verbs::fixtures::{node, pipeline, run};
    use serde_json::json;

    fn of(marked: &[Subject], cmd: Cmd, ready: u32) -> Result<Vec<Effect>, String> {
        let nodes = NodeCounts {
            ready,
            ..NodeCounts::default()
        };
        let verbs = verbs(marked, Some(nodes));
        let verb = verbs.into_iter().find(|verb| verb.cmd == cmd);
        verb.expect("the verb is listed").effects
    }

    fn dialog(effects: Result<Vec<Effect>, String>) -> Dialog {
        match effects.unwrap().as_slice() {
            [Effect::Open(Overlay::Dialog(dialog))] => dialog.clone(),
            other => panic!("no dialog: {other:?}"),
        }
    }

    fn writes(dialog: &Dialog, button: usize) -> Vec<String> {
        match dialog.buttons[button].effects.as_slice() {
            [Effect::WriteMany(writes)] => writes.iter().map(Write::command).collect(),
            other => panic!("no writes: {other:?}"),
        }
    }

    #[test]
    fn the_question_lists_what_it_hits_and_what_it_leaves_out() {
        let runs: Vec<_> = (1..=9)
            .map(|n| {
                let state = if n == 3 { "dead" } else { "pending" };
                run(n, json!({"state": state, "stopping": n == 4}))
            })
            .collect();
        let marked: Vec<_> = runs.iter().map(Subject::Run).collect();
        let dialog = dialog(of(&marked, Cmd::Stop, 1));
        assert_eq!(dialog.title, "Stop 7 runs?");
        assert_eq!(dialog.focus, 0, "cancel has the focus");
        assert!(dialog.buttons[0].effects.is_empty());
        let body = dialog.body.join("\n");
        for words in [
            "org/api #1 test, org/api #2 test, ",
            "and 1 more.",
            "Left out: 1: it has ended already; 1: it is being stopped already.",
        ] {
            assert!(body.contains(words), "{words}: {body}");
        }
        assert_eq!(dialog.command, "roundel stop n001-0-build-org-api-1  …");
        assert_eq!(writes(&dialog, 1).len(), 7);
    }

    #[test]
    fn a_verb_that_hits_nothing_says_why() {
        let runs = [run(1, json!({"state": "dead"}))];
        let marked: Vec<_> = runs.iter().map(Subject::Run).collect();
        assert_eq!(
            of(&marked, Cmd::Stop, 1),
            Err("none of them can: it has ended already".to_owned())
        );
        let builds = [pipeline(1, json!({"status": "running"}))];
        let marked: Vec<_> = builds
            .iter()
            .map(|row| Subject::Pipeline(row, None))
            .collect();
        assert_eq!(
            of(&marked, Cmd::Rerun, 1),
            Err("none of them can: it still runs".to_owned())
        );
        assert_eq!(dialog(of(&marked, Cmd::Stop, 1)).title, "Cancel 1 build?");
        assert_eq!(verbs(&[], None), []);
    }

    #[test]
    fn builds_run_again_whole_or_from_what_failed() {
        let none = json!({"total": 3, "waiting": 0, "running": 0, "success": 3, "failed": 0, "canceled": 0});
        let builds = [
            pipeline(1, json!({})),
            pipeline(2, json!({"status": "success", "jobs": none})),
        ];
        let marked: Vec<_> = builds
            .iter()
            .map(|row| Subject::Pipeline(row, None))
            .collect();
        let effects = of(&marked, Cmd::Rerun, 1).unwrap();
        let [Effect::Open(Overlay::Menu(menu))] = effects.as_slice() else {
            panic!("no menu: {effects:?}");
        };
        for (letter, commands) in [
            ('r', vec!["roundel rerun p001", "roundel rerun p002"]),
            ('f', vec!["roundel rerun --from-failed p001"]),
        ] {
            let chosen = menu.clone().typed(letter);
            assert_eq!(chosen[0], Effect::Close);
            assert_eq!(writes(&dialog(Ok(chosen[1..].to_vec())), 1), commands);
        }
    }

    #[test]
    fn draining_the_last_nodes_wants_the_words_typed() {
        let nodes = [node(1, json!({})), node(2, json!({"eligible": false}))];
        let marked: Vec<_> = nodes.iter().map(Subject::Node).collect();
        let some = dialog(of(&marked, Cmd::Drain, 5));
        assert_eq!(some.word, None);
        assert_eq!(
            writes(&some, 1),
            [
                "roundel node-drain -enable n01",
                "roundel node-drain -enable n02"
            ]
        );
        assert!(writes(&some, 3)[0].contains("-deadline 0"));
        let mut all = dialog(of(&marked, Cmd::Drain, 2));
        assert!(all.word.is_some());
        all.focus = 1;
        assert_eq!(all.command(Cmd::Open), [], "not without the words");
        "drain all".chars().for_each(|c| {
            assert_eq!(all.typed(c), [], "letters go to the words");
        });
        assert_eq!(all.command(Cmd::Open).len(), 2);
        all.command(Cmd::Erase);
        assert_eq!(all.command(Cmd::Open), []);
        all.focus = 0;
        assert_eq!(all.command(Cmd::Open), [Effect::Close], "cancel needs none");
    }

    #[test]
    fn opposite_verbs_are_a_choice_where_both_hit_something() {
        let drain = json!({"since": "2026-11-24T12:00:00Z", "deadline": null, "by": "ann"});
        let nodes = [
            node(1, json!({})),
            node(2, json!({"drain": drain, "eligible": false})),
        ];
        let both: Vec<_> = nodes.iter().map(Subject::Node).collect();
        let menu = of(&both, Cmd::Drain, 5).unwrap();
        assert!(matches!(menu.as_slice(), [Effect::Open(Overlay::Menu(_))]));
        let end = dialog(of(&both[1..], Cmd::Drain, 5));
        assert_eq!(end.title, "End the drain of 1 node?");
        assert_eq!(writes(&end, 1), ["roundel node-drain -disable n02"]);
        let none = dialog(of(&both, Cmd::Eligibility, 5));
        assert_eq!(writes(&none, 1), ["roundel node-eligibility -disable n01"]);
        assert_eq!(
            of(&both[1..], Cmd::Eligibility, 5),
            Err("none of them can: it drains; end the drain first".to_owned())
        );
    }
}
