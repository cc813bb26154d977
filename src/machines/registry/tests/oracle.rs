//! The registry against one that keeps nothing but lists: random registrations, deletions, modes and references.

use std::collections::BTreeMap;

use super::*;
use crate::random::Stream;

/// Schemas that any may follow under NONE; the last refers to one of the others.
const TEXTS: [&str; 4] = [V1, V2_DEFAULT, V2_REQUIRED, V2_TEXT];
const SUBJECTS: [&str; 3] = ["a", "b", ":.x:a"];
const TURNS: usize = 60;

/// What somebody with a list and much time would keep.
#[derive(Default)]
struct Naive {
    rows: Vec<Row>,
    /// Greatest id ever given, by context.
    last_ids: BTreeMap<String, u32>,
    is_read_only: bool,
}

#[derive(Clone, Debug)]
struct Row {
    subject: String,
    version: u32,
    id: u32,
    text: String,
    refers_to: Option<(String, u32)>,
    is_deleted: bool,
}

type Content = (String, Option<(String, u32)>);

impl Row {
    fn content(&self) -> Content {
        (self.text.clone(), self.refers_to.clone())
    }
}

fn context(subject: &str) -> &str {
    if subject.starts_with(":.x:") { ".x" } else { "." }
}

impl Naive {
    fn of<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.subject == subject)
    }
    fn is_referred_to(&self, subject: &str, version: u32, with_deleted: bool, from_outside: bool) -> bool {
        // An id counts while any version has it; for that a row of the same content is enough.
        let refers = |row: &&Row| row.refers_to.as_ref() == Some(&(subject.to_owned(), version));
        let mut found = self.rows.iter().filter(refers).filter(|row| with_deleted || !row.is_deleted);
        found.any(|row| !from_outside || row.subject != subject)
    }
    fn register(&mut self, subject: &str, content: Content) -> Result<(u32, u32), u32> {
        if let Some((target, version)) = &content.1
            && !self.of(target).any(|row| row.version == *version)
        {
            return Err(42201);
        }
        if let Some(known) = self.of(subject).filter(|row| !row.is_deleted && row.content() == content).last() {
            return Ok((known.id, known.version));
        }
        if self.is_read_only {
            return Err(42205);
        }
        let here = context(subject).to_owned();
        let same = self.rows.iter().find(|row| context(&row.subject) == here && row.content() == content);
        let last = self.last_ids.entry(here).or_default();
        let id = same.map_or(*last + 1, |row| row.id);
        *last = (*last).max(id);
        let version = self.of(subject).map(|row| row.version).max().unwrap_or(0) + 1;
        let is_back = |row: &Row| row.subject == subject && row.is_deleted && row.id == id;
        let kept: Vec<bool> = self.rows.iter().map(|row| !is_back(row) || self.is_referred_to(subject, row.version, true, false)).collect();
        let mut kept = kept.into_iter();
        self.rows.retain(|_| kept.next().unwrap_or(true));
        self.rows.push(Row { subject: subject.to_owned(), version, id, text: content.0, refers_to: content.1, is_deleted: false });
        Ok((id, version))
    }
    fn delete_version(&mut self, subject: &str, version: u32, permanent: bool) -> Result<u32, u32> {
        if self.of(subject).next().is_none() {
            return Err(40401);
        }
        let row = self.of(subject).find(|row| row.version == version).cloned().ok_or(40402_u32)?;
        match (row.is_deleted, permanent) {
            (true, false) => return Err(40406),
            _ if self.is_read_only => return Err(42205),
            _ if self.is_referred_to(subject, version, permanent, false) => return Err(42206),
            (false, true) => return Err(40407),
            (true, true) => self.rows.retain(|row| row.subject != subject || row.version != version),
            (false, false) => {
                let row = self.rows.iter_mut().find(|row| row.subject == subject && row.version == version);
                row.expect("found before").is_deleted = true;
            }
        }
        Ok(version)
    }
    fn delete_subject(&mut self, subject: &str, permanent: bool) -> Result<Vec<u32>, u32> {
        let rows: Vec<Row> = self.of(subject).cloned().collect();
        if rows.is_empty() {
            return Err(40401);
        }
        if !permanent && rows.iter().all(|row| row.is_deleted) {
            return Err(40404);
        }
        if self.is_read_only {
            return Err(42205);
        }
        let mut going: Vec<&Row> = rows.iter().filter(|row| permanent || !row.is_deleted).collect();
        going.sort_by_key(|row| row.version);
        for row in &going {
            if self.is_referred_to(subject, row.version, permanent, true) {
                return Err(42206);
            }
            if permanent && !row.is_deleted {
                return Err(40405);
            }
        }
        let versions: Vec<u32> = going.iter().map(|row| row.version).collect();
        if permanent {
            self.rows.retain(|row| row.subject != subject);
        } else {
            self.rows.iter_mut().filter(|row| row.subject == subject).for_each(|row| row.is_deleted = true);
        }
        Ok(versions)
    }
}

