//! A guest of this machine: QEMU, started for one run and killed with it.
//!
//! It is a child of the agent, in the agent's session and with the mark of the attempt, so that whoever clears up after an
//! agent that died finds it as it finds the processes of steps. Its image is never written to: what it changes goes to a
//! file without a name.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::script::Inside;
use super::ssh::{self, Ssh, Target};
use super::{last_line, say, seed};
use crate::agent::executors::NotReady;
use crate::agent::journal::Journal;
use crate::api::agent::{self, SPIN_UP, Task};
use crate::processes::MARK;

/// The program.
const QEMU: &str = "qemu-system-x86_64";
/// Ports that are tried: another program may take one between our look and the guest's.
const TRIES: u32 = 5;
/// What is kept of the console, and of what QEMU says: the end.
const KEPT: usize = 8 * 1024;
/// Lines of the console that are shown when a guest does not answer.
const SHOWN: usize = 20;
/// Command line of a kernel whose image brings none. A kernel tries its timer against the clock, and on a busy machine that
/// emulates it the timer comes too late, which it takes for a broken one and stops.
const COMMAND_LINE: &str = "console=ttyS0 panic=-1 no_timer_check";
/// Longest command line of a kernel that is read from an image.
const COMMAND_LINE_MAX: u64 = 2048;
/// First bytes of a qcow2 image (QEMU, docs/interop/qcow2).
const QCOW2: [u8; 4] = [b'Q', b'F', b'I', 0xfb];

/// The end of a stream.
type Tail = Rc<RefCell<Vec<u8>>>;

/// A guest that runs, or ran.
#[derive(Debug)]
pub(super) struct Guest {
    qemu: Child,
    console: Tail,
    said: Tail,
    readers: Vec<JoinHandle<()>>,
}

