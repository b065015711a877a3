//! Certificates: the table of `tests/data/tls/cases` against what `tls verify` says and what openssl says; making, fetching
//! and trusting them. Hosts that show a chain are `openssl s_server`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use roundel::clock;
use serde_json::Value;

use crate::search::{Search, of_private_key};
use crate::skip::skip;
use crate::support::Home;

const DAY_S: i64 = 86_400;

/// Whether openssl is there; says so when it is not.
fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").output();
    let found = found.is_ok_and(|said| said.status.success());
    if !found {
        skip("needs openssl");
    }
    found
}

/// A line of the table.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    certificate: Vec<String>,
    key: Vec<String>,
    host: Option<String>,
    /// Seconds from now.
    at: i64,
    elb: bool,
    more: Option<String>,
    expected: Expected,
}

/// What is to come of it.
#[derive(Clone, Debug)]
struct Expected {
    verdict: String,
    step: String,
    step_verdict: String,
    words: String,
    openssl: String,
}

/// What came of it.
struct Outcome {
    said: Value,
    openssl: Option<bool>,
}

/// The table. Panics with the line that cannot be read.
fn cases() -> Vec<Case> {
    let lines = include_str!("../data/tls/cases").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(case).collect()
}

fn case(line: &str) -> Case {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let [name, certificate, key, options, verdict, step, openssl] = columns[..] else {
        panic!("not seven columns: {line}");
    };
    let (step, rest) = step.split_once(" = ").expect(line);
    let (step_verdict, words) = rest.split_once(": ").expect(line);
    let pieces = |text: &str| text.split('+').map(str::to_owned).collect();
    let mut case = Case {
        name: name.to_owned(),
        certificate: pieces(certificate),
        key: pieces(key),
        host: Some("ci.example.com".to_owned()),
        at: 0,
        elb: false,
        more: None,
        expected: Expected {
            verdict: verdict.to_owned(),
            step: step.to_owned(),
            step_verdict: step_verdict.to_owned(),
            words: words.to_owned(),
            openssl: openssl.to_owned(),
        },
    };
    for option in options.split_whitespace() {
        match option.split_once('=').unwrap_or((option, "")) {
            ("host", host) => case.host = (!host.is_empty()).then(|| host.to_owned()),
            ("at", days) => case.at = days.parse::<i64>().expect(line) * DAY_S,
            ("elb", "") => case.elb = true,
            ("more", file) => case.more = Some(file.to_owned()),
            _ => panic!("no such option: {line}"),
        }
    }
    case
}

/// Everything that the cases are made of, in a directory.
fn made(home: &Home) -> PathBuf {
    let dir = home.path("made");
    fs::create_dir(&dir).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls/make");
    let said = Command::new(script).arg(&dir).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    dir
}

/// Puts a file of a case together.
fn file(home: &Home, made: &Path, name: &str, pieces: &[String]) -> PathBuf {
    let path = home.path(name);
    let bytes: Vec<Vec<u8>> = pieces
        .iter()
        .map(|piece| fs::read(made.join(piece)).unwrap())
        .collect();
    fs::write(&path, bytes.concat()).unwrap();
    path
}

fn run(home: &Home, made: &Path, case: &Case) -> Outcome {
    let certificate = file(home, made, "certificate", &case.certificate);
    let key = file(home, made, "key", &case.key);
    let now = clock::now();
    let at = clock::Timestamp(now.0 + case.at * 1000);
    let (root, at) = (made.join("root.pem"), at.to_string());
    let mut command = home.command(&["tls", "verify", "--json", "--only-ca"]);
    command
        .arg(&certificate)
        .arg(&key)
        .arg("--at")
        .arg(&at)
        .arg("--ca")
        .arg(&root);
    if let Some(host) = &case.host {
        command.arg("--hostname").arg(host);
    }
    if let Some(more) = &case.more {
        command.arg("--ca").arg(made.join(more));
    }
    if case.elb {
        command.args(["--behind", "elb"]);
    }
    let output = command.output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|err| panic!("{}: {err}: {output:?}", case.name));
    let failed = said["verdict"] == "failed";
    assert_eq!(
        output.status.code(),
        Some(if failed { 2 } else { 0 }),
        "{}",
        case.name
    );
    no_key_in(&case.name, &output, &key);
    let openssl = (case.expected.openssl != "-").then(|| openssl(made, &certificate, case));
    Outcome { said, openssl }
}

