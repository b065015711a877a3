//! The test of a directory, step by step: each failure names its own fix and the setting at fault.
//!
//! It goes the way that a sign-in goes, and says at each step what it saw.

use ldap3::Scope;

use super::certificate::shown;
use super::error::DirectoryError;
use super::people::{self, Candidate};
use super::session::{Question, Session};
use super::{Directory, Encryption, Who, groups, link};
use crate::error::{Chain, Explain, Kind};
use crate::sanitise::line;
use crate::secret::Secret;
use crate::services::trial::{Ask, Trial};
use crate::settings::check;
use crate::settings::rules::is_below;
use crate::settings::value::{Value, Values};

/// Most groups that are told by name.
const SHOWN_MAX: usize = 20;

const SETTINGS: &str = "settings";
const RESOLVE: &str = "resolve";
const CONNECT: &str = "connect";
const TLS: &str = "TLS";
const SEARCH_BIND: &str = "search bind";
const BASE: &str = "base";
const USER: &str = "user";
const ONE: &str = "one user only";
const USER_BIND: &str = "user bind";
const GROUPS: &str = "groups";

/// Puts the directory of some settings to the test. The words `user` and `password` say who signs in; without a user the
/// test ends with the entries that the settings name.
pub async fn test(ask: &Ask, trial: &mut Trial) {
    // What went wrong has been told; nothing that comes after it can be tried.
    let _ = all(ask, trial).await;
}

/// A step has failed, and has said so.
struct Over;

async fn all(ask: &Ask, trial: &mut Trial) -> Result<(), Over> {
    let values = ask.values.clone();
    settings(&values, trial).await?;
    let made = tokio::task::spawn_blocking(move || Directory::new(&values)).await;
    let dir = match made {
        Ok(made) => told(trial, SETTINGS, made).await?,
        // A panic has been told by its own hook.
        Err(_) => return Err(Over),
    };
    let mut session = reach(&dir, trial).await?;
    told(trial, SEARCH_BIND, dir.sign_on(&mut session).await).await?;
    trial
        .ok(SEARCH_BIND, format!("as {}", line(&dir.search_user)))
        .await;
    base(&dir, &ask.values, &mut session, trial).await?;
    let Some(name) = ask.word("user") else {
        let fix = "name one: `roundel ldap test --user NAME`";
        trial
            .warning(
                USER,
                None,
                "no user was named, and nobody was looked up",
                fix,
            )
            .await;
        return Ok(());
    };
    let one = user(&dir, name, &mut session, trial).await?;
    user_bind(&dir, &one, ask.words.get("password"), trial).await?;
    member_of(&dir, &one, &mut session, trial).await
}

/// What went well, or tells the failure.
async fn told<T>(
    trial: &mut Trial,
    step: &str,
    result: Result<T, DirectoryError>,
) -> Result<T, Over> {
    match result {
        Ok(value) => Ok(value),
        Err(err) => {
            let fix = err.hint().unwrap_or_default();
            let found = Chain(&err).to_string();
            trial
                .failed(step, err.kind(), err.setting(), found, fix)
                .await;
            Err(Over)
        }
    }
}

/// What the one look at values has against those of the directory. Off, it is looked at as if it were on.
async fn settings(values: &Values, trial: &mut Trial) -> Result<(), Over> {
    let mut values = values.clone();
    values.set("ldap.enabled", Value::Switch(true));
    let wrong = check::check(&values).into_iter().filter(|finding| {
        finding.group == "ldap"
            && finding.is_error()
            // That one is said where the entry is looked for.
            && finding.key != "ldap.user_search_dn"
            && finding.key != "ldap.enabled"
    });
    let mut result = Ok(());
    for finding in wrong {
        let found = format!("`{}` {}", finding.key, finding.message);
        let fix = finding.fix.unwrap_or_else(|| "set it".to_owned());
        trial
            .failed(SETTINGS, Kind::Usage, Some(&finding.key), found, fix)
            .await;
        result = Err(Over);
    }
    result
}

/// Name, connection, encryption.
async fn reach(dir: &Directory, trial: &mut Trial) -> Result<Session, Over> {
    let at = &dir.at;
    let addresses = told(trial, RESOLVE, link::resolve(at, dir.limit).await).await?;
    let all: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
    trial
        .ok(RESOLVE, format!("{} is {}", line(&at.host), all.join(", ")))
        .await;
    let connected = link::connect(at, &addresses, dir.limit).await;
    let stream = told(trial, CONNECT, connected).await?;
    let peer = match stream.peer_addr() {
        Ok(address) => address.to_string(),
        Err(_) => at.to_string(),
    };
    trial.ok(CONNECT, format!("to {peer}")).await;
    let secured = link::secure(at, stream, dir.verifier.clone(), dir.limit).await;
    let link = told(trial, TLS, secured).await?;
    match &link.tls {
        Some((version, chain)) => {
            let how = match at.encryption {
                Encryption::StartTls => "by StartTLS",
                _ => "from the first byte",
            };
            let chain = shown(chain).replace("; [", "\n[");
            trial.ok(TLS, format!("{version} {how}\n{chain}")).await;
        }
        None => {
            let found = "none: passwords go over the network as they are";
            trial
                .warning(TLS, Some("ldap.encryption"), found, "use StartTLS or LDAPS")
                .await;
        }
    }
    told(trial, CONNECT, Session::over(at, link, dir.limit).await).await
}

