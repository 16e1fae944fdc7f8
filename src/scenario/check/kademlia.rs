//! `[overlay.kademlia]`.

use super::{Check, Fault, Path};
use crate::scenario::file::Kademlia;
use crate::scenario::plan::KademliaPlan;

impl Check<'_> {
    /// Its parameters against each other.
    pub(super) fn kademlia(&mut self, kademlia: &Kademlia) {
        // A look-up hears of `bucket_size` nodes, a node of itself and its siblings.
        let (replicas, buckets) = (kademlia.replicas, kademlia.bucket_size);
        self.enough(replicas, ("bucket_size", buckets), 0, "the nodes that a look-up hears");
        self.enough(replicas, ("siblings", kademlia.siblings), 1, "a node and its siblings");
    }

    /// Refuses more replicas than these and so many more; the blame is on whichever is written.
    fn enough(&mut self, replicas: u32, (key, size): (&'static str, u32), more: u32, who: &str) {
        let most = size + more;
        if replicas <= most {
            return;
        }
        let table = Path::of("overlay").then("kademlia");
        let written = self.document.find(&table.then("replicas")).is_some();
        let (blamed, found, expected) = if written {
            ("replicas", replicas, format!("at most {most}, {who}"))
        } else {
            (key, size, format!("at least {}, for {replicas} replicas", replicas - more))
        };
        let fault = Fault::Range { found: found.to_string(), expected };
        self.fault(&table.then(blamed), fault);
    }
}

pub(super) fn plan(kademlia: &Kademlia) -> KademliaPlan {
    KademliaPlan {
        bucket_size: kademlia.bucket_size,
        siblings: kademlia.siblings,
        parallelism: kademlia.parallelism,
        replacements: kademlia.replacements,
        refresh: kademlia.refresh.0,
        republish: kademlia.republish.0,
        rpc_timeout: kademlia.rpc_timeout.0,
        tries: kademlia.tries,
        id_bits: kademlia.id_bits,
        replicas: kademlia.replicas,
        start: kademlia.start,
    }
}
