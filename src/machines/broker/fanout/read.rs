//! A filter policy's text to a [`FilterPolicy`], or everything that SNS would refuse about it.
//!
//! Sources: docs.aws.amazon.com/sns/latest/dg subscription-filter-policy-constraints, string-value-matching,
//! numeric-value-matching, attribute-key-matching, and-or-logic.

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json};

use super::policy::{Clause, Clauses, FilterPolicy, Scope};
use super::rule::{Comparison, Exact, Network, Rule, TextTest, Unwanted};
use crate::diagnostics::{Diagnostic, nearest};

/// Longest text of a policy.
pub const TEXT_BYTES_MAX: usize = 256 << 10;
/// Keys at the top of a policy; of nested ones the parents count.
pub const KEYS_MAX: usize = 5;
/// Product of the numbers of values over all keys, times each key's depth.
pub const COMBINATIONS_MAX: u64 = 150;
/// Asterisks of one wildcard.
const ASTERISKS_MAX: usize = 3;
/// Deepest nesting that is read; SNS's limit is below it by the combinations alone.
const DEPTH_MAX: u64 = 32;
/// Numbers lie strictly between this and its negative.
const NUMBER_LIMIT: f64 = 1e9;
const DECIMALS_MAX: usize = 5;

const OPERATORS: &[&str] = &["anything-but", "prefix", "suffix", "equals-ignore-case", "numeric", "exists", "cidr", "wildcard"];

const CODE: &str = "filter-policy";
const CODE_LIMIT: &str = "filter-policy-limit";

