//! Lays what agents and the server execute side by side in the program's file (`order.ld`), which is what a start of
//! either maps: a job starts an agent, and the kernel maps 64 KB around each function that is touched.
//!
//! Must not know anything of the program but that file. A build without it is right too, and only larger in memory.

fn main() {
    let order = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/link/order.ld");
    println!("cargo::rerun-if-changed={order}");
    println!("cargo::rerun-if-changed=assets/link/build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    // Whoever brings a linker, or words for it, may bring one that has no such scripts.
    let own = std::env::var_os("RUSTC_LINKER").is_some()
        || std::env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("link"));
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") && !own {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{order}");
    }
}
