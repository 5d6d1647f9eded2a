//! What an audit has found, printed in order; so many findings at a time that memory does not grow with them.

use std::collections::HashSet;
use std::process::ExitCode;

use isol::Problem;
use isol_root::Sysroot;
use isol_root::audit::{self, Finding, Mended, Severity, What};
use isol_sys::quote::escaped;
use serde_json::json;

use crate::arguments::RootAudit;
use crate::output;

/// Findings that are sorted and printed together.
const AT_ONCE: usize = 1 << 16;

pub(super) struct Out<'a> {
    arguments: &'a RootAudit,
    waiting: Vec<Finding>,
    printed: u64,
    /// Of each severity, those that have not been mended.
    left: [u64; SEVERITIES.len()],
    mended: u64,
    /// What has been told with what an attacker does with it.
    told: HashSet<What>,
    root: Option<Sysroot>,
    failed: Option<Problem>,
}

const SEVERITIES: [Severity; 5] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Unchecked];

impl<'a> Out<'a> {
    pub(super) fn new(arguments: &'a RootAudit) -> Self {
        Self {
            arguments,
            waiting: Vec::new(),
            printed: 0,
            left: [0; SEVERITIES.len()],
            mended: 0,
            told: HashSet::new(),
            root: None,
            failed: None,
        }
    }

    pub(super) fn found(&mut self, finding: Finding) {
        self.waiting.push(finding);
        if self.waiting.len() >= AT_ONCE {
            self.flush();
        }
    }

    pub(super) fn end(mut self, looked_at: u64) -> Result<ExitCode, Problem> {
        self.flush();
        if self.arguments.json {
            let head = if self.printed == 0 { self.head() } else { "\n".to_owned() };
            self.print(&format!("{head}  ],\n  \"looked_at\": {looked_at}\n}}\n"));
        } else {
            self.print(&self.summary(looked_at));
        }
        match self.failed {
            Some(problem) => Err(problem),
            None => Ok(ExitCode::from(u8::from(self.left.iter().any(|&n| n > 0)))),
        }
    }

    fn flush(&mut self) {
        let mut findings = std::mem::take(&mut self.waiting);
        findings.sort_by(|a, b| {
            (a.severity, &a.path, a.what, &a.detail).cmp(&(b.severity, &b.path, b.what, &b.detail))
        });
        let mut text = String::new();
        for finding in &findings {
            let mended = self.arguments.fix.then(|| self.mend(finding));
            match &mended {
                Some(Mended::Done(_)) => self.mended += 1,
                _ => {
                    self.left
                        [SEVERITIES.iter().position(|s| *s == finding.severity).unwrap_or(0)] += 1
                }
            }
            if self.arguments.json {
                text += if self.printed == 0 { "" } else { ",\n" };
                text += &as_json(finding, mended.as_ref());
            } else {
                let first = self.told.insert(finding.what);
                text += &as_text(finding, mended.as_ref(), first);
            }
            self.printed += 1;
        }
        if self.arguments.json && self.printed == findings.len() as u64 && self.printed > 0 {
            text.insert_str(0, &self.head());
        }
        self.print(&text);
    }

    fn head(&self) -> String {
        let root = std::path::absolute(&self.arguments.dir);
        let root = escaped(root.as_ref().unwrap_or(&self.arguments.dir)).to_string();
        format!("{{\n  \"root\": {},\n  \"findings\": [\n", json!(root))
    }

    fn mend(&mut self, finding: &Finding) -> Mended {
        if self.root.is_none() {
            match super::tree(self.arguments) {
                Ok(root) => self.root = Some(root),
                Err(problem) => return Mended::Left(problem.to_string()),
            }
        }
        match &self.root {
            Some(root) => audit::mend(root, finding),
            None => Mended::Left("the root is not open".into()),
        }
    }

    fn summary(&self, looked_at: u64) -> String {
        let counts: Vec<_> = SEVERITIES
            .iter()
            .zip(self.left)
            .filter(|&(_, count)| count > 0)
            .map(|(severity, count)| format!("{count} {severity}"))
            .collect();
        let mended =
            if self.mended > 0 { format!("; {} mended", self.mended) } else { String::new() };
        let found = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
        format!("{looked_at} files: {found}{mended}\n")
    }

    fn print(&mut self, text: &str) {
        if self.failed.is_none()
            && let Err(problem) = output::print(text)
        {
            self.failed = Some(problem);
        }
    }
}

/// With what an attacker does with it, where that has not been told yet.
fn as_text(finding: &Finding, mended: Option<&Mended>, first: bool) -> String {
    let mut text = format!("{:<9} {finding}\n", finding.severity);
    if first {
        text += &format!("          {}\n", finding.what.attack());
    }
    match (mended, &finding.mend) {
        (Some(mended @ Mended::Done(_)), _) => text += &format!("          {mended}\n"),
        (mended, mend) => {
            if let Some(left) = mended {
                text += &format!("          {left}\n");
            }
            if let Some(mend) = mend {
                text += &format!("          mend: {mend}\n");
            }
        }
    }
    text
}

fn as_json(finding: &Finding, mended: Option<&Mended>) -> String {
    let mut object = json!({
        "severity": finding.severity.name(),
        "path": finding.path.as_ref().map(|path| escaped(path).to_string()),
        "what": finding.what.id(),
        "is": finding.what.to_string(),
        "detail": finding.detail,
        "attack": finding.what.attack(),
        "mend": finding.mend,
    });
    if let Some(mended) = mended {
        let (done, text) = match mended {
            Mended::Done(what) => (true, what.clone()),
            Mended::Left(why) => (false, why.clone()),
            other => (false, other.to_string()),
        };
        object["mended"] = json!(done);
        object["mending"] = json!(text);
    }
    format!("    {object}")
}
