//! A request as a gateway sees it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A request as the plugins see it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `POST`…
    pub method: &'a str,
    /// Path, possibly with a query.
    pub path: &'a str,
    /// Names in lower case.
    pub headers: &'a [(Arc<str>, Arc<str>)],
    /// The event's CloudEvents attributes `type`, `source` and `subject`, from headers (`ce-type`…) or from inside a structured
    /// body; empty where there are none.
    pub event_type: &'a str,
    /// See above.
    pub event_source: &'a str,
    /// See above.
    pub event_subject: &'a str,
    /// Address of the client.
    pub ip: IpAddr,
    /// Whether it came over TLS.
    pub https: bool,
    /// The host name of the TLS handshake; empty without one.
    pub sni: &'a str,
    /// Payload.
    pub body: &'a [u8],
}

impl Default for Request<'_> {
    fn default() -> Self {
        Self {
            method: "GET",
            path: "/",
            headers: &[],
            event_type: "",
            event_source: "",
            event_subject: "",
            ip: client_ip(0),
            https: false,
            sni: "",
            body: &[],
        }
    }
}

/// The address that stands for client number `number`: 10.0.0.1 and up.
#[must_use]
pub fn client_ip(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001 + number % 0x00ff_fffe))
}

impl<'a> Request<'a> {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(header, _)| &**header == name).map(|(_, value)| &**value)
    }
    /// The path without its query.
    #[must_use]
    pub fn bare_path(&self) -> &'a str {
        self.path.split_once('?').map_or(self.path, |(path, _)| path)
    }
    /// Values of a query field, in order.
    pub fn query<'q>(&self, name: &'q str) -> impl Iterator<Item = &'a str> + 'q
    where
        'a: 'q,
    {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        query.split('&').filter_map(|field| field.split_once('=')).filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }
    /// The host asked for, without its port.
    #[must_use]
    pub fn host(&self) -> Option<&'a str> {
        let host = self.header("host")?;
        match host.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => Some(name),
            _ => Some(host),
        }
    }
}
