//! Random scripts: the reducer agrees with the naive model to the nanosecond.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::naive::{Naive, Outcome};
use super::script::{Happening, address, run, show_episode, show_request, with_users};
use crate::address::Address;
use crate::net::Partition;
use crate::rng::{NameHash, Purpose, stream};
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::observation::{
    Answer, Observation, OverlayId, RequestEnding, RequestKey, RequestMethod,
};
use crate::world::truth::{Report, TruthConfig};

const NODES: u32 = 5;
const RESOLVERS: u32 = 3;

/// Makes observations that a run could make: caches hold what was served, addresses have one
/// holder, nodes that are down say nothing.
struct Author {
    rng: ChaCha8Rng,
    now: SimTime,
    up: BTreeMap<HostId, Address>,
    served: Vec<Answer>,
    /// How many name servers there are.
    servers: u32,
    asked: u64,
    /// Requests that have not ended, with their agents.
    under_way: Vec<(RequestKey, HostId)>,
}

impl Author {
    fn one_in(&mut self, n: u32) -> bool {
        self.rng.random_range(0..n) == 0
    }

    fn quarter_seconds(&mut self, below: u64) -> SimDuration {
        SimDuration::from_millis(250 * self.rng.random_range(0..below))
    }

    /// Each node has two addresses of its own.
    fn address_of(&mut self, node: HostId) -> Address {
        let base = if self.one_in(4) { b'k' } else { b'a' };
        let letter = char::from(base + node.0 as u8 - 1).to_string();
        address(&letter)
    }

    fn any_address(&mut self) -> Address {
        let node = HostId(self.rng.random_range(1..=NODES));
        self.address_of(node)
    }

    fn old_answer(&mut self) -> Answer {
        // Mostly a recent one.
        let recent = self.served.len().saturating_sub(3);
        let from = if self.one_in(3) { 0 } else { recent };
        self.served[self.rng.random_range(from..self.served.len())].clone()
    }

    fn binding(&mut self) -> Answer {
        match self.rng.random_range(0..12) {
            0 => Answer::Negative,
            1..4 => {
                let pair = vec![self.any_address(), self.any_address()];
                Answer::Addresses(pair)
            }
            _ => {
                let up: Vec<Address> = self.up.values().copied().collect();
                let one = match up.len() {
                    0 => self.any_address(),
                    n => up[self.rng.random_range(0..n)],
                };
                Answer::Addresses(vec![one])
            }
        }
    }

    fn node(&mut self) -> (HostId, Observation) {
        let node = HostId(self.rng.random_range(1..=NODES));
        let Some(&own) = self.up.get(&node) else {
            let own = self.address_of(node);
            self.up.insert(node, own);
            return (node, Observation::HostUp(own));
        };
        let observation = match self.rng.random_range(0..18) {
            0..2 => {
                self.up.remove(&node);
                Observation::HostDown
            }
            2..5 => Observation::Member(OverlayId(if self.one_in(4) { 2 } else { 1 })),
            5 => Observation::NotMember,
            6..9 => Observation::ProxyStarted,
            9 => Observation::ProxyStopped,
            10..12 => Observation::VerdictFailed(self.any_address()),
            12 => Observation::VerdictCleared,
            13 => {
                let own = self.address_of(node);
                self.up.insert(node, own);
                Observation::Readdressed(own)
            }
            14 => Observation::UpdateEnded { accepted: self.one_in(2) },
            _ => {
                let tested = if self.one_in(4) { None } else { Some(self.any_address()) };
                Observation::UpdateStarted { tested, own }
            }
        };
        (node, observation)
    }

    fn key(&mut self) -> RequestKey {
        // Mostly one that is under way.
        match self.under_way.len() {
            n if n > 0 && !self.one_in(6) => self.under_way[self.rng.random_range(0..n)].0,
            _ => RequestKey(self.rng.random_range(0..=self.asked)),
        }
    }

    /// Callers 1 and 2 have two users each.
    fn user(&mut self) -> (HostId, Observation) {
        let domain = self.rng.random_range(1..=2);
        let agent = HostId(400 + 10 * domain + self.rng.random_range(1..=2));
        match self.rng.random_range(0..12) {
            0..4 => {
                self.asked += 1;
                let request = RequestKey(self.asked);
                self.under_way.push((request, agent));
                let callee = if self.one_in(5) {
                    None
                } else {
                    Some(HostId(self.rng.random_range(1..=NODES)))
                };
                let methods = [RequestMethod::Message, RequestMethod::Invite];
                let method = methods[self.rng.random_range(0..2)];
                (agent, Observation::RequestStarted { request, method, callee })
            }
            4..6 => {
                let (request, to) = (self.key(), self.any_address());
                (HostId(200 + domain), Observation::RequestRouted { request, to })
            }
            6..9 => {
                let node = HostId(self.rng.random_range(1..=NODES));
                (node, Observation::RequestServed { request: self.key() })
            }
            9 if self.one_in(12) => {
                self.under_way.retain(|&(_, of)| of != agent);
                (agent, Observation::HostDown)
            }
            _ if self.under_way.is_empty() => (HostId(200 + domain), Observation::LookupStarted(0)),
            _ => {
                let nth = self.rng.random_range(0..self.under_way.len());
                let (request, agent) = self.under_way.remove(nth);
                let endings = [
                    RequestEnding::Final(200),
                    RequestEnding::Final(408),
                    RequestEnding::Final(603),
                    RequestEnding::Timeout,
                ];
                let ending = endings[self.rng.random_range(0..4)];
                (agent, Observation::RequestEnded { request, ending })
            }
        }
    }

