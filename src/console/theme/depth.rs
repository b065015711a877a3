//! How many colours a terminal has, and which of its own is nearest to one it has not.

/// How many colours the terminal has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The 256 of xterm.
    Indexed,
    /// The sixteen.
    Sixteen,
}

/// Levels of the colour cube of xterm's 256 colours.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

pub(super) fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    let level = |v: u8| {
        (0..6)
            .min_by_key(|i| CUBE[usize::from(*i)].abs_diff(v))
            .unwrap_or(0)
    };
    let (lr, lg, lb) = (level(r), level(g), level(b));
    let cube = (
        CUBE[usize::from(lr)],
        CUBE[usize::from(lg)],
        CUBE[usize::from(lb)],
    );
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let step = u8::try_from(mean.saturating_sub(3) / 10)
        .unwrap_or(23)
        .min(23);
    let grey = 8 + 10 * step;
    if distance((r, g, b), (grey, grey, grey)) < distance((r, g, b), cube) {
        232 + step
    } else {
        16 + 36 * lr + 6 * lg + lb
    }
}

/// The sixteen colours as most terminals show them; their order is the palette's.
const SIXTEEN: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (170, 0, 0),
    (0, 170, 0),
    (170, 85, 0),
    (0, 0, 170),
    (170, 0, 170),
    (0, 170, 170),
    (170, 170, 170),
    (85, 85, 85),
    (255, 85, 85),
    (85, 255, 85),
    (255, 255, 85),
    (85, 85, 255),
    (255, 85, 255),
    (85, 255, 255),
    (255, 255, 255),
];

pub(super) fn nearest_16(r: u8, g: u8, b: u8) -> u8 {
    let best = SIXTEEN
        .iter()
        .enumerate()
        .min_by_key(|(_, c)| distance((r, g, b), **c));
    best.map_or(7, |(i, _)| i as u8)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    2 * square(a.0, b.0) + 4 * square(a.1, b.1) + 3 * square(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminals_own_colours_are_found() {
        for (rgb, index) in [
            ((0, 0, 0), 0),
            ((170, 0, 0), 1),
            ((85, 85, 255), 12),
            ((255, 255, 255), 15),
        ] {
            assert_eq!(nearest_16(rgb.0, rgb.1, rgb.2), index);
        }
        for (rgb, index) in [
            ((0, 0, 0), 16),
            ((255, 0, 0), 196),
            ((95, 135, 175), 67),
            ((8, 8, 8), 232),
            ((238, 238, 238), 255),
        ] {
            assert_eq!(nearest_256(rgb.0, rgb.1, rgb.2), index, "{rgb:?}");
        }
    }
}
