//! A cluster's logs and partitions as a person looks at them.
//!
//! In: where a page lies. Out: its records as they stand, markers and holes included. Reads only; nothing here is on a
//! client's way. Start at [`Cluster::page`].

use std::sync::Arc;

use super::batch::{opened, records, value_bytes};
use super::cluster::{Cluster, Coordinated};
use super::partition::Partition;
use super::transactions::marker::{control_of, stamp_of};
use crate::event::{
    HeldRecord, LogContent, LogMarks, LogPage, LogRow, LogStanding, PAGE_RECORDS_MAX, PartitionStanding, Seek, StoredBatch,
};
use crate::units::{GroupIx, TopicIx};

impl Cluster {
    /// A page of a partition's log at its leader, by the topic's place; none where there is no such partition.
    #[must_use]
    pub fn page(&self, place: usize, partition: u32, seek: Seek, records_max: usize) -> Option<LogPage> {
        let partitions = self.partitions.get(place)?;
        let (marks, rows) = partitions.get(partition as usize)?.page(seek, records_max.clamp(1, PAGE_RECORDS_MAX));
        Some(LogPage { partitions: partitions.len() as u32, marks, rows })
    }

    /// How every partition stands, and what the named groups have still to read of it.
    #[must_use]
    pub fn partition_standings(&self, groups: &[(GroupIx, Arc<str>, &[TopicIx])]) -> Vec<PartitionStanding> {
        let of_topic = |(place, topic): (usize, &super::cluster::TopicConfig)| {
            let readers: Vec<_> = groups.iter().filter(|(_, _, topics)| topics.contains(&topic.topic)).collect();
            let standings = self.standings(place).zip(&self.partitions[place]).zip(0..);
            let standing = |((standing, state), number): ((super::cluster::Standing, &Partition), u32)| PartitionStanding {
                topic: Arc::clone(&topic.name),
                partition: number,
                leader: standing.leader,
                epoch: standing.epoch,
                replicas: standing.in_sync,
                marks: state.marks(),
                log_bytes: standing.log_bytes,
                segments: state.log.segments(),
                lags: readers.iter().map(|(group, name, _)| (Arc::clone(name), self.partition_lag(*group, topic.topic, number))).collect(),
            };
            standings.map(standing).collect::<Vec<_>>()
        };
        self.config().topics.iter().enumerate().flat_map(of_topic).collect()
    }

    /// Records between a group's committed position and the high watermark of a partition.
    #[must_use]
    pub fn partition_lag(&self, group: GroupIx, topic: TopicIx, partition: u32) -> u64 {
        let Some(Coordinated { group, .. }) = self.groups.get(&group) else { return 0 };
        let state = self.place(topic).and_then(|place| self.partitions[place].get(partition as usize));
        let lag = |state: &Partition| {
            let log_start = state.log.log_start();
            let from = group.committed(topic, partition).unwrap_or(log_start).max(log_start);
            state.high_watermark.saturating_sub(from)
        };
        state.map_or(0, lag)
    }
}

impl Partition {
    fn marks(&self) -> LogMarks {
        LogMarks {
            log_start: self.log.log_start(),
            last_stable: self.transactions.is_used().then(|| self.transactions.last_stable(self.high_watermark)),
            high_watermark: self.high_watermark,
            log_end: self.log.next_offset(),
        }
    }

    pub(super) fn page(&self, seek: Seek, records_max: usize) -> (LogMarks, Vec<LogRow>) {
        let marks = self.marks();
        let rows = match seek {
            Seek::From(offset) => self.rows_from(offset.max(marks.log_start), records_max),
            Seek::FromTime(at) => self.rows_from(self.log.offset_for_time(at), records_max),
            Seek::Below(offset) => self.rows_below(offset.min(marks.log_end), records_max),
        };
        (marks, rows)
    }

    fn rows_from(&self, from: u64, records_max: usize) -> Vec<LogRow> {
        let rows = self.log.batches_from(from).flat_map(|stored| self.rows_of(stored)).filter(|row| row.offset >= from);
        let rows: Vec<LogRow> = rows.take(records_max).collect();
        let until = if rows.len() < records_max { self.log.next_offset() } else { from };
        without_holes(from, rows, until)
    }

    fn rows_below(&self, below: u64, records_max: usize) -> Vec<LogRow> {
        let log_start = self.log.log_start();
        let batches = self.log.batches_below(below).take_while(|stored| stored.next_offset() > log_start);
        let backwards = batches.flat_map(|stored| self.rows_of(stored).into_iter().rev());
        let inside = backwards.filter(|row| (log_start..below).contains(&row.offset));
        let mut rows: Vec<LogRow> = inside.take(records_max).collect();
        rows.reverse();
        let from = rows.first().filter(|_| rows.len() == records_max).map_or(log_start, |row| row.offset);
        without_holes(from, rows, below)
    }

    /// A batch as rows; one that cannot be read has none.
    fn rows_of(&self, stored: &StoredBatch) -> Vec<LogRow> {
        let batch = &stored.batch;
        if let Some(commits) = control_of(batch) {
            return vec![LogRow { offset: stored.base_offset, content: LogContent::Marker { commits, at: batch.max_timestamp.clamped() } }];
        }
        let Ok(plain) = opened(batch) else { return Vec::new() };
        let is_aborted = stamp_of(batch).is_some_and(|stamp| self.transactions.is_aborted(stamp.id, stored.base_offset));
        let last_stable = self.transactions.last_stable(self.high_watermark);
        let standing = |offset| match offset {
            offset if offset >= self.high_watermark => LogStanding::Unreplicated,
            offset if offset >= last_stable => LogStanding::Undecided,
            _ if is_aborted => LogStanding::Aborted,
            _ => LogStanding::Settled,
        };
        let row = |record: super::batch::RecordRef<'_>| {
            let offset = stored.base_offset + u64::from(record.position);
            let held = HeldRecord {
                event: record.meta,
                key: record.key.map(|key| plain.bytes.slice_ref(key)),
                value: (!record.is_tombstone).then(|| value_bytes(&plain, &record)),
                schema_id: None,
            };
            LogRow { offset, content: LogContent::Record(held, standing(offset)) }
        };
        records(&plain).map(row).collect()
    }
}

/// The rows with what is missing between `from` and `until` as gaps.
fn without_holes(from: u64, rows: Vec<LogRow>, until: u64) -> Vec<LogRow> {
    let mut whole = Vec::with_capacity(rows.len());
    let mut expected = from;
    for row in rows {
        whole.extend(gap(expected, row.offset));
        expected = row.next_offset();
        whole.push(row);
    }
    whole.extend(gap(expected, until));
    whole
}

fn gap(from: u64, until: u64) -> Option<LogRow> {
    (from < until).then_some(LogRow { offset: from, content: LogContent::Gap { until } })
}
