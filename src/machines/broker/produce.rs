//! Produce requests at the node that they were sent to: checks, the append, who must have it before the answer.
//!
//! A node that no longer leads says so, unless it is cut off and does not know: then it takes batches as before, and
//! what it acknowledges is lost. Start at [`Cluster::produce`].

use super::batch;
use super::cluster::{Caller, Cluster, Effects, Timestamps};
use super::known_bad::KnownBad;
use super::partition::Partition;
use crate::event::{
    Acks, Appended, BrokerError, Fact, Message, Outcome, ProduceEntry, ProduceReply, ProduceRequest, ProduceResult, ProducerStamp, Reason,
    RecordBatch, Settled,
};
use crate::units::{ComponentIx, SimDuration, SimTime, Timestamp, TopicIx};

/// acks=all requests wait this long for replicas, at most (Kafka waits for the client's `request.timeout`).
const ACKNOWLEDGE_MAX: SimDuration = SimDuration::from_secs(30);

/// An acks=all request whose batches are not on every replica in sync.
#[derive(Clone, Debug)]
pub(super) struct Unacked {
    pub caller: Caller,
    pub node: u32,
    pub since: SimTime,
    pub reply: ProduceReply,
    /// (topic place, partition, offset that the high watermark must reach).
    pub needs: Vec<(usize, u32, u64)>,
}

/// What the batches of a request have in common.
#[derive(Clone, Copy, Debug)]
struct Sent<'a> {
    caller: Caller,
    node: u32,
    producer: u64,
    transaction: Option<(&'a str, ProducerStamp)>,
    acks: Acks,
}

impl Unacked {
    /// The answer for one partition is an error after all.
    pub fn fail(&mut self, (topic, partition): (TopicIx, u32), error: BrokerError) {
        let results = self.reply.results.iter_mut();
        for result in results.filter(|result| (result.topic, result.partition) == (topic, partition)) {
            result.base_offset = Err(error);
        }
    }
}

impl Cluster {
    pub(super) fn produce(&mut self, now: SimTime, caller: Caller, request: ProduceRequest, out: &mut Effects) {
        let ProduceRequest { call, node, producer, transaction, acks, entries } = request;
        let transaction = transaction.as_ref().map(|(id, stamp)| (&**id, *stamp));
        let sent = Sent { caller, node, producer, transaction, acks };
        let mut results = Vec::with_capacity(entries.len());
        let mut needs = Vec::new();
        let mut failed = false;
        for entry in entries {
            let (topic, partition) = (entry.topic, entry.partition);
            let unacknowledged = (acks == Acks::None).then(|| entry.batch.clone());
            let may = self.may_produce(caller, topic, transaction.map(|(id, _)| id), entry.epoch.is_some());
            let base_offset = match self.screened(may).and_then(|()| self.append(now, sent, entry, out)) {
                Ok((place, base_offset, next)) => {
                    let is_on_all = self.partitions[place][partition as usize].high_watermark >= next;
                    if acks == Acks::All && !is_on_all && !self.errs(KnownBad::AcknowledgesEarly) {
                        needs.push((place, partition, next));
                    }
                    Ok(base_offset)
                }
                Err(error) => {
                    let gone = unacknowledged.iter().flat_map(|batch| dropped(self.cfg.me, batch, "it was refused"));
                    out.facts.extend(gone);
                    Err(error)
                }
            };
            failed |= base_offset.is_err();
            results.push(ProduceResult { topic, partition, base_offset });
        }
        // Without acks only a failure is seen: Kafka then closes the connection, so that the client asks who leads.
        if acks == Acks::None && !failed {
            return;
        }
        let reply = ProduceReply { call, results };
        if needs.is_empty() {
            out.replies.push((caller, Message::ProduceReply(Box::new(reply))));
        } else {
            self.unacked.push(Unacked { caller, node, since: now, reply, needs });
        }
    }

