//! A presence server: SER's presence agent for the users of its domain (RFC 3856, 3903, 6665).
//!
//! * `publication`: what users publish, each time under a new entity tag.
//! * `watcher`: who is subscribed to whom, and the NOTIFY requests to them.
//!
//! Each SUBSCRIBE is answered and followed at once by a NOTIFY with the presence as published, and
//! each change of that is told to all who watch. One NOTIFY of a subscription is under way at a
//! time, so that none overtakes another; what changes meanwhile is said by the next. A subscription
//! ends with its lease, when the watcher says so, or when a NOTIFY fails.
//!
//! The host gives it the SUBSCRIBE requests of its domain and of the server's own contact, and the
//! PUBLISH requests of its domain. Where a NOTIFY goes is asked with [`Upcall::Locate`]. Left out:
//! authorisation of watchers, watcher information, presence documents with more than one tuple,
//! partial publication, event packages other than `presence`.

use std::sync::Arc;

use crate::address::Endpoint;
use crate::rng::Dice;
use crate::sip::pidf::{self, Presence};
use crate::sip::registrar::AddressOfRecord;
use crate::sip::transaction::token::token;
use crate::sip::transaction::{Event, Failure, Owner, ServerId, Transactions, Wire};
use crate::sip::{
    Agenda, EventPackage, Headers, Method, Request, RequestKey, Response, Status, Timer, Uri,
};
use crate::time::{SimDuration, SimTime};

mod publication;
mod watcher;

use publication::{PublicationId, Publications};
use watcher::{WatcherId, Watchers};

/// Below this an expiry may be called too brief (RFC 6665 §4.2.1.1).
const BRIEF: u32 = 3_600;

/// 415 (RFC 3261 §21.4.13).
const UNSUPPORTED_MEDIA_TYPE: Status = Status::new(415).expect("it is a status");

/// How a presence server behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceSettings {
    /// The `Contact` of its dialogs: where requests within them reach it.
    pub contact: Uri,
    /// For a request that asks for nothing, in seconds.
    pub default_expires: u32,
    /// The least, in seconds; 423 below. 0 for no bound.
    pub min_expires: u32,
    /// The longest subscription, in seconds.
    pub max_subscription: u32,
    /// The longest publication, in seconds.
    pub max_publication: u32,
    /// How often it looks for what has gone by: an end is noticed at the next multiple of this.
    /// Zero for at once.
    pub expiry_check: SimDuration,
    /// The least time between two NOTIFY requests to a watcher that tell of changes (RFC 3856
    /// §6.10: 5 s).
    pub notify_interval: SimDuration,
    /// Whether a NOTIFY that nobody answers removes the subscription (Kamailio's
    /// `timeout_rm_subs`). Responses that say that it is gone always do.
    pub removes_on_timeout: bool,
    /// Its name, for `Server` and `User-Agent`.
    pub product: Option<Arc<str>>,
}

impl PresenceSettings {
    /// SER's `pa`: everything lasts for 3,600 s at most, what has gone by is noticed within 10 s,
    /// each change is told at once.
    #[must_use]
    pub const fn ser(contact: Uri) -> Self {
        Self {
            contact,
            default_expires: 3_600,
            min_expires: 0,
            max_subscription: 3_600,
            max_publication: 3_600,
            expiry_check: SimDuration::from_secs(10),
            notify_interval: SimDuration::ZERO,
            removes_on_timeout: true,
            product: None,
        }
    }

    /// As the RFCs have it: leases end exactly, changes are told every 5 s at most, and what is
    /// below 60 s is refused.
    #[must_use]
    pub fn rfc3856(contact: Uri) -> Self {
        Self {
            min_expires: 60,
            expiry_check: SimDuration::ZERO,
            notify_interval: SimDuration::from_secs(5),
            ..Self::ser(contact)
        }
    }

    /// The expiry of a request that asks for this.
    fn grant(&self, asked: Option<u32>, most: u32) -> Result<u32, Status> {
        let asked = asked.unwrap_or(self.default_expires);
        if asked > 0 && asked < self.min_expires && asked < BRIEF {
            return Err(Status::INTERVAL_TOO_BRIEF);
        }
        Ok(asked.min(most))
    }

    /// When it is noticed that something has gone by at this time.
    fn noticed(&self, at: SimTime) -> SimTime {
        let check = self.expiry_check.as_nanos();
        if check == 0 { at } else { SimTime::from_nanos(at.as_nanos().div_ceil(check) * check) }
    }
}

/// Names a question of the presence server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// What a presence server tells its host, in the order in which it came about.
pub type Upcalls = Vec<Upcall>;

