//! A gateway alone: the test is its clients, its broker and its registry.

mod checks;
mod services;

use std::collections::BTreeMap;

use bytes::Bytes;
use indexmap::IndexMap;
use proptest::prelude::*;

use super::*;
use crate::components::{EndRole, LinkFacts, PeerTopic, check_params};
use crate::engine::{Ctx, Effect, Figures, Input, LinkEnd, Outbox, TraceSampling};
use crate::event::{
    BrokerError, CallId, EventId, EventMeta, Fact, HopKind, HttpReply, HttpRequest, Message, Outcome, ProduceReply, ProduceResult,
    QueueCall, QueueError, QueueReply, QueueResult, SchemaFound, SchemaReply,
};
use crate::machines::broker::batch::records;
use crate::machines::broker::cluster::Leaders;
use crate::machines::codec::{SchemaLibrary, frame};
use crate::model::{Project, Value};
use crate::units::{ComponentIx, LinkIx, SimDuration, SimTime, TopicIx};

const CLIENT: LinkEnd = LinkEnd(0);
const OTHER_CLIENT: LinkEnd = LinkEnd(1);
const ORDERS: LinkEnd = LinkEnd(2);
const PAYMENTS: LinkEnd = LinkEnd(3);
const REGISTRY: LinkEnd = LinkEnd(4);
const JOBS: LinkEnd = LinkEnd(5);
const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"amount","type":"double"}]}"#;

fn json(value: serde_json::Value) -> IndexMap<String, Value> {
    serde_json::from_value(value).expect("parameters are an object")
}

fn facts(end: LinkEnd, port: &str, port_ty: PortType, peer: &str, topic: Option<(u32, &str)>) -> LinkFacts {
    let topic = topic.map(|(number, name)| PeerTopic {
        topic: TopicIx(number),
        name: name.into(),
        partitions: 3,
        leaders: Leaders::new(0, 1),
        needs_keys: false,
        cluster: ComponentIx(2),
    });
    LinkFacts {
        end,
        link: LinkIx(u32::from(end.0)),
        port: port.to_owned(),
        port_ty,
        role: if port == "in" { EndRole::To } else { EndRole::From },
        peer: ComponentIx(0),
        peer_id: peer.to_owned(),
        peer_kind: "any".to_owned(),
        peer_port: topic.as_ref().map_or("out".to_owned(), |topic| topic.name.to_string()),
        peer_port_ty: PortType::EventsOut,
        topic,
        queue: None,
        pushes: None,
    }
}

fn links() -> Vec<LinkFacts> {
    vec![
        facts(CLIENT, "in", PortType::HttpIn, "web", None),
        facts(OTHER_CLIENT, "in", PortType::HttpIn, "app", None),
        facts(ORDERS, "records", PortType::RecordsOut, "shop", Some((0, "orders"))),
        facts(PAYMENTS, "records", PortType::RecordsOut, "shop", Some((1, "payments"))),
        facts(REGISTRY, "schemas", PortType::SchemasFrom, "schemas", None),
    ]
}

/// The same, and a queue.
fn links_and_a_queue() -> Vec<LinkFacts> {
    let mut links = links();
    let queue = facts(JOBS, "messages", PortType::MessagesFrom, "jobs", Some((2, "jobs")));
    links.push(LinkFacts { queue: queue.topic.clone(), topic: None, peer_port: "in".to_owned(), ..queue });
    links
}

