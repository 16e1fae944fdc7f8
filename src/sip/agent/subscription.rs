//! Subscriptions of a user to the presence of others (RFC 6665 §4.1, RFC 3856): the subscriber's
//! side.
//!
//! The user wants to know a peer's presence, for ever or for some time; the agent sees to it. It
//! subscribes, renews inside the dialog before the lease ends, and when the subscription is lost
//! begins a new one: at once, or after a pause when that has just failed too. It is lost when a
//! SUBSCRIBE in the dialog ends with one of the responses of RFC 6665 §4.1.2.2 or unanswered; when
//! no NOTIFY follows a SUBSCRIBE within Timer N; when the lease goes by; when a NOTIFY says so.
//!
//! One subscription has one dialog, also when a proxy forks the SUBSCRIBE (RFC 3856 §6.9): the
//! first notifier is it, the others are told 481.

use std::collections::BTreeMap;

use crate::sip::agent::body;
use crate::sip::agent::desk::{Desk, Due, Errand, ExchangeId, Final, Series};
use crate::sip::agent::pause::{Pauses, TRANSACTION, ends_subscription, is_transient, renewal};
use crate::sip::agent::upcall::{Cause, Loss, Outcome, SubscriptionChange, Upcall};
use crate::sip::dialog::Dialog;
use crate::sip::header::{EventPackage, Headers, SubscriptionState};
use crate::sip::message::{Method, Request, Response, Status};
use crate::sip::pidf;
use crate::sip::transaction::{ServerId, Wire};
use crate::sip::uri::Uri;
use crate::time::{SimDuration, SimTime};

/// The number of a subscription of this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SubscriptionId(u32);

/// All subscriptions of a user.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions {
    all: BTreeMap<SubscriptionId, Subscription>,
}

#[derive(Clone, Debug)]
struct Subscription {
    peer: Uri,
    /// The name of the SUBSCRIBE that began it, and of the dialog.
    series: Series,
    dialog: Option<Dialog>,
    under_way: Option<ExchangeId>,
    wish: Wish,
    /// The `Expires` to ask for; 423 raises it.
    expires_s: u32,
    /// The end of the lease, once a 2xx has granted it.
    until: Option<SimTime>,
    /// Whether a NOTIFY has come since it was begun.
    notified: bool,
    /// What the host was told last.
    reported: Reported,
    pauses: Pauses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// The user wants it.
    Keep,
    /// The user does not want it any longer; a SUBSCRIBE is under way that has to end first.
    Leave,
    /// The agent has said so, and waits for the last NOTIFY.
    Leaving,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reported {
    Nothing,
    Active,
    /// Lost, and never was active.
    Failed,
    /// Lost after having been active.
    Lost,
}

impl Subscriptions {
    /// The user wants to know this peer's presence, for so long or for ever.
    pub(super) fn subscribe<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        peer: Uri,
        keep: Option<SimDuration>,
    ) {
        let id = match self.find(&peer) {
            Some(id) => id,
            None => {
                let id = SubscriptionId(desk.number());
                self.all.insert(id, Subscription::new(desk, peer));
                id
            }
        };
        match keep {
            Some(span) => desk.set_after(Due::Unsubscribe(id), span),
            None => desk.cancel(Due::Unsubscribe(id)),
        }
        let Some(subscription) = self.all.get_mut(&id) else { return };
        subscription.wish = Wish::Keep;
        if subscription.under_way.is_none() {
            subscription.ask(desk, id, Cause::Asked);
        }
    }

    /// The user does not want to know this peer's presence any longer.
    pub(super) fn unsubscribe<C: Wire>(&mut self, desk: &mut Desk<'_, C>, peer: &Uri) {
        if let Some(id) = self.find(peer) {
            self.leave(desk, id);
        }
    }

    /// The subscription that the user wants to this peer; one that is being ended does not count.
    fn find(&self, peer: &Uri) -> Option<SubscriptionId> {
        let same = |subscription: &Subscription| {
            subscription.wish != Wish::Leaving && same_resource(&subscription.peer, peer)
        };
        self.all.iter().find(|(_, subscription)| same(subscription)).map(|(id, _)| *id)
    }

