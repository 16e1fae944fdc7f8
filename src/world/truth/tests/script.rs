//! Observations as text, one a line: `<second> <who> <what> …`. Text after `#` is a comment.
//!
//! Who: `n1` … `n9` are nodes, `r1` … resolvers, `c1` … the servers of callers (`c1` asks `r1`),
//! `u11`, `u12` … the users of `c1`, `z` the authority and endpoint. Addresses are letters: `n1` holds `a`, `n2` holds `b`, and so on, unless
//! `up` says otherwise. A list of addresses is `a,b`; `none` is a negative answer, `fail` a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::address::Address;
use crate::net::Partition;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::observation::{
    Answer, Observation, OverlayId, RequestEnding, RequestKey, RequestMethod,
};
use crate::world::truth::{
    CallerDomain, Episode, Report, RequestOutcome, RequestRecord, Truth, TruthConfig, checks,
};

pub(super) type Happening = (SimTime, HostId, Observation);

pub(super) fn host(name: &str) -> HostId {
    let number: u32 = name[1..].parse().unwrap_or(0);
    let base = match &name[..1] {
        "n" | "x" => 0,
        "r" => 100,
        "c" => 200,
        "u" => 400,
        _ => 300,
    };
    HostId(base + number)
}

pub(super) fn address(letter: &str) -> Address {
    Address::from_bits(0x0a00_0000 + u32::from(letter.as_bytes()[0]))
}

fn letter(address: Address) -> char {
    char::from((address.bits() & 0xff) as u8)
}

fn answer(text: &str) -> Answer {
    match text {
        "none" => Answer::Negative,
        "fail" => Answer::Failure,
        list => Answer::Addresses(list.split(',').map(address).collect()),
    }
}

fn request(key: &str) -> RequestKey {
    RequestKey(key.parse().unwrap())
}

fn ending(how: &str) -> RequestEnding {
    match how {
        "timeout" => RequestEnding::Timeout,
        "transport" => RequestEnding::Transport,
        "unlocated" => RequestEnding::Unlocated,
        status => RequestEnding::Final(status.parse().unwrap()),
    }
}

fn time(text: &str) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs_f64(text.parse().unwrap())
}

fn observations(at: SimTime, what: &[&str]) -> Vec<Observation> {
    let one = match *what {
        // A node that comes up, joins overlay 1 and plays the proxy role at once.
        ["born", at] => {
            let up = Observation::HostUp(address(at));
            return vec![up, Observation::Member(OverlayId(1)), Observation::ProxyStarted];
        }
        ["up", at] => Observation::HostUp(address(at)),
        ["down"] => Observation::HostDown,
        ["member", id] => Observation::Member(OverlayId(id.parse().unwrap())),
        ["leave"] => Observation::NotMember,
        ["proxy"] => Observation::ProxyStarted,
        ["stop"] => Observation::ProxyStopped,
        ["failed", tested] => Observation::VerdictFailed(address(tested)),
        ["cleared"] => Observation::VerdictCleared,
        ["update", tested, own] => Observation::UpdateStarted {
            tested: (tested != "-").then(|| address(tested)),
            own: address(own),
        },
        ["ended", how] => Observation::UpdateEnded { accepted: how == "ok" },
        ["accept", from] => Observation::UpdateAccepted { from: address(from), to: address(from) },
        ["serve", what] => Observation::BindingServed(answer(what)),
        ["cache", what, ttl] => Observation::CacheStored {
            answer: answer(what),
            expires: at + SimDuration::from_secs_f64(ttl.parse().unwrap()),
        },
        ["keep", ttl] => {
            Observation::CacheKept { until: at + SimDuration::from_secs_f64(ttl.parse().unwrap()) }
        }
        ["answer", what] => Observation::Answered(answer(what)),
        ["ask", request] => Observation::LookupStarted(request.parse().unwrap()),
        ["got", request, what] => {
            Observation::LookupEnded { request: request.parse().unwrap(), answer: answer(what) }
        }
        ["send", key, method, callee] => Observation::RequestStarted {
            request: request(key),
            method: match method {
                "invite" => RequestMethod::Invite,
                "subscribe" => RequestMethod::Subscribe,
                _ => RequestMethod::Message,
            },
            callee: (callee != "-").then(|| host(callee)),
        },
        ["route", key, to] => Observation::RequestRouted { request: request(key), to: address(to) },
        ["serves", key] => Observation::RequestServed { request: request(key) },
        // Nodes and others that are cut off, by partition 0 to 9: `part 0 n1,n2`.
        ["part", number, hosts] => Observation::Parted {
            partition: Partition::new(number.parse().unwrap()),
            hosts: hosts.split(',').map(host).collect(),
        },
        ["heal", number] => Observation::Healed(Partition::new(number.parse().unwrap())),
        ["end", key, how] => {
            Observation::RequestEnded { request: request(key), ending: ending(how) }
        }
        ["outward", key] => Observation::OutboundStarted { request: request(key) },
        ["done", key, how] => {
            Observation::OutboundEnded { request: request(key), answered: how == "ok" }
        }
        _ => panic!("unknown line {what:?}"),
    };
    vec![one]
}

