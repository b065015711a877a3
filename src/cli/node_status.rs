//! `node-status`: the nodes, or one of them with what it has, gives and runs.

use std::io::{self, Write};

use roundel::api::ListQuery;
use roundel::api::fleet::{NodeDetail, NodeRow};
use roundel::client::Client;

use super::context::Context;
use super::status::allocation;
use super::table::{block, table};
use super::words::{Paint, cores, memory, span};
use super::{End, Failure};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// This machine's first node (also -self)
    #[arg(long = "self", conflicts_with = "node")]
    this: bool,
    /// Also count the runs on each node (also -allocs)
    #[arg(long)]
    allocs: bool,
    /// Node: its id or name, or a unique beginning of either
    node: Option<String>,
}

/// Rows asked for at once: the most that are answered.
const PAGE: u64 = 1000;

pub(super) async fn run(args: &Args, context: &mut Context<'_>) -> Result<End, Failure> {
    let client = context.connect().await?;
    let reference = if args.this {
        Some("self")
    } else {
        args.node.as_deref()
    };
    match reference {
        Some(reference) => {
            let detail = client.node(reference).await?;
            if context.json {
                context.print_json(&detail)?;
            } else {
                let paint = context.out_paint();
                print_detail(context.out, &detail, paint)?;
            }
        }
        None => list(args, &client, context).await?,
    }
    Ok(End::Ok)
}

async fn list(args: &Args, client: &Client, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut query = ListQuery {
        limit: Some(PAGE),
        ..ListQuery::default()
    };
    let mut page = client.nodes(&query).await?;
    while (page.rows.len() as u64) < page.total {
        query.offset = Some(page.rows.len() as u64);
        let more = client.nodes(&query).await?;
        if more.rows.is_empty() {
            break;
        }
        page.rows.extend(more.rows);
    }
    if context.json {
        return context.print_json(&page);
    }
    print_list(context.out, &page.rows, args.allocs)?;
    context.out.flush()?;
    context.warn_when_held(client).await
}

fn print_list(out: &mut dyn Write, nodes: &[NodeRow], allocs: bool) -> io::Result<()> {
    let short = shortest(nodes.iter().map(|node| node.id.as_str()));
    let cells = |node: &NodeRow| -> [String; 6] {
        [
            node.id.chars().take(short).collect(),
            node.datacenter.clone(),
            node.name.clone(),
            node.class.clone(),
            node.drain.is_some().to_string(),
            node.status.clone(),
        ]
    };
    if allocs {
        let rows: Vec<[String; 8]> = nodes
            .iter()
            .map(|node| {
                let [id, dc, name, class, drain, status] = cells(node);
                [
                    id,
                    dc,
                    name,
                    class,
                    drain,
                    status,
                    node.runs.to_string(),
                    eligibility(node).to_owned(),
                ]
            })
            .collect();
        let heading = [
            "ID",
            "DC",
            "Name",
            "Class",
            "Drain",
            "Status",
            "Running Allocs",
            "Eligibility",
        ];
        return table(out, heading, &rows);
    }
    let rows: Vec<[String; 7]> = nodes
        .iter()
        .map(|node| {
            let [id, dc, name, class, drain, status] = cells(node);
            [
                id,
                dc,
                name,
                class,
                drain,
                status,
                eligibility(node).to_owned(),
            ]
        })
        .collect();
    table(
        out,
        [
            "ID",
            "DC",
            "Name",
            "Class",
            "Drain",
            "Status",
            "Eligibility",
        ],
        &rows,
    )
}

/// Length that tells all ids apart, eight at least. Ids begin with the time, so those of one start are long alike.
fn shortest<'a>(ids: impl Iterator<Item = &'a str>) -> usize {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    let alike = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    ids.windows(2)
        .map(|pair| alike(pair[0], pair[1]) + 1)
        .max()
        .unwrap_or(0)
        .max(8)
}

fn eligibility(node: &NodeRow) -> &'static str {
    if node.eligible {
        "eligible"
    } else {
        "ineligible"
    }
}

fn print_detail(out: &mut dyn Write, detail: &NodeDetail, paint: Paint) -> io::Result<()> {
    let node = &detail.node;
    let mut pairs = vec![
        ("ID", node.id.clone()),
        ("Name", node.name.clone()),
        ("Class", node.class.clone()),
        ("DC", node.datacenter.clone()),
        ("Drain", node.drain.is_some().to_string()),
        ("Status", node.status.clone()),
        ("Eligibility", eligibility(node).to_owned()),
        ("Drivers", node.executors.join(",")),
        (
            "Uptime",
            span(std::time::Duration::from_secs(detail.uptime_s)),
        ),
        ("Version", node.version.clone()),
    ];
    if node.overcommitted {
        pairs.push((
            "Overcommitted",
            "true (rehearsal nodes ask more than this machine has)".to_owned(),
        ));
    }
    if let Some(drain) = &node.drain {
        let deadline = drain
            .deadline
            .map_or_else(|| "none".to_owned(), |at| at.to_string());
        pairs.push(("Drain Since", format!("{} by {}", drain.since, drain.by)));
        pairs.push(("Drain Deadline", deadline));
        pairs.push(("Safe To Terminate", node.safe_to_terminate.to_string()));
        if let Some(estimate) = &detail.idle_estimate {
            pairs.push((
                "Expected Idle",
                format!("{} ({})", estimate.at, estimate.how),
            ));
        }
    }
    block(out, &pairs)?;

    let given = |used: u32, total: u32, reserved: u32| {
        (u64::from(used), u64::from(total.saturating_sub(reserved)))
    };
    let (cpu_used, cpu) = given(
        node.cpu_used_millis,
        node.cpu_total_millis,
        node.cpu_reserved_millis,
    );
    let (memory_used, memory_all) = given(
        node.memory_used_mb,
        node.memory_total_mb,
        node.memory_reserved_mb,
    );
    writeln!(out, "\n{}", paint.strong("Allocated Resources"))?;
    let row = [
        format!("{}/{} cpu", cores(cpu_used), cores(cpu)),
        format!("{}/{}", memory(memory_used), memory(memory_all)),
        format!("{} cpu", cores(node.cpu_reserved_millis.into())),
        memory(node.memory_reserved_mb.into()),
        node.runs.to_string(),
    ];
    table(
        out,
        [
            "CPU",
            "Memory",
            "Reserved CPU",
            "Reserved Memory",
            "Alloc Count",
        ],
        &[row],
    )?;

    writeln!(out, "\n{}", paint.strong("Host Resource Utilization"))?;
    let load = format!(
        "load {}.{:02}",
        detail.load_percent / 100,
        detail.load_percent % 100
    );
    let host_memory = format!(
        "{}/{}",
        memory(detail.host_memory_used_mb),
        memory(detail.host_memory_total_mb)
    );
    let disk_used = detail.disk_total_mb.saturating_sub(detail.disk_free_mb);
    let disk = format!("{}/{}", memory(disk_used), memory(detail.disk_total_mb));
    table(out, ["CPU", "Memory", "Disk"], &[[load, host_memory, disk]])?;

    writeln!(out, "\n{}", paint.strong("Allocations"))?;
    let rows: Vec<[String; 5]> = detail
        .runs
        .iter()
        .map(|run| {
            let state = allocation(run);
            [
                run.attempt.clone(),
                run.name.clone(),
                run.job_name.clone(),
                state.desired.into(),
                state.client.into(),
            ]
        })
        .collect();
    table(
        out,
        [
            "ID",
            "Job ID",
            "Task Group",
            "Desired Status",
            "Client Status",
        ],
        &rows,
    )
}

#[cfg(test)]
mod tests;
