//! What the parts of a user agent share: how a request finds its way out, and names and times.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Endpoint;
use crate::rng::Dice;
use crate::sip::agenda::Agenda;
use crate::sip::agent::AgentSettings;
use crate::sip::agent::call::CallId;
use crate::sip::agent::subscription::SubscriptionId;
use crate::sip::agent::upcall::{Cause, Outcome, Ticket, Upcall, Upcalls};
use crate::sip::agent::watcher::WatcherId;
use crate::sip::dialog::{Dialog, MAX_FORWARDS};
use crate::sip::header::{Contact, Contacts, Headers, NameAddress};
use crate::sip::locate::Unlocated;
use crate::sip::message::{Method, Request, RequestKey, Response, Status};
use crate::sip::transaction::token::token;
use crate::sip::transaction::{ClientId, Failure, Owner, ServerId, Transactions, Wire};
use crate::sip::uri::Uri;
use crate::time::{SimDuration, SimTime};

/// What a user agent means to do when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Renewing or retrying the registration.
    Register,
    /// The end of the registration.
    RegistrationLapse,
    /// Renewing or retrying the publication.
    Publish,
    /// The end of the publication.
    PublicationLapse,
    /// Renewing or retrying a subscription.
    Subscribe(SubscriptionId),
    /// The end of a subscription's lease.
    SubscriptionLapse(SubscriptionId),
    /// Timer N.
    NotNotified(SubscriptionId),
    /// The user does not want a subscription any longer.
    Unsubscribe(SubscriptionId),
    /// The end of the lease of somebody else's subscription.
    WatcherLapse(WatcherId),
    /// A notification that was put off.
    Notify(WatcherId),
    /// Answering a call that rings.
    Answer(CallId),
    /// The user has talked enough.
    HangUp(CallId),
    /// The caller has waited enough for somebody to answer.
    Patience(CallId),
}

/// What a request is for, which says who is told how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Register,
    Publish,
    Message,
    Subscribe(SubscriptionId),
    Notify(WatcherId),
    Invite(CallId),
    Ack(CallId),
    Bye(CallId),
}

/// The number of a request that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ExchangeId(pub(super) u32);

/// A request on its way out, or waiting for its answer.
#[derive(Clone, Debug)]
struct Exchange {
    errand: Errand,
    key: RequestKey,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// The host looks up where it goes.
    Locating(Box<Request>),
    /// It went to the first of these, and may still go to the others if nothing answers.
    Sent { client: ClientId, spare: Option<Box<Spare>> },
}

/// What is kept of a request that may have to go to another element.
#[derive(Clone, Debug)]
struct Spare {
    request: Request,
    /// The next one last.
    endpoints: Vec<Endpoint>,
}

/// How a request ended.
#[derive(Debug)]
pub(super) enum Final {
    /// With a final response.
    Response(Box<Response>),
    /// Without.
    Failure(Outcome),
}

impl Final {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Response(response) => Outcome::Status(response.status),
            Self::Failure(outcome) => *outcome,
        }
    }
}

/// The lasting part of what is shared.
#[derive(Clone, Debug)]
pub(super) struct Office {
    pub(super) settings: AgentSettings,
    pub(super) agenda: Agenda<Due>,
    dice: Dice,
    exchanges: BTreeMap<ExchangeId, Exchange>,
    numbers: u32,
}

impl Office {
    pub(super) const fn new(settings: AgentSettings, dice: Dice) -> Self {
        Self { settings, agenda: Agenda::new(), dice, exchanges: BTreeMap::new(), numbers: 0 }
    }
}

/// What is shared, for the time of one input.
pub(super) struct Desk<'a, C> {
    pub(super) office: &'a mut Office,
    pub(super) ctx: &'a mut C,
    pub(super) tx: &'a mut Transactions,
    pub(super) upcalls: Upcalls,
}

