//! Replication and faults of nodes: the rules one by one, then whatever happens against what must hold.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::batch;
use crate::event::{
    Acks, BrokerError, CallId, Fact, FetchPartition, FetchRequest, Message, MetadataRequest, ProduceEntry, ProduceRequest, Truncated,
};
use crate::machines::broker::batch::records;
use crate::machines::broker::cluster::{Caller, Cluster, ClusterConfig, Effects, Replicate, Standing, Timestamps, TopicConfig};
use crate::machines::broker::group::GroupConfig;
use crate::machines::broker::known_bad::KnownBad;
use crate::machines::broker::log::LogConfig;
use crate::machines::broker::{NodeFault, NodeState};
use crate::units::{ComponentIx, SimDuration, SimTime, TopicIx};

const ORDERS: TopicIx = TopicIx(0);
const PRODUCER: Caller = Caller { end: 0, client: ComponentIx(1) };
const CRASH: NodeFault = NodeFault::Crash { disk_lost: false, silent: false };

/// One partition on three nodes, node 0 preferred, and the fetches of followers that are under way.
struct Bench {
    cluster: Cluster,
    now: SimTime,
    fetches: Vec<Replicate>,
    out: Effects,
    sent: u64,
}

impl Bench {
    fn new(min_insync_replicas: u32, unclean_election: bool) -> Self {
        let log = LogConfig {
            segment_bytes: 1_000,
            segment_time: SimDuration::from_secs(3_600),
            retention_time: None,
            retention_bytes: None,
            deletes: true,
            compaction: None,
        };
        let topic = TopicConfig {
            topic: ORDERS,
            name: "orders".into(),
            partitions: 1,
            replication: 3,
            log,
            message_bytes_max: 5_000,
            timestamps: Timestamps::default(),
        };
        let cluster = Cluster::new(ClusterConfig {
            me: ComponentIx(0),
            nodes: 3,
            racks: Vec::new(),
            topics: vec![topic],
            groups: Vec::new(),
            group_config: GroupConfig { initial_rebalance_delay: SimDuration::ZERO, ..GroupConfig::default() },
            min_insync_replicas,
            replica_lag_max: SimDuration::from_secs(30),
            unclean_election,
            session_timeout: SimDuration::from_secs(9),
            imbalance_check: SimDuration::from_secs(300),
            log_memory_bytes_max: 1 << 30,
        });
        Self { cluster, now: SimTime::ZERO, fetches: Vec::new(), out: Effects::default(), sent: 0 }
    }

    /// One turn of the machine; what followers must fetch is kept.
    fn turn(&mut self, act: impl FnOnce(&mut Cluster, SimTime, &mut Effects)) {
        act(&mut self.cluster, self.now, &mut self.out);
        self.fetches.append(&mut self.out.replicate);
    }

    fn standing(&self) -> Standing {
        self.cluster.standings(0).next().expect("there is a partition")
    }
    fn in_sync(&self) -> Vec<u32> {
        self.standing().in_sync.into_iter().filter(|(_, in_sync)| *in_sync).map(|(node, _)| node).collect()
    }
    /// Lets time pass, doing what is due.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + SimDuration::from_secs(seconds);
        while let Some(at) = self.cluster.next_deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.turn(Cluster::on_deadline);
        }
        self.now = end;
    }
    /// All fetches under way end.
    fn fetch_all(&mut self) {
        while !self.fetches.is_empty() {
            let done = self.fetches.remove(0);
            self.turn(|cluster, now, out| cluster.replicated(now, done, out));
        }
    }
    fn fault(&mut self, node: u32, fault: NodeFault) {
        self.turn(|cluster, now, out| cluster.fault(now, node, fault, out).expect("it can happen to the node as it is"));
    }
    /// One record to a node.
    fn produce(&mut self, node: u32, acks: Acks, numbered: Option<u64>) {
        let batch = batch(self.sent, 1, 50, self.now);
        self.sent += 1;
        let epoch = numbered.map(|_| 0);
        let entry = ProduceEntry { topic: ORDERS, partition: 0, batch_seq: numbered.unwrap_or(0), epoch, attempt: 1, batch };
        let request = ProduceRequest { call: CallId(self.sent), node, producer: 0, transaction: None, acks, entries: vec![entry] };
        self.turn(|cluster, now, out| cluster.handle(now, PRODUCER, Message::Produce(Box::new(request)), out));
    }
    fn produce_to_leader(&mut self, acks: Acks) {
        // Nothing reaches a node that is down.
        let is_up = |leader: &u32| self.cluster.node_state(*leader) != NodeState::Down;
        if let Some(leader) = self.standing().leader.filter(is_up) {
            self.produce(leader, acks, None);
        }
    }
    /// Answers to produce requests since the last look: their number and result.
    fn answers(&mut self) -> Vec<(u64, Result<u64, BrokerError>)> {
        let answer = |(_, message): (Caller, Message)| match message {
            Message::ProduceReply(reply) => Some((reply.call.0, reply.results[0].base_offset)),
            _ => None,
        };
        std::mem::take(&mut self.out.replies).into_iter().filter_map(answer).collect()
    }
    fn truncated(&mut self) -> Vec<Truncated> {
        let truncated = |fact| if let Fact::Truncated(truncated) = fact { Some(*truncated) } else { None };
        std::mem::take(&mut self.out.facts).into_iter().filter_map(truncated).collect()
    }
    /// The events below the high watermark, as a reader at the leader gets them.
    fn readable(&self) -> Option<Vec<u64>> {
        let node = self.standing().leader?;
        let partitions = vec![FetchPartition { topic: ORDERS, partition: 0, offset: 0, max_bytes: 1 << 20 }];
        let request = FetchRequest {
            call: CallId(0),
            node,
            rack: None,
            max_wait: SimDuration::ZERO,
            min_bytes: 1,
            max_bytes: 1 << 20,
            isolation: crate::event::Isolation::Uncommitted,
            partitions,
        };
        let mut out = Effects::default();
        self.cluster.clone().handle(self.now, PRODUCER, Message::Fetch(Box::new(request)), &mut out);
        let (_, Message::FetchReply(reply)) = out.replies.pop()? else { return None };
        let batches = reply.partitions.iter().flat_map(|partition| &partition.batches);
        Some(batches.flat_map(|stored| records(&stored.batch).map(|record| record.meta.id.seq).collect::<Vec<_>>()).collect())
    }
}

