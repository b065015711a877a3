//! What the command line offers, in which order, and what a key does to it.

use super::*;
use crate::console::tests::kit::node;
use roundel::api::{ListQuery, Page};

fn palette(typed: &str) -> Palette {
    let all = vec![
        Candidate::new("queue", "tab 2"),
        Candidate::new("cluster", "tab 4"),
        Candidate::open("drain", "a node"),
        Candidate::new("node n07", "a node, draining"),
    ];
    let mut palette = Palette::new(all, vec!["queue".into(), "node n01".into()]);
    palette.insert(typed);
    palette
}

#[test]
fn what_was_typed_wins_when_it_is_understood() {
    assert_eq!(
        palette("queue").take(),
        vec![Effect::Close, Effect::Command("queue".into())]
    );
    assert_eq!(
        palette("node n01").take(),
        vec![Effect::Close, Effect::Command("node n01".into())]
    );
}

#[test]
fn a_beginning_takes_the_best_match() {
    assert_eq!(
        palette("clu").take(),
        vec![Effect::Close, Effect::Command("cluster".into())]
    );
    assert_eq!(
        palette("n07").take(),
        vec![Effect::Close, Effect::Command("node n07".into())]
    );
}

#[test]
fn an_open_one_waits_for_its_word() {
    let mut palette = palette("dr");
    assert_eq!(palette.take(), vec![]);
    assert_eq!(palette.input.text(), "drain ");
}

#[test]
fn up_leads_into_the_lines_of_before_and_down_back() {
    let mut palette = palette("");
    for (cmd, line) in [
        (Cmd::Up, "node n01"),
        (Cmd::Up, "queue"),
        (Cmd::Down, "node n01"),
        (Cmd::Down, ""),
    ] {
        assert_eq!(palette.command(cmd), vec![]);
        assert_eq!(palette.input.text(), line);
    }
    palette.command(Cmd::Down);
    assert!(palette.chosen, "then it chooses among what is listed");
}

#[test]
fn an_answer_does_not_move_what_was_chosen() {
    let mut palette = palette("n0");
    let due = palette.need();
    assert_eq!(due.len(), 3, "{due:?}");
    assert_eq!(palette.need(), vec![], "asked once");
    palette.command(Cmd::Down);
    palette.command(Cmd::Down);
    let chosen = palette.current().unwrap().text.clone();
    let Action::Fetch(slot, want) = &due[0] else {
        panic!("a question")
    };
    let nodes = (1..=4).map(node).collect::<Vec<_>>();
    let page = Page {
        total: 4,
        offset: 0,
        seq: 1,
        rows: nodes,
    };
    let older = Want::Nodes(ListQuery::default());
    palette.accept(*slot, &older, Some(&Answer::Nodes(page.clone())));
    assert_eq!(palette.matches.len(), 1, "an answer to another question");
    palette.accept(*slot, want, Some(&Answer::Nodes(page)));
    assert_eq!(palette.matches.len(), 5);
    assert_eq!(palette.current().unwrap().text, chosen);
}

#[test]
fn it_asks_for_what_the_word_before_can_be_followed_by() {
    for (typed, asks) in [
        ("", &[][..]),
        ("a", &[]),
        ("api", &["Nodes api", "Pipelines api", "Runs api"]),
        ("node ", &[]),
        ("node 0", &["Nodes 0"]),
        ("drain n0", &["Nodes n0"]),
        ("project org", &["Pipelines org"]),
        ("pipeline api #2", &["Pipelines api #2"]),
        ("run test", &["Runs test"]),
        ("build /srv/app", &[]),
        ("theme dark", &[]),
        ("!api", &[]),
    ] {
        let due = palette(typed)
            .need()
            .into_iter()
            .map(|action| match action {
                Action::Fetch(_, Want::Nodes(q)) => format!("Nodes {}", q.filter),
                Action::Fetch(_, Want::Pipelines(q)) => format!("Pipelines {}", q.filter),
                Action::Fetch(_, Want::Runs(q)) => format!("Runs {}", q.filter),
                other => panic!("{other:?}"),
            });
        assert_eq!(due.collect::<Vec<_>>(), asks, "{typed}");
    }
}

#[test]
fn prefixes_come_before_scattered_letters() {
    let scores = ["drain", "n07 drains", "doctor"].map(|text| score(text, "dr").unwrap().0);
    assert!(scores[0] < scores[1] && scores[1] < scores[2], "{scores:?}");
    assert_eq!(score("queue", "xyz"), None);
}
