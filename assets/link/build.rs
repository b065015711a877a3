//! Lays what agents and the server execute side by side in the program's file (`order.ld`), which is what a start of
//! either maps: a job starts an agent, and the kernel maps 64 KB around each function that is touched.
//!
//! Must not know anything of the program but that file. A build without it is right too, and only larger in memory.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=assets/link");
    let is = |name: &str, value: &str| var(name).is_ok_and(|found| found == value);
    // Whoever brings a linker, or words for it, may bring one that has no such scripts.
    let own = var("RUSTC_LINKER").is_ok()
        || var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("link"));
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") && !own {
        let root = var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-T{root}/assets/link/order.ld");
    }
}
