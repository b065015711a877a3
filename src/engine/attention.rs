//! What needs somebody now: one sentence each, what to do about it, and where that is done.
//!
//! Only from what is known; knows nothing of how it is shown.

mod certificates;
mod vms;

use super::publish::{Live, OBJECTIVE_MS};
use super::view::View;
use super::vms::VmsStand;
use super::wellness::PartStands;
use crate::clock::Timestamp;
use crate::ids::{AttemptId, PipelineId};
use crate::pipeline::status::Phase;
use crate::services::health::{Health, Part};
use crate::store::{HeldRecord, StoreError};

/// How soon somebody is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Urgency {
    /// Work is held up or lost while nobody looks.
    Now,
    /// It will come to that.
    Soon,
    /// Good to know; nothing is held up.
    Notice,
}

/// Where something is looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Spot {
    /// The installation as a whole.
    Dashboard,
    /// What waits.
    Queue,
    /// The nodes.
    Cluster,
    /// A node, by name.
    Node(String),
    /// A run.
    Run(AttemptId),
    /// The builds.
    Builds,
    /// A build.
    Pipeline(PipelineId),
    /// The settings of a group, by its name.
    Settings(&'static str),
}

/// Something that needs somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Concern {
    /// How soon.
    pub urgency: Urgency,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// What is the matter: a sentence without a period.
    pub text: String,
    /// What to do about it.
    pub help: String,
    /// Where.
    pub spot: Spot,
}

/// Things of one kind that are told one by one; more become one line.
const EACH: usize = 3;

/// Share of the runs of an hour that must be placed within the objective, in percent.
const OBJECTIVE_PERCENT: u64 = 95;

/// Runs of an hour without which a share says little.
const OBJECTIVE_RUNS: u64 = 20;

/// Use of the file system from which somebody should make room, in percent; nothing is placed from 95 on.
const DISK_PERCENT: u64 = 90;

impl View {
    /// What needs somebody, most urgent first, then longest.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn concerns(
        &self,
        parts: &[PartStands],
        vms: &VmsStand,
        now: Timestamp,
    ) -> Result<Vec<Concern>, StoreError> {
        let live = self.live();
        let mut all = installation(&live, parts);
        all.extend(disk(
            &live,
            self.pulse.samples().last().and_then(|look| look.disk),
        ));
        all.extend(failing(parts, live.read_only.is_some()));
        let renews = self.values.borrow().has("acme.account");
        all.extend(certificates::concerns(
            &self.certificates.all(),
            renews,
            now,
        ));
        all.extend(vms::concern(vms));
        all.extend(self.silent(now)?);
        all.extend(nodes(&live, now));
        all.extend(never(&live));
        all.extend(objective(&live));
        all.extend(held(self.store.held()?));
        for run in self.overdue(now)?.into_iter().take(EACH) {
            all.push(Concern {
                urgency: Urgency::Soon,
                since: Some(run.since),
                text: format!("{} runs longer than usual", run.name),
                help: format!(
                    "its median is {} s, of {} runs; its log says what it does",
                    run.median.as_secs(),
                    run.runs
                ),
                spot: Spot::Run(run.attempt),
            });
        }
        // What has no beginning comes after what has waited.
        all.sort_by_key(|one| (one.urgency, one.since.is_none(), one.since));
        Ok(all)
    }

    fn silent(&self, now: Timestamp) -> Result<Vec<Concern>, StoreError> {
        let silent = self.gate.silent(now);
        let help =
            "it comes back by itself when its machine does; else look at its node".to_owned();
        if let (true, Some((_, heard))) = (silent.len() > EACH, silent.first()) {
            return Ok(vec![Concern {
                urgency: Urgency::Now,
                since: Some(*heard),
                text: format!("{} Build Agents are unreachable", silent.len()),
                help,
                spot: Spot::Cluster,
            }]);
        }
        let mut all = Vec::new();
        for (attempt, heard) in silent {
            let name = match self.store.attempt(attempt)? {
                Some(run) => format!("{} #{} {}", run.title, run.number, run.job_name),
                None => attempt.to_string(),
            };
            all.push(Concern {
                urgency: Urgency::Now,
                since: Some(heard),
                text: format!("the Build Agent of {name} is unreachable"),
                help: help.clone(),
                spot: Spot::Run(attempt),
            });
        }
        Ok(all)
    }
}

