//! The palette: every kind by category, to drag onto the canvas or to place by a double-click or Enter.

use egui::{Align2, Id, Key, Rect, Sense, Ui, Vec2, WidgetInfo, WidgetType};

use super::canvas::Canvas;
use super::theme::{self, icon, widgets};
use crate::app::{AppState, Command};
use crate::components;

const ROW_HEIGHT: f32 = 28.0;

pub(super) fn ui(ui: &mut Ui, app: &AppState, canvas: &Canvas, commands: &mut Vec<Command>) {
    egui::ScrollArea::vertical().show(ui, |ui| {
        let mut categories: Vec<&str> = Vec::new();
        for kind in components::ALL {
            if !categories.contains(&kind.spec().category) {
                categories.push(kind.spec().category);
            }
        }
        for category in categories {
            widgets::subheading(ui, category);
            for kind in components::ALL.iter().filter(|kind| kind.spec().category == category) {
                let spec = kind.spec();
                let colour = theme::tokens(ui.ctx()).category(category);
                row(ui, app, canvas, (spec.id, spec.title, spec.help), icon::of_kind(spec.id), colour, commands);
            }
            ui.add_space(theme::space::S);
        }
        widgets::subheading(ui, "Drawing");
        let muted = theme::tokens(ui.ctx()).text_muted;
        row(ui, app, canvas, ("note", "Note", "Text on the canvas; changes no run"), icon::NOTE, muted, commands);
        row(ui, app, canvas, ("frame", "Frame", "A labelled group that moves its members"), icon::FRAME, muted, commands);
        ui.add_space(theme::space::M);
        let hint = "Drag onto the canvas, or double-click";
        ui.label(theme::muted(theme::tokens(ui.ctx()), hint));
    });
}

fn row(
    ui: &mut Ui,
    app: &AppState,
    canvas: &Canvas,
    (id, title, help): (&str, &str, &str),
    glyph: &str,
    colour: egui::Color32,
    commands: &mut Vec<Command>,
) {
    let tokens = theme::tokens(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW_HEIGHT), Sense::click_and_drag());
    let label = format!("Add {title}");
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, !app.is_locked(), &label));
    if ui.is_rect_visible(rect) {
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, 6.0, tokens.surface_hover);
        }
        paint(ui.painter(), rect, glyph, title, colour, tokens);
    }
    if response.dragged() {
        ui.ctx().set_cursor_icon(egui::CursorIcon::Grabbing);
        if let Some(pointer) = ui.ctx().pointer_latest_pos() {
            let ghost = Rect::from_min_size(pointer - Vec2::new(20.0, 16.0), Vec2::new(150.0, ROW_HEIGHT));
            let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Tooltip, Id::new("palette-ghost")));
            painter.rect(ghost, 8.0, tokens.surface_raised, egui::Stroke::new(1.0, tokens.border_strong), egui::StrokeKind::Inside);
            paint(&painter, ghost, glyph, title, colour, tokens);
        }
    }
    let placed = if response.drag_stopped() {
        ui.ctx().pointer_latest_pos().and_then(|pointer| canvas.drop_place(pointer))
    } else if response.double_clicked() || (response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter))) {
        Some(canvas.free_place(app))
    } else {
        None
    };
    if let Some(position) = placed {
        let position = if app.snap { position.map(|at| (at / 20.0).round() * 20.0) } else { position };
        commands.push(Command::Place { kind: id.to_owned(), position });
    }
    response.on_hover_text(help);
}

fn paint(painter: &egui::Painter, rect: Rect, glyph: &str, title: &str, colour: egui::Color32, tokens: &theme::Tokens) {
    let badge = Rect::from_center_size(rect.left_center() + Vec2::new(18.0, 0.0), Vec2::splat(24.0));
    painter.rect_filled(badge, 6.0, colour.gamma_multiply(0.16));
    painter.text(badge.center(), Align2::CENTER_CENTER, glyph, theme::font(15.0), colour);
    painter.text(rect.left_center() + Vec2::new(38.0, 0.0), Align2::LEFT_CENTER, title, theme::font(13.0), tokens.text);
}
