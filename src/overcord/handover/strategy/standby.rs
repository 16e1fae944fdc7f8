//! Standby: several members play the proxy peer at a time, the binding is their SRV set in the order
//! of preference, and whoever asks goes on to the next where one does not answer (RFC 3263 §4.3).
//!
//! The set is kept by nobody in particular. Every change of it is a dynamic update of DNS that holds
//! only if the set is still what the writer has seen, so that of several who want to change it one
//! does, and the others look again.
//!
//! * A member whose regular procedure hears nothing of the preferred peer for a second asks the
//!   authority for the set, and tests the silent one again by a [connection](Move::Test). If it does
//!   not play, the member tests the peers behind until one does, and writes the set without the dead
//!   and with itself at the end. It listens before it does; the overlay's record is put when the
//!   update was accepted.
//! * A member whose procedure finds it alive looks at the set through its resolver; where one is
//!   missing, it asks the authority, and joins the set at the end.
//! * A peer of the set asks the authority for it every half TTL, tests the one before it (the first
//!   one tests the last), and takes it out if that does not play. Who is not in the set any more
//!   serves on as a lame duck until no cache names it, and steps down.
//! * A peer that is going to leave takes itself out as soon as it knows, and serves on until it
//!   goes: caches that still name it find it there.
//! * A peer that gets another address writes that in the place of the former one.
//! * Who cannot reach the authority changes nothing, and takes no role because the overlay's record
//!   names it: the record is that of whoever began to play last, and may have stepped down since.

use smallvec::smallvec;

use super::lease::PATIENCE;
use super::{Event, Move, Moves, PeerSet, Strategy, View};
use crate::address::Address;
use crate::overcord::handover::update::Wanted;
use crate::overcord::resource_database::Epoch;
use crate::time::SimDuration;

/// A peer of the set looks at it this often at most.
const SHORTEST_LOOK: SimDuration = SimDuration::from_secs(5);
/// The pause before a peer that leaves looks again whether anybody is there to leave the set to.
const PAUSE: SimDuration = SimDuration::from_secs(2);

/// The state of one node.
#[derive(Clone, Copy, Debug)]
pub struct Standby {
    /// How many peers the set is to have.
    size: usize,
    /// How often a peer of the set looks at it.
    look: SimDuration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A member like others, that waits for its next procedure.
    Member,
    /// It counts the peers of the set: as its resolver tells it, then as the authority does.
    Counting { past_caches: bool },
    /// The preferred peer failed its test.
    Doubting(Doubt),
    /// It listens, and its update is under way that puts it into the set.
    Entering(PeerSet),
    /// It is in the set, as far as it knows.
    Serving(Duty),
    /// It is in the set no more, and serves on until no cache names it.
    Retiring,
    /// It will leave, and is not in the set, or nobody would be left in it.
    Leaving,
}

/// What a member has found out so far that doubts: it asks for the set, tests this peer again, and
/// then those behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doubt {
    suspect: Address,
    testing: Option<Address>,
    dead: PeerSet,
    set: Option<PeerSet>,
}

/// What a peer of the set is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Duty {
    /// It waits, or asks for the set.
    Resting,
    /// It tests the one before it in this set.
    Testing(PeerSet, Address),
    /// It asks for the set in order to leave it.
    Parting,
    /// It takes itself out of the set.
    Parted,
    /// It has another address than this, under which it is in the set, and takes its own place.
    Moving(Address),
}

impl Standby {
    /// Sets of so many peers, with this TTL.
    #[must_use]
    pub fn new(size: usize, ttl: SimDuration) -> Self {
        let look = ttl.mul_f64(0.5).max(SHORTEST_LOOK);
        Self { size, look, state: State::Member }
    }

    fn rest(&mut self) -> Moves {
        self.state = State::Member;
        smallvec![Move::Clear]
    }

