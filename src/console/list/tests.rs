//! The cursor and the scroll of a list against a list that changes underneath.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct Item(String);

impl Row for Item {
    fn id(&self) -> &str {
        &self.0
    }
}

fn list() -> List<Item> {
    List::new(
        Want::Runs,
        "",
        Order {
            column: "",
            descending: false,
        },
    )
}

/// Answers like the server does: a window around an id when it is there, else from the offset.
fn serve(list: &mut List<Item>, all: &[String], height: u16) {
    for _ in 0..4 {
        let Some(Action::Fetch(_, want) | Action::Refresh(_, want)) =
            list.need(height, Timestamp(0))
        else {
            return;
        };
        let Want::Runs(query) = &want else {
            panic!("not a list: {want:?}")
        };
        let limit = query.limit.unwrap() as usize;
        let at = query
            .around
            .as_ref()
            .and_then(|id| all.iter().position(|one| one == id));
        let offset = at
            .map_or(query.offset.unwrap() as usize, |i| {
                i.saturating_sub(limit / 2)
            })
            .min(all.len());
        let rows = all[offset..]
            .iter()
            .take(limit)
            .cloned()
            .map(Item)
            .collect();
        list.accept(
            &want,
            Ok(Page {
                rows,
                total: all.len() as u64,
                offset: offset as u64,
                seq: 1,
            }),
        );
    }
}

fn names(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| format!("r{n:04}")).collect()
}

fn line_of_cursor<T: Row + Clone>(list: &List<T>) -> Option<usize> {
    list.visible().position(|(_, here)| here)
}

#[test]
fn rows_that_come_above_do_not_move_the_cursors_line() {
    let mut all = names(0..100);
    let mut list = list();
    serve(&mut list, &all, 10);
    for _ in 0..14 {
        list.movement(Cmd::Down);
        serve(&mut list, &all, 10);
    }
    let (id, line) = (list.current().cloned(), line_of_cursor(&list));
    assert_eq!(id, Some(Item("r0014".into())));
    all.splice(0..0, names(900..905));
    list.feed_mut().touch();
    serve(&mut list, &all, 10);
    assert_eq!((list.current().cloned(), line_of_cursor(&list)), (id, line));
}

#[test]
fn an_untouched_list_keeps_showing_its_top() {
    let mut all = names(0..50);
    let mut list = list();
    serve(&mut list, &all, 10);
    all.insert(0, "new".into());
    list.feed_mut().touch();
    serve(&mut list, &all, 10);
    assert_eq!(list.visible().next().unwrap().0, Some(&Item("new".into())));
    assert_eq!(
        list.current(),
        Some(&Item("r0000".into())),
        "the cursor follows its row"
    );
}

#[test]
fn when_the_cursors_row_goes_the_next_one_takes_its_line() {
    let mut all = names(0..50);
    let mut list = list();
    serve(&mut list, &all, 10);
    list.movement(Cmd::Down);
    list.movement(Cmd::Down);
    all.remove(2);
    list.feed_mut().touch();
    serve(&mut list, &all, 10);
    assert_eq!(list.current(), Some(&Item("r0003".into())));
    all.clear();
    list.feed_mut().touch();
    serve(&mut list, &all, 10);
    assert_eq!(list.current(), None);
}

#[test]
fn a_long_list_is_never_held_whole() {
    let all = names(0..9000);
    let mut list = list();
    serve(&mut list, &all, 20);
    list.movement(Cmd::Bottom);
    serve(&mut list, &all, 20);
    assert_eq!(list.current(), Some(&Item("r8999".into())));
    assert!(list.rows().len() <= 80);
}

#[test]
fn moving_by_one_row_mostly_asks_nothing() {
    let all = names(0..1000);
    let mut list = list();
    serve(&mut list, &all, 20);
    list.movement(Cmd::Top);
    serve(&mut list, &all, 20);
    let mut asked = 0;
    for _ in 0..100 {
        list.movement(Cmd::Down);
        assert!(list.current().is_some(), "no gap while moving");
        asked += u32::from(list.feed().is_settled() && list.need(20, Timestamp(0)).is_some());
        serve(&mut list, &all, 20);
    }
    assert!(asked <= 8, "{asked} fetches for 100 rows");
}

proptest! {
    #[test]
    fn the_cursor_is_always_on_the_screen(
        moves in prop::collection::vec(0usize..8, 0..40),
        sizes in prop::collection::vec(0u32..60, 1..6),
        height in 1u16..12,
    ) {
        let commands = [Cmd::Up, Cmd::Down, Cmd::PageUp, Cmd::PageDown, Cmd::HalfUp, Cmd::HalfDown, Cmd::Top, Cmd::Bottom];
        let mut list = list();
        for (i, size) in sizes.iter().enumerate() {
            let all = names(i as u32..i as u32 + size);
            list.feed_mut().touch();
            serve(&mut list, &all, height);
            for step in &moves {
                list.movement(commands[*step]);
                serve(&mut list, &all, height);
                prop_assert_eq!(line_of_cursor(&list).is_some(), *size > 0);
                prop_assert!(list.visible().count() <= usize::from(height));
                prop_assert!(list.visible().all(|(row, _)| row.is_some()));
            }
        }
    }
}

