//! What the user wants, in the same words on every operating system.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::mount::{check_places, check_target, top_down};
use crate::{
    Allow, AllowSet, Amount, Bind, Environment, Group, Guarantee, GuaranteeSet, Landlock,
    LandlockWord, Limit, Mount, MountError, Network, Parameter, PolicyError, Resource, Root,
    Seccomp, Syslog, Tmpfs, User, is_loader_variable,
};

/// A policy that has been checked against itself. Made by [`Policy::confine`].
///
/// ```
/// use isol_core::{Policy, User};
/// let policy = Policy::confine("/srv/dns").user(User::Auto).umask(0o027).build()?;
/// assert_eq!(policy.umask, 0o027);
/// # Ok::<(), isol_core::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// The program's `/`.
    pub root: Root,
    /// Who it is.
    pub user: User,
    /// Its group; without one, the user's own, and for a bare uid the gid of the same number.
    pub group: Option<Group>,
    /// Its supplementary groups; these and no others.
    pub groups: Vec<Group>,
    /// Where it starts, inside the root.
    pub workdir: PathBuf,
    /// Its environment.
    pub environment: Environment,
    /// Descriptors that it gets beside 0, 1 and 2, under their own numbers.
    pub pass_fds: Vec<i32>,
    /// Its resource limits. Core dumps are off unless one names `core`.
    pub limits: Vec<Limit>,
    /// Its umask.
    pub umask: u32,
    /// Whether it is killed when the process that started it dies.
    pub die_with_parent: bool,
    /// The network that it may use.
    pub network: Network,
    /// Where its messages to syslog go.
    pub syslog: Syslog,
    /// A host name of its own.
    pub hostname: Option<String>,
    /// What the isolation is called, where the backend gives it a name.
    pub name: Option<String>,
    /// What of the host's is mounted in the root.
    pub binds: Vec<Bind>,
    /// New, empty file systems in the root.
    pub tmpfs: Vec<Tmpfs>,
    /// Whether the root itself can't be written to.
    pub read_only: bool,
    /// What only one backend understands.
    pub parameters: Vec<Parameter>,
    /// Which system calls are refused inside.
    pub seccomp: Seccomp,
    /// Whether somebody wants to know which calls are refused: whoever starts the program as a child is told, and has
    /// to listen; elsewhere they are told in the kernel's log.
    pub tell_refusals: bool,
    /// What Landlock confines.
    pub landlock: Landlock,
    /// Guarantees without which it must not run.
    pub require: GuaranteeSet,
    /// Relaxations.
    pub allow: AllowSet,
}

/// Builder state: nobody has said yet as whom the program runs.
#[derive(Clone, Debug)]
pub struct NeedsUser;
/// Builder state: ready to build.
#[derive(Clone, Debug)]
pub struct Settled;

/// Builds a [`Policy`]. It has no `build` until the user is named.
#[derive(Clone, Debug)]
#[must_use]
pub struct PolicyBuilder<State> {
    policy: Policy,
    state: PhantomData<State>,
}

impl Policy {
    /// A policy that confines to a directory.
    pub fn confine(root: impl Into<PathBuf>) -> PolicyBuilder<NeedsUser> {
        Self::rooted(Root::Directory(root.into()))
    }

    /// A policy that confines to a tree made for the run: the program, what it
    /// loads, and `add`.
    pub fn throw_away(add: impl IntoIterator<Item = PathBuf>) -> PolicyBuilder<NeedsUser> {
        Self::rooted(Root::ThrowAway { add: add.into_iter().collect() })
    }

    /// A policy for a root of either kind.
    pub fn rooted(root: Root) -> PolicyBuilder<NeedsUser> {
        let policy = Policy {
            root,
            user: User::Auto,
            group: None,
            groups: Vec::new(),
            workdir: PathBuf::from("/"),
            environment: Environment::default(),
            pass_fds: Vec::new(),
            limits: Vec::new(),
            umask: 0o022,
            die_with_parent: false,
            network: Network::Unsaid,
            syslog: Syslog::Off,
            hostname: None,
            name: None,
            binds: Vec::new(),
            tmpfs: Vec::new(),
            read_only: false,
            parameters: Vec::new(),
            seccomp: Seccomp::Unsaid,
            tell_refusals: false,
            landlock: Landlock::default(),
            require: GuaranteeSet::EMPTY,
            allow: AllowSet::default(),
        };
        PolicyBuilder { policy, state: PhantomData }
    }

