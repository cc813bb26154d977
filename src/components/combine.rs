//! Lists of parameters that are made of others while the program is compiled.
//!
//! In: what a kind says itself, what it takes over from another, what it leaves out. Out: one list, its own first.
//! Start at [`combined`].

use super::ActionSpec;
use crate::model::ParamSpec;

/// One list of actions behind another.
pub(super) const fn joined<const N: usize>(own: &[ActionSpec], base: &[ActionSpec]) -> [ActionSpec; N] {
    let mut all = [base[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < own.len() { own[at] } else { base[at - own.len()] };
        at += 1;
    }
    all
}

/// How many parameters [`combined`] gives.
pub(super) const fn count(own: &[ParamSpec], base: &[ParamSpec], without: &[&str]) -> usize {
    let (mut count, mut at) = (own.len(), 0);
    while at < base.len() {
        if is_taken(own, &base[at], without) {
            count += 1;
        }
        at += 1;
    }
    count
}

/// `own`, then those of `base` that are neither in `own` nor in `without`.
pub(super) const fn combined<const N: usize>(own: &[ParamSpec], base: &[ParamSpec], without: &[&str]) -> [ParamSpec; N] {
    let mut all = [base[0]; N];
    let (mut to, mut at) = (0, 0);
    while to < own.len() {
        all[to] = own[to];
        to += 1;
    }
    while at < base.len() {
        if is_taken(own, &base[at], without) {
            all[to] = base[at];
            to += 1;
        }
        at += 1;
    }
    all
}

const fn is_taken(own: &[ParamSpec], spec: &ParamSpec, without: &[&str]) -> bool {
    let mut at = 0;
    while at < own.len() {
        if is_same(own[at].name, spec.name) {
            return false;
        }
        at += 1;
    }
    at = 0;
    while at < without.len() {
        if is_same(without[at], spec.name) {
            return false;
        }
        at += 1;
    }
    true
}

/// Comparing texts with `==` is not yet possible while compiling.
const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}
