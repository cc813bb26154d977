//! The whole design in a corner while not all of it is in view: a click or a drag there looks there.
//!
//! A graph of egui_graphs, drawn with its drawing types over a camera of its own. Its widget is left out: that
//! asks for a repaint in every frame, and the program would never idle.
//! In: the design, the camera. Out: the camera. Start at [`Minimap::ui`].

use egui::{Color32, CornerRadius, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, WidgetType, pos2, vec2};
use egui_graphs::{DisplayEdge, DisplayNode, DrawContext, EdgeProps, Graph, MetadataFrame, Node, NodeProps, SettingsStyle};
use petgraph::Directed;
use petgraph::stable_graph::DefaultIx;

use super::camera::Camera;
use super::scene::{Scene, position_of};
use crate::app::AppState;
use crate::app::arrange::{CARD_WIDTH, card_height, ports_of};
use crate::components;
use crate::gui::theme::{self, Tokens, radius, space};
use crate::model::Project;

/// The map is never larger than this.
const SIZE_MAX: Vec2 = vec2(190.0, 120.0);
const PADDING: f32 = 6.0;

type Map = Graph<Block, Color32, Directed, DefaultIx, Block, Line>;

/// The map between frames.
#[derive(Default)]
pub(super) struct Minimap {
    /// The design's revision and the colours that the map was made for.
    made_for: Option<(u64, Color32)>,
    map: Option<Map>,
}

impl Minimap {
    /// Draws the map where it helps, and moves the camera when a person points into it.
    pub fn ui(&mut self, ui: &mut Ui, app: &AppState, camera: &mut Camera, view: Rect) {
        let bounds = Scene::world_bounds(app.project());
        let on_screen = Rect::from_min_max(camera.to_screen(bounds.min), camera.to_screen(bounds.max));
        if app.project().components.len() < 2 || view.contains_rect(on_screen) {
            return;
        }
        let tokens = theme::tokens(ui.ctx());
        let (rect, meta) = place(bounds, view);
        let response = ui.interact(rect, ui.id().with("minimap"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Image, true, "Map of the whole design"));
        if let Some(at) = response.interact_pointer_pos() {
            camera.shift = view.center() - (meta.screen_to_canvas_pos(at).to_vec2() * camera.zoom).to_pos2();
        }
        let painter = ui.painter_at(rect);
        painter.rect(rect, CornerRadius::same(radius::M), tokens.surface, Stroke::new(1.0, tokens.border), StrokeKind::Inside);
        let style = SettingsStyle::default();
        let drawing = DrawContext { ctx: ui.ctx(), painter: &painter, style: &style, is_directed: true, meta: &meta };
        painter.extend(shapes(self.map(app, tokens), &drawing));
        let seen = Rect::from_min_max(camera.to_world(view.min), camera.to_world(view.max));
        let seen = Rect::from_min_max(meta.canvas_to_screen_pos(seen.min), meta.canvas_to_screen_pos(seen.max)).intersect(rect.shrink(1.0));
        painter.rect(seen, CornerRadius::same(2), Color32::TRANSPARENT, Stroke::new(1.5, tokens.accent), StrokeKind::Inside);
    }

    fn map(&mut self, app: &AppState, tokens: &Tokens) -> &mut Map {
        let wanted = Some((app.document.revision(), tokens.wire));
        if self.made_for != wanted {
            (self.made_for, self.map) = (wanted, None);
        }
        self.map.get_or_insert_with(|| map_of(app.project(), tokens))
    }
}

/// The corner that the map takes, and its camera.
fn place(bounds: Rect, view: Rect) -> (Rect, MetadataFrame) {
    let room = SIZE_MAX - 2.0 * Vec2::splat(PADDING);
    let zoom = (room / bounds.size().max(Vec2::splat(1.0))).min_elem();
    let size = bounds.size() * zoom + 2.0 * Vec2::splat(PADDING);
    let rect = Rect::from_min_size(pos2(view.left() + space::M, view.bottom() - space::M - size.y), size);
    let pan = rect.min + Vec2::splat(PADDING) - (bounds.min.to_vec2() * zoom).to_pos2();
    let mut meta = MetadataFrame::default();
    (meta.zoom, meta.pan) = (zoom, pan);
    (rect, meta)
}

