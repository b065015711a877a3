//! Every secret that the program knows, used on one installation, is in no database, log, export, screen, list of processes or
//! error; and the same search finds each of them in each of these places once it has been planted there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roundel::secret::Secret;
use roundel::settings::exchange::{self, Item};
use roundel::settings::registry::entries;
use roundel::storage::seal::{Opener, Seal};

use crate::acme::Authority;
use crate::listener::pki::Pki;
use crate::openldap::OpenLdap;
use crate::proxy::published;
use crate::search::{Search, forms, of_der, of_private_key};
use crate::skip::skip;
use crate::squid::Squid;
use crate::support::Home;
use crate::vm::{Account, Stub, moto};

mod faults;
mod given;
mod places;
mod plants;
mod site;
mod uses;
mod watch;

use given::{hard, of_settings};
use site::{Site, Text, serve};
use watch::{Seen, Watch};

const NAME: &str = "ci.example.com";

/// A step that needs next to nothing.
const APP: &str = "version: 2.1
jobs:
  told:
    machine: true
    steps: [{run: \"env | grep -i _proxy\"}]
workflows: {main: {jobs: [told]}}
";

/// Files that hold a secret because that is what they are for, each with the name of that one; no other may be in it.
fn kept_there(site: &Site) -> Vec<(PathBuf, &'static str)> {
    let data = site.home().data();
    let mut kept = vec![
        // Where no passphrase keeps it.
        (data.join("secrets/key"), "key of the secrets"),
        (
            data.join("tls/server.key"),
            "key of the console's own certificate",
        ),
    ];
    // What somebody has signed in with, on their own machine.
    kept.extend(site.tokens.borrow().iter().cloned());
    // What tells other programs of the proxy.
    let rendered = [
        "etc/environment",
        "etc/replicated.conf",
        "etc/circle-installation-customizations",
        "etc/systemd/system/docker.service.d/roundel-proxy.conf",
        "root/.docker/config.json",
    ];
    kept.extend(rendered.map(|name| (site.home().path("rendered").join(name), "proxy.url")));
    kept
}

/// Directories in which nothing else may be.
fn searched(site: &Site) -> Vec<PathBuf> {
    let home = site.home();
    let mut roots: Vec<PathBuf> = ["log", "out", "kept", "rendered"]
        .map(|name| home.path(name))
        .into();
    roots.push(home.data());
    roots.extend(site.people.iter().map(|near| near.path("config")));
    roots
}

fn paths(all: &[PathBuf]) -> Vec<&Path> {
    all.iter().map(PathBuf::as_path).collect()
}

/// Fails with what is found in texts.
#[track_caller]
fn not_in_texts(search: &Search, texts: &[Text]) {
    let found: Vec<_> = texts
        .iter()
        .map(|(from, text)| (from, search.found_in(text)))
        .filter(|(_, forms)| !forms.is_empty())
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Fails with what is found in files that are not for it.
#[track_caller]
fn not_on_disk(site: &Site, search: &Search) {
    let (roots, kept) = (searched(site), kept_there(site));
    let mut found = search.found_below(&paths(&roots));
    for (path, forms) in &mut found {
        let own = kept.iter().find(|(file, _)| file == path);
        forms.retain(|form| own.is_none_or(|(_, name)| !form.starts_with(&format!("{name}, "))));
    }
    found.retain(|(_, forms)| !forms.is_empty());
    assert!(found.is_empty(), "{found:#?}");
}

#[track_caller]
fn not_in_processes(search: &Search, seen: &Seen) {
    for bytes in seen.command_lines.iter().chain(&seen.environments) {
        let found = search.found_in(bytes);
        assert!(
            found.is_empty(),
            "{found:?}: {}",
            String::from_utf8_lossy(bytes)
        );
    }
}

/// Everything that is there to use secrets, and who issues its certificates; `None` after the test was skipped.
fn start(moto: &str) -> Option<(Site, Pki)> {
    if !OpenLdap::is_there() {
        skip("needs slapd and ldap-utils");
        return None;
    }
    let proxy_password = hard();
    let squid = Squid::start(Some(("ann", &proxy_password)))?;
    let authority = Authority::start_by(&serve)?;
    authority.home.repository("app", APP);
    let origin = published(&authority.home, "app");
    let site = Site {
        origin,
        squid,
        proxy_password,
        ldap: OpenLdap::start(),
        ec2: Stub::before(moto),
        account: Account::at(moto),
        people: [(); 3].map(|()| Home::new()),
        authority,
        tokens: Default::default(),
        said: Default::default(),
        hidden: Default::default(),
    };
    Some((site, Pki::new()))
}

/// What the settings hold, opened with the passphrase of an export; every secret of the registry is among it or is kept as a hash.
fn opened(site: &Site, file: &Path, passphrase: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(file).unwrap();
    let mut opener = Opener::new(Secret::new(passphrase.to_owned()));
    let items = exchange::read(&text).unwrap().unwrap().into_iter();
    let opened: BTreeMap<String, String> = items
        .filter_map(|(key, item)| match item {
            Item::Sealed(sealed) => {
                let plain = opener.open(&key, &sealed).expect("it opens");
                Some((key, String::from_utf8(plain.to_vec()).unwrap()))
            }
            _ => None,
        })
        .collect();
    for (_, entry) in entries().filter(|(_, entry)| entry.kind.is_secret()) {
        let row = site.home().json(&["settings", "get", entry.key, "--json"]);
        assert!(
            row["set"] == true && (opened.contains_key(entry.key) || entry.hashed),
            "`{}` is a secret that this test does not use: give it a value in leaks/given.rs and use it in leaks/uses.rs",
            entry.key
        );
    }
    opened
}

#[test]
fn every_secret_is_used_and_none_is_found_but_where_it_was_planted() {
    let Some(moto) = moto() else { return };
    let Some((mut site, pki)) = start(&moto) else {
        return;
    };
    let watch = Watch::start();
    fs::create_dir(site.home().path("out")).unwrap();
    let [console, public] = [(); 2].map(|()| pki.issue(NAME, 90));
    let proxy = format!("127.0.0.1:{}", site.squid.port);
    let given = of_settings(console.1, public.1, &proxy, &site.proxy_password);
    let value = |key: &str| {
        let one = given.iter().find(|one| one.key == key);
        one.expect("a secret of the registry").value.clone()
    };
    let ann = hard();
    site.ldap
        .set_password("erin", &value("ldap.search_password"));
    site.ldap.set_password("ann", &ann);
    let own = fs::read_to_string(site.home().data().join("tls/server.key")).unwrap();
    site.hide(of_private_key("key of the console's own certificate", &own));
    let secrets = site.home().data().join("secrets");
    let key = fs::read(secrets.join("key")).unwrap();
    site.hide(forms("key of the secrets", &key));

    site.import(&given, &console.0, &public.0);
    site.directory(&ann);
    site.ways_in(&value("console.password"));
    site.listeners(&pki);
    site.proxy();
    site.job(|site| {
        let search = Search::of(site.hidden.borrow().clone());
        not_on_disk(site, &search);
    });
    site.machines(&moto);
    site.order();
    let seal = Seal::of(&secrets, None).unwrap();
    let sealed = fs::read_to_string(secrets.join("vm_key")).unwrap();
    let seed = seal.open("key of the VMs", sealed.trim()).unwrap();
    site.hide(forms("key of the VMs", seed.as_bytes()));
    let passphrase = site.exchange(&site.home().path("out"));
    let opened = opened(&site, &site.home().path("out/sealed.toml"), &passphrase);
    site.hide(of_private_key(
        "ssl_private_key of the order",
        &opened["ssl_private_key"],
    ));
    let account: serde_json::Value = serde_json::from_str(&opened["acme.account"]).unwrap();
    let der = URL_SAFE_NO_PAD.decode(account["key_pkcs8"].as_str().unwrap());
    site.hide(of_der("acme.account", &der.unwrap()));
    site.passphrase();
    site.faults();
    site.run(&["backup", "create", "kept"]).with_code(0);
    site.run(&["backup", "verify", "kept"]).with_code(0);

    // Other secrets are staged meanwhile, so that they too could be shown.
    for one in of_settings(pki.issue(NAME, 9).1, pki.issue(NAME, 9).1, &proxy, &hard()) {
        let staged = one.hidden.into_iter();
        site.hide(
            staged
                .map(|(name, bytes)| (format!("staged {name}"), bytes))
                .collect(),
        );
        site.run(&[
            "settings",
            "set",
            one.key,
            "--file",
            &site.file(one.key, &one.value),
        ])
        .with_code(0);
    }
    let texts = [site.said.take(), site.shown()].concat();
    let search = Search::of(site.hidden.borrow().clone());
    let seen = watch.end();
    assert!(seen.command_lines.len() > 50 && !seen.environments.is_empty());
    not_in_texts(&search, &texts);
    not_on_disk(&site, &search);
    not_in_processes(&search, &seen);
    assert!(
        !secrets.join("key").exists(),
        "no key lies in the open any more"
    );
    site.plants(&search);
}
