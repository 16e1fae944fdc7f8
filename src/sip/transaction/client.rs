//! Client transactions (RFC 3261 §17.1, RFC 6026 §8.4).
//!
//! | state | INVITE | others |
//! |---|---|---|
//! | `Calling` (others: Trying) | repeats by A, gives up by B | repeats by E, gives up by F |
//! | `Proceeding` | waits (SER: `fr_inv_timer`) | repeats by E at T2, gives up by F |
//! | `Completed` | repeats its ACK for D | absorbs for K |
//! | `Accepted` | passes further 2xx on for M | – |
//! | `GivenUp` | as `Completed`, after the owner was told of a time-out | – |

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Endpoint;
use crate::sip::transaction::event::{ClientId, Event, Events, Failure, Owner};
use crate::sip::transaction::hop::ClientKey;
use crate::sip::transaction::{Desk, Due, Wire};
use crate::sip::{Body, Headers, Message, Method, Request, Response};
use crate::time::{SimDuration, SimTime};

/// The timers of one client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ClientTimer {
    /// B and F.
    GiveUp,
    /// A and E.
    Retransmit,
    /// D, K and M.
    Linger,
}

/// All client transactions.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    next: u32,
    all: BTreeMap<ClientId, Client>,
    by_key: BTreeMap<ClientKey, ClientId>,
}

#[derive(Clone, Debug)]
struct Client {
    id: ClientId,
    /// Nobody's for a CANCEL, which is the INVITE's affair.
    owner: Option<Owner>,
    request: Box<Request>,
    to: Endpoint,
    /// No timer of the request goes beyond.
    end: Option<SimTime>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// Nothing has come back. `cancel`: a CANCEL waits for the first provisional response.
    Calling { interval: SimDuration, cancel: bool },
    /// A provisional response came.
    Proceeding { cancelled: bool },
    /// The final response came, of an INVITE a failure.
    Completed { ack: Option<Box<Request>> },
    /// 2xx came for an INVITE.
    Accepted { answers: Vec<Answer> },
    /// The owner was told of a time-out, an INVITE cancelled.
    GivenUp,
}

/// One of the 2xx of an INVITE, and its ACK when it has been sent.
#[derive(Clone, Debug)]
struct Answer {
    tag: Option<Arc<str>>,
    ack: Option<(Box<Request>, Endpoint)>,
}

/// What a machine wants to be done about an input.
#[derive(Debug, Default)]
struct Reaction {
    /// Pass the response to the owner.
    pass: bool,
    /// Send a CANCEL.
    cancel: bool,
}

