//! What is reached directly though there is a proxy: hosts, suffixes, wildcards, networks, with or without a port.
//!
//! A name stands for itself alone, `.example.com` and `*.example.com` for every name below `example.com`, a network for
//! addresses that are written as such: nothing is looked up.

use std::net::IpAddr;

use crate::settings::value::{Value, Values};

/// Where instances of EC2 and of other clouds ask what they are; never to be asked of another machine.
const METADATA: &str = "169.254.169.254";

/// What S3 is reached by.
const S3: [&str; 2] = ["s3.amazonaws.com", "*.s3.amazonaws.com"];

/// The list, in the order in which it is written into files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bypass(Vec<Entry>);

/// One of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// As it is written.
    pub text: String,
    rule: Rule,
    why: &'static str,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Rule {
    Everything,
    Name(String, Option<u16>),
    Below(String, Option<u16>),
    Address(IpAddr, Option<u16>),
    Network(IpAddr, u8),
}

impl Bypass {
    /// Of the settings; `machine` is the name of this machine.
    pub(super) fn of(values: &Values, machine: &str) -> Self {
        let mut list = Self(Vec::new());
        list.add(METADATA, "the metadata address");
        list.add(machine, "this machine");
        list.add("127.0.0.1", "this machine");
        list.add("localhost", "this machine");
        if values.text("ghe_type") == "github_type_enterprise" {
            list.add(&values.text("ghe_domain"), "the GitHub Enterprise server");
        }
        if let Some(Value::List(items)) = values.get("proxy.no_proxy").as_deref() {
            for item in items {
                list.add(item, "named in proxy.no_proxy");
            }
        }
        if values.on("proxy.extra_s3_bypass") {
            for name in S3 {
                list.add(name, "S3, which proxy.extra_s3_bypass leaves out");
            }
        }
        list
    }

    fn add(&mut self, text: &str, why: &'static str) {
        let text = text.trim();
        if text.is_empty() || self.0.iter().any(|entry| entry.text == text) {
            return;
        }
        if let Some(rule) = rule(text) {
            let text = text.to_owned();
            self.0.push(Entry { text, rule, why });
        }
    }

    /// As the guide writes it, with commas between.
    #[must_use]
    pub fn list(&self) -> String {
        let texts: Vec<&str> = self.0.iter().map(|entry| entry.text.as_str()).collect();
        texts.join(",")
    }

    /// As programs in jobs read it: curl, Go and Python know `.example.com`, not all of them `*.example.com`.
    #[must_use]
    pub fn list_for_programs(&self) -> String {
        let plain = |entry: &Entry| {
            let text = entry.text.as_str();
            match text.strip_prefix("*.") {
                Some(name) => format!(".{name}"),
                None => text.to_owned(),
            }
        };
        let texts: Vec<String> = self.0.iter().map(plain).collect();
        texts.join(",")
    }

    /// As Java reads it (`http.nonProxyHosts`): `|` between, wildcards, no ports; and what it cannot say.
    #[must_use]
    pub fn list_for_java(&self) -> (String, Vec<String>) {
        let (mut said, mut unsaid) = (Vec::new(), Vec::new());
        for entry in &self.0 {
            match &entry.rule {
                Rule::Everything => said.push("*".to_owned()),
                Rule::Name(name, None) => said.push(name.clone()),
                Rule::Below(name, None) => said.push(format!("*.{name}")),
                Rule::Address(address @ IpAddr::V4(_), None) => said.push(address.to_string()),
                Rule::Network(IpAddr::V4(network), length @ (8 | 16 | 24)) => {
                    let octets = network.octets();
                    let kept: Vec<String> = octets[..usize::from(length / 8)]
                        .iter()
                        .map(u8::to_string)
                        .collect();
                    said.push(format!("{}.*", kept.join(".")));
                }
                _ => unsaid.push(entry.text.clone()),
            }
        }
        (said.join("|"), unsaid)
    }

    /// Why this host is reached directly; `None` when it is not. `host` may have brackets and a closing dot.
    #[must_use]
    pub fn covers(&self, host: &str, port: u16) -> Option<String> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        let loopback = match address {
            Some(ip) => ip.is_loopback() || ip.is_unspecified(),
            None => host == "localhost" || host.ends_with(".localhost"),
        };
        if loopback {
            return Some(format!("`{host}` is this machine"));
        }
        let entry = self
            .0
            .iter()
            .find(|entry| entry.rule.covers(&host, address, port))?;
        Some(if entry.text == host {
            format!("`{host}` is {}", entry.why)
        } else {
            format!("`{host}` is covered by `{}`, {}", entry.text, entry.why)
        })
    }
}

impl Rule {
    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        let on = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Rule::Everything => true,
            Rule::Name(name, wanted) => name == host && on(wanted),
            Rule::Below(name, wanted) => {
                address.is_none()
                    && on(wanted)
                    && host
                        .strip_suffix(name.as_str())
                        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            Rule::Address(own, wanted) => address == Some(*own) && on(wanted),
            Rule::Network(network, length) => {
                address.is_some_and(|ip| within(ip, *network, *length))
            }
        }
    }
}