    /// (place of the topic, base offset, next offset) of the batch in the log.
    fn append(&mut self, now: SimTime, sent: Sent<'_>, entry: ProduceEntry, out: &mut Effects) -> Result<(usize, u64, u64), BrokerError> {
        let Sent { caller, node, producer, transaction, acks } = sent;
        let place = self.place(entry.topic).ok_or(BrokerError::UnknownTopicOrPartition)?;
        let topic = &self.cfg.topics[place];
        let partition = self.partitions[place].get_mut(entry.partition as usize).ok_or(BrokerError::UnknownTopicOrPartition)?;
        if partition.replicas.leader != Some(node) || partition.replicas.handing_over.is_some() {
            return self.append_deposed(sent, place, entry, out);
        }
        if self.nodes[node as usize].disk_full {
            // It leads on only because there is no controller to name another.
            return Err(BrokerError::StorageError);
        }
        if acks == Acks::All && partition.replicas.in_sync.len() < self.cfg.min_insync_replicas as usize {
            return Err(BrokerError::NotEnoughReplicas);
        }
        if u64::from(entry.batch.wire_bytes) > topic.message_bytes_max {
            return Err(BrokerError::RecordTooLarge);
        }
        if let Some((id, stamp)) = transaction {
            self.transactions.verify(id, stamp, (place, entry.partition))?;
        }
        let readable = batch::validated(&entry.batch).map_err(|_| BrokerError::CorruptMessage)?;
        if topic.log.compaction.is_some() && !batch::is_keyed(&readable) {
            return Err(BrokerError::InvalidRecord);
        }
        let shown = self.clock.read(now);
        let stamped = timed(&entry.batch, topic.timestamps, shown)?;
        let count = u64::from(entry.batch.record_count);
        if let Some(epoch) = entry.epoch
            && let Some(offset) = partition.known((caller.client, producer), epoch, entry.batch_seq)?
        {
            return Ok((place, offset, offset + count));
        }
        if self.log_memory_bytes >= self.cfg.log_memory_bytes_max {
            self.storage_full += 1;
            return Err(BrokerError::StorageError);
        }
        let bytes = u64::from(entry.batch.wire_bytes);
        let memory_before = partition.log.memory_bytes();
        let (base_offset, rolled) = partition.log.append(now, stamped.clone());
        if let Some(epoch) = entry.epoch {
            partition.remember((caller.client, producer), epoch, entry.batch_seq, base_offset);
        }
        if let Some((_, stamp)) = transaction {
            partition.transactions.appended(stamp.id, base_offset);
        }
        partition.appended += count;
        out.facts.push(Fact::Appended(Box::new(Appended {
            cluster: self.cfg.me,
            topic: entry.topic,
            partition: entry.partition,
            base_offset,
            client: caller.client,
            attempt: entry.attempt,
            batch: stamped,
        })));
        if rolled && let Some(log_start) = partition.log.retain(shown, partition.high_watermark) {
            partition.transactions.retain(log_start);
            out.facts.push(Fact::LogStart { topic: entry.topic, partition: entry.partition, log_start });
        }
        self.log_memory_bytes = self.log_memory_bytes + partition.log.memory_bytes() - memory_before;
        self.spread(now, (place, entry.partition), base_offset, bytes, acks, out);
        Ok((place, base_offset, base_offset + count))
    }

    /// A node that does not lead is asked to append. One that is cut off and believes to lead does so, and what it
    /// acknowledges stands in no log that counts.
    fn append_deposed(
        &mut self,
        Sent { caller, node, acks, .. }: Sent<'_>,
        place: usize,
        entry: ProduceEntry,
        out: &mut Effects,
    ) -> Result<(usize, u64, u64), BrokerError> {
        let replicas = &mut self.partitions[place][entry.partition as usize].replicas;
        let deposed = replicas.of_mut(node).and_then(|replica| replica.deposed.as_mut()).ok_or(BrokerError::NotLeaderOrFollower)?;
        if acks == Acks::All {
            // It waits for its followers in vain; what is never acknowledged need not be kept.
            return Ok((place, deposed.next_offset, u64::MAX));
        }
        batch::validated(&entry.batch).map_err(|_| BrokerError::CorruptMessage)?;
        let base_offset = deposed.next_offset;
        deposed.next_offset += u64::from(entry.batch.record_count);
        let next = deposed.next_offset;
        let detail = format!("taken by node {node}, which was cut off and led no more");
        let reason = Reason { code: "stranded", detail: Some(detail.into()) };
        let appended = Appended {
            cluster: self.cfg.me,
            topic: entry.topic,
            partition: entry.partition,
            base_offset,
            client: caller.client,
            attempt: entry.attempt,
            batch: entry.batch,
        };
        out.facts.push(Fact::Stranded(Box::new((appended, reason))));
        Ok((place, base_offset, next))
    }

    /// Requests that have waited too long for replicas.
    pub(super) fn time_out_unacked(&mut self, now: SimTime, out: &mut Effects) {
        self.fail_unacked(BrokerError::RequestTimedOut, |_, unacked| unacked.since + ACKNOWLEDGE_MAX <= now, out);
    }

    /// Answers those acks=all requests with an error.
    pub(super) fn fail_unacked(&mut self, error: BrokerError, which: impl Fn(&[Vec<Partition>], &Unacked) -> bool, out: &mut Effects) {
        for mut unacked in self.unacked.extract_if(.., |unacked| which(&self.partitions, unacked)) {
            for (topic, partition, _) in std::mem::take(&mut unacked.needs) {
                unacked.fail((self.cfg.topics[topic].topic, partition), error);
            }
            out.replies.push((unacked.caller, Message::ProduceReply(Box::new(unacked.reply))));
        }
    }
}

/// A batch as the topic's rule for timestamps lets it in, by what the leader's clock shows.
fn timed(batch: &RecordBatch, rule: Timestamps, shown: Timestamp) -> Result<RecordBatch, BrokerError> {
    match rule {
        Timestamps::LogAppend => Ok(batch::stamped_by_log(batch, shown)),
        Timestamps::Create { before_max, after_max } => {
            let is_too_old = before_max.is_some_and(|most| shown.since(batch::first_timestamp(batch)) > most);
            let is_too_new = batch.max_timestamp.since(shown) > after_max;
            if is_too_old || is_too_new { Err(BrokerError::InvalidTimestamp) } else { Ok(batch.clone()) }
        }
    }
}

/// Events of a batch that was sent without acknowledgement and did not arrive: nobody will send them again.
pub fn dropped(cluster: ComponentIx, batch: &RecordBatch, why: &str) -> Vec<Fact> {
    let settled = |event| {
        let reason = Reason { code: "unacknowledged", detail: Some(format!("sent with acks=0, and {why}").into()) };
        Fact::Settled(Box::new(Settled { event, at: cluster, outcome: Outcome::Dropped, reason }))
    };
    batch::events(batch).into_iter().map(settled).collect()
}
