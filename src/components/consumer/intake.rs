//! From fetched batches to records in the buffer: checksum, decoding, order.

use bytes::Bytes;

use super::from_queue::FromQueue;
use super::schemas::Verdict;
use super::sim::{Consumer, Instance};
use crate::engine::Ctx;
use crate::event::{BrokerError, Ended, EventMeta, Fact, HopKind, ObligationEnd, Reason, RecordBatch, StoredBatch};
use crate::machines::broker::batch::{BatchError, check, compression, opened, records};
use crate::machines::broker::client::{CommitMode, ConsumerClient, FetchedRecords};
use crate::machines::broker::compression::Compression;
use crate::machines::broker::control_of;
use crate::units::{GroupIx, SimDuration, SimTime, TopicIx};

/// More records than this whose commit nobody saw answered are not watched: they stay in flight.
const UNCONFIRMED_MAX: usize = 1_000_000;

/// A batch on its way into the buffer.
#[derive(Clone, Debug)]
pub(super) struct Inbound {
    pub client: usize,
    pub epoch: u32,
    pub slot: usize,
    pub topic: TopicIx,
    pub partition: u32,
    /// Records below this offset are in the buffer already, or were read before.
    from: u64,
    pub stored: StoredBatch,
    checked: bool,
    /// Its transaction was aborted.
    aborted: bool,
}

/// A record in the buffer.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub meta: EventMeta,
    pub client: usize,
    pub epoch: u32,
    pub slot: usize,
    pub topic: TopicIx,
    pub partition: u32,
    pub offset: u64,
    pub arrived: SimTime,
    /// Extra service time of a batch's first record: the batch is unpacked for it.
    pub unpacking: SimDuration,
    /// It deletes its key.
    pub is_tombstone: bool,
    /// Why it cannot be decoded.
    pub refused: Option<Box<Reason>>,
    /// Where a message of a queue came from; the four above say nothing then.
    pub from_queue: Option<Box<FromQueue>>,
    /// The bytes of its batch; payload and key are ranges of them.
    bytes: Bytes,
    value_range: (u32, u32),
    key_range: Option<(u32, u32)>,
}

impl Inbound {
    pub fn of(client: usize, fetched: FetchedRecords) -> impl Iterator<Item = Self> {
        let FetchedRecords { epoch, slot, topic, partition, from, batches, aborted } = fetched;
        batches.into_iter().map(move |stored| {
            let aborted = aborted.contains(&stored.base_offset);
            Self { client, epoch, slot, topic, partition, from, stored, checked: false, aborted }
        })
    }

    /// The first offset that is not in the buffer.
    pub fn first_offset(&self) -> u64 {
        self.from.max(self.stored.base_offset)
    }
}

impl Received {
    /// A message of a queue, with the bytes that hold its payload and its key.
    pub fn from_queue(
        (now, meta): (SimTime, EventMeta),
        (topic, from): (TopicIx, FromQueue),
        (bytes, value_range, key_range): (Bytes, (u32, u32), Option<(u32, u32)>),
    ) -> Self {
        Self {
            meta,
            client: 0,
            epoch: 0,
            slot: 0,
            topic,
            partition: 0,
            offset: from.receipt.number,
            arrived: now,
            unpacking: SimDuration::ZERO,
            is_tombstone: false,
            refused: None,
            from_queue: Some(Box::new(from)),
            bytes,
            value_range,
            key_range,
        }
    }
    pub fn value(&self) -> Bytes {
        self.bytes.slice(self.value_range.0 as usize..self.value_range.1 as usize)
    }
    pub fn key(&self) -> Option<Bytes> {
        self.key_range.map(|(from, to)| self.bytes.slice(from as usize..to as usize))
    }
}

impl Instance {
    /// Whether anything is left that a rebalance must wait for: work under way, or records that a commit covers.
    pub fn works_for(&self, client: usize) -> bool {
        let leaves = |record: &Received| record.client == client && self.clients[client].gives_back(record.epoch, record.slot);
        self.buffer.iter().take(self.polled).chain(&self.pool).any(leaves)
            || (self.busy > 0 && self.workers.iter().any(|worker| worker.work.as_ref().is_some_and(|work| leaves(&work.record))))
    }
}

/// What a codec needs to unpack one KiB on one core of a recent machine (the table in LZ4's README, rounded).
fn unpacking_kib_time(codec: Compression) -> SimDuration {
    SimDuration::from_ns(match codec {
        Compression::None => 0,
        Compression::Gzip => 2_800,
        Compression::Snappy => 700,
        Compression::Lz4 => 300,
        Compression::Zstd => 700,
    })
}

impl Consumer {
    /// Decodes what has come, in order, until a schema must be waited for.
    pub fn take_in(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.take_in_messages(ctx, index);
        while let Some(mut inbound) = self.instances[index].inbox.pop_front() {
            if !self.instances[index].clients[inbound.client].holds(inbound.epoch, inbound.slot) {
                continue;
            }
            if !self.decode(ctx, index, &mut inbound) {
                self.instances[index].inbox.push_front(inbound);
                break;
            }
        }
    }

