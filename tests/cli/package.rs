//! The package: what is in it, that it is made the same each time, and what the unit promises of a server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::skip::skip;
use crate::support::{Home, PATIENCE, Said, until};

const MAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/package/make");
const UNIT: &str = "usr/lib/systemd/system/roundel.service";

fn is_there(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command says that ends well.
fn said(command: &mut Command) -> String {
    Said::from(command.output().unwrap()).with_code(0).out
}

/// Makes both packages into a folder of `home`, around a script that calls the program of this test: the bytes of an
/// unstripped program would only take time to be packed. Gives back the sums.
fn packages(home: &Home, folder: &str) -> String {
    let stand_in = home.path("roundel");
    let program = env!("CARGO_BIN_EXE_roundel");
    fs::write(&stand_in, format!("#!/bin/sh\nexec {program} \"$@\"\n")).unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    let mut make = Command::new(MAKE);
    make.arg(home.path(folder)).arg("--program").arg(stand_in);
    said(make.env("SOURCE_DATE_EPOCH", "1700000000"))
}

fn unpacked(home: &Home) -> std::path::PathBuf {
    let deb = fs::read_dir(home.path("one"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|kind| kind == "deb"))
        .unwrap();
    let root = home.path("root");
    said(Command::new("dpkg-deb").arg("-x").arg(&deb).arg(&root));
    said(
        Command::new("dpkg-deb")
            .arg("-e")
            .arg(&deb)
            .arg(root.join("DEBIAN")),
    );
    root
}

#[test]
fn a_package_is_made_twice_the_same_and_what_it_unpacks_runs() {
    if !is_there("dpkg-deb") {
        return skip("needs dpkg-deb");
    }
    let home = Home::new();
    let sums = packages(&home, "one");
    assert_eq!(sums, packages(&home, "two"));
    let mut check = Command::new("sha256sum");
    check.args(["--check", "SHA256SUMS"]);
    let checked = said(check.current_dir(home.path("two")));
    assert_eq!(checked.matches(": OK").count(), 2, "{checked}");

    let root = unpacked(&home);
    let version = said(Command::new(root.join("usr/bin/roundel")).arg("version"));
    assert!(version.starts_with(concat!("roundel ", env!("CARGO_PKG_VERSION"))));
    for file in [
        "usr/share/man/man1/roundel.1.gz",
        "usr/share/man/man1/roundel-build.1.gz",
        "usr/share/bash-completion/completions/roundel",
        "usr/share/doc/roundel/copyright",
        "etc/roundel/config.toml",
        UNIT,
    ] {
        let length = fs::metadata(root.join(file)).map(|found| found.len());
        assert!(length.is_ok_and(|length| length > 0), "{file}");
    }
    let control = fs::read_to_string(root.join("DEBIAN/control")).unwrap();
    let version = concat!("\nVersion: ", env!("CARGO_PKG_VERSION"), "\n");
    assert!(control.contains(version), "{control}");
    for script in ["postinst", "prerm", "postrm"] {
        said(
            Command::new("sh")
                .arg("-n")
                .arg(root.join("DEBIAN").join(script)),
        );
    }
    // The file that the unit starts the server with is one that a server takes, with an account that is here.
    let config = fs::read_to_string(root.join("etc/roundel/config.toml")).unwrap();
    let here = config.replace("\"roundel-job\"", "\"self\"");
    assert_ne!(config, here);
    fs::write(home.path("config.toml"), here).unwrap();
    home.run(&["--config", "config.toml", "status"])
        .with_code(0);

    if !is_there("systemd-analyze") {
        return skip("needs systemd-analyze");
    }
    // Verified where it lies, with the program where it lies.
    let unit = fs::read_to_string(root.join(UNIT)).unwrap();
    let program = root.join("usr/bin/roundel");
    let here = unit.replace("/usr/bin/roundel", program.to_str().unwrap());
    assert_ne!(unit, here);
    verify(&home, &here).with_code(0);
    let broken = here.replace("KillMode=process", "KillMode=gently");
    let told = verify(&home, &broken);
    assert!(told.err.contains("gently"), "{told:?}");
}

/// What systemd says of a unit. It ends with 0 where it only ignores what it does not know, so nothing may be said.
fn verify(home: &Home, unit: &str) -> Said {
    let path = home.path("roundel.service");
    fs::write(&path, unit).unwrap();
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["verify", "--man=no", "--recursive-errors=no"]);
    Said::from(analyze.arg(path).output().unwrap())
}