/// Reads a policy; `path` is where it stands in the project.
///
/// # Errors
/// Everything that is wrong, each with the key's place and a hint.
pub fn read(text: &str, scope: Scope, path: &str) -> Result<FilterPolicy, Vec<Diagnostic>> {
    if text.len() > TEXT_BYTES_MAX {
        let words = format!("the filter policy has {} bytes; at most {TEXT_BYTES_MAX} are read", text.len());
        return Err(vec![Diagnostic::error(CODE_LIMIT, path, words)]);
    }
    match serde_json::from_str(text) {
        Ok(Json::Object(policy)) => from_json(&policy, scope, path),
        Ok(_) => Err(vec![not_an_object(path)]),
        Err(error) => {
            let problem = Diagnostic::error(CODE, path, format!("the filter policy is no JSON: {error}"));
            Err(vec![problem.with_hint(r#"for example {"type": ["OrderPlaced"]}"#)])
        }
    }
}

fn not_an_object(path: &str) -> Diagnostic {
    Diagnostic::error(CODE, path, "a filter policy must be a JSON object").with_hint(r#"for example {"type": ["OrderPlaced"]}"#)
}

/// The same from JSON that was parsed already.
///
/// # Errors
/// Everything that is wrong.
pub fn from_json(policy: &Map<String, Json>, scope: Scope, path: &str) -> Result<FilterPolicy, Vec<Diagnostic>> {
    let mut reader = Reader { scope, problems: Vec::new() };
    if policy.len() > KEYS_MAX {
        let words = format!("the filter policy has {} keys; SNS takes {KEYS_MAX}", policy.len());
        reader.refuse(CODE_LIMIT, path, words, "subscribe twice, or filter on fewer keys");
    }
    let (clauses, combinations) = reader.object(policy, path, 1);
    if combinations > COMBINATIONS_MAX {
        let words = format!("the filter policy has {combinations} combinations of values; SNS takes {COMBINATIONS_MAX}");
        reader.refuse(CODE_LIMIT, path, words, "the numbers of values are multiplied over the keys: list fewer of them");
    }
    if reader.problems.is_empty() { Ok(FilterPolicy { scope, clauses }) } else { Err(reader.problems) }
}

struct Reader {
    scope: Scope,
    problems: Vec<Diagnostic>,
}

impl Reader {
    fn refuse(&mut self, code: &str, path: &str, words: impl Into<String>, hint: &str) {
        self.problems.push(Diagnostic::error(code, path, words).with_hint(hint));
    }

    /// The clauses of one object, and its combinations.
    fn object(&mut self, object: &Map<String, Json>, path: &str, depth: u64) -> (Clauses, u64) {
        let mut clauses = Vec::new();
        let mut combinations = 1u64;
        for (name, value) in object {
            let place = format!("{path}.{name}");
            let (clause, count) = match value {
                Json::Array(groups) if name == "$or" => self.either(groups, &place, depth),
                Json::Array(rules) => (self.key(name, rules, &place), (rules.len() as u64).saturating_mul(depth)),
                Json::Object(inner) if self.scope == Scope::MessageBody && name != "$or" => self.nested(name, inner, &place, depth),
                Json::Object(_) if name != "$or" => {
                    let words = format!("`{name}` is nested, and attributes are flat");
                    self.refuse(CODE, &place, words, "write a list of values, or filter on the body (filter_scope: \"MessageBody\")");
                    (None, 1)
                }
                _ => {
                    self.refuse(CODE, &place, format!("`{name}` must be a list"), &format!(r#"write "{name}": […]"#));
                    (None, 1)
                }
            };
            clauses.extend(clause);
            combinations = combinations.saturating_mul(count);
        }
        (Clauses(clauses), combinations)
    }

    fn key(&mut self, name: &str, rules: &[Json], path: &str) -> Option<Clause> {
        if rules.is_empty() {
            self.refuse(CODE, path, format!("`{name}` lists no value"), "list what may come, or leave the key out");
            return None;
        }
        let rules = rules.iter().enumerate().filter_map(|(index, rule)| self.rule(rule, &format!("{path}[{index}]"))).collect();
        Some(Clause::Key { name: name.into(), rules })
    }

    fn nested(&mut self, name: &str, inner: &Map<String, Json>, path: &str, depth: u64) -> (Option<Clause>, u64) {
        if inner.is_empty() || depth >= DEPTH_MAX {
            let words = if inner.is_empty() { "it asks for nothing" } else { "it is nested too deep" };
            self.refuse(CODE, path, words, "name a key and its values");
            return (None, 1);
        }
        let (clauses, combinations) = self.object(inner, path, depth + 1);
        (Some(Clause::Inside { name: name.into(), clauses }), combinations)
    }

    fn either(&mut self, groups: &[Json], path: &str, depth: u64) -> (Option<Clause>, u64) {
        if groups.len() < 2 || depth >= DEPTH_MAX {
            self.refuse(CODE, path, "`$or` needs at least two alternatives", r#"write "$or": [{…}, {…}]"#);
            return (None, 1);
        }
        let mut read = Vec::new();
        let mut sum = 0u64;
        for (index, group) in groups.iter().enumerate() {
            let place = format!("{path}[{index}]");
            match group {
                Json::Object(group) if !group.is_empty() => {
                    let (clauses, combinations) = self.object(group, &place, depth);
                    read.push(clauses);
                    sum = sum.saturating_add(combinations);
                }
                _ => self.refuse(CODE, &place, "an alternative of `$or` must be an object with keys", r#"write {"key": ["value"]}"#),
            }
        }
        (Some(Clause::Either(read)), sum)
    }

    fn rule(&mut self, rule: &Json, path: &str) -> Option<Rule> {
        match rule {
            Json::Object(operator) => self.operator(operator, path),
            scalar => self.exact(scalar, path).map(Rule::Is),
        }
    }

    fn exact(&mut self, scalar: &Json, path: &str) -> Option<Exact> {
        match scalar {
            Json::String(text) => Some(Exact::Text(text.as_str().into())),
            Json::Number(number) => self.number(number, path).map(Exact::Number),
            Json::Bool(flag) => Some(Exact::Bool(*flag)),
            Json::Null => Some(Exact::Null),
            Json::Array(_) | Json::Object(_) => {
                self.refuse(CODE, path, "a value must be text, a number, true, false or null", "take the inner brackets away");
                None
            }
        }
    }

    fn number(&mut self, number: &Number, path: &str) -> Option<f64> {
        let value = number.as_f64().filter(|value| value.abs() < NUMBER_LIMIT);
        let text = number.to_string();
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len());
        if value.is_none() || decimals > DECIMALS_MAX || text.contains("e-") {
            let words = format!("{text} cannot be compared: numbers lie between -1e9 and 1e9 with at most {DECIMALS_MAX} decimals");
            self.refuse(CODE_LIMIT, path, words, "compare in another unit");
            return None;
        }
        value
    }

    fn operator(&mut self, operator: &Map<String, Json>, path: &str) -> Option<Rule> {
        let [(name, operand)] = operator.iter().collect::<Vec<_>>()[..] else {
            self.refuse(CODE, path, "one operator stands in each pair of braces", r#"write [{"prefix": "a"}, {"suffix": "z"}]"#);
            return None;
        };
        match (name.as_str(), operand) {
            ("exists", Json::Bool(wanted)) => Some(Rule::Exists(*wanted)),
            ("exists", _) => self.wrong(path, "exists", "true or false"),
            ("numeric", Json::Array(parts)) => self.numeric(parts, path),
            ("numeric", _) => self.wrong(path, "numeric", r#"a list such as [">=", 100, "<", 200]"#),
            ("cidr", operand) => match operand.as_str().and_then(Network::parse) {
                Some(network) => Some(Rule::Cidr(network)),
                None => self.wrong(path, "cidr", "a block of addresses such as \"10.0.0.0/24\""),
            },
            ("anything-but", operand) => self.anything_but(operand, path),
            ("prefix" | "suffix" | "equals-ignore-case" | "wildcard", operand) => self.text_test(name, operand, path).map(Rule::Text),
            (other, _) => {
                let hint = match nearest(other, OPERATORS.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it may be {}", OPERATORS.join(", ")),
                };
                self.refuse(CODE, path, format!("there is no operator `{other}`"), &hint);
                None
            }
        }
    }

    fn wrong<T>(&mut self, path: &str, operator: &str, expected: &str) -> Option<T> {
        self.refuse(CODE, path, format!("`{operator}` wants {expected}"), &format!(r#"write {{"{operator}": …}} with {expected}"#));
        None
    }

    fn text_test(&mut self, operator: &str, operand: &Json, path: &str) -> Option<TextTest> {
        let Some(text) = operand.as_str().filter(|text| !text.is_empty()) else { return self.wrong(path, operator, "a text") };
        Some(match operator {
            "prefix" => TextTest::Prefix(text.into()),
            "suffix" => TextTest::Suffix(text.into()),
            "equals-ignore-case" => TextTest::IgnoringCase(text.to_lowercase().into()),
            _ => {
                let pieces: Vec<Arc<str>> = text.split('*').map(Arc::from).collect();
                if pieces.len() > ASTERISKS_MAX + 1 {
                    let words = format!("a wildcard may have {ASTERISKS_MAX} asterisks");
                    self.refuse(CODE_LIMIT, path, words, "match a longer piece of the text");
                }
                TextTest::Wildcard(pieces)
            }
        })
    }

    fn anything_but(&mut self, operand: &Json, path: &str) -> Option<Rule> {
        let unwanted = match operand {
            Json::Array(list) if list.is_empty() => return self.wrong(path, "anything-but", "at least one value"),
            Json::Array(list) => list.iter().filter_map(|value| self.exact(value, path)).map(Unwanted::Exact).collect(),
            Json::Object(test) => {
                let [(name, operand)] = test.iter().collect::<Vec<_>>()[..] else {
                    return self.wrong(path, "anything-but", "one test, such as {\"prefix\": \"a\"}");
                };
                if !matches!(name.as_str(), "prefix" | "suffix" | "equals-ignore-case" | "wildcard") {
                    return self.wrong(path, "anything-but", "values, or a prefix, suffix, equals-ignore-case or wildcard");
                }
                let operands = operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice);
                operands.iter().filter_map(|operand| self.text_test(name, operand, path)).map(Unwanted::Text).collect()
            }
            scalar => vec![Unwanted::Exact(self.exact(scalar, path)?)],
        };
        Some(Rule::AnythingBut(unwanted))
    }

    fn numeric(&mut self, parts: &[Json], path: &str) -> Option<Rule> {
        let mut comparisons = Vec::new();
        for pair in parts.chunks(2) {
            let [how, Json::Number(number)] = pair else { return self.wrong(path, "numeric", "pairs of comparison and number") };
            let Some(how) = how.as_str().and_then(Comparison::parse) else {
                return self.wrong(path, "numeric", "the comparisons =, <, <=, > and >=");
            };
            comparisons.push((how, self.number(number, path)?));
        }
        match comparisons[..] {
            [_] => {}
            [(lower, from), (upper, to)] if lower.is_lower_bound() && upper.is_upper_bound() && from < to => {}
            _ => return self.wrong(path, "numeric", "one comparison, or a lower bound and then an upper one above it"),
        }
        Some(Rule::Numeric(comparisons))
    }
}
