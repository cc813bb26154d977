//! Painting wires: curves with arrows, dashed look-ups, width and dashes by rate while running.

use egui::epaint::CubicBezierShape;
use egui::{Color32, Painter, Pos2, Shape, Stroke};

use super::camera::Camera;
use super::course::Course;
use super::scene::Scene;
use super::tokens;
use crate::app::{AppState, Pick};
use crate::gui::theme::Tokens;

pub(super) fn paint(painter: &Painter, tokens: &Tokens, scene: &Scene, app: &AppState, camera: &Camera, time_s: f64) {
    let seen = painter.clip_rect();
    for wire in scene.wires.iter().filter(|wire| wire.course.bounds().expand(8.0).intersects(seen)) {
        let selected = app.is_selected(&Pick::Link(wire.from.clone(), wire.to.clone()));
        let running = app.running.as_ref().and_then(|running| running.view().links.get(wire.index).cloned());
        let rate = running.as_ref().map_or(0.0, |link| link.rate_per_s);
        let colour = match (selected, wire.is_reference) {
            (true, _) => tokens.selection,
            (false, true) => tokens.wire_reference,
            (false, false) => tokens.wire,
        };
        let (flow_width, _) = tokens::flow_look(rate, camera.zoom);
        let width = if selected { 2.5 } else { (1.6 * camera.zoom.clamp(0.6, 1.4)).max(flow_width.min(4.0)) };
        if wire.is_reference {
            dashed(painter, &wire.course, Stroke::new(width.min(1.6), colour));
        } else {
            line(painter, &wire.course, Stroke::new(width, colour));
            if rate > 0.0 && app.is_locked() {
                tokens::paint_flow(painter, &wire.course, colour, rate, camera.zoom, time_s);
            }
        }
        arrow(painter, &wire.course, colour, camera.zoom);
    }
}

/// A whole wire.
pub(super) fn line(painter: &Painter, course: &Course, stroke: Stroke) {
    let bezier = |piece: &[Pos2; 4]| CubicBezierShape::from_points_stroke(*piece, false, Color32::TRANSPARENT, stroke);
    painter.extend(course.pieces().iter().map(|piece| Shape::CubicBezier(bezier(piece))));
}

fn dashed(painter: &Painter, course: &Course, stroke: Stroke) {
    const STEPS: usize = 32;
    painter.extend(Shape::dashed_line(&course.points(STEPS), stroke, 5.0, 4.0));
}

/// Points along the wire's last stretch, wherever that comes from.
fn arrow(painter: &Painter, course: &Course, colour: Color32, zoom: f32) {
    let size = 6.0 * zoom.clamp(0.5, 1.3);
    let (before, end) = course.arrival();
    let along = (end - before).normalized();
    let tip = end - along * (5.0 * zoom);
    let (back, side) = (tip - along * (size * 1.4), along.rot90() * (size * 0.7));
    painter.add(Shape::convex_polygon(vec![tip, back - side, back + side], colour, Stroke::NONE));
}
