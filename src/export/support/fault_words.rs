//! Faults in words, the same on a terminal and on a page.

use super::text;
use crate::metrics::{Fault, WhileOn};

/// `cut for 3s, direction both`: the action with its arguments.
#[must_use]
pub fn done(fault: &Fault) -> String {
    let arguments: Vec<String> = fault.params.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if arguments.is_empty() { fault.action.clone() } else { format!("{} {}", fault.action, arguments.join(", ")) }
}

/// What came of it: its own effects, then what the ledger counted meanwhile.
#[must_use]
pub fn effects(fault: &Fault) -> String {
    if let Some(words) = &fault.refused {
        return format!("refused: {words}");
    }
    let WhileOn { rejected, abandoned, lost, duplicates } = fault.while_on;
    let counted = [("lost", lost), ("repeated", duplicates), ("rejected", rejected), ("given up", abandoned)];
    let own = fault.effects.iter().map(|(name, count)| (name.replace('_', " "), *count));
    let all = own.chain(counted.into_iter().map(|(name, count)| (format!("events {name} meanwhile"), count)));
    let words: Vec<String> = all.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{} {name}", text::count(count))).collect();
    if words.is_empty() { "nothing that counts".to_owned() } else { words.join(", ") }
}
