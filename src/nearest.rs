//! The nearest known name, for hints.
//!
//! Knows nothing of what the names stand for.

/// Names longer than this are not compared, in characters.
const MAX_LENGTH: usize = 64;
/// No more candidates than this are compared.
const MAX_CANDIDATES: usize = 1_000;

/// The candidate that differs least from `name`, if it differs by no more than a third of its letters; upper and
/// lower case, `-` and `_` count as the same. The first wins among equals.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = folded(name)?;
    let limit = (name.len() / 3).max(1);
    candidates
        .take(MAX_CANDIDATES)
        .filter_map(|candidate| Some((distance(&name, &folded(candidate)?), candidate)))
        .filter(|&(distance, candidate)| distance <= limit && distance < candidate.len())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

fn folded(name: &str) -> Option<Vec<char>> {
    let fold = |c: char| {
        if c == '_' {
            '-'
        } else {
            c.to_ascii_lowercase()
        }
    };
    let letters: Vec<char> = name.chars().take(MAX_LENGTH + 1).map(fold).collect();
    (letters.len() <= MAX_LENGTH).then_some(letters)
}

/// Optimal string alignment: insertions, deletions, replacements, and neighbours swapped count one each.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_name_meant() {
        let known = ["steps", "environment", "save_cache", "run", "name"];
        let cases = [
            ("stpes", Some("steps")),
            ("enviroment", Some("environment")),
            ("save-cache", Some("save_cache")),
            ("Run", Some("run")),
            ("run", Some("run")),
            ("zzz", None),
            ("", None),
            ("x", None),
        ];
        for (written, meant) in cases {
            assert_eq!(nearest(written, known.into_iter()), meant, "{written}");
        }
        assert_eq!(nearest(&"x".repeat(65), ["x"].into_iter()), None);
    }
}
