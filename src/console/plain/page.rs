//! A screen as it is read: lines of words in their order, and what can be chosen, by number. Pure.
//!
//! Made from the same frame that others see, so that no screen needs a second way to be shown: what the frame says of its
//! rows and boxes in words takes the place of how they are drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::overlays::Overlay;
use crate::console::spot::Spot;
use crate::console::text::spoken;
use crate::console::theme::{Depth, Theme};
use crate::console::view::{row_text, view};

/// Wide enough that no cell is cut; so few rows that a page is heard in a minute and one pane is shown at a time.
pub const SIZE: (u16, u16) = (160, 14);

/// What is read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// Its lines.
    pub lines: Vec<String>,
    /// What the numbers in them choose.
    pub choices: Vec<Choice>,
}

/// Something to choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// What it is.
    pub spot: Spot,
    /// The word that must be typed first: it changes something.
    pub word: Option<String>,
}

impl Page {
    /// Reads what stands over the screen, or the screen.
    ///
    /// # Panics
    /// Never: the theme is built in.
    #[must_use]
    pub fn read(app: &App) -> Self {
        let mut page = Self::default();
        if let Some(overlay) = app.overlay() {
            page.overlay(overlay);
            return page;
        }
        let (columns, rows) = app.shell.size;
        let theme = Theme::named("mono", Depth::Sixteen).expect("the theme is built in and tested");
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let drawn = view(app, &theme, false, &mut buffer);
        page.lines.push(format!("{}.", title(app)));
        let spoken_of = |area: &Rect, y: u16| (area.top()..area.bottom()).contains(&y);
        let spots: Vec<_> = drawn
            .spots
            .all()
            .iter()
            .filter(|spot| !spot.words.is_empty())
            .collect();
        // The bars at the top and the hints say nothing that the menu does not.
        for y in 1..rows.saturating_sub(1) {
            for spot in spots.iter().filter(|spot| spoken_of(&spot.area, y)) {
                for x in spot.area.left()..spot.area.right() {
                    buffer[(x, y)].set_symbol(" ");
                }
            }
            let words = spoken(&row_text(&buffer, y));
            if !words.is_empty() {
                page.lines.push(words);
            }
            for spot in spots.iter().filter(|spot| spot.area.y == y) {
                page.choice(spot.spot, &spot.words, None);
            }
        }
        page
    }

    fn overlay(&mut self, overlay: &Overlay) {
        match overlay {
            Overlay::Reading(reading) => {
                self.lines.push(format!("{}.", reading.title()));
                self.lines.extend(
                    reading
                        .plain()
                        .lines()
                        .map(spoken)
                        .filter(|line| !line.is_empty()),
                );
            }
            Overlay::Menu(menu) => {
                self.lines.push(format!("{}.", menu.title()));
                for (n, words) in menu.words().enumerate() {
                    self.choice(Spot::Choice(n), &words, None);
                }
            }
            Overlay::Dialog(dialog) => {
                self.lines.push(dialog.title.clone());
                self.lines.extend(dialog.body.iter().cloned());
                if !dialog.command.is_empty() {
                    self.lines
                        .push(format!("The same by hand: {}", dialog.command));
                }
                for (n, button) in dialog.buttons.iter().enumerate() {
                    // The first answer leaves everything as it is.
                    let word = (n > 0 && !dialog.quits).then(|| button.label.clone());
                    self.choice(Spot::Choice(n), &button.label, word);
                }
            }
            Overlay::Prompt(prompt) => {
                let said = prompt.said();
                self.lines.extend(said.map(|(_, said)| said.to_owned()));
                let (label, typed) = (prompt.label().0.trim(), prompt.input.text());
                let now = if typed.is_empty() {
                    String::new()
                } else {
                    format!(" (now: {typed})")
                };
                self.lines
                    .push(format!("Type {label}{now}, or nothing to leave it:"));
            }
            Overlay::Words(words) => {
                self.lines.push(format!("Type {}:", words.label()));
            }
            Overlay::Palette(_) | Overlay::Goto => {}
        }
    }

    fn choice(&mut self, spot: Spot, words: &str, word: Option<String>) {
        self.choices.push(Choice { spot, word });
        self.lines.push(format!("{}. {words}", self.choices.len()));
    }
}

/// Where one is.
fn title(app: &App) -> String {
    let place = app.place().to_string();
    let name = place
        .split_once(':')
        .map_or(place.clone(), |(kind, id)| format!("{kind} {id}"));
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::effect::Effect;
    use crate::console::keymap::Cmd;
    use crate::console::place::Place;
    use crate::console::tests::kit::{Model, Stage};

    fn stage(place: Place) -> Stage {
        let mut stage = Stage::live(place, SIZE, Model::busy());
        stage.app.shell.reads = true;
        stage
    }

    /// Characters that only a drawing has.
    fn drawn(line: &str) -> bool {
        line.chars()
            .any(|c| matches!(c, '\u{2500}'..='\u{27bf}' | '\u{2800}'..='\u{28ff}'))
    }

    #[test]
    fn every_tab_is_read_in_words_with_its_rows_numbered_and_labelled() {
        for (place, title, label) in [
            (Place::Builds, "Builds.", "status "),
            (Place::Queue, "Queue.", "job "),
            (Place::Cluster, "Cluster.", "name "),
        ] {
            let stage = stage(place);
            let page = Page::read(&stage.app);
            assert_eq!(page.lines[0], title);
            let first = page.lines.iter().find(|line| line.starts_with("1. "));
            assert!(first.is_some_and(|line| line.contains(label)), "{page:#?}");
            assert_eq!(page.choices[0].spot, Spot::Row(0));
            assert!(!page.lines.iter().any(|line| drawn(line)), "{page:#?}");
        }
    }

    #[test]
    fn a_number_opens_what_has_it() {
        let mut stage = stage(Place::Builds);
        let page = Page::read(&stage.app);
        assert!(page.choices.len() >= 3, "{page:#?}");
        let actions = stage.app.choose(page.choices[1].spot);
        assert!(!actions.is_empty(), "it asks for the build");
        assert!(stage.place().starts_with("pipeline:"), "{}", stage.place());
    }

    #[test]
    fn an_answer_that_changes_something_wants_its_word_and_the_harmless_one_none() {
        let mut stage = stage(Place::Cluster);
        _ = stage.app.obey_now(Cmd::Drain);
        let page = Page::read(&stage.app);
        let words: Vec<_> = page.choices.iter().map(|one| one.word.as_deref()).collect();
        assert_eq!(words[0], None);
        assert!(
            words.len() > 1 && words[1..].iter().all(Option::is_some),
            "{page:#?}"
        );
        assert!(
            page.lines
                .iter()
                .any(|line| line.starts_with("The same by hand: roundel "))
        );
    }

    #[test]
    fn a_prompt_asks_for_a_line_and_takes_it() {
        let mut stage = stage(Place::Builds);
        _ = stage.app.act(vec![Effect::Press(Cmd::Filter)]);
        assert_eq!(
            Page::read(&stage.app).lines,
            ["Type filter, or nothing to leave it:"]
        );
        _ = stage.app.typed_line("nosuch");
        assert!(stage.app.overlay().is_none());
        _ = stage.app.act(vec![Effect::Press(Cmd::Filter)]);
        let page = Page::read(&stage.app);
        assert_eq!(
            page.lines,
            ["Type filter (now: nosuch), or nothing to leave it:"]
        );
        _ = stage.app.typed_line("");
        assert!(stage.app.overlay().is_none());
    }
}
