//! A registry while it runs: one queue, one server, the machine behind it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;

use super::backend::{Backend, NewVersion};
use super::spec::{BREAK, DELETE, REGISTER, SET_LEVEL};
use super::standing::Born;
use crate::components::Params;
use crate::engine::{Ctx, Figures, Input, LinkEnd, Process, Station};
use crate::event::{Answer, Message, Query, SUBJECTS_SHOWN_MAX, SchemaCall, SchemaReply, SchemaRequest};
use crate::machines::registry::{Breaks, RegistryError};
use crate::model::{SchemaSource, Value};
use crate::random::{Distribution, Stream};
use crate::units::SimTime;

/// Requests that may wait; a further one is answered at once with 50002.
const QUEUE_MAX: usize = 100_000;

/// The process of a registry.
#[derive(Clone, Debug)]
pub struct RegistryProcess {
    backend: Backend,
    /// The project's schemas by name, for `register`.
    texts: IndexMap<String, Arc<str>>,
    service_time: Distribution,
    rng: Stream,
    station: Station,
    /// The first is being served.
    queue: VecDeque<(LinkEnd, Box<SchemaRequest>)>,
    requests: u64,
    errors: u64,
    outbox: Vec<(LinkEnd, SchemaReply)>,
    born: Born,
    /// The last refusal of each subject, for those who look.
    refused: BTreeMap<Arc<str>, (SimTime, Arc<str>)>,
}

impl RegistryProcess {
    pub(super) fn new(backend: Backend, texts: IndexMap<String, Arc<str>>, service_time: Distribution, rng: Stream) -> Self {
        let (queue, outbox) = (VecDeque::new(), Vec::new());
        let began_with = backend.standings(&Born::new());
        let born = began_with.iter().flat_map(|subject| subject.versions.iter().map(|one| ((Arc::clone(&subject.name), one.number), None)));
        let born = born.collect();
        Self {
            backend,
            texts,
            service_time,
            rng,
            station: Station::new(1),
            queue,
            requests: 0,
            errors: 0,
            outbox,
            born,
            refused: BTreeMap::new(),
        }
    }
    fn serve_next(&mut self, ctx: &mut Ctx<'_>) {
        if !self.queue.is_empty() {
            self.station.begin(ctx.now);
            ctx.timer_after(self.service_time.sample(&mut self.rng), 0);
        }
    }
    fn reply(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, reply: SchemaReply) {
        self.errors += u64::from(reply.result.is_err());
        ctx.send(end, Message::SchemaReply(Box::new(reply)));
    }
    /// A schema of the project by its name, or the text itself.
    fn source(&self, schema: String) -> Result<Arc<str>, String> {
        match self.texts.get(&schema) {
            Some(known) => Ok(Arc::clone(known)),
            None if SchemaSource::is_schema(&schema) => Ok(schema.into()),
            None => Err(format!("the project has no schema `{}`", schema.chars().take(60).collect::<String>())),
        }
    }
    fn break_schema(&mut self, now: SimTime, params: &Params<'_>) -> Result<(), String> {
        let named = params.optional_text("subject").map(Arc::from);
        let subject: Arc<str> = named.or_else(|| self.backend.first_subject()).ok_or("there is no subject to break")?;
        let text = params.optional_text("schema").map(|schema| self.source(schema)).transpose()?;
        let version = self.backend.break_subject(now, &subject, text, Breaks::named(&params.text("breaks")))?;
        self.note(now, version);
        Ok(())
    }
    fn register(&mut self, now: SimTime, params: &Params<'_>) -> Result<(), String> {
        let subject = params.optional_text("subject").ok_or("register needs `subject`")?;
        let schema = params.optional_text("schema").ok_or("register needs `schema`: a name of the project's schemas, or a text")?;
        let source = self.source(schema)?;
        let references = params.words("references").iter().map(|word| super::reference(word)).collect();
        let new = NewVersion { subject: &subject, schema_type: &params.text("type"), text: &source, references };
        match self.backend.register(now, &new) {
            Ok(version) => {
                self.refused.remove(&version.0);
                self.note(now, version);
                Ok(())
            }
            Err(refused) => {
                if self.refused.len() < SUBJECTS_SHOWN_MAX {
                    self.refused.insert(subject.into(), (now, refused.words.as_str().into()));
                }
                Err(refused.words)
            }
        }
    }
    /// A version is there from now on; one that was there already keeps its time.
    fn note(&mut self, now: SimTime, version: (Arc<str>, u32)) {
        self.born.entry(version).or_insert(Some(now));
    }
    fn set_level(&mut self, params: &Params<'_>) -> Result<(), String> {
        let level = params.optional_text("level").ok_or("set-compatibility needs `level`")?;
        self.backend.set_level(params.optional_text("subject").as_deref(), &level)
    }
    fn delete_version(&mut self, now: SimTime, params: &Params<'_>) -> Result<(), String> {
        let subject = params.optional_text("subject").ok_or("delete-version needs `subject`")?;
        self.backend.delete_version(now, &subject, &params.text("version"), params.flag("permanent"))?;
        // The number of a version that is gone for good may be given again.
        let left = self.backend.standings(&self.born);
        let is_there = |name: &str, number: u32| {
            left.iter().any(|subject| *subject.name == *name && subject.versions.iter().any(|version| version.number == number))
        };
        self.born.retain(|(name, number), _| is_there(name, *number));
        Ok(())
    }
    fn act(&mut self, now: SimTime, name: &str, params: &IndexMap<String, Value>) -> Result<(), String> {
        match name {
            "register" => self.register(now, &Params::new(REGISTER, None, params)),
            "break-schema" => self.break_schema(now, &Params::new(BREAK, None, params)),
            "set-compatibility" => self.set_level(&Params::new(SET_LEVEL, None, params)),
            "delete-version" => self.delete_version(now, &Params::new(DELETE, None, params)),
            _ => Err(format!("a registry knows no action `{name}`; it knows register, break-schema, set-compatibility and delete-version")),
        }
    }
}

