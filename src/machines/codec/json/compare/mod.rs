//! Whether one JSON Schema reads what another describes, by Confluent's rules, with every difference and its place.
//!
//! In: a reader's and a writer's shapes, a policy. Out: [`Difference`]s by the product's names, and warnings of ours where
//! its rule and the meaning of JSON Schema part ways. Work and result are bounded.
//! Must not know: registries, levels. Start at [`compare`], then [`walk`].
//!
//! ```text
//! JSON ─► read (drafts 4-7) ┐
//!         modern (2019-09…) ┴► Shapes ─► walk: pairs of nodes, each once ─► Outcomes ─► list ─► Differences
//! ```

mod arrays;
mod combined;
mod decimal;
mod describe;
mod matching;
mod modern;
mod objects;
mod print;
mod read;
mod rules;
mod scalars;
mod shape;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::machines::codec::difference::{DIFFERENCES_MAX, Difference, Policy, Severity};

pub(super) use read::read;
pub(super) use shape::Shapes;
use walk::{Entry, Found, NOTHING, OutcomeIx, Pair, Step, Walk};

/// What a reader makes of a writer's data.
pub(super) fn compare(reader: &Shapes, writer: &Shapes, policy: Policy) -> Vec<Difference> {
    let mut walk = Walk::new(reader, writer, policy);
    let root = walk.run();
    let mut differences: Vec<Difference> = all_found(&walk, root).into_iter().map(|found| in_words(&walk, &found, policy)).collect();
    if differences.len() > DIFFERENCES_MAX {
        // What breaks decides: it is never what is cut off.
        differences.sort_by_key(|difference| difference.severity);
        differences.truncate(DIFFERENCES_MAX);
    }
    let mut seen = BTreeSet::new();
    differences.retain(|difference| seen.insert((difference.rule, difference.reader.clone(), difference.writer.clone())));
    differences
}

/// Everything found below an outcome, each outcome once, in the order of the walk.
fn all_found<'a>(walk: &Walk<'a>, root: OutcomeIx) -> Vec<Found<'a>> {
    let (mut found, mut seen) = (Vec::new(), vec![false; walk.outcomes.len()]);
    let mut left: Vec<(OutcomeIx, usize)> = vec![(root, 0)];
    while let Some((outcome, at)) = left.pop() {
        seen[outcome as usize] = true;
        let Some(entry) = walk.outcomes[outcome as usize].entries.get(at) else { continue };
        left.push((outcome, at + 1));
        match entry {
            Entry::Found(one) => found.push(*one),
            Entry::Nested(_, nested) if *nested != NOTHING && !seen[*nested as usize] => left.push((*nested, 0)),
            Entry::Nested(..) => {}
        }
    }
    found
}

fn in_words(walk: &Walk<'_>, found: &Found<'_>, policy: Policy) -> Difference {
    let Found { rule, step, pair } = *found;
    let (writer, reader) = sides(pair);
    let place = |at| walk.shapes(at).pointer_below(walk.node(at), &walk.shapes(at).pointer(at.node), step);
    let template = words::template(rule);
    let fill = |text: &str| filled(walk, text, step, pair);
    let severity = rule.severity(policy);
    Difference {
        rule: rule.name,
        severity,
        reader: place(reader),
        writer: place(writer),
        words: fill(template.words),
        hint: template.hint.filter(|_| severity != Severity::Fine).map(fill),
    }
}

fn sides(pair: Pair) -> (walk::At, walk::At) {
    if pair.update.is_reader { (pair.original, pair.update) } else { (pair.update, pair.original) }
}

fn filled(walk: &Walk<'_>, text: &str, step: Step<'_>, pair: Pair) -> String {
    let (writer, reader) = sides(pair);
    let keyword = match step {
        Step::Here => "",
        Step::Keyword(keyword) | Step::Note(keyword) | Step::Name(keyword, _) | Step::Index(keyword, _) => keyword,
    };
    let name = match step {
        Step::Name(_, name) => name.to_owned(),
        Step::Index(_, at) => at.to_string(),
        _ => String::new(),
    };
    let side = |at| match step {
        Step::Keyword(keyword) => describe::value(&walk.node(at).shape, keyword).unwrap_or_else(|| "none".to_owned()),
        _ => describe::kind(walk.shapes(at), walk.node(at)),
    };
    let mut out = text.replace("{keyword}", keyword);
    if out.contains("{reader}") || out.contains("{writer}") {
        out = out.replace("{reader}", &side(reader)).replace("{writer}", &side(writer));
    }
    // Last, so that nothing in a name is taken for a mark.
    out.replace("{name}", &name)
}
