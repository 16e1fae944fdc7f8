//! The metrics of the design by brute force: between any two instants at which something can
//! change, everything is looked at again.

mod caches;
mod requests;
mod servers;
mod sides;
mod windows;

use std::collections::{BTreeMap, BTreeSet};

use requests::Asked;

use super::script::{Happening, show_episode, show_request};
use crate::address::Address;
use crate::net::Partition;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::observation::{Answer, Observation, OverlayId};
use crate::world::truth::{Anatomy, Closed, Episode, Resolution, TruthConfig};

/// An address and how often it had become valid: a validity interval, 0 before the first.
type Key = (Address, usize);

#[derive(Clone, Default)]
struct Host {
    address: Option<Address>,
    member: Option<OverlayId>,
    proxy: bool,
    verdict: Option<(Key, bool)>,
    updating: bool,
    claim: Option<Key>,
}

#[derive(Default)]
struct History {
    starts: Vec<SimTime>,
    ends: Vec<SimTime>,
    served: Option<SimTime>,
}

struct Departed {
    at: SimTime,
    full: bool,
    partial: bool,
    keys: Vec<Key>,
    updates: u64,
}

struct Open {
    opened: SimTime,
    old: Option<Address>,
    first: usize,
    asked: bool,
    anatomy: Anatomy,
}

#[derive(Default)]
struct Caller {
    requests: BTreeMap<u64, bool>,
    open: Option<Open>,
}

/// Resolver, address, end, and the interval's number: window, stale answers, answers.
pub(super) type Windows = BTreeMap<(HostId, Address, SimTime, usize), (u128, u64, u64)>;

/// What is compared.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) episodes: Vec<String>,
    pub(super) windows: Windows,
    pub(super) stale_nanos: u128,
    pub(super) caller_stale_nanos: u128,
    pub(super) departures: u64,
    pub(super) claims: [u64; 3],
    pub(super) requests: Vec<String>,
}

pub(super) struct Naive {
    config: TruthConfig,
    now: SimTime,
    /// The partitions in force: who is cut off by each.
    parted: BTreeMap<Partition, Vec<HostId>>,
    hosts: BTreeMap<HostId, Host>,
    seen: BTreeMap<OverlayId, SimTime>,
    serving: BTreeMap<HostId, Address>,
    history: BTreeMap<Address, History>,
    binding: Vec<Address>,
    /// What each name server serves.
    served: BTreeMap<HostId, Answer>,
    /// Of resolvers and of the servers of callers.
    caches: BTreeMap<HostId, (Option<Vec<Address>>, SimTime)>,
    /// What resolvers give to those for whom they get nothing fresh.
    kept: BTreeMap<HostId, (Vec<Address>, SimTime)>,
    /// All requests that ever began, and when each host went up or down.
    asked: Vec<Asked>,
    ups_and_downs: Vec<(usize, HostId, bool)>,
    /// How many observations there were.
    step: usize,
    pending: Vec<(HostId, Address)>,
    departed: Vec<Departed>,
    claims: BTreeMap<(Key, HostId), [bool; 3]>,
    callers: Vec<Caller>,
    closed: Vec<(SimTime, usize, Episode)>,
    rows: BTreeMap<(HostId, Key), (u128, u64, u64)>,
    stale_nanos: u128,
    caller_stale_nanos: u128,
}

fn list(answer: &Answer) -> Vec<Address> {
    match answer {
        Answer::Addresses(addresses) => addresses.clone(),
        Answer::Negative | Answer::Failure => Vec::new(),
    }
}

