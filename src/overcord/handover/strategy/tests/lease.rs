//! The lease. It looks every 30 s, half of the TTL; caches have settled after 60 s.

use super::*;
use crate::overcord::handover::strategy::Lease;
use crate::overlay::PutOutcome::{Failed, Outdated, Stored};

const ASK: [Move; 2] = [Move::Fetch, Move::AskAuthority];
const NO_NAME: Event = Event::Authority(Resolution::NoSuchName);
const UNKNOWN: Event = Event::Authority(Resolution::Unresolved);

fn member() -> Node {
    Node::new(&Lease::new(TTL))
}

/// A member that has put its record with epoch 8 after the proxy peer `A` crashed.
fn winner() -> Node {
    let mut node = member();
    node.follows(&[
        (failed(A), &[Move::Fetch, Move::AskAuthority, Move::Test(A)]),
        (Event::Fetched(record(A, 7)), &[]),
        (served(A), &[]),
        (tested(A, false), &[Move::Suspect(A), Move::Put(Epoch(8))]),
        (
            Event::Put(Stored),
            &[Move::TakeRole(Epoch(8)), Move::Update { tested: Some(A) }, wait(30)],
        ),
    ]);
    node
}

/// A node that plays under epoch 8, and whose update was accepted.
fn player() -> Node {
    let mut node = winner();
    node.follows(&[(updated(true), &[wait(30)])]);
    node
}

#[test]
fn whatever_is_known_first_nobody_claims_before_all_is() {
    let answers = [Event::Fetched(record(A, 7)), served(A), tested(A, false)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut node = member();
        let _ = node.on(failed(A));
        let moves: Vec<Move> = order.iter().flat_map(|&which| node.on(answers[which])).collect();
        assert_eq!(moves, [Move::Suspect(A), Move::Put(Epoch(8))], "{order:?}");
    }
}

