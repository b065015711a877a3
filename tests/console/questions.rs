//! The questions that somebody has at three in the morning, each by the keys that answer it: how many, and how long it
//! took until the answer stood there (`cargo test --test console questions -- --nocapture` prints both).
//!
//! How long is printed and not judged: a machine may be busy. The number of keys is judged.

use std::fs;
use std::process::{Child, Stdio};

use roundel::api::ListQuery;
use roundel::client::Client;
use roundel::clock;

use crate::support::{Home, Terminal, key, until};

/// Most keys from anywhere to an answer.
const KEYS: usize = 3;

/// A question and the keys from a freshly opened console, each with what stands there after it; after the last, the answer.
struct Question {
    asks: &'static str,
    keys: &'static [(&'static str, &'static [&'static str])],
}

/// Ends well or badly, as the file `bad` says.
const CHECK: &str = r#"version: 2.1
jobs:
  check:
    machine: true
    steps:
      - checkout
      - run: {name: Look, command: "echo looked; if [ -e bad ]; then echo 'menu does not close' >&2; exit 3; fi"}
workflows: {main: {jobs: [check]}}
"#;

/// As many copies as fill both nodes, and one more.
fn hold(gate: &str) -> String {
    format!(
        "version: 2.1\njobs:\n  hold:\n    machine: true\n    parallelism: 3\n    steps:\n      - run: {{name: Hold, command: 'until [ -e {gate} ]; do sleep 0.05; done'}}\nworkflows: {{main: {{jobs: [hold]}}}}\n"
    )
}

/// An installation in trouble: a build that failed after one that went well, both nodes full, a run that waits.
struct Trouble {
    home: Home,
    gate: std::path::PathBuf,
    held: Child,
}

impl Trouble {
    fn new() -> Self {
        let home = Home::new();
        fs::create_dir_all(home.path("config/roundel")).unwrap();
        fs::write(home.path("config/roundel/config.toml"), "nodes = 2\n").unwrap();
        let gate = home.path("gate");
        fs::write(&gate, "").unwrap();
        home.repository("hold", &hold(gate.to_str().unwrap()));
        for _ in 0..3 {
            home.run(&["build", "hold"]).with_code(0);
        }
        let web = home.repository("web", CHECK);
        home.run(&["build", "web"]).with_code(0);
        fs::write(web.join("bad"), "").unwrap();
        home.commit("web", "Break the menu");
        home.run(&["build", "web"]).with_code(1);
        fs::remove_file(&gate).unwrap();
        let mut build = home.command(&["build", "hold"]);
        let held = build.stdout(Stdio::null()).spawn().unwrap();
        until("two run and one waits", || {
            let said = home.run(&["status"]).out;
            said.matches("running").count() == 2 && said.matches("pending").count() == 1
        });
        let slow = ListQuery {
            filter: "status:slow".to_owned(),
            ..ListQuery::default()
        };
        let client = Client::unix(home.data().join("socket"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        until("the build that is held takes longer than usual", || {
            runtime.block_on(client.pipelines(&slow)).unwrap().total > 0
        });
        Self { home, gate, held }
    }
}

impl Drop for Trouble {
    fn drop(&mut self) {
        // A test that fails must not fail twice.
        _ = fs::write(&self.gate, "");
        _ = self.held.wait();
    }
}

const QUESTIONS: &[Question] = &[
    Question {
        asks: "is it well?",
        keys: &[("1", &["● Started", "Needs attention", "Services"])],
    },
    Question {
        asks: "how many wait, and since when?",
        keys: &[("2", &["1 waiting", "WAITING", "hold 3/3"])],
    },
    Question {
        asks: "why does this job wait?",
        keys: &[("2", &["why hold 3/3 waits", "no node has", "would help"])],
    },
    Question {
        asks: "when will it start?",
        keys: &[(
            "2",
            &["STARTS", "no estimate (what it waits for is new or late)"],
        )],
    },
    Question {
        asks: "which node is full or unwell?",
        keys: &[("4", &["2 nodes", "● ready", "full"])],
    },
    Question {
        asks: "what did the failed step write to stderr?",
        keys: &[
            ("3", &["local/web #2"]),
            ("j", &["─ local/web #2"]),
            ("l", &["Look", "e menu does not close"]),
        ],
    },
    Question {
        asks: "which test failed? (says where results will come)",
        keys: &[
            ("3", &["local/web #2"]),
            ("j", &["─ local/web #2"]),
            ("l", &["menu does not close"]),
            (
                "d",
                &["Which test failed: the results of single tests are not collected yet"],
            ),
        ],
    },
    Question {
        asks: "drain a node, and when is it safe?",
        keys: &[
            ("4", &["2 nodes", "● ready"]),
            ("D", &["Drain vm-01?"]),
            ("d", &["◐ draining", "not yet: 1 run"]),
        ],
    },
    Question {
        asks: "which of my services is down?",
        keys: &[("1", &["Services", "engine", "store", "● ok"])],
    },
    Question {
        asks: "what changed in the last hour, and by whom?",
        keys: &[("7", &["ACTOR"]), ("h", &["last:1h", "build.create"])],
    },
    Question {
        asks: "what runs longer than usual?",
        keys: &[
            ("g", &["what takes longer"]),
            ("w", &["status:slow", "local/hold #4"]),
        ],
    },
    Question {
        asks: "what did this build do differently from the last green one?",
        keys: &[
            ("3", &["local/web #2"]),
            ("j", &["─ local/web #2"]),
            (
                "=",
                &["with local/web #1", "failed, was success", "Break the menu"],
            ),
        ],
    },
];

#[test]
fn each_is_answered_within_three_keys() {
    let trouble = Trouble::new();
    for question in QUESTIONS {
        let mut console = Terminal::start(&trouble.home.command(&[]), (120, 36));
        console.sees(&["● live", "Needs attention"]);
        let known = !question.asks.contains("will come");
        assert!(question.keys.len() <= KEYS || !known, "{}", question.asks);
        let begun = clock::monotonic();
        for (keys, words) in question.keys {
            console.press(keys, words);
        }
        println!(
            "{:<60} {} keys  {:>5} ms",
            question.asks,
            question.keys.len(),
            begun.elapsed().as_millis()
        );
        console.keys(key::CTRL_C);
        console.keys(key::CTRL_C);
        console.ended();
    }
}
