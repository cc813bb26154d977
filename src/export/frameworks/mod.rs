//! Project skeletons for service frameworks: what a design says of its consumers, services and producers, as code to fill in.
//!
//! In: a design. Out: files with their paths. Names of a design are hostile: what becomes a Java name is made of letters and
//! digits, what becomes YAML or a Java text is quoted. Start at [`functions`]; `java.rs` writes what both frameworks share.

mod java;
mod micronaut;
mod spring;

pub(super) use micronaut::EXPORTER as MICRONAUT;
pub(super) use spring::EXPORTER as SPRING;

use indexmap::{IndexMap, IndexSet};
use serde_json::Value as Json;

use crate::components::{Params, by_id, params_of};
use crate::model::{Component, Project};
use crate::units::SimDuration;

/// A consumer, a service or a producer as a framework sees it.
#[derive(Clone, Debug)]
struct Function {
    id: String,
    /// `OrderList`.
    class: String,
    /// `orderList`.
    name: String,
    about: String,
    reads: Vec<String>,
    writes: Vec<String>,
    dead_letters: Option<String>,
    group: String,
    takes: Vec<String>,
    /// Type and topic.
    makes: Vec<(String, String)>,
    concurrency: i64,
    instances: i64,
    attempts: i64,
    backoff_ms: u64,
    earliest: bool,
    commit: String,
    poll_size: i64,
    /// Records that wait for the application's own threads.
    pool_queue: Option<i64>,
    /// What the design says beyond this.
    beyond: Vec<String>,
}

