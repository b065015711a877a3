//! The console for those to whom the screen is read, and for terminals that can only print: every screen as lines of
//! words, choices by number, and what changes is announced. No alternate screen, no cursor, no colour, no key but Enter.
//!
//! The same state, screens and effects as the full console; only the way in and out is another.

use std::io::{self, BufRead, Write};
use std::mem::discriminant;
use std::time::Duration;

use roundel::api::{Change, ListQuery, Topic};
use roundel::{clock, sanitise};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::console::action::{Action, Kept, Save, Slot, Want};
use crate::console::app::App;
use crate::console::backend::{Backend, Server};
use crate::console::chord::Chord;
use crate::console::effect::Effect;
use crate::console::event::{Answer, Event};
use crate::console::keymap::{Cmd, Keymap, Tab};
use crate::console::overlays::Overlay;
use crate::console::pen::ascii;
use crate::console::place::{Place, tab_name};
use crate::console::shell::Shell;
use crate::console::spot::Spot;

mod news;
mod page;

use news::News;
use page::{Choice, Page, SIZE};

/// Events and lines on their way.
const EVENTS: usize = 256;
/// How long a page waits for its data before it is read as it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// Least time between announcements: a voice needs time to finish.
const PAUSE: Duration = Duration::from_secs(2);
/// Newest builds that are watched for their end.
const WATCHED: u64 = 50;

/// What is said at the start and by `h`.
const HELP: &str = "Type a number to open what has it, 0 for the menu, b to go back, n and p for the next and the previous page, \
    x for what can be done here, a colon and a command, h for this, q to leave. Enter alone reads the page again. \
    Each key of the full console works too, as a line of its own.";

/// Runs until somebody leaves or input ends.
pub async fn run(server: Server, place: Option<Place>, keymap: Keymap, plain_ascii: bool) {
    let (events, mut inbox) = mpsc::channel(EVENTS);
    let (typed, mut lines) = mpsc::channel(EVENTS);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if typed.blocking_send(line).is_err() {
                return;
            }
        }
    });
    let mut shell = Shell::new(SIZE, clock::now());
    shell.keymap = keymap;
    (shell.reads, shell.copies, shell.mouse) = (true, false, false);
    let mut reader = Reader {
        app: App::new(shell, place),
        backend: Backend::spawn(server, events),
        ascii: plain_ascii,
        page: Page::default(),
        owed: Some(Instant::now() + PATIENCE),
        confirm: None,
        news: News::default(),
        held: Vec::new(),
        said_at: Instant::now(),
        ended: false,
    };
    reader.say("Roundel, plain.");
    reader.say(HELP);
    let first = reader.app.start();
    reader.perform(first).await;
    reader.watch().await;
    while !reader.ended {
        let wakes = reader.wakes();
        tokio::select! {
            biased;
            line = lines.recv() => match line {
                Some(line) => reader.line(line.trim()).await,
                None => return,
            },
            Some(event) = inbox.recv() => reader.event(event).await,
            () = sleep_until(wakes.unwrap_or_else(Instant::now)), if wakes.is_some() => {}
        }
        reader.speak();
    }
}

struct Reader {
    app: App,
    backend: Backend,
    ascii: bool,
    /// What was read last: what numbers mean.
    page: Page,
    /// A page is to be read once its data is there, or then.
    owed: Option<Instant>,
    /// What is done once its word is typed.
    confirm: Option<(Spot, String)>,
    news: News,
    /// Announcements that wait for a pause.
    held: Vec<String>,
    said_at: Instant,
    ended: bool,
}

impl Reader {
    /// Prints a line of words, inert.
    fn say(&self, words: &str) {
        let words = sanitise::line(words);
        let words = if self.ascii {
            ascii(&words)
        } else {
            words.into_owned()
        };
        // Nobody is left to be told when the reader has gone: input ends, too.
        _ = writeln!(io::stdout(), "{words}");
    }

    fn wakes(&self) -> Option<Instant> {
        let news = (!self.held.is_empty()).then(|| self.said_at + PAUSE);
        [news, self.owed].into_iter().flatten().min()
    }

    /// Says what is due: sentences first, then the page that is owed, then announcements.
    fn speak(&mut self) {
        let now = Instant::now();
        if let Some(flash) = self.app.shell.flash.take() {
            self.say(&flash.text);
        }
        let here = self.app.screen().is_settled() && self.app.shell.is_live();
        if let Some(by) = self.owed
            && (self.app.overlay().is_some() || here || now >= by)
        {
            self.owed = None;
            self.read();
        }
        if !self.held.is_empty() && now >= self.said_at + PAUSE {
            self.said_at = now;
            for words in std::mem::take(&mut self.held) {
                self.say(&words);
            }
        }
    }

    fn read(&mut self) {
        self.page = Page::read(&self.app);
        for line in &self.page.lines {
            self.say(line);
        }
        // A text was read to its end: there is nothing to close.
        if matches!(self.app.overlay(), Some(Overlay::Reading(_))) {
            _ = self.app.act(vec![Effect::Close]);
            self.page = Page::default();
        }
        self.say("?");
    }

