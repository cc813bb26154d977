//! Micronaut Kafka: a listener for each reader, a client for each writer.
//!
//! Source: the guide and the annotations' documentation of Micronaut Kafka 5 (`@KafkaListener`, `@ErrorStrategy`, `@KafkaClient`).

use std::fmt::Write;

use super::java::{class_name, comment, quoted, records};
use super::{Function, events, functions};
use crate::export::{Exporter, Writer};
use crate::model::Project;

pub(in crate::export) const EXPORTER: Exporter = Exporter {
    name: "micronaut",
    extension: "txt",
    help: "A Micronaut project: build file, configuration, a listener or client for each consumer, service and producer (a folder)",
    write: Writer::Folder(write),
};

fn write(project: &Project) -> Vec<(String, String)> {
    let functions = functions(project);
    let mut files = vec![
        ("README.md".to_owned(), readme(project, &functions)),
        ("build.gradle".to_owned(), GRADLE.to_owned()),
        ("settings.gradle".to_owned(), "rootProject.name = 'design'\n".to_owned()),
        ("src/main/resources/application.yml".to_owned(), yaml(&functions)),
        ("src/main/java/design/Application.java".to_owned(), APPLICATION.to_owned()),
    ];
    files.extend(records(&events(project)));
    for function in &functions {
        if !function.reads.is_empty() {
            files.push((format!("src/main/java/design/{}.java", function.class), listener(function)));
        }
        if !function.makes.is_empty() {
            files.push((format!("src/main/java/design/{}Client.java", function.class), client(function)));
        }
    }
    files
}

const GRADLE: &str = "plugins {\n    id 'io.micronaut.application' version '4.4.4'\n}\n\nversion = '0.1.0'\ngroup = 'design'\n\nrepositories {\n    mavenCentral()\n}\n\ndependencies {\n    annotationProcessor 'io.micronaut.serde:micronaut-serde-processor'\n    implementation 'io.micronaut.kafka:micronaut-kafka'\n    implementation 'io.micronaut.serde:micronaut-serde-jackson'\n    runtimeOnly 'org.yaml:snakeyaml'\n    runtimeOnly 'ch.qos.logback:logback-classic'\n}\n\napplication {\n    mainClass = 'design.Application'\n}\n\njava {\n    sourceCompatibility = JavaVersion.toVersion('17')\n}\n\nmicronaut {\n    version '4.7.3'\n}\n";

const APPLICATION: &str = "package design;\n\nimport io.micronaut.runtime.Micronaut;\n\npublic class Application {\n    public static void main(String[] args) {\n        Micronaut.run(Application.class, args);\n    }\n}\n";

fn yaml(functions: &[Function]) -> String {
    let mut out = String::from(
        "micronaut:\n  application:\n    name: design\nkafka:\n  bootstrap:\n    servers: \"${KAFKA_BROKERS:`localhost:9092`}\"\n",
    );
    let readers: Vec<&Function> = functions.iter().filter(|function| !function.reads.is_empty()).collect();
    if !readers.is_empty() {
        out.push_str("  consumers:\n");
    }
    for function in readers {
        let _ = write!(out, "    {}:\n      max.poll.records: {}\n", quoted(&function.group), function.poll_size);
    }
    out
}

/// The strategy of offsets that commits when the design does.
fn offsets(function: &Function) -> &'static str {
    match function.commit.as_str() {
        "after" => "SYNC",
        "transaction" => "SEND_TO_TRANSACTION",
        "before" => "DISABLED",
        _ => "AUTO",
    }
}

