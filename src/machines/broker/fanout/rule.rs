//! One rule of a filter policy: what a single value must be.

use std::net::IpAddr;
use std::sync::Arc;

use super::attributes::ValueRef;

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rule {
    Is(Exact),
    Text(TextTest),
    /// None of these.
    AnythingBut(Vec<Unwanted>),
    /// Every comparison holds.
    Numeric(Vec<(Comparison, f64)>),
    /// Whether the key is there at all; decided where keys are looked up.
    Exists(bool),
    Cidr(Network),
}

/// Exactly this.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Exact {
    Text(Arc<str>),
    Number(f64),
    Bool(bool),
    Null,
}

/// A test of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TextTest {
    Prefix(Arc<str>),
    Suffix(Arc<str>),
    /// In lower case.
    IgnoringCase(Arc<str>),
    /// The literal pieces between the asterisks.
    Wildcard(Vec<Arc<str>>),
}

/// What anything-but refuses.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unwanted {
    Exact(Exact),
    Text(TextTest),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A block of addresses: those that share the first bits with this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    bits: u128,
    prefix: u32,
    /// 32 or 128: version 4 and version 6 do not mix.
    width: u32,
}

impl Rule {
    pub fn holds(&self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Is(exact), value) => exact.is(value),
            (Self::Text(test), ValueRef::Text(text)) => test.holds(text),
            (Self::AnythingBut(unwanted), value) => !unwanted.iter().any(|unwanted| unwanted.is(value)),
            (Self::Numeric(comparisons), ValueRef::Number(number)) => comparisons.iter().all(|(how, limit)| how.holds(number, *limit)),
            (Self::Cidr(network), ValueRef::Text(text)) => text.parse().is_ok_and(|address| network.contains(address)),
            // Presence is decided where keys are looked up; the rest compares values of unlike types.
            (Self::Exists(_) | Self::Text(_) | Self::Numeric(_) | Self::Cidr(_), _) => false,
        }
    }
}

impl Exact {
    fn is(&self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Text(wanted), ValueRef::Text(text)) => **wanted == *text,
            (Self::Number(wanted), ValueRef::Number(number)) => *wanted == number,
            (Self::Bool(wanted), ValueRef::Bool(flag)) => *wanted == flag,
            (Self::Null, ValueRef::Null) => true,
            _ => false,
        }
    }
}

impl TextTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Suffix(suffix) => text.ends_with(&**suffix),
            Self::IgnoringCase(wanted) => text.to_lowercase() == **wanted,
            Self::Wildcard(pieces) => fits(pieces, text),
        }
    }
}

/// Whether `text` is the pieces in order with anything between them.
fn fits(pieces: &[Arc<str>], text: &str) -> bool {
    let [first, rest @ ..] = pieces else { return text.is_empty() };
    let Some((last, middle)) = rest.split_last() else { return **first == *text };
    let inner = text.strip_prefix(&**first).and_then(|text| text.strip_suffix(&**last));
    let Some(mut left) = inner else { return false };
    // The leftmost place for each piece leaves the most room for those after it.
    middle.iter().all(|piece| {
        let found = left.split_once(&**piece);
        found.is_some_and(|(_, after)| {
            left = after;
            true
        })
    })
}

impl Unwanted {
    fn is(&self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Exact(exact), value) => exact.is(value),
            (Self::Text(test), ValueRef::Text(text)) => test.holds(text),
            (Self::Text(_), _) => false,
        }
    }
}

impl Comparison {
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "=" => Self::Equal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
    pub fn is_lower_bound(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }
    pub fn is_upper_bound(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }
    fn holds(self, number: f64, limit: f64) -> bool {
        match self {
            Self::Equal => number == limit,
            Self::Less => number < limit,
            Self::LessOrEqual => number <= limit,
            Self::Greater => number > limit,
            Self::GreaterOrEqual => number >= limit,
        }
    }
}

impl Network {
    /// `10.0.0.0/24`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let (bits, width) = bits_of(address.parse().ok()?);
        let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= width)?;
        Some(Self { bits, prefix, width })
    }
    fn contains(self, address: IpAddr) -> bool {
        let (bits, width) = bits_of(address);
        width == self.width && (bits ^ self.bits).checked_shr(width - self.prefix).unwrap_or(0) == 0
    }
}

fn bits_of(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}
