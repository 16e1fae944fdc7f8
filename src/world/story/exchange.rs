//! What has to happen in a story, ticked off one after the other.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Way, clock};
use crate::sim::HostId;
use crate::sip::agent::{Outcome, Upcall};
use crate::sip::{HostPart, Method, Request, RequestKey, Uri};
use crate::time::SimTime;
use crate::world::observation::Observation;

/// What is said of an exchange behind one that was not met: the order is part of the story, so that
/// it was never waited for.
pub const NOT_LOOKED_FOR: &str = "not looked for: one before it was not met";

/// Something that has to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What it is called.
    pub title: String,
    /// What it is.
    pub matter: Matter,
}

/// What has to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// A user agent sends a request, and receives a final response.
    Request {
        /// The method.
        method: Method,
        /// The host of the user agent.
        from: HostId,
        /// To whom.
        to: Addressee,
        /// The status of the response; what a user agent takes for one counts (RFC 3261 §8.1.3.1).
        status: u16,
        /// Who passes it on, one after the other and nobody else, where that is asked for.
        via: Option<Vec<HostId>>,
    },
    /// Something happens to a member.
    Event {
        /// What.
        event: OverlayEvent,
        /// To whom.
        host: HostId,
    },
    /// A user agent is told of somebody's presence.
    Notified {
        /// Whose agent.
        host: HostId,
        /// Whose presence.
        of: Uri,
        /// What it is.
        open: bool,
    },
}

/// To whom a request is: what stands in `To`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// A user.
    User(Uri),
    /// Any user of a domain.
    Domain(HostPart),
}

/// What can happen to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlayEvent {
    /// Its update of the binding is accepted.
    Update,
    /// It is in the overlay.
    Joined,
    /// It plays the proxy peer.
    Proxy,
}

/// Something that has happened, or has failed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// A request has begun.
    Began { method: Method, from: HostId, to: Uri },
    /// A request has ended; `via` have passed it on.
    Ended { method: Method, from: HostId, to: Uri, outcome: Outcome, via: Vec<HostId> },
    /// Something of a member's; or the attempt at it.
    Event { event: OverlayEvent, host: HostId, succeeded: bool },
    /// A user agent was told of a presence.
    Notified { host: HostId, of: Uri, open: Option<bool> },
}

impl Happening {
    pub(super) const fn of_observation(host: HostId, observation: &Observation) -> Option<Self> {
        let (event, succeeded) = match observation {
            Observation::Member(_) => (OverlayEvent::Joined, true),
            Observation::ProxyStarted => (OverlayEvent::Proxy, true),
            Observation::UpdateEnded { accepted } => (OverlayEvent::Update, *accepted),
            _ => return None,
        };
        Some(Self::Event { event, host, succeeded })
    }
}

/// What a happening means to an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    Nothing,
    /// It is it.
    Met,
    /// It is nearly it.
    Instead(Instead),
}

/// What was seen in place of an exchange that was not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    /// Such a request was sent; no final response came.
    Unanswered,
    /// It ended so.
    Ended(Outcome),
    /// It ended as it had to, but others passed it on.
    OtherWay,
    /// The member tried, and failed.
    Failed,
    /// The presence was another.
    Presence(Option<bool>),
    /// It happened too early: before what stands before it.
    Early,
}

