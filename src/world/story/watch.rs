//! Who watches whose presence: what the user agents at both ends tell of a subscription, with the
//! requests that led to it.

use std::collections::BTreeMap;

use super::fate::Subscription;
use super::trip::Trip;
use super::{Users, Way};
use crate::sim::HostId;
use crate::sip::agent::{Loss, SubscriptionChange, Upcall, WatcherChange};
use crate::sip::{Method, Request, RequestKey};
use crate::time::SimTime;
use crate::world::observation::Observation;

/// A subscription: the hosts of who watches and of who is watched.
pub(super) type Pair = (HostId, HostId);

/// A turn in the life of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) at: SimTime,
    pub(super) what: TurnKind,
    /// The last request of it that had ended by then.
    pub(super) trip: Option<Trip>,
}

/// What has happened to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnKind {
    /// It stands, from now on or still.
    Active,
    /// A NOTIFY of it has arrived.
    Notified,
    /// The watcher has lost it.
    Lost(Loss),
    /// Who is watched has dropped it: a NOTIFY failed.
    Dropped,
    /// Who is watched has seen its lease go by.
    Expired,
    /// The user does not want it any longer.
    Ended,
    /// The watcher's host is gone.
    WatcherGone,
    /// The host of who is watched is gone.
    PeerGone,
}

/// All subscriptions in which a host of the story has a part.
#[derive(Debug)]
pub(super) struct Watches {
    users: Users,
    hosts: Vec<HostId>,
    turns: BTreeMap<Pair, Vec<Turn>>,
    /// Requests of subscriptions that are under way, by sender.
    under_way: BTreeMap<(RequestKey, HostId), (Pair, Trip)>,
    /// The last request of each subscription and method that has ended.
    last: BTreeMap<(Pair, Method), Trip>,
}

impl Watches {
    pub(super) fn new(hosts: &[HostId], users: &[(HostId, crate::sip::Uri)]) -> Self {
        Self {
            users: Users::new(users),
            hosts: hosts.to_vec(),
            turns: BTreeMap::new(),
            under_way: BTreeMap::new(),
            last: BTreeMap::new(),
        }
    }

    fn turn(&mut self, at: SimTime, pair: Pair, what: TurnKind, method: Method) {
        let trip = self.last.get(&(pair, method)).cloned();
        self.turns.entry(pair).or_default().push(Turn { at, what, trip });
    }

    /// A host goes.
    pub(super) fn observed(&mut self, now: SimTime, host: HostId, observation: &Observation) {
        if *observation != Observation::HostDown {
            return;
        }
        for (&(watcher, peer), turns) in &mut self.turns {
            let what = if watcher == host {
                TurnKind::WatcherGone
            } else if peer == host {
                TurnKind::PeerGone
            } else {
                continue;
            };
            turns.push(Turn { at: now, what, trip: None });
        }
        self.under_way.retain(|(_, sender), _| *sender != host);
    }

    /// The user agent on a host tells something.
    pub(super) fn told(&mut self, now: SimTime, host: HostId, upcall: &Upcall) {
        if self.hosts.binary_search(&host).is_err() {
            return;
        }
        match upcall {
            Upcall::Began {
                key,
                method: method @ (Method::Subscribe | Method::Notify),
                to,
                cause,
            } => {
                let Some(other) = self.users.host(to) else { return };
                let pair = match method {
                    Method::Notify => (other, host),
                    _ => (host, other),
                };
                let trip = Trip::new(method.clone(), *cause, now);
                self.under_way.insert((*key, host), (pair, trip));
            }
            Upcall::Ended { key, outcome } => {
                let Some((pair, mut trip)) = self.under_way.remove(&(*key, host)) else { return };
                trip.ended = Some((now, *outcome));
                let arrived = trip.method == Method::Notify && trip.is_granted();
                self.last.insert((pair, trip.method.clone()), trip);
                if arrived {
                    self.turn(now, pair, TurnKind::Notified, Method::Notify);
                }
            }
            Upcall::SubscriptionChanged { peer, state } => {
                let Some(peer) = self.users.host(peer) else { return };
                let what = match state {
                    SubscriptionChange::Active { .. } => TurnKind::Active,
                    SubscriptionChange::Lost { why } => TurnKind::Lost(*why),
                    SubscriptionChange::Ended => TurnKind::Ended,
                };
                self.turn(now, (host, peer), what, Method::Subscribe);
            }
            Upcall::WatcherChanged { watcher, state } => {
                let Some(watcher) = self.users.host(watcher) else { return };
                let (what, method) = match state {
                    // The watcher says so itself, if it is in the story.
                    WatcherChange::Active { .. } if !self.is_told_by(watcher) => {
                        (TurnKind::Active, Method::Notify)
                    }
                    WatcherChange::Active { .. } => return,
                    WatcherChange::Unsubscribed => (TurnKind::Ended, Method::Notify),
                    WatcherChange::Expired => (TurnKind::Expired, Method::Notify),
                    WatcherChange::Failed(_) => (TurnKind::Dropped, Method::Notify),
                };
                self.turn(now, (watcher, host), what, method);
            }
            _ => {}
        }
    }

    fn is_told_by(&self, host: HostId) -> bool {
        self.hosts.binary_search(&host).is_ok()
    }

    /// A request has come one hop further.
    pub(super) fn passed(&mut self, way: Way, request: &Request) {
        if !matches!(request.method, Method::Subscribe | Method::Notify) {
            return;
        }
        let key = request.key();
        let first = (key, HostId(0))..=(key, HostId(u32::MAX));
        for (_, (_, trip)) in self.under_way.range_mut(first) {
            trip.pass(way, request);
        }
    }

    /// What became of all of them.
    pub(super) fn finish(self, departure: Option<SimTime>) -> Vec<Subscription> {
        let each = self.turns.into_iter();
        each.map(|((watcher, peer), turns)| Subscription::new(watcher, peer, turns, departure))
            .collect()
    }
}
