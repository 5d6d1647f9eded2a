//! From options to a policy.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use isol::{Allow, Choice, Command, Isolation, Policy, Problem, Profile, Syslog, nearest};

use crate::arguments::{Options, Program};

/// The policy that the options, and a profile below them, describe.
pub(crate) fn policy(options: &Options) -> Result<Policy, Problem> {
    let over = from_options(options)?;
    let profile = match &options.seldom.profile {
        Some(file) => read(file)?.overlaid_by(over),
        None => over,
    };
    let policy = profile.policy().map_err(|error| error.problem())?;
    for pointless in [Allow::Threads, Allow::UncheckedProgram] {
        if policy.allow.contains(pointless) {
            let why = "the isol command has one thread and always checks the program";
            return Err(Problem::new(
                "usage",
                format!("--allow {pointless} allows nothing here"),
                why,
            ));
        }
    }
    Ok(policy)
}

/// The policy on the backend of the user's choice.
pub(crate) fn isolation(policy: Policy, options: &Options) -> Result<Isolation, Problem> {
    Ok(Isolation::new(policy).backend(choice(&options.often.backend)?))
}

/// The program and its arguments.
pub(crate) fn command(program: &Program) -> Result<Command, Problem> {
    let empty = || {
        Problem::new("usage", "the program has no name", "").help("isol run -- PROGRAM [ARG]...")
    };
    let (name, arguments) = program.words.split_first().ok_or_else(empty)?;
    if name.is_empty() {
        return Err(empty());
    }
    Ok(Command::new(name).args(arguments.iter().cloned()))
}

fn choice(name: &str) -> Result<Choice, Problem> {
    if name == "auto" {
        return Ok(Choice::Auto);
    }
    let names = || isol::backends().iter().map(|b| b.name()).chain(["auto"]);
    isol::backend_by_name(name).map(Choice::Backend).ok_or_else(|| {
        let problem = Problem::new("usage", format!("no backend is called `{name}`"), "");
        match nearest(name, names()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("there are {}", names().collect::<Vec<_>>().join(", "))),
        }
    })
}

fn from_options(options: &Options) -> Result<Profile, Problem> {
    let Options { often, seldom } = options;
    let env_raw = often.env.iter().map(|v| variable(v)).collect::<Result<_, _>>()?;
    Ok(Profile {
        root: often.root.clone(),
        add: seldom.add.clone(),
        user: often.user.clone(),
        groups: seldom.groups.iter().filter(|g| !g.is_empty()).cloned().collect(),
        workdir: seldom.workdir.clone(),
        env_raw,
        keep_env: seldom.keep_env.clone(),
        pass_fd: seldom.pass_fd.clone(),
        limit: seldom.limit.clone(),
        umask: seldom.umask.clone(),
        network: often.network.clone(),
        hostname: seldom.hostname.clone(),
        syslog: seldom.syslog.clone().map(|to| to.map_or(Syslog::Host, Syslog::Socket)),
        name: seldom.name.clone(),
        bind: seldom.bind.clone(),
        tmpfs: seldom.tmpfs.clone(),
        read_only: seldom.read_only,
        jail_param: seldom.jail_param.clone(),
        seccomp: often.seccomp.clone(),
        landlock: seldom.landlock.clone(),
        require: often.require.clone(),
        allow: often.allow.clone(),
        ..Profile::default()
    })
}

fn variable(text: &OsStr) -> Result<(OsString, OsString), Problem> {
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|&b| b == b'=').ok_or_else(|| {
        Problem::new("usage", format!("--env {} has no `=` in it", text.display()), "")
            .help(format!("--env {0}=VALUE sets it; --keep-env {0} takes it over", text.display()))
    })?;
    let part = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    Ok((part(&bytes[..end]), part(&bytes[end + 1..])))
}

fn read(file: &Path) -> Result<Profile, Problem> {
    let what = || format!("the profile {}", file.display());
    let text = std::fs::read_to_string(file)
        .map_err(|error| Problem::io("profile", format!("can't read {}", what()), &error))?;
    toml::from_str(&text).map_err(|error| {
        let place = error.span().map(|s| text[..s.start].matches('\n').count() + 1);
        let line = place.map(|n| format!("line {n}: ")).unwrap_or_default();
        Problem::new("profile", format!("{} is none", what()), format!("{line}{}", error.message()))
    })
}
