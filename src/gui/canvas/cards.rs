//! Painting cards: head with icon and name, ports, figures while running, problems.

use egui::{Align2, Color32, Painter, Rect, Shape, Stroke, StrokeKind, pos2, vec2};

use super::camera::Camera;
use super::gesture::Gesture;
use super::scene::{Card, Port, Scene};
use crate::app::{AppState, Pick};
use crate::compile::Impact;
use crate::components;
use crate::event::SchemaUse;
use crate::gui::panels::{figures, schemas as schemas_panel};
use crate::gui::theme::{self, Tokens, icon};
use crate::metrics::Freshness;

pub(super) fn paint(painter: &Painter, tokens: &Tokens, scene: &Scene, app: &AppState, camera: &Camera, gesture: &Gesture) {
    for card in scene.cards.iter().filter(|card| card.visible) {
        body(painter, tokens, card, app, camera.zoom);
        if camera.zoom >= 0.35 {
            head(painter, tokens, card, app, camera);
            figures_strip(painter, tokens, card, camera);
            schemas(painter, tokens, card, camera);
        }
        for port in &card.ports {
            dot(painter, tokens, card, port, camera, gesture);
        }
        if let Some(impact) = card.hit {
            hit(painter, tokens, card, impact, camera);
        }
    }
}

/// What a draft would do to it: an outline around the card, icon and word on its upper edge.
fn hit(painter: &Painter, tokens: &Tokens, card: &Card, impact: Impact, camera: &Camera) {
    let (icon, tone) = schemas_panel::look(impact);
    let (colour, zoom) = (tokens.tone(tone), camera.zoom);
    let around = card.rect.expand(4.0);
    painter.rect(
        around,
        9.0 * zoom.min(1.2) + 4.0,
        tokens.tone_soft(tone).gamma_multiply(0.25),
        Stroke::new(2.5, colour),
        StrokeKind::Middle,
    );
    let size = camera.font_size(11.0).max(9.0);
    let galley = painter.layout_no_wrap(format!("{icon} {}", impact.words()), theme::font_strong(size), tokens.surface);
    let badge = Rect::from_min_size(around.left_top() + vec2(10.0 * zoom, -galley.size().y / 2.0 - 3.0), galley.size() + vec2(14.0, 6.0));
    painter.rect_filled(badge, badge.height() / 2.0, colour);
    painter.galley(badge.min + vec2(7.0, 3.0), galley, tokens.surface);
}

/// The schemas that it uses, under its lower edge: `v2 · id 5`.
fn schemas(painter: &Painter, tokens: &Tokens, card: &Card, camera: &Camera) {
    if card.uses.is_empty() || camera.zoom < 0.5 {
        return;
    }
    let is_troubled = card.uses.iter().any(|one| one.trouble.is_some());
    let version = |one: &SchemaUse| one.version.map_or_else(|| "?".to_owned(), |version| format!("v{version}"));
    let words = match &card.uses[..] {
        [one] => match one.id {
            Some(id) => format!("{} · id {id}", version(one)),
            None => version(one),
        },
        several => {
            let mut versions: Vec<String> = several.iter().map(version).collect();
            versions.dedup();
            let is_one = several.iter().all(|one| one.subject == several[0].subject);
            if is_one && versions.len() <= 3 { versions.join(" ") } else { format!("{} schemas", several.len()) }
        }
    };
    let (icon, colour) = if is_troubled { (icon::WARNING, tokens.error) } else { (icon::SCHEMA, tokens.text_muted) };
    let room = card.rect.width() / 2.0 - 14.0 * camera.zoom;
    let galley = painter.layout_job(one_line(&format!("{icon} {words}"), theme::font(camera.font_size(10.5)), colour, room));
    painter.galley(card.rect.left_bottom() + vec2(6.0, 3.0) * camera.zoom, galley, colour);
}

fn hue(tokens: &Tokens, kind: &str) -> Color32 {
    tokens.category(components::by_id(kind).map_or("", |kind| kind.spec().category))
}