impl Naive {
    pub(super) fn run(config: TruthConfig, script: &[Happening], end: SimTime) -> Outcome {
        let callers = config.callers.iter().map(|_| Caller::default()).collect();
        let mut naive = Self {
            config,
            now: SimTime::ZERO,
            parted: BTreeMap::new(),
            hosts: BTreeMap::new(),
            seen: BTreeMap::new(),
            serving: BTreeMap::new(),
            history: BTreeMap::new(),
            binding: Vec::new(),
            served: BTreeMap::new(),
            caches: BTreeMap::new(),
            kept: BTreeMap::new(),
            asked: Vec::new(),
            ups_and_downs: Vec::new(),
            step: 0,
            pending: Vec::new(),
            departed: Vec::new(),
            claims: BTreeMap::new(),
            callers,
            closed: Vec::new(),
            rows: BTreeMap::new(),
            stale_nanos: 0,
            caller_stale_nanos: 0,
        };
        for (at, host, observation) in script {
            naive.elapse(*at);
            naive.step += 1;
            naive.apply(*host, observation);
            naive.scan();
        }
        naive.elapse(end);
        naive.outcome()
    }

    fn valid(&self, address: Address) -> bool {
        self.serving.values().any(|&valid| valid == address)
    }

    fn any_valid(&self, addresses: &[Address]) -> bool {
        addresses.iter().any(|&address| self.valid(address))
    }

    fn key(&self, address: Address) -> Key {
        (address, self.history.get(&address).map_or(0, |history| history.starts.len()))
    }

    fn last_end(&self, address: Address) -> Option<SimTime> {
        self.history.get(&address).and_then(|history| history.ends.last().copied())
    }

    /// What an answer belongs to: its first valid address, or else the one that ended last.
    fn answered(&self, addresses: &[Address]) -> Key {
        if let Some(&first) = addresses.iter().find(|&&address| self.valid(address)) {
            return self.key(first);
        }
        let mut best = addresses[0];
        for &address in addresses {
            if self.last_end(address) > self.last_end(best) {
                best = address;
            }
        }
        self.key(best)
    }

    /// Goes on to `to` in steps in which nothing can change.
    fn elapse(&mut self, to: SimTime) {
        while self.now < to {
            let held = self.caches.values().map(|&(_, expires)| expires);
            let expiries = held.chain(self.kept.values().map(|&(_, until)| until));
            let instants = expiries.chain([self.config.warmup, to]);
            let next = instants.filter(|&at| at > self.now).min().unwrap();
            let next = next.min(to);
            self.spend(next.since(self.now));
            self.now = next;
            self.scan();
        }
    }

    fn spend(&mut self, span: SimDuration) {
        for resolver in self.config.resolvers.clone() {
            let answer = self.would_answer(resolver).to_vec();
            let stale = !answer.is_empty() && !self.any_valid(&answer);
            if stale && self.now >= self.config.warmup {
                let nanos = u128::from(span.as_nanos());
                self.stale_nanos += nanos;
                let mut callers = self.config.callers.iter();
                let used = callers.any(|caller| caller.resolver == resolver);
                self.caller_stale_nanos += if used { nanos } else { 0 };
                self.rows.entry((resolver, self.answered(&answer))).or_default().0 += nanos;
            }
        }
        for index in 0..self.callers.len() {
            let column = self.state(index);
            if let Some(open) = &mut self.callers[index].open {
                *column(&mut open.anatomy) += span;
            }
        }
    }

    fn chain_valid(&self, index: usize) -> bool {
        self.any_valid(self.chain(index))
    }

    /// The first condition that holds, as its column.
    fn state(&self, index: usize) -> fn(&mut Anatomy) -> &mut SimDuration {
        let restored = self.chain_valid(index);
        let holds = |host: &Host| {
            host.verdict.is_some_and(|((tested, _), _)| self.binding.contains(&tested))
        };
        if restored && !self.callers[index].requests.is_empty() {
            |anatomy| &mut anatomy.recover
        } else if restored {
            |anatomy| &mut anatomy.ask
        } else if self.any_valid(&self.binding) {
            |anatomy| &mut anatomy.cache
        } else if !self.pending.is_empty() || self.some_server_is_valid() {
            |anatomy| &mut anatomy.publish
        } else if self.hosts.values().any(|host| host.updating) {
            |anatomy| &mut anatomy.update
        } else if self.hosts.values().any(holds) {
            |anatomy| &mut anatomy.claim
        } else {
            |anatomy| &mut anatomy.detect
        }
    }

