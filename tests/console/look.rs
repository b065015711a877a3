//! How it looks where little is possible: no colour, no room; and dialogs that guard what destroys.

use crate::support::{BUILDS, Color, Home, THREE, Terminal, key};

#[test]
fn colours_are_there_and_no_color_takes_all_of_them_away() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    for coloured in [true, false] {
        let mut command = home.command(&BUILDS);
        if !coloured {
            command.env("NO_COLOR", "1");
        }
        let mut console = Terminal::start(&command, (120, 36));
        console.sees(&["local/web #1", "success"]);
        console.press(key::ENTER, &["Builds › ", "build number"]);
        console.press("l", &["Steps", "one"]);
        console.press("4", &["1 node", "gives to runs"]);
        console.press("x", &["drain"]);
        let screen = console.screen();
        assert_eq!(screen.is_coloured(), coloured, "{screen}");
        // Nothing is told by colour alone: what has the focus differs without it, too.
        if coloured {
            assert_eq!(screen.bare(), 0, "every cell has the ground of the theme");
            let (_, style) = screen.find("roundel").unwrap();
            assert_ne!(style.fg, Color::Default);
        }
    }
}

#[test]
fn the_row_under_the_cursor_stands_out_without_colour() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let mut command = home.command(&BUILDS);
    command.env("NO_COLOR", "1");
    let console = Terminal::start(&command, (80, 24));
    console.wait("the row is marked", |screen| {
        screen
            .find("local/web")
            .is_some_and(|(_, style)| style.reverse)
    });
}

#[test]
fn too_small_it_says_so_and_still_shows_one_pane() {
    let home = Home::new();
    home.repository("web", THREE);
    home.run(&["build", "web"]).with_code(0);
    let mut console = Terminal::open(&home, (59, 14), &[]);
    console.sees(&["59×14 is small: 60×15 shows all of it", "local/web #1"]);
    console.press(key::ENTER, &["Builds › ", "✓ build"]);
    console.press("l", &["Builds › ", "Say it"]);
    console.press(key::TAB, &["one", "two"]);
    console.press("4", &["1 node"]);
    console.resize((10, 3));
    console.sees(&["too small"]);
    console.resize((60, 15));
    console.sees(&["1 node", "? help"]);
    console.loses("is small");
}

#[test]
fn a_drain_asks_with_cancel_focused_and_ends_in_safe_to_terminate() {
    let home = Home::new();
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["Nothing has been built here yet."]);
    console.press("4", &["1 node", "gives to runs"]);
    console.press("D", &["Drain ", "[ Cancel ]", "same by hand", "node-drain"]);
    // The focus is told by more than brackets.
    console.wait("the focused button stands out", |screen| {
        let (focused, other) = (screen.find("Cancel"), screen.find("Drain, wait"));
        focused.zip(other).is_some_and(|(a, b)| a.1 != b.1)
    });
    console.keys(key::ENTER);
    console.loses("[ Cancel ]");
    assert!(!console.screen().text().contains("safe to terminate"));
    console.press("D", &["[ Cancel ]"]);
    console.press(key::RIGHT, &["[ Drain, wait ]"]);
    console.press(key::ENTER, &["safe to terminate"]);
    console.press("@", &["node-drain"]);
}
