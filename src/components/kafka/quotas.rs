//! Quotas of clients: what they may write to a node, and fetch from it, before they are muted.
//!
//! ```text
//! request ─► served, counted ─ too much ─► its connection is muted: further requests wait until the throttle time is over
//! ```
//!
//! Rates are kept by node and client (all instances of a component have one `client.id`), as Kafka's brokers do; a fetch
//! that would exceed its quota is answered empty (`KafkaApis.handleFetchRequest`). Without quotas nothing is counted.
//! Must not know: what requests do. Start at [`Quotas::admit`].

use std::collections::{BTreeMap, VecDeque};

use crate::components::Params;
use crate::engine::Figures;
use crate::event::{CallId, FetchReply, Message};
use crate::machines::broker::cluster::Caller;
use crate::machines::broker::quota::{ByteRate, window_bytes};
use crate::units::{Bytes, ComponentIx, SimDuration, SimTime, UnitError};

/// All quotas of a cluster, and who is muted.
#[derive(Clone, Debug, Default)]
pub(super) struct Quotas {
    produce: Quota,
    fetch: Quota,
    /// Fetches that wait for their answer, and at which node.
    fetches: BTreeMap<(u16, CallId), u32>,
    muted: BTreeMap<Connection, Muted>,
}

/// One direction.
#[derive(Clone, Debug, Default)]
struct Quota {
    bytes_per_s: Option<u64>,
    rates: BTreeMap<(u32, ComponentIx), ByteRate>,
    throttled: u64,
    throttle_time: SimDuration,
}

/// A client's connection to a node. Several instances share a link, and differ by the tag of their calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Connection {
    node: u32,
    end: u16,
    tag: u16,
}

#[derive(Clone, Debug)]
struct Muted {
    until: SimTime,
    held: VecDeque<(Caller, Message)>,
}

/// A connection that was muted: when to call [`Quotas::unmute`], with which number.
pub(super) type Unmute = (SimTime, u64);

impl Connection {
    fn new(node: u32, caller: Caller, call: CallId) -> Self {
        Self { node, end: caller.end, tag: (call.0 >> 48) as u16 }
    }
    fn number(self) -> u64 {
        u64::from(self.node) << 32 | u64::from(self.end) << 16 | u64::from(self.tag)
    }
    fn of_number(number: u64) -> Self {
        Self { node: (number >> 32) as u32, end: (number >> 16) as u16, tag: number as u16 }
    }
}

impl Quota {
    /// How long the client is muted for so many bytes.
    fn record(&mut self, now: SimTime, node: u32, client: ComponentIx, bytes: u64) -> Option<SimDuration> {
        let rate = self.rates.entry((node, client)).or_default();
        let throttle = rate.record(now, bytes, self.bytes_per_s?);
        if throttle.is_zero() {
            return None;
        }
        self.throttled += 1;
        self.throttle_time = self.throttle_time.plus(throttle);
        Some(throttle)
    }
}

impl Quotas {
    pub fn new(params: &Params<'_>) -> Self {
        let quota = |name| Quota { bytes_per_s: params.size(name), ..Quota::default() };
        Self { produce: quota("producer_byte_rate"), fetch: quota("consumer_byte_rate"), ..Self::default() }
    }

    /// Another quota from now on; false if the parameter is none.
    pub fn set(&mut self, param: &str, text: &str) -> Result<bool, String> {
        let quota = match param {
            "producer_byte_rate" => &mut self.produce,
            "consumer_byte_rate" => &mut self.fetch,
            _ => return Ok(false),
        };
        quota.bytes_per_s = Some(text.parse::<Bytes>().map_err(|error: UnitError| error.to_string())?.0);
        Ok(true)
    }

    /// Whether there is anything to look after.
    pub fn is_active(&self) -> bool {
        self.produce.bytes_per_s.is_some() || self.fetch.bytes_per_s.is_some()
    }

    /// A request has come; none if its connection is muted, and it waits.
    pub fn admit(&mut self, node: u32, caller: Caller, mut message: Message) -> Option<Message> {
        let call = match &message {
            Message::Produce(request) => request.call,
            Message::Fetch(request) => request.call,
            _ => return Some(message),
        };
        if let Some(muted) = self.muted.get_mut(&Connection::new(node, caller, call)) {
            muted.held.push_back((caller, message));
            return None;
        }
        if let (Message::Fetch(request), Some(quota)) = (&mut message, self.fetch.bytes_per_s) {
            request.max_bytes = request.max_bytes.min(window_bytes(quota));
            self.fetches.insert((caller.end, call), node);
        }
        Some(message)
    }

    /// A node has served a produce request of so many bytes.
    pub fn produced(&mut self, now: SimTime, node: u32, caller: Caller, (call, bytes): (CallId, u64)) -> Option<Unmute> {
        let throttle = self.produce.record(now, node, caller.client, bytes)?;
        Some(self.mute(now, Connection::new(node, caller, call), throttle))
    }

    /// A fetch is answered: empty, if its client has had too much.
    pub fn fetched(&mut self, now: SimTime, caller: Caller, reply: &mut FetchReply) -> Option<Unmute> {
        let node = self.fetches.remove(&(caller.end, reply.call))?;
        let stored = reply.partitions.iter().flat_map(|partition| &partition.batches);
        let bytes = stored.map(|stored| u64::from(stored.batch.wire_bytes)).sum();
        let throttle = self.fetch.record(now, node, caller.client, bytes)?;
        if let Some(rate) = self.fetch.rates.get_mut(&(node, caller.client)) {
            rate.take_back(bytes);
        }
        reply.partitions.clear();
        Some(self.mute(now, Connection::new(node, caller, reply.call), throttle))
    }

    fn mute(&mut self, now: SimTime, connection: Connection, throttle: SimDuration) -> Unmute {
        let until = now + throttle;
        let muted = self.muted.entry(connection).or_insert_with(|| Muted { until, held: VecDeque::new() });
        muted.until = muted.until.max(until);
        (muted.until, connection.number())
    }

    /// A throttle time may be over: the node, and what has waited for it.
    pub fn unmute(&mut self, now: SimTime, number: u64) -> Option<(u32, VecDeque<(Caller, Message)>)> {
        let connection = Connection::of_number(number);
        if self.muted.get(&connection)?.until > now {
            return None;
        }
        Some((connection.node, self.muted.remove(&connection)?.held))
    }

    pub fn figures(&self, out: &mut Figures) {
        if !self.is_active() {
            return;
        }
        out.gauge("muted_connections", self.muted.len() as f64);
        out.counter("throttled_produces_count", self.produce.throttled);
        out.counter("throttled_fetches_count", self.fetch.throttled);
        out.gauge("produce_throttle_s", self.produce.throttle_time.as_secs_f64());
        out.gauge("fetch_throttle_s", self.fetch.throttle_time.as_secs_f64());
    }
}
