//! The lease: who finds nobody in the role makes sure, and then has to win it in the overlay.
//!
//! A failed test may only mean that a cache is old. So a member asks the overlay's record and the
//! authority, past all caches, whom they name, and tests those as well. If nobody plays, it puts
//! the record with the next epoch: a version is won by one writer, so that of all who found out at
//! the same time one claims, and the others go on as members. The winner listens, then updates the
//! binding. Whoever plays renews its record and asks the authority every half TTL; what they say
//! decides who stays, so that of two that a partition has let play one steps down within a TTL of
//! its healing.
//!
//! Rings of Chord that a partition has torn apart do not grow together by themselves. A member looks
//! now and then whether its own ring has a record of the proxy peer that DNS names, and one that is
//! being renewed. Where it has not, twice in a row, the proxy peer is of another part, and the
//! member joins through it.
//!
//! A node whose update is refused goes on to play, because the overlay has nobody better, and tries
//! again after pauses that double. An authority that does not answer confirms nothing: nobody
//! claims until it does.

use smallvec::smallvec;

use super::{Event, Move, Moves, ProxyRecord, Strategy, View};
use crate::address::Address;
use crate::overcord::discovery::Resolution;
use crate::overcord::handover::update::Wanted;
use crate::overcord::resource_database::{Epoch, LIFETIME};
use crate::overlay::PutOutcome;
use crate::time::SimDuration;

/// The pause after a winner on record that does not answer yet, and after a put that failed: some
/// round trips, so that who has just won can begin to listen.
const PAUSE: SimDuration = SimDuration::from_secs(2);
/// The longest pause between refused updates: what dynamic DNS services ask for after an error.
const LONGEST_PAUSE: SimDuration = SimDuration::from_secs(1_800);
/// Who plays looks after its binding this often at most.
const SHORTEST_LOOK: SimDuration = SimDuration::from_secs(5);

/// A member compares its ring's record with the proxy peer after so many procedures.
const PROCEDURES: u8 = 5;
/// After so many renewals that did not come a record is out of touch with who it names.
const RENEWALS_MISSED: u64 = 4;

/// The state of one node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lease {
    /// How often it renews and looks.
    look: SimDuration,
    /// Procedures that found somebody since the record was last compared.
    procedures: u8,
    /// Comparisons in a row that said that the proxy peer is of another part.
    estranged: u8,
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// It has no doubt.
    #[default]
    Member,
    /// It compares its ring's record with this proxy peer, which plays.
    Comparing(Address),
    /// It looks whether anybody plays.
    Doubting(Doubt, Stage),
    /// It plays under this epoch; so many updates in a row have been refused.
    Playing { epoch: Epoch, refused: u32, look: Look },
}

/// What a node has found out so far that doubts.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// The address whose failed test made it doubt; none when there is no name.
    first: Option<Address>,
    /// The record that it has seen.
    record: Option<ProxyRecord>,
    /// What the authority serves, where that is known.
    binding: Option<Address>,
    /// Whether the one on record got a second chance.
    waited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The record is being fetched.
    Fetching,
    /// The one on record is being tested.
    TestingRecorded,
    /// It is given time to begin.
    Waiting,
    /// The authority is being asked.
    Asking,
    /// The one in the binding is being tested.
    TestingBinding,
    /// The record is being put.
    Putting(Epoch),
}

/// What a node that plays is looking at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Nothing until its wait is over.
    Resting,
    /// Its record was outdated: who has a higher epoch?
    AtRecord,
    /// Does this one play, with that epoch?
    AtRival(ProxyRecord),
    /// What does the authority serve?
    AtBinding,
    /// Does the one play whom the authority serves?
    AtOther(Address),
}

impl Lease {
    /// A lease of bindings with this TTL.
    #[must_use]
    pub fn new(ttl: SimDuration) -> Self {
        Self { look: ttl.mul_f64(0.5).max(SHORTEST_LOOK), ..Self::default() }
    }

    /// Somebody plays: is it whom its own ring knows?
    fn found(&mut self, proxy: Address) -> Moves {
        self.procedures += 1;
        if self.procedures < PROCEDURES && self.estranged == 0 {
            return Moves::new();
        }
        self.procedures = 0;
        self.state = State::Comparing(proxy);
        smallvec![Move::Fetch]
    }

    fn compare(&mut self, proxy: Address, record: Option<ProxyRecord>) -> Moves {
        self.state = State::Member;
        let missed = self.look * RENEWALS_MISSED;
        let stranger = record.is_some_and(|record| {
            record.address != proxy || record.remaining.saturating_add(missed) < LIFETIME
        });
        self.estranged = if stranger { self.estranged + 1 } else { 0 };
        if self.estranged < 2 {
            return Moves::new();
        }
        self.estranged = 0;
        smallvec![Move::Rejoin(proxy)]
    }

