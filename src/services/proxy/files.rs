//! What the files of the machine say of the proxy: the console's and the services' of CircleCI Server 2.17, those of a
//! Nomad client, and Docker's. Pure: which files are written is decided by who has a root.
//!
//! Docker's `daemon.json` is none of them: a daemon before 23.0 does not start with proxies in it.

use serde_json::json;

use super::{Address, ProxyError, Routes};
use crate::services::rendered::{MARK, Part, Wanted};
use crate::settings::value::Values;

const CONSOLE: &str = "etc/replicated.conf";
const SERVICES: &str = "etc/circle-installation-customizations";
const CLIENTS: &str = "etc/environment";
/// After `http-proxy.conf`, which others write, in the order of the alphabet: what comes later holds.
const DAEMON: &str = "etc/systemd/system/docker.service.d/roundel-proxy.conf";
const DOCKER: &str = "root/.docker/config.json";

fn member(names: &[&str]) -> Part {
    Part::Member(names.iter().map(|&name| name.to_owned()).collect())
}

/// All of them, with the part that is Roundel's.
#[must_use]
pub fn known() -> [(&'static str, Part); 5] {
    [
        (CONSOLE, member(&["HttpProxy"])),
        (SERVICES, Part::Block),
        (CLIENTS, Part::Block),
        (DAEMON, Part::Whole),
        (DOCKER, member(&["proxies", "default"])),
    ]
}

/// What they are to hold by these settings; none where there is no proxy.
///
/// # Errors
/// When there is a proxy, and where it is cannot be read.
pub fn files(values: &Values) -> Result<Vec<Wanted>, ProxyError> {
    let routes = Routes::of(values)?;
    let Some(address) = routes.address() else {
        return Ok(Vec::new());
    };
    let url = address.url();
    let url = url.expose();
    let direct = routes.bypass().list();
    let (java, unsaid) = java(address, &routes);
    let lines = |export: &str| {
        let short = address.short();
        let short = short.expose();
        format!(
            "{export}HTTP_PROXY={short}\n{export}HTTPS_PROXY={short}\n{export}NO_PROXY={direct}\n{export}JVM_OPTS=\"{java}\"\n"
        )
    };
    let mut services = Vec::new();
    if !unsaid.is_empty() {
        services.push(format!(
            "JVM_OPTS leaves out what Java has no words for: {}",
            unsaid.join(", ")
        ));
    }
    if address.sign_in.is_some() {
        services.push(
            "JVM_OPTS leaves out user and password, which everybody would see in the list of processes"
                .to_owned(),
        );
    }
    let mut clients = services.clone();
    services.push("holds from the next start of the services".to_owned());
    clients.push("holds from the next login, or with `set -a; . /etc/environment`".to_owned());
    if address.sign_in.is_some() {
        clients.push("everybody on the machine can read it, with the proxy's password".to_owned());
    }
    let environment = |name: &str, value: &str| {
        // What stands after `%` is a word of the unit file's own.
        format!("Environment=\"{name}={}\"\n", value.replace('%', "%%"))
    };
    let daemon = format!(
        "{MARK}: `roundel proxy render` changes and removes it.\n[Service]\n{}{}{}",
        environment("HTTP_PROXY", url),
        environment("HTTPS_PROXY", url),
        environment("NO_PROXY", &direct),
    );
    let docker = json!({ "httpProxy": url, "httpsProxy": url, "noProxy": direct });
    let texts = [
        (json!(url).to_string(), Vec::new()),
        (lines("export "), services),
        (lines(""), clients),
        (
            daemon,
            vec!["holds after `systemctl daemon-reload` and `systemctl restart docker`".to_owned()],
        ),
        (
            docker.to_string(),
            vec!["holds for containers that the docker command of root starts".to_owned()],
        ),
    ];
    let known = known().into_iter().zip(texts);
    Ok(known
        .map(|((path, part), (text, notes))| Wanted {
            path,
            part,
            text,
            // Every login reads that one.
            private: address.sign_in.is_some() && path != CLIENTS,
            notes,
        })
        .collect())
}

/// The options of a Java machine, and what it cannot be told.
fn java(address: &Address, routes: &Routes) -> (String, Vec<String>) {
    let (direct, unsaid) = routes.bypass().list_for_java();
    let (host, port) = (&address.host, address.port);
    let options = format!(
        "-Dhttp.proxyHost={host} -Dhttp.proxyPort={port} -Dhttps.proxyHost={host} -Dhttps.proxyPort={port} -Dhttp.nonProxyHosts={direct}"
    );
    (options, unsaid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pairs: &[(&str, &str)], path: &str) -> String {
        let files = files(&Values::typed(pairs)).unwrap();
        let found = files.into_iter().find(|file| file.path == path);
        found.unwrap().text
    }

    const GUIDE: [(&str, &str); 5] = [
        ("proxy.url", "http://10.0.0.33:3128"),
        ("proxy.extra_s3_bypass", "false"),
        ("hostname", "10.0.1.238"),
        ("ghe_type", "github_type_enterprise"),
        ("ghe_domain", "ghe.example.com"),
    ];

    #[test]
    fn the_guides_files_are_as_the_guide_has_them() {
        assert_eq!(text(&GUIDE, CONSOLE), "\"http://10.0.0.33:3128\"");
        let direct = "169.254.169.254,10.0.1.238,127.0.0.1,localhost,ghe.example.com";
        let four = format!(
            "HTTP_PROXY=10.0.0.33:3128\nHTTPS_PROXY=10.0.0.33:3128\nNO_PROXY={direct}\nJVM_OPTS=\"-Dhttp.proxyHost=10.0.0.33 -Dhttp.proxyPort=3128 -Dhttps.proxyHost=10.0.0.33 -Dhttps.proxyPort=3128 -Dhttp.nonProxyHosts={}\"\n",
            direct.replace(',', "|")
        );
        assert_eq!(text(&GUIDE, CLIENTS), four);
        let exported: String = four
            .lines()
            .map(|line| format!("export {line}\n"))
            .collect();
        assert_eq!(text(&GUIDE, SERVICES), exported);
    }

    #[test]
    fn a_password_is_escaped_for_each_and_never_on_a_command_line() {
        let signed = [("proxy.url", "https://ann:p%40s$@10.0.0.33:3128")];
        let url = "https://ann:p%40s%24@10.0.0.33:3128";
        assert!(text(&signed, CLIENTS).contains(&format!("HTTP_PROXY={url}\n")));
        let daemon = text(&signed, DAEMON);
        assert!(daemon.contains("ann:p%%40s%%24@"), "{daemon}");
        let services = text(&signed, SERVICES);
        let java = services
            .lines()
            .find(|line| line.contains("JVM_OPTS"))
            .unwrap();
        assert!(!java.contains("p%40") && !java.contains("ann"), "{java}");
        for file in files(&Values::typed(&signed)).unwrap() {
            assert_eq!(file.private, file.path != CLIENTS, "{}", file.path);
        }
        assert_eq!(files(&Values::typed(&[])).unwrap(), []);
    }
}
