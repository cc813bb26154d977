//! What a person can do to a running component or link, now: the same actions that a scenario's timeline has.

use egui::{CollapsingHeader, Id, Ui};
use indexmap::IndexMap;

use super::fields::Group;
use super::scenarios::params_ui;
use crate::app::{AppState, Command};
use crate::components::{ActionSpec, check_params};
use crate::diagnostics::has_errors;
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, icon, widgets};
use crate::model::{Default_, FaultTarget, ParamSpec, ParamType, Value};

/// One row an action: its help, its arguments, its button.
pub(super) fn ui(
    ui: &mut Ui,
    app: &AppState,
    target: &FaultTarget,
    actions: impl Iterator<Item = &'static ActionSpec>,
    commands: &mut Vec<Command>,
) {
    let owner = target.to_string();
    CollapsingHeader::new("Do to it now").id_salt(("actions", &owner)).default_open(false).show(ui, |ui| {
        for action in actions {
            CollapsingHeader::new(action.name).id_salt((&owner, action.name)).show(ui, |ui| {
                if let Some(params) = action_ui(ui, app, &owner, action) {
                    commands.push(Command::Act { target: target.clone(), action: action.name.to_owned(), params });
                }
            });
        }
    });
    ui.add_space(theme::space::S);
}

/// The arguments, once the button is pressed.
fn action_ui(ui: &mut Ui, app: &AppState, owner: &str, action: &'static ActionSpec) -> Option<IndexMap<String, Value>> {
    ui.label(theme::muted(theme::tokens(ui.ctx()), action.help));
    let id = Id::new(("action", owner, action.name));
    let begin = || action.params.iter().filter_map(|spec| Some((spec.name.to_owned(), first_value(spec)?))).collect();
    let mut params: IndexMap<String, Value> = ui.data(|data| data.get_temp(id)).unwrap_or_else(begin);
    let path = format!("now.{owner}.{}", action.name);
    let mut problems = Vec::new();
    check_params(&path, action.params, &params, &mut problems);
    let label = format!("{} of {owner}", action.name);
    let group = Group { enabled: true, diagnostics: &problems, ..Group::new(app, &label, &path) };
    let names: Vec<String> = action.params.iter().map(|spec| spec.name.to_owned()).collect();
    params_ui(ui, &group, (action.params, None), &names, &mut params);
    let why = has_errors(&problems).then_some("An argument is missing or wrong");
    let words = format!("{} {owner}", action.name);
    let pressed = widgets::text_button(ui, icon::WARNING, ButtonWords::new(&words).unless(why)).clicked();
    ui.data_mut(|data| data.insert_temp(id, params.clone()));
    ui.add_space(theme::space::XS);
    pressed.then_some(params)
}

/// Something to begin with where an argument must be given.
fn first_value(spec: &ParamSpec) -> Option<Value> {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    match (spec.default, spec.ty) {
        (Default_::Required, ParamType::Duration { .. }) => text("5s"),
        (Default_::Required, ParamType::DurationDist) => text("100ms"),
        (Default_::Required, ParamType::Count { min, .. }) => Some(Value::Int(min)),
        _ => None,
    }
}
