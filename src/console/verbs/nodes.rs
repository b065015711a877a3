//! Verbs of a node: drain it, end a drain, let it take new work or not; and the questions before them.

use roundel::api::fleet::{NodeRow, SetDrain};

use super::{Verb, ask};
use crate::console::action::Write;
use crate::console::effect::Effect;
use crate::console::keymap::Cmd;
use crate::console::overlays::{Button, Dialog, Overlay, Prompt, Purpose};
/// The write that drains a node, or why it cannot be.
pub(super) fn drain(node: &NodeRow, deadline_s: Option<u64>) -> Result<Write, String> {
    if node.status == "down" {
        return Err("the node is down".to_owned());
    }
    if node.drain.is_some() {
        return Err("it drains already".to_owned());
    }
    Ok(drain_write(&node.name, deadline_s))
}

/// The write that ends a node's drain, or why there is none to end.
pub(super) fn end_drain(node: &NodeRow) -> Result<Write, String> {
    match (&node.drain, node.status.as_str()) {
        (_, "down") => Err("the node is down".to_owned()),
        (None, _) => Err("it does not drain".to_owned()),
        (Some(_), _) => Ok(undrain(&node.name)),
    }
}

/// The write that lets a node take new work, or not; or why that cannot be.
pub(super) fn eligibility(node: &NodeRow, eligible: bool) -> Result<Write, String> {
    if node.drain.is_some() {
        return Err("it drains; end the drain first".to_owned());
    }
    if node.eligible == eligible {
        let now = if eligible { "takes" } else { "takes no" };
        return Err(format!("it {now} new work already"));
    }
    Ok(Write::Eligibility {
        node: node.name.clone(),
        eligible,
    })
}

pub(super) fn of_node(node: &NodeRow) -> Vec<Verb> {
    let name = &node.name;
    let (label, effects) = if node.drain.is_some() {
        let body = "It takes new work again at once, unless it is ineligible.";
        let title = format!("End the drain of {name}?");
        (
            "end its drain",
            end_drain(node).map(|write| ask(&title, body, "End it", write)),
        )
    } else {
        let dialog = drain_dialog(name, Some(node.runs));
        (
            "drain it",
            drain(node, None).map(|_| vec![Effect::Open(Overlay::Dialog(dialog))]),
        )
    };
    let (label_c, effects_c) = if node.eligible && node.drain.is_none() {
        let body = "What runs there goes on; new work goes elsewhere.";
        let title = format!("Give {name} no new work?");
        (
            "give it no new work",
            eligibility(node, false).map(|write| ask(&title, body, "No new work", write)),
        )
    } else {
        (
            "let it take new work",
            eligibility(node, true).map(|write| vec![Effect::Write(write)]),
        )
    };
    vec![
        Verb {
            cmd: Cmd::Drain,
            label: label.into(),
            effects,
        },
        Verb {
            cmd: Cmd::Eligibility,
            label: label_c.into(),
            effects: effects_c,
        },
    ]
}

pub(super) fn drain_write(node: &str, deadline_s: Option<u64>) -> Write {
    Write::Drain {
        node: node.to_owned(),
        set: SetDrain {
            enable: true,
            deadline_s,
        },
    }
}

/// The write that ends a drain.
#[must_use]
pub fn undrain(node: &str) -> Write {
    Write::Drain {
        node: node.to_owned(),
        set: SetDrain {
            enable: false,
            deadline_s: None,
        },
    }
}

/// What a deadline means.
pub(super) const AT_A_DEADLINE: &str = "At a deadline, what still runs is interrupted and goes back into the queue once, at its \
     old place.";

/// The question before a drain; `runs` run there, if that is known.
#[must_use]
pub fn drain_dialog(node: &str, runs: Option<u32>) -> Dialog {
    let drain = |deadline_s| drain_write(node, deadline_s);
    let what = match runs {
        Some(0) => "Nothing runs there: it is safe to terminate at once. New work goes elsewhere."
            .to_owned(),
        Some(1) => "1 run goes on there until it ends. New work goes elsewhere.".to_owned(),
        Some(n) => format!("{n} runs go on there until they end. New work goes elsewhere."),
        None => "What runs there goes on until it ends. New work goes elsewhere.".to_owned(),
    };
    let deadline = Overlay::Prompt(Prompt::new(
        Purpose::Deadline {
            nodes: vec![node.to_owned()],
        },
        "10m",
    ));
    let mut dialog = Dialog::new(
        format!("Drain {node}?"),
        vec![what, AT_A_DEADLINE.to_owned()],
        vec![
            Button::new("Drain, wait", false, vec![Effect::Write(drain(None))]),
            Button::new("Until a deadline…", false, vec![Effect::Open(deadline)]),
            Button::new("Now", true, vec![Effect::Write(drain(Some(0)))]),
        ],
    );
    dialog.command = drain(None).command();
    dialog
}
