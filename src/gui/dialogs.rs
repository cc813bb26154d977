//! What stands in front of everything: questions, a broken file's problems, help, about.

use egui::{Align, Layout, Ui};

use super::shortcuts;
use super::theme::widgets::ButtonWords;
use super::theme::{self, Tone, icon, widgets};
use crate::app::{Answer, AppState, BrokenFile, Command, DialogFor};
use crate::project::Recovery;

pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let given_up = if let Some(broken) = &app.broken {
        modal(ui, "broken", 640.0, |ui| broken_ui(ui, broken, commands)).then_some(Command::Dismiss)
    } else if let Some(wish) = &app.path_wish {
        modal(ui, "path", 460.0, |ui| path_ui(ui, app, wish, commands)).then_some(Command::AnswerPath(None))
    } else if let Some(recovery) = &app.recovery {
        // Lost work is worth an answer: it stays until there is one.
        modal(ui, "recovery", 440.0, |ui| recovery_ui(ui, recovery, commands));
        None
    } else if app.pending.is_some() {
        modal(ui, "unsaved", 420.0, |ui| unsaved_ui(ui, app, commands)).then_some(Command::Answer(Answer::Cancel))
    } else if let Some(which) = app.dialog {
        modal(ui, "help", 460.0, |ui| help_ui(ui, which, commands)).then_some(Command::Dismiss)
    } else {
        None
    };
    commands.extend(given_up);
}

fn broken_ui(ui: &mut Ui, broken: &BrokenFile, commands: &mut Vec<Command>) {
    let name = broken.path.display().to_string();
    widgets::section_header(ui, icon::ERROR, "This file cannot be opened", |_| {});
    ui.label(theme::muted(theme::tokens(ui.ctx()), format!("{name}: {} problems. The open design is unchanged.", broken.problems.len())));
    egui::ScrollArea::vertical().max_height(380.0).show(ui, |ui| {
        for problem in &broken.problems {
            let place = problem.place.map(|place| format!("line {}, column {}", place.line, place.column)).unwrap_or_default();
            ui.add_space(theme::space::XS);
            ui.horizontal_wrapped(|ui| {
                widgets::badge(ui, &problem.code, Tone::Error);
                ui.label(theme::muted(theme::tokens(ui.ctx()), place));
            });
            ui.label(&problem.message);
            if let Some(hint) = &problem.hint {
                ui.label(theme::muted(theme::tokens(ui.ctx()), hint));
            }
        }
    });
    buttons(ui, |ui| {
        if widgets::primary_button(ui, "", ButtonWords::new("Close")).clicked() {
            commands.push(Command::Dismiss);
        }
    });
}

fn recovery_ui(ui: &mut Ui, recovery: &Recovery, commands: &mut Vec<Command>) {
    widgets::section_header(ui, icon::RECENT, "Recover unsaved work?", |_| {});
    let name = match &recovery.loaded.path {
        Some(path) => path.display().to_string(),
        None => format!("“{}”, never saved,", recovery.loaded.project.name),
    };
    ui.label(format!("{name} had changes that were not saved when the program ended."));
    buttons(ui, |ui| {
        if widgets::primary_button(ui, "", ButtonWords::new("Recover")).clicked() {
            commands.push(Command::Recover);
        }
        if widgets::text_button(ui, "", ButtonWords::new("Throw away")).clicked() {
            commands.push(Command::DropRecovery);
        }
    });
}

fn unsaved_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    widgets::section_header(ui, icon::SAVE, "Save your changes?", |_| {});
    ui.label(format!("“{}” has changes that are not saved.", app.project().name));
    buttons(ui, |ui| {
        for (label, answer) in [("Save", Answer::Save), ("Discard", Answer::Discard), ("Cancel", Answer::Cancel)] {
            let words = ButtonWords::new(label);
            let response =
                if answer == Answer::Save { widgets::primary_button(ui, "", words) } else { widgets::text_button(ui, "", words) };
            if response.clicked() {
                commands.push(Command::Answer(answer));
            }
        }
    });
}

