//! Jobs in containers, in a real engine: the private one that `tests/run` starts.

use std::fs;
use std::path::PathBuf;

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};
use roundel::containers::{self, LABEL_DATA};
use serde_json::Value;

use crate::skip::skip;
use crate::support::{Home, Said, until};

/// The engine's socket; without one the running test is skipped.
pub fn engine() -> Option<PathBuf> {
    let socket = std::env::var_os("ROUNDEL_TEST_ENGINE").map(PathBuf::from);
    if socket.is_none() {
        let why = std::env::var("ROUNDEL_TEST_ENGINE_NEEDS");
        skip(&format!(
            "needs {}",
            why.as_deref()
                .unwrap_or("a container engine: tests/run starts one")
        ));
    }
    socket
}

/// A home whose server uses the engine, with a class too small for anything but a shell.
pub fn home(engine: &PathBuf) -> Home {
    let home = Home::new();
    std::os::unix::fs::symlink(engine, home.path("engine.sock")).unwrap();
    fs::create_dir_all(home.path("config/roundel")).unwrap();
    let text = "[classes.tiny]\ncpu = 0.5\nmemory = \"64MB\"\n";
    fs::write(home.path("config/roundel/config.toml"), text).unwrap();
    home
}

fn build(home: &Home, config: &str) -> Said {
    home.repository("web", config);
    home.run(&["build", "web"])
}

/// Names of what this home's server has in the engine: containers, networks, and how many volumes there are that no
/// container uses.
fn left(home: &Home, engine: &PathBuf) -> Vec<String> {
    let hello: Value = home.json(&["status", "-json"]);
    assert!(hello["rows"].is_array(), "{hello}");
    in_engine(engine, async |api| {
        let mut names = containers_of(home, &api).await;
        let label = vec![format!("{LABEL_DATA}={}", data_id(home))];
        let filters = std::collections::HashMap::from([("label", label)]);
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let networks = api.list_networks(Some(options)).await.unwrap();
        names.extend(networks.into_iter().filter_map(|found| found.name));
        names
    })
}

fn in_engine<T>(engine: &PathBuf, work: impl AsyncFnOnce(bollard::Docker) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let found = containers::find(std::slice::from_ref(engine))
            .await
            .unwrap();
        work(found.api).await
    })
}

/// Whether the engine calls itself Podman, asked for by other means than the server's.
fn is_podman(engine: &PathBuf) -> bool {
    in_engine(engine, async |api| {
        let version = api.version().await.unwrap();
        let mut parts = version.components.into_iter().flatten();
        parts.any(|part| part.name == "Podman Engine")
    })
}

/// Ids of the containers of this home's server.
async fn containers_of(home: &Home, api: &bollard::Docker) -> Vec<String> {
    let label = vec![format!("{LABEL_DATA}={}", data_id(home))];
    let filters = std::collections::HashMap::from([("label", label)]);
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    let containers = api.list_containers(Some(options)).await.unwrap();
    containers
        .into_iter()
        .filter_map(|found| found.id)
        .collect()
}

/// All that the engine tells of the containers of this home's server, and of what runs in them.
pub fn inspected(home: &Home, engine: &PathBuf) -> String {
    in_engine(engine, async |api| {
        let mut told = String::new();
        for id in containers_of(home, &api).await {
            let found = api.inspect_container(&id, None).await.unwrap();
            told.push_str(&serde_json::to_string(&found).unwrap());
            for exec in found.exec_ids.into_iter().flatten() {
                let found = api.inspect_exec(&exec).await.unwrap();
                told.push_str(&serde_json::to_string(&found).unwrap());
            }
        }
        told
    })
}

/// Runs a line of shell in each of them.
pub fn run_in_each(home: &Home, engine: &PathBuf, line: &str) {
    in_engine(engine, async |api| {
        for id in containers_of(home, &api).await {
            let config = bollard::models::ExecConfig {
                cmd: Some(["/bin/sh", "-c", line].map(str::to_owned).to_vec()),
                ..Default::default()
            };
            let exec = api.create_exec(&id, config).await.unwrap();
            let options = bollard::exec::StartExecOptions {
                detach: true,
                ..Default::default()
            };
            api.start_exec(&exec.id, Some(options)).await.unwrap();
        }
    });
}

fn data_id(home: &Home) -> String {
    let database = rusqlite::Connection::open(home.data().join("roundel.db")).unwrap();
    database
        .query_row("SELECT value FROM meta WHERE key = 'data_id'", (), |row| {
            row.get(0)
        })
        .unwrap()
}

