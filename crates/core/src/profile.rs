//! A policy as text: the keys of a profile file, which are the options of the command.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use crate::seccomp::UnknownRule;
use serde::{Deserialize, Serialize};

use crate::{
    Allow, Bind, Environment, Gid, Group, Guarantee, LandlockError, LandlockWord, Limit,
    LimitError, MountError, Network, NetworkError, Parameter, Policy, PolicyError, Problem, Root,
    Seccomp, Syslog, Tmpfs, Uid, UnknownAllow, UnknownGuarantee, User,
};

/// What a profile file says, and what the command line says: the same keys.
///
/// ```
/// let profile = isol_core::Profile {
///     root: Some("/srv/www".into()),
///     user: Some("33:33".into()),
///     ..Default::default()
/// };
/// assert_eq!(profile.policy().unwrap().workdir, std::path::Path::new("/"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Profile {
    /// A directory; without it, a throw-away root.
    pub root: Option<PathBuf>,
    /// Host paths to put into a throw-away root.
    pub add: Vec<PathBuf>,
    /// `USER|UID[:GROUP|GID]`, or `auto`, which is the default.
    pub user: Option<String>,
    /// Supplementary groups.
    pub groups: Vec<String>,
    /// Inside the root.
    pub workdir: Option<PathBuf>,
    /// Variables to set.
    pub env: BTreeMap<String, String>,
    /// Variables to set whose values need not be UTF-8; not of a file.
    #[serde(skip)]
    pub env_raw: Vec<(OsString, OsString)>,
    /// Variables to take over.
    pub keep_env: Vec<String>,
    /// Descriptors to pass on.
    pub pass_fd: Vec<i32>,
    /// `NAME=SOFT[:HARD]`.
    pub limit: Vec<String>,
    /// Octal.
    pub umask: Option<String>,
    /// Whether the program dies with the process that started it.
    pub die_with_parent: bool,
    /// `none`, `host`, or addresses.
    pub network: Option<String>,
    /// A host name of its own.
    pub hostname: Option<String>,
    /// `true`, `false`, or the path of a socket of the host.
    pub syslog: Option<Syslog>,
    /// What the jail is called.
    pub name: Option<String>,
    /// `SRC[:DST][:ro]`.
    pub bind: Vec<String>,
    /// `DIR[:SIZE]`.
    pub tmpfs: Vec<String>,
    /// Whether the root is read-only.
    pub read_only: bool,
    /// `NAME` or `NAME=VALUE`.
    pub jail_param: Vec<String>,
    /// `default`, `default+RULE`, `none`, or a file.
    pub seccomp: Option<String>,
    /// What Landlock confines: `files`, `write=PATH` and so on.
    pub landlock: Vec<String>,
    /// Guarantees.
    pub require: Vec<String>,
    /// Relaxations.
    pub allow: Vec<String>,
}

