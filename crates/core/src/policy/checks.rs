//! Checks a policy against itself: what can't be, whatever the host.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use super::Policy;
use crate::mount::{check_places, check_target};
use crate::{
    Allow, Group, MountError, PolicyError, Root, Seccomp, Syslog, User, is_loader_variable,
};

impl Policy {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        if let Root::Directory(root) = &self.root {
            check_root(root)?;
        }
        check_nul("the working directory", self.workdir.as_os_str())?;
        if !self.workdir.is_absolute() {
            return Err(PolicyError::WorkdirRelative(self.workdir.clone()));
        }
        self.check_environment()?;
        if let Some(&fd) = self.pass_fds.iter().find(|&&fd| fd < 3) {
            return Err(PolicyError::PassDescriptor(fd));
        }
        if self.umask > 0o777 {
            return Err(PolicyError::Umask(self.umask));
        }
        if let Some(name) = &self.hostname {
            check_hostname(name)?;
        }
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        for bind in &self.binds {
            check_nul("a path to mount", bind.source.as_os_str())?;
            check_nul("a path to mount on", bind.target.as_os_str())?;
            check_target(&bind.target)?;
            if !bind.source.is_absolute() {
                return Err(MountError::Bind(bind.to_string()).into());
            }
        }
        for tmpfs in &self.tmpfs {
            check_nul("a path to mount on", tmpfs.target.as_os_str())?;
            check_target(&tmpfs.target)?;
        }
        check_places(&self.mounts_top_down())?;
        if let Syslog::Socket(path) = &self.syslog {
            check_socket(path)?;
        }
        for parameter in &self.parameters {
            check_nul("a parameter's name", OsStr::new(&parameter.name))?;
            check_nul("a parameter's value", OsStr::new(parameter.value.as_deref().unwrap_or("")))?;
        }
        if let Seccomp::File(file) = &self.seccomp {
            check_nul("the filter's path", file.as_os_str())?;
        }
        for path in &self.landlock.write {
            check_nul("a path that can be written to", path.as_os_str())?;
        }
        self.check_ids()
    }

    fn check_environment(&self) -> Result<(), PolicyError> {
        for name in self.environment.names() {
            check_nul("an environment variable's name", name)?;
            if name.is_empty() || name.as_bytes().contains(&b'=') {
                return Err(PolicyError::VariableName(name.to_string_lossy().into_owned()));
            }
            if is_loader_variable(name) {
                PolicyError::LoaderVariable(name.to_string_lossy().into_owned())
                    .unless_allowed(self.allow.contains(Allow::LoaderEnvironment))?;
            }
        }
        for (_, value) in &self.environment.set {
            check_nul("an environment variable's value", value)?;
        }
        Ok(())
    }

    fn check_ids(&self) -> Result<(), PolicyError> {
        if matches!(self.user, User::Id(uid) if uid.is_root()) {
            PolicyError::RootUser.unless_allowed(self.allow.contains(Allow::RootUser))?;
        }
        if self.allow.contains(Allow::Superuser) {
            PolicyError::Superuser.unless_allowed(self.allow.contains(Allow::RootUser))?;
        }
        let is_root = |group: &Group| matches!(group, Group::Id(gid) if gid.is_root());
        if self.group.iter().chain(&self.groups).any(is_root) {
            PolicyError::RootGroup.unless_allowed(self.allow.contains(Allow::RootGroup))?;
        }
        Ok(())
    }
}

fn check_nul(what: &'static str, text: &OsStr) -> Result<(), PolicyError> {
    if text.as_bytes().contains(&0) { Err(PolicyError::Nul(what)) } else { Ok(()) }
}

fn check_root(root: &Path) -> Result<(), PolicyError> {
    check_nul("the root", root.as_os_str())?;
    if !root.is_absolute() {
        return Err(PolicyError::RootRelative(root.to_owned()));
    }
    if root.components().any(|c| c == Component::ParentDir) {
        return Err(PolicyError::RootDotDot(root.to_owned()));
    }
    if root.components().all(|c| c == Component::RootDir) {
        return Err(PolicyError::RootIsSlash);
    }
    Ok(())
}

fn check_hostname(name: &str) -> Result<(), PolicyError> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if (1..=63).contains(&name.len()) && name.bytes().all(legal) {
        Ok(())
    } else {
        Err(PolicyError::Hostname(name.to_owned()))
    }
}

/// Where a socket can be: `sun_path` has room for 103 bytes and a NUL everywhere.
fn check_socket(path: &Path) -> Result<(), PolicyError> {
    check_nul("the syslog socket", path.as_os_str())?;
    if path.is_absolute() && path.as_os_str().len() <= 103 {
        Ok(())
    } else {
        Err(PolicyError::SyslogSocket(path.to_owned()))
    }
}

/// What can name a jail: no number, of either sign, which would be a jail's id, no dot, which would be a jail's
/// child, and shorter than the kernel's `MAXHOSTNAMELEN`.
fn check_name(name: &str) -> Result<(), PolicyError> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let number = name.bytes().all(|b| b.is_ascii_digit());
    let option = name.starts_with('-');
    if (1..=255).contains(&name.len()) && name.bytes().all(legal) && !number && !option {
        Ok(())
    } else {
        Err(PolicyError::Name(name.to_owned()))
    }
}