/// The entries that the settings name are there.
async fn base(
    dir: &Directory,
    values: &Values,
    session: &mut Session,
    trial: &mut Trial,
) -> Result<(), Over> {
    const PEOPLE: &str = "ldap.user_search_dn";
    let relative = values.text(PEOPLE);
    if !relative.is_empty() && is_below(&relative, &dir.base) {
        let err = super::error::setting(
            PEOPLE,
            "ends with the base DN, and is taken as relative to it",
            "leave only what is below the base, as `ou=people`",
        );
        return told(trial, BASE, Err(err)).await;
    }
    for (dn, key) in [(&dir.base, "ldap.base_dn"), (&dir.people, PEOPLE)] {
        let question = Question {
            base: dn,
            scope: Scope::Base,
            filter: "(objectClass=*)".to_owned(),
            // No attribute (RFC 4511 §4.5.1.8): that it is there is enough.
            attributes: vec!["1.1"],
            most: 1,
        };
        let looked = match session.search(question).await {
            Ok(found) if found.entries.is_empty() && !found.referrals.is_empty() => {
                elsewhere(dir, found.referrals, key)
            }
            Ok(found) if found.entries.is_empty() => Err(super::error::setting(
                key,
                "names an entry that the search user may not see",
                "let the search user see it",
            )),
            Ok(_) => Ok(()),
            Err(err) => Err(err.at_entry(dn, key)),
        };
        told(trial, BASE, looked).await?;
    }
    let found = format!("{} is there", line(&dir.people));
    trial.ok(BASE, found).await;
    Ok(())
}

/// An entry that other servers have: followed only when that is allowed.
fn elsewhere(
    dir: &Directory,
    servers: Vec<String>,
    key: &'static str,
) -> Result<(), DirectoryError> {
    if dir.follows && key != "ldap.base_dn" {
        return Ok(());
    }
    let why = if key == "ldap.base_dn" {
        "correct the base DN: this server has another one, or name the server that has it"
    } else {
        people::ELSEWHERE
    };
    Err(DirectoryError::Referral {
        servers,
        why: why.to_owned(),
    })
}

/// The person that a name means, and nobody else.
async fn user(
    dir: &Directory,
    name: &str,
    session: &mut Session,
    trial: &mut Trial,
) -> Result<Candidate, Over> {
    let looked = people::find(dir, session, Who::Name(name)).await;
    let found = told(trial, USER, looked).await?;
    let skipped = found.skipped.len();
    let Some(first) = found.all.first() else {
        let nobody = found.one(name, &dir.people);
        return told(trial, USER, nobody).await;
    };
    let email = match (&dir.email_field, &first.email) {
        (_, Some(email)) => format!(", {}", line(email)),
        (Some(field), None) => format!(", without `{field}`"),
        (None, None) => String::new(),
    };
    trial.ok(USER, format!("{}{email}", line(&first.dn))).await;
    let one = told(trial, ONE, found.one(name, &dir.people)).await?;
    if skipped > 0 {
        let found = "nobody else here; the directory named other servers, which were not asked";
        let fix = "nothing, where people are on this server alone";
        trial.warning(ONE, Some("ldap.referrals"), found, fix).await;
    } else {
        trial
            .ok(ONE, format!("nobody else is called {}", line(name)))
            .await;
    }
    Ok(one)
}

/// The person's own password opens.
async fn user_bind(
    dir: &Directory,
    one: &Candidate,
    password: Option<&Secret>,
    trial: &mut Trial,
) -> Result<(), Over> {
    let Some(password) = password else {
        let fix = "give it: `roundel ldap test --user NAME --password-file FILE`";
        trial
            .warning(
                USER_BIND,
                None,
                "no password was given, and none was tried",
                fix,
            )
            .await;
        return Ok(());
    };
    let proved = if password.expose().is_empty() {
        Err(DirectoryError::EmptyPassword)
    } else {
        people::prove(dir, one, password).await
    };
    told(trial, USER_BIND, proved).await?;
    trial.ok(USER_BIND, format!("as {}", line(&one.dn))).await;
    Ok(())
}

/// What the person is a member of.
async fn member_of(
    dir: &Directory,
    one: &Candidate,
    session: &mut Session,
    trial: &mut Trial,
) -> Result<(), Over> {
    let groups = told(trial, GROUPS, groups::of(dir, session, one).await).await?;
    let names: Vec<_> = groups
        .found
        .iter()
        .take(SHOWN_MAX)
        .map(|group| line(&group.name))
        .collect();
    let mut found = match groups.found.len() {
        0 => format!(
            "none: no {} has this person as {}",
            dir.group_class, dir.member_field
        ),
        count if count > SHOWN_MAX => {
            format!("{}, and {} more", names.join(", "), count - SHOWN_MAX)
        }
        _ => names.join(", "),
    };
    if let Some(cycle) = &groups.cycle {
        let round: Vec<_> = cycle.iter().map(|name| line(name)).collect();
        found.push_str(&format!(
            "\ngroups contain one another: {}; each counts once",
            round.join(" in ")
        ));
        let fix = "take one of these memberships out of the directory";
        trial.warning(GROUPS, None, found, fix).await;
    } else if let Some(why) = &groups.slow {
        found.push_str(&format!("\n{why}, and groups were asked one by one"));
        let fix = "choose to walk: `ldap.nested_groups` as `walk`";
        let field = Some("ldap.nested_groups");
        trial.warning(GROUPS, field, found, fix).await;
    } else if let Some(cut) = &groups.cut {
        found.push_str(&format!("\n{cut}"));
        let fix = "choose a narrower base DN, or groups that are less deep";
        trial
            .warning(GROUPS, Some("ldap.base_dn"), found, fix)
            .await;
    } else if groups.found.is_empty() {
        let fix = "correct the fields, where there should be some; without groups a person gets no role from one";
        let field = Some("ldap.group_membership_field");
        trial.warning(GROUPS, field, found, fix).await;
    } else {
        trial.ok(GROUPS, found).await;
    }
    Ok(())
}
