//! The headline metrics of one run: the columns of `runs.csv` and the keys of budgets.
//!
//! They come from the rows of the run (stale windows, handover episodes, signalling) and from a
//! [`Tally`] of what rows do not say. What happened in the warm-up is left out.
//!
//! Handover phases and their sums: `mean` is over the episodes that are complete, so that the
//! means of the phases add up to those of the sums; `median` and `p95` are Kaplan–Meier's, with
//! `unasked` and `censored` episodes right-censored, and empty when too many are; `max` is the
//! longest of all, a lower bound when that one is censored. Quantiles are defined in
//! [`distribution`].
//!
//! Where callers send requests, `failed_interop` and `failed_callee` are shares of the requests that
//! ended, and `request_delay` is over all of these, from the beginning to the final response or to
//! giving up; `requests` counts the `unfinished` ones as well. Where callers only look up, `requests`
//! counts look-ups, and the other columns are not there.
//!
//! An unasked episode counts as cut off in every part, also in those up to `restore`, which it
//! closes with and so shows whole: one rule for all parts, at the price of quantiles that are too
//! long or missing for these. Where many episodes are unasked (quiet callers), `handovers.csv` has
//! what is needed to tell them apart.

use crate::metrics::distribution::{self, KaplanMeier, Lasted};
use crate::metrics::tables::{
    Anatomy, Cause, Closed, HandoverRow, RequestRow, SignallingRow, StaleRow, protocol_name,
};
use crate::net::ledger::Direction;
use crate::net::{Protocol, Purpose};
use crate::time::{SimDuration, SimTime};
use crate::world::stage::MediaTotals;
use crate::world::truth::OutboundTotals;

/// Metrics by name, in the order of the columns of `runs.csv`. A metric without a value (a mean
/// of nothing) is there, empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headline {
    metrics: Vec<(String, Option<f64>)>,
}

impl Headline {
    /// Adds a metric behind the others; a value that is not finite is none.
    pub fn push(&mut self, name: impl Into<String>, value: Option<f64>) {
        self.metrics.push((name.into(), value.filter(|value| value.is_finite())));
    }

    /// Whether there is such a metric, with or without a value.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.metrics.iter().any(|(other, _)| other == name)
    }

    /// The value of a metric, if it is known and has one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|(other, _)| other == name)?.1
    }

    /// All metrics in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        self.metrics.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

/// The names of the metrics of several runs, each once, in the order that they have there: scenarios
/// need not have the same metrics, since some exist only where somebody sends requests.
#[must_use]
pub fn names<'a>(headlines: impl IntoIterator<Item = &'a Headline>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for headline in headlines {
        let mut place = 0;
        for (name, _) in headline.iter() {
            // Nearly all runs have the same metrics in the same order.
            if names.get(place) == Some(&name) {
                place += 1;
                continue;
            }
            match names.iter().position(|known| *known == name) {
                Some(known) => place = known + 1,
                None => {
                    names.insert(place, name);
                    place += 1;
                }
            }
        }
    }
    names
}

/// What happened after the warm-up and stands in no row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Nodes that went.
    pub leaves: u64,
    /// Bindings that lost their validity.
    pub departures: u64,
    /// The time observed: the run without its warm-up.
    pub observed: SimDuration,
    /// Stale time over observed time, over all resolvers; `None` without resolvers.
    pub stale_share: Option<f64>,
    /// Answers without a valid address that resolvers gave.
    pub stale_answers: u64,
    /// All answers that resolvers gave about the domain.
    pub answers: u64,
    /// Claimants of each departure.
    pub claimants: Vec<u32>,
    /// Claims on a valid address.
    pub false_claims: u64,
    /// Updates accepted when the binding was valid again.
    pub late_claims: u64,
    /// Time with more than one up believer in the proxy role.
    pub split_brain: SimDuration,
    /// Updates that nodes began, retries included, whether or not the endpoint was reached.
    pub updates: u64,
    /// What callers asked for.
    pub asked: Asked,
    /// What members asked of callers' users, where they do.
    pub outbound: Option<OutboundTotals>,
    /// What became of media, where any is sent.
    pub media: Option<MediaTotals>,
    /// Hours that nodes were up, summed over the nodes.
    pub node_hours: f64,
    /// Mean hops of the overlay look-ups that succeeded.
    pub lookup_hops_mean: Option<f64>,
    /// Overlay look-ups that failed.
    pub lookup_failures: u64,
    /// Those that found another than the owner, where that is judged.
    pub lookups_wrong: Option<u64>,
    /// Stale time over observed time, over the resolvers that serve a caller domain; `None` without
    /// any.
    pub caller_stale_share: Option<f64>,
    /// What became of sets, where the binding is one.
    pub sets: Option<SetTally>,
}

