//! Parameters read through their specs: one check that reports everything, then getters that cannot fail.
//!
//! A getter gives what the file says; where that is absent or (already reported as) wrong, the profile's
//! default; where there is none, the type's zero. So ports can be read from a half-broken design.

use std::borrow::Cow;
use std::str::FromStr;

use indexmap::IndexMap;
use thiserror::Error;

use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{Default_, ParamSpec, ParamType, Value};
use crate::random::{Arrival, Distribution, KeyChoice};
use crate::units::{Bytes, Rate, Ratio, SimDuration};

/// Longest list or table that a parameter may hold.
pub const ROWS_MAX: usize = 10_000;

/// Why a value does not fit its spec: code, words, hint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ParamError {
    /// `param-type`, `param-range`, `param-choice`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// One component's (or row's) parameters under its specs and profile.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    specs: &'static [ParamSpec],
    profile: Option<&'a str>,
    values: &'a IndexMap<String, Value>,
}

impl<'a> Params<'a> {
    /// A view; nothing is checked here.
    #[must_use]
    pub fn new(specs: &'static [ParamSpec], profile: Option<&'a str>, values: &'a IndexMap<String, Value>) -> Self {
        Self { specs, profile, values }
    }
    /// Which product it behaves like.
    #[must_use]
    pub fn profile(&self) -> Option<&'a str> {
        self.profile
    }
    /// The specs.
    #[must_use]
    pub fn specs(&self) -> &'static [ParamSpec] {
        self.specs
    }
    /// Whether the file itself says something.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
    /// The value in force: given, or the default's text.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Cow<'a, Value>> {
        if let Some(value) = self.values.get(name) {
            return Some(Cow::Borrowed(value));
        }
        self.default_text(name).map(|text| Cow::Owned(Value::Text(text.to_owned())))
    }
    /// Text, or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.value(name).map(|value| value.to_field_text()).unwrap_or_default()
    }
    /// Text if it is there and not empty.
    #[must_use]
    pub fn optional_text(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| value.to_field_text()).filter(|text| !text.is_empty())
    }
    /// `true` only when so.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.parsed::<bool>(name).unwrap_or_default()
    }
    /// A whole number.
    #[must_use]
    pub fn count(&self, name: &str) -> i64 {
        self.parsed::<f64>(name).map_or(0, |number| number as i64)
    }
    /// A number.
    #[must_use]
    pub fn number(&self, name: &str) -> f64 {
        self.parsed(name).unwrap_or_default()
    }
    /// A share, 0 to 1.
    #[must_use]
    pub fn ratio(&self, name: &str) -> f64 {
        self.parsed::<Ratio>(name).unwrap_or_default().0
    }
    /// A duration.
    #[must_use]
    pub fn duration(&self, name: &str) -> SimDuration {
        self.parsed(name).unwrap_or_default()
    }
    /// A rate per second.
    #[must_use]
    pub fn rate(&self, name: &str) -> f64 {
        self.parsed::<Rate>(name).unwrap_or_default().0
    }
    /// A size; none where absent.
    #[must_use]
    pub fn size(&self, name: &str) -> Option<u64> {
        self.parsed::<Bytes>(name).map(|bytes| bytes.0)
    }
    /// A distribution of durations; constant zero where absent.
    #[must_use]
    pub fn distribution(&self, name: &str) -> Distribution {
        self.parsed(name).unwrap_or_default()
    }
    /// An arrival process; none where absent.
    #[must_use]
    pub fn arrival(&self, name: &str) -> Option<Arrival> {
        self.parsed(name)
    }
    /// A choice of keys.
    #[must_use]
    pub fn keys(&self, name: &str) -> KeyChoice {
        self.parsed(name).unwrap_or_default()
    }
    /// A list of words.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<String> {
        let split = |text: &str| text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect();
        match self.values.get(name) {
            Some(Value::List(list)) => list.iter().map(Value::to_field_text).collect(),
            Some(Value::Text(text)) => split(text),
            _ => self.spec(name).and_then(|spec| spec.default_text(self.profile)).map(split).unwrap_or_default(),
        }
    }
    /// The rows of a table.
    #[must_use]
    pub fn rows(&self, name: &str) -> Vec<Params<'a>> {
        let (Some(ParamType::Rows(specs)), Some(Value::List(rows))) = (self.spec(name).map(|spec| spec.ty), self.values.get(name)) else {
            return Vec::new();
        };
        rows.iter().filter_map(Value::as_map).map(|values| Params { specs, profile: self.profile, values }).collect()
    }
    /// The named rows of a table.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<(&'a str, Params<'a>)> {
        let (Some(ParamType::Named(specs)), Some(Value::Map(rows))) = (self.spec(name).map(|spec| spec.ty), self.values.get(name)) else {
            return Vec::new();
        };
        let row = |(id, value): (&'a String, &'a Value)| {
            value.as_map().map(|values| (id.as_str(), Params { specs, profile: self.profile, values }))
        };
        rows.iter().filter_map(row).collect()
    }
    fn spec(&self, name: &str) -> Option<&'static ParamSpec> {
        let found = self.specs.iter().find(|spec| spec.name == name);
        debug_assert!(found.is_some(), "no parameter `{name}` in the spec");
        found
    }
    fn default_text(&self, name: &str) -> Option<&'static str> {
        self.spec(name)?.default_text(self.profile)
    }
    fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        let given = self.values.get(name).and_then(|value| value.to_field_text().parse().ok());
        given.or_else(|| self.default_text(name)?.parse().ok())
    }
}

