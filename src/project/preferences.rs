//! What the program remembers of its user: theme, window, recent files. Nothing here changes a run.
//!
//! One RON file in the system's folder for settings (`EVENTYARD_CONFIG_DIR` names another). A file that
//! cannot be read is set aside as `.bak`, never overwritten.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{FileError, read_file, write_atomic};
use crate::diagnostics::Diagnostic;

/// How many recent files are kept.
pub const RECENT_MAX: usize = 12;
const FILE_NAME: &str = "preferences.ron";
const FILE_BYTES_MAX: usize = 256 * 1024;
const UI_SCALE: std::ops::RangeInclusive<f32> = 0.5..=4.0;
const WINDOW_POINTS: std::ops::RangeInclusive<f32> = 200.0..=20_000.0;

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Theme {
    /// As the desktop.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What is remembered. Fields that a file lacks have their defaults; fields it has too many are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// Project files, last first.
    pub recent: Vec<PathBuf>,
    /// Width and height of the window in points.
    pub window_size: Option<[f32; 2]>,
    /// Size of everything in the window.
    pub ui_scale: f32,
    /// Whether cards snap to the grid.
    pub snap: bool,
    /// Whether runs start at the teaching pace.
    pub teaching: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { theme: Theme::System, recent: Vec::new(), window_size: None, ui_scale: 1.0, snap: true, teaching: false }
    }
}

/// The folder of preferences: `EVENTYARD_CONFIG_DIR`, or the system's.
///
/// # Errors
/// When the system names no home.
pub fn config_dir() -> Result<PathBuf, FileError> {
    if let Some(folder) = std::env::var_os("EVENTYARD_CONFIG_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    directories::ProjectDirs::from("", "", "eventyard").map(|dirs| dirs.config_dir().to_owned()).ok_or(FileError::NoHome)
}

impl Preferences {
    /// The remembered preferences, or the defaults with a warning that says why.
    #[must_use]
    pub fn load() -> (Self, Vec<Diagnostic>) {
        match config_dir() {
            Ok(folder) => Self::load_from(&folder),
            Err(error) => (Self::default(), vec![warning(error.to_string())]),
        }
    }

    /// The same from a given folder.
    #[must_use]
    pub fn load_from(folder: &Path) -> (Self, Vec<Diagnostic>) {
        let path = folder.join(FILE_NAME);
        let bytes = match read_file(&path, FILE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(FileError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return (Self::default(), Vec::new()),
            Err(error) => return (Self::default(), vec![warning(error.to_string())]),
        };
        let broken = match std::str::from_utf8(&bytes) {
            _ if bytes.len() > FILE_BYTES_MAX => "it is too large".to_owned(),
            Err(_) => "it is not UTF-8".to_owned(),
            Ok(text) => match ron::from_str::<Self>(text) {
                Ok(preferences) => return (preferences.sane(), Vec::new()),
                Err(error) => error.to_string(),
            },
        };
        (Self::default(), vec![set_aside(&path, &broken)])
    }

    /// Remembers them, atomically.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn save(&self) -> Result<(), FileError> {
        self.save_to(&config_dir()?)
    }

    /// The same in a given folder, which is made if need be.
    ///
    /// # Errors
    /// When they cannot be written.
    #[expect(clippy::disallowed_methods, reason = "this room owns the preferences")]
    pub fn save_to(&self, folder: &Path) -> Result<(), FileError> {
        let path = folder.join(FILE_NAME);
        std::fs::create_dir_all(folder).map_err(|source| FileError::Write { path: path.clone(), source })?;
        let pretty = ron::ser::PrettyConfig::new();
        let text = ron::ser::to_string_pretty(&self.clone().sane(), pretty)
            .map_err(|error| FileError::Write { path: path.clone(), source: std::io::Error::other(error) })?;
        write_atomic(&path, text.as_bytes())
    }

    /// Puts a file at the head of the recent ones.
    pub fn remember(&mut self, path: &Path) {
        self.recent.retain(|other| other != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(RECENT_MAX);
    }

    /// Takes a file out of the recent ones.
    pub fn forget(&mut self, path: &Path) {
        self.recent.retain(|other| other != path);
    }

    /// Edited by hand, a file may ask for a window of no size; such fields fall back to what can be shown.
    fn sane(mut self) -> Self {
        self.recent.truncate(RECENT_MAX);
        if !UI_SCALE.contains(&self.ui_scale) {
            self.ui_scale = 1.0;
        }
        self.window_size = self.window_size.filter(|size| size.iter().all(|points| WINDOW_POINTS.contains(points)));
        self
    }
}

#[expect(clippy::disallowed_methods, reason = "this room owns the preferences")]
fn set_aside(path: &Path, why: &str) -> Diagnostic {
    let aside = path.with_extension("ron.bak");
    let done = match std::fs::rename(path, &aside) {
        Ok(()) => format!("it is kept as {}", aside.display()),
        Err(error) => format!("it stays where it is ({error})"),
    };
    warning(format!("the preferences in {} could not be read: {why}", path.display())).with_hint(format!("defaults are used; {done}"))
}

fn warning(message: String) -> Diagnostic {
    Diagnostic::warning("preferences", "preferences", message)
}
