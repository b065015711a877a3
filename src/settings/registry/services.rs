//! Services: which of the product's stores run on the Services machine, and where the others are.

use super::{Choice, Entry, Group, Kind, When, choice};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const PORT: Kind = Kind::Number {
    least: 1,
    most: 65_535,
};

const SCHEMES: &[Choice] = &[choice("https", "HTTPS"), choice("http", "HTTP")];

const fn local(key: &'static str, label: &'static str) -> Entry {
    Entry::new(
        key,
        label,
        Kind::Switch,
        "Off, it is not started here, and the fields below say where another one is.",
    )
    .defaults(&[(When::Always, "true")])
}

/// A field that is wanted once a store is elsewhere.
const fn elsewhere(
    switch: &'static [When],
    key: &'static str,
    label: &'static str,
    kind: Kind,
    help: &'static str,
) -> Entry {
    Entry::new(key, label, kind, help)
        .shown(When::All(switch))
        .required(When::Always)
}

const MONGODB: &[When] = &[When::Off("services.mongodb_local")];
const POSTGRES: &[When] = &[When::Off("services.postgres_local")];
const VAULT: &[When] = &[When::Off("services.vault_local")];
const REDIS: &[When] = &[When::Off("services.redis_local")];
const NOMAD: &[When] = &[When::Off("services.nomad_local")];
const RABBITMQ: &[When] = &[When::Off("services.rabbitmq_local")];

pub(super) const GROUP: Group = Group {
    name: "services",
    title: "Services",
    note: Some(
        "Roundel keeps its own store. These are held and checked for installations that move from the product; nothing here starts or reaches them.",
    ),
    entries: &[
        local("services.mongodb_local", "Run MongoDB locally"),
        elsewhere(
            MONGODB,
            "external.mongo_base_uri",
            "MongoDB URI",
            Kind::Secret,
            "URI with user and password, as mongodb://user:password@host/?authSource=admin.",
        )
        .rule(mongodb),
        local("services.postgres_local", "Run Postgres locally"),
        elsewhere(
            POSTGRES,
            "external.postgres_host",
            "Postgres host",
            Kind::Text,
            "Host of a Postgres 9.5 or newer.",
        )
        .rule(rules::host),
        elsewhere(
            POSTGRES,
            "external.postgres_port",
            "Postgres port",
            PORT,
            "Its port.",
        )
        .defaults(&[(When::Always, "5432")]),
        elsewhere(
            POSTGRES,
            "external.postgres_user",
            "Postgres user",
            Kind::Text,
            "Who signs in there.",
        )
        .defaults(&[(When::Always, "circle")]),
        elsewhere(
            POSTGRES,
            "external.postgres_password",
            "Postgres password",
            Kind::Secret,
            "The password of that user.",
        ),
        local("services.vault_local", "Run Vault locally"),
        elsewhere(
            VAULT,
            "external.vault_scheme",
            "Vault scheme",
            Kind::Choice(SCHEMES),
            "How Vault is spoken to.",
        )
        .defaults(&[(When::Always, "https")])
        .rule(vault_scheme),
        elsewhere(
            VAULT,
            "external.vault_host",
            "Vault host",
            Kind::Text,
            "Host of Vault.",
        )
        .rule(rules::host),
        elsewhere(
            VAULT,
            "external.vault_port",
            "Vault port",
            PORT,
            "Its port.",
        )
        .defaults(&[(When::Always, "8200")]),
        elsewhere(
            VAULT,
            "external.vault_token",
            "Vault token",
            Kind::Secret,
            "A token that may use the transit mount.",
        )
        .rule(rules::word),
        elsewhere(
            VAULT,
            "external.vault_transit_mount",
            "Vault transit mount",
            Kind::Text,
            "Where the transit engine is mounted.",
        )
        .defaults(&[(When::Always, "transit")]),
        local("services.redis_local", "Run Redis locally"),
        elsewhere(
            REDIS,
            "external.redis_host",
            "Redis host",
            Kind::Text,
            "Host of Redis.",
        )
        .rule(rules::host),
        elsewhere(
            REDIS,
            "external.redis_port",
            "Redis port",
            PORT,
            "Its port.",
        )
        .defaults(&[(When::Always, "6379")]),
        local("services.nomad_local", "Run Nomad locally"),
        elsewhere(
            NOMAD,
            "external.nomad_servers",
            "Nomad servers",
            Kind::List,
            "Each as host:4647.",
        )
        .rule(rules::host_ports),
        local("services.rabbitmq_local", "Run RabbitMQ locally"),
        elsewhere(
            RABBITMQ,
            "external.rabbitmq_host",
            "RabbitMQ host",
            Kind::Text,
            "Host of RabbitMQ.",
        )
        .rule(rules::host),
        elsewhere(
            RABBITMQ,
            "external.rabbitmq_port",
            "RabbitMQ port",
            PORT,
            "Its port.",
        )
        .defaults(&[(When::Always, "5672")]),
    ],
};

fn mongodb(value: &Value, _: &Values) -> Vec<Fault> {
    let wrong = !value.text().starts_with("mongodb://");
    rules::faults(wrong.then(|| Fault::error("does not begin with `mongodb://`")))
}

fn vault_scheme(value: &Value, _: &Values) -> Vec<Fault> {
    let plain = value.text() == "http";
    rules::faults(
        plain.then(|| Fault::warning("sends the token over the network as it is").fix("use https")),
    )
}
