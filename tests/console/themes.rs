//! Themes: those built in, those of a person, and what chooses one.

use std::fs;

use crate::support::{Color, Home, Terminal, key};

const MONO: &str = include_str!("../../themes/mono.toml");

/// Writes a theme of a person.
fn theme(home: &Home, name: &str, text: &str) {
    let dir = home.path("config/roundel/themes");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(name), text).unwrap();
}

/// The colour of the sign in the corner: the accent of the theme.
fn accent(console: &Terminal) -> Color {
    console.screen().find("◆").unwrap().1.fg
}

#[test]
fn a_theme_of_a_person_is_taken_and_a_broken_one_is_told_and_keeps_the_present_one() {
    let home = Home::new();
    theme(
        &home,
        "night.toml",
        &MONO.replace("accent    = { bold = true }", "accent = \"#ff8800\""),
    );
    theme(
        &home,
        "broken.toml",
        &MONO.replace("failed    = { bold = true }", "failed = \"redd\""),
    );
    let mut command = home.command(&["--theme", "night"]);
    command.env("COLORTERM", "truecolor");
    let mut console = Terminal::start(&command, (100, 30));
    console.sees(&["Nothing has been built here yet."]);
    assert_eq!(accent(&console), Color::Rgb(255, 136, 0));
    console.press(":", &["command"]);
    console.press("theme b", &["theme broken"]);
    console.press(
        key::ENTER,
        &["broken.toml:14: `failed`: `redd` is no colour; nearest: red"],
    );
    assert_eq!(accent(&console), Color::Rgb(255, 136, 0));
    console.press(":theme light\r", &["theme light"]);
    console.wait("the colours of the light theme", |screen| {
        screen
            .find("◆")
            .is_some_and(|(_, style)| style.fg == Color::Rgb(0, 0x63, 0x5d))
    });
    console.press(":theme ./drak.toml\r", &["./drak.toml: cannot be read"]);
}

#[test]
fn a_theme_that_is_not_there_is_a_usage_error_and_belongs_to_the_console() {
    let home = Home::new();
    theme(&home, "broken.toml", "base = \"#000000\"\nbase = 1\n");
    for (words, told) in [
        (
            &["console", "--once", "--theme", "drak"][..],
            "there is no theme `drak`; nearest: dark",
        ),
        (
            &["console", "--once", "--theme", "broken"],
            "broken.toml:2: ",
        ),
        (
            &["console", "--once", "--theme", "./nosuch.toml"],
            "./nosuch.toml: cannot be read",
        ),
        (
            &["--theme", "dark", "status"],
            "--theme belongs to the console",
        ),
        (&["--ascii", "version"], "--ascii belongs to the console"),
    ] {
        let said = home.run(words).with_code(2);
        assert!(said.err.contains(told), "{words:?}: {}", said.err);
    }
}

#[test]
fn a_poor_terminal_gets_its_own_colours_and_plain_characters() {
    let home = Home::new();
    for (variables, glyph) in [
        (&[("TERM", "linux"), ("LC_ALL", "C.UTF-8")][..], "*"),
        (&[("TERM", "xterm-256color"), ("LC_ALL", "C")], "*"),
        (&[("TERM", "xterm"), ("LC_ALL", "C.UTF-8")], "◆"),
    ] {
        let mut command = home.command(&[]);
        command.envs(variables.iter().copied());
        let console = Terminal::start(&command, (100, 30));
        console.sees(&["Nothing has been built here yet.", glyph]);
        let screen = console.screen();
        assert_eq!(
            screen.text().is_ascii(),
            glyph == "*",
            "{variables:?}\n{screen}"
        );
        // The ground is left to a terminal of sixteen colours.
        let own = variables[0].1 != "xterm-256color";
        assert_eq!(screen.bare() > 0, own, "{variables:?}");
    }
}
