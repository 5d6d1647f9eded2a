//! Puts a backend's layers and the portable steps in order.

use isol_core::{
    Allow, Backend, Gid, Given, Guarantee, GuaranteeSet, Identity, Ids, Layers, Os, Phase, Plan,
    PlanError, PrepareError, Request, Root, Scene, Step, Support, Uid,
};

use crate::allot_uid::AllotUid;
use crate::bounding_set::BoundingSet;
use crate::capabilities::Capabilities;
use crate::change_directory::ChangeDirectory;
use crate::dedicated_uid::DedicatedUid;
use crate::descriptors::Descriptors;
use crate::environment::CleanEnvironment;
use crate::execution_domain::ExecutionDomain;
use crate::gid::DropGid;
use crate::groups::{Groups, GroupsStay};
use crate::keyring::Keyring;
use crate::limits::Limits;
use crate::mount_sources::MountSources;
use crate::no_new_privileges::NoNewPrivileges;
use crate::no_tracing::NoTracing;
use crate::parent_death_signal::ParentDeathSignal;
use crate::read_back::ReadBack;
use crate::root_directory::RootDirectory;
use crate::scheduling::Scheduling;
use crate::securebits::Securebits;
use crate::session::Session;
use crate::signals::Signals;
use crate::standard_descriptors::StandardDescriptors;
use crate::syslog::SyslogRelay;
use crate::timers::Timers;
use crate::uid::DropUid;
use crate::umask::Umask;
use crate::working_directory::WorkingDirectory;

/// Steps of the Prepare phase that need more than this crate: making a root,
/// looking into it.
#[derive(Debug, Default)]
pub struct Preparations {
    /// Before the root is opened.
    pub before_root: Vec<Box<dyn Step>>,
    /// Once it is open.
    pub in_root: Vec<Box<dyn Step>>,
}

type Steps = Vec<Box<dyn Step>>;

/// Makes the plan of a request on a backend.
///
/// # Errors
/// A guarantee that is required and can't be held, an option that can't be
/// honoured, or a defect of the backend that [`Plan::check`] has found.
pub fn assemble(
    backend: &dyn Backend,
    request: &Request<'_>,
    preparations: Preparations,
) -> Result<Plan, PlanError> {
    check_groups(request)?;
    let mut layers = backend.layers(request)?;
    let mut steps = Steps::new();
    let as_caller = backend.runs_as_caller();
    prepare(&mut steps, request, preparations.before_root, as_caller);
    // A backend's own checks before the looks into the tree, which cost more.
    steps.extend(layers.take(Phase::Prepare));
    steps.extend(preparations.in_root);
    if let Some(relay) = SyslogRelay::asked_for(request)? {
        steps.push(Box::new(relay));
    }
    enter(&mut steps, request, backend.enters_by_descriptor());
    steps.extend(layers.take(Phase::Enter));
    steps.push(Box::new(WorkingDirectory::new(request.policy.workdir.clone())));
    give_up(&mut steps, backend, request)?;
    steps.push(Box::new(ReadBack));
    steps.extend(layers.take(Phase::Seal));

    let claims = claims(backend, request, &steps)?;
    let relaxed = given_up(request, &layers, claims, &steps)?;
    let guarantees = claims.minus(relaxed);
    let plan = Plan::new(backend.name(), request.os, request.mode, guarantees, relaxed, steps);
    plan.check()?;
    Ok(plan)
}

fn check_groups(request: &Request<'_>) -> Result<(), PlanError> {
    let given = request.identity.groups().len();
    let (max, os) = (request.os.groups_max(), request.os);
    if given > max { Err(PlanError::TooManyGroups { given, max, os }) } else { Ok(()) }
}

