//! `login`: signs in to a server on another machine, by a token or by name and password, and keeps what opens it; and
//! which server one may trust.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use roundel::access::Fingerprint;
use roundel::api::session::{Session, SignIn};
use roundel::client::launch::{self, Place};
use roundel::client::{Client, ClientError, Known, Remote};
use roundel::error::Kind;
use roundel::secret::Secret;
use rustix::termios::OptionalActions;
use serde::Serialize;

use super::context::{self, Context, Terminals};
use super::{End, Failure, Global};

/// Longest line that is read as a token or password, in bytes.
const LINE_MAX: u64 = 4096;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The server, as https://HOST[:PORT] or HOST[:PORT]; --server does the same
    #[arg(value_name = "SERVER")]
    at: Option<String>,
    /// Sign in by name and password, as the directory knows you, instead of by a token
    #[arg(long, value_name = "NAME", conflicts_with = "console")]
    user: Option<String>,
    /// Sign in by the password of the console
    #[arg(long)]
    console: bool,
    /// Read the password from the first line of a file instead of from the terminal or standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Forget the token and the certificate of the server instead
    #[arg(long, conflicts_with_all = ["user", "console", "password_file"])]
    forget: bool,
}

/// Who is signed in where.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// The server.
    pub server: String,
    #[serde(flatten)]
    pub session: Session,
}

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let mut remote = elsewhere(args.at.as_deref(), context.global()).await?;
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
    let by_password = args.console || args.user.is_some();
    if !by_password && args.password_file.is_some() {
        return Err(
            Failure::said(Kind::Usage, "whose password is in the file was not said")
                .with_hint("`--user NAME`, or `--console`"),
        );
    }
    let token = if by_password {
        let wanted = SignIn {
            user: args.user.clone().unwrap_or_default(),
            password: password(args, context)?,
        };
        // What was kept before has no say in who one is now.
        remote.token = None;
        let client = Client::remote(remote.clone());
        client.sign_in(&wanted).await?.token
    } else {
        Secret::new(ask(context)?)
    };
    remote.token = Some(token.clone());
    let connected = launch::connect(&Place::Remote(remote.clone())).await?;
    let session = connected.client.session().await?;
    known.keep_token(&remote.address, Some(token.expose()))?;
    let text = format!(
        "Signed in to {} as {}, {}{}.",
        remote.address,
        session.who,
        session.role,
        until(&session)
    );
    let server = remote.address.to_string();
    context.done(&Standing { server, session }, &text)
}

/// Until when, as an end of a sentence.
pub(super) fn until(session: &Session) -> String {
    let end = session.expires_at;
    end.map_or(String::new(), |end| {
        format!(", until {}", end.local("%Y-%m-%d %H:%M"))
    })
}

/// The server on another machine that is meant; `at` takes a name without a scheme too.
pub(super) async fn elsewhere(at: Option<&str>, global: &Global) -> Result<Remote, Failure> {
    let mut global = global.clone();
    if let Some(at) = at {
        let plain = at.contains("://") || at.starts_with(['/', '.']) || at.starts_with("unix:");
        global.server = Some(if plain {
            at.to_owned()
        } else {
            format!("https://{at}")
        });
    }
    match context::place(&global).await? {
        Place::Remote(remote) => Ok(remote),
        _ => Err(Failure::said(
            Kind::Usage,
            "only servers on other machines are signed in to",
        )
        .with_hint("name one: `roundel login https://HOST`")),
    }
}

/// Reads the password: from the file, from the terminal without showing it, else from the first line of the input.
/// Blanks belong to it; the end of the line does not.
fn password(args: &Args, context: &mut Context<'_>) -> Result<Secret, Failure> {
    let line = match &args.password_file {
        Some(path) => first_line(path)?,
        None if context.terminals.input => {
            let whose = args.user.as_deref().unwrap_or("the console");
            let question = format!("Password of {}", roundel::sanitise::line(whose));
            context.hidden(&question, OptionalActions::Flush)?
        }
        None => read_line(io::stdin().lock())?,
    };
    let line = zeroize::Zeroizing::new(line);
    let text = std::str::from_utf8(&line)
        .map_err(|_| Failure::said(Kind::Usage, "the password is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(
            Failure::said(Kind::Usage, "no password was given").with_hint(
                "type it when asked, or give it on standard input or with `--password-file`",
            ),
        );
    }
    Ok(Secret::new(text.to_owned()))
}

fn first_line(path: &Path) -> Result<Vec<u8>, Failure> {
    File::open(path)
        .and_then(|file| read_line(BufReader::new(file)))
        .map_err(|err| {
            Failure::said(
                Kind::Usage,
                format!("failed to read `{}`: {err}", path.display()),
            )
        })
}

fn read_line(from: impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LINE_MAX).read_until(b'\n', &mut line)?;
    Ok(line)
}

pub(super) fn files() -> Result<Known, Failure> {
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
