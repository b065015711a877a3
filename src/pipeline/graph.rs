//! `requires`: names -> jobs, circles, and an order in which each job stands after all it requires.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::report::Report;
use super::schema::workflow::Draft;
use crate::nearest::nearest;

/// So many jobs of a circle are named.
const MAX_SHOWN: usize = 10;

/// The graph of one workflow; numbers are places in its list of entries.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// For each job the jobs it requires, each once, in the order written.
    pub requires: Vec<Vec<usize>>,
    /// All jobs that stand in or after no circle; first the earlier in the file where nothing else decides.
    pub order: Vec<usize>,
}

/// Looks up what each job requires. Notes unknown and ambiguous names, and one way around each circle.
pub(crate) fn link(draft: &Draft, report: &mut Report) -> Graph {
    let requires = resolve(draft, report);
    let order = sort(&requires);
    let mut left = vec![true; requires.len()];
    order.iter().for_each(|&at| left[at] = false);
    report_circles(draft, &requires, &left, report);
    Graph { requires, order }
}

fn resolve(draft: &Draft, report: &mut Report) -> Vec<Vec<usize>> {
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    let mut by_job: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, entry) in draft.entries.iter().enumerate() {
        by_name.insert(entry.name.as_deref().unwrap_or(&entry.job), at);
        by_job.entry(&entry.job).or_default().push(at);
    }
    let certain = draft.entries.iter().all(|entry| entry.certain);
    let mut requires = Vec::with_capacity(draft.entries.len());
    for (at, entry) in draft.entries.iter().enumerate() {
        let mut found = Vec::new();
        for (name, place) in &entry.requires {
            if let Some(&required) = by_name.get(name.as_str()) {
                found.push(required);
                continue;
            }
            // The key of a job that got another name stands for it, if it stands for one only.
            let same = by_job
                .get(name.as_str())
                .map(Vec::as_slice)
                .unwrap_or_default();
            let others = same.len() - usize::from(entry.job == *name);
            match (others, same.iter().find(|&&other| other != at)) {
                (1, Some(&only)) => found.push(only),
                // Names that only later steps of the language would give cannot be checked.
                _ if !certain || report.is_full() => {}
                (_, Some(_)) => report.error_hint(
                    place,
                    format!(
                        "`{name}` is the name of {others} other jobs of workflow `{}`",
                        draft.name
                    ),
                    Some("give each a `name` of its own and require that".to_owned()),
                ),
                (_, None) => {
                    let near = nearest(name, by_name.keys().copied().filter(|known| known != name));
                    let message = format!(
                        "job `{}` requires `{name}`, which is not part of workflow `{}`",
                        entry.name.as_deref().unwrap_or(&entry.job),
                        draft.name
                    );
                    report.error_hint(
                        place,
                        message,
                        near.map(|near| format!("did you mean `{near}`?")),
                    );
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        found.retain(|required| seen.insert(*required));
        requires.push(found);
    }
    requires
}

/// Kahn's algorithm; a heap keeps the order of the file.
fn sort(requires: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = requires.iter().map(Vec::len).collect();
    let mut dependents = vec![Vec::new(); requires.len()];
    for (at, required) in requires.iter().enumerate() {
        required
            .iter()
            .for_each(|&other| dependents[other].push(at));
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..requires.len())
        .filter(|&at| waiting[at] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(requires.len());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for &dependent in &dependents[at] {
            waiting[dependent] -= 1;
            if waiting[dependent] == 0 {
                ready.push(Reverse(dependent));
            }
        }
    }
    order
}

/// Whoever is left requires someone who is left too, so going on from any of them ends in a circle.
fn report_circles(draft: &Draft, requires: &[Vec<usize>], left: &[bool], report: &mut Report) {
    let mut walked = vec![false; requires.len()];
    for start in 0..requires.len() {
        let mut way: Vec<usize> = Vec::new();
        let mut at = start;
        while left[at] && !walked[at] {
            walked[at] = true;
            way.push(at);
            let Some(&next) = requires[at].iter().find(|&&next| left[next]) else {
                break;
            };
            at = next;
        }
        let Some(from) = way.iter().position(|&passed| passed == at) else {
            continue;
        };
        let circle = &way[from..];
        let name = |at: usize| {
            draft.entries[at]
                .name
                .as_deref()
                .unwrap_or(&draft.entries[at].job)
        };
        let shown = circle.len().min(MAX_SHOWN);
        let mut names: Vec<&str> = circle[..shown].iter().map(|&at| name(at)).collect();
        if shown < circle.len() {
            names.push("...");
        }
        names.push(name(circle[0]));
        let entry = &draft.entries[circle[0]];
        let place = entry
            .requires
            .first()
            .map_or(&entry.place, |(_, place)| place);
        let message = match circle {
            [only] => format!("job `{}` requires itself", name(*only)),
            _ => format!(
                "jobs require each other in a circle: {}",
                names.join(" -> ")
            ),
        };
        report.error_hint(
            place,
            message,
            Some("take one of these requirements out".to_owned()),
        );
    }
}
