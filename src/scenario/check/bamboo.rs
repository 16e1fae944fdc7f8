//! `[overlay.bamboo]`.

use super::{Check, Fault, Path};
use crate::scenario::file::Bamboo;
use crate::scenario::plan::BambooPlan;

impl Check<'_> {
    /// Its parameters against each other.
    pub(super) fn bamboo(&mut self, bamboo: &Bamboo) {
        let table = Path::of("overlay").then("bamboo");
        // A node knows itself and its leaves; the blame is on whichever is written.
        let most = 1 + 2 * bamboo.leaves;
        if bamboo.replicas > most {
            let written = self.document.find(&table.then("replicas")).is_some();
            let (key, found, expected) = if written {
                ("replicas", bamboo.replicas, format!("at most {most}, a node and its leaves"))
            } else {
                let least = (bamboo.replicas - 1).div_ceil(2);
                let why = format!("at least {least}, for {} replicas", bamboo.replicas);
                ("leaves", bamboo.leaves, why)
            };
            let fault = Fault::Range { found: found.to_string(), expected };
            self.fault(&table.then(key), fault);
        }
        let shortest = ("min_timeout", bamboo.min_timeout.0);
        let first = ("rpc_timeout", bamboo.rpc_timeout.0);
        self.ordered(&table, shortest, first);
        self.ordered(&table, first, ("max_timeout", bamboo.max_timeout.0));
    }
}

pub(super) fn plan(bamboo: &Bamboo) -> BambooPlan {
    BambooPlan {
        leaves: bamboo.leaves,
        digit_bits: bamboo.digit_bits,
        leaf_exchange: bamboo.leaf_exchange.0,
        local_tuning: bamboo.local_tuning.0,
        global_tuning: bamboo.global_tuning.0,
        proximity: bamboo.proximity,
        rpc_timeout: bamboo.rpc_timeout.0,
        min_timeout: bamboo.min_timeout.0,
        max_timeout: bamboo.max_timeout.0,
        tries: bamboo.tries,
        id_bits: bamboo.id_bits,
        replicas: bamboo.replicas,
        start: bamboo.start,
    }
}
