//! A long queue and a large fleet: the right rows wherever the cursor goes, and the cursor's row stays where it is.

use std::fmt::Write as _;
use std::process::Child;

use roundel::api::ListQuery;
use roundel::api::builds::{CreatePipeline, RunRow};
use roundel::api::fleet::SetDrain;
use roundel::client::Client;
use roundel::ids::PipelineId;
use rustix::process::Pid;

use crate::support::{Home, Screen, Terminal, key, until};

const NODES: usize = 1_000;
const JOBS: usize = 1_000;
const SIZE: (u16, u16) = (120, 36);
const NEXT_COLUMN: &str = "\x1b[1;2C";
const FIRST_COLUMN: &str = "\x1b[1;2D";
const PAGE_DOWN: &str = "\x1b[6~";

fn many(jobs: usize) -> String {
    let (mut config, mut names) = ("version: 2.1\njobs:\n".to_owned(), String::new());
    for n in 0..jobs {
        _ = writeln!(
            config,
            "  job-{n:04}: {{machine: true, steps: [run: 'true']}}"
        );
        _ = writeln!(names, "      - job-{n:04}");
    }
    config + "workflows:\n  main:\n    jobs:\n" + &names
}

/// A server whose nodes all drain, with two pipelines of a thousand jobs each.
struct Site {
    home: Home,
    server: Child,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Site {
    fn new() -> Self {
        let home = Home::new();
        home.repository("many", &many(JOBS));
        home.repository("few", &many(20));
        let server = home.serve(&format!("host_user = \"self\"\nnodes = {NODES}\n"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let client = Client::unix(home.data().join("socket"));
        let site = Self {
            home,
            server,
            client,
            runtime,
        };
        site.drain(0..NODES as u64);
        site.build("many");
        site.build("many");
        until("all runs are counted", || {
            let summary = site.runtime.block_on(site.client.summary()).unwrap();
            summary.waiting == 2 * JOBS as u64
        });
        site
    }

    /// Drains nodes anew, those of these places by name.
    fn drain(&self, places: std::ops::Range<u64>) {
        let query = ListQuery {
            limit: Some(places.end - places.start),
            offset: Some(places.start),
            ..ListQuery::default()
        };
        let all = async {
            let drain = SetDrain {
                enable: true,
                deadline_s: None,
            };
            for node in self.client.nodes(&query).await.unwrap().rows {
                self.client.set_drain(&node.id, &drain).await.unwrap();
            }
        };
        self.runtime.block_on(all);
    }

    fn build(&self, repository: &str) {
        let new = CreatePipeline {
            id: PipelineId::fresh(),
            source: self.home.path(repository).display().to_string(),
            branch: None,
            job: None,
            no_engine: false,
        };
        let made = self.client.create_pipeline(&new);
        self.runtime.block_on(made).unwrap();
    }

    /// Runs that wait, the newest first, without the first `skip`.
    fn newest(&self, skip: u64, count: u64) -> Vec<RunRow> {
        let query = ListQuery {
            state: "pending".to_owned(),
            sort: "waiting".to_owned(),
            limit: Some(count),
            offset: Some(skip),
            ..ListQuery::default()
        };
        self.runtime
            .block_on(self.client.runs(&query))
            .unwrap()
            .rows
    }

    fn stop(&self, runs: &[RunRow]) {
        for run in runs {
            let stopped = self.client.stop_run(&run.attempt);
            self.runtime.block_on(stopped).unwrap();
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        _ = self.server.kill();
        _ = self.server.wait();
    }
}

/// The number before a word of the line below the list.
fn number(screen: &Screen, word: &str) -> Option<u64> {
    let line = screen.row(usize::from(SIZE.1) - 2);
    let before = line.split(word).next().filter(|part| *part != line)?;
    before
        .split_whitespace()
        .last()?
        .replace(',', "")
        .parse()
        .ok()
}

/// Waits until the queue shows these places in line, each with its job's number.
#[track_caller]
fn shows(console: &Terminal, rows: &[(u64, u64)]) {
    console.wait(&format!("{rows:?}"), |screen| {
        let text = screen.text();
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().take(2).collect())
            .collect();
        rows.iter().all(|(place, job)| {
            let place = match place {
                0..1000 => place.to_string(),
                _ => format!("{},{:03}", place / 1000, place % 1000),
            };
            lines.contains(&vec![place.as_str(), format!("job-{job:04}").as_str()])
        })
    });
}

/// Resident memory in KB.
fn memory(pid: Pid) -> u64 {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let words = line.unwrap().split_whitespace();
    words.rev().nth(1).unwrap().parse().unwrap()
}

#[test]
fn the_right_rows_of_a_long_queue_and_a_large_fleet() {
    let site = Site::new();
    let mut console = Terminal::open(&site.home, SIZE, &["console", "--screen", "queue"]);
    console.sees(&["2,000 waiting", "why job-0000 waits"]);
    let before = memory(console.pid());

    console.press("G", &["why job-0999 waits"]);
    shows(&console, &[(1_988, 987), (2_000, 999)]);
    console.loses("below");
    console.press("gg", &["why job-0000 waits"]);
    shows(&console, &[(1, 0), (2, 1)]);
    console.loses("above");
    for _ in 0..5 {
        console.acts(PAGE_DOWN);
    }
    shows(&console, &[(61, 60), (60, 59)]);
    console.keys("gg");
    shows(&console, &[(1, 0)]);

    // Of each name there are two, the older one first.
    console.press(NEXT_COLUMN, &["JOB ↑"]);
    shows(&console, &[(1, 0), (1_001, 0), (2, 1), (1_002, 1)]);
    console.keys("G");
    shows(&console, &[(1_000, 999), (2_000, 999)]);
    console.press(FIRST_COLUMN, &["# ↑"]);
    console.keys("/job-0042");
    shows(&console, &[(43, 42), (1_043, 42)]);
    console.press(key::ENTER, &["2 of 2 shown"]);
    console.press(key::ESC, &["of 2,000 shown"]);

    console.press("4", &["1,000 nodes", "1,000 draining", "-0001"]);
    console.press("G", &["-1000"]);
    console.loses("below");
    console.press("gg", &["-0001", "-0002"]);
    console.press("/-0777", &["-0777"]);
    console.press(key::ENTER, &["1 of 1 shown"]);
    console.press(key::ESC, &["of 1,000 shown"]);

    let grown = memory(console.pid()).saturating_sub(before);
    assert!(grown < 10_000, "{grown} KB more than at the first frame");
}

#[test]
fn the_cursors_row_holds_still_while_rows_come_and_go() {
    let site = Site::new();
    let mut console = Terminal::open(&site.home, SIZE, &["console", "--screen", "queue"]);
    console.sees(&["2,000 waiting", "why job-0000 waits"]);
    // The newest first: what comes, comes above.
    for _ in 0..3 {
        console.acts(NEXT_COLUMN);
    }
    console.sees(&["WAITING ↑"]);
    for _ in 0..20 {
        console.acts(PAGE_DOWN);
    }
    console.keys("kkkk");
    // The cursor is in the middle once there are rows to both sides and the panel is about it.
    let mut job = String::new();
    console.wait("a row under the cursor with others around it", |screen| {
        let text = screen.text();
        let named = text
            .split("why ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        job = named.unwrap_or_default().to_owned();
        number(screen, "above").is_some_and(|above| above > 200) && text.contains(" of its shape")
    });
    let (y, above) = {
        let screen = console.screen();
        let y = (0..usize::from(SIZE.1)).find(|y| {
            let row = screen.row(*y);
            row.contains(&format!(" {job} ")) && !row.contains("why")
        });
        (y.unwrap(), number(&screen, "above").unwrap())
    };

    let gone = site.newest(0, 60);
    site.stop(&gone);
    site.drain(0..40);
    for _ in 0..5 {
        site.build("few");
    }
    let near = site.newest(above + 100 - 60 - 30, 20);
    site.stop(&near);
    let expected = above - 60 + 100 - 20;
    console.wait("the rows above it are those that are there now", |screen| {
        assert!(screen.row(y).contains(&job), "{job} on line {y}\n{screen}");
        number(screen, "above") == Some(expected)
    });
    let screen = console.screen();
    assert!(screen.row(y).contains(&job), "{screen}");
    assert!(screen.text().contains(&format!("why {job} waits")));
}
