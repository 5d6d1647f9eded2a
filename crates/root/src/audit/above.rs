//! The root directory, and those above it.

use std::path::{Path, PathBuf};

use isol_sys::rootdir::{self, Component, Flaw, RootDirError};
use isol_sys::{mount, quote, xattr};

use super::finding::{Finding, What};
use super::{AuditError, Report};
use crate::walk::Sysroot;

/// How many links in the path of a root are followed.
const LINKS: usize = 40;

/// Opens the root and tells what is wrong with it, and with the directories above it.
pub(super) fn open(path: &Path, report: Report<'_>) -> Result<Sysroot, AuditError> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match survey(&path, report) {
            Err(AuditError::Root(RootDirError::Unsafe {
                component, what: Flaw::Symlink, ..
            })) => {
                path = past(&path, component, report)?;
            }
            done => return done,
        }
    }
    Err(AuditError::Root(RootDirError::Open { component: path, source: nix::errno::Errno::ELOOP }))
}

/// The path that the link `component` in `path` leads to.
fn past(path: &Path, component: PathBuf, report: Report<'_>) -> Result<PathBuf, AuditError> {
    let io = |path: &Path, error: std::io::Error| {
        let source = crate::walk::errno(&error);
        AuditError::Root(RootDirError::Open { component: path.to_owned(), source })
    };
    let target = std::fs::read_link(&component).map_err(|e| io(&component, e))?;
    let detail = format!("to {}", quote::escaped(&target));
    let real = std::fs::canonicalize(path).map_err(|e| io(path, e))?;
    report.send(Finding::new(What::LinkAbove, Some(component), detail));
    Ok(real)
}

fn survey(path: &Path, report: Report<'_>) -> Result<Sysroot, AuditError> {
    // Told only when it is known that there is no link in the path: then, they are told of once more.
    let mut findings = Vec::new();
    let root = rootdir::survey(path, &mut |component| look(&component, &mut findings))
        .map_err(AuditError::Root)?;
    findings.into_iter().for_each(|finding| report.send(finding));
    let path = root.path().to_owned();
    Ok(Sysroot::from_fd(root.into_fd(), &path)?)
}

fn look(component: &Component<'_>, findings: &mut Vec<Finding>) {
    let path = || Some(component.path.to_owned());
    let mut unread = |errno: nix::errno::Errno| {
        findings.push(Finding::new(What::Unread, path(), errno.desc()));
    };
    let user = mount::mounted_by(component.dir).map_err(&mut unread).ok().flatten();
    let noexec = component.last
        && mount::forbids_execution(component.dir)
            .map_err(|e| unread(nix::errno::Errno::from_raw(e.0)))
            .unwrap_or(false);
    let default =
        component.last && xattr::has_default_access_list(component.dir).map_err(unread) == Ok(true);
    let shell = quote::shell(component.path);
    if let Some(RootDirError::Unsafe { uid, gid, mode, mend, .. }) = &component.problem {
        let what = if component.last { What::UnsafeRoot } else { What::UnsafeAbove };
        let listed = xattr::has_access_list(component.dir).is_ok_and(|listed| listed);
        let list = if listed { "; it has an access list, as getfacl shows" } else { "" };
        let detail = format!("owner {uid}, group {gid}, mode {mode:04o}{list}");
        // A directory that is sticky is everybody's on purpose, /tmp for one: the root has to go elsewhere.
        let shared = mode & 0o1000 != 0 && !component.last;
        let mend = mend.clone().filter(|_| !shared);
        let finding = Finding::new(what, path(), detail).mend(mend);
        let id = isol_sys::brief::Brief::of(component.dir).ok().map(|brief| brief.id());
        findings.push(match id {
            Some(id) if component.last => finding.of(id),
            _ => finding,
        });
    }
    if let Some(user) = user {
        let mend = Some(format!("umount {shell}"));
        findings.push(
            Finding::new(What::UserMount, path(), format!("mounted by uid {user}")).mend(mend),
        );
    }
    if noexec {
        let mend = Some(format!("mount -o remount,exec \"$(findmnt -no TARGET -T {shell})\""));
        findings.push(Finding::new(What::NoExec, path(), "").mend(mend));
    }
    if default {
        let mend = Some(format!("setfacl -k {shell}"));
        findings.push(Finding::new(What::DefaultAccessList, path(), "").mend(mend));
    }
}
