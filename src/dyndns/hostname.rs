//! The names that the update service serves.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A fully qualified host name in lower case, without the final dot: at least two labels of
/// letters, digits and inner hyphens (RFC 1123 §2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hostname(Box<str>);

/// Why a text is no such name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not a fully qualified host name")]
pub struct HostnameError(pub String);

impl Hostname {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Hostname {
    type Err = HostnameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_suffix('.').unwrap_or(text);
        // 253 octets: what fits into the 255 of RFC 1035 §3.1 with lengths and root.
        if name.len() > 253 || !name.contains('.') || !name.split('.').all(is_label) {
            return Err(HostnameError(text.to_owned()));
        }
        Ok(Self(name.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(label: &str) -> bool {
    let inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_folded() {
        let long = format!("{}.org", "a".repeat(64));
        for (text, expected) in [
            ("chord.dyndns.org", Some("chord.dyndns.org")),
            ("Chord.DynDNS.org.", Some("chord.dyndns.org")),
            ("x-1.2", Some("x-1.2")),
            ("chord", None),
            ("", None),
            (".", None),
            ("a..b", None),
            ("-a.org", None),
            ("a-.org", None),
            ("a b.org", None),
            ("a\r\n.org", None),
            (&long, None),
        ] {
            let name = text.parse::<Hostname>();
            assert_eq!(name.as_ref().ok().map(Hostname::as_str), expected, "{text:?}");
        }
    }
}
