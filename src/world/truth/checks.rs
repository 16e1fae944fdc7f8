//! What must hold of every report, whatever happened in the run.
//!
//! Each sentence compares two numbers that were counted in different ways, so that a mistake in
//! either shows: the stale time of the rows is booked when a resolver's source changes, the total
//! is the integral of the number of stale resolvers; the columns of an episode are differences of
//! clocks, its total is the difference of two instants.

use std::fmt::{self, Display};

use crate::address::Address;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};

use super::report::{
    Cause, Closed, Departure, DepartureKind, EndedInterval, Episode, Report, RequestOutcome,
    RequestRecord, TimelinePoint,
};

/// What a report says that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The columns of an episode don't sum to its length.
    #[error("the anatomy of {episode} sums to {sum} s, not to {total} s")]
    Anatomy {
        /// Which episode.
        episode: EpisodeName,
        /// The sum of the columns.
        sum: SimDuration,
        /// From opening to closing.
        total: SimDuration,
    },
    /// An episode opened before the warm-up, closed before it opened or after the end.
    #[error("{episode} is not within the run, or opened before the warm-up")]
    EpisodeTime {
        /// Which episode.
        episode: EpisodeName,
    },
    /// The episodes of one caller overlap.
    #[error("{episode} opened while another episode of the caller was open")]
    Overlap {
        /// The later episode.
        episode: EpisodeName,
    },
    /// How the episode closed contradicts its columns or addresses.
    #[error("{episode}: {what}")]
    Closing {
        /// Which episode.
        episode: EpisodeName,
        /// The contradiction.
        what: &'static str,
    },
    /// An episode's departures are not those of the list.
    #[error("{episode} says {said} departures, the list has {listed}")]
    Departures {
        /// Which episode.
        episode: EpisodeName,
        /// In the episode.
        said: u64,
        /// In its range of the list.
        listed: u64,
    },
    /// A sum over the whole run differs from the sum over its parts.
    #[error("{what}: {parts} in the parts, {total} in the total")]
    Sum {
        /// What was summed.
        what: &'static str,
        /// The sum over the parts.
        parts: u128,
        /// The total.
        total: u128,
    },
    /// A part is greater than the whole.
    #[error("{what}: {part} of {whole}")]
    Share {
        /// What was counted.
        what: &'static str,
        /// The part.
        part: u128,
        /// The whole.
        whole: u128,
    },
    /// A row is longer than the time after the interval's end, or has more stale answers than
    /// answers, or belongs to no resolver.
    #[error("the row of resolver {resolver} for {address}, ended at {ended} s, can't be")]
    Row {
        /// The position of the resolver.
        resolver: u32,
        /// The address.
        address: Address,
        /// When the interval ended.
        ended: SimTime,
    },
    /// A request is out of order, or its outcome contradicts its cause or delay.
    #[error("the request of caller {} that began at {at} s can't be", caller.0)]
    Request {
        /// The caller domain's host.
        caller: HostId,
        /// When it began.
        at: SimTime,
    },
    /// A point of the timeline is out of order or shows more stale resolvers than there are.
    #[error("the timeline's point at {at} s can't be")]
    Timeline {
        /// The instant.
        at: SimTime,
    },
}

/// An episode, in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpisodeName {
    /// The caller domain's host.
    pub caller: HostId,
    /// When it opened.
    pub opened: SimTime,
}

impl Display for EpisodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the episode of caller {} opened at {} s", self.caller.0, self.opened)
    }
}

/// Judges a report; an empty list is a pass.
#[must_use]
pub fn checks(report: &Report) -> Vec<Violation> {
    let mut found = Vec::new();
    for episode in &report.episodes {
        found.extend(check_episode(report, episode));
    }
    found.extend(check_overlaps(&report.episodes));
    found.extend(check_sums(report));
    found.extend(check_shares(report));
    found.extend(report.intervals.iter().flat_map(|interval| check_rows(report, interval)));
    found.extend(check_requests(report));
    found.extend(check_timeline(&report.timeline));
    found
}