#[test]
fn a_crash_moves_the_lead_and_cuts_what_nobody_else_had() {
    let mut bench = Bench::new(1, false);
    bench.produce(0, Acks::Leader, None);
    bench.fetch_all();
    bench.produce(0, Acks::Leader, None);
    bench.produce(0, Acks::All, None);
    bench.fault(0, CRASH);
    assert_eq!(bench.answers(), [(1, Ok(0)), (2, Ok(1)), (3, Err(BrokerError::BrokerNotAvailable))], "connections break");
    bench.pass(8);
    assert_eq!(bench.standing().leader, Some(0), "its session is not over");
    bench.pass(1);
    assert_eq!((bench.standing().leader, bench.in_sync()), (Some(1), vec![1, 2]));
    assert_eq!((bench.standing().epoch, bench.standing().log_end, bench.standing().high_watermark), (1, 1, 1));
    let truncated = bench.truncated();
    assert_eq!((truncated.len(), truncated[0].from, &truncated[0].unacknowledged[..]), (1, 1, &[2][..]));
    assert_eq!(truncated[0].reason.detail.as_deref(), Some("node 0 crashed before node 1 had it"));

    bench.produce(1, Acks::Leader, None);
    bench.fault(0, NodeFault::Restart);
    bench.fetch_all();
    assert_eq!((bench.in_sync(), bench.standing().high_watermark), (vec![0, 1, 2], 2), "it has cut its log and caught up");
    assert_eq!(bench.readable(), Some(vec![0, 3]));
    bench.pass(300);
    assert_eq!(bench.standing().leader, Some(0), "the preferred leader leads again");
}

#[test]
fn the_isr_shrinks_by_time_and_acks_all_is_refused() {
    let mut bench = Bench::new(2, false);
    bench.fault(1, NodeFault::Slow(true));
    bench.fault(2, NodeFault::Slow(true));
    bench.produce(0, Acks::All, None);
    bench.pass(25);
    assert_eq!((bench.in_sync(), bench.answers()), (vec![0, 1, 2], vec![]));
    // One follower is late, then the other too: what was appended is there, but too few have it.
    bench.fetches.retain(|fetch| fetch.follower == Some(1));
    bench.fetch_all();
    bench.produce(0, Acks::All, None);
    bench.fetches.clear();
    bench.pass(50);
    assert_eq!(bench.in_sync(), [0]);
    let answers = bench.answers();
    assert_eq!(answers, [(1, Ok(0)), (2, Err(BrokerError::NotEnoughReplicasAfterAppend))]);
    bench.produce(0, Acks::All, None);
    bench.produce(0, Acks::Leader, None);
    assert_eq!(bench.answers(), [(3, Err(BrokerError::NotEnoughReplicas)), (4, Ok(2))]);
}

