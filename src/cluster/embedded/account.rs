//! Accounts of this machine, from `/etc/passwd` (directory services are not asked: a job's account must be local).

use crate::api::agent::RunAs;
use crate::ids::AttemptId;

/// The text of the accounts file; empty when it cannot be read.
fn passwd() -> String {
    std::fs::read_to_string("/etc/passwd").unwrap_or_default()
}

/// Name of a user id; the number itself when nobody has it.
#[must_use]
pub fn name_of(uid: u32) -> String {
    accounts(&passwd())
        .find(|account| account.uid == uid)
        .map_or_else(|| uid.to_string(), |account| account.name)
}

/// An account by name.
#[must_use]
pub fn find(name: &str) -> Option<RunAs> {
    accounts(&passwd()).find(|account| account.name == name)
}

/// The first of the group ids that runs get. Above what adduser, systemd and ranges of containers give out, and below
/// 2^31, from where on some programs take a number for a negative one.
const GROUPS_FROM: u32 = 1_900_000_000;

/// How many there are.
const GROUPS: u32 = 200_000_000;

/// The group of a run's own. Two runs of one moment have the same one once in 200 million.
#[must_use]
pub fn group_of(attempt: AttemptId) -> u32 {
    let [.., a, b, c, d] = *attempt.as_bytes();
    GROUPS_FROM + u32::from_be_bytes([a, b, c, d]) % GROUPS
}

fn accounts(text: &str) -> impl Iterator<Item = RunAs> + '_ {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(RunAs { name, uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_a_group_that_nobody_else_has() {
        let groups: Vec<u32> = (0..100).map(|_| group_of(AttemptId::fresh())).collect();
        assert!(
            groups
                .iter()
                .all(|gid| (GROUPS_FROM..1 << 31).contains(gid))
        );
        let mut different = groups.clone();
        different.sort_unstable();
        different.dedup();
        assert!(different.len() > 98, "{groups:?}");
    }

    #[test]
    fn accounts_are_read_from_the_usual_form() {
        let text = "root:x:0:0:root:/root:/bin/bash\nbroken\nann:x:1000:1001::/home/ann:/bin/sh\n";
        let found: Vec<_> = accounts(text).map(|a| (a.name, a.uid, a.gid)).collect();
        assert_eq!(
            found,
            [("root".to_owned(), 0, 0), ("ann".to_owned(), 1000, 1001)]
        );
    }
}
