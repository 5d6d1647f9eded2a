//! A step that claims to be done and is not never starts the program; a step that fails
//! never does either, and is named.

use isol::{Errno, Fault, Guarantee, Isolation, Phase, Plan, Policy, Stage, Step, Uid, User};
use isol_tests::{TestRoot, must_be_root, own_uid};
use nix::fcntl::{FcntlArg, fcntl};

/// A step whose system calls do nothing and say that they did.
#[derive(Debug)]
struct Lying(Box<dyn Step>);

/// A step whose system call fails.
#[derive(Debug)]
struct Failing(Box<dyn Step>, i32);

macro_rules! like_the_step {
    () => {
        fn name(&self) -> &'static str {
            self.0.name()
        }
        fn phase(&self) -> Phase {
            self.0.phase()
        }
        fn explains(&self) -> String {
            self.0.explains()
        }
        fn calls(&self) -> &'static [&'static str] {
            self.0.calls()
        }
        fn establishes(&self) -> &'static [Guarantee] {
            self.0.establishes()
        }
        fn prepare(&mut self, scene: &mut isol::Scene) -> Result<(), isol::PrepareError> {
            self.0.prepare(scene)
        }
    };
}

impl Step for Lying {
    like_the_step!();

    fn verify(&self, stage: &Stage) -> Result<(), Fault> {
        self.0.verify(stage)
    }
}

impl Step for Failing {
    like_the_step!();

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        Err(Fault::call(Errno(self.1), "injected"))
    }
}

/// The step that closes descriptors, which overlooks those from 2000 up.
#[derive(Debug)]
struct Overlooking(Box<dyn Step>);

impl Step for Overlooking {
    like_the_step!();

    fn apply(&self, _stage: &Stage) -> Result<(), Fault> {
        let closed = isol_sys::descriptors::part_from_parent(i32::MAX)
            .and_then(|()| isol_sys::descriptors::close_between(3, 1999));
        closed.map_err(|errno| Fault::call(errno, "closing some"))
    }

    fn verify(&self, stage: &Stage) -> Result<(), Fault> {
        self.0.verify(stage)
    }
}

fn try_with(root: &TestRoot, change: impl FnOnce(Plan) -> Plan) -> Result<(), isol::Problem> {
    let uid = Uid::new(own_uid()).expect("a uid");
    let policy = Policy::confine(root.path())
        .user(User::Id(uid))
        .limits(["nofile=50:60".parse().expect("a limit")])
        .umask(0o031)
        .build()
        .expect("a policy");
    let command = isol::Command::new("/bin/touch").arg("/tmp/started");
    let planned = Isolation::new(policy).plan_spawn(command).expect("a plan");
    let mut running =
        planned.change(change).prepare().and_then(isol::Ready::spawn).map_err(|e| e.problem())?;
    running.wait().map(drop).map_err(|e| isol::Problem::io("wait", "", &e))
}

fn steps(root: &TestRoot) -> Vec<&'static str> {
    let policy = Policy::confine(root.path()).user(User::Id(Uid::new(9).expect("a uid"))).build();
    let plan =
        Isolation::new(policy.expect("a policy")).plan(isol::Mode::Spawn, None).expect("a plan");
    plan.steps().filter(|s| s.phase() != Phase::Prepare).map(|s| s.name()).collect()
}

fn replaced(plan: Plan, name: &str, by: impl FnOnce(Box<dyn Step>) -> Box<dyn Step>) -> Plan {
    plan.replace(name, by).unwrap_or_else(|| panic!("no step {name}"))
}

#[test]
fn a_step_that_lies_is_found_out() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let started = root.join("tmp/started");
    // Open in the program, were it not for `descriptors`.
    let null = std::fs::File::open("/dev/null").expect("it is there");
    let leaked = fcntl(&null, FcntlArg::F_DUPFD(3)).expect("a number");
    for name in [
        "signals",
        "umask",
        "limits",
        "change-directory",
        "descriptors",
        "chroot",
        "bounding-set",
        "securebits",
        "gid",
        "uid",
        "capabilities",
        "no-new-privileges",
    ] {
        let result = try_with(&root, |plan| replaced(plan, name, |step| Box::new(Lying(step))));
        // Where the uid has dropped, the kernel has emptied the capability sets itself.
        let redundant = name == "capabilities";
        match result {
            Err(problem) => assert!(!redundant, "{name}: {problem}"),
            Ok(()) => assert!(redundant, "{name} was not done, and nobody noticed"),
        }
        assert_eq!(started.exists(), redundant, "{name}");
        let _ = std::fs::remove_file(&started);
    }
    assert_eq!(try_with(&root, |plan| plan), Ok(()), "the check of the check");
    assert!(started.exists());
    nix::unistd::close(leaked).expect("it is ours");
}

#[test]
fn a_descriptor_with_a_high_number_is_found_too() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let file = std::fs::File::open("/dev/null").expect("it is there");
    let overlooking =
        |plan| replaced(plan, "descriptors", |step| Box::new(Overlooking(step)) as Box<dyn Step>);
    assert_eq!(try_with(&root, overlooking), Ok(()), "nothing was overlooked");
    let high = fcntl(&file, FcntlArg::F_DUPFD(3000)).expect("a number");
    let problem = try_with(&root, overlooking).expect_err("it is open");
    nix::unistd::close(high).expect("it is ours");
    assert!(problem.to_string().contains(&format!("descriptor {high}")), "{problem}");
}

#[test]
fn a_step_that_fails_is_named_and_starts_nothing() {
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let started = root.join("tmp/started");
    let names = steps(&root);
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        for errno in [1, 4, 5, 12, 13, 22] {
            let problem =
                try_with(&root, |plan| replaced(plan, name, |step| Box::new(Failing(step, errno))))
                    .expect_err("the step fails");
            assert_eq!(
                (problem.step.as_ref(), problem.errno),
                (name, Some(Errno(errno))),
                "{problem}"
            );
            assert!(!started.exists(), "{name} failed with {errno}, and the program ran");
        }
    }
}
