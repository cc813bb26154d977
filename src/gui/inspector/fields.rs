//! One parameter as a field: name, product key, value, problem, help, and the way back to the default.

use egui::{Response, TextEdit, Ui};

use crate::components::check_value;
use crate::gui::theme::{self, icon, widgets};
use crate::model::{ParamSpec, ParamType, Provenance, Value};

/// What a person did to a field.
pub(super) enum Change {
    /// Nothing.
    None,
    /// Gave it a value.
    Set(Value),
    /// Gave it back to its default.
    Reset,
}

/// A scalar parameter. `owner` makes its label unique for tests (`Load of web`).
pub(super) fn field(ui: &mut Ui, owner: &str, spec: &ParamSpec, profile: Option<&str>, value: Option<&Value>, enabled: bool) -> Change {
    let tokens = theme::tokens(ui.ctx());
    let mut change = Change::None;
    ui.horizontal(|ui| {
        ui.label(theme::strong(spec.label).size(12.0)).on_hover_text(help(spec));
        if let Some(key) = spec.product_key {
            ui.label(egui::RichText::new(key).monospace().size(10.0).color(tokens.text_faint));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if value.is_some() && enabled {
                let label = format!("Reset {} of {owner}", spec.label);
                let button = ui
                    .add(egui::Button::new(egui::RichText::new(icon::RESET).size(12.0)).frame(false))
                    .on_hover_text("Back to the default");
                button.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &label));
                if button.clicked() {
                    change = Change::Reset;
                }
            }
        });
    });
    let shown = value.map(Value::to_field_text);
    let default = spec.default_text(profile).unwrap_or_default();
    let label = format!("{} of {owner}", spec.label);
    match spec.ty {
        ParamType::Bool => {
            let mut on = shown.as_deref().unwrap_or(default) == "true";
            let words = if on { "On" } else { "Off" };
            let response = ui.add_enabled(enabled, egui::Checkbox::new(&mut on, words));
            response.widget_info(|| egui::WidgetInfo::selected(egui::WidgetType::Checkbox, enabled, on, &label));
            if response.changed() {
                change = Change::Set(Value::Bool(on));
            }
        }
        ParamType::Choice(words) => {
            let current = shown.clone().unwrap_or_else(|| default.to_owned());
            let mut picked = None;
            ui.add_enabled_ui(enabled, |ui| {
                let response = widgets::combo(ui.id().with((owner, spec.name)))
                    .selected_text(&current)
                    .width(ui.available_width())
                    .show_ui(ui, |ui| {
                        for word in words {
                            if ui.selectable_label(current == *word, *word).clicked() {
                                picked = Some((*word).to_owned());
                            }
                        }
                    });
                response.response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::ComboBox, enabled, &label));
            });
            if let Some(word) = picked {
                change = Change::Set(Value::Text(word));
            }
        }
        _ => {
            if let Some(text) =
                text_field(ui, &label, shown.as_deref().unwrap_or_default(), default, spec.ty == ParamType::LongText, enabled)
            {
                change = if text.is_empty() { Change::Reset } else { Change::Set(typed(spec, text)) };
            }
        }
    }
    if let Some(Err(error)) = value.map(|value| check_value(spec, value)) {
        let words = error.hint.map_or(error.message.clone(), |hint| format!("{} — {hint}", error.message));
        ui.label(egui::RichText::new(words).small().color(tokens.error));
    }
    ui.add_space(theme::space::XS);
    change
}

/// A text field that gives its text while it changes.
pub(super) fn text_field(ui: &mut Ui, label: &str, shown: &str, placeholder: &str, long: bool, enabled: bool) -> Option<String> {
    let mut text = shown.to_owned();
    let edit = if long { TextEdit::multiline(&mut text).desired_rows(3) } else { TextEdit::singleline(&mut text) };
    let response: Response =
        ui.add_enabled(enabled, edit.hint_text(placeholder).desired_width(f32::INFINITY).margin(egui::Margin::symmetric(8, 5)));
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::text_edit(enabled, shown, &text, placeholder);
        info.label = Some(label.to_owned());
        info
    });
    response.changed().then_some(text)
}

/// The value that a file would hold: numbers as numbers, all else as text.
fn typed(spec: &ParamSpec, text: String) -> Value {
    match spec.ty {
        ParamType::Count { .. } => text.parse().map_or(Value::Text(text), Value::Int),
        ParamType::Number { .. } => text.parse::<f64>().ok().filter(|number| number.is_finite()).map_or(Value::Text(text), Value::Float),
        ParamType::Words => Value::List(
            text.split(',').map(|word| Value::Text(word.trim().to_owned())).filter(|word| *word != Value::Text(String::new())).collect(),
        ),
        _ => Value::Text(text),
    }
}

fn help(spec: &ParamSpec) -> String {
    let source = match spec.provenance {
        Provenance::Choice => String::new(),
        Provenance::Documented(source) => format!("\nDefault documented: {source}"),
        Provenance::Measured(source) => format!("\nDefault measured: {source}"),
        Provenance::Assumed => "\nDefault assumed, not measured".to_owned(),
    };
    let range = match spec.ty {
        ParamType::Count { min, max } => format!("\n{min} to {max}"),
        ParamType::Number { min, max } => format!("\n{min} to {max}"),
        ParamType::Duration { min, max } | ParamType::Rate { min, max } | ParamType::Size { min, max } => format!("\n{min} to {max}"),
        ParamType::DurationDist => "\n2ms, exp(5ms), uniform(1ms, 3ms), lognormal(5ms, 0.8), erlang(4, 2ms)".to_owned(),
        ParamType::Arrival => "\nconstant(100/s), poisson(300/s), uniform(100/s, 20%), burst(1000/s for 1s every 10s), ramp(0/s to 1000/s over 60s), poisson([0s: 100/s, 30s: 400/s])".to_owned(),
        ParamType::Keys => "\nnone, uniform(1000), zipf(1000, 1.1)".to_owned(),
        _ => String::new(),
    };
    format!("{}{range}{source}", spec.help)
}
