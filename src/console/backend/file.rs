//! What a form of settings needs besides the server's windows: texts of files of this machine, paths that are being
//! typed, tests that are told step by step, and certificates of others and of one's own.

use std::io::Read;
use std::path::Path;

use roundel::api::certificates::FetchChain;
use roundel::api::trial::Try;
use roundel::certificates::authorities;
use roundel::client::{Client, ClientError};
use roundel::clock;
use roundel::error::Kind;
use roundel::secret::Secret;
use roundel::services::ca;
use roundel::services::tls::make;
use roundel::settings::value::TEXT_MAX;
use tokio::sync::mpsc;

use super::fetch::{failure, refused};
use super::write::expanded;
use crate::console::action::{SelfSigned, TryOut};
use crate::console::event::{Event, Failure, Tried};
use crate::console::overlays;

/// Paths that a typed one may go on with: as many as anybody looks through.
const PATHS_MAX: usize = 40;
/// Entries of a directory that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// Reads a file for a setting, and reports.
pub(super) async fn load(key: String, path: String, events: mpsc::Sender<Event>) {
    let file = expanded(&path);
    let read = tokio::task::spawn_blocking(move || text_of(&file)).await;
    // It neither panics nor is it cancelled.
    let text = read.unwrap_or_else(|_| Err(Failure::new(Kind::Internal, "the file was not read")));
    _ = events.send(Event::Loaded { key, path, text }).await;
}

fn text_of(path: &Path) -> Result<Secret, Failure> {
    let name = path.display();
    let failed = |err: std::io::Error| Failure::new(Kind::NotFound, format!("{name}: {err}"));
    let no_text = |why: &str| Failure::new(Kind::Usage, format!("{name} {why}"));
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(no_text("is no file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(TEXT_MAX as u64 + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() > TEXT_MAX {
        return Err(no_text(&format!("is longer than {} KB", TEXT_MAX / 1024)));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        let why = no_text("is no text");
        let hint = "certificates and keys are taken in PEM: openssl turns DER and PKCS#12 into it";
        Failure {
            hint: Some(hint.to_owned()),
            ..why
        }
    })?;
    Ok(Secret::new(text))
}

/// Finds what a typed path could go on with, and reports.
pub(super) async fn complete(typed: String, events: mpsc::Sender<Event>) {
    let asked = typed.clone();
    let found = tokio::task::spawn_blocking(move || paths(&asked)).await;
    let paths = found.unwrap_or_default();
    _ = events.send(Event::Completed { typed, paths }).await;
}

/// The paths that begin so, in their order; directories end in `/`.
fn paths(typed: &str) -> Vec<String> {
    let (folder, begun) = typed
        .rfind('/')
        .map_or(("", typed), |at| typed.split_at(at + 1));
    let dir = expanded(if folder.is_empty() { "." } else { folder });
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut found: Vec<String> = entries
        .take(ENTRIES_MAX)
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            // Hidden ones are meant where somebody typed the dot.
            let hidden = name.starts_with('.') && !begun.starts_with('.');
            let is_dir = std::fs::metadata(entry.path()).is_ok_and(|about| about.is_dir());
            let end = if is_dir { "/" } else { "" };
            (name.starts_with(begun) && !hidden).then(|| format!("{folder}{name}{end}"))
        })
        .collect();
    found.sort();
    found.truncate(PATHS_MAX);
    found
}

/// Puts values to their test, and reports each step as it ends.
pub(super) async fn try_out(client: Option<Client>, what: TryOut, events: mpsc::Sender<Event>) {
    let number = what.number;
    let end = match client {
        Some(client) => match steps(&client, what, &events).await {
            Ok(()) => None,
            Err(err) => Some(refused(&err)),
        },
        None => Some(Failure::new(Kind::NoServer, "no server answers")),
    };
    _ = events.send(Event::Tried(number, Tried::End(end))).await;
}

async fn steps(
    client: &Client,
    what: TryOut,
    events: &mpsc::Sender<Event>,
) -> Result<(), ClientError> {
    let number = what.number;
    let wanted = Try {
        test: what.test,
        changes: what.edits.changes(),
        words: what.words,
    };
    let mut steps = client.test_settings(&wanted).await?;
    while let Some(step) = steps.next().await {
        _ = events.send(Event::Tried(number, Tried::Step(step?))).await;
    }
    Ok(())
}

/// Has the server fetch what a host shows, and reports.
pub(super) async fn fetch_chain(
    client: Option<Client>,
    place: String,
    events: mpsc::Sender<Event>,
) {
    let wanted = FetchChain {
        place: place.clone(),
    };
    let chain = match client {
        Some(client) => client
            .fetch_chain(&wanted)
            .await
            .map_err(|err| refused(&err)),
        None => Err(Failure::new(Kind::NoServer, "no server answers")),
    };
    _ = events.send(Event::Fetched { place, chain }).await;
}

/// Makes a certificate that signs itself, and reports.
pub(super) async fn self_sign(names: String, events: mpsc::Sender<Event>) {
    let hosts: Vec<String> = overlays::prompt::names(&names).map(str::to_owned).collect();
    let made = tokio::task::spawn_blocking(move || self_signed(&hosts)).await;
    // It neither panics nor is it cancelled.
    let made = made.unwrap_or_else(|_| Err(Failure::new(Kind::Internal, "none was made")));
    _ = events.send(Event::Made { names, made }).await;
}

fn self_signed(hosts: &[String]) -> Result<SelfSigned, Failure> {
    let made = make::self_signed(hosts, make::DAYS, clock::now()).map_err(|err| failure(&err))?;
    let read = authorities(made.certificate.as_bytes()).path;
    let shown = read.first().map(ca::shown);
    Ok(SelfSigned {
        shown: shown.ok_or_else(|| Failure::new(Kind::Internal, "what was made is none"))?,
        certificate: made.certificate,
        key: made.key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_when_it_is_a_text_that_a_setting_can_hold() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let good = text_of(&file("a", b"one\n")).unwrap();
        assert_eq!(good.expose(), "one\n");
        let binary = text_of(&file("b", &[0xff, 0xfe])).unwrap_err();
        assert!(binary.text.ends_with("is no text") && binary.hint.is_some());
        let long = text_of(&file("c", &vec![b'x'; TEXT_MAX + 1])).unwrap_err();
        assert!(long.text.contains("longer than"), "{}", long.text);
        assert!(
            text_of(dir.path())
                .unwrap_err()
                .text
                .ends_with("is no file")
        );
        assert!(text_of(&dir.path().join("none")).is_err());
    }

    #[test]
    fn a_path_goes_on_with_what_begins_so() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("certs")).unwrap();
        for name in ["cert.pem", "key.pem", ".hidden"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let at = |typed: &str| paths(&format!("{}/{typed}", dir.path().display()));
        let ends = |typed: &str| -> Vec<String> {
            let short = |path: String| path.rsplit('/').find(|p| !p.is_empty()).unwrap().to_owned();
            at(typed).into_iter().map(short).collect()
        };
        assert_eq!(ends("cert"), ["cert.pem", "certs"]);
        assert!(at("certs")[0].ends_with("certs/"));
        assert_eq!(ends(""), ["cert.pem", "certs", "key.pem"]);
        assert_eq!(ends(".h"), [".hidden"]);
        assert!(at("none").is_empty());
    }
}
