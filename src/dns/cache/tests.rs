//! Life, TTLs served, bounds and replacement, profile by profile.

use super::*;
use crate::address::Address;
use crate::dns::message::{Record, RecordData, Soa};
use crate::dns::profile::Profile;

fn question(rtype: RecordType) -> Question {
    Question::new("chord.dyndns.test".parse().unwrap(), rtype)
}

fn found(address: u32, ttl: u32) -> Reply {
    let answer = Answer::of_addresses(&[Address::from_bits(address)]);
    Reply { answer, ttl: Ttl::from_secs(ttl), soa: None }
}

fn negative(kind: Negative, ttl: u32) -> Reply {
    let name: DomainName = "dyndns.test".parse().unwrap();
    let (ttl, number) = (Ttl::from_secs(ttl), 1);
    let soa = Soa {
        mname: name.clone(),
        rname: name.clone(),
        serial: number,
        refresh: number,
        retry: number,
        expire: number,
        minimum: ttl,
    };
    let soa = Record { name, ttl, data: RecordData::Soa(soa.into()) };
    Reply { answer: Answer::Negative(kind), ttl, soa: Some(soa) }
}

fn millis(at: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(at)
}

#[test]
fn entries_live_and_age_by_the_profile_s_clock() {
    // Stored with TTL 60 at 10.3 s. (profile, ms, TTL served)
    for (profile, at, served) in [
        // Exact: until 70.3 s, rounded down.
        (Profile::Rfc, 10_300, Some(60)),
        (Profile::Rfc, 10_301, Some(59)),
        (Profile::Rfc, 69_300, Some(1)),
        (Profile::Rfc, 69_301, Some(0)),
        (Profile::Rfc, 70_299, Some(0)),
        (Profile::Rfc, 70_300, None),
        // Whole seconds, through the one that begins at 10 + 60: until 71 s.
        (Profile::Unbound, 10_999, Some(60)),
        (Profile::Unbound, 11_000, Some(59)),
        (Profile::Unbound, 69_999, Some(1)),
        (Profile::Unbound, 70_000, Some(0)),
        (Profile::Unbound, 70_999, Some(0)),
        (Profile::Unbound, 71_000, None),
        // Whole seconds, until 70 s.
        (Profile::Bind, 10_999, Some(60)),
        (Profile::Bind, 69_999, Some(1)),
        (Profile::Bind, 70_000, None),
    ] {
        let mut cache = Cache::new(profile.cache_policy());
        cache.store(millis(10_300), &question(RecordType::A), found(1, 60));
        let hit = cache.lookup(millis(at), &question(RecordType::A));
        assert_eq!(hit.map(|hit| hit.reply.ttl.as_secs()), served, "{profile:?} at {at} ms");
    }
}

#[test]
fn ttls_are_held_within_the_profile_s_bounds() {
    let failure = Reply::FAILURE;
    let policy = |profile: Profile| profile.cache_policy();
    let floor = CachePolicy { min_ttl: Ttl::from_secs(300), ..policy(Profile::Rfc) };
    let ceiling = CachePolicy { max_ttl: Ttl::from_secs(30), ..policy(Profile::Rfc) };
    let day = 86_400;
    // (policy, reply, life in seconds when stored at time zero by an exact clock)
    for (policy, reply, life) in [
        (policy(Profile::Rfc), found(1, 0), None),
        (policy(Profile::Rfc), found(1, 2 * day), Some(day)),
        (policy(Profile::Bind), found(1, 2 * day), Some(2 * day)),
        (policy(Profile::Bind), found(1, 8 * day), Some(7 * day)),
        (floor, found(1, 60), Some(300)),
        (floor, found(1, 0), Some(300)),
        (floor, found(1, 600), Some(600)),
        (floor, negative(Negative::NoData, 60), Some(60)),
        (ceiling, found(1, 60), Some(30)),
        (policy(Profile::Rfc), negative(Negative::NxDomain, 60), Some(60)),
        (policy(Profile::Rfc), negative(Negative::NoData, day), Some(10_800)),
        (policy(Profile::Bind), negative(Negative::NoData, day), Some(10_800)),
        (policy(Profile::Unbound), negative(Negative::NoData, day), Some(3_600 + 1)),
        (policy(Profile::Rfc), negative(Negative::NoData, 0), None),
        // unbound 5 s, BIND 1 s, RFC 9520 suggests 5 s.
        (policy(Profile::Rfc), failure.clone(), Some(5)),
        (policy(Profile::Unbound), failure.clone(), Some(5)),
        (policy(Profile::Bind), failure, Some(1)),
    ] {
        let mut cache = Cache::new(policy);
        let expires = cache.store(SimTime::ZERO, &question(RecordType::A), reply.clone());
        let life = life.map(|seconds| SimTime::from_secs(u64::from(seconds)));
        assert_eq!(expires, life, "{reply:?}");
        assert_eq!(cache.lookup(SimTime::ZERO, &question(RecordType::A)).is_some(), life.is_some());
    }
}

#[test]
fn nxdomain_covers_every_type_and_nodata_one() {
    let now = SimTime::ZERO;
    let (a, srv) = (question(RecordType::A), question(RecordType::SRV));
    let mut cache = Cache::new(Profile::Rfc.cache_policy());
    cache.store(now, &a, found(1, 60));
    cache.store(now, &srv, negative(Negative::NoData, 60));
    assert!(cache.lookup(now, &a).unwrap().reply.answer.addresses().next().is_some());
    assert_eq!(cache.answer(now, &srv), Some(&Answer::Negative(Negative::NoData)));

    cache.store(now, &srv, negative(Negative::NxDomain, 60));
    assert_eq!(cache.answer(now, &a), Some(&Answer::Negative(Negative::NxDomain)));

    cache.store(now, &a, found(2, 60));
    assert_eq!(cache.answer(now, &a), Some(&Answer::of_addresses(&[Address::from_bits(2)])));
    assert_eq!(cache.answer(now, &srv), None);
}

