//! The lease: who finds nobody in the role makes sure, and then has to win it in the overlay.
//!
//! A failed test may only mean that a cache is old, or that a packet was lost. So a member that
//! hears nothing for a second asks the overlay's record and the authority, past all caches, whom
//! they name, and meanwhile tests the silent one again by a [connection](Move::Test), then those
//! whom they name as well. If nobody plays, it puts the record with the next epoch: a version is
//! won by one writer, so that of all who found out at the same time one claims, and the others go
//! on as members. The winner listens, then updates the binding. Whoever plays renews its record and
//! asks the authority every half TTL; what they say decides who stays, so that of two that a
//! partition has let play one steps down within a TTL of its healing. It serves on as a lame duck
//! until no cache names it any more.
//!
//! Rings of Chord that a partition has torn apart do not grow together by themselves. A member looks
//! now and then whether its own ring has a record of the proxy peer that DNS names, and one that is
//! being renewed. Where it has not, twice in a row, either its caches have named a lame duck, or the
//! proxy peer is of another part. The authority decides, past all caches: whom it names, the member
//! joins through, if that one plays and is not whom its ring knows.
//!
//! A node whose update is refused goes on to play, because the overlay has nobody better, and tries
//! again after pauses that double. An authority that does not answer confirms nothing: nobody
//! claims until it does.

use smallvec::smallvec;

use super::{Event, Move, Moves, PeerSet, ProxyRecord, Strategy, View};
use crate::address::Address;
use crate::overcord::discovery::Resolution;
use crate::overcord::handover::update::Wanted;
use crate::overcord::resource_database::{Epoch, LIFETIME};
use crate::overlay::PutOutcome;
use crate::time::SimDuration;

/// How long test 1 of a procedure is waited for: as TCP waits before it sends again (RFC 6298 §2.1).
/// It only decides whether the connection is tried that decides.
pub(super) const PATIENCE: SimDuration = SimDuration::from_secs(1);
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
    Comparing(Address, Against),
    /// It looks whether anybody plays.
    Doubting(Doubt, Stage),
    /// It plays under this epoch; so many updates in a row have been refused.
    Playing { epoch: Epoch, refused: u32, look: Look },
    /// Another plays instead. It serves on until no cache names it any more.
    Retiring,
}

/// What a proxy peer that plays is being compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Against {
    /// Whom the record names, and whether that is renewed.
    Record,
    /// Whom the authority names; the ring's own record names this one, if it is renewed.
    Binding(Option<Address>),
    /// Whether this one plays, whom the authority names in its place.
    Bound {
        binding: Address,
        /// Whether its own ring knows it.
        is_known: bool,
    },
}

