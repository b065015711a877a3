//! People who sign in by name and password: against a real directory, from another machine, and what becomes of their
//! sessions when they leave it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roundel::client::{Client, ClientError, EventStream, Remote, StreamItem};
use roundel::clock;
use roundel::error::{Explain, Kind};
use roundel::secret::Secret;
use serde_json::Value;

use crate::openldap::{ADMIN, ADMIN_PASSWORD, OpenLdap, PASSWORD};
use crate::remote::{Far, away};
use crate::search::{Search, forms};
use crate::skip::skip;
use crate::support::{Home, Said, fed, until};

const CONSOLE_PASSWORD: &str = "console-Pass.word-3K";

/// Saves settings, whose secrets lie in files.
fn save(home: &Home, lines: &str) {
    let secret = home.path("search-password");
    fs::write(&secret, ADMIN_PASSWORD).unwrap();
    let file = home.path("settings.toml");
    fs::write(&file, lines.replace("SECRET", secret.to_str().unwrap())).unwrap();
    let words = ["settings", "import", file.to_str().unwrap(), "-yes"];
    home.run(&words).with_code(0);
}

/// A server whose people are those of a directory.
fn with_directory(ldap: &OpenLdap, recheck_s: u64) -> Far {
    let far = Far::start();
    let port = ldap.port;
    save(
        &far.home,
        &format!(
            "hostname = \"ci.example.com\"\nldap.enabled = true\nldap.hostname = \"127.0.0.1\"\nldap.port = {port}\n\
             ldap.search_user = \"{ADMIN}\"\nldap.search_password = {{ file = \"SECRET\" }}\n\
             ldap.base_dn = \"dc=example,dc=com\"\nldap.user_search_dn = \"ou=people\"\n\
             ldap.admin_groups = \"ops\"\nldap.operator_groups = \"cn=devs, ou=groups, dc=example,dc=com\"\n\
             ldap.recheck_s = {recheck_s}\n"
        ),
    );
    far
}

/// Signs in, with the password on the input.
fn login(near: &Home, far: &Far, name: &str, password: &str) -> Said {
    let words = [
        "login",
        &far.url(),
        "--user",
        name,
        "--fingerprint",
        &far.fingerprint,
        "--json",
    ];
    fed(&mut near.command(&words), password)
}

fn whoami(near: &Home, far: &Far) -> Value {
    let said = away(near, far, &["whoami", "-json"], None).with_code(0);
    serde_json::from_str(&said.out).unwrap()
}

/// The token that `login` has kept.
fn kept(near: &Home, far: &Far) -> String {
    let file = near.path("config/roundel/tokens").join(&far.address);
    fs::read_to_string(file).unwrap().trim().to_owned()
}

fn client(near: &Home, far: &Far) -> Client {
    Client::remote(Remote {
        address: far.url().parse().unwrap(),
        pin: Some(far.fingerprint.parse().unwrap()),
        token: Some(Secret::new(kept(near, far))),
        kept: true,
    })
}

