//! The controller's quorum is lost for a while: nothing is decided, while leaders go on with what they have.
//!
//! Without it there is no election, no replica leaves or joins an ISR, no node is fenced, registered or let go, and no
//! partition is made or moved. Leaders take and serve records as before; the high watermark waits for replicas that are
//! gone, because nobody can take them out of the ISR. When the quorum is back a new active controller gives every node a
//! new session, and does what has waited.
//! Source: KIP-631 (KRaft), ClusterControlManager.activate. Start at [`Cluster::lose_quorum`].

use super::cluster::{Cluster, Effects};
use super::nodes::NodeState;
use crate::units::SimTime;

impl Cluster {
    /// Whether the controller decides.
    #[must_use]
    pub fn has_quorum(&self) -> bool {
        !self.quorum_lost
    }

    /// How often it could not.
    #[must_use]
    pub fn quorum_losses(&self) -> u64 {
        self.quorum_losses
    }

    /// What an operator asks of the controller needs its quorum.
    ///
    /// # Errors
    /// In words, while it is lost.
    pub(super) fn ask_controller(&self) -> Result<(), String> {
        if self.quorum_lost { Err("the controller has no quorum: it decides nothing now".to_owned()) } else { Ok(()) }
    }

    /// Most of the controllers are gone.
    ///
    /// # Errors
    /// In words, when they are already.
    pub fn lose_quorum(&mut self) -> Result<(), String> {
        self.ask_controller()?;
        self.quorum_lost = true;
        self.quorum_losses += 1;
        // Whoever was about to hand over goes on leading.
        for partition in self.partitions.iter_mut().flatten() {
            partition.replicas.handing_over = None;
        }
        Ok(())
    }

    /// They are back: every node begins a new session, and what has waited is done.
    pub fn regain_quorum(&mut self, now: SimTime, out: &mut Effects) {
        self.quorum_lost = false;
        for node in 0..self.nodes.len() as u32 {
            self.renew_session(now, node, out);
        }
        for place in 0..self.partitions.len() {
            for partition in 0..self.partitions[place].len() as u32 {
                let at = (place, partition);
                if self.partitions[place][partition as usize].replicas.leader.is_none() {
                    self.elect(now, at, out);
                }
                self.disturb(now, at, out);
                self.advance_reassignment(now, at, out);
            }
        }
        self.move_groups(now, out);
    }

    fn renew_session(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        let ends = now + self.cfg.session_timeout;
        let state = &mut self.nodes[node as usize];
        if let Some(session) = &mut state.session_ends {
            *session = ends;
        }
        let waits_for_registration = state.session_ends.is_none() && state.fenced;
        let (leaving, disk_full) = (state.leaving, state.disk_full);
        if leaving {
            self.shut_down(now, node, out);
        } else if disk_full {
            self.take_leadership(now, node, out);
        } else if waits_for_registration && self.nodes[node as usize].returns {
            self.restart(now, node, out);
        } else if waits_for_registration && self.nodes[node as usize].state == NodeState::Up {
            self.reach_again(now, node, out);
        }
    }
}