/// A text that names what it refers to, and the reference.
fn referring(target: &str, version: u32) -> NewSchema {
    let text = r#"{"type":"record","name":"H","fields":[{"name":"r","type":"R"}]}"#;
    let reference = NewReference { name: "R".into(), subject: target.into(), version: VersionChoice::Number(version) };
    NewSchema { references: vec![reference], ..NewSchema::new("AVRO", text) }
}

fn agree(registry: &Registry, naive: &Naive, seed: u64) {
    for subject in SUBJECTS {
        let mut rows: Vec<&Row> = naive.of(subject).collect();
        rows.sort_by_key(|row| row.version);
        let all = registry.versions(subject, Deleted::With).unwrap_or_default();
        assert_eq!(all, rows.iter().map(|row| row.version).collect::<Vec<_>>(), "seed {seed}: versions of {subject}");
        for row in &rows {
            let found = registry.by_version(subject, VersionChoice::Number(row.version), true).expect("there");
            assert_eq!((found.id, found.is_deleted, &*found.text), (row.id, row.is_deleted, &*row.text), "seed {seed}: {row:?}");
            let here = format!(":{}:", context(subject));
            assert_eq!(&*registry.by_id(row.id, Some(&here)).expect("there").text, &*row.text, "seed {seed}");
        }
        // Looked for here only: a name without a context is found in others too.
        let latest = rows.iter().rev().find(|row| !row.is_deleted).map(|row| row.version);
        let found = registry.by_version(subject, VersionChoice::Latest, false).ok().filter(|found| &*found.subject == subject);
        assert_eq!(found.map(|found| found.version), latest, "seed {seed}: latest of {subject}");
    }
    let mut names: Vec<&str> = SUBJECTS.into_iter().filter(|subject| naive.of(subject).any(|row| !row.is_deleted)).collect();
    names.sort_unstable();
    assert_eq!(registry.subjects(None, Deleted::Without).iter().map(|name| &**name).collect::<Vec<_>>(), names, "seed {seed}");
}

#[test]
fn random_histories_agree_with_lists() {
    let seeds = std::env::var("EVENTYARD_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300_u64);
    for seed in 0..seeds {
        let mut rng = Stream::new(seed, "registry", "oracle");
        let (mut registry, mut naive) = (registry(Compatibility::None), Naive::default());
        for _ in 0..TURNS {
            let subject = SUBJECTS[rng.below(3) as usize];
            let version = 1 + rng.below(5) as u32;
            let permanent = rng.below(2) == 0;
            let code = |error: RegistryError| error.code;
            match rng.below(12) {
                0..5 => {
                    let text = TEXTS[rng.below(4) as usize];
                    let found = register(&mut registry, subject, text).map_err(code);
                    assert_eq!(found, naive.register(subject, (text.to_owned(), None)), "seed {seed}: {text} under {subject}");
                }
                5 | 6 => {
                    let target = SUBJECTS[rng.below(2) as usize];
                    let new = referring(target, version);
                    let found =
                        registry.register(subject, &new, Registering::default()).map(|found| (found.id, found.version)).map_err(code);
                    let full = if context(subject) == ".x" { format!(":.x:{target}") } else { target.to_owned() };
                    let is_record_r = naive.of(&full).find(|row| row.version == version).is_none_or(|row| row.refers_to.is_none());
                    let expected =
                        if is_record_r { naive.register(subject, (new.text.to_string(), Some((full, version)))) } else { Err(42201) };
                    assert_eq!(found, expected, "seed {seed}: {target} {version} from {subject}");
                }
                7 | 8 => {
                    let found = registry.delete_version(subject, VersionChoice::Number(version), permanent).map_err(code);
                    let expected = naive.delete_version(subject, version, permanent);
                    assert_eq!(found, expected, "seed {seed}: delete {subject} {version}, permanent {permanent}");
                }
                9 | 10 => {
                    let found = registry.delete_subject(subject, permanent).map_err(code);
                    assert_eq!(found, naive.delete_subject(subject, permanent), "seed {seed}: delete {subject}, permanent {permanent}");
                }
                _ => {
                    naive.is_read_only = rng.below(3) == 0;
                    let mode = if naive.is_read_only { "READONLY_OVERRIDE" } else { "READWRITE" };
                    registry.set_mode(None, mode, false).expect("a mode");
                }
            }
            agree(&registry, &naive, seed);
        }
    }
}
