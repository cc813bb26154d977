//! Which request asks what of the registry: the table of the REST API.
//!
//! The source is the resources of confluentinc/schema-registry (`rest/resources/*.java`). What a lone registry does not
//! have (associations, tags, exporters, encryption keys) answers 404 with an error code, which clients expect of older
//! servers. Start at [`answer`].

use serde_json::{Value as Json, json};

use super::bodies;
use super::call::{Call, Method};
use super::replies::{self, Answer};
use crate::machines::registry::{Against, Deleted, Registered, Registering, Registry, RegistryError, VersionChoice};

type Result = std::result::Result<Answer, Answer>;

/// Answers one request.
pub fn answer(registry: &mut Registry, call: &Call) -> Answer {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let answered = match path.as_slice() {
        [] => Ok(Answer::fine(&json!({}))),
        ["schemas", rest @ ..] => schemas(registry, call, rest),
        ["subjects"] => only(call, Method::Get).map(|()| subjects(registry, call)),
        ["subjects", subject] => subject_itself(registry, call, subject),
        ["subjects", subject, "versions", rest @ ..] => versions(registry, call, subject, rest),
        ["compatibility", "subjects", subject, "versions", rest @ ..] => compatibility(registry, call, subject, rest),
        ["config"] => config(registry, call, None),
        ["config", subject] => config(registry, call, Some(subject)),
        ["mode"] => mode(registry, call, None),
        ["mode", subject] => mode(registry, call, Some(subject)),
        ["contexts"] => only(call, Method::Get).map(|()| Answer::fine(&names(&call.page(registry.contexts())))),
        ["v1", "metadata", "id"] => Ok(Answer::fine(&json!({"id": "", "scope": {"path": [], "clusters": {}}}))),
        ["v1", "metadata", "version"] => Ok(Answer::fine(&json!({"version": env!("CARGO_PKG_VERSION"), "commitId": ""}))),
        _ => Err(Answer::not_found()),
    };
    answered.unwrap_or_else(|refused| refused)
}

fn only(call: &Call, method: Method) -> std::result::Result<(), Answer> {
    if call.method == method { Ok(()) } else { Err(Answer::no_such_method()) }
}

fn refused(error: RegistryError) -> Answer {
    Answer::refused(&error)
}

fn names(list: &[std::sync::Arc<str>]) -> Json {
    list.iter().map(|name| Json::from(&**name)).collect()
}

fn deleted(call: &Call) -> Deleted {
    match (call.flag("deletedOnly"), call.flag("deleted")) {
        (true, _) => Deleted::Only,
        (_, true) => Deleted::With,
        _ => Deleted::Without,
    }
}

fn version(text: &str) -> std::result::Result<VersionChoice, Answer> {
    text.parse().map_err(refused)
}

/// A version in the format that the client asks for.
fn shown(
    registry: &Registry,
    call: &Call,
    found: std::result::Result<Registered, RegistryError>,
) -> std::result::Result<Registered, Answer> {
    found.and_then(|found| registry.formatted(found, call.value("format").unwrap_or_default())).map_err(refused)
}

fn schemas(registry: &Registry, call: &Call, rest: &[&str]) -> Result {
    only(call, Method::Get)?;
    let subject = call.value("subject");
    let id = |text: &str| text.parse::<u32>().map_err(|_| Answer::not_found());
    let value = match rest {
        [] => listed(registry, call),
        ["types"] => registry.schema_types().iter().map(|name| Json::from(*name)).collect(),
        ["ids", number] => replies::schema_string(&shown(registry, call, registry.by_id(id(number)?, subject))?),
        ["ids", number, "schema"] => return Ok(Answer::text(&shown(registry, call, registry.by_id(id(number)?, subject))?.text)),
        ["ids", number, "subjects"] => {
            let found = registry.subjects_of_id(id(number)?, subject, call.flag("deleted")).map_err(refused)?;
            names(&call.page(found))
        }
        ["ids", number, "versions"] => {
            let found = registry.versions_of_id(id(number)?, subject, call.flag("deleted")).map_err(refused)?;
            call.page(found).iter().map(|(subject, version)| json!({"subject": &**subject, "version": version})).collect()
        }
        ["guids", guid] => replies::schema_string(&registry.by_guid(guid).map_err(refused)?),
        _ => return Err(Answer::not_found()),
    };
    Ok(Answer::fine(&value))
}

