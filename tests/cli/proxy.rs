//! What is outside is reached by a real proxy, whose own log says so; what tells others of it is written and taken away.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value as Json;

use crate::docker;
use crate::search::{Search, forms};
use crate::squid::{Origin, Secure, Squid};
use crate::support::{Home, Running, Said, files_below, free_port};

const PASSWORD: &str = "p@ss/w0rd%of:squid";
const ESCAPED: &str = "p%40ss%2Fw0rd%25of%3Asquid";

/// A server that trusts this authority, and whose surroundings name a proxy that nobody is to go by.
fn serve(home: &Home, authority: &Path) -> Running {
    let server = home.serve_in(env!("CARGO_BIN_EXE_roundel"), "", |command| {
        for name in [
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
        ] {
            command.env(name, "http://127.0.0.1:9");
        }
        command
            .env_remove("SSL_CERT_DIR")
            .env("SSL_CERT_FILE", authority);
    });
    Running(server)
}

/// Tries a URL by this proxy; answers how it ended, and the steps as `name verdict`.
fn tried(home: &Home, url: &str, more: &[&str]) -> (Option<i32>, Vec<String>, String) {
    let words = [&["proxy", "test", url, "--json"], more].concat();
    let said = home.run(&words);
    let steps: Vec<Json> = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    let names = steps.iter().map(|step| {
        format!(
            "{} {}",
            step["name"].as_str().unwrap(),
            step["verdict"].as_str().unwrap()
        )
    });
    let last = steps.last().unwrap();
    let told = format!(
        "{} | {}",
        last["found"].as_str().unwrap(),
        last["fix"].as_str().unwrap_or("-")
    );
    (said.code, names.collect(), told)
}

const IN_THE_OPEN: [&str; 4] = [
    "way ok",
    "proxy resolve ok",
    "proxy connect ok",
    "status ok",
];

#[test]
fn a_url_is_reached_by_the_proxy_hop_by_hop_and_its_log_has_it() {
    let Some(squid) = Squid::start(None) else {
        return;
    };
    let (origin, secure) = (Origin::serve(Path::new("/nowhere")), Secure::serve());
    let home = Home::new();
    let _server = serve(&home, &secure.authority());
    let set = format!("proxy.url={}", squid.url(""));
    let by = ["--set", set.as_str()];

    let open = format!("http://origin.test:{}/", origin.port);
    let (code, steps, told) = tried(&home, &open, &by);
    assert_eq!(
        (code, steps),
        (Some(0), IN_THE_OPEN.map(str::to_owned).to_vec()),
        "{told}"
    );
    assert!(
        told.contains("200 OK, by way of") && told.contains("test-proxy"),
        "{told}"
    );
    squid.until_logged(&["GET", &open, "/200"]);

    let place = format!("origin.test:{}", secure.port);
    let (code, steps, told) = tried(&home, &format!("https://{place}/"), &by);
    assert_eq!(code, Some(0), "{steps:?} {told}");
    assert_eq!(
        steps[2..],
        ["proxy connect ok", "tunnel ok", "tls ok", "status ok"]
    );
    squid.until_logged(&["CONNECT", &place, "TCP_TUNNEL/200"]);

    // Its certificate is for another name.
    let other = format!("other.test:{}", secure.port);
    let (code, steps, told) = tried(&home, &format!("https://{other}/"), &by);
    assert_eq!(
        (code, steps.last().unwrap().as_str()),
        (Some(3), "tls failed")
    );
    assert!(
        told.contains("issued by") && told.contains("a name that the certificate holds"),
        "{told}"
    );

    for url in ["http://denied.test/", "https://denied.test/"] {
        let (code, steps, told) = tried(&home, url, &by);
        assert_eq!(code, Some(5), "{steps:?} {told}");
        assert!(
            told.contains("403") && told.contains("ERR_ACCESS_DENIED"),
            "{told}"
        );
        assert!(told.contains("have it allowed on the proxy"), "{told}");
    }
    squid.until_logged(&["CONNECT", "denied.test:443", "TCP_DENIED/403"]);

    // Nobody listens there.
    for url in ["http://origin.test:9/", "https://origin.test:9/"] {
        let (code, _, told) = tried(&home, url, &by);
        assert_eq!(code, Some(3), "{told}");
        assert!(
            told.contains("503") && told.contains("the proxy does not reach origin.test:9"),
            "{told}"
        );
    }
    let (code, steps, told) = tried(&home, "http://unknown.test/", &by);
    assert_eq!(code, Some(3), "{steps:?} {told}");

    // By the proxy it would be reached; directly nobody knows the name.
    let direct = format!("http://direct.test:{}/", origin.port);
    let past = [&by[..], &["--set", "proxy.no_proxy=.test"]].concat();
    let (code, steps, told) = tried(&home, &direct, &past);
    assert_eq!(
        (code, steps),
        (
            Some(3),
            vec!["way ok".to_owned(), "resolve failed".to_owned()]
        )
    );
    assert!(told.contains("out of proxy.no_proxy"), "{told}");
    let near = format!("http://localhost:{}/", origin.port);
    let (code, steps, told) = tried(&home, &near, &by);
    assert_eq!((code, steps.len()), (Some(0), 4), "{told}");
    let log = squid.log();
    assert!(
        !log.contains("direct.test") && !log.contains("localhost"),
        "{log}"
    );
}

