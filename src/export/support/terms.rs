//! The terms of both balances in their order, with the words that people read.

use crate::metrics::{Ledger, Obligations, Submissions};

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
        ("aborted", ledger.aborted),
        ("expired", ledger.expired),
        ("compacted", ledger.compacted),
        ("skipped", ledger.skipped),
        ("lost", ledger.lost),
        ("in flight", ledger.in_flight),
    ]
}

/// A balance split into parts: a row a part, and only columns in which some row counts something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Names of the columns.
    pub heads: Vec<&'static str>,
    /// Names of the parts and their counts.
    pub rows: Vec<(String, Vec<u64>)>,
}

/// Both balances of each event type.
#[must_use]
pub fn by_event_type(ledger: &Ledger) -> Split {
    split(ledger.event_types.iter().map(|part| {
        let (sent, owed) = (&part.submissions, &part.obligations);
        let mut terms = vec![("produced", sent.created)];
        terms.extend(submissions(sent));
        terms.push(("appended twice", sent.duplicate_appends));
        // Both balances have events in flight: towards a topic, and towards a group.
        rename(&mut terms, "in flight", "on the way in");
        terms.push(("owed", owed.created));
        terms.extend(obligations(owed));
        terms.push(("delivered twice", owed.duplicate_deliveries));
        rename(&mut terms, "in flight", "on the way out");
        (part.event_type.clone(), terms)
    }))
}

/// The obligations of each path: producer → topic → group.
#[must_use]
pub fn by_path(ledger: &Ledger) -> Split {
    split(ledger.paths.iter().map(|part| {
        let mut terms = vec![("owed", part.obligations.created)];
        terms.extend(obligations(&part.obligations));
        terms.push(("delivered twice", part.obligations.duplicate_deliveries));
        (format!("{} → {} → {}", part.producer, part.topic, part.group), terms)
    }))
}

fn rename(terms: &mut [(&'static str, u64)], from: &str, to: &'static str) {
    terms.iter_mut().filter(|(name, _)| *name == from).for_each(|(name, _)| *name = to);
}

fn split(parts: impl Iterator<Item = (String, Vec<(&'static str, u64)>)>) -> Split {
    let parts: Vec<_> = parts.collect();
    let Some((_, first)) = parts.first() else { return Split::default() };
    let used: Vec<usize> = (0..first.len()).filter(|column| parts.iter().any(|(_, terms)| terms[*column].1 > 0)).collect();
    Split {
        heads: used.iter().map(|column| first[*column].0).collect(),
        rows: parts.iter().map(|(name, terms)| (name.clone(), used.iter().map(|column| terms[*column].1).collect())).collect(),
    }
}