/// Somebody to whom servers tell of themselves, and where.
fn supervisor(home: &Home) -> (UnixDatagram, PathBuf) {
    let socket = home.path("notify");
    let supervisor = UnixDatagram::bind(&socket).unwrap();
    supervisor.set_read_timeout(Some(PATIENCE)).unwrap();
    (supervisor, socket)
}

/// A server that tells `supervisor` of itself, as systemd would start it with these variables.
fn supervised(home: &Home, socket: &Path, variables: &[(&str, &str)]) -> Child {
    home.command(&["serve"])
        .env("NOTIFY_SOCKET", socket)
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn told(supervisor: &UnixDatagram) -> String {
    let mut message = [0; 256];
    let length = supervisor.recv(&mut message).unwrap();
    String::from_utf8_lossy(&message[..length])
        .trim()
        .to_owned()
}

#[test]
fn a_restart_of_the_service_ends_the_server_alone_and_the_next_takes_its_builds_up() {
    let home = Home::new();
    let (supervisor, socket) = supervisor(&home);
    // Jobs of root's server run elsewhere, as an account that cannot see this test's folder.
    fs::create_dir_all(home.path("config/roundel")).unwrap();
    let config = home.path("config/roundel/config.toml");
    fs::write(config, "host_user = \"self\"\n").unwrap();
    home.repository(
        "app",
        "version: 2.1\njobs:\n  job:\n    machine: true\n    steps:\n      \
         - run: 'echo \"[${NOTIFY_SOCKET:-}]\"; while [ ! -e ../../../../go ]; do sleep 0.05; done'\n\
         workflows: {main: {jobs: [job]}}\n",
    );

    let mut server = supervised(&home, &socket, &[]);
    assert_eq!(told(&supervisor), "READY=1");
    // Told once it answers, not before: nothing here waits.
    let (head, _) = home.http("/health");
    assert!(head.starts_with("http/1.1 200"), "{head}");

    let build = home.start(&["build", "app"]);
    let row = || home.json(&["status", "-json"])["rows"][0].clone();
    until("the step runs", || row()["step"] == 1);
    let name = row()["name"].clone();
    let attempts: Vec<_> = fs::read_dir(home.data().join("attempts"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path().join("pid")).unwrap())
        .collect();
    let [agent] = &attempts[..] else {
        panic!("{attempts:?}")
    };

    // What KillMode=process has systemd do.
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert_eq!(told(&supervisor), "STOPPING=1");
    assert!(server.wait().unwrap().success());
    let agent = Pid::from_raw(agent.split(' ').next().unwrap().parse().unwrap()).unwrap();
    rustix::process::test_kill_process(agent).expect("the Build Agent goes on");

    let mut server = supervised(&home, &socket, &[]);
    assert_eq!(told(&supervisor), "READY=1");
    assert_eq!(row()["name"], name, "the same attempt");
    fs::write(home.data().join("go"), "").unwrap();
    let ended = Said::from(build.wait_with_output().unwrap()).with_code(0);
    assert!(
        ended.out.contains("[]"),
        "a job does not speak to systemd: {ended:?}"
    );
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
}

#[test]
fn a_supervisor_that_wants_to_hear_again_and_again_does_for_as_long_as_the_server_answers() {
    let home = Home::new();
    let (supervisor, socket) = supervisor(&home);
    let mut server = supervised(&home, &socket, &[("WATCHDOG_USEC", "30000")]);
    assert_eq!(told(&supervisor), "READY=1");
    for _ in 0..3 {
        assert_eq!(told(&supervisor), "WATCHDOG=1");
    }
    let pid = Pid::from_child(&server);
    kill_process(pid, Signal::STOP).unwrap();
    until("it stands still", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
        stat.contains(") T ")
    });
    supervisor.set_nonblocking(true).unwrap();
    let mut message = [0; 64];
    // What was said before it stood still.
    while supervisor.recv(&mut message).is_ok() {}
    std::thread::sleep(Duration::from_millis(200));
    assert!(
        supervisor.recv(&mut message).is_err(),
        "it stands still and says nothing"
    );
    kill_process(pid, Signal::CONT).unwrap();
    supervisor.set_nonblocking(false).unwrap();
    assert_eq!(told(&supervisor), "WATCHDOG=1");
    kill_process(pid, Signal::TERM).unwrap();
    assert!(server.wait().unwrap().success());
}
