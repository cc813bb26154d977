//! Random designs: whatever type-checks runs, accounts for every event, obeys Little's law, and is repeatable.
//!
//! A failure prints the smallest design found, as a project file.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::diagnostics::{Diagnostic, Severity};
use eventyard::export::report_json;
use eventyard::metrics::{Report, ReportHead, Wall};
use eventyard::model::{Component, Endpoint, FaultTarget, Link, Project, Scenario, SchemaSource, TimedFault};
use eventyard::project::write;
use eventyard::run::{Sim, run_headless};
use eventyard::units::{SimDuration, SimTime};
use indexmap::IndexMap;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value as Json, json};

use crate::design::values;

const LENGTH: SimDuration = SimDuration::from_secs(20);
const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"amount","type":"double"}]}"#;

/// Parameters of a component, and where its links go, as places in lists that are known once all is drawn.
#[derive(Clone, Debug)]
struct Part {
    params: Json,
    /// Topics that it writes or reads.
    topics: Vec<Index>,
    /// A producer's gateway instead of topics; a consumer's dead letters.
    other: Option<Index>,
    /// Whether it is linked to the registry.
    schemas: bool,
}

#[derive(Clone, Debug)]
struct Parts {
    seed: u64,
    clusters: Vec<(Json, Vec<Json>)>,
    gateways: Vec<Part>,
    producers: Vec<Part>,
    consumers: Vec<Part>,
    wires: Vec<Json>,
    faults: Vec<(u64, Index, &'static str)>,
    /// What strikes links, and components whatever their kind.
    strokes: Vec<(u64, Index, Json)>,
}

fn merged(mut fields: Json, more: Json) -> Json {
    let more = more.as_object().expect("a group of fields").clone();
    fields.as_object_mut().expect("a group of fields").extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    fields
}

/// One of these groups of fields.
fn one_of(options: &[Json]) -> impl Strategy<Value = Json> + use<> {
    select(options.to_vec())
}

/// One of each of these lists of groups, merged.
fn each_of(lists: Vec<Vec<Json>>) -> impl Strategy<Value = Json> {
    let lists: Vec<_> = lists.iter().map(|options| one_of(options)).collect();
    lists.prop_map(|groups| groups.into_iter().fold(json!({}), merged))
}

fn topic() -> impl Strategy<Value = Json> {
    let kept = vec![
        json!({}),
        json!({"retention_size": "8KiB", "segment_size": "2KiB"}),
        json!({"retention_time": "3s", "segment_time": "1s"}),
        json!({"max_message_size": "700B"}),
    ];
    (1u32..5, each_of(vec![kept])).prop_map(|(partitions, kept)| merged(json!({"partitions": partitions}), kept))
}

/// A cluster's own fields and its topics'; copies of a partition need as many brokers.
fn cluster() -> impl Strategy<Value = (Json, Vec<Json>)> {
    let times = vec![
        json!({}),
        json!({"request_service_time": "0s", "byte_service_time": "0s"}),
        json!({"request_service_time": "exp(2ms)", "io_threads": 1}),
        json!({"request_service_time": "exp(40ms)", "io_threads": 2}),
    ];
    let replicas = vec![json!({}), json!({"min_insync_replicas": 2}), json!({"replication_latency": "exp(20ms)"})];
    let delay = vec![json!({"initial_rebalance_delay": "0s"}), json!({})];
    let check = vec![json!({}), json!({"retention_check_interval": "500ms"})];
    (1u32..4, each_of(vec![times, replicas, delay, check]), prop::collection::vec((topic(), 1u32..4), 1..4)).prop_map(
        |(brokers, params, topics)| {
            let copies = |(topic, copies): (Json, u32)| merged(topic, json!({"replication": copies.min(brokers)}));
            (merged(params, json!({"brokers": brokers})), topics.into_iter().map(copies).collect())
        },
    )
}

fn part(lists: Vec<Vec<Json>>, topics_max: usize) -> impl Strategy<Value = Part> {
    let topics = prop::collection::vec(any::<Index>(), 1..=topics_max);
    (each_of(lists), topics, any::<Option<Index>>(), any::<bool>()).prop_map(|(params, topics, other, schemas)| Part {
        params,
        topics,
        other,
        schemas,
    })
}

fn producer() -> impl Strategy<Value = Part> {
    let lists = vec![
        vec![
            json!({"load": "poisson(60/s)"}),
            json!({"load": "constant(30/s)"}),
            json!({"load": "burst(300/s for 500ms every 4s)"}),
            json!({"load": "poisson(200/s)", "max_events": 300}),
        ],
        vec![json!({}), json!({"keys": "uniform(5)"}), json!({"keys": "zipf(100, 1.1)"})],
        vec![json!({}), json!({"acks": "1"}), json!({"acks": "0"}), json!({"idempotence": false}), json!({"acks": "1", "retries": 0})],
        vec![json!({}), json!({"invalid_ratio": "20%"}), json!({"invalid_ratio": "20%", "validate": true})],
        vec![
            json!({}),
            json!({"request_timeout": "100ms", "delivery_timeout": "600ms"}),
            json!({"request_timeout": "300ms", "delivery_timeout": "20s"}),
        ],
        vec![json!({}), json!({"linger": "100ms", "batch_size": "1KiB"}), json!({"linger": "0s", "max_in_flight": 1})],
        vec![json!({}), json!({"buffer_memory": "17KiB", "max_block": "0s"}), json!({"buffer_memory": "17KiB", "max_block": "1s"})],
        vec![
            json!({}),
            json!({"http_timeout": "50ms", "http_retries": 1}),
            json!({"http_concurrency": 2, "http_queue": 5}),
            json!({"http_timeout": "20ms", "backoff": "5ms", "retry_statuses": ["400", "503", "504"]}),
        ],
    ];
    part(lists, 2)
}

fn gateway() -> impl Strategy<Value = Part> {
    let lists = vec![
        vec![json!({}), json!({"validate": true}), json!({"validate": true, "schema_timeout": "20ms"})],
        vec![json!({}), json!({"service_time": "exp(20ms)", "concurrency": 1, "queue_max": 5})],
        vec![json!({}), json!({"rate_limits": [{"limit_by": "ip", "second": 20}]})],
        vec![json!({}), json!({"acks": "all"}), json!({"acks": "0"})],
        vec![json!({}), json!({"request_timeout": "100ms", "delivery_timeout": "400ms"}), json!({"linger": "50ms", "in_flight_max": 8})],
    ];
    part(lists, 1)
}

fn consumer() -> impl Strategy<Value = Part> {
    let lists = vec![
        vec![json!({}), json!({"group": "shared"})],
        vec![json!({"instances": 1}), json!({"instances": 3}), json!({"instances": 0})],
        vec![json!({}), json!({"concurrency": 3})],
        vec![json!({"service_time": "exp(3ms)"}), json!({"service_time": "exp(40ms)"}), json!({"service_time": "0s"})],
        vec![
            json!({}),
            json!({"failure_ratio": "30%", "max_attempts": 2, "retry_backoff": "10ms"}),
            json!({"failure_ratio": "30%", "max_attempts": 1, "on_failure": "skip"}),
            json!({"failure_ratio": "30%", "retry_backoff": "20ms", "on_failure": "retry_forever"}),
        ],
        vec![json!({}), json!({"commit": "after"}), json!({"commit": "before"}), json!({"auto_commit_interval": "300ms"})],
        vec![json!({"offset_reset": "earliest"}), json!({})],
        vec![json!({}), json!({"poll_size": 3, "buffer": 5}), json!({"fetch_min_bytes": "5KiB", "fetch_max_wait": "200ms"})],
        vec![json!({}), json!({"fetch_max_bytes": "1KiB", "partition_fetch_bytes": "300B"})],
        vec![
            json!({"session_timeout": "6s", "heartbeat_interval": "500ms", "rebalance_timeout": "2s", "request_timeout": "400ms", "fetch_max_wait": "100ms"}),
            json!({}),
        ],
    ];
    part(lists, 3)
}

fn wire() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => Just(json!({})),
        1 => Just(json!({"latency": "0s"})),
        2 => Just(json!({"latency": "exp(10ms)"})),
        1 => Just(json!({"latency": "exp(5ms)", "loss": "5%"})),
        1 => Just(json!({"bandwidth": "20KiB"})),
    ]
}

