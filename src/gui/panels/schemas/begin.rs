//! A new subject: its name, and what its schemas are written in.

use egui::{TextEdit, Ui, WidgetInfo, WidgetType};

use super::list::type_words;
use crate::app::schemas::{Beginning, SchemaCommand};
use crate::app::{AppState, Command};
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, icon, space, widgets};
use crate::machines::codec::SchemaType;

const NAMES_WIDTH: f32 = 84.0;
const FIELD_WIDTH_MAX: f32 = 320.0;
const MARGIN: egui::Margin = egui::Margin::symmetric(8, 5);

/// The button that begins one.
pub(super) fn button_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let words = ButtonWords::new("New subject").unless(app.cannot_begin_because());
    if widgets::text_button(ui, icon::ADD, words).clicked() {
        commands.push(Command::Schemas(SchemaCommand::BeginSubject(Some(Beginning::default()))));
    }
}

/// Draws the form.
pub(super) fn ui(ui: &mut Ui, app: &AppState, beginning: &Beginning, commands: &mut Vec<Command>) {
    let mut next = beginning.clone();
    ui.label(theme::title("New subject"));
    ui.add_space(space::S);
    let is_entered = widgets::labelled_row(ui, "Name", NAMES_WIDTH, |ui| {
        let width = ui.available_width().min(FIELD_WIDTH_MAX);
        let field = TextEdit::singleline(&mut next.name).hint_text("orders-value").desired_width(width).margin(MARGIN);
        let response = ui.add(field);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Name of the new subject"));
        response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
    });
    ui.add_space(space::XS);
    widgets::labelled_row(ui, "Written in", NAMES_WIDTH, |ui| {
        let selected = SchemaType::ALL.iter().position(|one| *one == next.schema_type).unwrap_or_default();
        if let Some(at) = widgets::pills(ui, SchemaType::WORDS.iter().map(|word| type_words(word)), selected) {
            next.schema_type = SchemaType::ALL[at];
        }
    });
    ui.add_space(space::S);
    let why = app.cannot_add_subject_because();
    let mut is_added = is_entered && why.is_none();
    let mut is_closed = false;
    ui.horizontal(|ui| {
        is_added |= widgets::primary_button(ui, icon::ADD, ButtonWords::new("Add subject").unless(why)).clicked();
        is_closed = widgets::text_button(ui, "", ButtonWords::new("Cancel")).clicked();
    });
    ui.add_space(space::XS);
    let note = why.unwrap_or("It begins with a record of an id: change the text and put it in as the next version");
    ui.add(egui::Label::new(theme::muted(theme::tokens(ui.ctx()), note)).wrap());
    if next != *beginning {
        commands.push(Command::Schemas(SchemaCommand::BeginSubject(Some(next))));
    }
    if is_closed {
        commands.push(Command::Schemas(SchemaCommand::BeginSubject(None)));
    } else if is_added {
        commands.push(Command::Schemas(SchemaCommand::AddSubject));
    }
}
