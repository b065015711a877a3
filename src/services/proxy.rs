//! The proxy: which way a URL is reached, and why; what is told of it to jobs, to git and to the files of the machine.
//!
//! One look, [`Routes::way`], decides for everything of Roundel that reaches out, and explains itself. Nothing here reads the
//! environment: the settings alone say what goes by the proxy.

mod address;
mod bypass;
pub mod files;
mod hops;
mod jobs;

use reqwest::Url;

use crate::error::{Explain, Kind};
use crate::settings::value::{Value, Values};
use crate::vcs;

pub use address::{Address, SignIn};
pub use bypass::Bypass;
pub(in crate::services) use hops::bare;
pub use hops::{Failed, Line, reach, test};
pub use jobs::{JobVariable, job_variables};

/// Why the way to the outside is not known.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// What is set cannot be used; the text itself is not repeated, for it may hold a password.
    #[error("the proxy's address {why}")]
    Address {
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is sealed.
    #[error("the proxy's address is sealed, and cannot be opened now")]
    Locked,
}

impl Explain for ProxyError {
    fn kind(&self) -> Kind {
        match self {
            ProxyError::Address { .. } => Kind::Usage,
            ProxyError::Locked => Kind::Unavailable,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            ProxyError::Address { .. } => "write it as http://10.0.0.33:3128",
            ProxyError::Locked => "open the secrets with `roundel unlock`",
        };
        Some(hint.to_owned())
    }
}

/// Which way a URL is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// Without the proxy.
    Direct {
        /// Why, in words.
        because: String,
    },
    /// By the proxy.
    Proxy {
        /// Which.
        address: Address,
        /// Why, in words.
        because: String,
    },
}

impl Way {
    /// In words, and why: `directly: there is no proxy`.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Way::Direct { because } => format!("directly: {because}"),
            Way::Proxy { address, because } => {
                format!("by the proxy {}: {because}", address.shown())
            }
        }
    }
}

/// The ways to the outside, by the settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Routes {
    address: Option<Address>,
    bypass: Bypass,
}

impl Routes {
    /// By these settings.
    ///
    /// # Errors
    /// When there is a proxy, and where it is cannot be read: nothing then goes out past it.
    pub fn of(values: &Values) -> Result<Self, ProxyError> {
        let set = values.get("proxy.url");
        let address = match set.as_deref() {
            Some(Value::Locked) => return Err(ProxyError::Locked),
            Some(value) if !value.is_empty() => Some(Address::parse(value.text())?),
            _ => None,
        };
        let bypass = Bypass::of(values, &machine(values));
        Ok(Self { address, bypass })
    }

    /// Where the proxy is; `None` when there is none.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// What is reached directly.
    #[must_use]
    pub fn bypass(&self) -> &Bypass {
        &self.bypass
    }

    /// Which way a URL is reached, and why.
    #[must_use]
    pub fn way(&self, url: &Url) -> Way {
        let direct = |because: String| Way::Direct { because };
        let Some(address) = &self.address else {
            return direct("there is no proxy (proxy.url is not set)".to_owned());
        };
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return direct(format!("`{}:` names no host and port", url.scheme()));
        };
        if !["http", "https"].contains(&url.scheme()) {
            return direct(format!("`{}:` does not go by a proxy", url.scheme()));
        }
        match self.bypass.covers(host, port) {
            Some(because) => direct(because),
            None => Way::Proxy {
                address: address.clone(),
                because: format!("nothing that is reached directly covers `{host}`"),
            },
        }
    }

    /// How git reaches this repository. Where there is no proxy, git is left as it is.
    #[must_use]
    pub fn for_git(&self, repository: &str) -> vcs::Network {
        if self.address.is_none() {
            return vcs::Network::Unsaid;
        }
        match Url::parse(repository).map(|url| self.way(&url)) {
            Ok(Way::Proxy { address, .. }) => vcs::Network::Proxy(address.url()),
            _ => vcs::Network::Direct,
        }
    }
}

/// How git reaches this repository by these settings.
///
/// # Errors
/// As [`Routes::of`].
pub fn for_git(repository: &str, values: &Values) -> Result<vcs::Network, ProxyError> {
    Ok(Routes::of(values)?.for_git(repository))
}

/// What this machine is called: by the settings, else by itself.
fn machine(values: &Values) -> String {
    let set = values.text("hostname");
    if set.is_empty() {
        let own = rustix::system::uname();
        own.nodename().to_string_lossy().into_owned()
    } else {
        set
    }
}

