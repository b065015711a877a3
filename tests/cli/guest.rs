//! Jobs in machines of their own. What SSH has to do is seen with a private sshd that stands in for the emulator, in a second
//! each: it has processes of its own, and ends with them at once, as a machine does. One job runs in a real guest of QEMU.

mod instance;
mod lent;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::secrets;
use crate::skip::skip;
use crate::support::{Home, Said, until};

/// Takes the emulator's place: reads the port and the key out of its words, and lets that key in.
const STAND_IN: &str = r#"#!/bin/sh
for word; do
    case $word in
    *hostfwd=tcp:127.0.0.1:*) port=${word##*127.0.0.1:} port=${port%%-*} ;;
    name=opt/org.roundel/authorized_key,string=*) key=${word#*string=} ;;
    esac
done
mkdir -p home
printf '%s\n' "$key" >authorized
ssh-keygen -q -t ed25519 -N '' -f host
cat >sshd_config <<END
Port $port
ListenAddress 127.0.0.1
HostKey $PWD/host
AuthorizedKeysFile $PWD/authorized
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
SetEnv HOME=$PWD/home
END
echo "the machine starts"
# A port that another has taken is told as the emulator tells it.
[ -p said ] || mkfifo said
sed -u 's/^Bind to port .*/&: no host forwarding/' <said >&2 &
exec env -u ROUNDEL_ATTEMPT unshare --mount --pid --fork --kill-child --mount-proc \
    sh -c "mount -t tmpfs run /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f '$PWD/sshd_config'" 2>said
"#;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A home whose server runs `machine` jobs in such machines; `None` and a skip where there can be none.
fn home() -> Option<Home> {
    if !is_root() {
        skip("needs root, to make a machine of its own for a job");
        return None;
    }
    if !Path::new("/usr/sbin/sshd").exists() {
        skip("needs sshd (Debian: openssh-server)");
        return None;
    }
    let home = Home::new();
    let bin = home.path("bin");
    fs::create_dir(&bin).unwrap();
    let stand_in = bin.join("qemu-system-x86_64");
    fs::write(&stand_in, STAND_IN).unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(home.path("image"), "no disk").unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    // The first verb starts the server, whose programs are those of its jobs.
    let first = home.command(&["status"]).env("PATH", path).output();
    Said::from(first.unwrap()).with_code(0);
    let image = home.path("image");
    settings(
        &home,
        &[
            ("vm.on_host_image", image.to_str().unwrap()),
            ("vm.on_host_user", "root"),
        ],
    );
    Some(home)
}

fn settings(home: &Home, pairs: &[(&str, &str)]) {
    home.save(&[&[("hostname", "ci.example.com")], pairs].concat());
}

fn build(home: &Home, steps: &str) -> Said {
    home.repository("web", &config(steps));
    home.run(&["build", "web"])
}

fn config(steps: &str) -> String {
    format!(
        "version: 2.1\njobs:\n  job:\n    machine: true\n    environment: {{CI: own}}\n    steps:\n{steps}\nworkflows: {{main: {{jobs: [job]}}}}\n"
    )
}

/// Processes whose command line holds all of these, zombies left out.
fn processes(parts: &[&str]) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        parts.iter().all(|part| line.contains(part))
    })
    .filter_map(Pid::from_raw)
    .collect()
}

const STEPS: &str = r#"
      - checkout
      - run: {name: Where, command: 'echo "in $PWD, home $HOME, first process $(cat /proc/1/comm)"; ls -d .circleci; git -C . log -1 --format=%s 2>/dev/null || cat .git/HEAD'}
      - run: {name: Variables, command: 'echo "$CI $CIRCLE_JOB $STEP"', environment: {STEP: "it's a\nstep"}}
      - run: 'echo "export KEPT=kept" >> $BASH_ENV'
      - run: 'echo "again $KEPT"'
      - run: {name: Elsewhere, command: 'pwd | sed s,.*/home,~,', working_directory: new/place}
      - run: {name: Streams, command: 'printf "to out"; printf "to err" >&2'}
      - run: {name: Behind, command: 'echo behind; sleep 600', background: true}
      - run: {name: Left over, command: '(sleep 0.3; echo late) & sleep 600 & echo started'}
      - run: {name: Lost shell, command: 'echo 255; exit 255'}
      - run: {name: Not reached, command: echo never}
      - run: {name: Afterwards, command: 'echo afterwards; kill -TERM $$', when: always}
