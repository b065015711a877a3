//! Who asks EC2: a key with its secret from the settings, or the profile of this machine from the instance metadata
//! (IMDSv2).
//!
//! Of the profile the metadata service is asked directly; its credentials are kept until shortly before they end. The
//! crate aws-config can do this too, and brings a second HTTP stack and the client of STS with it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use serde::Deserialize;

use super::super::VmError;
use crate::clock::{self, Timestamp};
use crate::error::Chain;

/// Time for each answer: the metadata service is on the same host, and elsewhere nobody answers at all.
const PATIENCE: Duration = Duration::from_secs(3);

/// Life of the metadata service's own token, in seconds: six hours, its longest.
const TOKEN_S: &str = "21600";

/// Credentials are renewed this long before they end.
const EARLY: Duration = Duration::from_secs(300);

/// Longest answer of the metadata service that is taken.
const ANSWER_MAX: usize = 16 * 1024;

/// Where credentials come from.
#[derive(Debug)]
pub(super) enum Identity {
    /// The settings.
    User(Credentials),
    /// The metadata service at this address.
    Profile {
        base: String,
        known: Mutex<Option<(Credentials, Timestamp)>>,
    },
}

impl Identity {
    /// A key with its secret.
    pub(super) fn user(id: &str, secret: &str) -> Self {
        Self::User(Credentials::new(id, secret, None, None, "roundel"))
    }

    /// The profile of this machine.
    pub(super) fn profile(base: &str) -> Self {
        Self::Profile {
            base: base.trim_end_matches('/').to_owned(),
            known: Mutex::default(),
        }
    }

    /// Credentials that hold now.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn credentials(&self, http: &reqwest::Client) -> Result<Credentials, VmError> {
        let (base, known) = match self {
            Identity::User(credentials) => return Ok(credentials.clone()),
            Identity::Profile { base, known } => (base, known),
        };
        let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((credentials, end)) = &*lock()
            && clock::now().plus(EARLY) < *end
        {
            return Ok(credentials.clone());
        }
        let fresh = fetch(base, http)
            .await
            .map_err(|why| VmError::Credentials {
                why,
                key: "vm.auth_type",
            })?;
        *lock() = Some(fresh.clone());
        Ok(fresh.0)
    }
}

/// What the metadata service says of a profile.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    code: String,
    #[serde(default)]
    access_key_id: String,
    #[serde(default)]
    secret_access_key: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    expiration: String,
}

async fn fetch(base: &str, http: &reqwest::Client) -> Result<(Credentials, Timestamp), String> {
    let token = ask(http
        .put(format!("{base}/latest/api/token"))
        .header("X-aws-ec2-metadata-token-ttl-seconds", TOKEN_S))
    .await
    .map_err(|why| {
        format!("the metadata service at {base} does not answer, which is only on EC2 ({why})")
    })?;
    let from = format!("{base}/latest/meta-data/iam/security-credentials/");
    let get = |url: String| ask(http.get(url).header("X-aws-ec2-metadata-token", &token));
    let role = get(from.clone()).await.map_err(|why| {
        format!("this machine has no instance profile ({why}): attach one in the AWS console")
    })?;
    let role = role.lines().next().unwrap_or_default().trim();
    let text = get(format!("{from}{role}")).await?;
    let answer: Answer = serde_json::from_str(&text)
        .map_err(|_| format!("the metadata service says no JSON of the profile {role}"))?;
    if answer.access_key_id.is_empty() || answer.secret_access_key.is_empty() {
        return Err(format!(
            "the metadata service gives none for the profile {role} ({})",
            answer.code
        ));
    }
    // Without an end that can be read they are asked for anew each time.
    let end = Timestamp::parse(&answer.expiration).unwrap_or_default();
    let token = Some(answer.token).filter(|token| !token.is_empty());
    let credentials = Credentials::new(
        answer.access_key_id,
        answer.secret_access_key,
        token,
        None,
        "roundel",
    );
    Ok((credentials, end))
}

async fn ask(request: reqwest::RequestBuilder) -> Result<String, String> {
    let answer = request.timeout(PATIENCE).send().await;
    let answer = answer.map_err(|err| Chain(&err.without_url()).to_string())?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("status {}", status.as_u16()));
    }
    let bytes = super::query::body(answer, ANSWER_MAX).await?;
    String::from_utf8(bytes).map_err(|_| "the answer is no text".to_owned())
}
