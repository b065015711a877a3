//! AWS EC2 as provider: a few calls of the Query API over our own HTTP stack, signed with `aws-sigv4`.
//!
//! Knows the settings of the VM provider and no engine. (The whole `aws-sdk-ec2` takes 13 minutes of CPU and 6.6 GB to
//! compile, for eight calls.)

mod answers;
mod credentials;
mod first_start;
mod query;
mod xml;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::key::VmKey;
use super::ssh::Places;
use super::{Instance, Purpose, TAG_DATA, TAG_PURPOSE, TAG_VM, VmError, VmProvider};
use crate::error::Kind;
use crate::ids::VmId;
use crate::services::outgoing;
use crate::settings::value::Values;

pub(super) use answers::{Image, SecurityGroup, Subnet};
use credentials::Identity;
use query::{Api, Form};

/// Most instances on a page of a list: the most that EC2 gives.
const PAGE: &str = "1000";

/// Most pages of a list: a hundred thousand instances are not ours.
const PAGES_MAX: usize = 100;

/// Canonical's account, whose Ubuntu is the image where none is set.
const IMAGE_OWNER: &str = "099720109477";
/// Its image.
const IMAGE_NAME: &str = "ubuntu/images/hvm-ssd*/ubuntu-jammy-22.04-amd64-server-*";

/// EC2, as the settings name it.
#[derive(Debug)]
pub struct Ec2 {
    api: Api,
    data_id: String,
    subnet: String,
    group: String,
    kind: String,
    image: String,
    /// The newest default image, once it was looked for.
    usual: OnceCell<String>,
    public: bool,
    /// What each is told for its first start, but for its host key.
    first_start: Json,
    key: VmKey,
    places: Places,
}