#[test]
fn a_failure_replaces_nothing_alive_and_a_ttl_of_zero_ends_what_it_contradicts() {
    let a = question(RecordType::A);
    let mut cache = Cache::new(Profile::Rfc.cache_policy());
    cache.store(SimTime::ZERO, &a, found(1, 60));
    assert_eq!(cache.store(SimTime::from_secs(59), &a, Reply::FAILURE), None);
    assert!(cache.answer(SimTime::from_secs(59), &a).unwrap().addresses().next().is_some());
    assert!(cache.store(SimTime::from_secs(60), &a, Reply::FAILURE).is_some());
    assert_eq!(cache.answer(SimTime::from_secs(60), &a), Some(&Answer::Failure));

    let now = SimTime::from_secs(100);
    assert_eq!(cache.store(now, &a, found(2, 0)), None, "nothing alive, nothing stored");
    cache.store(now, &a, found(1, 60));
    assert_eq!(cache.store(now, &a, found(2, 0)), Some(now));
    assert_eq!(cache.answer(now, &a), None);
}

#[test]
fn refreshing_ahead_starts_when_the_profile_says() {
    let with =
        |profile: Profile| CachePolicy { prefetch: profile.prefetch(), ..profile.cache_policy() };
    // Stored at time zero. (profile, TTL, first second at which a hit refreshes, if any)
    for (profile, ttl, first) in [
        // unbound: from TTL − TTL / 10 on, the tenth rounded down to whole seconds.
        (Profile::Unbound, 59, Some(54)),
        (Profile::Unbound, 60, Some(54)),
        (Profile::Rfc, 60, Some(54)),
        (Profile::Unbound, 5, Some(5)),
        // BIND: 2 s before the end, from a TTL of 9 s on.
        (Profile::Bind, 60, Some(58)),
        (Profile::Bind, 10, Some(8)),
        (Profile::Bind, 9, Some(7)),
        (Profile::Bind, 8, None),
    ] {
        let mut cache = Cache::new(with(profile));
        cache.store(SimTime::ZERO, &question(RecordType::A), found(1, ttl));
        let due = (0..=u64::from(ttl)).find(|&second| {
            let hit = cache.lookup(SimTime::from_secs(second), &question(RecordType::A));
            hit.is_some_and(|hit| hit.prefetch)
        });
        assert_eq!(due, first, "{profile:?} {ttl}");
    }
    let off = Cache::new(Profile::Rfc.cache_policy());
    assert_eq!(off.policy.prefetch, Prefetch::Off);
}

/// RFC 8767 with its timers: a record set of TTL 60 stored at zero, served stale until a day after its
/// end to clients who wait for 1.8 s, and after a failure at once for 30 s.
#[test]
fn what_is_kept_for_want_of_a_fresh_answer() {
    let a = question(RecordType::A);
    let seconds = SimTime::from_secs;
    let stale = |client_timeout| Stale {
        ttl: SimDuration::from_secs(86_400),
        reply_ttl: Ttl::from_secs(30),
        client_timeout,
    };
    let with = |client_timeout| CachePolicy {
        stale: Some(stale(client_timeout)),
        ..Profile::Rfc.cache_policy()
    };
    let mut cache = Cache::new(with(SimDuration::from_millis(1_800)));
    assert_eq!(cache.store(SimTime::ZERO, &a, found(1, 60)), Some(seconds(60)));
    let kept = |cache: &Cache, at| cache.kept(seconds(at), &a).map(|kept| (kept.rests, kept.until));
    let end = seconds(86_460);
    assert_eq!(kept(&cache, 0), Some((None, end)));
    // Alive: a failure of its refresh changes nothing.
    assert_eq!(cache.store(seconds(30), &a, Reply::FAILURE), None);
    assert_eq!(kept(&cache, 30), Some((None, end)));
    for failed in [60, 100] {
        assert_eq!(cache.at_once(seconds(failed), &a), None);
        assert_eq!(cache.store(seconds(failed), &a, Reply::FAILURE), None);
        assert_eq!(kept(&cache, failed), Some((Some(seconds(failed + 30)), end)));
        assert!(cache.at_once(seconds(failed + 29), &a).is_some());
        assert_eq!(kept(&cache, failed + 30), Some((None, end)));
    }
    assert_eq!(kept(&cache, 86_459), Some((None, end)));
    assert_eq!(kept(&cache, 86_460), None);
    // An answer of TTL zero ends that as well.
    assert_eq!(cache.store(seconds(200), &a, found(2, 0)), Some(seconds(200)));
    assert_eq!(kept(&cache, 200), None);

    let mut at_once = Cache::new(with(SimDuration::ZERO));
    assert_eq!(at_once.store(SimTime::ZERO, &a, found(1, 60)), Some(end));
    assert_eq!(kept(&at_once, 100), None, "it is served at once all the time");
    assert_eq!(at_once.store(seconds(200), &a, found(2, 0)), Some(seconds(200)));
    assert_eq!(at_once.at_once(seconds(200), &a), None);
}
