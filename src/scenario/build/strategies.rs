//! The two halves of a handover strategy: what each node decides, and what the Director commands.

use std::sync::Arc;

use crate::overcord::handover::strategy::{
    Commanded, Lease, Paper, Standby, Strategy as NodeStrategy,
};
use crate::scenario::plan::{DnsPlan, HandoverPlan, Plan, Strategy};
use crate::world::director;

/// What decides about the role in the nodes.
pub(super) fn of_nodes(handover: &HandoverPlan, dns: &DnsPlan) -> Arc<dyn NodeStrategy> {
    match handover.strategy {
        Strategy::DynDns | Strategy::Ddclient => Arc::new(Paper),
        Strategy::Lease => Arc::new(Lease::new(dns.ttl)),
        Strategy::Standby => Arc::new(Standby::new(handover.standbys as usize + 1, dns.ttl)),
        Strategy::Embedded | Strategy::Static | Strategy::Oracle | Strategy::Clairvoyant => {
            Arc::new(Commanded)
        }
    }
}

/// What the Director does.
pub(super) fn of_director(plan: &Plan) -> director::Strategy {
    match plan.handover.as_ref().map(|handover| handover.strategy) {
        None | Some(Strategy::Embedded) => director::Strategy::None,
        Some(Strategy::Static) => director::Strategy::Static,
        Some(Strategy::DynDns | Strategy::Ddclient | Strategy::Lease | Strategy::Standby) => {
            director::Strategy::Tests
        }
        Some(Strategy::Oracle) => director::Strategy::Oracle,
        Some(Strategy::Clairvoyant) => director::Strategy::Clairvoyant(super::dns(plan).ttl),
    }
}