impl Ec2 {
    /// As these settings name it. `region` is where the instances are, which may be another one than the settings say;
    /// `key` opens those that it makes; `places` are a test's.
    ///
    /// # Errors
    /// A setting says nothing, or no connection can be made.
    pub fn new(
        values: &Values,
        region: &str,
        data_id: &str,
        key: VmKey,
        places: Places,
    ) -> Result<Self, VmError> {
        let needed = |key: &'static str| match values.text(key) {
            text if text.is_empty() => Err(VmError::Unset { key }),
            text => Ok(text),
        };
        if region.is_empty() {
            return Err(VmError::Unset {
                key: "vm.aws_region",
            });
        }
        let identity = if values.text("vm.auth_type") == "user" {
            Identity::user(
                &needed("vm.access_key_id")?,
                &needed("vm.secret_access_key")?,
            )
        } else {
            Identity::profile(&needed("vm.metadata_url")?)
        };
        let endpoint = match values.text("vm.endpoint_url") {
            text if text.is_empty() => endpoint(region),
            text => text.trim_end_matches('/').to_owned(),
        };
        let http = outgoing::client(values).map_err(|err| VmError::Outgoing(Box::new(err)))?;
        Ok(Self {
            api: Api {
                http,
                endpoint,
                region: region.to_owned(),
                identity,
            },
            data_id: data_id.to_owned(),
            subnet: values.text("vm.subnet_id"),
            group: values.text("vm.security_group_id"),
            kind: values.text("vm.instance_type"),
            image: values.text("vm.custom_ami"),
            usual: OnceCell::new(),
            public: values.on("vm.use_public_ip"),
            first_start: first_start::user_data(values, &key.login.public),
            key,
            places,
        })
    }

    /// A sum of all that decides what an instance is like: two of the same sum are alike.
    #[must_use]
    pub fn shape(&self) -> String {
        let parts = [
            self.api.region.as_str(),
            &self.subnet,
            &self.group,
            &self.kind,
            &self.image,
            if self.public { "public" } else { "private" },
            &self.first_start.to_string(),
        ];
        let sum = Sha256::digest(parts.join("\n").as_bytes());
        sum.iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    /// The image that is started: the one of the settings, else the newest of the usual one.
    async fn image(&self) -> Result<String, VmError> {
        if !self.image.is_empty() {
            return Ok(self.image.clone());
        }
        let look = || async {
            let found = self.usual_image().await?;
            found.map(|image| image.id).ok_or(VmError::Unset {
                key: "vm.custom_ami",
            })
        };
        self.usual.get_or_try_init(look).await.cloned()
    }

    /// What a creating call says.
    async fn run_form(&self, purpose: Purpose, tag: VmId) -> Result<Form, VmError> {
        // Those that are there can be destroyed without these, so they are asked for here.
        for (key, text) in [
            ("vm.subnet_id", &self.subnet),
            ("vm.security_group_id", &self.group),
            ("vm.instance_type", &self.kind),
        ] {
            if text.is_empty() {
                return Err(VmError::Unset { key });
            }
        }
        let host = self.key.of_host(tag);
        let user_data = first_start::with_host_key(self.first_start.clone(), &host);
        let mut form = Form::default()
            .with("ImageId", self.image().await?)
            .with("InstanceType", &self.kind)
            .with("MinCount", "1")
            .with("MaxCount", "1")
            .with("ClientToken", tag.to_string())
            .with("InstanceInitiatedShutdownBehavior", "terminate")
            .with("UserData", STANDARD.encode(user_data));
        form = if self.public {
            const CARD: &str = "NetworkInterface.1";
            form.with(format!("{CARD}.DeviceIndex"), "0")
                .with(format!("{CARD}.SubnetId"), &self.subnet)
                .with(format!("{CARD}.SecurityGroupId.1"), &self.group)
                .with(format!("{CARD}.AssociatePublicIpAddress"), "true")
                .with(format!("{CARD}.DeleteOnTermination"), "true")
        } else {
            form.with("SubnetId", &self.subnet)
                .with("SecurityGroupId.1", &self.group)
        };
        let name = format!("roundel {} {tag}", purpose.word());
        let tags = [
            ("Name", name.as_str()),
            (TAG_DATA, &self.data_id),
            (TAG_VM, &tag.to_string()),
            (TAG_PURPOSE, purpose.word()),
        ];
        // Disks too: of an instance that is gone they would be nobody's.
        for (n, of) in [(1, "instance"), (2, "volume")] {
            let spec = format!("TagSpecification.{n}");
            form = form.with(format!("{spec}.ResourceType"), of);
            for (at, (key, value)) in (1..).zip(tags) {
                form = form
                    .with(format!("{spec}.Tag.{at}.Key"), key)
                    .with(format!("{spec}.Tag.{at}.Value"), value);
            }
        }
        Ok(form)
    }

    fn unreadable(&self, action: &'static str) -> impl Fn(String) -> VmError {
        let endpoint = self.api.endpoint.clone();
        move |why| VmError::Unreadable {
            action,
            endpoint: endpoint.clone(),
            why,
        }
    }

    fn placed(&self, mut instance: Instance) -> Instance {
        if let Some(place) = self.places.find(&instance.id) {
            instance.address = Some(place.host);
            instance.ssh_port = place.port;
        }
        instance
    }
}

impl VmProvider for Ec2 {
    async fn create(&self, purpose: Purpose, tag: VmId) -> Result<Instance, VmError> {
        const ACTION: &str = "RunInstances";
        let form = self.run_form(purpose, tag).await?;
        let answer = self.api.call(ACTION, &form).await?;
        let bad = self.unreadable(ACTION);
        let (found, _) = answers::instances(&answer, self.public).map_err(&bad)?;
        let first = found.into_iter().next();
        let first = first.ok_or_else(|| bad("names no instance".to_owned()))?;
        Ok(self.placed(first))
    }

    async fn describe_all(&self) -> Result<Vec<Instance>, VmError> {
        const ACTION: &str = "DescribeInstances";
        let base = Form::default()
            .filter(1, &format!("tag:{TAG_DATA}"), &self.data_id)
            .with("MaxResults", PAGE);
        let bad = self.unreadable(ACTION);
        let (mut all, mut form) = (Vec::new(), base.clone());
        for _ in 0..PAGES_MAX {
            let answer = self.api.call(ACTION, &form).await?;
            let (found, next) = answers::instances(&answer, self.public).map_err(&bad)?;
            all.extend(found.into_iter().map(|one| self.placed(one)));
            if next.is_empty() {
                return Ok(all);
            }
            form = base.clone().with("NextToken", next);
        }
        Err(bad(format!("has more than {PAGES_MAX} pages")))
    }

