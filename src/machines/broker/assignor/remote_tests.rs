//! The coordinator's assignors against the expectations of Kafka's own tests, and what holds for every target.
//!
//! The cases are those of `OptimizedUniformAssignmentBuilderTest` and `UniformHeterogeneousAssignmentBuilderTest`; where Kafka
//! goes through a hash table of topics they stand in the order that its result shows.

use proptest::prelude::*;

use super::*;

type Held<'a> = &'a [(u32, &'a [u32])];

/// A member: its name, the topics that it wants, and its last target.
type Row<'a> = (&'a str, &'a [u32], Held<'a>);

fn flat(held: Held<'_>) -> Vec<(TopicIx, u32)> {
    held.iter().flat_map(|(topic, list)| list.iter().map(|partition| (TopicIx(*topic), *partition))).collect()
}

fn members(rows: &[Row<'_>]) -> Vec<Subscriber> {
    let row = |(id, topics, owned): &Row<'_>| {
        let topics = topics.iter().copied().map(TopicIx).collect();
        (Arc::from(*id), Subscription { topics, owned: flat(owned).into(), ..Subscription::default() })
    };
    rows.iter().map(row).collect()
}

fn check(topics: &[(u32, u32)], rows: &[Row<'_>], expected: &[(&str, Held<'_>)]) {
    let topics: Vec<_> = topics.iter().map(|(topic, count)| (TopicIx(*topic), *count)).collect();
    let sorted = |mut list: Vec<(TopicIx, u32)>| {
        list.sort_unstable();
        list
    };
    let found: Vec<_> =
        assign_remotely(RemoteAssignor::Uniform, &members(rows), &topics).into_iter().map(|(id, list)| (id, sorted(list))).collect();
    let expected: Vec<_> = expected.iter().map(|(id, held)| (Arc::from(*id), sorted(flat(held)))).collect();
    assert_eq!(found, expected);
}

#[test]
fn members_that_want_the_same_topics_share_as_kafkas_do() {
    check(&[(3, 2), (1, 3)], &[("A", &[1, 3], &[]), ("B", &[1, 3], &[])], &[("A", &[(1, &[0]), (3, &[0, 1])]), ("B", &[(1, &[1, 2])])]);
    check(&[(3, 2)], &[("A", &[3], &[]), ("B", &[3], &[]), ("C", &[3], &[])], &[("A", &[(3, &[0])]), ("B", &[(3, &[1])]), ("C", &[])]);
    // A target that was uneven.
    check(
        &[(1, 3), (2, 3)],
        &[("A", &[1, 2], &[(1, &[0, 1]), (2, &[0, 1])]), ("B", &[1, 2], &[(1, &[2]), (2, &[2])])],
        &[("A", &[(1, &[0, 1]), (2, &[0])]), ("B", &[(1, &[2]), (2, &[1, 2])])],
    );
    // Partitions are added.
    check(
        &[(2, 5), (1, 6)],
        &[("A", &[1, 2], &[(1, &[0, 2]), (2, &[0])]), ("B", &[1, 2], &[(1, &[1]), (2, &[1, 2])])],
        &[("A", &[(1, &[0, 2, 3]), (2, &[0, 3, 4])]), ("B", &[(1, &[1, 4, 5]), (2, &[1, 2])])],
    );
    // A member comes.
    check(
        &[(1, 3), (2, 3)],
        &[("A", &[1, 2], &[(1, &[0, 2]), (2, &[0])]), ("B", &[1, 2], &[(1, &[1]), (2, &[1, 2])]), ("C", &[1, 2], &[])],
        &[("A", &[(1, &[0, 2])]), ("B", &[(1, &[1]), (2, &[1])]), ("C", &[(2, &[0, 2])])],
    );
    // A member has gone.
    check(
        &[(2, 3), (1, 3)],
        &[("A", &[1, 2], &[(1, &[0]), (2, &[0])]), ("B", &[1, 2], &[(1, &[1]), (2, &[1])])],
        &[("A", &[(1, &[0]), (2, &[0, 2])]), ("B", &[(1, &[1, 2]), (2, &[1])])],
    );
    // Nobody wants a topic any more.
    check(
        &[(1, 2), (2, 2)],
        &[("A", &[2], &[(1, &[0]), (2, &[0])]), ("B", &[2], &[(1, &[1]), (2, &[1])])],
        &[("A", &[(2, &[0])]), ("B", &[(2, &[1])])],
    );
}

#[test]
fn members_that_want_different_topics_share_as_kafkas_do() {
    check(
        &[(1, 3), (3, 6)],
        &[("A", &[1, 3], &[]), ("B", &[3], &[])],
        &[("A", &[(1, &[0, 1, 2]), (3, &[4])]), ("B", &[(3, &[0, 1, 2, 3, 5])])],
    );
    check(
        &[(1, 2), (3, 1)],
        &[("A", &[3], &[]), ("B", &[3], &[]), ("C", &[1], &[])],
        &[("A", &[(3, &[0])]), ("B", &[]), ("C", &[(1, &[0, 1])])],
    );
    check(&[(1, 3)], &[("A", &[1], &[]), ("B", &[], &[])], &[("A", &[(1, &[0, 1, 2])]), ("B", &[])]);
}

