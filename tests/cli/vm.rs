//! VMs of AWS EC2, as moto plays it: kept ready, made, cycled, destroyed, tried, and known again whatever happens.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;

mod account;
mod stub;

pub use account::{Account, REGION, moto};
use stub::Phase;
pub use stub::Stub;

use crate::support::{Home, Running, free_port, until};

/// How long a provider's list may lag behind, as the server has it.
const GRACE: Duration = roundel::services::vm::plan::GRACE;

/// A server with EC2 as provider.
pub struct Bench {
    /// Before the home, which waits until it is gone.
    server: Option<Running>,
    pub home: Home,
    pub account: Account,
    config: String,
}

impl Bench {
    /// `url` is where the server asks; the account is asked directly.
    pub fn new(moto: &str, url: &str, bootstrap: &str) -> Self {
        let home = Home::new();
        let account = Account::at(moto);
        let map = home.path("ssh_map");
        fs::write(&map, format!("* 127.0.0.1:{}\n", greeter())).unwrap();
        let config = format!("host_user = \"self\"\nvm_ssh_map = {map:?}\n{bootstrap}");
        let server = Some(Running(home.serve(&config)));
        let bench = Self {
            server,
            home,
            account,
            config,
        };
        bench.save(&[
            ("hostname", "ci.example.com"),
            ("vm.provider", "ec2"),
            ("vm.aws_region", REGION),
            ("vm.subnet_id", &bench.account.subnet()),
            (
                "vm.security_group_id",
                &bench.account.open_group(&bench.data_id()),
            ),
            ("vm.endpoint_url", url),
            ("vm.metadata_url", moto),
        ]);
        bench
    }

    pub fn save(&self, pairs: &[(&str, &str)]) {
        self.home.save(pairs);
    }

    fn list(&self) -> Value {
        self.home.json(&["vm", "list", "--json"])
    }

    /// What its instances carry as `roundel.data`: a restored copy's own id, else that of the data.
    fn data_id(&self) -> String {
        if let Ok(copy) = fs::read_to_string(self.home.data().join("copy")) {
            return copy.trim().to_owned();
        }
        let (_, body) = self.home.http("/api/roundel/v1/hello");
        let hello: Value = serde_json::from_str(&body).unwrap();
        hello["data_id"].as_str().unwrap().to_owned()
    }

    /// Instances of the VMs that are in a state.
    fn of(&self, state: &str) -> BTreeSet<String> {
        let list = self.list();
        let vms = list["vms"].as_array().unwrap().iter();
        vms.filter(|vm| vm["state"] == state)
            .filter_map(|vm| vm["instance"].as_str().map(str::to_owned))
            .collect()
    }

    /// Waits until exactly so many are ready, nothing else is known, and the account has those and no other.
    pub fn settles(&self, ready: usize) -> BTreeSet<String> {
        let data = self.data_id();
        let mut found = BTreeSet::new();
        let mut settled = || {
            found = self.of("ready");
            let known = self.list()["vms"].as_array().unwrap().len();
            found.len() == ready && known == ready && self.account.there(&data) == found
        };
        // What was asked for in vain is forgotten after this long; `until` alone waits no longer.
        let begun = roundel::clock::monotonic();
        while begun.elapsed() < GRACE && !settled() {
            std::thread::sleep(Duration::from_millis(100));
        }
        until(
            "the VMs are as wanted, and the account has no other",
            settled,
        );
        found
    }

    fn kill(&mut self) {
        self.server = None;
    }

    fn start(&mut self) {
        self.server = Some(Running(self.home.serve(&self.config)));
    }
}

/// Something that answers as an SSH server begins; its port. Ends with the process.
fn greeter() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"SSH-2.0-test\r\n");
        }
    });
    port
}

