//! The running service: an outgoing call first, then its role.

use std::collections::BTreeSet;

use super::aggregate::Commands;
use super::calls::{CallStep, Calls};
use super::projection::Projection;
use super::read;
use super::saga::Orchestrator;
use super::timers::Timer;
use crate::components::consumer::encoders::Encoders;
use crate::components::consumer::handled;
use crate::components::consumer::handler::{After, Draft, Handler, Step, Task, WorkerId};
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures, Input, Process};
use crate::event::{Answer, Query, ServiceStanding, TableShape};
use crate::units::{EventTypeIx, SimDuration};

/// What a service does with an event.
#[derive(Clone, Debug)]
enum Role {
    Aggregate(Commands),
    Projection(Projection),
    Saga(Orchestrator),
    /// Nothing of its own: it calls, and writes what it got under another type.
    Plain(Plain),
}

#[derive(Clone, Debug, Default)]
struct Plain {
    result: Option<EventTypeIx>,
    has_topic: bool,
    /// Workers whose result is written.
    written: Vec<WorkerId>,
}

/// A service's logic.
#[derive(Clone, Debug)]
struct Service {
    calls: Option<Calls>,
    /// Workers whose call is over.
    called: BTreeSet<WorkerId>,
    role: Role,
}

pub(super) fn build(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
    let role = match params.text("role").as_str() {
        "projection" => Role::Projection(Projection::new(ctx, params)?),
        "saga" => Role::Saga(Orchestrator::new(ctx, params)),
        "plain" => Role::Plain(Plain {
            result: params.optional_text("result_type").and_then(|name| ctx.event_types.get(&name).copied()),
            has_topic: ctx.links_at("events").next().is_some(),
            written: Vec::new(),
        }),
        _ => Role::Aggregate(Commands::new(ctx, params)?),
    };
    let service = Service { calls: Calls::new(ctx, params), called: BTreeSet::new(), role };
    handled(ctx, params, Box::new(service), read::relay(params))
}

impl Plain {
    fn step(&mut self, task: &Task<'_>) -> Step {
        let at = self.written.iter().position(|worker| *worker == task.worker);
        if let Some(at) = at {
            self.written.swap_remove(at);
            return Step::done();
        }
        if !self.has_topic {
            return Step::done();
        }
        let ty = self.result.unwrap_or(task.event.event_type);
        let value = match task.written_again(ty) {
            Ok(value) => value,
            Err(reason) => return Step::Failed { reason, again: false },
        };
        self.written.push(task.worker);
        Step::Publish(vec![Draft { way: 0, ty, key: task.key.clone(), value, parent: task.event }])
    }
}

impl Service {
    /// A worker is at nothing any more.
    fn forget(&mut self, worker: WorkerId) {
        self.called.remove(&worker);
        if let Some(calls) = &mut self.calls {
            calls.abandon(worker);
        }
        match &mut self.role {
            Role::Aggregate(commands) => commands.abandon(worker),
            Role::Plain(plain) => plain.written.retain(|written| *written != worker),
            Role::Projection(_) | Role::Saga(_) => {}
        }
    }
}

impl Handler for Service {
    fn begin(&mut self, task: &Task<'_>) -> SimDuration {
        self.forget(task.worker);
        match &mut self.role {
            Role::Aggregate(commands) => commands.begin(task),
            Role::Projection(_) | Role::Saga(_) | Role::Plain(_) => SimDuration::ZERO,
        }
    }
    fn step(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Step {
        if let Some(calls) = &mut self.calls
            && !self.called.contains(&task.worker)
        {
            match calls.step(ctx, task.worker) {
                CallStep::Wait(span) => return Step::Wait(span),
                CallStep::Failed(reason) => return Step::Failed { reason, again: true },
                CallStep::Over => {
                    self.called.insert(task.worker);
                }
            }
        }
        let step = match &mut self.role {
            Role::Aggregate(commands) => commands.step(ctx, task),
            Role::Projection(projection) => projection.step(ctx, task),
            Role::Saga(orchestrator) => orchestrator.step(ctx, task),
            Role::Plain(plain) => plain.step(task),
        };
        if matches!(step, Step::Done(_) | Step::Failed { .. }) {
            self.called.remove(&task.worker);
        }
        step
    }
    fn abandon(&mut self, _: &mut Ctx<'_>, worker: WorkerId) {
        self.forget(worker);
    }
    fn instance_over(&mut self, instance: u32) {
        if let Some(calls) = &mut self.calls {
            calls.instance_over(instance);
        }
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64, encoders: Option<&Encoders>) -> Vec<Draft> {
        match (Timer::of(token), &mut self.role, &mut self.calls) {
            (Timer::Deadline(stream), Role::Aggregate(commands), _) => commands.on_deadline(ctx, stream, encoders),
            (Timer::Saga(number), Role::Saga(orchestrator), _) => orchestrator.on_timer(ctx, number),
            (Timer::Breaker(instance), _, Some(calls)) => {
                calls.on_timer(ctx, instance);
                Vec::new()
            }
            // Set by nobody.
            _ => Vec::new(),
        }
    }
    fn input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Option<Result<After, String>> {
        if let Some(taken) = self.calls.as_mut().and_then(|calls| calls.input(input)) {
            return Some(taken.map(|()| After::Nothing));
        }
        match (&mut self.role, input) {
            (Role::Projection(projection), Input::Action { name, .. }) if name == "rebuild" => {
                Some(projection.rebuild(ctx).map(|()| After::ReadAgain))
            }
            (_, Input::Action { name, .. }) if name == "rebuild" => {
                Some(Err("only a service in the role of a projection has a read model to rebuild".to_owned()))
            }
            (Role::Aggregate(commands), Input::Set { param, value }) if param == "write_version" => {
                Some(commands.set_write_version(&value.to_field_text()).map(|()| After::Nothing))
            }
            _ => None,
        }
    }
    fn figures(&self, out: &mut Figures) {
        if let Some(calls) = &self.calls {
            calls.figures(out);
        }
        match &self.role {
            Role::Aggregate(commands) => commands.figures(out),
            Role::Projection(projection) => projection.figures(out),
            Role::Saga(orchestrator) => orchestrator.figures(out),
            Role::Plain(_) => {}
        }
    }
    fn read_model(&self) -> Option<TableShape> {
        match &self.role {
            Role::Projection(projection) => Some(projection.shape()),
            Role::Aggregate(_) | Role::Saga(_) | Role::Plain(_) => None,
        }
    }
    fn browse(&self, query: &Query) -> Option<Answer> {
        let Query::Service(query) = query else { return None };
        Some(Answer::Service(Box::new(match &self.role {
            Role::Aggregate(commands) => commands.look(query),
            Role::Projection(projection) => projection.look(query),
            Role::Saga(orchestrator) => orchestrator.look(query),
            Role::Plain(_) => match &self.calls {
                Some(calls) => calls.look(query),
                None => ServiceStanding { role: "plain", ..ServiceStanding::default() },
            },
        })))
    }
    fn clone_box(&self) -> Box<dyn Handler> {
        Box::new(self.clone())
    }
}
