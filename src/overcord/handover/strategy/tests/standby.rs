//! Standby: sets of three. A peer looks every 30 s, half of the TTL; caches have settled after 60 s.

use super::*;
use crate::overcord::handover::strategy::Standby;
use crate::overcord::handover::update::Wanted;

const ASK: Move = Move::AskSet { past_caches: true };
const LEAVING: Event = Event::Leaving(TTL);

fn member() -> Node {
    Node::new(&Standby::new(3, TTL))
}

fn set(of: &[Address]) -> Event {
    Event::Set(Some(peers(of)))
}

/// The set becomes this, if it still is that.
fn publish(tested: Option<Address>, to: &[Address], from: &[Address]) -> Move {
    let list = |set: &[Address]| set.iter().copied().collect();
    Move::Publish(Wanted { tested, peers: list(to), expected: Some(list(from)) })
}

/// A member that joins the set of `A` and `B` at its end.
fn entering() -> Node {
    let mut node = member();
    node.follows(&[
        (Event::Playing(A), &[Move::AskSet { past_caches: false }]),
        (set(&[A, B]), &[ASK]),
        (
            set(&[A, B]),
            &[Move::Listen(epoch()), Move::StandBy, publish(None, &[A, B, OWN], &[A, B])],
        ),
    ]);
    node
}

/// A peer that has come into the set.
fn peer() -> Node {
    let mut node = entering();
    node.follows(&[(updated(true), &[Move::Renew(epoch()), Move::StandBy, wait(30)])]);
    node
}

#[test]
fn the_set_is_repaired_when_a_connection_has_confirmed_that_the_first_is_dead() {
    let whole = [A, B, C];
    let enter = [Move::Listen(epoch()), Move::StandBy, publish(Some(A), &[B, C, OWN], &whole)];
    let begin = [ASK, Move::Test(A)];
    let mut node = member();
    node.follows(&[
        (failed(A), &begin),
        (set(&whole), &[]),
        (tested(A, false), &[Move::Suspect(A), Move::Test(B)]),
        (tested(B, true), &enter),
    ]);
    let mut node = member();
    node.follows(&[
        (failed(A), &begin),
        (tested(A, false), &[Move::Suspect(A)]),
        (set(&whole), &[Move::Test(B)]),
        (tested(B, true), &enter),
    ]);
    // Nobody is left: it leads.
    let alone = [Move::Listen(epoch()), Move::Lead, publish(Some(A), &[OWN], &[A, B])];
    let mut node = member();
    node.follows(&[
        (failed(A), &begin),
        (set(&[A, B]), &[]),
        (tested(A, false), &[Move::Suspect(A), Move::Test(B)]),
        (tested(B, false), &alone),
    ]);
}

#[test]
fn a_doubt_ends_when_the_first_plays_or_the_set_is_in_good_hands() {
    for answer in [tested(A, true), set(&[B, C]), Event::Set(None)] {
        let mut node = member();
        node.follows(&[
            (failed(A), &[ASK, Move::Test(A)]),
            (answer, &[Move::Clear]),
            (tested(A, false), &[]),
        ]);
    }
    member().follows(&[
        (failed(A), &[ASK, Move::Test(A)]),
        (LEAVING, &[Move::Clear]),
        (set(&[A, B]), &[]),
        (tested(A, false), &[]),
    ]);
    member().follows(&[(Event::Unresolved, &[Move::ResolveAgain])]);
}

/// Nothing of a loser is on record: the record comes with the accepted update.
#[test]
fn who_does_not_get_into_the_set_gives_up() {
    for answer in [updated(false), overtaken(true)] {
        entering().follows(&[(answer, &[Move::GiveUp])]);
    }
    // An earlier copy may have been carried out: the set tells.
    let look = [ASK, wait(30)];
    let inside = [Move::Renew(epoch()), Move::StandBy, wait(30)];
    let first = [Move::Renew(epoch()), Move::Lead, wait(30)];
    for (found, moves) in
        [(&[A, B, OWN][..], &inside[..]), (&[OWN, C], &first), (&[A, B, C], &[Move::GiveUp])]
    {
        entering().follows(&[(overtaken(false), &look), (set(found), moves)]);
        let unknown = (Event::Set(None), &[][..]);
        entering().follows(&[
            (overtaken(false), &look),
            unknown,
            (Event::Waited, &look),
            (set(found), moves),
        ]);
    }
}

