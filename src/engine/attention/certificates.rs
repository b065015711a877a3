//! Certificates that somebody should see to: those that end soon, and those that are set and cannot be served.

use super::{Concern, Spot, Urgency};
use crate::clock::Timestamp;
use crate::services::certificates::{Place, Source, Standing};

/// Days before the end from which it is urgent: a new one may take a while to come by.
const URGENT_DAYS: i64 = 3;

/// What is the matter with those that are served; `renews` when an authority renews the one of Privacy by command.
pub(super) fn concerns(all: &[Standing], renews: bool, now: Timestamp) -> Vec<Concern> {
    let mut told: Vec<Concern> = Vec::new();
    for one in all {
        let place = one.place.described();
        let spot = || {
            Spot::Settings(match (one.place, one.source) {
                (Place::Console, Source::Own | Source::Console) => "console",
                (Place::Public, _) | (_, Source::Privacy) => "privacy",
            })
        };
        if let Some(trouble) = &one.trouble {
            let (text, help) = if trouble.is_locked() {
                let text = format!("{place} cannot serve its certificate: the secrets are locked");
                (text, "roundel unlock")
            } else {
                let text = format!("{place} keeps its old certificate: {}", trouble.why);
                let help = "see `roundel tls verify`, then save a certificate and a key that fit";
                (text, help)
            };
            told.push(Concern {
                urgency: Urgency::Now,
                since: Some(trouble.since),
                text,
                help: help.to_owned(),
                spot: spot(),
            });
        }
        let same = |other: &&Standing| other.facts.fingerprint == one.facts.fingerprint;
        // One that is served at both places is told once, by its first.
        let first = all.iter().find(same);
        if !one.facts.ends_soon(now) || first.is_some_and(|first| first.place != one.place) {
            continue;
        }
        let days = one.facts.days_left(now);
        told.push(Concern {
            urgency: if days < URGENT_DAYS {
                Urgency::Now
            } else {
                Urgency::Soon
            },
            since: None,
            text: format!(
                "the certificate {} of {place} {}",
                one.facts.name,
                ends(days)
            ),
            help: help(one.source, renews),
            spot: spot(),
        });
    }
    told
}

fn ends(days: i64) -> String {
    match days {
        -1 => "has expired".to_owned(),
        ..-1 => format!("expired {} days ago", -days - 1),
        0 => "ends within a day".to_owned(),
        1 => "ends in 1 day".to_owned(),
        days => format!("ends in {days} days"),
    }
}

fn help(source: Source, renews: bool) -> String {
    match (source, source.setting()) {
        (Source::Privacy, _) if renews => "roundel tls renew".to_owned(),
        (_, Some(key)) => format!("save a new one: roundel settings set {key} --file FILE"),
        (_, None) => {
            "remove server.crt and server.key from DATA/tls and start the server anew".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Fingerprint;
    use crate::services::certificates::{Facts, Trouble, Unfit};

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn standing(place: Place, source: Source, days: i64) -> Standing {
        Standing {
            place,
            source,
            facts: Facts {
                name: "ci.example.com".to_owned(),
                issuer: "an authority".to_owned(),
                from: Timestamp(0),
                until: Timestamp(NOW.0 + days * 86_400_000 + 1),
                fingerprint: Fingerprint::of(source.word().as_bytes()),
            },
            trouble: None,
        }
    }

    #[test]
    fn an_end_is_told_from_thirty_days_on_and_presses_at_last() {
        for (days, urgency, text) in [
            (29, Urgency::Soon, "ends in 29 days"),
            (3, Urgency::Soon, "ends in 3 days"),
            (1, Urgency::Now, "ends in 1 day"),
            (0, Urgency::Now, "ends within a day"),
            (-1, Urgency::Now, "has expired"),
            (-3, Urgency::Now, "expired 2 days ago"),
        ] {
            let told = concerns(
                &[standing(Place::Public, Source::Privacy, days)],
                false,
                NOW,
            );
            let text = format!("the certificate ci.example.com of the public address {text}");
            assert_eq!(
                (told[0].urgency, told[0].text.as_str()),
                (urgency, text.as_str())
            );
            assert!(told[0].help.contains("ssl_cert"), "{}", told[0].help);
            assert_eq!(told[0].spot, Spot::Settings("privacy"));
        }
        let far = [standing(Place::Public, Source::Privacy, 30)];
        assert_eq!(concerns(&far, false, NOW), []);
    }

    #[test]
    fn one_of_both_places_is_told_once_and_renewed_by_command() {
        let both = [Place::Public, Place::Console].map(|p| standing(p, Source::Privacy, 9));
        let told = concerns(&both, true, NOW);
        assert_eq!(
            (told.len(), told[0].help.as_str()),
            (1, "roundel tls renew")
        );
        let apart = [
            standing(Place::Public, Source::Privacy, 9),
            standing(Place::Console, Source::Console, 9),
        ];
        let told = concerns(&apart, true, NOW);
        assert_eq!(told.len(), 2);
        assert!(
            told[1].help.contains("console.tls.cert"),
            "{}",
            told[1].help
        );
        assert_eq!(told[1].spot, Spot::Settings("console"));
    }

    #[test]
    fn what_cannot_be_served_is_told_at_once() {
        let mut one = standing(Place::Console, Source::Console, 99);
        let trouble = |why| Some(Trouble { since: NOW, why });
        one.trouble = trouble(Unfit::Together("they do not fit".to_owned()));
        let told = concerns(std::slice::from_ref(&one), false, NOW);
        assert_eq!((told[0].urgency, told[0].since), (Urgency::Now, Some(NOW)));
        assert_eq!(
            told[0].text,
            "the console keeps its old certificate: certificate and key cannot be used together: they do not fit"
        );
        one.trouble = trouble(Unfit::Locked("console.tls.key"));
        let told = concerns(&[one], false, NOW);
        assert_eq!(told[0].help, "roundel unlock");
    }
}
