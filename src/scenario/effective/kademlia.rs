//! `[overlay.kademlia]`, written out.

use crate::scenario::file::Kademlia;
use crate::scenario::plan::KademliaPlan;
use crate::units::Duration;

pub(super) fn kademlia(plan: &KademliaPlan) -> Kademlia {
    Kademlia {
        bucket_size: plan.bucket_size,
        siblings: plan.siblings,
        parallelism: plan.parallelism,
        replacements: plan.replacements,
        refresh: Duration(plan.refresh),
        republish: Duration(plan.republish),
        rpc_timeout: Duration(plan.rpc_timeout),
        tries: plan.tries,
        id_bits: plan.id_bits,
        replicas: plan.replicas,
        start: plan.start,
    }
}
