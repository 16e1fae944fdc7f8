//! `[overlay.bamboo]`, written out.

use crate::scenario::file::Bamboo;
use crate::scenario::plan::BambooPlan;
use crate::units::Duration;

pub(super) fn bamboo(plan: &BambooPlan) -> Bamboo {
    Bamboo {
        leaves: plan.leaves,
        digit_bits: plan.digit_bits,
        leaf_exchange: Duration(plan.leaf_exchange),
        local_tuning: Duration(plan.local_tuning),
        global_tuning: Duration(plan.global_tuning),
        proximity: plan.proximity,
        rpc_timeout: Duration(plan.rpc_timeout),
        min_timeout: Duration(plan.min_timeout),
        max_timeout: Duration(plan.max_timeout),
        tries: plan.tries,
        id_bits: plan.id_bits,
        replicas: plan.replicas,
        start: plan.start,
    }
}
