//! One prepared plan, many programs: from many threads, under signals, without allocation.

use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use isol::{Allow, Command, Error, Isolation, Policy, Spawner, Status, Uid, User};
use isol_sys::attempts::{self, Counting};
use isol_tests::{BUSYBOX, TestRoot, must_be_root, own_uid};
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// The tests here count what the whole process does: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn spawner(root: &TestRoot, allow: Option<Allow>, command: Command) -> Result<Spawner, Error> {
    let user = User::Id(Uid::new(own_uid()).expect("a uid"));
    let mut policy = Policy::confine(root.path()).user(user);
    if let Some(allow) = allow {
        policy = policy.allow(allow);
    }
    Isolation::new(policy.build()?).plan_spawn(command)?.prepare()?.reusable()
}

#[test]
fn one_plan_starts_many_programs() {
    let _alone = ALONE.lock();
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let dedicated = spawner(&root, None, Command::new("/bin/false")).expect("a spawner");
    assert!(dedicated.confined().holds(isol::Guarantee::UidDedicated));
    for _ in 0..20 {
        let mut running = dedicated.spawn().expect("it starts");
        assert_eq!(running.wait().expect("a child"), Status::Exited(1));
    }
}

#[test]
fn a_uid_that_is_in_use_by_then_is_refused() {
    let _alone = ALONE.lock();
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let sleep = || Command::new("/bin/sleep").arg("60");
    let dedicated = spawner(&root, None, sleep()).expect("a spawner");
    let first = dedicated.spawn().expect("it starts");
    let problem = dedicated.spawn().expect_err("the first one runs").problem();
    assert_eq!(problem.step, "dedicated-uid");
    assert!(problem.why.contains(&first.child().pid().to_string()), "{problem}");
    drop(first);
    drop(dedicated.spawn().expect("nobody runs any more"));

    let shared = spawner(&root, Some(Allow::SharedUid), sleep()).expect("a spawner");
    assert!(!shared.confined().holds(isol::Guarantee::UidDedicated));
    let both = (shared.spawn().expect("it starts"), shared.spawn().expect("so does another"));
    drop(both);
}

#[test]
fn what_is_for_one_program_alone_is_refused() {
    let _alone = ALONE.lock();
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let allotted = Policy::confine(root.path()).user(User::Auto).build().expect("a policy");
    let user = User::Id(Uid::new(own_uid()).expect("a uid"));
    let throw_away = Policy::throw_away([]).user(user).build().expect("a policy");
    for (policy, step) in [(allotted, "allot-uid"), (throw_away, "throw-away-root")] {
        let ready = Isolation::new(policy).plan_spawn(Command::new(BUSYBOX).arg("true"));
        let ready = ready.and_then(isol::Planned::prepare);
        let ready = ready.expect("it is ready");
        assert_eq!(ready.reusable().expect_err("it serves one").problem().step, step);
    }
}

#[test]
fn a_start_allocates_nothing() {
    let _alone = ALONE.lock();
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let shared = spawner(&root, Some(Allow::SharedUid), Command::new("/bin/true"));
    let shared = shared.expect("a spawner");
    // The first one maps the stack that this thread's children run on.
    shared.spawn().expect("it starts").wait().expect("a child");
    ALLOCATOR.begin();
    for _ in 0..10 {
        shared.spawn().expect("it starts").wait().expect("a child");
    }
    let counted = ALLOCATOR.counted();
    assert_eq!((counted.here, counted.in_others), (0, 0));
    // The count can count.
    drop(std::hint::black_box(Box::new(1)));
    assert!(ALLOCATOR.counted().here >= 2);
}

/// A program that ends with status 7, or 9 if it finds a descriptor from 3 up.
fn looks_for_descriptors() -> Command {
    // The shell itself keeps what it redirects on 10 and a few above.
    let numbers: Vec<String> = (3..10).chain(16..200).map(|n| n.to_string()).collect();
    let script = format!(
        "exec 2>&-; for n in {}; do if true <&$n; then exit 9; fi; done; exit 7",
        numbers.join(" ")
    );
    Command::new("/bin/sh").arg("-c").arg(script)
}

