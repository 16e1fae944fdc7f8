//! What a node waits for: one slot a request, with its timer.
//!
//! A request is sent again, after twice the time, until its tries are used up. Requests are labelled
//! in turn, whatever slot they take: a label comes back after 4,095 of them, so that a late answer is
//! told apart, and a look-up from others that were on their way in the last seconds. An answer must
//! come from the endpoint that was asked.

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
    /// Its label.
    pub(super) rpc: RpcId,
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

/// The slots of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges {
    slots: Vec<Option<Box<Request>>>,
    /// The label of the last request.
    label: u16,
}

impl Exchanges {
    /// The most that can be outstanding.
    pub(super) const MAX: usize = 512;
    /// How many labels there are; none is 0, which messages have that want no answer.
    const LABELS: u16 = (1 << RpcId::BITS) - 1;

    /// A free slot and the label of the next request; `None` when all slots are taken. The slot is
    /// taken by [`open`](Self::open).
    pub(super) fn reserve(&mut self) -> Option<(u16, RpcId)> {
        let free = self.slots.iter().position(Option::is_none);
        let index = match free {
            Some(index) => index,
            None if self.slots.len() == Self::MAX => return None,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        // Some wait long: their labels are passed over.
        loop {
            self.label = self.label % Self::LABELS + 1;
            let rpc = RpcId::new(self.label);
            if self.index_of(rpc).is_none() {
                return Some((index as u16, rpc));
            }
        }
    }

    /// Goes on with another label: a host that comes back does not repeat those it had before.
    pub(super) fn relabel(&mut self, bits: u64) {
        self.label = (bits % u64::from(Self::LABELS)) as u16;
    }

    /// Takes a reserved slot.
    pub(super) fn open(&mut self, index: u16, request: Request) {
        self.slots[usize::from(index)] = Some(Box::new(request));
    }

    fn index_of(&self, rpc: RpcId) -> Option<usize> {
        self.slots.iter().position(|slot| slot.as_ref().is_some_and(|request| request.rpc == rpc))
    }

    /// Frees the slot of this answer; `None` if nobody waits for it.
    pub(super) fn answer(&mut self, rpc: RpcId, from: Endpoint) -> Option<(u16, Request)> {
        let index = self.index_of(rpc)?;
        let peer = self.slots[index].as_ref()?.peer;
        if peer.is_some_and(|peer| peer.endpoint != from) {
            return None;
        }
        self.slots[index].take().map(|request| (index as u16, *request))
    }

    /// Frees the slot of this label, whoever answers.
    pub(super) fn answer_from_anywhere(&mut self, rpc: RpcId) -> Option<(u16, Request)> {
        let index = self.index_of(rpc)?;
        self.slots[index].take().map(|request| (index as u16, *request))
    }

    /// The request of this slot.
    pub(super) fn waiting(&mut self, index: u16) -> Option<&mut Request> {
        self.slots.get_mut(usize::from(index))?.as_deref_mut()
    }

    /// Frees a slot.
    pub(super) fn close(&mut self, index: u16) -> Option<Request> {
        self.slots.get_mut(usize::from(index))?.take().map(|request| *request)
    }

    fn open_requests(&self) -> impl Iterator<Item = &Request> {
        self.slots.iter().flatten().map(|request| &**request)
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
        let waits = |slot: &Option<Box<Request>>| {
            let peer = slot.as_ref().and_then(|request| request.peer);
            peer.is_some_and(|peer| peer.endpoint == endpoint)
        };
        (0..self.slots.len()).filter(|&i| waits(&self.slots[i])).map(|i| i as u16).collect()
    }

    /// Frees all slots.
    pub(super) fn close_all(&mut self) -> Vec<(u16, Work)> {
        let open = self.slots.iter_mut().enumerate();
        open.filter_map(|(i, slot)| Some((i as u16, slot.take()?.work))).collect()
    }
}
