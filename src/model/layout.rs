//! Places for cards that have none: data flows from left to right, wires cross little.
//!
//! In: a design and the size of each card. Out: a top left corner for every component; what a person placed stays.
//! Ranks are longest paths with cycles broken (Sugiyama's layering), rows are ordered by a few barycentre sweeps.
//! The same design always gives the same places.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::Project;

/// Between two columns of cards.
const COLUMN_GAP: f32 = 96.0;
/// Between two cards of a column.
const ROW_GAP: f32 = 40.0;
/// Sweeps there and back; more change nothing that an eye sees.
const SWEEPS: usize = 4;
/// Reference links begin at a port of this name and say nothing about the way of the data.
const REFERENCE_PORT: &str = "schemas";

/// A top left corner for every component, in component order: the layout's own, or a computed one.
#[must_use]
pub fn arrange(project: &Project, size: &dyn Fn(&str) -> [f32; 2]) -> IndexMap<String, [f32; 2]> {
    let placed = |id: &String| project.layout.positions.get(id).copied();
    if project.components.keys().all(|id| placed(id).is_some()) {
        return project.components.keys().filter_map(|id| placed(id).map(|position| (id.clone(), position))).collect();
    }
    let computed = layered(project, size);
    let bottom = project.components.keys().filter_map(|id| placed(id).map(|[_, y]| y + size(id)[1])).reduce(f32::max);
    // New cards among placed ones stand below them, so that nothing overlaps.
    let shift = bottom.map_or(0.0, |bottom| bottom + ROW_GAP);
    let place = |(id, [x, y]): (&String, [f32; 2])| (id.clone(), placed(id).unwrap_or([x, y + shift]));
    project.components.keys().zip(computed).map(place).collect()
}

/// New corners for the components that are meant, in component order, whatever they stood at before.
///
/// A part of a design stays where it is as a whole, and moves down where it would cover other cards.
#[must_use]
pub fn arrange_anew(project: &Project, size: &dyn Fn(&str) -> [f32; 2], is_meant: &dyn Fn(&str) -> bool) -> IndexMap<String, [f32; 2]> {
    let meant = project.components.iter().filter(|(id, _)| is_meant(id));
    let part = Project {
        components: meant.map(|(id, component)| (id.clone(), component.clone())).collect(),
        links: project.links.clone(),
        ..Project::default()
    };
    let computed = layered(&part, size);
    let position = |id: &String| project.layout.positions.get(id).copied().unwrap_or_default();
    let old = part.components.keys().map(position).reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])]).unwrap_or_default();
    let others: Vec<([f32; 2], [f32; 2])> =
        project.components.keys().filter(|id| !part.components.contains_key(*id)).map(|id| (position(id), size(id))).collect();
    let sizes: Vec<[f32; 2]> = part.components.keys().map(|id| size(id)).collect();
    let mut y = old[1];
    let covered = |y: f32| {
        let near = |([x, top], [width, height]): ([f32; 2], [f32; 2]), (at, own): (&[f32; 2], &[f32; 2])| {
            let (left, upper) = (at[0] + old[0], at[1] + y);
            let beside = left + own[0] + ROW_GAP > x && x + width + ROW_GAP > left;
            (beside && upper + own[1] + ROW_GAP > top && top + height + ROW_GAP > upper).then_some(top + height + ROW_GAP - at[1])
        };
        computed.iter().zip(&sizes).find_map(|card| others.iter().find_map(|other| near(*other, card)))
    };
    // Each step clears one card for good, so there are no more steps than pairs of cards.
    while let Some(below) = covered(y) {
        y = below.max(y + 1.0);
    }
    part.components.keys().cloned().zip(computed.iter().map(|[dx, dy]| [old[0] + dx, y + dy])).collect()
}

fn layered(project: &Project, size: &dyn Fn(&str) -> [f32; 2]) -> Vec<[f32; 2]> {
    let graph = Graph::of(project);
    let ranks = graph.ranks();
    let mut columns: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (node, rank) in ranks.iter().enumerate() {
        columns.entry(*rank).or_default().push(node);
    }
    let mut columns: Vec<Vec<usize>> = columns.into_values().collect();
    graph.order(&mut columns);

    let sizes: Vec<[f32; 2]> = project.components.keys().map(|id| size(id)).collect();
    let height = |column: &Vec<usize>| column.iter().map(|node| sizes[*node][1] + ROW_GAP).sum::<f32>() - ROW_GAP;
    let tallest = columns.iter().map(height).fold(0.0, f32::max);
    let mut places = vec![[0.0, 0.0]; sizes.len()];
    let mut x = 0.0;
    for column in &columns {
        let mut y = (tallest - height(column)) / 2.0;
        for node in column {
            places[*node] = [x, y];
            y += sizes[*node][1] + ROW_GAP;
        }
        x += column.iter().map(|node| sizes[*node][0]).fold(0.0, f32::max) + COLUMN_GAP;
    }
    places
}

struct Graph {
    /// Successors by data flow, without the edges that close a cycle.
    forward: Vec<BTreeSet<usize>>,
    /// Every neighbour, reference links too.
    neighbours: Vec<BTreeSet<usize>>,
}

