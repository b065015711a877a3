//! `vm`: lists, makes and destroys VMs of the VM provider, and tries its settings.

use std::time::Duration;

use roundel::api::vms::{MakeVm, VmPurpose, VmRow, VmState, Vms};
use roundel::error::Kind;
use roundel::ids::VmId;
use roundel::sanitise::line;
use roundel::settings::registry::TestId;

use super::context::Context;
use super::table::table;
use super::words::count;
use super::{End, Failure, trial};

/// How often is looked whether a VM has come as far as was asked.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List the VMs, and how their provider does
    List,
    /// Ask for one VM more; a job takes it, or it goes after a day
    Create(Create),
    /// Have a VM destroyed that no job has
    Destroy(Destroy),
    /// Look up in the account what the settings name, and rehearse a start
    Test(trial::Given),
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// What it is for: machine or remote_docker
    #[arg(long = "for", value_name = "PURPOSE", default_value = "machine")]
    purpose: VmPurpose,
    /// End only when it is ready for a job
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Destroy {
    /// As `vm list` shows it, a part of it, or the provider's id
    id: String,
    /// End only when it is gone
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(verb: &Verb, context: &mut Context<'_>) -> Result<End, Failure> {
    match verb {
        Verb::List => list(context).await,
        Verb::Create(args) => create(args, context).await,
        Verb::Destroy(args) => destroy(args, context).await,
        Verb::Test(given) => trial::run(context, &given.of(TestId::Vm)?).await,
    }
}

async fn list(context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let found = client.vms().await?;
    if context.json {
        context.print_json(&found)?;
        return Ok(End::Ok);
    }
    if !found.vms.is_empty() {
        let heading = ["ID", "For", "State", "Since", "Instance", "Address", "Note"];
        let rows: Vec<_> = found.vms.iter().map(cells).collect();
        table(context.out, heading, &rows)?;
        writeln!(context.out)?;
    }
    writeln!(context.out, "{}", sentence(&found))?;
    if let Some(why) = &found.failure {
        let paint = context.out_paint();
        writeln!(context.out, "{}: {}", paint.bad("failed"), line(why))?;
        if let Some(field) = &found.field {
            writeln!(context.out, "setting: {}", line(field))?;
        }
    }
    Ok(End::Ok)
}

/// What the provider is, and what it has, in a sentence.
fn sentence(found: &Vms) -> String {
    let number = |state: VmState| found.vms.iter().filter(|vm| vm.state == state).count();
    match found.provider.as_str() {
        "ec2" => {
            let looked = found.looked_at.map_or_else(
                || "which has not answered yet".to_owned(),
                |at| format!("looked at {at}"),
            );
            format!(
                "{} of AWS EC2, {looked}: {} ready, {} with jobs; {} kept ready for the machine executor, {} for remote Docker.",
                count(found.vms.len() as u64, "VM"),
                number(VmState::Ready),
                number(VmState::Leased),
                found.kept_machine,
                found.kept_remote_docker
            )
        }
        "on_host" => "On-Host: jobs of the machine executor run on this machine.".to_owned(),
        _ => "No VM provider is chosen: `roundel settings set vm.provider ec2`.".to_owned(),
    }
}

fn cells(row: &VmRow) -> [String; 7] {
    let note = match (&row.attempt, row.state) {
        (Some(attempt), VmState::Leased) => format!("run {attempt}"),
        _ if !row.why.is_empty() => row.why.clone(),
        _ if !row.asked_by.is_empty() => format!("asked for by {}", row.asked_by),
        _ => "-".to_owned(),
    };
    [
        row.id.clone(),
        row.purpose.word().to_owned(),
        row.state.word().to_owned(),
        row.since.to_string(),
        row.instance.clone().unwrap_or_else(|| "-".to_owned()),
        row.address.clone().unwrap_or_else(|| "-".to_owned()),
        note,
    ]
}

async fn create(args: &Create, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let wanted = MakeVm {
        id: VmId::fresh().to_string(),
        purpose: args.purpose,
    };
    let asked = client.make_vm(&wanted).await?;
    let id = asked.value.id.clone();
    if !args.wait {
        return context.done(&asked, &format!("VM {id} is asked for."));
    }
    loop {
        let found = client.vms().await?;
        match found.vms.iter().find(|vm| vm.id == id) {
            Some(vm) if matches!(vm.state, VmState::Ready | VmState::Leased) => {
                let at = vm.address.clone().unwrap_or_default();
                let text = format!("VM {id} is ready at {at}.");
                return context.done(vm, &text);
            }
            Some(vm) if vm.state == VmState::Ending => {
                let why = format!("VM {id} came to nothing: {}", line(&vm.why));
                return Err(Failure::said(Kind::Infrastructure, why)
                    .with_hint("`roundel vm test` tries the settings"));
            }
            Some(_) => tokio::time::sleep(LOOK).await,
            None => {
                let why = format!("VM {id} came to nothing");
                return Err(Failure::said(Kind::Infrastructure, why)
                    .with_hint("`roundel vm list` says what went wrong"));
            }
        }
    }
}

async fn destroy(args: &Destroy, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let asked = client.destroy_vm(&args.id).await?;
    let id = asked.value.id.clone();
    let gone = |found: &Vms| found.vms.iter().all(|vm| vm.id != id);
    while args.wait && !gone(&client.vms().await?) {
        tokio::time::sleep(LOOK).await;
    }
    let text = if args.wait {
        format!("VM {id} is gone.")
    } else {
        format!("VM {id} goes.")
    };
    context.done(&asked, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(provider: &str) -> Vms {
        Vms {
            provider: provider.to_owned(),
            looked_at: None,
            failure: None,
            field: None,
            kept_machine: 2,
            kept_remote_docker: 0,
            vms: Vec::new(),
        }
    }

    #[test]
    fn the_sentence_names_the_provider_and_what_it_has() {
        assert_eq!(
            sentence(&found("ec2")),
            "0 VMs of AWS EC2, which has not answered yet: 0 ready, 0 with jobs; 2 kept ready for the machine executor, 0 for remote Docker."
        );
        assert!(sentence(&found("on_host")).contains("on this machine"));
        assert!(sentence(&found("none")).contains("settings set vm.provider ec2"));
    }
}
