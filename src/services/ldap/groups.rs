//! The groups of a person: those that name the person as a member, and those that these groups are members of in turn.
//!
//! Two ways lead to the second kind. Active Directory finds them itself by a matching rule; every directory can be asked
//! group by group. Both are bounded, and groups that contain one another end neither.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::time::Duration;

use ldap3::Scope;

use super::error::DirectoryError;
use super::people::Candidate;
use super::session::{Entry, Question, Session};
use super::{Directory, filter};
use crate::clock;

/// Most groups of a person: what Active Directory gives in one answer.
const GROUPS_MAX: u16 = 1_000;

/// Most searches of a walk: each group costs one.
const SEARCHES_MAX: usize = 200;

/// Most groups between a person and a group.
const DEPTH_MAX: usize = 10;

/// How long a matching rule may take: it looks at every group of a domain, and where there are many a walk is quicker.
const RULE_LIMIT: Duration = Duration::from_secs(5);

/// LDAP_MATCHING_RULE_IN_CHAIN (MS-ADTS §3.1.1.3.4.4.3).
const RULE_IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// Attribute of a group that names its members' names in place of their entries (RFC 2307).
const MEMBER_NAMES: &str = "memberUid";

/// A group of the directory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Group {
    /// Its common name; its distinguished name where it has none.
    pub name: String,
    /// Its distinguished name.
    pub dn: String,
}

/// How groups of groups are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Nesting {
    /// Not at all.
    Direct,
    /// Group by group.
    Walk,
    /// By the matching rule of Active Directory.
    Rule,
}

impl Nesting {
    /// Of the word of the setting.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "rule" => Nesting::Rule,
            "direct" => Nesting::Direct,
            _ => Nesting::Walk,
        }
    }
}

/// The groups of a person, by name.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) found: Vec<Group>,
    /// Names of groups that contain one another, the first also last.
    pub(super) cycle: Option<Vec<String>>,
    /// Why there may be more, as a sentence.
    pub(super) cut: Option<String>,
    /// Why the way of the settings was not gone, as a sentence.
    pub(super) slow: Option<String>,
}

pub(super) async fn of(
    dir: &Directory,
    session: &mut Session,
    one: &Candidate,
) -> Result<Groups, DirectoryError> {
    let mut groups = match dir.nesting {
        Nesting::Rule => match by_rule(dir, session, one).await {
            Ok(groups) => groups,
            Err(why @ (DirectoryError::Silent { .. } | DirectoryError::Search { .. })) => {
                let mut groups = walk(dir, session, one, DEPTH_MAX).await?;
                groups.slow = Some(format!("the matching rule gave no answer ({why})"));
                groups
            }
            Err(err) => return Err(err),
        },
        Nesting::Walk => walk(dir, session, one, DEPTH_MAX).await?,
        Nesting::Direct => walk(dir, session, one, 1).await?,
    };
    groups.found.sort();
    if let Some(cut) = &groups.cut {
        tracing::warn!(person = %one.dn, "groups of a person: {cut}");
    }
    Ok(groups)
}

/// All groups by one question.
async fn by_rule(
    dir: &Directory,
    session: &mut Session,
    one: &Candidate,
) -> Result<Groups, DirectoryError> {
    const MEMBER_OF: &str = "memberOf";
    let member = format!(
        "({}:{RULE_IN_CHAIN}:={})",
        dir.member_field,
        filter::escape(&one.dn)
    );
    let mut question = dir.groups_with(&member);
    question.attributes.push(MEMBER_OF);
    let limit = dir.limit.min(RULE_LIMIT);
    let answer = session.search_within(limit, question).await?;
    let mut graph = Graph::default();
    for entry in &answer.entries {
        graph.add(group(entry));
    }
    for entry in &answer.entries {
        for parent in entry.all(MEMBER_OF) {
            graph.edge(&entry.dn, parent);
        }
    }
    let cut = answer
        .more
        .then(|| format!("only the first {} were read", answer.entries.len()));
    Ok(graph.groups(cut))
}

/// Group by group, the nearest first, each once.
async fn walk(
    dir: &Directory,
    session: &mut Session,
    one: &Candidate,
    depth: usize,
) -> Result<Groups, DirectoryError> {
    let begun = clock::monotonic();
    let by_name = dir.member_field.eq_ignore_ascii_case(MEMBER_NAMES);
    // Names of people never name a group.
    let depth = if by_name { 1 } else { depth };
    let mut graph = Graph::default();
    let mut next = vec![if by_name { &one.name } else { &one.dn }.to_owned()];
    let mut searches = 0;
    let mut cut = None;
    for level in 0..depth {
        for member in std::mem::take(&mut next) {
            if searches == SEARCHES_MAX {
                cut = Some(format!("only {SEARCHES_MAX} groups were looked into"));
            } else if begun.elapsed() > dir.limit && level > 0 {
                cut = Some(format!(
                    "not all were looked into within {} s",
                    dir.limit.as_secs()
                ));
            }
            if cut.is_some() {
                return Ok(graph.groups(cut));
            }
            searches += 1;
            let question = dir.groups_with(&filter::equals(&dir.member_field, &member));
            let answer = session.search(question).await;
            let answer = answer.map_err(|err| err.at_entry(&dir.base, "ldap.base_dn"))?;
            for entry in &answer.entries {
                if graph.add(group(entry)) {
                    next.push(entry.dn.clone());
                }
                if level > 0 {
                    graph.edge(&member, &entry.dn);
                }
            }
            if answer.more || graph.groups.len() >= usize::from(GROUPS_MAX) {
                let cut = format!("only the first {} were read", graph.groups.len());
                return Ok(graph.groups(Some(cut)));
            }
        }
    }
    if depth == DEPTH_MAX && !next.is_empty() {
        cut = Some(format!("groups more than {DEPTH_MAX} deep were left out"));
    }
    Ok(graph.groups(cut))
}

