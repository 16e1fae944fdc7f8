//! Where observations arrive: the stage passes them to truth, in truth's words, and counts what
//! truth does not need to know. It also holds the directory of contacts, the one thing that
//! components look up in it ([`Facts`]): what the octets of a contact on the wire would say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::conventional::{names, phone, server};
use crate::dns::{self, Binding, Question, authority, resolver};
use crate::dyndns::Accepted;
use crate::net::{Link, Observer, Payload};
use crate::overcord;
use crate::overlay::{self, Contact, Directory, Facts, NodeRef, RingId};
use crate::rtp;
use crate::sim::fingerprint::stable_hash;
use crate::sim::{Fingerprint, HostId};
use crate::sip::agent::{Cause, Outcome, Upcall};
use crate::sip::{HostPart, Method, RequestKey};
use crate::time::SimTime;
use crate::world::caller;
use crate::world::checkers::Checkers;
use crate::world::log::Logged;
use crate::world::observation::{Answer, Observation, RequestEnding, RequestMethod};
use crate::world::owners::Owners;
use crate::world::story::Chronicle;
use crate::world::truth::Truth;

/// An observation in the words of the component that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// By a member.
    Node(overcord::Observation),
    /// By a resolver.
    Resolver(resolver::Observation),
    /// By the authority.
    Authority(authority::Observation),
    /// By the update service.
    Service(Accepted),
    /// By a conventional domain that only looks up.
    Caller(caller::Observation),
    /// By a SIP server.
    Server(server::Observation),
    /// By a phone.
    Phone(phone::Observation),
    /// By the world itself.
    World(Observation),
}

impl From<overcord::Observation> for Observed {
    #[inline]
    fn from(observation: overcord::Observation) -> Self {
        Self::Node(observation)
    }
}

impl From<resolver::Observation> for Observed {
    fn from(observation: resolver::Observation) -> Self {
        Self::Resolver(observation)
    }
}

impl From<authority::Observation> for Observed {
    fn from(observation: authority::Observation) -> Self {
        Self::Authority(observation)
    }
}

impl From<Accepted> for Observed {
    fn from(accepted: Accepted) -> Self {
        Self::Service(accepted)
    }
}

impl From<caller::Observation> for Observed {
    fn from(observation: caller::Observation) -> Self {
        Self::Caller(observation)
    }
}

impl From<server::Observation> for Observed {
    fn from(observation: server::Observation) -> Self {
        Self::Server(observation)
    }
}

impl From<phone::Observation> for Observed {
    fn from(observation: phone::Observation) -> Self {
        Self::Phone(observation)
    }
}

/// Look-ups of applications in the overlay, after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupTotals {
    /// Those that found an owner.
    pub found: u64,
    /// Those that did not.
    pub failed: u64,
    /// Those that found another than the owner; `None` when nobody judges them.
    pub wrong: Option<u64>,
    /// Hops of those that found an owner, summed.
    pub hops: u64,
    /// Nodes on the way that did not answer, summed over all.
    pub timeouts: u64,
}

/// What became of media, after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaTotals {
    /// Calls in which the caller began to talk.
    pub calls: u64,
    /// Packets sent, by both ends.
    pub sent: u64,
    /// Those of them that the other end heard.
    pub heard: u64,
    /// Ends of calls that were given up because nothing was heard.
    pub given_up: u64,
}

impl MediaTotals {
    fn note(&mut self, observation: rtp::Observation) {
        match observation {
            rtp::Observation::Began(rtp::End::Caller) => self.calls += 1,
            rtp::Observation::Began(rtp::End::Callee) => {}
            rtp::Observation::Sent => self.sent += 1,
            rtp::Observation::Heard => self.heard += 1,
            rtp::Observation::Silent => self.given_up += 1,
        }
    }
}

/// What hosts that are logged have observed since that was last told.
#[derive(Debug)]
pub struct Noted {
    logged: Logged,
    /// Who observed what, in truth's words.
    pub observations: Vec<(HostId, Observation)>,
}

impl Noted {
    /// Notes what those observe who are logged.
    #[must_use]
    pub fn of(logged: Logged) -> Self {
        Self { logged, observations: Vec::new() }
    }
}