impl Clients {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Sends a request that has its `Via`.
    pub(super) fn start<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        request: Box<Request>,
        to: Endpoint,
        owner: Option<Owner>,
        end: Option<SimTime>,
    ) -> ClientId {
        let id = ClientId(self.next);
        self.next += 1;
        let state = State::Calling { interval: desk.rules.first_interval, cancel: false };
        let client = Client { id, owner, request, to, end, state };
        client.send(desk);
        desk.after(id, ClientTimer::Retransmit, desk.rules.first_interval);
        client.give_up_after(desk, Some(desk.rules.no_reply));
        self.by_key.insert(client.key(), id);
        self.all.insert(id, client);
        id
    }

    /// Keeps the ACK of a 2xx for when that comes again.
    pub(super) fn acknowledged(&mut self, ack: Request, to: Endpoint) {
        let answers = self.all.values_mut().filter_map(|client| client.answers_of(&ack.headers));
        let tag = &ack.headers.to.tag;
        if let Some(answer) = answers.flatten().find(|answer| answer.tag == *tag) {
            answer.ack = Some((Box::new(ack), to));
        }
    }

    pub(super) fn cancel<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: ClientId) -> bool {
        let Some(client) = self.all.get_mut(&id).filter(|client| client.is_invite()) else {
            return false;
        };
        match &mut client.state {
            State::Calling { cancel, .. } => *cancel = true,
            State::Proceeding { cancelled: true } => {}
            State::Proceeding { cancelled: false } => self.send_cancel(desk, id),
            State::Completed { .. } | State::Accepted { .. } | State::GivenUp => return false,
        }
        true
    }

    /// Sends a CANCEL in a transaction of its own. RFC 3261 §9.1: the INVITE then has 64 × T1.
    fn send_cancel<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: ClientId) {
        let Some(client) = self.all.get_mut(&id) else { return };
        if let State::Proceeding { cancelled } = &mut client.state {
            *cancelled = true;
            desk.after(id, ClientTimer::GiveUp, desk.rules.no_reply);
        }
        let (cancel, to) = (cancel_of(&client.request), client.to);
        self.start(desk, Box::new(cancel), to, None, None);
    }

    pub(super) fn receive<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        response: Box<Response>,
    ) -> Option<Event> {
        let branch = response.headers.via.first().and_then(|via| via.branch.clone());
        let key = branch.map(|branch| ClientKey { branch, method: response.method.clone() });
        let found = key.and_then(|key| self.by_key.get(&key));
        let Some(client) = found.and_then(|id| self.all.get_mut(id)) else {
            return Some(Event::StrayResponse(response));
        };
        let (id, owner) = (client.id, client.owner);
        let reaction = client.receive(desk, &response);
        if reaction.cancel {
            self.send_cancel(desk, id);
        }
        let owner = owner.filter(|_| reaction.pass)?;
        Some(Event::Response { client: id, owner, response })
    }

    pub(super) fn timer<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: ClientId,
        timer: ClientTimer,
    ) -> Option<Event> {
        let client = self.all.get_mut(&id)?;
        match timer {
            ClientTimer::Retransmit => {
                client.retransmit(desk);
                None
            }
            ClientTimer::Linger => {
                self.end(desk, id);
                None
            }
            ClientTimer::GiveUp => self.give_up(desk, id),
        }
    }

    fn give_up<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: ClientId) -> Option<Event> {
        let client = self.all.get_mut(&id)?;
        let owner = client.owner;
        if client.is_invite() && matches!(client.state, State::Proceeding { cancelled: false }) {
            client.state = State::GivenUp;
            desk.after(id, ClientTimer::Linger, desk.rules.sixty_four_t1());
            self.send_cancel(desk, id);
        } else {
            self.end(desk, id);
        }
        owner.map(|owner| Event::Failed { client: id, owner, why: Failure::Timeout })
    }

    /// Ends what is on its way to this endpoint.
    pub(super) fn unreachable<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        to: Endpoint,
        events: &mut Events,
    ) {
        let sending = |client: &&Client| client.to == to && client.is_sending();
        let hit: Vec<ClientId> =
            self.all.values().filter(sending).map(|client| client.id).collect();
        for id in hit {
            let owner = self.end(desk, id);
            events.extend(owner.map(|owner| Event::Failed {
                client: id,
                owner,
                why: Failure::Transport,
            }));
        }
    }

    /// Forgets a transaction; returns whose it was.
    fn end<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: ClientId) -> Option<Owner> {
        for timer in [ClientTimer::GiveUp, ClientTimer::Retransmit, ClientTimer::Linger] {
            desk.agenda.cancel(Due::Client(id, timer));
        }
        let client = self.all.remove(&id)?;
        self.by_key.remove(&client.key());
        client.owner
    }
}

impl<C: Wire> Desk<'_, C> {
    fn after(&mut self, id: ClientId, timer: ClientTimer, span: SimDuration) {
        self.agenda.set(Due::Client(id, timer), self.ctx.now().saturating_add(span));
    }
}

impl Client {
    fn key(&self) -> ClientKey {
        let branch = self.request.headers.via[0].branch.clone();
        ClientKey {
            branch: branch.expect("the transaction gave its Via a branch"),
            method: self.request.method.clone(),
        }
    }

    fn is_invite(&self) -> bool {
        self.request.method == Method::Invite
    }

    /// Whether the request is still being sent.
    fn is_sending(&self) -> bool {
        match self.state {
            State::Calling { .. } => true,
            State::Proceeding { .. } => !self.is_invite(),
            State::Completed { .. } | State::Accepted { .. } | State::GivenUp => false,
        }
    }

    fn send<C: Wire>(&self, desk: &mut Desk<'_, C>) {
        desk.ctx.send(self.to, Message::Request(self.request.clone()));
    }

    /// Sets the timer that ends it without a final response; it never goes off after the end.
    fn give_up_after<C: Wire>(&self, desk: &mut Desk<'_, C>, span: Option<SimDuration>) {
        let at = span.map(|span| desk.ctx.now().saturating_add(span));
        let due = Due::Client(self.id, ClientTimer::GiveUp);
        match [at, self.end].into_iter().flatten().min() {
            Some(at) => desk.agenda.set(due, at),
            None => {
                desk.agenda.cancel(due);
            }
        }
    }

    fn retransmit<C: Wire>(&mut self, desk: &mut Desk<'_, C>) {
        let next = match &mut self.state {
            State::Calling { interval, .. } => {
                *interval = desk.rules.next_interval(&self.request.method, *interval);
                *interval
            }
            _ => desk.rules.t2,
        };
        self.send(desk);
        desk.after(self.id, ClientTimer::Retransmit, next);
    }

