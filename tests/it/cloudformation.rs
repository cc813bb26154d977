//! The CloudFormation template of the sample projects with queues: whole, and every reference leads somewhere.

use std::path::Path;
use std::process::Command;

use eventyard::export::project_text;
use eventyard::project::load_file;
use serde_json::{Value as Json, json};

/// Samples with queues or fan-out topics.
const SAMPLES: [&str; 3] = ["sqs-visibility", "sns-fanout-filters", "sns-http-endpoints"];

fn template(sample: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects").join(format!("{sample}.ron"));
    let loaded = load_file(&path).unwrap_or_else(|error| panic!("{sample}: {error}"));
    let text = project_text(&loaded.project, "cloudformation").expect("there is such a format");
    serde_json::from_str(&text).expect("the template is JSON")
}

/// Names that `Ref` and `Fn::GetAtt` lead to.
fn references(of: &Json, found: &mut Vec<String>) {
    match of {
        Json::Object(object) => {
            found.extend(object.get("Ref").and_then(Json::as_str).map(str::to_owned));
            found.extend(object.get("Fn::GetAtt").and_then(|path| path[0].as_str()).map(str::to_owned));
            object.values().for_each(|value| references(value, found));
        }
        Json::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn references_lead_to_resources() {
    for sample in SAMPLES {
        let template = template(sample);
        let resources = template["Resources"].as_object().expect("resources");
        let mut found = Vec::new();
        references(&template["Resources"], &mut found);
        assert!(!found.is_empty(), "{sample}");
        for name in found {
            assert!(resources.contains_key(&name), "{sample}: {name}");
        }
        for (name, resource) in resources {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
            assert!(resource["Properties"].is_object(), "{name}");
        }
    }
}

#[test]
fn settings_arrive() {
    let queues = template("sqs-visibility");
    let photos = &queues["Resources"]["PhotosQueue"];
    assert_eq!(photos["Type"], "AWS::SQS::Queue");
    assert_eq!(photos["Properties"]["VisibilityTimeout"], 20);
    assert_eq!(photos["Properties"]["RedrivePolicy"]["maxReceiveCount"], 3);
    assert_eq!(photos["Properties"]["RedrivePolicy"]["deadLetterTargetArn"], json!({"Fn::GetAtt": ["BrokenQueue", "Arn"]}));
    let fanout = template("sns-fanout-filters");
    let resources = &fanout["Resources"];
    assert_eq!(resources["OrdersTopic"]["Type"], "AWS::SNS::Topic");
    let fraud = &resources["OrdersTopicToFraudQueue"]["Properties"];
    assert_eq!(fraud["FilterPolicyScope"], "MessageBody");
    assert_eq!(fraud["FilterPolicy"]["total"], json!([{"numeric": [">", 100]}]));
    assert_eq!(fraud["RawMessageDelivery"], true);
    assert_eq!(resources["ArchiveQueuePolicy"]["Type"], "AWS::SQS::QueuePolicy");
    assert_eq!(resources["OrdersTopicToArchiveQueue"]["Properties"].get("FilterPolicy"), None);
}

#[test]
fn endpoints_have_their_delivery_policies() {
    let template = template("sns-http-endpoints");
    let partner = &template["Resources"]["OrdersTopicToPartnerEndpoint"]["Properties"];
    assert_eq!((&partner["Protocol"], &partner["Endpoint"]), (&json!("https"), &json!("https://partner.example.com/hooks/orders")));
    let policy = &partner["DeliveryPolicy"]["healthyRetryPolicy"];
    assert_eq!((&policy["numRetries"], &policy["backoffFunction"]), (&json!(6), &json!("exponential")));
    let indexer = &template["Resources"]["OrdersTopicToIndexerEndpoint"]["Properties"];
    assert_eq!(indexer["DeliveryPolicy"]["throttlePolicy"]["maxReceivesPerSecond"], 30);
}

/// AWS's own linter, where it is installed: `CFN_LINT` names it, or it is on the path.
#[test]
fn the_linter_finds_nothing() {
    let linter = std::env::var("CFN_LINT").unwrap_or_else(|_| "cfn-lint".to_owned());
    if Command::new(&linter).arg("--version").output().is_err() {
        println!("skipped: {linter} is not installed");
        return;
    }
    for sample in SAMPLES {
        let file = std::env::temp_dir().join(format!("eventyard-{}-{sample}.json", std::process::id()));
        std::fs::write(&file, template(sample).to_string()).expect("the temporary folder takes files");
        let output = Command::new(&linter).arg(&file).output().expect("it has said its version");
        std::fs::remove_file(&file).expect("it was just written");
        assert!(output.status.success(), "{sample}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