    /// The limits, one for each resource, of which the last one named wins, with the
    /// default ones in front: core dumps off.
    #[must_use]
    pub fn effective_limits(&self) -> Vec<Limit> {
        let none = Amount::AtMost(0);
        let mut limits = Vec::with_capacity(self.limits.len() + 1);
        if !self.limits.iter().any(|l| l.resource == Resource::Core) {
            limits.push(Limit { resource: Resource::Core, soft: none, hard: none });
        }
        for limit in &self.limits {
            match limits.iter_mut().find(|l| l.resource == limit.resource) {
                Some(earlier) => *earlier = *limit,
                None => limits.push(*limit),
            }
        }
        limits
    }

    /// What it asks to be mounted, in the order in which it has to be: one that lies in another comes behind it.
    ///
    /// ```
    /// use isol_core::{Policy, User};
    /// let policy = Policy::confine("/srv/x")
    ///     .user(User::Auto)
    ///     .bind("/srv/data:/home/me/data".parse().unwrap())
    ///     .tmpfs("/home".parse().unwrap())
    ///     .build()?;
    /// let targets = policy.mounts_top_down().into_iter().map(|mount| mount.target());
    /// assert!(targets.eq(["/home", "/home/me/data"].map(std::path::PathBuf::from)));
    /// # Ok::<(), isol_core::PolicyError>(())
    /// ```
    #[must_use]
    pub fn mounts_top_down(&self) -> Vec<Mount<'_>> {
        top_down(&self.binds, &self.tmpfs)
    }

    /// What it asks to be mounted, or to be read-only, in words; `None` if nothing.
    #[must_use]
    pub fn mounts(&self) -> Option<String> {
        let bind = self.binds.first().map(|bind| format!("--bind {bind}"));
        let tmpfs = || self.tmpfs.first().map(|tmpfs| format!("--tmpfs {tmpfs}"));
        bind.or_else(tmpfs).or_else(|| self.read_only.then(|| "--read-only".to_owned()))
    }

    fn check(&self) -> Result<(), PolicyError> {
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
        let is_root = |group: &Group| matches!(group, Group::Id(gid) if gid.is_root());
        if self.group.iter().chain(&self.groups).any(is_root) {
            PolicyError::RootGroup.unless_allowed(self.allow.contains(Allow::RootGroup))?;
        }
        Ok(())
    }
}

impl<State> PolicyBuilder<State> {
    fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// As whom the program runs.
    pub fn user(mut self, user: User) -> PolicyBuilder<Settled> {
        self.policy.user = user;
        PolicyBuilder { policy: self.policy, state: PhantomData }
    }

    /// Its group.
    pub fn group(self, group: Group) -> Self {
        self.with(|p| p.group = Some(group))
    }

    /// Its supplementary groups.
    pub fn groups(self, groups: impl IntoIterator<Item = Group>) -> Self {
        self.with(|p| p.groups = groups.into_iter().collect())
    }

    /// Where it starts, inside the root.
    pub fn workdir(self, workdir: impl Into<PathBuf>) -> Self {
        self.with(|p| p.workdir = workdir.into())
    }

    /// Its environment.
    pub fn environment(self, environment: Environment) -> Self {
        self.with(|p| p.environment = environment)
    }

    /// Passes descriptors on under their own numbers.
    pub fn pass_fds(self, fds: impl IntoIterator<Item = i32>) -> Self {
        self.with(|p| p.pass_fds = fds.into_iter().collect())
    }

    /// Sets resource limits.
    pub fn limits(self, limits: impl IntoIterator<Item = Limit>) -> Self {
        self.with(|p| p.limits = limits.into_iter().collect())
    }

    /// Its umask.
    pub fn umask(self, umask: u32) -> Self {
        self.with(|p| p.umask = umask)
    }

    /// Has it killed when the process that starts it dies.
    pub fn die_with_parent(self, yes: bool) -> Self {
        self.with(|p| p.die_with_parent = yes)
    }

    /// The network that it may use.
    pub fn network(self, network: Network) -> Self {
        self.with(|p| p.network = network)
    }

    /// A host name of its own.
    pub fn hostname(self, name: impl Into<String>) -> Self {
        self.with(|p| p.hostname = Some(name.into()))
    }

    /// Where its messages to syslog go.
    pub fn syslog(self, syslog: Syslog) -> Self {
        self.with(|p| p.syslog = syslog)
    }

