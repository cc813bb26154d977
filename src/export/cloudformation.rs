//! A design's queues and fan-out topics as an AWS CloudFormation template, in JSON.
//!
//! Queues with their redrive policies, topics, subscriptions with their filter and delivery policies, and the queue
//! policies that let a topic send. Everything else of a design is no resource here and is left out; what a topic pushes
//! to is an endpoint under the domain that is kept for examples.
//! Source: the resource types AWS::SQS::Queue, AWS::SQS::QueuePolicy, AWS::SNS::Topic, AWS::SNS::Subscription.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::{Exporter, Writer};
use crate::components::{Params, params_of};
use crate::model::{Component, Link, Project};
use crate::units::SimDuration;

pub(super) const EXPORTER: Exporter = Exporter {
    name: "cloudformation",
    extension: "json",
    help: "An AWS CloudFormation template of its queues and fan-out topics",
    write: Writer::Project(write),
};

/// Longest description of a template.
const DESCRIPTION_BYTES_MAX: usize = 1024;
/// Longest name of a queue, its suffix included.
const NAME_CHARS_MAX: usize = 80;

fn write(project: &Project) -> String {
    let ids = LogicalIds::of(project);
    let mut resources = Map::new();
    for (id, component) in &project.components {
        match component.kind.as_str() {
            "queue" => {
                resources.insert(ids.of_component(id), queue(project, &ids, id, component));
                resources.extend(queue_policy(project, &ids, id).map(|policy| (format!("{}Policy", ids.of_component(id)), policy)));
            }
            "fanout" => {
                resources.insert(ids.of_component(id), topic(id, component));
                resources.extend(subscriptions(project, &ids, id, component));
            }
            _ => {}
        }
    }
    let mut description = format!("{}: queues and topics", project.name).replace(char::is_control, " ");
    description.truncate(description.floor_char_boundary(DESCRIPTION_BYTES_MAX));
    let template = json!({"AWSTemplateFormatVersion": "2010-09-09", "Description": description, "Resources": resources});
    format!("{template:#}\n")
}

/// Logical ids: letters and digits only, so two components may need a number to differ.
struct LogicalIds(BTreeMap<String, String>);

impl LogicalIds {
    fn of(project: &Project) -> Self {
        let mut taken = BTreeSet::new();
        let mut ids = BTreeMap::new();
        for (id, component) in &project.components {
            let words = id.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            let camel: String = words.map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            let ending = match component.kind.as_str() {
                "queue" => "Queue",
                "fanout" => "Topic",
                _ => "Endpoint",
            };
            let stem = if camel.ends_with(ending) { camel } else { camel + ending };
            let free = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}{n}") }).find(|name| taken.insert(name.clone()));
            ids.extend(free.map(|name| (id.clone(), name)));
        }
        Self(ids)
    }
    fn of_component(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_default()
    }
    fn arn(&self, id: &str) -> Json {
        json!({"Fn::GetAtt": [self.of_component(id), "Arn"]})
    }
}

pub(super) fn is_fifo(component: &Component) -> bool {
    component.profile.as_deref().is_some_and(|profile| profile.ends_with("-fifo"))
}

/// The product's name: letters, digits, hyphens, underscores, and the suffix that FIFO asks for.
pub(super) fn product_name(id: &str, fifo: bool) -> String {
    let suffix = if fifo { ".fifo" } else { "" };
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    id.chars().map(keep).take(NAME_CHARS_MAX - suffix.len()).chain(suffix.chars()).collect()
}

/// Whole seconds, as the products take them; a part of a second counts as one.
fn seconds(duration: SimDuration) -> u64 {
    duration.as_ns().div_ceil(1_000_000_000)
}

fn links_from<'a>(project: &'a Project, id: &'a str, port: &'a str) -> impl Iterator<Item = &'a Link> {
    project.links.iter().filter(move |link| link.from.component == id && link.from.port == port)
}

fn queue(project: &Project, ids: &LogicalIds, id: &str, component: &Component) -> Json {
    let fifo = is_fifo(component);
    let mut properties = json!({"QueueName": product_name(id, fifo)});
    if let Some(params) = params_of(component) {
        properties["VisibilityTimeout"] = seconds(params.duration("visibility_timeout")).into();
        properties["ReceiveMessageWaitTimeSeconds"] = seconds(params.duration("receive_wait")).into();
        properties["DelaySeconds"] = seconds(params.duration("delay")).into();
        properties["MessageRetentionPeriod"] = seconds(params.duration("retention")).into();
        properties["MaximumMessageSize"] = params.size("max_message_size").unwrap_or(1 << 20).into();
        if fifo {
            properties["FifoQueue"] = true.into();
            properties["ContentBasedDeduplication"] = params.flag("content_deduplication").into();
            let high = params.text("throughput") == "high";
            let scope = params.optional_text("deduplication_scope").or_else(|| high.then(|| "messageGroup".to_owned()));
            if let Some(scope) = scope {
                properties["DeduplicationScope"] = scope.into();
                properties["FifoThroughputLimit"] = if high { "perMessageGroupId" } else { "perQueue" }.into();
            }
        }
        if params.is_given("redrive_permission") {
            properties["RedriveAllowPolicy"] = redrive_allow_policy(project, ids, &params);
        }
        if let Some(letters) = links_from(project, id, "dead_letters").next().filter(|_| params.is_given("max_receive_count")) {
            let target = ids.arn(&letters.to.component);
            properties["RedrivePolicy"] = json!({"deadLetterTargetArn": target, "maxReceiveCount": params.count("max_receive_count")});
        }
    }
    json!({"Type": "AWS::SQS::Queue", "Properties": properties})
}

