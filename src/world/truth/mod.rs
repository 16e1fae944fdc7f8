//! The ground truth: what was valid when, how long resolvers were stale, how each handover went.
//!
//! [`Truth`] is a reducer over [`Observation`]s: it never looks into a component, and no component
//! looks into it. The Director reads its queries; [`Truth::finish`] turns it into a [`Report`].
//! An address is valid while an up host that holds it plays the proxy role in the main overlay.
//!
//! * `overlays`: hosts, memberships, the main overlay, believers in the proxy role.
//! * `validity`: validity intervals of addresses, stale stretches of record sets.
//! * `stale`: what each resolver would answer, and to which interval its stale time is booked.
//! * `own_caches`: what the servers of caller domains hold themselves.
//! * `claims`: verdicts, updates, claims, departures.
//! * `episode`: handover episodes of caller domains and their anatomy.
//! * `requests`: requests and look-ups of callers, and what became of them.
//! * `outbound`: requests of the overlay's users to callers' domains, the control.
//! * `servers`: the name servers that serve the binding, the primary and its secondaries.
//! * `sides`: partitions: what is valid for whom. [`views`]: several truths, one for each group of
//!   observers that are always on the same side.
//! * `timeline`, [`report`], [`checks`](mod@checks): the binned state, what comes out, and what
//!   must hold of it.
//!
//! A caller's chain is the cache of its server, if it has one, then its resolver, then the
//! authority. What it sends are the requests of its users; in a domain without users, bare look-ups.
//!
//! An address is valid *for an observer*: a truth has the eyes of one, and of all who are always on
//! its side of every partition. Verdicts are judged with the eyes of the node that tested.
//!
//! Within one instant, things count in the order in which they are observed, after the cache
//! entries that expire at that instant.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::net::Sides;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::observation::{Answer, Observation};

pub mod checks;
mod claims;
mod episode;
mod expiries;
mod finish;
mod integral;
mod outbound;
mod overlays;
mod own_caches;
mod query;
pub mod report;
mod requests;
mod servers;
mod sides;
mod stale;
#[cfg(test)]
mod tests;
mod timeline;
mod validity;
pub mod views;

pub use checks::{Violation, checks};
pub use outbound::OutboundTotals;
pub use report::{
    Anatomy, Cause, Closed, Departure, DepartureKind, EndedInterval, Episode, Report,
    RequestOutcome, RequestRecord, RequestTotals, Resolution, StaleWindow, TimelinePoint, Totals,
    WindowRow,
};

use claims::Claims;
use episode::{Caller, Chain, Finished, Phase, Phases};
use integral::{Spells, StepIntegral};
use outbound::Outbound;
use overlays::Overlays;
use own_caches::{Held, OwnCaches};
use requests::Requests;
use servers::Servers;
use stale::{Resolvers, Source};
use timeline::Timeline;
use validity::{AddressId, Addresses, SetId};

/// A conventional SIP domain: one server, which asks one resolver, and its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerDomain {
    /// The host of its server.
    pub host: HostId,
    /// Its resolver.
    pub resolver: HostId,
    /// The hosts of its users' agents, which send requests; none in a domain that only looks up,
    /// whose episodes are closed by look-ups.
    pub agents: Vec<HostId>,
    /// Whether its server has a DNS cache of its own in front of the resolver. What is in there is
    /// reported by [`Observation::CacheStored`] at the server's host.
    pub cache: bool,
    /// Whether its server embeds a peer of the overlay: then no handover concerns it, and it has no
    /// episodes.
    pub embeds: bool,
}

/// Who is who in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TruthConfig {
    /// The hosts of the overlay's population, whose leaves are counted.
    pub nodes: Vec<HostId>,
    /// The recursive resolvers. A caller's resolver that is missing here is added.
    pub resolvers: Vec<HostId>,
    /// The caller domains, in the order in which simultaneous episodes are reported.
    pub callers: Vec<CallerDomain>,
    /// Whether members ask for users of these domains.
    pub watches_outbound: bool,
    /// Whether the binding is a set of which one member is preferred.
    pub publishes_sets: bool,
    /// From when on things count.
    pub warmup: SimTime,
    /// The width of a bin of the timeline; zero for none.
    pub timeline_bin: SimDuration,
    /// With whose eyes it looks: resolvers and callers are always on this host's side of every
    /// partition. `None`: on the near side of all.
    pub observer: Option<HostId>,
    /// The name servers of the overlay's domain, in the order in which these resolvers ask them; none
    /// where there is one that can always be reached.
    pub authorities: Vec<HostId>,
    /// The resolvers that forward, each to one that is listed as well.
    pub forwards: BTreeMap<HostId, HostId>,
    /// Hosts whose ports of a proxy peer nobody reaches, because of a translator of addresses.
    pub walled: BTreeSet<HostId>,
}

