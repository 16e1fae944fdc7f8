//! Verdicts, updates and claims, and the departures that they belong to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use smallvec::SmallVec;

use super::report::{Departure, DepartureKind};
use super::validity::{AddressId, Addresses, IntervalId, SetId};
use crate::address::Address;
use crate::sim::HostId;
use crate::time::SimTime;

/// The failed verdict that a live node holds.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    address: AddressId,
    interval: IntervalId,
    was_valid: bool,
}

/// What a node is about.
#[derive(Clone, Copy, Debug, Default)]
struct Claimant {
    verdict: Option<Verdict>,
    /// An update is between its first packet and its acceptance.
    updating: bool,
    /// The claim of its last update.
    claim: Option<IntervalId>,
}

/// What is known about a distinct pair of a node and a (tested address, validity interval).
#[derive(Clone, Copy, Debug, Default)]
struct Claim {
    /// Whether it counts: it was sent after the warm-up.
    counts: bool,
    wrong: bool,
    late: bool,
}

/// An accepted update that waits to be served.
#[derive(Clone, Copy, Debug)]
struct Pending {
    node: HostId,
    to: Address,
}

/// One departure while the run goes on.
#[derive(Debug)]
pub(super) struct Departed {
    at: SimTime,
    kind: DepartureKind,
    address: Option<Address>,
    intervals: SmallVec<[IntervalId; 1]>,
    updates: u64,
}

/// How many claims of each sort there were after the warm-up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClaimCounts {
    pub(super) claims: u64,
    pub(super) wrong: u64,
    pub(super) late: u64,
}

/// All claims and departures.
#[derive(Debug)]
pub(super) struct Claims {
    warmup: SimTime,
    nodes: BTreeMap<HostId, Claimant>,
    updating: u64,
    pending: VecDeque<Pending>,
    claims: BTreeMap<(IntervalId, HostId), Claim>,
    /// How many nodes claimed because of each interval.
    claimants: BTreeMap<IntervalId, u64>,
    departed: Vec<Departed>,
    /// Full departures after the warm-up.
    pub(super) full: u64,
    pub(super) updates: u64,
    pub(super) accepted: u64,
}

impl Claims {
    pub(super) fn new(warmup: SimTime) -> Self {
        Self {
            warmup,
            nodes: BTreeMap::new(),
            updating: 0,
            pending: VecDeque::new(),
            claims: BTreeMap::new(),
            claimants: BTreeMap::new(),
            departed: Vec::new(),
            full: 0,
            updates: 0,
            accepted: 0,
        }
    }

    /// The node holds a failed verdict on this address, or none.
    pub(super) fn judge(
        &mut self,
        node: HostId,
        failed: Option<Tested>,
        addresses: &mut Addresses,
    ) {
        let verdict = failed.map(|tested| verdict_now(tested, addresses));
        let held = std::mem::replace(&mut self.nodes.entry(node).or_default().verdict, verdict);
        if let Some(held) = held {
            *addresses.verdicts_mut(held.address) -= 1;
        }
        if let Some(verdict) = verdict {
            *addresses.verdicts_mut(verdict.address) += 1;
        }
    }

    /// The node begins an update.
    pub(super) fn start(
        &mut self,
        now: SimTime,
        node: HostId,
        tested: Option<Tested>,
        addresses: &mut Addresses,
    ) {
        let counts = now >= self.warmup;
        self.updates += u64::from(counts);
        if let Some(last) = self.departed.last_mut() {
            last.updates += 1;
        }
        let claimant = self.nodes.entry(node).or_default();
        self.updating += u64::from(!std::mem::replace(&mut claimant.updating, true));
        let verdict = tested.map(|tested| {
            let id = addresses.id(tested.address);
            let held = claimant.verdict.filter(|held| held.address == id);
            held.unwrap_or_else(|| verdict_now(tested, addresses))
        });
        claimant.claim = verdict.map(|verdict| verdict.interval);
        if let Some(verdict) = verdict {
            let claim = self.claims.entry((verdict.interval, node)).or_insert_with(|| {
                *self.claimants.entry(verdict.interval).or_default() += 1;
                Claim::default()
            });
            claim.counts |= counts;
            claim.wrong |= verdict.was_valid;
        }
    }

    /// The node's update is over, whatever came of it.
    pub(super) fn end(&mut self, node: HostId) {
        if let Some(claimant) = self.nodes.get_mut(&node) {
            self.updating -= u64::from(std::mem::take(&mut claimant.updating));
        }
    }

    /// The endpoint accepted a node's update; `live` says that the node is up, `served` what the
    /// authority serves.
    pub(super) fn accept(
        &mut self,
        now: SimTime,
        (node, live): (HostId, bool),
        to: Address,
        served: Option<SetId>,
        addresses: &Addresses,
    ) {
        self.accepted += u64::from(now >= self.warmup);
        self.end(node);
        let claim = self.nodes.get(&node).and_then(|claimant| claimant.claim);
        if let Some(interval) = claim
            && nothing_to_repair(addresses.interval(interval).address, served, addresses)
            && let Some(claim) = self.claims.get_mut(&(interval, node))
        {
            claim.late = true;
        }
        let members = served.map_or(&[][..], |set| addresses.members(set));
        let serves_it = members.iter().any(|&member| addresses.address(member) == to);
        let nothing_to_serve = serves_it && self.pending.is_empty();
        if live && !nothing_to_serve {
            self.pending.push_back(Pending { node, to });
        }
    }

