//! What a bridge's checks say. Its behaviour is tested in whole runs, in `tests/it/bridges.rs`.

use serde_json::{Value as Json, json};

use crate::model::{Component, Endpoint, Link, Project};

fn codes(bridge: Json, links: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut project = Project::default();
    let parts = [
        ("shop", "kafka", json!({"topics": {"orders": {}, "bad": {}}, "brokers": 1})),
        ("jobs", "queue", json!({})),
        ("bridge", "bridge", bridge),
    ];
    for (id, kind, params) in parts {
        let params = serde_json::from_value(params).expect("parameters are plain data");
        project.components.insert(id.to_owned(), Component { kind: kind.to_owned(), params, ..Component::default() });
    }
    let end = |text: &str| Endpoint::parse(text).expect("component.port");
    project.links = links.iter().map(|(from, to)| Link { from: end(from), to: end(to), ..Link::default() }).collect();
    let found = crate::compile::check(&project).into_iter().filter(|diagnostic| diagnostic.path.starts_with("components.bridge"));
    found.map(|diagnostic| (diagnostic.code, diagnostic.path)).collect()
}

#[test]
fn checks_name_the_place() {
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    let sink = [("shop.orders", "bridge.in"), ("bridge.out", "jobs.in")];
    let source = [("jobs.out", "bridge.in"), ("bridge.out", "shop.orders")];
    assert_eq!(codes(json!({}), &sink), []);
    assert_eq!(codes(json!({}), &source), []);
    assert_eq!(codes(json!({}), &sink[..1]), one("link-missing", "components.bridge"));
    assert_eq!(codes(json!({}), &[sink[0], source[1]]), one("link-senseless", "components.bridge"));
    assert_eq!(codes(json!({}), &[source[0], sink[1]]), one("link-senseless", "components.bridge"));
    assert_eq!(codes(json!({"on_failure": "dead_letter"}), &sink), one("link-missing", "components.bridge.on_failure"));
    assert_eq!(codes(json!({"on_failure": "dead_letter"}), &source), one("setting-contradiction", "components.bridge.on_failure"));
    let letters = [sink[0], sink[1], ("bridge.dead_letters", "shop.bad")];
    assert_eq!(codes(json!({}), &letters), one("setting-unused", "components.bridge.on_failure"));
    assert_eq!(codes(json!({"on_failure": "dead_letter"}), &letters), []);
    assert_eq!(codes(json!({"receive_size": 10}), &sink), one("setting-unused", "components.bridge.receive_size"));
    assert_eq!(codes(json!({"concurrency": 10}), &source), one("setting-unused", "components.bridge.concurrency"));
    assert_eq!(codes(json!({}), &[sink[0], source[0], sink[1]])[0], ("link-twice".to_owned(), "components.bridge".to_owned()));
}
