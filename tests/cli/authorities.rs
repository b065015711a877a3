//! Whom Roundel is to trust: hosts are looked at by the way that the settings say, and what many add at once is all there.

use crate::squid::{Secure, Squid};
use crate::support::{Home, free_port};

#[test]
fn what_a_host_shows_is_fetched_by_the_proxy_and_the_way_is_said() {
    let Some(squid) = Squid::start(Some(("ann", "p@ss/word"))) else {
        return;
    };
    let secure = Secure::serve();
    let home = Home::new();
    home.save(&[
        ("hostname", "ci.example.com"),
        ("proxy.url", &squid.url("ann:p%40ss%2Fword@")),
    ]);
    // Nobody but the proxy knows the name.
    let place = format!("origin.test:{}", secure.port);
    let by = format!(
        "Reached by the proxy http://ann@127.0.0.1:{}: nothing that is reached directly covers `origin.test`.",
        squid.port
    );
    let shown = home.run(&["tls", "fetch-chain", &place]).with_code(0);
    shown.says(&[&by, "Certificate 1 of 1"]);
    squid.until_logged(&["CONNECT", &place, " ann ", "TCP_TUNNEL/200"]);
    let pem = home
        .run(&["tls", "fetch-chain", &place, "--pem"])
        .with_code(0);
    assert!(pem.out.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.err.contains(&by));
    let listed = home.json(&["tls", "fetch-chain", &place, "--json"]);
    let print = listed[0]["sha256"].as_str().unwrap();
    let words = ["ca", "fetch", &place, "--sha256", print];
    let trusted = home.run(&words).with_code(0);
    trusted.says(&[&by]);
    assert!(
        trusted.out.contains("1 certificate is trusted."),
        "{trusted:?}"
    );

    // It goes the way that the test of the proxy says, and fails at the hop where that one does.
    let nobody = format!("origin.test:{}", free_port());
    for (proxy, past, place, code, hop) in [
        (squid.url("ann:wrong@"), "", &place, 5, "tunnel: 407 "),
        (
            squid.url("ann:p%40ss%2Fword@"),
            "",
            &nobody,
            3,
            "tunnel: 503 ",
        ),
        (
            squid.url("ann:p%40ss%2Fword@"),
            ".test",
            &place,
            3,
            "directly: `origin.test` is covered by `.test`, named in proxy.no_proxy: resolve: ",
        ),
        (
            format!("http://127.0.0.1:{}", free_port()),
            "",
            &place,
            3,
            "proxy connect: 127.0.0.1:",
        ),
    ] {
        home.save(&[("proxy.url", &proxy), ("proxy.no_proxy", past)]);
        let tested = home.run(&["proxy", "test", &format!("https://{place}")]);
        for words in [["ca", "fetch"], ["tls", "fetch-chain"]] {
            let said = home.run(&[&words[..], &[place]].concat()).with_code(code);
            assert!(said.err.contains(hop), "{hop}: {said:?}");
            assert!(!said.err.contains("p%40ss"), "{said:?}");
            let fix = said.err.split("hint: ").nth(1).unwrap().trim();
            assert!(tested.out.contains(fix), "{fix}: {tested:?}");
        }
    }
    let direct = format!("127.0.0.1:{}", secure.port);
    home.run(&["tls", "fetch-chain", &direct])
        .with_code(0)
        .says(&["Reached directly: `127.0.0.1` is this machine."]);
    assert!(!squid.log().contains(&direct));
    let audit = home.run(&["audit", "list", "--json"]).with_code(0).out;
    assert!(
        audit.contains("tls.chain") && !audit.contains("p%40ss"),
        "{audit}"
    );
}

#[test]
fn authorities_that_many_add_at_once_are_all_trusted_and_all_gone_again() {
    const MANY: usize = 20;
    let home = Home::new();
    home.save(&[("hostname", "ci.example.com")]);
    let all_at_once = |words: &(dyn Fn(usize) -> Vec<String> + Sync)| {
        std::thread::scope(|scope| {
            for n in 0..MANY {
                let home = &home;
                scope.spawn(move || {
                    let words = words(n);
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    home.run(&words).with_code(0);
                });
            }
        });
    };
    for n in 0..MANY {
        let made = rcgen::generate_simple_self_signed([format!("ca-{n}.example.com")]).unwrap();
        std::fs::write(home.path(&format!("{n}.pem")), made.cert.pem()).unwrap();
    }
    let listed = || {
        let listed = home.json(&["ca", "list", "--json"]);
        let rows = listed.as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["sha256"].as_str().unwrap().to_owned())
            .collect::<Vec<String>>()
    };
    for how in ["--yes", "--stage"] {
        all_at_once(&|n| {
            let file = home.path(&format!("{n}.pem"));
            ["ca", "add", file.to_str().unwrap(), how]
                .map(str::to_owned)
                .to_vec()
        });
        let there = listed();
        assert_eq!(there.len(), MANY, "{how}");
        if how == "--yes" {
            all_at_once(&|n| ["ca", "remove", &there[n], how].map(str::to_owned).to_vec());
            assert_eq!(listed(), Vec::<String>::new());
        }
    }
}
