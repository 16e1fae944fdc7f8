//! One allocation on a relay, and what its owner keeps in it: permissions and channels.
//!
//! The owner says what it wants, [`permit`](Client::permit) and [`bind`](Client::bind), whenever it
//! likes; the client asks for it as soon as there is an allocation, and renews it a minute ahead of
//! its end; a channel at the time at which the permission that came with it needs it. In between it
//! keeps a translator's mapping alive by indications that nobody answers.
//!
//! The allocation is lost when the relay does not know it, or does not answer for 39.5 s: then all
//! that was in it is gone too. The client asks for another, after [`REST`] where nobody answered, and
//! for everything that its owner still wants. While the relay is away, nothing tells: what is sent is
//! gone. A client whose former life has an allocation from the same port ends that one first, in
//! place of taking another port (RFC 8656 §7.3).

use std::collections::BTreeMap;

use crate::address::{Address, Endpoint, Port};
use crate::rng::Dice;
use crate::sim::{Agenda, Context};
use crate::time::{SimDuration, SimTime};
use crate::turn::credentials::{Account, Challenge};
use crate::turn::message::{
    Body, Channel, Code, Data, Failure, Indication, Message, Request, Success, TransactionId,
};
use crate::turn::{CHANNEL_LIFETIME, DEFAULT_LIFETIME, PERMISSION_LIFETIME, Timer, retry};

/// How long before its end something is renewed.
pub const AHEAD: SimDuration = SimDuration::from_secs(60);
/// The pause before a relay that did not answer, or has no room, is asked again.
pub const REST: SimDuration = SimDuration::from_secs(30);
/// How many challenges in a row a request meets before it is given up: a first one, and one for a
/// nonce that has become stale.
const CHALLENGES: u8 = 2;

/// What a client acts through.
pub trait Wire: Context<Message = Message, Timer = Timer> {}

impl<C: Context<Message = Message, Timer = Timer>> Wire for C {}

/// What a client is set up with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The relay.
    pub server: Endpoint,
    /// The port that it sends from.
    pub port: Port,
    /// What it signs with.
    pub account: Account,
    /// What it asks for; the relay's choice if `None`.
    pub lifetime: Option<SimDuration>,
    /// How often it keeps a mapping alive.
    pub keepalive: SimDuration,
}

/// What a client tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcall {
    /// Peers reach it here from now on.
    Allocated(Endpoint),
    /// There is no allocation any more.
    Lost,
    /// A peer has sent this.
    Data {
        /// Which.
        from: Endpoint,
        /// What.
        data: Data,
    },
}

/// What a client tells, in its order.
pub type Upcalls = Vec<Upcall>;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    settings: Settings,
    state: State,
    challenge: Option<Challenge>,
    pending: BTreeMap<TransactionId, Pending>,
    /// Whom the owner wants to let in, and whether the relay does.
    peers: BTreeMap<Address, Standing>,
    /// The channels that the owner wants, with whether they are bound.
    channels: BTreeMap<Endpoint, (Channel, Standing)>,
    /// The next number of a channel.
    next: Channel,
    agenda: Agenda<Due>,
    /// What the timer is set to.
    armed: Option<SimTime>,
    dice: Dice,
}

/// Whether there is an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// None is wanted.
    Off,
    /// It has been asked for, or will be.
    Waiting,
    /// Peers reach the client there.
    Allocated(Endpoint),
}

/// Whether the relay has done what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// A channel that is not needed now: it ends by itself. Its peer keeps the number, since the
    /// relay takes no other while it is bound.
    Idle,
    /// Not yet.
    Wanted,
    /// It has.
    Granted,
}

/// What is done when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Repeat(TransactionId),
    Allocate,
    Refresh,
    Permit(Address),
    Bind(Endpoint),
    Keepalive,
}

/// A request that has not been answered.
#[derive(Clone, Debug)]
struct Pending {
    request: Request,
    /// As it was sent.
    body: Body,
    copies: u32,
    /// Challenges that this request has met under other transactions.
    challenged: u8,
}

/// What is shared for the time of one input.
struct Desk<'a, C> {
    ctx: &'a mut C,
    upcalls: Upcalls,
}

impl Client {
    /// A client that wants nothing yet.
    #[must_use]
    pub const fn new(settings: Settings, dice: Dice) -> Self {
        Self {
            settings,
            state: State::Off,
            challenge: None,
            pending: BTreeMap::new(),
            peers: BTreeMap::new(),
            channels: BTreeMap::new(),
            next: Channel::FIRST,
            agenda: Agenda::new(),
            armed: None,
            dice,
        }
    }