    fn apply(&mut self, id: HostId, observation: &Observation) {
        match observation {
            Observation::VerdictFailed(address) => {
                let verdict = (self.key(*address), self.valid_for(id, *address));
                self.host(id).verdict = Some(verdict);
            }
            Observation::VerdictCleared => self.host(id).verdict = None,
            Observation::UpdateStarted { tested, .. } => self.update_started(id, *tested),
            Observation::UpdateEnded { .. } => self.host(id).updating = false,
            Observation::UpdateAccepted { from, to } => self.accepted(*from, *to),
            Observation::BindingServed(answer) => {
                self.served.insert(id, answer.clone());
                for address in list(answer) {
                    self.history.entry(address).or_default().served.get_or_insert(self.now);
                }
                let own = self.own_server();
                let said = list(self.says(own));
                if id == own || said != self.binding {
                    self.serve(said);
                }
            }
            Observation::CacheStored { answer, expires } => {
                let held = (*answer != Answer::Failure).then(|| list(answer));
                self.caches.insert(id, (held, *expires));
                self.kept.remove(&id);
            }
            Observation::CacheKept { until } => {
                if let Some(Some(addresses)) = self.cached(id)
                    && !addresses.is_empty()
                {
                    self.kept.insert(id, (addresses.to_vec(), *until));
                }
            }
            Observation::Answered(answer) => self.count_answer(id, &list(answer)),
            Observation::LookupStarted(lookup) => {
                let index = id.0 as usize - 201;
                if self.config.callers[index].agents.is_empty() {
                    self.send(index, *lookup);
                }
            }
            Observation::LookupEnded { request, answer } => {
                let index = id.0 as usize - 201;
                let valid = list(answer).into_iter().find(|&address| self.valid(address));
                if !self.config.callers[index].agents.is_empty() {
                    return;
                }
                let sent_after = self.callers[index].requests.remove(request);
                if sent_after == Some(true) && valid.is_some() {
                    self.close(index, Closed::Lookup, valid);
                }
            }
            Observation::RequestStarted { .. }
            | Observation::RequestRouted { .. }
            | Observation::RequestServed { .. }
            | Observation::RequestEnded { .. } => self.request(id, observation),
            _ => self.change(id, observation),
        }
    }

    fn send(&mut self, index: usize, request: u64) {
        let caller = &mut self.callers[index];
        caller.requests.insert(request, caller.open.is_some());
        if let Some(open) = &mut caller.open {
            open.asked = true;
        }
    }

    fn host(&mut self, id: HostId) -> &mut Host {
        self.hosts.entry(id).or_default()
    }

    fn change(&mut self, id: HostId, observation: &Observation) {
        match observation {
            Observation::HostUp(address) | Observation::Readdressed(address) => {
                if self.host(id).address.replace(*address).is_none() {
                    self.ups_and_downs.push((self.step, id, true));
                }
            }
            Observation::HostDown => {
                self.ups_and_downs.push((self.step, id, false));
                self.caller_down(id);
                let claim = self.host(id).claim;
                *self.host(id) = Host { claim, ..Host::default() };
                self.pending.retain(|&(node, _)| node != id);
            }
            Observation::Member(overlay) => {
                self.seen.entry(*overlay).or_insert(self.now);
                self.host(id).member = Some(*overlay);
            }
            Observation::NotMember => self.host(id).member = None,
            Observation::ProxyStarted => self.host(id).proxy = true,
            Observation::Parted { partition, hosts } => {
                self.parted.insert(*partition, hosts.to_vec());
            }
            Observation::Healed(partition) => {
                self.parted.remove(partition);
            }
            _ => self.host(id).proxy = false,
        }
        self.reassess();
        if matches!(observation, Observation::Parted { .. } | Observation::Healed(_)) {
            let said = list(self.says(self.own_server()));
            if said != self.binding {
                self.serve(said);
            }
        }
    }

