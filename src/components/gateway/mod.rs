//! The API gateway: HTTP requests in, events out to topics, answers back.
//!
//! In: [`HttpRequest`](crate::event::HttpRequest)s. Out: produce requests, answers, hops.
//! `spec.rs` is its parameters, `config.rs` reads them, `check.rs` judges them, `sim.rs` runs (with
//! `upstream.rs`, `pools.rs`, `schemas.rs`, `integrations.rs`, `inputs.rs`; `answers.rs`, `usage.rs` and `book.rs` count); what a
//! request deserves is decided by [`crate::machines::gateway`]. Must not know: how batches are built, how schemas are compiled.
//! Start at [`sim`].

mod answers;
mod attributes;
mod aws;
mod book;
mod check;
mod config;
mod crash;
mod inputs;
mod integrations;
mod machine;
mod pools;
mod schemas;
mod sim;
mod spec;
pub mod trial;
mod upstream;
mod usage;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use super::{BuildCtx, Kind, KindSpec, Params, PortSpec, PortType};
use crate::diagnostics::Diagnostic;
use crate::engine::{Process, Station};
use crate::machines::gateway::aws::Api;
use crate::machines::gateway::{EPOCH_UNIX_S, Gateway, PluginSpec, RouteSpec};
use crate::model::Component;

use config::RouteTarget;
pub(crate) use config::header as header_match;
use machine::Machine;
pub(crate) use spec::ALGORITHMS;

/// The plugins of a gateway's parameters, for exports.
pub(crate) fn plugins_of(params: &Params<'_>) -> Vec<PluginSpec> {
    config::plugins(params, &params.text("limit_policy")).into_iter().map(|(_, plugin)| plugin).collect()
}

/// The kind `gateway`.
#[derive(Clone, Copy, Debug)]
pub struct GatewayKind;

impl Kind for GatewayKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, component: &Component) -> Vec<PortSpec> {
        let port = |name: &str, ty: PortType, help: &'static str| PortSpec { name: name.to_owned(), ty, help };
        let mut ports =
            vec![port("in", PortType::HttpIn, "Requests of clients"), port("records", PortType::RecordsOut, "Topics that routes lead to")];
        // Kong sends to no queue by itself.
        let params = Params::new(spec::PARAMS, component.profile.as_deref(), &component.params);
        if aws::kind(&params).is_some() || params.rows("routes").iter().any(|row| row.is_given("queue")) {
            ports.push(port("messages", PortType::MessagesFrom, "Queues and fan-out topics that routes lead to"));
        }
        ports.push(port("schemas", PortType::SchemasFrom, "The registry asked when payloads are validated"));
        ports
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        check::check(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        let routes = config::routes(ctx, params);
        let broken = |message: &str| Diagnostic::error("gateway-regex", format!("components.{}.routes", ctx.id), message);
        let (machine, of_row) = match aws::kind(params) {
            Some(kind) => {
                let (spec, of_row) = aws::spec(ctx, params, &routes, kind, &mut Vec::new());
                let api = Api::new(&spec, EPOCH_UNIX_S).map_err(|problems| broken(problems.first().map_or("", String::as_str)))?;
                (Machine::Aws(Box::new(api)), Some(of_row))
            }
            None => {
                let gateway = Gateway::new(&config::gateway_spec(&routes, params), EPOCH_UNIX_S)
                    .map_err(|problems| broken(problems.first().map_or("the routes do not compile", |problem| problem.message())))?;
                (Machine::Kong(Box::new(gateway)), None)
            }
        };
        let function = params.rows("authorizers").into_iter().find(|row| row.text("type") == "lambda");
        let names: Vec<Arc<str>> = routes.iter().map(|(route, _)| Arc::clone(&route.name)).collect();
        let service_statuses = routes.iter().filter_map(|(_, target)| match target {
            RouteTarget::Respond { status, .. } => Some(*status),
            _ => None,
        });
        let service_statuses = service_statuses.chain(pools::statuses(params));
        let answers = answers::Answers::new(ctx.id, names, &machine.client_names(), service_statuses, machine.own_form());
        let rows = params.rows("routes");
        let answer_bytes = |at: usize| rows.get(at).map_or(0, |row| row.size("answer_size").unwrap_or_default());
        let running = |(at, (route, target)): (usize, (RouteSpec, RouteTarget))| sim::Route {
            target,
            words: format!("accepted by route {}", route.name).into(),
            answer_bytes: answer_bytes(at).try_into().unwrap_or(u32::MAX),
        };
        let registry = ctx.links_at("schemas").next().filter(|_| params.flag("validate"));
        let (workers, nodes) = (params.count("concurrency").max(1) as u32, params.count("nodes").max(1) as u32);
        let limit_policy = params.text("limit_policy");
        Ok(Box::new(sim::GatewaySim {
            machine,
            of_row,
            upstream_timeout: params.duration("upstream_timeout"),
            authorizer_time: function.map_or_else(Default::default, |row| row.distribution("time")),
            authorizer_rng: ctx.stream("authorizer"),
            routes: routes.into_iter().enumerate().map(running).collect(),
            limits: sim::Limits {
                workers,
                nodes,
                queue_max: params.count("queue_max") as usize,
                in_flight_max: params.count("in_flight_max") as usize,
            },
            station: Station::new(workers.saturating_mul(nodes)),
            queue: VecDeque::new(),
            serving: sim::Slots::default(),
            answering: sim::Slots::default(),
            service_time: params.distribution("service_time"),
            service_rng: ctx.stream("service"),
            answer_rng: ctx.stream("answers"),
            upstream: upstream::Upstream::new(ctx, config::producer(params)),
            pools: pools::Pools::new(ctx, params),
            integrations: integrations::Integrations::new(ctx, aws::kind(params)),
            schemas: registry.map(|facts| schemas::Schemas::new(facts.end, Arc::clone(ctx.schemas), params.duration("schema_timeout"))),
            answers,
            storing: sim::Slots::default(),
            store_time: params.distribution("store_time"),
            store_rng: ctx.stream("store"),
            store_back_at: None,
            uncounted: 0,
            tls: sim::Tls::new(params),
            tls_rng: ctx.stream("tls"),
            plugins: config::plugins(params, &limit_policy),
            limit_policy,
            next_node: 0,
            answered: Vec::new(),
        }))
    }
}