/// What a guest starts from.
#[derive(Debug, PartialEq, Eq)]
struct Boot {
    disk: Option<(PathBuf, &'static str)>,
    kernel: Option<Kernel>,
}

#[derive(Debug, PartialEq, Eq)]
struct Kernel {
    kernel: PathBuf,
    initrd: PathBuf,
    command_line: String,
}

/// Starts a guest and connects to it; tells about it in step 0.
pub(super) async fn start(
    task: &Task,
    wanted: &agent::Guest,
    place: &Path,
    patience: Duration,
    journal: &Rc<Journal>,
) -> Result<(Ssh, Inside, Guest), NotReady> {
    let broken = |what: &str, err: &io::Error| NotReady::Broken(format!("{what}: {err}"));
    say(journal, &described(wanted)).await;
    let attempt = task.attempt.to_string();
    let boot = Boot::of(&wanted.image).map_err(|err| {
        let image = wanted.image.display();
        broken(&format!("the guest's image {image} cannot be used"), &err)
    })?;
    let key = ssh::make_key(place)
        .await
        .map_err(|err| broken("the guest's key could not be made", &err))?;
    let room = room(task, wanted).map_err(|err| broken("the guest has no place", &err))?;
    seed::write(&room.join("seed"), &attempt, &wanted.user, &key)
        .map_err(|err| broken("the guest's seed could not be written", &err))?;
    for attempt_number in 1.. {
        let port = free_port().map_err(|err| broken("the guest can have no port", &err))?;
        let name = format!("roundel-{}", task.attempt.short());
        let arguments = arguments(wanted, &boot, &name, &room, port, &key);
        let mut guest = Guest::spawn(wanted, &arguments, &room, &attempt).map_err(|err| {
            broken(
                &format!("failed to run `{QEMU}` (Debian: qemu-system-x86)"),
                &err,
            )
        })?;
        let target = Target {
            name: "the guest".to_owned(),
            address: Ipv4Addr::LOCALHOST.to_string(),
            port,
            user: wanted.user.clone(),
            // The port is QEMU's, which gives it to nobody but its guest.
            host_key: None,
        };
        let why = tokio::select! {
            connected = ssh::connect(place, target, &attempt, patience) => match connected {
                Ok((ssh, inside)) => return Ok((ssh, inside, guest)),
                Err(why) => why,
            },
            why = guest.wait() => why,
        };
        let port_taken = tail_text(&guest.said).contains("host forwarding");
        if port_taken && attempt_number < TRIES {
            continue;
        }
        guest.show_console(journal).await;
        guest.end().await;
        return Err(NotReady::Broken(why));
    }
    unreachable!("the loop ends by an answer");
}

fn described(wanted: &agent::Guest) -> String {
    let processors = match wanted.cpus {
        1 => "1 processor".to_owned(),
        cpus => format!("{cpus} processors"),
    };
    format!(
        "Starting a guest of this machine from {}: {processors}, {} MB{}{}.",
        wanted.image.display(),
        wanted.memory_mb,
        if wanted.network { "" } else { ", no network" },
        if wanted.emulate { ", emulated" } else { "" },
    )
}

/// A directory for what QEMU reads and writes, which only this run's account enters.
fn room(task: &Task, wanted: &agent::Guest) -> io::Result<PathBuf> {
    let room = task.scratch.join("guest");
    fs::DirBuilder::new().mode(0o700).create(&room)?;
    if let Some(account) = &wanted.run_as {
        // The group is of this run alone; runs beside it have the same user.
        chown(&task.scratch, None, Some(account.gid))?;
        fs::set_permissions(&task.scratch, fs::Permissions::from_mode(0o710))?;
        chown(&room, None, Some(account.gid))?;
        fs::set_permissions(&room, fs::Permissions::from_mode(0o770))?;
    }
    Ok(room)
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

impl Boot {
    fn of(image: &Path) -> io::Result<Self> {
        if !fs::metadata(image)?.is_dir() {
            return Ok(Self {
                disk: Some((image.to_owned(), format_of(image)?)),
                kernel: None,
            });
        }
        let part = |name: &str| image.join(name);
        let disk = part("disk");
        let disk = match disk.exists() {
            true => Some((disk.clone(), format_of(&disk)?)),
            false => None,
        };
        let there = |path: PathBuf| match path.exists() {
            true => Ok(path),
            false => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("it lacks `{}`", path.display()),
            )),
        };
        let mut command_line = COMMAND_LINE.to_owned();
        if part("cmdline").exists() {
            let file = fs::File::open(part("cmdline"))?;
            command_line.clear();
            file.take(COMMAND_LINE_MAX)
                .read_to_string(&mut command_line)?;
        }
        Ok(Self {
            disk,
            kernel: Some(Kernel {
                kernel: there(part("vmlinuz"))?,
                initrd: there(part("initrd"))?,
                command_line: command_line.trim().to_owned(),
            }),
        })
    }
}

/// Told by us and not found out by QEMU: what a guest writes at the beginning of a raw disk must not turn it into a name of
/// another file.
fn format_of(image: &Path) -> io::Result<&'static str> {
    let mut magic = [0; 4];
    let read = fs::File::open(image)?.read(&mut magic)?;
    Ok(if magic[..read] == QCOW2 {
        "qcow2"
    } else {
        "raw"
    })
}

