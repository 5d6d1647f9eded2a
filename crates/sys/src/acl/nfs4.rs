//! Access lists of NFSv4's kind, as FreeBSD's kernel hands them over, and what they let others do.

/// The most entries that a list has: `ACL_MAX_ENTRIES` of <sys/acl.h>.
pub(super) const MOST: usize = 254;

// Of <sys/acl.h>.
const USER_OBJ: u32 = 0x01;
const USER: u32 = 0x02;
const ALLOW: u16 = 0x0100;
const INHERIT_ONLY: u16 = 0x0008;
/// To change what is in the file or the directory, who owns it, and who may do that; and to take it out of its directory.
const CHANGES: u32 = WRITE_DATA | APPEND_DATA | DELETE_CHILD | DELETE | WRITE_ACL | WRITE_OWNER;
const WRITE_DATA: u32 = 0x0010;
const APPEND_DATA: u32 = 0x0020;
const DELETE_CHILD: u32 = 0x0100;
const DELETE: u32 = 0x0800;
const WRITE_ACL: u32 = 0x2000;
const WRITE_OWNER: u32 = 0x4000;

/// `struct acl_entry`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    tag: u32,
    id: u32,
    permissions: u32,
    kind: u16,
    flags: u16,
}

/// `struct acl`.
#[repr(C)]
#[derive(Debug)]
pub(super) struct List {
    pub(super) room: u32,
    pub(super) count: u32,
    spare: [i32; 4],
    entries: [Entry; MOST],
}

impl List {
    /// With room for as much as there can be.
    pub(super) fn new() -> Self {
        Self { room: MOST as u32, count: 0, spare: [0; 4], entries: [Entry::default(); MOST] }
    }

    /// Whether it lets anybody but the owner and root change the file. A denial that stands before is not looked
    /// at: a list that needs one is not worth the doubt.
    pub(super) fn lets_others_change(&self) -> bool {
        self.entries.iter().take(self.count as usize).any(Entry::lets_others_change)
    }
}

impl Entry {
    fn lets_others_change(&self) -> bool {
        let root_s = self.tag == USER_OBJ || (self.tag == USER && self.id == 0);
        !root_s
            && self.kind == ALLOW
            && self.flags & INHERIT_ONLY == 0
            && self.permissions & CHANGES != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP_OBJ: u32 = 0x04;
    const GROUP: u32 = 0x08;
    const EVERYONE: u32 = 0x40;
    const DENY: u16 = 0x0200;
    /// read_data, execute, read_attributes, read_acl, synchronize.
    const READS: u32 = 0x0008 | 0x0001 | 0x0200 | 0x1000 | 0x8000;
    const ALL: u32 = 0xffff & !0x6;

    fn lets(entries: &[Entry]) -> bool {
        let mut list = List::new();
        list.entries[..entries.len()].copy_from_slice(entries);
        list.count = entries.len() as u32;
        list.lets_others_change()
    }

    fn allow(tag: u32, id: u32, permissions: u32) -> Entry {
        Entry { tag, id, permissions, kind: ALLOW, flags: 0 }
    }

    #[test]
    fn they_are_laid_out_as_the_kernel_has_them() {
        assert_eq!(size_of::<Entry>(), 16);
        assert_eq!(size_of::<List>(), 24 + 16 * MOST);
    }

    #[test]
    fn a_list_that_says_what_a_mode_says_is_harmless() {
        // 0755, as acl(9) makes it.
        let owner = allow(USER_OBJ, 0, ALL & !DELETE & !DELETE_CHILD);
        assert!(!lets(&[owner, allow(GROUP_OBJ, 0, READS), allow(EVERYONE, 0, READS)]));
        assert!(!lets(&[]));
    }

    #[test]
    fn whoever_else_may_change_the_file_is_seen() {
        for (tag, id) in [(USER, 1001), (GROUP, 0), (GROUP_OBJ, 0), (EVERYONE, 0)] {
            for change in [WRITE_DATA, APPEND_DATA, DELETE_CHILD, DELETE, WRITE_ACL, WRITE_OWNER] {
                assert!(
                    lets(&[allow(EVERYONE, 0, READS), allow(tag, id, change)]),
                    "{tag} {change:x}"
                );
            }
            assert!(!lets(&[allow(tag, id, READS)]), "{tag}");
        }
    }

    #[test]
    fn root_denials_and_what_is_for_children_only_are_passed_over() {
        assert!(!lets(&[allow(USER, 0, ALL)]));
        assert!(!lets(&[Entry { kind: DENY, ..allow(USER, 1001, ALL) }]));
        assert!(!lets(&[Entry { flags: INHERIT_ONLY, ..allow(USER, 1001, ALL) }]));
    }

    #[test]
    fn entries_behind_the_count_are_none() {
        let mut list = List::new();
        list.entries[0] = allow(USER, 1001, ALL);
        assert!(!list.lets_others_change());
    }
}
