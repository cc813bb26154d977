//! What `kafka-topics.sh --describe` prints, as a cluster with its topics.
//!
//! ```text
//! Topic: orders    TopicId: 8Jr…    PartitionCount: 6    ReplicationFactor: 3    Configs: min.insync.replicas=2,segment.bytes=1073741824
//!     Topic: orders    Partition: 0    Leader: 1    Replicas: 1,2,0    Isr: 1,2,0    Elr:     LastKnownElr:
//! ```
//!
//! Source: TopicCommand.TopicDescription and PartitionDescription (Kafka 2.x to 4.0; older ones print no blank after a colon).

use std::collections::BTreeSet;

use indexmap::IndexMap;
use regex::Regex;

use super::{Imported, Importer};
use crate::components::by_id;
use crate::diagnostics::{Diagnostic, Place};
use crate::model::{Component, ParamSpec, ParamType, Project, Value};
use crate::units::{Bytes, SimDuration};

pub(super) const IMPORTER: Importer =
    Importer { name: "kafka-topics", help: "What kafka-topics.sh --describe prints, as a cluster with its topics", read };

/// More topics than this are not taken over.
const TOPICS_MAX: usize = 10_000;
/// The component that the cluster becomes.
const CLUSTER: &str = "kafka";
/// A setting of a topic that is one of the whole cluster here.
const MIN_IN_SYNC: &str = "min.insync.replicas";
/// What the tool prints before each value.
const LABELS: &str = r"(?:^|\s)(TopicId|Topic|PartitionCount|ReplicationFactor|Configs|Partition|Leader|Replicas|Isr|Elr|LastKnownElr|Offline|Adding Replicas|Removing Replicas|MarkedForDeletion):";

#[derive(Default)]
struct Reader {
    topics: IndexMap<String, Topic>,
    nodes: BTreeSet<i64>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Default)]
struct Topic {
    line: u32,
    params: IndexMap<String, Value>,
    declared: i64,
    seen: i64,
    min_in_sync: Option<i64>,
}

fn read(text: &str) -> Imported {
    let labels = Regex::new(LABELS).expect("the pattern is a constant");
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(text.lines()) {
        let fields = fields(&labels, line);
        let field = |name: &str| fields.iter().find(|(label, _)| *label == name).map(|(_, value)| *value);
        match (field("Topic"), field("PartitionCount"), field("Partition")) {
            (Some(name), Some(count), _) => reader.topic(number, name, count, field("ReplicationFactor"), field("Configs")),
            (Some(name), None, Some(_)) => reader.partition(number, name, field("Replicas").unwrap_or_default()),
            _ if line.trim().is_empty() => {}
            _ => reader.say(Diagnostic::note("import-line", "", "this line says nothing of a topic, and was passed over"), number),
        }
    }
    reader.finish()
}

/// The labelled values of a line.
fn fields<'a>(labels: &Regex, line: &'a str) -> Vec<(&'a str, &'a str)> {
    let found: Vec<_> = labels.captures_iter(line).filter_map(|found| Some((found.get(0)?, found.get(1)?))).collect();
    let ends = found.iter().skip(1).map(|(whole, _)| whole.start()).chain([line.len()]);
    found.iter().zip(ends).map(|((whole, label), end)| (label.as_str(), line[whole.end()..end].trim())).collect()
}

impl Reader {
    fn say(&mut self, diagnostic: Diagnostic, line: u32) {
        self.diagnostics.push(diagnostic.at(Place { line, column: 1 }));
    }

