//! Every change a person can make to a design, as data, and the one function that carries it out.

use indexmap::IndexMap;
use thiserror::Error;

use super::{COMPONENTS_MAX, Component, Endpoint, FaultTarget, Frame, Link, Note, Project, Scenario, Value};

/// One change. Undo is a list of project snapshots kept by `app`; an edit need not know its inverse.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Adds a component at a position.
    AddComponent { id: String, component: Component, position: [f32; 2] },
    /// Removes a component with its links and its place in frames, scenarios keep what they say.
    RemoveComponent { id: String },
    /// Gives a component another id everywhere it is named; its stream key stays.
    RenameComponent { id: String, new_id: String },
    /// Replaces everything of a component but its id and key (profile, title, owner, description…).
    UpdateComponent { id: String, component: Component },
    /// Sets a parameter; `None` returns it to its default.
    SetParam { id: String, param: String, value: Option<Value> },
    /// Adds a link.
    AddLink { link: Link },
    /// Removes the link between these ports.
    RemoveLink { from: Endpoint, to: Endpoint },
    /// Sets a parameter of a link; `None` returns it to its default.
    SetLinkParam { from: Endpoint, to: Endpoint, param: String, value: Option<Value> },
    /// Moves a card.
    Move { id: String, position: [f32; 2] },
    /// Adds a frame.
    AddFrame { frame: Frame },
    /// Replaces a frame (label, place, members) by index.
    UpdateFrame { index: usize, frame: Frame },
    /// Removes a frame, not its members.
    RemoveFrame { index: usize },
    /// Adds a note.
    AddNote { note: Note },
    /// Replaces a note by index.
    UpdateNote { index: usize, note: Note },
    /// Removes a note.
    RemoveNote { index: usize },
    /// Sets name, aim, seed, assumptions, decisions from this project, and nothing else.
    UpdateHeader { header: Box<Project> },
    /// Replaces the expectations.
    SetExpect { expect: Vec<String> },
    /// Adds or replaces a scenario.
    SetScenario { name: String, scenario: Scenario },
    /// Gives a scenario another name; its place among the others stays.
    RenameScenario { name: String, new_name: String },
    /// Removes a scenario.
    RemoveScenario { name: String },
    /// Adds or replaces an inline schema's text.
    SetSchema { name: String, text: String },
}

/// Why an edit was not carried out; the project is then unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// The id is not in the design.
    #[error("there is no component `{0}`")]
    NoComponent(String),
    /// The id is taken.
    #[error("`{0}` is already the id of another component")]
    IdTaken(String),
    /// The id cannot be written as `id.port`.
    #[error("`{0}` cannot be an id: use letters, digits, `-` and `_`, at most 64")]
    BadId(String),
    /// There is no such link.
    #[error("there is no link from {0} to {1}")]
    NoLink(Endpoint, Endpoint),
    /// The link is there already.
    #[error("{0} is already linked to {1}")]
    LinkTaken(Endpoint, Endpoint),
    /// The name is taken.
    #[error("`{0}` is already the name of another scenario")]
    ScenarioTaken(String),
    /// No frame or note with that index.
    #[error("there is no such {0}")]
    NoSuch(&'static str),
    /// More than [`COMPONENTS_MAX`].
    #[error("a design may hold at most {COMPONENTS_MAX} components")]
    TooMany,
}

