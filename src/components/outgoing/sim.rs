//! Outgoing events while they run: taken in once, owed to every receiver.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::push::Push;
use super::receivers::{self, Receiver};
use super::webhooks::Webhooks;
use crate::components::consumer::encoders::Encoders;
use crate::components::consumer::handler::{After, Draft, Handler, Step, Task, WorkerId};
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures, Input};
use crate::event::{Appended, Ended, EventMeta, Fact, Hop, HopKind, Message, ObligationEnd, Placed, Reason};
use crate::machines::broker::batch::BatchBuilder;
use crate::units::{ComponentIx, SimDuration, SimTime, TopicIx};

/// Events that are owed to somebody; with more it takes no new ones, and they wait in their topic.
const OWED_MAX: usize = 100_000;
/// Then it asks again after this.
const FULL_WAIT: SimDuration = SimDuration::from_ms(100);
/// Events that nobody is owed any more are told of in such numbers.
const CLOSED_MIN: u64 = 256;

/// An event that was taken in.
#[derive(Debug)]
pub(super) struct Item {
    pub number: u64,
    pub meta: EventMeta,
    pub ty: Arc<str>,
    pub body: Bytes,
    pub key: Option<Bytes>,
    taken_in: SimTime,
}

/// Shared by everybody who is owed it.
pub(super) type Owed = Arc<Item>;

/// What is owed to whom, and how it ended.
#[derive(Clone, Debug)]
pub(super) struct Books {
    name: Arc<str>,
    topic: TopicIx,
    /// The cluster that it reads.
    source: ComponentIx,
    types: Arc<[Arc<str>]>,
    next: u64,
    /// By number: to how many.
    open: BTreeMap<u64, usize>,
    told_to: u64,
}

/// What became of a delivery.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    pub to: &'a Receiver,
    pub end: ObligationEnd,
    pub reason: Option<Reason>,
    pub words: String,
}

impl Books {
    fn new(ctx: &BuildCtx<'_>) -> Self {
        let own = ctx.topics.iter().find(|topic| topic.cluster == ctx.me).map_or(TopicIx(0), |topic| topic.topic);
        let mut types = vec![Arc::from(""); ctx.event_types.len()];
        ctx.event_types.iter().for_each(|(name, ty)| types[ty.index()] = Arc::from(name.as_str()));
        Self {
            name: ctx.id.into(),
            topic: own,
            source: ctx.links_at("in").find_map(|facts| Some(facts.topic.as_ref()?.cluster)).unwrap_or(ctx.me),
            types: types.into(),
            next: 0,
            open: BTreeMap::new(),
            told_to: 0,
        }
    }

    /// Takes an event in, for so many receivers.
    fn take_in(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>, receivers: usize) -> Owed {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, receivers);
        let mut builder = BatchBuilder::with_capacity(task.value.len() + 128);
        builder.push(&task.event, task.key.as_deref(), &task.value, 0, ctx.tracing.takes(task.event.id));
        // The log that the events come from is theirs: what this component says of them is a reader's word, so that a second
        // delivery counts.
        let (cluster, topic, client) = (self.source, self.topic, ctx.me);
        let batch = builder.finish();
        ctx.fact(Fact::Appended(Box::new(Appended { cluster, topic, partition: 0, base_offset: number, client, attempt: 1, batch })));
        Arc::new(Item {
            number,
            meta: task.event,
            ty: self.types.get(task.event.event_type.index()).cloned().unwrap_or_else(|| Arc::from("")),
            body: task.value.clone(),
            key: task.key.clone(),
            taken_in: ctx.now,
        })
    }

    /// A delivery is over. What comes after that is a repetition.
    pub fn end(&mut self, ctx: &mut Ctx<'_>, item: &Item, delivery: Delivery<'_>) {
        self.tell(ctx, item, delivery);
        self.close(ctx, item);
    }

    /// A receiver is owed an item no more.
    pub fn close(&mut self, ctx: &mut Ctx<'_>, item: &Item) {
        if let Some(open) = self.open.get_mut(&item.number) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&item.number);
            }
        }
        self.forget(ctx);
    }

    /// The same without a debt that it settles: the receiver got it once more.
    pub fn tell(&self, ctx: &mut Ctx<'_>, item: &Item, delivery: Delivery<'_>) {
        let Delivery { to, end, reason, words } = delivery;
        let is_good = matches!(end, ObligationEnd::Delivered | ObligationEnd::Filtered);
        let kind = match end {
            ObligationEnd::Delivered | ObligationEnd::Filtered => HopKind::Processed,
            ObligationEnd::Lost => HopKind::Lost,
            _ => HopKind::Rejected,
        };
        if !is_good || ctx.tracing.takes(item.meta.id) {
            self.hop(ctx, item, to, kind, words);
        }
        let ended = Ended {
            component: ctx.me,
            group: to.group,
            topic: self.topic,
            partition: 0,
            offset: item.number,
            event: item.meta,
            waited: ctx.now.since(item.taken_in),
            end,
        };
        ctx.fact(match reason {
            Some(reason) => Fact::EndedWith(Box::new((ended, reason))),
            None => Fact::Ended(ended),
        });
    }

    /// A receiver does not believe what came: nothing ends by that.
    pub fn refused(&self, ctx: &mut Ctx<'_>, item: &Item, to: &Receiver, words: &str) {
        self.hop(ctx, item, to, HopKind::Rejected, format!("refused: {words}"));
    }

    fn hop(&self, ctx: &mut Ctx<'_>, item: &Item, to: &Receiver, kind: HopKind, words: String) {
        let hop = Hop {
            component: ctx.me,
            kind,
            queued: item.taken_in,
            served: ctx.now,
            done: ctx.now,
            placed: Some(Placed { topic: self.topic, partition: 0, offset: item.number }),
            group: Some(to.group),
            words: format!("{words} ({} to {})", self.name, to.name).into(),
            payload: Some(item.body.clone()),
            key: item.key.clone(),
        };
        ctx.hop(item.meta, hop);
    }

    fn forget(&mut self, ctx: &mut Ctx<'_>) {
        let first_open = self.open.keys().next().copied().unwrap_or(self.next);
        if first_open >= self.told_to + CLOSED_MIN {
            self.told_to = first_open;
            ctx.fact(Fact::LogStart { topic: self.topic, partition: 0, log_start: first_open });
        }
    }
}

