//! What each strategy answers to what happens, as tables: an event, and the moves that it leads to.

mod lease;
mod paper;
mod standby;

use super::{Event, Move, Moves, PeerSet, ProxyRecord, Strategy, View};
use crate::address::Address;
use crate::overcord::discovery::{Resolution, Test};
use crate::overcord::handover::Settings;
use crate::overcord::handover::tests::settings;
use crate::overcord::policy::Policies;
use crate::overcord::resource_database::{Epoch, LIFETIME};
use crate::time::{SimDuration, SimTime};

const OWN: Address = Address::from_bits(1);
const A: Address = Address::from_bits(2);
const B: Address = Address::from_bits(3);
const C: Address = Address::from_bits(4);
const TTL: SimDuration = SimDuration::from_secs(60);

/// One node of this strategy, whose role and updates follow from its moves.
struct Node {
    strategy: Box<dyn Strategy>,
    settings: Settings,
    is_proxy: bool,
    is_claiming: bool,
    is_member: bool,
}

/// An event, and what it leads to.
type Line<'a> = (Event, &'a [Move]);

impl Node {
    fn new(strategy: &dyn Strategy) -> Self {
        Self {
            strategy: strategy.fresh(),
            settings: settings(Policies::INTENDED),
            is_proxy: false,
            is_claiming: false,
            is_member: true,
        }
    }

    fn on(&mut self, event: Event) -> Moves {
        if matches!(event, Event::Updated { .. } | Event::Overtaken { .. }) {
            self.is_claiming = false;
        }
        let view = View {
            now: SimTime::from_secs(1_000),
            own: OWN,
            is_proxy: self.is_proxy,
            is_claiming: self.is_claiming,
            is_member: self.is_member,
            settings: &self.settings,
        };
        let moves = self.strategy.on(event, &view);
        for step in &moves {
            match step {
                Move::TakeRole(_) | Move::Listen(_) => self.is_proxy = true,
                Move::GiveUp => (self.is_proxy, self.is_claiming) = (false, false),
                Move::Update { .. } | Move::Publish(_) => self.is_claiming = true,
                _ => {}
            }
        }
        moves
    }

    /// Tells it one line after the other.
    fn follows(&mut self, lines: &[Line<'_>]) {
        for (place, (event, moves)) in lines.iter().enumerate() {
            let found = self.on(*event);
            assert_eq!(found.as_slice(), *moves, "line {place}: {event:?}");
        }
    }
}

/// The epoch of what a node does now.
fn epoch() -> Epoch {
    Epoch::of(SimTime::from_secs(1_000))
}

/// A record with this epoch that was put just now.
fn record(address: Address, epoch: u64) -> Option<ProxyRecord> {
    Some(ProxyRecord { address, epoch: Epoch(epoch), remaining: LIFETIME })
}

const fn failed(address: Address) -> Event {
    Event::TestFailed(Test::Reachable, address)
}

const fn tested(address: Address, plays: bool) -> Event {
    Event::Tested { address, plays }
}

const fn served(address: Address) -> Event {
    Event::Authority(Resolution::Address(address))
}

const fn updated(accepted: bool) -> Event {
    Event::Updated { accepted }
}

const fn overtaken(certain: bool) -> Event {
    Event::Overtaken { certain }
}

const fn wait(seconds: u64) -> Move {
    Move::Wait(SimDuration::from_secs(seconds))
}

fn peers(set: &[Address]) -> PeerSet {
    PeerSet::of_all(set.iter().copied())
}