#[test]
fn only_an_unclean_election_lets_a_replica_lead_that_is_not_in_sync() {
    for unclean in [false, true] {
        let mut bench = Bench::new(1, unclean);
        for node in [1, 2] {
            bench.fault(node, CRASH);
        }
        bench.pass(10);
        bench.produce(0, Acks::All, None);
        assert_eq!((bench.in_sync(), bench.answers()), (vec![0], vec![(1, Ok(0))]));
        bench.fault(0, CRASH);
        bench.fault(1, NodeFault::Restart);
        bench.pass(10);
        if !unclean {
            assert_eq!(bench.standing().leader, None, "offline until node 0 is back");
            bench.produce(1, Acks::All, None);
            assert_eq!(bench.answers(), [(2, Err(BrokerError::NotLeaderOrFollower))]);
            bench.fault(0, NodeFault::Restart);
            assert_eq!((bench.standing().leader, bench.truncated().len()), (Some(0), 0), "and then nothing is lost");
            continue;
        }
        assert_eq!((bench.standing().leader, bench.standing().high_watermark, bench.cluster.elections().1), (Some(1), 0, 1));
        assert_eq!(bench.truncated()[0].unacknowledged, [0u64; 0], "what is cut was acknowledged");
        // The old leader returns while nobody leads: its own log counts again.
        bench.fault(1, CRASH);
        bench.pass(10);
        bench.fault(0, NodeFault::Restart);
        assert_eq!(bench.standing().leader, Some(0));
        let back = bench.out.facts.iter().filter(|fact| matches!(fact, Fact::Appended(appended) if appended.base_offset == 0)).count();
        assert_eq!((back, bench.readable()), (1, Some(vec![0])));
    }
}

#[test]
fn a_leader_that_is_cut_off_takes_what_it_will_lose() {
    let mut bench = Bench::new(1, false);
    bench.fault(0, NodeFault::Isolate);
    bench.produce(0, Acks::Leader, None);
    bench.pass(9);
    assert_eq!((bench.standing().leader, bench.truncated().len()), (Some(1), 1));
    bench.answers();
    bench.produce(0, Acks::Leader, None);
    bench.produce(0, Acks::All, None);
    assert_eq!(bench.answers(), [(2, Ok(1))], "acks=all waits in vain");
    assert!(matches!(&bench.out.facts[..], [Fact::Stranded(stranded)] if stranded.0.base_offset == 1));
    let ask = |bench: &mut Bench, node| {
        let request = MetadataRequest { call: CallId(9), node, topic: ORDERS };
        bench.turn(|cluster, now, out| cluster.handle(now, PRODUCER, Message::Metadata(Box::new(request)), out));
        match bench.out.replies.pop() {
            Some((_, Message::MetadataReply(reply))) => reply.leaders,
            other => panic!("an answer about leaders, not {other:?}"),
        }
    };
    assert_eq!((ask(&mut bench, 0), ask(&mut bench, 2)), (Ok(vec![Some(0)]), Ok(vec![Some(1)])), "it believes to lead");
    bench.fault(0, NodeFault::Rejoin);
    bench.produce(0, Acks::Leader, None);
    assert_eq!(bench.answers().last(), Some(&(4, Err(BrokerError::NotLeaderOrFollower))));
}

#[test]
fn a_controlled_shutdown_loses_nothing() {
    let mut bench = Bench::new(1, false);
    bench.produce(0, Acks::Leader, None);
    bench.produce(0, Acks::All, None);
    bench.fault(0, NodeFault::ShutDown);
    assert_eq!((bench.standing().leader, bench.cluster.node_state(0)), (Some(0), NodeState::Up), "it waits for its successor");
    bench.produce(0, Acks::Leader, None);
    bench.fetch_all();
    assert_eq!((bench.standing().leader, bench.cluster.node_state(0)), (Some(1), NodeState::Down));
    // The second stands, though not yet at every replica: its producer asks the new leader.
    assert_eq!(bench.answers().into_iter().map(|(number, _)| number).collect::<Vec<_>>(), [1, 3, 2]);
    assert_eq!((bench.truncated().len(), bench.readable()), (0, Some(vec![0, 1])));
}

#[test]
fn a_new_leader_knows_what_an_idempotent_producer_had_sent() {
    let mut bench = Bench::new(1, false);
    bench.produce(0, Acks::All, Some(0));
    bench.fetch_all();
    bench.produce(0, Acks::All, Some(1));
    bench.produce(0, Acks::All, Some(2));
    bench.fault(0, CRASH);
    bench.pass(9);
    bench.answers();
    // The first was there already, the second is next, the fourth would leave a gap.
    for number in [0, 3, 1, 2] {
        bench.produce(1, Acks::Leader, Some(number));
    }
    let results: Vec<_> = bench.answers().into_iter().map(|(_, result)| result).collect();
    assert_eq!(results, [Ok(0), Err(BrokerError::OutOfOrderSequence), Ok(1), Ok(2)]);
}

