//! What truth has to say at the end of a run, in the vocabulary of the design: plain values, which
//! the tables are written from.

use std::collections::BTreeMap;
use std::ops::Range;

use super::outbound::OutboundTotals;
use crate::address::Address;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::observation::{RequestEnding, RequestMethod};

/// Everything that was measured. But for `timeline`, only what happened after the warm-up.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// From when on things count.
    pub warmup: SimTime,
    /// When the run ended.
    pub end: SimTime,
    /// The resolvers, in the order of the set-up.
    pub resolvers: Vec<HostId>,
    /// How many caller domains each of them serves; those whose server embeds a peer do not count.
    pub resolver_callers: Vec<u32>,
    /// Sums over the run.
    pub totals: Totals,
    /// Episodes that opened after the warm-up, by opening, then in the order of the callers.
    pub episodes: Vec<Episode>,
    /// Departures after the warm-up, oldest first.
    pub departures: Vec<Departure>,
    /// When the binding lost its validity, the warm-up included, oldest first.
    pub departed: Vec<SimTime>,
    /// Whether any caller domain has users who send requests.
    pub has_users: bool,
    /// Requests that began after the warm-up, in the order in which they did.
    pub requests: Vec<RequestRecord>,
    /// Whether members ask for users of caller domains.
    pub watches_outbound: bool,
    /// Whether the binding is a set of which one member is preferred.
    pub publishes_sets: bool,
    /// Intervals of validity that ended after the warm-up, of addresses that had been in the
    /// binding, by end, then address; see [`Report::windows`].
    pub intervals: Vec<EndedInterval>,
    /// The binned state, from the start of the run.
    pub timeline: Vec<TimelinePoint>,
}

/// Sums over the time after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Nodes that went down, announced or not.
    pub leaves: u64,
    /// Full departures: the binding lost its validity, because its last valid address did or
    /// because it was set to an invalid one.
    pub departures: u64,
    /// A member of a set lost its validity while another member was still valid.
    pub partial_departures: u64,
    /// The binding was invalid and was set to an address that had never been valid.
    pub unborn_bindings: u64,
    /// Stale time summed over all resolvers, in nanoseconds, from the number of stale resolvers.
    pub stale_nanos: u128,
    /// The part of it that is booked to intervals that had ended before the warm-up, which have no
    /// rows.
    pub carried_nanos: u128,
    /// Observed time summed over all resolvers, in nanoseconds.
    pub observed_nanos: u128,
    /// The part of `stale_nanos` at resolvers that serve a caller domain.
    pub caller_stale_nanos: u128,
    /// The part of `observed_nanos` at these.
    pub caller_observed_nanos: u128,
    /// Answers that resolvers gave to clients.
    pub answers: u64,
    /// Those of them without a valid address.
    pub stale_answers: u64,
    /// Those of `stale_answers` that are booked to intervals without rows.
    pub carried_stale_answers: u64,
    /// Ages of all stale answers, summed, in nanoseconds.
    pub stale_age_nanos: u128,
    /// The greatest age of a stale answer.
    pub stale_age_max: SimDuration,
    /// Updates sent.
    pub updates: u64,
    /// Updates that the endpoint accepted.
    pub accepted_updates: u64,
    /// Claims: distinct pairs of a node and a (tested address, validity interval).
    pub claims: u64,
    /// Claims whose tested address was valid at the verdict.
    pub false_claims: u64,
    /// Claims, not false, for which there was nothing to repair when the update was accepted: the
    /// binding was valid, and had the tested address no more or that was valid again.
    pub late_claims: u64,
    /// Time with more than one believer in the proxy role.
    pub split_brain: SimDuration,
    /// Time with more than one populated overlay identity.
    pub split_overlay: SimDuration,
    /// Time in which the authority served a valid address.
    pub binding_valid: SimDuration,
    /// Time in which the binding was valid, but its preferred member was not.
    pub degraded: SimDuration,
    /// How many spells these were.
    pub degraded_spells: u64,
    /// The longest of them.
    pub degraded_longest: SimDuration,
    /// Bare look-ups of callers that ended.
    pub lookups: u64,
    /// Look-ups whose answer had a valid address.
    pub lookups_valid: u64,
    /// Look-ups whose answer had addresses, none of them valid.
    pub lookups_stale: u64,
    /// Requests of callers.
    pub requests: RequestTotals,
    /// Requests of the overlay's users to callers' domains.
    pub outbound: OutboundTotals,
}

/// Requests that began after the warm-up, counted when they began and when they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestTotals {
    /// All that began.
    pub started: u64,
    /// Those that got a final response of class 2.
    pub succeeded: u64,
    /// Those that failed on the way between the callers and the overlay.
    pub failed_interop: u64,
    /// Those that failed because of the callee.
    pub failed_callee: u64,
    /// Those without an end: the run, or the life of their agent's host, ended first.
    pub unfinished: u64,
    /// Requests that began again before they had ended: a mistake of who reports them.
    pub repeated: u64,
    /// Ends of requests that were not under way: another.
    pub strays: u64,
}

