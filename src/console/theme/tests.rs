//! What every theme must keep, told by numbers: contrast, and states that stay apart for eyes that see fewer colours.

use super::*;
use crate::console::marks;
use ratatui::style::{Color, Modifier};
use roundel::api::builds::{Status, StepStatus};

const TEXTS: [Role; 12] = [
    Role::Text,
    Role::Strong,
    Role::Muted,
    Role::Accent,
    Role::Link,
    Role::Ok,
    Role::Running,
    Role::Waiting,
    Role::Failed,
    Role::Canceled,
    Role::Warning,
    Role::Match,
];
const STATES: [Role; 6] = [
    Role::Ok,
    Role::Running,
    Role::Waiting,
    Role::Failed,
    Role::Canceled,
    Role::Warning,
];

/// Themes that choose their colours themselves, and the least contrast of each.
const TRUE: [(&str, f64); 4] = [
    ("dark", 4.5),
    ("light", 4.5),
    ("high-contrast", 7.0),
    ("colour-blind-safe", 4.5),
];

/// Red, green and blue as light, from 0 to 1.
fn light(colour: Option<Color>) -> [f64; 3] {
    let Some(Color::Rgb(r, g, b)) = colour else {
        panic!("not a colour: {colour:?}")
    };
    [r, g, b].map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    })
}

