//! Words and numbers as a person reads them, and escaping for each format that we write.

/// `latency_ms_p99` → `latency p99`; `peak_rss_bytes` → `peak rss`; `lag_count[orders]` → `lag of orders`.
#[must_use]
pub fn label(figure: &str) -> String {
    if let Some((name, of)) = figure.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        return format!("{} of {of}", label(name));
    }
    let words: Vec<&str> = figure.split('_').collect();
    let mut kept = Vec::new();
    let mut i = 0;
    while i < words.len() {
        let per_second = words[i] == "per" && words.get(i + 1) == Some(&"s");
        let unit = i > 0 && matches!(words[i], "ns" | "us" | "ms" | "s" | "bytes" | "ratio" | "count");
        if per_second {
            kept.push("rate");
            i += 1;
        } else if !unit {
            kept.push(words[i]);
        }
        i += 1;
    }
    kept.join(" ")
}

/// A figure with the unit that its name ends in (or carries before a qualifier): `12.3 ms`, `80.0 %`, `1,200 /s`.
#[must_use]
pub fn figure(name: &str, value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit(name) {
        "per_s" => format!("{} /s", number(value)),
        "bytes" => bytes(value),
        "ratio" => format!("{} %", fixed(value * 100.0, 2)),
        "count" => number(value),
        unit => format!("{} {unit}", number(value)),
    }
}

/// The unit in a figure's name: `ns us ms s bytes ratio per_s`, or `count` where there is none.
#[must_use]
pub fn unit(name: &str) -> &'static str {
    let name = name.split('[').next().unwrap_or(name);
    if name.ends_with("_per_s") || name.contains("_per_s_") {
        return "per_s";
    }
    name.split('_')
        .skip(1)
        .find_map(|word| ["ns", "us", "ms", "s", "bytes", "ratio"].into_iter().find(|unit| *unit == word))
        .unwrap_or("count")
}

/// Thousands apart, and as many decimals as tell something: `12,345`, `123.4`, `1.234`, `0.000123`.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e15).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = match size {
        s if s >= 1000.0 => 0,
        s if s >= 100.0 => 1,
        s if s >= 10.0 => 2,
        s if s >= 1.0 => 3,
        _ => 4,
    };
    // A whole number is shown whole, whatever its size.
    if value.fract() == 0.0 { thousands(&format!("{value:.0}")) } else { thousands(&fixed(value, decimals)) }
}

/// At most `decimals` decimals, without trailing zeros.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A whole count with thousands apart.
#[must_use]
pub fn count(value: u64) -> String {
    thousands(&value.to_string())
}

/// `512 B`, `1.5 MiB`.
#[must_use]
pub fn bytes(value: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1_099_511_627_776.0, "TiB"), (1_073_741_824.0, "GiB"), (1_048_576.0, "MiB"), (1024.0, "KiB")];
    for (size, name) in UNITS {
        if value.abs() >= size {
            return format!("{} {name}", fixed(value / size, 1));
        }
    }
    format!("{} B", number(value))
}

/// Seconds as `850 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`.
#[must_use]
pub fn seconds(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let whole = libm::round(value) as u64;
    match value {
        v if v < 1e-3 => format!("{} us", fixed(v * 1e6, 1)),
        v if v < 1.0 => format!("{} ms", fixed(v * 1e3, 1)),
        v if v < 120.0 => format!("{} s", fixed(v, if v < 10.0 { 2 } else { 1 })),
        v if v < 7200.0 && whole.is_multiple_of(60) => format!("{} min", whole / 60),
        v if v < 7200.0 => format!("{} min {} s", whole / 60, whole % 60),
        _ if (whole / 60).is_multiple_of(60) => format!("{} h", whole / 3600),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

fn thousands(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut out = String::with_capacity(text.len() + text.len() / 3);
    out.push_str(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// For XML and HTML, text and attributes alike. Characters that XML cannot hold are replaced.
#[must_use]
pub fn escape_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// At most `chars` characters, with an ellipsis for the rest; line ends become spaces.
#[must_use]
pub fn shorten(text: &str, chars: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars + 1).collect();
    if line.chars().count() <= chars { line } else { line.chars().take(chars.saturating_sub(1)).chain("…".chars()).collect() }
}
