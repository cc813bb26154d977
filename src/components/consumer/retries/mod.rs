//! Non-blocking retries: a failed event leaves its partition for a retry topic and is tried again from there.
//!
//! ```text
//! orders ─fails─► orders-retry-0 ─waits, fails─► orders-retry-1 ─waits, fails─► orders-dlt
//!    └─ goes on with the next event meanwhile
//! ```
//!
//! The topics are created beside the one that is read (Spring's `autoCreateTopics`); each has a group of its own, as each is
//! a listener container there. An instance's workers are shared by all of them. A record that is not due yet stands
//! still with its partition: the position is set back to it, and asked for again once it is due. Records are written by key.
//! In: failed events. Out: records in retry topics, ends of obligations. Must not know: why anything failed. Start at
//! [`Retries::next_of`]; names are in `names.rs`.

mod names;
pub(super) mod spec;

use std::collections::BTreeMap;

pub use names::{RetryTopics, Suffix};

use super::intake::{Inbound, Received};
use super::sim::Consumer;
use crate::components::{BuildCtx, Params, PeerTopic};
use crate::engine::Figures;
use crate::event::EventId;
use crate::machines::broker::client::ProducerClient;
use crate::units::{SimDuration, SimTime, TopicIx};

/// Records in retry topics whose headers are known; of further ones only their topic is, and they are due at once.
const HEADERS_MAX: usize = 1_000_000;

/// The headers of a record in a retry topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// `retry_topic-attempts`.
    attempt: u32,
    /// `retry_topic-backoff-timestamp`.
    due: SimTime,
}

/// One topic that it reads, and where its failed events go.
#[derive(Clone, Debug)]
struct Chain {
    /// In order: number of the topic, which of the client's topics, name.
    retries: Vec<(TopicIx, usize, String)>,
    /// Which of the client's topics.
    dead_letters: Option<usize>,
}

/// All retry topics of a consumer.
#[derive(Clone, Debug)]
pub(super) struct Retries {
    attempts: u32,
    /// Before each retry.
    delays: Vec<SimDuration>,
    chains: Vec<Chain>,
    /// Which chain a topic is of, and the try that it is for.
    places: BTreeMap<TopicIx, (usize, u32)>,
    /// What stands in the records themselves, in life.
    headers: BTreeMap<(TopicIx, EventId), Header>,
    pub forwarded: u64,
    waited: u64,
}

/// Where a failed event goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    Retry {
        way: usize,
        topic: TopicIx,
        name: String,
        attempt: u32,
        wait: SimDuration,
    },
    DeadLetters {
        way: usize,
    },
    /// Nowhere: it is given up.
    None,
}

impl Destination {
    /// Which of the client's topics.
    pub fn way(&self) -> Option<usize> {
        match self {
            Self::Retry { way, .. } | Self::DeadLetters { way } => Some(*way),
            Self::None => None,
        }
    }
    /// Whether it is the topic that the event was read from.
    pub fn is_topic(&self, read: TopicIx) -> bool {
        matches!(self, Self::Retry { topic, .. } if *topic == read)
    }
}

impl Retries {
    /// None without retry topics. Puts their topics into the client that writes to them.
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>, client: &mut ProducerClient) -> Option<Self> {
        let retries = spec::read(params)?;
        let mut all = Self {
            attempts: retries.attempts,
            delays: retries.drawn(&mut ctx.stream("retry-waits")),
            chains: Vec::new(),
            places: BTreeMap::new(),
            headers: BTreeMap::new(),
            forwarded: 0,
            waited: 0,
        };
        for facts in ctx.links_at("in") {
            let Some(main) = &facts.topic else { continue };
            let names = retries.names(&main.name);
            let count = retries.topics_count();
            let mut add = |name: &String| {
                let topic = beside(ctx, main, name)?;
                Some((topic.topic, client.add_topic(topic.topic, topic.partitions, topic.leaders, facts.end.0), name.clone()))
            };
            let chain = Chain {
                retries: names[..count].iter().filter_map(&mut add).collect(),
                dead_letters: names.get(count).and_then(&mut add).map(|(_, way, _)| way),
            };
            all.places.insert(main.topic, (all.chains.len(), 1));
            for ((topic, ..), attempt) in chain.retries.iter().zip(2..) {
                all.places.insert(*topic, (all.chains.len(), attempt));
            }
            all.chains.push(chain);
        }
        Some(all)
    }

    /// The try that a record is at.
    pub fn attempt_of(&self, record: &Received) -> u32 {
        let header = self.headers.get(&(record.topic, record.meta.id)).map(|header| header.attempt);
        header.or_else(|| Some(self.places.get(&record.topic)?.1)).unwrap_or(1)
    }

    /// Where an event goes after a failed try; to the dead letters at once when no further try can help.
    pub fn next_of(&self, record: &Received, helps: bool) -> Destination {
        let Some(chain) = self.places.get(&record.topic).and_then(|(chain, _)| self.chains.get(*chain)) else { return Destination::None };
        let attempt = self.attempt_of(record);
        let index = (attempt as usize - 1).min(chain.retries.len().saturating_sub(1));
        if helps
            && attempt < self.attempts
            && let (Some((topic, way, name)), Some(wait)) = (chain.retries.get(index), self.delays.get(attempt as usize - 1))
        {
            return Destination::Retry { way: *way, topic: *topic, name: name.clone(), attempt: attempt + 1, wait: *wait };
        }
        chain.dead_letters.map_or(Destination::None, |way| Destination::DeadLetters { way })
    }

    /// An event sets off for a retry topic.
    pub fn note(&mut self, now: SimTime, event: EventId, to: &Destination) {
        let Destination::Retry { topic, attempt, wait, .. } = to else { return };
        if self.headers.len() < HEADERS_MAX {
            self.headers.insert((*topic, event), Header { attempt: *attempt, due: now + *wait });
        }
    }

    /// A record needs no more work; one that went on to the same topic keeps its new headers.
    pub fn forget(&mut self, topic: TopicIx, event: EventId) {
        self.headers.remove(&(topic, event));
    }

    /// Whether failed events are read from it.
    pub fn is_retry(&self, topic: TopicIx) -> bool {
        self.places.get(&topic).is_some_and(|(_, attempt)| *attempt > 1)
    }

    /// When a record may be tried.
    fn due(&self, topic: TopicIx, event: EventId) -> SimTime {
        self.headers.get(&(topic, event)).map_or(SimTime::ZERO, |header| header.due)
    }

    pub fn figures(&self, out: &mut Figures) {
        out.counter("forwarded_count", self.forwarded);
        out.counter("retry_pauses_count", self.waited);
        out.gauge("retry_waiting", self.headers.len() as f64);
    }
}

/// A topic of the same cluster.
pub(super) fn beside<'a>(ctx: &BuildCtx<'a>, main: &PeerTopic, name: &str) -> Option<&'a PeerTopic> {
    ctx.topics.iter().find(|topic| topic.cluster == main.cluster && *topic.name == *name)
}

impl Consumer {
    /// Whether a record of a retry topic has to wait: its partition is paused until it is due.
    pub(super) fn pauses_for(&mut self, now: SimTime, index: usize, inbound: &Inbound, event: EventId, offset: u64) -> bool {
        let Some(retries) = &mut self.retries else { return false };
        let due = retries.due(inbound.topic, event);
        if due <= now {
            return false;
        }
        retries.waited += 1;
        self.set_back(index, inbound, offset, due);
        true
    }
}