#[test]
fn a_doubt_ends_when_somebody_plays_or_nobody_can_say() {
    let clear = || [Move::Clear];
    let begin = [Move::Fetch, Move::AskAuthority, Move::Test(A)];
    // The packet was lost; a cache was old; another has won; the authority is silent.
    let lost: &[Line<'_>] = &[(tested(A, true), &clear()), (served(A), &[])];
    let old: &[Line<'_>] = &[
        (Event::Fetched(record(B, 7)), &[]),
        (tested(A, false), &[Move::Suspect(A)]),
        (served(B), &[Move::Test(B)]),
        (tested(B, true), &clear()),
    ];
    let late: &[Line<'_>] = &[
        (Event::Fetched(None), &[]),
        (served(A), &[]),
        (tested(A, false), &[Move::Suspect(A), Move::Put(Epoch(1))]),
        (Event::Put(Outdated), &clear()),
    ];
    let silent: &[Line<'_>] = &[(UNKNOWN, &clear()), (tested(A, false), &[])];
    for lines in [lost, old, late, silent] {
        let mut node = member();
        node.follows(&[(failed(A), &begin)]);
        node.follows(lines);
        // It is a member without a doubt: the next one begins as the first did.
        node.follows(&[(failed(A), &begin)]);
    }
}

#[test]
fn who_has_won_and_does_not_listen_yet_gets_two_seconds() {
    let mut node = member();
    node.follows(&[
        (failed(A), &[Move::Fetch, Move::AskAuthority, Move::Test(A)]),
        (tested(A, false), &[Move::Suspect(A)]),
        (served(A), &[]),
        (Event::Fetched(record(B, 8)), &[Move::Test(B)]),
        (tested(B, false), &[wait(2)]),
        (Event::Waited, &ASK),
        (served(A), &[]),
        (Event::Fetched(record(B, 8)), &[Move::Test(B)]),
        (tested(B, false), &[Move::Put(Epoch(9))]),
        // The overlay did not answer; it had its second chance.
        (Event::Put(Failed), &[Move::Clear]),
    ]);
    let mut node = member();
    node.follows(&[
        (failed(A), &[Move::Fetch, Move::AskAuthority, Move::Test(A)]),
        (Event::Fetched(None), &[]),
        (tested(A, false), &[Move::Suspect(A)]),
        (served(A), &[Move::Put(Epoch(1))]),
        (Event::Put(Failed), &[wait(2)]),
        (Event::Waited, &ASK),
        (Event::Fetched(None), &[]),
        (served(B), &[Move::Test(B)]),
        (tested(B, false), &[Move::Put(Epoch(1))]),
        (
            Event::Put(Stored),
            &[Move::TakeRole(Epoch(1)), Move::Update { tested: Some(B) }, wait(30)],
        ),
    ]);
}

#[test]
fn without_a_name_or_with_its_own_it_makes_sure_as_well() {
    let take = Move::TakeRole(Epoch(1));
    for (event, answer, end) in [
        (Event::NoSuchName, NO_NAME, [take.clone(), Move::Update { tested: None }, wait(30)]),
        (Event::OwnAddress, served(OWN), [take.clone(), Move::Clear, wait(30)]),
    ] {
        let mut node = member();
        node.follows(&[
            (event, &ASK),
            (Event::Fetched(None), &[]),
            (answer, &[Move::Put(Epoch(1))]),
            (Event::Put(Stored), &end),
        ]);
        // Outside of an overlay there is nothing to win.
        let mut outsider = member();
        outsider.is_member = false;
        outsider.follows(&[(event, &ASK), (Event::Fetched(None), &[]), (answer, &end)]);
    }
    member().follows(&[(Event::Unresolved, &[Move::ResolveAgain])]);
    member().follows(&[(Event::Founded, &[take, Move::Update { tested: None }, wait(30)])]);
}

/// 30 s doubled each time, half an hour at most: what update services ask for after an error.
#[test]
fn refused_updates_are_tried_again_after_pauses_that_double() {
    let mut node = winner();
    for pause in [60, 120, 240, 480, 960, 1_800, 1_800] {
        node.follows(&[
            (updated(false), &[wait(pause)]),
            (Event::Waited, &[Move::AskAuthority, wait(30)]),
            (served(A), &[Move::Test(A)]),
            (tested(A, false), &[Move::Suspect(A), Move::Update { tested: Some(A) }]),
        ]);
    }
    node.follows(&[(updated(true), &[wait(30)])]);
}

#[test]
fn dns_decides_between_two_that_play() {
    for certain in [true, false] {
        let look = [Move::AskAuthority, wait(30)];
        // It was its own update, of which the answer was lost.
        winner().follows(&[(overtaken(certain), &look), (served(OWN), &[])]);
        // There is no name: it is claimed.
        let mut node = winner();
        node.follows(&[(overtaken(certain), &look), (NO_NAME, &[Move::Update { tested: None }])]);
        // Another plays: it serves on until no cache names it, whatever happens, and is a member.
        let mut node = winner();
        node.follows(&[
            (overtaken(certain), &look),
            (served(B), &[Move::Test(B)]),
            (tested(B, true), &[Move::Retire, wait(60)]),
            (Event::Put(Outdated), &[]),
            (Event::Leaving(TTL), &[]),
            (Event::Waited, &[Move::GiveUp]),
            // It may be of another part of the overlay, and compares at once.
            (Event::Playing(B), &[Move::Fetch]),
            (Event::Fetched(record(C, 3)), &[Move::AskAuthority]),
            (served(B), &[Move::Rejoin(B)]),
        ]);
        // Another is named and does not play. A slow test outlives the wait.
        let mut node = winner();
        node.follows(&[
            (overtaken(certain), &look),
            (served(B), &[Move::Test(B)]),
            (Event::Waited, &[wait(30)]),
            (tested(B, false), &[Move::Suspect(B), Move::Update { tested: Some(B) }]),
        ]);
    }
}

/// A member that has found `A` playing so often that it compares, with this record in its ring.
fn compared(found: Option<ProxyRecord>) -> Node {
    let mut node = member();
    for _ in 1..5 {
        node.follows(&[(Event::Playing(A), &[])]);
    }
    node.follows(&[(Event::Playing(A), &[Move::Fetch]), (Event::Fetched(found), &[])]);
    node
}

/// A record that was not renewed for four looks, of 30 s each.
fn old(address: Address) -> Option<ProxyRecord> {
    let remaining = LIFETIME.saturating_sub(SimDuration::from_secs(121));
    record(address, 3).map(|it| ProxyRecord { remaining, ..it })
}

#[test]
fn a_record_that_is_renewed_by_whom_dns_names_is_of_the_same_ring() {
    for good in [None, record(A, 3)] {
        // Four more procedures pass before it compares again.
        compared(good).follows(&[(Event::Playing(A), &[])]);
    }
}

#[test]
fn the_authority_decides_who_is_to_be_joined() {
    let again = [Move::Fetch, Move::AskAuthority];
    let doubt = [Move::Fetch, Move::AskAuthority, Move::Test(C)];
    let endings: [(Option<ProxyRecord>, &[Line<'_>]); 8] = [
        // It is of another part, or its own ring has lost touch with it.
        (record(B, 3), &[(served(A), &[Move::Rejoin(A)]), (Event::Playing(A), &[])]),
        (old(A), &[(served(A), &[Move::Rejoin(A)]), (Event::Playing(A), &[])]),
        // A cache named a lame duck, and whom its own ring knows plays: all is well.
        (
            record(C, 3),
            &[(served(C), &[Move::Test(C)]), (tested(C, true), &[]), (Event::Playing(A), &[])],
        ),
        // A lame duck was found, and who plays is of another part.
        (old(C), &[(served(C), &[Move::Test(C)]), (tested(C, true), &[Move::Rejoin(C)])]),
        (record(B, 3), &[(served(C), &[Move::Test(C)]), (tested(C, true), &[Move::Rejoin(C)])]),
        // Nobody but the lame duck does.
        (record(C, 3), &[(served(C), &[Move::Test(C)]), (tested(C, false), &doubt)]),
        (record(B, 3), &[(served(OWN), &again)]),
        // Nobody can say: it is compared again at once.
        (record(B, 3), &[(UNKNOWN, &[]), (Event::Playing(A), &[Move::Fetch])]),
    ];
    for (found, ending) in endings {
        let mut node = compared(found);
        node.follows(&[
            (Event::Playing(A), &[Move::Fetch]),
            (Event::Fetched(found), &[Move::AskAuthority]),
        ]);
        node.follows(ending);
    }
}

#[test]
fn an_outdated_record_leads_to_whoever_has_the_higher_epoch() {
    let rival = || {
        let mut node = player();
        node.follows(&[
            (Event::Put(Outdated), &[Move::Fetch]),
            (Event::Fetched(record(B, 20)), &[Move::Test(B)]),
        ]);
        node
    };
    rival().follows(&[(tested(B, false), &[Move::Renew(Epoch(21))])]);
    rival().follows(&[
        (Event::Waited, &[wait(30)]),
        (tested(B, true), &[Move::AskAuthority]),
        (served(OWN), &[]),
    ]);
    for nobody in [None, record(OWN, 20)] {
        let mut node = player();
        node.follows(&[(Event::Put(Outdated), &[Move::Fetch]), (Event::Fetched(nobody), &[])]);
        node.follows(&[(Event::Waited, &[Move::AskAuthority, wait(30)]), (UNKNOWN, &[])]);
    }
}

#[test]
fn who_is_told_to_play_does_and_a_leave_is_not_announced() {
    let mut node = member();
    node.follows(&[(Event::Told, &[Move::Lead, wait(30)]), (Event::Leaving(TTL), &[])]);
}
