//! Which route takes a request: AWS API Gateway's templates, most specific first.
//!
//! docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html: a full match of route and method,
//! then routes with a greedy `{proxy+}`, then `$default`. Segments that are written out win over `{param}`, those over
//! `{proxy+}`, from left to right; a method that is named wins over `ANY`.
//!
//! ```text
//! /orders/{id}   ─►  root ─orders─► ○ ─{}─► ○ ends here: GET order, ANY order
//! /orders/{all+}                    └─ greedy: ANY rest
//! ```
//!
//! Templates stand in a tree of segments: a search goes down by text, else by parameter, else to what is greedy there,
//! and comes back up where no method fits. That is the product's order, without looking at every route. An HTTP API looks
//! for a route without a greedy end first; of a REST API, whose resources are such a tree, nothing like it is documented.

use std::collections::HashMap;
use std::sync::Arc;

use super::{ApiKind, ApiRoute};
use crate::machines::gateway::hasher;

/// Most segments of a template.
pub(super) const SEGMENTS_MAX: usize = 50;

/// Compiled; immutable.
#[derive(Debug)]
pub(super) struct Routes {
    /// By route; none is `$default`.
    templates: Vec<Option<Vec<Segment>>>,
    /// The first is the root.
    nodes: Vec<Node>,
    defaults: Ends,
}

/// What follows after some segments.
#[derive(Debug)]
struct Node {
    /// Nodes by a text that is written out; only looked up, never walked.
    plain: HashMap<Box<str>, u32, ahash::RandomState>,
    /// The node after any one segment.
    param: Option<u32>,
    /// Routes whose template ends here.
    ends: Ends,
    /// Routes that take whatever is left.
    greedy: Ends,
}

/// Routes with one template, by their methods; of two alike the first in the list is found.
#[derive(Debug, Default)]
struct Ends {
    named: Vec<(Arc<str>, u32)>,
    any: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Plain(String),
    Param(String),
    Greedy(String),
}

impl Routes {
    pub(super) fn new(routes: &[ApiRoute]) -> Result<Self, Vec<(usize, String)>> {
        let mut problems = Vec::new();
        let mut compiled = Self { templates: Vec::new(), nodes: vec![Node::new()], defaults: Ends::default() };
        for (at, route) in routes.iter().enumerate() {
            match template(&route.path) {
                Ok(segments) => {
                    compiled.insert(segments.as_deref(), &route.method, at as u32);
                    compiled.templates.push(segments);
                }
                Err(words) => problems.push((at, words)),
            }
        }
        if problems.is_empty() { Ok(compiled) } else { Err(problems) }
    }
    fn insert(&mut self, template: Option<&[Segment]>, method: &Arc<str>, route: u32) {
        let Some(template) = template else { return self.defaults.insert(method, route) };
        let mut at = 0;
        for segment in template {
            let fresh = self.nodes.len() as u32;
            let node = &mut self.nodes[at];
            let next = match segment {
                Segment::Plain(text) => *node.plain.entry(text.as_str().into()).or_insert(fresh),
                Segment::Param(_) => *node.param.get_or_insert(fresh),
                Segment::Greedy(_) => return node.greedy.insert(method, route),
            };
            if next == fresh {
                self.nodes.push(Node::new());
            }
            at = next as usize;
        }
        self.nodes[at].ends.insert(method, route);
    }
    /// The route that takes a request, by its place in the list.
    pub(super) fn find(&self, kind: ApiKind, method: &str, path: &str) -> Option<u32> {
        let whole = if kind == ApiKind::Http { self.below(0, path, method, Ends::none) } else { None };
        whole.or_else(|| self.below(0, path, method, |node| &node.greedy)).or_else(|| self.defaults.of(method))
    }
    /// `greedy` gives what may take the rest at a node.
    fn below(&self, node: u32, path: &str, method: &str, greedy: fn(&Node) -> &Ends) -> Option<u32> {
        let node = &self.nodes[node as usize];
        let path = path.trim_start_matches('/');
        if path.is_empty() {
            return node.ends.of(method);
        }
        let (segment, rest) = path.split_once('/').unwrap_or((path, ""));
        let by_text = node.plain.get(segment).and_then(|next| self.below(*next, rest, method, greedy));
        let by_param = || node.param.and_then(|next| self.below(next, rest, method, greedy));
        by_text.or_else(by_param).or_else(|| greedy(node).of(method))
    }
    /// What the parameters of a route are in a path that it takes.
    pub(super) fn params(&self, route: u32, path: &str) -> Vec<(String, String)> {
        let given: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let template = self.templates.get(route as usize).and_then(Option::as_deref).unwrap_or_default();
        let value = |(at, segment): (usize, &Segment)| match segment {
            Segment::Plain(_) => None,
            Segment::Param(name) => Some((name.clone(), given.get(at).copied().unwrap_or_default().to_owned())),
            Segment::Greedy(name) => Some((name.clone(), given.get(at..).unwrap_or_default().join("/"))),
        };
        template.iter().enumerate().filter_map(value).collect()
    }
}

impl Node {
    fn new() -> Self {
        Self { plain: HashMap::with_hasher(hasher()), param: None, ends: Ends::default(), greedy: Ends::default() }
    }
}

impl Ends {
    /// Nothing, at any node.
    fn none(_: &Node) -> &Self {
        const NONE: &Ends = &Ends { named: Vec::new(), any: None };
        NONE
    }
    fn insert(&mut self, method: &Arc<str>, route: u32) {
        if **method == *"ANY" {
            self.any.get_or_insert(route);
        } else {
            self.named.push((Arc::clone(method), route));
        }
    }
    fn of(&self, method: &str) -> Option<u32> {
        self.named.iter().find(|(named, _)| **named == *method).map(|(_, route)| *route).or(self.any)
    }
}

/// `/orders/{id}`, `/files/{proxy+}`, `$default`.
fn template(path: &str) -> Result<Option<Vec<Segment>>, String> {
    if path == "$default" {
        return Ok(None);
    }
    if !path.starts_with('/') {
        return Err(format!("the path `{path}` begins with no `/` and is not `$default`"));
    }
    let texts: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if texts.len() > SEGMENTS_MAX {
        return Err(format!("the path has {} segments; at most {SEGMENTS_MAX} are read", texts.len()));
    }
    let mut segments = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        segments.push(match inner.map(|name| name.strip_suffix('+').map_or((name, false), |name| (name, true))) {
            None if text.contains(['{', '}']) => return Err(format!("`{text}` in `{path}` is neither a text nor a `{{parameter}}`")),
            None => Segment::Plain((*text).to_owned()),
            Some(("", _)) => return Err(format!("a parameter in `{path}` has no name")),
            Some((_, true)) if at + 1 < texts.len() => return Err(format!("`{text}` takes all that is left: it stands last in `{path}`")),
            Some((name, true)) => Segment::Greedy(name.to_owned()),
            Some((name, false)) => Segment::Param(name.to_owned()),
        });
    }
    Ok(Some(segments))
}
