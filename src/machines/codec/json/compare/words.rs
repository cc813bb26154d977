//! The rules in words, with a hint how to mend what breaks.
//!
//! In a template `{name}` is the property, `{keyword}` the keyword, `{reader}` and `{writer}` what either side has there.

use super::rules::{Effect, Rule};

pub(super) struct Template {
    pub(super) words: &'static str,
    pub(super) hint: Option<&'static str>,
}

const fn of(words: &'static str) -> Template {
    Template { words, hint: None }
}

const fn with(words: &'static str, hint: &'static str) -> Template {
    Template { words, hint: Some(hint) }
}

const OPEN: &str = "close the writer's model first (`\"additionalProperties\": false`), or compare under the policy LENIENT";
const UNFILLED: &str = "a default says what to assume, but a validator does not fill it in: leave `{name}` optional";

pub(super) fn template(rule: &Rule) -> Template {
    objects(rule.name)
        .or_else(|| lists(rule.name))
        .or_else(|| kinds(rule.name))
        .or_else(|| ours(rule.name))
        .unwrap_or_else(|| keyword(rule))
}

/// Any keyword that has a value on one side or both.
fn keyword(rule: &Rule) -> Template {
    let words = "`{keyword}`: the reader has {reader}, the writer has {writer}";
    if rule.effect == Effect::Fine {
        return of(words);
    }
    with(words, "keep what the writer's data may hold: leave `{keyword}` as it was, or loosen it")
}

fn objects(name: &str) -> Option<Template> {
    Some(match name {
        "REQUIRED_ATTRIBUTE_ADDED" => {
            with("the reader requires `{name}`, the writer does not", "leave `{name}` optional, or let the writers require it first")
        }
        "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED" => {
            with("the reader requires `{name}`, the writer does not; it passes because `{name}` has a default", UNFILLED)
        }
        "REQUIRED_ATTRIBUTE_REMOVED" => of("the writer requires `{name}`, the reader does not"),
        "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL" => {
            with("the reader requires `{name}`, which the writer does not know", "leave `{name}` optional and close the writer's model")
        }
        "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL" => with(
            "`{name}` is new to the reader and required; the writer's model is open, so its data may hold anything under that name",
            OPEN,
        ),
        "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL" => {
            with("`{name}` is new to the reader; the writer's model is open, so its data may hold anything under that name", OPEN)
        }
        "PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL" => of("`{name}` is new to the reader and may be anything"),
        "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL" => {
            with("the reader requires `{name}`, which the writer does not know", "leave `{name}` optional, or give it a default")
        }
        "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL" => {
            with("the reader requires `{name}`, which the writer does not know; it passes because `{name}` has a default", UNFILLED)
        }
        "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL" => of("`{name}` is new to the reader and optional"),
        "PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL" => of("the reader no longer names `{name}` and lets any property through"),
        "PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL" => of("the reader no longer names `{name}`, which could not be there"),
        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL" => with(
            "the reader has no `{name}`, which the writer may send, and its model is closed",
            "keep `{name}`, or open the reader's model",
        ),
        "PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            of("the reader no longer names `{name}`; what it says of other properties fits")
        }
        "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => with(
            "the reader no longer names `{name}`, and what it says of other properties does not fit",
            "keep `{name}`, or open the reader's model",
        ),
        "PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            of("`{name}` is new to the reader; what the writer says of other properties fits")
        }
        "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => with(
            "`{name}` is new to the reader, and what the writer says of other properties does not fit",
            "let `{name}` take what the writer's `additionalProperties` or `patternProperties` allow",
        ),
        "ADDITIONAL_PROPERTIES_ADDED" => of("the writer's model is closed, the reader's is not"),
        "ADDITIONAL_PROPERTIES_REMOVED" => {
            with("the reader's model is closed, the writer's is not", "leave `additionalProperties` as it was")
        }
        "ADDITIONAL_PROPERTIES_EXTENDED" => of("the writer has a schema for other properties, the reader takes any"),
        "ADDITIONAL_PROPERTIES_NARROWED" => {
            with("the reader has a schema for other properties, the writer takes any", "leave `additionalProperties` as it was")
        }
        _ => return dependencies(name),
    })
}

fn dependencies(name: &str) -> Option<Template> {
    let hint = "add the dependency only once every writer keeps it";
    Some(match name {
        "DEPENDENCY_ARRAY_ADDED" => with("beside `{name}` the reader requires other properties, the writer does not", hint),
        "DEPENDENCY_ARRAY_REMOVED" => of("beside `{name}` the writer requires other properties, the reader does not"),
        "DEPENDENCY_ARRAY_EXTENDED" => with("beside `{name}` the reader requires more properties than the writer", hint),
        "DEPENDENCY_ARRAY_NARROWED" => of("beside `{name}` the reader requires fewer properties than the writer"),
        "DEPENDENCY_ARRAY_CHANGED" => with("beside `{name}` the reader requires other properties than the writer", hint),
        "DEPENDENCY_SCHEMA_ADDED" => with("where `{name}` is, the reader has a further schema, the writer has none", hint),
        "DEPENDENCY_SCHEMA_REMOVED" => of("where `{name}` is, the writer has a further schema, the reader has none"),
        _ => return None,
    })
}