    /// Listens, and asks for this set, which it is in, in place of that one.
    fn enter(
        &mut self,
        tested: Option<Address>,
        set: PeerSet,
        expected: PeerSet,
        view: &View<'_>,
    ) -> Moves {
        self.state = State::Entering(set);
        let place = if set.first() == Some(view.own) { Move::Lead } else { Move::StandBy };
        smallvec![Move::Listen(Epoch::of(view.now)), place, publish(tested, set, expected)]
    }

    /// A peer of this set takes the place that it has in it.
    fn take_place(&mut self, set: PeerSet, own: Address) -> Moves {
        self.state = State::Serving(Duty::Resting);
        let place = if set.first() == Some(own) { Move::Lead } else { Move::StandBy };
        smallvec![place, Move::Wait(self.look)]
    }

    fn member(&mut self, event: Event, view: &View<'_>) -> Moves {
        match event {
            Event::Told => {
                self.state = State::Serving(Duty::Resting);
                smallvec![Move::Wait(self.look)]
            }
            Event::Founded | Event::NoSuchName => {
                self.enter(None, PeerSet::of(view.own), PeerSet::default(), view)
            }
            Event::Playing(_) => {
                self.state = State::Counting { past_caches: false };
                smallvec![Move::AskSet { past_caches: false }]
            }
            Event::TestFailed(_, address) => {
                let (testing, dead) = (Some(address), PeerSet::default());
                self.state = State::Doubting(Doubt { suspect: address, testing, dead, set: None });
                smallvec![Move::AskSet { past_caches: true }, Move::Test(address)]
            }
            Event::OwnAddress => {
                self.state = State::Counting { past_caches: true };
                smallvec![Move::AskSet { past_caches: true }]
            }
            Event::Unresolved => smallvec![Move::ResolveAgain],
            Event::Leaving(_) => {
                self.state = State::Leaving;
                Moves::new()
            }
            _ => Moves::new(),
        }
    }

    fn counting(&mut self, past_caches: bool, event: Event, view: &View<'_>) -> Moves {
        let is_in = |set: PeerSet| set.contains(view.own);
        match event {
            Event::Set(Some(set)) if !past_caches && (set.len() < self.size || is_in(set)) => {
                self.state = State::Counting { past_caches: true };
                smallvec![Move::AskSet { past_caches: true }]
            }
            // It has been away, and nobody has noticed.
            Event::Set(Some(set)) if past_caches && is_in(set) => {
                let mut moves: Moves = smallvec![Move::TakeRole(Epoch::of(view.now))];
                moves.extend(self.take_place(set, view.own));
                moves
            }
            Event::Set(Some(set)) if past_caches && set.len() < self.size && view.is_member => {
                self.enter(None, set.with(view.own), set, view)
            }
            Event::Set(_) => {
                self.state = State::Member;
                Moves::new()
            }
            other => self.member(other, view),
        }
    }

    fn doubting(&mut self, doubt: Doubt, event: Event, view: &View<'_>) -> Moves {
        let Doubt { suspect, testing, dead, set } = doubt;
        match event {
            // A cache was old, or the set is in good hands already.
            Event::Set(Some(set)) if doubt.set.is_none() && set.contains(suspect) => {
                self.go_on(Doubt { set: Some(set), ..doubt }, view)
            }
            Event::Tested { address, plays: false } if testing == Some(address) => {
                let verdict = (address == suspect).then_some(Move::Suspect(suspect));
                let mut moves: Moves = verdict.into_iter().collect();
                let doubt = Doubt { testing: None, dead: dead.with(address), ..doubt };
                moves.extend(self.go_on(doubt, view));
                moves
            }
            Event::Tested { address, plays: true } if address != suspect => match set {
                Some(set) => self.repair(dead, set, view),
                None => self.rest(),
            },
            Event::Leaving(_) => {
                self.state = State::Leaving;
                smallvec![Move::Clear]
            }
            Event::Set(_) | Event::Tested { plays: true, .. } | Event::Playing(_) => self.rest(),
            _ => Moves::new(),
        }
    }