/// What the driver does to links and components, whatever they are.
fn stroke() -> impl Strategy<Value = Json> {
    let what = one_of(&[
        json!({"action": "cut"}),
        json!({"action": "cut", "direction": "backward"}),
        json!({"action": "delay", "by": "exp(200ms)"}),
        json!({"action": "lose", "ratio": "50%"}),
        json!({"action": "duplicate", "ratio": "60%", "after": "exp(30ms)"}),
        json!({"action": "reorder", "ratio": "40%", "by": "exp(100ms)"}),
        json!({"action": "freeze"}),
    ]);
    (what, select(vec!["100ms", "1500ms", "6s"])).prop_map(|(what, span)| merged(what, json!({"for": span})))
}

fn parts() -> impl Strategy<Value = Parts> {
    let actions = select(vec!["stop-instance", "start-instance", "crash-instance", "pause", "resume"]);
    (
        any::<u64>(),
        prop::collection::vec(cluster(), 1..3),
        prop::collection::vec(gateway(), 0..3),
        prop::collection::vec(producer(), 1..4),
        prop::collection::vec(consumer(), 0..4),
        prop::collection::vec(wire(), 1..8),
        prop::collection::vec((1u64..19_000, any::<Index>(), actions), 0..5),
        prop::collection::vec((1u64..19_000, any::<Index>(), stroke()), 0..4),
    )
        .prop_map(|(seed, clusters, gateways, producers, consumers, wires, faults, strokes)| Parts {
            seed,
            clusters,
            gateways,
            producers,
            consumers,
            wires,
            faults,
            strokes,
        })
}

