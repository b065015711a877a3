//! What EC2's answers say, in the words of this program. Each takes a whole document; what is missing is empty.

use roxmltree::Node;

use super::super::{Instance, InstanceState, Purpose, SSH_PORT, TAG_PURPOSE, TAG_VM};
use super::xml::{at, items, read, text};
use crate::clock::Timestamp;
use crate::sanitise::line;

/// Instances, and the token of the next page, empty on the last.
pub(super) fn instances(answer: &str, public: bool) -> Result<(Vec<Instance>, String), String> {
    let document = read(answer)?;
    let root = document.root_element();
    let sets: Vec<Node<'_, '_>> = match at(root, "reservationSet") {
        Some(_) => items(root, "reservationSet").collect(),
        // A creating call answers with one reservation alone.
        None => vec![root],
    };
    let found = sets
        .into_iter()
        .flat_map(|set| items(set, "instancesSet"))
        .filter_map(|item| instance(item, public))
        .collect();
    Ok((found, text(root, "nextToken").to_owned()))
}

fn instance(item: Node<'_, '_>, public: bool) -> Option<Instance> {
    let id = text(item, "instanceId");
    if id.is_empty() {
        return None;
    }
    let tag = |name: &str| {
        items(item, "tagSet")
            .find(|tag| text(*tag, "key") == name)
            .map_or("", |tag| text(tag, "value"))
    };
    let address = if public {
        text(item, "ipAddress")
    } else {
        text(item, "privateIpAddress")
    };
    Some(Instance {
        id: line(id).into_owned(),
        vm: tag(TAG_VM).parse().ok(),
        state: match text(item, "instanceState/name") {
            "pending" => InstanceState::Pending,
            "running" => InstanceState::Running,
            "stopping" | "stopped" => InstanceState::Stopped,
            "shutting-down" => InstanceState::Ending,
            "terminated" => InstanceState::Gone,
            // A state that is not known yet is somebody to watch, and nobody to use.
            _ => InstanceState::Pending,
        },
        address: (!address.is_empty()).then(|| line(address).into_owned()),
        ssh_port: SSH_PORT,
        launched_at: Timestamp::parse(text(item, "launchTime")).ok(),
        purpose: tag(TAG_PURPOSE).parse::<Purpose>().ok(),
    })
}

/// A subnet.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services::vm) struct Subnet {
    pub vpc: String,
    pub zone: String,
    pub free_addresses: u64,
}

/// The first subnet of an answer.
pub(super) fn subnet(answer: &str) -> Result<Option<Subnet>, String> {
    let document = read(answer)?;
    let found = items(document.root_element(), "subnetSet").next();
    Ok(found.map(|item| Subnet {
        vpc: line(text(item, "vpcId")).into_owned(),
        zone: line(text(item, "availabilityZone")).into_owned(),
        free_addresses: text(item, "availableIpAddressCount")
            .parse()
            .unwrap_or_default(),
    }))
}

/// A security group.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::services::vm) struct SecurityGroup {
    pub vpc: String,
    /// Ranges of TCP ports that it lets in, from anywhere.
    pub ports: Vec<(u16, u16)>,
}

impl SecurityGroup {
    /// Whether a range of ports is let in, by one rule.
    pub fn lets_in(&self, from: u16, to: u16) -> bool {
        self.ports
            .iter()
            .any(|(low, high)| *low <= from && to <= *high)
    }
}

/// The first security group of an answer.
pub(super) fn security_group(answer: &str) -> Result<Option<SecurityGroup>, String> {
    let document = read(answer)?;
    let Some(item) = items(document.root_element(), "securityGroupInfo").next() else {
        return Ok(None);
    };
    let ports = items(item, "ipPermissions").filter_map(|rule| {
        let port = |name: &str| text(rule, name).parse::<u16>().ok();
        match text(rule, "ipProtocol") {
            "-1" => Some((0, u16::MAX)),
            "tcp" | "6" => Some((
                port("fromPort").unwrap_or(0),
                port("toPort").unwrap_or(u16::MAX),
            )),
            _ => None,
        }
    });
    Ok(Some(SecurityGroup {
        vpc: line(text(item, "vpcId")).into_owned(),
        ports: ports.collect(),
    }))
}

