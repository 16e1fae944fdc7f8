//! The relay (RFC 8656 §7 to §12): allocations with their permissions and channels.
//!
//! A value without timers: each input says when it is, and what has expired by then is not there.
//! [`Server::receive`] takes what clients say, [`Server::arrived`] what peers send to relayed
//! addresses. Responses to requests that are carried out are signed; so are not those that refuse,
//! which a client could not verify before it has the realm.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};
use crate::time::{SimDuration, SimTime};
use crate::turn::credentials::{Account, Challenge, Integrity, Nonce};
use crate::turn::message::{
    Body, Channel, Code, Data, Failure, Indication, Message, Request, Success, TransactionId,
};
use crate::turn::{CHANNEL_LIFETIME, MAX_LIFETIME, PERMISSION_LIFETIME};

/// The first port that is given away: those below are for what a host opens for itself. All are in
/// the dynamic range, as RFC 8656 §7.2 wants it.
pub const FIRST_PORT: Port = Port(52_000);

/// What follows from a client's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// An answer to the client.
    Reply(Message),
    /// A datagram to a peer.
    Relay {
        /// From this port of the relay.
        from: Port,
        /// To this peer.
        to: Endpoint,
        /// What.
        data: Data,
    },
}

/// A relay.
#[derive(Clone, Debug)]
pub struct Server {
    own: Address,
    account: Account,
    /// What it grants who does not ask for more.
    lifetime: SimDuration,
    /// By the client's address and port.
    allocations: BTreeMap<Endpoint, Allocation>,
    /// The clients by the ports that they have been given.
    ports: BTreeMap<Port, Endpoint>,
    /// The port that was given away last.
    last: Port,
    /// When the first request of its life came.
    first: Option<SimTime>,
}

#[derive(Clone, Debug)]
struct Allocation {
    /// The request that made it, which may come again.
    id: TransactionId,
    port: Port,
    expires: SimTime,
    permissions: BTreeMap<Address, SimTime>,
    channels: BTreeMap<Channel, (Endpoint, SimTime)>,
}

/// Why a request is not carried out.
type Refused = Code;

impl Server {
    /// A relay at this address that has just been switched on. `lifetime` is what it grants who does
    /// not ask for more.
    #[must_use]
    pub const fn new(own: Address, account: Account, lifetime: SimDuration) -> Self {
        Self {
            own,
            account,
            lifetime,
            allocations: BTreeMap::new(),
            ports: BTreeMap::new(),
            first: None,
            last: Port(FIRST_PORT.0 - 1),
        }
    }

    /// Allocations that have not expired.
    #[must_use]
    pub fn allocations(&self, now: SimTime) -> usize {
        self.allocations.values().filter(|it| it.expires > now).count()
    }

    /// A client says something.
    pub fn receive(&mut self, now: SimTime, from: Endpoint, message: &Message) -> Option<Output> {
        match &message.body {
            Body::Request { id, request, .. } => {
                self.first.get_or_insert(now);
                let body = self.answer(now, from, *id, *request, &message.body);
                Some(Output::Reply(Message { source: Port::TURN, body }))
            }
            Body::Indication { indication: Indication::Send { peer, data }, .. } => {
                let allocation = self.allocation(now, from)?;
                allocation.lets_in(now, peer.address).then(|| Output::Relay {
                    from: allocation.port,
                    to: *peer,
                    data: Arc::clone(data),
                })
            }
            Body::ChannelData { channel, data } => {
                let allocation = self.allocation(now, from)?;
                let (to, bound) = *allocation.channels.get(channel)?;
                let open = bound > now && allocation.lets_in(now, to.address);
                open.then(|| Output::Relay { from: allocation.port, to, data: Arc::clone(data) })
            }
            Body::Indication { .. } | Body::Success { .. } | Body::Failure { .. } => None,
        }
    }

    /// A datagram of a peer has come to one of the ports that are given away: what goes to which
    /// client. Nothing does of a peer without a permission.
    #[must_use]
    pub fn arrived(
        &self,
        now: SimTime,
        port: Port,
        from: Endpoint,
        data: &Data,
    ) -> Option<(Endpoint, Message)> {
        let client = *self.ports.get(&port)?;
        let allocation = self.allocation(now, client)?;
        if !allocation.lets_in(now, from.address) {
            return None;
        }
        let data = Arc::clone(data);
        let bound =
            |(_, (peer, until)): &(&Channel, &(Endpoint, SimTime))| *peer == from && *until > now;
        let body = match allocation.channels.iter().find(bound) {
            Some((&channel, _)) => Body::ChannelData { channel, data },
            None => Body::Indication {
                id: TransactionId(u32::from(port.0), now.as_nanos()),
                indication: Indication::Data { peer: from, data },
            },
        };
        Some((client, Message { source: Port::TURN, body }))
    }

    fn allocation(&self, now: SimTime, client: Endpoint) -> Option<&Allocation> {
        self.allocations.get(&client).filter(|it| it.expires > now)
    }

    /// The answer to a request, signed if it was.
    fn answer(
        &mut self,
        now: SimTime,
        from: Endpoint,
        id: TransactionId,
        request: Request,
        body: &Body,
    ) -> Body {
        let done = match request {
            // Anybody may ask where it is.
            Request::Binding => {
                return Body::Success {
                    id,
                    success: Success::Binding { mapped: from },
                    integrity: None,
                };
            }
            _ => self.admit(now, body).and_then(|()| self.carry_out(now, from, id, request)),
        };
        match done {
            Ok(success) => self.signed(id, success),
            Err(code) => {
                let challenges = [Code::UNAUTHENTICATED, Code::STALE_NONCE].contains(&code);
                let challenge = || Challenge {
                    realm: Arc::clone(&self.account.realm),
                    nonce: Nonce::issued(now),
                };
                let failure = Failure { code, challenge: challenges.then(challenge) };
                Body::Failure { id, method: request.method(), failure }
            }
        }
    }