fn check_episode(report: &Report, episode: &Episode) -> Vec<Violation> {
    let name = EpisodeName { caller: episode.caller, opened: episode.opened };
    let mut found = Vec::new();
    let (sum, total) = (episode.anatomy.total(), episode.closed_at.since(episode.opened));
    if sum != total {
        found.push(Violation::Anatomy { episode: name, sum, total });
    }
    let within = report.warmup <= episode.opened && episode.closed_at <= report.end;
    if !within || episode.closed_at < episode.opened {
        found.push(Violation::EpisodeTime { episode: name });
    }
    if let Some(what) = contradiction(report, episode) {
        found.push(Violation::Closing { episode: name, what });
    }
    let listed = report.departures.get(episode.departed.clone()).unwrap_or_default();
    let full = listed.iter().filter(|departure| departure.kind.is_full()).count() as u64;
    let begins = listed.first().is_some_and(|first| first.at == episode.opened);
    if full != episode.departures || !begins {
        found.push(Violation::Departures { episode: name, said: episode.departures, listed: full });
    }
    found
}

fn contradiction(report: &Report, episode: &Episode) -> Option<&'static str> {
    let resolved = episode.new_address.is_some() && episode.resolution.is_some();
    let open = episode.new_address.is_none() && episode.resolution.is_none();
    match episode.closed {
        Closed::Request | Closed::Lookup if !resolved => Some("it was closed without an address"),
        Closed::Unasked if !resolved => Some("the chain was restored without a new address"),
        Closed::Censored if !open => Some("it is censored but resolved"),
        Closed::Censored if episode.closed_at != report.end => Some("censored before the end"),
        _ => None,
    }
}

fn check_overlaps(episodes: &[Episode]) -> Vec<Violation> {
    let mut sorted: Vec<&Episode> = episodes.iter().collect();
    sorted.sort_by_key(|episode| (episode.caller, episode.opened, episode.closed_at));
    let pairs = sorted.windows(2);
    let overlapping =
        pairs.filter(|pair| pair[0].caller == pair[1].caller && pair[1].opened < pair[0].closed_at);
    overlapping
        .map(|pair| Violation::Overlap {
            episode: EpisodeName { caller: pair[1].caller, opened: pair[1].opened },
        })
        .collect()
}

fn check_sums(report: &Report) -> Vec<Violation> {
    let totals = &report.totals;
    let rows = || report.intervals.iter().flat_map(|interval| interval.rows.values());
    let stale: u128 = rows().map(|row| u128::from(row.window.as_nanos())).sum();
    let answers: u128 = rows().map(|row| u128::from(row.stale_answers)).sum();
    let of_kind = |wanted: fn(DepartureKind) -> bool| {
        let kinds = report.departures.iter().map(|departure: &Departure| departure.kind);
        kinds.filter(|&kind| wanted(kind)).count() as u128
    };
    let sums = [
        ("stale nanoseconds", stale + totals.carried_nanos, totals.stale_nanos),
        (
            "stale answers",
            answers + u128::from(totals.carried_stale_answers),
            totals.stale_answers.into(),
        ),
        ("departures", of_kind(DepartureKind::is_full), totals.departures.into()),
        (
            "partial departures",
            of_kind(|kind| kind == DepartureKind::Partial),
            totals.partial_departures.into(),
        ),
        (
            "unborn bindings",
            of_kind(|kind| kind == DepartureKind::Unborn),
            totals.unborn_bindings.into(),
        ),
    ];
    sums.into_iter()
        .filter(|(_, parts, total)| parts != total)
        .map(|(what, parts, total)| Violation::Sum { what, parts, total })
        .collect()
}

