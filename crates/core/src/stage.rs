//! What a step knows of the process that it runs in.

use crate::Mode;

/// Which threads of the process a step has to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadScope {
    /// There is one thread, or the process is a child that shares its parent's
    /// memory: only raw system calls are right.
    Alone,
    /// There are others, and their ids have to change too.
    Every,
}

/// Where a plan is being applied. All numbers, all known before the fork.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// How the plan is carried out.
    pub mode: Mode,
    /// Which threads there are.
    pub threads: ThreadScope,
    /// The pid of the process that applies it or, in a child, of its parent.
    pub parent: i32,
    /// What must survive until execve: the pipe on which a child reports, or, where there is no child, the hold on the
    /// uid.
    pub report: Option<i32>,
    /// What to put on descriptors 0, 1 and 2, where it is not what is there already.
    pub stdio: [Option<i32>; 3],
}
