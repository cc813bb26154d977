//! What a service can be told, and the problems that its settings can have.

use super::read;
use crate::components::consumer::{actions::ACTIONS as READER_ACTIONS, spec::READING};
use crate::components::{ActionSpec, BuildCtx, KindSpec, Params};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{Default_, ParamSpec, ParamType as T, Provenance};

use Default_::{Absent, Required, Same};

const R4J: Provenance = Provenance::Documented("Resilience4j 2 CircuitBreaker");
const NAME: T = T::Text { max_chars: 200 };
const EXPRESSION: T = T::Text { max_chars: 2_000 };

/// A service.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "service",
    title: "Service",
    category: "Services",
    profiles: &["kafka-4.0", "spring-cloud-stream", "micronaut"],
    help: "Handles commands on event-sourced aggregates, keeps a read model, runs sagas, or calls another system, for each event it reads",
    params: PARAMS,
    actions: ACTIONS,
    id_stem: "service",
};

const REBUILD: ActionSpec = ActionSpec {
    name: "rebuild",
    help: "A projection empties its read model and fills it again from the beginning of its topics",
    params: &[],
};

const ACTIONS: &[ActionSpec] = &{
    let mut all = [REBUILD; READER_ACTIONS.len() + 1];
    let mut at = 0;
    while at < READER_ACTIONS.len() {
        all[at] = READER_ACTIONS[at];
        at += 1;
    }
    all
};

pub(super) const PARAMS: &[ParamSpec] = &{
    let mut all = [OWN[0]; OWN.len() + READING.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < OWN.len() { OWN[at] } else { READING[at - OWN.len()] };
        at += 1;
    }
    all
};

const FIELDS: &[ParamSpec] = &[
    ParamSpec::new("name", "Name", NAME, Required, "Name in expressions: state.<name>, or row.<name> in a read model"),
    ParamSpec::new("type", "Type", T::Choice(&["int", "double", "string", "bool"]), Same("string"), "What it holds"),
    ParamSpec::new("initial", "Initial", NAME, Absent, "What it begins with; 0, false or nothing when absent"),
];

const COMMANDS: &[ParamSpec] = &[
    ParamSpec::new("type", "Command", NAME, Required, "Type of the command; an event of another service is one too"),
    ParamSpec::new("states", "In states", T::Words, Absent, "States in which it is accepted; all when absent"),
    ParamSpec::new(
        "guard",
        "Guard",
        EXPRESSION,
        Absent,
        "What must hold, in CEL over state.<field>, command.<field>, key, state_name, now_ms and version",
    ),
    ParamSpec::new("emits", "Emits", T::Words, Absent, "Types of the events that it makes"),
    ParamSpec::new(
        "data",
        "Data",
        EXPRESSION,
        Absent,
        "Fields of these events: amount = command.amount; total = state.total + command.amount",
    ),
    ParamSpec::new("version", "Version", T::Count { min: 1, max: 1_000 }, Absent, "Only while write_version is this; always when absent"),
];

const CHANGES: &[ParamSpec] = &[
    ParamSpec::new("type", "Event", NAME, Required, "Type of the event"),
    ParamSpec::new("to", "To state", NAME, Absent, "The state that it leads to; the same when absent"),
    ParamSpec::new("set", "Sets", EXPRESSION, Absent, "What it does to fields: total = state.total + event.amount"),
];

const DEADLINES: &[ParamSpec] = &[
    ParamSpec::new("state", "State", NAME, Required, "The state that must not last"),
    ParamSpec::new(
        "after",
        "After",
        T::Duration { min: "1ms", max: "365d" },
        Required,
        "How long an aggregate may be in it without a break",
    ),
    ParamSpec::new("command", "Command", NAME, Required, "One of the commands: the aggregate gives it itself, without fields"),
];

const UPCASTS: &[ParamSpec] = &[
    ParamSpec::new("type", "Event", NAME, Required, "Type of the event"),
    ParamSpec::new("from", "From version", T::Count { min: 1, max: 1_000 }, Required, "It becomes the next one"),
    ParamSpec::new("set", "Sets", EXPRESSION, Required, "Fields of the newer version over the older one's: cents = event.amount * 100"),
];

