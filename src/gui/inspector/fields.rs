//! One parameter as a field: name, product key, value, problem, help, and the way back to the default.

use egui::{Align, Id, Layout, Ui};

use super::draft::{Apply, TextField, field_id};
use crate::app::{AppState, Reveal};
use crate::components::{Framework, FrameworkKey, check_value};
use crate::diagnostics::{Diagnostic, Severity};
use crate::gui::theme::{self, Tone, icon, widgets};
use crate::model::{ParamSpec, ParamType, Provenance, Value};

/// What a person did to a field.
#[derive(Clone)]
pub(super) enum Change {
    /// Gave it a value.
    Set(Value),
    /// Gave it back to its default.
    Reset,
}

impl Change {
    /// The value to keep; none for the default.
    pub(super) fn into_value(self) -> Option<Value> {
        match self {
            Self::Set(value) => Some(value),
            Self::Reset => None,
        }
    }
}

/// What fields that stand together share.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    /// Makes labels unique in the window: `Load of web`.
    pub owner: &'a str,
    /// Project path of the group, `components.web`; a field's own is `components.web.load`.
    pub path: &'a str,
    /// Whose defaults hold.
    pub profile: Option<&'a str>,
    /// The framework that the profile stands for: its names are shown.
    pub framework: Option<&'static Framework>,
    /// Whether they may be edited.
    pub enabled: bool,
    /// When they give out what was typed.
    pub apply: Apply,
    /// Everything that is wrong with the design; a field shows what is wrong at its path.
    pub diagnostics: &'a [Diagnostic],
    /// The place that a person asked to see.
    pub wanted: Option<&'a Reveal>,
}

/// Of the line with a field's name.
const HEAD_HEIGHT: f32 = 18.0;

/// Where the number of the newest place that came into view is kept between frames.
const SEEN: &str = "revealed";

impl<'a> Group<'a> {
    /// Fields of the design: editable unless a run is on, applied as typed.
    pub(super) fn new(app: &'a AppState, owner: &'a str, path: &'a str) -> Self {
        let diagnostics = app.document.diagnostics();
        Self {
            owner,
            path,
            profile: None,
            framework: None,
            enabled: !app.is_locked(),
            apply: Apply::AsTyped,
            diagnostics,
            wanted: app.reveal.as_ref(),
        }
    }
    /// What is wrong in the group and belongs to none of its parameters.
    pub(super) fn problems_beside(&self, ui: &mut Ui, params: &[ParamSpec]) {
        let at_param = |path: &str| params.iter().any(|param| is_within(path, &format!("{}.{}", self.path, param.name)));
        for diagnostic in self.diagnostics.iter().filter(|d| is_within(&d.path, self.path) && !at_param(&d.path)) {
            let tone = if diagnostic.severity == Severity::Error { Tone::Error } else { Tone::Warn };
            widgets::notice(ui, icon::WARNING, &words_of(diagnostic), tone);
            ui.add_space(theme::space::XS);
        }
    }
    /// What is wrong at a path and in what stands there.
    pub(super) fn problems_at(&self, path: &str) -> impl Iterator<Item = &'a Diagnostic> {
        self.diagnostics.iter().filter(move |diagnostic| is_within(&diagnostic.path, path))
    }
    /// Whether a person waits to see the place at a path, or one in it.
    pub(super) fn is_wanted(&self, ui: &Ui, path: &str) -> bool {
        let seen: Option<u64> = ui.data(|data| data.get_temp(Id::new(SEEN)));
        self.wanted.is_some_and(|wanted| seen != Some(wanted.number) && is_within(&wanted.path, path))
    }
    /// What was just drawn stands at a path: it comes into view, once, if it is wanted.
    pub(super) fn show_if_wanted(&self, ui: &Ui, path: &str) {
        if let Some(wanted) = self.wanted.filter(|_| self.is_wanted(ui, path)) {
            ui.data_mut(|data| data.insert_temp(Id::new(SEEN), wanted.number));
            ui.scroll_to_cursor(Some(Align::Center));
            ui.memory_mut(|memory| memory.request_focus(field_id(path)));
        }
    }
    /// A field for free text with its name above it.
    pub(super) fn text<T>(
        &self,
        ui: &mut Ui,
        (name, label): (&str, &str),
        (shown, long): (&str, bool),
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        ui.label(theme::strong(label).size(12.0));
        let path = format!("{}.{name}", self.path);
        let label = format!("{label} of {}", self.owner);
        let field = TextField { path: &path, label: &label, shown, placeholder: "", long, enabled: self.enabled, apply: self.apply };
        let typed = field.show(ui, parse);
        problem_ui(ui, typed.problem, self.problems_at(&path));
        self.show_if_wanted(ui, &path);
        ui.add_space(theme::space::XS);
        typed.value
    }
}

