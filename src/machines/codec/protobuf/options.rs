//! Options and texts in quotes, as a schema writes them.

use std::fmt::Write as _;

use prost_reflect::prost_types::UninterpretedOption;

/// `deprecated = true`, `(my.option).part = { … }`.
pub(super) fn option_text(option: &UninterpretedOption) -> String {
    let part = |part: &prost_reflect::prost_types::uninterpreted_option::NamePart| match part.is_extension {
        true => format!("({})", part.name_part),
        false => part.name_part.clone(),
    };
    let name = option.name.iter().map(part).collect::<Vec<_>>().join(".");
    format!("{name} = {}", value_text(option))
}

fn value_text(option: &UninterpretedOption) -> String {
    if let Some(word) = &option.identifier_value {
        word.clone()
    } else if let Some(number) = option.positive_int_value {
        number.to_string()
    } else if let Some(number) = option.negative_int_value {
        number.to_string()
    } else if let Some(number) = option.double_value {
        // Infinity and the like are words in a text.
        if number.is_finite() { format!("{number:?}") } else { number.to_string().to_lowercase() }
    } else if let Some(bytes) = &option.string_value {
        escaped(bytes)
    } else {
        format!("{{ {} }}", option.aggregate_value.as_deref().unwrap_or_default())
    }
}

/// ` [a = 1, b = 2]`, or nothing.
pub(super) fn options_in_brackets(options: &[String]) -> String {
    if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) }
}

/// In double quotes; what is no text is written in octal digits.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut out = "\"".to_owned();
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().for_each(|sign| push_escaped(sign, &mut out)),
        Err(_) => {
            for byte in bytes {
                match byte {
                    0x20..0x7f => push_escaped(char::from(*byte), &mut out),
                    byte => drop(write!(out, "\\{byte:03o}")),
                }
            }
        }
    }
    out.push('"');
    out
}

fn push_escaped(sign: char, out: &mut String) {
    match sign {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        sign if u32::from(sign) < 0x20 || u32::from(sign) == 0x7f => drop(write!(out, "\\{:03o}", u32::from(sign))),
        sign => out.push(sign),
    }
}