#[test]
fn so_many_are_kept_ready_and_what_is_lost_is_replaced() {
    let Some(moto) = moto() else { return };
    let bench = Bench::new(&moto, &moto, "");
    assert_eq!(bench.settles(0).len(), 0);
    bench.save(&[("vm.prealloc_machine", "2")]);
    let first = bench.settles(2);
    let said = bench.home.run(&["vm", "list"]).with_code(0).out;
    assert!(
        said.contains("2 VMs of AWS EC2") && said.contains("2 ready"),
        "{said}"
    );
    // Somebody ends one in the AWS console.
    let lost = first.first().unwrap();
    bench.account.end(lost);
    // A look comes by itself each minute; a save brings one at once.
    bench.save(&[("vm.task_timeout_h", "7")]);
    until("it is replaced", || {
        let now = bench.of("ready");
        now.len() == 2 && !now.contains(lost)
    });
    bench.settles(2);
    // Fewer are wanted, then none at all.
    bench.save(&[("vm.prealloc_machine", "1")]);
    bench.settles(1);
    bench.save(&[("vm.provider", "none")]);
    bench.settles(0);
}

#[test]
fn one_is_made_and_destroyed_by_hand() {
    let Some(moto) = moto() else { return };
    let bench = Bench::new(&moto, &moto, "");
    let made = bench.home.json(&["vm", "create", "--wait", "--json"]);
    assert_eq!(made["state"], "ready", "{made}");
    assert!(
        made["asked_by"].as_str().unwrap().starts_with("uid "),
        "{made}"
    );
    let instance = made["instance"].as_str().unwrap().to_owned();
    assert_eq!(bench.settles(1), BTreeSet::from([instance.clone()]));
    let said = bench
        .home
        .run(&["vm", "destroy", &instance, "--wait"])
        .with_code(0);
    assert!(said.out.contains("is gone"), "{}", said.out);
    bench.settles(0);
    bench.home.run(&["vm", "destroy", &instance]).with_code(4);
    let audit = bench.home.run(&["audit", "list", "vm."]).with_code(0).out;
    assert!(
        audit.contains("vm.create") && audit.contains("vm.destroy"),
        "{audit}"
    );
    bench.save(&[("vm.provider", "on_host")]);
    let said = bench.home.run(&["vm", "create"]).with_code(4);
    assert!(said.err.contains("vm.provider"), "{}", said.err);
}

#[test]
fn those_that_wait_too_long_are_replaced() {
    let Some(moto) = moto() else { return };
    let bench = Bench::new(&moto, &moto, "vm_cycle = \"3s\"\n");
    bench.save(&[("vm.prealloc_remote_docker", "2")]);
    let mut seen = BTreeSet::new();
    until("each was replaced by another", || {
        seen.extend(bench.of("ready"));
        seen.len() >= 4
    });
    bench.save(&[("vm.prealloc_remote_docker", "0")]);
    bench.settles(0);
}

#[test]
fn the_test_names_the_setting_at_fault() {
    let Some(moto) = moto() else { return };
    let bench = Bench::new(&moto, &moto, "");
    let told = bench.home.run(&["vm", "test"]).with_code(0);
    for step in [
        "credentials",
        "region",
        "subnet",
        "security group",
        "image",
        "instance type",
        "rehearsal",
    ] {
        assert!(
            told.out.contains(&format!(" {step}: ")),
            "{step}: {}",
            told.out
        );
    }
    assert_eq!(bench.account.there(&bench.data_id()).len(), 0);

    let vpc = bench
        .account
        .first("Action=CreateVpc&CidrBlock=10.9.0.0/16", "vpcId");
    let foreign = bench.account.first(
        &format!(
            "Action=CreateSecurityGroup&GroupName=roundel-test&GroupDescription=x&VpcId={vpc}"
        ),
        "groupId",
    );
    let own = bench.account.first(
        "Action=DescribeVpcs&Filter.1.Name=isDefault&Filter.1.Value.1=true",
        "vpcId",
    );
    let name = format!("closed-{}", bench.data_id());
    let closed = bench.account.first(
        &format!("Action=CreateSecurityGroup&GroupName={name}&GroupDescription=x&VpcId={own}"),
        "groupId",
    );
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let cases = [
        (
            "vm.subnet_id",
            "subnet-00000000000000000",
            "vm.subnet_id",
            4,
        ),
        (
            "vm.security_group_id",
            "sg-00000000000000000",
            "vm.security_group_id",
            4,
        ),
        ("vm.security_group_id", &foreign, "vm.security_group_id", 4),
        ("vm.security_group_id", &closed, "vm.security_group_id", 4),
        ("vm.custom_ami", "ami-00000000000000000", "vm.custom_ami", 4),
        ("vm.instance_type", "m99.huge", "vm.instance_type", 4),
        ("vm.instance_type", "t4g.medium", "vm.instance_type", 4),
        ("vm.endpoint_url", &nobody, "vm.aws_region", 3),
        ("vm.metadata_url", &nobody, "vm.auth_type", 5),
        ("vm.auth_type", "user", "vm.access_key_id", 2),
    ];
    for (key, value, field, code) in cases {
        let pair = format!("{key}={value}");
        let said = bench
            .home
            .run(&["vm", "test", "--set", &pair])
            .with_code(code);
        let failed: Vec<&str> = said.out.split("failed ").skip(1).collect();
        assert_eq!(failed.len(), 1, "{pair}: {}", said.out);
        assert!(
            failed[0].contains(&format!("setting: {field}")),
            "{pair}: {}",
            said.out
        );
        assert!(failed[0].contains("fix: "), "{pair}: {}", said.out);
    }
}

