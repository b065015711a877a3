//! Settings on a stage: forms by keys, pastes, tests step by step, the page before a save, and what is never shown.

use roundel::api::certificates::{Fetched, FetchedChain, Shown};
use roundel::certificates::authorities;
use roundel::error::Kind;
use roundel::services::ca;

use crate::console::action::Action;
use crate::console::event::{Done, Event, Failure, Tried};
use crate::console::place::{Page, Place};
use crate::console::tests::kit::*;
use crate::console::theme::Role;

mod saving;

const PEM: &str = "-----BEGIN CERTIFICATE-----\nTUlJQw==\n-----END CERTIFICATE-----\n";

fn form(group: &'static str, size: (u16, u16)) -> Stage {
    Stage::live(Place::Settings(Page::Group(group)), size, Model::empty())
}

fn done(text: &str) -> Done {
    Done {
        text: text.to_owned(),
        pipeline: None,
    }
}

/// What was sent to the settings, as the commands that do the same.
fn sent(stage: &mut Stage) -> Vec<String> {
    let writes = stage.writes().into_iter();
    writes.map(|write| write.command()).collect()
}

#[test]
fn the_list_says_how_each_group_stands_and_leads_to_its_form() {
    for size in [(80, 24), (120, 36)] {
        let mut stage = Stage::live(Place::Settings(Page::Groups), size, Model::told());
        let frame = stage.frame();
        frame.has(&["1 unsaved change", "General", "Hostname"]);
        stage.keys("j j j j");
        let frame = stage.frame();
        frame.has(&["LDAP Authentication", "Base DN", "dc=example,dc=com"]);
        frame.lacks(&["hunter2"]);
        stage.keys("enter");
        assert_eq!(stage.place(), "settings:ldap");
        stage.keys("esc");
        assert_eq!(stage.place(), "settings");
        stage
            .frame()
            .stands_on(if size.0 < 100 { "ldap" } else { "LDAP" });
    }
}

#[test]
fn fields_that_depend_on_others_appear_while_one_chooses() {
    for size in SIZES {
        let mut stage = form("ldap", size);
        stage.frame().has(&["Enable LDAP-only"]);
        stage.frame().lacks(&["Base DN"]);
        stage.keys("right");
        stage.frame().has(&["OpenLDAP", "Hostname"]);
        assert_eq!(stage.questions(), [], "no key asks the server");
        stage.keys("down right");
        stage.frame().has(&["Active Directory"]);
        if size.1 > 30 {
            stage.frame().has(&["sAMAccountName", "default", "Base DN"]);
        }
        stage.keys("up space");
        stage.frame().lacks(&["OpenLDAP"]);
    }
}

#[test]
fn the_port_follows_the_encryption_until_one_is_typed() {
    let mut stage = form("ldap", (120, 36));
    stage.keys("space down down down");
    stage.frame().has(&["389"]);
    stage.keys("down right right");
    stage.frame().has(&["(●) LDAPS", "636"]);
    stage.keys("up");
    stage.types("3269");
    stage.keys("down left");
    stage.frame().has(&["(●) StartTLS", "3269"]);
    stage.frame().lacks(&["389", "636"]);
}

#[test]
fn what_is_wrong_is_said_while_it_is_typed() {
    let mut stage = form("ldap", (80, 24));
    stage.keys("space tab tab tab");
    stage.types("many");
    stage.frame().has(&["is no whole number from 1 to 65535"]);
    stage.frame().shows("✗ Port", Role::Failed);
    stage.keys("ctrl-u");
    stage.types("70000");
    stage.frame().has(&["is not from 1 to 65535"]);
    stage.keys("ctrl-x");
    stage.frame().has(&["389"]);
    stage.frame().lacks(&["70000"]);
}

