//! The table about the daemon that updates the binding: `[handover.ddclient]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dyndns::{self, DaemonSettings};
use crate::units::Duration;

/// The daemon that updates the binding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Daemon {
    /// Which program, with its intervals and its reaction to each return code.
    pub program: Program,
    /// The time from a poll to the next. The first poll of a host comes at a uniform moment of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`300s` (`ddclient`), `120s` (`inadyn`)", "x-period" = true))]
    pub interval: Option<Duration>,
    /// Up to this is added to each interval, drawn uniformly. Sample configurations of newer
    /// ddclients have 60 s.
    pub jitter: Duration,
    /// The least time from a success to the next update.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`30s` (`ddclient`), `0s` (`inadyn`)"))]
    pub min_interval: Option<Duration>,
    /// The least time from a failure to the next update.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`300s` (`ddclient`), `600s` (`inadyn`)"))]
    pub min_error_interval: Option<Duration>,
    /// After this an address is sent again that has not changed. Until then a host that has lost
    /// the name and claims it again does nothing: the daemon compares with its own cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`25d` (`ddclient`), `30d` (`inadyn`)", "x-period" = true))]
    pub max_interval: Option<Duration>,
    /// Whether a claim forces the next poll to update, whatever the daemon's cache says.
    pub force: bool,
}

/// The programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Program {
    /// ddclient: tries again after every failure.
    Ddclient,
    /// inadyn: ends at failures that only a human can mend.
    Inadyn,
}

impl Default for Daemon {
    fn default() -> Self {
        Self {
            program: Program::Ddclient,
            interval: None,
            jitter: Duration::default(),
            min_interval: None,
            min_error_interval: None,
            max_interval: None,
            force: false,
        }
    }
}

impl Daemon {
    /// What these keys say.
    #[must_use]
    pub fn settings(&self) -> DaemonSettings {
        let usual = DaemonSettings::of(match self.program {
            Program::Ddclient => dyndns::Program::Ddclient,
            Program::Inadyn => dyndns::Program::Inadyn,
        });
        let or = |given: Option<Duration>, usual| given.map_or(usual, |it| it.0);
        DaemonSettings {
            interval: or(self.interval, usual.interval),
            jitter: self.jitter.0,
            min_interval: or(self.min_interval, usual.min_interval),
            min_error_interval: or(self.min_error_interval, usual.min_error_interval),
            max_interval: or(self.max_interval, usual.max_interval),
            force: self.force,
            ..usual
        }
    }

    /// The keys that say this.
    #[must_use]
    pub fn of(settings: &DaemonSettings) -> Self {
        Self {
            program: match settings.program {
                dyndns::Program::Ddclient => Program::Ddclient,
                dyndns::Program::Inadyn => Program::Inadyn,
            },
            interval: Some(Duration(settings.interval)),
            jitter: Duration(settings.jitter),
            min_interval: Some(Duration(settings.min_interval)),
            min_error_interval: Some(Duration(settings.min_error_interval)),
            max_interval: Some(Duration(settings.max_interval)),
            force: settings.force,
        }
    }
}
