//! Identities: what names a pipeline, a workflow, a job, an attempt and a node, and how a run is called on the fleet.
//!
//! Knows nothing of what the ids stand for beyond their shape. Ids of pipelines are made by the API client, the
//! others by the engine; all are UUIDv7, so they sort by the time they were made.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a fresh id; later ones sort after earlier ones of this process.
            #[must_use]
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }

            /// Returns the sixteen bytes, as the store keeps them.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Takes an id back from the sixteen bytes of the store; `None` on any other length.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// One acceptance of a revision: config compiled once, workflows below it. Chosen by the API client.
    PipelineId
);
uuid_id!(
    /// One pass over the job graph of a workflow; a rerun is a new workflow of the same pipeline.
    WorkflowId
);
uuid_id!(
    /// A node of a workflow's graph.
    JobId
);
uuid_id!(
    /// One try of one run (one parallel copy of a job).
    AttemptId
);
uuid_id!(
    /// A machine, or a rehearsal slice of one, that runs attempts.
    NodeId
);
uuid_id!(
    /// A repository that is looked at for new commits.
    WatchId
);
uuid_id!(
    /// A virtual machine of the VM provider: made before the provider is asked for it, and the tag that it carries there.
    VmId
);

/// A project's row number in the store; never shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(pub i64);

impl AttemptId {
    /// Returns when it was made, in ms since 1970: the first 48 bits of a UUIDv7 (RFC 9562, 5.7).
    #[must_use]
    pub fn made(&self) -> Timestamp {
        let (first, _) = self.0.as_u64_pair();
        Timestamp(i64::try_from(first >> 16).unwrap_or(i64::MAX))
    }

    /// Returns the last twelve hex digits: the `<id>` of a fleet name, and the fence between tries of one run.
    #[must_use]
    pub fn short(&self) -> String {
        self.0.as_simple().encode_lower(&mut [0; 32])[20..].to_owned()
    }
}

/// The longest part (`org`, `project`) of a fleet name, in characters.
const PART_MAX: usize = 40;

/// Builds the name of a run on the fleet, in the operations guide's form
/// `<id>-<index>-build-<org>-<project>-<number>`.
///
/// `index` counts the parallel copies from 0, `number` is the build number in the project. Anything in `org` and
/// `project` outside `[a-z0-9._-]` becomes `-`; an empty part becomes `-` too.
#[must_use]
pub fn fleet_name(attempt: AttemptId, index: u32, org: &str, project: &str, number: i64) -> String {
    let middle = format!("build-{}-{}", part(org), part(project));
    let mut name = String::new();
    write_fleet_name(&mut name, attempt, index, &middle, number);
    name
}

/// Appends a fleet name whose middle is as [`fleet_middle`] gives it.
pub(crate) fn write_fleet_name(
    out: &mut String,
    attempt: AttemptId,
    index: u32,
    middle: &str,
    number: i64,
) {
    out.push_str(&attempt.0.as_simple().encode_lower(&mut [0; 32])[20..]);
    // A string takes everything.
    let _ = write!(out, "-{index}-{middle}-{number}");
}

/// The middle of a fleet name: what runs of one project share. `None` when it is none.
pub(crate) fn fleet_middle(name: &str) -> Option<&str> {
    let (_, middle) = name.split_once('-')?.1.split_once('-')?;
    Some(middle.rsplit_once('-')?.0)
}

fn part(text: &str) -> String {
    let clean: String = text
        .chars()
        .take(PART_MAX)
        .map(|c| c.to_ascii_lowercase())
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '-'
            }
        })
        .collect();
    if clean.is_empty() {
        "-".to_owned()
    } else {
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_name_has_the_guides_form_and_only_safe_characters() {
        let attempt: AttemptId = "0190a0b1-c2d3-7e4f-8a5b-0123456789ab".parse().unwrap();
        assert_eq!(
            fleet_name(attempt, 3, "Acme Org", "web/app", 17),
            "0123456789ab-3-build-acme-org-web-app-17"
        );
        assert_eq!(
            fleet_name(attempt, 0, "", &"x".repeat(90), 1),
            format!("0123456789ab-0-build---{}-1", "x".repeat(40))
        );
        let name = fleet_name(attempt, 12, "acme-org", "web.app", 345);
        let middle = fleet_middle(&name).unwrap();
        assert_eq!(middle, "build-acme-org-web.app");
        let mut again = String::new();
        write_fleet_name(&mut again, attempt, 12, middle, 345);
        assert_eq!(again, name);
        assert_eq!(fleet_middle("something else"), None);
    }

    #[test]
    fn ids_survive_bytes_and_text() {
        let id = JobId::fresh();
        assert_eq!(JobId::from_slice(id.as_bytes()), Some(id));
        assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
        assert_eq!(JobId::from_slice(b"short"), None);
    }

    #[test]
    fn an_attempt_knows_when_it_was_made() {
        let attempt: AttemptId = "0190a0b1-c2d3-7e4f-8a5b-0123456789ab".parse().unwrap();
        assert_eq!(attempt.made(), Timestamp(0x0190_a0b1_c2d3));
        let now = crate::clock::now();
        assert!(AttemptId::fresh().made().0.abs_diff(now.0) < 60_000);
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<_> = (0..1000).map(|_| PipelineId::fresh()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