#[test]
fn esc_undoes_the_field_then_leaves_and_what_was_typed_is_staged() {
    let mut stage = form("ldap", (80, 24));
    stage.keys("space tab tab");
    stage.types("ldap.example.com");
    stage.keys("tab tab tab");
    stage.types("cn=wrong");
    stage.keys("esc");
    assert_eq!(
        stage.flash(),
        "what was typed here is undone; Esc again leaves"
    );
    stage.frame().lacks(&["cn=wrong"]);
    assert_eq!(stage.writes(), []);
    stage.keys("esc");
    assert_eq!(stage.place(), "settings");
    assert_eq!(
        sent(&mut stage),
        [
            "roundel settings set ldap.enabled true && roundel settings set ldap.hostname ldap.example.com"
        ]
    );
    stage.wait(100);
    assert_eq!(stage.writes(), [], "once");
}

#[test]
fn what_the_server_will_not_stage_stays_here_and_is_not_sent_for_ever() {
    let mut stage = form("general", (80, 24));
    stage.types("ci.example.com");
    stage.keys("esc");
    assert_eq!(stage.place(), "settings:general", "undone first");
    stage.types("ci.example.com");
    stage.keys("tab esc");
    let writes = stage.writes();
    assert_eq!(writes.len(), 1);
    let why = Failure::new(Kind::Unavailable, "the store is full");
    stage.event(Event::Written(writes[0].clone(), Err(why)));
    stage.wait(1000);
    assert_eq!(stage.writes(), []);
    stage.keys("enter");
    stage.frame().has(&["ci.example.com", "changed"]);
    // Once something else is typed, it is tried again.
    stage.types("x");
    stage.keys("tab esc");
    assert_eq!(
        sent(&mut stage),
        ["roundel settings set hostname ci.example.comx"]
    );
}

#[test]
fn a_staged_value_is_no_longer_this_consoles_own() {
    let mut stage = form("general", (80, 24));
    stage.types("ci.example.com");
    stage.keys("tab esc");
    let write = stage.writes().remove(0);
    stage.model.settings = settings_with(&[], &[("hostname", "ci.example.com")]);
    stage.event(Event::Written(
        write,
        Ok(done("1 change staged, not saved")),
    ));
    stage.change(roundel::api::Topic::Settings);
    stage.keys("enter");
    stage.frame().has(&["ci.example.com", "staged"]);
    stage.keys("esc esc");
    assert_eq!(stage.writes(), []);
    // And ctrl-x takes it back from there.
    stage.keys("enter ctrl-x");
    assert_eq!(sent(&mut stage), ["roundel settings discard hostname"]);
}

#[test]
fn a_secret_is_typed_unseen_and_the_one_that_is_there_is_kept() {
    for size in SIZES {
        let place = Place::Settings(Page::Group("ldap"));
        let mut stage = Stage::live(place, size, Model::told());
        stage.keys("tab tab tab tab tab tab");
        stage.frame().has(&["set 1 min ago"]);
        stage.types("s3cret!");
        let frame = stage.frame();
        frame.has(&["•••••••"]);
        frame.lacks(&["s3cret", "hunter2"]);
        stage.keys("f1");
        stage.frame().lacks(&["s3cret", "hunter2"]);
        stage.keys("esc tab");
        stage.frame().lacks(&["s3cret"]);
        stage.keys("ctrl-s");
        stage.frame().lacks(&["s3cret", "hunter2"]);
        if size.1 > 14 {
            stage.frame().has(&["ldap.search_password", "~ changed"]);
        }
        stage.keys("@");
        stage.frame().lacks(&["s3cret"]);
        assert!(!format!("{:?}", stage.app).contains("s3cret"));
    }
}

#[test]
fn a_certificate_and_its_key_are_pasted_and_the_key_is_never_shown() {
    for size in [(80, 24), (120, 36)] {
        let mut stage = form("privacy", size);
        stage.keys("space down down");
        stage.pastes(&format!("{PEM}{PEM}"));
        stage.frame().has(&["2 certificates, 6 lines", "changed"]);
        stage.keys("tab");
        let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0a2V5\n-----END PRIVATE KEY-----\n";
        stage.pastes(key);
        let frame = stage.frame();
        frame.has(&["new, 3 lines"]);
        frame.lacks(&["c2VjcmV0"]);
        // Open, it can be gone through, and still nobody reads it.
        stage.keys("enter");
        stage.frame().lacks(&["c2VjcmV0"]);
        stage.frame().has(&["•••"]);
        stage.keys("esc shift-tab enter");
        let frame = stage.frame();
        frame.has(&["Certificate File", "TUlJQw==", "7 lines"]);
        stage.keys("tab ctrl-s");
        stage
            .frame()
            .has(&["ssl_cert", "ssl_private_key", "a secret"]);
        assert!(!format!("{:?}", stage.app).contains("c2VjcmV0"));
    }
}

