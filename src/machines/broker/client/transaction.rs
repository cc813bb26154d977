//! The transactional producer: begin, write, send positions, commit or abort.
//!
//! ```text
//! Starting ─stamp─► Ready ─begin─► Open ─finish─► Flushing ─► (Offsets) ─► Ending ─► Ready
//!     ▲ restart                                 a newer producer has begun: Fenced, until it is started again
//! ```
//!
//! One call to the coordinator is under way at a time; a partition's first batch waits until the partition is added.
//! Events that come while no transaction takes them wait as for a full buffer. A transaction whose batches could not all
//! be written is aborted, whatever its owner wants. Source: Kafka's TransactionManager (4.0).
//! Must not know: what the positions are of. Start at [`ProducerClient::begin_transaction`].

use std::sync::Arc;

use super::accumulator::ProducerClient;
use super::backoff;
use super::sender::{ClientOutput, Unsent, is_fatal, reason_of};
use crate::event::{
    BrokerError, CallId, EventMeta, GroupOffsets, Message, Outcome, ProducerStamp, Reason, TransactionCall, TransactionReply,
    TransactionRequest,
};
use crate::units::{SimDuration, SimTime};

/// What a fenced producer's events end with.
pub(super) const FENCED_CODE: &str = "fenced";
pub(super) const FENCED: &str = "another producer has begun with this transactional id, or the transaction was open for too long";
/// Pause after `CONCURRENT_TRANSACTIONS` (TransactionManager's ADD_PARTITIONS_RETRY_BACKOFF_MS).
const CONCURRENT_BACKOFF: SimDuration = SimDuration::from_ms(20);

/// A transactional producer's settings; Kafka's names in the comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionConfig {
    /// `transactional.id`.
    pub id: Arc<str>,
    /// `transaction.timeout.ms`.
    pub timeout: SimDuration,
    /// Events that one transaction takes.
    pub events_max: u64,
}

/// What is to become of the open transaction.
#[derive(Clone, Debug)]
pub enum Finish {
    /// All of it counts, with these positions.
    Commit(Option<GroupOffsets>),
    /// None of it counts; what waits is still written first.
    Abort,
    /// None of it counts, and nothing more is written.
    AbortAtOnce,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEnd {
    /// All of it counts.
    Committed,
    /// None of it.
    Aborted,
    /// The same, and the producer may write no more until it is started again.
    Fenced,
}

/// Where a transactional producer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStage {
    /// It has no stamp yet, or no longer.
    Starting,
    /// A transaction can begin.
    Ready,
    /// One takes events.
    Open,
    /// One is on its way to its end.
    Finishing,
    /// Another producer has taken its place.
    Fenced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Stopped,
    Starting,
    Ready,
    Open,
    Flushing { commit: bool },
    AddingOffsets,
    CommittingOffsets,
    Ending { commit: bool },
    Fenced,
}

/// What a producing client keeps of its transactions.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    cfg: TransactionConfig,
    stage: Stage,
    stamp: Option<ProducerStamp>,
    /// Partitions that the coordinator knows of, by slot; and those that it must be told of.
    added: Vec<usize>,
    wanted: Vec<usize>,
    /// Those that it is being told of.
    asked: Vec<usize>,
    offsets: Option<GroupOffsets>,
    events: u64,
    began: SimTime,
    /// A batch of it could not be written.
    spoilt: bool,
    /// An ACL that stood against a part of it.
    refused: Option<BrokerError>,
    fenced: bool,
    /// The coordinator may know of it.
    registered: bool,
    call: Option<(CallId, SimTime)>,
    not_before: SimTime,
    failures: u32,
}

