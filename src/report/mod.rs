//! What a study leaves to be read: tables, figures, and the table on the terminal.
//!
//! Everything here is a pure function to text; [`write`] puts it into the store. The same study
//! gives the same bytes, except in `manifest.json`.

use std::path::PathBuf;

use crate::experiment::cell::Study;
use crate::experiment::run::Outcome;
use crate::experiment::store::{Store, StoreError};
use crate::experiment::summary::Summary;
use crate::report::figures::Curve;

mod axis;
mod canvas;
pub mod figures;
pub mod quantity;
pub mod tables;
pub mod terminal;

/// A file of a study: its name, with `/` between folders, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Its name inside the study's folder.
    pub name: String,
    /// Its content.
    pub text: String,
}

impl TextFile {
    /// A file of this name and content.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// All files of a study but the manifest.
#[must_use]
pub fn files(
    study: &Study,
    outcome: &Outcome,
    summary: &Summary,
    curve: Option<&Curve>,
) -> Vec<TextFile> {
    let mut files = vec![
        TextFile::new("scenario.toml", study.as_written.as_str()),
        TextFile::new("effective.toml", study.effective.as_str()),
    ];
    files.extend(tables::tables(study, &outcome.outputs, summary));
    files.extend(figures::figures(study, &outcome.outputs, curve));
    files
}

/// Writes all files of a study and makes it the latest; gives the folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    store: &Store,
    study: &Study,
    files: &[TextFile],
    manifest: &str,
) -> Result<PathBuf, StoreError> {
    let id = study.id();
    for file in files {
        store.write(id, &file.name, file.text.as_bytes())?;
    }
    store.write(id, "manifest.json", manifest.as_bytes())?;
    store.set_latest(id)?;
    Ok(store.study(id))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::experiment::cell::CellSpec;
    use crate::experiment::run::tests::{fake_output, study};
    use crate::experiment::summary::{Theory, summarise};
    use crate::metrics::headline::{Tally, headline};
    use crate::metrics::tables::{
        Anatomy, Closed, HandoverRow, RunOutput, SignallingRow, StaleRow, TimelineRow,
    };
    use crate::net::ledger::{Direction, Protocol, Purpose};
    use crate::rng::{self, Dice, Draws, NameHash};
    use crate::time::{SimDuration, SimTime};

    /// A run that looks like one: twelve hours, a departure about every quarter of an hour, eight
    /// resolvers that ask often and cache for a minute.
    pub(crate) fn lifelike(spec: &CellSpec) -> RunOutput {
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
            requests: 8640,
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
        study
    }

    #[test]
    fn a_study_of_any_size_gives_all_files_and_the_same_ones_again() {
        let curve = Curve {
            label: "gap + U(0, 60 s)".into(),
            points: vec![(0.0, 0.15), (20.0, 0.15), (100.0, 1.0)],
        };
        for (name, study) in
            [("one", study(1)), ("ten", study(10)), ("sweep", sweep()), ("none", study(0))]
        {
            let (outcome, summary) = carried(&study);
            let once = files(&study, &outcome, &summary, Some(&curve));
            assert_eq!(once, files(&study, &outcome, &summary, Some(&curve)), "{name}");
            let of_kind = |end: &str| once.iter().filter(|it| it.name.ends_with(end)).count();
            // Seven tables of the study (one of them JSON), four figures with a table each.
            assert_eq!((of_kind(".svg"), of_kind(".csv"), of_kind(".json")), (4, 10, 1), "{name}");
            let drawn = |it: &&TextFile| it.name.ends_with(".svg");
            let whole = |it: &TextFile| it.text.starts_with("<svg") && it.text.contains("</svg>");
            assert!(once.iter().filter(drawn).all(whole), "{name}");
            let table = terminal::table(&study, &outcome, &summary, "results/handover/latest");
            assert!(table.ends_with("figures  results/handover/latest/figures/*.svg\n"), "{table}");
        }
    }
}
