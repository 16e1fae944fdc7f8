use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::experiment::run::tests::{fake_output, spec};
use crate::scenario::Scenario;

/// What is told of a run that was never simulated: at (seconds), on which host, by whom it was sent,
/// digest (0: none), words.
type Tale = (u64, &'static str, Option<&'static str>, u64, &'static str);

/// A run of which only the tale exists. The second and further times it is told, other events are
/// added.
struct Script {
    hosts: Vec<&'static str>,
    tales: Vec<Tale>,
    later: Vec<Tale>,
    fails: bool,
    times: AtomicU32,
}

impl Script {
    fn new(hosts: &[&'static str], tales: &[Tale]) -> Self {
        Self {
            hosts: hosts.to_vec(),
            tales: tales.to_vec(),
            later: Vec::new(),
            fails: false,
            times: AtomicU32::new(0),
        }
    }

    fn id(&self, name: &str) -> HostId {
        HostId(self.hosts.iter().position(|host| *host == name).unwrap() as u32)
    }
}

impl Subject for Script {
    fn carry_out(
        &self,
        errand: Errand,
        log: LogSink<'_>,
        goes_on: Progress<'_>,
    ) -> Result<(RunOutput, Vec<u64>), Halt> {
        let mut tales = self.tales.clone();
        if self.times.fetch_add(1, Ordering::Relaxed) > 0 {
            tales.extend(&self.later);
            tales.sort_by_key(|tale| tale.0);
        }
        for (at, host, sender, digest, words) in tales {
            let (at, host) = (SimTime::from_secs(at), self.id(host));
            let digest = (digest != 0).then_some(digest);
            if is_told(&errand.logged, at) {
                let sender = sender.map(|name| self.id(name));
                log(&Told { at, host, sender, digest, words: &|| words.to_owned() });
            }
            if !goes_on(at) {
                return Err(Halt::Stopped);
            }
        }
        if self.fails {
            return Err(Halt::Failed("it broke".to_owned()));
        }
        Ok((fake_output(&spec(0, errand.seed)), Vec::new()))
    }

    fn hosts(&self, _seed: u64) -> Result<Vec<String>, Halt> {
        Ok(self.hosts.iter().map(|&host| host.to_owned()).collect())
    }

    fn epoch(&self) -> SimDuration {
        SimDuration::from_secs(10)
    }
}

/// Here everybody is told, from some moment on.
fn is_told(logged: &Logged<String>, at: SimTime) -> bool {
    matches!(logged, Logged::Everybody { from, .. } if *from <= at)
}

fn way(subject: &dyn Subject) -> Way<'_> {
    Way { subject, run: 0, seed: 7, tie_salt: 0 }
}

fn part(first: &dyn Subject, second: &dyn Subject, known: Known) -> Option<Parting> {
    parting([way(first), way(second)], known).unwrap()
}

/// Where they part, as text: time, host, the two versions, how many others there are.
fn told(parting: Option<Parting>) -> String {
    let Some(parting) = parting else { return "no difference".to_owned() };
    let version = |version: &Option<Version>| {
        version.as_ref().map_or("nothing".to_owned(), |it| format!("{} #{}", it.words, it.digest))
    };
    let [first, second] = parting.versions.each_ref().map(version);
    let others = parting.others;
    format!("{} {}: {first} | {second} | {others:?}", parting.at, parting.host)
}

const HOSTS: [&str; 3] = ["alice", "bob", "carol"];
const BASE: [Tale; 5] = [
    (1, "alice", Some("bob"), 11, "ping"),
    (2, "bob", None, 0, "timer"),
    (3, "bob", Some("alice"), 12, "pong"),
    (3, "carol", None, 13, "comes up"),
    (5, "alice", None, 14, "goes"),
];

#[test]
fn the_first_event_that_one_run_does_not_share() {
    let with = |place: usize, tale: Tale| {
        let mut tales = BASE.to_vec();
        tales[place] = tale;
        tales
    };
    let also = |tales: &[Tale]| {
        let mut all = [&BASE[..], tales].concat();
        all.sort_by_key(|tale| tale.0);
        all
    };
    let swapped = [BASE[0], BASE[1], BASE[3], BASE[2], BASE[4]].to_vec();
    for (second, expected) in [
        (BASE.to_vec(), "no difference"),
        (swapped, "no difference"),
        // Timers are not compared.
        (with(1, (2, "carol", None, 0, "another timer")), "no difference"),
        // Same words, another digest.
        (with(2, (3, "bob", Some("alice"), 99, "pong")), "3 bob: pong #12 | pong #99 | [0, 0]"),
        // Earlier than anything of the first run.
        (with(4, (4, "alice", None, 14, "goes")), "4 alice: nothing | goes #14 | [0, 0]"),
        (with(4, (6, "alice", None, 14, "goes")), "5 alice: goes #14 | nothing | [0, 0]"),
        // One run ends before the other.
        (BASE[..4].to_vec(), "5 alice: goes #14 | nothing | [0, 0]"),
        // What happens to another host is not the other version of it, but it is counted.
        (with(2, (3, "carol", Some("alice"), 12, "pong")), "3 bob: pong #12 | nothing | [0, 1]"),
        // The same thing twice is not the same thing once.
        (also(&[BASE[2]]), "3 bob: nothing | pong #12 | [0, 0]"),
        (
            also(&[(3, "bob", None, 20, "x"), (3, "bob", None, 21, "y")]),
            "3 bob: nothing | x #20 | [0, 1]",
        ),
        (Vec::new(), "1 alice: ping #11 | nothing | [0, 0]"),
    ] {
        let (base, other) = (Script::new(&HOSTS, &BASE), Script::new(&HOSTS, &second));
        for known in [Known::Nothing, Known::SameBefore(SimTime::from_secs(1))] {
            assert_eq!(told(part(&base, &other, known)), expected, "{known:?}");
        }
    }
}

#[test]
fn the_other_way_round_is_the_other_way_round() {
    let second = [(1, "alice", Some("bob"), 11, "ping"), (3, "carol", None, 13, "comes up")];
    let (first, second) = (Script::new(&HOSTS, &BASE), Script::new(&HOSTS, &second));
    let there = part(&first, &second, Known::Nothing).unwrap();
    let mut back = part(&second, &first, Known::Nothing).unwrap();
    back.versions.reverse();
    back.before.reverse();
    back.others.reverse();
    assert_eq!(there, back);
}

#[test]
fn what_was_before_concerns_the_hosts_of_the_event() {
    let mut first = BASE.to_vec();
    first.extend([(6, "bob", None, 0, "timer: again"), (6, "bob", Some("carol"), 15, "hello")]);
    let second = [&BASE[..], &[(6, "bob", Some("carol"), 16, "bye")]].concat();
    let (first, second) = (Script::new(&HOSTS, &first), Script::new(&HOSTS, &second));
    let parting = part(&first, &second, Known::SameBefore(SimTime::from_secs(6))).unwrap();
    let words = |side: usize| {
        parting.before[side].iter().map(|line| line.words.as_str()).collect::<Vec<_>>()
    };
    // All that bob and carol had to do with, timers too; not that alice goes.
    assert_eq!(words(0), ["ping", "timer", "pong", "comes up", "timer: again"]);
    assert_eq!(words(1), ["ping", "timer", "pong", "comes up"]);
}

#[test]
fn only_the_last_lines_are_kept_of_a_long_run() {
    let many: Vec<Tale> = (1..=3 * RECENT as u64).map(|at| (at, "bob", None, at, "x")).collect();
    let longer = [&many[..], &[(20_000, "bob", None, 1, "y")]].concat();
    let (first, second) = (Script::new(&HOSTS, &many), Script::new(&HOSTS, &longer));
    let parting = part(&first, &second, Known::Nothing).unwrap();
    let times: Vec<SimTime> = parting.before[1].iter().map(|line| line.at).collect();
    let last = 3 * RECENT as u64;
    let expected: Vec<_> = (last - LINES as u64 + 1..=last).map(SimTime::from_secs).collect();
    assert_eq!((parting.at, times), (SimTime::from_secs(20_000), expected));
}

#[test]
fn hosts_are_known_by_their_names() {
    // One more host, whose name comes first: all others have another number.
    let more = ["aaron", "alice", "bob", "carol"];
    let same = Script::new(&more, &BASE);
    assert_eq!(told(part(&Script::new(&HOSTS, &BASE), &same, Known::Nothing)), "no difference");
    let also = [&[(0, "aaron", None, 10, "comes up")], &BASE[..]].concat();
    let found = part(&Script::new(&HOSTS, &BASE), &Script::new(&more, &also), Known::Nothing);
    assert_eq!(told(found), "0 aaron: nothing | comes up #10 | [0, 0]");
}

#[test]
fn what_does_not_repeat_itself_is_compared_from_the_start() {
    // Both were the same until 3 s when they were carried out; repeated, one differs at 1 s.
    let changing =
        || Script { later: vec![(1, "bob", None, 50, "odd")], ..Script::new(&HOSTS, &BASE) };
    let other = [&BASE[..4], &[(4, "alice", None, 15, "stays")]].concat();
    let found =
        part(&changing(), &Script::new(&HOSTS, &other), Known::SameBefore(SimTime::from_secs(3)));
    assert_eq!(told(found), "1 bob: odd #50 | nothing | [0, 0]");
    // It differs from the first time on when nothing is taken for granted.
    let found = part(&changing(), &Script::new(&HOSTS, &other), Known::Nothing);
    assert_eq!(told(found), "4 alice: nothing | stays #15 | [0, 0]");
}

#[test]
fn a_run_that_fails_is_no_run_that_parts() {
    let failing = Script { fails: true, ..Script::new(&HOSTS, &BASE[..2]) };
    let whole = Script::new(&HOSTS, &BASE);
    let given = parting([way(&failing), way(&whole)], Known::Nothing);
    assert_eq!(given, Err(Halt::Failed("it broke".to_owned())));
    // One that fails after they have parted is stopped before, or not asked any more.
    let far: Vec<Tale> = (1..9_000).map(|at| (at, "bob", None, at, "x")).collect();
    let failing = Script { fails: true, ..Script::new(&HOSTS, &far) };
    let found = part(&failing, &whole, Known::Nothing);
    assert_eq!(told(found), "1 bob: x #1 | nothing | [0, 1]");
}

#[test]
fn epochs_tell_from_when_on_runs_differ() {
    for (first, second, expected) in [
        (&[1, 2, 3][..], &[1, 2, 3][..], None),
        (&[1, 2, 3], &[1, 5, 3], Some(1)),
        (&[1, 2, 3], &[1, 2], Some(2)),
        (&[], &[1], Some(0)),
    ] {
        assert_eq!(first_different_epoch(first, second), expected);
        let script = Script::new(&HOSTS, &BASE);
        let before = same_before([way(&script), way(&script)], [first, second]);
        assert_eq!(before, expected.map(|epoch| SimTime::from_secs(10 * epoch as u64)));
    }
}

/// Twelve nodes for half an hour, with whatever is added.
fn simulator(more: &str) -> Simulator {
    let text = format!(
        "name = 'small'\nseed = 3\nduration = '30m'\nwarmup = '1m'\n\
         [dns]\n[[dns.resolver]]\nname = 'isp'\n[dyndns]\n[overlay]\nnodes = 12\n[handover]\n\
         [[caller]]\ndomain = 'a.example'\nlookups = {{ interval = '20s' }}\n{more}"
    );
    let scenario = Scenario::parse("small.toml", text.as_bytes(), Path::new("."), &[])
        .unwrap_or_else(|report| panic!("{report}"));
    Simulator::new(scenario.plan, None, true)
}

/// The digests of the epochs of a run.
fn epochs(simulator: &Simulator) -> Vec<u64> {
    let errand = Errand { run: 0, seed: 3, tie_salt: 0, logged: Logged::Nobody };
    simulator.carry_out(errand, &mut |_| {}, &mut |_| true).unwrap().1
}

#[test]
fn simulated_runs_part_where_the_script_parts_them() {
    let plain = simulator("");
    let scripted =
        simulator("[[event]]\nat = '700s'\naction = 'depart'\nhost = 'node-00004'\nfor = '5m'\n");
    let ways = [&plain, &scripted].map(|it| Way { seed: 3, ..way(it) });
    let epochs = [&plain, &scripted].map(epochs);
    // Epochs are 18 s long, a hundredth of half an hour; the 38th ends at 702 s.
    let before = same_before(ways, [&epochs[0], &epochs[1]]).unwrap();
    assert_eq!(before, SimTime::from_secs(684));
    for known in [Known::SameBefore(before), Known::Nothing] {
        let found = parting(ways, known).unwrap().unwrap();
        assert_eq!((found.at, found.host.as_str()), (SimTime::from_secs(700), "node-00004"));
        assert_eq!(found.versions[0], None);
        assert_eq!(found.versions[1].as_ref().unwrap().words, "node-00004: goes");
        // Eleven others and the resolvers go on: what both did before on that host is the same.
        let lines = |side: usize| {
            found.before[side].iter().filter(|line| line.at < found.at).collect::<Vec<_>>()
        };
        assert!(!lines(0).is_empty() && lines(0).ends_with(&lines(1)), "{found:#?}");
        assert!(found.before[0].iter().all(|line| line.words.contains("node-00004")));
    }
    let other_length = simulator("").plan().clone();
    let longer =
        crate::scenario::Plan { duration: Some(SimDuration::from_secs(3600)), ..other_length };
    let longer = Simulator::new(longer, None, true);
    let ways = [&plain, &longer].map(|it| Way { seed: 3, ..way(it) });
    assert_eq!(same_before(ways, [&epochs[0], &epochs[1]]), Some(SimTime::ZERO));
    let found = parting(ways, Known::SameBefore(SimTime::ZERO)).unwrap().unwrap();
    assert!(found.at >= SimTime::from_secs(1800) && found.versions[0].is_none(), "{found:?}");
}

#[test]
fn all_that_is_told_of_everybody_adds_up_to_the_fingerprint() {
    use crate::sim::Fingerprint;
    let simulator = simulator("[churn]\nsession_mean = '10m'\ndowntime_mean = '5m'\n");
    let epoch = simulator.epoch();
    let (mut datagrams, mut observations) = (Fingerprint::new(epoch), Fingerprint::new(epoch));
    let errand = |logged| Errand { run: 0, seed: 3, tie_salt: 0, logged };
    let mut log = |told: &Told<'_>| {
        // What a host observes begins with its name and a colon, a datagram with its way.
        let words = (told.words)();
        let sum = if words.contains(" -> ") { &mut datagrams } else { &mut observations };
        if let Some(digest) = told.digest {
            sum.add(told.at, told.host, digest);
        }
    };
    let everybody = errand(Logged::everybody_from(SimTime::ZERO));
    let (output, _) = simulator.carry_out(everybody, &mut log, &mut |_| true).unwrap();
    let told = crate::rng::mix2(datagrams.digest(), observations.digest());
    assert_eq!(told, output.fingerprint);
    let quiet = simulator.carry_out(errand(Logged::Nobody), &mut |_| panic!(), &mut |_| true);
    assert_eq!(quiet.unwrap().0, output, "to be watched changes nothing");
}

