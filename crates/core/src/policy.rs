//! What the user wants, in the same words on every operating system.

mod builder;
mod checks;

use std::path::PathBuf;

use crate::mount::top_down;
use crate::{
    AllowSet, Amount, Bind, Environment, Group, GuaranteeSet, Landlock, Limit, Mount, Network,
    Parameter, Resource, Root, Seccomp, Syslog, Tmpfs, User,
};

pub use builder::{NeedsUser, PolicyBuilder, Settled};

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
        PolicyBuilder::new(policy)
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Allow, Gid, PolicyError, Uid};

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
        assert!(root().allow(Allow::RootUser).allow(Allow::Superuser).build().is_ok());
        assert_eq!(build(|b| b.allow(Allow::Superuser)), Err(PolicyError::Superuser));
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
