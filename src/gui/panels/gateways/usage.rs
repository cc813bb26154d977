//! Who used a gateway in the run that is shown: its clients by route and answer, and its requests by hour of the day.
//!
//! In: the figures of a card, as text. Out: nothing. Start at [`ui`].

use egui::{Align, CornerRadius, Rect, Sense, Ui, Vec2, pos2};

use crate::gui::panels::columns::{self, Column};
use crate::gui::panels::figures;
use crate::gui::theme::{self, space, widgets};

/// Lines of the table: those with the most requests.
const LINES_MAX: usize = 20;
const BARS_HEIGHT: f32 = 48.0;

const USERS: [Column<'_>; 3] = [
    Column::left("client, route, answer", "The consumer, the route that took it, and the answer's status", 180.0, 0),
    Column::right("requests", "Answered so", 80.0, 0),
    Column::right("share", "Of all that known clients were answered", 60.0, 1),
];

/// Figures of one name: (label, value).
fn of<'a>(details: &'a [(String, String)], name: &str) -> Vec<(&'a str, u64)> {
    let its = |(known, value): &'a (String, String)| {
        let label = known.strip_prefix(name)?.strip_prefix(" · ")?;
        Some((label, value.parse().ok()?))
    };
    details.iter().filter_map(its).collect()
}

/// What known clients were answered, the most frequent first.
fn top(details: &[(String, String)]) -> Vec<(&str, u64)> {
    let mut users = of(details, "client_responses_count");
    users.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    users
}

/// Below the routes; nothing where nobody is known and no hour is over.
pub(super) fn ui(ui: &mut Ui, details: &[(String, String)]) {
    let users = top(details);
    if !users.is_empty() {
        ui.add_space(space::M);
        widgets::subheading(ui, "Clients");
        users_ui(ui, &users);
    }
    let hours = of(details, "hour_requests_count");
    if !hours.is_empty() {
        ui.add_space(space::M);
        widgets::subheading(ui, "Requests by hour of the day");
        hours_ui(ui, &hours);
    }
}

fn users_ui(ui: &mut Ui, users: &[(&str, u64)]) {
    let fitted = columns::fitting(&USERS, 0, ui.available_width());
    columns::head(ui, &USERS, &fitted, None);
    let all: u64 = users.iter().map(|(_, count)| count).sum();
    for (label, count) in users.iter().take(LINES_MAX) {
        let tokens = theme::tokens(ui.ctx());
        let share = format!("{:.0} %", 100.0 * *count as f64 / all.max(1) as f64);
        let response = columns::ground(ui, &format!("Client {label}, {count} requests"), false);
        for place in &fitted {
            let (words, colour) = match place.index {
                0 => ((*label).to_owned(), tokens.text),
                1 => (figures::whole(*count), tokens.text),
                _ => (share.clone(), tokens.text_muted),
            };
            let align = if place.index == 0 { Align::LEFT } else { Align::RIGHT };
            widgets::line_in(ui, place.of(response.rect), &words, theme::font(12.0), colour, align);
        }
    }
}

fn hours_ui(ui: &mut Ui, hours: &[(&str, u64)]) {
    let tokens = theme::tokens(ui.ctx());
    let most = hours.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let (area, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), BARS_HEIGHT), Sense::hover());
    let width = area.width() / hours.len() as f32;
    for (at, (label, count)) in hours.iter().enumerate() {
        let left = area.left() + at as f32 * width;
        let height = area.height() * *count as f32 / most as f32;
        let column = Rect::from_min_max(pos2(left, area.top()), pos2(left + width - 1.0, area.bottom()));
        let bar = column.with_min_y(area.bottom() - height);
        ui.painter().rect_filled(bar, CornerRadius::same(theme::radius::S), tokens.accent);
        let words = format!("{label}:00, {} requests", figures::whole(*count));
        ui.interact(column, ui.id().with(("hour", at)), Sense::hover()).on_hover_text(words);
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
            detail("hour_requests_count · 07", "87"),
        ];
        assert_eq!(top(&details), [("app orders 429", 40), ("web orders 200", 40), ("app orders 200", 7)]);
        assert_eq!(of(&details, "hour_requests_count"), [("07", 87)]);
    }
}
