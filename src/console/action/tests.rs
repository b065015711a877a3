//! Writes: each has a command that does the same, and makes stale what it touches.

use super::*;

fn drain(enable: bool, deadline_s: Option<u64>) -> Write {
    Write::Drain {
        node: "n07".into(),
        set: SetDrain { enable, deadline_s },
    }
}

#[test]
fn each_write_has_a_command_that_does_the_same() {
    for (write, command) in [
        (drain(true, None), "roundel node-drain -enable n07"),
        (
            drain(true, Some(720)),
            "roundel node-drain -enable -deadline 12m n07",
        ),
        (
            drain(true, Some(0)),
            "roundel node-drain -enable -deadline 0 n07",
        ),
        (drain(false, None), "roundel node-drain -disable n07"),
        (
            Write::Build {
                source: "/srv/a b".into(),
            },
            "roundel build '/srv/a b'",
        ),
        (
            Write::Rerun {
                id: "x".into(),
                name: String::new(),
                from_failed: true,
            },
            "roundel rerun --from-failed x",
        ),
        (
            Write::Eligibility {
                node: "n07".into(),
                eligible: false,
            },
            "roundel node-eligibility -disable n07",
        ),
        (
            Write::StopRun {
                attempt: "x".into(),
                name: "x-0-build-org-api-12".into(),
            },
            "roundel stop x-0-build-org-api-12",
        ),
        (
            Write::Cancel {
                pipeline: "x".into(),
                name: String::new(),
            },
            "roundel cancel x",
        ),
        (
            Write::Approve {
                id: "x".into(),
                name: String::new(),
            },
            "roundel approve x",
        ),
        (
            Write::Services { start: false },
            "roundel services stop -yes",
        ),
        (Write::Services { start: true }, "roundel services start"),
    ] {
        assert_eq!(write.command(), command);
        assert!(
            command.contains('\'') || crate::cli::parse(command).is_ok(),
            "{command}"
        );
    }
}

#[test]
fn deadlines_are_read_as_they_are_written() {
    for seconds in [30, 60, 720, 3600, 86_400] {
        assert_eq!(parse_deadline(&deadline(seconds)), Some(seconds));
    }
    assert_eq!(parse_deadline("10"), Some(600));
    assert_eq!(parse_deadline("soon"), None);
    assert_eq!(parse_deadline(""), None);
}

#[test]
fn a_change_makes_stale_what_it_touches() {
    let change = |topic, ids: &[&str]| Change {
        seq: 1,
        topic,
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    let lines = Want::Lines {
        of: Source::Step {
            attempt: "a".into(),
            step: 1,
        },
        query: LogQuery::default(),
    };
    assert!(lines.stale_by(&change(Topic::Runs, &["a"])));
    assert!(!lines.stale_by(&change(Topic::Runs, &["b"])));
    assert!(Want::Nodes(ListQuery::default()).stale_by(&change(Topic::Nodes, &[])));
    assert!(!Want::Nodes(ListQuery::default()).stale_by(&change(Topic::Audit, &[])));
}
