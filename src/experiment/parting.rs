//! Where two runs part: the first event of one that the other does not have.
//!
//! Both are carried out side by side, each on a thread of its own, and tell what happens on all
//! hosts; of one moment, all events are compared at once and in no order, since it is an accident in
//! which order simultaneous events are carried out. What counts is what the fingerprint digests:
//! datagrams that are delivered, and observations. Timers, commands and lost datagrams are told among
//! the lines before.
//!
//! Two finished runs say by the digests of their epochs from when on they have to be told
//! ([`first_different_epoch`]). Where a run may not repeat itself, nothing is known before: then all
//! is told from the start, with words.
//!
//! No more is kept than a few thousand events of each run, and the events of one moment.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::experiment::run::{Halt, guarded};
use crate::experiment::simulator::{Errand, Simulator};
use crate::metrics::tables::RunOutput;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::log::{Logged, Told};
use crate::world::{LogSink, Progress, epoch_of};

/// What can carry out the same run again and again.
pub trait Subject: Sync {
    /// Carries out an errand to its end; gives the output, and the digests of its epochs.
    ///
    /// # Errors
    /// When there is no output.
    fn carry_out(
        &self,
        errand: Errand,
        log: LogSink<'_>,
        goes_on: Progress<'_>,
    ) -> Result<(RunOutput, Vec<u64>), Halt>;

    /// The names of the hosts of a run with this seed, by [`HostId`].
    ///
    /// # Errors
    /// When there is no such run.
    fn hosts(&self, seed: u64) -> Result<Vec<String>, Halt>;

    /// The length of an epoch.
    fn epoch(&self) -> SimDuration;
}

impl Subject for Simulator {
    fn carry_out(
        &self,
        errand: Errand,
        log: LogSink<'_>,
        goes_on: Progress<'_>,
    ) -> Result<(RunOutput, Vec<u64>), Halt> {
        Self::carry_out(self, errand, log, goes_on)
    }

    fn hosts(&self, seed: u64) -> Result<Vec<String>, Halt> {
        let world = self.world(seed, None).map_err(|error| Halt::Failed(error.to_string()))?;
        Ok(world.names)
    }

    fn epoch(&self) -> SimDuration {
        epoch_of(self.length())
    }
}

/// One of two runs.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    /// What carries it out.
    pub subject: &'a dyn Subject,
    /// The number under which a supervisor knows it.
    pub run: u32,
    /// Its seed.
    pub seed: u64,
    /// The order of its simultaneous events.
    pub tie_salt: u32,
}

/// What is known of two runs before they are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// They repeat themselves, and are the same before this moment.
    SameBefore(SimTime),
    /// Nothing: they may differ from what they were the last time.
    Nothing,
}

/// The first event at which two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// When it happens.
    pub at: SimTime,
    /// On which host.
    pub host: String,
    /// The event in the first and in the second run. `None`: nothing at that moment on that host
    /// that the other run does not have as well.
    pub versions: [Option<Version>; 2],
    /// How many more events of that moment each run has that the other does not.
    pub others: [usize; 2],
    /// What happened before in each run on the hosts that the event concerns, oldest first.
    pub before: [Vec<Line>; 2],
}

/// An event as one run has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// In words.
    pub words: String,
    /// What the fingerprint digests of it: tells events with the same words apart.
    pub digest: u64,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: SimTime,
    /// What.
    pub words: String,
}

/// How many lines are told of what was before.
const LINES: usize = 6;
/// How many events of each run are kept, to take these lines from.
const RECENT: usize = 4096;
/// What is before the parting by more than this is not told.
const BEFORE: SimDuration = SimDuration::from_secs(60);
/// How many events are handed from thread to thread at a time.
const CHUNK: usize = 256;
/// How many times that one run may be ahead of the other.
const AHEAD: usize = 16;

/// The first epoch in which two finished runs differ, by the digests of their epochs, which must be
/// of the same length.
#[must_use]
pub fn first_different_epoch(first: &[u64], second: &[u64]) -> Option<usize> {
    (0..first.len().max(second.len())).find(|&epoch| first.get(epoch) != second.get(epoch))
}

