//! What the tests of the verbs share.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

#[path = "../support/home.rs"]
mod home;
#[path = "../support/pty.rs"]
mod pty;

pub use home::{Home, PATIENCE, Said, until};

impl Home {
    /// Asks the server that has the data directory, as any HTTP client would; its head in
    /// lower case, and its body.
    pub fn http(&self, path: &str) -> (String, String) {
        let mut stream = UnixStream::connect(self.data().join("socket")).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    /// Starts the program and leaves it running; what it says is kept in pipes.
    pub fn start(&self, words: &[&str]) -> Child {
        self.command(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Sets and saves these; each from a file, since some are secrets.
    #[track_caller]
    pub fn save(&self, pairs: &[(&str, &str)]) {
        let file = self.path("value");
        for (key, value) in pairs {
            fs::write(&file, value).unwrap();
            self.run(&["settings", "set", key, "--file", file.to_str().unwrap()])
                .with_code(0);
        }
        fs::remove_file(file).unwrap();
        self.run(&["settings", "save", "--yes"]).with_code(0);
    }

    /// What a terminal shows of the program, which is given `keys`.
    pub fn on_terminal(&self, words: &[&str], keys: &str) -> String {
        let (mut ours, theirs) = pty::open();
        let mut child = self
            .command(words)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs)
            .spawn()
            .unwrap();
        ours.write_all(keys.as_bytes()).unwrap();
        let mut shown = Vec::new();
        let mut buffer = [0; 4096];
        // The last one to close the other end makes reading fail, as terminals do it.
        while let Ok(n) = ours.read(&mut buffer) {
            shown.extend_from_slice(&buffer[..n]);
        }
        child.wait().unwrap();
        String::from_utf8(shown).unwrap()
    }
}

impl Said {
    /// Each of these is a line of the output.
    #[track_caller]
    pub fn says(&self, lines: &[&str]) {
        for line in lines {
            assert!(
                self.out.lines().any(|found| found == *line),
                "no line `{line}` in\n{}\n{}",
                self.out,
                self.err
            );
        }
    }
}

/// A program that is ended when this goes away.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of loopback that nobody has now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// What a command says that is given this on its input. One that is refused early does not read all of it.
pub fn fed(command: &mut Command, input: &str) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Said::from(child.wait_with_output().unwrap())
}

/// Every file below these, links left out, and whatever goes meanwhile.
pub fn files_below(roots: &[&Path]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = roots.iter().map(|root| root.to_path_buf()).collect();
    while let Some(path) = left.pop() {
        match fs::symlink_metadata(&path).map(|meta| meta.file_type()) {
            Ok(kind) if kind.is_dir() => {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                left.extend(entries.map(|entry| entry.path()));
            }
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}
