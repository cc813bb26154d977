//! What is selected, and commands on it.

use std::collections::BTreeMap;

use super::arrange::join_frame_below;
use super::{AppState, Command, Pick, SelectMode};
use crate::components;
use crate::model::{self, Component, Edit, Link, Project};

/// How far copies stand from their originals.
const ASIDE: f32 = 40.0;

impl AppState {
    /// Whether this is selected.
    #[must_use]
    pub fn is_selected(&self, pick: &Pick) -> bool {
        self.selection.contains(pick)
    }
    /// The id of the one selected component, if exactly one is.
    #[must_use]
    pub fn selected_component(&self) -> Option<&str> {
        let mut ids = self.selected_components();
        let first = ids.next()?;
        ids.next().is_none().then_some(first)
    }
    /// Ids of the selected components.
    pub fn selected_components(&self) -> impl Iterator<Item = &str> {
        self.selection.iter().filter_map(|pick| match pick {
            Pick::Component(id) => Some(id.as_str()),
            _ => None,
        })
    }

    /// Takes commands that concern the selection; false for others.
    pub(super) fn apply_to_selection(&mut self, command: &Command) -> bool {
        match command {
            Command::Select(pick, mode) => {
                self.select(pick.clone(), *mode);
                self.browse_selected();
            }
            Command::SelectOnly(picks) => self.selection.clone_from(picks),
            Command::SelectAll => self.selection = self.project().components.keys().cloned().map(Pick::Component).collect(),
            Command::SelectNone => self.selection.clear(),
            Command::DeleteSelection => self.delete_selection(),
            Command::Duplicate => {
                let copies = self.copies(self.project());
                self.paste(copies);
            }
            Command::Copy => {
                self.copied = self.copies(self.project());
                let count = self.copied.iter().filter(|edit| matches!(edit, Edit::AddComponent { .. })).count();
                self.notice(format!("Copied {count} component{}", if count == 1 { "" } else { "s" }), false);
            }
            Command::Paste => self.paste(self.copied.clone()),
            Command::Place { kind, position } => self.place(kind, *position),
            Command::Arrange => self.arrange(),
            _ => return false,
        }
        true
    }

    fn select(&mut self, pick: Pick, mode: SelectMode) {
        let position = self.selection.iter().position(|other| *other == pick);
        match (mode, position) {
            (SelectMode::Replace, _) => self.selection = vec![pick],
            (SelectMode::Toggle, Some(index)) => {
                self.selection.remove(index);
            }
            (SelectMode::Toggle | SelectMode::Add, None) => self.selection.push(pick),
            (SelectMode::Add, Some(_)) => {}
        }
    }

    fn delete_selection(&mut self) {
        let mut edits = Vec::new();
        let mut indexed = Vec::new();
        for pick in &self.selection {
            match pick {
                Pick::Link(from, to) => edits.push(Edit::RemoveLink { from: from.clone(), to: to.clone() }),
                Pick::Component(_) => {}
                Pick::Frame(index) => indexed.push((*index, true)),
                Pick::Note(index) => indexed.push((*index, false)),
            }
        }
        // Links first: a component takes its links along. Higher indices first: removing moves the rest.
        let removed: Vec<String> = self.selected_components().map(str::to_owned).collect();
        edits.retain(
            |edit| !matches!(edit, Edit::RemoveLink { from, to } if removed.contains(&from.component) || removed.contains(&to.component)),
        );
        edits.extend(removed.into_iter().map(|id| Edit::RemoveComponent { id }));
        indexed.sort_unstable_by(|a, b| b.cmp(a));
        edits.extend(
            indexed.into_iter().map(|(index, is_frame)| if is_frame { Edit::RemoveFrame { index } } else { Edit::RemoveNote { index } }),
        );
        if !edits.is_empty() {
            self.apply(Command::Edits(edits));
        }
    }