impl RequestTotals {
    /// No requests.
    pub const NONE: Self = Self {
        started: 0,
        succeeded: 0,
        failed_interop: 0,
        failed_callee: 0,
        unfinished: 0,
        repeated: 0,
        strays: 0,
    };
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestOutcome {
    /// A final response with this status code.
    Status(u16),
    /// No final response in time.
    Timeout,
    /// The network said that it could not be delivered.
    Transport,
    /// No address to send it to.
    Unlocated,
    /// It failed, and nodes of another overlay than the main one had served it, and no others.
    WrongOverlay,
    /// The run ended before it, or its agent's host went down.
    Unfinished,
}

impl From<RequestEnding> for RequestOutcome {
    fn from(ending: RequestEnding) -> Self {
        match ending {
            RequestEnding::Final(status) => Self::Status(status),
            RequestEnding::Timeout => Self::Timeout,
            RequestEnding::Transport => Self::Transport,
            RequestEnding::Unlocated => Self::Unlocated,
        }
    }
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The way between conventional callers and the overlay.
    Interop,
    /// The callee's: his host was not up from the beginning to the end, or he declined.
    Callee,
}

/// One request of a conventional user to a user of the overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The host of the caller domain's server.
    pub caller: HostId,
    /// What it asks for.
    pub method: RequestMethod,
    /// When it began.
    pub started: SimTime,
    /// What became of it.
    pub outcome: RequestOutcome,
    /// Why it failed, if it did.
    pub cause: Option<Cause>,
    /// From its beginning to its end; `None` when unfinished.
    pub delay: Option<SimDuration>,
    /// Whether the first address that the domain's server sent it to was not valid then; `None`
    /// when it was sent to none.
    pub stale: Option<bool>,
}

impl RequestRecord {
    /// A request that has just begun.
    #[must_use]
    pub const fn begun(caller: HostId, method: RequestMethod, started: SimTime) -> Self {
        let outcome = RequestOutcome::Unfinished;
        Self { caller, method, started, outcome, cause: None, delay: None, stale: None }
    }
}

/// How an episode was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// A request that was sent after the opening was answered or forwarded by a valid proxy peer,
    /// whatever its final status.
    Request,
    /// A bare look-up that was sent after the opening gave a valid address.
    Lookup,
    /// Nothing had been sent when the chain was restored, which is also when it closed: what the
    /// caller would have seen is right-censored.
    Unasked,
    /// The run ended first.
    Censored,
}

impl Closed {
    /// Whether the episode's length is known; of the others only that it lasted at least so long.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Request | Self::Lookup)
    }
}

/// Who restored the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Another address took over.
    Claim,
    /// The address that had departed last became valid again.
    Return,
}

/// Where the time of an episode went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anatomy {
    /// Nobody knows.
    pub detect: SimDuration,
    /// A live node holds a failed verdict on the binding.
    pub claim: SimDuration,
    /// A live node's update is on its way to the endpoint.
    pub update: SimDuration,
    /// An accepted update of a live node waits to be served.
    pub publish: SimDuration,
    /// The authority serves a valid address, the caller's chain does not yet.
    pub cache: SimDuration,
    /// The chain would answer validly; the caller has nothing under way.
    pub ask: SimDuration,
    /// The chain would answer validly, and a request is under way.
    pub recover: SimDuration,
}

impl Anatomy {
    /// Until the chain would answer validly: detect + claim + update + publish + cache.
    #[must_use]
    pub fn restore(&self) -> SimDuration {
        self.detect + self.claim + self.update + self.publish + self.cache
    }

    /// restore + recover.
    #[must_use]
    pub fn outage(&self) -> SimDuration {
        self.restore() + self.recover
    }

    /// outage + ask: all columns.
    #[must_use]
    pub fn total(&self) -> SimDuration {
        self.outage() + self.ask
    }
}

/// One handover as one caller domain lived it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// The caller domain's host.
    pub caller: HostId,
    /// When it opened.
    pub opened: SimTime,
    /// When it closed; the end of the run when censored.
    pub closed_at: SimTime,
    /// How it closed.
    pub closed: Closed,
    /// Where the time went.
    pub anatomy: Anatomy,
    /// Full departures while it was open, the opening one included. Zero when it was opened by an
    /// invalid binding that was set to an address that had never been valid.
    pub departures: u64,
    /// Distinct nodes that claimed, summed over the departed (address, interval)s.
    pub claimants: u64,
    /// Updates sent from each of its departures until the departure that came next.
    pub updates: u64,
    /// The address that departed when it opened, or the invalid one that the binding was set to;
    /// `None` when the binding lost its addresses altogether.
    pub old_address: Option<Address>,
    /// The valid address that closed it; `None` when censored.
    pub new_address: Option<Address>,
    /// Who restored the service; `None` when censored.
    pub resolution: Option<Resolution>,
    /// Its departures in [`Report::departures`]; none in a report that was put together of several.
    pub departed: Range<usize>,
}

