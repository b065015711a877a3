//! The registry of settings: one entry for each, which the console, the verbs and files all go by.
//!
//! An entry says what a setting is called and means, what may stand there, when it is shown and when it is required,
//! and what has to be restarted before it holds. Knows no values that were given, and not where they are kept.
//!
//! Keys, labels and defaults are those of the management console of CircleCI Server 2.17 where a source shows one.

mod artifacts;
mod authorities;
mod console;
mod engines;
mod general;
mod github;
mod keep;
mod ldap;
mod overrides;
mod privacy;
mod proxy;
mod services;
mod storage;
mod vm;

use super::check::Fault;
use super::value::{Value, Values};

/// What is set together, on one page.
#[derive(Debug)]
pub struct Group {
    /// As it is named in a command: `ldap`.
    pub name: &'static str,
    /// As people read it.
    pub title: &'static str,
    /// What does not act on these settings yet, where nothing does.
    pub note: Option<&'static str>,
    /// Its settings, in the order of the page.
    pub entries: &'static [Entry],
}

impl Group {
    /// Whether a key is a setting of this group.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.is_key(key))
    }
}

/// All groups, in the order of the console.
pub static GROUPS: &[Group] = &[
    general::GROUP,
    services::GROUP,
    engines::GROUP,
    github::GROUP,
    ldap::GROUP,
    privacy::GROUP,
    authorities::GROUP,
    proxy::GROUP,
    storage::GROUP,
    vm::GROUP,
    artifacts::GROUP,
    keep::GROUP,
    overrides::GROUP,
    console::GROUP,
];

/// A word of a choice and what people read for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// As it is kept.
    pub word: &'static str,
    /// As people read it.
    pub label: &'static str,
}

/// A word and its label.
const fn choice(word: &'static str, label: &'static str) -> Choice {
    Choice { word, label }
}

/// What may stand in a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One line.
    Text,
    /// Any number of lines.
    Lines,
    /// A whole number, both ends allowed.
    Number {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// On or off.
    Switch,
    /// One of some words.
    Choice(&'static [Choice]),
    /// Several texts, written with commas between them.
    List,
    /// One line that nobody is shown.
    Secret,
    /// Certificates in PEM.
    Pem,
    /// A private key in PEM, which nobody is shown.
    SecretPem,
}

impl Kind {
    /// Whether nobody is shown the value.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Kind::Secret | Kind::SecretPem)
    }

    /// What may stand there, in words.
    #[must_use]
    pub fn described(self) -> String {
        match self {
            Kind::Text => "a text".to_owned(),
            Kind::Lines => "a text of any number of lines".to_owned(),
            Kind::Number { least, most } => format!("a whole number from {least} to {most}"),
            Kind::Switch => "`true` or `false`".to_owned(),
            Kind::Choice(options) => {
                let words: Vec<String> = options.iter().map(|o| format!("`{}`", o.word)).collect();
                words.join(" or ")
            }
            Kind::List => "texts with commas between them".to_owned(),
            Kind::Secret => "a secret".to_owned(),
            Kind::Pem => "certificates in PEM".to_owned(),
            Kind::SecretPem => "a private key in PEM".to_owned(),
        }
    }
}

/// A condition on other settings.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// Always.
    Always,
    /// Never.
    Never,
    /// A switch is on.
    On(&'static str),
    /// A switch is off.
    Off(&'static str),
    /// A choice has this word.
    Is(&'static str, &'static str),
    /// Something stands there.
    Has(&'static str),
    /// All of these.
    All(&'static [When]),
}

impl When {
    /// Whether it holds.
    #[must_use]
    pub fn holds(self, values: &Values) -> bool {
        match self {
            When::Always => true,
            When::Never => false,
            When::On(key) => values.on(key),
            When::Off(key) => !values.on(key),
            When::Is(key, word) => values.text(key) == word,
            When::Has(key) => values.has(key),
            When::All(all) => all.iter().all(|when| when.holds(values)),
        }
    }

    /// The keys it looks at.
    #[must_use]
    pub fn keys(self) -> Vec<&'static str> {
        match self {
            When::Always | When::Never => Vec::new(),
            When::On(key) | When::Off(key) | When::Is(key, _) | When::Has(key) => vec![key],
            When::All(all) => all.iter().flat_map(|when| when.keys()).collect(),
        }
    }
}

/// What has to be restarted before a new value holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Nothing: it holds as soon as it is saved.
    Live,
    /// One service.
    Service,
    /// The console's listener.
    Console,
    /// All services.
    All,
}

impl Restart {
    /// In words.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Restart::Live => "holds once saved",
            Restart::Service => "restarts one service",
            Restart::Console => "restarts the console's listener",
            Restart::All => "restarts the services",
        }
    }
}

/// A test that values can be put to before they are saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestId {
    /// The hostname resolves.
    Hostname,
    /// The directory answers, step by step.
    Ldap,
    /// Certificate and key fit one another and the hostname.
    Tls,
    /// A URL is reached by the way that the settings say.
    Proxy,
    /// The account has what the VM provider names.
    Vm,
}

impl TestId {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hostname, Self::Ldap, Self::Tls, Self::Proxy, Self::Vm];

    /// As it is named in a command.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            TestId::Hostname => "hostname",
            TestId::Ldap => "ldap",
            TestId::Tls => "tls",
            TestId::Proxy => "proxy",
            TestId::Vm => "vm",
        }
    }
}

