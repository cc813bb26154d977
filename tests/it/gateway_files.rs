//! Gateways as other tools' files, and back: what a design says survives, its secrets do not.

use std::path::Path;

use eventyard::components::gateway::trial::{Sample, try_request};
use eventyard::export::project_text;
use eventyard::model::Project;
use eventyard::{compile, diagnostics, import, project};
use serde_json::{Value as Json, json};

fn sample(name: &str) -> Project {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects").join(name);
    project::load_file(&file).expect("the sample can be read").project
}

fn exported(project: &Project, format: &str) -> Json {
    serde_json::from_str(&project_text(project, format).expect("there is such a format")).expect("it is JSON")
}

#[test]
fn a_gateway_survives_kongs_file() {
    let design = sample("jwt-gateway.ron");
    let file = exported(&design, "kong");
    assert_eq!(file["_format_version"], "3.0");
    assert_eq!(file["services"][0]["routes"][0]["paths"], json!(["/orders"]));
    let web = file["consumers"].as_array().expect("consumers").iter().find(|consumer| consumer["username"] == "web").expect("web");
    assert_eq!(web["jwt_secrets"][0]["secret"], "{vault://env/web-token-secret}");
    assert_eq!(web["acls"], json!([{"group": "paying"}]));
    let plugins: Vec<&str> = file["plugins"].as_array().expect("plugins").iter().filter_map(|plugin| plugin["name"].as_str()).collect();
    assert_eq!(plugins, ["kafka-upstream", "jwt", "acl"]);
    assert_eq!(file["plugins"][1]["config"], json!({"claims_to_verify": ["exp"], "maximum_expiration": 600}));
    let back = import::read("kong", &file.to_string()).expect("its own file is read");
    let problems = compile::check(&back.project);
    assert!(!diagnostics::has_errors(&problems), "{problems:?}");
    let request = Sample { method: "POST".to_owned(), host: "shop.example".to_owned(), path: "/orders".to_owned(), ..Sample::default() };
    let ask = |project: &Project| try_request(project, "edge", &request).expect("it compiles");
    let (before, after) = (ask(&design), ask(&back.project));
    assert_eq!((before.answer.status, &before.steps), (after.answer.status, &after.steps), "the same plugins say the same");
    assert!(back.diagnostics.iter().any(|diagnostic| diagnostic.message.contains("kafka-upstream")), "what is not simulated is told");
}

#[test]
fn no_secret_leaves_a_design_that_does_not_call_it_a_sample() {
    let mut design = sample("order-flow.ron");
    let rows = serde_json::from_value(json!([{"consumer": "web", "key": "very-secret"}])).expect("rows");
    design.components["edge"].params.insert("api_keys".to_owned(), rows);
    let text = project_text(&design, "kong").expect("there is such a format");
    assert!(!text.contains("very-secret") && text.contains("\"<key>\""), "{text}");
    let file = json!({"_format_version": "3.0", "services": [{"name": "s", "routes": [{"name": "r", "paths": ["/r"]}]}],
        "consumers": [{"username": "Big Shop", "keyauth_credentials": [{"key": "very-secret"}]}]});
    let imported = import::read("kong", &file.to_string()).expect("a whole file");
    let text = project_text(&imported.project, "ron").expect("a known format");
    assert!(!text.contains("very-secret") && text.contains("env:BIG_SHOP_KEY_1"), "{text}");
}

#[test]
fn texts_that_are_no_declarative_file_are_refused() {
    for text in ["", "[]", "services: []", "{}", r#"{"_format_version": "1.1", "services": []}"#, r#"{"_format_version": "3.0"}"#] {
        let problems = import::read("kong", text).expect_err(text);
        assert!(diagnostics::has_errors(&problems), "{text}");
    }
    let odd = json!({"_format_version": "3.0", "routes": [{"name": "r", "expression": "x", "paths": 7}, 3], "plugins": [{"name": "lua"}, {}], "certificates": []});
    let imported = import::read("kong", &odd.to_string()).expect("as much as can be read");
    assert!(imported.diagnostics.len() >= 3, "{:?}", imported.diagnostics);
}

