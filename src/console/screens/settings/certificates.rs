//! Certificates for a form: what a host shows, trusted one by one once somebody says so, and one that signs itself. What
//! comes of it stands in the fields as if it had been typed: staged when the form is left, saved after the review.

use roundel::api::certificates::{Fetched, FetchedChain, Shown};
use roundel::clock::Timestamp;
use roundel::secret::Secret;
use roundel::services::ca;
use roundel::settings::value::Values;

use super::{Settings, model};
use crate::console::action::SelfSigned;
use crate::console::effect::Effect;
use crate::console::event::Failure;
use crate::console::keymap::Cmd;
use crate::console::overlays::{Button, Dialog, Overlay, Prompt, Purpose};
use crate::console::shell::Shell;
use crate::console::theme::Role;

/// Names of a certificate that are told.
const NAMES: usize = 3;

/// Digits of a fingerprint in a row: people compare it half by half.
const DIGITS: usize = 32;

impl Settings {
    /// What can be done in this form and in no other.
    pub(super) fn own_command(&self) -> Option<(Cmd, &'static str)> {
        match self.form.group?.name {
            "ca" => Some((
                Cmd::FetchChain,
                "fetch the certificates of a host, to trust one",
            )),
            "privacy" => Some((Cmd::SelfSign, "make a certificate that signs itself")),
            _ => None,
        }
    }

    /// Asks whose certificates are to be fetched: those of GitHub Enterprise, where its domain is set.
    pub(super) fn ask_host(&self, shell: &Shell) -> Vec<Effect> {
        self.ask_for_own(Cmd::FetchChain, "Custom CAs", shell, |values| {
            let enterprise = values.text("ghe_type") == "github_type_enterprise";
            let host = enterprise.then(|| values.text("ghe_domain"));
            Prompt::new(Purpose::Host, &host.unwrap_or_default())
        })
    }

    /// Asks for whom a certificate is to be made.
    pub(super) fn ask_names(&self, shell: &Shell) -> Vec<Effect> {
        self.ask_for_own(Cmd::SelfSign, "Privacy", shell, |values| {
            Prompt::new(Purpose::Names, &values.text("hostname"))
        })
    }

    fn ask_for_own(
        &self,
        cmd: Cmd,
        title: &str,
        shell: &Shell,
        prompt: impl FnOnce(&Values) -> Prompt,
    ) -> Vec<Effect> {
        if self.own_command().is_none_or(|(own, _)| own != cmd) {
            return Effect::refuse(format!("this is done in the form {title}"));
        }
        if let Some(why) = self.protected(shell) {
            return Effect::refuse(format!("cannot change it: {why}"));
        }
        let prompt = self.proposal().map(|proposal| prompt(&proposal.values));
        let prompt = prompt.map(|prompt| Effect::Open(Overlay::Prompt(prompt)));
        prompt.into_iter().collect()
    }

    /// Shows what a host shows, and asks whom of it to trust.
    pub fn fetched(
        &self,
        place: &str,
        chain: Result<FetchedChain, Failure>,
        now: Timestamp,
    ) -> Vec<Effect> {
        let dialog = match chain {
            Ok(chain) => shown(place, &chain, 0, now),
            Err(failure) => failed(format!("Nothing is fetched from {place}"), failure),
        };
        vec![Effect::Open(Overlay::Dialog(dialog))]
    }

    /// Shows a certificate that was made, and asks whether it is to be taken.
    pub fn made(&self, made: Result<SelfSigned, Failure>, now: Timestamp) -> Vec<Effect> {
        let made = match made {
            Ok(made) => made,
            Err(failure) => {
                let dialog = failed("No certificate is made".to_owned(), failure);
                return vec![Effect::Open(Overlay::Dialog(dialog))];
            }
        };
        let proposal = self.proposal();
        let on = proposal.is_some_and(|one| one.values.on("privacy.ssl_only"));
        let mut takes = "It and its key take the place of what stands in the form.".to_owned();
        let mut effects = Vec::new();
        let mut fill = |key: &str, text: Secret| effects.push(Effect::Fill(key.to_owned(), text));
        if !on {
            takes.push_str(" SSL only is turned on with them.");
            fill("privacy.ssl_only", Secret::new("true".to_owned()));
        }
        fill("ssl_cert", Secret::new(made.certificate));
        fill("ssl_private_key", made.key);
        let said = "certificate and key are in the form, not saved".to_owned();
        effects.push(Effect::Say(Role::Accent, said));
        let takes = format!("{takes} Browsers warn of it, for nobody else has signed it.");
        let mut body = facts(&made.shown, now);
        body.extend([String::new(), takes]);
        let buttons = vec![Button::new("Take it", false, effects)];
        let dialog = Dialog::new("A certificate that signs itself", body, buttons);
        vec![Effect::Open(Overlay::Dialog(dialog))]
    }

