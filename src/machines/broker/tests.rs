//! The log, the group and the cluster against naive oracles.

mod batch;
mod browse;
mod cluster;
mod compaction;
mod consumer_group;
mod group;
mod log;
mod replication;
mod transactions;

use crate::event::{EventId, EventMeta, RecordBatch};
use crate::machines::broker::batch::BatchBuilder;
use crate::units::{ComponentIx, SimTime};

/// A batch of `count` records born at `born`, numbered from `seq`, with values of `value_bytes`.
fn batch(seq: u64, count: u32, value_bytes: usize, born: SimTime) -> RecordBatch {
    let mut builder = BatchBuilder::default();
    for position in 0..u64::from(count) {
        let id = EventId { producer: ComponentIx(1), seq: seq + position };
        let meta = EventMeta { id, born, root_born: born, ..EventMeta::default() };
        builder.push(&meta, None, &vec![7; value_bytes], 0, false);
    }
    builder.finish()
}
