//! From what was typed to a version: the page before a save, who may, what is forgotten, and the versions.

use roundel::error::Kind;

use super::{done, form, sent};
use crate::console::action::{SettingsWrite, Write};
use crate::console::event::{Event, Failure};
use crate::console::overlays::Overlay;
use crate::console::place::{Page, Place};
use crate::console::tests::kit::*;

#[test]
fn the_page_before_a_save_has_the_harmless_button_and_errors_lead_to_their_fields() {
    for size in [(80, 24), (120, 36)] {
        let mut stage = form("ldap", size);
        stage.keys("space ctrl-s");
        assert_eq!(stage.place(), "settings:review");
        let frame = stage.frame();
        frame.has(&[
            "ldap.enabled",
            "+ true",
            "[ Back ]",
            "Errors",
            "is required",
        ]);
        stage.keys("S");
        assert!(
            stage.flash().starts_with("cannot save: "),
            "{}",
            stage.flash()
        );
        assert_eq!(stage.writes(), []);
        // Above the buttons stand the errors; the first of them is the hostname.
        stage.keys("right right");
        stage.keys("up up up up up up up up up up");
        stage.keys("home enter");
        assert_eq!(stage.place(), "settings:general");
        stage.types("ci.example.com");
        stage.keys("esc");
        stage.frame().has(&["Hostname"]);
    }
}

#[test]
fn a_save_takes_all_that_was_typed_and_leads_back() {
    let mut stage = form("general", (80, 24));
    stage.types("ci.example.com");
    stage.keys("ctrl-s");
    stage
        .frame()
        .has(&["hostname", "+ ci.example.com", "version 4 → 5, 1 setting"]);
    stage
        .frame()
        .has(&["the services (1 setting)", "Save and restart"]);
    stage.keys("right enter");
    let writes = stage.writes();
    assert_eq!(
        writes[0].command(),
        "roundel settings set hostname ci.example.com && roundel settings save -yes"
    );
    stage.keys("S");
    assert!(
        stage.flash().contains("it is being saved"),
        "{}",
        stage.flash()
    );
    stage.model.settings = settings(&[("hostname", "ci.example.com")]);
    stage.event(Event::Written(
        writes[0].clone(),
        Ok(done("saved as version 5")),
    ));
    assert_eq!(stage.flash(), "saved as version 5");
    assert_eq!(stage.place(), "settings:general");
    stage.change(roundel::api::Topic::Settings);
    stage.frame().lacks(&["changed", "unsaved"]);
}

#[test]
fn a_save_can_restart_what_has_to_be() {
    let mut stage = form("general", (120, 36));
    stage.types("ci.example.com");
    stage.keys("ctrl-s R");
    let writes = stage.writes();
    assert!(matches!(
        &writes[..],
        [Write::Settings(SettingsWrite::Save { restart: true, .. })]
    ));
    let why = Failure::new(Kind::Usage, "the settings have 1 error");
    stage.event(Event::Written(writes[0].clone(), Err(why)));
    stage
        .frame()
        .has(&["✗ not saved: the settings have 1 error"]);
    assert_eq!(stage.place(), "settings:review");
    // What holds once saved has no button for it.
    let mut stage = form("proxy", (120, 36));
    stage.model.settings = settings(&[("hostname", "ci.example.com")]);
    stage.change(roundel::api::Topic::Settings);
    stage.types("http://proxy.example.com:3128");
    stage.keys("ctrl-s");
    stage.frame().has(&["nothing: it holds once saved"]);
    stage.frame().lacks(&["Save and restart"]);
    stage.keys("R");
    assert!(stage.flash().starts_with("nothing has to be restarted"));
}

fn unarmed(stage: &mut Stage, armed: bool) {
    let later = stage.now().plus(std::time::Duration::from_secs(600));
    stage.event(Event::Session(roundel::api::session::Session {
        owner: false,
        armed_until: armed.then_some(later),
        reason: "x".to_owned(),
        who: "uid 1000 (ann)".to_owned(),
        role: roundel::api::tokens::Role::Admin,
        way: None,
        expires_at: None,
    }));
}

#[test]
fn an_unarmed_console_reads_forms_and_can_be_armed_from_there() {
    for size in SIZES {
        let mut stage = Stage::cold(Place::Settings(Page::Group("ldap")), size, Model::told());
        unarmed(&mut stage, false);
        stage.connect();
        stage.slow = false;
        stage.answer();
        let frame = stage.frame();
        frame.has(&["Enable LDAP-only"]);
        if size.1 > 14 {
            frame.has(&["read-only", "dc=example,dc=com"]);
        }
        frame.lacks(&["hunter2"]);
        // Letters are commands here: nothing can be typed.
        stage.keys("j j enter");
        stage.frame().has(&["ldap.example.com"]);
        stage.keys("esc ctrl-t");
        assert!(
            stage.flash().contains(":arm 10m reason"),
            "{}",
            stage.flash()
        );
        stage.pastes("nothing");
        assert!(
            stage.flash().contains("nothing is pasted"),
            "{}",
            stage.flash()
        );
        stage.keys("ctrl-s S");
        assert!(stage.flash().contains("read-only"), "{}", stage.flash());
        stage.keys("D");
        assert!(stage.flash().contains("cannot forget"), "{}", stage.flash());
        assert_eq!(stage.writes(), []);
        stage.keys("esc");
        unarmed(&mut stage, true);
        stage.keys("j");
        assert_eq!(stage.place(), "settings:ldap");
        stage.frame().has(&["ldap.example.comj"]);
        // Its time is over while somebody types: letters still are letters, and nothing is lost.
        unarmed(&mut stage, false);
        stage.keys("q");
        stage.frame().has(&["ldap.example.comjq"]);
        assert!(stage.app.overlay().is_none());
        stage.keys("tab esc");
        assert_eq!(stage.writes(), []);
        unarmed(&mut stage, true);
        stage.wait(10);
        assert_eq!(stage.writes().len(), 1, "staged once it may");
    }
}

