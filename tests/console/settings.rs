//! Settings by keys alone: a directory is set up, certificate and key are pasted, all is reviewed and saved; and no
//! secret is ever sent to the terminal.

use std::fs;

use crate::support::{Home, Terminal, key};

const CTRL_K: &str = "\x0b";
const CTRL_N: &str = "\x0e";
const CTRL_O: &str = "\x0f";
const CTRL_S: &str = "\x13";
const CTRL_T: &str = "\x14";
const F1: &str = "\x1bOP";
const F2: &str = "\x1bOQ";
const DOWN: &str = "\x1b[B";
const UP: &str = "\x1b[A";

/// What must never be seen, and is searched for in all that the terminal was ever sent.
const SECRET: &str = "correct-horse-battery";

fn pasted(text: &str) -> String {
    format!("\x1b[200~{text}\x1b[201~")
}

#[track_caller]
fn never_shown(console: &Terminal, secret: &str) {
    let screen = console.screen();
    let bytes = screen.bytes();
    let found = bytes
        .windows(secret.len())
        .any(|window| window == secret.as_bytes());
    assert!(!found, "a secret was sent to the terminal");
}

/// A console on the form that has the hostname alone.
#[track_caller]
fn general(home: &Home) -> Terminal {
    let words = ["console", "--screen", "settings:general"];
    let console = Terminal::open(home, (80, 24), &words);
    console.sees(&["Hostname"]);
    console
}

#[track_caller]
fn nothing_is_staged(home: &Home) {
    let diff = home.run(&["settings", "diff"]).with_code(0).out;
    assert!(diff.contains("No difference"), "{diff}");
}

