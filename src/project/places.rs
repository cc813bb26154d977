//! From a project path (`links[2].from`) to its place in the text.

use super::tree::{Data, Document, Group, Node};
use crate::diagnostics::{Diagnostic, Place};

/// Finds places by path in the text that a project was read from.
#[derive(Clone, Debug)]
pub struct PlaceIndex {
    root: Option<std::sync::Arc<Document>>,
}

/// Where a path leads.
struct Found {
    /// Of the value.
    value: Place,
    /// Of its name, if it has one.
    name: Option<Place>,
    /// Whether all of the path was found, or only its beginning.
    whole: bool,
    group: bool,
}

impl PlaceIndex {
    pub(super) fn new(root: Option<std::sync::Arc<Document>>) -> Self {
        Self { root }
    }

    /// Where the value of a path stands; the nearest thing around it when the text does not spell it.
    #[must_use]
    pub fn place(&self, path: &str) -> Option<Place> {
        let found = self.find(path)?;
        Some(if found.whole && !found.group { found.value } else { found.name.unwrap_or(found.value) })
    }

    /// The diagnostic at its place; unknown names are shown at the name, wrong values at the value.
    #[must_use]
    pub fn locate(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        if diagnostic.place.is_none()
            && let Some(found) = self.find(&diagnostic.path)
        {
            let at_name = found.group || !found.whole || diagnostic.code == "param-unknown";
            diagnostic.place = Some(found.name.filter(|_| at_name).unwrap_or(found.value));
        }
        diagnostic
    }

    fn find(&self, path: &str) -> Option<Found> {
        let mut node = &self.root.as_ref()?.root;
        let mut rest = path;
        let mut found = None;
        while !rest.is_empty() {
            let Some((name, next, left)) = node.group().and_then(|group| step(group, rest)) else {
                return found.map(|found| Found { whole: false, ..found });
            };
            found = Some(Found { value: next.place, name, whole: true, group: matches!(next.data, Data::Group(_)) });
            (node, rest) = (next, left);
        }
        found
    }
}

/// One step along a path: the name's place, the value, and the path that is left. Names may hold dots, so
/// the longest that fits is taken.
fn step<'a, 'p>(group: &'a Group, path: &'p str) -> Option<(Option<Place>, &'a Node, &'p str)> {
    if let Some(rest) = path.strip_prefix('[') {
        let (index, left) = rest.split_once(']')?;
        let item = group.items.get(index.parse::<usize>().ok()?)?;
        return Some((None, &item.value, left.strip_prefix('.').unwrap_or(left)));
    }
    let fits = group.items.iter().filter_map(|item| {
        let key = item.key.as_ref()?;
        let left = path.strip_prefix(key.text.as_str())?;
        let ends = left.is_empty() || left.starts_with(['.', '[']);
        ends.then_some((key, &item.value, left.strip_prefix('.').unwrap_or(left)))
    });
    fits.max_by_key(|(key, ..)| key.text.len()).map(|(key, value, left)| (Some(key.place), value, left))
}
