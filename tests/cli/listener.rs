//! The addresses that everybody uses: with TLS and without, and certificates that are swapped under way.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::Duration;

use roundel::clock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Home, PATIENCE, until};

pub mod pki;

use pki::{Clients, Pki, http_over_tls};

const NAME: &str = "ci.example.com";

/// A server with two public addresses and one for consoles.
struct Open {
    home: Home,
    child: Child,
    addresses: Vec<String>,
    console: String,
}

impl Open {
    fn start() -> Self {
        let home = Home::new();
        let child = home.serve(
            "host_user = \"self\"\nlisten = \"127.0.0.1:0\"\npublic = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n",
        );
        let services = home.json(&["services", "-json"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let addresses = services["public"]["addresses"].as_array().unwrap();
        let open = Self {
            addresses: addresses.iter().map(text).collect(),
            console: text(&services["network"]["address"]),
            home,
            child,
        };
        open.set("hostname", NAME);
        open
    }

    fn set(&self, key: &str, value: &str) {
        self.home.run(&["settings", "set", key, value]).with_code(0);
    }

    fn save(&self) {
        self.home.run(&["settings", "save", "-yes"]).with_code(0);
    }

    /// Stages a chain and its key for these settings.
    fn stage(&self, keys: (&str, &str), pair: &(String, String)) {
        for (key, text) in [(keys.0, &pair.0), (keys.1, &pair.1)] {
            let file = self.home.path("staged.pem");
            fs::write(&file, text).unwrap();
            let file = file.to_str().unwrap();
            let words = ["settings", "set", key, "--file", file];
            self.home.run(&words).with_code(0);
        }
    }

    fn dashboard(&self) -> Value {
        serde_json::from_str(&self.home.http("/api/roundel/v1/dashboard").1).unwrap()
    }

    /// What needs somebody, one text each.
    fn attention(&self) -> Vec<String> {
        let dashboard = self.dashboard();
        let all = dashboard["attention"].as_array().unwrap().iter();
        all.map(|item| item["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // It may have ended, and a test that fails must not fail twice.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

const PRIVACY: (&str, &str) = ("ssl_cert", "ssl_private_key");

/// Asks without TLS; the head in lower case.
fn plain(address: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "{request}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

/// What openssl, which trusts this authority alone, says of the address.
fn s_client(address: &str, pki: &Pki, home: &Home) -> (bool, String) {
    pki::s_client(address, NAME, &pki.root, home)
}

#[test]
fn two_hundred_clients_go_on_while_the_certificate_is_swapped() {
    const CLIENTS: usize = 200;
    let open = Open::start();
    let pki = Pki::new();
    let (one, two) = (pki.issue(NAME, 90), pki.issue(NAME, 90));
    open.stage(PRIVACY, &one);
    open.set("privacy.ssl_only", "true");
    open.save();
    let address = open.addresses[0].clone();
    let (taken, said) = s_client(&address, &pki, &open.home);
    assert!(taken, "{said}");
    assert!(said.contains(&pki::first(&one.0)), "{said}");

    let clients = Clients::start(CLIENTS, &address, NAME, &pki.trust());
    clients.go_on();
    open.stage(PRIVACY, &two);
    open.save();
    let (mut taken, mut said) = (false, String::new());
    until("new connections are shown the new chain", || {
        (taken, said) = s_client(&address, &pki, &open.home);
        said.contains(&pki::first(&two.0))
    });
    assert!(taken, "{said}");
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
    clients.go_on();
    let asked = clients.end();
    println!("{asked} requests of {CLIENTS} clients, none failed");
}

#[test]
fn without_tls_one_is_answered_or_sent_to_it_as_the_settings_say() {
    let open = Open::start();
    open.save();
    let [tls, http] = [&open.addresses[0], &open.addresses[1]];
    let (head, body) = plain(http, "GET /health HTTP/1.1\r\nhost: x");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(body.contains("ok"), "{body}");
    let (head, _) = plain(http, "GET /api/roundel/v1/summary HTTP/1.1\r\nhost: x");
    assert!(
        head.starts_with("http/1.1 401"),
        "nobody is anybody: {head}"
    );
    let token = open.home.run(&["token", "create", "ops"]).with_code(0).out;
    let token = token.trim();
    let asked =
        format!("GET /api/roundel/v1/summary HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}");
    let (head, body) = plain(http, &asked);
    assert!(head.starts_with("http/1.1 403"), "{head}");
    assert!(
        body.contains("over a connection that others can read"),
        "{body}"
    );
    assert!(!body.contains(token), "{body}");

    let pki = Pki::new();
    open.stage(PRIVACY, &pki.issue(NAME, 90));
    open.set("privacy.ssl_only", "true");
    // Kept open over the change of the setting.
    let mut kept = TcpStream::connect(http).unwrap();
    kept.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut ask = |path: &str| {
        write!(kept, "GET {path} HTTP/1.1\r\nhost: {NAME}:80\r\n\r\n").unwrap();
        let mut answer = [0; 4096];
        let n = kept.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..n]).to_ascii_lowercase()
    };
    assert!(ask("/api/roundel/v1/summary").starts_with("http/1.1 401"));
    open.save();
    let port = tls.rsplit_once(':').unwrap().1;
    let to = format!("location: https://{NAME}:{port}/api/roundel/v1/summary?a=b");
    until("what is open already is sent away too", || {
        ask("/api/roundel/v1/summary?a=b").contains(&to)
    });
    for address in [tls, http] {
        let asked = format!("POST /api/roundel/v1/summary?a=b HTTP/1.1\r\nhost: {NAME}");
        let (head, _) = plain(address, &asked);
        assert!(head.starts_with("http/1.1 307"), "{head}");
        assert!(head.contains(&to), "{head}");
        let (head, _) = plain(address, "GET /health HTTP/1.1\r\nhost: x");
        assert!(head.starts_with("http/1.1 200"), "{head}");
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let status = runtime.block_on(async {
        let mut client = http_over_tls(tls, NAME, pki.trust()).await.unwrap();
        let path = "/api/roundel/v1/summary";
        (
            client.get("/health").await.unwrap(),
            client.get(path).await.unwrap(),
            client.get_with(path, Some(token)).await.unwrap(),
        )
    });
    assert_eq!(status, (200, 401, 200), "by TLS the token opens");
    let said = open.home.run(&["services"]).with_code(0).out;
    assert!(
        said.contains(http) && said.contains("by TLS alone"),
        "{said}"
    );
}

/// A certificate and its key on a curve that TLS has given up.
fn on_p224(home: &Home) -> (String, String) {
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-224 -nodes -days 400 -keyout p224.key -out p224.pem -subj /CN=other.example.com -addext subjectAltName=DNS:other.example.com";
    let words: Vec<&str> = words.split(' ').collect();
    let made = home.program("openssl", &words).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let text = |name| fs::read_to_string(home.path(name)).unwrap();
    (text("p224.pem"), text("p224.key"))
}

#[test]
fn a_certificate_that_does_not_load_keeps_the_old_one_and_is_told() {
    let open = Open::start();
    let pki = Pki::new();
    let (one, two) = (pki.issue(NAME, 10), pki.issue("other.example.com", 400));
    open.stage(PRIVACY, &one);
    open.set("privacy.ssl_only", "true");
    open.save();
    until("what ends soon is told", || {
        let all = open.attention();
        all.iter()
            .any(|text| text.contains(&format!("{NAME} of the public address ends in 9 days")))
    });
    let doctor = open.home.run(&["doctor"]).out;
    assert!(
        doctor.contains("warning  certificate") && doctor.contains("9 days left"),
        "{doctor}"
    );

    // The key of another certificate is not even saved; one on a curve that nobody serves with is.
    open.stage(PRIVACY, &(two.0.clone(), one.1.clone()));
    let refused = open.home.run(&["settings", "save", "-yes"]).with_code(2);
    assert!(refused.err.contains("is not that of"), "{}", refused.err);
    open.stage(PRIVACY, &on_p224(&open.home));
    open.save();
    until("what cannot be served is told", || {
        let all = open.attention();
        all.iter()
            .any(|text| text.contains("the public address keeps its old certificate"))
    });
    let (taken, said) = s_client(&open.addresses[0], &pki, &open.home);
    assert!(taken && said.contains(&pki::first(&one.0)), "{said}");
    let row = open.dashboard()["certificates"][0].clone();
    assert_eq!(
        (&row["place"], &row["name"]),
        (&"public".into(), &NAME.into())
    );
    assert_eq!(row["days_left"], 9);
    assert!(
        row["trouble"].as_str().unwrap().contains("together"),
        "{row}"
    );
    let (_, metrics) = open.home.http("/metrics");
    assert!(
        metrics.contains("roundel_certificate_current{place=\"public\"} 0"),
        "{metrics}"
    );
    let line =
        "roundel_certificate_expiry_timestamp_seconds{place=\"public\",name=\"ci.example.com\"} ";
    let end: f64 = metrics
        .lines()
        .find_map(|found| found.strip_prefix(line)?.parse().ok())
        .unwrap();
    let days = (end * 1000.0 - clock::now().0 as f64) / 86_400_000.0;
    assert!((9.0..=10.0).contains(&days), "{days}");
    let doctor = open.home.run(&["doctor"]).with_code(3).out;
    assert!(doctor.contains("failed   certificate"), "{doctor}");

    open.stage(PRIVACY, &two);
    open.save();
    until("all is well again", || {
        open.attention()
            .iter()
            .all(|text| !text.contains("certificate"))
    });
    assert_eq!(
        open.dashboard()["certificates"][0]["name"],
        "other.example.com"
    );
}

#[test]
fn the_console_takes_the_same_certificate_and_those_who_know_another_are_warned() {
    let (open, near) = (Open::start(), Home::new());
    let pki = Pki::new();
    let fingerprint = || {
        let services = open.home.json(&["services", "-json"]);
        services["network"]["fingerprint"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let own = fingerprint();
    let made = open.home.run(&["token", "create", "laptop"]).with_code(0);
    let away = |words: &[&str]| {
        let mut command = near.command(words);
        command
            .env("ROUNDEL_SERVER", format!("https://{}", open.console))
            .env("ROUNDEL_TOKEN", made.out.trim());
        crate::support::Said::from(command.output().unwrap())
    };
    away(&["status", "--fingerprint", &own]).with_code(0);
    open.set("console.tls.source", "privacy");
    let refused = open.home.run(&["settings", "save", "-yes"]).with_code(2);
    assert!(refused.err.contains("there is none"), "{}", refused.err);
    open.stage(PRIVACY, &pki.issue(NAME, 90));
    open.save();
    until("the console shows it", || fingerprint() != own);
    let now = fingerprint();
    let said = away(&["status"]).with_code(5);
    assert!(
        said.err.contains(&own) && said.err.contains(&now),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("not the one that is known"),
        "{}",
        said.err
    );
    let (taken, text) = s_client(&open.console, &pki, &open.home);
    assert!(taken, "{text}");

    open.set("console.tls.source", "self-signed");
    open.save();
    until("its own is back", || fingerprint() == own);
    away(&["status"]).with_code(0);
}

#[test]
fn who_says_nothing_or_says_it_slowly_is_let_go_and_one_address_leaves_room() {
    let open = Open::start();
    let address = &open.addresses[1];
    // A head that never ends, a byte at a time.
    let mut slow = TcpStream::connect(address).unwrap();
    slow.set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    slow.write_all(b"GET /health HTTP/1.1\r\nx: ").unwrap();
    let begun = clock::monotonic();
    let held: Vec<TcpStream> = (0..600)
        .map(|_| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    let ended = || {
        let all = held.iter();
        all.filter(|stream| matches!((&mut &**stream).read(&mut [0]), Ok(0)))
            .count()
    };
    until("those above the bound are turned away", || ended() >= 80);
    until("that is written down", || {
        let rows = open.home.run(&["audit", "list", "action:access.refused"]);
        rows.with_code(0).out.contains("too many connections")
    });
    until("silent ones are let go", || ended() == held.len());
    let silence = begun.elapsed();
    assert!(silence < Duration::from_secs(40), "{silence:?}");
    until("the slow one is let go", || {
        if slow.write_all(b"x").is_err() {
            return true;
        }
        let mut said = [0; 256];
        slow.read(&mut said).is_ok()
    });
    let slowness = begun.elapsed();
    assert!(slowness < Duration::from_secs(45), "{slowness:?}");
}
