//! One call of the Query API: its form, signed (Signature Version 4), sent, tried again while EC2 is busy, and its answer.
//!
//! Every call here may be made again: those that read, `TerminateInstances`, and `RunInstances` by its `ClientToken`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use super::super::VmError;
use super::credentials::Identity;
use super::xml;
use crate::clock;
use crate::sanitise;

/// The version of the interface that is spoken.
const VERSION: &str = "2016-11-15";

/// Time for one try. An answer to the slowest call, a long list, takes seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tries of a call that EC2 is too busy for, or that breaks off: with the waits between them about ten seconds.
const TRIES: u32 = 5;

/// Longest wait before the second try; it doubles. What is waited is any part of it, so that many do not come at once.
const WAIT: Duration = Duration::from_millis(400);

/// Longest answer that is taken: a thousand instances have 5 MB.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// Longest message of EC2 that is kept.
const MESSAGE_MAX: usize = 400;

/// What is EC2's word for having no room.
const NO_ROOM: &[&str] = &[
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientAddressCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InstanceLimitExceeded",
    "VcpuLimitExceeded",
    "MaxSpotInstanceCountExceeded",
];

/// What is EC2's word for "later".
const LATER: &[&str] = &[
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "RequestThrottled",
    "Unavailable",
    "ServiceUnavailable",
    "InternalError",
    "InternalFailure",
    "RequestTimeout",
];

/// The parameters of a call, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// A parameter more.
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The n-th filter of a list.
    pub(super) fn filter(self, n: usize, name: &str, value: &str) -> Self {
        self.with(format!("Filter.{n}.Name"), name)
            .with(format!("Filter.{n}.Value.1"), value)
    }

    fn body(&self, action: &str) -> String {
        let head = [("Action", action), ("Version", VERSION)];
        let rest = self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let all: Vec<_> = head.into_iter().chain(rest).collect();
        serde_urlencoded::to_string(all).expect("a list of texts is a form")
    }
}

/// The way to EC2 of one region.
#[derive(Debug)]
pub(super) struct Api {
    pub http: reqwest::Client,
    pub endpoint: String,
    pub region: String,
    pub identity: Identity,
}

impl Api {
    /// Asks, and answers the document.
    ///
    /// # Errors
    /// What EC2 has against it, or why there was no answer.
    pub(super) async fn call(&self, action: &'static str, form: &Form) -> Result<String, VmError> {
        let body = form.body(action);
        let mut tries = 1;
        loop {
            let failed = match self.once(action, &body, tries).await {
                Ok(text) => return Ok(text),
                Err(err) => err,
            };
            let again = matches!(failed, VmError::Busy { .. } | VmError::Unreachable { .. });
            if !again || tries == TRIES {
                return Err(failed);
            }
            tracing::debug!(action, tries, error = %crate::error::Chain(&failed), "tried again");
            tokio::time::sleep(part_of(WAIT * 2u32.pow(tries - 1))).await;
            tries += 1;
        }
    }

    async fn once(&self, action: &'static str, body: &str, tries: u32) -> Result<String, VmError> {
        const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
        let unreadable = |why: String| VmError::Unreadable {
            action,
            endpoint: self.endpoint.clone(),
            why,
        };
        let credentials = self.identity.credentials(&self.http).await?;
        let url = format!("{}/", self.endpoint);
        let signed = signature(&credentials, &self.region, &url, FORM, body.as_bytes());
        let signed = signed.map_err(unreadable)?;
        let mut request = self
            .http
            .post(&url)
            .timeout(PATIENCE)
            .header(reqwest::header::CONTENT_TYPE, FORM)
            .body(body.to_owned());
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let unreachable = |source: Box<dyn std::error::Error + Send + Sync>| VmError::Unreachable {
            action,
            endpoint: self.endpoint.clone(),
            source,
        };
        let answer = request.send().await;
        let answer = answer.map_err(|err| unreachable(Box::new(err.without_url())))?;
        let status = answer.status();
        let bytes = self::body(answer, ANSWER_MAX)
            .await
            .map_err(|why| unreachable(why.into()))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("is no text".to_owned()))?;
        if status.is_success() {
            return Ok(text);
        }
        let (code, message) = match said(&text) {
            Some(said) => said,
            // A proxy or a balancer between here and EC2 that is busy says so in a page of its own.
            None if status.is_server_error() => ("Unavailable".to_owned(), status.to_string()),
            None => return Err(unreadable(format!("has status {}", status.as_u16()))),
        };
        Err(if NO_ROOM.contains(&code.as_str()) {
            VmError::Capacity { code, message }
        } else if LATER.contains(&code.as_str()) || status.as_u16() == 503 {
            VmError::Busy {
                action,
                code,
                message,
                tries,
            }
        } else {
            VmError::Refused {
                action,
                code,
                message,
            }
        })
    }
}

