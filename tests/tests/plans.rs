//! Plans: what they print, and what holds for every one of them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use isol::{
    Allow, Amount, Choice, Environment, Gid, Group, Guarantee, Isolation, Limit, Mode, Network,
    Phase, Plan, Policy, Resource, Root, Syslog, Tier, Uid, User, backends, step_names as names,
};
use isol_tests::{TestRoot, copy_program, isol, isol_path, must_be_root, must_have, run};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

const PHASES: [&str; 5] = ["prepare", "enter", "drop", "verify", "seal"];

fn json(command: &mut Command) -> Value {
    let got = run(command);
    serde_json::from_str(got.succeeded()).unwrap_or_else(|error| panic!("{error}: {got:#?}"))
}

/// On one backend: which one `auto` takes is another matter for an ordinary user than for root.
fn plan(arguments: &[&str]) -> Value {
    let chroot = ["plan", "--json", "--backend", "chroot"];
    json(isol().args(chroot).args(arguments).args(["--", "/bin/true"]))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|v| v.as_str().expect("text")).collect()
}

fn ids() -> Vec<&'static str> {
    Guarantee::ALL.map(Guarantee::id).to_vec()
}

#[track_caller]
fn check_plan(plan: &Value, mode: &str) {
    assert_eq!(keys(plan), ["backend", "guarantees", "mode", "relaxed", "steps"]);
    assert_eq!(plan["backend"], "chroot");
    assert_eq!(plan["mode"], mode);
    let (claimed, relaxed) = (texts(&plan["guarantees"]), texts(&plan["relaxed"]));
    assert!(claimed.iter().chain(&relaxed).all(|id| ids().contains(id)), "{plan}");
    assert!(claimed.iter().all(|id| !relaxed.contains(id)), "{plan}");
    let steps = plan["steps"].as_array().unwrap();
    let mut latest = 0;
    for step in steps {
        assert_eq!(keys(step), ["calls", "establishes", "explains", "name", "phase"]);
        assert!(texts(&step["establishes"]).iter().all(|id| ids().contains(id)), "{step}");
        assert!(texts(&step["calls"]).iter().all(|call| !call.is_empty()), "{step}");
        let explains = step["explains"].as_str().unwrap();
        assert!(!explains.is_empty() && !explains.contains('\n'), "{step}");
        let phase = PHASES.iter().position(|p| step["phase"] == *p).unwrap();
        assert!(phase >= latest, "{step}");
        latest = phase;
    }
    for id in claimed {
        let founded = |step: &Value| texts(&step["establishes"]).contains(&id);
        assert!(steps.iter().any(founded), "no step establishes {id}");
    }
}

fn step<'a>(plan: &'a Value, name: &str) -> Option<&'a Value> {
    plan["steps"].as_array().unwrap().iter().find(|s| s["name"] == name)
}

#[test]
fn a_plan_is_json_of_a_stable_shape() {
    let named = plan(&["--root", "/srv/x", "--user", "70000"]);
    check_plan(&named, "exec");
    assert_eq!(named["relaxed"], serde_json::json!([]));
    check_plan(&plan(&["--root", "/srv/x", "--user", "70000", "--timeout", "1"]), "spawn");
    check_plan(&plan(&["--root", "/srv/x"]), "spawn");
    check_plan(&plan(&[]), "spawn");
    let relaxed = plan(&["--root", "/srv/x", "--user", "70000", "--allow", "shared-uid"]);
    check_plan(&relaxed, "exec");
    assert_eq!(relaxed["relaxed"], serde_json::json!(["uid-dedicated"]));
}

#[test]
fn a_plan_is_of_what_was_asked_for() {
    let plan = plan(&[
        "--root=/srv/x",
        "--user=70000:70001",
        "--groups=70003,70002",
        "--workdir=/var",
        "--umask=027",
        "--limit=nofile=64:128",
        "--env=NAME=secret",
        "--pass-fd=9",
        "--require=root-clean",
    ]);
    check_plan(&plan, "exec");
    for (name, text) in [
        ("root-directory", "/srv/x"),
        ("uid", "70000"),
        ("gid", "70001"),
        ("groups", "70002, 70003"),
        ("working-directory", "/var"),
        ("umask", "027"),
        ("limits", "nofile=64:128"),
        ("limits", "core=0:0"),
        ("environment", "NAME"),
        ("descriptors", "9"),
    ] {
        let explains = step(&plan, name).unwrap()["explains"].as_str().unwrap();
        assert!(explains.contains(text), "{name}: {explains}");
    }
    // A plan is printed for others to read: values may be secret.
    assert!(!plan.to_string().contains("secret"), "{plan}");
    assert!(texts(&plan["guarantees"]).contains(&"root-clean"), "{plan}");
}

