//! EC2 as it is on a bad day, in front of moto: busy, without room, losing answers, lagging behind, stopped in the middle of a
//! call; and on any day it knows a `ClientToken` again, which moto does not.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use crate::support::until;

/// Where a creating call is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Before EC2 has heard of it.
    Before,
    /// EC2 has done it, and nobody has heard of that.
    Between,
}

#[derive(Default)]
struct State {
    /// Answers to come, for calls of an action: status and code.
    refusals: Vec<(String, u16, String)>,
    /// Creating calls whose answer is lost.
    lose: u32,
    /// Lists that hold nothing.
    hide: u32,
    forget_tokens: bool,
    /// By `ClientToken`.
    answers: HashMap<String, Vec<u8>>,
    stop_at: Option<Phase>,
    stopped: bool,
    /// Creating calls that are not answered yet.
    under_way: u32,
    seen: Vec<String>,
}

pub struct Stub {
    pub url: String,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Stub {
    /// In front of `upstream`, as `http://127.0.0.1:5000`.
    pub fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = upstream.strip_prefix("http://").unwrap().to_owned();
        let shared: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let theirs = shared.clone();
        // Ends with the process: nobody connects once its test is over.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, upstream) = (theirs.clone(), upstream.clone());
                std::thread::spawn(move || drop(serve(stream, &upstream, &shared)));
            }
        });
        Self { url, shared }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.shared.0.lock().unwrap())
    }

    /// The next `times` calls of an action are refused.
    pub fn refuse(&self, action: &str, times: usize, status: u16, code: &str) {
        let one = (action.to_owned(), status, code.to_owned());
        self.with(|state| state.refusals.extend(std::iter::repeat_n(one, times)));
    }

    /// Nothing is refused any more.
    pub fn relent(&self) {
        self.with(|state| state.refusals.clear());
    }

    /// The answers to the next creating calls are lost.
    pub fn lose(&self, times: u32) {
        self.with(|state| state.lose = times);
    }

    /// The next lists hold nothing.
    pub fn hide(&self, times: u32) {
        self.with(|state| state.hide = times);
    }

    /// A `ClientToken` is not known again.
    pub fn forget_tokens(&self) {
        self.with(|state| state.forget_tokens = true);
    }

    /// How often an action was asked for.
    pub fn count(&self, action: &str) -> usize {
        self.with(|state| state.seen.iter().filter(|one| *one == action).count())
    }

    /// The next creating call stops there.
    pub fn stop_at(&self, phase: Phase) {
        self.with(|state| {
            state.stop_at = Some(phase);
            state.stopped = false;
        });
    }

    /// Whether a creating call has stopped.
    pub fn has_stopped(&self) -> bool {
        self.with(|state| state.stopped)
    }

    /// Lets it go on, and waits until it and those beside it have come to their end.
    pub fn go_on(&self) {
        self.with(|state| {
            state.stop_at = None;
            state.stopped = false;
        });
        self.shared.1.notify_all();
        until("what was under way is done", || {
            self.with(|state| state.under_way == 0)
        });
    }
}

fn serve(
    stream: TcpStream,
    upstream: &str,
    shared: &(Mutex<State>, Condvar),
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
        if !line.to_ascii_lowercase().starts_with("connection:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let form = String::from_utf8_lossy(&body).into_owned();
    let of = |name: &str| {
        let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
            .next()
            .unwrap_or_default()
    };
    let (action, token) = (of("Action"), of("ClientToken"));
    let creates = action == "RunInstances" && of("DryRun").is_empty();
    let mut out = stream;
    let refusal = {
        let mut state = shared.0.lock().unwrap();
        state.seen.push(action.clone());
        let at = state.refusals.iter().position(|(of, ..)| *of == action);
        at.map(|at| state.refusals.remove(at))
    };
    if let Some((_, status, code)) = refusal {
        let text = format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>of the stub</Message></Error></Errors></Response>"
        );
        return answer(&mut out, status, &text);
    }
    let _under_way = creates.then(|| UnderWay::new(&shared.0));
    if creates {
        stop(shared, Phase::Before);
    }
    let known = {
        let state = shared.0.lock().unwrap();
        state.answers.get(&token).filter(|_| creates).cloned()
    };
    let reply = match known {
        Some(reply) => reply,
        None => {
            let mut up = TcpStream::connect(upstream)?;
            up.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
            up.write_all(&body)?;
            let mut reply = Vec::new();
            up.read_to_end(&mut reply)?;
            reply
        }
    };
    if creates {
        let lost = {
            let mut state = shared.0.lock().unwrap();
            if !state.forget_tokens {
                state.answers.insert(token, reply.clone());
            }
            let lost = state.lose > 0;
            state.lose = state.lose.saturating_sub(1);
            lost
        };
        stop(shared, Phase::Between);
        if lost {
            return Ok(());
        }
    }
    if action == "DescribeInstances" {
        let hidden = {
            let mut state = shared.0.lock().unwrap();
            let hidden = state.hide > 0;
            state.hide = state.hide.saturating_sub(1);
            hidden
        };
        if hidden {
            let none = "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>";
            return answer(&mut out, 200, none);
        }
    }
    out.write_all(&reply)
}

/// A creating call, until this is dropped.
struct UnderWay<'a>(&'a Mutex<State>);

impl<'a> UnderWay<'a> {
    fn new(state: &'a Mutex<State>) -> Self {
        state.lock().unwrap().under_way += 1;
        Self(state)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().under_way -= 1;
    }
}

/// Waits there as long as the test wants.
fn stop((state, told): &(Mutex<State>, Condvar), phase: Phase) {
    let mut state = state.lock().unwrap();
    while state.stop_at == Some(phase) {
        state.stopped = true;
        state = told.wait(state).unwrap();
    }
}

fn answer(out: &mut TcpStream, status: u16, text: &str) -> std::io::Result<()> {
    write!(
        out,
        "HTTP/1.1 {status} Stub\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}
