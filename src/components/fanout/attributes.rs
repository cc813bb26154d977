//! What filter policies see of an event: its CloudEvents attributes as message attributes.

use std::sync::Arc;

use crate::components::BuildCtx;
use crate::event::QueueEntry;
use crate::machines::broker::batch::records;
use crate::machines::broker::fanout::attributes::{Attribute, Attributes};

/// Names by number.
#[derive(Clone, Debug)]
pub(super) struct Names {
    types: Vec<Arc<str>>,
    components: Vec<Arc<str>>,
}

impl Names {
    pub fn new(ctx: &BuildCtx<'_>) -> Self {
        let mut types = vec![Arc::from(""); ctx.event_types.len()];
        for (name, number) in ctx.event_types {
            types[number.index()] = Arc::from(name.as_str());
        }
        Self { types, components: ctx.project.components.keys().map(|id| Arc::from(id.as_str())).collect() }
    }

    /// `id`, `source` (the producer), `type`, and the key as `subject` and `partitionkey`.
    pub fn of(&self, entry: &QueueEntry) -> Attributes {
        let id = entry.event.id;
        let named = |list: &[Arc<str>], index: usize| list.get(index).cloned().unwrap_or_else(|| Arc::from("?"));
        let source = named(&self.components, id.producer.index());
        let mut list = vec![
            (Arc::from("id"), Attribute::Text(format!("{source}-{}", id.seq).into())),
            (Arc::from("source"), Attribute::Text(source)),
            (Arc::from("type"), Attribute::Text(named(&self.types, entry.event.event_type.index()))),
        ];
        if let Some(key) = records(&entry.batch).next().and_then(|record| std::str::from_utf8(record.key?).ok()) {
            let key: Arc<str> = Arc::from(key);
            list.push((Arc::from("subject"), Attribute::Text(Arc::clone(&key))));
            list.push((Arc::from("partitionkey"), Attribute::Text(key)));
        }
        Attributes(list)
    }
}