/// What a node has found out so far that doubts.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// The address whose failed test made it doubt; none when there is no name.
    first: Option<Address>,
    /// The record, once it is known whether there is one.
    record: Option<Option<ProxyRecord>>,
    /// What the authority serves, once that is known: an address, or that there is no name.
    binding: Option<Option<Address>>,
    /// Whom it tests.
    testing: Option<Address>,
    /// Who was tested and does not play.
    silent: PeerSet,
    /// Whether the one on record got a second chance.
    waited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It collects what the overlay, the authority and tests say.
    Asking,
    /// The one on record is given time to begin.
    Waiting,
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
        self.state = State::Comparing(proxy, Against::Record);
        smallvec![Move::Fetch]
    }

    fn comparing(&mut self, proxy: Address, against: Against, event: Event, own: Address) -> Moves {
        match (against, event) {
            (Against::Record, Event::Fetched(record)) => self.compare(proxy, record),
            (Against::Binding(known), Event::Authority(found)) => match found {
                Resolution::Address(binding) if binding == own => self.doubt(None),
                Resolution::Address(binding) if binding == proxy => self.rejoin(proxy),
                Resolution::Address(binding) => {
                    let is_known = known == Some(binding);
                    self.state = State::Comparing(proxy, Against::Bound { binding, is_known });
                    smallvec![Move::Test(binding)]
                }
                Resolution::NoSuchName | Resolution::Unresolved => {
                    self.state = State::Member;
                    Moves::new()
                }
            },
            (Against::Bound { binding, is_known }, Event::Tested { address, plays })
                if address == binding =>
            {
                match (plays, is_known) {
                    (true, true) => self.kin(),
                    (true, false) => self.rejoin(binding),
                    (false, _) => self.doubt(Some(binding)),
                }
            }
            _ => Moves::new(),
        }
    }

    fn compare(&mut self, proxy: Address, record: Option<ProxyRecord>) -> Moves {
        let Some(record) = record else { return self.kin() };
        let missed = self.look * RENEWALS_MISSED;
        let is_renewed = record.remaining.saturating_add(missed) >= LIFETIME;
        if is_renewed && record.address == proxy {
            return self.kin();
        }
        // Once may be by chance.
        if self.estranged == 0 {
            self.estranged = 1;
            self.state = State::Member;
            return Moves::new();
        }
        let known = is_renewed.then_some(record.address);
        self.state = State::Comparing(proxy, Against::Binding(known));
        smallvec![Move::AskAuthority]
    }

    /// As far as it can see there is one ring.
    fn kin(&mut self) -> Moves {
        self.estranged = 0;
        self.state = State::Member;
        Moves::new()
    }

    fn rejoin(&mut self, proxy: Address) -> Moves {
        self.kin();
        smallvec![Move::Rejoin(proxy)]
    }

    fn doubt(&mut self, first: Option<Address>) -> Moves {
        self.state = State::Doubting(Doubt::new(first), Stage::Asking);
        let mut moves: Moves = smallvec![Move::Fetch, Move::AskAuthority];
        moves.extend(first.map(Move::Test));
        moves
    }

    /// Nothing is wrong, or nothing can be done about it now.
    fn rest(&mut self) -> Moves {
        self.state = State::Member;
        smallvec![Move::Clear]
    }

    fn play(&mut self, epoch: Epoch, doubt: Doubt, own: Address) -> Moves {
        self.state = State::Playing { epoch, refused: 0, look: Look::Resting };
        let tested = match doubt.binding {
            Some(Some(binding)) if binding == own => {
                return smallvec![Move::TakeRole(epoch), Move::Clear, Move::Wait(self.look)];
            }
            Some(binding) => binding,
            None => doubt.first,
        };
        smallvec![Move::TakeRole(epoch), Move::Update { tested }, Move::Wait(self.look)]
    }

    /// What is to be done with what is known.
    fn weigh(&mut self, mut doubt: Doubt, view: &View<'_>) -> Moves {
        let known = doubt.record.zip(doubt.binding).filter(|_| doubt.testing.is_none());
        let Some((record, binding)) = known else {
            self.state = State::Doubting(doubt, Stage::Asking);
            return Moves::new();
        };
        let recorded = record.map(|record| record.address);
        let mut named = [recorded, binding].into_iter().flatten();
        let next = named.find(|&it| it != view.own && !doubt.silent.contains(it));
        if next.is_some() {
            doubt.testing = next;
            self.state = State::Doubting(doubt, Stage::Asking);
            return next.map(Move::Test).into_iter().collect();
        }
        let begins = recorded.is_some_and(|it| it != view.own && Some(it) != doubt.first);
        if begins && !doubt.waited {
            return self.wait(doubt);
        }
        // Nobody plays: the role has to be won, or an overlay to be founded.
        let epoch = Epoch(record.map_or(0, |record| record.epoch.0) + 1);
        if !view.is_member {
            return self.play(epoch, doubt, view.own);
        }
        self.state = State::Doubting(doubt, Stage::Putting(epoch));
        smallvec![Move::Put(epoch)]
    }

    /// Who has just won begins to listen yet: it asks once more in a while.
    fn wait(&mut self, doubt: Doubt) -> Moves {
        let mut again = Doubt { waited: true, ..Doubt::new(doubt.first) };
        again.silent = doubt.first.map(PeerSet::of).unwrap_or_default();
        again.testing = None;
        self.state = State::Doubting(again, Stage::Waiting);
        smallvec![Move::Wait(PAUSE)]
    }

    fn doubting(&mut self, doubt: Doubt, stage: Stage, event: Event, view: &View<'_>) -> Moves {
        match (stage, event) {
            (Stage::Asking, Event::Fetched(record)) => {
                self.weigh(Doubt { record: Some(record), ..doubt }, view)
            }
            (Stage::Asking, Event::Authority(Resolution::Address(binding))) => {
                self.weigh(Doubt { binding: Some(Some(binding)), ..doubt }, view)
            }
            (Stage::Asking, Event::Authority(Resolution::NoSuchName)) => {
                self.weigh(Doubt { binding: Some(None), ..doubt }, view)
            }
            (_, Event::Tested { address, plays: false }) if doubt.testing == Some(address) => {
                let silent = doubt.silent.with(address);
                let verdict = doubt.first.filter(|&first| first == address).map(Move::Suspect);
                let mut moves: Moves = verdict.into_iter().collect();
                moves.extend(self.weigh(Doubt { testing: None, silent, ..doubt }, view));
                moves
            }
            (Stage::Waiting, Event::Waited) => {
                self.state = State::Doubting(doubt, Stage::Asking);
                smallvec![Move::Fetch, Move::AskAuthority]
            }
            (Stage::Putting(epoch), Event::Put(PutOutcome::Stored)) => {
                self.play(epoch, doubt, view.own)
            }
            (Stage::Putting(_), Event::Put(PutOutcome::Failed)) if !doubt.waited => {
                self.wait(doubt)
            }
            // Somebody plays, somebody else has won, or nobody can say: the next procedure begins
            // anew.
            (_, Event::Playing(_) | Event::Tested { plays: true, .. } | Event::Authority(_))
            | (Stage::Putting(_), Event::Put(_)) => self.rest(),
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
            // A test may outlive the half of a short TTL.
            (Look::AtRival(_) | Look::AtOther(_), Event::Waited) => {
                smallvec![Move::Wait(self.look)]
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
            (Look::AtRival(_), Event::Tested { plays: true, .. }) => {
                *look = Look::AtBinding;
                smallvec![Move::AskAuthority]
            }
            (Look::AtRival(rival), Event::Tested { .. }) => {
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
            (Look::AtOther(_), Event::Tested { plays: true, .. }) => {
                self.state = State::Retiring;
                smallvec![Move::Retire, Move::Wait(view.settings.retirement)]
            }
            (Look::AtOther(binding), Event::Tested { .. }) => {
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

impl Doubt {
    /// It knows nothing yet, and has begun to test this one.
    fn new(first: Option<Address>) -> Self {
        let silent = PeerSet::default();
        Self { first, record: None, binding: None, testing: first, silent, waited: false }
    }
}

impl Strategy for Lease {
    fn fresh(&self) -> Box<dyn Strategy> {
        Box::new(Self { look: self.look, ..Self::default() })
    }

    fn patience(&self) -> SimDuration {
        PATIENCE
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
                smallvec![Move::Lead, Move::Wait(self.look)]
            }
            (State::Retiring, Event::Waited) => {
                self.state = State::Member;
                self.estranged = 1;
                smallvec![Move::GiveUp]
            }
            (State::Retiring, _) => Moves::new(),
            (State::Playing { .. }, Event::Moved(former)) => self.moved(former, view),
            (State::Playing { .. }, _) => self.playing(event, view),
            (State::Doubting(doubt, stage), _) => self.doubting(doubt, stage, event, view),
            (State::Member | State::Comparing(..), Event::Founded) => {
                self.play(Epoch(1), Doubt::new(None), view.own)
            }
            (State::Member, Event::Playing(proxy)) => self.found(proxy),
            (State::Member | State::Comparing(..), Event::TestFailed(_, address)) => {
                self.doubt(Some(address))
            }
            (
                State::Member | State::Comparing(..),
                Event::OwnAddress | Event::OwnRecord | Event::NoSuchName,
            ) => self.doubt(None),
            (State::Member | State::Comparing(..), Event::Unresolved) => {
                smallvec![Move::ResolveAgain]
            }
            (State::Comparing(proxy, against), _) => {
                self.comparing(proxy, against, event, view.own)
            }
            (State::Member, _) => Moves::new(),
        }
    }
}