    /// Partitions 0 and 1 cut off some nodes and the authority; observer 500 and none else is behind
    /// the second.
    fn cut(&mut self) -> (HostId, Observation) {
        let number = self.rng.random_range(0..2);
        let partition = Partition::new(number);
        if self.one_in(2) {
            return (HostId(0), Observation::Healed(partition));
        }
        let mut hosts: Vec<HostId> = (1..=NODES).map(HostId).filter(|_| self.one_in(2)).collect();
        hosts.extend((number == 0 && self.one_in(2)).then_some(HostId(300)));
        hosts.extend((number == 1).then_some(HostId(500)));
        for secondary in 1..self.servers {
            hosts.extend(self.one_in(2).then_some(HostId(300 + secondary)));
        }
        (HostId(0), Observation::Parted { partition, hosts: hosts.into() })
    }

    fn infrastructure(&mut self) -> (HostId, Observation) {
        let nth = self.rng.random_range(1..=RESOLVERS);
        let (resolver, caller) = (HostId(100 + nth), HostId(200 + nth));
        match self.rng.random_range(0..11) {
            10 => {
                let until = self.now + self.quarter_seconds(120);
                (resolver, Observation::CacheKept { until })
            }
            0..2 => {
                let (server, answer) = match self.servers {
                    1 => (300, self.binding()),
                    // Secondaries mostly have something old, or have expired.
                    n => match self.rng.random_range(300..300 + n) {
                        300 => (300, self.binding()),
                        server if self.one_in(8) => (server, Answer::Failure),
                        server => (server, self.old_answer()),
                    },
                };
                self.served.push(answer.clone());
                (HostId(server), Observation::BindingServed(answer))
            }
            2 => {
                let up: Vec<Address> = self.up.values().copied().collect();
                let from = match up.len() {
                    0 => self.any_address(),
                    n => up[self.rng.random_range(0..n)],
                };
                (HostId(300), Observation::UpdateAccepted { from, to: from })
            }
            3..5 => {
                let holder = if self.one_in(3) { caller } else { resolver };
                let expires = self.now + self.quarter_seconds(60);
                let answer = if self.one_in(8) { Answer::Failure } else { self.old_answer() };
                (holder, Observation::CacheStored { answer, expires })
            }
            5..7 => (resolver, Observation::Answered(self.old_answer())),
            7 => {
                self.asked += 1;
                (caller, Observation::LookupStarted(self.asked))
            }
            _ => {
                let request = self.rng.random_range(0..=self.asked);
                (caller, Observation::LookupEnded { request, answer: self.old_answer() })
            }
        }
    }

    /// A script, with partitions or without.
    fn script(seed: u64, length: usize, cuts: bool) -> Vec<Happening> {
        Self::script_with(seed, length, cuts, 1)
    }

    /// The same with so many name servers, of which each partition cuts off some.
    fn script_with(seed: u64, length: usize, cuts: bool, servers: u32) -> Vec<Happening> {
        let rng = stream(seed, Purpose::Workload, NameHash::of("truth"));
        let served = vec![Answer::Negative];
        let mut author = Self {
            rng,
            now: SimTime::ZERO,
            up: BTreeMap::new(),
            served,
            servers,
            asked: 0,
            under_way: Vec::new(),
        };
        let mut script = Vec::with_capacity(length);
        for _ in 0..length {
            if !author.one_in(3) {
                let pause = author.quarter_seconds(8);
                author.now += pause;
            }
            let (host, observation) = match author.rng.random_range(0..5) {
                0..2 => author.node(),
                2..4 if cuts && author.one_in(8) => author.cut(),
                2..4 => author.infrastructure(),
                _ => author.user(),
            };
            script.push((author.now, host, observation));
        }
        script
    }
}

/// The same quantities from the report.
fn outcome(report: &Report) -> Outcome {
    let mut nth = BTreeMap::new();
    let mut windows = BTreeMap::new();
    for row in report.windows() {
        // Two intervals of an address may end at one instant; they are told apart by their order.
        let n = nth.entry((row.resolver, row.address, row.ended)).or_insert(0usize);
        *n += 1;
        let counted = (u128::from(row.window.as_nanos()), row.stale_answers, row.answers);
        windows.insert((row.resolver, row.address, row.ended, *n), counted);
    }
    let totals = &report.totals;
    Outcome {
        episodes: report.episodes.iter().map(show_episode).collect(),
        windows,
        stale_nanos: totals.stale_nanos,
        caller_stale_nanos: totals.caller_stale_nanos,
        departures: totals.departures,
        claims: [totals.claims, totals.false_claims, totals.late_claims],
        requests: report.requests.iter().map(show_request).collect(),
    }
}