fn body(painter: &Painter, tokens: &Tokens, card: &Card, app: &AppState, zoom: f32) {
    let radius = 9.0 * zoom.min(1.2);
    let selected = app.is_selected(&Pick::Component(card.id.clone()));
    let trouble = card.figures.as_ref().is_some_and(|figures| figures.trouble);
    painter.rect_filled(card.rect.translate(vec2(0.0, 2.0 * zoom)).expand(1.0), radius, tokens.shadow);
    let stroke = match (selected, card.problems > 0, trouble) {
        (true, ..) => Stroke::new(2.0, tokens.selection),
        (_, true, _) => Stroke::new(1.5, tokens.warn),
        (_, _, true) => Stroke::new(1.5, tokens.error),
        _ => Stroke::new(1.0, tokens.border_strong),
    };
    painter.rect(card.rect, radius, tokens.surface, stroke, StrokeKind::Inside);
    let stripe = Rect::from_min_max(card.rect.min + vec2(0.0, radius), pos2(card.rect.min.x + 3.0 * zoom, card.rect.max.y - radius));
    painter.rect_filled(stripe, 1.0, hue(tokens, &card.kind));
}

fn head(painter: &Painter, tokens: &Tokens, card: &Card, app: &AppState, camera: &Camera) {
    let zoom = camera.zoom;
    let clipped = painter.with_clip_rect(card.rect.intersect(painter.clip_rect()));
    let badge = Rect::from_min_size(card.rect.min + vec2(12.0, 10.0) * zoom, vec2(30.0, 30.0) * zoom);
    let colour = hue(tokens, &card.kind);
    clipped.rect_filled(badge, 7.0 * zoom, colour.gamma_multiply(0.16));
    clipped.text(badge.center(), Align2::CENTER_CENTER, icon::of_kind(&card.kind), theme::font(camera.font_size(17.0)), colour);
    let component = app.project().components.get(&card.id);
    let title = component.and_then(|component| component.title.clone()).unwrap_or_else(|| card.id.clone());
    let kind = components::by_id(&card.kind);
    let kind_title = kind.map_or(card.kind.as_str(), |kind| kind.spec().title);
    let profile = component.and_then(|c| c.profile.as_deref()).or_else(|| kind.and_then(|kind| kind.spec().profiles.first().copied()));
    let subtitle = profile.map_or_else(|| kind_title.to_owned(), |profile| format!("{kind_title} · {profile}"));
    let left = card.rect.min.x + 50.0 * zoom;
    let room = card.rect.max.x - left - if card.problems > 0 { 30.0 } else { 10.0 } * zoom;
    let line = |text: &str, y: f32, font: egui::FontId, colour: Color32| {
        let galley = clipped.layout_job(one_line(text, font, colour, room));
        clipped.galley(pos2(left, card.rect.min.y + y * zoom), galley, colour);
    };
    line(&title, 9.0, theme::font_strong(camera.font_size(13.5)), tokens.text);
    line(&subtitle, 27.0, theme::font(camera.font_size(10.5)), tokens.text_muted);
    if card.problems > 0 {
        let at = pos2(card.rect.max.x - 18.0 * zoom, card.rect.min.y + 20.0 * zoom);
        clipped.text(at, Align2::CENTER_CENTER, icon::WARNING, theme::font(camera.font_size(16.0)), tokens.warn);
    }
}

/// One line that ends in an ellipsis where there is no room.
fn one_line(text: &str, font: egui::FontId, colour: Color32, width: f32) -> egui::text::LayoutJob {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(8.0));
    job
}

