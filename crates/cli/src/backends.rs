//! `isol backends`

use std::fmt::Write;
use std::process::ExitCode;

use isol::{Backend, Guarantee, Problem, Support};
use serde::Serialize;

use crate::{arguments, output};

#[derive(Serialize)]
struct BackendView {
    name: &'static str,
    available: bool,
    reason: String,
    guarantees: Vec<GuaranteeView>,
}

#[derive(Serialize)]
struct GuaranteeView {
    guarantee: Guarantee,
    offered: bool,
    reason: String,
}

fn view(backend: &dyn Backend) -> BackendView {
    let unavailable = backend.available().err();
    let os = backend.plans_for(isol::host::HOST);
    let guarantees = Guarantee::ALL
        .into_iter()
        .map(|guarantee| {
            let support: Support = backend.support(guarantee, os);
            let reason = support.reason().to_owned();
            GuaranteeView { guarantee, offered: support.is_offered(), reason }
        })
        .collect();
    BackendView {
        name: backend.name(),
        available: unavailable.is_none(),
        reason: unavailable.map(|u| u.reason).unwrap_or_default(),
        guarantees,
    }
}

pub(crate) fn backends(arguments: &arguments::Backends) -> Result<ExitCode, Problem> {
    let views: Vec<_> = isol::backends().iter().map(|&b| view(b)).collect();
    if arguments.json { output::print_json(&views) } else { output::print(text(&views)) }?;
    Ok(ExitCode::SUCCESS)
}

fn text(views: &[BackendView]) -> String {
    let mut text = String::new();
    for view in views {
        let state = if view.available {
            "available".to_owned()
        } else {
            format!("not available: {}", view.reason)
        };
        let _ = writeln!(text, "{}: {state}", view.name);
        for GuaranteeView { guarantee, offered, reason } in &view.guarantees {
            let held = match (offered, reason.is_empty()) {
                (true, true) => "held",
                (true, false) => "on request: ",
                (false, _) => "not offered: ",
            };
            let _ = writeln!(text, "  {guarantee:<20}{held}{reason}");
        }
    }
    text
}
