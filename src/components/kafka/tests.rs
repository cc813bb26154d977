//! A cluster alone, as its clients see it: when answers come, and which.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::components::{EndRole, LinkFacts, PeerTopic, PortType, check_params};
use crate::engine::{Ctx, Effect, Figure, Figures, Input, LinkEnd, Outbox, TraceSampling};
use crate::event::{
    Acks, BrokerError, CallId, EventId, EventMeta, FetchPartition, FetchRequest, Message, ProduceEntry, ProduceRequest, RecordBatch,
};
use crate::machines::broker::batch::BatchBuilder;
use crate::machines::broker::cluster::Leaders;
use crate::machines::codec::SchemaLibrary;
use crate::model::{FaultTarget, Project, TimedFault, Value};
use crate::units::{ComponentIx, LinkIx, SimDuration, SimTime, TopicIx};

const ORDERS: TopicIx = TopicIx(0);
const PARTITIONS: u32 = 4;
const NODES: u32 = 2;
const WRITER: LinkEnd = LinkEnd(0);
const OTHER_WRITER: LinkEnd = LinkEnd(1);
const READER: LinkEnd = LinkEnd(2);

/// A running cluster with the topic `orders`, two writers and a reader.
struct Bench {
    process: Box<dyn Process>,
    outbox: Outbox,
    now: SimTime,
    timers: BTreeMap<(SimTime, u64), u64>,
    serial: u64,
    sent: Vec<(SimTime, LinkEnd, Message)>,
    calls: u64,
}

