//! TCP as what it costs: its segments, its round trips, its time-outs.
//!
//! A [`Tcp`] is one host's end of all its connections. Its inputs are segments, one timer per
//! connection slot, ICMP errors, and its owner's calls; what it has to say is returned as
//! [`Upcall`]s. A connection with one request and one response is ten segments: SYN, SYN-ACK, ACK,
//! request, ACK, response, ACK, FIN, FIN-ACK, ACK. Without data it is six.
//!
//! Modelled (RFC 9293, RFC 6298): the handshake with its retransmissions 1, 3, 7, … s after the
//! first SYN; refusal by RST; messages and FINs sent again with a time-out that starts at one
//! second and doubles; duplicates and reordering; half-open, silent and crashed peers; hosts that
//! restart.
//!
//! Left out: windows, congestion, segmentation (a message is one segment: those of the update
//! service are far below an MSS), estimates of the round trip, delayed and piggybacked
//! acknowledgements, half-closed use, and TIME-WAIT: a late segment of a closed connection is
//! answered with a RST, which costs one segment.

mod connection;
#[cfg(test)]
pub(crate) mod pair;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::address::{Address, Endpoint, Port};
use crate::sim::{Context, Timer};
use crate::time::SimDuration;

use connection::{Connection, Fate, reset_for};
pub use segment::{Body, Control, Data, ECHO, Flow, Header, Kind, Segment, Side};

/// One host's connections; `D` is what they carry.
#[derive(Debug)]
pub struct Tcp<D> {
    slots: Vec<Option<Box<Connection<D>>>>,
    /// Vacant slots below the end of `slots`.
    vacant: Vec<u16>,
    by_key: BTreeMap<Key, u16>,
    listening: Vec<Port>,
    capacity: u16,
    /// How many connections there have been.
    serial: u32,
}

/// Names a connection of this host; never used again for another one while the host is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    slot: u16,
    serial: u32,
}

/// The timer of one connection slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpTimer(pub u16);

impl Timer for TcpTimer {
    fn slot(self) -> u32 {
        u32::from(self.0)
    }
}

/// What the owner of a [`Tcp`] is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcall<D> {
    /// A connection that this host asked for stands.
    Connected(ConnectionId),
    /// The other host is there, but nothing listens on the port.
    Refused(ConnectionId),
    /// No answer within the owner's time-out, or after 127 s.
    TimedOut(ConnectionId),
    /// The network reported that the host or port cannot be reached.
    Unreachable(ConnectionId),
    /// Another host connected to this port.
    Accepted(ConnectionId, Port),
    /// A message came.
    Received(ConnectionId, D),
    /// A connection that stood is no more, not by this host's wish.
    Closed(ConnectionId, Ending),
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The other end closed it.
    Fin,
    /// The other end does not know it (any more).
    Reset,
    /// The other end has been silent for too long.
    Silence,
}

/// What one input led to: seldom more than one thing.
pub type Upcalls<D> = SmallVec<[Upcall<D>; 2]>;

/// The other end's address, the initiator's number, the responder's port, and this end's side.
type Key = (Address, u16, Port, Side);

impl ConnectionId {
    fn timer(self) -> TcpTimer {
        TcpTimer(self.slot)
    }
}

impl<D: Clone> Tcp<D> {
    /// No connections yet, and never more than `capacity` at a time.
    #[must_use]
    pub fn new(capacity: u16) -> Self {
        Self {
            slots: Vec::new(),
            vacant: Vec::new(),
            by_key: BTreeMap::new(),
            listening: Vec::new(),
            capacity,
            serial: 0,
        }
    }

    /// Accepts connections to a port from now on.
    pub fn listen(&mut self, port: Port) {
        if !self.is_listening(port) {
            self.listening.push(port);
        }
    }

