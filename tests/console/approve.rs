//! A job that waits for approval: seen on every screen, given by a key or by a verb.

use crate::support::{Home, Terminal, key};

const GATE: &str = r#"version: 2.1
jobs:
  build:
    machine: true
    steps:
      - run: echo one
  deploy:
    machine: true
    steps:
      - run: echo two
workflows:
  main:
    jobs:
      - build
      - hold: {type: approval, requires: [build]}
      - deploy: {requires: [hold]}
"#;

#[test]
fn a_build_on_hold_says_so_and_goes_on_once_somebody_approves_it() {
    let home = Home::new();
    home.repository("web", GATE);
    for size in [(80, 24), (120, 36)] {
        let said = home.run(&["build", "web"]).with_code(3);
        assert!(
            said.out.contains("roundel") && said.out.contains("approve"),
            "{said:?}"
        );
        let mut console = Terminal::open(&home, size, &[]);
        console.sees(&["local/web", "on hold"]);
        console.press("x", &["approve it", "cancel this build"]);
        console.keys(key::ESC);
        console.loses("approve it");
        // From the Dashboard two keys lead to the question, and the third answers it.
        console.press("1", &["waits for approval: hold"]);
        console.press(key::ENTER, &["Builds › ", "hold", "on hold", "1 on hold"]);
        console.press(
            "A",
            &["Approve hold of local/web", "[ Cancel ]", "roundel approve"],
        );
        console.press("a", &["is approved and goes on", "3 passed"]);
        console.press("A", &["cannot approve it: no job of it waits for approval"]);
    }
    home.run(&["build", "web"]).with_code(3);
    let status = home.run(&["audit", "list", "job.approve"]).with_code(0).out;
    assert_eq!(status.matches("job.approve").count(), 2, "{status}");
    home.run(&["approve", "deadbeef"]).with_code(4);
}
