//! The core of a user agent (RFC 3261, 3428, 3856, 3903, 6665): one user with one contact.
//!
//! A host holds an [`Agent`] beside the element's [`Transactions`]. It tells the agent what the user
//! does ([`register`](Agent::register), [`publish`](Agent::publish), [`message`](Agent::message),
//! [`subscribe`](Agent::subscribe), [`call`](Agent::call)), passes on what the transactions report
//! for it ([`event`](Agent::event)) and its timer, and does what the [`Upcall`]s say. The one that
//! wants an answer is [`Upcall::Locate`]: the agent looks up nothing itself, since a conventional
//! phone asks its outbound proxy or DNS and a node its overlay.
//!
//! * [`upcall`]: what the agent tells its host.
//! * `desk`: how a request finds its way out, and to the next element when one fails.
//! * `lease`: registration and publication. `pause`: when to renew, and when to try again.
//! * `subscription`: this user watches others. `watcher`: others watch this user.
//! * `call`: both ends of calls. `body`: presence documents and session descriptions.
//!
//! A request out of the user's wishes begins with [`Upcall::Began`], before anything is known of
//! where it goes, and ends with exactly one [`Upcall::Ended`], unless the host stops first.
//!
//! Left out: authentication, more than one contact or device, sessions that change and session
//! timers (a callee whose caller dies stays in the call), GRUU and outbound flows; several MESSAGEs
//! to one user may be under way at once, as phones have it in spite of RFC 3428 §8.

use std::sync::Arc;

use crate::address::{Endpoint, Port};
use crate::rng::Dice;
use crate::sip::message::{Method, Request, RequestKey, Response, Status};
use crate::sip::transaction::{Event, Owner, ServerId, Transactions, Wire};
use crate::sip::uri::{HostPart, Uri};
use crate::sip::{Timer, Unlocated};
use crate::time::{SimDuration, SimTime};

pub mod action;
mod body;
mod call;
mod desk;
mod lease;
mod pause;
mod subscription;
pub mod upcall;
mod watcher;

#[cfg(test)]
mod tests;

pub use action::Action;
pub use upcall::{
    CallEnd, Cause, Loss, Outcome, SubscriptionChange, Ticket, Upcall, Upcalls, WatcherChange,
};

use call::Calls;
use desk::{Desk, Due, Errand, ExchangeId, Final, Located, Office, Series};
use lease::Lease;
use subscription::Subscriptions;
use watcher::Watchers;

/// The methods that an agent understands, as `Allow` lists them.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, SUBSCRIBE, NOTIFY";

/// 420: the request requires an extension (RFC 3261 §8.2.2.3).
const BAD_EXTENSION: Status = match Status::new(420) {
    Some(status) => status,
    None => Status::BAD_REQUEST,
};

/// Who a user agent is, and its habits.
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// The user's address of record.
    pub aor: Uri,
    /// Where this agent is reached, as it says itself.
    pub contact: Uri,
    /// Where it is.
    pub own: Endpoint,
    /// Where it wants to have its media.
    pub media: Endpoint,
    /// Its outbound proxy: the route of all requests outside of dialogs (RFC 3261 §8.1.2).
    pub outbound: Option<Uri>,
    /// Whom it answers.
    pub accepts: Accepts,
    /// What it asks for when it registers, in seconds.
    pub register_expires: u32,
    /// What it asks for when it subscribes, in seconds, and the most that it grants.
    pub subscription_expires: u32,
    /// What it asks for when it publishes, in seconds.
    pub publish_expires: u32,
    /// How long the phone rings before the user answers.
    pub ring: SimDuration,
    /// How long the user waits for somebody to answer before giving up.
    pub patience: SimDuration,
    /// How many calls it takes at a time; any number if `None`.
    pub lines: Option<u32>,
    /// Whether it tries the next of several addresses (RFC 3263 §4.3).
    pub failover: bool,
    /// `User-Agent` and `Server`.
    pub product: Arc<str>,
}

/// What a user agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts {
    /// Being watched.
    pub subscriptions: bool,
    /// Being called.
    pub calls: bool,
}

