//! A conventional user agent, such as the paper's linphone: a softphone that registers with the
//! server of its domain and sends everything through it.
//!
//! It knows that server by its address, or by the [name](Home::Named) of its domain. Then it locates
//! it for each request anew (RFC 3263), keeps no answer itself, and goes on to the next of several
//! places when one does not answer.

use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};
use crate::conventional::names::{AsLocator, Names, Places};
use crate::dns;
use crate::dns::stub::{self, Stub};
use crate::rng::Dice;
use crate::rtp::{self, Call, End, Packet, Streams};
use crate::sim::{self, Context};
use crate::sip::agent::{self, Action, Agent, AgentSettings, Upcall, Upcalls};
use crate::sip::locate::{Options, Order};
use crate::sip::profile::Rules;
use crate::sip::transaction::{Event, Transactions};
use crate::sip::uri::SipUri;
use crate::sip::{self, HostPart, Message, RequestKey, Status, Unlocated, Uri};

/// A phone.
#[derive(Debug)]
pub struct Phone {
    tx: Transactions,
    agent: Agent,
    /// How it finds the server of its domain, if not by the server's address.
    names: Option<Names<agent::Ticket>>,
    /// What is said in its calls, if anything is.
    streams: Option<Streams>,
}

/// How a phone finds the server of its domain.
#[derive(Clone, Debug)]
pub enum Home {
    /// It is configured with the address.
    At(Address),
    /// It asks this resolver for the domain; the dice choose among services by their weights.
    Named(Stub, Dice),
}

/// What a phone lets the observer know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Something of its user agent.
    User(Upcall),
    /// Something of what is said in its calls.
    Media(rtp::Observation),
}

/// A phone's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Of a SIP core.
    Sip(sip::Timer),
    /// The stub resolver's.
    Stub(stub::Timer),
    /// It is time to say something in a call.
    Media,
}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        match self {
            Self::Sip(timer) => timer.slot(),
            Self::Stub(timer) => sip::Timer::SLOTS + timer.slot(),
            Self::Media => sip::Timer::SLOTS + 1,
        }
    }
}

impl From<sip::Timer> for Timer {
    fn from(timer: sip::Timer) -> Self {
        Self::Sip(timer)
    }
}

/// What a phone acts through: it sends SIP, DNS and media.
pub trait PhoneContext:
    Context<
        Message: From<Message> + From<dns::Message> + From<Packet>,
        Timer = Timer,
        Observation = Observation,
    >
{
    /// As the context of its SIP cores.
    fn sip(&mut self) -> sim::Lift<'_, Self, Message, sip::Timer, Observation>
    where
        Self: Sized,
    {
        self.lift()
    }
}

impl<C> PhoneContext for C where
    C: Context<
            Message: From<Message> + From<dns::Message> + From<Packet>,
            Timer = Timer,
            Observation = Observation,
        >
{
}

impl Phone {
    /// The phone of a user at this address, who has an account at `domain`, whose server is at
    /// `home`.
    #[must_use]
    pub fn new(
        user: &str,
        domain: &str,
        own: Address,
        home: Home,
        [for_transactions, for_agent]: [Dice; 2],
    ) -> Self {
        let endpoint = own.at(Port::SIP);
        let aor = Uri::of_user(user, HostPart::name(domain));
        let mut settings = AgentSettings::new(aor, endpoint);
        settings.product = Arc::from("linphone");
        let (server, names) = match home {
            Home::At(address) => (HostPart::Address(address), None),
            Home::Named(stub, dice) => {
                let (order, failover) = (Order::Weighted, true);
                let options = Options { naptr: false, srv: true, order, failover };
                settings.failover = failover;
                (HostPart::name(domain), Some(Names::new(stub, None, options, dice)))
            }
        };
        settings.outbound = Some(Uri::loose_route(server));
        let host = HostPart::Address(own);
        Self {
            tx: Transactions::new(Rules::rfc3261(), endpoint, host, for_transactions),
            agent: Agent::new(settings, for_agent),
            names,
            streams: None,
        }
    }

    /// Lets its user talk in calls like this.
    pub fn talk(&mut self, settings: rtp::Settings) {
        self.streams = Some(Streams::new(settings));
    }

    /// Its user does this.
    pub fn act<C: PhoneContext>(&mut self, ctx: &mut C, action: Action) {
        let upcalls = self.agent.act(&mut ctx.sip(), &mut self.tx, action);
        self.tell(ctx, upcalls);
    }

    /// A SIP message arrived.
    pub fn receive<C: PhoneContext>(&mut self, ctx: &mut C, from: Endpoint, message: Message) {
        let Some(event) = self.tx.receive(&mut ctx.sip(), from, message) else { return };
        self.take(ctx, event);
    }

