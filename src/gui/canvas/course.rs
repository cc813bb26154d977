//! The way of a wire on the screen: sideways between cards, below them on the way back, downwards for look-ups.
//!
//! In: where ports stand and the cards' boxes. Out: Béziers, and points along them for tokens and the pointer.
//! Must not know: projects, painters. Start at [`Course`].

use egui::{Pos2, Rect, pos2, vec2};

use crate::model::{CardBounds, level_below};

/// Start, its control point, the end's control point, end.
pub type Curve = [Pos2; 4];

/// How far a wire that leads back keeps from cards, in world units.
const CLEARANCE: f32 = 18.0;
/// How far a wire that leads back swings out beside its ports, in world units.
const SWING: f32 = 48.0;

/// Béziers one after another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    pieces: [Curve; 3],
    count: usize,
}

impl Course {
    fn of(curve: Curve) -> Self {
        Self { pieces: [curve; 3], count: 1 }
    }
    /// Leaves to the right and arrives from the left.
    #[must_use]
    pub fn onwards(start: Pos2, end: Pos2, zoom: f32) -> Self {
        let reach = ((end.x - start.x).abs() * 0.5).max(40.0 * zoom).min(260.0 * zoom);
        Self::of([start, start + vec2(reach, 0.0), end - vec2(reach, 0.0), end])
    }
    /// Leaves downwards and arrives from above.
    #[must_use]
    pub fn down(start: Pos2, end: Pos2, zoom: f32) -> Self {
        let reach = ((end.y - start.y).abs() * 0.5).max(40.0 * zoom).min(160.0 * zoom);
        Self::of([start, start + vec2(0.0, reach), end - vec2(0.0, reach), end])
    }
    /// Between two cards: straight on where the target stands to the right, else around below the cards between.
    #[must_use]
    pub fn between(start: Pos2, end: Pos2, cards: &[CardBounds], zoom: f32) -> Self {
        if end.x >= start.x { Self::onwards(start, end, zoom) } else { Self::back(start, end, cards, zoom) }
    }
    fn back(start: Pos2, end: Pos2, cards: &[CardBounds], zoom: f32) -> Self {
        let swing = SWING * zoom;
        let level = level_below(end.x - swing, start.x + swing, start.y.max(end.y), CLEARANCE * zoom, cards);
        let (right, left) = (pos2(start.x, level), pos2(end.x, level));
        let out = [start, start + vec2(swing, 0.0), right + vec2(swing, 0.0), right];
        let across = [right, right.lerp(left, 1.0 / 3.0), right.lerp(left, 2.0 / 3.0), left];
        let home = [left, left - vec2(swing, 0.0), end - vec2(swing, 0.0), end];
        Self { pieces: [out, across, home], count: 3 }
    }

    /// Its Béziers.
    #[must_use]
    pub fn pieces(&self) -> &[Curve] {
        &self.pieces[..self.count]
    }
    /// Where the last stretch comes from, and the end.
    #[must_use]
    pub fn arrival(&self) -> (Pos2, Pos2) {
        let [.., before, end] = self.pieces[self.count - 1];
        (before, end)
    }
    /// A point on the way, 0 at its start.
    #[must_use]
    pub fn point_at(&self, along: f32) -> Pos2 {
        if self.count == 1 {
            return point_on(&self.pieces[0], along);
        }
        let lengths = self.pieces.map(|piece| length_of(&piece));
        let mut left = along * lengths.iter().sum::<f32>();
        for (piece, length) in self.pieces.iter().zip(lengths) {
            if left <= length {
                return point_on(piece, left / length.max(1e-3));
            }
            left -= length;
        }
        self.arrival().1
    }
    /// Points along the way, `per_piece` steps on each Bézier.
    #[must_use]
    pub fn points(&self, per_piece: usize) -> Vec<Pos2> {
        let steps = |piece: &Curve| {
            let piece = *piece;
            (0..=per_piece).map(move |step| point_on(&piece, step as f32 / per_piece as f32))
        };
        self.pieces().iter().flat_map(steps).collect()
    }
    /// How far a point is from it; infinite when that is not near.
    #[must_use]
    pub fn distance_to(&self, at: Pos2) -> f32 {
        const STEPS: usize = 24;
        let near = |piece: &&Curve| Rect::from_points(*piece).expand(8.0).contains(at);
        if !self.pieces().iter().any(|piece| near(&piece)) {
            return f32::INFINITY;
        }
        self.points(STEPS).windows(2).map(|pair| distance_to_line(pair[0], pair[1], at)).fold(f32::INFINITY, f32::min)
    }
    /// Around all of it.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        self.pieces().iter().fold(Rect::NOTHING, |bounds, piece| bounds.union(Rect::from_points(piece)))
    }
}

/// A point on a Bézier, 0 at its start.
fn point_on(curve: &Curve, along: f32) -> Pos2 {
    let [a, b, c, d] = curve.map(Pos2::to_vec2);
    let back = 1.0 - along;
    (a * (back * back * back) + b * (3.0 * back * back * along) + c * (3.0 * back * along * along) + d * (along * along * along)).to_pos2()
}

/// The mean of the chord and of the way over the control points: near enough to pace a token.
fn length_of([a, b, c, d]: &Curve) -> f32 {
    f32::midpoint(a.distance(*d), a.distance(*b) + b.distance(*c) + c.distance(*d))
}

fn distance_to_line(a: Pos2, b: Pos2, at: Pos2) -> f32 {
    let along = b - a;
    let share = ((at - a).dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
    (a + along * share).distance(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two cards beside each other and one between, a little lower.
    const CARDS: [CardBounds; 3] = [[300.0, 0.0, 500.0, 100.0], [700.0, 0.0, 900.0, 100.0], [500.0, 90.0, 700.0, 190.0]];

    #[test]
    fn a_course_begins_and_ends_at_its_ports() {
        let (start, end) = (pos2(900.0, 40.0), pos2(300.0, 60.0));
        for course in [Course::onwards(end, start, 1.0), Course::between(start, end, &CARDS, 1.0)] {
            let [first, .., last] = [course.point_at(0.0), course.point_at(1.0)];
            assert_eq!(first, course.pieces()[0][0]);
            assert!(last.distance(course.arrival().1) < 0.5, "{last:?}");
        }
    }

    #[test]
    fn the_way_back_leads_below_the_cards_between() {
        let course = Course::between(pos2(900.0, 40.0), pos2(300.0, 60.0), &CARDS, 1.0);
        let hides =
            |at: &Pos2| CARDS.iter().any(|[left, top, right, bottom]| *left < at.x && at.x < *right && *top < at.y && at.y < *bottom);
        let hidden = course.points(16).iter().filter(|at| hides(at)).count();
        assert_eq!(hidden, 0, "{course:?}");
        assert!(course.distance_to(course.point_at(0.5)) < 1.0);
        assert!(course.bounds().contains(course.point_at(0.5)));
    }
}
