//! Stale windows of resolvers.
//!
//! Each resolver has a *source* at every instant: the record set of its unexpired cache entry, no
//! address (a cached negative answer), a cached failure, or the authority. One that forwards and has no
//! unexpired entry has the source of the resolver that it would ask. In place of a failure, or of an
//! authority that does not answer, stands a record set that is kept for that case, of the resolver
//! that is nearest to the authority. When the source changes, the
//! overlap of the time that it lasted with the source's stale stretches is booked to the rows.
//! Entries expire through an agenda, so that the number of resolvers that are stale now is known at
//! every instant as well; its integral is the total that the rows must sum up to.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::Truth;
use super::expiries::{Expiries, Holders};
use super::integral::StepIntegral;
use super::validity::{Addresses, IntervalId, SetId, Stretch, close, first_open_at};
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::observation::Answer;

/// What a resolver would answer from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It would ask.
    Authority,
    /// A cached record set.
    Set(SetId),
    /// A cached negative answer.
    Nothing,
    /// A cached failure.
    Failure,
}

#[derive(Debug)]
struct Resolver {
    /// Its unexpired cache entry.
    own: Option<Source>,
    /// What it serves when it gets no fresh answer, and until when.
    kept: Option<(SetId, SimTime)>,
    source: Source,
    since: SimTime,
    /// Whom it forwards to.
    above: Option<u32>,
    /// Who forward to it.
    below: Vec<u32>,
}

/// The resolvers whose source may have changed.
pub(super) type Touched = SmallVec<[u32; 2]>;

/// All resolvers, and what the authority serves.
#[derive(Debug)]
pub(super) struct Resolvers {
    hosts: Vec<HostId>,
    index: BTreeMap<HostId, u32>,
    resolvers: Vec<Resolver>,
    expiries: Expiries,
    /// How many resolvers have each set as their source.
    holders: Holders,
    asking: u64,
    served: Option<SetId>,
    /// Whether those who ask get an answer.
    reaches_authority: bool,
    /// When the authority served stale, and to which interval that is booked.
    stretches: Vec<Stretch>,
    warmup: SimTime,
    /// The number of stale resolvers.
    pub(super) stale: StepIntegral,
}

impl Resolvers {
    pub(super) fn new(
        hosts: Vec<HostId>,
        forwards: &BTreeMap<HostId, HostId>,
        warmup: SimTime,
    ) -> Self {
        let count = u32::try_from(hosts.len()).expect("host identifiers have 32 bits");
        let index: BTreeMap<HostId, u32> = hosts.iter().copied().zip(0..).collect();
        let fresh = |host| Resolver {
            own: None,
            kept: None,
            source: Source::Authority,
            since: SimTime::ZERO,
            above: forwards.get(host).and_then(|above| index.get(above)).copied(),
            below: Vec::new(),
        };
        let mut resolvers: Vec<Resolver> = hosts.iter().map(fresh).collect();
        for place in 0..count {
            if let Some(above) = resolvers[place as usize].above {
                resolvers[above as usize].below.push(place);
            }
        }
        Self {
            index,
            hosts,
            resolvers,
            expiries: Expiries::new(count),
            holders: Holders::default(),
            asking: u64::from(count),
            served: None,
            reaches_authority: true,
            stretches: Vec::new(),
            warmup,
            stale: StepIntegral::from(warmup),
        }
    }

    pub(super) fn hosts(&self) -> &[HostId] {
        &self.hosts
    }

    pub(super) fn position(&self, host: HostId) -> Option<u32> {
        self.index.get(&host).copied()
    }

    /// The set that the authority serves; `None` when it serves no address.
    pub(super) fn served(&self) -> Option<SetId> {
        self.served
    }

    /// The set that the resolver would answer with.
    pub(super) fn would_answer(&self, resolver: u32) -> Option<SetId> {
        match self.resolvers[resolver as usize].source {
            Source::Authority => self.asked(),
            Source::Set(set) => Some(set),
            Source::Nothing | Source::Failure => None,
        }
    }

    /// The set that those who ask the authority get.
    fn asked(&self) -> Option<SetId> {
        self.served.filter(|_| self.reaches_authority)
    }

    /// The resolvers reach the authority, or no longer do.
    pub(super) fn reach_authority(
        &mut self,
        now: SimTime,
        reaches: bool,
        addresses: &mut Addresses,
    ) {
        if reaches == self.reaches_authority {
            return;
        }
        self.ask_otherwise(now, addresses, |resolvers| resolvers.reaches_authority = reaches);
        for resolver in 0..self.hosts.len() as u32 {
            if self.resolvers[resolver as usize].kept.is_some() {
                self.look_again(now, resolver, addresses);
            }
        }
    }