    /// Where peers reach it, while there is an allocation.
    #[must_use]
    pub const fn relayed(&self) -> Option<Endpoint> {
        match self.state {
            State::Allocated(relayed) => Some(relayed),
            State::Off | State::Waiting => None,
        }
    }

    /// The relay.
    #[must_use]
    pub const fn server(&self) -> Endpoint {
        self.settings.server
    }

    /// Whether it waits for the answer to this request.
    #[must_use]
    pub fn awaits(&self, id: TransactionId) -> bool {
        self.pending.contains_key(&id)
    }

    /// Wants an allocation from now on.
    pub fn start(&mut self, ctx: &mut impl Wire) {
        if self.state == State::Off {
            self.state = State::Waiting;
            self.with(ctx, |client, desk| client.allocate(desk));
        }
    }

    /// Lets a peer in from now on.
    pub fn permit(&mut self, ctx: &mut impl Wire, peer: Address) {
        // Who was wanted before has renewals that go on.
        if self.peers.contains_key(&peer) {
            return;
        }
        self.peers.insert(peer, Standing::Wanted);
        if self.relayed().is_some() {
            self.with(ctx, |client, desk| client.ask_to_permit(desk, peer));
        }
    }

    /// Binds a channel to a peer, and keeps it.
    pub fn bind(&mut self, ctx: &mut impl Wire, peer: Endpoint) {
        let channel = match self.channels.get(&peer) {
            Some((channel, Standing::Idle)) => *channel,
            Some(_) => return,
            None => {
                let channel = self.next;
                self.next = channel.next();
                channel
            }
        };
        self.channels.insert(peer, (channel, Standing::Wanted));
        if self.relayed().is_some() {
            self.with(ctx, |client, desk| client.ask_to_bind(desk, peer));
        }
    }

    /// No longer keeps the channel of a peer, nor the permission that came with it.
    pub fn unbind(&mut self, peer: Endpoint) {
        if let Some((_, standing)) = self.channels.get_mut(&peer) {
            *standing = Standing::Idle;
            self.agenda.cancel(Due::Bind(peer));
        }
    }

    /// Whether the relay passes on what is sent to a peer, as far as the client knows.
    #[must_use]
    pub fn reaches(&self, to: Endpoint) -> bool {
        let bound = self.channels.get(&to).is_some_and(|(_, it)| *it == Standing::Granted);
        let permitted = self.peers.get(&to.address) == Some(&Standing::Granted);
        self.relayed().is_some() && (bound || permitted)
    }

    /// Sends something to a peer through the relay, where that passes it on.
    pub fn send(&mut self, ctx: &mut impl Wire, to: Endpoint, data: Data) {
        if !self.reaches(to) {
            return;
        }
        let body = match self.channels.get(&to) {
            Some(&(channel, Standing::Granted)) => Body::ChannelData { channel, data },
            _ => {
                let indication = Indication::Send { peer: to, data };
                Body::Indication { id: self.id(), indication }
            }
        };
        ctx.send(self.settings.server, Message { source: self.settings.port, body });
    }

    /// A message came.
    pub fn receive(&mut self, ctx: &mut impl Wire, from: Endpoint, message: Message) -> Upcalls {
        if from != self.settings.server {
            return Upcalls::new();
        }
        self.with(ctx, |client, desk| match message.body {
            Body::Success { id, success, .. } => client.succeeded(desk, id, success),
            Body::Failure { id, failure, .. } => client.failed(desk, id, failure),
            Body::Indication { indication: Indication::Data { peer, data }, .. } => {
                desk.upcalls.push(Upcall::Data { from: peer, data });
            }
            Body::ChannelData { channel, data } => {
                let bound = client.channels.iter().find(|(_, (its, _))| *its == channel);
                if let Some((&from, _)) = bound {
                    desk.upcalls.push(Upcall::Data { from, data });
                }
            }
            Body::Indication { .. } | Body::Request { .. } => {}
        })
    }

    /// The timer went off.
    pub fn timer(&mut self, ctx: &mut impl Wire) -> Upcalls {
        self.armed = None;
        self.with(ctx, |client, desk| {
            let now = desk.ctx.now();
            while let Some(due) = client.agenda.due(now) {
                client.due(desk, due);
            }
        })
    }

