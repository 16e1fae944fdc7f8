//! What a node waits for. All requests have the same time-out, so that they end in the order in
//! which they were sent, and one timer does for all.

use std::collections::VecDeque;

use super::message::Message;
use crate::address::Endpoint;
use crate::overlay::NodeRef;
use crate::overlay::wire::RpcId;
use crate::time::SimTime;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Request<W> {
    pub(super) rpc: RpcId,
    /// Who was asked; `None` when only the endpoint is known.
    pub(super) node: Option<NodeRef>,
    endpoint: Endpoint,
    due: SimTime,
    /// How many times it may be sent again, and what; without a time left nothing.
    again: Option<(u8, Message)>,
    pub(super) work: W,
}

impl<W> Request<W> {
    /// Where it goes and what, if it may be sent once more.
    pub(super) fn repeat(&mut self) -> Option<(Endpoint, Message)> {
        let (left, message) = self.again.take()?;
        if left > 1 {
            self.again = Some((left - 1, message.clone()));
        }
        Some((self.endpoint, message))
    }
}

/// The requests of one node.
#[derive(Clone, Debug)]
pub(super) struct Pending<W> {
    waiting: VecDeque<Request<W>>,
    count: u16,
}

impl<W> Default for Pending<W> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), count: 0 }
    }
}

impl<W> Pending<W> {
    /// The most that can be outstanding: half of the labels, so that an answer can't be taken for
    /// that of a later request.
    pub(super) const MAX: usize = 1 << (RpcId::BITS - 1);

    /// Whether no more fit.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= Self::MAX
    }

    /// A request is sent; its label.
    pub(super) fn open(
        &mut self,
        (endpoint, node): (Endpoint, Option<NodeRef>),
        due: SimTime,
        work: W,
    ) -> RpcId {
        self.count = self.count.wrapping_add(1);
        let rpc = RpcId::new(self.count);
        self.waiting.push_back(Request { rpc, node, endpoint, due, again: None, work });
        rpc
    }

    /// The request that was sent last may be sent so many times again, at least one.
    pub(super) fn keep(&mut self, times: u8, message: Message) {
        if let Some(request) = self.waiting.back_mut() {
            request.again = Some((times, message));
        }
    }

    /// A request was sent once more.
    pub(super) fn reopen(&mut self, request: Request<W>, due: SimTime) {
        self.waiting.push_back(Request { due, ..request });
    }

    /// The request that this answers: the label is its, and it was sent there.
    pub(super) fn answer(&mut self, rpc: RpcId, from: Endpoint) -> Option<Request<W>> {
        let is = |request: &Request<W>| request.rpc == rpc && request.endpoint == from;
        let place = self.waiting.iter().position(is)?;
        self.waiting.remove(place)
    }

    /// The next request whose time is over.
    pub(super) fn overdue(&mut self, now: SimTime) -> Option<Request<W>> {
        self.waiting.pop_front_if(|request| request.due <= now)
    }

    /// The next request that went to this endpoint.
    pub(super) fn sent_to(&mut self, endpoint: Endpoint) -> Option<Request<W>> {
        let place = self.waiting.iter().position(|request| request.endpoint == endpoint)?;
        self.waiting.remove(place)
    }

    /// When the next one is overdue.
    pub(super) fn next_due(&self) -> Option<SimTime> {
        self.waiting.front().map(|request| request.due)
    }

    /// Forgets all; what was waited for.
    pub(super) fn close(&mut self) -> Vec<W> {
        self.waiting.drain(..).map(|request| request.work).collect()
    }
}