impl Graph {
    fn of(project: &Project) -> Self {
        let count = project.components.len();
        let mut flow = vec![BTreeSet::new(); count];
        let mut neighbours = vec![BTreeSet::new(); count];
        for link in &project.links {
            let ends = [&link.from, &link.to].map(|end| project.components.get_index_of(&end.component));
            let [Some(from), Some(to)] = ends else { continue };
            if from != to {
                neighbours[from].insert(to);
                neighbours[to].insert(from);
                if link.from.port != REFERENCE_PORT {
                    flow[from].insert(to);
                }
            }
        }
        Self { forward: without_cycles(&flow), neighbours }
    }

    /// Longest path from a source; a component without flow stands beside the first it is linked with.
    fn ranks(&self) -> Vec<usize> {
        let count = self.forward.len();
        let mut waits_for = vec![0usize; count];
        for successors in &self.forward {
            for to in successors {
                waits_for[*to] += 1;
            }
        }
        let has_flow: Vec<bool> = (0..count).map(|node| waits_for[node] > 0 || !self.forward[node].is_empty()).collect();
        let mut ready: Vec<usize> = (0..count).filter(|node| waits_for[*node] == 0).collect();
        let mut ranks = vec![0usize; count];
        while let Some(node) = ready.pop() {
            for to in &self.forward[node] {
                ranks[*to] = ranks[*to].max(ranks[node] + 1);
                waits_for[*to] -= 1;
                if waits_for[*to] == 0 {
                    ready.push(*to);
                }
            }
        }
        for node in (0..count).filter(|node| !has_flow[*node]) {
            let beside: Vec<usize> = self.neighbours[node].iter().filter(|other| has_flow[**other]).map(|other| ranks[*other]).collect();
            ranks[node] = if beside.is_empty() { 0 } else { (beside.iter().sum::<usize>() + beside.len() / 2) / beside.len() };
        }
        ranks
    }

    /// Moves each card towards the middle of its neighbours in the column before, then in the column after.
    fn order(&self, columns: &mut [Vec<usize>]) {
        for sweep in 0..SWEEPS {
            let back = sweep % 2 == 1;
            for step in 1..columns.len() {
                let here = if back { columns.len() - 1 - step } else { step };
                let beside = if back { here + 1 } else { here - 1 };
                let rows: BTreeMap<usize, usize> = columns[beside].iter().enumerate().map(|(row, node)| (*node, row)).collect();
                let mut keyed: Vec<(f64, usize)> =
                    columns[here].iter().enumerate().map(|(row, node)| (self.middle(*node, &rows).unwrap_or(row as f64), *node)).collect();
                // The sort is stable: cards that pull equally keep their order.
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                columns[here] = keyed.into_iter().map(|(_, node)| node).collect();
            }
        }
    }

    fn middle(&self, node: usize, rows: &BTreeMap<usize, usize>) -> Option<f64> {
        let beside: Vec<usize> = self.neighbours[node].iter().filter_map(|other| rows.get(other).copied()).collect();
        (!beside.is_empty()).then(|| beside.iter().sum::<usize>() as f64 / beside.len() as f64)
    }
}

/// Drops each edge that a depth-first walk finds to lead back into its own path.
fn without_cycles(flow: &[BTreeSet<usize>]) -> Vec<BTreeSet<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        OnPath,
        Done,
    }
    let mut marks = vec![Mark::New; flow.len()];
    let mut kept = vec![BTreeSet::new(); flow.len()];
    for start in 0..flow.len() {
        if marks[start] != Mark::New {
            continue;
        }
        // A stack of our own: a design may be a chain of thousands.
        let mut path = vec![(start, flow[start].iter())];
        marks[start] = Mark::OnPath;
        while let Some((node, successors)) = path.last_mut() {
            match successors.next() {
                Some(to) if marks[*to] == Mark::OnPath => {}
                Some(to) => {
                    kept[*node].insert(*to);
                    if marks[*to] == Mark::New {
                        marks[*to] = Mark::OnPath;
                        path.push((*to, flow[*to].iter()));
                    }
                }
                None => {
                    marks[*node] = Mark::Done;
                    path.pop();
                }
            }
        }
    }
    kept
}

/// A card's box: left, top, right, bottom.
pub type CardBounds = [f32; 4];

