//! What is to be said of a draft: is it a schema, may it follow, what breaks, who breaks, and how to get there.
//!
//! In: a [`Question`]. Out: an [`Examination`], by the same functions that the registry, a run and the command line ask.
//! It may take a while, so a worker does it and the newest question wins. Start at [`examine`], then [`Examiner`].

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::places::{byte_at, line_and_column, range_of, word_at};
use super::subject::{Subject, references_of};
use crate::compile::{Hit, blast_radius};
use crate::machines::codec::{Difference, Rules, Schema, SchemaLibrary, Search, Severity, breaking_event};
use crate::machines::registry::{Compared, Older, Step, Verdict, Way, judge, plan};
use crate::model::{Project, SchemaSource, Value};

/// Drafts whose compiled schemas are kept; then the library begins anew.
const DRAFTS_KEPT_MAX: usize = 500;

/// A draft and what it is held against.
#[derive(Clone, Debug)]
pub struct Question {
    /// The new text.
    pub text: Arc<str>,
    /// The registry that has the subject.
    pub registry: String,
    /// Its place in `all`.
    pub subject: usize,
    /// Every subject of the registry, as it stands.
    pub all: Arc<[Subject]>,
    /// The design, as drawn or as it runs.
    pub project: Arc<Project>,
    /// Compiled schemas.
    pub library: Arc<SchemaLibrary>,
}

/// Where a text is no schema, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// From 1; none where no place is known.
    pub place: Option<(usize, usize)>,
    /// What is to be marked.
    pub range: Option<Range<usize>>,
    /// Why.
    pub words: String,
}

/// The smallest event that breaks, and between whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Breaking {
    /// The older version.
    pub version: u32,
    /// Who reads whom.
    pub way: Way,
    /// The level does not ask about it.
    pub is_allowed: bool,
    /// What was found.
    pub search: Search,
}

/// What is said of a draft that is a schema.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The schema.
    pub schema: Arc<Schema>,
    /// What the subject's level says; none where it takes no further version.
    pub verdict: Option<Verdict>,
    /// It is this version already.
    pub same_as: Option<u32>,
    /// Of the first comparison that breaks, or of one that the level does not ask for.
    pub breaking: Option<Breaking>,
    /// Who of the design is hit.
    pub hits: Result<Vec<Hit>, String>,
    /// The way to it; none where none was found, or none is asked for.
    pub steps: Option<Vec<Step>>,
}

/// What is said of a draft.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The draft.
    pub text: Arc<str>,
    /// Its verdict, or why it is no schema.
    pub result: Result<Judged, Problem>,
}

/// A line of the verdict: one difference to one version.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The older version.
    pub version: Option<u32>,
    /// Who reads whom.
    pub way: Way,
    /// What was found.
    pub difference: &'a Difference,
}

impl Judged {
    /// Whether the registry would take it.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.same_as.is_some() || self.verdict.as_ref().is_some_and(Verdict::is_compatible)
    }
    /// Every difference, those that break first.
    #[must_use]
    pub fn found(&self) -> Vec<Found<'_>> {
        let compared = self.verdict.iter().flat_map(|verdict| &verdict.compared);
        let of = |one: &'_ Compared| (one.version, one.way);
        let mut found: Vec<Found<'_>> = compared
            .flat_map(|one| one.differences.iter().map(move |difference| (of(one), difference)))
            .map(|((version, way), difference)| Found { version, way, difference })
            .collect();
        found.sort_by_key(|found| found.difference.severity);
        found
    }
}

impl Found<'_> {
    /// Where it stands in the older version and in the draft.
    #[must_use]
    pub fn places(&self) -> (Option<&str>, Option<&str>) {
        let Difference { reader, writer, .. } = self.difference;
        match self.way {
            Way::NewReadsOld => (writer.as_deref(), reader.as_deref()),
            Way::OldReadsNew => (reader.as_deref(), writer.as_deref()),
        }
    }
    /// Whom it breaks, in words.
    #[must_use]
    pub const fn whom(&self) -> &'static str {
        match (self.difference.severity, self.way) {
            (Severity::Breaks, Way::NewReadsOld) => "breaks new readers of old data",
            (Severity::Breaks, Way::OldReadsNew) => "breaks old readers of new data",
            (Severity::Warns, _) => "warning",
            (Severity::Fine, _) => "breaks nobody",
        }
    }
}

