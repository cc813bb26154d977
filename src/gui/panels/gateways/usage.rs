//! Who used a gateway in the run that is shown: its clients, what they were answered and how fast, why they were refused,
//! and its requests by time of day.
//!
//! In: the figures of a card, as text. Out: nothing. Start at [`ui`].

use egui::{Align, CornerRadius, Rect, Sense, Ui, Vec2, pos2};

use crate::gui::panels::columns::{self, Column};
use crate::gui::panels::figures;
use crate::gui::theme::{self, space, widgets};

/// Lines of a table: those with the most requests.
const LINES_MAX: usize = 20;
const BARS_HEIGHT: f32 = 48.0;

const CLIENTS: [Column<'_>; 3] = [
    Column::left("client", "The consumer that a request is known to be of", 180.0, 0),
    Column::right("requests", "That a route took", 80.0, 0),
    Column::right("share", "Of all requests of known clients", 60.0, 1),
];
const ANSWERS: [Column<'_>; 8] = [
    Column::left(
        "client, route, answer",
        "The consumer, the route that took it, and the answer's status; - for none that is known",
        180.0,
        0,
    ),
    Column::right("requests", "Answered so", 80.0, 0),
    Column::right("gateway", "Time in the gateway: its queue, its work, its plugins; mean", 70.0, 2),
    Column::right("p99", "Of that time, what 99 of 100 do not exceed", 70.0, 3),
    Column::right("behind it", "Time of what stands behind the gateway; mean", 70.0, 1),
    Column::right("p99 ", "Of that time, what 99 of 100 do not exceed", 70.0, 3),
    Column::right("in", "Bytes of the requests' bodies", 70.0, 4),
    Column::right("out", "Bytes of the answers' bodies", 70.0, 4),
];
const REFUSALS: [Column<'_>; 2] = [
    Column::left("client, reason", "The consumer, - for none that is known, and why it was refused", 180.0, 0),
    Column::right("requests", "Refused so", 80.0, 0),
];

/// The figures of a card: (name, value).
type Details = [(String, String)];

/// Figures of one name: (label, value).
fn of<'a>(details: &'a Details, name: &str) -> Vec<(&'a str, u64)> {
    let its = |(known, value): &'a (String, String)| {
        let label = known.strip_prefix(name)?.strip_prefix(" · ")?;
        Some((label, value.parse().ok()?))
    };
    details.iter().filter_map(its).collect()
}

/// The same, the most frequent first.
fn top<'a>(details: &'a Details, name: &str) -> Vec<(&'a str, u64)> {
    let mut users = of(details, name);
    users.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    users
}

/// One figure of one label.
fn one(details: &Details, name: &str, label: &str) -> Option<f64> {
    let is_it = |known: &str| known.strip_prefix(name).and_then(|rest| rest.strip_prefix(" · ")) == Some(label);
    details.iter().find(|(known, _)| is_it(known))?.1.parse().ok()
}

/// Below the routes; nothing where nobody is known and the run is short.
pub(super) fn ui(ui: &mut Ui, details: &Details) {
    let share = |count: u64, all: u64| format!("{:.0} %", 100.0 * count as f64 / all.max(1) as f64);
    table(ui, "Clients", &CLIENTS, &top(details, "client_requests_count"), |column, _, count, all| match column {
        1 => figures::whole(count),
        _ => share(count, all),
    });
    table(ui, "Answers to clients", &ANSWERS, &top(details, "client_responses_count"), |column, label, count, _| {
        let time = |name: &str| match one(details, name, label) {
            // Nothing behind the gateway was asked.
            None | Some(0.0) => "–".to_owned(),
            Some(ms) => {
                let (ms, unit) = figures::latency(ms);
                format!("{ms} {unit}")
            }
        };
        let bytes = |name: &str| one(details, name, label).map_or_else(String::new, |bytes| figures::size(bytes as u64));
        match column {
            1 => figures::whole(count),
            2 => time("client_gateway_ms_mean"),
            3 => time("client_gateway_ms_p99"),
            4 => time("client_upstream_ms_mean"),
            5 => time("client_upstream_ms_p99"),
            6 => bytes("client_in_bytes"),
            _ => bytes("client_out_bytes"),
        }
    });
    table(ui, "Refusals", &REFUSALS, &top(details, "client_rejections_count"), |_, _, count, _| figures::whole(count));
    let times = of(details, "time_requests_count");
    if !times.is_empty() {
        ui.add_space(space::M);
        widgets::subheading(ui, "Requests by time of day");
        times_ui(ui, &times);
    }
}

/// Lines under a heading, their label first; `cell` gives the words of a further column by (column, label, count, all counts).
fn table(ui: &mut Ui, heading: &str, columns: &[Column<'_>], lines: &[(&str, u64)], cell: impl Fn(usize, &str, u64, u64) -> String) {
    if lines.is_empty() {
        return;
    }
    ui.add_space(space::M);
    let cut = if lines.len() > LINES_MAX { format!(", {LINES_MAX} of {}", lines.len()) } else { String::new() };
    widgets::subheading(ui, &format!("{heading}{cut}"));
    let fitted = columns::fitting(columns, 0, ui.available_width());
    ui.push_id(heading, |ui| columns::head(ui, columns, &fitted, None));
    let all: u64 = lines.iter().map(|(_, count)| count).sum();
    for (label, count) in lines.iter().take(LINES_MAX) {
        let tokens = theme::tokens(ui.ctx());
        let response = columns::ground(ui, &format!("{heading}: {label}, {count} requests"), false);
        for place in &fitted {
            let is_name = place.index == 0;
            let words = if is_name { (*label).to_owned() } else { cell(place.index, label, *count, all) };
            let colour = if place.index < 2 { tokens.text } else { tokens.text_muted };
            let align = if is_name { Align::LEFT } else { Align::RIGHT };
            widgets::line_in(ui, place.of(response.rect), &words, theme::font(12.0), colour, align);
        }
    }
}

fn times_ui(ui: &mut Ui, times: &[(&str, u64)]) {
    let tokens = theme::tokens(ui.ctx());
    let most = times.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let (area, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), BARS_HEIGHT), Sense::hover());
    let width = area.width() / times.len() as f32;
    for (at, (label, count)) in times.iter().enumerate() {
        let left = area.left() + at as f32 * width;
        let height = area.height() * *count as f32 / most as f32;
        let column = Rect::from_min_max(pos2(left, area.top()), pos2(left + width - 1.0, area.bottom()));
        let bar = column.with_min_y(area.bottom() - height);
        ui.painter().rect_filled(bar, CornerRadius::same(theme::radius::S), tokens.accent);
        let words = format!("{label}, {} requests", figures::whole(*count));
        ui.interact(column, ui.id().with(("time", at)), Sense::hover()).on_hover_text(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_clients_come_first() {
        let detail = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let details = [
            detail("requests_count", "90"),
            detail("client_responses_count · app orders 200", "7"),
            detail("client_responses_count · web orders 200", "40"),
            detail("client_responses_count · app orders 429", "40"),
            detail("time_requests_count · 07:10", "87"),
            detail("client_gateway_ms_mean · web orders 2", "1"),
            detail("client_gateway_ms_mean · web orders 200", "2.5"),
        ];
        let answers = [("app orders 429", 40), ("web orders 200", 40), ("app orders 200", 7)];
        assert_eq!(top(&details, "client_responses_count"), answers);
        assert_eq!(of(&details, "time_requests_count"), [("07:10", 87)]);
        assert_eq!(one(&details, "client_gateway_ms_mean", "web orders 200"), Some(2.5));
    }
}