fn run_of(home: &Home) -> Value {
    let said = home.run(&["status", "-json"]).with_code(0);
    let page: Value = serde_json::from_str(&said.out).unwrap();
    page["rows"][0].clone()
}

const SERVICES: &str = r#"version: 2.1
jobs:
  job:
    docker:
      - image: roundel-test:1
        user: builder
        environment: {OF_IMAGE: yes, CI: container, BOTH: container}
      - image: roundel-test:1
        name: db
        entrypoint: [/bin/sh, -c]
        command: ["while :; do echo named | nc -l -p 5432; done"]
      - image: roundel-test:1
        command: [/bin/sh, -c, "while :; do echo unnamed | nc -l -p 6379; done"]
      - image: roundel-test:1
        name: short
        command: [/bin/sh, -c, "echo no room here >&2; exit 3"]
    resource_class: tiny
    environment: {BOTH: job}
    steps:
      - checkout
      - run: {name: Who, command: 'echo "I am $(id -un) at $(pwd) with $HOME"; ls -ld .circleci/config.yml | cut -d" " -f1; stat -c %U .git'}
      - run: {name: Variables, command: 'echo "$OF_IMAGE $CI $BOTH $STEP ${USER:-none}"', environment: {STEP: step}}
      - run: 'echo "export KEPT=kept" >> $BASH_ENV; . $BASH_ENV; echo "$KEPT"'
      - run: {name: Elsewhere, command: 'pwd', working_directory: new/place}
      - run: {name: Streams, command: 'echo to out; echo to err >&2'}
      - run: {name: Behind, command: 'echo behind; sleep 600', background: true}
      - run: {name: Left over, command: 'sleep 600 & echo started'}
      - run: {name: Talk, command: 'until nc db 5432 </dev/null; do sleep 0.1; done; until nc localhost 6379 </dev/null; do sleep 0.1; done'}
      - run: {name: Limits, command: 'cd /sys/fs/cgroup; cat memory.max 2>/dev/null || cat memory/memory.limit_in_bytes; cut -d" " -f1 cpu.max 2>/dev/null || cat cpu/cpu.cfs_quota_us; cat pids.max 2>/dev/null || cat pids/pids.max'}
      - run: {name: Too much, command: dd if=/dev/zero of=/dev/null bs=200M count=1}
      - run: {name: Not reached, command: echo never}
      - run: {name: Afterwards, command: echo afterwards, when: always}
workflows: {main: {jobs: [job]}}
"#;

#[test]
fn a_job_in_containers_reaches_its_services_keeps_its_limits_and_leaves_nothing() {
    let Some(engine) = engine() else { return };
    let home = home(&engine);
    let said = build(&home, SERVICES).with_code(1);
    said.says(&[
        "I am builder at /home/builder/project with /home/builder",
        "-rw-r--r--",
        "builder",
        "yes container job step none",
        "kept",
        "/home/builder/project/new/place",
        "started",
        "named",
        "unnamed",
        "67108864",
        "50000",
        "8192",
        "Killed: out of memory, the container's 64 MB were not enough (resource class tiny).",
        "afterwards",
        "Limits of each container: 0.5 cpu, 64 MB, 8192 processes.",
        "Service roundel-test:1 ended with 3",
        "no room here",
    ]);
    assert!(!said.out.contains("never"), "{}", said.out);
    let run = run_of(&home);
    assert_eq!(run["outcome"], "failed", "{run}");
    assert_eq!(
        run["cause"],
        "step \"Too much\" exited with 137: out of memory, the container's 64 MB were not enough (resource class tiny)"
    );
    let name = run["name"].as_str().unwrap();
    let err = home
        .run(&["logs", "--stream", "err", name])
        .with_code(0)
        .out;
    assert!(err.contains("to err") && !err.contains("to out"), "{err}");
    until("nothing is left in the engine", || {
        left(&home, &engine).is_empty()
    });

    let node = home.run(&["node-status", "-self"]).with_code(0).out;
    let kind = if is_podman(&engine) {
        "Podman"
    } else {
        "Docker"
    };
    assert!(node.contains(&format!("docker ({kind} ")), "{node}");
}

fn pulls(image: &str, auth: &str) -> String {
    format!(
        "version: 2.1\njobs:\n  job:\n    docker: [{{image: \"{image}\"{auth}}}]\n    environment: {{REGISTRY_PASSWORD: s3cret}}\n    \
         steps:\n      - run: cat /etc/pulled\nworkflows: {{main: {{jobs: [job]}}}}\n"
    )
}