/// What is measured at instants rather than over time.
#[derive(Debug, Default)]
struct Counters {
    leaves: u64,
    partial: u64,
    unborn: u64,
    answers: u64,
    stale_answers: u64,
    stale_age_nanos: u128,
    stale_age_max: SimDuration,
    lookups: u64,
    lookups_valid: u64,
    lookups_stale: u64,
}

/// States whose duration is measured, each as a level of 0 or 1.
#[derive(Debug)]
struct Durations {
    split_brain: StepIntegral,
    split_overlay: StepIntegral,
    binding_valid: StepIntegral,
    degraded: Spells,
}

/// The observer that knows everything.
#[derive(Debug)]
pub struct Truth {
    warmup: SimTime,
    now: SimTime,
    nodes: BTreeSet<HostId>,
    overlays: Overlays,
    sides: Sides,
    observer: Option<HostId>,
    servers: Servers,
    walled: BTreeSet<HostId>,
    /// Where each valid proxy peer is valid.
    serving: BTreeMap<HostId, Address>,
    addresses: Addresses,
    resolvers: Resolvers,
    binding: Answer,
    claims: Claims,
    phases: Phases,
    callers: Vec<Caller>,
    /// How many of them have an open episode.
    open: usize,
    /// By the hosts of their servers.
    by_host: BTreeMap<HostId, usize>,
    /// By the hosts of their users' agents.
    by_agent: BTreeMap<HostId, usize>,
    own_caches: OwnCaches,
    requests: Requests,
    watches_outbound: bool,
    publishes_sets: bool,
    outbound: Outbound,
    /// The callers of each resolver.
    by_resolver: Vec<Vec<usize>>,
    finished: Vec<Finish>,
    timeline: Timeline,
    counters: Counters,
    durations: Durations,
}

/// A closed episode, with what is known only when it closes.
#[derive(Debug)]
struct Finish {
    episode: Finished,
    caller: usize,
    new_address: Option<Address>,
    resolution: Option<Resolution>,
}

impl Truth {
    /// Nothing has happened: all hosts are down, the authority knows no address, caches are empty.
    #[must_use]
    pub fn new(config: TruthConfig) -> Self {
        let TruthConfig { nodes, mut resolvers, callers, watches_outbound, publishes_sets, .. } =
            config;
        let (warmup, timeline_bin) = (config.warmup, config.timeline_bin);
        let listed: BTreeSet<HostId> = resolvers.iter().copied().collect();
        let used: BTreeSet<HostId> = callers.iter().map(|caller| caller.resolver).collect();
        resolvers.extend(used.difference(&listed));
        let resolvers = Resolvers::new(resolvers, &config.forwards, warmup);
        let mut by_resolver = vec![Vec::new(); resolvers.hosts().len()];
        let mut domains = Vec::with_capacity(callers.len());
        let mut by_agent = BTreeMap::new();
        for (index, caller) in callers.iter().enumerate() {
            let resolver = resolvers.position(caller.resolver).expect("added above if missing");
            by_resolver[resolver as usize].push(index);
            by_agent.extend(caller.agents.iter().map(|&agent| (agent, index)));
            domains.push(Caller::new(caller, resolver));
        }
        let level = StepIntegral::from(warmup);
        Self {
            warmup,
            now: SimTime::ZERO,
            nodes: nodes.into_iter().collect(),
            overlays: Overlays::default(),
            sides: Sides::default(),
            observer: config.observer,
            servers: Servers::new(config.authorities),
            walled: config.walled,
            serving: BTreeMap::new(),
            addresses: Addresses::default(),
            resolvers,
            binding: Answer::Negative,
            claims: Claims::new(warmup),
            phases: Phases::new(),
            by_host: callers.iter().enumerate().map(|(index, one)| (one.host, index)).collect(),
            by_agent,
            own_caches: OwnCaches::new(domains.len()),
            requests: Requests::new(warmup),
            watches_outbound,
            publishes_sets,
            outbound: Outbound::default(),
            callers: domains,
            open: 0,
            by_resolver,
            finished: Vec::new(),
            timeline: Timeline::new(timeline_bin),
            counters: Counters::default(),
            durations: Durations {
                split_brain: level,
                split_overlay: level,
                binding_valid: level,
                degraded: Spells::from(warmup),
            },
        }
    }

