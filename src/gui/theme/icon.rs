//! Icons by meaning, from Phosphor. A panel names an action or a status; which glyph that is stands here.

use egui_phosphor::regular as p;

use crate::diagnostics::Severity;
use crate::metrics::{ExpectationState, FlightStatus};

pub const ADD: &str = p::PLUS;
pub const ALIGN: &str = p::ALIGN_LEFT;
pub const AUTO_LAYOUT: &str = p::TREE_STRUCTURE;
pub const BACK: &str = p::ARROW_LEFT;
pub const BLOCKED: &str = p::PROHIBIT;
pub const CARET_DOWN: &str = p::CARET_DOWN;
pub const CARET_RIGHT: &str = p::CARET_RIGHT;
pub const CHART: &str = p::CHART_LINE_UP;
pub const CLEAR: &str = p::X_CIRCLE;
pub const CLOCK: &str = p::CLOCK;
pub const CLOSE: &str = p::X;
pub const COMPONENT: &str = p::CUBE;
pub const COPY: &str = p::COPY;
pub const CUT: &str = p::SCISSORS;
pub const DECISION: &str = p::CHAT_TEXT;
pub const DELETE: &str = p::TRASH;
pub const DUPLICATE: &str = p::COPY_SIMPLE;
pub const EDIT: &str = p::PENCIL_SIMPLE;
pub const ERROR: &str = p::X_CIRCLE;
pub const EVENT: &str = p::ENVELOPE_SIMPLE_OPEN;
pub const EXPECTATIONS: &str = p::LIST_CHECKS;
pub const EXPORT: &str = p::EXPORT;
pub const FAILED: &str = p::WARNING_OCTAGON;
pub const FINISHED: &str = p::FLAG_CHECKERED;
pub const FIRST: &str = p::ARROW_LINE_LEFT;
pub const FIT: &str = p::CORNERS_OUT;
pub const FOLLOW: &str = p::CROSSHAIR;
pub const FORTH: &str = p::ARROW_RIGHT;
pub const FRAME: &str = p::SELECTION;
pub const GRID: &str = p::GRID_FOUR;
pub const GRIP: &str = p::DOTS_SIX_VERTICAL;
pub const HEADERS: &str = p::TAG;
pub const HELP: &str = p::QUESTION;
pub const HINT: &str = p::LIGHTBULB;
pub const INCIDENTS: &str = p::SIREN;
pub const INFO: &str = p::INFO;
pub const KEY: &str = p::KEY;
pub const LEDGER: &str = p::SCALES;
pub const LINK: &str = p::LINE_SEGMENT;
pub const LOCK: &str = p::LOCK_SIMPLE;
pub const MENU: &str = p::DOTS_THREE;
pub const MET: &str = p::CHECK_CIRCLE;
pub const MINIMAP: &str = p::MAP_TRIFOLD;
pub const MISSED: &str = p::X_CIRCLE;
pub const MORE: &str = p::DOTS_THREE_VERTICAL;
pub const NEW: &str = p::FILE_PLUS;
pub const NEWEST: &str = p::ARROW_LINE_DOWN;
pub const NOTE: &str = p::NOTE;
pub const OPEN: &str = p::FOLDER_OPEN;
pub const PARTITIONS: &str = p::STACK;
pub const PASTE: &str = p::CLIPBOARD_TEXT;
pub const PAUSE: &str = p::PAUSE;
pub const PAYLOAD: &str = p::BRACKETS_CURLY;
pub const PENDING: &str = p::CIRCLE_DASHED;
pub const PLAY: &str = p::PLAY;
pub const PLACE: &str = p::MAP_PIN;
pub const PROBLEMS: &str = p::WARNING_CIRCLE;
pub const RECENT: &str = p::CLOCK_COUNTER_CLOCKWISE;
pub const RECORDS: &str = p::ROWS;
pub const REDO: &str = p::ARROW_U_UP_RIGHT;
pub const REMARK: &str = p::CHAT_CENTERED_DOTS;
pub const RESET: &str = p::ARROW_COUNTER_CLOCKWISE;
pub const RUN: &str = p::PLAY;
pub const SAVE: &str = p::FLOPPY_DISK;
pub const SCENARIO: &str = p::FILM_SLATE;
pub const SCHEMA: &str = p::BOOK_OPEN_TEXT;
pub const SEARCH: &str = p::MAGNIFYING_GLASS;
pub const SEED: &str = p::DICE_FIVE;
pub const SETTINGS: &str = p::SLIDERS_HORIZONTAL;
pub const SNAP: &str = p::MAGNET;
pub const SPEED: &str = p::GAUGE;
pub const STEP_EVENT: &str = p::ARROW_BEND_DOWN_RIGHT;
pub const STEP_SECOND: &str = p::SKIP_FORWARD;
pub const STOP: &str = p::STOP;
pub const TEACHING: &str = p::CHALKBOARD_TEACHER;
pub const THEME_DARK: &str = p::MOON;
pub const THEME_LIGHT: &str = p::SUN;
pub const THEME_SYSTEM: &str = p::MONITOR;
pub const UNDO: &str = p::ARROW_U_UP_LEFT;
pub const WARNING: &str = p::WARNING;
pub const ZOOM_IN: &str = p::MAGNIFYING_GLASS_PLUS;
pub const ZOOM_OUT: &str = p::MAGNIFYING_GLASS_MINUS;

/// A kind's icon by its id; a kind without a line here gets a cube.
#[must_use]
pub fn of_kind(kind: &str) -> &'static str {
    match kind {
        "producer" => p::BROADCAST,
        "consumer" => p::TRAY_ARROW_DOWN,
        "kafka" => p::STACK,
        "queue" => p::QUEUE,
        "fanout" => p::SHARE_NETWORK,
        "gateway" => p::SHIELD_CHECK,
        "registry" => p::BOOKS,
        "service" => p::GEAR_SIX,
        "bridge" => p::BRIDGE,
        "database" => p::DATABASE,
        "outgoing" => p::PAPER_PLANE_TILT,
        _ => p::CUBE,
    }
}

/// A diagnostic's icon.
#[must_use]
pub const fn of_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => p::INFO,
        Severity::Warning => p::WARNING,
        Severity::Error => p::X_CIRCLE,
    }
}

/// An expectation's icon.
#[must_use]
pub const fn of_expectation(state: ExpectationState) -> &'static str {
    match state {
        ExpectationState::Met => p::CHECK_CIRCLE,
        ExpectationState::Missed => p::X_CIRCLE,
        ExpectationState::Pending => p::CIRCLE_DASHED,
    }
}

/// An event's icon by how it fared.
#[must_use]
pub const fn of_flight(status: FlightStatus) -> &'static str {
    match status {
        FlightStatus::Normal => p::CHECK_CIRCLE,
        FlightStatus::Rejected => p::PROHIBIT,
        FlightStatus::Lost => p::CIRCLE_DASHED,
        FlightStatus::Duplicate => p::CIRCLES_THREE,
    }
}