/// Puts a design together.
struct Assembly {
    project: Project,
    wires: Vec<Json>,
    /// `shop1.t0`, by number.
    topics: Vec<String>,
}

impl Assembly {
    fn add(&mut self, id: &str, kind: &str, params: Json) {
        let params = values(params);
        self.project.components.insert(id.to_owned(), Component { kind: kind.to_owned(), params, ..Component::default() });
    }

    fn link(&mut self, from: String, to: String) {
        let wire = self.wires[self.project.links.len() % self.wires.len()].clone();
        self.link_by(from, to, wire);
    }

    fn link_by(&mut self, from: String, to: String, wire: Json) {
        let end = |text: String| Endpoint::parse(&text).expect("component.port");
        self.project.links.push(Link { from: end(from), to: end(to), params: values(wire) });
    }

    /// Each topic once, in the order of drawing.
    fn topics_of(&self, part: &Part) -> Vec<String> {
        let mut seen = BTreeSet::new();
        part.topics
            .iter()
            .map(|index| index.index(self.topics.len()))
            .filter(|at| seen.insert(*at))
            .map(|at| self.topics[at].clone())
            .collect()
    }

    fn producer(&mut self, id: &str, part: &Part, gateways: usize) {
        let gateway = part.other.filter(|_| gateways > 0).map(|index| format!("edge{}", index.index(gateways)));
        // Two clusters may have topics of one name, which a producer could not tell apart.
        let mut names = BTreeSet::new();
        let topics: Vec<String> = self.topics_of(part).into_iter().filter(|topic| names.insert(name_of(topic))).collect();
        let schema = || if part.schemas { json!({"schema": "orders-value"}) } else { json!({"size": "150B"}) };
        let events: Vec<Json> = match &gateway {
            Some(_) => vec![merged(json!({"type": "Order"}), schema())],
            None => topics.iter().map(|topic| merged(json!({"type": "Order", "topic": name_of(topic)}), schema())).collect(),
        };
        self.add(id, "producer", merged(part.params.clone(), json!({"events": events})));
        match gateway {
            Some(gateway) => self.link(format!("{id}.out"), format!("{gateway}.in")),
            None => topics.into_iter().for_each(|topic| self.link(format!("{id}.out"), topic)),
        }
    }

