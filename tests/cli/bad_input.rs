//! What is wrong from outside: configs, repositories, addresses, data directories. Each is told with its cause and what
//! to do, ends with its code, and costs nothing that was there before.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::support::{Home, Said, until};

const GOOD: &str = r#"version: 2.1
jobs:
  build:
    machine: true
    steps: [run: echo hello]
workflows: {main: {jobs: [build]}}
"#;

/// Ten levels of aliases, each ten times the one before: ten thousand million nodes when written out.
fn alias_bomb() -> String {
    let ten = |item: &str| [item; 10].join(", ");
    let levels: String = (1..10)
        .map(|n| format!("a{n}: &a{n} [{}]\n", ten(&format!("*a{}", n - 1))))
        .collect();
    format!("a0: &a0 [{}]\n{levels}{GOOD}", ten("x"))
}

/// Fails unless it ended with `code`, every one of `texts` is in what it complained of, and that is no panic.
#[track_caller]
fn complains(said: Said, code: i32, texts: &[&str]) {
    let said = said.with_code(code);
    assert!(said.err.contains("error: "), "{}", said.err);
    assert!(!said.err.contains("panicked"), "{}", said.err);
    for text in texts {
        assert!(said.err.contains(text), "no {text:?} in\n{}", said.err);
    }
}

/// The server that answered before still does, and has the one build it had.
#[track_caller]
fn is_unharmed(home: &Home, server: rustix::process::Pid) {
    assert_eq!(home.server(), Some(server));
    let said = home.run(&["logs", "--raw", "good#1"]).with_code(0);
    assert_eq!(said.out, "hello\n");
}

#[test]
fn configs_that_cannot_be_built_are_shown_with_place_and_remedy() {
    let home = Home::new();
    home.repository("good", GOOD);
    home.run(&["build", "good"]).with_code(0);
    let server = home.server().unwrap();
    let bomb = alias_bomb();
    let unknown = GOOD.replace("machine: true", "podman: [{image: x}]");
    let cases = [
        (
            "yaml",
            "jobs: [\n  a: {b\n",
            "config.yml:",
            "not valid YAML",
        ),
        (
            "circle",
            "version: 2.1\njobs:\n  a: {machine: true, steps: [run: x]}\n  b: {machine: true, steps: [run: x]}\n\
             workflows: {main: {jobs: [{a: {requires: [b]}}, {b: {requires: [a]}}]}}\n",
            "config.yml:5:",
            "in a circle: a -> b -> a",
        ),
        (
            "executor",
            &unknown,
            "config.yml:4:5: ",
            "`podman` is not a supported executor type",
        ),
        (
            "bomb",
            &bomb,
            "config.yml:",
            "when its aliases are expanded",
        ),
    ];
    for (name, config, place, what) in cases {
        home.repository(name, config);
        complains(home.run(&["build", name]), 2, &[place, what, "\n  hint: "]);
    }
    is_unharmed(&home, server);
}

#[test]
fn repositories_that_cannot_be_built_are_named_with_what_to_do() {
    let home = Home::new();
    home.repository("good", GOOD);
    home.run(&["build", "good"]).with_code(0);
    let server = home.server().unwrap();
    let bare = home.repository("bare", GOOD);
    let git = |folder: &Path, words: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .arg("-C")
            .arg(folder)
            .args(words);
        assert!(command.status().unwrap().success(), "git {words:?}");
    };
    git(&bare, &["rm", "--quiet", ".circleci/config.yml"]);
    git(
        &bare,
        &[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message=Take it out",
        ],
    );
    fs::create_dir(home.path("folder")).unwrap();
    fs::create_dir(home.path("empty")).unwrap();
    git(
        &home.path("empty"),
        &["init", "--quiet", "--initial-branch=main"],
    );
    let write = |name: &str, path: &str, bytes: &[u8]| {
        let top = home.repository(name, GOOD);
        fs::remove_file(top.join(".circleci/config.yml")).unwrap();
        let path = top.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        git(&top, &["add", "--all"]);
        git(&top, &["commit", "--quiet", "--message=Change it"]);
    };
    write(
        "latin",
        ".circleci/config.yml",
        b"version: 2.1 # \xe9t\xe9\n",
    );
    write("huge", ".circleci/config.yml", &vec![b'#'; 4 << 20]);
    write("inside", ".circleci/config.yml/file", b"version: 2.1\n");
    let nowhere = format!("file://{}", home.path("nowhere").display());

    let cases: [(&[&str], i32, &[&str]); 14] = [
        (
            &["bare"],
            2,
            &[
                "no `.circleci/config.yml` in local/bare at ",
                "hint: commit one",
            ],
        ),
        (&["nowhere"], 4, &["`nowhere`", "No such file", "hint: "]),
        (
            &["folder"],
            2,
            &["/folder` is not in a git repository", "hint: "],
        ),
        (
            &["empty"],
            2,
            &["/empty` has no commit yet", "hint: commit something first"],
        ),
        (
            &["good", "--branch", "none"],
            4,
            &["has no branch `none`", "hint: it has main"],
        ),
        (&["good", "--job", "none"], 2, &["no job `none`"]),
        (
            &["--", "-uroot@host:x"],
            2,
            &["`-uroot@host:x` is neither", "hint: "],
        ),
        (&["-uroot@host:x"], 2, &["unexpected argument"]),
        (&["ext::sh -c x"], 4, &["`ext::sh -c x`", "hint: "]),
        (
            &["latin"],
            2,
            &["is not UTF-8 text", "hint: save it as UTF-8"],
        ),
        (
            &["huge"],
            2,
            &["`.circleci/config.yml` is longer than 3145728 bytes"],
        ),
        (
            &["inside"],
            2,
            &["no `.circleci/config.yml` in local/inside at "],
        ),
        (
            &["good", "--branch=a..b"],
            2,
            &[
                "`a..b` is not a name that a branch can have",
                "hint: name a branch",
            ],
        ),
        (
            &[&nowhere],
            3,
            &["failed to fetch from `", "/nowhere`", "hint: check the URL"],
        ),
    ];
    for (words, code, texts) in cases {
        let words: Vec<_> = [&["build"], words].concat();
        complains(home.run(&words), code, texts);
    }
    is_unharmed(&home, server);
}

