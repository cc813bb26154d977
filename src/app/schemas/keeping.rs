//! The desk kept up to date: with the design, with what a run answers, with what the worker has found.
//!
//! Nothing is found anew that stands as it was: designs are told apart by their revision, answers and subjects by their
//! handles. Start at [`AppState::keep_desk`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::subject::{Subject, planned, registries};
use super::{Question, Side, examine};
use crate::app::AppState;
use crate::compile::{self, DrawnUse};
use crate::event::{Answer, VersionState};
use crate::machines::codec::SchemaLibrary;
use crate::machines::registry::diff;
use crate::model::Project;

impl AppState {
    /// Brings the desk up to what there is: once after a command, and once a frame.
    pub(in crate::app) fn keep_desk(&mut self) {
        self.settle_desk_registry();
        self.keep_subjects();
        let desk = &mut self.desk;
        if desk.chosen().is_none() {
            desk.subject = desk.all.first().map(|subject| subject.name().to_string());
            desk.version = None;
            desk.editing = false;
        }
        self.ask_examiner();
        if let Some(examination) = self.desk.examiner.as_ref().and_then(examine::Examiner::answer) {
            self.desk.examination = Some(examination);
        }
        self.keep_changes();
    }

    fn settle_desk_registry(&mut self) {
        let project = Arc::clone(self.document.project());
        let is_there = |id: &String| registries(&project).any(|known| known == id);
        if !self.desk.registry.as_ref().is_some_and(is_there) {
            self.desk.registry = registries(&project).next().map(str::to_owned);
        }
    }

    fn keep_subjects(&mut self) {
        let revision = self.document.revision();
        let is_new_design = self.desk.seen.revision != Some(revision);
        let project = Arc::clone(self.document.project());
        if is_new_design {
            self.desk.seen.revision = Some(revision);
            self.desk.library = Arc::default();
            self.desk.drawn = drawn_uses(&project, &self.desk.library);
        }
        let browsed = self.running.as_ref().and_then(|running| {
            let browsed = running.view().browsed.as_ref()?;
            let is_its = Some(running.component_id(browsed.wish.component)) == self.desk.registry.as_deref();
            (is_its && matches!(browsed.answer, Some(Answer::Subjects(_)))).then(|| Arc::clone(browsed))
        });
        let desk = &mut self.desk;
        let Some(registry) = &desk.registry else {
            desk.all = Arc::from([]);
            return;
        };
        let is_other = desk.seen.registry.as_ref() != Some(registry);
        let problems = self.document.diagnostics();
        match (browsed, &self.running) {
            (Some(browsed), _) => {
                if is_other || is_new_design || desk.seen.browsed.as_ref().is_none_or(|seen| !Arc::ptr_eq(seen, &browsed)) {
                    if let Some(Answer::Subjects(standings)) = &browsed.answer {
                        desk.take(Subject::all(&project, registry, standings, problems, &desk.library));
                    }
                    desk.seen.browsed = Some(browsed);
                    desk.is_live = true;
                }
            }
            // What the run said last stands while something else is looked at.
            (None, Some(_)) if !is_other && desk.is_live => return,
            (None, _) if is_other || is_new_design || desk.is_live => {
                let standings = planned(&project, registry, &desk.library);
                desk.take(Subject::all(&project, registry, &standings, problems, &desk.library));
                desk.seen.browsed = None;
                desk.is_live = false;
            }
            (None, _) => {}
        }
        desk.seen.registry.clone_from(&desk.registry);
    }

    fn ask_examiner(&mut self) {
        let desk = &mut self.desk;
        let Some((draft, registry)) = desk.draft().map(Arc::<str>::from).zip(desk.registry.clone()) else {
            desk.seen.asked = None;
            desk.examination = None;
            return;
        };
        let name = desk.subject.clone().unwrap_or_default();
        let is_asked =
            |(text, all, subject): &(Arc<str>, Arc<[Subject]>, String)| *text == draft && Arc::ptr_eq(all, &desk.all) && *subject == name;
        if desk.seen.asked.as_ref().is_some_and(is_asked) {
            return;
        }
        let Some(subject) = desk.all.iter().position(|subject| **subject.name() == *name) else { return };
        let wake = Arc::clone(&self.wake);
        let examiner = desk.examiner.get_or_insert_with(|| examine::Examiner::start(wake));
        let project = match &self.running {
            Some(running) => Arc::new(running.project().clone()),
            None => Arc::clone(self.document.project()),
        };
        let library = examiner.library();
        desk.seen.asked = Some((Arc::clone(&draft), Arc::clone(&desk.all), name));
        examiner.ask(Question { text: draft, registry, subject, all: Arc::clone(&desk.all), project, library });
    }

    fn keep_changes(&mut self) {
        let desk = &mut self.desk;
        let Some((subject, (old, new))) = desk.chosen().cloned().zip(desk.sides()) else {
            desk.changes.clear();
            desk.seen.compared = None;
            return;
        };
        let draft = desk.draft().unwrap_or_default().to_owned();
        let asked = (old, new, Arc::clone(&desk.all), subject.name().to_string(), draft);
        let is_seen = |seen: &(Side, Side, Arc<[Subject]>, String, String)| {
            (seen.0, seen.1) == (old, new)
                && Arc::ptr_eq(&seen.2, &asked.2)
                && seen.3 == asked.3
                && (seen.4 == asked.4 || old != Side::Draft && new != Side::Draft)
        };
        if desk.seen.compared.as_ref().is_some_and(is_seen) {
            return;
        }
        // A draft that is no schema for the time being leaves the last changes standing.
        let drafted = desk.examination.as_ref().filter(|examination| *examination.text == *asked.4);
        let drafted = drafted.and_then(|examination| examination.result.as_ref().ok()).map(|judged| Arc::clone(&judged.schema));
        let schema = |side: Side| match side {
            Side::Version(number) => subject.schema(number, &desk.library),
            Side::Draft => drafted.clone(),
        };
        if let Some((old, new)) = schema(old).zip(schema(new)) {
            desk.changes = diff(&desk.library, &old, &new, subject.rules());
            desk.seen.compared = Some(asked);
        }
    }
}

/// Every use of the design with the version and the id that it comes to before a run.
fn drawn_uses(project: &Project, library: &Arc<SchemaLibrary>) -> Vec<(DrawnUse, Option<(u32, u32)>)> {
    let uses = compile::schema_uses(project);
    let mut standings = BTreeMap::new();
    let with_version = |one: DrawnUse| {
        let subjects = standings.entry(one.registry.clone()).or_insert_with(|| planned(project, &one.registry, library));
        let versions = subjects.iter().find(|subject| *subject.name == *one.subject).map(|subject| &subject.versions[..]);
        let mut available = versions.unwrap_or_default().iter().filter(|version| version.state == VersionState::Available).rev();
        let found = available.find(|version| one.version.is_none_or(|wanted| wanted == version.number));
        let found = found.map(|version| (version.number, version.id));
        (one, found)
    };
    uses.into_iter().map(with_version).collect()
}