/// What in a profile is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// An id that is none.
    #[error("`{0}` is no id: the largest is 4294967294")]
    Id(String),
    /// An empty name.
    #[error("the {0} has no name")]
    Empty(&'static str),
    /// Not an octal number.
    #[error("`{0}` is no umask: three octal digits")]
    Umask(String),
    /// A throw-away root's option beside a root.
    #[error("paths can be added to a throw-away root only, and a root is named")]
    AddToRoot,
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A mount.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A rule of the default filter.
    #[error(transparent)]
    Seccomp(#[from] UnknownRule),
    /// A word of Landlock's.
    #[error(transparent)]
    Landlock(#[from] LandlockError),
    /// A guarantee.
    #[error(transparent)]
    Guarantee(#[from] UnknownGuarantee),
    /// A relaxation.
    #[error(transparent)]
    Allow(#[from] UnknownAllow),
    /// The whole.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl ProfileError {
    /// As the user reads it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let problem = Problem::new("usage", self.to_string(), "");
        let nearest = match self {
            Self::Policy(error) => return error.problem(),
            Self::Limit(LimitError::Unknown { nearest, .. }) => nearest,
            Self::Guarantee(UnknownGuarantee { nearest, .. }) => nearest,
            Self::Allow(UnknownAllow { nearest, .. }) => nearest,
            Self::Seccomp(UnknownRule { nearest, .. }) => nearest,
            Self::AddToRoot => {
                return problem
                    .help("leave --root out, or put the paths into the root by `isol root add`");
            }
            _ => return problem,
        };
        match (nearest, self) {
            (Some(name), _) => problem.help(format!("did you mean `{name}`?")),
            (None, Self::Seccomp(_)) => {
                let names: Vec<_> = crate::seccomp::RULES.iter().map(|rule| rule.name).collect();
                problem.help(format!("there are {}", names.join(", ")))
            }
            (None, _) => problem,
        }
    }
}

impl Profile {
    /// What this one says, and what `over` says on top: its single values win, its
    /// lists are added.
    #[must_use]
    pub fn overlaid_by(mut self, over: Self) -> Self {
        self.root = over.root.or(self.root);
        self.user = over.user.or(self.user);
        self.workdir = over.workdir.or(self.workdir);
        self.umask = over.umask.or(self.umask);
        self.die_with_parent |= over.die_with_parent;
        self.network = over.network.or(self.network);
        self.hostname = over.hostname.or(self.hostname);
        self.syslog = over.syslog.or(self.syslog);
        self.name = over.name.or(self.name);
        self.bind.extend(over.bind);
        self.tmpfs.extend(over.tmpfs);
        self.read_only |= over.read_only;
        self.jail_param.extend(over.jail_param);
        self.seccomp = over.seccomp.or(self.seccomp);
        self.landlock.extend(over.landlock);
        self.add.extend(over.add);
        self.groups.extend(over.groups);
        self.env.extend(over.env);
        self.env_raw.extend(over.env_raw);
        self.keep_env.extend(over.keep_env);
        self.pass_fd.extend(over.pass_fd);
        self.limit.extend(over.limit);
        self.require.extend(over.require);
        self.allow.extend(over.allow);
        self
    }

    /// The policy that it describes.
    ///
    /// # Errors
    /// The first thing in it that is wrong.
    pub fn policy(&self) -> Result<Policy, ProfileError> {
        let root = match &self.root {
            Some(_) if !self.add.is_empty() => return Err(ProfileError::AddToRoot),
            Some(root) => Root::Directory(root.clone()),
            None => Root::ThrowAway { add: self.add.clone() },
        };
        let (user, group) = user_and_group(self.user.as_deref().unwrap_or("auto"))?;
        let mut builder = Policy::rooted(root)
            .user(user)
            .groups(self.groups.iter().map(|g| g.parse()).collect::<Result<Vec<Group>, _>>()?)
            .environment(self.environment())
            .pass_fds(self.pass_fd.iter().copied())
            .limits(self.limit.iter().map(|l| l.parse()).collect::<Result<Vec<Limit>, _>>()?)
            .die_with_parent(self.die_with_parent);
        if let Some(group) = group {
            builder = builder.group(group);
        }
        if let Some(workdir) = &self.workdir {
            builder = builder.workdir(workdir);
        }
        if let Some(umask) = &self.umask {
            let octal = u32::from_str_radix(umask, 8).ok().filter(|_| !umask.starts_with('+'));
            builder = builder.umask(octal.ok_or_else(|| ProfileError::Umask(umask.clone()))?);
        }
        if let Some(network) = &self.network {
            builder = builder.network(network.parse()?);
        }
        if let Some(hostname) = &self.hostname {
            builder = builder.hostname(hostname);
        }
        if let Some(syslog) = &self.syslog {
            builder = builder.syslog(syslog.clone());
        }
        if let Some(name) = &self.name {
            builder = builder.name(name);
        }
        for bind in &self.bind {
            builder = builder.bind(bind.parse::<Bind>()?);
        }
        for tmpfs in &self.tmpfs {
            builder = builder.tmpfs(tmpfs.parse::<Tmpfs>()?);
        }
        builder = builder.read_only(self.read_only);
        let parameters = self.jail_param.iter().filter_map(|p| p.parse().ok());
        builder = builder.parameters(parameters);
        if let Some(seccomp) = &self.seccomp {
            builder = builder.seccomp(seccomp.parse::<Seccomp>()?);
        }
        let words = self.landlock.iter().map(|word| word.parse::<LandlockWord>());
        builder = builder.landlock(words.collect::<Result<Vec<_>, _>>()?);
        for guarantee in &self.require {
            builder = builder.require(guarantee.parse::<Guarantee>()?);
        }
        for allow in &self.allow {
            builder = builder.allow(allow.parse::<Allow>()?);
        }
        Ok(builder.build()?)
    }

    fn environment(&self) -> Environment {
        let set = self.env.iter().map(|(name, value)| (name.into(), value.into()));
        Environment {
            set: set.chain(self.env_raw.iter().cloned()).collect(),
            keep: self.keep_env.iter().map(OsString::from).collect(),
        }
    }
}

/// `USER|UID[:GROUP|GID]`
fn user_and_group(text: &str) -> Result<(User, Option<Group>), ProfileError> {
    match text.split_once(':') {
        Some((user, group)) => Ok((user.parse()?, Some(group.parse()?))),
        None => Ok((text.parse()?, None)),
    }
}

/// A text of digits only is a number, as in chown(1) and chroot(8).
fn number(text: &str) -> Option<Result<u32, ProfileError>> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().map_err(|_| ProfileError::Id(text.to_owned())))
}

impl FromStr for User {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match number(text) {
            Some(id) => Ok(User::Id(Uid::new(id?).ok_or(PolicyError::NoChangeId)?)),
            None if text == "auto" => Ok(User::Auto),
            None if text.is_empty() => Err(ProfileError::Empty("user")),
            None => Ok(User::Name(text.to_owned())),
        }
    }
}

impl FromStr for Group {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match number(text) {
            Some(id) => Ok(Group::Id(Gid::new(id?).ok_or(PolicyError::NoChangeId)?)),
            None if text.is_empty() => Err(ProfileError::Empty("group")),
            None => Ok(Group::Name(text.to_owned())),
        }
    }
}

