//! Amounts in words at their edges: spans, sizes, counts, shares, deadlines; and that the console wakes exactly when one
//! of them would read differently.

use std::time::Duration;

use proptest::prelude::*;
use roundel::api::builds::LogQuery;
use roundel::api::{Change, ListQuery, Topic};
use roundel::clock::Timestamp;

use super::kit::{NOW, ago, later};
use crate::console::action::{Source, Want, deadline, parse_deadline};
use crate::console::chord::Chord;
use crate::console::now::Now;
use crate::console::place::{JobRef, Place};
use crate::console::text;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn spans_change_their_unit_at_its_edge() {
    for (n, age, took, runs_for) in [
        (0, "0 s", "0 ms", "0 s"),
        (99, "0 s", "99 ms", "0 s"),
        (100, "0 s", "0.1 s", "0 s"),
        (999, "0 s", "0.9 s", "0 s"),
        (1_000, "1 s", "1.0 s", "1 s"),
        (9_999, "9 s", "9.9 s", "9 s"),
        (10_000, "10 s", "10 s", "10 s"),
        (59_999, "59 s", "59 s", "59 s"),
        (60_000, "1 min", "1m 00s", "1m 00s"),
        (3_599_999, "59 min", "59m 59s", "59m 59s"),
        (3_600_000, "1 h", "1h 00m", "1h 00m"),
        (86_399_999, "23 h", "23h 59m", "23h 59m"),
        (86_400_000, "1 d", "1d 00h", "1d 00h"),
        (8_640_000_000, "100 d", "100d 00h", "100d 00h"),
    ] {
        let said = (text::age(ms(n)), text::took(ms(n)), text::runs_for(ms(n)));
        assert_eq!(
            said,
            (age.to_owned(), took.to_owned(), runs_for.to_owned()),
            "{n} ms"
        );
    }
}

#[test]
fn sizes_and_counts_at_their_edges() {
    for (n, said) in [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 KB"),
        (10_240, "10 KB"),
        (1 << 20, "1.0 MB"),
        (1 << 30, "1.0 GB"),
        (1 << 40, "1.0 TB"),
    ] {
        assert_eq!(text::bytes(n), said);
    }
    for (mib, memory, gigabytes) in [
        (0, "0 MB", "0"),
        (1023, "1023 MB", "0.9"),
        (1024, "1 GB", "1"),
        (1025, "1 GB", "1"),
        (1536, "1.5 GB", "1.5"),
        (102_399, "99.9 GB", "99.9"),
        (102_400, "100 GB", "100"),
        (103_000, "100 GB", "100"),
    ] {
        assert_eq!(
            (text::memory(mib).as_str(), text::gigabytes(mib).as_str()),
            (memory, gigabytes)
        );
    }
    for (n, said) in [(0, "0"), (1, "0.001"), (1500, "1.5"), (1_000_000, "1000")] {
        assert_eq!(text::cores(n), said);
    }
    for (n, said) in [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (100_000, "100,000"),
        (u64::MAX, "18,446,744,073,709,551,615"),
    ] {
        assert_eq!(text::count(n), said);
    }
    for (n, said) in [
        (0, "0 runs"),
        (1, "1 run"),
        (2, "2 runs"),
        (1000, "1,000 runs"),
    ] {
        assert_eq!(text::plural(n, "run"), said);
    }
    for (n, said) in [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (101, "101st"),
        (111, "111th"),
        (1002, "1,002nd"),
    ] {
        assert_eq!(text::ordinal(n), said);
    }
}

#[test]
fn words_are_cut_between_characters_and_wide_ones_never_in_half() {
    for (words, cells, fitted) in [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("語語", 4, "語語"),
        ("語語語", 4, "語…"),
        ("語語", 3, "語…"),
        ("語", 1, "…"),
        ("ab cd", 4, "ab…"),
        ("", 0, ""),
    ] {
        assert_eq!(text::fit(words, cells), fitted, "{words} in {cells}");
    }
    for (full, short) in [
        ("", ""),
        ("abc", "abc"),
        ("0123456789", "0123456"),
        ("語語語語", "語語語語"),
    ] {
        assert_eq!(text::revision(full), short);
    }
}

