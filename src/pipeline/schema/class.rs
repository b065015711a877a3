//! Resource classes: how much CPU and memory a job asks for.
//!
//! Reference: CircleCI's tables of 2019 and 2026, vCPU and GB.

use std::collections::BTreeMap;

/// CPU and memory asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Thousandths of a core.
    pub cpu_millis: u32,
    /// MiB.
    pub memory_mb: u32,
}

/// Classes of an installation's own, by name: they hold for every executor, before CircleCI's of the same name.
pub type Classes = BTreeMap<String, Size>;

/// Whose classes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Docker,
    Machine,
    /// Executors no node offers: any class will do.
    Other,
}

/// The classes of a kind: name, vCPU, MiB.
type Table = &'static [(&'static str, u32, u32)];

const DOCKER: Table = &[
    ("small", 1, 2048),
    ("medium", 2, 4096),
    ("medium+", 3, 6144),
    ("large", 4, 8192),
    ("xlarge", 8, 16_384),
    ("2xlarge", 16, 32_768),
    ("2xlarge+", 20, 40_960),
];

const MACHINE: Table = &[
    ("medium", 2, 7680),
    ("large", 4, 15_360),
    ("xlarge", 8, 32_768),
    ("2xlarge", 16, 65_536),
    ("2xlarge+", 32, 65_536),
];

/// CircleCI's `medium` for macOS until 2023; no run of this kind is ever placed here.
const OTHER: Table = &[("medium", 4, 8192), ("large", 8, 16_384)];

fn table(kind: Kind) -> Table {
    match kind {
        Kind::Docker => DOCKER,
        Kind::Machine => MACHINE,
        Kind::Other => OTHER,
    }
}

/// The size of the class `medium`, the default of every kind.
pub(crate) fn default_size(kind: Kind) -> Size {
    find(kind, "medium").expect("every table has `medium`")
}

/// The size of a class, with or without a generation (`large.gen2`).
pub(crate) fn find(kind: Kind, name: &str) -> Option<Size> {
    let plain = match name.rsplit_once(".gen") {
        Some((plain, generation)) if generation.parse::<u8>().is_ok() => plain,
        _ => name,
    };
    let row = table(kind).iter().find(|row| row.0 == plain);
    row.map(|&(_, cpus, memory_mb)| Size {
        cpu_millis: cpus * 1000,
        memory_mb,
    })
}

/// The names of the classes of a kind.
pub(crate) fn names(kind: Kind) -> impl Iterator<Item = &'static str> {
    table(kind).iter().map(|row| row.0)
}

/// Whether CircleCI has the class for hardware or hosts that Roundel does not offer: arm, GPU, Windows, macOS, a
/// self-hosted runner (`namespace/name`).
pub(crate) fn is_known_elsewhere(name: &str) -> bool {
    let prefixes = ["arm.", "gpu.", "windows.", "macos.", "m4pro.", "m2pro."];
    name.contains('/') || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_the_sizes_of_the_reference() {
        let cases = [
            (Kind::Docker, "small", Some((1000, 2048))),
            (Kind::Docker, "medium+", Some((3000, 6144))),
            (Kind::Docker, "large.gen2", Some((4000, 8192))),
            (Kind::Machine, "medium", Some((2000, 7680))),
            (Kind::Machine, "small", None),
            (Kind::Docker, "large.genx", None),
            (Kind::Docker, "", None),
        ];
        for (kind, name, size) in cases {
            let found = find(kind, name).map(|size| (size.cpu_millis, size.memory_mb));
            assert_eq!(found, size, "{kind:?} {name}");
        }
        for kind in [Kind::Docker, Kind::Machine, Kind::Other] {
            assert!(default_size(kind).cpu_millis >= 2000);
        }
    }
}
