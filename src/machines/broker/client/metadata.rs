//! What a client knows of one topic's partitions and their leaders, and how it asks for news.
//!
//! An error that hints at a moved leader makes the knowledge stale; a stale topic is asked for at one node after
//! another, with backoff between the tries, until a node answers. Kafka's client does so for all of its topics in
//! one request; here each topic asks over its own link. More partitions than before are seen the same way, and so late:
//! mostly when the knowledge is `metadata.max.age.ms` old.
//! Must not know: batches, groups. Start at [`TopicMetadata::suspect`].

use std::sync::Arc;

use super::backoff;
use super::consumer::{ConsumerClient, ConsumerOutput, FetchLane};
use crate::event::{BrokerError, CallId, Message, MetadataReply, MetadataRequest};
use crate::machines::broker::cluster::Leaders;
use crate::units::{SimDuration, SimTime, TopicIx};

/// How a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MetadataConfig {
    pub request_timeout: SimDuration,
    pub retry_backoff: SimDuration,
    pub retry_backoff_max: SimDuration,
}

/// One topic's leaders.
#[derive(Clone, Debug)]
pub(super) struct TopicMetadata {
    pub topic: TopicIx,
    pub link: u16,
    nodes: u32,
    first: Leaders,
    /// Empty until a node has told: then `first` holds.
    told: Vec<Option<u32>>,
    told_at: SimTime,
    stale: bool,
    asked: Option<(CallId, SimTime)>,
    next_node: u32,
    not_before: SimTime,
    failures: u32,
}

impl TopicMetadata {
    pub fn new(topic: TopicIx, link: u16, leaders: Leaders) -> Self {
        Self {
            topic,
            link,
            nodes: leaders.nodes(),
            first: leaders,
            told: Vec::new(),
            told_at: SimTime::ZERO,
            stale: false,
            asked: None,
            next_node: 0,
            not_before: SimTime::ZERO,
            failures: 0,
        }
    }

    /// The node to ask for a partition: its last known leader.
    pub fn leader(&self, partition: u32) -> u32 {
        self.told.get(partition as usize).copied().flatten().unwrap_or_else(|| self.first.of(partition))
    }

    /// How many partitions a node has told of; none before.
    pub fn partitions(&self) -> usize {
        self.told.len()
    }

    /// A client that begins anew knows nothing.
    pub fn begin_anew(&mut self, now: SimTime) {
        (self.stale, self.not_before, self.asked) = (true, now, None);
    }

    /// An answer of `node` says that a leader may have moved; the next node is asked who leads.
    pub fn suspect(&mut self, now: SimTime, node: u32, cfg: MetadataConfig) {
        // A cluster of one node has nobody else to ask for.
        if !self.stale && self.nodes > 1 {
            self.stale = true;
            self.next_node = (node + 1) % self.nodes;
            // News that has just come was no help: leave the cluster some time.
            self.not_before = if self.told_at + cfg.retry_backoff > now && !self.told.is_empty() { now + cfg.retry_backoff } else { now };
        }
    }

    /// Whether the next [`Self::refresh`] makes it stale, or something has.
    pub fn is_old(&self, now: SimTime, age_max: SimDuration) -> bool {
        self.stale || self.told_at + age_max <= now
    }

    /// Knowledge older than `age_max` is asked for again (`metadata.max.age.ms`).
    pub fn refresh(&mut self, now: SimTime, age_max: SimDuration) {
        self.stale = self.is_old(now, age_max);
    }

    /// The request to send now, if one is wanted.
    pub fn ask(&mut self, now: SimTime, call: impl FnOnce() -> CallId, cfg: MetadataConfig) -> Option<MetadataRequest> {
        if let Some((_, deadline)) = self.asked
            && deadline <= now
        {
            self.asked = None;
            self.failed(now, cfg);
        }
        if !self.stale || self.asked.is_some() || self.not_before > now {
            return None;
        }
        let request = MetadataRequest { call: call(), node: self.next_node, topic: self.topic };
        self.asked = Some((request.call, now + cfg.request_timeout));
        Some(request)
    }

    /// A node has answered; the answer is taken if it is to this topic's question. True when leaders are known now.
    pub fn on_reply(&mut self, now: SimTime, reply: &MetadataReply, cfg: MetadataConfig) -> bool {
        if self.asked.is_none_or(|(call, _)| call != reply.call) {
            return false;
        }
        self.asked = None;
        let Ok(leaders) = &reply.leaders else {
            self.failed(now, cfg);
            return false;
        };
        (self.told, self.told_at) = (leaders.clone(), now);
        self.stale = false;
        if leaders.iter().any(Option::is_none) {
            // A partition without a leader will have one: keep asking.
            self.stale = true;
            self.failed(now, cfg);
        } else {
            self.failures = 0;
        }
        true
    }