#[test]
fn what_members_that_want_different_topics_had_is_evened_out_as_kafkas_do() {
    check(
        &[(1, 6), (2, 4), (3, 4)],
        &[
            ("A", &[1], &[(1, &[0, 1, 2])]),
            ("B", &[1, 2], &[(1, &[3]), (2, &[0])]),
            ("C", &[1, 2, 3], &[(1, &[4, 5]), (2, &[1, 2, 3]), (3, &[0, 1, 2, 3])]),
        ],
        &[("A", &[(1, &[0, 1, 2, 5])]), ("B", &[(1, &[3]), (2, &[0, 1, 2, 3])]), ("C", &[(1, &[4]), (3, &[0, 1, 2, 3])])],
    );
    check(
        &[(1, 6), (2, 5), (3, 3), (4, 3)],
        &[("A", &[1, 3], &[(1, &[0, 1, 2, 3]), (3, &[0, 1])]), ("B", &[1, 2, 3, 4], &[(2, &[0, 1, 2]), (4, &[0, 1, 2])])],
        &[("A", &[(1, &[0, 1, 2, 3, 4, 5]), (3, &[0, 1, 2])]), ("B", &[(2, &[0, 1, 2, 3, 4]), (4, &[0, 1, 2])])],
    );
    check(
        &[(1, 6), (2, 7)],
        &[("A", &[1], &[(1, &[0, 2]), (2, &[0])]), ("B", &[1, 2], &[(1, &[1]), (2, &[1, 2])]), ("C", &[1, 2], &[])],
        &[("A", &[(1, &[0, 2, 3, 4, 5])]), ("B", &[(1, &[1]), (2, &[1, 2, 6])]), ("C", &[(2, &[0, 3, 4, 5])])],
    );
    check(
        &[(1, 3), (2, 8), (3, 3)],
        &[("A", &[1, 3], &[(1, &[0, 1, 2]), (3, &[0, 1])]), ("B", &[2], &[(2, &[3, 4, 5, 6])])],
        &[("A", &[(1, &[0, 1, 2]), (3, &[0, 1, 2])]), ("B", &[(2, &[0, 1, 2, 3, 4, 5, 6, 7])])],
    );
    check(
        &[(1, 3), (2, 5)],
        &[("A", &[1], &[(1, &[0, 2]), (2, &[1, 3])]), ("B", &[1, 2], &[(1, &[1]), (2, &[0, 2, 4])])],
        &[("A", &[(1, &[0, 1, 2])]), ("B", &[(2, &[0, 1, 2, 3, 4])])],
    );
}

fn groups() -> impl Strategy<Value = Vec<Subscriber>> {
    let topics = prop::collection::btree_set(0u32..4, 0..=4);
    let table = prop::collection::btree_map("[a-z]{1,3}", topics, 1..9);
    table.prop_map(|rows| {
        let row = |(id, topics): (String, std::collections::BTreeSet<u32>)| {
            (Arc::from(id), Subscription { topics: topics.into_iter().map(TopicIx).collect(), ..Subscription::default() })
        };
        rows.into_iter().map(row).collect()
    })
}

proptest! {
    #[test]
    fn each_partition_goes_to_one_member_that_wants_it_and_rest_is_rest(group in groups(), counts in prop::collection::vec(0u32..20, 4), leaves in 0usize..9) {
        let topics: Vec<_> = (0..).map(TopicIx).zip(counts).collect();
        for assignor in RemoteAssignor::ALL {
            let mut members = group.clone();
            for round in 0..3 {
                let target = assign_remotely(assignor, &members, &topics);
                let mut given: Vec<_> = target.iter().flat_map(|(_, list)| list.iter().copied()).collect();
                given.sort_unstable();
                let wanted = topics.iter().filter(|(topic, _)| members.iter().any(|member| wants(member, *topic)));
                let all: Vec<_> = wanted.flat_map(|&(topic, count)| (0..count).map(move |partition| (topic, partition))).collect();
                prop_assert_eq!(&given, &all, "{:?}", assignor);
                for (id, list) in &target {
                    let member = members.iter_mut().find(|member| member.0 == *id).expect("a member");
                    prop_assert!(list.iter().all(|one| wants(member, one.0)));
                    member.1.owned = list.clone().into();
                }
                let mut again: Vec<_> = assign_remotely(assignor, &members, &topics);
                let mut before = target;
                again.iter_mut().chain(&mut before).for_each(|(_, list)| list.sort_unstable());
                again.sort();
                before.sort();
                // Where members want different topics, Kafka may stop evening out before all is even, and go on the next time.
                if assignor == RemoteAssignor::Range || sticky::are_alike(&members.iter().collect::<Vec<_>>()) {
                    prop_assert_eq!(again, before, "nothing changed, so nothing moves: {:?}", assignor);
                }
                if round == 0 && members.len() > 1 {
                    members.remove(leaves % group.len());
                }
            }
        }
    }
}
