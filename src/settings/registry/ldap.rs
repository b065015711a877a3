//! LDAP: the directory that people sign in with.

use super::{Choice, Entry, Group, Kind, Restart, TestId, When, choice};
use crate::settings::check::Fault;
use crate::settings::rules;
use crate::settings::value::{Value, Values};

const TYPES: &[Choice] = &[
    choice("ldap_type_openldap", "OpenLDAP"),
    choice("ldap_type_ad", "Active Directory"),
];

const ENCRYPTIONS: &[Choice] = &[
    choice("plain", "Plain"),
    choice("starttls", "StartTLS"),
    choice("ldaps", "LDAPS"),
];

const NESTINGS: &[Choice] = &[
    choice("walk", "Asked group by group"),
    choice("rule", "By the rule of Active Directory"),
    choice("direct", "Not looked for"),
];

const AD: When = When::Is("ldap.type", "ldap_type_ad");

const fn field(key: &'static str, label: &'static str, kind: Kind, help: &'static str) -> Entry {
    Entry::new(key, label, kind, help)
        .shown(When::On("ldap.enabled"))
        .required(When::Always)
        .restart(Restart::Live)
        .test(TestId::Ldap)
}

/// What is of use only where people sign in, and no part of the test.
const fn extra(key: &'static str, label: &'static str, kind: Kind, help: &'static str) -> Entry {
    Entry::new(key, label, kind, help)
        .shown(When::On("ldap.enabled"))
        .restart(Restart::Live)
}

pub(super) const GROUP: Group = Group {
    name: "ldap",
    title: "LDAP Authentication",
    note: None,
    entries: &[
        Entry::new(
            "ldap.enabled",
            "Enable LDAP-only Authentication",
            Kind::Switch,
            "People sign in by the directory, and not with GitHub: not for an installation that has users of GitHub already.",
        )
        .restart(Restart::Live),
        field(
            "ldap.type",
            "Directory",
            Kind::Choice(TYPES),
            "Which kind of directory it is.",
        )
        .defaults(&[(When::Always, "ldap_type_openldap")]),
        field(
            "ldap.hostname",
            "Hostname",
            Kind::Text,
            "Name or address of the directory.",
        )
        .rule(rules::host),
        field(
            "ldap.port",
            "Port",
            Kind::Number {
                least: 1,
                most: 65_535,
            },
            "Its port: 389, or 636 with LDAPS.",
        )
        .defaults(&[
            (When::Is("ldap.encryption", "ldaps"), "636"),
            (When::Always, "389"),
        ]),
        field(
            "ldap.encryption",
            "Encryption Type",
            Kind::Choice(ENCRYPTIONS),
            "How the connection is protected.",
        )
        .defaults(&[(When::Always, "plain")])
        .rule(encryption),
        field(
            "ldap.search_user",
            "Search user",
            Kind::Text,
            "Who looks people up: a distinguished name; with Active Directory user@domain too.",
        )
        .rule(search_user),
        field(
            "ldap.search_password",
            "Search password",
            Kind::Secret,
            "The password of the search user.",
        ),
        field(
            "ldap.base_dn",
            "Base DN",
            Kind::Text,
            "Where the directory begins, as dc=example,dc=com.",
        )
        .rule(rules::dn),
        field(
            "ldap.user_search_dn",
            "User search DN",
            Kind::Text,
            "Below which entry people are looked for, relative to the base, as ou=people.",
        )
        .defaults(&[(AD, "cn=users"), (When::Always, "ou=users")])
        .rule(user_search_dn),
        field(
            "ldap.username_field",
            "Username Field",
            Kind::Text,
            "Attribute that holds the name people sign in with.",
        )
        .defaults(&[(AD, "sAMAccountName"), (When::Always, "uid")])
        .rule(rules::attribute),
        field(
            "ldap.email_field",
            "Email Field",
            Kind::Text,
            "Attribute that holds the e-mail address.",
        )
        .defaults(&[(When::Always, "mail")])
        .required(When::Never)
        .rule(rules::attribute),
        field(
            "ldap.group_membership_field",
            "Group Membership Field",
            Kind::Text,
            "Attribute of a group that names its members.",
        )
        .defaults(&[(AD, "member"), (When::Always, "uniqueMember")])
        .rule(rules::attribute),
        field(
            "ldap.group_object_class",
            "Group Object Class Field",
            Kind::Text,
            "Class of entries that are groups.",
        )
        .defaults(&[(AD, "group"), (When::Always, "groupOfUniqueNames")])
        .rule(rules::attribute),
        field(
            "ldap.nested_groups",
            "Groups of groups",
            Kind::Choice(NESTINGS),
            "How groups are found that a person is in by way of other groups.",
        )
        .defaults(&[(AD, "rule"), (When::Always, "walk")]),
        field(
            "ldap.referrals",
            "Follow referrals",
            Kind::Switch,
            "Asks other servers too that the directory names for people. The search password goes to them, never with less protection.",
        ),
        field(
            "ldap.timeout",
            "Time limit",
            Kind::Number { least: 1, most: 60 },
            "How long each step may take, in seconds.",
        )
        .defaults(&[(When::Always, "10")]),
        extra(
            "ldap.admin_groups",
            "Groups of administrators",
            Kind::Lines,
            "Whose members do everything: one in each line, by its name (cn) or its whole distinguished name.",
        )
        .rule(groups),
        extra(
            "ldap.operator_groups",
            "Groups of operators",
            Kind::Lines,
            "Whose members build and drain too: one in each line.",
        )
        .rule(groups),
        extra(
            "ldap.viewer_groups",
            "Groups of viewers",
            Kind::Lines,
            "Whose members read: one in each line. Where there are none, everybody whom the directory knows does.",
        )
        .rule(groups),
        extra(
            "ldap.recheck_s",
            "Re-check period",
            Kind::Number {
                least: 5,
                most: 86_400,
            },
            "Seconds within which somebody who has left the directory or the groups loses open sessions.",
        )
        .defaults(&[(When::Always, "300")])
        .required(When::Always),
    ],
};

