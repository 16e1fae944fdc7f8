//! Domain names.
//!
//! A name is validated once and kept in lower case, so that names compare as DNS compares them
//! (RFC 4343). Labels hold letters, digits, hyphens and underscores: enough for hosts (RFC 1123
//! §2.1) and services (RFC 2782). Other octets, which RFC 2181 §11 allows, are refused.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest label, in octets (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;
/// The longest name on the wire, with length octets and the root (RFC 1035 §2.3.4).
const MAX_WIRE: usize = 255;

/// A fully qualified domain name, cheap to clone. Ordered as text, not canonically.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Arc<str>);

/// Why a text is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Two dots in a row, or a dot at the start.
    #[error("a label is empty: remove the superfluous dot")]
    EmptyLabel,
    /// A label is too long.
    #[error("a label has {0} octets, the limit is 63")]
    LongLabel(usize),
    /// The whole name is too long.
    #[error("the name has {0} octets on the wire, the limit is 255")]
    LongName(usize),
    /// An octet that is neither letter, digit, hyphen nor underscore.
    #[error("octet {0:#04x} stands in a label: use letters, digits, hyphens and underscores")]
    Octet(u8),
}

impl DomainName {
    /// The root of the name space.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The name without a final dot, in lower case; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels, the leftmost first; none for the root.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.split('.').filter(|label| !label.is_empty())
    }

    /// Whether this name is `zone` or lies below it.
    #[must_use]
    pub fn is_within(&self, zone: &Self) -> bool {
        if zone.is_root() {
            return true;
        }
        match self.0.strip_suffix(&*zone.0) {
            Some(rest) => rest.is_empty() || rest.ends_with('.'),
            None => false,
        }
    }

    /// This name with labels in front, such as `_sip._udp`.
    ///
    /// # Errors
    /// When the labels are no labels, or the result is too long.
    pub fn prefixed(&self, labels: &str) -> Result<Self, NameError> {
        if self.is_root() { labels.parse() } else { format!("{labels}.{}", self.0).parse() }
    }

    /// Octets on the wire, uncompressed.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        if self.is_root() { 1 } else { self.0.len() + 2 }
    }
}

impl FromStr for DomainName {
    type Err = NameError;

    /// Reads a name, with or without a final dot.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Ok(Self::root());
        }
        for label in text.split('.') {
            check_label(label.as_bytes())?;
        }
        if text.len() + 2 > MAX_WIRE {
            return Err(NameError::LongName(text.len() + 2));
        }
        Ok(Self(Arc::from(text.to_ascii_lowercase())))
    }
}

/// Whether the octets are a label that is modelled here.
pub(crate) fn check_label(label: &[u8]) -> Result<(), NameError> {
    if label.is_empty() {
        return Err(NameError::EmptyLabel);
    }
    if label.len() > MAX_LABEL {
        return Err(NameError::LongLabel(label.len()));
    }
    match label.iter().find(|octet| !(octet.is_ascii_alphanumeric() || b"-_".contains(octet))) {
        Some(&octet) => Err(NameError::Octet(octet)),
        None => Ok(()),
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_root() { "." } else { &self.0 })
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    #[test]
    fn names_compare_without_regard_to_case_and_final_dot() {
        assert_eq!(name("Chord.DynDNS.org."), name("chord.dyndns.org"));
        assert_eq!(name("."), DomainName::root());
        assert_eq!(name("chord.dyndns.org").to_string(), "chord.dyndns.org");
        assert_eq!(DomainName::root().to_string(), ".");
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        let long_label = "a".repeat(64);
        // Four labels of 63 octets: 4 · 64 + 1 = 257 octets on the wire; the text has 255.
        let long_name = vec!["a".repeat(63); 4].join(".");
        for (text, reason) in [
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            ("a b", NameError::Octet(b' ')),
            ("caf\u{e9}", NameError::Octet(0xc3)),
            (long_label.as_str(), NameError::LongLabel(64)),
            (long_name.as_str(), NameError::LongName(257)),
        ] {
            assert_eq!(text.parse::<DomainName>(), Err(reason), "{text}");
        }
        // The longest: 63 + 63 + 63 + 61 octets and four length octets and the root are 255.
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "a".repeat(61));
        assert_eq!(name(&longest).wire_len(), 255);
    }

    #[test]
    fn a_name_lies_within_a_zone_by_whole_labels() {
        let zone = name("dyndns.org");
        for (text, within) in [
            ("dyndns.org", true),
            ("chord.dyndns.org", true),
            ("_sip._udp.chord.dyndns.org", true),
            ("mydyndns.org", false),
            ("org", false),
        ] {
            assert_eq!(name(text).is_within(&zone), within, "{text}");
            assert!(name(text).is_within(&DomainName::root()));
        }
    }

    #[test]
    fn a_prefix_adds_labels() {
        let service = name("chord.dyndns.test").prefixed("_sip._udp").unwrap();
        assert_eq!(service, name("_sip._udp.chord.dyndns.test"));
        assert_eq!(service.labels().count(), 5);
        // 4 + 1, 4 + 1, 5 + 1, 6 + 1, 4 + 1 and the root.
        assert_eq!(service.wire_len(), 29);
    }
}
