//! A state machine: its states one below the other, and what leads from one to another as arcs beside them.

use egui::{Align2, CornerRadius, Pos2, Sense, Shape, Stroke, StrokeKind, Ui, Vec2, epaint::CubicBezierShape, pos2};

use crate::event::{ServiceStanding, Transition};
use crate::gui::panels::figures;
use crate::gui::theme;

const BOX: Vec2 = Vec2::new(104.0, 24.0);
const GAP: f32 = 18.0;
/// More states than this are not drawn; the table has them all.
const STATES_MAX: usize = 40;

/// Draws it, with how many are in each state.
pub(super) fn ui(ui: &mut Ui, standing: &ServiceStanding) {
    let tokens = theme::tokens(ui.ctx());
    egui::ScrollArea::vertical().id_salt("machine").auto_shrink([false, false]).show(ui, |ui| {
        let states = &standing.states[..standing.states.len().min(STATES_MAX)];
        let size = Vec2::new(ui.available_width(), states.len() as f32 * (BOX.y + GAP) + GAP);
        let (area, response) = ui.allocate_exact_size(size, Sense::hover());
        let ways: Vec<String> = standing.transitions.iter().map(|way| words(standing, way)).collect();
        response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, format!("State machine: {}", ways.join("; "))));
        response.on_hover_text(ways.join("\n"));
        let middle = |state: usize| pos2(area.left() + BOX.x / 2.0, area.top() + GAP + BOX.y / 2.0 + state as f32 * (BOX.y + GAP));
        for (number, way) in standing.transitions.iter().enumerate() {
            let Some(to) = way.to.filter(|to| *to < states.len()) else { continue };
            let sources: Vec<usize> = way.from.map_or_else(|| (0..states.len()).filter(|from| *from != to).collect(), |from| vec![from]);
            for from in sources.into_iter().filter(|from| *from < states.len() && *from != to) {
                arc(ui, middle(from), middle(to), number, tokens.text_muted);
            }
        }
        let painter = ui.painter();
        for (number, (name, count)) in states.iter().enumerate() {
            let rect = egui::Rect::from_center_size(middle(number), BOX);
            let stroke = Stroke::new(1.0, if *count > 0 { tokens.accent } else { tokens.border });
            painter.rect(rect, CornerRadius::same(6), tokens.surface_raised, stroke, StrokeKind::Inside);
            painter.text(rect.left_center() + Vec2::new(8.0, 0.0), Align2::LEFT_CENTER, name, theme::font_strong(11.0), tokens.text);
            let right = rect.right_center() - Vec2::new(8.0, 0.0);
            painter.text(right, Align2::RIGHT_CENTER, figures::whole(*count), theme::font(11.0), tokens.text_muted);
        }
    });
}

fn arc(ui: &Ui, from: Pos2, to: Pos2, number: usize, colour: egui::Color32) {
    let right = BOX.x / 2.0;
    let (begin, end) = (from + Vec2::new(right, 4.0), to + Vec2::new(right, -4.0));
    let reach = 24.0 + 14.0 * (number % 6) as f32 + (end.y - begin.y).abs() * 0.15;
    let points = [begin, begin + Vec2::new(reach, 0.0), end + Vec2::new(reach, 0.0), end];
    ui.painter().add(CubicBezierShape::from_points_stroke(points, false, egui::Color32::TRANSPARENT, Stroke::new(1.2, colour)));
    let tip = [end, end + Vec2::new(7.0, -4.0), end + Vec2::new(7.0, 4.0)];
    ui.painter().add(Shape::convex_polygon(tip.to_vec(), colour, Stroke::NONE));
}

fn words(standing: &ServiceStanding, way: &Transition) -> String {
    let name = |state: Option<usize>, or: &str| {
        state.and_then(|state| standing.states.get(state)).map_or(or.to_owned(), |(name, _)| name.to_string())
    };
    format!("{} — {} → {} ({})", name(way.from, "any"), way.command, name(way.to, "the same"), way.event)
}
