//! How the window looks: every colour, space, radius, text style and icon, in one place.
//!
//! In: a preference for light or dark. Out: [`Tokens`] (colours by meaning), the spacing scale, fonts,
//! [`icon`]s and a few small widgets that the panels share ([`widgets`]).
//! Must not know: the application's state or what a panel shows. Colours are chosen here only; panels
//! name a meaning (`warn`, `text_muted`). Kind is told by shape and icon and status by icon and
//! border first, so nothing depends on colour alone.
//! Start at [`Tokens`], then [`apply`].

pub mod icon;
mod style;
pub mod widgets;

pub use style::{apply, install_fonts};

use egui::{Color32, FontFamily, FontId, RichText, TextStyle};

use crate::app::schemas::tokens::Word;

/// The spacing scale in points: multiples of four.
pub mod space {
    /// Between an icon and its text.
    pub const XS: f32 = 4.0;
    /// Between neighbours.
    pub const S: f32 = 8.0;
    /// Inside a panel's edge.
    pub const M: f32 = 12.0;
    /// Between sections.
    pub const L: f32 = 16.0;
    /// Around an empty state.
    pub const XL: f32 = 24.0;
}

/// Corner radii in points.
pub mod radius {
    /// Badges, table rows.
    pub const S: u8 = 4;
    /// Buttons, fields.
    pub const M: u8 = 6;
    /// Cards, tiles, windows.
    pub const L: u8 = 10;
}

/// Colours by meaning. One value for light, one for dark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tokens {
    /// Whether this is the dark set.
    pub dark: bool,
    /// Behind everything: the drawing.
    pub canvas: Color32,
    /// Panels and cards.
    pub surface: Color32,
    /// Menus, popups, tiles on a panel.
    pub surface_raised: Color32,
    /// Fields, code, the chart's ground.
    pub surface_sunken: Color32,
    /// Under the pointer.
    pub surface_hover: Color32,
    /// Hairlines.
    pub border: Color32,
    /// Outlines of what can be used.
    pub border_strong: Color32,
    /// Reading.
    pub text: Color32,
    /// Second rank.
    pub text_muted: Color32,
    /// What cannot be used now.
    pub text_faint: Color32,
    /// The one accent: primary buttons, focus, selection.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// A quiet ground in the accent's hue.
    pub accent_soft: Color32,
    /// Fine.
    pub ok: Color32,
    /// Its quiet ground.
    pub ok_soft: Color32,
    /// Probably not meant.
    pub warn: Color32,
    /// Its quiet ground.
    pub warn_soft: Color32,
    /// Wrong.
    pub error: Color32,
    /// Its quiet ground.
    pub error_soft: Color32,
    /// The canvas grid's dots.
    pub grid: Color32,
    /// Wires at rest.
    pub wire: Color32,
    /// Wires that only look schemas up.
    pub wire_reference: Color32,
    /// Outline of what is selected.
    pub selection: Color32,
    /// Fill of a selection box.
    pub selection_soft: Color32,
    /// Notes on the canvas.
    pub note: Color32,
    /// Frames on the canvas.
    pub frame: Color32,
    /// Under cards and popups.
    pub shadow: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The light set.
pub const LIGHT: Tokens = Tokens {
    dark: false,
    canvas: rgb(0xF3_F5F8),
    surface: rgb(0xFF_FFFF),
    surface_raised: rgb(0xF8_F9FB),
    surface_sunken: rgb(0xF1_F3F6),
    surface_hover: rgb(0xE9_EDF2),
    border: rgb(0xE0_E5EB),
    border_strong: rgb(0xC6_CED8),
    text: rgb(0x1B_2430),
    text_muted: rgb(0x5A_6675),
    text_faint: rgb(0x93_9EAB),
    accent: rgb(0x0B_62C4),
    on_accent: rgb(0xFF_FFFF),
    accent_soft: rgb(0xE1_EDFB),
    ok: rgb(0x0A_7450),
    ok_soft: rgb(0xDF_F3EA),
    warn: rgb(0x8F_5600),
    warn_soft: rgb(0xFC_F0D8),
    error: rgb(0xBA_2F25),
    error_soft: rgb(0xFC_E6E3),
    grid: rgb(0xD5_DCE4),
    wire: rgb(0x86_92A1),
    wire_reference: rgb(0xAD_B7C3),
    selection: rgb(0x0B_62C4),
    selection_soft: Color32::from_rgba_premultiplied(1, 8, 16, 22),
    note: rgb(0xFF_F6D6),
    frame: rgb(0xE9_EEF4),
    shadow: Color32::from_black_alpha(26),
};

/// The dark set.
pub const DARK: Tokens = Tokens {
    dark: true,
    canvas: rgb(0x11_151B),
    surface: rgb(0x19_1F27),
    surface_raised: rgb(0x20_2731),
    surface_sunken: rgb(0x13_181F),
    surface_hover: rgb(0x2A_333F),
    border: rgb(0x2B_3440),
    border_strong: rgb(0x42_4E5D),
    text: rgb(0xE4_E9EF),
    text_muted: rgb(0x9D_A9B7),
    text_faint: rgb(0x6A_7685),
    accent: rgb(0x62_ADFF),
    on_accent: rgb(0x07_1626),
    accent_soft: rgb(0x1B_3350),
    ok: rgb(0x45_C792),
    ok_soft: rgb(0x14_3529),
    warn: rgb(0xF0_B450),
    warn_soft: rgb(0x3A_2C12),
    error: rgb(0xFF_8074),
    error_soft: rgb(0x43_211E),
    grid: rgb(0x25_2D38),
    wire: rgb(0x6B_7889),
    wire_reference: rgb(0x4C_5868),
    selection: rgb(0x62_ADFF),
    selection_soft: Color32::from_rgba_premultiplied(9, 16, 24, 30),
    note: rgb(0x33_2F1E),
    frame: rgb(0x17_1D25),
    shadow: Color32::from_black_alpha(110),
};