    fn caller_down(&mut self, id: HostId) {
        self.caches.remove(&id);
        for asked in self.asked.iter_mut().filter(|it| it.agent == id && !it.over) {
            asked.over = true;
            self.callers[asked.index].requests.remove(&asked.key.0);
        }
        for (caller, domain) in self.callers.iter_mut().zip(&self.config.callers) {
            if domain.host == id && domain.agents.is_empty() {
                caller.requests.clear();
            }
        }
    }

    fn main(&self) -> Option<OverlayId> {
        let members = self.hosts.values().filter_map(|host| host.member);
        let populated: BTreeSet<OverlayId> = members.collect();
        let size = |id| self.hosts.values().filter(|host| host.member == Some(id)).count();
        populated.into_iter().min_by_key(|&id| (usize::MAX - size(id), self.seen[&id], id))
    }

    fn reassess(&mut self) {
        let main = self.main();
        let before = self.serving.clone();
        let mut after = BTreeMap::new();
        for (&id, host) in &self.hosts {
            let plays = host.proxy && main.is_some() && host.member == main;
            if let Some(address) = host.address.filter(|_| plays && self.sees(id)) {
                after.insert(id, address);
            }
        }
        for (&id, &address) in &after {
            if before.get(&id) != Some(&address) {
                // The old address of the host goes with the losses.
                self.serving.insert(HostId(id.0 + 1000), address);
                self.history.entry(address).or_default().starts.push(self.now);
                self.scan();
            }
        }
        for (id, &address) in &before {
            if after.get(id) != Some(&address) {
                self.lose(*id, address);
                self.scan();
            }
        }
        self.serving = after;
    }

    fn lose(&mut self, id: HostId, address: Address) {
        let was_valid = self.any_valid(&self.binding);
        self.serving.remove(&id);
        let now = self.now;
        self.history.get_mut(&address).unwrap().ends.push(now);
        if was_valid && self.binding.contains(&address) {
            self.depart(vec![address], self.any_valid(&self.binding), true);
        }
    }

    fn depart(&mut self, members: Vec<Address>, partial: bool, full: bool) {
        let keys = members.iter().map(|&address| self.key(address)).collect();
        let full = full && !partial;
        self.departed.push(Departed { at: self.now, full, partial, keys, updates: 0 });
        if partial {
            return;
        }
        for caller in &mut self.callers {
            if caller.open.is_none() {
                caller.requests.values_mut().for_each(|sent_after| *sent_after = false);
                caller.open = Some(Open {
                    opened: self.now,
                    old: members.first().copied(),
                    first: self.departed.len() - 1,
                    asked: false,
                    anatomy: Anatomy::default(),
                });
            }
        }
    }

    fn serve(&mut self, served: Vec<Address>) {
        let before = std::mem::replace(&mut self.binding, served.clone());
        let now = self.now;
        for &address in &served {
            self.history.entry(address).or_default().served.get_or_insert(now);
        }
        if let Some(last) = self.pending.iter().position(|(_, to)| served.contains(to)) {
            self.pending.drain(..=last);
        }
        while self.pending.first().is_some_and(|(_, to)| served.contains(to)) {
            self.pending.remove(0);
        }
        let never = !served.is_empty() && served.iter().all(|&address| self.key(address).1 == 0);
        if self.any_valid(&before) && !self.any_valid(&served) {
            self.depart(served, false, true);
        } else if never && served != before {
            self.depart(served, false, false);
        }
    }

    fn update_started(&mut self, id: HostId, tested: Option<Address>) {
        if let Some(last) = self.departed.last_mut() {
            last.updates += 1;
        }
        let held = self.host(id).verdict;
        let verdict = tested.map(|tested| match held {
            Some(held) if held.0.0 == tested => held,
            _ => (self.key(tested), self.valid_for(id, tested)),
        });
        let counts = self.now >= self.config.warmup;
        let host = self.host(id);
        host.updating = true;
        host.claim = verdict.map(|(key, _)| key);
        if let Some((key, was_valid)) = verdict {
            let [counted, wrong, _] = self.claims.entry((key, id)).or_default();
            *counted |= counts;
            *wrong |= was_valid;
        }
    }