#[test]
fn a_click_goes_to_a_row_and_says_when_it_was_there() {
    let all: Vec<String> = (0..50).map(|n| format!("r{n}")).collect();
    let mut list = list();
    serve(&mut list, &all, 10);
    assert!(!list.point(4));
    assert_eq!(list.current(), Some(&Item("r4".into())));
    assert!(list.point(4));
    assert_eq!(list.hidden(), (0, 40));
}

#[test]
fn the_wheel_scrolls_and_the_cursor_stays_in_sight() {
    let all: Vec<String> = (0..50).map(|n| format!("r{n}")).collect();
    let mut list = list();
    serve(&mut list, &all, 10);
    for (lines, above, row) in [
        (3, 3, "r3"),
        (3, 6, "r6"),
        (-3, 3, "r6"),
        (900, 40, "r40"),
        (-900, 0, "r9"),
    ] {
        list.scroll(lines);
        serve(&mut list, &all, 10);
        assert_eq!(list.hidden().0, above, "by {lines}");
        assert_eq!(list.current(), Some(&Item(row.into())), "by {lines}");
    }
}

fn marked(list: &List<Item>) -> Vec<String> {
    list.marks().rows().map(|row| row.0.clone()).collect()
}

fn at(list: &mut List<Item>, all: &[String], row: usize) {
    list.movement(Cmd::Top);
    serve(list, all, 10);
    for _ in 0..row {
        list.movement(Cmd::Down);
        serve(list, all, 10);
    }
}

#[test]
fn a_mark_goes_one_down_and_is_taken_away_by_another() {
    let all = names(0..5);
    let mut list = list();
    serve(&mut list, &all, 10);
    list.mark(false).unwrap();
    list.mark(false).unwrap();
    assert_eq!(marked(&list), ["r0000", "r0001"]);
    assert_eq!(list.current(), Some(&Item("r0002".into())));
    list.movement(Cmd::Up);
    list.mark(false).unwrap();
    assert_eq!(marked(&list), ["r0000"]);
    list.clear_marks();
    assert_eq!(marked(&list), [""; 0]);
}

#[test]
fn a_range_goes_from_the_last_mark_to_the_cursor_also_beyond_what_is_read() {
    let all = names(0..900);
    for (from, to) in [(3, 7), (7, 3), (2, 700), (700, 5), (4, 4)] {
        let mut list = list();
        serve(&mut list, &all, 10);
        at(&mut list, &all, from);
        list.mark(false).unwrap();
        at(&mut list, &all, to);
        list.mark(true).unwrap();
        serve(&mut list, &all, 10);
        let (low, high) = (from.min(to), from.max(to));
        assert_eq!(marked(&list), all[low..=high], "{from} to {to}");
        assert_eq!(list.current(), Some(&Item(all[to].clone())));
        assert!(list.visible().all(|(row, _)| row.is_some()));
    }
}

#[test]
fn a_range_without_a_beginning_or_too_long_is_refused() {
    let all = names(0..3000);
    let mut list = list();
    assert!(list.mark(false).is_err(), "nothing is there yet");
    serve(&mut list, &all, 10);
    assert!(list.mark(true).unwrap_err().contains("Space marks"));
    list.mark(false).unwrap();
    list.movement(Cmd::Bottom);
    serve(&mut list, &all, 10);
    assert!(list.mark(true).unwrap_err().contains("1000 rows"));
    assert_eq!(marked(&list), ["r0000"]);
    list.set_filter("other");
    serve(&mut list, &all[..5], 10);
    assert!(
        list.mark(true).is_err(),
        "a range does not begin under another filter"
    );
}

proptest! {
    /// Whatever comes, goes and is filtered: marks stay with their ids, and the cursor with its own and on its line.
    #[test]
    fn marks_and_cursor_follow_ids(
        steps in prop::collection::vec((0usize..6, 0usize..12), 1..40),
        height in 2u16..12,
    ) {
        let mut all = names(100..140);
        let mut list = list();
        serve(&mut list, &all, height);
        list.movement(Cmd::Down);
        let mut expected = std::collections::BTreeSet::new();
        for (step, n) in steps {
            serve(&mut list, &all, height);
            let before = list.current().cloned();
            match step {
                0 => {
                    if let Some(row) = &before {
                        if !expected.remove(&row.0) {
                            expected.insert(row.0.clone());
                        }
                        list.mark(false).unwrap();
                    }
                }
                1 => _ = list.movement(Cmd::Down),
                2 => _ = list.movement(Cmd::PageUp),
                3 => {
                    list.set_filter(if list.filter.is_empty() { "some" } else { "" });
                    serve(&mut list, &all, height);
                    list.movement(Cmd::Down);
                }
                // A row comes or goes, anywhere but at the cursor.
                _ => {
                    let line = line_of_cursor(&list);
                    let at = n.min(all.len());
                    if step == 4 {
                        all.insert(at, format!("n{n:02}{}", all.len()));
                    } else if at < all.len() && before.as_ref().is_none_or(|row| row.0 != all[at]) {
                        all.remove(at);
                    }
                    list.feed_mut().touch();
                    serve(&mut list, &all, height);
                    if all.len() > usize::from(height) + 12 && before.is_some() {
                        prop_assert_eq!(list.current(), before.as_ref());
                        let shown = line_of_cursor(&list);
                        prop_assert!(shown == line || list.hidden().0 == 0 || list.hidden().1 == 0);
                    }
                }
            }
            let names: Vec<_> = expected.iter().cloned().collect();
            prop_assert_eq!(marked(&list), names);
        }
    }
}
