//! What holds for every assignment. Kafka's own cases are in `tests/it/kafka_cases.rs`.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const TOPICS: u32 = 4;

fn member(id: &str, topics: impl IntoIterator<Item = u32>) -> Subscriber {
    let topics = topics.into_iter().map(TopicIx).collect();
    (Arc::from(id), Subscription { topics, ..Subscription::default() })
}

/// The members as they come again after they were given this.
fn again(members: &[Subscriber], assignment: &Assignment, generation: u32) -> Vec<Subscriber> {
    let owned: BTreeMap<_, _> = assignment.iter().cloned().collect();
    let mut members = members.to_vec();
    for (id, subscription) in &mut members {
        if let Some(owned) = owned.get(id) {
            subscription.owned = owned.clone().into();
            subscription.generation = Some(generation);
        }
    }
    members
}

fn all_of(assignment: &Assignment) -> Vec<(TopicIx, u32)> {
    let mut all: Vec<_> = assignment.iter().flat_map(|(_, partitions)| partitions.iter().copied()).collect();
    all.sort_unstable();
    all
}

fn wanted(members: &[Subscriber], topics: &[(TopicIx, u32)]) -> Vec<(TopicIx, u32)> {
    let wanted = topics.iter().filter(|(topic, _)| members.iter().any(|member| wants(member, *topic)));
    wanted.flat_map(|&(topic, count)| (0..count).map(move |partition| (topic, partition))).collect()
}

/// How many partitions of `before` have another owner in `after`.
fn moved(before: &Assignment, after: &Assignment) -> usize {
    let owners: BTreeMap<_, _> = before.iter().flat_map(|(id, all)| all.iter().map(move |one| (*one, id))).collect();
    after
        .iter()
        .flat_map(|(id, all)| all.iter().map(move |one| (one, id)))
        .filter(|(one, id)| owners.get(one).is_some_and(|owner| owner != id))
        .count()
}

fn groups() -> impl Strategy<Value = Vec<Subscriber>> {
    let topics = prop::collection::btree_set(0..TOPICS, 0..=TOPICS as usize);
    let table = prop::collection::btree_map("[a-z]{1,3}[0-9]{0,2}", topics, 1..8);
    table.prop_map(|members| members.into_iter().map(|(id, topics)| member(&id, topics)).collect())
}

fn topics() -> impl Strategy<Value = Vec<(TopicIx, u32)>> {
    prop::collection::vec(0u32..20, TOPICS as usize).prop_map(|counts| (0..).map(TopicIx).zip(counts).collect())
}

proptest! {
    #[test]
    fn each_partition_goes_to_one_member_that_wants_it(members in groups(), topics in topics()) {
        for assignor in Assignor::ALL {
            let assignment = assign(assignor, &members, &topics);
            prop_assert_eq!(all_of(&assignment), wanted(&members, &topics), "{:?}", assignor);
            for (id, partitions) in &assignment {
                let member = members.iter().find(|member| member.0 == *id).expect("a member");
                prop_assert!(partitions.iter().all(|one| wants(member, one.0)), "{:?}: {} {:?}", assignor, id, partitions);
            }
        }
    }

    #[test]
    fn no_move_makes_a_sticky_assignment_more_even(members in groups(), topics in topics(), leaves in 0usize..8) {
        let first = assign(Assignor::Sticky, &members, &topics);
        let mut left = again(&members, &first, 1);
        left.remove(leaves % members.len());
        for (members, assignment) in [(&members, &first), (&left, &assign(Assignor::Sticky, &left, &topics))] {
            let counts: BTreeMap<_, _> = assignment.iter().map(|(id, partitions)| (id, partitions.len())).collect();
            for (id, partitions) in assignment {
                for other in members.iter().filter(|other| partitions.iter().any(|one| wants(other, one.0))) {
                    prop_assert!(counts[id] <= counts[&other.0] + 1, "{} could give to {}: {:?}", id, other.0, assignment);
                }
            }
        }
    }

    #[test]
    fn who_stays_keeps_what_is_its_share(count in 2u32..20, partitions in 0u32..60, leaves in 0u32..20) {
        let members: Vec<_> = (0..count).map(|number| member(&format!("m{number}"), [0])).collect();
        let topics = [(TopicIx(0), partitions)];
        let before = assign(Assignor::Sticky, &members, &topics);
        let mut left = again(&members, &before, 1);
        let gone = left.remove((leaves % count) as usize);
        let after = assign(Assignor::Sticky, &left, &topics);
        prop_assert_eq!(moved(&before, &after), gone.1.owned.len(), "only what the leaver had moves");
        // One more comes: it is filled to the lower share, nobody else gets anything.
        let mut more = again(&left, &after, 2);
        more.push(member("new", [0]));
        prop_assert_eq!(moved(&after, &assign(Assignor::Sticky, &more, &topics)), (partitions / count) as usize);
    }

    #[test]
    fn cooperation_comes_to_rest_and_never_gives_what_another_holds(members in groups(), topics in topics(), leaves in 0usize..8) {
        let first = assign(Assignor::CooperativeSticky, &members, &topics);
        let mut group = again(&members, &first, 1);
        group.remove(leaves % members.len());
        group.push(member("new", 0..TOPICS));
        // Where members want different topics a later round may still even out what the one before let go of. So it may
        // in Kafka: its CooperativeStickyAssignorTest lets up to four more rounds follow the first.
        const ROUNDS_MAX: u32 = 8;
        for round in 2..2 + ROUNDS_MAX {
            let held: BTreeMap<_, _> = group.iter().flat_map(|(id, one)| one.owned.iter().map(move |partition| (*partition, id))).collect();
            let assignment = assign(Assignor::CooperativeSticky, &group, &topics);
            for (id, partition) in assignment.iter().flat_map(|(id, all)| all.iter().map(move |one| (id, one))) {
                prop_assert!(held.get(partition).is_none_or(|holder| *holder == id), "{:?} moved while it was held", partition);
            }
            let given: BTreeSet<_> = all_of(&assignment).into_iter().collect();
            prop_assert_eq!(given.len(), all_of(&assignment).len(), "no partition has two readers");
            if round == 1 + ROUNDS_MAX {
                prop_assert_eq!(all_of(&assignment), wanted(&group, &topics), "everything is handed over in the end");
            }
            group = again(&group, &assignment, round);
        }
    }
}
