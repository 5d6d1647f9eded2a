//! `isol prove`.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// This backend only
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    /// These guarantees only
    #[arg(long, value_name = "GUARANTEE,...", value_delimiter = ',')]
    pub(crate) guarantee: Vec<String>,
    /// These modes only: enter, exec, spawn
    #[arg(long, value_name = "MODE,...", value_delimiter = ',')]
    pub(crate) mode: Vec<String>,
    /// Leave a step out of the plan, to see what it is there for
    #[arg(long, value_name = "STEP", conflicts_with_all = ["mutations", "faults"])]
    pub(crate) without: Vec<String>,
    /// Leave each step out in turn; each one has to be missed
    #[arg(long, conflicts_with_all = ["faults", "guarantee", "mode"])]
    pub(crate) mutations: bool,
    /// Make each step fail with each errno; nothing may start, nothing may stay behind
    #[arg(long, conflicts_with_all = ["guarantee", "mode"])]
    pub(crate) faults: bool,
    /// Print JSON, errors too
    #[arg(long)]
    pub(crate) json: bool,
}
