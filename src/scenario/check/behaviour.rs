//! Checks of churn and handover.

use super::super::document::Path;
use super::super::file::{ApplicationCache, Churn, ChurnModel, Handover, LifetimeModel, Reading};
use super::super::plan::{
    Centre, ChurnPlan, ChurnSource, Family, HandoverPlan, Lifetime, Policies, ProbeKind, Probing,
    TraceFormat, TracePlan, ZoneUpdates,
};
use super::super::problem::Fault;
use super::Check;
use crate::address::Port;
use crate::churn::trace;
use crate::time::SimDuration;
use crate::units::Duration;

/// What only drawn churn takes, and what only a trace takes.
const DRAWN_KEYS: [&str; 9] = [
    "session_mean",
    "session_median",
    "shape",
    "sigma",
    "downtime_model",
    "downtime_mean",
    "downtime_median",
    "downtime_shape",
    "downtime_sigma",
];
const TRACE_KEYS: [&str; 3] = ["trace", "format", "spread"];

/// The keys of one of the two times of churn, and what they hold.
struct LifetimeKeys {
    mean: (&'static str, Option<Duration>),
    median: (&'static str, Option<Duration>),
    shape: (&'static str, Option<f64>),
    sigma: (&'static str, Option<f64>),
}

impl Check<'_> {
    pub(super) fn churn(&mut self, churn: &Churn) -> Option<ChurnPlan> {
        let table = Path::of("churn");
        let source = match churn.model {
            ChurnModel::None => {
                self.meaningless(&table, &DRAWN_KEYS, "model \"none\"");
                self.meaningless(&table, &TRACE_KEYS, &reads_no_trace("none"));
                return None;
            }
            ChurnModel::Trace => {
                self.meaningless(&table, &DRAWN_KEYS, "model \"trace\"");
                ChurnSource::Trace(self.trace(churn, &table)?)
            }
            ChurnModel::Exponential => self.drawn(churn, LifetimeModel::Exponential, &table)?,
            ChurnModel::Weibull => self.drawn(churn, LifetimeModel::Weibull, &table)?,
            ChurnModel::Pareto => self.drawn(churn, LifetimeModel::Pareto, &table)?,
            ChurnModel::Lognormal => self.drawn(churn, LifetimeModel::Lognormal, &table)?,
        };
        Some(ChurnPlan { source, graceful: churn.graceful.0, return_address: churn.return_address })
    }

    fn trace(&mut self, churn: &Churn, table: &Path) -> Option<TracePlan> {
        let path = table.then("trace");
        let Some(written) = &churn.trace else {
            let (key, why) = ("trace".to_owned(), "the file of recorded sessions".to_owned());
            self.key_fault(table, Fault::Missing { key, why });
            return None;
        };
        let file = self.file_path(&path, written);
        let told = trace::TraceFormat::of(&file.to_string_lossy(), None);
        let told = told.ok().and_then(TraceFormat::of);
        let format = churn.format.or(told);
        if format.is_none() {
            self.fault(&path, Fault::TraceFormat { path: written.clone() });
        }
        let spread = churn.spread.unwrap_or_default().0;
        format.map(|format| TracePlan { path: file, format, spread })
    }

    fn drawn(&mut self, churn: &Churn, family: LifetimeModel, table: &Path) -> Option<ChurnSource> {
        let name = lifetime_word(family);
        self.meaningless(table, &TRACE_KEYS, &reads_no_trace(name));
        let session = LifetimeKeys {
            mean: ("session_mean", churn.session_mean),
            median: ("session_median", churn.session_median),
            shape: ("shape", churn.shape),
            sigma: ("sigma", churn.sigma),
        };
        let away = churn.downtime_model.unwrap_or(family);
        let same = away == family;
        let downtime = LifetimeKeys {
            mean: ("downtime_mean", churn.downtime_mean),
            median: ("downtime_median", churn.downtime_median),
            shape: ("downtime_shape", churn.downtime_shape.or(churn.shape.filter(|_| same))),
            sigma: ("downtime_sigma", churn.downtime_sigma.or(churn.sigma.filter(|_| same))),
        };
        let session = self.lifetime(family, &session, table);
        // What the family of the session lacks, the downtime of the same family need not repeat.
        if same && session.is_none() {
            return None;
        }
        let downtime = self.lifetime(away, &downtime, table);
        Some(ChurnSource::Model { session: session?, downtime: downtime? })
    }

    fn lifetime(
        &mut self,
        model: LifetimeModel,
        keys: &LifetimeKeys,
        table: &Path,
    ) -> Option<Lifetime> {
        let (shape, sigma) = (keys.shape.0, keys.sigma.0);
        let takes_shape = matches!(model, LifetimeModel::Weibull | LifetimeModel::Pareto);
        let takes_sigma = model == LifetimeModel::Lognormal;
        for (key, is_taken, others) in [
            (shape, takes_shape, "\"weibull\" or \"pareto\""),
            (sigma, takes_sigma, "\"lognormal\""),
        ] {
            if !is_taken {
                let with = format!("\"{}\"; it has one with {others}", lifetime_word(model));
                self.meaningless(table, &[key], &with);
            }
        }
        let family = match model {
            LifetimeModel::Exponential => Some(Family::Exponential),
            LifetimeModel::Weibull => {
                self.parameter(keys.shape, table).map(|shape| Family::Weibull { shape })
            }
            LifetimeModel::Pareto => {
                self.pareto_shape(keys.shape, table).map(|shape| Family::Pareto { shape })
            }
            LifetimeModel::Lognormal => {
                self.parameter(keys.sigma, table).map(|sigma| Family::Lognormal { sigma })
            }
        };
        let ((key, mean), (other, median)) = (keys.mean, keys.median);
        let location = match (mean, median) {
            (Some(_), Some(_)) => {
                self.key_fault(&table.then(other), Fault::Both { key: other, other: key });
                return None;
            }
            (None, Some(median)) => Centre::Median(median.0),
            (mean, None) => Centre::Mean(mean.unwrap_or(Churn::MEAN).0),
        };
        Some(Lifetime { family: family?, location })
    }

    fn parameter(&mut self, (key, given): (&str, Option<f64>), table: &Path) -> Option<f64> {
        if given.is_none() {
            let why = "the distribution has no shape without it".to_owned();
            self.key_fault(table, Fault::Missing { key: key.to_owned(), why });
        }
        given
    }

    /// A Lomax distribution has a mean, and churn that follows it a stationary start, only above 1.
    fn pareto_shape(&mut self, (key, given): (&str, Option<f64>), table: &Path) -> Option<f64> {
        let shape = self.parameter((key, given), table)?;
        if shape > 1.0 {
            return Some(shape);
        }
        // A downtime may have taken the shape of the session, where it is reported already.
        let expected = "pareto needs a shape above 1, or it has no mean".to_owned();
        self.fault(&table.then(key), Fault::Range { found: shape.to_string(), expected });
        None
    }

    pub(super) fn handover(
        &mut self,
        handover: &Handover,
        zone: Option<ZoneUpdates>,
    ) -> HandoverPlan {
        let base = match handover.reading {
            Reading::Intended => Policies::INTENDED,
            Reading::Literal => Policies::LITERAL,
        };
        let taken = match (handover.probe_port, handover.probe_kind) {
            (80, _) => Some("the update service has it"),
            (7, ProbeKind::Tcp7) => Some("test 1 of probe_kind \"tcp7\" has it"),
            _ => None,
        };
        if let Some(why) = taken {
            let port = handover.probe_port;
            self.fault(&Path::of("handover.probe_port"), Fault::PortTaken { port, why });
        }
        self.strategys_own(handover);
        HandoverPlan {
            strategy: handover.strategy,
            policies: Policies {
                on_unresolved: handover.on_unresolved.unwrap_or(base.on_unresolved),
                own_address: handover.own_address.unwrap_or(base.own_address),
                test1_failure: handover.test1_failure.unwrap_or(base.test1_failure),
                update_failure: handover.update_failure.unwrap_or(base.update_failure),
                losers: handover.losers.unwrap_or(base.losers),
                failures_to_suspect: handover
                    .failures_to_suspect
                    .unwrap_or(base.failures_to_suspect),
                bootstrap: handover.bootstrap.unwrap_or(base.bootstrap),
                eligibility: handover.eligibility.unwrap_or(base.eligibility),
                overlay_record: handover.overlay_record.unwrap_or(base.overlay_record),
                ex_proxy: handover.ex_proxy.unwrap_or(base.ex_proxy),
                on_address_change: handover.on_address_change.unwrap_or(base.on_address_change),
            },
            probe: Probing {
                interval: handover.probe_interval.0,
                jitter: handover.probe_jitter.0,
                timeout: handover.probe_timeout.0,
                kind: handover.probe_kind,
                port: Port(handover.probe_port),
            },
            application_cache: match handover.application_cache {
                ApplicationCache::Word(_) => SimDuration::MAX,
                ApplicationCache::Span(span) => span.0,
            },
            standbys: handover.standbys.unwrap_or(Handover::STANDBYS),
            update: handover.updates_by(zone),
            update_if: handover.updates_if(),
            update_timeout: handover.update_timeout.0,
            record_route: handover.record_route,
            daemon: self.daemon(handover),
        }
    }
}

/// What a distribution is called in a file.
fn lifetime_word(model: LifetimeModel) -> &'static str {
    match model {
        LifetimeModel::Exponential => "exponential",
        LifetimeModel::Weibull => "weibull",
        LifetimeModel::Pareto => "pareto",
        LifetimeModel::Lognormal => "lognormal",
    }
}

/// Why the keys of a trace mean nothing, and what they need.
fn reads_no_trace(model: &str) -> String {
    format!("model \"{model}\"; to read a trace, set churn.model to \"trace\" as well")
}
