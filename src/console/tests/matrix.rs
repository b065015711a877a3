//! Every screen in every theme and size, and in ASCII: what must stand there stands there, and looks as its role does.

use ratatui::style::{Color, Modifier, Style};

use super::kit::*;
use super::screens::SCREENS;
use crate::console::theme::{Depth, Role, Theme, built_in};

/// Characters that the console draws with, beyond ASCII.
fn drawn(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2bff}' | '·' | '×' | '«' | '»')
}

fn is_coloured(style: Style) -> bool {
    let coloured = |colour: Option<Color>| !matches!(colour, None | Some(Color::Reset));
    coloured(style.fg) || coloured(style.bg)
}

#[test]
fn every_screen_stands_in_every_theme_at_every_size() {
    for met in SCREENS {
        for size in SIZES {
            let mut stage = met.stage(size);
            let words = stage.frame().text();
            stage.frame().has(met.always);
            if size != (59, 14) {
                stage.frame().has(met.usually);
            }
            assert_eq!(stage.frame().strange(), Vec::<char>::new(), "{}", met.name);
            for theme in built_in() {
                stage.theme = Theme::named(theme, Depth::True).unwrap();
                // A theme changes how things look, and nothing of what is said.
                assert_eq!(
                    stage.frame().text(),
                    words,
                    "{} in {theme} at {size:?}",
                    met.name
                );
            }
        }
    }
}

#[test]
fn ascii_is_ascii_and_says_the_same() {
    for met in SCREENS {
        for size in SIZES {
            for over in ["", "?", ":", "x", "g"] {
                let mut stage = met.stage(size);
                stage.keys(over);
                let words = stage.frame();
                stage.ascii = true;
                let plain = stage.frame();
                assert!(
                    plain.text().is_ascii(),
                    "{} {over}\n{}",
                    met.name,
                    plain.text()
                );
                // Cell by cell, only what is drawn has changed.
                for (before, after) in words.buffer.content.iter().zip(&plain.buffer.content) {
                    let kept = before.symbol() == after.symbol();
                    assert!(
                        kept || before.symbol().chars().all(drawn),
                        "{}: {before:?}",
                        met.name
                    );
                    assert_eq!(before.style(), after.style());
                }
            }
        }
    }
}

#[test]
fn mono_has_no_colour_and_still_shows_where_the_cursor_and_the_focus_are() {
    for met in SCREENS {
        for size in SIZES {
            for over in ["", "?", ":", "x", "q", "S"] {
                let mut stage = met.stage(size);
                stage.theme = Theme::named("mono", Depth::True).unwrap();
                stage.keys(over);
                let frame = stage.frame();
                let coloured = frame
                    .buffer
                    .content
                    .iter()
                    .find(|cell| is_coloured(cell.style()));
                assert!(coloured.is_none(), "{} {over}: {coloured:?}", met.name);
                let reversed = |style: Style| style.add_modifier.contains(Modifier::REVERSED);
                let marked = frame
                    .buffer
                    .content
                    .iter()
                    .any(|cell| reversed(cell.style()));
                // Where there are rows, or something to choose from, one of them stands out.
                let rows = over.is_empty() && matches!(met.name, "queue" | "builds" | "cluster");
                let choice = over == "q" || (over == ":" && stage.app.overlay().is_some());
                assert!(
                    marked || !(rows || choice),
                    "{} {over}\n{}",
                    met.name,
                    frame.text()
                );
            }
        }
    }
}

#[test]
fn a_state_has_its_role_its_glyph_and_its_word_in_every_theme() {
    for theme in built_in() {
        for size in SIZES {
            let mut stage = SCREENS[1].stage(size);
            assert_eq!(SCREENS[1].name, "builds");
            stage.theme = Theme::named(theme, Depth::True).unwrap();
            stage.keys("G");
            let frame = stage.frame();
            for (words, role) in [
                ("▶ running", Role::Running),
                ("✗ failed", Role::Failed),
                ("✓ success", Role::Ok),
            ] {
                let (is, wanted) = (frame.style(frame.find(words)), stage.theme.style(role));
                assert_eq!(is.fg, wanted.fg.or(Some(Color::Reset)), "{theme} {words}");
                assert!(
                    is.add_modifier.contains(wanted.add_modifier),
                    "{theme} {words}"
                );
            }
        }
    }
}

#[test]
fn numbers_are_whole_and_nothing_stands_beyond_the_frame() {
    for met in SCREENS {
        let wide = met.stage((200, 60)).frame().text();
        for size in SIZES {
            let frame = met.stage(size).frame();
            assert_eq!(frame.lines().len(), usize::from(size.1));
            for line in frame.lines() {
                let width = crate::console::text::width(&line);
                assert!(width <= size.0, "{} at {size:?}: {line}", met.name);
                // A cut in the middle of a number would be another number: where there is room, none goes on there.
                for cut in line.match_indices('…').map(|(at, _)| &line[..at]) {
                    let word = cut.rsplit(' ').next().unwrap_or_default();
                    let goes_on = |at: usize| {
                        let next = wide[at + word.len()..].chars().next();
                        next.is_some_and(|c| c.is_ascii_digit())
                    };
                    let mut found = wide.match_indices(word).map(|(at, _)| at).peekable();
                    let number =
                        word.ends_with(|c: char| c.is_ascii_digit()) && found.peek().is_some();
                    assert!(
                        !number || !found.all(goes_on),
                        "{} at {size:?}: {line}",
                        met.name
                    );
                }
            }
        }
    }
}

#[test]
fn what_stands_over_a_screen_fits_and_says_how_it_is_closed() {
    for size in SIZES {
        for (over, words) in [
            ("?", &["Keys", "one down"][..]),
            (":", &[": ", "close"]),
            ("x", &["org/api #1"]),
            ("q", &["Leave the console?", "[ Stay ]", "Quit"]),
            ("g", &["g q", "Queue"]),
            ("S", &["Sort by"]),
            ("/", &["filter"]),
            ("y", &["{"]),
            ("X", &["Cancel org/api #1?", "[ Cancel ]"]),
        ] {
            let mut stage = SCREENS[1].stage(size);
            stage.keys(over);
            let mut text = stage.frame().text();
            if over == "?" {
                for _ in 0..6 {
                    stage.keys("pgdn");
                    text.push_str(&stage.frame().text());
                }
            }
            for word in words {
                assert!(text.contains(word), "{over} at {size:?}: `{word}`\n{text}");
            }
            stage.keys("esc");
            assert!(stage.app.overlay().is_none(), "{over}");
        }
    }
}
