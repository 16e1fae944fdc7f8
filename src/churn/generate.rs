//! A trace drawn from distributions.

use super::schedule::{ChurnModel, GracefulShare, Schedule};
use super::trace::{AvailabilityTrace, Session, TraceNode};
use crate::time::{SimDuration, SimTime};

/// What a generated trace is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Nodes, up or down; they are called `node-00001` and so on, with more digits when it takes
    /// them.
    pub nodes: u32,
    /// Its length, cut to whole seconds.
    pub span: SimDuration,
    /// Sessions and downtimes.
    pub model: ChurnModel,
    /// The seed.
    pub seed: u64,
}

/// A trace as a measurement of such hosts would record it that began at a random instant and looks
/// once a second: arrivals and leaves are cut to whole seconds, sessions and downtimes in which no
/// second begins are not seen. The same recipe gives the same trace on every machine.
///
/// The span of the trace is the last end of a session, so it is the recipe's when a node is up
/// then.
#[must_use]
pub fn generate(recipe: &Recipe) -> AvailabilityTrace {
    let schedule = Schedule::model(recipe.seed, recipe.model, GracefulShare::default());
    let end = SimTime::from_secs(recipe.span.as_secs());
    let digits = recipe.nodes.to_string().len().max(5);
    let nodes: Vec<_> = (1..=recipe.nodes)
        .map(|number| record(&schedule, format!("node-{number:0digits$}"), end))
        .collect();
    let ends = nodes.iter().filter_map(|node| node.sessions.last()).map(|last| last.end);
    let span = ends.max().unwrap_or(SimTime::ZERO).since(SimTime::ZERO);
    AvailabilityTrace { nodes, span, empty_sessions: 0, skipped: 0 }
}

fn record(schedule: &Schedule, name: String, end: SimTime) -> TraceNode {
    let cut = |at: SimTime| SimTime::from_secs(at.since(SimTime::ZERO).as_secs()).min(end);
    let mut sessions: Vec<Session> = Vec::new();
    let (mut host, mut interval) = schedule.host(&name, 0);
    let mut start = SimTime::ZERO;
    while start < end {
        let seen = Session { start: cut(start), end: cut(interval.until) };
        if interval.up && !seen.length().is_zero() {
            match sessions.last_mut() {
                Some(last) if last.end == seen.start => last.end = seen.end,
                _ => sessions.push(seen),
            }
        }
        start = interval.until;
        interval = host.next(schedule, start);
    }
    TraceNode { name, sessions }
}

#[cfg(test)]
mod tests;
