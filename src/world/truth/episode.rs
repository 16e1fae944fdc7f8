//! Handover episodes, one at a time in each caller domain.
//!
//! The phases of a handover but the last two are the same for all callers, so one clock for each
//! runs for everybody; an open episode notes the clocks when it enters a mode and takes the
//! differences when it leaves it. A caller is looked at when its own chain may have changed, and
//! when the binding gains or loses validity, never for a claim.

use std::collections::BTreeMap;
use std::ops::Range;

use super::CallerDomain;
use super::report::{Anatomy, Closed};
use crate::address::Address;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};

/// What keeps every caller whose chain is not restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Detect,
    Claim,
    Update,
    Publish,
    Cache,
}

/// The time that the run has spent in each phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phases {
    current: Phase,
    since: SimTime,
    spent: [SimDuration; 5],
}

impl Phases {
    pub(super) const fn new() -> Self {
        let spent = [SimDuration::ZERO; 5];
        Self { current: Phase::Detect, since: SimTime::ZERO, spent }
    }

    pub(super) fn enter(&mut self, now: SimTime, phase: Phase) {
        if phase != self.current {
            self.spent = self.at(now);
            self.since = now;
            self.current = phase;
        }
    }

    fn at(&self, now: SimTime) -> [SimDuration; 5] {
        let mut spent = self.spent;
        spent[self.current as usize] += now.since(self.since);
        spent
    }
}

/// Where one caller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The chain would not answer validly: the phase of the run is the caller's.
    Broken,
    Ask,
    Recover,
}

/// An episode that has not closed.
#[derive(Debug)]
struct Open {
    serial: u64,
    opened: SimTime,
    old_address: Option<Address>,
    first_departure: usize,
    asked: bool,
    mode: Mode,
    since: SimTime,
    clocks: [SimDuration; 5],
    anatomy: Anatomy,
}

impl Open {
    /// Adds the time in the current mode to the columns.
    fn settle(&mut self, now: SimTime, phases: &Phases) {
        let clocks = phases.at(now);
        let spent = now.since(self.since);
        match self.mode {
            Mode::Ask => self.anatomy.ask += spent,
            Mode::Recover => self.anatomy.recover += spent,
            Mode::Broken => {
                let [detect, claim, update, publish, cache] = clocks;
                let [detect0, claim0, update0, publish0, cache0] = self.clocks;
                self.anatomy.detect += detect - detect0;
                self.anatomy.claim += claim - claim0;
                self.anatomy.update += update - update0;
                self.anatomy.publish += publish - publish0;
                self.anatomy.cache += cache - cache0;
            }
        }
        self.clocks = clocks;
        self.since = now;
    }
}

/// An episode that has closed.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) caller: HostId,
    pub(super) opened: SimTime,
    pub(super) closed_at: SimTime,
    pub(super) closed: Closed,
    pub(super) anatomy: Anatomy,
    pub(super) old_address: Option<Address>,
    /// Its departures of any kind, by position.
    pub(super) departed: Range<usize>,
}

/// What the chain of a caller would answer now, and the binding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    /// Whether the caller's caches, or the authority behind them, would give a valid address.
    pub(super) valid: bool,
    /// Whether the authority serves one.
    pub(super) served: bool,
}

/// A conventional domain.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) host: HostId,
    /// The position of its resolver.
    pub(super) resolver: u32,
    /// Whether its server has a DNS cache of its own.
    pub(super) caches: bool,
    /// Whether it has no users who send requests, only look-ups.
    pub(super) looks_up: bool,
    /// Whether no handover concerns it.
    pub(super) embeds: bool,
    serial: u64,
    /// Requests (where there are none, look-ups) under way, and the episode that was open when each
    /// was sent.
    requests: BTreeMap<u64, Option<u64>>,
    episode: Option<Open>,
}

impl Caller {
    pub(super) const fn new(domain: &CallerDomain, resolver: u32) -> Self {
        Self {
            host: domain.host,
            resolver,
            caches: domain.cache,
            looks_up: domain.agents.is_empty(),
            embeds: domain.embeds,
            serial: 0,
            requests: BTreeMap::new(),
            episode: None,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.episode.is_some()
    }

    /// Opens an episode at a departure; whether none was open.
    pub(super) fn open(
        &mut self,
        now: SimTime,
        old_address: Option<Address>,
        departure: usize,
        phases: &Phases,
    ) -> bool {
        if self.is_open() || self.embeds {
            return false;
        }
        self.serial += 1;
        self.episode = Some(Open {
            serial: self.serial,
            opened: now,
            old_address,
            first_departure: departure,
            asked: false,
            mode: Mode::Broken,
            since: now,
            clocks: phases.at(now),
            anatomy: Anatomy::default(),
        });
        true
    }

    /// A request is sent.
    pub(super) fn send(&mut self, request: u64) {
        let serial = self.episode.as_ref().map(|open| open.serial);
        self.requests.insert(request, serial);
        if let Some(open) = &mut self.episode {
            open.asked = true;
        }
    }

    /// Whether a request under way was sent in the episode that is open.
    pub(super) fn sent_in_episode(&self, request: u64) -> bool {
        let sent = self.requests.get(&request).copied().flatten();
        sent.is_some() && sent == self.episode.as_ref().map(|open| open.serial)
    }

    /// A request ended; whether it was sent in the episode that is open.
    pub(super) fn end(&mut self, request: u64) -> bool {
        let concerns_episode = self.sent_in_episode(request);
        self.requests.remove(&request);
        concerns_episode
    }

    /// Nothing is under way any more.
    pub(super) fn forget(&mut self) {
        self.requests.clear();
    }

    /// Looks at the chain again; whether nothing had been sent and it is restored.
    pub(super) fn refresh(&mut self, now: SimTime, chain: Chain, phases: &Phases) -> bool {
        let mode = match (chain.valid, self.requests.is_empty()) {
            (false, _) => Mode::Broken,
            (true, true) => Mode::Ask,
            (true, false) => Mode::Recover,
        };
        let Some(open) = &mut self.episode else { return false };
        if open.mode != mode {
            open.settle(now, phases);
            open.mode = mode;
        }
        !open.asked && chain.valid && chain.served
    }

    /// Closes the open episode; `departed` is the number of departures so far.
    pub(super) fn close(
        &mut self,
        now: SimTime,
        closed: Closed,
        departed: usize,
        phases: &Phases,
    ) -> Option<Finished> {
        let mut open = self.episode.take()?;
        open.settle(now, phases);
        Some(Finished {
            caller: self.host,
            opened: open.opened,
            closed_at: now,
            closed,
            anatomy: open.anatomy,
            old_address: open.old_address,
            departed: open.first_departure..departed,
        })
    }
}
