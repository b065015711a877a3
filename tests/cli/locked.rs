//! Secrets under a passphrase: after a start of the server they are locked, what needs none goes on, what needs one waits
//! or says so, and `unlock` opens them. And secrets in a file of settings, sealed under a passphrase.

use std::fs;

use serde_json::Value;

use crate::search::{Search, forms};
use crate::support::{Home, fed, until};

const PASSPHRASE: &str = "correct horse battery staple";
const SECRET: &str = "s3cret-Of-The-Project-0123456789";

const PRINTS: &str = "version: 2.1\njobs:\n  job:\n    machine: true\n    steps: [run: 'echo ${#GREETING} characters']\n\
                      workflows: {main: {jobs: [job]}}\n";

fn stand(home: &Home) -> (String, bool) {
    let stand = home.json(&["secrets", "status", "--json"]);
    let guard = stand["guard"].as_str().expect("a word").to_owned();
    (guard, stand["locked"].as_bool().expect("yes or no"))
}

#[test]
fn what_needs_a_secret_waits_until_somebody_gives_the_passphrase() {
    let home = Home::new();
    home.repository("web", PRINTS);
    home.repository("plain", PRINTS);
    home.run(&["build", "web"]).with_code(0);
    let set = &["project", "env", "set", "web", "GREETING"];
    fed(&mut home.command(set), SECRET).with_code(0);
    assert_eq!(stand(&home), ("file".to_owned(), false));

    let short = fed(&mut home.command(&["secrets", "protect"]), "short\n").with_code(2);
    assert!(short.err.contains("at least 12 characters"), "{short:?}");
    fed(&mut home.command(&["secrets", "protect"]), PASSPHRASE).with_code(0);
    assert_eq!(stand(&home), ("passphrase".to_owned(), false), "open still");
    assert!(!home.data().join("secrets/key").exists());

    home.end_server();
    assert_eq!(stand(&home), ("passphrase".to_owned(), true));
    // What needs no secret runs; what needs one says so.
    home.run(&["build", "plain"]).with_code(0);
    let refused = fed(&mut home.command(set), SECRET).with_code(3);
    assert!(
        refused.err.contains("the secrets are locked") && refused.err.contains("roundel unlock"),
        "{refused:?}"
    );
    let frame = home.run(&["console", "--once", "--size", "120x36"]).out;
    assert!(frame.contains("the secrets are locked"), "{frame}");

    let waiting = home.start(&["build", "web"]);
    until("the run has begun", || {
        let rows = home.json(&["status", "--json"]);
        rows["rows"][0]["state"] == "running"
    });
    let wrong = fed(&mut home.command(&["unlock"]), "another horse battery").with_code(5);
    assert!(wrong.err.contains("not the passphrase"), "{wrong:?}");
    assert_eq!(stand(&home), ("passphrase".to_owned(), true));
    fed(&mut home.command(&["unlock"]), &format!("{PASSPHRASE}\n")).with_code(0);
    let said = crate::support::Said::from(waiting.wait_with_output().unwrap()).with_code(0);
    let length = format!("{} characters", SECRET.len());
    assert!(said.out.contains(&length), "{said:?}");
    let why = "the secrets of the server are locked, until `roundel unlock`";
    assert_eq!(said.out.matches(why).count(), 1, "{said:?}");

    fed(&mut home.command(&["secrets", "unprotect"]), PASSPHRASE).with_code(0);
    assert_eq!(stand(&home), ("file".to_owned(), false));
    let audit = home.run(&["audit", "list"]).out;
    for deed in ["secrets.protect", "secrets.unlock", "secrets.unprotect"] {
        assert!(audit.contains(deed), "{deed}: {audit}");
    }
    let secrets = [("passphrase", PASSPHRASE), ("secret", SECRET)];
    let forms = secrets.map(|(name, text)| forms(name, text.as_bytes()));
    let search = Search::of(forms.concat());
    assert_eq!(search.found_below(&[&home.data()]), []);
}

#[test]
fn secrets_go_from_one_installation_to_another_sealed() {
    let (one, two) = (Home::new(), Home::new());
    let text = format!(
        "hostname = \"ci.example.com\"\nproxy.url = \"http://user:{SECRET}@proxy.example.com:3128\"\n"
    );
    fs::write(one.path("settings.toml"), text).unwrap();
    let file = one.path("settings.toml");
    one.run(&["settings", "import", file.to_str().unwrap()])
        .with_code(0);
    let (key, out) = (one.path("passphrase"), one.path("sealed.toml"));
    fs::write(&key, PASSPHRASE).unwrap();
    let (key, out) = (key.to_str().unwrap(), out.to_str().unwrap());
    let export = ["settings", "export", "--key-file", key, "--out", out];
    one.run(&export).with_code(0);
    let sealed = fs::read_to_string(out).unwrap();
    assert!(sealed.contains("proxy.url = { sealed = \"p1:"), "{sealed}");
    assert!(!sealed.contains(SECRET), "{sealed}");

    let without = two.run(&["settings", "import", out]).with_code(2);
    assert!(without.err.contains("--key-file"), "{without:?}");
    fs::write(two.path("wrong"), "another horse battery").unwrap();
    let wrong = two.path("wrong");
    let wrong = [
        "settings",
        "import",
        out,
        "--key-file",
        wrong.to_str().unwrap(),
    ];
    let refused = two.run(&wrong).with_code(2);
    assert!(refused.err.contains("does not open"), "{refused:?}");
    two.run(&["settings", "import", out, "--key-file", key])
        .with_code(0);
    // What was opened there is what was sealed here.
    let plain = |home: &Home| home.run(&["settings", "export"]).with_code(0).out;
    assert_eq!(plain(&one), plain(&two));
    let tried = |home: &Home| -> Value { home.json(&["settings", "get", "proxy.url", "--json"]) };
    assert_eq!(tried(&two)["set"], true);
    let again = ["settings", "export", "--key-file", key];
    let again = two.run(&again).with_code(0).out;
    assert_ne!(again, sealed, "with a salt of its own");
    fs::write(one.path("again.toml"), &again).unwrap();
    let back = one.path("again.toml");
    one.run(&[
        "settings",
        "import",
        back.to_str().unwrap(),
        "--key-file",
        key,
    ])
    .with_code(0);
    let diff = one.run(&["settings", "diff", "1", "2"]);
    assert!(
        !diff.out.contains("hostname"),
        "plain values are the same: {diff:?}"
    );
}
