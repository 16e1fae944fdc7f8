//! Is another host's user agent there? SIP OPTIONS as test 1 of a probe (A11).
//!
//! The request names the node, not its user (RFC 3261 §11.1), and whatever speaks SIP there answers:
//! a node with 200, playing the proxy peer or not, any other element as it likes. It is a client
//! transaction like others: Timer E repeats the request until a response comes or the probe is over.

use std::sync::Arc;

use super::UserAgent;
use super::relay::wire;
use crate::address::{Address, Port};
use crate::overcord::node::NodeContext;
use crate::rng::Dice;
use crate::sip::header::{Headers, NameAddress};
use crate::sip::transaction::token::token;
use crate::sip::transaction::{Event, Owner, ServerId};
use crate::sip::uri::SipUri;
use crate::sip::{HostPart, Method, Request, Status, Uri};
use crate::time::SimDuration;

/// The probe that was begun last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Probe {
    /// How many there have been.
    begun: u32,
    /// How it ended, until somebody asks.
    ended: Option<bool>,
}

impl Probe {
    /// Takes an event of a probe's transaction; gives back any other.
    pub(super) fn take(&mut self, event: Event) -> Option<Event> {
        let (number, passed) = match &event {
            Event::Response { owner: Owner::Probe(number), response, .. } => {
                (*number, (!response.status.is_provisional()).then_some(true))
            }
            Event::Failed { owner: Owner::Probe(number), .. } => (*number, Some(false)),
            _ => return Some(event),
        };
        if number == self.begun {
            self.ended = passed;
        }
        None
    }
}

/// Whether a request asks for the capabilities of the node at this address, and not of a user.
pub(super) fn is_for_node(request: &Request, own: Address) -> bool {
    let named = |uri: &Uri| {
        uri.sip().is_some_and(|uri| uri.user.is_none() && uri.host == HostPart::Address(own))
    };
    request.method == Method::Options && named(&request.uri)
}

impl UserAgent {
    /// Asks whoever has this address, in place of a probe that is still under way; how it ended is
    /// [told](Self::take_probed) after `timeout` at the latest.
    pub fn probe<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        address: Address,
        timeout: SimDuration,
        dice: &mut Dice,
    ) {
        self.probe = Probe { begun: self.probe.begun.wrapping_add(1), ended: None };
        let uri = Uri::Sip(SipUri::of_host(HostPart::Address(address)));
        let from = NameAddress::of(self.agent.settings().aor.clone()).tagged(&token(dice, 8));
        let call_id = token(dice, 10);
        let mut headers = Headers::new(from, NameAddress::of(uri.clone()), call_id, 1);
        headers.max_forwards = Some(70);
        headers.product = Some(Arc::clone(&self.agent.settings().product));
        let request = Request { method: Method::Options, uri, headers, body: Arc::from([]) };
        let (to, owner) = (address.at(Port::SIP), Owner::Probe(self.probe.begun));
        let end = ctx.now().saturating_add(timeout);
        self.tx.request_until(&mut wire(ctx, &mut self.side), request, to, owner, Some(end));
    }

    /// How the probe has ended that was begun last: once.
    pub fn take_probed(&mut self) -> Option<bool> {
        self.probe.ended.take()
    }

    /// Somebody wants to know whether the node is there.
    pub(super) fn answer_probe<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        server: ServerId,
        request: &Request,
    ) {
        let response = request.respond(Status::OK, Some("node"));
        self.tx.respond(&mut wire(ctx, &mut self.side), server, response);
    }
}
