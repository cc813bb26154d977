//! What a database connector's checks say. Its behaviour is tested in whole runs, in `tests/it/databases.rs`.

use serde_json::{Value as Json, json};

use crate::model::{Component, Endpoint, Link, Project};

fn codes(profile: &str, is_source: bool, database: Json) -> Vec<(String, String)> {
    let mut project = Project::default();
    for (id, kind, params) in [("shop", "kafka", json!({"topics": {"orders": {}}, "brokers": 1})), ("db", "database", database)] {
        let params = serde_json::from_value(params).expect("parameters are plain data");
        let profile = (kind == "database").then(|| profile.to_owned());
        project.components.insert(id.to_owned(), Component { kind: kind.to_owned(), profile, params, ..Component::default() });
    }
    let end = |text| Endpoint::parse(text).expect("component.port");
    let (from, to) = if is_source { ("db.out", "shop.orders") } else { ("shop.orders", "db.in") };
    project.links.push(Link { from: end(from), to: end(to), ..Link::default() });
    let found = crate::compile::check(&project).into_iter().filter(|diagnostic| diagnostic.path.starts_with("components.db"));
    found.map(|diagnostic| (diagnostic.code, diagnostic.path)).collect()
}

#[test]
fn checks_name_the_place() {
    let one = |code: &str, place: &str| vec![(code.to_owned(), format!("components.db.{place}"))];
    let load = "poisson(5/s)";
    assert_eq!(codes("jdbc", true, json!({"load": load})), []);
    assert_eq!(codes("debezium", true, json!({"load": load})), []);
    assert_eq!(codes("jdbc", true, json!({})), one("table-empty", "load"));
    assert_eq!(codes("jdbc", true, json!({"load": load, "timestamp_delay": "1s"})), one("setting-unused", "timestamp_delay"));
    assert_eq!(codes("jdbc", true, json!({"load": load, "snapshot": "initial"})), one("setting-unused", "snapshot"));
    assert_eq!(codes("debezium", true, json!({"load": load, "mode": "incrementing"})), one("setting-unused", "mode"));
    assert_eq!(codes("jdbc", true, json!({"load": load, "pk_mode": "kafka"})), one("setting-unused", "pk_mode"));
    assert_eq!(codes("jdbc", true, json!({"load": load, "on_failure": "dead_letter"})), one("link-missing", "on_failure"));
    let columns = json!([{"name": "amount", "type": "double"}]);
    assert_eq!(codes("jdbc", false, json!({"columns": columns})), []);
    assert_eq!(codes("jdbc", false, json!({})), one("setting-contradiction", "columns"));
    assert_eq!(codes("jdbc", false, json!({"auto_create": true})), []);
    assert_eq!(codes("jdbc", false, json!({"columns": columns, "auto_evolve": true})), []);
    assert_eq!(codes("jdbc", false, json!({"columns": columns, "auto_create": true})), one("setting-contradiction", "columns"));
    assert_eq!(codes("jdbc", true, json!({"load": load, "auto_create": true})), one("setting-unused", "auto_create"));
    assert_eq!(codes("jdbc", false, json!({"columns": columns, "load": load})), one("setting-unused", "load"));
    assert_eq!(codes("jdbc", false, json!({"columns": columns, "insert_mode": "upsert"})), one("setting-contradiction", "pk_mode"));
    assert_eq!(codes("jdbc", false, json!({"columns": columns, "delete_enabled": true})), one("setting-contradiction", "delete_enabled"));
    assert_eq!(codes("jdbc", false, json!({"columns": columns, "pk_mode": "record_value"})), one("setting-contradiction", "pk_field"));
    let twice = json!([{"name": "a"}, {"name": "A"}]);
    assert_eq!(codes("jdbc", false, json!({"columns": twice})), one("setting-contradiction", "columns[1].name"));
}