    fn accepted(&mut self, from: Address, to: Address) {
        let mut holders = self.hosts.iter().filter(|(_, host)| host.address == Some(from));
        let Some((&id, host)) = holders.next() else { return };
        if let Some(key) = host.claim
            && self.any_valid(&self.binding)
            && (self.valid(key.0) || !self.binding.contains(&key.0))
        {
            self.claims.get_mut(&(key, id)).unwrap()[2] = true;
        }
        self.host(id).updating = false;
        if !(self.binding.contains(&to) && self.pending.is_empty()) {
            self.pending.push((id, to));
        }
    }

    fn count_answer(&mut self, id: HostId, answer: &[Address]) {
        if self.now >= self.config.warmup && !answer.is_empty() {
            let stale = !self.any_valid(answer);
            let row = self.rows.entry((id, self.answered(answer))).or_default();
            row.1 += u64::from(stale);
            row.2 += 1;
        }
    }

    /// Closes whatever was restored without having been asked.
    fn scan(&mut self) {
        for index in 0..self.callers.len() {
            let unasked = self.callers[index].open.as_ref().is_some_and(|open| !open.asked);
            if unasked && self.chain_valid(index) && self.any_valid(&self.binding) {
                let valid = self.chain(index).iter().copied().find(|&address| self.valid(address));
                self.close(index, Closed::Unasked, valid);
            }
        }
    }

    fn close(&mut self, index: usize, closed: Closed, new_address: Option<Address>) {
        let Some(open) = self.callers[index].open.take() else { return };
        self.callers[index].requests.values_mut().for_each(|sent_after| *sent_after = false);
        if open.opened < self.config.warmup {
            return;
        }
        let last = self.departed.iter().rev().find(|departed| !departed.partial).unwrap();
        let resolution = new_address.map(|address| {
            let left = last.keys.iter().any(|&(left, nth)| left == address && nth > 0);
            if left { Resolution::Return } else { Resolution::Claim }
        });
        let episode = Episode {
            caller: self.config.callers[index].host,
            opened: open.opened,
            closed_at: self.now,
            closed,
            anatomy: open.anatomy,
            departures: 0,
            claimants: 0,
            updates: 0,
            old_address: open.old,
            new_address,
            resolution,
            departed: open.first..self.departed.len(),
        };
        self.closed.push((open.opened, index, episode));
    }

    fn outcome(mut self) -> Outcome {
        for index in 0..self.callers.len() {
            self.close(index, Closed::Censored, None);
        }
        let mut closed = std::mem::take(&mut self.closed);
        closed.sort_by_key(|&(opened, index, _)| (opened, index));
        let episodes = closed.into_iter().map(|(_, _, episode)| self.finished(episode)).collect();
        let counted = |flag: usize| {
            let claims = self.claims.values().filter(|claim| claim[0] && claim[flag]);
            claims.filter(|claim| flag != 2 || !claim[1]).count() as u64
        };
        let warmup = self.config.warmup;
        let full = self.departed.iter().filter(|departed| departed.full && departed.at >= warmup);
        Outcome {
            episodes,
            stale_nanos: self.stale_nanos,
            caller_stale_nanos: self.caller_stale_nanos,
            departures: full.count() as u64,
            claims: [counted(0), counted(1), counted(2)],
            windows: self.windows(),
            requests: self
                .asked
                .iter()
                .filter(|asked| asked.record.started >= warmup)
                .map(|asked| show_request(&asked.record))
                .collect(),
        }
    }

    fn finished(&self, mut episode: Episode) -> String {
        let departed = &self.departed[episode.departed.clone()];
        episode.departures = departed.iter().filter(|departed| departed.full).count() as u64;
        episode.updates = departed.iter().map(|departed| departed.updates).sum();
        let losses = departed.iter().filter(|departed| !departed.partial);
        let keys: BTreeSet<Key> = losses.flat_map(|departed| departed.keys.clone()).collect();
        let claims = self.claims.keys().filter(|(key, _)| keys.contains(key));
        episode.claimants = claims.count() as u64;
        show_episode(&episode)
    }
}
