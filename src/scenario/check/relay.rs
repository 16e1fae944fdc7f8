//! Media, and the relay.

use super::super::document::Path;
use super::super::file::{File, Media, Relay};
use super::super::plan::{
    Act, Action, CallerPlan, HostNat, MediaPlan, Plan, RecordRoute, RelayPlan, ReturnAddress,
    Strategy, UserAction,
};
use super::super::problem::{Fault, NeedFault, RelayFault};
use super::Check;
use super::users::Users;
use crate::time::SimDuration;
use crate::turn;
use crate::units::Duration;

/// Who needs what else there has to be.
const RELAY: &str = "[relay]";

impl Check<'_> {
    pub(super) fn media(&mut self, media: &Media) -> MediaPlan {
        let Media { interval, payload, patience } = *media;
        if patience < interval {
            self.ordered(&Path::of("media"), ("interval", interval.0), ("patience", patience.0));
        }
        MediaPlan { interval: interval.0, payload, patience: patience.0 }
    }

    pub(super) fn relay(&mut self, relay: &Relay, file: &File, users: &Users<'_>) -> RelayPlan {
        let path = Path::of("relay");
        let at = path.then("host");
        let why = "the member that relays, such as \"relay\"";
        let host = self.named(Some(&relay.host), &at, why, users);
        if let Some(domain) = host.as_ref().and_then(|host| users.domain_of(host)) {
            let (host, domain) = (relay.host.clone(), domain.to_owned());
            self.fault(
                &at,
                match users.is_beside(&host) {
                    true => RelayFault::Beside { host, domain },
                    false => RelayFault::Phone { host, domain },
                }
                .into(),
            );
        }
        let named = file.host.iter().find(|it| Some(&it.name) == host.as_ref());
        if named.is_some_and(|it| it.nat.is_some_and(|nat| nat != HostNat::None)) {
            self.fault(&at, RelayFault::Translated { host: relay.host.clone() }.into());
        }
        let second = SimDuration::from_secs(1);
        if relay.lifetime.0 < second {
            let found = relay.lifetime.to_string();
            let expected = format!("at least {}", Duration(second));
            self.fault(&path.then("lifetime"), Fault::Range { found, expected });
        }
        RelayPlan {
            host: relay.host.clone(),
            clients: relay.clients,
            lifetime: relay.lifetime.0,
            keepalive: relay.keepalive.0,
        }
    }

    /// Media need calls.
    pub(super) fn media_needs(&mut self, plan: &Plan) {
        let of_users = |caller: &CallerPlan| caller.sip().is_some_and(|it| it.calls.is_some());
        let calls = plan.callers.iter().any(of_users)
            || plan.events.iter().any(|it| {
                matches!(&it.action, Action::User(UserAction { act: Act::Call { .. }, .. }))
            });
        if plan.media.is_some() && !calls {
            let what = "[media]".to_owned();
            let need = "calls: `calls` of a [[caller]], or an event with action = \"call\"";
            let fault = NeedFault::There { what, need };
            self.key_fault(&Path::of("media"), Fault::Need(fault));
        }
    }

    /// What a relay needs of the rest of the scenario.
    pub(super) fn relay_needs(&mut self, plan: &Plan) {
        let Some(relay) = &plan.relay else { return };
        if relay.lifetime > turn::MAX_LIFETIME {
            let (found, most) = (Duration(relay.lifetime), Duration(turn::MAX_LIFETIME));
            let (found, most) = (found.to_string(), most.to_string());
            self.fault(&Path::of("relay.lifetime"), Fault::TooLong { found, most });
        }
        let moves = plan.events.iter().any(|it| matches!(it.action, Action::AddressChange { .. }));
        if moves || plan.network.address_change.source.is_some() {
            let need = "addresses that stay: clients look for the relay where it was";
            let fault = NeedFault::There { what: RELAY.to_owned(), need };
            self.key_fault(&Path::of("relay"), Fault::Need(fault));
        }
        let mut need = |fault| self.key_fault(&Path::of("relay"), Fault::Need(fault));
        let what = RELAY;
        let strategy = plan.handover.as_ref().map(|it| (it.strategy, it.record_route));
        if strategy.is_none_or(|(strategy, _)| strategy != Strategy::Static) {
            need(NeedFault::Value { what, key: "handover.strategy", needed: "static" });
        } else if strategy.is_some_and(|(_, route)| route == RecordRoute::None) {
            need(NeedFault::Value { what, key: "handover.record_route", needed: "address" });
        }
        if plan.churn.as_ref().is_some_and(|it| it.return_address == ReturnAddress::New) {
            need(NeedFault::Value { what, key: "churn.return_address", needed: "same" });
        }
        if !plan.has_sip() {
            let need = "users that speak SIP, such as those of a [[caller]]";
            let fault = NeedFault::There { what: what.to_owned(), need };
            self.key_fault(&Path::of("relay"), Fault::Need(fault));
        }
    }
}
