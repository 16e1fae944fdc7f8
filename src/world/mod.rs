//! The simulated world: all hosts on one network, the loop that hands events to them, the observer
//! that knows everything, and the Director, who plays churn, script and bounds.
//!
//! * [`host`]: what a host can be. [`population`]: the members. [`caller`]: conventional domains.
//! * [`stage`]: where observations arrive. [`observation`], [`truth`]: what is made of them.
//! * [`director`]: what is going to happen. [`life`], [`servers`]: hosts that come and go. [`partition`]:
//!   hosts that cannot reach each other. [`moving`]: addresses that change. [`bounds`]: takeover by
//!   command.
//! * [`checkers`], [`ring`]: judges of the simulator itself. [`log`]: what hosts do, in words.
//!   [`story`]: what some hosts say to each other, and what has to happen between them.
//!
//! **Architecture Invariant:** truth never looks into components, and components never read truth.
//! The Director reads truth and issues commands.

pub mod beside;
pub mod bounds;
pub mod caller;
pub mod checkers;
pub mod director;
pub mod host;
pub mod life;
pub mod log;
pub mod moving;
pub mod observation;
pub mod owners;
pub mod partition;
pub mod population;
pub mod ring;
pub mod servers;
pub mod stage;
pub mod story;
pub mod truth;
pub mod users;

use crate::address::Address;
use crate::dns::Binding;
use crate::dyndns::Publish;
use crate::net::packet::{Carried, ColdId, Packet};
use crate::net::{Direction, Ledger};
use crate::rng::mix2;
use crate::sim::event::Words;
use crate::sim::{Event, HostId, Input};
use crate::time::{SimDuration, SimTime};
use crate::world::beside::BesideAll;
use crate::world::director::Director;
use crate::world::host::{Host, Timer, WorldNetwork};
use crate::world::log::{Logged, Told};
use crate::world::moving::AddressChanges;
use crate::world::observation::Observation;
use crate::world::population::{MemberId, Population};
use crate::world::ring::{RingSummary, Worst};
use crate::world::servers::Servers;
use crate::world::stage::{LookupTotals, MediaTotals, Noted, Stage};
use crate::world::story::Story;
use crate::world::truth::{Report, Violation};
use crate::world::users::Users;

pub use director::{Action, Line, Strategy, Target, When};

/// A world, ready to be run.
#[derive(Debug)]
pub struct World {
    /// The network between all hosts.
    pub network: WorldNetwork,
    /// All hosts, by [`HostId`].
    pub hosts: Vec<Host>,
    /// Their names, by [`HostId`].
    pub names: Vec<String>,
    /// The observer.
    pub stage: Stage,
    /// The members.
    pub population: Population,
    /// The users of SIP.
    pub users: Users,
    /// The overlays beside the main one.
    pub beside: BesideAll,
    /// Addresses that change.
    pub address_changes: AddressChanges,
    /// The Director.
    pub director: Director,
    /// What conventional SIP servers are made of that embed no peer.
    pub servers: Servers,
    /// Hosts that are up from the start.
    pub infrastructure: Infrastructure,
    /// When the run ends.
    pub end: SimTime,
    /// From when on things count.
    pub warmup: SimTime,
    /// The run ends after so many departures that count.
    pub stop_after_departures: u64,
    /// Whose events are told.
    pub logged: Logged,
}

/// The hosts that serve the others.
#[derive(Clone, Debug, Default)]
pub struct Infrastructure {
    /// All of them with their addresses.
    pub addresses: Vec<(HostId, Address)>,
    /// The authority and the overlay's binding.
    pub authority: Option<(HostId, Binding)>,
    /// The update service.
    pub service: Option<HostId>,
}

/// What a run leaves behind.
#[derive(Debug)]
pub struct Outcome {
    /// What truth has to say.
    pub report: Report,
    /// What the signalling cost after the warm-up.
    pub ledger: Ledger,
    /// Application look-ups after the warm-up.
    pub lookups: LookupTotals,
    /// Time that members were up, summed, after the warm-up, in nanoseconds.
    pub member_nanos: u128,
    /// Updates that changed nothing.
    pub unchanged_updates: u64,
    /// Events handled.
    pub events: u64,
    /// The digest of everything that happened.
    pub fingerprint: u64,
    /// The digests of the epochs, in their order.
    pub epochs: Vec<u64>,
    /// What the judges found.
    pub violations: Vec<Complaint>,
    /// What the rings were like, where the run was judged.
    pub ring: Option<RingSummary>,
    /// The story, where one was to be told.
    pub story: Option<Story>,
    /// What became of media after the warm-up, where any is sent.
    pub media: Option<MediaTotals>,
}

