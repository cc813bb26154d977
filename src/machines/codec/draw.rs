//! What a plausible value looks like, told by a field's name: data that generators keep per field.
//!
//! In: a field's name. Out: a [`TextDraw`] or [`NumberDraw`] that writes values without allocating.
//! Everything written is plain ASCII without quotes and backslashes, so JSON needs no escapes.

use super::words as w;
use crate::random::Stream;
use crate::units::SimTime;

/// What virtual time zero is on the calendar that payloads show: 2026-01-01T00:00:00Z.
pub const EPOCH_MS: i64 = 1_767_225_600_000;

/// A kind of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextDraw {
    Uuid,
    Email,
    FullName,
    /// One word of a list.
    OneOf(&'static [&'static str]),
    Street,
    Postcode,
    Phone,
    Sku,
    Url,
    Ip,
    /// `2026-01-01T00:00:12.345Z`.
    Instant,
    /// `2026-01-01`.
    Date,
    /// `12:34:56Z`.
    Time,
    /// Eight capitals and digits.
    Code,
    /// `12.34`.
    Decimal,
    Sentence,
    TwoWords,
}

/// A kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberDraw {
    /// Money: many small amounts, few large; hundredths.
    Amount,
    Quantity,
    Percent,
    Age,
    Latitude,
    Longitude,
    EpochS,
    EpochMs,
    EpochUs,
    EpochNs,
    /// Days since 1970.
    EpochDay,
    /// Milliseconds of the day.
    DayMs,
    /// Microseconds of the day.
    DayUs,
    Year,
    Id,
    Port,
    Temperature,
    Any,
}