impl<C: Wire> Desk<'_, C> {
    pub(super) fn now(&self) -> SimTime {
        self.ctx.now()
    }

    pub(super) const fn settings(&self) -> &AgentSettings {
        &self.office.settings
    }

    pub(super) fn tell(&mut self, upcall: Upcall) {
        self.upcalls.push(upcall);
    }

    pub(super) fn set(&mut self, due: Due, at: SimTime) {
        self.office.agenda.set(due, at);
    }

    pub(super) fn set_after(&mut self, due: Due, after: SimDuration) {
        let at = self.now().saturating_add(after);
        self.set(due, at);
    }

    pub(super) fn cancel(&mut self, due: Due) {
        self.office.agenda.cancel(due);
    }

    /// The next number: of a request, a subscription, a call.
    pub(super) fn number(&mut self) -> u32 {
        self.office.numbers = self.office.numbers.wrapping_add(1);
        self.office.numbers
    }

    /// A uniform number in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        self.office.dice.unit()
    }

    /// A tag: eight letters and digits.
    pub(super) fn tag(&mut self) -> Arc<str> {
        token(&mut self.office.dice, 8)
    }

    /// A Call-ID: ten letters and digits at this host's address.
    pub(super) fn call_id(&mut self) -> Arc<str> {
        let token = token(&mut self.office.dice, 10);
        format!("{token}@{}", self.settings().own.address).into()
    }

    /// The `Contact` of this user.
    pub(super) fn contact(&self) -> Contacts {
        Contacts::one(Contact::of(self.settings().contact.clone()))
    }

    /// A request of this user outside of any dialog (RFC 3261 §8.1.1), which goes through the
    /// outbound proxy if there is one.
    pub(super) fn request(&self, method: Method, to: Uri, series: &Series) -> Request {
        let settings = self.settings();
        let from = NameAddress::of(settings.aor.clone()).tagged(&series.tag);
        let call_id = Arc::clone(&series.call_id);
        let mut headers = Headers::new(from, NameAddress::of(to.clone()), call_id, series.cseq);
        headers.max_forwards = Some(MAX_FORWARDS);
        headers.route = settings.outbound.iter().cloned().map(NameAddress::of).collect();
        headers.product = Some(Arc::clone(&settings.product));
        Request { method, uri: to, headers, body: Arc::from([]) }
    }

    /// The next request in a dialog.
    pub(super) fn request_within(&self, dialog: &mut Dialog, method: Method) -> Request {
        let mut request = dialog.request(method);
        request.headers.product = Some(Arc::clone(&self.settings().product));
        request
    }

    /// Sends a request outside of any dialog, as soon as the host says where to.
    pub(super) fn send(&mut self, errand: Errand, request: Request, cause: Cause) -> ExchangeId {
        let next_hop = request.headers.route.first().map_or(&request.uri, |route| &route.uri);
        let next_hop = next_hop.clone();
        self.begin(errand, request, next_hop, Some(cause), false)
    }

    /// Sends a request in a dialog by its route set.
    pub(super) fn send_within(
        &mut self,
        dialog: &Dialog,
        errand: Errand,
        request: Request,
        cause: Option<Cause>,
    ) -> ExchangeId {
        self.begin(errand, request, dialog.next_hop().clone(), cause, true)
    }

    fn begin(
        &mut self,
        errand: Errand,
        request: Request,
        next_hop: Uri,
        cause: Option<Cause>,
        in_dialog: bool,
    ) -> ExchangeId {
        let id = ExchangeId(self.number());
        let key = request.key();
        if let Some(cause) = cause {
            let (method, to) = (request.method.clone(), request.headers.to.uri.clone());
            self.tell(Upcall::Began { key, method, to, cause });
        }
        self.tell(Upcall::Locate { ticket: Ticket(id.0), next_hop, in_dialog });
        let stage = Stage::Locating(Box::new(request));
        self.office.exchanges.insert(id, Exchange { errand, key, stage });
        id
    }

    /// The host says where the next hop of a request is: the request goes there.
    pub(super) fn located(
        &mut self,
        ticket: Ticket,
        found: Result<Vec<Endpoint>, Unlocated>,
    ) -> Located {
        let id = ExchangeId(ticket.0);
        let Some(exchange) = self.office.exchanges.get_mut(&id) else { return Located::Nothing };
        let Stage::Locating(_) = exchange.stage else { return Located::Nothing };
        let errand = exchange.errand;
        let mut endpoints = found.unwrap_or_default();
        endpoints.reverse();
        let Some(first) = endpoints.pop() else {
            return Located::Nowhere { id };
        };
        let Some(Exchange { key, stage: Stage::Locating(request), .. }) =
            self.office.exchanges.remove(&id)
        else {
            return Located::Nothing;
        };
        if matches!(errand, Errand::Ack(_)) {
            return Located::Ack { errand, ack: request, to: first };
        }
        if !self.office.settings.failover {
            endpoints.clear();
        }
        let stage = self.transmit(id, *request, first, endpoints);
        self.office.exchanges.insert(id, Exchange { errand, key, stage });
        Located::Sent { errand }
    }

    fn transmit(
        &mut self,
        id: ExchangeId,
        request: Request,
        to: Endpoint,
        endpoints: Vec<Endpoint>,
    ) -> Stage {
        let spare = (!endpoints.is_empty())
            .then(|| Box::new(Spare { request: request.clone(), endpoints }));
        let client = self.tx.request(self.ctx, request, to, Owner::Agent(id.0));
        Stage::Sent { client, spare }
    }

    /// A final response has come for a request that is under way, or its transaction has failed.
    /// Where more elements are known, the next one is tried on 503 and when none answered (RFC 3263
    /// §4.3); otherwise the request has ended.
    pub(super) fn ended(&mut self, id: ExchangeId, how: Final) -> Option<(Errand, Final)> {
        let exchange = self.office.exchanges.get_mut(&id)?;
        let try_next = match how.outcome() {
            Outcome::Status(status) => status == Status::SERVICE_UNAVAILABLE,
            Outcome::Timeout | Outcome::Transport => true,
            Outcome::Unlocated | Outcome::GivenUp => false,
        };
        let errand = exchange.errand;
        if try_next && let Stage::Sent { spare: spare @ Some(_), .. } = &mut exchange.stage {
            let mut spare = spare.take().expect("it was just seen");
            let next = spare.endpoints.pop().expect("a spare has endpoints left");
            let stage = self.transmit(id, spare.request, next, spare.endpoints);
            self.office.exchanges.get_mut(&id).expect("it was just there").stage = stage;
            return None;
        }
        let key = self.office.exchanges.remove(&id)?.key;
        if !matches!(errand, Errand::Ack(_)) {
            self.tell(Upcall::Ended { key, outcome: how.outcome() });
        }
        Some((errand, how))
    }

    /// No other element is to be tried for a request: a provisional response shows that somebody is
    /// there, or the user has given up. Whose request it is.
    pub(super) fn pin(&mut self, id: ExchangeId) -> Option<(Errand, RequestKey)> {
        let exchange = self.office.exchanges.get_mut(&id)?;
        if let Stage::Sent { spare, .. } = &mut exchange.stage {
            *spare = None;
        }
        Some((exchange.errand, exchange.key))
    }

    /// Whether a request has begun and not ended.
    pub(super) fn is_under_way(&self, id: ExchangeId) -> bool {
        self.office.exchanges.contains_key(&id)
    }

    /// The transaction of a request that has been sent and not ended.
    pub(super) fn client(&self, id: ExchangeId) -> Option<ClientId> {
        match self.office.exchanges.get(&id)?.stage {
            Stage::Locating(_) => None,
            Stage::Sent { client, .. } => Some(client),
        }
    }

    /// Answers a request.
    pub(super) fn respond(&mut self, server: ServerId, mut response: Response) {
        response.headers.product = Some(Arc::clone(&self.office.settings.product));
        self.tx.respond(self.ctx, server, response);
    }

    /// Answers a request with nothing but a status and tells the host.
    pub(super) fn answer(&mut self, server: ServerId, request: &Request, status: Status) {
        self.answer_with(server, request, status, &[]);
    }

    /// The same with these header fields.
    pub(super) fn answer_with(
        &mut self,
        server: ServerId,
        request: &Request,
        status: Status,
        headers: &[(&str, &str)],
    ) {
        let tag = self.tag();
        let mut response = request.respond(status, Some(&tag));
        let headers = headers.iter().map(|&(name, value)| (name.into(), value.into()));
        response.headers.other.extend(headers);
        self.respond(server, response);
        self.received(request, status);
    }

    /// Tells the host with what a request was answered.
    pub(super) fn received(&mut self, request: &Request, status: Status) {
        let from = request.headers.from.uri.clone();
        let (key, method) = (request.key(), request.method.clone());
        self.tell(Upcall::Received { key, method, from, status });
    }
}

/// What became of the answer to a [`Upcall::Locate`].
pub(super) enum Located {
    /// Nobody waits for it any more.
    Nothing,
    /// There is nowhere to send the request.
    Nowhere { id: ExchangeId },
    /// The request is on its way.
    Sent { errand: Errand },
    /// This ACK is to be sent there.
    Ack { errand: Errand, ack: Box<Request>, to: Endpoint },
}

/// How the failure of a transaction looks to its user.
pub(super) const fn failed(why: Failure) -> Final {
    Final::Failure(match why {
        Failure::Timeout => Outcome::Timeout,
        Failure::Transport => Outcome::Transport,
    })
}

/// The name and the count that requests outside of a dialog share: all registrations of a user, for
/// instance (RFC 3261 §10.2).
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) call_id: Arc<str>,
    pub(super) tag: Arc<str>,
    pub(super) cseq: u32,
}

impl Series {
    pub(super) fn new<C: Wire>(desk: &mut Desk<'_, C>) -> Self {
        Self { call_id: desk.call_id(), tag: desk.tag(), cseq: 1 }
    }
}