/// A text without the passwords of the URLs in it.
#[must_use]
pub fn without_passwords(text: &str) -> String {
    const STARS: &str = "****";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        // To where the authority ends: a password that is not escaped may hold anything but blanks and quotes.
        let end = after
            .find(|c: char| c.is_whitespace() || "\"'`,".contains(c))
            .unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        let host = url.rfind('@').filter(|host| {
            let path = url.find(['/', '?', '#']);
            path.is_none_or(|path| path > *host) || url[..*host].contains(':')
        });
        match host {
            Some(host) => {
                let user = url[..host].split(':').next().unwrap_or_default();
                out.push_str(user);
                if url[..host].contains(':') {
                    out.push(':');
                    out.push_str(STARS);
                }
                out.push_str(&url[host..]);
            }
            None => out.push_str(url),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn said(url: &str, pairs: &[(&str, &str)]) -> String {
        let routes = Routes::of(&Values::typed(pairs)).unwrap();
        match routes.way(&Url::parse(url).unwrap()) {
            Way::Direct { because } => format!("direct: {because}"),
            Way::Proxy { address, because } => format!("{}: {because}", address.shown()),
        }
    }

    #[test]
    fn a_url_goes_one_way_and_says_why() {
        let set = [
            ("proxy.url", "http://ann:hunter2@10.0.0.33:3128"),
            ("proxy.no_proxy", ".example.com, 192.0.2.0/24"),
            ("hostname", "ci.example.org"),
        ];
        for (url, expected) in [
            (
                "https://example.net/x",
                "http://ann@10.0.0.33:3128: nothing that is reached directly covers `example.net`",
            ),
            (
                "http://a.example.com",
                "direct: `a.example.com` is covered by `.example.com`, named in proxy.no_proxy",
            ),
            (
                "https://192.0.2.9:8443/",
                "direct: `192.0.2.9` is covered by `192.0.2.0/24`, named in proxy.no_proxy",
            ),
            (
                "https://ci.example.org",
                "direct: `ci.example.org` is this machine",
            ),
            ("http://LOCALHOST:1", "direct: `localhost` is this machine"),
            ("ftp://example.net", "direct: `ftp:` does not go by a proxy"),
            (
                "ssh://git@example.net/x",
                "direct: `ssh:` names no host and port",
            ),
        ] {
            assert_eq!(said(url, &set), expected);
        }
        assert_eq!(
            said("https://example.net", &[]),
            "direct: there is no proxy (proxy.url is not set)"
        );
    }

    #[test]
    fn an_address_that_cannot_be_opened_lets_nothing_past() {
        let mut values = Values::default();
        values.set("proxy.url", Value::Locked);
        assert!(matches!(Routes::of(&values), Err(ProxyError::Locked)));
        values.set("proxy.url", Value::Text("nonsense".to_owned()));
        assert!(Routes::of(&values).is_err());
    }

    #[test]
    fn git_is_told_of_the_proxy_for_what_goes_by_it() {
        let routes = Routes::of(&Values::typed(&[
            ("proxy.url", "http://ann:pw%40x@p:1"),
            ("proxy.no_proxy", "git.example.com"),
        ]))
        .unwrap();
        let proxy = Secret::new("http://ann:pw%40x@p:1".to_owned());
        assert_eq!(
            routes.for_git("https://example.org/a.git"),
            vcs::Network::Proxy(proxy)
        );
        for direct in [
            "https://git.example.com/a.git",
            "git@example.org:a.git",
            "/srv/a.git",
            "ssh://example.org/a.git",
        ] {
            assert_eq!(routes.for_git(direct), vcs::Network::Direct, "{direct}");
        }
    }

    #[test]
    fn a_password_is_taken_out_of_any_text() {
        for (text, clean) in [
            (
                "HTTP_PROXY=http://ann:hunter2@p:1",
                "HTTP_PROXY=http://ann:****@p:1",
            ),
            ("\"http://ann:h/u@n@p:1\", x", "\"http://ann:****@p:1\", x"),
            (
                "see https://example.com/a@b and http://u@h",
                "see https://example.com/a@b and http://u@h",
            ),
            (
                "http://a:b@c http://d:e@f",
                "http://a:****@c http://d:****@f",
            ),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_passwords(text), clean);
        }
    }
}
