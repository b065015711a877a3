//! Placement and completion at scale: what one placement costs on fleets of 100, 1,000 and 10,000 nodes, and whether a
//! completion stays flat however many runs wait. Targets: under 10 µs a placement; flat in the length of the queue.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use roundel::clock::Timestamp;
use roundel::ids::{AttemptId, NodeId, ProjectId};
use roundel::queue::{ExecutorKind, Limits, Shape, Waiting};
use roundel::scheduler::{NodeSpec, Scheduler};

/// Classes as `small`, `medium`, `large`, `xlarge`, most of them small.
const SHAPES: [(u32, u32); 6] = [
    (1000, 2048),
    (1000, 2048),
    (2000, 4096),
    (2000, 4096),
    (4000, 8192),
    (8000, 16384),
];

fn run(number: usize) -> Waiting {
    let (cpu_millis, memory_mb) = SHAPES[number % SHAPES.len()];
    Waiting {
        attempt: AttemptId::fresh(),
        project: ProjectId((number % 97) as i64),
        shape: Shape {
            cpu_millis,
            memory_mb,
            executor: ExecutorKind::Host,
        },
        priority: 50,
        queued: Timestamp(number as i64),
    }
}

/// Nodes of 16 to 64 cores whose memory differs a little from machine to machine, as real ones do.
fn fleet(nodes: usize) -> Scheduler {
    let mut scheduler = Scheduler::new(Limits {
        per_project: None,
        total: None,
    });
    for number in 0..nodes {
        let cores = [16, 32, 64][number % 3];
        scheduler.upsert_node(NodeSpec {
            id: NodeId::fresh(),
            name: format!("n{number:05}"),
            cpu_millis: cores * 1000,
            memory_mb: cores * 4096 - (number as u32 * 7919) % 97,
            executors: vec![ExecutorKind::Host],
            eligible: true,
            draining: false,
            down: false,
        });
    }
    scheduler
}

/// A fleet filled to the last slot, and the runs on it.
fn full_fleet(nodes: usize) -> (Scheduler, Vec<AttemptId>) {
    let mut scheduler = fleet(nodes);
    (0..nodes * 64).for_each(|number| scheduler.enqueue(run(number)));
    let running = scheduler
        .place(Timestamp(0), usize::MAX)
        .into_iter()
        .map(|placement| placement.run.attempt)
        .collect();
    (scheduler, running)
}

/// A thousand runs wait on a fleet that is half full; the time is that of one placement.
fn placements(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("placement");
    for nodes in [100, 1_000, 10_000] {
        let batch = 1_000.min(nodes * 4);
        let mut scheduler = fleet(nodes);
        (0..nodes * 6).for_each(|number| scheduler.enqueue(run(number)));
        scheduler.place(Timestamp(0), usize::MAX);
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(nodes), |bencher| {
            bencher.iter_custom(|times| {
                let mut spent = std::time::Duration::ZERO;
                for _ in 0..times {
                    (0..batch).for_each(|number| scheduler.enqueue(run(number)));
                    let start = roundel::clock::monotonic();
                    let placed = black_box(scheduler.place(Timestamp(0), usize::MAX));
                    spent += start.elapsed();
                    assert_eq!(placed.len(), batch);
                    placed.iter().for_each(|placement| {
                        assert!(scheduler.release(placement.run.attempt).is_some());
                    });
                }
                spent
            });
        });
    }
    group.finish();
}

/// One run of a full fleet of 1,000 nodes ends and the next in line takes its place.
fn completions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("completion");
    for queued in [1_000, 10_000, 100_000] {
        let (mut scheduler, mut running) = full_fleet(1_000);
        let left = scheduler.counts().0;
        (left..queued).for_each(|number| scheduler.enqueue(run(number)));
        while scheduler.counts().0 > queued {
            let first = scheduler
                .line(0)
                .next()
                .map(|run| run.attempt)
                .expect("there are more than wanted");
            scheduler.withdraw(first);
        }
        let (mut at, mut number) = (0, 10_000_000);
        group.bench_function(BenchmarkId::from_parameter(queued), |bencher| {
            bencher.iter_batched(
                || {
                    number += 1;
                    run(number)
                },
                |next| {
                    scheduler.release(running.swap_remove(at % running.len()));
                    running.extend(
                        scheduler
                            .place(Timestamp(0), usize::MAX)
                            .iter()
                            .map(|placement| placement.run.attempt),
                    );
                    scheduler.enqueue(next);
                    at += 7919;
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function(BenchmarkId::new("and verdicts", queued), |bencher| {
            bencher.iter(|| {
                scheduler.release(running.swap_remove(at % running.len()));
                running.extend(
                    scheduler
                        .place(Timestamp(0), usize::MAX)
                        .iter()
                        .map(|placement| placement.run.attempt),
                );
                number += 1;
                scheduler.enqueue(run(number));
                at += 7919;
                black_box(scheduler.verdicts())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, placements, completions);
criterion_main!(benches);