/// When two finished runs of these ways are the same up to, at least: the start of the first epoch
/// that differs, or the very start where their epochs are not of the same length. `None` when no
/// epoch differs.
#[must_use]
pub fn same_before(ways: [Way<'_>; 2], epochs: [&[u64]; 2]) -> Option<SimTime> {
    let [first, second] = ways.map(|way| way.subject.epoch());
    if first != second {
        return Some(SimTime::ZERO);
    }
    let epoch = first_different_epoch(epochs[0], epochs[1])? as u64;
    Some(SimTime::ZERO + first * epoch)
}

/// The first event at which two runs part; `None` when they do not.
///
/// # Errors
/// When one of them is stopped or fails before they part.
pub fn parting(ways: [Way<'_>; 2], known: Known) -> Result<Option<Parting>, Halt> {
    let stage = Stage::new(ways)?;
    if let Known::SameBefore(from) = known {
        // Words take longer than all else, so they are made only of what is told in the end.
        let Some(found) = stage.compare(from, SimTime::MAX)? else { return Ok(None) };
        let nanos = found.at.as_nanos().saturating_sub(BEFORE.as_nanos());
        let start = SimTime::from_nanos(nanos);
        if let Some(again) = stage.compare(start, start)?
            && again.at == found.at
        {
            return Ok(Some(again));
        }
    }
    stage.compare(SimTime::ZERO, SimTime::ZERO)
}

/// Two runs, and numbers for the hosts of both.
struct Stage<'a> {
    ways: [Way<'a>; 2],
    /// The names of all hosts, by number.
    names: Vec<String>,
    /// The number of each host of a run, by [`HostId`].
    numbers: [Vec<u32>; 2],
}

impl<'a> Stage<'a> {
    fn new(ways: [Way<'a>; 2]) -> Result<Self, Halt> {
        let [first, second] = ways.map(|way| way.subject.hosts(way.seed));
        let (first, second) = (first?, second?);
        let all: BTreeSet<&String> = first.iter().chain(&second).collect();
        let names: Vec<String> = all.into_iter().cloned().collect();
        let number = |name: &String| {
            let place = names.binary_search(name).expect("the names of both are all there");
            u32::try_from(place).expect("there are fewer than 2^32 hosts")
        };
        let numbers = [&first, &second].map(|hosts| hosts.iter().map(number).collect());
        Ok(Self { ways, names, numbers })
    }

    /// Carries out both runs side by side, comparing from one moment on, with words from another on.
    fn compare(&self, from: SimTime, words_from: SimTime) -> Result<Option<Parting>, Halt> {
        thread::scope(|scope| {
            let [first, second] = [0, 1].map(|place| {
                let (sender, chunks) = sync_channel(AHEAD);
                let teller = Teller {
                    numbers: &self.numbers[place],
                    words_from,
                    chunk: Vec::with_capacity(CHUNK),
                    chunks: Some(sender),
                };
                let way = self.ways[place];
                (scope.spawn(move || guarded(|| teller.tell(way, from))), Side::new(chunks))
            });
            let (threads, sides) = ([first.0, second.0], [first.1, second.1]);
            // Without a receiver, a run that is still going on stops.
            let found = self.first_difference(sides);
            for thread in threads {
                thread.join().expect("panics are caught inside")?;
            }
            Ok(found)
        })
    }

    fn first_difference(&self, mut sides: [Side; 2]) -> Option<Parting> {
        loop {
            let [first, second] = sides.each_mut().map(Side::next_moment);
            match (first, second) {
                (None, None) => return None,
                (Some(first), Some(second)) if first.is_same(&second) => {
                    sides[0].remember(first.events);
                    sides[1].remember(second.events);
                }
                (first, second) => return Some(self.told(&sides, [first, second])),
            }
        }
    }

    fn told(&self, sides: &[Side; 2], moments: [Option<Moment>; 2]) -> Parting {
        let at = moments.iter().flatten().map(|moment| moment.at).min();
        let at = at.expect("runs part where one of them goes on");
        let events = moments.map(|moment| {
            moment.filter(|moment| moment.at == at).map_or_else(Vec::new, |moment| moment.events)
        });
        let own = [unmatched(&events[0], &events[1]), unmatched(&events[1], &events[0])];
        let earliest = own[0].first().or(own[1].first()).expect("the moments differ");
        let host = events[usize::from(own[0].is_empty())][*earliest].host;
        let chosen = [0, 1]
            .map(|side| own[side].iter().copied().find(|&place| events[side][place].host == host));
        let version = |side: usize| chosen[side].map(|place| &events[side][place]);
        let versions = [version(0), version(1)];
        let concerned: BTreeSet<u32> =
            versions.iter().flatten().flat_map(|event| event.concerns()).collect();
        let before = [0, 1].map(|side| {
            let until = chosen[side].unwrap_or(events[side].len());
            let same_moment = events[side][..until].iter().enumerate();
            let shared = same_moment.filter(|(place, _)| !own[side].contains(place));
            let earlier = sides[side].recent.iter().chain(shared.map(|(_, event)| event));
            last_lines(earlier.filter(|event| event.concerns().any(|it| concerned.contains(&it))))
        });
        Parting {
            at,
            host: self.names[host as usize].clone(),
            others: [0, 1].map(|side| own[side].len() - usize::from(chosen[side].is_some())),
            versions: versions.map(|event| {
                event.map(|event| Version {
                    words: event.words.to_string(),
                    digest: event.digest.expect("only what is digested is compared"),
                })
            }),
            before,
        }
    }
}

/// An event, as it is handed from the thread of its run.
#[derive(Clone, Debug)]
struct Event {
    at: SimTime,
    host: u32,
    sender: Option<u32>,
    digest: Option<u64>,
    words: Box<str>,
}

impl Event {
    /// What it is compared by, if it is compared.
    fn key(&self) -> Option<(u32, u64)> {
        self.digest.map(|digest| (self.host, digest))
    }

    /// The hosts that it concerns.
    fn concerns(&self) -> impl Iterator<Item = u32> + use<> {
        [Some(self.host), self.sender].into_iter().flatten()
    }
}

/// The places of the first events that the second ones do not match one by one.
fn unmatched(first: &[Event], second: &[Event]) -> Vec<usize> {
    let mut counts: BTreeMap<(u32, u64), usize> = BTreeMap::new();
    for key in second.iter().filter_map(Event::key) {
        *counts.entry(key).or_default() += 1;
    }
    let is_own = |event: &Event| match event.key().map(|key| counts.get_mut(&key)) {
        None => false,
        Some(Some(count)) if *count > 0 => {
            *count -= 1;
            false
        }
        Some(_) => true,
    };
    let own: Vec<bool> = first.iter().map(is_own).collect();
    (0..first.len()).filter(|&place| own[place]).collect()
}

fn last_lines<'a>(events: impl DoubleEndedIterator<Item = &'a Event>) -> Vec<Line> {
    let line = |event: &Event| Line { at: event.at, words: event.words.to_string() };
    let mut lines: Vec<Line> = events.rev().take(LINES).map(line).collect();
    lines.reverse();
    lines
}

/// Hands on what a run tells.
struct Teller<'a> {
    numbers: &'a [u32],
    words_from: SimTime,
    chunk: Vec<Event>,
    /// `None` when nobody listens any more.
    chunks: Option<SyncSender<Vec<Event>>>,
}

impl Teller<'_> {
    fn tell(mut self, way: Way<'_>, from: SimTime) -> Result<(), Halt> {
        let listened = Cell::new(true);
        let errand = Errand {
            run: way.run,
            seed: way.seed,
            tie_salt: way.tie_salt,
            logged: Logged::everybody_from(from),
        };
        let mut log = |told: &Told<'_>| {
            if listened.get() {
                self.take(told);
                listened.set(self.chunks.is_some());
            }
        };
        let given = way.subject.carry_out(errand, &mut log, &mut |_| listened.get());
        self.pass_on();
        match given {
            Err(halt) if listened.get() => Err(halt),
            _ => Ok(()),
        }
    }

    fn take(&mut self, told: &Told<'_>) {
        let number = |host: HostId| self.numbers[host.index()];
        let words = if told.at < self.words_from { String::new() } else { (told.words)() };
        self.chunk.push(Event {
            at: told.at,
            host: number(told.host),
            sender: told.sender.map(number),
            digest: told.digest,
            words: words.into(),
        });
        if self.chunk.len() == CHUNK {
            self.pass_on();
        }
    }

    fn pass_on(&mut self) {
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        if self.chunks.as_ref().is_some_and(|chunks| chunks.send(chunk).is_err()) {
            self.chunks = None;
        }
    }
}

