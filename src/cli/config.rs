//! `config validate` and `config process`: what a config file means, without a server.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use roundel::error::Kind;
use roundel::pipeline::{self, Facts, Problem};
use roundel::settings::bootstrap::Bootstrap;

use super::context::{Context, classes};
use super::words::count;
use super::{End, Failure, problems};

/// Largest config read, in bytes; the same as the server's.
const CONFIG_MAX: u64 = 3 * 1024 * 1024;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Say whether a config is valid, and if not, where and why
    Validate(Args),
    /// Print the config as the plain version 2 document that is run
    Process(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file; - reads standard input
    #[arg(default_value = ".circleci/config.yml")]
    file: PathBuf,
}

pub(super) fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::Validate(args) => validate(args, context),
        Verb::Process(args) => process(args, context),
    }
}

fn validate(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let (text, facts) = read(&args.file, context)?;
    let (valid, problems) = match pipeline::compile(&text, &facts) {
        Ok(compiled) => (true, compiled.warnings),
        Err(problems) => (false, problems),
    };
    if context.json {
        // The problems are the answer here, so they stand where the answer stands.
        context.print_json(&serde_json::json!({ "valid": valid, "problems": problems }))?;
        return Ok(if valid {
            End::Ok
        } else {
            End::Kind(Kind::Usage)
        });
    }
    if !valid {
        return Err(Failure::Config {
            what: facts.file,
            problems,
        });
    }
    warn(&problems, context)?;
    let warnings = match problems.len() {
        0 => String::new(),
        n => format!(", with {}", count(n as u64, "warning")),
    };
    writeln!(context.out, "{} is valid{warnings}", facts.file)?;
    Ok(End::Ok)
}

fn process(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let (text, facts) = read(&args.file, context)?;
    let document = pipeline::process(&text, &facts).map_err(|problems| Failure::Config {
        what: facts.file,
        problems,
    })?;
    if context.json {
        context.print_json(&serde_json::json!({ "config": document }))?;
    } else {
        context.out.write_all(document.as_bytes())?;
    }
    Ok(End::Ok)
}

fn warn(problems: &[Problem], context: &mut Context<'_>) -> Result<(), Failure> {
    let paint = context.err_paint();
    Ok(problems::print(problems, context.err, paint)?)
}

fn read(file: &Path, context: &Context<'_>) -> Result<(String, Facts), Failure> {
    let (name, bytes) = if file == Path::new("-") {
        ("standard input".to_owned(), bounded(io::stdin().lock()))
    } else {
        (
            file.display().to_string(),
            File::open(file).and_then(bounded),
        )
    };
    let bytes = bytes.map_err(|err| {
        let kind = if err.kind() == io::ErrorKind::NotFound {
            Kind::NotFound
        } else {
            Kind::Usage
        };
        Failure::said(kind, format!("failed to read `{name}`: {err}"))
    })?;
    if bytes.len() as u64 > CONFIG_MAX {
        return Err(Failure::said(
            Kind::Usage,
            format!("`{name}` is larger than {CONFIG_MAX} bytes"),
        ));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::said(Kind::Usage, format!("`{name}` is not UTF-8 text")))?;
    Ok((
        text,
        Facts {
            file: name,
            classes: classes(&Bootstrap::load(context.global().config.as_deref())?),
            ..Facts::default()
        },
    ))
}

fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(CONFIG_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
