//! What a route matches, field by field, and its rank (kong/router/transform.lua).

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::Request;

/// Longest regular expression.
pub const REGEX_BYTES_MAX: usize = 1_000;
/// Largest compiled program; Kong's own router uses the same crate.
const REGEX_PROGRAM_BYTES_MAX: usize = 1 << 20;

/// A route as written. A field without entries matches anything.
#[derive(Clone, Debug)]
pub struct RouteSpec {
    /// Its id; of two equal ranks the larger id wins, as in the product (where ids are random).
    pub name: Arc<str>,
    /// `example.com`, `*.example.com`, `example.*`.
    pub hosts: Vec<String>,
    /// `POST`…
    pub methods: Vec<String>,
    /// Each name with the values it may have; `~*` begins a regular expression.
    pub headers: Vec<(String, Vec<String>)>,
    /// `/orders` is a prefix (not of segments: `/ord` matches it too), `~/orders/\d+$` a regular expression.
    pub paths: Vec<String>,
    /// Decides between routes with regular expressions.
    pub regex_priority: u32,
    /// By CloudEvents' `type`; a star last stands for any rest. Counts as a header, as the two below do.
    pub event_types: Vec<String>,
    /// By CloudEvents' `source`.
    pub event_sources: Vec<String>,
    /// By CloudEvents' `subject`.
    pub event_subjects: Vec<String>,
    /// `http`, `https`; both when empty. Plain requests to a route of `https` alone are told to use it.
    pub protocols: Vec<String>,
    /// Host names of TLS handshakes: `shop.example`, `*.example`, `shop.*`. Not looked at without TLS.
    pub snis: Vec<String>,
    /// The service behind it; of its own name when empty.
    pub service: Arc<str>,
    /// The service's own host and the path before every request's.
    pub service_host: Arc<str>,
    /// See above; `/` when empty.
    pub service_path: Arc<str>,
    /// The service gets the path without the part that matched.
    pub strip_path: bool,
    /// The service gets the client's `Host`.
    pub preserve_host: bool,
}

impl Default for RouteSpec {
    fn default() -> Self {
        Self {
            name: "".into(),
            hosts: Vec::new(),
            methods: Vec::new(),
            headers: Vec::new(),
            paths: Vec::new(),
            regex_priority: 0,
            event_types: Vec::new(),
            event_sources: Vec::new(),
            event_subjects: Vec::new(),
            protocols: Vec::new(),
            snis: Vec::new(),
            service: "".into(),
            service_host: "".into(),
            service_path: "".into(),
            strip_path: true,
            preserve_host: false,
        }
    }
}

impl RouteSpec {
    /// Whether only TLS is taken.
    #[must_use]
    pub fn wants_https(&self) -> bool {
        self.protocols == ["https"]
    }
    /// What it asks of an event's type, source and subject.
    #[must_use]
    pub fn events(&self) -> [&[String]; 3] {
        [&self.event_types, &self.event_sources, &self.event_subjects]
    }
    /// Whether a path is a regular expression.
    #[must_use]
    pub fn is_regex(path: &str) -> bool {
        path.starts_with('~')
    }
}

/// One route with paths of one sort (one length, or all regular expressions): the product splits routes so.
#[derive(Debug)]
pub(super) struct Matcher {
    /// With the port, if one is asked for.
    hosts: Vec<(Host, Option<u16>)>,
    methods: Vec<String>,
    headers: Vec<(String, Vec<Value>)>,
    /// Of an event's type, source and subject.
    events: [Vec<String>; 3],
    snis: Vec<Host>,
    pub(super) paths: Vec<PathMatch>,
}

#[derive(Debug)]
enum Host {
    Exact(String),
    /// `*.example.com`, kept without the star.
    EndsWith(String),
    /// `example.*`, kept without the star.
    StartsWith(String),
}

#[derive(Debug)]
enum Value {
    Exact(String),
    Regex(Regex),
}