    fn receive<C: Wire>(&mut self, desk: &mut Desk<'_, C>, response: &Response) -> Reaction {
        if response.status.is_provisional() {
            self.receive_provisional(desk)
        } else {
            Reaction { pass: self.receive_final(desk, response), cancel: false }
        }
    }

    fn receive_provisional<C: Wire>(&mut self, desk: &mut Desk<'_, C>) -> Reaction {
        let cancel = match self.state {
            State::Calling { cancel, .. } => cancel,
            State::Proceeding { cancelled: true } => return Reaction { pass: true, cancel: false },
            State::Proceeding { cancelled: false } => false,
            State::Completed { .. } | State::Accepted { .. } | State::GivenUp => {
                return Reaction::default();
            }
        };
        self.state = State::Proceeding { cancelled: false };
        if self.is_invite() {
            desk.agenda.cancel(Due::Client(self.id, ClientTimer::Retransmit));
            self.give_up_after(desk, desk.rules.no_final);
        }
        Reaction { pass: true, cancel }
    }

    /// Whether the response goes to the owner.
    fn receive_final<C: Wire>(&mut self, desk: &mut Desk<'_, C>, response: &Response) -> bool {
        let accepts = self.is_invite() && response.status.is_success();
        match &mut self.state {
            State::Calling { .. } | State::Proceeding { .. } | State::GivenUp => {
                let was_open = !matches!(self.state, State::GivenUp);
                self.complete(desk, response, accepts);
                was_open || accepts
            }
            State::Completed { ack } => {
                if let Some(ack) = ack {
                    desk.ctx.send(self.to, Message::Request(ack.clone()));
                }
                false
            }
            State::Accepted { answers } if accepts => {
                let tag = &response.headers.to.tag;
                match answers.iter().find(|answer| answer.tag == *tag) {
                    None => {
                        answers.push(Answer { tag: tag.clone(), ack: None });
                        true
                    }
                    Some(Answer { ack: Some((ack, to)), .. }) => {
                        desk.ctx.send(*to, Message::Request(ack.clone()));
                        false
                    }
                    // A proxy passes on every 2xx (RFC 6026 §8.4): the ACK is not its business.
                    Some(Answer { ack: None, .. }) => matches!(self.owner, Some(Owner::Proxy(_))),
                }
            }
            State::Accepted { .. } => false,
        }
    }

    fn complete<C: Wire>(&mut self, desk: &mut Desk<'_, C>, response: &Response, accepts: bool) {
        for timer in [ClientTimer::GiveUp, ClientTimer::Retransmit] {
            desk.agenda.cancel(Due::Client(self.id, timer));
        }
        let linger = if accepts {
            let answer = Answer { tag: response.headers.to.tag.clone(), ack: None };
            self.state = State::Accepted { answers: vec![answer] };
            desk.rules.absorbing()
        } else {
            let ack = self.is_invite().then(|| Box::new(ack_of(&self.request, response)));
            if let Some(ack) = &ack {
                desk.ctx.send(self.to, Message::Request(ack.clone()));
            }
            self.state = State::Completed { ack };
            desk.rules.completed_client(&self.request.method)
        };
        desk.after(self.id, ClientTimer::Linger, linger);
    }

    /// The 2xx that an ACK with these header fields may answer.
    fn answers_of(&mut self, ack: &Headers) -> Option<&mut Vec<Answer>> {
        if !matches!(self.owner, Some(Owner::Agent(_))) {
            return None;
        }
        let own = &self.request.headers;
        let same =
            own.call_id == ack.call_id && own.cseq == ack.cseq && own.from.tag == ack.from.tag;
        match &mut self.state {
            State::Accepted { answers } if same => Some(answers),
            _ => None,
        }
    }
}

/// A request that the transaction makes of its own: same `Via`, `Route`, `Call-ID` and number.
fn companion(request: &Request, method: Method) -> Request {
    let own = &request.headers;
    let mut headers =
        Headers::new(own.from.clone(), own.to.clone(), Arc::clone(&own.call_id), own.cseq);
    headers.via.extend(own.via.first().cloned());
    headers.route.clone_from(&own.route);
    // RFC 3261 §8.1.1.6.
    headers.max_forwards = Some(70);
    Request { method, uri: request.uri.clone(), headers, body: Body::from([]) }
}

/// The ACK of a failure (RFC 3261 §17.1.1.3).
fn ack_of(request: &Request, response: &Response) -> Request {
    let mut ack = companion(request, Method::Ack);
    ack.headers.to = response.headers.to.clone();
    ack
}

/// The CANCEL of an INVITE (RFC 3261 §9.1).
fn cancel_of(request: &Request) -> Request {
    companion(request, Method::Cancel)
}