#[test]
fn a_server_that_writes_its_log_goes_on_answering() {
    let home = Home::new();
    home.repository("good", GOOD);
    home.run(&["build", "good"]).with_code(0);
    let server = home.server().unwrap();
    // Nobody listens on port 1; the failure is told in the server's log, by a thread that is not its first.
    for url in [
        "https://127.0.0.1:1/acme/web.git",
        "http://127.0.0.1:1/acme/web",
    ] {
        let said = home.run(&["build", url]).with_code(3);
        assert!(said.err.contains("`127.0.0.1:1/acme/web`"), "{}", said.err);
    }
    let opened = "https://name:secret@127.0.0.1:1/acme/web.git";
    let said = home.run(&["build", opened]).with_code(2);
    assert!(said.err.contains("would see what opens it"), "{}", said.err);
    assert!(!said.err.contains("secret"), "{}", said.err);
    let log = fs::read_to_string(home.data().join("log/server.log")).unwrap();
    assert_eq!(log.matches("a request failed").count(), 2, "{log}");
    assert!(!log.contains("secret"), "{log}");
    is_unharmed(&home, server);
}

#[test]
fn a_remote_that_never_answers_keeps_neither_the_person_nor_the_server() {
    let home = Home::new();
    let remote = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/acme/web", remote.local_addr().unwrap());
    let build = home.start(&["build", &url]);
    let (connection, _) = remote.accept().unwrap();
    // Others are served meanwhile.
    home.run(&["status"]).with_code(0);
    kill_process(Pid::from_child(&build), Signal::INT).unwrap();
    let output = build.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let server = home.server().unwrap();
    kill_process(server, Signal::TERM).unwrap();
    until("the server has ended", || {
        test_kill_process(server).is_err()
    });
    drop(connection);
}

#[test]
fn a_server_that_is_none_is_told_from_one_that_is_away() {
    let home = Home::new();
    fs::write(home.path("file"), "").unwrap();
    drop(UnixListener::bind(home.path("dead")).unwrap());
    for (address, why) in [
        ("./file", "what is there is not a socket"),
        (".", "what is there is not a socket"),
        ("./dead", "Connection refused"),
        ("./none", "No such file"),
    ] {
        let said = home.run(&["--server", address, "status"]);
        complains(
            said,
            6,
            &["no server answers on `/", why, "hint: start one"],
        );
    }
    let said = home.run(&["--server", "file", "status"]);
    complains(
        said,
        2,
        &["`file` is no server", "hint: give the path of its socket"],
    );
    let said = home.run(&["--data", "file", "status"]);
    complains(
        said,
        3,
        &["/file` cannot be used: it is not a directory", "hint: "],
    );
    let said = home.run(&["--config", "none.toml", "status"]);
    complains(
        said,
        2,
        &["`none.toml`: No such file", "hint: check the path"],
    );
    assert!(!home.data().exists(), "none of them started a server");
}

#[test]
fn a_database_that_cannot_be_read_is_left_as_it_is() {
    let home = Home::new();
    home.repository("good", GOOD);
    home.run(&["build", "good"]).with_code(0);
    home.kill_server();
    let database = home.data().join("roundel.db");
    set_schema(&database, 99);
    for words in [&["status"][..], &["serve", "--auto"]] {
        complains(
            home.run(words),
            4,
            &[
                "roundel.db` has schema 99, and this build knows schemas up to ",
                "hint: run the newer",
            ],
        );
    }
    set_schema(&database, roundel::store::SCHEMA);
    let server = || home.server().unwrap();
    home.run(&["status"]).with_code(0);
    is_unharmed(&home, server());

    home.kill_server();
    for name in ["roundel.db-wal", "roundel.db-shm"] {
        // Whether they are there is the database's own business.
        let _ = fs::remove_file(home.data().join(name));
    }
    let kept = fs::read(&database).unwrap();
    fs::write(&database, vec![b'?'; 8192]).unwrap();
    complains(
        home.run(&["status"]),
        3,
        &["roundel.db`: file is not a database", "hint: put a copy"],
    );
    assert_eq!(fs::read(&database).unwrap(), vec![b'?'; 8192]);
    fs::write(&database, kept).unwrap();
    home.run(&["status"]).with_code(0);

    home.kill_server();
    fs::write(home.data().join("VERSION"), "hello\n").unwrap();
    complains(
        home.run(&["status"]),
        2,
        &["VERSION` does not name", "hint: is this really"],
    );
}

/// Writes the number of the schema; what is still in the write-ahead log is taken in before.
fn set_schema(database: &Path, number: u32) {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection
        .pragma_update(None, "user_version", number)
        .unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}
