//! The VM provider, where it does not do what is asked of it.

use super::{Concern, Spot, Urgency, runs};
use crate::engine::VmsStand;

/// What is the matter, until something goes well; urgent while runs wait for a VM.
pub(super) fn concern(stand: &VmsStand) -> Option<Concern> {
    let why = stand.failure.as_ref()?;
    let waiting = stand.waiting as u64;
    Some(Concern {
        urgency: match waiting {
            0 => Urgency::Soon,
            _ => Urgency::Now,
        },
        since: stand.failing_since,
        text: match waiting {
            0 => format!("the VM provider fails: {why}"),
            n => format!("{} for a VM, and the VM provider fails: {why}", waits(n)),
        },
        help: match stand.field {
            Some(key) => format!("see {key}; roundel vm test looks step by step"),
            None => {
                "roundel vm test looks step by step; roundel vm list says how it stands".to_owned()
            }
        },
        spot: Spot::Settings("vm"),
    })
}

fn waits(n: u64) -> String {
    format!("{} {}", runs(n), if n == 1 { "waits" } else { "wait" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn what_fails_is_told_until_it_goes_well_and_presses_while_runs_wait() {
        let mut stand = VmsStand::default();
        assert_eq!(concern(&stand), None);
        stand.failure = Some("no room".to_owned());
        stand.failing_since = Some(Timestamp(7));
        let told = concern(&stand).unwrap();
        assert_eq!(
            (told.urgency, told.text.as_str(), told.since),
            (
                Urgency::Soon,
                "the VM provider fails: no room",
                Some(Timestamp(7))
            )
        );
        stand.waiting = 2;
        stand.field = Some("vm.instance_type");
        let told = concern(&stand).unwrap();
        assert_eq!(told.urgency, Urgency::Now);
        assert_eq!(
            told.text,
            "2 runs wait for a VM, and the VM provider fails: no room"
        );
        assert!(told.help.contains("vm.instance_type"), "{}", told.help);
        assert_eq!(told.spot, Spot::Settings("vm"));
    }
}
