//! A conventional user agent, such as the paper's linphone: a softphone that registers with the
//! server of its domain and sends everything through it.

use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};
use crate::rng::Dice;
use crate::sip::agent::{Action, Agent, AgentSettings, Upcall, Upcalls};
use crate::sip::profile::Rules;
use crate::sip::transaction::{Event, Transactions, Wire};
use crate::sip::uri::SipUri;
use crate::sip::{self, HostPart, Message, Status, Unlocated, Uri};

/// A phone.
#[derive(Debug)]
pub struct Phone {
    tx: Transactions,
    agent: Agent,
}

/// What a phone lets the observer know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation(pub Upcall);

impl Phone {
    /// The phone of a user at this address, who has an account at `domain`, whose server is at
    /// `server`.
    #[must_use]
    pub fn new(
        user: &str,
        domain: &str,
        own: Address,
        server: Address,
        [for_transactions, for_agent]: [Dice; 2],
    ) -> Self {
        let endpoint = own.at(Port::SIP);
        let aor = Uri::of_user(user, HostPart::name(domain));
        let mut settings = AgentSettings::new(aor, endpoint);
        settings.outbound = Some(Uri::loose_route(HostPart::Address(server)));
        settings.product = Arc::from("linphone");
        let host = HostPart::Address(own);
        Self {
            tx: Transactions::new(Rules::rfc3261(), endpoint, host, for_transactions),
            agent: Agent::new(settings, for_agent),
        }
    }

    /// Its user does this.
    pub fn act<C: Wire<Observation = Observation>>(&mut self, ctx: &mut C, action: Action) {
        let upcalls = self.agent.act(ctx, &mut self.tx, action);
        self.tell(ctx, upcalls);
    }

    /// A SIP message arrived.
    pub fn receive<C: Wire<Observation = Observation>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Message,
    ) {
        let Some(event) = self.tx.receive(ctx, from, message) else { return };
        self.take(ctx, event);
    }

    /// A timer went off.
    pub fn timer<C: Wire<Observation = Observation>>(&mut self, ctx: &mut C, timer: sip::Timer) {
        if timer == sip::Timer::Agent {
            let upcalls = self.agent.timer(ctx, &mut self.tx);
            return self.tell(ctx, upcalls);
        }
        for event in self.tx.timer(ctx) {
            self.take(ctx, event);
        }
    }

    /// The network says that nobody is at an endpoint.
    pub fn unreachable<C: Wire<Observation = Observation>>(&mut self, ctx: &mut C, to: Endpoint) {
        for event in self.tx.unreachable(ctx, to) {
            self.take(ctx, event);
        }
    }

    fn take<C: Wire<Observation = Observation>>(&mut self, ctx: &mut C, event: Event) {
        if let Event::Request { server, request, .. } = &event
            && !self.agent.is_addressed(request)
        {
            let response = request.respond(Status::NOT_FOUND, Some("unknown-user"));
            return self.tx.respond(ctx, *server, response);
        }
        let upcalls = self.agent.event(ctx, &mut self.tx, event);
        self.tell(ctx, upcalls);
    }

    /// Tells what the agent reports. Where it wants to send is an address at all times: that of its
    /// server, or one in a route or contact of a dialog.
    fn tell<C: Wire<Observation = Observation>>(&mut self, ctx: &mut C, upcalls: Upcalls) {
        for upcall in upcalls {
            match upcall {
                Upcall::Locate { ticket, next_hop, .. } => {
                    let place = next_hop.sip().and_then(numeric).ok_or(Unlocated::NoSuchName);
                    let places = place.map(|place| vec![place]);
                    let upcalls = self.agent.located(ctx, &mut self.tx, ticket, places);
                    self.tell(ctx, upcalls);
                }
                told => ctx.observe(Observation(told)),
            }
        }
    }
}

fn numeric(uri: &SipUri) -> Option<Endpoint> {
    match uri.host {
        HostPart::Address(address) => Some(address.at(uri.port.unwrap_or(Port::SIP))),
        HostPart::Name(_) | HostPart::Ipv6(_) => None,
    }
}
