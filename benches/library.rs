//! What parts of the library cost: `cargo bench -p isol-benches`. As root, with a static program in the root that
//! `ISOL_BENCH_ROOT` names; what takes a plan alone needs neither.

use isol::{Allow, Command, Isolation, Mode, Policy, Spawner, Uid, User};

fn main() {
    divan::main();
}

fn isolation(root: &str) -> Isolation {
    let user = User::Id(Uid::new(64_999).expect("a uid"));
    let group = isol::Group::Id(isol::Gid::new(64_999).expect("a gid"));
    let policy = Policy::confine(root).user(user).group(group).allow(Allow::SharedUid);
    Isolation::new(policy.build().expect("a policy"))
}

fn root() -> Option<String> {
    std::env::var("ISOL_BENCH_ROOT").ok()
}

#[divan::bench]
fn plan(bencher: divan::Bencher<'_, '_>) {
    let (isolation, command) = (isolation("/srv/nowhere"), Command::new("/bin/true"));
    bencher.bench(|| isolation.plan(Mode::Spawn, Some(&command)).expect("a plan"));
}

#[divan::bench]
fn print_a_plan(bencher: divan::Bencher<'_, '_>) {
    let plan = isolation("/srv/nowhere").plan(Mode::Exec, Some(&Command::new("/bin/true")));
    let plan = plan.expect("a plan");
    bencher.bench(|| plan.to_string());
}

#[divan::bench]
fn plan_and_prepare(bencher: divan::Bencher<'_, '_>) {
    let Some(root) = root() else { return };
    bencher.bench(|| {
        let planned = isolation(&root).plan_spawn(Command::new("/bin/true")).expect("a plan");
        planned.prepare().expect("it is ready")
    });
}

#[divan::bench]
fn spawn_and_wait(bencher: divan::Bencher<'_, '_>) {
    let Some(root) = root() else { return };
    let planned = isolation(&root).plan_spawn(Command::new("/bin/true")).expect("a plan");
    let spawner: Spawner = planned.prepare().and_then(isol::Ready::reusable).expect("a spawner");
    bencher.bench(|| spawner.spawn().expect("it starts").wait().expect("a child"));
}
