//! Paths: normalised before they are matched, and what the service behind a route gets.
//!
//! kong/tools/uri.lua (normalize, escape) and kong/router/utils.lua (sanitize_uri_postfix, get_upstream_uri_v0).

use std::borrow::Cow;

use super::RouteSpec;

/// Characters that mean something in a path, so that `%2F` and `/` are two things (RFC 3986, without the control characters).
const RESERVED: &[u8] = b"!*'();:@&=+$,/?%#[]";
/// Beside letters and digits, what a path may hold as it is.
const SAFE: &[u8] = b"!#$&'()*+,/:;=?@[]-_.~%";

/// The path decoded but for what is reserved, with dot segments and double slashes gone; the query stays as it is.
pub(super) fn normal(path: &str) -> Cow<'_, str> {
    let (bare, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
    let decoded = decoded(bare);
    let bare = decoded.as_deref().unwrap_or(bare);
    if !bare.contains("//") && !bare.contains("/.") && bare.starts_with('/') {
        return decoded.map_or(Cow::Borrowed(path), |bare| Cow::Owned(bare + query));
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

/// With triplets decoded that stand for nothing reserved, and the others in capitals. None where nothing changes, and of what
/// would be no UTF-8: paths are text here.
fn decoded(path: &str) -> Option<String> {
    if !path.contains('%') {
        return None;
    }
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, others @ ..] = rest {
        let triplet = others.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match triplet.and_then(|hex| Some((hex, u8::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+'))?))) {
            Some((hex, byte)) if RESERVED.contains(&byte) => {
                out.push(b'%');
                out.extend(hex.bytes().map(|digit| digit.to_ascii_uppercase()));
                rest = &others[2..];
            }
            Some((_, byte)) => {
                out.push(byte);
                rest = &others[2..];
            }
            None => {
                out.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8(out).ok().filter(|decoded| decoded != path)
}

/// Safe to be sent: what was decoded and may not stand in a path is encoded again.
fn escaped(uri: String) -> String {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || SAFE.contains(&byte);
    if uri.bytes().all(is_safe) {
        return uri;
    }
    let one = |byte: u8| if is_safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    uri.bytes().map(one).collect()
}

/// A rest that begins with dots does not lead out of the service's path.
fn without_dots(rest: &str) -> &str {
    match rest {
        "." | ".." => "",
        rest => rest.strip_prefix("../").or_else(|| rest.strip_prefix("./")).unwrap_or(rest),
    }
}

/// What the service is asked for; `matched_bytes` of the path were taken by the route's own path.
pub(super) fn upstream(route: &RouteSpec, path: &str, matched_bytes: usize) -> String {
    let (path, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
    let base = if route.service_path.is_empty() { "/" } else { &*route.service_path };
    let strips = route.strip_path && matched_bytes > 0;
    let rest = if strips { without_dots(path.get(matched_bytes..).unwrap_or_default()) } else { path };
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
    escaped(uri) + query
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

    /// Of spec/01-unit/08-router_spec.lua, "normalization stopgap measurements", and tools/uri.lua: what is reserved stays encoded.
    #[test]
    fn triplets_are_decoded_unless_they_mean_something() {
        for (path, wanted) in [
            ("/reg%65x", "/regex"),
            ("/a%2fb?x=%65", "/a%2Fb?x=%65"),
            ("/%2e%2E/x/%2e/y", "/x/y"),
            ("/caf%C3%A9", "/café"),
            ("/%ff", "/%ff"),
            ("/100%", "/100%"),
            ("/%+1", "/%+1"),
            ("/%é", "/%é"),
        ] {
            assert_eq!(normal(path), wanted, "{path}");
        }
        assert_eq!(upstream(&RouteSpec::default(), "/caf\u{e9} x?q", 0), "/caf%C3%A9%20x?q");
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
            ("/service", "/route", true, "/route./req", "/service/req"),
            ("/service/", "/route", true, "/route../req", "/service/req"),
        ];
        for (base, prefix, strip_path, path, wanted) in cases {
            let route = RouteSpec { service_path: base.into(), strip_path, ..RouteSpec::default() };
            assert_eq!(upstream(&route, path, prefix.len()), wanted, "{base} {prefix} {strip_path} {path}");
        }
    }
}
