//! Transaction signatures (RFC 8945): who asked for an update.
//!
//! A [`Key`] is shared by those who may update and the authority. The record that it adds to a
//! message has exactly the length of one with HMAC-SHA256, which is what `tsig-keygen` makes unless
//! told otherwise. The code in it is no HMAC but a mix of the same inputs: it depends on the key, on
//! everything that the message says, and in a response on the request's, so that whoever has another
//! key, or another message, is found out as in reality.
//!
//! Left out: the last time signed by each key (§5.2.3), since one key is used by many; truncated
//! codes.

use crate::dns::codec;
use crate::dns::message::{Message, Rcode};
use crate::dns::name::DomainName;
use crate::rng::mix2;
use crate::time::SimTime;

/// By how many seconds the clocks of both sides may differ (RFC 8945 §10, "a recommended value").
pub const FUDGE: u16 = 300;
/// The algorithm of all signatures here, as its name on the wire.
pub const ALGORITHM: &str = "hmac-sha256";
/// Octets of its codes.
pub const MAC_LEN: usize = 32;

/// A message authentication code.
pub type Mac = [u8; MAC_LEN];

/// A secret with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// By which both sides call it.
    pub name: DomainName,
    /// What nobody else knows.
    pub secret: u64,
}

/// A signature (RFC 8945 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tsig {
    /// The name of the key.
    pub key: DomainName,
    /// When it was signed: seconds, 48 bits.
    pub signed: u64,
    /// By how many seconds the receiver's clock may differ.
    pub fudge: u16,
    /// The code; none in an answer to a key or code that is not known.
    pub mac: Option<Mac>,
    /// The message's ID before any forwarding.
    pub original_id: u16,
    /// What was wrong with the request's signature.
    pub error: Error,
    /// The server's time, told with [`Error::BAD_TIME`]: seconds, 48 bits.
    pub server_time: Option<u64>,
}

/// What is wrong with a signature: an extended RCODE (RFC 8945 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Error(pub u16);

impl Error {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The code does not fit key and message.
    pub const BAD_SIG: Self = Self(16);
    /// The key is not known.
    pub const BAD_KEY: Self = Self(17);
    /// The clocks differ by more than the fudge.
    pub const BAD_TIME: Self = Self(18);
}

/// Seconds of a moment, as a signature counts them.
#[must_use]
pub fn seconds(now: SimTime) -> u64 {
    now.since(SimTime::ZERO).as_secs()
}

impl Key {
    /// Signs a message that has no signature. `request` is the code of the request that it answers.
    pub fn sign(&self, now: SimTime, message: &mut Message, request: Option<&Mac>) {
        self.sign_at(seconds(now), message, request, Error::NONE, None);
    }

    /// The same with a time in seconds and an error.
    fn sign_at(
        &self,
        signed: u64,
        message: &mut Message,
        request: Option<&Mac>,
        error: Error,
        server_time: Option<u64>,
    ) {
        message.tsig = None;
        let mac = Some(self.mac(message, signed, request));
        let (key, original_id) = (self.name.clone(), message.id);
        let fudge = FUDGE;
        message.tsig =
            Some(Box::new(Tsig { key, signed, fudge, mac, original_id, error, server_time }));
    }

    fn mac(&self, unsigned: &Message, signed: u64, request: Option<&Mac>) -> Mac {
        let request = request.map_or(0, |mac| {
            let words = mac.chunks_exact(8);
            words.fold(1, |hash, word| {
                mix2(hash, u64::from_be_bytes(word.try_into().expect("a chunk has 8 octets")))
            })
        });
        let seed = mix2(self.secret, mix2(codec::digest(unsigned), mix2(signed, request)));
        let mut mac = [0; MAC_LEN];
        for (place, word) in (0u64..).zip(mac.chunks_exact_mut(8)) {
            word.copy_from_slice(&mix2(seed, place).to_be_bytes());
        }
        mac
    }

