//! Which route takes a request: AWS API Gateway's templates, most specific first.
//!
//! docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html: a full match of route and method,
//! then routes with a greedy `{proxy+}`, then `$default`. Segments that are written out win over `{param}`, those over
//! `{proxy+}`, from left to right; a method that is named wins over `ANY`.

use std::sync::Arc;

use super::ApiRoute;

/// Most segments of a template.
pub(super) const SEGMENTS_MAX: usize = 50;

#[derive(Debug)]
pub(super) struct Routes {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    route: u32,
    /// None is `ANY`.
    method: Option<Arc<str>>,
    /// None is `$default`.
    segments: Option<Vec<Segment>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Plain(String),
    Param(String),
    Greedy(String),
}

/// A match, and the values of its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub route: Option<u32>,
    pub params: Vec<(String, String)>,
    /// The path is known, its method is not.
    pub other_method: bool,
}

impl Routes {
    pub(super) fn new(routes: &[ApiRoute]) -> Result<Self, Vec<(usize, String)>> {
        let mut problems = Vec::new();
        let mut entries = Vec::new();
        for (at, route) in routes.iter().enumerate() {
            match template(&route.path) {
                Ok(segments) => {
                    entries.push(Entry { route: at as u32, method: (&*route.method != "ANY").then(|| Arc::clone(&route.method)), segments })
                }
                Err(words) => problems.push((at, words)),
            }
        }
        // Stable: of two alike the first in the list is found.
        entries.sort_by_key(rank);
        if problems.is_empty() { Ok(Self { entries }) } else { Err(problems) }
    }
    pub(super) fn find(&self, method: &str, path: &str) -> Found {
        let given: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut found = Found::default();
        for entry in &self.entries {
            let Some(params) = entry.fits(&given) else { continue };
            if entry.method.as_ref().is_none_or(|wanted| **wanted == *method) {
                return Found { route: Some(entry.route), params, other_method: false };
            }
            found.other_method = true;
        }
        found
    }
}

/// Sorts first what is tried first: by segments, then the method.
fn rank(entry: &Entry) -> (Vec<u8>, bool) {
    let kind = |segment: &Segment| match segment {
        Segment::Plain(_) => 0,
        Segment::Param(_) => 1,
        Segment::Greedy(_) => 2,
    };
    let segments = entry.segments.as_ref().map_or(vec![3], |segments| segments.iter().map(kind).collect());
    (segments, entry.method.is_none())
}

impl Entry {
    fn fits(&self, given: &[&str]) -> Option<Vec<(String, String)>> {
        let Some(segments) = &self.segments else { return Some(Vec::new()) };
        let mut params = Vec::new();
        let mut rest = given;
        for segment in segments {
            match (segment, rest) {
                (Segment::Greedy(name), [_, ..]) => {
                    params.push((name.clone(), rest.join("/")));
                    return Some(params);
                }
                (Segment::Plain(text), [first, tail @ ..]) if text == first => rest = tail,
                (Segment::Param(name), [first, tail @ ..]) => {
                    params.push((name.clone(), (*first).to_owned()));
                    rest = tail;
                }
                _ => return None,
            }
        }
        rest.is_empty().then_some(params)
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