#[test]
fn an_image_is_pulled_with_progress_and_each_way_in_which_that_fails_has_its_words() {
    let Some(engine) = engine() else { return };
    let home = home(&engine);
    in_engine(&engine, async |api| {
        for image in ["5000/good:1", "5001/good:1", "5001/good:2"] {
            // Of an earlier run of this test; as a rule it is not there.
            let _ = api
                .remove_image(
                    &format!("127.0.0.1:{image}"),
                    None::<bollard::query_parameters::RemoveImageOptions>,
                    None,
                )
                .await;
        }
    });
    let account = |password: &str| format!(", auth: {{username: tester, password: {password}}}");
    // Image, account, exit code, outcome, words.
    let cases = [
        (
            "127.0.0.1:5000/good:1",
            String::new(),
            0,
            "success",
            if is_podman(&engine) {
                "  part 2 is here ("
            } else {
                "  layer 2 is here ("
            },
        ),
        (
            "127.0.0.1:5001/good:1",
            account("$REGISTRY_PASSWORD"),
            0,
            "success",
            "Pulling image 127.0.0.1:5001/good:1",
        ),
        (
            "127.0.0.1:5001/good:2",
            account("wrong"),
            1,
            "failed",
            "the registry refused it",
        ),
        (
            "127.0.0.1:5001/good:2",
            account("$NOBODY"),
            1,
            "failed",
            "names the variable NOBODY, which this run does not have",
        ),
        (
            "127.0.0.1:5001/good:2",
            String::new(),
            1,
            "failed",
            "the registry refused it",
        ),
        (
            "127.0.0.1:5000/missing:1",
            String::new(),
            1,
            "failed",
            "the registry has no such image",
        ),
        (
            "127.0.0.1:5000/Capital:1",
            String::new(),
            1,
            "failed",
            "that is no name of an image",
        ),
        (
            "127.0.0.1:5000/limited:1",
            String::new(),
            3,
            "infrastructure_fail",
            "takes no more pulls for a while",
        ),
        (
            "127.0.0.1:5002/good:1",
            String::new(),
            3,
            "infrastructure_fail",
            "the registry cannot be reached",
        ),
        (
            "registry.invalid/good:1",
            String::new(),
            3,
            "infrastructure_fail",
            "the registry cannot be reached",
        ),
    ];
    for (image, auth, code, outcome, words) in cases {
        let said = build(&home, &pulls(image, &auth)).with_code(code);
        assert!(said.out.contains(words), "{image}{auth}: {}", said.out);
        let run = run_of(&home);
        assert_eq!(run["outcome"], outcome, "{image}{auth}: {run}");
        if code == 0 {
            said.says(&["yes"]);
        }
    }
    // A variable of the project lets in as one of the job does; the password is nowhere to be seen.
    fs::write(home.path("password"), "s3cret").unwrap();
    home.run(&[
        "project",
        "env",
        "set",
        "web",
        "OF_PROJECT",
        "--file",
        "password",
    ])
    .with_code(0);
    let let_in = pulls("127.0.0.1:5001/good:2", &account("$OF_PROJECT"));
    let said = build(&home, &let_in).with_code(0);
    said.says(&["Pulling image 127.0.0.1:5001/good:2", "yes"]);
    assert!(!said.out.contains("s3cret"), "{}", said.out);
    until("nothing is left in the engine", || {
        left(&home, &engine).is_empty()
    });
}

#[test]
fn what_an_image_lacks_is_said_before_any_step() {
    let Some(engine) = engine() else { return };
    let home = home(&engine);
    let cases = [
        (
            "entrypoint: [/bin/true]",
            "ended with 0 as soon as it was started",
        ),
        (
            "command: [/no/such/program]",
            "container roundel-test:1 could not be started",
        ),
        ("user: nobody-here", "nobody-here"),
    ];
    for (key, words) in cases {
        let config = format!(
            "version: 2.1\njobs:\n  job:\n    docker: [{{image: \"roundel-test:1\", {key}}}]\n    steps: [run: echo never]\n\
             workflows: {{main: {{jobs: [job]}}}}\n"
        );
        let said = build(&home, &config).with_code(1);
        assert!(
            said.out.contains(words) && !said.out.lines().any(|line| line == "never"),
            "{key}: {}",
            said.out
        );
    }
    until("nothing is left in the engine", || {
        left(&home, &engine).is_empty()
    });
}

fn with_steps(steps: &str) -> String {
    format!(
        "version: 2.1\njobs:\n  job:\n    docker: [{{image: \"roundel-test:1\"}}]\n    steps:\n{steps}workflows: {{main: {{jobs: [job]}}}}\n"
    )
}