    /// What the isolation is called, where the backend gives it a name.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(|p| p.name = Some(name.into()))
    }

    /// Mounts something of the host's in the root.
    pub fn bind(self, bind: Bind) -> Self {
        self.with(|p| p.binds.push(bind))
    }

    /// Mounts a new, empty file system in the root.
    pub fn tmpfs(self, tmpfs: Tmpfs) -> Self {
        self.with(|p| p.tmpfs.push(tmpfs))
    }

    /// Has the root itself be read-only.
    pub fn read_only(self, yes: bool) -> Self {
        self.with(|p| p.read_only = yes)
    }

    /// Parameters that only one backend understands; the others refuse them.
    pub fn parameters(self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.with(|p| p.parameters = parameters.into_iter().collect())
    }

    /// Which system calls are refused inside. On Linux only; without it, those of the default filter.
    pub fn seccomp(self, seccomp: Seccomp) -> Self {
        self.with(|p| p.seccomp = seccomp)
    }

    /// Whether somebody wants to know which calls are refused. On Linux only. Who starts a child has to take the
    /// refusals from it, because each such call waits for its answer until it is taken.
    pub fn tell_refusals(self, tell: bool) -> Self {
        self.with(|p| p.tell_refusals = tell)
    }

    /// What Landlock confines. On Linux only; without it, nothing.
    pub fn landlock(self, words: impl IntoIterator<Item = LandlockWord>) -> Self {
        self.with(|p| p.landlock = words.into_iter().collect())
    }

    /// Requires a guarantee.
    pub fn require(self, guarantee: Guarantee) -> Self {
        self.with(|p| p.require.insert(guarantee))
    }

    /// Allows a relaxation.
    pub fn allow(self, allow: Allow) -> Self {
        self.with(|p| p.allow.insert(allow))
    }
}

impl PolicyBuilder<Settled> {
    /// Checks the policy against itself.
    ///
    /// # Errors
    /// [`PolicyError`] says what can't be, whatever the host.
    pub fn build(self) -> Result<Policy, PolicyError> {
        self.policy.check()?;
        Ok(self.policy)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gid, Uid};

    fn build(
        change: impl FnOnce(PolicyBuilder<Settled>) -> PolicyBuilder<Settled>,
    ) -> Result<Policy, PolicyError> {
        change(Policy::confine("/srv/x").user(User::Auto)).build()
    }

    #[test]
    fn roots_that_isolate_from_nothing_are_refused() {
        let root = |r: &str| Policy::confine(r).user(User::Auto).build().map(drop);
        assert_eq!(root("/"), Err(PolicyError::RootIsSlash));
        assert_eq!(root("//./"), Err(PolicyError::RootIsSlash));
        assert!(matches!(root("srv"), Err(PolicyError::RootRelative(_))));
        assert!(matches!(root("/srv/../etc"), Err(PolicyError::RootDotDot(_))));
        assert!(matches!(root("/srv\0x"), Err(PolicyError::Nul(_))));
        assert_eq!(root("/srv"), Ok(()));
    }

    #[test]
    fn root_ids_need_leave() {
        let root = || Policy::confine("/srv/x").user(User::Id(Uid::ROOT));
        assert_eq!(root().build(), Err(PolicyError::RootUser));
        assert!(root().allow(Allow::RootUser).build().is_ok());
        assert_eq!(build(|b| b.group(Group::Id(Gid::ROOT))), Err(PolicyError::RootGroup));
        assert_eq!(build(|b| b.groups([Group::Id(Gid::ROOT)])), Err(PolicyError::RootGroup));
    }

    #[test]
    fn what_the_kernel_would_take_for_something_else_names_nothing() {
        for name in ["", "web.1", "123", "-5", "--name", "a b", "caf\u{e9}", &"a".repeat(256)] {
            assert_eq!(build(|b| b.name(name)), Err(PolicyError::Name(name.to_owned())));
        }
        for name in ["web-1", "1a", "_", &"a".repeat(255)] {
            assert!(build(|b| b.name(name)).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_syslog_socket_is_one_that_can_be_connected_to() {
        let to = |path: &str| build(|b| b.syslog(Syslog::Socket(path.into()))).map(|p| p.syslog);
        assert_eq!(to("/run/log"), Ok(Syslog::Socket("/run/log".into())));
        for wrong in ["", "run/log", &format!("/{}", "x".repeat(103))] {
            assert_eq!(to(wrong), Err(PolicyError::SyslogSocket(wrong.into())));
        }
    }

    #[test]
    fn the_loader_s_variables_need_leave() {
        let keep = Environment { keep: vec!["LD_PRELOAD".into()], ..Environment::default() };
        assert_eq!(
            build(|b| b.environment(keep.clone())),
            Err(PolicyError::LoaderVariable("LD_PRELOAD".into()))
        );
        assert!(build(|b| b.environment(keep).allow(Allow::LoaderEnvironment)).is_ok());
    }

    #[test]
    fn core_dumps_are_off_unless_asked_for() {
        let silent = build(|b| b).unwrap().effective_limits();
        assert_eq!(silent[0].to_string(), "core=0:0");
        let asked = build(|b| b.limits(["core=1M".parse().unwrap()])).unwrap();
        assert_eq!(asked.effective_limits().len(), 1);
    }
}
