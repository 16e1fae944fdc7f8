//! How a request goes on: its branches (RFC 3261 §16.6), their responses (§16.7) and time-outs
//! (§16.8, §16.9).

use super::context::{Attempt, Best, Branch, BranchState, Context, Phase};
use super::{ContextId, Due, Handle, Proxy, Ticket, Turn, Upcall};
use crate::address::Endpoint;
use crate::sip::transaction::token::token;
use crate::sip::transaction::{ClientId, Failure, Owner, Wire, reply_to};
use crate::sip::uri::Uri;
use crate::sip::{Method, Response, Status};
use crate::time::{SimDuration, SimTime};

/// The `Max-Forwards` of a request that has none (RFC 3261 §16.6 step 3).
const MAX_FORWARDS: u8 = 70;

/// Passes a 2xx to INVITE up that belongs to no request under way: the caller has to see it, for it
/// made a dialog (RFC 3261 §16.7). Any other response that nobody waits for ends here (RFC 6026
/// §7.3).
pub(super) fn pass_up<C: Wire>(turn: &mut Turn<'_, C>, mut response: Response) {
    if response.method != Method::Invite || !response.status.is_success() {
        return;
    }
    let via = &mut response.headers.via;
    if via.len() < 2 {
        return;
    }
    via.remove(0);
    if let Some(to) = reply_to(&via[0]) {
        turn.tx.forward_stateless(turn.ctx, response.into(), to);
    }
}

impl Proxy {
    /// What is to be done with a new request in time.
    pub(super) fn arm(&mut self, now: SimTime, id: ContextId, method: &Method) {
        let rules = &self.settings.rules;
        if *method != Method::Invite && !rules.timeout_answers_non_invite {
            // RFC 4320 §4.1: not before Timer E is set to T2, and then at once. The retransmission
            // with which it is set is to arrive first, also when it takes as long as the request.
            let mut wait = SimDuration::from_nanos(1);
            let mut interval = rules.first_interval;
            while interval < rules.t2 {
                wait += interval;
                interval = rules.next_interval(method, interval);
            }
            self.agenda.set(Due::Trying(id), now.saturating_add(wait));
        }
    }

    /// One branch for each target.
    pub(super) fn fork<C: Wire>(&mut self, turn: &mut Turn<'_, C>, id: ContextId, uris: Vec<Uri>) {
        let mut targets: Vec<Uri> = Vec::with_capacity(uris.len());
        for mut uri in uris {
            if let Uri::Sip(uri) = &mut uri {
                uri.headers = None;
            }
            if !targets.contains(&uri) {
                targets.push(uri);
            }
        }
        let Some(mut context) = self.contexts.remove(&id) else { return };
        context.phase = Phase::Open;
        if targets.is_empty() {
            context.supposed(Status::TEMPORARILY_UNAVAILABLE);
        }
        for target in targets {
            let mut request = context.request.clone();
            request.uri = target;
            let hops = &mut request.headers.max_forwards;
            *hops = Some(hops.map_or(MAX_FORWARDS, |left| left.saturating_sub(1)));
            self.settings.record_route.record(&mut request, self.settings.own);
            let next_hop = super::next_hop(&mut request);
            let handle = Handle(self.name());
            self.branches.insert(handle, (id, context.branches.len()));
            context.branches.push(Branch { handle, request, state: BranchState::Locating });
            let (ticket, method) = (Ticket(handle.0), context.request.method.clone());
            turn.upcalls.push(Upcall::Locate { ticket, next_hop, method });
        }
        self.contexts.insert(id, context);
        self.settle(turn, id);
    }

