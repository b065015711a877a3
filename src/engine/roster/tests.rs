//! Whatever happens to runs, a list from memory is what a plain filter and a plain sort of all of them would give.

use proptest::prelude::*;

use super::*;
use crate::ids::fleet_name;
use crate::store::{Filter, Order, RUN_FIELDS};

/// A run as the test keeps it: plainly.
fn run(n: i64) -> HotRun<'static> {
    let job = ["lint", "Test", "test-linux", "deploy"][n as usize % 4];
    let (id, copy) = (AttemptId::fresh(), n as u32 % 3);
    HotRun {
        id,
        name: fleet_name(id, copy, "Acme", "web", n).into(),
        copy,
        job_name: job.into(),
        workflow_name: "Nightly".into(),
        title: ["acme/web", "acme/api"][n as usize / 3 % 2].into(),
        number: n,
        branch: "Main".into(),
        executor: "machine".into(),
        resource_class: (n % 2 == 0).then(|| "large".into()),
        cpu_millis: 1000 * (n as u32 % 3),
        priority: if n % 7 == 0 { 60 } else { 50 },
        state: RunState::Pending,
        stopping: false,
        queued: Timestamp(n / 4),
        placed: None,
        started: None,
        node_name: None,
    }
}

fn matches(run: &HotRun<'_>, filter: &Filter) -> bool {
    let node = run.node_name.as_deref().unwrap_or("");
    let stopping = if run.stopping { " stopping" } else { "" };
    let status = format!("{} {stopping}", run.state.word());
    let text = format!(
        "{} {} {} {} {}  {node} {} #{}",
        run.name,
        run.job_name,
        run.title,
        run.branch,
        run.state.word(),
        run.executor,
        run.number
    );
    filter.passes(|term| {
        let of: &str = match term.field {
            Some("project") => &run.title,
            Some("job") => &run.job_name,
            Some("workflow") => &run.workflow_name,
            Some("branch") => &run.branch,
            Some("status") => &status,
            Some("node") => node,
            Some("executor") => &run.executor,
            Some("class") => run.resource_class.as_deref().unwrap_or(""),
            _ => &text,
        };
        term.is_in(&if term.exact {
            of.to_owned()
        } else {
            of.to_lowercase()
        })
    })
}

