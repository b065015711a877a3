//! Settings through the verbs: staged, looked at, saved as versions, taken back, written to a file and read again.

use std::fs;

use serde_json::Value;

use crate::search::{Search, forms};
use crate::support::{Home, Said, files_below};

const SECRET: &str = "0123456789abcdef0123456789abcdef01234567";

/// What a verb prints that has to go well.
#[track_caller]
fn ok(home: &Home, words: &[&str]) -> String {
    home.run(words).with_code(0).out
}

fn value(home: &Home, key: &str) -> Value {
    home.json(&["settings", "get", key, "--json"])["value"].clone()
}

fn failed(said: &Said, code: i32) -> &str {
    assert_eq!(said.code, Some(code), "{said:?}");
    &said.err
}

#[test]
fn a_value_is_staged_looked_at_saved_and_taken_back() {
    let home = Home::new();
    assert_eq!(value(&home, "ldap.port"), 389);
    // Nothing can be saved before the one setting that is required.
    ok(&home, &["settings", "set", "ldap.port", "1389"]);
    assert_eq!(value(&home, "ldap.port"), 1389);
    let refused = home.run(&["settings", "save"]);
    let text = failed(&refused, 2);
    assert!(text.contains("hostname: error: is required"), "{text}");
    ok(&home, &["settings", "set", "hostname", "ci.example.com"]);
    let diff = ok(&home, &["settings", "diff"]);
    assert!(
        diff.contains("hostname") && diff.contains("ci.example.com"),
        "{diff}"
    );
    assert!(diff.contains("restarts the services"), "{diff}");
    assert!(ok(&home, &["settings", "save"]).contains("version 1"));
    assert!(ok(&home, &["settings", "diff"]).contains("No difference"));

    ok(&home, &["settings", "set", "hostname", "other.example.com"]);
    assert!(ok(&home, &["settings", "save"]).contains("version 2"));
    assert!(ok(&home, &["settings", "rollback", "1", "--yes"]).contains("version 3"));
    assert_eq!(value(&home, "hostname"), "ci.example.com");
    assert_eq!(value(&home, "ldap.port"), 1389);
    let history = ok(&home, &["settings", "history"]);
    assert!(history.contains("rollback to 1"), "{history}");
    let unknown = home.run(&["settings", "rollback", "9", "--yes"]);
    failed(&unknown, 4);

    // What the services run with is older until they are started anew.
    let waits = ok(&home, &["settings", "list", "general"]);
    assert!(waits.contains("waits for a restart"), "{waits}");
    ok(&home, &["services", "stop", "--yes"]);
    ok(&home, &["services", "start"]);
    let runs = ok(&home, &["settings", "list", "general"]);
    assert!(!runs.contains("waits for a restart"), "{runs}");
}

#[test]
fn values_are_tried_before_they_are_saved() {
    let home = Home::new();
    let missing = home.run(&["settings", "test", "hostname"]);
    assert!(
        missing.out.contains("failed  name: no hostname is set"),
        "{missing:?}"
    );
    failed(&missing, 2);
    let tried = ok(
        &home,
        &[
            "settings",
            "test",
            "hostname",
            "--set",
            "hostname=localhost",
        ],
    );
    assert!(tried.contains("ok      resolve: localhost is "), "{tried}");
    assert_eq!(value(&home, "hostname"), Value::Null, "nothing is kept");
    ok(&home, &["settings", "set", "hostname", "no-such.invalid"]);
    let staged = home.run(&["settings", "test", "hostname", "--json"]);
    failed(&staged, 3);
    let steps: Value = serde_json::from_str(&staged.out).expect("steps");
    assert_eq!(steps[0]["field"], "hostname", "{steps}");
    assert_eq!(steps[0]["verdict"], "failed", "{steps}");
    let password = home.run(&["settings", "test", "ldap", "--with", "password=x"]);
    assert!(failed(&password, 2).contains("--with-file password=FILE"));
    let audit = ok(&home, &["audit", "list"]);
    assert!(audit.contains("settings.test"), "{audit}");
}

