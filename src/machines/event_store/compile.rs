//! From what a project says of an aggregate to an [`Aggregate`], with every problem at once.

use std::sync::Arc;

use super::aggregate::{Aggregate, Command, EventRule, Upcast};
use super::assignments;
use super::expression::{ExpressionError, FieldType, Names, Program, Scalar, Slot};

/// Most states, fields, commands, events of one aggregate.
pub const PARTS_MAX: usize = 1_000;

/// An aggregate as the project says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AggregateSpec {
    /// By name; the first is where a new one begins.
    pub states: Vec<String>,
    /// What it remembers beside its state.
    pub fields: Vec<FieldSpec>,
    /// What it accepts, in the order in which it is tried.
    pub commands: Vec<CommandSpec>,
    /// What its events do to it.
    pub events: Vec<EventSpec>,
    /// How events of older versions become newer ones.
    pub upcasts: Vec<UpcastSpec>,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSpec {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: FieldType,
    /// What it begins with; the type's zero when absent.
    pub initial: Option<String>,
}

/// What becomes of a command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommandSpec {
    /// Type of the command.
    pub ty: String,
    /// States in which it is accepted; all when empty.
    pub states: Vec<String>,
    /// What must hold.
    pub guard: Option<String>,
    /// Types of the events that it makes.
    pub emits: Vec<String>,
    /// Their fields.
    pub data: String,
    /// Only while the service writes events of this version.
    pub version: Option<u16>,
}

/// What an event does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventSpec {
    /// Type of the event.
    pub ty: String,
    /// The state that it leads to; the same when absent.
    pub to: Option<String>,
    /// What it does to fields.
    pub set: String,
}

/// How an event of one version becomes one of the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpcastSpec {
    /// Type of the event.
    pub ty: String,
    /// From this version to the next.
    pub from: u16,
    /// What is set; the other fields stay.
    pub set: String,
}

/// What is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `commands[2].guard`.
    pub path: String,
    /// In words.
    pub words: String,
}

/// Rows of an evaluation, by number: the aggregate's fields, the command's or event's, and what is known of both.
pub(super) const ROW_STATE: u8 = 0;
pub(super) const ROW_INPUT: u8 = 1;
pub(super) const ROW_META: u8 = 2;
/// Fields of the last row.
pub(super) const META_KEY: u16 = 0;
pub(super) const META_STATE: u16 = 1;
pub(super) const META_NOW: u16 = 2;
pub(super) const META_VERSION: u16 = 3;

/// Names of an expression: the aggregate's fields, and those of the input, which come up as they are named.
pub(super) struct Scope<'a> {
    pub own: (&'a str, &'a [Arc<str>]),
    pub input: &'a str,
    pub input_fields: &'a mut Vec<Arc<str>>,
    /// Input fields may be named that nobody has declared.
    pub open: bool,
}

impl Names for Scope<'_> {
    fn slot(&mut self, row: &str, name: &str) -> Result<Slot, String> {
        if row == self.own.0 {
            let found = self.own.1.iter().position(|field| **field == *name);
            return match found {
                Some(field) => Ok(Slot { row: ROW_STATE, field: field as u16 }),
                None => Err(format!("there is no field `{name}`; declare it among the fields")),
            };
        }
        if row != self.input {
            return Err(format!("`{row}` is not known here; there are {} and {}", self.own.0, self.input));
        }
        if let Some(field) = self.input_fields.iter().position(|field| **field == *name) {
            return Ok(Slot { row: ROW_INPUT, field: field as u16 });
        }
        if !self.open || self.input_fields.len() >= PARTS_MAX {
            return Err(format!("{} has no field `{name}`: no command sets it", self.input));
        }
        self.input_fields.push(Arc::from(name));
        Ok(Slot { row: ROW_INPUT, field: (self.input_fields.len() - 1) as u16 })
    }

    fn alone(&mut self, name: &str) -> Result<Slot, String> {
        let field = match name {
            "key" => META_KEY,
            "state_name" => META_STATE,
            "now_ms" => META_NOW,
            "version" => META_VERSION,
            _ => {
                return Err(format!(
                    "`{name}` is not known; there are key, state_name, now_ms, version, {}.<field> and {}.<field>",
                    self.own.0, self.input
                ));
            }
        };
        Ok(Slot { row: ROW_META, field })
    }
}

