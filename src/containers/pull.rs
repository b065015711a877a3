//! Images: those that are here are used as they are, the others are pulled, with progress and a clear error for each
//! way in which that fails.

use std::collections::{HashMap, HashSet};

use bollard::auth::DockerCredentials;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;

use super::{Engine, is_missing, said};

/// Why an image is not here and cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The name cannot be one of an image.
    Name,
    /// The registry does not have it.
    NoSuchImage,
    /// There is none for this kind of machine.
    Platform,
    /// The registry wants to know who asks, or does not let this one in.
    Denied,
    /// Too many pulls for this account or address.
    RateLimit,
    /// The registry's certificate is not trusted.
    Certificate,
    /// The registry cannot be reached.
    Network,
    /// The engine has no room.
    DiskFull,
    /// The engine itself went away.
    Engine,
    /// Something else.
    Other,
}

/// An image that is not here and cannot be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("image {image}: {}: {said}{}", fault.words(), fault.help())]
pub struct PullError {
    /// The image as written.
    pub image: String,
    /// What kind of thing is wrong.
    pub fault: Fault,
    /// What the engine said.
    pub said: String,
}

impl Fault {
    /// What the engine's words mean. Docker and Podman, and the registries behind them, have no codes for it.
    fn of(text: &str) -> Self {
        // In this order: a refusal is often worded as "does not exist or may require authorization".
        const SIGNS: &[(Fault, &[&str])] = &[
            (
                Fault::DiskFull,
                &["no space left on device", "disk quota exceeded"],
            ),
            (
                Fault::RateLimit,
                &["toomanyrequests", "rate limit", "429 too many"],
            ),
            (
                Fault::Certificate,
                &[
                    "x509:",
                    "certificate signed by unknown",
                    "certificate verify",
                    "http response to https client",
                ],
            ),
            (
                Fault::Name,
                &[
                    "invalid reference format",
                    "repository name must",
                    "invalid repository name",
                    "parsing reference",
                ],
            ),
            (
                Fault::Network,
                &[
                    "no such host",
                    "dial tcp",
                    "dial udp",
                    "connection refused",
                    "network is unreachable",
                    "i/o timeout",
                    "tls handshake timeout",
                    "server misbehaving",
                    "temporary failure in name resolution",
                    "connection reset",
                    "client.timeout",
                    "eof",
                    "no route to host",
                    "proxyconnect",
                ],
            ),
            (
                Fault::Platform,
                &[
                    "no matching manifest",
                    "does not match the specified platform",
                    "no image found in",
                ],
            ),
            (
                Fault::Denied,
                &[
                    "access denied",
                    "denied:",
                    "unauthorized",
                    "authentication required",
                    "no basic auth credentials",
                    "incorrect username or password",
                    "forbidden",
                ],
            ),
            (
                Fault::NoSuchImage,
                &[
                    "not found",
                    "manifest unknown",
                    "no such image",
                    "name unknown",
                    "does not exist",
                ],
            ),
        ];
        let text = text.to_lowercase();
        SIGNS
            .iter()
            .find(|(_, signs)| signs.iter().any(|sign| text.contains(sign)))
            .map_or(Fault::Other, |(fault, _)| *fault)
    }

    fn words(self) -> &'static str {
        match self {
            Fault::Name => "that is no name of an image",
            Fault::NoSuchImage => "the registry has no such image",
            Fault::Platform => "there is none for this kind of machine",
            Fault::Denied => "the registry refused it",
            Fault::RateLimit => "the registry takes no more pulls for a while",
            Fault::Certificate => "the registry's certificate is not trusted",
            Fault::Network => "the registry cannot be reached",
            Fault::DiskFull => "the container engine's disk is full",
            Fault::Engine => "the container engine went away",
            Fault::Other => "it cannot be pulled",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Fault::Denied => {
                "; give the container `auth` with `username` and `password`, or check the name: registries also refuse \
                 what does not exist"
            }
            Fault::RateLimit => "; `auth` with an account of the registry has a limit of its own",
            Fault::Network => "; an image that this machine has is used without a registry",
            Fault::DiskFull => "; `docker system prune` frees what no container uses",
            Fault::Certificate => {
                "; the engine, not Roundel, must trust it: see `/etc/docker/certs.d`"
            }
            _ => "",
        }
    }

    /// It is for the author of the config to mend, not for whoever looks after the machine.
    #[must_use]
    pub fn is_of_the_config(self) -> bool {
        matches!(
            self,
            Fault::Name | Fault::NoSuchImage | Fault::Platform | Fault::Denied
        )
    }
}

/// An image that is here.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Beginning of its id.
    pub id: String,
    /// When it was made, as the engine writes it; may be empty.
    pub made: String,
    /// Its container starts with its own entry point, whatever a job needs.
    pub keeps_entrypoint: bool,
}

