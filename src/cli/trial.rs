//! A test of settings, told step by step as the server takes them.

use std::collections::BTreeMap;
use std::path::Path;

use roundel::api::doctor::Verdict;
use roundel::api::settings::Changes;
use roundel::api::trial::{Step, Try};
use roundel::error::Kind;
use roundel::sanitise::line;
use roundel::secret::Secret;
use roundel::settings::registry::TestId;
use serde_json::Value as Json;

use super::context::Context;
use super::{End, Failure, settings};

/// Values that are put to a test and saved nowhere, and what only the test wants to know.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Given {
    /// A value that is not even staged
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The same, read from a file: for secrets, and for certificates
    #[arg(long, value_name = "KEY=FILE")]
    set_file: Vec<String>,
    /// What only this test wants to know
    #[arg(long, value_name = "WORD=VALUE")]
    with: Vec<String>,
    /// The same, read from a file: for passwords
    #[arg(long, value_name = "WORD=FILE")]
    with_file: Vec<String>,
}

impl Given {
    /// Asks for this test with them.
    pub fn of(&self, test: TestId) -> Result<Try, Failure> {
        let mut changes = Changes::default();
        for pair in &self.set {
            let (key, value) = parts(pair)?;
            let value = settings::given(settings::known(key)?, Some(value), None)?;
            changes.set.insert(key.to_owned(), Json::String(value));
        }
        for pair in &self.set_file {
            let (key, file) = parts(pair)?;
            let value = settings::given(settings::known(key)?, None, Some(Path::new(file)))?;
            changes.set.insert(key.to_owned(), Json::String(value));
        }
        let mut words = BTreeMap::new();
        for pair in &self.with {
            let (word, value) = parts(pair)?;
            if word == "password" {
                let why = "a password cannot stand on the command line";
                return Err(Failure::said(Kind::Usage, why)
                    .with_hint("write it into a file: `--with-file password=FILE`"));
            }
            words.insert(word.to_owned(), Secret::new(value.to_owned()));
        }
        for pair in &self.with_file {
            let (word, file) = parts(pair)?;
            let text = settings::bounded(Path::new(file))?;
            let text = text.trim_end_matches(['\n', '\r']).to_owned();
            words.insert(word.to_owned(), Secret::new(text));
        }
        Ok(Try {
            test,
            changes,
            words,
        })
    }
}

fn parts(pair: &str) -> Result<(&str, &str), Failure> {
    pair.split_once('=').ok_or_else(|| {
        let why = format!("`{}` has no `=`", line(pair));
        Failure::said(Kind::Usage, why).with_hint("write it as NAME=VALUE")
    })
}

/// A test by its name.
pub(super) fn named(word: &str) -> Result<TestId, String> {
    let all = || TestId::ALL.iter().map(|test| test.word());
    let found = TestId::ALL.into_iter().find(|test| test.word() == word);
    found.ok_or_else(|| format!("one of {}", all().collect::<Vec<_>>().join(", ")))
}

/// Asks for a test and prints its steps; ends with the code of the first step that failed.
pub(super) async fn run(context: &mut Context<'_>, wanted: &Try) -> Result<End, Failure> {
    let client = context.connect().await?;
    let mut steps = client.test_settings(wanted).await?;
    let mut told: Vec<Step> = Vec::new();
    while let Some(step) = steps.next().await {
        let step = step?;
        if !context.json {
            print(context, &step)?;
        }
        told.push(step);
    }
    if context.json {
        context.print_json(&told)?;
    }
    let failed = told.iter().find(|step| step.verdict == Verdict::Failed);
    match failed {
        None if told.is_empty() => {
            let why = "the server took no step of the test";
            Err(Failure::said(Kind::Internal, why))
        }
        None => Ok(End::Ok),
        Some(step) => Ok(End::Kind(step.kind.unwrap_or(Kind::Infrastructure))),
    }
}

/// One step: its word, its name, what was seen, and below it what to do.
pub(super) fn print(context: &mut Context<'_>, step: &Step) -> Result<(), Failure> {
    let word = context.out_paint().verdict(step.verdict);
    let mut found = step.found.lines();
    let first = line(found.next().unwrap_or_default());
    writeln!(context.out, "{word} {}: {first}", line(&step.name))?;
    for more in found {
        writeln!(context.out, "        {}", line(more))?;
    }
    if let Some(field) = &step.field {
        writeln!(context.out, "        setting: {}", line(field))?;
    }
    if let Some(fix) = &step.fix {
        writeln!(context.out, "        fix: {}", line(fix))?;
    }
    context.out.flush()?;
    Ok(())
}
