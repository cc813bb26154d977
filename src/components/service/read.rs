//! What a project says of a service, as what machines understand.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::components::consumer::handler::Draft;
use crate::components::consumer::outbox::Relay;
use crate::components::{BuildCtx, Params, SchemaWritten};
use crate::diagnostics::Diagnostic;
use crate::event::EventMeta;
use crate::machines::event_store::{
    Aggregate, AggregateSpec, CommandSpec, EventSpec, FieldSpec, FieldType, Problem, ProjectionSpec, RowSpec, Saga, StepSpec, Table,
    UpcastSpec,
};
use crate::units::EventTypeIx;

/// Names of event types, and which topic each goes to.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    /// By number.
    names: Arc<[Arc<str>]>,
    /// By name: number, and which of the linked topics.
    by_name: Arc<BTreeMap<Arc<str>, (EventTypeIx, usize)>>,
    has_topic: bool,
}

impl Ways {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        let topics: Vec<Arc<str>> = ctx.links_at("events").filter_map(|facts| Some(Arc::clone(&facts.topic.as_ref()?.name))).collect();
        let routes: Vec<(String, String)> = params.rows("routes").iter().map(|row| (row.text("type"), row.text("topic"))).collect();
        let way = |name: &str| {
            let route = routes.iter().find(|(ty, _)| ty == name);
            route.and_then(|(_, topic)| topics.iter().position(|one| **one == **topic)).unwrap_or(0)
        };
        let mut names = vec![Arc::from(""); ctx.event_types.len()];
        let mut by_name = BTreeMap::new();
        for (name, number) in ctx.event_types {
            let text: Arc<str> = Arc::from(name.as_str());
            names[number.index()] = Arc::clone(&text);
            by_name.insert(text, (*number, way(name)));
        }
        Self { names: names.into(), by_name: Arc::new(by_name), has_topic: !topics.is_empty() }
    }
    /// Name of a type.
    pub fn name(&self, ty: EventTypeIx) -> Arc<str> {
        self.names.get(ty.index()).cloned().unwrap_or_else(|| Arc::from(""))
    }
    /// Number of a type.
    pub fn number(&self, name: &str) -> Option<EventTypeIx> {
        self.by_name.get(name).map(|(ty, _)| *ty)
    }
    /// Whether what it makes goes anywhere.
    pub fn has_topic(&self) -> bool {
        self.has_topic
    }
    /// An event on its way; none where no topic is linked.
    pub fn draft(&self, name: &str, key: Option<Bytes>, value: Bytes, parent: EventMeta) -> Option<Draft> {
        let (ty, way) = *self.by_name.get(name)?;
        self.has_topic.then_some(Draft { way, ty, key, value, parent })
    }
}

/// Types of event that it makes.
pub(super) fn event_types(params: &Params<'_>) -> Vec<String> {
    let mut types: Vec<String> = params.optional_text("result_type").into_iter().collect();
    match params.text("role").as_str() {
        "aggregate" => types.extend(params.rows("commands").iter().flat_map(|row| row.words("emits"))),
        "saga" => {
            for row in params.rows("steps") {
                types.push(row.text("command"));
                types.extend(row.optional_text("compensate"));
            }
        }
        _ => {}
    }
    types
}

/// What it writes with schemas, and where that goes.
pub(super) fn schemas_written(params: &Params<'_>) -> Vec<SchemaWritten> {
    let routes: Vec<(String, String)> = params.rows("routes").iter().map(|row| (row.text("type"), row.text("topic"))).collect();
    let written = |row: &Params<'_>| SchemaWritten {
        subject: row.text("subject"),
        naming: None,
        message: row.optional_text("message"),
        version: row.is_given("version").then(|| u32::try_from(row.count("version")).unwrap_or(1)),
        port: "events",
        topic: routes.iter().find(|(ty, _)| *ty == row.text("type")).map(|(_, topic)| topic.clone()),
    };
    params.rows("written_schemas").iter().map(written).collect()
}

