//! The effective form of the story that is told of a run.

use super::super::file::{Exchange, Story};
use super::super::plan::{Addressee, ExchangePlan, Matter, Occurrence, OverlayEvent, StoryPlan};

pub(super) fn story(plan: &StoryPlan) -> Story {
    Story {
        hosts: Some(plan.hosts.clone()),
        protocols: Some(plan.protocols.clone()),
        exchange: plan.exchanges.iter().map(exchange).collect(),
    }
}

fn exchange(plan: &ExchangePlan) -> Exchange {
    let blank = Exchange {
        title: plan.title.clone(),
        method: None,
        from: None,
        to: None,
        status: None,
        via: None,
        event: None,
        host: None,
        presence: None,
    };
    match &plan.matter {
        Matter::Request { method, from, to, status, via } => Exchange {
            method: Some(*method),
            from: Some(from.clone()),
            to: match to {
                Addressee::User(peer) => Some(peer.uri.to_string()),
                Addressee::Domain(domain) => Some(domain.clone()),
            },
            status: Some(*status),
            via: via.clone(),
            ..blank
        },
        Matter::Event { event, host } => Exchange {
            event: Some(match event {
                OverlayEvent::Update => Occurrence::Update,
                OverlayEvent::Joined => Occurrence::Joined,
                OverlayEvent::Proxy => Occurrence::Proxy,
            }),
            host: Some(host.clone()),
            ..blank
        },
        Matter::Notified { host, to, presence } => Exchange {
            event: Some(Occurrence::Notified),
            host: Some(host.clone()),
            to: Some(to.uri.to_string()),
            presence: Some(*presence),
            ..blank
        },
    }
}