impl Directory {
    /// The question for groups that have a member.
    fn groups_with(&self, member: &str) -> Question<'_> {
        Question {
            base: &self.base,
            scope: Scope::Subtree,
            filter: format!("(&(objectClass={}){member})", self.group_class),
            attributes: vec!["cn"],
            most: GROUPS_MAX,
        }
    }
}

fn group(entry: &Entry) -> Group {
    Group {
        name: entry.first("cn").unwrap_or(&entry.dn).to_owned(),
        dn: entry.dn.clone(),
    }
}

/// Groups, and which is a member of which. Distinguished names are compared without case: a directory writes one alike
/// but for that.
#[derive(Debug, Default)]
struct Graph {
    groups: Vec<Group>,
    numbers: BTreeMap<String, usize>,
    /// From member to group.
    edges: BTreeSet<(usize, usize)>,
}

impl Graph {
    /// Whether it was not there yet.
    fn add(&mut self, group: Group) -> bool {
        match self.numbers.entry(group.dn.to_lowercase()) {
            btree_map::Entry::Occupied(_) => false,
            btree_map::Entry::Vacant(place) => {
                place.insert(self.groups.len());
                self.groups.push(group);
                true
            }
        }
    }

    /// A group is a member of another; what is no group of the person is left out.
    fn edge(&mut self, member: &str, group: &str) {
        let number = |dn: &str| self.numbers.get(&dn.to_lowercase()).copied();
        if let Some(edge) = number(member).zip(number(group)) {
            self.edges.insert(edge);
        }
    }

    fn groups(self, cut: Option<String>) -> Groups {
        let cycle = cycle(self.groups.len(), &self.edges);
        let names = |path: Vec<usize>| {
            let name = |number: usize| self.groups[number].name.clone();
            path.into_iter().map(name).collect()
        };
        Groups {
            cycle: cycle.map(names),
            found: self.groups,
            cut,
            slow: None,
        }
    }
}

/// A way that ends where it began, the first also last; `None` when there is none.
fn cycle(count: usize, edges: &BTreeSet<(usize, usize)>) -> Option<Vec<usize>> {
    let targets = |from: usize| {
        edges
            .range((from, 0)..=(from, usize::MAX))
            .map(|(_, to)| *to)
    };
    let mut done = vec![false; count];
    for start in 0..count {
        // The way here, each with what is left to be tried from it.
        let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
        if !done[start] {
            way.push((start, targets(start).collect()));
        }
        while let Some((at, left)) = way.last_mut() {
            let at = *at;
            let Some(to) = left.pop() else {
                done[at] = true;
                way.pop();
                continue;
            };
            if let Some(place) = way.iter().position(|(one, _)| *one == to) {
                let round = way[place..].iter().map(|(one, _)| *one);
                return Some(round.chain([to]).collect());
            }
            if !done[to] {
                way.push((to, targets(to).collect()));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cycle_is_found_and_a_diamond_is_none() {
        let edges = |pairs: &[(usize, usize)]| pairs.iter().copied().collect();
        assert_eq!(cycle(0, &edges(&[])), None);
        assert_eq!(cycle(4, &edges(&[(0, 1), (0, 2), (1, 3), (2, 3)])), None);
        assert_eq!(cycle(1, &edges(&[(0, 0)])), Some(vec![0, 0]));
        assert_eq!(
            cycle(4, &edges(&[(0, 1), (1, 2), (2, 3), (3, 1)])),
            Some(vec![1, 2, 3, 1])
        );
    }

    #[test]
    fn a_group_is_one_however_its_name_is_written() {
        let mut graph = Graph::default();
        let one = |dn: &str| Group {
            name: dn.to_owned(),
            dn: dn.to_owned(),
        };
        assert!(graph.add(one("cn=A,dc=example")));
        assert!(!graph.add(one("CN=a,dc=example")));
        graph.edge("cn=a,dc=example", "cn=elsewhere");
        assert!(graph.edges.is_empty());
    }

    proptest! {
        #[test]
        fn a_cycle_is_a_way_and_where_none_is_found_there_is_none(pairs in prop::collection::btree_set((0..8_usize, 0..8_usize), 0..16)) {
            match cycle(8, &pairs) {
                Some(way) => {
                    prop_assert!(way.len() > 1 && way.first() == way.last());
                    prop_assert!(way.windows(2).all(|step| pairs.contains(&(step[0], step[1]))));
                }
                // Without a cycle, whatever has nobody before it can be taken away until nothing is left.
                None => {
                    let mut left: BTreeSet<usize> = (0..8).collect();
                    while let Some(free) = left.iter().copied().find(|to| {
                        !pairs.iter().any(|(from, at)| at == to && left.contains(from))
                    }) {
                        left.remove(&free);
                    }
                    prop_assert!(left.is_empty());
                }
            }
        }
    }
}
