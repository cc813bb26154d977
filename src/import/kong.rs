//! Kong's declarative file (format 3.0, as JSON) as a gateway: what `deck gateway dump --format json` writes.
//!
//! In: a text. Out: a gateway whose routes answer by themselves until they are linked to topics, its consumers and
//! plugins. Secrets are not taken over: a name stands for each. What is not simulated is told.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{Imported, Importer};
use crate::components::secrets::Secret;
use crate::diagnostics::Diagnostic;
use crate::machines::gateway::{Settings, TokenAlgorithm, plugin_kind};
use crate::model::{Component, Project, Value};
use crate::units::SimDuration;

pub(super) const IMPORTER: Importer =
    Importer { name: "kong", help: "Kong's declarative file (format 3.0) as JSON, as a gateway with routes, consumers and plugins", read };

/// More of one sort than this are not taken over.
const ITEMS_MAX: usize = 10_000;
/// The component that the file becomes.
const GATEWAY: &str = "edge";

type Row = IndexMap<String, Value>;

#[derive(Default)]
struct Reader {
    routes: Vec<Row>,
    api_keys: Vec<Row>,
    consumers: Vec<Row>,
    logins: Vec<Row>,
    issuers: Vec<Row>,
    plugins: Vec<Row>,
    upstreams: Vec<Row>,
    targets: Vec<Row>,
    names: BTreeSet<String>,
    diagnostics: Vec<Diagnostic>,
}

fn read(text: &str) -> Imported {
    let mut reader = Reader::default();
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(file)) => reader.file(&file),
        Ok(_) => reader.wrong("the text is no object"),
        Err(error) => reader.wrong(&format!("the text is no JSON: {error}")),
    }
    reader.finish()
}

