//! The key table itself. Order matters: it is the order of the help and of the hint bar.

use super::{Binding, Cmd, Context, Section, Tab};

mod over;
mod settings;

const fn key(keys: &'static [&'static str], cmd: Cmd, does: &'static str) -> Binding {
    Binding {
        keys,
        cmd,
        does,
        hint: None,
    }
}

const fn hint(
    keys: &'static [&'static str],
    cmd: Cmd,
    word: &'static str,
    does: &'static str,
) -> Binding {
    Binding {
        keys,
        cmd,
        does,
        hint: Some(word),
    }
}

/// All keys.
pub const TABLE: &[Section] = &[
    Section {
        context: Context::Dashboard,
        title: "Dashboard",
        bindings: &[
            hint(
                &["enter"],
                Cmd::Open,
                "go there",
                "go to what is under the cursor",
            ),
            hint(
                &["tab"],
                Cmd::NextPane,
                "next part",
                "from attention to services, to builds",
            ),
            key(
                &["backtab"],
                Cmd::PreviousPane,
                "the same, the other way round",
            ),
            hint(
                &["X"],
                Cmd::Services,
                "stop or start",
                "stop the installation: no new work; or start it again",
            ),
        ],
    },
    Section {
        context: Context::Queue,
        title: "Queue",
        bindings: &[
            hint(&["enter"], Cmd::Open, "job", "open the job of this run"),
            hint(&["l"], Cmd::LogOf, "log", "open its log"),
            key(&["d"], Cmd::Describe, "show or hide why it waits"),
            key(&["X"], Cmd::Stop, "stop this run"),
        ],
    },
    Section {
        context: Context::Builds,
        title: "Builds",
        bindings: &[
            hint(
                &["enter"],
                Cmd::Open,
                "open",
                "open the workflow graph of this build",
            ),
            hint(
                &["l"],
                Cmd::LogOf,
                "log",
                "open the log of what failed, or runs",
            ),
            hint(
                &["r"],
                Cmd::Rerun,
                "rerun",
                "run it again: all, or from what failed",
            ),
            hint(
                &["P"],
                Cmd::BuildPath,
                "build a path",
                "build the repository at a path or URL",
            ),
            key(&["A"], Cmd::Approve, "approve the job that waits for it"),
            key(&["X"], Cmd::Stop, "cancel this build"),
        ],
    },
    Section {
        context: Context::Pipeline,
        title: "Build",
        bindings: &[
            hint(
                &["enter"],
                Cmd::Open,
                "job",
                "open this job: runs, steps, log",
            ),
            key(&["right"], Cmd::Right, "to a job that requires this one"),
            key(&["left"], Cmd::Left, "to a job that this one requires"),
            hint(&["l"], Cmd::LogOf, "log", "open its log"),
            hint(
                &["r"],
                Cmd::Rerun,
                "rerun",
                "run it again: all, or from what failed",
            ),
            key(&["A"], Cmd::Approve, "approve the job that waits for it"),
            key(&["X"], Cmd::Stop, "cancel this build"),
        ],
    },
    Section {
        context: Context::Compare,
        title: "Compare",
        bindings: &[
            hint(
                &["enter"],
                Cmd::Open,
                "job",
                "open the first job that ended otherwise",
            ),
            hint(
                &["r"],
                Cmd::Rerun,
                "rerun",
                "run it again: all, or from what failed",
            ),
            key(&["A"], Cmd::Approve, "approve the job that waits for it"),
            key(&["X"], Cmd::Stop, "cancel this build"),
        ],
    },
    Section {
        context: Context::Job,
        title: "Job",
        bindings: &[
            hint(
                &["tab"],
                Cmd::NextPane,
                "log",
                "from the steps to the log and back",
            ),
            key(
                &["backtab"],
                Cmd::PreviousPane,
                "the same, the other way round",
            ),
            key(&["right", ">"], Cmd::NextRun, "next run (parallel copy)"),
            key(&["left", "<"], Cmd::PreviousRun, "previous run"),
            key(&["enter", "l"], Cmd::Open, "into the log of this step"),
            hint(&["/"], Cmd::Filter, "search", "search the whole log"),
            key(&["n"], Cmd::NextMatch, "next match"),
            key(&["N"], Cmd::PreviousMatch, "previous match"),
            hint(
                &["!"],
                Cmd::NextError,
                "error",
                "next line that looks like an error",
            ),
            key(
                &["."],
                Cmd::FailedStep,
                "to the step that failed, at the end of its log",
            ),
            hint(
                &["p"],
                Cmd::Together,
                "all runs",
                "all parallel runs together by time, or one",
            ),
            hint(&["e"], Cmd::StreamErr, "stderr", "stderr only"),
            key(&["o"], Cmd::StreamOut, "stdout only"),
            key(&["b"], Cmd::StreamBoth, "stdout and stderr, as they came"),
            hint(
                &["s"],
                Cmd::FullScreen,
                "full screen",
                "the log alone, and back",
            ),
            hint(&["f"], Cmd::Follow, "follow", "follow the end of the log"),
            key(&["a"], Cmd::AgentLog, "the Build Agent's own log, and back"),
            key(&["t"], Cmd::Times, "time of each line"),
            key(&["w"], Cmd::Wrap, "wrap long lines"),
            hint(
                &["r"],
                Cmd::Rerun,
                "rerun",
                "run the build again: all, or from what failed",
            ),
            key(&["A"], Cmd::Approve, "approve the job that waits for it"),
            key(&["X"], Cmd::Stop, "stop this run"),
        ],
    },
    Section {
        context: Context::Log,
        title: "In the log",
        bindings: &[
            key(&["right"], Cmd::Right, "read on to the right"),
            key(&["left"], Cmd::Left, "back to the left"),
            key(&["enter"], Cmd::FullScreen, "the log alone, and back"),
            key(&["ctrl-s"], Cmd::Save, "save the whole log to a file"),
        ],
    },
    Section {
        context: Context::Cluster,
        title: "Cluster",
        bindings: &[
            hint(
                &["enter"],
                Cmd::Open,
                "open",
                "open this node: what runs there, drain, machine",
            ),
            hint(
                &["D"],
                Cmd::Drain,
                "drain",
                "take this node out of work, or end its drain",
            ),
            hint(
                &["C"],
                Cmd::Eligibility,
                "eligibility",
                "let it take new work, or not",
            ),
        ],
    },
    Section {
        context: Context::Node,
        title: "Node",
        bindings: &[
            hint(&["enter"], Cmd::Open, "job", "open the job of this run"),
            hint(
                &["D"],
                Cmd::Drain,
                "drain",
                "take this node out of work, or end its drain",
            ),
            hint(
                &["C"],
                Cmd::Eligibility,
                "eligibility",
                "let it take new work, or not",
            ),
            key(&["l"], Cmd::LogOf, "open the log of this run"),
            key(&["X"], Cmd::Stop, "stop this run"),
        ],
    },
    settings::SETTINGS,
    settings::FORM,
    settings::REVIEW,
    settings::VERSIONS,
    Section {
        context: Context::Audit,
        title: "Audit Log",
        bindings: &[
            hint(
                &["enter"],
                Cmd::Open,
                "raw JSON",
                "all of this event, as the API gives it",
            ),
            hint(
                &["h"],
                Cmd::LastHour,
                "last hour",
                "the last hour only, and all again",
            ),
        ],
    },
    Section {
        context: Context::FirstBuild,
        title: "First build",
        bindings: &[
            hint(
                &["enter"],
                Cmd::BuildHere,
                "build",
                "build the repository of this directory",
            ),
            hint(
                &["P"],
                Cmd::BuildPath,
                "path",
                "build the repository at a path or URL",
            ),
        ],
    },
    Section {
        context: Context::Gone,
        title: "No server",
        bindings: &[hint(
            &["enter"],
            Cmd::StartServer,
            "start a server",
            "start a server on this data directory",
        )],
    },
    Section {
        context: Context::List,
        title: "Lists",
        bindings: &[
            hint(
                &["/"],
                Cmd::Filter,
                "filter",
                "filter: word, !word must not, status:failed a field, ! in front turns it round, -f finds scattered letters",
            ),
            hint(&["S"], Cmd::SortMenu, "sort", "choose the order"),
            key(&["shift-right"], Cmd::SortNext, "order by the next column"),
            key(
                &["shift-left"],
                Cmd::SortPrevious,
                "order by the previous column",
            ),
            hint(
                &["space"],
                Cmd::Mark,
                "mark",
                "mark this row or not; actions go to all that are marked",
            ),
            key(
                &["v"],
                Cmd::MarkRange,
                "mark all rows from the last mark to here",
            ),
        ],
    },
    Section {
        context: Context::Things,
        title: "The thing under the cursor",
        bindings: &[
            key(&["j", "down"], Cmd::Down, "one down"),
            key(&["k", "up"], Cmd::Up, "one up"),
            key(&["home"], Cmd::Top, "to the top"),
            key(&["G", "end"], Cmd::Bottom, "to the bottom"),
            key(&["ctrl-d"], Cmd::HalfDown, "half a page down"),
            key(&["ctrl-u"], Cmd::HalfUp, "half a page up"),
            key(&["pgdn", "ctrl-f"], Cmd::PageDown, "a page down"),
            key(&["pgup"], Cmd::PageUp, "a page up"),
            key(
                &["d"],
                Cmd::Describe,
                "describe: everything known, times in full",
            ),
            key(&["y"], Cmd::Raw, "the raw JSON"),
            key(
                &["="],
                Cmd::Compare,
                "compare with the last green build, or two marked ones",
            ),
            key(
                &["c"],
                Cmd::Copy,
                "copy its name or id to the clipboard (OSC 52)",
            ),
        ],
    },
    Section {
        context: Context::Everywhere,
        title: "Everywhere",
        bindings: &[
            hint(
                &["x"],
                Cmd::Actions,
                "actions",
                "what can be done here, and why not",
            ),
            hint(
                &[":"],
                Cmd::Palette,
                "command",
                "command line: tabs, verbs, names",
            ),
            hint(&["?", "f1"], Cmd::Help, "help", "this help"),
            key(&["1"], Cmd::Go(Tab(1)), "Dashboard"),
            key(&["2"], Cmd::Go(Tab(2)), "Queue"),
            key(&["3"], Cmd::Go(Tab(3)), "Builds"),
            key(&["4"], Cmd::Go(Tab(4)), "Cluster"),
            key(&["5"], Cmd::Go(Tab(5)), "Insights (comes later)"),
            key(&["6"], Cmd::Go(Tab(6)), "Settings"),
            key(&["7"], Cmd::Go(Tab(7)), "Audit Log"),
            key(&["8"], Cmd::Go(Tab(8)), "Support (comes later)"),
            key(&["g"], Cmd::GotoPrefix, "go to: a second letter says where"),
            key(
                &["esc"],
                Cmd::Back,
                "back; clears marks, then a filter first; never quits",
            ),
            key(&["["], Cmd::HistoryBack, "back in the history"),
            key(&["]"], Cmd::HistoryForward, "forward in the history"),
            key(&["-"], Cmd::HistoryLast, "to the last place and back"),
            key(
                &["@"],
                Cmd::Commands,
                "what was written here, as commands of a shell",
            ),
            key(&["ctrl-s"], Cmd::Save, "save this view to a file"),
            key(
                &["ctrl-g"],
                Cmd::Locator,
                "copy the command that shows this to a colleague",
            ),
            key(&["ctrl-r", "f5"], Cmd::Refresh, "read everything anew"),
            key(
                &["m"],
                Cmd::Mouse,
                "the mouse to the terminal, to select text; and back",
            ),
            key(&["ctrl-z"], Cmd::Suspend, "suspend"),
            hint(&["q"], Cmd::Quit, "quit", "back; at the root, quit"),
            key(&["ctrl-c"], Cmd::Interrupt, "quit; twice leaves at once"),
        ],
    },
    over::GOTO,
    over::MENU,
    over::DIALOG,
    over::INPUT,
    settings::WORDS,
    over::READING,
];
