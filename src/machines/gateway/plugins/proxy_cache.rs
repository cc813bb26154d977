//! proxy-cache (kong/plugins/proxy-cache/handler.lua, strategy memory): answers of services, kept for a while.
//!
//! Every node keeps its own. An entry's body is the service's; here only its status and size are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Field, FieldType, Plugin, PluginKind, ServiceReply, Settings, Stop, Turn};
use crate::machines::gateway::answer::{BodyForm, Words};

pub(super) const KIND: PluginKind = PluginKind {
    name: "proxy-cache",
    priority: 100,
    help: "Keeps answers of services for a while and gives them again",
    fields: &[
        Field::new("response_code", FieldType::Counts, "Statuses that may be kept").or("200,301,404"),
        Field::new("request_method", FieldType::Texts, "Methods whose answers may be kept").or("GET,HEAD"),
        Field::new("content_type", FieldType::Texts, "Content types that may be kept").or("text/plain,application/json"),
        Field::new("cache_ttl", FieldType::Count { min: 1, max: 31_536_000 }, "Seconds that an answer is kept").or("300"),
        Field::new("cache_control", FieldType::Flag, "Heed the request's `Cache-Control`").or("false"),
        Field::new("ignore_uri_case", FieldType::Flag, "Paths are the same whatever their case").or("false"),
        Field::new("vary_headers", FieldType::Texts, "Headers whose values have entries of their own"),
        Field::new("vary_query_params", FieldType::Texts, "Query fields whose values have entries of their own; all when empty"),
    ],
    by_consumer: true,
    compile: |settings, _| Ok(Box::new(ProxyCache { config: Arc::new(Config::new(settings)), entries: BTreeMap::new() })),
};

/// Answers kept at once; beyond, expired ones go, then nothing more is kept.
const ENTRIES_MAX: usize = 10_000;

#[derive(Debug)]
struct Config {
    statuses: Vec<u64>,
    methods: Vec<Arc<str>>,
    content_types: Vec<Arc<str>>,
    ttl_s: i64,
    heeds: bool,
    any_case: bool,
    vary_headers: Vec<Arc<str>>,
    vary_fields: Vec<Arc<str>>,
}

#[derive(Clone, Debug)]
struct ProxyCache {
    config: Arc<Config>,
    entries: BTreeMap<(u32, Arc<str>), Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    stored_s: i64,
    status: u16,
}

impl Config {
    fn new(settings: &Settings) -> Self {
        Self {
            statuses: settings.counts("response_code"),
            methods: settings.texts("request_method"),
            content_types: settings.texts("content_type"),
            ttl_s: settings.count("cache_ttl").unwrap_or(300),
            heeds: settings.flag("cache_control"),
            any_case: settings.flag("ignore_uri_case"),
            vary_headers: settings.texts("vary_headers").iter().map(|name| name.to_ascii_lowercase().into()).collect(),
            vary_fields: settings.texts("vary_query_params"),
        }
    }
    fn key(&self, turn: &Turn<'_>) -> Arc<str> {
        let request = turn.request;
        let path = if self.any_case { request.bare_path().to_lowercase() } else { request.bare_path().to_owned() };
        let mut key = format!("{:?} {} {} {path}", turn.consumer, turn.route, request.method);
        if self.vary_fields.is_empty() {
            let mut fields: Vec<&str> = request.path.split_once('?').map_or("", |(_, query)| query).split('&').collect();
            fields.sort_unstable();
            key.push_str(&fields.join("&"));
        }
        for name in &self.vary_fields {
            key.extend(request.query(name).flat_map(|value| ["&", name, "=", value]));
        }
        for name in &self.vary_headers {
            key.extend(["\n", name, ":", request.header(name).unwrap_or_default()]);
        }
        key.into()
    }
}

impl Plugin for ProxyCache {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let config = Arc::clone(&self.config);
        let request = turn.request;
        let control = request.header("cache-control").unwrap_or_default().to_ascii_lowercase();
        let says = |word: &str| config.heeds && control.split(',').any(|directive| directive.trim() == word);
        let bypasses = !config.methods.iter().any(|method| **method == *request.method)
            || says("no-store")
            || says("no-cache")
            || (config.heeds && request.header("authorization").is_some());
        let tell = |turn: &mut Turn<'_>, words: &str| {
            turn.note(|| words.to_owned());
            turn.answer_header("X-Cache-Status", || words.to_owned());
        };
        if bypasses {
            tell(turn, "Bypass");
            return Ok(());
        }
        let key = config.key(turn);
        match self.entries.get(&(turn.node, Arc::clone(&key))) {
            Some(entry) if turn.unix_s - entry.stored_s <= config.ttl_s => {
                let age_s = turn.unix_s - entry.stored_s;
                turn.answer_header("Age", || age_s.to_string());
                tell(turn, "Hit");
                Err(Stop { status: entry.status, code: "cache", words: Words::Known(""), form: BodyForm::Empty, challenge: None })
            }
            None if says("only-if-cached") => {
                Err(Stop { status: 504, code: "cache", words: Words::Known(""), form: BodyForm::Empty, challenge: None })
            }
            found => {
                let words = if found.is_some() { "Refresh" } else { "Miss" };
                turn.cache_key = Some(key);
                tell(turn, words);
                Ok(())
            }
        }
    }
    fn answered(&mut self, reply: &ServiceReply<'_>) {
        let config = &self.config;
        let content_type = reply.content_type.split(';').next().unwrap_or_default().trim();
        if !config.statuses.contains(&u64::from(reply.status)) || !config.content_types.iter().any(|known| **known == *content_type) {
            return;
        }
        if self.entries.len() >= ENTRIES_MAX {
            let oldest_s = reply.unix_s - config.ttl_s;
            self.entries.retain(|_, entry| entry.stored_s >= oldest_s);
        }
        if self.entries.len() < ENTRIES_MAX {
            let entry = Entry { stored_s: reply.unix_s, status: reply.status };
            self.entries.insert((reply.node, Arc::clone(reply.cache_key)), entry);
        }
    }
    fn forget(&mut self, node: Option<u32>) {
        self.entries.retain(|(known, _), _| node.is_some_and(|node| node != *known));
    }
    fn kept(&self) -> usize {
        self.entries.len()
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
