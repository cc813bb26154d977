//! Random payloads of a plan, as compact JSON.

use super::plan::{Node, NodeIx, Plan};
use crate::machines::codec::draw::NumberDraw;
use crate::machines::codec::words;
use crate::random::Stream;
use crate::units::SimTime;

/// Below this depth, and beyond this many bytes, optional fields and items are left out.
const FULL_DEPTH_MAX: u32 = 6;
const FULL_BYTES_MAX: usize = 16 * 1024;
/// Where even required parts end: a schema that needs more has no finite payload, or one that nobody sends.
const DEPTH_MAX: u32 = 64;
const BYTES_MAX: usize = 1 << 20;
/// One in so many optional fields is left out, one in so many nullable values is null.
const ABSENT_ONE_IN: u64 = 5;
/// Arrays have this many items more than their least, at most.
const ITEMS_MORE_MAX: u64 = 4;
/// Numbers with a fraction are written in millionths.
const MILLIONTHS: f64 = 1e6;

impl Plan {
    /// Appends a payload; false when it was cut short, because it came to no end: such a one is no use, nor worth a check.
    pub(super) fn generate(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let mut writer = Writer { rng, now, out, start, is_cut: false };
        self.write(0, &mut writer, 0);
        !writer.is_cut
    }

    fn write(&self, index: NodeIx, writer: &mut Writer<'_>, depth: u32) {
        if depth > DEPTH_MAX || writer.out.len() - writer.start > BYTES_MAX {
            writer.is_cut = true;
            writer.out.extend_from_slice(b"null");
            return;
        }
        match &self.nodes[index as usize] {
            Node::Null => writer.out.extend_from_slice(b"null"),
            Node::Boolean => {
                let flag = writer.rng.below(2) == 0;
                writer.out.extend_from_slice(if flag { b"true" } else { b"false" });
            }
            Node::Choice(texts) => {
                let at = writer.rng.below(texts.len() as u64) as usize;
                writer.out.extend_from_slice(&texts[at]);
            }
            Node::Whole { least, most, step, draw } => {
                let number = whole_within(*least, *most, *step, *draw, writer);
                words::signed(number, writer.out);
            }
            Node::Real { least, most, step, draw } => {
                let number = real_within(*least, *most, *draw, writer);
                write_real(number, *least, *step, writer.out);
            }
            Node::Text { draw, least, most } => {
                writer.out.push(b'"');
                let start = writer.out.len();
                draw.write(writer.rng, writer.now, writer.out);
                // Everything drawn is ASCII: bytes are characters.
                let wanted = (writer.out.len() - start).clamp(*least, *most);
                writer.out.resize(start + wanted, b'x');
                writer.out.push(b'"');
            }
            Node::Pattern(pattern) => {
                writer.out.push(b'"');
                pattern.write(writer.rng, writer.out);
                writer.out.push(b'"');
            }
            Node::Array { item, least, most } => self.write_array(*item, *least, *most, writer, depth),
            Node::Object { first, count } => self.write_object(*first, *count, writer, depth),
            Node::OneOf(branches) => {
                let branch = self.choose(branches, writer, depth);
                self.write(branch, writer, depth + 1);
            }
        }
    }

    fn write_array(&self, item: NodeIx, least: u64, most: u64, writer: &mut Writer<'_>, depth: u32) {
        let more = if writer.is_full(depth) { 0 } else { (most - least).min(ITEMS_MORE_MAX) };
        let count = least + writer.rng.below(more + 1);
        writer.out.push(b'[');
        for at in 0..count {
            if at > 0 {
                writer.out.push(b',');
            }
            self.write(item, writer, depth + 1);
        }
        writer.out.push(b']');
    }

    fn write_object(&self, first: u32, count: u32, writer: &mut Writer<'_>, depth: u32) {
        writer.out.push(b'{');
        let mut is_first = true;
        for field in self.fields_of(first, count) {
            if !field.is_required && (writer.is_full(depth) || writer.rng.below(ABSENT_ONE_IN) == 0) {
                continue;
            }
            if !is_first {
                writer.out.push(b',');
            }
            is_first = false;
            writer.out.extend_from_slice(&field.key);
            self.write(field.node, writer, depth + 1);
        }
        writer.out.push(b'}');
    }

    fn choose(&self, branches: &[NodeIx], writer: &mut Writer<'_>, depth: u32) -> NodeIx {
        if writer.is_full(depth) {
            return branches.iter().copied().min_by_key(|branch| self.heights[*branch as usize]).unwrap_or(0);
        }
        let at = writer.rng.below(branches.len() as u64) as usize;
        let is_null = matches!(self.nodes[branches[at] as usize], Node::Null);
        // Null is drawn again most of the time, so that it comes as rarely as an absent field.
        if is_null && branches.len() > 1 && writer.rng.below(ABSENT_ONE_IN) > 1 {
            branches[(at + 1) % branches.len()]
        } else {
            branches[at]
        }
    }
}

struct Writer<'a> {
    rng: &'a mut Stream,
    now: SimTime,
    out: &'a mut Vec<u8>,
    start: usize,
    is_cut: bool,
}

impl Writer<'_> {
    fn is_full(&self, depth: u32) -> bool {
        depth > FULL_DEPTH_MAX || self.out.len() - self.start > FULL_BYTES_MAX
    }
}

fn whole_within(least: i64, most: i64, step: i64, draw: NumberDraw, writer: &mut Writer<'_>) -> i64 {
    let mut number = draw.whole(writer.rng, writer.now);
    if !(least..=most).contains(&number) {
        let (low, high) = open_ends(least as f64, most as f64);
        let width = (high - low).min(1e15) as u64;
        number = (low as i64).saturating_add_unsigned(writer.rng.below(width.saturating_add(1))).clamp(least, most);
    }
    let stepped = number - number.rem_euclid(step);
    if stepped < least { stepped.saturating_add(step) } else { stepped }
}

fn real_within(least: f64, most: f64, draw: NumberDraw, writer: &mut Writer<'_>) -> f64 {
    let number = draw.real(writer.rng, writer.now);
    if (least..=most).contains(&number) {
        return number;
    }
    let (low, high) = open_ends(least, most);
    low + (high - low) * writer.rng.unit_f64()
}

/// A range without a bound on one side reaches a thousand from the other.
fn open_ends(least: f64, most: f64) -> (f64, f64) {
    const REACH: f64 = 1_000.0;
    const FAR: f64 = 1e15;
    match (least > -FAR, most < FAR) {
        (true, true) => (least, most),
        (true, false) => (least, least + REACH),
        (false, true) => (most - REACH, most),
        (false, false) => (0.0, REACH),
    }
}

fn write_real(number: f64, least: f64, step: f64, out: &mut Vec<u8>) {
    let mut number = number;
    if step > 0.0 {
        number = libm::floor(number / step) * step;
        if number < least {
            number += step;
        }
    }
    let millionths = libm::round(number * MILLIONTHS) as i64;
    if millionths < 0 {
        out.push(b'-');
    }
    let (whole, mut fraction) = (millionths.unsigned_abs() / 1_000_000, millionths.unsigned_abs() % 1_000_000);
    words::digits(whole, out);
    if fraction == 0 {
        return;
    }
    let mut width = 6;
    while fraction % 10 == 0 {
        fraction /= 10;
        width -= 1;
    }
    out.push(b'.');
    words::digits_padded(fraction, width, out);
}
