//! What configs mean: tables of texts with their plans, and of texts with their problems.

use super::*;

/// A revision of branch `main`.
fn main() -> Facts {
    Facts {
        file: "config.yml".to_owned(),
        branch: "main".to_owned(),
        ..Facts::default()
    }
}

fn plan_for(text: &str, facts: &Facts) -> Plan {
    compile(text, facts)
        .unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
        .plan
}

fn plan(text: &str) -> Plan {
    plan_for(text, &main())
}

/// The first job of the first workflow.
fn job(text: &str) -> JobPlan {
    plan(text).workflows.remove(0).jobs.remove(0)
}

fn problems(text: &str) -> Vec<Problem> {
    compile(text, &main())
        .map(|done| done.plan)
        .expect_err("problems")
}

/// `line:column message [key] (hint)` of each.
fn lines(problems: &[Problem]) -> Vec<String> {
    let line = |p: &Problem| {
        let hint = p
            .hint
            .as_deref()
            .map(|hint| format!(" ({hint})"))
            .unwrap_or_default();
        format!("{}:{} {} [{}]{hint}", p.line, p.column, p.message, p.key)
    };
    problems.iter().map(line).collect()
}

/// A config of version 2.1 with one job `build` on a machine.
fn steps(steps: &str) -> String {
    format!("version: 2.1\njobs:\n  build:\n    machine: true\n    steps:\n{steps}")
}

/// A config of version 2.1 with jobs `a` to `d` and one workflow `w` with these entries.
fn workflow(entries: &str) -> String {
    let body = "machine: true\n    steps: [checkout]\n";
    let jobs: String = ["a", "b", "c", "d"]
        .map(|name| format!("  {name}:\n    {body}"))
        .concat();
    format!("version: 2.1\njobs:\n{jobs}workflows:\n  w:\n    jobs:\n{entries}")
}