    fn gateway(&mut self, id: &str, part: &Part) {
        // Without routes everything goes to the only topic.
        let topic = self.topics_of(part).remove(0);
        self.add(id, "gateway", part.params.clone());
        self.link(format!("{id}.records"), topic);
    }

    fn consumer(&mut self, id: &str, part: &Part) {
        self.add(id, "consumer", part.params.clone());
        for topic in self.topics_of(part) {
            self.link(topic, format!("{id}.in"));
        }
        if let Some(index) = part.other {
            let topic = self.topics[index.index(self.topics.len())].clone();
            // They may come back to who wrote them. Where nothing on the way takes time, the run says that it stands still.
            let wire = self.wires[self.project.links.len() % self.wires.len()].clone();
            let wire = if wire == json!({"latency": "0s"}) { json!({}) } else { wire };
            self.link_by(format!("{id}.dead_letters"), topic, wire);
        }
    }
}

fn name_of(topic: &str) -> String {
    topic.split_once('.').expect("cluster.topic").1.to_owned()
}

fn assemble(parts: &Parts) -> Project {
    let project = Project { name: "random".to_owned(), seed: parts.seed, ..Project::default() };
    let mut all = Assembly { project, wires: parts.wires.clone(), topics: Vec::new() };
    let schema = SchemaSource { path: None, text: SCHEMA.into() };
    all.project.schemas.insert("order".to_owned(), schema);
    all.add("schemas", "registry", json!({"subjects": {"orders-value": {"versions": ["order"]}}}));
    for (number, (params, topics)) in parts.clusters.iter().enumerate() {
        let id = format!("shop{number}");
        let topics: serde_json::Map<String, Json> =
            topics.iter().enumerate().map(|(topic, row)| (format!("t{topic}"), row.clone())).collect();
        all.topics.extend(topics.keys().map(|topic| format!("{id}.{topic}")));
        all.add(&id, "kafka", merged(params.clone(), json!({"topics": topics})));
    }
    for (number, part) in parts.gateways.iter().enumerate() {
        all.gateway(&format!("edge{number}"), part);
    }
    for (number, part) in parts.producers.iter().enumerate() {
        all.producer(&format!("web{number}"), part, parts.gateways.len());
    }
    for (number, part) in parts.consumers.iter().enumerate() {
        all.consumer(&format!("work{number}"), part);
    }
    let users = [("edge", &parts.gateways), ("web", &parts.producers), ("work", &parts.consumers)];
    for (stem, list) in users {
        for (number, _) in list.iter().enumerate().filter(|(_, part)| part.schemas || part.params.get("validate").is_some()) {
            all.link(format!("{stem}{number}.schemas"), "schemas.in".to_owned());
        }
    }
    let faults = parts.faults.iter().filter_map(|(at_ms, index, action)| {
        let (stem, count) = if action.ends_with("instance") { ("work", parts.consumers.len()) } else { ("web", parts.producers.len()) };
        let at = SimTime::ZERO + SimDuration::from_ms(*at_ms);
        let component = (count > 0).then(|| format!("{stem}{}", index.index(count)))?;
        let target = FaultTarget::Component(component);
        Some(TimedFault { at, target, action: (*action).to_owned(), params: IndexMap::new() })
    });
    let strokes = parts.strokes.iter().map(|(at_ms, index, stroke)| {
        let links = &all.project.links;
        let mut params = stroke.as_object().expect("a group of fields").clone();
        let action = params.remove("action").expect("each has one");
        let target = if action == "freeze" || links.is_empty() {
            let ids: Vec<&String> = all.project.components.keys().collect();
            FaultTarget::Component(ids[index.index(ids.len())].clone())
        } else {
            let link = &links[index.index(links.len())];
            FaultTarget::Link(link.from.clone(), link.to.clone())
        };
        let action = action.as_str().filter(|_| matches!(target, FaultTarget::Link(..))).unwrap_or("freeze").to_owned();
        if action == "freeze" {
            params.retain(|name, _| name == "for");
        }
        TimedFault { at: SimTime::ZERO + SimDuration::from_ms(*at_ms), target, action, params: values(Json::Object(params)) }
    });
    let mut faults: Vec<TimedFault> = faults.chain(strokes).collect();
    faults.sort_by_key(|fault| fault.at);
    let scenario = Scenario { length: Some(LENGTH), faults, ..Scenario::default() };
    all.project.scenarios.insert("random".to_owned(), scenario);
    all.project
}

