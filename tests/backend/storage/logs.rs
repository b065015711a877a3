//! The log store against a plain model of a log: whatever is cut off and replayed, the bytes are the same.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use roundel::api::agent::{Record, RecordBody};
use roundel::error::{Explain, Kind};
use roundel::ids::AttemptId;
use roundel::storage::logs::{
    LINE_MAX, LogStore, Pattern, READ_MAX, Start, Together, lines_plain, read_plain, search_plain,
    tail_plain,
};

/// What was written: stream, arrival and bytes of each record.
type Written = Vec<(u8, Vec<u8>)>;

fn records(step: u16, written: &Written) -> Vec<Record> {
    (1..)
        .zip(written)
        .map(|(seq, (stream, bytes))| Record {
            seq,
            micros: i64::try_from(seq).unwrap() * 10,
            body: RecordBody::Output {
                step,
                stream: *stream,
                bytes: bytes.clone(),
            },
        })
        .collect()
}

struct Store {
    folder: tempfile::TempDir,
    store: LogStore,
    attempt: AttemptId,
}

impl Store {
    fn new() -> Store {
        let folder = tempfile::tempdir().unwrap();
        let store = LogStore::open(folder.path()).unwrap();
        Store {
            folder,
            store,
            attempt: AttemptId::fresh(),
        }
    }

    fn with(written: &Written) -> Store {
        let store = Store::new();
        store
            .store
            .append(store.attempt, &records(1, written))
            .unwrap();
        store
    }

    /// The log of one step.
    fn log(&self, step: u16, stream: Option<u8>) -> Together {
        let run = [(0, self.attempt)];
        self.store.together(&run, step, stream).unwrap()
    }

    /// As after SIGKILL of the server: nothing is remembered but the files.
    fn reopen(&mut self) {
        self.store = LogStore::open(self.folder.path()).unwrap();
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder
            .path()
            .join(self.attempt.to_string())
            .join(format!("1.{extension}"))
    }

    fn bytes(&self, stream: Option<u8>) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let part = self
                .store
                .read(self.attempt, 1, stream, all.len() as u64, u64::MAX)
                .unwrap();
            if part.is_empty() {
                return all;
            }
            all.extend(part);
        }
    }
}

fn joined(written: &Written, stream: Option<u8>) -> Vec<u8> {
    written
        .iter()
        .filter(|(s, _)| stream.is_none_or(|want| want == *s))
        .flat_map(|(_, bytes)| bytes.clone())
        .collect()
}

/// The lines of a log the simple way: number, arrival, stream, text.
fn model_lines(written: &Written, stream: Option<u8>) -> Vec<(u64, i64, u8, Vec<u8>)> {
    let mut lines: Vec<(u64, i64, u8, Vec<u8>)> = Vec::new();
    let mut ended = true;
    for ((s, bytes), seq) in written.iter().zip(1..) {
        if stream.is_some_and(|want| want != *s) {
            continue;
        }
        for byte in bytes {
            if ended {
                lines.push((lines.len() as u64, seq * 10, *s, Vec::new()));
            }
            ended = *byte == b'\n';
            if !ended {
                lines.last_mut().unwrap().3.push(*byte);
            }
        }
    }
    lines
}

fn written() -> impl Strategy<Value = Written> {
    let bytes = prop_oneof![
        6 => "[a-c \n]{1,24}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 1..40),
        1 => (1..40_000_usize).prop_map(|n| vec![b'x'; n]),
    ];
    prop::collection::vec((1..=2_u8, bytes), 1..40)
}

/// What a disk or a hand may do to an index, whose entries have 64 bytes each.
#[derive(Clone, Debug)]
enum Damage {
    Flipped(u8),
    Zeroed,
    /// Whole entries lie elsewhere too.
    Moved,
    Shortened,
}

