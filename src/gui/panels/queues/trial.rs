//! A subscription's filter policy, and a message that a person tries against it.

use egui::{Align, Id, Layout, ScrollArea, TextEdit, Ui, WidgetInfo, WidgetType};

use crate::app::filters::{Trial, try_message};
use crate::event::SubscriptionStanding;
use crate::gui::theme::{self, Tone, icon, space, widgets};

/// What is tried first.
const EXAMPLES: [(&str, &str); 2] = [("MessageBody", r#"{"total": 120}"#), ("", r#"{"type": "OrderPlaced"}"#)];

/// Draws it; whether a person closes it.
pub(super) fn ui(ui: &mut Ui, subscription: &SubscriptionStanding) -> bool {
    let mut closes = false;
    ui.horizontal(|ui| {
        widgets::badge(ui, subscription.filter_scope, Tone::Accent);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            closes = widgets::icon_button(ui, icon::CLOSE, widgets::ButtonWords::new("Close subscription")).clicked();
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(theme::strong(&*subscription.endpoint)).truncate());
            });
        });
    });
    ScrollArea::vertical().id_salt("trial").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_width((ui.available_width() - space::S).max(0.0));
        policy_ui(ui, subscription);
        message_ui(ui, subscription);
    });
    closes
}

fn policy_ui(ui: &mut Ui, subscription: &SubscriptionStanding) {
    widgets::subheading(ui, "Filter policy");
    let text = subscription.filter_policy.as_deref();
    let pretty = text
        .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        .and_then(|policy| serde_json::to_string_pretty(&policy).ok());
    match pretty.as_deref().or(text) {
        Some(policy) => drop(ui.add(egui::Label::new(egui::RichText::new(policy).font(egui::FontId::monospace(11.5))).selectable(true))),
        None => drop(ui.label(theme::muted(theme::tokens(ui.ctx()), "None: it gets every event of its topic"))),
    }
    ui.add_space(space::S);
}

fn message_ui(ui: &mut Ui, subscription: &SubscriptionStanding) {
    let looks_into = if subscription.filter_scope == "MessageBody" { "body" } else { "attributes" };
    widgets::subheading(ui, "Try a message");
    let memory = Id::new(("trial-message", &subscription.topic, &subscription.endpoint));
    let example = EXAMPLES.iter().find(|(scope, _)| *scope == subscription.filter_scope).unwrap_or(&EXAMPLES[1]).1;
    let mut message: String = ui.data(|data| data.get_temp(memory)).unwrap_or_else(|| example.to_owned());
    let field = TextEdit::multiline(&mut message).font(egui::FontId::monospace(11.5)).desired_rows(2).desired_width(f32::INFINITY);
    let response = ui.add(field).on_hover_text(format!("A message's {looks_into} as a JSON object"));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, format!("Message {looks_into} to try")));
    ui.add_space(space::XS);
    let (icon, words, tone) = match try_message(subscription.filter_policy.as_deref(), subscription.filter_scope, &message) {
        Trial::Passes => (icon::MET, "It passes: the subscription gets it".to_owned(), Tone::Ok),
        Trial::Filtered(keys) => (icon::MISSED, format!("Filtered: it does not fit {}", keys.join(", ")), Tone::Warn),
        Trial::NoMessage(why) => (icon::INFO, format!("No JSON object: {why}"), Tone::Neutral),
        Trial::NoPolicy(why) => (icon::ERROR, why, Tone::Error),
    };
    widgets::notice(ui, icon, &words, tone);
    ui.data_mut(|data| data.insert_temp(memory, message));
}
