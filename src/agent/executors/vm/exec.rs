//! A step as a session of the machine, and the checkout on its way there.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::ending::Ending;
use super::script::{self, NO_DIRECTORY, quoted};
use super::{Vm, last_line};
use crate::agent::executors::heard::Heard;
use crate::agent::executors::pack::{READY, carry, names_in, pack, packed};
use crate::agent::executors::{End, Program, last_words};
use crate::agent::journal::Journal;
use crate::api::agent::OUTPUT_MAX;

/// Takes an archive from the input into the directory `$1`.
const UNPACK: &str = r#"cd -- "$1" && exec tar -xpf -"#;
/// Takes a file from the input.
const KEEP: &str = r#"umask 077; cat >"$1""#;

/// A command of a session: a script with its words, as the account's own shell takes it.
fn with_words(script: &str, words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("exec /bin/sh -c {} sh {}", quoted(script), words.join(" "))
}

impl Vm {
    pub(super) async fn exec(&mut self, program: &Program<'_>, journal: &Rc<Journal>) -> End {
        let token = uuid::Uuid::new_v4().simple().to_string();
        let script = self.script(program, &token);
        let heard = Rc::new(Heard::new());
        let mut child = match self.ssh.shell().spawn() {
            Ok(child) => child,
            Err(err) => return End::Failed(err),
        };
        tracing::info!(step = program.step, "step started");
        feed(&mut child, script);
        let (out, out_ended) = listen(
            child.stdout.take().expect("it was asked for"),
            (program.step, 1),
            Ending::new(&token),
            journal.clone(),
            heard.clone(),
        );
        let (err, err_ended) = listen(
            child.stderr.take().expect("it was asked for"),
            (program.step, 2),
            Ending::new(&token),
            journal.clone(),
            heard.clone(),
        );
        let mut readers = vec![out, err];
        // The session goes on for as long as anything that the step left holds its streams.
        tokio::task::spawn_local(async move {
            let _ = child.wait().await;
        });
        if program.background {
            self.readers.append(&mut readers);
            return End::Left;
        }
        let ended = async {
            // All that the step itself wrote stands before these.
            let words = tokio::join!(out_ended, err_ended);
            words.0.or(words.1).ok()
        };
        let end = match program.watch(ended, &heard, journal).await {
            Ok(Some(word)) => told(&word, program),
            Ok(None) => End::Gone(self.why_gone().await),
            Err(cut_short) => {
                self.end_everything().await;
                cut_short
            }
        };
        last_words(&mut readers, &heard).await;
        self.readers.append(&mut readers);
        end
    }

    fn script(&self, program: &Program<'_>, token: &str) -> Zeroizing<String> {
        let words: Vec<String> = program
            .words
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let step = script::Step {
            token,
            directory: &program.directory.to_string_lossy(),
            words: &words,
            attempt: &self.attempt,
        };
        let of_step = program.environment.iter();
        let of_step = of_step.map(|(name, value)| (name.as_str(), value.as_str()));
        script::step(&step, self.environment.iter().chain(of_step))
    }

    /// Why a session ended of which nobody has told how the step ended: a sentence.
    async fn why_gone(&mut self) -> String {
        if let Some(why) = self.end_of_guest().await {
            return why;
        }
        let name = self.ssh.name().to_owned();
        if self.ssh.answers().await {
            return format!("{name} ended the session in which it ran");
        }
        match self.end_of_guest().await {
            Some(why) => why,
            None => format!("the connection to {name} was lost"),
        }
    }

    /// TERM to all of the run in the machine, then, when it does not go, KILL. Whatever ends a step this way ends the run.
    pub(super) async fn end_everything(&self) {
        let script = format!("{}\n", script::end_all(&self.attempt));
        if let Err(err) = self.ssh.errand(&script).await {
            tracing::warn!(error = %err, "the processes in the machine could not be ended");
        }
    }

    /// Keeps a file in the machine; answers its path there.
    pub(super) async fn keep(&mut self, name: &str, text: &str) -> io::Result<OsString> {
        let path = self.kept.join(name);
        let command = with_words(KEEP, &[&path.to_string_lossy()]);
        let mut child = self.ssh.session(&command).spawn()?;
        feed(&mut child, Zeroizing::new(text.to_owned()));
        done(child, "a script could not be kept in the machine").await?;
        Ok(path.into())
    }