fn luminance(colour: Option<Color>) -> f64 {
    let [r, g, b] = light(colour);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// How eyes without one kind of cones see light: the matrices of Machado, Oliveira and Fernandes (2009), in full severity.
type Eyes = [[f64; 3]; 3];
const USUAL: Eyes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
const PROTANOPIA: Eyes = [
    [0.152_286, 1.052_583, -0.204_868],
    [0.114_503, 0.786_281, 0.099_216],
    [-0.003_882, -0.048_116, 1.051_998],
];
const DEUTERANOPIA: Eyes = [
    [0.367_322, 0.860_646, -0.227_968],
    [0.280_085, 0.672_501, 0.047_413],
    [-0.011_820, 0.042_940, 0.968_881],
];

/// A colour as these eyes see it, in CIE L*a*b*.
fn seen(colour: Option<Color>, eyes: &Eyes) -> [f64; 3] {
    let c = light(colour);
    let [r, g, b] = eyes.map(|row| (row[0] * c[0] + row[1] * c[1] + row[2] * c[2]).clamp(0.0, 1.0));
    let f = |t: f64| {
        if t > 0.008_856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    };
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47);
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// The least difference (CIE 1976; 2.3 is just noticed side by side) between two states of a theme.
fn least_difference(theme: &Theme, eyes: &Eyes) -> (f64, Role, Role) {
    let colour = |role| seen(theme.style(role).fg, eyes);
    let pairs = STATES
        .iter()
        .enumerate()
        .flat_map(|(i, a)| STATES[i + 1..].iter().map(move |b| (*a, *b)));
    let told = pairs.map(|(a, b)| {
        let (p, q) = (colour(a), colour(b));
        let square: f64 = p.iter().zip(q).map(|(x, y)| (x - y).powi(2)).sum();
        (square.sqrt(), a, b)
    });
    told.min_by(|x, y| x.0.total_cmp(&y.0)).unwrap()
}

#[test]
fn every_text_role_is_readable_on_every_ground() {
    for (name, least) in TRUE {
        let theme = Theme::named(name, Depth::True).unwrap();
        for ground in [Role::Base, Role::Raised, Role::Selected] {
            for role in TEXTS {
                let (a, b) = (
                    luminance(theme.style(role).fg),
                    luminance(theme.style(ground).bg),
                );
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(
                    contrast >= least,
                    "{name}: {role:?} on {ground:?} is {contrast:.1}"
                );
            }
        }
    }
}

#[test]
fn states_stay_apart_for_eyes_that_see_no_red_or_no_green() {
    let theme = Theme::named("colour-blind-safe", Depth::True).unwrap();
    for (eyes, name) in [
        (USUAL, "usual"),
        (PROTANOPIA, "protanopia"),
        (DEUTERANOPIA, "deuteranopia"),
    ] {
        let (least, a, b) = least_difference(&theme, &eyes);
        assert!(
            least >= 20.0,
            "{name}: {a:?} and {b:?} differ by {least:.1}"
        );
    }
    // The measure means something: the dark theme does not pass it, which is why there is another.
    let dark = Theme::named("dark", Depth::True).unwrap();
    assert!(least_difference(&dark, &DEUTERANOPIA).0 < 10.0);
    assert!(least_difference(&dark, &USUAL).0 >= 15.0);
}

#[test]
fn no_state_is_told_by_its_colour_alone() {
    let statuses = [
        Status::Blocked,
        Status::Queued,
        Status::Running,
        Status::Failing,
        Status::Success,
        Status::Failed,
        Status::Canceled,
        Status::NotRun,
        Status::InfrastructureFail,
        Status::Timedout,
        Status::Errored,
    ];
    let steps = [
        StepStatus::Waiting,
        StepStatus::Running,
        StepStatus::Success,
        StepStatus::Failed,
        StepStatus::Skipped,
        StepStatus::Canceled,
        StepStatus::Timedout,
    ];
    for all in [
        statuses.map(marks::status).to_vec(),
        steps.map(marks::step).to_vec(),
    ] {
        for (i, a) in all.iter().enumerate() {
            assert!(!a.glyph.trim().is_empty() && !a.word.is_empty(), "{a:?}");
            for b in &all[i + 1..] {
                assert_ne!(a.word, b.word, "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn mono_names_no_colour_and_terminal_16_only_those_of_the_terminal() {
    let mono = Theme::named("mono", Depth::True).unwrap();
    let bare = |style: &Style| style.fg.is_none() && style.bg.is_none();
    assert!(mono.styles.iter().all(bare));
    let sixteen = Theme::named("terminal-16", Depth::True).unwrap();
    let own = |colour: Option<Color>| !matches!(colour, Some(Color::Rgb(..) | Color::Indexed(_)));
    assert!(
        sixteen
            .styles
            .iter()
            .all(|style| own(style.fg) && own(style.bg))
    );
    for theme in [&mono, &sixteen] {
        let selected = theme.style(Role::Selected).add_modifier;
        assert!(selected.contains(Modifier::REVERSED));
        assert!(theme.is_flat(), "dialogs get a frame");
    }
    for (i, a) in STATES.iter().enumerate() {
        for b in &STATES[i + 1..] {
            assert_ne!(sixteen.style(*a), sixteen.style(*b), "{a:?} {b:?}");
        }
    }
}

#[test]
fn fewer_colours_keep_the_states_apart() {
    for (name, _) in TRUE {
        for depth in [Depth::Indexed, Depth::Sixteen] {
            let theme = Theme::named(name, depth).unwrap();
            let mut states = [Role::Ok, Role::Running, Role::Waiting, Role::Failed]
                .map(|role| format!("{:?}", theme.style(role).fg));
            states.sort();
            let apart = states.windows(2).all(|two| two[0] != two[1]);
            // Sixteen are too few for a light ground and for pale colours; there, `terminal-16` is the choice.
            assert!(
                apart || (depth == Depth::Sixteen && name != "dark"),
                "{name} {depth:?}: {states:?}"
            );
        }
    }
}

#[test]
fn a_bad_theme_says_where_what_is_wrong() {
    let whole = BUILT_IN[0].1;
    for (from, to, told) in [
        (
            "waiting   = \"#e3c16f\"",
            "waiting = \"#12\"",
            "night.toml:14: `waiting`: `#12` is no colour; write #rrggbb",
        ),
        (
            "waiting   = \"#e3c16f\"",
            "waiting = \"yelow\"",
            "night.toml:14: `waiting`: `yelow` is no colour; nearest: yellow",
        ),
        (
            "waiting   = \"#e3c16f\"",
            "waiting = 3",
            "night.toml:14: `waiting`: takes a colour in quotes",
        ),
        (
            "waiting   = \"#e3c16f\"",
            "waiting = { bolt = true }",
            "night.toml:14: `waiting`: there is no `bolt`; nearest: bold",
        ),
        (
            "waiting   = \"#e3c16f\"",
            "waiting = { bold = 1 }",
            "night.toml:14: `waiting`: bold is true or false",
        ),
        (
            "waiting   = \"#e3c16f\"",
            "wating = \"#123456\"",
            "night.toml:14: there is no role `wating`; nearest: waiting",
        ),
        ("waiting   = \"#e3c16f\"", "waiting = ", "night.toml:14: "),
        ("waiting   = \"#e3c16f\"", "", "night.toml: lacks `waiting`"),
    ] {
        assert!(whole.contains(from));
        let text = whole.replace(from, to);
        let err = Theme::parse(&text, "night.toml", Depth::True).unwrap_err();
        assert!(err.to_string().starts_with(told), "{to}: {err}");
    }
    let err = Theme::named("drak", Depth::True).unwrap_err().to_string();
    assert_eq!(err, "there is no theme `drak`; nearest: dark");
}

#[test]
fn the_roles_stand_in_their_order() {
    for (i, role) in ROLES.into_iter().enumerate() {
        assert_eq!(role as usize, i, "{role:?}");
    }
}
