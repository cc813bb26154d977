//! The two products' machines behind one face: a request in, what becomes of it out.

use std::sync::Arc;

use crate::machines::gateway::aws::{Api, ApiDecision, ApiKind};
use crate::machines::gateway::{Gateway, Request, Verdict, Words};
use crate::units::{SimDuration, SimTime};

/// Kong's machine or AWS's.
#[derive(Clone, Debug)]
pub(super) enum Machine {
    Kong(Box<Gateway>),
    Aws(Box<Api>),
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    /// None: on to the route's target.
    pub stop: Option<Stopped>,
    pub route: Option<u32>,
    /// Whose it is, by place in [`Machine::client_names`].
    pub client: Option<u32>,
    pub retry_after: Option<SimDuration>,
    pub cache_key: Option<Arc<str>>,
    /// Questions at the store of shared counters.
    pub store_calls: u32,
    /// A function was asked who it is.
    pub authorizer_called: bool,
}

/// An answer of the gateway's own.
#[derive(Clone, Debug)]
pub(super) struct Stopped {
    pub status: u16,
    pub code: &'static str,
    pub words: Words,
}

impl Machine {
    pub(super) fn handle(&mut self, now: SimTime, node: u32, request: &Request<'_>) -> Decided {
        match self {
            Self::Kong(gateway) => {
                let decision = gateway.handle(now, node, request);
                let limits = decision.limits.filter(|limits| limits.refused);
                Decided {
                    stop: match decision.verdict {
                        Verdict::Forward => None,
                        Verdict::Answer(stop) => Some(Stopped { status: stop.status, code: stop.code, words: stop.words }),
                    },
                    route: decision.route,
                    client: decision.consumer,
                    retry_after: limits.map(|limits| SimDuration::from_secs(u64::from(limits.reset_s))),
                    cache_key: decision.cache_key,
                    store_calls: decision.store_calls,
                    authorizer_called: false,
                }
            }
            Self::Aws(api) => {
                let decision = api.handle(now, request);
                let client = decision.key_owner.as_ref().and_then(|owner| owners(api).iter().position(|known| known == owner));
                Decided {
                    stop: stopped(&decision, api.spec().kind),
                    route: decision.route,
                    client: client.map(|at| at as u32),
                    retry_after: None,
                    cache_key: None,
                    store_calls: 0,
                    authorizer_called: decision.authorizer_called,
                }
            }
        }
    }
    /// Names of who can be known.
    pub(super) fn client_names(&self) -> Vec<Arc<str>> {
        match self {
            Self::Kong(gateway) => gateway.consumer_names().to_vec(),
            Self::Aws(api) => owners(api),
        }
    }
    pub(super) fn answered(&mut self, now: SimTime, node: u32, cache_key: &Arc<str>, status: u16) {
        if let Self::Kong(gateway) = self {
            gateway.answered(now, node, cache_key, status, "application/json");
        }
    }
    /// What one node has counted, or all: AWS keeps its counts apart from any node.
    pub(super) fn forget(&mut self, node: Option<u32>) {
        if let Self::Kong(gateway) = self {
            gateway.forget_counts(node);
        }
    }
    pub(super) fn counters(&self) -> usize {
        match self {
            Self::Kong(gateway) => gateway.counters(),
            Self::Aws(_) => 0,
        }
    }
    /// What a person is told whose integration took too long.
    pub(super) fn timeout(&self) -> (u16, &'static str) {
        match self {
            Self::Kong(_) => (504, "The upstream server is timing out"),
            Self::Aws(api) if api.spec().kind == ApiKind::Rest => (504, "Endpoint request timed out"),
            Self::Aws(_) => (503, "Service Unavailable"),
        }
    }
}

fn owners(api: &Api) -> Vec<Arc<str>> {
    let mut names: Vec<Arc<str>> = Vec::new();
    for (_, owner) in api.spec().plans.iter().flat_map(|plan| &plan.keys) {
        if !names.contains(owner) {
            names.push(Arc::clone(owner));
        }
    }
    names
}

fn stopped(decision: &ApiDecision, kind: ApiKind) -> Option<Stopped> {
    let stop = decision.stop.as_ref()?;
    let answer = stop.response.answer(kind);
    let said = answer.body.split('"').nth(3).unwrap_or("no message");
    let words = match (&decision.throttled_by, &stop.detail) {
        (Some(by), _) => format!("{said} ({by})"),
        (None, Some(detail)) => format!("{said}: {detail}"),
        (None, None) => said.to_owned(),
    };
    Some(Stopped { status: answer.status, code: stop.code(), words: Words::Made(words.into()) })
}
