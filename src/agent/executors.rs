//! Where steps run. One so far: the host.

mod host;

pub(super) use host::{End, Host, Program};
