//! What isol means: policies, guarantees, steps and plans.
//!
//! Nothing in this crate makes a system call or knows which operating system it
//! was compiled for: a plan for any of them can be made, printed, checked and
//! compared anywhere. What touches the kernel stands in `isol-sys`, and the steps
//! that call it in `isol-steps` and the backends.
//!
//! Data flows one way:
//!
//! ```text
//! Policy ──Backend──▶ Plan ──prepare──▶ Prepared ──apply──▶ read back ──▶ exec
//! ```
#![forbid(unsafe_code)]

mod allow;
mod asks;
mod backend;
mod check;
mod command;
mod environment;
mod errno;
mod fault;
mod guarantee;
mod guarantee_set;
mod id;
mod identity;
mod landlock;
mod limit;
mod mount;
mod names;
mod nearest;
mod network;
mod os;
mod parameter;
mod phase;
mod plan;
mod plan_error;
mod policy;
mod policy_error;
mod prepared;
mod problem;
#[cfg(feature = "serde")]
mod profile;
mod record;
mod request;
mod root;
mod scene;
pub mod seccomp;
mod stage;
mod step;
mod support;
mod syslog;
mod text;

pub use allow::{Allow, AllowSet, UnknownAllow};
pub use backend::{Backend, Layers, Unavailable};
pub use check::OrderError;
pub use command::{Command, Stdio};
pub use environment::{Environment, is_loader_variable};
pub use errno::Errno;
pub use fault::{Failure, Fault};
pub use guarantee::{Guarantee, Tier, UnknownGuarantee};
pub use guarantee_set::GuaranteeSet;
pub use id::{Gid, Uid};
pub use identity::{AUTO_UIDS, Given, Group, IdRange, Identity, Ids, User};
pub use landlock::{Landlock, LandlockError, LandlockWord};
pub use limit::{Amount, Limit, LimitError, Resource};
pub use mount::{Bind, Mount, MountError, Tmpfs};
pub use nearest::nearest;
pub use network::{Network, NetworkError};
pub use os::Os;
pub use parameter::Parameter;
pub use phase::Phase;
pub use plan::{Mode, Plan};
pub use plan_error::PlanError;
pub use policy::{NeedsUser, Policy, PolicyBuilder, Settled};
pub use policy_error::PolicyError;
pub use prepared::{PrepareError, Prepared};
pub use problem::{Kind, Problem};
#[cfg(feature = "serde")]
pub use profile::{Profile, ProfileError};
pub use record::{RECORD_LEN, Record};
pub use request::Request;
pub use root::Root;
pub use scene::{Hold, MountHandle, RootHandle, Scene, SourceHandle};
pub use seccomp::Seccomp;
pub use stage::{Stage, ThreadScope};
pub use step::Step;
pub use support::Support;
pub use syslog::Syslog;
pub use text::Text;

/// The names of the portable steps, as they appear in plans, errors and ordering rules.
pub mod step_names {
    pub use crate::names::*;
}