/// Events by type: fields and their Java types.
type Events = IndexMap<String, Vec<(String, &'static str)>>;

/// What a skeleton says of itself. `of` gives what a function is called there, and what else there is to say of it, a line.
fn readme(project: &Project, functions: &[Function], how: &str, of: impl Fn(&Function) -> (&str, String)) -> String {
    let (name, aim) = (java::comment(&project.name), java::comment(&project.aim));
    let mut out = format!("# {name}\n\n{aim}\n\nMade by Eventyard from a design; {how}\n\n");
    for function in functions {
        let (called, beyond) = of(function);
        let Function { instances, reads, writes, .. } = function;
        let id = java::comment(&function.id);
        out.push_str(&format!(
            "- `{called}` is `{id}` of the design: {instances} instance(s), reads {reads:?}, writes {writes:?}.\n{beyond}"
        ));
        if !function.beyond.is_empty() {
            out.push_str(&format!("  Still to be done: {}.\n", function.beyond.join("; ")));
        }
    }
    out
}

/// What a design says of a consumer or a service that a skeleton leaves to whoever fills it in.
fn beyond(project: &Project, id: &str, component: &Component, params: &Params<'_>) -> Vec<String> {
    let mut list = Vec::new();
    let queues = ends_at(project, id, "in", |kind| matches!(kind, "queue" | "fanout"));
    if !queues.is_empty() {
        let names: Vec<String> = queues.iter().map(|(component, _)| java::comment(component)).collect();
        list.push(format!("it takes messages of {} too", names.join(", ")));
    }
    if params.flag("retry_topics") {
        list.push("what fails is written to retry topics, and tried again from there".to_owned());
    }
    if params.text("autoscale") != "off" {
        let [least, most] = ["instances_min", "instances_max"].map(|name| params.count(name));
        list.push(format!("its platform gives it {least} to {most} instances, by {}", params.text("autoscale")));
    }
    if component.kind == "service" {
        let of_role = match params.text("role").as_str() {
            "projection" => "it keeps a read model",
            "saga" => "it runs a saga: its steps, their compensations and timeouts",
            "aggregate" => "it decides commands on event-sourced aggregates",
            _ => "",
        };
        list.extend((!of_role.is_empty()).then(|| of_role.to_owned()));
        if params.is_given("call_time") {
            list.push("it calls another system, guarded by what the design says of time limits, tries, bulkhead and breaker".to_owned());
        }
    }
    list
}

/// Topics at the far ends of a port's links: names as they are in their clusters.
fn topics_at(project: &Project, id: &str, port: &str) -> Vec<String> {
    let topics: IndexSet<String> = ends_at(project, id, port, |kind| kind == "kafka").into_iter().map(|(_, topic)| topic).collect();
    topics.into_iter().collect()
}

/// Components of some kinds at the far ends of a port's links, with their ports; each once.
fn ends_at(project: &Project, id: &str, port: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let has_kind = |component: &str| project.components.get(component).is_some_and(|component| is_wanted(&component.kind));
    let mut ends: Vec<(String, String)> = Vec::new();
    for link in &project.links {
        let other = if link.from.component == id && link.from.port == port {
            &link.to
        } else if link.to.component == id && link.to.port == port {
            &link.from
        } else {
            continue;
        };
        let end = (other.component.clone(), other.port.clone());
        if has_kind(&other.component) && !ends.contains(&end) {
            ends.push(end);
        }
    }
    ends
}

/// What each component makes, and on which topic.
fn made(project: &Project, id: &str, component: &Component) -> Vec<(String, String)> {
    let Some(params) = params_of(component) else { return Vec::new() };
    let mut made = Vec::new();
    match component.kind.as_str() {
        "producer" => {
            let topics = topics_at(project, id, "out");
            for row in params.rows("events") {
                let topic = row.optional_text("topic").or_else(|| topics.first().cloned());
                made.extend(topic.map(|topic| (row.text("type"), topic)));
            }
        }
        "service" => {
            let topics = topics_at(project, id, "events");
            let routes: Vec<(String, String)> = params.rows("routes").iter().map(|row| (row.text("type"), row.text("topic"))).collect();
            let types = by_id("service").map(|kind| kind.declares(id, component).event_types).unwrap_or_default();
            for ty in types {
                let topic = routes.iter().find(|(name, _)| *name == ty).map(|(_, topic)| topic.clone()).or_else(|| topics.first().cloned());
                made.extend(topic.map(|topic| (ty, topic)));
            }
        }
        "consumer" => {
            let topics = topics_at(project, id, "results");
            made.extend(params.optional_text("result_type").zip(topics.first().cloned()));
        }
        _ => {}
    }
    made.dedup();
    made
}

/// Everything that reads or writes topics, in file order.
fn functions(project: &Project) -> Vec<Function> {
    let all_made: Vec<(String, String)> = project.components.iter().flat_map(|(id, component)| made(project, id, component)).collect();
    let mut functions: Vec<Function> = Vec::new();
    for (id, component) in &project.components {
        if !matches!(component.kind.as_str(), "consumer" | "service" | "producer") {
            continue;
        }
        let Some(params) = params_of(component) else { continue };
        let reads = topics_at(project, id, "in");
        let makes = made(project, id, component);
        let writes: IndexSet<String> = makes.iter().map(|(_, topic)| topic.clone()).collect();
        let writes: Vec<String> = writes.into_iter().collect();
        let is_reader = component.kind != "producer";
        let beyond = if is_reader { beyond(project, id, component, &params) } else { Vec::new() };
        if reads.is_empty() && writes.is_empty() {
            continue;
        }
        let takes: IndexSet<String> = all_made.iter().filter(|(_, topic)| reads.contains(topic)).map(|(ty, _)| ty.clone()).collect();
        let takes: Vec<String> = takes.into_iter().collect();
        let class = unique(java::class_name(id), &functions);
        let count = |name: &str, or: i64| if is_reader { params.count(name) } else { or };
        functions.push(Function {
            name: java::decapitalised(&class),
            class,
            about: component.description.clone().or_else(|| component.title.clone()).unwrap_or_else(|| id.clone()),
            group: if is_reader { params.optional_text("group").unwrap_or_else(|| id.clone()) } else { String::new() },
            dead_letters: topics_at(project, id, "dead_letters").into_iter().next(),
            concurrency: count("concurrency", 1),
            instances: count("instances", 1),
            attempts: count("max_attempts", 1),
            backoff_ms: if is_reader { millis(params.duration("retry_backoff")) } else { 0 },
            earliest: is_reader && params.text("offset_reset") == "earliest",
            commit: if is_reader { params.text("commit") } else { String::new() },
            poll_size: count("poll_size", 500),
            pool_queue: (is_reader && params.is_given("pool_queue")).then(|| params.count("pool_queue")),
            beyond,
            id: id.clone(),
            reads,
            writes,
            takes,
            makes,
        });
    }
    functions
}

fn unique(class: String, taken: &[Function]) -> String {
    let is_taken = |name: &str| taken.iter().any(|function| function.class == name);
    if !is_taken(&class) {
        return class;
    }
    (2..).map(|number| format!("{class}{number}")).find(|name| !is_taken(name)).unwrap_or(class)
}

fn millis(span: SimDuration) -> u64 {
    span.as_ns() / 1_000_000
}

/// Fields of every type of event, from the schemas that producers write with and from what services say of theirs.
fn events(project: &Project) -> Events {
    let mut events = Events::new();
    for (id, component) in &project.components {
        let Some(params) = params_of(component) else { continue };
        if component.kind == "producer" {
            for row in params.rows("events") {
                let schema = row.optional_text("schema").and_then(|name| project.schemas.get(&name));
                let fields = schema.map(|schema| schema_fields(&schema.text)).unwrap_or_default();
                let entry = events.entry(row.text("type")).or_default();
                if entry.is_empty() {
                    *entry = fields;
                }
            }
        }
        for (ty, _) in made(project, id, component) {
            events.entry(ty).or_default();
        }
        if component.kind == "service" {
            let types: Vec<(String, String)> = params.rows("fields").iter().map(|row| (row.text("name"), row.text("type"))).collect();
            for row in params.rows("commands") {
                let data = row.text("data");
                for ty in row.words("emits") {
                    let fields = events.entry(ty).or_default();
                    for (name, _) in crate::machines::event_store::split_assignments(&data).unwrap_or_default() {
                        let found = types.iter().find(|(field, _)| field == name).map_or("", |(_, ty)| ty.as_str());
                        if !fields.iter().any(|(field, _)| field == name) {
                            fields.push((name.to_owned(), java::scalar(found)));
                        }
                    }
                }
            }
        }
    }
    events
}

/// The top fields of an Avro record or of a JSON Schema's object.
fn schema_fields(text: &str) -> Vec<(String, &'static str)> {
    let Ok(schema) = serde_json::from_str::<Json>(text) else { return Vec::new() };
    if let Some(fields) = schema["fields"].as_array() {
        let field = |field: &Json| Some((field["name"].as_str()?.to_owned(), java::of_schema(&field["type"])));
        return fields.iter().filter_map(field).collect();
    }
    let properties = schema["properties"].as_object();
    properties.into_iter().flatten().map(|(name, schema)| (name.clone(), java::of_schema(&schema["type"]))).collect()
}
