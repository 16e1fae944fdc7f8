//! Server transactions (RFC 3261 §17.2, RFC 6026 §8.7).
//!
//! | state | INVITE | others |
//! |---|---|---|
//! | `Proceeding` (others: also Trying) | says 100, repeats the last provisional response | repeats it |
//! | `Completed` | absorbs (abandoned) | repeats the final response for J |
//! | `Failed` (RFC: Completed) | repeats a failure by G, until the ACK or H | – |
//! | `Confirmed` | absorbs for I | – |
//! | `Accepted` | absorbs for L; a user agent's 2xx is repeated by G, until the ACK or H | – |

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Endpoint;
use crate::sip::transaction::event::{Event, Events, ServerId};
use crate::sip::transaction::hop::{ServerKey, reply_to};
use crate::sip::transaction::{Desk, Due, Wire};
use crate::sip::{Headers, Message, Method, Request, Response, Status};
use crate::time::SimDuration;

/// The timers of one server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ServerTimer {
    /// H.
    GiveUp,
    /// When 100 is due.
    Trying,
    /// G.
    Repeat,
    /// I, J and L.
    Linger,
}

/// All server transactions.
#[derive(Clone, Debug, Default)]
pub(super) struct Servers {
    next: u32,
    all: BTreeMap<ServerId, Server>,
    by_key: BTreeMap<ServerKey, ServerId>,
}

#[derive(Clone, Debug)]
struct Server {
    id: ServerId,
    key: ServerKey,
    /// Where responses go.
    reply: Endpoint,
    /// The 100 of an INVITE, which also names its call. Others have none.
    trying: Option<Box<Response>>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// No final response so far; the last provisional one.
    Proceeding { last: Option<Box<Response>> },
    /// A final response to another request than INVITE; none if the request was abandoned.
    Completed { response: Option<Box<Response>> },
    /// A failure of an INVITE that waits for its ACK, with the interval at which it is repeated.
    Failed { response: Box<Response>, interval: SimDuration },
    /// The ACK of a failure came.
    Confirmed,
    /// A 2xx of an INVITE with this tag, and what is still to be repeated of it.
    Accepted { tag: Option<Arc<str>>, repeated: Option<(Box<Response>, SimDuration)> },
}

