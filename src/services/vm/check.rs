//! The test of the VM provider's settings: each thing that they name is looked up in the account, one step each, and in the
//! end a start is rehearsed. Nothing is made.

use super::ec2::{Ec2, Subnet};
use super::key::VmKey;
use super::ssh::Places;
use super::{SSH_PORT, VmError};
use crate::error::{Chain, Explain, Kind};
use crate::services::trial::{Ask, Trial};

/// Ports that remote Docker needs besides SSH: its API, and those of containers.
const DOCKER_PORTS: [(u16, u16); 2] = [(2376, 2376), (32_768, 61_000)];

/// The setting of the region.
const REGION: &str = "vm.aws_region";

/// Puts the settings of the VM provider to the test.
pub async fn test(ask: &Ask, trial: &mut Trial) {
    match ask.values.text("vm.provider").as_str() {
        "ec2" => {}
        "on_host" => {
            let found = "jobs of the machine executor run on this machine: there is no account to look into";
            return trial.ok("provider", found).await;
        }
        _ => {
            return trial
                .warning(
                    "provider",
                    Some("vm.provider"),
                    "none is chosen: jobs of the machine executor are refused",
                    "choose `ec2`, or `on_host` for this machine",
                )
                .await;
        }
    }
    let region = ask.values.text(REGION);
    match Ec2::new(
        &ask.values,
        &region,
        "test",
        VmKey::for_rehearsal(),
        Places::default(),
    ) {
        Ok(ec2) => account(ask, trial, &ec2).await,
        Err(err) => fail(trial, "settings", &err, None).await,
    }
}

async fn account(ask: &Ask, trial: &mut Trial, ec2: &Ec2) {
    match ec2.who().await {
        Ok(id) => {
            let from = match ask.values.text("vm.auth_type").as_str() {
                "user" => "of the settings",
                _ => "of this machine's profile",
            };
            trial.ok("credentials", format!("key {id}, {from}")).await;
        }
        Err(err) => return fail(trial, "credentials", &err, None).await,
    }
    match ec2.zones().await {
        Ok(zones) => {
            let found = format!("{} answers, with {zones} zones", ec2.endpoint());
            trial.ok("region", found).await;
        }
        // Nothing else would be answered either.
        Err(err) => return fail(trial, "region", &err, Some(REGION)).await,
    }
    let subnet = subnet(ask, trial, ec2).await;
    group(trial, ec2, subnet.as_ref()).await;
    let architecture = image(ask, trial, ec2).await;
    kind(ask, trial, ec2, architecture.as_deref()).await;
    if trial.has_failed() {
        return;
    }
    match ec2.rehearse().await {
        Ok(()) => {
            let found = "EC2 would start one: it was asked to say so, and to start none";
            trial.ok("rehearsal", found).await;
        }
        Err(err) => fail(trial, "rehearsal", &err, None).await,
    }
}

async fn subnet(ask: &Ask, trial: &mut Trial, ec2: &Ec2) -> Option<Subnet> {
    const STEP: &str = "subnet";
    const FIELD: &str = "vm.subnet_id";
    let id = ask.values.text(FIELD);
    let found = match ec2.subnet().await {
        Ok(Some(found)) => found,
        Ok(None) => {
            absent(trial, STEP, FIELD, &id).await;
            return None;
        }
        Err(err) => {
            fail(trial, STEP, &err, Some(FIELD)).await;
            return None;
        }
    };
    let said = format!(
        "{id} is in {} ({}), with {} free addresses",
        found.vpc, found.zone, found.free_addresses
    );
    let kept = ["vm.prealloc_machine", "vm.prealloc_remote_docker"];
    let wanted: u64 = kept.iter().map(|key| ask.values.number(key)).sum();
    if found.free_addresses == 0 || found.free_addresses < wanted {
        let fix = "choose a larger subnet, or keep fewer VMs ready";
        trial.warning(STEP, Some(FIELD), said, fix).await;
    } else {
        trial.ok(STEP, said).await;
    }
    Some(found)
}