    /// Does something, and sets the timer to what is due next.
    fn with<C: Wire>(
        &mut self,
        ctx: &mut C,
        act: impl FnOnce(&mut Self, &mut Desk<'_, C>),
    ) -> Upcalls {
        let mut desk = Desk { ctx, upcalls: Upcalls::new() };
        act(self, &mut desk);
        let Desk { ctx, upcalls } = desk;
        let next = self.agenda.earliest();
        if next != self.armed {
            match next {
                Some(at) => ctx.set(Timer, at),
                None => ctx.cancel(Timer),
            }
            self.armed = next;
        }
        upcalls
    }

    fn id(&mut self) -> TransactionId {
        let (high, low) = (self.dice.bits(), self.dice.bits());
        TransactionId((high >> 32) as u32, low)
    }

    fn set_after<C: Wire>(&mut self, desk: &Desk<'_, C>, due: Due, after: SimDuration) {
        self.agenda.set(due, desk.ctx.now().saturating_add(after));
    }

    fn due<C: Wire>(&mut self, desk: &mut Desk<'_, C>, due: Due) {
        match due {
            Due::Repeat(id) => self.repeat(desk, id),
            Due::Allocate => self.allocate(desk),
            Due::Refresh => {
                // 0 would end it.
                let default = DEFAULT_LIFETIME.as_secs() as u32;
                let lifetime = self.wanted_lifetime().unwrap_or(default).max(1);
                self.ask(desk, Request::Refresh { lifetime }, 0);
            }
            Due::Permit(peer) => self.ask_to_permit(desk, peer),
            Due::Bind(peer) => self.ask_to_bind(desk, peer),
            Due::Keepalive => {
                let body = Body::Indication { id: self.id(), indication: Indication::Binding };
                let message = Message { source: self.settings.port, body };
                desk.ctx.send(self.settings.server, message);
                self.set_after(desk, Due::Keepalive, self.settings.keepalive);
            }
        }
    }

    fn wanted_lifetime(&self) -> Option<u32> {
        self.settings.lifetime.map(|lifetime| lifetime.as_secs() as u32)
    }

    fn allocate<C: Wire>(&mut self, desk: &mut Desk<'_, C>) {
        let lifetime = self.wanted_lifetime();
        self.ask(desk, Request::Allocate { lifetime }, 0);
    }

    fn ask_to_permit<C: Wire>(&mut self, desk: &mut Desk<'_, C>, peer: Address) {
        self.ask(desk, Request::CreatePermission { peer }, 0);
    }

    fn ask_to_bind<C: Wire>(&mut self, desk: &mut Desk<'_, C>, peer: Endpoint) {
        if let Some(&(channel, _)) = self.channels.get(&peer) {
            self.ask(desk, Request::ChannelBind { channel, peer }, 0);
        }
    }

    /// Sends a request in a new transaction, signed as soon as the relay has said how.
    fn ask<C: Wire>(&mut self, desk: &mut Desk<'_, C>, request: Request, challenged: u8) {
        let id = self.id();
        let mut body = Body::Request { id, request, auth: None };
        if let Some(challenge) = &self.challenge {
            body = self.settings.account.signed(body, challenge.clone());
        }
        let message = Message { source: self.settings.port, body: body.clone() };
        desk.ctx.send(self.settings.server, message);
        self.pending.insert(id, Pending { request, body, copies: 1, challenged });
        self.set_after(desk, Due::Repeat(id), retry::wait(1).0);
    }

    /// A request has waited for its answer.
    fn repeat<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: TransactionId) {
        let Some(pending) = self.pending.get_mut(&id) else { return };
        let (_, again) = retry::wait(pending.copies);
        if !again {
            self.pending.remove(&id);
            return self.lose(desk, REST);
        }
        pending.copies += 1;
        let (span, _) = retry::wait(pending.copies);
        let message = Message { source: self.settings.port, body: pending.body.clone() };
        desk.ctx.send(self.settings.server, message);
        self.set_after(desk, Due::Repeat(id), span);
    }

    fn answered(&mut self, id: TransactionId) -> Option<Pending> {
        let pending = self.pending.remove(&id)?;
        self.agenda.cancel(Due::Repeat(id));
        Some(pending)
    }