struct Compiler<'a> {
    spec: &'a AggregateSpec,
    problems: Vec<Problem>,
    states: Vec<Arc<str>>,
    fields: Vec<Arc<str>>,
    command_fields: Vec<Arc<str>>,
    /// By type of event, its fields.
    layouts: Vec<(Arc<str>, Vec<Arc<str>>)>,
}

impl Aggregate {
    /// Reads a spec.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn compile(spec: &AggregateSpec) -> Result<Self, Vec<Problem>> {
        let names = |list: &mut dyn Iterator<Item = &String>| list.map(|name| Arc::from(name.as_str())).collect::<Vec<Arc<str>>>();
        let mut compiler = Compiler {
            states: names(&mut spec.states.iter()),
            fields: names(&mut spec.fields.iter().map(|field| &field.name)),
            spec,
            problems: Vec::new(),
            command_fields: Vec::new(),
            layouts: Vec::new(),
        };
        if compiler.states.is_empty() {
            compiler.states.push(Arc::from("exists"));
        }
        let counts = [spec.states.len(), spec.fields.len(), spec.commands.len(), spec.events.len(), spec.upcasts.len()];
        if counts.iter().any(|count| *count > PARTS_MAX) {
            return Err(vec![Problem { path: String::new(), words: format!("an aggregate has at most {PARTS_MAX} of each part") }]);
        }
        let aggregate = compiler.aggregate();
        if compiler.problems.is_empty() { Ok(aggregate) } else { Err(compiler.problems) }
    }
}

/// What fields, or columns, begin with; their names must differ.
pub(super) fn initial_values(fields: &[FieldSpec], what: &str, problems: &mut Vec<Problem>) -> Vec<Scalar> {
    let mut initial = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let value = field.initial.as_ref().map_or(Some(field.ty.zero()), |text| field.ty.parse(text));
        if value.is_none() {
            let words = format!("`{}` is no {}", field.initial.as_deref().unwrap_or_default(), field.ty.name());
            problems.push(Problem { path: format!("{what}s[{index}].initial"), words });
        }
        if fields[..index].iter().any(|other| other.name == field.name) {
            problems.push(Problem { path: format!("{what}s[{index}].name"), words: format!("there are two {what}s `{}`", field.name) });
        }
        initial.push(value.unwrap_or_default());
    }
    initial
}

