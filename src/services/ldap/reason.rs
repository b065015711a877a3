//! What a directory answered, in words: result codes (RFC 4511 §4.1.9), the codes that Active Directory hides in its text,
//! and what the password policy of OpenLDAP adds (draft-behera-ldap-password-policy).

use crate::sanitise::line;

/// Longest text of a directory that is told on, in characters.
const TEXT_MAX: usize = 200;

/// A result that is no success.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Result code.
    pub code: u32,
    /// The directory's own words; may be empty, come from outside.
    pub text: String,
    /// Servers that it names instead.
    pub(super) referrals: Vec<String>,
}

pub(super) const TIME_LIMIT: u32 = 3;
pub(super) const SIZE_LIMIT: u32 = 4;
pub(super) const STRONGER_AUTH: u32 = 8;
pub(super) const REFERRAL: u32 = 10;
pub(super) const ADMIN_LIMIT: u32 = 11;
pub(super) const CONFIDENTIALITY: u32 = 13;
pub(super) const NO_SUCH_OBJECT: u32 = 32;
pub(super) const INVALID_DN: u32 = 34;
pub(super) const INAPPROPRIATE_AUTH: u32 = 48;
pub(super) const INVALID_CREDENTIALS: u32 = 49;
pub(super) const INSUFFICIENT_ACCESS: u32 = 50;
pub(super) const BUSY: u32 = 51;
pub(super) const UNAVAILABLE: u32 = 52;
pub(super) const UNWILLING: u32 = 53;

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = match self.code {
            1 => "the operation does not fit what came before it",
            2 => "it did not understand the question",
            TIME_LIMIT => "its time limit was exceeded",
            SIZE_LIMIT => "its size limit was exceeded",
            7 => "it does not know this way to sign in",
            STRONGER_AUTH | CONFIDENTIALITY => "it wants an encrypted connection",
            REFERRAL => "it says that this is elsewhere",
            ADMIN_LIMIT => "its administrative limit was exceeded",
            12 => "it does not know an extension that was asked for",
            16 | 17 => "it does not know the attribute",
            18 => "it cannot compare the attribute that way",
            21 => "the value is not of the attribute's syntax",
            NO_SUCH_OBJECT => "there is no such entry, or the search user may not see it",
            INVALID_DN => "the distinguished name is not written as one",
            INAPPROPRIATE_AUTH => "it does not allow this way to sign in",
            INVALID_CREDENTIALS => "name or password is wrong",
            INSUFFICIENT_ACCESS => "the search user may not do that",
            BUSY => "it is busy",
            UNAVAILABLE => "it is shutting down or out of order",
            UNWILLING => "it will not do that",
            _ => "it refused",
        };
        write!(f, "{words} (result {}", self.code)?;
        let text = line(&self.text);
        let text = text.trim();
        if text.is_empty() {
            return f.write_str(")");
        }
        let short: String = text.chars().take(TEXT_MAX).collect();
        write!(f, ": {short})")
    }
}

impl Answer {
    /// The directory cannot answer now: nothing is said about what was asked.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self.code, BUSY | UNAVAILABLE | TIME_LIMIT | ADMIN_LIMIT)
    }

    pub(super) fn wants_encryption(&self) -> bool {
        matches!(self.code, STRONGER_AUTH | CONFIDENTIALITY)
    }
}

/// Why somebody may not sign in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Name or password is wrong.
    Password,
    /// Too many wrong passwords; for a while, or until an administrator opens it.
    Locked,
    /// An administrator has turned the account off.
    Disabled,
    /// The account was for a time, and that is over.
    AccountExpired,
    /// The password was for a time, and that is over.
    PasswordExpired,
    /// The password has to be changed first.
    MustChange,
    /// Not at this hour.
    Hours,
    /// Not from this machine.
    Workstation,
    /// Not in this way.
    LogonType,
}

