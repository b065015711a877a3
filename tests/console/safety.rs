//! What a job says never reaches the terminal as anything but text.

use crate::support::{Home, Terminal, key};

/// A job that tries to take the terminal over: title, clipboard, cursor, screen, modes, questions, device control,
/// characters that turn text round, NUL, bytes that are no UTF-8, and C1 controls.
const HOSTILE: &str = r#"version: 2.1
jobs:
  evil:
    machine: true
    steps:
      - run:
          name: Say it
          command: |
            printf 'begin\n'
            printf 'title \033]0;owned\007 after\n'
            printf 'clipboard \033]52;c;ZXZpbA==\007 after\n'
            printf 'link \033]8;;http://evil.example\033\\text\033]8;;\033\\ after\n'
            printf 'cursor \033[1;1H\033[2J\033[10A after\n'
            printf 'modes \033[?1049l\033[?1000h\033[?25h\033[6n\033[c after\n'
            printf 'device \033P+q544e\033\\ after\033_apc\033\\ after\n'
            printf 'bidi \342\200\256gnp.exe\342\200\254 \342\201\246x\342\201\251 \342\200\217 after\n'
            printf 'zero \000 after \177 bell \007 back \b\b\b return \rover\n'
            printf 'bytes \377\376 \303( \233\061m after\n'
            printf 'colour \033[31mred\033[0m after\n'
            printf 'long %200s \033]2;owned\033\\ after\n' word
            printf 'open \033]0;never closed\n'
            printf 'last\n'
workflows: {main: {jobs: [evil]}}
"#;

/// Characters that turn text round, or hide what follows.
fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn a_hostile_log_is_only_text() {
    let home = Home::new();
    home.repository("evil", HOSTILE);
    home.run(&["build", "evil"]).with_code(0);
    for size in [(80, 24), (120, 36)] {
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/evil #1"]);
        console.press(key::ENTER, &["Builds › ", "build number"]);
        console.press("l", &["begin", "title", "last"]);
        console.press("s", &["begin", "last"]);
        // Every way in which the console shows a log.
        for keys in ["t", "w", "a", "a", "G", "d"] {
            console.acts(keys);
        }
        console.sees(&["Esc close"]);
        console.keys(key::ESC);
        console.loses("Esc close");
        console.sees(&["begin"]);
        // The frame that shows a key's effect is followed by no other: the stream is complete.
        console.press(":", &["cluster"]);
        let screen = console.screen();
        assert!(screen.strange().is_empty(), "{screen}");
        assert!(screen.clipboard().is_empty(), "{:?}", screen.clipboard());
        let stream = std::str::from_utf8(screen.bytes()).unwrap();
        let turning: Vec<char> = stream.chars().filter(|c| turns(*c)).collect();
        assert!(turning.is_empty(), "{turning:?}");
        let controls: Vec<char> = stream
            .chars()
            .filter(|c| c.is_control() && *c != '\x1b')
            .collect();
        assert!(controls.is_empty(), "{controls:?}");
    }
}

#[test]
fn only_the_copy_key_reaches_the_clipboard() {
    let home = Home::new();
    let mut console = Terminal::open(&home, (80, 24), &[]);
    console.sees(&["Nothing has been built here yet."]);
    console.press("4", &["1 node", "gives to runs"]);
    assert!(console.screen().clipboard().is_empty());
    console.press("c", &["copied "]);
    console.wait("it is on the clipboard", |screen| {
        screen.clipboard().len() == 1
    });
}