    async fn destroy(&self, instance: &str) -> Result<(), VmError> {
        let form = Form::default().with("InstanceId.1", instance);
        match self.api.call("TerminateInstances", &form).await {
            Ok(_) => Ok(()),
            Err(VmError::Refused { code, .. }) if code == "InvalidInstanceID.NotFound" => Ok(()),
            Err(err) => Err(err),
        }
    }
}

/// The questions of the test of the settings.
impl Ec2 {
    /// Key id of the credentials that are used.
    pub(super) async fn who(&self) -> Result<String, VmError> {
        let credentials = self.api.identity.credentials(&self.api.http).await?;
        Ok(credentials.access_key_id().to_owned())
    }

    /// Asks for the zones of the region, which needs credentials that are right and little else.
    pub(super) async fn zones(&self) -> Result<usize, VmError> {
        const ACTION: &str = "DescribeAvailabilityZones";
        let answer = self.api.call(ACTION, &Form::default()).await?;
        let document = xml::read(&answer).map_err(self.unreadable(ACTION))?;
        Ok(xml::items(document.root_element(), "availabilityZoneInfo").count())
    }

    /// The subnet of the settings.
    pub(super) async fn subnet(&self) -> Result<Option<Subnet>, VmError> {
        const ACTION: &str = "DescribeSubnets";
        let form = Form::default().with("SubnetId.1", &self.subnet);
        let answer = self.api.call(ACTION, &form).await?;
        answers::subnet(&answer).map_err(self.unreadable(ACTION))
    }

    /// The security group of the settings.
    pub(super) async fn security_group(&self) -> Result<Option<SecurityGroup>, VmError> {
        const ACTION: &str = "DescribeSecurityGroups";
        let form = Form::default().with("GroupId.1", &self.group);
        let answer = self.api.call(ACTION, &form).await?;
        answers::security_group(&answer).map_err(self.unreadable(ACTION))
    }

    /// The image of the settings.
    pub(super) async fn custom_image(&self) -> Result<Option<Image>, VmError> {
        const ACTION: &str = "DescribeImages";
        let form = Form::default().with("ImageId.1", &self.image);
        let answer = self.api.call(ACTION, &form).await?;
        let found = answers::images(&answer).map_err(self.unreadable(ACTION))?;
        Ok(found.into_iter().find(|image| image.id == self.image))
    }

    /// The newest of the image that is used where none is set.
    pub(super) async fn usual_image(&self) -> Result<Option<Image>, VmError> {
        const ACTION: &str = "DescribeImages";
        let form = Form::default()
            .with("Owner.1", IMAGE_OWNER)
            .filter(1, "name", IMAGE_NAME)
            .filter(2, "state", "available");
        let answer = self.api.call(ACTION, &form).await?;
        let found = answers::images(&answer).map_err(self.unreadable(ACTION))?;
        Ok(found
            .into_iter()
            .max_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name))))
    }

    /// Architectures of the instance type of the settings.
    pub(super) async fn architectures(&self) -> Result<Option<Vec<String>>, VmError> {
        const ACTION: &str = "DescribeInstanceTypes";
        let form = Form::default().with("InstanceType.1", &self.kind);
        let answer = self.api.call(ACTION, &form).await?;
        answers::architectures(&answer).map_err(self.unreadable(ACTION))
    }

    /// Whether an instance would be started now, without starting one.
    pub(super) async fn rehearse(&self) -> Result<(), VmError> {
        let form = self.run_form(Purpose::Machine, VmId::fresh()).await?;
        let form = form.with("DryRun", "true");
        match self.api.call("RunInstances", &form).await {
            Ok(_) => Ok(()),
            Err(VmError::Refused { code, .. }) if code == "DryRunOperation" => Ok(()),
            Err(err) => Err(err),
        }
    }

    /// Where it is asked.
    pub(super) fn endpoint(&self) -> &str {
        &self.api.endpoint
    }
}

/// The address of EC2 in a region.
fn endpoint(region: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://ec2.{region}.{domain}")
}