impl Transaction {
    fn new(cfg: TransactionConfig) -> Self {
        Self {
            cfg,
            stage: Stage::Stopped,
            stamp: None,
            added: Vec::new(),
            wanted: Vec::new(),
            asked: Vec::new(),
            offsets: None,
            events: 0,
            began: SimTime::ZERO,
            spoilt: false,
            refused: None,
            fenced: false,
            registered: false,
            call: None,
            not_before: SimTime::ZERO,
            failures: 0,
        }
    }
    pub fn stamp(&self) -> Option<ProducerStamp> {
        self.stamp
    }
    /// Epochs of its partitions count from here: a new stamp's are above all of an older one's.
    pub fn epoch_base(&self) -> u32 {
        self.stamp.map_or(0, |stamp| u32::from(stamp.epoch) << 16)
    }
    pub fn takes_events(&self) -> bool {
        self.stage == Stage::Open && self.events < self.cfg.events_max
    }
    /// An event was put into a batch of a partition.
    pub fn note_event(&mut self, slot: usize) {
        self.events += 1;
        if [&self.added, &self.wanted, &self.asked].iter().all(|slots| !slots.contains(&slot)) {
            self.wanted.push(slot);
        }
    }
    /// Whether batches of a partition may be sent.
    pub fn holds(&self, slot: usize) -> bool {
        self.added.contains(&slot)
    }
    /// A batch was given up.
    pub fn spoil(&mut self, fenced: bool) {
        self.spoilt = true;
        self.fenced |= fenced;
    }
    pub fn next_wake(&self, now: SimTime) -> SimTime {
        match self.call {
            Some((_, deadline)) => deadline,
            None if self.not_before > now => self.not_before,
            None => SimTime::MAX,
        }
    }
    /// Nothing of a transaction is left.
    fn close(&mut self, stage: Stage) {
        self.stage = stage;
        self.added.clear();
        self.wanted.clear();
        self.asked.clear();
        self.offsets = None;
        (self.events, self.failures) = (0, 0);
        (self.spoilt, self.refused, self.registered) = (false, None, false);
    }
}

impl ProducerClient {
    /// The same client, writing in transactions.
    #[must_use]
    pub fn transactional(mut self, cfg: TransactionConfig) -> Self {
        self.transaction = Some(Box::new(Transaction::new(cfg)));
        self
    }

    /// Where its transactions stand; none without.
    #[must_use]
    pub fn transaction_stage(&self) -> Option<TransactionStage> {
        let transaction = self.transaction.as_ref()?;
        Some(match transaction.stage {
            Stage::Stopped | Stage::Starting => TransactionStage::Starting,
            Stage::Ready => TransactionStage::Ready,
            Stage::Open => TransactionStage::Open,
            Stage::Flushing { .. } | Stage::AddingOffsets | Stage::CommittingOffsets | Stage::Ending { .. } => TransactionStage::Finishing,
            Stage::Fenced => TransactionStage::Fenced,
        })
    }

    /// Events of the open transaction, and when it began.
    #[must_use]
    pub fn open_transaction(&self) -> Option<(u64, SimTime)> {
        self.transaction.as_ref().filter(|transaction| transaction.stage == Stage::Open).map(|one| (one.events, one.began))
    }