/// What became of a binding that is a set of which one member is preferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetTally {
    /// Claimants of each partial departure: a member lost its validity, another was still valid.
    pub claimants: Vec<u32>,
    /// Time in which the binding was valid and its preferred member was not.
    pub degraded: SimDuration,
    /// How many spells that were.
    pub spells: u64,
    /// The longest of them.
    pub longest: SimDuration,
}

/// What callers asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// So many bare look-ups.
    Lookups(u64),
    /// Requests.
    Requests(RequestTally),
}

impl Default for Asked {
    fn default() -> Self {
        Self::Lookups(0)
    }
}

/// What became of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestTally {
    /// All of them.
    pub all: u64,
    /// Those that failed between the callers and the overlay.
    pub interop: u64,
    /// Those that failed because of the callee.
    pub callee: u64,
    /// How long those took that ended, sorted.
    pub delays: Vec<SimDuration>,
}

impl RequestTally {
    /// Of some requests.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a RequestRow>) -> Self {
        let mut tally = Self::default();
        for row in rows {
            tally.all += 1;
            tally.interop += u64::from(row.cause == Some(Cause::Interop));
            tally.callee += u64::from(row.cause == Some(Cause::Callee));
            tally.delays.extend(row.delay);
        }
        tally.delays.sort_unstable();
        tally
    }

    /// Requests that have no outcome.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.all - self.delays.len() as u64
    }

    /// So many as a share of those that ended; `None` if none did.
    #[must_use]
    pub fn share(&self, failed: u64) -> Option<f64> {
        let ended = self.delays.len();
        (ended > 0).then(|| failed as f64 / ended as f64)
    }
}

/// The share of requests that failed between the callers and the overlay: a column where there are
/// callers who send requests.
pub const FAILED_INTEROP: &str = "failed_interop";

/// The share of requests that failed because of the callee.
pub const FAILED_CALLEE: &str = "failed_callee";

/// The share of the time that the resolvers are stale which serve a caller domain.
pub const CALLER_STALE_SHARE: &str = "caller_stale_share";

/// How many windows longer than zero they were stale: told of all runs of a point together, and no
/// column.
pub const CALLER_STALE_WINDOWS: &str = "caller_stale_windows";

/// How often a set lost one of several valid members: a column where the binding is a set.
pub const PARTIAL_DEPARTURES: &str = "partial_departures";

/// How often a set was without its preferred member.
pub const DEGRADED_SPELLS: &str = "degraded_spells";

/// A part of an episode: its name and its length.
pub type Part = (&'static str, fn(&Anatomy) -> SimDuration);

/// The phases in the order in which they follow each other, then their sums.
pub const PARTS: [Part; 10] = [
    ("detect", |a| a.detect),
    ("claim", |a| a.claim),
    ("update", |a| a.update),
    ("publish", |a| a.publish),
    ("cache", |a| a.cache),
    ("ask", |a| a.ask),
    ("recover", |a| a.recover),
    ("restore", Anatomy::restore),
    ("outage", Anatomy::outage),
    ("total", Anatomy::total),
];

/// How many of [`PARTS`] are phases; the others are sums of them.
pub const PHASES: usize = 7;

/// The episodes that count: opened after the warm-up.
pub fn counted_handovers(
    rows: &[HandoverRow],
    warmup: SimTime,
) -> impl Iterator<Item = &HandoverRow> {
    rows.iter().filter(move |row| row.opened >= warmup)
}

/// The stale windows that count: of validity that ended after the warm-up.
pub fn counted_stale(rows: &[StaleRow], warmup: SimTime) -> impl Iterator<Item = &StaleRow> {
    rows.iter().filter(move |row| row.ended >= warmup)
}

/// The spans of one part over some episodes, right-censored where the episode is not complete.
pub fn lasted<'a>(
    rows: impl IntoIterator<Item = &'a HandoverRow>,
    part: fn(&Anatomy) -> SimDuration,
) -> Vec<Lasted> {
    let one = |row: &HandoverRow| Lasted {
        span: part(&row.anatomy),
        censored: !row.closed.is_complete(),
    };
    rows.into_iter().map(one).collect()
}

