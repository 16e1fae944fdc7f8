//! Subscriptions of others to a user's presence (RFC 6665 §4.2, RFC 3856): the notifier's side.
//!
//! Each SUBSCRIBE is answered and followed at once by a NOTIFY with the user's presence, and so is
//! each change of it, but no more often than every five seconds (RFC 3856 §6.10). One NOTIFY of a
//! subscription is under way at a time, so that they cannot overtake each other; what changes
//! meanwhile is said by the next. The lease ends with a NOTIFY that says `terminated`. A NOTIFY that
//! nobody answers removes the subscription, and so do the responses of RFC 6665 §4.2.2.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sip::agent::body;
use crate::sip::agent::desk::{Desk, Due, Errand, Final};
use crate::sip::agent::pause::ends_subscription;
use crate::sip::agent::upcall::{Cause, Outcome, Upcall, WatcherChange};
use crate::sip::dialog::Dialog;
use crate::sip::header::{EventPackage, SubscriptionState};
use crate::sip::message::{Method, Request, Status};
use crate::sip::transaction::{ServerId, Wire};
use crate::time::{SimDuration, SimTime};

/// The least time between notifications of changes (RFC 3856 §6.10).
const LEAST_INTERVAL: SimDuration = SimDuration::from_secs(5);

/// The number of a subscription to this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WatcherId(u32);

/// All subscriptions to a user.
#[derive(Clone, Debug)]
pub(super) struct Watchers {
    all: BTreeMap<WatcherId, Watcher>,
    /// The user's presence.
    open: bool,
}

#[derive(Clone, Debug)]
struct Watcher {
    dialog: Dialog,
    event: EventPackage,
    until: SimTime,
    /// When the last NOTIFY was begun.
    last: SimTime,
    notifying: Notifying,
    /// Why it is over, once it is; then only the last NOTIFY remains to be sent or answered.
    over: Option<WatcherChange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notifying {
    Idle,
    /// A NOTIFY is under way.
    UnderWay,
    /// A NOTIFY is under way, and there is something new to say.
    Outdated,
}

impl Watchers {
    pub(super) const fn new() -> Self {
        Self { all: BTreeMap::new(), open: true }
    }

    /// The user's presence is now this: who watches is told.
    pub(super) fn show<C: Wire>(&mut self, desk: &mut Desk<'_, C>, open: bool) {
        if std::mem::replace(&mut self.open, open) == open {
            return;
        }
        let now = desk.now();
        for (id, watcher) in &mut self.all {
            let next = watcher.last + LEAST_INTERVAL;
            if now < next {
                desk.set(Due::Notify(*id), next);
            } else {
                watcher.notify(desk, *id, open);
            }
        }
    }

    /// A notification that was put off is due.
    pub(super) fn notify<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: WatcherId) {
        if let Some(watcher) = self.all.get_mut(&id) {
            watcher.notify(desk, id, self.open);
        }
    }

