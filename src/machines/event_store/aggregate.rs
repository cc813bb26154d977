//! Aggregates as data: states, what each accepts, what it makes of it, and what its events do to it.

use std::sync::Arc;

use super::assignments::Assignment;
use super::compile::{META_KEY, META_NOW, META_STATE, META_VERSION};
use super::expression::{EvalError, FieldType, Program, Scalar};

/// A small state machine with fields. It owns no instance: see [`AggregateState`].
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    pub(super) states: Vec<Arc<str>>,
    pub(super) fields: Vec<(Arc<str>, FieldType)>,
    pub(super) initial: Arc<[Scalar]>,
    pub(super) commands: Vec<Command>,
    pub(super) command_fields: Vec<Arc<str>>,
    pub(super) events: Vec<EventRule>,
    pub(super) upcasts: Vec<Upcast>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    pub ty: Arc<str>,
    pub states: Vec<u16>,
    pub guard: Option<Program>,
    pub emits: Vec<(u16, Vec<Assignment>)>,
    pub version: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct EventRule {
    pub ty: Arc<str>,
    pub fields: Vec<Arc<str>>,
    pub to: Option<u16>,
    pub set: Vec<Assignment>,
    /// The newest of its schema.
    pub version: u16,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Upcast {
    pub event: u16,
    pub from: u16,
    pub set: Vec<Assignment>,
}

/// One aggregate at one moment: a fold over its events.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateState {
    /// Which of the aggregate's states.
    pub state: u16,
    /// Events it is made of.
    pub version: u64,
    /// By field.
    pub fields: Vec<Scalar>,
}

/// A command on its way to an aggregate.
#[derive(Clone, Copy, Debug)]
pub struct CommandInput<'a> {
    /// Its type.
    pub ty: &'a str,
    /// Its fields, in the order of [`Aggregate::command_fields`].
    pub fields: &'a [Scalar],
    /// Key of the aggregate.
    pub key: &'a Arc<str>,
    /// Milliseconds of the run.
    pub now_ms: i64,
    /// The version of events that the service writes.
    pub write_version: u16,
}

/// An event that is not in a stream yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Which of the aggregate's.
    pub ty: u16,
    /// Version of its schema.
    pub schema_version: u16,
    /// By field of its type.
    pub data: Arc<[Scalar]>,
}

/// What an aggregate says to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It makes these events, maybe none.
    Accepted(Vec<NewEvent>),
    /// It does not.
    Refused(Refused),
}

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It knows no such command.
    Unknown,
    /// Not in this state.
    State,
    /// Its guard does not hold.
    Guard,
    /// An expression has no value.
    Expression(EvalError),
}

impl Aggregate {
    /// Names of its states.
    #[must_use]
    pub fn states(&self) -> &[Arc<str>] {
        &self.states
    }
    /// Names and types of its fields.
    #[must_use]
    pub fn fields(&self) -> &[(Arc<str>, FieldType)] {
        &self.fields
    }
    /// Fields of commands that its expressions name.
    #[must_use]
    pub fn command_fields(&self) -> &[Arc<str>] {
        &self.command_fields
    }
    /// Name of a type of its events.
    #[must_use]
    pub fn event_type(&self, ty: u16) -> Option<&Arc<str>> {
        self.events.get(usize::from(ty)).map(|rule| &rule.ty)
    }
    /// What leads from which state to which, for a drawing: (from, command, event, to). None from means every state.
    pub fn transitions(&self) -> impl Iterator<Item = (Option<u16>, &Arc<str>, &Arc<str>, Option<u16>)> {
        self.commands.iter().flat_map(|command| {
            let emits = command.emits.iter().map(|(event, _)| &self.events[usize::from(*event)]);
            emits.flat_map(move |rule| {
                let every = command.states.is_empty().then_some(None);
                let named = command.states.iter().map(|state| Some(*state));
                every.into_iter().chain(named).map(move |from| (from, &command.ty, &rule.ty, rule.to))
            })
        })
    }

    /// One that nothing has happened to.
    #[must_use]
    pub fn new_state(&self) -> AggregateState {
        AggregateState { state: 0, version: 0, fields: self.initial.to_vec() }
    }

