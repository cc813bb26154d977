//! request-termination (kong/plugins/request-termination/handler.lua): answers instead of the service.

use std::sync::Arc;

use super::{Field, FieldType, Plugin, PluginKind, Stop, Turn};
use crate::machines::gateway::answer::{BodyForm, Words};

pub(super) const KIND: PluginKind = PluginKind {
    name: "request-termination",
    priority: 2,
    help: "Answers every request, or every one with a trigger, by itself",
    fields: &[
        Field::new("status_code", FieldType::Count { min: 100, max: 599 }, "Status").or("503"),
        Field::new("message", FieldType::Text, "Words of the answer"),
        Field::new("body", FieldType::Text, "The whole body, instead of words"),
        Field::new("content_type", FieldType::Text, "Of that body"),
        Field::new("trigger", FieldType::Text, "Only for requests with this header or query field"),
    ],
    by_consumer: true,
    compile: |settings, _| {
        let status = settings.count("status_code").unwrap_or(503) as u16;
        let (body, message) = (settings.text("body"), settings.text("message"));
        if body.is_some() && message.is_some() {
            return Err("give one of `message` and `body`".to_owned());
        }
        let (words, form) = match (body, message) {
            (Some(body), _) => {
                let content_type = settings.text("content_type").unwrap_or("application/json; charset=utf-8".into());
                (Words::Made(body), BodyForm::Raw(content_type))
            }
            (_, Some(message)) => (Words::Made(message), BodyForm::Message),
            _ => default_words(status).map_or((Words::Known(""), BodyForm::Empty), |words| (Words::Known(words), BodyForm::Message)),
        };
        let stop = Stop { status, code: "terminated", words, form, challenge: None };
        Ok(Box::new(Termination { stop: Arc::new(stop), trigger: settings.header("trigger") }))
    },
};

fn default_words(status: u16) -> Option<&'static str> {
    Some(match status {
        401 => "Unauthorized",
        404 => "Not found",
        405 => "Method not allowed",
        500 => "An unexpected error occurred",
        502 => "Bad Gateway",
        503 => "Service unavailable",
        _ => return None,
    })
}

#[derive(Clone, Debug)]
struct Termination {
    stop: Arc<Stop>,
    trigger: Option<Arc<str>>,
}

impl Plugin for Termination {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let pulled = |name: &Arc<str>| turn.request.header(name).is_some() || turn.request.query(name).next().is_some();
        if self.trigger.as_ref().is_some_and(|name| !pulled(name)) {
            turn.note(|| "no trigger".to_owned());
            return Ok(());
        }
        Err((*self.stop).clone())
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