    /// Whether the binding is a set.
    #[must_use]
    pub const fn publishes_sets(&self) -> bool {
        self.publishes_sets
    }

    /// Something was observed at this host. Time must not run back.
    pub fn observe(&mut self, now: SimTime, host: HostId, observation: &Observation) {
        self.advance(now);
        match observation {
            Observation::HostUp(_)
            | Observation::Readdressed(_)
            | Observation::HostDown
            | Observation::Member(_)
            | Observation::NotMember
            | Observation::ProxyStarted
            | Observation::ProxyRetiring
            | Observation::ProxyStandsBy
            | Observation::ProxyStopped => self.change(host, observation),
            Observation::VerdictFailed(address) => {
                let tested = self.tested_by(host, *address);
                self.claims.judge(host, Some(tested), &mut self.addresses);
            }
            Observation::VerdictCleared => self.claims.judge(host, None, &mut self.addresses),
            Observation::UpdateStarted { tested, .. } => {
                let tested = tested.map(|address| self.tested_by(host, address));
                self.claims.start(self.now, host, tested, &mut self.addresses);
            }
            Observation::UpdateEnded { .. } => self.claims.end(host),
            Observation::UpdateAccepted { from, to } => self.accept(*from, *to),
            Observation::BindingServed(answer) => self.served_by(host, answer),
            Observation::CacheStored { answer, expires } => self.store(host, answer, *expires),
            Observation::CacheKept { until } => self.keep(host, *until),
            Observation::Answered(answer) => self.answered(host, answer),
            Observation::LookupStarted(request) => self.lookup_started(host, *request),
            Observation::LookupEnded { request, answer } => {
                self.lookup_ended(host, *request, answer);
            }
            Observation::RequestStarted { request, method, callee } => {
                self.request_started(host, *request, *method, *callee);
            }
            Observation::RequestRouted { request, to } => self.request_routed(*request, *to),
            Observation::RequestServed { request } => self.request_served(host, *request),
            Observation::RequestEnded { request, ending } => {
                self.request_ended(host, *request, *ending);
            }
            Observation::OutboundStarted { request } => self.outbound_started(host, *request),
            Observation::OutboundEnded { request, answered } => {
                self.outbound_ended(*request, *answered);
            }
            Observation::Parted { partition, hosts } => self.part(*partition, Some(hosts)),
            Observation::Healed(partition) => self.part(*partition, None),
        }
        self.enter_phase();
    }

    /// Time passes: cache entries expire and bins of the timeline end.
    pub fn advance(&mut self, now: SimTime) {
        loop {
            let (bin, expiry) = (self.timeline.next(), self.resolvers.next_expiry());
            let own = self.own_caches.next_expiry();
            let next = bin.min(expiry).min(own);
            if next > now || next == SimTime::MAX {
                break;
            }
            self.now = next;
            if bin == next {
                let point = self.point();
                self.timeline.push(point);
            } else if expiry == next {
                // Before own caches: what hides behind these matters only once they are empty.
                for resolver in self.resolvers.expire(&mut self.addresses) {
                    self.refresh_callers_of(resolver);
                }
            } else if let Some(caller) = self.own_caches.expire() {
                self.refresh(caller);
            }
        }
        self.now = self.now.max(now);
    }

    /// When the next bin of the timeline ends, `SimTime::MAX` if there are none. Before it goes on
    /// to that instant or past it, the world says [how many messages](Self::set_messages) there
    /// were.
    #[must_use]
    pub const fn next_bin(&self) -> SimTime {
        self.timeline.next()
    }

    /// How many messages the run has sent so far; the timeline shows differences.
    pub const fn set_messages(&mut self, messages: u64) {
        self.timeline.messages = messages;
    }

    fn counts(&self) -> bool {
        self.now >= self.warmup
    }

