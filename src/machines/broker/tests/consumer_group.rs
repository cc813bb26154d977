//! The coordinator of the consumer protocol, its rules one by one.

use std::sync::Arc;

use crate::event::{
    Assignor, BrokerError, CallId, GroupCall, GroupResult, MemberDetails, MemberEpoch, MemberHeartbeat, OffsetCommit, RemoteAssignor,
    Subscription,
};
use crate::machines::broker::group::{Group, GroupConfig};
use crate::units::{SimDuration, SimTime, TopicIx};

const TOPIC: TopicIx = TopicIx(0);
const REBALANCE: SimDuration = SimDuration::from_secs(60);

fn at(seconds: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(seconds)
}

fn group(partitions: u32) -> Group<u16> {
    Group::new(GroupConfig::default(), Arc::from([(TOPIC, partitions)]))
}

fn call(group: &mut Group<u16>, now: SimTime, member: &str, body: GroupCall) -> Result<GroupResult, BrokerError> {
    let mut out = Vec::new();
    group.handle(now, (0, CallId(0)), &Arc::from(member), body, &mut out);
    assert_eq!(out.len(), 1, "every call is answered at once");
    out.remove(0).1.result
}

/// What a member is told: its epoch, and what it may hold if that has changed.
type Told = Result<(u32, Option<Vec<u32>>), BrokerError>;

fn beat(group: &mut Group<u16>, now: SimTime, member: &str, body: MemberHeartbeat) -> Told {
    match call(group, now, member, GroupCall::MemberHeartbeat(Box::new(body)))? {
        GroupResult::Heard { epoch, interval, assignment } => {
            assert_eq!(interval, SimDuration::from_secs(5));
            Ok((epoch, assignment.map(|list| list.iter().map(|one| one.1).collect())))
        }
        GroupResult::Done => Ok((0, None)),
        other => panic!("no answer to a heartbeat: {other:?}"),
    }
}

fn details(assignor: Option<RemoteAssignor>) -> Option<MemberDetails> {
    Some(MemberDetails { topics: Arc::from([TOPIC]), rebalance_timeout: REBALANCE, assignor })
}

fn partitions(list: &[u32]) -> Option<Arc<[(TopicIx, u32)]>> {
    Some(list.iter().map(|partition| (TOPIC, *partition)).collect())
}

fn joining() -> MemberHeartbeat {
    MemberHeartbeat { epoch: MemberEpoch::Joining, instance: None, details: details(None), owned: partitions(&[]) }
}

/// A heartbeat that says nothing new.
fn plain(epoch: u32) -> MemberHeartbeat {
    MemberHeartbeat { epoch: MemberEpoch::At(epoch), instance: None, details: None, owned: None }
}

fn holding(epoch: u32, owned: &[u32]) -> MemberHeartbeat {
    MemberHeartbeat { owned: partitions(owned), ..plain(epoch) }
}

fn of(instance: &str, beat: MemberHeartbeat) -> MemberHeartbeat {
    MemberHeartbeat { instance: Some(Arc::from(instance)), ..beat }
}

fn saying(epoch: MemberEpoch) -> MemberHeartbeat {
    MemberHeartbeat { epoch, ..plain(0) }
}

/// Two members with a share each, both in epoch 2.
fn settled() -> Group<u16> {
    let mut group = group(4);
    assert_eq!(beat(&mut group, at(0), "a", joining()), Ok((1, Some(vec![0, 1, 2, 3]))), "nobody waits for more members");
    assert_eq!(beat(&mut group, at(1), "b", joining()), Ok((2, Some(vec![]))), "its share has not been let go of yet");
    assert_eq!(beat(&mut group, at(2), "a", plain(1)), Ok((1, Some(vec![0, 1]))), "it stays in its epoch while it lets go");
    assert_eq!(beat(&mut group, at(2), "b", plain(2)), Ok((2, None)));
    assert_eq!(beat(&mut group, at(3), "a", plain(1)), Ok((1, None)), "it has not said that it let go");
    assert_eq!(beat(&mut group, at(4), "a", holding(1, &[0, 1])), Ok((2, None)));
    assert_eq!(beat(&mut group, at(5), "b", plain(2)), Ok((2, Some(vec![2, 3]))));
    assert_eq!(beat(&mut group, at(5), "b", holding(2, &[2, 3])), Ok((2, None)));
    group
}

#[test]
fn partitions_are_handed_over_once_their_owner_has_let_go() {
    let mut group = settled();
    assert_eq!((group.member_count(), group.rebalances()), (2, 2));
    assert_eq!(beat(&mut group, at(6), "b", saying(MemberEpoch::Leaving)), Ok((0, None)));
    assert_eq!(beat(&mut group, at(7), "a", plain(2)), Ok((3, Some(vec![0, 1, 2, 3]))), "who leaves has let go");
    assert_eq!(group.rebalances(), 3);
}

