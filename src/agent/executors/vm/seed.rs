//! What a guest is told when it starts: who may come in, by which key. In the form of cloud-init's NoCloud source, for
//! images that have it (<https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html>).

use std::fs;
use std::io;
use std::path::Path;

use serde_json::json;

/// Writes the two files of a seed. The key is a public one.
pub(super) fn write(dir: &Path, instance: &str, user: &str, key: &str) -> io::Result<()> {
    fs::create_dir(dir)?;
    fs::write(
        dir.join("meta-data"),
        format!("instance-id: {instance}\nlocal-hostname: roundel\n"),
    )?;
    fs::write(dir.join("user-data"), user_data(user, key))
}

/// JSON is YAML, and quotes what has to be quoted.
fn user_data(user: &str, key: &str) -> String {
    let data = if user == "root" {
        json!({ "disable_root": false, "ssh_pwauth": false, "ssh_authorized_keys": [key] })
    } else {
        json!({
            "ssh_pwauth": false,
            "users": [{
                "name": user,
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "lock_passwd": true,
                "ssh_authorized_keys": [key],
            }],
        })
    };
    format!("#cloud-config\n{data}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_the_account_and_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let seed = dir.path().join("seed");
        write(&seed, "i-1", "ci", "ssh-ed25519 AAAA roundel").unwrap();
        let text = fs::read_to_string(seed.join("user-data")).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(text.strip_prefix("#cloud-config\n").unwrap()).unwrap();
        assert_eq!(json["users"][0]["name"], "ci");
        assert_eq!(
            json["users"][0]["ssh_authorized_keys"][0],
            "ssh-ed25519 AAAA roundel"
        );
        assert!(
            fs::read_to_string(seed.join("meta-data"))
                .unwrap()
                .contains("instance-id: i-1\n")
        );
        assert!(user_data("root", "k").contains("\"disable_root\":false"));
    }
}
