//! `roundel ldap test` against a real OpenLDAP and a real Active Directory (Samba): every step green where all is well, and
//! each fault named with its step, its fix and its exit code.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use roundel::error::{Explain, Kind};
use roundel::secret::Secret;
use roundel::services::ldap::{self, Who};
use roundel::settings::value::{Value as Setting, Values};
use serde_json::Value;

use crate::directory::Directory;
use crate::skip::skip;
use crate::support::{Home, Said};

/// A home whose settings describe a directory, and files of secrets beside it.
struct Subject {
    home: Home,
    directory: Directory,
    /// Passwords that people have there, and that of the search user.
    password: &'static str,
}

/// Who signs in, with what, and how the values differ from those of the home.
#[derive(Clone, Copy)]
struct Case<'a> {
    what: &'a str,
    set: &'a [(&'a str, &'a str)],
    user: &'a str,
    password: &'a str,
}

/// How a case has to end.
struct End<'a> {
    code: i32,
    /// The step that fails.
    step: &'a str,
    /// Words of its fix.
    fix: &'a str,
}

impl<'a> Case<'a> {
    /// The same with other values.
    fn with(self, what: &'a str, set: &'a [(&'a str, &'a str)]) -> Self {
        Self { what, set, ..self }
    }

    /// The same with somebody else.
    fn user(self, what: &'a str, user: &'a str) -> Self {
        Self { what, user, ..self }
    }

    /// The same with another password.
    fn typing(self, what: &'a str, password: &'a str) -> Self {
        Self {
            what,
            password,
            ..self
        }
    }
}

/// That this step fails with this code, and with these words in its fix.
fn end<'a>(code: i32, step: &'a str, fix: &'a str) -> End<'a> {
    End { code, step, fix }
}

const STEPS: [&str; 9] = [
    "resolve",
    "connect",
    "TLS",
    "search bind",
    "base",
    "user",
    "one user only",
    "user bind",
    "groups",
];

impl Subject {
    fn new(
        directory: Directory,
        values: &[(&str, &str)],
        search: &str,
        person: &'static str,
    ) -> Self {
        let home = Home::new();
        fs::write(home.path("search"), search).unwrap();
        fs::write(home.path("wrong"), "not the password\n").unwrap();
        let subject = Self {
            home,
            directory,
            password: person,
        };
        for (key, value) in values {
            subject.stage(&["settings", "set", key, value]);
        }
        let ca = subject.directory.file("ca.crt");
        for (key, file) in [
            ("ldap.search_password", subject.home.path("search")),
            ("ca.certificates", ca),
        ] {
            subject.stage(&["settings", "set", key, "--file", text(&file)]);
        }
        subject
    }

    fn stage(&self, words: &[&str]) {
        Said::from(self.command(words).output().unwrap()).with_code(0);
    }

    /// The program, which trusts no authority but those of the settings.
    fn command(&self, words: &[&str]) -> std::process::Command {
        let none = self.home.path("none.crt");
        fs::write(&none, "").unwrap();
        let mut command = self.home.command(words);
        command
            .env("SSL_CERT_FILE", none)
            .env_remove("SSL_CERT_DIR");
        command
    }

    fn words(&self, case: Case<'_>) -> Vec<String> {
        let password = self.home.path("password");
        fs::write(&password, case.password).unwrap();
        let mut words: Vec<String> = ["ldap", "test", "--user", case.user, "--password-file"]
            .map(str::to_owned)
            .into();
        words.push(text(&password).to_owned());
        for (key, value) in case.set {
            let (option, value): (&str, PathBuf) = match *value {
                "other.crt" => ("--set-file", self.directory.file("other.crt")),
                "wrong" => ("--set-file", self.home.path("wrong")),
                value => ("--set", value.into()),
            };
            words.extend([option.to_owned(), format!("{key}={}", text(&value))]);
        }
        words
    }