async fn group(trial: &mut Trial, ec2: &Ec2, subnet: Option<&Subnet>) {
    const STEP: &str = "security group";
    const FIELD: &str = "vm.security_group_id";
    let found = match ec2.security_group().await {
        Ok(Some(found)) => found,
        Ok(None) => return absent(trial, STEP, FIELD, "the security group").await,
        Err(err) => return fail(trial, STEP, &err, Some(FIELD)).await,
    };
    if let Some(subnet) = subnet.filter(|subnet| subnet.vpc != found.vpc) {
        let said = format!(
            "it is of {}, and the subnet is of {}",
            found.vpc, subnet.vpc
        );
        let fix = "choose a group and a subnet of one VPC";
        return trial
            .failed(STEP, Kind::Conflict, Some(FIELD), said, fix)
            .await;
    }
    if !found.lets_in(SSH_PORT, SSH_PORT) {
        let said = "it does not let in port 22: no VM would ever answer SSH";
        let fix = "let in TCP 22 from the machines of the fleet";
        return trial
            .failed(STEP, Kind::Conflict, Some(FIELD), said, fix)
            .await;
    }
    let closed: Vec<String> = DOCKER_PORTS
        .into_iter()
        .filter(|(from, to)| !found.lets_in(*from, *to))
        .map(|(from, to)| match from == to {
            true => from.to_string(),
            false => format!("{from}-{to}"),
        })
        .collect();
    if closed.is_empty() {
        let said = format!("it is of {}, and lets in what is needed", found.vpc);
        trial.ok(STEP, said).await;
    } else {
        let said = format!("it lets in port 22, and not {}", closed.join(" and "));
        let fix = "remote Docker needs them from the machines of the fleet; jobs of the machine executor do not";
        trial.warning(STEP, Some(FIELD), said, fix).await;
    }
}

/// The architecture of the image that would be started.
async fn image(ask: &Ask, trial: &mut Trial, ec2: &Ec2) -> Option<String> {
    const STEP: &str = "image";
    const FIELD: &str = "vm.custom_ami";
    let id = ask.values.text(FIELD);
    let found = match id.as_str() {
        "" => ec2.usual_image().await,
        _ => ec2.custom_image().await,
    };
    let found = match found {
        Ok(Some(found)) => found,
        Ok(None) if id.is_empty() => {
            let said = "none is set, and Canonical's Ubuntu 22.04 is not in this region";
            let fix = "set the id of an image with cloud-init and an SSH server";
            trial
                .failed(STEP, Kind::NotFound, Some(FIELD), said, fix)
                .await;
            return None;
        }
        Ok(None) => {
            absent(trial, STEP, FIELD, &id).await;
            return None;
        }
        Err(err) => {
            fail(trial, STEP, &err, Some(FIELD)).await;
            return None;
        }
    };
    if found.state != "available" {
        let said = format!("{} is {}", found.id, found.state);
        let fix = "wait until it is available, or choose another one";
        trial
            .failed(STEP, Kind::Conflict, Some(FIELD), said, fix)
            .await;
        return None;
    }
    let said = format!("{}: {}, {}", found.id, found.name, found.architecture);
    trial.ok(STEP, said).await;
    Some(found.architecture)
}

async fn kind(ask: &Ask, trial: &mut Trial, ec2: &Ec2, architecture: Option<&str>) {
    const STEP: &str = "instance type";
    const FIELD: &str = "vm.instance_type";
    let name = ask.values.text(FIELD);
    let offered = match ec2.architectures().await {
        Ok(Some(offered)) => offered,
        Ok(None) => return absent(trial, STEP, FIELD, &name).await,
        Err(err) => return fail(trial, STEP, &err, Some(FIELD)).await,
    };
    let of_image = architecture.filter(|one| !one.is_empty());
    if let Some(wanted) = of_image.filter(|one| !offered.iter().any(|other| other == one)) {
        let said = format!(
            "{name} is {}, and the image is {wanted}",
            offered.join(", ")
        );
        let fix = "choose a type and an image of one architecture";
        return trial
            .failed(STEP, Kind::Conflict, Some(FIELD), said, fix)
            .await;
    }
    trial
        .ok(STEP, format!("{name} is {}", offered.join(", ")))
        .await;
}

async fn absent(trial: &mut Trial, step: &str, field: &str, id: &str) {
    let said = format!("{id} is not in this region, or the account may not see it");
    let fix = "take the id from the AWS console, of the same region";
    trial
        .failed(step, Kind::NotFound, Some(field), said, fix)
        .await;
}

/// What EC2 or the way to it has against a step; `field` is what the step looked at.
async fn fail(trial: &mut Trial, step: &str, err: &VmError, field: Option<&'static str>) {
    let at_fault = err.field().or(field);
    let fix = err
        .hint()
        .unwrap_or_else(|| "EC2's own words say what it is".to_owned());
    let found = Chain(err).to_string();
    trial.failed(step, err.kind(), at_fault, found, fix).await;
}
