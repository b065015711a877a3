//! How often somebody may be wrong: failed sign-ins by address and by token.
//!
//! Nobody is locked out by what others do: a right token goes through without being asked about here, since nobody guesses
//! one. Who is wrong too often from an address waits there; and a token that is guessed at from many places makes each new
//! place wait sooner.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Timestamp;

/// Time in which an empty bucket is full again.
const SPAN: Duration = Duration::from_secs(60);

/// Wrong tokens in a row from one address.
const BY_ADDRESS: u32 = 10;

/// Wrong secrets in a row for one token, from anywhere.
const BY_TOKEN: u32 = 30;

/// Wrong secrets in a row for one token from one address, where only those count.
const BY_BOTH: u32 = 3;

/// Entries of each table: a few hundred kilobytes at most, however many addresses come.
const MOST: usize = 4096;

/// Where a sign-in comes from: addresses that one person can take freely are one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// The socket of the machine.
    Socket,
    /// An IPv4 address.
    V4([u8; 4]),
    /// A /64 of IPv6.
    V6([u8; 8]),
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Origin::V4(address.octets()),
            IpAddr::V6(address) => {
                let octets = address.octets();
                let mut network = [0; 8];
                network.copy_from_slice(&octets[..8]);
                Origin::V6(network)
            }
        }
    }
}

/// The counts of failed sign-ins.
#[derive(Debug, Default)]
pub struct Throttle {
    addresses: Table<Origin>,
    tokens: Table<String>,
    both: Table<(Origin, String)>,
}

impl Throttle {
    /// How long a wrong sign-in from there has to wait before the next; `None` when it may be tried. `token` is the id it
    /// names.
    #[must_use]
    pub fn wait(&self, origin: Origin, token: &str, now: Timestamp) -> Option<Duration> {
        let both = (origin, token.to_owned());
        let (by_both, by_address) = (
            self.both.wait(&both, BY_BOTH, now),
            self.addresses.wait(&origin, BY_ADDRESS, now),
        );
        // Guessed at from everywhere: then a place has fewer tries at this one.
        let by_token = self.tokens.wait(&token.to_owned(), BY_TOKEN, now);
        by_address.max(by_token.and(by_both))
    }

    /// A sign-in was wrong; `token` is the id when there is such a token.
    pub fn failed(&mut self, origin: Origin, token: Option<&str>, now: Timestamp) {
        if let Some(token) = token {
            let both = (origin, token.to_owned());
            self.tokens.take(token.to_owned(), BY_TOKEN, now);
            self.both.take(both, BY_BOTH, now);
        }
        self.addresses.take(origin, BY_ADDRESS, now);
    }
}

/// Buckets that fill up again by themselves; a key that is not there has a full one.
#[derive(Debug)]
pub(super) struct Table<K>(HashMap<K, Bucket>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// When it is full again.
    full: Timestamp,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone> Table<K> {
    pub(super) fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Time until there is one to take.
    pub(super) fn wait(&self, key: &K, size: u32, now: Timestamp) -> Option<Duration> {
        let until_full = self.0.get(key)?.full.since(now);
        let over = until_full.checked_sub(SPAN - SPAN / size)?;
        (!over.is_zero()).then_some(over)
    }

    pub(super) fn take(&mut self, key: K, size: u32, now: Timestamp) {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let bucket = self.0.entry(key).or_insert(Bucket { full: now });
        bucket.full = bucket.full.max(now).plus(SPAN / size);
    }

    /// Puts one back that was taken and was not used.
    pub(super) fn give_back(&mut self, key: &K, size: u32, now: Timestamp) {
        if let Some(bucket) = self.0.get_mut(key) {
            let less = i64::try_from((SPAN / size).as_millis()).unwrap_or(0);
            bucket.full = Timestamp(bucket.full.0 - less);
            if bucket.full <= now {
                self.0.remove(key);
            }
        }
    }

    /// Whether anything was taken that has not come back yet.
    pub(super) fn is_used(&self, key: &K, now: Timestamp) -> bool {
        self.0.get(key).is_some_and(|bucket| bucket.full > now)
    }

    /// Forgets those that are full again, else the one that is so first.
    fn make_room(&mut self, now: Timestamp) {
        self.0.retain(|_, bucket| bucket.full > now);
        if self.0.len() >= MOST
            && let Some(first) = self
                .0
                .iter()
                .min_by_key(|(_, bucket)| bucket.full)
                .map(|(key, _)| key.clone())
        {
            self.0.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn at(last: u8) -> Origin {
        Origin::from(IpAddr::from([203, 0, 113, last]))
    }

    fn fail(throttle: &mut Throttle, origin: Origin, token: Option<&str>, times: u32) {
        (0..times).for_each(|_| throttle.failed(origin, token, NOW));
    }

    #[test]
    fn an_address_waits_after_ten_and_others_do_not() {
        let mut throttle = Throttle::default();
        fail(&mut throttle, at(1), None, BY_ADDRESS - 1);
        assert_eq!(throttle.wait(at(1), "a", NOW), None);
        fail(&mut throttle, at(1), None, 1);
        let wait = throttle.wait(at(1), "a", NOW).unwrap();
        assert_eq!(wait, SPAN / BY_ADDRESS);
        assert_eq!(throttle.wait(at(2), "a", NOW), None);
        assert_eq!(
            throttle.wait(at(1), "a", NOW.plus(wait)),
            None,
            "after the wait"
        );
        fail(&mut throttle, at(1), None, 1000);
        assert!(throttle.wait(at(1), "a", NOW.plus(SPAN)).is_some());
    }

    #[test]
    fn a_token_that_is_guessed_at_from_everywhere_opens_from_a_new_place() {
        let mut throttle = Throttle::default();
        for last in 0..40 {
            fail(&mut throttle, at(last), Some("a"), 1);
        }
        assert_eq!(throttle.wait(at(99), "a", NOW), None);
        fail(&mut throttle, at(98), Some("a"), BY_BOTH);
        assert!(
            throttle.wait(at(98), "a", NOW).is_some(),
            "fewer tries while it is guessed at"
        );
        assert_eq!(
            throttle.wait(at(98), "b", NOW),
            None,
            "and at this one only"
        );
    }

    #[test]
    fn the_tables_have_an_end() {
        let mut throttle = Throttle::default();
        for n in 0..3 * MOST {
            let [.., a, b, c] = n.to_be_bytes();
            throttle.failed(Origin::V4([10, a, b, c]), Some(&n.to_string()), NOW);
        }
        let Throttle {
            addresses,
            tokens,
            both,
        } = &throttle;
        for length in [addresses.0.len(), tokens.0.len(), both.0.len()] {
            assert!(length <= MOST, "{length}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_place_and_a_mapped_address_is_itself() {
        let origin = |text: &str| Origin::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(origin("2001:db8::1"), origin("2001:db8::ffff:1"));
        assert_ne!(origin("2001:db8::1"), origin("2001:db8:0:1::1"));
        assert_eq!(origin("::ffff:203.0.113.1"), at(1));
    }
}
