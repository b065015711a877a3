//! Screens against what nobody expects: names made to break a terminal, numbers at their ends, any size, any keys.

use proptest::prelude::*;
use roundel::api::builds::{LogLine, RunRow, Status};
use roundel::api::fleet::NodeRow;

use super::kit::*;
use crate::console::event::Event;
use crate::console::keymap::Keymap;
use crate::console::place::{JobRef, Place};

/// Names as others may choose them.
fn names() -> Vec<String> {
    [
        "",
        " ",
        "会议室构建部署测试",
        "👩‍👩‍👧‍👦 família",
        "e\u{301}\u{301}\u{301}\u{301}combining",
        "\u{1b}[2J\u{1b}[31mred\u{1b}[0m",
        "\u{1b}]0;title\u{7}after",
        "\u{1b}]52;c;ZXZpbA==\u{7}",
        "\u{9b}31mc1",
        "\u{202e}gnp.exe\u{202c}",
        "zero\u{200b}width\u{feff}",
        "tab\tand\nline\r\nends\0",
        "\u{7f}\u{8}\u{8}\u{8}back",
        "$(reboot) `id` '; rm -rf /",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(["x".repeat(10_000), "語".repeat(5_000)])
    .collect()
}

/// A server on which everything that others name has this name.
fn named(name: &str) -> Model {
    let mut model = Model::busy();
    let run = |run: &mut RunRow| {
        (run.job_name, run.project, run.branch) = (name.into(), name.into(), name.into());
        (run.name, run.cause, run.node) = (name.into(), name.into(), Some(name.into()));
        run.resource_class = Some(name.into());
        if let Some(reason) = &mut run.reason {
            reason.text = name.into();
        }
        if let Some(estimate) = &mut run.estimate {
            estimate.how = name.into();
        }
    };
    model.runs.iter_mut().for_each(run);
    for one in &mut model.pipelines {
        let row = &mut one.row;
        (row.project, row.branch, row.subject) = (name.into(), name.into(), name.into());
        (row.tag, row.actor, row.revision) = (name.into(), name.into(), name.into());
        one.source = name.into();
        for pass in &mut one.workflows {
            pass.name = name.into();
            for (i, job) in pass.jobs.iter_mut().enumerate() {
                job.name = format!("{name}{i}");
                job.executor = name.into();
                job.requires = if i == 0 {
                    Vec::new()
                } else {
                    vec![format!("{name}{}", i - 1)]
                };
                job.runs.iter_mut().for_each(run);
            }
        }
    }
    for (i, node) in model.nodes.iter_mut().enumerate() {
        node.name = format!("{name}{i}");
        (node.class, node.version, node.datacenter) = (name.into(), name.into(), name.into());
        node.executors = vec![name.into()];
        if let Some(drain) = &mut node.drain {
            drain.by = name.into();
        }
    }
    let mut steps = vec![step(0, name, roundel::api::builds::StepStatus::Failed)];
    steps[0].command = name.into();
    let failed = model.pipelines[1].workflows[0].jobs[2].runs[0]
        .attempt
        .clone();
    model.steps.insert(failed.clone(), steps);
    model.logs.insert(
        (failed, Some(0)),
        vec![log_line(0, name), log_line(1, name)],
    );
    model.hello.hostname = name.into();
    model.hello.jobs_run_as = name.into();
    model
}

/// Every screen, by ids that do not depend on names.
fn places(model: &Model) -> [Place; 6] {
    [
        Place::Queue,
        Place::Builds,
        Place::Pipeline(pipeline_id(2)),
        Place::Job(JobRef {
            pipeline: Some(pipeline_id(2)),
            job: Some("job-13".into()),
            run: None,
        }),
        Place::Cluster,
        Place::Node(model.nodes[1].id.clone()),
    ]
}

#[test]
fn no_name_breaks_a_frame() {
    for name in names() {
        let model = named(&name);
        for place in places(&model) {
            for size in [(80, 24), (120, 36)] {
                let mut stage = Stage::live(place.clone(), size, model.clone());
                // The screen itself, what describes its thing, its actions, and the palette over its names.
                let over = ["", "y", "esc x", "esc :", "esc @", "esc j ctrl-g"];
                let over = if size == (80, 24) {
                    &over[..]
                } else {
                    &over[..1]
                };
                for keys in over {
                    stage.keys(keys);
                    let frame = stage.frame();
                    let strange = frame.strange();
                    assert_eq!(
                        strange,
                        Vec::<char>::new(),
                        "{name:.20?} on {place} after `{keys}`\n{}",
                        frame.text()
                    );
                    assert_eq!(frame.lines().len(), usize::from(size.1));
                }
            }
        }
    }
}

#[test]
fn long_names_push_nothing_off_the_screen() {
    for name in ["x".repeat(10_000), "語".repeat(5_000)] {
        let model = named(&name);
        for size in [(80, 24), (120, 36)] {
            let queue = Stage::live(Place::Queue, size, model.clone()).frame();
            queue.has(&["WAITING", "WHY", "10 s", "6 of 6 shown"]);
            let builds = Stage::live(Place::Builds, size, model.clone()).frame();
            builds.has(&["✗ failed", "4/4", "3 of 3 shown"]);
            let cluster = Stage::live(Place::Cluster, size, model.clone()).frame();
            cluster.has(&["● ready", "◐ draining", "✗ down", "3 of 3 shown"]);
        }
    }
}

#[test]
fn numbers_at_their_ends_are_drawn_and_never_overflow() {
    let mut model = Model::busy();
    for huge in [true, false] {
        // Counts of counters that add up stay below what a century could bring.
        let (big, most) = if huge {
            (u32::MAX, 1_000_000_000_000_000)
        } else {
            (0, 0)
        };
        for run in &mut model.runs {
            (run.cpu_millis, run.memory_mb, run.of, run.number) = (big, big, big, i64::from(big));
            run.place = run.place.map(|_| most);
            run.index = big.saturating_sub(1);
            (run.queued_at, run.priority) = (roundel::clock::Timestamp(0), 255);
        }
        for one in &mut model.pipelines {
            let jobs = &mut one.row.jobs;
            (jobs.total, jobs.success, jobs.failed) = (big, big, big);
            (jobs.running, jobs.waiting, jobs.canceled) = (big, big, big);
            one.row.created_at = roundel::clock::Timestamp(0);
            for job in one.workflows.iter_mut().flat_map(|pass| &mut pass.jobs) {
                job.parallelism = big;
            }
        }
        for node in &mut model.nodes {
            *node = NodeRow {
                cpu_total_millis: big,
                cpu_reserved_millis: big,
                cpu_used_millis: big,
                memory_total_mb: big,
                memory_reserved_mb: big,
                memory_used_mb: big,
                runs: big,
                ..node.clone()
            };
        }
        model.summary.waits = waits();
        for bucket in &mut model.summary.waits {
            bucket.runs = most / 8;
        }
        for place in places(&model) {
            for size in SIZES {
                let mut stage = Stage::live(place.clone(), size, model.clone());
                let mut summary = model.counted();
                (summary.waiting, summary.running) = (most / 2, most / 2);
                (summary.nodes.cpu_millis, summary.nodes.cpu_millis_used) = (most, most);
                (summary.nodes.ready, summary.nodes.down) = (big, big);
                stage.event(Event::Summary(Box::new(summary)));
                stage.frame();
                stage.keys("x");
                stage.frame();
                stage.keys("esc q");
                stage.frame();
            }
        }
    }
}

#[test]
fn a_log_line_may_hold_anything() {
    for text in names() {
        for (wrap, full) in [(false, false), (true, false), (true, true), (false, true)] {
            let mut model = Model::busy();
            let attempt = model.pipelines[1].workflows[0].jobs[2].runs[0]
                .attempt
                .clone();
            let line = |n| LogLine {
                cut: if n == 1 { u64::MAX } else { 0 },
                s: u8::try_from(n % 3).unwrap(),
                ..log_line(n, &text)
            };
            model
                .logs
                .insert((attempt, Some(1)), (0..5).map(line).collect());
            let place = places(&model)[3].clone();
            let mut stage = Stage::live(place, (80, 24), model);
            stage.keys(if full { "s" } else { "tab" });
            stage.keys(if wrap { "w" } else { "t" });
            for keys in ["", "right right", "/"] {
                stage.keys(keys);
                assert_eq!(stage.frame().strange(), Vec::<char>::new(), "{text:.20?}");
            }
            stage.types("x");
            stage.keys("enter");
            assert_eq!(stage.frame().strange(), Vec::<char>::new(), "{text:.20?}");
        }
    }
}

#[test]
fn every_size_is_drawn() {
    let widths = [
        1, 3, 10, 19, 20, 21, 40, 59, 60, 61, 79, 80, 99, 100, 101, 150, 200, 300,
    ];
    let heights = [
        1, 2, 3, 4, 5, 8, 14, 15, 16, 17, 18, 19, 20, 24, 29, 30, 31, 36, 60,
    ];
    let model = Model::busy();
    for place in places(&model) {
        let mut stage = Stage::live(place, (80, 24), model.clone());
        for width in widths {
            for height in heights {
                stage.event(Event::Resize(width, height));
                let frame = stage.frame();
                if width < 20 || height < 4 {
                    let said = frame.line(0);
                    let said = said.trim_end_matches('…');
                    assert!("too small".starts_with(said), "{said}");
                }
            }
        }
        stage.event(Event::Resize(120, 36));
        stage.frame().has(&["? help"]);
    }
}

#[test]
fn every_overlay_is_drawn_at_every_size() {
    let model = Model::busy();
    for keys in [":", "?", "x", "y", "g", "S", "/", "q", "@", "P"] {
        let mut stage = Stage::live(Place::Builds, (80, 24), model.clone());
        stage.keys(keys);
        let opened = stage.app.overlay().is_some();
        assert!(opened, "{keys} opens something");
        for width in [1, 19, 20, 21, 30, 40, 60, 80, 120, 200] {
            for height in [1, 3, 4, 5, 6, 8, 10, 15, 24, 36, 60] {
                stage.event(Event::Resize(width, height));
                stage.frame();
            }
        }
    }
}

#[test]
fn a_build_of_very_many_jobs_is_drawn() {
    for (n, wide) in [(300, true), (300, false), (1700, false)] {
        let name = |i: u32| format!("a-job-with-a-long-name-{i:05}");
        let jobs = (0..n).map(|i| {
            let before = if i > 0 { vec![name(i - 1)] } else { Vec::new() };
            let mut one = job(i, &name(i), Status::Success, &[]);
            one.requires = if wide { Vec::new() } else { before };
            one
        });
        let mut model = Model::busy();
        model.pipelines[1].workflows[0].jobs = jobs.collect();
        let mut stage = Stage::live(Place::Pipeline(pipeline_id(2)), (80, 24), model);
        stage.keys("home");
        stage.frame().has(&[&name(0)]);
        stage.keys("G");
        if wide {
            stage.frame().has(&[&name(n - 1)]);
        } else {
            stage.frame();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_bring_it_down(
        place in 0usize..6,
        size in prop::sample::select(vec![(80, 24), (120, 36), (59, 14), (20, 4)]),
        picks in prop::collection::vec((0usize..400, 0u8..10), 1..50),
    ) {
        let keymap = Keymap::standard();
        let bound = keymap.all().iter().flat_map(|section| &section.bindings);
        let names: Vec<&str> = bound.flat_map(|one| &one.keys).map(String::as_str).collect();
        let model = Model::busy();
        let mut stage = Stage::live(places(&model)[place].clone(), size, model);
        for (pick, also) in picks {
            stage.keys(names[pick % names.len()]);
            match also {
                0 => { stage.model.runs.rotate_left(1); stage.change(roundel::api::Topic::Runs); }
                1 => { stage.model.pipelines.pop(); stage.change(roundel::api::Topic::Builds); }
                2 => { stage.model.nodes.rotate_left(1); stage.change(roundel::api::Topic::Nodes); }
                3 => stage.lose("away"),
                4 => stage.connect(),
                5 => stage.event(Event::Paste("語 \u{1b}[31m x".into())),
                _ => stage.wait(500),
            }
            prop_assert!(stage.frame().strange().is_empty());
        }
    }
}