fn figures_strip(painter: &Painter, tokens: &Tokens, card: &Card, camera: &Camera) {
    let zoom = camera.zoom;
    let strip = Rect::from_min_max(pos2(card.rect.min.x, card.rect.max.y - card.figures_height), card.rect.max);
    painter.hline(strip.x_range().shrink(10.0 * zoom), strip.min.y, Stroke::new(1.0, tokens.border));
    let clipped = painter.with_clip_rect(strip.intersect(painter.clip_rect()));
    let Some(view) = &card.figures else {
        let words = components::by_id(&card.kind).map_or("", |kind| kind.spec().category);
        clipped.text(
            strip.left_center() + vec2(12.0 * zoom, 0.0),
            Align2::LEFT_CENTER,
            words,
            theme::font(camera.font_size(10.5)),
            tokens.text_faint,
        );
        return;
    };
    let small = theme::font(camera.font_size(9.5));
    let value = theme::font_strong(camera.font_size(12.5));
    let column = |at: f32, name: &str, text: &str, colour: Color32| {
        let x = strip.min.x + at * zoom;
        clipped.text(pos2(x, strip.min.y + 6.0 * zoom), Align2::LEFT_TOP, name, small.clone(), tokens.text_muted);
        clipped.text(pos2(x, strip.min.y + 19.0 * zoom), Align2::LEFT_TOP, text, value.clone(), colour);
    };
    column(12.0, "per second", &figures::number(view.rate_per_s), tokens.text);
    match view.freshness {
        // What a read model has not seen yet is told by time: its readers feel that.
        Some(freshness) => column(88.0, "behind", &behind(freshness), tokens.text),
        None if view.queue_label.is_empty() => {}
        None => column(88.0, view.queue_label, &figures::number(view.queue), tokens.text),
    }
    let stale = view.freshness.and_then(|freshness| freshness.stale_ratio);
    if view.is_down {
        column(152.0, "instances", "0", tokens.error);
    } else if let Some(busy) = view.utilisation_ratio {
        let colour = if busy > 0.95 {
            tokens.error
        } else if busy > 0.8 {
            tokens.warn
        } else {
            tokens.text
        };
        match stale {
            // The bar below says how busy it is.
            Some(stale) => column(152.0, "stale", &format!("{:.0} %", stale * 100.0), tokens.text),
            None => column(152.0, "busy", &format!("{:.0} %", busy * 100.0), colour),
        }
        let track =
            Rect::from_min_size(pos2(strip.min.x + 12.0 * zoom, strip.max.y - 5.0 * zoom), vec2(strip.width() - 24.0 * zoom, 2.5 * zoom));
        clipped.rect_filled(track, 2.0, tokens.surface_sunken);
        let full = Rect::from_min_size(track.min, vec2(track.width() * busy.clamp(0.0, 1.0) as f32, track.height()));
        clipped.rect_filled(full, 2.0, if busy > 0.8 { colour } else { tokens.accent });
    }
}

/// How far a read model is behind: `12.3 ms`.
pub(super) fn behind(freshness: Freshness) -> String {
    let (figure, unit) = figures::latency(freshness.lag_ms);
    format!("{figure} {unit}")
}

fn dot(painter: &Painter, tokens: &Tokens, card: &Card, port: &Port, camera: &Camera, gesture: &Gesture) {
    let zoom = camera.zoom;
    let radius = 5.0 * zoom.clamp(0.6, 1.3);
    let fits = gesture.port_fits(&card.id, port);
    let (fill, ring) = match fits {
        Some(true) => (tokens.accent, tokens.accent),
        Some(false) => (tokens.surface, tokens.border),
        None => (tokens.surface, tokens.wire),
    };
    for at in [Some(port.at), port.at_right].into_iter().flatten() {
        if port.spec.is_reference() {
            let diamond = [vec2(0.0, -radius), vec2(radius, 0.0), vec2(0.0, radius), vec2(-radius, 0.0)].map(|offset| at + offset);
            painter.add(Shape::convex_polygon(diamond.to_vec(), fill, Stroke::new(1.5, ring)));
        } else {
            painter.circle(at, radius, fill, Stroke::new(1.5, ring));
        }
    }
    // A look-up is told by its shape; on the card's edge there is no room for its name.
    if zoom < 0.5 || port.spec.is_reference() {
        return;
    }
    let font = theme::font(camera.font_size(11.0));
    let room = card.rect.width() - 24.0 * zoom;
    let colour = tokens.text_muted;
    let galley = painter.layout_job(one_line(&port.name, font, colour, room));
    let inset = 12.0 * zoom;
    let y = port.at.y - galley.size().y / 2.0;
    let x = if port.at.x > card.rect.center().x { port.at.x - inset - galley.size().x } else { port.at.x + inset };
    painter.galley(pos2(x, y), galley, colour);
}