/// Everything that is wrong with `values` under `specs`, each with its path and a hint.
pub fn check_params(path: &str, specs: &'static [ParamSpec], values: &IndexMap<String, Value>, out: &mut Vec<Diagnostic>) {
    for (name, value) in values {
        let here = format!("{path}.{name}");
        match specs.iter().find(|spec| spec.name == name || spec.product_key == Some(name.as_str())) {
            None => {
                let mut diagnostic = Diagnostic::error("param-unknown", here, format!("there is no parameter `{name}` here"));
                if let Some(near) = nearest(name, specs.iter().map(|spec| spec.name)) {
                    diagnostic = diagnostic.with_hint(format!("did you mean `{near}`?"));
                }
                out.push(diagnostic);
            }
            Some(spec) if spec.name != name => out.push(
                Diagnostic::error("param-unknown", here, format!("`{name}` is the product's name for this parameter"))
                    .with_hint(format!("write `{}`", spec.name)),
            ),
            Some(spec) => check_nested(&here, spec, value, out),
        }
    }
    for spec in specs {
        if matches!(spec.default, Default_::Required) && !values.contains_key(spec.name) {
            let named = spec.product_key.map(|key| format!(" ({key})")).unwrap_or_default();
            out.push(
                Diagnostic::error("param-missing", format!("{path}.{}", spec.name), format!("`{}`{named} must be given", spec.name))
                    .with_hint(spec.help),
            );
        }
    }
}

fn check_nested(path: &str, spec: &ParamSpec, value: &Value, out: &mut Vec<Diagnostic>) {
    match (spec.ty, value) {
        (ParamType::Rows(specs), Value::List(rows)) if rows.len() <= ROWS_MAX => {
            for (index, row) in rows.iter().enumerate() {
                check_row(&format!("{path}[{index}]"), specs, row, out);
            }
        }
        (ParamType::Named(specs), Value::Map(rows)) if rows.len() <= ROWS_MAX => {
            for (id, row) in rows {
                check_row(&format!("{path}.{id}"), specs, row, out);
            }
        }
        _ => {
            if let Err(error) = check_value(spec, value) {
                let mut diagnostic = Diagnostic::error(error.code, path, error.message);
                if let Some(hint) = error.hint {
                    diagnostic = diagnostic.with_hint(hint);
                }
                out.push(diagnostic);
            }
        }
    }
}

fn check_row(path: &str, specs: &'static [ParamSpec], row: &Value, out: &mut Vec<Diagnostic>) {
    match row {
        Value::Map(values) => check_params(path, specs, values, out),
        other => out.push(
            Diagnostic::error("param-type", path, format!("expected a group of fields, found {}", other.shape()))
                .with_hint(format!("write ({}: …)", specs.first().map_or("name", |spec| spec.name))),
        ),
    }
}

