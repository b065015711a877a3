//! What whoever asks has open or set stays with whoever asks: neither the server that a verb starts nor a step gets it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::support::{Home, Said};

/// Reads and writes what the caller of the verb has open.
const CURIOUS: &str = r"
version: 2.1
jobs:
  curious:
    machine: true
    steps:
      - run:
          name: Look
          command: |
            if read -r line <&5; then echo got $line; fi
            if echo written >&6; then echo wrote; fi
workflows: {main: {jobs: [curious]}}
";

#[test]
fn what_the_caller_has_open_is_closed_to_the_server_and_to_steps() {
    let home = Home::new();
    home.repository("app", CURIOUS);
    for (name, text) in [
        ("read", "only for the caller\n"),
        ("written", ""),
        ("lock", ""),
    ] {
        fs::write(home.path(name), text).unwrap();
        fs::set_permissions(home.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let program = env!("CARGO_BIN_EXE_roundel");
    let script = "exec 5<read 6>>written 7>lock && flock 7 && exec \"$0\" build app";
    let said = Said::from(
        home.program("bash", &["-c", script, program])
            .stdin(Stdio::null())
            .output()
            .unwrap(),
    );
    let said = said.with_code(0);
    assert!(said.out.contains("Bad file descriptor"), "{said:?}");
    assert!(
        !said.out.contains("got only") && !said.out.contains("wrote"),
        "{said:?}"
    );
    assert_eq!(fs::read_to_string(home.path("written")).unwrap(), "");
    // The server is there still, and the lock is free.
    assert!(home.server().is_some());
    let locked = home.program("flock", &["-n", "lock", "true"]).status();
    assert!(locked.unwrap().success());
}
