//! The files of a study and the final table, from fake and from lifelike runs.

use super::*;
use crate::experiment::cell::{CellSpec, StudyPoint};
use crate::experiment::manifest::Circumstances;
use crate::experiment::run::tests::{fake_output, fake_requests, study};
use crate::experiment::summary::{Theory, summarise};
use crate::metrics::headline::{Asked, RequestTally, Tally, headline};
use crate::metrics::tables::{
    Anatomy, Cause, Closed, DepartureRow, HandoverRow, RequestMethod, RequestOutcome, RequestRow,
    RunOutput, SignallingRow, StaleRow, TimelineRow,
};
use crate::net::ledger::{Direction, Protocol, Purpose};
use crate::rng::{self, Dice, Draws, NameHash};
use crate::time::{SimDuration, SimTime};

/// A run that looks like one: twelve hours, a departure about every quarter of an hour, eight
/// resolvers that ask often and cache for a minute.
fn lifelike(spec: &CellSpec) -> RunOutput {
    let draws = Draws::new(spec.seed, rng::Purpose::Protocol);
    let mut dice = Dice::new(draws, NameHash::of("lifelike"));
    let mut output = fake_output(spec);
    let (episode, window) = (output.handovers[1].clone(), output.stale[0].clone());
    (output.handovers, output.stale) = (Vec::new(), Vec::new());
    let mut now = SimTime::ZERO;
    let mut seconds = |upto: f64| SimDuration::from_secs_f64(upto * dice.unit());
    loop {
        now = now + seconds(1800.0) + SimDuration::from_secs(1);
        if now > SimTime::from_secs(12 * 3600) {
            break;
        }
        let detect = seconds(40.0);
        let (claim, update) = (SimDuration::from_secs(5), seconds(1.0));
        let publish = SimDuration::from_millis(200);
        let gap = detect + claim + update + publish;
        for resolver in 1..=8 {
            let left = seconds(70.0).saturating_sub(SimDuration::from_secs(10));
            let resolver = format!("isp-{resolver}");
            let window_here = if left.is_zero() { left } else { gap + left };
            let row = StaleRow { resolver, ended: now, window: window_here, ..window.clone() };
            output.stale.push(row);
        }
        let (cache, ask, recover) = (seconds(60.0), seconds(15.0), seconds(0.5));
        let anatomy = Anatomy { detect, claim, update, publish, cache, ask, recover };
        let closed =
            if seconds(1.0).as_secs_f64() < 0.1 { Closed::Unasked } else { Closed::Lookup };
        output.handovers.push(HandoverRow { opened: now, anatomy, closed, ..episode.clone() });
    }
    output.timeline = timeline(&output);
    output.signalling = signalling();
    let tally = Tally {
        leaves: 2150,
        departures: output.handovers.len() as u64 - 3,
        observed: SimDuration::from_secs(11 * 3600),
        stale_share: Some(0.0217),
        stale_answers: 913,
        answers: 48_211,
        claimants: vec![3; 40],
        updates: 131,
        late_claims: 88,
        split_brain: SimDuration::from_secs(412),
        asked: Asked::Lookups(8640),
        node_hours: 2200.0,
        lookup_hops_mean: Some(3.9),
        lookup_failures: 17,
        ..Tally::default()
    };
    let (handovers, stale) = (&output.handovers, &output.stale);
    output.headline = headline(spec.warmup, handovers, stale, &output.signalling, &tally);
    output
}

fn timeline(output: &RunOutput) -> Vec<TimelineRow> {
    let bin = |index: u64| {
        let time = SimTime::from_secs(index * 86);
        let stale = |row: &&StaleRow| row.ended <= time && time < row.ended + row.window;
        let gap = |row: &&HandoverRow| {
            let gap = row.anatomy.restore() - row.anatomy.cache;
            row.opened <= time && time < row.opened + gap
        };
        TimelineRow {
            time,
            members: 200,
            believers: 1,
            binding_valid: output.handovers.iter().filter(gap).count() == 0,
            stale_resolvers: output.stale.iter().filter(stale).count() as u32,
            resolvers: 8,
            overlays: 1,
            messages: 1000,
        }
    };
    (1..=502).map(bin).collect()
}

