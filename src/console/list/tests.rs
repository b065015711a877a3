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
        let Some(Action::Fetch(_, want)) = list.need(height, Timestamp(0)) else {
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

fn line_of_cursor<T: Row>(list: &List<T>) -> Option<usize> {
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