#[test]
fn a_plan_as_text_has_every_step_and_guarantee() {
    let arguments = ["--root", "/srv/x", "--user", "70000", "--allow", "terminal"];
    let json = plan(&arguments);
    let text = run(isol().arg("plan").args(arguments).args(["--", "/bin/true"]));
    let text = text.succeeded();
    for step in json["steps"].as_array().unwrap() {
        let (name, explains) = (step["name"].as_str().unwrap(), step["explains"].as_str().unwrap());
        let is_it = |l: &str| l.trim_start().starts_with(name) && l.ends_with(explains);
        assert!(text.lines().any(is_it), "{name} is not in {text}");
    }
    for id in texts(&json["guarantees"]).iter().chain(&texts(&json["relaxed"])) {
        assert!(text.contains(id), "{id} is not in {text}");
    }
}

#[track_caller]
fn check_backends(list: &Value) {
    let list = list.as_array().unwrap();
    let all: Vec<_> = backends().iter().map(|b| b.name()).collect();
    assert_eq!(list.iter().map(|b| b["name"].as_str().unwrap()).collect::<Vec<_>>(), all);
    for backend in list {
        assert_eq!(keys(backend), ["available", "guarantees", "name", "reason"]);
        let reason = backend["reason"].as_str().unwrap();
        assert_eq!(backend["available"].as_bool().unwrap(), reason.is_empty(), "{backend}");
        let guarantees = backend["guarantees"].as_array().unwrap();
        let named: Vec<_> = guarantees.iter().map(|g| g["guarantee"].as_str().unwrap()).collect();
        assert_eq!(named, ids(), "each guarantee once, in the order of the list");
        for guarantee in guarantees {
            assert_eq!(keys(guarantee), ["guarantee", "offered", "reason"]);
            let reason = guarantee["reason"].as_str().unwrap();
            assert!(guarantee["offered"].as_bool().unwrap() || !reason.is_empty(), "{guarantee}");
        }
    }
}

#[test]
fn backends_are_json_of_a_stable_shape() {
    check_backends(&json(isol().args(["backends", "--json"])));
}

