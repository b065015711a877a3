//! Real config files: each compiles, or says with a place why not. The files stay outside the repository.

use std::path::Path;

use roundel::pipeline::{Facts, Problem, compile, process};

use super::{check_problems, master};
use crate::support;

/// The texts of a directory of the corpus, sorted by name.
fn texts(directory: &Path) -> Vec<(String, String)> {
    let entries =
        std::fs::read_dir(directory).unwrap_or_else(|err| panic!("{}: {err}", directory.display()));
    let mut texts: Vec<(String, String)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect();
    texts.sort();
    assert!(!texts.is_empty(), "{}: no files", directory.display());
    texts
}

fn problems(text: &str) -> Result<(), Vec<Problem>> {
    compile(text, &master()).map(|_| ())
}

#[test]
fn every_real_config_compiles_or_says_where_it_does_not() {
    let Some(corpus) = support::corpus() else {
        return;
    };
    let mut compiled = 0;
    for (name, text) in texts(&corpus.join("configs")) {
        match problems(&text) {
            Ok(()) => compiled += 1,
            Err(problems) => check_problems(&name, &problems),
        }
    }
    // Most real files use caches, orbs or workspaces; raise the floor when those get run.
    assert!(compiled >= 18, "only {compiled} compile");
}

#[test]
fn what_does_not_compile_is_not_run_yet_or_really_wrong() {
    let Some(corpus) = support::corpus() else {
        return;
    };
    // Files that CircleCI refuses too; the first four are no YAML.
    let wrong = [
        "DataDog__php-datadogstatsd.yml",
        "googleapis__gax-java.yml",
        "mattermost-community__mattermost-plugin-circleci.yml",
        "mtchavez__circleci.yml",
        // Steps of the trial of version 2.
        "CircleCI-Public__circleci-demo-docker.yml",
        "CircleCI-Public__circleci-demo-ruby-sinatra.yml",
        // A map of jobs; keys beside `persist_to_workspace`; a name that is not there; jobs without executor.
        "DaveBergstein__BarTrace.yml",
        "guigitH__testcafe-circleCI-demo.yml",
        "influxdata__telegraf@2018-04-18-c4f376e.yml",
        "hashicorp__nomad@2019-08-21-4447923.yml",
        "udacity__cdond-c3-projectstarter@2020-10-06-17882fa.yml",
    ];
    for (name, text) in texts(&corpus.join("configs")) {
        let Err(problems) = problems(&text) else {
            continue;
        };
        let other = problems.iter().find(|problem| {
            problem.severity == roundel::pipeline::Severity::Error
                && !problem
                    .message
                    .ends_with("is known to CircleCI, but Roundel does not run it yet")
        });
        assert_eq!(
            other.is_some(),
            wrong.contains(&name.as_str()),
            "{name}: {other:?}"
        );
    }
}

#[test]
fn files_that_are_no_yaml_say_where() {
    let Some(corpus) = support::corpus() else {
        return;
    };
    let cases = [
        (
            "DataDog__php-datadogstatsd.yml",
            16,
            "alias `*dockerbuild` has no anchor",
            "`*dockterbuild`",
        ),
        (
            "googleapis__gax-java.yml",
            74,
            "not valid YAML",
            "indentation",
        ),
        (
            "mattermost-community__mattermost-plugin-circleci.yml",
            15,
            "not valid YAML",
            "indentation",
        ),
        (
            "mtchavez__circleci.yml",
            11,
            "not valid YAML",
            "indentation",
        ),
    ];
    for (name, line, message, hint) in cases {
        let text = std::fs::read_to_string(corpus.join("configs").join(name)).unwrap();
        let found = problems(&text).unwrap_err();
        let [problem] = found.as_slice() else {
            panic!("{name}: {found:#?}")
        };
        assert_eq!(problem.line, line, "{name}: {problem}");
        assert!(problem.message.contains(message), "{name}: {problem}");
        assert!(
            problem.hint.as_deref().unwrap_or_default().contains(hint),
            "{name}: {:?}",
            problem.hint
        );
    }
}

#[test]
fn a_processed_real_config_gives_the_same_plan_for_every_revision() {
    let Some(corpus) = support::corpus() else {
        return;
    };
    let revisions = [
        master(),
        Facts {
            branch: "feature/x".to_owned(),
            ..Facts::default()
        },
        Facts {
            tag: "v1.2.3".to_owned(),
            ..Facts::default()
        },
        Facts {
            no_engine: true,
            ..master()
        },
    ];
    for (name, text) in texts(&corpus.join("configs")) {
        for facts in &revisions {
            let Ok(done) = compile(&text, facts) else {
                continue;
            };
            let document = process(&text, facts).unwrap();
            let again = compile(&document, facts)
                .unwrap_or_else(|err| panic!("{name}: {err:#?}\n{document}"));
            assert_eq!(again.plan, done.plan, "{name}\n{document}");
            assert!(
                again
                    .warnings
                    .iter()
                    .all(|warning| warning.message.contains("macos")),
                "{name}"
            );
            assert_eq!(process(&document, facts).unwrap(), document, "{name}");
        }
    }
}

#[test]
fn what_a_linter_calls_wrong_is_refused() {
    let Some(corpus) = support::corpus() else {
        return;
    };
    for (name, text) in texts(&corpus.join("linter/invalid")) {
        check_problems(&name, &problems(&text).expect_err(&name));
    }
    // Of these the reason is judged too: they are wrong in what is run already.
    let cases = [
        (
            "go-job_invocation-indirect-cycle-three-jobs.yml",
            "circle: build -> deploy -> test -> build",
        ),
        (
            "go-job_invocation-requires-references-a-job-that-does-not-exist-in-invocations.yml",
            "requires `ghost-job`",
        ),
        (
            "renames_requires__invalid.yml",
            "`a` is the name of 2 other jobs",
        ),
        (
            "ed-invalid-files__job-without-steps.yml",
            "the job has no `steps`",
        ),
        ("workflows_missing__build.yml", "no job named `build`"),
    ];
    for (name, message) in cases {
        let text = std::fs::read_to_string(corpus.join("linter/invalid").join(name)).unwrap();
        let found = problems(&text).unwrap_err();
        assert!(
            found
                .iter()
                .any(|problem| problem.message.contains(message)),
            "{name}: {found:#?}"
        );
    }
}

#[test]
fn fragments_and_samples_are_answered_too() {
    let Some(corpus) = support::corpus() else {
        return;
    };
    for directory in ["linter/valid", "linter/orbs", "doc-samples"] {
        for (name, text) in texts(&corpus.join(directory)) {
            if let Err(problems) = problems(&text) {
                check_problems(&name, &problems);
            }
        }
    }
}