#[test]
fn a_busy_provider_is_asked_again_and_one_without_room_later() {
    let Some(moto) = moto() else { return };
    let stub = Stub::before(&moto);
    let bench = Bench::new(&moto, &stub.url, "");
    bench.settles(0);
    stub.refuse("RunInstances", 2, 503, "RequestLimitExceeded");
    stub.refuse("DescribeInstances", 1, 503, "RequestLimitExceeded");
    bench.save(&[("vm.prealloc_machine", "1")]);
    bench.settles(1);
    assert_eq!(stub.count("RunInstances"), 3);

    stub.refuse("RunInstances", 1000, 500, "InsufficientInstanceCapacity");
    bench.save(&[("vm.prealloc_machine", "2")]);
    until("the list says why", || {
        let list = bench.list();
        list["failure"]
            .as_str()
            .is_some_and(|why| why.contains("no room"))
    });
    let list = bench.list();
    assert_eq!(list["field"], "vm.instance_type", "{list}");
    let told = || {
        let (_, body) = bench.home.http("/api/roundel/v1/dashboard");
        let dashboard: Value = serde_json::from_str(&body).unwrap();
        let all = dashboard["attention"].as_array().unwrap().clone();
        all.into_iter().find(|item| item["screen"] == "settings:vm")
    };
    let item = told().unwrap();
    assert_eq!(item["urgency"], "soon", "{item}");
    assert!(!item["since"].is_null(), "{item}");
    let text = item["text"].as_str().unwrap();
    assert!(
        text.starts_with("the VM provider fails: ") && text.contains("no room"),
        "{text}"
    );
    // What there is stays meanwhile.
    assert_eq!(bench.of("ready").len(), 1);
    stub.relent();
    let data = bench.data_id();
    until("two are ready, and the account has no other", || {
        let ready = bench.of("ready");
        ready.len() == 2 && bench.account.there(&data) == ready
    });
    let list = bench.list();
    assert_eq!(list["failure"], Value::Null);
    assert_eq!(told(), None);
    // What was asked for in vain goes by itself; that takes a minute, in which a list may lag behind.
    for vm in list["vms"].as_array().unwrap() {
        let vain = vm["state"] == "ending" && vm["instance"].is_null();
        assert!(vain || vm["state"] == "ready", "{list}");
    }
}

#[test]
fn what_was_made_though_nobody_heard_is_known() {
    let Some(moto) = moto() else { return };
    let stub = Stub::before(&moto);
    let bench = Bench::new(&moto, &stub.url, "");
    bench.settles(0);
    // The answer is lost, the list lags behind, and the token is known again: one is made.
    stub.lose(1);
    stub.hide(3);
    bench.save(&[("vm.prealloc_machine", "1")]);
    bench.settles(1);
    // And where it is not, the second one goes.
    stub.forget_tokens();
    stub.lose(2);
    bench.save(&[("vm.prealloc_machine", "3")]);
    bench.settles(3);
    bench.save(&[("vm.prealloc_machine", "0")]);
    bench.settles(0);
}

