//! The product's rules by name, with what each means to a reader: data, nothing else.
//!
//! The names are those of Confluent's json-schema-diff, which its error messages show. The last few are ours: they never decide, they
//! say where the product's rule and the meaning of JSON Schema part ways.

use crate::machines::codec::difference::{Policy, Severity};

/// What a rule means to a reader of old data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Breaks,
    /// Breaks under STRICT; LENIENT lets it pass, and old data may still fail.
    Lenient,
    /// Passes, and old data may still fail.
    Warns,
    Fine,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) effect: Effect,
}

impl Rule {
    const fn new(name: &'static str, effect: Effect) -> Self {
        Self { name, effect }
    }
    pub(super) fn severity(&self, policy: Policy) -> Severity {
        match (self.effect, policy) {
            (Effect::Breaks, _) | (Effect::Lenient, Policy::Strict) => Severity::Breaks,
            (Effect::Lenient, Policy::Lenient) | (Effect::Warns, _) => Severity::Warns,
            (Effect::Fine, _) => Severity::Fine,
        }
    }
}

/// The four rules of a keyword that bounds something.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) keyword: &'static str,
    pub(super) added: Rule,
    pub(super) removed: Rule,
    pub(super) increased: Rule,
    pub(super) decreased: Rule,
}

impl Bound {
    const fn upper(keyword: &'static str, names: [&'static str; 4]) -> Self {
        Self::of(keyword, names, Effect::Fine, Effect::Breaks)
    }
    const fn lower(keyword: &'static str, names: [&'static str; 4]) -> Self {
        Self::of(keyword, names, Effect::Breaks, Effect::Fine)
    }
    const fn of(keyword: &'static str, names: [&'static str; 4], increased: Effect, decreased: Effect) -> Self {
        let [added, removed, increased_name, decreased_name] = names;
        Self {
            keyword,
            added: Rule::new(added, Effect::Breaks),
            removed: Rule::new(removed, Effect::Fine),
            increased: Rule::new(increased_name, increased),
            decreased: Rule::new(decreased_name, decreased),
        }
    }
}

pub(super) static MAX_LENGTH: Bound =
    Bound::upper("maxLength", ["MAX_LENGTH_ADDED", "MAX_LENGTH_REMOVED", "MAX_LENGTH_INCREASED", "MAX_LENGTH_DECREASED"]);
pub(super) static MIN_LENGTH: Bound =
    Bound::lower("minLength", ["MIN_LENGTH_ADDED", "MIN_LENGTH_REMOVED", "MIN_LENGTH_INCREASED", "MIN_LENGTH_DECREASED"]);
pub(super) static MAXIMUM: Bound = Bound::upper("maximum", ["MAXIMUM_ADDED", "MAXIMUM_REMOVED", "MAXIMUM_INCREASED", "MAXIMUM_DECREASED"]);
pub(super) static MINIMUM: Bound = Bound::lower("minimum", ["MINIMUM_ADDED", "MINIMUM_REMOVED", "MINIMUM_INCREASED", "MINIMUM_DECREASED"]);
pub(super) static EXCLUSIVE_MAXIMUM: Bound = Bound::upper(
    "exclusiveMaximum",
    ["EXCLUSIVE_MAXIMUM_ADDED", "EXCLUSIVE_MAXIMUM_REMOVED", "EXCLUSIVE_MAXIMUM_INCREASED", "EXCLUSIVE_MAXIMUM_DECREASED"],
);
pub(super) static EXCLUSIVE_MINIMUM: Bound = Bound::lower(
    "exclusiveMinimum",
    ["EXCLUSIVE_MINIMUM_ADDED", "EXCLUSIVE_MINIMUM_REMOVED", "EXCLUSIVE_MINIMUM_INCREASED", "EXCLUSIVE_MINIMUM_DECREASED"],
);
pub(super) static MAX_PROPERTIES: Bound = Bound::upper(
    "maxProperties",
    ["MAX_PROPERTIES_ADDED", "MAX_PROPERTIES_REMOVED", "MAX_PROPERTIES_INCREASED", "MAX_PROPERTIES_DECREASED"],
);
pub(super) static MIN_PROPERTIES: Bound = Bound::lower(
    "minProperties",
    ["MIN_PROPERTIES_ADDED", "MIN_PROPERTIES_REMOVED", "MIN_PROPERTIES_INCREASED", "MIN_PROPERTIES_DECREASED"],
);
pub(super) static MAX_ITEMS: Bound =
    Bound::upper("maxItems", ["MAX_ITEMS_ADDED", "MAX_ITEMS_REMOVED", "MAX_ITEMS_INCREASED", "MAX_ITEMS_DECREASED"]);