fn listener(function: &Function) -> String {
    let mut out = String::from("package design;\n\n");
    let mut types: Vec<String> = Vec::new();
    for ty in &function.takes {
        let event = class_name(ty);
        if !types.contains(&event) {
            types.push(event);
        }
    }
    let mut imports = types.clone();
    imports.sort();
    for event in imports {
        let _ = writeln!(out, "import design.events.{event};");
    }
    out.push_str("import com.fasterxml.jackson.databind.ObjectMapper;\nimport io.micronaut.configuration.kafka.annotation.ErrorStrategy;\nimport io.micronaut.configuration.kafka.annotation.ErrorStrategyValue;\nimport io.micronaut.configuration.kafka.annotation.KafkaKey;\nimport io.micronaut.configuration.kafka.annotation.KafkaListener;\nimport io.micronaut.configuration.kafka.annotation.OffsetReset;\nimport io.micronaut.configuration.kafka.annotation.OffsetStrategy;\nimport io.micronaut.configuration.kafka.annotation.Topic;\nimport io.micronaut.messaging.annotation.MessageHeader;\nimport java.io.IOException;\n\n");
    let reset = if function.earliest { "EARLIEST" } else { "LATEST" };
    let strategy = if function.attempts > 1 { "RETRY_ON_ERROR" } else { "RESUME_AT_NEXT_RECORD" };
    let _ = write!(
        out,
        "/** {}. */\n@KafkaListener(\n    groupId = {},\n    offsetReset = OffsetReset.{reset},\n    offsetStrategy = OffsetStrategy.{},\n    threads = {},\n    errorStrategy = @ErrorStrategy(value = ErrorStrategyValue.{strategy}, retryDelay = \"{}ms\", retryCount = {}))\npublic class {} {{\n    private final ObjectMapper json = new ObjectMapper();\n\n",
        comment(&function.about),
        quoted(&function.group),
        offsets(function),
        function.concurrency,
        function.backoff_ms,
        (function.attempts - 1).max(1),
        function.class,
    );
    let topics: Vec<String> = function.reads.iter().map(|topic| quoted(topic)).collect();
    let _ = write!(
        out,
        "    @Topic({{{}}})\n    public void receive(@KafkaKey String key, @MessageHeader(\"ce_type\") String type, byte[] value) throws IOException {{\n        switch (type) {{\n",
        topics.join(", ")
    );
    for event in &types {
        let _ = writeln!(out, "            case {event}.TYPE -> on(key, json.readValue(value, {event}.class));");
    }
    out.push_str("            default -> { } // Not for this listener.\n        }\n    }\n");
    for event in &types {
        let _ = write!(out, "\n    private void on(String key, {event} event) {{\n        // What this service does with it.\n    }}\n");
    }
    out.push_str("}\n");
    out
}

fn client(function: &Function) -> String {
    let mut out = String::from("package design;\n\n");
    let mut imports: Vec<String> = function.makes.iter().map(|(ty, _)| class_name(ty)).collect();
    imports.sort();
    imports.dedup();
    for event in &imports {
        let _ = writeln!(out, "import design.events.{event};");
    }
    let _ = write!(
        out,
        "import io.micronaut.configuration.kafka.annotation.KafkaClient;\nimport io.micronaut.configuration.kafka.annotation.KafkaKey;\nimport io.micronaut.configuration.kafka.annotation.Topic;\nimport io.micronaut.messaging.annotation.MessageHeader;\n\n/** What {} writes. */\n@KafkaClient(id = {}, acks = KafkaClient.Acknowledge.ALL)\npublic interface {}Client {{\n",
        comment(&function.id),
        quoted(&function.id),
        function.class
    );
    let mut done: Vec<String> = Vec::new();
    for (ty, topic) in &function.makes {
        let event = class_name(ty);
        if !done.contains(&event) {
            let _ = write!(
                out,
                "    @Topic({})\n    @MessageHeader(name = \"ce_type\", value = {event}.TYPE)\n    void send{event}(@KafkaKey String key, {event} event);\n",
                quoted(topic)
            );
            done.push(event);
        }
    }
    out.push_str("}\n");
    out
}

fn readme(project: &Project, functions: &[Function]) -> String {
    let how = "each listener is to be filled in. `gradle run` with `KAFKA_BROKERS` set.";
    super::readme(project, functions, how, |function| {
        let beyond = function.dead_letters.as_ref();
        let beyond = beyond.map(|topic| format!("  What cannot be processed goes to {topic:?}: that is its error handler's to do.\n"));
        (function.class.as_str(), beyond.unwrap_or_default())
    })
}
