//! What puts words on cells: the pen, lines, tables, bars, marks, and their ASCII form. Nothing is drawn where it was not
//! told to, and nothing is told by colour alone.

use std::collections::HashSet;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use roundel::api::builds::{Outcome, RunRow, RunState, Status, StepStatus};
use roundel::api::fleet::NodeRow;

use super::kit::*;
use crate::console::line::Line;
use crate::console::list::Order;
use crate::console::marks::{self, Mark};
use crate::console::pen::Pen;
use crate::console::place::{JobRef, Place};
use crate::console::text;
use crate::console::theme::{Depth, Role, Theme};
use crate::console::widgets::{bars, table};

/// Draws on cells that all hold `~`, so that each cell that was touched is seen.
fn drawn(width: u16, height: u16, draw: impl FnOnce(&mut Pen)) -> Vec<String> {
    let theme = Theme::named("mono", Depth::Sixteen).unwrap();
    let mut buffer = Buffer::filled(
        Rect::new(0, 0, width, height),
        ratatui::buffer::Cell::new("~"),
    );
    draw(&mut Pen::new(&mut buffer, &theme));
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect();
    (0..height).map(line).collect()
}

#[test]
fn a_line_is_cut_at_its_width_and_says_so() {
    for (words, width, shown) in [
        ("abc", 5, "~abc~~~~"),
        ("abcde", 5, "~abcde~~"),
        ("abcdef", 5, "~abcd…~~"),
        ("a", 0, "~~~~~~~~"),
        ("ab", 1, "~…~~~~~~"),
        ("", 5, "~~~~~~~~"),
        ("ab cdef", 4, "~ab…~~~~"),
    ] {
        assert_eq!(
            drawn(8, 1, |pen| _ = pen.line(1, 0, width, &Line::from(words))),
            [shown],
            "{words} in {width}"
        );
    }
}

#[test]
fn a_line_answers_the_column_after_it() {
    for (words, width, end) in [("abc", 9, 4), ("abcdef", 3, 4), ("語語", 9, 5), ("", 9, 1)] {
        drawn(20, 1, |pen| {
            assert_eq!(pen.line(1, 0, width, &Line::from(words)), end, "{words}");
        });
    }
}

#[test]
fn what_ends_at_the_right_edge_ends_there() {
    for (words, shown) in [
        ("12", "~~~~~12~"),
        ("abcdefg", "~abcde…~"),
        ("語", "~~~~~語 ~"),
    ] {
        let row = drawn(8, 1, |pen| pen.right(1, 0, 6, &Line::from(words)));
        assert_eq!(row, [shown], "{words}");
    }
}

#[test]
fn nothing_is_drawn_beyond_the_frame() {
    let far = Line::from("far away");
    for (x, y) in [(0, 1), (0, 60_000), (8, 0), (60_000, 0)] {
        assert_eq!(
            drawn(8, 1, |pen| _ = pen.line(x, y, 60_000, &far)),
            ["~~~~~~~~"],
            "{x} {y}"
        );
    }
    let all = Rect::new(3, 0, 60_000, 60_000);
    assert_eq!(drawn(8, 1, |pen| pen.ground(all, Role::Base)), ["~~~     "]);
    drawn(8, 1, |pen| pen.underlay(all, Role::Selected));
}

#[test]
fn lines_below_one_another_stop_at_the_end_of_their_area() {
    let lines: Vec<Line> = ["a", "b", "c", "d"].map(Line::from).into();
    let rows = drawn(3, 4, |pen| pen.lines(Rect::new(1, 1, 1, 2), &lines));
    assert_eq!(rows, ["~~~", "~a~", "~b~", "~~~"]);
}

#[test]
fn a_section_has_its_words_in_a_rule() {
    let rows = drawn(10, 1, |pen| {
        pen.section(Rect::new(0, 0, 10, 3), &Line::from("why"));
    });
    assert_eq!(rows, ["─ why ────"]);
}

#[test]
fn a_padded_line_is_as_wide_as_asked_or_as_it_is() {
    for (words, cells, width) in [("ab", 5, 5), ("abcdef", 3, 6), ("語", 4, 4), ("", 0, 0)] {
        let line = Line::from(words).pad(cells);
        assert_eq!(line.width(), width);
        assert!(line.plain().starts_with(words));
    }
    let line = Line::new()
        .key("x", "acts")
        .gap(2)
        .strong("now")
        .join(Line::from("!"));
    assert_eq!(line.plain(), "x acts  now!");
}

