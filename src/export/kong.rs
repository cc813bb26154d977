//! A design's gateways as Kong's declarative file, in JSON (which is YAML too).
//!
//! Source: github.com/Kong/kong, kong/db/declarative and the schemas of its entities (format 3.0). Secrets are written
//! as what stands for them: a reference to a vault, or a placeholder to fill in.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::support::topics::linked_topic;
use super::{Exporter, Writer};
use crate::components::gateway::{header_match, plugins_of};
use crate::components::secrets::Secret;
use crate::components::{Params, params_of};
use crate::machines::gateway::{PluginSpec, Settings, plugin_kind};
use crate::model::{Component, Project};

pub(super) const EXPORTER: Exporter = Exporter {
    name: "kong",
    extension: "json",
    help: "Its gateways as a declarative file for Kong Gateway (format 3.0)",
    write: Writer::Project(write),
};

fn write(project: &Project) -> String {
    let gateways: Vec<(&String, &Component)> = project.components.iter().filter(|(_, component)| is_kong(component)).collect();
    let mut file = File::default();
    for (id, component) in &gateways {
        let prefix = if gateways.len() > 1 { format!("{id}-") } else { String::new() };
        file.gateway(project, id, component, &prefix);
    }
    let file = json!({
        "_format_version": "3.0",
        "_transform": true,
        "upstreams": file.upstreams,
        "services": file.services.into_values().collect::<Vec<_>>(),
        "consumers": file.consumers.into_values().collect::<Vec<_>>(),
        "plugins": file.plugins,
    });
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

fn is_kong(component: &Component) -> bool {
    component.kind == "gateway" && component.profile.as_deref().is_none_or(|profile| profile.starts_with("kong"))
}

#[derive(Default)]
struct File {
    /// By name.
    services: BTreeMap<String, Json>,
    consumers: BTreeMap<String, Json>,
    plugins: Vec<Json>,
    upstreams: Vec<Json>,
}

impl File {
    fn gateway(&mut self, project: &Project, id: &str, component: &Component, prefix: &str) {
        let Some(params) = params_of(component) else { return };
        for row in params.rows("routes") {
            let upstream = row.optional_text("upstream");
            let retries =
                params.rows("upstreams").iter().find(|known| Some(known.text("name")) == upstream).map(|known| known.count("retries"));
            self.route(&row, retries, prefix);
            let topic = row.optional_text("topic").or_else(|| linked_topic(project, id));
            if let (Some(topic), false) = (topic, row.is_given("respond") || upstream.is_some()) {
                let route = format!("{prefix}{}", row.text("name"));
                // The enterprise edition's plugin; where its brokers are is for the reader to say.
                let config = json!({"topic": topic, "bootstrap_servers": [{"host": "<broker>", "port": 9092}]});
                self.plugins.push(json!({"name": "kafka-upstream", "route": route, "config": config}));
            }
        }
        self.upstreams(&params, prefix);
        self.people(&params, prefix);
        for plugin in plugins_of(&params) {
            self.plugins.extend(self::plugin(&plugin, prefix));
        }
    }
    fn upstreams(&mut self, params: &Params<'_>, prefix: &str) {
        let targets = params.rows("targets");
        for row in params.rows("upstreams") {
            let name = row.text("name");
            let its = targets.iter().filter(|target| target.text("upstream") == name);
            let list: Vec<Json> = its.map(|row| json!({"target": row.text("target"), "weight": row.count("weight")})).collect();
            let mut upstream = json!({"name": format!("{prefix}{name}"), "algorithm": row.text("algorithm"), "targets": list});
            if row.text("algorithm") == "consistent-hashing" {
                upstream["hash_on"] = row.text("hash_on").into();
                if let Some(header) = row.optional_text("hash_on_header") {
                    upstream["hash_on_header"] = header.into();
                }
            }
            let unhealthy = |prefix: &str| {
                let count = |field: &str| row.count(&format!("{prefix}{field}"));
                json!({"http_failures": count("http_failures"), "tcp_failures": count("tcp_failures"), "timeouts": count("timeouts")})
            };
            let mut checks = json!({"passive": {"unhealthy": unhealthy("")}});
            if row.is_given("probe_interval") {
                let seconds = |field: &str| row.duration(field).as_secs_f64();
                let mut failures = unhealthy("probe_");
                failures["interval"] = seconds("probe_interval").into();
                let healthy = json!({"interval": seconds("probe_interval"), "successes": row.count("probe_successes")});
                checks["active"] = json!({"timeout": seconds("probe_timeout"), "healthy": healthy, "unhealthy": failures});
            }
            upstream["healthchecks"] = checks;
            self.upstreams.push(upstream);
        }
    }
    fn route(&mut self, row: &Params<'_>, retries: Option<i64>, prefix: &str) {
        let name = row.text("name");
        let service = format!("{prefix}{}", row.optional_text("service").unwrap_or_else(|| name.clone()));
        let mut route = Map::new();
        route.insert("name".to_owned(), format!("{prefix}{name}").into());
        for field in ["paths", "methods", "hosts", "protocols", "snis"] {
            let words = row.words(field);
            if !words.is_empty() {
                route.insert(field.to_owned(), words.into());
            }
        }
        let mut headers = Map::new();
        for word in row.words("headers") {
            let (name, values) = header_match(&word);
            headers.insert(name, values.into());
        }
        for (field, header) in EVENT_HEADERS {
            let wanted = row.words(field);
            if !wanted.is_empty() {
                headers.insert(header.to_owned(), wanted.iter().map(|word| attribute_match(word)).collect::<Vec<_>>().into());
            }
        }
        if !headers.is_empty() {
            route.insert("headers".to_owned(), headers.into());
        }
        route.insert("strip_path".to_owned(), row.flag("strip_path").into());
        route.insert("preserve_host".to_owned(), row.flag("preserve_host").into());
        if row.is_given("regex_priority") {
            route.insert("regex_priority".to_owned(), row.count("regex_priority").into());
        }
        let entry = self.services.entry(service.clone()).or_insert_with(|| {
            // A service's host is an upstream's name, in the product too.
            let upstream = row.optional_text("upstream").map(|name| format!("{prefix}{name}"));
            let host =
                upstream.or_else(|| row.optional_text("service_host")).unwrap_or_else(|| format!("{}.internal", host_name(&service)));
            let mut entry = json!({"name": service, "host": host, "port": 80, "protocol": "http", "routes": []});
            if let Some(path) = row.optional_text("service_path") {
                entry["path"] = path.into();
            }
            if let Some(retries) = retries {
                entry["retries"] = retries.into();
            }
            entry
        });
        if let Some(routes) = entry["routes"].as_array_mut() {
            routes.push(route.into());
        }
    }
    fn people(&mut self, params: &Params<'_>, prefix: &str) {
        let mut add = |consumer: String, field: &str, value: Json| {
            let username = format!("{prefix}{consumer}");
            let entry = self.consumers.entry(username.clone()).or_insert_with(|| json!({"username": username}));
            if entry[field].is_null() {
                entry[field] = json!([]);
            }
            if let Some(list) = entry[field].as_array_mut() {
                list.push(value);
            }
        };
        let secret = |row: &Params<'_>, field: &str| Secret::read(&row.text(field)).placeholder(field);
        for row in params.rows("api_keys") {
            add(row.text("consumer"), "keyauth_credentials", json!({"key": secret(&row, "key")}));
        }
        for row in params.rows("consumers") {
            for group in row.words("groups") {
                add(row.text("name"), "acls", json!({"group": group}));
            }
        }
        for row in params.rows("logins") {
            add(row.text("consumer"), "basicauth_credentials", json!({"username": row.text("user"), "password": secret(&row, "password")}));
        }
        for row in params.rows("token_issuers") {
            let algorithm = row.text("algorithm");
            let field = if algorithm.starts_with("HS") { "secret" } else { "rsa_public_key" };
            add(
                row.text("consumer"),
                "jwt_secrets",
                json!({"key": row.text("issuer"), "algorithm": algorithm, field: secret(&row, "secret")}),
            );
        }
    }
}

/// A plugin with the values that the design gives; the product has the same defaults.
fn plugin(spec: &PluginSpec, prefix: &str) -> Option<Json> {
    let kind = plugin_kind(&spec.name)?;
    let settings = Settings::read(kind.fields, &spec.config).ok()?;
    let given = |name: &&String| spec.config.iter().any(|(known, _)| known == *name);
    let config: Map<String, Json> =
        settings.to_json().iter().filter(|(name, _)| given(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut plugin = json!({"name": kind.name, "config": config});
    for (field, name) in [("route", &spec.route), ("service", &spec.service), ("consumer", &spec.consumer)] {
        if let Some(name) = name {
            plugin[field] = format!("{prefix}{name}").into();
        }
    }
    Some(plugin)
}

/// Parameters of routes that the product has as headers of CloudEvents' binary mode.
const EVENT_HEADERS: [(&str, &str); 3] = [("event_types", "ce-type"), ("event_sources", "ce-source"), ("event_subjects", "ce-subject")];

/// A star last is a regular expression there.
fn attribute_match(word: &str) -> String {
    word.strip_suffix('*').map_or_else(|| word.to_owned(), |start| format!("~*^{}", regex::escape(start)))
}

/// What can be a label of a host's name.
fn host_name(text: &str) -> String {
    let label: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(63).collect();
    let label = label.trim_matches('-');
    if label.is_empty() { "service".to_owned() } else { label.to_owned() }
}
