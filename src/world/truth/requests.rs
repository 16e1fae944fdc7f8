//! Requests of conventional users: each that begins becomes one outcome.

use std::collections::BTreeMap;

use super::Truth;
use super::report::{Cause, Closed, RequestOutcome, RequestRecord, RequestTotals};
use crate::address::Address;
use crate::sim::HostId;
use crate::time::SimTime;
use crate::world::observation::{Answer, RequestEnding, RequestKey, RequestMethod};

/// Statuses by which a user, or the agent for him, declines: 481 where the agent knows no such
/// dialog (it has started anew since), 486 Busy Here, 488 and 606 Not Acceptable, 600 Busy
/// Everywhere, 603 Decline (RFC 3261 §12.2.2, §21.4.24, §21.4.26, §21.6).
const DECLINED: [u16; 6] = [481, 486, 488, 600, 603, 606];

/// Whom a request is for, and since when he is up: how often his host had come up when the request
/// began, `None` if it was down, or on the other side of a partition; and whether he was in an overlay.
#[derive(Clone, Copy, Debug)]
struct Callee {
    host: HostId,
    life: Option<u32>,
    is_member: bool,
}

/// A request without an outcome.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    /// The position of its record.
    record: usize,
    /// The position of its domain.
    caller: usize,
    agent: HostId,
    callee: Option<Callee>,
    /// Whether a member of the main overlay served it.
    by_main: bool,
    /// Whether a member of another overlay did.
    by_other: bool,
}

/// All requests.
#[derive(Debug)]
pub(super) struct Requests {
    warmup: SimTime,
    /// In the order in which they began, those of the warm-up included.
    records: Vec<RequestRecord>,
    under_way: BTreeMap<RequestKey, UnderWay>,
    totals: RequestTotals,
}

impl Requests {
    pub(super) const fn new(warmup: SimTime) -> Self {
        let totals = RequestTotals::NONE;
        Self { warmup, records: Vec::new(), under_way: BTreeMap::new(), totals }
    }

    fn counts(&self, request: &UnderWay) -> bool {
        self.records[request.record].started >= self.warmup
    }

    fn start(&mut self, key: RequestKey, request: UnderWay, record: RequestRecord) {
        self.totals.started += u64::from(record.started >= self.warmup);
        self.records.push(record);
        if let Some(before) = self.under_way.insert(key, request) {
            self.totals.repeated += 1;
            self.give_up(&before);
        }
    }

    /// The request has no outcome and will have none.
    fn give_up(&mut self, request: &UnderWay) {
        self.totals.unfinished += u64::from(self.counts(request));
    }

    /// Gives the request its outcome. `callee_up` says that its callee was up all the time.
    fn end(&mut self, now: SimTime, request: &UnderWay, ending: RequestEnding, callee_up: bool) {
        let wrong = request.by_other && !request.by_main;
        let (outcome, cause) = judge(ending, wrong, callee_up);
        let record = &mut self.records[request.record];
        record.outcome = outcome;
        record.cause = cause;
        record.delay = Some(now.since(record.started));
        if self.counts(request) {
            let count = match cause {
                None => &mut self.totals.succeeded,
                Some(Cause::Interop) => &mut self.totals.failed_interop,
                Some(Cause::Callee) => &mut self.totals.failed_callee,
            };
            *count += 1;
        }
    }

    /// The requests that began after the warm-up, and their sums. What is under way is unfinished.
    pub(super) fn report(&mut self) -> (Vec<RequestRecord>, RequestTotals) {
        for request in std::mem::take(&mut self.under_way).values() {
            self.give_up(request);
        }
        let counted = self.records.partition_point(|record| record.started < self.warmup);
        (self.records.split_off(counted), self.totals)
    }
}

/// What became of a request, and why it failed if it did.
fn judge(ending: RequestEnding, wrong: bool, callee_up: bool) -> (RequestOutcome, Option<Cause>) {
    let declined = matches!(ending, RequestEnding::Final(status) if DECLINED.contains(&status));
    let outcome = match ending {
        RequestEnding::Final(200..=299) => return (RequestOutcome::from(ending), None),
        // Who declines was reached, whichever way.
        _ if wrong && !declined => RequestOutcome::WrongOverlay,
        _ => RequestOutcome::from(ending),
    };
    let cause = if declined || !callee_up { Cause::Callee } else { Cause::Interop };
    (outcome, Some(cause))
}