    /// When [`Self::ask`] has something to do.
    pub fn next_wake(&self) -> SimTime {
        match self.asked {
            Some((_, deadline)) => deadline,
            None if self.stale => self.not_before,
            None => SimTime::MAX,
        }
    }

    fn failed(&mut self, now: SimTime, cfg: MetadataConfig) {
        self.failures += 1;
        self.next_node = (self.next_node + 1) % self.nodes;
        self.not_before = now + backoff(cfg.retry_backoff, cfg.retry_backoff_max, self.failures);
    }
}

/// Whether an error may mean that the leader is another node.
pub(super) fn hints_at_a_new_leader(error: BrokerError) -> bool {
    matches!(error, BrokerError::NotLeaderOrFollower | BrokerError::BrokerNotAvailable | BrokerError::RequestTimedOut)
}

impl ConsumerClient {
    /// A node has said who leads a topic's partitions: fetches of this member go there.
    pub fn on_metadata(&mut self, now: SimTime, reply: &MetadataReply, out: &mut ConsumerOutput) {
        let cfg = self.metadata_config();
        if let Err(error) = reply.leaders
            && error.is_refusal()
        {
            out.refused = Some(error);
        }
        if let Some(place) = self.metadata.iter_mut().position(|metadata| metadata.on_reply(now, reply, cfg)) {
            let topic = self.metadata[place].topic;
            self.learn_partitions(topic, self.metadata[place].partitions() as u32);
            for slot in 0..self.assigned.len() {
                if self.assigned[slot].topic == topic {
                    self.assigned[slot].lane = self.lane_of(place, self.assigned[slot].partition);
                }
            }
        }
        self.rejoin_if_grown(now, out);
        self.ask_for_leaders(now, out);
    }

    fn learn_partitions(&mut self, topic: TopicIx, partitions: u32) {
        if let Some(at) = self.cfg.cluster_topics.iter().position(|known| known.0 == topic && known.1 < partitions) {
            Arc::make_mut(&mut self.cfg.cluster_topics)[at].1 = partitions;
        }
    }

    /// The connection to the leader of a partition, as far as it is known.
    pub(super) fn lane_of(&mut self, place: usize, partition: u32) -> usize {
        let metadata = &self.metadata[place];
        let (link, node) = (metadata.link, metadata.leader(partition));
        self.lane_to(link, node)
    }

    /// The connection to a node.
    pub(super) fn lane_to(&mut self, link: u16, node: u32) -> usize {
        self.lanes.iter().position(|lane| lane.link == link && lane.node == node).unwrap_or_else(|| {
            self.lanes.push(FetchLane::new(link, node));
            self.lanes.len() - 1
        })
    }

    /// Asks anew who leads where that was last told long ago.
    pub(super) fn refresh_leaders(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        for metadata in &mut self.metadata {
            metadata.refresh(now, self.cfg.metadata_age_max);
        }
        self.ask_for_leaders(now, out);
    }

    /// A fetch from this lane failed in a way that a moved leader would explain.
    pub(super) fn suspect(&mut self, now: SimTime, lane: usize) {
        let (cfg, FetchLane { link, node, .. }) = (self.metadata_config(), self.lanes[lane]);
        for metadata in self.metadata.iter_mut().filter(|metadata| metadata.link == link) {
            metadata.suspect(now, node, cfg);
        }
    }

    pub(super) fn ask_for_leaders(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        let cfg = self.metadata_config();
        for metadata in &mut self.metadata {
            let (tag, next_call) = (u64::from(self.cfg.call_tag) << 48, &mut self.next_call);
            let call = || {
                *next_call += 1;
                CallId(tag | *next_call)
            };
            if let Some(request) = metadata.ask(now, call, cfg) {
                out.sends.push((metadata.link, Message::Metadata(Box::new(request))));
            }
        }
    }

    fn metadata_config(&self) -> MetadataConfig {
        let cfg = &self.cfg;
        MetadataConfig { request_timeout: cfg.request_timeout, retry_backoff: cfg.retry_backoff, retry_backoff_max: cfg.retry_backoff_max }
    }
}