/// Rows of the audit log: actor, action, object, result, detail.
fn audit(far: &Far, words: &[&str]) -> Vec<[String; 5]> {
    let page = far
        .home
        .json(&[&["audit", "list", "-n", "1000", "-json"], words].concat());
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = page["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| ["actor", "action", "object", "result", "detail"].map(|key| text(row, key)));
    rows.collect()
}

/// The last word of a stream: why it ended.
async fn last_word(stream: &mut EventStream) -> Option<String> {
    while let Some(item) = stream.next().await {
        if let Ok(StreamItem::Ended(reason)) = item {
            return Some(reason);
        }
    }
    None
}

/// Files below these, and command lines of processes, that hold a form of a secret.
fn places_of(secret: &str, roots: &[&Path]) -> Vec<String> {
    let search = Search::of(forms("secret", secret.as_bytes()));
    let files = search.found_below(roots).into_iter();
    let found = files.chain(search.found_in_processes(&[]));
    found.map(|(path, _)| path.display().to_string()).collect()
}

#[test]
fn people_sign_in_by_the_directory_and_are_what_their_groups_make_of_them() {
    if !OpenLdap::is_there() {
        return skip("needs slapd and ldap-utils");
    }
    let ldap = OpenLdap::start();
    let mut far = with_directory(&ldap, 300);
    let [ann, ben, carol] = [Home::new(), Home::new(), Home::new()];
    for (near, name, role) in [
        (&ann, "ann", "admin"),
        (&ben, "BEN", "operator"),
        (&carol, "carol", "viewer"),
    ] {
        let said = login(near, &far, name, &format!("{PASSWORD}\n")).with_code(0);
        let who = format!("{} (ldap)", name.to_lowercase());
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(
            (told["who"].as_str(), told["role"].as_str()),
            (Some(&*who), Some(role))
        );
        let told = whoami(near, &far);
        assert_eq!(
            (told["who"].as_str(), told["role"].as_str()),
            (Some(&*who), Some(role))
        );
        assert_eq!(told["way"], "ldap");
        assert!(told["expires_at"].is_string(), "{told}");
    }
    // What they do is theirs in the audit log, and is what their role allows.
    away(&ann, &far, &["services", "stop", "-yes"], None).with_code(0);
    away(&ann, &far, &["services", "start"], None).with_code(0);
    let said = away(&ben, &far, &["services", "stop", "-yes"], None).with_code(5);
    assert!(said.err.contains("needs the role admin"), "{}", said.err);
    away(
        &ben,
        &far,
        &["node-drain", "-enable", "-self", "-yes"],
        None,
    )
    .with_code(0);
    away(
        &carol,
        &far,
        &["node-drain", "-disable", "-self", "-yes"],
        None,
    )
    .with_code(5);
    assert_eq!(
        audit(&far, &["action:installation.stop"])[0][0],
        "ann (ldap)"
    );
    assert_eq!(audit(&far, &["action:node.drain"])[0][0], "ben (ldap)");
    let rows = audit(&far, &["action:session.sign_in"]);
    assert_eq!(rows.len(), 3, "{rows:#?}");
    assert_eq!(
        rows[2][2..],
        ["ann", "ok", "ldap admin from 127.0.0.1"].map(str::to_owned)
    );
    let people = far.home.run(&["people", "list"]).with_code(0).out;
    assert!(
        people.contains("ann") && people.contains("ben@example.com"),
        "{people}"
    );

    // Wrong ones are refused, whoever is meant; and no session that was there before is lost with it.
    for (name, password) in [
        ("ann", "wrong"),
        ("nobody-here", PASSWORD),
        ("*)(uid=*", PASSWORD),
    ] {
        let said = login(&ann, &far, name, password).with_code(5);
        assert!(
            said.err.contains("the name or the password is wrong"),
            "{}",
            said.err
        );
    }
    let said = login(&ann, &far, "ann", "\n").with_code(2);
    assert!(said.err.contains("no password was given"), "{}", said.err);
    let rows = audit(&far, &["action:access.refused", "sign-in"]);
    assert!(rows.iter().any(|row| row[0] == "127.0.0.1"), "{rows:#?}");
    assert_eq!(whoami(&ann, &far)["who"], "ann (ldap)");

    // Somebody who leaves is out at the server too, whatever the role.
    let token = kept(&carol, &far);
    let said = fed(&mut carol.command(&["logout", &far.url(), "--json"]), "").with_code(0);
    assert!(said.out.contains("\"ended\": true"), "{}", said.out);
    let said = away(&carol, &far, &["status"], Some(&token)).with_code(5);
    assert!(said.err.contains("signed out"), "{}", said.err);
    let said = away(&carol, &far, &["status"], None).with_code(5);
    assert!(said.err.contains("nobody is signed in"), "{}", said.err);
    away(&carol, &far, &["logout"], None).with_code(4);
    let said = far
        .home
        .run(&["people", "forget", "ldap", "ben", "-json"])
        .with_code(0);
    assert!(said.out.contains("\"sessions\": 1"), "{}", said.out);
    away(&ben, &far, &["status"], None).with_code(5);

    // A session outlives the server's restart, and is kept as a hash.
    far.restart();
    assert_eq!(whoami(&ann, &far)["who"], "ann (ldap)");
    let secret = kept(&ann, &far).rsplit('_').next().unwrap().to_owned();
    let data = far.home.data();
    assert_eq!(places_of(&secret, &[&data]), Vec::<String>::new());
    assert_eq!(
        places_of(PASSWORD, &[&data, &ann.path("config")]),
        Vec::<String>::new()
    );
    let planted = data.join("log/planted");
    fs::create_dir_all(planted.parent().unwrap()).unwrap();
    fs::write(&planted, STANDARD.encode(format!("x{PASSWORD}"))).unwrap();
    assert_eq!(
        places_of(PASSWORD, &[&data]),
        [planted.display().to_string()]
    );
}

#[test]
fn who_guesses_waits_and_a_neighbour_gets_in() {
    if !OpenLdap::is_there() {
        return skip("needs slapd and ldap-utils");
    }
    let ldap = OpenLdap::start();
    let far = with_directory(&ldap, 300);
    let near = Home::new();
    let mut tries = 0;
    until("the one who guesses has to wait", || {
        tries += 1;
        let said = login(&near, &far, "ann", "wrong").with_code(5);
        said.err.contains("too many failed sign-ins")
    });
    assert!((5..=8).contains(&tries), "{tries} tries");
    let said = login(&near, &far, "ann", PASSWORD).with_code(5);
    assert!(
        said.err.contains("too many"),
        "not even the right one: {}",
        said.err
    );
    login(&near, &far, "ben", PASSWORD).with_code(0);
    let rows = audit(&far, &["action:access.refused", "sign-in"]);
    assert!(rows.len() < 4, "a flood is few rows: {rows:#?}");
}

#[test]
fn who_leaves_the_directory_loses_session_and_stream_within_the_period() {
    if !OpenLdap::is_there() {
        return skip("needs slapd and ldap-utils");
    }
    let mut ldap = OpenLdap::start();
    let far = with_directory(&ldap, 5);
    let [dave, ben, carol] = [Home::new(), Home::new(), Home::new()];
    for (near, name) in [(&dave, "dave"), (&ben, "ben"), (&carol, "carol")] {
        login(near, &far, name, PASSWORD).with_code(0);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let clients = [&dave, &ben, &carol].map(|near| client(near, &far));
    let mut streams: Vec<_> = clients
        .iter()
        .map(|client| runtime.block_on(client.events(None)).unwrap())
        .collect();
    let begun = clock::monotonic();
    ldap.delete("dave");
    let reason = runtime.block_on(last_word(&mut streams[0]));
    let took = begun.elapsed();
    assert!(
        reason.as_deref().unwrap().contains("not in the directory"),
        "{reason:?}"
    );
    // The period, and what a busy machine takes to tell.
    assert!(took < Duration::from_secs(5 + 3), "{took:?}");
    assert!(
        runtime.block_on(streams[0].next()).is_none(),
        "nothing comes after it"
    );
    let err = runtime.block_on(clients[0].summary()).unwrap_err();
    assert_eq!(err.kind(), Kind::SignIn);
    assert!(
        matches!(&err, ClientError::Server { status: 401, body } if body.code == "session_over")
    );
    assert!(err.to_string().contains("not in the directory"), "{err}");
    let said = away(&dave, &far, &["console", "--once"], None).with_code(5);
    assert!(said.err.contains("not in the directory"), "{}", said.err);
    let said = login(&dave, &far, "dave", PASSWORD).with_code(5);
    assert!(
        said.err.contains("the name or the password is wrong"),
        "{}",
        said.err
    );
    let rows = audit(&far, &["action:session.end"]);
    assert_eq!(
        (rows.len(), &*rows[0][0], &*rows[0][2]),
        (1, "server", "dave"),
        "{rows:#?}"
    );

    // Another group, another role, and nobody is thrown out for it.
    let group = "cn=devs,ou=groups,dc=example,dc=com";
    let member = |name: &str| OpenLdap::dn(name);
    ldap.change(&format!(
        "dn: {group}\nchangetype: modify\nreplace: uniqueMember\nuniqueMember: {}\n",
        member("carol")
    ));
    let role = |near: &Home| whoami(near, &far)["role"].as_str().unwrap().to_owned();
    until("the roles are what the groups say", || {
        role(&ben) == "viewer" && role(&carol) == "operator"
    });
    // Without a group that may come in, the session ends.
    save(&far.home, "ldap.viewer_groups = \"devs\"\n");
    let reason = runtime.block_on(last_word(&mut streams[1]));
    assert!(
        reason.as_deref().unwrap().contains("no group"),
        "{reason:?}"
    );

    // A directory that is away throws nobody out at once, is told of, and lets nobody in.
    ldap.end();
    let failing = |far: &Far| {
        let parts = far.home.json(&["services", "-json"])["services"].clone();
        let parts = parts.as_array().unwrap().clone();
        parts
            .iter()
            .any(|part| part["name"] == "sign-in" && part["health"] == "failing")
    };
    until("it is said that the directory is away", || failing(&far));
    assert!(runtime.block_on(clients[2].summary()).is_ok());
    let said = login(&ben, &far, "ben", PASSWORD).with_code(3);
    assert!(said.err.contains("roundel ldap test"), "{}", said.err);
    ldap.begin();
    save(&far.home, &format!("ldap.port = {}\n", ldap.port));
    until("it is well again", || !failing(&far));

    // Turned off, nobody of it stays.
    save(&far.home, "ldap.enabled = false\n");
    let reason = runtime.block_on(last_word(&mut streams[2]));
    assert!(
        reason.as_deref().unwrap().contains("turned off"),
        "{reason:?}"
    );
    let said = login(&carol, &far, "carol", PASSWORD).with_code(5);
    assert!(said.err.contains("nobody signs in so here"), "{}", said.err);
    // With people of the directory there, GitHub does not take its place.
    let file = far.home.path("github.toml");
    let id = "0123456789abcdef0123";
    fs::write(
        &file,
        format!("ghe_client_id = \"{id}\"\nghe_client_secret = \"{id}{id}\"\n"),
    )
    .unwrap();
    let said = far
        .home
        .run(&["settings", "import", file.to_str().unwrap(), "-yes"])
        .with_code(2);
    assert!(
        said.err
            .contains("people sign in by the directory: ben, carol"),
        "{}",
        said.err
    );
}

#[test]
fn a_password_is_not_taken_where_others_can_read_it() {
    let home = Home::new();
    let mut server = home.serve("host_user = \"self\"\npublic = [\"127.0.0.1:0\"]\n");
    let services = home.json(&["services", "-json"]);
    let address = services["public"]["addresses"][0].as_str().unwrap();
    let mut plain = TcpStream::connect(address).unwrap();
    let body = format!("{{\"user\": \"ann\", \"password\": \"{PASSWORD}\"}}");
    let length = body.len();
    let request = format!(
        "POST /api/roundel/v1/session/sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    plain.write_all(request.as_bytes()).unwrap();
    let mut said = String::new();
    plain.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
    assert!(said.contains("others can read"), "{said}");
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Gives the console a password, on the input.
fn set_password(far: &Far, password: &str) -> Said {
    fed(
        &mut far.home.command(&["settings", "set", "console.password"]),
        password,
    )
}

#[test]
fn the_password_of_the_console_is_kept_as_a_hash_and_lets_administrators_in() {
    let (far, near) = (Far::start(), Home::new());
    let words = [
        "login",
        &far.url(),
        "--console",
        "--fingerprint",
        &far.fingerprint,
    ];
    let sign_in = |password: &str| fed(&mut near.command(&words), password);
    let said = sign_in(CONSOLE_PASSWORD).with_code(5);
    assert!(said.err.contains("nobody signs in so here"), "{}", said.err);
    let said = set_password(&far, "too short\n").with_code(2);
    assert!(
        said.err.contains("fewer than 12 characters"),
        "{}",
        said.err
    );
    set_password(&far, &format!("{CONSOLE_PASSWORD}\n")).with_code(0);
    save(&far.home, "hostname = \"ci.example.com\"\n");
    let said = sign_in("another-Pass.word").with_code(5);
    assert!(said.err.contains("is wrong"), "{}", said.err);
    sign_in(CONSOLE_PASSWORD).with_code(0);
    let told = whoami(&near, &far);
    assert_eq!(
        (&told["role"], &told["way"]),
        (&"admin".into(), &"console".into())
    );
    assert_eq!(told["who"], "password of the console");
    let data = far.home.data();
    assert_eq!(places_of(CONSOLE_PASSWORD, &[&data]), Vec::<String>::new());

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut stream = runtime.block_on(client(&near, &far).events(None)).unwrap();
    set_password(&far, "a-new-Pass.word-5T\n").with_code(0);
    far.home.run(&["settings", "save", "-yes"]).with_code(0);
    let reason = runtime.block_on(last_word(&mut stream));
    assert!(
        reason.as_deref().unwrap().contains("another one now"),
        "{reason:?}"
    );
    sign_in(CONSOLE_PASSWORD).with_code(5);
    sign_in("a-new-Pass.word-5T").with_code(0);
}