impl Matter {
    fn meaning(&self, happening: &Happening) -> Meaning {
        match (self, happening) {
            (
                Self::Request { method, from, to, status, via },
                Happening::Ended { method: other, from: sender, to: uri, outcome, via: passers },
            ) if method == other && from == sender && to.includes(uri) => {
                if code(*outcome) != Some(*status) {
                    Meaning::Instead(Instead::Ended(*outcome))
                } else if via.as_ref().is_some_and(|via| via != passers) {
                    Meaning::Instead(Instead::OtherWay)
                } else {
                    Meaning::Met
                }
            }
            (
                Self::Request { method, from, to, .. },
                Happening::Began { method: other, from: sender, to: uri },
            ) if method == other && from == sender && to.includes(uri) => {
                Meaning::Instead(Instead::Unanswered)
            }
            (
                Self::Event { event, host },
                Happening::Event { event: other, host: whose, succeeded },
            ) if event == other && host == whose => {
                if *succeeded {
                    Meaning::Met
                } else {
                    Meaning::Instead(Instead::Failed)
                }
            }
            (
                Self::Notified { host, of, open },
                Happening::Notified { host: told, of: peer, open: said },
            ) if host == told && same(of, peer) => {
                if *said == Some(*open) {
                    Meaning::Met
                } else {
                    Meaning::Instead(Instead::Presence(*said))
                }
            }
            _ => Meaning::Nothing,
        }
    }
}

impl Addressee {
    fn includes(&self, uri: &Uri) -> bool {
        match self {
            Self::User(user) => same(user, uri),
            Self::Domain(domain) => uri.sip().is_some_and(|uri| uri.host == *domain),
        }
    }
}

fn same(one: &Uri, other: &Uri) -> bool {
    one.sip().zip(other.sip()).is_some_and(|(one, other)| one.same_resource(other))
}

/// The status that an outcome is, or is treated as.
fn code(outcome: Outcome) -> Option<u16> {
    match outcome {
        Outcome::Status(status) => Some(status.code()),
        Outcome::Timeout => Some(408),
        Outcome::Transport => Some(503),
        Outcome::Unlocated | Outcome::GivenUp => None,
    }
}

/// An outcome in words.
pub(super) fn outcome_in_words(outcome: Outcome) -> String {
    match outcome {
        Outcome::Status(status) => format!("was answered {status}"),
        Outcome::Timeout => "timed out".to_owned(),
        Outcome::Transport => "could not be delivered".to_owned(),
        Outcome::Unlocated => "had nowhere to go".to_owned(),
        Outcome::GivenUp => "was given up".to_owned(),
    }
}

/// An exchange at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticked {
    /// What it is called.
    pub title: String,
    /// When it was met, if it was.
    pub met: Option<SimTime>,
    /// What was seen instead, in words; empty when it was met.
    pub instead: String,
}

/// All exchanges of a story.
///
/// The one that is waited for can only be met by what happens not before the one ahead of it was
/// met. At one instant the order in which things are told decides nothing: what has been told at
/// this instant is held against the next exchange too.
#[derive(Debug)]
pub struct Exchanges {
    all: Vec<Exchange>,
    met: Vec<SimTime>,
    seen: Vec<Option<(SimTime, Instead)>>,
    /// What has happened at the current instant and has met nothing.
    instant: (SimTime, Vec<Happening>),
    /// Requests that have begun.
    begun: BTreeMap<(RequestKey, HostId), Begun>,
    /// Whether it matters of any who passes it on.
    ways_matter: bool,
}

/// A request that has begun.
#[derive(Clone, Debug)]
struct Begun {
    method: Method,
    to: Uri,
    /// Who has passed it on, in this order, each once.
    via: Vec<HostId>,
}

impl Exchanges {
    /// Nothing has happened.
    #[must_use]
    pub fn new(all: Vec<Exchange>) -> Self {
        let seen = vec![None; all.len()];
        let instant = (SimTime::ZERO, Vec::new());
        let asks = |it: &Exchange| matches!(it.matter, Matter::Request { via: Some(_), .. });
        let ways_matter = all.iter().any(asks);
        Self { all, met: Vec::new(), seen, instant, begun: BTreeMap::new(), ways_matter }
    }

