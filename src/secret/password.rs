//! Passwords that are only ever compared: kept as argon2id, never in clear and never so that they can be read back.
//!
//! Written in the form of the Password Hashing Competition, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`, so that other
//! programs read it. Knows nothing of whose password it is.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::{Secret, random, same};

/// Memory in KiB and passes of what is hashed here: the least that OWASP advises for one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// The most that is computed for a hash that came from elsewhere: one made to be dear must not stop the server.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 10;
const LANES_MAX: u32 = 4;

/// Length of the salt and of the hash, in bytes.
const SALT: usize = 16;
const HASH: usize = 32;

/// Begins every hash.
const FORM: &str = "$argon2id$v=19$";

/// A hash, taken apart.
struct Parts {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// Hashes a password under a salt of its own. Takes some 30 ms and 19 MB: not for a thread that others wait for.
///
/// # Panics
/// When the kernel has no randomness to give, which it has from its start on.
#[must_use]
pub fn hashed(password: &Secret) -> Secret {
    let salt: [u8; SALT] = random();
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(HASH)).expect("these are allowed");
    let hash = computed(password, &params, &salt).expect("a password is shorter than 4 GB");
    Secret::new(format!(
        "{FORM}m={MEMORY_KIB},t={PASSES},p=1${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(&*hash)
    ))
}

/// Whether a text is a hash that [`is_right`] compares with, and no password.
#[must_use]
pub fn is_hash(text: &str) -> bool {
    parts(text).is_some()
}

/// Whether this password was hashed so; false for a text that is no hash. As dear as [`hashed`].
#[must_use]
pub fn is_right(password: &Secret, hash: &Secret) -> bool {
    let Some(known) = parts(hash.expose()) else {
        return false;
    };
    let found = computed(password, &known.params, &known.salt);
    found.is_some_and(|found| same(&found, &known.hash))
}

fn computed(password: &Secret, params: &Params, salt: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut hash = Zeroizing::new(vec![0; params.output_len().unwrap_or(HASH)]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into(password.expose().as_bytes(), salt, &mut hash)
        .ok()?;
    Some(hash)
}

fn parts(text: &str) -> Option<Parts> {
    let mut fields = text.strip_prefix(FORM)?.split('$');
    let (costs, salt, hash) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() {
        return None;
    }
    let mut costs = costs.split(',');
    let mut cost = |name: &str, most: u32| {
        let number: u32 = costs.next()?.strip_prefix(name)?.parse().ok()?;
        (number <= most).then_some(number)
    };
    let memory = cost("m=", MEMORY_KIB_MAX)?;
    let (passes, lanes) = (cost("t=", PASSES_MAX)?, cost("p=", LANES_MAX)?);
    let salt = STANDARD_NO_PAD.decode(salt).ok()?;
    let hash = STANDARD_NO_PAD.decode(hash).ok()?;
    let fits = (8..=64).contains(&salt.len()) && (16..=64).contains(&hash.len());
    let params = Params::new(memory, passes, lanes, Some(hash.len())).ok()?;
    (fits && costs.next().is_none()).then_some(Parts { params, salt, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_password_is_known_again_and_cannot_be_read_back() {
        let hash = hashed(&secret("correct horse battery"));
        assert!(is_hash(hash.expose()));
        assert!(!hash.expose().contains("horse"));
        assert!(is_right(&secret("correct horse battery"), &hash));
        assert!(!is_right(&secret("correct horse batterz"), &hash));
        assert!(!is_right(&secret(""), &hash));
        let again = hashed(&secret("correct horse battery"));
        assert_ne!(hash.expose(), again.expose(), "a salt of its own");
    }

    #[test]
    fn the_hash_of_the_reference_program_is_compared_with() {
        // A vector of its own tests (phc-winner-argon2, test.c).
        let known =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        assert!(is_right(&secret("password"), &secret(known)));
        assert!(!is_right(&secret("passwords"), &secret(known)));
    }

    #[test]
    fn what_is_no_hash_or_too_dear_a_one_is_not_computed() {
        let hash = hashed(&secret("x"));
        let text = hash.expose();
        for broken in [
            "",
            "hunter2",
            "$argon2id$v=19$",
            &text.replace("m=19456", "m=4194304"),
            &text.replace("t=2", "t=4000000000"),
            &text.replace("p=1", "p=1,x=1"),
            &text.replace("$argon2id", "$argon2i"),
            &format!("{text}$"),
            &text[..text.len() - 30],
        ] {
            assert!(!is_hash(broken), "{broken}");
            assert!(!is_right(&secret("x"), &secret(broken)), "{broken}");
        }
    }
}