const PROJECTIONS: &[ParamSpec] = &[
    ParamSpec::new("type", "Event", NAME, Required, "Type of the event"),
    ParamSpec::new("key", "Row", EXPRESSION, Absent, "Key of the row, in CEL over event.<field> and key; the event's key when absent"),
    ParamSpec::new("set", "Sets", EXPRESSION, Absent, "What it does to columns: total = row.total + event.amount"),
    ParamSpec::new("delete", "Deletes", T::Bool, Same("false"), "It removes the row"),
];

const STEPS: &[ParamSpec] = &[
    ParamSpec::new("command", "Command", NAME, Required, "The command that the step sends"),
    ParamSpec::new("done", "Done by", T::Words, Required, "Events that say that it is done"),
    ParamSpec::new("failed", "Failed by", T::Words, Absent, "Events that say that it cannot be done, and was not"),
    ParamSpec::new("compensate", "Compensation", NAME, Absent, "The command that undoes it"),
    ParamSpec::new("compensated", "Undone by", T::Words, Absent, "Events that say that it is undone; not waited for when absent"),
    ParamSpec::new(
        "timeout",
        "Timeout",
        T::Duration { min: "1ms", max: "24h" },
        Absent,
        "How long it waits for an answer; a step that times out may have happened, and is undone too",
    ),
];

const ROUTES: &[ParamSpec] = &[
    ParamSpec::new("type", "Type", NAME, Required, "Type of what it makes"),
    ParamSpec::new("topic", "Topic", NAME, Required, "One of the topics linked at events"),
];

const WRITTEN: &[ParamSpec] = &[
    ParamSpec::new("type", "Type", NAME, Required, "Type of what it makes"),
    ParamSpec::new("subject", "Subject", NAME, Required, "Subject at the registry; without one a schema of the project"),
    ParamSpec::new("version", "Version", T::Count { min: 1, max: 1_000_000 }, Absent, "Of the subject; the latest when absent"),
    ParamSpec::new("message", "Message", NAME, Absent, "Of a Protobuf file; its first when absent"),
];

