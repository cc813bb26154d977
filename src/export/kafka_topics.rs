//! A design's topics as a shell script that creates them with Kafka's own `kafka-topics.sh`, and its access control
//! lists with `kafka-acls.sh`.
//!
//! Each cluster has a variable for its bootstrap servers. Names are quoted for the shell, whatever they are.

use std::fmt::Write;

use super::support::acls::{AclRow, acls};
use super::support::topics::{TopicSettings, topics};
use super::{Exporter, Writer};
use crate::model::Project;

pub(super) const EXPORTER: Exporter = Exporter {
    name: "kafka-topics",
    extension: "sh",
    help: "A script that creates its topics and ACLs with kafka-topics.sh and kafka-acls.sh",
    write: Writer::Project(write),
};

fn write(project: &Project) -> String {
    let mut out = format!(
        "#!/bin/sh\n# Topics of {}. Existing topics are left as they are.\n# KAFKA_TOPICS names the tool, the variables of the clusters their bootstrap servers.\nset -eu\n\nKAFKA_TOPICS=\"${{KAFKA_TOPICS:-kafka-topics.sh}}\"\n",
        comment(&project.name)
    );
    let (topics, acls) = (topics(project), acls(project));
    let mut cluster = None;
    for topic in &topics {
        if cluster != Some(&topic.cluster) {
            let variable = variable(&topic.cluster);
            let _ = write!(out, "\n# Cluster {}\n{variable}=\"${{{variable}:-localhost:9092}}\"\n", comment(&topic.cluster));
            cluster = Some(&topic.cluster);
        }
        create(topic, &mut out);
    }
    if topics.is_empty() {
        out.push_str("\n# This design has no topics.\n");
    }
    // A cluster without topics has no variable, and nobody to keep from them.
    let acls: Vec<&AclRow> = acls.iter().filter(|acl| topics.iter().any(|topic| topic.cluster == acl.cluster)).collect();
    if !acls.is_empty() {
        out.push_str("\n# Who may do what\nKAFKA_ACLS=\"${KAFKA_ACLS:-kafka-acls.sh}\"\n");
    }
    for acl in acls {
        allow(acl, &mut out);
    }
    out
}

fn allow(acl: &AclRow, out: &mut String) {
    let permission = if acl.denies { "deny" } else { "allow" };
    let _ = write!(
        out,
        "\n\"$KAFKA_ACLS\" --bootstrap-server \"${}\" --add --{permission}-principal {} --operation {} \\\n  --{}",
        variable(&acl.cluster),
        quoted(&acl.principal),
        quoted(&acl.operation),
        acl.resource
    );
    if acl.resource != "cluster" {
        let _ = write!(out, " {}", quoted(&acl.name));
    }
    if acl.is_prefix && acl.resource != "cluster" {
        out.push_str(" --resource-pattern-type prefixed");
    }
    out.push('\n');
}

fn create(topic: &TopicSettings, out: &mut String) {
    if let Some(description) = &topic.description {
        let _ = write!(out, "\n# {}", comment(description));
    }
    let _ = write!(
        out,
        "\n\"$KAFKA_TOPICS\" --bootstrap-server \"${}\" --create --if-not-exists --topic {} \\\n  --partitions {} --replication-factor {}",
        variable(&topic.cluster),
        quoted(&topic.name),
        topic.partitions,
        topic.replication
    );
    for (key, value) in &topic.config {
        let _ = write!(out, " \\\n  --config {}", quoted(&format!("{key}={value}")));
    }
    out.push('\n');
}

/// `shop-1` → `SHOP_1_BOOTSTRAP`.
fn variable(cluster: &str) -> String {
    let name: String = cluster.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    format!("{}{name}_BOOTSTRAP", if digit { "_" } else { "" })
}

/// Safe in a shell: single quotes, with those inside broken out.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-=,/:".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// One line, whatever the text holds.
fn comment(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}
