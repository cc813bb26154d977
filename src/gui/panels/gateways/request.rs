//! The box: a request that a person types, what each plugin says, the answer.

use egui::{Align, Id, ScrollArea, TextEdit, Ui, Vec2, WidgetInfo, WidgetType};

use crate::components::gateway::trial::{Sample, Tried};
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::model::{Component, Value};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What is tried first: the first route's own path and method.
pub(super) fn first(component: &Component) -> Sample {
    let route = component.params.get("routes").and_then(Value::as_list).and_then(|rows| rows.first()).and_then(Value::as_map);
    let word = |field: &str| match route.and_then(|route| route.get(field)) {
        Some(Value::List(list)) => list.first().map(Value::to_field_text),
        Some(value) => Some(value.to_field_text()),
        None => None,
    };
    Sample {
        method: word("methods").unwrap_or_else(|| "POST".to_owned()),
        host: word("hosts").map_or_else(|| "shop.example".to_owned(), |host| host.replace('*', "shop")),
        path: word("paths").filter(|path| !path.starts_with('~')).unwrap_or_else(|| "/".to_owned()),
        headers: String::new(),
        body: String::new(),
    }
}

/// Draws it.
pub(super) fn ui(ui: &mut Ui, known: &[(String, String)], sample: &mut Sample, tried: Option<&Tried>) {
    ScrollArea::vertical().id_salt("gateway-request").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_width((ui.available_width() - space::S).max(0.0));
        widgets::subheading(ui, "Try a request");
        ui.horizontal(|ui| {
            let methods = widgets::combo(Id::new("gateway-method")).selected_text(&*sample.method).width(76.0).show_ui(ui, |ui| {
                for method in METHODS {
                    ui.selectable_value(&mut sample.method, method.to_owned(), method);
                }
            });
            methods.response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, "Method of the request"));
            field(ui, &mut sample.host, "Host of the request", 110.0);
            let left = ui.available_width();
            field(ui, &mut sample.path, "Path of the request", left);
        });
        if !known.is_empty() {
            let senders = widgets::combo(Id::new("gateway-credential")).selected_text("Send as…").width(160.0).show_ui(ui, |ui| {
                if ui.selectable_label(false, "Nobody").clicked() {
                    set_header(&mut sample.headers, None);
                }
                for (name, header) in known {
                    if ui.selectable_label(false, name).clicked() {
                        set_header(&mut sample.headers, Some(header));
                    }
                }
            });
            senders.response.widget_info(|| WidgetInfo::labeled(WidgetType::ComboBox, true, "Send the request as"));
        }
        let headers =
            TextEdit::multiline(&mut sample.headers).font(egui::FontId::monospace(11.0)).desired_rows(2).desired_width(f32::INFINITY);
        let response = ui.add(headers.hint_text("Headers, a line each: name: value"));
        response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Headers of the request"));
        ui.add_space(space::XS);
        if let Some(tried) = tried {
            outcome(ui, tried);
        }
    });
}

fn field(ui: &mut Ui, text: &mut String, name: &str, width: f32) {
    let field = TextEdit::singleline(text).desired_width(width).min_size(Vec2::new(0.0, widgets::CONTROL_HEIGHT));
    let response = ui.add(field.vertical_align(Align::Center)).on_hover_text(name);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, name));
}

/// Replaces what proves who one is.
fn set_header(headers: &mut String, line: Option<&str>) {
    let proves = |line: &&str| ["apikey:", "x-api-key:", "authorization:"].iter().any(|name| line.to_lowercase().starts_with(name));
    let kept: Vec<&str> = headers.lines().filter(|line| !proves(line) && !line.trim().is_empty()).chain(line).collect();
    *headers = kept.join("\n");
}

fn outcome(ui: &mut Ui, tried: &Tried) {
    for (part, words, stopped) in &tried.steps {
        let (mark, tone) = if *stopped { (icon::MISSED, Tone::Warn) } else { (icon::MET, Tone::Ok) };
        let text = if words.is_empty() { part.clone() } else { format!("{part}: {words}") };
        widgets::notice(ui, mark, &text, tone);
        ui.add_space(2.0);
    }
    match &tried.passed_to {
        Some(target) => widgets::notice(ui, icon::FORTH, &format!("Goes on to {target}"), Tone::Ok),
        None => widgets::notice(ui, icon::MISSED, &format!("Answered {}", tried.answer.status), Tone::Warn),
    }
    let headers = tried.answer.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let text = headers.chain((!tried.answer.body.is_empty()).then(|| format!("\n{}", tried.answer.body))).collect::<Vec<_>>().join("\n");
    if !text.is_empty() {
        ui.add(
            egui::Label::new(egui::RichText::new(text).font(egui::FontId::monospace(11.0)).color(theme::tokens(ui.ctx()).text_muted))
                .selectable(true),
        );
    }
}
