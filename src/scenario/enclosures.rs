//! The files that a scenario names beside its trace: which they are, and what they hold.

use std::path::PathBuf;

use thiserror::Error;

use super::Scenario;
use super::document;
use super::plan::{AddressChangeSource, Plan};
use super::problem::{Fault, Problem, Report, Sources};
use crate::churn::trace::{TraceError, parse_address_changes};

/// A key that names a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnclosureKey {
    /// `network.address_change.trace`.
    AddressChanges,
}

impl EnclosureKey {
    fn path(self) -> document::Path {
        document::Path::of(match self {
            Self::AddressChanges => "network.address_change.trace",
        })
    }
}

/// A file does not follow its grammar.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum EnclosureError {
    /// Recorded changes of addresses.
    #[error("{}", .0.kind)]
    AddressChanges(#[from] TraceError),
}

impl EnclosureError {
    /// Line and column, from 1.
    #[must_use]
    pub const fn place(&self) -> (u32, u32) {
        match self {
            Self::AddressChanges(error) => (error.line, error.column),
        }
    }
}

impl Scenario {
    /// The files that it names, each by its key, beside its trace.
    #[must_use]
    pub fn enclosures(&self) -> Vec<(EnclosureKey, PathBuf)> {
        let changes = match &self.plan.network.address_change.source {
            Some(AddressChangeSource::Trace(file)) => {
                Some((EnclosureKey::AddressChanges, file.path.clone()))
            }
            _ => None,
        };
        changes.into_iter().collect()
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
        match (key, &mut self.plan.network.address_change.source) {
            (EnclosureKey::AddressChanges, Some(AddressChangeSource::Trace(file))) => {
                file.enclose(parse_address_changes(bytes)?, digest);
            }
            (EnclosureKey::AddressChanges, _) => {}
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
}
