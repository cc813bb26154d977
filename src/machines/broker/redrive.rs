//! A dead-letter topic is read again, and its events are written to the topic where they came from: what teams do with a
//! small program of their own, one consumer and one producer with acks=all.
//!
//! One event is under way at a time: the next goes when every replica in sync has the last, and one that an election
//! has cut is written again. The dead-letter topic keeps its records; where a redrive has come to is remembered, so that
//! the next one begins there. Must not know: time between two events. Start at [`Cluster::begin_redrive`].

use std::collections::BTreeMap;

use super::batch::{self, BatchBuilder};
use super::client::positive_hash;
use super::cluster::{Cluster, Effects};
use super::log::ReadLimit;
use super::nodes::NodeState;
use super::transactions::marker::control_of;
use crate::event::{Acks, Appended, Fact, RecordBatch};
use crate::units::SimTime;

/// From one topic to another, by their places.
pub type Route = (usize, usize);

/// All redrives so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Redrives {
    by_route: BTreeMap<Route, Redrive>,
    moved: u64,
}

#[derive(Clone, Debug, Default)]
struct Redrive {
    /// The next offset to read, by partition of the dead-letter topic.
    positions: Vec<u64>,
    /// What stands there from here on came after the redrive had begun.
    until: Vec<u64>,
    /// Not yet on every replica in sync.
    under_way: Option<Written>,
    /// Events without a key go round.
    keyless: u32,
}

/// An event that was written to its topic.
#[derive(Clone, Debug)]
struct Written {
    partition: u32,
    base_offset: u64,
    batch: RecordBatch,
    /// Where it was read: (partition, next offset).
    read: (usize, u64),
}

/// An event of a dead-letter topic.
struct Letter {
    partition: usize,
    next_offset: u64,
    /// Alone in its batch.
    batch: RecordBatch,
    hash: Option<u32>,
}

impl Cluster {
    /// Begins to move what stands in one topic now to another.
    ///
    /// # Errors
    /// In words, when there is no such topic, or nothing to move.
    pub fn begin_redrive(&mut self, from: &str, to: &str) -> Result<Route, String> {
        let route = (self.place_named(from)?, self.place_named(to)?);
        if route.0 == route.1 {
            return Err(format!("`{from}` cannot be redriven to itself"));
        }
        let redrive = self.redrives.by_route.entry(route).or_default();
        redrive.positions.resize(self.partitions[route.0].len(), 0);
        redrive.until = self.partitions[route.0].iter().map(|partition| partition.high_watermark).collect();
        if redrive.positions.iter().zip(&redrive.until).all(|(position, until)| position >= until) {
            return Err(format!("`{from}` has nothing that was not redriven before"));
        }
        Ok(route)
    }

    /// Moves the next event, if the last has arrived; whether there is more to do.
    pub fn redrive(&mut self, now: SimTime, route: Route, out: &mut Effects) -> bool {
        let Some(mut redrive) = self.redrives.by_route.remove(&route) else { return false };
        let goes_on = self.redrive_next(now, route, &mut redrive, out);
        self.redrives.by_route.insert(route, redrive);
        goes_on
    }

    /// Events redriven so far.
    #[must_use]
    pub fn redriven(&self) -> u64 {
        self.redrives.moved
    }

    fn redrive_next(&mut self, now: SimTime, route: Route, redrive: &mut Redrive, out: &mut Effects) -> bool {
        if let Some(written) = redrive.under_way.take() {
            match self.has_arrived(route.1, &written) {
                None => {
                    redrive.under_way = Some(written);
                    return true;
                }
                Some(true) => {
                    redrive.positions[written.read.0] = written.read.1;
                    self.redrives.moved += 1;
                }
                Some(false) => {}
            }
        }
        let Some(letter) = self.next_letter(route.0, redrive) else {
            return redrive.positions.iter().zip(&redrive.until).any(|(position, until)| position < until);
        };
        let count = self.partitions[route.1].len() as u32;
        let partition = letter.hash.unwrap_or(redrive.keyless) % count;
        let at = (route.1, partition);
        if self.takes_all(at) {
            redrive.keyless += u32::from(letter.hash.is_none());
            let base_offset = self.write_letter(now, at, &letter.batch, out);
            let read = (letter.partition, letter.next_offset);
            redrive.under_way = Some(Written { partition, base_offset, batch: letter.batch, read });
        }
        true
    }