impl Damage {
    fn to(
        &self,
        bytes: &mut Vec<u8>,
        from: prop::sample::Index,
        to: prop::sample::Index,
        length: prop::sample::Index,
    ) {
        if bytes.is_empty() {
            return;
        }
        let entries = bytes.len() / 64;
        let at = from.index(bytes.len());
        let rest = length.index(bytes.len() - at) + 1;
        match self {
            Damage::Flipped(with) => bytes[at] ^= with | 1,
            Damage::Zeroed => bytes[at..at + rest].fill(0),
            Damage::Moved if entries > 0 => {
                let (from, to) = (from.index(entries), to.index(entries));
                let count = length.index(entries - from.max(to)) + 1;
                bytes.copy_within(from * 64..(from + count) * 64, to * 64);
            }
            Damage::Moved => {}
            Damage::Shortened => bytes.truncate(at),
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<u8>().prop_map(Damage::Flipped),
        Just(Damage::Zeroed),
        Just(Damage::Moved),
        Just(Damage::Moved),
        Just(Damage::Shortened),
    ]
}

fn cut(path: &Path, by: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(by)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cut_anywhere_and_a_replay_give_the_same_bytes(
        written in written(),
        log_cut in 0..200_u64,
        index_cut in 0..200_u64,
        batches in prop::collection::vec(1..9_usize, 1..9),
        from in any::<prop::sample::Index>(),
    ) {
        let mut store = Store::with(&written);
        cut(&store.file("log"), log_cut);
        cut(&store.file("idx"), index_cut);
        store.reopen();
        let kept = store.store.last_seq(store.attempt);
        let before = store.bytes(None);
        prop_assert!(joined(&written, None).starts_with(&before), "what is left is a prefix");
        prop_assert_eq!(store.store.len(store.attempt, 1), before.len() as u64);

        // The agent comes again from any record it is not sure of, in batches of any size.
        let all = records(1, &written);
        let mut rest = &all[from.index(usize::try_from(kept).unwrap() + 1)..];
        for size in batches.iter().cycle() {
            let (batch, after) = rest.split_at(rest.len().min(*size));
            store.store.append(store.attempt, batch).unwrap();
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        for stream in [None, Some(1), Some(2)] {
            prop_assert_eq!(store.bytes(stream), joined(&written, stream));
        }
        prop_assert_eq!(fs::metadata(store.file("log")).unwrap().len(), joined(&written, None).len() as u64);
    }

    #[test]
    fn a_damaged_index_is_told_or_passed_over_and_nothing_is_made_up(
        written in written(),
        damages in prop::collection::vec((any::<[prop::sample::Index; 3]>(), damage()), 1..4),
        at in 0..60_u64,
    ) {
        let mut store = Store::with(&written);
        let path = store.file("idx");
        let mut bytes = fs::read(&path).unwrap();
        for ([from, to, length], damage) in damages {
            damage.to(&mut bytes, from, to, length);
        }
        fs::write(&path, &bytes).unwrap();
        store.reopen();
        let whole = joined(&written, None);
        for stream in [None, Some(1), Some(2)] {
            if let Ok(read) = store.store.read(store.attempt, 1, stream, at, u64::MAX) {
                // Bytes of the log, and no more than it has.
                prop_assert!(read.len() <= whole.len());
                prop_assert!(stream.is_some() || whole.windows(read.len().max(1)).any(|part| part == read) || read.is_empty());
            }
            let run = [(0, store.attempt), (1, store.attempt)];
            for runs in [&run[..1], &run] {
                let Ok(log) = store.store.together(runs, 1, stream) else { continue };
                let _ = log.lines(at, 20);
                let _ = log.tail(20);
                let _ = log.search(&Pattern::text("b").unwrap(), Start::From(at), &|| false);
                let _ = log.search(&Pattern::text("b").unwrap(), Start::Before(at), &|| false);
            }
        }
        // The agent goes on as if nothing were.
        let _ = store.store.append(store.attempt, &records(1, &written));
    }

    #[test]
    fn windows_of_lines_are_those_of_a_plain_read(
        written in written(),
        stream in prop::sample::select(vec![None, Some(1), Some(2)]),
        first in 0..60_u64,
        count in 0..20_u64,
    ) {
        let store = Store::with(&written);
        let model = model_lines(&written, stream);
        let check = |window: &roundel::api::builds::LogLines, expected: &[(u64, i64, u8, Vec<u8>)]| {
            prop_assert_eq!(window.total, model.len() as u64);
            prop_assert_eq!(window.bytes, joined(&written, stream).len() as u64);
            prop_assert_eq!(window.lines.len(), expected.len());
            for (line, (n, t, s, bytes)) in window.lines.iter().zip(expected) {
                prop_assert_eq!((line.n, line.t, line.s), (*n, *t, *s));
                let shown = bytes.len().min(usize::try_from(LINE_MAX).unwrap());
                prop_assert_eq!(line.cut, (bytes.len() - shown) as u64);
                let expected = String::from_utf8_lossy(&bytes[..shown]).into_owned();
                prop_assert_eq!(line.text.trim_end_matches('\r'), expected.trim_end_matches('\r'));
            }
            Ok(())
        };
        let from = usize::try_from(first).unwrap().min(model.len());
        let to = usize::try_from(first + count).unwrap().min(model.len());
        check(&store.log(1, stream).lines(first, count).unwrap(), &model[from..to])?;
        let tail = store.log(1, stream).tail(count).unwrap();
        check(&tail, &model[model.len() - model.len().min(usize::try_from(count).unwrap())..])?;

        let holding = |lines: &[(u64, i64, u8, Vec<u8>)]| -> Vec<u64> {
            let holds = |bytes: &[u8]| bytes.to_ascii_lowercase().windows(2).any(|pair| pair == b"ab");
            lines.iter().filter(|(.., bytes)| holds(bytes)).map(|(n, ..)| *n).collect()
        };
        let Ok(log) = store.store.together(&[(0, store.attempt)], 1, stream) else {
            return Err(TestCaseError::fail("there is a log"));
        };
        let pattern = Pattern::text("ab").unwrap();
        let found = log.search(&pattern, Start::From(first), &|| false).unwrap();
        prop_assert_eq!(found.lines, holding(&model[from..]));
        let found = log.search(&pattern, Start::Before(first), &|| false).unwrap();
        prop_assert_eq!(found.lines, holding(&model[..from]));
    }

    #[test]
    fn runs_together_are_one_log_by_time(
        runs in prop::collection::vec((written(), prop::collection::vec(0..4_i64, 40)), 1..5),
        stream in prop::sample::select(vec![None, Some(1), Some(2)]),
        first in 0..90_u64,
        count in 1..30_u64,
    ) {
        let store = Store::new();
        let attempts: Vec<_> = (0..).zip(&runs).map(|(i, _)| (i, AttemptId::fresh())).collect();
        let mut model: Vec<(i64, u32, u64, Vec<u8>)> = Vec::new();
        for ((run, attempt), (written, pauses)) in attempts.iter().zip(&runs) {
            // The same moment is common: within a run, and across them.
            let mut micros = 0;
            let mut came = Vec::new();
            let mut all = records(1, written);
            for (record, pause) in all.iter_mut().zip(pauses) {
                micros += pause;
                record.micros = micros;
                came.push(micros);
            }
            store.store.append(*attempt, &all).unwrap();
            let lines = model_lines(written, stream);
            model.extend(lines.into_iter().map(|(n, seq, _, bytes)| {
                (came[usize::try_from(seq / 10 - 1).unwrap()], *run, n, bytes)
            }));
        }
        model.sort();
        let Ok(log) = store.store.together(&attempts, 1, stream) else {
            return Err(TestCaseError::fail("there is a log"));
        };
        let from = usize::try_from(first).unwrap().min(model.len());
        let to = usize::try_from(first + count).unwrap().min(model.len());
        let window = log.lines(first, count).unwrap();
        prop_assert_eq!(window.total, model.len() as u64);
        let last = model.len() - model.len().min(usize::try_from(count).unwrap());
        for (window, expected) in [(window, &model[from..to]), (log.tail(count).unwrap(), &model[last..])] {
            prop_assert_eq!(window.lines.len(), expected.len());
            for (line, (t, run, n, bytes)) in window.lines.iter().zip(expected) {
                let shown = &bytes[..bytes.len().min(usize::try_from(LINE_MAX).unwrap())];
                let text = String::from_utf8_lossy(shown);
                prop_assert_eq!((line.t, line.text.trim_end_matches('\r')), (*t, text.trim_end_matches('\r')));
                if attempts.len() > 1 {
                    let of = line.of.unwrap();
                    prop_assert_eq!((of.run, of.n), (*run, *n));
                }
            }
        }
        let pattern = Pattern::text("ab").unwrap();
        let holds = |bytes: &[u8]| bytes.to_ascii_lowercase().windows(2).any(|pair| pair == b"ab");
        let holding: Vec<u64> = (0..).zip(&model).filter(|(_, line)| holds(&line.3)).map(|(n, _)| n).collect();
        let found = log.search(&pattern, Start::From(first), &|| false).unwrap();
        let expected: Vec<u64> = holding.iter().copied().filter(|n| *n >= first).collect();
        prop_assert_eq!(&found.lines[..], &expected[..found.lines.len()]);
        prop_assert!(!found.lines.is_empty() || expected.is_empty());
        let found = log.search(&pattern, Start::Before(first), &|| false).unwrap();
        let expected: Vec<u64> = holding.into_iter().filter(|n| *n < first).collect();
        prop_assert_eq!(&found.lines[..], &expected[expected.len() - found.lines.len()..]);
        prop_assert!(!found.lines.is_empty() || expected.is_empty());
    }

    #[test]
    fn a_plain_file_reads_as_a_log_does(text in "[a-c\n]{0,80}", first in 0..30_u64, count in 1..20_u64) {
        let written = vec![(2, text.clone().into_bytes())];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.log");
        fs::write(&path, &text).unwrap();
        let model = model_lines(&written, None);
        let texts = |lines: &[(u64, i64, u8, Vec<u8>)]| -> Vec<String> {
            lines.iter().map(|(.., bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
        };
        let from = usize::try_from(first).unwrap().min(model.len());
        let to = usize::try_from(first + count).unwrap().min(model.len());
        let window = lines_plain(&path, first, count).unwrap();
        prop_assert_eq!((window.total, window.bytes), (model.len() as u64, text.len() as u64));
        prop_assert_eq!(window.lines.into_iter().map(|line| line.text).collect::<Vec<_>>(), texts(&model[from..to]));
        let tail = tail_plain(&path, count).unwrap();
        let last = model.len() - model.len().min(usize::try_from(count).unwrap());
        prop_assert_eq!(tail.lines.into_iter().map(|line| line.text).collect::<Vec<_>>(), texts(&model[last..]));
        prop_assert_eq!(read_plain(&path, first, first + count).unwrap(), {
            let bytes = text.as_bytes();
            let at = |n: u64| usize::try_from(n).unwrap().min(bytes.len());
            bytes[at(first)..at(first + count)].to_vec()
        });
        let found = search_plain(&path, &Pattern::text("b").unwrap(), Start::From(first)).unwrap();
        prop_assert!(found.lines.iter().all(|n| *n >= first && texts(&model)[usize::try_from(*n).unwrap()].contains('b')));
    }
}

#[test]
fn what_is_kept_already_is_skipped_and_other_kinds_are_ignored() {
    let store = Store::new();
    let mut all = records(
        1,
        &vec![
            (1, b"one\n".to_vec()),
            (2, b"two\n".to_vec()),
            (1, b"three".to_vec()),
        ],
    );
    all.push(Record {
        seq: 9,
        micros: 0,
        body: RecordBody::Event(roundel::api::agent::Event::AgentStarted {
            pid: 1,
            pid_start: 2,
            version: String::new(),
        }),
    });
    assert_eq!(
        store.store.append(store.attempt, &all[..2]).unwrap(),
        [(1, 8)]
    );
    assert_eq!(store.store.append(store.attempt, &all).unwrap(), [(1, 13)]);
    assert_eq!(store.bytes(None), b"one\ntwo\nthree");
    assert_eq!(store.store.last_seq(store.attempt), 3);
    assert_eq!(
        store.store.stream_len(store.attempt, 1, Some(2)).unwrap(),
        4
    );
}

#[test]
fn a_line_of_50_mb_is_stepped_over_by_the_index() {
    let mut written: Written = vec![(1, b"before\n".to_vec())];
    written.extend((0..800).map(|_| (1, vec![b'y'; 64 * 1024])));
    written.push((2, b"\nafter\n".to_vec()));
    let store = Store::new();
    for batch in records(1, &written).chunks(8) {
        store.store.append(store.attempt, batch).unwrap();
    }
    let log = store.log(1, None);
    let window = log.lines(0, 10).unwrap();
    let texts: Vec<_> = window
        .lines
        .iter()
        .map(|line| (line.text.len() as u64, line.cut, line.s))
        .collect();
    assert_eq!(
        texts,
        [(6, 0, 1), (LINE_MAX, 800 * 65536 - LINE_MAX, 1), (5, 0, 2)]
    );
    assert_eq!(log.tail(1).unwrap().lines[0].text, "after");
    for (text, line) in [("after", 2), ("yyy", 1), ("y\na", 1)] {
        let pattern = Pattern::text(text).unwrap();
        for start in [Start::From(0), Start::Before(3)] {
            let found = log.search(&pattern, start, &|| false).unwrap();
            assert_eq!(found.lines, [line], "{text} {start:?}");
        }
    }
    assert_eq!(
        store
            .store
            .read(store.attempt, 1, None, 0, u64::MAX)
            .unwrap()
            .len() as u64,
        READ_MAX
    );
}

#[test]
fn more_steps_than_files_may_be_open_are_written_all_the_same() {
    let store = Store::new();
    for round in 1..=2_u64 {
        for step in 0..200 {
            let body = RecordBody::Output {
                step,
                stream: 1,
                bytes: format!("{step} {round}\n").into_bytes(),
            };
            store
                .store
                .append(
                    store.attempt,
                    &[Record {
                        seq: round,
                        micros: 0,
                        body,
                    }],
                )
                .unwrap();
        }
    }
    for step in [0, 1, 100, 199] {
        store.store.sync(store.attempt, step).unwrap();
        let expected = format!("{step} 1\n{step} 2\n");
        assert_eq!(
            store.store.read(store.attempt, step, None, 0, 100).unwrap(),
            expected.as_bytes()
        );
    }
}

#[test]
fn writers_of_many_threads_and_their_readers_do_not_meet() {
    let store = Store::new();
    std::thread::scope(|scope| {
        for step in 0..4 {
            let (logs, attempt) = (store.store.clone(), store.attempt);
            scope.spawn(move || {
                for seq in 1..=300 {
                    let body = RecordBody::Output {
                        step,
                        stream: 1,
                        bytes: format!("{seq}\n").into_bytes(),
                    };
                    logs.append(
                        attempt,
                        &[Record {
                            seq,
                            micros: 0,
                            body,
                        }],
                    )
                    .unwrap();
                    logs.close(attempt);
                    let log = logs.together(&[(0, attempt)], step, None).unwrap();
                    assert!(log.tail(1).unwrap().lines[0].text == seq.to_string());
                }
            });
        }
    });
    let window = store.log(3, None).lines(299, 5).unwrap();
    assert_eq!(window.lines[0].text, "300");
}

#[test]
fn a_log_that_is_not_there_is_not_found() {
    let store = Store::new();
    let err = store.store.together(&[(0, store.attempt)], 1, None);
    let err = err.unwrap_err();
    assert_eq!(
        (
            err.kind(),
            store.store.len(store.attempt, 1),
            store.store.last_seq(store.attempt)
        ),
        (Kind::NotFound, 0, 0)
    );
    store.store.sync(store.attempt, 1).unwrap();
    store.store.remove(store.attempt).unwrap();
}

#[test]
fn a_search_says_what_it_looked_at_and_goes_on_where_it_ended() {
    let store = Store::new();
    let line = |n: u64| format!("{n} {}\n", if n.is_multiple_of(2) { "even" } else { "odd" });
    let text: String = (0..5000).map(line).collect();
    let written: Written = text
        .as_bytes()
        .chunks(700)
        .map(|part| (1, part.to_vec()))
        .chain([(1, b"5000 even, unfinished".to_vec())])
        .collect();
    store
        .store
        .append(store.attempt, &records(1, &written))
        .unwrap();
    let log = store
        .store
        .together(&[(0, store.attempt)], 1, None)
        .unwrap();
    let pattern = Pattern::text("even").unwrap();
    let (mut all, mut at) = (Vec::new(), 0);
    loop {
        let found = log.search(&pattern, Start::From(at), &|| false).unwrap();
        assert!(found.lines.len() <= 1000 && found.from == at && found.total == 5001);
        all.extend(found.lines);
        if found.to == at || found.to == 5000 {
            break;
        }
        at = found.to;
    }
    assert_eq!(all, (0..=5000).step_by(2).collect::<Vec<u64>>());

    let back = log
        .search(&pattern, Start::Before(4001), &|| false)
        .unwrap();
    assert_eq!((back.lines[0], back.lines[999]), (2002, 4000));
    assert_eq!((back.from, back.to), (2002, 4001));
    let first = log
        .search(&pattern, Start::Before(2002), &|| false)
        .unwrap();
    assert_eq!((first.lines[0], first.lines.len()), (2, 1000));

    // Only what is new is looked at: an old line that matches is not told again.
    let more = [(1, b" and more\n5001 odd\n5002 even\n".to_vec())];
    let seq = written.len() as u64;
    let mut record = records(1, &more.to_vec());
    record[0].seq = seq + 1;
    store.store.append(store.attempt, &record).unwrap();
    let log = store
        .store
        .together(&[(0, store.attempt)], 1, None)
        .unwrap();
    let found = log.search(&pattern, Start::From(5001), &|| false).unwrap();
    assert_eq!((found.lines, found.to), (vec![5002], 5003));
}

#[test]
fn a_search_that_nobody_waits_for_ends_at_once() {
    let written: Written = (0..64).map(|_| (1, vec![b'y'; 64 * 1024])).collect();
    let store = Store::with(&written);
    let log = store
        .store
        .together(&[(0, store.attempt)], 1, None)
        .unwrap();
    let asked = std::cell::Cell::new(0);
    let given_up = || {
        asked.set(asked.get() + 1);
        asked.get() > 2
    };
    log.search(&Pattern::text("z").unwrap(), Start::From(0), &given_up)
        .unwrap();
    assert!(asked.get() < 6, "{}", asked.get());
}

#[test]
fn a_clock_that_is_set_back_does_not_turn_the_order_round() {
    let store = Store::new();
    let mut all = records(1, &vec![(1, b"a\n".to_vec()), (1, b"b\n".to_vec())]);
    (all[0].micros, all[1].micros) = (1000, 10);
    store.store.append(store.attempt, &all).unwrap();
    let lines = store.log(1, None).lines(0, 9).unwrap();
    let times: Vec<i64> = lines.lines.iter().map(|line| line.t).collect();
    assert_eq!(times, [1000, 1000]);
}