const OWN: &[ParamSpec] = &[
    ParamSpec::new(
        "role",
        "Role",
        T::Choice(&["aggregate", "projection", "saga", "plain"]),
        Same("aggregate"),
        "What it does with each event: decides commands on event-sourced aggregates, keeps a read model, runs a saga, or only calls",
    )
    .group("Role"),
    ParamSpec::new("states", "States", T::Words, Absent, "States of an aggregate; the first is where one begins").group("Aggregate"),
    ParamSpec::new("fields", "Fields", T::Rows(FIELDS), Absent, "What an aggregate remembers beside its state").group("Aggregate"),
    ParamSpec::new("commands", "Commands", T::Rows(COMMANDS), Absent, "What is accepted; the first row that fits decides").group("Aggregate"),
    ParamSpec::new("changes", "Changes", T::Rows(CHANGES), Absent, "What events do to an aggregate").group("Aggregate"),
    ParamSpec::new(
        "deadlines",
        "Deadlines",
        T::Rows(DEADLINES),
        Absent,
        "What an aggregate does by itself when it has been in a state for too long; kept beside its events, and told by the outbox",
    )
    .group("Aggregate"),
    ParamSpec::new(
        "end_states",
        "End states",
        T::Words,
        Absent,
        "States in which nothing more is to come: how many aggregates are in another is told as streams_open",
    )
    .group("Aggregate"),
    ParamSpec::new("upcasts", "Upcasters", T::Rows(UPCASTS), Absent, "How events of older versions are read").group("Aggregate"),
    ParamSpec::new("write_version", "Written version", T::Count { min: 1, max: 1_000 }, Same("1"), "Version of events that are written")
        .group("Aggregate"),
    ParamSpec::new(
        "snapshot_every",
        "Snapshot every",
        T::Count { min: 1, max: 1_000_000 },
        Absent,
        "A snapshot after each so many events of a stream; none when absent",
    )
    .group("Event store"),
    ParamSpec::new(
        "event_read_time",
        "Time to read",
        T::Duration { min: "0s", max: "1min" },
        Same("20us"),
        "For each event that a load reads after the snapshot",
    )
    .from(Provenance::Assumed)
    .group("Event store"),
    ParamSpec::new("append_time", "Time to append", T::Duration { min: "0s", max: "1min" }, Same("500us"), "For an append, or a row's change")
        .from(Provenance::Assumed)
        .group("Event store"),
    ParamSpec::new(
        "conflict_retries",
        "Reloads",
        T::Count { min: 0, max: 1_000 },
        Same("3"),
        "How often a command is decided again when somebody else has changed the aggregate meanwhile",
    )
    .group("Event store"),
    ParamSpec::new(
        "deduplicate",
        "Deduplicate",
        T::Bool,
        Same("true"),
        "Ids of commands are stored with their events, and one that comes again changes nothing (idempotent consumer)",
    )
    .group("Event store"),
    ParamSpec::new(
        "deduplication_window",
        "Remembers for",
        T::Duration { min: "1ms", max: "30d" },
        Absent,
        "How long ids are kept; a million of them when absent",
    )
    .group("Event store"),
    ParamSpec::new(
        "publish",
        "Publishes",
        T::Choice(&["outbox", "store_first", "topic_first"]),
        Same("outbox"),
        "How stored events get to their topic: by an outbox stored with them, or by a second write after or before, that a crash can tear off",
    )
    .group("Publishing"),
    ParamSpec::new(
        "relay",
        "Relay",
        T::Choice(&["polling", "capture"]),
        Same("polling"),
        "Who brings the outbox to the topic: an instance that asks for rows, or a process that follows the database's log",
    )
    .group("Publishing"),
    ParamSpec::new("relay_interval", "Asks every", T::Duration { min: "1ms", max: "1h" }, Same("100ms"), "With relay: polling")
        .from(Provenance::Assumed)
        .group("Publishing"),
    ParamSpec::new("relay_rows", "Rows at a time", T::Count { min: 1, max: 100_000 }, Same("100"), "With relay: polling")
        .from(Provenance::Assumed)
        .group("Publishing"),
    ParamSpec::new("relay_delay", "Follows after", T::Duration { min: "0s", max: "1h" }, Same("5ms"), "With relay: capture")
        .from(Provenance::Assumed)
        .group("Publishing"),
    ParamSpec::new(
        "written_schemas",
        "Schemas of events",
        T::Rows(WRITTEN),
        Absent,
        "What it makes is written with these: looked up at the linked registry, in its wire format. Plain JSON for other types",
    )
    .group("Publishing"),
    ParamSpec::new("routes", "Routes", T::Rows(ROUTES), Absent, "Which topic takes what; the first linked one takes the rest").group("Publishing"),
    ParamSpec::new("columns", "Columns", T::Rows(FIELDS), Absent, "Columns of the read model beside its key").group("Projection"),
    ParamSpec::new("projections", "Projections", T::Rows(PROJECTIONS), Absent, "What events do to rows").group("Projection"),
    ParamSpec::new(
        "track_places",
        "Place with the rows",
        T::Bool,
        Same("true"),
        "Offsets are stored in the same transaction as the rows, and an event that comes again changes nothing",
    )
    .group("Projection"),
    ParamSpec::new(
        "reads_after_write",
        "Reads after write",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("0%"),
        "Share of events after which a client reads the row that it has just changed",
    )
    .group("Projection"),
    ParamSpec::new("read_delay", "Reads after", T::DurationDist, Same("exp(100ms)"), "How long after the event's birth the client reads")
        .from(Provenance::Assumed)
        .group("Projection"),
    ParamSpec::new("begins", "Begins with", T::Words, Absent, "Events that begin a saga").group("Saga"),
    ParamSpec::new("steps", "Steps", T::Rows(STEPS), Absent, "In order; undone in reverse order").group("Saga"),
    ParamSpec::new(
        "forget_timed_out",
        "Forgets timed-out steps",
        T::Bool,
        Same("false"),
        "Known to be wrong: a step that timed out is not undone, though it may have happened",
    )
    .group("Saga"),
    ParamSpec::new("call_time", "Call time", T::DurationDist, Absent, "It calls another system for each event: how long that takes to answer")
        .group("Outgoing call"),
    ParamSpec::new("call_failures", "Call failures", T::Ratio { min: 0.0, max: 1.0 }, Same("0%"), "Share of calls answered with an error")
        .group("Outgoing call"),
    ParamSpec::new(
        "call_timeout",
        "Time limit",
        T::Duration { min: "1ms", max: "24h" },
        Absent,
        "A call that takes longer has failed; it waits for ever when absent",
    )
    .key("resilience4j.timelimiter.timeoutDuration")
    .group("Outgoing call"),
    ParamSpec::new("call_attempts", "Tries", T::Count { min: 1, max: 1_000 }, Same("1"), "How often a call is tried")
        .key("resilience4j.retry.maxAttempts")
        .group("Outgoing call"),
    ParamSpec::new("call_backoff", "Backoff", T::Duration { min: "0s", max: "1h" }, Same("500ms"), "Wait before the second try")
        .key("resilience4j.retry.waitDuration")
        .from(Provenance::Documented("Resilience4j 2 Retry"))
        .group("Outgoing call"),
    ParamSpec::new(
        "call_backoff_multiplier",
        "Backoff multiplier",
        T::Number { min: 1.0, max: 100.0 },
        Same("1"),
        "Each further wait is so many times as long",
    )
    .key("resilience4j.retry.exponentialBackoffMultiplier")
    .group("Outgoing call"),
    ParamSpec::new("call_fallback", "Fallback", T::Bool, Same("false"), "Without an answer it goes on with a default; else the event has failed")
        .group("Outgoing call"),
    ParamSpec::new(
        "bulkhead",
        "Bulkhead",
        T::Count { min: 1, max: 1_000_000 },
        Absent,
        "Most calls under way in an instance; one more fails at once",
    )
    .key("resilience4j.bulkhead.maxConcurrentCalls")
    .group("Outgoing call"),
    ParamSpec::new("circuit_breaker", "Circuit breaker", T::Bool, Same("false"), "Stops calling while too many calls fail").group("Circuit breaker"),
    ParamSpec::new("breaker_failure_rate", "Failure rate", T::Ratio { min: 0.0, max: 1.0 }, Same("50%"), "It opens at this share of failed calls")
        .key("resilience4j.circuitbreaker.failureRateThreshold")
        .from(R4J)
        .group("Circuit breaker"),
    ParamSpec::new("breaker_slow_rate", "Slow rate", T::Ratio { min: 0.0, max: 1.0 }, Same("100%"), "It opens at this share of slow calls")
        .key("resilience4j.circuitbreaker.slowCallRateThreshold")
        .from(R4J)
        .group("Circuit breaker"),
    ParamSpec::new("breaker_slow_after", "Slow after", T::Duration { min: "1ms", max: "24h" }, Same("60s"), "Calls that take longer are slow")
        .key("resilience4j.circuitbreaker.slowCallDurationThreshold")
        .from(R4J)
        .group("Circuit breaker"),
    ParamSpec::new("breaker_window", "Window", T::Choice(&["count", "time"]), Same("count"), "The last calls, or the calls of the last seconds")
        .key("resilience4j.circuitbreaker.slidingWindowType")
        .from(R4J)
        .group("Circuit breaker"),
    ParamSpec::new("breaker_window_size", "Window size", T::Count { min: 1, max: 100_000 }, Same("100"), "In calls, or in seconds")
        .key("resilience4j.circuitbreaker.slidingWindowSize")
        .from(R4J)
        .group("Circuit breaker"),
    ParamSpec::new("breaker_calls_min", "Fewest calls", T::Count { min: 1, max: 1_000_000 }, Same("100"), "Before that no rate is taken")
        .key("resilience4j.circuitbreaker.minimumNumberOfCalls")
        .from(R4J)
        .group("Circuit breaker"),
    ParamSpec::new("breaker_half_open_calls", "Trial calls", T::Count { min: 1, max: 100_000 }, Same("10"), "Let through half open")
        .key("resilience4j.circuitbreaker.permittedNumberOfCallsInHalfOpenState")
        .from(R4J)
        .group("Circuit breaker"),
    ParamSpec::new("breaker_open_wait", "Open for", T::Duration { min: "1ms", max: "24h" }, Same("60s"), "Then it is half open")
        .key("resilience4j.circuitbreaker.waitDurationInOpenState")
        .from(R4J)
        .group("Circuit breaker"),
    ParamSpec::new(
        "breaker_half_open_wait",
        "Half open at most",
        T::Duration { min: "0s", max: "24h" },
        Same("0s"),
        "Then it opens again; 0 waits for all trial calls",
    )
    .key("resilience4j.circuitbreaker.maxWaitDurationInHalfOpenState")
    .from(R4J)
    .group("Circuit breaker"),
    ParamSpec::new(
        "breaker_automatic",
        "Half open by itself",
        T::Bool,
        Same("false"),
        "Once the wait is over; else the next call makes it half open",
    )
    .key("resilience4j.circuitbreaker.automaticTransitionFromOpenToHalfOpenEnabled")
    .from(R4J)
    .group("Circuit breaker"),
];

