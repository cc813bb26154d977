//! Word tables and writers of digits for generated payloads: no allocation, no `format!`.

use crate::random::Stream;
use crate::units::CivilDate;

pub(super) const FIRST_NAMES: &[&str] = &[
    "Ada", "Amir", "Anna", "Ben", "Carla", "Chen", "David", "Elena", "Emma", "Farid", "Grace", "Hana", "Ivan", "Jonas", "Julia", "Karim",
    "Lea", "Liam", "Lucia", "Maja", "Marco", "Mia", "Nadia", "Noah", "Olga", "Omar", "Paul", "Priya", "Rosa", "Samir", "Sofia", "Yuki",
];
pub(super) const LAST_NAMES: &[&str] = &[
    "Adams", "Becker", "Costa", "Diaz", "Evans", "Fischer", "Garcia", "Hansen", "Ivanova", "Jansen", "Kim", "Lopez", "Meyer", "Nguyen",
    "Okafor", "Patel", "Quinn", "Rossi", "Sato", "Singh", "Tanaka", "Weber", "Wang", "Young",
];
pub(super) const MAIL_HOSTS: &[&str] = &["@example.com", "@example.org", "@example.net", "@mail.example"];
pub(super) const CURRENCIES: &[&str] = &["EUR", "EUR", "EUR", "USD", "USD", "GBP", "CHF", "SEK", "PLN", "JPY"];
pub(super) const COUNTRIES: &[&str] = &["DE", "FR", "NL", "ES", "IT", "PL", "SE", "AT", "CH", "GB", "US", "JP"];
pub(super) const CITIES: &[&str] =
    &["Berlin", "Lyon", "Utrecht", "Madrid", "Torino", "Gdansk", "Malmo", "Wien", "Basel", "Leeds", "Boston", "Osaka"];
pub(super) const STREETS: &[&str] =
    &["High Street", "Station Road", "Mill Lane", "Lindenweg", "Rue du Parc", "Via Roma", "Harbour Road", "Park Avenue"];
pub(super) const SKU_STEMS: &[&str] = &["SKU-", "ART-", "BKS-", "TOY-", "ELC-", "GRO-"];
pub(super) const PRODUCTS: &[&str] = &[
    "Desk lamp",
    "Coffee mug",
    "Notebook",
    "Water bottle",
    "Headphones",
    "Backpack",
    "Wool socks",
    "Keyboard",
    "Rain jacket",
    "Tea kettle",
    "Board game",
    "Bike light",
    "Garden shears",
    "Yoga mat",
    "Phone case",
    "Frying pan",
];
pub(super) const COMPANIES: &[&str] =
    &["Northwind", "Acme", "Contoso", "Globex", "Initech", "Umbra Freight", "Blue Parcel", "Swift Logistics"];
pub(super) const STATUSES: &[&str] = &["new", "confirmed", "paid", "packed", "shipped", "delivered", "cancelled", "returned"];
pub(super) const METHODS: &[&str] = &["card", "card", "card", "paypal", "invoice", "transfer", "voucher"];
pub(super) const CHANNELS: &[&str] = &["web", "web", "app", "app", "store", "partner", "phone"];
pub(super) const LANGUAGES: &[&str] = &["en", "de", "fr", "es", "it", "nl", "pl", "sv"];
pub(super) const COLOURS: &[&str] = &["black", "white", "red", "green", "blue", "grey", "orange", "violet"];
pub(super) const TAGS: &[&str] = &["sale", "new", "gift", "express", "fragile", "bulk", "refill", "seasonal", "premium", "outlet"];
pub(super) const ADJECTIVES: &[&str] = &[
    "amber", "brisk", "calm", "dusty", "early", "fresh", "gentle", "hollow", "ivory", "keen", "lunar", "mellow", "noble", "quiet", "rapid",
    "sunny",
];
pub(super) const NOUNS: &[&str] = &[
    "anchor", "bridge", "canyon", "delta", "ember", "field", "grove", "harbor", "island", "lantern", "meadow", "orchard", "pebble",
    "river", "summit", "willow",
];
pub(super) const SENTENCES: &[&str] = &[
    "Leave it with the neighbour",
    "Please ring twice",
    "Gift wrapping, no invoice inside",
    "Call before delivery",
    "Second floor, on the left",
    "Deliver in the morning",
    "Handle with care",
    "As agreed on the phone",
];