fn signalling() -> Vec<SignallingRow> {
    let row = |(protocol, purpose, messages, size)| SignallingRow {
        protocol,
        purpose,
        direction: Direction::Sent,
        messages,
        bytes: messages * size,
    };
    let rows = [
        (Protocol::Chord, Purpose::OverlayMaintenance, 14_432_110, 96),
        (Protocol::Chord, Purpose::OverlayLookup, 312_900, 88),
        (Protocol::Tcp, Purpose::Probe, 791_000, 60),
        (Protocol::Icmp, Purpose::Probe, 263_000, 84),
        (Protocol::Dns, Purpose::DnsClient, 176_000, 82),
        (Protocol::Dns, Purpose::DnsUpstream, 15_840, 82),
        (Protocol::Http, Purpose::DynDns, 393, 300),
    ];
    rows.map(row).into()
}

/// The same with callers who ask every ten seconds: nearly all fails during an outage, and some
/// callees are away.
fn asking(spec: &CellSpec) -> RunOutput {
    let mut output = lifelike(spec);
    let draws = Draws::new(spec.seed, rng::Purpose::Protocol);
    let mut dice = Dice::new(draws, NameHash::of("asking"));
    let departed = |row: &HandoverRow| DepartureRow { time: row.opened };
    output.departures = output.handovers.iter().map(departed).collect();
    for second in (3600..12 * 3600).step_by(10) {
        let time = SimTime::from_secs(second);
        let out =
            |row: &HandoverRow| row.opened <= time && time < row.opened + row.anatomy.outage();
        let broken = output.handovers.iter().any(out) && dice.unit() < 0.9;
        let away = dice.unit() < 0.02;
        let (outcome, cause, delay) = match (broken, away) {
            (_, true) => (RequestOutcome::Status(408), Some(Cause::Callee), 30_000),
            (true, _) => (RequestOutcome::Status(408), Some(Cause::Interop), 30_000),
            _ => (RequestOutcome::Status(200), None, 120),
        };
        let caller = if dice.unit() < 0.7 { "deebee.dsl.ru.ac.za" } else { "b.example" };
        output.requests.push(RequestRow {
            time,
            caller: caller.into(),
            method: RequestMethod::Message,
            outcome,
            cause,
            delay: Some(SimDuration::from_millis(delay)),
            stale: Some(broken),
        });
    }
    for (index, row) in output.handovers.iter_mut().enumerate() {
        row.caller = ["deebee.dsl.ru.ac.za", "b.example"][index % 2].into();
    }
    with_headline(output, spec)
}

/// The headline metrics of the rows, of callers who send requests.
fn with_headline(output: RunOutput, spec: &CellSpec) -> RunOutput {
    let asked = Asked::Requests(RequestTally::of(&output.requests));
    let tally = Tally {
        departures: output.departures.len() as u64,
        observed: SimDuration::from_secs(11 * 3600),
        node_hours: 200.0,
        asked,
        ..Tally::default()
    };
    let (handovers, stale) = (&output.handovers, &output.stale);
    let headline = headline(spec.warmup, handovers, stale, &output.signalling, &tally);
    RunOutput { headline, ..output }
}

/// The fake run with a few requests and departures at 50 s and 200 s.
fn fake_asking(spec: &CellSpec) -> RunOutput {
    let mut output = fake_output(spec);
    output.requests = fake_requests(spec.seed);
    let at = |seconds| DepartureRow { time: SimTime::from_secs(seconds) };
    output.departures = vec![at(50), at(200)];
    with_headline(output, spec)
}

fn of_requests(study: &Study, run: fn(&CellSpec) -> RunOutput) -> (Outcome, Summary) {
    let outputs: Vec<_> = study.cells.iter().map(run).collect();
    let summary = summarise(study, &outputs, &[]);
    (Outcome { outputs, failures: Vec::new(), loaded: 0 }, summary)
}

