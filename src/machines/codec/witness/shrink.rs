//! Makes a JSON value smaller while something still holds of it: parts are taken away, and what stays becomes plainer.
//!
//! Start at [`shrink`].

use serde_json::{Value as Json, json};

/// Smaller values that are tried.
const TRIES_MAX: u32 = 3_000;

/// Length as text; what is plainer to read counts as smaller.
pub(super) fn cost(value: &Json) -> usize {
    value.to_string().len()
}

/// A smaller value of which `holds` says yes, or the same.
pub(super) fn shrink(mut value: Json, holds: &mut impl FnMut(&Json) -> bool) -> Json {
    let mut tries = 0;
    'again: loop {
        let least = cost(&value);
        for smaller in smaller(&value) {
            if cost(&smaller) >= least {
                continue;
            }
            tries += 1;
            if tries > TRIES_MAX {
                return value;
            }
            if holds(&smaller) {
                value = smaller;
                continue 'again;
            }
        }
        return value;
    }
}

/// Every value with one part gone or plainer, large parts first.
fn smaller(value: &Json) -> Vec<Json> {
    let plain = [json!(null), json!(0), json!(""), json!([]), json!({}), json!(false)];
    let mut all: Vec<Json> = plain.to_vec();
    match value {
        Json::String(text) => {
            let half = text.chars().count() / 2;
            all.push(json!(text.chars().take(half).collect::<String>()));
            all.push(json!(text.chars().skip(1).collect::<String>()));
        }
        Json::Number(number) => {
            let whole = number.as_f64().map(|number| libm::trunc(number) as i64);
            all.extend([json!(1), json!(-1), json!(0.5), json!(-0.5)]);
            all.extend(whole.into_iter().flat_map(|whole| [json!(whole), json!(whole / 2), json!(whole / 10)]));
        }
        Json::Array(list) => {
            for at in 0..list.len() {
                let mut fewer = list.clone();
                fewer.remove(at);
                all.push(Json::Array(fewer));
            }
            for (at, item) in list.iter().enumerate() {
                all.extend(smaller(item).into_iter().map(|item| {
                    let mut changed = list.clone();
                    changed[at] = item;
                    Json::Array(changed)
                }));
            }
        }
        Json::Object(map) => {
            for name in map.keys() {
                let mut fewer = map.clone();
                fewer.shift_remove(name);
                all.push(Json::Object(fewer));
            }
            for (name, inner) in map {
                all.extend(smaller(inner).into_iter().map(|inner| {
                    let mut changed = map.clone();
                    changed.insert(name.clone(), inner);
                    Json::Object(changed)
                }));
            }
        }
        _ => {}
    }
    all
}
