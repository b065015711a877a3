//! What somebody may do by the groups of a directory that they are in.

use super::Role;

/// Which groups make somebody what: each is a name (`cn`) or a whole distinguished name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Administrators.
    pub admin: Vec<String>,
    /// Operators.
    pub operator: Vec<String>,
    /// Viewers; when there are none, everybody whom the directory knows is one.
    pub viewer: Vec<String>,
}

/// The most that these groups, by their distinguished names, make of somebody; `None` when they may not come in.
#[must_use]
pub fn role_of(groups: &[String], roles: &Roles) -> Option<Role> {
    let any = |wanted: &[String]| {
        wanted
            .iter()
            .any(|wanted| groups.iter().any(|group| is_meant(group, wanted)))
    };
    if any(&roles.admin) {
        Some(Role::Admin)
    } else if any(&roles.operator) {
        Some(Role::Operator)
    } else if roles.viewer.is_empty() || any(&roles.viewer) {
        Some(Role::Viewer)
    } else {
        None
    }
}

/// Whether a group of the directory is the one that is written so.
fn is_meant(group: &str, wanted: &str) -> bool {
    let wanted = wanted.trim();
    if wanted.is_empty() {
        return false;
    }
    let parts = parts(group);
    if wanted.contains('=') {
        return parts == self::parts(wanted);
    }
    let name = parts.first().and_then(|first| first.split_once('='));
    name.is_some_and(|(_, name)| name == wanted.to_lowercase())
}

/// A distinguished name in parts that can be compared: lower case, no blanks around `,` and `=`. A `,` after `\` does
/// not part, and a `\` before what needs none is left out.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        let last = parts.last_mut().expect("there is one from the start");
        match c {
            ',' => parts.push(String::new()),
            '\\' => match chars.next() {
                Some(next) => last.push(next),
                None => last.push(c),
            },
            _ => last.push(c),
        }
    }
    let tidy = |part: String| match part.split_once('=') {
        Some((attribute, value)) => format!("{}={}", attribute.trim(), value.trim()),
        None => part.trim().to_owned(),
    };
    let parts = parts.into_iter().map(tidy);
    parts.map(|part| part.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_most_that_a_group_gives_is_what_somebody_is() {
        let roles = Roles {
            admin: texts(&["ops", "cn=Root, ou=Groups,dc=example,dc=com"]),
            operator: texts(&["devs"]),
            viewer: texts(&["all"]),
        };
        let cases: &[(&[&str], Option<Role>)] = &[
            (&["cn=ops,ou=groups,dc=example,dc=com"], Some(Role::Admin)),
            (&["CN=Ops,DC=x", "cn=devs,dc=x"], Some(Role::Admin)),
            (&["cn=root,OU=groups, dc=example,dc=com"], Some(Role::Admin)),
            (&["cn=root,ou=others,dc=example,dc=com"], None),
            (
                &["cn=devs,ou=groups,dc=example,dc=com"],
                Some(Role::Operator),
            ),
            (&["cn=all,dc=x"], Some(Role::Viewer)),
            (&["cn=devs-old,dc=x"], None),
            (&["ou=devs\\,ops,dc=x"], None),
            (&[], None),
        ];
        for (groups, role) in cases {
            assert_eq!(role_of(&texts(groups), &roles), *role, "{groups:?}");
        }
    }

    #[test]
    fn without_groups_of_viewers_everybody_is_one() {
        let roles = Roles {
            admin: texts(&["ops"]),
            ..Roles::default()
        };
        assert_eq!(role_of(&[], &roles), Some(Role::Viewer));
        assert_eq!(role_of(&texts(&["cn=ops,dc=x"]), &roles), Some(Role::Admin));
        let blank = Roles {
            admin: texts(&[" ", ""]),
            ..Roles::default()
        };
        assert_eq!(role_of(&texts(&["dc=x"]), &blank), Some(Role::Viewer));
    }
}