/// One thing that a presence server tells its host. A question wants an answer in the end: until
/// then its watcher is told nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcall {
    /// Where is this next hop of a NOTIFY? To be answered with [`PresenceServer::located`].
    Locate {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The top of the route set, or the watcher's contact.
        next_hop: Uri,
    },
    /// A PUBLISH or SUBSCRIBE was answered.
    Answered {
        /// The request.
        key: RequestKey,
        /// What it asked for.
        method: Method,
        /// The answer.
        status: Status,
    },
    /// A user's presence has changed.
    PresenceChanged {
        /// The user.
        entity: Uri,
        /// Whether the user is there.
        open: bool,
    },
    /// A subscription was made, refreshed, or is over.
    WatcherChanged {
        /// Who watches.
        watcher: Uri,
        /// Whom.
        entity: Uri,
        /// How it stands.
        state: WatcherChange,
    },
    /// A NOTIFY was sent.
    Notifies {
        /// Its name.
        key: RequestKey,
        /// Where to.
        to: Endpoint,
    },
    /// A NOTIFY has ended.
    Notified {
        /// Its name.
        key: RequestKey,
        /// How.
        outcome: NotifyOutcome,
    },
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatcherChange {
    /// It lasts so long.
    Active {
        /// The end of the lease.
        until: SimTime,
    },
    /// The watcher has ended it.
    Unsubscribed,
    /// Its lease has gone by.
    Expired,
    /// A NOTIFY ended so.
    Failed(NotifyOutcome),
}

/// How a NOTIFY ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyOutcome {
    /// With this final response.
    Status(Status),
    /// Without a response.
    Failed(Failure),
}

/// A presence server.
#[derive(Clone, Debug)]
pub struct PresenceServer {
    settings: PresenceSettings,
    agenda: Agenda<Due>,
    books: Books,
}

/// What it knows.
#[derive(Clone, Debug)]
struct Books {
    dice: Dice,
    publications: Publications,
    watchers: Watchers,
}

/// What it means to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A publication goes by.
    Publication(PublicationId),
    /// A subscription goes by.
    Lease(WatcherId),
    /// A NOTIFY that was put off.
    Notify(WatcherId),
}

/// What one input is handled with.
struct Turn<'a, C> {
    ctx: &'a mut C,
    tx: &'a mut Transactions,
    settings: &'a PresenceSettings,
    agenda: &'a mut Agenda<Due>,
    upcalls: Upcalls,
}

impl PresenceServer {
    /// A server that knows of nobody.
    #[must_use]
    pub fn new(settings: PresenceSettings, mut dice: Dice) -> Self {
        let publications = Publications::new(&mut dice);
        let books = Books { dice, publications, watchers: Watchers::default() };
        Self { settings, agenda: Agenda::new(), books }
    }

    /// Whether a user is there, as far as published.
    #[must_use]
    pub fn is_open(&self, entity: &Uri, now: SimTime) -> bool {
        let entity = AddressOfRecord::of(entity);
        entity.is_some_and(|entity| self.books.publications.is_open(&entity, now))
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn subscriptions(&self) -> usize {
        self.books.watchers.current()
    }

    /// Whether a request belongs to one of its dialogs.
    #[must_use]
    pub fn includes(&self, headers: &Headers) -> bool {
        self.books.watchers.includes(headers)
    }

    /// A PUBLISH or SUBSCRIBE for it; anything else is answered 405.
    pub fn request<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        server: ServerId,
        request: &Request,
    ) -> Upcalls {
        self.act(ctx, tx, |books, turn| match &request.method {
            Method::Publish => books.publish(turn, server, request),
            Method::Subscribe => books.subscribe(turn, server, request),
            _ => books.refuse(turn, server, request, Status::METHOD_NOT_ALLOWED),
        })
    }

    /// What the transactions report of its NOTIFY requests; events of other owners are ignored.
    pub fn event<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions, event: Event) -> Upcalls {
        let (watcher, outcome) = match event {
            Event::Response { owner: Owner::Presence(id), response, .. } => {
                (id, NotifyOutcome::Status(response.status))
            }
            Event::Failed { owner: Owner::Presence(id), why, .. } => {
                (id, NotifyOutcome::Failed(why))
            }
            _ => return Vec::new(),
        };
        self.act(ctx, tx, |books, turn| books.watchers.ended(turn, WatcherId(watcher), outcome))
    }

    /// The answer to [`Upcall::Locate`]: the endpoints, of which the first is used, or the status
    /// that says why there are none.
    pub fn located<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        ticket: Ticket,
        endpoints: Result<Vec<Endpoint>, Status>,
    ) -> Upcalls {
        let first = endpoints.map(|all| all.first().copied());
        let to = first.and_then(|first| first.ok_or(Status::SERVER_ERROR));
        self.act(ctx, tx, |books, turn| {
            books.watchers.located(turn, &books.publications, WatcherId(ticket.0), to);
        })
    }

    /// [`Timer::Presence`] went off.
    pub fn timer<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions) -> Upcalls {
        self.act(ctx, tx, |books, turn| {
            while let Some(due) = turn.agenda.due(turn.ctx.now()) {
                match due {
                    Due::Publication(id) => books.lapse(turn, id),
                    Due::Lease(id) => books.watchers.end(turn, id, WatcherChange::Expired),
                    Due::Notify(id) => books.watchers.notify(turn, id),
                }
            }
        })
    }

    fn act<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        action: impl FnOnce(&mut Books, &mut Turn<'_, C>),
    ) -> Upcalls {
        let (settings, agenda) = (&self.settings, &mut self.agenda);
        let mut turn = Turn { ctx, tx, settings, agenda, upcalls: Vec::new() };
        action(&mut self.books, &mut turn);
        match turn.agenda.earliest() {
            Some(at) => turn.ctx.set(Timer::Presence, at),
            None => turn.ctx.cancel(Timer::Presence),
        }
        turn.upcalls
    }
}

