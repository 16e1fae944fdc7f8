//! Addresses that change while hosts are up.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BuildError;
use super::cast::Cast;
use super::network::what;
use crate::churn::trace::{AddressChange, AvailabilityTrace};
use crate::rng::{Draws, Purpose};
use crate::scenario::plan::{AddressChangeSource, Enclosure, Plan};
use crate::scenario::problem::nearest;
use crate::time::SimTime;
use crate::world::moving::{AddressChanges, Source};
use crate::world::population::MemberId;

pub(super) fn address_changes(
    plan: &Plan,
    cast: &Cast,
    trace: Option<&Arc<AvailabilityTrace>>,
    seed: u64,
) -> Result<AddressChanges, BuildError> {
    let change = &plan.network.address_change;
    let source = match &change.source {
        None => Source::Script,
        Some(AddressChangeSource::Drawn { mean }) => {
            Source::Drawn { mean: *mean, draws: Draws::new(seed, Purpose::AddressChange) }
        }
        Some(AddressChangeSource::Trace(file)) => Source::Recorded(recorded(file, cast, trace)?),
    };
    Ok(AddressChanges::new(change.noticed_after, source))
}

/// Hosts are called as in the trace of their sessions, if there is one, or by their names.
fn recorded(
    file: &Enclosure<Vec<AddressChange>>,
    cast: &Cast,
    trace: Option<&Arc<AvailabilityTrace>>,
) -> Result<Vec<(SimTime, MemberId)>, BuildError> {
    let path = file.path.display().to_string();
    let changes = what(file)?;
    let named = cast.named.iter().map(|(name, _)| name);
    let members = (0..).zip(cast.generated.iter().chain(named));
    let mut by_name: BTreeMap<&str, u32> =
        members.map(|(place, name)| (name.as_str(), place)).collect();
    if let Some(trace) = trace {
        by_name.extend((0..).zip(&trace.nodes).map(|(place, node)| (node.name.as_str(), place)));
    }
    let member = |change: &AddressChange| match by_name.get(change.host.as_str()) {
        Some(&place) => Ok((change.at, MemberId(place))),
        None => Err(BuildError::UnknownInFile {
            path: path.clone(),
            line: change.line,
            column: change.column,
            name: change.host.clone(),
            nearest: nearest(&change.host, by_name.keys().copied()),
        }),
    };
    changes.iter().map(member).collect()
}