pub(super) fn relay(params: &Params<'_>) -> Relay {
    if params.text("relay") == "capture" {
        return Relay::Capture { delay: params.duration("relay_delay") };
    }
    Relay::Polling { every: params.duration("relay_interval"), rows_max: usize::try_from(params.count("relay_rows")).unwrap_or(100) }
}

fn fields(rows: &[Params<'_>]) -> Vec<FieldSpec> {
    let field = |row: &Params<'_>| FieldSpec {
        name: row.text("name"),
        ty: row.text("type").parse().unwrap_or(FieldType::Text),
        initial: row.optional_text("initial"),
    };
    rows.iter().map(field).collect()
}

fn diagnostics(id: &str, problems: Vec<Problem>) -> Vec<Diagnostic> {
    let diagnostic = |Problem { path, words }| Diagnostic::error("service-definition", format!("components.{id}.{path}"), words);
    problems.into_iter().map(diagnostic).collect()
}

/// The aggregate of a service in that role.
pub(super) fn aggregate(id: &str, params: &Params<'_>) -> Result<Aggregate, Vec<Diagnostic>> {
    let commands = params.rows("commands");
    let command = |row: &Params<'_>| CommandSpec {
        ty: row.text("type"),
        states: row.words("states"),
        guard: row.optional_text("guard"),
        emits: row.words("emits"),
        data: row.text("data"),
        version: row.is_given("version").then(|| u16::try_from(row.count("version")).unwrap_or(1)),
    };
    let event = |row: &Params<'_>| EventSpec { ty: row.text("type"), to: row.optional_text("to"), set: row.text("set") };
    let upcast =
        |row: &Params<'_>| UpcastSpec { ty: row.text("type"), from: u16::try_from(row.count("from")).unwrap_or(1), set: row.text("set") };
    let spec = AggregateSpec {
        states: params.words("states"),
        fields: fields(&params.rows("fields")),
        commands: commands.iter().map(command).collect(),
        events: params.rows("changes").iter().map(event).collect(),
        upcasts: params.rows("upcasts").iter().map(upcast).collect(),
    };
    Aggregate::compile(&spec).map_err(|mut problems| {
        for problem in &mut problems {
            problem.path = problem.path.replacen("events[", "changes[", 1);
        }
        diagnostics(id, problems)
    })
}

/// The read model of a service in the role of a projection.
pub(super) fn table(id: &str, params: &Params<'_>) -> Result<Table, Vec<Diagnostic>> {
    let row = |row: &Params<'_>| RowSpec {
        ty: row.text("type"),
        key: row.optional_text("key"),
        set: row.text("set"),
        delete: row.flag("delete"),
    };
    let spec = ProjectionSpec { columns: fields(&params.rows("columns")), rows: params.rows("projections").iter().map(row).collect() };
    Table::compile(&spec).map_err(|mut problems| {
        for problem in &mut problems {
            problem.path = problem.path.replacen("rows[", "projections[", 1);
        }
        diagnostics(id, problems)
    })
}

/// The saga of an orchestrator.
pub(super) fn saga(params: &Params<'_>) -> Saga {
    let words = |row: &Params<'_>, name: &str| row.words(name).into_iter().map(Arc::from).collect();
    let step = |row: &Params<'_>| StepSpec {
        command: row.text("command").into(),
        done: words(row, "done"),
        failed: words(row, "failed"),
        compensate: row.optional_text("compensate").map(Arc::from),
        compensated: words(row, "compensated"),
        timeout: row.is_given("timeout").then(|| row.duration("timeout")),
    };
    Saga {
        begins: params.words("begins").into_iter().map(Arc::from).collect(),
        steps: params.rows("steps").iter().map(step).collect(),
        forgets_timed_out: params.flag("forget_timed_out"),
    }
}
