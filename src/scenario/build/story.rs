//! The story of a run: from names to hosts.

use super::cast::Cast;
use super::{BuildError, users};
use crate::scenario::plan::{
    self, Addressee, Matter, OverlayEvent, Plan, PresenceStatus, StoryPlan, StoryProtocol,
};
use crate::sim::HostId;
use crate::sip::{HostPart, Method, Uri};
use crate::world::story::{self, Chronicle, Exchange, Kind, Setting};

/// Who writes the story, where the plan wants one.
pub(super) fn chronicle(plan: &Plan, cast: &Cast) -> Result<Option<Box<Chronicle>>, BuildError> {
    let Some(story) = &plan.story else { return Ok(None) };
    let setting = Setting {
        hosts: story.hosts.iter().map(|name| host(cast, name)).collect::<Result<_, _>>()?,
        kinds: story.protocols.iter().map(|&protocol| kind(protocol)).collect(),
        exchanges: exchanges(story, cast)?,
        users: addresses(plan, cast),
    };
    Ok(Some(Box::new(Chronicle::new(setting))))
}

fn host(cast: &Cast, name: &str) -> Result<HostId, BuildError> {
    cast.find(name).ok_or_else(|| BuildError::UnknownInStory(name.to_owned()))
}

const fn kind(protocol: StoryProtocol) -> Kind {
    match protocol {
        StoryProtocol::Sip => Kind::Sip,
        StoryProtocol::Http => Kind::Http,
        StoryProtocol::Icmp => Kind::Icmp,
        StoryProtocol::Tcp => Kind::Tcp,
        StoryProtocol::Dns => Kind::Dns,
        StoryProtocol::Turn => Kind::Turn,
        StoryProtocol::Media => Kind::Media,
    }
}

fn exchanges(story: &StoryPlan, cast: &Cast) -> Result<Vec<Exchange>, BuildError> {
    let one = |plan: &plan::ExchangePlan| {
        let matter = match &plan.matter {
            Matter::Request { method, from, to, status, via } => story::Matter::Request {
                method: Method::from(method.as_str()),
                from: host(cast, from)?,
                to: match to {
                    Addressee::User(peer) => story::Addressee::User(peer.uri.clone()),
                    Addressee::Domain(domain) => story::Addressee::Domain(HostPart::name(domain)),
                },
                status: *status,
                via: match via {
                    Some(via) => {
                        Some(via.iter().map(|name| host(cast, name)).collect::<Result<_, _>>()?)
                    }
                    None => None,
                },
            },
            Matter::Event { event, host: name } => story::Matter::Event {
                event: match event {
                    OverlayEvent::Update => story::OverlayEvent::Update,
                    OverlayEvent::Joined => story::OverlayEvent::Joined,
                    OverlayEvent::Proxy => story::OverlayEvent::Proxy,
                },
                host: host(cast, name)?,
            },
            Matter::Notified { host: name, to, presence } => story::Matter::Notified {
                host: host(cast, name)?,
                of: to.uri.clone(),
                open: *presence == PresenceStatus::Open,
            },
        };
        Ok(Exchange { title: plan.title.clone(), matter })
    };
    story.exchanges.iter().map(one).collect()
}

/// The addresses of record of all users, by the hosts of their agents.
fn addresses(plan: &Plan, cast: &Cast) -> Vec<(HostId, Uri)> {
    let Some(dns) = plan.dns.as_ref().filter(|_| plan.has_sip()) else { return Vec::new() };
    let overlay = HostPart::name(&dns.domain);
    let names = cast.generated.iter().chain(cast.named.iter().map(|(name, _)| name));
    let members = names.zip(users::member_users(plan, cast));
    let members = members.map(|(name, user)| (cast.id(name), Uri::of_user(&user, overlay.clone())));
    let phones = cast.phones.iter().map(|phone| {
        let domain = HostPart::name(&plan.callers[phone.caller].domain);
        (cast.id(&phone.name), Uri::of_user(&phone.user, domain))
    });
    let elsewhere = plan.overlay.beside.iter().zip(&cast.besides).flat_map(|(beside, names)| {
        let domain = HostPart::name(&beside.domain);
        names.iter().map(move |name| (cast.id(name), Uri::of_user(name, domain.clone())))
    });
    members.chain(phones).chain(elsewhere).collect()
}