    fn first_valid(&self, answer: &Answer) -> Option<Address> {
        match answer {
            Answer::Addresses(addresses) => {
                addresses.iter().copied().find(|&address| self.addresses.is_valid(address))
            }
            Answer::Negative | Answer::Failure => None,
        }
    }

    fn set_of(&mut self, answer: &Answer) -> Option<SetId> {
        match answer {
            Answer::Addresses(addresses) if !addresses.is_empty() => {
                Some(self.addresses.set(self.now, addresses))
            }
            _ => None,
        }
    }

    /// A host changed what it is; validity follows.
    fn change(&mut self, host: HostId, observation: &Observation) {
        let (now, main) = (self.now, self.overlays.main());
        match observation {
            Observation::HostUp(address) | Observation::Readdressed(address) => {
                self.overlays.up(host, *address);
            }
            Observation::HostDown => self.down(host),
            Observation::Member(overlay) => self.overlays.join(now, host, Some(*overlay)),
            Observation::NotMember => self.overlays.join(now, host, None),
            Observation::ProxyStarted => self.overlays.play(host, true),
            Observation::ProxyRetiring | Observation::ProxyStandsBy => {
                self.overlays.retire(host);
            }
            _ => self.overlays.play(host, false),
        }
        if self.overlays.main() == main {
            self.reassess(&[host]);
        } else {
            let mut hosts = self.overlays.proxies().clone();
            hosts.insert(host);
            self.reassess(&hosts.into_iter().collect::<Vec<_>>());
        }
        self.measure_believers();
        self.durations.split_overlay.set(now, (self.overlays.populated() > 1).into());
    }

    fn down(&mut self, host: HostId) {
        let was_up = self.overlays.host(host).address.is_some();
        let counts = was_up && self.counts() && self.nodes.contains(&host);
        self.counters.leaves += u64::from(counts);
        self.overlays.down(self.now, host);
        self.claims.down(host, &mut self.addresses);
        self.caller_down(host);
        self.outbound.down(host);
    }

    /// Finds out where these hosts are valid now. Gains go first: a set that loses one member and
    /// gains another at the same instant has not departed.
    fn reassess(&mut self, hosts: &[HostId]) {
        let mut lost = Vec::new();
        for &host in hosts {
            let is = self.serves_at(host);
            let was = match is {
                Some(address) => self.serving.insert(host, address),
                None => self.serving.remove(&host),
            };
            if was != is {
                lost.extend(was);
                if let Some(address) = is {
                    self.turn(address, true);
                }
            }
        }
        for address in lost {
            self.turn(address, false);
        }
    }

    /// An address becomes valid or ceases to be.
    fn turn(&mut self, address: Address, valid: bool) {
        let Some(turn) = self.addresses.set_valid(self.now, address, valid) else { return };
        let served = self.resolvers.served();
        let mut concerns_callers = false;
        for &set in &turn.sets {
            self.resolvers.turned(self.now, set, &self.addresses);
            let held = self.resolvers.holders(set) + self.own_caches.holders(set);
            concerns_callers |= served == Some(set) || held > 0;
        }
        self.measure_binding();
        let Some(set) = served.filter(|&set| self.addresses.members(set).contains(&turn.address))
        else {
            return if concerns_callers {
                self.refresh_callers()
            };
        };
        if !valid {
            let full = turn.sets.contains(&set);
            let kind = if full { DepartureKind::Full } else { DepartureKind::Partial };
            self.depart(kind, &[turn.address]);
        }
        if concerns_callers {
            self.refresh_callers();
        }
    }

    /// The binding lost validity, or was set to what never had any.
    fn depart(&mut self, kind: DepartureKind, members: &[AddressId]) {
        self.claims.depart(self.now, kind, members, &self.addresses);
        if self.counts() {
            self.counters.partial += u64::from(kind == DepartureKind::Partial);
            self.counters.unborn += u64::from(kind == DepartureKind::Unborn);
        }
        // In a storm of invalid claims all are open already.
        if !kind.opens_episodes() || self.open == self.callers.len() {
            return;
        }
        let old = members.first().map(|&id| self.addresses.address(id));
        let position = self.claims.departed() - 1;
        for index in 0..self.callers.len() {
            if self.callers[index].open(self.now, old, position, &self.phases) {
                self.open += 1;
                self.refresh(index);
            }
        }
    }