    /// Edits that add copies of the selected components, with the links among them.
    fn copies(&self, project: &Project) -> Vec<Edit> {
        let ids: Vec<&str> = self.selected_components().collect();
        let mut edits = Vec::new();
        for id in &ids {
            if let Some(component) = project.components.get(*id) {
                let [x, y] = project.layout.positions.get(*id).copied().unwrap_or_default();
                // A copy has random streams of its own.
                let component = Component { key: String::new(), ..component.clone() };
                edits.push(Edit::AddComponent { id: (*id).to_owned(), component, position: [x + ASIDE, y + ASIDE] });
            }
        }
        let inside = |link: &&Link| ids.contains(&link.from.component.as_str()) && ids.contains(&link.to.component.as_str());
        edits.extend(project.links.iter().filter(inside).map(|link| Edit::AddLink { link: link.clone() }));
        edits
    }

    /// Carries out copies under ids that are free, and selects them.
    fn paste(&mut self, copies: Vec<Edit>) {
        let mut renamed = BTreeMap::new();
        let mut taken: Vec<String> = self.project().components.keys().cloned().collect();
        let mut edits = Vec::new();
        for edit in copies {
            match edit {
                Edit::AddComponent { id, component, position } => {
                    let new_id = free_id(&taken, id.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-'));
                    taken.push(new_id.clone());
                    renamed.insert(id, new_id.clone());
                    edits.push(Edit::AddComponent { id: new_id, component, position });
                }
                Edit::AddLink { mut link } => {
                    for end in [&mut link.from, &mut link.to] {
                        if let Some(new_id) = renamed.get(&end.component) {
                            end.component.clone_from(new_id);
                        }
                    }
                    edits.push(Edit::AddLink { link });
                }
                other => edits.push(other),
            }
        }
        if edits.is_empty() {
            return;
        }
        self.apply(Command::Edits(edits));
        self.selection = renamed.into_values().map(Pick::Component).collect();
        self.drop_dead_picks();
    }

    fn place(&mut self, kind: &str, position: [f32; 2]) {
        if kind == "note" {
            let note = crate::model::Note { text: "Note".to_owned(), position, size: [220.0, 90.0] };
            let index = self.project().layout.notes.len();
            self.apply(Command::Edit(Edit::AddNote { note }));
            self.selection = vec![Pick::Note(index)];
            return;
        }
        if kind == "frame" {
            let frame = crate::model::Frame { label: "Frame".to_owned(), position, size: [360.0, 240.0], members: Vec::new() };
            let index = self.project().layout.frames.len();
            self.apply(Command::Edit(Edit::AddFrame { frame }));
            self.selection = vec![Pick::Frame(index)];
            return;
        }
        let Some(kind) = components::by_id(kind) else { return };
        let taken: Vec<String> = self.project().components.keys().cloned().collect();
        let id = free_id(&taken, kind.spec().id_stem);
        let component = Component { kind: kind.spec().id.to_owned(), ..Component::default() };
        let mut edits = vec![Edit::AddComponent { id: id.clone(), component, position }];
        edits.extend(self.joining_edit(&edits[0], &id));
        self.apply(Command::Edits(edits));
        self.selection = vec![Pick::Component(id)];
        self.drop_dead_picks();
    }

    /// What makes a card that `adding` puts into a frame a member of it.
    fn joining_edit(&self, adding: &Edit, id: &str) -> Option<Edit> {
        let mut next = Project::clone(self.project());
        model::apply(&mut next, adding.clone()).ok()?;
        join_frame_below(&mut next, id);
        let index = next.layout.frames.iter().position(|frame| frame.members.iter().any(|member| member == id))?;
        Some(Edit::UpdateFrame { index, frame: next.layout.frames.swap_remove(index) })
    }

    /// Forgets picks of what is no longer there.
    pub(super) fn drop_dead_picks(&mut self) {
        let project = std::sync::Arc::clone(self.project());
        self.selection.retain(|pick| match pick {
            Pick::Component(id) => project.components.contains_key(id),
            Pick::Link(from, to) => project.links.iter().any(|link| link.from == *from && link.to == *to),
            Pick::Frame(index) => *index < project.layout.frames.len(),
            Pick::Note(index) => *index < project.layout.notes.len(),
        });
    }
}

/// `stem-1`, `stem-2`… whatever is free.
fn free_id(taken: &[String], stem: &str) -> String {
    let stem = if stem.is_empty() { "component" } else { stem };
    (1..).map(|number| format!("{stem}-{number}")).find(|id| !taken.contains(id)).expect("numbers do not run out")
}
