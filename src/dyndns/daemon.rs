//! A dynamic DNS daemon: ddclient 3.8 to 4.0, or inadyn 2.10 (read from their sources).
//!
//! It wakes up regularly and decides by its own cache, which it keeps on disk: what it has sent
//! last, when, and with what success. It never asks DNS, so it does not notice that somebody else
//! has got the name since: as long as the address is the one of its last success it does nothing
//! until the longest interval is over, 25 days for ddclient, 30 for inadyn.
//!
//! ddclient decides in this order: forced → update; nothing known → update; the last success is
//! older than the longest interval → update; the address is not that of the last success: update,
//! but not before `min_interval` after a success, and not before `min_error_interval` after a
//! failure; otherwise nothing. So an update that fails for an address that had its success before is
//! not tried again by itself. inadyn does nothing before `min_error_interval` after a failure, and
//! then tries again whatever the address; otherwise it decides in the same order. ddclient tries
//! again after every failure, also after those that the provider calls fatal; inadyn goes on after
//! `dnserr`, `911`, `abuse` and network errors, and ends at all others.
//!
//! Left out: the answers of old services that tell ddclient until when to wait.
//!
//! Not here: who wants the update, timers, the request itself (that of
//! [`UpdateClient`](super::UpdateClient) with credentials at once).

use super::{ReturnCode, UpdateOutcome};
use crate::address::Address;
use crate::time::{SimDuration, SimTime};

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// ddclient.
    Ddclient,
    /// inadyn.
    Inadyn,
}

/// How the daemon is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaemonSettings {
    /// Which program.
    pub program: Program,
    /// From a poll to the next, without the jitter; above zero.
    pub interval: SimDuration,
    /// A uniform share of this is added to each interval.
    pub jitter: SimDuration,
    /// The least time from a success to the next update.
    pub min_interval: SimDuration,
    /// The least time from a failure to the next update.
    pub min_error_interval: SimDuration,
    /// After this the address is sent again though nothing has changed.
    pub max_interval: SimDuration,
    /// Whether a new wish for the name overrides what the cache says (`ddclient -force`).
    pub force: bool,
}

impl DaemonSettings {
    /// What a program does that is not told otherwise; ddclient as a sample configuration runs it.
    #[must_use]
    pub const fn of(program: Program) -> Self {
        let seconds = SimDuration::from_secs;
        let (interval, error, longest) = match program {
            Program::Ddclient => (seconds(300), seconds(300), seconds(25 * 86_400)),
            Program::Inadyn => (seconds(120), seconds(600), seconds(30 * 86_400)),
        };
        Self {
            program,
            interval,
            jitter: SimDuration::ZERO,
            min_interval: match program {
                Program::Ddclient => seconds(30),
                Program::Inadyn => SimDuration::ZERO,
            },
            min_error_interval: error,
            max_interval: longest,
            force: false,
        }
    }

    /// From a poll to the next; `draw` is uniform in [0, 1).
    #[must_use]
    pub fn pause(&self, draw: f64) -> SimDuration {
        self.interval.saturating_add(self.jitter.mul_f64(draw))
    }

    /// What the program calls itself in a request.
    #[must_use]
    pub const fn user_agent(&self) -> &'static str {
        match self.program {
            Program::Ddclient => "ddclient/3.10.0",
            Program::Inadyn => "inadyn/2.10.0 https://github.com/troglobit/inadyn/issues",
        }
    }
}

/// What the daemon remembers on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DaemonCache {
    /// The last success: which address, and when.
    good: Option<(Address, SimTime)>,
    /// The last failure, if it is newer.
    failed: Option<SimTime>,
}

/// The daemon of one host.
#[derive(Clone, Copy, Debug)]
pub struct Daemon {
    settings: DaemonSettings,
    cache: DaemonCache,
    /// Whether the program has ended because of an error.
    ended: bool,
}

impl Daemon {
    /// A daemon that has just started and read its cache.
    #[must_use]
    pub const fn new(settings: DaemonSettings, cache: DaemonCache) -> Self {
        Self { settings, cache, ended: false }
    }