/// QEMU's words. None of them is secret: the key is the public half.
fn arguments(
    wanted: &agent::Guest,
    boot: &Boot,
    name: &str,
    room: &Path,
    port: u16,
    key: &str,
) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    let mut add = |text: &[&str]| words.extend(text.iter().map(OsString::from));
    // A comma ends an option of QEMU, two of them are one.
    let path = |path: &Path| path.display().to_string().replace(',', ",,");
    add(&["-name", name]);
    add(&[
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
    ]);
    // As libvirt has it: an emulator that is taken over starts no program and gains no rights.
    add(&[
        "-sandbox",
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    ]);
    add(&["-machine", "pc", "-cpu", "max"]);
    if !wanted.emulate {
        add(&["-accel", "kvm"]);
    }
    add(&["-accel", "tcg,thread=multi"]);
    add(&["-smp", &wanted.cpus.to_string()]);
    add(&["-m", &format!("{}M", wanted.memory_mb)]);
    add(&["-device", "virtio-rng-pci"]);
    add(&[
        "-chardev",
        "stdio,id=console,signal=off",
        "-serial",
        "chardev:console",
    ]);
    if let Some((disk, format)) = &boot.disk {
        let disk = path(disk);
        add(&[
            "-drive",
            &format!("if=none,id=disk,file={disk},format={format},snapshot=on"),
        ]);
        add(&["-device", "virtio-blk-pci,drive=disk"]);
    }
    if let Some(kernel) = &boot.kernel {
        add(&["-kernel", &kernel.kernel.display().to_string()]);
        add(&["-initrd", &kernel.initrd.display().to_string()]);
        add(&["-append", &kernel.command_line]);
    }
    let seed = path(&room.join("seed"));
    add(&[
        "-drive",
        &format!("if=none,id=seed,driver=vvfat,dir={seed},label=CIDATA,read-only=on"),
    ]);
    add(&["-device", "virtio-blk-pci,drive=seed"]);
    // For images without cloud-init: /sys/firmware/qemu_fw_cfg/by_name/opt/org.roundel/.
    add(&[
        "-fw_cfg",
        &format!("name=opt/org.roundel/authorized_key,string={key}"),
    ]);
    add(&[
        "-fw_cfg",
        &format!("name=opt/org.roundel/user,string={}", wanted.user),
    ]);
    let restrict = if wanted.network { "off" } else { "on" };
    add(&[
        "-netdev",
        &format!("user,id=net,restrict={restrict},hostfwd=tcp:127.0.0.1:{port}-:22"),
    ]);
    add(&["-device", "virtio-net-pci,netdev=net,romfile="]);
    words
}

impl Guest {
    fn spawn(
        wanted: &agent::Guest,
        arguments: &[OsString],
        room: &Path,
        attempt: &str,
    ) -> io::Result<Self> {
        let mut command = Command::new(QEMU);
        command
            .args(arguments)
            .current_dir(room)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            // Where the file without a name is made.
            .env("TMPDIR", room)
            .env(MARK, attempt)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(account) = &wanted.run_as {
            command.uid(account.uid).gid(account.gid);
        }
        let mut qemu = command.spawn()?;
        tracing::info!(pid = qemu.id(), "guest started");
        let (console, said) = (Tail::default(), Tail::default());
        let out = qemu
            .stdout
            .take()
            .map(|pipe| keep_tail(pipe, console.clone()));
        let err = qemu.stderr.take().map(|pipe| keep_tail(pipe, said.clone()));
        Ok(Self {
            qemu,
            console,
            said,
            readers: [out, err].into_iter().flatten().collect(),
        })
    }

    /// Resolves once it runs no more: a sentence.
    async fn wait(&mut self) -> String {
        let status = match self.qemu.wait().await {
            Ok(status) => status.to_string(),
            Err(err) => err.to_string(),
        };
        // Its last words are in the pipe.
        for reader in self.readers.drain(..) {
            let _ = tokio::time::timeout(Duration::from_secs(1), reader).await;
        }
        match last_line(&self.said.borrow()) {
            Some(line) => format!("the guest ended ({status}): {line}"),
            None => format!("the guest ended ({status})"),
        }
    }

    /// A sentence when it runs no more.
    pub(super) async fn ended(&mut self) -> Option<String> {
        match self.qemu.try_wait() {
            Ok(None) => None,
            _ => Some(self.wait().await),
        }
    }