/// The users of the overlay.
#[derive(Debug, Default)]
pub struct Callees {
    /// Their domain, if there are any.
    pub domain: Option<HostPart>,
    /// Their hosts, by user.
    pub hosts: BTreeMap<Arc<str>, HostId>,
    /// Requests of phones to them that are under way.
    pub asked: BTreeSet<RequestKey>,
    /// The conventional domains in which they ask for users, where that is watched.
    pub outward: BTreeSet<HostPart>,
    /// Their requests to these that are under way.
    pub asking: BTreeSet<RequestKey>,
}

/// The observer of a run.
#[derive(Debug)]
pub struct Stage {
    /// The reducer of all observations, with the eyes of the authority's side.
    pub truth: Truth,
    /// The truths of observers on other sides of partitions.
    pub others: Vec<Truth>,
    /// All contacts.
    pub directory: Directory,
    /// Application look-ups.
    pub lookups: LookupTotals,
    /// Whom callers address.
    pub callees: Callees,
    /// The digest of all observations.
    pub fingerprint: Fingerprint,
    /// The judges, if there are any.
    pub checkers: Option<Checkers>,
    /// What is observed by those who are logged, if anybody is.
    pub noted: Option<Noted>,
    /// Who writes the story, if one is told.
    pub story: Option<Box<Chronicle>>,
    /// Who judges look-ups, if anybody does.
    pub owners: Option<Box<Owners>>,
    /// What became of media, where any is sent.
    pub media: Option<MediaTotals>,
    /// The members of overlays beside the main one, of which truth hears nothing.
    pub beside: BTreeSet<HostId>,
    warmup: SimTime,
    /// How the overlay's binding is asked for: other questions are nobody's concern.
    binding: Option<Binding>,
}

impl Stage {
    /// A stage on which nothing has happened. Application look-ups count from `warmup` on;
    /// `binding` is the overlay's.
    #[must_use]
    pub fn new(
        truth: Truth,
        directory: Directory,
        fingerprint: Fingerprint,
        warmup: SimTime,
        binding: Option<Binding>,
    ) -> Self {
        Self {
            truth,
            others: Vec::new(),
            directory,
            lookups: LookupTotals::default(),
            callees: Callees::default(),
            fingerprint,
            checkers: None,
            noted: None,
            story: None,
            owners: None,
            media: None,
            beside: BTreeSet::new(),
            warmup,
            binding,
        }
    }

    /// Tells truth.
    pub fn tell(&mut self, now: SimTime, host: HostId, observation: &Observation) {
        self.fingerprint.add(now, host, stable_hash(observation));
        self.truth.observe(now, host, observation);
        for other in &mut self.others {
            other.observe(now, host, observation);
        }
        if let Some(noted) = self.noted.as_mut().filter(|noted| noted.logged.covers(host, now)) {
            noted.observations.push((host, observation.clone()));
        }
        if let Some(story) = &mut self.story {
            story.observed(now, host, observation);
        }
        if let Some(owners) = &mut self.owners {
            owners.observe(host, observation);
        }
    }

    fn judge_lookup(&mut self, now: SimTime, asker: HostId, key: RingId, found: NodeRef) {
        if let Some(owners) = self.owners.as_ref().filter(|_| now >= self.warmup) {
            let is_wrong = owners.is_wrong(asker, key, self.directory.contact(found).id);
            self.lookups.wrong = self.lookups.wrong.map(|wrong| wrong + u64::from(is_wrong));
        }
    }

    fn count_lookup(&mut self, now: SimTime, hops: u8, timeouts: u8, found: bool) {
        if now < self.warmup {
            return;
        }
        self.lookups.timeouts += u64::from(timeouts);
        if found {
            self.lookups.found += 1;
            self.lookups.hops += u64::from(hops);
        } else {
            self.lookups.failed += 1;
        }
    }