    fn doubt(&mut self, first: Option<Address>) -> Moves {
        let doubt = Doubt { first, record: None, binding: None, waited: false };
        self.state = State::Doubting(doubt, Stage::Fetching);
        let mut moves: Moves = first.map(Move::Suspect).into_iter().collect();
        moves.push(Move::Fetch);
        moves
    }

    /// Nothing is wrong, or nothing can be done about it now.
    fn rest(&mut self) -> Moves {
        self.state = State::Member;
        smallvec![Move::Clear]
    }

    fn go_on(&mut self, doubt: Doubt, stage: Stage, step: Move) -> Moves {
        self.state = State::Doubting(doubt, stage);
        smallvec![step]
    }

    fn play(&mut self, epoch: Epoch, doubt: Doubt, own: Address) -> Moves {
        self.state = State::Playing { epoch, refused: 0, look: Look::Resting };
        if doubt.binding == Some(own) {
            return smallvec![Move::TakeRole(epoch), Move::Clear, Move::Wait(self.look)];
        }
        let tested = doubt.binding.or(doubt.first);
        smallvec![Move::TakeRole(epoch), Move::Update { tested }, Move::Wait(self.look)]
    }

    /// Nobody plays: the role has to be won, or an overlay to be founded.
    fn claim(&mut self, doubt: Doubt, view: &View<'_>) -> Moves {
        let epoch = Epoch(doubt.record.map_or(0, |record| record.epoch.0) + 1);
        if !view.is_member {
            return self.play(epoch, doubt, view.own);
        }
        self.go_on(doubt, Stage::Putting(epoch), Move::Put(epoch))
    }

    fn doubting(&mut self, doubt: Doubt, stage: Stage, event: Event, view: &View<'_>) -> Moves {
        match (stage, event) {
            (Stage::Fetching, Event::Fetched(record)) => {
                let doubt = Doubt { record, ..doubt };
                let named = record.map(|record| record.address);
                match named.filter(|&it| it != view.own && doubt.first != Some(it)) {
                    Some(other) => self.go_on(doubt, Stage::TestingRecorded, Move::Test(other)),
                    None => self.go_on(doubt, Stage::Asking, Move::AskAuthority),
                }
            }
            (Stage::TestingRecorded, Event::TestFailed(..)) if !doubt.waited => {
                let doubt = Doubt { waited: true, ..doubt };
                self.go_on(doubt, Stage::Waiting, Move::Wait(PAUSE))
            }
            (Stage::Waiting, Event::Waited) => self.go_on(doubt, Stage::Fetching, Move::Fetch),
            (Stage::TestingRecorded, Event::TestFailed(..)) => {
                self.go_on(doubt, Stage::Asking, Move::AskAuthority)
            }
            (Stage::Asking, Event::Authority(Resolution::Address(binding))) => {
                let doubt = Doubt { binding: Some(binding), ..doubt };
                let recorded = doubt.record.map(|record| record.address);
                let known = [Some(view.own), doubt.first, recorded].contains(&Some(binding));
                if known {
                    self.claim(doubt, view)
                } else {
                    self.go_on(doubt, Stage::TestingBinding, Move::Test(binding))
                }
            }
            (Stage::Asking, Event::Authority(Resolution::NoSuchName)) => self.claim(doubt, view),
            (Stage::TestingBinding, Event::TestFailed(..)) => self.claim(doubt, view),
            (Stage::Putting(epoch), Event::Put(PutOutcome::Stored)) => {
                self.play(epoch, doubt, view.own)
            }
            (Stage::Putting(_), Event::Put(PutOutcome::Failed)) if !doubt.waited => {
                let doubt = Doubt { waited: true, ..doubt };
                self.go_on(doubt, Stage::Waiting, Move::Wait(PAUSE))
            }
            // Somebody plays, somebody else has won, or nobody can say: the next procedure begins
            // anew.
            (_, Event::Playing(_) | Event::Put(_) | Event::Authority(_)) => self.rest(),
            _ => Moves::new(),
        }
    }

    /// It plays, and was at another address before: so its record needs another epoch.
    fn moved(&mut self, former: Address, view: &View<'_>) -> Moves {
        let State::Playing { epoch, look, .. } = &mut self.state else { return Moves::new() };
        *epoch = Epoch(epoch.0 + 1);
        *look = Look::Resting;
        let wanted = Wanted::moved(view.own, former, &view.settings.protocol);
        smallvec![Move::Renew(*epoch), Move::Publish(wanted), Move::Wait(self.look)]
    }