fn files_of_requests(study: &Study, run: fn(&CellSpec) -> RunOutput) -> Vec<TextFile> {
    let (outcome, summary) = of_requests(study, run);
    files(study, &outcome, &summary, None)
}

fn carried(study: &Study) -> (Outcome, Summary) {
    let outputs: Vec<_> = study.cells.iter().map(lifelike).collect();
    let theory = [Theory {
        point: 0,
        metric: "stale_window.mean".into(),
        value: 52.5,
        assumption_broken: Some("detection is not uniform".into()),
    }];
    let summary = summarise(study, &outputs, &theory);
    (Outcome { outputs, failures: Vec::new(), loaded: 1 }, summary)
}

fn sweep() -> Study {
    let mut study = study(4);
    study.varied = vec!["dns.ttl".into()];
    for (spec, ttl) in study.cells.iter_mut().zip(["5s", "30s", "60s", "300s"]) {
        spec.point = spec.run;
        spec.varied = vec![ttl.into()];
    }
    let point =
        |spec: &CellSpec| StudyPoint { varied: spec.varied.clone(), ..study.points[0].clone() };
    study.points = study.cells.iter().map(point).collect();
    study
}

fn curve() -> Curve {
    Curve {
        label: "gap + U(0, 60 s)".into(),
        points: vec![(0.0, 0.15), (20.0, 0.15), (100.0, 1.0)],
    }
}

fn all_files(study: &Study) -> Vec<TextFile> {
    let (outcome, summary) = carried(study);
    files(study, &outcome, &summary, Some(&curve()))
}

/// The study of the fake runs, whose numbers are easy to follow.
fn plain(study: &Study) -> (Outcome, Summary) {
    let outputs: Vec<_> = study.cells.iter().map(fake_output).collect();
    let theory = [Theory {
        point: 0,
        metric: "stale_window.mean".into(),
        value: 18.0,
        assumption_broken: Some("detection is not uniform".into()),
    }];
    let summary = summarise(study, &outputs, &theory);
    (Outcome { outputs, failures: Vec::new(), loaded: 0 }, summary)
}

fn figure_table(name: &str) -> String {
    let study = study(1);
    let (outcome, summary) = plain(&study);
    let files = files(&study, &outcome, &summary, None);
    files.into_iter().find(|file| file.name == format!("figures/{name}.csv")).unwrap().text
}

#[test]
fn each_figure_has_its_table_beside_it() {
    for study in [study(1), study(10), sweep(), study(0)] {
        let files = all_files(&study);
        assert_eq!(files, all_files(&study), "the same again");
        let of_kind = |end: &str| files.iter().filter(|file| file.name.ends_with(end)).count();
        // Four figures, and in a sweep one of each metric that it may have but the failed requests.
        let figures = if study.points.len() > 1 { 4 + 8 } else { 4 };
        // Six tables of the study, and their codebook.
        assert_eq!(
            (of_kind(".csv"), of_kind(".json"), of_kind(".toml")),
            (7 + figures, 1, 1 + study.points.len())
        );
        let images: Vec<_> = files.iter().filter(|file| file.name.ends_with(".svg")).collect();
        assert_eq!(images.len(), figures);
        for image in images {
            let table = image.name.replace(".svg", ".csv");
            assert!(files.iter().any(|file| file.name == table), "{table}");
            assert!(image.text.starts_with("<svg") && image.text.ends_with("</svg>\n"));
        }
    }
}