/// `GET /schemas`: every version, of subjects by name.
fn listed(registry: &Registry, call: &Call) -> Json {
    let (which, newest_only) = (deleted(call), call.flag("latestOnly"));
    let mut found: Vec<Registered> = Vec::new();
    for subject in registry.subjects(call.value("subjectPrefix"), which) {
        let numbers = registry.versions(&subject, which).unwrap_or_default();
        let from = if newest_only { numbers.len().saturating_sub(1) } else { 0 };
        let versions = numbers[from..].iter().map(|number| registry.by_version(&subject, VersionChoice::Number(*number), true));
        found.extend(versions.flatten());
    }
    call.page(found).iter().map(replies::schema).collect()
}

fn subjects(registry: &Registry, call: &Call) -> Answer {
    Answer::fine(&names(&call.page(registry.subjects(call.value("subjectPrefix"), deleted(call)))))
}

fn subject_itself(registry: &mut Registry, call: &Call, subject: &str) -> Result {
    match call.method {
        Method::Post => {
            let new = bodies::schema(&call.body)?;
            let found = registry.lookup(subject, &new, call.flag("normalize"), call.flag("deleted")).map_err(refused)?;
            Ok(Answer::fine(&replies::schema(&found)))
        }
        Method::Delete => registry.delete_subject(subject, call.flag("permanent")).map(|gone| Answer::fine(&gone.into())).map_err(refused),
        Method::Get | Method::Put => Err(Answer::no_such_method()),
    }
}

fn versions(registry: &mut Registry, call: &Call, subject: &str, rest: &[&str]) -> Result {
    match (call.method, rest) {
        (Method::Get, []) => {
            let found = registry.versions(subject, deleted(call)).map_err(refused)?;
            Ok(Answer::fine(&call.page(found).into()))
        }
        (Method::Post, []) => {
            let new = bodies::schema(&call.body)?;
            let how = Registering { normalize: call.flag("normalize"), force: call.flag("force") };
            registry.register(subject, &new, how).map(|found| Answer::fine(&replies::registration(&found))).map_err(refused)
        }
        (Method::Get, [number]) => {
            let found = shown(registry, call, registry.by_version(subject, version(number)?, call.flag("deleted")))?;
            Ok(Answer::fine(&replies::schema(&found)))
        }
        (Method::Get, [number, "schema"]) => {
            let found = shown(registry, call, registry.by_version(subject, version(number)?, call.flag("deleted")))?;
            Ok(Answer::text(&found.text))
        }
        (Method::Get, [number, "referencedby"]) => {
            let found = registry.referenced_by(subject, version(number)?, call.flag("deleted")).map_err(refused)?;
            Ok(Answer::fine(&call.page(found).into()))
        }
        (Method::Delete, [number]) => {
            let gone = registry.delete_version(subject, version(number)?, call.flag("permanent")).map_err(refused)?;
            Ok(Answer::fine(&gone.into()))
        }
        (_, [] | [_] | [_, "schema" | "referencedby"]) => Err(Answer::no_such_method()),
        _ => Err(Answer::not_found()),
    }
}

fn compatibility(registry: &Registry, call: &Call, subject: &str, rest: &[&str]) -> Result {
    only(call, Method::Post)?;
    let against = match rest {
        [] => Against::Subject,
        [number] => Against::Version(version(number)?),
        _ => return Err(Answer::not_found()),
    };
    let new = bodies::schema(&call.body)?;
    let is_verbose = call.flag("verbose");
    match registry.test(subject, &new, against, call.flag("normalize")) {
        Ok(verdict) => Ok(Answer::fine(&replies::verdict(&verdict, is_verbose))),
        // With `verbose`, the product tells a text that is no schema in the verdict.
        Err(error) if error.code == 42201 && is_verbose => {
            Ok(Answer::fine(&json!({"is_compatible": false, "messages": [&*error.message]})))
        }
        Err(error) => Err(refused(error)),
    }
}

fn config(registry: &mut Registry, call: &Call, subject: Option<&str>) -> Result {
    let value = match call.method {
        Method::Get => replies::config(&registry.config(subject, call.flag("defaultToGlobal")).map_err(refused)?),
        Method::Put => replies::config_update(&registry.set_config(subject, &bodies::config(&call.body)?).map_err(refused)?),
        Method::Delete => replies::config(&registry.delete_config(subject).map_err(refused)?),
        Method::Post => return Err(Answer::no_such_method()),
    };
    Ok(Answer::fine(&value))
}

fn mode(registry: &mut Registry, call: &Call, subject: Option<&str>) -> Result {
    let mode = match call.method {
        Method::Get => registry.mode(subject, call.flag("defaultToGlobal")),
        Method::Put => registry.set_mode(subject, &bodies::mode(&call.body)?, call.flag("force")),
        Method::Delete => registry.delete_mode(subject),
        Method::Post => return Err(Answer::no_such_method()),
    };
    Ok(Answer::fine(&json!({"mode": mode.map_err(refused)?.to_string()})))
}
