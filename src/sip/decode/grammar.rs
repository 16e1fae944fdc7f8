//! Reading one field value: tokens, quoted strings, separators, parameters (RFC 3261 §25.1).

use std::str::FromStr;

use thiserror::Error;

use super::uri::{UriError, host};
use crate::address::Port;
use crate::sip::uri::{HostPart, Parameter};

/// Why a header field value is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// A URI breaks its grammar.
    #[error("{0}")]
    Uri(#[from] UriError),
    /// A quoted string has no end.
    #[error("a quoted string does not end")]
    Unquoted,
    /// Something else was expected where this stands.
    #[error("{0:?} stands where it must not")]
    Unexpected(String),
    /// Not a number in the range that the field has.
    #[error("{0:?} is no number that may stand there")]
    Number(String),
    /// A protocol other than SIP/2.0 in `Via`.
    #[error("only SIP/2.0 is spoken, not {0:?}")]
    Protocol(String),
    /// Neither a domain name nor an address.
    #[error("{0:?} is no host")]
    Host(String),
    /// A parameter that may be there once.
    #[error("the parameter {0} is there twice")]
    Repeated(&'static str),
    /// `*` beside other contacts (RFC 3261 §10.2.2).
    #[error("an asterisk stands beside other contacts")]
    Asterisk,
}

/// What is left to read of a value without line ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
}

/// Whether it may stand in a token.
pub(super) const fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '-' | '.' | '!' | '%' | '*' | '_' | '+' | '`' | '\'' | '~')
}

/// Whether it is white space inside a line.
pub(super) const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Whether all of it is a token.
pub(super) fn is_all_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token)
}

/// A number of digits alone, in the range of its type.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, FieldError> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| FieldError::Number(text.to_owned()))
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Skips white space; whether there was any.
    pub(super) fn space(&mut self) -> bool {
        !self.run(is_space).is_empty()
    }

    /// Takes what satisfies the condition, which may be nothing.
    pub(super) fn run(&mut self, condition: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !condition(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Leaves out one character.
    pub(super) fn skip(&mut self) {
        let mut characters = self.rest.chars();
        characters.next();
        self.rest = characters.as_str();
    }

    /// Takes this if it comes next.
    pub(super) fn take(&mut self, c: char) -> bool {
        self.rest.strip_prefix(c).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    /// Takes this with the white space around it, if it comes next.
    pub(super) fn separator(&mut self, c: char) -> bool {
        match self.rest.trim_start_matches(is_space).strip_prefix(c) {
            Some(rest) => {
                self.rest = rest.trim_start_matches(is_space);
                true
            }
            None => false,
        }
    }

    pub(super) fn token(&mut self) -> Result<&'a str, FieldError> {
        let token = self.run(is_token);
        if token.is_empty() { Err(self.unexpected()) } else { Ok(token) }
    }

    /// The error of what comes next.
    pub(super) fn unexpected(&self) -> FieldError {
        FieldError::Unexpected(self.rest.to_owned())
    }

    /// Succeeds at the end of the value.
    pub(super) fn end(&self) -> Result<(), FieldError> {
        if self.rest.trim_start_matches(is_space).is_empty() {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// A quoted string that begins here, as written, with its quotes.
    pub(super) fn quoted(&mut self) -> Result<&'a str, FieldError> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let (taken, rest) = self.rest.split_at(at + 1);
                    self.rest = rest;
                    return Ok(taken);
                }
                _ => {}
            }
        }
        Err(FieldError::Unquoted)
    }

    /// Whether a quoted string comes next.
    pub(super) fn at_quote(&self) -> bool {
        self.rest.starts_with('"')
    }

    /// What stands up to this, which is taken too.
    pub(super) fn until(&mut self, c: char) -> Result<&'a str, FieldError> {
        let (taken, rest) = self.rest.split_once(c).ok_or_else(|| self.unexpected())?;
        self.rest = rest;
        Ok(taken)
    }

    /// A host with a port, if one is given.
    pub(super) fn host_port(&mut self) -> Result<(HostPart, Option<Port>), FieldError> {
        let before = self.rest;
        if self.take('[') {
            self.until(']')?;
        } else {
            self.run(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        }
        let text = &before[..before.len() - self.rest.len()];
        let host = host(text).ok_or_else(|| FieldError::Host(text.to_owned()))?;
        if !self.separator(':') {
            return Ok((host, None));
        }
        let port = number(self.run(|c| c.is_ascii_digit()))?;
        Ok((host, Some(Port(port))))
    }

    /// All parameters that follow.
    pub(super) fn parameters(&mut self) -> Result<Vec<Parameter>, FieldError> {
        let mut parameters = Vec::new();
        while self.separator(';') {
            let name = self.token()?.into();
            let value = if self.separator('=') { Some(self.value()?.into()) } else { None };
            parameters.push(Parameter { name, value });
        }
        Ok(parameters)
    }

    /// A token, a host, or a quoted string.
    fn value(&mut self) -> Result<&'a str, FieldError> {
        if self.at_quote() {
            return self.quoted();
        }
        let value = self.run(|c| is_token(c) || matches!(c, '[' | ']' | ':'));
        if value.is_empty() { Err(self.unexpected()) } else { Ok(value) }
    }
}

/// What a quoted string says.
pub(super) fn unquoted(quoted: &str) -> String {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
    let mut said = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => said.extend(characters.next()),
            plain => said.push(plain),
        }
    }
    said
}

/// Takes the first parameter of this name whose value means something; a second one is an error.
pub(super) fn extract<T>(
    parameters: &mut Vec<Parameter>,
    name: &'static str,
    meaning: impl Fn(Option<&str>) -> Option<T>,
) -> Result<Option<T>, FieldError> {
    let mut found = parameters.iter().enumerate().filter_map(|(at, parameter)| {
        let named = parameter.name.eq_ignore_ascii_case(name);
        named.then_some(at).zip(meaning(parameter.value.as_deref()))
    });
    let first = found.next();
    if found.next().is_some() {
        return Err(FieldError::Repeated(name));
    }
    Ok(first.map(|(at, value)| {
        parameters.remove(at);
        value
    }))
}
