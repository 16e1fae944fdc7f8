//! Records: versions, lifetimes, replicas.

use super::network::{Net, Weather};
use super::{SimDuration, Subject};
use crate::overlay::{PutOutcome, Record, RingId};

const SECOND: SimDuration = SimDuration::from_secs(1);

/// Longer than any of these tests.
const LIFETIME: SimDuration = SimDuration::from_secs(1_000_000);

fn record(key: u64, version: u64, value: &[u8]) -> Record {
    Record { key: RingId(key << 56), version, lifetime: LIFETIME, value: value.into() }
}

fn default<D: Subject>() -> D::Config {
    D::configs().swap_remove(0)
}

pub(crate) fn versions_are_won_once_and_lifetimes_end<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(6, 0, 8, config);
        let brief =
            |version, value| Record { lifetime: SECOND * 3_600, ..record(5, version, value) };
        assert_eq!(net.put(0, brief(2, b"a")), PutOutcome::Stored);
        assert_eq!(net.put(1, brief(2, b"b")), PutOutcome::Outdated);
        assert_eq!(net.put(1, brief(1, b"c")), PutOutcome::Outdated);
        assert_eq!(net.put(1, brief(2, b"a")), PutOutcome::Stored, "renewed");
        let key = RingId(5 << 56);
        let found = net.get(3, key).expect("it was stored");
        assert_eq!((found.version, &found.value[..], found.key), (2, &b"a"[..], key));
        // Renewed a minute ago at most: put and get took half a minute each.
        let left = found.lifetime;
        assert!(left <= SECOND * 3_600 && left >= SECOND * 3_539, "{left:?}");
        assert_eq!(net.put(1, brief(3, b"d")), PutOutcome::Stored);
        for from in 0..6 {
            assert_eq!(&net.get(from, key).expect("it was stored").value[..], b"d");
        }
        net.run(SECOND * 3_600);
        assert_eq!(net.get(4, key), None);
        assert_eq!(net.holders(), [0; 0]);
    }
}

pub(crate) fn records_are_held_by_the_owner_and_its_replicas<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(12, 0, 8, config);
        for key in 0..16 {
            let one = record(key * 16 + 3, 1, b"proxy");
            assert_eq!(net.put((key % 12) as usize, one), PutOutcome::Stored);
        }
        let held: usize = net.nodes.iter().flatten().map(D::records).sum();
        assert_eq!(held, 16 * D::replicas(12));
        for key in 0..16 {
            let key = RingId((key * 16 + 3) << 56);
            assert!(net.node(net.owner(key).index() as usize).records() > 0);
        }
        assert_eq!(net.get(5, RingId(0x7700_0000_0000_0000)), None);
    }
}

pub(crate) fn records_follow_joins_crashes_and_leaves<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(12, 6, 8, config);
        let keys: Vec<u64> = (0..16).map(|i| i * 16 + 3).collect();
        for &key in &keys {
            net.put((key % 12) as usize, record(key, 1, b"proxy"));
        }
        (12..18).for_each(|i| net.join(i, &[1]));
        net.run(D::REPAIRED);
        net.crash(3);
        net.leave(4);
        net.run(D::REPAIRED);
        net.crash(5);
        net.run(D::REPAIRED);
        for &key in &keys {
            let owner = net.owner(RingId(key << 56)).index() as usize;
            assert!(net.node(owner).records() > 0, "{key}");
            let found = net.get(13, RingId(key << 56)).expect("still there");
            assert_eq!((found.version, &found.value[..]), (1, &b"proxy"[..]));
        }
        // A newcomer that owns a key decides on its versions.
        for &key in &keys {
            assert_eq!(net.put(14, record(key, 1, b"other")), PutOutcome::Outdated, "{key}");
        }
    }
}

/// Whoever is not answered asks again, as a host does.
pub(crate) fn records_are_kept_in_foul_weather<D: Subject>() {
    for config in D::configs() {
        let mut net = Net::<D>::converged(12, 0, 8, config.clone());
        net.turn(Weather::FOUL);
        for key in 0..16u64 {
            let stored = (0..5).any(|_| {
                let one = record(key * 16 + 3, 1, b"proxy");
                net.put((key % 12) as usize, one) == PutOutcome::Stored
            });
            assert!(stored, "{config:?}: {key}");
        }
        for crashed in [3, 5] {
            net.run(D::REPAIRED);
            net.crash(crashed);
        }
        net.run(D::REPAIRED);
        for key in 0..16 {
            let found = (0..5).find_map(|_| net.get(7, RingId((key * 16 + 3) << 56)));
            assert_eq!(found.map(|it| it.version), Some(1), "{config:?}: {key}");
        }
    }
}

pub(crate) fn all_holders_but_one_die_at_once<D: Subject>() {
    for survivor in 0..4 {
        let mut net = Net::<D>::converged(20, 0, 8, default::<D>());
        net.put(0, record(9, 1, b"x"));
        let mut holders = net.holders();
        assert_eq!(holders.len(), D::replicas(20));
        holders.remove(survivor);
        holders.iter().for_each(|&i| net.crash(i));
        net.run(D::REPAIRED);
        let members = net.members();
        let asker = members[members.len() - 1];
        assert!(net.get(asker, RingId(9 << 56)).is_some(), "survivor {survivor}");
        assert!(net.holders().len() >= D::replicas(members.len()), "{:?}", net.holders());
    }
}

pub(crate) fn the_last_member_to_leave_has_what_all_others_handed_over<D: Subject>() {
    let mut net = Net::<D>::converged(12, 0, 8, default::<D>());
    for key in 0..8 {
        net.put(1, record(key * 32 + 1, 1, b"x"));
    }
    for i in 0..11 {
        net.leave(i);
        net.run(SECOND * 5);
    }
    assert_eq!(net.members(), [11]);
    for key in 0..8 {
        assert!(net.get(11, RingId((key * 32 + 1) << 56)).is_some(), "{key}");
    }
}

pub(crate) fn the_longest_value_travels<D: Subject>() {
    let mut net = Net::<D>::converged(12, 0, 8, default::<D>());
    let value = vec![7; Record::MAX_VALUE];
    for key in 0..3 {
        assert_eq!(net.put(2, record(key, 1, &value)), PutOutcome::Stored);
        let found = net.get(9, RingId(key << 56)).expect("it was stored");
        assert_eq!(&found.value[..], &value[..]);
    }
}

pub(crate) fn a_member_alone_stores_for_itself<D: Subject>() {
    let mut net = Net::<D>::outside(2, 8, default::<D>());
    net.found(0);
    assert_eq!(net.put(0, record(1, 1, b"x")), PutOutcome::Stored);
    assert_eq!(net.put(0, record(1, 1, b"y")), PutOutcome::Outdated);
    assert!(net.get(0, RingId(1 << 56)).is_some());
    assert_eq!(net.get(0, RingId(2 << 56)), None);
    // Who joins afterwards finds it.
    net.join(1, &[0]);
    net.run(SECOND * 30);
    assert_eq!(&net.get(1, RingId(1 << 56)).expect("it was stored").value[..], b"x");
}
