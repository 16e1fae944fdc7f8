//! The files that a scenario names beside its trace: which they are, and what they hold.

use std::path::PathBuf;

use thiserror::Error;

use super::Scenario;
use super::document;
use super::plan::{AddressChangeSource, GraphPlan, LatencyPlan, NetworkPlan, Plan};
use super::problem::{Fault, Problem, Report, Sources};
use crate::churn::trace::{TraceError, parse_address_changes};
use crate::net::{FileError, Graph, Places};

/// A key that names a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnclosureKey {
    /// `network.address_change.trace`.
    AddressChanges,
    /// `network.latency.file`.
    Latency,
}

impl EnclosureKey {
    fn path(self) -> document::Path {
        document::Path::of(match self {
            Self::AddressChanges => "network.address_change.trace",
            Self::Latency => "network.latency.file",
        })
    }
}

/// A file does not follow its grammar.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum EnclosureError {
    /// Recorded changes of addresses.
    #[error("{}", .0.kind)]
    AddressChanges(#[from] TraceError),
    /// A graph, or coordinates.
    #[error("{}", .0.kind)]
    Latency(#[from] FileError),
}

impl EnclosureError {
    /// Line and column, from 1.
    #[must_use]
    pub const fn place(&self) -> (u32, u32) {
        match self {
            Self::AddressChanges(error) => (error.line, error.column),
            Self::Latency(error) => (error.line, error.column),
        }
    }
}

impl Scenario {
    /// The files that it names, each by its key, beside its trace.
    #[must_use]
    pub fn enclosures(&self) -> Vec<(EnclosureKey, PathBuf)> {
        let NetworkPlan { latency, address_change, .. } = &self.plan.network;
        let changes = match &address_change.source {
            Some(AddressChangeSource::Trace(file)) => Some(&file.path),
            _ => None,
        };
        let delays = match latency {
            LatencyPlan::Graph(GraphPlan { file, .. }) => Some(&file.path),
            LatencyPlan::Listed(file) => Some(&file.path),
            _ => None,
        };
        let by_key = [(EnclosureKey::AddressChanges, changes), (EnclosureKey::Latency, delays)];
        by_key.into_iter().filter_map(|(key, path)| Some((key, path?.clone()))).collect()
    }

    /// Takes what a file holds, which has this digest.
    ///
    /// # Errors
    /// When it does not follow its grammar.
    pub fn enclose(
        &mut self,
        key: EnclosureKey,
        bytes: &[u8],
        digest: String,
    ) -> Result<(), EnclosureError> {
        let NetworkPlan { latency, address_change, .. } = &mut self.plan.network;
        match (key, &mut address_change.source, latency) {
            (EnclosureKey::AddressChanges, Some(AddressChangeSource::Trace(file)), _) => {
                file.enclose(parse_address_changes(bytes)?, digest);
            }
            (EnclosureKey::Latency, _, LatencyPlan::Graph(GraphPlan { file, format, .. })) => {
                file.enclose(Graph::parse(bytes, format)?, digest);
            }
            (EnclosureKey::Latency, _, LatencyPlan::Listed(file)) => {
                file.enclose(Places::parse(bytes)?, digest);
            }
            // The scenario names no such file.
            _ => {}
        }
        Ok(())
    }

    /// Where a file is named: file, line, column and key, or the `--set` argument.
    #[must_use]
    pub fn enclosure_place(&self, key: EnclosureKey) -> String {
        let key = key.path();
        format!("{}: {key}", self.sources.locate(&self.document.place_of(&key)))
    }

    /// The report that a file cannot be read, at the key that names it.
    #[must_use]
    pub fn enclosure_report(
        &self,
        key: EnclosureKey,
        path: PathBuf,
        message: impl ToString,
    ) -> Report {
        let key = key.path();
        let fault = Fault::Trace { path, message: message.to_string() };
        let problem = Problem::new(self.document.place_of(&key), key, fault);
        Report::new(Sources::clone(&self.sources), vec![problem])
    }
}

/// Names the files of a plan by what they hold.
pub(super) fn name_by_content(plan: &mut Plan) {
    if let Some(AddressChangeSource::Trace(file)) = &mut plan.network.address_change.source {
        file.name_by_content();
    }
    match &mut plan.network.latency {
        LatencyPlan::Graph(graph) => graph.file.name_by_content(),
        LatencyPlan::Listed(file) => file.name_by_content(),
        _ => {}
    }
}