/// A path, and the literal text that every match begins with.
#[derive(Debug)]
pub(super) struct PathMatch {
    pub(super) literal: String,
    regex: Option<Regex>,
}

impl Matcher {
    /// Compiles one group of paths; says what is wrong with which field.
    pub(super) fn new(spec: &RouteSpec, paths: &[&String]) -> Result<Self, (&'static str, String)> {
        let header = |(name, values): &(String, Vec<String>)| {
            let values: Result<Vec<Value>, (&'static str, String)> = values.iter().map(|value| header_value(value)).collect();
            values.map(|values| (name.to_ascii_lowercase(), values))
        };
        Ok(Self {
            hosts: spec.hosts.iter().map(|host| host_match(host)).collect(),
            methods: spec.methods.clone(),
            headers: spec.headers.iter().map(header).collect::<Result<_, _>>()?,
            events: spec.events().map(<[String]>::to_vec),
            snis: spec.snis.iter().map(|sni| host_match(sni.strip_suffix('.').unwrap_or(sni)).0).collect(),
            paths: paths.iter().map(|path| path_match(path)).collect::<Result<_, _>>()?,
        })
    }
    /// Whether everything but the plain paths fits; those were looked up by the caller.
    pub(super) fn fits(&self, request: &Request<'_>, path: &str) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|method| method == request.method))
            && self.event_fits(request)
            && (self.paths.is_empty() || self.paths.iter().any(|candidate| candidate.fits(path)))
            && self.headers.iter().all(|(name, values)| header_fits(request, name, values))
            && (self.hosts.is_empty() || self.host_fits(request))
            // Without TLS there is no name to match, and the product does not ask for one.
            && (self.snis.is_empty() || !request.https || self.snis.iter().any(|wanted| wanted.fits(request.sni)))
    }
}

impl Matcher {
    fn event_fits(&self, request: &Request<'_>) -> bool {
        let found = [request.event_type, request.event_source, request.event_subject];
        self.events.iter().zip(found).all(|(wanted, found)| wanted.is_empty() || wanted.iter().any(|wanted| attribute_fits(wanted, found)))
    }
    fn host_fits(&self, request: &Request<'_>) -> bool {
        let Some(host) = request.host() else { return false };
        let given = request.header("host").and_then(|whole| whole.get(host.len() + 1..)).and_then(|port| port.parse().ok());
        let port: u16 = given.unwrap_or(if request.https { 443 } else { 80 });
        self.hosts.iter().any(|(wanted, wanted_port)| wanted.fits(host) && wanted_port.is_none_or(|wanted| wanted == port))
    }
    /// What of the path matched: a prefix's length, or a regular expression's.
    pub(super) fn matched_bytes(&self, path: &str) -> usize {
        let bytes = |candidate: &PathMatch| match &candidate.regex {
            None => path.starts_with(&candidate.literal).then_some(candidate.literal.len()),
            Some(regex) => regex.find(path).map(|found| found.end()),
        };
        self.paths.iter().find_map(bytes).unwrap_or(0)
    }
}

impl PathMatch {
    fn fits(&self, path: &str) -> bool {
        match &self.regex {
            None => path.starts_with(&self.literal),
            Some(regex) => regex.is_match(path),
        }
    }
}

impl Host {
    /// As it is written: neither the header nor the route is put in lower case (router/fields.lua, `http.host`).
    fn fits(&self, host: &str) -> bool {
        match self {
            Self::Exact(wanted) => host == wanted,
            Self::EndsWith(end) => host.ends_with(end.as_str()),
            Self::StartsWith(start) => host.starts_with(start.as_str()),
        }
    }
}

/// `order.placed`, or `order.*` for all that begins so.
fn attribute_fits(wanted: &str, found: &str) -> bool {
    wanted.strip_suffix('*').map_or(wanted == found, |start| found.starts_with(start))
}

fn header_fits(request: &Request<'_>, name: &str, values: &[Value]) -> bool {
    request.headers.iter().filter(|(header, _)| &**header == name).any(|(_, found)| {
        values.iter().any(|wanted| match wanted {
            Value::Exact(text) => found.eq_ignore_ascii_case(text),
            Value::Regex(regex) => regex.is_match(found),
        })
    })
}

fn host_match(host: &str) -> (Host, Option<u16>) {
    let split = host.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    let (host, port) = split.map_or((host, None), |(name, port)| (name, Some(port)));
    let matched = if let Some(end) = host.strip_prefix('*') {
        Host::EndsWith(end.to_owned())
    } else if let Some(start) = host.strip_suffix('*') {
        Host::StartsWith(start.to_owned())
    } else {
        Host::Exact(host.to_owned())
    };
    (matched, port)
}

fn header_value(value: &str) -> Result<Value, (&'static str, String)> {
    match value.strip_prefix("~*") {
        // The product lowers the header before it looks.
        Some(pattern) => regex(&pattern.to_lowercase(), true).map(Value::Regex).map_err(|words| ("headers", words)),
        None => Ok(Value::Exact(value.to_owned())),
    }
}

fn path_match(path: &str) -> Result<PathMatch, (&'static str, String)> {
    let Some(pattern) = path.strip_prefix('~') else {
        return Ok(PathMatch { literal: path.to_owned(), regex: None });
    };
    let regex = regex(&format!("^{pattern}"), false).map_err(|words| ("paths", words))?;
    Ok(PathMatch { literal: literal_start(pattern), regex: Some(regex) })
}

/// What every match of `^pattern` begins with; cut short where in doubt.
fn literal_start(pattern: &str) -> String {
    if pattern.contains('|') {
        return String::new();
    }
    let plain = |c: &char| !matches!(c, '\\' | '.' | '^' | '$' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '#' | '&' | '~');
    let mut literal: String = pattern.chars().take_while(plain).collect();
    // A quantifier takes the character before it along.
    if pattern[literal.len()..].starts_with(['*', '?', '{']) {
        literal.pop();
    }
    literal
}

fn regex(pattern: &str, any_case: bool) -> Result<Regex, String> {
    if pattern.len() > REGEX_BYTES_MAX {
        return Err(format!("the regular expression has {} bytes; at most {REGEX_BYTES_MAX} are read", pattern.len()));
    }
    RegexBuilder::new(pattern)
        .size_limit(REGEX_PROGRAM_BYTES_MAX)
        .dfa_size_limit(REGEX_PROGRAM_BYTES_MAX)
        .case_insensitive(any_case)
        .build()
        .map_err(|error| error.to_string().lines().last().unwrap_or("no regular expression").trim_start_matches("error: ").to_owned())
}

/// get_priority of kong/router/transform.lua: 64 bits, more is matched first.
///
/// `matched fields:3 | plain hosts only:1 | header count:8 | regex:1 | regex priority:32 | path length:19`
pub(super) fn rank(spec: &RouteSpec, paths: &[&String]) -> u64 {
    const HEADERS_MAX: usize = 255;
    const LENGTH_MASK: u64 = 0x7_FFFF;
    let header_count = spec.headers.len() + spec.events().iter().filter(|list| !list.is_empty()).count();
    let fields = [!spec.methods.is_empty(), !spec.hosts.is_empty(), header_count > 0, !paths.is_empty(), !spec.snis.is_empty()];
    let weight = fields.into_iter().filter(|given| *given).count() as u64;
    let plain_hosts = !spec.hosts.is_empty() && spec.hosts.iter().all(|host| !host.contains('*'));
    let is_regex = paths.first().is_some_and(|path| RouteSpec::is_regex(path));
    let regex_bits = if is_regex { 1 << 51 | u64::from(spec.regex_priority) << 19 } else { 0 };
    let length = if is_regex { 0 } else { paths.first().map_or(0, |path| path.len() as u64) & LENGTH_MASK };
    weight << 61 | u64::from(plain_hosts) << 60 | (header_count.min(HEADERS_MAX) as u64) << 52 | regex_bits | length
}