impl TextDraw {
    pub(super) fn for_name(name: &str) -> Self {
        let tokens = tokens(name);
        let has = |words: &[&str]| tokens.iter().any(|token| words.contains(&token.as_str()));
        let last = tokens.last().map_or("", String::as_str);
        match last {
            "id" | "uuid" | "guid" | "key" | "token" => return Self::Uuid,
            "at" | "timestamp" | "time" | "datetime" => return Self::Instant,
            "date" | "day" | "birthday" => return Self::Date,
            _ => {}
        }
        if has(&["email", "mail"]) {
            Self::Email
        } else if has(&["currency"]) {
            Self::OneOf(w::CURRENCIES)
        } else if has(&["country", "nationality"]) {
            Self::OneOf(w::COUNTRIES)
        } else if has(&["city", "town"]) {
            Self::OneOf(w::CITIES)
        } else if has(&["street", "address", "line1", "line"]) {
            Self::Street
        } else if has(&["zip", "postcode", "postal"]) {
            Self::Postcode
        } else if has(&["phone", "mobile", "tel"]) {
            Self::Phone
        } else if has(&["sku", "article", "barcode"]) {
            Self::Sku
        } else if has(&["url", "uri", "link", "website", "href"]) {
            Self::Url
        } else if has(&["ip", "host"]) {
            Self::Ip
        } else if has(&["first", "given", "firstname"]) {
            Self::OneOf(w::FIRST_NAMES)
        } else if has(&["last", "family", "surname", "lastname"]) {
            Self::OneOf(w::LAST_NAMES)
        } else if has(&["product", "item", "title"]) {
            Self::OneOf(w::PRODUCTS)
        } else if has(&["company", "supplier", "carrier", "vendor", "merchant"]) {
            Self::OneOf(w::COMPANIES)
        } else if has(&["name", "customer", "user", "owner", "author", "recipient"]) {
            Self::FullName
        } else if has(&["status", "state", "phase"]) {
            Self::OneOf(w::STATUSES)
        } else if has(&["method", "payment"]) {
            Self::OneOf(w::METHODS)
        } else if has(&["channel", "source", "device", "platform"]) {
            Self::OneOf(w::CHANNELS)
        } else if has(&["language", "locale", "lang"]) {
            Self::OneOf(w::LANGUAGES)
        } else if has(&["colour", "color"]) {
            Self::OneOf(w::COLOURS)
        } else if has(&["code", "number", "no", "ref", "reference", "coupon", "tracking", "hash"]) {
            Self::Code
        } else if has(&["amount", "price", "total", "sum", "fee", "tax"]) {
            Self::Decimal
        } else if has(&["note", "notes", "comment", "description", "message", "text", "reason", "remark", "body"]) {
            Self::Sentence
        } else if has(&["tag", "tags", "label", "labels", "category", "type", "kind"]) {
            Self::OneOf(w::TAGS)
        } else {
            Self::TwoWords
        }
    }
    /// Appends one.
    pub(super) fn write(self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) {
        match self {
            Self::Uuid => w::uuid(rng, out),
            Self::OneOf(list) => out.extend_from_slice(w::pick(rng, list).as_bytes()),
            Self::Email => {
                let bits = rng.next_u64();
                w::lower(w::pick_by(bits, w::FIRST_NAMES), out);
                out.push(b'.');
                w::lower(w::pick_by(bits >> 16, w::LAST_NAMES), out);
                w::digits(u64::from((bits >> 32) as u8), out);
                out.extend_from_slice(w::pick_by(bits >> 40, w::MAIL_HOSTS).as_bytes());
            }
            Self::FullName => {
                let bits = rng.next_u64();
                out.extend_from_slice(w::pick_by(bits, w::FIRST_NAMES).as_bytes());
                out.push(b' ');
                out.extend_from_slice(w::pick_by(bits >> 16, w::LAST_NAMES).as_bytes());
            }
            Self::Street => {
                w::digits(1 + rng.below(199), out);
                out.push(b' ');
                out.extend_from_slice(w::pick(rng, w::STREETS).as_bytes());
            }
            Self::Postcode => w::digits_padded(rng.below(100_000), 5, out),
            Self::Phone => {
                out.extend_from_slice(b"+49");
                w::digits_padded(1_500_000_000 + rng.below(200_000_000), 10, out);
            }
            Self::Sku => {
                out.extend_from_slice(w::pick(rng, w::SKU_STEMS).as_bytes());
                w::digits_padded(rng.below(100_000), 5, out);
            }
            Self::Url => {
                out.extend_from_slice(b"https://shop.example/");
                out.extend_from_slice(w::pick(rng, w::TAGS).as_bytes());
                out.push(b'/');
                w::digits(rng.below(100_000), out);
            }
            Self::Ip => {
                out.extend_from_slice(b"10.");
                w::digits(rng.below(256), out);
                out.push(b'.');
                w::digits(rng.below(256), out);
                out.push(b'.');
                w::digits(1 + rng.below(254), out);
            }
            Self::Instant => {
                let ms = epoch_ms(now);
                w::date(ms.div_euclid(86_400_000), out);
                out.push(b'T');
                w::time_of_day(ms.rem_euclid(86_400_000) as u64, true, out);
            }
            Self::Date => w::date(epoch_ms(now).div_euclid(86_400_000) - rng.below(30) as i64, out),
            Self::Time => w::time_of_day(rng.below(86_400_000), false, out),
            Self::Code => w::code(rng, out),
            Self::Decimal => {
                let cents = cents(rng);
                w::digits(cents / 100, out);
                out.push(b'.');
                w::digits_padded(cents % 100, 2, out);
            }
            Self::Sentence => out.extend_from_slice(w::pick(rng, w::SENTENCES).as_bytes()),
            Self::TwoWords => {
                let bits = rng.next_u64();
                out.extend_from_slice(w::pick_by(bits, w::ADJECTIVES).as_bytes());
                out.push(b'-');
                out.extend_from_slice(w::pick_by(bits >> 16, w::NOUNS).as_bytes());
            }
        }
    }
}