    /// Puts the checkout in its place in the machine. Ends as a step does that runs there.
    pub(super) async fn bring_checkout(
        &mut self,
        program: &Program<'_>,
        from: &Path,
        journal: &Rc<Journal>,
    ) -> End {
        let target = program.directory.to_string_lossy().into_owned();
        let ready = with_words(READY, &[&target]);
        let ready = self.ssh.session(&ready).stdin(Stdio::null()).output();
        let copy = async {
            let ready = ready.await?;
            match ready.status.code() {
                Some(0) => self.upload(from, &target).await.map(|()| None),
                Some(255) => Err(io::Error::other("the session broke off")),
                code => Ok(Some((
                    code.unwrap_or(-1),
                    [ready.stdout, ready.stderr].concat(),
                ))),
            }
        };
        match carry(program, from, journal, copy).await {
            Ok(None) => End::Exited(0),
            Ok(Some((code, text))) => {
                journal.output(program.step, 2, &text).await;
                End::Exited(code)
            }
            Err(End::Failed(_)) if !self.ssh.answers().await => End::Gone(self.why_gone().await),
            Err(end) => end,
        }
    }

    /// Copies all that is in the directory `from` into the directory `to` of the machine.
    async fn upload(&self, from: &Path, to: &str) -> io::Result<()> {
        let mut packing = pack(from, &names_in(from)?, self.owner)?;
        let archive: Stdio = packing
            .stdout
            .take()
            .expect("it was asked for")
            .try_into()?;
        let command = with_words(UNPACK, &[to]);
        let unpacking = self
            .ssh
            .session(&command)
            .stdin(archive)
            .stdout(Stdio::null())
            .spawn()?;
        let copied = done(
            unpacking,
            &format!("failed to copy to `{to}` in the machine"),
        )
        .await;
        // A packing that nobody listens to ends by that, which is no news then.
        let packed = packed(packing).await;
        copied.and(packed)
    }
}

/// Waits for a session to go well; else what it said is the error.
async fn done(child: Child, what: &str) -> io::Result<()> {
    let output = child.wait_with_output().await?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(match last_line(&output.stderr) {
        Some(words) => format!("{what}: {words}"),
        None => format!("{what}: {}", output.status),
    }))
}

/// Writes a script to its shell, which may take its time.
fn feed(child: &mut Child, script: Zeroizing<String>) {
    let mut input = child.stdin.take().expect("it was asked for");
    tokio::task::spawn_local(async move {
        // A shell that does not read it has ended, and that is told by its streams.
        let _ = input.write_all(script.as_bytes()).await;
    });
}

/// What the word of the shell means.
fn told(word: &str, program: &Program<'_>) -> End {
    if word == NO_DIRECTORY {
        let directory = program.directory.display();
        return End::Failed(io::Error::other(format!(
            "failed to make its working directory `{directory}`"
        )));
    }
    End::Exited(word.parse().unwrap_or(-1))
}

/// Copies a stream into the journal until its last writer closes it, without the word on the end of the step, which
/// comes by the other way. The journal's own pace holds it back.
fn listen(
    mut pipe: impl AsyncRead + Unpin + 'static,
    (step, stream): (u16, u8),
    mut ending: Ending,
    journal: Rc<Journal>,
    heard: Rc<Heard>,
) -> (JoinHandle<()>, oneshot::Receiver<String>) {
    let (tell, ended) = oneshot::channel();
    let reader = tokio::task::spawn_local(async move {
        let mut tell = Some(tell);
        let mut buffer = vec![0; OUTPUT_MAX];
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            let (own, word) = ending.feed(&buffer[..read]);
            if own.is_empty() {
                heard.now();
            } else {
                heard.taking(journal.output(step, stream, &own)).await;
            }
            // Told once; nobody waits for a step in the background.
            if let Some(word) = word {
                let _ = tell.take().map(|tell| tell.send(word));
            }
        }
        journal.output(step, stream, &ending.rest()).await;
    });
    (reader, ended)
}
