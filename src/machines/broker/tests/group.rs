//! The coordinator against members of a few lines, and its rules one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use crate::event::{Assignor, BrokerError, CallId, GroupCall, GroupResult, OffsetCommit, Subscription};
use crate::machines::broker::client::assign;
use crate::machines::broker::group::{Group, GroupConfig};
use crate::units::{SimDuration, SimTime, TopicIx};

const TOPIC: TopicIx = TopicIx(0);
const PARTITIONS: u32 = 7;
const SESSION: SimDuration = SimDuration::from_secs(45);
const REBALANCE: SimDuration = SimDuration::from_secs(300);
const DELAY: SimDuration = SimDuration::from_secs(3);

type Answer = Result<GroupResult, BrokerError>;

fn at(seconds: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(seconds)
}

fn join() -> GroupCall {
    let subscription = Subscription { topics: Arc::from([TOPIC]), assignors: Arc::from([Assignor::Range]), ..Subscription::default() };
    GroupCall::Join { client_id: "app".into(), subscription, session_timeout: SESSION, rebalance_timeout: REBALANCE }
}

fn empty(initial_rebalance_delay: SimDuration) -> Group<u16> {
    Group::new(GroupConfig { initial_rebalance_delay, ..GroupConfig::default() }, Arc::from([(TOPIC, PARTITIONS)]))
}

/// A call and its answers: (caller, answer), in order.
fn call(group: &mut Group<u16>, now: SimTime, caller: u16, member: &str, body: GroupCall) -> Vec<(u16, Answer)> {
    let mut out = Vec::new();
    group.handle(now, (caller, CallId(0)), &Arc::from(member), body, &mut out);
    out.into_iter().map(|(caller, reply)| (caller, reply.result)).collect()
}

fn ring(group: &mut Group<u16>, now: SimTime) -> Vec<(u16, Answer)> {
    let mut out = Vec::new();
    group.on_deadline(now, &mut out);
    out.into_iter().map(|(caller, reply)| (caller, reply.result)).collect()
}

fn joined(answer: &Answer) -> (Arc<str>, u32, bool, usize) {
    match answer {
        Ok(GroupResult::Joined { member, generation, leader, members, .. }) => {
            (Arc::clone(member), *generation, member == leader, members.len())
        }
        other => panic!("not a join's answer: {other:?}"),
    }
}

/// A stable group of `count` members; their ids in order of joining, and the instant.
fn stable(count: u16) -> (Group<u16>, Vec<Arc<str>>, SimTime) {
    let mut group = empty(SimDuration::ZERO);
    let mut ids: Vec<Arc<str>> = Vec::new();
    let mut now = SimTime::ZERO;
    for caller in 0..count {
        now = at(u64::from(caller));
        let mut answers = call(&mut group, now, caller, "", join());
        for (other, id) in ids.clone().into_iter().enumerate() {
            answers.extend(call(&mut group, now, other as u16, &id, join()));
        }
        assert_eq!(answers.len(), usize::from(caller) + 1, "the last to come ends the phase");
        let fresh = answers.iter().map(|(caller, answer)| (*caller, joined(answer))).collect::<BTreeMap<_, _>>();
        ids = fresh.values().map(|answer| Arc::clone(&answer.0)).collect();
        let generation = fresh[&0].1;
        for (caller, (id, ..)) in fresh.iter().rev() {
            let leads = fresh[caller].2;
            let assignments =
                if leads { ids.iter().zip(0u32..).map(|(id, p)| (Arc::clone(id), vec![(TOPIC, p)])).collect() } else { Vec::new() };
            call(&mut group, now, *caller, id, GroupCall::Sync { generation, assignments });
        }
    }
    assert_eq!(group.member_count(), usize::from(count));
    (group, ids, now)
}

