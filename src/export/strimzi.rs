//! A design's topics as Strimzi's `KafkaTopic` resources, and its access control lists as `KafkaUser`s, one YAML document
//! each.
//!
//! Source: the KafkaTopic, KafkaUser and AclRule schemas of Strimzi's API `kafka.strimzi.io/v1` (since 0.49; the only one since 1.0).

use std::collections::BTreeSet;
use std::fmt::Write;

use super::support::acls::{AclRow, acls};
use super::support::topics::{TopicSettings, topics};
use super::{Exporter, Writer};
use crate::model::Project;

pub(super) const EXPORTER: Exporter = Exporter {
    name: "strimzi",
    extension: "yaml",
    help: "Its topics and users as KafkaTopic and KafkaUser resources for Strimzi on Kubernetes",
    write: Writer::Project(write),
};

/// Longest name of a Kubernetes resource (a DNS subdomain, RFC 1123).
const NAME_CHARS_MAX: usize = 253;
/// Longest value of a label.
const LABEL_CHARS_MAX: usize = 63;

fn write(project: &Project) -> String {
    let mut taken = BTreeSet::new();
    let topics: Vec<String> = topics(project).iter().map(|topic| document(topic, &mut taken)).collect();
    if topics.is_empty() {
        return "# This design has no topics.\n".to_owned();
    }
    topics.into_iter().chain(users(&acls(project))).collect::<Vec<_>>().join("---\n")
}

/// One user for each principal of each cluster. Rules for everybody belong to no user: they are told in a comment.
fn users(acls: &[AclRow]) -> Vec<String> {
    let mut users: Vec<(&str, &str, Vec<&AclRow>)> = Vec::new();
    for acl in acls {
        let key = (acl.cluster.as_str(), acl.principal.as_str());
        match users.iter_mut().find(|(cluster, principal, _)| (*cluster, *principal) == key) {
            Some((_, _, rules)) => rules.push(acl),
            None => users.push((key.0, key.1, vec![acl])),
        }
    }
    users.into_iter().map(|(cluster, principal, rules)| user(cluster, principal, &rules)).collect()
}

fn user(cluster: &str, principal: &str, rules: &[&AclRow]) -> String {
    let name = principal.strip_prefix("User:").filter(|name| resource_name(name, NAME_CHARS_MAX) == **name);
    let Some(name) = name else {
        let words: String = principal.chars().filter(|c| !c.is_control()).collect();
        return format!("# {words} can be no KafkaUser: give its {} ACLs to the users that they are for.\n", rules.len());
    };
    let mut out = format!(
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaUser\nmetadata:\n  name: {}\n  labels:\n    strimzi.io/cluster: {}\nspec:\n  authorization:\n    type: simple\n    acls:\n",
        quoted(name),
        quoted(&resource_name(cluster, LABEL_CHARS_MAX))
    );
    for rule in rules {
        let kind = if rule.resource == "transactional-id" { "transactionalId" } else { &rule.resource };
        let _ = writeln!(out, "      - type: {}", if rule.denies { "deny" } else { "allow" });
        let _ = writeln!(out, "        resource:\n          type: {kind}");
        if rule.resource != "cluster" {
            let pattern = if rule.is_prefix { "prefix" } else { "literal" };
            let _ = writeln!(out, "          name: {}\n          patternType: {pattern}", quoted(&rule.name));
        }
        let _ = writeln!(out, "        operations:\n          - {}", quoted(&rule.operation));
    }
    out
}

fn document(topic: &TopicSettings, taken: &mut BTreeSet<String>) -> String {
    let stem = resource_name(&topic.name, NAME_CHARS_MAX - 6);
    let name = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") }).find(|name| taken.insert(name.clone()));
    let name = name.expect("numbers do not run out");
    let mut out = format!(
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nmetadata:\n  name: {}\n  labels:\n    strimzi.io/cluster: {}\nspec:\n",
        quoted(&name),
        quoted(&resource_name(&topic.cluster, LABEL_CHARS_MAX))
    );
    if name != topic.name {
        let _ = writeln!(out, "  topicName: {}", quoted(&topic.name));
    }
    let _ = writeln!(out, "  partitions: {}\n  replicas: {}", topic.partitions, topic.replication);
    if !topic.config.is_empty() {
        out.push_str("  config:\n");
        for (key, value) in &topic.config {
            let plain = value.parse::<i64>().is_ok() || value.parse::<bool>().is_ok();
            let value = if plain { value.clone() } else { quoted(value) };
            let _ = writeln!(out, "    {key}: {value}");
        }
    }
    out
}

/// What Kubernetes takes as a name: lower case, digits, `-` and `.`, a letter or digit at both ends.
fn resource_name(text: &str, chars_max: usize) -> String {
    let lower = text.chars().map(|c| c.to_ascii_lowercase());
    let name: String = lower.map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(chars_max).collect();
    let trimmed = name.trim_matches(['-', '.']);
    if trimmed.is_empty() { "topic".to_owned() } else { trimmed.to_owned() }
}

/// A YAML string in double quotes: JSON's escapes are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