/// Why the binding is invalid, or less valid than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepartureKind {
    /// The last valid address of the binding lost its validity.
    Full,
    /// An address of the binding lost its validity, another is still valid.
    Partial,
    /// A valid binding was set to something without a valid address.
    Overwritten,
    /// An invalid binding was set to an address that had never been valid.
    Unborn,
}

impl DepartureKind {
    /// Whether the binding lost its validity.
    #[must_use]
    pub const fn is_full(self) -> bool {
        matches!(self, Self::Full | Self::Overwritten)
    }

    /// Whether it opens episodes in caller domains that have none.
    #[must_use]
    pub const fn opens_episodes(self) -> bool {
        !matches!(self, Self::Partial)
    }
}

/// One departure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// When.
    pub at: SimTime,
    /// What kind.
    pub kind: DepartureKind,
    /// The address that departed, or the preferred one that the binding was set to.
    pub address: Option<Address>,
    /// Distinct nodes that sent an update because of a failed test of its (address, interval).
    pub claimants: u64,
    /// Updates sent from here until the next departure of any kind.
    pub updates: u64,
}

/// What one resolver did to one ended interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowRow {
    /// How long it would have answered with the interval's address after the end, nanoseconds.
    pub window: SimDuration,
    /// Stale answers given with it.
    pub stale_answers: u64,
    /// All answers that were given with it: those while it was valid, and the stale ones.
    pub answers: u64,
}

/// An ended interval of validity of an address that had been in the binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedInterval {
    /// The address.
    pub address: Address,
    /// When the interval ended; for an address that had never been valid, when it was first
    /// served.
    pub ended: SimTime,
    /// Whether the address was ever valid. If not, resolvers that were never stale with it have no
    /// row.
    pub was_valid: bool,
    /// The resolvers for which it is one, by position in [`Report::resolvers`].
    pub resolvers: Range<u32>,
    /// What is not zero, by the position of the resolver in [`Report::resolvers`].
    pub rows: BTreeMap<u32, WindowRow>,
}

/// One row: a resolver and an ended interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleWindow {
    /// The resolver.
    pub resolver: HostId,
    /// The address.
    pub address: Address,
    /// When its interval ended.
    pub ended: SimTime,
    /// How many caller domains the resolver serves.
    pub callers: u32,
    /// How long the resolver would have answered with it after that.
    pub window: SimDuration,
    /// Stale answers it gave with it.
    pub stale_answers: u64,
    /// All answers it gave with this interval of this address.
    pub answers: u64,
}

/// The state just before an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelinePoint {
    /// The instant.
    pub at: SimTime,
    /// Members of any overlay.
    pub members: u64,
    /// Believers in the proxy role.
    pub believers: u64,
    /// Whether the authority served a valid address.
    pub binding_valid: bool,
    /// Resolvers that would have answered stale.
    pub stale_resolvers: u64,
    /// All resolvers.
    pub resolvers: u64,
    /// Populated overlay identities.
    pub overlays: u64,
    /// Messages since the point before.
    pub messages: u64,
}

impl Report {
    /// The rows of the stale windows, zeros included, by interval, then in the order of the
    /// resolvers.
    pub fn windows(&self) -> impl Iterator<Item = StaleWindow> + '_ {
        self.intervals.iter().flat_map(|interval| {
            interval.resolvers.clone().filter_map(|index| {
                let resolver = self.resolvers[index as usize];
                let row = match interval.rows.get(&index) {
                    Some(&row) => row,
                    None if interval.was_valid => WindowRow::default(),
                    None => return None,
                };
                Some(StaleWindow {
                    resolver,
                    address: interval.address,
                    ended: interval.ended,
                    callers: self.resolver_callers[index as usize],
                    window: row.window,
                    stale_answers: row.stale_answers,
                    answers: row.answers,
                })
            })
        })
    }

    /// Total stale time over observed time; zero without resolvers or time.
    #[must_use]
    pub fn stale_share(&self) -> f64 {
        match self.totals.observed_nanos {
            0 => 0.0,
            observed => self.totals.stale_nanos as f64 / observed as f64,
        }
    }

    /// The same over the resolvers that serve a caller domain; `None` without any.
    #[must_use]
    pub fn caller_stale_share(&self) -> Option<f64> {
        let Totals { caller_stale_nanos: stale, caller_observed_nanos: observed, .. } = self.totals;
        (observed > 0).then(|| stale as f64 / observed as f64)
    }

    /// The part of the time after the warm-up with more than one believer.
    #[must_use]
    pub fn split_brain_share(&self) -> f64 {
        match self.end.since(self.warmup).as_nanos() {
            0 => 0.0,
            observed => self.totals.split_brain.as_nanos() as f64 / observed as f64,
        }
    }

    /// Full departures an hour after the warm-up.
    #[must_use]
    pub fn departures_per_hour(&self) -> f64 {
        match self.end.since(self.warmup).as_secs_f64() {
            0.0 => 0.0,
            seconds => self.totals.departures as f64 * 3600.0 / seconds,
        }
    }
}