/// Whether a path is `outer` or stands in it.
pub(super) fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// A problem's words with the way out of it.
pub(super) fn words_of(diagnostic: &Diagnostic) -> String {
    diagnostic.hint.as_ref().map_or_else(|| diagnostic.message.clone(), |hint| format!("{} — {hint}", diagnostic.message))
}

/// What is wrong with a field, under it: with what is being typed, else with what it holds.
pub(super) fn problem_ui<'a>(ui: &mut Ui, typed: Option<String>, kept: impl Iterator<Item = &'a Diagnostic>) {
    let tokens = theme::tokens(ui.ctx());
    let line = |ui: &mut Ui, words: String, colour| {
        ui.add(egui::Label::new(egui::RichText::new(words).small().color(colour)).wrap());
    };
    if let Some(words) = typed {
        return line(ui, words, tokens.error);
    }
    for diagnostic in kept {
        let colour = match diagnostic.severity {
            Severity::Error => tokens.error,
            Severity::Warning => tokens.warn,
            Severity::Note => tokens.text_muted,
        };
        line(ui, words_of(diagnostic), colour);
    }
}

/// A scalar parameter.
pub(super) fn field(ui: &mut Ui, group: &Group<'_>, spec: &ParamSpec, value: Option<&Value>) -> Option<Change> {
    let path = format!("{}.{}", group.path, spec.name);
    let label = format!("{} of {}", spec.label, group.owner);
    let reset = head(ui, group, spec, value.is_some());
    let default = spec.default_text(group.profile).unwrap_or_default();
    let shown = value.map(|value| spelling(spec, value));
    let mut typed_problem = None;
    let change = match spec.ty {
        ParamType::Bool => {
            let mut on = shown.as_deref().unwrap_or(default) == "true";
            let words = if on { "On" } else { "Off" };
            let response = ui.add_enabled(group.enabled, egui::Checkbox::new(&mut on, words));
            response.widget_info(|| egui::WidgetInfo::selected(egui::WidgetType::Checkbox, group.enabled, on, &label));
            response.changed().then_some(Change::Set(Value::Bool(on)))
        }
        ParamType::Choice(words) => {
            let current = shown.as_deref().unwrap_or(default);
            choice(ui, &path, &label, current, words, group.enabled).map(|word| Change::Set(Value::Text(word.to_owned())))
        }
        _ => {
            let (shown, long) = (shown.as_deref().unwrap_or_default(), spec.ty == ParamType::LongText);
            let field =
                TextField { path: &path, label: &label, shown, placeholder: default, long, enabled: group.enabled, apply: group.apply };
            let typed = field.show(ui, |text| read(spec, text));
            typed_problem = typed.problem;
            typed.value
        }
    };
    problem_ui(ui, typed_problem, group.problems_at(&path));
    group.show_if_wanted(ui, &path);
    ui.add_space(theme::space::XS);
    if reset { Some(Change::Reset) } else { change }
}