/// All marks there are, with what they stand for.
fn all_marks() -> Vec<(&'static str, Mark)> {
    use Outcome as O;
    let statuses = [
        Status::Blocked,
        Status::Queued,
        Status::Running,
        Status::Failing,
        Status::Success,
        Status::Failed,
        Status::Canceled,
        Status::NotRun,
        Status::InfrastructureFail,
        Status::Timedout,
        Status::Errored,
    ];
    let mut all: Vec<_> = statuses.map(|s| ("job", marks::status(s))).into();
    let outcomes = [
        O::Success,
        O::Failed,
        O::Canceled,
        O::Timedout,
        O::InfrastructureFail,
        O::Interrupted,
    ];
    let lost = RunRow {
        unreachable: true,
        ..running(1)
    };
    let stopping = RunRow {
        stopping: true,
        ..running(1)
    };
    let runs = [run(1), running(1), lost, stopping]
        .into_iter()
        .chain(outcomes.map(|o| ended(1, o)));
    all.extend(runs.map(|run| ("run", marks::run(&run))));
    let steps = [
        StepStatus::Waiting,
        StepStatus::Running,
        StepStatus::Success,
        StepStatus::Failed,
        StepStatus::Skipped,
        StepStatus::Canceled,
        StepStatus::Timedout,
    ];
    all.extend(steps.map(|s| ("step", marks::step(s))));
    let node = |status: &str, eligible, drains: bool, safe| NodeRow {
        status: status.into(),
        eligible,
        drain: drains.then(drain),
        safe_to_terminate: safe,
        ..node(1)
    };
    let nodes = [
        node("ready", true, false, false),
        node("ready", false, false, false),
        node("ready", false, true, false),
        node("ready", false, true, true),
        node("down", true, false, false),
        node("initializing", true, false, false),
    ];
    all.extend(nodes.iter().map(|row| ("node", marks::node(row))));
    all
}

#[test]
fn every_state_has_a_glyph_of_one_cell_and_a_word_of_its_own() {
    let mut seen = HashSet::new();
    for (kind, mark) in all_marks() {
        assert_eq!(text::width(mark.glyph), 1, "{mark:?}");
        assert!(!mark.word.is_empty());
        assert!(
            seen.insert((kind, mark.word)),
            "two states of a {kind} are called {}",
            mark.word
        );
        assert!(mark.line().plain().ends_with(mark.word));
    }
}

#[test]
fn what_failed_and_what_is_well_differ_by_more_than_their_colour() {
    for (kind, one) in all_marks() {
        for (other_kind, other) in all_marks() {
            if kind == other_kind && one.role != other.role {
                assert_ne!((one.glyph, one.word), (other.glyph, other.word));
            }
        }
    }
    let dead = RunRow {
        outcome: None,
        ..ended(1, Outcome::Success)
    };
    assert_eq!(dead.state, RunState::Dead);
    assert_eq!(
        marks::run(&dead).word,
        "dead",
        "an outcome that this version does not know"
    );
    // A node that is down is down, whatever else was true of it.
    let down = NodeRow {
        status: "down".into(),
        drain: Some(drain()),
        ..node(1)
    };
    assert_eq!(marks::node(&down).word, "down");
}

#[test]
fn in_ascii_every_screen_and_overlay_is_ascii() {
    let job = Place::Job(JobRef {
        pipeline: Some(pipeline_id(2)),
        job: Some("job-13".into()),
        run: None,
    });
    for place in [
        Place::Queue,
        Place::Builds,
        Place::Pipeline(pipeline_id(2)),
        job,
        Place::Cluster,
        Place::Node("n02".into()),
    ] {
        for size in SIZES {
            let mut stage = Stage::live(place.clone(), size, Model::busy());
            stage.ascii = true;
            for keys in [
                "", "x", "esc ?", "G", "esc :", "esc q", "esc g", "esc esc", "esc",
            ] {
                stage.keys(keys);
                let text = stage.frame().text();
                let other: String = text.chars().filter(|c| !c.is_ascii()).collect();
                assert_eq!(other, "", "{place} after `{keys}`\n{text}");
            }
        }
    }
}

const COLUMNS: &[table::Column] = &[
    table::Column::new("NAME", "name", 6, 12),
    table::Column::new("N", "n", 3, 3).right().drop(2),
    table::Column::new("NOTE", "", 4, u16::MAX).drop(1),
];

fn drawn_table(width: u16, order: Order, rows: &[Option<u32>], here: usize) -> Vec<String> {
    let rows = rows
        .iter()
        .enumerate()
        .map(|(i, row)| (row.as_ref(), i == here));
    drawn(width, 4, |pen| {
        let area = Rect::new(0, 0, width, 4);
        table::draw(pen, area, false, COLUMNS, order, rows, |n| {
            vec![
                Line::from(format!("name {n}")),
                Line::from(n.to_string()),
                Line::from("a note"),
            ]
        });
    })
}

#[test]
fn a_table_aligns_heads_with_cells_and_numbers_right() {
    let order = Order {
        column: "name",
        descending: false,
    };
    let rows = drawn_table(32, order, &[Some(7), Some(4711), None, Some(9)], 0);
    let clean: Vec<String> = rows
        .iter()
        .map(|row| row.replace('~', " ").trim_end().to_owned())
        .collect();
    assert_eq!(
        clean,
        [
            " NAME ↑          N  NOTE",
            " name 7          7  a note",
            " name 4711     …    a note",
            " ·",
        ]
    );
    let turned = drawn_table(
        32,
        Order {
            column: "n",
            descending: true,
        },
        &[],
        0,
    );
    assert!(
        turned[0].contains("N ↓"),
        "the head of a narrow column keeps its sign: {}",
        turned[0]
    );
    assert!(!turned[0].contains('↑'));
    let narrow = drawn_table(16, order, &[Some(7)], 0);
    assert!(
        !narrow[0].contains(" N~") && narrow[0].contains("NOTE"),
        "what can be spared went: {}",
        narrow[0]
    );
}

