//! Transactions: requests until they are answered, over a network that loses (RFC 3261 §17, with
//! RFC 3581, 4320 and 6026; SER's `tm` by its [`Rules`]).
//!
//! * `client`, `server`: the four machines of §17, for INVITE and for others.
//! * [`event`]: what they report. [`hop`]: `Via`, `received` and `rport`. [`token`]: branches.
//!
//! A client transaction is pinned to one endpoint: nothing is resolved again while it lasts. The
//! layer answers by itself what needs no decision: repeated requests, ACK of failures, CANCEL, 100.
//! A response goes to the address and port that its request came from.
//!
//! Left out: TCP, matching without a branch (RFC 2543; such requests get 400), and the forwarding
//! of a CANCEL that matches no INVITE (it gets 481).

mod client;
pub mod event;
pub mod hop;
mod server;
pub mod token;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::address::{Endpoint, Port};
use crate::rng::{Dice, NameHash, mix2};
use crate::sim::Context;
use crate::sip::header::Via;
use crate::sip::profile::Rules;
use crate::sip::{Agenda, HostPart, Message, Method, Request, Response, Status, Timer};
use crate::time::SimTime;

use client::{ClientTimer, Clients};
pub use event::{ClientId, Event, Events, Failure, Owner, ServerId};
use hop::SentBy;
pub use hop::reply_to;
use server::{ServerTimer, Servers};

/// What a SIP core acts through: a host's context, lifted to SIP's messages and timers.
pub trait Wire: Context<Message = Message, Timer = Timer> {}

impl<C: Context<Message = Message, Timer = Timer>> Wire for C {}

/// All transactions of one element.
#[derive(Clone, Debug)]
pub struct Transactions {
    rules: Rules,
    sent_by: SentBy,
    /// What it called itself before it moved: answers to that may still come.
    former: Option<SentBy>,
    dice: Dice,
    /// Makes the branches of what is forwarded without a transaction this element's own.
    salt: u64,
    clients: Clients,
    servers: Servers,
    agenda: Agenda<Due>,
    /// What the host's timer is set to.
    armed: Option<SimTime>,
}

/// What is done when its time has come. At the same instant, giving up comes before repeating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Client(ClientId, ClientTimer),
    Server(ServerId, ServerTimer),
}

/// What a machine needs at hand.
struct Desk<'a, C> {
    ctx: &'a mut C,
    rules: &'a Rules,
    agenda: &'a mut Agenda<Due>,
}

impl Transactions {
    /// None so far. `sent_by` is what the element calls itself in `Via`; it listens on the port of
    /// `own`.
    #[must_use]
    pub fn new(rules: Rules, own: Endpoint, sent_by: HostPart, mut dice: Dice) -> Self {
        Self {
            rules,
            sent_by: SentBy::new(sent_by, own.port),
            former: None,
            salt: dice.bits(),
            dice,
            clients: Clients::default(),
            servers: Servers::default(),
            agenda: Agenda::new(),
            armed: None,
        }
    }

    /// The element calls itself something else from now on, and listens on this port. Answers to
    /// what it sent before are taken if they still find it.
    pub fn move_to(&mut self, sent_by: HostPart, port: Port) {
        self.former = Some(std::mem::replace(&mut self.sent_by, SentBy::new(sent_by, port)));
    }

    /// Whether this `Via` is its own.
    fn wrote(&self, via: &Via) -> bool {
        self.sent_by.wrote(via) || self.former.as_ref().is_some_and(|former| former.wrote(via))
    }