fn runs(n: u64) -> String {
    if n == 1 {
        "1 run".to_owned()
    } else {
        format!("{n} runs")
    }
}

fn installation(live: &Live, parts: &[PartStands]) -> Vec<Concern> {
    let mut all = Vec::new();
    if let Some(why) = &live.read_only {
        let store = parts.iter().find(|one| one.part == Part::Store);
        all.push(Concern {
            urgency: Urgency::Now,
            since: store.map(|one| one.since),
            text: format!("the server is read-only: {why}"),
            help: "make room on the data directory's file system; it goes on by itself".to_owned(),
            spot: Spot::Dashboard,
        });
    }
    if live.locked {
        all.push(Concern {
            urgency: Urgency::Now,
            since: None,
            text: "the secrets are locked: runs of projects with variables wait".to_owned(),
            help: "roundel unlock".to_owned(),
            spot: Spot::Dashboard,
        });
    }
    let now = &live.installation;
    if now.phase != Phase::Started {
        let (urgency, waits) = match live.waiting {
            0 => (Urgency::Soon, "nothing waits".to_owned()),
            1 => (Urgency::Now, "1 run waits".to_owned()),
            n => (Urgency::Now, format!("{n} runs wait")),
        };
        all.push(Concern {
            urgency,
            since: Some(now.since),
            text: format!(
                "the installation is {}, by {}: {waits}",
                now.phase.word(),
                now.by
            ),
            help: "roundel services start".to_owned(),
            spot: Spot::Dashboard,
        });
    }
    all
}

fn disk(live: &Live, used: Option<(u64, u64)>) -> Option<Concern> {
    let concern = |urgency, text| Concern {
        urgency,
        since: None,
        text,
        help: "remove what is not needed there, or make it larger".to_owned(),
        spot: Spot::Dashboard,
    };
    if let Some(text) = &live.disk_low {
        return Some(concern(Urgency::Now, text.clone()));
    }
    let (used, all) = used?;
    let percent = u64::try_from(u128::from(used) * 100 / u128::from(all.max(1))).ok()?;
    (percent >= DISK_PERCENT).then(|| {
        let text = format!("the data directory's file system is {percent} % full");
        concern(Urgency::Soon, text)
    })
}

fn failing(parts: &[PartStands], read_only: bool) -> impl Iterator<Item = Concern> {
    let told = move |part: Part| match part {
        Part::Store => read_only,
        // Its agents are told one by one.
        Part::Fleet => true,
        _ => false,
    };
    parts
        .iter()
        .filter(move |one| one.health != Health::Ok && !told(one.part))
        .map(|one| {
            let error = one.error.as_ref().filter(|_| one.health == Health::Failing);
            Concern {
                urgency: match one.health {
                    Health::Failing => Urgency::Now,
                    _ => Urgency::Soon,
                },
                since: Some(one.since),
                text: match error {
                    Some((_, why)) => format!("{} is failing: {why}", one.part.name()),
                    None => format!("{} is {}: {}", one.part.name(), one.health.word(), one.note),
                },
                help: "the server's own log says more: DATA/log".to_owned(),
                spot: Spot::Dashboard,
            }
        })
}

