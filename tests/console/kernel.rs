//! The console on the kernel's own terminal, `TERM=linux`: sixteen colours, few characters, no alternate screen.

use crate::support::{BUILDS, Home, THREE, Terminal, key};

#[test]
fn the_kernels_terminal_is_sent_what_it_can_show_and_is_left_clean() {
    let home = Home::new();
    home.repository("web", &THREE.replace("echo tidy", "false"));
    home.run(&["build", "web"]).with_code(1);
    let mut command = home.command(&BUILDS);
    command.env("TERM", "linux");
    let mut console = Terminal::start(&command, (80, 24));
    console.screen().knows_little();
    console.sees(&["local/web #1", "x failed"]);
    for (keys, words) in [
        (key::ENTER, &["Builds > ", "x lint"][..]),
        ("l", &["Steps", "false"]),
        ("c", &["To be copied by hand"]),
        (key::ENTER, &["Steps"]),
        ("1", &["* Started", "Services"]),
        ("2", &["Nothing waits."]),
        ("4", &["1 node", "* ready"]),
        ("x", &["drain it"]),
        ("q", &["1 node"]),
        ("7", &["build.create"]),
        // F1, as that terminal sends it.
        ("\x1b[[A", &["one down"]),
    ] {
        console.press(keys, words);
    }
    let screen = console.screen();
    assert!(screen.text().is_ascii(), "{screen}");
    assert!(screen.is_coloured(), "{screen}");
    assert!(screen.strange().is_empty(), "{screen}");
    assert!(screen.clipboard().is_empty(), "{screen}");
    drop(screen);
    console.keys(key::CTRL_C);
    console.sees(&["Leave the console?"]);
    console.keys(key::CTRL_C);
    assert!(console.ended().success());
    // It has no other screen to go back to: nothing of the console stays under the prompt.
    console.wait("the screen is empty", |screen| {
        screen.text().trim().is_empty()
    });
    console.is_given_back();
}
