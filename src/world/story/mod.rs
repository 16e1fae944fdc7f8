//! The story of a run: who said what to whom, what had to happen and did, and what became of
//! presence subscriptions.
//!
//! A [`Chronicle`] stands on the [`Stage`](super::stage::Stage) where a scenario wants a story, and
//! hears of three things: each datagram that arrives at one of the story's hosts from another (or
//! would, were that still there), in the words of [`log`](super::log); what truth is told; and what
//! user agents tell their hosts. It looks into no component, and nothing in the world looks at it.
//!
//! * [`exchange`]: what has to happen, ticked off in its order.
//! * [`watch`]: who watches whose presence, and since when; [`trip`]: the ways of the requests on
//!   which that hangs; [`fate`]: what a handover did to it.

pub mod exchange;
pub mod fate;
pub mod trip;
pub mod watch;

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::net::packet::Packet;
use crate::net::tcp::Segment;
use crate::net::{Packed, Payload as _, Purpose};
use crate::overcord::Message;
use crate::sim::HostId;
use crate::sip::Uri;
use crate::sip::agent::Upcall;
use crate::time::SimTime;
use crate::world::World;
use crate::world::observation::Observation;

pub use exchange::{Addressee, Exchange, Exchanges, Matter, OverlayEvent, Ticked};
pub use fate::{Fate, Subscription};

use exchange::Happening;
use watch::Watches;

/// What is to be told of a run.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The hosts whose messages to each other are told, in their order.
    pub hosts: Vec<HostId>,
    /// Which of these messages.
    pub kinds: Vec<Kind>,
    /// What has to happen, one after the other.
    pub exchanges: Vec<Exchange>,
    /// The addresses of record of all users, by the hosts of their agents.
    pub users: Vec<(HostId, Uri)>,
}

/// A kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SIP.
    Sip,
    /// HTTP.
    Http,
    /// ICMP.
    Icmp,
    /// TCP without data.
    Tcp,
    /// DNS.
    Dns,
    /// Of the overlay.
    Overlay,
    /// TURN, but for what is relayed.
    Turn,
    /// Media, relayed or not.
    Media,
}

/// A line of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryLine {
    /// When.
    pub at: SimTime,
    /// Who sends, or to whom it happens.
    pub from: HostId,
    /// Who receives; `None` when it is no message.
    pub to: Option<HostId>,
    /// What, in words.
    pub what: String,
    /// Whether it is a SIP message that has been sent in the same words before: a retransmission.
    pub again: bool,
}

/// The story of a run that has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// What happened.
    pub lines: Vec<StoryLine>,
    /// What had to happen, in its order.
    pub exchanges: Vec<Ticked>,
    /// What became of subscriptions, by watcher, then by who is watched.
    pub subscriptions: Vec<Subscription>,
}

/// Writes the story while it happens.
#[derive(Debug)]
pub struct Chronicle {
    hosts: Vec<HostId>,
    kinds: Vec<Kind>,
    lines: Vec<StoryLine>,
    /// The SIP messages that have been seen on their way, by sender and receiver.
    seen: BTreeSet<(HostId, HostId, u64)>,
    exchanges: Exchanges,
    watches: Watches,
    /// What was observed since that was last written down.
    noted: Vec<(SimTime, HostId, Observation)>,
}

impl Chronicle {
    /// A chronicle in which nothing stands yet.
    #[must_use]
    pub fn new(setting: Setting) -> Self {
        let Setting { mut hosts, kinds, exchanges, users } = setting;
        hosts.sort_unstable();
        Self {
            watches: Watches::new(&hosts, &users),
            exchanges: Exchanges::new(exchanges),
            hosts,
            kinds,
            lines: Vec::new(),
            seen: BTreeSet::new(),
            noted: Vec::new(),
        }
    }

    fn is_about(&self, host: HostId) -> bool {
        self.hosts.binary_search(&host).is_ok()
    }

    /// Truth is told something.
    pub fn observed(&mut self, now: SimTime, host: HostId, observation: &Observation) {
        self.watches.observed(now, host, observation);
        if let Some(happening) = Happening::of_observation(host, observation) {
            self.exchanges.happened(now, &happening);
        }
        let everywhere = matches!(observation, Observation::BindingServed(_));
        if everywhere || (self.is_about(host) && is_told(observation)) {
            self.noted.push((now, host, observation.clone()));
        }
    }

    /// A user agent tells its host something.
    pub fn told(&mut self, now: SimTime, host: HostId, upcall: &Upcall) {
        self.watches.told(now, host, upcall);
        self.exchanges.told(now, host, upcall);
    }