    fn playing(&mut self, event: Event, view: &View<'_>) -> Moves {
        let State::Playing { epoch, refused, look } = &mut self.state else {
            return Moves::new();
        };
        match (*look, event) {
            (_, Event::Updated { accepted }) => {
                *refused = if accepted { 0 } else { *refused + 1 };
                *look = Look::Resting;
                let pause = self.look * (1 << (*refused).min(10));
                smallvec![Move::Wait(pause.min(LONGEST_PAUSE.max(self.look)))]
            }
            // The binding is not what it was when it was asked for.
            (_, Event::Overtaken { .. }) => {
                *look = Look::AtBinding;
                smallvec![Move::AskAuthority, Move::Wait(self.look)]
            }
            (_, Event::Waited) if view.is_claiming => smallvec![Move::Wait(self.look)],
            (_, Event::Waited) => {
                *look = Look::AtBinding;
                smallvec![Move::AskAuthority, Move::Wait(self.look)]
            }
            (Look::Resting, Event::Put(PutOutcome::Outdated)) => {
                *look = Look::AtRecord;
                smallvec![Move::Fetch]
            }
            (Look::AtRecord, Event::Fetched(Some(rival))) if rival.address != view.own => {
                *look = Look::AtRival(rival);
                smallvec![Move::Test(rival.address)]
            }
            (Look::AtRecord, Event::Fetched(_)) => {
                *look = Look::Resting;
                Moves::new()
            }
            // DNS decides between two that play.
            (Look::AtRival(_), Event::Playing(_)) => {
                *look = Look::AtBinding;
                smallvec![Move::AskAuthority]
            }
            (Look::AtRival(rival), Event::TestFailed(..)) => {
                *epoch = Epoch(rival.epoch.0.max(epoch.0) + 1);
                *look = Look::Resting;
                smallvec![Move::Renew(*epoch)]
            }
            (Look::AtBinding, Event::Authority(Resolution::Address(binding)))
                if binding != view.own && !view.is_claiming =>
            {
                *look = Look::AtOther(binding);
                smallvec![Move::Test(binding)]
            }
            (Look::AtOther(_), Event::Playing(_)) => {
                self.state = State::Member;
                self.estranged = 1;
                smallvec![Move::GiveUp]
            }
            (Look::AtOther(binding), Event::TestFailed(..)) => {
                *look = Look::Resting;
                smallvec![Move::Suspect(binding), Move::Update { tested: Some(binding) }]
            }
            (Look::AtBinding, Event::Authority(Resolution::NoSuchName)) if !view.is_claiming => {
                *look = Look::Resting;
                smallvec![Move::Update { tested: None }]
            }
            (Look::AtBinding, Event::Authority(_)) => {
                *look = Look::Resting;
                Moves::new()
            }
            _ => Moves::new(),
        }
    }
}

impl Strategy for Lease {
    fn fresh(&self) -> Box<dyn Strategy> {
        Box::new(Self { look: self.look, ..Self::default() })
    }

    fn renewal(&self) -> SimDuration {
        self.look
    }

    fn checks_itself(&self) -> bool {
        false
    }

    fn on(&mut self, event: Event, view: &View<'_>) -> Moves {
        match (self.state, event) {
            (State::Playing { .. }, Event::Told | Event::Founded) => Moves::new(),
            (_, Event::Told) => {
                let epoch = Epoch::of(view.now);
                self.state = State::Playing { epoch, refused: 0, look: Look::Resting };
                smallvec![Move::Wait(self.look)]
            }
            (State::Playing { .. }, Event::Moved(former)) => self.moved(former, view),
            (State::Playing { .. }, _) => self.playing(event, view),
            (State::Doubting(doubt, stage), _) => self.doubting(doubt, stage, event, view),
            (State::Member | State::Comparing(_), Event::Founded) => {
                let doubt = Doubt { first: None, record: None, binding: None, waited: false };
                self.play(Epoch(1), doubt, view.own)
            }
            (State::Member, Event::Playing(proxy)) => self.found(proxy),
            (State::Comparing(proxy), Event::Fetched(record)) => self.compare(proxy, record),
            (State::Member | State::Comparing(_), Event::TestFailed(_, address)) => {
                self.doubt(Some(address))
            }
            (
                State::Member | State::Comparing(_),
                Event::OwnAddress | Event::OwnRecord | Event::NoSuchName,
            ) => self.doubt(None),
            (State::Member | State::Comparing(_), Event::Unresolved) => {
                smallvec![Move::ResolveAgain]
            }
            (State::Member | State::Comparing(_), _) => Moves::new(),
        }
    }
}
