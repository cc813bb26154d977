//! Tables: lists of rows and named rows, each row its fields.

use egui::Ui;
use indexmap::IndexMap;

use super::draft::Apply;
use super::fields::{Change, Group, field, is_within, problem_ui};
use crate::diagnostics::Diagnostic;
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, icon, widgets};
use crate::model::{Default_, ParamSpec, ParamType, Value};

/// Why nothing can be added or removed.
pub(super) const LOCKED: &str = "The design is locked while a run is on";

/// One row of either kind of table while it is edited.
struct Row {
    /// Its key in a table of named rows; none in a list.
    name: Option<String>,
    /// Its fields; a file may hold something else here, which stays until the row is edited.
    value: Value,
}

impl Row {
    fn field(&self, name: &str) -> Option<&Value> {
        self.value.as_map()?.get(name)
    }
    /// The same row with one field changed.
    fn with(&self, name: &str, change: Change) -> Self {
        let mut fields = self.value.as_map().cloned().unwrap_or_default();
        match change {
            Change::Set(value) => drop(fields.insert(name.to_owned(), value)),
            Change::Reset => drop(fields.shift_remove(name)),
        }
        Self { name: self.name.clone(), value: Value::Map(fields) }
    }
}

/// What a person did to the rows.
enum RowChange {
    Edit(usize, Row),
    Remove(usize),
    MoveUp(usize),
    Add,
}

/// A list of rows or a table of named rows.
pub(super) fn table(
    ui: &mut Ui,
    group: &Group<'_>,
    param: &ParamSpec,
    specs: &'static [ParamSpec],
    value: Option<&Value>,
) -> Option<Change> {
    let named = matches!(param.ty, ParamType::Named(_));
    let mut rows = rows_of(value);
    ui.horizontal(|ui| {
        ui.label(theme::strong(param.label).size(12.0)).on_hover_text(param.help);
        ui.label(theme::muted(theme::tokens(ui.ctx()), rows.len().to_string()));
    });
    let path = format!("{}.{}", group.path, param.name);
    problem_ui(ui, None, problems_of_table(group, &path, &rows, specs));
    if !rows.iter().enumerate().any(|(index, row)| group.is_wanted(ui, &path_of(&path, index, row))) {
        group.show_if_wanted(ui, &path);
    }
    let mut change = None;
    for (index, row) in rows.iter().enumerate() {
        let row_path = path_of(&path, index, row);
        if let Some(made) = row_ui(ui, group, (param, specs), (index, &rows), &row_path) {
            change = Some(made);
        }
    }
    let label = format!("Add to {} of {}", param.label, group.owner);
    if widgets::text_button(ui, icon::ADD, ButtonWords::new(&label).unless((!group.enabled).then_some(LOCKED))).clicked() {
        change = Some(RowChange::Add);
    }
    ui.add_space(theme::space::XS);
    match change? {
        RowChange::Edit(index, row) => rows[index] = row,
        RowChange::Remove(index) => drop(rows.remove(index)),
        RowChange::MoveUp(index) => rows.swap(index - 1, index),
        RowChange::Add => rows.push(Row { name: named.then(|| free_name(param, &rows)), value: Value::Map(required(specs)) }),
    }
    Some(value_of_rows(rows, named))
}

