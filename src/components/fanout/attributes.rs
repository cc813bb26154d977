//! What filter policies see of an event: its CloudEvents attributes as message attributes, and what its publisher
//! repeats of the body.

use std::sync::Arc;

use crate::components::{BuildCtx, Params};
use crate::event::QueueEntry;
use crate::machines::broker::batch::records;
use crate::machines::broker::fanout::attributes::{Attribute, Attributes};
use crate::machines::broker::fanout::topic::body_of;

/// Names by number.
#[derive(Clone, Debug)]
pub(super) struct Names {
    types: Vec<Arc<str>>,
    components: Vec<Arc<str>>,
    /// Fields of JSON bodies that are attributes too.
    of_body: Vec<Arc<str>>,
}

impl Names {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        let mut types = vec![Arc::from(""); ctx.event_types.len()];
        for (name, number) in ctx.event_types {
            types[number.index()] = Arc::from(name.as_str());
        }
        let components = ctx.project.components.keys().map(|id| Arc::from(id.as_str())).collect();
        Self { types, components, of_body: params.words("attributes").into_iter().map(Arc::from).collect() }
    }

    /// The event's type.
    pub fn type_of(&self, entry: &QueueEntry) -> Arc<str> {
        named(&self.types, entry.event.event_type.index())
    }

    /// `id`, `source` (the producer), `type`, the key as `subject` and `partitionkey`, and the chosen fields of the body.
    pub fn of(&self, entry: &QueueEntry) -> Attributes {
        let id = entry.event.id;
        let source = named(&self.components, id.producer.index());
        let mut list = vec![
            (Arc::from("id"), Attribute::Text(format!("{source}-{}", id.seq).into())),
            (Arc::from("source"), Attribute::Text(source)),
            (Arc::from("type"), Attribute::Text(self.type_of(entry))),
        ];
        if let Some(key) = records(&entry.batch).next().and_then(|record| std::str::from_utf8(record.key?).ok()) {
            let key: Arc<str> = Arc::from(key);
            list.push((Arc::from("subject"), Attribute::Text(Arc::clone(&key))));
            list.push((Arc::from("partitionkey"), Attribute::Text(key)));
        }
        if !self.of_body.is_empty()
            && let Some(body) = body_of(entry)
        {
            list.extend(self.of_body.iter().filter_map(|name| Some((Arc::clone(name), Attribute::of_json(body.get(&**name)?)?))));
        }
        Attributes(list)
    }
}

fn named(list: &[Arc<str>], index: usize) -> Arc<str> {
    list.get(index).cloned().unwrap_or_else(|| Arc::from("?"))
}