#[test]
fn an_api_becomes_openapi_with_amazons_extensions() {
    let mut design = sample("order-flow.ron");
    let edge = &mut design.components["edge"];
    edge.profile = Some("aws-rest-api".to_owned());
    let rows = json!([
        {"name": "order", "paths": ["/orders/{id}"], "methods": ["GET", "PUT"], "respond": 200, "key_required": true},
        {"name": "rest", "paths": ["/files/{proxy+}"], "respond": 204, "authorizer": "who"},
    ]);
    edge.params.insert("routes".to_owned(), serde_json::from_value(rows).expect("rows"));
    let who = json!([{"name": "who", "type": "lambda", "ttl": "60s"}]);
    edge.params.insert("authorizers".to_owned(), serde_json::from_value(who).expect("rows"));
    let document = exported(&design, "openapi");
    assert_eq!(document["openapi"], "3.0.1");
    let order = &document["paths"]["/orders/{id}"]["get"];
    assert_eq!((&order["parameters"][0]["name"], &order["security"]), (&json!("id"), &json!([{"api_key": []}])));
    assert_eq!(order["x-amazon-apigateway-integration"]["type"], "mock");
    let any = &document["paths"]["/files/{proxy+}"]["x-amazon-apigateway-any-method"];
    assert_eq!(any["security"], json!([{"who": []}]));
    let authorizer = &document["components"]["securitySchemes"]["who"]["x-amazon-apigateway-authorizer"];
    assert_eq!(authorizer["authorizerResultTtlInSeconds"], 60);
    assert_eq!(exported(&sample("mm1.ron"), "openapi")["paths"], json!({}));
}

/// A queue and a fan-out topic behind an API are its service integrations, each in the words of its product.
#[test]
fn an_api_before_queues_has_service_integrations() {
    let mut design = sample("aws-usage-plans.ron");
    let integration = |design: &Project| {
        let document = exported(design, "openapi");
        let operation = &document["paths"]["/orders"]["post"];
        assert_eq!(operation["responses"]["503"]["description"], "The service takes no more requests");
        operation["x-amazon-apigateway-integration"].clone()
    };
    let rest = integration(&design);
    assert_eq!((&rest["type"], &rest["uri"]), (&json!("aws"), &json!("arn:aws:apigateway:<region>:sqs:path/<account>/orders")));
    let template = rest["requestTemplates"]["application/json"].as_str().expect("a template");
    assert!(template.starts_with("Action=SendMessage&MessageBody=$util.urlEncode($input.body)"), "{template}");
    assert!(!template.contains("MessageGroupId"), "{template}");
    design.components["orders"].profile = Some("sqs-fifo".to_owned());
    let template = integration(&design)["requestTemplates"]["application/json"].to_string();
    assert!(template.contains("&MessageGroupId="), "{template}");
    design.components["edge"].profile = Some("aws-http-api".to_owned());
    let http = integration(&design);
    assert_eq!((&http["type"], &http["integrationSubtype"]), (&json!("aws_proxy"), &json!("SQS-SendMessage")));
    assert_eq!(http["requestParameters"]["QueueUrl"], "https://sqs.<region>.amazonaws.com/<account>/orders.fifo");
    design.components["edge"].profile = Some("aws-rest-api".to_owned());
    let orders = &mut design.components["orders"];
    (orders.kind, orders.profile) = ("fanout".to_owned(), Some("sns-standard".to_owned()));
    let sns = integration(&design);
    assert_eq!(sns["uri"], "arn:aws:apigateway:<region>:sns:path//");
    assert!(sns["requestTemplates"].to_string().contains("Action=Publish&TopicArn="), "{sns}");
}

/// What a route asks of events are headers in Kong's file, and come back from there.
#[test]
fn event_attributes_are_headers_in_kongs_file() {
    let mut design = sample("order-flow.ron");
    let rows = json!([{"name": "orders", "paths": ["/orders"], "respond": 200, "event_types": ["order.*"], "event_sources": ["web"],
        "event_subjects": ["a.b*", "c"]}]);
    design.components["edge"].params.insert("routes".to_owned(), serde_json::from_value(rows.clone()).expect("rows"));
    let file = exported(&design, "kong");
    let headers = &file["services"][0]["routes"][0]["headers"];
    assert_eq!(headers["ce-type"], json!(["~*^order\\."]));
    assert_eq!((&headers["ce-source"], &headers["ce-subject"]), (&json!(["web"]), &json!(["~*^a\\.b", "c"])));
    let back = import::read("kong", &file.to_string()).expect("its own file is read");
    let row = serde_json::to_value(&back.project.components["edge"].params["routes"]).expect("it is data")[0].clone();
    for field in ["event_types", "event_sources", "event_subjects"] {
        assert_eq!(row[field], rows[0][field], "{row}");
    }
}