#[test]
fn swapped_files_are_told_as_they_are_pasted() {
    let mut stage = form("privacy", (120, 36));
    stage.keys("space down down");
    stage.pastes("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----");
    stage
        .frame()
        .has(&["is a private key", "give the certificate"]);
}

#[test]
fn typing_opens_a_long_text_and_tab_keeps_it() {
    let mut stage = form("ca", (80, 24));
    stage.types("-x");
    stage.frame().has(&["1 line, line 1", "-x"]);
    stage.keys("enter y tab");
    stage.frame().has(&["2 lines", "is text without any"]);
    stage.keys("esc");
    assert_eq!(
        stage.place(),
        "settings",
        "it was changed before the cursor came"
    );
}

#[test]
fn files_are_asked_for_by_path_with_completion() {
    let mut stage = form("privacy", (80, 24));
    stage.keys("space down down ctrl-o");
    stage.types("/etc/ssl/c");
    stage.keys("tab");
    assert_eq!(stage.wanted(), [Action::Complete("/etc/ssl/c".into())]);
    let paths = ["/etc/ssl/ci.crt", "/etc/ssl/ci.key"];
    stage.event(Event::Completed {
        typed: "/etc/ssl/c".into(),
        paths: paths.map(str::to_owned).to_vec(),
    });
    stage.frame().has(&["/etc/ssl/ci.", "ci.crt  ci.key"]);
    stage.types("crt");
    stage.keys("enter");
    assert_eq!(
        stage.wanted(),
        [Action::Load {
            key: "ssl_cert".into(),
            path: "/etc/ssl/ci.crt".into()
        }]
    );
    stage.event(Event::Loaded {
        key: "ssl_cert".into(),
        path: "/etc/ssl/ci.crt".into(),
        text: Ok(roundel::secret::Secret::new(PEM.to_owned())),
    });
    stage
        .frame()
        .has(&["1 certificate, 3 lines of /etc/ssl/ci.crt"]);
    stage.event(Event::Loaded {
        key: "ssl_cert".into(),
        path: "/x".into(),
        text: Err(Failure::new(Kind::NotFound, "/x: no such file")),
    });
    stage.frame().has(&["✗ /x: no such file"]);
}

#[test]
fn a_test_asks_for_what_it_wants_to_know_and_tells_its_steps_as_they_end() {
    for size in SIZES {
        let place = Place::Settings(Page::Group("ldap"));
        let mut stage = Stage::live(place, size, Model::told());
        stage.keys("tab tab");
        stage.types("2");
        stage.keys("ctrl-t");
        stage.frame().has(&["Test username", "Test password"]);
        stage.types("alice");
        stage.keys("tab");
        stage.types("wonderl");
        stage.frame().has(&["alice", "•••••••"]);
        stage.frame().lacks(&["wonderl"]);
        stage.keys("enter");
        let wanted = stage.wanted();
        let [Action::Try(what)] = &wanted[..] else {
            panic!("{wanted:?}");
        };
        assert_eq!(what.words["user"].expose(), "alice");
        assert_eq!(what.words["password"].expose(), "wonderl");
        assert!(what.edits.0.contains_key("ldap.hostname"), "unsaved");
        stage.frame().has(&["▶ running"]);
        let number = what.number;
        let told = |stage: &mut Stage, tried| stage.event(Event::Tried(number, tried));
        told(
            &mut stage,
            Tried::Step(test_step("resolve", "it is 10.0.0.5", None)),
        );
        stage.frame().has(&["✓ resolve", "it is 10.0.0.5"]);
        let fix = Some(("ldap.base_dn", "set it to dc=example,dc=org"));
        told(
            &mut stage,
            Tried::Step(test_step("base", "no such entry", fix)),
        );
        told(&mut stage, Tried::End(None));
        let frame = stage.frame();
        frame.has(&["✗ failed", "✗ base", "set it to dc=example,dc=org"]);
        frame.lacks(&["wonderl", "running"]);
        // The field at fault says so, and what to do.
        stage.keys("tab tab tab tab tab");
        stage.frame().has(&["test: no"]);
        // What is typed now was not tested.
        stage.frame().lacks(&["earlier values"]);
        stage.types("x");
        stage.frame().has(&["✗ failed", "earlier values"]);
        // What an older test still says is nobody's.
        stage.event(Event::Tried(0, Tried::Step(test_step("old", "old", None))));
        stage.frame().lacks(&["old"]);
        // The next one begins with the same words.
        stage.keys("ctrl-t");
        stage.frame().has(&["alice"]);
        stage.keys("esc");
    }
}

