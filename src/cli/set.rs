//! `--set COMPONENT.PARAM=VALUE`: from text to overrides that compile takes.
//!
//! A parameter is named by our name or the product's (`web.linger`, `web.linger.ms`); a field inside a
//! table by its path (`shop.topics.orders.partitions`, `web.events.0.weight`).

use crate::components::{KindSpec, by_id, check_value};
use crate::diagnostics::nearest;
use crate::model::{Component, ParamSpec, ParamType, Project, Value};

/// One override: component, parameter, whole value.
pub type Override = (String, String, Value);

/// Reads all of them against the design as the scenario leaves it.
///
/// # Errors
/// Every problem, one a line, each with the nearest known name.
pub fn read(project: &Project, scenario: Option<&str>, texts: &[String]) -> Result<Vec<Override>, String> {
    let mut overrides: Vec<Override> = Vec::new();
    let mut problems = Vec::new();
    for text in texts {
        match read_one(project, scenario, text, &overrides) {
            Ok(found) => overrides.push(found),
            Err(problem) => problems.push(format!("--set {text}: {problem}")),
        }
    }
    if problems.is_empty() { Ok(overrides) } else { Err(problems.join("\n")) }
}

fn read_one(project: &Project, scenario: Option<&str>, text: &str, before: &[Override]) -> Result<Override, String> {
    let (name, value) = text.split_once('=').ok_or("expected COMPONENT.PARAM=VALUE")?;
    let (id, rest) = name.trim().split_once('.').ok_or("expected COMPONENT.PARAM=VALUE")?;
    let ids = project.components.keys().map(String::as_str);
    let component = project.components.get(id).ok_or_else(|| unknown("component", id, ids))?;
    let kind = by_id(&component.kind).ok_or_else(|| format!("{id} is of the unknown kind `{}`", component.kind))?.spec();
    let (spec, inside) = find_param(kind, rest)?;
    let value = read_value(value.trim())?;
    if inside.is_empty() {
        if !matches!(spec.ty, ParamType::Rows(_) | ParamType::Named(_)) {
            check_value(spec, &value).map_err(|error| with_hint(&error.message, error.hint.as_deref()))?;
        }
        return Ok((id.to_owned(), spec.name.to_owned(), value));
    }
    let mut whole = current(project, scenario, before, id, component, spec)
        .ok_or_else(|| format!("`{}` has no rows here, so `{inside}` is not one of them", spec.name))?;
    let field = match spec.ty {
        ParamType::Rows(fields) | ParamType::Named(fields) => put(&mut whole, inside, value, fields)?,
        _ => return Err(format!("`{}` is one value; there is no `{inside}` in it", spec.name)),
    };
    debug_assert!(!field.is_empty());
    Ok((id.to_owned(), spec.name.to_owned(), whole))
}

/// The spec that a dotted text names, and what is left of the text after it.
fn find_param<'t>(kind: &'static KindSpec, text: &'t str) -> Result<(&'static ParamSpec, &'t str), String> {
    if let Some(spec) = kind.params.iter().find(|spec| spec.name == text || spec.product_key == Some(text)) {
        return Ok((spec, ""));
    }
    let (head, inside) = text.split_once('.').unwrap_or((text, ""));
    let spec = kind.params.iter().find(|spec| spec.name == head);
    spec.map(|spec| (spec, inside)).ok_or_else(|| unknown(&format!("{} parameter", kind.id), text, names(kind.params)))
}

fn names(specs: &'static [ParamSpec]) -> impl Iterator<Item = &'static str> {
    specs.iter().flat_map(|spec| std::iter::once(spec.name).chain(spec.product_key))
}

/// The value in force before this override: earlier overrides, the scenario, the design.
fn current(
    project: &Project,
    scenario: Option<&str>,
    before: &[Override],
    id: &str,
    component: &Component,
    spec: &ParamSpec,
) -> Option<Value> {
    let earlier = before.iter().rev().find(|(component, param, _)| component == id && param == spec.name).map(|(_, _, value)| value);
    let scenario = scenario.map_or_else(|| project.scenarios.first().map(|(_, s)| s), |name| project.scenarios.get(name));
    let of_scenario = scenario.and_then(|s| s.set.get(id)).and_then(|params| params.get(spec.name));
    earlier.or(of_scenario).or_else(|| component.params.get(spec.name)).cloned()
}

/// Puts `value` at a path of names and numbers inside a table; gives the field's name.
fn put(whole: &mut Value, path: &str, value: Value, fields: &'static [ParamSpec]) -> Result<&'static str, String> {
    let (row, field) = match whole {
        Value::List(rows) => {
            let (index, field) = path.split_once('.').ok_or_else(|| format!("expected ROW.FIELD, found `{path}`"))?;
            let count = rows.len();
            let row = index.parse().ok().and_then(|index: usize| rows.get_mut(index));
            (row.ok_or_else(|| format!("there is no row {index}; rows count from 0 and there are {count}"))?, field)
        }
        Value::Map(rows) => {
            // A row's name may hold dots (topics do): the longest one that fits is meant.
            let name = rows.keys().filter(|name| path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.')));
            let Some(name) = name.max_by_key(|name| name.len()).cloned() else {
                let wanted = path.split_once('.').map_or(path, |(name, _)| name);
                return Err(unknown("row", wanted, rows.keys().map(String::as_str)));
            };
            let field = &path[name.len() + 1..];
            (rows.get_mut(&name).ok_or("the row was just found")?, field)
        }
        other => return Err(format!("expected a table, found {}", other.shape())),
    };
    let spec = fields.iter().find(|spec| spec.name == field || spec.product_key == Some(field));
    let spec = spec.ok_or_else(|| unknown("field", field, names(fields)))?;
    check_value(spec, &value).map_err(|error| with_hint(&error.message, error.hint.as_deref()))?;
    let Value::Map(values) = row else { return Err(format!("expected a group of fields, found {}", row.shape())) };
    values.insert(spec.name.to_owned(), value);
    Ok(spec.name)
}

/// Scalars stay text, as a file would hold them; `[…]` and `{…}` are JSON.
fn read_value(text: &str) -> Result<Value, String> {
    if text.starts_with(['[', '{']) {
        return serde_json::from_str(text).map_err(|error| format!("a list or table is written as JSON here: {error}"));
    }
    Ok(match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Int),
    })
}

/// `there is no component `bilig`; did you mean `billing`?`, or the names there are when none is near.
pub fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    const LISTED_MAX: usize = 20;
    let known: Vec<&str> = known.collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none".to_owned(),
        None if known.len() <= LISTED_MAX => format!("there are: {}", known.join(", ")),
        None => format!("there are: {}, …", known[..LISTED_MAX].join(", ")),
    };
    format!("there is no {what} `{name}`; {hint}")
}

fn with_hint(message: &str, hint: Option<&str>) -> String {
    hint.map_or_else(|| message.to_owned(), |hint| format!("{message} ({hint})"))
}