    /// Adds a text to what a setting of the form has, as if it had been typed below it.
    pub fn join(&mut self, key: &str, text: &Secret) -> Vec<Effect> {
        let Some((field, _)) = self.field(key) else {
            return Vec::new();
        };
        let Some(data) = self.feed.data() else {
            return Vec::new();
        };
        let mut whole = model::text_of(data, &self.edits, key);
        let label = field.label;
        if whole.contains(text.expose().trim_end()) {
            return vec![Effect::Say(Role::Accent, format!("{label}: it is there"))];
        }
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        whole.push_str(text.expose());
        let what = model::summary(field.entry.kind, &whole);
        self.fill(key, &Secret::new(whole));
        let said = format!("{label}: {what}, not saved");
        vec![Effect::Say(Role::Accent, said)]
    }
}

/// The certificate with this index, and the question whether it is to be trusted; from there on to the next one.
fn shown(place: &str, chain: &FetchedChain, at: usize, now: Timestamp) -> Dialog {
    let all = &chain.certificates;
    let Some(Fetched { shown: one, pem }) = all.get(at) else {
        return Dialog::new(
            format!("{place} shows no certificate"),
            Vec::new(),
            Vec::new(),
        );
    };
    let says = if one.authority || one.self_signed {
        "Compare the SHA-256 with what its administrator says, by another way than this network."
            .to_owned()
    } else if at + 1 < all.len() {
        "It is no authority's. The next one is of who signed it.".to_owned()
    } else {
        let issuer = &one.issuer;
        format!(
            "It is no authority's. The certificate of `{issuer}` is not shown: get it from who runs that."
        )
    };
    let mut body = facts(one, now);
    body.extend([String::new(), says]);
    if at == 0 {
        body.insert(0, format!("Reached {}.", chain.way));
    }
    let mut buttons = Vec::new();
    if one.authority || one.self_signed {
        let join = Effect::Join(ca::SETTING.to_owned(), Secret::new(pem.clone()));
        buttons.push(Button::new("Trust", false, vec![join]));
    }
    if at + 1 < all.len() {
        let next = Overlay::Dialog(shown(place, chain, at + 1, now));
        buttons.push(Button::new("Next", false, vec![Effect::Open(next)]));
    }
    let title = format!("Certificate {} of {} that {place} shows", at + 1, all.len());
    Dialog::new(title, body, buttons)
}

/// What people compare of a certificate.
fn facts(one: &Shown, now: Timestamp) -> Vec<String> {
    let issuer = if one.self_signed {
        "itself"
    } else {
        one.issuer.as_str()
    };
    let names = one.names.len();
    let mut named = one.names[..names.min(NAMES)].join(", ");
    if names > NAMES {
        named.push_str(&format!(" and {} more", names - NAMES));
    }
    let over = if one.not_after < now {
        ", expired"
    } else if one.not_before > now {
        ", not yet"
    } else {
        ""
    };
    let digits = one.sha256.strip_prefix("sha256:").unwrap_or(&one.sha256);
    let (first, second) = digits.split_at_checked(DIGITS).unwrap_or((digits, ""));
    let (from, until) = (one.not_before.day(), one.not_after.day());
    // Where a terminal is low, what is compared is still in sight.
    let mut lines = vec![
        format!("Subject  {}", one.subject),
        format!("Issuer   {issuer}"),
        "SHA-256".to_owned(),
        first.to_owned(),
        second.to_owned(),
        format!("Holds    {from} to {until}{over}"),
        format!("Key      {}", one.key),
    ];
    if !named.is_empty() {
        lines.push(format!("For      {named}"));
    }
    lines
}

fn failed(title: String, failure: Failure) -> Dialog {
    let body = std::iter::once(failure.text).chain(failure.hint);
    let mut dialog = Dialog::new(title, body.collect(), Vec::new());
    dialog.buttons[0].label = "Close".to_owned();
    dialog
}