    pub(super) fn locate<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        handle: Handle,
        endpoints: Result<Vec<Endpoint>, Status>,
    ) {
        let Some(&(id, index)) = self.branches.get(&handle) else { return };
        let Some(context) = self.contexts.get_mut(&id) else { return };
        if context.branches[index].state != BranchState::Locating {
            return;
        }
        let found = endpoints.map(|mut all| {
            let first = (!all.is_empty()).then(|| all.remove(0));
            first.map(|first| (first, all))
        });
        match found {
            Ok(Some((first, others))) => self.send(turn, handle, first, others),
            Ok(None) => self.lose(turn, handle, Status::SERVER_ERROR),
            Err(status) => self.lose(turn, handle, status),
        }
    }

    /// Sends a branch to its next endpoint, in a transaction of its own.
    fn send<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        handle: Handle,
        to: Endpoint,
        others: Vec<Endpoint>,
    ) {
        let Some(&(id, index)) = self.branches.get(&handle) else { return };
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let (key, is_invite) = (context.key, context.is_invite());
        let is_ack = context.server.is_none();
        let branch = &mut context.branches[index];
        let (request, method) = (branch.request.clone(), branch.request.method.clone());
        turn.upcalls.push(Upcall::Forwarded { key, method, to });
        if is_ack {
            branch.state = BranchState::Ended;
            turn.tx.forward_stateless(turn.ctx, request.into(), to);
            return self.settle(turn, id);
        }
        let (owner, end) = (Owner::Proxy(handle.0), context.end);
        let client = turn.tx.request_until(turn.ctx, request, to, owner, end);
        let others = if self.settings.failover { others } else { Vec::new() };
        let attempt = Attempt { client, to, others, heard: false, cancelled: false };
        branch.state = BranchState::Sent(attempt);
        if let Some(after) = self.settings.timer_c.filter(|_| is_invite) {
            self.agenda.set(Due::TimerC(handle), turn.ctx.now().saturating_add(after));
        }
    }

    /// A branch ends without a response; the caller would be told this.
    fn lose<C: Wire>(&mut self, turn: &mut Turn<'_, C>, handle: Handle, status: Status) {
        let Some(&(id, index)) = self.branches.get(&handle) else { return };
        let Some(context) = self.contexts.get_mut(&id) else { return };
        context.supposed(status);
        context.branches[index].state = BranchState::Ended;
        self.agenda.cancel(Due::TimerC(handle));
        self.settle(turn, id);
    }

    pub(super) fn response<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        handle: Handle,
        client: ClientId,
        response: Response,
    ) {
        let id = self.branches.get(&handle).map(|&(id, _)| id);
        let Some(id) = id.filter(|id| self.contexts.contains_key(id)) else {
            return pass_up(turn, response);
        };
        match response.status.class() {
            1 => self.provisional(turn, handle, client, response),
            2 => self.success(turn, (id, handle), client, response),
            _ => self.refused(turn, (id, handle), client, response),
        }
    }

    fn provisional<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        handle: Handle,
        client: ClientId,
        mut response: Response,
    ) {
        let Some(&(id, index)) = self.branches.get(&handle) else { return };
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let (is_invite, answered) = (context.is_invite(), context.phase == Phase::Answered);
        let attempt = context.branches[index].attempt().filter(|attempt| attempt.client == client);
        let Some(attempt) = attempt else { return };
        attempt.heard = true;
        if response.status == Status::TRYING {
            return;
        }
        if let Some(after) = self.settings.timer_c.filter(|_| is_invite && !attempt.cancelled) {
            self.agenda.set(Due::TimerC(handle), turn.ctx.now().saturating_add(after));
        }
        // RFC 4320 §4.1: to other requests than INVITE there is no provisional response but 100.
        let passes = is_invite || self.settings.rules.timeout_answers_non_invite;
        if let Some(server) = context.server.filter(|_| passes && !answered) {
            response.headers.via.clone_from(&context.request.headers.via);
            turn.tx.relay(turn.ctx, server, response);
        }
    }

    /// A 2xx goes up at once, and to an INVITE every one; the other branches are cancelled (RFC
    /// 3261 §16.7 steps 5 and 10).
    fn success<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        (id, handle): (ContextId, Handle),
        client: ClientId,
        mut response: Response,
    ) {
        let Some(&(_, index)) = self.branches.get(&handle) else { return };
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let first = context.phase != Phase::Answered;
        if let Some(server) = context.server.filter(|_| first || context.is_invite()) {
            if first {
                let (key, status) = (context.key, response.status);
                turn.upcalls.push(Upcall::Answered { key, status });
            }
            response.headers.via.clone_from(&context.request.headers.via);
            turn.tx.relay(turn.ctx, server, response);
        }
        context.phase = Phase::Answered;
        let branch = &mut context.branches[index];
        if branch.attempt().is_some_and(|attempt| attempt.client == client) {
            branch.state = BranchState::Ended;
            self.agenda.cancel(Due::TimerC(handle));
        }
        if context.is_invite() {
            self.cancel_branches(turn, id);
            self.settle(turn, id);
        } else {
            self.close(id);
        }
    }

    /// A final response that is not 2xx.
    fn refused<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        (id, handle): (ContextId, Handle),
        client: ClientId,
        response: Response,
    ) {
        let Some(&(_, index)) = self.branches.get(&handle) else { return };
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let attempt = context.branches[index].attempt().filter(|attempt| attempt.client == client);
        let Some(attempt) = attempt else { return };
        let status = response.status;
        let others = std::mem::take(&mut attempt.others);
        context.received(response);
        self.agenda.cancel(Due::TimerC(handle));
        if status == Status::SERVICE_UNAVAILABLE && self.try_next(turn, handle, others) {
            return;
        }
        let Some(context) = self.contexts.get_mut(&id) else { return };
        context.branches[index].state = BranchState::Ended;
        if status.class() == 6 && context.phase == Phase::Open {
            context.phase = Phase::Closing;
            self.cancel_branches(turn, id);
        }
        self.settle(turn, id);
    }

    /// Goes on to the next endpoint of the branch, if there is one and the request may still be
    /// forwarded; whether it did.
    fn try_next<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        handle: Handle,
        mut others: Vec<Endpoint>,
    ) -> bool {
        let context = self.branches.get(&handle).and_then(|(id, _)| self.contexts.get(id));
        let now = turn.ctx.now();
        let may = |context: &Context| {
            context.phase == Phase::Open && context.end.is_none_or(|end| now < end)
        };
        if !context.is_some_and(may) || others.is_empty() {
            return false;
        }
        let next = others.remove(0);
        self.send(turn, handle, next, others);
        true
    }

    /// No response will come on a client transaction. What answered with a provisional one before
    /// is not passed over (RFC 3263 §4.3), but told that nobody waits any longer.
    pub(super) fn failed<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        handle: Handle,
        client: ClientId,
        why: Failure,
    ) {
        let Some(&(id, index)) = self.branches.get(&handle) else { return };
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let (key, method) = (context.key, context.request.method.clone());
        let attempt = context.branches[index].attempt().filter(|attempt| attempt.client == client);
        let Some(attempt) = attempt else { return };
        let (to, heard) = (attempt.to, attempt.heard);
        let others = std::mem::take(&mut attempt.others);
        turn.upcalls.push(Upcall::Unanswered { key, method, to, why, heard });
        if !heard && self.try_next(turn, handle, others) {
            if let Some(context) = self.contexts.get_mut(&id) {
                context.supposed(why.status());
            }
            return;
        }
        self.lose(turn, handle, why.status());
    }

    /// Timer C (§16.8). After a provisional response the INVITE is cancelled, and ends soon; without
    /// one it counts as 408.
    pub(super) fn timer_c<C: Wire>(&mut self, turn: &mut Turn<'_, C>, handle: Handle) {
        let Some(&(id, index)) = self.branches.get(&handle) else { return };
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let Some(attempt) = context.branches[index].attempt() else { return };
        if attempt.heard {
            cancel(turn, attempt);
        } else {
            self.lose(turn, handle, Status::REQUEST_TIMEOUT);
        }
    }

    /// The caller has given up.
    pub(super) fn give_up<C: Wire>(&mut self, turn: &mut Turn<'_, C>, id: ContextId) {
        let Some(context) = self.contexts.get_mut(&id) else { return };
        match context.phase {
            Phase::Answered => return,
            Phase::Targets => context.supposed(Status::REQUEST_TERMINATED),
            Phase::Open | Phase::Closing => {}
        }
        context.phase = Phase::Closing;
        self.cancel_branches(turn, id);
        self.settle(turn, id);
    }

    /// Cancels what can be cancelled, and drops what was not sent yet.
    fn cancel_branches<C: Wire>(&mut self, turn: &mut Turn<'_, C>, id: ContextId) {
        let Some(context) = self.contexts.get_mut(&id) else { return };
        let is_invite = context.is_invite();
        let mut unsent = 0;
        for branch in &mut context.branches {
            match &mut branch.state {
                BranchState::Locating => {
                    branch.state = BranchState::Ended;
                    unsent += 1;
                }
                BranchState::Sent(attempt) if is_invite && !attempt.cancelled => {
                    cancel(turn, attempt);
                    self.agenda.cancel(Due::TimerC(branch.handle));
                }
                BranchState::Sent(_) | BranchState::Ended => {}
            }
        }
        for _ in 0..unsent {
            context.supposed(Status::REQUEST_TERMINATED);
        }
    }

    pub(super) fn say_trying<C: Wire>(&mut self, turn: &mut Turn<'_, C>, id: ContextId) {
        let Some(context) = self.contexts.get(&id) else { return };
        if let Some(server) = context.server {
            let trying = context.request.respond(Status::TRYING, None);
            turn.tx.respond(turn.ctx, server, trying);
        }
    }

    /// When all branches have ended: answers, if that is still to be done, and forgets the request.
    pub(super) fn settle<C: Wire>(&mut self, turn: &mut Turn<'_, C>, id: ContextId) {
        let Some(context) = self.contexts.get_mut(&id).filter(|context| context.has_ended()) else {
            return;
        };
        if let Some(server) = context.server.filter(|_| context.phase != Phase::Answered) {
            let (key, is_invite) = (context.key, context.is_invite());
            let best = context.best();
            // What one server said of itself would be taken for this proxy (§16.7 step 6).
            let status = match best.status() {
                Status::SERVICE_UNAVAILABLE => Status::SERVER_ERROR,
                status => status,
            };
            let silent = !is_invite && !self.settings.rules.timeout_answers_non_invite;
            if status == Status::REQUEST_TIMEOUT && silent {
                turn.tx.abandon(turn.ctx, server);
                turn.upcalls.push(Upcall::Abandoned { key });
            } else {
                let response = match best {
                    Best::Received(mut response) if response.status == status => {
                        response.headers.via.clone_from(&context.request.headers.via);
                        *response
                    }
                    _ => context.request.respond(status, Some(&token(&mut self.dice, 8))),
                };
                turn.upcalls.push(Upcall::Answered { key, status });
                turn.tx.relay(turn.ctx, server, response);
            }
        }
        self.close(id);
    }

    fn close(&mut self, id: ContextId) {
        let Some(context) = self.contexts.remove(&id) else { return };
        if let Some(server) = context.server {
            self.servers.remove(&server);
        }
        self.agenda.cancel(Due::Trying(id));
        for branch in &context.branches {
            self.branches.remove(&branch.handle);
            self.agenda.cancel(Due::TimerC(branch.handle));
        }
    }
}

fn cancel<C: Wire>(turn: &mut Turn<'_, C>, attempt: &mut Attempt) {
    if !attempt.cancelled {
        attempt.cancelled = true;
        turn.tx.cancel(turn.ctx, attempt.client);
    }
}
