//! `proxy test|render`: which way a URL goes, tried hop by hop; the files that tell others of the proxy.

use std::path::PathBuf;

use roundel::api::rendered::{Act, Change, DiffLine, Render, Rendered, State};
use roundel::sanitise::line;
use roundel::secret::Secret;
use roundel::settings::registry::TestId;

use super::context::Context;
use super::words::count;
use super::{End, Failure, trial};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Tell which way a URL goes and why, and reach it hop by hop
    Test(Test),
    /// Show what files of the machine would say of the proxy; write them, or take that away again
    Render(Files),
}

#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// The URL; without a protocol, https
    url: String,
    #[command(flatten)]
    given: trial::Given,
}

#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// Directory that stands for `/`
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Write them
    #[arg(long)]
    write: bool,
    /// Take away what was written, and leave every other byte as it was
    #[arg(long, conflicts_with = "write")]
    remove: bool,
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::Test(args) => test(args, context).await,
        Verb::Render(args) => render(args, context).await,
    }
}

async fn test(args: &Test, context: &mut Context<'_>) -> Result<End, Failure> {
    let mut wanted = args.given.of(TestId::Proxy)?;
    wanted
        .words
        .insert("url".to_owned(), Secret::new(args.url.clone()));
    trial::run(context, &wanted).await
}

async fn render(args: &Files, context: &mut Context<'_>) -> Result<End, Failure> {
    let act = match (args.write, args.remove) {
        (true, _) => Act::Write,
        (_, true) => Act::Remove,
        _ => Act::Show,
    };
    let root = std::path::absolute(&args.root)?.display().to_string();
    let client = context.connect().await?;
    let done = client.render_proxy(&Render { root, act }).await?;
    if context.json {
        context.print_json(&done)?;
    } else {
        print(context, &done)?;
    }
    Ok(End::Ok)
}

fn print(context: &mut Context<'_>, done: &Rendered) -> Result<(), Failure> {
    let paint = context.out_paint();
    let mut changed = 0;
    for file in &done.files {
        // What was never there is not worth a line when it is taken away.
        if done.act == Act::Remove && file.change == Change::None && file.state == State::Absent {
            continue;
        }
        let word = match (done.act, file.change) {
            (_, Change::None) => file.state.described().to_owned(),
            (Act::Show, change) => format!("would be {}", change.word()),
            (_, change) => change.word().to_owned(),
        };
        let word = match file.state {
            State::Edited | State::Gone if file.change != Change::None => {
                paint.warn(&format!("{word}; {}", file.state.described()))
            }
            _ => word,
        };
        writeln!(context.out, "{}: {word}", paint.strong(&line(&file.path)))?;
        lines(context, &file.diff)?;
        if file.change != Change::None {
            changed += 1;
            for note in &file.notes {
                writeln!(context.out, "  note: {}", line(note))?;
            }
        }
    }
    let files = count(changed, "file");
    let said = match done.act {
        Act::Show if changed == 0 => "Everything is as it is to be.".to_owned(),
        Act::Show => {
            let root = done.root.as_str();
            let write = context.command(&["proxy", "render", "--root", root, "--write"]);
            format!("Nothing is written. This writes {files}:\n  {write}")
        }
        Act::Write if changed == 0 => {
            "Everything was as it is to be: nothing is changed.".to_owned()
        }
        Act::Write => format!("{files} written."),
        Act::Remove if changed == 0 => "Nothing of it was there: nothing is changed.".to_owned(),
        Act::Remove => format!("Taken out of {files}; every other byte is as it was."),
    };
    writeln!(context.out, "{said}")?;
    Ok(())
}

/// Lines that differ, below what they are of.
pub(super) fn lines(context: &mut Context<'_>, diff: &[DiffLine]) -> Result<(), Failure> {
    let paint = context.out_paint();
    for one in diff {
        let text = format!("{} {}", one.sign, line(&one.text));
        let text = match one.sign {
            '-' => paint.bad(&text),
            _ => paint.good(&text),
        };
        writeln!(context.out, "  {text}")?;
    }
    Ok(())
}
