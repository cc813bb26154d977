//! A design's AWS API gateways as OpenAPI 3.0 with Amazon's extensions, in JSON.
//!
//! Source: docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html. What integrations
//! are is for the reader to say: their addresses are placeholders. No secret is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Exporter, Writer};
use crate::components::{Params, by_id};
use crate::model::{Component, Project};

pub(super) const EXPORTER: Exporter = Exporter {
    name: "openapi",
    extension: "json",
    help: "Its AWS API gateways as OpenAPI 3.0 with Amazon's extensions",
    write: Writer::Project(write),
};

fn write(project: &Project) -> String {
    let is_aws = |component: &Component| {
        component.kind == "gateway" && component.profile.as_deref().is_some_and(|profile| profile.starts_with("aws-"))
    };
    let mut paths: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    let mut schemes = Map::new();
    let mut schemas = Map::new();
    let mut used = Vec::new();
    for (id, component) in project.components.iter().filter(|(_, component)| is_aws(component)) {
        let Some(kind) = by_id("gateway") else { continue };
        let params = Params::new(kind.spec().params, component.profile.as_deref(), &component.params);
        authorizers(&params, &mut schemes);
        for row in params.rows("routes") {
            route(project, id, &row, &params, &mut paths, &mut used);
            if row.flag("key_required") {
                schemes.insert("api_key".to_owned(), json!({"type": "apiKey", "name": "x-api-key", "in": "header"}));
            }
            if let Some(model) = row.optional_text("model") {
                let schema = project.schemas.get(&model).and_then(|source| serde_json::from_str::<Json>(&source.text).ok());
                schemas.insert(component_name(&model), schema.filter(Json::is_object).unwrap_or_else(|| json!({"type": "object"})));
            }
        }
    }
    let mut about = project.aim.clone();
    if !project.components.values().any(is_aws) {
        about.push_str(" (There are no paths here: no gateway of the design has the profile aws-rest-api or aws-http-api.)");
    }
    let mut document = json!({
        "openapi": "3.0.1",
        "info": {"title": if project.name.is_empty() { "API" } else { &project.name }, "version": "1.0", "description": about.trim_start()},
        "paths": paths,
    });
    if !schemes.is_empty() || !schemas.is_empty() {
        document["components"] = json!({"securitySchemes": schemes, "schemas": schemas});
    }
    if !schemas_empty(&document) {
        document["x-amazon-apigateway-request-validators"] =
            json!({"body": {"validateRequestBody": true, "validateRequestParameters": false}});
    }
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn schemas_empty(document: &Json) -> bool {
    document["components"]["schemas"].as_object().is_none_or(Map::is_empty)
}

fn authorizers(params: &Params<'_>, schemes: &mut Map<String, Json>) {
    for row in params.rows("authorizers") {
        let scheme = if row.text("type") == "lambda" {
            json!({
                "type": "apiKey", "name": row.text("identity"), "in": "header", "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "token",
                    "authorizerUri": "arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<function-arn>/invocations",
                    "authorizerResultTtlInSeconds": row.duration("ttl").as_ns() / 1_000_000_000,
                },
            })
        } else {
            json!({
                "type": "oauth2", "flows": {},
                "x-amazon-apigateway-authorizer": {
                    "type": "jwt",
                    "identitySource": "$request.header.Authorization",
                    "jwtConfiguration": {"issuer": row.text("issuer"), "audience": row.words("audiences")},
                },
            })
        };
        schemes.insert(component_name(&row.text("name")), scheme);
    }
}

fn route(
    project: &Project,
    id: &str,
    row: &Params<'_>,
    params: &Params<'_>,
    paths: &mut BTreeMap<String, Map<String, Json>>,
    used: &mut Vec<String>,
) {
    let list = |name: &str, otherwise: &str| {
        let words = row.words(name);
        if words.is_empty() { vec![otherwise.to_owned()] } else { words }
    };
    for path in list("paths", "/{proxy+}") {
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        for method in list("methods", "ANY") {
            let mut operation = operation(project, id, row, params);
            // Ids are unique in a document.
            let stem =
                format!("{}{}", row.text("name"), if method == "ANY" { String::new() } else { format!("-{}", method.to_lowercase()) });
            let free = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") }).find(|name| !used.contains(name));
            let name = free.expect("numbers do not run out");
            operation["operationId"] = name.clone().into();
            used.push(name);
            let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
            let parameters: Vec<Json> =
                names.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})).collect();
            if !parameters.is_empty() {
                operation["parameters"] = parameters.into();
            }
            let known = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
                .into_iter()
                .find(|known| *known == method.to_lowercase());
            let field = known.unwrap_or("x-amazon-apigateway-any-method");
            paths.entry(path.clone()).or_default().insert(field.to_owned(), operation);
        }
    }
}

fn operation(project: &Project, id: &str, row: &Params<'_>, params: &Params<'_>) -> Json {
    let status = if row.is_given("respond") { row.count("respond") } else { 200 };
    let mut operation = json!({
        "responses": {status.to_string(): {"description": "What the integration answers"}},
        "x-amazon-apigateway-integration": integration(project, id, row, params, status),
    });
    let mut security = Map::new();
    if row.flag("key_required") {
        security.insert("api_key".to_owned(), json!([]));
    }
    if let Some(authorizer) = row.optional_text("authorizer") {
        security.insert(component_name(&authorizer), row.words("scopes").into());
    }
    if !security.is_empty() {
        operation["security"] = json!([security]);
    }
    if let Some(model) = row.optional_text("model") {
        let reference = format!("#/components/schemas/{}", component_name(&model));
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": {"$ref": reference}}}});
        operation["x-amazon-apigateway-request-validator"] = "body".into();
    }
    operation
}

fn integration(project: &Project, id: &str, row: &Params<'_>, params: &Params<'_>, status: i64) -> Json {
    let timeout_ms = (params.duration("upstream_timeout").as_ns() / 1_000_000).clamp(50, 29_000);
    if row.is_given("respond") && row.optional_text("service_host").is_none() {
        let response = json!({"default": {"statusCode": status.to_string()}});
        return json!({"type": "mock", "requestTemplates": {"application/json": format!("{{\"statusCode\": {status}}}")}, "responses": response});
    }
    let links = project.links.iter().filter(|link| link.from.component == id && link.from.port == "records");
    let topic = row.optional_text("topic").or_else(|| links.map(|link| link.to.port.clone()).next());
    let host =
        row.optional_text("service_host").unwrap_or_else(|| format!("<producer-of-{}>", topic.unwrap_or_else(|| "events".to_owned())));
    let path = row.optional_text("service_path").unwrap_or_else(|| "/".to_owned());
    json!({"type": "http_proxy", "httpMethod": "ANY", "uri": format!("https://{host}{path}"), "payloadFormatVersion": "1.0", "timeoutInMillis": timeout_ms})
}

/// What OpenAPI takes as a name of a component: letters, digits, `.`, `-`, `_`.
fn component_name(text: &str) -> String {
    let name: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}
