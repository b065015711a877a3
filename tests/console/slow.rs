//! The console over a serial line of 9,600 baud with a long way to it: little is sent, and what a key does comes first.

use crate::support::{BUILDS, Home, Screen, THREE, Terminal, at_rest, key};

/// Bytes a second on such a line.
const RATE: usize = 960;
/// Time of a byte on its way there and back, in ms.
const DELAY: usize = 600;

fn built(n: usize) -> Home {
    let home = Home::new();
    home.repository("web", THREE);
    for _ in 0..n {
        home.run(&["build", "web"]).with_code(0);
    }
    home
}

/// The row of the screen that a build stands in.
fn row(screen: &Screen, build: &str) -> Option<usize> {
    screen.place(build).map(|(_, y)| y)
}

#[test]
fn a_j_is_so_few_bytes_that_it_shows_within_a_second() {
    let home = built(3);
    let mut console = Terminal::slow(&home.command(&BUILDS), (80, 24), RATE);
    console.sees(&["local/web #3", "local/web #1", "? help"]);
    console.wait("the first frame is complete", at_rest);
    for (keys, build) in [
        ("j", "local/web #2"),
        ("j", "local/web #1"),
        ("k", "local/web #2"),
    ] {
        let before = console.screen().bytes().len();
        console.keys(keys);
        let mut used = 0;
        console.wait(&format!("the cursor is on {build}"), |screen| {
            let marked =
                row(screen, build).is_some_and(|y| screen.ground(1, y) != screen.ground(1, 22));
            used = screen.bytes().len() - before;
            used > 0 && marked
        });
        let ms = DELAY + used * 1000 / RATE;
        println!("{keys}: {used} bytes, {ms} ms");
        assert!(ms < 1000, "{keys}: {used} bytes take {ms} ms");
    }
    assert!(
        console.screen().strange().is_empty(),
        "{}",
        console.screen()
    );
}

#[test]
fn keys_that_come_faster_than_frames_are_drawn_together_and_nothing_tears() {
    let home = built(3);
    let mut console = Terminal::slow(&home.command(&BUILDS), (80, 24), RATE);
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
