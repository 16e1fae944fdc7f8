//! One end of one connection: a stop-and-wait sender and an in-order receiver.

use std::collections::VecDeque;

use super::{ConnectionId, Ending, TcpTimer, Upcall, Upcalls};
use super::{Control, Data, Flow, Header, Kind, Segment};
use crate::address::Endpoint;
use crate::net::tcp::Side;
use crate::sim::Context;
use crate::time::{SimDuration, SimTime};

/// The first retransmission time-out (RFC 6298 §2.1); it doubles each time (§5.5).
const INITIAL_RTO: SimDuration = SimDuration::from_secs(1);
/// How often a SYN, a message or a FIN is sent again: with the doubling it is given up after 127 s
/// (Linux `tcp_syn_retries` = 6; RFC 1122 §4.2.3.5 asks for at least 100 s for data).
const RETRIES: u8 = 6;
/// How often a SYN-ACK is sent again: 63 s in all (Linux `tcp_synack_retries` = 5).
const SYN_ACK_RETRIES: u8 = 5;
/// How long an accepted connection may stay silent, and how long the end that closed waits for the
/// other's FIN (Linux `tcp_fin_timeout`; also the usual time-out of web servers).
const IDLE: SimDuration = SimDuration::from_secs(60);

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Connection<D> {
    pub(super) id: ConnectionId,
    pub(super) peer: Endpoint,
    /// As in the segments that this end sends.
    pub(super) flow: Flow,
    state: State,
    /// The number of what is in flight, or sent next.
    sequence: u16,
    /// The number that the other end began with, once known.
    peer_start: u16,
    /// The number of what comes next from the other end.
    expected: u16,
    /// The first is in flight once the connection stands.
    queue: VecDeque<Item<D>>,
    /// How often what is in flight was sent again.
    retries: u8,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// A SYN is in flight; the caller gives up at this time.
    SynSent { give_up: SimTime },
    /// A SYN-ACK is in flight.
    SynReceived,
    /// Both ends agree.
    Established,
    /// This end has closed: a FIN stands last in the queue or has been acknowledged.
    FinWait,
    /// The other end has closed; this end's FIN is in flight.
    LastAck,
}

#[derive(Debug)]
enum Item<D> {
    Message(D),
    Fin,
}

/// Whether the connection is still there after an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Gone,
}

