//! What a program that is watched prints, by way of isol: whoever is not confined gets no descriptor of the caller's.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::thread::{self, JoinHandle};

use isol_sys::syslog::wait;

/// As much as a pipe may hold: `fs.pipe-max-size`, as it is.
const PIPE: usize = 1 << 20;

/// A pipe whose contents are passed on.
pub(super) struct Relay {
    passing: JoinHandle<()>,
    /// Closed once nothing more is to come.
    open: PipeWriter,
}

impl Relay {
    /// The end of the pipe for the program.
    pub(super) fn new(to: impl Write + Send + 'static) -> io::Result<(PipeWriter, Self)> {
        let (from, program) = io::pipe()?;
        let (end, open) = io::pipe()?;
        let passing = thread::spawn(move || pass(from, &end, to));
        Ok((program, Self { passing, open }))
    }

    /// Passes on what is left in the pipe. It does not wait for whoever has been handed its end meanwhile.
    pub(super) fn finish(self) {
        drop(self.open);
        let _ = self.passing.join();
    }
}

/// Until nobody has the other end, or nothing is left at the end; or nobody takes it.
fn pass(mut from: PipeReader, end: &PipeReader, mut to: impl Write) {
    let mut buffer = [0; 4096];
    let mut left = PIPE;
    while left > 0 {
        match wait(&from, end, None) {
            Ok((true, at_end)) => match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(len) if to.write_all(&buffer[..len]).and_then(|()| to.flush()).is_err() => {
                    return;
                }
                Ok(len) if at_end => left = left.saturating_sub(len),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            },
            Ok((false, true)) | Err(_) => return,
            Ok((false, false)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Taken(Arc<Mutex<Vec<u8>>>);

    impl Write for Taken {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn all_of_it_is_passed_on_though_somebody_keeps_the_other_end() {
        let taken = Taken::default();
        let (mut program, relay) = Relay::new(taken.clone()).unwrap();
        let _kept = program.try_clone().unwrap();
        program.write_all(&[7; 30_000]).unwrap();
        relay.finish();
        assert_eq!(*taken.0.lock().unwrap(), [7; 30_000]);
    }
}