    /// Ends a subscription: by a SUBSCRIBE that asks for no time at all.
    pub(super) fn leave<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId) {
        let Some(subscription) = self.all.get_mut(&id) else { return };
        desk.cancel(Due::Unsubscribe(id));
        if subscription.under_way.is_some() {
            subscription.wish = Wish::Leave;
        } else if subscription.dialog.is_some() {
            subscription.wish = Wish::Leaving;
            subscription.ask(desk, id, Cause::Asked);
        } else {
            self.end(desk, id);
        }
    }

    /// It is over as the user wished.
    fn end<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId) {
        if let Some(subscription) = self.forget(desk, id) {
            let state = SubscriptionChange::Ended;
            desk.tell(Upcall::SubscriptionChanged { peer: subscription.peer, state });
        }
    }

    fn forget<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: SubscriptionId,
    ) -> Option<Subscription> {
        desk.cancel(Due::Unsubscribe(id));
        forget_lease(desk, id);
        self.all.remove(&id)
    }

    /// It is time to renew, or to try again.
    pub(super) fn renew<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId) {
        let Some(subscription) = self.all.get_mut(&id) else { return };
        if subscription.under_way.is_some() {
            return;
        }
        let cause = match (subscription.pauses.failing(), &subscription.dialog) {
            (false, Some(_)) => Cause::Refresh,
            (false, None) => Cause::Resubscribe,
            (true, _) => Cause::Retry,
        };
        subscription.ask(desk, id, cause);
    }

    /// A SUBSCRIBE has been handed to the network: Timer N runs.
    pub(super) fn sent<C: Wire>(&self, desk: &mut Desk<'_, C>, id: SubscriptionId) {
        desk.set_after(Due::NotNotified(id), TRANSACTION);
    }

    /// Timer N. While the SUBSCRIBE itself is still unanswered, its own time-out decides; should it
    /// go to another address then, the timer runs again.
    pub(super) fn not_notified<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId) {
        let Some(subscription) = self.all.get(&id) else { return };
        match subscription.wish {
            _ if subscription.under_way.is_some() => {
                desk.set_after(Due::NotNotified(id), TRANSACTION);
            }
            Wish::Leaving => self.end(desk, id),
            Wish::Keep | Wish::Leave => self.lose(desk, id, Loss::NotNotified),
        }
    }

    /// The lease has gone by.
    pub(super) fn lapse<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId) {
        let Some(subscription) = self.all.get(&id) else { return };
        if subscription.wish == Wish::Leaving {
            self.end(desk, id);
        } else {
            self.lose(desk, id, Loss::Expired);
        }
    }

    /// A SUBSCRIBE has ended.
    pub(super) fn ended<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: SubscriptionId,
        exchange: ExchangeId,
        how: &Final,
    ) {
        let Some(subscription) = self.all.get_mut(&id) else { return };
        if subscription.under_way != Some(exchange) {
            // It belonged to a dialog that was lost meanwhile.
            return;
        }
        subscription.under_way = None;
        match how {
            Final::Response(response) if response.status.is_success() => {
                subscription.granted(desk, id, response);
            }
            _ => {
                desk.cancel(Due::NotNotified(id));
                self.failed(desk, id, how);
            }
        }
        if self.all.get(&id).is_some_and(|subscription| subscription.wish == Wish::Leave) {
            self.leave(desk, id);
        }
    }

    fn failed<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId, how: &Final) {
        let Some(subscription) = self.all.get_mut(&id) else { return };
        let outcome = how.outcome();
        if subscription.wish == Wish::Leaving {
            self.end(desk, id);
        } else if subscription.may_take_longer(how) {
            subscription.ask(desk, id, Cause::Retry);
        } else if subscription.dialog.is_none() {
            self.refused(desk, id, how);
        } else if ends_subscription(outcome) {
            self.lose(desk, id, Loss::Failed(outcome));
        } else {
            // The subscription goes on until its lease ends; there is time to try again.
            let pause = subscription.pauses.next(desk, how);
            desk.set_after(Due::Subscribe(id), pause);
        }
    }

    /// A SUBSCRIBE outside of a dialog has failed: to be tried again after a pause if that is any
    /// use. A user who was there before may well come back.
    fn refused<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId, how: &Final) {
        let Some(subscription) = self.all.get_mut(&id) else { return };
        let outcome = how.outcome();
        let was_there = subscription.reported == Reported::Lost;
        let absent = outcome == Outcome::Status(Status::NOT_FOUND) && was_there;
        subscription.report_loss(desk, Loss::Failed(outcome));
        if is_transient(outcome) || absent {
            subscription.series = Series::new(desk);
            let pause = subscription.pauses.next(desk, how);
            desk.set_after(Due::Subscribe(id), pause);
        } else {
            self.forget(desk, id);
        }
    }

    /// The subscription is lost. A new one is begun at once if this one was any good.
    fn lose<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId, why: Loss) {
        let Some(subscription) = self.all.get_mut(&id) else { return };
        forget_lease(desk, id);
        if subscription.wish != Wish::Keep {
            self.end(desk, id);
            return;
        }
        let was_good = subscription.reported == Reported::Active;
        subscription.report_loss(desk, why);
        subscription.dialog = None;
        subscription.until = None;
        subscription.notified = false;
        // Should one be under way, it ends as a request of the dialog that is gone.
        subscription.under_way = None;
        subscription.series = Series::new(desk);
        if was_good {
            subscription.pauses.reset();
            subscription.ask(desk, id, Cause::Resubscribe);
        } else {
            let how = Final::Failure(Outcome::Timeout);
            let pause = subscription.pauses.next(desk, &how);
            desk.set_after(Due::Subscribe(id), pause);
        }
    }

    /// A NOTIFY has arrived.
    pub(super) fn notify<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        server: ServerId,
        request: &Request,
    ) {
        let status = match self.examine(request) {
            Err(status) => status,
            Ok((id, state)) => {
                desk.answer(server, request, Status::OK);
                self.notified(desk, id, request, &state);
                return;
            }
        };
        desk.answer(server, request, status);
    }

    /// To which subscription a NOTIFY belongs and what it says of it; sets up the dialog if there
    /// is none yet.
    fn examine(
        &mut self,
        request: &Request,
    ) -> Result<(SubscriptionId, SubscriptionState), Status> {
        let headers = &request.headers;
        let found = self.all.iter_mut().find(|(_, subscription)| subscription.includes(headers));
        let (id, subscription) = found.ok_or(Status::NO_TRANSACTION)?;
        if headers.event.as_ref().is_none_or(|event| *event.package != *"presence") {
            return Err(Status::BAD_EVENT);
        }
        let state = headers.subscription_state.clone().ok_or(Status::BAD_REQUEST)?;
        match &mut subscription.dialog {
            Some(dialog) => dialog.receive(request)?,
            None => {
                let series = &subscription.series;
                let dialog = Dialog::of_request(request, &series.tag).ok_or(Status::BAD_REQUEST)?;
                subscription.dialog = Some(dialog.has_sent(series.cseq));
            }
        }
        Ok((*id, state))
    }

    fn notified<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: SubscriptionId,
        request: &Request,
        state: &SubscriptionState,
    ) {
        let Some(subscription) = self.all.get_mut(&id) else { return };
        desk.cancel(Due::NotNotified(id));
        let first = !std::mem::replace(&mut subscription.notified, true);
        let (peer, open) = (subscription.peer.clone(), body::presence_in(request));
        desk.tell(Upcall::Notified { peer, open });
        match state {
            SubscriptionState::Active { expires } | SubscriptionState::Pending { expires } => {
                if let Some(seconds) = *expires {
                    subscription.shorten(desk, id, seconds);
                }
                if first || subscription.reported != Reported::Active {
                    subscription.report_if_active(desk);
                }
                if subscription.wish == Wish::Leaving && subscription.under_way.is_none() {
                    // One that was on its way when the user left; the last one is still to come.
                    desk.set_after(Due::NotNotified(id), TRANSACTION);
                }
            }
            SubscriptionState::Terminated { reason, retry_after } => {
                self.terminated(desk, id, reason.as_deref(), *retry_after);
            }
        }
    }

    /// A NOTIFY says that the subscription is over (RFC 6665 §4.1.3).
    fn terminated<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: SubscriptionId,
        reason: Option<&str>,
        retry_after: Option<u32>,
    ) {
        let Some(subscription) = self.all.get_mut(&id) else { return };
        if subscription.wish != Wish::Keep {
            self.end(desk, id);
            return;
        }
        match reason {
            Some("rejected" | "noresource") => {
                subscription.report_loss(desk, Loss::Rejected);
                self.forget(desk, id);
            }
            Some("probation" | "giveup") => {
                // Not at once: as if the one before had been no good.
                subscription.report_loss(desk, Loss::Terminated);
                self.lose(desk, id, Loss::Terminated);
            }
            _ => self.lose(desk, id, Loss::Terminated),
        }
        if let Some(seconds) = retry_after
            && let Some(subscription) = self.all.get(&id)
            && subscription.under_way.is_none()
        {
            desk.set_after(Due::Subscribe(id), SimDuration::from_secs(u64::from(seconds)));
        }
    }
}

