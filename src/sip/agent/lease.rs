//! What servers grant to a user for a time: the registration (RFC 3261 §10) and the publication of
//! presence (RFC 3903).
//!
//! Each has at most one request under way; a wish that comes meanwhile waits for its end. A lease
//! is [renewed](super::pause::renewal) before it ends; after a failure that may pass the agent
//! tries again after a pause, also when the lease has gone by meanwhile.

use std::sync::Arc;

use crate::sip::agent::body;
use crate::sip::agent::desk::{Desk, Due, Errand, Final, Series};
use crate::sip::agent::pause::{Pauses, is_transient, renewal};
use crate::sip::agent::upcall::{Cause, Upcall};
use crate::sip::header::{Contacts, EventPackage};
use crate::sip::message::{Method, Request, Response, Status};
use crate::sip::transaction::Wire;
use crate::sip::uri::Uri;
use crate::time::{SimDuration, SimTime};

/// The registration or the publication of a user.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    kind: Kind,
    series: Option<Series>,
    /// The `Expires` to ask for; 423 raises it.
    expires_s: u32,
    under_way: bool,
    /// The user wants something else than what is under way.
    waiting: bool,
    pauses: Pauses,
    until: Option<SimTime>,
}

#[derive(Clone, Debug)]
enum Kind {
    Registration {
        registrar: Option<Uri>,
    },
    Publication {
        open: bool,
        etag: Option<Arc<str>>,
        /// What the server holds under the tag.
        held: Option<bool>,
        /// What the request under way says.
        said: bool,
    },
}

impl Lease {
    pub(super) const fn registration() -> Self {
        Self::new(Kind::Registration { registrar: None })
    }

