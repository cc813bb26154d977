//! Recovery copies of what is not saved yet: written in the background, offered after a crash.
//!
//! In: the document and the time, once a frame ([`Autosave::tick`]). Out: a file beside the project (see
//! `project::recovery`), gone again when the design is saved or left on purpose. One worker carries the jobs
//! out in their order, so that a late write never brings back a copy that was dropped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::{AppState, Document};
use crate::model::Project;
use crate::project::{self, Recovery};

/// What is changed is copied within this many seconds.
pub const COPY_EVERY_S: f64 = 10.0;

enum Job {
    Write {
        path: Option<PathBuf>,
        project: Arc<Project>,
        text: String,
    },
    Drop(Option<PathBuf>),
    /// Answered when everything before it is done.
    Settle(Sender<()>),
}

/// The worker and what it was told.
pub(super) struct Autosave {
    /// None only while it ends.
    jobs: Option<Sender<Job>>,
    worker: Option<JoinHandle<()>>,
    problems: Receiver<String>,
    /// Since when there is something that no copy holds.
    uncopied_since_s: Option<f64>,
    copied: Option<CopyMade>,
}

/// The copy that stands for the open design.
#[derive(PartialEq, Eq)]
struct CopyMade {
    /// The project that it stands beside; none for one never saved.
    path: Option<PathBuf>,
    /// The revision of the document that it holds.
    revision: u64,
}

impl CopyMade {
    fn of(document: &Document) -> Self {
        Self { path: document.path().map(Path::to_path_buf), revision: document.revision() }
    }
}

impl Autosave {
    #[expect(clippy::disallowed_methods, reason = "app owns its background workers")]
    fn start() -> Self {
        let (jobs, inbox) = channel();
        let (told, problems) = channel();
        let worker = std::thread::spawn(move || work(&inbox, &told));
        Self { jobs: Some(jobs), worker: Some(worker), problems, uncopied_since_s: None, copied: None }
    }

    /// Writes a copy when one is due; gives the seconds until it will be.
    fn tick(&mut self, document: &Document, now_s: f64) -> Option<f64> {
        if !document.is_dirty() {
            self.forget();
            self.uncopied_since_s = None;
            return None;
        }
        if self.copied.as_ref() == Some(&CopyMade::of(document)) {
            return None;
        }
        let since = *self.uncopied_since_s.get_or_insert(now_s);
        let left = since + COPY_EVERY_S - now_s;
        if left > 0.0 {
            return Some(left);
        }
        self.uncopied_since_s = None;
        self.copied = Some(CopyMade::of(document));
        let path = document.path().map(Path::to_path_buf);
        self.tell(Job::Write { path, project: Arc::clone(document.project()), text: document.text().to_owned() });
        None
    }

    /// The copy that was made of the open project is of no use any more. One that an earlier session left is
    /// not this one's to drop.
    fn forget(&mut self) {
        if let Some(copy) = self.copied.take() {
            self.tell(Job::Drop(copy.path));
        }
    }

    fn tell(&self, job: Job) {
        let jobs = self.jobs.as_ref().expect("it is there until the end");
        jobs.send(job).expect("the worker takes jobs until the end");
    }

    fn settle(&self) {
        let (done, wait) = channel();
        self.tell(Job::Settle(done));
        wait.recv().expect("the worker answers before it ends");
    }
}

impl Drop for Autosave {
    fn drop(&mut self) {
        // Without a sender the worker ends after its last job: a copy that is to go is gone when the program is.
        self.jobs = None;
        if let Some(worker) = self.worker.take() {
            worker.join().expect("the worker does not panic");
        }
    }
}

fn work(inbox: &Receiver<Job>, told: &Sender<String>) {
    for job in inbox {
        let done = match job {
            Job::Write { path, project, text } => {
                project::write_recovery(path.as_deref(), &project, Some(text.as_str()).filter(|text| !text.is_empty()))
            }
            Job::Drop(path) => project::drop_recovery(path.as_deref()),
            Job::Settle(done) => {
                // Who asked may have gone.
                done.send(()).ok();
                continue;
            }
        };
        if let Err(error) = done {
            told.send(error.to_string()).ok();
        }
    }
}

impl AppState {
    /// From now on recovery copies are kept and offered; tests and tools go without.
    pub fn keep_recovery_copies(&mut self) {
        self.autosave = Some(Autosave::start());
    }

    /// Lets time pass for recovery copies; gives the seconds until the next one is due.
    pub fn tick(&mut self, now_s: f64) -> Option<f64> {
        let autosave = self.autosave.as_mut()?;
        let left = autosave.tick(&self.document, now_s);
        let problems: Vec<String> = autosave.problems.try_iter().collect();
        for words in problems {
            self.notice(format!("No recovery copy: {words}"), true);
        }
        left
    }

    /// Waits until every recovery copy that was asked for is written or gone.
    pub fn settle_recovery(&self) {
        if let Some(autosave) = &self.autosave {
            autosave.settle();
        }
    }

    /// After a crash: offers what was lost, of a design never saved or of a recent file.
    pub fn look_for_lost_work(&mut self) {
        let places: Vec<Option<PathBuf>> = std::iter::once(None).chain(self.recent.iter().cloned().map(Some)).collect();
        for place in places {
            self.offer_recovery(place.as_deref());
            if self.recovery.is_some() {
                return;
            }
        }
    }

    /// Offers the recovery copy of a project, if one was left behind.
    pub(super) fn offer_recovery(&mut self, path: Option<&Path>) {
        if self.autosave.is_some() {
            self.recovery = project::find_recovery(path).filter(|recovery| recovery.loaded.is_sound());
        }
    }

    /// The offered copy becomes the open design; the file is as it was until it is saved.
    pub(super) fn recover(&mut self) {
        let Some(Recovery { loaded, .. }) = self.recovery.take() else { return };
        let saved = loaded.path.as_deref().and_then(|path| project::load_file(path).ok());
        let document = Document::recovered(loaded, saved.map(|saved| saved.project).unwrap_or_default());
        if let Some(autosave) = &mut self.autosave {
            // The copy stays until there is a newer one.
            autosave.copied = Some(CopyMade::of(&document));
        }
        self.replace_document(document);
    }

    /// The offered copy is not wanted.
    pub(super) fn drop_offered_recovery(&mut self) {
        let Some(recovery) = self.recovery.take() else { return };
        if let Some(autosave) = &self.autosave {
            autosave.tell(Job::Drop(recovery.loaded.path));
        }
    }

    /// The open design is saved or left: its copy goes.
    pub(super) fn forget_recovery(&mut self) {
        if let Some(autosave) = &mut self.autosave {
            autosave.forget();
        }
    }
}