    fn accept(&mut self, from: Address, to: Address) {
        let Some(node) = self.overlays.last_holder(from) else { return };
        let live = self.overlays.holder(from).is_some();
        let served = self.resolvers.served();
        self.claims.accept(self.now, (node, live), to, served, &self.addresses);
    }

    fn binding_valid(&self) -> bool {
        self.resolvers.served().is_some_and(|set| !self.addresses.is_stale(set))
    }

    fn measure_binding(&mut self) {
        let valid = self.binding_valid();
        let preferred = self.resolvers.served().map(|set| self.addresses.members(set)[0]);
        let intact = preferred.is_some_and(|member| self.addresses.is_valid_id(member));
        self.durations.binding_valid.set(self.now, valid.into());
        self.durations.degraded.set(self.now, valid && !intact);
    }

    fn store(&mut self, host: HostId, answer: &Answer, expires: SimTime) {
        let Some(resolver) = self.resolvers.position(host) else {
            return self.store_own(host, answer, expires);
        };
        let source = match (self.set_of(answer), answer) {
            (Some(set), _) => Source::Set(set),
            (None, Answer::Failure) => Source::Failure,
            (None, Answer::Negative | Answer::Addresses(_)) => Source::Nothing,
        };
        let addresses = &mut self.addresses;
        for resolver in self.resolvers.store(self.now, resolver, source, expires, addresses) {
            self.refresh_callers_of(resolver);
        }
    }

    /// A resolver keeps what it has stored for when it gets no fresh answer.
    fn keep(&mut self, host: HostId, until: SimTime) {
        let Some(resolver) = self.resolvers.position(host) else { return };
        for resolver in self.resolvers.keep(self.now, resolver, until, &mut self.addresses) {
            self.refresh_callers_of(resolver);
        }
    }

    /// A caller domain's server stored an answer in its own cache.
    fn store_own(&mut self, host: HostId, answer: &Answer, expires: SimTime) {
        let Some(&caller) = self.by_host.get(&host) else { return };
        if self.callers[caller].caches {
            let held = self.set_of(answer).map_or(Held::Nothing, Held::Set);
            self.own_caches.store(self.now, caller, held, expires);
            self.refresh(caller);
        }
    }

    fn refresh_callers(&mut self) {
        for index in 0..self.callers.len() {
            self.refresh(index);
        }
    }

    fn refresh_callers_of(&mut self, resolver: u32) {
        for position in 0..self.by_resolver[resolver as usize].len() {
            self.refresh(self.by_resolver[resolver as usize][position]);
        }
    }

    /// Looks at a caller's chain again.
    fn refresh(&mut self, index: usize) {
        if !self.callers[index].is_open() {
            return;
        }
        let chain_end = match self.own_caches.held(index) {
            Some(Held::Set(set)) => Some(set),
            Some(Held::Nothing) => None,
            None => self.resolvers.would_answer(self.callers[index].resolver),
        };
        let valid = chain_end.and_then(|set| self.addresses.first_valid(set));
        let chain = Chain { valid: valid.is_some(), served: self.binding_valid() };
        if self.callers[index].refresh(self.now, chain, &self.phases) {
            let address = valid.map(|id| self.addresses.address(id));
            self.close(index, Closed::Unasked, address);
        }
    }

    fn close(&mut self, index: usize, closed: Closed, new_address: Option<Address>) {
        let departed = self.claims.departed();
        let caller = &mut self.callers[index];
        let Some(episode) = caller.close(self.now, closed, departed, &self.phases) else { return };
        self.open -= 1;
        if episode.opened < self.warmup {
            return;
        }
        let resolution = new_address.map(|address| {
            let id = self.addresses.id(address);
            if self.claims.departed_last(id, &self.addresses) {
                Resolution::Return
            } else {
                Resolution::Claim
            }
        });
        self.finished.push(Finish { episode, caller: index, new_address, resolution });
    }

    fn enter_phase(&mut self) {
        let served = self.resolvers.served();
        let phase = if self.binding_valid() {
            Phase::Cache
        } else if self.claims.any_pending() || self.any_server_is_valid() {
            Phase::Publish
        } else if self.claims.any_updating() {
            Phase::Update
        } else if served.is_some_and(|set| self.addresses.any_verdict(set)) {
            Phase::Claim
        } else {
            Phase::Detect
        };
        self.phases.enter(self.now, phase);
    }
}
