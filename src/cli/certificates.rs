//! How certificates are shown: one after the other, each with what a person compares before trusting it.

use std::io::{self, Write};

use roundel::api::certificates::Shown;
use roundel::clock;

use super::table::block;
use super::words::count;

/// A certificate in full, under a number.
pub(super) fn print(out: &mut dyn Write, number: usize, of: usize, one: &Shown) -> io::Result<()> {
    writeln!(out, "Certificate {number} of {of}")?;
    block(
        out,
        &[
            ("Subject", one.subject.clone()),
            ("Issuer", issuer(one)),
            ("For", names(one)),
            ("From", one.not_before.to_string()),
            ("Until", format!("{}, {}", one.not_after, left(one))),
            ("Key", one.key.clone()),
            (
                "Authority",
                if one.authority { "yes" } else { "no" }.to_owned(),
            ),
            ("SHA-256", one.sha256.clone()),
        ],
    )
}

fn issuer(one: &Shown) -> String {
    match one.self_signed {
        true => "itself".to_owned(),
        false => one.issuer.clone(),
    }
}

fn names(one: &Shown) -> String {
    const MOST: usize = 8;
    match one.names.len() {
        0..=MOST => one.names.join(", "),
        many => format!("{} and {} more", one.names[..MOST].join(", "), many - MOST),
    }
}

/// How long it holds from now on: `89 days left`, `expired`.
pub(super) fn left(one: &Shown) -> String {
    let now = clock::now();
    if one.not_after < now {
        return "expired".to_owned();
    }
    if one.not_before > now {
        return "does not hold yet".to_owned();
    }
    let days = one.not_after.since(now).as_secs() / 86_400;
    format!("{} left", count(days, "day"))
}
