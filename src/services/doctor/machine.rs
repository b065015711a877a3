//! The machine: its clock, control groups, git, the container engine, and the ports that Roundel listens on.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::data::holder;
use crate::api::doctor::Check;
use crate::clock;
use crate::containers::{Engine, EngineError};
use crate::error::{Chain, Explain};
use crate::processes::cgroup::Cgroup;
use crate::settings::bootstrap::{PORT, address};
use crate::vcs;

/// How long whoever listens may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// When this program was not yet written: a clock before that is wrong. 2026-01-01.
const BEGINNING_MS: i64 = 1_767_225_600_000;

/// The oldest git whose settings can come through the environment (release notes of 2.31).
const GIT: (u32, u32) = (2, 31);

/// Looks at all but the container engine, which is asked for an answer.
pub(super) fn checks(data: &Path, addresses: &[String]) -> Vec<Check> {
    let mut checks = vec![time(), groups(), git(vcs::version())];
    checks.extend(ports(data, addresses));
    checks
}

fn time() -> Check {
    let now = clock::now();
    if now.0 < BEGINNING_MS {
        let fix = "set the clock, and let chrony or systemd-timesyncd keep it";
        return Check::failed("clock", format!("it is {now}, which is past"), fix);
    }
    Check::ok("clock", format!("{now}, {}", now.local("%Z")))
}

fn groups() -> Check {
    let trial = Cgroup::create(&format!("doctor-{}", std::process::id()), 1000, 512);
    let (unlimited, kills) = (trial.unlimited.clone(), trial.can_kill());
    trial.remove();
    let kill = match kills {
        true => "what a job leaves running is ended by the kernel",
        false => "what a job leaves running is looked for and ended one by one",
    };
    match unlimited {
        None => Check::ok(
            "control groups",
            format!("limits of CPU and memory hold; {kill}"),
        ),
        Some(why) => Check::warning(
            "control groups",
            format!("{why}; {kill}"),
            "run the server as root: until then jobs on the host may use more than their class",
        ),
    }
}

fn git(version: Result<String, vcs::VcsError>) -> Check {
    let version = match version {
        Ok(version) => version,
        Err(err) => {
            let fix = err.hint().unwrap_or_else(|| "install git".to_owned());
            return Check::failed("git", Chain(&err).to_string(), fix);
        }
    };
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) < GIT => Check::failed(
            "git",
            format!("{version}; {}.{} is the oldest that will do", GIT.0, GIT.1),
            "install a newer git",
        ),
        _ => Check::ok("git", version),
    }
}

/// The ports of a server that listens for others.
fn ports(data: &Path, addresses: &[String]) -> Vec<Check> {
    if addresses.is_empty() {
        return vec![Check::ok(
            &format!("port {PORT}"),
            "not used: the server listens on its socket only (neither `listen` nor `public` is set)",
        )];
    }
    addresses.iter().map(|listen| port(data, listen)).collect()
}

/// The port of a server that listens for others, whether it runs or is yet to.
fn port(data: &Path, listen: &str) -> Check {
    let Some(address) = address(listen) else {
        let told = format!("`{listen}` is no address to listen on");
        return Check::failed("port", told, "write it as 0.0.0.0:8800");
    };
    let name = format!("port {}", address.port());
    if holder(data).is_some() {
        return match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) => Check::ok(&name, format!("the server listens on {address}")),
            Err(err) => Check::failed(
                &name,
                format!("the server runs, and {address} does not answer: {err}"),
                "look into its log; start it anew when it was set since",
            ),
        };
    }
    match TcpListener::bind(address) {
        Ok(_) => Check::ok(&name, format!("{address} is free")),
        Err(err) => Check::failed(
            &name,
            format!("{address} cannot be listened on: {err}"),
            "see who has it with `ss -ltnp`, or set another one",
        ),
    }
}

pub(super) fn engine(found: Result<&Engine, &EngineError>) -> Check {
    match found {
        Ok(engine) => Check::ok(
            "container engine",
            format!("{} at {}", engine.name, engine.socket.display()),
        ),
        Err(err) if err.is_absent() => {
            Check::warning("container engine", Chain(err).to_string(), err.help())
        }
        Err(err) => Check::failed("container engine", Chain(err).to_string(), err.help()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::doctor::Verdict;

    #[test]
    fn a_git_that_is_too_old_or_missing_fails() {
        for (version, verdict) in [
            ("2.30.9", Verdict::Failed),
            ("1.99.1", Verdict::Failed),
            ("2.31.0", Verdict::Ok),
            ("2.39.5", Verdict::Ok),
            ("3.0.0", Verdict::Ok),
            ("of the future", Verdict::Ok),
        ] {
            assert_eq!(git(Ok(version.to_owned())).verdict, verdict, "{version}");
        }
        let none = git(Err(vcs::VcsError::NoGit(
            std::io::ErrorKind::NotFound.into(),
        )));
        assert_eq!(none.verdict, Verdict::Failed);
        assert!(none.fix.unwrap().contains("install git"));
    }

    #[test]
    fn a_port_that_somebody_else_has_is_told() {
        let data = tempfile::tempdir().unwrap();
        let check = |listen: &str| port(data.path(), listen);
        assert_eq!(ports(data.path(), &[])[0].verdict, Verdict::Ok);
        assert_eq!(check("here").verdict, Verdict::Failed);
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let busy = check(&address);
        assert_eq!(busy.verdict, Verdict::Failed);
        assert!(busy.found.contains(&address), "{}", busy.found);
        drop(taken);
        assert_eq!(check(&address).verdict, Verdict::Ok);
        let both = ports(data.path(), &[address.clone(), address]);
        assert_eq!(both.len(), 2, "one for each");
    }

    #[test]
    fn a_machine_has_a_clock_and_whatever_groups_it_has_none_stays() {
        assert_eq!(time().verdict, Verdict::Ok);
        assert_ne!(groups().verdict, Verdict::Failed);
        let mine = format!("roundel-doctor-{}", std::process::id());
        assert!(!Path::new("/sys/fs/cgroup").join(mine).exists());
    }
}
