//! The table that a source reads: rows that an application inserts, updates and deletes in transactions.
//!
//! In: statements, commits. Out: rows by id and by time of their last change. A statement takes its id and its time when it is
//! made; what it does is seen when its transaction commits, which may be after that of a later one. Must not know: who reads.
//! Start at [`Table::begin`] and [`Table::commit`].

use std::collections::{BTreeMap, BTreeSet};

use crate::event::EventMeta;
use crate::random::Stream;

/// A table with more rows takes no new ones: an update is made instead.
const ROWS_MAX: usize = 1_000_000;
/// Rows that a statement tries before it gives up on finding one that nobody holds.
const TRIES_MAX: u32 = 8;

/// What a row holds beside its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    pub customer: u64,
    pub amount_cents: u64,
    pub version: u64,
    /// When it was last changed, by the statement's clock.
    pub updated_ms: i64,
}

/// A row as it is committed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub cells: Cells,
    /// The change that made it so.
    pub change: EventMeta,
    /// A connector has read it like this.
    pub is_read: bool,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Insert,
    Update,
    Delete,
}

/// A statement whose transaction is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub op: Op,
    pub id: i64,
    /// The row as it will be; as it was for a delete.
    pub cells: Cells,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    rows: BTreeMap<i64, Row>,
    by_time: BTreeSet<(i64, i64)>,
    /// Ids of the rows, to draw one; and where each stands.
    live: Vec<i64>,
    places: BTreeMap<i64, usize>,
    /// Rows that an open transaction holds.
    locked: BTreeSet<i64>,
    next_id: i64,
}

impl Table {
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    pub fn row_mut(&mut self, id: i64) -> Option<&mut Row> {
        self.rows.get_mut(&id)
    }

    /// By id.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&i64, &Row)> {
        self.rows.iter()
    }

    /// A statement is made: it takes the next id, or holds a row. None when there is none to change.
    pub fn begin(&mut self, op: Op, now_ms: i64, rng: &mut Stream) -> Option<Change> {
        let op = if op == Op::Insert && self.live.len() >= ROWS_MAX { Op::Update } else { op };
        if op == Op::Insert {
            self.next_id += 1;
            let cells = Cells { customer: rng.below(1_000), amount_cents: rng.below(100_000), version: 1, updated_ms: now_ms };
            return Some(Change { op, id: self.next_id, cells });
        }
        for _ in 0..TRIES_MAX {
            let id = *self.live.get(rng.below(self.live.len().max(1) as u64) as usize)?;
            if self.locked.insert(id) {
                let before = self.rows.get(&id)?.cells;
                let after = Cells { amount_cents: rng.below(100_000), version: before.version + 1, updated_ms: now_ms, ..before };
                return Some(Change { op, id, cells: if op == Op::Update { after } else { before } });
            }
        }
        None
    }

    /// Its transaction commits: the row as it was.
    pub fn commit(&mut self, change: Change, meta: EventMeta) -> Option<Row> {
        let Change { op, id, cells } = change;
        self.locked.remove(&id);
        let before = self.rows.get(&id).copied();
        if let Some(row) = &before {
            self.by_time.remove(&(row.cells.updated_ms, id));
        }
        if op == Op::Delete {
            self.rows.remove(&id);
            if let Some(place) = self.places.remove(&id) {
                self.live.swap_remove(place);
                if let Some(moved) = self.live.get(place) {
                    self.places.insert(*moved, place);
                }
            }
            return before;
        }
        self.rows.insert(id, Row { cells, change: meta, is_read: false });
        self.by_time.insert((cells.updated_ms, id));
        if before.is_none() {
            self.places.insert(id, self.live.len());
            self.live.push(id);
        }
        before
    }

    /// Ids of rows behind one, in order.
    pub fn behind_id(&self, id: i64, rows_max: usize) -> Vec<i64> {
        self.rows.range(id + 1..).map(|(id, _)| *id).take(rows_max).collect()
    }

    /// Places (time, id) of rows behind one, in order, last changed before an instant.
    pub fn behind_time(&self, place: (i64, i64), before_ms: i64, rows_max: usize) -> Vec<(i64, i64)> {
        let next = (place.0, place.1 + 1);
        self.by_time.range(next..).take_while(|(time, _)| *time < before_ms).take(rows_max).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a map that is changed in commit order: the same rows, and both orders find all of them.
        #[test]
        fn rows_are_those_that_were_committed(steps in proptest::collection::vec((0u8..4, 0usize..4), 1..120), seed in any::<u64>()) {
            let mut rng = Stream::new(seed, "table", "test");
            let (mut table, mut open, mut naive) = (Table::default(), Vec::new(), BTreeMap::new());
            for (now, (op, which)) in steps.into_iter().enumerate() {
                let op = match op { 0 => Op::Insert, 1 => Op::Update, 2 => Op::Delete, _ => {
                    if !open.is_empty() {
                        let change: Change = open.remove(which % open.len());
                        if change.op == Op::Delete { naive.remove(&change.id); } else { naive.insert(change.id, change.cells); }
                        table.commit(change, EventMeta::default());
                    }
                    continue;
                }};
                open.extend(table.begin(op, now as i64, &mut rng));
                let held: BTreeSet<i64> = open.iter().map(|change| change.id).collect();
                prop_assert_eq!(held.len(), open.len(), "no two open transactions hold one row");
            }
            let found: BTreeMap<i64, Cells> = table.rows.iter().map(|(id, row)| (*id, row.cells)).collect();
            prop_assert_eq!(&found, &naive);
            prop_assert_eq!(table.behind_id(0, usize::MAX), naive.keys().copied().collect::<Vec<_>>());
            let mut by_time: Vec<(i64, i64)> = naive.iter().map(|(id, cells)| (cells.updated_ms, *id)).collect();
            by_time.sort_unstable();
            prop_assert_eq!(table.behind_time((-1, 0), i64::MAX, usize::MAX), by_time);
            prop_assert_eq!(table.live.len(), naive.len());
        }
    }
}