impl Truth {
    pub(super) fn request_started(
        &mut self,
        host: HostId,
        key: RequestKey,
        method: RequestMethod,
        callee: Option<HostId>,
    ) {
        let Some(&caller) = self.by_agent.get(&host) else { return };
        let callee = callee.map(|host| Callee {
            host,
            life: self.life(host),
            is_member: self.overlays.host(host).member.is_some(),
        });
        let (record, started) = (self.requests.records.len(), self.now);
        let request =
            UnderWay { record, caller, agent: host, callee, by_main: false, by_other: false };
        let domain = self.callers[caller].host;
        self.requests.start(key, request, RequestRecord::begun(domain, method, started));
        self.callers[caller].send(key.0);
        self.refresh(caller);
    }

    pub(super) fn request_routed(&mut self, key: RequestKey, to: Address) {
        let Some(request) = self.requests.under_way.get(&key) else { return };
        let stale = !self.addresses.is_valid(to);
        self.requests.records[request.record].stale.get_or_insert(stale);
    }

    pub(super) fn request_served(&mut self, host: HostId, key: RequestKey) {
        let main = self.overlays.main();
        let member = self.overlays.host(host).member;
        let Some(request) = self.requests.under_way.get_mut(&key) else { return };
        request.by_main |= member.is_some() && member == main;
        request.by_other |= member.is_some() && member != main;
        let caller = request.caller;
        if let Some(address) = self.serves_at(host)
            && self.callers[caller].sent_in_episode(key.0)
        {
            self.close(caller, Closed::Request, Some(address));
        }
    }

    pub(super) fn request_ended(&mut self, host: HostId, key: RequestKey, ending: RequestEnding) {
        if !self.by_agent.contains_key(&host) {
            return;
        }
        let Some(&request) = self.requests.under_way.get(&key).filter(|it| it.agent == host) else {
            self.requests.totals.strays += 1;
            return;
        };
        self.requests.under_way.remove(&key);
        // One who goes while the request waits at a dead proxy peer is not why it fails, nor is one
        // who is in no overlay where nobody has looked for him in the main one.
        let was_served = request.by_main || request.by_other;
        let callee_up = request.callee.is_none_or(|callee| {
            callee.life.is_some()
                && (!was_served || callee.life == self.life(callee.host))
                && (!request.by_main || callee.is_member)
        });
        self.requests.end(self.now, &request, ending, callee_up);
        self.callers[request.caller].end(key.0);
        self.refresh(request.caller);
    }

    /// What a host that goes down had under way will have no end, and what it held in its own
    /// cache is gone.
    pub(super) fn caller_down(&mut self, host: HostId) {
        if let Some(&caller) = self.by_agent.get(&host) {
            let of_host = |request: &UnderWay| request.agent == host;
            let gone: Vec<(RequestKey, UnderWay)> = self
                .requests
                .under_way
                .iter()
                .filter(|(_, request)| of_host(request))
                .map(|(&key, &request)| (key, request))
                .collect();
            for (key, request) in gone {
                self.requests.under_way.remove(&key);
                self.requests.give_up(&request);
                self.callers[caller].end(key.0);
            }
            self.refresh(caller);
        }
        if let Some(&caller) = self.by_host.get(&host) {
            self.own_caches.clear(caller);
            if self.callers[caller].looks_up {
                self.callers[caller].forget();
            }
            self.refresh(caller);
        }
    }

    pub(super) fn lookup_started(&mut self, host: HostId, request: u64) {
        let Some(&index) = self.by_host.get(&host) else { return };
        if self.callers[index].looks_up {
            self.callers[index].send(request);
            self.refresh(index);
        }
    }

    pub(super) fn lookup_ended(&mut self, host: HostId, request: u64, answer: &Answer) {
        let Some(&index) = self.by_host.get(&host) else { return };
        let valid = self.first_valid(answer);
        if self.counts() {
            self.counters.lookups += 1;
            self.counters.lookups_valid += u64::from(valid.is_some());
            let stale = valid.is_none() && matches!(answer, Answer::Addresses(_));
            self.counters.lookups_stale += u64::from(stale);
        }
        if !self.callers[index].looks_up {
            return;
        }
        let concerns_episode = self.callers[index].end(request);
        match valid {
            Some(address) if concerns_episode => self.close(index, Closed::Lookup, Some(address)),
            _ => self.refresh(index),
        }
    }
}
