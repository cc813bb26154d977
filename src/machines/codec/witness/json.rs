//! A search among JSON payloads: the smallest ones that the writer writes, changed in one place, then in one more.
//!
//! Start at [`search`].

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value as Json;

use super::values::{Spot, Texts};
use super::{Pair, TRIES_MAX, shrink};
use crate::random::Stream;
use crate::units::SimTime;

/// Random payloads to begin with.
const DRAWN: usize = 8;
/// Changes of one payload, and payloads that wait to be changed.
const EDITS_MAX: usize = 4_000;
const WAITING_MAX: usize = 1_000;
/// Most payloads that come up, seen before or not, and the largest that is looked at.
const LOOKS_MAX: u32 = 3 * TRIES_MAX;
const BYTES_MAX: usize = 16 << 10;
/// Payloads that break and are made smaller.
const SHRUNK_MAX: usize = 4;
/// Levels of a payload that are changed.
const DEPTH_MAX: u32 = 6;

/// The smallest payload that was found.
pub(super) fn search(pair: &mut Pair<'_>) -> Option<Vec<u8>> {
    let parse = |text: &str| serde_json::from_str::<Json>(text).ok();
    let (writer, reader) = (parse(pair.writer.text())?, parse(pair.reader.text())?);
    let texts = Texts::default();
    let spot = Spot::of(&[&writer, &reader], &texts);
    let mut search = Walk { looks: 0, seen: BTreeSet::new(), waiting: VecDeque::new(), broken: Vec::new() };
    for base in bases(pair, &spot) {
        search.look_at(pair, base);
    }
    while search.broken.is_empty() && !search.is_over(pair) {
        let base = search.waiting.pop_front()?;
        for edit in edits(&base, &spot) {
            if search.is_over(pair) {
                break;
            }
            let mut changed = base.clone();
            edit.apply(&mut changed);
            search.look_at(pair, changed);
        }
    }
    let Walk { mut broken, .. } = search;
    broken.sort_by_key(shrink::cost);
    let shrunk = broken.into_iter().take(SHRUNK_MAX).map(|value| shrink::shrink(value, &mut |smaller| pair.breaks(&bytes(smaller))));
    shrunk.min_by_key(shrink::cost).map(|value| bytes(&value))
}

struct Walk {
    /// Payloads that came up, again or for the first time.
    looks: u32,
    /// Texts of payloads that were looked at.
    seen: BTreeSet<String>,
    /// Valid ones that break nothing.
    waiting: VecDeque<Json>,
    broken: Vec<Json>,
}

impl Walk {
    fn is_over(&self, pair: &Pair<'_>) -> bool {
        pair.is_spent() || self.looks > LOOKS_MAX
    }
    fn look_at(&mut self, pair: &mut Pair<'_>, value: Json) {
        self.looks += 1;
        let text = value.to_string();
        if text.len() > BYTES_MAX || !self.seen.insert(text) {
            return;
        }
        let payload = bytes(&value);
        if pair.breaks(&payload) {
            self.broken.push(value);
        } else if self.waiting.len() < WAITING_MAX && pair.writer.validate(&payload).is_ok() {
            self.waiting.push_back(value);
        }
    }
}

/// Where the search begins: random payloads made as small as the writer allows, the same as they were drawn, and values
/// that either schema names.
fn bases(pair: &Pair<'_>, spot: &Spot<'_>) -> Vec<Json> {
    let is_valid = |value: &Json| pair.writer.validate(&bytes(value)).is_ok();
    let mut drawn = Vec::new();
    if pair.writer.can_generate().is_ok() {
        let mut rng = Stream::new(0, "witness", "base");
        for _ in 0..DRAWN {
            let mut payload = Vec::new();
            pair.writer.generate(&mut rng, SimTime::ZERO, &mut payload);
            drawn.extend(serde_json::from_slice::<Json>(&payload).ok());
        }
    }
    let smallest: Vec<Json> = drawn.iter().take(2).map(|value| shrink::shrink(value.clone(), &mut |smaller| is_valid(smaller))).collect();
    smallest.into_iter().chain(spot.values(0)).chain(drawn).collect()
}

#[derive(Clone)]
enum Step {
    Name(String),
    At(usize),
}

/// One change of a payload.
struct Edit {
    path: Vec<Step>,
    /// None takes the value away.
    value: Option<Json>,
}

impl Edit {
    fn apply(&self, payload: &mut Json) {
        let Some((last, way)) = self.path.split_last() else {
            payload.clone_from(self.value.as_ref().unwrap_or(&Json::Null));
            return;
        };
        let inner = way.iter().try_fold(payload, |value, step| match step {
            Step::Name(name) => value.get_mut(name),
            Step::At(at) => value.get_mut(*at),
        });
        match (inner, last, &self.value) {
            (Some(Json::Object(map)), Step::Name(name), Some(value)) => drop(map.insert(name.clone(), value.clone())),
            (Some(Json::Object(map)), Step::Name(name), None) => drop(map.shift_remove(name)),
            (Some(Json::Array(list)), Step::At(at), Some(value)) if *at < list.len() => list[*at] = value.clone(),
            (Some(Json::Array(list)), Step::At(_), Some(value)) => list.push(value.clone()),
            (Some(Json::Array(list)), Step::At(at), None) if *at < list.len() => drop(list.remove(*at)),
            _ => {}
        }
    }
}

/// Every change worth a try: outer ones first.
fn edits(base: &Json, spot: &Spot<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut level: Vec<(Vec<Step>, &Json, Spot<'_>)> = vec![(Vec::new(), base, spot.clone())];
    for depth in 0..DEPTH_MAX {
        let mut next = Vec::new();
        for (path, value, spot) in level {
            let to = |step: Step| path.iter().cloned().chain([step]).collect::<Vec<Step>>();
            let mut say = |path: Vec<Step>, value: Option<Json>| {
                if edits.len() < EDITS_MAX {
                    edits.push(Edit { path, value });
                }
            };
            if depth == 0 {
                spot.values(0).into_iter().for_each(|value| say(Vec::new(), Some(value)));
            }
            match value {
                Json::Object(map) => {
                    map.keys().for_each(|name| say(to(Step::Name(name.clone())), None));
                    let mut names: Vec<String> = map.keys().cloned().collect();
                    names.extend(spot.names().into_iter().filter(|name| !map.contains_key(name)));
                    for name in names {
                        let inner = spot.property(&name);
                        inner.values(depth + 1).into_iter().for_each(|value| say(to(Step::Name(name.clone())), Some(value)));
                        if let Some(value) = map.get(&name) {
                            next.push((to(Step::Name(name)), value, inner));
                        }
                    }
                }
                Json::Array(list) => {
                    (0..list.len()).for_each(|at| say(to(Step::At(at)), None));
                    // One further item, and the first again.
                    list.first().into_iter().for_each(|first| say(to(Step::At(list.len())), Some(first.clone())));
                    for at in 0..=list.len().min(8) {
                        let inner = spot.item(at);
                        inner.values(depth + 1).into_iter().for_each(|value| say(to(Step::At(at)), Some(value)));
                        if let Some(value) = list.get(at) {
                            next.push((to(Step::At(at)), value, inner));
                        }
                    }
                }
                _ => {}
            }
        }
        level = next;
    }
    edits
}

fn bytes(value: &Json) -> Vec<u8> {
    value.to_string().into_bytes()
}