fn nodes(live: &Live, now: Timestamp) -> Vec<Concern> {
    let mut late = Vec::new();
    let mut safe = Vec::new();
    for node in live.nodes.rows() {
        let Some((since, deadline, _)) = &node.record.drain else {
            continue;
        };
        let name = node.record.name.clone();
        if node.used.runs == 0 {
            safe.push(Concern {
                urgency: Urgency::Notice,
                since: Some(*since),
                text: format!("{name} is drained: safe to terminate"),
                help: format!("terminate it, or roundel node-drain -disable {name}"),
                spot: Spot::Node(name),
            });
        } else if let Some(deadline) = deadline.filter(|at| *at < now) {
            late.push(Concern {
                urgency: Urgency::Now,
                since: Some(deadline),
                text: format!(
                    "{name} is past its drain deadline, {} left",
                    runs(u64::from(node.used.runs))
                ),
                help: "its runs were told to stop; see what holds them up".to_owned(),
                spot: Spot::Node(name),
            });
        }
    }
    let many = safe.len();
    if many > EACH {
        safe.truncate(1);
        safe.iter_mut().for_each(|one| {
            one.text = format!("{many} nodes are drained: safe to terminate");
            one.spot = Spot::Cluster;
        });
    }
    late.extend(safe);
    late
}

fn never(live: &Live) -> Option<Concern> {
    let kinds = live.verdicts.never();
    let first = kinds.first()?;
    let all: usize = kinds.iter().map(|kind| kind.runs).sum();
    let why = first.text.strip_suffix(": will never start");
    let why = why.unwrap_or(&first.text);
    Some(Concern {
        urgency: Urgency::Soon,
        since: kinds.iter().filter_map(|kind| kind.since).min(),
        text: format!("{} will never start: {why}", runs(all as u64)),
        help: "ask for less, add a node that has it, or cancel it".to_owned(),
        spot: match (all, first.first) {
            (1, Some(attempt)) => Spot::Run(attempt),
            _ => Spot::Queue,
        },
    })
}

/// Builds that wait for somebody's approval: the first few each by itself, the others in one line.
fn held(mut builds: Vec<HeldRecord>) -> Vec<Concern> {
    let more = builds.split_off(builds.len().min(EACH));
    let concern = |since, text: String, help: &str, spot| Concern {
        urgency: Urgency::Soon,
        since,
        text,
        help: help.to_owned(),
        spot,
    };
    let help = "whoever may decide it: A on the build, or roundel approve";
    let each = builds.into_iter().map(|one| {
        let text = match one.jobs {
            1 => format!(
                "{} #{} waits for approval: {}",
                one.title, one.number, one.name
            ),
            n => format!("{} #{}: {n} jobs wait for approval", one.title, one.number),
        };
        concern(one.since, text, help, Spot::Pipeline(one.pipeline))
    });
    let mut all: Vec<Concern> = each.collect();
    if let Some(first) = more.first() {
        let text = match more.len() {
            1 => "1 more build waits for approval".to_owned(),
            n => format!("{n} more builds wait for approval"),
        };
        all.push(concern(
            first.since,
            text,
            "Builds, filter / status:hold",
            Spot::Builds,
        ));
    }
    all
}

fn objective(live: &Live) -> Option<Concern> {
    let placed: u64 = live.wait_minutes.iter().map(|minute| minute.runs).sum();
    let met: u64 = live.wait_minutes.iter().map(|minute| minute.met).sum();
    if placed < OBJECTIVE_RUNS || met * 100 >= placed * OBJECTIVE_PERCENT {
        return None;
    }
    let missed = live
        .wait_minutes
        .iter()
        .find(|minute| minute.met < minute.runs);
    Some(Concern {
        urgency: Urgency::Soon,
        since: missed.map(|minute| minute.at),
        text: format!(
            "{} % of the last hour's runs waited under {} s, not {OBJECTIVE_PERCENT} %",
            met * 100 / placed,
            OBJECTIVE_MS / 1000
        ),
        help: "the queue says what each run waits for".to_owned(),
        spot: Spot::Queue,
    })
}

#[cfg(test)]
mod tests;
