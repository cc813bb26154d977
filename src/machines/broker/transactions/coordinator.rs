//! The state of every transactional id: who may write under it, and what its transaction holds.
//!
//! Each call returns the stamp with which the caller goes on. The epoch grows when a transaction ends, when it is
//! aborted for its age, and when a producer begins anew: older stamps are refused from then on.
//! Must not know: logs, links, groups' positions. Start at [`Coordinator::init`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{MARKER_RETRY, TransactionFigures};
use crate::event::{BrokerError, ProducerStamp};
use crate::units::{GroupIx, SimDuration, SimTime};

/// `transaction.state.log.num.partitions`.
const LOG_PARTITIONS: u32 = 50;
/// `transaction.abort.timed.out.transaction.cleanup.interval.ms`.
const TIMEOUT_CHECK: SimDuration = SimDuration::from_secs(10);
/// Transactional ids of one cluster; further ones are refused.
const IDS_MAX: usize = 100_000;

/// All transactional ids of a cluster.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Coordinator {
    ids: BTreeMap<Arc<str>, Entry>,
    producers: u64,
    /// Transactions that wait for markers.
    ending: usize,
    /// When transactions are looked at for their age, and markers for being missing.
    check_at: Option<SimTime>,
    retry_at: Option<SimTime>,
    committed: u64,
    aborted: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    stamp: ProducerStamp,
    timeout: SimDuration,
    /// The coordinator's node.
    node: u32,
    state: State,
    /// How the last transaction ended, and with which stamp it was told so: a repeated call gets the same answer.
    last_end: Option<(ProducerStamp, bool)>,
    partitions: BTreeSet<(usize, u32)>,
    groups: BTreeSet<GroupIx>,
}

#[derive(Clone, Debug)]
enum State {
    Idle,
    Ongoing { since: SimTime },
    Ending(Ending),
}

/// A decided transaction whose markers are not all on every replica in sync.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    id: Arc<str>,
    pub node: u32,
    pub producer: u64,
    pub epoch: u16,
    pub commit: bool,
    /// Partitions, with the offset of the marker once it is written.
    partitions: BTreeMap<(usize, u32), Option<u64>>,
    pub groups: BTreeSet<GroupIx>,
}

impl Ending {
    pub fn partitions_without_marker(&self) -> Vec<(usize, u32)> {
        self.partitions.iter().filter(|(_, marker)| marker.is_none()).map(|(at, _)| *at).collect()
    }
    pub fn marked(&mut self, at: (usize, u32), offset: u64) {
        self.partitions.insert(at, Some(offset));
    }
    /// Forgets partitions whose marker can no longer be lost.
    pub fn drop_replicated(&mut self, replicated: impl Fn((usize, u32), u64) -> bool) {
        self.partitions.retain(|at, marker| marker.is_none_or(|offset| !replicated(*at, offset)));
    }
}

/// `Utils.abs(transactionalId.hashCode) % 50`: the partition of the transaction log that holds an id.
pub(in super::super) fn log_partition(id: &str) -> u32 {
    let hash = id.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    (hash & i32::MAX) as u32 % LOG_PARTITIONS
}

impl Coordinator {
    /// `InitProducerId`. While a transaction must first be aborted the caller has to come again.
    pub fn init(&mut self, now: SimTime, id: &str, node: u32, timeout: SimDuration) -> Result<ProducerStamp, BrokerError> {
        let Some(entry) = self.ids.get_mut(id) else {
            if self.ids.len() >= IDS_MAX {
                return Err(BrokerError::BrokerNotAvailable);
            }
            self.producers += 1;
            let stamp = ProducerStamp { id: self.producers, epoch: 0 };
            let (partitions, groups) = (BTreeSet::new(), BTreeSet::new());
            let entry = Entry { stamp, timeout, node, state: State::Idle, last_end: None, partitions, groups };
            self.ids.insert(Arc::from(id), entry);
            return Ok(stamp);
        };
        match entry.state {
            State::Ending(_) => Err(BrokerError::ConcurrentTransactions),
            State::Ongoing { .. } => {
                self.decide(now, id, false);
                Err(BrokerError::ConcurrentTransactions)
            }
            State::Idle => {
                entry.timeout = timeout;
                entry.last_end = None;
                entry.stamp = next_stamp(entry.stamp, &mut self.producers);
                Ok(entry.stamp)
            }
        }
    }