/// What a judge of the simulator found.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Complaint {
    /// Truth contradicts itself.
    #[error("{0}")]
    Truth(Violation),
    /// Datagrams have come from nowhere or gone there.
    #[error("packets are not conserved: {booked} are booked as in flight, {counted} are")]
    Packets {
        /// By the ledger.
        booked: u64,
        /// By the network.
        counted: u64,
    },
    /// A resolver did not obey a TTL.
    #[error("{resolver}: {violation}")]
    Ttl {
        /// Its name.
        resolver: String,
        /// What it did.
        violation: crate::dns::checker::Violation,
    },
    /// The ring is broken although nobody has left and nobody has come for long.
    #[error("the ring is broken without churn: {0}")]
    Ring(Worst),
}

/// Receives what is told, event by event.
pub type LogSink<'a> = &'a mut dyn FnMut(&Told<'_>);
/// Is told how far the run has come; stops it by answering false.
pub type Progress<'a> = &'a mut dyn FnMut(SimTime) -> bool;

/// How often [`Progress`] is asked, in events: a power of two.
const PROGRESS_EVERY: u64 = 1 << 16;

/// The run was stopped from outside before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run was stopped at {0} s of simulated time")]
pub struct Stopped(pub SimTime);

impl World {
    /// Runs to the end.
    ///
    /// # Errors
    /// When `progress` asked to stop.
    pub fn run(mut self, log: LogSink<'_>, progress: Progress<'_>) -> Result<Outcome, Stopped> {
        // The ledger at the start of the time that counts: without a warm-up, before all.
        let mut before = (self.warmup == SimTime::ZERO).then(Box::default);
        let mut events = 0u64;
        self.stage.noted = self.logged.is_anybody().then(|| Noted::of(self.logged.clone()));
        self.open();
        self.log_observations(log);
        self.chronicle_observations();
        while let Some(event) = self.pop() {
            events += 1;
            self.keep_time(&mut before);
            self.hand(event.host, self.network.input(event.input), log);
            self.direct();
            if self.logged.is_anybody() {
                self.log_observations(log);
            }
            if self.stage.story.is_some() {
                self.chronicle_observations();
            }
            if events.is_multiple_of(PROGRESS_EVERY) && !progress(self.network.now()) {
                return Err(Stopped(self.network.now()));
            }
            if self.stage.truth.departures() >= self.stop_after_departures {
                self.end = self.network.now();
            }
        }
        self.keep_time(&mut before);
        Ok(self.close(before, events))
    }

    /// What has to happen between two events because time has passed.
    #[inline]
    fn keep_time(&mut self, before: &mut Option<Box<Ledger>>) {
        let now = self.network.now();
        if before.is_none() && now >= self.warmup {
            *before = Some(Box::new(self.network.ledger().clone()));
        }
        if now >= self.stage.truth.next_bin() {
            self.close_bin(now);
        }
    }

    #[cold]
    fn close_bin(&mut self, now: SimTime) {
        let messages = self.network.ledger().total(Direction::Sent).messages;
        self.stage.truth.set_messages(messages);
        self.stage.truth.advance(now);
        for other in &mut self.stage.others {
            other.advance(now);
        }
        self.look_at_ring();
    }

    /// The next event. What the events to come will need is touched together: see
    /// [`Kernel::pop`](crate::sim::Kernel::pop).
    #[inline]
    fn pop(&mut self) -> Option<Event<Words>> {
        let hosts = &self.hosts;
        self.network.pop(self.end, |host, input| hosts[host.index()].touch(input))
    }

    #[inline(always)]
    fn hand(&mut self, host: HostId, input: Input<Packet, Timer>, log: LogSink<'_>) {
        match input {
            Input::Message(packet) => {
                if self.logged.is_anybody() {
                    self.log_packet(host, &packet, log);
                }
                if self.stage.story.is_some() {
                    self.chronicle_packet(host, &packet);
                }
                match packet.carried() {
                    Carried::Hot(words) => {
                        let Some(from) = self.network.deliver_hot(host, packet, words) else {
                            return;
                        };
                        let mut link = self.network.link(host, &mut self.stage);
                        self.hosts[host.index()].receive_hot(&mut link, from, words);
                    }
                    Carried::Cold(id) => self.hand_cold(host, packet, id),
                }
            }
            Input::Timer(timer) => {
                if self.logged.is_anybody() {
                    self.log_timer(host, timer, log);
                }
                let mut link = self.network.link(host, &mut self.stage);
                let published = self.hosts[host.index()].timer(&mut link, timer);
                if !published.is_empty() {
                    self.publish_all(&published);
                }
            }
            Input::Command(command) => {
                if self.logged.is_anybody() {
                    self.log_command(host, command, log);
                }
                self.command(host, command);
            }
        }
    }

    fn hand_cold(&mut self, host: HostId, packet: Packet, id: ColdId) {
        let now = self.network.now();
        let Some(delivery) = self.network.deliver_cold(host, packet, id) else { return };
        let (from, port, message) = (delivery.from, delivery.port, delivery.unpack());
        let mut link = self.network.link(host, &mut self.stage);
        // What the judges look at, DNS, is never small.
        if let Some(checkers) = &mut link.observer_mut().checkers {
            checkers.delivered(now, host, &message);
        }
        self.hosts[host.index()].receive(&mut link, from, port, message);
    }

    #[cold]
    fn publish_all(&mut self, published: &[Publish]) {
        for &Publish { address, .. } in published {
            self.publish(address);
        }
    }

    /// The authority serves this address from now on.
    pub(crate) fn publish(&mut self, address: Address) {
        let Some((host, binding)) = &self.infrastructure.authority else { return };
        let Host::Authority(authority) = &mut self.hosts[host.index()] else {
            unreachable!("the authority's host is an authority")
        };
        let link = &mut self.network.link(*host, &mut self.stage);
        let ctx = &mut crate::sim::Context::lift::<
            crate::dns::Message,
            crate::dns::authority::Timer,
            crate::dns::authority::Observation,
        >(link);
        authority
            .publish(ctx, binding, &[address])
            .expect("the authority was set up with the domain's zone");
    }

    /// Tells truth what only the world knows.
    pub(crate) fn tell(&mut self, host: HostId, observation: &Observation) {
        let now = self.network.now();
        self.stage.tell(now, host, observation);
    }

    /// The member that lives on a host.
    pub(crate) fn member_on(&self, host: HostId) -> Option<MemberId> {
        self.director.member_on(host)
    }

    /// Updates that changed nothing, at the update service and at the authority.
    fn unchanged_updates(&self) -> u64 {
        let Infrastructure { authority, service, .. } = &self.infrastructure;
        let hosts = authority.iter().map(|(host, _)| host).chain(service);
        let unchanged = hosts.map(|host| match &self.hosts[host.index()] {
            Host::Service(service) => service.unchanged(),
            Host::Authority(authority) => authority.unchanged(),
            _ => 0,
        });
        unchanged.sum()
    }

    fn close(mut self, before: Option<Box<Ledger>>, events: u64) -> Outcome {
        let now = self.network.now();
        let mut violations = Vec::new();
        if !self.network.conserved() {
            violations.push(Complaint::Packets {
                booked: self.network.ledger().in_flight(),
                counted: self.network.in_flight(),
            });
        }
        self.look_at_ring();
        let round = self.population.kit.plugin.round();
        let ring = self.stage.checkers.take().map(|checkers| {
            let (ring, found) = checkers.finish(now, round, &self.names);
            violations.extend(found);
            ring
        });
        let unchanged_updates = self.unchanged_updates();
        let observed = self.stage.fingerprint;
        let delivered = self.network.fingerprint();
        let (datagrams, observations) = (delivered.epochs(), observed.epochs());
        // The sum that is not there, because nothing of that kind happened any more, is 0.
        let sum = |sums: &[u64], epoch| sums.get(epoch).copied().unwrap_or(0);
        let epochs = (0..datagrams.len().max(observations.len()))
            .map(|epoch| mix2(sum(&datagrams, epoch), sum(&observations, epoch)))
            .collect();
        let fingerprint = mix2(delivered.digest(), observed.digest());
        let ledger = match &before {
            Some(before) => self.network.ledger().since(before),
            None => Ledger::default(),
        };
        let member_nanos = self.director.member_nanos(now);
        let report = self.stage.truth.finish(now);
        let others = std::mem::take(&mut self.stage.others).into_iter();
        let others: Vec<Report> = others.map(|other| other.finish(now)).collect();
        let reports = std::iter::once(&report).chain(&others);
        violations.extend(reports.flat_map(truth::checks).map(Complaint::Truth));
        let report = truth::views::merge(report, others);
        let handover = report.episodes.first().map(|episode| episode.opened);
        let handover = handover.or(report.departed.first().copied());
        let story = self.stage.story.map(|story| story.finish(handover));
        Outcome {
            report,
            ledger,
            lookups: self.stage.lookups,
            member_nanos,
            unchanged_updates,
            events,
            fingerprint,
            epochs,
            violations,
            ring,
            story,
            media: self.stage.media,
        }
    }
}

/// The width of an epoch of the fingerprint: a hundredth of the run, a second at least.
#[must_use]
pub fn epoch_of(run: SimDuration) -> SimDuration {
    run.mul_f64(0.01).max(SimDuration::from_secs(1))
}