#[test]
fn a_descriptor_that_is_passed_on_would_be_found() {
    let _alone = ALONE.lock();
    if !must_be_root() {
        return;
    }
    let root = TestRoot::new();
    let file = std::fs::File::open(BUSYBOX).expect("a file");
    let high = fcntl(&file, FcntlArg::F_DUPFD(60)).expect("a number");
    let user = User::Id(Uid::new(own_uid()).expect("a uid"));
    let policy = Policy::confine(root.path()).user(user).pass_fds([high]).build().expect("one");
    let mut running = Isolation::new(policy).spawn(looks_for_descriptors()).expect("it starts");
    assert_eq!(running.wait().expect("a child"), Status::Exited(9));
    // It is the parent's as before: the child had a table of its own by then.
    assert!(
        isol_sys::descriptors::is_open(high) && isol_sys::descriptors::is_open(file.as_raw_fd())
    );
    nix::unistd::close(high).expect("it is ours");
}

/// A hundred threads that allocate, lock and start programs, while others open descriptors that are
/// not close-on-exec and signals come all the time. Two seconds, or `ISOL_STORM_SECONDS`.
#[allow(clippy::print_stdout, reason = "figures, for whoever asks with --nocapture")]
#[test]
fn a_hundred_threads_under_signals_lose_nothing() {
    let _alone = ALONE.lock();
    if !must_be_root() {
        return;
    }
    let seconds =
        std::env::var("ISOL_STORM_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2);
    let root = TestRoot::new();
    let shared = spawner(&root, Some(Allow::SharedUid), looks_for_descriptors());
    let shared = shared.expect("a spawner");
    // To the whole group, and so to the children on their way; the default is to ignore it.
    nix::unistd::setpgid(Pid::this(), Pid::this()).expect("a group of its own");
    attempts::count_arrivals(Signal::SIGWINCH as i32).expect("a handler");
    ALLOCATOR.begin();
    let (done, started) = (AtomicBool::new(false), AtomicUsize::new(0));
    let shelf = Mutex::new(Vec::<String>::new());
    let begun = Instant::now();
    let tried = || (started.load(Ordering::Relaxed), attempts::arrivals().0);
    // On a machine that is busy with something else little is tried in so many seconds: then for longer.
    let goes_on = || match begun.elapsed().as_secs() {
        past if past < seconds => true,
        past => past < 60 && !matches!(tried(), (21.., 21..)),
    };
    std::thread::scope(|scope| {
        let starters: Vec<_> = (0..100)
            .map(|n| {
                let (shared, started, shelf, goes_on) = (&shared, &started, &shelf, &goes_on);
                scope.spawn(move || {
                    while goes_on() {
                        shelf.lock().expect("nobody panics").push(format!("{n}").repeat(100));
                        let mut running = shared.spawn().expect("it starts");
                        shelf.lock().expect("nobody panics").pop();
                        assert_eq!(running.wait().expect("a child"), Status::Exited(7));
                        started.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        // Those that get in the way.
        let done = &done;
        scope.spawn(move || {
            let file = std::fs::File::open(BUSYBOX).expect("a file");
            while !done.load(Ordering::Relaxed) {
                let open: Vec<_> = (0..20)
                    .map(|_| fcntl(&file, FcntlArg::F_DUPFD(3)).expect("a number"))
                    .collect();
                open.into_iter().for_each(|fd| nix::unistd::close(fd).expect("it is ours"));
            }
        });
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                nix::sys::signal::killpg(Pid::this(), Signal::SIGWINCH).expect("it is we");
                std::thread::yield_now();
            }
        });
        let lost = starters.into_iter().filter_map(|thread| thread.join().err()).count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(lost, 0, "threads that failed");
    });
    let (here, in_children) = attempts::arrivals();
    assert!(started.load(Ordering::Relaxed) > 20 && here > 20, "too little was tried");
    assert_eq!(in_children, 0, "handlers that ran in a child");
    assert_eq!(ALLOCATOR.counted().in_others, 0, "allocations in a child");
    let left = nix::sys::wait::waitpid(None, None);
    assert_eq!(left, Err(nix::errno::Errno::ECHILD), "children that nobody waited for");
    println!("{} programs, {here} signals", started.load(Ordering::Relaxed));
}