impl Servers {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A request other than ACK and CANCEL: the transaction, if it is a new one.
    pub(super) fn receive<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        key: ServerKey,
        reply: Endpoint,
        request: &Request,
    ) -> Option<ServerId> {
        if let Some(server) = self.find(&key) {
            server.repeat_answer(desk);
            return None;
        }
        let is_invite = request.method == Method::Invite;
        let trying = is_invite.then(|| Box::new(request.respond(Status::TRYING, None)));
        let id = self.insert(key, reply, trying, State::Proceeding { last: None });
        if is_invite && desk.rules.trying_after.is_zero() {
            self.timer(desk, id, ServerTimer::Trying);
        } else if is_invite {
            desk.when(id, ServerTimer::Trying, desk.rules.trying_after);
        }
        Some(id)
    }

    /// A CANCEL: answered, and reported if it hits an INVITE that is still worked on. `tag` is for
    /// the answer, where the INVITE's own answers had none yet.
    pub(super) fn cancel<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        key: ServerKey,
        reply: Endpoint,
        request: &Request,
        tag: &str,
    ) -> Option<Event> {
        if let Some(server) = self.find(&key) {
            server.repeat_answer(desk);
            return None;
        }
        let invite = self.find(&key.of_invite());
        let own_tag = invite.as_ref().and_then(|invite| invite.tag());
        let response =
            |status| Box::new(request.respond(status, Some(own_tag.as_deref().unwrap_or(tag))));
        let (response, hit) = match &invite {
            None => (response(Status::NO_TRANSACTION), None),
            Some(invite) => (response(Status::OK), invite.is_open().then_some(invite.id)),
        };
        let id = self.insert(key, reply, None, State::Proceeding { last: None });
        self.respond(desk, id, response);
        hit.map(|server| Event::Cancelled { server })
    }

    /// An ACK: whether it is for others than this layer.
    pub(super) fn acknowledged<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        key: &ServerKey,
        ack: &Request,
    ) -> bool {
        if let Some(server) = self.find(key) {
            match server.state {
                State::Failed { .. } => {
                    server.state = State::Confirmed;
                    desk.stop(server.id);
                    desk.when(server.id, ServerTimer::Linger, desk.rules.confirmed_server());
                    return false;
                }
                State::Proceeding { .. } | State::Completed { .. } | State::Confirmed => {
                    return false;
                }
                // RFC 6026 §8.7: some clients use the INVITE's branch for the ACK of a 2xx.
                State::Accepted { .. } => {}
            }
        }
        for server in self.all.values_mut() {
            server.stop_repeating(desk, &ack.headers);
        }
        true
    }

    pub(super) fn respond<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: ServerId,
        response: Box<Response>,
    ) {
        let Some(server) = self.all.get_mut(&id).filter(|server| server.is_open()) else { return };
        if server.accepts(&response) {
            server.accept(desk, response, true);
        } else {
            server.answer(desk, response);
        }
    }

    pub(super) fn relay<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: ServerId,
        response: Box<Response>,
    ) {
        let accepts = response.method == Method::Invite && response.status.is_success();
        match self.all.get_mut(&id) {
            Some(server) if server.is_open() && accepts => server.accept(desk, response, false),
            Some(server) if server.is_open() => server.answer(desk, response),
            _ if accepts => {
                if let Some(to) = response.headers.via.first().and_then(reply_to) {
                    desk.ctx.send(to, Message::Response(response));
                }
            }
            _ => {}
        }
    }

    pub(super) fn abandon<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: ServerId) {
        if let Some(server) = self.all.get_mut(&id).filter(|server| server.is_open()) {
            desk.stop(id);
            server.state = State::Completed { response: None };
            desk.when(id, ServerTimer::Linger, desk.rules.absorbing());
        }
    }

    pub(super) fn timer<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: ServerId,
        timer: ServerTimer,
    ) -> Option<Event> {
        match timer {
            ServerTimer::Trying => self.all.get_mut(&id)?.say_trying(desk),
            ServerTimer::Repeat => self.all.get_mut(&id)?.repeat(desk),
            ServerTimer::Linger => self.end(desk, id),
            ServerTimer::GiveUp => {
                self.end(desk, id);
                return Some(Event::Unacknowledged { server: id });
            }
        }
        None
    }

    /// Ends what waits for the ACK of a failure from this endpoint.
    pub(super) fn unreachable<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        to: Endpoint,
        events: &mut Events,
    ) {
        let waiting = |server: &&Server| {
            let waits = matches!(server.state, State::Failed { .. });
            server.reply == to && waits
        };
        let hit: Vec<ServerId> =
            self.all.values().filter(waiting).map(|server| server.id).collect();
        for server in hit {
            self.end(desk, server);
            events.push(Event::Unacknowledged { server });
        }
    }

    fn find(&mut self, key: &ServerKey) -> Option<&mut Server> {
        self.by_key.get(key).and_then(|id| self.all.get_mut(id))
    }

    fn insert(
        &mut self,
        key: ServerKey,
        reply: Endpoint,
        trying: Option<Box<Response>>,
        state: State,
    ) -> ServerId {
        let id = ServerId(self.next);
        self.next += 1;
        self.by_key.insert(key.clone(), id);
        self.all.insert(id, Server { id, key, reply, trying, state });
        id
    }

    fn end<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: ServerId) {
        desk.stop(id);
        if let Some(server) = self.all.remove(&id) {
            self.by_key.remove(&server.key);
        }
    }
}

impl<C: Wire> Desk<'_, C> {
    fn when(&mut self, id: ServerId, timer: ServerTimer, span: SimDuration) {
        self.agenda.set(Due::Server(id, timer), self.ctx.now().saturating_add(span));
    }

    /// Stops all timers of a server transaction.
    fn stop(&mut self, id: ServerId) {
        use ServerTimer::{GiveUp, Linger, Repeat, Trying};
        for timer in [GiveUp, Trying, Repeat, Linger] {
            self.agenda.cancel(Due::Server(id, timer));
        }
    }
}