#[test]
fn paragraphs_break_at_blanks_and_long_words_where_they_must() {
    for (words, cells, lines) in [
        ("one two three", 7, vec!["one two", "three"]),
        ("abcdefgh", 3, vec!["abc", "def", "gh"]),
        ("a\nb", 9, vec!["a", "b"]),
        ("語語語", 4, vec!["語語", "語"]),
        ("", 5, vec![]),
        ("ab", 0, vec!["a", "b"]),
    ] {
        assert_eq!(text::wrap(words, cells), lines, "{words} in {cells}");
    }
}

#[test]
fn the_frame_wakes_when_the_earliest_of_its_texts_changes() {
    let now = Now::new(NOW, false);
    assert_eq!(now.next(), None);
    assert_eq!(now.age(ago(7200)), "2 h");
    assert_eq!(now.next(), Some(later(3600)));
    assert_eq!(now.eta(later(630)), "~10 min");
    assert_eq!(now.next(), Some(Timestamp(later(30).0 + 1)));
    now.wake_in(Duration::from_secs(30));
    now.wake_in(Duration::from_secs(40));
    assert_eq!(now.next(), Some(later(30)));
    // What has ended changes no more.
    let still = Now::new(NOW, false);
    assert_eq!(still.took(ago(100), Some(ago(40))), "1m 00s");
    assert_eq!(
        still.eta(ago(5)),
        "~1 s",
        "an estimate that has passed says the least there is"
    );
    assert_eq!(still.next(), None);
    let frozen = Now::new(NOW, true);
    frozen.wake_in(Duration::ZERO);
    assert_eq!((frozen.age(ago(5)), frozen.next()), ("5 s".into(), None));
}

#[test]
fn clocks_that_step_back_give_no_negative_age() {
    let now = Now::new(NOW, false);
    assert_eq!(now.age(later(50)), "0 s");
    assert_eq!(now.runs_for(later(50)), "0 s");
    assert_eq!(now.took(later(50), Some(NOW)), "0 ms");
}

#[test]
fn deadlines_are_read_with_their_unit_and_nothing_else_is_one() {
    for (words, seconds) in [
        ("90s", Some(90)),
        ("12m", Some(720)),
        ("12min", Some(720)),
        (" 1h ", Some(3600)),
        ("2d", Some(172_800)),
        ("5", Some(300)),
        ("0", Some(0)),
        ("", None),
        ("h", None),
        ("-5m", None),
        ("1.5h", None),
        ("5 m", None),
        ("5w", None),
        ("1h30m", None),
        ("99999999999999999999", None),
        ("18446744073709551615d", None),
        ("٣m", None),
    ] {
        assert_eq!(parse_deadline(words), seconds, "`{words}`");
    }
    for (seconds, words) in [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (90, "90s"),
        (3600, "1h"),
        (5400, "90m"),
    ] {
        assert_eq!(deadline(seconds), words);
    }
}

#[test]
fn a_window_is_stale_by_what_may_have_changed_it_and_by_nothing_else() {
    use Topic::{Audit, Builds, Nodes, Runs};
    let list = ListQuery::default;
    let lines = Want::Lines {
        of: Source::Step {
            attempt: "a".into(),
            step: 1,
        },
        query: LogQuery::default(),
    };
    let matches = Want::Matches {
        of: Source::Step {
            attempt: "a".into(),
            step: 1,
        },
        query: LogQuery::default(),
    };
    let cases: [(Want, &[Topic]); 8] = [
        (Want::Runs(list()), &[Runs, Nodes]),
        (Want::Run("a".into()), &[Runs, Nodes]),
        (Want::Pipelines(list()), &[Builds, Runs]),
        (Want::Pipeline("a".into()), &[Builds, Runs]),
        (Want::Nodes(list()), &[Nodes, Runs]),
        (Want::Node("a".into()), &[Nodes, Runs]),
        (lines, &[Runs]),
        (matches, &[]),
    ];
    for (want, topics) in cases {
        for topic in [Builds, Runs, Nodes, Audit] {
            let change = Change {
                seq: 1,
                topic,
                ids: Vec::new(),
            };
            assert_eq!(
                want.stale_by(&change),
                topics.contains(&topic),
                "{want:?} by {topic:?}"
            );
        }
    }
}

