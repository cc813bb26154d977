//! The producing client: events in, batches out, each event accounted for exactly once.
//!
//! `push` puts an event into the open batch of its partition. A batch leaves when it is full, when `linger` is
//! over, or when the buffer is exhausted; while all `max.in.flight` requests of its lane are under way it stays
//! open and grows, as in Kafka. When the buffer is full, events wait up to `max.block`, then are dropped.
//! What happens after a batch has left is in `sender.rs`. There is no timer per event: ask
//! [`ProducerClient::next_wake`] after every call.

use std::collections::VecDeque;

use super::batches::{OpenBatch, Partition};
use super::metadata::TopicMetadata;
use super::packing::Packing;
use super::sender::{ClientOutput, Lane, Unsent};
use super::sticky::TopicChoice;
use super::transaction::Transaction;
use crate::event::{Acks, BrokerError, EventMeta, Outcome, Reason};
use crate::machines::broker::cluster::Leaders;
use crate::machines::broker::compression::Compression;
use crate::random::Stream;
use crate::units::{Clock, SimDuration, SimTime, TopicIx};

/// More events than this never wait for room in the buffer; the next one is dropped.
pub const BLOCKED_EVENTS_MAX: usize = 100_000;

/// A producing client's settings; Kafka's names in the comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerConfig {
    /// `acks`.
    pub acks: Acks,
    /// `batch.size`.
    pub batch_bytes: u64,
    /// `linger.ms`.
    pub linger: SimDuration,
    /// `buffer.memory`.
    pub buffer_bytes: u64,
    /// `max.block.ms`; zero drops an event at once when the buffer is full.
    pub max_block: SimDuration,
    /// `max.request.size`.
    pub request_bytes_max: u64,
    /// `request.timeout.ms`.
    pub request_timeout: SimDuration,
    /// `delivery.timeout.ms`.
    pub delivery_timeout: SimDuration,
    /// `retries`.
    pub retries_max: u32,
    /// `retry.backoff.ms`.
    pub retry_backoff: SimDuration,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max: SimDuration,
    /// `metadata.max.age.ms`.
    pub metadata_age_max: SimDuration,
    /// `max.in.flight.requests.per.connection`.
    pub in_flight_max: usize,
    /// `enable.idempotence`.
    pub idempotence: bool,
    /// `compression.type`.
    pub compression: Compression,
    /// How long packing takes for each KiB.
    pub compression_kib_time: SimDuration,
    /// Whether acknowledged batches are handed out; a caller that only counts needs none.
    pub report_acks: bool,
    /// Put into the high bytes of every call id, so that several clients of one component do not mix.
    pub call_tag: u16,
    /// `producer.id` among those of its component: what brokers recognise batches by.
    pub producer: u64,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            acks: Acks::All,
            batch_bytes: 16_384,
            linger: SimDuration::from_ms(5),
            buffer_bytes: 32 << 20,
            max_block: SimDuration::from_secs(60),
            request_bytes_max: 1 << 20,
            request_timeout: SimDuration::from_secs(30),
            delivery_timeout: SimDuration::from_secs(120),
            retries_max: i32::MAX as u32,
            retry_backoff: SimDuration::from_ms(100),
            retry_backoff_max: SimDuration::from_secs(1),
            metadata_age_max: SimDuration::from_secs(300),
            in_flight_max: 5,
            idempotence: true,
            compression: Compression::None,
            compression_kib_time: SimDuration::ZERO,
            report_acks: false,
            call_tag: 0,
            producer: 0,
        }
    }
}

/// Events by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProducerCounts {
    /// Acknowledged (with acks=0: sent).
    pub acked: u64,
    /// Sent once more.
    pub retried: u64,
    /// Refused for good.
    pub rejected: u64,
    /// No room.
    pub dropped: u64,
    /// Given up after timeouts and retries.
    pub abandoned: u64,
    /// Waiting or under way.
    pub buffered: u64,
}

/// What happened to a pushed event for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// It has joined an open batch; nothing else has changed, [`ProducerClient::next_wake`] included.
    Joined,
    /// It is in a batch, and there may be more to do.
    Buffered,
    /// It waits for room.
    Blocked,
    /// It is over; the output says why.
    Refused,
}

/// What putting an event into a batch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Append {
    /// Made an open batch longer.
    Joined,
    /// Opened a batch, or filled one.
    Changed,
    /// Nothing: the buffer is full.
    NoRoom,
}

/// An event that waits for room.
#[derive(Clone, Debug)]
pub(super) struct Blocked {
    since: SimTime,
    topic: usize,
    pub meta: EventMeta,
    extra_header_bytes: u32,
    traced: bool,
    key: Option<Box<[u8]>>,
    value: Option<Box<[u8]>>,
}