/// The ids of a list, made the plain way.
fn plain(runs: &[HotRun<'static>], states: &[RunState], query: &WindowQuery) -> Vec<AttemptId> {
    let filter = Filter::read(&query.filter, RUN_FIELDS);
    let mut found: Vec<&HotRun<'_>> = runs
        .iter()
        .filter(|run| states.is_empty() || states.contains(&run.state))
        .filter(|run| matches(run, &filter))
        .collect();
    let line = |run: &HotRun<'_>| (100 - run.priority, run.queued, run.id);
    found.sort_by_key(|run| line(run));
    let down = query.order == Order::Descending;
    let way = |order: std::cmp::Ordering| if down { order.reverse() } else { order };
    match query.sort.as_str() {
        "job" => found.sort_by(|a, b| way(a.job_name.cmp(&b.job_name))),
        "project" => found.sort_by(|a, b| way(a.title.cmp(&b.title))),
        "waiting" => found.sort_by(|a, b| way(b.queued.cmp(&a.queued))),
        "state" => found.sort_by(|a, b| way(a.state.word().cmp(b.state.word()))),
        "node" => found.sort_by(|a, b| way(a.node_name.cmp(&b.node_name))),
        "started" => found.sort_by(|a, b| way(a.started.cmp(&b.started))),
        "needs" => found.sort_by(|a, b| way(a.cpu_millis.cmp(&b.cpu_millis))),
        "name" => found.sort_by(|a, b| way(a.name.cmp(&b.name))),
        _ => {
            let newest = |run: &HotRun<'_>| std::cmp::Reverse((run.placed, run.id));
            found.sort_by_key(|run| {
                let runs = run.state == RunState::Running;
                (runs, runs.then(|| newest(run)))
            });
        }
    }
    found.into_iter().map(|run| run.id).collect()
}

fn query(sort: &str, order: Order, filter: &str) -> WindowQuery {
    WindowQuery {
        filter: filter.to_owned(),
        sort: sort.to_owned(),
        order,
        limit: u64::MAX / 2,
        ..WindowQuery::default()
    }
}

/// Does a step to the plain list and gives what the roster is told of it.
fn step(runs: &mut Vec<HotRun<'static>>, n: i64, what: u8) -> Option<Move> {
    let at = usize::try_from(n).unwrap_or(0) % runs.len().max(1);
    if what < 4 || runs.is_empty() {
        runs.push(run(n));
        return runs.last().map(|run| Move::Waits(Box::new(run.clone())));
    }
    let run = &mut runs[at];
    match (what, run.state) {
        (4 | 5, RunState::Pending) => {
            run.state = RunState::Running;
            run.placed = Some(Timestamp(n));
            run.node_name = Some(format!("Node-{}", n % 5).into());
            let node = run.node_name.as_deref().unwrap_or_default();
            Some(Move::Placed(run.id, node.into(), Timestamp(n)))
        }
        (4, RunState::Running) => {
            run.started.get_or_insert(Timestamp(n));
            Some(Move::Started(run.id, Timestamp(n)))
        }
        (6, RunState::Running) => {
            run.stopping = true;
            Some(Move::Stopping(run.id))
        }
        (5, RunState::Running) => {
            run.state = RunState::Pending;
            (run.placed, run.node_name) = (None, None);
            Some(Move::Returned(run.id))
        }
        _ => Some(Move::Over(runs.remove(at).id)),
    }
}

const SORTS: [&str; 9] = [
    "", "job", "project", "waiting", "state", "node", "started", "needs", "name",
];
const FILTERS: [&str; 16] = [
    "",
    "test",
    "Test",
    "pending",
    "acme/api !lint",
    "node-3",
    "#12",
    "job:test project:web",
    "status:stopping",
    "! status:running",
    "class:large executor:machine",
    "workflow:night branch:Main",
    "node:Node-1",
    "-f job:tlx",
    "-f lintmachine3",
    "-f Main !deploy",
];

fn ready() -> Roster {
    let roster = Roster::default();
    *roster.board.lock().unwrap() = Some(Board::default());
    roster
}

proptest! {
    #[test]
    fn a_window_is_what_a_plain_sort_gives(
        steps in proptest::collection::vec((0i64..200, 0u8..8), 1..120),
        every in 1usize..40,
    ) {
        let (roster, mut runs) = (ready(), Vec::new());
        let mut asked = 0;
        for (count, (n, what)) in steps.iter().enumerate() {
            roster.tell(step(&mut runs, *n, *what).into_iter().collect());
            if count % every != 0 {
                continue;
            }
            // Some lists are asked for again and again, and take in what changed; others are made anew.
            for ask in [0, 1, 8, asked] {
                let (sort, filter) = (SORTS[ask % 9], FILTERS[ask % 16]);
                let order = if ask % 2 == 0 { Order::Ascending } else { Order::Descending };
                let states: &[RunState] = if ask % 3 == 0 { &[] } else { &[RunState::Pending] };
                let wanted = query(sort, if sort.is_empty() { Order::Ascending } else { order }, filter);
                let found = roster.window(states, &wanted);
                prop_assert_eq!(&found.rows, &plain(&runs, states, &wanted), "{:?}", wanted);
                prop_assert_eq!(found.total, found.rows.len() as u64);
            }
            asked += 1;
            let line = plain(&runs, &[RunState::Pending], &query("", Order::Ascending, ""));
            let places = roster.places(runs.iter().map(|run| run.id));
            let expected = line.iter().copied().zip(1..).collect::<std::collections::HashMap<_, _>>();
            prop_assert_eq!(places.into_iter().collect::<std::collections::HashMap<_, _>>(), expected);
        }
    }
}

#[test]
fn a_window_is_cut_and_centred_on_a_row() {
    let (roster, runs) = (ready(), (0..1000).map(run).collect::<Vec<_>>());
    roster.tell(
        runs.iter()
            .map(|run| Move::Waits(Box::new(run.clone())))
            .collect(),
    );
    let line = plain(&runs, &[], &query("", Order::Ascending, ""));
    let ask = |offset, around: Option<AttemptId>| {
        let wanted = WindowQuery {
            limit: 10,
            offset,
            around: around.map(|id| id.to_string()),
            ..WindowQuery::default()
        };
        roster.window(&[RunState::Pending], &wanted)
    };
    assert_eq!(ask(990, None).rows, line[990..]);
    assert_eq!(ask(5000, None).rows, []);
    let middle = ask(0, Some(line[500]));
    assert_eq!(
        (middle.offset, &middle.rows[..], middle.total),
        (495, &line[495..505], 1000)
    );
    // A row that is gone centres nothing.
    roster.tell(vec![Move::Over(line[500])]);
    assert_eq!(ask(20, Some(line[500])).offset, 20);
    assert_eq!(ask(0, Some(line[501])).rows[5], line[501]);
}

#[test]
fn moves_wait_while_somebody_reads_and_nobody_waits_for_them() {
    let roster = ready();
    let reading = roster.board.lock().unwrap();
    roster.tell(vec![Move::Waits(Box::new(run(1)))]);
    drop(reading);
    assert_eq!(
        roster.window(&[], &query("", Order::Ascending, "")).total,
        1
    );
}

#[test]
fn what_was_told_while_it_was_filled_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let (_writer, store) = crate::store::open(&dir.path().join("roundel.db"), 1).unwrap();
    let roster = Roster::default();
    let (gone, stays) = (run(1), run(2));
    let told = [&gone, &stays, &stays].map(|run| Move::Waits(Box::new(run.clone())));
    roster.tell(told.into_iter().chain([Move::Over(gone.id)]).collect());
    roster.fill(&store);
    let found = roster.window(&[], &query("", Order::Ascending, ""));
    assert_eq!(found.rows, [stays.id]);
}