impl From<&Policy> for Profile {
    fn from(policy: &Policy) -> Self {
        let (root, add) = match &policy.root {
            Root::Directory(root) => (Some(root.clone()), Vec::new()),
            Root::ThrowAway { add } => (None, add.clone()),
        };
        let user = match &policy.group {
            Some(group) => format!("{}:{group}", policy.user),
            None => policy.user.to_string(),
        };
        let text = |s: &OsString| s.to_string_lossy().into_owned();
        Self {
            root,
            add,
            user: Some(user),
            groups: policy.groups.iter().map(Group::to_string).collect(),
            workdir: Some(policy.workdir.clone()),
            env: policy.environment.set.iter().map(|(n, v)| (text(n), text(v))).collect(),
            env_raw: Vec::new(),
            keep_env: policy.environment.keep.iter().map(text).collect(),
            pass_fd: policy.pass_fds.clone(),
            limit: policy.limits.iter().map(Limit::to_string).collect(),
            umask: Some(format!("{:03o}", policy.umask)),
            die_with_parent: policy.die_with_parent,
            network: (policy.network != Network::Unsaid).then(|| policy.network.to_string()),
            hostname: policy.hostname.clone(),
            syslog: (policy.syslog != Syslog::Off).then(|| policy.syslog.clone()),
            name: policy.name.clone(),
            bind: policy.binds.iter().map(Bind::to_string).collect(),
            tmpfs: policy.tmpfs.iter().map(Tmpfs::to_string).collect(),
            read_only: policy.read_only,
            jail_param: policy.parameters.iter().map(Parameter::to_string).collect(),
            seccomp: (policy.seccomp != Seccomp::Unsaid).then(|| policy.seccomp.to_string()),
            landlock: policy.landlock.words().iter().map(LandlockWord::to_string).collect(),
            require: policy.require.iter().map(|g| g.id().to_owned()).collect(),
            allow: policy.allow.iter().map(|a| a.id().to_owned()).collect(),
        }
    }
}

impl Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Profile::from(self).serialize(s)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Profile::deserialize(d)?.policy().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(change: impl FnOnce(&mut Profile)) -> Result<Policy, ProfileError> {
        let mut profile = Profile { root: Some("/srv/x".into()), ..Profile::default() };
        change(&mut profile);
        profile.policy()
    }

    #[test]
    fn users_are_names_numbers_or_auto() {
        let user = |text: &str| policy(|p| p.user = Some(text.into())).map(|p| (p.user, p.group));
        assert_eq!(user("auto"), Ok((User::Auto, None)));
        assert_eq!(user("www"), Ok((User::Name("www".into()), None)));
        let id = |n| User::Id(Uid::new(n).unwrap());
        assert_eq!(user("33:www"), Ok((id(33), Some(Group::Name("www".into())))));
        assert_eq!(user("4294967294"), Ok((id(4_294_967_294), None)));
        assert_eq!(user("4294967295"), Err(PolicyError::NoChangeId.into()));
        assert_eq!(user("4294967296"), Err(ProfileError::Id("4294967296".into())));
        assert_eq!(user(""), Err(ProfileError::Empty("user")));
        assert_eq!(user("www:"), Err(ProfileError::Empty("group")));
        assert_eq!(user("0"), Err(PolicyError::RootUser.into()));
        assert_eq!(user("33:0"), Err(PolicyError::RootGroup.into()));
    }

    #[test]
    fn umasks_are_octal() {
        let umask = |text: &str| policy(|p| p.umask = Some(text.into())).map(|p| p.umask);
        assert_eq!(umask("027"), Ok(0o027));
        assert_eq!(umask("8"), Err(ProfileError::Umask("8".into())));
        assert_eq!(umask("1000"), Err(PolicyError::Umask(0o1000).into()));
    }

    #[test]
    fn names_of_jails_are_no_numbers_and_have_no_dots() {
        let name = |text: &str| policy(|p| p.name = Some(text.into())).map(|p| p.name);
        assert_eq!(name("web-1"), Ok(Some("web-1".into())));
        for wrong in ["123", "a.b", "", &"x".repeat(256), "a b"] {
            assert_eq!(name(wrong), Err(PolicyError::Name(wrong.into()).into()));
        }
    }

    #[test]
    fn a_policy_survives_being_written_down() {
        let before = policy(|p| {
            p.user = Some("7:8".into());
            p.limit = vec!["nofile=1:2".into()];
            p.network = Some("192.0.2.7,::1".into());
            p.hostname = Some("inside".into());
            p.syslog = Some(Syslog::Socket("/run/log".into()));
            p.name = Some("web-1".into());
            p.jail_param = vec!["allow.mlock".into(), "osreldate=1500000".into()];
            p.seccomp = Some("default+keys+io-uring".into());
            p.landlock = vec!["write=/tmp".into(), "connect=none".into()];
            p.env.insert("A".into(), "b".into());
            p.require = vec!["pids-hidden".into()];
            p.allow = vec!["terminal".into()];
        })
        .unwrap();
        assert_eq!(Profile::from(&before).policy(), Ok(before));
    }
}
