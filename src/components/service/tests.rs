//! What the service's checks say, and the names of retry topics. Its behaviour is tested in whole runs, in `tests/it/services.rs`.

use serde_json::{Value as Json, json};

use crate::model::{Component, Endpoint, Link, Project};

fn codes(service: Json) -> Vec<(String, String)> {
    let mut project = Project::default();
    for (id, kind, params) in
        [("shop", "kafka", json!({"topics": {"orders": {}, "events": {}}, "brokers": 1})), ("orders", "service", service)]
    {
        let params = serde_json::from_value(params).expect("parameters are plain data");
        project.components.insert(id.to_owned(), Component { kind: kind.to_owned(), params, ..Component::default() });
    }
    let end = |text| Endpoint::parse(text).expect("component.port");
    project.links.push(Link { from: end("shop.orders"), to: end("orders.in"), ..Link::default() });
    project.links.push(Link { from: end("orders.events"), to: end("shop.events"), ..Link::default() });
    let found = crate::compile::check(&project).into_iter().filter(|diagnostic| diagnostic.path.starts_with("components.orders"));
    found.map(|diagnostic| (diagnostic.code, diagnostic.path)).collect()
}

#[test]
fn checks_name_the_place() {
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    let commands = json!([{"type": "Place", "emits": ["Placed"]}]);
    assert_eq!(codes(json!({"commands": commands})), []);
    assert_eq!(codes(json!({})), one("service-definition", "components.orders.commands"));
    assert_eq!(
        codes(json!({"commands": [{"type": "Place", "guard": "command.amount >"}]})),
        one("service-definition", "components.orders.commands[0].guard")
    );
    assert_eq!(
        codes(json!({"commands": commands, "changes": [{"type": "Placed", "to": "nowhere"}]})),
        one("service-definition", "components.orders.changes[0].to")
    );
    assert_eq!(codes(json!({"commands": commands, "steps": []})), one("setting-unused", "components.orders.steps"));
    let late = |deadline: Json, rest: Json| {
        let mut service = json!({"commands": commands, "states": ["new", "placed"], "deadlines": [deadline]});
        service.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        codes(service)
    };
    let sound = json!({"state": "placed", "after": "5s", "command": "Place"});
    assert_eq!(late(sound.clone(), json!({"end_states": ["placed"]})), []);
    assert_eq!(late(sound.clone(), json!({"end_states": ["plaid"]})), one("service-definition", "components.orders.end_states[0]"));
    assert_eq!(late(sound, json!({"publish": "store_first"})), one("setting-contradiction", "components.orders.publish"));
    let unknown = |name: &str, value: &str| {
        let mut deadline = json!({"state": "placed", "after": "5s", "command": "Place"});
        deadline[name] = json!(value);
        (late(deadline, json!({})), one("service-definition", &format!("components.orders.deadlines[0].{name}")))
    };
    for (name, value) in [("state", "plaid"), ("command", "Lace")] {
        let (found, wanted) = unknown(name, value);
        assert_eq!(found, wanted);
    }
    assert_eq!(codes(json!({"commands": commands, "bulkhead": 3})), one("setting-unused", "components.orders.bulkhead"));
    assert_eq!(
        codes(json!({"commands": commands, "routes": [{"type": "Placed", "topic": "event"}]})),
        one("route-unknown", "components.orders.routes[0].topic")
    );
    assert_eq!(
        codes(json!({"role": "projection", "projections": [{"type": "Placed", "set": "total = 1"}]})),
        one("service-definition", "components.orders.projections[0].set")
    );
    let projections = json!([{"type": "Placed", "set": "total = 1"}]);
    let of = |columns: Json| codes(json!({"role": "projection", "columns": columns, "projections": projections}));
    assert_eq!(of(json!([{"name": "total", "type": "int"}])), []);
    // What the database would take for the same name.
    let twice = of(json!([{"name": "total", "type": "int"}, {"name": "Total", "type": "int"}]));
    assert_eq!(twice, one("service-definition", "components.orders.columns[1].name"));
    let key = of(json!([{"name": "total", "type": "int"}, {"name": "KEY", "type": "string"}]));
    assert_eq!(key, one("service-definition", "components.orders.columns[1].name"));
    let written = |ty: &str| codes(json!({"commands": commands, "written_schemas": [{"type": ty, "subject": "placed"}]}));
    let no_schema = one("schema-unknown", "components.orders.written_schemas[0].subject");
    assert_eq!(written("Placed"), no_schema);
    assert_eq!(written("Place"), [one("event-type-unknown", "components.orders.written_schemas[0].type"), no_schema].concat());
    let threads = json!({
        "role": "projection", "columns": [{"name": "total", "type": "int"}], "projections": projections, "concurrency": 2});
    assert_eq!(codes(threads), one("projection-order", "components.orders.concurrency"));
}