/// All headline metrics of one run. `signalling` must count what was sent after the warm-up.
#[must_use]
pub fn headline(
    warmup: SimTime,
    handovers: &[HandoverRow],
    stale: &[StaleRow],
    signalling: &[SignallingRow],
    tally: &Tally,
) -> Headline {
    let handovers: Vec<_> = counted_handovers(handovers, warmup).collect();
    let hours = tally.observed.as_secs_f64() / 3600.0;
    let mut headline = Headline::default();
    let count = |n: u64| Some(n as f64);
    headline.push("leaves", count(tally.leaves));
    headline.push("departures", count(tally.departures));
    headline.push("departures_per_hour", Some(tally.departures as f64 / hours));
    headline.push("stale_share", tally.stale_share);
    push_windows(&mut headline, counted_stale(stale, warmup).map(|row| row.window).collect());
    headline.push("stale_answers", count(tally.stale_answers));
    // Without a departure there is no quotient, and no value.
    let per_departure = tally.stale_answers as f64 / tally.departures as f64;
    headline.push("stale_answers_per_departure", Some(per_departure));
    headline.push("answers", count(tally.answers));
    for (name, part) in PARTS {
        push_part(&mut headline, name, &lasted(handovers.iter().copied(), part));
    }
    let closed = |how| handovers.iter().filter(|row| row.closed == how).count() as f64;
    headline.push("episodes", Some(handovers.len() as f64));
    headline.push("unasked", Some(closed(Closed::Unasked)));
    headline.push("censored", Some(closed(Closed::Censored)));
    let claimants: u64 = tally.claimants.iter().map(|&n| u64::from(n)).sum();
    headline.push("claimants.mean", Some(claimants as f64 / tally.claimants.len() as f64));
    headline.push("claimants.max", tally.claimants.iter().max().map(|&n| f64::from(n)));
    headline.push("false_claims", count(tally.false_claims));
    headline.push("late_claims", count(tally.late_claims));
    let split_brain = tally.split_brain.as_secs_f64() / tally.observed.as_secs_f64();
    headline.push("split_brain_share", Some(split_brain));
    headline.push("updates", count(tally.updates));
    push_asked(&mut headline, &tally.asked);
    push_outbound(&mut headline, tally.outbound);
    push_media(&mut headline, tally.media);
    headline.push("node_hours", Some(tally.node_hours));
    let asks = matches!(tally.asked, Asked::Requests(_));
    push_signalling(&mut headline, signalling, tally.node_hours, asks);
    headline.push("lookup_hops.mean", tally.lookup_hops_mean);
    headline.push("lookup_failures", count(tally.lookup_failures));
    headline.push(CALLER_STALE_SHARE, tally.caller_stale_share);
    push_sets(&mut headline, tally);
    if let Some(wrong) = tally.lookups_wrong {
        headline.push("lookups_wrong", count(wrong));
    }
    headline
}

fn push_sets(headline: &mut Headline, tally: &Tally) {
    let Some(sets) = &tally.sets else { return };
    let degraded = sets.degraded.as_secs_f64();
    headline.push(PARTIAL_DEPARTURES, Some(sets.claimants.len() as f64));
    let claimants: u64 = sets.claimants.iter().map(|&n| u64::from(n)).sum();
    headline.push("partial_claimants.mean", Some(claimants as f64 / sets.claimants.len() as f64));
    headline.push("partial_claimants.max", sets.claimants.iter().max().map(|&n| f64::from(n)));
    headline.push("degraded_share", Some(degraded / tally.observed.as_secs_f64()));
    headline.push(DEGRADED_SPELLS, Some(sets.spells as f64));
    headline.push("degraded.mean", Some(degraded / sets.spells as f64));
    let longest = (sets.spells > 0).then(|| sets.longest.as_secs_f64());
    headline.push("degraded.max", longest);
}

fn push_windows(headline: &mut Headline, mut windows: Vec<SimDuration>) {
    windows.sort_unstable();
    push_spans(headline, "stale_window", &windows);
}