/// Numbers intervals that ended at one instant by their order, as `outcome` does.
fn renumber(expected: Outcome) -> Outcome {
    let mut nth = BTreeMap::new();
    let mut windows = BTreeMap::new();
    for ((resolver, address, ended, _), row) in expected.windows {
        let n = nth.entry((resolver, address, ended)).or_insert(0usize);
        *n += 1;
        windows.insert((resolver, address, ended, *n), row);
    }
    Outcome { windows, ..expected }
}

fn compare(config: &TruthConfig, script: &[Happening]) -> Outcome {
    let end = script.last().unwrap().0 + SimDuration::from_secs(7);
    let found = outcome(&run(config.clone(), script, end));
    let expected = renumber(Naive::run(config.clone(), script, end));
    assert_eq!(found.episodes, expected.episodes);
    assert_eq!(found.requests, expected.requests);
    assert_eq!(found, expected);
    found
}

#[test]
fn random_scripts_agree_with_the_naive_model() {
    let (mut episodes, mut requests) = (String::new(), String::new());
    let (mut stale, mut claims) = (0, [0; 3]);
    for seed in 0..300 {
        let script = Author::script(seed, 500, false);
        // 500 steps of 7/12 s on average take about 290 s. The third caller looks up only.
        let mut config = with_users(RESOLVERS, 40 * (seed % 2));
        config.callers[2].agents.clear();
        let found = compare(&config, &script);
        episodes += &found.episodes.join("\n");
        requests += &found.requests.join("\n");
        stale += found.stale_nanos;
        claims = [0, 1, 2].map(|index| claims[index] + found.claims[index]);
    }
    // The scripts get everywhere.
    for word in [
        "detect=", "claim=", "update=", "publish=", "cache=", "ask=", "recover=", "Lookup",
        "Request", "Unasked", "Censored", "Claim", "Return", " 0/", " 2/", " 3/",
    ] {
        assert!(episodes.contains(word), "no episode with {word}");
    }
    for word in [
        " 200 - ",
        " 408 Interop ",
        " 408 Callee ",
        " 603 Callee ",
        "Timeout",
        "stale",
        "fresh",
        "WrongOverlay Interop",
        "WrongOverlay Callee",
        "Unfinished",
    ] {
        assert!(requests.contains(word), "no request with {word}");
    }
    assert!(stale > 0 && claims.iter().all(|&count| count > 0), "{stale} {claims:?}");
}

/// Whom each of three observers sees differs: one who is always on the near side, one who is behind
/// the second partition at times, and one on the authority's side.
#[test]
fn random_partitions_agree_with_the_naive_model_for_every_observer() {
    let mut outcomes = Vec::new();
    for seed in 1_000..1_120 {
        let script = Author::script(seed, 400, true);
        let seen = [None, Some(HostId(500)), Some(HostId(300))].map(|observer| {
            let mut config = with_users(RESOLVERS, 40 * (seed % 2));
            config.observer = observer;
            config.callers[2].agents.clear();
            compare(&config, &script)
        });
        outcomes.push(seen);
    }
    let differ = |a: usize, b: usize| outcomes.iter().filter(|seen| seen[a] != seen[b]).count();
    assert!(differ(0, 1) > 60 && differ(0, 2) > 60 && differ(1, 2) > 60);
    let sum = |count: fn(&Outcome) -> u64| -> u64 { outcomes.iter().flatten().map(count).sum() };
    assert!(sum(|it| it.departures) > 0 && sum(|it| it.claims[1]) > 0);
    assert!(sum(|it| it.stale_nanos as u64 / 1_000_000_000) > 0);
}

/// Resolver 3 forwards to 2, and 2 to 1; the observer asks the secondary 301, then the primary, then
/// 302.
#[test]
fn secondaries_and_forwarders_agree_with_the_naive_model() {
    let mut differ = [0; 2];
    for seed in 2_000..2_120 {
        let script = Author::script_with(seed, 400, seed % 2 == 0, 3);
        let of = |servers: [u32; 3], forwards: &[(u32, u32)]| {
            let mut config = with_users(RESOLVERS, 0);
            config.callers[2].agents.clear();
            config.authorities = servers.map(HostId).to_vec();
            let pair = |&(below, above): &(u32, u32)| (HostId(100 + below), HostId(100 + above));
            config.forwards = forwards.iter().map(pair).collect();
            config.observer = (seed % 3 == 0).then_some(HostId(500));
            compare(&config, &script)
        };
        let plain = of([300, 301, 302], &[]);
        differ[0] += u32::from(of([301, 300, 302], &[]) != plain);
        differ[1] += u32::from(of([300, 301, 302], &[(2, 1), (3, 2)]) != plain);
        of([302, 301, 300], &[(2, 1), (3, 1)]);
    }
    assert!(differ.iter().all(|&count| count > 100), "{differ:?}");
}
