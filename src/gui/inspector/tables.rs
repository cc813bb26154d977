//! Tables: lists of rows and named rows, each row its fields.

use egui::Ui;
use indexmap::IndexMap;

use super::fields::{Change, field, text_field};
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, icon, widgets};
use crate::model::{ParamSpec, ParamType, Value};

fn head(ui: &mut Ui, param: &ParamSpec, count: usize) {
    ui.horizontal(|ui| {
        ui.label(theme::strong(param.label).size(12.0)).on_hover_text(param.help);
        ui.label(theme::muted(theme::tokens(ui.ctx()), count.to_string()));
    });
}

/// A list of rows.
pub(super) fn rows(
    ui: &mut Ui,
    owner: &str,
    param: &ParamSpec,
    specs: &'static [ParamSpec],
    profile: Option<&str>,
    value: Option<&Value>,
    enabled: bool,
) -> Change {
    let mut list: Vec<Value> = value.and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default();
    head(ui, param, list.len());
    let mut changed = false;
    let mut removed = None;
    let mut lifted = None;
    for (index, row) in list.iter_mut().enumerate() {
        let Value::Map(fields) = row else { continue };
        let name = title_of(fields, specs, index);
        egui::CollapsingHeader::new(&name).id_salt((owner, param.name, index)).show(ui, |ui| {
            changed |= row_fields(ui, &format!("{owner} {name}"), specs, profile, fields, enabled);
            ui.horizontal(|ui| {
                if index > 0 && widgets::text_button(ui, "", ButtonWords::new("Move up").unless((!enabled).then_some("locked"))).clicked() {
                    lifted = Some(index);
                }
                if widgets::text_button(ui, icon::DELETE, ButtonWords::new("Remove").unless((!enabled).then_some("locked"))).clicked() {
                    removed = Some(index);
                }
            });
        });
    }
    if let Some(index) = removed {
        list.remove(index);
        changed = true;
    }
    if let Some(index) = lifted {
        list.swap(index - 1, index);
        changed = true;
    }
    let label = format!("Add to {} of {owner}", param.label);
    if widgets::text_button(ui, icon::ADD, ButtonWords::new(&label).unless((!enabled).then_some("The design is locked while a run is on")))
        .clicked()
    {
        list.push(Value::Map(required(specs)));
        changed = true;
    }
    ui.add_space(theme::space::XS);
    if !changed {
        Change::None
    } else if list.is_empty() {
        Change::Reset
    } else {
        Change::Set(Value::List(list))
    }
}

/// Named rows: the name is the key.
pub(super) fn named(
    ui: &mut Ui,
    owner: &str,
    param: &ParamSpec,
    specs: &'static [ParamSpec],
    profile: Option<&str>,
    value: Option<&Value>,
    enabled: bool,
) -> Change {
    let mut map: IndexMap<String, Value> = value.and_then(Value::as_map).cloned().unwrap_or_default();
    head(ui, param, map.len());
    let mut changed = false;
    let mut removed = None;
    let mut renamed = None;
    for (index, (name, row)) in map.iter_mut().enumerate() {
        let Value::Map(fields) = row else { continue };
        egui::CollapsingHeader::new(name).id_salt((owner, param.name, index)).show(ui, |ui| {
            ui.label(theme::strong("Name").size(12.0));
            if let Some(text) = text_field(ui, &format!("Name of {name}"), name, "", false, enabled) {
                renamed = Some((index, text));
            }
            changed |= row_fields(ui, &format!("{owner} {name}"), specs, profile, fields, enabled);
            if widgets::text_button(ui, icon::DELETE, ButtonWords::new("Remove").unless((!enabled).then_some("locked"))).clicked() {
                removed = Some(index);
            }
        });
    }
    if let Some(index) = removed {
        map.shift_remove_index(index);
        changed = true;
    }
    if let Some((index, name)) = renamed
        && !name.is_empty()
        && !map.contains_key(&name)
        && let Some((_, row)) = map.shift_remove_index(index)
    {
        map.shift_insert(index, name, row);
        changed = true;
    }
    let label = format!("Add to {} of {owner}", param.label);
    if widgets::text_button(ui, icon::ADD, ButtonWords::new(&label).unless((!enabled).then_some("The design is locked while a run is on")))
        .clicked()
    {
        let stem = param.name.trim_end_matches('s');
        let name = (1..).map(|number| format!("{stem}-{number}")).find(|name| !map.contains_key(name));
        map.insert(name.expect("numbers do not run out"), Value::Map(required(specs)));
        changed = true;
    }
    ui.add_space(theme::space::XS);
    if !changed {
        Change::None
    } else if map.is_empty() {
        Change::Reset
    } else {
        Change::Set(Value::Map(map))
    }
}

fn row_fields(
    ui: &mut Ui,
    owner: &str,
    specs: &'static [ParamSpec],
    profile: Option<&str>,
    fields: &mut IndexMap<String, Value>,
    enabled: bool,
) -> bool {
    let mut changed = false;
    for spec in specs {
        match field(ui, owner, spec, profile, fields.get(spec.name), enabled) {
            Change::None => {}
            Change::Set(value) => {
                fields.insert(spec.name.to_owned(), value);
                changed = true;
            }
            Change::Reset => {
                fields.shift_remove(spec.name);
                changed = true;
            }
        }
    }
    changed
}

/// The first text of a row names it.
fn title_of(fields: &IndexMap<String, Value>, specs: &[ParamSpec], index: usize) -> String {
    let first = specs.iter().find_map(|spec| fields.get(spec.name).and_then(Value::as_text));
    first.filter(|text| !text.is_empty()).map_or_else(|| format!("Row {}", index + 1), str::to_owned)
}

/// A new row holds what must be given.
fn required(specs: &[ParamSpec]) -> IndexMap<String, Value> {
    let mut fields = IndexMap::new();
    for spec in specs.iter().filter(|spec| spec.default == crate::model::Default_::Required) {
        let value = match spec.ty {
            ParamType::Words => Value::List(Vec::new()),
            _ => Value::Text("new".to_owned()),
        };
        fields.insert(spec.name.to_owned(), value);
    }
    fields
}