    /// The lease has gone by.
    pub(super) fn lapse<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: WatcherId) {
        self.terminate(desk, id, WatcherChange::Expired);
    }

    fn terminate<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: WatcherId, why: WatcherChange) {
        let Some(watcher) = self.all.get_mut(&id) else { return };
        desk.cancel(Due::WatcherLapse(id));
        watcher.over = Some(why);
        watcher.report(desk, why);
        watcher.notify(desk, id, self.open);
    }

    /// A SUBSCRIBE has arrived.
    pub(super) fn subscribe<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        server: ServerId,
        request: &Request,
    ) {
        let headers = &request.headers;
        let status = match &headers.event {
            Some(event) if *event.package == *"presence" => match &headers.to.tag {
                Some(_) => match self.renewed(request) {
                    Ok(id) => return self.accept(desk, server, request, id),
                    Err(status) => status,
                },
                None if !desk.settings().accepts.subscriptions => Status::DECLINE,
                None => match self.admit(desk, request) {
                    Ok(id) => return self.accept(desk, server, request, id),
                    Err(status) => status,
                },
            },
            _ => Status::BAD_EVENT,
        };
        let mut response = request.respond(status, Some(&desk.tag()));
        if status == Status::BAD_EVENT {
            response.headers.other.push(("Allow-Events".into(), "presence".into()));
        }
        desk.respond(server, response);
        desk.received(request, status);
    }

    /// The subscription that a SUBSCRIBE in a dialog renews or ends.
    fn renewed(&mut self, request: &Request) -> Result<WatcherId, Status> {
        let belongs =
            |watcher: &Watcher| watcher.over.is_none() && watcher.dialog.includes(&request.headers);
        let found = self.all.iter_mut().find(|(_, watcher)| belongs(watcher));
        let (id, watcher) = found.ok_or(Status::NO_TRANSACTION)?;
        watcher.dialog.receive(request)?;
        Ok(*id)
    }

    /// Sets up a new subscription.
    fn admit<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        request: &Request,
    ) -> Result<WatcherId, Status> {
        let headers = &request.headers;
        let is_copy = |watcher: &Watcher| {
            *watcher.dialog.call_id() == headers.call_id
                && watcher.dialog.remote().tag == headers.from.tag
        };
        if self.all.values().any(is_copy) {
            // A proxy has forked it, and both branches end here (RFC 3261 §8.2.2.2).
            return Err(Status::LOOP_DETECTED);
        }
        let tag = desk.tag();
        let dialog = Dialog::of_request(request, &tag).ok_or(Status::BAD_REQUEST)?;
        let event = headers.event.clone().ok_or(Status::BAD_EVENT)?;
        let id = WatcherId(desk.number());
        let (until, last, over) = (desk.now(), desk.now(), None);
        let notifying = Notifying::Idle;
        self.all.insert(id, Watcher { dialog, event, until, last, notifying, over });
        Ok(id)
    }

    /// Grants what a SUBSCRIBE asks for, and says how the user is.
    fn accept<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        server: ServerId,
        request: &Request,
        id: WatcherId,
    ) {
        let Some(watcher) = self.all.get_mut(&id) else { return };
        let most = desk.settings().subscription_expires;
        let seconds = request.headers.expires.unwrap_or(most).min(most);
        let mut response = request.respond(Status::OK, watcher.dialog.local_tag());
        response.headers.expires = Some(seconds);
        response.headers.contact = desk.contact();
        desk.respond(server, response);
        desk.received(request, Status::OK);
        if seconds == 0 {
            self.terminate(desk, id, WatcherChange::Unsubscribed);
            return;
        }
        let until = desk.now() + SimDuration::from_secs(u64::from(seconds));
        watcher.until = until;
        desk.set(Due::WatcherLapse(id), until);
        watcher.report(desk, WatcherChange::Active { until });
        watcher.notify(desk, id, self.open);
    }

    /// A NOTIFY has ended.
    pub(super) fn ended<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: WatcherId, how: &Final) {
        let Some(watcher) = self.all.get_mut(&id) else { return };
        let outcome = how.outcome();
        let said_last = watcher.over.is_some() && watcher.notifying == Notifying::UnderWay;
        let unreachable = matches!(outcome, Outcome::Transport | Outcome::Unlocated);
        if said_last || unreachable || ends_subscription(outcome) {
            let before = watcher.over.replace(WatcherChange::Failed(outcome));
            if before.is_none() {
                watcher.report(desk, WatcherChange::Failed(outcome));
            }
            desk.cancel(Due::WatcherLapse(id));
            desk.cancel(Due::Notify(id));
            self.all.remove(&id);
            return;
        }
        let before = std::mem::replace(&mut watcher.notifying, Notifying::Idle);
        if before == Notifying::Outdated {
            watcher.notify(desk, id, self.open);
        }
    }
}

impl Watcher {
    /// Says how the user is, once the NOTIFY before has ended.
    fn notify<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: WatcherId, open: bool) {
        desk.cancel(Due::Notify(id));
        if self.notifying != Notifying::Idle {
            self.notifying = Notifying::Outdated;
            return;
        }
        self.notifying = Notifying::UnderWay;
        self.last = desk.now();
        let mut request = desk.request_within(&mut self.dialog, Method::Notify);
        request.headers.contact = desk.contact();
        request.headers.event = Some(self.event.clone());
        request.headers.subscription_state = Some(match self.over {
            Some(_) => SubscriptionState::Terminated {
                reason: Some(Arc::from("timeout")),
                retry_after: None,
            },
            None => {
                let left = self.until.since(desk.now()).as_secs();
                SubscriptionState::Active { expires: u32::try_from(left).ok() }
            }
        });
        body::put_presence(&mut request, desk.settings(), open);
        desk.send_within(&self.dialog, Errand::Notify(id), request, Some(Cause::Notification));
    }

    fn report<C: Wire>(&self, desk: &mut Desk<'_, C>, state: WatcherChange) {
        let watcher = self.dialog.remote().uri.clone();
        desk.tell(Upcall::WatcherChanged { watcher, state });
    }
}