/// No line of a private key is in what was said.
fn no_key_in(name: &str, output: &Output, key: &Path) {
    let text = String::from_utf8_lossy(&fs::read(key).unwrap()).into_owned();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let secret = text
        .lines()
        .filter(|line| line.len() >= 16 && !line.contains("-----"));
    for line in secret {
        assert!(!said.contains(line.trim()), "{name}: {said}");
    }
}

/// Whether openssl believes the first certificate of the file, with all of it for help.
fn openssl(made: &Path, file: &Path, case: &Case) -> bool {
    let mut command = Command::new("openssl");
    // Level 2 refuses what is weaker than RSA with 2048 bits, and signatures by SHA-1.
    command.args([
        "verify",
        "-no-CApath",
        "-no-CAstore",
        "-purpose",
        "sslserver",
        "-auth_level",
        "2",
    ]);
    command
        .arg("-attime")
        .arg((clock::now().0 / 1000 + case.at).to_string());
    let trusted: Vec<u8> = [Some("root.pem"), case.more.as_deref()]
        .into_iter()
        .flatten()
        .flat_map(|name| fs::read(made.join(name)).unwrap())
        .collect();
    let roots = made.join("trusted");
    fs::write(&roots, trusted).unwrap();
    command
        .arg("-CAfile")
        .arg(&roots)
        .arg("-untrusted")
        .arg(file);
    if let Some(host) = &case.host {
        let option = match host.parse::<std::net::IpAddr>() {
            Ok(_) => "-verify_ip",
            Err(_) => "-verify_hostname",
        };
        command.arg(option).arg(host);
    }
    let output = command.arg(file).output().unwrap();
    output.status.success()
}

/// What is not as the table says, case by case.
fn mismatches(cases: &[(&Case, &Outcome, &Expected)]) -> BTreeMap<String, String> {
    let mut wrong = BTreeMap::new();
    for (case, outcome, expected) in cases {
        let said = &outcome.said;
        let step = said["steps"]
            .as_array()
            .unwrap()
            .iter()
            .find(|step| step["name"] == expected.step.as_str());
        let text = step.map_or_else(String::new, |step| {
            format!("{} {}", step["found"], step["fix"]).replace("\\\"", "\"")
        });
        let (sure, openssl) = match expected.openssl.strip_prefix('~') {
            Some(word) => (false, word),
            None => (true, expected.openssl.as_str()),
        };
        let failed = said["verdict"] == "failed";
        let why = if said["verdict"] != expected.verdict.as_str() {
            format!("the verdict is {}", said["verdict"])
        } else if step.is_none_or(|step| step["verdict"] != expected.step_verdict.as_str()) {
            format!("the step {} is {step:?}", expected.step)
        } else if !text.contains(&expected.words) {
            format!("`{}` is not in {text}", expected.words)
        } else if step.is_some_and(|step| (step["verdict"] == "ok") != step["fix"].is_null()) {
            format!("what is well has something to do, or what is not has nothing: {text}")
        } else if outcome.openssl.is_some() != (openssl != "-") {
            "openssl was asked, or not".to_owned()
        } else if outcome.openssl.is_some_and(|ok| ok != (openssl == "ok")) {
            format!("openssl says {:?}", outcome.openssl)
        } else if sure && outcome.openssl.is_some_and(|ok| ok == failed) {
            format!(
                "we say {} and openssl {:?}",
                said["verdict"], outcome.openssl
            )
        } else {
            continue;
        };
        wrong.insert(case.name.clone(), format!("{why}\n  {said}"));
    }
    wrong
}

#[test]
fn every_case_of_the_table_is_judged_as_it_says_and_a_shuffled_table_is_not() {
    if !has_openssl() {
        return;
    }
    let home = Home::new();
    let made = made(&home);
    let cases = cases();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let outcomes: Vec<Outcome> = cases.iter().map(|case| run(&home, &made, case)).collect();
    let against = |shift: usize| {
        let expected = cases.iter().cycle().skip(shift).map(|case| &case.expected);
        let rows: Vec<_> = cases
            .iter()
            .zip(&outcomes)
            .zip(expected)
            .map(|((case, outcome), expected)| (case, outcome, expected))
            .collect();
        mismatches(&rows)
    };
    let wrong = against(0);
    let list: Vec<String> = wrong
        .iter()
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        list.join("\n")
    );
    // The expectations of other cases do not fit: the test can fail.
    for shift in [1, 7, cases.len() / 2] {
        let wrong = against(shift).len();
        assert!(
            wrong * 10 > cases.len() * 8,
            "shifted by {shift}, only {wrong} of {} are wrong",
            cases.len()
        );
    }
}

