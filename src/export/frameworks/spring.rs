//! Spring Cloud Stream: functional bindings over the Kafka binder.
//!
//! Source: the reference of Spring Cloud Stream 4 (binding names, consumer properties) and of its Kafka binder (`enable-dlq`,
//! `dlq-name`, `start-offset`; without `enable-dlq` the container's ten deliveries count, not `max-attempts`).

use std::fmt::Write;

use super::java::{class_name, comment, quoted, records};
use super::{Function, events, functions};
use crate::export::{Exporter, Writer};
use crate::model::Project;

pub(in crate::export) const EXPORTER: Exporter = Exporter {
    name: "spring-cloud-stream",
    extension: "txt",
    help: "A Spring Cloud Stream project: build file, bindings, a function for each consumer, service and producer (a folder)",
    write: Writer::Folder(write),
};

fn write(project: &Project) -> Vec<(String, String)> {
    let functions = functions(project);
    let mut files = vec![
        ("README.md".to_owned(), readme(project, &functions)),
        ("pom.xml".to_owned(), POM.to_owned()),
        ("src/main/resources/application.yml".to_owned(), yaml(&functions)),
        ("src/main/java/design/Application.java".to_owned(), APPLICATION.to_owned()),
    ];
    files.extend(records(&events(project)));
    for function in &functions {
        files.push((format!("src/main/java/design/{}.java", function.class), class(function)));
    }
    files
}

const POM: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>3.4.1</version>
  </parent>
  <groupId>design</groupId>
  <artifactId>design</artifactId>
  <version>0.1.0</version>
  <properties>
    <java.version>17</java.version>
  </properties>
  <dependencyManagement>
    <dependencies>
      <dependency>
        <groupId>org.springframework.cloud</groupId>
        <artifactId>spring-cloud-dependencies</artifactId>
        <version>2024.0.0</version>
        <type>pom</type>
        <scope>import</scope>
      </dependency>
    </dependencies>
  </dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>org.springframework.cloud</groupId>
      <artifactId>spring-cloud-stream-binder-kafka</artifactId>
    </dependency>
    <dependency>
      <groupId>com.fasterxml.jackson.core</groupId>
      <artifactId>jackson-databind</artifactId>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <groupId>org.springframework.boot</groupId>
        <artifactId>spring-boot-maven-plugin</artifactId>
      </plugin>
    </plugins>
  </build>
</project>
"#;

const APPLICATION: &str = "package design;\n\nimport org.springframework.boot.SpringApplication;\nimport org.springframework.boot.autoconfigure.SpringBootApplication;\n\n@SpringBootApplication\npublic class Application {\n    public static void main(String[] args) {\n        SpringApplication.run(Application.class, args);\n    }\n}\n";

fn yaml(functions: &[Function]) -> String {
    let names: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
    let mut out = String::from("spring:\n");
    if let Some(capacity) = functions.iter().filter_map(|function| function.pool_queue).max() {
        // One pool serves the whole application.
        let _ = write!(out, "  task:\n    execution:\n      pool:\n        queue-capacity: {capacity}\n");
    }
    let _ = write!(out, "  cloud:\n    function:\n      definition: {}\n    stream:\n      bindings:\n", quoted(&names.join(";")));
    for function in functions {
        let name = &function.name;
        if !function.reads.is_empty() {
            let _ = write!(
                out,
                "        {name}-in-0:\n          destination: {}\n          group: {}\n          consumer:\n            concurrency: {}\n            max-attempts: {}\n            back-off-initial-interval: {}\n            back-off-multiplier: 1.0\n",
                quoted(&function.reads.join(",")),
                quoted(&function.group),
                function.concurrency,
                function.attempts,
                function.backoff_ms.max(1),
            );
        }
        if let Some(first) = function.writes.first() {
            let _ = write!(out, "        {name}-out-0:\n          destination: {}\n", quoted(first));
        }
    }
    out.push_str("      kafka:\n        binder:\n          brokers: \"${KAFKA_BROKERS:localhost:9092}\"\n          auto-create-topics: false\n        bindings:\n");
    let readers: Vec<&Function> = functions.iter().filter(|function| !function.reads.is_empty()).collect();
    if readers.is_empty() {
        out.push_str("          {}\n");
    }
    for function in readers {
        let start = if function.earliest { "earliest" } else { "latest" };
        let _ = write!(out, "          {}-in-0:\n            consumer:\n              start-offset: {start}\n", function.name);
        match &function.dead_letters {
            Some(topic) => {
                let _ = write!(out, "              enable-dlq: true\n              dlq-name: {}\n", quoted(topic));
            }
            None => out.push_str("              enable-dlq: false\n"),
        }
        let mode = if function.commit == "after" { "RECORD" } else { "BATCH" };
        let _ = write!(
            out,
            "              ack-mode: {mode}\n              configuration:\n                max.poll.records: {}\n",
            function.poll_size
        );
    }
    out
}