/// Whether `id` can name a component.
#[must_use]
pub fn id_is_valid(id: &str) -> bool {
    !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// Carries out one edit, or leaves the project as it was.
///
/// # Errors
/// When the edit names what is not there or would make two things share a name.
pub fn apply(project: &mut Project, edit: Edit) -> Result<(), EditError> {
    match edit {
        Edit::AddComponent { id, component, position } => add_component(project, id, component, position),
        Edit::RemoveComponent { id } => remove_component(project, &id),
        Edit::RenameComponent { id, new_id } => rename_component(project, &id, new_id),
        Edit::UpdateComponent { id, component } => {
            let slot = component_mut(project, &id)?;
            let key = std::mem::take(&mut slot.key);
            *slot = Component { key, ..component };
            Ok(())
        }
        Edit::SetParam { id, param, value } => {
            set_or_clear(&mut component_mut(project, &id)?.params, param, value);
            Ok(())
        }
        Edit::AddLink { link } => add_link(project, link),
        Edit::RemoveLink { from, to } => {
            let index = link_index(project, &from, &to)?;
            project.links.remove(index);
            Ok(())
        }
        Edit::SetLinkParam { from, to, param, value } => {
            let index = link_index(project, &from, &to)?;
            set_or_clear(&mut project.links[index].params, param, value);
            Ok(())
        }
        Edit::Move { id, position } => {
            component_mut(project, &id)?;
            project.layout.positions.insert(id, position);
            Ok(())
        }
        Edit::AddFrame { frame } => {
            project.layout.frames.push(frame);
            Ok(())
        }
        Edit::UpdateFrame { index, frame } => replace(&mut project.layout.frames, index, frame, "frame"),
        Edit::RemoveFrame { index } => remove(&mut project.layout.frames, index, "frame"),
        Edit::AddNote { note } => {
            project.layout.notes.push(note);
            Ok(())
        }
        Edit::UpdateNote { index, note } => replace(&mut project.layout.notes, index, note, "note"),
        Edit::RemoveNote { index } => remove(&mut project.layout.notes, index, "note"),
        Edit::UpdateHeader { header } => {
            let header = *header;
            project.name = header.name;
            project.aim = header.aim;
            project.seed = header.seed;
            project.assumptions = header.assumptions;
            project.decisions = header.decisions;
            Ok(())
        }
        Edit::SetExpect { expect } => {
            project.expect = expect;
            Ok(())
        }
        Edit::SetScenario { name, scenario } => {
            project.scenarios.insert(name, scenario);
            Ok(())
        }
        Edit::RenameScenario { name, new_name } => {
            if !project.scenarios.contains_key(&name) {
                return Err(EditError::NoSuch("scenario"));
            }
            if name != new_name && project.scenarios.contains_key(&new_name) {
                return Err(EditError::ScenarioTaken(new_name));
            }
            rename_entry(&mut project.scenarios, &name, &new_name);
            Ok(())
        }
        Edit::RemoveScenario { name } => project.scenarios.shift_remove(&name).map(drop).ok_or(EditError::NoSuch("scenario")),
        Edit::SetSchema { name, text } => {
            let path = project.schemas.get(&name).and_then(|source| source.path.clone());
            project.schemas.insert(name, super::SchemaSource { path, text: text.into() });
            Ok(())
        }
    }
}

fn add_component(project: &mut Project, id: String, component: Component, position: [f32; 2]) -> Result<(), EditError> {
    if !id_is_valid(&id) {
        return Err(EditError::BadId(id));
    }
    if project.components.contains_key(&id) {
        return Err(EditError::IdTaken(id));
    }
    if project.components.len() >= COMPONENTS_MAX {
        return Err(EditError::TooMany);
    }
    project.layout.positions.insert(id.clone(), position);
    project.components.insert(id, component);
    Ok(())
}

fn remove_component(project: &mut Project, id: &str) -> Result<(), EditError> {
    project.components.shift_remove(id).ok_or_else(|| EditError::NoComponent(id.to_owned()))?;
    project.layout.positions.shift_remove(id);
    project.links.retain(|link| link.from.component != id && link.to.component != id);
    for frame in &mut project.layout.frames {
        frame.members.retain(|member| member != id);
    }
    Ok(())
}

fn rename_component(project: &mut Project, id: &str, new_id: String) -> Result<(), EditError> {
    let index = project.components.get_index_of(id).ok_or_else(|| EditError::NoComponent(id.to_owned()))?;
    if new_id == id {
        return Ok(());
    }
    if !id_is_valid(&new_id) {
        return Err(EditError::BadId(new_id));
    }
    if project.components.contains_key(&new_id) {
        return Err(EditError::IdTaken(new_id));
    }
    // Invariant: a component's place in file order survives its rename, so a diff shows one line.
    let (_, mut component) = project.components.shift_remove_index(index).expect("the index was just found");
    if component.key.is_empty() {
        component.key = id.to_owned();
    }
    project.components.shift_insert(index, new_id.clone(), component);
    rename_entry(&mut project.layout.positions, id, &new_id);
    for link in &mut project.links {
        for end in [&mut link.from, &mut link.to] {
            if end.component == id {
                end.component.clone_from(&new_id);
            }
        }
    }
    for member in project.layout.frames.iter_mut().flat_map(|frame| &mut frame.members) {
        if member == id {
            member.clone_from(&new_id);
        }
    }
    for scenario in project.scenarios.values_mut() {
        rename_entry(&mut scenario.set, id, &new_id);
        for fault in &mut scenario.faults {
            match &mut fault.target {
                FaultTarget::Component(component) if component == id => component.clone_from(&new_id),
                FaultTarget::Component(_) => {}
                FaultTarget::Link(from, to) => {
                    for end in [from, to].into_iter().filter(|end| end.component == id) {
                        end.component.clone_from(&new_id);
                    }
                }
            }
        }
    }
    // Expectations name components in quotes; text outside quotes is never touched.
    let (quoted, renamed) = (format!("\"{id}\""), format!("\"{new_id}\""));
    for text in project.expect.iter_mut().chain(project.scenarios.values_mut().flat_map(|s| &mut s.misses)) {
        *text = text.replace(&quoted, &renamed);
    }
    Ok(())
}

fn add_link(project: &mut Project, link: Link) -> Result<(), EditError> {
    for end in [&link.from, &link.to] {
        if !project.components.contains_key(&end.component) {
            return Err(EditError::NoComponent(end.component.clone()));
        }
    }
    if link_index(project, &link.from, &link.to).is_ok() {
        return Err(EditError::LinkTaken(link.from, link.to));
    }
    project.links.push(link);
    Ok(())
}

fn component_mut<'a>(project: &'a mut Project, id: &str) -> Result<&'a mut Component, EditError> {
    project.components.get_mut(id).ok_or_else(|| EditError::NoComponent(id.to_owned()))
}

fn link_index(project: &Project, from: &Endpoint, to: &Endpoint) -> Result<usize, EditError> {
    project.links.iter().position(|link| link.from == *from && link.to == *to).ok_or_else(|| EditError::NoLink(from.clone(), to.clone()))
}

fn set_or_clear(params: &mut IndexMap<String, Value>, param: String, value: Option<Value>) {
    match value {
        Some(value) => {
            params.insert(param, value);
        }
        None => {
            params.shift_remove(&param);
        }
    }
}

fn rename_entry<V>(map: &mut IndexMap<String, V>, id: &str, new_id: &str) {
    if let Some(index) = map.get_index_of(id) {
        let (_, value) = map.shift_remove_index(index).expect("the index was just found");
        map.shift_insert(index, new_id.to_owned(), value);
    }
}

fn replace<T>(list: &mut [T], index: usize, item: T, what: &'static str) -> Result<(), EditError> {
    *list.get_mut(index).ok_or(EditError::NoSuch(what))? = item;
    Ok(())
}

fn remove<T>(list: &mut Vec<T>, index: usize, what: &'static str) -> Result<(), EditError> {
    if index < list.len() {
        list.remove(index);
        Ok(())
    } else {
        Err(EditError::NoSuch(what))
    }
}