    fn succeeded<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: TransactionId, success: Success) {
        let Some(Pending { request, .. }) = self.answered(id) else { return };
        let span = |seconds: u32| SimDuration::from_secs(seconds.into());
        match (success, request) {
            (Success::Allocate { relayed, lifetime, .. }, _) if self.state == State::Waiting => {
                self.allocated(desk, relayed, span(lifetime));
            }
            // The end of a former life's allocation: now there is room for one of this life.
            (Success::Refresh { lifetime: 0 }, _) if self.state == State::Waiting => {
                self.allocate(desk);
            }
            (Success::Refresh { lifetime }, _) if self.relayed().is_some() => {
                self.set_after(desk, Due::Refresh, ahead(span(lifetime)));
            }
            (Success::CreatePermission, Request::CreatePermission { peer }) => {
                if let Some(standing) = self.peers.get_mut(&peer) {
                    *standing = Standing::Granted;
                    self.set_after(desk, Due::Permit(peer), ahead(PERMISSION_LIFETIME));
                }
            }
            (Success::ChannelBind, Request::ChannelBind { peer, .. }) => {
                let wanted = self.channels.get_mut(&peer).map(|(_, standing)| standing);
                if let Some(standing) = wanted.filter(|it| **it != Standing::Idle) {
                    *standing = Standing::Granted;
                    // The permission that comes with it ends first.
                    let first = PERMISSION_LIFETIME.min(CHANNEL_LIFETIME);
                    self.set_after(desk, Due::Bind(peer), ahead(first));
                }
            }
            _ => {}
        }
    }

    /// There is an allocation now: what its owner wants in it is asked for.
    fn allocated<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        relayed: Endpoint,
        lifetime: SimDuration,
    ) {
        self.state = State::Allocated(relayed);
        desk.upcalls.push(Upcall::Allocated(relayed));
        self.set_after(desk, Due::Refresh, ahead(lifetime));
        self.set_after(desk, Due::Keepalive, self.settings.keepalive);
        let peers: Vec<Address> = self.peers.keys().copied().collect();
        for peer in peers {
            self.ask_to_permit(desk, peer);
        }
        let wanted = |(&peer, &(_, standing)): (&Endpoint, &(Channel, Standing))| {
            (standing == Standing::Wanted).then_some(peer)
        };
        let channels: Vec<Endpoint> = self.channels.iter().filter_map(wanted).collect();
        for peer in channels {
            self.ask_to_bind(desk, peer);
        }
    }

    fn failed<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: TransactionId, failure: Failure) {
        let Some(Pending { request, challenged, .. }) = self.answered(id) else { return };
        let Failure { code, challenge } = failure;
        if challenge.is_some() && challenged < CHALLENGES {
            self.challenge = challenge;
            return self.ask(desk, request, challenged + 1);
        }
        match (code, request) {
            (Code::ALLOCATION_MISMATCH, Request::Allocate { .. }) => {
                self.ask(desk, Request::Refresh { lifetime: 0 }, 0);
            }
            (Code::ALLOCATION_MISMATCH, _) if self.relayed().is_some() => {
                self.lose(desk, SimDuration::ZERO);
            }
            (_, Request::Allocate { .. } | Request::Refresh { .. }) => self.lose(desk, REST),
            (_, Request::CreatePermission { peer }) => {
                self.set_after(desk, Due::Permit(peer), REST);
            }
            (_, Request::ChannelBind { peer, .. }) => self.set_after(desk, Due::Bind(peer), REST),
            (_, Request::Binding) => {}
        }
    }

    /// The allocation is gone, or was not to be had: another is asked for after this pause.
    fn lose<C: Wire>(&mut self, desk: &mut Desk<'_, C>, pause: SimDuration) {
        let former = std::mem::replace(&mut self.state, State::Waiting);
        if let State::Allocated(_) = former {
            desk.upcalls.push(Upcall::Lost);
        }
        if former == State::Off {
            self.state = State::Off;
            return;
        }
        self.pending.clear();
        self.agenda = Agenda::new();
        self.peers.values_mut().for_each(|standing| *standing = Standing::Wanted);
        for (_, standing) in self.channels.values_mut().filter(|(_, it)| *it == Standing::Granted) {
            *standing = Standing::Wanted;
        }
        self.set_after(desk, Due::Allocate, pause);
    }
}

/// When something that lasts so long is renewed: a minute ahead, or at half of its life where that
/// is later.
fn ahead(lifetime: SimDuration) -> SimDuration {
    lifetime.saturating_sub(AHEAD).max(lifetime.mul_f64(0.5))
}