"#;

#[test]
fn a_job_in_a_machine_runs_its_steps_there_as_on_the_host() {
    let Some(home) = home() else { return };
    let said = build(&home, STEPS).with_code(1);
    said.says(&[
        ".circleci",
        "own job it's a",
        "step",
        "again kept",
        "~/project/new/place",
        "behind",
        "started",
        "255",
        "afterwards",
    ]);
    assert!(said.out.contains("first process sshd"), "{}", said.out);
    assert!(!said.out.contains("never"), "{}", said.out);
    assert!(
        said.out.contains("The machine's own size is the limit"),
        "{}",
        said.out
    );
    assert!(said.out.contains("its host key is SHA256:"), "{}", said.out);
    let detail = home.json(&["status", "web#1", "--json"]);
    let codes: Vec<_> = detail["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["exit_code"].as_i64())
        .collect();
    assert_eq!(codes[codes.len() - 2..], [255, 143], "{detail}");
    for (stream, text) in [("out", "to out"), ("err", "to err")] {
        let said = home
            .run(&["logs", "--stream", stream, "web#1"])
            .with_code(0)
            .out;
        let other = if text == "to out" { "to err" } else { "to out" };
        assert!(
            said.contains(text) && !said.contains(other),
            "{stream}: {said}"
        );
    }
    // What the shell says of the end of a step is not the step's.
    assert!(!home.run(&["logs", "--raw", "web#1"]).out.contains('\u{1e}'));
    let data = home.data();
    assert_eq!(
        processes(&[data.to_str().unwrap(), "sshd"]),
        [],
        "the machine is gone"
    );
    until("its files are gone", || {
        fs::read_dir(data.join("attempts")).unwrap().count() == 0
    });
}

#[test]
fn what_a_job_in_a_machine_prints_of_its_secrets_is_nowhere_to_be_found() {
    let Some(home) = home() else { return };
    let hold = home.path("hold");
    fs::write(&hold, "").unwrap();
    let wait = format!("[ -e {} ]", hold.display());
    secrets::nothing_is_found(&home, "machine: true", &wait, || {
        fs::remove_file(&hold).unwrap();
    });
}

#[test]
fn a_long_script_and_a_full_pipe_come_through() {
    let Some(home) = home() else { return };
    let filler = format!("# {}\n", "x".repeat(1000)).repeat(120);
    let script = format!("{filler}head -c 3000000 /dev/zero | tr '\\0' a; echo; echo end of it");
    let step = serde_json::json!({"run": {"name": "Long", "command": script}});
    let said = build(&home, &format!("      - {step}")).with_code(0);
    said.says(&["end of it"]);
    // `build` breaks such a line for a terminal.
    let raw = home.run(&["logs", "--raw", "web#1"]).with_code(0).out;
    assert!(raw.contains(&"a".repeat(3_000_000)));
}

/// Builds in the background until the step has said `ready`; answers the build.
fn begin(home: &Home, name: &str, steps: &str) -> Child {
    home.repository(name, &config(steps));
    let build = home.start(&["build", name]);
    until("the step is ready", || {
        home.run(&["logs", &format!("{name}#1")])
            .out
            .lines()
            .any(|line| line == "ready")
    });
    build
}

/// The attempt that a run is at.
fn attempt(home: &Home, number: &str) -> String {
    home.json(&["status", number, "--json"])["run"]["attempt"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_cancelled_step_is_asked_to_end_and_then_made_to() {
    let Some(home) = home() else { return };
    let steps = r#"      - run: |
          trap 'echo asked' TERM
          setsid sleep 4321 &
          echo ready
          while :; do sleep 0.1; done"#;
    let mut build = begin(&home, "web", steps);
    home.run(&["cancel", "web#1"]).with_code(0);
    assert!(!build.wait().unwrap().success());
    let detail = home.json(&["status", "web#1", "--json"]);
    assert_eq!(detail["run"]["outcome"], "canceled", "{detail}");
    home.run(&["logs", "web#1"]).says(&["asked"]);
    until("nothing is left", || {
        processes(&["sleep", "4321"]).is_empty()
    });
}

#[test]
fn a_lost_connection_and_a_dead_machine_are_told_plainly() {
    let Some(home) = home() else { return };
    let wait = "      - run: 'echo ready; sleep 600'";
    let mut build = begin(&home, "web", wait);
    let attempt = attempt(&home, "web#1");
    let dir = home.data().join("attempts").join(attempt).join("ssh");
    let masters: Vec<Pid> = processes(&["ssh ", " -M "])
        .into_iter()
        .filter(|pid| {
            let pid = pid.as_raw_nonzero();
            fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == dir)
        })
        .collect();
    assert_eq!(masters.len(), 1);
    kill_process(masters[0], Signal::KILL).unwrap();
    assert_eq!(build.wait().unwrap().code(), Some(3));
    let cause = |number: &str| home.json(&["status", number, "--json"])["run"]["cause"].to_string();
    assert!(
        cause("web#1").contains("the connection to the guest was lost"),
        "{}",
        cause("web#1")
    );

    let mut build = begin(&home, "two", wait);
    let data = home.data();
    let machines = processes(&["unshare", data.to_str().unwrap()]);
    assert_eq!(machines.len(), 1);
    kill_process(machines[0], Signal::KILL).unwrap();
    assert_eq!(build.wait().unwrap().code(), Some(3));
    assert!(
        cause("two#1").contains("the guest ended (signal: 9"),
        "{}",
        cause("two#1")
    );
}

#[test]
fn a_port_that_another_takes_meanwhile_is_not_the_end() {
    let Some(home) = home() else { return };
    let qemu = home.path("bin/qemu-system-x86_64");
    let stand_in = home.path("bin/stand-in");
    fs::rename(&qemu, &stand_in).unwrap();
    let another = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = another.local_addr().unwrap();
    let script = format!(
        "#!/bin/sh\n[ -e again ] || {{ : >again; set -- hostfwd=tcp:{taken}-:22; }}\nexec {} \"$@\"\n",
        stand_in.display()
    );
    fs::write(&qemu, script).unwrap();
    fs::set_permissions(&qemu, fs::Permissions::from_mode(0o755)).unwrap();
    build(&home, "      - run: echo inside")
        .with_code(0)
        .says(&["inside"]);
}

#[test]
fn a_machine_that_does_not_come_ends_the_run_with_its_last_words() {
    let Some(home) = home() else { return };
    fs::write(
        home.path("bin/qemu-system-x86_64"),
        "#!/bin/sh\necho a panic of the kernel\nsleep 0.1\necho 'no such machine' >&2\nexit 1\n",
    )
    .unwrap();
    let said = build(&home, "      - run: 'true'").with_code(3);
    let text = format!("{}{}", said.out, said.err);
    assert!(
        text.contains("the guest ended (exit status: 1): no such machine"),
        "{text}"
    );
    assert!(text.contains("a panic of the kernel"), "{text}");
    settings(&home, &[("vm.on_host_image", "/does/not/exist")]);
    let said = home.run(&["build", "web"]).with_code(3);
    let text = format!("{}{}", said.out, said.err);
    assert!(text.contains("/does/not/exist"), "{text}");
}

/// The image that `tests/run` has made; without one the running test is skipped.
fn image() -> Option<PathBuf> {
    let image = std::env::var_os("ROUNDEL_TEST_GUEST").map(PathBuf::from);
    if image.is_none() {
        let why = std::env::var("ROUNDEL_TEST_GUEST_NEEDS");
        skip(&format!(
            "needs {}",
            why.as_deref()
                .unwrap_or("the image of a guest: tests/run makes one")
        ));
    }
    image
}

#[test]
fn a_guest_runs_a_job_and_is_gone_even_after_agent_and_server_were_killed() {
    let Some(image) = image() else { return };
    let home = Home::new();
    settings(
        &home,
        &[
            ("vm.on_host_image", image.to_str().unwrap()),
            ("vm.on_host_user", "root"),
            ("vm.on_host_memory_mb", "256"),
            ("vm.on_host_cpus", "1"),
            ("vm.on_host_emulate", "true"),
            ("vm.on_host_network", "false"),
        ],
    );
    let said = build(
        &home,
        "      - checkout\n      - run: 'uname -n; cat .circleci/config.yml | head -n 1; ls /sys/firmware/qemu_fw_cfg/by_name/opt'\n      - run: 'exit 3'",
    )
    .with_code(1);
    said.says(&["version: 2.1", "org.roundel"]);
    assert!(
        said.out.contains("Starting a guest of this machine"),
        "{}",
        said.out
    );
    let name = |attempt: &str| format!("roundel-{}", attempt.replace('-', "").split_off(20));
    let guest = |attempt: &str| processes(&["qemu-system-x86_64", &name(attempt)]);
    let first = attempt(&home, "web#1");
    until("the guest is gone", || guest(&first).is_empty());

    let mut build = begin(&home, "two", "      - run: 'echo ready; sleep 600'");
    let attempt = attempt(&home, "two#1");
    assert_eq!(guest(&attempt).len(), 1);
    let pid = fs::read_to_string(home.data().join("attempts").join(&attempt).join("pid")).unwrap();
    let agent = Pid::from_raw(pid.split(' ').next().unwrap().parse().unwrap()).unwrap();
    home.kill_server();
    kill_process(agent, Signal::KILL).unwrap();
    // The next server finds what they left.
    home.run(&["status"]).with_code(0);
    until("the guest is gone", || guest(&attempt).is_empty());
    until("the run is over", || {
        let detail: Value = home.json(&["status", "two#1", "--json"]);
        detail["run"]["outcome"] == "infrastructure_fail"
    });
    build.wait().unwrap();
}

#[test]
fn without_a_provider_machine_jobs_are_refused_by_the_name_of_the_setting() {
    let home = Home::new();
    settings(&home, &[("vm.provider", "none")]);
    let said = build(&home, "      - run: echo never").with_code(3);
    let text = format!("{}{}", said.out, said.err);
    assert!(text.contains("`vm.provider` is `none`"), "{text}");
    assert!(!text.contains("never\n"), "{text}");
    // It holds at once, both ways, and for what already waits.
    settings(&home, &[("vm.provider", "on_host")]);
    home.run(&["build", "web"]).with_code(0);
    home.run(&["services", "stop", "-yes", "--wait"])
        .with_code(0);
    let waiting = home.start(&["build", "web", "--wait"]);
    until("it waits", || {
        home.json(&["status", "-json"])["rows"][0]["state"] == "pending"
    });
    settings(&home, &[("vm.provider", "none")]);
    let said = Said::from(waiting.wait_with_output().unwrap()).with_code(3);
    let text = format!("{}{}", said.out, said.err);
    assert!(text.contains("`vm.provider` is `none`"), "{text}");
}

/// A data directory as the first server that ran jobs left it: the schema of its day, and no setting.
#[test]
fn the_data_directory_of_an_earlier_server_still_runs_its_machine_jobs() {
    let home = Home::new();
    let web = home.repository(
        "web",
        &config("      - checkout\n      - run: 'echo \"as $(id -un)\"; ls -d .circleci'"),
    );
    let data = home.data();
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    let earlier = rusqlite::Connection::open(data.join("roundel.db")).unwrap();
    earlier
        .execute_batch(include_str!("../../src/store/migrations/0001_start.sql"))
        .unwrap();
    earlier.pragma_update(None, "user_version", 1).unwrap();
    drop(earlier);
    let said = home.run(&["build", web.to_str().unwrap()]).with_code(0);
    let own = Command::new("id").arg("-un").output().unwrap().stdout;
    let own = String::from_utf8(own).unwrap();
    said.says(&[&format!("as {}", own.trim()), ".circleci"]);
    assert!(
        said.out.contains("a process of this machine"),
        "{}",
        said.out
    );
    let value = home
        .run(&["settings", "get", "vm.provider"])
        .with_code(0)
        .out;
    assert!(value.contains("on_host"), "{value}");
    assert!(data.join("roundel.db.schema-1").exists(), "it was migrated");
}
