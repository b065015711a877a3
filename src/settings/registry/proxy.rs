//! Proxy: how what is outside is reached.

use super::{Entry, Group, Kind, Restart, TestId, When};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const SET: When = When::Has("proxy.url");

pub(super) const GROUP: Group = Group {
    name: "proxy",
    title: "Proxy",
    note: None,
    entries: &[
        Entry::new(
            "proxy.url",
            "HTTP proxy",
            Kind::Secret,
            "Its address as <protocol>://<host>:<port>, with user:password@ before the host where it asks for them.",
        )
        .rule(address)
        .restart(Restart::Live)
        .test(TestId::Proxy),
        Entry::new(
            "proxy.no_proxy",
            "Reached directly",
            Kind::List,
            "Hosts, .suffixes, *.wildcards and networks as 10.0.0.0/8; a host may have a port. The metadata address, this machine and GitHub Enterprise always are.",
        )
        .shown(SET)
        .rule(direct)
        .restart(Restart::Live)
        .test(TestId::Proxy),
        Entry::new(
            "proxy.extra_s3_bypass",
            "S3 directly",
            Kind::Switch,
            "Adds s3.amazonaws.com and *.s3.amazonaws.com to what is reached directly.",
        )
        .defaults(&[(When::Always, "true")])
        .shown(SET)
        .restart(Restart::Live)
        .test(TestId::Proxy),
    ],
};

/// `<protocol>://[user:password@]<host>:<port>`, every part of it.
pub(super) fn address(value: &Value, _: &Values) -> Vec<Fault> {
    const FIX: &str = "write it as http://10.0.0.33:3128";
    let Some((scheme, rest)) = value.text().split_once("://") else {
        return vec![Fault::error("has no protocol").fix(FIX)];
    };
    let mut faults = Vec::new();
    if !["http", "https"].contains(&scheme) {
        faults.push(Fault::error("has a protocol other than http and https").fix(FIX));
    }
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    if place.contains(['/', '?', '#']) {
        faults.push(Fault::error("has a path").fix(FIX));
        return faults;
    }
    match place.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() => {
            if !port.parse::<u16>().is_ok_and(|port| port > 0) {
                faults.push(Fault::error("has no port from 1 to 65535").fix(FIX));
            }
            let host = host.trim_start_matches('[').trim_end_matches(']');
            faults.extend(rules::host_fault(host));
        }
        Some(_) => faults.push(Fault::error("has no host").fix(FIX)),
        None => faults.push(Fault::error("has no port").fix(FIX)),
    }
    faults
}

fn direct(value: &Value, _: &Values) -> Vec<Fault> {
    rules::each(value, direct_fault)
}

/// One place that is reached directly.
pub(super) fn direct_fault(item: &str) -> Option<Fault> {
    if let Some((network, length)) = item.split_once('/') {
        let bits = match network.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(_)) => 32,
            Ok(std::net::IpAddr::V6(_)) => 128,
            Err(_) => return Some(Fault::error("is no network").fix("write it as 10.0.0.0/8")),
        };
        let fits = length.parse::<u8>().is_ok_and(|length| length <= bits);
        return (!fits).then(|| Fault::error(format!("is longer than /{bits}")));
    }
    if item == "*" {
        return Some(
            Fault::warning("means everything: the proxy is never used")
                .fix("leave the proxy empty instead"),
        );
    }
    // An address of version 6 has colons of its own, and brackets where a port follows.
    let host = match item.rsplit_once(':') {
        Some((host, port)) if item.parse::<std::net::IpAddr>().is_err() => {
            if !port.parse::<u16>().is_ok_and(|port| port > 0) {
                return Some(Fault::error("has no port from 1 to 65535"));
            }
            host.trim_start_matches('[').trim_end_matches(']')
        }
        _ => item,
    };
    let host = host
        .strip_prefix("*.")
        .or_else(|| host.strip_prefix('.'))
        .unwrap_or(host);
    rules::host_fault(host)
}

/// Whether the address of a proxy is a secret: only with a user, whose password it then has.
pub(super) fn is_secret(text: &str) -> bool {
    text.contains('@')
}

/// Settings that are addresses of proxies.
pub(super) const ADDRESSES: [&str; 3] = ["proxy.url", "vm.http_proxy", "vm.https_proxy"];