#[test]
fn keys_have_names_and_nothing_else_is_one() {
    for (name, typed) in [
        ("a", Some('a')),
        ("G", Some('G')),
        ("/", Some('/')),
        ("space", Some(' ')),
        ("ctrl-d", None),
        ("alt-x", None),
        ("shift-left", None),
        ("enter", None),
        ("f1", None),
        ("backspace", None),
    ] {
        assert_eq!(Chord::parse(name).map(Chord::typed), Some(typed), "{name}");
    }
    for none in ["", "ctrl-", "entr", "ab", "hyper-x"] {
        assert_eq!(Chord::parse(none), None, "`{none}`");
    }
}

proptest! {
    #[test]
    fn no_amount_is_too_large_to_be_written(n in any::<u64>(), small in any::<u32>()) {
        for words in [text::age(ms(n)), text::took(ms(n)), text::runs_for(ms(n)), text::bytes(n), text::count(n),
            text::ordinal(n), text::cores(n), text::memory(u64::from(small)), text::cpu(small), deadline(n)] {
            prop_assert!(!words.is_empty() && words.len() <= 30, "{}", words);
        }
        prop_assert!(!text::age_lasts(ms(n)).is_zero() && !text::runs_for_lasts(ms(n)).is_zero());
    }

    #[test]
    fn a_running_time_changes_exactly_when_it_says(n in 0u64..400_000_000) {
        let lasts = text::runs_for_lasts(ms(n));
        prop_assert_eq!(text::runs_for(ms(n)), text::runs_for(ms(n) + lasts - ms(1)));
        prop_assert_ne!(text::runs_for(ms(n)), text::runs_for(ms(n) + lasts));
    }

    #[test]
    fn an_estimate_stays_the_same_until_the_frame_wakes(left in 1i64..400_000) {
        let now = Now::new(NOW, false);
        let at = Timestamp(NOW.0 + left);
        let said = now.eta(at);
        let wake = now.next().unwrap();
        prop_assert!(wake > NOW);
        prop_assert_eq!(text::eta(at, Timestamp(wake.0 - 1)), said);
    }

    #[test]
    fn deadlines_are_read_as_they_are_written(n in 0u64..10_000_000) {
        prop_assert_eq!(parse_deadline(&deadline(n)), Some(n));
    }

    #[test]
    fn no_text_breaks_cutting_and_wrapping(words in ".{0,60}", cells in 0u16..30) {
        prop_assert!(text::width(&text::fit(&words, cells)) <= cells);
        for line in text::wrap(&words, cells) {
            // A character that is wider than the room stands alone.
            prop_assert!(text::width(&line) <= cells.max(2), "{:?}", line);
        }
    }

    #[test]
    fn any_name_of_a_place_is_read_back(id in "[^:/\\s][^\\s/]{0,20}", job in "[^\\s/:]{1,20}") {
        for place in [
            Place::Pipeline(id.clone()),
            Place::Node(id.clone()),
            Place::Job(JobRef { run: Some(id.clone()), ..JobRef::default() }),
            Place::Job(JobRef { pipeline: Some(id.clone()), job: Some(job.clone()), run: None }),
        ] {
            prop_assert_eq!(Place::parse(&place.to_string()), Ok(place));
        }
    }

    #[test]
    fn no_line_of_the_palette_and_no_place_brings_it_down(line in ".{0,40}") {
        _ = crate::console::command::parse(&line);
        _ = Place::parse(&line);
        _ = parse_deadline(&line);
        _ = Chord::parse(&line);
    }
}
