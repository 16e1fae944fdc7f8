//! Calls: INVITE, ACK, CANCEL and BYE, at the caller's and at the callee's end (RFC 3261 §9, §13
//! to §15).
//!
//! The caller offers a session in the INVITE, acknowledges the 2xx, talks for as long as the user
//! means to, and hangs up. Who hears nothing but ringing gives up after a while. The callee's phone
//! rings at once and is answered a little later; 2xx are repeated by its transaction until the ACK
//! is there, and a call whose ACK never comes is ended by a BYE. A change of the session inside a
//! call (re-INVITE) is refused with 488, which leaves the call as it is (§14.2).

use std::collections::BTreeMap;

use crate::address::Endpoint;
use crate::sip::agent::body;
use crate::sip::agent::desk::{Desk, Due, Errand, ExchangeId, Final, Series};
use crate::sip::agent::upcall::{CallEnd, Cause, Outcome, Upcall};
use crate::sip::dialog::Dialog;
use crate::sip::header::Headers;
use crate::sip::message::{Method, Request, RequestKey, Response, Status};
use crate::sip::transaction::{ServerId, Wire};
use crate::sip::uri::Uri;
use crate::time::SimDuration;

/// The number of a call at this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallId(u32);

/// All calls of a user.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    all: BTreeMap<CallId, Call>,
}

#[derive(Clone, Debug)]
struct Call {
    key: RequestKey,
    peer: Uri,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// The caller waits for the callee.
    Calling { invite: ExchangeId, talk: SimDuration, patient: bool },
    /// The callee's phone rings.
    Ringing { server: ServerId, invite: Box<Request>, dialog: Box<Dialog> },
    /// The callee has answered and waits for the ACK; before that there is no BYE (RFC 3261 §15).
    Answered { server: ServerId, dialog: Box<Dialog>, leaves: bool, media: Option<Endpoint> },
    /// Both talk.
    Talking { dialog: Box<Dialog> },
    /// The caller hangs up what nobody wants: a 2xx that came too late, or from a second branch of
    /// a forked INVITE. It begins when the ACK is out.
    Unwanted { dialog: Box<Dialog> },
    /// A BYE is under way.
    Leaving { dialog: Box<Dialog> },
}

impl Calls {
    /// The user calls somebody, to talk for so long.
    pub(super) fn call<C: Wire>(&mut self, desk: &mut Desk<'_, C>, peer: Uri, talk: SimDuration) {
        let id = CallId(desk.number());
        let series = Series::new(desk);
        let mut request = desk.request(Method::Invite, peer.clone(), &series);
        request.headers.contact = desk.contact();
        body::put_session(&mut request.headers, &mut request.body, desk.settings());
        let key = request.key();
        let invite = desk.send(Errand::Invite(id), request, Cause::Asked);
        let state = State::Calling { invite, talk, patient: true };
        self.all.insert(id, Call { key, peer, state });
        desk.set_after(Due::Patience(id), desk.settings().patience);
    }

    /// The user hangs up, or gives up calling.
    pub(super) fn hang_up<C: Wire>(&mut self, desk: &mut Desk<'_, C>, key: RequestKey) {
        let found = self.all.iter().find(|(_, call)| call.key == key && !call.is_over());
        if let Some((&id, _)) = found {
            self.end_talk(desk, id);
        }
    }

