//! Addresses: when each was valid, in which record sets it stands, and when those were stale.
//!
//! A record set (what an authority or a cache answers; a single A record is a set of one) is stale
//! while none of its members is valid. Each set keeps the stretches of time in which it was, booked
//! to the validity interval whose end made it so. Who holds a set books the stretches that overlap
//! with the time in which he held it, when he lets go of it; nobody is visited when an address
//! changes.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::report::WindowRow;
use crate::address::Address;
use crate::time::SimTime;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AddressId(u32);

/// A validity interval of an address, or the time before the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IntervalId(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SetId(u32);

impl SetId {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A stretch of time in which a set was stale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) from: SimTime,
    /// `MAX` while it lasts.
    pub(super) to: SimTime,
    pub(super) interval: IntervalId,
}

/// Where `time` falls among stretches in order of time: the first that has not ended by then.
pub(super) fn first_open_at(stretches: &[Stretch], time: SimTime) -> usize {
    stretches.partition_point(|stretch| stretch.to <= time)
}

#[derive(Debug)]
pub(super) struct Interval {
    pub(super) address: AddressId,
    /// `None` for the time before the first validity.
    pub(super) started: Option<SimTime>,
    pub(super) ended: Option<SimTime>,
    /// When the address became valid again.
    pub(super) next: Option<SimTime>,
    /// By the position of the resolver.
    pub(super) rows: BTreeMap<u32, WindowRow>,
}

#[derive(Debug)]
struct Known {
    address: Address,
    valid: bool,
    /// The latest interval, or the time before the first.
    interval: IntervalId,
    first_served: Option<SimTime>,
    /// How many live nodes hold a failed verdict on it.
    verdicts: u32,
    sets: SmallVec<[SetId; 1]>,
}

#[derive(Debug)]
struct RecordSet {
    members: SmallVec<[AddressId; 1]>,
    valid: u32,
    stretches: Vec<Stretch>,
}

/// All addresses that matter: that were ever valid, served, answered or tested.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    ids: BTreeMap<Address, AddressId>,
    known: Vec<Known>,
    intervals: Vec<Interval>,
    set_ids: BTreeMap<Box<[Address]>, SetId>,
    sets: Vec<RecordSet>,
}

/// What a change of an address's validity did.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) address: AddressId,
    /// The sets that became valid or stale by it.
    pub(super) sets: SmallVec<[SetId; 1]>,
}

fn position(len: usize) -> u32 {
    u32::try_from(len).expect("fewer than 2^32 addresses, intervals and sets fit into memory")
}

impl Addresses {
    /// The address, known from now on.
    pub(super) fn id(&mut self, address: Address) -> AddressId {
        if let Some(&id) = self.ids.get(&address) {
            return id;
        }
        let id = AddressId(position(self.known.len()));
        let interval = self.new_interval(id, None);
        self.known.push(Known {
            address,
            valid: false,
            interval,
            first_served: None,
            verdicts: 0,
            sets: SmallVec::new(),
        });
        self.ids.insert(address, id);
        id
    }

    fn new_interval(&mut self, address: AddressId, started: Option<SimTime>) -> IntervalId {
        let id = IntervalId(position(self.intervals.len()));
        let rows = BTreeMap::new();
        self.intervals.push(Interval { address, started, ended: None, next: None, rows });
        id
    }

    fn of(&self, id: AddressId) -> &Known {
        &self.known[id.0 as usize]
    }

    pub(super) fn address(&self, id: AddressId) -> Address {
        self.of(id).address
    }

    pub(super) fn is_valid(&self, address: Address) -> bool {
        self.ids.get(&address).is_some_and(|&id| self.of(id).valid)
    }

    pub(super) fn is_valid_id(&self, id: AddressId) -> bool {
        self.of(id).valid
    }

    /// The current validity interval, the last one, or the time before the first.
    pub(super) fn interval_of(&self, id: AddressId) -> IntervalId {
        self.of(id).interval
    }

    pub(super) fn interval(&self, id: IntervalId) -> &Interval {
        &self.intervals[id.0 as usize]
    }

    pub(super) fn interval_mut(&mut self, id: IntervalId) -> &mut Interval {
        &mut self.intervals[id.0 as usize]
    }

    pub(super) fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    pub(super) fn first_served(&self, id: AddressId) -> Option<SimTime> {
        self.of(id).first_served
    }

    /// Whether the address was valid at any time so far.
    pub(super) fn ever_valid(&self, id: AddressId) -> bool {
        self.interval(self.of(id).interval).started.is_some()
    }

    pub(super) fn verdicts_mut(&mut self, id: AddressId) -> &mut u32 {
        &mut self.known[id.0 as usize].verdicts
    }

