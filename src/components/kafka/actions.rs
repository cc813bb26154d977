//! What can be done to a cluster while it runs, and the problems that a plan of it can have.
//!
//! Data for scenarios and buttons; what is done is in `operations.rs` and `faults.rs`. Start at [`ACTIONS`].

use super::{acls, spec};
use crate::components::{ActionSpec, Params, PlannedAction, SKEW_CLOCK, TopicDecl};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{Component, Default_, ParamSpec, ParamType, TimedFault};

use Default_::{Absent, Same};
use ParamType as T;

const NODE: ParamSpec = ParamSpec::new("node", "Node", T::Count { min: 0, max: 99 }, Default_::Required, "Which node; the first is 0");

/// Deletes a topic's records.
pub(super) const PURGE: &str = "purge-topic";

/// Gives a topic more partitions.
pub(super) const ADD_PARTITIONS: &str = "add-partitions";

/// Flips a bit on a disk.
pub(super) const CORRUPT: &str = "corrupt-batch";

/// One more node.
pub(super) const ADD_BROKER: &str = "add-broker";

/// Moves replicas.
pub(super) const REASSIGN: &str = "reassign";

/// Gives leaders back.
pub(super) const ELECT_PREFERRED: &str = "elect-preferred-leaders";

/// Restarts one node after another.
pub(super) const ROLLING_RESTART: &str = "rolling-restart";

/// Nothing is decided for a while.
pub(super) const QUORUM_LOSS: &str = "quorum-loss";

/// One rule more.
pub(super) const ADD_ACL: &str = "add-acl";

/// One rule less.
pub(super) const REMOVE_ACL: &str = "remove-acl";

/// Moves dead letters back.
pub(super) const REDRIVE: &str = "redrive";

const ONE_TOPIC: ParamSpec = ParamSpec::new("topic", "Topic", T::Text { max_chars: 249 }, Default_::Required, "Which topic");