impl Server {
    /// Whether it waits for a final response.
    const fn is_open(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    const fn is_invite(&self) -> bool {
        self.trying.is_some()
    }

    fn accepts(&self, response: &Response) -> bool {
        self.is_invite() && response.status.is_success()
    }

    fn send<C: Wire>(&self, desk: &mut Desk<'_, C>, response: Box<Response>) {
        desk.ctx.send(self.reply, Message::Response(response));
    }

    /// The last response, if a repeated request gets one.
    fn answer_so_far(&self) -> Option<&Response> {
        match &self.state {
            State::Proceeding { last } => last.as_deref(),
            State::Completed { response } => response.as_deref(),
            State::Failed { response, .. } => Some(response),
            State::Confirmed | State::Accepted { .. } => None,
        }
    }

    /// The tag that its responses have in `To`.
    fn tag(&self) -> Option<Arc<str>> {
        let accepted = match &self.state {
            State::Accepted { tag, .. } => tag.clone(),
            _ => None,
        };
        accepted.or_else(|| self.answer_so_far()?.headers.to.tag.clone())
    }

    /// The request came again.
    fn repeat_answer<C: Wire>(&self, desk: &mut Desk<'_, C>) {
        if let Some(response) = self.answer_so_far() {
            self.send(desk, Box::new(response.clone()));
        }
    }

    fn say_trying<C: Wire>(&mut self, desk: &mut Desk<'_, C>) {
        if let (State::Proceeding { last: last @ None }, Some(trying)) =
            (&mut self.state, &self.trying)
        {
            *last = Some(trying.clone());
            self.send(desk, trying.clone());
        }
    }

    /// Any response but a 2xx of INVITE.
    fn answer<C: Wire>(&mut self, desk: &mut Desk<'_, C>, response: Box<Response>) {
        self.send(desk, response.clone());
        desk.stop(self.id);
        self.state = if response.status.is_provisional() {
            State::Proceeding { last: Some(response) }
        } else if self.is_invite() {
            let interval = desk.rules.first_interval;
            desk.when(self.id, ServerTimer::Repeat, interval);
            desk.when(self.id, ServerTimer::GiveUp, desk.rules.ack_wait());
            State::Failed { response, interval }
        } else {
            desk.when(self.id, ServerTimer::Linger, desk.rules.absorbing());
            State::Completed { response: Some(response) }
        };
    }

    /// A 2xx of INVITE. Who made it repeats it until the ACK (RFC 3261 §13.3.1.4).
    fn accept<C: Wire>(&mut self, desk: &mut Desk<'_, C>, response: Box<Response>, made: bool) {
        self.send(desk, response.clone());
        desk.stop(self.id);
        let tag = response.headers.to.tag.clone();
        let interval = desk.rules.first_interval;
        if made {
            desk.when(self.id, ServerTimer::Repeat, interval);
            desk.when(self.id, ServerTimer::GiveUp, desk.rules.sixty_four_t1());
        } else {
            desk.when(self.id, ServerTimer::Linger, desk.rules.absorbing());
        }
        self.state = State::Accepted { tag, repeated: made.then_some((response, interval)) };
    }

    /// Timer G.
    fn repeat<C: Wire>(&mut self, desk: &mut Desk<'_, C>) {
        let (response, interval) = match &mut self.state {
            State::Failed { response, interval }
            | State::Accepted { repeated: Some((response, interval)), .. } => (response, interval),
            _ => return,
        };
        *interval = interval.saturating_add(*interval).min(desk.rules.t2);
        let (response, interval) = (response.clone(), *interval);
        self.send(desk, response);
        desk.when(self.id, ServerTimer::Repeat, interval);
    }

    /// The ACK of a 2xx came: if of this one, it is not repeated any more.
    fn stop_repeating<C: Wire>(&mut self, desk: &mut Desk<'_, C>, ack: &Headers) {
        let State::Accepted { tag, repeated } = &mut self.state else { return };
        let Some((response, _)) = repeated else { return };
        let own = &response.headers;
        let same = own.call_id == ack.call_id
            && own.cseq == ack.cseq
            && own.from.tag == ack.from.tag
            && *tag == ack.to.tag;
        if same {
            *repeated = None;
            desk.stop(self.id);
            desk.when(self.id, ServerTimer::Linger, desk.rules.absorbing());
        }
    }
}
