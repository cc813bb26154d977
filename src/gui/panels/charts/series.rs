//! From the view's series to lines of a chart: looked up by metric and scope, thinned to the pixels.

use crate::metrics::{RunView, SeriesView};
use crate::units::ComponentIx;

/// At most this many lines in one chart; the rest is named in the legend's tooltip.
pub(super) const LINES_MAX: usize = 6;

/// The series called `metric` of the whole design (`None`) or of one component.
pub(super) fn of<'a>(view: &'a RunView, metric: &'a str, component: Option<ComponentIx>) -> impl Iterator<Item = &'a SeriesView> {
    view.series.iter().filter(move |series| &*series.metric == metric && series.component == component)
}

/// The last value, if there is any.
pub(super) fn last(series: &SeriesView) -> Option<f64> {
    series.points.last().map(|point| point[1])
}

/// The value at or just before `x_s`; points are in time order.
pub(super) fn at(points: &[[f64; 2]], x_s: f64) -> Option<f64> {
    let after = points.partition_point(|point| point[0] <= x_s);
    points.get(after.checked_sub(1)?).map(|point| point[1])
}

/// At most about two points a bucket, its least and its greatest in time order, so that no peak is lost.
pub(super) fn thinned(points: &[[f64; 2]], buckets: usize) -> Vec<[f64; 2]> {
    let buckets = buckets.max(1);
    if points.len() <= buckets * 2 {
        return points.to_vec();
    }
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let width = (last[0] - first[0]) / buckets as f64;
    if width <= 0.0 {
        return vec![*first];
    }
    let mut out = Vec::with_capacity(buckets * 2 + 2);
    let mut rest = points;
    for bucket in 1..=buckets {
        let edge = first[0] + width * bucket as f64;
        let taken = if bucket == buckets { rest.len() } else { rest.partition_point(|point| point[0] < edge) };
        let (here, later) = rest.split_at(taken);
        rest = later;
        let least = here.iter().min_by(|a, b| a[1].total_cmp(&b[1]));
        let greatest = here.iter().max_by(|a, b| a[1].total_cmp(&b[1]));
        if let (Some(least), Some(greatest)) = (least, greatest) {
            let (early, late) = if least[0] <= greatest[0] { (least, greatest) } else { (greatest, least) };
            out.push(*early);
            if late[0] > early[0] {
                out.push(*late);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_peak_and_the_order() {
        let points: Vec<[f64; 2]> = (0..10_000).map(|i| [f64::from(i), if i == 7_777 { 1e6 } else { f64::from(i % 17) }]).collect();
        let thin = thinned(&points, 200);
        assert!(thin.len() <= 400);
        assert!(thin.iter().any(|point| point[1] == 1e6), "the one peak is gone");
        assert!(thin.windows(2).all(|pair| pair[0][0] < pair[1][0]));
        assert!(thin.first().is_some_and(|point| point[0] < 50.0) && thin.last().is_some_and(|point| point[0] > 9_950.0));
    }

    #[test]
    fn few_points_are_left_alone() {
        let points = [[0.0, 1.0], [1.0, 2.0]];
        assert_eq!(thinned(&points, 200), points);
        assert!(thinned(&[], 10).is_empty());
        assert_eq!(at(&points, 0.5), Some(1.0));
        assert_eq!(at(&points, -0.5), None);
    }
}