/// Nodes know where they are and of what colour, nothing else.
fn map_of(project: &Project, tokens: &Tokens) -> Map {
    let mut map = Map::new();
    let mut nodes = std::collections::BTreeMap::new();
    for (id, component) in &project.components {
        let [x, y] = position_of(project, id);
        let category = components::by_id(&component.kind).map_or("", |kind| kind.spec().category);
        let rect = Rect::from_min_size(pos2(x, y), vec2(CARD_WIDTH, card_height(&ports_of(component))));
        let node = map.add_node_with_location(Block { rect, colour: tokens.category(category) }, rect.center());
        nodes.insert(id.as_str(), node);
    }
    for link in &project.links {
        if let (Some(from), Some(to)) = (nodes.get(link.from.component.as_str()), nodes.get(link.to.component.as_str())) {
            map.add_edge(*from, *to, tokens.wire);
        }
    }
    map
}

/// Lines below blocks.
fn shapes(map: &mut Map, drawing: &DrawContext<'_>) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let edges: Vec<_> = map.edges_iter().map(|(edge, _)| edge).collect();
    for edge in edges {
        let Some((from, to)) = map.edge_endpoints(edge) else { continue };
        let (Some(from), Some(to)) = (map.node(from).cloned(), map.node(to).cloned()) else { continue };
        if let Some(edge) = map.edge_mut(edge) {
            shapes.extend(edge.display_mut().shapes(&from, &to, drawing));
        }
    }
    let nodes: Vec<_> = map.nodes_iter().map(|(node, _)| node).collect();
    for node in nodes {
        if let Some(node) = map.node_mut(node) {
            shapes.extend(node.display_mut().shapes(drawing));
        }
    }
    shapes
}

/// A card on the map.
#[derive(Clone, Debug)]
struct Block {
    rect: Rect,
    colour: Color32,
}

impl From<NodeProps<Self>> for Block {
    fn from(props: NodeProps<Self>) -> Self {
        props.payload
    }
}

impl DisplayNode<Self, Color32, Directed, DefaultIx> for Block {
    fn closest_boundary_point(&self, _: Vec2) -> Pos2 {
        self.rect.center()
    }
    fn shapes(&mut self, drawing: &DrawContext<'_>) -> Vec<Shape> {
        let corner = |at| drawing.meta.canvas_to_screen_pos(at);
        let rect = Rect::from_min_max(corner(self.rect.min), corner(self.rect.max));
        vec![Shape::rect_filled(rect, CornerRadius::same(1), self.colour)]
    }
    fn update(&mut self, state: &NodeProps<Self>) {
        self.clone_from(&state.payload);
    }
    fn is_inside(&self, pos: Pos2) -> bool {
        self.rect.contains(pos)
    }
}

/// A link on the map.
#[derive(Clone, Debug)]
struct Line {
    colour: Color32,
}

type Ends = Node<Block, Color32, Directed, DefaultIx, Block>;

impl From<EdgeProps<Color32>> for Line {
    fn from(props: EdgeProps<Color32>) -> Self {
        Self { colour: props.payload }
    }
}

impl DisplayEdge<Block, Color32, Directed, DefaultIx, Block> for Line {
    fn shapes(&mut self, start: &Ends, end: &Ends, drawing: &DrawContext<'_>) -> Vec<Shape> {
        let at = |node: &Ends| drawing.meta.canvas_to_screen_pos(node.location());
        vec![Shape::line_segment([at(start), at(end)], Stroke::new(1.0, self.colour))]
    }
    fn update(&mut self, state: &EdgeProps<Color32>) {
        self.colour = state.payload;
    }
    fn is_inside(&self, _: &Ends, _: &Ends, _: Pos2) -> bool {
        // Nobody points at a line of the map.
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The whole design is on the map, and what is pointed at there is what stands there.
        #[test]
        fn the_map_holds_the_design(x in -5e3f32..5e3, y in -5e3f32..5e3, width in 1.0f32..2e4, height in 1.0f32..2e4) {
            let bounds = Rect::from_min_size(pos2(x, y), vec2(width, height));
            let view = Rect::from_min_size(pos2(100.0, 50.0), vec2(900.0, 600.0));
            let (rect, meta) = place(bounds, view);
            prop_assert!(view.contains_rect(rect) && rect.width() <= SIZE_MAX.x + 0.1 && rect.height() <= SIZE_MAX.y + 0.1);
            for corner in [bounds.min, bounds.max, bounds.center()] {
                let there = meta.canvas_to_screen_pos(corner);
                prop_assert!(rect.contains(there), "{there:?} in {rect:?}");
                prop_assert!(meta.screen_to_canvas_pos(there).distance(corner) < 0.01 * (1.0 + corner.to_vec2().length()));
            }
        }
    }
}