impl Bench {
    fn new(params: Json) -> Self {
        let mut fields = json!({"topics": {"orders": {"partitions": PARTITIONS, "replication": 2}}, "brokers": NODES, "io_threads": 1});
        fields.as_object_mut().expect("fields").extend(params.as_object().expect("fields").clone());
        let values: indexmap::IndexMap<String, Value> = serde_json::from_value(fields).expect("parameters are an object");
        let mut problems = Vec::new();
        check_params("components.shop", spec::SPEC.params, &values, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        let me = ComponentIx(0);
        let topic = PeerTopic {
            topic: ORDERS,
            name: "orders".into(),
            partitions: PARTITIONS,
            leaders: Leaders::new(0, NODES),
            needs_keys: false,
            cluster: me,
        };
        let link = |end: LinkEnd| LinkFacts {
            end,
            link: LinkIx(u32::from(end.0)),
            port: "orders".to_owned(),
            port_ty: PortType::Topic,
            role: EndRole::To,
            peer: ComponentIx(1 + u32::from(end.0)),
            peer_id: "client".to_owned(),
            peer_kind: "any".to_owned(),
            peer_port: "out".to_owned(),
            peer_port_ty: PortType::EventsOut,
            topic: None,
            queue: None,
            pushes: None,
        };
        let ctx = BuildCtx {
            project: &Project::default(),
            id: "shop",
            me,
            key: "shop",
            seed: 1,
            links: &[WRITER, OTHER_WRITER, READER].map(link),
            topics: &[topic],
            groups: &[],
            event_types: &BTreeMap::new(),
            schemas: &Arc::new(SchemaLibrary::default()),
        };
        let process = Kafka.build(&ctx, &Params::new(spec::SPEC.params, None, &values)).expect("it builds");
        let (outbox, timers, sent) = (Outbox::default(), BTreeMap::new(), Vec::new());
        Self { process, outbox, now: SimTime::ZERO, timers, serial: 0, sent, calls: 0 }
    }

    fn turn<T>(&mut self, act: impl FnOnce(&mut dyn Process, &mut Ctx<'_>) -> T) -> T {
        let mut ctx = Ctx { now: self.now, me: ComponentIx(0), tracing: TraceSampling::default(), out: &mut self.outbox };
        let result = act(&mut *self.process, &mut ctx);
        for effect in self.outbox.effects.drain(..) {
            match effect {
                Effect::Send { end, delay, message } => self.sent.push((self.now + delay, end, message)),
                Effect::Timer { at, token } => {
                    self.serial += 1;
                    self.timers.insert((at, self.serial), token);
                }
            }
        }
        result
    }

    /// Timers up to `ms` of virtual time.
    fn run_to(&mut self, ms: u64) {
        let end = SimTime::ZERO + SimDuration::from_ms(ms);
        while let Some((&(at, serial), &token)) = self.timers.first_key_value().filter(|((at, _), _)| *at <= end) {
            self.timers.remove(&(at, serial));
            self.now = at;
            self.turn(|process, ctx| process.on_timer(ctx, token));
        }
        self.now = end;
    }

    fn call(&mut self) -> CallId {
        self.calls += 1;
        CallId(self.calls)
    }

    fn produce(&mut self, end: LinkEnd, acks: Acks, partition: u32, batch: RecordBatch) {
        let entries = vec![ProduceEntry { topic: ORDERS, partition, batch_seq: 0, epoch: None, attempt: 1, batch }];
        let request = ProduceRequest { call: self.call(), node: partition % NODES, producer: 0, transaction: None, acks, entries };
        self.turn(|process, ctx| process.on_message(ctx, end, Message::Produce(Box::new(request))));
    }

    fn fetch(&mut self, partition: u32, offset: u64, max_wait_ms: u64) {
        let partitions = vec![FetchPartition { topic: ORDERS, partition, offset, max_bytes: 1 << 20 }];
        let max_wait = SimDuration::from_ms(max_wait_ms);
        let request = FetchRequest {
            call: self.call(),
            node: partition % NODES,
            rack: None,
            max_wait,
            min_bytes: 1,
            max_bytes: 1 << 20,
            isolation: crate::event::Isolation::Uncommitted,
            partitions,
        };
        self.turn(|process, ctx| process.on_message(ctx, READER, Message::Fetch(Box::new(request))));
    }

    fn set(&mut self, param: &str, value: &str) -> Result<(), String> {
        let input = Input::Set { param: param.to_owned(), value: Value::from(value) };
        self.turn(|process, ctx| process.on_input(ctx, &input))
    }

    fn act(&mut self, action: &str, params: Json) -> Result<(), String> {
        let params = serde_json::from_value(params).expect("arguments are an object");
        let input = Input::Action { name: action.to_owned(), params };
        self.turn(|process, ctx| process.on_input(ctx, &input))
    }

    /// Answers so far: (milliseconds, to whom, what). Batches of a fetch are counted.
    fn answers(&mut self) -> Vec<(f64, LinkEnd, Result<u64, BrokerError>)> {
        let sent = std::mem::take(&mut self.sent).into_iter();
        let answer = |(at, end, message): (SimTime, LinkEnd, Message)| {
            let result = match message {
                Message::ProduceReply(reply) => reply.results[0].base_offset,
                Message::FetchReply(reply) => Ok(reply.partitions.iter().map(|partition| partition.batches.len() as u64).sum()),
                other => panic!("not an answer of a cluster: {other:?}"),
            };
            (at.since(SimTime::ZERO).as_ms_f64(), end, result)
        };
        sent.map(answer).collect()
    }

    fn figure(&self, name: &str) -> f64 {
        self.figures().into_iter().find(|figure| figure.name == name).map_or(f64::NAN, |figure| figure.value)
    }

    /// A figure of a topic, partition or replica.
    fn figure_of(&self, name: &str, label: &str) -> Option<f64> {
        self.figures().into_iter().find(|figure| figure.name == name && *figure.label == *label).map(|figure| figure.value)
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = Figures::default();
        self.process.figures(self.now, &mut figures);
        figures.list
    }
}

/// A batch of one record with so large a value.
fn batch(value_bytes: usize) -> RecordBatch {
    let mut builder = BatchBuilder::default();
    let meta = EventMeta { id: EventId { producer: ComponentIx(1), seq: 0 }, ..EventMeta::default() };
    builder.push(&meta, None, &vec![7; value_bytes], 0, false);
    builder.finish()
}

#[test]
fn a_request_costs_its_time_and_its_bytes_and_waits_for_a_thread() {
    let mut bench = Bench::new(json!({"request_service_time": "2ms", "byte_service_time": "1ms"}));
    bench.produce(WRITER, Acks::Leader, 0, batch(4_000));
    bench.produce(OTHER_WRITER, Acks::Leader, 2, batch(10));
    bench.produce(OTHER_WRITER, Acks::Leader, 1, batch(10));
    bench.run_to(20);
    let answers = bench.answers();
    let cost = |value_bytes| {
        let entries = vec![ProduceEntry { topic: ORDERS, partition: 0, batch_seq: 0, epoch: None, attempt: 1, batch: batch(value_bytes) }];
        let message = Message::Produce(Box::new(ProduceRequest {
            call: CallId(0),
            node: 0,
            producer: 0,
            transaction: None,
            acks: Acks::Leader,
            entries,
        }));
        2.0 + message.wire_bytes() as f64 / 1024.0
    };
    let expected = [(cost(10), OTHER_WRITER), (cost(4_000), WRITER), (cost(4_000) + cost(10), OTHER_WRITER)];
    assert!(cost(4_000) > 5.9, "four KiB more take four times as long");
    for ((at, end, result), (expected_at, expected_end)) in answers.into_iter().zip(expected) {
        assert!((at - expected_at).abs() < 1e-3, "{at} ms instead of {expected_at}");
        assert_eq!((end, result), (expected_end, Ok(0)), "partition 1 has another leader, so it waits for nobody");
    }
    assert_eq!(bench.figure("littles_area_s"), bench.figure("littles_sojourn_s"));
}

#[test]
fn writes_of_one_connection_are_served_one_after_another() {
    let mut bench = Bench::new(json!({"request_service_time": "2ms", "byte_service_time": "0s", "io_threads": 8}));
    for end in [WRITER, WRITER, OTHER_WRITER] {
        bench.produce(end, Acks::Leader, 0, batch(10));
    }
    bench.run_to(20);
    assert_eq!(bench.answers(), [(2.0, WRITER, Ok(0)), (2.0, OTHER_WRITER, Ok(1)), (4.0, WRITER, Ok(2))]);
}

#[test]
fn acks_all_waits_for_the_followers_round_trip() {
    let mut bench = Bench::new(json!({"request_service_time": "1ms", "byte_service_time": "0s", "replication_latency": "3ms"}));
    bench.produce(WRITER, Acks::All, 0, batch(10));
    bench.produce(OTHER_WRITER, Acks::Leader, 1, batch(10));
    bench.fetch(0, 0, 500);
    bench.run_to(20);
    // The reader sees the record when the followers have it, not before.
    assert_eq!(bench.answers(), [(1.0, OTHER_WRITER, Ok(0)), (7.0, READER, Ok(1)), (7.0, WRITER, Ok(0))]);
}

#[test]
fn too_few_copies_refuse_acks_all() {
    let topics = json!({"orders": {"partitions": PARTITIONS, "replication": 1}});
    let mut bench = Bench::new(json!({"topics": topics, "min_insync_replicas": 2}));
    bench.produce(WRITER, Acks::All, 0, batch(10));
    bench.produce(OTHER_WRITER, Acks::Leader, 0, batch(10));
    bench.run_to(20);
    let results: Vec<_> = bench.answers().into_iter().map(|(_, end, result)| (end, result)).collect();
    assert_eq!(results, [(WRITER, Err(BrokerError::NotEnoughReplicas)), (OTHER_WRITER, Ok(0))]);
}

#[test]
fn a_full_queue_leaves_requests_unanswered() {
    let mut bench = Bench::new(json!({"request_service_time": "1h"}));
    for _ in 0..nodes::QUEUED_REQUESTS_MAX + 3 {
        bench.fetch(0, 0, 0);
    }
    // One is served, so many wait, two are gone.
    assert_eq!((bench.figure("queue_length"), bench.figure("in_service")), (nodes::QUEUED_REQUESTS_MAX as f64, 1.0));
    assert_eq!(bench.figure("refused_requests_count"), 2.0);
    bench.fetch(1, 0, 0);
    assert_eq!(bench.figure("refused_requests_count"), 2.0, "the other node has room");
}

#[test]
fn a_long_poll_waits_for_records_or_for_its_time() {
    let mut bench = Bench::new(json!({
        "topics": {"orders": {"partitions": PARTITIONS}}, "request_service_time": "0s", "byte_service_time": "0s",
    }));
    bench.fetch(0, 0, 500);
    bench.fetch(1, 0, 50);
    bench.run_to(20);
    assert_eq!(bench.answers(), []);
    bench.produce(WRITER, Acks::Leader, 0, batch(10));
    assert_eq!(bench.answers(), [(20.0, READER, Ok(1)), (20.0, WRITER, Ok(0))], "in the instant of the append");
    bench.run_to(100);
    assert_eq!(bench.answers(), [(50.0, READER, Ok(0))], "nothing came for the other");
}

#[test]
fn only_the_cost_model_changes_while_it_runs() {
    let mut bench = Bench::new(json!({"request_service_time": "1ms", "byte_service_time": "0s"}));
    assert_eq!(bench.set("request_service_time", "5ms"), Ok(()));
    bench.produce(WRITER, Acks::Leader, 0, batch(10));
    bench.run_to(20);
    assert_eq!(bench.answers(), [(5.0, WRITER, Ok(0))]);
    assert!(bench.set("request_service_time", "often").is_err());
    assert!(bench.set("brokers", "9").expect_err("nodes stay").contains("`byte_service_time`"));
}

#[test]
fn a_crash_breaks_connections_unless_the_machine_vanishes() {
    for silent in [false, true] {
        let mut bench = Bench::new(json!({"request_service_time": "2ms", "byte_service_time": "0s"}));
        bench.produce(WRITER, Acks::Leader, 0, batch(10));
        bench.produce(OTHER_WRITER, Acks::Leader, 0, batch(10));
        bench.fetch(0, 0, 500);
        bench.run_to(1);
        assert_eq!(bench.act("crash-node", json!({"node": 0, "silent": silent})), Ok(()));
        bench.produce(WRITER, Acks::Leader, 0, batch(10));
        bench.produce(WRITER, Acks::Leader, 1, batch(10));
        bench.run_to(20);
        // The reader's partitions in error hold no batches.
        let refused = Err(BrokerError::BrokerNotAvailable);
        let broken = [(1.0, WRITER, refused), (1.0, OTHER_WRITER, refused), (1.0, READER, Ok(0)), (1.0, WRITER, refused)];
        let mut expected = if silent { Vec::new() } else { broken.to_vec() };
        expected.push((3.0, WRITER, Ok(0)));
        assert_eq!(bench.answers(), expected, "the other node works");
        assert_eq!((bench.figure("queue_length"), bench.figure("in_service")), (0.0, 0.0));
        assert_eq!(bench.figure("littles_area_s"), bench.figure("littles_sojourn_s"));

        bench.run_to(10_000);
        assert_eq!((bench.figure("elections_count"), bench.figure("under_replicated_partitions")), (2.0, 4.0));
        assert_eq!(bench.act("restart-node", json!({"node": 0})), Ok(()));
        bench.run_to(20_000);
        assert_eq!((bench.figure("offline_partitions"), bench.figure("under_replicated_partitions")), (0.0, 0.0));
    }
}

#[test]
fn a_paused_node_answers_late_and_a_slow_one_slowly() {
    let mut bench = Bench::new(json!({"request_service_time": "2ms", "byte_service_time": "0s"}));
    bench.produce(WRITER, Acks::Leader, 0, batch(10));
    bench.produce(OTHER_WRITER, Acks::Leader, 0, batch(10));
    bench.run_to(1);
    assert_eq!(bench.act("pause-node", json!({"node": 0, "for": "100ms"})), Ok(()));
    bench.run_to(200);
    assert_eq!(bench.answers(), [(101.0, WRITER, Ok(0)), (103.0, OTHER_WRITER, Ok(1))]);
    assert_eq!(bench.act("slow-node", json!({"node": 0, "factor": 10})), Ok(()));
    bench.produce(WRITER, Acks::Leader, 0, batch(10));
    bench.run_to(300);
    assert_eq!(bench.answers(), [(220.0, WRITER, Ok(2))]);
    assert!(bench.act("pause-node", json!({"node": 7, "for": "1s"})).is_err());
}

/// What is wrong with an action on a cluster of two nodes, later three, with four partitions of `orders`: (code, path, hint).
fn action_problems(action: &str, arguments: Json) -> Vec<(String, String, Option<String>)> {
    let fields = json!({"brokers": "2", "topics": {"orders": {"partitions": "4"}}});
    let component = Component { params: serde_json::from_value(fields).expect("fields"), ..Component::default() };
    let spec = spec::SPEC.action(action).expect("it is listed");
    let fault = |at, action: &str, params| {
        let target = FaultTarget::Component("shop".to_owned());
        TimedFault { at: SimTime::ZERO + SimDuration::from_secs(at), target, action: action.to_owned(), params }
    };
    let timeline = [
        fault(5, action, serde_json::from_value(arguments).expect("arguments")),
        fault(9, "add-broker", indexmap::IndexMap::new()),
        fault(3, "add-broker", indexmap::IndexMap::new()),
    ];
    let arguments = &Params::new(spec.params, None, &timeline[0].params);
    let mut out = Vec::new();
    Kafka.check_action(&component, &PlannedAction { path: "faults[0]", fault: &timeline[0], arguments, timeline: &timeline }, &mut out);
    out.into_iter().map(|problem| (problem.code, problem.path, problem.hint)).collect()
}

#[test]
fn an_actions_node_and_topic_must_exist() {
    assert_eq!(action_problems("crash-node", json!({"node": "2"})), []);
    let hint = |words: &str| Some(words.to_owned());
    let unknown = ("node-unknown".to_owned(), "faults[0].node".to_owned(), hint("nodes are 0 to 2"));
    assert_eq!(action_problems("crash-node", json!({"node": "3"})), [unknown]);
    assert_eq!(action_problems("reassign", json!({"nodes": "0, 2"})), []);
    assert_eq!(action_problems("reassign", json!({"nodes": "0, 3, four"})).len(), 2);
    let near = hint("did you mean `orders`?");
    assert_eq!(
        action_problems("purge-topic", json!({"topic": "odrers"})),
        [("topic-unknown".to_owned(), "faults[0].topic".to_owned(), near)]
    );
}

#[test]
fn a_redrives_topics_must_exist() {
    let unknown = |argument: &str| ("topic-unknown".to_owned(), format!("faults[0].{argument}"), Some("the cluster has orders".to_owned()));
    assert_eq!(action_problems("redrive", json!({"from": "dead", "into": "orders"})), [unknown("from")]);
    assert_eq!(action_problems("redrive", json!({"from": "orders", "into": "sales"})), [unknown("into")]);
}

#[test]
fn a_rolling_restart_warns_of_what_one_node_takes_away() {
    let hint = "`replication` of 3, or 2".to_owned();
    assert_eq!(action_problems("rolling-restart", json!({})), [("rolling-restart".to_owned(), "faults[0].action".to_owned(), Some(hint))]);
}

#[test]
fn a_rolling_restart_takes_one_node_after_another() {
    let mut bench = Bench::new(json!({}));
    assert_eq!(bench.act("rolling-restart", json!({"for": "5s"})), Ok(()));
    assert_eq!(bench.act("rolling-restart", json!({})), Err("a rolling restart is under way".to_owned()));
    bench.run_to(4_000);
    assert_eq!((bench.figure("under_replicated_partitions"), bench.figure("rolled_nodes")), (4.0, 0.0), "node 0 is down");
    bench.run_to(6_500);
    assert_eq!((bench.figure("offline_partitions"), bench.figure("rolled_nodes")), (0.0, 1.0), "node 0 is back, node 1 goes");
    bench.run_to(20_000);
    assert_eq!((bench.figure("under_replicated_partitions"), bench.figure("rolled_nodes")), (0.0, 2.0));
    assert_eq!(bench.figure("rolling_restart_s"), 12.0, "five seconds down, and one until somebody looks, each");
    assert_eq!(bench.act("shutdown-node", json!({"node": 1})), Ok(()));
    bench.run_to(21_000);
    assert_eq!(bench.act("rolling-restart", json!({})), Err("node 1 does not run: restart it first".to_owned()));
    assert_eq!(bench.act("restart-node", json!({"node": 1})), Ok(()));
    let words = "4 partitions are under-replicated: wait until all replicas are in sync".to_owned();
    assert_eq!(bench.act("rolling-restart", json!({})), Err(words));
}

#[test]
fn partitions_are_only_added() {
    assert_eq!(action_problems("add-partitions", json!({"topic": "orders", "to": "6"})), []);
    let fewer = ("partitions-fewer".to_owned(), "faults[0].to".to_owned(), Some("5 or more".to_owned()));
    assert_eq!(action_problems("add-partitions", json!({"topic": "orders", "to": "4"})), [fewer]);
    let mut bench = Bench::new(json!({}));
    assert_eq!(bench.act("add-partitions", json!({"topic": "orders", "to": 6})), Ok(()));
    let words = "`orders` has 6 partitions, and Kafka takes none away".to_owned();
    assert_eq!(bench.act("add-partitions", json!({"topic": "orders", "to": 6})), Err(words));
    assert!(bench.act("purge-topic", json!({"topic": "odrers"})).is_err());
    bench.produce(WRITER, Acks::All, 5, batch(10));
    bench.run_to(100);
    assert_eq!(bench.answers().len(), 1, "the new partition takes a batch on its leader");
    assert_eq!(bench.figure_of("partition_leader", "orders[5]"), Some(1.0));
    assert_eq!(bench.figure_of("replica_in_sync", "orders[5]@0"), Some(1.0));
    assert_eq!(bench.figure_of("partition_high_watermark", "orders[5]"), Some(1.0));
}
