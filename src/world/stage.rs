//! Where observations arrive: the stage passes them to truth, in truth's words, and counts what
//! truth does not need to know. It also holds the directory of contacts, the one thing that
//! components look up in it ([`Facts`]): what the octets of a contact on the wire would say.

use crate::dns::{self, Question, authority, resolver};
use crate::dyndns::Accepted;
use crate::net::{Link, Observer, Payload};
use crate::overcord;
use crate::overlay::{self, Contact, Directory, Facts, NodeRef};
use crate::sim::fingerprint::stable_hash;
use crate::sim::{Fingerprint, HostId};
use crate::time::SimTime;
use crate::world::caller;
use crate::world::checkers::Checkers;
use crate::world::observation::{Answer, Observation};
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
    /// By a conventional domain.
    Caller(caller::Observation),
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

/// Look-ups of applications in the overlay, after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupTotals {
    /// Those that found an owner.
    pub found: u64,
    /// Those that did not.
    pub failed: u64,
    /// Hops of those that found an owner, summed.
    pub hops: u64,
    /// Nodes on the way that did not answer, summed over all.
    pub timeouts: u64,
}

/// What one host has observed since that was last told.
#[derive(Debug)]
pub struct Noted {
    /// The host.
    pub host: HostId,
    /// In truth's words.
    pub observations: Vec<Observation>,
}

/// The observer of a run.
#[derive(Debug)]
pub struct Stage {
    /// The reducer of all observations.
    pub truth: Truth,
    /// All contacts.
    pub directory: Directory,
    /// Application look-ups.
    pub lookups: LookupTotals,
    /// The digest of all observations.
    pub fingerprint: Fingerprint,
    /// The judges, if there are any.
    pub checkers: Option<Checkers>,
    /// What the logged host observes, if one is logged.
    pub noted: Option<Noted>,
    warmup: SimTime,
    /// The question for the overlay's A record: others are nobody's concern.
    question: Option<Question>,
}

impl Stage {
    /// A stage on which nothing has happened. Application look-ups count from `warmup` on;
    /// `question` asks for the overlay's addresses.
    #[must_use]
    pub fn new(
        truth: Truth,
        directory: Directory,
        fingerprint: Fingerprint,
        warmup: SimTime,
        question: Option<Question>,
    ) -> Self {
        let (lookups, checkers, noted) = (LookupTotals::default(), None, None);
        Self { truth, directory, lookups, fingerprint, checkers, noted, warmup, question }
    }

    /// Tells truth.
    pub fn tell(&mut self, now: SimTime, host: HostId, observation: &Observation) {
        self.fingerprint.add(now, host, stable_hash(observation));
        self.truth.observe(now, host, observation);
        if let Some(noted) = self.noted.as_mut().filter(|noted| noted.host == host) {
            noted.observations.push(observation.clone());
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
    fn of_node(&mut self, now: SimTime, observation: overcord::Observation) -> Option<Observation> {
        use overcord::Observation as Seen;
        Some(match observation {
            Seen::Overlay(overlay::Observation::Member(identity)) => Observation::Member(identity),
            Seen::Overlay(overlay::Observation::NotMember) => Observation::NotMember,
            Seen::Overlay(overlay::Observation::LookupEnded {
                hops,
                timeouts,
                found,
                maintenance,
            }) => {
                if !maintenance {
                    self.count_lookup(now, hops, timeouts, found);
                }
                return None;
            }
            Seen::ProxyStarted => Observation::ProxyStarted,
            Seen::ProxyStopped => Observation::ProxyStopped,
            Seen::VerdictFailed(address) => Observation::VerdictFailed(address),
            Seen::VerdictCleared => Observation::VerdictCleared,
            Seen::UpdateStarted { tested, own } => Observation::UpdateStarted { tested, own },
            Seen::UpdateEnded { accepted } => Observation::UpdateEnded { accepted },
        })
    }

    fn concerns(&self, question: &Question) -> bool {
        self.question.as_ref() == Some(question)
    }
}

impl Observer for Stage {
    type Observation = Observed;

    fn observe(&mut self, now: SimTime, host: HostId, observed: Observed) {
        let observation = match observed {
            Observed::Node(observation) => self.of_node(now, observation),
            Observed::Resolver(resolver::Observation::Stored { question, answer, expires }) => self
                .concerns(&question)
                .then(|| Observation::CacheStored { answer: in_short(&answer), expires }),
            Observed::Resolver(resolver::Observation::Answered { question, answer }) => {
                self.concerns(&question).then(|| Observation::Answered(in_short(&answer)))
            }
            Observed::Authority(authority::Observation::Served { question, answer }) => {
                self.concerns(&question).then(|| Observation::BindingServed(in_short(&answer)))
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
            Observed::World(observation) => Some(observation),
        };
        if let Some(observation) = observation {
            self.tell(now, host, &observation);
        }
    }
}

/// An answer as far as the overlay's domain is concerned.
#[must_use]
pub fn in_short(answer: &dns::Answer) -> Answer {
    match answer {
        dns::Answer::Records(_) => Answer::Addresses(answer.addresses().collect()),
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