#[test]
fn a_silent_member_is_out_after_its_session() {
    let mut group = settled();
    assert_eq!(group.next_deadline(), Some(at(4 + 45)));
    assert_eq!(beat(&mut group, at(40), "b", plain(2)), Ok((2, None)));
    group.on_deadline(at(49), &mut Vec::new());
    assert_eq!(group.member_count(), 1);
    assert_eq!(beat(&mut group, at(50), "a", plain(2)), Err(BrokerError::UnknownMemberId));
    assert_eq!(beat(&mut group, at(50), "b", plain(2)), Ok((3, Some(vec![0, 1, 2, 3]))));
    assert_eq!(beat(&mut group, at(51), "a", joining()), Ok((4, Some(vec![]))), "it comes again as a new member");
}

#[test]
fn who_does_not_let_go_in_time_is_thrown_out() {
    let mut group = group(2);
    beat(&mut group, at(0), "a", joining()).expect("it joins");
    beat(&mut group, at(1), "b", joining()).expect("it joins");
    assert_eq!(beat(&mut group, at(2), "a", plain(1)), Ok((1, Some(vec![0]))));
    for second in [20, 40, 60] {
        beat(&mut group, at(second), "a", plain(1)).expect("it is heard");
        beat(&mut group, at(second), "b", plain(2)).expect("it is heard");
    }
    assert_eq!(group.next_deadline(), Some(at(2) + REBALANCE), "heartbeats do not prolong it");
    group.on_deadline(at(62), &mut Vec::new());
    assert_eq!(beat(&mut group, at(63), "a", holding(1, &[0])), Err(BrokerError::UnknownMemberId));
    assert_eq!(beat(&mut group, at(63), "b", plain(2)), Ok((3, Some(vec![0, 1]))));
}

#[test]
fn a_member_in_another_epoch_is_fenced_unless_the_answer_was_lost() {
    let mut group = settled();
    assert_eq!(beat(&mut group, at(6), "a", plain(3)), Err(BrokerError::FencedMemberEpoch), "it is ahead");
    assert_eq!(beat(&mut group, at(6), "b", plain(1)), Err(BrokerError::FencedMemberEpoch), "it was never there");
    assert_eq!(beat(&mut group, at(6), "a", plain(1)), Err(BrokerError::FencedMemberEpoch), "it does not say what it holds");
    assert_eq!(beat(&mut group, at(6), "a", holding(1, &[0, 2])), Err(BrokerError::FencedMemberEpoch), "it holds too much");
    assert_eq!(beat(&mut group, at(6), "a", holding(1, &[0, 1])), Ok((2, None)), "the answer that told of epoch 2 was lost");
    let full = MemberHeartbeat { details: details(None), ..holding(1, &[0]) };
    assert_eq!(beat(&mut group, at(6), "a", full), Ok((2, Some(vec![0, 1]))), "who says everything is told everything");
    assert_eq!(beat(&mut group, at(7), "a", joining()), Ok((2, Some(vec![0, 1]))), "who was fenced comes again under its id");
    assert_eq!(beat(&mut group, at(7), "nobody", plain(2)), Err(BrokerError::UnknownMemberId));
}

#[test]
fn positions_are_taken_in_the_members_epoch_only() {
    let mut group = settled();
    let offsets = |offset| vec![OffsetCommit { topic: TOPIC, partition: 0, offset }];
    let commit = |group: &mut Group<u16>, member, generation, offset| {
        call(group, at(6), member, GroupCall::Commit { generation, offsets: offsets(offset) }).map(|_| ())
    };
    assert_eq!(commit(&mut group, "a", 2, 10), Ok(()));
    assert_eq!(commit(&mut group, "a", 1, 99), Err(BrokerError::StaleMemberEpoch));
    assert_eq!(commit(&mut group, "c", 2, 99), Err(BrokerError::UnknownMemberId));
    let member: Arc<str> = Arc::from("a");
    assert_eq!(group.commit_in_transaction(at(6), &member, 1, 7, &offsets(99)), Err(BrokerError::IllegalGeneration));
    assert_eq!(group.commit_in_transaction(at(6), &member, 2, 7, &offsets(20)), Ok(()));
    let fetch = |group: &mut Group<u16>, epoch| {
        call(group, at(6), "a", GroupCall::FetchOffsets { partitions: vec![(TOPIC, 0)], epoch }).map(|_| ())
    };
    assert_eq!(fetch(&mut group, Some(1)), Err(BrokerError::StaleMemberEpoch));
    assert_eq!(fetch(&mut group, Some(2)), Err(BrokerError::UnstableOffsetCommit));
    group.end_transaction(7, true);
    assert_eq!((fetch(&mut group, Some(2)), fetch(&mut group, None)), (Ok(()), Ok(())));
    assert_eq!(group.committed(TOPIC, 0), Some(20));
}