    /// How many resolvers hold this set in their caches.
    pub(super) fn holders(&self, set: SetId) -> u64 {
        self.holders.of(set)
    }

    /// The authority serves this from now on.
    pub(super) fn serve(&mut self, now: SimTime, set: Option<SetId>, addresses: &Addresses) {
        if self.served != set {
            self.ask_otherwise(now, addresses, |resolvers| resolvers.served = set);
        }
    }

    /// Changes what those get who ask the authority.
    fn ask_otherwise(
        &mut self,
        now: SimTime,
        addresses: &Addresses,
        change: impl FnOnce(&mut Self),
    ) {
        let was = self.stale_share(addresses);
        close(&mut self.stretches, now);
        change(self);
        self.open_stretch(now, addresses);
        let is = self.stale_share(addresses);
        self.shift(now, was, is);
    }

    fn open_stretch(&mut self, now: SimTime, addresses: &Addresses) {
        let Some(set) = self.asked().filter(|&set| addresses.is_stale(set)) else { return };
        let interval = addresses.answered_interval(set);
        self.stretches.push(Stretch { from: now, to: SimTime::MAX, interval });
    }

    /// How many resolvers are stale because the authority is.
    fn stale_share(&self, addresses: &Addresses) -> u64 {
        if self.asked().is_some_and(|set| addresses.is_stale(set)) { self.asking } else { 0 }
    }

    fn shift(&mut self, now: SimTime, fewer: u64, more: u64) {
        let level = self.stale.level() + more - fewer;
        self.stale.set(now, level);
    }

    /// This set became stale or valid.
    pub(super) fn turned(&mut self, now: SimTime, set: SetId, addresses: &Addresses) {
        let mut touched = self.holders(set);
        if self.asked() == Some(set) {
            touched += self.asking;
        }
        if addresses.is_stale(set) {
            self.shift(now, 0, touched);
        } else {
            self.shift(now, touched, 0);
        }
        if self.asked() == Some(set) {
            close(&mut self.stretches, now);
            self.open_stretch(now, addresses);
        }
    }

    /// The resolver's cache holds this until `expires`.
    pub(super) fn store(
        &mut self,
        now: SimTime,
        resolver: u32,
        source: Source,
        expires: SimTime,
        addresses: &mut Addresses,
    ) -> Touched {
        let it = &mut self.resolvers[resolver as usize];
        it.kept = None;
        it.own = (expires > now).then_some(source);
        match it.own {
            Some(_) => self.expiries.set(resolver, expires),
            None => self.expiries.clear(resolver),
        }
        self.look_again(now, resolver, addresses)
    }

    /// The record set that the resolver's cache holds is kept beyond its life until then.
    pub(super) fn keep(
        &mut self,
        now: SimTime,
        resolver: u32,
        until: SimTime,
        addresses: &mut Addresses,
    ) -> Touched {
        let it = &mut self.resolvers[resolver as usize];
        let Some(Source::Set(set)) = it.own else { return Touched::new() };
        it.kept = Some((set, until));
        self.look_again(now, resolver, addresses)
    }

    /// When the next entry may expire.
    pub(super) fn next_expiry(&self) -> SimTime {
        self.expiries.next()
    }

    /// Takes all expiries of the next instant off the agenda.
    pub(super) fn expire(&mut self, addresses: &mut Addresses) -> Touched {
        let (at, mut touched) = (self.expiries.next(), Touched::new());
        while self.expiries.next() == at && at != SimTime::MAX {
            if let Some((_, resolver)) = self.expiries.take() {
                let it = &mut self.resolvers[resolver as usize];
                it.own = None;
                it.kept = it.kept.filter(|&(_, until)| until > at);
                if let Some((_, until)) = it.kept {
                    self.expiries.set(resolver, until);
                }
                touched.extend(self.look_again(at, resolver, addresses));
            }
        }
        touched
    }

    /// What this resolver would answer from may have changed, and for those that would ask it.
    fn look_again(&mut self, now: SimTime, resolver: u32, addresses: &mut Addresses) -> Touched {
        self.turn_to(now, resolver, self.source_of(resolver), addresses);
        let mut touched = Touched::new();
        touched.push(resolver);
        let mut next = 0;
        while let Some(&above) = touched.get(next) {
            for place in 0..self.resolvers[above as usize].below.len() {
                let below = self.resolvers[above as usize].below[place];
                if self.resolvers[below as usize].own.is_none() {
                    self.turn_to(now, below, self.source_of(below), addresses);
                    touched.push(below);
                }
            }
            next += 1;
        }
        touched
    }

