//! The binary.
mod console;
fn main() {}
