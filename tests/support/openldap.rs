//! An OpenLDAP server of a test's own, with a few people and groups, on a free port of this machine.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::until;

/// Password of everybody in it, and of its administrator.
pub const PASSWORD: &str = "long-Pass.word-7Q";
pub const ADMIN_PASSWORD: &str = "admin-Pass.word-9Z";
pub const ADMIN: &str = "cn=admin,dc=example,dc=com";

/// Who is in it: `uid=NAME,ou=people,dc=example,dc=com`. ann is in ops, ben in devs, the others in no group.
const PEOPLE: [&str; 5] = ["ann", "ben", "carol", "dave", "erin"];

/// The server; ended when it goes away.
pub struct OpenLdap {
    dir: TempDir,
    child: Option<Child>,
    pub port: u16,
}

/// Where Debian keeps what no path of a person names.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places
        .map(|place| place.join(name))
        .find(|file| file.is_file())
}

impl OpenLdap {
    /// Whether it can be started here.
    pub fn is_there() -> bool {
        ["slapd", "slapadd", "ldapmodify"]
            .iter()
            .all(|name| program(name).is_some())
    }

    /// Starts one, and waits until it answers.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("db")).unwrap();
        fs::write(at("slapd.conf"), config(dir.path())).unwrap();
        fs::write(at("data.ldif"), data()).unwrap();
        let added = Command::new(program("slapadd").unwrap())
            .args(["-q", "-f"])
            .arg(at("slapd.conf"))
            .arg("-l")
            .arg(at("data.ldif"))
            .output()
            .unwrap();
        assert!(added.status.success(), "{added:?}");
        let mut server = Self {
            dir,
            child: None,
            port: 0,
        };
        server.begin();
        server
    }

    /// Starts it again, where it was before unless somebody else is there now.
    pub fn begin(&mut self) {
        for _ in 0..20 {
            if self.port == 0 {
                self.port = TcpListener::bind("127.0.0.1:0")
                    .unwrap()
                    .local_addr()
                    .unwrap()
                    .port();
            }
            let mut child = Command::new(program("slapd").unwrap())
                .args([
                    "-d",
                    "0",
                    "-h",
                    &format!("ldap://127.0.0.1:{}", self.port),
                    "-f",
                ])
                .arg(self.dir.path().join("slapd.conf"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut ended = false;
            until("the directory answers or has ended", || {
                ended = child.try_wait().unwrap().is_some();
                ended || self.answers()
            });
            if !ended {
                self.child = Some(child);
                return;
            }
            // Somebody else was quicker at this port.
            self.port = 0;
        }
        panic!("slapd does not start");
    }

    /// Ends it, as a machine that goes away.
    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Name of a person's entry.
    pub fn dn(name: &str) -> String {
        format!("uid={name},ou=people,dc=example,dc=com")
    }

    /// Has the administrator change it, in LDIF.
    pub fn change(&self, ldif: &str) {
        let mut child = self
            .ldap("ldapmodify")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(ldif.as_bytes())
            .unwrap();
        let said = child.wait_with_output().unwrap();
        assert!(said.status.success(), "{ldif}: {said:?}");
    }

    /// Removes a person.
    pub fn delete(&self, name: &str) {
        self.change(&format!("dn: {}\nchangetype: delete\n", Self::dn(name)));
    }

    fn answers(&self) -> bool {
        self.ldap("ldapwhoami")
            .output()
            .is_ok_and(|said| said.status.success())
    }

    fn ldap(&self, name: &str) -> Command {
        let secret = self.dir.path().join("admin-password");
        if !secret.exists() {
            fs::write(&secret, ADMIN_PASSWORD).unwrap();
        }
        let mut command = Command::new(program(name).unwrap());
        command
            .args([
                "-x",
                "-H",
                &format!("ldap://127.0.0.1:{}", self.port),
                "-D",
                ADMIN,
                "-y",
            ])
            .arg(secret)
            .env("LDAPNOINIT", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Drop for OpenLdap {
    fn drop(&mut self) {
        self.end();
    }
}

fn config(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {dir}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
disallow bind_anon
require authc
database mdb
maxsize 16777216
suffix dc=example,dc=com
rootdn {ADMIN}
rootpw {ADMIN_PASSWORD}
directory {dir}/db
dbnosync
index objectClass,uid,uniqueMember eq
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
"
    )
}

fn data() -> String {
    let mut text = String::from(
        "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n",
    );
    for unit in ["people", "groups"] {
        text += &format!(
            "\ndn: ou={unit},dc=example,dc=com\nobjectClass: organizationalUnit\nou: {unit}\n"
        );
    }
    for name in PEOPLE {
        text += &format!(
            "\ndn: {}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\nmail: {name}@example.com\n\
             userPassword: {PASSWORD}\n",
            OpenLdap::dn(name)
        );
    }
    for (group, name) in [("ops", "ann"), ("devs", "ben")] {
        text += &format!(
            "\ndn: cn={group},ou=groups,dc=example,dc=com\nobjectClass: groupOfUniqueNames\ncn: {group}\n\
             uniqueMember: {}\n",
            OpenLdap::dn(name)
        );
    }
    text
}
