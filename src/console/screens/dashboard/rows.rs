//! The rows that the cursor stands on: what needs attention, the parts of the server, the newest builds.

use roundel::api::builds::PipelineRow;
use roundel::api::dashboard::{AttentionItem, Urgency};
use roundel::api::services::{Health, ServiceRow};

use crate::console::line::Line;
use crate::console::marks;
use crate::console::place::{Page, Place};
use crate::console::screens::Scene;
use crate::console::text;
use crate::console::theme::Role;

/// Cells of the name of the screen where an item is looked at.
const WHERE: u16 = 20;

pub(super) fn attention(item: &AttentionItem, scene: &Scene, width: u16) -> Line {
    let (glyph, role) = match item.urgency {
        Urgency::Now => ("✗", Role::Failed),
        Urgency::Soon => ("!", Role::Warning),
        Urgency::Notice => ("○", Role::Ok),
    };
    let age = item
        .since
        .map_or_else(|| "now".to_owned(), |at| scene.now.age(at));
    let line = Line::new().bold(role, format!("{glyph} {age}")).pad(10);
    let place = spot(&item.screen);
    if width < 90 {
        return line.text(item.text.clone());
    }
    let room = width.saturating_sub(10 + WHERE + 2);
    line.text(text::fit(&item.text, room).into_owned())
        .pad(width - WHERE)
        .muted(place)
}

/// `Cluster › n07`: a screen in the words of the tabs.
fn spot(screen: &str) -> String {
    match Place::parse(screen) {
        Ok(Place::Node(name)) => format!("Cluster › {name}"),
        Ok(Place::Job(_)) => "Builds › job".to_owned(),
        Ok(Place::Builds) => "Builds".to_owned(),
        Ok(Place::Pipeline(_)) => "Builds › build".to_owned(),
        Ok(Place::Queue) => "Queue".to_owned(),
        Ok(Place::Cluster) => "Cluster".to_owned(),
        Ok(Place::Audit) => "Audit Log".to_owned(),
        Ok(Place::Settings(Page::Group(name))) => format!("Settings › {name}"),
        _ => String::new(),
    }
}

pub(super) fn service(row: &ServiceRow, scene: &Scene) -> Line {
    let (glyph, role) = match row.health {
        Health::Ok => ("●", Role::Ok),
        Health::Slow => ("!", Role::Warning),
        Health::Failing => ("✗", Role::Failed),
    };
    let line = Line::new()
        .text(row.name.clone())
        .pad(13)
        .put(role, format!("{glyph} {}", row.health.word()))
        .pad(24)
        .muted(scene.now.age(row.since))
        .pad(32);
    match &row.last_error {
        Some(error) if row.health == Health::Failing => line.text(error.text.clone()),
        Some(error) => line.muted(row.note.clone()).put(
            Role::Warning,
            format!("; last error {} ago", scene.now.age(error.at)),
        ),
        None => line.muted(row.note.clone()),
    }
}

/// Cells of how long a build took, or of what came of one that never began.
const TOOK: u16 = 9;

pub(super) fn build(row: &PipelineRow, scene: &Scene, width: u16) -> Line {
    let mark = marks::status(row.status);
    let branch = if row.tag.is_empty() {
        row.branch.as_str()
    } else {
        row.tag.as_str()
    };
    let name = format!("{} ", row.project);
    let number = format!("#{}", row.number);
    let name_cells = if width < 50 { 16 } else { 22 };
    let line = Line::new()
        .put(mark.role, format!("{} ", mark.glyph))
        .text(text::fit(&name, name_cells - 5).into_owned())
        .put(Role::Link, number)
        .pad(name_cells);
    let branch_cells = width.saturating_sub(name_cells + 18).min(24);
    let line = if branch_cells >= 6 {
        let fitted = text::fit(branch, branch_cells - 1);
        line.muted(fitted.into_owned())
            .pad(name_cells + branch_cells)
    } else {
        line
    };
    let took = row.started_at.map_or_else(
        || Line::new().muted(text::fit(mark.word, TOOK - 1).into_owned()),
        |start| {
            let role = if row.stopped_at.is_some() {
                Role::Text
            } else {
                Role::Running
            };
            Line::new().put(role, scene.now.took(start, row.stopped_at))
        },
    );
    let cells = line.width() + TOOK;
    line.join(took)
        .pad(cells)
        .muted(format!("{} ago", scene.now.age(row.created_at)))
}
