//! Where a job runs: `docker`, `machine`, `macos`.

use super::class::{self, Classes, Kind, Size};
use super::environment;
use crate::nearest::nearest;
use crate::pipeline::keys;
use crate::pipeline::plan::{Auth, Container, Executor};
use crate::pipeline::read::{Cursor, Map, words::words};
use crate::pipeline::report::Report;
use crate::pipeline::yaml::{Scalar, Value};

/// The executor of a job, with the keys that people write inside it.
pub(super) struct Read {
    pub executor: Executor,
    pub kind: Kind,
    pub class: Option<Cursor>,
    pub shell: Option<Cursor>,
}

/// Reads the executor of a job; notes an error if there is none, or more than one.
pub(super) fn read(job: &Map, report: &mut Report) -> Option<Read> {
    let given: Vec<Cursor> = ["docker", "machine", "macos"]
        .into_iter()
        .filter_map(|key| job.get(key))
        .collect();
    if let Some(second) = given.get(1) {
        report.error(
            &second.key_place(),
            "a job has one executor, this one names several",
        );
    }
    if let Some(value) = job.get("docker") {
        return docker(&value, report);
    }
    if let Some(value) = job.get("machine") {
        return machine(&value, report);
    }
    if let Some(value) = job.get("macos") {
        return macos(&value, report);
    }
    // The error that these keys are not run yet is enough.
    let is_later = ["executor", "windows", "type"]
        .into_iter()
        .any(|key| job.get(key).is_some());
    if !is_later && unknown(job).is_none() {
        let message = "the job names no executor".to_owned();
        report.error_hint(
            &job.at.key_place(),
            message,
            Some(format!("give it one of {}", keys::EXECUTORS)),
        );
    }
    None
}

/// The key of a job without executor that was meant to be one, as `gcloud:`.
pub(super) fn unknown(job: &Map) -> Option<(&str, Cursor)> {
    let known = ["docker", "machine", "macos", "executor", "windows", "type"];
    if known.into_iter().any(|key| job.get(key).is_some()) {
        return None;
    }
    job.iter().find(|(key, value)| {
        let meant = nearest(key, keys::JOB.all());
        let is_container = matches!(&*value.node.value, Value::Map(_) | Value::List(_));
        is_container
            && !keys::JOB.all().any(|known| known == *key)
            && keys::home(key, &keys::JOB).is_none()
            && meant.is_none_or(|meant| known.contains(&meant))
    })
}

fn docker(value: &Cursor, report: &mut Report) -> Option<Read> {
    // Seen in old files: one container without the dash.
    let items = match &*value.node.value {
        Value::Map(_) => vec![value.clone()],
        _ => value.list(report)?,
    };
    if items.is_empty() {
        report.error(&value.key_place(), "`docker` names no container");
    }
    let containers: Option<Vec<Container>> =
        items.iter().map(|item| container(item, report)).collect();
    let executor = Executor::Docker {
        containers: containers?,
    };
    Some(Read {
        executor,
        kind: Kind::Docker,
        class: None,
        shell: None,
    })
}

fn container(item: &Cursor, report: &mut Report) -> Option<Container> {
    let map = item.map(report)?;
    map.check(&keys::CONTAINER, report);
    let Some(image) = map.get("image") else {
        report.error(&item.place(), "a container needs the key `image`");
        return None;
    };
    Some(Container {
        image: image.text(report)?,
        name: map.get("name").and_then(|value| value.text(report)),
        entrypoint: line(&map, "entrypoint", report),
        command: line(&map, "command", report),
        user: map.get("user").and_then(|value| value.text(report)),
        environment: environment::read(&map, report).into_iter().collect(),
        auth: match map.get("auth") {
            Some(value) => Some(auth(&value, report)?),
            None => None,
        },
    })
}

fn auth(value: &Cursor, report: &mut Report) -> Option<Auth> {
    let map = value.map(report)?;
    map.check(&keys::AUTH, report);
    let mut read = |key: &str| match map.get(key) {
        Some(value) => value.text(report),
        None => {
            report.error(&value.key_place(), format!("`auth` needs the key `{key}`"));
            None
        }
    };
    let (username, password) = (read("username"), read("password"));
    Some(Auth {
        username: username?,
        password: password?,
    })
}

/// Words: a list as it is, a text split as a shell does.
fn line(map: &Map, key: &str, report: &mut Report) -> Vec<String> {
    match map.get(key) {
        None => Vec::new(),
        Some(value) if value.items().is_some() => value.texts(report),
        Some(value) => value
            .text(report)
            .map(|text| words(&text))
            .unwrap_or_default(),
    }
}

fn machine(value: &Cursor, report: &mut Report) -> Option<Read> {
    let mut read = Read {
        executor: Executor::Machine { image: None },
        kind: Kind::Machine,
        class: None,
        shell: None,
    };
    match value.node.scalar().map(Scalar::boolean) {
        Some(Some(true)) => return Some(read),
        Some(Some(false)) => {
            report.error(&value.place(), "`machine: false` names no executor");
            return None;
        }
        Some(None) => {
            read.executor = Executor::Machine {
                image: Some(value.text(report)?),
            };
            return Some(read);
        }
        None => {}
    }
    let map = value.map(report)?;
    map.check(&keys::MACHINE, report);
    if let Some(enabled) = map.get("enabled") {
        enabled.boolean(report)?;
    }
    if let Some(caching) = map.get("docker_layer_caching")
        && caching.boolean(report) == Some(true)
    {
        report.not_yet(&caching.key_place(), "`docker_layer_caching`");
    }
    let image = map.get("image").and_then(|image| image.text(report));
    read.executor = Executor::Machine { image };
    read.class = map.get("resource_class");
    read.shell = map.get("shell");
    Some(read)
}

fn macos(value: &Cursor, report: &mut Report) -> Option<Read> {
    let map = value.map(report)?;
    map.check(&keys::MACOS, report);
    if map.get("xcode").is_none() {
        report.error(&value.key_place(), "`macos` needs the key `xcode`");
    }
    report.warning(&value.key_place(), "no node here offers the executor macos");
    let executor = Executor::Other {
        name: "macos".to_owned(),
    };
    Some(Read {
        executor,
        kind: Kind::Other,
        class: map.get("resource_class"),
        shell: map.get("shell"),
    })
}

/// Reads a resource class: its name and size.
pub(super) fn class(
    value: &Cursor,
    kind: Kind,
    own: &Classes,
    report: &mut Report,
) -> Option<(String, Size)> {
    let name = value.text(report)?;
    if let Some(size) = own.get(&name).copied().or_else(|| class::find(kind, &name)) {
        return Some((name, size));
    }
    if kind == Kind::Other {
        return Some((name, class::default_size(kind)));
    }
    if class::is_known_elsewhere(&name) {
        report.not_yet(&value.place(), &format!("resource class `{name}`"));
        return None;
    }
    let names: Vec<String> = class::names(kind)
        .map(str::to_owned)
        .chain(own.keys().cloned())
        .collect();
    let hint = match nearest(&name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the classes are {}", names.join(", ")),
    };
    report.error_hint(
        &value.place(),
        format!("unknown resource class `{name}`"),
        Some(hint),
    );
    None
}