    /// A datagram from one host reaches another, or would if it were still there.
    fn passed(&mut self, way: Way, message: &Message) {
        let message = match message {
            Message::Relayed(relayed) => &relayed.message,
            other => other,
        };
        if let Message::Sip(crate::sip::Message::Request(request)) = message {
            self.watches.passed(way, request);
            self.exchanges.passed(way, request);
        }
    }

    /// The story as far as it went. What happened to subscriptions is judged from the departure
    /// that is given.
    #[must_use]
    pub fn finish(self, departure: Option<SimTime>) -> Story {
        Story {
            lines: self.lines,
            exchanges: self.exchanges.finish(),
            subscriptions: self.watches.finish(departure),
        }
    }
}

/// From where to where a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Who sends.
    pub from: HostId,
    /// Who holds the address that it is sent to, or was the last to do so.
    pub to: HostId,
    /// That address.
    pub address: Address,
    /// Whether nobody is there.
    pub is_gone: bool,
}

/// A moment in words: seconds, to the millisecond.
fn clock(at: SimTime) -> String {
    let millis = (at.as_nanos() + 500_000) / 1_000_000;
    SimTime::from_nanos(millis * 1_000_000).to_string() + " s"
}

/// What is worth a line, though it is no message.
const fn is_told(observation: &Observation) -> bool {
    use Observation as O;
    matches!(
        observation,
        O::HostUp(_)
            | O::HostDown
            | O::Member(_)
            | O::NotMember
            | O::ProxyStarted
            | O::ProxyStopped
            | O::VerdictFailed(_)
            | O::UpdateStarted { .. }
            | O::UpdateEnded { .. }
            | O::Readdressed(_)
    )
}

fn kind_of(message: &Message) -> Kind {
    match message {
        Message::Overlay(_) => Kind::Overlay,
        Message::Dns(_) | Message::DnsTcp(Segment::Data(_)) => Kind::Dns,
        Message::Icmp(_) => Kind::Icmp,
        Message::Tcp(Segment::Control(_)) | Message::DnsTcp(Segment::Control(_)) => Kind::Tcp,
        Message::Tcp(Segment::Data(_)) => Kind::Http,
        Message::Sip(_) => Kind::Sip,
        Message::Relayed(relayed) => kind_of(&relayed.message),
        Message::Rtp(_) => Kind::Media,
        Message::Turn(message) => match message.class().purpose {
            Purpose::Media => Kind::Media,
            Purpose::Sip => Kind::Sip,
            _ => Kind::Turn,
        },
    }
}

impl World {
    /// Tells the story of a datagram that arrives at a host, or would if it were still there.
    #[cold]
    pub(super) fn chronicle_packet(&mut self, host: HostId, packet: &Packet) {
        let (from, to, carried) = self.network.look_into(packet);
        let Some(sender) = self.network.last_holder(from.address) else { return };
        let hot;
        let message = match carried {
            Packed::Hot(small) => {
                hot = Message::unpack(small);
                &hot
            }
            Packed::Cold(message) => message,
        };
        let now = self.network.now();
        let loss = self.loss(host, packet);
        let way = Way { from: sender, to: host, address: to.address, is_gone: loss.is_some() };
        let Some(story) = &mut self.stage.story else { return };
        story.passed(way, message);
        let wanted = story.kinds.contains(&kind_of(message));
        if !wanted || !story.is_about(sender) || !story.is_about(host) {
            return;
        }
        let sip = kind_of(message) == Kind::Sip;
        // The digest is that of the octets, the branch of the transaction among them.
        let again = sip && !story.seen.insert((sender, host, message.digest()));
        let mut what = self.in_words(|words| words.message(message));
        what.push_str(loss.unwrap_or_default());
        let line = StoryLine { at: now, from: sender, to: Some(host), what, again };
        if let Some(story) = &mut self.stage.story {
            story.lines.push(line);
        }
    }

    /// Writes down what has been observed since.
    #[cold]
    pub(super) fn chronicle_observations(&mut self) {
        let Some(story) = &mut self.stage.story else { return };
        for (at, from, observation) in std::mem::take(&mut story.noted) {
            let what = self.in_words(|words| words.observation(&observation));
            if let Some(story) = &mut self.stage.story {
                story.lines.push(StoryLine { at, from, to: None, what, again: false });
            }
        }
    }
}

/// The hosts of users by their addresses of record.
#[derive(Debug)]
struct Users(BTreeMap<String, HostId>);

impl Users {
    fn new(users: &[(HostId, Uri)]) -> Self {
        Self(users.iter().map(|(host, uri)| (uri.to_string(), *host)).collect())
    }

    fn host(&self, uri: &Uri) -> Option<HostId> {
        self.0.get(&uri.to_string()).copied()
    }
}
