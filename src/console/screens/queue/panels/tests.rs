//! How long runs waited, in words: a histogram knows bounds and no more, and that is what is said.

use super::*;

fn buckets(of: &[(Option<u64>, u64)]) -> Vec<WaitBucket> {
    let bucket = |(up_to_ms, runs): &(Option<u64>, u64)| WaitBucket {
        up_to_ms: *up_to_ms,
        runs: *runs,
    };
    of.iter().map(bucket).collect()
}

#[test]
fn a_quantile_is_the_bound_under_which_so_many_waited() {
    let waits = buckets(&[
        (Some(100), 50),
        (Some(1000), 45),
        (Some(10_000), 4),
        (None, 1),
    ]);
    for (percent, said) in [
        (1, "<0.1 s"),
        (50, "<0.1 s"),
        (51, "<1 s"),
        (95, "<1 s"),
        (96, "<10 s"),
        (99, "<10 s"),
        (100, ">10 s"),
    ] {
        assert_eq!(quantile(&waits, 100, percent), said, "p{percent}");
    }
    let one = buckets(&[(Some(100), 0), (None, 1)]);
    assert_eq!(quantile(&one, 1, 50), ">0.1 s");
    assert_eq!(quantile(&[], 0, 50), "–");
}

#[test]
fn the_share_under_the_objective_is_told_only_where_a_bound_is_there() {
    let waits = buckets(&[(Some(100), 5), (Some(1000), 3), (None, 2)]);
    assert_eq!(within(&waits, 1000), Some(8));
    assert_eq!(within(&waits, 100), Some(5));
    assert_eq!(
        within(&waits, 500),
        None,
        "no bar ends there: it would be a guess"
    );
}

#[test]
fn bounds_are_written_with_one_unit_where_both_have_it() {
    for (ms, said) in [
        (0, "0.0 s"),
        (100, "0.1 s"),
        (999, "0.9 s"),
        (1000, "1 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (600_000, "10 min"),
    ] {
        assert_eq!(short(ms), said);
    }
    for (from, to, said) in [
        (100, 1000, "0.1 – 1 s"),
        (10_000, 60_000, "10 s – 1 min"),
        (60_000, 600_000, "1 – 10 min"),
    ] {
        assert_eq!(between(from, to), said);
    }
}

#[test]
fn nothing_placed_lately_is_no_hundred_percent() {
    for waits in [vec![], buckets(&[(Some(1000), 0), (None, 0)])] {
        for roomy in [true, false] {
            assert_eq!(
                waited(&waits, roomy).plain(),
                "none placed within the last hour"
            );
        }
    }
    let most = buckets(&[(Some(1000), 999), (None, 1)]);
    assert!(waited(&most, false).plain().contains("99.9 % under 1 s"));
    assert!(
        waited(&most, true)
            .plain()
            .contains("99.9 % of the last hour")
    );
}
