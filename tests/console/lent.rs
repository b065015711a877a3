//! The terminal lent for a while: to the shell that started the console, to a shell or a command, to an editor. Before,
//! during and after it is as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{BUILDS, Home, Screen, Terminal, at_rest, key, until, words};

/// A shell with job control on a terminal, in the surroundings of a home.
fn shell(home: &Home, words: &[&str]) -> Terminal {
    let console = home.command(&[]);
    let mut shell = Command::new(words[0]);
    shell.args(&words[1..]).env("PS1", "ready> ");
    for (name, value) in console.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(console.get_current_dir().unwrap());
    let shell = Terminal::start(&shell, (80, 24));
    shell.sees(&["ready>"]);
    shell
}

/// The program as a shell would start it.
fn program() -> String {
    format!("{} console --screen builds", env!("CARGO_BIN_EXE_roundel"))
}

/// A shell waits for a command, on a terminal as it gave it.
fn is_prompt(screen: &Screen) -> bool {
    !screen.is_alternate()
        && screen.modes_on().is_empty()
        && screen.text().trim_end().ends_with("ready>")
}

/// Goes out by ctrl-z and back in by `fg`, so many times, then leaves.
fn to_and_fro(shell: &mut Terminal, rounds: usize) {
    for round in 0..rounds {
        shell.keys(key::CTRL_Z);
        shell.wait(&format!("the shell has the terminal, {round}"), is_prompt);
        shell.press(
            &format!("echo a'l'l {round}\r"),
            &[&format!("\nall {round}")],
        );
        shell.keys("fg\r");
        shell.wait("the console has the terminal", at_rest);
        shell.sees(&["Nothing has been built here yet.", "? help"]);
    }
    shell.press(key::CTRL_C, &["Leave the console?"]);
    shell.keys(key::CTRL_C);
    shell.wait("the shell has the terminal", is_prompt);
    shell.press("echo 'e'nded $?\r", &["\nended 0"]);
}

#[test]
fn ctrl_z_gives_the_terminal_to_bash_and_fg_takes_it_back_twenty_times() {
    let home = Home::new();
    let mut shell = shell(&home, &["bash", "--norc", "--noediting", "-i"]);
    shell.keys(&format!("{}\r", program()));
    shell.sees(&["Nothing has been built here yet."]);
    to_and_fro(&mut shell, 20);
}

#[test]
fn a_script_around_the_console_stops_with_it() {
    let home = Home::new();
    let mut shell = shell(&home, &["sh", "-i"]);
    // Not the shell's own child: the script in between must stop too, or no prompt comes.
    shell.keys(&format!("sh -c '{}; exit $?'\r", program()));
    shell.sees(&["Nothing has been built here yet."]);
    to_and_fro(&mut shell, 3);
}

#[test]
fn ctrl_z_at_once_reaches_the_shell_while_children_are_being_started() {
    let home = Home::new();
    let mut shell = shell(&home, &["bash", "--norc", "--noediting", "-i"]);
    // The first screen asks git about the directory: its children come and go while the key is taken.
    for round in 0..6 {
        shell.keys(&format!("{}\r", program()));
        shell.wait("the console has the terminal", Screen::is_alternate);
        shell.keys(key::CTRL_Z);
        shell.wait(&format!("the shell has the terminal, {round}"), is_prompt);
        shell.press("kill -KILL %%; wait; echo 'g'one\r", &["\ngone"]);
        shell.keys("clear\r");
        shell.loses("gone");
        shell.wait("the shell is ready", is_prompt);
    }
}

fn opened(home: &Home, envs: &[(&str, &str)]) -> Terminal {
    let mut command = home.command(&BUILDS);
    command.envs(envs.iter().copied()).env("SHELL", "/bin/sh");
    let mut console = Terminal::start(&command, (80, 24));
    console.sees(&["Nothing has been built here yet."]);
    console.press("4", &["1 node", "gives to runs"]);
    console.wait("the frame is complete", at_rest);
    console
}

/// Types a line into the palette.
fn command_line(console: &mut Terminal, line: &str) {
    console.press(":", &["queue", "tab 2"]);
    console.press(line, &[line]);
    console.keys(key::ENTER);
}

#[test]
fn a_command_has_the_terminal_as_it_was_and_enter_comes_back() {
    let home = Home::new();
    let mut console = opened(&home, &[]);
    let ours = words(&console.settings());
    for (line, says) in [
        ("!echo 'a'll mine", "[ended with 0; Enter goes back"),
        ("!sh -c 'exit 3'", "[ended with 3; Enter goes back"),
        ("!kill -KILL $$", "[ended by signal 9; Enter goes back"),
        ("!stty raw -echo; exit 4", "[ended with 4; Enter goes back"),
    ] {
        command_line(&mut console, line);
        console.sees(&[says]);
        assert!(!console.screen().is_alternate());
        assert_eq!(console.screen().modes_on(), [0u16; 0]);
        if !line.contains("stty") {
            assert_eq!(words(&console.settings()), words(&console.before), "{line}");
        }
        // What a program left the terminal in is no reason to leave it so.
        console.keys(if line.contains("stty") {
            "\n"
        } else {
            key::ENTER
        });
        console.wait("the console has the terminal", at_rest);
        console.sees(&["1 node", "gives to runs"]);
        assert_eq!(words(&console.settings()), ours, "{line}");
    }
    console.press(key::CTRL_C, &["Leave the console?"]);
    console.keys(key::CTRL_C);
    assert!(console.ended().success());
    console.is_given_back();
}