    /// A node's observation in truth's words; those that truth has no word for are counted.
    fn of_node(
        &mut self,
        now: SimTime,
        host: HostId,
        observation: overcord::Observation,
    ) -> Option<Observation> {
        use overcord::Observation as Seen;
        Some(match observation {
            Seen::Overlay(overlay::Observation::Member(identity)) => Observation::Member(identity),
            Seen::Overlay(overlay::Observation::NotMember) => Observation::NotMember,
            Seen::Overlay(overlay::Observation::LookupEnded {
                key,
                owner,
                hops,
                timeouts,
                maintenance,
            }) => {
                if !maintenance {
                    self.count_lookup(now, hops, timeouts, owner.is_some());
                    if let Some(owner) = owner {
                        self.judge_lookup(now, host, key, owner);
                    }
                }
                return None;
            }
            Seen::ProxyStarted => Observation::ProxyStarted,
            Seen::ProxyStopped => Observation::ProxyStopped,
            Seen::ProxyStandsBy => Observation::ProxyStandsBy,
            Seen::ProxyRetires => Observation::ProxyRetiring,
            Seen::VerdictFailed(address) => Observation::VerdictFailed(address),
            Seen::VerdictCleared => Observation::VerdictCleared,
            Seen::UpdateStarted { tested, own } => Observation::UpdateStarted { tested, own },
            Seen::UpdateEnded { accepted } => Observation::UpdateEnded { accepted },
            Seen::Served(request) => Observation::RequestServed { request },
            // What members do among themselves concerns no caller.
            Seen::User(upcall) => return self.outbound(&upcall),
            Seen::Server(observation) => return self.of_server(observation),
            Seen::Media(media) => return self.of_media(now, media),
        })
    }

    /// Media is counted here.
    fn of_media(&mut self, now: SimTime, observation: rtp::Observation) -> Option<Observation> {
        if let Some(media) = self.media.as_mut().filter(|_| now >= self.warmup) {
            media.note(observation);
        }
        None
    }

    /// A request of a member to a conventional user, in truth's words.
    fn outbound(&mut self, upcall: &Upcall) -> Option<Observation> {
        let Callees { outward, asking, .. } = &mut self.callees;
        match upcall {
            Upcall::Began { key, to, cause: Cause::Asked, .. } => {
                to.sip().filter(|uri| outward.contains(&uri.host))?;
                asking.insert(*key);
                Some(Observation::OutboundStarted { request: *key })
            }
            Upcall::Ended { key, outcome } if asking.remove(key) => {
                let answered =
                    matches!(outcome, Outcome::Status(status) if status.code() / 100 == 2);
                Some(Observation::OutboundEnded { request: *key, answered })
            }
            _ => None,
        }
    }

    /// A server's observation in truth's words.
    fn of_server(&self, observation: server::Observation) -> Option<Observation> {
        match observation {
            server::Observation::Names(names::Observation::Stored {
                question,
                answer,
                expires,
            }) => {
                let answer = self.in_short(&question, &answer)?;
                Some(Observation::CacheStored { answer, expires })
            }
            server::Observation::Names(names::Observation::Asked(_)) => None,
            server::Observation::Routed { request, to } => {
                Some(Observation::RequestRouted { request, to })
            }
            server::Observation::Served(request) => Some(Observation::RequestServed { request }),
        }
    }

    /// A phone's observation in truth's words: requests to users of the overlay.
    fn of_phone(&mut self, upcall: &Upcall) -> Option<Observation> {
        match upcall {
            // What an agent sends of its own accord (renewals, repetitions, the end of a call) would
            // make the number of requests hang on how many have failed.
            Upcall::Began { key, method, to, cause: Cause::Asked } => {
                let uri = to.sip().filter(|uri| Some(&uri.host) == self.callees.domain.as_ref())?;
                let callee = uri.user.as_ref().and_then(|user| self.callees.hosts.get(user));
                self.callees.asked.insert(*key);
                let (request, method) = (*key, method_of(method));
                Some(Observation::RequestStarted { request, method, callee: callee.copied() })
            }
            Upcall::Ended { key, outcome } if self.callees.asked.remove(key) => {
                let ending = match outcome {
                    Outcome::Status(status) => RequestEnding::Final(status.code()),
                    Outcome::Timeout => RequestEnding::Timeout,
                    Outcome::Transport => RequestEnding::Transport,
                    Outcome::Unlocated | Outcome::GivenUp => RequestEnding::Unlocated,
                };
                Some(Observation::RequestEnded { request: *key, ending })
            }
            _ => None,
        }
    }

