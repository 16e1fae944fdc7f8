//! How a user's location gets into the overlay: fetched, amended and put, again and again.

use std::sync::Arc;

use crate::address::{Address, Endpoint};
use crate::overcord::message::NodeTimer;
use crate::overcord::node::NodeContext;
use crate::overcord::resource_database::{Binding, location_key, location_record, with_binding};
use crate::overcord::user_agent::At;
use crate::overlay::{OperationId, PutOutcome, Record, RingId, Upcalls};
use crate::rng::Dice;
use crate::sip::{HostPart, Uri};
use crate::time::SimDuration;

/// The pause before a location that could not be stored is stored again.
pub(super) const RETRY: SimDuration = SimDuration::from_secs(30);

/// How many places of its user a node remembers, to take them out of the overlay.
const FORMER: usize = 8;

/// Users' names in the overlay, and how long their locations last there.
#[derive(Clone, Debug)]
pub struct LocationSettings {
    /// The overlay's domain, in lower case.
    pub domain: String,
    /// The domains, in lower case, whose servers embed a peer and copy there where their users are.
    pub copied: Vec<String>,
    /// Those of them, in lower case, that the proxy peer serves as well: their servers' second.
    pub backed: Vec<String>,
    /// The length of its identifiers.
    pub id_bits: u8,
    /// How long a location lasts that is not renewed.
    pub lifetime: SimDuration,
}

impl LocationSettings {
    /// The user and the domain of a URI whose location is in the overlay.
    pub(super) fn registered_there(&self, uri: &Uri) -> Option<(Arc<str>, String)> {
        let uri = uri.sip()?;
        let HostPart::Name(name) = &uri.host else { return None };
        let mut domains = std::iter::once(&self.domain).chain(&self.copied);
        let domain = domains.find(|domain| ***domain == **name)?;
        Some((uri.user.clone()?, domain.clone()))
    }
}

/// The location of a node's user on its way into the overlay.
#[derive(Clone, Debug)]
pub struct Registration {
    key: Option<RingId>,
    /// Where the user was reached by what this node has stored, or tried to, the last ones.
    stored: Vec<Endpoint>,
    stage: Stage,
    dice: Dice,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Fetching(OperationId),
    Putting(OperationId),
}

impl Registration {
    /// Nothing is stored. The dice choose the phase of the renewals.
    #[must_use]
    pub const fn new(dice: Dice) -> Self {
        Self { key: None, stored: Vec::new(), stage: Stage::Idle, dice }
    }

    /// Begins to store the location of this user; it will be renewed at half of its lifetime. In an
    /// overlay that exists from the start, everybody is somewhere between two renewals: `phased`.
    pub fn begin<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        settings: &LocationSettings,
        user: &str,
        phased: bool,
    ) -> Upcalls {
        let key = location_key(user, &settings.domain, settings.id_bits);
        self.key = Some(key);
        let share = if phased { 0.5 * self.dice.unit() } else { 0.5 };
        at.ctx.set_after(NodeTimer::Relocate.into(), settings.lifetime.mul_f64(share));
        let (id, upcalls) = at.plugin.dht.get(at.ctx, key);
        self.stage = Stage::Fetching(id);
        upcalls
    }

    /// A fetch ended; if it is the registration's, the amended record is put: with where the user is
    /// now, and without where it was before.
    pub fn got<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        settings: &LocationSettings,
        id: OperationId,
        found: Option<&Record>,
        (own, former): (Endpoint, &[Address]),
    ) -> Upcalls {
        let Some(key) = self.key.filter(|_| self.stage == Stage::Fetching(id)) else {
            return Upcalls::new();
        };
        let now = at.ctx.now();
        let binding = Binding { endpoint: own, expires: now.saturating_add(settings.lifetime) };
        let mut bindings = with_binding(found, binding, former, now);
        bindings.retain(|it| it.endpoint == own || !self.stored.contains(&it.endpoint));
        if !self.stored.contains(&own) {
            self.stored.truncate(FORMER - 1);
            self.stored.insert(0, own);
        }
        let record = location_record(key, &bindings, now, settings.lifetime);
        let (id, upcalls) = at.plugin.dht.put(at.ctx, record);
        self.stage = Stage::Putting(id);
        upcalls
    }

    /// A put ended; one that failed, or that another's overtook, is made up for soon.
    pub fn put_done<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        settings: &LocationSettings,
        id: OperationId,
        outcome: PutOutcome,
    ) {
        if self.stage != Stage::Putting(id) {
            return;
        }
        self.stage = Stage::Idle;
        if outcome != PutOutcome::Stored {
            ctx.set_after(NodeTimer::Relocate.into(), RETRY.min(settings.lifetime.mul_f64(0.5)));
        }
    }
}
