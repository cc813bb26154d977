//! Painting what carries no events: grid, frames, notes, the empty canvas.

use egui::text::LayoutJob;
use egui::{Align2, Painter, Rect, Stroke, StrokeKind, Ui, pos2};

use super::camera::Camera;
use super::scene::Scene;
use crate::app::arrange::GRID;
use crate::app::{AppState, Pick};
use crate::gui::theme::{self, Tokens, icon, widgets};

/// Of a note's text, as a multiple of its size.
const LINE_HEIGHT: f32 = 1.25;

pub(super) fn grid(painter: &Painter, tokens: &Tokens, camera: &Camera, rect: Rect, snap: bool) {
    if !snap {
        return;
    }
    // Far away only every fourth point is drawn, and none when they would blur.
    let step = if camera.zoom < 0.5 { GRID * 4.0 } else { GRID };
    let spacing = step * camera.zoom;
    if spacing < 12.0 {
        return;
    }
    let first = camera.to_world(rect.min);
    let start = camera.to_screen(pos2((first.x / step).floor() * step, (first.y / step).floor() * step));
    let columns = (rect.width() / spacing) as usize + 2;
    let rows = (rect.height() / spacing) as usize + 2;
    for row in 0..rows {
        for column in 0..columns {
            let at = start + egui::vec2(column as f32 * spacing, row as f32 * spacing);
            painter.rect_filled(Rect::from_center_size(at, egui::vec2(1.4, 1.4)), 0.0, tokens.grid);
        }
    }
}

pub(super) fn frames(painter: &Painter, tokens: &Tokens, scene: &Scene, app: &AppState) {
    for (index, (rect, frame)) in scene.frames.iter().zip(&app.project().layout.frames).enumerate() {
        let selected = app.is_selected(&Pick::Frame(index));
        let stroke = if selected { Stroke::new(2.0, tokens.selection) } else { Stroke::new(1.0, tokens.border_strong) };
        painter.rect(*rect, 10.0, tokens.frame.gamma_multiply(0.6), stroke, StrokeKind::Inside);
        painter.text(rect.min + egui::vec2(12.0, 8.0), Align2::LEFT_TOP, &frame.label, theme::font_strong(12.5), tokens.text_muted);
    }
}

pub(super) fn notes(painter: &Painter, tokens: &Tokens, scene: &Scene, app: &AppState) {
    for (index, (rect, note)) in scene.notes.iter().zip(&app.project().layout.notes).enumerate() {
        let selected = app.is_selected(&Pick::Note(index));
        let stroke = if selected { Stroke::new(2.0, tokens.selection) } else { Stroke::new(1.0, tokens.border) };
        painter.rect(*rect, 6.0, tokens.note, stroke, StrokeKind::Inside);
        let zoom = rect.width() / note.size[0].max(1.0);
        let inner = rect.shrink(10.0 * zoom);
        // Whole points: each other size would rasterise the letters anew while zooming.
        let size = (12.5 * zoom).floor().max(1.0);
        let mut job = LayoutJob::simple(note.text.clone(), theme::font(size), tokens.text, inner.width());
        // What has no room ends in an ellipsis, not in half a line.
        job.wrap.max_rows = ((inner.height() / (size * LINE_HEIGHT)) as usize).max(1);
        painter.galley(inner.min, painter.layout_job(job), tokens.text);
    }
}

pub(super) fn empty(ui: &mut Ui, rect: Rect) {
    let area = Rect::from_center_size(rect.center(), egui::vec2(420.0, 160.0));
    widgets::within(ui, area, |ui| {
        widgets::empty_state(
            ui,
            icon::COMPONENT,
            "An empty canvas",
            "Drag a component from the palette, or double-click one. Then drag from port to port to connect, and press Run.",
        );
    });
}
