//! How the console looks by what the surroundings say of the terminal; nothing is asked of the terminal itself.
//!
//! Pure: variables of the environment in, a look out.

use crate::console::theme::Depth;

/// What the surroundings come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Surroundings {
    /// Name or path of the theme.
    pub theme: String,
    /// Colours of the terminal.
    pub depth: Depth,
    /// Characters beyond ASCII would not be shown.
    pub ascii: bool,
}

/// What this environment says, for a theme that was chosen on the command line; a variable that is not set is empty.
pub fn read(chosen: Option<&str>, env: impl Fn(&str) -> String) -> Surroundings {
    let depth = depth(&env);
    let chosen = chosen.map(str::to_owned).or_else(|| {
        let name = env("ROUNDEL_THEME");
        (!name.is_empty()).then_some(name)
    });
    let theme = if env("NO_COLOR").is_empty() {
        chosen.unwrap_or_else(|| theme(depth, &env).to_owned())
    } else {
        "mono".to_owned()
    };
    Surroundings {
        theme,
        depth,
        ascii: is_ascii(&env),
    }
}

fn depth(env: &impl Fn(&str) -> String) -> Depth {
    if matches!(env("COLORTERM").as_str(), "truecolor" | "24bit") {
        Depth::True
    } else if env("TERM").contains("256") {
        Depth::Indexed
    } else {
        Depth::Sixteen
    }
}

/// The theme that nobody chose.
fn theme(depth: Depth, env: &impl Fn(&str) -> String) -> &'static str {
    // Terminals of that family had no colours.
    if env("TERM").starts_with("vt") {
        return "mono";
    }
    // Their owner has set these sixteen to suit the ground, whatever it is.
    if depth == Depth::Sixteen {
        return "terminal-16";
    }
    // `15;0` is light on dark; the last number is the ground.
    let colours = env("COLORFGBG");
    let ground = colours
        .rsplit(';')
        .next()
        .and_then(|n| n.parse::<u8>().ok());
    if ground.is_some_and(|n| n == 7 || n == 15) {
        "light"
    } else {
        "dark"
    }
}

/// The locale says that characters are not UTF-8, or the console of the kernel shows no more than a few hundred of them.
fn is_ascii(env: &impl Fn(&str) -> String) -> bool {
    let mut said = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().map(env);
    let locale = said.find(|value| !value.is_empty());
    let utf8 = |locale: &String| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    env("TERM") == "linux" || locale.is_some_and(|locale| !utf8(&locale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(chosen: Option<&str>, variables: &[(&str, &str)]) -> Surroundings {
        let env = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map_or(String::new(), |(_, value)| (*value).to_owned())
        };
        read(chosen, env)
    }

    #[test]
    fn the_terminal_decides_where_nobody_has() {
        for (variables, theme, depth) in [
            (&[("TERM", "xterm-256color")][..], "dark", Depth::Indexed),
            (
                &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
                "dark",
                Depth::True,
            ),
            (
                &[("TERM", "xterm-256color"), ("COLORFGBG", "0;15")],
                "light",
                Depth::Indexed,
            ),
            (
                &[("TERM", "xterm-256color"), ("COLORFGBG", "15;0")],
                "dark",
                Depth::Indexed,
            ),
            (&[("TERM", "linux")], "terminal-16", Depth::Sixteen),
            (
                &[("TERM", "screen"), ("COLORFGBG", "0;15")],
                "terminal-16",
                Depth::Sixteen,
            ),
            (&[("TERM", "vt220")], "mono", Depth::Sixteen),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
                "mono",
                Depth::Indexed,
            ),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "")],
                "dark",
                Depth::Indexed,
            ),
            (
                &[("TERM", "linux"), ("ROUNDEL_THEME", "light")],
                "light",
                Depth::Sixteen,
            ),
        ] {
            let seen = by(None, variables);
            assert_eq!(
                (seen.theme.as_str(), seen.depth),
                (theme, depth),
                "{variables:?}"
            );
        }
        assert_eq!(
            by(Some("light"), &[("ROUNDEL_THEME", "dark")]).theme,
            "light"
        );
        assert_eq!(by(Some("light"), &[("NO_COLOR", "1")]).theme, "mono");
    }

    #[test]
    fn a_locale_without_utf_8_is_drawn_in_ascii() {
        for (variables, ascii) in [
            (&[][..], false),
            (&[("LANG", "C.UTF-8")], false),
            (&[("LANG", "de_DE.utf8")], false),
            (&[("LANG", "C")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "POSIX")], true),
            (&[("LANG", "C"), ("LC_CTYPE", "C.UTF-8")], false),
            (&[("LANG", "de_DE.ISO-8859-1")], true),
            (&[("LANG", "C.UTF-8"), ("TERM", "linux")], true),
        ] {
            assert_eq!(by(None, variables).ascii, ascii, "{variables:?}");
        }
    }
}
