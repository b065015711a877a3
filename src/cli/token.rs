//! `token`: makes, lists and revokes the tokens that people and programs sign in with.

use roundel::api::tokens::{MakeToken, Role, TokenRow};
use roundel::error::Kind;
use roundel::settings::span;

use super::context::Context;
use super::{End, Failure};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Make a token, which is shown once
    Create(Create),
    /// List the tokens
    List,
    /// Take a token back: what is open with it ends at once
    Revoke {
        /// As `token list` shows it
        id: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Whose it is, or what it is for
    name: String,
    /// viewer reads, operator also builds and drains, admin does everything
    #[arg(long, value_name = "ROLE", default_value_t)]
    role: Role,
    /// Time until it ends, as 8h or 90d; without it, it is for ever
    #[arg(long, value_name = "SPAN")]
    expires: Option<String>,
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::Create(args) => create(args, context).await,
        Verb::List => list(context).await,
        Verb::Revoke { id } => {
            let client = context.connect().await?;
            let revoked = client.revoke_token(id).await?;
            let name = &revoked.value.name;
            let text = format!("Token {id} ({name}) opens nothing any more.");
            context.done(&revoked, &text)
        }
    }
}

async fn create(args: &Create, context: &mut Context<'_>) -> Result<End, Failure> {
    let expires_s = match &args.expires {
        None => None,
        Some(text) => Some(
            span::seconds(text)
                .filter(|seconds| *seconds > 0)
                .ok_or_else(|| {
                    Failure::said(Kind::Usage, format!("`{text}` is no span of time"))
                        .with_hint("write it as 8h or 90d")
                })?,
        ),
    };
    let wanted = MakeToken {
        name: args.name.clone(),
        role: args.role,
        expires_s,
    };
    let client = context.connect().await?;
    let made = client.make_token(&wanted).await?;
    if context.json {
        context.print_json(&made)?;
        return Ok(End::Ok);
    }
    // The token alone on the output, so that it can be led into a file or a pipe.
    writeln!(context.out, "{}", made.value.token.expose())?;
    context.out.flush()?;
    writeln!(
        context.err,
        "This is the only time that it is shown. `roundel login` keeps it where it is used."
    )?;
    Ok(End::Ok)
}

async fn list(context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let rows = client.tokens().await?;
    let none = "There are no tokens. `roundel token create NAME` makes one.";
    let heading = ["ID", "Name", "Role", "Created", "By", "Expires", "Status"];
    context.rows(rows, none, heading, cells)
}

fn cells(row: TokenRow) -> [String; 7] {
    let status = match (row.revoked_at, row.valid) {
        (Some(at), _) => format!("revoked {at}"),
        (None, true) => "valid".to_owned(),
        (None, false) => "expired".to_owned(),
    };
    [
        row.id,
        row.name,
        row.role.to_string(),
        row.created_at.to_string(),
        row.by,
        row.expires_at
            .map_or("never".to_owned(), |at| at.to_string()),
        status,
    ]
}
