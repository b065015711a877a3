//! Where the steps of `machine` jobs run, as the settings of the VM provider have it.

use std::path::PathBuf;
use std::time::Duration;

use crate::api::agent::{Guest, Vm};
use crate::settings::value::Values;

/// What the settings say of `machine` jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Machines {
    /// They run as processes of this machine.
    Process,
    /// They run in machines of their own.
    Vm(Vm),
    /// They are refused: a sentence without a period that names the setting.
    Refused(String),
}

impl Machines {
    /// Reads the settings.
    pub(super) fn of(values: &Values) -> Self {
        let timeout = |key: &str| Duration::from_millis(values.number(key)).as_secs().max(1);
        match values.text("vm.provider").as_str() {
            "none" => Self::Refused(REFUSED.to_owned()),
            "ec2" => Self::Vm(Vm {
                guest: None,
                ssh_timeout_s: timeout("vm.ssh_timeout_ms"),
            }),
            _ if values.has("vm.on_host_image") => Self::Vm(Vm {
                guest: Some(guest(values)),
                ssh_timeout_s: timeout("vm.on_host_timeout_ms"),
            }),
            _ => Self::Process,
        }
    }
}

/// Why `machine` jobs do not run, and what to do.
const REFUSED: &str = "jobs with the machine executor are refused: `vm.provider` is `none`; `roundel settings set \
                       vm.provider on_host`, or `ec2`, and `roundel settings save` change that";

/// Why a `machine` job would be refused; `None` when it would not. Cheaper than [`Machines::of`]: it is asked for each run.
pub(super) fn refused(values: &Values) -> Option<&'static str> {
    (values.text("vm.provider") == "none").then_some(REFUSED)
}

fn guest(values: &Values) -> Guest {
    let size = |key: &str| u32::try_from(values.number(key)).unwrap_or(u32::MAX);
    Guest {
        image: PathBuf::from(values.text("vm.on_host_image")),
        memory_mb: size("vm.on_host_memory_mb"),
        cpus: size("vm.on_host_cpus"),
        user: values.text("vm.on_host_user"),
        network: values.on("vm.on_host_network"),
        emulate: values.on("vm.on_host_emulate"),
        run_as: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_set_is_a_process_and_none_is_refused_by_name() {
        assert_eq!(Machines::of(&Values::default()), Machines::Process);
        let none = Values::typed(&[("vm.provider", "none"), ("vm.on_host_image", "/x")]);
        assert_eq!(Machines::of(&none), Machines::Refused(REFUSED.to_owned()));
        assert!(refused(&none).is_some_and(|why| why.contains("`vm.provider`")));
        assert_eq!(refused(&Values::default()), None);
        let lent = Vm {
            guest: None,
            ssh_timeout_s: 180,
        };
        let ec2 = Values::typed(&[("vm.provider", "ec2"), ("vm.on_host_image", "/x")]);
        assert_eq!(Machines::of(&ec2), Machines::Vm(lent));
    }

    #[test]
    fn an_image_makes_guests() {
        let given = Values::typed(&[
            ("vm.on_host_image", "/images/ci.qcow2"),
            ("vm.on_host_network", "false"),
        ]);
        let Machines::Vm(Vm {
            guest: Some(guest),
            ssh_timeout_s: 300,
        }) = Machines::of(&given)
        else {
            panic!("{:?}", Machines::of(&given));
        };
        assert_eq!((guest.cpus, guest.memory_mb), (2, 4096));
        assert_eq!(guest.user, "circleci");
        assert!(!guest.network && !guest.emulate);
    }
}