impl Blocked {
    fn event(&self) -> Outgoing<'_> {
        Outgoing {
            meta: self.meta,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            extra_header_bytes: self.extra_header_bytes,
            traced: self.traced,
        }
    }
}

/// An event on its way into a batch.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Which.
    pub meta: EventMeta,
    /// Decides the partition, if there is one.
    pub key: Option<&'a [u8]>,
    /// Payload; none deletes the key (a tombstone).
    pub value: Option<&'a [u8]>,
    /// What its CloudEvents and trace headers add on a wire.
    pub extra_header_bytes: u32,
    /// Whether observers follow it.
    pub traced: bool,
}

impl Outgoing<'_> {
    /// What it takes of a batch, about: lengths and times are a few bytes.
    fn record_bytes(&self) -> u64 {
        const OVERHEAD_BYTES: usize = 12;
        (OVERHEAD_BYTES + self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len)) as u64 + u64::from(self.extra_header_bytes)
    }
}

/// A producing client.
#[derive(Clone, Debug)]
pub struct ProducerClient {
    pub(super) cfg: ProducerConfig,
    pub(super) packing: Packing,
    /// Where events of each topic go.
    topics: Vec<TopicChoice>,
    /// Who leads, by topic.
    pub(super) metadata: Vec<TopicMetadata>,
    pub(super) partitions: Vec<Partition>,
    pub(super) lanes: Vec<Lane>,
    /// Linger deadlines of open batches in order: (instant, partition, serial); stale ones are skipped.
    pub(super) lingering: VecDeque<(SimTime, usize, u64)>,
    pub(super) blocked: VecDeque<Blocked>,
    pub(super) reserved_bytes: u64,
    next_serial: u64,
    pub(super) next_call: u64,
    /// Open or queued batches.
    pub(super) unsent_batches: usize,
    /// No unsent batch expires before this.
    pub(super) next_expiry: SimTime,
    /// Of a transactional producer.
    pub(super) transaction: Option<Box<Transaction>>,
    /// After it nothing is sent until the client begins anew.
    pub(super) fatal: Option<BrokerError>,
    pub(super) counts: ProducerCounts,
    /// What its events are stamped by.
    clock: Clock,
    rng: Stream,
}

impl ProducerClient {
    /// A client without topics.
    #[must_use]
    pub fn new(cfg: ProducerConfig, rng: Stream) -> Self {
        Self {
            packing: Packing::new(cfg.compression, cfg.compression_kib_time),
            cfg,
            topics: Vec::new(),
            metadata: Vec::new(),
            partitions: Vec::new(),
            lanes: Vec::new(),
            lingering: VecDeque::new(),
            blocked: VecDeque::new(),
            reserved_bytes: 0,
            next_serial: 0,
            next_call: 0,
            unsent_batches: 0,
            next_expiry: SimTime::MAX,
            transaction: None,
            fatal: None,
            counts: ProducerCounts::default(),
            clock: Clock::default(),
            rng,
        }
    }

    /// Makes a topic known; requests for it leave over `link`, to each leader its own. Returns its number for
    /// [`Self::push`].
    pub fn add_topic(&mut self, topic: TopicIx, partitions: u32, leaders: Leaders, link: u16) -> usize {
        let place = self.topics.len();
        self.packing.add_topic();
        self.metadata.push(TopicMetadata::new(topic, link, leaders));
        let slots = (0..partitions.max(1)).map(|partition| self.add_partition(place, partition)).collect();
        self.topics.push(TopicChoice::new(slots));
        place
    }

    fn add_partition(&mut self, place: usize, partition: u32) -> usize {
        let metadata = &self.metadata[place];
        let (topic, link, leader) = (metadata.topic, metadata.link, metadata.leader(partition));
        let lane = self.lane(link, leader);
        self.partitions.push(Partition::new((topic, place), partition, lane, self.cfg.compression));
        self.partitions.len() - 1
    }

    /// A topic has so many partitions now; those that are new take events from now on.
    pub(super) fn grow(&mut self, place: usize, partitions: usize) {
        for partition in self.topics[place].partitions()..partitions {
            let slot = self.add_partition(place, partition as u32);
            self.topics[place].grow(slot);
        }
    }

    pub(super) fn lane(&mut self, link: u16, node: u32) -> usize {
        if let Some(lane) = self.lanes.iter().position(|lane| lane.link == link && lane.node == node) {
            return lane;
        }
        self.lanes.push(Lane::new(link, node));
        self.lanes.len() - 1
    }