/// What can be done to topics and nodes.
pub(super) const ACTIONS: &[ActionSpec] = &[
    ActionSpec {
        name: PURGE,
        help: "Deletes every record of a topic up to the high watermark, as kafka-delete-records.sh does; readers go on behind them",
        params: &[ONE_TOPIC],
    },
    ActionSpec {
        name: ADD_PARTITIONS,
        help: "Gives a topic more partitions, as kafka-topics.sh --alter does. Clients see them with their next metadata \
               (metadata_max_age); from then on most keys go to another partition, and what was sent before can be read after",
        params: &[
            ONE_TOPIC,
            ParamSpec::new("to", "To", T::Count { min: 2, max: 10_000 }, Default_::Required, "How many partitions it has then"),
        ],
    },
    ActionSpec {
        name: CORRUPT,
        help: "A bit of a stored batch is wrong on one node's disk. The broker does not see it: readers find that its checksum does \
               not hold, and so do followers that fetch it. Other replicas have good copies, should they lead",
        params: &[
            ParamSpec::new("topic", "Topic", T::Text { max_chars: 249 }, Absent, "Which topic; any when absent"),
            ParamSpec::new("partition", "Partition", T::Count { min: 0, max: 9_999 }, Absent, "Which partition; any when absent"),
            ParamSpec::new("node", "Node", T::Count { min: 0, max: 99 }, Absent, "On whose disk; the leader's when absent"),
            ParamSpec::new("offset", "Offset", T::Count { min: 0, max: i64::MAX }, Absent, "The batch that holds it; any when absent"),
        ],
    },
    ActionSpec {
        name: ADD_BROKER,
        help: "A new broker joins with nothing on it: replicas come to it by `reassign`, and those of partitions added later",
        params: &[],
    },
    ActionSpec {
        name: REASSIGN,
        help: "Moves replicas as kafka-reassign-partitions.sh does: new ones fetch the whole log, the old ones go when all are in sync. \
               Leaders follow with elect-preferred-leaders, or the next leader balance check",
        params: &[
            ParamSpec::new("topic", "Topic", T::Text { max_chars: 249 }, Default_::Absent, "Which topic; all when absent"),
            ParamSpec::new("nodes", "Nodes", T::Words, Default_::Absent, "To which nodes, as 0, 1, 3; to all that can lead when absent"),
            ParamSpec::new(
                "replication",
                "Replication factor",
                T::Count { min: 1, max: 100 },
                Default_::Absent,
                "Copies of each partition from now on; as many as before when absent",
            ),
            ParamSpec::new(
                "throttle",
                "Throttle",
                T::Size { min: "1B", max: "1TiB" },
                Default_::Absent,
                "Bytes a second that a node gives or takes for it, at most; unlimited when absent",
            )
            .key("follower.replication.throttled.rate"),
        ],
    },
    ActionSpec {
        name: ELECT_PREFERRED,
        help: "Gives leaders back to the first replica of each partition, where it is in sync, as kafka-leader-election.sh does",
        params: &[ParamSpec::new("topic", "Topic", T::Text { max_chars: 249 }, Default_::Absent, "Which topic; all when absent")],
    },
    ActionSpec {
        name: ROLLING_RESTART,
        help: "Restarts one node after another: a controlled shutdown, a time down, and then until no partition is under-replicated. \
               It is refused while a node is down or a replica is not in sync",
        params: &[ParamSpec::new("for", "For", T::Duration { min: "0s", max: "1h" }, Same("10s"), "How long each node is down")],
    },
    SKEW_CLOCK,
    ActionSpec {
        name: QUORUM_LOSS,
        help: "Most controllers are gone for a while: no elections, no changes of an ISR, no node that comes or goes, no new \
               partitions. Leaders go on with what they have; what has waited is done afterwards",
        params: &[ParamSpec::new("for", "For", T::Duration { min: "1ms", max: "24h" }, Default_::Required, "How long")],
    },
    ActionSpec {
        name: ADD_ACL,
        help: "Lets somebody do something, or forbids it, from now on (kafka-acls.sh --add). The cluster must have ACLs to begin with",
        params: acls::ACL,
    },
    ActionSpec {
        name: REMOVE_ACL,
        help: "Takes away the ACL that is just so (kafka-acls.sh --remove). Long polls that wait are answered once more",
        params: acls::ACL,
    },
    ActionSpec {
        name: REDRIVE,
        help: "Reads what stands in a dead-letter topic now and writes it to the topic where it came from, each event once: groups \
               that had made dead letters of them get them again, others a second time",
        params: &[
            ParamSpec::new("from", "From", T::Text { max_chars: 249 }, Default_::Required, "Topic of dead letters"),
            ParamSpec::new("into", "Into", T::Text { max_chars: 249 }, Default_::Required, "Topic that they go back to"),
            ParamSpec::new("rate", "Rate", T::Rate { min: "0.1/s", max: "10000/s" }, Same("100/s"), "Events a second at most"),
        ],
    },
    ActionSpec {
        name: "crash-node",
        help: "A node is gone at once. What it had appended stands on its disk (a crash of the machine that takes its unflushed \
               pages is `disk: lost`); others lead when its session with the controller is over",
        params: &[
            NODE,
            ParamSpec::new("disk", "Disk", T::Choice(&["kept", "lost"]), Same("kept"), "Whether its log is there when it restarts"),
            ParamSpec::new(
                "silent",
                "Silent",
                T::Bool,
                Same("false"),
                "Its machine vanishes from the network: clients see no broken connection and wait for their timeouts",
            ),
        ],
    },
    ActionSpec {
        name: "restart-node",
        help: "A node that is down comes back, once its old session is over; it truncates to the leaders' logs, then catches up",
        params: &[NODE],
    },
    ActionSpec {
        name: "shutdown-node",
        help: "A controlled shutdown: others take over what the node leads as soon as they have all of it, then it goes",
        params: &[NODE],
    },
    ActionSpec {
        name: "pause-node",
        help: "A node does nothing for a while: a long garbage collection",
        params: &[NODE, ParamSpec::new("for", "For", T::Duration { min: "1ms", max: "1h" }, Default_::Required, "How long")],
    },
    ActionSpec {
        name: "slow-node",
        help: "A node's requests and fetches take longer from now on",
        params: &[
            NODE,
            ParamSpec::new(
                "factor",
                "Factor",
                T::Number { min: 0.001, max: 1_000_000.0 },
                Default_::Required,
                "So many times as long as usual; 1 ends it",
            ),
        ],
    },
    ActionSpec {
        name: "isolate-node",
        help: "A node reaches neither the others nor the controller, while clients still reach it: a leader that others have replaced \
               goes on taking what it will lose",
        params: &[NODE],
    },
    ActionSpec { name: "rejoin-node", help: "An isolated node reaches the others again", params: &[NODE] },
    ActionSpec {
        name: "fill-disk",
        help: "One of a node's disks is full: the replicas on it are offline and others take over. A node with one disk would halt: crash-node",
        params: &[NODE],
    },
    ActionSpec { name: "free-disk", help: "There is room on a node's disk again", params: &[NODE] },
];