impl Compiler<'_> {
    fn aggregate(&mut self) -> Aggregate {
        let initial = initial_values(&self.spec.fields, "field", &mut self.problems);
        self.lay_out();
        let commands = self.commands();
        let upcasts = self.upcasts();
        let events = self.events();
        Aggregate {
            states: std::mem::take(&mut self.states),
            fields: self.fields.iter().cloned().zip(self.spec.fields.iter().map(|field| field.ty)).collect(),
            initial: initial.into(),
            commands,
            command_fields: std::mem::take(&mut self.command_fields),
            events,
            upcasts,
        }
    }

    fn problem(&mut self, path: String, words: String) {
        self.problems.push(Problem { path, words });
    }

    fn layout(&mut self, ty: &str) -> usize {
        self.layouts.iter().position(|(name, _)| **name == *ty).unwrap_or_else(|| {
            self.layouts.push((Arc::from(ty), Vec::new()));
            self.layouts.len() - 1
        })
    }

    /// The fields of each type of event: all that a command or an upcaster sets.
    fn lay_out(&mut self) {
        let spec = self.spec;
        let from_commands = spec.commands.iter().flat_map(|command| command.emits.iter().map(|ty| (ty, &command.data)));
        let from_upcasts = spec.upcasts.iter().map(|upcast| (&upcast.ty, &upcast.set));
        for ty in spec.events.iter().map(|event| &event.ty) {
            self.layout(ty);
        }
        for (ty, data) in from_commands.chain(from_upcasts) {
            let at = self.layout(ty);
            for (name, _) in assignments::split_assignments(data).unwrap_or_default() {
                let fields = &mut self.layouts[at].1;
                if !fields.iter().any(|field| **field == *name) && fields.len() < PARTS_MAX {
                    fields.push(Arc::from(name));
                }
            }
        }
    }

    fn state(&mut self, name: &str, path: String) -> u16 {
        match self.states.iter().position(|state| **state == *name) {
            Some(state) => state as u16,
            None => {
                self.problem(path, format!("there is no state `{name}`; there are {}", self.states.join(", ")));
                0
            }
        }
    }

    fn commands(&mut self) -> Vec<Command> {
        let spec = self.spec;
        let mut commands = Vec::new();
        for (index, command) in spec.commands.iter().enumerate() {
            let path = format!("commands[{index}]");
            let states = command.states.iter().map(|name| self.state(name, format!("{path}.states"))).collect::<Vec<_>>();
            let guard = command.guard.as_ref().and_then(|text| {
                let mut input_fields = std::mem::take(&mut self.command_fields);
                let mut scope = Scope { own: ("state", &self.fields), input: "command", input_fields: &mut input_fields, open: true };
                let read = Program::compile(text, &mut scope);
                self.command_fields = input_fields;
                read.map_err(|ExpressionError(words)| self.problem(format!("{path}.guard"), words)).ok()
            });
            let mut emits = Vec::new();
            for ty in &command.emits {
                let event = self.layout(ty);
                let layout = self.layouts[event].1.clone();
                let mut input_fields = std::mem::take(&mut self.command_fields);
                let mut scope = Scope { own: ("state", &self.fields), input: "command", input_fields: &mut input_fields, open: true };
                let field = |name: &str| {
                    layout.iter().position(|field| **field == *name).map(|at| at as u16).ok_or_else(|| format!("`{name}` is too much"))
                };
                let data = assignments::compile(&command.data, &mut scope, field);
                self.command_fields = input_fields;
                match data {
                    Ok(data) => emits.push((event as u16, data)),
                    Err(words) => {
                        self.problem(format!("{path}.data"), words);
                        break;
                    }
                }
            }
            commands.push(Command { ty: Arc::from(command.ty.as_str()), states, guard, emits, version: command.version });
        }
        commands
    }

    fn upcasts(&mut self) -> Vec<Upcast> {
        let spec = self.spec;
        let mut upcasts = Vec::new();
        for (index, upcast) in spec.upcasts.iter().enumerate() {
            let event = self.layout(&upcast.ty);
            let mut layout = self.layouts[event].1.clone();
            let targets = layout.clone();
            let mut scope = Scope { own: ("state", &[]), input: "event", input_fields: &mut layout, open: false };
            let field = |name: &str| {
                targets.iter().position(|field| **field == *name).map(|at| at as u16).ok_or_else(|| format!("`{name}` is too much"))
            };
            match assignments::compile(&upcast.set, &mut scope, field) {
                Ok(set) => upcasts.push(Upcast { event: event as u16, from: upcast.from, set }),
                Err(words) => self.problem(format!("upcasts[{index}].set"), words),
            }
            if spec.upcasts[..index].iter().any(|other| (&other.ty, other.from) == (&upcast.ty, upcast.from)) {
                let words = format!("there are two ways from version {} of {}", upcast.from, upcast.ty);
                self.problem(format!("upcasts[{index}].from"), words);
            }
        }
        upcasts
    }

    fn events(&mut self) -> Vec<EventRule> {
        let spec = self.spec;
        let mut rules = Vec::new();
        for (ty, layout) in self.layouts.clone() {
            let found = spec.events.iter().position(|event| *event.ty == *ty);
            let mut rule = EventRule { ty: Arc::clone(&ty), fields: layout.clone(), to: None, set: Vec::new(), version: 1 };
            rule.version = spec.upcasts.iter().filter(|upcast| *upcast.ty == *ty).map(|upcast| upcast.from + 1).max().unwrap_or(1);
            if let Some(index) = found {
                let event = &spec.events[index];
                if let Some(to) = &event.to {
                    rule.to = Some(self.state(to, format!("events[{index}].to")));
                }
                let mut input_fields = layout;
                let mut scope = Scope { own: ("state", &self.fields), input: "event", input_fields: &mut input_fields, open: false };
                let field = |name: &str| {
                    let found = self.fields.iter().position(|field| **field == *name);
                    found.map(|at| at as u16).ok_or_else(|| format!("there is no field `{name}`; declare it among the fields"))
                };
                match assignments::compile(&event.set, &mut scope, field) {
                    Ok(set) => rule.set = set,
                    Err(words) => self.problem(format!("events[{index}].set"), words),
                }
            }
            rules.push(rule);
        }
        rules
    }
}
