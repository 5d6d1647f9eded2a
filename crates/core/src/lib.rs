//! What isol means: policies, guarantees, steps and plans, with no operating system in it
