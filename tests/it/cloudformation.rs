//! The CloudFormation template of the sample projects with queues: whole, and every reference leads somewhere.

use std::path::Path;

use eventyard::export::project_text;
use eventyard::project::load_file;
use serde_json::{Value as Json, json};

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
    for sample in ["sqs-visibility", "sns-fanout-filters"] {
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