/// The label by which an image says that its own entry point is to be kept.
const PRESERVE: &str = "com.circleci.preserve-entrypoint";

/// The image, if the engine has it.
///
/// # Errors
/// When the engine does not answer, or cannot read the name.
pub async fn look(engine: &Engine, image: &str) -> Result<Option<Image>, PullError> {
    let found = match engine.api.inspect_image(&with_tag(image)).await {
        Ok(found) => found,
        Err(err) if is_missing(&err) => return Ok(None),
        Err(err) => return Err(failed(image, &err)),
    };
    let id = found.id.unwrap_or_default();
    let labels = found.config.and_then(|config| config.labels);
    Ok(Some(Image {
        id: id.trim_start_matches("sha256:").chars().take(12).collect(),
        made: found
            .created
            .map(|made| made.to_string())
            .unwrap_or_default(),
        keeps_entrypoint: labels
            .is_some_and(|labels| labels.get(PRESERVE).is_some_and(|value| value == "true")),
    }))
}

/// Pulls an image; `say` hears of its progress, a line at a time.
///
/// # Errors
/// See [`Fault`].
///
/// # Cancel safety
/// Dropping the future ends the pull; the layers that came are kept by the engine.
pub async fn pull<F: Future<Output = ()>>(
    engine: &Engine,
    image: &str,
    login: Option<(String, String)>,
    mut say: impl FnMut(String) -> F,
) -> Result<(), PullError> {
    let options = CreateImageOptionsBuilder::new()
        .from_image(&with_tag(image))
        .build();
    let credentials = login.map(|(username, password)| DockerCredentials {
        username: Some(username),
        password: Some(password),
        serveraddress: Some(registry(image)),
        ..DockerCredentials::default()
    });
    let mut progress = Progress {
        podman: engine.is_podman(),
        ..Progress::default()
    };
    let mut stream = engine.api.create_image(Some(options), None, credentials);
    while let Some(item) = stream.next().await {
        let item = item.map_err(|err| failed(image, &err))?;
        let (current, total) = item
            .progress_detail
            .map_or((None, None), |detail| (detail.current, detail.total));
        let id = item.id.unwrap_or_default();
        let status = item.status.unwrap_or_default();
        if let Some(line) = progress.take(&id, &status, current, total) {
            say(line).await;
        }
    }
    Ok(())
}

fn failed(image: &str, err: &bollard::errors::Error) -> PullError {
    use bollard::errors::Error;
    let said = said(err);
    let fault = match err {
        Error::DockerResponseServerError { .. } | Error::DockerStreamError { .. } => {
            Fault::of(&said)
        }
        _ => Fault::Engine,
    };
    PullError {
        image: image.to_owned(),
        fault,
        said,
    }
}

/// What a pull tells, thinned out: each layer once when it is here, and how much has come at each further tenth.
#[derive(Default)]
struct Progress {
    layers: HashMap<String, (i64, i64)>,
    done: HashSet<String>,
    tenths: i64,
    /// Podman tells no more of a part than that it was downloaded, and counts what describes the image among them.
    podman: bool,
}

impl Progress {
    fn take(
        &mut self,
        id: &str,
        status: &str,
        current: Option<i64>,
        total: Option<i64>,
    ) -> Option<String> {
        match status {
            "Downloading" => {
                let known = self.layers.entry(id.to_owned()).or_default();
                *known = (current.unwrap_or(known.0), total.unwrap_or(known.1));
                let (here, all) = self
                    .layers
                    .values()
                    .fold((0, 0), |sum, layer| (sum.0 + layer.0, sum.1 + layer.1));
                let tenths = if all > 0 { here * 10 / all } else { 0 };
                if tenths <= self.tenths {
                    return None;
                }
                self.tenths = tenths;
                Some(format!("  {} of {} MB", megabytes(here), megabytes(all)))
            }
            "Pull complete" | "Already exists" => {
                if let Some(layer) = self.layers.get_mut(id) {
                    layer.0 = layer.1;
                }
                self.here(id)
            }
            "Download complete" if self.podman => self.here(id),
            _ if status.starts_with("Digest:") || status.starts_with("Status:") => {
                Some(format!("  {status}"))
            }
            _ => None,
        }
    }

    fn here(&mut self, id: &str) -> Option<String> {
        let what = if self.podman { "part" } else { "layer" };
        let new = self.done.insert(id.to_owned());
        new.then(|| format!("  {what} {} is here ({id})", self.done.len()))
    }
}

fn megabytes(bytes: i64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A name with the tag that a name without one means: an engine that is given none pulls all there are.
fn with_tag(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') || image.contains('@') {
        image.to_owned()
    } else {
        format!("{image}:latest")
    }
}