/// Starts a build and waits until its step says `ready`.
fn running(home: &Home, steps: &str) -> (std::process::Child, String) {
    home.repository("web", &with_steps(steps));
    let child = home
        .command(&["build", "web"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut name = String::new();
    until("the step is ready", || {
        name = run_of(home)["name"].as_str().unwrap_or_default().to_owned();
        let said = home.run(&["logs", if name.is_empty() { "none" } else { &name }]);
        said.out.lines().any(|line| line == "ready")
    });
    (child, name)
}

#[test]
fn a_cancel_and_a_silence_end_all_that_runs_in_the_containers() {
    let Some(engine) = engine() else { return };
    let home = home(&engine);
    let steps = "      - run: {command: sleep 600, background: true}\n      - run: trap '' TERM; setsid sleep 600 & echo ready; while :; do sleep 1; done\n";
    let (mut child, name) = running(&home, steps);
    assert_eq!(left(&home, &engine).len(), 2);
    home.run(&["stop", &name]).with_code(0);
    child.wait().unwrap();
    until("nothing is left in the engine", || {
        left(&home, &engine).is_empty()
    });
    assert_eq!(run_of(&home)["outcome"], "canceled");

    let silent = "      - run: {command: sleep 600, no_output_timeout: 1s}\n";
    let said = build(&home, &with_steps(silent)).with_code(1);
    assert!(
        said.out.contains("too long with no output (exceeded 1s)"),
        "{}",
        said.out
    );
    assert_eq!(run_of(&home)["outcome"], "timedout");

    // A pull that never comes to an end, too.
    home.repository("web", &pulls("127.0.0.1:5000/slow:1", ""));
    let mut child = home.command(&["build", "web"]).spawn().unwrap();
    until("it pulls", || {
        let run = run_of(&home);
        let name = run["name"].as_str().unwrap_or("none");
        home.run(&["logs", name])
            .out
            .contains("Pulling image 127.0.0.1:5000/slow:1")
    });
    home.run(&["stop", run_of(&home)["name"].as_str().unwrap()])
        .with_code(0);
    child.wait().unwrap();
    assert_eq!(run_of(&home)["outcome"], "canceled");
    until("nothing is left in the engine", || {
        left(&home, &engine).is_empty()
    });
}

#[test]
fn a_container_that_is_taken_away_is_no_fault_of_the_step() {
    let Some(engine) = engine() else { return };
    let home = home(&engine);
    let (mut child, _) = running(&home, "      - run: echo ready; sleep 600\n");
    let container = left(&home, &engine).remove(0);
    in_engine(&engine, async |api| {
        let options = RemoveContainerOptionsBuilder::new()
            .force(true)
            .v(true)
            .build();
        api.remove_container(&container, Some(options))
            .await
            .unwrap();
    });
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let run = run_of(&home);
    assert_eq!(run["outcome"], "infrastructure_fail", "{run}");
    assert!(
        run["cause"]
            .as_str()
            .unwrap()
            .contains("was lost: the primary container "),
        "{run}"
    );
}

#[test]
fn a_script_that_no_command_line_takes_and_a_second_checkout_work() {
    let Some(engine) = engine() else { return };
    let home = home(&engine);
    let long = "echo a line of many\n".repeat(8_000);
    let long: String = long
        .lines()
        .map(|line| format!("            {line}\n"))
        .collect();
    let steps = format!(
        "      - checkout\n      - run: echo changed > .circleci/config.yml\n      - checkout\n      - run: git --version 2>/dev/null || head -n 1 .circleci/config.yml\n      - checkout: {{path: /srv/other/place}}\n      - run: ls -A /srv/other/place\n      - run:\n          command: |\n{long}      - run: mkdir full; echo x > full/file\n      - checkout: {{path: full}}\n"
    );
    let said = build(&home, &with_steps(&steps)).with_code(1);
    said.says(&[
        "version: 2.1",
        ".git",
        "The directory /root/project/full is not empty and not a git repository.",
    ]);
    assert_eq!(
        said.out
            .lines()
            .filter(|line| *line == "a line of many")
            .count(),
        8_000
    );
}

#[test]
fn without_an_engine_a_job_in_containers_fails_at_once_and_says_how_to_get_one() {
    let home = Home::new();
    home.repository("web", &with_steps("      - run: echo hi\n"));
    let said = home.run(&["build", "web"]).with_code(3);
    for words in [
        "there is no container engine: no socket at ",
        "apt install docker.io",
        "roundel build --no-engine",
    ] {
        assert!(said.out.contains(words), "{}", said.out);
    }
    let run = run_of(&home);
    assert_eq!(
        (&run["state"], &run["outcome"]),
        (&"dead".into(), &"infrastructure_fail".into()),
        "{run}"
    );
    home.run(&["build", "--no-engine", "web"]).with_code(0);
}
