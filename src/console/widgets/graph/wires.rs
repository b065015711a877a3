//! Wires between two columns of a graph. What leads to the same places shares one upright; crossings are drawn as such.

use std::collections::{BTreeMap, BTreeSet};

/// Directions in which a cell is connected.
const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// Lines that lead to the same lines.
struct Bundle {
    from: BTreeSet<u16>,
    to: BTreeSet<u16>,
}

impl Bundle {
    fn is_straight(&self) -> bool {
        self.from == self.to && self.from.len() == 1
    }

    fn span(&self) -> (u16, u16) {
        let all = self.from.iter().chain(&self.to);
        (
            all.clone().min().copied().unwrap_or(0),
            all.max().copied().unwrap_or(0),
        )
    }
}

fn bundles(pairs: &[(u16, u16)]) -> Vec<Bundle> {
    let mut targets: BTreeMap<u16, BTreeSet<u16>> = BTreeMap::new();
    for (from, to) in pairs {
        targets.entry(*from).or_default().insert(*to);
    }
    let mut shared: BTreeMap<BTreeSet<u16>, BTreeSet<u16>> = BTreeMap::new();
    for (from, to) in targets {
        shared.entry(to).or_default().insert(from);
    }
    let mut bundles: Vec<Bundle> = shared
        .into_iter()
        .map(|(to, from)| Bundle { from, to })
        .collect();
    // The upright of what starts lower stands further left, so that its way out crosses fewer others.
    bundles.sort_by_key(|bundle| std::cmp::Reverse(bundle.span().0));
    bundles
}

/// Cells between two columns that their wires take: two before the first upright, three from the last to a box.
pub(super) fn width(pairs: &[(u16, u16)]) -> u16 {
    let uprights = bundles(pairs)
        .iter()
        .filter(|bundle| !bundle.is_straight())
        .count();
    4 + 2 * u16::try_from(uprights.max(1)).unwrap_or(u16::MAX / 4)
}

/// The cells of the wires in a gutter of `width` cells: column, line and glyph.
pub(super) fn draw(
    pairs: &[(u16, u16)],
    width: u16,
    to_box: impl Fn(u16) -> bool,
) -> Vec<(u16, u16, char)> {
    let mut cells: BTreeMap<(u16, u16), u8> = BTreeMap::new();
    let mut upright = 2;
    for bundle in bundles(pairs) {
        if bundle.is_straight() {
            for y in &bundle.from {
                across(&mut cells, *y, 0, width);
            }
            continue;
        }
        let at = upright;
        upright += 2;
        for y in &bundle.from {
            across(&mut cells, *y, 0, at);
            *cells.entry((at, *y)).or_default() |= LEFT;
        }
        for y in &bundle.to {
            across(&mut cells, *y, at + 1, width);
            *cells.entry((at, *y)).or_default() |= RIGHT;
        }
        let (top, bottom) = bundle.span();
        for y in top..bottom {
            *cells.entry((at, y)).or_default() |= DOWN;
            *cells.entry((at, y + 1)).or_default() |= UP;
        }
    }
    let heads: BTreeSet<(u16, u16)> = pairs
        .iter()
        .filter(|(_, to)| to_box(*to))
        .map(|(_, to)| (width - 1, *to))
        .collect();
    let glyphs = cells.into_iter().map(|((x, y), bits)| {
        (
            x,
            y,
            if heads.contains(&(x, y)) {
                '▶'
            } else {
                glyph(bits)
            },
        )
    });
    glyphs.collect()
}

fn across(cells: &mut BTreeMap<(u16, u16), u8>, y: u16, from: u16, to: u16) {
    for x in from..to {
        *cells.entry((x, y)).or_default() |= LEFT | RIGHT;
    }
}

fn glyph(bits: u8) -> char {
    const UPRIGHT: u8 = UP | DOWN;
    const LEVEL: u8 = LEFT | RIGHT;
    match bits {
        UPRIGHT | UP | DOWN => '│',
        LEVEL | LEFT | RIGHT => '─',
        b if b == DOWN | RIGHT => '╭',
        b if b == DOWN | LEFT => '╮',
        b if b == UP | RIGHT => '╰',
        b if b == UP | LEFT => '╯',
        b if b == UPRIGHT | RIGHT => '├',
        b if b == UPRIGHT | LEFT => '┤',
        b if b == LEVEL | DOWN => '┬',
        b if b == LEVEL | UP => '┴',
        0 => ' ',
        _ => '┼',
    }
}