fn encryption(value: &Value, _: &Values) -> Vec<Fault> {
    let plain = value.text() == "plain";
    rules::faults(plain.then(|| {
        Fault::warning("sends passwords over the network as they are").fix("use StartTLS or LDAPS")
    }))
}

/// Groups by lines: names, or distinguished names. A line with a comma and no `=` is probably several.
fn groups(value: &Value, _: &Values) -> Vec<Fault> {
    let mut faults = Vec::new();
    for line in value.text().lines().map(str::trim) {
        if line.contains('=') {
            faults.extend(rules::dn_fault(line));
        } else if line.contains(',') {
            faults.push(
                Fault::error(format!("has several names in one line: `{line}`"))
                    .fix("write each in a line of its own"),
            );
        }
    }
    faults
}

fn search_user(value: &Value, values: &Values) -> Vec<Fault> {
    let principal = |text: &str| {
        text.split_once('@')
            .is_some_and(|(name, domain)| !name.is_empty() && rules::host_fault(domain).is_none())
    };
    if AD.holds(values) && principal(value.text()) {
        return Vec::new();
    }
    rules::dn(value, values)
}

fn user_search_dn(value: &Value, values: &Values) -> Vec<Fault> {
    let text = value.text();
    let fault = rules::dn_fault(text).or_else(|| {
        let base = values.text("ldap.base_dn");
        (!base.is_empty() && rules::is_below(text, &base)).then(|| {
            let mut parts = rules::dn_parts(text);
            parts.truncate(parts.len() - rules::dn_parts(&base).len());
            let fix = if parts.is_empty() {
                "leave only what is below the base".to_owned()
            } else {
                format!("`{}` is enough", parts.join(","))
            };
            Fault::error("ends with the Base DN, and is taken as relative to it").fix(fix)
        })
    });
    rules::faults(fault)
}