pub(super) static MIN_ITEMS: Bound =
    Bound::lower("minItems", ["MIN_ITEMS_ADDED", "MIN_ITEMS_REMOVED", "MIN_ITEMS_INCREASED", "MIN_ITEMS_DECREASED"]);
pub(super) static MAX_CONTAINS: Bound =
    Bound::upper("maxContains", ["MAX_CONTAINS_ADDED", "MAX_CONTAINS_REMOVED", "MAX_CONTAINS_INCREASED", "MAX_CONTAINS_DECREASED"]);
pub(super) static MIN_CONTAINS: Bound =
    Bound::lower("minContains", ["MIN_CONTAINS_ADDED", "MIN_CONTAINS_REMOVED", "MIN_CONTAINS_INCREASED", "MIN_CONTAINS_DECREASED"]);

pub(super) static ID_CHANGED: Rule = Rule::new("ID_CHANGED", Effect::Fine);
pub(super) static DESCRIPTION_CHANGED: Rule = Rule::new("DESCRIPTION_CHANGED", Effect::Fine);
pub(super) static TITLE_CHANGED: Rule = Rule::new("TITLE_CHANGED", Effect::Fine);
pub(super) static DEFAULT_CHANGED: Rule = Rule::new("DEFAULT_CHANGED", Effect::Fine);
pub(super) static SCHEMA_ADDED: Rule = Rule::new("SCHEMA_ADDED", Effect::Breaks);
pub(super) static SCHEMA_REMOVED: Rule = Rule::new("SCHEMA_REMOVED", Effect::Fine);
pub(super) static TYPE_EXTENDED: Rule = Rule::new("TYPE_EXTENDED", Effect::Fine);
pub(super) static TYPE_NARROWED: Rule = Rule::new("TYPE_NARROWED", Effect::Breaks);
pub(super) static TYPE_CHANGED: Rule = Rule::new("TYPE_CHANGED", Effect::Breaks);
pub(super) static PATTERN_ADDED: Rule = Rule::new("PATTERN_ADDED", Effect::Breaks);
pub(super) static PATTERN_REMOVED: Rule = Rule::new("PATTERN_REMOVED", Effect::Fine);
pub(super) static PATTERN_CHANGED: Rule = Rule::new("PATTERN_CHANGED", Effect::Breaks);
pub(super) static MULTIPLE_OF_ADDED: Rule = Rule::new("MULTIPLE_OF_ADDED", Effect::Breaks);
pub(super) static MULTIPLE_OF_REMOVED: Rule = Rule::new("MULTIPLE_OF_REMOVED", Effect::Fine);
pub(super) static MULTIPLE_OF_EXPANDED: Rule = Rule::new("MULTIPLE_OF_EXPANDED", Effect::Breaks);
pub(super) static MULTIPLE_OF_REDUCED: Rule = Rule::new("MULTIPLE_OF_REDUCED", Effect::Fine);
pub(super) static MULTIPLE_OF_CHANGED: Rule = Rule::new("MULTIPLE_OF_CHANGED", Effect::Breaks);
pub(super) static REQUIRED_ATTRIBUTE_ADDED: Rule = Rule::new("REQUIRED_ATTRIBUTE_ADDED", Effect::Breaks);
pub(super) static REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED: Rule = Rule::new("REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED", Effect::Warns);
pub(super) static REQUIRED_ATTRIBUTE_REMOVED: Rule = Rule::new("REQUIRED_ATTRIBUTE_REMOVED", Effect::Fine);
pub(super) static ADDITIONAL_PROPERTIES_ADDED: Rule = Rule::new("ADDITIONAL_PROPERTIES_ADDED", Effect::Fine);
pub(super) static ADDITIONAL_PROPERTIES_REMOVED: Rule = Rule::new("ADDITIONAL_PROPERTIES_REMOVED", Effect::Lenient);
pub(super) static ADDITIONAL_PROPERTIES_EXTENDED: Rule = Rule::new("ADDITIONAL_PROPERTIES_EXTENDED", Effect::Fine);
pub(super) static ADDITIONAL_PROPERTIES_NARROWED: Rule = Rule::new("ADDITIONAL_PROPERTIES_NARROWED", Effect::Lenient);
pub(super) static UNEVALUATED_PROPERTIES_ADDED: Rule = Rule::new("UNEVALUATED_PROPERTIES_ADDED", Effect::Fine);
pub(super) static UNEVALUATED_PROPERTIES_REMOVED: Rule = Rule::new("UNEVALUATED_PROPERTIES_REMOVED", Effect::Lenient);
pub(super) static UNEVALUATED_PROPERTIES_EXTENDED: Rule = Rule::new("UNEVALUATED_PROPERTIES_EXTENDED", Effect::Fine);
pub(super) static UNEVALUATED_PROPERTIES_NARROWED: Rule = Rule::new("UNEVALUATED_PROPERTIES_NARROWED", Effect::Lenient);
pub(super) static DEPENDENCY_ARRAY_ADDED: Rule = Rule::new("DEPENDENCY_ARRAY_ADDED", Effect::Breaks);
pub(super) static DEPENDENCY_ARRAY_REMOVED: Rule = Rule::new("DEPENDENCY_ARRAY_REMOVED", Effect::Fine);
pub(super) static DEPENDENCY_ARRAY_EXTENDED: Rule = Rule::new("DEPENDENCY_ARRAY_EXTENDED", Effect::Breaks);
pub(super) static DEPENDENCY_ARRAY_NARROWED: Rule = Rule::new("DEPENDENCY_ARRAY_NARROWED", Effect::Fine);
pub(super) static DEPENDENCY_ARRAY_CHANGED: Rule = Rule::new("DEPENDENCY_ARRAY_CHANGED", Effect::Breaks);
pub(super) static DEPENDENCY_SCHEMA_ADDED: Rule = Rule::new("DEPENDENCY_SCHEMA_ADDED", Effect::Breaks);
pub(super) static DEPENDENCY_SCHEMA_REMOVED: Rule = Rule::new("DEPENDENCY_SCHEMA_REMOVED", Effect::Fine);
pub(super) static REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL: Rule =
    Rule::new("REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", Effect::Breaks);
