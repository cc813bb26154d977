//! The traditional_compatible router: routes by rank, found through the literal start of their paths.
//!
//! ```text
//! path "/orders/7" ─► its starts "", "/orders", … that some route has ─► candidates by rank ─► first that fits
//! ```

use std::collections::HashMap;

use super::matching::{Matcher, rank};
use super::{Request, RouteSpec};

/// Most routes of one gateway.
pub const ROUTES_MAX: usize = 10_000;

/// What is wrong with a route, or with all (`route` none).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterProblem {
    /// Which, by its place in the list.
    pub route: Option<usize>,
    /// Which field of it.
    pub field: &'static str,
    /// In one sentence.
    pub message: String,
}

/// Compiled routes; immutable.
#[derive(Debug)]
pub struct Router {
    /// By falling rank.
    entries: Vec<Entry>,
    /// Places in `entries`, rising, by the literal start of a path; only looked up, never walked.
    starts: HashMap<Box<[u8]>, Vec<u32>, ahash::RandomState>,
    /// Lengths of those starts, rising.
    lengths: Vec<usize>,
}

#[derive(Debug)]
struct Entry {
    rank: u64,
    route: u32,
    matcher: Matcher,
}

impl Router {
    /// Compiles routes.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(routes: &[RouteSpec]) -> Result<Self, Vec<RouterProblem>> {
        let mut problems = Vec::new();
        if routes.len() > ROUTES_MAX {
            let message = format!("{} routes; at most {ROUTES_MAX} are kept", routes.len());
            return Err(vec![RouterProblem { route: None, field: "routes", message }]);
        }
        let mut entries = Vec::with_capacity(routes.len());
        for (index, spec) in routes.iter().enumerate() {
            for paths in path_groups(&spec.paths) {
                match Matcher::new(spec, &paths) {
                    Ok(matcher) => entries.push(Entry { rank: rank(spec, &paths), route: index as u32, matcher }),
                    Err((field, message)) => problems.push(RouterProblem { route: Some(index), field, message }),
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let id = |entry: &Entry| &routes[entry.route as usize].name;
        // Stable: path groups of one route keep their order.
        entries.sort_by(|a, b| b.rank.cmp(&a.rank).then_with(|| id(b).cmp(id(a))));
        let mut starts: HashMap<Box<[u8]>, Vec<u32>, ahash::RandomState> = HashMap::with_hasher(super::hasher());
        let mut lengths = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            let anywhere = entry.matcher.paths.is_empty().then_some("");
            for literal in entry.matcher.paths.iter().map(|path| path.literal.as_str()).chain(anywhere) {
                let places = starts.entry(literal.as_bytes().into()).or_default();
                if places.last() != Some(&(place as u32)) {
                    places.push(place as u32);
                }
                lengths.push(literal.len());
            }
        }
        lengths.sort_unstable();
        lengths.dedup();
        Ok(Self { entries, starts, lengths })
    }
    /// The route that takes a request, by its place in the list that was compiled.
    #[must_use]
    pub fn find(&self, request: &Request<'_>) -> Option<u32> {
        self.entry(request).map(|entry| entry.route)
    }
    /// How many bytes of the path the route's own path took.
    #[must_use]
    pub fn matched_bytes(&self, request: &Request<'_>) -> usize {
        self.entry(request).map_or(0, |entry| entry.matcher.matched_bytes(request.bare_path()))
    }
    /// Routes in the order in which they are tried, each with whether it fits; at most `count`.
    pub(super) fn tried(&self, request: &Request<'_>, count: usize) -> Vec<(u32, bool)> {
        let path = request.bare_path();
        self.entries.iter().take(count).map(|entry| (entry.route, entry.matcher.fits(request, path))).collect()
    }
    fn entry(&self, request: &Request<'_>) -> Option<&Entry> {
        let path = request.bare_path();
        let bytes = path.as_bytes();
        let mut best = u32::MAX;
        for length in self.lengths.iter().copied().take_while(|length| *length <= bytes.len()) {
            let Some(places) = self.starts.get(&bytes[..length]) else { continue };
            for place in places.iter().copied().take_while(|place| *place < best) {
                if self.entries[place as usize].matcher.fits(request, path) {
                    best = place;
                    break;
                }
            }
        }
        self.entries.get(best as usize)
    }
    /// The same by trying every route in order: what [`Self::find`] is checked against.
    #[cfg(test)]
    pub(super) fn find_slowly(&self, request: &Request<'_>) -> Option<u32> {
        let path = request.bare_path();
        self.entries.iter().find(|entry| entry.matcher.fits(request, path)).map(|entry| entry.route)
    }
}

/// Paths grouped as the product splits routes: regular expressions together, prefixes by length.
fn path_groups(paths: &[String]) -> Vec<Vec<&String>> {
    let mut groups: Vec<(Option<usize>, Vec<&String>)> = Vec::new();
    for path in paths {
        let sort = (!RouteSpec::is_regex(path)).then_some(path.len());
        match groups.iter_mut().find(|(known, _)| *known == sort) {
            Some((_, group)) => group.push(path),
            None => groups.push((sort, vec![path])),
        }
    }
    if groups.is_empty() { vec![Vec::new()] } else { groups.into_iter().map(|(_, group)| group).collect() }
}

/// Routes that can never take a request: another with a higher rank asks for nothing that they do not ask for
/// too. Only plain cases are seen (prefixes, equal sets): (route, the one before it). At most the first
/// [`ROUTES_COMPARED_MAX`] routes are compared.
#[must_use]
pub fn shadowed(routes: &[RouteSpec]) -> Vec<(usize, usize)> {
    let routes = &routes[..routes.len().min(ROUTES_COMPARED_MAX)];
    let covers = |wide: &RouteSpec, narrow: &RouteSpec| {
        subset(&narrow.methods, &wide.methods)
            && subset(&narrow.hosts, &wide.hosts)
            && subset(&narrow.snis, &wide.snis)
            && narrow.events().iter().zip(wide.events()).all(|(narrow, wide)| subset(narrow, wide))
            && wide.headers.iter().all(|(name, values)| narrow.headers.iter().any(|(n, v)| n == name && subset(v, values) && !v.is_empty()))
    };
    // A path group is unreachable when one group that ranks before it covers it; a route when all of its are.
    let beaten = |a: usize, b: usize| {
        let (narrow, wide) = (&routes[a], &routes[b]);
        covers(wide, narrow)
            && path_groups(&narrow.paths).iter().all(|own| {
                path_groups(&wide.paths).iter().any(|other| {
                    let before = (rank(wide, other), &wide.name) > (rank(narrow, own), &narrow.name);
                    let path_covered = |path: &String| {
                        other.iter().any(|o| {
                            if RouteSpec::is_regex(o) || RouteSpec::is_regex(path) { *o == path } else { path.starts_with(o.as_str()) }
                        })
                    };
                    before && (other.is_empty() || (!own.is_empty() && own.iter().all(|path| path_covered(path))))
                })
            })
    };
    let first = |a: usize| (0..routes.len()).find(|b| *b != a && beaten(a, *b)).map(|b| (a, b));
    (0..routes.len()).filter_map(first).collect()
}

/// See [`shadowed`].
pub const ROUTES_COMPARED_MAX: usize = 500;

/// Whether everything that `narrow` allows is allowed by `wide`; empty allows anything.
fn subset(narrow: &[String], wide: &[String]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|one| wide.contains(one)))
}
