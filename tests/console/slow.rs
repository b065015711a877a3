//! The console over a serial line of 9,600 baud with 300 ms of way to it and back: little is sent, and what a key does
//! comes first.

use std::time::Duration;

use roundel::clock;

use crate::support::{BUILDS, Home, Modem, Screen, THREE, Terminal, at_rest, key};

/// Such a line. A byte takes eight bits and two around them.
const MODEM: Modem = Modem {
    rate: 960,
    delay: Duration::from_millis(300),
};

fn built(n: usize) -> Home {
    let home = Home::new();
    home.repository("web", THREE);
    for _ in 0..n {
        home.run(&["build", "web"]).with_code(0);
    }
    home
}

/// The builds whose row has the cursor.
fn under_cursor(screen: &Screen) -> Vec<usize> {
    let ground = |y| screen.ground(1, y);
    let marked = |n: &usize| {
        let place = screen.place(&format!("local/web #{n}"));
        place.is_some_and(|(_, y)| ground(y) != ground(22))
    };
    (1..=3).filter(marked).collect()
}

/// What a screen says besides ages and the clock.
fn said(screen: &Screen) -> Vec<String> {
    let ticks =
        |word: &&str| matches!(*word, "s" | "min") || word.contains(|c: char| c.is_ascii_digit());
    let rows = (0..24).map(|y| screen.row(y));
    let words = |row: String| {
        row.split_whitespace()
            .filter(|word| !ticks(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    rows.map(words).collect()
}

#[test]
fn a_j_is_so_few_bytes_that_it_shows_within_a_second_and_nothing_tears() {
    let home = built(3);
    let mut console = Terminal::slow(&home.command(&BUILDS), (80, 24), MODEM);
    console.sees(&["local/web #3", "local/web #1", "? help"]);
    console.wait("the first frame is complete", at_rest);
    let mut fastest = Duration::MAX;
    for (keys, build) in [("j", 2), ("j", 1), ("k", 2), ("k", 3), ("j", 2), ("k", 3)] {
        let before = console.screen().bytes().len();
        let typed = clock::monotonic();
        console.keys(keys);
        let mut used = 0;
        console.wait(&format!("the cursor is on {build}"), |screen| {
            let rows = under_cursor(screen);
            assert_eq!(
                rows.len(),
                1,
                "one row has the cursor, in every frame\n{screen}"
            );
            used = screen.bytes().len() - before;
            rows == [build]
        });
        let took = typed.elapsed();
        let line = MODEM.delay * 2 + Duration::from_secs(1) * u32::try_from(used).unwrap() / 960;
        println!(
            "{keys}: {used} bytes, {} ms, {} ms of them on the line",
            took.as_millis(),
            line.as_millis()
        );
        assert!(line < Duration::from_secs(1), "{keys}: {used} bytes");
        fastest = fastest.min(took);
    }
    // How long the console itself takes is for a quiet machine to say; a busy one lets one of six through.
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
    // What was drawn piece by piece is what a whole frame shows.
    let pieces = said(&console.screen());
    let before = console.screen().bytes().len();
    console.keys("\x12");
    console.wait("a whole frame", |screen| {
        screen.bytes().len() > before + 800
    });
    assert_eq!(said(&console.screen()), pieces);
    assert!(
        console.screen().strange().is_empty(),
        "{}",
        console.screen()
    );
}

#[test]
fn keys_that_come_faster_than_frames_are_drawn_together_and_nothing_tears() {
    let home = built(3);
    let mut console = Terminal::slow(&home.command(&BUILDS), (80, 24), MODEM);
    console.sees(&["local/web #3", "local/web #1", "? help"]);
    console.wait("the first frame is complete", at_rest);
    let before = console.screen().bytes().len();
    // Screens that nobody has time to look at: only the last one is worth its bytes.
    for _ in 0..10 {
        console.keys("4");
        console.keys("3");
    }
    console.press("2", &["Nothing waits."]);
    let used = console.screen().bytes().len() - before;
    let screens = 21;
    assert!(used < screens * 400, "{used} bytes for {screens} screens");
    console.press("3", &["local/web #3", "success"]);
    console.press(key::CTRL_C, &["Leave the console?"]);
    console.keys(key::CTRL_C);
    assert!(console.ended().success());
    console.is_given_back();
    assert!(
        console.screen().strange().is_empty(),
        "{}",
        console.screen()
    );
}
