//! The paper's strategy (Section V): who finds nobody in the role claims it. What the paper leaves
//! open is decided by the policies, which both of its readings are made of.

use smallvec::smallvec;

use super::{Event, Move, Moves, Strategy, View};
use crate::address::Address;
use crate::overcord::discovery::Test;
use crate::overcord::handover::update::Wanted;
use crate::overcord::policy::{OnUnresolved, OwnAddress, Test1Failure, UpdateFailure};
use crate::overcord::resource_database::Epoch;

/// The paper's strategy. It remembers nothing: what it knows of a claim is in the binding.
#[derive(Clone, Copy, Debug)]
pub struct Paper;

impl Strategy for Paper {
    fn fresh(&self) -> Box<dyn Strategy> {
        Box::new(*self)
    }

    fn on(&mut self, event: Event, view: &View<'_>) -> Moves {
        let policies = &view.settings.policies;
        match event {
            Event::TestFailed(test, address) => {
                let mut moves: Moves = smallvec![Move::Suspect(address)];
                let only = policies.test1_failure == Test1Failure::UpdateOnly;
                if test == Test::Reachable && only {
                    moves.push(Move::Update { tested: Some(address) });
                } else {
                    moves.extend(claim(view, Some(address)));
                }
                moves
            }
            Event::OwnAddress | Event::OwnRecord => match policies.own_address {
                OwnAddress::Listen => smallvec![Move::TakeRole(Epoch::of(view.now))],
                // Test 1 passes on oneself, test 2 does not: nothing listens.
                OwnAddress::Update => {
                    let mut moves: Moves = smallvec![Move::Suspect(view.own)];
                    moves.extend(claim(view, Some(view.own)));
                    moves
                }
            },
            Event::Founded | Event::NoSuchName => claim(view, None).into_iter().collect(),
            Event::Unresolved => match policies.on_unresolved {
                OnUnresolved::Claim => claim(view, None).into_iter().collect(),
                OnUnresolved::Retry => smallvec![Move::ResolveAgain],
            },
            Event::Moved(former) => {
                let wanted = Wanted::moved(view.own, former, &view.settings.protocol);
                smallvec![Move::Renew(Epoch::of(view.now)), Move::Publish(wanted)]
            }
            // Whose update may have been carried out after all looks for itself in the binding.
            Event::BindingLost(_) | Event::Overtaken { certain: true } => smallvec![Move::GiveUp],
            // DNS decides: whom it took last writes the higher epoch into the overlay record (A7).
            Event::Updated { accepted: true } if view.is_proxy => {
                smallvec![Move::Renew(Epoch::of(view.now))]
            }
            Event::Updated { accepted: false }
                if policies.update_failure == UpdateFailure::StepDown =>
            {
                smallvec![Move::GiveUp]
            }
            // The record is written and not read, and whether it was stored changes nothing (A15).
            Event::Updated { .. }
            | Event::Overtaken { certain: false }
            | Event::Told
            | Event::Playing(_)
            | Event::Tested { .. }
            | Event::Fetched(_)
            | Event::Put(_)
            | Event::Authority(_)
            | Event::Set(_)
            | Event::Leaving(_)
            | Event::Waited => Moves::new(),
        }
    }
}

/// Listens, puts the record and updates the binding, in this order.
fn claim(view: &View<'_>, tested: Option<Address>) -> [Move; 2] {
    [Move::TakeRole(Epoch::of(view.now)), Move::Update { tested }]
}