/// Whether one value fits one spec; tables are checked row by row by [`check_params`].
///
/// # Errors
/// What is wrong and how to mend it, naming the product's key where there is one.
pub fn check_value(spec: &ParamSpec, value: &Value) -> Result<(), ParamError> {
    let text = value.to_field_text();
    let scalar = !matches!(value, Value::List(_) | Value::Map(_));
    let named = spec.product_key.map_or_else(|| format!("`{}`", spec.name), |key| format!("`{}` ({key})", spec.name));
    let wrong_type = |expected: &str| ParamError {
        code: "param-type",
        message: format!("{named} must be {expected}, found {}", value.shape()),
        hint: spec.default_text(None).filter(|text| !text.is_empty()).map(|text| format!("for example {text}")),
    };
    let out_of_range = |min: &dyn std::fmt::Display, max: &dyn std::fmt::Display| ParamError {
        code: "param-range",
        message: format!("{named} is {text}; it may be {min} to {max}"),
        hint: None,
    };
    let refused = |error: &dyn std::fmt::Display| ParamError { code: "param-type", message: format!("{named}: {error}"), hint: None };
    match spec.ty {
        ParamType::Text { max_chars } => {
            if !scalar {
                return Err(wrong_type("text"));
            }
            let chars = text.chars().count();
            if chars > max_chars {
                return Err(ParamError {
                    code: "param-range",
                    message: format!("{named} has {chars} characters; at most {max_chars} are kept"),
                    hint: None,
                });
            }
            Ok(())
        }
        ParamType::LongText => {
            if scalar {
                Ok(())
            } else {
                Err(wrong_type("text"))
            }
        }
        ParamType::Bool => text.parse::<bool>().map(drop).map_err(|_| wrong_type("true or false")),
        ParamType::Count { min, max } => {
            let count: i64 = text.parse().map_err(|_| wrong_type("a whole number"))?;
            if (min..=max).contains(&count) { Ok(()) } else { Err(out_of_range(&min, &max)) }
        }
        ParamType::Number { min, max } => {
            let number: f64 = text.parse().map_err(|_| wrong_type("a number"))?;
            if (min..=max).contains(&number) { Ok(()) } else { Err(out_of_range(&min, &max)) }
        }
        ParamType::Ratio { min, max } => {
            let ratio: Ratio = text.parse().map_err(|error| refused(&error))?;
            if (min..=max).contains(&ratio.0) { Ok(()) } else { Err(out_of_range(&Ratio(min), &Ratio(max))) }
        }
        ParamType::Duration { min, max } => in_range::<SimDuration>(&text, min, max, &refused, &out_of_range),
        ParamType::Rate { min, max } => in_range::<Rate>(&text, min, max, &refused, &out_of_range),
        ParamType::Size { min, max } => in_range::<Bytes>(&text, min, max, &refused, &out_of_range),
        ParamType::Choice(words) => {
            if words.contains(&text.as_str()) {
                return Ok(());
            }
            let hint = match nearest(&text, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? It may be {}", words.join(", ")),
                None => format!("it may be {}", words.join(", ")),
            };
            Err(ParamError {
                code: "param-choice",
                message: format!("{named} cannot be `{}`", text.chars().take(40).collect::<String>()),
                hint: Some(hint),
            })
        }
        ParamType::DurationDist => text.parse::<Distribution>().map(drop).map_err(|error| refused(&error)),
        ParamType::Arrival => text.parse::<Arrival>().map(drop).map_err(|error| refused(&error)),
        ParamType::Keys => text.parse::<KeyChoice>().map(drop).map_err(|error| refused(&error)),
        ParamType::Words => match value {
            Value::List(words) if words.len() <= ROWS_MAX && words.iter().all(|word| !matches!(word, Value::List(_) | Value::Map(_))) => {
                Ok(())
            }
            Value::Text(_) => Ok(()),
            _ => Err(wrong_type("a list of words")),
        },
        ParamType::Rows(_) => Err(wrong_type(&format!("a list of at most {ROWS_MAX} rows"))),
        ParamType::Named(_) => Err(wrong_type(&format!("at most {ROWS_MAX} named rows"))),
    }
}

fn in_range<T: FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    min: &str,
    max: &str,
    refused: &dyn Fn(&dyn std::fmt::Display) -> ParamError,
    out_of_range: &dyn Fn(&dyn std::fmt::Display, &dyn std::fmt::Display) -> ParamError,
) -> Result<(), ParamError>
where
    T::Err: std::fmt::Display,
{
    let value: T = text.parse().map_err(|error: T::Err| refused(&error))?;
    let above = min.parse::<T>().is_ok_and(|min| value < min);
    let below = max.parse::<T>().is_ok_and(|max| value > max);
    if above || below { Err(out_of_range(&min, &max)) } else { Ok(()) }
}