    /// Its timers and habits.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether all transactions are over and forgotten.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.clients.is_empty() && self.servers.is_empty()
    }

    /// Sends a request in a new transaction, with a new `Via` on top. Not for ACK, nor for CANCEL.
    /// Where the [rules](Rules::lifetime) limit the life of a request, the limit counts from now.
    pub fn request(
        &mut self,
        ctx: &mut impl Wire,
        request: Request,
        to: Endpoint,
        owner: Owner,
    ) -> ClientId {
        let life = self.rules.lifetime(&request.method);
        let end = life.map(|life| ctx.now().saturating_add(life));
        self.request_until(ctx, request, to, owner, end)
    }

    /// The same with another end of its life: for a proxy that tries one target after another.
    pub fn request_until(
        &mut self,
        ctx: &mut impl Wire,
        mut request: Request,
        to: Endpoint,
        owner: Owner,
        end: Option<SimTime>,
    ) -> ClientId {
        debug_assert!(
            !matches!(request.method, Method::Ack | Method::Cancel),
            "an ACK has no transaction, and a CANCEL is sent by `cancel`"
        );
        request.headers.via.insert(0, self.sent_by.via(token::branch(&mut self.dice)));
        let (clients, _, mut desk) = self.open(ctx);
        let client = clients.start(&mut desk, Box::new(request), to, Some(owner), end);
        self.arm(ctx);
        client
    }

    /// Sends the ACK of a 2xx. When the 2xx comes again, the ACK is sent again without a word.
    pub fn send_ack(&mut self, ctx: &mut impl Wire, mut ack: Request, to: Endpoint) {
        ack.headers.via.insert(0, self.sent_by.via(token::branch(&mut self.dice)));
        ctx.send(to, ack.clone().into());
        self.clients.acknowledged(ack, to);
    }

    /// Sends a message without a transaction, as a proxy passes on the ACK of a 2xx. A request gets
    /// a `Via`, which is the same when the request comes again (RFC 3261 §16.11).
    pub fn forward_stateless(&mut self, ctx: &mut impl Wire, mut message: Message, to: Endpoint) {
        if let Message::Request(request) = &mut message {
            let above = request.headers.via.first().and_then(|via| via.branch.as_deref());
            let name = mix2(NameHash::of(above.unwrap_or_default()).0, request.key().0);
            let branch = token::branch_of(mix2(self.salt, name));
            request.headers.via.insert(0, self.sent_by.via(branch));
        }
        ctx.send(to, message);
    }

    /// Answers a request as a user agent does: a 2xx of INVITE is repeated until its ACK comes.
    /// `response` is what [`Request::respond`] made of the request. After a final response, more
    /// are not sent.
    pub fn respond(&mut self, ctx: &mut impl Wire, server: ServerId, response: Response) {
        let (_, servers, mut desk) = self.open(ctx);
        servers.respond(&mut desk, server, Box::new(response));
        self.arm(ctx);
    }

    /// Passes a response on as a proxy does, its own `Via` taken off: a 2xx of INVITE is sent once
    /// each time, also after another final response and after the transaction.
    pub fn relay(&mut self, ctx: &mut impl Wire, server: ServerId, response: Response) {
        let (_, servers, mut desk) = self.open(ctx);
        servers.relay(&mut desk, server, Box::new(response));
        self.arm(ctx);
    }

    /// Leaves a request unanswered: what comes again is absorbed for a while, then forgotten
    /// (RFC 4320 §4.2: a proxy answers no request but INVITE with 408).
    pub fn abandon(&mut self, ctx: &mut impl Wire, server: ServerId) {
        let (_, servers, mut desk) = self.open(ctx);
        servers.abandon(&mut desk, server);
        self.arm(ctx);
    }

    /// Cancels an INVITE: at once if it has a provisional response, else as soon as it has one.
    /// Whether there is anything to cancel. A final response still comes, which may be a 2xx that
    /// crossed the CANCEL, or a time-out.
    pub fn cancel(&mut self, ctx: &mut impl Wire, client: ClientId) -> bool {
        let (clients, _, mut desk) = self.open(ctx);
        let cancelled = clients.cancel(&mut desk, client);
        self.arm(ctx);
        cancelled
    }

    /// A message came.
    pub fn receive(
        &mut self,
        ctx: &mut impl Wire,
        from: Endpoint,
        message: Message,
    ) -> Option<Event> {
        let event = match message {
            Message::Request(request) => self.receive_request(ctx, from, request),
            Message::Response(response) => {
                // RFC 3261 §18.1.2: what answers somebody else is dropped.
                let via = response.headers.via.first()?;
                if !self.wrote(via) {
                    return None;
                }
                let (clients, _, mut desk) = self.open(ctx);
                clients.receive(&mut desk, response)
            }
        };
        self.arm(ctx);
        event
    }

    fn receive_request(
        &mut self,
        ctx: &mut impl Wire,
        from: Endpoint,
        mut request: Box<Request>,
    ) -> Option<Event> {
        let via = request.headers.via.first_mut()?;
        hop::mark(via, from);
        let reply = reply_to(via).unwrap_or(from);
        let Some(key) = hop::ServerKey::of(via, &request.method) else {
            if request.method != Method::Ack {
                ctx.send(reply, request.respond(Status::BAD_REQUEST, None).into());
            }
            return None;
        };
        let tag = match request.method {
            Method::Cancel => token::token(&mut self.dice, 8),
            _ => Arc::from(""),
        };
        let (_, servers, mut desk) = self.open(ctx);
        match request.method {
            Method::Ack => servers
                .acknowledged(&mut desk, &key, &request)
                .then_some(Event::Ack { request, from }),
            Method::Cancel => servers.cancel(&mut desk, key, reply, &request, &tag),
            _ => servers.receive(&mut desk, key, reply, &request).map(|server| Event::Request {
                server,
                request,
                from,
            }),
        }
    }

    /// [`Timer::Transactions`] went off.
    pub fn timer(&mut self, ctx: &mut impl Wire) -> Events {
        self.armed = None;
        let mut events = Events::new();
        let now = ctx.now();
        while let Some(due) = self.agenda.due(now) {
            let (clients, servers, mut desk) = self.open(ctx);
            events.extend(match due {
                Due::Client(client, timer) => clients.timer(&mut desk, client, timer),
                Due::Server(server, timer) => servers.timer(&mut desk, server, timer),
            });
        }
        self.arm(ctx);
        events
    }

    /// An ICMP error came that quotes a datagram to this endpoint.
    pub fn unreachable(&mut self, ctx: &mut impl Wire, to: Endpoint) -> Events {
        let mut events = Events::new();
        if self.rules.icmp_visible {
            let (clients, servers, mut desk) = self.open(ctx);
            clients.unreachable(&mut desk, to, &mut events);
            servers.unreachable(&mut desk, to, &mut events);
            self.arm(ctx);
        }
        events
    }

    fn open<'a, C>(
        &'a mut self,
        ctx: &'a mut C,
    ) -> (&'a mut Clients, &'a mut Servers, Desk<'a, C>) {
        let desk = Desk { ctx, rules: &self.rules, agenda: &mut self.agenda };
        (&mut self.clients, &mut self.servers, desk)
    }

    /// Sets the host's timer to what comes next.
    fn arm(&mut self, ctx: &mut impl Wire) {
        let earliest = self.agenda.earliest();
        if earliest == self.armed {
            return;
        }
        self.armed = earliest;
        match earliest {
            Some(at) => ctx.set(Timer::Transactions, at),
            None => ctx.cancel(Timer::Transactions),
        }
    }
}
