//! Exactly once: the results of a poll and the positions after it are one transaction.
//!
//! ```text
//! poll ─► begin ─► work, results… ─► all acknowledged ─► positions, commit ─► the events' ends ─► next poll
//!                                     └ aborted, or fenced ─► back to the group's position, everything again
//! ```
//!
//! Must not know: how transactions are made (`machines::broker::client`). Start at [`Consumer::waits_for_transaction`].

use super::CommitMode;
use super::sim::Consumer;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::Ctx;
use crate::event::{BrokerError, Ended, Fact, OffsetCommit};
use crate::machines::broker::client::{ClientOutput, Finish, ProducerClient, TransactionEnd, TransactionStage};
use crate::units::{ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

/// Ends that wait for word of a crashed instance's transaction; of further ones nothing is ever heard.
const UNDECIDED_MAX: usize = 1_000_000;

/// What an instance's open transaction will have done.
#[derive(Clone, Debug, Default)]
pub(super) struct Transacted {
    /// The assignment that it belongs to.
    epoch: u32,
    ends: Vec<Fact>,
    offsets: Vec<OffsetCommit>,
}

/// Beginning of the transactional ids, and how long a transaction may be open; none where positions are committed otherwise.
pub(super) fn settings(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Option<(String, SimDuration)> {
    let id = params.optional_text("transactional_id").unwrap_or_else(|| ctx.key.to_owned());
    (super::commit_mode(params) == CommitMode::Transaction).then(|| (id, params.duration("transaction_timeout")))
}

/// A transaction is one cluster's: results and positions must be there.
pub(super) fn check(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if super::commit_mode(params) != CommitMode::Transaction {
        for name in ["transactional_id", "transaction_timeout"].into_iter().filter(|name| params.is_given(name)) {
            let unused = Diagnostic::warning("setting-unused", format!("{path}.{name}"), "it counts only with commit: \"transaction\"");
            out.push(unused);
        }
        return;
    }
    let clusters_at = |port| ctx.links_at(port).filter_map(|facts| Some(facts.topic.as_ref()?.cluster)).collect::<Vec<ComponentIx>>();
    let (read, written) = (clusters_at("in"), [clusters_at("results"), clusters_at("events")].concat());
    if written.is_empty() {
        out.push(
            Diagnostic::error("link-missing", format!("{path}.commit"), "there are no results to commit positions with")
                .with_hint(format!("link {}.results to a topic, or commit: \"after\"", ctx.id)),
        );
    } else if read.iter().any(|cluster| *cluster != written[0]) {
        let message = "a transaction is one cluster's: it cannot hold positions of one and results of another";
        out.push(
            Diagnostic::error("transaction-clusters", format!("{path}.commit"), message).with_hint("write results to the cluster it reads"),
        );
    }
}

impl Consumer {
    /// Calls the producing client of an instance and carries out what it wants.
    fn with_transactions<R>(
        &mut self,
        ctx: &mut Ctx<'_>,
        index: usize,
        act: impl FnOnce(&mut ProducerClient, SimTime, &mut ClientOutput) -> R,
    ) -> Option<R> {
        let results = self.results.as_mut()?;
        let mut out = std::mem::take(&mut results.out);
        let given = act(&mut results.writer(index).client, ctx.now, &mut out);
        results.out = out;
        self.results_settled(ctx, index);
        Some(given)
    }

    fn stage(&self, index: usize) -> Option<TransactionStage> {
        self.results.as_ref()?.writers.get(index)?.client.transaction_stage()
    }

    fn fatal_error(&self, index: usize) -> Option<BrokerError> {
        self.results.as_ref()?.writers.get(index)?.client.fatal_error()
    }

    /// An instance begins: whoever wrote under its transactional id before may write no more.
    pub fn start_transactions(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        if self.commit != CommitMode::Transaction {
            return;
        }
        // One that is told to start while it is still on its way out leaves its work behind.
        if self.is_transacting(index) {
            self.crash(ctx, index);
        }
        self.with_transactions(ctx, index, ProducerClient::start_transactions);
    }

    /// Whether a rebalance must wait for a transaction.
    pub fn is_transacting(&self, index: usize) -> bool {
        matches!(self.stage(index), Some(TransactionStage::Open | TransactionStage::Finishing))
    }

    /// Whether nothing can be handed to workers before the transaction has gone on. One whose poll is worked off is
    /// brought to its end.
    pub fn waits_for_transaction(&mut self, ctx: &mut Ctx<'_>, index: usize) -> bool {
        if self.commit != CommitMode::Transaction {
            return false;
        }
        let instance = &self.instances[index];
        match self.stage(index) {
            Some(TransactionStage::Open) if instance.polled > 0 => false,
            Some(TransactionStage::Open) => {
                if instance.busy == 0 {
                    self.finish_transaction(ctx, index);
                }
                true
            }
            stage => stage != Some(TransactionStage::Ready),
        }
    }

    /// Begins the transaction of a poll; false when there can be none now.
    pub fn begin_transaction(&mut self, ctx: &mut Ctx<'_>, index: usize) -> bool {
        let client = &self.instances[index].clients[0];
        if !client.is_settled() {
            return false;
        }
        let epoch = client.epoch();
        if let Some(results) = &mut self.results {
            results.writer(index).transacted = Transacted { epoch, ..Transacted::default() };
        }
        self.with_transactions(ctx, index, ProducerClient::begin_transaction) == Some(true)
    }

    fn finish_transaction(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let client = &self.instances[index].clients[0];
        let positions = client.moved_positions();
        let Some(results) = &mut self.results else { return };
        let transacted = &mut results.writer(index).transacted;
        transacted.offsets = positions.as_ref().map(|positions| positions.offsets.clone()).unwrap_or_default();
        // The assignment is gone, and with it the right to move its positions.
        let finish = if client.is_current(transacted.epoch) { Finish::Commit(positions) } else { Finish::AbortAtOnce };
        self.with_transactions(ctx, index, |client, now, out| client.finish_transaction(now, finish, out));
    }

    /// A transaction has ended: its events have too, or everything since the group's position comes again.
    pub fn transaction_ended(&mut self, ctx: &mut Ctx<'_>, index: usize, end: TransactionEnd) {
        let Some(results) = &mut self.results else { return };
        let Transacted { epoch, ends, offsets } = std::mem::take(&mut results.writer(index).transacted);
        if end == TransactionEnd::Committed {
            ends.into_iter().for_each(|fact| ctx.fact(fact));
            let client = &mut self.instances[index].clients[0];
            if client.is_current(epoch) {
                client.committed_by_transaction(&offsets);
            }
        } else {
            results.writer(index).waiting.clear();
            self.drop_poll(ctx, index);
            self.with_client(ctx, (index, 0), |client, now, out| client.rewind(now, out));
        }
        if end == TransactionEnd::Fenced {
            match self.fatal_error(index) {
                Some(_) => self.be_refused(ctx, index, true),
                None => self.start_transactions(ctx, index),
            }
        }
        self.advance(ctx, index);
    }

    /// Nothing that was handed out in the transaction is worked on any more, late as it may be.
    fn drop_poll(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.abandon_handling(ctx, index);
        self.interrupt_work(ctx, index);
        let instance = &mut self.instances[index];
        instance.inbox.clear();
        self.station.abandon(ctx.now, instance.buffer.len() as u64);
        instance.buffer.clear();
        instance.polled = 0;
    }

    /// Tells that an event has ended: at once, or once its transaction is committed.
    pub fn tell_end(&mut self, ctx: &mut Ctx<'_>, index: usize, fact: Fact) {
        match &mut self.results {
            Some(results) if self.commit == CommitMode::Transaction => results.writer(index).transacted.ends.push(fact),
            _ => ctx.fact(fact),
        }
    }

    /// An instance is gone. Where the end of its transaction was on its way, the group's position will tell.
    pub fn crash_transaction(&mut self, index: usize) {
        let Some(results) = self.results.as_mut().filter(|_| self.commit == CommitMode::Transaction) else { return };
        let writer = results.writer(index);
        let Transacted { ends, .. } = std::mem::take(&mut writer.transacted);
        let is_undecided = writer.client.is_undecided();
        writer.client.stop_transactions();
        if is_undecided {
            results.undecided.extend(ends);
            results.undecided.truncate(UNDECIDED_MAX);
        }
    }

    /// The group goes on at `offset` of a partition: what a crashed instance's transaction had done before it counts.
    pub fn settle_undecided(&mut self, ctx: &mut Ctx<'_>, group: GroupIx, (topic, partition, offset): (TopicIx, u32, u64)) {
        let Some(results) = self.results.as_mut().filter(|results| !results.undecided.is_empty()) else { return };
        let here =
            |fact: &mut Fact| ended_of(fact).is_some_and(|ended| (ended.group, ended.topic, ended.partition) == (group, topic, partition));
        for fact in results.undecided.extract_if(.., here) {
            if ended_of(&fact).is_some_and(|ended| ended.offset < offset) {
                ctx.fact(fact);
            }
        }
    }
}

fn ended_of(fact: &Fact) -> Option<&Ended> {
    match fact {
        Fact::Ended(ended) => Some(ended),
        Fact::EndedWith(with) => Some(&with.0),
        _ => None,
    }
}
