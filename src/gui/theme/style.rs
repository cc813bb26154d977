//! The theme carried into egui: fonts once, one style for light and one for dark.

use std::sync::Arc;

use egui::epaint::{CornerRadius, Shadow};
use egui::style::{HandleShape, ScrollStyle, WidgetVisuals};
use egui::{Color32, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, Style, TextStyle, Vec2, Visuals};

use super::{DARK, LIGHT, Tokens, icon_fill_family, radius, strong_family};

/// Fonts, both styles, and which of them is in force.
pub fn apply(ctx: &egui::Context, preference: egui::ThemePreference) {
    install_fonts(ctx);
    ctx.set_style_of(egui::Theme::Light, style(&LIGHT));
    ctx.set_style_of(egui::Theme::Dark, style(&DARK));
    ctx.set_theme(preference);
}

/// Inter for reading, JetBrains Mono for payloads, Phosphor for icons.
pub fn install_fonts(ctx: &egui::Context) {
    let mut fonts = FontDefinitions::empty();
    let mut add = |name: &str, bytes: &'static [u8]| {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    };
    add("inter", include_bytes!("../../../assets/fonts/Inter-Regular.otf"));
    add("inter-strong", include_bytes!("../../../assets/fonts/Inter-SemiBold.otf"));
    add("mono", include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf"));
    add("phosphor", egui_phosphor::Variant::Regular.font_bytes());
    add("phosphor-fill", egui_phosphor::Variant::Fill.font_bytes());
    // Text fonts come first in each family: the icon fonts map plain letters to blank glyphs.
    let mut family = |family: FontFamily, names: [&str; 3]| {
        fonts.families.insert(family, names.into_iter().map(str::to_owned).collect());
    };
    family(FontFamily::Proportional, ["inter", "phosphor", "mono"]);
    family(FontFamily::Monospace, ["mono", "phosphor", "inter"]);
    family(strong_family(), ["inter-strong", "phosphor", "mono"]);
    family(icon_fill_family(), ["inter", "phosphor-fill", "mono"]);
    ctx.set_fonts(fonts);
}

fn style(tokens: &Tokens) -> Style {
    let mut style = Style { visuals: visuals(tokens), animation_time: 0.12, ..Style::default() };
    let proportional = |size| FontId::new(size, FontFamily::Proportional);
    let strong = |size| FontId::new(size, strong_family());
    style.text_styles = [
        (TextStyle::Small, proportional(11.5)),
        (TextStyle::Body, proportional(13.0)),
        (TextStyle::Button, proportional(13.0)),
        (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
        (TextStyle::Heading, strong(18.0)),
        (TextStyle::Name("title".into()), strong(14.0)),
        (TextStyle::Name("stat".into()), strong(20.0)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, 6.0);
    spacing.button_padding = Vec2::new(10.0, 5.0);
    spacing.interact_size = Vec2::new(28.0, 28.0);
    spacing.window_margin = Margin::same(16);
    spacing.menu_margin = Margin::same(6);
    spacing.menu_spacing = 4.0;
    spacing.indent = 16.0;
    spacing.combo_width = 96.0;
    spacing.combo_height = 320.0;
    spacing.slider_width = 140.0;
    spacing.slider_rail_height = 4.0;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.icon_spacing = 6.0;
    spacing.tooltip_width = 320.0;
    spacing.scroll = ScrollStyle { bar_width: 8.0, handle_min_length: 24.0, floating_width: 4.0, ..ScrollStyle::floating() };
    spacing.scroll.dormant_handle_opacity = 0.35;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.35;
    style
}

fn visuals(tokens: &Tokens) -> Visuals {
    let mut visuals = if tokens.dark { Visuals::dark() } else { Visuals::light() };
    visuals.widgets.noninteractive = widget(tokens.surface, tokens.surface, tokens.border, tokens.text);
    visuals.widgets.inactive = widget(tokens.surface_hover, tokens.surface_raised, tokens.border_strong, tokens.text);
    visuals.widgets.hovered = widget(tokens.surface_hover, tokens.surface_hover, tokens.border_strong, tokens.text);
    visuals.widgets.active = widget(tokens.accent_soft, tokens.accent_soft, tokens.accent, tokens.text);
    visuals.widgets.open = widget(tokens.surface_hover, tokens.surface_hover, tokens.accent, tokens.text);
    // A check-mark or a slider's grip must stand out from its own ground.
    visuals.widgets.inactive.bg_fill = tokens.border_strong;
    visuals.selection.bg_fill = tokens.accent_soft;
    visuals.selection.stroke = Stroke::new(1.0, tokens.accent);
    visuals.hyperlink_color = tokens.accent;
    visuals.faint_bg_color = tokens.surface_raised;
    visuals.extreme_bg_color = tokens.surface_sunken;
    visuals.text_edit_bg_color = Some(tokens.surface_sunken);
    visuals.code_bg_color = tokens.surface_sunken;
    visuals.weak_text_color = Some(tokens.text_muted);
    visuals.warn_fg_color = tokens.warn;
    visuals.error_fg_color = tokens.error;
    visuals.panel_fill = tokens.surface;
    visuals.window_fill = tokens.surface;
    visuals.window_stroke = Stroke::new(1.0, tokens.border);
    visuals.window_corner_radius = CornerRadius::same(radius::L);
    visuals.menu_corner_radius = CornerRadius::same(radius::M + 2);
    visuals.window_shadow = shadow(tokens, 24, 8);
    visuals.popup_shadow = shadow(tokens, 14, 4);
    visuals.text_cursor.stroke = Stroke::new(1.5, tokens.accent);
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = HandleShape::Circle;
    visuals.indent_has_left_vline = false;
    visuals.disabled_alpha = 0.45;
    visuals.interact_cursor = None;
    visuals
}

fn widget(bg_fill: Color32, weak_bg_fill: Color32, border: Color32, text: Color32) -> WidgetVisuals {
    WidgetVisuals {
        bg_fill,
        weak_bg_fill,
        bg_stroke: Stroke::new(1.0, border),
        corner_radius: CornerRadius::same(radius::M),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    }
}

fn shadow(tokens: &Tokens, blur: u8, offset: i8) -> Shadow {
    Shadow { offset: [0, offset], blur, spread: 0, color: tokens.shadow }
}