impl Subscription {
    fn new<C: Wire>(desk: &mut Desk<'_, C>, peer: Uri) -> Self {
        Self {
            peer,
            series: Series::new(desk),
            dialog: None,
            under_way: None,
            wish: Wish::Keep,
            expires_s: desk.settings().subscription_expires,
            until: None,
            notified: false,
            reported: Reported::Nothing,
            pauses: Pauses::NONE,
        }
    }

    /// Sends a SUBSCRIBE: inside the dialog if there is one.
    fn ask<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId, cause: Cause) {
        desk.cancel(Due::Subscribe(id));
        let errand = Errand::Subscribe(id);
        let exchange = match &mut self.dialog {
            Some(dialog) => {
                let mut request = desk.request_within(dialog, Method::Subscribe);
                let expires_s = if self.wish == Wish::Leaving { 0 } else { self.expires_s };
                fill_in(desk, &mut request, expires_s);
                desk.send_within(dialog, errand, request, Some(cause))
            }
            None => {
                let mut request = desk.request(Method::Subscribe, self.peer.clone(), &self.series);
                fill_in(desk, &mut request, self.expires_s);
                desk.send(errand, request, cause)
            }
        };
        self.under_way = Some(exchange);
    }

    /// Whether the server wants to be asked for longer, which is then done.
    fn may_take_longer(&mut self, how: &Final) -> bool {
        let Final::Response(response) = how else { return false };
        let least = response.headers.min_expires.unwrap_or(0);
        if response.status != Status::INTERVAL_TOO_BRIEF || least <= self.expires_s {
            return false;
        }
        self.expires_s = least;
        if self.dialog.is_none() {
            self.series.cseq += 1;
        }
        true
    }

    fn granted<C: Wire>(
        &mut self,
        desk: &mut Desk<'_, C>,
        id: SubscriptionId,
        response: &Response,
    ) {
        match &mut self.dialog {
            Some(dialog) => dialog.confirm(response),
            // Without a tag or a contact there is no dialog yet; a NOTIFY may still make it.
            None => self.dialog = Dialog::of_response(response),
        }
        if self.wish == Wish::Leaving {
            return;
        }
        let seconds = response.headers.expires.unwrap_or(self.expires_s);
        let until = desk.now() + SimDuration::from_secs(u64::from(seconds));
        self.until = Some(until);
        desk.set(Due::SubscriptionLapse(id), until);
        if seconds > 0 {
            desk.set_after(Due::Subscribe(id), renewal(seconds));
            self.report_if_active(desk);
        }
    }

    /// The notifier says how much longer it lasts: counts if that is less than was granted. A
    /// second is left for the way and for rounding.
    fn shorten<C: Wire>(&mut self, desk: &mut Desk<'_, C>, id: SubscriptionId, seconds: u32) {
        let until = desk.now() + SimDuration::from_secs(u64::from(seconds));
        let slack = SimDuration::from_secs(1);
        if self.wish == Wish::Keep && self.until.is_some_and(|known| until + slack < known) {
            self.until = Some(until);
            desk.set_after(Due::Subscribe(id), renewal(seconds));
            desk.set(Due::SubscriptionLapse(id), until);
        }
    }

    /// Tells the host once both a 2xx and a NOTIFY are there, and at each renewal.
    fn report_if_active<C: Wire>(&mut self, desk: &mut Desk<'_, C>) {
        if let Some(until) = self.until
            && self.notified
            && self.dialog.is_some()
            && self.wish != Wish::Leaving
        {
            self.reported = Reported::Active;
            self.pauses.reset();
            let (peer, state) = (self.peer.clone(), SubscriptionChange::Active { until });
            desk.tell(Upcall::SubscriptionChanged { peer, state });
        }
    }

    /// Tells the host, unless it knows.
    fn report_loss<C: Wire>(&mut self, desk: &mut Desk<'_, C>, why: Loss) {
        self.reported = match self.reported {
            Reported::Nothing => Reported::Failed,
            Reported::Active => Reported::Lost,
            Reported::Failed | Reported::Lost => return,
        };
        let (peer, state) = (self.peer.clone(), SubscriptionChange::Lost { why });
        desk.tell(Upcall::SubscriptionChanged { peer, state });
    }

    /// Whether a NOTIFY belongs to it: by the dialog, or before there is one by this end's half.
    fn includes(&self, headers: &Headers) -> bool {
        match &self.dialog {
            Some(dialog) => dialog.includes(headers),
            None => {
                headers.call_id == self.series.call_id
                    && headers.to.tag.as_ref() == Some(&self.series.tag)
            }
        }
    }
}

fn fill_in<C: Wire>(desk: &Desk<'_, C>, request: &mut Request, expires_s: u32) {
    request.headers.contact = desk.contact();
    request.headers.event = Some(EventPackage::presence());
    request.headers.expires = Some(expires_s);
    request.headers.other.push(("Accept".into(), pidf::CONTENT_TYPE.into()));
}

fn forget_lease<C: Wire>(desk: &mut Desk<'_, C>, id: SubscriptionId) {
    for due in [Due::Subscribe(id), Due::SubscriptionLapse(id), Due::NotNotified(id)] {
        desk.cancel(due);
    }
}

/// Whether two URIs name the same user.
fn same_resource(one: &Uri, other: &Uri) -> bool {
    match (one.sip(), other.sip()) {
        (Some(one), Some(other)) => one.same_resource(other),
        _ => one == other,
    }
}