    /// Why a guest does not answer stands at the end of its console.
    async fn show_console(&self, journal: &Rc<Journal>) {
        let text = tail_text(&self.console);
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(SHOWN)..];
        if !last.is_empty() {
            let text = format!("The end of the guest's console:\n{}\n", last.join("\n"));
            journal.output(SPIN_UP, 2, text.as_bytes()).await;
        }
    }

    /// Ends it at once: nothing of it is kept.
    pub(super) async fn end(mut self) {
        if let Err(err) = self.qemu.kill().await {
            tracing::warn!(error = %err, "the guest could not be killed");
        }
        self.readers.iter().for_each(JoinHandle::abort);
    }
}

/// Keeps the end of what a pipe carries.
fn keep_tail(mut pipe: impl AsyncRead + Unpin + 'static, tail: Tail) -> JoinHandle<()> {
    tokio::task::spawn_local(async move {
        let mut buffer = vec![0; KEPT];
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            let mut tail = tail.borrow_mut();
            tail.extend_from_slice(&buffer[..read]);
            let over = tail.len().saturating_sub(KEPT);
            tail.drain(..over);
        }
    })
}

fn tail_text(tail: &Tail) -> String {
    String::from_utf8_lossy(&tail.borrow()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(image: &Path) -> agent::Guest {
        agent::Guest {
            image: image.to_owned(),
            memory_mb: 512,
            cpus: 1,
            user: "ci".to_owned(),
            network: false,
            emulate: true,
            run_as: None,
        }
    }

    #[test]
    fn an_image_is_a_disk_or_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("a.img"), b"\0\0").unwrap();
        fs::write(path("b.img"), b"QFI\xfb and more").unwrap();
        let boot = |name: &str| Boot::of(&path(name)).unwrap();
        assert_eq!(boot("a.img").disk, Some((path("a.img"), "raw")));
        assert_eq!(boot("b.img").disk, Some((path("b.img"), "qcow2")));
        fs::create_dir(path("c")).unwrap();
        fs::write(path("c/vmlinuz"), b"").unwrap();
        let err = Boot::of(&path("c")).unwrap_err().to_string();
        assert!(err.contains("lacks") && err.contains("initrd"), "{err}");
        fs::write(path("c/initrd"), b"").unwrap();
        let kernel = boot("c").kernel.unwrap();
        assert_eq!(kernel.command_line, COMMAND_LINE);
        fs::write(path("c/cmdline"), b"root=/dev/vda1 quiet\n").unwrap();
        assert_eq!(
            boot("c").kernel.unwrap().command_line,
            "root=/dev/vda1 quiet"
        );
        assert!(Boot::of(&path("none")).is_err());
    }

    #[test]
    fn a_guest_has_an_image_that_stays_as_it_is_and_one_way_in() {
        let disk = Path::new("/images/a,b.qcow2");
        let boot = Boot {
            disk: Some((disk.to_owned(), "qcow2")),
            kernel: None,
        };
        let words = arguments(
            &guest(disk),
            &boot,
            "n",
            Path::new("/room"),
            4022,
            "ssh-ed25519 AAAA",
        );
        let line = words.join(" ".as_ref()).into_string().unwrap();
        for part in [
            "file=/images/a,,b.qcow2,format=qcow2,snapshot=on",
            "restrict=on,hostfwd=tcp:127.0.0.1:4022-:22",
            "-m 512M",
            "opt/org.roundel/authorized_key,string=ssh-ed25519 AAAA",
            "dir=/room/seed,label=CIDATA,read-only=on",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(!line.contains("kvm") && !line.contains("-kernel"), "{line}");
        let both = agent::Guest {
            emulate: false,
            network: true,
            ..guest(disk)
        };
        let words = arguments(&both, &boot, "n", Path::new("/room"), 1, "k");
        let line = words.join(" ".as_ref()).into_string().unwrap();
        assert!(
            line.contains("-accel kvm -accel tcg") && line.contains("restrict=off"),
            "{line}"
        );
    }
}