/// Names of the jobs with what they require: `a b<a`.
fn graph(plan: &Plan) -> String {
    let Some(workflow) = plan.workflows.first() else {
        return String::new();
    };
    let show = |job: &JobPlan| match job.requires.as_slice() {
        [] => job.name.clone(),
        required => format!("{}<{}", job.name, required.join("+")),
    };
    workflow.jobs.iter().map(show).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_approval_stands_in_the_graph_and_is_written_back_as_one() {
    let text = workflow(
        "      - a\n      - hold: {type: approval, requires: [a]}\n      - b: {requires: [hold]}\n",
    );
    let facts = Facts {
        branch: "main".to_owned(),
        ..Facts::default()
    };
    let plan = compile(&text, &facts).unwrap().plan;
    assert_eq!(graph(&plan), "a hold<a b<hold");
    let approvals: Vec<bool> = plan.workflows[0]
        .jobs
        .iter()
        .map(JobPlan::is_approval)
        .collect();
    assert_eq!(approvals, [false, true, false]);
    assert_eq!(plan.workflows[0].jobs[1].steps, []);
    let done = process(&text, &facts).unwrap();
    assert!(done.contains("type: approval"), "{done}");
    assert_eq!(compile(&done, &facts).unwrap().plan, plan);
}

#[test]
fn a_whole_job_is_read() {
    let text = r#"
version: 2.1
jobs:
  build:
    docker:
      - image: cimg/go:1.17
        environment: {PGHOST: localhost}
      - image: postgres:9.6
        name: db
        command: postgres -c 'a b'
        entrypoint: [sh, -c]
        user: root
    resource_class: medium+
    working_directory: ~/code
    shell: /bin/bash -e
    parallelism: 3
    environment:
      - A=1=2
      - B: yes
        C:
    steps:
      - checkout
      - checkout: {path: sub, name: Get it}
      - run: echo hi
      - run:
          name: Test
          command: |
            a
            b
          shell: sh
          environment: {X: 3.10, Y: 012}
          working_directory: sub
          background: true
          no_output_timeout: 1.5h
          when: always
"#;
    let job = job(text);
    assert_eq!(
        (job.cpu_millis, job.memory_mb, job.parallelism),
        (3000, 6144, 3)
    );
    assert_eq!(job.resource_class.as_deref(), Some("medium+"));
    assert_eq!(
        (job.working_directory.as_str(), job.shell.as_deref()),
        ("~/code", Some("/bin/bash -e"))
    );
    let pairs = |list: &[(String, String)]| {
        list.iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(pairs(&job.environment), "A=1=2 B=yes C=");
    let Executor::Docker { containers } = &job.executor else {
        panic!("{:?}", job.executor)
    };
    assert_eq!(containers[0].environment["PGHOST"], "localhost");
    assert_eq!(containers[1].command, ["postgres", "-c", "a b"]);
    assert_eq!(containers[1].entrypoint, ["sh", "-c"]);
    assert_eq!(
        (containers[1].name.as_deref(), containers[1].user.as_deref()),
        (Some("db"), Some("root"))
    );
    let names: Vec<&str> = job.steps.iter().map(Step::name).collect();
    assert_eq!(names, ["Checkout code", "Get it", "echo hi", "Test"]);
    let Step::Run(run) = &job.steps[3] else {
        panic!()
    };
    assert_eq!(
        (run.command.as_str(), run.shell.as_deref()),
        ("a\nb\n", Some("sh"))
    );
    assert_eq!(pairs(&run.environment), "X=3.10 Y=012");
    assert_eq!(
        (run.background, run.no_output_timeout_s, run.when),
        (true, 5400, plan::When::Always)
    );
    assert_eq!(run.working_directory.as_deref(), Some("sub"));
}

#[test]
fn executors_have_their_kinds_and_default_sizes() {
    let machine = |image: Option<&str>| Executor::Machine {
        image: image.map(str::to_owned),
    };
    let cases = [
        ("machine: true", machine(None), (2000, 7680)),
        ("machine: {enabled: true}", machine(None), (2000, 7680)),
        (
            "machine: ubuntu-2004:202107-02",
            machine(Some("ubuntu-2004:202107-02")),
            (2000, 7680),
        ),
        (
            "machine: {image: u, resource_class: large}",
            machine(Some("u")),
            (4000, 15_360),
        ),
        (
            "machine: {image: u}\n    resource_class: xlarge",
            machine(Some("u")),
            (8000, 32_768),
        ),
        (
            "macos: {xcode: 11.3}",
            Executor::Other {
                name: "macos".to_owned(),
            },
            (4000, 8192),
        ),
    ];
    for (executor, expected, size) in cases {
        let job = job(&format!(
            "version: 2\njobs:\n  build:\n    {executor}\n    steps: [checkout]\n"
        ));
        assert_eq!(
            (job.executor, (job.cpu_millis, job.memory_mb)),
            (expected, size),
            "{executor}"
        );
    }
    let macos = steps("      - checkout").replace("machine: true", "macos: {xcode: 11}");
    let warnings = compile(&macos, &main()).unwrap().warnings;
    assert_eq!(
        lines(&warnings),
        ["4:5 no node here offers the executor macos [jobs.build.macos]"]
    );
}

#[test]
fn without_an_engine_a_docker_job_runs_on_the_host_and_says_so() {
    let text = "
version: 2
jobs:
  build:
    docker:
      - {image: rust, environment: {A: container, B: container}}
      - image: redis
    environment: {A: job}
    steps: [checkout]
";
    let job = plan_for(
        text,
        &Facts {
            no_engine: true,
            ..main()
        },
    )
    .workflows[0]
        .jobs[0]
        .clone();
    assert_eq!(job.executor, Executor::Machine { image: None });
    assert_eq!((job.cpu_millis, job.memory_mb), (2000, 4096));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(job.environment, [pair("B", "container"), pair("A", "job")]);
    assert_eq!(
        job.notes,
        [
            "docker image rust was not used: this job runs on the host (--no-engine)",
            "docker image redis was not started (--no-engine)",
        ]
    );
    assert!(plan(text).workflows[0].jobs[0].notes.is_empty());
}

#[test]
fn graphs_are_ordered_and_named() {
    let cases = [
        ("      - a\n      - b: {requires: [a]}", "a b<a"),
        ("      - b: {requires: [a]}\n      - a", "a b<a"),
        (
            "      - d: {requires: [b, c, b]}\n      - c: {requires: a}\n      - b: {requires: [a]}\n      - a",
            "a c<a b<a d<b+c",
        ),
        (
            "      - a: {name: one}\n      - a: {name: two, requires: [one]}",
            "one two<one",
        ),
        (
            "      - a\n      - a\n      - b: {requires: [a-1, a-2]}",
            "a-1 a-2 b<a-1+a-2",
        ),
        ("      - a: {name: x}\n      - b: {requires: [a]}", "x b<x"),
        ("      - a\n      - a: {requires: [a]}", "a-1 a-2<a-1"),
        ("      - a: {name: b}\n      - b", "b b-1"),
        ("      - a:\n      - b: {requires: }", "a b"),
    ];
    for (entries, expected) in cases {
        assert_eq!(graph(&plan(&workflow(entries))), expected, "{entries}");
    }
    let twice = workflow("      - a\n      - a\n").replace("2.1", "2");
    assert_eq!(graph(&plan(&twice)), "a");
}

#[test]
fn filters_drop_jobs_and_what_depends_on_them_alone() {
    let only = |branch: &str| format!("filters: {{branches: {{only: {branch}}}}}");
    let tags = "filters: {tags: {only: /v.*/}}";
    let chain = format!(
        "      - a: {{{}}}\n      - b: {{requires: [a]}}\n      - c\n      - d: {{requires: [b, c]}}",
        only("dev")
    );
    let tagged = format!(
        "      - a: {{{tags}}}\n      - b: {{requires: [a], {tags}}}\n      - c: {{requires: [a]}}"
    );
    let cases = [
        (chain.as_str(), "main", "", "c d<c"),
        (chain.as_str(), "dev", "", "a b<a c d<b+c"),
        (chain.as_str(), "", "v1", ""),
        (tagged.as_str(), "", "v1", "a b<a"),
        (tagged.as_str(), "", "1.0", ""),
        (tagged.as_str(), "main", "", "a b<a c<a"),
    ];
    for (entries, branch, tag, expected) in cases {
        let facts = Facts {
            branch: branch.to_owned(),
            tag: tag.to_owned(),
            ..Facts::default()
        };
        assert_eq!(
            graph(&plan_for(&workflow(entries), &facts)),
            expected,
            "{branch} {tag}: {entries}"
        );
    }
}

#[test]
fn without_workflows_the_job_build_runs_alone() {
    let text = "version: 2\njobs:\n  build: {machine: true, steps: [checkout], branches: {only: dev, ignore: main}}\n";
    assert!(plan(text).workflows.is_empty());
    let dev = plan_for(
        text,
        &Facts {
            branch: "x".to_owned(),
            ..Facts::default()
        },
    );
    assert_eq!(
        (dev.workflows[0].name.as_str(), graph(&dev).as_str()),
        ("build", "build")
    );
    assert_eq!(
        plan(&steps("      - checkout")).workflows[0].name,
        "workflow"
    );
    assert_eq!(
        lines(&problems(
            "version: 2\njobs:\n  test: {machine: true, steps: [checkout]}\n"
        )),
        [
            "2:1 there are no `workflows`, and no job named `build` to run without them [jobs] \
          (add `workflows`, or name one job `build`)"
        ]
    );
}

#[test]
fn one_job_can_be_asked_for() {
    let text = workflow(
        "      - a: {context: x}\n      - b: {requires: [a], name: deploy}\n      - c: {requires: [a]}\n",
    );
    let only = |name: &str| Facts {
        only_job: Some(name.to_owned()),
        ..Facts::default()
    };
    for name in ["c", "d", "deploy"] {
        let plan = plan_for(&text, &only(name));
        assert_eq!(
            (plan.workflows[0].name.as_str(), graph(&plan).as_str()),
            (name, name)
        );
    }
    let problems = compile(&text, &only("deplyo"))
        .map(|done| done.plan)
        .unwrap_err();
    assert_eq!(
        problems[0].message,
        "there is no job `deplyo` in this config"
    );
    assert!(
        !compile(&text, &main())
            .map(|done| done.plan)
            .unwrap_err()
            .is_empty()
    );
}

#[test]
fn what_is_not_run_yet_says_so_with_its_place() {
    let not_yet = "is known to CircleCI, but Roundel does not run it yet";
    let cases = [
        (
            steps("      - save_cache: {key: k, paths: [p]}"),
            "6:9",
            "`save_cache`",
        ),
        (
            steps("      - setup_remote_docker"),
            "6:9",
            "`setup_remote_docker`",
        ),
        (
            steps("      - when: {condition: true, steps: []}"),
            "6:9",
            "`when`",
        ),
        (
            steps("      - node/install"),
            "6:9",
            "orb command `node/install`",
        ),
        (
            steps("      - run: {command: x, max_auto_reruns: 2}"),
            "6:27",
            "`max_auto_reruns`",
        ),
        (
            steps("      - run: echo << parameters.x >>"),
            "6:14",
            "`<< parameters.x >>`",
        ),
        (
            steps("      - checkout\n    context: c").replace("context", "executor"),
            "7:5",
            "`executor`",
        ),
        (steps("      - checkout\norbs: {a: b/c@1}"), "7:1", "`orbs`"),
        (
            steps("      - checkout\ncommands: {x: {steps: []}}"),
            "7:1",
            "`commands`",
        ),
        (workflow("      - a: {context: x}"), "18:13", "`context`"),
        (
            workflow("      - hold: {type: release}"),
            "18:16",
            "`type` other than `approval`",
        ),
        (
            workflow("      - node/test: {version: 1}"),
            "18:9",
            "orb job `node/test`",
        ),
        (
            workflow("      - a\n      - b: {requires: [a: failed]}"),
            "19:24",
            "a requirement with statuses",
        ),
        (
            workflow("      - a: {matrix: {parameters: {x: [1]}}}"),
            "18:13",
            "`matrix`",
        ),
        (
            workflow("      - a\n    triggers: []"),
            "19:5",
            "`triggers`",
        ),
        (
            workflow("      - a: {filters: pipeline.number > 3}"),
            "18:22",
            "an expression as `filters`",
        ),
    ];
    for (text, place, what) in cases {
        let found = lines(&problems(&text));
        let [only] = found.as_slice() else {
            panic!("{text}\n{found:#?}")
        };
        assert!(
            only.starts_with(&format!("{place} {what} {not_yet}")),
            "{only}"
        );
    }
}

#[test]
fn mistakes_have_a_place_a_key_and_a_hint() {
    let cases = [
        (
            "version: 2\njobs:\n  build: {<<: &x {machine: true}, steps: [checkout, []]}",
            "3:53 a step is a name or a map, not a list [jobs.build.steps[1]]",
        ),
        (
            "version: 2\njobs:\n  go1.9: 3\nworkflows: {w: {jobs: [go1.9]}}",
            "3:10 `go1.9` must be a map, not a number [jobs.go1.9]",
        ),
        (
            "version: 3\njobs: {build: {machine: true, steps: [checkout]}}",
            "1:10 version `3` is not one of 2, 2.0 and 2.1 [version]",
        ),
        (
            &steps("      - chekout"),
            "6:9 unknown step `chekout` [jobs.build.steps[0]] (did you mean `checkout`?)",
        ),
        (
            &steps("      - run:\n        name: x\n        command: y"),
            "6:9 a step has one key, this one has `run`, `name`, `command` [jobs.build.steps[0]] \
             (indent what belongs to `run` deeper than `run`)",
        ),
        (
            &steps("      - run: {name: x}"),
            "6:9 `run` needs the key `command` [jobs.build.steps[0].run]",
        ),
        (
            &steps("      - run: {comand: x, command: y}"),
            "6:15 unknown key `comand` in a `run` step [jobs.build.steps[0].run.comand] (did you mean `command`?)",
        ),
        (
            &steps("      - run: {command: y, no_output_timeout: 20}"),
            "6:46 `20` is no span of time [jobs.build.steps[0].run.no_output_timeout] \
             (write a number with `s`, `m` or `h`, as `20m`; a week is the most)",
        ),
        (
            &steps("      - run: {command: y, when: never}"),
            "6:33 `never` does not say when a step runs [jobs.build.steps[0].run.when] \
             (write `always`, `on_success` or `on_fail`)",
        ),
        (
            &steps("      - run: {command: y, background: \"true\"}"),
            "6:39 `background` must be a boolean (`true` or `false`), not a string [jobs.build.steps[0].run.background]",
        ),
        (
            &steps("      - checkout\n    parallelism: 0"),
            "7:18 `parallelism` must be a whole number from 1 to 256, not 0 [jobs.build.parallelism]",
        ),
        (
            &steps("      - checkout\n    resource_class: lareg"),
            "7:21 unknown resource class `lareg` [jobs.build.resource_class] (did you mean `large`?)",
        ),
        (
            &steps("      - checkout\n    requires: [x]"),
            "7:5 unknown key `requires` in a job [jobs.build.requires] \
             (`requires` is a key of a job's entry in a workflow; check the indentation)",
        ),
        (
            &steps("      []"),
            "5:5 the job has no steps [jobs.build.steps]",
        ),
        (
            &steps("      - run: cat <<EOF"),
            "6:14 `<<` begins a reference in version 2.1, and this one is none [jobs.build.steps[0].run] \
             (write `\\<<` for a literal `<<`, as in `cat \\<<EOF`)",
        ),
        (
            "version: 2.1\njobs:\n  build:\n    gcloud: {image: x}\n    steps: [checkout]",
            "4:5 `gcloud` is not a supported executor type [jobs.build.gcloud] \
             (the supported ones are `docker`, `machine`, `macos`)",
        ),
        (
            "version: 2\njobs:\n  build:\n    steps: [checkout]",
            "3:3 the job names no executor [jobs.build] (give it one of `docker`, `machine`, `macos`)",
        ),
        (
            "version: 2\njobs:\n  build:\n    machine: true\n    docker: [{image: x}]\n    steps: [checkout]",
            "4:5 a job has one executor, this one names several [jobs.build.machine]",
        ),
        (
            &workflow(
                "      - a: {requires: [c]}\n      - b: {requires: [a]}\n      - c: {requires: [b]}",
            ),
            "18:24 jobs require each other in a circle: a -> c -> b -> a [workflows.w.jobs[0].a.requires[0]] \
             (take one of these requirements out)",
        ),
        (
            &workflow("      - a: {requires: [a]}"),
            "18:24 job `a` requires itself [workflows.w.jobs[0].a.requires[0]]",
        ),
        (
            &workflow("      - a: {name: build}\n      - b: {requires: [biuld]}"),
            "19:24 job `b` requires `biuld`, which is not part of workflow `w` [workflows.w.jobs[1].b.requires[0]] \
             (did you mean `build`?)",
        ),
        (
            &workflow("      - a\n      - a\n      - a: {requires: [a]}"),
            "20:24 `a` is the name of 2 other jobs of workflow `w` [workflows.w.jobs[2].a.requires[0]] \
             (give each a `name` of its own and require that)",
        ),
        (
            &workflow("      - e"),
            "18:9 there is no job `e` under `jobs` [workflows.w.jobs[0]]",
        ),
        (
            &workflow("      - a: {name: x}\n      - b: {name: x}"),
            "19:9 two jobs of the workflow are named `x` [workflows.w.jobs[1].b]",
        ),
        (
            &workflow("      - a: {filters: {branches: {only: /(/}}}"),
            "18:40 pattern `/(/` is no regular expression: unclosed group [workflows.w.jobs[0].a.filters.branches.only]",
        ),
        (
            &workflow("      - a: {branches: {only: x}}"),
            "18:13 unknown key `branches` in a job's entry in a workflow [workflows.w.jobs[0].a.branches] \
             (`branches` is a key of a job; check the indentation)",
        ),
        ("[]", "1:1 a config must be a map, not a list []"),
        (
            "version: 2.1\njobs:\n  workflows: {}\n",
            "2:1 there are no `workflows`, and no job named `build` to run without them \
          [jobs] (`workflows` stands under `jobs`: move it to the left margin)",
        ),
    ];
    for (text, expected) in cases {
        let found = lines(&problems(text));
        assert!(
            found.iter().any(|line| line.starts_with(expected)),
            "{text}\nexpected {expected}\nfound {found:#?}"
        );
        assert_eq!(found.len(), 1, "{text}\n{found:#?}");
    }
}

#[test]
fn all_errors_come_at_once_in_the_order_of_the_file() {
    let text = "
version: 2.1
jobs:
  build:
    machine: true
    steps:
      - chekout
      - save_cache: {key: x}
      - run: {comand: x}
workflows:
  w:
    jobs: [build, biuld]
";
    let found = problems(text);
    let places: Vec<u32> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(places, [7, 8, 9, 9, 12], "{found:#?}");
    assert!(
        found
            .iter()
            .all(|problem| problem.file == "config.yml" && problem.end_line >= problem.line)
    );
}

#[test]
fn version_2_warns_where_2_1_refuses() {
    let cases = [
        steps("      - checkout\n    stepz: 1"),
        steps("      - run: {command: x, comand: y}"),
        steps("      - checkout\n    machine: true"),
        steps("      - checkout\n  other: []"),
    ];
    for text in cases {
        assert_eq!(problems(&text).len(), 1, "{text}");
        let done = compile(&text.replace("2.1", "2"), &main()).unwrap();
        assert_eq!(done.warnings.len(), 1, "{text}");
        assert!(
            done.warnings
                .iter()
                .all(|warning| warning.severity == Severity::Warning && warning.line > 0)
        );
    }
    let anchors = steps("      - checkout\norbs: {x: y}").replace("2.1", "2.0");
    assert!(
        compile(&anchors, &main()).unwrap().warnings[0]
            .message
            .contains("needs `version: 2.1`")
    );
    let heredoc = steps("      - run: cat <<EOF").replace("2.1", "2");
    assert_eq!(job(&heredoc).steps[0].name(), "cat <<EOF");
}

#[test]
fn jobs_that_nothing_uses_and_keys_that_nobody_reads_stop_nothing() {
    let unused = "      - a\nx-parked: {orbs: << nothing >>, steps: 3}\n";
    let text = workflow(unused).replace(
        "  d:\n    machine: true\n    steps: [checkout]",
        "  d:\n    executor: x\n    steps: [slack/notify, save_cache: << parameters.k >>]",
    );
    assert_eq!(graph(&plan(&text)), "a");
    let done = compile(&text, &main()).unwrap();
    assert!(done.warnings.is_empty(), "{:?}", done.warnings);
}

#[test]
fn a_fault_in_an_anchored_map_shows_once_where_it_is_written() {
    let text = "version: 2.1\nx: &x {machine: true, steps: [nope]}\njobs: {a: *x, b: *x, build: {<<: *x}}\nworkflows: {w: {jobs: [a, b]}}\n";
    let found = problems(text);
    assert_eq!(
        lines(&found),
        ["2:31 unknown step `nope` [jobs.a.steps[0]]"]
    );
}

#[test]
fn plans_and_problems_are_bounded() {
    let long = format!("      - run: {}\n", "x".repeat(60_000)).repeat(10);
    let entries: String = (0..200)
        .map(|at| format!("      - a: {{name: n{at}}}\n"))
        .collect();
    let text =
        workflow(&entries).replacen("    steps: [checkout]\n", &format!("    steps:\n{long}"), 1);
    let found = problems(&text);
    assert!(
        found[0].message.contains("grow beyond 200000 nodes"),
        "{:?}",
        found[0]
    );

    let entries: String = (0..40)
        .map(|at| format!("      - a: {{name: n{at}}}\n"))
        .collect();
    let text = workflow(&entries).replacen("true", "true\n    parallelism: 256", 1);
    assert!(problems(&text)[0].message.contains("more than 10000 runs"));

    let wrong = steps(&"      - nope\n".repeat(5000));
    let found = problems(&wrong);
    assert_eq!(found.len(), 201);
    assert_eq!(found[200].message, "4800 further problems are not shown");
}

#[test]
fn the_processed_document_is_plain_and_means_the_same() {
    let text = "
version: 2.1
x: &env {A: \"1\", B: yes}
jobs:
  build:
    docker: [{image: a, command: x 'y z'}]
    environment: {<<: *env, C: \"x: y\"}
    steps:
      - checkout
      - run: cat \\<<EOF
      - run: {name: n, command: \"a\\nb\\n\", background: on, when: on_fail, no_output_timeout: 2m}
workflows:
  main:
    jobs:
      - build
      - build: {name: again, requires: [build], filters: {branches: {only: [/x|y/, main]}, tags: {ignore: v1}}}
  other:
    jobs: [build]
";
    let expected = r#"version: 2
jobs:
  build:
    docker:
      - image: a
        command:
          - x
          - y z
    working_directory: ~/project
    environment:
      A: "1"
      B: "yes"
      C: "x: y"
    steps:
      - checkout
      - run:
          command: cat <<EOF
      - run:
          name: "n"
          command: |
            a
            b
          background: true
          no_output_timeout: 120s
          when: on_fail
  again:
"#;
    let done = process(text, &main()).unwrap();
    assert!(done.starts_with(expected), "{done}");
    let workflows = "workflows:
  version: 2
  main:
    jobs:
      - build
      - again:
          requires:
            - build
          filters:
            branches:
              only:
                - /x|y/
                - main
            tags:
              ignore:
                - v1
  other:
    jobs:
      - build
";
    assert!(done.ends_with(workflows), "{done}");
    assert_eq!(plan(&done), plan(text));
    assert_eq!(process(&done, &main()).unwrap(), done);
}

#[test]
fn jobs_of_one_name_in_two_workflows_keep_it() {
    let text = workflow("      - a: {name: test}\n  v:\n    jobs:\n      - b: {name: test}\n")
        .replace(
            "  b:\n    machine: true",
            "  b:\n    machine: {image: other}",
        );
    let done = process(&text, &main()).unwrap();
    assert!(done.contains("test-2:\n          name: test"), "{done}");
    assert_eq!(plan(&done), plan(&text));
}

#[test]
fn an_account_and_a_class_of_the_installations_own_reach_the_plan_and_the_document() {
    let text = "version: 2.1\njobs:\n  a:\n    docker: [{image: x, auth: {username: ann, password: $SECRET}}]\n    \
                resource_class: tiny\n    steps: [checkout]\nworkflows: {w: {jobs: [a]}}\n";
    let size = Size {
        cpu_millis: 500,
        memory_mb: 64,
    };
    let facts = Facts {
        classes: Classes::from([("tiny".to_owned(), size)]),
        ..Facts::default()
    };
    let plan = compile(text, &facts).unwrap().plan;
    let job = &plan.workflows[0].jobs[0];
    assert_eq!((job.cpu_millis, job.memory_mb), (500, 64));
    let Executor::Docker { containers } = &job.executor else {
        panic!("{job:?}");
    };
    let account = Auth {
        username: "ann".to_owned(),
        password: "$SECRET".to_owned(),
    };
    assert_eq!(containers[0].auth, Some(account));
    let document = process(text, &facts).unwrap();
    assert_eq!(compile(&document, &facts).unwrap().plan, plan);

    let problems = compile(&text.replace("tiny", "tinny"), &facts).unwrap_err();
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `tiny`?"));
    let problems = compile(&text.replace(", password: $SECRET", ""), &facts).unwrap_err();
    assert!(
        problems[0]
            .to_string()
            .contains("`auth` needs the key `password`"),
        "{problems:?}"
    );
}
