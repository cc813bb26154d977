//! Schemas by subject: asked for at the registry when the process begins, and again when the latest version that it
//! knows is too old.
//!
//! In: the kinds of event, replies, "it is now t". Out: questions, and which of them a reply answers.
//! Must not know: what a producer makes of an answer. Start at [`Lookups::begin`].

use std::sync::Arc;

use super::payload::EventKinds;
use crate::components::wiring::SCHEMA_TIMEOUT;
use crate::components::{BuildCtx, Params};
use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, Message, SchemaCall, SchemaReply, SchemaRequest};
use crate::units::{SimDuration, SimTime};

/// High byte of call ids to registries.
const CALLS_SCHEMA: u8 = 3;

/// What is asked and when to ask again.
#[derive(Clone, Debug)]
pub(super) struct Lookups {
    registry: Option<LinkEnd>,
    asked: Vec<Asked>,
    /// `latest.cache.ttl.sec`.
    latest_age_max: Option<SimDuration>,
    refresh_at: SimTime,
    next_call: u64,
}

/// A look-up under way.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    call: CallId,
    pub subject: Arc<str>,
    pub version: Option<u32>,
    deadline: SimTime,
}

impl Lookups {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        Self {
            registry: ctx.links_at("schemas").next().map(|facts| facts.end),
            asked: Vec::new(),
            latest_age_max: params.is_given("schema_age_max").then(|| params.duration("schema_age_max")),
            refresh_at: SimTime::MAX,
            next_call: 0,
        }
    }

    /// Asks for everything.
    pub fn begin(&mut self, ctx: &mut Ctx<'_>, kinds: &EventKinds) {
        self.refresh_at = self.latest_age_max.map_or(SimTime::MAX, |age_max| ctx.now + age_max);
        for (subject, version) in kinds.subjects() {
            self.ask(ctx, subject, version);
        }
    }

    /// Asks again what was not answered, and for latest versions that are too old.
    pub fn on_wake(&mut self, ctx: &mut Ctx<'_>, kinds: &EventKinds) {
        let late = |asked: &mut Asked| asked.deadline <= ctx.now;
        for Asked { subject, version, .. } in self.asked.extract_if(.., late).collect::<Vec<_>>() {
            self.ask(ctx, &subject, version);
        }
        if let Some(age_max) = self.latest_age_max.filter(|_| self.refresh_at <= ctx.now) {
            self.refresh_at = ctx.now + age_max;
            for (subject, version) in kinds.subjects().filter(|(_, version)| version.is_none()) {
                self.ask(ctx, subject, version);
            }
        }
    }

    /// When [`Self::on_wake`] has something to do.
    pub fn next_wake(&self) -> SimTime {
        self.asked.iter().map(|asked| asked.deadline).fold(self.refresh_at, SimTime::min)
    }

    /// What a reply answers; none for a late one.
    pub fn answered(&mut self, reply: &SchemaReply) -> Option<Asked> {
        let at = self.asked.iter().position(|asked| asked.call == reply.call)?;
        Some(self.asked.remove(at))
    }

    /// The process is gone: nobody waits for answers.
    pub fn forget(&mut self) {
        self.asked.clear();
        self.refresh_at = SimTime::MAX;
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, subject: &Arc<str>, version: Option<u32>) {
        let is_asked = self.asked.iter().any(|asked| asked.subject == *subject && asked.version == version);
        let Some(registry) = self.registry.filter(|_| !is_asked) else { return };
        let call = CallId(u64::from(CALLS_SCHEMA) << 56 | self.next_call);
        self.next_call += 1;
        self.asked.push(Asked { call, subject: Arc::clone(subject), version, deadline: ctx.now + SCHEMA_TIMEOUT });
        let body = SchemaCall::BySubject { subject: Arc::clone(subject), version };
        ctx.send(registry, Message::Schema(Box::new(SchemaRequest { call, body })));
    }
}