/// Mean, median, 95th percentile and maximum of sorted spans that were all seen whole.
fn push_spans(headline: &mut Headline, name: &str, sorted: &[SimDuration]) {
    let seconds = |span: Option<SimDuration>| span.map(SimDuration::as_secs_f64);
    headline.push(format!("{name}.mean"), distribution::mean(sorted.iter().copied()));
    headline.push(format!("{name}.median"), seconds(distribution::quantile(sorted, 0.5)));
    headline.push(format!("{name}.p95"), seconds(distribution::quantile(sorted, 0.95)));
    headline.push(format!("{name}.max"), seconds(sorted.last().copied()));
}

fn push_asked(headline: &mut Headline, asked: &Asked) {
    match asked {
        Asked::Lookups(lookups) => headline.push("requests", Some(*lookups as f64)),
        Asked::Requests(requests) => {
            headline.push("requests", Some(requests.all as f64));
            headline.push(FAILED_INTEROP, requests.share(requests.interop));
            headline.push(FAILED_CALLEE, requests.share(requests.callee));
            headline.push("unfinished", Some(requests.unfinished() as f64));
            push_spans(headline, "request_delay", &requests.delays);
        }
    }
}

fn push_outbound(headline: &mut Headline, outbound: Option<OutboundTotals>) {
    let Some(totals) = outbound else { return };
    let share = |failed: u64, ended: u64| (ended > 0).then(|| failed as f64 / ended as f64);
    headline.push("outbound", Some(totals.started as f64));
    headline.push("failed_outbound", share(totals.failed, totals.ended));
    let in_handover = share(totals.failed_in_handover, totals.ended_in_handover);
    headline.push("failed_outbound_handover", in_handover);
}

fn push_media(headline: &mut Headline, media: Option<MediaTotals>) {
    let Some(MediaTotals { calls, sent, heard, given_up }) = media else { return };
    // What was sent before the warm-up ended may be heard behind it.
    let lost = sent.saturating_sub(heard) as f64 / sent as f64;
    headline.push("media_calls", Some(calls as f64));
    headline.push("media_packets", Some(sent as f64));
    headline.push("media_lost", Some(lost));
    headline.push("media_given_up", Some(given_up as f64));
}

fn push_part(headline: &mut Headline, name: &str, spans: &[Lasted]) {
    let complete = spans.iter().filter(|lasted| !lasted.censored).map(|lasted| lasted.span);
    let curve = KaplanMeier::new(spans.to_vec());
    let seconds = |span: Option<SimDuration>| span.map(SimDuration::as_secs_f64);
    headline.push(format!("{name}.mean"), distribution::mean(complete));
    headline.push(format!("{name}.median"), seconds(curve.quantile(0.5)));
    headline.push(format!("{name}.p95"), seconds(curve.quantile(0.95)));
    let longest = spans.iter().map(|lasted| lasted.span).max();
    headline.push(format!("{name}.max"), seconds(longest));
}

/// What is summed up of a row of signalling.
type Amount = fn(&SignallingRow) -> u64;

/// Messages and bytes sent per hour that a node was up: all, then of each protocol; media is none of
/// it, and there is SIP only where
/// it is spoken, or would be if anybody asked.
fn push_signalling(headline: &mut Headline, rows: &[SignallingRow], node_hours: f64, asks: bool) {
    let sent = |protocol: Option<Protocol>, amount: Amount| {
        let counts = |row: &&SignallingRow| {
            let counts = row.direction == Direction::Sent && row.purpose != Purpose::Media;
            counts && protocol.is_none_or(|it| it == row.protocol)
        };
        Some(rows.iter().filter(counts).map(amount).sum::<u64>() as f64 / node_hours)
    };
    let spoken = |protocol: &Protocol| match protocol {
        Protocol::Test | Protocol::Rtp => false,
        Protocol::Sip => asks || rows.iter().any(|row| row.protocol == Protocol::Sip),
        Protocol::Bamboo | Protocol::Kademlia | Protocol::Turn => {
            rows.iter().any(|row| row.protocol == *protocol)
        }
        _ => true,
    };
    let amounts: [(&str, Amount); 2] =
        [("messages", |row| row.messages), ("bytes", |row| row.bytes)];
    for (unit, amount) in amounts {
        headline.push(format!("{unit}_per_node_hour"), sent(None, amount));
        for protocol in Protocol::ALL.into_iter().filter(spoken) {
            let name = format!("{unit}_per_node_hour.{}", protocol_name(protocol));
            headline.push(name, sent(Some(protocol), amount));
        }
    }
}

#[cfg(test)]
mod tests;