impl Accepts {
    /// Everything.
    pub const ALL: Self = Self { subscriptions: true, calls: true };
}

impl AgentSettings {
    /// A user who agrees to everything, at this endpoint, with leases of an hour, the default of
    /// presence (RFC 3856 §6.4, RFC 3903 §8) and of registrations (RFC 3261 §10.2). The contact is
    /// the user at the endpoint's address; three minutes of ringing are what a proxy allows
    /// (RFC 3261 §16.6, Timer C).
    #[must_use]
    pub fn new(aor: Uri, own: Endpoint) -> Self {
        let user = aor.sip().and_then(|uri| uri.user.clone()).unwrap_or_else(|| "user".into());
        Self {
            contact: Uri::of_user(&user, HostPart::Address(own.address)),
            aor,
            own,
            media: own.address.at(Port::AUDIO),
            outbound: None,
            accepts: Accepts::ALL,
            register_expires: 3600,
            subscription_expires: 3600,
            publish_expires: 3600,
            ring: SimDuration::from_secs(2),
            patience: SimDuration::from_secs(180),
            lines: None,
            failover: false,
            product: "overcord".into(),
        }
    }

    fn is_addressed(&self, request: &Request) -> bool {
        let own = [&self.aor, &self.contact];
        request.uri.sip().is_some_and(|uri| {
            own.into_iter().filter_map(Uri::sip).any(|own| uri.same_resource(own))
        })
    }
}

/// A user agent.
#[derive(Clone, Debug)]
pub struct Agent {
    office: Office,
    doings: Doings,
    /// What the timer is set to.
    armed: Option<SimTime>,
}

/// What a user agent is doing.
#[derive(Clone, Debug)]
struct Doings {
    registration: Lease,
    publication: Lease,
    subscriptions: Subscriptions,
    watchers: Watchers,
    calls: Calls,
}

impl Agent {
    /// An agent that has done nothing yet. Its user's presence is open.
    #[must_use]
    pub fn new(settings: AgentSettings, dice: Dice) -> Self {
        let doings = Doings {
            registration: Lease::registration(),
            publication: Lease::publication(),
            subscriptions: Subscriptions::default(),
            watchers: Watchers::new(),
            calls: Calls::default(),
        };
        Self { office: Office::new(settings, dice), doings, armed: None }
    }

    /// Who it is.
    #[must_use]
    pub const fn settings(&self) -> &AgentSettings {
        &self.office.settings
    }

    /// The user is reached at another place from now on: calls that are up stay where they are.
    pub fn relocate(&mut self, contact: Uri, media: Endpoint) {
        self.office.settings.contact = contact;
        self.office.settings.media = media;
    }

    /// The agent is at another endpoint from now on. What it sends next names that as its contact;
    /// whoever knows the former one, in a dialog too, is not told before.
    pub fn move_to(&mut self, own: Endpoint) {
        let settings = &mut self.office.settings;
        if settings.media.address == settings.own.address {
            settings.media.address = own.address;
        }
        settings.own = own;
        if let Some(user) = settings.contact.sip().and_then(|uri| uri.user.clone()) {
            settings.contact = Uri::of_user(&user, HostPart::Address(own.address));
        }
    }

    /// Whether a request is for this user: its Request-URI is the contact or the address of record.
    #[must_use]
    pub fn is_addressed(&self, request: &Request) -> bool {
        self.office.settings.is_addressed(request)
    }

