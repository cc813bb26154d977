//! Reading a topic as a table: the latest value of each key, as a global table of Kafka Streams holds it.
//!
//! ```text
//! start ─► every partition from its first record ─► caught up with what stood there: the snapshot ─► goes on with what comes
//! ```
//!
//! Nothing is committed: whoever begins anew reads everything anew. How long that takes is told (`snapshot_s`); what it reads
//! of earlier is backfill or replay, which the figures of the run leave out. A tombstone takes its key away.
//! Must not know: the log. Start at [`Consumer::tabulate`].

use std::collections::BTreeMap;

use super::intake::Received;
use super::sim::Consumer;
use crate::engine::Figures;
use crate::machines::broker::client::ConsumerClient;
use crate::units::{SimDuration, SimTime, TopicIx};

/// Keys that a table holds; records of further ones are read and not kept.
const KEYS_MAX: usize = 1_000_000;

/// The table of a consumer that reads a snapshot.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    rows: BTreeMap<(TopicIx, Box<[u8]>), Row>,
    /// Of all rows, whatever their order: tables that hold the same have the same.
    checksum: u32,
    value_bytes: u64,
    began: SimTime,
    caught_up: Option<SimDuration>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    checksum: u32,
    value_bytes: u64,
}

impl Table {
    /// A process begins with an empty one.
    pub fn begin(&mut self, now: SimTime) {
        *self = Self { began: now, ..Self::default() };
    }

    fn put(&mut self, topic: TopicIx, key: &[u8], value: Option<&[u8]>) {
        if let Some(old) = self.rows.remove(&(topic, Box::from(key))) {
            self.checksum ^= old.checksum;
            self.value_bytes -= old.value_bytes;
        }
        let Some(value) = value.filter(|_| self.rows.len() < KEYS_MAX) else { return };
        let mut crc = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
        [&topic.0.to_be_bytes(), key, value].into_iter().for_each(|part| crc.update(part));
        // Thirty-two bits fit by the algorithm's width.
        let checksum = crc.finalize() as u32;
        self.checksum ^= checksum;
        self.value_bytes += value.len() as u64;
        self.rows.insert((topic, Box::from(key)), Row { checksum, value_bytes: value.len() as u64 });
    }

    pub fn figures(&self, out: &mut Figures) {
        out.gauge("table_keys", self.rows.len() as f64);
        out.gauge("table_bytes", self.value_bytes as f64);
        out.gauge("table_crc32c", f64::from(self.checksum));
        if let Some(span) = self.caught_up {
            out.gauge("snapshot_s", span.as_secs_f64());
        }
    }
}

impl Consumer {
    /// A record was worked on: its key has this value now.
    pub fn tabulate(&mut self, record: &Received) {
        if let (Some(table), Some(key)) = (&mut self.table, record.key()) {
            let value = record.value();
            table.put(record.topic, &key, (!record.is_tombstone).then_some(&*value));
        }
    }

    /// Everything may be read that stood there at the beginning.
    pub fn note_caught_up(&mut self, now: SimTime, index: usize) {
        let Some(table) = self.table.as_mut().filter(|table| table.caught_up.is_none()) else { return };
        let instance = &self.instances[index];
        if instance.up && instance.clients.iter().all(ConsumerClient::has_caught_up) {
            table.caught_up = Some(now.since(table.began));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A table is what a map holds after the same changes, and its checksum knows nothing of their order.
        #[test]
        fn it_holds_the_last_value_of_each_key(changes in prop::collection::vec((0u8..8, prop::option::of(any::<u16>())), 0..60)) {
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (key, value) in &changes {
                table.put(TopicIx(0), &[*key], value.map(u16::to_be_bytes).as_ref().map(|bytes| &bytes[..]));
                match value {
                    Some(value) => drop(map.insert(*key, *value)),
                    None => drop(map.remove(key)),
                }
            }
            let mut fresh = Table::default();
            for (key, value) in map.iter().rev() {
                fresh.put(TopicIx(0), &[*key], Some(&value.to_be_bytes()));
            }
            prop_assert_eq!((table.rows.len(), table.checksum, table.value_bytes), (map.len(), fresh.checksum, 2 * map.len() as u64));
        }
    }
}