    /// A user agent tells something.
    pub(super) fn told(&mut self, now: SimTime, host: HostId, upcall: &Upcall) {
        match upcall {
            Upcall::Began { key, method, to, .. } => {
                let begun = Begun { method: method.clone(), to: to.clone(), via: Vec::new() };
                self.begun.insert((*key, host), begun);
                let (method, to) = (method.clone(), to.clone());
                self.happened(now, &Happening::Began { method, from: host, to });
            }
            Upcall::Ended { key, outcome } => {
                if let Some(Begun { method, to, via }) = self.begun.remove(&(*key, host)) {
                    let (from, outcome) = (host, *outcome);
                    self.happened(now, &Happening::Ended { method, from, to, outcome, via });
                }
            }
            Upcall::Notified { peer, open } => {
                self.happened(now, &Happening::Notified { host, of: peer.clone(), open: *open });
            }
            _ => {}
        }
    }

    /// A request has come one hop further.
    pub(super) fn passed(&mut self, way: Way, request: &Request) {
        if !self.ways_matter {
            return;
        }
        let key = request.key();
        let first = (key, HostId(0))..=(key, HostId(u32::MAX));
        for ((_, sender), begun) in self.begun.range_mut(first) {
            if way.from != *sender && !begun.via.contains(&way.from) {
                begun.via.push(way.from);
            }
        }
    }

    /// Something happens.
    pub(super) fn happened(&mut self, now: SimTime, happening: &Happening) {
        if self.instant.0 != now {
            self.instant = (now, Vec::new());
        }
        self.instant.1.push(happening.clone());
        self.note(now, happening);
        while self.tick(now) {}
    }

    /// Whether the exchange that is waited for is met by what happens at this instant, which it
    /// uses up.
    fn tick(&mut self, now: SimTime) -> bool {
        let Some(next) = self.all.get(self.met.len()) else { return false };
        let (_, happenings) = &mut self.instant;
        let place = happenings.iter().position(|it| next.matter.meaning(it) == Meaning::Met);
        let Some(place) = place else { return false };
        happenings.remove(place);
        self.met.push(now);
        true
    }

    /// Keeps what will be told of exchanges that are never met.
    fn note(&mut self, now: SimTime, happening: &Happening) {
        for index in self.met.len()..self.all.len() {
            let instead = match self.all[index].matter.meaning(happening) {
                Meaning::Nothing => continue,
                Meaning::Met => Instead::Early,
                Meaning::Instead(instead) => instead,
            };
            // That a request has begun says less than how one has ended.
            let known = matches!(self.seen[index], Some((_, seen)) if seen != Instead::Unanswered);
            if !(known && instead == Instead::Unanswered) {
                self.seen[index] = Some((now, instead));
            }
        }
    }

    /// All exchanges, and when they were met.
    #[must_use]
    pub fn finish(self) -> Vec<Ticked> {
        let Self { all, met, seen, .. } = self;
        let waited_for = met.len();
        let each = all.into_iter().zip(seen).enumerate();
        each.map(|(index, (exchange, seen))| Ticked {
            title: exchange.title,
            met: met.get(index).copied(),
            instead: match index.cmp(&waited_for) {
                Ordering::Less => String::new(),
                Ordering::Equal => seen
                    .map_or_else(|| "nothing of the kind".to_owned(), |(at, it)| it.in_words(at)),
                Ordering::Greater => NOT_LOOKED_FOR.to_owned(),
            },
        })
        .collect()
    }
}