    pub(super) const fn publication() -> Self {
        Self::new(Kind::Publication { open: true, etag: None, held: None, said: true })
    }

    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            series: None,
            expires_s: 0,
            under_way: false,
            waiting: false,
            pauses: Pauses::NONE,
            until: None,
        }
    }

    /// The user wants to be registered there.
    pub(super) fn register<C: Wire>(&mut self, desk: &mut Desk<'_, C>, at: Uri) {
        self.kind = Kind::Registration { registrar: Some(at) };
        self.expires_s = desk.settings().register_expires;
        self.ask(desk, Cause::Asked);
    }

    /// The user does not want to be registered any longer.
    pub(super) fn unregister<C: Wire>(&mut self, desk: &mut Desk<'_, C>) {
        if self.series.is_some() {
            self.expires_s = 0;
            self.ask(desk, Cause::Asked);
        }
    }

    /// The user wants others to see this.
    pub(super) fn publish<C: Wire>(&mut self, desk: &mut Desk<'_, C>, now_open: bool) {
        if let Kind::Publication { open, .. } = &mut self.kind {
            *open = now_open;
        }
        self.expires_s = desk.settings().publish_expires;
        self.ask(desk, Cause::Asked);
    }

    /// It is time to renew, or to try again.
    pub(super) fn renew<C: Wire>(&mut self, desk: &mut Desk<'_, C>) {
        let cause = if self.pauses.failing() { Cause::Retry } else { Cause::Refresh };
        self.ask(desk, cause);
    }

    /// The lease has gone by.
    pub(super) fn lapse<C: Wire>(&mut self, desk: &mut Desk<'_, C>) {
        self.until = None;
        if let Kind::Publication { etag, held, .. } = &mut self.kind {
            (*etag, *held) = (None, None);
        }
        self.report(desk);
    }

    fn ask<C: Wire>(&mut self, desk: &mut Desk<'_, C>, cause: Cause) {
        if self.under_way {
            // No new one until the last has ended (RFC 3261 §10.2, RFC 3903 §4.1).
            self.waiting = true;
            return;
        }
        let series = match self.series.take() {
            Some(series) => Series { cseq: series.cseq + 1, ..series },
            None => Series::new(desk),
        };
        let request = self.request(desk, &series);
        self.series = Some(series);
        self.under_way = true;
        desk.cancel(self.renewal_due());
        let errand = match self.kind {
            Kind::Registration { .. } => Errand::Register,
            Kind::Publication { .. } => Errand::Publish,
        };
        desk.send(errand, request, cause);
    }

    fn request<C: Wire>(&mut self, desk: &Desk<'_, C>, series: &Series) -> Request {
        let aor = desk.settings().aor.clone();
        let mut request;
        match &mut self.kind {
            Kind::Registration { registrar } => {
                request = desk.request(Method::Register, aor, series);
                if let Some(registrar) = registrar {
                    request.uri = registrar.clone();
                }
                request.headers.contact = desk.contact();
            }
            Kind::Publication { open, etag, held, said } => {
                request = desk.request(Method::Publish, aor, series);
                request.headers.event = Some(EventPackage::presence());
                request.headers.if_match.clone_from(etag);
                *said = *open;
                // A mere renewal has no body (RFC 3903 §4.1).
                if *held != Some(*open) {
                    body::put_presence(&mut request, desk.settings(), *open);
                }
            }
        }
        request.headers.expires = Some(self.expires_s);
        request
    }

    /// A request has ended.
    pub(super) fn ended<C: Wire>(&mut self, desk: &mut Desk<'_, C>, how: &Final) {
        self.under_way = false;
        let again = match how {
            Final::Response(response) if response.status.is_success() => {
                self.granted(desk, response);
                None
            }
            Final::Response(response) => self.corrected(response),
            Final::Failure(_) => None,
        };
        if std::mem::take(&mut self.waiting) {
            self.ask(desk, Cause::Asked);
        } else if let Some(cause) = again {
            self.ask(desk, cause);
        } else if is_transient(how.outcome()) && self.expires_s > 0 {
            let pause = self.pauses.next(desk, how);
            desk.set_after(self.renewal_due(), pause);
        }
    }

    /// Does as a refusal says, if that helps: asks for longer, or publishes anew.
    fn corrected(&mut self, response: &Response) -> Option<Cause> {
        match response.status {
            Status::INTERVAL_TOO_BRIEF => {
                let least = response.headers.min_expires?;
                // Asking for no time at all, and asking again as before, do not help.
                (0 < self.expires_s && self.expires_s < least).then(|| {
                    self.expires_s = least;
                    Cause::Retry
                })
            }
            Status::CONDITIONAL_REQUEST_FAILED => match &mut self.kind {
                Kind::Publication { etag, held, .. } if etag.is_some() => {
                    (*etag, *held) = (None, None);
                    Some(Cause::Retry)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn granted<C: Wire>(&mut self, desk: &mut Desk<'_, C>, response: &Response) {
        self.pauses.reset();
        let headers = &response.headers;
        let seconds = match &mut self.kind {
            Kind::Registration { .. } => own_binding(desk, &headers.contact),
            Kind::Publication { etag, held, said, .. } => {
                etag.clone_from(&headers.etag);
                // Without a tag there is nothing to renew: the next one says it all again.
                *held = etag.is_some().then_some(*said);
                None
            }
        };
        let seconds = seconds.or(headers.expires).unwrap_or(self.expires_s);
        // A server may shorten what was asked for, but a removal remains one.
        let seconds = if self.expires_s == 0 { 0 } else { seconds };
        if seconds == 0 {
            self.until = None;
            desk.cancel(self.lapse_due());
        } else {
            let until = desk.now() + SimDuration::from_secs(u64::from(seconds));
            self.until = Some(until);
            desk.set_after(self.renewal_due(), renewal(seconds));
            desk.set(self.lapse_due(), until);
        }
        self.report(desk);
    }

    fn report<C: Wire>(&self, desk: &mut Desk<'_, C>) {
        let until = self.until;
        desk.tell(match self.kind {
            Kind::Registration { .. } => Upcall::Registered { until },
            Kind::Publication { .. } => Upcall::Published { until },
        });
    }

    const fn renewal_due(&self) -> Due {
        match self.kind {
            Kind::Registration { .. } => Due::Register,
            Kind::Publication { .. } => Due::Publish,
        }
    }

    const fn lapse_due(&self) -> Due {
        match self.kind {
            Kind::Registration { .. } => Due::RegistrationLapse,
            Kind::Publication { .. } => Due::PublicationLapse,
        }
    }
}

/// For how many seconds the registrar keeps this agent's own contact (RFC 3261 §10.2.4).
fn own_binding<C: Wire>(desk: &Desk<'_, C>, bindings: &Contacts) -> Option<u32> {
    let own = desk.settings().contact.sip()?;
    let is_own = |uri: &Uri| uri.sip().is_some_and(|uri| uri.same_resource(own));
    bindings.as_slice().iter().find(|contact| is_own(&contact.address.uri))?.expires
}
