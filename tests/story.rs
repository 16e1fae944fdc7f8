//! Section VI of the paper and the crash that follows: `scenarios/paper.toml`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::path::{Path, PathBuf};

use overcord::experiment::simulator::Simulator;
use overcord::metrics::tables::{Closed, Fate, RunOutput, StoryRow};
use overcord::scenario::Scenario;
use overcord::time::{SimDuration, SimTime};
use tempfile::TempDir;

use command::overcord;

fn paper() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/paper.toml")
}

fn run(assignments: &[&str]) -> RunOutput {
    let assignments: Vec<String> = assignments.iter().map(|&text| text.to_owned()).collect();
    let text = fs::read(paper()).unwrap();
    let scenario = Scenario::parse("paper.toml", &text, Path::new(""), &assignments)
        .unwrap_or_else(|report| panic!("{report}"));
    let seed = scenario.plan.seed;
    Simulator::new(scenario.plan, None, true).run(0, seed, None, &mut |_| {}).unwrap()
}

/// When the first line came about that is from this host and begins so.
fn first(output: &RunOutput, from: &str, what: &str) -> SimTime {
    let is_it = |line: &&StoryRow| line.from == from && line.what.starts_with(what);
    let line = output.told.lines.iter().find(is_it);
    line.unwrap_or_else(|| panic!("{from}: {what}")).time
}

/// The messages whose words have this part: from, to, what, from the second message of the story on
/// that is not before `since`.
fn messages<'a>(output: &'a RunOutput, part: &str, since: u64) -> Vec<(&'a str, &'a str, &'a str)> {
    let lines = output.told.lines.iter().filter(|line| !line.again && line.what.contains(part));
    let later = lines.filter(|line| line.time >= SimTime::from_secs(since));
    later.map(|it| (it.from.as_str(), it.to.as_deref().unwrap_or(""), it.what.as_str())).collect()
}

fn fates(output: &RunOutput) -> Vec<(&str, &str, Fate)> {
    let rows = output.told.subscriptions.iter();
    rows.map(|it| (it.watcher.as_str(), it.peer.as_str(), it.fate)).collect()
}

#[test]
fn every_exchange_of_the_paper_is_met_in_order() {
    let output = run(&[]);
    let unmet: Vec<_> = output.told.exchanges.iter().filter(|it| it.met.is_none()).collect();
    assert!(unmet.is_empty(), "{unmet:#?}");
    let times: Vec<_> = output.told.exchanges.iter().map(|it| it.met).collect();
    assert!(times.is_sorted() && times.len() >= 20, "{times:?}");
}

#[test]
fn messages_go_as_the_paper_tells() {
    let output = run(&[]);
    let (lin, ser, alice, bob) = ("linphone", "deebee.dsl.ru.ac.za", "alice", "bob");
    // From one end to the other and back, each hop once.
    assert_eq!(
        messages(&output, "Hello Bob", 0),
        [
            (lin, ser, "SIP MESSAGE sip:bob@chord.dyndns.org, \"Hello Bob\""),
            // SER has resolved the domain, and leaves the Request-URI as it is.
            (ser, alice, "SIP MESSAGE sip:bob@chord.dyndns.org, \"Hello Bob\""),
            // Alice has looked Bob up, and puts his contact there.
            (alice, bob, "SIP MESSAGE sip:bob@10.128.0.2, \"Hello Bob\""),
        ]
    );
    assert_eq!(
        messages(&output, "Hello linphone", 0),
        [
            (bob, ser, "SIP MESSAGE sip:linphone@deebee.dsl.ru.ac.za, \"Hello linphone\""),
            (ser, lin, "SIP MESSAGE sip:linphone@100.96.0.1, \"Hello linphone\""),
        ]
    );
    let publish = messages(&output, "PUBLISH", 0);
    assert_eq!(publish[0].2, "SIP PUBLISH sip:linphone@deebee.dsl.ru.ac.za, expires 3600, open");
    assert_eq!(publish[1], (ser, lin, "SIP 200 OK (PUBLISH), expires 3600"));
    // Bob's NOTIFY passes SER on its way, which stays in the dialog, and not Alice, who does not.
    let notify = "SIP NOTIFY sip:linphone@100.96.0.1, active, open";
    let notifies: Vec<_> = messages(&output, "NOTIFY sip:linphone", 3_600).into_iter().collect();
    assert_eq!(notifies[..2], [(bob, ser, notify), (ser, lin, notify)]);
    // A presence that has not changed is renewed without a body.
    assert!(publish.contains(&(
        lin,
        ser,
        "SIP PUBLISH sip:linphone@deebee.dsl.ru.ac.za, expires 3600"
    )));
}

#[test]
fn the_anatomy_of_the_handover_adds_up_and_agrees_with_the_story() {
    let output = run(&[]);
    let [episode] = &output.handovers[..] else { panic!("{:?}", output.handovers) };
    let crash = first(&output, "alice", "goes");
    let a = &episode.anatomy;
    assert_eq!(episode.opened, crash);
    assert_eq!(
        (episode.old_address, episode.new_address).map_to_text(),
        ["10.128.0.1", "10.128.0.2"]
    );
    assert_eq!(episode.closed, Closed::Request);
    let noticed = first(&output, "bob", "its tests of 10.128.0.1");
    let claimed = first(&output, "bob", "claims the binding");
    let served = output.told.lines.iter().rfind(|it| it.what.starts_with("serves the binding"));
    let served = served.unwrap().time;
    assert_eq!(a.detect, noticed.since(crash));
    assert_eq!(a.claim, claimed.since(noticed));
    assert_eq!(a.update + a.publish, served.since(claimed));
    assert_eq!(a.detect + a.claim + a.update + a.publish + a.cache, a.restore());
    // A stale answer was cached just before Bob's update: the phase that a shorter TTL shortens.
    assert!(a.cache > SimDuration::from_secs(30), "{:?}", a.cache);
    // It ends when Bob answers the first message that reaches him.
    let arrives = output
        .told
        .lines
        .iter()
        .find(|line| line.to.as_deref() == Some("bob") && line.what.contains("Are you there?"));
    let arrives = arrives.unwrap().time;
    assert_eq!(a.total(), arrives.since(crash));
    assert_eq!(a.restore() + a.recover + a.ask, a.total());
}