#[test]
fn backends_as_text_name_every_guarantee() {
    let text = run(isol().arg("backends"));
    let text = text.succeeded();
    for word in backends().iter().map(|b| b.name()).chain(ids()) {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

#[test]
fn chroot_claims_no_strong_guarantee() {
    let list = json(isol().args(["backends", "--json"]));
    let chroot = list.as_array().unwrap().iter().find(|b| b["name"] == "chroot").unwrap();
    for guarantee in chroot["guarantees"].as_array().unwrap() {
        let id = guarantee["guarantee"].as_str().unwrap();
        if id.parse::<Guarantee>().unwrap().tier() == Tier::Strong {
            assert_eq!(guarantee["offered"], false, "{id}");
        }
    }
}

#[test]
fn plans_and_backends_need_no_privilege() {
    if must_be_root() && must_have(&["setpriv"]) {
        let root = TestRoot::new();
        let copy = root.join("isol");
        copy_program(isol_path(), &copy);
        let nobody = |arguments: &[&str]| {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
            command.args(arguments);
            json(&mut command)
        };
        let named = ["plan", "--json", "--root", "/srv/x", "--user", "70000", "--", "/bin/true"];
        assert_eq!(nobody(&named), plan(&["--root", "/srv/x", "--user", "70000"]));
        let on_chroot = ["plan", "--json", "--backend", "chroot", "--", "/bin/true"];
        assert_eq!(nobody(&on_chroot), plan(&[]));
        let list = nobody(&["backends", "--json"]);
        check_backends(&list);
        assert_eq!(list[0]["available"], false, "{list}");
    }
}

#[test]
fn a_plan_changes_nothing_and_looks_at_nothing() {
    // Neither the root nor the program is there.
    check_plan(&plan(&["--root", "/nonexistent/root", "--user", "70000"]), "exec");
    check_plan(&plan(&["--add", "/nonexistent/file"]), "spawn");
}

// Profiles.

struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("isol-test-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const PROFILE: &str = r#"
root = "/srv/profile"
user = "70000:70001"
groups = ["70002"]
workdir = "/var"
keep-env = ["LANG"]
pass-fd = [9]
limit = ["nofile=64:128"]
umask = "027"
require = ["root-clean"]
allow = ["shared-uid"]

[env]
NAME = "value"
"#;

#[test]
fn a_profile_says_the_same_as_the_options() {
    let file = File::new("same", PROFILE);
    let options = [
        "--root=/srv/profile",
        "--user=70000:70001",
        "--groups=70002",
        "--workdir=/var",
        "--keep-env=LANG",
        "--pass-fd=9",
        "--limit=nofile=64:128",
        "--umask=027",
        "--require=root-clean",
        "--allow=shared-uid",
        "--env=NAME=value",
    ];
    assert_eq!(plan(&["--profile", file.name()]), plan(&options));
}

#[test]
fn the_command_line_wins_over_a_profile() {
    let file = File::new("wins", PROFILE);
    let options = ["--root=/srv/other", "--user=80000", "--umask=077", "--workdir=/tmp"];
    let over = ["--limit=nofile=1:2", "--env=NAME=other", "--groups=70003"];
    let plan = plan(&[&["--profile", file.name()][..], &options, &over].concat());
    for (name, text) in [
        ("root-directory", "/srv/other"),
        ("uid", "80000"),
        ("gid", "80000"),
        ("umask", "077"),
        ("working-directory", "/tmp"),
        ("limits", "nofile=1:2"),
        ("groups", "70003"),
    ] {
        let explains = step(&plan, name).unwrap()["explains"].as_str().unwrap();
        assert!(explains.contains(text), "{name}: {explains}");
    }
    let limits = step(&plan, "limits").unwrap()["explains"].as_str().unwrap();
    assert!(!limits.contains("nofile=64:128"), "one limit twice: {limits}");
}

#[test]
fn the_command_line_s_environment_wins_over_a_profile_s() {
    if must_be_root() {
        let root = TestRoot::new();
        let user = isol_tests::own_uid();
        let profile = format!(
            "root = {:?}\nuser = \"{user}\"\nenv = {{ A = \"1\", B = \"2\" }}\n",
            root.text()
        );
        let file = File::new("env", &profile);
        let arguments = ["run", "--profile", file.name(), "--env", "A=3", "--", "/bin/env"];
        let got = run(isol().args(arguments));
        assert_eq!(got.succeeded(), "A=3\nB=2\n");
    }
}

#[test]
fn what_is_wrong_in_a_profile_is_named_with_its_line() {
    let cases = [
        ("key", "user = \"70000\"\n\nrooot = \"/srv/x\"\n", "line 3", "rooot"),
        ("type", "umask = 22\n", "line 1", "22"),
        ("syntax", "user = \"70000\"\nroot = \n", "line 2", ""),
        ("twice", "root = \"/a\"\nroot = \"/b\"\n", "line 2", "duplicate key"),
        ("table", "[env]\nA = 1\n", "line 2", "1"),
    ];
    for (name, text, line, what) in cases {
        let file = File::new(name, text);
        let arguments = ["plan", "--profile", file.name(), "--", "/bin/true"];
        run(isol().args(arguments)).refused(125, &["isol: profile: ", file.name(), line, what]);
    }
    let file = File::new("value", "limit = [\"nofiles=3\"]\n");
    let arguments = ["plan", "--profile", file.name(), "--", "/bin/true"];
    run(isol().args(arguments)).refused(125, &["nofiles", "did you mean `nofile`?"]);
    let arguments = ["plan", "--profile", "/nonexistent/profile", "--", "/bin/true"];
    run(isol().args(arguments)).refused(125, &["/nonexistent/profile", "No such file"]);
}

// Every policy.

fn users() -> impl Strategy<Value = User> {
    prop_oneof![
        Just(User::Auto),
        any::<u32>().prop_filter_map("no id", |n| Uid::new(n).map(User::Id)),
        prop::sample::select(vec!["root", "nobody", "daemon", "no-such-user"])
            .prop_map(|name| User::Name(name.into())),
        Just(User::Id(Uid::ROOT)),
    ]
}

fn groups() -> impl Strategy<Value = Group> {
    prop_oneof![
        6 => any::<u32>().prop_filter_map("no id", |n| Gid::new(n).map(Group::Id)),
        2 => prop::sample::select(vec!["daemon", "nogroup", "no-such-group"])
            .prop_map(|name| Group::Name(name.into())),
        1 => Just(Group::Id(Gid::ROOT)),
    ]
}

fn limits() -> impl Strategy<Value = Limit> {
    let amount = prop_oneof![Just(Amount::Unlimited), (0..1_u64 << 40).prop_map(Amount::AtMost)];
    (prop::sample::select(Resource::ALL.to_vec()), amount).prop_map(|(resource, amount)| Limit {
        resource,
        soft: amount,
        hard: amount,
    })
}

fn networks() -> impl Strategy<Value = Network> {
    prop_oneof![
        8 => Just(Network::Unsaid),
        2 => Just(Network::Host),
        1 => Just(Network::None),
        1 => any::<std::net::IpAddr>().prop_map(|a| Network::Addresses(vec![a])),
    ]
}

fn roots() -> impl Strategy<Value = Root> {
    prop_oneof![
        Just(Root::Directory("/srv/x".into())),
        Just(Root::Directory("/nonexistent".into())),
        Just(Root::Directory("relative".into())),
        Just(Root::ThrowAway { add: vec!["/etc/hosts".into()] }),
    ]
}

fn environments() -> impl Strategy<Value = Environment> {
    let name = prop_oneof![8 => "[A-Z_]{1,8}", 1 => "LD_[A-Z]{0,4}", 1 => ".{0,3}"];
    (vec((name.clone(), ".{0,5}"), 0..3), vec(name, 0..2)).prop_map(|(set, keep)| Environment {
        set: set.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        keep: keep.into_iter().map(Into::into).collect(),
    })
}

/// Policies, those left out that contradict themselves.
fn policies() -> impl Strategy<Value = Policy> {
    let who = (users(), prop::option::weighted(0.3, groups()), vec(groups(), 0..4));
    let what = (
        prop_oneof![4 => Just("/"), 2 => Just("/tmp"), 1 => Just("tmp")],
        environments(),
        vec(prop_oneof![8 => 3..100_i32, 1 => -1..3], 0..3),
        vec(limits(), 0..4),
        prop_oneof![8 => 0..=0o777_u32, 1 => Just(0o1000)],
        any::<bool>(),
        networks(),
        prop::option::weighted(0.1, "[a-z]{1,9}"),
        prop_oneof![
            4 => Just(Syslog::Off),
            1 => Just(Syslog::Host),
            1 => "/?[a-z]{0,120}".prop_map(|path| Syslog::Socket(path.into())),
        ],
    );
    let leave = (
        prop::sample::subsequence(Guarantee::ALL.to_vec(), 0..3),
        prop::sample::subsequence(Allow::ALL.to_vec(), 0..4),
    );
    (roots(), who, what, leave).prop_filter_map("a contradiction", |(root, who, what, leave)| {
        let mut policy = Policy::rooted(root)
            .user(who.0)
            .groups(who.2)
            .workdir(what.0)
            .environment(what.1)
            .pass_fds(what.2)
            .limits(what.3)
            .umask(what.4)
            .die_with_parent(what.5)
            .network(what.6)
            .syslog(what.8);
        if let Some(group) = who.1 {
            policy = policy.group(group);
        }
        if let Some(name) = what.7 {
            policy = policy.hostname(name);
        }
        let policy = leave.0.into_iter().fold(policy, |policy, g| policy.require(g));
        leave.1.into_iter().fold(policy, |policy, a| policy.allow(a)).build().ok()
    })
}

fn choices() -> impl Strategy<Value = Choice> {
    let all = backends().iter().map(|&b| Choice::Backend(b)).chain([Choice::Auto]);
    prop::sample::select(all.collect::<Vec<_>>())
}

fn check(policy: &Policy, plan: &Plan) -> Result<(), TestCaseError> {
    prop_assert_eq!(plan.check(), Ok(()));
    for guarantee in plan.guarantees().iter() {
        prop_assert!(!plan.relaxed().contains(guarantee), "{} claimed and given up", guarantee);
        prop_assert!(plan.founded_on(guarantee).next().is_some(), "no step for {}", guarantee);
    }
    prop_assert_eq!(plan.relaxed(), policy.allow.gives_up());
    for guarantee in policy.require.iter() {
        prop_assert!(plan.guarantees().contains(guarantee), "{} was required", guarantee);
    }
    for guarantee in Guarantee::ALL.into_iter().filter(|g| g.tier() == Tier::Strong) {
        let claimed = plan.backend() == "chroot" && plan.guarantees().contains(guarantee);
        prop_assert!(!claimed, "chroot claims {}", guarantee);
    }
    let phases: Vec<Phase> = plan.steps().map(|s| s.phase()).collect();
    prop_assert!(phases.is_sorted());
    let place = |name: &str| plan.steps().position(|s| s.name() == name);
    let order = [
        names::STANDARD_DESCRIPTORS,
        names::ROOT_DIRECTORY,
        names::DESCRIPTORS,
        names::GROUPS,
        names::GID,
        names::UID,
        names::READ_BACK,
    ]
    .map(place);
    prop_assert!(order.iter().all(Option::is_some), "{:?}", order);
    prop_assert!(order.is_sorted(), "{:?}", order);
    prop_assert_eq!(place(names::STANDARD_DESCRIPTORS), Some(0));
    // A uid that is 0 is dropped by nobody, whatever is allowed.
    let uid = plan.steps().find(|s| s.name() == names::UID).map(|s| s.explains());
    let is_root = uid.is_some_and(|text| text.contains("uid: 0;"));
    prop_assert!(!(is_root && plan.guarantees().contains(Guarantee::UidDropped)));
    prop_assert!(!(is_root && plan.backend() == "chroot"), "uid 0 in a chroot");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_keeps_the_rules(
        policy in policies(),
        choice in choices(),
        program in "[a-z/]{1,9}",
    ) {
        let isolation = Isolation::new(policy.clone()).backend(choice);
        let command = isol::Command::new(program);
        for mode in [Mode::Enter, Mode::Exec, Mode::Spawn] {
            let command = (mode != Mode::Enter).then_some(&command);
            match isolation.plan(mode, command) {
                Ok(plan) => check(&policy, &plan)?,
                Err(error) => prop_assert!(!error.problem().what.is_empty()),
            }
        }
    }

    #[test]
    fn a_plan_without_a_step_claims_nothing_of_it(
        policy in policies(),
        index in any::<prop::sample::Index>(),
    ) {
        let isolation = Isolation::new(policy);
        let command = isol::Command::new("/x");
        if let Ok(plan) = isolation.plan(Mode::Spawn, Some(&command)) {
            let steps: Vec<_> = plan.steps().map(|s| (s.name(), s.establishes())).collect();
            let (name, establishes) = steps[index.index(steps.len())];
            let cut = plan.without(name).expect("it has that step");
            prop_assert_eq!(cut.cut(), [name]);
            prop_assert!(establishes.iter().all(|&g| !cut.guarantees().contains(g)));
            prop_assert!(cut.steps().all(|s| s.name() != name));
        }
    }
}

#[test]
fn most_policies_have_a_plan() {
    // Else the properties above would hold of nothing.
    let policy = Policy::confine("/srv/x").user(User::Auto).build().unwrap();
    let isolation = Isolation::new(policy);
    assert!(isolation.plan(Mode::Spawn, Some(&isol::Command::new("/x"))).is_ok());
    let uid = User::Id(Uid::new(70000).unwrap());
    let isolation = Isolation::new(Policy::confine("/srv/x").user(uid).build().unwrap());
    for mode in [Mode::Enter, Mode::Exec, Mode::Spawn] {
        assert!(isolation.plan(mode, None).is_ok(), "{mode}");
    }
}