    /// Refuses new connections to a port from now on and forgets half-open ones; those that stand
    /// go on.
    pub fn unlisten<C>(&mut self, ctx: &mut C, port: Port)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        self.listening.retain(|&listening| listening != port);
        let half_open: Vec<ConnectionId> = self
            .open()
            .filter(|connection| connection.is_half_open() && connection.flow.port == port)
            .map(|connection| connection.id)
            .collect();
        for id in half_open {
            self.abort(ctx, id);
        }
    }

    /// Whether connections to this port are accepted.
    #[must_use]
    pub fn is_listening(&self, port: Port) -> bool {
        self.listening.contains(&port)
    }

    /// How many connections are open, half-open or closing.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.by_key.len()
    }

    /// The other end of a connection, while it is there.
    #[must_use]
    pub fn peer(&self, id: ConnectionId) -> Option<Endpoint> {
        self.find(id).map(|connection| connection.peer)
    }

    /// Asks for a connection. The answer is one of [`Upcall::Connected`], [`Upcall::Refused`],
    /// [`Upcall::TimedOut`] after `timeout` (127 s at most) and [`Upcall::Unreachable`]. `None`
    /// when all slots are taken.
    pub fn connect<C>(
        &mut self,
        ctx: &mut C,
        to: Endpoint,
        timeout: SimDuration,
    ) -> Option<ConnectionId>
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let mut id = self.vacant_id()?;
        // After 65,536 connections numbers come again; one that is still in use is left out.
        while self.by_key.contains_key(&(to.address, id.serial as u16, to.port, Side::Initiator)) {
            id.serial = id.serial.wrapping_add(1);
        }
        let give_up = ctx.now().saturating_add(timeout);
        self.insert(Connection::open(ctx, id, to, id.serial as u16, give_up));
        Some(id)
    }

    /// Sends a message, after those sent before are acknowledged; on a connection that does not
    /// stand yet, as soon as it does. False when the connection is closed or closing.
    pub fn send<C>(&mut self, ctx: &mut C, id: ConnectionId, body: D) -> bool
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        self.find_mut(id).is_some_and(|connection| connection.send(ctx, body))
    }

    /// Closes a connection once everything sent is acknowledged. Its owner hears no more of it. One
    /// that is gone stays so; one that does not stand yet is forgotten.
    pub fn close<C>(&mut self, ctx: &mut C, id: ConnectionId)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let Some(connection) = self.find_mut(id) else { return };
        if connection.close(ctx) == Fate::Gone {
            self.remove(ctx, id);
        }
    }

    /// Ends a connection at once, with a RST unless the other end has not answered yet.
    pub fn abort<C>(&mut self, ctx: &mut C, id: ConnectionId)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let Some(connection) = self.find_mut(id) else { return };
        if !connection.is_connecting() {
            connection.reset(ctx);
        }
        self.remove(ctx, id);
    }

    /// The host has another address: no connection goes on, in silence, since nothing can be sent
    /// from the former one any more. Ports are listened to as before.
    pub fn forget_connections<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let all: Vec<ConnectionId> = self.open().map(|connection| connection.id).collect();
        for id in all {
            self.remove(ctx, id);
        }
    }

    /// A segment arrived.
    pub fn receive<C>(&mut self, ctx: &mut C, from: Endpoint, segment: Segment<D>) -> Upcalls<D>
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let mut out = Upcalls::new();
        let header = *segment.header();
        let Flow { number, port, sender } = header.flow;
        let kind = match &segment {
            Segment::Control(control) => Some(control.kind),
            Segment::Data(_) => None,
        };
        let key = (from.address, number, port, sender.other());
        let mut slot = self.by_key.get(&key).copied();
        if let Some(former) = slot.and_then(|slot| self.slots[usize::from(slot)].as_deref())
            && kind == Some(Kind::Syn)
            && !former.began_with(header.sequence)
        {
            // The initiator has restarted and counts from the beginning again.
            let id = former.id;
            if former.is_established() {
                out.push(Upcall::Closed(id, Ending::Reset));
            }
            self.remove(ctx, id);
            slot = None;
        }
        match (slot.and_then(|slot| self.slots[usize::from(slot)].as_deref_mut()), kind) {
            (Some(connection), _) => {
                let id = connection.id;
                if connection.receive(ctx, segment, &mut out) == Fate::Gone {
                    self.remove(ctx, id);
                }
            }
            (None, Some(Kind::Syn)) if self.listening.contains(&port) => {
                self.accept(ctx, from, &header);
            }
            (None, Some(Kind::Rst)) => {}
            (None, _) => ctx.send(from, reset_for(&header).into()),
        }
        out
    }

    /// A connection's timer went off.
    pub fn timer<C>(&mut self, ctx: &mut C, timer: TcpTimer) -> Upcalls<D>
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let mut out = Upcalls::new();
        if let Some(Some(connection)) = self.slots.get_mut(usize::from(timer.0)) {
            let id = connection.id;
            if connection.timer(ctx, &mut out) == Fate::Gone {
                self.remove(ctx, id);
            }
        }
        out
    }

    /// The network reported that `to` cannot be reached. Connections that do not stand yet fail;
    /// for others it is a passing trouble (RFC 5461).
    pub fn unreachable<C>(&mut self, ctx: &mut C, to: Endpoint) -> Upcalls<D>
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let failed: SmallVec<[ConnectionId; 2]> = self
            .open()
            .filter(|connection| connection.is_connecting() && connection.peer == to)
            .map(|connection| connection.id)
            .collect();
        failed
            .into_iter()
            .map(|id| {
                self.remove(ctx, id);
                Upcall::Unreachable(id)
            })
            .collect()
    }

    /// A full table drops the SYN, as a full backlog does.
    fn accept<C>(&mut self, ctx: &mut C, from: Endpoint, syn: &Header)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        if let Some(id) = self.vacant_id() {
            self.insert(Connection::answer(ctx, id, from, syn));
        }
    }

    fn open(&self) -> impl Iterator<Item = &Connection<D>> {
        self.slots.iter().flatten().map(Box::as_ref)
    }

    fn find(&self, id: ConnectionId) -> Option<&Connection<D>> {
        let connection = self.slots.get(usize::from(id.slot))?.as_deref()?;
        (connection.id == id).then_some(connection)
    }

    fn find_mut(&mut self, id: ConnectionId) -> Option<&mut Connection<D>> {
        let connection = self.slots.get_mut(usize::from(id.slot))?.as_deref_mut()?;
        (connection.id == id).then_some(connection)
    }

    fn vacant_id(&self) -> Option<ConnectionId> {
        let serial = self.serial.wrapping_add(1);
        if let Some(&slot) = self.vacant.last() {
            return Some(ConnectionId { slot, serial });
        }
        let slot = u16::try_from(self.slots.len()).ok()?;
        (slot < self.capacity).then_some(ConnectionId { slot, serial })
    }

    fn insert(&mut self, connection: Connection<D>) {
        let id = connection.id;
        self.serial = id.serial;
        if self.vacant.last() == Some(&id.slot) {
            self.vacant.pop();
        } else {
            self.slots.push(None);
        }
        self.by_key.insert(key(&connection), id.slot);
        self.slots[usize::from(id.slot)] = Some(Box::new(connection));
    }

    fn remove<C>(&mut self, ctx: &mut C, id: ConnectionId)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let connection = self.slots[usize::from(id.slot)]
            .take()
            .expect("only a connection that is there is removed");
        ctx.cancel(id.timer());
        self.by_key.remove(&key(&connection));
        self.vacant.push(id.slot);
    }
}

fn key<D>(connection: &Connection<D>) -> Key {
    let Flow { number, port, sender } = connection.flow;
    (connection.peer.address, number, port, sender)
}