/// Two digits at a time.
const PAIRS: &[u8; 200] = b"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
const CODE: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// One of a list.
#[inline]
pub(super) fn pick(rng: &mut Stream, list: &'static [&'static str]) -> &'static str {
    pick_by(rng.next_u64() >> 32, list)
}

/// One of a list by 16 bits of a random word.
#[inline]
pub(super) fn pick_by(bits: u64, list: &'static [&'static str]) -> &'static str {
    list[((bits & 0xffff) as usize * list.len()) >> 16]
}

/// Appends a word in lower case.
pub(super) fn lower(word: &str, out: &mut Vec<u8>) {
    out.extend(word.bytes().map(|byte| byte.to_ascii_lowercase()));
}

/// Appends a random (version 4) UUID.
pub(super) fn uuid(rng: &mut Stream, out: &mut Vec<u8>) {
    let high = (rng.next_u64() & 0xffff_ffff_ffff_0fff) | 0x4000;
    let low = (rng.next_u64() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    let (high, low) = (hex(high), hex(low));
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&high[..8]);
    text[9..13].copy_from_slice(&high[8..12]);
    text[14..18].copy_from_slice(&high[12..]);
    text[19..23].copy_from_slice(&low[..4]);
    text[24..].copy_from_slice(&low[4..]);
    out.extend_from_slice(&text);
}

/// A number as sixteen hexadecimal digits.
fn hex(bits: u64) -> [u8; 16] {
    // A nibble for each byte, the highest first in memory; `0` and `9` are one run of codes, `a` to `f` another.
    let spread = |half: u32| {
        let mut wide = u64::from(half);
        wide = (wide | wide << 16) & 0x0000_ffff_0000_ffff;
        wide = (wide | wide << 8) & 0x00ff_00ff_00ff_00ff;
        wide = (wide | wide << 4) & 0x0f0f_0f0f_0f0f_0f0f;
        let letters = ((wide + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
        (wide + 0x3030_3030_3030_3030 + letters * u64::from(b'a' - b'9' - 1)).to_be_bytes()
    };
    let (mut text, halves) = ([0; 16], [spread((bits >> 32) as u32), spread(bits as u32)]);
    text[..8].copy_from_slice(&halves[0]);
    text[8..].copy_from_slice(&halves[1]);
    text
}

/// Appends eight capitals and digits.
pub(super) fn code(rng: &mut Stream, out: &mut Vec<u8>) {
    let bits = rng.next_u64();
    let text: [u8; 8] = std::array::from_fn(|index| CODE[((bits >> (5 * index)) & 31) as usize]);
    out.extend_from_slice(&text);
}

/// Appends a number in decimal.
pub fn digits(number: u64, out: &mut Vec<u8>) {
    write_digits(number, 1, out);
}

/// Appends a number with leading zeros to at least `width` digits (at most 20).
pub(super) fn digits_padded(number: u64, width: usize, out: &mut Vec<u8>) {
    write_digits(number, width, out);
}

/// Appends a signed number in decimal.
pub(super) fn signed(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    write_digits(number.unsigned_abs(), 1, out);
}

fn write_digits(mut number: u64, width: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    while number >= 100 {
        let pair = (number % 100) as usize * 2;
        number /= 100;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if number >= 10 {
        let pair = number as usize * 2;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        text[at] = b'0' + number as u8;
    }
    out.extend_from_slice(&text[at.min(text.len().saturating_sub(width))..]);
}

/// Appends `2026-01-01` for days since 1970.
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    let CivilDate { year, month, day } = CivilDate::of_day(days);
    if year < 0 {
        out.push(b'-');
    }
    digits_padded(year.unsigned_abs(), 4, out);
    out.push(b'-');
    digits_padded(u64::from(month), 2, out);
    out.push(b'-');
    digits_padded(u64::from(day), 2, out);
}

/// Appends `12:34:56Z`, or with milliseconds `12:34:56.789Z`.
pub(super) fn time_of_day(ms: u64, with_ms: bool, out: &mut Vec<u8>) {
    digits_padded(ms / 3_600_000, 2, out);
    out.push(b':');
    digits_padded(ms / 60_000 % 60, 2, out);
    out.push(b':');
    digits_padded(ms / 1_000 % 60, 2, out);
    if with_ms {
        out.push(b'.');
        digits_padded(ms % 1_000, 3, out);
    }
    out.push(b'Z');
}
