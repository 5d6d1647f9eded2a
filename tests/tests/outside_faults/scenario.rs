//! The command lines that are tried, and what their program has to see.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;

use isol_tests::{built, isol_with, own_uid, run};

use crate::caller::WORK;
use crate::judge::Expected;

const SLEEP: &str = "/usr/bin/sleep";

/// The command that was built with the tests, and not the one that is released: the static one looks names up by
/// getent(1), whose pipe is never closed if strace keeps it from being.
pub(crate) fn isol() -> PathBuf {
    built("isol")
}

/// What all command lines share: the oracle, and a root with it.
pub(crate) struct Ground {
    path: PathBuf,
    oracle: String,
    root: String,
    uid: u32,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let uid = own_uid();
        let path = PathBuf::from(format!("/srv/isol-faults-{uid}"));
        let text = |name: &str| path.join(name).to_str().expect("ASCII").to_owned();
        let (oracle, root) = (text("oracle"), text("root"));
        let ground = Self { path, oracle, root, uid };
        for dir in [ground.path.as_path(), ground.root.as_ref(), &ground.path.join("root/proc")] {
            fs::create_dir(dir).expect("a directory");
            fs::set_permissions(dir, Permissions::from_mode(0o755)).expect("a mode");
        }
        // Without its symbols it is a twentieth as large, and is copied often.
        let built = built("oracle");
        let strip = Command::new("strip").arg("-o").arg(&ground.oracle).arg(&built).status();
        if !strip.is_ok_and(|status| status.success()) {
            fs::copy(&built, &ground.oracle).expect("it has been built");
        }
        fs::set_permissions(&ground.oracle, Permissions::from_mode(0o755)).expect("a mode");
        for program in [&ground.oracle, SLEEP] {
            run(&mut isol_with(["root", "add", &ground.root, program])).succeeded();
        }
        ground
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let uid = self.uid;
        let named = format!(
            "--root {} --user {uid}:77 --groups 1234,99 --umask 027 --env PLACE=inside",
            self.root
        );
        let mut expected = Expected::confined();
        let meta = fs::metadata(&self.root).expect("it is there");
        expected.exactly("root", format!("{}:{}", meta.dev(), meta.ino()));
        expected.exactly("uids", format!("{uid} {uid}"));
        expected.exactly("gids", "77 77");
        expected.exactly("groups", "99 1234");
        expected.exactly("umask", "027");
        expected.exactly("environment", "PLACE=inside");
        for (key, value) in [
            ("proc-Uid", format!("{uid} {uid} {uid} {uid}")),
            ("proc-Gid", "77 77 77 77".into()),
            ("proc-Groups", "99 1234".into()),
            ("proc-NoNewPrivs", "1".into()),
            ("proc-SigBlk", "0".repeat(16)),
            // SIGPIPE: Rust's runtime.
            ("proc-SigIgn", format!("{:016x}", 1 << 12)),
        ] {
            expected.exactly(key, value);
        }
        for set in ["proc-CapInh", "proc-CapPrm", "proc-CapEff", "proc-CapBnd", "proc-CapAmb"] {
            expected.exactly(set, "0".repeat(16));
        }
        let mut thrown_away = Expected::confined();
        thrown_away.that("uids", is_allotted);
        thrown_away.that("gids", is_allotted);
        thrown_away.exactly("groups", "");
        thrown_away.exactly("umask", "022");
        thrown_away.exactly("environment", "");
        let uid = uid.to_string();
        vec![
            self.scenario("exec", &named, &uid, expected.clone(), 0),
            self.scenario("spawn", &format!("{named} --timeout 60"), &uid, expected, 9),
            self.scenario("throw-away", "", "auto", thrown_away, 9),
        ]
    }

    /// The program of a scenario, confined by chroot(1) to the same root, user and groups.
    pub(crate) fn by_chroot(&self, scenario: &Scenario) -> String {
        let Self { root, uid, .. } = self;
        let program = scenario.program();
        format!("chroot --userspec={uid}:77 --groups=1234,99 {root} {program}")
    }

    fn scenario(
        &self,
        name: &'static str,
        options: &str,
        uid: &str,
        mut expected: Expected,
        parent_death_signal: i32,
    ) -> Scenario {
        expected.exactly("descriptors", "0 1 2 9");
        expected.exactly("nofile", "300:300");
        expected.exactly("parent-death-signal", parent_death_signal.to_string());
        Scenario {
            name,
            isol: format!(
                "{} run --backend chroot {options} --limit nofile=300:300 --pass-fd 9",
                isol().display()
            ),
            program: format!("{} {WORK}/outside {uid}", self.oracle),
            expected,
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn is_allotted(ids: &str) -> bool {
    let (real, effective) = ids.split_once(' ').unwrap_or_default();
    real == effective && real.parse().is_ok_and(|id: u32| (61184..=65519).contains(&id))
}

/// One command line.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    isol: String,
    program: String,
    /// What its program has to see.
    pub(crate) expected: Expected,
}

impl Scenario {
    /// The run, with its output where it is looked for.
    pub(crate) fn line(&self) -> String {
        let Self { isol, program, .. } = self;
        format!("{isol} -- {program} >{WORK}/marker 2>{WORK}/err 9>{WORK}/nine <&0")
    }

    /// The same run of a program that does not end by itself.
    pub(crate) fn endless_line(&self) -> String {
        self.line().replace(&self.program, &format!("{SLEEP} infinity"))
    }

    /// The same on the namespaces backend, whose child reports over a pipe.
    pub(crate) fn endless_line_in_namespaces(&self) -> String {
        self.endless_line().replacen("--backend chroot", "--backend namespaces", 1)
    }

    /// The program alone.
    pub(crate) fn program(&self) -> String {
        self.program.clone()
    }
}