#[test]
fn an_empty_group_waits_its_delay_and_longer_for_each_newcomer() {
    let mut group = empty(DELAY);
    assert!(call(&mut group, at(0), 0, "", join()).is_empty());
    assert_eq!(group.next_deadline(), Some(at(3)));
    assert!(call(&mut group, at(2), 1, "", join()).is_empty(), "the delay is not cut short");
    assert!(ring(&mut group, at(3)).is_empty(), "a newcomer prolongs it");
    assert_eq!(group.next_deadline(), Some(at(6)));
    let answers = ring(&mut group, at(6));
    assert_eq!(answers.iter().map(|(caller, answer)| (*caller, joined(answer).1)).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
}

#[test]
fn the_delay_is_prolonged_no_further_than_the_rebalance_timeout() {
    let mut group = empty(DELAY);
    let mut generation = None;
    for second in 0..600 {
        let answers = if second % 3 == 0 { ring(&mut group, at(second)) } else { Vec::new() };
        if let Some((_, answer)) = answers.first() {
            generation = Some((second, joined(answer).1));
            break;
        }
        call(&mut group, at(second), second as u16, "", join());
    }
    assert_eq!(generation, Some((300, 1)));
}

#[test]
fn a_group_that_was_emptied_waits_again() {
    let mut group = empty(DELAY);
    call(&mut group, at(0), 0, "", join());
    let answers = ring(&mut group, at(3));
    let (id, ..) = joined(&answers[0].1);
    call(&mut group, at(4), 0, &id, GroupCall::Leave);
    assert_eq!((group.member_count(), group.next_deadline()), (0, None));
    assert!(call(&mut group, at(10), 0, "", join()).is_empty());
    assert!(call(&mut group, at(11), 1, "", join()).is_empty(), "everybody is there, but the delay is not over");
    assert_eq!(ring(&mut group, at(13)).len(), 2, "only a first generation is prolonged");
}

#[test]
fn a_repeated_join_changes_nothing() {
    let (mut group, ids, now) = stable(3);
    let generations = group.rebalances();
    let leader = ids.iter().position(|id| joined_now(&mut group.clone(), now, id).is_none()).expect("one of them leads");
    for (caller, id) in ids.iter().enumerate().filter(|(index, _)| *index != leader) {
        let (_, generation, leads, members) = joined_now(&mut group, now, id).expect("answered at once");
        assert_eq!((u64::from(generation), leads, members), (generations, false, 0));
        let answers = call(&mut group, now, caller as u16, id, GroupCall::Sync { generation, assignments: Vec::new() });
        assert!(matches!(&answers[0].1, Ok(GroupResult::Synced { partitions }) if partitions.len() == 1));
    }
    assert_eq!(group.rebalances(), generations);
    assert!(joined_now(&mut group, now, &ids[leader]).is_none(), "a leader that joins begins a rebalance");
    let beat = call(&mut group, now, 0, &ids[(leader + 1) % 3], GroupCall::Heartbeat { generation: generations as u32 });
    assert_eq!(beat[0].1.as_ref().err(), Some(&BrokerError::RebalanceInProgress));
}

fn joined_now(group: &mut Group<u16>, now: SimTime, id: &str) -> Option<(Arc<str>, u32, bool, usize)> {
    call(group, now, 9, id, join()).first().map(|(_, answer)| joined(answer))
}

#[test]
fn a_silent_member_is_out_after_its_session() {
    let (mut group, ids, now) = stable(2);
    let generation = group.rebalances() as u32;
    for seconds in [20, 40] {
        let beat = call(&mut group, now + SimDuration::from_secs(seconds), 0, &ids[0], GroupCall::Heartbeat { generation });
        assert!(beat[0].1.is_ok());
    }
    let over = now + SESSION;
    assert_eq!(group.next_deadline(), Some(over));
    ring(&mut group, over);
    assert_eq!(group.member_count(), 1);
    let beat = call(&mut group, over, 0, &ids[0], GroupCall::Heartbeat { generation });
    assert_eq!(beat[0].1.as_ref().err(), Some(&BrokerError::RebalanceInProgress));
    let gone = call(&mut group, over, 1, &ids[1], GroupCall::Heartbeat { generation });
    assert_eq!(gone[0].1.as_ref().err(), Some(&BrokerError::UnknownMemberId));
    let again = call(&mut group, over, 0, &ids[0], join());
    assert_eq!(joined(&again[0].1).1, generation + 1);
}

#[test]
fn commits_of_an_old_generation_are_refused_and_kept_ones_survive_members() {
    let (mut group, ids, now) = stable(2);
    let generation = group.rebalances() as u32;
    let commit = |offset, generation| GroupCall::Commit { generation, offsets: vec![OffsetCommit { topic: TOPIC, partition: 3, offset }] };
    assert!(call(&mut group, now, 0, &ids[0], commit(10, generation))[0].1.is_ok());
    let old = call(&mut group, now, 0, &ids[0], commit(99, generation - 1));
    assert_eq!(old[0].1.as_ref().err(), Some(&BrokerError::IllegalGeneration));
    let stranger = call(&mut group, now, 0, "nobody", commit(99, generation));
    assert_eq!(stranger[0].1.as_ref().err(), Some(&BrokerError::UnknownMemberId));
    call(&mut group, now, 0, &ids[0], GroupCall::Leave);
    call(&mut group, now, 1, &ids[1], GroupCall::Leave);
    let asked = call(&mut group, now, 5, "", GroupCall::FetchOffsets { partitions: vec![(TOPIC, 3), (TOPIC, 4)], epoch: None });
    assert!(matches!(&asked[0].1, Ok(GroupResult::Offsets(list)) if *list == [(TOPIC, 3, Some(10)), (TOPIC, 4, None)]));
}

#[test]
fn a_leader_that_never_syncs_is_out_after_the_rebalance_timeout() {
    let mut group = empty(SimDuration::ZERO);
    let (leader, ..) = joined(&call(&mut group, at(0), 0, "", join())[0].1);
    assert!(call(&mut group, at(1), 1, "", join()).is_empty(), "waits for the leader to come again");
    let answers = call(&mut group, at(1), 0, &leader, join());
    let ids: BTreeMap<u16, Arc<str>> = answers.iter().map(|(caller, answer)| (*caller, joined(answer).0)).collect();
    assert!(call(&mut group, at(1), 1, &ids[&1], GroupCall::Sync { generation: 2, assignments: Vec::new() }).is_empty());
    ring(&mut group, at(46));
    assert_eq!(group.member_count(), 1, "its session ends first: only the waiting one is left");
    assert!(group.next_deadline().is_none_or(|deadline| deadline >= at(46)));
}

/// A member as the test plays it.
#[derive(Clone, Debug, Default)]
struct Played {
    id: Option<Arc<str>>,
    generation: u32,
    waits: bool,
    reads: Vec<(TopicIx, u32)>,
}

/// Lets the group and its members talk until nobody has anything to say.
fn settle(group: &mut Group<u16>, now: &mut SimTime, members: &mut BTreeMap<u16, Played>, mut answers: Vec<(u16, Answer)>) {
    for _ in 0..10_000 {
        if answers.is_empty() {
            // Everybody beats; who is told to rejoin does.
            let idle: Vec<u16> = members.iter().filter(|(_, member)| !member.waits).map(|(caller, _)| *caller).collect();
            let mut said = false;
            for caller in idle {
                let member = &members[&caller];
                let body = match &member.id {
                    Some(_) => GroupCall::Heartbeat { generation: member.generation },
                    None => join(),
                };
                let joins = member.id.is_none();
                members.get_mut(&caller).expect("it plays").waits = joins;
                let id = members[&caller].id.clone().unwrap_or_default();
                for (to, answer) in call(group, *now, caller, &id, body) {
                    match answer {
                        Ok(GroupResult::Done) => {}
                        other => {
                            said = true;
                            answers.push((to, other));
                        }
                    }
                }
                said |= joins;
            }
            if !said {
                let Some(deadline) = group.next_deadline().filter(|_| members.values().any(|member| member.waits)) else { return };
                *now = (*now).max(deadline);
                answers.extend(ring(group, *now));
            }
            continue;
        }
        let (caller, answer) = answers.remove(0);
        let Some(member) = members.get_mut(&caller) else { continue };
        member.waits = true;
        let body = match answer {
            Ok(GroupResult::Joined { member: id, generation, leader, assignor, members: all }) => {
                (member.id, member.generation) = (Some(Arc::clone(&id)), generation);
                member.reads.clear();
                let assignments = if id == leader { assign(assignor, &all, &[(TOPIC, PARTITIONS)]) } else { Vec::new() };
                GroupCall::Sync { generation, assignments }
            }
            Ok(GroupResult::Synced { partitions }) => {
                (member.reads, member.waits) = (partitions, false);
                continue;
            }
            Err(error) => {
                member.reads.clear();
                if error == BrokerError::UnknownMemberId {
                    member.id = None;
                }
                join()
            }
            other => panic!("no such answer to expect: {other:?}"),
        };
        let id = member.id.clone().unwrap_or_default();
        answers.extend(call(group, *now, caller, &id, body));
    }
    panic!("the group comes to no rest: {members:#?}");
}

proptest! {
    #[test]
    fn at_rest_the_members_share_every_partition(steps in prop::collection::vec((0u16..6, 0u8..4), 1..30), delay in prop_oneof![Just(SimDuration::ZERO), Just(DELAY)]) {
        let mut group = empty(delay);
        let mut members: BTreeMap<u16, Played> = BTreeMap::new();
        let mut now = SimTime::ZERO;
        for (caller, what) in steps {
            now += SimDuration::from_secs(1);
            let mut answers = Vec::new();
            match (what, members.contains_key(&caller)) {
                (0 | 1, false) => {
                    members.insert(caller, Played::default());
                }
                (2, true) => {
                    let id = members.remove(&caller).and_then(|member| member.id).unwrap_or_default();
                    answers = call(&mut group, now, caller, &id, GroupCall::Leave);
                    answers.retain(|(to, _)| *to != caller);
                }
                (3, true) => {
                    // Crashes; the others beat until its session is over.
                    members.remove(&caller);
                    for _ in 0..5 {
                        now += SimDuration::from_secs(10);
                        for (caller, member) in &members {
                            let id = member.id.clone().unwrap_or_default();
                            answers.extend(call(&mut group, now, *caller, &id, GroupCall::Heartbeat { generation: member.generation }));
                        }
                        answers.retain(|(_, answer)| answer.is_err());
                        answers.dedup_by_key(|answer| answer.0);
                        answers.clear();
                        answers.extend(ring(&mut group, now));
                    }
                }
                _ => {}
            }
            settle(&mut group, &mut now, &mut members, answers);
            prop_assert_eq!(group.member_count(), members.len());
            let ids: BTreeSet<_> = members.values().map(|member| member.id.clone()).collect();
            prop_assert_eq!(ids.len(), members.len(), "ids are unique");
            let generations: BTreeSet<u32> = members.values().map(|member| member.generation).collect();
            prop_assert!(generations.len() <= 1, "{:?}", members);
            let mut read: Vec<u32> = members.values().flat_map(|member| member.reads.iter().map(|one| one.1)).collect();
            read.sort_unstable();
            let all: Vec<u32> = if members.is_empty() { Vec::new() } else { (0..PARTITIONS).collect() };
            prop_assert_eq!(read, all, "each partition has one reader");
        }
    }
}