impl Instead {
    fn in_words(self, at: SimTime) -> String {
        let at = clock(at);
        match self {
            Self::Unanswered => format!("sent at {at}, and not answered"),
            Self::Ended(outcome) => {
                format!("the last such request {} at {at}", outcome_in_words(outcome))
            }
            Self::OtherWay => format!("the last such request, at {at}, was passed on by others"),
            Self::Failed => format!("the last attempt failed at {at}"),
            Self::Presence(open) => {
                let said = match open {
                    Some(true) => "open",
                    Some(false) => "closed",
                    None => "nothing of the presence",
                };
                format!("the last NOTIFY, at {at}, said {said}")
            }
            Self::Early => format!("it happened at {at}, ahead of the one before it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Status;

    const ALICE: HostId = HostId(1);
    const BOB: HostId = HostId(2);

    fn uri(user: &str) -> Uri {
        Uri::of_user(user, HostPart::name("a.org"))
    }

    fn request(title: &str, method: Method, to: Addressee, status: u16) -> Exchange {
        let matter = Matter::Request { method, from: ALICE, to, status, via: None };
        Exchange { title: title.to_owned(), matter }
    }

    fn event(title: &str, event: OverlayEvent, host: HostId) -> Exchange {
        Exchange { title: title.to_owned(), matter: Matter::Event { event, host } }
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    /// Alice sends a request at this time, which ends a second later.
    fn sends(exchanges: &mut Exchanges, time: u64, method: &Method, to: &Uri, outcome: Outcome) {
        let (key, cause) = (RequestKey(time), crate::sip::agent::Cause::Asked);
        let (method, to) = (method.clone(), to.clone());
        exchanges.told(at(time), ALICE, &Upcall::Began { key, method, to, cause });
        exchanges.told(at(time + 1), ALICE, &Upcall::Ended { key, outcome });
    }

    fn met(exchanges: Exchanges) -> Vec<Option<u64>> {
        exchanges
            .finish()
            .iter()
            .map(|it| it.met.map(|at| at.since(SimTime::ZERO).as_secs()))
            .collect()
    }

    const OK: Outcome = Outcome::Status(Status::OK);

    #[test]
    fn exchanges_are_met_in_their_order_alone() {
        let to = Addressee::User(uri("bob"));
        let list = || {
            vec![
                event("joined", OverlayEvent::Joined, BOB),
                request("written", Method::Message, to.clone(), 200),
            ]
        };
        let member = Observation::Member(crate::overlay::OverlayId(7));
        let joined = Happening::of_observation(BOB, &member).unwrap();
        let mut exchanges = Exchanges::new(list());
        // Too early, then in order.
        sends(&mut exchanges, 1, &Method::Message, &uri("bob"), OK);
        exchanges.happened(at(5), &joined);
        sends(&mut exchanges, 8, &Method::Message, &uri("bob"), OK);
        assert_eq!(met(exchanges), [Some(5), Some(9)]);

        let mut exchanges = Exchanges::new(list());
        sends(&mut exchanges, 1, &Method::Message, &uri("bob"), OK);
        exchanges.happened(at(5), &joined);
        let told = exchanges.finish();
        assert_eq!(told[1].met, None);
        assert_eq!(told[1].instead, "it happened at 2 s, ahead of the one before it");

        // What stands behind an unmet exchange is not looked for, whatever happens.
        let mut exchanges = Exchanges::new(list());
        sends(&mut exchanges, 1, &Method::Message, &uri("bob"), OK);
        let told = exchanges.finish().into_iter().map(|it| it.instead).collect::<Vec<_>>();
        assert_eq!(told, ["nothing of the kind", NOT_LOOKED_FOR]);

        // At one instant the order of telling does not count.
        let mut exchanges = Exchanges::new(list());
        sends(&mut exchanges, 4, &Method::Message, &uri("bob"), OK);
        exchanges.happened(at(5), &joined);
        assert_eq!(met(exchanges), [Some(5), Some(5)]);
    }

    #[test]
    fn one_happening_meets_one_exchange() {
        let twice = ["first", "second"];
        let list = twice.map(|title| event(title, OverlayEvent::Update, BOB)).into();
        let mut exchanges = Exchanges::new(list);
        let accepted = Observation::UpdateEnded { accepted: true };
        exchanges.happened(at(3), &Happening::of_observation(BOB, &accepted).unwrap());
        assert_eq!(met(exchanges), [Some(3), None]);
    }

    #[test]
    fn what_was_seen_instead_is_told() {
        let domain = Addressee::Domain(HostPart::name("a.org"));
        let bob = || Addressee::User(uri("bob"));
        let cases = [
            (request("", Method::Register, domain, 200), "nothing of the kind"),
            (request("", Method::Message, bob(), 200), "the last such request timed out at 5 s"),
            (
                request("", Method::Invite, bob(), 200),
                "the last such request was answered 486 at 7 s",
            ),
            (request("", Method::Bye, bob(), 200), "sent at 9 s, and not answered"),
            (event("", OverlayEvent::Update, BOB), "the last attempt failed at 10 s"),
            (event("", OverlayEvent::Update, ALICE), "nothing of the kind"),
        ];
        for (exchange, instead) in cases {
            let mut exchanges = Exchanges::new(vec![exchange]);
            sends(&mut exchanges, 1, &Method::Message, &uri("carol"), OK);
            sends(&mut exchanges, 4, &Method::Message, &uri("bob"), Outcome::Timeout);
            let busy = Outcome::Status(Status::BUSY_HERE);
            sends(&mut exchanges, 6, &Method::Invite, &uri("bob"), busy);
            let (key, cause) = (RequestKey(9), crate::sip::agent::Cause::HangUp);
            let (method, to) = (Method::Bye, uri("bob"));
            exchanges.told(at(9), ALICE, &Upcall::Began { key, method, to, cause });
            let refused = Observation::UpdateEnded { accepted: false };
            exchanges.happened(at(10), &Happening::of_observation(BOB, &refused).unwrap());
            let told = exchanges.finish();
            assert_eq!((told[0].met, told[0].instead.as_str()), (None, instead));
        }
    }

    /// Alice's message, by way of hosts 5 and 6 (the first sends it twice, and in vain to a third).
    #[test]
    fn who_passes_it_on_matters_where_that_is_asked_for() {
        let uri = uri("bob");
        for (via, instead) in [
            (None, ""),
            (Some(vec![5, 6]), ""),
            (Some(vec![6]), "the last such request, at 2 s, was passed on by others"),
            (Some(vec![]), "the last such request, at 2 s, was passed on by others"),
        ] {
            let via = via.map(|via: Vec<u32>| via.into_iter().map(HostId).collect());
            let (to, status) = (Addressee::User(uri.clone()), 200);
            let matter = Matter::Request { method: Method::Message, from: ALICE, to, status, via };
            let mut exchanges = Exchanges::new(vec![Exchange { title: String::new(), matter }]);
            let end = crate::sip::NameAddress::of(uri.clone());
            let headers = crate::sip::Headers::new(end.clone(), end, "call".into(), 1);
            let (method, body) = (Method::Message, [].into());
            let request = Request { method: method.clone(), uri: uri.clone(), headers, body };
            let (key, cause) = (request.key(), crate::sip::agent::Cause::Asked);
            let to = uri.clone();
            exchanges.told(at(1), ALICE, &Upcall::Began { key, method, to, cause });
            for (from, to) in [(1, 5), (5, 7), (5, 6), (5, 6), (6, 2)] {
                let address = crate::address::Address::from_bits(to);
                let way = Way { from: HostId(from), to: HostId(to), address, is_gone: to == 7 };
                exchanges.passed(way, &request);
            }
            exchanges.told(at(2), ALICE, &Upcall::Ended { key, outcome: OK });
            assert_eq!(exchanges.finish()[0].instead, instead);
        }
    }

    #[test]
    fn a_time_out_is_a_408() {
        let mut exchanges =
            Exchanges::new(vec![request("", Method::Message, Addressee::User(uri("bob")), 408)]);
        sends(&mut exchanges, 1, &Method::Message, &uri("bob"), Outcome::Timeout);
        assert_eq!(met(exchanges), [Some(2)]);
    }

    #[test]
    fn presence_is_what_was_said() {
        let notified = |open| Matter::Notified { host: BOB, of: uri("alice"), open };
        let list =
            [true, false].map(|open| Exchange { title: String::new(), matter: notified(open) });
        let mut exchanges = Exchanges::new(list.into());
        for (time, open) in [(1, None), (2, Some(true)), (3, Some(true)), (4, Some(false))] {
            exchanges.told(at(time), BOB, &Upcall::Notified { peer: uri("alice"), open });
        }
        assert_eq!(met(exchanges), [Some(2), Some(4)]);
    }
}
