//! `login`: signs in to a server on another machine and keeps the token for it; and which server one may trust.

use std::io::{self, BufRead};

use roundel::access::Fingerprint;
use roundel::client::launch::{self, Place};
use roundel::client::{ClientError, Known, Remote};
use roundel::error::Kind;
use roundel::secret::Secret;
use rustix::termios::OptionalActions;

use super::context::{self, Context, Terminals};
use super::{End, Failure, Global};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Forget the token and the certificate of the server instead
    #[arg(long)]
    forget: bool,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let Place::Remote(mut remote) = context::place(context.global()).await? else {
        return Err(Failure::said(
            Kind::Usage,
            "only servers on other machines are signed in to",
        )
        .with_hint("name one: `roundel login --server https://HOST`"));
    };
    let known = files()?;
    if args.forget {
        known.keep_token(&remote.address, None)?;
        known.keep_fingerprint(&remote.address, None)?;
        writeln!(context.out, "{} is known no more.", remote.address)?;
        return Ok(End::Ok);
    }
    if context.global().fingerprint.is_some() {
        // Said anew, it takes the place of what was known.
        remote.pin = None;
    }
    trust(&mut remote, context.global(), context.terminals)?.await?;
    let token = ask(context)?;
    remote.token = Some(Secret::new(token.clone()));
    let connected = launch::connect(&Place::Remote(remote.clone())).await?;
    let session = connected.client.session().await?;
    known.keep_token(&remote.address, Some(&token))?;
    let (who, role) = (roundel::sanitise::line(&session.who), session.role);
    writeln!(
        context.out,
        "Signed in to {} as {who}, {role}.",
        remote.address
    )?;
    Ok(End::Ok)
}

fn files() -> Result<Known, Failure> {
    Known::usual()
        .ok_or_else(|| Failure::said(Kind::Usage, "there is no home directory to keep it in"))
}

/// Reads the token: from the terminal without showing it, else the first line of the input.
fn ask(context: &mut Context<'_>) -> Result<String, Failure> {
    let mut line = String::new();
    if context.terminals.input {
        // What was typed before the question is no answer to it.
        let typed = context.hidden("Token", OptionalActions::Flush)?;
        line = String::from_utf8(typed).unwrap_or_default();
    } else {
        io::stdin().lock().read_line(&mut line)?;
    }
    let token = line.trim();
    if roundel::access::parts(token).is_none() {
        return Err(
            Failure::said(Kind::Usage, "what was given is no token").with_hint(
                "an administrator of the server makes one with `roundel token create NAME`",
            ),
        );
    }
    Ok(token.to_owned())
}

/// Makes sure that the certificate of a server is one that somebody has seen: asks, or compares with `--fingerprint`.
pub(super) fn trust<'r>(
    remote: &'r mut Remote,
    global: &Global,
    terminals: Terminals,
) -> Result<impl Future<Output = Result<(), Failure>> + use<'r>, Failure> {
    let said: Option<Fingerprint> = match &global.fingerprint {
        Some(text) => Some(
            text.parse()
                .map_err(|err| Failure::said(Kind::Usage, format!("{err}")))?,
        ),
        None => None,
    };
    Ok(async move {
        let known = match (remote.pin, said) {
            (Some(_), None) => return Ok(()),
            (Some(pin), Some(said)) if pin == said => return Ok(()),
            (_, said) => said,
        };
        let seen = remote.look().await?;
        if remote.pin.is_some() || known.is_some_and(|known| known != seen) {
            return Err(ClientError::Certificate {
                server: remote.address.to_string(),
                known: remote.pin.or(known),
                seen,
            }
            .into());
        }
        if known.is_none() {
            let err = ClientError::Certificate {
                server: remote.address.to_string(),
                known: None,
                seen,
            };
            if !terminals.input || !terminals.err {
                return Err(err.into());
            }
            eprint!(
                "The certificate of {} is not known yet.\nIts fingerprint is {seen}.\nIs that the one that `roundel services` shows there? [y/N] ",
                remote.address
            );
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer)?;
            if !matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") {
                return Err(err.into());
            }
        }
        files()?.keep_fingerprint(&remote.address, Some(seen))?;
        remote.pin = Some(seen);
        Ok(())
    })
}
