//! The terms of both balances in their order, with the words that people read.

use crate::metrics::{Obligations, Submissions};

/// How submissions end.
#[must_use]
pub fn submissions(ledger: &Submissions) -> Vec<(&'static str, u64)> {
    vec![
        ("accepted", ledger.accepted),
        ("rejected", ledger.rejected),
        ("dropped", ledger.dropped),
        ("abandoned", ledger.abandoned),
        ("in flight", ledger.in_flight),
    ]
}

/// How obligations end.
#[must_use]
pub fn obligations(ledger: &Obligations) -> Vec<(&'static str, u64)> {
    vec![
        ("delivered", ledger.delivered),
        ("failed and skipped", ledger.failed_skipped),
        ("rejected at the consumer", ledger.rejected_at_consumer),
        ("dead-lettered", ledger.dead_lettered),
        ("forwarded", ledger.forwarded),
        ("filtered", ledger.filtered),
        ("expired", ledger.expired),
        ("skipped", ledger.skipped),
        ("lost", ledger.lost),
        ("in flight", ledger.in_flight),
    ]
}