    /// The user has talked, or waited, for long enough.
    pub(super) fn end_talk<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: CallId) {
        let Some(call) = self.all.get_mut(&id) else { return };
        match &mut call.state {
            State::Calling { .. } => self.give_up(desk, id),
            State::Ringing { .. } => self.refuse(desk, id, Status::BUSY_HERE),
            State::Answered { leaves, .. } => *leaves = true,
            State::Talking { dialog } => {
                let dialog = (**dialog).clone();
                call.bye(desk, id, dialog);
                call.tell_end(desk, CallEnd::HungUp);
            }
            State::Unwanted { .. } | State::Leaving { .. } => {}
        }
    }

    /// The caller waits no longer. After the CANCEL the INVITE still has an end of its own.
    pub(super) fn give_up<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: CallId) {
        let Some(call) = self.all.get_mut(&id) else { return };
        let State::Calling { invite, patient, .. } = &mut call.state else { return };
        let exchange = *invite;
        if let Some(client) = desk.client(exchange) {
            *patient = false;
            desk.pin(exchange);
            desk.tx.cancel(desk.ctx, client);
        } else if let Some((_, how)) = desk.ended(exchange, Final::Failure(Outcome::GivenUp)) {
            self.invite_ended(desk, id, &how);
        }
    }

    /// An INVITE has ended.
    pub(super) fn invite_ended<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: CallId,
        how: &Final,
    ) {
        desk.cancel(Due::Patience(id));
        let Some(call) = self.all.get_mut(&id) else { return };
        let State::Calling { talk, patient, .. } = call.state else { return };
        let Final::Response(response) = how else {
            let given_up = !patient || how.outcome() == Outcome::GivenUp;
            let failed = CallEnd::Failed(how.outcome());
            let why = if given_up { CallEnd::Cancelled } else { failed };
            return self.remove(desk, id, Some(why));
        };
        if !response.status.is_success() {
            let cancelled = !patient && response.status == Status::REQUEST_TERMINATED;
            let failed = CallEnd::Failed(Outcome::Status(response.status));
            let why = if cancelled { CallEnd::Cancelled } else { failed };
            return self.remove(desk, id, Some(why));
        }
        let Some(dialog) = Dialog::of_response(response) else {
            return self.remove(desk, id, Some(CallEnd::Unreachable));
        };
        let dialog = Box::new(dialog);
        if patient {
            let (key, peer) = (call.key, call.peer.clone());
            call.state = State::Talking { dialog };
            let media = body::media_in(&response.headers, &response.body);
            desk.tell(Upcall::CallEstablished { key, peer, caller: true, media });
            desk.set_after(Due::HangUp(id), talk);
        } else {
            call.state = State::Unwanted { dialog };
            call.tell_end(desk, CallEnd::Cancelled);
        }
        call.acknowledge(desk, id, response);
    }

    /// A 2xx to an INVITE that has ended: that of another callee, or one that comes too late. The
    /// callee is let go (RFC 3261 §13.2.2.4).
    pub(super) fn further_success<C: Wire>(&mut self, desk: &mut Desk<'_, C>, response: &Response) {
        let key = response.key();
        let tag = &response.headers.to.tag;
        let same = |call: &&Call| call.key == key && call.remote_tag() == tag.as_deref();
        if self.all.values().any(|call| same(&call)) {
            return;
        }
        let Some(dialog) = Dialog::of_response(response) else { return };
        let id = CallId(desk.number());
        let state = State::Unwanted { dialog: Box::new(dialog) };
        let call = Call { key, peer: response.headers.to.uri.clone(), state };
        call.acknowledge(desk, id, response);
        self.all.insert(id, call);
    }

    /// The host has said where an ACK goes.
    pub(super) fn ack_located<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: CallId,
        request: Request,
        endpoint: Endpoint,
    ) {
        desk.tx.send_ack(desk.ctx, request, endpoint);
        let Some(call) = self.all.get_mut(&id) else { return };
        if let State::Unwanted { dialog } = &call.state {
            let dialog = (**dialog).clone();
            call.bye(desk, id, dialog);
        }
    }

    /// An ACK has nowhere to go. The callee will end the call for want of it.
    pub(super) fn ack_failed<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: CallId) {
        let Some(call) = self.all.get(&id) else { return };
        match call.state {
            State::Talking { .. } => self.remove(desk, id, Some(CallEnd::Unreachable)),
            State::Unwanted { .. } => self.remove(desk, id, None),
            _ => {}
        }
    }

    /// A BYE has ended; however that was, there is no call any more.
    pub(super) fn bye_ended<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: CallId) {
        self.remove(desk, id, None);
    }

    /// Somebody calls.
    pub(super) fn invite<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        server: ServerId,
        request: &Request,
    ) {
        let tag = desk.tag();
        let dialog = match self.admit(desk, request, &tag) {
            Ok(dialog) => dialog,
            Err(status) => {
                let mut response = request.respond(status, Some(&tag));
                if status.reason().is_empty() {
                    response.reason = Some("Not Acceptable Here".into());
                }
                desk.respond(server, response);
                desk.received(request, status);
                return;
            }
        };
        let id = CallId(desk.number());
        let mut ringing = request.respond(Status::RINGING, Some(&tag));
        ringing.headers.contact = desk.contact();
        desk.respond(server, ringing);
        desk.received(request, Status::RINGING);
        let (key, peer) = (request.key(), request.headers.from.uri.clone());
        let invite = Box::new(request.clone());
        let state = State::Ringing { server, invite, dialog: Box::new(dialog) };
        self.all.insert(id, Call { key, peer, state });
        desk.set_after(Due::Answer(id), desk.settings().ring);
    }

    /// The dialog of a call that may ring, or why it may not.
    fn admit<C: Wire>(
        &mut self,
        desk: &Desk<'_, C>,
        request: &Request,
        tag: &str,
    ) -> Result<Dialog, Status> {
        let headers = &request.headers;
        if headers.to.tag.is_some() {
            let found = self.all.values_mut().find_map(|call| call.dialog_of(headers));
            found.ok_or(Status::NO_TRANSACTION)?.receive(request)?;
            return Err(NOT_ACCEPTABLE_HERE);
        }
        if !desk.settings().accepts.calls {
            return Err(Status::DECLINE);
        }
        let key = request.key();
        if self.all.values().any(|call| call.key == key && !call.is_over()) {
            // A proxy has forked it, and both branches end here (RFC 3261 §8.2.2.2).
            return Err(Status::LOOP_DETECTED);
        }
        let calls = self.all.values().filter(|call| !call.is_over()).count();
        if desk.settings().lines.is_some_and(|lines| calls >= lines as usize) {
            return Err(Status::BUSY_HERE);
        }
        Dialog::of_request(request, tag).ok_or(Status::BAD_REQUEST)
    }

    /// The callee answers.
    pub(super) fn answer<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: CallId) {
        let Some(call) = self.all.get_mut(&id) else { return };
        let State::Ringing { server, invite, dialog } = &call.state else { return };
        let (server, dialog) = (*server, dialog.clone());
        let media = body::media_in(&invite.headers, &invite.body);
        let mut response = invite.respond(Status::OK, dialog.local_tag());
        response.headers.contact = desk.contact();
        body::put_session(&mut response.headers, &mut response.body, desk.settings());
        desk.respond(server, response);
        call.state = State::Answered { server, dialog, leaves: false, media };
    }

    /// An ACK has arrived.
    pub(super) fn acknowledged<C: Wire>(&mut self, desk: &mut Desk<'_, C>, ack: &Request) {
        for (&id, call) in &mut self.all {
            if let State::Answered { dialog, leaves, media, .. } = &call.state
                && dialog.includes(&ack.headers)
            {
                let (key, peer, leaves) = (call.key, call.peer.clone(), *leaves);
                let media = *media;
                call.state = State::Talking { dialog: dialog.clone() };
                desk.tell(Upcall::CallEstablished { key, peer, caller: false, media });
                if leaves {
                    self.end_talk(desk, id);
                }
                return;
            }
        }
    }

    /// The caller has given up.
    pub(super) fn cancelled<C: Wire>(&mut self, desk: &mut Desk<'_, C>, server: ServerId) {
        let waits =
            |call: &Call| matches!(call.state, State::Ringing { server: its, .. } if its == server);
        let found = self.all.iter().find(|(_, call)| waits(call));
        if let Some((&id, _)) = found {
            self.refuse(desk, id, Status::REQUEST_TERMINATED);
        }
    }

    /// Answers a ringing call with a failure.
    fn refuse<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: CallId, status: Status) {
        let Some(call) = self.all.get(&id) else { return };
        let State::Ringing { server, invite, dialog } = &call.state else { return };
        let response = invite.respond(status, dialog.local_tag());
        desk.respond(*server, response);
        let cancelled = status == Status::REQUEST_TERMINATED;
        let why = if cancelled { CallEnd::Cancelled } else { CallEnd::Refused(status) };
        self.remove(desk, id, Some(why));
    }

    /// No ACK has come for a 2xx.
    pub(super) fn unacknowledged<C: Wire>(&mut self, desk: &mut Desk<'_, C>, server: ServerId) {
        for (&id, call) in &mut self.all {
            if let State::Answered { server: its, dialog, .. } = &call.state
                && *its == server
            {
                let dialog = (**dialog).clone();
                call.bye(desk, id, dialog);
                call.tell_end(desk, CallEnd::Unacknowledged);
                return;
            }
        }
    }

    /// The other end hangs up.
    pub(super) fn bye<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        server: ServerId,
        request: &Request,
    ) {
        let headers = &request.headers;
        let found = self.all.iter_mut().find_map(|(&id, call)| {
            let received = call.dialog_of(headers)?.receive(request);
            Some((id, received))
        });
        let (id, status) = match found {
            None => (None, Status::NO_TRANSACTION),
            Some((_, Err(status))) => (None, status),
            Some((id, Ok(()))) => (Some(id), Status::OK),
        };
        desk.answer(server, request, status);
        let Some(id) = id else { return };
        if self.all.get(&id).is_none_or(Call::is_over) {
            // Both hang up at once: this end waits for the answer to its own BYE.
            return;
        }
        if let Some(Call { state: State::Ringing { server, invite, dialog }, .. }) =
            self.all.get(&id)
        {
            // It ends the early dialog; the INVITE wants an answer all the same (§15.1.2).
            let response = invite.respond(Status::REQUEST_TERMINATED, dialog.local_tag());
            desk.respond(*server, response);
        }
        self.remove(desk, id, Some(CallEnd::HungUpByPeer));
    }

    fn remove<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: CallId, why: Option<CallEnd>) {
        let Some(call) = self.all.remove(&id) else { return };
        for due in [Due::Answer(id), Due::HangUp(id), Due::Patience(id)] {
            desk.cancel(due);
        }
        if let Some(why) = why {
            call.tell_end(desk, why);
        }
    }
}

