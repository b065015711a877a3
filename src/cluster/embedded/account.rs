//! Accounts of this machine, from `/etc/passwd` (directory services are not asked: a job's account must be local).

use crate::api::agent::RunAs;

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
    fn accounts_are_read_from_the_usual_form() {
        let text = "root:x:0:0:root:/root:/bin/bash\nbroken\nann:x:1000:1001::/home/ann:/bin/sh\n";
        let found: Vec<_> = accounts(text).map(|a| (a.name, a.uid, a.gid)).collect();
        assert_eq!(
            found,
            [("root".to_owned(), 0, 0), ("ann".to_owned(), 1000, 1001)]
        );
    }
}
