//! Rows of requests, and the departures that they are held against.

use std::sync::Arc;

use super::{Fields, Row, RowError, optional, word};
use crate::time::{SimDuration, SimTime};
use crate::world::observation::RequestMethod;
use crate::world::truth::{Cause, RequestOutcome};

/// One request of a conventional user to a user of the overlay: a row of `requests.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// When it began.
    pub time: SimTime,
    /// The caller's domain; shared, since there are many requests and few domains.
    pub caller: Arc<str>,
    /// What it asked for.
    pub method: RequestMethod,
    /// What became of it.
    pub outcome: RequestOutcome,
    /// Why it failed; `None` if it did not, or is unfinished.
    pub cause: Option<Cause>,
    /// From its beginning to its end; `None` if it is unfinished.
    pub delay: Option<SimDuration>,
    /// Whether the first address that it was sent to was not valid; `None` if it was sent to none.
    pub stale: Option<bool>,
}

/// A departure of the binding, the warm-up included. Kept with the run, yet no table of the study:
/// episodes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepartureRow {
    /// When the binding lost its validity.
    pub time: SimTime,
}

const METHODS: &[(RequestMethod, &str)] = &[
    (RequestMethod::Invite, "INVITE"),
    (RequestMethod::Bye, "BYE"),
    (RequestMethod::Message, "MESSAGE"),
    (RequestMethod::Subscribe, "SUBSCRIBE"),
    (RequestMethod::Notify, "NOTIFY"),
    (RequestMethod::Other, "other"),
];

/// What is no status code.
const OUTCOMES: &[(RequestOutcome, &str)] = &[
    (RequestOutcome::Timeout, "timeout"),
    (RequestOutcome::Transport, "transport"),
    (RequestOutcome::Unlocated, "unlocated"),
    (RequestOutcome::WrongOverlay, "wrong_overlay"),
    (RequestOutcome::Unfinished, "unfinished"),
];

const CAUSES: &[(Option<Cause>, &str)] =
    &[(Some(Cause::Interop), "interop"), (Some(Cause::Callee), "callee"), (None, "")];

/// An outcome as tables name it.
fn outcome_name(outcome: RequestOutcome) -> String {
    match outcome {
        RequestOutcome::Status(status) => status.to_string(),
        other => word(OUTCOMES, &other).to_owned(),
    }
}

fn outcome_named(name: &str) -> Option<RequestOutcome> {
    let words = OUTCOMES.iter().find(|(_, word)| *word == name).map(|(outcome, _)| *outcome);
    words.or_else(|| name.parse().ok().map(RequestOutcome::Status))
}

impl Row for RequestRow {
    const TABLE: &'static str = "requests";
    const COLUMNS: &'static [&'static str] =
        &["time_s", "caller", "method", "outcome", "cause", "delay_s", "stale"];

    fn fields(&self) -> Vec<String> {
        vec![
            self.time.to_string(),
            self.caller.to_string(),
            word(METHODS, &self.method).to_owned(),
            outcome_name(self.outcome),
            word(CAUSES, &self.cause).to_owned(),
            optional(self.delay),
            optional(self.stale),
        ]
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        Ok(Self {
            time: fields.time()?,
            caller: fields.take(|name| Some(Arc::from(name)))?,
            method: fields.word(METHODS)?,
            outcome: fields.take(outcome_named)?,
            cause: fields.word(CAUSES)?,
            delay: fields.optional_span()?,
            stale: fields.optional()?,
        })
    }
}

impl Row for DepartureRow {
    const TABLE: &'static str = "departures";
    const COLUMNS: &'static [&'static str] = &["time_s"];

    fn fields(&self) -> Vec<String> {
        vec![self.time.to_string()]
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        Ok(Self { time: fields.time()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_reads_back_as_it_is_written() {
        let done = |outcome, cause| (outcome, cause, Some(SimDuration::from_millis(1500)));
        let cases = [
            (done(RequestOutcome::Status(202), None), "202,,1.5"),
            (done(RequestOutcome::Status(486), Some(Cause::Callee)), "486,callee,1.5"),
            (done(RequestOutcome::Timeout, Some(Cause::Interop)), "timeout,interop,1.5"),
            (done(RequestOutcome::Transport, Some(Cause::Interop)), "transport,interop,1.5"),
            (done(RequestOutcome::Unlocated, Some(Cause::Interop)), "unlocated,interop,1.5"),
            (done(RequestOutcome::WrongOverlay, Some(Cause::Callee)), "wrong_overlay,callee,1.5"),
            ((RequestOutcome::Unfinished, None, None), "unfinished,,"),
        ];
        let methods = METHODS.iter().cycle();
        let stales = [Some(true), Some(false), None].into_iter().cycle();
        for (((of, expected), &(method, name)), stale) in cases.into_iter().zip(methods).zip(stales)
        {
            let (outcome, cause, delay) = of;
            let (time, caller) = (SimTime::from_secs(7), "ru.ac.za".into());
            let row = RequestRow { time, caller, method, outcome, cause, delay, stale };
            let fields = row.fields();
            let sent = stale.map_or("", |stale| if stale { "true" } else { "false" });
            assert_eq!(fields.join(","), format!("7,ru.ac.za,{name},{expected},{sent}"));
            let record = csv::StringRecord::from(fields);
            let read = RequestRow::from_fields(&mut Fields::of::<RequestRow>(&record, 0));
            assert_eq!(read, Ok(row));
        }
    }

    #[test]
    fn what_is_no_outcome_is_refused() {
        for wrong in ["", "busy", "-1", "70000", "Timeout"] {
            assert_eq!(outcome_named(wrong), None, "{wrong}");
        }
    }
}