    async fn event(&mut self, event: Event) {
        if let Event::Answer(Slot::News, _, answer) = event {
            if let Ok(answer) = answer
                && let Answer::Pipelines(page) = *answer
            {
                let said = self.news.of_builds(&page.rows);
                self.held.extend(said);
            }
            return;
        }
        let builds = matches!(
            event,
            Event::Reset
                | Event::Change(Change {
                    topic: Topic::Builds,
                    ..
                })
        );
        let before = self.app.overlay().map(discriminant);
        let mut actions = self.app.update(Event::Tick(clock::now()));
        actions.extend(self.app.update(event));
        let said = self.news.of_shell(&self.app.shell);
        self.held.extend(said);
        let over = self.app.overlay().map(discriminant);
        if over.is_some() && over != before {
            self.owed = Some(Instant::now());
        }
        self.perform(actions).await;
        if builds {
            self.watch().await;
        }
    }

    /// Asks for the newest builds, to hear of those that ended.
    async fn watch(&mut self) {
        let query = ListQuery {
            sort: "-created".to_owned(),
            limit: Some(WATCHED),
            ..ListQuery::default()
        };
        self.backend
            .ask(Action::Fetch(Slot::News, Want::Pipelines(query)))
            .await;
    }

    async fn line(&mut self, line: &str) {
        self.owed = Some(Instant::now() + PATIENCE);
        let mut actions = self.app.update(Event::Tick(clock::now()));
        actions.extend(self.answer(line));
        self.perform(actions).await;
    }

    /// What a line means now.
    fn answer(&mut self, line: &str) -> Vec<Action> {
        if let Some((spot, word)) = self.confirm.take() {
            if line.eq_ignore_ascii_case(&word) {
                return self.app.choose(spot);
            }
            self.say("Not done.");
            return self.app.act(vec![Effect::Close]);
        }
        if matches!(
            self.app.overlay(),
            Some(Overlay::Prompt(_) | Overlay::Words(_))
        ) {
            return self.app.typed_line(line);
        }
        if let Ok(n) = line.parse::<usize>() {
            return self.number(n);
        }
        match line {
            "" => Vec::new(),
            "q" | "quit" => {
                self.ended = true;
                Vec::new()
            }
            "b" => self.app.obey_now(Cmd::Back),
            "n" => self.app.obey_now(Cmd::PageDown),
            "p" => self.app.obey_now(Cmd::PageUp),
            "h" | "help" => {
                self.say(HELP);
                Vec::new()
            }
            line if line.starts_with(':') => self.app.act(vec![Effect::Command(line.to_owned())]),
            line => match Chord::parse(line) {
                Some(chord) => self.app.update(Event::Key(chord)),
                None => self.app.act(vec![Effect::Command(line.to_owned())]),
            },
        }
    }

    fn number(&mut self, n: usize) -> Vec<Action> {
        if n == 0 {
            return self.menu();
        }
        match self.page.choices.get(n - 1).cloned() {
            Some(Choice { spot, word: None }) => self.app.choose(spot),
            Some(Choice {
                spot,
                word: Some(word),
            }) => {
                self.say(&format!(
                    "Type {word} to do it; anything else leaves all as it is."
                ));
                self.confirm = Some((spot, word));
                self.owed = None;
                Vec::new()
            }
            None => {
                self.say(&format!("There is no {n} here."));
                Vec::new()
            }
        }
    }

    /// Reads the menu: the tabs, and what the keys of this screen do.
    fn menu(&mut self) -> Vec<Action> {
        let tabs = (1..=8).map(Tab).filter(|tab| Place::of_tab(*tab).is_some());
        let tabs = tabs.map(|tab| (tab_name(tab).to_owned(), Cmd::Go(tab)));
        let shell = &self.app.shell;
        let hints = shell.keymap.hints(&self.app.contexts()).into_iter();
        let hints =
            hints.filter(|(_, _, cmd)| !matches!(cmd, Cmd::Palette | Cmd::Quit | Cmd::Help));
        let hints = hints.map(|(key, word, cmd)| (format!("{word}, or type {key}"), cmd));
        let all: Vec<_> = tabs.chain(hints).collect();
        self.say("Menu.");
        for (n, (words, _)) in all.iter().enumerate() {
            self.say(&format!("{}. {words}", n + 1));
        }
        let choices = all.into_iter().map(|(_, cmd)| Choice {
            spot: Spot::Press(cmd),
            word: None,
        });
        self.page.choices = choices.collect();
        self.owed = None;
        self.say("?");
        Vec::new()
    }

    async fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Quit => self.ended = true,
                Action::Save(Save {
                    path,
                    what: Kept::View,
                    replace,
                }) => {
                    let text = self.app.head_of_view() + &self.page.lines.join("\n") + "\n";
                    let what = Kept::Text(text);
                    self.backend
                        .ask(Action::Save(Save {
                            path,
                            what,
                            replace,
                        }))
                        .await;
                }
                Action::Lend(_) | Action::Suspend => {
                    self.say("Not in the plain console: it never takes the terminal.");
                }
                action => self.backend.ask(action).await,
            }
        }
    }
}