/// What happens, by time, then in the order of the lines.
pub(super) fn parse(script: &str) -> Vec<Happening> {
    let mut happenings = Vec::new();
    for line in script.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
        if let [at, who, what @ ..] = words.as_slice() {
            let at = time(at);
            let seen = observations(at, what).into_iter();
            happenings.extend(seen.map(|observation| (at, host(who), observation)));
        }
    }
    happenings.sort_by_key(|&(at, ..)| at);
    happenings
}

/// Nodes `n1` to `n9`, and as many resolvers as callers.
pub(super) fn config(resolvers: u32, warmup: u64) -> TruthConfig {
    let resolver = |n| HostId(100 + n);
    TruthConfig {
        nodes: (1..10).map(HostId).collect(),
        resolvers: (1..=resolvers).map(resolver).collect(),
        callers: (1..=resolvers)
            .map(|n| CallerDomain {
                embeds: false,
                host: HostId(200 + n),
                resolver: resolver(n),
                agents: Vec::new(),
                cache: false,
            })
            .collect(),
        watches_outbound: false,
        publishes_sets: false,
        warmup: SimTime::from_secs(warmup),
        timeline_bin: SimDuration::ZERO,
        observer: None,
        authorities: vec![HostId(300)],
        forwards: BTreeMap::new(),
        walled: BTreeSet::new(),
    }
}

/// The same where each caller has two users, and the first caller's server a cache of its own.
pub(super) fn with_users(resolvers: u32, warmup: u64) -> TruthConfig {
    let mut config = config(resolvers, warmup);
    for (n, caller) in (1..).zip(&mut config.callers) {
        caller.agents = vec![HostId(401 + 10 * n), HostId(402 + 10 * n)];
        caller.cache = n == 1;
    }
    config
}

pub(super) fn run(config: TruthConfig, happenings: &[Happening], end: SimTime) -> Report {
    let mut truth = Truth::new(config);
    for (at, host, observation) in happenings {
        truth.observe(*at, *host, observation);
    }
    let report = truth.finish(end);
    assert_eq!(checks(&report), []);
    report
}

/// One resolver and caller, no warm-up, 1,000 s.
pub(super) fn report(script: &str) -> Report {
    run(config(1, 0), &parse(script), SimTime::from_secs(1000))
}

/// `c1 100..140 Lookup Claim a>b departures=1 claimants=1 updates=1 detect=…`, columns that are
/// zero left out.
pub(super) fn show_episode(episode: &Episode) -> String {
    let at = |address: Option<Address>| address.map_or('-', letter);
    let resolution = episode.resolution.map_or("-".to_owned(), |how| format!("{how:?}"));
    let mut line = format!(
        "c{} {}..{} {:?} {resolution} {}>{} {}/{}/{}",
        episode.caller.0 - 200,
        episode.opened,
        episode.closed_at,
        episode.closed,
        at(episode.old_address),
        at(episode.new_address),
        episode.departures,
        episode.claimants,
        episode.updates,
    );
    let anatomy = &episode.anatomy;
    let columns = [
        ("detect", anatomy.detect),
        ("claim", anatomy.claim),
        ("update", anatomy.update),
        ("publish", anatomy.publish),
        ("cache", anatomy.cache),
        ("ask", anatomy.ask),
        ("recover", anatomy.recover),
    ];
    for (name, span) in columns.into_iter().filter(|(_, span)| !span.is_zero()) {
        write!(line, " {name}={span}").unwrap();
    }
    line
}

/// `c1 100 Message 200 - 2 fresh`: caller, beginning, method, outcome, cause, delay, and whether the
/// first address that it was routed to was stale.
pub(super) fn show_request(request: &RequestRecord) -> String {
    let outcome = match request.outcome {
        RequestOutcome::Status(status) => status.to_string(),
        other => format!("{other:?}"),
    };
    let cause = request.cause.map_or("-".to_owned(), |cause| format!("{cause:?}"));
    let delay = request.delay.map_or("-".to_owned(), |delay| delay.to_string());
    let stale = match request.stale {
        None => "-",
        Some(true) => "stale",
        Some(false) => "fresh",
    };
    let (caller, started, method) = (request.caller.0 - 200, request.started, request.method);
    format!("c{caller} {started} {method:?} {outcome} {cause} {delay} {stale}")
}

/// Episodes, then windows as `r1 a@100 window stale/answers`.
pub(super) fn show(report: &Report) -> Vec<String> {
    let episodes = report.episodes.iter().map(show_episode);
    let windows = report.windows().map(|row| {
        format!(
            "r{} {}@{} {} {}/{}",
            row.resolver.0 - 100,
            letter(row.address),
            row.ended,
            row.window,
            row.stale_answers,
            row.answers
        )
    });
    episodes.chain(windows).collect()
}