/// The tokens of the theme in force.
#[must_use]
pub fn tokens(ctx: &egui::Context) -> &'static Tokens {
    match ctx.theme() {
        egui::Theme::Dark => &DARK,
        egui::Theme::Light => &LIGHT,
    }
}

/// How something stands, for badges, tiles and borders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to say.
    #[default]
    Neutral,
    /// In focus.
    Accent,
    /// Fine.
    Ok,
    /// Look here.
    Warn,
    /// Wrong.
    Error,
}

impl Tokens {
    /// Colour of a part of code: each stands out from the sunken ground, and the words say the same without it.
    #[must_use]
    pub const fn code(&self, part: Word) -> Color32 {
        match (part, self.dark) {
            (Word::Key | Word::Keyword, _) => self.accent,
            (Word::Text, _) => self.ok,
            (Word::Type, false) => rgb(0x7A_3E9D),
            (Word::Type, true) => rgb(0xD3_A4F0),
            (Word::Number, false) => rgb(0x9C_4508),
            (Word::Number, true) => rgb(0xF0_A868),
            (Word::Comment, _) => self.text_muted,
            (Word::Plain, _) => self.text,
        }
    }
    /// Foreground of a tone.
    #[must_use]
    pub const fn tone(&self, tone: Tone) -> Color32 {
        match tone {
            Tone::Neutral => self.text_muted,
            Tone::Accent => self.accent,
            Tone::Ok => self.ok,
            Tone::Warn => self.warn,
            Tone::Error => self.error,
        }
    }
    /// Quiet ground of a tone.
    #[must_use]
    pub const fn tone_soft(&self, tone: Tone) -> Color32 {
        match tone {
            Tone::Neutral => self.surface_hover,
            Tone::Accent => self.accent_soft,
            Tone::Ok => self.ok_soft,
            Tone::Warn => self.warn_soft,
            Tone::Error => self.error_soft,
        }
    }
    /// Colour of the `index`th event type or series: Okabe and Ito's set, in an order in which neighbours
    /// differ most; black becomes the text colour and yellow is darkened on a light ground.
    #[must_use]
    pub const fn series(&self, index: usize) -> Color32 {
        match index % 8 {
            0 => OKABE_ITO.blue_for(self.dark),
            1 => OKABE_ITO.orange,
            2 => OKABE_ITO.green,
            3 => OKABE_ITO.purple,
            4 => OKABE_ITO.vermillion,
            5 => OKABE_ITO.sky_for(self.dark),
            6 => OKABE_ITO.yellow_for(self.dark),
            _ => self.text,
        }
    }
    /// What came into being.
    #[must_use]
    pub const fn produced(&self) -> Color32 {
        self.series(0)
    }
    /// What arrived.
    #[must_use]
    pub const fn delivered(&self) -> Color32 {
        self.series(2)
    }
    /// What was refused.
    #[must_use]
    pub const fn rejected(&self) -> Color32 {
        self.series(4)
    }
    /// The hue of a kind's icon and card stripe, by its palette category.
    #[must_use]
    pub fn category(&self, category: &str) -> Color32 {
        match category {
            "Clients" => self.series(0),
            "Messaging" => self.series(1),
            "Edge" => self.series(3),
            "Governance" => self.series(2),
            "Services" => self.series(4),
            _ => self.text_muted,
        }
    }
}

struct OkabeIto {
    orange: Color32,
    green: Color32,
    purple: Color32,
    vermillion: Color32,
}

const OKABE_ITO: OkabeIto = OkabeIto { orange: rgb(0xE6_9F00), green: rgb(0x00_9E73), purple: rgb(0xCC_79A7), vermillion: rgb(0xD5_5E00) };

impl OkabeIto {
    // The set's blue is too dark on a dark ground: its sky blue takes that place and the other way round.
    const fn blue_for(&self, dark: bool) -> Color32 {
        if dark { rgb(0x56_B4E9) } else { rgb(0x00_72B2) }
    }
    const fn sky_for(&self, dark: bool) -> Color32 {
        if dark { rgb(0x3D_8FD1) } else { rgb(0x56_B4E9) }
    }
    const fn yellow_for(&self, dark: bool) -> Color32 {
        if dark { rgb(0xF0_E442) } else { rgb(0xB5_A900) }
    }
}

/// The family of semi-bold text.
#[must_use]
pub fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// The family of filled icons (play, pause and the like).
#[must_use]
pub fn icon_fill_family() -> FontFamily {
    FontFamily::Name("icons-fill".into())
}

/// Semi-bold text at the body's size.
#[must_use]
pub fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).family(strong_family())
}

/// Semi-bold, one size up: a panel's title.
#[must_use]
pub fn title(text: impl Into<String>) -> RichText {
    RichText::new(text).text_style(TextStyle::Name("title".into()))
}

/// Small text of the second rank.
#[must_use]
pub fn muted(tokens: &Tokens, text: impl Into<String>) -> RichText {
    RichText::new(text).text_style(TextStyle::Small).color(tokens.text_muted)
}

/// Sizes for painters, which have no text styles.
#[must_use]
pub fn font(size: f32) -> FontId {
    FontId::proportional(size)
}

/// The same, semi-bold.
#[must_use]
pub fn font_strong(size: f32) -> FontId {
    FontId::new(size, strong_family())
}