#[test]
fn who_enters_while_it_leaves_takes_itself_out_again() {
    let mut node = entering();
    node.follows(&[
        (LEAVING, &[wait(2)]),
        (Event::Waited, &[wait(2)]),
        (updated(true), &[wait(2)]),
        (Event::Waited, &[ASK, wait(10)]),
        (set(&[A, B, OWN]), &[publish(None, &[A, B], &[A, B, OWN])]),
        (updated(true), &[Move::Retire]),
        (set(&[A, B]), &[]),
    ]);
    // It was not taken in.
    let mut node = entering();
    node.follows(&[
        (LEAVING, &[wait(2)]),
        (overtaken(true), &[wait(2)]),
        (Event::Waited, &[ASK, wait(10)]),
        (set(&[A, B, C]), &[Move::Retire]),
        (Event::Waited, &[]),
    ]);
}

/// Both have seen the same set; the other one is heard first.
#[test]
fn of_two_that_leave_at_once_the_second_looks_again() {
    let mut node = peer();
    node.follows(&[
        (LEAVING, &[ASK, wait(10)]),
        (set(&[A, B, OWN]), &[publish(None, &[A, B], &[A, B, OWN])]),
        (overtaken(true), &[wait(2)]),
        (Event::Waited, &[ASK, wait(10)]),
        // Nobody could say.
        (Event::Set(None), &[]),
        (Event::Waited, &[ASK, wait(10)]),
        (set(&[B, OWN]), &[publish(None, &[B], &[B, OWN])]),
        (updated(true), &[Move::Retire]),
    ]);
    // The last one waits for somebody to leave the set to.
    let mut node = peer();
    node.follows(&[
        (LEAVING, &[ASK, wait(10)]),
        (set(&[OWN]), &[wait(2)]),
        (Event::Waited, &[ASK, wait(10)]),
        (set(&[OWN, C]), &[publish(None, &[C], &[OWN, C])]),
        (updated(true), &[Move::Retire]),
    ]);
}

#[test]
fn a_peer_looks_after_the_one_before_it() {
    let mut node = peer();
    node.follows(&[
        (Event::Waited, &[ASK, wait(30)]),
        (set(&[A, B, OWN]), &[Move::StandBy, wait(30), Move::Test(B)]),
        (tested(B, true), &[]),
        (Event::Waited, &[ASK, wait(30)]),
        // The first looks after the last. A slow test outlives the wait.
        (set(&[OWN, A, B]), &[Move::Lead, wait(30), Move::Test(B)]),
        (Event::Waited, &[wait(30)]),
        (tested(B, false), &[Move::Suspect(B), publish(Some(B), &[OWN, A], &[OWN, A, B])]),
        (updated(true), &[]),
        (Event::Waited, &[ASK, wait(30)]),
        (set(&[OWN]), &[Move::Lead, wait(30)]),
        (Event::Waited, &[ASK, wait(30)]),
        // Others have taken it out: it serves on until no cache names it.
        (set(&[A, B]), &[Move::Retire, wait(60)]),
        (set(&[A, B, OWN]), &[]),
        (Event::Waited, &[Move::GiveUp]),
        (Event::Playing(A), &[Move::AskSet { past_caches: false }]),
    ]);
    // One that leaves meanwhile stays what it is.
    let mut node = peer();
    node.follows(&[
        (Event::Waited, &[ASK, wait(30)]),
        (set(&[A, B]), &[Move::Retire, wait(60)]),
        (LEAVING, &[]),
        (Event::Waited, &[]),
    ]);
}

#[test]
fn a_member_counts_the_set_and_returns_to_a_place_that_is_still_its_own() {
    let cached = [Move::AskSet { past_caches: false }];
    member().follows(&[(Event::Playing(A), &cached), (set(&[A, B, C]), &[])]);
    member().follows(&[
        (Event::Playing(A), &cached),
        (set(&[A, B]), &[ASK]),
        (set(&[A, B, C]), &[]),
    ]);
    let back = [Move::TakeRole(epoch()), Move::StandBy, wait(30)];
    member().follows(&[
        (Event::Playing(A), &cached),
        (set(&[A, OWN, C]), &[ASK]),
        (set(&[A, OWN, C]), &back),
    ]);
    // It is the first, as it finds out by a procedure; or a cache was old.
    let first = [Move::TakeRole(epoch()), Move::Lead, wait(30)];
    member().follows(&[(Event::OwnAddress, &[ASK]), (set(&[OWN, B, C]), &first)]);
    member().follows(&[(Event::OwnAddress, &[ASK]), (set(&[A, B, C]), &[])]);
    // The first of all, and one that leaves.
    let found = [Move::Listen(epoch()), Move::Lead, publish(None, &[OWN], &[])];
    for event in [Event::Founded, Event::NoSuchName] {
        member().follows(&[(event, &found)]);
    }
    member().follows(&[(LEAVING, &[]), (Event::Playing(A), &[]), (failed(A), &[])]);
}
