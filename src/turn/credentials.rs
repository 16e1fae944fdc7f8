//! Who asks: the long-term credential mechanism (RFC 8489 §9.2).
//!
//! The code in `MESSAGE-INTEGRITY` has the length of HMAC-SHA1, but is a mix of the same inputs: the
//! key and everything that the message says. Who has another key, or another message, is found out
//! as in reality. A nonce says when it was issued, and is good for an hour, as RFC 8656 §5 asks for,
//! unless the relay that issued it has been switched off since.

use std::sync::Arc;

use crate::rng::{NameHash, mix2};
use crate::time::{SimDuration, SimTime};
use crate::turn::codec;
use crate::turn::message::Body;

/// How long a nonce is good.
pub const NONCE_LIFETIME: SimDuration = SimDuration::from_secs(3_600);

/// What clients of a relay sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name of the user.
    pub user: Arc<str>,
    /// Whose users they are: the relay's own name for them.
    pub realm: Arc<str>,
    /// What nobody else knows.
    pub secret: u64,
}

/// Written as sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub u64);

/// What a relay asks a client to sign with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Challenge {
    /// Whose users it serves.
    pub realm: Arc<str>,
    /// What makes each signature good for a while only.
    pub nonce: Nonce,
}

/// An integrity code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Integrity(pub [u8; 20]);

/// Who a request is from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Auth {
    /// The name of the user.
    pub user: Arc<str>,
    /// As the relay asked for it.
    pub challenge: Challenge,
    /// The code; nothing but zeros while it is not there yet.
    pub integrity: Integrity,
}

impl Nonce {
    /// A nonce of now.
    #[must_use]
    pub const fn issued(now: SimTime) -> Self {
        Self(now.as_nanos())
    }

    /// Whether it was issued before this moment.
    #[must_use]
    pub fn is_older(self, than: SimTime) -> bool {
        SimTime::from_nanos(self.0) < than
    }

    /// Whether it is too old by now.
    #[must_use]
    pub fn is_stale(self, now: SimTime) -> bool {
        now.since(SimTime::from_nanos(self.0)) >= NONCE_LIFETIME
    }
}

impl Account {
    /// Signs a request that was challenged.
    #[must_use]
    pub fn signed(&self, body: Body, challenge: Challenge) -> Body {
        let Body::Request { id, request, .. } = body else { return body };
        let auth = |integrity| {
            let (user, challenge) = (Arc::clone(&self.user), challenge.clone());
            Some(Auth { user, challenge, integrity })
        };
        let unsigned = Body::Request { id, request, auth: auth(Integrity([0; 20])) };
        let integrity = self.code(&unsigned);
        Body::Request { id, request, auth: auth(integrity) }
    }

    /// Whether a request is signed by who knows the key.
    #[must_use]
    pub fn verifies(&self, body: &Body) -> bool {
        let Body::Request { id, request, auth: Some(auth) } = body else { return false };
        let blank = Auth { integrity: Integrity([0; 20]), ..auth.clone() };
        let unsigned = Body::Request { id: *id, request: *request, auth: Some(blank) };
        auth.user == self.user
            && auth.challenge.realm == self.realm
            && auth.integrity == self.code(&unsigned)
    }

    /// The code of a message in which zeros stand where it will.
    #[must_use]
    pub fn code(&self, body: &Body) -> Integrity {
        let key = mix2(self.secret, NameHash::of(&self.realm).0);
        let octets = codec::encode(body);
        let (words, rest) = octets.as_chunks::<8>();
        let word = |mixed, word: &[u8; 8]| mix2(mixed, u64::from_be_bytes(*word));
        let mixed = words.iter().fold(key, word);
        let mixed = rest.iter().fold(mixed, |mixed, &octet| mix2(mixed, u64::from(octet)));
        let mut code = [0; 20];
        for (place, octets) in (0u64..).zip(code.chunks_mut(8)) {
            let word = mix2(mixed, place).to_be_bytes();
            octets.copy_from_slice(&word[..octets.len()]);
        }
        Integrity(code)
    }
}
