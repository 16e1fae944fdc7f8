//! Who is subscribed to whom, and the NOTIFY requests to them: the notifier of RFC 6665 §4.2.

use std::collections::BTreeMap;

use super::publication::Publications;
use super::{Due, NotifyOutcome, PresenceSettings, Ticket, Turn, Upcall, WatcherChange};
use crate::address::Endpoint;
use crate::sip::dialog::Dialog;
use crate::sip::pidf::{self, Presence};
use crate::sip::registrar::AddressOfRecord;
use crate::sip::transaction::{Owner, ServerId, Wire};
use crate::sip::{
    Contact, Contacts, EventPackage, Headers, Method, Request, RequestKey, Status,
    SubscriptionState,
};
use crate::time::{SimDuration, SimTime};

/// Names a subscription, in tickets and towards the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WatcherId(pub(super) u32);

/// All subscriptions.
#[derive(Clone, Debug, Default)]
pub(super) struct Watchers {
    last: u32,
    all: BTreeMap<WatcherId, Watcher>,
}

#[derive(Clone, Debug)]
struct Watcher {
    dialog: Dialog,
    entity: AddressOfRecord,
    event: EventPackage,
    until: SimTime,
    /// When the last NOTIFY was sent.
    notified: Option<SimTime>,
    notifying: Notifying,
    /// Whether it is over, and only the last NOTIFY is left to be sent or answered.
    over: bool,
}

/// How far the NOTIFY requests of a subscription are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notifying {
    /// None is under way.
    Idle,
    /// It is being found out where one goes; it will say what is so by then.
    Locating,
    /// One was sent.
    Sent {
        key: RequestKey,
        /// It does not say what is so now.
        outdated: bool,
    },
}

impl Watchers {
    pub(super) fn current(&self) -> usize {
        self.all.values().filter(|watcher| !watcher.over).count()
    }

    pub(super) fn includes(&self, headers: &Headers) -> bool {
        self.all.values().any(|watcher| watcher.dialog.includes(headers))
    }

    /// The subscription that a SUBSCRIBE makes or refreshes, with the seconds granted.
    pub(super) fn admit(
        &mut self,
        settings: &PresenceSettings,
        request: &Request,
        tag: &str,
    ) -> Result<(WatcherId, u32), Status> {
        let headers = &request.headers;
        let asked = settings.grant(headers.expires, settings.max_subscription);
        if headers.to.tag.is_some() {
            let belongs = |watcher: &Watcher| !watcher.over && watcher.dialog.includes(headers);
            let found = self.all.iter_mut().find(|(_, watcher)| belongs(watcher));
            let (&id, watcher) = found.ok_or(Status::NO_TRANSACTION)?;
            let seconds = asked?;
            watcher.dialog.receive(request)?;
            return Ok((id, seconds));
        }
        let seconds = asked?;
        let is_copy = |watcher: &Watcher| {
            *watcher.dialog.call_id() == headers.call_id
                && watcher.dialog.remote().tag == headers.from.tag
        };
        if self.all.values().any(is_copy) {
            // A proxy has forked it, and it got here twice (RFC 3261 §8.2.2.2).
            return Err(Status::LOOP_DETECTED);
        }
        let entity = AddressOfRecord::of(&request.uri).ok_or(Status::NOT_FOUND)?;
        let dialog = Dialog::of_request(request, tag).ok_or(Status::BAD_REQUEST)?;
        let event = headers.event.clone().ok_or(Status::BAD_EVENT)?;
        self.last = self.last.wrapping_add(1);
        let id = WatcherId(self.last);
        let watcher = Watcher {
            dialog,
            entity,
            event,
            until: SimTime::ZERO,
            notified: None,
            notifying: Notifying::Idle,
            over: false,
        };
        self.all.insert(id, watcher);
        Ok((id, seconds))
    }