/// Reads a body up to `most` bytes.
pub(super) async fn body(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|err| crate::error::Chain(&err.without_url()).to_string())?
    {
        if bytes.len() + chunk.len() > most {
            return Err(format!("the answer is longer than {most} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Code and message of an answer that is none.
fn said(text: &str) -> Option<(String, String)> {
    let document = xml::read(text).ok()?;
    let root = document.root_element();
    let error = xml::at(root, "Errors/Error").or_else(|| xml::at(root, "Error"))?;
    let clean = |text: &str| {
        sanitise::line(text)
            .chars()
            .take(MESSAGE_MAX)
            .collect::<String>()
    };
    Some((
        clean(xml::text(error, "Code")),
        clean(xml::text(error, "Message")),
    ))
}

/// The headers that sign a call.
fn signature(
    credentials: &Credentials,
    region: &str,
    url: &str,
    content_type: &str,
    body: &[u8],
) -> Result<Vec<(String, String)>, String> {
    let identity = credentials.clone().into();
    let millis = u64::try_from(clock::now().0).unwrap_or_default();
    let now: SystemTime = UNIX_EPOCH + Duration::from_millis(millis);
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("ec2")
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|err| format!("cannot be asked for: {err}"))?
        .into();
    let headers = [("content-type", content_type)];
    let request = SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(body))
        .map_err(|err| format!("cannot be asked for: {err}"))?;
    let (instructions, _) = sign(request, &params)
        .map_err(|err| format!("cannot be asked for: {err}"))?
        .into_parts();
    let headers = instructions.headers();
    Ok(headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// Any part of a span, the end included.
pub(super) fn part_of(span: Duration) -> Duration {
    let most = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    // The random half of a UUID is as good as any other randomness.
    let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
    Duration::from_millis(random % most.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_form() {
        let form = Form::default()
            .filter(1, "tag:roundel.data", "a b")
            .with("MaxResults", "5");
        assert_eq!(
            form.body("DescribeInstances"),
            "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aroundel.data&Filter.1.Value.1=a+b&MaxResults=5"
        );
    }

    #[test]
    fn what_ec2_says_is_found_and_made_inert() {
        let text = "<Response><Errors><Error><Code>InvalidSubnetID.NotFound</Code><Message>no\u{9b}pe</Message></Error></Errors></Response>";
        let (code, message) = said(text).unwrap();
        assert_eq!(code, "InvalidSubnetID.NotFound");
        assert!(!message.contains('\u{9b}'));
        assert_eq!(said("<html></html>"), None);
        assert_eq!(said("busy"), None);
    }

    #[test]
    fn waits_differ_and_are_bounded() {
        let waits: Vec<Duration> = (0..50)
            .map(|_| part_of(Duration::from_millis(400)))
            .collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(400)));
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }

    #[test]
    fn a_call_is_signed_for_its_region() {
        let credentials = Credentials::new("AKIDEXAMPLE0000", "secret", None, None, "test");
        let signed = signature(
            &credentials,
            "eu-central-1",
            "https://ec2.example.com/",
            "text/plain",
            b"Action=X",
        )
        .unwrap();
        let of = |name: &str| &signed.iter().find(|(n, _)| n == name).unwrap().1;
        let authorization = of("authorization");
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE0000/"));
        assert!(authorization.contains("/eu-central-1/ec2/aws4_request"));
        assert!(authorization.contains("SignedHeaders=content-type;host;x-amz-date"));
        assert!(!authorization.contains("secret"));
        assert_eq!(of("x-amz-date").len(), 16);
    }
}