/// An action's nodes and topic must be of the cluster. What may happen to any component names neither.
pub(super) fn check(component: &Component, action: &PlannedAction<'_>, out: &mut Vec<Diagnostic>) {
    let PlannedAction { path, arguments, .. } = *action;
    let brokers = spec::nodes(&Params::new(spec::PARAMS, component.profile.as_deref(), &component.params)) + brokers_added(action);
    if action.fault.action == ROLLING_RESTART {
        check_rolling_restart(component, path, out);
    }
    if arguments.is_given("node") {
        check_node(&format!("{path}.node"), brokers, arguments.count("node"), out);
    }
    if arguments.is_given("nodes") {
        for word in arguments.words("nodes") {
            match word.parse() {
                Ok(node) => check_node(&format!("{path}.nodes"), brokers, node, out),
                Err(_) => out.push(Diagnostic::error("node-unknown", format!("{path}.nodes"), format!("`{word}` is no node"))),
            }
        }
    }
    let topics = spec::topics(component);
    for argument in ["topic", "from", "into"] {
        if arguments.is_given(argument) {
            check_topic(&format!("{path}.{argument}"), &topics, &arguments.text(argument), out);
        }
    }
    if action.fault.action == ADD_PARTITIONS {
        check_more_partitions(path, &topics, arguments, out);
    }
}

/// Brokers that the scenario has added to the cluster by then.
fn brokers_added(action: &PlannedAction<'_>) -> u32 {
    let adds = |one: &&TimedFault| one.action == ADD_BROKER && one.target == action.fault.target && one.at <= action.fault.at;
    action.timeline.iter().filter(adds).count() as u32
}

/// What stands still while one node is down.
fn check_rolling_restart(component: &Component, path: &str, out: &mut Vec<Diagnostic>) {
    let params = Params::new(spec::PARAMS, component.profile.as_deref(), &component.params);
    let min_insync = params.count("min_insync_replicas");
    for (name, row) in params.named("topics") {
        let replication = row.count("replication");
        let (message, hint) = if replication == 1 {
            (format!("`{name}` has one replica: each partition is offline while its node is down"), "`replication` of 3, or 2".to_owned())
        } else if replication <= min_insync {
            let message =
                format!("`{name}` has {replication} replicas and needs {min_insync} in sync: acks=all is refused while a node is down");
            (message, format!("`min_insync_replicas` of {}, or more replicas", replication - 1))
        } else {
            continue;
        };
        out.push(Diagnostic::warning("rolling-restart", format!("{path}.action"), message).with_hint(hint));
    }
}

fn check_node(path: &str, brokers: u32, node: i64, out: &mut Vec<Diagnostic>) {
    if node >= i64::from(brokers) {
        let last = brokers - 1;
        let message = format!("there is no node {node}: the cluster has {brokers} brokers");
        out.push(Diagnostic::error("node-unknown", path, message).with_hint(format!("nodes are 0 to {last}")));
    }
}

fn check_topic(path: &str, topics: &[TopicDecl], wanted: &str, out: &mut Vec<Diagnostic>) {
    let names = || topics.iter().map(|topic| topic.name.as_str());
    if names().any(|name| name == wanted) {
        return;
    }
    let hint = match nearest(wanted, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the cluster has {}", names().collect::<Vec<_>>().join(", ")),
    };
    out.push(Diagnostic::error("topic-unknown", path, format!("there is no topic `{wanted}`")).with_hint(hint));
}

fn check_more_partitions(path: &str, topics: &[TopicDecl], arguments: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let wanted = arguments.text("topic");
    let Some(has) = topics.iter().find(|topic| topic.name == wanted).map(|topic| topic.partitions) else { return };
    if arguments.count("to") <= i64::from(has) {
        let message = format!("`{wanted}` has {has} partitions, and Kafka takes none away");
        out.push(Diagnostic::error("partitions-fewer", format!("{path}.to"), message).with_hint(format!("{} or more", has + 1)));
    }
}