/// Which parameters count in which role only.
const OF_ROLES: &[(&str, &[&str])] = &[
    (
        "aggregate",
        &[
            "states",
            "fields",
            "commands",
            "changes",
            "deadlines",
            "end_states",
            "upcasts",
            "write_version",
            "snapshot_every",
            "event_read_time",
            "append_time",
            "conflict_retries",
            "deduplicate",
            "deduplication_window",
            "publish",
        ],
    ),
    ("projection", &["columns", "projections", "track_places", "reads_after_write", "read_delay"]),
    ("saga", &["begins", "steps", "forget_timed_out"]),
    ("plain", &["result_type"]),
];

/// Problems beyond each parameter's own range; the reader's own are told elsewhere.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    if ctx.links_at("in").any(|facts| facts.pushes.is_some()) {
        let diagnostic = Diagnostic::error("service-reads", &path, "a service reads topics and queues; no fan-out topic pushes to it");
        out.push(diagnostic.with_hint("subscribe a queue, and link the service to that"));
    }
    let role = params.text("role");
    for (of, names) in OF_ROLES.iter().filter(|(of, _)| **of != *role) {
        for name in names.iter().filter(|name| params.is_given(name)) {
            out.push(Diagnostic::warning("setting-unused", format!("{path}.{name}"), format!("it counts only with role: \"{of}\"")));
        }
    }
    match role.as_str() {
        "aggregate" => {
            if params.rows("commands").is_empty() {
                let missing =
                    Diagnostic::error("service-definition", format!("{path}.commands"), "an aggregate needs at least one command");
                out.push(missing.with_hint("write [(type: \"Place\", emits: [\"Placed\"])]"));
            }
            if let Err(problems) = read::aggregate(ctx.id, params) {
                out.extend(problems);
            }
            check_states(&path, params, out);
        }
        "projection" => {
            if let Err(problems) = read::table(ctx.id, params) {
                out.extend(problems);
            }
            let reads_queue = ctx.links_at("in").any(|facts| facts.queue.is_some());
            if params.flag("track_places") && reads_queue {
                let words = "a queue gives messages in any order and no place that could stand with the rows";
                let problem = Diagnostic::error("projection-order", format!("{path}.track_places"), words);
                out.push(problem.with_hint("write track_places: false, and expect that a message that comes again counts twice"));
            } else if params.flag("track_places") && params.count("concurrency") > 1 {
                let words = "a projection that keeps its place reads one event after the other: what a faster thread has finished hides \
                             what a slower one has not";
                let problem = Diagnostic::error("projection-order", format!("{path}.concurrency"), words);
                out.push(problem.with_hint("write concurrency: 1 and more instances, or track_places: false"));
            }
        }
        "saga" => check_saga(ctx, &path, params, out),
        _ => {}
    }
    check_routes(ctx, &path, params, out);
    check_written(ctx, &path, params, out);
    if !params.is_given("call_time") {
        let of_calls = ["circuit_breaker", "bulkhead", "call_timeout", "call_attempts", "call_fallback"];
        for name in of_calls.into_iter().filter(|name| params.is_given(name)) {
            out.push(Diagnostic::warning("setting-unused", format!("{path}.{name}"), "it calls nobody: call_time is absent"));
        }
    }
}