/// Looks at a value that is of its kind; sees the others too.
pub type Rule = fn(&Value, &Values) -> Vec<Fault>;

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its key. `<service>` and `<NAME>` stand for any service of the list and any name of a variable.
    pub key: &'static str,
    /// As people read it.
    pub label: &'static str,
    /// What it means, in full sentences.
    pub help: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// What holds where nothing was given: the first whose condition holds.
    defaults: &'static [(When, &'static str)],
    /// When it is shown. Hidden, it keeps its value and is not looked at.
    pub shown: When,
    /// When something has to stand there, where it is shown.
    pub required: When,
    /// What is looked at besides its kind.
    pub rule: Option<Rule>,
    /// What has to be restarted.
    pub restart: Restart,
    /// The test it belongs to.
    pub test: Option<TestId>,
    /// It is only ever compared: kept as a hash, from which nobody reads it back.
    pub hashed: bool,
}

impl Entry {
    const fn new(key: &'static str, label: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            key,
            label,
            help,
            kind,
            defaults: &[],
            shown: When::Always,
            required: When::Never,
            rule: None,
            restart: Restart::All,
            test: None,
            hashed: false,
        }
    }

    const fn defaults(self, defaults: &'static [(When, &'static str)]) -> Self {
        Self { defaults, ..self }
    }

    const fn shown(self, shown: When) -> Self {
        Self { shown, ..self }
    }

    const fn required(self, required: When) -> Self {
        Self { required, ..self }
    }

    const fn rule(self, rule: Rule) -> Self {
        Self {
            rule: Some(rule),
            ..self
        }
    }

    const fn restart(self, restart: Restart) -> Self {
        Self { restart, ..self }
    }

    const fn hashed(self) -> Self {
        Self {
            hashed: true,
            ..self
        }
    }

    const fn test(self, test: TestId) -> Self {
        Self {
            test: Some(test),
            ..self
        }
    }

    /// What holds where nothing was given.
    #[must_use]
    pub fn default_in(&self, values: &Values) -> Option<Value> {
        let text = self
            .defaults
            .iter()
            .find(|(when, _)| when.holds(values))
            .map(|(_, text)| *text);
        match (text, self.kind) {
            (Some(text), kind) => Value::parse(kind, text).ok(),
            (None, Kind::Switch) => Some(Value::Switch(false)),
            (None, _) => None,
        }
    }

    /// Its defaults with where each holds, of which the first that holds counts.
    pub fn all_defaults(&self) -> impl Iterator<Item = (When, Value)> {
        let off = matches!(self.kind, Kind::Switch) && self.defaults.is_empty();
        let said = self.defaults.iter();
        said.filter_map(|(when, text)| Some((*when, Value::parse(self.kind, text).ok()?)))
            .chain(off.then_some((When::Always, Value::Switch(false))))
    }

    /// Whether this text would be a secret there. The address of a proxy is one only with a user in it.
    #[must_use]
    pub fn would_hide(&self, text: &str) -> bool {
        let is_address = proxy::ADDRESSES.contains(&self.key);
        self.kind.is_secret() && (!is_address || proxy::is_secret(text))
    }

    /// Whether it stands for many keys.
    #[must_use]
    pub fn is_family(&self) -> bool {
        self.key.contains('<')
    }

    /// Whether a key is this entry's, or one of its family.
    #[must_use]
    pub fn is_key(&self, key: &str) -> bool {
        if !self.is_family() {
            return self.key == key;
        }
        let (mut pattern, mut parts) = (self.key.split('.'), key.split('.'));
        loop {
            match (pattern.next(), parts.next()) {
                (None, None) => return true,
                (Some("<service>"), Some(part)) => {
                    if !overrides::SERVICES.contains(&part) {
                        return false;
                    }
                }
                (Some("<NAME>"), Some(part)) => {
                    if !overrides::is_variable(part) {
                        return false;
                    }
                }
                (Some(word), Some(part)) if word == part => {}
                _ => return false,
            }
        }
    }
}

/// The group and the entry of a key.
#[must_use]
pub fn find(key: &str) -> Option<(&'static Group, &'static Entry)> {
    entries().find(|(_, entry)| entry.is_key(key))
}

/// All entries with their groups, in the order of the console.
pub fn entries() -> impl Iterator<Item = (&'static Group, &'static Entry)> {
    GROUPS
        .iter()
        .flat_map(|group| group.entries.iter().map(move |entry| (group, entry)))
}

/// A group by its name.
#[must_use]
pub fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

/// The key that was probably meant by one that is not there.
#[must_use]
pub fn meant(key: &str) -> Option<String> {
    // What stands for a service is compared with the services alone.
    let (head, rest) = key.split_once('.').unwrap_or((key, ""));
    let member = match head {
        "override" => rest.split_once('.').and_then(|(service, name)| {
            overrides::nearest_service(service).map(|near| format!("override.{near}.{name}"))
        }),
        "jvm_heap" => overrides::nearest_service(rest).map(|near| format!("jvm_heap.{near}")),
        _ => None,
    };
    member.or_else(|| {
        let keys = entries().map(|(_, entry)| entry.key);
        crate::nearest::nearest(key, keys.filter(|key| !key.contains('<'))).map(str::to_owned)
    })
}