fn prepare(steps: &mut Steps, request: &Request<'_>, before_root: Steps, as_caller: bool) {
    let policy = request.policy;
    steps.push(Box::new(StandardDescriptors { pass: policy.pass_fds.clone() }));
    match request.identity {
        Identity::Auto { groups } => steps.push(Box::new(AllotUid::new(groups.clone()))),
        Identity::Fixed(ids) if as_caller => steps.push(Box::new(Own { ids: ids.clone() })),
        Identity::Fixed(ids) => steps.push(Box::new(Named { ids: ids.clone(), outside: None })),
        Identity::Given(Given { ids, outside, .. }) => {
            let outside = Some(outside.clone());
            steps.push(Box::new(Named { ids: ids.clone(), outside }));
        }
    }
    steps.extend(before_root);
    let path = match &policy.root {
        Root::Directory(path) => Some(path.clone()),
        Root::ThrowAway { .. } => None,
    };
    steps.push(Box::new(RootDirectory { path, as_caller }));
    if let Some(sources) = MountSources::asked_for(policy) {
        steps.push(Box::new(sources));
    }
    let can_be_dedicated = match request.identity {
        Identity::Auto { .. } => true,
        // Root's uid is everybody's who is root; and an ordinary user runs under his own already.
        Identity::Fixed(ids) => !ids.uid.is_root() && !as_caller,
        Identity::Given(given) => given.outside.uid.get() != isol_sys::ids::effective_uid(),
    };
    if !policy.allow.contains(Allow::SharedUid) && can_be_dedicated {
        steps.push(Box::new(DedicatedUid::default()));
    }
}

fn enter(steps: &mut Steps, request: &Request<'_>, by_descriptor: bool) {
    let policy = request.policy;
    steps.push(Box::new(Signals));
    steps.push(Box::new(Timers));
    steps.push(Box::new(Umask { umask: policy.umask }));
    if !policy.allow.contains(Allow::Scheduling) {
        steps.push(Box::new(Scheduling));
    }
    if request.os == Os::Linux {
        steps.push(Box::new(ExecutionDomain));
    }
    steps.push(Box::new(Limits::new(policy.effective_limits())));
    steps.push(Box::new(Session { keep_terminal: policy.allow.contains(Allow::Terminal) }));
    if request.os == Os::Linux {
        steps.push(Box::new(Keyring));
    }
    steps.push(Box::new(CleanEnvironment::new(policy.environment.clone())));
    if by_descriptor {
        steps.push(Box::new(ChangeDirectory::default()));
    }
    steps.push(Box::new(Descriptors::new(policy.pass_fds.clone())));
}

/// The Drop phase.
fn give_up(
    steps: &mut Steps,
    backend: &dyn Backend,
    request: &Request<'_>,
) -> Result<(), PlanError> {
    let (groups, ids) = (request.identity.groups().to_vec(), request.identity.ids());
    // One who has been given no other ids can't change his groups.
    let stay = backend.runs_as_caller() && matches!(request.identity, Identity::Fixed(_));
    let capabilities = request.os.has_capabilities();
    let keep = if request.is_superuser() { backend.capabilities_of_root() } else { 0 };
    if capabilities {
        steps.push(Box::new(BoundingSet { keep }));
        steps.push(Box::new(Securebits { stays_root: keep != 0 }));
    }
    match stay {
        true => steps.push(Box::new(GroupsStay)),
        false => steps.push(Box::new(Groups::new(groups))),
    }
    steps.push(Box::new(DropGid { gid: ids.map(|i| i.gid) }));
    steps.push(Box::new(DropUid { uid: ids.map(|i| i.uid) }));
    let die = request.policy.die_with_parent;
    if capabilities {
        steps.push(Box::new(Capabilities { keep }));
    }
    if isol_sys::privileges::has_no_privilege_gain(request.os) {
        steps.push(Box::new(NoNewPrivileges));
    }
    if request.os == Os::FreeBsd {
        steps.push(Box::new(NoTracing));
    }
    if request.os.has_parent_death_signal() {
        steps.push(Box::new(ParentDeathSignal { die }));
    } else if die {
        return Err(PlanError::CantHonour {
            backend: backend.name(),
            what: "a parent-death signal".into(),
            reason: format!("isol sets none on {}", request.os),
            help: None,
        });
    }
    Ok(())
}