fn check_shares(report: &Report) -> Vec<Violation> {
    let totals = &report.totals;
    let span = report.end.since(report.warmup).as_nanos().into();
    let nanos = |span: SimDuration| u128::from(span.as_nanos());
    let answered = u128::from(totals.lookups_valid) + u128::from(totals.lookups_stale);
    let rows = report.intervals.iter().flat_map(|interval| interval.rows.values());
    let row_answers: u128 = rows.map(|row| u128::from(row.answers)).sum();
    let caller_rows = report.windows().filter(|window| window.callers > 0);
    let row_nanos: u128 = caller_rows.map(|window| nanos(window.window)).sum();
    let shares = [
        ("stale time", totals.stale_nanos, totals.observed_nanos),
        ("stale time at callers", totals.caller_stale_nanos, totals.stale_nanos),
        ("stale time of callers", totals.caller_stale_nanos, totals.caller_observed_nanos),
        ("rows of callers", row_nanos, totals.caller_stale_nanos),
        ("longest degradation", nanos(totals.degraded_longest), nanos(totals.degraded)),
        ("stale answers", totals.stale_answers.into(), totals.answers.into()),
        ("answers in rows", row_answers, totals.answers.into()),
        (
            "false and late claims",
            (totals.false_claims + totals.late_claims).into(),
            totals.claims.into(),
        ),
        ("claims", totals.claims.into(), totals.updates.into()),
        ("look-ups with addresses", answered, totals.lookups.into()),
        ("split brain", nanos(totals.split_brain), span),
        ("split overlay", nanos(totals.split_overlay), span),
        ("valid binding", nanos(totals.binding_valid), span),
        ("degraded binding", nanos(totals.degraded), nanos(totals.binding_valid)),
    ];
    shares
        .into_iter()
        .filter(|(_, part, whole)| part > whole)
        .map(|(what, part, whole)| Violation::Share { what, part, whole })
        .collect()
}

fn check_rows(report: &Report, interval: &EndedInterval) -> Vec<Violation> {
    let longest = report.end.since(interval.ended);
    let impossible = interval.rows.iter().filter(|(resolver, row)| {
        let known = (**resolver as usize) < report.resolvers.len();
        let counted = interval.ended >= report.warmup;
        !known || !counted || row.window > longest || row.stale_answers > row.answers
    });
    impossible
        .map(|(&resolver, _)| Violation::Row {
            resolver,
            address: interval.address,
            ended: interval.ended,
        })
        .collect()
}

/// Each request has one outcome, and both were counted.
fn check_requests(report: &Report) -> Vec<Violation> {
    let (requests, totals) = (&report.requests, report.totals.requests);
    let caused = |cause: Option<Cause>| {
        let ended = requests.iter().filter(|request| request.delay.is_some());
        ended.filter(|request| request.cause == cause).count() as u64
    };
    let unfinished = requests.iter().filter(|request| request.delay.is_none()).count() as u64;
    let sums = [
        ("requests", requests.len() as u64, totals.started),
        ("requests that succeeded", caused(None), totals.succeeded),
        ("requests failed by interop", caused(Some(Cause::Interop)), totals.failed_interop),
        ("requests failed by callee", caused(Some(Cause::Callee)), totals.failed_callee),
        ("requests without an end", unfinished, totals.unfinished),
        ("requests that began while under way", totals.repeated, 0),
        ("ends of requests that were not under way", totals.strays, 0),
    ];
    let unequal = sums.into_iter().filter(|(_, parts, total)| parts != total);
    let mut found: Vec<Violation> = unequal
        .map(|(what, parts, total)| Violation::Sum {
            what,
            parts: parts.into(),
            total: total.into(),
        })
        .collect();
    let mut before = report.warmup;
    for request in requests {
        if request.started < before || !is_possible(request, report.end) {
            found.push(Violation::Request { caller: request.caller, at: request.started });
        }
        before = request.started;
    }
    found
}

fn is_possible(request: &RequestRecord, end: SimTime) -> bool {
    let succeeded = matches!(request.outcome, RequestOutcome::Status(200..=299));
    let unfinished = request.outcome == RequestOutcome::Unfinished;
    let ended = request.started + request.delay.unwrap_or_default();
    ended <= end
        && unfinished == request.delay.is_none()
        && request.cause.is_none() == (succeeded || unfinished)
}

fn check_timeline(points: &[TimelinePoint]) -> Vec<Violation> {
    let mut before = SimTime::ZERO;
    let mut found = Vec::new();
    for point in points {
        if point.at <= before || point.stale_resolvers > point.resolvers {
            found.push(Violation::Timeline { at: point.at });
        }
        before = point.at;
    }
    found
}
