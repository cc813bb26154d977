//! Settings of a plugin: what its fields are, and values read through them.
//!
//! In: pairs of texts as Kong's Admin API takes them (`minute` = `5`, `allow` = `a,b`). Out: typed values, or
//! everything that is wrong. Fields are data: the inspector, the checks and the exports read the same tables.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

/// Longest value.
pub const SETTING_BYTES_MAX: usize = 4_096;

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum FieldType {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count {
        /// Least.
        min: i64,
        /// Most.
        max: i64,
    },
    /// A number, whole or not.
    Number {
        /// Least.
        min: f64,
        /// Most.
        max: f64,
    },
    /// Text.
    Text,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Texts with commas between.
    Texts,
    /// Whole numbers from 0 with commas between.
    Counts,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The product's name.
    pub name: &'static str,
    /// What it holds.
    pub ty: FieldType,
    /// The product's default; none is absent.
    pub default: Option<&'static str>,
    /// One sentence.
    pub help: &'static str,
}

impl Field {
    /// A field without a default.
    pub(super) const fn new(name: &'static str, ty: FieldType, help: &'static str) -> Self {
        Self { name, ty, default: None, help }
    }
    /// The same with the product's default.
    pub(super) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
    /// The value of a text.
    fn read(&self, text: &str) -> Result<Json, String> {
        let no = |what: &str| Err(format!("`{}` is `{text}`: {what}", self.name));
        if text.len() > SETTING_BYTES_MAX {
            return Err(format!("`{}` is longer than {SETTING_BYTES_MAX} bytes", self.name));
        }
        match self.ty {
            FieldType::Flag => text.parse::<bool>().map(Json::from).or_else(|_| no("it is true or false")),
            FieldType::Count { min, max } => match text.parse::<i64>() {
                Ok(value) if (min..=max).contains(&value) => Ok(value.into()),
                _ => no(&format!("it is a whole number from {min} to {max}")),
            },
            FieldType::Number { min, max } => match text.parse::<f64>() {
                Ok(value) if value >= min && value <= max => Ok(value.into()),
                _ => no(&format!("it is a number from {min} to {max}")),
            },
            FieldType::Text => Ok(text.into()),
            FieldType::Choice(words) if words.contains(&text) => Ok(text.into()),
            FieldType::Choice(words) => no(&format!("it is one of {}", words.join(", "))),
            FieldType::Texts => Ok(list(text).map(Json::from).collect()),
            FieldType::Counts => {
                let values: Result<Vec<u64>, _> = list(text).map(str::parse::<u64>).collect();
                values.map(Json::from).or_else(|_| no("it is whole numbers with commas between"))
            }
        }
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Values in force: given, or the product's defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    values: Map<String, Json>,
}

impl Settings {
    /// Reads pairs under a table of fields.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(fields: &[Field], pairs: &[(String, String)]) -> Result<Self, Vec<String>> {
        let mut values = Map::new();
        let mut problems = Vec::new();
        for (name, text) in pairs {
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                problems.push(format!("there is no setting `{name}`; these are: {}", known.join(", ")));
                continue;
            };
            match field.read(text) {
                Ok(_) if values.contains_key(name) => problems.push(format!("`{name}` is given twice")),
                Ok(value) => drop(values.insert(name.clone(), value)),
                Err(words) => problems.push(words),
            }
        }
        for field in fields {
            if let (Some(text), false) = (field.default, values.contains_key(field.name)) {
                values.extend(field.read(text).ok().map(|value| (field.name.to_owned(), value)));
            }
        }
        if problems.is_empty() { Ok(Self { values }) } else { Err(problems) }
    }
    /// Everything as JSON, as the product's declarative files hold it.
    #[must_use]
    pub fn to_json(&self) -> &Map<String, Json> {
        &self.values
    }
    pub(super) fn flag(&self, name: &str) -> bool {
        self.values.get(name).and_then(Json::as_bool).unwrap_or_default()
    }
    pub(super) fn count(&self, name: &str) -> Option<i64> {
        self.values.get(name).and_then(Json::as_i64)
    }
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.values.get(name).and_then(Json::as_f64)
    }
    pub(super) fn text(&self, name: &str) -> Option<Arc<str>> {
        self.values.get(name).and_then(Json::as_str).map(Arc::from)
    }
    pub(super) fn texts(&self, name: &str) -> Vec<Arc<str>> {
        self.values.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(Arc::from).collect()
    }
    pub(super) fn counts(&self, name: &str) -> Vec<u64> {
        self.values.get(name).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_u64).collect()
    }
    /// A header's name, in lower case.
    pub(super) fn header(&self, name: &str) -> Option<Arc<str>> {
        self.values.get(name).and_then(Json::as_str).map(|text| text.to_ascii_lowercase().into())
    }
}
