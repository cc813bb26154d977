//! Keys. Single keys never fire while a text field has the focus.

use egui::{Context, Key, KeyboardShortcut, Modifiers};

use crate::app::{AppState, Command};
use crate::model::Edit;

const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// (modifiers, key, command, words for the help window, whether it fires while a field is edited).
fn table() -> Vec<(Modifiers, Key, Command, &'static str, bool)> {
    vec![
        (CTRL, Key::N, Command::New, "New design", true),
        (CTRL, Key::O, Command::Open, "Open", true),
        (CTRL_SHIFT, Key::S, Command::SaveAs, "Save as", true),
        (CTRL, Key::S, Command::Save, "Save", true),
        (CTRL, Key::Q, Command::Quit, "Quit", true),
        (CTRL_SHIFT, Key::Z, Command::Redo, "Redo", false),
        (CTRL, Key::Z, Command::Undo, "Undo", false),
        (CTRL, Key::Y, Command::Redo, "Redo", false),
        (CTRL, Key::A, Command::SelectAll, "Select all", false),
        (CTRL, Key::D, Command::Duplicate, "Duplicate", false),
        (Modifiers::NONE, Key::Delete, Command::DeleteSelection, "Delete", false),
        (Modifiers::NONE, Key::Backspace, Command::DeleteSelection, "Delete", false),
        (Modifiers::NONE, Key::F, Command::Fit, "Fit the design", false),
        (Modifiers::NONE, Key::G, Command::ToggleSnap, "Snap to grid", false),
        (Modifiers::SHIFT, Key::F10, Command::StepSecond, "Step one virtual second", true),
        (Modifiers::NONE, Key::F10, Command::StepEvent, "Step one event", true),
        (Modifiers::SHIFT, Key::F5, Command::Stop, "Stop", true),
        (Modifiers::NONE, Key::F5, Command::Play, "Run", true),
        (Modifiers::NONE, Key::Space, Command::PlayOrPause, "Run or pause", false),
        (Modifiers::NONE, Key::F1, Command::ShowDialog("shortcuts"), "This help", true),
    ]
}

/// For the help window: (keys, words).
pub(super) fn words(ctx: &Context) -> Vec<(String, &'static str)> {
    table().iter().map(|(modifiers, key, _, words, _)| (ctx.format_shortcut(&KeyboardShortcut::new(*modifiers, *key)), *words)).collect()
}

pub(super) fn take(ctx: &Context, app: &AppState, commands: &mut Vec<Command>) {
    let editing = ctx.egui_wants_keyboard_input();
    for (modifiers, key, command, _, while_editing) in table() {
        // A focused button takes Space itself; a field takes everything that it can type.
        let free = !editing && (key != Key::Space || ctx.memory(egui::Memory::focused).is_none());
        if (while_editing || free) && ctx.input_mut(|input| input.consume_key(modifiers, key)) {
            commands.push(command);
        }
    }
    if editing {
        return;
    }
    // The desktop's copy and paste come as events, not as keys.
    let (copy, paste) = ctx.input(|input| {
        let has = |wanted: fn(&egui::Event) -> bool| input.events.iter().any(wanted);
        (has(|event| matches!(event, egui::Event::Copy)), has(|event| matches!(event, egui::Event::Paste(_))))
    });
    if copy && app.selected_components().next().is_some() {
        commands.push(Command::Copy);
    }
    if paste {
        commands.push(Command::Paste);
    }
    nudge(ctx, app, commands);
}

/// Arrows move the selected cards by a grid step.
fn nudge(ctx: &Context, app: &AppState, commands: &mut Vec<Command>) {
    const STEP: f32 = 20.0;
    let arrows =
        [(Key::ArrowLeft, [-STEP, 0.0]), (Key::ArrowRight, [STEP, 0.0]), (Key::ArrowUp, [0.0, -STEP]), (Key::ArrowDown, [0.0, STEP])];
    for (key, [dx, dy]) in arrows {
        if app.selected_components().next().is_none() || !ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
            continue;
        }
        let moved = |id: &str| {
            let [x, y] = app.project().layout.positions.get(id).copied().unwrap_or_default();
            Edit::Move { id: id.to_owned(), position: [x + dx, y + dy] }
        };
        commands.push(Command::EditLive("nudge".to_owned(), app.selected_components().map(moved).collect()));
    }
}
