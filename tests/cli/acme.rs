//! Certificates from an authority: pebble, which asks pebble-challtestsrv for the records of DNS.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use roundel::client::Client;
use roundel::clock;
use rustix::process::{Pid, Signal, kill_process};

use crate::listener::pki::{Clients, Pki, first, s_client, trusting};
use crate::skip::skip;
use crate::support::{Home, PATIENCE};

const NAME: &str = "ci.example.com";

/// What the server is started with.
const CONFIG: &str = "host_user = \"self\"\npublic = [\"127.0.0.1:0\"]\nlisten = \"127.0.0.1:0\"\n";

/// Sends a JSON body, or fetches what is there; trusts what the first argument names.
const ASK: &str = "
import ssl, sys, urllib.request
trust, url, body = sys.argv[1:4]
context = ssl.create_default_context(cafile=trust) if trust else None
data = body.encode() if body else None
sys.stdout.write(urllib.request.urlopen(url, data, 10, context=context).read().decode())
";

/// An authority and its DNS, and a server with a public address that trusts it.
pub struct Authority {
    pub home: Home,
    /// First the server, then those of the authority.
    children: Vec<Child>,
    /// Where its directory is.
    directory: String,
    /// Where its root is shown.
    management: String,
    /// Its DNS server.
    dns: String,
    /// Where the records of DNS are written.
    records: String,
    /// The address of the server.
    pub public: String,
}

fn end(child: &mut Child) {
    // It may have ended, and a test that fails must not fail twice.
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
    let _ = child.wait();
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.children.iter_mut().for_each(end);
    }
}

/// Ports that nobody has now.
fn ports() -> [u16; 5] {
    let tcp: Vec<TcpListener> = (0..4)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    // The DNS server takes the same port of both kinds.
    let both = (0..100).find_map(|_| {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = udp.local_addr().unwrap().port();
        TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    });
    let of = |n: usize| tcp[n].local_addr().unwrap().port();
    [of(0), of(1), of(2), of(3), both.unwrap()]
}

impl Authority {
    /// `None` where pebble is not installed.
    fn start() -> Option<Self> {
        Self::start_by(&Home::serve)
    }

    /// The same with the server that this starts with a bootstrap file, of which it is given the text.
    pub fn start_by(serve: &dyn Fn(&Home, &str) -> Child) -> Option<Self> {
        let installed = |name: &str| Command::new(name).arg("-help").output().is_ok();
        if !installed("pebble") || !installed("pebble-challtestsrv") {
            skip("needs pebble (Debian: pebble)");
            return None;
        }
        let home = Home::new();
        let pki = Pki::new();
        let (chain, key) = pki.issue("localhost", 90);
        for (name, text) in [
            ("root.pem", &pki.root),
            ("authority.crt", &chain),
            ("authority.key", &key),
        ] {
            fs::write(home.path(name), text).unwrap();
        }
        let server = serve(&home, CONFIG);
        let services = home.json(&["services", "-json"]);
        let public = services["public"]["addresses"][0]
            .as_str()
            .unwrap()
            .to_owned();
        let mut authority = Self {
            home,
            children: vec![server],
            directory: String::new(),
            management: String::new(),
            dns: String::new(),
            records: String::new(),
            public,
        };
        // Somebody else may take a port before it is listened on.
        let begun = clock::monotonic();
        while !authority.listen() {
            assert!(begun.elapsed() < PATIENCE, "pebble does not start");
        }
        let home = &authority.home;
        home.run(&["settings", "set", "hostname", NAME])
            .with_code(0);
        let root = home.path("root.pem");
        let words = ["settings", "set", "ca.certificates", "--file"];
        home.run(&[&words[..], &[root.to_str().unwrap()]].concat())
            .with_code(0);
        home.run(&["settings", "save", "-yes"]).with_code(0);
        Some(authority)
    }