    pub fn add_partitions(
        &mut self,
        now: SimTime,
        id: &str,
        stamp: ProducerStamp,
        places: &[(usize, u32)],
    ) -> Result<ProducerStamp, BrokerError> {
        let entry = self.begun(now, id, stamp)?;
        entry.partitions.extend(places);
        Ok(stamp)
    }

    pub fn add_group(&mut self, now: SimTime, id: &str, stamp: ProducerStamp, group: GroupIx) -> Result<ProducerStamp, BrokerError> {
        let entry = self.begun(now, id, stamp)?;
        entry.groups.insert(group);
        Ok(stamp)
    }

    /// The transaction of an id, begun if it was not.
    fn begun(&mut self, now: SimTime, id: &str, stamp: ProducerStamp) -> Result<&mut Entry, BrokerError> {
        let entry = self.ids.get_mut(id).ok_or(BrokerError::InvalidProducerIdMapping)?;
        entry.admit(stamp)?;
        match entry.state {
            State::Ending(_) => return Err(BrokerError::ConcurrentTransactions),
            State::Ongoing { .. } => {}
            State::Idle => {
                entry.state = State::Ongoing { since: now };
                self.check_at.get_or_insert(now + TIMEOUT_CHECK);
            }
        }
        Ok(entry)
    }

    /// Whether a batch belongs to the open transaction of its id (what a leader asks since KIP-890).
    pub fn verify(&self, id: &str, stamp: ProducerStamp, at: (usize, u32)) -> Result<(), BrokerError> {
        let entry = self.ids.get(id).ok_or(BrokerError::InvalidProducerIdMapping)?;
        entry.admit(stamp).map_err(|_| BrokerError::InvalidProducerEpoch)?;
        let belongs = matches!(entry.state, State::Ongoing { .. }) && entry.partitions.contains(&at);
        if belongs { Ok(()) } else { Err(BrokerError::InvalidTxnState) }
    }

    /// The same for positions of a group.
    pub fn verify_group(&self, id: &str, stamp: ProducerStamp, group: GroupIx) -> Result<(), BrokerError> {
        let entry = self.ids.get(id).ok_or(BrokerError::InvalidProducerIdMapping)?;
        entry.admit(stamp)?;
        let belongs = matches!(entry.state, State::Ongoing { .. }) && entry.groups.contains(&group);
        if belongs { Ok(()) } else { Err(BrokerError::InvalidTxnState) }
    }

    /// `EndTxn`: from here on the transaction is decided.
    pub fn end(&mut self, now: SimTime, id: &str, stamp: ProducerStamp, commit: bool) -> Result<ProducerStamp, BrokerError> {
        let entry = self.ids.get_mut(id).ok_or(BrokerError::InvalidProducerIdMapping)?;
        if entry.last_end == Some((stamp, commit)) {
            return Ok(entry.stamp);
        }
        entry.admit(stamp)?;
        if !matches!(entry.state, State::Ongoing { .. }) {
            return Err(BrokerError::InvalidTxnState);
        }
        self.decide(now, id, commit);
        let entry = self.ids.get_mut(id).expect("it was there a moment ago");
        entry.last_end = Some((stamp, commit));
        Ok(entry.stamp)
    }

    /// PREPARE: the epoch grows, markers are to be written.
    fn decide(&mut self, now: SimTime, id: &str, commit: bool) {
        let Some((id, _)) = self.ids.get_key_value(id) else { return };
        let id = Arc::clone(id);
        let entry = self.ids.get_mut(&id).expect("it was there a moment ago");
        let ProducerStamp { id: producer, epoch } = entry.stamp;
        entry.stamp = next_stamp(entry.stamp, &mut self.producers);
        entry.last_end = None;
        let partitions = std::mem::take(&mut entry.partitions).into_iter().map(|at| (at, None)).collect();
        let groups = std::mem::take(&mut entry.groups);
        entry.state = State::Ending(Ending { id, node: entry.node, producer, epoch, commit, partitions, groups });
        self.ending += 1;
        self.retry_at.get_or_insert(now + MARKER_RETRY);
        *(if commit { &mut self.committed } else { &mut self.aborted }) += 1;
    }