#[test]
fn a_test_that_breaks_says_why() {
    let mut stage = form("general", (80, 24));
    stage.types("ci.example.com");
    stage.keys("ctrl-t");
    let wanted = stage.wanted();
    assert!(matches!(&wanted[..], [Action::Try(what)] if what.words.is_empty()));
    let why = Failure::new(Kind::NoServer, "no server answers");
    stage.event(Event::Tried(1, Tried::End(Some(why))));
    stage.frame().has(&["✗ failed", "no server answers"]);
    let mut stage = form("artifacts", (80, 24));
    stage.keys("ctrl-t");
    assert_eq!(stage.flash(), "there is no test for these settings");
}

#[test]
fn a_chain_is_shown_certificate_by_certificate_and_nobody_is_trusted_by_the_way() {
    let made = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let (leaf, root) = (made("ghe.example.com").cert, made("root.example.com").cert);
    let fetched = |pem: String, authority: bool| Fetched {
        shown: Shown {
            authority,
            self_signed: authority,
            ..ca::shown(&authorities(pem.as_bytes()).path[0])
        },
        pem,
    };
    let chain = FetchedChain {
        way: "by the proxy http://10.0.0.33:3128: nothing covers it".to_owned(),
        certificates: vec![fetched(leaf.pem(), false), fetched(root.pem(), true)],
    };
    for size in [(80, 24), (120, 36)] {
        let mut stage = form("ca", size);
        stage.keys("ctrl-k");
        stage.types("ghe.example.com");
        stage.keys("enter enter");
        let place = "ghe.example.com".to_owned();
        assert_eq!(stage.wanted(), [Action::FetchChain(place.clone())], "once");
        stage.frame().has(&["fetching"]);
        let told = || Event::Fetched {
            place: place.clone(),
            chain: Ok(chain.clone()),
        };
        // Who types on, or has left the line, does not wait any more.
        stage.types("x");
        stage.event(told());
        stage.frame().lacks(&["Certificate 1"]);
        stage.keys("backspace enter");
        stage.event(told());
        let frame = stage.frame();
        frame.has(&[
            "Certificate 1 of 2 that ghe.example.com shows",
            "by the proxy",
        ]);
        frame.has(&["It is no authority's", "Next"]);
        frame.lacks(&["Trust"]);
        stage.keys("t n");
        stage
            .frame()
            .has(&["Certificate 2 of 2", "Issuer   itself", "Trust"]);
        stage.keys("t");
        stage.frame().has(&["1 certificate"]);
        assert!(stage.flash().starts_with("Certificates: 1 certificate, "));
        stage.keys("ctrl-k");
        stage.types("ghe.example.com");
        stage.keys("enter");
        stage.event(told());
        stage.keys("n t");
        assert_eq!(stage.flash(), "Certificates: it is there");
        assert_eq!(
            stage.writes(),
            [],
            "nothing is staged before the form is left"
        );
    }
    let mut stage = form("general", (80, 24));
    stage.keys("ctrl-k");
    assert_eq!(stage.flash(), "this is done in the form Custom CAs");
    stage.keys("ctrl-n");
    assert_eq!(stage.flash(), "this is done in the form Privacy");
}
