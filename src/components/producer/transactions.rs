//! A producer that writes in transactions: so many events each, or what has come in some time.
//!
//! In: where the client stands. Out: begin, commit, and abort for a share of them on purpose. Must not know: how
//! transactions are made (`machines::broker::client`). Start at [`Transactions::drive`].

use crate::components::{BuildCtx, EndRole, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::Figures;
use crate::machines::broker::client::{ClientOutput, Finish, ProducerClient, TransactionConfig, TransactionEnd, TransactionStage};
use crate::random::Stream;
use crate::units::{ComponentIx, SimDuration, SimTime};

/// When transactions end, and how.
#[derive(Clone, Debug)]
pub(super) struct Transactions {
    cfg: TransactionConfig,
    /// One with events ends after this.
    time: SimDuration,
    aborted_ratio: f64,
    rng: Stream,
    committed: u64,
    aborted: u64,
}

impl Transactions {
    /// None without a transactional id.
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Option<Self> {
        let id = params.optional_text("transactional_id")?;
        let events_max = u64::try_from(params.count("transaction_size")).unwrap_or(1).max(1);
        Some(Self {
            cfg: TransactionConfig { id: id.into(), timeout: params.duration("transaction_timeout"), events_max },
            time: params.duration("transaction_time"),
            aborted_ratio: params.ratio("aborted_ratio"),
            rng: ctx.stream("transactions"),
            committed: 0,
            aborted: 0,
        })
    }

    /// The client, writing so.
    pub fn equip(&self, client: ProducerClient) -> ProducerClient {
        client.transactional(self.cfg.clone())
    }

    /// Begins a transaction when events wait for one, and ends one that is full or has taken its time.
    pub fn drive(&mut self, now: SimTime, client: &mut ProducerClient, out: &mut ClientOutput) {
        loop {
            match out.transaction.take() {
                Some(TransactionEnd::Committed) => self.committed += 1,
                Some(TransactionEnd::Aborted) => self.aborted += 1,
                Some(TransactionEnd::Fenced) | None => {}
            }
            let is_over =
                client.open_transaction().is_some_and(|(events, began)| events >= self.cfg.events_max || began + self.time <= now);
            if is_over {
                let aborts = self.rng.chance(self.aborted_ratio);
                client.finish_transaction(now, if aborts { Finish::Abort } else { Finish::Commit(None) }, out);
            } else if client.transaction_stage() == Some(TransactionStage::Ready) && client.has_blocked() {
                client.begin_transaction(now, out);
            } else {
                return;
            }
        }
    }

    /// When the open transaction has taken its time.
    pub fn next_wake(&self, client: &ProducerClient) -> SimTime {
        client.open_transaction().map_or(SimTime::MAX, |(_, began)| began + self.time)
    }

    pub fn figures(&self, out: &mut Figures) {
        out.counter("committed_transactions_count", self.committed);
        out.counter("aborted_transactions_count", self.aborted);
    }
}

/// Problems of the settings of transactions.
pub(super) fn check(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let field = |name: &str| format!("{path}.{name}");
    if !params.is_given("transactional_id") {
        for name in ["transaction_size", "transaction_time", "transaction_timeout", "aborted_ratio"] {
            if params.is_given(name) {
                let unused =
                    Diagnostic::warning("setting-unused", field(name), "it counts only with a transactional_id (transactional.id)");
                out.push(unused.with_hint("give it a name of its own, such as transactional_id: \"tills\""));
            }
        }
        return;
    }
    if !super::idempotence(params) {
        let message = "transactions (transactional.id) need idempotence, and so acks = all, retries, and at most 5 requests in flight";
        out.push(Diagnostic::error("setting-contradiction", field("transactional_id"), message).with_hint("leave those settings out"));
    }
    let written = ctx.links_at("out").filter(|facts| facts.role == EndRole::From);
    let clusters: Vec<ComponentIx> = written.filter_map(|facts| Some(facts.topic.as_ref()?.cluster)).collect();
    match clusters.first() {
        None => out.push(Diagnostic::warning("setting-unused", field("transactional_id"), "it writes to no topic")),
        Some(first) if clusters.iter().any(|cluster| cluster != first) => {
            let message = "a transaction is one cluster's: it cannot hold events of two";
            out.push(
                Diagnostic::error("transaction-clusters", field("transactional_id"), message)
                    .with_hint("use one producer for each cluster"),
            );
        }
        Some(_) => {}
    }
}