    /// Starts both programs on ports of their own; whether they are there.
    fn listen(&mut self) -> bool {
        let [acme, management, http, records, dns] = ports();
        let path = |name: &str| self.home.path(name).display().to_string();
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{acme}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": path("authority.crt"),
            "privateKey": path("authority.key"),
            "httpPort": http,
            "tlsPort": http,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        fs::write(self.home.path("pebble.json"), config.to_string()).unwrap();
        let start = |program: &str, words: &[String]| {
            self.home
                .program(
                    program,
                    &words.iter().map(String::as_str).collect::<Vec<_>>(),
                )
                .env("PEBBLE_VA_NOSLEEP", "1")
                .env("PEBBLE_AUTHZREUSE", "0")
                // Of a hundred; more than any authority does, and an order comes through.
                .env("PEBBLE_WFE_NONCEREJECT", "30")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut started = vec![
            start(
                "pebble-challtestsrv",
                &words(format!(
                    "-dns01 127.0.0.1:{dns} -management 127.0.0.1:{records} -http01= -https01= -tlsalpn01="
                )),
            ),
            start(
                "pebble",
                &words(format!(
                    "-strict -config {} -dnsserver 127.0.0.1:{dns}",
                    path("pebble.json")
                )),
            ),
        ];
        self.directory = format!("https://localhost:{acme}/dir");
        self.management = format!("https://localhost:{management}");
        self.dns = format!("127.0.0.1:{dns}");
        self.records = format!("http://127.0.0.1:{records}");
        loop {
            if self.get(&self.directory, "").is_some() && self.write("clear-txt", "x", "").is_some()
            {
                self.children.append(&mut started);
                return true;
            }
            if started
                .iter_mut()
                .any(|one| one.try_wait().unwrap().is_some())
            {
                started.iter_mut().for_each(end);
                return false;
            }
        }
    }

    /// What is at a URL, once it answers.
    fn get(&self, url: &str, body: &str) -> Option<String> {
        let root = self.home.path("root.pem");
        let trust = if url.starts_with("https") {
            root.to_str().unwrap()
        } else {
            ""
        };
        let said = Command::new("python3")
            .args(["-c", ASK, trust, url, body])
            .output()
            .unwrap();
        said.status
            .success()
            .then(|| String::from_utf8(said.stdout).unwrap())
    }

    /// Writes a record into DNS.
    fn write(&self, what: &str, name: &str, value: &str) -> Option<String> {
        let body = serde_json::json!({"host": format!("{name}."), "value": value});
        self.get(&format!("{}/{what}", self.records), &body.to_string())
    }

    /// A program that writes records, and notes each call.
    fn hook(&self) -> String {
        let path = self.home.path("hook");
        let script = format!(
            "#!/bin/sh\necho \"$1 $2\" >>{calls}\nexec python3 -c \"$ASK\" '' {records}/$([ $1 = set ] && echo set-txt || echo clear-txt) \
             \"{{\\\"host\\\":\\\"$2.\\\",\\\"value\\\":\\\"$3\\\"}}\"\n",
            calls = self.home.path("calls").display(),
            records = self.records
        );
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The root of what it issues, which is another one at each start.
    fn issuer(&self) -> String {
        self.get(&format!("{}/roots/0", self.management), "")
            .unwrap()
    }

    fn order(&self, words: &[&str]) -> Child {
        let mut command = self.ordering(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn ordering(&self, words: &[&str]) -> Command {
        let all = [
            "tls",
            "acme",
            "--directory",
            &self.directory,
            "--resolver",
            &self.dns,
            "--hostname",
        ];
        self.home.command(&[&all[..], words].concat())
    }

    /// The order of a certificate whose record a program writes.
    pub fn order_by_hook(&self) -> Command {
        let mut command = self.ordering(&[NAME, "--agree-tos", "--hook", &self.hook()]);
        command.env("ASK", ASK);
        command
    }

    /// Ends the server and starts one again, on other ports.
    pub fn restart_by(&mut self, serve: &dyn Fn(&Home, &str) -> Child) {
        end(&mut self.children[0]);
        self.children[0] = serve(&self.home, CONFIG);
    }

    /// What openssl, which trusts its root alone, sees on the public address.
    pub fn served(&self) -> String {
        let (taken, text) = s_client(&self.public, NAME, &self.issuer(), &self.home);
        assert!(taken, "{text}");
        assert!(text.contains("Verify return code: 0 (ok)"), "{text}");
        text
    }

    /// The chain that the settings hold.
    fn saved(&self) -> String {
        let row = self.home.json(&["settings", "get", "ssl_cert", "--json"]);
        row["value"].as_str().unwrap_or_default().to_owned()
    }
}

/// Name and value of the record that an order shows.
fn record(out: &mut impl BufRead) -> (String, String) {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "no record: {text}");
        if let Some(rest) = line.strip_prefix("record  ") {
            let (name, value) = rest.split_once(". TXT ").unwrap();
            return (name.to_owned(), value.trim().trim_matches('"').to_owned());
        }
        text += &line;
    }
}

#[test]
fn a_certificate_is_issued_served_and_renewed_without_a_dropped_connection() {
    let Some(authority) = Authority::start() else {
        return;
    };
    let home = &authority.home;
    // By hand: the record is shown, somebody writes it, and the order goes on by itself.
    let mut order = authority.order(&[NAME, "--agree-tos", "--email", "ops@example.com"]);
    let mut out = BufReader::new(order.stdout.take().unwrap());
    let (name, value) = record(&mut out);
    assert_eq!(name, format!("_acme-challenge.{NAME}"));
    let second = home.run(&["tls", "acme", "--renew"]).with_code(4);
    assert!(second.err.contains("ordered already"), "{}", second.err);
    authority.write("set-txt", &name, &value).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(order.wait().unwrap().success(), "{rest}");
    for step in [
        "ok      dns:",
        "ok      proof:",
        "ok      certificate:",
        "ok      saved:",
    ] {
        assert!(rest.contains(step), "{step}: {rest}");
    }
    assert!(
        rest.contains(&format!("served: {NAME} on the public address")),
        "{rest}"
    );
    authority.write("clear-txt", &name, "").unwrap();
    let before = authority.saved();
    assert!(authority.served().contains(&first(&before)));
    let history = home.run(&["settings", "history"]).with_code(0).out;
    assert!(history.contains("acme"), "{history}");

    // What holds for long is not renewed, unless somebody insists.
    let said = home.run(&["tls", "renew"]).with_code(0).out;
    assert!(said.contains("not yet"), "{said}");
    assert_eq!(authority.saved(), before);

    let clients = Clients::start(50, &authority.public, NAME, &trusting(&authority.issuer()));
    clients.go_on();
    let hook = authority.hook();
    let renewed = home
        .command(&["tls", "renew", "--force", "--hook", &hook])
        .env("ASK", ASK)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&renewed.stdout).into_owned();
    let err = String::from_utf8_lossy(&renewed.stderr).into_owned();
    assert!(renewed.status.success(), "{text}{err}");
    let after = authority.saved();
    assert_ne!(first(&after), first(&before));
    assert!(authority.served().contains(&first(&after)));
    clients.go_on();
    clients.end();
    let calls = fs::read_to_string(home.path("calls")).unwrap();
    assert_eq!(calls, format!("set {name}\nunset {name}\n"));

    // Neither key is told to anybody.
    for words in [
        &["settings", "get", "ssl_private_key"][..],
        &["settings", "get", "acme.account"],
    ] {
        let said = home.run(words).with_code(0).out;
        assert!(said.contains("(set)"), "{said}");
    }
    let audit = home.run(&["audit", "list", "-json"]).with_code(0).out;
    assert!(
        audit.contains("tls.acme") && audit.contains("acme.account"),
        "{audit}"
    );
    assert!(
        !format!("{audit}{text}{rest}").contains("PRIVATE KEY"),
        "{audit}"
    );
}

#[test]
fn what_fails_is_named_and_changes_nothing() {
    let Some(authority) = Authority::start() else {
        return;
    };
    let home = &authority.home;
    let ended = |order: Child| {
        let said = order.wait_with_output().unwrap();
        (said.status.code(), String::from_utf8(said.stdout).unwrap())
    };
    let (code, out) = ended(authority.order(&[NAME]));
    assert_eq!(code, Some(5), "{out}");
    assert!(
        out.contains("failed  account:") && out.contains("--agree-tos"),
        "{out}"
    );
    for wrong in ["192.0.2.1", "not a name"] {
        let (code, out) = ended(authority.order(&[wrong, "--agree-tos"]));
        assert_eq!(code, Some(2), "{out}");
        assert!(
            out.contains("failed  order:") && out.contains(wrong),
            "{out}"
        );
    }
    let said = home.run(&["tls", "renew"]).with_code(2);
    assert!(
        said.out.contains("nothing was ordered before"),
        "{}",
        said.out
    );
    let closed = home
        .run(&[
            "tls",
            "acme",
            "--hostname",
            NAME,
            "--agree-tos",
            "--directory",
            "https://localhost:1/dir",
        ])
        .with_code(3);
    assert!(closed.out.contains("failed  account:"), "{}", closed.out);

    // Somebody says that the record is there, and it is not.
    let mut order = authority.order(&[NAME, "--agree-tos"]);
    let mut out = BufReader::new(order.stdout.take().unwrap());
    record(&mut out);
    let client = Client::unix(home.data().join("socket"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let gone_on = runtime.block_on(client.go_on_with_certificate()).unwrap();
    assert!(gone_on.waited);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(order.wait().unwrap().code(), Some(5), "{rest}");
    assert!(
        rest.contains("failed  proof:") && rest.contains(NAME),
        "{rest}"
    );
    assert_eq!(authority.saved(), "");
    let idle = runtime.block_on(client.go_on_with_certificate()).unwrap();
    assert!(!idle.waited, "an order that has ended waits for nobody");
}