fn class(function: &Function) -> String {
    let Function { class, name, takes, makes, reads, .. } = function;
    let mut out = String::from("package design;\n\n");
    let events: Vec<String> = takes.iter().chain(makes.iter().map(|(ty, _)| ty)).map(|ty| class_name(ty)).collect();
    let mut imports: Vec<&String> = events.iter().collect();
    imports.sort();
    imports.dedup();
    for event in imports {
        let _ = writeln!(out, "import design.events.{event};");
    }
    let kind = match (reads.is_empty(), makes.is_empty()) {
        (true, _) => "Supplier<Message<?>>",
        (false, true) => "Consumer<Message<byte[]>>",
        (false, false) => "Function<Message<byte[]>, List<Message<?>>>",
    };
    out.push_str("import com.fasterxml.jackson.databind.ObjectMapper;\nimport java.io.IOException;\nimport java.util.ArrayList;\nimport java.util.List;\nimport java.util.function.Consumer;\nimport java.util.function.Function;\nimport java.util.function.Supplier;\nimport org.springframework.context.annotation.Bean;\nimport org.springframework.context.annotation.Configuration;\nimport org.springframework.messaging.Message;\nimport org.springframework.messaging.support.MessageBuilder;\n\n");
    let _ = write!(
        out,
        "/** {}. */\n@Configuration\npublic class {class} {{\n    private final ObjectMapper json = new ObjectMapper();\n\n    @Bean\n    public {kind} {name}() {{\n",
        comment(&function.about)
    );
    match (reads.is_empty(), makes.is_empty()) {
        (true, _) => out.push_str("        return () -> null; // What is to be sent, or null for nothing.\n    }\n"),
        (false, true) => {
            let _ = write!(out, "        return message -> handle(message, new ArrayList<>());\n    }}\n");
        }
        (false, false) => out.push_str(
            "        return message -> {\n            List<Message<?>> out = new ArrayList<>();\n            handle(message, out);\n            return out;\n        };\n    }\n",
        ),
    }
    if !reads.is_empty() && takes.is_empty() {
        out.push_str("\n    private void handle(Message<byte[]> message, List<Message<?>> out) {\n        // What this service does with it.\n    }\n");
    } else if !reads.is_empty() {
        out.push_str("\n    private void handle(Message<byte[]> message, List<Message<?>> out) {\n        String type = String.valueOf(message.getHeaders().get(\"ce_type\"));\n        try {\n            switch (type) {\n");
        let mut done: Vec<String> = Vec::new();
        for event in takes.iter().map(|ty| class_name(ty)) {
            if !done.contains(&event) {
                let _ = writeln!(out, "                case {event}.TYPE -> on(json.readValue(message.getPayload(), {event}.class), out);");
                done.push(event);
            }
        }
        out.push_str("                default -> { } // Not for this function.\n            }\n        } catch (IOException error) {\n            throw new IllegalArgumentException(\"cannot read \" + type, error);\n        }\n    }\n");
        for event in done {
            let _ = write!(
                out,
                "\n    private void on({event} event, List<Message<?>> out) {{\n        // What this service does with it.\n    }}\n"
            );
        }
    }
    let mut made: Vec<String> = Vec::new();
    for (ty, topic) in makes {
        let event = class_name(ty);
        if made.contains(&event) {
            continue;
        }
        made.push(event.clone());
        let _ = write!(
            out,
            "\n    static Message<{event}> to{event}({event} event, String key) {{\n        return MessageBuilder.withPayload(event)\n            .setHeader(\"ce_type\", {event}.TYPE)\n            .setHeader(\"kafka_messageKey\", key.getBytes(java.nio.charset.StandardCharsets.UTF_8))\n            .setHeader(\"spring.cloud.stream.sendto.destination\", {})\n            .build();\n    }}\n",
            quoted(topic)
        );
    }
    out.push_str("}\n");
    out
}

fn readme(project: &Project, functions: &[Function]) -> String {
    let how = "each function is to be filled in. `mvn spring-boot:run` with `KAFKA_BROKERS` set.";
    super::readme(project, functions, how, |function| {
        let retries_in_vain = !function.reads.is_empty() && function.dead_letters.is_none();
        let words = "  It has no dead-letter topic, and so `max-attempts` has no effect: the container delivers ten times.\n";
        (function.name.as_str(), if retries_in_vain { words.to_owned() } else { String::new() })
    })
}
