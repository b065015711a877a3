//! `version`.

use roundel::api::API_VERSION;

use super::context::Context;
use super::{End, Failure};

pub(super) fn run(context: &mut Context<'_>) -> Result<End, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if context.json {
        context.print_json(&serde_json::json!({ "version": version, "api": API_VERSION }))?;
    } else {
        writeln!(context.out, "roundel {version} (API {API_VERSION})")?;
    }
    Ok(End::Ok)
}