    fn signed(&self, id: TransactionId, success: Success) -> Body {
        let body = |integrity| Body::Success { id, success, integrity: Some(integrity) };
        body(self.account.code(&body(Integrity([0; 20]))))
    }

    /// Whether a request shows who the client is.
    fn admit(&self, now: SimTime, body: &Body) -> Result<(), Refused> {
        let Body::Request { auth: Some(auth), .. } = body else {
            return Err(Code::UNAUTHENTICATED);
        };
        // What was issued before the first request came is of a former life.
        let nonce = auth.challenge.nonce;
        if nonce.is_stale(now) || self.first.is_some_and(|first| nonce.is_older(first)) {
            return Err(Code::STALE_NONCE);
        }
        if self.account.verifies(body) { Ok(()) } else { Err(Code::UNAUTHENTICATED) }
    }

    fn carry_out(
        &mut self,
        now: SimTime,
        from: Endpoint,
        id: TransactionId,
        request: Request,
    ) -> Result<Success, Refused> {
        let granted = self.granted(match request {
            Request::Allocate { lifetime } => lifetime,
            Request::Refresh { lifetime } => Some(lifetime),
            _ => None,
        });
        let (lifetime, until) = (granted.as_secs() as u32, now.saturating_add(granted));
        if let Request::Allocate { .. } = request {
            let relayed = self.allocate(now, from, id, until)?;
            return Ok(Success::Allocate { relayed, mapped: from, lifetime });
        }
        let allocation = self.allocations.get_mut(&from).filter(|it| it.expires > now);
        let allocation = allocation.ok_or(Code::ALLOCATION_MISMATCH)?;
        match request {
            Request::Refresh { lifetime: 0 } => {
                self.ports.remove(&allocation.port);
                self.allocations.remove(&from);
                Ok(Success::Refresh { lifetime: 0 })
            }
            Request::Refresh { .. } => {
                allocation.expires = until;
                Ok(Success::Refresh { lifetime })
            }
            Request::CreatePermission { peer } => {
                allocation.permit(now, peer);
                Ok(Success::CreatePermission)
            }
            Request::ChannelBind { channel, peer } => {
                allocation.bind(now, channel, peer).map(|()| Success::ChannelBind)
            }
            Request::Binding | Request::Allocate { .. } => unreachable!("answered before"),
        }
    }

    /// For how long: what is asked for, the own default at least, [`MAX_LIFETIME`] at most.
    fn granted(&self, asked: Option<u32>) -> SimDuration {
        let asked = asked.map_or(SimDuration::ZERO, |it| SimDuration::from_secs(it.into()));
        asked.max(self.lifetime).min(MAX_LIFETIME)
    }

    fn allocate(
        &mut self,
        now: SimTime,
        client: Endpoint,
        id: TransactionId,
        expires: SimTime,
    ) -> Result<Endpoint, Refused> {
        if let Some(present) = self.allocation(now, client) {
            // The request has come twice: it is answered as before.
            let same = present.id == id;
            return same.then(|| self.own.at(present.port)).ok_or(Code::ALLOCATION_MISMATCH);
        }
        self.tidy(now);
        let after = (self.last.0.saturating_add(1).max(FIRST_PORT.0)..=u16::MAX).map(Port);
        let all = after.chain((FIRST_PORT.0..=u16::MAX).map(Port));
        let free = all.into_iter().find(|port| !self.ports.contains_key(port));
        let port = free.ok_or(Code::INSUFFICIENT_CAPACITY)?;
        self.last = port;
        self.ports.insert(port, client);
        let (permissions, channels) = (BTreeMap::new(), BTreeMap::new());
        let allocation = Allocation { id, port, expires, permissions, channels };
        self.allocations.insert(client, allocation);
        Ok(self.own.at(port))
    }

    /// Forgets allocations that have expired.
    fn tidy(&mut self, now: SimTime) {
        self.allocations.retain(|_, allocation| allocation.expires > now);
        let allocations = &self.allocations;
        self.ports.retain(|port, client| {
            allocations.get(client).is_some_and(|allocation| allocation.port == *port)
        });
    }
}

impl Allocation {
    fn lets_in(&self, now: SimTime, peer: Address) -> bool {
        self.permissions.get(&peer).is_some_and(|&until| until > now)
    }

    fn permit(&mut self, now: SimTime, peer: Address) {
        self.permissions.insert(peer, now.saturating_add(PERMISSION_LIFETIME));
    }

    /// Binds a channel, or renews it; a channel keeps its peer, and a peer its channel, until they
    /// expire (RFC 8656 §12.2).
    fn bind(&mut self, now: SimTime, channel: Channel, peer: Endpoint) -> Result<(), Refused> {
        self.channels.retain(|_, (_, until)| *until > now);
        let taken = |(&other, &(its, _)): (&Channel, &(Endpoint, SimTime))| {
            (other == channel) != (its == peer)
        };
        if !channel.is_valid() || self.channels.iter().any(taken) {
            return Err(Code::BAD_REQUEST);
        }
        self.channels.insert(channel, (peer, now.saturating_add(CHANNEL_LIFETIME)));
        self.permit(now, peer.address);
        Ok(())
    }
}
