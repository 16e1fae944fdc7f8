//! From what a run leaves behind to its rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::metrics::headline::{Asked, RequestTally, SetTally, Tally, headline};
use crate::metrics::tables::{
    DepartureRow, ExchangeRow, HandoverRow, RequestRow, RunOutput, SignallingRow, StaleRow,
    StoryRow, SubscriptionRow, TimelineRow, Told,
};
use crate::net::{Direction, Ledger};
use crate::sim::HostId;
use crate::world::Outcome;
use crate::world::story::Story;
use crate::world::truth::{DepartureKind, Episode, Report, RequestRecord};

/// Nanoseconds in an hour.
const HOUR: f64 = 3.6e12;

/// The rows and headline metrics of one run; `names` are those of its hosts.
#[must_use]
pub fn collect(run: u32, seed: u64, names: &[String], outcome: &Outcome) -> RunOutput {
    let name = |host: HostId| names[host.index()].clone();
    let report = &outcome.report;
    let handovers: Vec<HandoverRow> =
        report.episodes.iter().map(|episode| handover_row(name(episode.caller), episode)).collect();
    let stale: Vec<StaleRow> = report
        .windows()
        .map(|window| StaleRow {
            resolver: name(window.resolver),
            address: window.address,
            ended: window.ended,
            window: window.window,
            stale_answers: window.stale_answers,
            answers: window.answers,
            callers: window.callers,
        })
        .collect();
    let signalling = signalling_rows(&outcome.ledger);
    let requests = request_rows(report, names);
    let tally = tally(report, outcome, &requests);
    RunOutput {
        run,
        seed,
        fingerprint: outcome.fingerprint,
        headline: headline(report.warmup, &handovers, &stale, &signalling, &tally),
        handovers,
        stale,
        requests,
        departures: report.departed.iter().map(|&time| DepartureRow { time }).collect(),
        signalling,
        timeline: timeline_rows(report),
        told: outcome.story.as_ref().map(|story| told(story, &name)).unwrap_or_default(),
    }
}

/// A count that fits its column; larger ones do not occur within one episode.
fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn handover_row(caller: String, episode: &Episode) -> HandoverRow {
    HandoverRow {
        caller,
        opened: episode.opened,
        anatomy: episode.anatomy,
        departures: small(episode.departures),
        claimants: small(episode.claimants),
        updates: small(episode.updates),
        old_address: episode.old_address,
        new_address: episode.new_address,
        closed: episode.closed,
        resolution: episode.resolution,
    }
}

fn request_rows(report: &Report, names: &[String]) -> Vec<RequestRow> {
    let mut domains: BTreeMap<HostId, Arc<str>> = BTreeMap::new();
    let row = |request: &RequestRecord| {
        let name = || Arc::from(names[request.caller.index()].as_str());
        RequestRow {
            time: request.started,
            caller: Arc::clone(domains.entry(request.caller).or_insert_with(name)),
            method: request.method,
            outcome: request.outcome,
            cause: request.cause,
            delay: request.delay,
            stale: request.stale,
        }
    };
    report.requests.iter().map(row).collect()
}

fn signalling_rows(ledger: &Ledger) -> Vec<SignallingRow> {
    let mut rows = Vec::new();
    for class in ledger.classes() {
        for direction in [Direction::Sent, Direction::Delivered, Direction::Lost] {
            let count = ledger.count(direction, class);
            rows.push(SignallingRow {
                protocol: class.protocol,
                purpose: class.purpose,
                direction,
                messages: count.messages,
                bytes: count.bytes,
            });
        }
    }
    rows
}

fn timeline_rows(report: &Report) -> Vec<TimelineRow> {
    let row = |point: &crate::world::truth::TimelinePoint| TimelineRow {
        time: point.at,
        members: point.members,
        believers: small(point.believers),
        binding_valid: point.binding_valid,
        stale_resolvers: small(point.stale_resolvers),
        resolvers: small(point.resolvers),
        overlays: small(point.overlays),
        messages: point.messages,
    };
    report.timeline.iter().map(row).collect()
}

fn told(story: &Story, name: &dyn Fn(HostId) -> String) -> Told {
    Told {
        lines: story
            .lines
            .iter()
            .map(|line| StoryRow {
                time: line.at,
                from: name(line.from),
                to: line.to.map(name),
                what: line.what.clone(),
                again: line.again,
            })
            .collect(),
        exchanges: story
            .exchanges
            .iter()
            .map(|it| ExchangeRow {
                title: it.title.clone(),
                met: it.met,
                instead: it.instead.clone(),
            })
            .collect(),
        subscriptions: story
            .subscriptions
            .iter()
            .map(|it| SubscriptionRow {
                watcher: name(it.watcher),
                peer: name(it.peer),
                granted: it.granted,
                fate: it.fate,
                at: it.at,
                regained: it.regained,
                told: it.in_words(name),
            })
            .collect(),
    }
}

fn tally(report: &Report, outcome: &Outcome, requests: &[RequestRow]) -> Tally {
    let totals = &report.totals;
    let lookups = &outcome.lookups;
    let claimants = |counts: fn(DepartureKind) -> bool| {
        let departures = report.departures.iter().filter(move |it| counts(it.kind));
        departures.map(|departure| small(departure.claimants)).collect()
    };
    Tally {
        leaves: totals.leaves,
        departures: totals.departures,
        observed: report.end.since(report.warmup),
        stale_share: (totals.observed_nanos > 0).then(|| report.stale_share()),
        stale_answers: totals.stale_answers,
        answers: totals.answers,
        claimants: claimants(DepartureKind::is_full),
        false_claims: totals.false_claims,
        late_claims: totals.late_claims,
        split_brain: totals.split_brain,
        updates: totals.updates,
        asked: match report.has_users {
            true => Asked::Requests(RequestTally::of(requests)),
            false => Asked::Lookups(totals.lookups),
        },
        media: outcome.media,
        outbound: report.watches_outbound.then_some(totals.outbound),
        node_hours: outcome.member_nanos as f64 / HOUR,
        lookup_hops_mean: (lookups.found > 0).then(|| lookups.hops as f64 / lookups.found as f64),
        lookup_failures: lookups.failed,
        lookups_wrong: lookups.wrong,
        caller_stale_share: report.caller_stale_share(),
        sets: report.publishes_sets.then(|| SetTally {
            claimants: claimants(|kind| kind == DepartureKind::Partial),
            degraded: totals.degraded,
            spells: totals.degraded_spells,
            longest: totals.degraded_longest,
        }),
    }
}
