//! The decisions by table, and over a model of a provider that lags, loses answers and lets go, with servers that are killed.

use super::*;
use crate::services::vm::SSH_PORT;

mod model;

fn policy(machine: u32) -> Policy {
    Policy {
        on: true,
        machine,
        remote_docker: 0,
        shape: "a".to_owned(),
        start_timeout: Duration::from_secs(300),
        ssh_timeout: Duration::from_secs(180),
        longest: Duration::from_secs(6 * 3600),
        cycle: Duration::from_secs(23 * 3600),
    }
}

fn row(state: VmState, made: i64) -> VmRecord {
    VmRecord {
        id: VmId::fresh(),
        purpose: Purpose::Machine,
        state,
        region: "eu-central-1".to_owned(),
        shape: "a".to_owned(),
        instance: None,
        address: None,
        attempt: None,
        asked_by: String::new(),
        made: Timestamp(made),
        since: Timestamp(made),
        why: String::new(),
    }
}

fn instance(id: &str, vm: Option<VmId>, state: InstanceState) -> Instance {
    Instance {
        id: id.to_owned(),
        vm,
        state,
        address: Some("10.0.0.1".to_owned()),
        ssh_port: SSH_PORT,
        launched_at: Some(Timestamp(0)),
        purpose: Some(Purpose::Machine),
    }
}

/// A row that has an instance, and the instance.
fn pair(state: VmState, made: i64) -> (VmRecord, Instance) {
    let mut row = row(state, made);
    row.instance = Some(format!("i-{}", row.id));
    row.address = Some("10.0.0.1".to_owned());
    let own = instance(
        row.instance.as_deref().unwrap(),
        Some(row.id),
        InstanceState::Running,
    );
    (row, own)
}

fn at(rows: &[VmRecord], seen: Option<&[Instance]>, policy: &Policy, now: i64) -> Vec<Action> {
    decide(&Facts {
        rows,
        seen,
        busy: &BTreeSet::new(),
        silent: &BTreeSet::new(),
        demand: &BTreeMap::new(),
        over: &BTreeSet::new(),
        held: &BTreeSet::new(),
        policy,
        now: Timestamp(now),
    })
}

#[test]
fn what_is_missing_is_made_and_nothing_when_the_provider_is_silent() {
    assert_eq!(
        at(&[], Some(&[]), &policy(2), 0),
        [
            Action::Create(Purpose::Machine),
            Action::Create(Purpose::Machine)
        ]
    );
    assert_eq!(at(&[], None, &policy(2), 0), []);
    let many = at(&[], Some(&[]), &policy(1000), 0);
    assert_eq!(many.len(), CREATING_MAX);
}

#[test]
fn a_row_without_an_instance_is_asked_for_again_under_its_id() {
    let one = row(VmState::Creating, 0);
    let rows = [one.clone()];
    assert_eq!(
        at(&rows, Some(&[]), &policy(1), 10),
        [Action::Resume(one.id)]
    );
    // What went through though its answer was lost is taken, and a second one of the same id is not kept.
    let (first, mut second) = (
        instance("i-1", Some(one.id), InstanceState::Pending),
        instance("i-2", Some(one.id), InstanceState::Pending),
    );
    second.launched_at = Some(Timestamp(5));
    assert_eq!(
        at(
            &rows,
            Some(&[second.clone(), first.clone()]),
            &policy(1),
            10
        ),
        [Action::DestroyOrphan(second), Action::Take(one.id, first)]
    );
}

#[test]
fn an_instance_of_nobody_is_destroyed_and_one_that_is_gone_is_not() {
    let there = instance("i-1", Some(VmId::fresh()), InstanceState::Running);
    let nameless = instance("i-2", None, InstanceState::Stopped);
    let gone = instance("i-3", None, InstanceState::Gone);
    let ending = instance("i-4", None, InstanceState::Ending);
    let seen = [there.clone(), nameless.clone(), gone, ending];
    assert_eq!(
        at(&[], Some(&seen), &policy(0), 0),
        [
            Action::DestroyOrphan(there),
            Action::DestroyOrphan(nameless)
        ]
    );
}

