//! A design's AWS API gateways as OpenAPI 3.0 with Amazon's extensions, in JSON.
//!
//! Source: docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html. What integrations
//! are is for the reader to say: their addresses are placeholders. No secret is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::cloudformation::{is_fifo, product_name};
use super::support::topics::linked_topic;
use super::{Exporter, Writer};
use crate::components::{Params, params_of};
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
        let Some(params) = params_of(component) else { continue };
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
    let has_models = !schemas.is_empty();
    if !schemes.is_empty() || has_models {
        document["components"] = json!({"securitySchemes": schemes, "schemas": schemas});
    }
    if has_models {
        document["x-amazon-apigateway-request-validators"] =
            json!({"body": {"validateRequestBody": true, "validateRequestParameters": false}});
    }
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
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
    if row.is_given("queue") {
        operation["responses"]["500"] = json!({"description": "The service answered with an error"});
        operation["responses"]["503"] = json!({"description": "The service takes no more requests"});
    }
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
    if let Some((queue, component)) = row.optional_text("queue").and_then(|queue| project.components.get_key_value(&queue)) {
        let service =
            Service { name: product_name(queue, is_fifo(component)), is_topic: component.kind == "fanout", is_fifo: is_fifo(component) };
        return if params.profile() == Some("aws-http-api") { service.first_class(timeout_ms) } else { service.call(timeout_ms) };
    }
    let topic = row.optional_text("topic").or_else(|| linked_topic(project, id));
    let host =
        row.optional_text("service_host").unwrap_or_else(|| format!("<producer-of-{}>", topic.unwrap_or_else(|| "events".to_owned())));
    let path = row.optional_text("service_path").unwrap_or_else(|| "/".to_owned());
    json!({"type": "http_proxy", "httpMethod": "ANY", "uri": format!("https://{host}{path}"), "payloadFormatVersion": "1.0", "timeoutInMillis": timeout_ms})
}

/// A queue or a fan-out topic that bodies are sent to. Where it is, and the role that may send, is for the reader to say.
struct Service {
    name: String,
    is_topic: bool,
    is_fifo: bool,
}

impl Service {
    /// Of a REST API: a request of the service's query protocol, made by a template.
    fn call(&self, timeout_ms: u64) -> Json {
        let name = &self.name;
        let (uri, mut template) = if self.is_topic {
            let arn = format!("arn:aws:sns:<region>:<account>:{name}");
            let template = format!("Action=Publish&TopicArn=$util.urlEncode('{arn}')&Message=$util.urlEncode($input.body)");
            ("arn:aws:apigateway:<region>:sns:path//".to_owned(), template)
        } else {
            let uri = format!("arn:aws:apigateway:<region>:sqs:path/<account>/{name}");
            (uri, "Action=SendMessage&MessageBody=$util.urlEncode($input.body)".to_owned())
        };
        let attributes = if self.is_topic { "MessageAttributes.entry" } else { "MessageAttribute" };
        template.push_str(&format!(
            "&{attributes}.1.Name=type&{attributes}.1.Value.DataType=String\
             &{attributes}.1.Value.StringValue=$util.urlEncode($input.params('ce-type'))"
        ));
        if self.is_fifo {
            template.push_str(
                "&MessageGroupId=$util.urlEncode($input.params('ce-subject'))&MessageDeduplicationId=$util.urlEncode($input.params('ce-id'))",
            );
        }
        json!({
            "type": "aws", "httpMethod": "POST", "uri": uri, "credentials": ROLE, "timeoutInMillis": timeout_ms,
            "requestParameters": {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
            "requestTemplates": {"application/json": template},
            "passthroughBehavior": "when_no_templates",
            "responses": {
                "default": {"statusCode": "200"},
                "4\\d{2}": {"statusCode": "500"},
                "5\\d{2}": {"statusCode": "503"},
            },
        })
    }
    /// Of an HTTP API: its own integration with SQS.
    fn first_class(&self, timeout_ms: u64) -> Json {
        let mut parameters = json!({
            "QueueUrl": format!("https://sqs.<region>.amazonaws.com/<account>/{}", self.name), "MessageBody": "$request.body",
        });
        if self.is_fifo {
            parameters["MessageGroupId"] = "$request.header.ce-subject".into();
            parameters["MessageDeduplicationId"] = "$request.header.ce-id".into();
        }
        json!({
            "type": "aws_proxy", "integrationSubtype": "SQS-SendMessage", "payloadFormatVersion": "1.0", "credentials": ROLE,
            "connectionType": "INTERNET", "requestParameters": parameters, "timeoutInMillis": timeout_ms,
        })
    }
}

/// Who may send.
const ROLE: &str = "<role-arn>";

/// What OpenAPI takes as a name of a component: letters, digits, `.`, `-`, `_`.
fn component_name(text: &str) -> String {
    let name: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}
