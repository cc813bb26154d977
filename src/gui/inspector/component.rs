//! A component's parameters by section.

use egui::Ui;

use super::actions;
use super::draft::{Apply, any_text};
use super::fields::{Change, Group, choice, field};
use super::tables::table;
use crate::app::schemas::{SchemaCommand, registries};
use crate::app::{AppState, Browse, Command, DockTab, Pick, Running, SelectMode};
use crate::components::{self, Kind};
use crate::gui::theme::{self, Tone, icon, widgets};
use crate::model::{Component, Edit, EditError, FaultTarget, ParamSpec, ParamType, id_is_valid};

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
    let path = format!("components.{id}");
    let profile = component.profile.as_deref().or_else(|| spec.profiles.first().copied());
    let group = Group {
        profile,
        framework: profile.and_then(|profile| kind.framework(profile)),
        // A run takes a value over at once: half-typed ones must not reach it.
        apply: if free { Apply::AsTyped } else { Apply::OnLeave },
        ..Group::new(app, id, &path)
    };
    group.problems_beside(ui, spec.params);
    if let Some(running) = &app.running
        && let Some(card) = running.component_ix(id).and_then(|ix| running.view().cards.get(ix.index()))
    {
        egui::CollapsingHeader::new("Figures now").default_open(!free).show(ui, |ui| {
            for (name, value) in &card.details {
                widgets::figure_row(ui, &in_words(name), value, "", Tone::Neutral);
            }
        });
        holdings(ui, app, running, id, commands);
        ui.add_space(theme::space::S);
    }
    schemas(ui, app, id, commands);
    if !free {
        actions::ui(ui, app, &FaultTarget::Component(id.to_owned()), spec.all_actions(), commands);
    }
    identity(ui, id, component, kind, &group, commands);
    // While a run is on, its values count: the scenario's, and those given since.
    let running = app.running.as_ref().filter(|running| running.is_going());
    let shown = running.and_then(|running| running.project().components.get(id)).unwrap_or(component);
    let mut section = "";
    for param in spec.params {
        if param.group != section {
            section = param.group;
            ui.add_space(theme::space::S);
            // A table that is alone in its section is its own heading.
            if section != param.label {
                widgets::subheading(ui, section);
            }
        }
        let value = shown.params.get(param.name);
        let change = match param.ty {
            ParamType::Rows(specs) | ParamType::Named(specs) => table(ui, &group, param, specs, value),
            _ => field(ui, &Group { enabled: free || is_live(param), ..group }, param, value),
        };
        if let Some(change) = change {
            commands.push(command_for(id, param, &group, change));
        }
    }
}

/// The schemas that a component uses, each leading to its subject; a registry leads to its own.
fn schemas(ui: &mut Ui, app: &AppState, id: &str, commands: &mut Vec<Command>) {
    if registries(app.project()).any(|known| known == id) {
        if widgets::text_button(ui, icon::SCHEMA, widgets::ButtonWords::new("Subjects and versions")).clicked() {
            commands.push(Command::Schemas(SchemaCommand::Open { registry: id.to_owned(), subject: None }));
        }
        ui.add_space(theme::space::S);
        return;
    }
    let uses = app.schema_uses(id);
    if uses.is_empty() {
        return;
    }
    let tokens = theme::tokens(ui.ctx());
    widgets::subheading(ui, "Schemas in use");
    for one in uses {
        let version = one.version.map_or_else(|| "version not known yet".to_owned(), |number| format!("version {number}"));
        let of_wire = one.id.map(|id| format!(", id {id}")).unwrap_or_default();
        let spoken = format!("{} {}, {version}{of_wire}", one.way.words(), one.subject);
        let response = widgets::click_row(ui, &spoken, false, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.label(egui::RichText::new(icon::SCHEMA).color(tokens.text_muted));
                ui.label(theme::muted(tokens, one.way.words()));
                ui.label(theme::strong(&*one.subject));
                ui.label(format!("{version}{of_wire}"));
            });
            if let Some(why) = &one.trouble {
                widgets::notice(ui, icon::ERROR, why, Tone::Error);
            }
        });
        if response.on_hover_text("Click to see the subject").clicked() {
            let registry = app.registry_of(id, &one.subject);
            commands.extend(
                registry.map(|registry| Command::Schemas(SchemaCommand::Open { registry, subject: Some(one.subject.to_string()) })),
            );
        }
    }
    ui.add_space(theme::space::S);
}

