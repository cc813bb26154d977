//! Descriptions as brokers print them, and texts that are none.

use proptest::prelude::*;

use super::read;
use crate::diagnostics::{Severity, has_errors};
use crate::export::project_text;
use crate::model::Value;

const DESCRIBED: &str = "\
Topic: orders\tTopicId: 8JrSw1DvQ1aGm0C8S6eAkA\tPartitionCount: 2\tReplicationFactor: 3\tConfigs: min.insync.replicas=2,cleanup.policy=compact,delete,segment.bytes=1073741824,retention.ms=604800000,flush.ms=1000
\tTopic: orders\tPartition: 0\tLeader: 1001\tReplicas: 1001,1002,1003\tIsr: 1001,1002,1003\tElr: \tLastKnownElr: 
\tTopic: orders\tPartition: 1\tLeader: none\tReplicas: 1002,1003,1004\tIsr: 1002\tElr: N/A\tLastKnownElr: N/A
Topic:audit\tPartitionCount:1\tReplicationFactor:1\tConfigs:
\tTopic: audit\tPartition: 0\tLeader: 1004\tReplicas: 1004\tIsr: 1004
";

#[test]
fn a_description_becomes_a_cluster() {
    let imported = read("kafka-topics", DESCRIBED).expect("a whole description");
    let cluster = &imported.project.components["kafka"].params;
    assert_eq!(cluster["brokers"], Value::Int(4), "nodes by the replicas that are named");
    assert_eq!(cluster["min_insync_replicas"], Value::Int(2));
    let topics = cluster["topics"].as_map().expect("topics by name");
    let orders = topics["orders"].as_map().expect("settings by name");
    assert_eq!((&orders["partitions"], &orders["replication"]), (&Value::Int(2), &Value::Int(3)));
    assert_eq!((&orders["segment_size"], &orders["retention_time"]), (&Value::from("1GiB"), &Value::from("7d")));
    assert_eq!(topics["audit"].as_map().expect("settings by name").len(), 2);
    let notes: Vec<&str> = imported.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert!(notes.iter().any(|note| note.contains("flush.ms=1000")), "{notes:?}");
    assert!(!has_errors(&crate::compile::check(&imported.project)));
}

#[test]
fn what_is_exported_is_created_as_it_was_described() {
    let project = read("kafka-topics", DESCRIBED).expect("a whole description").project;
    let script = project_text(&project, "kafka-topics").expect("a known format");
    for part in ["--topic orders \\\n  --partitions 2 --replication-factor 3", "min.insync.replicas=2", "retention.ms=604800000"] {
        assert!(script.contains(part), "{part} is not in:\n{script}");
    }
    let resources = project_text(&project, "strimzi").expect("a known format");
    assert_eq!(resources.matches("kind: KafkaTopic").count(), 2);
    assert!(resources.contains("    segment.bytes: 1073741824\n"), "{resources}");
}

#[test]
fn other_texts_are_refused_with_their_lines() {
    let found = read("kafka-topics", "total 12\ndrwxr-xr-x 2 me me\n").expect_err("no topics");
    assert!(found.iter().any(|diagnostic| diagnostic.code == "import-empty" && diagnostic.hint.is_some()));
    let found = read("kafka-topics", "Topic: a\tPartitionCount: many\tReplicationFactor: 1\tConfigs:").expect_err("no number");
    assert_eq!(found[0].place.map(|place| place.line), Some(1));
    assert_eq!(found[0].severity, Severity::Error);
}

proptest! {
    #[test]
    fn no_text_panics(text in "(Topic:|Partition:|PartitionCount:|Configs:|=|,|[a-z0-9-]{1,4}|\\t|\\n| ){0,60}") {
        let _ = read("kafka-topics", &text);
    }
}
