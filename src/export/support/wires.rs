//! How wires run in a drawing: sideways between cards, around them on the way back, upright for look-ups.
//!
//! In: sockets and the boxes of cards. Out: an SVG path and the box around it. Must not know: projects.
//! Start at [`Wire`].

use std::fmt::Write;

pub use crate::model::CardBounds as Bounds;
use crate::model::level_below;

const CORNER: f32 = 10.0;
/// How far a wire that leads back keeps from cards.
const CLEARANCE: f32 = 18.0;
/// Room for the arrow's head.
const HEAD: f32 = 6.0;

/// One wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// Path data from socket to the arrow's head.
    pub path: String,
    /// Path data of the head.
    pub head: String,
    /// What it needs of the drawing.
    pub bounds: Bounds,
}

impl Wire {
    /// From a card's right side to another's left side; one that leads back goes below the cards between.
    #[must_use]
    pub fn sideways(from: [f32; 2], to: [f32; 2], cards: &[Bounds]) -> Self {
        if to[0] >= from[0] + 2.0 * CLEARANCE { Self::onwards(from, to) } else { Self::back(from, to, cards) }
    }

    fn onwards([x1, y1]: [f32; 2], [x2, y2]: [f32; 2]) -> Self {
        let reach = ((x2 - x1) / 2.0).clamp(CLEARANCE, 140.0);
        let end = x2 - HEAD;
        let path = format!("M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {end:.1} {y2:.1}", x1 + reach, end - reach);
        Self { path, head: head_right([x2, y2]), bounds: [x1, y1.min(y2), x2, y1.max(y2)] }
    }

    fn back([x1, y1]: [f32; 2], [x2, y2]: [f32; 2], cards: &[Bounds]) -> Self {
        let (right, left) = (x1 + CLEARANCE, x2 - CLEARANCE);
        let low = level_below(left, right, y1.max(y2), CLEARANCE, cards);
        let mut path = format!("M{x1:.1} {y1:.1}");
        let corners = [[right, y1], [right, low], [left, low], [left, y2], [x2 - HEAD, y2]];
        let mut at = [x1, y1];
        for pair in corners.windows(2) {
            round_corner(&mut path, at, pair[0], pair[1]);
            at = pair[0];
        }
        let _ = write!(path, "L{:.1} {y2:.1}", x2 - HEAD);
        Self { path, head: head_right([x2, y2]), bounds: [left, y1.min(y2), right, low] }
    }

    /// From a card's lower or upper edge to that of another: across between them where one stands above the
    /// other, else around below both. `from_x` and `to_x` are where on the edges.
    #[must_use]
    pub fn upright(source: Bounds, from_x: f32, target: Bounds, to_x: f32) -> Self {
        let ([_, source_top, _, source_bottom], [_, target_top, _, target_bottom]) = (source, target);
        // Which way it leaves and arrives: 1 is down.
        let (y1, leaves, y2, arrives) = if target_top >= source_bottom {
            (source_bottom, 1.0, target_top, 1.0)
        } else if target_bottom <= source_top {
            (source_top, -1.0, target_bottom, -1.0)
        } else {
            (source_bottom, 1.0, target_bottom, -1.0)
        };
        let end = y2 - arrives * HEAD;
        let reach = ((end - y1).abs() / 2.0).max(2.0 * CLEARANCE);
        let (out, into) = (y1 + leaves * reach, end - arrives * reach);
        let path = format!("M{from_x:.1} {y1:.1}C{from_x:.1} {out:.1} {to_x:.1} {into:.1} {to_x:.1} {end:.1}");
        let head = format!("M{to_x:.1} {:.1}l-4 {:.1}h8z", y2 - arrives * 4.0, -8.0 * arrives);
        let (top, bottom) = (y1.min(y2).min(into), y1.max(y2).max(out));
        Self { path, head, bounds: [from_x.min(to_x), top, from_x.max(to_x), bottom] }
    }
}

fn head_right([x, y]: [f32; 2]) -> String {
    format!("M{:.1} {y:.1}l-8 -4v8z", x - 4.0)
}

/// Draws to a corner and around it, on the way to `next`.
fn round_corner(path: &mut String, from: [f32; 2], corner: [f32; 2], next: [f32; 2]) {
    let towards = |to: [f32; 2]| {
        let (dx, dy) = (to[0] - corner[0], to[1] - corner[1]);
        let length = (dx.abs() + dy.abs()).max(1.0);
        let share = CORNER.min(length / 2.0) / length;
        [corner[0] + dx * share, corner[1] + dy * share]
    };
    let (before, after) = (towards(from), towards(next));
    let _ = write!(path, "L{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}", before[0], before[1], corner[0], corner[1], after[0], after[1]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The level part of a wire that leads back touches no card, however they stand.
        #[test]
        fn the_way_back_meets_no_card(cards in prop::collection::vec((-500i32..500, -500i32..500, 50i32..300, 40i32..200), 0..20), left in -400i32..0, right in 0i32..400, from in -300i32..300) {
            let cards: Vec<Bounds> = cards.iter().map(|(x, y, w, h)| [*x, *y, x + w, y + h].map(|v| v as f32)).collect();
            let (left, right) = (left as f32, right as f32);
            let low = level_below(left, right, from as f32, CLEARANCE, &cards);
            prop_assert!(low >= from as f32);
            prop_assert!(cards.iter().all(|card| card[0] >= right || card[2] <= left || low <= card[1] || low >= card[3]));
        }
    }

    #[test]
    fn a_look_up_takes_the_edges_that_face_each_other() {
        let (above, below, beside) = ([0.0, 0.0, 100.0, 50.0], [200.0, 100.0, 300.0, 150.0], [200.0, 20.0, 300.0, 70.0]);
        assert!(Wire::upright(above, 50.0, below, 250.0).path.starts_with("M50.0 50.0C50.0 "));
        assert!(Wire::upright(above, 50.0, below, 250.0).path.ends_with("250.0 94.0"));
        assert!(Wire::upright(below, 250.0, above, 50.0).path.ends_with("50.0 56.0"));
        let around = Wire::upright(above, 50.0, beside, 250.0);
        assert!(around.path.ends_with("250.0 76.0") && around.bounds[3] > 70.0, "{around:?}");
    }

    #[test]
    fn a_wire_onwards_ends_before_its_socket() {
        let wire = Wire::sideways([0.0, 10.0], [300.0, 50.0], &[]);
        assert!(wire.path.starts_with("M0.0 10.0C") && wire.path.ends_with("294.0 50.0"), "{}", wire.path);
        assert_eq!(wire.bounds, [0.0, 10.0, 300.0, 50.0]);
    }
}