    /// Answers a SUBSCRIBE, and says at once how the user is.
    pub(super) fn accept<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        server: ServerId,
        request: &Request,
        id: WatcherId,
        seconds: u32,
    ) {
        let Some(watcher) = self.all.get_mut(&id) else { return };
        let mut response = request.respond(Status::OK, watcher.dialog.local_tag());
        response.headers.expires = Some(seconds);
        response.headers.contact = contact(turn.settings);
        turn.respond(server, request, response);
        if seconds == 0 {
            return self.end(turn, id, WatcherChange::Unsubscribed);
        }
        let until = turn.ctx.now() + SimDuration::from_secs(u64::from(seconds));
        watcher.until = until;
        turn.agenda.set(Due::Lease(id), turn.settings.noticed(until));
        watcher.report(turn, WatcherChange::Active { until });
        watcher.notify(turn, id);
    }

    /// A subscription is over; the watcher is told.
    pub(super) fn end<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        id: WatcherId,
        why: WatcherChange,
    ) {
        let Some(watcher) = self.all.get_mut(&id) else { return };
        turn.agenda.cancel(Due::Lease(id));
        watcher.over = true;
        watcher.report(turn, why);
        watcher.notify(turn, id);
    }

    /// A user's presence has changed.
    pub(super) fn changed<C: Wire>(&mut self, turn: &mut Turn<'_, C>, entity: &AddressOfRecord) {
        let watching = |watcher: &&mut Watcher| !watcher.over && watcher.entity == *entity;
        let now = turn.ctx.now();
        for (&id, watcher) in &mut self.all {
            if !watching(&watcher) {
                continue;
            }
            let next = watcher.notified.map(|last| last + turn.settings.notify_interval);
            match next.filter(|&next| now < next) {
                Some(next) => turn.agenda.set(Due::Notify(id), next),
                None => watcher.notify(turn, id),
            }
        }
    }

    /// A NOTIFY that was put off is due.
    pub(super) fn notify<C: Wire>(&mut self, turn: &mut Turn<'_, C>, id: WatcherId) {
        if let Some(watcher) = self.all.get_mut(&id) {
            watcher.notify(turn, id);
        }
    }

    /// It is known where a NOTIFY goes, or that it goes nowhere. In that case the next change is
    /// tried again: nothing says that the watcher is gone.
    pub(super) fn located<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        publications: &Publications,
        id: WatcherId,
        to: Result<Endpoint, Status>,
    ) {
        let Some(watcher) = self.all.get_mut(&id) else { return };
        if watcher.notifying != Notifying::Locating {
            return;
        }
        match to {
            Ok(to) => {
                let now = turn.ctx.now();
                let open = publications.is_open(&watcher.entity, now);
                let request = watcher.request(turn.settings, now, open);
                let key = request.key();
                watcher.notified = Some(now);
                watcher.notifying = Notifying::Sent { key, outdated: false };
                turn.upcalls.push(Upcall::Notifies { key, to });
                turn.tx.request(turn.ctx, request, to, Owner::Presence(id.0));
            }
            Err(_) if watcher.over => {
                self.all.remove(&id);
            }
            Err(_) => watcher.notifying = Notifying::Idle,
        }
    }

    /// A NOTIFY has ended, or a provisional response came.
    pub(super) fn ended<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        id: WatcherId,
        outcome: NotifyOutcome,
    ) {
        let Some(watcher) = self.all.get_mut(&id) else { return };
        let Notifying::Sent { key, outdated } = watcher.notifying else { return };
        if matches!(outcome, NotifyOutcome::Status(status) if status.is_provisional()) {
            return;
        }
        turn.upcalls.push(Upcall::Notified { key, outcome });
        let gone = removes(turn.settings, outcome);
        if gone && !watcher.over {
            watcher.report(turn, WatcherChange::Failed(outcome));
        }
        if gone || (watcher.over && !outdated) {
            turn.agenda.cancel(Due::Lease(id));
            turn.agenda.cancel(Due::Notify(id));
            self.all.remove(&id);
            return;
        }
        watcher.notifying = Notifying::Idle;
        if outdated {
            watcher.notify(turn, id);
        }
    }
}

impl Watcher {
    /// Has a NOTIFY sent, once the one before has ended.
    fn notify<C: Wire>(&mut self, turn: &mut Turn<'_, C>, id: WatcherId) {
        turn.agenda.cancel(Due::Notify(id));
        match &mut self.notifying {
            Notifying::Idle => {
                self.notifying = Notifying::Locating;
                let next_hop = self.dialog.next_hop().clone();
                turn.upcalls.push(Upcall::Locate { ticket: Ticket(id.0), next_hop });
            }
            Notifying::Locating => {}
            Notifying::Sent { outdated, .. } => *outdated = true,
        }
    }

    fn request(&mut self, settings: &PresenceSettings, now: SimTime, open: bool) -> Request {
        let mut request = self.dialog.request(Method::Notify);
        let headers = &mut request.headers;
        headers.contact = contact(settings);
        headers.event = Some(self.event.clone());
        headers.subscription_state = Some(if self.over {
            SubscriptionState::Terminated { reason: Some("timeout".into()), retry_after: None }
        } else {
            let left = self.until.since(now).as_secs();
            SubscriptionState::Active { expires: u32::try_from(left).ok() }
        });
        headers.product.clone_from(&settings.product);
        headers.content_type = Some(pidf::CONTENT_TYPE.into());
        request.body = Presence { entity: self.entity.uri(), open }.body();
        request
    }

    fn report<C: Wire>(&self, turn: &mut Turn<'_, C>, state: WatcherChange) {
        let watcher = self.dialog.remote().uri.clone();
        turn.upcalls.push(Upcall::WatcherChanged { watcher, entity: self.entity.uri(), state });
    }
}

fn contact(settings: &PresenceSettings) -> Contacts {
    Contacts::one(Contact::of(settings.contact.clone()))
}

/// Whether a NOTIFY that ended so means that the subscription is gone (RFC 6665 §4.2.2). That
/// nobody can be reached counts as a time-out.
fn removes(settings: &PresenceSettings, outcome: NotifyOutcome) -> bool {
    match outcome {
        NotifyOutcome::Failed(_) => settings.removes_on_timeout,
        NotifyOutcome::Status(status) => match status.code() {
            408 => settings.removes_on_timeout,
            404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604 => true,
            _ => false,
        },
    }
}