#[test]
fn bars_show_a_little_and_never_more_than_there_is() {
    let plain = |line: Line| line.plain();
    assert_eq!(plain(bars::capacity(0, 0, 10, 5)), "░░░░░");
    assert_eq!(plain(bars::capacity(1, 0, 1000, 5)), "█░░░░");
    assert_eq!(plain(bars::capacity(5, 5, 10, 4)), "██▒▒");
    assert_eq!(plain(bars::capacity(10, 0, 10, 5)), "█████");
    assert_eq!(plain(bars::capacity(99, 99, 10, 5)), "█████");
    assert_eq!(plain(bars::capacity(0, 0, 0, 3)), "░░░");
    assert_eq!(plain(bars::amount(Role::Ok, 0, 9, 5)), "");
    assert_eq!(plain(bars::amount(Role::Ok, 1, 1_000_000, 5)), "▏");
    assert_eq!(plain(bars::amount(Role::Ok, 9, 9, 5)), "█████");
    assert_eq!(plain(bars::amount(Role::Ok, 1, 2, 1)), "▌");
    assert_eq!(plain(bars::amount(Role::Ok, 1, 1, 0)), "");
    let parts = [
        (Role::Ok, "█", 1),
        (Role::Failed, "x", 1),
        (Role::Running, "▒", 0),
    ];
    assert_eq!(plain(bars::parts(&parts, 100, 6)), "█x░░░░");
    assert_eq!(plain(bars::parts(&parts, 2, 6)), "███xxx");
    assert_eq!(plain(bars::parts(&parts, 0, 2)), "█x");
}

proptest! {
    #[test]
    fn the_pen_never_leaves_its_place(
        spans in prop::collection::vec(".{0,12}", 0..4),
        x in 0u16..12, width in 0u16..20, total in 1u16..24, right in any::<bool>(),
    ) {
        let mut line = Line::new();
        for (i, words) in spans.into_iter().enumerate() {
            line = if i % 2 == 0 { line.text(words) } else { line.strong(words) };
        }
        let rows = drawn(total, 3, |pen| {
            if right { pen.right(x, 1, width, &line); } else { pen.line(x, 1, width, &line); }
        });
        let blank = "~".repeat(usize::from(total));
        prop_assert_eq!(&rows[0], &blank);
        prop_assert_eq!(&rows[2], &blank);
        let cells = drawn(total, 3, |pen| {
            if right { pen.right(x, 1, width, &line); } else { pen.line(x, 1, width, &line); }
        });
        prop_assert_eq!(cells, rows, "it draws the same twice");
        let theme = Theme::named("mono", Depth::Sixteen).unwrap();
        let mut buffer = Buffer::filled(Rect::new(0, 0, total, 1), ratatui::buffer::Cell::new("~"));
        let mut pen = Pen::new(&mut buffer, &theme);
        if right { pen.right(x, 0, width, &line); } else { pen.line(x, 0, width, &line); }
        for at in (0..total).filter(|at| *at < x || *at >= x + width) {
            prop_assert_eq!(buffer[(at, 0)].symbol(), "~", "cell {} of {}", at, total);
        }
    }

    #[test]
    fn columns_stay_within_the_width_and_never_overlap(
        sizes in prop::collection::vec((1u16..20, 0u16..30, 0u8..4, any::<bool>()), 1..9),
        width in 0u16..220,
    ) {
        let columns: Vec<table::Column> = sizes.iter().map(|(min, more, drop, fills)| {
            let ideal = if *fills { u16::MAX } else { min + more };
            table::Column::new("X", "", *min, ideal).drop(*drop)
        }).collect();
        let places = table::place(&columns, width);
        prop_assert_eq!(places.len(), columns.len());
        let mut end = 0;
        for (place, column) in places.iter().zip(&columns) {
            let Some((x, wide)) = place else {
                prop_assert!(column.drop > 0, "a column that stays was given up");
                continue;
            };
            prop_assert!(*x >= end, "it overlaps the one before");
            prop_assert!(x + wide <= width.max(*x), "it leaves the table");
            end = x + wide;
        }
    }

    #[test]
    fn a_bar_of_parts_is_as_wide_as_asked(
        parts in prop::collection::vec(0u64..5000, 1..4), whole in 0u64..5000, cells in 0u16..60,
    ) {
        let named: Vec<_> = parts.iter().map(|n| (Role::Ok, "█", *n)).collect();
        prop_assert_eq!(bars::parts(&named, whole, cells).width(), cells);
        prop_assert!(bars::amount(Role::Ok, parts[0], whole, cells).width() <= cells);
    }
}