/// The registry of an image: its first part, when that can be a host.
fn registry(image: &str) -> String {
    const HUB: &str = "https://index.docker.io/v1/";
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host.to_owned(),
        _ => HUB.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_which_a_pull_fails_has_its_own_words() {
        // As Docker 20.10 to 28, Podman 4 and their registries say it.
        let cases = [
            (
                "manifest for alpine:nope not found: manifest unknown: manifest unknown",
                Fault::NoSuchImage,
            ),
            ("No such image: x:latest", Fault::NoSuchImage),
            (
                "pull access denied for nosuch, repository does not exist or may require 'docker login': denied: \
                 requested access to the resource is denied",
                Fault::Denied,
            ),
            (
                "Head \"https://registry.example.com/v2/a/manifests/1\": unauthorized: authentication required",
                Fault::Denied,
            ),
            (
                "Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused",
                Fault::Network,
            ),
            (
                "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host",
                Fault::Network,
            ),
            (
                "Get \"https://registry.example.com/v2/\": net/http: TLS handshake timeout",
                Fault::Network,
            ),
            (
                "Get \"https://registry.example.com/v2/\": EOF",
                Fault::Network,
            ),
            (
                "Get \"https://r.example.com/v2/\": x509: certificate signed by unknown authority",
                Fault::Certificate,
            ),
            (
                "write /var/lib/docker/tmp/GetImageBlob1: no space left on device",
                Fault::DiskFull,
            ),
            (
                "toomanyrequests: You have reached your pull rate limit.",
                Fault::RateLimit,
            ),
            (
                "no matching manifest for linux/amd64 in the manifest list entries",
                Fault::Platform,
            ),
            (
                "invalid reference format: repository name must be lowercase",
                Fault::Name,
            ),
            ("something new", Fault::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(Fault::of(text), expected, "{text}");
            let err = PullError {
                image: "a:1".to_owned(),
                fault: expected,
                said: text.to_owned(),
            };
            let said = err.to_string();
            assert!(
                said.starts_with("image a:1: ") && said.contains(text),
                "{said}"
            );
        }
        assert!(Fault::NoSuchImage.is_of_the_config() && !Fault::Network.is_of_the_config());
    }

    #[test]
    fn names_get_the_tag_they_mean_and_the_registry_they_come_from() {
        const HUB: &str = "https://index.docker.io/v1/";
        let cases = [
            ("alpine", "alpine:latest", HUB),
            ("alpine:3", "alpine:3", HUB),
            ("cimg/base", "cimg/base:latest", HUB),
            (
                "localhost:5000/a",
                "localhost:5000/a:latest",
                "localhost:5000",
            ),
            (
                "r.example.com/a/b:1",
                "r.example.com/a/b:1",
                "r.example.com",
            ),
            ("a@sha256:00", "a@sha256:00", HUB),
        ];
        for (image, tagged, host) in cases {
            assert_eq!(
                (with_tag(image).as_str(), registry(image).as_str()),
                (tagged, host)
            );
        }
    }

    #[test]
    fn progress_is_told_in_tenths_and_layers() {
        let mut progress = Progress::default();
        let mut lines = Vec::new();
        lines.extend(progress.take("", "Pulling from library/a", None, None));
        for part in 0..=100 {
            lines.extend(progress.take(
                "l1",
                "Downloading",
                Some(part * 100_000),
                Some(10_000_000),
            ));
        }
        lines.extend(progress.take("l1", "Verifying Checksum", None, None));
        lines.extend(progress.take("l1", "Pull complete", None, None));
        lines.extend(progress.take("", "Digest: sha256:00", None, None));
        assert_eq!(lines.len(), 12, "{lines:?}");
        assert_eq!(lines[0], "  1.0 of 10.0 MB");
        assert_eq!(lines[10], "  layer 1 is here (l1)");
        assert_eq!(lines[11], "  Digest: sha256:00");
    }

    #[test]
    fn podman_tells_of_parts_each_of_them_once() {
        let mut progress = Progress {
            podman: true,
            ..Progress::default()
        };
        let told = [
            ("a", "Already exists"),
            ("b", "Pulling fs layer"),
            ("b", "Download complete"),
            ("c", "Download complete"),
            ("c", "Download complete"),
        ];
        let lines: Vec<String> = told
            .iter()
            .filter_map(|(id, status)| progress.take(id, status, None, None))
            .collect();
        assert_eq!(
            lines,
            [
                "  part 1 is here (a)",
                "  part 2 is here (b)",
                "  part 3 is here (c)"
            ]
        );
        progress.podman = false;
        assert_eq!(progress.take("d", "Download complete", None, None), None);
    }
}
