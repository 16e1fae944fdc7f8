//! The paper's strategy, as it was meant and as it is written.

use super::*;
use crate::overcord::handover::strategy::Paper;

/// What this event leads to in a node that plays or does not.
fn answer(policies: Policies, is_proxy: bool, event: Event) -> Vec<Move> {
    let mut node = Node::new(&Paper);
    node.settings = settings(policies);
    node.is_proxy = is_proxy;
    node.on(event).into_vec()
}

#[test]
fn each_event_has_its_answer_in_each_reading() {
    let take = || Move::TakeRole(epoch());
    let claim = |tested| vec![take(), Move::Update { tested }];
    let suspect = |moves: Vec<Move>| [vec![Move::Suspect(A)], moves].concat();
    let silent = failed(A);
    let closed = Event::TestFailed(Test::Listening, A);
    let own = vec![Move::Suspect(OWN), take(), Move::Update { tested: Some(OWN) }];
    let only = suspect(vec![Move::Update { tested: Some(A) }]);
    let again = || vec![Move::ResolveAgain];
    let up = || vec![Move::GiveUp];
    for (event, intended, literal) in [
        (silent, suspect(claim(Some(A))), only),
        (closed, suspect(claim(Some(A))), suspect(claim(Some(A)))),
        (Event::OwnAddress, vec![take()], own),
        (Event::NoSuchName, claim(None), claim(None)),
        (Event::Founded, claim(None), claim(None)),
        (Event::Unresolved, again(), claim(None)),
        (Event::Playing(A), vec![], vec![]),
        (Event::Leaving(TTL), vec![], vec![]),
        (updated(true), vec![], vec![]),
        (tested(A, false), vec![], vec![]),
    ] {
        assert_eq!(answer(Policies::INTENDED, false, event), intended, "{event:?}");
        assert_eq!(answer(Policies::LITERAL, false, event), literal, "{event:?}");
    }
    // A node that plays. Whether the policy asks for a look at the binding is not decided here.
    for (event, intended, literal) in [
        (updated(true), vec![Move::Renew(epoch())], vec![Move::Renew(epoch())]),
        (updated(false), up(), vec![]),
        (overtaken(true), up(), up()),
        (overtaken(false), vec![], vec![]),
        (Event::BindingLost(A), up(), up()),
        (Event::Put(crate::overlay::PutOutcome::Outdated), vec![], vec![]),
        (Event::Leaving(TTL), vec![], vec![]),
    ] {
        assert_eq!(answer(Policies::INTENDED, true, event), intended, "{event:?}");
        assert_eq!(answer(Policies::LITERAL, true, event), literal, "{event:?}");
    }
}
