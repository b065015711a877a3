//! Directories of the tests' own: OpenLDAP, and Active Directory by Samba, with certificates of an authority that only the
//! tests know.

use std::any::Any;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::openldap::OpenLdap;

/// An authority, and a certificate of it for 127.0.0.1 and ldap.example.com: ca.crt, server.crt, server.key; and another
/// authority, that has signed nothing: other.crt.
pub fn keys(dir: &Path) {
    let authority = |name: &str| {
        let mut wanted = CertificateParams::default();
        wanted.distinguished_name.push(DnType::CommonName, name);
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (wanted, KeyPair::generate().unwrap())
    };
    let (other, key) = authority("Another authority");
    let made = other.self_signed(&key).unwrap();
    fs::write(dir.join("other.crt"), made.pem()).unwrap();
    let (wanted, key) = authority("Authority of the tests");
    let made = wanted.self_signed(&key).unwrap();
    fs::write(dir.join("ca.crt"), made.pem()).unwrap();
    let issuer = Issuer::new(wanted, key);
    let names = ["127.0.0.1", "ldap.example.com"].map(str::to_owned);
    let mut wanted = CertificateParams::new(names).unwrap();
    wanted
        .distinguished_name
        .push(DnType::CommonName, "ldap.example.com");
    let key = KeyPair::generate().unwrap();
    let made = wanted.signed_by(&key, &issuer).unwrap();
    fs::write(dir.join("server.crt"), made.pem()).unwrap();
    fs::write(dir.join("server.key"), key.serialize_pem()).unwrap();
}

/// A directory that runs.
pub struct Directory {
    keys: PathBuf,
    /// Plain and StartTLS.
    pub port: u16,
    /// LDAPS.
    pub tls_port: u16,
    /// Ends with the value.
    _server: Box<dyn Any>,
}

impl Directory {
    /// OpenLDAP, with what [`OpenLdap`] says; or what it needs.
    pub fn openldap() -> Result<Self, &'static str> {
        if !OpenLdap::is_there() {
            return Err("needs slapd and ldap-utils");
        }
        let server = OpenLdap::start();
        Ok(Self {
            keys: server.dir().to_owned(),
            port: server.port,
            tls_port: server.tls_port,
            _server: Box::new(server),
        })
    }

    /// Active Directory, with what `tests/support/samba` says; or what it needs.
    pub fn samba() -> Result<Self, &'static str> {
        if !rustix::process::geteuid().is_root() {
            return Err("needs root, for a network namespace");
        }
        let made = Command::new("unshare").args(["--net", "true"]).status();
        if !made.is_ok_and(|status| status.success()) {
            return Err("needs the right to make namespaces, for Samba");
        }
        let parts = ["/usr/sbin/samba", "/usr/share/samba/setup/provision.ldif"];
        if !parts.iter().all(|part| Path::new(part).exists()) {
            return Err("needs samba (Debian: samba-ad-dc, samba-ad-provision)");
        }
        let (server, port, tls_port) = Samba::start();
        Ok(Self {
            keys: server.root.path().to_owned(),
            port,
            tls_port,
            _server: Box::new(server),
        })
    }

    /// A file of the keys: `ca.crt`, `other.crt`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.keys.join(name)
    }
}

struct Samba {
    child: Child,
    root: TempDir,
}

impl Samba {
    /// Starts it; answers its two ports with it.
    fn start() -> (Self, u16, u16) {
        let root = tempfile::tempdir().unwrap();
        keys(root.path());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/samba");
        let mut child = Command::new(script)
            .arg(root.path().join("run"))
            .arg(root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let ports = said.trim().strip_prefix("ready ").map(|ports| {
            let mut ports = ports.split(' ').map(|port| port.parse().unwrap());
            (ports.next().unwrap(), ports.next().unwrap())
        });
        let Some((port, tls_port)) = ports else {
            let mut why = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut why)
                .unwrap();
            child.wait().unwrap();
            panic!("Samba does not start: {why}");
        };
        (Self { child, root }, port, tls_port)
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        // It may have ended by itself, and a test that fails must not fail twice.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}
