//! A job in a machine of the VM provider: moto says that there are instances, and a private sshd stands in for all of them.

use std::fs;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{STAND_IN, config, is_root};
use crate::skip::skip;
use crate::support::{Running, free_port, until};
use crate::vm::{Bench, moto};

/// The key that the instances are told to let in, as the account has it.
pub(super) fn key_of(bench: &Bench, instance: &str) -> String {
    let form = format!("Action=DescribeInstanceAttribute&InstanceId={instance}&Attribute=userData");
    let told = STANDARD
        .decode(bench.account.first(&form, "value"))
        .unwrap();
    let told = String::from_utf8(told).unwrap();
    let told: Value = serde_json::from_str(told.strip_prefix("#cloud-config\n").unwrap()).unwrap();
    told["users"][0]["ssh_authorized_keys"][0]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The machine; ends with the test.
fn machine(bench: &Bench, port: u16) -> Running {
    let place = bench.home.path("machine");
    fs::create_dir(&place).unwrap();
    fs::write(bench.home.path("stand-in"), STAND_IN).unwrap();
    let child = Command::new("sh")
        .arg(bench.home.path("stand-in"))
        .arg(format!("hostfwd=tcp:127.0.0.1:{port}-:22"))
        .arg("name=opt/org.roundel/authorized_key,string=")
        .current_dir(&place)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let machine = Running(child);
    until("the machine answers", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    machine
}

#[test]
fn a_job_takes_an_instance_that_is_ready_and_it_is_replaced() {
    let Some(moto) = moto() else { return };
    if !is_root() {
        return skip("needs root, to make a machine of its own for a job");
    }
    let bench = Bench::new(&moto, &moto, "");
    let port = free_port();
    let machine = machine(&bench, port);
    let map = format!("* root@127.0.0.1:{port}\n");
    fs::write(bench.home.path("ssh_map"), map).unwrap();
    bench.save(&[("vm.prealloc_machine", "2")]);
    let ready = bench.settles(2);
    let key = key_of(&bench, ready.first().unwrap());
    fs::write(bench.home.path("machine/authorized"), format!("{key}\n")).unwrap();

    let steps = "      - checkout\n      - run: 'cat /proc/1/comm; ls -d .circleci; echo \"$CI\"'\n      - run: 'sleep 600 &'";
    bench.home.repository("web", &config(steps));
    let said = bench.home.run(&["build", "web"]).with_code(0);
    said.says(&["sshd", ".circleci", "own"]);
    let taken: Vec<_> = ready.iter().filter(|one| said.out.contains(*one)).collect();
    assert_eq!(taken.len(), 1, "{}", said.out);
    let after = bench.settles(2);
    assert!(!after.contains(taken[0]), "{after:?}");
    let left: Vec<_> = fs::read_dir(bench.home.path("machine/home"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left, ["project"], "the files of the run are gone");

    // One that takes the address and not the key ends the run, and says why.
    fs::write(bench.home.path("machine/authorized"), "").unwrap();
    bench.save(&[("vm.ssh_timeout_ms", "3000")]);
    let said = bench.home.run(&["build", "web"]).with_code(3);
    let text = format!("{}{}", said.out, said.err);
    assert!(text.contains("no SSH at root@127.0.0.1"), "{text}");
    assert!(text.contains("Permission denied"), "{text}");
    drop(machine);
    bench.save(&[("vm.prealloc_machine", "0")]);
    bench.settles(0);
}
