//! Filters that somebody else has written.

use super::super::Program;

cfg_if::cfg_if! {
    if #[cfg(feature = "seccomp-json")] {
        use super::super::Instruction;

        /// Reads a filter in the compiler's own JSON: one object with one filter in it, under any name.
        ///
        /// # Errors
        /// In which line what is wrong.
        ///
        /// # References
        /// <https://github.com/rust-vmm/seccompiler/blob/main/docs/json_format.md>
        pub fn read_json(text: &[u8]) -> Result<Program, String> {
            let architecture = std::env::consts::ARCH.try_into();
            let architecture = architecture.map_err(|error: seccompiler::BackendError| error.to_string())?;
            let filters = seccompiler::compile_from_json(text, architecture)
                .map_err(|error| with_line(text, &error.to_string()))?;
            let mut filters = filters.into_values();
            match (filters.next(), filters.next()) {
                (Some(one), None) => {
                    Program::new(one.iter().map(instruction).collect()).map_err(|error| error.to_string())
                }
                (None, _) => Err("line 1: there is no filter in it".into()),
                (Some(_), Some(_)) => Err("line 1: there are several filters in it: isol takes one".into()),
            }
        }

        fn instruction(raw: &seccompiler::sock_filter) -> Instruction {
            Instruction { code: raw.code, if_true: raw.jt, if_false: raw.jf, operand: raw.k }
        }

        /// The compiler's words, with the line in front: it tells the one of a mistake in the JSON itself, and of a
        /// call that it does not know only the name.
        fn with_line(text: &[u8], words: &str) -> String {
            let words = words
                .trim_start_matches("Json Frontend error: ")
                .trim_start_matches("Error parsing Json: ")
                .trim_end_matches('.');
            if let Some((what, place)) = words.rsplit_once(" at line ") {
                return format!("line {}: {what}", place.replace(" column ", ", column "));
            }
            let name = words
                .strip_prefix("Invalid syscall name: ")
                .and_then(|rest| rest.split_once(" for given arch"));
            if let Some((name, _)) = name {
                let quoted = format!("\"{name}\"");
                let text = String::from_utf8_lossy(text);
                let line = text.find(&quoted).map_or(1, |at| text[..at].matches('\n').count() + 1);
                return format!("line {line}: no system call of this architecture is called {name}");
            }
            words.to_owned()
        }
    } else {
        /// Reads a filter as JSON.
        ///
        /// # Errors
        /// Always: this build can't.
        pub fn read_json(_text: &[u8]) -> Result<Program, String> {
            Err("this build reads compiled filters only, and no JSON (feature seccomp-json)".into())
        }
    }
}
