//! Requests of the overlay's users to conventional ones. These need no proxy peer (paper, P12), so
//! they are the control: what they suffer during a handover is not the handover's doing.

use std::collections::BTreeMap;

use super::Truth;
use crate::sim::HostId;
use crate::world::observation::RequestKey;

/// Requests that began after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboundTotals {
    /// All that began.
    pub started: u64,
    /// Those that ended.
    pub ended: u64,
    /// Those that ended in anything but a final response of class 2.
    pub failed: u64,
    /// Those that ended and had begun during a handover.
    pub ended_in_handover: u64,
    /// Those of them that failed.
    pub failed_in_handover: u64,
}

/// A request without an end.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    host: HostId,
    counts: bool,
    in_handover: bool,
}

/// All such requests.
#[derive(Debug, Default)]
pub(super) struct Outbound {
    under_way: BTreeMap<RequestKey, UnderWay>,
    pub(super) totals: OutboundTotals,
}

impl Outbound {
    /// What a host that goes down had under way has no end.
    pub(super) fn down(&mut self, host: HostId) {
        self.under_way.retain(|_, request| request.host != host);
    }
}

impl Truth {
    /// A handover is under way from a departure until the episodes of all caller domains are closed
    /// and the binding is valid.
    pub(super) fn outbound_started(&mut self, host: HostId, key: RequestKey) {
        let in_handover = self.open > 0 || !self.binding_valid();
        let counts = self.counts();
        self.outbound.totals.started += u64::from(counts);
        self.outbound.under_way.insert(key, UnderWay { host, counts, in_handover });
    }

    pub(super) fn outbound_ended(&mut self, key: RequestKey, answered: bool) {
        let Some(request) = self.outbound.under_way.remove(&key) else { return };
        if !request.counts {
            return;
        }
        let (failed, totals) = (u64::from(!answered), &mut self.outbound.totals);
        totals.ended += 1;
        totals.failed += failed;
        if request.in_handover {
            totals.ended_in_handover += 1;
            totals.failed_in_handover += failed;
        }
    }
}
