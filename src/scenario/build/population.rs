//! How many members there are, when they are up, and what the script does to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cast::Cast;
use super::partition::Parting;
use super::users;
use super::{BuildError, model_error};
use crate::churn::trace::AvailabilityTrace;
use crate::churn::{self, ChurnModel, GracefulShare, Recipe, Schedule};
use crate::scenario::plan::{self, ChurnPlan, ChurnSource, PartitionPlan, Plan};
use crate::world::director;
use crate::world::population::MemberId;

/// How many members are generated.
pub(super) fn generated(
    plan: &Plan,
    trace: Option<&Arc<AvailabilityTrace>>,
) -> Result<u64, BuildError> {
    if let Some(trace) = trace {
        return Ok(trace.nodes.len() as u64);
    }
    match &plan.churn {
        Some(ChurnPlan { source: ChurnSource::Model { session, downtime }, .. }) => {
            let model = ChurnModel { session: lifetime(*session)?, downtime: lifetime(*downtime)? };
            Ok(model.hosts_for(plan.overlay.nodes))
        }
        _ => Ok(u64::from(plan.overlay.nodes)),
    }
}

/// What their sessions are drawn from, if they are drawn.
pub(super) fn recipe(plan: &Plan) -> Result<Option<Recipe>, BuildError> {
    let Some(ChurnPlan { source: ChurnSource::Model { session, downtime }, .. }) = &plan.churn
    else {
        return Ok(None);
    };
    let members = generated(plan, None)?;
    let nodes = u32::try_from(members).map_err(|_| BuildError::TooMany(members))?;
    let span = plan.duration.expect("only a plan with trace churn leaves its length open");
    let model = ChurnModel { session: lifetime(*session)?, downtime: lifetime(*downtime)? };
    Ok((nodes > 0).then_some(Recipe { nodes, span, model, seed: plan.seed }))
}

pub(super) fn lifetime(plan: plan::Lifetime) -> Result<churn::Lifetime, BuildError> {
    churn::Lifetime::new(plan.family, plan.location).map_err(model_error)
}

pub(super) fn schedule(
    plan: &Plan,
    seed: u64,
    trace: Option<&Arc<AvailabilityTrace>>,
) -> Result<Schedule, BuildError> {
    let Some(churn) = &plan.churn else { return Ok(Schedule::always_up()) };
    let model = |error: &dyn std::fmt::Display| BuildError::Model(error.to_string());
    let graceful = GracefulShare::new(churn.graceful).map_err(|error| model(&error))?;
    match &churn.source {
        ChurnSource::Model { session, downtime } => {
            let drawn = ChurnModel { session: lifetime(*session)?, downtime: lifetime(*downtime)? };
            Ok(Schedule::model(seed, drawn, graceful))
        }
        ChurnSource::Trace(source) => {
            let recorded = trace.expect("a plan with trace churn comes with its trace");
            let spread = if source.spread.is_zero() {
                Arc::clone(recorded)
            } else {
                Arc::new(recorded.as_ref().clone().spread(source.spread, seed))
            };
            Ok(Schedule::trace(seed, spread, graceful))
        }
    }
}

pub(super) fn script(
    plan: &Plan,
    cast: &Cast,
    partings: &BTreeMap<usize, Parting>,
) -> Result<Vec<director::Line>, BuildError> {
    let target = |target: &plan::Target| {
        Ok(match target {
            plan::Target::Proxy => director::Target::Binding,
            plan::Target::Share(share) => director::Target::Share(*share),
            plan::Target::Host(name) => {
                let named = cast.named.iter().chain(&cast.embedding).map(|(it, _)| it);
                let members = cast.generated.iter().chain(named);
                match (0..).zip(members).find(|(_, other)| *other == name) {
                    Some((place, _)) => director::Target::Member(MemberId(place)),
                    None if cast.callers.contains(name) => director::Target::Server(cast.id(name)),
                    None => return Err(cast.unknown(name)),
                }
            }
        })
    };
    plan.events
        .iter()
        .enumerate()
        .map(|(line, event)| {
            Ok(director::Line {
                when: event.when,
                spread: event.spread,
                action: match &event.action {
                    plan::Action::Depart { target: who, back_after, graceful } => {
                        director::Action::Depart {
                            target: target(who)?,
                            back_after: *back_after,
                            graceful: *graceful,
                        }
                    }
                    plan::Action::Return { target: who } => {
                        director::Action::Return { target: target(who)? }
                    }
                    plan::Action::DynDnsDown { back_after } => {
                        director::Action::ServiceDown { back_after: *back_after }
                    }
                    plan::Action::DynDnsUp => director::Action::ServiceUp,
                    plan::Action::DynDnsReset => director::Action::ServiceReset,
                    plan::Action::Partition(PartitionPlan { lasting, .. }) => {
                        let Parting { partition, ref hosts, proxy } = partings[&line];
                        let (hosts, lasting) = (Arc::clone(hosts), *lasting);
                        director::Action::Part { partition, hosts, proxy, lasting }
                    }
                    plan::Action::AddressChange { target: who } => {
                        director::Action::Readdress { target: target(who)? }
                    }
                    plan::Action::Heal => director::Action::Heal,
                    plan::Action::User(user) => director::Action::User {
                        host: cast.find(&user.host).ok_or_else(|| cast.unknown(&user.host))?,
                        action: users::action(&user.act),
                    },
                },
            })
        })
        .collect()
}