    /// Puts a batch's records into the buffer; false when one waits for its schema.
    fn decode(&mut self, ctx: &mut Ctx<'_>, index: usize, inbound: &mut Inbound) -> bool {
        let mut unpacking = SimDuration::ZERO;
        if !inbound.checked {
            inbound.checked = true;
            match self.unpack(&mut inbound.stored.batch) {
                Ok(time) => unpacking = time,
                Err(error) => {
                    self.take_corrupt(ctx, index, inbound, &error);
                    return true;
                }
            }
            self.corrupt.sound(inbound.topic, inbound.partition, inbound.stored.next_offset());
        }
        if inbound.aborted || control_of(&inbound.stored.batch).is_some() {
            self.pass_over(ctx, index, inbound);
            return true;
        }
        let bytes = &inbound.stored.batch.bytes;
        let range = |part: &[u8]| {
            let from = part.as_ptr() as usize - bytes.as_ptr() as usize;
            (from as u32, (from + part.len()) as u32)
        };
        let mut count = 0;
        let mut complete = true;
        for record in records(&inbound.stored.batch) {
            let offset = inbound.stored.base_offset + u64::from(record.position);
            if offset < inbound.from {
                continue;
            }
            if self.pauses_for(ctx.now, index, inbound, record.meta.id, offset) {
                break;
            }
            let verdict = match &mut self.reader {
                Some(reader) if !record.is_tombstone => reader.judge(ctx, record.value),
                _ => Verdict::Good,
            };
            let refused = match verdict {
                Verdict::Good => None,
                Verdict::Bad(reason) => Some(Box::new(reason)),
                Verdict::Wait => {
                    inbound.from = offset;
                    complete = false;
                    break;
                }
            };
            count += 1;
            self.instances[index].buffer.push_back(Received {
                meta: record.meta,
                client: inbound.client,
                epoch: inbound.epoch,
                slot: inbound.slot,
                topic: inbound.topic,
                partition: inbound.partition,
                offset,
                arrived: ctx.now,
                unpacking: std::mem::take(&mut unpacking),
                is_tombstone: record.is_tombstone,
                refused,
                from_queue: None,
                bytes: bytes.clone(),
                value_range: range(record.value),
                key_range: record.key.map(range),
            });
        }
        self.station.arrive_many(ctx.now, count);
        complete
    }

    /// A marker, which is no event, or records that a reader of committed ones does not see.
    fn pass_over(&mut self, ctx: &mut Ctx<'_>, index: usize, inbound: &Inbound) {
        let Inbound { client, epoch, slot, topic, partition, from, stored, .. } = inbound;
        for record in records(&stored.batch) {
            let offset = stored.base_offset + u64::from(record.position);
            let (group, end) = (self.group_of(*client), ObligationEnd::Aborted);
            let (component, waited) = (ctx.me, SimDuration::ZERO);
            let (topic, partition, event) = (*topic, *partition, record.meta);
            let reason = Reason { code: "aborted", detail: Some("its transaction was aborted".into()) };
            let ended = Ended { component, group, topic, partition, offset, event, waited, end };
            ctx.fact(Fact::EndedWith(Box::new((ended, reason))));
        }
        for offset in stored.base_offset.max(*from)..stored.next_offset() {
            self.instances[index].clients[*client].done(*epoch, *slot, offset);
        }
    }

    /// Checks a batch and makes its records readable; how long a worker is busy with that.
    fn unpack(&self, batch: &mut RecordBatch) -> Result<SimDuration, BatchError> {
        check(batch)?;
        let codec = compression(batch)?;
        if codec == Compression::None {
            return Ok(SimDuration::ZERO);
        }
        *batch = opened(batch)?.into_owned();
        let per_kib = self.unpacking_time.unwrap_or_else(|| unpacking_kib_time(codec));
        Ok(per_kib.per_kib(batch.bytes.len() as u64))
    }

    /// A rebalance takes partitions of a client: what no poll has handed out goes back to the group. At most
    /// once, the present poll's records are committed and so are still worked on; an instance that is late with its
    /// poll works on as well, because nobody has told it yet.
    pub fn revoke(&mut self, ctx: &mut Ctx<'_>, index: usize, client: usize) {
        let instance = &mut self.instances[index];
        let keep_polled = self.commit == CommitMode::Before || instance.clients[client].is_overdue();
        let member = &instance.clients[client];
        instance.inbox.retain(|inbound| inbound.client != client || member.holds(inbound.epoch, inbound.slot));
        let (before, polled) = (instance.buffer.len(), instance.polled);
        let (mut at, mut polled_left) = (0, 0);
        instance.buffer.retain(|record| {
            let is_polled = at < polled;
            at += 1;
            let keep = record.client != client || (is_polled && keep_polled) || member.holds(record.epoch, record.slot);
            polled_left += usize::from(keep && is_polled);
            keep
        });
        instance.polled = polled_left;
        let dropped = before - instance.buffer.len();
        self.station.abandon(ctx.now, dropped as u64);
    }