#[derive(Clone, Debug)]
enum Way {
    Webhooks(Webhooks),
    Push(Push),
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    books: Books,
    way: Way,
}

impl Outgoing {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let way =
            if receivers::is_webhooks(params) { Way::Webhooks(Webhooks::new(ctx, params)?) } else { Way::Push(Push::new(ctx, params)) };
        Ok(Self { books: Books::new(ctx), way })
    }
}

impl Handler for Outgoing {
    fn begin(&mut self, _: &Task<'_>) -> SimDuration {
        SimDuration::ZERO
    }
    fn step(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Step {
        if self.books.open.len() >= OWED_MAX {
            return Step::Wait(FULL_WAIT);
        }
        let count = match &self.way {
            Way::Webhooks(webhooks) => webhooks.len(),
            Way::Push(push) => push.len(),
        };
        let item = self.books.take_in(ctx, task, count);
        match &mut self.way {
            Way::Webhooks(webhooks) => webhooks.take_in(ctx, &mut self.books, &item),
            Way::Push(push) => push.take_in(ctx, &mut self.books, &item),
        }
        Step::Forwarded(format!("taken in for {count} receivers"))
    }
    fn abandon(&mut self, _: &mut Ctx<'_>, _: WorkerId) {}
    fn instances(&mut self, ctx: &mut Ctx<'_>, up: usize, lost: Option<usize>) {
        match &mut self.way {
            Way::Webhooks(webhooks) => webhooks.instances(ctx, up, lost),
            Way::Push(push) => push.instances(ctx, &mut self.books, up, lost),
        }
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64, _: Option<&Encoders>) -> Vec<Draft> {
        match &mut self.way {
            Way::Webhooks(webhooks) => webhooks.on_timer(ctx, &mut self.books, token),
            Way::Push(push) => push.on_timer(ctx, &mut self.books, token),
        }
        Vec::new()
    }
    fn take(&mut self, ctx: &mut Ctx<'_>, message: Message) -> Option<Message> {
        match (message, &mut self.way) {
            (Message::HttpReply(reply), Way::Webhooks(webhooks)) => {
                webhooks.on_reply(ctx, &mut self.books, &reply);
                None
            }
            (other, _) => Some(other),
        }
    }
    fn input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Option<Result<After, String>> {
        let Input::Action { name, params } = input else { return None };
        let spec = super::actions::OWN.iter().find(|action| action.name == name)?;
        let arguments = Params::new(spec.params, None, params);
        let done = match &mut self.way {
            Way::Webhooks(webhooks) => webhooks.action(ctx, &mut self.books, name, &arguments),
            Way::Push(push) => push.action(ctx, &mut self.books, name, &arguments),
        };
        Some(done.map(|()| After::Nothing))
    }
    fn figures(&self, out: &mut Figures) {
        out.counter("taken_in_count", self.books.next);
        out.gauge("owed_events", self.books.open.len() as f64);
        match &self.way {
            Way::Webhooks(webhooks) => webhooks.figures(out),
            Way::Push(push) => push.figures(out),
        }
    }
    fn clone_box(&self) -> Box<dyn Handler> {
        Box::new(self.clone())
    }
}
