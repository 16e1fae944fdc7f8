//! The relay, who has an address on it, and how users talk.

use std::collections::BTreeMap;

use super::cast::Cast;
use super::{BuildError, account, nat};
use crate::address::Port;
use crate::overcord::user_agent::{self, relay};
use crate::rtp;
use crate::scenario::plan::{Plan, Relayed};
use crate::turn;
use crate::world::population::{Member, MemberId};

/// How users talk, if anything is said in calls.
pub(super) fn media(plan: &Plan) -> Option<rtp::Settings> {
    let media = plan.media?;
    let (interval, payload, patience) = (media.interval, media.payload, media.patience);
    Some(rtp::Settings { interval, payload, patience })
}

/// What members are to the relay, and how that is set up, which goes into `settings`.
pub(super) fn parts(
    plan: &Plan,
    cast: &Cast,
    members: &[Member],
    settings: &mut user_agent::Settings,
    seed: u64,
) -> Result<BTreeMap<MemberId, relay::Part>, BuildError> {
    let (Some(relay), Some(dns)) = (&plan.relay, &plan.dns) else { return Ok(BTreeMap::new()) };
    let host = cast.find(&relay.host).ok_or_else(|| cast.unknown(&relay.host))?;
    let member = members.iter().find(|member| member.host == host);
    let member = member.ok_or_else(|| cast.unknown(&relay.host))?;
    let credentials = account();
    settings.relay = Some(relay::Settings {
        server: member.address.at(Port::TURN),
        account: turn::Account {
            user: credentials.user.into(),
            realm: dns.domain.to_ascii_lowercase().into(),
            secret: crate::rng::NameHash::of(&credentials.password).0,
        },
        lifetime: relay.lifetime,
        keepalive: relay.keepalive,
    });
    let behind: BTreeMap<_, bool> = nat::behind(plan, cast, seed).into_iter().collect();
    let part = |member: &Member| {
        let translated = behind.get(&member.host);
        let signalling = translated == Some(&false);
        match relay.clients {
            _ if member.host == host => Some(relay::Part::Relay),
            _ if member.is_server() => None,
            Relayed::Nat => translated.map(|_| relay::Part::Client { signalling }),
            Relayed::All => Some(relay::Part::Client { signalling }),
        }
    };
    let parts = (0..).map(MemberId).zip(members);
    Ok(parts.filter_map(|(id, member)| Some((id, part(member)?))).collect())
}
