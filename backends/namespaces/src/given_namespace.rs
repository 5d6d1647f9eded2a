//! A user namespace, made by an ordinary user, with ids in it that he has been given.

use std::sync::Arc;

use isol_core::{Given, Guarantee, IdRange, Phase, PrepareError, Problem, Scene, Step, step_names};
use isol_sys::namespaces;

use crate::given;

const NAME: &str = step_names::USER_NAMESPACE;

/// Has it made and mapped before the program's process is: that one enters a namespace in which all is settled.
#[derive(Debug)]
pub(crate) struct GivenNamespace {
    given: Given,
}

impl GivenNamespace {
    pub(crate) fn new(given: Given) -> Self {
        Self { given }
    }
}

impl Step for GivenNamespace {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::Prepare
    }

    fn explains(&self) -> String {
        format!(
            "make a user namespace and have newuidmap(1) and newgidmap(1) map it: {}; {}; no others",
            in_words("uid", &self.given.uids),
            in_words("gid", &self.given.gids)
        )
    }

    fn calls(&self) -> &'static [&'static str] {
        &["clone", "execve", "open", "read"]
    }

    fn establishes(&self) -> &'static [Guarantee] {
        &[Guarantee::RootHarmless, Guarantee::GroupsExact]
    }

    fn prepare(&mut self, scene: &mut Scene) -> Result<(), PrepareError> {
        let cant =
            |why: String| Problem::new(NAME, "can't map the ids that the user has been given", why);
        let found = given::given().map_err(|lacking| cant(lacking.why).help(lacking.help))?;
        let (uids, gids) = (&self.given.uids, &self.given.gids);
        let made = namespaces::make_user_of_given(uids, gids, &found.helpers);
        let made = made.map_err(|error| match error {
            isol_sys::subids::MapError::System(error) => {
                let problem = Problem::io(NAME, "can't make a user namespace", &error);
                let (why, help) = crate::denied::making(&error);
                Problem { why, ..problem }.help(help)
            }
            error => cant(error.to_string())
                .help("grep -H . /etc/subuid /etc/subgid; they have to give the account of this uid these ids, and its group has to be this one"),
        })?;
        scene.outside = Some(self.given.outside.clone());
        scene.user_namespace = Some(Arc::new(made));
        Ok(())
    }

    fn undo(&mut self) {
        // It goes with its last descriptor.
    }
}

/// `uid 5 is 100004 outside`, `gids 1 to 10 are 100000 to 100009`.
fn in_words(what: &str, ranges: &[IdRange]) -> String {
    let one = |range: &IdRange| match range.count {
        1 => format!("{what} {} is {} outside", range.inside, range.outside),
        count => format!(
            "{what}s {} to {} are {} to {}",
            range.inside,
            range.inside + (count - 1),
            range.outside,
            range.outside + (count - 1)
        ),
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_whom_is_said() {
        let range = |inside, outside, count| IdRange { inside, outside, count };
        assert_eq!(
            in_words("uid", &[range(0, 1000, 1), range(1, 100_000, 10)]),
            "uid 0 is 1000 outside, uids 1 to 10 are 100000 to 100009"
        );
    }
}
