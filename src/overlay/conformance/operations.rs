//! Look-ups, puts and gets as such: each ends, once, and says how.

use super::network::{Net, PATIENCE, Weather};
use super::{SimDuration, Subject};
use crate::overlay::{NodeRef, Observation, PutOutcome, Record, RingId, Upcall};
use crate::rng::mix2;

fn record(key: RingId) -> Record {
    let lifetime = SimDuration::from_secs(3_600);
    Record { key, version: 1, lifetime, value: b"x"[..].into() }
}

fn key<D: Subject>(net: &Net<D>, n: u64) -> RingId {
    RingId::from_hash(mix2(31, n), D::id_bits(&net.config))
}

/// Begins one operation of each kind; the key is the same.
fn begin_three<D: Subject>(net: &mut Net<D>, from: usize, key: RingId) {
    net.operate(from, |node, ctx| node.lookup(ctx, key));
    net.operate(from, |node, ctx| node.put(ctx, record(key)));
    net.operate(from, |node, ctx| node.get(ctx, key));
}

fn failed(up: &Upcall) -> bool {
    match up {
        Upcall::LookupDone { outcome, .. } => outcome.owner.is_none(),
        Upcall::PutDone { outcome, .. } => *outcome == PutOutcome::Failed,
        Upcall::Got { record, .. } => record.is_none(),
        _ => false,
    }
}

pub(crate) fn outside_of_an_overlay_operations_fail_at_once<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(8, 1, 4, config);
        let key = key(&net, 1);
        begin_three(&mut net, 8, key);
        assert_eq!(net.ups.len(), 3, "{:?}", net.ups);
        assert!(net.ups.iter().all(|(i, up)| *i == 8 && failed(up)), "{:?}", net.ups);
    }
}

pub(crate) fn operations_under_way_fail_when_the_node_leaves<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(40, 0, 4, config);
        // A key far from the node, so that it has to ask.
        let leaver = NodeRef::new(3);
        let far = (0..).map(|n| key(&net, n)).find(|&key| net.owner(key) != leaver);
        begin_three(&mut net, 3, far.expect("some key is another's"));
        let at_once = net.ups.len();
        net.leave(3);
        net.run(PATIENCE);
        let ended: Vec<&Upcall> =
            net.ups.iter().filter(|(i, _)| *i == 3).map(|(_, up)| up).collect();
        assert_eq!(ended.len(), 3, "{ended:?}");
        assert!(ended[at_once..].iter().all(|up| failed(up)), "{ended:?}");
        // It joins again and works.
        net.join(3, &[0]);
        net.run(D::REPAIRED);
        net.assert_correct(40);
    }
}

/// Begins 300 look-ups at once, each of which ends once. How many find the owner, how many another;
/// those that can't be begun find none.
fn many_at_once<D: Subject>(net: &mut Net<D>) -> (usize, usize) {
    let keys: Vec<RingId> = (0..300).map(|n| key(net, n)).collect();
    for &key in &keys {
        net.operate(0, |node, ctx| node.lookup(ctx, key));
    }
    net.run(PATIENCE);
    let mut ended = Vec::new();
    let (mut right, mut wrong) = (0, 0);
    for (_, up) in std::mem::take(&mut net.ups) {
        let Upcall::LookupDone { id, key, outcome } = up else { panic!("{up:?}") };
        match outcome.owner {
            Some(owner) if owner == net.owner(key) => right += 1,
            Some(_) => wrong += 1,
            None => {}
        }
        ended.push(id);
    }
    assert_eq!(ended.len(), 300, "each ends once");
    ended.sort_unstable();
    ended.dedup();
    assert_eq!(ended.len(), 300, "under its own name");
    (right, wrong)
}

pub(crate) fn many_operations_at_once_each_end_once<D: Subject>() {
    let mut net = Net::<D>::converged(40, 0, 6, D::configs().swap_remove(0));
    let (right, wrong) = many_at_once(&mut net);
    assert!(right >= 200 && wrong == 0, "{right} right, {wrong} wrong");
    net.assert_correct(20);
}

pub(crate) fn many_operations_end_once_in_foul_weather<D: Subject>() {
    let mut net = Net::<D>::converged(40, 0, 6, D::configs().swap_remove(0));
    net.turn(Weather::FOUL);
    let (right, wrong) = many_at_once(&mut net);
    let told = format!("{right} right, {wrong} wrong");
    assert!(right >= 200 && wrong * 100 <= 300 * (100 - D::RIGHT_IN_FOUL_WEATHER), "{told}");
}

pub(crate) fn look_ups_are_observed_and_counted<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(40, 0, 6, config);
        let mut hops = 0;
        for n in 0..30 {
            net.observed.clear();
            let key = key(&net, n);
            let outcome = net.look_up_one(n as usize, key);
            assert_eq!(outcome.timeouts, 0);
            hops += u32::from(outcome.hops);
            let of_applications: Vec<_> = (net.observed.iter())
                .filter_map(|(_, seen)| match *seen {
                    Observation::LookupEnded {
                        hops, timeouts, owner, maintenance: false, ..
                    } => Some((hops, timeouts, owner)),
                    _ => None,
                })
                .collect();
            assert_eq!(of_applications, [(outcome.hops, 0, outcome.owner)]);
        }
        // No path in an overlay of 40 at rest is longer than log2 N + 1, on average.
        assert!(hops <= 30 * 6, "{hops} hops in 30 look-ups");
    }
}