#[test]
fn a_secret_goes_in_by_a_file_and_comes_out_nowhere() {
    let home = Home::new();
    let refused = home.run(&["settings", "set", "ghe_client_secret", SECRET]);
    let text = failed(&refused, 2);
    assert!(
        text.contains("cannot stand on the command line") && !text.contains(SECRET),
        "{text}"
    );
    fs::write(home.path("secret"), format!("{SECRET}\n")).unwrap();
    let file = home.path("secret");
    ok(
        &home,
        &[
            "settings",
            "set",
            "ghe_client_secret",
            "--file",
            file.to_str().unwrap(),
        ],
    );
    ok(&home, &["settings", "set", "hostname", "ci.example.com"]);
    ok(&home, &["settings", "save"]);
    fs::remove_file(&file).unwrap();
    let shown = ok(&home, &["settings", "get", "ghe_client_secret"]);
    assert!(shown.contains("(set)"), "{shown}");
    let all = [
        shown,
        ok(&home, &["settings", "list", "--all", "--json"]),
        ok(&home, &["settings", "diff", "0", "--json"]),
        ok(&home, &["settings", "export"]),
        ok(&home, &["settings", "history"]),
        ok(&home, &["audit", "list", "--json"]),
    ];
    for text in &all {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert!(
        all[5].contains("hostname") && all[5].contains("settings.save"),
        "{}",
        all[5]
    );
    // Nor on the disk, in the database or beside it.
    let search = Search::of(forms("secret", SECRET.as_bytes()));
    assert_eq!(search.found_below(&[&home.data()]), []);
    let looked_at = files_below(&[&home.data()]).len();
    assert!(looked_at > 3, "{looked_at}");
}

#[test]
fn a_file_comes_back_the_same_and_a_wrong_one_changes_nothing() {
    let (one, two) = (Home::new(), Home::new());
    let text = "hostname = \"ci.example.com\"\n[ldap]\nenabled = true\nhostname = \"ldap.example.com\"\nencryption = \"ldaps\"\nsearch_user = \"cn=svc,dc=example,dc=com\"\nsearch_password = \"not a secret\"\nbase_dn = \"dc=example,dc=com\"\n[override.frontend]\nGREETING = \"hello\"\n";
    fs::write(one.path("settings.toml"), text).unwrap();
    let file = one.path("settings.toml");
    assert!(ok(&one, &["settings", "import", file.to_str().unwrap()]).contains("version 1"));
    let exported = ok(&one, &["settings", "export"]);
    assert!(
        exported.contains("ldap.hostname = \"ldap.example.com\""),
        "{exported}"
    );
    assert!(!exported.contains("not a secret"), "{exported}");
    let whole = exported.replace(
        "# ldap.search_password is set, and left out",
        "ldap.search_password = \"another\"",
    );
    fs::write(two.path("settings.toml"), &whole).unwrap();
    let file = two.path("settings.toml");
    ok(&two, &["settings", "import", file.to_str().unwrap()]);
    assert_eq!(ok(&two, &["settings", "export"]), exported);

    let before = ok(&two, &["settings", "list", "--all", "--json"]);
    let wrong = "hostnme = \"x\"\nldap.port = 70000\nproxy.url = \"10.0.0.33:3128\"\nldap.enabled = \"perhaps\"\n";
    fs::write(&file, wrong).unwrap();
    let refused = two.run(&["settings", "import", file.to_str().unwrap()]);
    let text = failed(&refused, 2);
    for said in [
        "hostnme: error",
        "`hostname` is",
        "ldap.port: error",
        "ldap.enabled: error",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(
        ok(&two, &["settings", "list", "--all", "--json"]) == before,
        "something changed"
    );
    // One that reads well and means something wrong changes nothing either.
    fs::write(
        &file,
        "proxy.url = \"10.0.0.33:3128\"\nvm.provider = \"ec2\"\n",
    )
    .unwrap();
    let refused = two.run(&["settings", "import", file.to_str().unwrap()]);
    let text = failed(&refused, 2);
    for said in ["proxy.url: error", "vm.subnet_id: error: is required"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(
        ok(&two, &["settings", "list", "--all", "--json"]) == before,
        "something changed"
    );
}

#[test]
fn a_warning_is_taken_once_and_a_wrong_key_names_the_nearest() {
    let home = Home::new();
    ok(&home, &["settings", "set", "hostname", "ci.example.com"]);
    ok(&home, &["settings", "set", "artifacts.serve_unsafe", "on"]);
    let refused = home.run(&["settings", "save"]);
    let text = failed(&refused, 4);
    assert!(text.contains("artifacts.serve_unsafe: warning"), "{text}");
    ok(&home, &["settings", "save", "--yes"]);
    ok(&home, &["settings", "set", "hostname", "other.example.com"]);
    ok(&home, &["settings", "save"]);
    let unknown = home.run(&["settings", "set", "hostnam", "x"]);
    let text = failed(&unknown, 4);
    assert!(text.contains("`hostname` is one"), "{text}");
    let wrong = home.run(&["settings", "set", "vm.provider", "ec3"]);
    let text = failed(&wrong, 2);
    assert!(text.contains("`ec2` is"), "{text}");
}
