//! Where users and next hops are: in the own overlay, in one beside it, or by RFC 3263.

use std::sync::Arc;

use super::relay::wire;
use super::{Asker, At, UserAgent};
use crate::address::{Endpoint, Port};
use crate::conventional::names::{AsLocator, Places};
use crate::overcord::beside::Place;
use crate::overcord::location::LocationSettings;
use crate::overcord::message::Timer;
use crate::overcord::node::NodeContext;
use crate::overcord::resource_database::{bindings_of, bridge_key, location_key};
use crate::overlay::{Record, RingId};
use crate::sip::proxy;
use crate::sip::uri::SipUri;
use crate::sip::{self, HostPart, Status, Uri};

impl UserAgent {
    /// Looks for the bindings of a user of the overlay, of a domain that it stands in for, or of an
    /// overlay beside it that the node is in; one that it has left is somebody else's to ask.
    pub(super) fn find_user<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        ticket: proxy::Ticket,
        aor: &Uri,
    ) {
        let Some((host, Some(user))) = aor.sip().map(|uri| (&uri.host, &uri.user)) else {
            return self.found(at, Asker::Targets(ticket, "".into()), None);
        };
        let asker = Asker::Targets(ticket, Arc::clone(user));
        let LocationSettings { domain, backed, .. } = &self.settings.location;
        let mut own = std::iter::once(domain).chain(backed);
        if let Some(domain) = own.find(|own| Some(own.as_str()) == name_of(host)).cloned() {
            self.fetch(at, user, &domain, asker);
        } else if let Some(place) = self.place_of(at, host) {
            self.fetch_beside(at, place, user, asker);
        } else {
            let ctx = &mut wire(at.ctx, &mut self.side);
            let targets = Ok(vec![aor.clone()]);
            let upcalls = self.proxy.targets(ctx, &mut self.tx, ticket, targets);
            self.proxy_upcalls(at, upcalls);
        }
    }

    /// The overlay beside the node's own that a host's name is the domain of, while the node is a
    /// member there.
    fn place_of<C: NodeContext>(&self, at: &At<'_, C>, host: &HostPart) -> Option<Place> {
        at.plugin.others()?.by_domain(name_of(host).filter(|_| self.bridge.is_some())?)
    }

    /// Whether a request is for a user of one of the overlays that a bridging node is in.
    pub(super) fn passes_on<C: NodeContext>(&self, at: &At<'_, C>, uri: &Uri) -> bool {
        let host = uri.sip().map(|uri| &uri.host);
        let is_ours = host.and_then(name_of) == Some(self.settings.location.domain.as_str());
        let bridges = self.bridge.is_some() && at.plugin.is_member();
        bridges && (is_ours || host.is_some_and(|host| self.place_of(at, host).is_some()))
    }

    /// Looks for a user's location in the own overlay.
    pub(super) fn fetch<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        user: &str,
        domain: &str,
        asker: Asker,
    ) {
        let key = location_key(user, domain, self.settings.location.id_bits);
        self.fetch_key(at, None, key, asker);
    }

    /// Looks for a user's location in an overlay beside the own one.
    fn fetch_beside<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        place: Place,
        user: &str,
        asker: Asker,
    ) {
        let key = at.plugin.others().map(|others| {
            let other = others.description(place);
            location_key(user, &other.domain, other.id_bits)
        });
        self.fetch_key(at, Some(place), key.expect("a place is one of these"), asker);
    }

    fn fetch_key<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        place: Option<Place>,
        key: RingId,
        asker: Asker,
    ) {
        match at.plugin.get(at.ctx, place, key) {
            Some((id, upcalls)) => {
                self.fetches.insert((place, id), asker);
                self.overlay_upcalls(at, place, upcalls);
            }
            None => self.found(at, asker, None),
        }
    }

    /// The overlay said where a user is, or that it does not know.
    pub(super) fn found<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        asker: Asker,
        record: Option<&Record>,
    ) {
        let bindings = record.map(|record| bindings_of(record, at.ctx.now()));
        match asker {
            Asker::Targets(ticket, user) => {
                let targets = bindings
                    .map(|found| {
                        found.iter().map(|it| Uri::of_user_at(&user, it.endpoint)).collect()
                    })
                    .ok_or(Status::TEMPORARILY_UNAVAILABLE);
                let upcalls = self.proxy.targets(
                    &mut wire(at.ctx, &mut self.side),
                    &mut self.tx,
                    ticket,
                    targets,
                );
                self.proxy_upcalls(at, upcalls);
            }
            Asker::Bridge(asker, next_hop) => {
                let bridges = bindings.unwrap_or_default();
                if bridges.is_empty() {
                    return self.resolve(at, *asker, &next_hop);
                }
                let places = bridges.iter().map(|it| it.endpoint).collect();
                self.placed(at, *asker, Ok(places));
            }
            other => {
                let places = bindings.unwrap_or_default();
                let places: Vec<Endpoint> = places.iter().map(|it| it.endpoint).collect();
                let places =
                    if places.is_empty() { Err(sip::Unlocated::NoSuchName) } else { Ok(places) };
                self.placed(at, other, places);
            }
        }
    }

    /// Finds out where a next hop is: a user who registers in the overlay through that, all else by
    /// RFC 3263.
    pub(super) fn locate<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        asker: Asker,
        next_hop: &Uri,
    ) {
        if let Some((user, domain)) = self.settings.location.registered_there(next_hop) {
            if user == self.user && *domain == self.settings.location.domain {
                return self.placed(at, asker, Ok(vec![self.own.at(Port::SIP)]));
            }
            return self.fetch(at, &user, &domain, asker);
        }
        let other = next_hop.sip().filter(|uri| self.settings.bridged.contains(&uri.host));
        if let Some(uri) = other {
            return self.locate_beyond(at, asker, next_hop, &uri.clone());
        }
        self.resolve(at, asker, next_hop);
    }

    /// A user of another overlay: the node finds it itself, where it is in that overlay, or asks
    /// its own for a node that is; in DNS only where there is none.
    fn locate_beyond<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        asker: Asker,
        next_hop: &Uri,
        uri: &SipUri,
    ) {
        if let (Some(place), Some(user)) = (self.place_of(at, &uri.host), &uri.user) {
            return self.fetch_beside(at, place, user, asker);
        }
        let domain = name_of(&uri.host).unwrap_or_default();
        let key = bridge_key(domain, self.settings.location.id_bits);
        self.fetch_key(at, None, key, Asker::Bridge(Box::new(asker), next_hop.clone()));
    }

    /// By RFC 3263.
    pub(super) fn resolve<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        asker: Asker,
        next_hop: &Uri,
    ) {
        let mut locator = AsLocator::by(&mut *at.ctx, Timer::Locator);
        if let Some(places) = self.names.locate(&mut locator, asker.clone(), next_hop) {
            self.placed(at, asker, places);
        }
    }

    /// It is known where a next hop is.
    pub(super) fn placed<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        asker: Asker,
        places: Places,
    ) {
        match asker {
            Asker::Agent(ticket) => {
                let ctx = &mut wire(at.ctx, &mut self.side);
                let upcalls = self.agent.located(ctx, &mut self.tx, ticket, places);
                self.agent_upcalls(at, upcalls);
            }
            Asker::Relay => self.let_in(at, &places.unwrap_or_default()),
            // A bridge is asked for before this.
            Asker::Bridge(asker, _) => self.placed(at, *asker, places),
            Asker::Hop(ticket) | Asker::Targets(ticket, _) => {
                let places = places.map_err(|_| Status::TEMPORARILY_UNAVAILABLE);
                let ctx = &mut wire(at.ctx, &mut self.side);
                let upcalls = self.proxy.located(ctx, &mut self.tx, ticket, places);
                self.proxy_upcalls(at, upcalls);
            }
        }
    }
}

/// The domain of a host part that is a name.
pub(super) fn name_of(host: &HostPart) -> Option<&str> {
    match host {
        HostPart::Name(name) => Some(name),
        HostPart::Address(_) | HostPart::Ipv6(_) => None,
    }
}
