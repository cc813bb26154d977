//! A request that a person tries: what matched, what each plugin said, what is answered, as the product would write it.
//!
//! The machine's own code decides, on a copy: nothing is counted.

use std::sync::Arc;

use super::plugins::Shown;
use super::{Answer, Decision, Gateway, Request, Verdict, uri};
use crate::units::SimTime;

/// What one plugin said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub plugin: &'static str,
    /// In words; empty when it has nothing to say.
    pub words: String,
    /// Whether it answered.
    pub stopped: bool,
}

/// What became of a request that was tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// As in a run.
    pub decision: Decision,
    /// The route's name.
    pub route: Option<Arc<str>>,
    /// What ran, in order.
    pub steps: Vec<Step>,
    /// What the service is asked: host, path, headers added; none when the gateway answers.
    pub upstream: Option<Upstream>,
    /// The gateway's own answer; of a request that is passed on, what is added to the service's.
    pub answer: Answer,
}

/// A request as the service gets it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// `Host`.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// Headers that were added.
    pub headers: Vec<(String, String)>,
}

impl Gateway {
    /// Tries a request. Nothing is counted, no cache is filled.
    #[must_use]
    pub fn trial(&self, now: SimTime, node: u32, request: &Request<'_>) -> Trial {
        let mut copy = self.clone();
        let mut steps = Vec::new();
        let (decision, shown) = copy.run(now, node, request, Some(Shown::default()), |plugin, turn, stop| {
            let note = turn.shown.as_mut().map(|shown| std::mem::take(&mut shown.note)).unwrap_or_default();
            let words = match stop {
                Some(stop) if !stop.words.as_str().is_empty() => format!("{} {}", stop.status, stop.words.as_str()),
                Some(stop) => format!("{} {note}", stop.status).trim_end().to_owned(),
                None => note,
            };
            steps.push(Step { plugin, words, stopped: stop.is_some() });
        });
        let shown = shown.unwrap_or_default();
        let passed_on = decision.verdict == Verdict::Forward;
        let upstream = decision.route.filter(|_| passed_on).map(|route| self.upstream(route, request, shown.upstream_headers));
        Trial {
            route: decision.route.map(|route| Arc::clone(&self.names.routes[route as usize])),
            steps,
            upstream,
            answer: self.answer(now, &decision, shown.answer_headers),
            decision,
        }
    }
    /// Routes in the order in which they are tried, each with whether it fits this request; at most `count`.
    #[must_use]
    pub fn tried(&self, request: &Request<'_>, count: usize) -> Vec<(u32, bool)> {
        let normal = uri::normal(request.path);
        self.router.tried(&Request { path: &normal, ..*request }, count)
    }
    fn upstream(&self, route: u32, request: &Request<'_>, headers: Vec<(String, String)>) -> Upstream {
        let spec = &self.routes[route as usize];
        let normal = uri::normal(request.path);
        let matched_bytes = self.router.matched_bytes(&Request { path: &normal, ..*request });
        let own = if spec.service_host.is_empty() {
            &self.names.service_names[self.names.services[route as usize] as usize]
        } else {
            &spec.service_host
        };
        let host = if spec.preserve_host { request.header("host").unwrap_or_default() } else { own };
        Upstream { host: host.to_owned(), path: uri::upstream(spec, &normal, matched_bytes), headers }
    }
    /// The text of an answer; of a request that is passed on, the headers that are added to the service's answer.
    fn answer(&self, now: SimTime, decision: &Decision, added: Vec<(String, String)>) -> Answer {
        let mut answer = Answer::default();
        if let Verdict::Answer(stop) = &decision.verdict {
            answer.status = stop.status;
            let id = super::hasher().hash_one((now.as_ns(), stop.status));
            let (content_type, body) = stop.body(&format!("{id:016x}{:016x}", id.rotate_left(17) ^ 0x5bd1_e995));
            answer.headers.extend(content_type.map(|content_type| ("Content-Type".to_owned(), content_type)));
            answer.headers.extend(stop.challenge.iter().map(|challenge| ("WWW-Authenticate".to_owned(), challenge.to_string())));
            if stop.status == 426 {
                answer
                    .headers
                    .extend([("Connection", "Upgrade"), ("Upgrade", "TLS/1.2, HTTP/1.1")].map(|(n, v)| (n.to_owned(), v.to_owned())));
            }
            answer.body = body;
        }
        answer.headers.extend(added);
        if let Some(limits) = decision.limits {
            answer.headers.extend(limits.list().into_iter().map(|(name, value)| (name, value.to_string())));
        }
        answer
    }
}
