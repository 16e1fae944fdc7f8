//! The end of a run.

use super::episode::Finished;
use super::report::{Closed, EndedInterval, Episode, Report, RequestTotals, Totals, WindowRow};
use super::validity::Interval;
use super::{Finish, Truth};
use crate::time::{SimDuration, SimTime};

impl Truth {
    /// The run ends: open episodes are censored, everything is summed up.
    #[must_use]
    pub fn finish(mut self, end: SimTime) -> Report {
        self.advance(end);
        for index in 0..self.callers.len() {
            self.close(index, Closed::Censored, None);
        }
        self.resolvers.settle_all(self.now, &mut self.addresses);
        let mut totals = self.totals();
        let (requests, request_totals) = self.requests.report();
        totals.requests = request_totals;
        let intervals = self.ended_intervals(&mut totals);
        Report {
            warmup: self.warmup,
            end: self.now,
            resolvers: self.resolvers.hosts().to_vec(),
            resolver_callers: (0..self.by_resolver.len()).map(|it| self.callers_of(it)).collect(),
            totals,
            episodes: self.episodes(),
            departures: self.claims.report(),
            departed: self.claims.instants(),
            has_users: !self.by_agent.is_empty(),
            requests,
            watches_outbound: self.watches_outbound,
            publishes_sets: self.publishes_sets,
            intervals,
            timeline: self.timeline.take(),
        }
    }

    /// The domains whose chain ends at this resolver: not those whose server embeds a peer.
    fn callers_of(&self, resolver: usize) -> u32 {
        let callers = self.by_resolver[resolver].iter().map(|&caller| &self.callers[caller]);
        callers.filter(|caller| !caller.embeds).count() as u32
    }

    fn totals(&self) -> Totals {
        let (counters, claims) = (&self.counters, self.claims.counts());
        let observed = self.now.since(self.warmup).as_nanos();
        let used = (0..self.by_resolver.len()).filter(|&it| self.callers_of(it) > 0).count();
        let (degraded_spells, degraded_longest) = self.durations.degraded.spells(self.now);
        // Durations within one run fit into 64 bits as the run itself does.
        let span = |nanos: u128| SimDuration::from_nanos(nanos as u64);
        Totals {
            leaves: counters.leaves,
            departures: self.claims.full,
            partial_departures: counters.partial,
            unborn_bindings: counters.unborn,
            stale_nanos: self.resolvers.stale.at(self.now),
            carried_nanos: 0,
            observed_nanos: u128::from(observed) * self.resolvers.hosts().len() as u128,
            caller_stale_nanos: 0,
            caller_observed_nanos: u128::from(observed) * used as u128,
            answers: counters.answers,
            stale_answers: counters.stale_answers,
            carried_stale_answers: 0,
            stale_age_nanos: counters.stale_age_nanos,
            stale_age_max: counters.stale_age_max,
            updates: self.claims.updates,
            accepted_updates: self.claims.accepted,
            claims: claims.claims,
            false_claims: claims.wrong,
            late_claims: claims.late,
            split_brain: span(self.durations.split_brain.at(self.now)),
            split_overlay: span(self.durations.split_overlay.at(self.now)),
            binding_valid: span(self.durations.binding_valid.at(self.now)),
            degraded: span(self.durations.degraded.total(self.now)),
            degraded_spells,
            degraded_longest,
            lookups: counters.lookups,
            lookups_valid: counters.lookups_valid,
            lookups_stale: counters.lookups_stale,
            requests: RequestTotals::NONE,
            outbound: self.outbound.totals,
        }
    }

    /// The intervals with rows; what is booked to others is carried over in the totals.
    fn ended_intervals(&self, totals: &mut Totals) -> Vec<EndedInterval> {
        let mut ended = Vec::new();
        for interval in self.addresses.intervals() {
            for (&resolver, row) in &interval.rows {
                if self.callers_of(resolver as usize) > 0 {
                    totals.caller_stale_nanos += u128::from(row.window.as_nanos());
                }
            }
            match self.end_of(interval) {
                Some(at) if at >= self.warmup => ended.push(EndedInterval {
                    address: self.addresses.address(interval.address),
                    ended: at,
                    was_valid: interval.started.is_some(),
                    resolvers: 0..self.resolvers.hosts().len() as u32,
                    rows: interval.rows.clone(),
                }),
                _ => carry(totals, interval.rows.values()),
            }
        }
        ended.sort_by_key(|interval| (interval.ended, interval.address, interval.was_valid));
        ended
    }

    /// When an interval of an address that had been in the binding ended. "Had been" is judged up
    /// to when the window can't grow any more, because the address is valid again.
    fn end_of(&self, interval: &Interval) -> Option<SimTime> {
        let served = self.addresses.first_served(interval.address)?;
        match interval.started {
            Some(_) => interval.ended.filter(|_| interval.next.is_none_or(|next| served < next)),
            None => Some(served).filter(|_| !interval.rows.is_empty()),
        }
    }

    fn episodes(&self) -> Vec<Episode> {
        let mut finished: Vec<&Finish> = self.finished.iter().collect();
        finished.sort_by_key(|finish| (finish.episode.opened, finish.caller));
        finished.into_iter().map(|finish| self.episode(finish)).collect()
    }

    fn episode(&self, finish: &Finish) -> Episode {
        let Finished { caller, opened, closed_at, closed, anatomy, old_address, ref departed } =
            finish.episode;
        let (claimants, updates) = self.claims.effort(departed.clone());
        let uncounted = self.claims.first_counted();
        let departed = departed.start - uncounted..departed.end - uncounted;
        Episode {
            caller,
            opened,
            closed_at,
            closed,
            anatomy,
            departures: self.claims.full_among(finish.episode.departed.clone()),
            claimants,
            updates,
            old_address,
            new_address: finish.new_address,
            resolution: finish.resolution,
            departed,
        }
    }
}

fn carry<'a>(totals: &mut Totals, rows: impl Iterator<Item = &'a WindowRow>) {
    for row in rows {
        totals.carried_nanos += u128::from(row.window.as_nanos());
        totals.carried_stale_answers += row.stale_answers;
    }
}
