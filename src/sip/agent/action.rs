//! What users do.

use std::sync::Arc;

use crate::sip::agent::{Agent, Upcalls};
use crate::sip::transaction::{Transactions, Wire};
use crate::sip::uri::{HostPart, SipUri, Uri};
use crate::time::SimDuration;

/// One thing that a user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Registers with the own domain, to be reached.
    Register,
    /// Publishes to be there, or not to be, and shows it to who watches.
    Publish {
        /// Whether the user is there.
        open: bool,
    },
    /// Writes an instant message.
    Message {
        /// To whom.
        to: Uri,
        /// What.
        text: Arc<str>,
    },
    /// Wants to know a peer's presence.
    Subscribe {
        /// Whose.
        to: Uri,
        /// For how long; for ever if `None`.
        keep: Option<SimDuration>,
    },
    /// No longer wants to know it.
    Unsubscribe {
        /// Whose.
        to: Uri,
    },
    /// Calls.
    Call {
        /// Whom.
        to: Uri,
        /// For how long they talk.
        talk: SimDuration,
    },
}

impl Agent {
    /// The user does this.
    pub fn act<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions, action: Action) -> Upcalls {
        match action {
            Action::Register => {
                let registrar = registrar_of(&self.settings().aor);
                self.register(ctx, tx, registrar)
            }
            Action::Publish { open } => self.publish(ctx, tx, open),
            Action::Message { to, text } => self.message(ctx, tx, to, &text),
            Action::Subscribe { to, keep } => self.subscribe(ctx, tx, to, keep),
            Action::Unsubscribe { to } => self.unsubscribe(ctx, tx, &to),
            Action::Call { to, talk } => self.call(ctx, tx, to, talk),
        }
    }
}

/// The registrar of a user: `sip:domain` (RFC 3261 §10.2).
fn registrar_of(aor: &Uri) -> Uri {
    let host = aor.sip().map_or_else(|| HostPart::name("localhost"), |uri| uri.host.clone());
    Uri::Sip(SipUri::of_host(host))
}