    fn topic(&mut self, line: u32, name: &str, count: &str, replication: Option<&str>, configs: Option<&str>) {
        if self.topics.contains_key(name) {
            return self.say(Diagnostic::warning("import-twice", name, "the topic is described twice; the first one counts"), line);
        }
        if self.topics.len() >= TOPICS_MAX {
            return self.say(Diagnostic::error("import-size", name, format!("more than {TOPICS_MAX} topics")), line);
        }
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number > 0);
        let (Some(partitions), Some(replication)) = (number(count), number(replication.unwrap_or("1"))) else {
            let diagnostic = Diagnostic::error("import-number", name, "partition count and replication factor are whole numbers above 0");
            return self.say(diagnostic.with_hint("paste the output of kafka-topics.sh --describe as it is"), line);
        };
        let params = [("partitions", partitions), ("replication", replication)];
        let params = params.into_iter().map(|(name, number)| (name.to_owned(), Value::Int(number))).collect();
        let mut topic = Topic { line, params, declared: partitions, ..Topic::default() };
        for (key, value) in settings(configs.unwrap_or_default()) {
            self.setting(line, name, &mut topic, key, &value);
        }
        self.topics.insert(name.to_owned(), topic);
    }

    fn setting(&mut self, line: u32, name: &str, topic: &mut Topic, key: &str, value: &str) {
        if key == MIN_IN_SYNC {
            topic.min_in_sync = value.parse().ok();
            return;
        }
        let Some(spec) = topic_specs().iter().find(|spec| spec.product_key == Some(key)) else {
            let diagnostic = Diagnostic::note("import-setting", name, format!("`{key}={value}` is not simulated, and was left out"));
            return self.say(diagnostic, line);
        };
        match ours(spec, value) {
            Some(value) => drop(topic.params.insert(spec.name.to_owned(), value)),
            None if value == "-1" => {}
            None => {
                self.say(Diagnostic::warning("import-setting", name, format!("`{key}={value}` cannot be read, and was left out")), line)
            }
        }
    }

    fn partition(&mut self, line: u32, name: &str, replicas: &str) {
        self.nodes.extend(replicas.split(',').filter_map(|node| node.trim().parse::<i64>().ok()));
        match self.topics.get_mut(name) {
            Some(topic) => topic.seen += 1,
            None => self.say(Diagnostic::warning("import-orphan", name, "a partition of a topic that was not described before"), line),
        }
    }

    fn finish(mut self) -> Imported {
        if self.topics.is_empty() {
            let diagnostic = Diagnostic::error("import-empty", "", "the text describes no topic");
            self.say(diagnostic.with_hint("give it what kafka-topics.sh --describe prints"), 1);
        }
        let short: Vec<_> = self.topics.iter().filter(|(_, topic)| topic.seen > 0 && topic.seen != topic.declared).collect();
        let short: Vec<_> = short.into_iter().map(|(name, topic)| (name.clone(), topic.line, topic.seen, topic.declared)).collect();
        for (name, line, seen, declared) in short {
            self.say(Diagnostic::warning("import-partial", name, format!("{seen} of {declared} partitions are described")), line);
        }
        let mut params = IndexMap::new();
        let widest = self.topics.values().filter_map(|topic| topic.params["replication"].to_field_text().parse().ok()).max();
        params.insert("brokers".to_owned(), Value::Int((self.nodes.len() as i64).max(widest.unwrap_or(1))));
        if let Some(in_sync) = self.min_in_sync() {
            params.insert("min_insync_replicas".to_owned(), Value::Int(in_sync));
        }
        let topics = self.topics.into_iter().map(|(name, topic)| (name, Value::Map(topic.params)));
        params.insert("topics".to_owned(), Value::Map(topics.collect()));
        let cluster = Component { kind: "kafka".to_owned(), params, ..Component::default() };
        let project = Project {
            name: "Imported topics".to_owned(),
            aim: "A cluster as kafka-topics.sh --describe printed it. Link producers and consumers to its topics.".to_owned(),
            components: IndexMap::from([(CLUSTER.to_owned(), cluster)]),
            ..Project::default()
        };
        Imported { project, diagnostics: self.diagnostics }
    }

    /// What most topics ask for: the cluster has one setting for all.
    fn min_in_sync(&mut self) -> Option<i64> {
        let mut votes: IndexMap<i64, usize> = IndexMap::new();
        for in_sync in self.topics.values().filter_map(|topic| topic.min_in_sync) {
            *votes.entry(in_sync).or_default() += 1;
        }
        let chosen = votes.iter().max_by_key(|(_, count)| **count).map(|(in_sync, _)| *in_sync)?;
        let others = self.topics.iter().filter(|(_, topic)| topic.min_in_sync.is_some_and(|in_sync| in_sync != chosen));
        let others: Vec<_> = others.map(|(name, topic)| (name.clone(), topic.line)).collect();
        for (name, line) in others {
            let message = format!("{MIN_IN_SYNC} is one setting of the whole cluster here: it is {chosen}");
            self.say(Diagnostic::warning("import-setting", name, message), line);
        }
        Some(chosen)
    }
}

/// `a=1,b=x,y,c=2`: values may hold commas, names do not hold `=`.
fn settings(text: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for part in text.split(',') {
        match (part.split_once('='), found.last_mut()) {
            (Some((key, value)), _) => found.push((key.trim(), value.trim().to_owned())),
            (None, Some((_, value))) => *value = format!("{value},{}", part.trim()),
            (None, None) => {}
        }
    }
    found
}

fn topic_specs() -> &'static [ParamSpec] {
    let kind = by_id("kafka").expect("Kafka is in the list of kinds");
    let topics = kind.spec().params.iter().find(|spec| spec.name == "topics").expect("a cluster has topics");
    match topics.ty {
        ParamType::Named(specs) => specs,
        _ => &[],
    }
}

/// A value of Kafka's in our units.
fn ours(spec: &ParamSpec, value: &str) -> Option<Value> {
    let number = || value.parse::<u64>().ok();
    Some(match spec.ty {
        ParamType::Duration { .. } => Value::Text(SimDuration::from_ns(number()?.checked_mul(1_000_000)?).to_string()),
        ParamType::Size { .. } => Value::Text(Bytes(number()?).to_string()),
        ParamType::Count { .. } => Value::Int(value.parse().ok()?),
        ParamType::Ratio { .. } => Value::Float(value.parse().ok().filter(|number: &f64| number.is_finite())?),
        ParamType::Bool => Value::Bool(value.parse().ok()?),
        _ => Value::Text(value.to_owned()),
    })
}