/// Answers a question.
#[must_use]
pub fn examine(question: &Question) -> Examination {
    let Question { text, all, library, .. } = question;
    let subject = &all[question.subject];
    let references = references_of(subject, all);
    let result = match library.compile_with(&subject.standing.schema_type, text, &references) {
        Ok(schema) => Ok(judged(question, subject, &schema)),
        Err(words) => Err(problem(text, words, subject.is_protobuf())),
    };
    Examination { text: Arc::clone(text), result }
}

fn judged(question: &Question, subject: &Subject, schema: &Arc<Schema>) -> Judged {
    let Question { all, library, .. } = question;
    let (rules, older) = (subject.rules(), subject.older(library));
    let verdict = subject.question().map(|level| judge(library, schema, &older, level, rules));
    let is_same = |older: &&Older| {
        older.schema.stored_text() == schema.stored_text() || older.schema.normal_text() == schema.normal_text() && subject.standing.is_glue
    };
    let same_as = older.iter().rev().find(is_same).and_then(|older| older.version);
    let refused = verdict.as_ref().and_then(|verdict| verdict.compared.iter().find(|compared| compared.breaks()));
    let (version, way, is_allowed) = match refused {
        Some(compared) => (compared.version, Some(compared.way), false),
        None => (older.last().and_then(|latest| latest.version), None, true),
    };
    let breaking = older.iter().find(|older| older.version == version).and_then(|older| {
        // What a level does not ask may break all the same.
        let way =
            way.or_else(|| [Way::NewReadsOld, Way::OldReadsNew].into_iter().find(|way| breaks(library, schema, older, *way, rules)))?;
        let (reader, writer) = reader_and_writer(schema, &older.schema, way);
        Some(Breaking { version: version?, way, is_allowed, search: breaking_event(reader, writer, rules) })
    });
    let steps = verdict
        .as_ref()
        .zip(older.last())
        .and_then(|(verdict, latest)| plan(library, &latest.schema, schema, &references_of(subject, all), verdict.level, rules));
    let registered = as_registered(&question.project, &question.registry, all);
    let hits = blast_radius(&registered, subject.name(), &question.text, library).map(|blast| blast.hits);
    Judged { schema: Arc::clone(schema), verdict, same_as, breaking, hits, steps }
}

fn reader_and_writer<'a>(new: &'a Arc<Schema>, old: &'a Arc<Schema>, way: Way) -> (&'a Arc<Schema>, &'a Arc<Schema>) {
    if way == Way::NewReadsOld { (new, old) } else { (old, new) }
}

fn breaks(library: &SchemaLibrary, new: &Arc<Schema>, old: &Older, way: Way, rules: Rules) -> bool {
    let (reader, writer) = reader_and_writer(new, &old.schema, way);
    library.compare_by(reader, writer, rules).iter().any(|difference| difference.severity == Severity::Breaks)
}

/// The design with the versions that its registry has now.
fn as_registered(project: &Project, registry: &str, all: &[Subject]) -> Project {
    let mut project = project.clone();
    for subject in all {
        let mut names = Vec::new();
        for version in &subject.standing.versions {
            let name = format!("{} version {}", subject.name(), version.number);
            project.schemas.insert(name.clone(), SchemaSource { path: None, text: Arc::clone(&version.text) });
            names.push(Value::Text(name));
        }
        let Some(component) = project.components.get_mut(registry) else { break };
        let slot = component.params.entry("subjects".to_owned()).or_insert_with(|| Value::Map(indexmap::IndexMap::new()));
        let Value::Map(subjects) = slot else { break };
        let row = subjects.entry(subject.name().to_string()).or_insert_with(|| {
            Value::Map([("type".to_owned(), Value::Text(subject.standing.schema_type.to_string()))].into_iter().collect())
        });
        if let Value::Map(row) = row {
            row.insert("versions".to_owned(), Value::List(names));
        }
    }
    project
}

/// Finds the place of a complaint: where the text ends to be JSON, the line and column that a compiler names, or what its
/// words point to or quote.
fn problem(text: &str, words: String, is_protobuf: bool) -> Problem {
    let at = if is_protobuf { named_place(text, &words) } else { broken_json(text).or_else(|| pointed_place(text, &words)) };
    let range = at.map(|range| if range.is_empty() { word_at(text, range.start) } else { range });
    Problem { place: range.as_ref().map(|range| line_and_column(text, range.start)), range, words }
}

