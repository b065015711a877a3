//! From another machine: the program against a server's port, by TLS on loopback.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::skip::skip;
use crate::support::{Home, Said, fed, until};

const QUICK: &str = "version: 2.1\njobs:\n  job:\n    machine: true\n    steps: [{run: echo done}]\n\
                     workflows: {main: {jobs: [job]}}\n";

/// A server that listens on a port of its own.
pub struct Far {
    pub home: Home,
    child: Child,
    pub address: String,
    pub fingerprint: String,
}

impl Far {
    pub fn start() -> Self {
        let home = Home::new();
        let child = home.serve("host_user = \"self\"\nlisten = \"127.0.0.1:0\"\n");
        let services = home.json(&["services", "-json"]);
        let network = |key: &str| services["network"][key].as_str().unwrap().to_owned();
        Self {
            address: network("address"),
            fingerprint: network("fingerprint"),
            home,
            child,
        }
    }

    fn token(&self, words: &[&str]) -> String {
        let made = self
            .home
            .run(&[&["token", "create"], words].concat())
            .with_code(0);
        made.out.trim().to_owned()
    }

    /// Kills the server as a crash would, and starts it again where it was.
    pub fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let config = format!("host_user = \"self\"\nlisten = \"{}\"\n", self.address);
        self.child = self.home.serve(&config);
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // It may have ended, and a test that fails must not fail twice.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// The program elsewhere, at this server.
pub fn away(near: &Home, far: &Far, words: &[&str], token: Option<&str>) -> Said {
    let mut command = near.command(words);
    command.env("ROUNDEL_SERVER", far.url());
    if let Some(token) = token {
        command.env("ROUNDEL_TOKEN", token);
    }
    Said::from(command.output().unwrap())
}

/// Signs in, with the token on the input.
fn login(near: &Home, far: &Far, words: &[&str], token: &str) -> Said {
    let mut login = near.command(&[&["login"], words].concat());
    fed(login.env("ROUNDEL_SERVER", far.url()), token)
}

#[test]
fn one_signs_in_once_and_builds_and_looks_on_from_elsewhere() {
    let (far, near) = (Far::start(), Home::new());
    let token = far.token(&["laptop", "--role", "operator"]);
    let said = login(&near, &far, &[], &token).with_code(5);
    assert!(
        said.err.contains("is not known") && said.err.contains(&far.fingerprint),
        "{}",
        said.err
    );
    let said = login(&near, &far, &["--fingerprint", &far.fingerprint], &token).with_code(0);
    assert!(said.out.contains("(laptop), operator"), "{}", said.out);

    // The repository lies where the server fetches from; a path is nothing that it knows.
    let app = far.home.repository("app", QUICK);
    let said = away(&near, &far, &["build", app.to_str().unwrap()], None).with_code(5);
    assert!(said.err.contains("is a path"), "{}", said.err);
    far.home.run(&["build", "app"]).with_code(0);
    let said = away(&near, &far, &["rerun", "local/app#1"], None);
    assert_eq!(said.code, Some(0), "{said:?}");
    let rows = far
        .home
        .run(&["audit", "list", "action:workflow.rerun"])
        .with_code(0)
        .out;
    assert!(rows.contains("(laptop)"), "{rows}");
    let frame = away(
        &near,
        &far,
        &["console", "--once", "--screen", "builds"],
        None,
    )
    .with_code(0);
    assert!(
        frame.out.contains(&far.address) && frame.out.contains("local/app"),
        "{}",
        frame.out
    );
    assert!(
        frame.out.contains("read-only"),
        "a console over the network begins unarmed: {}",
        frame.out
    );
    let said = away(&near, &far, &["services", "stop", "-yes"], None).with_code(5);
    assert!(said.err.contains("needs the role admin"), "{}", said.err);
    away(&near, &far, &["login", "--forget"], None).with_code(0);
    away(&near, &far, &["status"], None).with_code(5);
}

#[test]
fn another_certificate_is_refused_with_both_fingerprints() {
    let (far, near) = (Far::start(), Home::new());
    let token = far.token(&["laptop"]);
    login(&near, &far, &["--fingerprint", &far.fingerprint], &token).with_code(0);
    let other = format!("sha256:{}", "0".repeat(64));
    let file = near.path("config/roundel/known_servers");
    let known = fs::read_to_string(&file).unwrap();
    fs::write(&file, known.replace(&far.fingerprint, &other)).unwrap();
    for words in [&["status"][..], &["console", "--once"]] {
        let said = away(&near, &far, words, None);
        let text = format!("{}{}", said.out, said.err);
        assert_ne!(said.code, Some(0), "{text}");
        assert!(
            text.contains(&far.fingerprint[..20]) && text.contains(&other[..20]),
            "{text}"
        );
    }
    // Said anew by somebody who has asked, it is taken.
    login(&near, &far, &["--fingerprint", &far.fingerprint], &token).with_code(0);
    away(&near, &far, &["status"], None).with_code(0);
}

#[test]
fn who_is_wrong_too_often_waits_and_others_do_not() {
    let (far, near) = (Far::start(), Home::new());
    let (right, expired) = (
        far.token(&["right"]),
        far.token(&["short", "--expires", "1s"]),
    );
    login(&near, &far, &["--fingerprint", &far.fingerprint], &right).with_code(0);
    until("its time is over", || {
        away(&near, &far, &["status"], Some(&expired))
            .err
            .contains("expired at")
    });
    let wrong = format!("{}0", &right[..right.len() - 1]);
    let wrong = if wrong == right {
        format!("{}1", &right[..right.len() - 1])
    } else {
        wrong
    };
    until("it is told to wait", || {
        let said = away(&near, &far, &["status"], Some(&wrong)).with_code(5);
        said.err.contains("too many failed sign-ins")
    });
    // The expired one waits with the address; the other one has a word to say for itself once it has waited.
    let nobody = format!("rdl_{}_{}", "0".repeat(12), "0".repeat(64));
    until("the address has to wait", || {
        let said = away(&near, &far, &["status"], Some(&nobody)).with_code(5);
        said.err.contains("too many failed sign-ins")
    });
    away(&near, &far, &["status"], Some(&right)).with_code(0);
    let other = far.token(&["other"]);
    let unix = roundel::client::Client::unix(far.home.data().join("socket")).with_token(&other);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert!(
        runtime.block_on(unix.summary()).is_ok(),
        "from elsewhere it goes through"
    );
    let rows: Value = serde_json::from_str(
        &far.home
            .run(&["audit", "list", "action:access.refused", "-json"])
            .with_code(0)
            .out,
    )
    .unwrap();
    let rows = rows["rows"].as_array().unwrap();
    assert!(
        rows.iter()
            .any(|row| row["actor"] == "127.0.0.1" && row["object"] == "sign-in"),
        "{rows:#?}"
    );
    assert!(rows.len() < 5, "a flood is one row: {rows:#?}");
}

#[test]
fn the_port_speaks_tls_1_2_and_later_and_says_so_to_others() {
    let far = Far::start();
    let mut plain = TcpStream::connect(&far.address).unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut said = String::new();
    plain.read_to_string(&mut said).unwrap();
    assert!(
        said.starts_with("HTTP/1.1 400 ") && said.contains("https://"),
        "{said}"
    );
    if Command::new("openssl").arg("version").output().is_err() {
        return skip("needs openssl");
    }
    for (version, speaks) in [("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
        let said = Command::new("openssl")
            .args(["s_client", "-connect", &far.address, version])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert_eq!(
            text.contains("BEGIN CERTIFICATE"),
            speaks,
            "{version}: {text}"
        );
    }
}
