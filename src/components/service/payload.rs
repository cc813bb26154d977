//! Fields of a flat JSON object, those that somebody asked for, in one pass.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::components::consumer::handler::Task;
use crate::machines::codec::cloud_events;
use crate::machines::event_store::Scalar;

/// The wanted fields of a task's payload; absent where there are none, or where it is no object.
pub(super) fn fields(task: &Task<'_>, wanted: &[Arc<str>], out: &mut Vec<Scalar>) {
    out.clear();
    out.resize(wanted.len(), Scalar::Absent);
    if wanted.is_empty() {
        return;
    }
    if let Some(decoded) = task.decoded() {
        for (name, value) in wanted.iter().zip(&mut *out) {
            *value = decoded.get(&**name).and_then(Scalar::from_json).unwrap_or_default();
        }
        return;
    }
    let data = cloud_events::data_of(&task.value);
    let mut reader = serde_json::Deserializer::from_slice(&data);
    if (Fields { wanted, out: &mut *out }).deserialize(&mut reader).is_err() {
        out.fill(Scalar::Absent);
    }
}

/// Key of the aggregate or row that an event is about.
pub(super) fn key(task: &Task<'_>) -> Arc<str> {
    let key = task.key.as_deref().unwrap_or_default();
    match std::str::from_utf8(key) {
        Ok(text) => Arc::from(text),
        Err(_) => Arc::from(String::from_utf8_lossy(key)),
    }
}

struct Fields<'a> {
    wanted: &'a [Arc<str>],
    out: &'a mut [Scalar],
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(at) = map.next_key_seed(Name(self.wanted))? {
            match at {
                Some(at) => self.out[at] = Scalar::from_json(&map.next_value()?).unwrap_or_default(),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Which of the wanted names a key is.
struct Name<'a>(&'a [Arc<str>]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| **wanted == *name))
    }
}