fn run(project: &Project) -> Result<Report, String> {
    let errors = |problems: Vec<Diagnostic>| {
        problems.iter().filter(|one| one.severity == Severity::Error).map(|one| format!("{one}\n")).collect::<String>()
    };
    let plan = compile(project, &RunOptions::default()).map_err(errors)?;
    run_headless(plan, &mut |_| ControlFlow::Continue(())).map_err(|failure| failure.to_string())
}

/// The report without what may differ.
fn bytes(report: &Report) -> String {
    report_json(&Report { wall: Wall::default(), ..report.clone() })
}

/// The components' figures of a run that goes on from a checkpoint at half.
fn from_a_checkpoint(project: &Project) -> String {
    let mut sim = Sim::new(compile(project, &RunOptions::default()).expect("it compiled before")).expect("it starts");
    let half = SimTime::from_ns(LENGTH.as_ns() / 2 + 12_345);
    while !sim.run_until(half, 997).expect("it runs") {}
    let mut checkpoint = sim.clone();
    drop(sim);
    while !checkpoint.run_until(SimTime::MAX, 100_003).expect("it runs") {}
    serde_json::to_string(&checkpoint.recorder().report(ReportHead::default()).components).expect("plain data")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_designs_account_for_every_event(parts in parts()) {
        let project = assemble(&parts);
        let design = || write(&project);
        let run = || run(&project).map_err(|words| TestCaseError::fail(format!("{words}\n{}", design())));
        let report = run()?;
        prop_assert!(report.ledger.balanced, "{:#?}\n{}", report.ledger, design());
        for (id, figures) in &report.components {
            let side = |name: &str| figures.get(name).copied();
            prop_assert_eq!(side("littles_area_s"), side("littles_sojourn_s"), "Little's law at {}\n{}", id, design());
        }
        prop_assert_eq!(bytes(&report), bytes(&run()?), "two runs\n{}", design());
        if parts.seed % 4 == 0 {
            let components = serde_json::to_string(&report.components).expect("plain data");
            prop_assert_eq!(from_a_checkpoint(&project), components, "from a checkpoint\n{}", design());
        }
    }
    #[test]
    fn commits_before_work_repeat_nothing(mut parts in parts()) {
        for consumer in &mut parts.consumers {
            consumer.params = merged(consumer.params.clone(), json!({"commit": "before"}));
            let fields = consumer.params.as_object_mut().expect("a group of fields");
            fields.remove("auto_commit_interval");
            // Members that disagree on where a group begins may read what one of them has skipped.
            fields.remove("group");
        }
        let project = assemble(&parts);
        let ledger = run(&project).map_err(TestCaseError::fail)?.ledger;
        prop_assert!(ledger.balanced, "{:#?}\n{}", ledger, write(&project));
        if ledger.submissions.duplicate_appends == 0 {
            prop_assert_eq!(ledger.obligations.duplicate_deliveries, 0, "{}", write(&project));
        }
    }
}
