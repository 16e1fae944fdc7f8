//! A strategy that is not the simulator's own: who finds nobody in the role waits for a while,
//! chosen by chance, then asks the authority, past all caches, and claims only if that still names
//! the address whose test failed. Random backoff with an uncached second look is what is usually
//! done against a storm of claims, where there is nothing to win a claim in.

use overcord::address::Address;
use overcord::overcord::discovery::Resolution;
use overcord::overcord::handover::strategy::{Event, Move, Moves, Strategy, View};
use overcord::overcord::resource_database::Epoch;
use overcord::rng::mix2;
use overcord::time::SimDuration;

/// The longest wait, in milliseconds.
const LONGEST_MS: u64 = 15_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct SecondLook {
    /// The address whose test failed.
    suspect: Option<Address>,
}

impl Strategy for SecondLook {
    fn fresh(&self) -> Box<dyn Strategy> {
        Box::new(Self::default())
    }

    fn on(&mut self, event: Event, view: &View<'_>) -> Moves {
        let epoch = Epoch::of(view.now);
        let claim = |tested| [Move::TakeRole(epoch), Move::Update { tested }];
        match event {
            Event::TestFailed(_, address) => {
                self.suspect = Some(address);
                // No dice: the wait is a function of who waits, and when.
                let drawn = mix2(u64::from(view.own.bits()), view.now.as_nanos()) % LONGEST_MS;
                let wait = Move::Wait(SimDuration::from_millis(drawn));
                Moves::from_iter([Move::Suspect(address), wait])
            }
            Event::Waited if !view.is_proxy => Moves::from_iter([Move::AskAuthority]),
            Event::Authority(Resolution::Address(found)) if self.suspect == Some(found) => {
                self.suspect = None;
                claim(Some(found)).into_iter().collect()
            }
            Event::Authority(_) | Event::Playing(_) => {
                self.suspect = None;
                Moves::from_iter([Move::Clear])
            }
            Event::Founded | Event::NoSuchName => claim(None).into_iter().collect(),
            Event::OwnAddress => Moves::from_iter([Move::TakeRole(epoch)]),
            Event::Unresolved => Moves::from_iter([Move::ResolveAgain]),
            Event::Updated { accepted: true } if view.is_proxy => {
                Moves::from_iter([Move::Renew(epoch)])
            }
            Event::BindingLost(_) | Event::Updated { accepted: false } => {
                Moves::from_iter([Move::GiveUp])
            }
            _ => Moves::new(),
        }
    }
}
