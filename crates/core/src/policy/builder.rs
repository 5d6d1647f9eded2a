//! Says what a policy is to be, one thing after the other.

use std::marker::PhantomData;
use std::path::PathBuf;

use super::Policy;
use crate::{
    Allow, Bind, Environment, Group, Guarantee, LandlockWord, Limit, Network, Parameter,
    PolicyError, Seccomp, Syslog, Tmpfs, User,
};

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

impl PolicyBuilder<NeedsUser> {
    /// Of a policy that says nothing but its root.
    pub(super) fn new(policy: Policy) -> Self {
        Self { policy, state: PhantomData }
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