    /// Tests the next of the set, when it is known and nobody is being tested.
    fn go_on(&mut self, mut doubt: Doubt, view: &View<'_>) -> Moves {
        let known = doubt.set.filter(|_| doubt.testing.is_none());
        let Some(set) = known else {
            self.state = State::Doubting(doubt);
            return Moves::new();
        };
        doubt.testing = set.iter().find(|&it| !doubt.dead.contains(it) && it != view.own);
        match doubt.testing {
            Some(next) => {
                self.state = State::Doubting(doubt);
                smallvec![Move::Test(next)]
            }
            None => self.repair(doubt.dead, set, view),
        }
    }

    /// The set without the dead, and with this node at its end.
    fn repair(&mut self, dead: PeerSet, set: PeerSet, view: &View<'_>) -> Moves {
        let mut repaired = set.without(view.own);
        for address in dead.iter() {
            repaired = repaired.without(address);
        }
        self.enter(dead.first(), repaired.with(view.own), set, view)
    }

    fn entering(&mut self, set: PeerSet, event: Event, view: &View<'_>) -> Moves {
        match event {
            Event::Updated { accepted: true } => self.entered(set, view),
            Event::Updated { accepted: false } | Event::Overtaken { certain: true } => {
                self.state = State::Member;
                smallvec![Move::GiveUp]
            }
            Event::Moved(former) => {
                self.state = State::Entering(set.replaced(former, view.own));
                Moves::new()
            }
            // It may have been carried out: the set tells.
            Event::Overtaken { certain: false } => self.ask_now(),
            Event::Waited if !view.is_claiming => self.ask_now(),
            Event::Set(Some(found)) if found.contains(view.own) => self.entered(found, view),
            Event::Set(Some(_)) => {
                self.state = State::Member;
                smallvec![Move::GiveUp]
            }
            Event::Leaving(_) => {
                self.state = State::Serving(Duty::Parting);
                smallvec![Move::Wait(PAUSE)]
            }
            _ => Moves::new(),
        }
    }

    /// It has come into this set.
    fn entered(&mut self, set: PeerSet, view: &View<'_>) -> Moves {
        let mut moves: Moves = smallvec![Move::Renew(Epoch::of(view.now))];
        moves.extend(self.take_place(set, view.own));
        moves
    }

    fn ask_now(&self) -> Moves {
        smallvec![Move::AskSet { past_caches: true }, Move::Wait(self.look)]
    }

    fn serving(&mut self, duty: Duty, event: Event, view: &View<'_>) -> Moves {
        match (duty, event) {
            (Duty::Parted, Event::Updated { accepted: true }) => smallvec![Move::Retire],
            (Duty::Parted | Duty::Parting, Event::Updated { .. } | Event::Overtaken { .. }) => {
                self.state = State::Serving(Duty::Parting);
                smallvec![Move::Wait(PAUSE)]
            }
            (Duty::Parting, Event::Waited) if view.is_claiming => smallvec![Move::Wait(PAUSE)],
            (Duty::Parting, Event::Waited) => {
                smallvec![Move::AskSet { past_caches: true }, Move::Wait(PAUSE * 5)]
            }
            (Duty::Parting, Event::Set(Some(set))) => self.part(set, view.own),
            (Duty::Parting | Duty::Parted, _) => Moves::new(),
            (_, Event::Moved(former)) => {
                self.state = State::Serving(Duty::Moving(former));
                smallvec![Move::AskSet { past_caches: true }, Move::Wait(self.look)]
            }
            (_, Event::Leaving(_)) if view.is_claiming => {
                self.state = State::Serving(Duty::Parting);
                smallvec![Move::Wait(PAUSE)]
            }
            (_, Event::Leaving(_)) => {
                self.state = State::Serving(Duty::Parting);
                smallvec![Move::AskSet { past_caches: true }, Move::Wait(PAUSE * 5)]
            }
            (Duty::Moving(former), _) => self.moving(former, event, view),
            // A test may outlive the half of a short TTL.
            (Duty::Testing(..), Event::Waited) => smallvec![Move::Wait(self.look)],
            (_, Event::Waited | Event::Overtaken { .. }) if !view.is_claiming => {
                self.state = State::Serving(Duty::Resting);
                self.ask_now()
            }
            (_, Event::Waited) => smallvec![Move::Wait(self.look)],
            (_, Event::Set(Some(set))) if !view.is_claiming => self.look_at(set, view),
            (Duty::Testing(set, tested), Event::Tested { address, plays }) if tested == address => {
                self.state = State::Serving(Duty::Resting);
                if plays {
                    return Moves::new();
                }
                smallvec![Move::Suspect(address), publish(Some(address), set.without(address), set)]
            }
            _ => Moves::new(),
        }
    }

