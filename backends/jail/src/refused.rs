//! What the kernel says when it makes no jail, and where it says nothing, what it means. Async-signal-safe.

use isol_core::{Errno, Fault};
use isol_sys::{errno, jail};

/// In words.
pub(crate) fn explain(errno: Errno, request: &jail::Request) -> Fault {
    if errno == errno::NOT_PERMITTED
        && let Some((descriptor, path)) = jail::open_directory()
    {
        let mut fault =
            Fault::call(errno, "jail_set: a directory is open, which leads out: descriptor ");
        fault.text.push_number(descriptor as u64);
        if !path.as_str().is_empty() {
            fault.text.push(", ");
            fault.text.push(path.as_str());
        }
        return fault;
    }
    let mut fault = Fault::call(errno, "jail_set");
    let message = request.message();
    if !message.as_str().is_empty() {
        fault.text.push(": ");
        fault.text.push(message.as_str());
    }
    fault.text.push(meaning(errno, message.as_str()));
    fault
}

fn meaning(errno: Errno, message: &str) -> &'static str {
    match (errno, message) {
        (errno::NOT_PERMITTED, "") => {
            ": a jail's jail can't have more than the jail has: addresses, for one"
        }
        (errno::NOT_PERMITTED, "prison limit exceeded") => {
            ": the jail that this process is in may have no more children"
        }
        (errno::NAME_TOO_LONG, _) => {
            ": the jail's path or name, with those of the jail around it, is too long"
        }
        (errno::EXISTS, "") => ": a jail of this name is there",
        (errno::ADDRESS_IN_USE, _) => {
            ": another jail has one of them, and is only shared by jails with a single one (jls -v)"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_put_into_words_and_words_are_kept() {
        let silent = jail::Request::new(Vec::new());
        let said = |errno| explain(errno, &silent).text.as_str().to_owned();
        assert!(said(errno::EXISTS).ends_with("a jail of this name is there"));
        assert!(said(errno::ADDRESS_IN_USE).contains("another jail has one of them"));
        assert_eq!(said(Errno(22)), "jail_set");
    }
}