impl Books {
    fn refuse<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        server: ServerId,
        request: &Request,
        status: Status,
    ) {
        let mut response = request.respond(status, Some(&token(&mut self.dice, 8)));
        let mut say = |name: &str, value: &str| {
            response.headers.other.push((name.into(), value.into()));
        };
        match status {
            Status::METHOD_NOT_ALLOWED => say("Allow", "PUBLISH, SUBSCRIBE"),
            Status::BAD_EVENT => say("Allow-Events", "presence"),
            UNSUPPORTED_MEDIA_TYPE => say("Accept", pidf::CONTENT_TYPE),
            Status::INTERVAL_TOO_BRIEF => {
                response.headers.min_expires = Some(turn.settings.min_expires);
            }
            _ => {}
        }
        turn.respond(server, request, response);
    }

    fn publish<C: Wire>(&mut self, turn: &mut Turn<'_, C>, server: ServerId, request: &Request) {
        let now = turn.ctx.now();
        let said = presence_event(&request.headers).and_then(|()| document(request));
        let published =
            said.and_then(|open| self.publications.publish(turn.settings, now, request, open));
        let published = match published {
            Ok(published) => published,
            Err(status) => return self.refuse(turn, server, request, status),
        };
        let mut response = request.respond(Status::OK, Some(&token(&mut self.dice, 8)));
        response.headers.expires = Some(published.expires);
        if let Some(before) = published.before {
            turn.agenda.cancel(Due::Publication(before));
        }
        if let Some((id, until)) = published.now {
            response.headers.etag = Some(self.publications.etag(id));
            turn.agenda.set(Due::Publication(id), until);
        }
        turn.respond(server, request, response);
        self.tell(turn, &published.entity, published.was_open);
    }

    fn lapse<C: Wire>(&mut self, turn: &mut Turn<'_, C>, id: PublicationId) {
        if let Some((entity, was_open)) = self.publications.lapse(id) {
            self.tell(turn, &entity, was_open);
        }
    }

    /// Tells who watches, if a user's presence is not what it was.
    fn tell<C: Wire>(&mut self, turn: &mut Turn<'_, C>, entity: &AddressOfRecord, was_open: bool) {
        let open = self.publications.is_open(entity, turn.ctx.now());
        if open != was_open {
            turn.upcalls.push(Upcall::PresenceChanged { entity: entity.uri(), open });
            self.watchers.changed(turn, entity);
        }
    }

    fn subscribe<C: Wire>(&mut self, turn: &mut Turn<'_, C>, server: ServerId, request: &Request) {
        let tag = token(&mut self.dice, 8);
        let granted = presence_event(&request.headers)
            .and_then(|()| self.watchers.admit(turn.settings, request, &tag));
        match granted {
            Ok((id, seconds)) => self.watchers.accept(turn, server, request, id, seconds),
            Err(status) => self.refuse(turn, server, request, status),
        }
    }
}

/// Refuses other event packages.
fn presence_event(headers: &Headers) -> Result<(), Status> {
    let is_presence = |event: &EventPackage| *event.package == *"presence";
    if headers.event.as_ref().is_some_and(is_presence) { Ok(()) } else { Err(Status::BAD_EVENT) }
}

/// What the body of a PUBLISH says, if it has one.
fn document(request: &Request) -> Result<Option<bool>, Status> {
    if request.body.is_empty() {
        return Ok(None);
    }
    match request.headers.content_type.as_deref() {
        Some(kind) if kind.eq_ignore_ascii_case(pidf::CONTENT_TYPE) => {
            let presence = Presence::parse(&request.body).map_err(|_| Status::BAD_REQUEST)?;
            Ok(Some(presence.open))
        }
        _ => Err(UNSUPPORTED_MEDIA_TYPE),
    }
}

impl<C: Wire> Turn<'_, C> {
    fn respond(&mut self, server: ServerId, request: &Request, mut response: Response) {
        response.headers.product.clone_from(&self.settings.product);
        let (method, status) = (request.method.clone(), response.status);
        self.upcalls.push(Upcall::Answered { key: request.key(), method, status });
        self.tx.respond(self.ctx, server, response);
    }
}

#[cfg(test)]
mod tests;
