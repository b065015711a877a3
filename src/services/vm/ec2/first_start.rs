//! What an instance is told for its first start, as cloud-init's user data: the account of jobs with our key, its own host key,
//! and the proxy.

use serde_json::{Value as Json, json};

use super::super::USER;
use super::super::key::Pair;
use crate::settings::value::{Value, Values};

/// The user data of all instances, but for the host key. JSON is YAML, and needs no quoting of our own.
pub(super) fn user_data(values: &Values, public_key: &str) -> Json {
    let mut config = json!({
        "users": [{
            "name": USER,
            "groups": ["docker"],
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "shell": "/bin/bash",
            "lock_passwd": true,
            "ssh_authorized_keys": [public_key],
        }],
        "disable_root": true,
        "ssh_pwauth": false,
    });
    let proxy = environment(values);
    if !proxy.is_empty() {
        let unit: String = std::iter::once("[Service]\n".to_owned())
            .chain(proxy.iter().map(|line| format!("Environment=\"{line}\"\n")))
            .collect();
        let lines: String = proxy.iter().map(|line| format!("{line}\n")).collect();
        config["write_files"] = json!([
            { "path": "/etc/environment", "append": true, "content": lines },
            { "path": "/etc/systemd/system/docker.service.d/proxy.conf", "content": unit },
        ]);
    }
    config
}

/// The user data of an instance that is known by this key. Whoever is root in it can read that; so could they in any case.
pub(super) fn with_host_key(mut config: Json, host: &Pair) -> String {
    config["ssh_keys"] = json!({
        "ed25519_private": host.private.expose(),
        "ed25519_public": host.public,
    });
    config["ssh_deletekeys"] = true.into();
    format!("#cloud-config\n{config}\n")
}

/// The proxy as variables, in both spellings that programs look for.
fn environment(values: &Values) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, name) in [
        ("vm.http_proxy", "http_proxy"),
        ("vm.https_proxy", "https_proxy"),
    ] {
        let address = values.text(key);
        if !address.is_empty() {
            lines.push(format!("{name}={address}"));
            lines.push(format!("{}={address}", name.to_uppercase()));
        }
    }
    if let Some(Value::List(direct)) = values.get("vm.no_proxy").as_deref()
        && !lines.is_empty()
        && !direct.is_empty()
    {
        let direct = direct.join(",");
        lines.push(format!("no_proxy={direct}"));
        lines.push(format!("NO_PROXY={direct}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::VmId;
    use crate::secret::Secret;
    use crate::services::vm::key::VmKey;

    #[test]
    fn an_instance_learns_the_key_and_the_proxy() {
        let mut values = Values::default();
        let host = VmKey::for_rehearsal().of_host(VmId::fresh());
        let text = with_host_key(user_data(&values, "ssh-ed25519 AAAA roundel"), &host);
        assert!(text.starts_with("#cloud-config\n{"), "{text}");
        assert!(text.contains(&host.public), "{text}");
        assert!(text.len() < 16 * 1024, "what EC2 takes");
        assert!(text.contains("\"ssh_authorized_keys\":[\"ssh-ed25519 AAAA roundel\"]"));
        assert!(!text.contains("write_files"));
        let proxy = "http://proxy.example.com:3128".to_owned();
        values.set("vm.http_proxy", Value::Secret(Secret::new(proxy)));
        values.set(
            "vm.no_proxy",
            Value::List(vec!["169.254.169.254".to_owned()]),
        );
        let text = user_data(&values, "k").to_string();
        for part in [
            "http_proxy=http://proxy.example.com:3128\\n",
            "NO_PROXY=169.254.169.254\\n",
            "docker.service.d/proxy.conf",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