    /// Whether events wait for a transaction that takes them.
    #[must_use]
    pub fn has_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }

    /// Whether the end of a transaction was asked for and not heard: nobody here knows whether it counts.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.stage == Stage::Ending { commit: true })
    }

    /// `initTransactions`: also what a producer does that was fenced, or whose process begins anew.
    pub fn start_transactions(&mut self, now: SimTime, out: &mut ClientOutput) {
        if let Some(transaction) = &mut self.transaction {
            transaction.close(Stage::Starting);
            (transaction.stamp, transaction.call, transaction.fenced) = (None, None, false);
            transaction.not_before = now;
            self.fatal = None;
        }
        self.drive_transaction(now, out);
    }

    /// The process is gone: calls under way are nobody's.
    pub fn stop_transactions(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.close(Stage::Stopped);
            transaction.call = None;
        }
    }

    /// `beginTransaction`; false when none can begin now. Events that have waited go first.
    pub fn begin_transaction(&mut self, now: SimTime, out: &mut ClientOutput) -> bool {
        let Some(transaction) = self.transaction.as_mut().filter(|transaction| transaction.stage == Stage::Ready) else { return false };
        transaction.stage = Stage::Open;
        transaction.began = now;
        self.settle(now, out);
        self.drive_transaction(now, out);
        true
    }

    /// `commitTransaction` or `abortTransaction`; the output says how it ended, now or later.
    pub fn finish_transaction(&mut self, now: SimTime, finish: Finish, out: &mut ClientOutput) {
        let Some(transaction) = self.transaction.as_mut().filter(|transaction| transaction.stage == Stage::Open) else { return };
        let commit = match finish {
            Finish::Commit(offsets) => {
                transaction.offsets = offsets;
                true
            }
            Finish::Abort => false,
            Finish::AbortAtOnce => {
                transaction.spoilt = true;
                false
            }
        };
        transaction.stage = Stage::Flushing { commit };
        for slot in 0..self.partitions.len() {
            if self.partitions[slot].open.is_some() {
                self.list(slot);
            }
        }
        self.drain_all(now, out);
        self.drive_transaction(now, out);
    }

    /// The coordinator has answered.
    pub fn on_transaction(&mut self, now: SimTime, reply: &TransactionReply, out: &mut ClientOutput) {
        let Some(transaction) = self.transaction.as_mut().filter(|one| one.call.is_some_and(|(call, _)| call == reply.call)) else {
            return;
        };
        transaction.call = None;
        match reply.result {
            Ok(stamp) => {
                transaction.failures = 0;
                self.transaction_went_on(now, stamp, out);
            }
            Err(error) => self.transaction_refused(now, error, out),
        }
        self.drive_transaction(now, out);
    }

    /// Calls without an answer are made again.
    pub(super) fn time_transaction(&mut self, now: SimTime, out: &mut ClientOutput) {
        let over = self.transaction.as_ref().is_some_and(|one| one.call.is_some_and(|(_, deadline)| deadline <= now));
        if over {
            self.transaction_refused(now, BrokerError::RequestTimedOut, out);
        }
        self.drive_transaction(now, out);
    }

    /// What a produce request says of its transaction.
    pub(super) fn transaction_stamp(&self) -> Option<(Arc<str>, ProducerStamp)> {
        let transaction = self.transaction.as_ref()?;
        Some((Arc::clone(&transaction.cfg.id), transaction.stamp?))
    }

    /// Whether the open transaction, if there must be one, has room for another event.
    pub(super) fn takes_more(&self) -> bool {
        self.transaction.as_ref().is_none_or(|transaction| transaction.takes_events())
    }

    pub(super) fn is_ending_transaction(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| matches!(transaction.stage, Stage::Flushing { .. }))
    }

    /// A producer that is fenced, or met a fatal error, takes nothing.
    pub(super) fn refuses_all(&mut self, event: EventMeta, out: &mut ClientOutput) -> bool {
        let fenced = self.transaction.as_ref().is_some_and(|transaction| transaction.stage == Stage::Fenced);
        let refuses = fenced || self.fatal.is_some();
        if refuses {
            self.counts.rejected += 1;
            self.counts.buffered -= 1;
            out.unsent.push(Unsent { event, outcome: Outcome::Rejected, reason: self.end_reason() });
        }
        refuses
    }

    /// The error after which it can do nothing more, if it met one.
    #[must_use]
    pub fn fatal_error(&self) -> Option<BrokerError> {
        self.fatal
    }

    /// A fatal error: everything that waits ends with it.
    pub(super) fn fail_for_good(&mut self, now: SimTime, out: &mut ClientOutput) {
        match &mut self.transaction {
            Some(transaction) => transaction.fenced = true,
            None => self.end_all(now, Outcome::Rejected, &self.end_reason(), out),
        }
    }

    fn end_reason(&self) -> Reason {
        self.fatal.map_or_else(fenced_reason, reason_of)
    }

    /// A call went well.
    fn transaction_went_on(&mut self, now: SimTime, stamp: ProducerStamp, out: &mut ClientOutput) {
        let Some(transaction) = &mut self.transaction else { return };
        match transaction.stage {
            Stage::Starting => {
                self.take_stamp(now, stamp);
                self.close_transaction(Stage::Ready, None, out);
            }
            Stage::Open | Stage::Flushing { .. } => {
                let added = std::mem::take(&mut transaction.asked);
                transaction.added.extend(&added);
                for slot in added {
                    self.list(slot);
                }
                self.drain_all(now, out);
            }
            Stage::AddingOffsets => transaction.stage = Stage::CommittingOffsets,
            Stage::CommittingOffsets => transaction.stage = Stage::Ending { commit: true },
            Stage::Ending { commit } => {
                self.take_stamp(now, stamp);
                let end = if commit { TransactionEnd::Committed } else { TransactionEnd::Aborted };
                self.close_transaction(Stage::Ready, Some(end), out);
            }
            Stage::Stopped | Stage::Ready | Stage::Fenced => {}
        }
    }

    /// Every partition's numbers begin again with a stamp; nothing of the old one waits any more.
    fn take_stamp(&mut self, now: SimTime, stamp: ProducerStamp) {
        let blocked = std::mem::take(&mut self.blocked);
        let left = self.abandon(now, stamp.id);
        debug_assert!(left.is_empty(), "a transaction ends when all of it is written or given up");
        self.counts.buffered = blocked.len() as u64;
        self.blocked = blocked;
        if let Some(transaction) = &mut self.transaction {
            transaction.stamp = Some(stamp);
        }
    }

    fn close_transaction(&mut self, stage: Stage, end: Option<TransactionEnd>, out: &mut ClientOutput) {
        if let Some(transaction) = &mut self.transaction {
            transaction.close(stage);
        }
        out.transaction = end.or(out.transaction);
    }

    /// A call failed: it is made again, or the transaction or the producer is at its end.
    fn transaction_refused(&mut self, now: SimTime, error: BrokerError, out: &mut ClientOutput) {
        let (first, max) = (self.cfg.retry_backoff, self.cfg.retry_backoff_max);
        let Some(transaction) = &mut self.transaction else { return };
        transaction.call = None;
        let asked = std::mem::take(&mut transaction.asked);
        transaction.wanted.extend(asked);
        match error {
            BrokerError::ProducerFenced | BrokerError::InvalidProducerEpoch | BrokerError::InvalidProducerIdMapping => {
                transaction.fenced = true;
            }
            BrokerError::InvalidTxnState if matches!(transaction.stage, Stage::Ending { .. }) => {
                self.close_transaction(Stage::Ready, Some(TransactionEnd::Aborted), out);
            }
            BrokerError::ConcurrentTransactions => transaction.not_before = now + CONCURRENT_BACKOFF,
            BrokerError::BrokerNotAvailable | BrokerError::RequestTimedOut => {
                transaction.failures += 1;
                transaction.not_before = now + backoff(first, max, transaction.failures);
            }
            _ if is_fatal(error) => {
                transaction.fenced = true;
                self.fatal = Some(error);
            }
            // The group has moved on, an ACL refuses, or the coordinator never began the transaction.
            _ => {
                transaction.refused = error.is_refusal().then_some(error);
                transaction.spoilt = true;
                transaction.stage = Stage::Flushing { commit: false };
            }
        }
    }

    /// Does what the transaction needs next.
    pub(super) fn drive_transaction(&mut self, now: SimTime, out: &mut ClientOutput) {
        let Some(transaction) = &self.transaction else { return };
        if transaction.fenced && transaction.stage != Stage::Fenced {
            return self.be_fenced(now, out);
        }
        if transaction.call.is_some() || transaction.not_before > now {
            return;
        }
        if let Stage::Flushing { commit } = transaction.stage {
            if transaction.spoilt {
                self.give_up_unwritten(now, out);
                self.set_stage(Stage::Ending { commit: false });
            } else if transaction.wanted.is_empty() && self.unsent_batches == 0 && self.in_flight() == 0 {
                let with_offsets = commit && self.transaction.as_ref().is_some_and(|one| one.offsets.is_some());
                self.set_stage(if with_offsets { Stage::AddingOffsets } else { Stage::Ending { commit } });
            }
        }
        let Some(transaction) = &self.transaction else { return };
        if let Stage::Ending { commit } = transaction.stage
            && !transaction.registered
        {
            // Nothing was written: the coordinator knows of no transaction.
            let end = if commit { TransactionEnd::Committed } else { TransactionEnd::Aborted };
            return self.close_transaction(Stage::Ready, Some(end), out);
        }
        if let Some(body) = self.next_transaction_call() {
            self.call_coordinator(now, body, out);
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        if let Some(transaction) = &mut self.transaction {
            transaction.stage = stage;
        }
    }

    fn next_transaction_call(&self) -> Option<TransactionCall> {
        let transaction = self.transaction.as_ref()?;
        if transaction.stage == Stage::Starting {
            return Some(TransactionCall::Init { timeout: transaction.cfg.timeout });
        }
        let stamp = transaction.stamp?;
        match transaction.stage {
            Stage::Open | Stage::Flushing { .. } if !transaction.wanted.is_empty() => {
                let place = |slot: &usize| (self.partitions[*slot].topic, self.partitions[*slot].partition);
                Some(TransactionCall::AddPartitions { stamp, partitions: transaction.wanted.iter().map(place).collect() })
            }
            Stage::AddingOffsets => Some(TransactionCall::AddOffsets { stamp, group: transaction.offsets.as_ref()?.group }),
            Stage::CommittingOffsets => Some(TransactionCall::CommitOffsets { stamp, offsets: transaction.offsets.clone()? }),
            Stage::Ending { commit } => Some(TransactionCall::End { stamp, commit }),
            _ => None,
        }
    }

    fn call_coordinator(&mut self, now: SimTime, body: TransactionCall, out: &mut ClientOutput) {
        let Some(link) = self.metadata.first().map(|metadata| metadata.link) else { return };
        let call = CallId(u64::from(self.cfg.call_tag) << 48 | self.next_call);
        self.next_call += 1;
        let deadline = now + self.cfg.request_timeout;
        let Some(transaction) = &mut self.transaction else { return };
        transaction.call = Some((call, deadline));
        transaction.registered |= transaction.stage != Stage::Starting;
        if matches!(body, TransactionCall::AddPartitions { .. }) {
            transaction.asked = std::mem::take(&mut transaction.wanted);
        }
        let id = Arc::clone(&transaction.cfg.id);
        out.sends.push((link, Message::Transaction(Box::new(TransactionRequest { call, id, body }))));
    }

    /// What is not acknowledged will not be: whatever of it stands in a log is aborted.
    fn give_up_unwritten(&mut self, now: SimTime, out: &mut ClientOutput) {
        let blocked = std::mem::take(&mut self.blocked);
        let refused = self.transaction.as_ref().and_then(|transaction| transaction.refused);
        let aborted = || Reason { code: "aborted", detail: Some("its transaction is aborted".into()) };
        let outcome = if refused.is_some() { Outcome::Rejected } else { Outcome::Abandoned };
        self.end_all(now, outcome, &refused.map_or_else(aborted, reason_of), out);
        self.counts.buffered = blocked.len() as u64;
        self.blocked = blocked;
    }

    fn be_fenced(&mut self, now: SimTime, out: &mut ClientOutput) {
        self.end_all(now, Outcome::Rejected, &self.end_reason(), out);
        self.close_transaction(Stage::Fenced, Some(TransactionEnd::Fenced), out);
    }

    fn end_all(&mut self, now: SimTime, outcome: Outcome, reason: &Reason, out: &mut ClientOutput) {
        let gone = self.abandon(now, self.cfg.producer);
        *(if outcome == Outcome::Rejected { &mut self.counts.rejected } else { &mut self.counts.abandoned }) += gone.len() as u64;
        out.unsent.extend(gone.into_iter().map(|(event, _)| Unsent { event, outcome, reason: reason.clone() }));
    }
}

fn fenced_reason() -> Reason {
    Reason { code: FENCED_CODE, detail: Some(FENCED.into()) }
}
