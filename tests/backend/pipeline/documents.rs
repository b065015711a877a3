//! Documents kept with the tests: what is processed from them, and the repository that other tests build.

use std::path::{Path, PathBuf};

use roundel::pipeline::{Executor, compile, process};

use super::master;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(data(name)).unwrap_or_else(|err| panic!("{name}: {err}"))
}

#[test]
fn processed_documents_are_as_kept() {
    for name in ["anchors", "filters", "names"] {
        let text = read(&format!("config/{name}.yml"));
        let document = process(&text, &master()).unwrap_or_else(|err| panic!("{name}: {err:#?}"));
        assert_eq!(
            document,
            read(&format!("config/{name}.processed.yml")),
            "{name}:\n{document}"
        );
        assert_eq!(
            compile(&document, &master()).unwrap().plan,
            compile(&text, &master()).unwrap().plan,
            "{name}"
        );
    }
}

#[test]
fn problems_print_as_kept() {
    let text = read("config/mistakes.yml");
    let problems = compile(&text, &master()).map(|done| done.plan).unwrap_err();
    let mut printed = String::new();
    for problem in &problems {
        printed.push_str(&format!("{problem}\n"));
        if let Some(hint) = &problem.hint {
            printed.push_str(&format!("  hint: {hint}\n"));
        }
    }
    assert_eq!(printed, read("config/mistakes.txt"), "\n{printed}");
}

#[test]
fn the_fixture_has_three_jobs_in_a_row_on_the_host() {
    let text = read("fixture/.circleci/config.yml");
    let done = compile(&text, &master()).unwrap();
    assert!(done.warnings.is_empty());
    let [workflow] = done.plan.workflows.as_slice() else {
        panic!("{:#?}", done.plan)
    };
    let jobs: Vec<_> = workflow
        .jobs
        .iter()
        .map(|job| (job.name.as_str(), job.parallelism, job.requires.join(" ")))
        .collect();
    let row = |name, copies, requires: &str| (name, copies, requires.to_owned());
    assert_eq!(
        jobs,
        [
            row("build", 1, ""),
            row("test", 2, "build"),
            row("report", 1, "test")
        ]
    );
    for job in &workflow.jobs {
        assert_eq!(job.executor, Executor::Machine { image: None });
        assert_eq!(
            job.environment,
            [("GREETING".to_owned(), "hello".to_owned())]
        );
    }
}