fn lists(name: &str) -> Option<Template> {
    Some(match name {
        "ITEM_ADDED_TO_OPEN_CONTENT_MODEL" => with(
            "item {name} has a schema that is new to the reader; the writer's list is open, so anything may stand there",
            "let the item be anything (`{}`), or close the writer's list first",
        ),
        "ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL" => of("item {name} is new to the reader and may be anything"),
        "ITEM_ADDED_TO_CLOSED_CONTENT_MODEL" => of("item {name} is new to the reader; the writer's list is closed"),
        "ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL" => of("the reader has no schema for item {name}, and its list is open"),
        "ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL" => of("the reader has no schema for item {name}, which could not be there"),
        "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL" => with(
            "the reader has no item {name}, which the writer may send, and its list is closed",
            "keep the item, or open the reader's list",
        ),
        "ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            of("the reader has no schema for item {name}; what it says of further items fits")
        }
        "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            with("the reader has no schema for item {name}, and what it says of further items does not fit", "keep the item")
        }
        "ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            of("item {name} is new to the reader; what the writer says of further items fits")
        }
        "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => with(
            "item {name} is new to the reader, and what the writer says of further items does not fit",
            "let the item take what those are",
        ),
        _ => return None,
    })
}

fn kinds(name: &str) -> Option<Template> {
    Some(match name {
        "SCHEMA_ADDED" => {
            with("`{keyword}`: the reader has a schema, the writer has none", "leave out `{keyword}`, or let it take anything (`{}`)")
        }
        "SCHEMA_REMOVED" => of("`{keyword}`: the writer has a schema, the reader has none"),
        "TYPE_CHANGED" => with(
            "the reader wants {reader}, the writer has {writer}",
            "take both: a list of types, or `anyOf` with the old schema and the new one",
        ),
        "TYPE_EXTENDED" => of("the reader takes any number, the writer has whole ones"),
        "TYPE_NARROWED" => with("the reader wants whole numbers, the writer has any", "keep the type `number`"),
        "ENUM_ARRAY_EXTENDED" => of("the reader knows {reader}; the writer has {writer}"),
        "ENUM_ARRAY_NARROWED" | "ENUM_ARRAY_CHANGED" => {
            with("the reader knows {reader}; the writer has {writer}", "keep the values that writers may still send")
        }
        "COMBINED_TYPE_EXTENDED" => of("the reader has {reader}, the writer {writer}, which is stricter"),
        "COMBINED_TYPE_CHANGED" => {
            with("the reader has {reader}, the writer {writer}", "use `anyOf` in the reader, which takes what either of them takes")
        }
        "PRODUCT_TYPE_EXTENDED" => with("the reader's `allOf` asks for more than the writer's", "leave out the new part of `allOf`"),
        "PRODUCT_TYPE_NARROWED" => of("the reader asks for fewer things at once than the writer"),
        "SUM_TYPE_EXTENDED" => of("the reader takes more alternatives than the writer has"),
        "SUM_TYPE_NARROWED" => with(
            "the reader takes fewer alternatives than the writer has: {reader}, not {writer}",
            "keep the alternatives that writers may still send",
        ),
        "COMBINED_TYPE_SUBSCHEMAS_CHANGED" => with(
            "not every part finds one that fits on the other side: the reader has {reader}, the writer {writer}",
            "keep each part of the writer's list, and add new ones beside them",
        ),
        "NOT_TYPE_EXTENDED" => with("the reader forbids more than the writer (`not`)", "leave `not` as it was"),
        "NOT_TYPE_NARROWED" => of("the reader forbids no more than the writer (`not`)"),
        "ID_CHANGED" | "TITLE_CHANGED" | "DESCRIPTION_CHANGED" | "DEFAULT_CHANGED" => of("`{keyword}` is another"),
        _ => return None,
    })
}

fn ours(name: &str) -> Option<Template> {
    Some(match name {
        "REQUIRED_UNDECLARED_ADDED" => with(
            "the reader requires `{name}`, which the writer does not: the rules look only at declared properties, and yet data without `{name}` fails",
            "leave `{name}` optional, or declare it under `properties` to have it checked",
        ),
        "RULE_WITHOUT_COMPARISON" => with(
            "`{keyword}` is new or changed: the rules do not compare it, and yet data that it forbids fails",
            "look at what the writers send before this is used",
        ),
        "CONDITION_NOT_COMPARED" => with(
            "`if`, `then` or `else` changed: the rules do not compare conditions, and yet data may fail",
            "try old data against the reader's schema",
        ),
        "REFERENCE_CHAIN_NOT_COMPARED" => with(
            "a `$ref` points at another `$ref`: the rules look no further, and yet what is behind differs and breaks",
            "let the `$ref` point at the schema itself to have it compared",
        ),
        "REFUSED_WITHOUT_EFFECT" => of("the rules refuse this change though no data is affected by it"),
        "COMPARISON_LIMIT" => with("the schemas are too entangled to be compared", "refer less from part to part, or split the schema"),
        _ => return None,
    })
}
