//! What can be done with the thing under the cursor: one list, from which the action menu, the capital keys and the
//! palette all come. What cannot be done stays in it, with the reason. What destroys asks first.

use roundel::api::builds::{JobRow, PipelineDetail, PipelineRow, RunRow, RunState, Status};
use roundel::api::fleet::NodeRow;

use crate::console::action::{Action, Write};
use crate::console::effect::Effect;
use crate::console::keymap::{Cmd, Context};
use crate::console::overlays::{Button, Dialog, Item, Menu, Overlay};
use crate::console::place::{JobRef, Place};
use crate::console::screens::{Screen, workflow};
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::theme::Role;

mod fact;
#[cfg(test)]
pub mod fixtures;
mod many;
mod nodes;

pub use fact::{Fact, of_installation};
use nodes::{AT_A_DEADLINE, drain, eligibility, end_drain, of_node};
pub use nodes::{drain_dialog, undrain};

/// What the cursor is on.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A run.
    Run(&'a RunRow),
    /// A pipeline, and what of it one looks at where that is known.
    Pipeline(&'a PipelineRow, Option<Within<'a>>),
    /// A node.
    Node(&'a NodeRow),
    /// Something else that can be looked at.
    Fact(Fact<'a>),
}

/// What of a pipeline one looks at.
#[derive(Clone, Copy, Debug)]
pub struct Within<'a> {
    /// The whole of it.
    pub detail: &'a PipelineDetail,
    /// Id of the workflow's pass.
    pub pass: &'a str,
    /// The job.
    pub job: &'a JobRow,
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
        Subject::Pipeline(row, within) => of_pipeline(row, *within),
        Subject::Node(node) => of_node(node),
        Subject::Fact(fact) => fact.verbs(),
    });
    protect(all.collect(), protected)
}

/// Takes away what writes, where nothing can be written.
fn protect(mut verbs: Vec<Verb>, why: Option<&str>) -> Vec<Verb> {
    if let Some(why) = why {
        for verb in verbs.iter_mut().filter(|verb| verb.cmd != Cmd::LogOf) {
            verb.effects = Err(why.to_owned());
        }
    }
    verbs
}

/// The verbs of what is marked, or of the foremost subjects where nothing is.
#[must_use]
pub fn of(screen: &dyn Screen, shell: &Shell) -> Vec<Verb> {
    let protected = shell.write_protected();
    let marked = screen.marked();
    if marked.is_empty() {
        return verbs(&screen.subjects(), protected.as_deref());
    }
    let nodes = shell.summary.as_ref().map(|summary| summary.nodes);
    protect(many::verbs(&marked, nodes), protected.as_deref())
}

