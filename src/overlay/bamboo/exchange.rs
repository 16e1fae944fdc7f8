//! What a node waits for: one slot a request, with its timer.
//!
//! A request is sent again, after twice the time, until its tries are used up. A slot's generation
//! is part of the request's identifier, so that a late answer to an earlier request in the same
//! slot is told apart; and an answer must come from the endpoint that was asked.

use super::lookup::Lookup;
use super::message::{Message, Passage};
use crate::address::Endpoint;
use crate::overlay::NodeRef;
use crate::overlay::wire::{Header, RpcId};
use crate::time::{SimDuration, SimTime};

/// What is waited for.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// A sign of life.
    Ping,
    /// A leaf set.
    Leaves,
    /// A row.
    Row,
    /// That a look-up which was forwarded has arrived; the header that it was sent with.
    Hop(Passage, Header),
    /// That a notice has arrived.
    Notice,
    /// The outcome of a look-up, from whoever owns the key.
    Search(Box<Lookup>),
    /// The owner's answer.
    Owner(Box<Lookup>),
    /// The welcome of whoever owns this node's position. The contacts to try if there is none, the
    /// next last.
    Join(Vec<Endpoint>),
}

/// Whom a request was sent to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) endpoint: Endpoint,
    /// `None` when it is not known as a contact.
    pub(super) node: Option<NodeRef>,
}

/// A request that has not been answered.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// `None` when the answer may come from anywhere.
    pub(super) peer: Option<Peer>,
    pub(super) work: Work,
    /// What is sent again; `None` when nothing is.
    pub(super) message: Option<Message>,
    /// How often it may still be sent.
    pub(super) tries: u8,
    pub(super) timeout: SimDuration,
    /// When it was sent; `None` when that was more than once.
    pub(super) sent: Option<SimTime>,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    generation: u8,
    request: Option<Box<Request>>,
}

/// The slots of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges {
    slots: Vec<Slot>,
}

const SLOT_BITS: u32 = 9;
const GENERATIONS: u8 = 1 << (RpcId::BITS - SLOT_BITS);

/// A slot's number.
fn index_of(rpc: RpcId) -> u16 {
    rpc.bits() & ((1 << SLOT_BITS) - 1)
}

impl Exchanges {
    /// The most that can be outstanding.
    pub(super) const MAX: usize = 1 << SLOT_BITS;

    /// The label of the next request and its slot; `None` when all slots are taken. The slot is
    /// taken by [`open`](Self::open).
    pub(super) fn reserve(&mut self) -> Option<(u16, RpcId)> {
        let free = self.slots.iter().position(|slot| slot.request.is_none());
        let index = match free {
            Some(index) => index,
            None if self.slots.len() == Self::MAX => return None,
            None => {
                self.slots.push(Slot::default());
                self.slots.len() - 1
            }
        };
        let slot = &mut self.slots[index];
        // From one on: no request has the label 0, which messages have that want no answer.
        slot.generation = slot.generation % (GENERATIONS - 1) + 1;
        let bits = (u16::from(slot.generation) << SLOT_BITS) | index as u16;
        Some((index as u16, RpcId::new(bits)))
    }

    /// Takes a reserved slot.
    pub(super) fn open(&mut self, index: u16, request: Request) {
        self.slots[usize::from(index)].request = Some(Box::new(request));
    }

    /// Frees the slot of this answer; `None` if nobody waits for it.
    pub(super) fn answer(&mut self, rpc: RpcId, from: Endpoint) -> Option<(u16, Request)> {
        let index = index_of(rpc);
        let slot = self.slots.get_mut(usize::from(index))?;
        let request = slot.request.as_ref()?;
        let asked = request.peer.is_none_or(|peer| peer.endpoint == from);
        if !asked || u16::from(slot.generation) != rpc.bits() >> SLOT_BITS {
            return None;
        }
        slot.request.take().map(|request| (index, *request))
    }

    /// Frees the slot of this label, whoever answers.
    pub(super) fn answer_from_anywhere(&mut self, rpc: RpcId) -> Option<(u16, Request)> {
        let index = index_of(rpc);
        let slot = self.slots.get_mut(usize::from(index))?;
        if u16::from(slot.generation) != rpc.bits() >> SLOT_BITS {
            return None;
        }
        slot.request.take().map(|request| (index, *request))
    }

    /// The request of this slot.
    pub(super) fn waiting(&mut self, index: u16) -> Option<&mut Request> {
        self.slots.get_mut(usize::from(index))?.request.as_deref_mut()
    }

    /// Frees a slot.
    pub(super) fn close(&mut self, index: u16) -> Option<Request> {
        self.slots.get_mut(usize::from(index))?.request.take().map(|request| *request)
    }

    fn open_requests(&self) -> impl Iterator<Item = &Request> {
        self.slots.iter().filter_map(|slot| slot.request.as_deref())
    }

    /// Whether this node is being pinged.
    pub(super) fn pings(&self, node: NodeRef) -> bool {
        self.open_requests().any(|request| {
            matches!(request.work, Work::Ping)
                && request.peer.is_some_and(|peer| peer.node == Some(node))
        })
    }

    /// Whether a join is under way.
    pub(super) fn joins(&self) -> bool {
        self.open_requests().any(|request| matches!(request.work, Work::Join(_)))
    }

    /// The slots in use that wait for this endpoint.
    pub(super) fn waiting_for(&self, endpoint: Endpoint) -> Vec<u16> {
        let waits = |slot: &Slot| {
            let peer = slot.request.as_ref().and_then(|request| request.peer);
            peer.is_some_and(|peer| peer.endpoint == endpoint)
        };
        (0..self.slots.len()).filter(|&i| waits(&self.slots[i])).map(|i| i as u16).collect()
    }

    /// Frees all slots.
    pub(super) fn close_all(&mut self) -> Vec<(u16, Work)> {
        let open = self.slots.iter_mut().enumerate();
        open.filter_map(|(i, slot)| Some((i as u16, slot.request.take()?.work))).collect()
    }
}
