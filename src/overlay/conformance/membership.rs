//! Who is in, who owns what: join, leave, crash, isolation, identity.

use super::network::{DELAY, Net, PATIENCE, Weather};
use super::{SimDuration, Subject};
use crate::overlay::{Facts, LookupOutcome, NodeRef, Observation, OverlayId, RingId, Upcall};
use crate::rng::{Dice, Draws, NameHash, Purpose, mix2};

const SECOND: SimDuration = SimDuration::from_secs(1);

fn default<D: Subject>() -> D::Config {
    D::configs().swap_remove(0)
}

pub(crate) fn a_converged_overlay_stays_and_agrees_on_owners<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(40, 0, 7, config);
        net.assert_correct(40);
        net.run(D::REPAIRED);
        assert_eq!(net.members().len(), 40);
        net.assert_repaired(40);
        let identity = net.node(0).identity();
        assert!(identity.is_some_and(|overlay| overlay != OverlayId::OUTSIDER));
        assert!(net.nodes.iter().flatten().all(|node| node.identity() == identity));
        let complaint = |up: &Upcall| matches!(up, Upcall::Isolated | Upcall::JoinFailed);
        assert!(!net.ups.iter().any(|(_, up)| complaint(up)));
        for (i, node) in net.nodes.iter().flatten().enumerate() {
            let known = node.acquaintances();
            assert!(!node.is_alone());
            assert_eq!(node.me(), NodeRef::new(i as u32));
            assert!(!known.is_empty() && !known.contains(&node.me()));
            let mut distinct = known.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), known.len(), "each is named once");
        }
        own_their_keys(&net);
    }
}

/// Each key has one owner by its own tables, who is outside owns nothing.
fn own_their_keys<D: Subject>(net: &Net<D>) {
    for n in 0..200 {
        let key = RingId::from_hash(mix2(17, n), D::id_bits(&net.config));
        let owns = |node: &&D| node.owns(&net.directory, key);
        let owners: Vec<NodeRef> = net.nodes.iter().flatten().filter(owns).map(D::me).collect();
        assert_eq!(owners, [net.owner(key)]);
    }
}

pub(crate) fn overlays_of_one_two_and_three_work<D: Subject>() {
    for config in D::configs() {
        for n in 1..=3 {
            let mut net = Net::<D>::converged(n, 1, 1, config.clone());
            net.assert_correct(9);
            own_their_keys(&net);
            net.run(D::REPAIRED);
            net.assert_repaired(9);
            assert_eq!(net.members().len(), n);
        }
    }
}

pub(crate) fn joins_one_after_another_and_all_at_once_converge<D: Subject>() {
    for gap in [SECOND * 5, SimDuration::from_millis(1)] {
        let mut net = Net::<D>::outside(24, 3, default::<D>());
        net.found(0);
        for i in 1..24 {
            net.run(gap);
            net.join(i, &[0]);
        }
        net.run(D::REPAIRED);
        let joined: Vec<usize> = joined(&net).map(|(i, _)| i).collect();
        assert_eq!(joined.len(), 24, "{joined:?}");
        let overlay = net.node(0).identity();
        assert!(self::joined(&net).all(|(_, identity)| Some(identity) == overlay));
        assert!(net.nodes.iter().flatten().all(|node| node.identity() == overlay));
        for i in 0..24 {
            let member = (i, Observation::Member(overlay.expect("it is a member")));
            assert_eq!(net.observed.iter().filter(|&&seen| seen == member).count(), 1);
        }
        net.assert_repaired(48);
    }
}

fn joined<D: Subject>(net: &Net<D>) -> impl Iterator<Item = (usize, OverlayId)> {
    net.ups.iter().filter_map(|(i, up)| match up {
        Upcall::Joined(overlay) => Some((*i, *overlay)),
        _ => None,
    })
}

pub(crate) fn a_join_tries_its_contacts_in_turn_and_then_fails<D: Subject>() {
    let mut net = Net::<D>::converged(5, 2, 4, default::<D>());
    net.crash(0);
    // The first is dead, the second in no overlay.
    net.join(5, &[0, 6, 1]);
    net.run(PATIENCE);
    assert!(net.members().contains(&5), "the third contact answered");
    net.ups.clear();
    net.join(6, &[0]);
    net.run(SECOND * 10);
    assert_eq!(net.ups, [(6, Upcall::JoinFailed)]);
    net.join(6, &[]);
    assert_eq!(net.ups.len(), 2);
    assert_eq!(net.node(6).identity(), None);
}