#[test]
fn an_orphan_of_this_data_goes_and_nobody_elses() {
    let Some(moto) = moto() else { return };
    let bench = Bench::new(&moto, &moto, "");
    bench.settles(0);
    let start = |data: &str| {
        bench.account.first(
            &format!(
                "Action=RunInstances&ImageId=ami-0123456789abcdef0&MinCount=1&MaxCount=1&InstanceType=t2.medium\
                 &TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=roundel.data\
                 &TagSpecification.1.Tag.1.Value={data}"
            ),
            "instanceId",
        )
    };
    let other = format!("not-{}", bench.data_id());
    let (ours, theirs) = (start(&bench.data_id()), start(&other));
    // A look comes by itself each minute; a save brings one at once.
    bench.save(&[("vm.prealloc_machine", "1")]);
    let ready = bench.settles(1);
    assert!(!ready.contains(&ours));
    assert_eq!(
        bench.account.there(&other),
        BTreeSet::from([theirs.clone()])
    );
    bench.account.end(&theirs);
}

#[test]
fn a_restored_copy_and_what_it_was_made_of_leave_each_others_vms_alone() {
    let Some(moto) = moto() else { return };
    let stub = Stub::before(&moto);
    let bench = Bench::new(&moto, &stub.url, "");
    bench.save(&[("vm.prealloc_machine", "1")]);
    bench.settles(1);
    bench.home.run(&["backup", "create", "kept"]).with_code(0);
    // The copy knows of the first by its database, and would find the second by its tag.
    bench.home.run(&["vm", "create", "--wait"]).with_code(0);
    let theirs = bench.settles(2);

    let home = Home::new();
    let (kept, into) = (bench.home.path("kept"), home.data());
    home.run(&[
        "backup",
        "restore",
        kept.to_str().unwrap(),
        into.to_str().unwrap(),
    ])
    .with_code(0);
    let copy = Bench {
        server: Some(Running(home.serve(&bench.config))),
        account: Account::at(&moto),
        config: bench.config.clone(),
        home,
    };
    assert_ne!(copy.data_id(), bench.data_id());
    let own = copy.settles(1);
    assert!(own.is_disjoint(&theirs), "{own:?} {theirs:?}");
    assert_eq!(stub.count("TerminateInstances"), 0);
    // Neither where it ends all that it knows, nor at the looks of the other.
    copy.save(&[("vm.provider", "none")]);
    copy.settles(0);
    assert_eq!(bench.account.there(&bench.data_id()), theirs);
    copy.save(&[("vm.provider", "ec2")]);
    copy.settles(1);
    bench.save(&[("vm.task_timeout_h", "7")]);
    assert_eq!(bench.settles(2), theirs);
    bench.save(&[("vm.provider", "none")]);
    bench.settles(0);
    copy.settles(1);
    copy.save(&[("vm.provider", "none")]);
    copy.settles(0);
}

/// Three in the tests' usual run; `ROUNDEL_VM_KILLS=20` for more.
#[test]
fn kills_in_the_middle_of_creation_leave_no_orphan() {
    let Some(moto) = moto() else { return };
    let kills = std::env::var("ROUNDEL_VM_KILLS").ok();
    let kills: u32 = kills.and_then(|text| text.parse().ok()).unwrap_or(3);
    let stub = Stub::before(&moto);
    stub.forget_tokens();
    let mut bench = Bench::new(&moto, &stub.url, "");
    let data = bench.data_id();
    stub.stop_at(Phase::Before);
    bench.save(&[("vm.prealloc_machine", "2")]);
    for kill in 0..kills {
        until("a creating call is under way", || stub.has_stopped());
        bench.kill();
        // The call goes on without the server: it was on its way, or done.
        stub.go_on();
        for instance in bench.account.there(&data) {
            if kill % 3 == 2 {
                bench.account.end(&instance);
            }
        }
        let phase = [Phase::Between, Phase::Before][kill as usize % 2];
        if kill + 1 < kills {
            // One is missing again, so the next server creates.
            if let Some(instance) = bench.account.there(&data).first() {
                bench.account.end(instance);
            }
            stub.stop_at(phase);
        }
        bench.start();
    }
    let ready = bench.settles(2);
    println!(
        "{kills} kills, {} creating calls, ready: {ready:?}",
        stub.count("RunInstances")
    );
    assert!(stub.count("RunInstances") >= kills as usize);
}