#[test]
fn ctrl_c_in_a_command_ends_that_and_not_the_console() {
    let home = Home::new();
    let mut console = opened(&home, &[]);
    command_line(&mut console, "!echo 'w'aits; exec cat");
    console.sees(&["waits"]);
    console.keys(key::CTRL_C);
    console.sees(&["[ended by signal 2; Enter goes back"]);
    console.keys(key::ENTER);
    console.wait("the console has the terminal", at_rest);
    console.sees(&["1 node"]);
}

#[test]
fn what_stops_itself_without_a_shell_above_goes_on() {
    let home = Home::new();
    let mut console = opened(&home, &[]);
    command_line(&mut console, "!kill -STOP $$; echo 'w'ent on");
    console.sees(&["went on", "Enter goes back"]);
    console.keys(key::ENTER);
    console.wait("the console has the terminal", at_rest);
    console.press(key::CTRL_Z, &["there is no shell to suspend to"]);
}

#[test]
fn ctrl_z_in_a_command_stops_the_console_with_it() {
    let home = Home::new();
    let mut shell = shell(&home, &["bash", "--norc", "--noediting", "-i"]);
    shell.keys(&format!("SHELL=/bin/sh {}\r", program()));
    shell.sees(&["Nothing has been built here yet."]);
    shell.wait("the console has the terminal", at_rest);
    command_line(&mut shell, "!echo 'w'aits; cat; echo 'c'ame back");
    shell.sees(&["waits"]);
    for _ in 0..6 {
        shell.keys(key::CTRL_Z);
        shell.wait("the shell has the terminal", is_prompt);
        // Ends a line also where the shell has yet to take the terminal's modes back.
        shell.keys("clear\n");
        shell.loses("Stopped");
        shell.wait("the shell is ready", is_prompt);
        shell.press("fg\r", &["roundel"]);
        // The shell names the job before it resumes it: a ctrl-z in between would reach nobody.
        shell.keys("heard\r");
        // Once as it is typed, once from the command that goes on.
        shell.wait("the command goes on", |screen| {
            screen.text().matches("heard").count() == 2
        });
    }
    shell.keys("\x04");
    shell.sees(&["came back", "Enter goes back"]);
    shell.keys(key::ENTER);
    shell.wait("the console has the terminal", at_rest);
    shell.sees(&["Nothing has been built here yet."]);
}

#[test]
fn a_shell_takes_what_is_typed_and_its_end_comes_back_to_what_changed_meanwhile() {
    let home = Home::new();
    let mut console = opened(&home, &[("PS1", "ready> ")]);
    command_line(&mut console, "shell");
    console.wait("the shell has the terminal", is_prompt);
    console.press("echo t'y'ped\r", &["\ntyped"]);
    // More changes than the console's channel holds come while nobody draws.
    for n in 0..3 {
        home.repository(&format!("web{n}"), crate::support::THREE);
        home.run(&["build", &format!("web{n}")]).with_code(0);
    }
    console.resize((100, 30));
    console.keys("exit\r");
    console.wait("the console has the terminal", at_rest);
    console.press(
        "3",
        &["local/web0 #1", "local/web1 #1", "local/web2 #1", "success"],
    );
    console.wait("it has all of the new size", |screen| {
        screen.row(29).contains("help")
    });
}

#[test]
fn a_text_opens_in_the_editor_by_a_private_copy_that_goes_away() {
    let home = Home::new();
    let editor = home.path("editor");
    let seen = home.path("seen");
    let script = format!(
        "#!/bin/sh\nstat -c '%a' \"$2\" >{seen}.mode\necho \"$2\" >{seen}.path\ncp \"$2\" {seen}\necho e'd'iting $1\nread line\n",
        seen = seen.display()
    );
    fs::write(&editor, script).unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let with_words = format!("{} --wait", editor.display());
    let mut console = opened(&home, &[("EDITOR", "false"), ("VISUAL", &with_words)]);
    console.press("y", &["\"status\": \"ready\"", "Esc close"]);
    console.keys("e");
    console.sees(&["editing --wait"]);
    assert_eq!(words(&console.settings()), words(&console.before));
    let text = fs::read_to_string(&seen).unwrap();
    assert!(text.contains("\"status\": \"ready\""), "{text}");
    let read = |kind: &str| fs::read_to_string(seen.with_extension(kind)).unwrap();
    assert_eq!(read("mode").trim(), "600");
    let copy = PathBuf::from(read("path").trim());
    assert!(copy.exists());
    console.keys(key::ENTER);
    console.wait("the console has the terminal", at_rest);
    console.sees(&["\"status\": \"ready\""]);
    assert!(!copy.exists());
    console.keys(key::ESC);
    console.loses("Esc close");
    // The same without reading it first; the end of the console takes the copy along.
    command_line(&mut console, "edit");
    console.sees(&["editing --wait"]);
    let copy = PathBuf::from(read("path").trim());
    console.signal(Signal::TERM);
    assert_eq!(console.ended().code(), Some(130));
    until("the copy is gone", || !copy.exists());
    console.is_given_back();
}

#[test]
fn an_end_while_the_terminal_is_lent_leaves_it_as_it_was() {
    for signal in [Signal::TERM, Signal::HUP] {
        let home = Home::new();
        let mut console = opened(&home, &[]);
        command_line(&mut console, "!echo 'w'aits; cat");
        console.sees(&["waits"]);
        console.signal(signal);
        assert_eq!(console.ended().code(), Some(130), "{signal:?}");
        console.is_given_back();
    }
}
