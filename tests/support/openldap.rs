//! An OpenLDAP server of a test's own, with a few people and groups, on two free ports of this machine.
//!
//! It begins at dc=example,dc=com. People of ou=people have [`PASSWORD`]: ann is in ops, ben in devs, carol, dave and erin in no
//! group. Those of ou=users have the password `correct horse`:
//!
//! - alice, in devs, which is in all;
//! - bob, in no group;
//! - carol, in ring-a, which is in ring-b, which is in ring-a;
//! - twin, who is there twice, in ou=users and in ou=staff below it;
//! - bücher, whose entry is named `cn=Smith\, John (x*)`, in odd;
//! - locked, out after three wrong passwords as everybody is;
//! - off, locked by an administrator for good.
//!
//! ou=elsewhere is a referral to ou=users, on the same port.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::directory::keys;
use crate::support::until;

/// Password of the people who sign in, and of the administrator.
pub const PASSWORD: &str = "long-Pass.word-7Q";
pub const ADMIN_PASSWORD: &str = "admin password";
pub const ADMIN: &str = "cn=admin,dc=example,dc=com";

/// The server; ended when it goes away.
pub struct OpenLdap {
    dir: TempDir,
    child: Option<Child>,
    /// Plain and StartTLS.
    pub port: u16,
    /// LDAPS.
    pub tls_port: u16,
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
        keys(dir.path());
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
            tls_port: 0,
        };
        server.begin();
        // Only now it is known where that is.
        server.change(&format!(
            "dn: ou=elsewhere,dc=example,dc=com\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\n\
             ou: elsewhere\nref: ldap://127.0.0.1:{}/ou=users,dc=example,dc=com\n",
            server.port
        ));
        server
    }

    /// Starts it again, where it was before unless somebody else is there now.
    pub fn begin(&mut self) {
        for _ in 0..20 {
            if self.port == 0 {
                let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
                let [port, tls_port] = free.map(|free| free.local_addr().unwrap().port());
                (self.port, self.tls_port) = (port, tls_port);
            }
            let (port, tls_port) = (self.port, self.tls_port);
            let places = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}");
            let log = File::create(self.file("log")).unwrap();
            // With its log on its output it stays in the foreground.
            let mut child = Command::new(program("slapd").unwrap())
                .args(["-d", "256", "-h", &places, "-f"])
                .arg(self.file("slapd.conf"))
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap())
                .stderr(log)
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
            // Somebody else was quicker at one of the ports.
            self.port = 0;
        }
        let log = fs::read_to_string(self.file("log")).unwrap();
        panic!("slapd does not start: {log}");
    }

    /// Where its files are, and with them the keys of [`keys`].
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
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

    /// Gives a person another password, without a line end.
    pub fn set_password(&self, name: &str, password: &str) {
        let dn = Self::dn(name);
        self.change(&format!(
            "dn: {dn}\nchangetype: modify\nreplace: userPassword\nuserPassword: {password}\n"
        ));
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
        let secret = self.file("admin-password");
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
moduleload ppolicy
disallow bind_anon
require authc
TLSCACertificateFile {dir}/ca.crt
TLSCertificateFile {dir}/server.crt
TLSCertificateKeyFile {dir}/server.key
database mdb
maxsize 33554432
suffix dc=example,dc=com
rootdn {ADMIN}
rootpw \"{ADMIN_PASSWORD}\"
directory {dir}/db
dbnosync
index objectClass,uid,mail,uniqueMember eq
overlay ppolicy
ppolicy_default cn=lockout,dc=example,dc=com
ppolicy_use_lockout
access to attrs=userPassword by self write by anonymous auth by * none
access to * by users read by anonymous auth
"
    )
}

fn entry(dn: &str, lines: &[&str]) -> String {
    format!("dn: {dn}\n{}\n\n", lines.join("\n"))
}

/// Somebody whose entry has these lines besides.
fn person(dn: &str, uid: &str, password: &str, lines: &[&str]) -> String {
    let own = [format!("uid: {uid}"), format!("userPassword: {password}")];
    let own = ["objectClass: inetOrgPerson", "sn: Test", &own[0], &own[1]];
    entry(dn, &[&own, lines].concat())
}

/// Somebody of a unit, called and found by the same name.
fn simple(unit: &str, uid: &str, password: &str, lines: &[&str]) -> String {
    let dn = format!("uid={uid},ou={unit},dc=example,dc=com");
    let own = [format!("cn: {uid}"), format!("mail: {uid}@example.com")];
    let own: [&str; 2] = [&own[0], &own[1]];
    person(&dn, uid, password, &[&own, lines].concat())
}

fn data() -> String {
    const USERS: &str = "correct horse";
    let top = [
        "objectClass: dcObject",
        "objectClass: organization",
        "o: Example",
        "dc: example",
    ];
    let mut text = entry("dc=example,dc=com", &top);
    for unit in ["people", "users", "staff,ou=users", "groups"] {
        let name = unit.split(',').next().unwrap();
        let lines = ["objectClass: organizationalUnit", &format!("ou: {name}")];
        text += &entry(&format!("ou={unit},dc=example,dc=com"), &lines);
    }
    text += &entry(
        "cn=lockout,dc=example,dc=com",
        &[
            "objectClass: device",
            "objectClass: pwdPolicy",
            "cn: lockout",
            "pwdAttribute: userPassword",
            "pwdLockout: TRUE",
            "pwdMaxFailure: 3",
            "pwdLockoutDuration: 600",
        ],
    );
    for name in ["ann", "ben", "carol", "dave", "erin"] {
        text += &simple("people", name, PASSWORD, &[]);
    }
    for name in ["alice", "bob", "carol", "locked", "twin"] {
        text += &simple("users", name, USERS, &[]);
    }
    text += &simple(
        "users",
        "off",
        USERS,
        &["pwdAccountLockedTime: 000001010000Z"],
    );
    let twin = "uid=twin,ou=staff,ou=users,dc=example,dc=com";
    text += &person(twin, "twin", USERS, &["cn: twin"]);
    let odd = r"cn=Smith\, John (x*),ou=users";
    let lines = ["cn: Smith, John (x*)", "mail: buecher@example.com"];
    text += &person(&format!("{odd},dc=example,dc=com"), "bücher", USERS, &lines);
    for (name, members) in [
        ("ops", &["uid=ann,ou=people"][..]),
        ("devs", &["uid=ben,ou=people", "uid=alice,ou=users"]),
        ("all", &["cn=devs,ou=groups"]),
        ("odd", &[odd]),
        ("ring-a", &["uid=carol,ou=users", "cn=ring-b,ou=groups"]),
        ("ring-b", &["cn=ring-a,ou=groups"]),
    ] {
        let mut lines = vec![
            "objectClass: groupOfUniqueNames".to_owned(),
            format!("cn: {name}"),
        ];
        let member = |member| format!("uniqueMember: {member},dc=example,dc=com");
        lines.extend(members.iter().map(member));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        text += &entry(&format!("cn={name},ou=groups,dc=example,dc=com"), &lines);
    }
    text
}