#[test]
fn who_is_no_admin_reads_forms() {
    let mut stage = form("general", (80, 24));
    stage.keys("esc");
    stage.event(Event::Session(roundel::api::session::Session {
        owner: true,
        armed_until: None,
        reason: String::new(),
        who: "token ann".to_owned(),
        role: roundel::api::tokens::Role::Viewer,
        way: None,
        expires_at: None,
    }));
    stage.keys("enter x");
    stage.frame().has(&["Settings › General"]);
    stage.keys("esc ctrl-s S");
    assert!(
        stage
            .flash()
            .contains("changed by an admin, and this is a viewer"),
        "{}",
        stage.flash()
    );
}

#[test]
fn a_server_that_is_away_loses_no_letter() {
    let mut stage = form("general", (80, 24));
    stage.types("ci.exa");
    stage.lose("gone");
    stage.types("mple.com");
    stage.frame().has(&["ci.example.com"]);
    stage.keys("tab esc");
    assert_eq!(stage.writes(), []);
    stage.connect();
    stage.wait(10);
    assert_eq!(
        sent(&mut stage),
        ["roundel settings set hostname ci.example.com"]
    );
}

#[test]
fn quitting_stages_what_was_typed_and_says_so() {
    let mut stage = form("general", (80, 24));
    stage.types("ci.example.com");
    stage.keys("ctrl-c");
    stage
        .frame()
        .has(&["Leave the console?", "1 setting is staged"]);
    assert_eq!(
        sent(&mut stage),
        ["roundel settings set hostname ci.example.com"]
    );
}

#[test]
fn members_of_a_family_are_added_and_taken_away() {
    let mut stage = form("overrides", (120, 36));
    stage
        .frame()
        .has(&["Add: variable of a service", "frontend NAME=value"]);
    stage.types("fronted FOO=bar");
    stage
        .frame()
        .has(&["names no service; `frontend FOO` does"]);
    stage.keys("ctrl-u");
    stage.types("frontend FOO=bar");
    stage.frame().has(&["Enter adds it"]);
    stage.keys("enter");
    stage.frame().has(&["frontend FOO", "bar", "changed"]);
    stage.keys("up ctrl-s");
    stage.frame().has(&["override.frontend.FOO", "+ bar"]);
}

#[test]
fn versions_are_listed_and_one_is_brought_back_after_a_question() {
    for size in SIZES {
        let place = Place::Settings(Page::Versions);
        let mut model = Model::told();
        model.settings = settings(&[("hostname", "ci.example.com")]);
        let mut stage = Stage::live(place, size, model);
        stage.frame().has(&["ann"]);
        stage.keys("R");
        assert!(
            stage.flash().contains("what is saved now"),
            "{}",
            stage.flash()
        );
        stage.keys("j R");
        stage.frame().has(&["Bring version 3 back?", "[ Cancel ]"]);
        stage.keys("right enter");
        assert_eq!(sent(&mut stage), ["roundel settings rollback 3 -yes"]);
        stage.keys("enter");
        stage.frame().has(&["bea"]);
    }
}

#[test]
fn what_is_changed_is_forgotten_after_a_question() {
    let mut stage = form("general", (80, 24));
    stage.types("ci.example.com");
    stage.keys("ctrl-s D");
    stage
        .frame()
        .has(&["Forget 1 unsaved change?", "[ Cancel ]"]);
    stage.keys("right enter");
    assert_eq!(sent(&mut stage), ["roundel settings discard"]);
    stage.frame().has(&["Nothing is changed"]);
}

#[test]
fn the_states_of_a_page_that_is_not_there_yet_or_may_not_be_read() {
    let mut stage = Stage::cold(
        Place::Settings(Page::Group("ldap")),
        (80, 24),
        Model::told(),
    );
    stage.connect();
    stage.wait(200);
    stage.frame().has(&["◌ loading"]);
    let mut model = Model::told();
    model.refuses = Some((
        |want| *want == crate::console::action::Want::Settings,
        Failure::new(Kind::Refused, "settings are not for you"),
    ));
    for page in [Page::Groups, Page::Group("ldap"), Page::Review] {
        let stage = Stage::live(Place::Settings(page), (80, 24), model.clone());
        stage.frame().has(&["✗ settings are not for you"]);
    }
}

#[test]
fn the_mouse_chooses_fields_groups_and_buttons() {
    let mut stage = Stage::live(
        Place::Settings(Page::Group("storage")),
        (120, 36),
        Model::empty(),
    );
    let click = |stage: &mut Stage, words: &str| {
        let frame = stage.frame();
        let (x, y) = frame.find(words);
        stage.spots();
        stage.event(Event::Pointer(crate::console::spot::Pointer {
            x,
            y,
            does: crate::console::spot::Does::Click,
        }));
    };
    click(&mut stage, "Folder");
    stage.types("/srv");
    stage.frame().has(&["changed"]);
    click(&mut stage, "General");
    assert_eq!(stage.place(), "settings:general");
    stage.types("ci.example.com");
    stage.keys("ctrl-s");
    click(&mut stage, "Save and restart");
    let writes = stage.writes();
    assert!(
        writes.iter().any(|write| matches!(
            write,
            Write::Settings(SettingsWrite::Save { restart: true, .. })
        )),
        "{writes:?}"
    );
    assert!(!matches!(stage.app.overlay(), Some(Overlay::Dialog(_))));
}
