//! Line charts as SVG: axes with round ticks, a legend, no scripts.

use std::fmt::Write;

use super::palette::SERIES_COLOURS;
use super::text::{bytes, escape_xml, fixed, number, shorten};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 44.0;
/// More lines than this tell nothing in one chart; the rest is left out and said so.
pub const LINES_MAX: usize = 6;

/// One line: its name and its points, seconds and value, in time order.
pub struct Line<'a> {
    /// For the legend.
    pub name: String,
    /// Seconds of virtual time and value.
    pub points: &'a [[f64; 2]],
}

/// A span of time that charts mark: from, until (none for an instant), and what it was.
pub type Band = (f64, Option<f64>, String);

/// One chart. `unit` is a figure's unit as [`super::text::unit`] gives it.
#[must_use]
pub fn line_chart(title: &str, unit: &str, end_s: f64, lines: &[Line<'_>], bands: &[Band]) -> String {
    let shown = &lines[..lines.len().min(LINES_MAX)];
    let finite = |p: &&[f64; 2]| p[0].is_finite() && p[1].is_finite();
    let points = || shown.iter().flat_map(|line| line.points.iter().filter(finite));
    let highest = points().map(|p| p[1]).fold(0.0, f64::max);
    let lowest = points().map(|p| p[1]).fold(0.0, f64::min);
    let end_s = points().map(|p| p[0]).fold(end_s, f64::max).max(1e-9);
    let step = round_step((highest - lowest).max(1e-12), 5.0);
    let top = (highest / step).ceil().max(1.0) * step;
    let bottom = (lowest / step).floor() * step;
    let x = |s: f64| LEFT + s / end_s * (WIDTH - LEFT - RIGHT);
    let y = |v: f64| TOP + (top - v) / (top - bottom) * (HEIGHT - TOP - BOTTOM);

    let mut out = String::new();
    let _ = write!(
        out,
        "<figure class=\"chart\"><figcaption>{}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape_xml(title),
        escape_xml(title)
    );
    let mut tick = bottom;
    while tick <= top + step / 2.0 {
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            y(tick),
            y(tick),
            LEFT - 8.0,
            y(tick) + 4.0,
            escape_xml(&tick_text(tick, unit, step)),
        );
        tick += step;
    }
    let step_s = round_step(end_s, 8.0);
    let mut second = 0.0;
    while second <= end_s + step_s * 1e-6 {
        let _ = write!(
            out,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} s</text>",
            x(second),
            HEIGHT - BOTTOM + 16.0,
            fixed(second, 6)
        );
        second += step_s;
    }
    for (from_s, until_s, words) in bands.iter().filter(|band| band.0 <= end_s) {
        let (left, right) = (x(*from_s), x(until_s.unwrap_or(*from_s).min(end_s)));
        let _ = write!(
            out,
            "<rect class=\"band\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>",
            (right - left).max(1.5),
            HEIGHT - TOP - BOTTOM,
            escape_xml(words)
        );
    }
    for (line, colour) in shown.iter().zip(SERIES_COLOURS) {
        let path = path_of(line.points.iter().filter(finite).copied(), &x, &y);
        let _ = write!(out, "<path class=\"line\" style=\"stroke:{colour}\" d=\"{path}\"/>");
    }
    legend(shown, lines.len() - shown.len(), &mut out);
    out.push_str("</svg></figure>\n");
    out
}

/// Points joined by lines. Where nothing was observed for a while there is a gap, not a slope.
fn path_of(points: impl Iterator<Item = [f64; 2]> + Clone, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
    const GAP_STEPS: f64 = 5.5;
    let step =
        points.clone().zip(points.clone().skip(1)).map(|(a, b)| b[0] - a[0]).filter(|step| *step > 0.0).fold(f64::INFINITY, f64::min);
    let mut path = String::new();
    let mut last_s = f64::NEG_INFINITY;
    for [second, value] in points {
        let verb = if second - last_s > GAP_STEPS * step || path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{verb}{:.1} {:.1}", x(second), y(value));
        last_s = second;
    }
    path
}

fn legend(lines: &[Line<'_>], left_out: usize, out: &mut String) {
    let mut x = LEFT;
    let y = HEIGHT - 8.0;
    for (line, colour) in lines.iter().zip(SERIES_COLOURS) {
        let name = shorten(&line.name, 24);
        let _ = write!(
            out,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"12\" height=\"3\" style=\"fill:{colour}\"/><text class=\"tick\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            y - 5.0,
            x + 17.0,
            escape_xml(&name)
        );
        x += 17.0 + 6.4 * name.chars().count() as f64 + 18.0;
    }
    if left_out > 0 {
        let _ = write!(out, "<text class=\"tick\" x=\"{x:.1}\" y=\"{y:.1}\">and {left_out} more</text>");
    }
}

/// 1, 2 or 5 times a power of ten, so that `span` holds at most `ticks` of it.
fn round_step(span: f64, ticks: f64) -> f64 {
    let rough = span / ticks;
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

fn tick_text(value: f64, unit: &str, step: f64) -> String {
    // A tick that should be zero may carry the sum's rounding.
    let value = if value.abs() < step * 1e-6 { 0.0 } else { value };
    match unit {
        "bytes" => bytes(value),
        "ratio" => format!("{} %", fixed(value * 100.0, 2)),
        "ms" | "us" | "ns" | "s" => format!("{} {unit}", number(value)),
        _ => number(value),
    }
}
