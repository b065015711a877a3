//! The proxy's address: as the settings have it, and as everything that goes by a proxy wants it written.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ProxyError;
use crate::secret::Secret;

/// Where the proxy is, and who it is told that one is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// Whether it is spoken to by TLS.
    pub tls: bool,
    /// Name or address; of version 6 without brackets.
    pub host: String,
    /// From 1.
    pub port: u16,
    /// User and password, where it asks for them.
    pub sign_in: Option<SignIn>,
}

/// Who the proxy is told that one is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignIn {
    /// Unescaped.
    pub user: String,
    /// Unescaped.
    pub password: Secret,
}

impl Address {
    /// Reads `<protocol>://[user[:password]@]<host>:<port>`. User and password may be escaped as in a URL, and need not be.
    ///
    /// # Errors
    /// What is missing, without any part of the text.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let bad = |why| ProxyError::Address { why };
        let (scheme, rest) = text.split_once("://").ok_or(bad("has no protocol"))?;
        let tls = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(bad("has a protocol other than http and https")),
        };
        let (sign_in, place) = match rest.rsplit_once('@') {
            Some((who, place)) => (Some(who), place),
            None => (None, rest),
        };
        let (host, port) = place.rsplit_once(':').ok_or(bad("has no port"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
            return Err(bad("has no host"));
        }
        let port = port.parse().ok().filter(|port| *port > 0);
        let sign_in = sign_in.filter(|who| !who.is_empty()).map(|who| {
            let (user, password) = who.split_once(':').unwrap_or((who, ""));
            SignIn {
                user: unescaped(user),
                password: Secret::new(unescaped(password)),
            }
        });
        Ok(Self {
            tls,
            host: host.to_ascii_lowercase(),
            port: port.ok_or(bad("has no port from 1 to 65535"))?,
            sign_in,
        })
    }

    /// `host:port`.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// `http://host:port`, without user and password.
    #[must_use]
    pub fn plain(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority())
    }

    /// As people are shown it: with the user, without the password.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.sign_in {
            None => self.plain(),
            Some(who) => {
                let user = escaped(&who.user);
                format!("{}://{user}@{}", self.scheme(), self.authority())
            }
        }
    }

    /// The whole URL, with user and password: safe in a shell and in a unit file but for the `%` of the latter.
    #[must_use]
    pub fn url(&self) -> Secret {
        let Some(who) = &self.sign_in else {
            return Secret::new(self.plain());
        };
        let mut text = format!("{}://{}", self.scheme(), escaped(&who.user));
        if !who.password.expose().is_empty() {
            text.push(':');
            text.push_str(&escaped(who.password.expose()));
        }
        Secret::new(format!("{text}@{}", self.authority()))
    }

    /// As the guide writes it into files that shells read, `10.0.0.33:3128`. What that form cannot say (a proxy that is
    /// spoken to by TLS, a user) takes the whole URL.
    #[must_use]
    pub fn short(&self) -> Secret {
        if self.tls || self.sign_in.is_some() {
            self.url()
        } else {
            Secret::new(self.authority())
        }
    }

    /// The value of `Proxy-Authorization`.
    #[must_use]
    pub fn authorization(&self) -> Option<Secret> {
        let both = self.sign_in.as_ref()?.both();
        let encoded = STANDARD.encode(both.expose());
        Some(Secret::new(format!("Basic {encoded}")))
    }

    /// What is not to be seen in any output: the password, as it is, as the URL has it, and together with the user.
    #[must_use]
    pub fn hidden(&self) -> Vec<Secret> {
        let Some(who) = self.sign_in.as_ref() else {
            return Vec::new();
        };
        let password = who.password.expose();
        if password.is_empty() {
            return Vec::new();
        }
        let escaped = Secret::new(escaped(password));
        vec![who.password.clone(), escaped, who.both()]
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

impl SignIn {
    fn both(&self) -> Secret {
        Secret::new(format!("{}:{}", self.user, self.password.expose()))
    }
}

/// With `%` before the code of all but letters, digits and `-_.~` (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Codes after `%` as what they stand for; what is no code stays, as people type passwords that hold a `%`.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .filter(|code| code.iter().all(u8::is_ascii_hexdigit))
            .and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_each_wants_it() {
        let plain = Address::parse("http://10.0.0.33:3128").unwrap();
        assert_eq!(plain.url().expose(), "http://10.0.0.33:3128");
        assert_eq!(plain.short().expose(), "10.0.0.33:3128");
        assert_eq!((plain.authorization(), plain.hidden().len()), (None, 0));

        let signed = Address::parse("https://ann:p%40s/s:#1@Proxy.example.com:80").unwrap();
        assert_eq!(
            signed.sign_in.as_ref().unwrap().password.expose(),
            "p@s/s:#1"
        );
        assert_eq!(signed.shown(), "https://ann@proxy.example.com:80");
        let whole = "https://ann:p%40s%2Fs%3A%231@proxy.example.com:80";
        assert_eq!(signed.url().expose(), whole);
        assert_eq!(signed.short().expose(), whole);
        assert_eq!(Address::parse(whole).unwrap(), signed);
        let header = signed.authorization().unwrap();
        assert_eq!(header.expose(), "Basic YW5uOnBAcy9zOiMx");

        let six = Address::parse("http://[2001:db8::1]:8080").unwrap();
        assert_eq!(six.authority(), "[2001:db8::1]:8080");
        let percent = Address::parse("http://u:100%@h:1").unwrap();
        assert_eq!(percent.sign_in.unwrap().password.expose(), "100%");
    }

    #[test]
    fn what_is_missing_is_said_without_the_text() {
        for text in [
            "10.0.0.33:3128",
            "socks5://10.0.0.33:3128",
            "http://ann:hunter2@10.0.0.33",
            "http://ann:hunter2@:3128",
            "http://ann:hunter2@h:0",
            "http://ann:hunter2@h:99999",
        ] {
            let err = Address::parse(text).unwrap_err().to_string();
            assert!(!err.contains("hunter2") && err.contains("has "), "{err}");
        }
    }
}
