//! What the update service answers.

use std::fmt;

use crate::address::Address;

/// A return code of the update service, one line of the response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnCode {
    /// `good`: the name has the new address, which is usually said beside it.
    Good(Option<Address>),
    /// `good 127.0.0.1`: the request was ignored, because the service does not accept the client's
    /// agent. (Nobody here asks for that address in earnest.)
    Ignored,
    /// `nochg`: it had that address already. Done often, it is abuse.
    NoChange(Option<Address>),
    /// `badauth`: user or password are wrong.
    BadAuth,
    /// `!donator`: only for paying users.
    NotDonator,
    /// `notfqdn`: not a fully qualified domain name, or none at all.
    NotFqdn,
    /// `nohost`: no such name in this account.
    NoHost,
    /// `numhost`: too many names at once, or one with several addresses.
    NumHost,
    /// `abuse`: the name is blocked for abuse.
    Abuse,
    /// `badagent`: the agent is blocked or not named, or the method is wrong.
    BadAgent,
    /// `dnserr`: the service's DNS fails.
    DnsError,
    /// `911`: the service fails or is being maintained.
    Maintenance,
    /// `badsys`: a wrong `system` parameter (legacy).
    BadSystem,
    /// `!yours`: the name is another user's (legacy).
    NotYours,
    /// `!active`: the custom domain is not active (legacy).
    NotActive,
}

/// What a client has to make of a code, by the provider's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeClass {
    /// The name has the address.
    Success,
    /// No further update until a human has corrected the cause.
    Fatal,
    /// The service's own trouble: to be tried again after half an hour or so.
    RetryLater,
}

/// The codes without an address.
const PLAIN: [(&str, ReturnCode); 12] = [
    ("badauth", ReturnCode::BadAuth),
    ("!donator", ReturnCode::NotDonator),
    ("notfqdn", ReturnCode::NotFqdn),
    ("nohost", ReturnCode::NoHost),
    ("numhost", ReturnCode::NumHost),
    ("abuse", ReturnCode::Abuse),
    ("badagent", ReturnCode::BadAgent),
    ("dnserr", ReturnCode::DnsError),
    ("911", ReturnCode::Maintenance),
    ("badsys", ReturnCode::BadSystem),
    ("!yours", ReturnCode::NotYours),
    ("!active", ReturnCode::NotActive),
];

const LOOPBACK: Address = Address::from_bits(0x7f00_0001);

impl ReturnCode {
    /// Reads a line; `None` for what is no code. An address that cannot be read is left out, as
    /// clients do that only look for the word.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let word = words.next()?;
        let address = words.next().and_then(|text| text.parse().ok());
        match word {
            "good" if address == Some(LOOPBACK) => Some(Self::Ignored),
            "good" => Some(Self::Good(address)),
            "nochg" => Some(Self::NoChange(address)),
            _ => PLAIN.iter().find(|(name, _)| *name == word).map(|&(_, code)| code),
        }
    }

    /// What the provider wants a client to make of it.
    #[must_use]
    pub const fn class(self) -> CodeClass {
        match self {
            Self::Good(_) | Self::NoChange(_) => CodeClass::Success,
            Self::DnsError | Self::Maintenance => CodeClass::RetryLater,
            Self::Ignored
            | Self::BadAuth
            | Self::NotDonator
            | Self::NotFqdn
            | Self::NoHost
            | Self::NumHost
            | Self::Abuse
            | Self::BadAgent
            | Self::BadSystem
            | Self::NotYours
            | Self::NotActive => CodeClass::Fatal,
        }
    }
}

/// As a line of the response, without its end.
impl fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good(Some(address)) => write!(f, "good {address}"),
            Self::Good(None) => f.write_str("good"),
            Self::Ignored => write!(f, "good {LOOPBACK}"),
            Self::NoChange(Some(address)) => write!(f, "nochg {address}"),
            Self::NoChange(None) => f.write_str("nochg"),
            plain => {
                let known = PLAIN.iter().find(|(_, code)| code == plain);
                f.write_str(known.expect("every code without an address is in the table").0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_writes_and_has_its_class() {
        use CodeClass::{Fatal, RetryLater, Success};
        let home: Address = "146.231.123.55".parse().unwrap();
        let table = [
            ("good 146.231.123.55", ReturnCode::Good(Some(home)), Success),
            ("good", ReturnCode::Good(None), Success),
            ("nochg 146.231.123.55", ReturnCode::NoChange(Some(home)), Success),
            ("nochg", ReturnCode::NoChange(None), Success),
            ("good 127.0.0.1", ReturnCode::Ignored, Fatal),
            ("badauth", ReturnCode::BadAuth, Fatal),
            ("!donator", ReturnCode::NotDonator, Fatal),
            ("notfqdn", ReturnCode::NotFqdn, Fatal),
            ("nohost", ReturnCode::NoHost, Fatal),
            ("numhost", ReturnCode::NumHost, Fatal),
            ("abuse", ReturnCode::Abuse, Fatal),
            ("badagent", ReturnCode::BadAgent, Fatal),
            ("dnserr", ReturnCode::DnsError, RetryLater),
            ("911", ReturnCode::Maintenance, RetryLater),
            ("badsys", ReturnCode::BadSystem, Fatal),
            ("!yours", ReturnCode::NotYours, Fatal),
            ("!active", ReturnCode::NotActive, Fatal),
        ];
        for (line, code, class) in table {
            assert_eq!(ReturnCode::parse(line), Some(code), "{line}");
            assert_eq!(code.to_string(), line);
            assert_eq!(code.class(), class, "{line}");
        }
    }

    #[test]
    fn other_lines_are_no_codes_and_odd_addresses_are_left_out() {
        for line in ["", "  ", "goodness", "GOOD 1.2.3.4", "<html>", "9110"] {
            assert_eq!(ReturnCode::parse(line), None, "{line:?}");
        }
        assert_eq!(ReturnCode::parse("good  1.2.3"), Some(ReturnCode::Good(None)));
        assert_eq!(ReturnCode::parse("abuse\r"), Some(ReturnCode::Abuse));
    }
}
