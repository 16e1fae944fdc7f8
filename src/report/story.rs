//! The story of a run on the terminal: what was said, what had to happen, where the time of the
//! first handover went, and which presence subscriptions it left standing. Of several runs the first
//! is told.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::metrics::tables::{
    Anatomy, Closed, ExchangeRow, Fate, HandoverRow, RunOutput, StoryRow, SubscriptionRow,
};
use crate::report::quantity::number;
use crate::time::{SimDuration, SimTime};

/// The story of the first run, as text; empty where none is told.
#[must_use]
pub fn story(scenario: &str, outputs: &[RunOutput]) -> String {
    let Some(output) = outputs.first().filter(|output| !output.told.is_empty()) else {
        return String::new();
    };
    let mut text = format!("{scenario}: the story of run {}\n\n", output.run);
    sequence(&mut text, &output.told.lines);
    exchanges(&mut text, &output.told.exchanges);
    if let Some(episode) = output.handovers.first() {
        text.push('\n');
        anatomy(&mut text, episode);
    }
    subscriptions(&mut text, &output.told.subscriptions);
    text.push('\n');
    text
}

/// The first exchange of each run that was not met, in a line for standard error. Those behind it
/// were not waited for.
#[must_use]
pub fn unmet(outputs: &[RunOutput]) -> Vec<String> {
    let of_run = |output: &RunOutput| {
        let run = output.run;
        let mut unmet = output.told.exchanges.iter().filter(|it| it.met.is_none());
        let ExchangeRow { title, instead, .. } = unmet.next()?;
        let behind = match unmet.count() {
            0 => String::new(),
            n => format!(" ({n} behind it not looked for)"),
        };
        Some(format!("run {run}: the exchange \"{title}\" was not met: {instead}{behind}"))
    };
    outputs.iter().filter_map(of_run).collect()
}

/// A moment in seconds, to the millisecond.
fn clock(at: SimTime) -> String {
    let millis = millis(at.since(SimTime::ZERO));
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// Whole milliseconds, rounded.
const fn millis(span: SimDuration) -> u64 {
    (span.as_nanos() + 500_000) / 1_000_000
}

fn width<'a>(words: impl Iterator<Item = &'a str>) -> usize {
    words.map(|word| word.chars().count()).max().unwrap_or(0)
}

/// Who says what to whom, a line each. What is sent again since nobody answers is counted.
fn sequence(text: &mut String, lines: &[StoryRow]) {
    let senders = width(lines.iter().map(|line| line.from.as_str()));
    let receivers = width(lines.iter().filter_map(|line| line.to.as_deref()));
    let mut firsts: Vec<(&StoryRow, usize, SimTime)> = Vec::new();
    let mut last_alike = BTreeMap::new();
    for line in lines {
        let place = *last_alike.get(&words(line)).unwrap_or(&firsts.len());
        match firsts.get_mut(place).filter(|_| line.again || is_routine(line)) {
            Some((_, again, until)) => (*again, *until) = (*again + 1, line.time),
            None => {
                last_alike.insert(words(line), firsts.len());
                firsts.push((line, 0, line.time));
            }
        }
    }
    let last = firsts.last().map(|(line, ..)| clock(line.time));
    let times = width(last.iter().map(String::as_str));
    for (StoryRow { time, from, to, what, .. }, again, until) in firsts {
        let (arrow, to) = to.as_ref().map_or(("  ", ""), |to| ("->", to.as_str()));
        let time = clock(*time);
        let _ = write!(text, "{time:>times$}  {from:<senders$} {arrow} {to:<receivers$}  {what}");
        if again > 0 {
            let times = if again == 1 { "once" } else { &format!("{again} times") };
            let _ = write!(text, "  ({times} again, until {})", clock(until));
        }
        text.push('\n');
    }
}

/// What is said over and over again, and tells something only where it stops or goes astray.
fn is_routine(line: &StoryRow) -> bool {
    line.what.starts_with("TURN keep-alive")
}

/// What lines that are the same message have in common.
fn words(line: &StoryRow) -> (&str, Option<&str>, &str) {
    (&line.from, line.to.as_deref(), &line.what)
}

fn exchanges(text: &mut String, exchanges: &[ExchangeRow]) {
    if exchanges.is_empty() {
        return;
    }
    let met = exchanges.iter().filter(|it| it.met.is_some()).count();
    let _ = writeln!(text, "\nwhat had to happen: {met} of {} exchanges", exchanges.len());
    let times = exchanges.iter().filter_map(|it| it.met).map(clock).collect::<Vec<_>>();
    let times = width(times.iter().map(String::as_str));
    for ExchangeRow { title, met, instead } in exchanges {
        let _ = match met {
            Some(at) => writeln!(text, "  ✓ {:>times$}  {title}", clock(*at)),
            None => writeln!(text, "  ✗ {:>times$}  {title}: {instead}", "–"),
        };
    }
}