/// The setting that a refusal is about, by EC2's word for it.
pub(super) fn field_of(code: &str, message: &str) -> Option<&'static str> {
    let begins = |words: &[&str]| words.iter().any(|word| code.starts_with(word));
    let says = |word: &str| message.to_ascii_lowercase().contains(word);
    Some(if begins(&["InvalidSubnet"]) {
        "vm.subnet_id"
    } else if begins(&["InvalidGroup", "InvalidSecurityGroup"]) {
        "vm.security_group_id"
    } else if begins(&["InvalidAMI"]) {
        "vm.custom_ami"
    } else if begins(&["InvalidInstanceType", "Unsupported"]) || says("instance type") {
        "vm.instance_type"
    } else if code == "SignatureDoesNotMatch" {
        "vm.secret_access_key"
    } else if begins(&[
        "AuthFailure",
        "InvalidClientTokenId",
        "UnrecognizedClient",
        "OptInRequired",
    ]) {
        "vm.access_key_id"
    } else if begins(&[
        "UnauthorizedOperation",
        "AccessDenied",
        "ExpiredToken",
        "RequestExpired",
    ]) {
        "vm.auth_type"
    } else {
        return None;
    })
}

/// What sort of failure a refusal is.
pub(super) fn kind_of(code: &str) -> Kind {
    if code.ends_with(".NotFound") || code == "InvalidInstanceType" {
        return Kind::NotFound;
    }
    match field_of(code, "") {
        Some("vm.secret_access_key" | "vm.access_key_id" | "vm.auth_type") => Kind::Refused,
        _ => Kind::Infrastructure,
    }
}

/// What to do about a refusal.
pub(super) fn fix_of(code: &str, message: &str) -> String {
    let text = match field_of(code, message) {
        Some("vm.subnet_id") => {
            "take the id from the VPC page of the AWS console, of the same region"
        }
        Some("vm.security_group_id") => {
            "take the id from the EC2 page of the AWS console, of the same region"
        }
        Some("vm.custom_ami") => {
            "take an image of the same region that the account may use, or leave it empty"
        }
        Some("vm.instance_type") => "choose a type that this region and zone offer",
        Some("vm.secret_access_key") => {
            "the secret belongs to another key: give both anew; and look at this machine's clock"
        }
        Some("vm.access_key_id") => "make a key for the user in IAM, and give it with its secret",
        Some("vm.auth_type") => {
            "let the user or profile do ec2:RunInstances, ec2:TerminateInstances, ec2:CreateTags and ec2:Describe*"
        }
        _ => "EC2's own words say what it is",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_setting_and_its_kind() {
        let cases = [
            (
                "InvalidSubnetID.NotFound",
                "",
                Some("vm.subnet_id"),
                Kind::NotFound,
            ),
            (
                "InvalidGroup.NotFound",
                "",
                Some("vm.security_group_id"),
                Kind::NotFound,
            ),
            (
                "InvalidGroupId.Malformed",
                "",
                Some("vm.security_group_id"),
                Kind::Infrastructure,
            ),
            (
                "InvalidAMIID.NotFound",
                "",
                Some("vm.custom_ami"),
                Kind::NotFound,
            ),
            (
                "Unsupported",
                "",
                Some("vm.instance_type"),
                Kind::Infrastructure,
            ),
            (
                "InvalidParameterValue",
                "Invalid instance type: x",
                Some("vm.instance_type"),
                Kind::Infrastructure,
            ),
            (
                "SignatureDoesNotMatch",
                "",
                Some("vm.secret_access_key"),
                Kind::Refused,
            ),
            ("AuthFailure", "", Some("vm.access_key_id"), Kind::Refused),
            (
                "UnauthorizedOperation",
                "",
                Some("vm.auth_type"),
                Kind::Refused,
            ),
            ("Strange", "", None, Kind::Infrastructure),
        ];
        for (code, message, field, kind) in cases {
            assert_eq!(field_of(code, message), field, "{code}");
            assert_eq!(kind_of(code), kind, "{code}");
            assert!(!fix_of(code, message).is_empty());
        }
    }

    #[test]
    fn each_region_has_its_address() {
        assert_eq!(
            endpoint("eu-central-1"),
            "https://ec2.eu-central-1.amazonaws.com"
        );
        assert_eq!(
            endpoint("cn-north-1"),
            "https://ec2.cn-north-1.amazonaws.com.cn"
        );
    }
}
