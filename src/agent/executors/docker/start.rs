//! From a job's containers as written to containers that run, told line by line in step 0.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, NetworkCreateRequest, NetworkingConfig,
};
use bollard::query_parameters::{CreateContainerOptionsBuilder, StartContainerOptions};

use super::exec::errand;
use super::{Docker, Service};
use crate::agent::environment::Environment;
use crate::agent::executors::memory::Memory;
use crate::agent::executors::{Host, NotReady};
use crate::agent::journal::Journal;
use crate::agent::paths::Places;
use crate::api::agent::{self, SPIN_UP, Task};
use crate::clock;
use crate::containers::pull::{Image, look, pull};
use crate::containers::{self, Engine, labels, said};
use crate::error::Chain;
use crate::pipeline::{Auth, Container};

/// Most processes and threads in one container: far above what builds use, far below what stops a machine.
const PROCESSES: i64 = 8192;

/// Period of the CPU quota, in microseconds: the kernel's default.
const PERIOD_US: i64 = 100_000;

/// How long an engine is waited for that answered when the run was placed.
const ENGINE_PATIENCE: Duration = Duration::from_secs(10);

/// Keeps a primary container alive for its steps, and takes in the orphans of their processes.
const STAY: &str = "trap 'exit 0' TERM; while :; do sleep 86400 & wait; done";

/// What must be known of the inside of a container, told by the words of its own shell alone.
const PROBE: &str = r#"while read -r key value rest; do
  case $key in Uid:) echo "uid $value" ;; Gid:) echo "gid $value" ;; esac
done </proc/self/status
[ -x /bin/bash ] && echo "bash yes"
(: >"$BASH_ENV") 2>/dev/null
echo "home $HOME""#;