/// A certificate for the name, and its key, in PEM.
fn certificate(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn a_directory_is_set_up_by_keys_alone_reviewed_and_saved() {
    for size in [(80, 24), (120, 36)] {
        let home = Home::new();
        let mut console = Terminal::open(&home, size, &["console", "--screen", "settings"]);
        console.sees(&["Settings", "1 error"]);
        console.press("gl", &["Enable LDAP-only Authentication", "(●) off"]);
        console.press(" ", &["(●) on", "Base DN", "is required"]);
        console.press("\t\x1b[C", &["(●) Active Directory", "sAMAccountName"]);
        console.press("\tldap.example.com", &["ldap.example.com", "changed"]);
        console.press("\t", &["389"]);
        console.press("\t\x1b[C\x1b[C", &["(●) LDAPS", "636"]);
        console.press("\tci@example.com", &["ci@example.com"]);
        console.press(&format!("\t{SECRET}"), &["•••••••••"]);
        console.press("\tou=x", &["ou=x"]);
        // A slip is undone, and what was typed before stays.
        console.press(key::ESC, &["Esc again leaves"]);
        console.press("dc=example,dc=com", &["dc=example,dc=com"]);
        console.press("\tou=People,dc=example,dc=com", &["ends with the Base DN"]);
        console.press("\x15ou=People", &["ou=People"]);
        console.press(F1, &["ldap.user_search_dn", "default", "Esc close"]);
        console.keys(key::ESC);
        console.loses("Esc close");
        console.press(
            CTRL_S,
            &["Review", "ldap.base_dn", "+ set", "[ Back ]", "Hostname"],
        );
        console.press("S", &["cannot save: 1 error first"]);
        console.press("\x1b[H\r", &["Settings › General"]);
        console.press("ci.example.com", &["ci.example.com"]);
        console.press(CTRL_S, &["+ ci.example.com", "version 0 → 1"]);
        console.press("\t", &["[ Save ]"]);
        console.press(key::ENTER, &["saved as version 1"]);
        never_shown(&console, SECRET);
        let saved = home.run(&["settings", "list", "ldap"]).with_code(0).out;
        for words in [
            "ldap_type_ad",
            "ldaps",
            "ou=People",
            "ci@example.com",
            "(set)",
        ] {
            assert!(saved.contains(words), "{words}: {saved}");
        }
        let audit = home.run(&["audit", "list"]).with_code(0).out;
        assert!(
            audit.contains("settings.save") && audit.contains("ldap.base_dn"),
            "{audit}"
        );
        assert!(!audit.contains(SECRET), "{audit}");
        // Nothing is left to save; the password that is there is kept.
        console.loses("unsaved");
        console.keys(key::ESC);
        console.loses("Tab next");
        console.press("gl", &["set", "(●) on"]);
        never_shown(&console, SECRET);
    }
}

#[test]
fn certificate_and_key_are_pasted_or_loaded_by_path() {
    let home = Home::new();
    home.run(&["settings", "set", "hostname", "ci.example.com"])
        .with_code(0);
    let (certificate, private) = certificate("ci.example.com");
    let body = private.lines().nth(1).unwrap().to_owned();
    fs::write(home.path("ci.key"), &private).unwrap();
    for (size, by_path) in [((80, 24), false), ((120, 36), true)] {
        let mut console = Terminal::open(&home, size, &["console", "--screen", "settings:privacy"]);
        console.sees(&["SSL only"]);
        if !by_path {
            console.press(" ", &["Certificate File"]);
        }
        console.press("\t\t", &["Certificate File"]);
        console.press(&pasted(&certificate), &["pasted, 1 certificate"]);
        console.press("\t", &["Private Key File"]);
        if by_path {
            console.press(CTRL_O, &["take the text of the file"]);
            let begun = home.path("ci.k");
            console.keys(begun.to_str().unwrap());
            console.sees(&["ci.k"]);
            console.press("\t", &["ci.key"]);
            console.press(key::ENTER, &["Private Key File: 5 lines of"]);
        } else {
            console.press(&pasted(&private), &["Private Key File: pasted"]);
        }
        console.press(
            CTRL_S,
            &["Review", "ssl_private_key", "a secret: never shown"],
        );
        console.press("S", &["saved as version"]);
        never_shown(&console, &body);
    }
    let got = home.run(&["settings", "get", "ssl_cert"]).with_code(0).out;
    assert!(got.contains("Certificate File"), "{got}");
}

#[test]
fn the_certificate_of_a_host_is_fetched_shown_and_trusted_once_somebody_says_so() {
    let home = Home::new();
    let mut server = home.serve("host_user = \"self\"\npublic = [\"127.0.0.1:0\"]\n");
    let services = home.json(&["services", "-json"]);
    let place = services["public"]["addresses"][0].as_str().unwrap();
    let shows = home.json(&["tls", "fetch-chain", place, "--json"]);
    let print = shows[0]["sha256"].as_str().unwrap();
    let (first, second) = print.strip_prefix("sha256:").unwrap().split_at(32);
    home.run(&["settings", "set", "hostname", "ci.example.com"])
        .with_code(0);
    for size in [(80, 24), (120, 36)] {
        let mut console = Terminal::open(&home, size, &["console", "--screen", "settings:ca"]);
        console.sees(&["ctrl-k fetch the certificates of a host"]);
        console.press(CTRL_K, &["certificates of HOST:PORT"]);
        console.keys("127.0.0.1:1\r");
        console.sees(&["Nothing is fetched from 127.0.0.1:1", "[ Close ]"]);
        console.keys(key::ENTER);
        console.loses("[ Close ]");
        console.press(CTRL_K, &["certificates of HOST:PORT"]);
        console.keys(&format!("{place}\r"));
        let title = format!("Certificate 1 of 1 that {place} shows");
        console.sees(&[&title, "Issuer   itself", first, second, "[ Cancel ]"]);
        console.sees(&["Reached directly: there is no proxy"]);
        // The harmless answer has the focus.
        console.keys(key::ENTER);
        console.loses("[ Cancel ]");
        console.sees(&["–"]);
        // The menu leads there, too.
        console.press(F2, &["fetch the certificates of a host, to trust one"]);
        console.keys(&format!("{}\r", DOWN.repeat(5)));
        console.sees(&["certificates of HOST:PORT"]);
        console.keys(&format!("{place}\r"));
        console.sees(&[&title]);
        console.press("t", &["Certificates: 1 certificate", "changed"]);
        nothing_is_trusted(&home);
        console.press(CTRL_S, &["Review", "ca.certificates"]);
        console.press("D", &["Forget"]);
        console.press("f", &["is forgotten"]);
    }
    let mut console = Terminal::open(&home, (80, 24), &["console", "--screen", "settings:ca"]);
    console.sees(&["ctrl-k fetch the certificates of a host"]);
    console.press(CTRL_K, &["certificates of HOST:PORT"]);
    console.keys(&format!("{place}\r"));
    console.sees(&["Certificate 1 of 1"]);
    console.press("t", &["Certificates: 1 certificate", "changed"]);
    console.press(key::ESC, &["undone"]);
    console.press(CTRL_K, &["certificates of HOST:PORT"]);
    console.keys(&format!("{place}\r"));
    console.sees(&["Certificate 1 of 1"]);
    console.press("t\t", &["Certificates: 1 certificate", "changed"]);
    console.press(key::ESC, &["staged, not saved"]);
    let listed = home.json(&["ca", "list", "--json"]);
    assert_eq!(listed[0]["sha256"], print);
    drop(console);
    server.kill().unwrap();
    server.wait().unwrap();
}

#[track_caller]
fn nothing_is_trusted(home: &Home) {
    assert_eq!(home.json(&["ca", "list", "--json"]), serde_json::json!([]));
}

#[test]
fn a_certificate_that_signs_itself_is_made_in_the_form_and_saved_with_its_key() {
    for size in [(80, 24), (120, 36)] {
        let home = Home::new();
        home.run(&["settings", "set", "hostname", "ci.example.com"])
            .with_code(0);
        let words = ["console", "--screen", "settings:privacy"];
        let mut console = Terminal::open(&home, size, &words);
        console.sees(&["SSL only", "ctrl-n make a certificate that signs itself"]);
        console.press(CTRL_N, &["certificate for the names  ci.example.com"]);
        console.press(" no/host\r", &["no/host is no host"]);
        console.keys("\x15ci.example.com 192.0.2.7\r");
        console.sees(&[
            "A certificate that signs itself",
            "Subject  CN=ci.example.com",
            "For      ci.example.com, 192.0.2.7",
            "only is turned on",
        ]);
        console.press("t", &["(●) on", "1 certificate", "new, 5 lines"]);
        console.press(CTRL_T, &["✓ passed", "is self-signed"]);
        console.press(CTRL_S, &["Review", "a secret: never shown"]);
        console.press("S", &["saved as version 1"]);
        never_shown(&console, "PRIVATE KEY");
        let told = home.run(&["tls", "verify"]).with_code(0).out;
        assert!(told.contains("ok      key and certificate"), "{told}");
    }
}

#[test]
fn a_test_of_unsaved_values_tells_its_steps_in_the_form() {
    let home = Home::new();
    let mut console = general(&home);
    console.press("localhost", &["localhost"]);
    console.press(CTRL_T, &["✓ resolve", "localhost is ", "✓ passed"]);
    console.press("\x15no-such.invalid", &["no-such.invalid"]);
    console.press(CTRL_T, &["✗ resolve", "does not resolve", "✗ failed"]);
    nothing_is_staged(&home);
}

#[test]
fn what_was_typed_is_staged_when_the_form_is_left_and_waits_for_a_save() {
    let home = Home::new();
    let mut console = general(&home);
    console.press("ci.example.com\t", &["changed"]);
    console.press(key::ESC, &["1 change staged, not saved"]);
    let diff = home.run(&["settings", "diff"]).with_code(0).out;
    assert!(diff.contains("ci.example.com"), "{diff}");
    // Another console sees it, and what that one stages shows up here.
    home.run(&[
        "settings",
        "set",
        "ca.certificates",
        "--",
        "-----BEGIN CERTIFICATE-----",
    ])
    .with_code(0);
    console.sees(&["2 unsaved changes"]);
    console.press(CTRL_S, &["ca.certificates", "hostname", "[ Back ]"]);
    console.press("D", &["Forget 2 unsaved changes?"]);
    console.press("f", &["what was staged is forgotten"]);
    nothing_is_staged(&home);
}

#[test]
fn a_console_that_is_held_back_reads_forms_and_writes_once_armed() {
    let home = Home::new();
    home.run(&["settings", "set", "hostname", "ci.example.com"])
        .with_code(0);
    home.run(&["settings", "save", "-yes"]).with_code(0);
    let words = ["console", "--read-only", "--screen", "settings:general"];
    let mut console = Terminal::open(&home, (80, 24), &words);
    console.sees(&["ci.example.com", "read-only"]);
    console.press(CTRL_T, &["cannot test: read-only: :arm 10m reason"]);
    console.press(":arm 10m rename it\r", &["armed for 10m"]);
    console.press("\x15ci2.example.com", &["ci2.example.com", "changed"]);
    console.press(CTRL_S, &["- ci.example.com", "+ ci2.example.com"]);
    console.press("S", &["saved as version 2"]);
    // A version comes back only where nothing is left to save.
    console.loses("unsaved");
    console.keys(key::ESC);
    console.loses("Tab next");
    console.press("h", &["VERSION", "uid "]);
    console.press("j", &["hostname"]);
    console.press("R", &["Bring version 1 back?"]);
    console.press("r", &["version 1 is back, as version 3"]);
    console.press(UP, &["rollback to 1"]);
    let now = home.run(&["settings", "get", "hostname"]).with_code(0).out;
    assert!(now.contains("ci.example.com"), "{now}");
}
