//! An account of EC2 that moto keeps, seen past Roundel: what is in it, and what somebody does to it by hand.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use regex::Regex;

pub const REGION: &str = "eu-central-1";

/// moto, or nothing after the test was skipped.
pub fn moto() -> Option<String> {
    let url = std::env::var("ROUNDEL_TEST_MOTO").ok();
    if url.is_none() {
        crate::skip::skip("needs moto (ROUNDEL_TEST_MOTO, which tests/run starts)");
    }
    url
}

pub struct Account {
    address: String,
}

impl Account {
    pub fn at(url: &str) -> Self {
        Self {
            address: url.strip_prefix("http://").unwrap().to_owned(),
        }
    }

    /// What the account answers.
    pub fn ask(&self, form: &str) -> String {
        let body = format!("{form}&Version=2016-11-15");
        let scope = format!("Credential=test/20260101/{REGION}/ec2/aws4_request");
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{form}: {text}");
        text
    }

    /// The first id of a kind that an answer holds.
    pub fn first(&self, form: &str, tag: &str) -> String {
        let answer = self.ask(form);
        let of = Regex::new(&format!("<{tag}>([^<]+)</{tag}>")).unwrap();
        of.captures(&answer).expect("one of it")[1].to_owned()
    }

    /// A subnet of the usual network.
    pub fn subnet(&self) -> String {
        let form = "Action=DescribeSubnets&Filter.1.Name=default-for-az&Filter.1.Value.1=true";
        self.first(form, "subnetId")
    }

    /// A group that lets everything in; `mark` tells it from others.
    pub fn open_group(&self, mark: &str) -> String {
        let form = "Action=DescribeVpcs&Filter.1.Name=isDefault&Filter.1.Value.1=true";
        let vpc = self.first(form, "vpcId");
        let form = format!(
            "Action=CreateSecurityGroup&GroupName=open-{mark}&GroupDescription=x&VpcId={vpc}"
        );
        let group = self.first(&form, "groupId");
        self.ask(&format!(
            "Action=AuthorizeSecurityGroupIngress&GroupId={group}&IpPermissions.1.IpProtocol=-1\
             &IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8"
        ));
        group
    }

    /// Ids of the instances of some data that are not gone.
    pub fn there(&self, data_id: &str) -> BTreeSet<String> {
        let answer = self.ask(&format!(
            "Action=DescribeInstances&Filter.1.Name=tag:roundel.data&Filter.1.Value.1={data_id}\
             &Filter.2.Name=instance-state-name&Filter.2.Value.1=pending&Filter.2.Value.2=running"
        ));
        let of = Regex::new("<instanceId>([^<]+)</instanceId>").unwrap();
        of.captures_iter(&answer)
            .map(|found| found[1].to_owned())
            .collect()
    }

    /// Ends an instance behind Roundel's back.
    pub fn end(&self, instance: &str) {
        self.ask(&format!(
            "Action=TerminateInstances&InstanceId.1={instance}"
        ));
    }
}
