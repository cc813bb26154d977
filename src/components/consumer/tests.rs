//! What the consumer's checks say. Its behaviour is tested in whole runs, in `tests/it/clients.rs`.

use serde_json::{Value as Json, json};

use crate::model::{Component, Endpoint, Link, Project};

fn codes(consumer: Json) -> Vec<(String, String)> {
    let mut project = Project::default();
    for (id, kind, params) in
        [("shop", "kafka", json!({"topics": {"orders": {"partitions": 2}}, "brokers": 1})), ("billing", "consumer", consumer)]
    {
        let params = serde_json::from_value(params).expect("parameters are plain data");
        project.components.insert(id.to_owned(), Component { kind: kind.to_owned(), params, ..Component::default() });
    }
    let end = |text| Endpoint::parse(text).expect("component.port");
    project.links.push(Link { from: end("shop.orders"), to: end("billing.in"), ..Link::default() });
    let found = crate::compile::check(&project).into_iter().filter(|diagnostic| diagnostic.path.starts_with("components.billing"));
    found.map(|diagnostic| (diagnostic.code, diagnostic.path)).collect()
}

#[test]
fn checks_name_the_place() {
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    assert_eq!(codes(json!({})), []);
    assert_eq!(codes(json!({"instances": 3})), one("instances-idle", "components.billing.instances"));
    assert_eq!(codes(json!({"on_failure": "dead_letter"})), one("link-missing", "components.billing.on_failure"));
    assert_eq!(codes(json!({"heartbeat_interval": "1min"})), one("setting-contradiction", "components.billing.heartbeat_interval"));
    assert_eq!(
        codes(json!({"fetch_max_wait": "30s", "request_timeout": "30s"})),
        one("setting-contradiction", "components.billing.fetch_max_wait")
    );
    assert_eq!(
        codes(json!({"commit": "after", "auto_commit_interval": "1s"})),
        one("setting-unused", "components.billing.auto_commit_interval")
    );
    let retries = |name: &str, value: Json| {
        let mut consumer = json!({"retry_topics": true});
        consumer[name] = value;
        codes(consumer)
    };
    let contradiction = |name: &str| one("setting-contradiction", &format!("components.billing.{name}"));
    assert_eq!(codes(json!({"pool_full": "refuse"})), one("setting-unused", "components.billing.pool_full"));
    assert_eq!(codes(json!({"pool_full": "refuse", "pool_queue": 10})), []);
    assert_eq!(codes(json!({"retry_topics": true})), []);
    assert_eq!(codes(json!({"retry_multiplier": 2.0})), one("setting-unused", "components.billing.retry_multiplier"));
    assert_eq!(retries("retry_random", json!(true)), contradiction("retry_suffix_by"));
    assert_eq!(retries("max_attempts", json!(51)), contradiction("max_attempts"));
    assert_eq!(retries("retry_suffix", json!("-dlt")), contradiction("retry_suffix"));
    assert_eq!(retries("on_failure", json!("skip")), contradiction("on_failure"));
    assert_eq!(retries("retry_suffix", json!(" again")), one("topic-name", "components.billing.retry_suffix"));
    assert_eq!(codes(json!({"autoscale": "lag", "instances_min": 11})), contradiction("instances_min"));
    assert_eq!(
        codes(json!({"autoscale": "lag", "utilisation_target": "50%"})),
        one("setting-unused", "components.billing.utilisation_target")
    );
    assert_eq!(codes(json!({"cool_down": "1s"})), one("setting-unused", "components.billing.cool_down"));
    // What is switched off keeps its settings.
    assert_eq!(codes(json!({"autoscale": "off", "cool_down": "1s"})), []);
    assert_eq!(codes(json!({"retry_topics": false, "retry_multiplier": 2.0})), []);
    assert_eq!(codes(json!({"reader_version": 2})), one("setting-unused", "components.billing.reader_version"));
}