impl Refusal {
    /// In words, as the end of a sentence that begins with the person.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Refusal::Password => "the password is wrong",
            Refusal::Locked => "the account is locked after wrong passwords",
            Refusal::Disabled => "the account is disabled",
            Refusal::AccountExpired => "the account has expired",
            Refusal::PasswordExpired => "the password has expired",
            Refusal::MustChange => "the password has to be changed before it can be used",
            Refusal::Hours => "the account may not be used at this hour",
            Refusal::Workstation => "the account may not be used from this machine",
            Refusal::LogonType => "the account may not sign in in this way",
        }
    }

    /// What to do about it.
    pub(super) fn fix(self) -> &'static str {
        match self {
            Refusal::Password => {
                "type it again; the directory does not say whether the name or the password is wrong"
            }
            Refusal::Locked => "unlock it in the directory, or wait until its lockout is over",
            Refusal::Disabled => "enable it in the directory, or use another account",
            Refusal::AccountExpired => {
                "set a later end for it in the directory, or use another account"
            }
            Refusal::PasswordExpired | Refusal::MustChange => {
                "change the password in the directory: that cannot be done from here"
            }
            Refusal::Hours => {
                "try at an hour that the directory allows, or change its logon hours there"
            }
            Refusal::Workstation => "allow this machine in the account's list of workstations",
            Refusal::LogonType => "grant it the right to log on over the network",
        }
    }

    /// Of a refused bind. Active Directory answers the same code to all, and says more in its text, as
    /// `80090308: LdapErr: DSID-0C090436, comment: AcceptSecurityContext error, data 52e, v4563`: there `data` is a Windows
    /// error number in hexadecimal.
    pub(super) fn of(answer: &Answer, policy: Option<Policy>) -> Option<Self> {
        if let Some(policy) = policy {
            return Some(policy.refusal());
        }
        if answer.code != INVALID_CREDENTIALS {
            return None;
        }
        let data = answer.text.split("data ").nth(1).unwrap_or_default();
        let digits: String = data.chars().take_while(char::is_ascii_hexdigit).collect();
        Some(match digits.to_ascii_lowercase().as_str() {
            "530" => Refusal::Hours,
            "531" => Refusal::Workstation,
            "532" => Refusal::PasswordExpired,
            "533" => Refusal::Disabled,
            "534" => Refusal::LogonType,
            "701" => Refusal::AccountExpired,
            "773" => Refusal::MustChange,
            "775" => Refusal::Locked,
            // 525 is an unknown name, 52e a wrong password: told alike, since some directories do not tell them apart.
            _ if answer.text.to_ascii_lowercase().contains("account locked") => Refusal::Locked,
            _ => Refusal::Password,
        })
    }
}

/// What a password policy has against a bind (draft-behera-ldap-password-policy §6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Policy {
    Expired,
    Locked,
    MustChange,
}

impl Policy {
    /// The control that asks for it, and that carries the answer.
    pub(super) const OID: &'static str = "1.3.6.1.4.1.42.2.27.8.5.1";

    fn refusal(self) -> Refusal {
        match self {
            Policy::Expired => Refusal::PasswordExpired,
            Policy::Locked => Refusal::Locked,
            Policy::MustChange => Refusal::MustChange,
        }
    }

    /// Of the value of the control: `SEQUENCE { warning [0] ... OPTIONAL, error [1] ENUMERATED OPTIONAL }`.
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        const ERROR: u8 = 0x81;
        let (_, mut content, _) = super::guard::split(value).ok()?;
        while !content.is_empty() {
            let (tag, inner, rest) = super::guard::split(content).ok()?;
            if tag == ERROR {
                return match inner {
                    [0] => Some(Policy::Expired),
                    [1] => Some(Policy::Locked),
                    [2] => Some(Policy::MustChange),
                    _ => None,
                };
            }
            content = rest;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<Refusal> {
        let answer = Answer {
            code: INVALID_CREDENTIALS,
            text: text.to_owned(),
            referrals: Vec::new(),
        };
        Refusal::of(&answer, None)
    }

    #[test]
    fn what_active_directory_says_is_told_in_words() {
        let text = |data| {
            format!(
                "80090308: LdapErr: DSID-0C090436, comment: AcceptSecurityContext error, data {data}, v4563"
            )
        };
        for (data, refusal) in [
            ("525", Refusal::Password),
            ("52e", Refusal::Password),
            ("530", Refusal::Hours),
            ("531", Refusal::Workstation),
            ("532", Refusal::PasswordExpired),
            ("533", Refusal::Disabled),
            ("534", Refusal::LogonType),
            ("701", Refusal::AccountExpired),
            ("773", Refusal::MustChange),
            ("775", Refusal::Locked),
        ] {
            assert_eq!(refused(&text(data)), Some(refusal), "{data}");
            assert!(!refusal.words().is_empty() && !refusal.fix().is_empty());
        }
        assert_eq!(refused(""), Some(Refusal::Password));
        assert_eq!(refused("Account locked"), Some(Refusal::Locked));
        let other = Answer {
            code: UNWILLING,
            text: "data 533".to_owned(),
            referrals: Vec::new(),
        };
        assert_eq!(Refusal::of(&other, None), None);
    }

    #[test]
    fn what_a_password_policy_adds_is_read() {
        let table: [(&[u8], Option<Policy>); 7] = [
            (&[0x30, 3, 0x81, 1, 1], Some(Policy::Locked)),
            (&[0x30, 3, 0x81, 1, 0], Some(Policy::Expired)),
            (&[0x30, 3, 0x81, 1, 2], Some(Policy::MustChange)),
            (
                &[0x30, 8, 0xa0, 3, 0x81, 1, 9, 0x81, 1, 1],
                Some(Policy::Locked),
            ),
            (&[0x30, 0], None),
            (&[0x30, 5, 0xa0, 3, 0x80, 1, 9], None),
            (&[0x30, 9, 0x81], None),
        ];
        for (value, policy) in table {
            assert_eq!(Policy::of(value), policy, "{value:x?}");
        }
    }

    #[test]
    fn the_words_of_a_directory_are_made_inert_and_short() {
        let answer = Answer {
            code: 80,
            text: format!("\x1b[2Jno\n{}", "x".repeat(500)),
            referrals: Vec::new(),
        };
        let told = answer.to_string();
        assert!(told.starts_with("it refused (result 80: no"), "{told}");
        assert!(told.len() < 260 && !told.contains('\x1b'), "{told}");
    }
}
