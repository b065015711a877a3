//! A real squid of one's own on loopback, a server behind it that only squid knows the name of, and what squid wrote of them.
//!
//! Names below `.test` resolve nowhere but in squid's own file of hosts: what is reached by one of them went through squid.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::skip::skip;
use crate::support::{Running, free_port, until};

/// Squid, which ends with its test.
pub struct Squid {
    _child: Running,
    dir: TempDir,
    pub port: u16,
}

impl Squid {
    /// Starts one that asks for this user and password, or for none; without squid the running test is skipped.
    pub fn start(sign_in: Option<(&str, &str)>) -> Option<Self> {
        let found = Command::new("squid").arg("-v").output();
        if found.is_err() {
            skip("needs squid (Debian: squid)");
            return None;
        }
        // Somebody else may take a free port before squid does.
        (0..5)
            .find_map(|_| Self::try_start(sign_in))
            .or_else(|| panic!("squid does not start"))
    }

    fn try_start(sign_in: Option<(&str, &str)>) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        // It gives up being root.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let d = dir.path().display();
        let port = free_port();
        let names = "origin.test other.test git.test denied.test direct.test";
        fs::write(dir.path().join("hosts"), format!("127.0.0.1 {names}\n")).unwrap();
        let rules = match sign_in {
            None => "http_access allow all\n".to_owned(),
            Some((user, password)) => {
                let made = Command::new("openssl")
                    .args(["passwd", "-apr1", password])
                    .output();
                let hash = String::from_utf8(made.unwrap().stdout).unwrap();
                let file = dir.path().join("passwd");
                fs::write(&file, format!("{user}:{hash}")).unwrap();
                fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
                format!(
                    "auth_param basic program /usr/lib/squid/basic_ncsa_auth {d}/passwd\nauth_param basic children 1 startup=1\nauth_param basic realm test\nacl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n"
                )
            }
        };
        let conf = format!(
            "http_port 127.0.0.1:{port}\nhosts_file {d}/hosts\npid_filename {d}/squid.pid\naccess_log stdio:{d}/access.log\ncache_log {d}/cache.log\ncache deny all\ncache_mem 8 MB\ncoredump_dir {d}\nnetdb_filename none\npinger_enable off\nshutdown_lifetime 0 seconds\nmax_filedescriptors 1024\nvisible_hostname test-proxy\nacl denied dstdomain denied.test\nhttp_access deny denied\n{rules}"
        );
        fs::write(dir.path().join("squid.conf"), conf).unwrap();
        let log = fs::File::create(dir.path().join("out")).unwrap();
        let child = Command::new("squid")
            .args(["-N", "-n", &format!("t{port}"), "-f"])
            .arg(dir.path().join("squid.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let mut child = Running(child.unwrap());
        let mut ended = false;
        until("squid listens, or has ended", || {
            ended = child.0.try_wait().unwrap().is_some();
            ended || TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        (!ended).then_some(Self {
            _child: child,
            dir,
            port,
        })
    }

    /// Its address, for these.
    pub fn url(&self, sign_in: &str) -> String {
        format!("http://{sign_in}127.0.0.1:{}", self.port)
    }

    /// What it wrote of requests; of a tunnel once that is closed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("access.log")).unwrap_or_default()
    }

    /// Waits for a line of its log that holds all of these.
    #[track_caller]
    pub fn until_logged(&self, parts: &[&str]) {
        until(&format!("squid logs {parts:?}"), || {
            let log = self.log();
            log.lines()
                .any(|line| parts.iter().all(|part| line.contains(part)))
        });
    }
}

/// A web server on loopback that gives the files below a directory.
pub struct Origin {
    pub port: u16,
}

impl Origin {
    pub fn serve(dir: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let dir = dir.to_owned();
        // Ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let dir = dir.clone();
                std::thread::spawn(move || answer(stream, &dir));
            }
        });
        Self { port }
    }
}

fn answer(mut stream: TcpStream, dir: &Path) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let path = first.split(' ').nth(1)?.split('?').next()?;
    let file: PathBuf = dir.join(path.trim_start_matches('/'));
    let (status, body) = match fs::read(&file) {
        Ok(bytes) => ("200 OK", bytes),
        Err(_) if path == "/" => ("200 OK", b"here".to_vec()),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
}

/// A web server that speaks TLS, by an authority of its own.
pub struct Secure {
    _child: Running,
    dir: TempDir,
    pub port: u16,
}

impl Secure {
    /// For the name `origin.test`.
    pub fn serve() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let openssl = |words: &str| {
            let done = Command::new("openssl")
                .args(words.split(' '))
                .current_dir(dir.path())
                .output()
                .unwrap();
            assert!(
                done.status.success(),
                "{}",
                String::from_utf8_lossy(&done.stderr)
            );
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
        openssl(&format!(
            "req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority"
        ));
        openssl(&format!(
            "req -x509 {key} -CA ca.pem -CAkey ca.key -keyout leaf.key -out leaf.pem -subj /CN=origin -addext subjectAltName=DNS:origin.test -addext basicConstraints=critical,CA:FALSE"
        ));
        let port = free_port();
        let child = Command::new("openssl")
            .args([
                "s_server", "-quiet", "-www", "-cert", "leaf.pem", "-key", "leaf.key", "-accept",
            ])
            .arg(format!("127.0.0.1:{port}"))
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = Running(child.unwrap());
        until("the server speaks TLS", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self {
            _child: child,
            dir,
            port,
        }
    }

    /// The authority, as a file.
    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }
}
