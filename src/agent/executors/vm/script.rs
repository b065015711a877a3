//! What is said to the shell of a machine: POSIX words that dash, bash and busybox understand alike.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::processes::MARK;
use crate::secret::is_variable;

/// Variables that a shell keeps to itself: giving them a value would end a shell that is to give it.
const OWN: [&str; 6] = [
    "BASHOPTS",
    "BASH_VERSINFO",
    "EUID",
    "PPID",
    "SHELLOPTS",
    "UID",
];

/// The inside of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    pub uid: u32,
    pub gid: u32,
    pub home: PathBuf,
    /// Where files of the run are kept, besides the project.
    pub kept: PathBuf,
    pub bash: bool,
}

/// A word that the shell takes as it is.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What the guard does: tells, waits, clears up.
pub(super) fn guard(attempt: &str) -> String {
    format!(
        r#"umask 077
kept=${{HOME:-/}}/.roundel-{attempt}
mkdir -p "$kept" && : >"$kept/bash_env" || exit 1
echo "{attempt} uid $(id -u)"
echo "{attempt} gid $(id -g)"
[ -x /bin/bash ] && echo "{attempt} bash yes"
echo "{attempt} home ${{HOME:-/}}"
echo "{attempt} kept $kept"
echo "{attempt} end"
cat >/dev/null
{end}
rm -rf "$kept"
"#,
        end = end_all(attempt)
    )
}

/// Reads what the guard told, without the attempt before each line.
pub(super) fn inside(text: &str) -> Option<Inside> {
    let find = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let path = |key: &str| find(key).filter(|path| path.starts_with('/'));
    Some(Inside {
        uid: find("uid ")?.parse().ok()?,
        gid: find("gid ")?.parse().ok()?,
        home: path("home ")?.into(),
        kept: path("kept ")?.into(),
        bash: find("bash ").is_some(),
    })
}

/// Asks all processes of the run to end, and after five seconds makes them. They are known by the mark in their
/// environment, whoever their parent is by now.
pub(super) fn end_all(attempt: &str) -> String {
    format!(
        r#"left() {{
  for p in /proc/[0-9]*; do
    [ -e "$p/exe" ] || continue
    case $(tr '\0' '\n' <"$p/environ") in *{MARK}={attempt}*) echo "${{p#/proc/}}" ;; esac
  done 2>/dev/null
}}
pids=$(left)
[ -z "$pids" ] || kill -TERM $pids 2>/dev/null
n=0
while [ "$n" -lt 50 ] && [ -n "$(left)" ]; do
  sleep 0.1 2>/dev/null || {{ sleep 1; n=$((n + 9)); }}
  n=$((n + 1))
done
n=0
while [ "$n" -lt 20 ] && pids=$(left) && [ -n "$pids" ]; do
  kill -KILL $pids 2>/dev/null
  n=$((n + 1))
done"#
    )
}

/// What a step is to its shell.
pub(super) struct Step<'a> {
    /// Marks the end on both streams.
    pub token: &'a str,
    pub directory: &'a str,
    pub words: &'a [String],
    pub attempt: &'a str,
}

/// Word in place of an exit code when there is no such directory, and none can be made.
pub(super) const NO_DIRECTORY: &str = "directory";

/// A step: goes to its directory, which is made when it is missing, and runs the program with these variables. Then it
/// says on both streams that the step is over, and how: what a step leaves running may hold them open for long.
pub(super) fn step<'a>(
    step: &Step<'_>,
    variables: impl Iterator<Item = (&'a str, &'a str)>,
) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    let Step {
        token,
        directory,
        words,
        attempt,
    } = step;
    let directory = quoted(directory);
    *text = format!(
        r#"over() {{
  printf '\036%s %s\n' {token} "$1"
  printf '\036%s %s\n' {token} "$1" >&2
  exit 0
}}
[ -d {directory} ] || mkdir -p -- {directory} || over {NO_DIRECTORY}
cd -- {directory} || over {NO_DIRECTORY}
unset OLDPWD SSH_CLIENT SSH_CONNECTION SSH_TTY
(
"#
    );
    for (name, value) in variables.filter(|(name, _)| holds(name)) {
        // Grown by parts, so that no copy with a value in it is left behind unwiped.
        text.reserve(name.len() + value.len() * 4 + 16);
        text.push_str("export ");
        text.push_str(name);
        text.push_str("='");
        for (n, part) in value.split('\'').enumerate() {
            if n > 0 {
                text.push_str(r"'\''");
            }
            text.push_str(part);
        }
        text.push_str("'\n");
    }
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let rest = format!(
        "export {MARK}={attempt}\nexec {words}\n) </dev/null\nover \"$?\"\n",
        words = words.join(" ")
    );
    text.reserve(rest.len());
    text.push_str(&rest);
    text
}

