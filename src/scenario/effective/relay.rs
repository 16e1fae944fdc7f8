//! Media and the relay.

use super::super::file::{Media, Relay};
use super::super::plan::{MediaPlan, RelayPlan};
use crate::units::Duration;

pub(super) fn media(plan: &MediaPlan) -> Media {
    Media {
        interval: Duration(plan.interval),
        payload: plan.payload,
        patience: Duration(plan.patience),
    }
}

pub(super) fn relay(plan: &RelayPlan) -> Relay {
    Relay {
        host: plan.host.clone(),
        clients: plan.clients,
        lifetime: Duration(plan.lifetime),
        keepalive: Duration(plan.keepalive),
    }
}
