//! Hides secrets in output before it is spooled: nothing of them reaches a disk, a server or a log.
//!
//! All forms of all secrets are searched for at once, over the edges of whatever pieces output comes in. A line break does
//! not end a form of [`WRAPPED`] bytes or more, since `base64`, `xxd` and the like break their lines where they please.
//! Text that may be the beginning of a secret is held back until it is decided, its stream ends, or, when it is
//! shorter than any secret, for a moment. Knows nothing of steps, and of where output goes.

mod forms;

use std::collections::HashMap;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::{contiguous, noncontiguous};
use aho_corasick::{Anchored, MatchKind, dfa};

use crate::secret::{CHARS_MIN, Secret};

/// What stands where a secret was, as CircleCI writes it.
pub(super) const STARS: &[u8] = b"****";

/// Bytes from which on a form is also found when line breaks cut it: a short one would be found in columns of numbers.
const WRAPPED: usize = 16;

/// Bytes from which on what may be the beginning of a secret is hidden when its stream ends in it: no text ends so by chance.
const BEGUN: usize = 8;

/// Most bytes that are held back: more than the longest form has. Only endless line breaks inside of one come to it.
const HELD_MAX: usize = 256 * 1024;

/// Most states of an automaton that is laid out for speed: about 2 MiB.
const FAST_STATES: usize = 4096;

/// What is to be hidden.
#[derive(Debug)]
pub(super) struct Mask {
    automaton: Machine,
    /// How far into a form a state is.
    depths: HashMap<StateID, usize>,
    start: StateID,
}

#[derive(Debug)]
enum Machine {
    Fast(dfa::DFA),
    Small(contiguous::NFA),
}

/// One stream of output as it is searched.
#[derive(Debug)]
pub(super) struct Stream {
    state: StateID,
    /// What is not let go yet.
    held: Vec<u8>,
    /// Parts of it that are hidden, in order and apart.
    hidden: Vec<(usize, usize)>,
    /// Bytes of the line that were let go already.
    shown: usize,
    /// The last of them were stars.
    starred: bool,
    /// Where the line begins before which nothing is hidden any more: it was shown at its end.
    floor: usize,
    /// Where the last line begins, and how many of its bytes were seen; counted as far as a secret is too short.
    line: (usize, usize),
}

impl Mask {
    /// Of these secrets; `None` when there is nothing to hide.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Option<Self> {
        let mut forms: Vec<Vec<u8>> = Vec::new();
        for secret in secrets {
            forms.extend(forms::forms(secret.expose()));
        }
        if forms.is_empty() {
            return None;
        }
        // The search needs every match, also inside of others; without the end of one it would stop there.
        let plain = noncontiguous::Builder::new()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(&forms)
            .expect("all forms together are far shorter than what an automaton can hold");
        let states: usize = forms.iter().map(Vec::len).sum();
        let ((start, depths), automaton) = if states <= FAST_STATES {
            let fast = dfa::Builder::new()
                .prefilter(false)
                .build_from_noncontiguous(&plain)
                .expect("it was small enough");
            (depths(&fast, &forms), Machine::Fast(fast))
        } else {
            let small = contiguous::Builder::new()
                .prefilter(false)
                .build_from_noncontiguous(&plain)
                .expect("it is no larger than the plain one");
            (depths(&small, &forms), Machine::Small(small))
        };
        Some(Self {
            automaton,
            depths,
            start,
        })
    }

    /// A stream that begins.
    pub(super) fn stream(&self) -> Stream {
        Stream {
            state: self.start,
            held: Vec::new(),
            hidden: Vec::new(),
            shown: 0,
            starred: false,
            floor: 0,
            line: (0, CHARS_MIN),
        }
    }

    /// Takes a piece of a stream; answers what of it, and of what was held back, is decided.
    pub(super) fn feed(&self, stream: &mut Stream, piece: &[u8]) -> Vec<u8> {
        let from = stream.held.len();
        stream.held.extend_from_slice(piece);
        match &self.automaton {
            Machine::Fast(automaton) => self.search(automaton, stream, from),
            Machine::Small(automaton) => self.search(automaton, stream, from),
        }
        let keep = self.undecided(stream);
        stream.let_go(if keep > HELD_MAX { 0 } else { keep })
    }

    /// At the end of a stream: lets go of all that is held. What is the beginning of a secret by its length is hidden.
    pub(super) fn finish(&self, stream: &mut Stream) -> Vec<u8> {
        let held = stream.held.len();
        if held >= BEGUN && self.depth(stream.state) >= BEGUN {
            stream.hide(0, held);
        }
        stream.let_go(0)
    }

    /// A whole text, without what is hidden.
    pub(super) fn whole(&self, text: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut clean = self.feed(&mut stream, text);
        clean.extend(self.finish(&mut stream));
        clean
    }

    fn depth(&self, state: StateID) -> usize {
        self.depths.get(&state).copied().unwrap_or_default()
    }

    /// Number of bytes at the end that may be the beginning of a secret.
    fn undecided(&self, stream: &Stream) -> usize {
        let held = &stream.held;
        let depth = self.depth(stream.state);
        let mut begin = back(held, held.len(), depth);
        // What is hidden already is hidden whatever follows.
        if let Some((from, to)) = stream.hidden.last()
            && *from <= begin
        {
            begin = begin.max(*to);
        }
        begin = begin.max(stream.floor);
        if held[begin..].iter().all(|byte| is_break(*byte)) {
            return 0;
        }
        held.len() - begin
    }

    fn search(&self, automaton: &impl Automaton, stream: &mut Stream, from: usize) {
        let mut state = stream.state;
        let mut at = from;
        while let Some(byte) = stream.held.get(at).copied() {
            at += 1;
            if is_break(byte) {
                // A line is shown at its end, whatever its last few bytes are.
                if self.depth(state) < CHARS_MIN {
                    stream.floor = at;
                }
                stream.line = (at, 0);
                continue;
            }
            state = automaton.next_state(Anchored::No, state, byte);
            let (line, seen) = &mut stream.line;
            if *seen < CHARS_MIN {
                *seen += 1;
                // What goes on from the line before may turn out to be as few bytes later.
                if (*seen + 1..CHARS_MIN).contains(&self.depth(state)) {
                    stream.floor = *line;
                }
            }
            if !automaton.is_special(state) || !automaton.is_match(state) {
                continue;
            }
            for index in 0..automaton.match_len(state) {
                let length = automaton.pattern_len(automaton.match_pattern(state, index));
                let begin = back(&stream.held, at, length);
                // It may have begun before what is held.
                let line = at + if begin == 0 { stream.shown } else { 0 };
                let broken = stream.held[begin..at].iter().any(|byte| is_break(*byte));
                if length >= WRAPPED || !broken && line - begin >= length {
                    stream.hide(begin.max(stream.floor), at);
                }
            }
        }
        stream.state = state;
    }
}

