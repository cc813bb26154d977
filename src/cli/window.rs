//! Opening the window, and what happens where there is no display.

use std::path::{Path, PathBuf};

use super::documents;
use super::exit::{End, Stop, tell};
use super::run;

/// Opens the window on a file, or on the starter, and returns when it is closed; or says why there is none.
pub type OpenWindow = fn(Option<PathBuf>) -> Result<(), String>;

const NO_DISPLAY: &str = "no display: running the starter headless; see --help";

/// The bare command: the starter project in the window, or headless where nothing can be shown.
///
/// # Errors
/// Whatever the headless run meets.
pub fn starter(window: Option<OpenWindow>) -> Result<End, Stop> {
    if let Some(show) = window.filter(|_| display_is_usable()) {
        match show(None) {
            Ok(()) => return Ok(End::Fine),
            // A display that answers but gives no window (no OpenGL, say) is as good as none.
            Err(why) => tell(&format!("the window could not open: {why}")),
        }
    }
    tell(NO_DISPLAY);
    run::run_starter()
}

/// A file in the window. A broken project opens too, with its problems.
///
/// # Errors
/// No display, or a file that cannot be read.
pub fn open(file: &Path, window: Option<OpenWindow>) -> Result<End, Stop> {
    let Some(show) = window.filter(|_| display_is_usable()) else {
        return Err(Stop::usage(format!(
            "no display: the window cannot open here; `eventyard run {}` runs the project without one",
            file.display()
        )));
    };
    documents::readable(file)?;
    show(Some(file.to_path_buf())).map(|()| End::Fine).map_err(|why| Stop::usage(format!("the window could not open: {why}")))
}

/// Whether a display server answers.
fn display_is_usable() -> bool {
    cfg!(not(all(unix, not(target_os = "macos")))) || unix::wayland_answers() || unix::x11_answers()
}

#[cfg(not(unix))]
mod unix {
    pub(super) fn wayland_answers() -> bool {
        false
    }
    pub(super) fn x11_answers() -> bool {
        false
    }
}

#[cfg(unix)]
mod unix {
    use std::env;
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};

    pub(super) fn wayland_answers() -> bool {
        let Some(name) = env::var_os("WAYLAND_DISPLAY").filter(|name| !name.is_empty()) else { return false };
        let path = PathBuf::from(name);
        let path = if path.is_absolute() { path } else { PathBuf::from(env::var_os("XDG_RUNTIME_DIR").unwrap_or_default()).join(path) };
        UnixStream::connect(path).is_ok()
    }

    pub(super) fn x11_answers() -> bool {
        let Ok(name) = env::var("DISPLAY") else { return false };
        match local_number(&name) {
            Some(number) => UnixStream::connect(Path::new("/tmp/.X11-unix").join(format!("X{number}"))).is_ok() || abstract_answers(number),
            // A display on another machine: only the attempt itself can tell.
            None => !name.is_empty(),
        }
    }

    /// The number of `:7`, `:7.0`, `unix:7`; none for a display on another host.
    pub(super) fn local_number(name: &str) -> Option<u32> {
        let (host, rest) = name.rsplit_once(':')?;
        if !matches!(host, "" | "unix") {
            return None;
        }
        rest.split('.').next()?.parse().ok()
    }

    #[cfg(target_os = "linux")]
    fn abstract_answers(number: u32) -> bool {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::SocketAddr;
        SocketAddr::from_abstract_name(format!("/tmp/.X11-unix/X{number}")).is_ok_and(|addr| UnixStream::connect_addr(&addr).is_ok())
    }

    #[cfg(not(target_os = "linux"))]
    fn abstract_answers(_number: u32) -> bool {
        false
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::unix::local_number;

    #[test]
    fn display_names_are_understood() {
        assert_eq!(["", ":0", ":99.1", "unix:3", "host:0", ":x"].map(local_number), [None, Some(0), Some(99), Some(3), None, None]);
    }
}