    /// A DNS response arrived.
    pub fn receive_dns<C: PhoneContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: &dns::Message,
    ) {
        let names = self.names.as_mut();
        let located = names
            .and_then(|it| it.receive(&mut AsLocator::by(&mut *ctx, Timer::Stub), from, message));
        if let Some(located) = located {
            self.located(ctx, located.ticket, located.places);
        }
    }

    /// A timer went off.
    pub fn timer<C: PhoneContext>(&mut self, ctx: &mut C, timer: Timer) {
        match timer {
            Timer::Media => self.speak(ctx),
            Timer::Stub(timer) => {
                let names = self.names.as_mut();
                let located = names
                    .and_then(|it| it.timer(&mut AsLocator::by(&mut *ctx, Timer::Stub), timer));
                if let Some(located) = located {
                    self.located(ctx, located.ticket, located.places);
                }
            }
            Timer::Sip(sip::Timer::Agent) => {
                let upcalls = self.agent.timer(&mut ctx.sip(), &mut self.tx);
                self.tell(ctx, upcalls);
            }
            Timer::Sip(_) => {
                for event in self.tx.timer(&mut ctx.sip()) {
                    self.take(ctx, event);
                }
            }
        }
    }

    /// The network says that nobody is at an endpoint.
    pub fn unreachable<C: PhoneContext>(&mut self, ctx: &mut C, to: Endpoint) {
        for event in self.tx.unreachable(&mut ctx.sip(), to) {
            self.take(ctx, event);
        }
    }

    fn take<C: PhoneContext>(&mut self, ctx: &mut C, event: Event) {
        if let Event::Request { server, request, .. } = &event
            && !self.agent.is_addressed(request)
        {
            let response = request.respond(Status::NOT_FOUND, Some("unknown-user"));
            return self.tx.respond(&mut ctx.sip(), *server, response);
        }
        let upcalls = self.agent.event(&mut ctx.sip(), &mut self.tx, event);
        self.tell(ctx, upcalls);
    }

    /// Tells what the agent reports, and finds out where it wants to send.
    fn tell<C: PhoneContext>(&mut self, ctx: &mut C, upcalls: Upcalls) {
        for upcall in upcalls {
            match upcall {
                Upcall::Locate { ticket, next_hop, .. } => self.locate(ctx, ticket, &next_hop),
                told => {
                    self.attend(ctx, &told);
                    ctx.observe(Observation::User(told));
                }
            }
        }
    }

    /// Where it sends is an address at all times, that of its server, or one in a route or contact of
    /// a dialog, unless it knows its server by name.
    fn locate<C: PhoneContext>(&mut self, ctx: &mut C, ticket: agent::Ticket, next_hop: &Uri) {
        let places = match &mut self.names {
            Some(names) => {
                names.locate(&mut AsLocator::by(&mut *ctx, Timer::Stub), ticket, next_hop)
            }
            None => {
                let place = next_hop.sip().and_then(numeric).ok_or(Unlocated::NoSuchName);
                Some(place.map(|place| vec![place]))
            }
        };
        if let Some(places) = places {
            self.located(ctx, ticket, places);
        }
    }

    fn located<C: PhoneContext>(&mut self, ctx: &mut C, ticket: agent::Ticket, places: Places) {
        let upcalls = self.agent.located(&mut ctx.sip(), &mut self.tx, ticket, places);
        self.tell(ctx, upcalls);
    }

    /// Its agent tells something that may concern media.
    fn attend<C: PhoneContext>(&mut self, ctx: &mut C, upcall: &Upcall) {
        let Some(streams) = &mut self.streams else { return };
        match *upcall {
            Upcall::CallEstablished { key, caller, media: Some(to), .. } => {
                let end = if caller { End::Caller } else { End::Callee };
                streams.begin(ctx.now(), Call(key.0), end, to);
                ctx.observe(Observation::Media(rtp::Observation::Began(end)));
            }
            Upcall::CallEnded { key, .. } => {
                streams.end(Call(key.0));
            }
            _ => return,
        }
        self.arm(ctx);
    }

    fn arm<C: PhoneContext>(&self, ctx: &mut C) {
        match self.streams.as_ref().and_then(Streams::next) {
            Some(next) => ctx.set(Timer::Media, next),
            None => ctx.cancel(Timer::Media),
        }
    }

    /// A packet of media has arrived.
    pub fn hear<C: PhoneContext>(&mut self, ctx: &mut C, packet: &Packet) {
        let now = ctx.now();
        if self.streams.as_mut().is_some_and(|streams| streams.hear(now, packet)) {
            ctx.observe(Observation::Media(rtp::Observation::Heard));
        }
    }

    /// It is time to say something, or to give a call up in which nothing is heard.
    fn speak<C: PhoneContext>(&mut self, ctx: &mut C) {
        let Some(streams) = &mut self.streams else { return };
        let rtp::Due { packets, silent } = streams.due(ctx.now());
        for (to, packet) in packets {
            ctx.observe(Observation::Media(rtp::Observation::Sent));
            ctx.send(to, packet.into());
        }
        for Call(key) in silent {
            ctx.observe(Observation::Media(rtp::Observation::Silent));
            let upcalls = self.agent.hang_up(&mut ctx.sip(), &mut self.tx, RequestKey(key));
            self.tell(ctx, upcalls);
        }
        self.arm(ctx);
    }
}

fn numeric(uri: &SipUri) -> Option<Endpoint> {
    match uri.host {
        HostPart::Address(address) => Some(address.at(uri.port.unwrap_or(Port::SIP))),
        HostPart::Name(_) | HostPart::Ipv6(_) => None,
    }
}