    /// What a peer does that sees this set.
    fn look_at(&mut self, set: PeerSet, view: &View<'_>) -> Moves {
        let Some(before) = set.before(view.own) else {
            self.state = State::Retiring;
            return smallvec![Move::Retire, Move::Wait(view.settings.retirement)];
        };
        let mut moves = self.take_place(set, view.own);
        if before != view.own {
            self.state = State::Serving(Duty::Testing(set, before));
            moves.push(Move::Test(before));
        }
        moves
    }

    fn retiring(&mut self, event: Event) -> Moves {
        match event {
            Event::Waited => {
                self.state = State::Member;
                smallvec![Move::GiveUp]
            }
            Event::Leaving(_) => {
                self.state = State::Leaving;
                Moves::new()
            }
            _ => Moves::new(),
        }
    }

    /// What a peer does that is in the set under its former address.
    fn moving(&mut self, former: Address, event: Event, view: &View<'_>) -> Moves {
        match event {
            Event::Updated { accepted: true } => {
                self.state = State::Serving(Duty::Resting);
                self.ask_now()
            }
            Event::Updated { .. } | Event::Overtaken { .. } => smallvec![Move::Wait(PAUSE)],
            Event::Waited if view.is_claiming => smallvec![Move::Wait(self.look)],
            Event::Waited => {
                smallvec![Move::AskSet { past_caches: true }, Move::Wait(self.look)]
            }
            Event::Set(Some(set)) if !view.is_claiming => {
                if set.contains(former) && !set.contains(view.own) {
                    return smallvec![publish(None, set.replaced(former, view.own), set)];
                }
                self.look_at(set, view)
            }
            _ => Moves::new(),
        }
    }

    /// What a peer does that leaves this set.
    fn part(&mut self, set: PeerSet, own: Address) -> Moves {
        if !set.contains(own) {
            self.state = State::Leaving;
            return smallvec![Move::Retire];
        }
        if set.len() == 1 {
            // Nobody else is there; somebody may join yet.
            return smallvec![Move::Wait(PAUSE)];
        }
        self.state = State::Serving(Duty::Parted);
        smallvec![publish(None, set.without(own), set)]
    }
}

fn publish(tested: Option<Address>, set: PeerSet, expected: PeerSet) -> Move {
    let peers = |set: PeerSet| set.iter().collect();
    Move::Publish(Wanted { tested, peers: peers(set), expected: Some(peers(expected)) })
}

impl Strategy for Standby {
    fn fresh(&self) -> Box<dyn Strategy> {
        Box::new(Self { state: State::Member, ..*self })
    }

    fn patience(&self) -> SimDuration {
        PATIENCE
    }

    fn checks_itself(&self) -> bool {
        false
    }

    fn on(&mut self, event: Event, view: &View<'_>) -> Moves {
        match self.state {
            State::Member => self.member(event, view),
            State::Counting { past_caches } => self.counting(past_caches, event, view),
            State::Doubting(doubt) => self.doubting(doubt, event, view),
            State::Entering(set) => self.entering(set, event, view),
            State::Serving(duty) => self.serving(duty, event, view),
            State::Retiring => self.retiring(event),
            State::Leaving => Moves::new(),
        }
    }
}