fn claims(
    backend: &dyn Backend,
    request: &Request<'_>,
    steps: &Steps,
) -> Result<GuaranteeSet, PlanError> {
    let required = request.policy.require;
    let established = |g: Guarantee| steps.iter().any(|s| s.establishes().contains(&g));
    let mut claimed = GuaranteeSet::EMPTY;
    for guarantee in Guarantee::ALL {
        match backend.support(guarantee, request.os) {
            Support::Held => claimed.insert(guarantee),
            Support::OnRequest(_) if established(guarantee) => claimed.insert(guarantee),
            Support::OnRequest(reason) | Support::NotOffered(reason) => {
                if required.contains(guarantee) {
                    let backend = backend.name();
                    return Err(PlanError::NotOffered { backend, guarantee, reason });
                }
            }
        }
    }
    Ok(claimed)
}

/// What the policy gives up; a guarantee can't be both required and given up.
fn given_up(
    request: &Request<'_>,
    layers: &Layers,
    claims: GuaranteeSet,
    steps: &Steps,
) -> Result<GuaranteeSet, PlanError> {
    let allowed = request.policy.allow.iter();
    let mut all: Vec<_> = allowed.map(|a| (format!("--allow {a}"), a.gives_up())).collect();
    // What is bound is part of the root, and only the walk over the whole tree looks at all of it.
    let walked = steps.iter().any(|step| step.name() == isol_core::step_names::ROOT_CLEAN);
    if let Some(bind) = request.policy.binds.first()
        && claims.contains(Guarantee::RootClean)
        && !walked
    {
        all.push((format!("--bind {bind}"), GuaranteeSet::from_iter([Guarantee::RootClean])));
    }
    for (what, set) in layers.given_up() {
        // Only what would hold without it.
        all.push((what.clone(), claims.minus(claims.minus(*set))));
    }
    for (what, set) in &all {
        if let Some(guarantee) = request.policy.require.iter().find(|&g| set.contains(g)) {
            return Err(PlanError::GivenUp { guarantee, what: what.clone() });
        }
    }
    Ok(all.into_iter().fold(GuaranteeSet::EMPTY, |sum, (_, set)| sum.union(set)))
}

/// A user that was named: known from the start.
#[derive(Debug)]
struct Named {
    ids: Ids,
    /// Whom an ordinary user's program is taken for outside.
    outside: Option<Ids>,
}

impl Step for Named {
    tells!(Prepare, isol_core::step_names::IDENTITY, [], [UidDropped, GidDropped, GroupsExact]);

    fn explains(&self) -> String {
        let Ids { uid, gid, .. } = &self.ids;
        match &self.outside {
            None => format!(
                "the program is uid {uid}, gid {gid}; names were looked up before the root changes"
            ),
            Some(outside) => format!(
                "the program is uid {uid}, gid {gid}; outside, uid {}, gid {}",
                outside.uid, outside.gid
            ),
        }
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        scene.ids = Some(self.ids.clone());
        if let Some(outside) = &self.outside {
            scene.caller = Uid::new(isol_sys::ids::effective_uid());
            scene.outside = Some(outside.clone());
        }
        Ok(())
    }
}

/// The ordinary user who calls.
#[derive(Debug)]
struct Own {
    ids: Ids,
}

impl Step for Own {
    tells!(Prepare, isol_core::step_names::IDENTITY, [], [UidDropped, GidDropped]);

    fn explains(&self) -> String {
        let Ids { uid, gid, .. } = &self.ids;
        format!("the program is uid {uid}, gid {gid}; outside, the ordinary user who calls")
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        scene.ids = Some(self.ids.clone());
        scene.caller = Uid::new(isol_sys::ids::effective_uid());
        scene.outside = scene
            .caller
            .zip(Gid::new(isol_sys::ids::effective_gid()))
            .map(|(uid, gid)| Ids::new(uid, gid, Vec::new()));
        Ok(())
    }
}
