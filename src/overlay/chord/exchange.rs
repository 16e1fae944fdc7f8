//! What a node waits for: one slot a request, with its timer.
//!
//! A slot is freed by the answer or the time-out. Its generation is part of the request's
//! identifier, so that a late answer to an earlier request in the same slot is told apart; and an
//! answer must come from the endpoint that was asked.

use smallvec::SmallVec;

use super::lookup::Lookup;
use super::message::RpcId;
use crate::address::Endpoint;
use crate::overlay::{Facts, NodeRef};

/// What is waited for.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// The predecessor's sign of life.
    Ping,
    /// The successor's neighbours.
    Stabilize,
    /// A step of a look-up, or of what follows it.
    Lookup(Box<Lookup>),
}

#[derive(Clone, Debug)]
struct Slot {
    /// Who was asked; `None` when it is not known as a contact, or another will answer.
    peer: Option<NodeRef>,
    generation: u8,
    /// How often it was sent.
    sent: u8,
    kind: Kind,
    /// There for [`Kind::Lookup`]. Kept apart from the kind, so that a slot takes 16 octets.
    lookup: Option<Box<Lookup>>,
}

/// The [`Work`] of a slot, where it stays.
#[derive(Debug)]
pub(super) enum Waiting<'a> {
    Ping,
    Stabilize,
    Lookup(&'a Lookup),
}

/// The [`Work`] of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Free,
    Ping,
    Stabilize,
    Lookup,
}

impl Slot {
    const FREE: Self = Self { peer: None, generation: 0, sent: 0, kind: Kind::Free, lookup: None };

    /// Who is to answer: the one that was asked; or a joiner's contact, of which nothing but the
    /// endpoint is known. `None` when another answers, or nobody.
    fn receiver(&self, facts: &impl Facts) -> Option<Endpoint> {
        match (self.kind, self.peer, &self.lookup) {
            (Kind::Free, ..) => None,
            (_, Some(peer), _) => Some(facts.contact(peer).endpoint),
            (_, None, Some(lookup)) => lookup.bootstrap(),
            (_, None, None) => None,
        }
    }

    fn rpc(&self, index: u8) -> RpcId {
        RpcId::new((u16::from(self.generation) << SLOT_BITS) | u16::from(index))
    }

    #[inline]
    fn put(&mut self, work: Work) {
        (self.kind, self.lookup) = match work {
            Work::Ping => (Kind::Ping, None),
            Work::Stabilize => (Kind::Stabilize, None),
            Work::Lookup(lookup) => (Kind::Lookup, Some(lookup)),
        };
    }

    #[inline]
    fn take(&mut self) -> Option<Work> {
        match std::mem::replace(&mut self.kind, Kind::Free) {
            Kind::Free => None,
            Kind::Ping => Some(Work::Ping),
            Kind::Stabilize => Some(Work::Stabilize),
            Kind::Lookup => self.lookup.take().map(Work::Lookup),
        }
    }
}

/// The slots of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges {
    slots: SmallVec<[Slot; 1]>,
}

const SLOT_BITS: u32 = 8;
const GENERATIONS: u8 = 1 << (RpcId::BITS - SLOT_BITS);

impl Exchanges {
    /// The most that can be outstanding.
    pub(super) const MAX: usize = 1 << SLOT_BITS;

    /// Takes a slot; gives the work back when all 256 are taken.
    #[inline]
    pub(super) fn open(&mut self, peer: Option<NodeRef>, work: Work) -> Result<(u8, RpcId), Work> {
        let index = match self.slots.iter().position(|slot| slot.kind == Kind::Free) {
            Some(index) => index,
            None if self.slots.len() == Self::MAX => return Err(work),
            None => {
                self.slots.push(Slot::FREE);
                self.slots.len() - 1
            }
        };
        let slot = &mut self.slots[index];
        slot.generation = (slot.generation + 1) % GENERATIONS;
        (slot.peer, slot.sent) = (peer, 1);
        slot.put(work);
        let index = index as u8;
        Ok((index, slot.rpc(index)))
    }

    /// Frees the slot of this answer; `None` if nobody waits for it.
    #[inline]
    pub(super) fn answer(
        &mut self,
        rpc: RpcId,
        from: Endpoint,
        facts: &impl Facts,
    ) -> Option<(u8, Option<NodeRef>, Work)> {
        let index = rpc.bits() as u8;
        let slot = self.slots.get_mut(usize::from(index))?;
        let asked = slot.peer.is_none_or(|peer| facts.contact(peer).endpoint == from);
        if !asked || u16::from(slot.generation) != rpc.bits() >> SLOT_BITS {
            return None;
        }
        Some((index, slot.peer, slot.take()?))
    }

    /// The time of this slot is over: to whom it is to be sent once more, if that one may be asked so
    /// many times and has not been.
    pub(super) fn again(&mut self, index: u8, tries: u8, facts: &impl Facts) -> Option<Endpoint> {
        let slot = self.slots.get_mut(usize::from(index)).filter(|slot| slot.sent < tries)?;
        slot.sent += 1;
        slot.receiver(facts)
    }

    /// What this slot waits for, and its label.
    pub(super) fn waiting(&self, index: u8) -> Option<(RpcId, Waiting<'_>)> {
        let slot = self.slots.get(usize::from(index))?;
        let work = match (slot.kind, &slot.lookup) {
            (Kind::Ping, _) => Waiting::Ping,
            (Kind::Stabilize, _) => Waiting::Stabilize,
            (Kind::Lookup, Some(lookup)) => Waiting::Lookup(lookup),
            (Kind::Free, _) | (Kind::Lookup, None) => return None,
        };
        Some((slot.rpc(index), work))
    }

    /// Frees the slot whose time is over.
    pub(super) fn expire(&mut self, index: u8) -> Option<(Option<NodeRef>, Work)> {
        let slot = self.slots.get_mut(usize::from(index))?;
        Some((slot.peer, slot.take()?))
    }

    /// The slots in use that wait for this endpoint.
    pub(super) fn waiting_for(&self, endpoint: Endpoint, facts: &impl Facts) -> Vec<u8> {
        let waits = |slot: &Slot| slot.receiver(facts) == Some(endpoint);
        (0..self.slots.len()).filter(|&i| waits(&self.slots[i])).map(|i| i as u8).collect()
    }

    /// Frees all slots.
    pub(super) fn close_all(&mut self) -> Vec<(u8, Work)> {
        let open = self.slots.iter_mut().enumerate();
        open.filter_map(|(i, slot)| Some((i as u8, slot.take()?))).collect()
    }
}
