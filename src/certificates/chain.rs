//! The order of a chain: whose certificate it is about, who signed whom, and what has no part in it.

use super::certificate::{Certificate, Signed};
use super::public::Public;

/// How the certificates of a file belong together. All are places in that file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Order {
    /// The certificate of the server, then who signed each.
    pub path: Vec<usize>,
    /// Those that stand there a second time.
    pub twice: Vec<usize>,
    /// Those that signed nothing of the path.
    pub strangers: Vec<usize>,
    /// One that has the name of the issuer of the last of the path, and did not sign it.
    pub impostor: Option<usize>,
}

impl Order {
    /// Whether the file is as it should be sent.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.twice.is_empty()
            && self.strangers.is_empty()
            && self.path.iter().copied().eq(0..self.path.len())
    }
}

/// Finds the order of some certificates. `key` is that of the server, where it is known.
#[must_use]
pub fn order(certificates: &[Certificate], key: Option<&Public>) -> Order {
    let mut order = Order::default();
    let mut left: Vec<usize> = Vec::new();
    for (place, certificate) in certificates.iter().enumerate() {
        if left
            .iter()
            .any(|&other| certificates[other].is(certificate))
        {
            order.twice.push(place);
        } else {
            left.push(place);
        }
    }
    let Some(leaf) = leaf(certificates, &left, key) else {
        return order;
    };
    left.retain(|&place| place != leaf);
    order.path.push(leaf);
    let mut last = &certificates[leaf];
    while !last.is_self_signed() {
        let mut named = left
            .iter()
            .copied()
            .filter(|&place| last.names_issuer(&certificates[place]));
        let signed = |place: &usize| last.signed_by(&certificates[*place]) != Signed::No;
        let Some(next) = named.clone().find(signed) else {
            order.impostor = named.next();
            break;
        };
        left.retain(|&place| place != next);
        order.path.push(next);
        last = &certificates[next];
    }
    left.retain(|&place| Some(place) != order.impostor);
    order.strangers = left;
    order
}

/// The server's own: what the key fits, else the first that is no authority's, else the first that signed no other.
fn leaf(certificates: &[Certificate], of: &[usize], key: Option<&Public>) -> Option<usize> {
    let by_key = |place: &usize| key.is_some_and(|key| certificates[*place].public() == key);
    let is_server = |place: &usize| !certificates[*place].is_authority();
    let signed_none = |place: &usize| {
        of.iter().all(|other| {
            other == place || !certificates[*other].names_issuer(&certificates[*place])
        })
    };
    let mut places = of.iter().copied();
    places
        .clone()
        .find(by_key)
        .or_else(|| places.clone().find(is_server))
        .or_else(|| places.clone().find(signed_none))
        .or_else(|| places.next())
}
