//! A request taken apart: method, path, query, body.
//!
//! Names of subjects come percent-encoded and may hold anything, a slash too, so the path is split before it is decoded.

use bytes::Bytes;

/// What a client wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Look.
    Get,
    /// Register, look up by text, test.
    Post,
    /// Set.
    Put,
    /// Take away.
    Delete,
}

impl Method {
    /// The one of this name; `HEAD` is a `GET` whose body the server leaves out.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "GET" | "HEAD" => Some(Self::Get),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Segments of its path, decoded.
    pub path: Vec<String>,
    /// Names and values of its query, decoded.
    query: Vec<(String, String)>,
    /// Its body.
    pub body: Bytes,
}

impl Call {
    /// Takes a request's path and query apart; what is badly encoded is taken as it stands.
    #[must_use]
    pub fn new(method: Method, path: &str, query: &str, body: Bytes) -> Self {
        let path = path.trim_matches('/');
        let path = if path.is_empty() { Vec::new() } else { path.split('/').map(|segment| decoded(segment, false)).collect() };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), decoded(value, true))
        };
        let query = query.split('&').filter(|part| !part.is_empty()).map(pair).collect();
        Self { method, path, query, body }
    }
    /// A value of the query; none when it is absent or empty.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
    /// Whether the query says `true`, as the product reads it.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
    /// A page of a list: `offset` and `limit`, all of it when they are absent or negative.
    #[must_use]
    pub fn page<T>(&self, all: Vec<T>) -> Vec<T> {
        let number = |name: &str| self.value(name).and_then(|text| text.parse::<usize>().ok());
        let (offset, limit) = (number("offset").unwrap_or(0), number("limit").unwrap_or(usize::MAX));
        all.into_iter().skip(offset).take(limit).collect()
    }
}

fn decoded(text: &str, is_query: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|byte| (*byte as char).to_digit(16)).map(|digit| digit as u8);
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
                continue;
            }
            (b'+', ..) if is_query => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
