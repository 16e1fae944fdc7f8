//! Which look-ups have come by: a node that was slow to acknowledge one has forwarded it all the
//! same, while its predecessor sent another copy around it. Where both meet, one goes on.
//!
//! A look-up is known by its origin, the origin's label and its key, and forgotten when the origin no
//! longer waits for it.

use std::collections::VecDeque;

use super::message::Passage;
use crate::overlay::wire::RpcId;
use crate::overlay::{NodeRef, RingId};
use crate::time::{SimDuration, SimTime};

/// The look-ups that one node has forwarded or answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Passages(VecDeque<(SimTime, NodeRef, RpcId, RingId)>);

impl Passages {
    /// Whether it is the first copy; it is remembered for so long.
    pub(super) fn is_new(&mut self, passage: Passage, now: SimTime, memory: SimDuration) -> bool {
        let Passage { key, origin, tag, .. } = passage;
        while self.0.pop_front_if(|(until, ..)| *until <= now).is_some() {}
        let is_new =
            !self.0.iter().any(|&(_, from, label, to)| (from, label, to) == (origin, tag, key));
        if is_new {
            self.0.push_back((now.saturating_add(memory), origin, tag, key));
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlay::bamboo::message::Errand;

    #[test]
    fn a_copy_is_known_until_its_origin_has_given_up() {
        let passage = |origin, label, key| Passage {
            key: RingId(key),
            origin: NodeRef::new(origin),
            tag: RpcId::new(label),
            timeouts: 0,
            errand: Errand::Find,
        };
        let mut passages = Passages::default();
        let mut is_new = |origin, label, key, second| {
            let (now, memory) = (SimTime::from_secs(second), SimDuration::from_secs(10));
            passages.is_new(passage(origin, label, key), now, memory)
        };
        assert!(is_new(1, 1, 1, 0));
        assert!(!is_new(1, 1, 1, 9), "the time-outs on the way do not matter");
        assert!(is_new(2, 1, 1, 9) && is_new(1, 2, 1, 9) && is_new(1, 1, 2, 9));
        assert!(is_new(1, 1, 1, 10));
        assert!(!is_new(2, 1, 1, 10));
    }
}
