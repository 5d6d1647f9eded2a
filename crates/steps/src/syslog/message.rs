//! A message from inside, as it may leave the root.

/// The longest message; the rest of a longer one is cut off.
pub(super) const LONGEST: usize = 8192;

const FACILITIES: u32 = 24;
const USER: u32 = 1;
const NOTICE: u32 = 5;

/// Makes one line of a message: a facility that a program can have, and no character with which one message could
/// pass for two, or steer a terminal.
///
/// - Without a priority it is `user.notice`; the facility `kern`, which is the kernel's, becomes `user`. So does syslogd.
/// - NUL and line ends at its end go. Other control characters but tabs become `#` and three octal digits, as rsyslog
///   writes them. Bytes above 127 stay.
pub(super) fn clean(message: &[u8], into: &mut Vec<u8>) {
    let (priority, text) = priority(message).unwrap_or((USER << 3 | NOTICE, message));
    let priority = if priority >> 3 == 0 { USER << 3 | priority } else { priority };
    into.clear();
    into.extend_from_slice(format!("<{priority}>").as_bytes());
    let ends = |byte: &u8| matches!(byte, 0 | b'\n' | b'\r');
    let length = text.iter().rposition(|byte| !ends(byte)).map_or(0, |last| last + 1);
    for &byte in &text[..length] {
        let escaped = [b'#', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)];
        let piece: &[u8] = match byte {
            b'\t' => &[byte],
            0..=0x1f | 0x7f => &escaped,
            _ => &[byte],
        };
        if into.len() + piece.len() > LONGEST {
            return;
        }
        into.extend_from_slice(piece);
    }
}

/// `<N>` in front of a message, and what is behind it.
fn priority(message: &[u8]) -> Option<(u32, &[u8])> {
    let rest = message.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|&byte| byte == b'>')?;
    let digits = std::str::from_utf8(&rest[..end]).ok()?;
    // `parse` would take a sign, too.
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok());
    let priority = number.flatten().filter(|&number: &u32| number >> 3 < FACILITIES)?;
    Some((priority, &rest[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(message: &[u8]) -> Vec<u8> {
        let mut into = b"what was there before".to_vec();
        clean(message, &mut into);
        into
    }

    #[test]
    fn what_programs_send_goes_through() {
        for message in [
            "<14>Nov 26 12:00:00 tag[7]: text",
            "<13>1 2026-11-26T12:00:00Z host app 7 - - text\twith a tab",
            "<191>caf\u{e9}",
        ] {
            assert_eq!(cleaned(message.as_bytes()), message.as_bytes());
        }
        // glibc and musl send no line end, others do.
        assert_eq!(cleaned(b"<14>text\n\0"), b"<14>text");
    }

    #[test]
    fn nothing_inside_is_the_kernel() {
        assert_eq!(cleaned(b"<0>panic"), b"<8>panic");
        assert_eq!(cleaned(b"<7>debug"), b"<15>debug");
        assert_eq!(cleaned(b"<007>debug"), b"<15>debug");
    }

    #[test]
    fn what_has_no_priority_is_a_user_s_notice() {
        for message in
            ["text", "", "<", "<>x", "<192>x", "<-1>x", "<+1>x", "<1", "<0001>x", "< 1>x"]
        {
            assert_eq!(cleaned(message.as_bytes()), format!("<13>{message}").as_bytes());
        }
    }

    #[test]
    fn one_message_is_no_two() {
        assert_eq!(cleaned(b"<14>a\n<0>kernel: b"), b"<14>a#012<0>kernel: b");
        assert_eq!(cleaned(b"<14>a\x1b[2Jb\0c\x7f"), b"<14>a#033[2Jb#000c#177");
    }

    proptest! {
        #[test]
        fn whatever_comes_in_leaves_as_one_bounded_line(
            message in proptest::collection::vec(any::<u8>(), 0..LONGEST),
        ) {
            let clean = cleaned(&message);
            prop_assert!(clean.len() <= LONGEST);
            prop_assert!(clean.iter().all(|&byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7f)));
            let (found, _) = priority(&clean).expect("a priority");
            prop_assert!((8..192).contains(&found));
            // Whoever cleans again changes nothing.
            prop_assert_eq!(cleaned(&clean), clean);
        }
    }
}
