//! Real config files: each compiles, or says with a place why not.

use roundel::pipeline::{Facts, compile};

use crate::support;

#[test]
fn trial() {
    let Some(corpus) = support::corpus() else { return };
    for dir in ["configs", "linter/valid", "linter/invalid"] {
        let mut files: Vec<_> = std::fs::read_dir(corpus.join(dir)).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let facts = Facts { file: name.clone(), branch: "master".into(), ..Facts::default() };
            match compile(&text, &facts) {
                Ok(done) => {
                    println!("OK {dir}/{name} {} {}", done.plan.workflows.len(), done.plan.workflows.iter().map(|w| w.jobs.len()).sum::<usize>());
                    for p in done.warnings { println!("   {p}"); if let Some(h) = p.hint { println!("      = {h}"); } }
                }
                Err(problems) => {
                    println!("NO {dir}/{name}");
                    for p in problems { println!("   {p}"); if let Some(h) = p.hint { println!("      = {h}"); } }
                }
            }
        }
    }
}
