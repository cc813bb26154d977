//! Agreement with Kafka's own classes: assignors and the clients' defaults.

use std::collections::BTreeMap;
use std::sync::Arc;

use eventyard::components;
use eventyard::event::{Assignor, Subscription};
use eventyard::machines::broker::client::assign;
use eventyard::model::ParamType;
use eventyard::units::{Bytes, SimDuration, TopicIx};
use serde_json::Value as Json;

use super::cases;

fn texts(list: &Json) -> Vec<&str> {
    list.as_array().map(|list| list.iter().filter_map(Json::as_str).collect()).unwrap_or_default()
}

/// A group of a case; topics are numbered in the order of their names, those that do not exist come last.
struct Names<'a>(Vec<&'a str>);

impl<'a> Names<'a> {
    fn of(step: &'a Json) -> Self {
        let mut names: Vec<&str> = step["partitions"].as_object().expect("a table").keys().map(String::as_str).collect();
        names.sort_unstable();
        for member in step["members"].as_array().expect("a list") {
            for topic in texts(&member["topics"]) {
                if !names.contains(&topic) {
                    names.push(topic);
                }
            }
        }
        Self(names)
    }
    fn topic(&self, name: &str) -> Option<TopicIx> {
        self.0.iter().position(|other| *other == name).map(|index| TopicIx(index as u32))
    }
    fn partition(&self, text: &str) -> Option<(TopicIx, u32)> {
        let (topic, partition) = text.rsplit_once('-')?;
        Some((self.topic(topic)?, partition.parse().ok()?))
    }
    fn subscription(&self, member: &Json) -> Subscription {
        Subscription {
            instance: member["instance"].as_str().map(Arc::from),
            topics: texts(&member["topics"]).into_iter().filter_map(|topic| self.topic(topic)).collect(),
            owned: texts(&member["owned"]).into_iter().filter_map(|one| self.partition(one)).collect(),
            generation: member["generation"].as_u64().map(|generation| generation as u32),
            ..Subscription::default()
        }
    }
}

#[test]
fn assignors_deal_as_kafkas_do() {
    let cases = cases::read("kafka_assignors.json");
    assert!(cases.len() >= 50, "the whole file: {}", cases.len());
    for case in &cases {
        let assignor = Assignor::named(case["assignor"].as_str().expect("text")).expect("an assignor");
        let in_order = matches!(assignor, Assignor::Range | Assignor::RoundRobin);
        for (number, step) in case["steps"].as_array().expect("a list").iter().enumerate() {
            let names = Names::of(step);
            let counts = step["partitions"].as_object().expect("a table");
            let topics: Vec<(TopicIx, u32)> =
                counts.iter().filter_map(|(name, count)| Some((names.topic(name)?, count.as_u64()? as u32))).collect();
            let members = step["members"].as_array().expect("a list").iter();
            let members: Vec<_> =
                members.map(|member| (Arc::from(member["id"].as_str().expect("text")), names.subscription(member))).collect();
            let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (id, partitions) in assign(assignor, &members, &topics) {
                let words = partitions.iter().map(|(topic, partition)| format!("{}-{partition}", names.0[topic.index()]));
                found.insert(id.to_string(), words.collect());
            }
            let expected = step["expected"].as_object().expect("a table").iter();
            let mut expected: BTreeMap<String, Vec<String>> =
                expected.map(|(id, list)| (id.clone(), texts(list).into_iter().map(str::to_owned).collect())).collect();
            if !in_order {
                found.values_mut().chain(expected.values_mut()).for_each(|list| list.sort_unstable());
            }
            assert_eq!(found, expected, "{}, step {}", case["name"], number + 1);
        }
    }
}

/// What Kafka 4.0 changed since the snapshot that the file was made from (KIP-1030).
const CHANGED_IN_4: &[&str] = &["linger.ms"];
/// Keys whose parameter says more than Kafka's value, or says it in other words.
const IN_OTHER_WORDS: &[&str] = &["enable.auto.commit", "partition.assignment.strategy"];

#[test]
fn the_clients_defaults_are_kafkas() {
    let text = cases::text("kafka_client_defaults.txt");
    let mut compared = 0;
    for line in text.lines() {
        let (client, setting) = line.split_once(' ').expect("a client and its setting");
        let (key, kafka) = setting.split_once(" =").expect("a key and its default");
        let kind = components::by_id(client).expect("a kind");
        let Some(spec) = kind.spec().params.iter().find(|spec| spec.product_key == Some(key)) else { continue };
        for profile in kind.spec().profiles.iter().filter(|profile| profile.starts_with("kafka-")) {
            let Some(ours) = spec.default_text(Some(profile)) else { continue };
            let changed = *profile == "kafka-4.0" && CHANGED_IN_4.contains(&key);
            if !changed && !IN_OTHER_WORDS.contains(&key) {
                assert_eq!(plain(spec.ty, ours), kafka.trim(), "{client} {key}, {profile}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 20, "only {compared} defaults were compared");
}

/// A default as Kafka writes it: milliseconds, bytes, plain words.
fn plain(ty: ParamType, text: &str) -> String {
    match ty {
        ParamType::Duration { .. } => (text.parse::<SimDuration>().expect("a duration").as_ns() / 1_000_000).to_string(),
        ParamType::Size { .. } => text.parse::<Bytes>().expect("a size").0.to_string(),
        _ => text.to_owned(),
    }
}