    /// What the case ends with, and its steps.
    fn run(&self, case: Case<'_>) -> (i32, Vec<Value>) {
        let mut words = self.words(case);
        words.push("--json".to_owned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = Said::from(self.command(&words).output().unwrap());
        let steps = serde_json::from_str(&said.out)
            .unwrap_or_else(|err| panic!("{}: {err}: {said:#?}", case.what));
        (said.code.unwrap(), steps)
    }

    /// Every step is green; plain warns of itself. Returns what the groups were.
    #[track_caller]
    fn green(&self, case: Case<'_>) -> String {
        let (code, steps) = self.run(case);
        let names: Vec<_> = steps.iter().map(|step| &step["name"]).collect();
        assert_eq!(names, STEPS, "{}: {steps:#?}", case.what);
        let plain = case.set.contains(&("ldap.encryption", "plain"));
        for step in &steps {
            let wanted = if plain && step["name"] == "TLS" {
                "warning"
            } else {
                "ok"
            };
            assert_eq!(step["verdict"], wanted, "{}: {steps:#?}", case.what);
        }
        let tls = steps[2]["found"].as_str().unwrap();
        for shown in [
            "CN=ldap.example.com",
            "CN=Authority of the tests",
            "sha256:",
        ] {
            assert!(plain || tls.contains(shown), "{}: {tls}", case.what);
        }
        assert_eq!(code, 0, "{}", case.what);
        steps[8]["found"].as_str().unwrap().to_owned()
    }

    /// One step fails, as it has to, and is the last.
    #[track_caller]
    fn fails(&self, case: Case<'_>, end: &End<'_>) -> Value {
        let (code, steps) = self.run(case);
        let last = steps.last().unwrap();
        assert_eq!(last["name"], end.step, "{}: {steps:#?}", case.what);
        assert_eq!(last["verdict"], "failed", "{}: {steps:#?}", case.what);
        let fix = last["fix"].as_str().unwrap();
        assert!(fix.contains(end.fix), "{}: {last:#}", case.what);
        assert_eq!(code, end.code, "{}: {last:#}", case.what);
        let others = &steps[..steps.len() - 1];
        assert!(others.iter().all(|step| step["verdict"] != "failed"));
        last.clone()
    }

    fn alice(&self) -> Case<'static> {
        Case {
            what: "alice",
            set: &[],
            user: "alice",
            password: self.password,
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A port that nobody listens on: it was free a moment ago.
fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

/// What is the same for every directory.
fn faults_of_the_way(subject: &Subject) {
    // Its backlog takes connections, and nobody ever says anything on them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let quiet = silent.local_addr().unwrap().port().to_string();
    let tls_port = subject.directory.tls_port.to_string();
    let closed = closed_port();
    let alice = subject.alice();
    for (case, end) in [
        (
            alice.with("closed port", &[("ldap.port", &closed)]),
            end(3, "connect", "start the directory"),
        ),
        (
            alice.with(
                "silent port, StartTLS",
                &[("ldap.port", &quiet), ("ldap.timeout", "1")],
            ),
            end(3, "TLS", "correct hostname and port"),
        ),
        (
            alice.with(
                "silent port, LDAPS",
                &[
                    ("ldap.port", &quiet),
                    ("ldap.encryption", "ldaps"),
                    ("ldap.timeout", "1"),
                ],
            ),
            end(3, "TLS", "correct hostname and port"),
        ),
        (
            alice.with(
                "silent port, plain",
                &[
                    ("ldap.port", &quiet),
                    ("ldap.encryption", "plain"),
                    ("ldap.timeout", "1"),
                ],
            ),
            end(3, "search bind", "correct hostname and port"),
        ),
        (
            alice.with(
                "plain on the port of LDAPS",
                &[
                    ("ldap.port", &tls_port),
                    ("ldap.encryption", "plain"),
                    ("ldap.timeout", "5"),
                ],
            ),
            end(3, "search bind", "LDAPS is spoken at port 636"),
        ),
        (
            alice.with("no such host", &[("ldap.hostname", "ldap.invalid")]),
            end(3, "resolve", "correct the hostname"),
        ),
        (
            alice.with("wrong CA", &[("ca.certificates", "other.crt")]),
            end(5, "TLS", "Custom CAs"),
        ),
        (
            alice.with("name mismatch", &[("ldap.hostname", "localhost")]),
            end(5, "TLS", "one of the names"),
        ),
        (
            alice.with("wrong bind password", &[("ldap.search_password", "wrong")]),
            end(5, "search bind", "search password"),
        ),
    ] {
        let last = subject.fails(case, &end);
        assert!(last["field"].is_string(), "{}: {last:#}", case.what);
    }
}

/// Faults of what people type.
fn faults_of_people(subject: &Subject) {
    let alice = subject.alice();
    for (case, end) in [
        (
            alice.typing("wrong password", "not it"),
            end(5, "user bind", "type it again"),
        ),
        (
            alice.typing("empty password", ""),
            end(2, "user bind", "give the password"),
        ),
        (
            alice.user("a filter", "*)(uid=*"),
            end(4, "user", "correct the name"),
        ),
        (
            alice.user("everybody", "*"),
            end(4, "user", "correct the name"),
        ),
    ] {
        subject.fails(case, &end);
    }
    // Groups that contain one another end nothing, and are named.
    let (code, steps) = subject.run(alice.user("a cycle", "carol"));
    let last = steps.last().unwrap();
    assert_eq!(
        (code, &last["name"], &last["verdict"]),
        (0, &"groups".into(), &"warning".into()),
        "{steps:#?}"
    );
    let found = last["found"].as_str().unwrap();
    assert!(
        found.starts_with("ring-a, ring-b") && found.contains("contain one another"),
        "{found}"
    );
    assert!(last["fix"].as_str().unwrap().contains("memberships"));
}

/// Faults of what the directory holds: `people` is where its people are, written out, and nothing is below `absent`.
fn faults_of_entries(subject: &Subject, people: &str, absent: &str) {
    let alice = subject.alice();
    for (case, end) in [
        (
            alice.with("absent base", &[("ldap.base_dn", absent)]),
            end(4, "base", "correct the base DN"),
        ),
        (
            alice.with("absent people", &[("ldap.user_search_dn", "ou=absent")]),
            end(4, "base", "correct the user search DN"),
        ),
        (
            alice.with("absolute user DN", &[("ldap.user_search_dn", people)]),
            end(2, "base", "only what is below the base"),
        ),
        (
            alice.user("disabled", "off"),
            end(5, "user bind", "enable it"),
        ),
    ] {
        subject.fails(case, &end);
    }
    // Three wrong passwords, and the right one opens no more.
    let locked = alice.user("locked", "locked");
    let refused = end(5, "user bind", "");
    for _ in 0..3 {
        subject.fails(locked.typing("locked", "not it"), &refused);
    }
    let last = subject.fails(locked, &refused);
    assert!(
        last["found"].as_str().unwrap().contains("locked"),
        "{last:#}"
    );
}

const OPENLDAP: &[(&str, &str)] = &[
    ("ldap.hostname", "127.0.0.1"),
    ("ldap.encryption", "starttls"),
    ("ldap.search_user", "cn=admin,dc=example,dc=com"),
    ("ldap.base_dn", "dc=example,dc=com"),
];

#[test]
fn openldap_is_tested_step_by_step() {
    let directory = match Directory::openldap() {
        Ok(directory) => directory,
        Err(why) => return skip(why),
    };
    let (port, tls_port) = (directory.port.to_string(), directory.tls_port.to_string());
    let subject = Subject::new(directory, OPENLDAP, "admin password\n", "correct horse");
    subject.stage(&["settings", "set", "ldap.port", &port]);
    let alice = subject.alice();
    for set in [
        &[("ldap.encryption", "plain")][..],
        &[],
        &[("ldap.encryption", "ldaps"), ("ldap.port", &tls_port)],
    ] {
        assert_eq!(subject.green(Case { set, ..alice }), "all, devs");
    }
    let direct = alice.with("direct groups", &[("ldap.nested_groups", "direct")]);
    assert_eq!(subject.green(direct), "devs");
    let odd = alice.user("an odd name", "bücher");
    assert_eq!(subject.green(odd), "odd");

    faults_of_the_way(&subject);
    faults_of_people(&subject);
    faults_of_entries(&subject, "ou=users,dc=example,dc=com", "dc=absent,dc=com");
    for (case, end) in [
        (
            alice.with("LDAPS on the plain port", &[("ldap.encryption", "ldaps")]),
            end(3, "TLS", "choose StartTLS"),
        ),
        (
            alice.user("two matches", "twin"),
            end(4, "one user only", "unique"),
        ),
        (
            alice.with("a referral", &[("ldap.user_search_dn", "ou=elsewhere")]),
            end(4, "base", "`ldap.referrals`"),
        ),
    ] {
        subject.fails(case, &end);
    }
    let followed = &[
        ("ldap.user_search_dn", "ou=elsewhere"),
        ("ldap.referrals", "true"),
    ];
    let followed = alice.with("a referral that is followed", followed);
    assert_eq!(subject.green(followed), "all, devs");

    // As people see it: the failing step, the setting, the fix; and no password anywhere.
    let words = subject.words(alice.typing("as people see it", "hunter2 is wrong"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = Said::from(subject.command(&words).output().unwrap()).with_code(5);
    for shown in [
        "ok      search bind: as cn=admin,dc=example,dc=com",
        "ok      user: uid=alice,ou=users,dc=example,dc=com, alice@example.com",
        "failed  user bind: the directory refuses",
        "        fix: type it again",
    ] {
        assert!(said.out.contains(shown), "{said:#?}");
    }
    assert!(!format!("{said:?}").contains("hunter2"), "{said:#?}");

    // Without a user it ends with the entries; a user without a password is looked up.
    let said = Said::from(subject.command(&["ldap", "test"]).output().unwrap()).with_code(0);
    assert!(
        said.out.contains("warning user: no user was named"),
        "{said:#?}"
    );
    let said = Said::from(
        subject
            .command(&["ldap", "test", "--user", "bob"])
            .output()
            .unwrap(),
    );
    assert!(said.with_code(0).out.contains("no password was given"));
}

/// What the rest of Roundel asks a directory: who signs in, and who is still there.
#[test]
fn who_signs_in_is_told_from_who_is_gone() {
    let directory = match Directory::openldap() {
        Ok(directory) => directory,
        Err(why) => return skip(why),
    };
    let ca = fs::read_to_string(directory.file("ca.crt")).unwrap();
    let secret = |text: &str| Secret::new(text.to_owned());
    let asked = |port: u16| {
        let mut values = Values::default();
        for (key, value) in OPENLDAP.iter().chain([&("ca.certificates", ca.as_str())]) {
            values.set(*key, Setting::Text((*value).to_owned()));
        }
        let password = Setting::Secret(secret("admin password"));
        values.set("ldap.search_password", password);
        values.set("ldap.port", Setting::Number(port.into()));
        ldap::Directory::new(&values).unwrap()
    };
    let dir = asked(directory.port);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let alice = dir.sign_in("ALICE", &secret("correct horse")).await;
        let alice = alice.unwrap();
        assert_eq!(alice.dn, "uid=alice,ou=users,dc=example,dc=com");
        assert_eq!(alice.name, "alice");
        assert_eq!(alice.email.as_deref(), Some("alice@example.com"));
        let groups: Vec<_> = alice.groups.iter().map(|group| &group.name).collect();
        assert_eq!(groups, ["all", "devs"]);
        for (name, password) in [
            ("alice", "not it"),
            ("alice", ""),
            ("", "correct horse"),
            ("nobody", "correct horse"),
            ("twin", "correct horse"),
            ("off", "correct horse"),
        ] {
            let refused = dir.sign_in(name, &secret(password)).await.unwrap_err();
            assert!(refused.refuses(), "{name}: {refused}");
        }
        for who in [Who::Dn(&alice.dn), Who::Name("alice")] {
            let found = dir.look_up(who).await.unwrap();
            assert_eq!(found.as_ref(), Some(&alice));
        }
        for gone in [
            Who::Dn("uid=gone,ou=users,dc=example,dc=com"),
            Who::Dn("cn=devs,ou=groups,dc=example,dc=com"),
            Who::Name("off"),
            Who::Name("gone"),
        ] {
            assert_eq!(dir.look_up(gone).await.unwrap(), None, "{gone:?}");
        }
        let closed = asked(closed_port().parse().unwrap());
        let unknown = closed.look_up(Who::Dn(&alice.dn)).await.unwrap_err();
        assert!(!unknown.refuses(), "{unknown}");
        assert_eq!(unknown.kind(), Kind::Unavailable);
    });
}

const SAMBA: &[(&str, &str)] = &[
    ("ldap.type", "ldap_type_ad"),
    ("ldap.hostname", "127.0.0.1"),
    ("ldap.encryption", "starttls"),
    ("ldap.search_user", "Administrator@ad.example.com"),
    ("ldap.base_dn", "dc=ad,dc=example,dc=com"),
];

#[test]
fn active_directory_is_tested_step_by_step() {
    let directory = match Directory::samba() {
        Ok(directory) => directory,
        Err(why) => return skip(why),
    };
    let (port, tls_port) = (directory.port.to_string(), directory.tls_port.to_string());
    let subject = Subject::new(directory, SAMBA, "Adm1n.passw0rd\n", "Corr3ct.horse");
    subject.stage(&["settings", "set", "ldap.port", &port]);
    let alice = subject.alice();
    let ldaps = &[
        ("ldap.encryption", "ldaps"),
        ("ldap.port", tls_port.as_str()),
    ][..];
    for user in ["alice", "alice@ad.example.com", "ALICE@AD.EXAMPLE.COM"] {
        for set in [&[][..], ldaps] {
            assert_eq!(subject.green(Case { user, set, ..alice }), "all, devs");
        }
    }
    let walked = alice.with("walked groups", &[("ldap.nested_groups", "walk")]);
    assert_eq!(subject.green(walked), "all, devs");

    faults_of_the_way(&subject);
    faults_of_people(&subject);
    faults_of_entries(
        &subject,
        "cn=users,dc=ad,dc=example,dc=com",
        "dc=absent,dc=ad,dc=example,dc=com",
    );
    let by_mail = &[("ldap.username_field", "mail")];
    for (case, end) in [
        (
            alice.with("plain", &[("ldap.encryption", "plain")]),
            end(2, "search bind", "choose StartTLS or LDAPS"),
        ),
        (
            Case {
                set: by_mail,
                ..alice.user("two matches", "shared@example.com")
            },
            end(4, "one user only", "unique"),
        ),
        (
            alice.with("a referral", &[("ldap.base_dn", "dc=elsewhere,dc=example")]),
            end(4, "base", "correct the base DN"),
        ),
        (
            alice.user("has to change the password", "new"),
            end(5, "user bind", "change the password"),
        ),
    ] {
        subject.fails(case, &end);
    }
}
