//! What can be read back of a jail from inside it, in every mode.

use std::ffi::CStr;

use isol_core::Fault;
use isol_sys::jail;

use crate::setting::{Setting, Value};

/// (parameter, the sysctl that shows it inside)
const SHOWN: &[(&str, &CStr)] = &[
    ("enforce_statfs", c"security.jail.enforce_statfs"),
    ("devfs_ruleset", c"security.jail.devfs_ruleset"),
    ("children.max", c"security.jail.children.max"),
    ("securelevel", c"kern.securelevel"),
];

/// What is to be seen: the sysctls, and their values.
pub(crate) fn expected(settings: &[Setting]) -> Vec<(&'static CStr, i32)> {
    let value = |parameter: &str| {
        settings.iter().find(|setting| setting.name == parameter).and_then(|setting| match setting
            .value
        {
            Value::Number(number) => Some(number),
            _ => None,
        })
    };
    SHOWN.iter().filter_map(|&(parameter, sysctl)| Some((sysctl, value(parameter)?))).collect()
}

/// Compares. Async-signal-safe.
pub(crate) fn compare(expected: &[(&'static CStr, i32)]) -> Result<(), Fault> {
    if !jail::is_inside() {
        return Err(Fault::state("this process is in no jail"));
    }
    match expected.iter().find(|&&(sysctl, wanted)| jail::control(sysctl) != Some(wanted)) {
        None => Ok(()),
        Some((sysctl, _)) => {
            let mut fault = Fault::state("another value has ");
            fault.text.push(sysctl.to_str().unwrap_or_default());
            Err(fault)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_show_inside_are_looked_for_there() {
        let settings = [
            Setting::new("enforce_statfs", Value::Number(2)),
            Setting::new("allow.mount", Value::Off),
            Setting::new("securelevel", Value::Number(3)),
        ];
        assert_eq!(
            expected(&settings),
            [(c"security.jail.enforce_statfs", 2), (c"kern.securelevel", 3)]
        );
    }
}