/// One row's fields under its head.
fn row_ui(
    ui: &mut Ui,
    group: &Group<'_>,
    (param, specs): (&ParamSpec, &'static [ParamSpec]),
    (index, rows): (usize, &[Row]),
    path: &str,
) -> Option<RowChange> {
    let row = &rows[index];
    let title = row.name.clone().unwrap_or_else(|| title_of(row, specs, index));
    let owner = format!("{} {title}", group.owner);
    let group = Group { owner: &owner, path, ..*group };
    let faulty = group.diagnostics.iter().any(|diagnostic| is_within(&diagnostic.path, path));
    let head = if faulty { egui::RichText::new(format!("{}  {title}", icon::WARNING)) } else { egui::RichText::new(&title) };
    let mut change = None;
    let open = group.is_wanted(ui, path).then_some(true);
    egui::CollapsingHeader::new(head).id_salt((param.name, index)).open(open).show(ui, |ui| {
        if let Some(name) = &row.name {
            let names = Group { apply: Apply::OnLeave, ..group };
            let free = |name: &str| free_name_or_why(name, rows, index);
            if let Some(name) = names.text(ui, (NAME_FIELD, "Name"), (name, false), free) {
                change = Some(RowChange::Edit(index, Row { name: Some(name), value: row.value.clone() }));
            }
        }
        for spec in specs {
            if let Some(made) = field(ui, &group, spec, row.field(spec.name)) {
                change = Some(RowChange::Edit(index, row.with(spec.name, made)));
            }
        }
        // Wanted and at none of the fields: the row itself.
        group.show_if_wanted(ui, path);
        let locked = (!group.enabled).then_some(LOCKED);
        ui.horizontal(|ui| {
            let lift = ButtonWords::new("Move up").unless(locked);
            if row.name.is_none() && index > 0 && widgets::text_button(ui, "", lift).clicked() {
                change = Some(RowChange::MoveUp(index));
            }
            if widgets::text_button(ui, icon::DELETE, ButtonWords::new("Remove").unless(locked)).clicked() {
                change = Some(RowChange::Remove(index));
            }
        });
    });
    change
}

/// No parameter is called so: the draft of a row's name hangs on it.
const NAME_FIELD: &str = "(name)";

fn rows_of(value: Option<&Value>) -> Vec<Row> {
    match value {
        Some(Value::List(list)) => list.iter().map(|row| Row { name: None, value: row.clone() }).collect(),
        Some(Value::Map(map)) => map.iter().map(|(name, row)| Row { name: Some(name.clone()), value: row.clone() }).collect(),
        _ => Vec::new(),
    }
}

fn value_of_rows(rows: Vec<Row>, named: bool) -> Change {
    if rows.is_empty() {
        Change::Reset
    } else if named {
        // Invariant: rows of a named table have names, each its own.
        Change::Set(Value::Map(rows.into_iter().map(|row| (row.name.unwrap_or_default(), row.value)).collect()))
    } else {
        Change::Set(Value::List(rows.into_iter().map(|row| row.value).collect()))
    }
}

fn free_name_or_why(name: &str, rows: &[Row], index: usize) -> Result<String, String> {
    if name.is_empty() {
        return Err("a name must be given".to_owned());
    }
    if rows.iter().enumerate().any(|(other, row)| other != index && row.name.as_deref() == Some(name)) {
        return Err(format!("`{name}` is already the name of another row"));
    }
    Ok(name.to_owned())
}

fn path_of(table: &str, index: usize, row: &Row) -> String {
    row.name.as_ref().map_or_else(|| format!("{table}[{index}]"), |name| format!("{table}.{name}"))
}

/// What is wrong in a table and is shown at no field of its rows.
fn problems_of_table<'a>(
    group: &Group<'a>,
    table: &str,
    rows: &[Row],
    specs: &'static [ParamSpec],
) -> impl Iterator<Item = &'a Diagnostic> {
    let mut at_fields = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let row_path = path_of(table, index, row);
        at_fields.extend(specs.iter().map(|spec| format!("{row_path}.{}", spec.name)));
    }
    let found = group.diagnostics.iter().filter(|d| is_within(&d.path, table) && !at_fields.iter().any(|field| is_within(&d.path, field)));
    found.collect::<Vec<_>>().into_iter()
}

/// The first text of a row names it.
fn title_of(row: &Row, specs: &[ParamSpec], index: usize) -> String {
    let first = specs.iter().find_map(|spec| row.field(spec.name).and_then(Value::as_text));
    first.filter(|text| !text.is_empty()).map_or_else(|| format!("Row {}", index + 1), str::to_owned)
}

fn free_name(param: &ParamSpec, rows: &[Row]) -> String {
    let stem = param.name.trim_end_matches('s');
    let free = |name: &String| rows.iter().all(|row| row.name.as_ref() != Some(name));
    (1..).map(|number| format!("{stem}-{number}")).find(free).expect("numbers do not run out")
}

/// A new row holds what must be given.
fn required(specs: &[ParamSpec]) -> IndexMap<String, Value> {
    let mut fields = IndexMap::new();
    for spec in specs.iter().filter(|spec| spec.default == Default_::Required) {
        let value = match spec.ty {
            ParamType::Words => Value::List(Vec::new()),
            _ => Value::Text("new".to_owned()),
        };
        fields.insert(spec.name.to_owned(), value);
    }
    fields
}