    /// How it is configured.
    #[must_use]
    pub const fn settings(&self) -> &DaemonSettings {
        &self.settings
    }

    /// What is on disk.
    #[must_use]
    pub const fn cache(&self) -> DaemonCache {
        self.cache
    }

    /// Whether it updates at this poll; `forced` says that the name is wanted, and was not got yet.
    #[must_use]
    pub fn decides(&self, now: SimTime, own: Address, forced: bool) -> bool {
        if self.ended {
            return false;
        }
        let DaemonSettings { min_interval, min_error_interval, max_interval, force, .. } =
            self.settings;
        let past = |at: SimTime, span| now.since(at) >= span;
        let DaemonCache { good, failed } = self.cache;
        match (good, failed) {
            (_, Some(failed)) if self.settings.program == Program::Inadyn => {
                past(failed, min_error_interval)
            }
            _ if force && forced => true,
            (None, None) => true,
            (Some((_, at)), _) if past(at, max_interval) => true,
            (Some((address, _)), _) if address == own => false,
            (_, Some(failed)) => past(failed, min_error_interval),
            (Some((_, at)), None) => past(at, min_interval),
        }
    }

    /// An attempt ended; `None` stands for an endpoint whose name could not be resolved. True when
    /// the daemon takes it for a success.
    pub fn attempted(
        &mut self,
        now: SimTime,
        own: Address,
        outcome: Option<&UpdateOutcome>,
    ) -> bool {
        let code = match outcome {
            Some(UpdateOutcome::Code(code)) => Some(*code),
            _ => None,
        };
        // Both look for the word alone, and so believe a `good` for another address.
        let good = [ReturnCode::Good(None), ReturnCode::NoChange(None), ReturnCode::Ignored];
        let accepted = code.is_some_and(|code| good.iter().any(|it| it.is_like(code)));
        if accepted {
            self.cache = DaemonCache { good: Some((own, now)), failed: None };
            return true;
        }
        self.cache.failed = Some(now);
        let passes = matches!(
            code,
            None | Some(ReturnCode::DnsError | ReturnCode::Maintenance | ReturnCode::Abuse)
        );
        let http = matches!(outcome, Some(UpdateOutcome::HttpError(_)));
        self.ended = self.settings.program == Program::Inadyn && (!passes || http);
        false
    }
}

impl ReturnCode {
    /// Whether it is the same word.
    fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dyndns::NetworkError;

    const OWN: Address = Address::from_bits(1);
    const NEW: Address = Address::from_bits(2);
    const DAY: u64 = 86_400;

