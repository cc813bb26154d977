//! What changed between two versions: each change once, with its effect under each level.

use egui::{Label, Ui};

use super::pages::{hint_ui, of_severity, places_ui, tile};
use crate::app::Command;
use crate::app::schemas::{Desk, SchemaCommand, Side};
use crate::gui::theme::{self, icon, space, widgets};
use crate::machines::codec::Severity;
use crate::machines::registry::{Change, Compatibility, Way};

/// The transitive levels ask the same of each older version.
const LEVELS: [Compatibility; 3] = [Compatibility::Backward, Compatibility::Forward, Compatibility::Full];

/// Which versions are compared; drawn from the right.
pub(super) fn sides_ui(ui: &mut Ui, desk: &Desk, commands: &mut Vec<Command>) {
    let (Some(subject), Some((old, new))) = (desk.chosen(), desk.sides()) else { return };
    let mut sides: Vec<Side> = subject.standing.versions.iter().map(|version| Side::Version(version.number)).collect();
    if desk.editing {
        sides.push(Side::Draft);
    }
    let choose = |ui: &mut Ui, id: &str, label: &str, chosen: Side| {
        let mut picked = chosen;
        let combo = widgets::combo(id).width(84.0).selected_text(words(chosen));
        let response = combo.show_ui(ui, |ui| {
            for side in &sides {
                ui.selectable_value(&mut picked, *side, words(*side));
            }
        });
        response
            .response
            .widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::ComboBox, true, format!("{label}: {}", words(chosen))));
        picked
    };
    let to = choose(ui, "changes-to", "Compare to", new);
    ui.label(theme::muted(theme::tokens(ui.ctx()), icon::FORTH));
    let from = choose(ui, "changes-from", "Compare from", old);
    if (from, to) != (old, new) {
        commands.push(Command::Schemas(SchemaCommand::Compare(from, to)));
    }
}

fn words(side: Side) -> String {
    match side {
        Side::Version(number) => format!("version {number}"),
        Side::Draft => "draft".to_owned(),
    }
}

/// Draws the changes.
pub(super) fn ui(ui: &mut Ui, desk: &Desk) {
    let Some((old, new)) = desk.sides() else {
        let hint = "Press New version: what it would change stands here as you type";
        return widgets::empty_state(ui, icon::SCHEMA, "There is one version only", hint);
    };
    let changes = desk.changes();
    if changes.is_empty() {
        let headline = format!("No change from {} to {}", words(old), words(new));
        return widgets::empty_state(ui, icon::MET, &headline, "Formatting and documentation are no change that a reader sees");
    }
    for change in changes {
        change_ui(ui, change);
        ui.add_space(space::S);
    }
    ui.add(
        Label::new(theme::muted(theme::tokens(ui.ctx()), "The transitive levels ask the same of every older version; NONE asks nothing"))
            .wrap(),
    );
}

fn change_ui(ui: &mut Ui, change: &Change) {
    tile(ui, |ui| {
        places_ui(ui, (change.old.as_deref(), change.new.as_deref()));
        let mut said: Vec<&str> = Vec::new();
        for (way, found) in change.findings() {
            if said.contains(&found.words.as_str()) {
                continue;
            }
            said.push(&found.words);
            let who = match way {
                Way::NewReadsOld => "new reads old",
                Way::OldReadsNew => "old reads new",
            };
            ui.add(Label::new(format!("{}: {}", who, found.words)).wrap()).on_hover_text(format!("Rule {}", found.rule));
            if let Some(hint) = found.hint.as_ref().filter(|_| found.severity != Severity::Fine) {
                hint_ui(ui, hint);
            }
        }
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            for level in LEVELS {
                effect_ui(ui, change, level);
            }
        });
    });
}

/// A level, and by tone, icon and word what the change does under it.
fn effect_ui(ui: &mut Ui, change: &Change, level: Compatibility) {
    let severity = change.effect(level);
    let (tone, icon) = of_severity(severity);
    let word = match severity {
        Severity::Breaks => "breaks",
        Severity::Warns => "warns",
        Severity::Fine => "fine",
    };
    widgets::badge(ui, &format!("{icon} {level} {word}"), tone);
}
