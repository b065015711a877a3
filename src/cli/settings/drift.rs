//! Files that were rendered from the settings and changed by hand since.

use roundel::error::Kind;
use roundel::sanitise::line;

use crate::cli::context::Context;
use crate::cli::words::count;
use crate::cli::{End, Failure, proxy};

pub(super) async fn run(context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let found = client.settings_drift().await?;
    let end = match found.drifted.len() {
        0 => End::Ok,
        _ => End::Kind(Kind::Conflict),
    };
    if context.json {
        context.print_json(&found)?;
        return Ok(end);
    }
    let all = count(found.rendered, "rendered file");
    if found.drifted.is_empty() {
        writeln!(context.out, "{all}, none changed by hand.")?;
        return Ok(end);
    }
    for one in &found.drifted {
        let (path, how, at) = (line(&one.path), one.state.described(), one.written_at);
        writeln!(context.out, "{path}: {how}, at {at}")?;
        proxy::lines(context, &one.diff)?;
    }
    let drifted = found.drifted.len();
    writeln!(
        context.out,
        "{all}, {drifted} changed by hand. `-` is what stands there, `+` what the settings say."
    )?;
    let write = context.command(&["proxy", "render", "--write"]);
    writeln!(context.out, "  {write}")?;
    Ok(end)
}