/// Two addresses as text.
trait MapToText {
    fn map_to_text(self) -> [String; 2];
}

impl<T: std::fmt::Display> MapToText for (Option<T>, Option<T>) {
    fn map_to_text(self) -> [String; 2] {
        [self.0, self.1].map(|it| it.map_or_else(String::new, |it| it.to_string()))
    }
}

#[test]
fn subscriptions_survive_that_do_not_hang_on_alice() {
    let output = run(&[]);
    assert_eq!(
        fates(&output),
        [
            ("alice", "linphone", Fate::WatcherGone),
            ("bob", "linphone", Fate::Survived),
            ("linphone", "alice", Fate::Lost),
            ("linphone", "bob", Fate::Survived),
        ]
    );
    let told = |index: usize| output.told.subscriptions[index].told.as_str();
    assert!(
        told(1).contains("went straight to 100.64.0.1 (deebee.dsl.ru.ac.za) and was answered 200")
    );
    assert!(
        told(2).contains("was answered 408, since its target is 10.128.0.1 (alice), which is gone")
    );
    let way = "went by 100.64.0.1 (deebee.dsl.ru.ac.za) to 10.128.0.2 (bob) and was answered 200";
    assert!(told(3).contains(way), "{}", told(3));
}

#[test]
fn a_dialog_through_alices_address_dies_with_her_and_one_through_the_name_does_not() {
    let bobs = |record_route: &str| {
        let mut output = run(&[&format!("handover.record_route={record_route}")]);
        let met = output.told.exchanges.iter().all(|it| it.met.is_some());
        assert!(met, "{record_route}: {:?}", output.told.exchanges);
        output.told.subscriptions.remove(3)
    };
    let by_address = bobs("address");
    assert_eq!((by_address.peer.as_str(), by_address.fate), ("bob", Fate::Lost));
    let why = "its route set names 10.128.0.1 (alice), which is gone";
    assert!(by_address.told.contains(why), "{}", by_address.told);
    assert!(by_address.regained.is_some(), "linphone subscribes again, through Bob");
    let by_name = bobs("name");
    assert_eq!((by_name.peer.as_str(), by_name.fate), ("bob", Fate::Survived), "{}", by_name.told);
}

#[test]
fn the_story_is_printed_kept_and_written() {
    let folder = TempDir::new().unwrap();
    let file = paper().display().to_string();
    let (code, out, err) = overcord(folder.path(), &["run", &file]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let all = run(&[]).told.exchanges.len();
    for part in [
        "paper: the story of run 0\n".to_owned(),
        format!("what had to happen: {all} of {all} exchanges\n"),
        " s = restore ".to_owned(),
        "presence subscriptions: 2 of 4 survived a handover\n".to_owned(),
    ] {
        assert!(out.contains(&part), "{part} is missing in {out}");
    }
    let results = folder.path().join("results/paper");
    let study = results.join(fs::read_to_string(results.join("latest")).unwrap().trim());
    let table = |name: &str| fs::read_to_string(study.join(name)).unwrap();
    assert!(table("story.csv").starts_with("run,time_s,from,to,what,again\n0,0,alice,,comes up "));
    let exchanges = table("exchanges.csv");
    assert!(
        exchanges
            .starts_with("run,title,met,time_s,instead\n0,Alice creates the overlay,true,0,\n")
    );
    assert_eq!(exchanges.lines().count(), 1 + all);
    assert_eq!(table("subscriptions.csv").lines().count(), 1 + 4);
    // What is kept tells the same story.
    let (code, again, _) = overcord(folder.path(), &["run", &file]);
    assert_eq!(code, Some(0));
    let story = |out: &str| out.split("\npaper: 1 run").next().unwrap().to_owned();
    assert_eq!(story(&again), story(&out));
}

#[test]
fn an_exchange_that_is_not_met_fails_the_run() {
    let folder = TempDir::new().unwrap();
    let file = paper().display().to_string();
    let set = ["run", &file, "--set", "story.exchange.3.status=404"];
    let (code, out, err) = overcord(folder.path(), &set);
    assert_eq!(code, Some(1));
    assert!(out.contains("what had to happen: 3 of "), "{out}");
    let told = "overcord: paper: run 0: the exchange \"linphone publishes its presence at SER\" was not \
                met: the last such request was answered 200 at ";
    assert!(err.starts_with(told), "{err}");
}

#[test]
fn a_run_that_is_told_is_the_run_that_is_not() {
    let told = run(&[]);
    let text = fs::read_to_string(paper()).unwrap();
    let silent = &text[..text.find("[story]").unwrap()];
    let scenario = Scenario::parse("paper.toml", silent.as_bytes(), Path::new(""), &[]).unwrap();
    let seed = scenario.plan.seed;
    let silent = Simulator::new(scenario.plan, None, true).run(0, seed, None, &mut |_| {}).unwrap();
    assert!(silent.told.is_empty());
    assert_eq!(silent.fingerprint, told.fingerprint);
    assert_eq!(silent.headline, told.headline);
}