    /// At most once: a commit that the present poll's records of a client waited for has ended. Without an answer
    /// (it was forgotten with its generation) nobody knows yet whether they are committed.
    pub fn commit_ended(&mut self, ctx: &mut Ctx<'_>, (index, client): (usize, usize), committed: Option<Result<(), BrokerError>>) {
        let instance = &mut self.instances[index];
        instance.awaiting_commit = instance.clients.iter().any(ConsumerClient::is_committing);
        if committed == Some(Ok(())) {
            return;
        }
        let polled: Vec<Received> = instance.buffer.drain(..instance.polled).collect();
        let (dropped, kept): (Vec<Received>, Vec<Received>) = polled.into_iter().partition(|record| record.client == client);
        instance.polled = kept.len();
        kept.into_iter().rev().for_each(|record| instance.buffer.push_front(record));
        self.station.abandon(ctx.now, dropped.len() as u64);
        if matches!(committed, None | Some(Err(BrokerError::RequestTimedOut))) {
            self.unconfirmed.extend(dropped);
            self.unconfirmed.truncate(UNCONFIRMED_MAX);
        }
    }

    /// The group goes on at `offset` of a partition: what was committed unseen before it is lost, the rest comes again.
    pub fn settle(&mut self, ctx: &mut Ctx<'_>, group: GroupIx, (topic, partition, offset): (TopicIx, u32, u64)) {
        self.settle_undecided(ctx, group, (topic, partition, offset));
        if self.unconfirmed.is_empty() {
            return;
        }
        let (here, elsewhere): (Vec<Received>, Vec<Received>) = std::mem::take(&mut self.unconfirmed)
            .into_iter()
            .partition(|record| self.group_of_record(record) == group && (record.topic, record.partition) == (topic, partition));
        self.unconfirmed = elsewhere;
        for record in here.iter().filter(|record| record.offset < offset) {
            self.lose(
                ctx,
                record,
                Reason { code: "commit-unseen", detail: Some("committed, but its instance never saw the answer".into()) },
            );
        }
    }

    /// An instance is gone: buffer and work with it. What it had committed and not done is lost.
    pub fn crash(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.abandon_handling(ctx, index);
        self.crash_queues(index);
        self.crash_relay(ctx, index);
        self.abandon_results(ctx, index);
        let instance = &mut self.instances[index];
        let committing: Vec<bool> = instance.clients.iter().map(ConsumerClient::is_committing).collect();
        for client in &mut instance.clients {
            client.crash();
        }
        for client in 0..self.template.len() {
            self.note_pauses(ctx.now, index, client);
        }
        let instance = &mut self.instances[index];
        instance.inbox.clear();
        let mut buffer = std::mem::take(&mut instance.buffer);
        let polled = std::mem::take(&mut instance.polled);
        let awaiting_commit = std::mem::take(&mut instance.awaiting_commit);
        let under_way = self.interrupt_work(ctx, index);
        if let Some(handler) = &mut self.handler {
            handler.instance_over(index as u32);
        }
        self.station.abandon(ctx.now, buffer.len() as u64);
        if self.commit == CommitMode::Before {
            buffer.truncate(polled);
            let (unconfirmed, confirmed): (Vec<Received>, Vec<Received>) =
                buffer.into_iter().partition(|record| awaiting_commit && committing[record.client]);
            self.unconfirmed.extend(unconfirmed);
            self.unconfirmed.truncate(UNCONFIRMED_MAX);
            for record in under_way.iter().chain(&confirmed) {
                let detail = "committed before it was processed, then the instance crashed";
                self.lose(ctx, record, Reason { code: "crash", detail: Some(detail.into()) });
            }
        }
    }

    /// Workers drop what they are at, and their pool what waits for them.
    pub fn interrupt_work(&mut self, ctx: &Ctx<'_>, index: usize) -> Vec<Received> {
        let instance = &mut self.instances[index];
        let mut under_way = Vec::new();
        for (number, worker) in (0..).zip(&mut instance.workers) {
            // Timers of a worker's earlier life are stale.
            worker.generation = (worker.generation + 1) & 0xff_ffff;
            if let Some(work) = worker.work.take() {
                instance.free.push(number);
                under_way.push(work.record);
            }
        }
        instance.busy = 0;
        self.letters.retain(|letter| letter.instance != index);
        for _ in &under_way {
            self.station.interrupt(ctx.now);
        }
        self.station.abandon(ctx.now, instance.pool.len() as u64);
        under_way.extend(instance.pool.drain(..));
        under_way
    }

    fn lose(&mut self, ctx: &mut Ctx<'_>, record: &Received, reason: Reason) {
        self.counts.lost += 1;
        let words = format!("lost: {}", reason.detail.as_deref().unwrap_or(reason.code));
        self.hop(ctx, record, HopKind::Lost, ctx.now, words);
        let ended = self.ended(ctx, record, ctx.now, ObligationEnd::Lost);
        ctx.fact(Fact::EndedWith(Box::new((ended, reason))));
    }
}
