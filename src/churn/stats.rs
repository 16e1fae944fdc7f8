//! What a trace says about its hosts: the figures that `overcord trace stats` prints.

use std::collections::BTreeMap;
use std::fmt;

use super::trace::{AvailabilityTrace, Session};
use crate::time::{SimDuration, SimTime};

/// Figures of a trace. Times are relative to its span, from 0 to the last end of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceStats {
    /// Nodes, those that were never up included.
    pub nodes: u64,
    /// Sessions as recorded, empty and censored ones included.
    pub sessions: u64,
    /// Sessions of length zero. They count in no other figure but `sessions`.
    pub empty: u64,
    /// Commands of the file that are not about sessions.
    pub skipped: u64,
    /// Sessions that run into the end of the trace: up to then at least.
    pub censored: u64,
    /// Sessions that both began after the start and ended before the end of the trace. Only of
    /// these is the whole length known.
    pub complete: u64,
    /// Leaves: the sessions that end before the trace does. A simulation of the whole trace has as
    /// many.
    pub leaves: u64,
    /// From 0 to the last end of a session.
    pub span: SimDuration,
    /// Lengths of all sessions as recorded, cut off by the start and the end of the trace.
    pub recorded_session: Option<Spread>,
    /// Lengths of the complete sessions. Long ones are less often complete: an underestimate too.
    pub complete_session: Option<Spread>,
    /// Lengths of the downtimes between two sessions of a node.
    pub downtime: Option<Spread>,
    /// Nodes that are up, on average over time: the total length of all sessions over the span.
    pub mean_online: f64,
    /// Leaves per hour of the span.
    pub leaves_per_hour: f64,
    /// The largest number of leaves that share one instant, and the first such instant.
    pub most_leaves_at_once: Option<(u64, SimTime)>,
}

/// Median and mean of some spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The middle one, or half-way between the middle two.
    pub median: SimDuration,
    /// Their sum by their number, rounded down to the nanosecond.
    pub mean: SimDuration,
}

impl Spread {
    /// Of these spans; none when there are none.
    fn of(mut spans: Vec<SimDuration>) -> Option<Self> {
        spans.sort_unstable();
        let n = spans.len();
        let upper = *spans.get(n / 2)?;
        let lower = spans[(n - 1) / 2];
        let mean = total(&spans) / n as u128;
        Some(Self {
            median: lower + SimDuration::from_nanos((upper - lower).as_nanos() / 2),
            // A mean is not longer than the longest.
            mean: SimDuration::from_nanos(mean as u64),
        })
    }
}

/// In nanoseconds; 128 bits, since ten thousand nodes may be up for centuries together.
fn total(spans: &[SimDuration]) -> u128 {
    spans.iter().map(|span| u128::from(span.as_nanos())).sum()
}

impl TraceStats {
    /// The figures of a trace.
    #[must_use]
    pub fn of(trace: &AvailabilityTrace) -> Self {
        let sessions = || trace.nodes.iter().flat_map(|node| node.sessions.iter().copied());
        let lengths: Vec<_> = sessions().map(Session::length).collect();
        let ended: Vec<_> = sessions().filter(|s| !trace.is_censored(*s)).collect();
        let complete: Vec<_> =
            ended.iter().filter(|s| s.start > SimTime::ZERO).map(|s| s.length()).collect();
        let between = |pair: &[Session]| pair[1].start.since(pair[0].end);
        let downtimes = trace.nodes.iter().flat_map(|node| node.sessions.windows(2).map(between));

        // A trace has at least one session, so its span is not zero; one made by hand may have
        // none, and gets zeros.
        let span_s = trace.span.as_secs_f64();
        let per_span = |amount: f64| if span_s > 0.0 { amount / span_s } else { 0.0 };
        Self {
            nodes: trace.nodes.len() as u64,
            sessions: lengths.len() as u64 + trace.empty_sessions,
            empty: trace.empty_sessions,
            skipped: trace.skipped,
            censored: (lengths.len() - ended.len()) as u64,
            complete: complete.len() as u64,
            leaves: ended.len() as u64,
            span: trace.span,
            mean_online: per_span(total(&lengths) as f64 / 1e9),
            leaves_per_hour: per_span(ended.len() as f64) * 3_600.0,
            most_leaves_at_once: most_at_once(&ended),
            recorded_session: Spread::of(lengths),
            complete_session: Spread::of(complete),
            downtime: Spread::of(downtimes.collect()),
        }
    }
}

fn most_at_once(ended: &[Session]) -> Option<(u64, SimTime)> {
    let mut leaves: BTreeMap<SimTime, u64> = BTreeMap::new();
    for session in ended {
        *leaves.entry(session.end).or_default() += 1;
    }
    // The first of the largest: `max_by_key` would take the last.
    leaves.into_iter().map(|(at, n)| (n, at)).reduce(
        |best, next| {
            if next.0 > best.0 { next } else { best }
        },
    )
}

/// A table of two columns, names to the left, values aligned at their right end, notes behind.
impl fmt::Display for TraceStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.span.as_secs_f64() / 86_400.0;
        let seconds = |span: SimDuration| format!("{:.0} s", span.as_secs_f64());
        let median = |of: Option<Spread>| of.map_or("-".to_owned(), |s| seconds(s.median));
        let mean = |of: Option<Spread>| of.map_or("-".to_owned(), |s| seconds(s.mean));
        let (most, at) = match self.most_leaves_at_once {
            Some((n, at)) => (n.to_string(), format!("at {at} s")),
            None => ("-".to_owned(), String::new()),
        };
        let rows = [
            ("nodes", self.nodes.to_string(), ""),
            ("span", format!("{days:.2} d"), "from 0 to the last end of a session"),
            ("sessions", self.sessions.to_string(), "as recorded"),
            ("  empty", self.empty.to_string(), "of length zero; in no other figure"),
            ("  censored", self.censored.to_string(), "run into the end of the trace"),
            ("  complete", self.complete.to_string(), "begin and end within the trace"),
            ("session, median", median(self.recorded_session), "all, as recorded"),
            ("session, mean", mean(self.recorded_session), "all, as recorded"),
            ("complete session, median", median(self.complete_session), "complete ones"),
            ("complete session, mean", mean(self.complete_session), "complete ones"),
            ("downtime, median", median(self.downtime), "between two sessions of a node"),
            ("downtime, mean", mean(self.downtime), "between two sessions of a node"),
            ("online, mean", format!("{:.1}", self.mean_online), "nodes, over time"),
            ("leaves", self.leaves.to_string(), "sessions that end before the trace does"),
            ("leaves per hour", format!("{:.1}", self.leaves_per_hour), ""),
            ("most leaves at once", most, at.as_str()),
        ];
        let widest = rows.iter().map(|(_, value, _)| value.len()).max().unwrap_or(0);
        let skipped = ("skipped", self.skipped.to_string(), "commands that are not about sessions");
        let skipped = (self.skipped > 0).then_some(skipped);
        for (name, value, note) in rows.into_iter().chain(skipped) {
            let line = format!("{name:<24}  {value:>widest$}  {note}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