    /// Whether some transaction waits for its markers.
    pub fn is_ending(&self) -> bool {
        self.ending > 0
    }

    /// The transactions that wait for markers; each must be [put back](Self::put_back).
    pub(super) fn take_ending(&mut self) -> Vec<Ending> {
        if self.ending == 0 {
            return Vec::new();
        }
        self.ending = 0;
        let ending = self.ids.values_mut().filter_map(|entry| match &entry.state {
            State::Ending(ending) => {
                let ending = Ending { node: entry.node, ..ending.clone() };
                entry.state = State::Idle;
                Some(ending)
            }
            State::Idle | State::Ongoing { .. } => None,
        });
        ending.collect()
    }

    /// Completes a transaction that waits for nothing more.
    pub(super) fn put_back(&mut self, now: SimTime, ending: Ending) {
        if ending.partitions.is_empty() && ending.groups.is_empty() {
            return;
        }
        if let Some(entry) = self.ids.get_mut(&ending.id) {
            entry.state = State::Ending(ending);
            self.ending += 1;
            self.retry_at.get_or_insert(now + MARKER_RETRY);
        }
    }

    /// A partition's log was cut: markers from this offset on are gone.
    pub fn forget_markers(&mut self, at: (usize, u32), from: u64) {
        for entry in self.ids.values_mut() {
            if let State::Ending(ending) = &mut entry.state
                && let Some(marker) = ending.partitions.get_mut(&at)
            {
                *marker = marker.filter(|offset| *offset < from);
            }
        }
    }

    /// When [`Self::time_out`] has something to do.
    pub fn next_deadline(&self) -> Option<SimTime> {
        [self.check_at, self.retry_at].into_iter().flatten().min()
    }

    /// Aborts transactions that are older than their timeout allows; true when there are markers to write.
    pub fn time_out(&mut self, now: SimTime, serves: impl Fn(u32) -> bool) -> bool {
        if self.check_at.is_some_and(|at| at <= now) {
            let open = || self.ids.iter().filter_map(|(id, entry)| matches!(entry.state, State::Ongoing { .. }).then_some((id, entry)));
            self.check_at = open().next().map(|_| now + TIMEOUT_CHECK);
            let old = |entry: &Entry| matches!(entry.state, State::Ongoing { since } if since + entry.timeout <= now);
            let over: Vec<Arc<str>> = open().filter(|(_, entry)| old(entry) && serves(entry.node)).map(|(id, _)| Arc::clone(id)).collect();
            for id in over {
                self.decide(now, &id, false);
            }
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
        }
        self.is_ending()
    }

    /// The coordinator's node of a known id.
    pub fn node_of(&self, id: &str) -> Option<u32> {
        self.ids.get(id).map(|entry| entry.node)
    }

    /// Asks for each id at which node it goes on.
    pub fn move_from(&mut self, goes_on: impl Fn(&str, u32) -> u32) {
        for (id, entry) in &mut self.ids {
            entry.node = goes_on(id, entry.node);
        }
    }

    pub fn figures(&self) -> TransactionFigures {
        let open = self.ids.values().filter(|entry| !matches!(entry.state, State::Idle)).count() as u64;
        TransactionFigures { ids: self.ids.len() as u64, open, committed: self.committed, aborted: self.aborted }
    }
}

impl Entry {
    /// Refuses whom another producer, or the transaction's own age, has fenced.
    fn admit(&self, stamp: ProducerStamp) -> Result<(), BrokerError> {
        if stamp == self.stamp { Ok(()) } else { Err(BrokerError::ProducerFenced) }
    }
}

/// The next epoch, or a new id where epochs are used up.
fn next_stamp(stamp: ProducerStamp, producers: &mut u64) -> ProducerStamp {
    if let Some(epoch) = stamp.epoch.checked_add(1) {
        return ProducerStamp { epoch, ..stamp };
    }
    *producers += 1;
    ProducerStamp { id: *producers, epoch: 0 }
}