impl Process for RegistryProcess {
    fn start(&mut self, _ctx: &mut Ctx<'_>) {}

    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message) {
        let Message::Schema(request) = message else {
            debug_assert!(false, "a registry's port takes schema requests only");
            return;
        };
        self.requests += 1;
        if self.queue.len() >= QUEUE_MAX {
            let full = RegistryError::overloaded();
            self.reply(ctx, end, SchemaReply { call: request.call, result: Err((full.code, full.message)) });
            return;
        }
        self.station.arrive(ctx.now);
        self.queue.push_back((end, request));
        if self.queue.len() == 1 {
            self.serve_next(ctx);
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, _token: u64) {
        let Some((end, request)) = self.queue.pop_front() else { return };
        self.station.finish(ctx.now);
        let mut outbox = std::mem::take(&mut self.outbox);
        self.backend.handle(ctx.now, end, &request, &mut outbox);
        if matches!(request.body, SchemaCall::Register { .. })
            && let Some(found) = outbox.last().and_then(|(_, reply)| reply.result.as_ref().ok())
        {
            self.note(ctx.now, (Arc::clone(&found.subject), found.version));
        }
        for (end, reply) in outbox.drain(..) {
            self.reply(ctx, end, reply);
        }
        self.outbox = outbox;
        self.serve_next(ctx);
    }

    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        match input {
            Input::Action { name, params } => self.act(ctx.now, name, params),
            Input::Set { param, value } if param == "service_time" => {
                self.service_time = value.to_field_text().parse()?;
                Ok(())
            }
            Input::Set { param, value } if param == "compatibility" => self.backend.set_level(None, &value.to_field_text()),
            Input::Set { param, .. } => Err(format!("`{param}` cannot change while a registry runs")),
        }
    }

    /// What is registered stands in its log; requests do not.
    fn crash(&mut self, ctx: &mut Ctx<'_>) -> Result<u64, String> {
        self.queue.clear();
        Ok(self.station.clear(ctx.now))
    }

    fn figures(&self, now: SimTime, out: &mut Figures) {
        out.counter("requests_count", self.requests);
        out.counter("errors_count", self.errors);
        let (subjects, schemas) = self.backend.counts();
        out.gauge("subjects", subjects as f64);
        out.gauge("schemas", schemas as f64);
        self.station.figures(now, out);
    }

    fn browse(&self, _: SimTime, query: &Query) -> Option<Answer> {
        if *query != Query::Subjects {
            return None;
        }
        let mut subjects = self.backend.standings(&self.born);
        for subject in &mut subjects {
            subject.refused = self.refused.get(&subject.name).cloned();
        }
        Some(Answer::Subjects(subjects))
    }

    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}
