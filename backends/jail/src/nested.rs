//! A jail that is made in a jail: it can't have more than that one has.

use isol_core::Parameter;
use isol_sys::jail;

use crate::setting::{Setting, Share, Value};

/// Takes out of the settings what a jail around forbids; a note on what that is. What was asked for by name stays, for
/// the kernel to refuse.
pub(crate) fn fit(settings: &mut Vec<Setting>, asked: &[Parameter], notes: &mut Vec<String>) {
    if jail::is_inside() {
        fit_in(jail::has_system_v_ipc(), settings, asked, notes);
    }
}

fn fit_in(
    has_ipc: [bool; 3],
    settings: &mut Vec<Setting>,
    asked: &[Parameter],
    notes: &mut Vec<String>,
) {
    let by_name = |name: &str| asked.iter().any(|parameter| parameter.name == name);
    if !by_name("devfs_ruleset") {
        settings.retain(|setting| setting.name != "devfs_ruleset");
        notes.push("the devfs ruleset is that of the jail around".into());
    }
    for (name, has) in ["sysvmsg", "sysvsem", "sysvshm"].into_iter().zip(has_ipc) {
        if has || by_name(name) {
            continue;
        }
        if let Some(setting) = settings.iter_mut().find(|setting| setting.name == name) {
            setting.value = Value::Share(Share::Disable);
            notes.push(format!("there is no {name}: the jail around has none"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(has_ipc: [bool; 3], asked: &[Parameter]) -> (Vec<String>, usize) {
        let mut settings = vec![
            Setting::new("devfs_ruleset", Value::Number(4)),
            Setting::new("sysvmsg", Value::Share(Share::New)),
            Setting::new("sysvshm", Value::Share(Share::New)),
        ];
        let mut notes = Vec::new();
        fit_in(has_ipc, &mut settings, asked, &mut notes);
        (settings.iter().map(Setting::to_string).collect(), notes.len())
    }

    #[test]
    fn what_the_jail_around_has_not_is_left_out_and_said_so() {
        assert_eq!(fitted([true; 3], &[]), (vec!["sysvmsg=new".into(), "sysvshm=new".into()], 1));
        let (settings, notes) = fitted([true, true, false], &[]);
        assert_eq!((settings.join(" ").as_str(), notes), ("sysvmsg=new sysvshm=disable", 2));
    }

    #[test]
    fn what_is_asked_for_by_name_stays() {
        let Ok(asked) = "devfs_ruleset=5".parse();
        assert_eq!(fitted([true; 3], &[asked]).0[0], "devfs_ruleset=4");
    }
}