#[test]
fn each_state_has_its_limit_of_time() {
    let hour = 3_600_000;
    let cases = [
        (VmState::Starting, 299_000, false, ""),
        (VmState::Starting, 301_000, false, "did not run"),
        (VmState::Connecting, 181_000, true, "answer SSH"),
        (VmState::Ready, 24 * hour, true, "waited for a day"),
        (VmState::Leased, 7 * hour, true, "longer than a job may"),
    ];
    for (state, now, running, why) in cases {
        let (mut row, mut own) = pair(state, 0);
        row.attempt = (state == VmState::Leased).then(AttemptId::fresh);
        if !running {
            own.state = InstanceState::Pending;
        }
        let id = row.id;
        let done = at(&[row], Some(&[own]), &policy(1), now);
        let ended = done.iter().find_map(|action| match action {
            Action::End(ended, why) if *ended == id => Some(why.clone()),
            _ => None,
        });
        match why {
            "" => assert_eq!(ended, None, "{state:?}"),
            why => assert!(ended.unwrap().contains(why), "{state:?}"),
        }
    }
}

#[test]
fn those_that_wait_too_long_are_replaced_one_after_the_other() {
    let day = 24 * 3_600_000;
    let (a, ia) = pair(VmState::Ready, 0);
    let (b, ib) = pair(VmState::Ready, 1);
    let ended = |done: &[Action]| {
        done.iter()
            .filter(|action| matches!(action, Action::End(..)))
            .count()
    };
    let seen = [ia, ib];
    let done = at(&[a.clone(), b.clone()], Some(&seen), &policy(2), day);
    assert_eq!(ended(&done), 1, "{done:?}");
    assert!(done.contains(&Action::Create(Purpose::Machine)));
    // While the replacement is on its way, the other one stays.
    let coming = row(VmState::Creating, day);
    let done = at(&[b, coming], Some(&seen[1..]), &policy(2), day + 1);
    assert_eq!(ended(&done), 0, "{done:?}");
}

#[test]
fn what_is_to_go_is_forgotten_only_when_it_is_known_to_be_gone() {
    let (mut gone, mut own) = pair(VmState::Ending, 0);
    gone.since = Timestamp(1_000_000);
    let id = gone.id;
    let name = own.id.clone();
    let rows = [gone];
    let step = |seen: Option<&[Instance]>, now| at(&rows, seen, &policy(0), now);
    let destroy = [Action::Destroy(id, name)];
    assert_eq!(step(Some(&[own.clone()]), 1_000_001), destroy);
    assert_eq!(step(None, 9_000_000), destroy);
    assert_eq!(step(Some(&[]), 1_000_001), destroy);
    own.state = InstanceState::Ending;
    assert_eq!(step(Some(&[own.clone()]), 9_000_000), []);
    own.state = InstanceState::Gone;
    assert_eq!(step(Some(&[own]), 1_000_001), [Action::Forget(id)]);
    assert_eq!(step(Some(&[]), 1_061_000), [Action::Forget(id)]);
    // What was asked for in vain has no instance, or the list does not tell of it yet.
    let mut vain = row(VmState::Ending, 0);
    vain.since = Timestamp(1_000_000);
    let id = vain.id;
    let rows = [vain];
    let step = |now| at(&rows, Some(&[]), &policy(0), now);
    assert_eq!(step(1_060_000), []);
    assert_eq!(step(1_061_000), [Action::Forget(id)]);
}

#[test]
fn without_a_provider_all_go_but_those_that_a_job_has() {
    let (ready, one) = pair(VmState::Ready, 0);
    let (mut leased, two) = pair(VmState::Leased, 0);
    leased.attempt = Some(AttemptId::fresh());
    let off = Policy {
        on: false,
        ..policy(2)
    };
    let done = at(&[ready.clone(), leased], Some(&[one, two]), &off, 10);
    assert!(
        matches!(&done[..], [Action::Probe(_), Action::End(id, _)] if *id == ready.id),
        "{done:?}"
    );
}

#[test]
fn the_longest_waiting_one_is_lent() {
    let (old, _) = pair(VmState::Ready, 1);
    let (young, _) = pair(VmState::Ready, 2);
    let (mut docker, _) = pair(VmState::Ready, 0);
    docker.purpose = Purpose::RemoteDocker;
    let (early, _) = pair(VmState::Connecting, 0);
    let rows = [young, old.clone(), docker, early];
    assert_eq!(
        lend(&rows, Purpose::Machine).map(|row| row.id),
        Some(old.id)
    );
    assert_eq!(lend(&rows[3..], Purpose::Machine), None);
}
