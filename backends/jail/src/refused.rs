//! What the kernel says when it makes no jail, and where it says nothing, what it means. Async-signal-safe.

use isol_core::{Errno, Fault, Network};
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

/// The command that mends it, where there is one.
pub(crate) fn mend(errno: Errno, in_a_jail: bool, network: &Network) -> Option<&'static str> {
    match (errno, network) {
        (errno::EXISTS, _) => Some("another --name, or none; `jls -v` lists those that there are"),
        (errno::ADDRESS_IN_USE, _) => Some("other addresses, or --network host"),
        (errno::NAME_TOO_LONG, _) => Some("a shorter --name, or move the root to a shorter path"),
        (errno::NOT_PERMITTED, Network::Addresses(_)) if in_a_jail => {
            Some("addresses that the jail around has (ifconfig lists them), or --network host")
        }
        (errno::NOT_PERMITTED, _) if in_a_jail => {
            Some("jail -m name=NAME children.max=N   (on the host), or --backend chroot")
        }
        _ => None,
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
    #[test]
    fn what_can_be_mended_says_how() {
        let one = Network::Addresses(vec!["10.0.0.1".parse().unwrap()]);
        let help = |errno, network| mend(errno, true, network).unwrap_or_default();
        assert!(help(errno::NOT_PERMITTED, &one).starts_with("addresses"));
        assert!(help(errno::NOT_PERMITTED, &Network::None).contains("children.max"));
        assert!(help(errno::EXISTS, &Network::None).contains("--name"));
        assert_eq!(mend(errno::NOT_PERMITTED, false, &Network::None), None);
    }
}