/// The menu of these verbs, named for what they are about.
#[must_use]
pub fn menu(screen: &dyn Screen, shell: &Shell, contexts: &[Context]) -> Option<Overlay> {
    let title = match (screen.marked().as_slice(), screen.subjects().first()) {
        ([], Some(Subject::Run(run))) => run_name(run),
        ([], Some(Subject::Pipeline(row, _))) => pipeline_name(row),
        ([], Some(Subject::Node(node))) => node.name.clone(),
        ([], Some(Subject::Fact(fact))) => fact.name(),
        ([], None) => "Here".to_owned(),
        (marked, _) => format!("{} marked", many::count(marked)),
    };
    let mut verbs = of(screen, shell);
    verbs.extend(screen.verbs(shell));
    // What else has a capital here: actions of the screen itself, and those for which there is nothing just now.
    for bound in shell.keymap.actions(contexts) {
        let cmd = bound.shipped.cmd;
        if verbs.iter().any(|verb| verb.cmd == cmd) {
            continue;
        }
        let of_things = matches!(
            cmd,
            Cmd::Drain | Cmd::Eligibility | Cmd::Stop | Cmd::Rerun | Cmd::Approve
        );
        let effects = if of_things {
            Err("nothing here to do that with".to_owned())
        } else {
            Ok(vec![Effect::Press(cmd)])
        };
        verbs.push(Verb {
            cmd,
            label: bound.shipped.does.to_owned(),
            effects,
        });
    }
    if verbs.is_empty() {
        return None;
    }
    let items = verbs.into_iter().map(|verb| Item {
        // A letter only: what is held with it is no key of a menu.
        key: shell
            .keymap
            .key_of(contexts, verb.cmd)
            .filter(|key| key.chars().nth(1).is_none())
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

/// The write that stops a run, or why there is nothing to stop.
fn stop(run: &RunRow) -> Result<Write, String> {
    match run.state {
        RunState::Dead => Err("it has ended already".to_owned()),
        _ if run.stopping => Err("it is being stopped already".to_owned()),
        _ => Ok(Write::StopRun {
            attempt: run.attempt.clone(),
            name: run.name.clone(),
        }),
    }
}

fn of_run(run: &RunRow) -> Vec<Verb> {
    let name = run_name(run);
    let body = if run.state == RunState::Pending {
        "It waits; it leaves the queue and ends as canceled."
    } else {
        "Its steps get TERM, then KILL after 5 s, and it ends as canceled."
    };
    let stop = stop(run).map(|write| ask(&format!("Stop {name}?"), body, "Stop it", write));
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

/// The write that runs a build again, or why it cannot be.
fn rerun(row: &PipelineRow, workflow: Option<&str>, from_failed: bool) -> Result<Write, String> {
    if !row.status.is_final() {
        Err("it still runs".to_owned())
    } else if row.jobs.total == 0 {
        Err("its config did not compile; push a fix, then build again".to_owned())
    } else if from_failed && row.jobs.failed == 0 && row.jobs.canceled == 0 {
        Err("no job has failed".to_owned())
    } else {
        Ok(Write::Rerun {
            id: workflow.unwrap_or(&row.id).to_owned(),
            name: pipeline_name(row),
            from_failed,
        })
    }
}

/// What approves the job of a build that waits for it, or why there is none. Where several wait, one is chosen: among
/// the jobs of the build, so that is where one goes first.
fn approve(row: &PipelineRow, within: Option<Within>) -> Result<Vec<Effect>, String> {
    let name = pipeline_name(row);
    let asked = |id: &str, name: String| {
        let body = "What requires the approval goes on at once.";
        let title = format!("Approve {name}?");
        let id = id.to_owned();
        ask(&title, body, "Approve", Write::Approve { id, name })
    };
    if row.jobs.on_hold == 0 {
        return Err("no job of it waits for approval".to_owned());
    }
    let passes = within.map(|within| workflow::newest(within.detail));
    let jobs = passes.iter().flatten().flat_map(|(pass, _)| &pass.jobs);
    let mut held: Vec<&JobRow> = jobs.filter(|job| job.status == Status::OnHold).collect();
    // The one that is looked at comes first.
    held.sort_by_key(|job| within.is_none_or(|within| within.job.id != job.id));
    let of = |job: &JobRow| asked(&job.id, format!("{} of {name}", job.name));
    Ok(match held.as_slice() {
        [] if row.jobs.on_hold == 1 => asked(&row.id, name),
        [] => vec![
            Effect::Go(Place::Pipeline(row.id.clone())),
            Effect::Say(
                Role::Accent,
                format!(
                    "{} jobs of it wait for approval; A chooses",
                    row.jobs.on_hold
                ),
            ),
        ],
        [job] => of(job),
        several => {
            let items = several.iter().zip('1'..='9').map(|(job, key)| Item {
                key: Some(key),
                label: job.name.clone(),
                note: String::new(),
                effects: Ok(of(job)),
            });
            let menu = Menu::new(format!("Approve which job of {name}?"), items.collect());
            vec![Effect::Open(Overlay::Menu(menu))]
        }
    })
}

/// The write that cancels a build, or why there is nothing to cancel.
fn cancel(row: &PipelineRow) -> Result<Write, String> {
    if row.status.is_final() {
        return Err("it has ended already".to_owned());
    }
    Ok(Write::Cancel {
        pipeline: row.id.clone(),
        name: pipeline_name(row),
    })
}

/// The two ways to run builds again; each is the effects, or why not.
fn rerun_menu(
    name: &str,
    all: Result<Vec<Effect>, String>,
    failed: Result<Vec<Effect>, String>,
) -> Vec<Effect> {
    let items = vec![
        Item {
            key: Some('r'),
            label: "all jobs".into(),
            note: "a new pass over the whole graph".into(),
            effects: all,
        },
        Item {
            key: Some('f'),
            label: "from what failed".into(),
            note: "keeps what succeeded".into(),
            effects: failed,
        },
    ];
    let menu = Menu::new(format!("Run {name} again"), items);
    vec![Effect::Open(Overlay::Menu(menu))]
}

fn of_pipeline(row: &PipelineRow, within: Option<Within>) -> Vec<Verb> {
    let name = pipeline_name(row);
    let pass = within.map(|within| within.pass);
    let write = |from_failed| rerun(row, pass, from_failed).map(|write| vec![Effect::Write(write)]);
    let again = write(false).map(|all| rerun_menu(&name, Ok(all), write(true)));
    let cancel = cancel(row).map(|write| {
        let body = format!(
            "{} and {} end as canceled; what has ended stays as it is.",
            text::plural(u64::from(row.jobs.running), "running job"),
            text::plural(u64::from(row.jobs.waiting), "waiting job"),
        );
        ask(&format!("Cancel {name}?"), &body, "Stop it", write)
    });
    vec![
        Verb {
            cmd: Cmd::LogOf,
            label: "open the log of what failed, or runs".into(),
            effects: Ok(vec![Effect::Go(Place::log_of(&row.id))]),
        },
        Verb {
            cmd: Cmd::Rerun,
            label: "run it again".into(),
            effects: again,
        },
        Verb {
            cmd: Cmd::Approve,
            label: "approve it".into(),
            effects: approve(row, within),
        },
        Verb {
            cmd: Cmd::Stop,
            label: "cancel this build".into(),
            effects: cancel,
        },
    ]
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
pub fn quit_dialog(busy: u64, unstaged: u64, kept: bool) -> Dialog {
    let going = match busy {
        0 => "Nothing runs or waits.".to_owned(),
        1 => "1 run goes on without this console.".to_owned(),
        n => format!("{n} runs go on without this console."),
    };
    let mut body = vec![format!(
        "{going} Builds never end with a console; `roundel` opens it again."
    )];
    if unstaged > 0 {
        let typed = text::plural(unstaged, "setting");
        body.push(if kept {
            format!("What was typed of {typed} is staged now, and not saved.")
        } else {
            format!("What was typed of {typed} is not on the server, and goes away.")
        });
    }
    let mut dialog = Dialog::new("Leave the console?", body, Vec::new());
    dialog.buttons = vec![
        Button::new("Stay", false, Vec::new()),
        Button::new("Quit", false, vec![Effect::Do(Action::Quit)]),
    ];
    dialog.quits = true;
    dialog
}