impl Reader {
    fn wrong(&mut self, message: &str) {
        let diagnostic = Diagnostic::error("import-kong", "", message);
        self.diagnostics
            .push(diagnostic.with_hint("give it what `deck gateway dump --format json` or `eventyard export --to kong` writes"));
    }
    fn left_out(&mut self, path: &str, what: &str) {
        self.diagnostics.push(Diagnostic::warning("import-left-out", path, format!("{what} is not simulated, and was left out")));
    }
    fn file(&mut self, file: &Map<String, Json>) {
        match file.get("_format_version").and_then(Json::as_str) {
            Some(version) if version.starts_with("3.") => {}
            other => self.wrong(&format!("`_format_version` is {other:?}; 3.0 is read")),
        }
        for (at, upstream) in items(file.get("upstreams")).enumerate() {
            self.upstream(&format!("upstreams[{at}]"), upstream);
        }
        for (at, service) in items(file.get("services")).enumerate() {
            self.service(&format!("services[{at}]"), service);
        }
        for (at, route) in items(file.get("routes")).enumerate() {
            self.route(&format!("routes[{at}]"), route, None);
        }
        for (at, consumer) in items(file.get("consumers")).enumerate() {
            self.consumer(&format!("consumers[{at}]"), consumer);
        }
        self.plugins("", file.get("plugins"), None);
        let known = ["_format_version", "_transform", "_info", "_comment", "upstreams", "services", "routes", "consumers", "plugins"];
        for name in file.keys().filter(|name| !known.contains(&name.as_str())) {
            self.left_out(name, &format!("`{name}`"));
        }
    }
    fn service(&mut self, path: &str, service: &Json) {
        for (at, route) in items(service.get("routes")).enumerate() {
            self.route(&format!("{path}.routes[{at}]"), route, Some(service));
        }
        let name = text(service, "name").unwrap_or_default();
        self.plugins(path, service.get("plugins"), Some(("service", name)));
    }
    fn route(&mut self, path: &str, route: &Json, service: Option<&Json>) {
        if self.routes.len() >= ITEMS_MAX {
            return self.wrong(&format!("more than {ITEMS_MAX} routes"));
        }
        let stem = text(route, "name").unwrap_or("route");
        let name = (1..).map(|n| if n == 1 { stem.to_owned() } else { format!("{stem}-{n}") }).find(|name| self.names.insert(name.clone()));
        let name = name.expect("numbers do not run out");
        let mut row: Row = IndexMap::from([("name".to_owned(), Value::Text(name.clone()))]);
        for field in ["paths", "methods", "hosts", "protocols", "snis"] {
            let words: Vec<Value> = items(route.get(field)).filter_map(Json::as_str).map(Value::from).collect();
            let says_both = field == "protocols" && words.len() == 2;
            if !words.is_empty() && !says_both {
                row.insert(field.to_owned(), Value::List(words));
            }
        }
        let headers = route.get("headers").and_then(Json::as_object).into_iter().flatten();
        let mut others: Vec<Value> = Vec::new();
        for (name, values) in headers {
            let values: Vec<&str> = items(Some(values)).filter_map(Json::as_str).collect();
            let field = match name.to_ascii_lowercase().as_str() {
                "ce-type" => Some("event_types"),
                "ce-source" => Some("event_sources"),
                "ce-subject" => Some("event_subjects"),
                _ => None,
            };
            match (field, values.iter().map(|value| attribute(value)).collect::<Option<Vec<Value>>>()) {
                (Some(field), Some(words)) => drop(row.insert(field.to_owned(), Value::List(words))),
                _ => others.push(Value::Text(format!("{name}: {}", values.join("|")))),
            }
        }
        if !others.is_empty() {
            row.insert("headers".to_owned(), Value::List(others));
        }
        for field in ["strip_path", "preserve_host"] {
            row.extend(route.get(field).and_then(Json::as_bool).map(|value| (field.to_owned(), Value::Bool(value))));
        }
        row.extend(
            route.get("regex_priority").and_then(Json::as_i64).filter(|p| *p != 0).map(|p| ("regex_priority".to_owned(), Value::Int(p))),
        );
        for (field, ours) in [("name", "service"), ("host", "service_host"), ("path", "service_path")] {
            let value = service.and_then(|service| text(service, field));
            row.extend(value.map(|value| (ours.to_owned(), Value::from(value))));
        }
        let host = service.and_then(|service| text(service, "host")).map(Value::from);
        let retries = service.and_then(|service| service.get("retries")).and_then(Json::as_i64);
        match self.upstreams.iter_mut().find(|upstream| host.is_some() && upstream.get("name") == host.as_ref()) {
            Some(upstream) => {
                upstream.extend(
                    retries.filter(|retries| *retries != 5).map(|retries| ("retries".to_owned(), Value::Int(retries.clamp(0, 100)))),
                );
                row.shift_remove("service_host");
                row.extend(host.map(|host| ("upstream".to_owned(), host)));
            }
            None => drop(row.insert("respond".to_owned(), Value::Int(200))),
        }
        for field in
            ["sources", "destinations", "expression"].iter().filter(|field| route.get(**field).is_some_and(|value| !value.is_null()))
        {
            self.left_out(path, &format!("`{field}`"));
        }
        self.routes.push(row);
        self.plugins(path, route.get("plugins"), Some(("route", &name)));
    }
    fn upstream(&mut self, path: &str, upstream: &Json) {
        let Some(name) = text(upstream, "name") else { return self.left_out(path, "an upstream without a name") };
        let mut row: Row = IndexMap::from([("name".to_owned(), Value::from(name))]);
        for field in ["algorithm", "hash_on", "hash_on_header"] {
            let given = text(upstream, field).filter(|word| !matches!(*word, "round-robin" | "none"));
            match given {
                Some(word)
                    if field != "hash_on_header"
                        && !["least-connections", "consistent-hashing", "consumer", "ip", "header"].contains(&word) =>
                {
                    self.left_out(path, &format!("`{field}: {word}`"));
                }
                Some(word) => drop(row.insert(field.to_owned(), Value::from(word))),
                None => {}
            }
        }
        let checks = upstream.get("healthchecks");
        let number =
            |part: &str, side: &str, field: &str| checks?.get(part)?.get(side)?.get(field)?.as_f64().filter(|number| *number > 0.0);
        for (prefix, part) in [("", "passive"), ("probe_", "active")] {
            for field in ["http_failures", "tcp_failures", "timeouts"] {
                let count = number(part, "unhealthy", field).map(|count| Value::Int(count as i64));
                row.extend(count.map(|count| (format!("{prefix}{field}"), count)));
            }
        }
        let successes = number("active", "healthy", "successes").map(|count| Value::Int(count as i64));
        row.extend(successes.map(|count| ("probe_successes".to_owned(), count)));
        let interval = number("active", "healthy", "interval").or_else(|| number("active", "unhealthy", "interval"));
        row.extend(interval.map(|seconds| ("probe_interval".to_owned(), span(seconds))));
        let timeout =
            checks.and_then(|checks| checks.get("active")?.get("timeout")?.as_f64()).filter(|seconds| *seconds > 0.0 && *seconds != 1.0);
        row.extend(timeout.map(|seconds| ("probe_timeout".to_owned(), span(seconds))));
        for target in items(upstream.get("targets")) {
            let Some(address) = text(target, "target") else { continue };
            if self.targets.len() >= ITEMS_MAX {
                return self.wrong(&format!("more than {ITEMS_MAX} targets"));
            }
            let mut row: Row = IndexMap::from([("upstream".to_owned(), Value::from(name)), ("target".to_owned(), Value::from(address))]);
            let weight = target.get("weight").and_then(Json::as_i64).filter(|weight| *weight != 100);
            if weight.is_some_and(|weight| weight > 1_000) {
                self.left_out(path, "a weight above 1000");
            }
            row.extend(weight.map(|weight| ("weight".to_owned(), Value::Int(weight.clamp(0, 1_000)))));
            self.targets.push(row);
        }
        if self.upstreams.len() >= ITEMS_MAX {
            return self.wrong(&format!("more than {ITEMS_MAX} upstreams"));
        }
        self.upstreams.push(row);
    }
    fn consumer(&mut self, path: &str, consumer: &Json) {
        let name = text(consumer, "username").or_else(|| text(consumer, "custom_id")).unwrap_or("consumer").to_owned();
        let groups: Vec<Value> = items(consumer.get("acls")).filter_map(|acl| text(acl, "group")).map(Value::from).collect();
        let mut row = IndexMap::from([("name".to_owned(), Value::Text(name.clone()))]);
        if !groups.is_empty() {
            row.insert("groups".to_owned(), Value::List(groups));
        }
        self.consumers.push(row);
        let of = |fields: &[(&str, Value)]| -> Row {
            let who = ("consumer".to_owned(), Value::Text(name.clone()));
            [who].into_iter().chain(fields.iter().map(|(field, value)| ((*field).to_owned(), value.clone()))).collect()
        };
        for (at, key) in items(consumer.get("keyauth_credentials")).enumerate() {
            let secret = self.secret(path, &name, &format!("KEY_{}", at + 1), text(key, "key"));
            self.api_keys.push(of(&[("key", secret)]));
        }
        for (at, login) in items(consumer.get("basicauth_credentials")).enumerate() {
            let secret = self.secret(path, &name, &format!("PASSWORD_{}", at + 1), text(login, "password"));
            self.logins.push(of(&[("user", text(login, "username").unwrap_or("user").into()), ("password", secret)]));
        }
        for (at, issuer) in items(consumer.get("jwt_secrets")).enumerate() {
            let algorithm = text(issuer, "algorithm").unwrap_or("HS256");
            if algorithm.parse::<TokenAlgorithm>().is_err() {
                self.left_out(path, &format!("a token credential of algorithm `{algorithm}`"));
                continue;
            }
            let secret =
                self.secret(path, &name, &format!("TOKEN_{}", at + 1), text(issuer, "secret").or_else(|| text(issuer, "rsa_public_key")));
            self.issuers.push(of(&[
                ("issuer", text(issuer, "key").unwrap_or("issuer").into()),
                ("algorithm", algorithm.into()),
                ("secret", secret),
            ]));
        }
    }
    /// A vault's reference keeps its name; anything else gets one.
    fn secret(&mut self, path: &str, consumer: &str, what: &str, given: Option<&str>) -> Value {
        let named = given.and_then(|given| given.strip_prefix("{vault://env/")?.strip_suffix('}'));
        let upper =
            |text: &str| text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect::<String>();
        let name = named.map_or_else(|| format!("{}_{what}", upper(consumer)), upper);
        if named.is_none() {
            let message = format!("a secret of `{consumer}` was not taken over: `env:{name}` stands for it");
            self.diagnostics.push(Diagnostic::note("import-secret", path, message));
        }
        debug_assert!(matches!(Secret::read(&format!("env:{name}")), Secret::Env(_)));
        Value::Text(format!("env:{name}"))
    }
    fn plugins(&mut self, path: &str, list: Option<&Json>, scope: Option<(&str, &str)>) {
        for (at, plugin) in items(list).enumerate() {
            let here = if path.is_empty() { format!("plugins[{at}]") } else { format!("{path}.plugins[{at}]") };
            self.plugin(&here, plugin, scope);
        }
    }
    fn plugin(&mut self, path: &str, plugin: &Json, scope: Option<(&str, &str)>) {
        let name = text(plugin, "name").unwrap_or_default();
        if plugin.get("enabled") == Some(&Json::Bool(false)) {
            return;
        }
        let Some(kind) = plugin_kind(name) else { return self.left_out(path, &format!("the plugin `{name}`")) };
        let mut settings = Vec::new();
        for (field, value) in plugin.get("config").and_then(Json::as_object).into_iter().flatten() {
            let Some(word) = word(value) else { continue };
            let pair = (field.clone(), word);
            match Settings::read(kind.fields, std::slice::from_ref(&pair)) {
                Ok(_) if kind.fields.iter().any(|known| known.name == *field && known.default == Some(&*pair.1)) => {}
                Ok(_) => settings.push(Value::Text(format!("{field}={}", pair.1))),
                Err(_) => self.left_out(path, &format!("`{name}` with `{field}`")),
            }
        }
        let mut row: Row = IndexMap::from([("plugin".to_owned(), Value::from(name))]);
        for field in ["route", "service", "consumer"] {
            let named = plugin.get(field).and_then(|of| of.as_str().or_else(|| text(of, "name")).or_else(|| text(of, "username")));
            let scoped = scope.filter(|(known, _)| *known == field).map(|(_, name)| name);
            row.extend(named.or(scoped).map(|name| (field.to_owned(), Value::from(name))));
        }
        if !settings.is_empty() {
            row.insert("settings".to_owned(), Value::List(settings));
        }
        self.plugins.push(row);
    }
    fn finish(mut self) -> Imported {
        if self.routes.is_empty() && self.diagnostics.is_empty() {
            self.wrong("the file has no route");
        }
        let mut params = Row::new();
        let tables = [
            ("routes", self.routes),
            ("api_keys", self.api_keys),
            ("consumers", self.consumers),
            ("logins", self.logins),
            ("token_issuers", self.issuers),
            ("plugins", self.plugins),
            ("upstreams", self.upstreams),
            ("targets", self.targets),
        ];
        for (name, rows) in tables.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            params.insert(name.to_owned(), Value::List(rows.into_iter().map(Value::Map).collect()));
        }
        let gateway = Component { kind: "gateway".to_owned(), params, ..Component::default() };
        let project = Project {
            name: "Imported gateway".to_owned(),
            aim: "A gateway as a declarative file of Kong describes it. Link clients to it, and give its routes topics instead of answers."
                .to_owned(),
            components: IndexMap::from([(GATEWAY.to_owned(), gateway)]),
            ..Project::default()
        };
        Imported { project, diagnostics: self.diagnostics }
    }
}

/// What a header of CloudEvents must be: a text, or with a star what it begins with; none for any other expression.
fn attribute(value: &str) -> Option<Value> {
    let Some(pattern) = value.strip_prefix("~*") else { return Some(Value::from(value)) };
    let start = pattern.strip_prefix('^')?;
    let plain: String = start.chars().filter(|c| *c != '\\').collect();
    (regex::escape(&plain) == start).then(|| Value::Text(format!("{plain}*")))
}

fn items(list: Option<&Json>) -> impl Iterator<Item = &Json> {
    list.and_then(Json::as_array).into_iter().flatten().take(ITEMS_MAX)
}

fn text<'a>(of: &'a Json, field: &str) -> Option<&'a str> {
    of.get(field)?.as_str().filter(|text| !text.is_empty())
}

/// The product's seconds.
fn span(seconds: f64) -> Value {
    Value::Text(SimDuration::from_secs_f64(seconds.min(86_400.0)).to_string())
}

/// A setting's value as the text of a pair; none for what is empty.
fn word(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        Json::Array(list) => {
            let words: Vec<String> = list.iter().filter_map(word).collect();
            (!words.is_empty()).then(|| words.join(","))
        }
        other => Some(other.to_string()),
    }
}
