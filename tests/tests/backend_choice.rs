//! Which backend `auto` takes, and what it says where none can be taken.

use std::os::unix::process::CommandExt;
use std::process::Command;

use isol_tests::{TestRoot, isol_with, must_have, must_have_namespaces, own_uid, run};

fn taken(options: &str) -> String {
    let mut command = isol_with(["plan", "--json", "--root", "/srv/x"]);
    command.args(options.split_whitespace()).args(["--", "/bin/true"]);
    let plan: serde_json::Value =
        serde_json::from_str(run(&mut command).succeeded()).expect("a plan is JSON");
    plan["backend"].as_str().expect("a plan has a backend").to_owned()
}

#[test]
fn auto_takes_what_does_all_that_is_asked_for() {
    if !must_have_namespaces() {
        return;
    }
    for options in ["", "--user 80", "--network host", "--allow root-user"] {
        assert_eq!(taken(options), "chroot", "{options}");
    }
    for options in [
        "--network none",
        "--hostname a",
        "--bind /srv/data:/data",
        "--tmpfs /data",
        "--read-only",
        "--user 0 --allow root-user",
        "--user root --allow root-user",
    ] {
        assert_eq!(taken(options), "namespaces", "{options}");
    }
    let root = TestRoot::new();
    let mut command = isol_with(["run", "--root", root.text(), "--tmpfs", "/etc", "--"]);
    run(command.args(["/bin/touch", "/etc/x"])).succeeded();
}

fn as_user(uid: u32, options: &str) -> Command {
    let mut command = isol_with(["run"]);
    command.args(options.split_whitespace()).args(["--", "/bin/true"]);
    command.uid(uid).gid(uid).env_remove("XDG_RUNTIME_DIR").current_dir("/");
    command
}

#[test]
fn an_ordinary_user_reads_what_each_backend_lacks() {
    if !must_have_namespaces() {
        return;
    }
    let uid = own_uid();
    for (options, why) in [
        ("--require root-safe", "namespaces lacks root-safe (the root can be one of"),
        ("--require uid-dedicated", "namespaces lacks uid-dedicated ("),
        ("--require groups-exact", "namespaces lacks groups-exact ("),
        ("--user nobody", "namespaces can't do uid"),
        ("--groups 5", "namespaces can't do a choice of groups"),
    ] {
        let said = run(&mut as_user(uid, options));
        said.refused(125, &["backend: chroot can't be run here", why, "\nhelp: "]);
    }
    let said = run(&mut as_user(uid, "--allow host-pids"));
    said.refused(125, &["in a user namespace a program has an init", "run it as root"]);
}

#[test]
fn uid_0_inside_has_pids_of_its_own() {
    if must_have_namespaces() {
        let options = ["plan", "--root", "/srv/x", "--user", "0", "--allow", "root-user,host-pids"];
        run(isol_with(options).args(["--", "/bin/true"]))
            .refused(125, &["in a user namespace a program has an init"]);
    }
}

#[test]
fn root_without_the_capability_is_told_so() {
    if !must_have_namespaces() || !must_have(&["setpriv"]) {
        return;
    }
    let root = TestRoot::new();
    let without = |options: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--inh-caps=-sys_admin", "--bounding-set=-sys_admin"]);
        command.arg(isol_tests::isol_path()).args(["run", "--root", root.text()]);
        run(command.args(options.split_whitespace()).args(["--", "/bin/true"]))
    };
    without("--backend namespaces")
        .refused(125, &["this process lacks CAP_SYS_ADMIN", "help: --backend chroot works here"]);
    without("--hostname a").refused(
        125,
        &[
            "this process lacks CAP_SYS_ADMIN",
            "chroot lacks hostname-private",
            "--cap-add SYS_ADMIN",
        ],
    );
    without("").succeeded();
}
