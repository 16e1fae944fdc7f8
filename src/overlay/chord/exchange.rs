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
    kind: Kind,
    /// There for [`Kind::Lookup`]. Kept apart from the kind, so that a slot takes 16 octets.
    lookup: Option<Box<Lookup>>,
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
    const FREE: Self = Self { peer: None, generation: 0, kind: Kind::Free, lookup: None };

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
        slot.peer = peer;
        slot.put(work);
        let rpc = RpcId::new((u16::from(slot.generation) << SLOT_BITS) | index as u16);
        Ok((index as u8, rpc))
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

    /// Frees the slot whose time is over.
    pub(super) fn expire(&mut self, index: u8) -> Option<(Option<NodeRef>, Work)> {
        let slot = self.slots.get_mut(usize::from(index))?;
        Some((slot.peer, slot.take()?))
    }

    /// The slots in use that wait for this endpoint.
    pub(super) fn waiting_for(&self, endpoint: Endpoint, facts: &impl Facts) -> Vec<u8> {
        let waits = |slot: &Slot| match (slot.kind, slot.peer, &slot.lookup) {
            (Kind::Free, ..) => false,
            (_, Some(peer), _) => facts.contact(peer).endpoint == endpoint,
            (_, None, Some(lookup)) => lookup.bootstrap() == Some(endpoint),
            (_, None, None) => false,
        };
        (0..self.slots.len()).filter(|&i| waits(&self.slots[i])).map(|i| i as u8).collect()
    }

    /// Frees all slots.
    pub(super) fn close_all(&mut self) -> Vec<(u8, Work)> {
        let open = self.slots.iter_mut().enumerate();
        open.filter_map(|(i, slot)| Some((i as u8, slot.take()?))).collect()
    }
}