    /// What it says to a command. The first row of the command's type whose states and guard fit decides.
    #[must_use]
    pub fn decide(&self, state: &AggregateState, input: &CommandInput<'_>) -> Decision {
        let mut refused = Refused::Unknown;
        let mut meta: Option<[Scalar; 4]> = None;
        for command in &self.commands {
            if *command.ty != *input.ty || command.version.is_some_and(|version| version != input.write_version) {
                continue;
            }
            if !command.states.is_empty() && !command.states.contains(&state.state) {
                if refused == Refused::Unknown {
                    refused = Refused::State;
                }
                continue;
            }
            let meta = meta.get_or_insert_with(|| self.meta(state, input));
            let rows: [&[Scalar]; 3] = [&state.fields, input.fields, &*meta];
            match command.guard.as_ref().map_or(Ok(true), |guard| guard.holds(&rows)) {
                Ok(true) => return self.accept(command, input, &rows),
                Ok(false) => refused = Refused::Guard,
                Err(error) => refused = Refused::Expression(error),
            }
        }
        Decision::Refused(refused)
    }

    fn meta(&self, state: &AggregateState, input: &CommandInput<'_>) -> [Scalar; 4] {
        let mut meta = [const { Scalar::Absent }; 4];
        meta[usize::from(META_KEY)] = Scalar::Text(Arc::clone(input.key));
        meta[usize::from(META_STATE)] = Scalar::Text(Arc::clone(&self.states[usize::from(state.state)]));
        meta[usize::from(META_NOW)] = Scalar::Int(input.now_ms);
        meta[usize::from(META_VERSION)] = Scalar::Int(state.version as i64);
        meta
    }

    fn accept(&self, command: &Command, input: &CommandInput<'_>, rows: &[&[Scalar]]) -> Decision {
        let mut events = Vec::with_capacity(command.emits.len());
        for (ty, assignments) in &command.emits {
            let rule = &self.events[usize::from(*ty)];
            let mut data: Arc<[Scalar]> = rule.fields.iter().map(|_| Scalar::Absent).collect();
            // Nobody else has it yet.
            let Some(fields) = Arc::get_mut(&mut data) else { continue };
            for assignment in assignments {
                match assignment.value.evaluate(rows) {
                    Ok(value) => fields[usize::from(assignment.field)] = value,
                    Err(error) => return Decision::Refused(Refused::Expression(error)),
                }
            }
            events.push(NewEvent { ty: *ty, schema_version: input.write_version.clamp(1, rule.version), data });
        }
        Decision::Accepted(events)
    }

    /// What an event does. A value that does not fit its field leaves the field as it is: a fold must not fail.
    pub fn apply(&self, state: &mut AggregateState, event: &NewEvent) {
        state.version += 1;
        let Some(rule) = self.events.get(usize::from(event.ty)) else { return };
        let upcast;
        let data: &[Scalar] = if event.schema_version < rule.version {
            upcast = self.upcast(event, rule.version);
            &upcast
        } else {
            &event.data
        };
        if let [only] = rule.set.as_slice() {
            let value = only.value.evaluate(&[&state.fields, data, &[]]);
            self.set_field(state, only.field, value);
        } else if !rule.set.is_empty() {
            // All see the fields as they were before the event.
            let values: Vec<_> = rule.set.iter().map(|set| set.value.evaluate(&[&state.fields, data, &[]])).collect();
            for (set, value) in rule.set.iter().zip(values) {
                self.set_field(state, set.field, value);
            }
        }
        if let Some(to) = rule.to {
            state.state = to;
        }
    }

    fn set_field(&self, state: &mut AggregateState, field: u16, value: Result<Scalar, EvalError>) {
        let at = usize::from(field);
        if let Some(value) = value.ok().and_then(|value| self.fields[at].1.take(value)) {
            state.fields[at] = value;
        }
    }

    /// An event's fields in the newest version of its schema.
    #[must_use]
    pub fn upcast(&self, event: &NewEvent, to: u16) -> Vec<Scalar> {
        let mut data = event.data.to_vec();
        for version in event.schema_version..to {
            let Some(upcast) = self.upcasts.iter().find(|upcast| (upcast.event, upcast.from) == (event.ty, version)) else { continue };
            let values: Vec<_> = upcast.set.iter().map(|set| set.value.evaluate(&[&[], &data, &[]])).collect();
            for (set, value) in upcast.set.iter().zip(values) {
                data[usize::from(set.field)] = value.unwrap_or_default();
            }
        }
        data
    }

    /// An event's fields as a JSON object.
    pub fn write_json(&self, event: &NewEvent, out: &mut Vec<u8>) {
        let Some(rule) = self.events.get(usize::from(event.ty)) else { return };
        super::expression::write_object(rule.fields.iter().zip(&*event.data), out);
    }
}
