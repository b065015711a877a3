//! Amounts of cpu and memory in the words of reasons.

use std::fmt;

/// CPU in thousandths of a core, printed in cores without trailing zeros: `2`, `1.5`, `0.25`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cpu(pub u32);

/// Memory in MiB, printed in GB when it is a whole number of them, else in MB: `8 GB`, `1500 MB`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory(pub u32);

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 1000)?;
        match self.0 % 1000 {
            0 => Ok(()),
            part => write!(f, ".{}", format!("{part:03}").trim_end_matches('0')),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1024) {
            write!(f, "{} GB", self.0 / 1024)
        } else {
            write!(f, "{} MB", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_printed_exactly_and_without_needless_zeros() {
        let cpus = [0, 5, 250, 1000, 1500, 2000, 64_000].map(|millis| Cpu(millis).to_string());
        assert_eq!(cpus, ["0", "0.005", "0.25", "1", "1.5", "2", "64"]);
        let memories = [0, 512, 1024, 1500, 8192].map(|mb| Memory(mb).to_string());
        assert_eq!(memories, ["0 GB", "512 MB", "1 GB", "1500 MB", "8 GB"]);
    }
}
