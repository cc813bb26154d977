//! key-auth (kong/plugins/key-auth/handler.lua): who sends, by an API key.

use std::sync::Arc;

use super::{Fallback, Field, FieldType, ON_PREFLIGHT, Plugin, PluginKind, REALM, Settings, Stop, Turn, World};
use crate::machines::gateway::people::Known;

pub(super) const KIND: PluginKind = PluginKind {
    name: "key-auth",
    priority: 1250,
    help: "Answers 401 to requests without a known API key",
    fields: &[
        Field::new("key_names", FieldType::Texts, "Headers and query fields that carry the key").or("apikey"),
        Field::new("key_in_header", FieldType::Flag, "Look at headers").or("true"),
        Field::new("key_in_query", FieldType::Flag, "Look at the query").or("true"),
        Field::new("hide_credentials", FieldType::Flag, "Keep the key from the service").or("false"),
        ON_PREFLIGHT,
        REALM,
        Fallback::FIELD,
    ],
    by_consumer: false,
    compile: |settings, world| Ok(Box::new(KeyAuth { config: Arc::new(Config::new(settings, world)?) })),
};

#[derive(Clone, Debug)]
struct KeyAuth {
    config: Arc<Config>,
}

#[derive(Debug)]
struct Config {
    names: Vec<Arc<str>>,
    in_header: bool,
    in_query: bool,
    on_preflight: bool,
    challenge: Arc<str>,
    fallback: Fallback,
}

impl Config {
    fn new(settings: &Settings, world: &World<'_>) -> Result<Self, String> {
        let names: Vec<Arc<str>> = settings.texts("key_names").iter().map(|name| name.to_ascii_lowercase().into()).collect();
        if names.is_empty() {
            return Err("no header is named that carries the key".to_owned());
        }
        Ok(Self {
            names,
            in_header: settings.flag("key_in_header"),
            in_query: settings.flag("key_in_query"),
            on_preflight: settings.flag("run_on_preflight"),
            challenge: settings.text("realm").map_or("Key".into(), |realm| format!("Key realm=\"{realm}\"").into()),
            fallback: Fallback::new(settings, world)?,
        })
    }
    /// Headers win over the query, an earlier name over a later one.
    fn known(&self, turn: &Turn<'_>) -> Result<Known, Stop> {
        let no = |words| Stop::error(401, "unauthorized", words).challenged(&self.challenge);
        let mut key = None;
        for name in &self.names {
            let mut found = turn.request.headers.iter().filter(|(header, _)| self.in_header && header == name).map(|(_, value)| &**value);
            let (mut first, mut second) = (found.next(), found.next());
            if first.is_none() && self.in_query {
                let mut found = turn.request.query(name);
                (first, second) = (found.next(), found.next());
            }
            if second.is_some() {
                return Err(no("Duplicate API key found"));
            }
            if first.is_some() {
                key = first;
                break;
            }
        }
        let key = key.filter(|key| !key.is_empty()).ok_or_else(|| no("No API key found in request"))?;
        turn.people.by_key(key).ok_or_else(|| no("Unauthorized"))
    }
}

impl Plugin for KeyAuth {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let config = &self.config;
        if config.fallback.is_done(turn) || (!config.on_preflight && turn.request.method == "OPTIONS") {
            return Ok(());
        }
        let found = config.known(turn);
        config.fallback.settle(turn, found)
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