/// The bytes of the figures may change only when their drawing is changed.
#[test]
fn figures_have_the_bytes_that_they_had() {
    let digest = |files: Vec<TextFile>| {
        let images = files.iter().filter(|file| file.name.ends_with(".svg"));
        let mut hasher = blake3::Hasher::new();
        images.for_each(|image| {
            hasher.update(image.text.as_bytes());
        });
        hasher.finalize().to_hex()[..16].to_owned()
    };
    let digests = [digest(all_files(&study(1))), digest(all_files(&sweep()))];
    assert_eq!(digests, ["e023f24660db3378", "7273eb351c21991f"]);
    let failures = |study: &Study| {
        let files = files_of_requests(study, asking).into_iter();
        digest(files.filter(|file| file.name == "figures/failures.svg").collect())
    };
    assert_eq!([failures(&study(1)), failures(&sweep())], ["ea83e2dd03f37002", "a5948c36e803b6ea"]);
}

#[test]
fn requests_have_a_table_and_a_figure_only_where_there_are_callers_who_send_them() {
    let names = |files: Vec<TextFile>| files.into_iter().map(|file| file.name).collect::<Vec<_>>();
    let (with, without) =
        (names(files_of_requests(&study(2), fake_asking)), names(all_files(&study(2))));
    let more: Vec<_> = with.iter().filter(|name| !without.contains(name)).collect();
    assert_eq!(more, ["requests.csv", "figures/failures.svg", "figures/failures.csv"]);
    // Also when nobody asked.
    let none = |spec: &CellSpec| {
        with_headline(RunOutput { requests: Vec::new(), ..fake_asking(spec) }, spec)
    };
    assert_eq!(names(files_of_requests(&study(2), none)), with);
}

fn text_of_requests(name: &str) -> String {
    let files = files_of_requests(&study(1), fake_asking);
    files.into_iter().find(|file| file.name == name).unwrap().text
}

#[test]
fn the_tables_of_requests() {
    assert_eq!(
        text_of_requests("requests.csv"),
        "run,time_s,caller,method,outcome,cause,delay_s,stale\n\
         0,205,ru.ac.za,MESSAGE,timeout,interop,32,true\n\
         0,240,ru.ac.za,MESSAGE,486,callee,7,false\n\
         0,300,ru.ac.za,MESSAGE,200,,7,false\n\
         0,3590,ru.ac.za,MESSAGE,unfinished,,,false\n"
    );
    let runs = text_of_requests("runs.csv");
    let columns = ",updates,requests,failed_interop,failed_callee,unfinished,request_delay.mean,\
                   request_delay.median,request_delay.p95,request_delay.max,node_hours,";
    assert!(runs.contains(columns), "{runs}");
}

#[test]
fn the_table_of_failures_has_every_request_that_ended() {
    // Began 5 s, 40 s and 100 s after the departure at 200 s; the failure at 5 s makes the bins
    // reach over 15 s, in steps of 0.5 s: 30.
    let text = text_of_requests("figures/failures.csv");
    let lines: Vec<_> = text.lines().filter(|line| !line.contains(",0,0,0,0,0")).collect();
    assert_eq!(
        lines,
        [
            "point,since_departure_s,until_s,requests,failed_interop,failed_callee,\
             share_failed_interop,share_failed_callee",
            ",5,5.5,1,1,0,1,0",
            ",15,,2,0,1,0,0.5",
        ]
    );
    assert_eq!(text.lines().count(), 1 + 30 + 1);
}

#[test]
fn the_final_table_tells_requests_by_cause_and_domain() {
    let table = |study: &Study, run| {
        let (outcome, summary) = of_requests(study, run);
        terminal::table(study, &outcome, &summary, "results/handover/0123")
    };
    let text = table(&study(1), fake_asking);
    let told =
        "requests of callers             4; failed: 33.3 % interop, 33.3 % callee; 1 unfinished\n";
    assert!(text.contains(told), "{text}");
    let domains = "\n                         outage                                    failed:\n\
                   caller domain  episodes  median    mean     p95     max  requests  interop  callee\n\
                   ru.ac.za              1  42.3 s  42.3 s  42.3 s  42.3 s         4   33.3 %  33.3 %\n";
    assert!(text.contains(domains), "{text}");
    // Two domains, also when they only look up.
    let text = table(&study(1), asking);
    assert!(text.contains("\nb.example ") && text.contains("\ndeebee.dsl.ru.ac.za "), "{text}");
    let text = final_table(&study(1), |it| it.handovers[0].caller = "b.example".into());
    assert!(text.contains("\ncaller domain ") && !text.contains("interop"), "{text}");
    let text = table(&sweep(), asking);
    assert!(text.lines().nth(3).unwrap().contains("interop %"), "{text}");
    for text in [table(&study(1), asking), table(&study(10), asking), text] {
        let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }
}

