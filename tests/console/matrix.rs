//! Every screen of a real server, at every size, in every theme, in ASCII and without colour, on a terminal.

use crate::support::{Color, Home, THREE, Terminal};

/// The sizes at which everything must be right, and one that is too small.
const SIZES: [(u16, u16); 4] = [(80, 24), (120, 36), (200, 60), (59, 14)];
/// Each screen: the keys that lead there from Builds, and what must stand there at every size.
const SCREENS: [(&str, &[&str]); 12] = [
    ("3", &["local/web #2", "✗ failed"]),
    ("=", &["› compared", "with local/web #1", "✗ test"]),
    ("3\r", &["Builds › ", "✗ test"]),
    ("l", &["Builds › ", "false"]),
    ("2", &["Nothing waits."]),
    ("4", &["1 node", "● ready"]),
    ("\r", &["Cluster › ", "● ready"]),
    ("1", &["● Started"]),
    ("7", &["build.create"]),
    ("6", &["Settings", "1 error"]),
    ("gv", &["VM Provider", "On-Host"]),
    ("\x13", &["Settings › Review", "Back"]),
];

/// Looks: words of the command line, variables, and the colour of what failed.
type Look = (
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
    Color,
);

#[test]
fn every_screen_at_every_size_in_every_look() {
    let home = Home::new();
    let config = home.repository("web", THREE).join(".circleci/config.yml");
    home.run(&["build", "web"]).with_code(0);
    let fails = THREE.replace("echo \"copy $CIRCLE_NODE_INDEX\"", "false");
    std::fs::write(config, fails).unwrap();
    home.commit("web", "Break it");
    home.run(&["build", "web"]).with_code(1);
    let looks: [Look; 8] = [
        (&["--theme", "dark"], &[], Color::Rgb(0xff, 0x7b, 0x72)),
        (&["--theme", "light"], &[], Color::Rgb(0xab, 0x17, 0x20)),
        (
            &["--theme", "high-contrast"],
            &[],
            Color::Rgb(0xff, 0xb3, 0xab),
        ),
        (
            &["--theme", "colour-blind-safe"],
            &[],
            Color::Rgb(0xff, 0x80, 0x40),
        ),
        (&["--theme", "terminal-16"], &[], Color::Indexed(1)),
        (&["--theme", "mono"], &[], Color::Default),
        (
            &["--ascii", "--theme", "dark"],
            &[],
            Color::Rgb(0xff, 0x7b, 0x72),
        ),
        (&["--theme", "dark"], &[("NO_COLOR", "1")], Color::Default),
    ];
    for (words, variables, failed) in looks {
        let ascii = words.contains(&"--ascii");
        let said = |word: &str| {
            if ascii {
                word.replace('✗', "x").replace('●', "*").replace('›', ">")
            } else {
                word.to_owned()
            }
        };
        let mut command = home.command(words);
        command
            .env("COLORTERM", "truecolor")
            .envs(variables.iter().copied());
        for size in SIZES {
            let mut console = Terminal::start(&command, size);
            console.sees(&["Needs attention"]);
            for (keys, stands) in SCREENS {
                let stands: Vec<String> = stands.iter().map(|word| said(word)).collect();
                let stands: Vec<&str> = stands.iter().map(String::as_str).collect();
                console.press(keys, &stands);
                // Its words stand on the screen before, too.
                if keys == "3\r" {
                    console.loses("compared");
                }
                console.wait("the frame is whole", |screen| {
                    let form = keys == "gv" && size.1 >= 15;
                    let help = if form { "F1 help" } else { "? help" };
                    let note = if size.1 < 15 { "is small" } else { help };
                    screen.text().contains(note)
                });
                let screen = console.screen();
                let met = format!("{words:?} {variables:?} {keys:?} {size:?}\n{screen}");
                assert!(screen.strange().is_empty(), "{met}");
                assert!(!ascii || screen.text().is_ascii(), "{met}");
                // What failed is told by its glyph and its word, and has the colour of its role.
                if keys == "3" {
                    let (_, style) = screen.find(&said("✗ failed")).unwrap();
                    assert_eq!(style.fg, failed, "{met}");
                }
            }
            let coloured = console.screen().is_coloured();
            assert_eq!(
                coloured,
                failed != Color::Default,
                "{words:?} {variables:?}"
            );
        }
    }
}