#[test]
fn what_is_in_the_wrong_order_is_written_in_the_right_one() {
    if !has_openssl() {
        return;
    }
    let home = Home::new();
    let made = made(&home);
    let pieces = ["int.pem", "rsaint.pem", "leaf.pem", "leaf.pem"].map(str::to_owned);
    let certificate = file(&home, &made, "certificate", &pieces);
    let (root, key, out) = (
        made.join("root.pem"),
        made.join("leaf.key"),
        home.path("ordered.pem"),
    );
    let verify = |certificate: &Path, more: &[&str]| {
        let mut command = home.command(&[
            "tls",
            "verify",
            "--hostname",
            "ci.example.com",
            "--only-ca",
            "--ca",
        ]);
        command.arg(&root).arg(certificate).arg(&key).args(more);
        command.output().unwrap()
    };
    let out_text = out.to_str().unwrap();
    let said = verify(&certificate, &["--write-ordered", out_text]);
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    let said = verify(&out, &[]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(
        text.contains("ok      order: the server's certificate, then its issuer"),
        "{text}"
    );
    assert!(text.contains("0 failed, 0 warnings"), "{text}");
    // What is there already is not written over.
    let said = verify(&certificate, &["--write-ordered", out_text]);
    assert!(
        String::from_utf8(said.stderr)
            .unwrap()
            .contains("failed to write")
    );
    // A file that is right is written nowhere.
    let other = home.path("other.pem");
    verify(&out, &["--write-ordered", other.to_str().unwrap()]);
    assert!(!other.exists());
}

#[test]
fn a_self_signed_one_goes_into_files_and_settings_and_its_key_is_shown_nowhere() {
    let home = Home::new();
    let (cert, key) = (home.path("cert.pem"), home.path("key.pem"));
    let (cert_text, key_text) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let words = [
        "tls",
        "self-signed",
        "--hostname",
        "ci.example.com",
        "--days",
        "60",
        "--out-cert",
        cert_text,
        "--out-key",
        key_text,
        "--json",
    ];
    let made = home.run(&words).with_code(0);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let secret = fs::read_to_string(&key).unwrap();
    let body = secret.lines().nth(1).unwrap().to_owned();
    assert!(!made.out.contains(&body) && !made.err.contains(&body));
    home.run(&words).with_code(2);
    let verified = home.json(&[
        "tls",
        "verify",
        cert_text,
        key_text,
        "--hostname",
        "ci.example.com",
        "--json",
    ]);
    assert_eq!(verified["verdict"], "warning", "{verified}");
    let refused = home.run(&["tls", "self-signed", "--hostname", "https://ci", "--stage"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");

    // Into the settings, looked at there, and the other way round.
    let ok = |words: &[&str]| home.run(words).with_code(0).out;
    ok(&["settings", "set", "hostname", "ci.example.com"]);
    ok(&["settings", "set", "privacy.ssl_only", "on"]);
    ok(&["settings", "set", "ssl_cert", "--file", cert_text]);
    ok(&["settings", "set", "ssl_private_key", "--file", key_text]);
    let told = ok(&["tls", "verify"]);
    assert!(
        told.contains("warning issuers: `ci.example.com` is self-signed"),
        "{told}"
    );
    assert!(told.contains("ok      key and certificate"), "{told}");
    let told = home.run(&["tls", "verify", "--hostname", "www.example.com"]);
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(
        told.out
            .contains("failed  name: for ci.example.com, not for www.example.com"),
        "{told:?}"
    );
    assert!(told.out.contains("setting: hostname"), "{told:?}");
    ok(&["settings", "save", "--yes"]);
    // A key that belongs to another certificate is saved by nobody, and neither is what is no key.
    ok(&[
        "tls",
        "self-signed",
        "--hostname",
        "ci.example.com",
        "--stage",
    ]);
    ok(&["settings", "set", "ssl_cert", "--file", cert_text]);
    for behind in ["direct", "elb"] {
        ok(&["settings", "set", "privacy.behind", behind]);
        let refused = home.run(&["settings", "save", "--yes"]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let said = "ssl_private_key: error: key and certificate: the key (";
        assert!(refused.err.contains(said), "{refused:?}");
    }
    ok(&["settings", "discard", "privacy.behind"]);
    ok(&["settings", "set", "ssl_private_key", "--file", cert_text]);
    let refused = home.run(&["settings", "save", "--yes"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let said = "ssl_private_key: error: is a certificate";
    assert!(refused.err.contains(said), "{refused:?}");
    // With something else staged a save of ours would take that along.
    let refused = home.run(&[
        "tls",
        "self-signed",
        "--hostname",
        "ci.example.com",
        "--save",
        "--yes",
    ]);
    assert_eq!(refused.code, Some(0), "{refused:?}");
    let shown = [
        ok(&["settings", "list", "--all", "--json"]),
        ok(&["settings", "diff", "0", "--json"]),
        ok(&["settings", "export"]),
        ok(&["audit", "list", "--json"]),
    ];
    for text in &shown {
        assert!(!text.contains(&body), "{text}");
    }
    fs::remove_file(&key).unwrap();
    let search = Search::of(of_private_key("key", &secret));
    assert_eq!(search.found_below(&[&home.data()]), []);
}

/// A host that shows the chain of the files; ends with the value.
struct Host {
    child: Child,
    port: u16,
}

impl Host {
    fn start(made: &Path, certificate: &str, chain: Option<&str>, key: &str) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-www"]);
        if let Some(chain) = chain {
            command.arg("-cert_chain").arg(made.join(chain));
        }
        let mut child = command
            .arg("-cert")
            .arg(made.join(certificate))
            .arg("-key")
            .arg(made.join(key))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| {
                line.unwrap()
                    .strip_prefix("ACCEPT 127.0.0.1:")
                    .map(str::to_owned)
            })
            .expect("openssl says where it listens");
        // It stops when nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            port: port.trim().parse().unwrap(),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_hosts_authority_is_shown_first_trusted_once_said_and_removed_again() {
    if !has_openssl() {
        return;
    }
    let home = Home::new();
    let made = made(&home);
    let chain = file(
        &home,
        &made,
        "chain",
        &["int.pem", "root.pem"].map(str::to_owned),
    );
    let host = Host::start(&made, "leaf.pem", chain.to_str(), "leaf.key");
    let place = format!("127.0.0.1:{}", host.port);
    let print = |name: &str| {
        let said = Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
            .arg(made.join(name))
            .output()
            .unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        text.trim()
            .rsplit('=')
            .next()
            .unwrap()
            .replace(':', "")
            .to_lowercase()
    };
    let (root, leaf) = (print("root.pem"), print("leaf.pem"));

    let shown = home.json(&["tls", "fetch-chain", &place, "--json"]);
    assert_eq!(shown.as_array().unwrap().len(), 3, "{shown}");
    assert_eq!(shown[0]["sha256"], format!("sha256:{leaf}"));
    assert_eq!(shown[2]["sha256"], format!("sha256:{root}"));
    assert_eq!(shown[1]["authority"], true);
    let text = home.run(&["tls", "fetch-chain", &place]).with_code(0).out;
    assert!(
        text.contains("Certificate 3 of 3") && text.contains("CN=Example Root"),
        "{text}"
    );
    let pem = home
        .run(&["tls", "fetch-chain", &place, "--pem"])
        .with_code(0)
        .out;
    assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 3);

    // Nobody says yes, and nothing is trusted.
    let ok = |words: &[&str]| home.run(words).with_code(0).out;
    ok(&["settings", "set", "hostname", "ci.example.com"]);
    ok(&["settings", "save"]);
    let refused = home.run(&["ca", "fetch", &place]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(
        refused.out.contains("Certificate 1 of 3") && refused.err.contains(&root),
        "{refused:?}"
    );
    let other = home.run(&["ca", "fetch", &place, "--sha256", &"ab".repeat(32)]);
    assert_eq!(other.code, Some(5), "{other:?}");
    assert!(ok(&["ca", "list"]).contains("Nobody is trusted"));

    ok(&["ca", "fetch", &place, "--sha256", &root]);
    let listed = home.json(&["ca", "list", "--json"]);
    assert_eq!(listed[0]["sha256"], format!("sha256:{root}"), "{listed}");
    assert!(ok(&["ca", "list"]).contains("CN=Example Root"));
    // It is a file of the data directory, and openssl believes the host by it.
    let crt = home.data().join(format!("tls/ca/ca-{}.crt", &root[..16]));
    crate::support::until("the file is there", || crt.exists());
    let said = Command::new("openssl")
        .args(["verify", "-CAfile"])
        .arg(&crt)
        .arg("-untrusted")
        .arg(made.join("int.pem"))
        .arg(made.join("leaf.pem"))
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    // So does the test of the settings.
    ok(&["settings", "set", "privacy.ssl_only", "on"]);
    let whole = file(
        &home,
        &made,
        "whole",
        &["leaf.pem", "int.pem"].map(str::to_owned),
    );
    ok(&[
        "settings",
        "set",
        "ssl_cert",
        "--file",
        whole.to_str().unwrap(),
    ]);
    ok(&[
        "settings",
        "set",
        "ssl_private_key",
        "--file",
        made.join("leaf.key").to_str().unwrap(),
    ]);
    let told = ok(&["tls", "verify"]);
    assert!(
        told.contains("ok      issuers: signed by `Example Root`"),
        "{told}"
    );
    assert!(told.contains("ok      connection"), "{told}");

    // What others have staged is not saved along with an authority.
    let refused = home.run(&["ca", "add", made.join("other.pem").to_str().unwrap()]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(
        refused.err.contains("other changes are staged"),
        "{refused:?}"
    );
    ok(&["settings", "discard"]);
    let told = ok(&[
        "ca",
        "add",
        made.join("other.pem").to_str().unwrap(),
        made.join("other.pem").to_str().unwrap(),
        made.join("root.pem").to_str().unwrap(),
    ]);
    assert!(told.starts_with("1 certificate is trusted."), "{told}");
    assert_eq!(
        home.json(&["ca", "list", "--json"])
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(ok(&["ca", "add", made.join("root.pem").to_str().unwrap()]).contains("Nothing to do"));
    for (words, code) in [
        (["ca", "add", made.join("leaf.key").to_str().unwrap()], 2),
        (["ca", "add", made.join("text").to_str().unwrap()], 2),
        (["ca", "remove", "1234"], 2),
        (["ca", "remove", "ffffffff"], 4),
        (["ca", "remove", &root[..12]], 5),
    ] {
        let said = home.run(&words);
        assert_eq!(said.code, Some(code), "{words:?} {said:?}");
    }
    ok(&["ca", "remove", &root[..12], "-yes"]);
    ok(&[
        "ca",
        "remove",
        &format!("sha256:{}", print("other.pem")),
        "--yes",
    ]);
    assert!(ok(&["ca", "list"]).contains("Nobody is trusted"));
    crate::support::until("the file is gone", || !crt.exists());
    assert!(ok(&["audit", "list", "--json"]).contains("ca.certificates"));
}

#[test]
fn a_host_that_shows_no_authority_is_not_trusted_by_guess() {
    if !has_openssl() {
        return;
    }
    let home = Home::new();
    let made = made(&home);
    let host = Host::start(&made, "leaf.pem", None, "leaf.key");
    let said = home.run(&["ca", "fetch", &format!("127.0.0.1:{}", host.port), "--yes"]);
    assert_eq!(said.code, Some(4), "{said:?}");
    assert!(
        said.err.contains("`CN=Example Issuing` is missing"),
        "{said:?}"
    );
    drop(host);
    for (place, code) in [("127.0.0.1:1", 3), ("ftp://127.0.0.1", 2)] {
        let said = home.run(&["tls", "fetch-chain", place]);
        assert_eq!(said.code, Some(code), "{said:?}");
    }
}

#[test]
fn git_believes_the_authorities_of_the_settings() {
    if !has_openssl() {
        return;
    }
    let home = Home::new();
    let made = made(&home);
    let host = Host::start(&made, "leaf.pem", Some("int.pem"), "leaf.key");
    let url = format!("https://127.0.0.1:{}/x.git", host.port);
    let ok = |words: &[&str]| home.run(words).with_code(0).out;
    // It is no repository, which only who believes the host finds out.
    let asked = || {
        let said = home.run(&["build", &url]);
        assert_ne!(said.code, Some(0), "{said:?}");
        said.err
    };
    let before = asked();
    assert!(before.contains("certificate"), "{before}");
    ok(&["settings", "set", "hostname", "ci.example.com"]);
    ok(&[
        "ca",
        "add",
        made.join("root.pem").to_str().unwrap(),
        "--stage",
    ]);
    ok(&["settings", "save"]);
    let bundle = home.data().join("tls/ca-bundle.crt");
    crate::support::until("the file is there", || bundle.exists());
    let after = asked();
    assert!(!after.contains("certificate"), "{after}");
    ok(&[
        "ca",
        "remove",
        &ok(&["ca", "list"]).lines().nth(1).unwrap()[..16],
        "--yes",
    ]);
    crate::support::until("the file is gone", || !bundle.exists());
    assert!(asked().contains("certificate"));
}