/// What may happen in a random run.
#[derive(Clone, Copy, Debug)]
enum Step {
    Produce(Acks),
    /// The first fetches under way end.
    Fetched(usize),
    Fault(u32, NodeFault),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let disk_lost = false;
    let fault = prop_oneof![
        3 => any::<bool>().prop_map(move |silent| NodeFault::Crash { disk_lost, silent }),
        3 => Just(NodeFault::Restart),
        1 => Just(NodeFault::ShutDown),
        1 => Just(NodeFault::Pause),
        1 => Just(NodeFault::Resume),
        1 => Just(NodeFault::Isolate),
        1 => Just(NodeFault::Rejoin),
        1 => any::<bool>().prop_map(NodeFault::Slow),
        1 => Just(NodeFault::FillDisk),
        1 => Just(NodeFault::FreeDisk),
    ];
    prop_oneof![
        6 => prop_oneof![Just(Acks::Leader), Just(Acks::All)].prop_map(Step::Produce),
        6 => (1usize..6).prop_map(Step::Fetched),
        3 => (0u32..3, fault).prop_map(|(node, fault)| Step::Fault(node, fault)),
        2 => (1u64..15).prop_map(Step::Pass),
    ]
}

/// Runs the steps; the first thing that should not have happened.
fn violation(steps: &[Step], unclean: bool, known_bad: Option<KnownBad>) -> Option<String> {
    let mut bench = Bench::new(1, unclean);
    bench.cluster.known_bad = known_bad;
    let (mut asked_of_all, mut acknowledged) = (BTreeSet::new(), BTreeSet::new());
    let mut leaders = BTreeMap::new();
    let (mut high_watermark, mut epoch, mut seen) = (0, 0, Vec::new());
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Step::Produce(acks) => {
                let before = bench.sent;
                bench.produce_to_leader(acks);
                asked_of_all.extend((acks == Acks::All && bench.sent > before).then_some(bench.sent));
            }
            Step::Fetched(count) => {
                for done in bench.fetches.drain(..count.min(bench.fetches.len())).collect::<Vec<_>>() {
                    bench.turn(|cluster, now, out| cluster.replicated(now, done, out));
                }
            }
            // A fault that cannot happen to the node as it is does not.
            Step::Fault(node, fault) => bench.turn(|cluster, now, out| drop(cluster.fault(now, node, fault, out))),
            Step::Pass(seconds) => bench.pass(seconds),
        }
        let standing = bench.standing();
        let fail = |what: &str| Some(format!("step {number}: {what}: {standing:?}"));
        if standing.high_watermark < high_watermark {
            return fail("the high watermark went back");
        }
        if standing.epoch < epoch {
            return fail("an epoch came back");
        }
        if let Some(leader) = standing.leader
            && *leaders.entry(standing.epoch).or_insert(leader) != leader
        {
            return fail("an epoch has two leaders");
        }
        if standing.high_watermark > standing.log_end || bench.in_sync().is_empty() {
            return fail("the high watermark is beyond the log, or nobody is in sync");
        }
        if let Some(readable) = bench.readable() {
            if readable.len() < seen.len() || readable[..seen.len()] != seen[..] {
                return fail("what a reader saw is gone");
            }
            seen = readable;
            // A call's number is one above its event's.
            let answered = bench.answers().into_iter().filter(|(call, result)| result.is_ok() && asked_of_all.contains(call));
            acknowledged.extend(answered.map(|(call, _)| call - 1));
            if !acknowledged.iter().all(|event| seen.contains(event)) {
                return fail("an acknowledged event is lost");
            }
        }
        (high_watermark, epoch) = (standing.high_watermark, standing.epoch);
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn clean_elections_keep_what_readers_saw(steps in prop::collection::vec(step(), 1..120)) {
        prop_assert_eq!(violation(&steps, false, None), None);
    }
}

/// The property can fail: with unclean elections, and with each known mistake.
#[test]
fn each_promise_can_break() {
    let mistakes = [
        ("what a reader saw is gone", true, None),
        ("an acknowledged event is lost", false, Some(KnownBad::AcknowledgesEarly)),
        ("an epoch has two leaders", false, Some(KnownBad::KeepsTheEpoch)),
        ("the high watermark went back", false, Some(KnownBad::TrustsTheLeaderAlone)),
    ];
    let steps = prop::collection::vec(step(), 120);
    for (promise, unclean, known_bad) in mistakes {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let broken = (0..400).any(|_| {
            let tree = steps.new_tree(&mut runner).expect("the strategy rejects nothing");
            let broken = violation(&proptest::strategy::ValueTree::current(&tree), unclean, known_bad);
            broken.is_some_and(|words| words.contains(promise))
        });
        assert!(broken, "{known_bad:?}, unclean {unclean}: `{promise}` never failed");
    }
}
