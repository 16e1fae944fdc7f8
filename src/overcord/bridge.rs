//! What a node does that is a member of several overlays: it passes requests on from one to the
//! other.
//!
//! In each overlay it writes itself into a record, under a key of the *other* overlay's domain
//! ([`bridge_key`]): "who wants to reach users of that domain can ask me". Whoever sends a request
//! to such a user looks there, sends it to the bridging node whose entry lasts longest, and that
//! one, as a proxy, looks for the user in its own plug-in of that overlay. The record is of the
//! kind that users' locations are: entries are added to those found there, last
//! [`LIFETIME`] and are renewed at half of it, so that those who have gone are soon behind those
//! who are there.

use crate::address::{Address, Endpoint};
use crate::overcord::beside::Place;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::resource_database::{Binding, bridge_key, location_record, with_binding};
use crate::overlay::{OperationId, Record, RingId, Upcalls};
use crate::time::SimDuration;

/// How long the entry of a bridging node lasts. A request that meets the entry of one who has just
/// gone fails; this is the longest time for which it can.
pub const LIFETIME: SimDuration = SimDuration::from_secs(120);

/// The entries of a bridging node.
#[derive(Debug, Default)]
pub struct Bridge {
    entries: Vec<Entry>,
}

/// One entry: in an overlay (`None` is the node's own), under a key.
#[derive(Debug)]
struct Entry {
    place: Option<Place>,
    key: RingId,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Fetching(OperationId),
    Putting(OperationId),
}

/// Operations that ended at once, and where.
pub type Ended = Vec<(Option<Place>, Upcalls)>;

impl Bridge {
    /// The node is a member of the overlay at this place and of its own: it writes, or renews, what
    /// says so in both.
    pub fn enter<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        there: Place,
    ) -> Ended {
        let Some(others) = plugin.others() else { return Ended::new() };
        let (home, other) = (&others.home.description, others.description(there));
        let here = (None, bridge_key(&other.domain, home.id_bits));
        let beyond = (Some(there), bridge_key(&home.domain, other.id_bits));
        [here, beyond].map(|(place, key)| self.fetch(ctx, plugin, place, key)).to_vec()
    }

    fn fetch<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        place: Option<Place>,
        key: RingId,
    ) -> (Option<Place>, Upcalls) {
        let Some((id, upcalls)) = plugin.get(ctx, place, key) else {
            return (place, Upcalls::new());
        };
        let stage = Stage::Fetching(id);
        match self.entries.iter_mut().find(|it| (it.place, it.key) == (place, key)) {
            Some(entry) => entry.stage = stage,
            None => self.entries.push(Entry { place, key, stage }),
        }
        (place, upcalls)
    }

    /// A fetch ended; if it is one of its own, the amended record is put.
    pub fn got<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        (place, id): (Option<Place>, OperationId),
        found: Option<&Record>,
        (own, former): (Endpoint, &[Address]),
    ) -> Option<Upcalls> {
        let fetching = Stage::Fetching(id);
        let entry = self.entries.iter_mut().find(|it| it.place == place && it.stage == fetching)?;
        let now = ctx.now();
        let binding = Binding { endpoint: own, expires: now.saturating_add(LIFETIME) };
        let bindings = with_binding(found, binding, former, now);
        let record = location_record(entry.key, &bindings, now, LIFETIME);
        entry.stage = Stage::Idle;
        let (id, upcalls) = plugin.put(ctx, place, record)?;
        entry.stage = Stage::Putting(id);
        Some(upcalls)
    }

    /// A put ended; whether it was one of its own. One that failed, or that another's overtook, is
    /// made up for at the next renewal.
    pub fn put_done(&mut self, place: Option<Place>, id: OperationId) -> bool {
        let putting = Stage::Putting(id);
        let mut entries = self.entries.iter_mut();
        let own = entries.find(|it| it.place == place && it.stage == putting);
        own.map(|entry| entry.stage = Stage::Idle).is_some()
    }
}
