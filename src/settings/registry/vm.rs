//! VM provider: where the machine executor and remote Docker get their machines.

use super::{Choice, Entry, Group, Kind, Restart, TestId, When, choice, proxy};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const PROVIDERS: &[Choice] = &[
    choice("none", "None"),
    choice("ec2", "AWS EC2"),
    choice("on_host", "On-Host"),
];

const IDENTITIES: &[Choice] = &[
    choice("profile", "IAM Instance Profile"),
    choice("user", "IAM User (Key+Secret)"),
];

const EC2: When = When::Is("vm.provider", "ec2");
const ON_HOST: When = When::Is("vm.provider", "on_host");
const GUEST: When = When::All(&[ON_HOST, When::Has("vm.on_host_image")]);
const EC2_PROFILE: When = When::All(&[EC2, When::Is("vm.auth_type", "profile")]);
const EC2_USER: When = When::All(&[EC2, When::Is("vm.auth_type", "user")]);

const fn ec2(key: &'static str, label: &'static str, kind: Kind, help: &'static str) -> Entry {
    Entry::new(key, label, kind, help)
        .shown(EC2)
        .restart(Restart::Live)
        .test(TestId::Vm)
}

const fn guest(key: &'static str, label: &'static str, kind: Kind, help: &'static str) -> Entry {
    Entry::new(key, label, kind, help)
        .shown(GUEST)
        .restart(Restart::Live)
}

const fn between(least: i64, most: i64) -> Kind {
    Kind::Number { least, most }
}