    /// Settings, to change while running.
    pub fn config_mut(&mut self) -> &mut ProducerConfig {
        &mut self.cfg
    }

    /// Its machine's clock shows something else from now on.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// What its machine's clock shows.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Counters so far.
    #[must_use]
    pub fn counts(&self) -> ProducerCounts {
        self.counts
    }

    /// Packed bytes for each plain one, once a batch was packed.
    #[must_use]
    pub fn compression_ratio(&self) -> Option<f64> {
        self.packing.ratio()
    }

    /// Share of events whose key goes to another partition than before its topic got more of them; none while no topic has.
    #[must_use]
    pub fn moved_keys_ratio(&self) -> Option<f64> {
        let grown = self.topics.iter().filter_map(TopicChoice::moved);
        let (keyed, moved) = grown.map(|one| (one.keyed, one.moved)).reduce(|(keyed, moved), (k, m)| (keyed + k, moved + m))?;
        (keyed > 0).then(|| moved as f64 / keyed as f64)
    }

    /// Produce requests under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lanes.iter().map(|lane| lane.in_flight.len()).sum()
    }

    /// Takes one event for a topic.
    pub fn push(&mut self, now: SimTime, topic: usize, event: &Outgoing<'_>, out: &mut ClientOutput) -> Push {
        let record_bytes = event.record_bytes();
        if record_bytes > self.cfg.request_bytes_max {
            self.counts.rejected += 1;
            let detail = format!("{record_bytes} bytes are more than max.request.size allows");
            out.unsent.push(Unsent {
                event: event.meta,
                outcome: Outcome::Rejected,
                reason: Reason { code: "record-too-large", detail: Some(detail.into()) },
            });
            return Push::Refused;
        }
        self.counts.buffered += 1;
        if self.fatal.is_some() && self.refuses_all(event.meta, out) {
            return Push::Refused;
        }
        if self.blocked.is_empty() {
            match self.append(now, topic, event) {
                Append::Joined if self.lanes.iter().all(|lane| lane.ready.is_empty()) && self.takes_more() => return Push::Joined,
                Append::Joined | Append::Changed => {
                    self.drain_all(now, out);
                    self.drive_transaction(now, out);
                    return Push::Buffered;
                }
                Append::NoRoom => {}
            }
        }
        if self.refuses_all(event.meta, out) {
            return Push::Refused;
        }
        if self.cfg.max_block.is_zero() || self.blocked.len() >= BLOCKED_EVENTS_MAX {
            self.drop_event(&event.meta, "the producer's buffer is full", out);
            return Push::Refused;
        }
        self.blocked.push_back(Blocked {
            since: now,
            topic,
            meta: event.meta,
            extra_header_bytes: event.extra_header_bytes,
            traced: event.traced,
            key: event.key.map(Box::from),
            value: event.value.map(Box::from),
        });
        // An exhausted buffer makes every open batch ready.
        for slot in 0..self.partitions.len() {
            self.list(slot);
        }
        self.drain_all(now, out);
        Push::Blocked
    }

    /// Does what is due: lingered batches, retries, timeouts, expiries.
    pub fn on_wake(&mut self, now: SimTime, out: &mut ClientOutput) {
        while let Some(&(due, slot, serial)) = self.lingering.front() {
            let stale = !self.is_open(slot, serial);
            if !stale && due > now {
                break;
            }
            self.lingering.pop_front();
            if !stale {
                self.list(slot);
            }
        }
        self.time_out(now, out);
        self.ask_for_leaders(now, out);
        self.time_transaction(now, out);
        while self.blocked.front().is_some_and(|waiting| waiting.since + self.cfg.max_block <= now) {
            let waiting = self.blocked.pop_front().expect("there is a first one");
            self.drop_event(&waiting.meta, "the producer's buffer stayed full for max.block", out);
        }
        self.settle(now, out);
    }

    /// When [`Self::on_wake`] has something to do; [`SimTime::MAX`] when nothing is pending.
    pub fn next_wake(&mut self, now: SimTime) -> SimTime {
        while let Some(&(_, slot, serial)) = self.lingering.front() {
            if self.is_open(slot, serial) {
                break;
            }
            self.lingering.pop_front();
        }
        let mut wake = self.lingering.front().map_or(SimTime::MAX, |(due, ..)| *due);
        if let Some(waiting) = self.blocked.front() {
            wake = wake.min(waiting.since + self.cfg.max_block);
        }
        if self.unsent_batches > 0 {
            wake = wake.min(self.next_expiry);
        }
        wake = self.metadata.iter().map(TopicMetadata::next_wake).fold(wake, SimTime::min);
        wake = wake.min(self.transaction.as_ref().map_or(SimTime::MAX, |transaction| transaction.next_wake(now)));
        for lane in &self.lanes {
            if let Some(request) = lane.in_flight.front() {
                wake = wake.min(request.sent + self.cfg.request_timeout);
            }
            if lane.in_flight.len() < self.cfg.in_flight_max {
                for &slot in &lane.ready {
                    let not_before = self.partitions[slot].queue.front().map_or(SimTime::MAX, |batch| batch.not_before);
                    if not_before > now {
                        wake = wake.min(not_before);
                    }
                }
            }
        }
        wake
    }

    /// Lets waiting events in where room has come free, and sends.
    pub(super) fn settle(&mut self, now: SimTime, out: &mut ClientOutput) {
        self.drain_all(now, out);
        while let Some(waiting) = self.blocked.pop_front() {
            if self.append(now, waiting.topic, &waiting.event()) == Append::NoRoom {
                self.blocked.push_front(waiting);
                break;
            }
            self.drain_all(now, out);
        }
    }

    /// Whether the open batch of a partition may leave though it is not full.
    pub(super) fn is_due(&self, slot: usize, now: SimTime) -> bool {
        self.partitions[slot]
            .open
            .as_ref()
            .is_some_and(|open| !self.blocked.is_empty() || self.is_ending_transaction() || open.opened + self.cfg.linger <= now)
    }

    /// Puts a partition on its lane's list of those with work.
    pub(super) fn list(&mut self, slot: usize) {
        let partition = &mut self.partitions[slot];
        if !partition.listed {
            partition.listed = true;
            self.lanes[partition.lane].ready.push_back(slot);
        }
    }

    /// Appends to the open batch, or to a new one if there is room for it in the buffer.
    fn append(&mut self, now: SimTime, topic: usize, event: &Outgoing<'_>) -> Append {
        if !self.takes_more() {
            return Append::NoRoom;
        }
        let record_bytes = event.record_bytes();
        let slot = self.topics[topic].choose(event.key, record_bytes, self.cfg.batch_bytes, &mut self.rng);
        let partition = &mut self.partitions[slot];
        let fits = partition.open.is_some()
            && self.packing.estimated_bytes(topic, partition.builder.wire_bytes()) + record_bytes <= self.cfg.batch_bytes;
        if !fits {
            let sealed = partition.seal(now, &mut self.packing);
            if sealed {
                self.list(slot);
            }
            let reserved_bytes = self.cfg.batch_bytes.max(record_bytes);
            if self.reserved_bytes + reserved_bytes > self.cfg.buffer_bytes && self.unsent_batches + self.in_flight() > 0 {
                return Append::NoRoom;
            }
            self.reserved_bytes += reserved_bytes;
            self.open(now, slot, reserved_bytes);
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.note_event(slot);
        }
        let partition = &mut self.partitions[slot];
        partition.builder.skew_ms = self.clock.ahead_ms(now);
        partition.builder.push_record(&event.meta, event.key, event.value, event.extra_header_bytes, event.traced);
        let full = self.packing.estimated_bytes(topic, partition.builder.wire_bytes()) >= self.cfg.batch_bytes;
        if full {
            partition.seal(now, &mut self.packing);
            self.list(slot);
        }
        if fits && !full { Append::Joined } else { Append::Changed }
    }

    fn open(&mut self, now: SimTime, slot: usize, reserved_bytes: u64) {
        let serial = self.next_serial;
        self.next_serial += 1;
        if self.unsent_batches == 0 {
            self.next_expiry = now + self.cfg.delivery_timeout;
        }
        self.unsent_batches += 1;
        self.partitions[slot].builder.stamp = self.transaction.as_ref().and_then(|transaction| transaction.stamp());
        self.partitions[slot].open = Some(OpenBatch { opened: now, serial, reserved_bytes });
        if self.cfg.linger.is_zero() {
            self.list(slot);
        } else {
            self.lingering.push_back((now + self.cfg.linger, slot, serial));
        }
    }

    fn is_open(&self, slot: usize, serial: u64) -> bool {
        self.partitions[slot].open.as_ref().is_some_and(|open| open.serial == serial)
    }

    fn drop_event(&mut self, meta: &EventMeta, words: &'static str, out: &mut ClientOutput) {
        self.counts.dropped += 1;
        self.counts.buffered -= 1;
        let reason = Reason { code: "buffer-full", detail: Some(words.into()) };
        out.unsent.push(Unsent { event: *meta, outcome: Outcome::Dropped, reason });
    }
}
