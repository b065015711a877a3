//! How often a password may be guessed at: by name, by address, and by both together.
//!
//! Nobody is locked out by what others do. Wrong passwords of one name from one address make that name wait there, and
//! use up little of what the address has; so a neighbour behind the same address gets in. An address that tries many
//! names waits, but a name that has signed in from there before does not wait with it. A name that is guessed at from
//! many places waits where it has been wrong, and not where it has not.
//!
//! A try is counted when it begins, and taken back when it was right or nobody could say: many at once are no way round.

use std::collections::HashMap;
use std::time::Duration;

use super::Origin;
use super::throttle::Table;
use crate::clock::Timestamp;

/// Wrong passwords of one name from one address within a minute.
const BY_BOTH: u32 = 5;

/// Those of one name, from anywhere: from then on it waits wherever it has been wrong.
const BY_NAME: u32 = 30;

/// Those from one address: a dozen times what one name can use up there.
const BY_ADDRESS: u32 = 60;

/// Tries under way at once from one address: each holds a connection to the directory.
const AT_ONCE: usize = 4;

/// How soon to come again where too many are under way.
const SOON: Duration = Duration::from_secs(1);

/// What a try came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guess {
    /// The password was right.
    Right,
    /// It was not, or there is nobody of that name: which of the two is all the same.
    Wrong,
    /// Nobody could say.
    Unknown,
}

/// The counts of tries.
#[derive(Debug, Default)]
pub struct Guesses {
    addresses: Table<Origin>,
    names: Table<String>,
    both: Table<(Origin, String)>,
    /// Names that have signed in, each with where from.
    known: Table<(Origin, String)>,
    under_way: HashMap<Origin, usize>,
}

impl Guesses {
    /// Begins a try, which [`Guesses::settle`] has to end.
    ///
    /// # Errors
    /// How long it has to wait; it has not begun then.
    pub fn begin(&mut self, origin: Origin, name: &str, now: Timestamp) -> Result<(), Duration> {
        let (name, both) = keys(origin, name);
        let known = self.known.contains(&both);
        let mut wait = self.both.wait(&both, BY_BOTH, now);
        if !known {
            let by_name = self.names.wait(&name, BY_NAME, now);
            wait = wait
                .max(self.addresses.wait(&origin, BY_ADDRESS, now))
                .max(by_name.filter(|_| self.both.is_used(&both, now)));
        }
        if let Some(wait) = wait {
            return Err(wait);
        }
        let under_way = self.under_way.entry(origin).or_default();
        if *under_way >= AT_ONCE {
            return Err(SOON);
        }
        *under_way += 1;
        self.both.take(both, BY_BOTH, now);
        if !known {
            self.names.take(name, BY_NAME, now);
            self.addresses.take(origin, BY_ADDRESS, now);
        }
        Ok(())
    }

    /// Ends a try.
    pub fn settle(&mut self, origin: Origin, name: &str, guess: Guess, now: Timestamp) {
        if let Some(under_way) = self.under_way.get_mut(&origin) {
            *under_way = under_way.saturating_sub(1);
            if *under_way == 0 {
                self.under_way.remove(&origin);
            }
        }
        if guess == Guess::Wrong {
            return;
        }
        let (name, both) = keys(origin, name);
        self.both.give_back(&both, BY_BOTH, now);
        if !self.known.contains(&both) {
            self.names.give_back(&name, BY_NAME, now);
            self.addresses.give_back(&origin, BY_ADDRESS, now);
            if guess == Guess::Right {
                self.known.take(both, 1, now);
            }
        }
    }
}

/// Directories take names in any case: so they are one here.
fn keys(origin: Origin, name: &str) -> (String, (Origin, String)) {
    let name = name.trim().to_lowercase();
    (name.clone(), (origin, name))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn at(last: u8) -> Origin {
        Origin::from(IpAddr::from([203, 0, 113, last]))
    }

    /// Tries once; answers the wait.
    fn guess(all: &mut Guesses, origin: Origin, name: &str, guess: Guess) -> Option<Duration> {
        match all.begin(origin, name, NOW) {
            Ok(()) => {
                all.settle(origin, name, guess, NOW);
                None
            }
            Err(wait) => Some(wait),
        }
    }

    #[test]
    fn a_name_waits_where_it_was_wrong_and_its_neighbour_does_not() {
        let mut all = Guesses::default();
        for _ in 0..BY_BOTH {
            assert_eq!(guess(&mut all, at(1), "ann", Guess::Wrong), None);
        }
        for name in ["ann", "ANN", " Ann "] {
            assert!(
                guess(&mut all, at(1), name, Guess::Right).is_some(),
                "{name}"
            );
        }
        for _ in 0..1000 {
            assert!(guess(&mut all, at(1), "ann", Guess::Wrong).is_some());
        }
        assert_eq!(
            guess(&mut all, at(1), "ben", Guess::Right),
            None,
            "the neighbour"
        );
        assert_eq!(
            guess(&mut all, at(2), "ann", Guess::Right),
            None,
            "from elsewhere"
        );
        let wait = all.begin(at(1), "ann", NOW).unwrap_err();
        assert_eq!(
            all.begin(at(1), "ann", NOW.plus(wait)),
            Ok(()),
            "after the wait"
        );
    }

    #[test]
    fn an_address_that_tries_many_names_waits_and_those_known_there_do_not() {
        let mut all = Guesses::default();
        assert_eq!(guess(&mut all, at(1), "ann", Guess::Right), None);
        for n in 0..BY_ADDRESS {
            let name = format!("name{n}");
            assert_eq!(guess(&mut all, at(1), &name, Guess::Wrong), None, "{n}");
        }
        assert!(guess(&mut all, at(1), "ben", Guess::Right).is_some());
        assert_eq!(guess(&mut all, at(1), "ann", Guess::Right), None);
        assert_eq!(guess(&mut all, at(2), "ben", Guess::Right), None);
    }

    #[test]
    fn a_name_that_is_guessed_at_from_everywhere_gets_in_where_it_was_not_wrong() {
        let mut all = Guesses::default();
        for last in 0..40 {
            assert_eq!(
                guess(&mut all, at(last), "ann", Guess::Wrong),
                None,
                "{last}"
            );
        }
        assert!(guess(&mut all, at(1), "ann", Guess::Right).is_some());
        assert_eq!(guess(&mut all, at(99), "ann", Guess::Right), None);
    }

    #[test]
    fn what_nobody_could_say_is_not_counted_and_many_at_once_are() {
        let mut all = Guesses::default();
        for _ in 0..100 {
            assert_eq!(guess(&mut all, at(1), "ann", Guess::Unknown), None);
            assert_eq!(guess(&mut all, at(1), "ann", Guess::Right), None);
        }
        for n in 0..AT_ONCE {
            assert_eq!(all.begin(at(2), &n.to_string(), NOW), Ok(()));
        }
        assert_eq!(all.begin(at(2), "x", NOW), Err(SOON));
        assert_eq!(all.begin(at(3), "x", NOW), Ok(()), "elsewhere they are not");
        all.settle(at(2), "0", Guess::Wrong, NOW);
        assert_eq!(all.begin(at(2), "x", NOW), Ok(()));
    }
}
