//! Several truths about one run: one for each group of observers who are always on the same side of
//! every partition. Each is told everything and sees it with its own eyes: which address is valid,
//! when the binding departed, whose episodes are open. Without partitions there is one.
//!
//! The first truth is the *main* one, that of the authority's side: the Director asks it, and what
//! the run has once (departures, claims, the binding) is taken from it. What observers have (stale
//! windows, answers, episodes, requests) is summed up and put together by [`merge`].

use super::report::{EndedInterval, Episode, Report, Totals};
use crate::sim::HostId;

/// One report of all. The departures are those of the main report; to the episodes of others none
/// of them belong.
#[must_use]
pub fn merge(main: Report, others: Vec<Report>) -> Report {
    let mut all = main;
    if others.is_empty() {
        return all;
    }
    for other in others {
        add(&mut all, other);
    }
    let by_host = |resolvers: &[HostId], interval: &EndedInterval| {
        resolvers.get(interval.resolvers.start as usize).copied()
    };
    let resolvers = std::mem::take(&mut all.resolvers);
    all.intervals.sort_by_key(|it| (it.ended, it.address, it.was_valid, by_host(&resolvers, it)));
    all.resolvers = resolvers;
    all.episodes.sort_by_key(|episode| (episode.opened, episode.caller));
    all.requests.sort_by_key(|request| request.started);
    all
}

fn add(all: &mut Report, other: Report) {
    let moved = all.resolvers.len() as u32;
    let intervals = other.intervals.into_iter().map(|interval| EndedInterval {
        resolvers: interval.resolvers.start + moved..interval.resolvers.end + moved,
        rows: interval.rows.into_iter().map(|(place, row)| (place + moved, row)).collect(),
        ..interval
    });
    all.intervals.extend(intervals);
    all.resolvers.extend(other.resolvers);
    all.resolver_callers.extend(other.resolver_callers);
    let episodes = other.episodes.into_iter();
    all.episodes.extend(episodes.map(|episode| Episode { departed: 0..0, ..episode }));
    all.has_users |= other.has_users;
    all.requests.extend(other.requests);
    for (point, seen) in all.timeline.iter_mut().zip(&other.timeline) {
        point.stale_resolvers += seen.stale_resolvers;
        point.resolvers += seen.resolvers;
    }
    observe(&mut all.totals, &other.totals);
}

/// Adds what other observers have seen.
fn observe(totals: &mut Totals, other: &Totals) {
    totals.stale_nanos += other.stale_nanos;
    totals.carried_nanos += other.carried_nanos;
    totals.observed_nanos += other.observed_nanos;
    totals.caller_stale_nanos += other.caller_stale_nanos;
    totals.caller_observed_nanos += other.caller_observed_nanos;
    totals.answers += other.answers;
    totals.stale_answers += other.stale_answers;
    totals.carried_stale_answers += other.carried_stale_answers;
    totals.stale_age_nanos += other.stale_age_nanos;
    totals.stale_age_max = totals.stale_age_max.max(other.stale_age_max);
    totals.lookups += other.lookups;
    totals.lookups_valid += other.lookups_valid;
    totals.lookups_stale += other.lookups_stale;
    let (requests, more) = (&mut totals.requests, &other.requests);
    requests.started += more.started;
    requests.succeeded += more.succeeded;
    requests.failed_interop += more.failed_interop;
    requests.failed_callee += more.failed_callee;
    requests.unfinished += more.unfinished;
    requests.repeated += more.repeated;
    requests.strays += more.strays;
}