    /// What this resolver would answer from, given what the one above it would.
    fn source_of(&self, resolver: u32) -> Source {
        let it = &self.resolvers[resolver as usize];
        let passed_on = || it.above.map(|above| self.resolvers[above as usize].source);
        let source = it.own.or_else(passed_on).unwrap_or(Source::Authority);
        let fails = match source {
            Source::Authority => !self.reaches_authority,
            Source::Failure => true,
            Source::Set(_) | Source::Nothing => false,
        };
        match it.kept {
            Some((set, _)) if fails => Source::Set(set),
            _ => source,
        }
    }

    fn turn_to(&mut self, now: SimTime, resolver: u32, to: Source, addresses: &mut Addresses) {
        self.settle(now, resolver, addresses);
        let from = std::mem::replace(&mut self.resolvers[resolver as usize].source, to);
        let was = self.leave(from, addresses);
        let is = self.enter(to, addresses);
        self.shift(now, was, is);
    }

    /// One resolver fewer with this source; whether that makes one fewer stale.
    fn leave(&mut self, source: Source, addresses: &Addresses) -> u64 {
        match source {
            Source::Authority => self.asking -= 1,
            Source::Set(set) => self.holders.remove(set),
            Source::Nothing | Source::Failure => {}
        }
        self.is_stale(source, addresses).into()
    }

    fn enter(&mut self, source: Source, addresses: &Addresses) -> u64 {
        match source {
            Source::Authority => self.asking += 1,
            Source::Set(set) => self.holders.add(set),
            Source::Nothing | Source::Failure => {}
        }
        self.is_stale(source, addresses).into()
    }

    fn is_stale(&self, source: Source, addresses: &Addresses) -> bool {
        match source {
            Source::Authority => self.asked().is_some_and(|set| addresses.is_stale(set)),
            Source::Set(set) => addresses.is_stale(set),
            Source::Nothing | Source::Failure => false,
        }
    }

    /// Books what this resolver was stale since it was last settled.
    fn settle(&mut self, now: SimTime, resolver: u32, addresses: &mut Addresses) {
        let (source, since) = {
            let resolver = &mut self.resolvers[resolver as usize];
            (resolver.source, std::mem::replace(&mut resolver.since, now))
        };
        let since = since.max(self.warmup);
        let mut next = match source {
            Source::Authority => first_open_at(&self.stretches, since),
            Source::Set(set) => first_open_at(addresses.stretches(set), since),
            Source::Nothing | Source::Failure => return,
        };
        loop {
            let stretches = match source {
                Source::Set(set) => addresses.stretches(set),
                _ => &self.stretches,
            };
            let Some(&stretch) = stretches.get(next).filter(|stretch| stretch.from < now) else {
                return;
            };
            let span = stretch.to.min(now).since(stretch.from.max(since));
            book(addresses, stretch.interval, resolver, span);
            next += 1;
        }
    }

    /// Books what every resolver was stale up to the end of the run.
    pub(super) fn settle_all(&mut self, now: SimTime, addresses: &mut Addresses) {
        for resolver in 0..self.hosts.len() as u32 {
            self.settle(now, resolver, addresses);
        }
    }
}

impl Truth {
    /// A resolver answered a client.
    pub(super) fn answered(&mut self, host: HostId, answer: &Answer) {
        let Some(resolver) = self.resolvers.position(host) else { return };
        if !self.counts() {
            return;
        }
        self.counters.answers += 1;
        let Some(set) = self.set_of(answer) else { return };
        let stale = self.addresses.is_stale(set);
        let interval = self.addresses.answered_interval(set);
        let row = self.addresses.interval_mut(interval).rows.entry(resolver).or_default();
        row.answers += 1;
        row.stale_answers += u64::from(stale);
        if stale {
            let since = self.addresses.stale_since(set).unwrap_or(self.now);
            let age = self.now.since(since);
            self.counters.stale_answers += 1;
            self.counters.stale_age_nanos += u128::from(age.as_nanos());
            self.counters.stale_age_max = self.counters.stale_age_max.max(age);
        }
    }
}

fn book(addresses: &mut Addresses, interval: IntervalId, resolver: u32, span: SimDuration) {
    if !span.is_zero() {
        addresses.interval_mut(interval).rows.entry(resolver).or_default().window += span;
    }
}