    /// The user wants to be reached: registers at this registrar (`sip:domain`) and stays
    /// registered.
    pub fn register<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        registrar: Uri,
    ) -> Upcalls {
        self.with(ctx, tx, |doings, desk| doings.registration.register(desk, registrar))
    }

    /// The user does not want to be reached any longer: removes the registration.
    pub fn unregister<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions) -> Upcalls {
        self.with(ctx, tx, |doings, desk| doings.registration.unregister(desk))
    }

    /// The user publishes to be there, or not to be: tells the presence server of the own domain
    /// and keeps telling it, and [shows](Self::show) it to who watches.
    pub fn publish<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions, open: bool) -> Upcalls {
        self.with(ctx, tx, |doings, desk| {
            doings.publication.publish(desk, open);
            doings.watchers.show(desk, open);
        })
    }

    /// The user is there, or is not: tells who watches this agent itself, without a presence
    /// server.
    pub fn show<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions, open: bool) -> Upcalls {
        self.with(ctx, tx, |doings, desk| doings.watchers.show(desk, open))
    }

    /// The user writes an instant message.
    pub fn message<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        to: Uri,
        text: &str,
    ) -> Upcalls {
        self.with(ctx, tx, |_, desk| {
            let series = Series::new(desk);
            let mut request = desk.request(Method::Message, to, &series);
            body::put_text(&mut request, text);
            desk.send(Errand::Message, request, Cause::Asked);
        })
    }

    /// The user wants to know a peer's presence, for so long or for ever. If there is a
    /// subscription already, it is renewed.
    pub fn subscribe<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        to: Uri,
        keep: Option<SimDuration>,
    ) -> Upcalls {
        self.with(ctx, tx, |doings, desk| doings.subscriptions.subscribe(desk, to, keep))
    }

    /// The user does not want to know a peer's presence any longer.
    pub fn unsubscribe<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        to: &Uri,
    ) -> Upcalls {
        self.with(ctx, tx, |doings, desk| doings.subscriptions.unsubscribe(desk, to))
    }

    /// The user calls somebody, and will talk for so long.
    pub fn call<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        to: Uri,
        talk: SimDuration,
    ) -> Upcalls {
        self.with(ctx, tx, |doings, desk| doings.calls.call(desk, to, talk))
    }

    /// The user ends a call, gives up calling, or does not answer one that rings (486). A call is
    /// named by its INVITE, at both ends.
    pub fn hang_up<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        call: RequestKey,
    ) -> Upcalls {
        self.with(ctx, tx, |doings, desk| doings.calls.hang_up(desk, call))
    }

    /// The answer to [`Upcall::Locate`]: where the next hop is, the best first.
    pub fn located<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        ticket: Ticket,
        found: Result<Vec<Endpoint>, Unlocated>,
    ) -> Upcalls {
        self.with(ctx, tx, |doings, desk| match desk.located(ticket, found) {
            Located::Nothing => {}
            Located::Sent { errand } => {
                if let Errand::Subscribe(id) = errand {
                    doings.subscriptions.sent(desk, id);
                }
            }
            Located::Ack { errand, ack, to } => {
                if let Errand::Ack(id) = errand {
                    doings.calls.ack_located(desk, id, *ack, to);
                }
            }
            Located::Nowhere { id } => {
                doings.ended(desk, id, Final::Failure(Outcome::Unlocated));
            }
        })
    }

    /// What the transactions report: responses and failures of requests that this agent
    /// [owns](Owner::Agent), requests that are [for this user](Self::is_addressed), and all else
    /// that may concern its calls; what does not is ignored.
    pub fn event<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions, event: Event) -> Upcalls {
        self.with(ctx, tx, |doings, desk| match event {
            Event::Request { server, request, .. } => doings.request(desk, server, &request),
            Event::Ack { request, .. } => doings.calls.acknowledged(desk, &request),
            Event::Cancelled { server } => doings.calls.cancelled(desk, server),
            Event::Unacknowledged { server } => doings.calls.unacknowledged(desk, server),
            Event::Response { owner: Owner::Agent(number), response, .. } => {
                doings.response(desk, ExchangeId(number), response);
            }
            Event::Failed { owner: Owner::Agent(number), why, .. } => {
                doings.ended(desk, ExchangeId(number), desk::failed(why));
            }
            Event::Response { .. } | Event::Failed { .. } | Event::StrayResponse(_) => {}
        })
    }

    /// [`Timer::Agent`] has gone off.
    pub fn timer<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions) -> Upcalls {
        self.armed = None;
        self.with(ctx, tx, |doings, desk| {
            let now = desk.now();
            while let Some(due) = desk.office.agenda.due(now) {
                doings.due(desk, due);
            }
        })
    }

    /// Does something with everything at hand, and sets the timer to what is due next.
    fn with<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        act: impl FnOnce(&mut Doings, &mut Desk<'_, C>),
    ) -> Upcalls {
        let mut desk = Desk { office: &mut self.office, ctx, tx, upcalls: Upcalls::new() };
        act(&mut self.doings, &mut desk);
        let upcalls = desk.upcalls;
        let next = self.office.agenda.earliest();
        if next != self.armed {
            match next {
                Some(at) => ctx.set(Timer::Agent, at),
                None => ctx.cancel(Timer::Agent),
            }
            self.armed = next;
        }
        upcalls
    }
}