pub(crate) fn a_graceful_leave_is_known_at_once<D: Subject>() {
    let mut net = Net::<D>::converged(20, 0, 4, default::<D>());
    let place = net.directory.contact(NodeRef::new(7)).id;
    assert_eq!(net.look_up_one(3, place).owner, Some(NodeRef::new(7)));
    net.leave(7);
    assert_eq!(net.observed.last(), Some(&(7, Observation::NotMember)));
    net.run(DELAY);
    assert_eq!(net.members().len(), 19);
    assert_eq!(net.node(7).identity(), None);
    for from in [0, 3, 12] {
        assert_eq!(net.look_up_one(from, place).owner, Some(net.owner(place)));
    }
    // The host is still up, and outside of the overlay.
    net.run(D::REPAIRED);
    assert_eq!(net.node(7).identity(), None);
    assert!(net.ups.iter().all(|(_, up)| *up != Upcall::Isolated));
    let known = |node: &D| node.acquaintances().contains(&NodeRef::new(7));
    assert!(!net.nodes.iter().flatten().any(known));
}

pub(crate) fn the_last_neighbour_gone_is_isolation_and_its_leaving_is_not<D: Subject>() {
    let mut net = Net::<D>::converged(2, 1, 4, default::<D>());
    let overlay = net.node(1).identity();
    net.leave(0);
    net.run(D::REPAIRED);
    assert_eq!(net.ups, []);
    net.join(0, &[1]);
    net.run(D::REPAIRED);
    assert_eq!(net.members(), [0, 1]);
    net.ups.clear();
    net.crash(0);
    net.run(D::REPAIRED);
    assert_eq!(net.ups, [(1, Upcall::Isolated)]);
    // It goes on alone, under the same identity, and lets others in.
    assert!(net.node(1).is_alone());
    assert_eq!(net.node(1).identity(), overlay);
    net.assert_repaired(4);
    net.join(2, &[1]);
    net.run(D::REPAIRED);
    assert_eq!(net.members(), [1, 2]);
    assert_eq!(net.node(2).identity(), overlay);
    net.assert_repaired(8);
}

/// It comes back before anyone has noticed: the others still hold it.
pub(crate) fn a_node_that_restarts_at_once_finds_its_place<D: Subject>() {
    let mut net = Net::<D>::converged(20, 0, 4, default::<D>());
    net.crash(7);
    net.restart(7);
    net.join(7, &[2]);
    net.run(D::REPAIRED);
    assert_eq!(net.members().len(), 20);
    net.assert_repaired(40);
}

/// A node restarts and founds its own overlay at the old address: to the others it is dead.
pub(crate) fn overlays_do_not_mix<D: Subject>() {
    let mut net = Net::<D>::converged(10, 0, 4, default::<D>());
    net.run(SECOND * 10);
    net.crash(7);
    net.restart(7);
    net.found(7);
    assert_ne!(net.node(7).identity(), net.node(0).identity());
    net.run(D::REPAIRED);
    let known = |i: &usize| net.node(*i).acquaintances().contains(&NodeRef::new(7));
    assert_eq!((0..10).find(|i| *i != 7 && known(i)), None);
    assert_eq!(net.node(7).acquaintances(), []);
    let place = net.directory.contact(NodeRef::new(7)).id;
    assert_ne!(net.look_up_one(3, place).owner, Some(NodeRef::new(7)));
    assert_eq!(net.look_up_one(7, place.plus(1 << 60)).owner, Some(NodeRef::new(7)));
}

pub(crate) fn the_death_of_half_is_repaired<D: Subject>() {
    let mut net = Net::<D>::converged(40, 0, 9, default::<D>());
    // In a random half, runs of more than six neighbours are unlikely, and this seed has none.
    let dead: Vec<usize> = (0..20).map(|i| 2 * i).collect();
    dead.iter().for_each(|&i| net.crash(i));
    let outcomes = net.look_up(20, 5);
    let any = |count: fn(&LookupOutcome) -> u8| outcomes.iter().any(|(_, it)| count(it) > 0);
    assert!(any(|it| it.timeouts) || !any(|it| it.hops), "who asks meets the dead");
    net.run(D::REPAIRED);
    assert_eq!(net.members().len(), 20);
    net.assert_repaired(40);
    let isolated = |(_, up): &(usize, Upcall)| *up == Upcall::Isolated;
    assert!(!net.ups.iter().any(isolated));
}

