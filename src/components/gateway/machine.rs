//! The two products' machines behind one face: a request in, what becomes of it out.

use std::sync::Arc;

use crate::machines::gateway::aws::{Api, ApiDecision, ApiKind, ResponseType};
use crate::machines::gateway::{Balancer, BodyForm, Gateway, Request, Verdict, Words};
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
    pub cache_key: Option<Arc<str>>,
    /// Questions at the store of shared counters.
    pub store_calls: u32,
    /// A function was asked who it is.
    pub authorizer_called: bool,
    /// A limit did not count it: the store of shared counters does not answer.
    pub uncounted: bool,
}

/// Why a gateway that let a request pass has no answer for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No server is healthy.
    NoPeer,
    /// Nobody takes the connection.
    Refused,
    /// The service was not waited for any longer.
    Timeout,
}

impl Trouble {
    /// The stable code of the reason.
    pub(super) fn code(self) -> &'static str {
        ["no-peer", "target-refused", "timeout"][self as usize]
    }
}

/// An answer of the gateway's own, or of what is behind it where that is no success.
#[derive(Clone, Debug)]
pub(super) struct Stopped {
    pub status: u16,
    /// The stable code of the reason.
    pub code: &'static str,
    pub words: Words,
    /// Size of the body; none where the product writes its usual error.
    pub body_bytes: Option<u32>,
    pub retry_after: Option<SimDuration>,
}

impl Stopped {
    /// In the product's usual form.
    pub(super) fn new(status: u16, code: &'static str, words: Words) -> Self {
        Self { status, code, words, body_bytes: None, retry_after: None }
    }
    /// In words made for this request.
    pub(super) fn made(status: u16, code: &'static str, words: impl Into<Arc<str>>) -> Self {
        Self::new(status, code, Words::Made(words.into()))
    }
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
                        Verdict::Answer(stop) => Some(Stopped {
                            body_bytes: Some(stop.form.bytes(stop.words.as_str())),
                            retry_after: limits.map(|limits| SimDuration::from_secs(u64::from(limits.reset_s))),
                            ..Stopped::new(stop.status, stop.code, stop.words)
                        }),
                    },
                    route: decision.route,
                    client: decision.consumer,
                    cache_key: decision.cache_key,
                    store_calls: decision.store_calls,
                    authorizer_called: false,
                    uncounted: decision.uncounted,
                }
            }
            Self::Aws(api) => {
                let decision = api.handle(now, request);
                Decided {
                    stop: stopped(&decision, api.spec().kind),
                    route: decision.route,
                    client: decision.key_owner,
                    cache_key: None,
                    store_calls: 0,
                    authorizer_called: decision.authorizer_called,
                    uncounted: false,
                }
            }
        }
    }
    /// How it writes an error that no plugin has written.
    pub(super) fn own_form(&self) -> BodyForm {
        match self {
            Self::Kong(_) => BodyForm::Error,
            Self::Aws(_) => BodyForm::Message,
        }
    }
    /// Names of who can be known.
    pub(super) fn client_names(&self) -> Vec<Arc<str>> {
        match self {
            Self::Kong(gateway) => gateway.consumer_names().to_vec(),
            Self::Aws(api) => api.owners().to_vec(),
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
    /// Whether the store of shared counters answers from now on.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn set_store_up(&mut self, up: bool) -> Result<(), String> {
        match self {
            Self::Kong(gateway) if up || gateway.shares_counters() => {
                gateway.set_store_up(up);
                Ok(())
            }
            Self::Kong(_) => Err("every counter is on its own node: `limit_policy` is local, and no plugin shares its own".to_owned()),
            Self::Aws(_) => Err("AWS keeps its counters itself: there is no store that could be down".to_owned()),
        }
    }
    /// What a client is told: status and words.
    pub(super) fn trouble(&self, trouble: Trouble) -> (u16, &'static str) {
        match (self, trouble) {
            (Self::Kong(_), Trouble::NoPeer) => (503, Balancer::NO_PEER),
            (Self::Kong(_), Trouble::Refused) => (502, "An invalid response was received from the upstream server"),
            (Self::Kong(_), Trouble::Timeout) => (504, "The upstream server is timing out"),
            (Self::Aws(api), Trouble::NoPeer) => ResponseType::ServiceUnavailable.said(api.spec().kind),
            (Self::Aws(api), Trouble::Refused) => ResponseType::IntegrationFailure.said(api.spec().kind),
            (Self::Aws(api), Trouble::Timeout) => ResponseType::IntegrationTimeout.said(api.spec().kind),
        }
    }
}

fn stopped(decision: &ApiDecision, kind: ApiKind) -> Option<Stopped> {
    let stop = decision.stop.as_ref()?;
    let (status, said) = stop.response.said(kind);
    let words = match (&decision.throttled_by, &stop.detail) {
        (Some(by), _) => Words::Made(format!("{said} ({by})").into()),
        (None, Some(detail)) => Words::Made(format!("{said}: {detail}").into()),
        (None, None) => Words::Known(said),
    };
    let body_bytes = u32::try_from(stop.response.body(kind).len()).ok();
    Some(Stopped { body_bytes, ..Stopped::new(status, stop.response.code(), words) })
}
