//! correlation-id (kong/plugins/correlation-id/handler.lua): a name for each request, for its service and its client.

use std::sync::Arc;

use super::{Field, FieldType, Plugin, PluginKind, Stop, Turn};

pub(super) const KIND: PluginKind = PluginKind {
    name: "correlation-id",
    priority: 100_001,
    help: "Gives each request an id in a header, unless it has one",
    fields: &[
        Field::new("header_name", FieldType::Text, "The header").or("Kong-Request-ID"),
        Field::new("generator", FieldType::Choice(&["uuid", "uuid#counter", "tracker"]), "How ids are made").or("uuid#counter"),
        Field::new("echo_downstream", FieldType::Flag, "Give it to the client too").or("false"),
    ],
    by_consumer: true,
    compile: |settings, _| {
        Ok(Box::new(CorrelationId {
            header: settings.text("header_name").unwrap_or_default(),
            generator: settings.text("generator").unwrap_or_default(),
            echoes: settings.flag("echo_downstream"),
            count: 0,
        }))
    },
};

#[derive(Clone, Debug)]
struct CorrelationId {
    header: Arc<str>,
    generator: Arc<str>,
    echoes: bool,
    count: u64,
}

impl CorrelationId {
    /// Ids are not random: the same run names the same requests.
    fn make(&self, turn: &Turn<'_>) -> String {
        let mixed = |seed: u64| super::super::hasher().hash_one((seed, turn.node));
        let uuid = |a: u64, b: u64| {
            format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff, b >> 52, b & 0xffff_ffff_ffff)
        };
        match &*self.generator {
            "uuid" => uuid(mixed(self.count), mixed(!self.count)),
            "tracker" => format!("10.0.0.{}-8000-1-{}-1-{}.{:03}", turn.node + 1, self.count, turn.unix_s, turn.unix_ms.rem_euclid(1_000)),
            _ => format!("{}#{}", uuid(mixed(0), mixed(1)), self.count),
        }
    }
}

impl Plugin for CorrelationId {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        self.count += 1;
        if turn.shown.is_none() {
            return Ok(());
        }
        let given = turn.request.header(&self.header.to_ascii_lowercase()).filter(|id| !id.is_empty());
        let id = given.map_or_else(|| self.make(turn), str::to_owned);
        turn.note(|| id.clone());
        turn.upstream_header(&self.header, || id.clone());
        if self.echoes {
            turn.answer_header(&self.header, || id);
        }
        Ok(())
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
