//! What a segment's bytes hold: whole batches in order, and what is damaged among them.
//!
//! In: the bytes of a segment file and the offset at which it must begin. Out: every batch that can be trusted, with its
//! place, and every stretch that cannot. A batch is trusted when its checksum holds; where it stands says its offset, so
//! an offset in a header that disagrees is put right. After bytes that are no batch the next one is searched for, so
//! that one bad bit costs one batch. Only what has nothing whole behind it is a torn end. Must not know: files.
//! Start at [`scan`].

use bytes::Bytes;

use crate::event::StoredBatch;
use crate::machines::broker::stored::{decode, length};

/// Checksums that a search for the next whole batch may compute, in multiples of the segment's size: bytes made to look
/// like many batches must not keep a reader busy for ever. What lies behind is then taken for damaged.
const SEARCH_FACTOR_MAX: usize = 16;

/// A whole batch and where it stands.
#[derive(Clone, Debug)]
pub struct Found {
    /// The batch at its offset.
    pub stored: StoredBatch,
    /// Where it begins in the file.
    pub position: u64,
}

/// Bytes that are no batch, or not the one they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The end of the file.
    Torn {
        /// Where it begins,
        position: u64,
        /// and how long it is.
        bytes: u64,
    },
    /// A stretch with whole batches behind it.
    Hole {
        /// Where it begins,
        position: u64,
        /// how long it is,
        bytes: u64,
        /// and which offsets are gone: from,
        from: u64,
        /// and up to.
        to: u64,
    },
    /// A batch is whole, and its header says another offset than the place where it stands.
    Offset {
        /// Where it begins.
        position: u64,
        /// What its header says.
        said: u64,
        /// What it must be.
        is: u64,
    },
}

/// What a segment holds.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Whole batches in order.
    pub found: Vec<Found>,
    /// In order.
    pub damage: Vec<Damage>,
    /// Where the last whole batch ends,
    pub whole_bytes: u64,
    /// and the offset after it.
    pub next_offset: u64,
}

/// Reads a segment that begins at `base_offset`.
#[must_use]
pub fn scan(bytes: &Bytes, base_offset: u64) -> Scan {
    let mut scan = Scan { next_offset: base_offset, ..Scan::default() };
    let mut position = 0;
    let mut search_bytes = bytes.len().saturating_mul(SEARCH_FACTOR_MAX);
    while position < bytes.len() {
        if let Ok(mut stored) = decode(&bytes.slice(position..)) {
            let at = position as u64;
            if stored.base_offset != scan.next_offset {
                scan.damage.push(Damage::Offset { position: at, said: stored.base_offset, is: scan.next_offset });
                stored.base_offset = scan.next_offset;
            }
            position += stored.batch.bytes.len();
            scan.take(stored, at);
            continue;
        }
        let (from, begins) = (scan.next_offset, position as u64);
        let Some((next, stored)) = next_whole(bytes, position + 1, from, &mut search_bytes) else {
            scan.damage.push(Damage::Torn { position: begins, bytes: (bytes.len() - position) as u64 });
            return scan;
        };
        scan.damage.push(Damage::Hole { position: begins, bytes: (next - position) as u64, from, to: stored.base_offset });
        position = next + stored.batch.bytes.len();
        scan.take(stored, next as u64);
    }
    scan
}

impl Scan {
    fn take(&mut self, stored: StoredBatch, position: u64) {
        self.next_offset = stored.next_offset();
        self.whole_bytes = position + stored.batch.bytes.len() as u64;
        self.found.push(Found { stored, position });
    }
}

/// The first whole batch from `from` on whose header says an offset that can follow.
fn next_whole(bytes: &Bytes, from: usize, offset: u64, search_bytes: &mut usize) -> Option<(usize, StoredBatch)> {
    for position in from..bytes.len() {
        let rest = bytes.slice(position..);
        let Some(whole) = length(&rest).filter(|whole| *whole <= rest.len() && rest[16] == 2) else { continue };
        *search_bytes = search_bytes.checked_sub(whole)?;
        // What is damaged took one offset at least, and not many more than it has bytes.
        let plausible = offset + 1..=offset.saturating_add(u64::from(u32::MAX));
        if let Ok(stored) = decode(&rest)
            && plausible.contains(&stored.base_offset)
        {
            return Some((position, stored));
        }
    }
    None
}