/// 488: a session as asked for is not to be had (RFC 3261 §21.4.26).
const NOT_ACCEPTABLE_HERE: Status = match Status::new(488) {
    Some(status) => status,
    None => Status::BAD_REQUEST,
};

impl Call {
    fn tell_end<C: Wire>(&self, desk: &mut Desk<'_, C>, why: CallEnd) {
        desk.tell(Upcall::CallEnded { key: self.key, peer: self.peer.clone(), why });
    }

    /// Whether only messages that end it are still on their way.
    const fn is_over(&self) -> bool {
        matches!(self.state, State::Unwanted { .. } | State::Leaving { .. })
    }

    fn remote_tag(&self) -> Option<&str> {
        match &self.state {
            State::Calling { .. } => None,
            State::Ringing { dialog, .. }
            | State::Answered { dialog, .. }
            | State::Talking { dialog }
            | State::Unwanted { dialog }
            | State::Leaving { dialog } => dialog.remote().tag.as_deref(),
        }
    }

    /// Its dialog, if a request with these header fields belongs to it.
    fn dialog_of(&mut self, headers: &Headers) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Ringing { dialog, .. }
            | State::Answered { dialog, .. }
            | State::Talking { dialog }
            | State::Unwanted { dialog }
            | State::Leaving { dialog } => Some(&mut **dialog),
            State::Calling { .. } => None,
        }
        .filter(|dialog| dialog.includes(headers))
    }

    /// Sends the ACK of a 2xx, as soon as the host says where to.
    fn acknowledge<C: Wire>(&self, desk: &mut Desk<'_, C>, id: CallId, response: &Response) {
        if let State::Talking { dialog } | State::Unwanted { dialog } = &self.state {
            let ack = dialog.ack(response.headers.cseq);
            desk.send_within(dialog, Errand::Ack(id), ack, None);
        }
    }

    fn bye<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: CallId, mut dialog: Dialog) {
        desk.cancel(Due::HangUp(id));
        let request = desk.request_within(&mut dialog, Method::Bye);
        desk.send_within(&dialog, Errand::Bye(id), request, Some(Cause::HangUp));
        self.state = State::Leaving { dialog: Box::new(dialog) };
    }
}