/// Deadlines and ends are of states that there are.
fn check_states(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let states = params.words("states");
    let mut known = |place: String, name: &str, names: &[String], what: &str| {
        if !names.iter().any(|known| known == name) {
            let near = nearest(name, names.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            let unknown = Diagnostic::error("service-definition", place, format!("there is no {what} `{name}`"));
            out.push(unknown.with_hint(near.unwrap_or_else(|| format!("there is: {}", names.join(", ")))));
        }
    };
    for (index, state) in params.words("end_states").iter().enumerate() {
        known(format!("{path}.end_states[{index}]"), state, &states, "state");
    }
    let commands: Vec<String> = params.rows("commands").iter().map(|row| row.text("type")).collect();
    for (index, row) in params.rows("deadlines").iter().enumerate() {
        known(format!("{path}.deadlines[{index}].state"), &row.text("state"), &states, "state");
        known(format!("{path}.deadlines[{index}].command"), &row.text("command"), &commands, "command");
    }
    if params.is_given("deadlines") && params.text("publish") != "outbox" {
        let words = "what a deadline makes is told by the outbox";
        let problem = Diagnostic::error("setting-contradiction", format!("{path}.publish"), words);
        out.push(problem.with_hint("write publish: \"outbox\", or leave it out"));
    }
}

fn check_saga(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if params.words("begins").is_empty() {
        out.push(Diagnostic::error("service-definition", format!("{path}.begins"), "nothing begins this saga"));
    }
    let steps = params.rows("steps").len();
    if steps == 0 || steps > crate::machines::event_store::STEPS_MAX {
        let words = format!("a saga has 1 to {} steps", crate::machines::event_store::STEPS_MAX);
        out.push(Diagnostic::error("service-definition", format!("{path}.steps"), words));
    }
    if ctx.links_at("events").next().is_none() {
        out.push(
            Diagnostic::error("link-missing", path, "its commands have nowhere to go")
                .with_hint(format!("link {}.events to the topics of those who carry them out", ctx.id)),
        );
    }
}

/// Schemas are for what it makes, and have to be somewhere.
fn check_written(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let made = read::event_types(params);
    let role = params.text("role");
    for (index, row) in params.rows("written_schemas").iter().enumerate() {
        let here = |name: &str| format!("{path}.written_schemas[{index}].{name}");
        let ty = row.text("type");
        if role == "saga" || role == "projection" {
            let words = "its commands carry the bytes of the event that began the saga, and a projection makes no events";
            out.push(Diagnostic::warning("setting-unused", format!("{path}.written_schemas"), words));
        } else if !made.contains(&ty) {
            let near = nearest(&ty, made.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
            let unknown = Diagnostic::error("event-type-unknown", here("type"), format!("it makes no `{ty}`"));
            out.push(unknown.with_hint(near.unwrap_or_else(|| format!("it makes {}", made.join(", ")))));
        }
        let subject = row.text("subject");
        if ctx.links_at("schemas").next().is_none() && !ctx.project.schemas.contains_key(&subject) {
            let unknown = Diagnostic::error("schema-unknown", here("subject"), format!("`{subject}` is no schema of this project"));
            out.push(unknown.with_hint(format!("link {}.schemas to a registry, or add the schema", ctx.id)));
        }
    }
}

fn check_routes(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let topics: Vec<&str> = ctx.links_at("events").filter_map(|facts| Some(&*facts.topic.as_ref()?.name)).collect();
    for (index, row) in params.rows("routes").iter().enumerate() {
        let topic = row.text("topic");
        if !topics.contains(&topic.as_str()) {
            let diagnostic =
                Diagnostic::error("route-unknown", format!("{path}.routes[{index}].topic"), format!("`{topic}` is not linked at events"));
            let near = nearest(&topic, topics.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            out.push(diagnostic.with_hint(near.unwrap_or_else(|| format!("link {}.events to it", ctx.id))));
        }
    }
}