/// A machine image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services::vm) struct Image {
    pub id: String,
    pub name: String,
    pub state: String,
    pub architecture: String,
    /// RFC 3339, so that texts sort as moments.
    pub created: String,
}

/// The images of an answer.
pub(super) fn images(answer: &str) -> Result<Vec<Image>, String> {
    let document = read(answer)?;
    let word = |item, path| line(text(item, path)).into_owned();
    Ok(items(document.root_element(), "imagesSet")
        .map(|item| Image {
            id: word(item, "imageId"),
            name: word(item, "name"),
            state: word(item, "imageState"),
            architecture: word(item, "architecture"),
            created: word(item, "creationDate"),
        })
        .collect())
}

/// Architectures of the first instance type of an answer; `None` when there is no such type.
pub(super) fn architectures(answer: &str) -> Result<Option<Vec<String>>, String> {
    let document = read(answer)?;
    let found = items(document.root_element(), "instanceTypeSet").next();
    Ok(found.map(|item| {
        items(item, "processorInfo/supportedArchitectures")
            .filter_map(|one| one.text())
            .map(|one| line(one.trim()).into_owned())
            .collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::VmId;

    #[test]
    fn instances_carry_our_tags_states_and_both_addresses() {
        let vm = VmId::fresh();
        let item = |id: &str, state: &str, tags: &str| {
            format!(
                "<item><instanceId>{id}</instanceId><instanceState><code>0</code><name>{state}</name></instanceState>\
                 <privateIpAddress>10.0.0.5</privateIpAddress><ipAddress>192.0.2.5</ipAddress>\
                 <launchTime>2026-01-02T03:04:05.000Z</launchTime><tagSet>{tags}</tagSet></item>"
            )
        };
        let tags = format!(
            "<item><key>Name</key><value>x</value></item><item><key>{TAG_VM}</key><value>{vm}</value></item>\
             <item><key>{TAG_PURPOSE}</key><value>remote_docker</value></item>"
        );
        let answer = format!(
            "<DescribeInstancesResponse><reservationSet><item><instancesSet>{}</instancesSet></item>\
             <item><instancesSet>{}</instancesSet></item></reservationSet><nextToken>more</nextToken></DescribeInstancesResponse>",
            item("i-1", "running", &tags),
            item("i-2", "terminated", "")
        );
        let (found, next) = instances(&answer, false).unwrap();
        assert_eq!(next, "more");
        assert_eq!(
            found[0],
            Instance {
                id: "i-1".to_owned(),
                vm: Some(vm),
                state: InstanceState::Running,
                address: Some("10.0.0.5".to_owned()),
                ssh_port: 22,
                launched_at: Timestamp::parse("2026-01-02T03:04:05Z").ok(),
                purpose: Some(Purpose::RemoteDocker),
            }
        );
        assert_eq!((found[1].vm, found[1].state), (None, InstanceState::Gone));
        let (public, _) = instances(&answer, true).unwrap();
        assert_eq!(public[0].address.as_deref(), Some("192.0.2.5"));
        let one = format!(
            "<RunInstancesResponse><reservationId>r</reservationId><instancesSet>{}</instancesSet></RunInstancesResponse>",
            item("i-3", "pending", "")
        );
        assert_eq!(instances(&one, false).unwrap().0[0].id, "i-3");
    }

    #[test]
    fn a_security_group_lets_in_what_one_of_its_rules_spans() {
        let answer = "<R><securityGroupInfo><item><vpcId>vpc-1</vpcId><ipPermissions>\
            <item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort></item>\
            <item><ipProtocol>udp</ipProtocol><fromPort>0</fromPort><toPort>65535</toPort></item>\
            </ipPermissions></item></securityGroupInfo></R>";
        let group = security_group(answer).unwrap().unwrap();
        assert!(group.lets_in(22, 22) && !group.lets_in(2376, 2376) && !group.lets_in(22, 23));
        let all = answer.replace("udp", "-1");
        assert!(
            security_group(&all)
                .unwrap()
                .unwrap()
                .lets_in(32_768, 61_000)
        );
        assert_eq!(security_group("<R/>").unwrap(), None);
    }
}
