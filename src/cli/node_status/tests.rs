//! What the verb prints, against fixed objects.

use super::*;
use crate::cli::status::fixtures;

fn printed(print: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_list_has_nomads_headings() {
    let node = fixtures::node_detail().node;
    let other = NodeRow {
        id: "0190a0b1-0000-7000-8000-00000000000b".to_owned(),
        name: "ci-2".to_owned(),
        drain: None,
        eligible: true,
        ..node.clone()
    };
    let text = printed(|out| print_list(out, &[node.clone(), other], false));
    assert_eq!(
        text,
        "\
ID                                    DC   Name  Class   Drain  Status  Eligibility
0190a0b1-0000-7000-8000-00000000000a  dc1  ci-1  <none>  true   ready   ineligible
0190a0b1-0000-7000-8000-00000000000b  dc1  ci-2  <none>  false  ready   eligible
"
    );
    let text = printed(|out| print_list(out, &[node], true));
    assert_eq!(
        text,
        "\
ID        DC   Name  Class   Drain  Status  Running Allocs  Eligibility
0190a0b1  dc1  ci-1  <none>  true   ready   1               ineligible
"
    );
}

#[test]
fn one_node_shows_what_it_has_gives_and_runs() {
    let text = printed(|out| print_detail(out, &fixtures::node_detail(), Paint::plain()));
    assert_eq!(
        text,
        "\
ID                = 0190a0b1-0000-7000-8000-00000000000a
Name              = ci-1
Class             = <none>
DC                = dc1
Drain             = true
Status            = ready
Eligibility       = ineligible
Drivers           = machine
Uptime            = 2h 04m
Version           = 0.1.0
Drain Since       = 2023-11-14T22:13:20.000Z by uid 0 (root)
Drain Deadline    = 2023-11-14T22:23:20.000Z
Safe To Terminate = false

Allocated Resources
CPU      Memory            Reserved CPU  Reserved Memory  Alloc Count
1/2 cpu  2.0 GiB/12.0 GiB  2 cpu         4.0 GiB          1

Host Resource Utilization
CPU        Memory            Disk
load 0.52  3.0 GiB/16.0 GiB  9.0 GiB/10.0 GiB

Allocations
ID                                    Job ID                           Task Group  Desired Status  Client Status
0190a0b1-c2d3-7e4f-8a5b-0123456789ab  0123456789ab-0-build-acme-web-7  test        run             running
"
    );
}
