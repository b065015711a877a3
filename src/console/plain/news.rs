//! What is announced by itself: a build that began or ended, another number of waiting or running runs, the server lost
//! and found. Pure: what is known goes in, sentences come out.

use std::collections::HashMap;

use roundel::api::builds::PipelineRow;

use crate::console::event::Link;
use crate::console::marks;
use crate::console::shell::Shell;
use crate::console::text;
use crate::console::verbs::pipeline_name;

/// What has been said.
#[derive(Debug, Default)]
pub struct News {
    /// Builds that are known, and whether they had ended.
    builds: Option<HashMap<String, bool>>,
    counts: Option<(u64, u64)>,
    lost: bool,
}

impl News {
    /// How the console stands with its server, and how much waits and runs, where that is new.
    pub fn of_shell(&mut self, shell: &Shell) -> Vec<String> {
        let mut said = Vec::new();
        let lost = matches!(shell.link, Link::Lost { .. } | Link::SignedOut { .. });
        if lost != self.lost {
            self.lost = lost;
            said.push(match &shell.link {
                Link::Lost { why, .. } => {
                    format!("The server is lost: {why}. Builds go on. Trying again; start makes a new one.")
                }
                Link::SignedOut { why, .. } => {
                    format!("No longer signed in: {why}. Builds go on. roundel login in another window signs in again.")
                }
                _ => "The server is back.".to_owned(),
            });
        }
        let counts = shell.summary.as_ref().map(|all| (all.waiting, all.running));
        if let Some((waiting, running)) = counts {
            if self.counts.is_some_and(|known| known != (waiting, running)) {
                let waits = text::plural(waiting, "run");
                said.push(format!(
                    "Queue: {waits} waiting, {} running.",
                    text::count(running)
                ));
            }
            self.counts = Some((waiting, running));
        }
        said
    }

    /// The newest builds: those that began or ended since the last ones.
    pub fn of_builds(&mut self, rows: &[PipelineRow]) -> Vec<String> {
        let now = rows
            .iter()
            .map(|row| (row.id.clone(), row.status.is_final()))
            .collect();
        let Some(before) = self.builds.replace(now) else {
            return Vec::new();
        };
        let news = rows.iter().rev().filter_map(|row| {
            let name = pipeline_name(row);
            let word = marks::status(row.status).word;
            match (before.get(&row.id), row.status.is_final()) {
                (Some(true), _) | (Some(false), false) => None,
                (_, true) => Some(format!("Build {name} has ended: {word}.")),
                (None, false) => Some(format!("Build {name} has begun.")),
            }
        });
        news.collect()
    }
}

#[cfg(test)]
mod tests {
    use roundel::api::builds::Status;
    use roundel::clock::Timestamp;

    use super::*;
    use crate::console::tests::kit;

    #[test]
    fn builds_are_told_when_they_begin_and_end_but_not_those_of_before() {
        let mut news = News::default();
        let row = kit::pipeline_row;
        let name = |number| pipeline_name(&row(number, Status::Success));
        for (rows, said) in [
            (vec![row(1, Status::Success)], vec![]),
            (
                vec![row(2, Status::Running), row(1, Status::Success)],
                vec![format!("Build {} has begun.", name(2))],
            ),
            (
                vec![
                    row(3, Status::Success),
                    row(2, Status::Failed),
                    row(1, Status::Success),
                ],
                vec![
                    format!("Build {} has ended: failed.", name(2)),
                    format!("Build {} has ended: success.", name(3)),
                ],
            ),
            (
                vec![row(3, Status::Success), row(2, Status::Failed)],
                vec![],
            ),
        ] {
            assert_eq!(news.of_builds(&rows), said);
        }
    }

    #[test]
    fn the_server_is_told_lost_and_back_once_each() {
        let mut shell = Shell::new((80, 24), Timestamp(0));
        let mut news = News::default();
        shell.link = Link::Live;
        assert!(news.of_shell(&shell).is_empty());
        shell.link = Link::Lost {
            since: Timestamp(0),
            retry_at: Timestamp(0),
            why: "no server answers".into(),
        };
        assert!(news.of_shell(&shell)[0].starts_with("The server is lost: no server answers."));
        assert!(news.of_shell(&shell).is_empty());
        shell.link = Link::Live;
        assert_eq!(news.of_shell(&shell), ["The server is back."]);
    }
}