#[test]
fn a_maximum_over_replications_is_the_largest_of_all() {
    // Detect is the seed: 7 s, 8 s and 9 s.
    let (outcome, summary) = plain(&study(3));
    let text = terminal::table(&study(3), &outcome, &summary, "results/handover/0123");
    let line = text.lines().find(|line| line.contains("detect: ")).unwrap();
    let cells: Vec<_> = line.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
    assert_eq!(cells[1..5], ["8 s", "8 s", "8 s", "9 s"], "{line}");
    let point = &summary.points[0];
    assert_eq!((point.mean("detect.max"), point.max("detect.max")), (Some(8.0), Some(9.0)));
}

#[test]
fn the_table_of_the_stale_windows_counts_the_zeros_first() {
    // Windows 37 s and 0 s: half of all are zero, none of those above zero.
    assert_eq!(
        figure_table("stale-window"),
        "point,window_s,windows_not_longer,share_not_longer,share_not_longer_of_those_above_zero\n\
         ,0,1,0.5,0\n\
         ,37,2,1,1\n"
    );
}

#[test]
fn the_table_of_the_anatomy_has_the_complete_episodes_after_the_warm_up() {
    assert_eq!(
        figure_table("handover-anatomy"),
        "episodes_of,episodes,mean_detect_s,mean_claim_s,mean_update_s,mean_publish_s,\
         mean_cache_s,mean_ask_s,mean_recover_s\n\
         all,1,7,5,0.25,0,30,2,0.000000001\n"
    );
}

#[test]
fn the_tables_of_signalling_and_timeline() {
    // 10 messages and 630 bytes in 200 hours of nodes.
    assert_eq!(
        figure_table("signalling"),
        "point,purpose,messages_per_node_hour,bytes_per_node_hour\n,dns-client,0.05,3.15\n"
    );
    // Both episodes opened before the only bin ended; one of two resolvers is stale then.
    assert_eq!(
        figure_table("stale-timeline"),
        "time_s,stale_share,believers,binding_valid,handovers_opened\n300,0.5,1,true,2\n"
    );
}

#[test]
fn the_final_table_is_understood_at_once() {
    let study = study(2);
    let (outcome, summary) = plain(&study);
    let text = terminal::table(&study, &outcome, &summary, "results/handover/0123");
    assert_eq!(text, include_str!("golden_terminal.txt"));
}

#[test]
fn the_final_table_of_a_sweep_has_a_line_a_point_and_names_failures() {
    let study = sweep();
    let (mut outcome, summary) = plain(&study);
    outcome.failures.push(crate::experiment::run::Failure { run: 3, message: "broken".into() });
    let text = terminal::table(&study, &outcome, &summary, "results/handover/0123");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "handover: 4 runs at 4 points");
    assert_eq!(
        lines[2..5],
        [
            "                stale  resolvers'  outage  outage               split  messages",
            "point   ttl  window s     stale %  mean s   p95 s  claimants  brain %   /node h",
            "    0    5s      18.5         0.5    42.3    42.3          2        0      0.05",
        ]
    );
    assert!(text.contains("\nrun 3 FAILED: broken\n"));
}

fn final_table(study: &Study, change: impl Fn(&mut RunOutput)) -> String {
    let mut outputs: Vec<_> = study.cells.iter().map(lifelike).collect();
    outputs.iter_mut().for_each(change);
    let summary = summarise(study, &outputs, &[]);
    let outcome = Outcome { outputs, failures: Vec::new(), loaded: 0 };
    terminal::table(study, &outcome, &summary, "results/handover/0123")
}