#[test]
fn a_window_tells_what_happens_in_it_and_a_host_what_happens_to_it() {
    let simulator = simulator("");
    let four =
        HostId(simulator.hosts(3).unwrap().binary_search(&"node-00004".into()).unwrap() as u32);
    let lines = |logged| {
        let errand = Errand { run: 0, seed: 3, tie_salt: 0, logged };
        let mut lines = Vec::new();
        let mut log = |told: &Told<'_>| {
            let concerned = told.host == four || told.sender == Some(four);
            lines.push((told.at, concerned, told.to_string()));
        };
        simulator.carry_out(errand, &mut log, &mut |_| true).unwrap();
        lines
    };
    let (from, until) = (SimTime::from_secs(300), SimTime::from_secs(360));
    let all = lines(Logged::everybody_from(SimTime::ZERO));
    let window = lines(Logged::Everybody { from, until });
    let expected: Vec<_> =
        all.iter().filter(|(at, ..)| (from..=until).contains(at)).cloned().collect();
    assert!(!window.is_empty() && window.len() < all.len());
    assert!(window == expected, "{} lines, not {}", window.len(), expected.len());
    let host = lines(Logged::Host("node-00004".to_owned()));
    let expected: Vec<_> = all.iter().filter(|(_, concerned, _)| *concerned).cloned().collect();
    assert!(!host.is_empty());
    assert!(host == expected, "{} lines, not {}", host.len(), expected.len());
}
