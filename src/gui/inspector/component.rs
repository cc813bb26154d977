//! A component's parameters by section.

use egui::Ui;

use super::fields::{Change, field, text_field};
use super::tables;
use crate::app::{AppState, Command};
use crate::components::{self, Kind};
use crate::gui::theme::{self, Tone, icon, widgets};
use crate::model::{Component, Edit, ParamSpec, ParamType};

pub(super) fn ui(ui: &mut Ui, app: &AppState, id: &str, commands: &mut Vec<Command>) {
    let Some(component) = app.project().components.get(id) else { return };
    let Some(kind) = components::by_id(&component.kind) else {
        widgets::notice(ui, icon::ERROR, &format!("There is no kind `{}`", component.kind), Tone::Error);
        return;
    };
    let spec = kind.spec();
    let free = !app.is_locked();
    widgets::section_header(ui, icon::of_kind(spec.id), spec.title, |_| {});
    ui.label(theme::muted(theme::tokens(ui.ctx()), spec.help));
    ui.add_space(theme::space::S);
    problems(ui, app, id);
    if let Some(running) = &app.running
        && let Some(card) = running.component_ix(id).and_then(|ix| running.view().cards.get(ix.index()))
    {
        egui::CollapsingHeader::new("Figures now").default_open(!free).show(ui, |ui| {
            for (name, value) in &card.details {
                widgets::figure_row(ui, name, value, "", Tone::Neutral);
            }
        });
        ui.add_space(theme::space::S);
    }
    identity(ui, id, component, kind, free, commands);
    let mut group = "";
    for param in spec.params {
        if param.group != group {
            group = param.group;
            ui.add_space(theme::space::S);
            widgets::subheading(ui, group);
        }
        let live = matches!(
            param.ty,
            ParamType::DurationDist | ParamType::Arrival | ParamType::Keys | ParamType::Ratio { .. } | ParamType::Duration { .. }
        );
        parameter(ui, app, id, component, kind, param, free || live, commands);
    }
}

fn problems(ui: &mut Ui, app: &AppState, id: &str) {
    let prefix = format!("components.{id}");
    for diagnostic in app.document.diagnostics() {
        if diagnostic.path == prefix || diagnostic.path.starts_with(&format!("{prefix}.")) {
            let words =
                diagnostic.hint.as_ref().map_or_else(|| diagnostic.message.clone(), |hint| format!("{}\n{hint}", diagnostic.message));
            let tone = if diagnostic.severity == crate::diagnostics::Severity::Error { Tone::Error } else { Tone::Warn };
            widgets::notice(ui, icon::WARNING, &words, tone);
            ui.add_space(theme::space::XS);
        }
    }
}

fn identity(ui: &mut Ui, id: &str, component: &Component, kind: &dyn Kind, free: bool, commands: &mut Vec<Command>) {
    ui.label(theme::strong("Id").size(12.0));
    // A rename is carried out when the field is left, not at every letter.
    let memory = ui.id().with(("rename", id));
    let held: String = ui.data(|data| data.get_temp(memory)).unwrap_or_else(|| id.to_owned());
    let mut text = held;
    let response =
        ui.add_enabled(free, egui::TextEdit::singleline(&mut text).desired_width(f32::INFINITY).margin(egui::Margin::symmetric(8, 5)));
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::text_edit(free, id, &text, "");
        info.label = Some(format!("Id of {id}"));
        info
    });
    if response.lost_focus() && text != id {
        ui.data_mut(|data| data.remove::<String>(memory));
        commands.push(Command::Edit(Edit::RenameComponent { id: id.to_owned(), new_id: text.clone() }));
        commands.push(Command::Select(crate::app::Pick::Component(text), crate::app::SelectMode::Replace));
    } else if response.changed() {
        ui.data_mut(|data| data.insert_temp(memory, text));
    }
    ui.add_space(theme::space::XS);
    let mut updated = component.clone();
    let mut changed = false;
    if !kind.spec().profiles.is_empty() {
        ui.label(theme::strong("Profile").size(12.0)).on_hover_text("Which real product it behaves like; defaults come from it");
        let current = component.profile.clone().unwrap_or_else(|| kind.spec().profiles[0].to_owned());
        ui.add_enabled_ui(free, |ui| {
            widgets::combo(ui.id().with(("profile", id))).selected_text(&current).width(ui.available_width()).show_ui(ui, |ui| {
                for profile in kind.spec().profiles {
                    if ui.selectable_label(current == *profile, *profile).clicked() {
                        updated.profile = Some((*profile).to_owned());
                        changed = true;
                    }
                }
            });
        });
        ui.add_space(theme::space::XS);
    }
    egui::CollapsingHeader::new("Title, owner, description").show(ui, |ui| {
        let fields = [
            ("Title", &mut updated.title, false),
            ("Owner", &mut updated.owner, false),
            ("Bounded context", &mut updated.context, false),
            ("Data class", &mut updated.data_class, false),
            ("Description", &mut updated.description, true),
        ];
        for (label, slot, long) in fields {
            ui.label(theme::strong(label).size(12.0));
            let shown = slot.clone().unwrap_or_default();
            if let Some(text) = text_field(ui, &format!("{label} of {id}"), &shown, "", long, free) {
                *slot = Some(text).filter(|text| !text.is_empty());
                changed = true;
            }
        }
    });
    if changed {
        commands.push(Command::EditLive(format!("identity {id}"), vec![Edit::UpdateComponent { id: id.to_owned(), component: updated }]));
    }
}

#[expect(clippy::too_many_arguments, reason = "one field's whole context")]
fn parameter(
    ui: &mut Ui,
    app: &AppState,
    id: &str,
    component: &Component,
    kind: &dyn Kind,
    param: &ParamSpec,
    enabled: bool,
    commands: &mut Vec<Command>,
) {
    let value = component.params.get(param.name);
    let profile = component.profile.as_deref().or_else(|| kind.spec().profiles.first().copied());
    let change = match param.ty {
        ParamType::Rows(specs) => tables::rows(ui, id, param, specs, profile, value, enabled && !app.is_locked()),
        ParamType::Named(specs) => tables::named(ui, id, param, specs, profile, value, enabled && !app.is_locked()),
        _ => field(ui, id, param, profile, value, enabled),
    };
    let value = match change {
        Change::None => return,
        Change::Set(value) => Some(value),
        Change::Reset => None,
    };
    if app.is_locked() {
        // While it runs a cost or a load may still change: the run takes it, the design stays.
        let text = value.map_or_else(|| param.default_text(profile).unwrap_or_default().to_owned(), |value| value.to_field_text());
        commands.push(Command::SetLive { component: id.to_owned(), param: param.name.to_owned(), value: text });
        return;
    }
    let edit = Edit::SetParam { id: id.to_owned(), param: param.name.to_owned(), value };
    commands.push(Command::EditLive(format!("{id}.{}", param.name), vec![edit]));
}
