//! What a backup says of itself: the facts, and a list of sums that `sha256sum -c` reads as well.
//!
//! Knows nothing of databases and logs; it lists files.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;

/// Name of the file of facts.
pub const FACTS: &str = "backup.json";

/// Name of the list of sums; it covers every other file.
pub const SUMS: &str = "SHA256SUMS";

/// Number of the form of a backup that this build writes and reads.
pub const FORM: u32 = 1;

/// `backup.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `FORM`.
    pub form: u32,
    /// Version of the Roundel that wrote it.
    pub version: String,
    /// Id of the installation.
    pub data_id: String,
    /// Number of the database's schema.
    pub schema: u32,
    /// Order of the newest change in it.
    pub seq: i64,
    /// Pipelines in it.
    pub pipelines: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether the logs are in it; else they stay where they are.
    pub logs: bool,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Small hexadecimal digits.
    pub sha256: String,
    /// Relative, with `/`.
    pub path: String,
}

/// Writes the list as `sha256sum` does.
#[must_use]
pub fn write(sums: &[Sum]) -> String {
    sums.iter()
        .map(|sum| format!("{}  {}\n", sum.sha256, sum.path))
        .collect()
}

/// Reads a list. Paths that would lead out of the backup are no part of one.
#[must_use]
pub fn read(text: &str) -> Option<Vec<Sum>> {
    text.lines()
        .map(|line| {
            let (sha256, path) = line.split_once("  ")?;
            let is_sum = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
            let stays = Path::new(path)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            (is_sum && stays && !path.is_empty()).then(|| Sum {
                sha256: sha256.to_owned(),
                path: path.to_owned(),
            })
        })
        .collect()
}

/// The sum of a file, and its length.
///
/// # Errors
/// When it cannot be read.
pub fn sum(path: &Path) -> io::Result<(String, u64)> {
    pour(&mut File::open(path)?, &mut io::sink(), u64::MAX)
}

/// Copies at most `limit` bytes; answers their sum and their number.
///
/// # Errors
/// When either end fails.
pub fn pour(from: &mut impl Read, to: &mut impl Write, limit: u64) -> io::Result<(String, u64)> {
    let mut digest = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; 256 * 1024];
    let mut from = from.take(limit);
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
            Err(err) => return Err(err),
        };
        digest.update(&buffer[..n]);
        to.write_all(&buffer[..n])?;
        length += n as u64;
    }
    let hex = digest.finalize().iter().fold(String::new(), |mut text, b| {
        text.push_str(&format!("{b:02x}"));
        text
    });
    Ok((hex, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_as_it_is_written() {
        let (sha256, length) = pour(&mut &b"hello"[..], &mut io::sink(), 5).unwrap();
        assert_eq!(length, 5);
        assert!(sha256.starts_with("2cf24dba5fb0a30e"));
        let sums = vec![Sum {
            sha256,
            path: "logs/a/1.log".into(),
        }];
        assert_eq!(read(&write(&sums)), Some(sums));
    }

    #[test]
    fn a_path_out_of_the_backup_is_no_part_of_a_list() {
        let sum = "0".repeat(64);
        for path in ["../a", "/etc/passwd", "logs/../../a", ""] {
            assert_eq!(read(&format!("{sum}  {path}\n")), None, "{path}");
        }
        assert_eq!(read("short  a\n"), None);
        assert_eq!(read("no list"), None);
    }
}
