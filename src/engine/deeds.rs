//! What the audit log says of each command, and of what came of it.

use super::builds::Batch;
use super::command::{Actor, Command, CommandError, Deed, Reply};
use super::outbox::Topic;
use crate::clock::Timestamp;
use crate::error::Chain;
use crate::services::ca;
use crate::settings::value::Value;
use crate::store::{AuditEntry, StoreError};

/// What the audit log says of a command; `None` of those that are nobody's wish.
pub(super) fn deed(command: &Command, actor: &Actor, now: Timestamp) -> Option<Deed> {
    use super::command::{
        BuildCommand as B, FleetCommand as F, InstallationCommand as I, KeepCommand as K,
        ProjectCommand as P, SettingsCommand as S, TokenCommand as T, WatchCommand as W,
    };
    use super::vms::VmCommand as V;
    let whole = || "installation".to_owned();
    let settings = || "settings".to_owned();
    // Keys, and never a value.
    let keys = |changes: &[(String, Option<Value>)]| {
        let keys: Vec<&str> = changes.iter().map(|(key, _)| key.as_str()).collect();
        keys.join(", ")
    };
    let (action, object, detail) = match command {
        Command::Installation(I::Stop) => {
            ("installation.stop", whole(), "services stop".to_owned())
        }
        Command::Installation(I::Start) => {
            ("installation.start", whole(), "services start".to_owned())
        }
        // A pass that found nothing is not worth a row.
        Command::Keep(K::Passed(pass)) if !pass.removed.is_empty() || pass.error.is_some() => {
            ("gc.run", whole(), pass.words())
        }
        Command::Keep(K::Passed(_) | K::ForgetBuilds(_) | K::ForgetLogs(_)) => return None,
        Command::Session(command) => command.told()?,
        Command::Settings(S::Stage(changes)) => ("settings.stage", settings(), keys(changes)),
        Command::Settings(S::Discard(keys)) if keys.is_empty() => (
            "settings.discard",
            settings(),
            "all that was staged".to_owned(),
        ),
        Command::Settings(S::Discard(keys)) => ("settings.discard", settings(), keys.join(", ")),
        Command::Settings(S::Save { changes, .. }) => ("settings.save", settings(), keys(changes)),
        Command::Settings(S::Trust { stage: true, .. }) => {
            ("settings.stage", settings(), ca::SETTING.to_owned())
        }
        Command::Settings(S::Trust { .. }) => ("settings.save", settings(), ca::SETTING.to_owned()),
        Command::Settings(S::Put { changes, .. }) => ("settings.save", settings(), keys(changes)),
        // What made it possible has its own row.
        Command::Settings(S::Reload) => return None,
        Command::Settings(S::Rollback(version)) => (
            "settings.rollback",
            settings(),
            format!("to version {version}"),
        ),
        Command::Build(B::Create(new)) => {
            let detail = match (&*new.branch, &*new.tag) {
                ("", "") => new.revision.clone(),
                ("", on) | (on, _) => format!("{on} at {}", new.revision),
            };
            (
                "build.create",
                format!("{}/{} {}", new.org, new.name, new.id),
                detail,
            )
        }
        Command::Build(B::Rerun {
            workflow,
            from_failed,
        }) => (
            "workflow.rerun",
            workflow.to_string(),
            if *from_failed { "from failed" } else { "" }.to_owned(),
        ),
        Command::Build(B::Approve(id)) => ("job.approve", id.to_string(), String::new()),
        Command::Build(B::CancelPipeline(id)) => ("pipeline.cancel", id.to_string(), String::new()),
        Command::Build(B::CancelWorkflow(id)) => ("workflow.cancel", id.to_string(), String::new()),
        Command::Build(B::CancelJob(id)) => ("job.cancel", id.to_string(), String::new()),
        Command::Build(B::StopRun(id)) => ("run.stop", id.to_string(), String::new()),
        Command::Fleet(F::SetDrain {
            node,
            enable,
            deadline_s,
        }) => {
            let how = match (enable, deadline_s) {
                (false, _) => "node-drain -disable".to_owned(),
                (true, None) => "node-drain -enable".to_owned(),
                (true, Some(s)) => format!("node-drain -enable -deadline {s}s"),
            };
            ("node.drain", node.to_string(), how)
        }
        Command::Fleet(F::SetEligibility { node, eligible }) => {
            let word = if *eligible { "eligible" } else { "ineligible" };
            ("node.eligibility", node.to_string(), word.to_owned())
        }
        Command::Watch(W::Add(new)) => {
            let every = format!("every {} s", new.every_s);
            ("watch.add", new.source.clone(), every)
        }
        Command::Watch(W::Remove(id)) => ("watch.remove", id.to_string(), String::new()),
        Command::Watch(W::Seen { .. }) => return None,
        Command::Vm(V::Make(new)) if new.asked => (
            "vm.create",
            new.id.to_string(),
            new.purpose.word().to_owned(),
        ),
        Command::Vm(V::Destroy(vm)) => ("vm.destroy", vm.to_string(), String::new()),
        // What the pool does by itself is many rows an hour, and stands in the server's log.
        Command::Vm(_) => return None,
        Command::Project(P::Rename {
            title, org, name, ..
        }) => ("project.rename", title.clone(), format!("to {org}/{name}")),
        Command::Project(P::Remove { title, .. }) => {
            ("project.remove", title.clone(), String::new())
        }
        Command::Token(T::Create(new)) => {
            let until = new
                .expires
                .map_or("for ever".to_owned(), |end| format!("until {end}"));
            let detail = format!("{}, {}, {until}", new.name, new.role);
            ("token.create", new.id.clone(), detail)
        }
        Command::Token(T::Revoke(id)) => ("token.revoke", id.clone(), String::new()),
        Command::Project(P::SetVariable { project, name, .. }) => {
            let title = format!("{}/{}", project.org, project.name);
            ("project.env.set", title, name.clone())
        }
        Command::Project(P::UnsetVariable { title, name, .. }) => {
            ("project.env.unset", title.clone(), name.clone())
        }
        Command::Note(note) => (note.action, note.object.clone(), note.detail.clone()),
    };
    let failure = match command {
        Command::Note(note) => note.failure.clone(),
        Command::Keep(K::Passed(pass)) => pass.error.clone(),
        _ => None,
    };
    Some(Deed {
        at: now,
        actor: actor.clone(),
        action,
        object,
        detail,
        failure,
    })
}

