//! Where things lie that client and server must agree on. Pure but for one variable of the environment.

use std::path::{Path, PathBuf};

/// Length of a socket's path that every Linux takes (the kernel's limit is 107).
const SOCKET_PATH_MAX: usize = 100;

/// Path of the socket of a data directory: `DATA/socket`, or a short one in the runtime directory when that is too
/// long; the server then writes the short path into the file `DATA/socket`.
#[must_use]
pub fn socket_path(data: &Path) -> PathBuf {
    let plain = data.join("socket");
    if plain.as_os_str().len() <= SOCKET_PATH_MAX {
        return plain;
    }
    use sha2::{Digest, Sha256};
    let hash: String = Sha256::digest(data.as_os_str().as_encoded_bytes())
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|dir| dir.is_dir());
    let base = runtime.unwrap_or_else(|| {
        PathBuf::from(format!(
            "/tmp/roundel-{}",
            rustix::process::geteuid().as_raw()
        ))
    });
    base.join(format!("roundel-{hash}")).join("socket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_gets_a_short_socket() {
        assert_eq!(socket_path(Path::new("/data")), Path::new("/data/socket"));
        let long = PathBuf::from(format!("/{}", "x".repeat(120)));
        let short = socket_path(&long);
        assert!(
            short.as_os_str().len() <= SOCKET_PATH_MAX,
            "{}",
            short.display()
        );
        assert_eq!(short, socket_path(&long));
    }
}
