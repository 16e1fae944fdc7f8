//! Requests by brute force: all that ever began are kept and searched.

use super::Naive;
use crate::sim::HostId;
use crate::world::observation::{Observation, RequestEnding, RequestKey};
use crate::world::truth::{Cause, Closed, RequestOutcome, RequestRecord};

/// A request with all that is known about it.
pub(super) struct Asked {
    pub(super) key: RequestKey,
    pub(super) agent: HostId,
    pub(super) index: usize,
    pub(super) record: RequestRecord,
    pub(super) began: usize,
    pub(super) callee: Option<HostId>,
    /// Whether that one was up then.
    pub(super) there: bool,
    /// Whether it was in an overlay then.
    pub(super) in_overlay: bool,
    pub(super) over: bool,
    /// Who served it: whether in the main overlay.
    pub(super) servers: Vec<bool>,
}

impl Naive {
    pub(super) fn request(&mut self, id: HostId, observation: &Observation) {
        match *observation {
            Observation::RequestStarted { request: key, method, callee } => {
                let domains = &self.config.callers;
                let index = domains.iter().position(|it| it.agents.contains(&id)).unwrap();
                let record = RequestRecord::begun(domains[index].host, method, self.now);
                let (agent, over, servers) = (id, false, Vec::new());
                let began = self.step;
                let is_up = |callee: &HostId| {
                    let last = self.ups_and_downs.iter().rfind(|it| it.1 == *callee);
                    last.is_some_and(|it| it.2) && self.sees(*callee)
                };
                let there = callee.as_ref().is_none_or(is_up);
                let in_overlay = callee.is_none_or(|callee| self.host(callee).member.is_some());
                self.asked.push(Asked {
                    key,
                    agent,
                    index,
                    record,
                    began,
                    callee,
                    there,
                    in_overlay,
                    over,
                    servers,
                });
                self.send(index, key.0);
            }
            Observation::RequestRouted { request: key, to } => {
                let stale = !self.valid(to);
                if let Some(asked) = self.asked.iter_mut().find(|it| it.key == key && !it.over) {
                    asked.record.stale.get_or_insert(stale);
                }
            }
            Observation::RequestServed { request: key } => self.serve_request(id, key),
            Observation::RequestEnded { request: key, ending } => {
                let position = self.asked.iter().position(|it| it.key == key).unwrap();
                let callee_up = self.callee_was_up(position);
                let asked = &mut self.asked[position];
                asked.over = true;
                asked.record.delay = Some(self.now.since(asked.record.started));
                (asked.record.outcome, asked.record.cause) = fate(ending, asked, callee_up);
                let index = asked.index;
                self.callers[index].requests.remove(&key.0);
            }
            _ => unreachable!("only requests come here"),
        }
    }

    fn serve_request(&mut self, id: HostId, key: RequestKey) {
        let main = self.main();
        let member = self.host(id).member;
        let Some(asked) = self.asked.iter_mut().find(|it| it.key == key && !it.over) else {
            return;
        };
        if member.is_some() {
            asked.servers.push(member == main);
        }
        let index = asked.index;
        let sent_after = self.callers[index].requests.get(&key.0) == Some(&true);
        if let Some(&address) = self.serving.get(&id)
            && sent_after
        {
            self.close(index, Closed::Request, Some(address));
        }
    }

    /// Whether the callee of a request was up when it began, and, if it was served, went neither up
    /// nor down since; and in an overlay, if the main one served it.
    fn callee_was_up(&self, position: usize) -> bool {
        let Asked { began, callee, there, in_overlay, ref servers, .. } = self.asked[position];
        let Some(callee) = callee else { return true };
        if servers.is_empty() {
            return there;
        }
        let there = there && self.sees(callee) && (in_overlay || !servers.contains(&true));
        let of_callee: Vec<_> = self.ups_and_downs.iter().filter(|it| it.1 == callee).collect();
        let before = of_callee.iter().rfind(|it| it.0 < began);
        there && before.is_some_and(|last| last.2) && of_callee.iter().all(|it| it.0 < began)
    }
}

/// The table of outcomes and causes, read from the definitions.
fn fate(ending: RequestEnding, asked: &Asked, callee_up: bool) -> (RequestOutcome, Option<Cause>) {
    let declined = [481, 486, 488, 600, 603, 606].map(RequestEnding::Final).contains(&ending);
    let elsewhere = !asked.servers.is_empty() && !asked.servers.contains(&true);
    match ending {
        RequestEnding::Final(status @ 200..300) => (RequestOutcome::Status(status), None),
        RequestEnding::Final(status) if declined => {
            (RequestOutcome::Status(status), Some(Cause::Callee))
        }
        _ => {
            let cause = if callee_up { Cause::Interop } else { Cause::Callee };
            let outcome = match ending {
                _ if elsewhere => RequestOutcome::WrongOverlay,
                RequestEnding::Final(status) => RequestOutcome::Status(status),
                RequestEnding::Timeout => RequestOutcome::Timeout,
                RequestEnding::Transport => RequestOutcome::Transport,
                RequestEnding::Unlocated => RequestOutcome::Unlocated,
            };
            (outcome, Some(cause))
        }
    }
}
