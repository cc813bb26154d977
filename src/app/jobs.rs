//! Background jobs: file dialogs that must not hold the window up.
//!
//! In: a wish for a dialog. Out, some frames later: the path that was chosen. A small tokio runtime drives
//! the portal's conversation; the simulation never runs here.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
#[cfg(feature = "gui")]
use std::time::Duration;

/// What a chosen path is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogFor {
    /// Open it.
    Open,
    /// Make a design of it, from this format.
    Import(String),
    /// Save there.
    Save,
    /// Export there, in this format.
    Export(String),
}

/// What came of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// A path.
    Chosen(DialogFor, PathBuf),
    /// The person thought better of it.
    GivenUp,
    /// The desktop showed none: it closed sooner than anybody could have closed it.
    NotShown(DialogFor),
}

/// Nobody closes a dialog within this time; a desktop without dialogs says so at once.
#[cfg(feature = "gui")]
const SEEN_AT_LEAST: Duration = Duration::from_millis(400);

/// Jobs under way.
pub struct Jobs {
    done: Receiver<Answered>,
    #[cfg_attr(not(feature = "gui"), expect(dead_code, reason = "only a window has dialogs"))]
    sender: Sender<Answered>,
    runtime: Option<tokio::runtime::Runtime>,
    open: usize,
}

impl Default for Jobs {
    fn default() -> Self {
        let (sender, done) = channel();
        Self { done, sender, runtime: None, open: 0 }
    }
}

impl Jobs {
    /// Whether a dialog is open.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.open > 0
    }
    /// What was answered since the last look.
    pub fn poll(&mut self) -> Vec<Answered> {
        let answers: Vec<Answered> = self.done.try_iter().collect();
        self.open = self.open.saturating_sub(answers.len());
        answers
    }
    /// Opens a native dialog; `wake` is called when it is answered.
    ///
    /// # Errors
    /// In words, when no dialog can be shown here.
    #[cfg(feature = "gui")]
    pub fn ask(&mut self, wish: DialogFor, file_name: &str, wake: Box<dyn Fn() + Send>) -> Result<(), String> {
        if self.runtime.is_none() {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            self.runtime = Some(runtime.map_err(|error| format!("no dialog can be shown: {error}"))?);
        }
        let runtime = self.runtime.as_ref().expect("it was just made");
        let (extension, name) = match &wish {
            DialogFor::Open | DialogFor::Save => ("ron", "Eventyard project"),
            DialogFor::Import(_) => ("txt", "Text"),
            DialogFor::Export(format) => (crate::export::extension(format), "Export"),
        };
        let extensions: &[&str] = if wish == DialogFor::Open { &["ron", "json"] } else { &[extension] };
        let dialog = rfd::AsyncFileDialog::new().add_filter(name, extensions).set_file_name(file_name);
        let sender = self.sender.clone();
        let saving = matches!(wish, DialogFor::Save | DialogFor::Export(_));
        self.open += 1;
        let asked = now();
        runtime.spawn(async move {
            let handle = if saving { dialog.save_file().await } else { dialog.pick_file().await };
            let answer = match handle {
                Some(handle) => Answered::Chosen(wish, handle.path().to_path_buf()),
                None if now().duration_since(asked) < SEEN_AT_LEAST => Answered::NotShown(wish),
                None => Answered::GivenUp,
            };
            // The window may have closed meanwhile: then nobody waits.
            sender.send(answer).ok();
            wake();
        });
        Ok(())
    }
    /// There are no dialogs without a window.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(feature = "gui"))]
    pub fn ask(&mut self, _wish: DialogFor, _file_name: &str, _wake: Box<dyn Fn() + Send>) -> Result<(), String> {
        let _ = &self.runtime;
        Err("this build has no dialogs".to_owned())
    }
}

#[cfg(feature = "gui")]
#[expect(clippy::disallowed_methods, reason = "app owns its background jobs and their clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
