//! FreeBSD's tables of objects, as the kernel gives them: a record for each place there is, taken or not, that begins
//! with `struct ipc_perm`.

use isol_core::Uid;

// Where things stand in `struct ipc_perm` on 64-bit systems: sys/ipc.h.
const CUID: usize = 0;
const UID: usize = 8;
const MODE: usize = 16;
const SEQ: usize = 18;
/// `msg_qbytes` in `struct msqid_ds`, which is not 0 in a place that is taken: sys/msg.h.
const QBYTES: usize = 64;

/// How a place that is taken is known.
#[derive(Debug, Clone, Copy)]
pub(super) enum Taken {
    /// By a bit of the mode.
    Bit(u16),
    /// By room in the queue.
    Room,
}

/// The ids of those of a user's; `None` if the table is not what it should be.
pub(super) fn ids(table: &[u8], places: usize, taken: Taken, uid: Uid) -> Option<Vec<i32>> {
    if table.is_empty() || places == 0 || !table.len().is_multiple_of(places) {
        return table.is_empty().then(Vec::new);
    }
    let mut found = Vec::new();
    for (place, record) in table.chunks_exact(table.len() / places).enumerate() {
        let word = |at: usize| Some(u32::from_ne_bytes(*record.get(at..)?.first_chunk()?));
        let half = |at: usize| Some(u16::from_ne_bytes(*record.get(at..)?.first_chunk()?));
        let is_taken = match taken {
            Taken::Bit(bit) => half(MODE)? & bit != 0,
            Taken::Room => word(QBYTES)? != 0 || word(QBYTES + 4)? != 0,
        };
        if is_taken && [word(CUID)?, word(UID)?].contains(&uid.get()) {
            found.push((i32::from(half(SEQ)?) << 16) | i32::try_from(place & 0xffff).ok()?);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cuid: u32, uid: u32, mode: u16, seq: u16, qbytes: u64) -> Vec<u8> {
        let mut record = vec![0; 120];
        record[CUID..CUID + 4].copy_from_slice(&cuid.to_ne_bytes());
        record[UID..UID + 4].copy_from_slice(&uid.to_ne_bytes());
        record[MODE..MODE + 2].copy_from_slice(&mode.to_ne_bytes());
        record[SEQ..SEQ + 2].copy_from_slice(&seq.to_ne_bytes());
        record[QBYTES..QBYTES + 8].copy_from_slice(&qbytes.to_ne_bytes());
        record
    }

    #[test]
    fn taken_places_of_a_user_are_found() {
        let table = [
            record(80, 0, 0o4600, 1, 0),
            record(80, 80, 0o600, 2, 0),
            record(0, 80, 0o4600, 3, 0),
            record(0, 0, 0o4600, 4, 1),
            record(80, 80, 0, 5, 2048),
        ]
        .concat();
        let www = Uid::new(80).unwrap();
        assert_eq!(ids(&table, 5, Taken::Bit(0o4000), www), Some(vec![0x1_0000, 0x3_0002]));
        assert_eq!(ids(&table, 5, Taken::Room, www), Some(vec![0x5_0004]));
        assert_eq!(ids(&table, 7, Taken::Room, www), None);
        assert_eq!(ids(&[], 5, Taken::Room, www), Some(vec![]));
    }
}