fn broken_json(text: &str) -> Option<Range<usize>> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    // It points to what it cannot take.
    let at = byte_at(text, error.line(), error.column());
    Some(at..at)
}

/// `line 3, column 5: …`.
fn named_place(text: &str, words: &str) -> Option<Range<usize>> {
    let number = |word: &str| {
        let (_, rest) = words.split_once(word)?;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().ok()
    };
    let at = byte_at(text, number("line ")?, number("column ")?);
    Some(at..at)
}

/// A pointer in the words, or a name that they quote and the text has once.
fn pointed_place(text: &str, words: &str) -> Option<Range<usize>> {
    let pointer = words.split([' ', ':', ',', '`', '"', '\'']).find(|word| word.starts_with(['/', '#']) && word.len() > 1);
    if let Some(range) = pointer.and_then(|pointer| range_of(text, pointer, false)) {
        return Some(range);
    }
    let quoted = words.split(['`', '"', '\'']).skip(1).step_by(2).filter(|word| !word.is_empty());
    // Without quotes, what is complained of comes last.
    let bare = words.rsplit(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').filter(|word| !word.is_empty());
    let quoted = quoted.chain(bare).map(|word| format!("\"{word}\"")).find(|word| text.contains(word.as_str()))?;
    text.rfind(&quoted).map(|at| at..at + quoted.len())
}

enum Job {
    Examine(Box<Question>, u64),
    Settle(Sender<()>),
}

/// A worker that examines drafts.
pub(super) struct Examiner {
    jobs: Option<Sender<Job>>,
    done: Receiver<(u64, Examination)>,
    worker: Option<JoinHandle<()>>,
    /// Grows with every question.
    asked: u64,
    library: Arc<SchemaLibrary>,
}

impl Examiner {
    #[expect(clippy::disallowed_methods, reason = "app owns its background workers")]
    pub(super) fn start(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (jobs, inbox) = channel();
        let (told, done) = channel();
        let worker = std::thread::spawn(move || work(&inbox, &told, &*wake));
        Self { jobs: Some(jobs), done, worker: Some(worker), asked: 0, library: Arc::default() }
    }
    /// Compiled schemas of what is examined.
    pub(super) fn library(&mut self) -> Arc<SchemaLibrary> {
        if self.asked % DRAFTS_KEPT_MAX as u64 == DRAFTS_KEPT_MAX as u64 - 1 {
            self.library = Arc::default();
        }
        Arc::clone(&self.library)
    }
    /// Asks; what was asked before is no longer wanted.
    pub(super) fn ask(&mut self, question: Question) {
        self.asked += 1;
        self.tell(Job::Examine(Box::new(question), self.asked));
    }
    /// The answer to the newest question, once.
    pub(super) fn answer(&self) -> Option<Examination> {
        self.done.try_iter().filter(|(number, _)| *number == self.asked).last().map(|(_, examination)| examination)
    }
    /// Waits until every question is answered.
    pub(super) fn settle(&self) {
        let (done, wait) = channel();
        self.tell(Job::Settle(done));
        // A worker that is gone has nothing more to say.
        wait.recv().ok();
    }
    fn tell(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The worker takes jobs until the end.
            jobs.send(job).ok();
        }
    }
}

impl Drop for Examiner {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(worker) = self.worker.take() {
            worker.join().ok();
        }
    }
}

fn work(inbox: &Receiver<Job>, told: &Sender<(u64, Examination)>, wake: &dyn Fn()) {
    let mut next = inbox.recv().ok();
    while let Some(mut job) = next.take() {
        // Of questions that wait only the newest is wanted.
        while matches!(job, Job::Examine(..)) {
            match inbox.try_recv() {
                Ok(newer @ Job::Examine(..)) => job = newer,
                Ok(settle @ Job::Settle(_)) => {
                    next = Some(settle);
                    break;
                }
                Err(_) => break,
            }
        }
        match job {
            Job::Examine(question, number) => {
                if told.send((number, examine(&question))).is_err() {
                    return;
                }
                wake();
            }
            Job::Settle(done) => {
                done.send(()).ok();
            }
        }
        next = next.or_else(|| inbox.recv().ok());
    }
}