fn redrive_allow_policy(project: &Project, ids: &LogicalIds, params: &Params<'_>) -> Json {
    let permission = params.text("redrive_permission");
    if permission != "byQueue" {
        return json!({"redrivePermission": permission});
    }
    // Their ARNs by name: a reference would go round in a circle, as the sources refer to this queue.
    let arn = |id: &String| {
        let name = product_name(id, project.components.get(id).is_some_and(is_fifo));
        json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}")})
    };
    let known = params.words("redrive_sources").into_iter().filter(|id| !ids.of_component(id).is_empty());
    json!({"redrivePermission": permission, "sourceQueueArns": known.map(|id| arn(&id)).collect::<Vec<_>>()})
}

/// Lets the topics that deliver to a queue send to it; none when no topic does.
fn queue_policy(project: &Project, ids: &LogicalIds, id: &str) -> Option<Json> {
    let is_topic = |id: &str| project.components.get(id).is_some_and(|component| component.kind == "fanout");
    let topics: BTreeSet<&str> = project
        .links
        .iter()
        .filter(|link| link.to.component == id)
        .map(|link| link.from.component.as_str())
        .filter(|from| is_topic(from))
        .collect();
    let statement = |topic: &&str| {
        json!({
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": ids.arn(id),
            "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": ids.of_component(topic)}}},
        })
    };
    let statements: Vec<Json> = topics.iter().map(statement).collect();
    (!statements.is_empty()).then(|| {
        json!({
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": ids.of_component(id)}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
            },
        })
    })
}

fn topic(id: &str, component: &Component) -> Json {
    let fifo = is_fifo(component);
    let mut properties = json!({"TopicName": product_name(id, fifo)});
    if fifo {
        properties["FifoTopic"] = true.into();
        properties["ContentBasedDeduplication"] = params_of(component).is_some_and(|params| params.flag("content_deduplication")).into();
    }
    json!({"Type": "AWS::SNS::Topic", "Properties": properties})
}

fn subscriptions(project: &Project, ids: &LogicalIds, id: &str, component: &Component) -> Vec<(String, Json)> {
    let rows = params_of(component).map(|params| params.named("subscriptions")).unwrap_or_default();
    let of_link = |link: &Link| {
        let subscriber = &link.to.component;
        let is_queue = project.components.get(subscriber).is_some_and(|component| component.kind == "queue");
        let row = rows.iter().find(|(name, _)| name == subscriber).map(|(_, row)| row);
        let mut properties = json!({"TopicArn": {"Ref": ids.of_component(id)}});
        if is_queue {
            properties["Protocol"] = "sqs".into();
            properties["Endpoint"] = ids.arn(subscriber);
        } else {
            let path = row.map_or_else(|| "/".to_owned(), |row| row.text("path"));
            properties["Protocol"] = "https".into();
            properties["Endpoint"] = format!("https://{}.example.com{path}", product_name(subscriber, false).replace('_', "-")).into();
            if let Some(row) = row {
                properties["DeliveryPolicy"] = delivery_policy(row);
            }
        }
        if let Some(row) = row {
            let policy = row.optional_text("filter_policy").and_then(|text| serde_json::from_str::<Json>(&text).ok());
            if let Some(policy) = policy {
                properties["FilterPolicy"] = policy;
                properties["FilterPolicyScope"] = row.text("filter_scope").into();
            }
            properties["RawMessageDelivery"] = row.flag("raw").into();
        }
        let wanted = row.and_then(|row| row.optional_text("dead_letters"));
        let mut letters = links_from(project, id, "dead_letters").map(|link| &link.to.component);
        if let Some(letters) = letters.find(|letters| wanted.as_ref().is_none_or(|wanted| wanted == *letters)) {
            properties["RedrivePolicy"] = json!({"deadLetterTargetArn": ids.arn(letters)});
        }
        let name = format!("{}To{}", ids.of_component(id), ids.of_component(subscriber));
        (name, json!({"Type": "AWS::SNS::Subscription", "Properties": properties}))
    };
    links_from(project, id, "subscriptions").map(of_link).collect()
}

/// How an HTTP endpoint's deliveries are tried again, and how close they may be upon each other.
fn delivery_policy(row: &Params<'_>) -> Json {
    let mut policy = json!({
        "healthyRetryPolicy": {
            "numRetries": row.count("retries"),
            "minDelayTarget": seconds(row.duration("retry_delay_min")),
            "maxDelayTarget": seconds(row.duration("retry_delay_max")),
            "numNoDelayRetries": row.count("immediate_retries"),
            "numMinDelayRetries": row.count("early_retries"),
            "numMaxDelayRetries": row.count("late_retries"),
            "backoffFunction": row.text("backoff"),
        },
    });
    if row.is_given("max_receives_per_second") {
        policy["throttlePolicy"] = json!({"maxReceivesPerSecond": row.count("max_receives_per_second")});
    }
    policy
}