/// The field's name and the way back to the default; true when that was taken.
fn head(ui: &mut Ui, group: &Group<'_>, spec: &ParamSpec, is_given: bool) -> bool {
    let tokens = theme::tokens(ui.ctx());
    let mut reset = false;
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), HEAD_HEIGHT), Layout::right_to_left(Align::Center), |ui| {
        if is_given && group.enabled {
            let label = format!("Reset {} of {}", spec.label, group.owner);
            let button =
                ui.add(egui::Button::new(egui::RichText::new(icon::RESET).size(12.0)).frame(false)).on_hover_text("Back to the default");
            button.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &label));
            reset = button.clicked();
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(theme::strong(spec.label).size(12.0)).on_hover_text(help(spec));
            let mut small = |words: &str, whole: &str, colour| {
                // The longest keys are longer than the panel is wide.
                let label = egui::Label::new(egui::RichText::new(words).monospace().size(10.0).color(colour)).truncate();
                ui.add(label).on_hover_text(whole);
            };
            match (group.framework, spec.product_key) {
                (Some(framework), _) => match framework.key_of(spec) {
                    FrameworkKey::Key(key) => small(tail_of(&key), &key, tokens.text_faint),
                    FrameworkKey::Lacking => {
                        let whole = format!("{} has no such setting: the run goes by it, an exported project would not", framework.title);
                        small(&format!("not in {}", framework.title), &whole, tokens.warn);
                    }
                    FrameworkKey::Other => {}
                },
                (None, Some(key)) => small(key, key, tokens.text_faint),
                (None, None) => {}
            }
        });
    });
    reset
}

/// The part of a framework's key that tells it from others.
fn tail_of(key: &str) -> &str {
    key.split_once("-in-0.").map_or(key, |(_, tail)| tail)
}

/// One of some words; gives the one that was picked.
pub(super) fn choice<'w>(
    ui: &mut Ui,
    path: &str,
    label: &str,
    current: &str,
    words: impl IntoIterator<Item = &'w &'w str>,
    enabled: bool,
) -> Option<&'w str> {
    let mut picked = None;
    ui.add_enabled_ui(enabled, |ui| {
        let combo = widgets::combo(path).selected_text(current).width(ui.available_width()).show_ui(ui, |ui| {
            for word in words {
                if ui.selectable_label(current == *word, *word).clicked() {
                    picked = Some(*word);
                }
            }
        });
        combo.response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::ComboBox, enabled, label));
    });
    picked
}

/// How a value is written in its field.
fn spelling(spec: &ParamSpec, value: &Value) -> String {
    match value {
        Value::List(words) if spec.ty == ParamType::Words => words.iter().map(Value::to_field_text).collect::<Vec<_>>().join(", "),
        value => value.to_field_text(),
    }
}

/// What a text in a field means: nothing is the default, a value must fit.
fn read(spec: &ParamSpec, text: &str) -> Result<Change, String> {
    if text.is_empty() {
        return Ok(Change::Reset);
    }
    let value = value_of(spec, text);
    match check_value(spec, &value) {
        Ok(()) => Ok(Change::Set(value)),
        Err(error) => Err(error.hint.map_or(error.message.clone(), |hint| format!("{} — {hint}", error.message))),
    }
}

/// The value that a file would hold: numbers as numbers, all else as text.
pub(super) fn value_of(spec: &ParamSpec, text: &str) -> Value {
    let as_text = || Value::Text(text.to_owned());
    match spec.ty {
        ParamType::Bool => text.parse().map_or_else(|_| as_text(), Value::Bool),
        ParamType::Count { .. } => text.parse().map_or_else(|_| as_text(), Value::Int),
        ParamType::Number { .. } => text.parse::<f64>().ok().filter(|number| number.is_finite()).map_or_else(as_text, Value::Float),
        ParamType::Words => {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            Value::List(words.map(Value::from).collect())
        }
        _ => as_text(),
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
        ParamType::Words => "\nWords with commas between".to_owned(),
        _ => String::new(),
    };
    format!("{}{range}{source}", spec.help)
}