    /// The address begins or ends an interval of validity; `None` if it was so already.
    pub(super) fn set_valid(
        &mut self,
        now: SimTime,
        address: Address,
        valid: bool,
    ) -> Option<Turn> {
        let id = self.id(address);
        let known = &mut self.known[id.0 as usize];
        if known.valid == valid {
            return None;
        }
        known.valid = valid;
        let (interval, sets) = (known.interval, known.sets.clone());
        if valid {
            self.interval_mut(interval).next = Some(now);
            let begun = self.new_interval(id, Some(now));
            self.known[id.0 as usize].interval = begun;
        } else {
            self.interval_mut(interval).ended = Some(now);
        }
        let sets = sets.into_iter().filter(|&set| self.count(now, set, valid)).collect();
        Some(Turn { address: id, sets })
    }

    /// Counts one valid member more or less; whether the set turned.
    fn count(&mut self, now: SimTime, id: SetId, valid: bool) -> bool {
        let set = &mut self.sets[id.index()];
        if valid {
            set.valid += 1;
            if set.valid == 1 {
                close(&mut set.stretches, now);
            }
            return set.valid == 1;
        }
        set.valid -= 1;
        let stale = set.valid == 0;
        if stale && let Some(interval) = self.last_ended(self.members(id)) {
            let stretch = Stretch { from: now, to: SimTime::MAX, interval };
            self.sets[id.index()].stretches.push(stretch);
        }
        stale
    }

    /// The record set with these addresses in this order, known from now on.
    pub(super) fn set(&mut self, now: SimTime, addresses: &[Address]) -> SetId {
        if let Some(&id) = self.set_ids.get(addresses) {
            return id;
        }
        let id = SetId(position(self.sets.len()));
        let mut members: SmallVec<[AddressId; 1]> = SmallVec::new();
        for &address in addresses {
            let member = self.id(address);
            if !members.contains(&member) {
                members.push(member);
                self.known[member.0 as usize].sets.push(id);
            }
        }
        let valid = position(members.iter().filter(|&&member| self.of(member).valid).count());
        let stretches = match self.last_ended(&members) {
            Some(interval) if valid == 0 => vec![Stretch { from: now, to: SimTime::MAX, interval }],
            _ => Vec::new(),
        };
        self.sets.push(RecordSet { members, valid, stretches });
        self.set_ids.insert(addresses.into(), id);
        id
    }

    /// The interval whose end made the set stale: the one that ended last, of equals that of the
    /// member that stands first. A member that was never valid stands behind all that were.
    fn last_ended(&self, members: &[AddressId]) -> Option<IntervalId> {
        let ended = |&member: &AddressId| self.interval(self.of(member).interval).ended;
        // `max_by_key` takes the last of equals; the preferred member comes first.
        members.iter().rev().max_by_key(|member| ended(member)).map(|&id| self.of(id).interval)
    }

    /// The set is served by the authority.
    pub(super) fn serve(&mut self, now: SimTime, set: SetId) {
        for index in 0..self.sets[set.index()].members.len() {
            let member = self.sets[set.index()].members[index];
            self.known[member.0 as usize].first_served.get_or_insert(now);
        }
    }

    pub(super) fn members(&self, set: SetId) -> &[AddressId] {
        &self.sets[set.index()].members
    }

    pub(super) fn is_stale(&self, set: SetId) -> bool {
        self.sets[set.index()].valid == 0
    }

    /// The interval that an answer with this set belongs to: that of its first valid member, or
    /// the one whose end made it stale.
    pub(super) fn answered_interval(&self, set: SetId) -> IntervalId {
        match (self.first_valid(set), self.sets[set.index()].stretches.last()) {
            (Some(id), _) => self.of(id).interval,
            (None, Some(stretch)) => stretch.interval,
            (None, None) => unreachable!("a set without a valid member is in a stale stretch"),
        }
    }

    pub(super) fn first_valid(&self, set: SetId) -> Option<AddressId> {
        self.members(set).iter().copied().find(|&member| self.of(member).valid)
    }

    /// Since when an answer with this set has been stale: the latest, over its members, of the end
    /// of the last validity and the moment it was first served.
    pub(super) fn stale_since(&self, set: SetId) -> Option<SimTime> {
        self.members(set)
            .iter()
            .filter_map(|&member| {
                let ended = self.interval(self.of(member).interval).ended;
                ended.max(self.of(member).first_served)
            })
            .max()
    }

    pub(super) fn stretches(&self, set: SetId) -> &[Stretch] {
        &self.sets[set.index()].stretches
    }

    pub(super) fn any_verdict(&self, set: SetId) -> bool {
        self.members(set).iter().any(|&member| self.of(member).verdicts > 0)
    }
}

/// Ends the stretch that lasts.
pub(super) fn close(stretches: &mut [Stretch], now: SimTime) {
    if let Some(last) = stretches.last_mut().filter(|last| last.to == SimTime::MAX) {
        last.to = now;
    }
}
