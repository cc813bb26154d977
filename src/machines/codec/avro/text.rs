//! An Avro schema's text in three fixed forms, whatever the order of its keys and however it was formatted.
//!
//! - *Stored*: as Confluent's registry keeps and hands out a schema: nothing is lost.
//! - *Normal*: the same with every name in full: two texts that mean the same are equal.
//! - *Parsing*: the specification's Parsing Canonical Form: what matters for bytes, and nothing else.
//!
//! Must not know: what a schema is used for. Start at [`written`].

use serde_json::{Map, Value as Json};

use super::names::{full_name, is_primitive};

/// See the head of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Stored,
    Normal,
    Parsing,
}

/// The schema in one form, without a space.
pub(super) fn written(schema: &Json, form: Form) -> String {
    let mut writer = Writer { form, out: String::new() };
    writer.schema(schema, "");
    writer.out
}

/// The specification's 64-bit fingerprint (CRC-64-AVRO) of a text.
pub(super) fn fingerprint(text: &str) -> u64 {
    /// The specification's seed and polynomial.
    const EMPTY: u64 = 0xc15d_213a_a4d7_a795;
    let step = |code: u64| (code >> 1) ^ (EMPTY & 0_u64.wrapping_sub(code & 1));
    text.bytes().fold(EMPTY, |code, byte| {
        let entry = (0..8).fold((code ^ u64::from(byte)) & 0xff, |code, _| step(code));
        (code >> 8) ^ entry
    })
}

struct Writer {
    form: Form,
    out: String,
}

impl Writer {
    fn schema(&mut self, schema: &Json, namespace: &str) {
        match schema {
            Json::String(name) if is_primitive(name) => self.text(name),
            Json::String(name) => self.text(&self.reference(name, namespace)),
            Json::Array(branches) => self.list('[', branches, ']', |writer, branch| writer.schema(branch, namespace)),
            Json::Object(map) => self.definition(map, namespace),
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn definition(&mut self, map: &Map<String, Json>, namespace: &str) {
        match map.get("type") {
            Some(Json::String(kind)) => match kind.as_str() {
                "record" | "error" | "enum" | "fixed" => self.named(kind, map, namespace),
                "array" => self.holder("array", "items", map, namespace),
                "map" => self.holder("map", "values", map, namespace),
                _ => self.annotated(kind, map, namespace),
            },
            // `{"type": {…}}` means what is in it.
            Some(inner) => self.schema(inner, namespace),
            None => self.out.push_str("{}"),
        }
    }

    /// `{"type": "long", "logicalType": …}`; without anything else it is the type itself.
    fn annotated(&mut self, kind: &str, map: &Map<String, Json>, namespace: &str) {
        let name = if is_primitive(kind) { kind.to_owned() } else { self.reference(kind, namespace) };
        if self.form == Form::Parsing || map.len() == 1 {
            self.text(&name);
            return;
        }
        self.out.push_str("{\"type\":");
        self.text(&name);
        self.others(map, &["type"]);
        self.out.push('}');
    }

    fn holder(&mut self, kind: &str, key: &str, map: &Map<String, Json>, namespace: &str) {
        self.out.push_str("{\"type\":");
        self.text(kind);
        self.key(key);
        self.schema(map.get(key).unwrap_or(&Json::Null), namespace);
        self.others(map, &["type", key]);
        self.out.push('}');
    }

    fn named(&mut self, kind: &str, map: &Map<String, Json>, outer: &str) {
        let name = map.get("name").and_then(Json::as_str).unwrap_or_default();
        let full = full_name(name, map.get("namespace").and_then(Json::as_str).unwrap_or(outer));
        let (namespace, simple) = full.rsplit_once('.').unwrap_or(("", &full));
        if self.form == Form::Stored {
            self.out.push_str("{\"type\":");
            self.text(kind);
            self.key("name");
            self.text(simple);
            if namespace != outer {
                self.key("namespace");
                self.text(namespace);
            }
        } else {
            self.out.push_str("{\"name\":");
            self.text(&full);
            self.key("type");
            self.text(kind);
        }
        self.doc(map);
        match kind {
            "enum" => {
                self.key("symbols");
                self.value(map.get("symbols").unwrap_or(&Json::Null));
                if self.form != Form::Parsing {
                    self.optional("default", map);
                }
            }
            "fixed" => self.optional("size", map),
            _ => {
                self.key("fields");
                let fields = map.get("fields").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
                self.list('[', fields, ']', |writer, field| writer.field(field, namespace));
            }
        }
        self.others(map, &["type", "name", "namespace", "doc", "fields", "symbols", "size", "default", "aliases"]);
        let qualified = |alias: &str| full_name(alias, namespace);
        self.aliases(map, qualified);
        self.out.push('}');
    }

    fn field(&mut self, field: &Json, namespace: &str) {
        let Some(map) = field.as_object() else { return self.value(field) };
        self.out.push_str("{\"name\":");
        self.value(map.get("name").unwrap_or(&Json::Null));
        self.key("type");
        self.schema(map.get("type").unwrap_or(&Json::Null), namespace);
        self.doc(map);
        if self.form != Form::Parsing {
            self.optional("default", map);
            // Ascending is what it is without a word.
            if map.get("order").is_some_and(|order| order != "ascending") {
                self.optional("order", map);
            }
        }
        self.others(map, &["name", "type", "doc", "default", "order", "aliases"]);
        self.aliases(map, str::to_owned);
        self.out.push('}');
    }

    fn doc(&mut self, map: &Map<String, Json>) {
        if self.form != Form::Parsing && map.get("doc").is_some_and(Json::is_string) {
            self.optional("doc", map);
        }
    }

    fn aliases(&mut self, map: &Map<String, Json>, qualified: impl Fn(&str) -> String) {
        let aliases = map.get("aliases").and_then(Json::as_array).filter(|aliases| !aliases.is_empty());
        let Some(aliases) = aliases.filter(|_| self.form != Form::Parsing) else { return };
        let mut names: Vec<String> = aliases.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        if self.form == Form::Normal {
            names = names.iter().map(|name| qualified(name)).collect();
            names.sort();
        }
        self.key("aliases");
        self.list('[', &names, ']', |writer, name| writer.text(name));
    }

    /// Attributes that the specification gives no meaning, by name.
    fn others(&mut self, map: &Map<String, Json>, known: &[&str]) {
        if self.form == Form::Parsing {
            return;
        }
        let mut others: Vec<(&String, &Json)> = map.iter().filter(|(key, _)| !known.contains(&key.as_str())).collect();
        others.sort_by_key(|(key, _)| key.as_str());
        for (key, value) in others {
            self.key(key);
            self.value(value);
        }
    }

    /// A name as it is written where another type stands.
    fn reference(&self, name: &str, namespace: &str) -> String {
        let full = full_name(name, namespace);
        match full.rsplit_once('.') {
            Some((own, simple)) if self.form == Form::Stored && own == namespace => simple.to_owned(),
            _ => full,
        }
    }

    fn optional(&mut self, key: &str, map: &Map<String, Json>) {
        if let Some(value) = map.get(key) {
            self.key(key);
            self.value(value);
        }
    }
    fn key(&mut self, key: &str) {
        self.out.push(',');
        self.text(key);
        self.out.push(':');
    }
    fn text(&mut self, text: &str) {
        self.out.push_str(&Json::from(text).to_string());
    }
    fn value(&mut self, value: &Json) {
        self.out.push_str(&value.to_string());
    }
    fn list<T>(&mut self, open: char, items: &[T], close: char, mut each: impl FnMut(&mut Self, &T)) {
        self.out.push(open);
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
        self.out.push(close);
    }
}
