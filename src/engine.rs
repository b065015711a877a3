//! The engine: the one loop that changes state, and the two ways to it.
//!
//! [`Handle`] is the only way to change anything, [`View`] the way to read. Knows nothing of HTTP, of terminals, or of
//! how a fleet starts a run. What happens inside:
//!
//! **Decide, write, publish.** The dispatcher is an OS thread that owns the state of pipelines, queue and fleet and the
//! one write connection. It takes a batch of messages, decides each against its private state while writing into one
//! transaction, commits once for all (`synchronous=FULL`), and only then answers, publishes and lets effects happen
//! (agents start and stop). A commit that fails answers the whole batch `unavailable`; the private state is thrown away
//! and read back from disk, so nothing of the batch ever was.

mod approve;
mod attention;
mod builds;
mod cancel;
mod cleaning;
mod command;
mod containers;
mod deeds;
mod dispatcher;
mod estimate;
mod fleet;
mod gate;
mod handle;
mod installation;
pub mod intake;
mod issuing;
mod keeping;
mod launch;
mod machines;
mod nodes;
mod outbox;
mod people;
mod projects;
mod publish;
mod refusals;
mod reports;
mod room;
mod roster;
mod runs;
mod sessions;
mod settings;
mod start;
mod state;
mod tokens;
mod told;
mod usuals;
mod view;
mod vms;
mod watches;
mod watching;
mod wellness;

pub use attention::{Concern, Spot, Urgency};
pub use cleaning::{Candidate, Cleaning, CleaningError, Pass, Passes, Plan, Removed};
pub use command::{
    Actor, BuildCommand, Command, CommandError, FleetCommand, InstallationCommand, KeepCommand,
    NewBuild, NewToken, NewWatch, Note, ProjectCommand, ProjectOf, Reply, SettingsCommand,
    TokenCommand, WatchCommand,
};
pub use estimate::{Expected, Forecast, Overdue};
pub use gate::{Admission, Gate};
pub use handle::Handle;
pub use issuing::{Issuing, Turn, Wish};
pub use launch::Inbox;
pub use nodes::{NodeView, Nodes, Totals, kind_word};
pub use people::{Credentials, People, SignInError, SignedIn};
pub use publish::{Changed, Feed, Live, OBJECTIVE_MS, Tally, WAIT_BOUNDS, WaitMinute};
pub use refusals::Refusal;
pub use reports::AgentEvent;
pub use sessions::{NewSession, SessionCommand, conflict};
pub use settings::{hashed, opened, proposed, stored};
pub use start::{Engine, Options, start};
pub use state::Capacity;
pub use usuals::Usuals;
pub use view::View;
pub use vms::{AcquireError, NewVm, VmCommand, Vms, VmsOptions, VmsStand};
pub use watching::{Look, Watching};
pub use wellness::PartStands;

#[cfg(test)]
mod tests;