/// All that one run tells of one moment.
struct Moment {
    at: SimTime,
    events: Vec<Event>,
}

impl Moment {
    /// Whether the same happens, in whatever order.
    fn is_same(&self, other: &Self) -> bool {
        let keys = |moment: &Self| moment.events.iter().filter_map(Event::key).collect::<Vec<_>>();
        let (mut mine, mut others) = (keys(self), keys(other));
        if self.at == other.at && mine != others {
            mine.sort_unstable();
            others.sort_unstable();
        }
        self.at == other.at && mine == others
    }
}

/// One of two runs, as it is heard.
struct Side {
    chunks: Receiver<Vec<Event>>,
    /// What was handed over and not yet looked at.
    waiting: VecDeque<Event>,
    /// What was looked at last, oldest first.
    recent: VecDeque<Event>,
}

impl Side {
    fn new(chunks: Receiver<Vec<Event>>) -> Self {
        Self { chunks, waiting: VecDeque::new(), recent: VecDeque::new() }
    }

    fn peek(&mut self) -> Option<&Event> {
        while self.waiting.is_empty() {
            self.waiting = self.chunks.recv().ok()?.into();
        }
        self.waiting.front()
    }

    /// The next moment at which something happens that is compared.
    fn next_moment(&mut self) -> Option<Moment> {
        loop {
            let at = self.peek()?.at;
            let mut events = Vec::new();
            while self.peek().is_some_and(|event| event.at == at) {
                events.extend(self.waiting.pop_front());
            }
            if events.iter().any(|event| event.digest.is_some()) {
                return Some(Moment { at, events });
            }
            self.remember(events);
        }
    }

    fn remember(&mut self, events: Vec<Event>) {
        self.recent.extend(events);
        let surplus = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..surplus);
    }
}

#[cfg(test)]
mod tests;