impl NumberDraw {
    pub(super) fn for_name(name: &str) -> Self {
        let tokens = tokens(name);
        let has = |words: &[&str]| tokens.iter().any(|token| words.contains(&token.as_str()));
        let last = tokens.last().map_or("", String::as_str);
        if has(&["amount", "price", "total", "cost", "sum", "cents", "fee", "tax", "discount", "balance", "subtotal", "value"]) {
            Self::Amount
        } else if matches!(last, "ms" | "millis") && has(&["at", "time", "timestamp", "ts", "epoch"]) {
            Self::EpochMs
        } else if matches!(last, "us" | "micros") && has(&["at", "time", "timestamp", "ts", "epoch"]) {
            Self::EpochUs
        } else if matches!(last, "at" | "timestamp" | "ts" | "time") {
            Self::EpochMs
        } else if has(&["epoch"]) {
            Self::EpochS
        } else if has(&["quantity", "qty", "count", "items", "pieces", "units", "attempt", "retries"]) {
            Self::Quantity
        } else if has(&["percent", "percentage", "ratio", "rate", "score"]) {
            Self::Percent
        } else if has(&["age"]) {
            Self::Age
        } else if has(&["lat", "latitude"]) {
            Self::Latitude
        } else if has(&["lon", "lng", "longitude"]) {
            Self::Longitude
        } else if has(&["year"]) {
            Self::Year
        } else if has(&["port"]) {
            Self::Port
        } else if has(&["temperature", "temp"]) {
            Self::Temperature
        } else if matches!(last, "id" | "number" | "no" | "sequence" | "seq" | "offset") {
            Self::Id
        } else {
            Self::Any
        }
    }
    /// One whole number.
    pub(super) fn whole(self, rng: &mut Stream, now: SimTime) -> i64 {
        match self {
            Self::Amount => cents(rng) as i64,
            Self::Quantity => 1 + rng.below(5) as i64,
            Self::Percent => rng.below(101) as i64,
            Self::Age => 18 + rng.below(63) as i64,
            Self::Latitude => rng.below(181) as i64 - 90,
            Self::Longitude => rng.below(361) as i64 - 180,
            Self::EpochS => epoch_ms(now).div_euclid(1_000),
            Self::EpochMs => epoch_ms(now),
            Self::EpochUs => EPOCH_MS * 1_000 + (now.as_ns() / 1_000) as i64,
            Self::EpochNs => (EPOCH_MS * 1_000_000).saturating_add_unsigned(now.as_ns()),
            Self::EpochDay => epoch_ms(now).div_euclid(86_400_000) - rng.below(30) as i64,
            Self::DayMs => rng.below(86_400_000) as i64,
            Self::DayUs => rng.below(86_400_000_000) as i64,
            Self::Year => 2000 + rng.below(27) as i64,
            Self::Id => 1 + rng.below(2_000_000) as i64,
            Self::Port => 1024 + rng.below(64_000) as i64,
            Self::Temperature => rng.below(56) as i64 - 15,
            Self::Any => rng.below(1_000) as i64,
        }
    }
    /// One number with a fraction, in hundredths or finer.
    pub(super) fn real(self, rng: &mut Stream, now: SimTime) -> f64 {
        match self {
            Self::Amount => cents(rng) as f64 / 100.0,
            Self::Percent => rng.below(10_001) as f64 / 10_000.0,
            Self::Latitude => rng.below(18_000_001) as f64 / 100_000.0 - 90.0,
            Self::Longitude => rng.below(36_000_001) as f64 / 100_000.0 - 180.0,
            Self::Temperature => rng.below(5_500) as f64 / 100.0 - 15.0,
            Self::Any => rng.below(100_000) as f64 / 100.0,
            other => other.whole(rng, now) as f64,
        }
    }
}

/// Milliseconds since 1970 of an instant of virtual time.
pub(super) fn epoch_ms(now: SimTime) -> i64 {
    EPOCH_MS.saturating_add_unsigned(now.as_ns() / 1_000_000)
}

/// An instant of virtual time on that calendar: `2026-01-01T00:00:07.357Z`.
#[must_use]
pub fn iso_time(at: SimTime) -> String {
    let ms = epoch_ms(at);
    let mut text = Vec::with_capacity(24);
    w::date(ms.div_euclid(86_400_000), &mut text);
    text.push(b'T');
    w::time_of_day(ms.rem_euclid(86_400_000).unsigned_abs(), true, &mut text);
    text.into_iter().map(char::from).collect()
}

/// Hundredths: a product of two uniform draws, so that small amounts come more often.
fn cents(rng: &mut Stream) -> u64 {
    let bits = rng.next_u64();
    99 + (((bits & 0xffff) * ((bits >> 16) & 0xffff)) >> 16)
}

/// `orderId`, `order_id`, `OrderID` as `order`, `id`.
fn tokens(name: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut previous_lower = false;
    for here in name.chars() {
        if !here.is_alphanumeric() {
            tokens.push(String::new());
            previous_lower = false;
            continue;
        }
        if tokens.is_empty() || (here.is_uppercase() && previous_lower) {
            tokens.push(String::new());
        }
        previous_lower = here.is_lowercase() || here.is_numeric();
        if let Some(token) = tokens.last_mut() {
            token.extend(here.to_lowercase());
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}