/// Adds spans up in words, each rounded so that what is shown adds up too.
fn sum(parts: &[(&str, SimDuration)], whole: &str) -> String {
    let (mut exact, mut shown) = (SimDuration::ZERO, 0);
    let mut words = Vec::new();
    for &(name, span) in parts {
        exact += span;
        let upto = millis(exact);
        words.push(format!("{name} {}", seconds(upto - shown)));
        shown = upto;
    }
    format!("{} = {whole} {}", words.join(" + "), seconds(shown))
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03} s", millis / 1_000, millis % 1_000)
}

fn anatomy(text: &mut String, episode: &HandoverRow) {
    let HandoverRow { caller, opened, anatomy, old_address, new_address, closed, .. } = episode;
    let Anatomy { detect, claim, update, publish, cache, ask, recover } = *anatomy;
    let old = old_address.map_or_else(|| "the binding".to_owned(), |old| old.to_string());
    let _ = write!(
        text,
        "the first handover, as {caller} lived it: {old} departed at {} s",
        clock(*opened)
    );
    if let Some(new) = new_address {
        let _ = write!(text, ", {new} took over");
    }
    let phases = [
        ("detect", detect),
        ("claim", claim),
        ("update", update),
        ("publish", publish),
        ("cache", cache),
    ];
    let (restore, outage) = (anatomy.restore(), anatomy.outage());
    let _ = writeln!(text, "\n  {}", sum(&phases, "restore"));
    let _ = writeln!(text, "  {}", sum(&[("restore", restore), ("recover", recover)], "outage"));
    let end = match closed {
        Closed::Request => "a request ended it",
        Closed::Lookup => "a look-up ended it",
        Closed::Unasked => "nobody asked before all was well",
        Closed::Censored => "the run ended before it did",
    };
    let whole = sum(&[("outage", outage), ("ask", ask)], "episode");
    let _ = writeln!(text, "  {whole}: {end}");
}

fn subscriptions(text: &mut String, subscriptions: &[SubscriptionRow]) {
    if subscriptions.is_empty() {
        return;
    }
    let survived = subscriptions.iter().filter(|it| it.fate == Fate::Survived).count();
    let (survived, all) = (number(survived as f64), number(subscriptions.len() as f64));
    let _ = writeln!(text, "\npresence subscriptions: {survived} of {all} survived a handover");
    let name = |it: &SubscriptionRow| format!("{} watches {}", it.watcher, it.peer);
    let names: Vec<_> = subscriptions.iter().map(name).collect();
    let names_width = width(names.iter().map(String::as_str));
    for (row, name) in subscriptions.iter().zip(&names) {
        let granted = row.granted.map(|at| format!("granted at {} s; ", clock(at)));
        let granted = granted.unwrap_or_default();
        let _ = writeln!(text, "  {name:<names_width$}  {granted}{}", row.told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::tests::{fake_output, fake_story, spec};

    fn output() -> RunOutput {
        RunOutput { told: fake_story(), ..fake_output(&spec(0, 7)) }
    }

    #[test]
    fn a_story_is_told() {
        // Of the episode in `fake_output`: 7 + 5 + 0.25 + 0 + 30 s, a nanosecond, and 2 s.
        let expected = "\
tale: the story of run 0

1.500  alice -> bob  SIP MESSAGE sip:bob@a.org
2.000  alice         goes
3.000  carol -> bob  SIP MESSAGE sip:bob@a.org  (2 times again, until 17.001)

what had to happen: 1 of 2 exchanges
  ✓ 1.525  Alice writes to Bob
  ✗     –  Bob writes to Alice: nothing of the kind

the first handover, as ru.ac.za lived it: 10.0.0.1 departed at 50.000 s
  detect 7.000 s + claim 5.000 s + update 0.250 s + publish 0.000 s + cache 30.000 s = restore 42.250 s
  restore 42.250 s + recover 0.000 s = outage 42.250 s
  outage 42.250 s + ask 2.000 s = episode 44.250 s: the run ended before it did

presence subscriptions: 1 of 2 survived a handover
  alice watches bob  granted at 5.000 s; survived: it was renewed
  bob watches alice  never granted: nobody answered

";
        assert_eq!(story("tale", &[output(), output()]), expected);
        assert_eq!(story("tale", &[fake_output(&spec(0, 7))]), "");
        assert_eq!(story("tale", &[]), "");
    }

    #[test]
    fn what_is_shown_adds_up() {
        // Three times 0.4 ms are 1.2 ms: rounded one by one they would show as nothing.
        let part = ("part", SimDuration::from_nanos(400_000));
        let told = sum(&[part, part, part], "whole");
        assert_eq!(told, "part 0.000 s + part 0.001 s + part 0.000 s = whole 0.001 s");
    }

    #[test]
    fn what_was_not_met_is_told_of_every_run() {
        let second = RunOutput { run: 1, ..output() };
        let told = |run| {
            format!(
                "run {run}: the exchange \"Bob writes to Alice\" was not met: nothing of the kind"
            )
        };
        assert_eq!(unmet(&[output(), second]), [told(0), told(1)]);
        assert_eq!(unmet(&[fake_output(&spec(0, 7))]), Vec::<String>::new());
    }
}
