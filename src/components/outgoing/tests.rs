//! What the checks of outgoing events say. Their behaviour is tested in whole runs, in `tests/it/outgoing.rs`.

use serde_json::{Value as Json, json};

use crate::model::{Component, Endpoint, Link, Project};

fn codes(profile: &str, outgoing: Json) -> Vec<(String, String)> {
    let mut project = Project::default();
    for (id, kind, params) in [("shop", "kafka", json!({"topics": {"orders": {}}, "brokers": 1})), ("hooks", "outgoing", outgoing)] {
        let params = serde_json::from_value(params).expect("parameters are plain data");
        let profile = (kind == "outgoing").then(|| profile.to_owned());
        project.components.insert(id.to_owned(), Component { kind: kind.to_owned(), profile, params, ..Component::default() });
    }
    let end = |text| Endpoint::parse(text).expect("component.port");
    project.links.push(Link { from: end("shop.orders"), to: end("hooks.in"), ..Link::default() });
    let found = crate::compile::check(&project).into_iter().filter(|diagnostic| diagnostic.path.starts_with("components.hooks"));
    found.map(|diagnostic| (diagnostic.code, diagnostic.path)).collect()
}

#[test]
fn checks_name_the_place() {
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    let acme = json!({"acme": {"count": 3}});
    assert_eq!(codes("standard-webhooks", json!({"endpoints": acme})), []);
    assert_eq!(codes("websocket", json!({"clients": acme})), []);
    assert_eq!(codes("standard-webhooks", json!({})), one("receivers-missing", "components.hooks.endpoints"));
    assert_eq!(codes("websocket", json!({})), one("receivers-missing", "components.hooks.clients"));
    assert_eq!(codes("websocket", json!({"clients": acme, "endpoints": acme})), one("setting-unused", "components.hooks.endpoints"));
    assert_eq!(codes("websocket", json!({"clients": acme, "replay_buffer": 5})), one("setting-unused", "components.hooks.replay_buffer"));
    assert_eq!(
        codes("standard-webhooks", json!({"endpoints": {"a": {"count": 600}, "b": {"count": 600}}})),
        one("receivers-many", "components.hooks.endpoints")
    );
    assert_eq!(
        codes("standard-webhooks", json!({"endpoints": acme, "retry_schedule": "5s, later"})),
        one("param-type", "components.hooks.retry_schedule")
    );
    assert_eq!(
        codes("standard-webhooks", json!({"endpoints": {"acme": {"secret": "sample:whsec_short"}}})),
        one("secret-bad", "components.hooks.endpoints.acme.secret")
    );
    let at = |path: &str| json!({"endpoints": {"acme": {"at": "edge", "path": path}}});
    assert_eq!(codes("standard-webhooks", at("/hooks")), one("receiver-unknown", "components.hooks.endpoints.acme.at"));
    assert_eq!(
        codes("standard-webhooks", json!({"endpoints": {"acme": {"path": "/hooks"}}})),
        one("setting-unused", "components.hooks.endpoints.acme.path")
    );
}
