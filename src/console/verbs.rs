//! What can be done with the thing under the cursor: one list, from which the action menu, the capital keys and the
//! palette all come. What cannot be done stays in it, with the reason. What destroys asks first.

use roundel::api::builds::{PipelineRow, RunRow, RunState};
use roundel::api::fleet::{NodeRow, SetDrain};

use crate::console::action::{Action, Write};
use crate::console::effect::Effect;
use crate::console::keymap::{Cmd, Context, Keymap};
use crate::console::overlays::{Button, Dialog, Item, Menu, Overlay, Prompt, Purpose};
use crate::console::place::{JobRef, Place};
use crate::console::text;

/// What the cursor is on.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A run.
    Run(&'a RunRow),
    /// A pipeline, and its newest workflow where that is known.
    Pipeline(&'a PipelineRow, Option<&'a str>),
    /// A node.
    Node(&'a NodeRow),
}

/// Something that can be done.
#[derive(Clone, PartialEq, Debug)]
pub struct Verb {
    /// Its command.
    pub cmd: Cmd,
    /// Its words.
    pub label: String,
    /// What comes of it, or why it cannot be.
    pub effects: Result<Vec<Effect>, String>,
}

/// All verbs of some subjects. `protected` tells why nothing can be written, if so.
#[must_use]
pub fn verbs(subjects: &[Subject], protected: Option<&str>) -> Vec<Verb> {
    let all = subjects.iter().flat_map(|subject| match subject {
        Subject::Run(run) => of_run(run),
        Subject::Pipeline(row, workflow) => of_pipeline(row, *workflow),
        Subject::Node(node) => of_node(node),
    });
    let mut verbs: Vec<Verb> = all.collect();
    if let Some(why) = protected {
        for verb in verbs.iter_mut().filter(|verb| verb.cmd != Cmd::LogOf) {
            verb.effects = Err(why.to_owned());
        }
    }
    verbs
}

/// The menu of the verbs of some subjects, named for the first.
#[must_use]
pub fn menu(
    subjects: &[Subject],
    protected: Option<&str>,
    keymap: &Keymap,
    contexts: &[Context],
) -> Option<Overlay> {
    let title = match subjects.first()? {
        Subject::Run(run) => run_name(run),
        Subject::Pipeline(row, _) => pipeline_name(row),
        Subject::Node(node) => node.name.clone(),
    };
    let items = verbs(subjects, protected).into_iter().map(|verb| Item {
        key: keymap
            .key_of(contexts, verb.cmd)
            .and_then(|key| key.chars().next()),
        label: verb.label,
        note: String::new(),
        effects: verb.effects,
    });
    Some(Overlay::Menu(Menu::new(title, items.collect())))
}

/// `test 3/10` for one of several copies, else `test`.
#[must_use]
pub fn copy_name(run: &RunRow) -> String {
    if run.of > 1 {
        format!("{} {}/{}", run.job_name, run.index + 1, run.of)
    } else {
        run.job_name.clone()
    }
}

/// `org/api #12 test 3/10`.
#[must_use]
pub fn run_name(run: &RunRow) -> String {
    format!("{} #{} {}", run.project, run.number, copy_name(run))
}

/// `org/api #12`.
#[must_use]
pub fn pipeline_name(row: &PipelineRow) -> String {
    format!("{} #{}", row.project, row.number)
}

/// The place of a run's job.
#[must_use]
pub fn job_of(run: &RunRow) -> Place {
    Place::Job(JobRef {
        pipeline: Some(run.pipeline.clone()),
        job: Some(run.job.clone()),
        run: Some(run.attempt.clone()),
    })
}

fn of_run(run: &RunRow) -> Vec<Verb> {
    let name = run_name(run);
    let stop = match run.state {
        RunState::Dead => Err("it has ended already".to_owned()),
        _ if run.stopping => Err("it is being stopped already".to_owned()),
        state => {
            let body = if state == RunState::Pending {
                "It waits; it leaves the queue and ends as canceled."
            } else {
                "Its steps get TERM, then KILL after 5 s, and it ends as canceled."
            };
            let write = Write::StopRun {
                attempt: run.attempt.clone(),
                name: run.name.clone(),
            };
            Ok(ask(&format!("Stop {name}?"), body, "Stop it", write))
        }
    };
    vec![
        Verb {
            cmd: Cmd::LogOf,
            label: "open its log".into(),
            effects: Ok(vec![Effect::Go(job_of(run))]),
        },
        Verb {
            cmd: Cmd::Stop,
            label: "stop this run".into(),
            effects: stop,
        },
    ]
}

fn of_pipeline(row: &PipelineRow, workflow: Option<&str>) -> Vec<Verb> {
    let name = pipeline_name(row);
    let id = workflow.unwrap_or(&row.id).to_owned();
    let rerun = |from_failed| {
        Effect::Write(Write::Rerun {
            id: id.clone(),
            name: name.clone(),
            from_failed,
        })
    };
    let from_failed = if row.jobs.failed + row.jobs.canceled > 0 {
        Ok(vec![rerun(true)])
    } else {
        Err("no job has failed".to_owned())
    };
    let items = vec![
        Item {
            key: Some('r'),
            label: "all jobs".into(),
            note: "a new pass over the whole graph".into(),
            effects: Ok(vec![rerun(false)]),
        },
        Item {
            key: Some('f'),
            label: "from what failed".into(),
            note: "keeps what succeeded".into(),
            effects: from_failed,
        },
    ];
    let menu = Overlay::Menu(Menu::new(format!("Run {name} again"), items));
    let again = if !row.status.is_final() {
        Err("it still runs".to_owned())
    } else if row.jobs.total == 0 {
        Err("its config did not compile; push a fix, then build again".to_owned())
    } else {
        Ok(vec![Effect::Open(menu)])
    };
    let cancel = if row.status.is_final() {
        Err("it has ended already".to_owned())
    } else {
        let body = format!(
            "{} and {} end as canceled; what has ended stays as it is.",
            text::plural(u64::from(row.jobs.running), "running job"),
            text::plural(u64::from(row.jobs.waiting), "waiting job"),
        );
        let write = Write::Cancel {
            pipeline: row.id.clone(),
            name: name.clone(),
        };
        Ok(ask(&format!("Cancel {name}?"), &body, "Stop it", write))
    };
    vec![
        Verb {
            cmd: Cmd::Rerun,
            label: "run it again".into(),
            effects: again,
        },
        Verb {
            cmd: Cmd::Stop,
            label: "cancel this build".into(),
            effects: cancel,
        },
    ]
}

fn of_node(node: &NodeRow) -> Vec<Verb> {
    let (label, drain) = if node.drain.is_some() {
        let body = "It takes new work again at once, unless it is ineligible.";
        (
            "end its drain",
            ask(
                &format!("End the drain of {}?", node.name),
                body,
                "End it",
                undrain(&node.name),
            ),
        )
    } else {
        (
            "drain it",
            vec![Effect::Open(Overlay::Dialog(drain_dialog(
                &node.name,
                Some(node.runs),
            )))],
        )
    };
    let drain = if node.status == "down" {
        Err("the node is down".to_owned())
    } else {
        Ok(drain)
    };
    let toggle = Write::Eligibility {
        node: node.name.clone(),
        eligible: !node.eligible,
    };
    let (label_c, effects) = if node.drain.is_some() {
        (
            "let it take new work",
            Err("it drains; end the drain first".to_owned()),
        )
    } else if node.eligible {
        let body = "What runs there goes on; new work goes elsewhere.";
        (
            "give it no new work",
            Ok(ask(
                &format!("Give {} no new work?", node.name),
                body,
                "No new work",
                toggle,
            )),
        )
    } else {
        ("let it take new work", Ok(vec![Effect::Write(toggle)]))
    };
    vec![
        Verb {
            cmd: Cmd::Drain,
            label: label.into(),
            effects: drain,
        },
        Verb {
            cmd: Cmd::Eligibility,
            label: label_c.into(),
            effects,
        },
    ]
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

/// The question before a drain; `runs` run there, if that is known.
#[must_use]
pub fn drain_dialog(node: &str, runs: Option<u32>) -> Dialog {
    let drain = |deadline_s| Write::Drain {
        node: node.to_owned(),
        set: SetDrain {
            enable: true,
            deadline_s,
        },
    };
    let what = match runs {
        Some(0) => "Nothing runs there: it is safe to terminate at once. New work goes elsewhere."
            .to_owned(),
        Some(1) => "1 run goes on there until it ends. New work goes elsewhere.".to_owned(),
        Some(n) => format!("{n} runs go on there until they end. New work goes elsewhere."),
        None => "What runs there goes on until it ends. New work goes elsewhere.".to_owned(),
    };
    let later = "At a deadline, what still runs is interrupted and goes back into the queue once, at its old place.".to_owned();
    let deadline = Overlay::Prompt(Prompt::new(
        Purpose::Deadline {
            node: node.to_owned(),
        },
        "10m",
    ));
    let mut dialog = Dialog::new(
        format!("Drain {node}?"),
        vec![what, later],
        vec![
            Button::new("Drain, wait", false, vec![Effect::Write(drain(None))]),
            Button::new("Until a deadline…", false, vec![Effect::Open(deadline)]),
            Button::new("Now", true, vec![Effect::Write(drain(Some(0)))]),
        ],
    );
    dialog.command = drain(None).command();
    dialog
}

fn ask(title: &str, body: &str, yes: &str, write: Write) -> Vec<Effect> {
    let mut dialog = Dialog::new(title, vec![body.to_owned()], Vec::new());
    dialog.command = write.command();
    dialog
        .buttons
        .push(Button::new(yes, true, vec![Effect::Write(write)]));
    vec![Effect::Open(Overlay::Dialog(dialog))]
}

/// The question before leaving.
#[must_use]
pub fn quit_dialog(busy: u64) -> Dialog {
    let going = match busy {
        0 => "Nothing runs or waits.".to_owned(),
        1 => "1 run goes on without this console.".to_owned(),
        n => format!("{n} runs go on without this console."),
    };
    let body = vec![format!(
        "{going} Builds never end with a console; `roundel` opens it again."
    )];
    let mut dialog = Dialog::new("Leave the console?", body, Vec::new());
    dialog.buttons = vec![
        Button::new("Stay", false, Vec::new()),
        Button::new("Quit", false, vec![Effect::Do(Action::Quit)]),
    ];
    dialog.quits = true;
    dialog
}