/// Writes the audit row of a command.
pub(super) fn write_audit(
    batch: &mut Batch<'_, '_>,
    deed: &Deed,
    result: &Result<Reply, CommandError>,
) -> Result<(), StoreError> {
    let mut detail = deed.detail.clone();
    let (object, result) = match result {
        Ok(Reply::Settings { version, keys }) => {
            let object = if keys.is_empty() {
                deed.object.clone()
            } else {
                // What was staged before belongs to it too.
                detail = keys.join(", ");
                format!("settings, version {version}")
            };
            (object, "ok".to_owned())
        }
        Ok(Reply::Node { name, .. }) => (name.clone(), "ok".to_owned()),
        Ok(
            Reply::Pipeline { .. }
            | Reply::Watch { .. }
            | Reply::Project { .. }
            | Reply::Token { .. }
            | Reply::Installation { .. }
            | Reply::Forgotten { .. }
            | Reply::Vm { .. }
            | Reply::Noted,
        ) => {
            let result = deed.failure.clone().unwrap_or_else(|| "ok".to_owned());
            (deed.object.clone(), result)
        }
        Err(err) => (deed.object.clone(), Chain(err).to_string()),
    };
    batch.tx.append_audit(&AuditEntry {
        at: deed.at,
        actor: deed.actor.name.clone(),
        action: deed.action.to_owned(),
        object,
        result,
        detail,
    })?;
    batch.out.touch(Topic::Audit, deed.action);
    Ok(())
}
