//! Checks of the daemon that updates the binding.

use super::super::document::Path;
use super::super::file::{Daemon, Handover};
use super::super::plan::Strategy;
use super::Check;
use crate::dyndns::DaemonSettings;

impl Check<'_> {
    /// The daemon, where the strategy has one; its table means nothing elsewhere.
    pub(super) fn daemon(&mut self, handover: &Handover) -> Option<DaemonSettings> {
        if handover.strategy != Strategy::Ddclient {
            let why =
                format!("strategy \"{}\"; it has one with \"ddclient\"", handover.strategy.word());
            self.meaningless(&Path::of("handover"), &["ddclient"], &why);
            return None;
        }
        Some(
            handover
                .ddclient
                .as_ref()
                .map_or_else(|| Daemon::default().settings(), Daemon::settings),
        )
    }
}
