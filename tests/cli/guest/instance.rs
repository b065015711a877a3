//! A job in an instance that is a machine: moto says that there are instances, and the test starts what EC2 would, a guest of
//! QEMU for each, which lets in whom its instance was told to let in.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::lent::key_of;
use super::{config, image};
use crate::support::{Running, free_port, until};
use crate::vm::{Bench, moto};

/// Where a guest of the tests finds what its firmware was told; no other machine has that.
const TOLD: &str = "/sys/firmware/qemu_fw_cfg/by_name/opt/org.roundel";

/// A machine; ends with the test.
struct Machine {
    port: u16,
    console: PathBuf,
    qemu: Running,
}

impl Machine {
    fn start(bench: &Bench, image: &Path, instance: &str) -> Self {
        let key = key_of(bench, instance);
        let port = free_port();
        let console = bench.home.path(instance);
        let told = |name: &str, value: &str| format!("name=opt/org.roundel/{name},string={value}");
        let qemu = Command::new("qemu-system-x86_64")
            .args(["-name", instance, "-nodefaults", "-no-user-config"])
            .args(["-display", "none", "-no-reboot"])
            .args(["-machine", "pc", "-cpu", "max", "-accel", "tcg"])
            .args(["-m", "256M", "-device", "virtio-rng-pci"])
            .args(["-serial", "stdio", "-kernel"])
            .arg(image.join("vmlinuz"))
            .arg("-initrd")
            .arg(image.join("initrd"))
            .args(["-append", "console=ttyS0 panic=-1 no_timer_check"])
            .args(["-fw_cfg", &told("authorized_key", &key)])
            .args(["-fw_cfg", &told("user", "root")])
            .args(["-fw_cfg", &told("instance", instance)])
            .arg("-netdev")
            .arg(format!(
                "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"
            ))
            .args(["-device", "virtio-net-pci,netdev=net,romfile="])
            .stdin(Stdio::null())
            .stdout(File::create(&console).unwrap())
            .stderr(File::create(console.with_extension("said")).unwrap())
            .spawn()
            .unwrap();
        Self {
            port,
            console,
            qemu: Running(qemu),
        }
    }

    /// Whether it has ended because another took its port.
    fn has_no_port(&mut self) -> bool {
        let Some(status) = self.qemu.0.try_wait().unwrap() else {
            return false;
        };
        let said = fs::read_to_string(self.console.with_extension("said")).unwrap();
        assert!(
            said.contains("host forwarding"),
            "{status}: {said}{}",
            self.shows()
        );
        true
    }

    /// Whether an SSH server answers in it.
    fn answers(&self) -> bool {
        let mut hello = [0; 8];
        TcpStream::connect(("127.0.0.1", self.port))
            .and_then(|mut stream| {
                stream.set_read_timeout(Some(Duration::from_secs(5)))?;
                stream.read_exact(&mut hello)
            })
            .is_ok_and(|()| hello == *b"SSH-2.0-")
    }

    /// What its console has shown.
    fn shows(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.console).unwrap()).into_owned()
    }
}

#[test]
fn a_job_runs_in_the_guest_of_the_instance_that_it_takes() {
    let Some(image) = image() else { return };
    let Some(moto) = moto() else { return };
    let bench = Bench::new(&moto, &moto, "");
    bench.save(&[("vm.prealloc_machine", "2")]);
    let ready = bench.settles(2);
    let mut machines: BTreeMap<&String, Machine> = ready
        .iter()
        .map(|instance| (instance, Machine::start(&bench, &image, instance)))
        .collect();
    let mut places = String::new();
    for (instance, machine) in &mut machines {
        until("the guest answers", || {
            if machine.has_no_port() {
                *machine = Machine::start(&bench, &image, instance);
            }
            machine.shows().contains("is ready") && machine.answers()
        });
        places.push_str(&format!("{instance} root@127.0.0.1:{}\n", machine.port));
    }
    // Before anybody is sent there: one that does not answer would be replaced.
    let map = OpenOptions::new()
        .append(true)
        .open(bench.home.path("ssh_map"));
    map.unwrap().write_all(places.as_bytes()).unwrap();

    let steps = format!(
        "      - checkout\n      - run: 'cat {TOLD}/instance/raw; echo; cat /proc/1/comm; ls -d .circleci'\n      - run: cat /proc/sys/kernel/random/boot_id\n      - run: 'sleep 600 &'"
    );
    bench.home.repository("web", &config(&steps));
    let said = bench.home.run(&["build", "web"]).with_code(0);
    said.says(&["dropbear", ".circleci"]);
    // The log names the instance, and its guest names itself.
    let taken = ready
        .iter()
        .find(|one| said.out.lines().any(|line| line == *one));
    let taken = taken.unwrap_or_else(|| panic!("{}", said.out));
    assert!(
        said.out.contains(&format!("Connected to {taken} ")),
        "{}",
        said.out
    );
    assert!(
        !Path::new(TOLD).exists(),
        "this machine is no guest of the tests"
    );
    let here = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert!(!said.out.contains(here.trim()), "{}", said.out);

    let after = bench.settles(2);
    let left: Vec<_> = ready.intersection(&after).collect();
    assert!(left.len() == 1 && left[0] != taken, "{taken}: {after:?}");
    until("the guest was let go", || {
        machines[taken].shows().contains("Exit (root)")
    });
    // Whoever came, came to this one.
    let came = |one: &String| machines[one].shows().contains("auth succeeded");
    assert!(came(taken) && !came(left[0]));
    bench.save(&[("vm.prealloc_machine", "0")]);
    bench.settles(0);
}