#[test]
fn the_final_table_fits_a_terminal() {
    for study in [study(1), study(10), sweep()] {
        let text = final_table(&study, |_| ());
        let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }
}

/// Headline metrics of episodes of which so many were unasked and censored, `publish` zero in all.
fn with_episodes(output: &mut RunOutput, asked: usize, unasked: usize, censored: usize) {
    let mut episode = output.handovers[0].clone();
    episode.opened = SimTime::from_secs(6 * 3600);
    episode.anatomy.publish = SimDuration::ZERO;
    let of = |closed, n| std::iter::repeat_n(HandoverRow { closed, ..episode.clone() }, n);
    output.handovers = of(Closed::Lookup, asked)
        .chain(of(Closed::Unasked, unasked))
        .chain(of(Closed::Censored, censored))
        .collect();
    let (tally, warmup) = (Tally::default(), SimTime::ZERO);
    output.headline = headline(warmup, &output.handovers, &output.stale, &[], &tally);
}

#[test]
fn a_phase_that_is_always_zero_is_zero_unless_the_end_of_the_run_may_have_cut_it() {
    let study = study(1);
    // Of 10 episodes, the median and the 95th percentile of what is zero in all of them.
    let cases = [
        ((4, 6, 0), ["0 s", "0 s", "0 s", "0 s"]),
        ((4, 2, 4), ["0 s", "0 s", "–", "0 s"]),
        ((2, 2, 6), ["–", "0 s", "–", "0 s"]),
    ];
    for ((asked, unasked, censored), expected) in cases {
        let text = final_table(&study, |it| with_episodes(it, asked, unasked, censored));
        let line = text.lines().find(|line| line.contains("publish: ")).unwrap();
        let cells: Vec<_> = line.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
        assert_eq!(cells[1..5], expected, "{text}");
        // At most 4 of 10 are known to end: the 95th percentile of the outage cannot be told.
        assert!(text.contains("\n–: cannot be told"), "{text}");
    }
    let text = final_table(&study, |it| with_episodes(it, 10, 0, 0));
    assert!(!text.contains("Kaplan") && !text.contains("\n–"), "{text}");
    assert!(text.contains("\nshare: of the mean length of a whole episode.\n"), "{text}");
}

#[test]
fn without_handovers_there_is_no_grid_of_dashes() {
    let text = final_table(&study(1), |it| {
        it.stale.clear();
        with_episodes(it, 0, 0, 0);
    });
    assert!(text.contains("\nNo handover to time: "), "{text}");
    assert!(!text.contains("median"), "{text}");
}

#[test]
fn a_study_is_written_whole_and_twice_the_same_but_for_the_manifest() {
    let study = study(2);
    let (outcome, summary) = plain(&study);
    let read = |finished: u64| {
        let circumstances = Circumstances {
            command: vec!["overcord".to_owned()],
            directory: String::new(),
            started: 0,
            finished,
            jobs: 1,
            loaded: 0,
            failures: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), &study.scenario);
        let files = files(&study, &outcome, &summary, None);
        let written = write(&store, &study, &files, &circumstances).unwrap();
        assert_eq!(store.latest(), Some(written.clone()));
        let text = |name: &str| std::fs::read_to_string(written.join(name)).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text("manifest.json")).unwrap();
        for (file, listed) in files.iter().zip(manifest["files"].as_array().unwrap()) {
            let digest = blake3::hash(text(&file.name).as_bytes()).to_hex();
            assert_eq!(
                (&listed["name"], &listed["blake3"]),
                (&file.name.as_str().into(), &digest.as_str().into())
            );
        }
        let contents = files.iter().map(|file| text(&file.name)).collect::<Vec<_>>();
        (contents, manifest["finished"].clone())
    };
    let (first, second) = (read(1), read(2));
    assert_eq!(first.0, second.0);
    assert_ne!(first.1, second.1);
}