pub(super) const GROUP: Group = Group {
    name: "vm",
    title: "VM Provider",
    note: Some(
        "On-Host runs machine jobs on this machine, as processes or in guests; EC2 in VMs of the account. Volumes of Docker layers are not kept yet.",
    ),
    entries: &[
        Entry::new(
            "vm.provider",
            "VM Provider",
            Kind::Choice(PROVIDERS),
            "None refuses jobs with the machine executor. On-Host runs them on this machine.",
        )
        .defaults(&[(When::Always, "on_host")])
        .required(When::Always)
        .restart(Restart::Live)
        .test(TestId::Vm),
        guest(
            "vm.on_host_image",
            "Guest Image",
            Kind::Text,
            "A disk image (qcow2 or raw), or a directory with vmlinuz, initrd and perhaps cmdline and disk. Each job then \
             runs in a guest of its own, by QEMU; without one, as a process of this machine.",
        )
        .shown(ON_HOST)
        .rule(rules::absolute_path),
        guest(
            "vm.on_host_cpus",
            "Guest Processors",
            between(1, 256),
            "Processors of each guest.",
        )
        .defaults(&[(When::Always, "2")])
        .required(When::Always),
        guest(
            "vm.on_host_memory_mb",
            "Guest Memory, MB",
            between(128, 1_048_576),
            "Memory of each guest.",
        )
        .defaults(&[(When::Always, "4096")])
        .required(When::Always),
        guest(
            "vm.on_host_user",
            "Guest Account",
            Kind::Text,
            "Who the steps run as in the guest; cloud-init makes the account where it is missing.",
        )
        .defaults(&[(When::Always, "circleci")])
        .required(When::Always)
        .rule(rules::account),
        guest(
            "vm.on_host_network",
            "Guests Reach the Network",
            Kind::Switch,
            "Off, a guest reaches nothing but what the Build Agent gives it.",
        )
        .defaults(&[(When::Always, "true")]),
        guest(
            "vm.on_host_emulate",
            "Emulate the Processor",
            Kind::Switch,
            "QEMU's own emulation also where /dev/kvm is: slow, and works on any machine.",
        ),
        guest(
            "vm.on_host_timeout_ms",
            "Wait for the Guest, ms",
            between(1_000, 3_600_000),
            "How long a guest may take until it answers SSH.",
        )
        .defaults(&[(When::Always, "300000")])
        .required(When::Always),
        ec2(
            "vm.aws_region",
            "AWS Region",
            Kind::Text,
            "Region of the machines.",
        )
        .required(When::Always)
        .rule(rules::region),
        ec2(
            "vm.subnet_id",
            "EC2 Subnet ID",
            Kind::Text,
            "Subnet of that region.",
        )
        .required(When::Always)
        .rule(rules::subnet),
        ec2(
            "vm.security_group_id",
            "EC2 Security Group ID",
            Kind::Text,
            "Group of the same region; it has to let in 22, and for remote Docker, which no job takes yet, 2376 and 32768-61000.",
        )
        .required(When::Always)
        .rule(rules::security_group),
        ec2(
            "vm.custom_ami",
            "Custom VM AMI",
            Kind::Text,
            "Image of the same region that the account can see.",
        )
        .rule(rules::image),
        ec2(
            "vm.instance_type",
            "AWS Instance Type",
            Kind::Text,
            "Type of the machines.",
        )
        .defaults(&[(When::Always, "t2.medium")])
        .required(When::Always)
        .rule(rules::instance_type),
        ec2(
            "vm.auth_type",
            "AWS Authentication",
            Kind::Choice(IDENTITIES),
            "The profile of this machine, or a user with key and secret.",
        )
        .defaults(&[(When::Always, "profile")])
        .required(When::Always),
        ec2(
            "vm.access_key_id",
            "Access Key ID",
            Kind::Text,
            "Key of the IAM user.",
        )
        .shown(EC2_USER)
        .required(When::Always)
        .rule(rules::access_key_id),
        ec2(
            "vm.secret_access_key",
            "Secret Key",
            Kind::Secret,
            "Secret of that key.",
        )
        .shown(EC2_USER)
        .required(When::Always)
        .rule(rules::word),
        ec2(
            "vm.prealloc_remote_docker",
            "Preallocation: Remote Docker",
            between(0, 1000),
            "Machines that are kept ready for remote Docker. No job takes one yet, so they only cost.",
        )
        .defaults(&[(When::Always, "0")])
        .rule(preallocation),
        ec2(
            "vm.prealloc_machine",
            "Preallocation: Machine Executor",
            between(0, 1000),
            "Machines that are kept ready for the machine executor.",
        )
        .defaults(&[(When::Always, "0")])
        .rule(preallocation),
        ec2(
            "vm.http_proxy",
            "HTTP Proxy",
            Kind::Secret,
            "Proxy of the machines, as http://host:port.",
        )
        .rule(proxy::address),
        ec2(
            "vm.https_proxy",
            "HTTPS Proxy",
            Kind::Secret,
            "The same for HTTPS.",
        )
        .rule(proxy::address),
        ec2(
            "vm.no_proxy",
            "No Proxy",
            Kind::List,
            "What the machines reach directly.",
        )
        .rule(no_proxy),
        ec2(
            "vm.use_public_ip",
            "Use Instance Public IP",
            Kind::Switch,
            "Machines are reached at their public address.",
        ),
        ec2(
            "vm.ssh_timeout_ms",
            "Wait for SSH, ms",
            between(1_000, 3_600_000),
            "How long a machine may take until it answers SSH.",
        )
        .defaults(&[(When::Always, "180000")]),
        ec2(
            "vm.start_timeout_ms",
            "Wait for the start, ms",
            between(1_000, 3_600_000),
            "How long a machine may take to start.",
        )
        .defaults(&[(When::Always, "300000")]),
        ec2(
            "vm.task_timeout_h",
            "Longest job, hours",
            between(1, 168),
            "After which a machine is taken away.",
        )
        .defaults(&[(When::Always, "6")]),
        ec2(
            "vm.dlc_volume_idle_days",
            "Idle days of Docker layer volumes",
            between(1, 365),
            "After which a volume that was not used is removed.",
        )
        .defaults(&[(When::Always, "14")]),
        ec2(
            "vm.endpoint_url",
            "EC2 endpoint",
            Kind::Text,
            "Address of another cloud that speaks as EC2 does; empty for AWS itself.",
        )
        .rule(rules::url_of_host),
        ec2(
            "vm.metadata_url",
            "Instance metadata",
            Kind::Text,
            "Where this machine learns the credentials of its profile.",
        )
        .shown(EC2_PROFILE)
        .defaults(&[(When::Always, "http://169.254.169.254")])
        .required(When::Always)
        .rule(rules::url_of_host),
    ],
};

fn preallocation(value: &Value, _: &Values) -> Vec<Fault> {
    let some = matches!(value, Value::Number(1..));
    rules::faults(some.then(|| {
        Fault::warning("costs money while nothing runs, and Docker layer caching needs 0")
    }))
}

/// The metadata address has to be reached directly, whatever else is.
fn no_proxy(value: &Value, values: &Values) -> Vec<Fault> {
    let mut faults = rules::each(value, proxy::direct_fault);
    let used = values.has("vm.http_proxy") || values.has("vm.https_proxy");
    let holds =
        matches!(value, Value::List(items) if items.iter().any(|item| item == "169.254.169.254"));
    if used && !holds {
        faults.push(
            Fault::error("lacks 169.254.169.254, where machines learn who they are").fix("add it"),
        );
    }
    faults
}