/// The first height below `from` at which a level line between `left` and `right` keeps its distance from every card:
/// where a wire that leads back runs.
#[must_use]
pub fn level_below(left: f32, right: f32, from: f32, clearance: f32, cards: &[CardBounds]) -> f32 {
    let mut low = from + clearance;
    // Each round passes at least one card for good.
    for _ in 0..=cards.len() {
        let between = |card: &&CardBounds| card[0] < right && card[2] > left;
        let hit = cards.iter().filter(between).find(|card| card[1] - clearance / 2.0 < low && low < card[3] + clearance / 2.0);
        match hit {
            Some(card) => low = card[3] + clearance,
            None => break,
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Component, Endpoint, Link};

    fn design(ids: &[&str], links: &[(&str, &str)]) -> Project {
        let end = |text: &str| Endpoint::parse(text).expect("test ends are well formed");
        Project {
            components: ids.iter().map(|id| ((*id).to_owned(), Component::default())).collect(),
            links: links.iter().map(|(from, to)| Link { from: end(from), to: end(to), ..Link::default() }).collect(),
            ..Project::default()
        }
    }

    fn size(_: &str) -> [f32; 2] {
        [200.0, 100.0]
    }

    #[test]
    fn data_flows_to_the_right_and_nothing_overlaps() {
        let project = design(
            &["analytics", "web", "edge", "shop", "billing", "schemas"],
            &[
                ("web.out", "edge.in"),
                ("edge.records", "shop.orders"),
                ("shop.orders", "billing.in"),
                ("shop.orders", "analytics.in"),
                ("billing.dead_letters", "shop.dead"),
                ("edge.schemas", "schemas.in"),
            ],
        );
        let places = arrange(&project, &size);
        for (from, to) in [("web", "edge"), ("edge", "shop"), ("shop", "billing"), ("shop", "analytics")] {
            assert!(places[from][0] < places[to][0], "{from} stands left of {to}: {places:?}");
        }
        let corners: Vec<[f32; 2]> = places.values().copied().collect();
        for (i, a) in corners.iter().enumerate() {
            for b in &corners[i + 1..] {
                assert!((a[0] - b[0]).abs() >= 200.0 || (a[1] - b[1]).abs() >= 100.0, "{a:?} and {b:?} overlap");
            }
        }
    }

    #[test]
    fn what_a_person_placed_stays() {
        let mut project = design(&["a", "b"], &[("a.out", "b.in")]);
        project.layout.positions.insert("a".to_owned(), [300.0, 40.0]);
        let places = arrange(&project, &size);
        assert_eq!(places["a"], [300.0, 40.0]);
        assert!(places["b"][1] >= 140.0);
    }

    #[test]
    fn cycles_and_long_chains_end() {
        let ids: Vec<String> = (0..5000).map(|i| format!("c{i}")).collect();
        let names: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut project = design(&names, &[]);
        let end = |i: usize, port: &str| Endpoint { component: ids[i].clone(), port: port.to_owned() };
        project.links = (0..5000).map(|i| Link { from: end(i, "out"), to: end((i + 1) % 5000, "in"), ..Link::default() }).collect();
        let places = arrange(&project, &size);
        assert!(places["c4999"][0] > places["c0"][0]);
    }

    /// Links lead from a lower number to a higher one, so there are no cycles.
    fn acyclic() -> impl Strategy<Value = Project> {
        (1usize..24).prop_flat_map(|count| {
            proptest::collection::vec((0..count, 0..count), 0..count * 2).prop_map(move |pairs| {
                let ids: Vec<String> = (0..count).map(|i| format!("c{i}")).collect();
                let ends: Vec<(String, String)> = pairs
                    .iter()
                    .filter(|(a, b)| a != b)
                    .map(|(a, b)| (format!("c{}.out", a.min(b)), format!("c{}.in", a.max(b))))
                    .collect();
                let names: Vec<&str> = ids.iter().map(String::as_str).collect();
                let links: Vec<(&str, &str)> = ends.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
                design(&names, &links)
            })
        })
    }

    /// Cards differ in height, as those of clusters do.
    fn uneven(id: &str) -> [f32; 2] {
        [220.0, 100.0 + 37.0 * (id.len() % 3) as f32]
    }

    fn assert_apart(places: &IndexMap<String, [f32; 2]>) {
        let cards: Vec<(&String, &[f32; 2])> = places.iter().collect();
        for (i, (a, at_a)) in cards.iter().enumerate() {
            for (b, at_b) in &cards[i + 1..] {
                let (size_a, size_b) = (uneven(a), uneven(b));
                let beside = (0..2).any(|axis| at_a[axis] + size_a[axis] <= at_b[axis] || at_b[axis] + size_b[axis] <= at_a[axis]);
                assert!(beside, "{a} and {b} overlap: {places:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn anew_no_cards_overlap_and_links_lead_right(project in acyclic()) {
            let places = arrange_anew(&project, &uneven, &|_| true);
            assert_apart(&places);
            for link in &project.links {
                let (from, to) = (places[&link.from.component], places[&link.to.component]);
                prop_assert!(from[0] + 220.0 < to[0], "{} leads back: {places:?}", link.id());
            }
            prop_assert_eq!(&places, &arrange_anew(&project, &uneven, &|_| true));
        }

        #[test]
        fn a_part_covers_nothing_else(project in acyclic(), mask in any::<u32>()) {
            let mut project = project;
            project.layout.positions = arrange_anew(&project, &uneven, &|_| true);
            let is_meant = |id: &str| id[1..].parse::<u32>().is_ok_and(|number| mask >> number & 1 == 1);
            let part = arrange_anew(&project, &uneven, &is_meant);
            let mut places = project.layout.positions.clone();
            places.extend(part);
            assert_apart(&places);
        }
    }
}