fn help_ui(ui: &mut Ui, which: &str, commands: &mut Vec<Command>) {
    if which == "shortcuts" {
        shortcuts_ui(ui);
    } else {
        about_ui(ui);
    }
    buttons(ui, |ui| {
        if widgets::primary_button(ui, "", ButtonWords::new("Close")).clicked() {
            commands.push(Command::Dismiss);
        }
    });
}

/// A path by hand: the last way to a file on a desktop without file dialogs.
fn path_ui(ui: &mut Ui, app: &AppState, wish: &DialogFor, commands: &mut Vec<Command>) {
    let verb = match wish {
        DialogFor::Open => "Open",
        DialogFor::Import(_) => "Import",
        DialogFor::Save => "Save",
        DialogFor::Export(_) => "Export",
    };
    widgets::section_header(ui, icon::OPEN, &format!("{verb} a file"), |_| {});
    ui.label(theme::muted(theme::tokens(ui.ctx()), "This desktop shows no file dialog. Type the path of the file"));
    let memory = egui::Id::new("path-by-hand");
    let mut path: String = ui.data(|data| data.get_temp(memory)).unwrap_or_else(|| app.suggested_name(wish));
    let field = egui::TextEdit::singleline(&mut path).desired_width(f32::INFINITY).margin(egui::Margin::symmetric(8, 5));
    let field = ui.add(field);
    field.widget_info(|| {
        let mut info = egui::WidgetInfo::text_edit(true, "", &path, "");
        info.label = Some("Path of the file".to_owned());
        info
    });
    if ui.memory(|memory| memory.focused().is_none()) && !field.lost_focus() {
        field.request_focus();
    }
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let mut answer = None;
    buttons(ui, |ui| {
        if widgets::primary_button(ui, "", ButtonWords::new(verb)).clicked() || entered {
            answer = Some((!path.trim().is_empty()).then(|| std::path::PathBuf::from(path.trim())));
        }
        if widgets::text_button(ui, "", ButtonWords::new("Cancel")).clicked() {
            answer = Some(None);
        }
    });
    ui.data_mut(|data| match answer {
        Some(_) => data.remove::<String>(memory),
        None => drop(data.insert_temp(memory, path)),
    });
    commands.extend(answer.map(Command::AnswerPath));
}

/// A window in front; true when Escape or a click beside it gives it up.
fn modal(ui: &Ui, id: &str, width: f32, content: impl FnOnce(&mut Ui)) -> bool {
    let frame = egui::Frame::popup(ui.style()).inner_margin(theme::space::L as i8);
    let shown = egui::Modal::new(egui::Id::new(id)).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(width);
        content(ui);
    });
    shown.should_close()
}

fn buttons(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    ui.add_space(theme::space::M);
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 32.0), Layout::right_to_left(Align::Center), content);
}

fn shortcuts_ui(ui: &mut Ui) {
    widgets::section_header(ui, icon::HELP, "Keyboard and pointer", |_| {});
    let pointer = [
        ("Wheel, pinch", "Zoom at the pointer"),
        ("Middle or right drag, Space+drag", "Pan"),
        ("Drag on empty", "Select in a box"),
        ("Shift+click", "Add to the selection"),
        ("Drag from port to port", "Connect"),
        ("Esc", "Give up a gesture"),
        ("Arrows", "Move selected cards"),
    ];
    egui::ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
        egui::Grid::new("shortcuts").num_columns(2).spacing([24.0, 6.0]).show(ui, |ui| {
            for (keys, words) in shortcuts::words(ui.ctx()) {
                ui.monospace(keys);
                ui.label(words);
                ui.end_row();
            }
            for (keys, words) in pointer {
                ui.monospace(keys);
                ui.label(words);
                ui.end_row();
            }
        });
    });
}

fn about_ui(ui: &mut Ui) {
    widgets::section_header(ui, icon::INFO, "Eventyard", |_| {});
    ui.label(format!("Version {}", env!("CARGO_PKG_VERSION")));
    ui.add_space(theme::space::S);
    ui.label("Design event-driven systems, run them as real simulations, check the numbers. Nothing is pretended but time and distance.");
    ui.add_space(theme::space::S);
    ui.label(theme::muted(theme::tokens(ui.ctx()), "Apache-2.0. Fonts: Inter and JetBrains Mono (OFL). Icons: Phosphor (MIT)."));
}