pub(crate) fn an_error_from_the_network_counts_as_a_time_out<D: Subject>() {
    let mut net = Net::<D>::converged(12, 0, 4, default::<D>());
    let victim = net.node(3).acquaintances()[0];
    net.crash(victim.index() as usize);
    net.unreachable(3, victim.index() as usize);
    assert!(!net.node(3).acquaintances().contains(&victim));
    // Errors come back from the dead at once: nobody waits for a time-out, of a second or more.
    let mut net = Net::<D>::converged(40, 0, 4, default::<D>());
    net.icmp = true;
    (0..13).for_each(|i| net.crash(3 * i));
    let (mut met, mut hops) = (0, 0);
    for i in 0..20 {
        let key = RingId::from_hash(mix2(8, i), D::id_bits(&net.config));
        net.ups.clear();
        net.operate(1, |node, ctx| node.lookup(ctx, key));
        net.run(SECOND);
        let ended = net.ups.iter().find_map(|(_, up)| match up {
            Upcall::LookupDone { outcome, .. } => Some(outcome),
            _ => None,
        });
        let outcome = ended.expect("it ends within a second");
        met += u32::from(outcome.timeouts);
        hops += u32::from(outcome.hops);
    }
    assert!(met > 0 || hops == 0, "who asks meets the dead");
}

/// What the suite's churn does to an overlay of about 30: every 15 s a node crashes, leaves or comes
/// back, and hosts that are isolated or could not join try again. How many look-ups agreed with the
/// list of members.
fn churn<D: Subject>(net: &mut Net<D>, rounds: usize) -> usize {
    let mut dice = Dice::new(Draws::new(3, Purpose::Churn), NameHash::of("churn"));
    let mut right = 0;
    for round in 0..rounds {
        let members = net.members();
        let one = dice.below(60);
        if members.contains(&one) && members.len() > 20 {
            if dice.below(2) == 0 { net.crash(one) } else { net.leave(one) }
        } else if !members.contains(&one) {
            net.restart(one);
            net.join(one, &[members[dice.below(members.len())], members[0]]);
        }
        let key = RingId::from_hash(dice.bits(), D::id_bits(&net.config));
        let asker = members[dice.below(members.len())];
        net.ups.clear();
        net.operate(asker, |node, ctx| node.lookup(ctx, key));
        net.run(SECOND * 15);
        let owner = net.owner(key);
        for (node, up) in std::mem::take(&mut net.ups) {
            match up {
                Upcall::LookupDone { outcome, .. } => {
                    right += usize::from(outcome.owner == Some(owner));
                }
                Upcall::JoinFailed | Upcall::Isolated => {
                    let contact = net.members()[round % 3];
                    net.join(node, &[contact]);
                }
                _ => {}
            }
        }
    }
    right
}

/// An hour of churn; afterwards all is right. Meanwhile nearly all look-ups agree with the list of
/// members, which they can't always: a crash is noticed only after a time-out.
pub(crate) fn churn_is_survived<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(40, 20, 6, config.clone());
        let right = churn(&mut net, 240);
        assert!(right * 100 >= 240 * D::RIGHT_UNDER_CHURN, "{config:?}: {right} of 240");
        net.run(D::REPAIRED);
        net.assert_repaired(40);
    }
}

/// The same where one message in fifty is lost. In fair weather all is right again.
pub(crate) fn churn_is_survived_in_foul_weather<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(40, 20, 6, config.clone());
        net.turn(Weather::FOUL);
        let right = churn(&mut net, 240);
        assert!(right * 100 >= 240 * D::RIGHT_IN_FOUL_WEATHER, "{config:?}: {right} of 240");
        if D::REPAIRS_LOSSES {
            net.turn(Weather::FAIR);
            net.run(D::REPAIRED);
            net.assert_repaired(40);
        }
    }
}

/// All at once everybody is so far away that a first request is over before its answer is there.
/// Whoever does not learn to wait takes all others for dead, and is isolated; but what is sent stays
/// within bounds, and each look-up ends.
pub(crate) fn what_is_too_far_away_raises_no_storm<D: Subject>() {
    let mut net = Net::<D>::converged(20, 0, 6, default::<D>());
    let sent = |net: &mut Net<D>, seed| {
        net.sent.clear();
        let right = |(owner, it): &(NodeRef, LookupOutcome)| it.owner == Some(*owner);
        let right = net.look_up(40, seed).iter().filter(|it| right(it)).count();
        (net.sent.len(), right)
    };
    let (fair, _) = sent(&mut net, 0);
    net.turn(Weather::FAR);
    let far = [1, 2, 3].map(|seed| sent(&mut net, seed));
    assert!(far.iter().all(|&(messages, _)| messages <= 3 * fair), "{fair}, then {far:?}");
    assert!(!D::LEARNS_TO_WAIT || far[2].1 == 40, "{far:?}");
}

pub(crate) fn runs_repeat_themselves_and_bystanders_move_nothing<D: Subject>() {
    let history = |outside: usize| {
        let mut net = Net::<D>::converged(40, 20 + outside, 6, default::<D>());
        churn(&mut net, 40);
        (net.history(), net.sent.len(), net.observed)
    };
    let first = history(0);
    assert!(first.1 > 100, "{} messages", first.1);
    assert_eq!(first, history(0));
    assert_eq!(first, history(5));
}