    fn daemon(program: Program) -> Daemon {
        Daemon::new(DaemonSettings::of(program), DaemonCache::default())
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    fn code(code: ReturnCode) -> UpdateOutcome {
        UpdateOutcome::Code(code)
    }

    #[test]
    fn the_cache_decides_and_not_dns() {
        for (program, longest) in [(Program::Ddclient, 25 * DAY), (Program::Inadyn, 30 * DAY)] {
            let mut daemon = daemon(program);
            assert!(daemon.decides(at(0), OWN, false), "an empty cache");
            assert!(daemon.attempted(at(0), OWN, Some(&code(ReturnCode::Good(Some(OWN))))));
            // Whatever happened to the name since: the address is the one of the last success.
            for later in [300, DAY, longest - 1] {
                assert!(!daemon.decides(at(later), OWN, true), "{program:?} {later}");
            }
            assert!(daemon.decides(at(longest), OWN, false));
            assert!(daemon.decides(at(300), NEW, false), "another address");
            // Its cache survives a restart.
            let again = Daemon::new(*daemon.settings(), daemon.cache());
            assert!(!again.decides(at(DAY), OWN, true));
            let settings = DaemonSettings { force: true, ..*daemon.settings() };
            let forced = Daemon::new(settings, daemon.cache());
            assert!(forced.decides(at(1), OWN, true) && !forced.decides(at(1), OWN, false));
        }
    }

    /// ddclient: 30 s after a success, 300 s after a failure. inadyn: 600 s after a failure.
    #[test]
    fn intervals_are_kept() {
        let mut daemon = daemon(Program::Ddclient);
        let _ = daemon.attempted(at(0), OWN, Some(&code(ReturnCode::NoChange(None))));
        assert!(!daemon.decides(at(29), NEW, false) && daemon.decides(at(30), NEW, false));
        let failure = UpdateOutcome::NetworkError(NetworkError::TimedOut);
        assert!(!daemon.attempted(at(30), NEW, Some(&failure)));
        assert!(!daemon.decides(at(329), NEW, false) && daemon.decides(at(330), NEW, false));
        let mut inadyn = self::daemon(Program::Inadyn);
        assert!(!inadyn.attempted(at(0), OWN, None));
        assert!(!inadyn.decides(at(599), OWN, false) && inadyn.decides(at(600), OWN, false));
    }

    /// The last success was at 0, an update for `address` fails at `failed`: ddclient looks at the
    /// longest interval and at the address before it looks at the failure, inadyn after it.
    #[test]
    fn a_failure_is_waited_for_where_each_program_does() {
        let failure = UpdateOutcome::NetworkError(NetworkError::TimedOut);
        let (ddclient, inadyn) = (Program::Ddclient, Program::Inadyn);
        for (program, address, failed, now, expected) in [
            // Another address: after 300 s, and after 600 s.
            (ddclient, NEW, 1_000, 1_299, false),
            (ddclient, NEW, 1_000, 1_300, true),
            (inadyn, NEW, 1_000, 1_599, false),
            (inadyn, NEW, 1_000, 1_600, true),
            // The same address as the last success (a forced update failed).
            (ddclient, OWN, 1_000, 20 * DAY, false),
            (inadyn, OWN, 1_000, 1_600, true),
            // The refresh of a name that is about to expire failed: ddclient's next poll tries it.
            (ddclient, OWN, 25 * DAY, 25 * DAY + 1, true),
            (inadyn, OWN, 30 * DAY, 30 * DAY + 599, false),
        ] {
            let mut daemon = daemon(program);
            assert!(daemon.attempted(at(0), OWN, Some(&code(ReturnCode::Good(Some(OWN))))));
            assert!(!daemon.attempted(at(failed), address, Some(&failure)));
            let decided = daemon.decides(at(now), address, false);
            assert_eq!(decided, expected, "{program:?} {address:?} {failed} {now}");
            // A wish that is forced and stays unfulfilled overrides all but inadyn's pause.
            let forced = DaemonSettings { force: true, ..*daemon.settings() };
            let again = Daemon::new(forced, daemon.cache());
            let waits = program == inadyn && !expected;
            assert_eq!(again.decides(at(now), address, true), !waits, "{program:?} {now}");
        }
    }

    #[test]
    fn each_reacts_to_codes_in_its_own_way() {
        use ReturnCode as R;
        // Whether it counts as a success, and whether inadyn ends; ddclient never does.
        let table = [
            (R::Good(Some(NEW)), true, false),
            (R::Ignored, true, false),
            (R::NoChange(None), true, false),
            (R::DnsError, false, false),
            (R::Maintenance, false, false),
            (R::Abuse, false, false),
            (R::BadAuth, false, true),
            (R::NotDonator, false, true),
            (R::NoHost, false, true),
            (R::NotFqdn, false, true),
            (R::BadAgent, false, true),
        ];
        for (answer, success, ends) in table {
            for program in [Program::Ddclient, Program::Inadyn] {
                let mut daemon = daemon(program);
                assert_eq!(daemon.attempted(at(0), OWN, Some(&code(answer))), success);
                let goes_on = daemon.decides(at(40 * DAY), NEW, false);
                assert_eq!(goes_on, program == Program::Ddclient || !ends, "{answer:?}");
            }
        }
    }
}
