//! The search for secrets: in what programs print, in files and in processes, as they are and as programs write them. Knows
//! none of them by itself.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::support::files_below;

/// Fewest bytes of a secret of which a half is looked for too: less stands somewhere by chance.
const HALVED_MIN: usize = 24;

/// A form of a secret: a name, which is the secret's and after a comma its own, and the bytes.
pub type Form = (String, Vec<u8>);

/// A text as URLs have it.
pub fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// All forms of a secret; each once.
pub fn forms(name: &str, secret: &[u8]) -> Vec<Form> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let upper = hex.to_uppercase();
    let mut forms = vec![
        ("raw".to_owned(), secret.to_vec()),
        ("hex".to_owned(), hex.into_bytes()),
        ("upper hex".to_owned(), upper.into_bytes()),
    ];
    if let Ok(text) = std::str::from_utf8(secret) {
        let json = serde_json::to_string(text).unwrap();
        let json = &json[1..json.len() - 1];
        forms.push(("url".to_owned(), escaped(text).into_bytes()));
        forms.push(("json".to_owned(), json.as_bytes().to_vec()));
    }
    if secret.len() >= HALVED_MIN {
        let (first, second) = secret.split_at(secret.len() / 2);
        forms.push(("first half".to_owned(), first.to_vec()));
        forms.push(("second half".to_owned(), second.to_vec()));
    }
    for before in ["", "x", "xy"] {
        // The digits that are the secret's alone.
        let own = (8 * before.len()).div_ceil(6)..8 * (before.len() + secret.len()) / 6;
        let text = [before.as_bytes(), secret, b"!!"].concat();
        for (name, engine) in [("base64", STANDARD_NO_PAD), ("base64url", URL_SAFE_NO_PAD)] {
            let digits = engine.encode(&text).as_bytes()[own.clone()].to_vec();
            forms.push((format!("{name} after {} bytes", before.len()), digits));
        }
    }
    let mut distinct: Vec<Form> = Vec::new();
    for (form, bytes) in forms {
        if distinct.iter().all(|(_, found)| *found != bytes) {
            distinct.push((format!("{name}, {form}"), bytes));
        }
    }
    distinct
}

/// Where the number of a private key in DER is: all else is in other keys too, or public.
fn number(der: &[u8]) -> Range<usize> {
    // SEC 1: version 1, then the number as 32 octets.
    let begin = memchr::memmem::find(der, &[2, 1, 1, 4, 32]).expect("a key on P-256") + 5;
    begin..begin + 32
}

/// The number of a private key in DER; with it the DER is found, and what has that in base64 or hex.
pub fn of_der(name: &str, der: &[u8]) -> Vec<Form> {
    forms(name, &der[number(der)])
}

/// The same of one in PEM, and the digits of the number in the lines of the PEM.
pub fn of_private_key(name: &str, pem: &str) -> Vec<Form> {
    let der = rustls_pemfile::private_key(&mut pem.as_bytes());
    let der = der.unwrap().expect("a key in PEM");
    let mut all = of_der(name, der.secret_der());
    let number = number(der.secret_der());
    let own = (8 * number.start).div_ceil(6)..8 * number.end / 6;
    let lines = pem.lines().skip(1).enumerate();
    for (n, line) in lines {
        let begin = 64 * n;
        let part = own.start.max(begin)..own.end.min(begin + line.len());
        if !part.is_empty() {
            let part = &line[part.start - begin..part.end - begin];
            all.extend(forms(&format!("{name}, in line {n}"), part.as_bytes()));
        }
    }
    all
}

/// What is looked for.
pub struct Search {
    pub forms: Vec<Form>,
    all: AhoCorasick,
}

impl Search {
    /// For these, whose names have to tell them apart.
    pub fn of(forms: Vec<Form>) -> Self {
        let names: BTreeSet<&String> = forms.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), forms.len(), "{names:?}");
        let all = AhoCorasick::new(forms.iter().map(|(_, bytes)| bytes)).unwrap();
        Self { forms, all }
    }

    /// Names of all forms.
    pub fn every(&self) -> Vec<&str> {
        self.forms.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Names of the forms that are in these bytes.
    pub fn found_in(&self, bytes: impl AsRef<[u8]>) -> Vec<&str> {
        let mut found = vec![false; self.forms.len()];
        for one in self.all.find_overlapping_iter(&bytes) {
            found[one.pattern()] = true;
        }
        let every = self.every().into_iter().zip(found);
        every
            .filter_map(|(name, found)| found.then_some(name))
            .collect()
    }

    /// Files that hold a form, each with the forms.
    pub fn found_in_files(&self, files: Vec<PathBuf>) -> Vec<(PathBuf, Vec<&str>)> {
        let read = |path: &PathBuf| fs::read(path).unwrap_or_default();
        files
            .into_iter()
            .map(|path| (self.found_in(read(&path)), path))
            .filter(|(forms, _)| !forms.is_empty())
            .map(|(forms, path)| (path, forms))
            .collect()
    }

    /// The same of all files below these, of which there have to be some.
    #[track_caller]
    pub fn found_below(&self, roots: &[&Path]) -> Vec<(PathBuf, Vec<&str>)> {
        let files = files_below(roots);
        assert!(!files.is_empty(), "nothing to search below {roots:?}");
        self.found_in_files(files)
    }

    /// Command lines of all processes, and the environments of these.
    pub fn found_in_processes(&self, pids: &[&str]) -> Vec<(PathBuf, Vec<&str>)> {
        let environments = pids.iter().map(|pid| format!("/proc/{pid}/environ").into());
        self.found_in_files(command_lines().into_iter().chain(environments).collect())
    }
}

/// Where the command line of each process is.
pub fn command_lines() -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .map(|entry| entry.path().join("cmdline"))
        .collect()
}
