//! The user agent of a node that is in several overlays: it says so in each, and passes requests on
//! between their users.

use super::{At, UserAgent, name_of};
use crate::overcord::beside::Place;
use crate::overcord::bridge;
use crate::overcord::message::NodeTimer;
use crate::overcord::node::NodeContext;
use crate::sip::{HostPart, Uri};

impl UserAgent {
    /// The node is a member of another overlay as well now, at this place: it says so in both.
    pub fn bridges<C: NodeContext>(&mut self, at: &mut At<'_, C>, place: Place) {
        let bridge = self.bridge.get_or_insert_default();
        let ended = bridge.enter(at.ctx, at.plugin, place);
        at.ctx.set_after(NodeTimer::Bridge.into(), bridge::LIFETIME.mul_f64(0.5));
        for (place, upcalls) in ended {
            self.overlay_upcalls(at, place, upcalls);
        }
    }

    /// The entries of a bridging node are to be stored again.
    pub fn renew_entries<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        if self.bridge.is_none() {
            return;
        }
        let domains = self.settings.bridged.iter().filter_map(name_of);
        let places: Vec<Place> =
            domains.filter_map(|domain| at.plugin.others()?.by_domain(domain)).collect();
        for place in places {
            self.bridges(at, place);
        }
        at.ctx.set_after(NodeTimer::Bridge.into(), bridge::LIFETIME.mul_f64(0.5));
    }

    /// The overlay beside the node's own that a host's name is the domain of, while the node is a
    /// member there.
    pub(super) fn place_of<C: NodeContext>(
        &self,
        at: &At<'_, C>,
        host: &HostPart,
    ) -> Option<Place> {
        at.plugin.others()?.by_domain(name_of(host).filter(|_| self.bridge.is_some())?)
    }

    /// Whether a request is for a user of one of the overlays that a bridging node is in.
    pub(super) fn passes_on<C: NodeContext>(&self, at: &At<'_, C>, uri: &Uri) -> bool {
        let host = uri.sip().map(|uri| &uri.host);
        let is_ours = host.and_then(name_of) == Some(self.settings.location.domain.as_str());
        let bridges = self.bridge.is_some() && at.plugin.is_member();
        bridges && (is_ours || host.is_some_and(|host| self.place_of(at, host).is_some()))
    }
}