pub(super) static REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL: Rule =
    Rule::new("REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL", Effect::Lenient);
pub(super) static OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL: Rule =
    Rule::new("OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", Effect::Lenient);
pub(super) static PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL: Rule =
    Rule::new("PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL: Rule =
    Rule::new("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", Effect::Breaks);
pub(super) static REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL: Rule =
    Rule::new("REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL", Effect::Warns);
pub(super) static OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL: Rule =
    Rule::new("OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL: Rule = Rule::new("PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL: Rule =
    Rule::new("PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL", Effect::Fine);
pub(super) static PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL: Rule =
    Rule::new("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", Effect::Lenient);
pub(super) static PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: Rule =
    Rule::new("PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: Rule =
    Rule::new("PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Effect::Lenient);
pub(super) static PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: Rule =
    Rule::new("PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: Rule =
    Rule::new("PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Effect::Lenient);
pub(super) static UNIQUE_ITEMS_ADDED: Rule = Rule::new("UNIQUE_ITEMS_ADDED", Effect::Breaks);
pub(super) static UNIQUE_ITEMS_REMOVED: Rule = Rule::new("UNIQUE_ITEMS_REMOVED", Effect::Fine);
pub(super) static ADDITIONAL_ITEMS_ADDED: Rule = Rule::new("ADDITIONAL_ITEMS_ADDED", Effect::Fine);
pub(super) static ADDITIONAL_ITEMS_REMOVED: Rule = Rule::new("ADDITIONAL_ITEMS_REMOVED", Effect::Breaks);
pub(super) static ADDITIONAL_ITEMS_EXTENDED: Rule = Rule::new("ADDITIONAL_ITEMS_EXTENDED", Effect::Fine);
pub(super) static ADDITIONAL_ITEMS_NARROWED: Rule = Rule::new("ADDITIONAL_ITEMS_NARROWED", Effect::Breaks);
pub(super) static UNEVALUATED_ITEMS_ADDED: Rule = Rule::new("UNEVALUATED_ITEMS_ADDED", Effect::Fine);
pub(super) static UNEVALUATED_ITEMS_REMOVED: Rule = Rule::new("UNEVALUATED_ITEMS_REMOVED", Effect::Breaks);
pub(super) static UNEVALUATED_ITEMS_EXTENDED: Rule = Rule::new("UNEVALUATED_ITEMS_EXTENDED", Effect::Fine);
pub(super) static UNEVALUATED_ITEMS_NARROWED: Rule = Rule::new("UNEVALUATED_ITEMS_NARROWED", Effect::Breaks);
pub(super) static ITEM_ADDED_TO_OPEN_CONTENT_MODEL: Rule = Rule::new("ITEM_ADDED_TO_OPEN_CONTENT_MODEL", Effect::Breaks);
pub(super) static ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL: Rule =
    Rule::new("ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static ITEM_ADDED_TO_CLOSED_CONTENT_MODEL: Rule = Rule::new("ITEM_ADDED_TO_CLOSED_CONTENT_MODEL", Effect::Fine);
pub(super) static ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL: Rule = Rule::new("ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL: Rule =
    Rule::new("ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL", Effect::Fine);
pub(super) static ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL: Rule = Rule::new("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL", Effect::Breaks);
pub(super) static ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: Rule =
    Rule::new("ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: Rule =
    Rule::new("ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Effect::Breaks);
pub(super) static ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: Rule =
    Rule::new("ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Effect::Fine);
pub(super) static ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL: Rule =
    Rule::new("ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", Effect::Breaks);
pub(super) static ENUM_ARRAY_EXTENDED: Rule = Rule::new("ENUM_ARRAY_EXTENDED", Effect::Fine);
pub(super) static ENUM_ARRAY_NARROWED: Rule = Rule::new("ENUM_ARRAY_NARROWED", Effect::Breaks);
pub(super) static ENUM_ARRAY_CHANGED: Rule = Rule::new("ENUM_ARRAY_CHANGED", Effect::Breaks);
pub(super) static COMBINED_TYPE_EXTENDED: Rule = Rule::new("COMBINED_TYPE_EXTENDED", Effect::Fine);
pub(super) static COMBINED_TYPE_CHANGED: Rule = Rule::new("COMBINED_TYPE_CHANGED", Effect::Breaks);
pub(super) static PRODUCT_TYPE_EXTENDED: Rule = Rule::new("PRODUCT_TYPE_EXTENDED", Effect::Breaks);
pub(super) static PRODUCT_TYPE_NARROWED: Rule = Rule::new("PRODUCT_TYPE_NARROWED", Effect::Fine);
pub(super) static SUM_TYPE_EXTENDED: Rule = Rule::new("SUM_TYPE_EXTENDED", Effect::Fine);
pub(super) static SUM_TYPE_NARROWED: Rule = Rule::new("SUM_TYPE_NARROWED", Effect::Breaks);
pub(super) static COMBINED_TYPE_SUBSCHEMAS_CHANGED: Rule = Rule::new("COMBINED_TYPE_SUBSCHEMAS_CHANGED", Effect::Breaks);
pub(super) static NOT_TYPE_EXTENDED: Rule = Rule::new("NOT_TYPE_EXTENDED", Effect::Breaks);
pub(super) static NOT_TYPE_NARROWED: Rule = Rule::new("NOT_TYPE_NARROWED", Effect::Fine);

// Ours.
pub(super) static REQUIRED_UNDECLARED_ADDED: Rule = Rule::new("REQUIRED_UNDECLARED_ADDED", Effect::Warns);
pub(super) static RULE_WITHOUT_COMPARISON: Rule = Rule::new("RULE_WITHOUT_COMPARISON", Effect::Warns);
pub(super) static CONDITION_NOT_COMPARED: Rule = Rule::new("CONDITION_NOT_COMPARED", Effect::Warns);
pub(super) static REFERENCE_CHAIN_NOT_COMPARED: Rule = Rule::new("REFERENCE_CHAIN_NOT_COMPARED", Effect::Warns);
pub(super) static REFUSED_WITHOUT_EFFECT: Rule = Rule::new("REFUSED_WITHOUT_EFFECT", Effect::Warns);
pub(super) static COMPARISON_LIMIT: Rule = Rule::new("COMPARISON_LIMIT", Effect::Breaks);