#[test]
fn a_proxy_that_asks_who_one_is_is_told_and_nobody_else_is() {
    let Some(squid) = Squid::start(Some(("ann", PASSWORD))) else {
        return;
    };
    let origin = Origin::serve(Path::new("/nowhere"));
    let secure = Secure::serve();
    let home = Home::new();
    let _server = serve(&home, &secure.authority());
    let urls = [
        format!("http://origin.test:{}/", origin.port),
        format!("https://origin.test:{}/", secure.port),
    ];
    let file = home.path("address");
    let set = format!("proxy.url={}", file.display());
    for url in &urls {
        let plain = format!("proxy.url={}", squid.url(""));
        let (code, steps, told) = tried(&home, url, &["--set", &plain]);
        assert_eq!(code, Some(5), "{steps:?} {told}");
        assert!(
            told.contains("407") && told.contains("put user and password"),
            "{told}"
        );

        fs::write(&file, squid.url("ann:wr0ng@")).unwrap();
        let (code, _, told) = tried(&home, url, &["--set-file", &set]);
        assert_eq!(code, Some(5), "{told}");
        assert!(
            told.contains("407") && told.contains("correct user and password"),
            "{told}"
        );

        for written in [PASSWORD, ESCAPED].map(|one| squid.url(&format!("ann:{one}@"))) {
            // Typed as it is it is ambiguous where it holds `%of`, which is no code.
            fs::write(&file, written).unwrap();
            let words = ["proxy", "test", url, "--set-file", &set];
            let said = home.run(&words).with_code(0);
            assert!(
                said.out.contains("by the proxy http://ann@127.0.0.1"),
                "{}",
                said.out
            );
            let all = format!("{}{}", said.out, said.err);
            assert!(!all.contains(PASSWORD) && !all.contains(ESCAPED), "{all}");
        }
    }
    squid.until_logged(&["GET", "origin.test", " ann "]);
    squid.until_logged(&["CONNECT", "origin.test", " ann ", "TCP_TUNNEL/200"]);

    // A password on a command line would be seen by everybody.
    let typed = format!("proxy.url={}", squid.url(&format!("ann:{ESCAPED}@")));
    let said = home
        .run(&["proxy", "test", &urls[0], "--set", &typed])
        .with_code(2);
    assert!(
        said.err.contains("cannot stand on the command line"),
        "{}",
        said.err
    );

    // The client that everything else goes by says the same.
    let values = [("proxy.url", squid.url(&format!("ann:{ESCAPED}@")))];
    let values = values.map(|(key, text)| {
        let kind = roundel::settings::registry::find(key).unwrap().1.kind;
        (
            key.to_owned(),
            roundel::settings::value::Value::parse(kind, &text).unwrap(),
        )
    });
    let client = roundel::services::outgoing::client(&values.into_iter().collect()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let url = format!("{}client", urls[0]);
    let answer = runtime
        .block_on(async { client.get(&url).send().await })
        .unwrap();
    assert_eq!(answer.status(), 404);
    squid.until_logged(&["GET", &url, " ann ", "/404"]);
}

#[test]
fn a_proxy_that_is_not_there_is_named_as_what_failed() {
    let home = Home::new();
    for (set, step, words) in [
        (
            format!("proxy.url=http://127.0.0.1:{}", free_port()),
            "proxy connect failed",
            "start the proxy",
        ),
        (
            "proxy.url=http://no-such.invalid:1".to_owned(),
            "proxy resolve failed",
            "correct the host in proxy.url",
        ),
    ] {
        let (code, steps, told) = tried(&home, "https://example.com", &["--set", &set]);
        assert_eq!(
            (code, steps.last().unwrap().as_str()),
            (Some(3), step),
            "{told}"
        );
        assert!(told.contains(words), "{told}");
    }
    let (code, _, told) = tried(&home, "ftp://example.com", &[]);
    assert_eq!(code, Some(2), "{told}");
}

fn render(home: &Home, root: &Path, more: &[&str]) -> Said {
    let words = [&["proxy", "render", "--root", root.to_str().unwrap()], more].concat();
    home.run(&words)
}

/// Every file below a directory: its path in there, its bytes.
fn tree(root: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = files_below(&[root])
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

const GUIDE: [(&str, &str); 5] = [
    ("hostname", "10.0.1.238"),
    ("ghe_type", "github_type_public"),
    ("proxy.url", "http://10.0.0.33:3128"),
    ("proxy.no_proxy", "ghe.example.com"),
    ("proxy.extra_s3_bypass", "false"),
];

#[test]
fn rendered_files_are_the_fixtures_and_taken_away_nothing_is_left() {
    let home = Home::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/proxy");
    let sign_in = format!("https://ann:{ESCAPED}@proxy.example.com:3129");
    let password = [
        ("proxy.url", sign_in.as_str()),
        (
            "proxy.no_proxy",
            "*.corp.example.com, 10.0.0.0/8, db.example.com:5432",
        ),
        ("proxy.extra_s3_bypass", "true"),
    ];
    for (name, pairs) in [("guide", &GUIDE[..]), ("password", &password[..])] {
        home.save(pairs);
        let root = home.path(name);
        fs::create_dir(&root).unwrap();
        let shown = render(&home, &root, &[]).with_code(0);
        assert!(
            tree(&root).is_empty(),
            "nothing is written before it is asked for"
        );
        assert!(shown.out.contains("would be made"), "{}", shown.out);
        let written = render(&home, &root, &["--write"]).with_code(0);
        let all = format!("{}{}", shown.out, written.out);
        assert!(!all.contains(ESCAPED) && !all.contains(PASSWORD), "{all}");
        assert_eq!(tree(&root), tree(&fixtures.join(name)), "{name}");
        let again = render(&home, &root, &["--write"]).with_code(0);
        assert!(again.out.contains("nothing is changed"), "{}", again.out);
        assert_eq!(tree(&root), tree(&fixtures.join(name)));
        render(&home, &root, &["--remove"]).with_code(0);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "{name}");
    }
    let audit = home.run(&["audit", "list"]).with_code(0).out;
    assert!(
        audit.contains("proxy.render") && audit.contains("proxy.remove"),
        "{audit}"
    );
}

#[test]
fn what_others_wrote_stays_byte_for_byte_and_changes_by_hand_are_told() {
    let home = Home::new();
    home.save(&GUIDE);
    let root = home.path("root");
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("etc/replicated.conf", "{\r\n  \"LogLevel\": \"debug\"\r\n}");
    put(
        "etc/environment",
        "PATH=/bin\r\nHTTP_PROXY=http://old.example.com:1",
    );
    put(
        "root/.docker/config.json",
        "{\n\t\"auths\": {\"r\": {\"auth\": \"c2VjcmV0\"}}\n}\n",
    );
    let environment = root.join("etc/environment");
    fs::set_permissions(&environment, fs::Permissions::from_mode(0o604)).unwrap();
    let before = tree(&root);
    let written = render(&home, &root, &["--write"]).with_code(0);
    assert!(!written.out.contains("c2VjcmV0") && !written.out.contains("old.example.com"));
    let mode = fs::metadata(&environment).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o604);
    let clean = home.run(&["settings", "drift"]).with_code(0).out;
    assert!(
        clean.contains("5 rendered files, none changed by hand"),
        "{clean}"
    );

    let text = fs::read_to_string(&environment).unwrap();
    put(
        "etc/environment",
        &text.replace("HTTP_PROXY=10.0.0.33:3128", "HTTP_PROXY=10.0.0.99:3128"),
    );
    let drift = home.run(&["settings", "drift"]).with_code(4).out;
    assert!(
        drift.contains("etc/environment: changed by hand"),
        "{drift}"
    );
    assert!(
        drift.contains("- HTTP_PROXY=10.0.0.99:3128")
            && drift.contains("+ HTTP_PROXY=10.0.0.33:3128"),
        "{drift}"
    );
    let doctor = home.run(&["doctor"]).out;
    assert!(doctor.contains("1 of 5 changed by hand"), "{doctor}");
    let shown = render(&home, &root, &[]).with_code(0).out;
    assert!(shown.contains("changed by hand"), "{shown}");

    render(&home, &root, &["--remove"]).with_code(0);
    assert_eq!(tree(&root), before);
    put(
        "etc/replicated.conf",
        "{\"HttpProxy\": \"http://theirs.example.com:1\"}",
    );
    let before = tree(&root);
    let refused = render(&home, &root, &["--write"]).with_code(4);
    assert!(refused.err.contains("HttpProxy"), "{}", refused.err);
    assert_eq!(tree(&root), before);
    fs::remove_file(root.join("etc/replicated.conf")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", root.join("etc/replicated.conf")).unwrap();
    let refused = render(&home, &root, &["--write"]).with_code(4);
    assert!(refused.err.contains("symbolic link"), "{}", refused.err);
}

/// A bare copy of a repository, as a plain web server gives it.
pub fn published(home: &Home, name: &str) -> Origin {
    let dir = home.path("published");
    fs::create_dir_all(&dir).unwrap();
    for script in [
        format!("git clone --quiet --bare {name} published/app.git"),
        "git -C published/app.git update-server-info".to_owned(),
    ] {
        let done = home.program("sh", &["-ec", &script]).output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    Origin::serve(&dir)
}

const SHOWS: &str = "version: 2.1
jobs:
  told:
    machine: true
    resource_class: tiny
    steps: [{run: \"env | grep -i _proxy | sort\"}]
  knows:
    machine: true
    resource_class: tiny
    environment: {https_proxy: \"http://own.example.com:1\"}
    steps: [{run: \"env | grep -i ^https_proxy | sort\"}]
workflows: {main: {jobs: [told, knows]}}
";

#[test]
fn git_goes_by_the_proxy_and_jobs_are_told_of_it_without_its_password() {
    let Some(squid) = Squid::start(Some(("ann", PASSWORD))) else {
        return;
    };
    let home = Home::new();
    home.repository("app", SHOWS);
    let origin = published(&home, "app");
    fs::create_dir_all(home.path("config/roundel")).unwrap();
    let classes = "[classes.tiny]\ncpu = 0.1\nmemory = \"64MB\"\n";
    fs::write(home.path("config/roundel/config.toml"), classes).unwrap();
    let url = squid.url(&format!("ann:{ESCAPED}@"));
    home.save(&[("hostname", "ci.example.com"), ("proxy.url", &url)]);
    // A new name of this machine holds from the next start.
    home.run(&["services", "stop", "--yes"]).with_code(0);
    home.run(&["services", "start"]).with_code(0);
    let repository = format!("http://git.test:{}/app.git", origin.port);
    let built = home.run(&["build", &repository]).with_code(0);
    squid.until_logged(&["GET", "git.test", "info/refs", " ann ", "/200"]);

    let shown = format!("http://ann:****@127.0.0.1:{}", squid.port);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"] {
        assert!(
            built.out.contains(&format!("{name}={shown}")),
            "{name}: {}",
            built.out
        );
    }
    assert!(built.out.contains("no_proxy=169.254.169.254,ci.example.com,127.0.0.1,localhost,s3.amazonaws.com,.s3.amazonaws.com"), "{}", built.out);
    assert!(
        built.out.contains("https_proxy=http://own.example.com:1"),
        "{}",
        built.out
    );
    let knows = built
        .out
        .lines()
        .filter(|line| line.contains("HTTPS_PROXY="))
        .count();
    assert_eq!(
        knows, 1,
        "a job that has its own is not told: {}",
        built.out
    );
    // Nowhere on the disk, as it is or as URLs have it.
    let search = Search::of(forms("password", PASSWORD.as_bytes()));
    assert_eq!(search.found_below(&[&home.data()]), []);

    // Past the proxy nobody knows the name.
    home.save(&[("proxy.no_proxy", "git.test")]);
    let failed = home.run(&["build", &repository]).with_code(3);
    assert!(failed.err.contains("git.test"), "{}", failed.err);
}

#[test]
fn jobs_in_containers_are_told_of_the_proxy_too() {
    let Some(engine) = docker::engine() else {
        return;
    };
    let home = docker::home(&engine);
    home.save(&[
        ("hostname", "ci.example.com"),
        ("proxy.url", "http://ann:s3cret-word@10.0.0.33:3128"),
    ]);
    home.run(&["services", "stop", "--yes"]).with_code(0);
    home.run(&["services", "start"]).with_code(0);
    home.repository(
        "web",
        "version: 2.1\njobs:\n  build:\n    docker: [{image: \"roundel-test:1\"}]\n    resource_class: tiny\n    steps: [{run: env}]\nworkflows: {main: {jobs: [build]}}\n",
    );
    let built = home.run(&["build", "web"]).with_code(0);
    for line in [
        "HTTP_PROXY=http://****@10.0.0.33:3128",
        "https_proxy=http://****@10.0.0.33:3128",
    ] {
        assert!(built.out.contains(line), "{line}: {}", built.out);
    }
    assert!(
        built
            .out
            .contains("NO_PROXY=169.254.169.254,ci.example.com,"),
        "{}",
        built.out
    );
}