impl Doings {
    fn due<C: Wire>(&mut self, desk: &mut Desk<'_, C>, due: Due) {
        match due {
            Due::Register => self.registration.renew(desk),
            Due::RegistrationLapse => self.registration.lapse(desk),
            Due::Publish => self.publication.renew(desk),
            Due::PublicationLapse => self.publication.lapse(desk),
            Due::Subscribe(id) => self.subscriptions.renew(desk, id),
            Due::SubscriptionLapse(id) => self.subscriptions.lapse(desk, id),
            Due::NotNotified(id) => self.subscriptions.not_notified(desk, id),
            Due::Unsubscribe(id) => self.subscriptions.leave(desk, id),
            Due::WatcherLapse(id) => self.watchers.lapse(desk, id),
            Due::Notify(id) => self.watchers.notify(desk, id),
            Due::Answer(id) => self.calls.answer(desk, id),
            Due::HangUp(id) => self.calls.end_talk(desk, id),
            Due::Patience(id) => self.calls.give_up(desk, id),
        }
    }

    fn response<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: ExchangeId,
        response: Box<Response>,
    ) {
        if response.status.is_provisional() {
            if let Some((Errand::Invite(_), key)) = desk.pin(id)
                && response.status != Status::TRYING
            {
                desk.tell(Upcall::Provisional { key, status: response.status });
            }
        } else if desk.is_under_way(id) {
            self.ended(desk, id, Final::Response(response));
        } else if response.method == Method::Invite && response.status.is_success() {
            self.calls.further_success(desk, &response);
        }
    }

    fn ended<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: ExchangeId, how: Final) {
        let Some((errand, how)) = desk.ended(id, how) else { return };
        match errand {
            Errand::Register => self.registration.ended(desk, &how),
            Errand::Publish => self.publication.ended(desk, &how),
            Errand::Message => {}
            Errand::Subscribe(subscription) => {
                self.subscriptions.ended(desk, subscription, id, &how);
            }
            Errand::Notify(watcher) => self.watchers.ended(desk, watcher, &how),
            Errand::Invite(call) => self.calls.invite_ended(desk, call, &how),
            Errand::Ack(call) => self.calls.ack_failed(desk, call),
            Errand::Bye(call) => self.calls.bye_ended(desk, call),
        }
    }

    /// Answers a request (RFC 3261 §8.2).
    fn request<C: Wire>(&mut self, desk: &mut Desk<'_, C>, server: ServerId, request: &Request) {
        if !desk.settings().is_addressed(request) {
            return desk.answer(server, request, Status::NOT_FOUND);
        }
        let required =
            request.headers.other.iter().find(|(name, _)| name.eq_ignore_ascii_case("Require"));
        if let Some((_, extensions)) = required {
            let header = ("Unsupported", &**extensions);
            return desk.answer_with(server, request, BAD_EXTENSION, &[header]);
        }
        match request.method {
            Method::Invite => self.calls.invite(desk, server, request),
            Method::Bye => self.calls.bye(desk, server, request),
            Method::Subscribe => self.watchers.subscribe(desk, server, request),
            Method::Notify => self.subscriptions.notify(desk, server, request),
            Method::Message => desk.answer(server, request, Status::OK),
            Method::Options => {
                let headers = [("Allow", ALLOW), ("Accept", "application/sdp, text/plain")];
                desk.answer_with(server, request, Status::OK, &headers);
            }
            _ => desk.answer_with(server, request, Status::METHOD_NOT_ALLOWED, &[("Allow", ALLOW)]),
        }
    }
}