    /// The authority serves these addresses. Updates are served in the order in which they were
    /// accepted; one that is served may pass over earlier ones.
    pub(super) fn served(&mut self, set: Option<SetId>, addresses: &Addresses) {
        let Some(set) = set else { return };
        let is_served = |pending: &Pending| {
            addresses.members(set).iter().any(|&member| addresses.address(member) == pending.to)
        };
        if let Some(last) = self.pending.iter().position(is_served) {
            self.pending.drain(..=last);
        }
        let done = self.pending.iter().take_while(|pending| is_served(pending)).count();
        self.pending.drain(..done);
    }

    /// The node is gone, and with it what it knew and wanted.
    pub(super) fn down(&mut self, node: HostId, addresses: &mut Addresses) {
        if self.nodes.contains_key(&node) {
            self.judge(node, None, addresses);
            self.end(node);
        }
        self.pending.retain(|pending| pending.node != node);
    }

    pub(super) fn any_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    pub(super) fn any_updating(&self) -> bool {
        self.updating > 0
    }

    /// Notes a departure of these members.
    pub(super) fn depart(
        &mut self,
        now: SimTime,
        kind: DepartureKind,
        members: &[AddressId],
        addresses: &Addresses,
    ) {
        self.full += u64::from(kind.is_full() && now >= self.warmup);
        self.departed.push(Departed {
            at: now,
            kind,
            address: members.first().map(|&id| addresses.address(id)),
            intervals: members.iter().map(|&id| addresses.interval_of(id)).collect(),
            updates: 0,
        });
    }

    /// How many departures of any kind there were so far.
    pub(super) fn departed(&self) -> usize {
        self.departed.len()
    }

    /// Whether this address departed in the last departure of the binding.
    pub(super) fn departed_last(&self, address: AddressId, addresses: &Addresses) -> bool {
        let last = self.departed.iter().rev().find(|departed| departed.kind.opens_episodes());
        last.is_some_and(|last| {
            last.intervals.iter().any(|&interval| {
                let interval = addresses.interval(interval);
                interval.address == address && interval.started.is_some()
            })
        })
    }

    /// Claims after the warm-up; a late one is not false.
    pub(super) fn counts(&self) -> ClaimCounts {
        let mut counts = ClaimCounts::default();
        for claim in self.claims.values().filter(|claim| claim.counts) {
            counts.claims += 1;
            counts.wrong += u64::from(claim.wrong);
            counts.late += u64::from(claim.late && !claim.wrong);
        }
        counts
    }

    fn claimants_of(&self, interval: IntervalId) -> impl Iterator<Item = HostId> + '_ {
        let all = (interval, HostId(0))..=(interval, HostId(u32::MAX));
        self.claims.range(all).map(|(&(_, node), _)| node)
    }

    /// Distinct nodes by departed interval, and updates, over a range of departures. A partial
    /// departure adds its updates only.
    pub(super) fn effort(&self, range: std::ops::Range<usize>) -> (u64, u64) {
        let departed = &self.departed[range];
        let losses = departed.iter().filter(|departed| departed.kind.opens_episodes());
        let intervals: BTreeSet<_> =
            losses.flat_map(|departed| departed.intervals.iter().copied()).collect();
        let claimants = intervals.iter().filter_map(|id| self.claimants.get(id)).sum();
        (claimants, departed.iter().map(|departed| departed.updates).sum())
    }

    /// Full departures in a range of departures.
    pub(super) fn full_among(&self, range: std::ops::Range<usize>) -> u64 {
        self.departed[range].iter().filter(|departed| departed.kind.is_full()).count() as u64
    }

    /// The position of the first departure that counts.
    pub(super) fn first_counted(&self) -> usize {
        self.departed.partition_point(|departed| departed.at < self.warmup)
    }

    /// When the binding lost its validity, the warm-up included.
    pub(super) fn instants(&self) -> Vec<SimTime> {
        let full = self.departed.iter().filter(|departed| departed.kind.is_full());
        full.map(|departed| departed.at).collect()
    }

    /// All departures that count.
    pub(super) fn report(&self) -> Vec<Departure> {
        let nodes = |departed: &Departed| {
            let nodes = departed.intervals.iter().flat_map(|&id| self.claimants_of(id));
            nodes.collect::<BTreeSet<_>>().len() as u64
        };
        let counted = self.departed[self.first_counted()..].iter();
        counted
            .map(|departed| Departure {
                at: departed.at,
                kind: departed.kind,
                address: departed.address,
                claimants: nodes(departed),
                updates: departed.updates,
            })
            .collect()
    }
}

/// Whether the binding is valid and a claim on one of its addresses comes too late: the address is
/// in it no more, or is valid again. A set that is valid may have a dead member, which is repaired.
fn nothing_to_repair(tested: AddressId, served: Option<SetId>, addresses: &Addresses) -> bool {
    served.filter(|&set| !addresses.is_stale(set)).is_some_and(|set| {
        addresses.is_valid_id(tested) || !addresses.members(set).contains(&tested)
    })
}

/// A tested address, and whether it is valid for the node that tested it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tested {
    pub(super) address: Address,
    pub(super) valid: bool,
}

fn verdict_now(tested: Tested, addresses: &mut Addresses) -> Verdict {
    let address = addresses.id(tested.address);
    let interval = addresses.interval_of(address);
    Verdict { address, interval, was_valid: tested.valid }
}