    /// Whether a message was signed with this key, now by the receiver's clock.
    ///
    /// # Errors
    /// What is wrong with its signature.
    pub fn verify(
        &self,
        now: SimTime,
        message: &Message,
        request: Option<&Mac>,
    ) -> Result<Mac, Error> {
        let Some(tsig) = message.tsig.as_deref() else { return Err(Error::BAD_SIG) };
        if tsig.key != self.name {
            return Err(Error::BAD_KEY);
        }
        let mut unsigned = message.clone();
        unsigned.tsig = None;
        unsigned.id = tsig.original_id;
        match tsig.mac {
            Some(mac) if mac == self.mac(&unsigned, tsig.signed, request) => {
                let apart = tsig.signed.abs_diff(seconds(now));
                if apart > u64::from(tsig.fudge) { Err(Error::BAD_TIME) } else { Ok(mac) }
            }
            _ => Err(Error::BAD_SIG),
        }
    }

    /// The answer to a request whose signature is not accepted (RFC 8945 §5.3.2): only one about
    /// the time is signed.
    #[must_use]
    pub fn refuse(&self, now: SimTime, request: &Message, error: Error) -> Message {
        let Some(tsig) = request.tsig.as_deref().filter(|_| error == Error::BAD_TIME) else {
            return refuse_unsigned(request, error);
        };
        let mut response = Message::response_to(request, Rcode::NOT_AUTH);
        let time = Some(seconds(now));
        self.sign_at(tsig.signed, &mut response, tsig.mac.as_ref(), error, time);
        response
    }
}

/// The answer of a server that can't sign it: it does not know the key, or whoever asks does not.
#[must_use]
pub fn refuse_unsigned(request: &Message, error: Error) -> Message {
    let mut response = Message::response_to(request, Rcode::NOT_AUTH);
    if let Some(tsig) = request.tsig.as_deref() {
        let unsigned = Tsig { mac: None, error, server_time: None, ..tsig.clone() };
        response.tsig = Some(Box::new(unsigned));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::message::Question;
    use crate::time::SimDuration;

    fn key(name: &str, secret: u64) -> Key {
        Key { name: name.parse().unwrap(), secret }
    }

    #[test]
    fn a_signature_holds_for_one_key_one_message_and_five_minutes() {
        let at = SimTime::from_secs(1_000);
        let mut signed = Message::query(7, Question::addresses("a.bc".parse().unwrap()));
        key("k", 1).sign(at, &mut signed, None);
        let mut changed = signed.clone();
        changed.recursion_desired = false;
        let mut other_request = signed.clone();
        key("k", 1).sign(at, &mut other_request, Some(&[1; MAC_LEN]));
        let unsigned = Message::query(7, Question::addresses("a.bc".parse().unwrap()));
        let late = |seconds| at + SimDuration::from_secs(seconds);
        for (key, now, message, expected) in [
            (key("k", 1), at, &signed, None),
            (key("k", 2), at, &signed, Some(Error::BAD_SIG)),
            (key("l", 1), at, &signed, Some(Error::BAD_KEY)),
            (key("k", 1), at, &changed, Some(Error::BAD_SIG)),
            (key("k", 1), at, &other_request, Some(Error::BAD_SIG)),
            (key("k", 1), at, &unsigned, Some(Error::BAD_SIG)),
            (key("k", 1), late(300), &signed, None),
            (key("k", 1), late(301), &signed, Some(Error::BAD_TIME)),
            (key("k", 1), SimTime::from_secs(699), &signed, Some(Error::BAD_TIME)),
        ] {
            assert_eq!(key.verify(now, message, None).err(), expected, "{key:?} {now}");
        }
    }

    #[test]
    fn only_a_refusal_about_the_time_is_signed_and_tells_the_time() {
        let key = key("k", 1);
        let mut request = Message::query(7, Question::addresses("a.bc".parse().unwrap()));
        key.sign(SimTime::from_secs(1_000), &mut request, None);
        let mac = request.tsig.as_ref().unwrap().mac.unwrap();
        let now = SimTime::from_secs(2_000);
        let refused = key.refuse(now, &request, Error::BAD_TIME);
        let tsig = refused.tsig.as_ref().unwrap();
        assert_eq!((tsig.signed, tsig.server_time), (1_000, Some(2_000)));
        assert_eq!(key.verify(SimTime::from_secs(1_000), &refused, Some(&mac)).err(), None);
        let refused = key.refuse(now, &request, Error::BAD_KEY);
        assert_eq!(refused.rcode, Rcode::NOT_AUTH);
        assert_eq!(refused.tsig.as_ref().unwrap().mac, None);
    }
}
