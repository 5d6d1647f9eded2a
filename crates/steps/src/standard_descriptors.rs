//! 0, 1 and 2 are open, and no descriptor that is passed on is a directory.

use isol_core::{Errno, PrepareError, Problem, Scene, Step, step_names};
use isol_sys::descriptors;

#[derive(Debug)]
pub(crate) struct StandardDescriptors {
    pub(crate) pass: Vec<i32>,
}

impl Step for StandardDescriptors {
    tells!(
        Prepare,
        step_names::STANDARD_DESCRIPTORS,
        ["fcntl", "open", "fstat"],
        [DescriptorsClosed, RootConfined]
    );

    fn explains(&self) -> String {
        let passed = if self.pass.is_empty() { "" } else { " and the passed ones" };
        format!(
            "open /dev/null on whichever of 0, 1 and 2 are closed; refuse directories among them{passed}"
        )
    }

    fn prepare(&mut self, _scene: &mut Scene) -> Result<(), PrepareError> {
        let name = step_names::STANDARD_DESCRIPTORS;
        descriptors::open_standard().map_err(|errno| {
            PrepareError::from(Problem::call(
                name,
                "can't open /dev/null on a closed standard descriptor",
                errno,
            ))
        })?;
        self.look()
    }

    fn prepare_again(&self, _scene: &Scene) -> Result<(), PrepareError> {
        self.look()
    }
}

impl StandardDescriptors {
    fn look(&self) -> Result<(), PrepareError> {
        let name = step_names::STANDARD_DESCRIPTORS;
        for fd in (0..3).chain(self.pass.iter().copied()) {
            match descriptors::is_directory(fd) {
                Ok(false) => {}
                Ok(true) => return Err(directory(fd).into()),
                Err(Errno(libc_ebadf)) if libc_ebadf == isol_sys::errno::BAD_DESCRIPTOR.0 => {
                    return Err(not_open(fd).into());
                }
                Err(errno) => {
                    return Err(Problem::call(
                        name,
                        format!("can't look at descriptor {fd}"),
                        errno,
                    )
                    .into());
                }
            }
        }
        Ok(())
    }
}

fn directory(fd: i32) -> Problem {
    Problem::new(
        step_names::STANDARD_DESCRIPTORS,
        format!("descriptor {fd} is a directory"),
        "fchdir(2) on a directory from outside walks out of the root",
    )
    .help(if fd < 3 {
        format!("redirect it: {fd}</dev/null")
    } else {
        format!("leave out --pass-fd {fd}")
    })
}

fn not_open(fd: i32) -> Problem {
    Problem::new(
        step_names::STANDARD_DESCRIPTORS,
        format!("descriptor {fd} is to be passed on"),
        "it is not open",
    )
    .help(format!("open it in the calling process, for instance {fd}<FILE"))
}