    /// What user agents tell goes into the story.
    fn chronicle(&mut self, now: SimTime, host: HostId, observed: &Observed) {
        let Some(story) = &mut self.story else { return };
        match observed {
            Observed::Phone(phone::Observation::User(upcall)) => story.told(now, host, upcall),
            Observed::Node(overcord::Observation::User(upcall)) => story.told(now, host, upcall),
            _ => {}
        }
    }

    /// An answer as far as the overlay's binding is concerned; `None` for other questions.
    fn in_short(&self, question: &Question, answer: &dns::Answer) -> Option<Answer> {
        let binding = self.binding.as_ref().filter(|binding| binding.question() == question)?;
        Some(in_short(binding, answer))
    }

    /// Whether the question is that for the binding.
    fn concerns(&self, question: &Question) -> bool {
        self.binding.as_ref().is_some_and(|binding| binding.question() == question)
    }
}

impl Observer for Stage {
    type Observation = Observed;

    fn observe(&mut self, now: SimTime, host: HostId, observed: Observed) {
        self.chronicle(now, host, &observed);
        if !self.beside.is_empty() && self.beside.contains(&host) {
            return;
        }
        let observation = match observed {
            Observed::Node(observation) => self.of_node(now, host, observation),
            Observed::Resolver(resolver::Observation::Stored { question, answer, expires }) => self
                .in_short(&question, &answer)
                .map(|answer| Observation::CacheStored { answer, expires }),
            Observed::Resolver(resolver::Observation::Kept { question, until }) => {
                self.concerns(&question).then_some(Observation::CacheKept { until })
            }
            Observed::Resolver(resolver::Observation::Answered { question, answer }) => {
                self.in_short(&question, &answer).map(Observation::Answered)
            }
            Observed::Authority(authority::Observation::Served { question, answer }) => {
                self.in_short(&question, &answer).map(Observation::BindingServed)
            }
            Observed::Authority(authority::Observation::Accepted { from, question, answer }) => {
                // Who takes itself, or others, out of the binding has no address to name.
                match self.in_short(&question, &answer) {
                    Some(Answer::Addresses(to)) => {
                        Some(Observation::UpdateAccepted { from, to: to[0] })
                    }
                    _ => None,
                }
            }
            Observed::Service(Accepted { from, to, .. }) => {
                Some(Observation::UpdateAccepted { from, to })
            }
            Observed::Caller(caller::Observation::Started(request)) => {
                Some(Observation::LookupStarted(request))
            }
            Observed::Caller(caller::Observation::Ended(request, answer)) => {
                Some(Observation::LookupEnded { request, answer })
            }
            Observed::Server(observation) => self.of_server(observation),
            Observed::Phone(phone::Observation::User(upcall)) => self.of_phone(&upcall),
            Observed::Phone(phone::Observation::Media(media)) => self.of_media(now, media),
            Observed::World(observation) => Some(observation),
        };
        if let Some(observation) = observation {
            self.tell(now, host, &observation);
        }
    }
}

/// A method as truth tells methods apart.
const fn method_of(method: &Method) -> RequestMethod {
    match method {
        Method::Invite => RequestMethod::Invite,
        Method::Bye => RequestMethod::Bye,
        Method::Message => RequestMethod::Message,
        Method::Subscribe => RequestMethod::Subscribe,
        Method::Notify => RequestMethod::Notify,
        _ => RequestMethod::Other,
    }
}

/// An answer to the question for a binding, in truth's words.
#[must_use]
pub fn in_short(binding: &Binding, answer: &dns::Answer) -> Answer {
    match answer {
        dns::Answer::Records(_) => match binding.addresses(answer) {
            addresses if addresses.is_empty() => Answer::Negative,
            addresses => Answer::Addresses(addresses),
        },
        dns::Answer::Negative(_) => Answer::Negative,
        dns::Answer::Failure => Answer::Failure,
    }
}

impl Facts for Stage {
    #[inline]
    fn contact(&self, node: NodeRef) -> Contact {
        self.directory.contact(node)
    }
}

impl<P: Payload, T> Facts for Link<'_, P, T, Stage> {
    #[inline]
    fn contact(&self, node: NodeRef) -> Contact {
        self.observer().contact(node)
    }
}