fn with_ctx<T>(links: &[LinkFacts], use_it: impl FnOnce(&BuildCtx<'_>) -> T) -> T {
    let project = Project::default();
    let (types, schemas) = (BTreeMap::new(), Arc::new(SchemaLibrary::default()));
    use_it(&BuildCtx {
        project: &project,
        id: "edge",
        me: ComponentIx(1),
        key: "edge",
        seed: 1,
        links,
        topics: &[],
        groups: &[],
        event_types: &types,
        schemas: &schemas,
    })
}

/// What the registry has under id 7.
fn found() -> SchemaFound {
    SchemaFound {
        id: 7,
        subject: "orders-value".into(),
        version: 1,
        schema_type: "AVRO".into(),
        text: SCHEMA.into(),
        uuid: None,
        references: Arc::default(),
    }
}

/// A running gateway and its surroundings.
struct Bench {
    process: Box<dyn Process>,
    outbox: Outbox,
    now: SimTime,
    timers: BTreeMap<(SimTime, u64), u64>,
    serial: u64,
    sent: Vec<(SimTime, LinkEnd, Message)>,
    facts: Vec<Fact>,
    next_event: u64,
}

impl Bench {
    fn new(params: serde_json::Value) -> Self {
        Self::of_profile(None, params)
    }
    fn of_profile(profile: Option<&str>, params: serde_json::Value) -> Self {
        let values = json(params);
        let mut problems = Vec::new();
        check_params("components.edge", spec::PARAMS, &values, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        let process =
            with_ctx(&links_and_a_queue(), |ctx| GatewayKind.build(ctx, &Params::new(spec::PARAMS, profile, &values)).expect("it builds"));
        Self {
            process,
            outbox: Outbox::default(),
            now: SimTime::ZERO,
            timers: BTreeMap::new(),
            serial: 0,
            sent: Vec::new(),
            facts: Vec::new(),
            next_event: 0,
        }
    }
    fn turn(&mut self, act: impl FnOnce(&mut dyn Process, &mut Ctx<'_>)) {
        let mut ctx = Ctx { now: self.now, me: ComponentIx(1), tracing: TraceSampling { one_in: 1 }, out: &mut self.outbox };
        act(&mut *self.process, &mut ctx);
        for effect in self.outbox.effects.drain(..) {
            match effect {
                Effect::Send { end, delay, message } => self.sent.push((self.now + delay, end, message)),
                Effect::Timer { at, token } => {
                    self.serial += 1;
                    self.timers.insert((at, self.serial), token);
                }
            }
        }
        self.facts.append(&mut self.outbox.facts);
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
    fn message(&mut self, end: LinkEnd, message: Message) {
        self.turn(|process, ctx| process.on_message(ctx, end, message));
    }
    /// One request now; returns its event.
    fn request(&mut self, end: LinkEnd, path: &str, headers: &[(&str, &str)], body: &[u8]) -> EventMeta {
        self.next_event += 1;
        let id = EventId { producer: ComponentIx(0), seq: self.next_event };
        let event = EventMeta { id, born: self.now, root_born: self.now, ..EventMeta::default() };
        let request = HttpRequest {
            call: CallId(self.next_event),
            method: "POST".into(),
            path: path.into(),
            headers: headers.iter().map(|(name, value)| (Arc::from(*name), Arc::from(*value))).collect(),
            event,
            event_type: "OrderPlaced".into(),
            key: Some(Bytes::from_static(b"k")),
            body: Bytes::copy_from_slice(body),
            attempt: 1,
            delivery: None,
        };
        self.message(end, Message::Http(Box::new(request)));
        event
    }
    /// Something is done to it.
    fn act(&mut self, name: &str, params: serde_json::Value) -> Result<(), String> {
        let input = Input::Action { name: name.to_owned(), params: json(params) };
        let mut result = Ok(());
        self.turn(|process, ctx| result = process.on_input(ctx, &input));
        result
    }
    /// Takes the messages so far that `is` picks; the others stay.
    fn take(&mut self, is: impl Fn(&Message) -> bool) -> Vec<(LinkEnd, Message)> {
        let (taken, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sent).into_iter().partition(|(_, _, message)| is(message));
        self.sent = rest;
        taken.into_iter().map(|(_, end, message)| (end, message)).collect()
    }
    /// Answers every produce request so far.
    fn broker(&mut self, result: Result<u64, BrokerError>) -> usize {
        let requests = self.take(|message| matches!(message, Message::Produce(_)));
        let answered = requests.len();
        for (end, message) in requests {
            let Message::Produce(request) = message else { continue };
            let entry =
                |entry: &crate::event::ProduceEntry| ProduceResult { topic: entry.topic, partition: entry.partition, base_offset: result };
            let results = request.entries.iter().map(entry).collect();
            self.message(end, Message::ProduceReply(Box::new(ProduceReply { call: request.call, results })));
        }
        answered
    }
    /// Answers every look-up so far.
    fn registry(&mut self, result: impl Fn(CallId) -> Result<SchemaFound, (u32, Arc<str>)>) {
        for (end, message) in self.take(|message| matches!(message, Message::Schema(_))) {
            let Message::Schema(request) = message else { continue };
            let reply = SchemaReply { call: request.call, result: result(request.call) };
            self.message(end, Message::SchemaReply(Box::new(reply)));
        }
    }
    /// Takes the answers so far: to whom, what.
    fn answers(&mut self) -> Vec<(LinkEnd, HttpReply)> {
        let replies = self.take(|message| matches!(message, Message::HttpReply(_)));
        let reply = |(end, message)| if let Message::HttpReply(reply) = message { Some((end, *reply)) } else { None };
        replies.into_iter().filter_map(reply).collect()
    }
    fn statuses(&mut self) -> Vec<u16> {
        self.answers().into_iter().map(|(_, reply)| reply.status).collect()
    }
    fn figure(&self, name: &str, label: &str) -> f64 {
        let mut figures = Figures::default();
        self.process.figures(self.now, &mut figures);
        figures.list.iter().find(|figure| figure.name == name && &*figure.label == label).map_or(f64::NAN, |figure| figure.value)
    }
    /// All labels of a figure together.
    fn total(&self, name: &str) -> f64 {
        let mut figures = Figures::default();
        self.process.figures(self.now, &mut figures);
        figures.list.iter().filter(|figure| figure.name == name).map(|figure| figure.value).sum()
    }
    fn hops(&self) -> Vec<(HopKind, String)> {
        let hop = |fact: &Fact| if let Fact::Hop(hop) = fact { Some((hop.1.kind, hop.1.words.to_string())) } else { None };
        self.facts.iter().filter_map(hop).collect()
    }
}

fn two_topics() -> serde_json::Value {
    serde_json::json!([
        {"name": "orders", "paths": ["/orders"], "topic": "orders"},
        {"name": "payments", "paths": ["/payments"], "topic": "payments"},
        {"name": "ping", "paths": ["/ping"], "respond": 204, "respond_after": "5ms"},
        {"name": "broken", "paths": ["/broken"], "respond": 500},
    ])
}

#[test]
fn an_event_goes_to_its_topic_and_is_answered_after_the_ack() {
    let mut bench = Bench::new(serde_json::json!({"routes": two_topics(), "service_time": "2ms"}));
    let event = bench.request(CLIENT, "/payments/7", &[], b"payload");
    assert_eq!(bench.figure("in_service", ""), 1.0);
    bench.run_to(2);
    assert!(bench.answers().is_empty(), "no answer before the log has it");
    let Some((_, end, Message::Produce(produce))) = bench.sent.first() else { panic!("nothing was produced") };
    assert_eq!(*end, PAYMENTS);
    assert_eq!(produce.entries[0].topic, TopicIx(1));
    let record = records(&produce.entries[0].batch).next().expect("one record");
    assert_eq!((record.meta, record.key, record.value), (event, Some(&b"k"[..]), &b"payload"[..]), "the same event, unchanged");
    assert_eq!(bench.figure("upstream_waiting_count", ""), 1.0);
    assert_eq!(bench.broker(Ok(0)), 1);
    let answers = bench.answers();
    assert_eq!((answers[0].0, answers[0].1.status, answers[0].1.event), (CLIENT, 200, event));
    assert_eq!(bench.hops(), [(HopKind::Gateway, "accepted by route payments".to_owned())]);
    assert_eq!(bench.figure("route_requests_count", "payments"), 1.0);
    assert_eq!(bench.figure("responses_count", "200"), 1.0);
    assert_eq!(bench.figure("upstream_waiting_count", ""), 0.0);
}

#[test]
fn every_question_at_the_store_is_paid() {
    let mut bench = Bench::new(serde_json::json!({
        "routes": two_topics(), "service_time": "0s", "store_time": "10ms", "limit_policy": "cluster", "rate_limits": [{"minute": 1}],
        "plugins": [{"plugin": "rate-limiting-advanced", "settings": ["limit=9", "window_size=60", "strategy=redis"]}],
    }));
    bench.request(CLIENT, "/broken", &[], b"");
    bench.run_to(19);
    assert_eq!(bench.statuses(), [] as [u16; 0]);
    bench.run_to(20);
    assert_eq!(bench.statuses(), [500], "two plugins ask it, one after the other");
    // While it is down nothing is counted, and the first limit lets pass what it would have refused.
    bench.act("store-down", serde_json::json!({"for": "1s"})).expect("counters are shared");
    bench.request(CLIENT, "/broken", &[], b"");
    bench.run_to(21);
    assert_eq!(bench.statuses(), [500]);
    assert_eq!(bench.figure("uncounted_requests_count", ""), 1.0);
    bench.act("store-down", serde_json::json!({"for": "2s"})).expect("it is down already: for longer");
    bench.run_to(1_500);
    bench.request(CLIENT, "/broken", &[], b"");
    bench.run_to(1_600);
    assert_eq!(bench.statuses(), [500]);
    bench.run_to(2_100);
    bench.request(CLIENT, "/broken", &[], b"");
    bench.run_to(2_200);
    assert_eq!((bench.statuses(), bench.figure("uncounted_requests_count", "")), (vec![429], 2.0), "it counts on from where it was");
    bench.act("store-down", serde_json::json!({})).expect("until it is told otherwise");
    bench.run_to(60_000);
    bench.act("store-up", serde_json::json!({})).expect("it is told");
    let mut local = Bench::new(serde_json::json!({"routes": two_topics(), "rate_limits": [{"minute": 1}]}));
    assert!(local.act("store-down", serde_json::json!({})).unwrap_err().contains("local"));
    let mut aws = Bench::of_profile(Some(aws::REST), serde_json::json!({"routes": two_topics()}));
    assert!(aws.act("store-down", serde_json::json!({})).is_err());
}

/// Routes choose by type, source and subject, in headers or inside a structured body.
#[test]
fn events_are_routed_in_both_content_modes() {
    let routes = serde_json::json!([
        {"name": "placed", "event_types": ["order.placed"], "respond": 201},
        {"name": "orders", "event_types": ["order.*"], "event_sources": ["web"], "respond": 202},
        {"name": "vip", "event_types": ["order.*"], "event_sources": ["web"], "event_subjects": ["vip-*"], "respond": 203},
    ]);
    let mut bench = Bench::new(serde_json::json!({"routes": routes, "service_time": "0s"}));
    for (kind, source, subject, wanted) in [
        ("order.placed", "app", "7", 201),
        ("order.paid", "web", "7", 202),
        ("order.paid", "web", "vip-7", 203),
        ("order.paid", "app", "vip-7", 404),
        ("stock.moved", "web", "vip-7", 404),
    ] {
        bench.request(CLIENT, "/events", &[("ce-type", kind), ("ce-source", source), ("ce-subject", subject)], b"{}");
        let body = format!(r#"{{"id":"1","specversion":"1.0","type":"{kind}","source":"{source}","subject":"{subject}","data":{{}}}}"#);
        let structured = ("content-type", "application/cloudevents+json; charset=utf-8");
        // What stands in headers does not count then.
        bench.request(CLIENT, "/events", &[structured, ("ce-type", "order.placed")], body.as_bytes());
        bench.run_to(bench.now.as_ns() / 1_000_000 + 1);
        assert_eq!(bench.statuses(), [wanted; 2], "{kind} {source} {subject}");
    }
    bench.request(CLIENT, "/events", &[("content-type", "application/cloudevents+json")], b"{no event");
    bench.run_to(1_000);
    assert_eq!(bench.statuses(), [404]);
}

#[test]
fn refusals_say_why() {
    let mut bench = Bench::new(serde_json::json!({
        "routes": two_topics(), "service_time": "1ms", "key_auth": true,
        "api_keys": [{"consumer": "web", "key": "k1"}],
        "rate_limits": [{"limit_by": "consumer", "second": 1}],
    }));
    bench.request(CLIENT, "/nowhere", &[], b"");
    bench.request(CLIENT, "/orders", &[], b"");
    bench.request(CLIENT, "/orders", &[("apikey", "k1")], b"");
    bench.request(OTHER_CLIENT, "/orders", &[("apikey", "k1")], b"");
    bench.run_to(1);
    bench.broker(Ok(0));
    let answers = bench.answers();
    let told: Vec<_> = answers.iter().map(|(end, reply)| (end.0, reply.status, reply.reason.as_deref(), reply.retry_after)).collect();
    assert_eq!(
        told,
        [
            (0, 404, Some("no Route matched with those values"), None),
            (0, 401, Some("No API key found in request"), None),
            (1, 429, Some("API rate limit exceeded"), Some(SimDuration::from_secs(1))),
            (0, 200, None, None),
        ]
    );
    let words: Vec<String> = bench.hops().into_iter().filter(|(kind, _)| *kind == HopKind::Rejected).map(|(_, words)| words).collect();
    assert_eq!(words[2], "rejected at edge: API rate limit exceeded");
    assert_eq!(
        [bench.figure("rejected_count", ""), bench.figure("accepted_count", ""), bench.figure("requests_count", "")],
        [3.0, 1.0, 4.0]
    );
}

#[test]
fn too_many_waiting_are_turned_away() {
    let mut bench = Bench::new(serde_json::json!({"routes": two_topics(), "service_time": "10ms", "concurrency": 2, "queue_max": 3}));
    for _ in 0..7 {
        bench.request(CLIENT, "/ping", &[], b"");
    }
    let answers = bench.answers();
    assert_eq!(answers.len(), 2);
    assert_eq!((answers[0].1.status, answers[0].1.reason.as_deref()), (503, Some("3 requests wait already")));
    assert_eq!(bench.figure("queue_length", ""), 3.0);
    bench.run_to(1_000);
    assert_eq!(bench.statuses(), [204; 5]);
    assert_eq!(bench.figure("littles_area_s", ""), bench.figure("littles_sojourn_s", ""));
}

#[test]
fn payloads_are_checked_by_the_schema_they_name() {
    let mut bench = Bench::new(serde_json::json!({"routes": two_topics(), "service_time": "0s", "validate": true}));
    let payload = |id: u32, rest: &[u8]| {
        let mut body = Vec::new();
        frame(id, &mut body);
        body.extend_from_slice(rest);
        body
    };
    // "a" and 1.0; then a string where the double should be.
    let good = payload(7, &[2, b'a', 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    let bad = payload(7, &[2, b'a', 2, b'x']);
    for body in [&good, &bad, &payload(8, &[0]), &b"{}".to_vec()] {
        bench.request(CLIENT, "/orders", &[], body);
    }
    bench.run_to(0);
    assert_eq!(bench.figure("schema_lookups_count", ""), 2.0, "one look-up an id");
    let answers = bench.answers();
    assert_eq!((answers.len(), answers[0].1.status), (1, 400), "a bare body needs no registry to be refused");
    let found = found();
    bench.registry(|call| if call == CallId(0) { Ok(found.clone()) } else { Err((40403, "Schema 8 not found".into())) });
    let answers = bench.answers();
    assert_eq!(answers.iter().map(|(_, reply)| reply.status).collect::<Vec<_>>(), [400, 400]);
    assert_eq!(answers[1].1.reason.as_deref(), Some("the payload names schema 8, which the registry does not know"));
    assert!(answers[0].1.reason.as_deref().is_some_and(|words| words.contains("amount")), "{:?}", answers[0].1.reason);
    bench.broker(Ok(0));
    assert_eq!(bench.statuses(), [200]);
    bench.request(CLIENT, "/orders", &[], &good);
    bench.run_to(1);
    assert_eq!(bench.figure("schema_lookups_count", ""), 2.0, "the schema is kept");
}

#[test]
fn a_silent_registry_and_a_silent_broker_time_out() {
    let mut bench = Bench::new(serde_json::json!({
        "routes": two_topics(), "service_time": "0s", "validate": true, "schema_timeout": "100ms",
    }));
    let mut body = Vec::new();
    frame(7, &mut body);
    bench.request(CLIENT, "/orders", &[], &body);
    bench.run_to(100);
    let answers = bench.answers();
    assert_eq!((answers[0].1.status, answers[0].1.reason.as_deref()), (503, Some("the schema registry did not answer within 100ms")));
    let mut bench = Bench::new(serde_json::json!({
        "routes": two_topics(), "service_time": "0s", "request_timeout": "100ms", "delivery_timeout": "1s", "retry_backoff": "10ms",
    }));
    bench.request(CLIENT, "/orders", &[], b"x");
    bench.run_to(3_000);
    assert_eq!(bench.statuses(), [504]);
    assert!(bench.figure("retried_count", "") > 1.0);
    assert_eq!(bench.figure("upstream_waiting_count", ""), 0.0);
    bench.sent.clear();
    bench.request(CLIENT, "/orders", &[], b"x");
    bench.run_to(3_001);
    bench.broker(Err(BrokerError::RecordTooLarge));
    assert_eq!(bench.statuses(), [502]);
}

#[test]
fn the_same_event_twice_is_answered_twice() {
    let mut bench = Bench::new(serde_json::json!({"routes": two_topics(), "service_time": "0s"}));
    bench.request(CLIENT, "/orders", &[], b"x");
    bench.next_event = 0;
    bench.request(CLIENT, "/orders", &[], b"x");
    bench.run_to(1);
    while bench.broker(Ok(0)) > 0 {}
    assert_eq!(bench.statuses(), [200, 200]);
}

#[test]
fn some_parameters_change_while_it_runs() {
    let mut bench = Bench::new(serde_json::json!({"routes": two_topics(), "service_time": "10ms", "concurrency": 1}));
    let set = |bench: &mut Bench, param: &str, value: Value| {
        let mut result = Ok(());
        bench.turn(|process, ctx| result = process.on_input(ctx, &Input::Set { param: param.to_owned(), value }));
        result
    };
    for _ in 0..4 {
        bench.request(CLIENT, "/ping", &[], b"");
    }
    set(&mut bench, "concurrency", Value::Int(3)).expect("workers can be added");
    assert_eq!([bench.figure("in_service", ""), bench.figure("queue_length", "")], [3.0, 1.0]);
    let limits = json(serde_json::json!({"rows": [{"limit_by": "ip", "minute": 1}]}));
    set(&mut bench, "rate_limits", limits["rows"].clone()).expect("limits can be set");
    bench.run_to(100);
    assert_eq!(bench.statuses(), [429, 429, 204, 429], "one passes, and takes 5ms longer");
    assert!(set(&mut bench, "routes", Value::Bool(true)).unwrap_err().contains("cannot be changed"));
    assert!(set(&mut bench, "concurrency", Value::Int(0)).unwrap_err().contains("may be 1"));
    set(&mut bench, "nodes", Value::Int(4)).expect("nodes can be added");
    for _ in 0..8 {
        bench.request(CLIENT, "/ping", &[], b"");
    }
    bench.run_to(60_100);
    assert_eq!(bench.statuses().iter().filter(|status| **status == 204).count(), 3, "the first node has counted its one already");
}

#[test]
fn a_clone_goes_on_alike() {
    let mut bench = Bench::new(serde_json::json!({"routes": two_topics(), "service_time": "exp(5ms)", "rate_limits": [{"second": 3}]}));
    for _ in 0..10 {
        bench.request(CLIENT, "/ping", &[], b"");
    }
    let (copy, timers) = (bench.process.clone(), bench.timers.clone());
    bench.run_to(500);
    let first: Vec<_> = bench.answers().into_iter().map(|(_, reply)| (reply.call, reply.status)).collect();
    (bench.process, bench.timers, bench.now) = (copy, timers, SimTime::ZERO);
    bench.run_to(500);
    let second: Vec<_> = bench.answers().into_iter().map(|(_, reply)| (reply.call, reply.status)).collect();
    assert_eq!((first.len(), first), (10, second));
}

#[test]
fn a_plan_limits_one_route_beside_the_others() {
    let mut bench = Bench::of_profile(
        Some(aws::REST),
        serde_json::json!({
            "routes": [{"name": "a", "paths": ["/a"], "respond": 500, "key_required": true}, {"name": "b", "paths": ["/b"], "respond": 500, "key_required": true}],
            "api_keys": [{"consumer": "web", "key": "sample:k"}], "usage_plans": [{"name": "basic", "consumers": ["web"]}],
            "plan_limits": [{"plan": "basic", "route": "a", "rate": "1/s", "burst": 2}], "service_time": "0s",
        }),
    );
    for path in ["/a", "/b", "/a", "/b", "/a", "/b"] {
        bench.request(CLIENT, path, &[("x-api-key", "k")], b"");
    }
    bench.run_to(1);
    let answers = bench.answers();
    let told: Vec<_> = answers.iter().map(|(_, reply)| reply.status).filter(|status| *status == 429).collect();
    assert_eq!((told.len(), answers.len()), (1, 6));
    let words = answers.iter().find(|(_, reply)| reply.status == 429).and_then(|(_, reply)| reply.reason.clone());
    assert_eq!(words.as_deref(), Some("Too Many Requests (plan basic for route a)"));
    assert_eq!(bench.figure("client_requests_count", "web"), 6.0);
}

proptest! {
    /// Whatever comes, every request is answered exactly once, and the queue's books balance.
    #[test]
    fn every_request_is_answered_once(turns in proptest::collection::vec((0u64..20, 0usize..5, 0u8..4), 1..60), workers in 1u32..4, queue_max in 0u32..4) {
        let mut bench = Bench::new(serde_json::json!({
            "routes": two_topics(), "service_time": "exp(5ms)", "concurrency": workers, "queue_max": queue_max, "in_flight_max": 5,
            "request_timeout": "50ms", "delivery_timeout": "200ms", "retry_backoff": "5ms", "rate_limits": [{"limit_by": "ip", "second": 20}],
            "api_keys": [{"consumer": "web", "key": "sample:k"}], "plugins": [{"plugin": "key-auth", "route": "payments"}],
        }));
        let mut at_ms = 0;
        let mut answered: BTreeMap<CallId, u16> = BTreeMap::new();
        let mut note = |bench: &mut Bench| {
            for (_, reply) in bench.answers() {
                assert_eq!(answered.insert(reply.call, reply.status), None, "answered twice");
            }
            answered.len()
        };
        for (gap_ms, path, broker) in &turns {
            at_ms += gap_ms;
            bench.run_to(at_ms);
            let key: &[_] = if gap_ms % 2 == 0 { &[("apikey", "k")] } else { &[] };
            bench.request(CLIENT, ["/orders", "/payments", "/ping", "/broken", "/nowhere"][*path], key, b"x");
            match broker {
                0 => drop(bench.broker(Ok(0))),
                1 => drop(bench.broker(Err(BrokerError::NotEnoughReplicas))),
                2 => drop(bench.broker(Err(BrokerError::RecordTooLarge))),
                _ => {}
            }
            note(&mut bench);
        }
        bench.run_to(at_ms + 10_000);
        prop_assert_eq!(note(&mut bench), turns.len());
        prop_assert_eq!(bench.figure("littles_area_s", ""), bench.figure("littles_sojourn_s", ""));
        prop_assert_eq!(bench.figure("accepted_count", "") + bench.figure("rejected_count", ""), turns.len() as f64);
        // Every refusal has a reason, and every answer a client or a stranger.
        for of_clients in ["rejections_count", "client_rejections_count"] {
            prop_assert_eq!(bench.total(of_clients), bench.figure("rejected_count", ""));
        }
        for of_all in ["client_responses_count", "client_in_bytes"] {
            prop_assert_eq!(bench.total(of_all), turns.len() as f64);
        }
        prop_assert_eq!(bench.figure("upstream_waiting_count", "") + bench.figure("in_service", "") + bench.figure("queue_length", ""), 0.0);
    }
}