/// Reads one of the list; `None` when it is none, which the look at the settings has said.
fn rule(text: &str) -> Option<Rule> {
    if text == "*" {
        return Some(Rule::Everything);
    }
    if let Some((network, length)) = text.split_once('/') {
        let network: IpAddr = network.parse().ok()?;
        let length: u8 = length.parse().ok()?;
        let most = if network.is_ipv4() { 32 } else { 128 };
        return (length <= most).then_some(Rule::Network(network, length));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Rule::Address(address.to_canonical(), None));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (text, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(Rule::Address(address.to_canonical(), port));
    }
    let below = host.strip_prefix("*.").or_else(|| host.strip_prefix('.'));
    let name = below.unwrap_or(host);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if name.is_empty() {
        None
    } else if below.is_some() {
        Some(Rule::Below(name, port))
    } else {
        Some(Rule::Name(name, port))
    }
}

fn within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let left = |bits: u8| u32::from(bits - length);
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(left(32)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(left(128)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_covered_by_what_stands_for_it_alone() {
        let given = "a.example.com, .b.example.com, *.c.example.com, 10.1.0.0/16, 2001:db8::/32, d.example.com:8443, [2001:db9::1]:80, 192.0.2.7";
        let list = Bypass::of(
            &Values::typed(&[("proxy.no_proxy", given)]),
            "ci.example.com",
        );
        for (host, port, covered) in [
            ("a.example.com", 443, true),
            ("A.Example.COM.", 443, true),
            ("x.a.example.com", 443, false),
            ("b.example.com", 443, false),
            ("x.b.example.com", 443, true),
            ("xb.example.com", 443, false),
            ("x.y.c.example.com", 443, true),
            ("c.example.com", 443, false),
            ("10.1.255.255", 80, true),
            ("10.2.0.0", 80, false),
            ("::ffff:10.1.2.3", 80, true),
            ("[2001:db8:ffff::1]", 80, true),
            ("2001:db9::", 80, false),
            ("[2001:db9::1]", 80, true),
            ("[2001:db9::1]", 81, false),
            ("d.example.com", 8443, true),
            ("d.example.com", 443, false),
            ("192.0.2.7", 1, true),
            ("192.0.2.70", 1, false),
            ("169.254.169.254", 80, true),
            ("ci.example.com", 443, true),
            ("localhost", 80, true),
            ("x.localhost", 80, true),
            ("127.9.9.9", 80, true),
            ("[::1]", 80, true),
            ("0.0.0.0", 80, true),
            ("s3.amazonaws.com", 443, true),
            ("bucket.s3.amazonaws.com", 443, true),
            ("s3.eu-central-1.amazonaws.com", 443, false),
            ("elsewhere.example.com", 443, false),
        ] {
            let said = list.covers(host, port);
            assert_eq!(said.is_some(), covered, "{host}:{port}: {said:?}");
        }
        assert_eq!(
            list.covers("x.b.example.com", 443).unwrap(),
            "`x.b.example.com` is covered by `.b.example.com`, named in proxy.no_proxy"
        );
        assert_eq!(
            list.covers("169.254.169.254", 80).unwrap(),
            "`169.254.169.254` is the metadata address"
        );
    }

    #[test]
    fn what_is_always_direct_stands_first_and_once() {
        let list = Bypass::of(
            &Values::typed(&[
                ("ghe_type", "github_type_enterprise"),
                ("ghe_domain", "ghe.example.com"),
                ("proxy.no_proxy", "localhost, db.example.com"),
                ("proxy.extra_s3_bypass", "false"),
            ]),
            "10.0.1.238",
        );
        assert_eq!(
            list.list(),
            "169.254.169.254,10.0.1.238,127.0.0.1,localhost,ghe.example.com,db.example.com"
        );
    }

    #[test]
    fn java_and_programs_have_their_own_ways_to_say_it() {
        let given = "*.x.example.com, .y.example.com, 10.0.0.0/8, 10.0.0.0/9, z.example.com:80, 2001:db8::/32";
        let list = Bypass::of(
            &Values::typed(&[
                ("proxy.no_proxy", given),
                ("proxy.extra_s3_bypass", "false"),
            ]),
            "ci",
        );
        let (java, unsaid) = list.list_for_java();
        assert_eq!(
            java,
            "169.254.169.254|ci|127.0.0.1|localhost|*.x.example.com|*.y.example.com|10.*"
        );
        assert_eq!(unsaid, ["10.0.0.0/9", "z.example.com:80", "2001:db8::/32"]);
        let programs = list.list_for_programs();
        assert!(programs.contains(",.x.example.com,.y.example.com,10.0.0.0/8,"));
    }

    #[test]
    fn a_network_of_no_bits_is_everything_of_its_kind() {
        let list = Bypass::of(&Values::typed(&[("proxy.no_proxy", "0.0.0.0/0")]), "ci");
        assert!(list.covers("203.0.113.9", 80).is_some());
        assert!(list.covers("2001:db8::1", 80).is_none());
        assert!(list.covers("a.example.com", 80).is_none());
    }
}