/// How far into a form each state is: along a form the automaton is in the state of that beginning.
fn depths(automaton: &impl Automaton, forms: &[Vec<u8>]) -> (StateID, HashMap<StateID, usize>) {
    let start = automaton
        .start_state(Anchored::No)
        .expect("it was made to search anywhere");
    let mut depths = HashMap::new();
    for form in forms {
        let mut state = start;
        for (before, byte) in form.iter().enumerate() {
            state = automaton.next_state(Anchored::No, state, *byte);
            depths.insert(state, before + 1);
        }
    }
    (start, depths)
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Where the `count` bytes before `end` begin that are no line breaks; 0 when there are fewer.
fn back(text: &[u8], end: usize, count: usize) -> usize {
    let (mut at, mut left) = (end, count);
    while left > 0 && at > 0 {
        at -= 1;
        left -= usize::from(!is_break(text[at]));
    }
    at
}

impl Stream {
    /// Hides a part of what is held, that ends no earlier than those before.
    fn hide(&mut self, mut begin: usize, end: usize) {
        while let Some((earlier, _)) = self.hidden.pop_if(|(_, last)| *last >= begin) {
            begin = begin.min(earlier);
        }
        self.hidden.push((begin, end));
    }

    /// Lets go of all but the last `keep` bytes, with stars for what is hidden; line breaks stay.
    fn let_go(&mut self, keep: usize) -> Vec<u8> {
        let end = self.held.len() - keep;
        let mut clean = Vec::with_capacity(end);
        let mut at = 0;
        for (begin, last) in &mut self.hidden {
            let (from, to) = ((*begin).min(end), (*last).min(end));
            if at < from {
                clean.extend_from_slice(&self.held[at..from]);
                self.starred = false;
            }
            for byte in &self.held[from..to] {
                if is_break(*byte) {
                    clean.push(*byte);
                    self.starred = false;
                } else if !std::mem::replace(&mut self.starred, true) {
                    clean.extend_from_slice(STARS);
                }
            }
            at = at.max(to);
            (*begin, *last) = (begin.saturating_sub(end), last.saturating_sub(end));
        }
        if at < end {
            clean.extend_from_slice(&self.held[at..end]);
            self.starred = false;
        }
        self.hidden.retain(|(_, last)| *last > 0);
        let last_break = self.held[..end].iter().rposition(|byte| is_break(*byte));
        self.shown = last_break.map_or(self.shown + end, |at| end - at - 1);
        self.floor = self.floor.saturating_sub(end);
        self.line.0 = self.line.0.saturating_sub(end);
        self.held.drain(..end);
        clean
    }

    /// Whether something is held that a pause would let go.
    pub(super) fn waits(&self) -> bool {
        (1..CHARS_MIN).contains(&self.held.len())
    }

    /// After a pause: what is too short to be a secret is let go. Should it go on as one, the rest is still hidden.
    pub(super) fn pause(&mut self) -> Vec<u8> {
        if self.waits() {
            self.let_go(0)
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