#[test]
fn a_static_member_that_said_so_finds_its_partitions() {
    let mut group = group(4);
    beat(&mut group, at(0), "a", of("one", joining())).expect("it joins");
    beat(&mut group, at(0), "b", of("two", joining())).expect("it joins");
    beat(&mut group, at(1), "a", of("one", plain(1))).expect("it lets go");
    beat(&mut group, at(1), "a", of("one", holding(1, &[0, 1]))).expect("it has let go");
    assert_eq!(beat(&mut group, at(2), "b", of("two", plain(2))), Ok((2, Some(vec![2, 3]))));
    let dealt = group.rebalances();
    assert_eq!(beat(&mut group, at(3), "c", of("one", joining())), Err(BrokerError::UnreleasedInstanceId));
    assert_eq!(beat(&mut group, at(3), "a", of("one", saying(MemberEpoch::Away))), Ok((0, None)));
    assert_eq!(beat(&mut group, at(4), "b", of("two", plain(2))), Ok((2, None)), "its place is kept");
    let commit = GroupCall::Commit { generation: 2, offsets: Vec::new() };
    assert_eq!(call(&mut group, at(4), "a", commit).err(), Some(BrokerError::StaleMemberEpoch), "who is away commits nothing");
    assert_eq!(beat(&mut group, at(5), "c", of("one", joining())), Ok((2, Some(vec![0, 1]))));
    assert_eq!(group.rebalances(), dealt, "nothing was dealt out anew");
    assert_eq!(beat(&mut group, at(6), "a", of("one", plain(2))), Err(BrokerError::FencedInstanceId));
    assert_eq!(beat(&mut group, at(7), "c", of("one", saying(MemberEpoch::Away))), Ok((0, None)));
    group.on_deadline(at(5 + 45), &mut Vec::new());
    assert_eq!(group.member_count(), 0, "both sessions are over, away or not");
}

#[test]
fn new_partitions_are_seen_by_the_broker() {
    let mut group = settled();
    group.update_topics(Arc::from([(TOPIC, 6), (TopicIx(1), 3)]));
    assert_eq!(beat(&mut group, at(6), "a", plain(2)), Ok((3, Some(vec![0, 1, 4]))));
    assert_eq!(beat(&mut group, at(6), "b", plain(2)), Ok((3, Some(vec![2, 3, 5]))));
    let dealt = group.rebalances();
    group.update_topics(Arc::from([(TOPIC, 6), (TopicIx(1), 9)]));
    assert_eq!(beat(&mut group, at(7), "a", plain(3)), Ok((3, None)), "a topic that nobody reads is none of its business");
    assert_eq!(group.rebalances(), dealt);
}

#[test]
fn most_members_choose_the_assignor_and_none_that_the_broker_has_not() {
    let topics = Arc::from([(TOPIC, 2), (TopicIx(1), 2)]);
    let cfg = GroupConfig { assignors: Arc::from([RemoteAssignor::Range]), ..GroupConfig::default() };
    let mut only_range: Group<u16> = Group::new(cfg, Arc::clone(&topics));
    let uniform = MemberHeartbeat { details: details(Some(RemoteAssignor::Uniform)), ..joining() };
    assert_eq!(beat(&mut only_range, at(0), "a", uniform), Err(BrokerError::UnsupportedAssignor));
    assert_eq!(only_range.member_count(), 0);

    let mut group: Group<u16> = Group::new(GroupConfig::default(), topics);
    let both = |assignor| {
        let details = MemberDetails { topics: Arc::from([TOPIC, TopicIx(1)]), rebalance_timeout: REBALANCE, assignor };
        MemberHeartbeat { details: Some(details), ..joining() }
    };
    for member in ["a", "b", "c"] {
        let vote = (member != "a").then_some(RemoteAssignor::Range);
        beat(&mut group, at(0), member, both(vote)).expect("it joins");
    }
    let held = beat(&mut group, at(1), "a", plain(1)).expect("it lets go").1.expect("of something");
    assert_eq!(held, [0, 0], "by range the third member gets nothing of two topics with two partitions");
}

#[test]
fn a_group_is_of_one_protocol_while_it_has_members() {
    let join = || {
        let subscription = Subscription { topics: Arc::from([TOPIC]), assignors: Arc::from([Assignor::Range]), ..Subscription::default() };
        GroupCall::Join { client_id: "app".into(), subscription, session_timeout: REBALANCE, rebalance_timeout: REBALANCE }
    };
    let mut group = settled();
    let commit = GroupCall::Commit { generation: 2, offsets: vec![OffsetCommit { topic: TOPIC, partition: 0, offset: 10 }] };
    call(&mut group, at(6), "a", commit).expect("it is a member");
    assert_eq!(call(&mut group, at(6), "", join()).err(), Some(BrokerError::InconsistentGroupProtocol));
    assert_eq!(call(&mut group, at(6), "a", GroupCall::Heartbeat { generation: 2 }).err(), Some(BrokerError::UnknownMemberId));
    for member in ["a", "b"] {
        beat(&mut group, at(7), member, saying(MemberEpoch::Leaving)).expect("it leaves");
    }
    let mut out = Vec::new();
    group.handle(at(8), (0, CallId(0)), &Arc::from(""), join(), &mut out);
    group.on_deadline(at(11), &mut out);
    assert!(matches!(&out[0].1.result, Ok(GroupResult::Joined { generation: 1, .. })), "an empty group is what comes first: {out:?}");
    assert_eq!((group.committed(TOPIC, 0), group.rebalances()), (Some(10), 3), "positions are kept");
    assert_eq!(beat(&mut group, at(12), "a", joining()), Err(BrokerError::GroupIdNotFound));
}
