//! What stands on the Builds screen before anything was built: the repository of this directory, one key from a build.

use ratatui::layout::Rect;

use crate::console::event::Repository;
use crate::console::keymap::Cmd;
use crate::console::line::Line;
use crate::console::pen::Pen;
use crate::console::screens::Scene;
use crate::console::shell::Look;
use crate::console::spot::Spot;
use crate::console::text;
use crate::console::theme::Role;

/// Draws it.
pub fn view(pen: &mut Pen, area: Rect, scene: &Scene) {
    let mut lines = vec![
        Line::new().strong("Nothing has been built here yet."),
        Line::new(),
    ];
    let mut button = None;
    match &scene.shell.look {
        Look::NotYet | Look::Looking => {}
        Look::Found(Some(repository)) => {
            let here = lines.len();
            lines.extend(repository_lines(repository));
            if repository.config.is_ok() {
                button = Some(lines.len() + 1);
            }
            lines.push(Line::new());
            lines.push(buttons(button.is_some()));
            debug_assert!(here < lines.len());
        }
        Look::Found(None) => {
            lines.push(
                Line::new()
                    .muted("This directory is no git repository with a .circleci/config.yml."),
            );
            lines.push(Line::new());
            lines.push(buttons(false));
        }
    }
    lines.push(Line::new());
    lines.push(Line::new().muted("The same from a shell:"));
    lines.push(Line::new().gap(2).put(Role::Accent, "roundel build ."));
    lines.push(Line::new());
    let room = area.width.saturating_sub(6).min(74);
    lines.extend(
        text::wrap(&where_jobs_run(scene), room)
            .into_iter()
            .map(|words| Line::new().muted(words)),
    );
    let top = area.y + if area.height > 18 { 2 } else { 1 };
    let inside = Rect {
        x: 3,
        y: top,
        width: area.width.saturating_sub(4),
        height: area.bottom().saturating_sub(top),
    };
    pen.lines(inside, &lines);
    if let Some(line) = button
        .and_then(|line| u16::try_from(line).ok())
        .filter(|line| *line < inside.height)
    {
        let place = Rect {
            x: inside.x,
            y: inside.y + line,
            width: BUTTON,
            height: 1,
        };
        pen.spot(place, Spot::Press(Cmd::BuildHere), || "build it".to_owned());
        pen.underlay(place, Role::Selected);
        let path = Rect {
            x: place.right() + 4,
            width: 24,
            ..place
        };
        pen.spot(path, Spot::Press(Cmd::BuildPath), String::new);
    }
}

/// Width of the focused button.
const BUTTON: u16 = 12;

fn buttons(can_build: bool) -> Line {
    let path = Line::new()
        .bold(Role::Accent, "P")
        .text("ath or URL of another");
    if can_build {
        Line::new().strong("  Build it  ").gap(4).join(path)
    } else {
        path
    }
}

fn repository_lines(repository: &Repository) -> Vec<Line> {
    let name = repository
        .path
        .rsplit('/')
        .next()
        .unwrap_or(&repository.path);
    let at = if repository.branch.is_empty() {
        format!("   detached at {}", repository.revision)
    } else {
        format!("   branch {} at {}", repository.branch, repository.revision)
    };
    match &repository.config {
        Ok((jobs, workflows)) => {
            let counts = format!(
                ", {}, {}",
                text::plural(*jobs as u64, "job"),
                text::plural(*workflows as u64, "workflow")
            );
            vec![
                Line::new()
                    .muted("This directory is a git repository with a .circleci/config.yml:"),
                Line::new().text(name).muted(at).muted(counts),
            ]
        }
        Err(why) => vec![
            Line::new()
                .muted("This directory is a git repository, but it cannot be built as it is:"),
            Line::new().text(name).muted(at),
            Line::new().put(Role::Failed, format!("✗ {why}")),
        ],
    }
}

fn where_jobs_run(scene: &Scene) -> String {
    let (user, data) = scene
        .shell
        .hello
        .as_ref()
        .map_or(("you", "the data directory"), |h| (&h.jobs_run_as, &h.data));
    format!(
        "Jobs run on this machine as the user {user}, in scratch directories under {data}. \
         Closing this console does not stop them."
    )
}