/// Leads to what a component holds, where it holds something that can be looked at.
fn holdings(ui: &mut Ui, app: &AppState, running: &Running, id: &str, commands: &mut Vec<Command>) {
    if running.keeps_something(id) && widgets::text_button(ui, icon::RECORDS, widgets::ButtonWords::new("Browse what it keeps")).clicked() {
        commands.push(Command::ShowDock(DockTab::Services));
    }
    let Some(shelf) = running.shelf_of(id) else { return };
    ui.horizontal(|ui| {
        let browsed = app.browse.as_ref().filter(|browse| browse.component == id).cloned();
        let browse = browsed.unwrap_or_else(|| Browse::newest(id, &shelf.topic, 0));
        if widgets::text_button(ui, icon::RECORDS, widgets::ButtonWords::new("Browse records")).clicked() {
            commands.push(Command::Browse(browse.clone()));
        }
        if shelf.partitions.is_some() && widgets::text_button(ui, icon::PARTITIONS, widgets::ButtonWords::new("All partitions")).clicked() {
            commands.push(Command::Browse(browse));
            commands.push(Command::ShowDock(DockTab::Partitions));
        }
        if shelf.partitions.is_none() && widgets::text_button(ui, icon::PARTITIONS, widgets::ButtonWords::new("All queues")).clicked() {
            commands.push(Command::ShowDock(DockTab::Queues));
        }
    });
}

/// A figure's name as words: `responses_count · 200` is `Responses · 200`, `queue_s` is `Queue, s`.
fn in_words(figure: &str) -> String {
    let (name, label) = figure.split_once(" · ").unwrap_or((figure, ""));
    let (stem, unit) = [("_count", ""), ("_ratio", ""), ("_bytes", ", bytes"), ("_ms", ", ms"), ("_s", ", s")]
        .into_iter()
        .find_map(|(ending, unit)| Some((name.strip_suffix(ending)?, unit)))
        .unwrap_or((name, ""));
    let mut letters = stem.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let words = format!("{first}{}{unit}", letters.as_str().replace('_', " "));
    if label.is_empty() { words } else { format!("{words} · {label}") }
}

/// Whether a run takes a change of it.
fn is_live(param: &ParamSpec) -> bool {
    matches!(
        param.ty,
        ParamType::DurationDist | ParamType::Arrival | ParamType::Keys | ParamType::Ratio { .. } | ParamType::Duration { .. }
    )
}

fn command_for(id: &str, param: &ParamSpec, group: &Group<'_>, change: Change) -> Command {
    let value = change.into_value();
    if group.enabled {
        let edit = Edit::SetParam { id: id.to_owned(), param: param.name.to_owned(), value };
        return Command::EditLive(format!("{}.{}", group.path, param.name), vec![edit]);
    }
    // While it runs a cost or a load may still change: the run takes it, the design stays.
    let default = || param.default_text(group.profile).unwrap_or_default().to_owned();
    let value = value.map_or_else(default, |value| value.to_field_text());
    Command::SetLive { component: id.to_owned(), param: param.name.to_owned(), value }
}

/// Id, profile, and what is said of it in words.
fn identity(ui: &mut Ui, id: &str, component: &Component, kind: &dyn Kind, group: &Group<'_>, commands: &mut Vec<Command>) {
    // A rename is carried out when the field is left, not at every letter.
    let names = Group { apply: Apply::OnLeave, ..*group };
    let fits = |text: &str| if id_is_valid(text) { Ok(text.to_owned()) } else { Err(EditError::BadId(text.to_owned()).to_string()) };
    if let Some(new_id) = names.text(ui, ("(id)", "Id"), (id, false), fits) {
        commands.push(Command::Edit(Edit::RenameComponent { id: id.to_owned(), new_id: new_id.clone() }));
        commands.push(Command::Select(Pick::Component(new_id), SelectMode::Replace));
    }
    let mut updated = component.clone();
    let profiles = kind.spec().profiles;
    if let Some(first) = profiles.first() {
        ui.label(theme::strong("Profile").size(12.0)).on_hover_text("Which real product it behaves like; defaults come from it");
        let current = component.profile.as_deref().unwrap_or(first);
        let (path, label) = (format!("{}.profile", group.path), format!("Profile of {id}"));
        if let Some(profile) = choice(ui, &path, &label, current, profiles, group.enabled) {
            updated.profile = Some(profile.to_owned());
        }
        ui.add_space(theme::space::XS);
    }
    egui::CollapsingHeader::new("Title, owner, description").show(ui, |ui| {
        let fields = [
            (("title", "Title"), &mut updated.title, false),
            (("owner", "Owner"), &mut updated.owner, false),
            (("context", "Bounded context"), &mut updated.context, false),
            (("data_class", "Data class"), &mut updated.data_class, false),
            (("description", "Description"), &mut updated.description, true),
        ];
        for (names, slot, long) in fields {
            let shown = slot.clone().unwrap_or_default();
            if let Some(text) = group.text(ui, names, (&shown, long), any_text) {
                *slot = Some(text).filter(|text| !text.is_empty());
            }
        }
    });
    if updated != *component {
        commands.push(Command::EditLive(format!("identity {id}"), vec![Edit::UpdateComponent { id: id.to_owned(), component: updated }]));
    }
}
