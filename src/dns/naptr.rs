//! The data of a NAPTR record (RFC 3403 §4): a rewrite rule, by which SIP finds the transports of
//! a domain (RFC 3263 §4.1).

use std::fmt;
use std::sync::Arc;

use crate::dns::name::DomainName;

/// A rewrite rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Naptr {
    /// Rules are gone through in this order, the lowest first.
    pub order: u16,
    /// Which of those with equal order is preferred: the lowest.
    pub preference: u16,
    /// How the rule's outcome is to be read: `s` means that the replacement has SRV records.
    pub flags: CharacterString,
    /// What the rule leads to, such as `SIP+D2U`.
    pub services: CharacterString,
    /// A substitution; empty where there is a replacement.
    pub regexp: CharacterString,
    /// The next name to ask for; the root where there is a substitution.
    pub replacement: DomainName,
}

/// Up to 255 octets behind a length octet (RFC 1035 §3.3).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CharacterString(Arc<[u8]>);

/// A text does not fit into a character string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a character string has {0} octets, the limit is 255")]
pub struct LongString(pub usize);

impl CharacterString {
    /// These octets.
    ///
    /// # Errors
    /// When there are more than 255.
    pub fn new(octets: &[u8]) -> Result<Self, LongString> {
        if octets.len() > usize::from(u8::MAX) {
            return Err(LongString(octets.len()));
        }
        Ok(Self(Arc::from(octets)))
    }

    /// The octets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is this text, but for the case of ASCII letters.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text.as_bytes())
    }
}

impl fmt::Debug for CharacterString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl Naptr {
    /// The rule that says where SIP over UDP is served (RFC 3263 §4.1).
    #[must_use]
    pub fn sip_over_udp(order: u16, preference: u16, replacement: DomainName) -> Self {
        let text = |text: &[u8]| CharacterString(Arc::from(text));
        Self {
            order,
            preference,
            flags: text(b"s"),
            services: text(b"SIP+D2U"),
            regexp: text(b""),
            replacement,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_string_has_at_most_255_octets_and_compares_by_what_it_says() {
        assert_eq!(CharacterString::new(&[b'a'; 256]), Err(LongString(256)));
        let longest = CharacterString::new(&[b'a'; 255]).unwrap();
        assert_eq!(longest.octets().len(), 255);
        let rule = Naptr::sip_over_udp(1, 2, DomainName::root());
        assert!(rule.services.is("sip+d2u") && !rule.services.is("SIP+D2T"));
        assert!(rule.flags.is("S") && rule.regexp.is(""));
        assert_eq!(format!("{:?}", CharacterString::new(b"a\"\xff").unwrap()), r#""a\"\xff""#);
    }
}
