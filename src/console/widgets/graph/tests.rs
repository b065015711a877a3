//! Graphs as they look.

use super::*;
use crate::console::marks;
use crate::console::theme::{Depth, Theme};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use roundel::api::builds::Status;

fn node(name: &str, requires: &[usize]) -> Node {
    Node {
        name: name.into(),
        mark: marks::status(Status::Success),
        note: "1 s".into(),
        requires: requires.to_vec(),
    }
}

fn picture(nodes: &[Node], width: u16, height: u16, selected: Option<usize>) -> String {
    let theme = Theme::named("mono", Depth::True).unwrap();
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    Graph::new(nodes, height).draw(&mut Pen::new(&mut buffer, &theme), area, selected);
    let lines = (0..height).map(|y| {
        (0..width)
            .map(|x| buffer[(x, y)].symbol())
            .collect::<String>()
            .trim_end()
            .to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn one_after_the_other() {
    let nodes = [
        node("checkout", &[]),
        node("test", &[0]),
        node("deploy", &[1]),
    ];
    let expected = "\
╭────────────╮      ╭────────╮      ╭──────────╮
│ ✓ checkout │─────▶│ ✓ test │─────▶│ ✓ deploy │
│   1 s      │      │   1 s  │      │   1 s    │
╰────────────╯      ╰────────╯      ╰──────────╯";
    assert_eq!(picture(&nodes, 60, 4, None), expected);
}

#[test]
fn fan_out_and_in_share_an_upright() {
    let nodes = [
        node("a", &[]),
        node("b", &[0]),
        node("c", &[0]),
        node("d", &[1, 2]),
    ];
    let expected = "\
│ ✓ a  1 s │──┬──▶│ ✓ b  1 s │──┬──▶│ ✓ d  1 s │
              ╰──▶│ ✓ c  1 s │──╯";
    assert_eq!(picture(&nodes, 70, 2, None), expected);
}

#[test]
fn a_wire_passes_the_columns_between() {
    let nodes = [node("a", &[]), node("b", &[0]), node("c", &[0, 1])];
    let picture = picture(&nodes, 70, 3, None);
    assert!(picture.contains("│ ✓ b  1 s │"), "{picture}");
    assert!(
        picture.lines().nth(1).unwrap().contains("╰──────────────"),
        "{picture}"
    );
}

#[test]
fn a_wide_graph_scrolls_to_what_is_selected() {
    let mut nodes = vec![node("job-0", &[])];
    for i in 1..12 {
        nodes.push(node(&format!("job-{i}"), &[i - 1]));
    }
    let picture = picture(&nodes, 60, 4, Some(9));
    assert!(
        picture.contains("job-9") && !picture.contains("job-1 "),
        "{picture}"
    );
    assert!(picture.contains('←') && picture.contains('→'), "{picture}");
}

#[test]
fn neighbours_are_found_across_and_down() {
    let nodes = [
        node("a", &[]),
        node("b", &[0]),
        node("c", &[0]),
        node("d", &[1, 2]),
    ];
    let graph = Graph::new(&nodes, 20);
    assert_eq!(graph.neighbour(0, 1, 0), Some(1));
    assert_eq!(graph.neighbour(1, 0, 1), Some(2));
    assert_eq!(graph.neighbour(2, 0, 1), None);
    assert_eq!(graph.neighbour(2, 1, 0), Some(3));
    assert_eq!(graph.neighbour(0, -1, 0), None);
}

proptest! {
    #[test]
    fn any_graph_draws_every_box_it_has_room_for(edges in prop::collection::vec((0usize..12, 0usize..12), 0..30)) {
        let mut nodes: Vec<Node> = (0..12).map(|i| node(&format!("n{i:02}"), &[])).collect();
        for (a, b) in edges {
            let (low, high) = (a.min(b), a.max(b));
            if low != high && !nodes[high].requires.contains(&low) {
                nodes[high].requires.push(low);
            }
        }
        let picture = picture(&nodes, 400, 60, None);
        for node in &nodes {
            prop_assert!(picture.contains(&node.name), "{}\n{picture}", node.name);
        }
    }
}

/// Twelve jobs with these requirements, each of an earlier one.
fn any_nodes(edges: Vec<(usize, usize)>) -> Vec<Node> {
    let mut nodes: Vec<Node> = (0..12).map(|i| node(&format!("n{i:02}"), &[])).collect();
    for (a, b) in edges {
        let (low, high) = (a.min(b), a.max(b));
        if low != high && !nodes[high].requires.contains(&low) {
            nodes[high].requires.push(low);
        }
    }
    nodes
}

#[test]
fn a_wide_name_keeps_its_place_when_the_graph_scrolls() {
    let mut nodes = vec![node("語語語語語語", &[])];
    for i in 1..8 {
        nodes.push(node(&format!("構築{i}"), &[i - 1]));
    }
    for width in 30..50 {
        for job in 0..8 {
            let picture = picture(&nodes, width, 4, Some(job));
            // A cell is a character here, also the blank one behind a wide character: frame and sides are in line.
            let rows: Vec<Vec<char>> = picture.lines().map(|row| row.chars().collect()).collect();
            for (x, _) in rows[0].iter().enumerate().filter(|(_, c)| **c == '╮') {
                assert_eq!(rows[1].get(x), Some(&'│'), "{width} {job}\n{picture}");
            }
            let squeezed = picture.replace(' ', "");
            assert!(squeezed.contains(&nodes[job].name), "{picture}");
        }
    }
}

#[test]
fn no_jobs_take_no_room() {
    let graph = Graph::new(&[], 10);
    assert_eq!((graph.height, graph.width), (0, 0));
    assert_eq!(graph.neighbour(0, 1, 0), None);
    assert_eq!(picture(&[], 10, 2, Some(3)).trim(), "");
}

proptest! {
    #[test]
    fn boxes_never_overlap_and_wires_run_forward(
        edges in prop::collection::vec((0usize..12, 0usize..12), 0..30), height in 1u16..80,
    ) {
        let nodes = any_nodes(edges);
        let graph = Graph::new(&nodes, height);
        let mut places = Vec::new();
        for (i, column) in graph.layers.columns.iter().enumerate() {
            let (x, width) = graph.columns[i];
            for (spot, top) in column.iter().zip(&graph.tops[i]) {
                if let Spot::Job(job) = spot {
                    places.push((*job, Rect::new(x, *top, width, graph.form.height())));
                }
            }
        }
        prop_assert_eq!(places.len(), nodes.len(), "each job once");
        for (a, one) in &places {
            prop_assert!(one.right() <= graph.width && one.bottom() <= graph.height);
            for (b, other) in &places {
                prop_assert!(a == b || one.intersection(*other).is_empty(), "{} and {} overlap", a, b);
                if nodes[*b].requires.contains(a) {
                    prop_assert!(one.right() < other.x, "{} stands before {}", a, b);
                }
            }
        }
    }

    #[test]
    fn what_is_selected_is_in_sight_in_any_window(
        edges in prop::collection::vec((0usize..12, 0usize..12), 0..30), job in 0usize..12,
        width in 24u16..90, height in 6u16..30,
    ) {
        let nodes = any_nodes(edges);
        let picture = picture(&nodes, width, height, Some(job));
        prop_assert!(picture.contains(&nodes[job].name), "{}\n{}", nodes[job].name, picture);
    }

    #[test]
    fn whoever_goes_right_and_left_again_is_near_where_he_was(
        edges in prop::collection::vec((0usize..12, 0usize..12), 0..30), job in 0usize..12,
    ) {
        let nodes = any_nodes(edges);
        let graph = Graph::new(&nodes, 60);
        if let Some(right) = graph.neighbour(job, 1, 0) {
            let back = graph.neighbour(right, -1, 0).unwrap();
            let column = |job| graph.layers.find(job).unwrap().0;
            prop_assert_eq!(column(back), column(job));
        }
        for down in [-1, 1] {
            if let Some(other) = graph.neighbour(job, 0, down) {
                prop_assert_eq!(graph.neighbour(other, 0, -down), Some(job));
            }
        }
    }
}
