//! What a cluster with access control lists asks of each request before it carries it out.
//!
//! In: a request and its caller, whose principal the connection has told. Out: nothing, or the error that Kafka gives: for
//! each topic of a produce request and a fetch, for a call to a coordinator as a whole. Brokers among themselves and what
//! operators do by hand are not asked. Source: KafkaApis (4.0). Start at [`Cluster::may`].

use super::acl::{Acls, CLUSTER_NAME, Operation, ResourceKind};
use super::cluster::{Caller, Cluster};
use crate::event::{BrokerError, FetchRequest, FetchedPartition, GroupCall, GroupRequest, TransactionCall, TransactionRequest};
use crate::units::{GroupIx, TopicIx};

impl Cluster {
    /// From now on everybody is asked.
    #[must_use]
    pub fn guarded(mut self, acls: Option<Acls>) -> Self {
        self.acls = acls.map(Box::new);
        self
    }

    /// Its rules, if it has any, to change.
    pub fn acls_mut(&mut self) -> Option<&mut Acls> {
        self.acls.as_deref_mut()
    }

    /// How often somebody was refused; none without rules.
    #[must_use]
    pub fn refusals(&self) -> Option<u64> {
        self.acls.as_ref().map(|_| self.refusals)
    }

    /// Whether the caller may do something; everything without rules.
    fn may(&self, caller: Caller, operation: Operation, kind: ResourceKind, name: &str) -> bool {
        self.acls.as_ref().is_none_or(|acls| acls.permits(acls.principal(caller.client), operation, (kind, name)))
    }

    fn may_use_topic(&self, caller: Caller, operation: Operation, topic: TopicIx) -> Result<(), BrokerError> {
        let Some(place) = self.place(topic) else { return Ok(()) };
        let name = &self.cfg.topics[place].name;
        self.may(caller, operation, ResourceKind::Topic, name).then_some(()).ok_or(BrokerError::TopicAuthorizationFailed)
    }

    fn may_use_group(&self, caller: Caller, operation: Operation, group: GroupIx) -> Result<(), BrokerError> {
        let Some(name) = self.acls.as_ref().and_then(|acls| acls.groups.get(&group)) else { return Ok(()) };
        self.may(caller, operation, ResourceKind::Group, name).then_some(()).ok_or(BrokerError::GroupAuthorizationFailed)
    }

    fn may_use_transactional_id(&self, caller: Caller, id: &str) -> Result<(), BrokerError> {
        let may = self.may(caller, Operation::Write, ResourceKind::TransactionalId, id);
        may.then_some(()).ok_or(BrokerError::TransactionalIdAuthorizationFailed)
    }

    /// Counts a refusal.
    pub(super) fn screened(&mut self, result: Result<(), BrokerError>) -> Result<(), BrokerError> {
        self.refusals += u64::from(result.is_err());
        result
    }

    /// A batch for a topic, in a transaction or idempotently. An idempotent producer is asked when it is given its id
    /// (`InitProducerId`), which here comes with its first batch: since KIP-679 it needs the right to write to any topic.
    pub(super) fn may_produce(
        &self,
        caller: Caller,
        topic: TopicIx,
        transaction: Option<&str>,
        idempotent: bool,
    ) -> Result<(), BrokerError> {
        let Some(acls) = &self.acls else { return Ok(()) };
        if let Some(id) = transaction {
            self.may_use_transactional_id(caller, id)?;
        } else if idempotent {
            // Before anything else a producer looks its topic up.
            self.may_use_topic(caller, Operation::Describe, topic)?;
            let writes = acls.permits_any(acls.principal(caller.client), Operation::Write, ResourceKind::Topic);
            if !writes && !self.may(caller, Operation::IdempotentWrite, ResourceKind::Cluster, CLUSTER_NAME) {
                return Err(BrokerError::ClusterAuthorizationFailed);
            }
        }
        self.may_use_topic(caller, Operation::Write, topic)
    }

    /// Takes what the caller may not read out of a fetch. A long poll is asked only once, when it comes.
    pub(super) fn take_forbidden(&mut self, caller: Caller, request: &mut FetchRequest) -> Vec<FetchedPartition> {
        if self.acls.is_none() {
            return Vec::new();
        }
        let mut forbidden = Vec::new();
        let mut wanted = std::mem::take(&mut request.partitions);
        wanted.retain(|one| {
            let may = self.may_use_topic(caller, Operation::Read, one.topic);
            forbidden.extend(may.err().map(|error| FetchedPartition::failed(one.topic, one.partition, error)));
            may.is_ok()
        });
        request.partitions = wanted;
        self.refusals += forbidden.len() as u64;
        forbidden
    }

    /// Who leads a topic's partitions.
    pub(super) fn may_describe(&self, caller: Caller, topic: TopicIx) -> Result<(), BrokerError> {
        self.may_use_topic(caller, Operation::Describe, topic)
    }

    /// A call to a group's coordinator. Kafka commits positions topic by topic; here one that may not be read refuses all.
    pub(super) fn may_call_group(&self, caller: Caller, request: &GroupRequest) -> Result<(), BrokerError> {
        if self.acls.is_none() {
            return Ok(());
        }
        let group = request.group;
        match &request.body {
            // The operator's own client does it.
            GroupCall::ResetOffsets { .. } => Ok(()),
            GroupCall::ListOffsets { partitions } => {
                partitions.iter().try_for_each(|(topic, _)| self.may_use_topic(caller, Operation::Describe, *topic))
            }
            GroupCall::FetchOffsets { partitions, .. } => {
                self.may_use_group(caller, Operation::Describe, group)?;
                partitions.iter().try_for_each(|(topic, _)| self.may_use_topic(caller, Operation::Describe, *topic))
            }
            GroupCall::Commit { offsets, .. } => {
                self.may_use_group(caller, Operation::Read, group)?;
                offsets.iter().try_for_each(|offset| self.may_use_topic(caller, Operation::Read, offset.topic))
            }
            _ => self.may_use_group(caller, Operation::Read, group),
        }
    }

    /// A call to the coordinator of a transactional id.
    pub(super) fn may_transact(&self, caller: Caller, request: &TransactionRequest) -> Result<(), BrokerError> {
        if self.acls.is_none() {
            return Ok(());
        }
        self.may_use_transactional_id(caller, &request.id)?;
        match &request.body {
            TransactionCall::AddPartitions { partitions, .. } => {
                partitions.iter().try_for_each(|(topic, _)| self.may_use_topic(caller, Operation::Write, *topic))
            }
            TransactionCall::AddOffsets { group, .. } => self.may_use_group(caller, Operation::Read, *group),
            TransactionCall::CommitOffsets { offsets, .. } => {
                self.may_use_group(caller, Operation::Read, offsets.group)?;
                offsets.offsets.iter().try_for_each(|offset| self.may_use_topic(caller, Operation::Read, offset.topic))
            }
            TransactionCall::Init { .. } | TransactionCall::End { .. } => Ok(()),
        }
    }
}