/// Whether a shell can be given a variable of this name.
pub(super) fn holds(name: &str) -> bool {
    is_variable(name) && !OWN.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// What a shell of this machine makes of a script: its output and its errors.
    fn said(script: &str) -> (String, String) {
        let mut child = Command::new("/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(script.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }

    fn run(directory: &str, words: &[&str], variables: &[(&str, &str)]) -> (String, String) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let script = step(
            &Step {
                token: "T",
                directory,
                words: &words,
                attempt: "a",
            },
            variables.iter().copied(),
        );
        said(&script)
    }

    #[test]
    fn a_step_gets_its_words_variables_and_directory_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("it's new/$HOME");
        let place = place.to_str().unwrap();
        let odd = "a'b\"c$d`e\\f\ng *\t";
        let (out, err) = run(
            place,
            &[
                "/bin/sh",
                "-c",
                r#"printf '%s|' "$A" "$PWD" "$1" "$ROUNDEL_ATTEMPT"; echo "$B"; echo err >&2"#,
                "sh",
                odd,
            ],
            &[
                ("A", odd),
                ("B", "first"),
                ("B", "second"),
                ("UID", "7"),
                ("A-B", "no"),
            ],
        );
        assert_eq!(out, format!("{odd}|{place}|{odd}|a|second\n\u{1e}T 0\n"));
        assert_eq!(err, "err\n\u{1e}T 0\n");
    }

    #[test]
    fn the_end_of_a_step_is_told_with_its_code() {
        let cases: [(&[&str], &str); 4] = [
            (&["/bin/sh", "-c", "exit 7"], "7"),
            (&["/bin/sh", "-c", "kill -TERM $$"], "143"),
            (&["/does/not/exist"], "127"),
            (&["/bin/sh", "-c", "exit 255"], "255"),
        ];
        for (words, code) in cases {
            let (out, err) = run("/", words, &[]);
            assert_eq!(out, format!("\u{1e}T {code}\n"), "{words:?}");
            assert!(err.ends_with(&format!("\u{1e}T {code}\n")), "{err}");
        }
        let (out, _) = run("/dev/null/x", &["/bin/true"], &[]);
        assert_eq!(out, format!("\u{1e}T {NO_DIRECTORY}\n"));
    }

    #[test]
    fn the_guard_tells_and_then_clears_up() {
        let home = tempfile::tempdir().unwrap();
        let attempt = format!("test-{}", std::process::id());
        let mut left = Command::new("setsid")
            .args(["sh", "-c", "trap '' TERM; sleep 60 & wait"])
            .env(MARK, &attempt)
            .spawn()
            .unwrap();
        let mut child = Command::new("/bin/sh")
            .env("HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        // Fewer rounds than five seconds: what it waits for here never listens.
        let script = guard(&attempt).replace("-lt 50", "-lt 2");
        input.write_all(script.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        left.wait().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let facts = text.replace(&format!("{attempt} "), "");
        let found = inside(&facts).unwrap();
        assert_eq!(found.home, home.path());
        assert_eq!(found.uid, rustix::process::geteuid().as_raw());
        assert!(facts.ends_with("end\n"), "{facts}");
        assert!(found.kept.starts_with(home.path()) && !found.kept.exists());
        assert_eq!(crate::processes::marked(&attempt, None), Vec::<u32>::new());
    }

    #[test]
    fn what_is_no_inside_is_none() {
        assert_eq!(inside("uid 0\ngid 0\nhome relative\nkept /x\n"), None);
        assert_eq!(inside(""), None);
    }
}
