//! What a parameter is: name, unit, range, default, help. Data for the inspector, the checks, the docs.

use serde::Serialize;

/// The shape and unit of a parameter. All but the containers are written as one scalar in a file and
/// edited as one field in the inspector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum ParamType {
    /// Free text, at most `max_chars`.
    Text { max_chars: usize },
    /// Several lines of text.
    LongText,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Count { min: i64, max: i64 },
    /// A plain number.
    Number { min: f64, max: f64 },
    /// A share, `5%` or `0.05`.
    Ratio { min: f64, max: f64 },
    /// `250ms`; bounds are texts of the same form.
    Duration { min: &'static str, max: &'static str },
    /// `1200/s`.
    Rate { min: &'static str, max: &'static str },
    /// `64KiB`.
    Size { min: &'static str, max: &'static str },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A distribution of durations, `exp(5ms)` (grammar: [`crate::random::Distribution`]).
    DurationDist,
    /// An arrival process, `poisson(300/s)` (grammar: [`crate::random::Arrival`]).
    Arrival,
    /// A choice of keys, `zipf(1000, 1.1)` (grammar: [`crate::random::KeyChoice`]).
    Keys,
    /// A list of words.
    Words,
    /// A list of rows, each with these fields.
    Rows(&'static [ParamSpec]),
    /// Named rows, `{"orders": (partitions: 6)}`: the name is the key.
    Named(&'static [ParamSpec]),
}

/// Where a default comes from. Reports say "uncalibrated" while an assumed cost is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Provenance {
    /// Not a cost: a design choice.
    Choice,
    /// The product's documented default; the text names it.
    Documented(&'static str),
    /// Measured; the text says where.
    Measured(&'static str),
    /// Assumed: plausible, not measured.
    Assumed,
}

/// A default, possibly different per profile. Named with an underscore beside [`std::default::Default`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Default_ {
    /// Must be given.
    Required,
    /// May be left out and then is absent.
    Absent,
    /// The same text under every profile, in the form a field would hold (`"5ms"`, `"16384B"`, `"all"`).
    Same(&'static str),
    /// By profile name; the last entry serves any other profile.
    ByProfile(&'static [(&'static str, &'static str)]),
}

/// One parameter of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ParamSpec {
    /// Our name, in the file and on the command line (`linger`).
    pub name: &'static str,
    /// What the inspector calls it (`Linger`).
    pub label: &'static str,
    /// The product's own key, where there is one (`linger.ms`).
    pub product_key: Option<&'static str>,
    /// Shape and unit.
    pub ty: ParamType,
    /// Default.
    pub default: Default_,
    /// Where the default comes from.
    pub provenance: Provenance,
    /// The inspector's section (`Load`, `Delivery`, `Cost model`).
    pub group: &'static str,
    /// One or two sentences.
    pub help: &'static str,
}

impl ParamSpec {
    /// A parameter that is a design choice, without a product key; refine with the `with_…` functions.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str, ty: ParamType, default: Default_, help: &'static str) -> Self {
        Self { name, label, product_key: None, ty, default, provenance: Provenance::Choice, group: "", help }
    }
    /// The same with the product's key.
    #[must_use]
    pub const fn key(mut self, product_key: &'static str) -> Self {
        self.product_key = Some(product_key);
        self
    }
    /// The same in an inspector section.
    #[must_use]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }
    /// The same with the source of its default.
    #[must_use]
    pub const fn from(mut self, provenance: Provenance) -> Self {
        self.provenance = provenance;
        self
    }
    /// The default's text under `profile`, if there is a default.
    #[must_use]
    pub fn default_text(&self, profile: Option<&str>) -> Option<&'static str> {
        match self.default {
            Default_::Required | Default_::Absent => None,
            Default_::Same(text) => Some(text),
            Default_::ByProfile(table) => table.iter().find(|(name, _)| Some(*name) == profile).or(table.last()).map(|(_, text)| *text),
        }
    }
}
