//! The response context of a request (RFC 3261 §16.7): its branches and what came back on them.

use super::Handle;
use crate::address::Endpoint;
use crate::sip::transaction::{ClientId, ServerId};
use crate::sip::{Method, Request, RequestKey, Response, Status};
use crate::time::SimTime;

/// What is known of a request that is being forwarded.
#[derive(Clone, Debug)]
pub(super) struct Context {
    /// As received, without what was meant for this element.
    pub(super) request: Request,
    pub(super) key: RequestKey,
    /// Where the answer goes; an ACK has no transaction and gets none.
    pub(super) server: Option<ServerId>,
    /// When it has lived for too long.
    pub(super) end: Option<SimTime>,
    pub(super) phase: Phase,
    pub(super) branches: Vec<Branch>,
    /// Final responses other than 2xx, in the order in which they came.
    candidates: Vec<Candidate>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The location service is asked where to.
    Targets,
    /// It is forwarded, and may be forwarded to more endpoints.
    Open,
    /// It is not forwarded any further: it was cancelled, refused for good, or took too long.
    Closing,
    /// A final response went up; what is left to do is to see the branches end.
    Answered,
}

/// One target.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) handle: Handle,
    /// What is sent, but for the `Via`.
    pub(super) request: Request,
    pub(super) state: BranchState,
}

/// How far a branch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BranchState {
    /// Its next hop is being located.
    Locating,
    /// It was sent, and no final response is there.
    Sent(Attempt),
    /// A final response is there, or will never be.
    Ended,
}

/// One client transaction of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) client: ClientId,
    pub(super) to: Endpoint,
    /// Where else it may go, the first choice first.
    pub(super) others: Vec<Endpoint>,
    /// Whether anything came back.
    pub(super) heard: bool,
    /// Whether it was cancelled.
    pub(super) cancelled: bool,
}

#[derive(Clone, Debug)]
struct Candidate {
    response: Response,
    /// Whether it was made here, for a branch without a response.
    own: bool,
}

impl Context {
    pub(super) fn new(request: Request, server: Option<ServerId>, end: Option<SimTime>) -> Self {
        let (key, phase) = (request.key(), Phase::Targets);
        Self { request, key, server, end, phase, branches: Vec::new(), candidates: Vec::new() }
    }

    pub(super) fn is_invite(&self) -> bool {
        self.request.method == Method::Invite
    }

    /// Whether no branch can bring anything any more.
    pub(super) fn has_ended(&self) -> bool {
        let ended = |branch: &Branch| branch.state == BranchState::Ended;
        self.phase != Phase::Targets && self.branches.iter().all(ended)
    }

    /// Keeps a final response that came back.
    pub(super) fn received(&mut self, response: Response) {
        self.candidates.push(Candidate { response, own: false });
    }

    /// Keeps a final response for a branch on which none came.
    pub(super) fn supposed(&mut self, status: Status) {
        let response = self.request.respond(status, None);
        self.candidates.push(Candidate { response, own: true });
    }

    /// Takes the best final response that is not 2xx (RFC 3261 §16.7 step 6): any 6xx, else the
    /// lowest class; in class 4 what asks the caller for something else. Beyond the RFC, what a
    /// server said goes before what is supposed of a silent one. Without any it is 408.
    pub(super) fn best(&mut self) -> Best {
        let rank = |candidate: &Candidate| {
            let status = candidate.response.status;
            let class = if status.class() == 6 { 0 } else { status.class() };
            let asks = matches!(status.code(), 401 | 407 | 415 | 420 | 484);
            (class, !asks, candidate.own)
        };
        // Of equals the first is the minimum: the one that came first.
        let best = (0..self.candidates.len()).min_by_key(|&at| rank(&self.candidates[at]));
        match best.map(|at| self.candidates.swap_remove(at)) {
            Some(Candidate { response, own: false }) => Best::Received(Box::new(response)),
            Some(Candidate { response, own: true }) => Best::Supposed(response.status),
            None => Best::Supposed(Status::REQUEST_TIMEOUT),
        }
    }
}

/// The best final response of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Best {
    /// To be passed on.
    Received(Box<Response>),
    /// To be made here.
    Supposed(Status),
}

impl Best {
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Received(response) => response.status,
            Self::Supposed(status) => *status,
        }
    }
}

impl Branch {
    /// The attempt under way.
    pub(super) fn attempt(&mut self) -> Option<&mut Attempt> {
        match &mut self.state {
            BranchState::Sent(attempt) => Some(attempt),
            BranchState::Locating | BranchState::Ended => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::uri::{HostPart, Uri};
    use crate::sip::{Headers, NameAddress};

    fn context() -> Context {
        let uri = Uri::of_user("bob", HostPart::name("a.test"));
        let end = NameAddress::of(uri.clone());
        let headers = Headers::new(end.clone(), end, "call".into(), 1);
        let request = Request { method: Method::Invite, uri, headers, body: [].into() };
        Context::new(request, None, None)
    }

    #[test]
    fn the_best_response_is_6xx_else_of_the_lowest_class() {
        // Received in this order, a minus for what is supposed of a silent server.
        for (came, best) in [
            (vec![404], 404),
            (vec![500, 404, 302], 302),
            (vec![500, 302, 603], 603),
            (vec![404, 486, 401], 401),
            (vec![404, 484, 401], 484),
            (vec![486, 404], 486),
            (vec![-408, 486], 486),
            // A supposed 408 is of a lower class than a 500 that was received.
            (vec![500, -408], 408),
            (vec![-503], 503),
            (vec![], 408),
        ] {
            let mut context = context();
            for code in &came {
                let status = Status::new(i16::unsigned_abs(*code)).unwrap();
                if *code < 0 {
                    context.supposed(status);
                } else {
                    context.received(context.request.respond(status, None));
                }
            }
            assert_eq!(context.best().status().code(), best, "{came:?}");
        }
    }
}