impl<D: Clone> Connection<D> {
    /// Sends a SYN.
    pub(super) fn open<C>(
        ctx: &mut C,
        id: ConnectionId,
        peer: Endpoint,
        number: u16,
        give_up: SimTime,
    ) -> Self
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let flow = Flow { number, port: peer.port, sender: Side::Initiator };
        let connection = Self::new(ctx, id, peer, flow, State::SynSent { give_up });
        connection.transmit(ctx);
        connection
    }

    /// Answers a SYN.
    pub(super) fn answer<C>(ctx: &mut C, id: ConnectionId, peer: Endpoint, syn: &Header) -> Self
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let flow = Flow { sender: Side::Responder, ..syn.flow };
        let mut connection = Self::new(ctx, id, peer, flow, State::SynReceived);
        connection.peer_start = syn.sequence;
        connection.expected = syn.sequence.wrapping_add(1);
        connection.transmit(ctx);
        connection
    }

    fn new<C: Context>(
        ctx: &C,
        id: ConnectionId,
        peer: Endpoint,
        flow: Flow,
        state: State,
    ) -> Self {
        Self {
            id,
            peer,
            flow,
            state,
            // A clock of 4 microseconds (RFC 9293 §3.4.1): a host that restarts and counts its
            // connections from the beginning again is told from its former self.
            sequence: (ctx.now().as_nanos() / 4_000) as u16,
            peer_start: 0,
            expected: 0,
            queue: VecDeque::new(),
            retries: 0,
        }
    }

    /// Whether the SYN of this end waits for an answer.
    pub(super) fn is_connecting(&self) -> bool {
        matches!(self.state, State::SynSent { .. })
    }

    /// Whether the other end's SYN had this number.
    pub(super) fn began_with(&self, start: u16) -> bool {
        self.peer_start == start
    }

    /// Whether both ends agree, and this one has not closed.
    pub(super) fn is_established(&self) -> bool {
        self.state == State::Established
    }

    /// Whether this end waits for the last segment of the handshake.
    pub(super) fn is_half_open(&self) -> bool {
        self.state == State::SynReceived
    }

    /// Queues a message; false when this end or the other has closed.
    pub(super) fn send<C>(&mut self, ctx: &mut C, body: D) -> bool
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        if matches!(self.state, State::FinWait | State::LastAck) {
            return false;
        }
        self.enqueue(ctx, Item::Message(body));
        true
    }

    /// Closes this end.
    pub(super) fn close<C>(&mut self, ctx: &mut C) -> Fate
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        match self.state {
            State::SynSent { .. } => return Fate::Gone,
            State::SynReceived => {
                self.reset(ctx);
                return Fate::Gone;
            }
            State::Established => {
                self.state = State::FinWait;
                self.enqueue(ctx, Item::Fin);
            }
            State::FinWait | State::LastAck => {}
        }
        Fate::Stays
    }

    /// Tells the other end that this one is no more.
    pub(super) fn reset<C>(&self, ctx: &mut C)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        self.control(ctx, Kind::Rst);
    }

    /// The retransmission or idle timer went off.
    pub(super) fn timer<C>(&mut self, ctx: &mut C, out: &mut Upcalls<D>) -> Fate
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let exhausted = match self.state {
            State::SynSent { give_up } => self.retries == RETRIES || ctx.now() >= give_up,
            State::SynReceived => self.retries == SYN_ACK_RETRIES,
            State::Established | State::FinWait | State::LastAck => {
                if self.queue.is_empty() {
                    self.reset(ctx);
                }
                self.queue.is_empty() || self.retries == RETRIES
            }
        };
        if exhausted {
            match self.state {
                State::SynSent { .. } => out.push(Upcall::TimedOut(self.id)),
                State::Established => out.push(Upcall::Closed(self.id, Ending::Silence)),
                State::SynReceived | State::FinWait | State::LastAck => {}
            }
            return Fate::Gone;
        }
        self.retries += 1;
        self.transmit(ctx);
        Fate::Stays
    }

    /// A segment of this connection arrived.
    pub(super) fn receive<C>(
        &mut self,
        ctx: &mut C,
        segment: Segment<D>,
        out: &mut Upcalls<D>,
    ) -> Fate
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        if let State::SynSent { .. } = self.state {
            return self.receive_connecting(ctx, &segment, out);
        }
        let header = *segment.header();
        if self.state == State::SynReceived {
            match &segment {
                Segment::Control(Control { kind: Kind::Syn, .. }) => {
                    self.transmit(ctx);
                    return Fate::Stays;
                }
                // The initiator knows nothing of it: its SYN was late, or it has closed.
                Segment::Control(Control { kind: Kind::Rst, .. }) => return Fate::Gone,
                _ if !self.acknowledges(&header) => return Fate::Stays,
                _ => {}
            }
            self.establish(ctx);
            out.push(Upcall::Accepted(self.id, self.flow.port));
        }
        let fate = match segment {
            Segment::Control(control) => self.receive_control(ctx, control, out),
            Segment::Data(data) => {
                self.receive_data(ctx, *data, out);
                Fate::Stays
            }
        };
        if fate == Fate::Stays && self.queue.is_empty() {
            self.watch_silence(ctx);
        }
        fate
    }

    fn receive_connecting<C>(
        &mut self,
        ctx: &mut C,
        segment: &Segment<D>,
        out: &mut Upcalls<D>,
    ) -> Fate
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let header = segment.header();
        let answers = self.acknowledges(header);
        match segment {
            Segment::Control(Control { kind: Kind::SynAck, .. }) if answers => {
                self.peer_start = header.sequence;
                self.expected = header.sequence.wrapping_add(1);
                ctx.cancel(self.id.timer());
                self.control_after_syn(ctx);
                self.establish(ctx);
                out.push(Upcall::Connected(self.id));
                Fate::Stays
            }
            Segment::Control(Control { kind: Kind::Rst, .. }) if answers => {
                out.push(Upcall::Refused(self.id));
                Fate::Gone
            }
            Segment::Control(Control { kind: Kind::Rst, .. }) => Fate::Stays,
            // Of a former connection with this number.
            _ => {
                ctx.send(self.peer, reset_for(header).into());
                Fate::Stays
            }
        }
    }

    fn receive_control<C>(&mut self, ctx: &mut C, control: Control, out: &mut Upcalls<D>) -> Fate
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        match control.kind {
            Kind::Rst => return self.receive_reset(&control.header, out),
            // The other end has not heard the last segment of the handshake.
            Kind::Syn | Kind::SynAck => self.control(ctx, Kind::Ack),
            Kind::Ack => {
                self.take_acknowledgement(ctx, &control.header);
                if self.state == State::LastAck && self.queue.is_empty() {
                    return Fate::Gone;
                }
            }
            Kind::Fin | Kind::FinAck => return self.receive_fin(ctx, &control.header, out),
        }
        Fate::Stays
    }

    fn receive_reset(&self, header: &Header, out: &mut Upcalls<D>) -> Fate {
        // Within one of what is expected: the other end may have had something in flight.
        let distance = header.sequence.wrapping_sub(self.expected).wrapping_add(1);
        if distance > 2 {
            return Fate::Stays;
        }
        if self.state == State::Established {
            out.push(Upcall::Closed(self.id, Ending::Reset));
        }
        Fate::Gone
    }

    fn receive_fin<C>(&mut self, ctx: &mut C, header: &Header, out: &mut Upcalls<D>) -> Fate
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        self.take_acknowledgement(ctx, header);
        match self.state {
            State::Established if header.sequence == self.expected => {
                self.end_with_fin(header);
                self.transmit(ctx);
                out.push(Upcall::Closed(self.id, Ending::Fin));
            }
            // Both closed at once; what was not yet delivered is of no use to the other end.
            State::FinWait if !self.queue.is_empty() => {
                self.end_with_fin(header);
                self.control(ctx, Kind::Ack);
            }
            State::LastAck if !self.queue.is_empty() => self.transmit(ctx),
            State::FinWait | State::LastAck => {
                self.expected = header.sequence.wrapping_add(1);
                self.control(ctx, Kind::Ack);
                return Fate::Gone;
            }
            // Out of order: the timer of the other end will bring it again.
            State::Established | State::SynSent { .. } | State::SynReceived => {
                self.control(ctx, Kind::Ack);
            }
        }
        Fate::Stays
    }

    /// Nothing but this end's FIN remains to be acknowledged.
    fn end_with_fin(&mut self, fin: &Header) {
        self.expected = fin.sequence.wrapping_add(1);
        self.state = State::LastAck;
        self.retries = 0;
        self.queue.clear();
        self.queue.push_back(Item::Fin);
    }

    fn receive_data<C>(&mut self, ctx: &mut C, data: Data<D>, out: &mut Upcalls<D>)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        self.take_acknowledgement(ctx, &data.header);
        let fresh = data.header.sequence == self.expected;
        if fresh {
            self.expected = self.expected.wrapping_add(1);
        }
        self.control(ctx, Kind::Ack);
        if fresh && self.state == State::Established {
            out.push(Upcall::Received(self.id, data.body));
        }
    }

    fn acknowledges(&self, header: &Header) -> bool {
        header.acknowledgement == self.sequence.wrapping_add(1)
    }

    fn take_acknowledgement<C>(&mut self, ctx: &mut C, header: &Header)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        if self.queue.is_empty() || !self.acknowledges(header) {
            return;
        }
        self.queue.pop_front();
        self.sequence = self.sequence.wrapping_add(1);
        self.retries = 0;
        if !self.queue.is_empty() {
            self.transmit(ctx);
        }
    }

    /// The SYN of this end was acknowledged.
    fn establish<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        self.state = State::Established;
        self.sequence = self.sequence.wrapping_add(1);
        self.retries = 0;
        if !self.queue.is_empty() {
            self.transmit(ctx);
        }
    }

    fn enqueue<C>(&mut self, ctx: &mut C, item: Item<D>)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        self.queue.push_back(item);
        let stands = matches!(self.state, State::Established | State::FinWait);
        if stands && self.queue.len() == 1 {
            self.transmit(ctx);
        }
    }

    /// Sends what is in flight, for the first time or again, and sets the timer.
    fn transmit<C>(&self, ctx: &mut C)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let mut again = ctx.now().saturating_add(INITIAL_RTO * (1 << self.retries));
        match (&self.state, self.queue.front()) {
            (State::SynSent { give_up }, _) => {
                again = again.min(*give_up);
                self.control(ctx, Kind::Syn);
            }
            (State::SynReceived, _) => self.control(ctx, Kind::SynAck),
            (_, Some(Item::Message(body))) => {
                let data = Data { header: self.header(), body: body.clone() };
                ctx.send(self.peer, Segment::Data(Box::new(data)));
            }
            (State::LastAck, Some(Item::Fin)) => self.control(ctx, Kind::FinAck),
            (_, Some(Item::Fin)) => self.control(ctx, Kind::Fin),
            (_, None) => return,
        }
        ctx.set(self.id.timer(), again);
    }

    /// Nothing is in flight. An initiator has time-outs of its own; a responder must not keep the
    /// connections of hosts that are gone.
    fn watch_silence<C>(&self, ctx: &mut C)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        if self.state == State::FinWait || self.flow.sender == Side::Responder {
            ctx.set_after(self.id.timer(), IDLE);
        } else {
            ctx.cancel(self.id.timer());
        }
    }

    fn header(&self) -> Header {
        Header { flow: self.flow, sequence: self.sequence, acknowledgement: self.expected }
    }

    fn control<C>(&self, ctx: &mut C, kind: Kind)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        ctx.send(self.peer, Control { header: self.header(), kind }.into());
    }

    /// The third segment of the handshake: its number is past the SYN.
    fn control_after_syn<C>(&self, ctx: &mut C)
    where
        C: Context<Message = Segment<D>, Timer = TcpTimer>,
    {
        let header = Header { sequence: self.sequence.wrapping_add(1), ..self.header() };
        ctx.send(self.peer, Control { header, kind: Kind::Ack }.into());
    }
}

/// The answer to a segment that no connection or listener wants (RFC 9293 §3.10.7.1).
pub(super) fn reset_for(header: &Header) -> Control {
    let header = Header {
        flow: Flow { sender: header.flow.sender.other(), ..header.flow },
        sequence: header.acknowledgement,
        acknowledgement: header.sequence.wrapping_add(1),
    };
    Control { header, kind: Kind::Rst }
}
