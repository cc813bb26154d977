//! Paths: normalised before they are matched, and what the service behind a route gets.
//!
//! kong/tools/uri.lua (normalize) and kong/router/utils.lua (get_upstream_uri_v0).

use std::borrow::Cow;

use super::RouteSpec;

/// The path with dot segments and double slashes gone; the query stays as it is.
pub(super) fn normal(path: &str) -> Cow<'_, str> {
    let (bare, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
    if !bare.contains("//") && !bare.contains("/.") && bare.starts_with('/') {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_slash = bare.is_empty();
    for segment in bare.split('/') {
        ends_in_slash = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len() + 1);
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if ends_in_slash || kept.is_empty() {
        out.push('/');
    }
    out.push_str(query);
    Cow::Owned(out)
}

/// What the service is asked for; `matched_bytes` of the path were taken by the route's own path.
pub(super) fn upstream(route: &RouteSpec, path: &str, matched_bytes: usize) -> String {
    let (path, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
    let base = if route.service_path.is_empty() { "/" } else { &*route.service_path };
    let strips = route.strip_path && matched_bytes > 0;
    let rest = if strips { path.get(matched_bytes..).unwrap_or_default() } else { path };
    let uri = match (base.strip_suffix('/'), strips) {
        (Some(_), true) if rest.is_empty() && (base == "/" || path.ends_with('/')) => base.to_owned(),
        (Some(short), true) if rest.is_empty() => short.to_owned(),
        (Some(short), true) if rest.starts_with('/') => format!("{short}{rest}"),
        (Some(_), true) => format!("{base}{rest}"),
        (Some(_), false) => format!("{base}{}", path.get(1..).unwrap_or_default()),
        (None, true) if rest.is_empty() && path.len() > 1 && path.ends_with('/') => format!("{base}/"),
        (None, true) if rest.is_empty() => base.to_owned(),
        (None, true) if rest.starts_with('/') => format!("{base}{rest}"),
        (None, true) => format!("{base}/{rest}"),
        (None, false) if path == "/" => base.to_owned(),
        (None, false) => format!("{base}{path}"),
    };
    uri + query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normal_before_they_are_matched() {
        for (path, wanted) in
            [("/a//b", "/a/b"), ("/a/./b/../c", "/a/c"), ("/../x?y=//", "/x?y=//"), ("", "/"), ("/a/..", "/"), ("/a/b/", "/a/b/")]
        {
            assert_eq!(normal(path), wanted);
        }
    }

    /// Cases of spec/01-unit/08-router_spec.lua, "path handling v0".
    #[test]
    fn the_service_gets_its_own_path() {
        let cases = [
            ("/", "/", true, "/", "/"),
            ("/", "/fee1", true, "/fee1", "/"),
            ("/", "/fee2", true, "/fee2bor", "/bor"),
            ("/fee0/", "/fee1", true, "/fee1", "/fee0"),
            ("/foo", "/foo", true, "/foo/bar", "/foo/bar"),
            ("/foo", "/foo", false, "/foo/bar", "/foo/foo/bar"),
            ("/foo/", "/foo", false, "/foo/bar", "/foo/foo/bar"),
            ("/foo", "/bar", true, "/bar/", "/foo/"),
            ("/foo", "/", false, "/", "/foo"),
        ];
        for (base, prefix, strip_path, path, wanted) in cases {
            let route = RouteSpec { service_path: base.into(), strip_path, ..RouteSpec::default() };
            assert_eq!(upstream(&route, path, prefix.len()), wanted, "{base} {prefix} {strip_path} {path}");
        }
    }
}