    /// Whether every replica in sync has an event; none while that is open, false if an election has cut it.
    fn has_arrived(&self, place: usize, written: &Written) -> Option<bool> {
        let partition = &self.partitions[place][written.partition as usize];
        let below_watermark = partition.high_watermark > written.base_offset;
        match partition.log.batch_at(written.base_offset) {
            Some(stored) if stored.batch.bytes.as_ptr() == written.batch.bytes.as_ptr() => below_watermark.then_some(true),
            Some(_) => Some(false),
            // Retention took it, or an election.
            None => Some(below_watermark),
        }
    }

    /// Whether a partition takes a batch with acks=all now.
    fn takes_all(&self, (place, partition): (usize, u32)) -> bool {
        let replicas = &self.partitions[place][partition as usize].replicas;
        let serves = |leader: u32| {
            let node = &self.nodes[leader as usize];
            node.state == NodeState::Up && !node.disk_full
        };
        let has_room = self.log_memory_bytes < self.cfg.log_memory_bytes_max;
        let in_sync = replicas.in_sync.len() >= self.cfg.min_insync_replicas as usize;
        replicas.leader.is_some_and(serves) && replicas.handing_over.is_none() && in_sync && has_room
    }

    fn next_letter(&self, place: usize, redrive: &mut Redrive) -> Option<Letter> {
        // Partitions that were added since wait for the next redrive.
        for (number, partition) in self.partitions[place].iter().enumerate().take(redrive.positions.len()) {
            // A partition without a leader is read when it has one again.
            if !partition.replicas.leader.is_some_and(|leader| self.serves(leader)) {
                continue;
            }
            let position = &mut redrive.positions[number];
            *position = (*position).max(partition.log.log_start());
            while *position < redrive.until[number] {
                let mut found = Vec::new();
                let limit = ReadLimit { below: partition.high_watermark, max_bytes: 1, at_least_one: true };
                partition.log.read(*position, limit, &mut found);
                let Some(stored) = found.first() else {
                    *position = redrive.until[number];
                    break;
                };
                let first = position.saturating_sub(stored.base_offset) as u32;
                if let Some((offset, batch, hash)) = letter_of(&stored.batch, first) {
                    let next_offset = stored.base_offset + u64::from(offset) + 1;
                    return Some(Letter { partition: number, next_offset, batch, hash });
                }
                *position = stored.next_offset();
            }
        }
        None
    }

    fn write_letter(&mut self, now: SimTime, at: (usize, u32), batch: &RecordBatch, out: &mut Effects) -> u64 {
        let (cluster, topic) = (self.cfg.me, self.cfg.topics[at.0].topic);
        let partition = &mut self.partitions[at.0][at.1 as usize];
        let memory_before = partition.log.memory_bytes();
        let (base_offset, _) = partition.log.append(now, batch.clone());
        partition.appended += 1;
        self.log_memory_bytes = self.log_memory_bytes + partition.log.memory_bytes() - memory_before;
        let appended = Appended { cluster, topic, partition: at.1, base_offset, client: cluster, attempt: 1, batch: batch.clone() };
        out.facts.push(Fact::Moved(Box::new(appended)));
        self.spread(now, at, base_offset, u64::from(batch.wire_bytes), Acks::All, out);
        base_offset
    }
}

/// The first record of a batch at this position or later: its position, alone in a batch, and the hash of its key.
fn letter_of(batch: &RecordBatch, first: u32) -> Option<(u32, RecordBatch, Option<u32>)> {
    if control_of(batch).is_some() {
        return None;
    }
    let opened = batch::opened(batch).ok()?;
    let record = batch::records(&opened).find(|record| record.position >= first)?;
    // What headers add on a wire is known of the whole batch only.
    let headers = u64::from(batch.wire_bytes).saturating_sub(batch.bytes.len() as u64) / u64::from(batch.record_count.max(1));
    let traced = batch.traced.as_deref().unwrap_or_default().iter().any(|traced| traced.position == record.position);
    let mut builder = BatchBuilder::default();
    let value = (!record.is_tombstone).then_some(record.value);
    builder.push_record(&record.meta, record.key, value, headers as u32, traced);
    Some((record.position, builder.finish(), record.key.map(positive_hash)))
}