/// The engine of the run.
pub(super) async fn reach(socket: &PathBuf) -> Result<Engine, NotReady> {
    let begun = clock::monotonic();
    loop {
        match containers::find(std::slice::from_ref(socket)).await {
            Ok(engine) => return Ok(engine),
            Err(err) if begun.elapsed() >= ENGINE_PATIENCE => {
                let why = format!("{}; {}", Chain(&err), err.help());
                return Err(NotReady::Broken(why));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

/// Makes network and containers. What was made when it fails carries the labels, by which the caller removes it.
pub(super) async fn start(
    engine: &Engine,
    task: &Task,
    environment: Environment,
    docker: &agent::Docker,
    dir: &Path,
    journal: &Rc<Journal>,
) -> Result<Docker, NotReady> {
    let broken = |what: &str, err: &bollard::errors::Error| {
        NotReady::Broken(format!("{what}: {}", said(err)))
    };
    let say = |line: String| {
        let journal = journal.clone();
        async move {
            journal
                .output(SPIN_UP, 1, format!("{line}\n").as_bytes())
                .await;
        }
    };
    let host = Host::for_git(task, dir)?;
    let (primary, services) = docker
        .containers
        .split_first()
        .ok_or_else(|| NotReady::Wrong("the job names no container".to_owned()))?;
    say(format!("Container engine: {}.", engine.name)).await;
    let mut images = Vec::new();
    for container in &docker.containers {
        images.push(image(engine, container, &environment, &say).await?);
    }

    let maker = Maker {
        engine,
        task,
        labels: labels(&docker.data_id, &task.attempt.to_string()),
        network: format!("roundel-{}", task.attempt.short()),
        warned: RefCell::default(),
    };
    let network = NetworkCreateRequest {
        name: maker.network.clone(),
        labels: Some(maker.labels.clone()),
        ..NetworkCreateRequest::default()
    };
    engine
        .api
        .create_network(network)
        .await
        .map_err(|err| broken("the run's network could not be made", &err))?;
    let id = maker
        .run(0, primary, primary_body(primary, &images[0]), None, &say)
        .await?;
    let mut beside = Vec::new();
    for (place, service) in (1..).zip(services) {
        let body = ContainerCreateBody {
            entrypoint: some(&service.entrypoint),
            cmd: some(&service.command),
            ..ContainerCreateBody::default()
        };
        let share = service.name.is_none().then_some(id.as_str());
        let title = service.image.clone();
        let id = maker.run(place, service, body, share, &say).await?;
        say(match &service.name {
            Some(name) => format!("Service {title} runs; the steps find it as {name}."),
            None => format!("Service {title} runs; the steps find it at localhost."),
        })
        .await;
        beside.push(Service { id, title });
    }

    let bash_env = format!("/tmp/.bash_env-{}", task.attempt.short());
    let inside = probe(engine, &id, primary, &bash_env).await;
    // Asked after the probe, which also fails where the container ended in the middle of it: that is the reason to tell.
    let state = containers::state(engine, &id)
        .await
        .map_err(|err| broken("the primary container cannot be asked", &err))?;
    if !state.running {
        let code = state.exit_code;
        return Err(NotReady::Wrong(format!(
            "the primary container {} ended with {code} as soon as it was started: its entrypoint and command must stay",
            primary.image
        )));
    }
    let inside = inside?;
    let of_container = [
        ("HOME".to_owned(), inside.home.display().to_string()),
        ("BASH_ENV".to_owned(), bash_env),
    ];
    let cores = f64::from(task.cpu_millis) / 1000.0;
    say(format!(
        "Limits of each container: {cores} cpu, {} MB, {PROCESSES} processes.",
        task.memory_mb
    ))
    .await;
    Ok(Docker {
        engine: engine.clone(),
        data_id: docker.data_id.clone(),
        attempt: task.attempt.to_string(),
        checkout: host.places.home.join("checkout"),
        host,
        places: Places::at(inside.home, &task.working_directory),
        primary: id,
        services: beside,
        environment: Environment::before(&of_container, environment),
        user: primary.user.clone(),
        owner: (inside.uid, inside.gid),
        has_bash: inside.bash,
        memory: Memory::of_container(state.pid, task),
        left: Vec::new(),
        readers: Vec::new(),
    })
}

/// An image that is here, or is now.
async fn image<F: Future<Output = ()>>(
    engine: &Engine,
    container: &Container,
    environment: &Environment,
    say: &impl Fn(String) -> F,
) -> Result<Image, NotReady> {
    let name = &container.image;
    let failed = |err: containers::pull::PullError| {
        if err.fault.is_of_the_config() {
            NotReady::Wrong(err.to_string())
        } else {
            NotReady::Broken(err.to_string())
        }
    };
    if let Some(image) = look(engine, name).await.map_err(failed)? {
        let made = image
            .made
            .get(..10)
            .map_or(String::new(), |day| format!(", made on {day}"));
        say(format!(
            "Image {name} is on this machine ({}{made}).",
            image.id
        ))
        .await;
        return Ok(image);
    }
    let login = match &container.auth {
        Some(auth) => Some(login(auth, name, environment)?),
        None => None,
    };
    say(format!("Pulling image {name}")).await;
    pull(engine, name, login, say).await.map_err(failed)?;
    look(engine, name)
        .await
        .map_err(failed)?
        .ok_or_else(|| NotReady::Broken(format!("image {name} was pulled and is not there")))
}

/// Account and password, with variables of the run put in.
fn login(
    auth: &Auth,
    image: &str,
    environment: &Environment,
) -> Result<(String, String), NotReady> {
    let filled = |text: &str| {
        fill(text, environment).map_err(|missing| {
            NotReady::Wrong(format!(
                "`auth` of image {image} names the variable {missing}, which this run does not have"
            ))
        })
    };
    Ok((filled(&auth.username)?, filled(&auth.password)?))
}

/// Puts variables in for `$NAME` and `${NAME}`; the name of one that is missing is the error. A `$` before anything else
/// stands for itself.
fn fill(text: &str, environment: &Environment) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, end) = match after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            filled.push('$');
            rest = after;
            continue;
        }
        let value = environment.iter().rev().find(|(known, _)| *known == name);
        filled.push_str(value.ok_or_else(|| name.to_owned())?.1);
        rest = &after[end..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn some(words: &[String]) -> Option<Vec<String>> {
    (!words.is_empty()).then(|| words.to_vec())
}

/// The primary container waits for its steps, unless job or image say what it is to do.
fn primary_body(container: &Container, image: &Image) -> ContainerCreateBody {
    let said = !container.entrypoint.is_empty() || !container.command.is_empty();
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let (entrypoint, cmd) = if said || image.keeps_entrypoint {
        (some(&container.entrypoint), some(&container.command))
    } else {
        (words(&["/bin/sh"]), words(&["-c", STAY]))
    };
    ContainerCreateBody {
        entrypoint,
        cmd,
        // A shell as command stays as long as somebody might type.
        open_stdin: Some(true),
        ..ContainerCreateBody::default()
    }
}

/// Makes containers of one attempt.
struct Maker<'a> {
    engine: &'a Engine,
    task: &'a Task,
    labels: HashMap<String, String>,
    network: String,
    warned: RefCell<HashSet<String>>,
}

impl Maker<'_> {
    /// Makes and starts a container; `share`: in whose network it is, instead of on the run's own.
    async fn run<F: Future<Output = ()>>(
        &self,
        place: usize,
        container: &Container,
        body: ContainerCreateBody,
        share: Option<&str>,
        say: &impl Fn(String) -> F,
    ) -> Result<String, NotReady> {
        let failed = |err: &bollard::errors::Error| {
            let said = said(err);
            let words = format!("container {} could not be started: {said}", container.image);
            // Docker and Podman answer so when the program of a container is not in its image.
            let of_config = [
                "no such file or directory",
                "executable file not found",
                "unable to find user",
            ];
            if of_config.iter().any(|sign| said.contains(sign)) {
                NotReady::Wrong(words)
            } else {
                NotReady::Broken(words)
            }
        };
        let memory = i64::from(self.task.memory_mb) * 1024 * 1024;
        let aliases: Vec<String> = container.name.iter().cloned().collect();
        let endpoint = EndpointSettings {
            aliases: Some(aliases),
            ..EndpointSettings::default()
        };
        let networking = NetworkingConfig {
            endpoints_config: Some(HashMap::from([(self.network.clone(), endpoint)])),
        };
        let variables = container.environment.iter();
        let body = ContainerCreateBody {
            image: Some(container.image.clone()),
            env: Some(
                variables
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
            ),
            user: container.user.clone(),
            labels: Some(self.labels.clone()),
            host_config: Some(HostConfig {
                memory: Some(memory),
                // No swap on top: a build that needs more is to hear of it.
                memory_swap: Some(memory),
                cpu_period: Some(PERIOD_US),
                cpu_quota: Some(i64::from(self.task.cpu_millis) * PERIOD_US / 1000),
                pids_limit: Some(PROCESSES),
                network_mode: Some(match share {
                    Some(other) => format!("container:{other}"),
                    None => self.network.clone(),
                }),
                ..HostConfig::default()
            }),
            networking_config: share.is_none().then_some(networking),
            ..body
        };
        let options = CreateContainerOptionsBuilder::new()
            .name(&format!("{}-{place}", self.network))
            .build();
        let made = self
            .engine
            .api
            .create_container(Some(options), body)
            .await
            .map_err(|err| failed(&err))?;
        for warning in made.warnings {
            // Each is of the machine, not of the container, and enough once.
            if self.warned.borrow_mut().insert(warning.clone()) {
                say(format!("The engine warns: {warning}")).await;
            }
        }
        self.engine
            .api
            .start_container(&made.id, None::<StartContainerOptions>)
            .await
            .map_err(|err| failed(&err))?;
        Ok(made.id)
    }
}

/// The inside of a container.
#[derive(Debug, PartialEq)]
struct Inside {
    uid: u32,
    gid: u32,
    home: PathBuf,
    bash: bool,
}

async fn probe(
    engine: &Engine,
    id: &str,
    primary: &Container,
    bash_env: &str,
) -> Result<Inside, NotReady> {
    let words = ["/bin/sh", "-c", PROBE];
    let environment = [format!("BASH_ENV={bash_env}")];
    let unfit = |why: &str| {
        NotReady::Wrong(format!(
            "image {} has no working /bin/sh, which a primary container needs: {}",
            primary.image,
            why.trim()
        ))
    };
    match errand(engine, id, primary.user.as_deref(), &words, &environment).await {
        Ok((0, text)) => inside(&text).ok_or_else(|| unfit(&text)),
        Ok((_, text)) => Err(unfit(&text)),
        Err(why) => Err(unfit(&why)),
    }
}

fn inside(text: &str) -> Option<Inside> {
    let find = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let home = find("home ")
        .filter(|home| home.starts_with('/'))
        .unwrap_or("/");
    Some(Inside {
        uid: find("uid ")?.parse().ok()?,
        gid: find("gid ")?.parse().ok()?,
        home: PathBuf::from(home),
        bash: find("bash ").is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_into_an_account() {
        let environment = [("USER", "ann"), ("PASS", "a$b"), ("PASS", "s3cret")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::before(&environment, Environment::default());
        let cases = [
            ("$USER", Ok("ann")),
            ("${USER}-x", Ok("ann-x")),
            ("$PASS", Ok("s3cret")),
            ("plain", Ok("plain")),
            ("5$ and $1", Ok("5$ and $1")),
            ("$NONE", Err("NONE")),
            ("${NONE", Ok("${NONE")),
        ];
        for (text, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(fill(text, &environment), expected, "{text}");
        }
    }

    #[test]
    fn the_inside_is_read_from_what_the_shell_says() {
        let text = "uid 1000\ngid 1001\nbash yes\nhome /home/builder\n";
        let expected = Inside {
            uid: 1000,
            gid: 1001,
            home: "/home/builder".into(),
            bash: true,
        };
        assert_eq!(inside(text), Some(expected));
        let bare = inside("uid 0\ngid 0\nhome \n").unwrap();
        assert_eq!((bare.home, bare.bash), ("/".into(), false));
        assert_eq!(inside("sh: not found"), None);
    }

    #[test]
    fn a_primary_container_waits_unless_it_is_told_what_to_do() {
        let image = Image::default();
        let plain = primary_body(&Container::default(), &image);
        assert_eq!(plain.entrypoint, Some(vec!["/bin/sh".to_owned()]));
        let told = Container {
            command: vec!["/start".to_owned()],
            ..Container::default()
        };
        let body = primary_body(&told, &image);
        assert_eq!((body.entrypoint, body.cmd), (None, Some(told.command)));
        let keeps = Image {
            keeps_entrypoint: true,
            ..Image::default()
        };
        let body = primary_body(&Container::default(), &keeps);
        assert_eq!((body.entrypoint, body.cmd), (None, None));
    }
}
