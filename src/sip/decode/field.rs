//! Reading the values of header fields that are typed here.

use std::sync::Arc;

use super::grammar::{
    Cursor, FieldError, extract, is_all_token, is_space, is_token, number, unquoted,
};
use crate::address::Port;
use crate::sip::header::{Contact, Contacts, EventPackage, NameAddress, SubscriptionState, Via};
use crate::sip::message::Method;
use crate::sip::uri::Parameter;

/// What a malformed `expires` of a contact counts as (RFC 3261 §20.10).
const MALFORMED_EXPIRES: u32 = 3600;
/// Sequence numbers are below 2^31 (RFC 3261 §8.1.1.5).
const MAX_SEQUENCE: u32 = (1 << 31) - 1;

/// One or more, with commas between.
pub(super) fn list<T>(
    text: &str,
    item: fn(&mut Cursor<'_>) -> Result<T, FieldError>,
) -> Result<Vec<T>, FieldError> {
    let mut cursor = Cursor::new(text);
    let mut items = vec![item(&mut cursor)?];
    while cursor.separator(',') {
        items.push(item(&mut cursor)?);
    }
    cursor.end()?;
    Ok(items)
}

/// Exactly one.
pub(super) fn one<T>(
    text: &str,
    item: fn(&mut Cursor<'_>) -> Result<T, FieldError>,
) -> Result<T, FieldError> {
    let mut cursor = Cursor::new(text);
    let item = item(&mut cursor)?;
    cursor.end()?;
    Ok(item)
}

pub(super) fn via(cursor: &mut Cursor<'_>) -> Result<Via, FieldError> {
    let protocol = cursor.token()?;
    let version = if cursor.separator('/') { cursor.token()? } else { "" };
    if !protocol.eq_ignore_ascii_case("SIP") || version != "2.0" {
        return Err(FieldError::Protocol(format!("{protocol}/{version}")));
    }
    if !cursor.separator('/') {
        return Err(cursor.unexpected());
    }
    let transport = cursor.token()?.into();
    if !cursor.space() {
        return Err(cursor.unexpected());
    }
    let (host, port) = cursor.host_port()?;
    let mut parameters = cursor.parameters()?;
    let branch = extract(&mut parameters, "branch", token)?;
    let received = extract(&mut parameters, "received", |value| value?.parse().ok())?;
    let rport = extract(&mut parameters, "rport", |value| match value {
        None => Some(None),
        Some(digits) => number(digits).ok().map(Port).map(Some),
    })?;
    Ok(Via { transport, host, port, branch, received, rport, parameters })
}

pub(super) fn name_address(cursor: &mut Cursor<'_>) -> Result<NameAddress, FieldError> {
    let (display, uri) = address(cursor)?;
    let mut parameters = cursor.parameters()?;
    let tag = extract(&mut parameters, "tag", token)?;
    Ok(NameAddress { display, uri, tag, parameters })
}

/// The value of a parameter that must have a plain one.
fn token(value: Option<&str>) -> Option<Arc<str>> {
    value.filter(|value| is_all_token(value)).map(Into::into)
}

type Named = (Option<Arc<str>>, crate::sip::uri::Uri);

/// A URI in angle brackets with or without a name before it, or a bare one.
fn address(cursor: &mut Cursor<'_>) -> Result<Named, FieldError> {
    if cursor.at_quote() {
        let display = unquoted(cursor.quoted()?);
        cursor.space();
        return if cursor.take('<') {
            Ok((Some(display.into()), cursor.until('>')?.parse()?))
        } else {
            Err(cursor.unexpected())
        };
    }
    let mut ahead = *cursor;
    let words = ahead.run(|c| is_token(c) || is_space(c)).trim_matches(is_space);
    if ahead.take('<') {
        *cursor = ahead;
        let display = (!words.is_empty()).then(|| words.into());
        return Ok((display, cursor.until('>')?.parse()?));
    }
    // Here parameters are the field's, and a question mark may not stand (RFC 3261 §20).
    let bare = cursor.run(|c| !is_space(c) && !matches!(c, ';' | ',' | '<' | '>' | '?' | '"'));
    Ok((None, bare.parse()?))
}

/// `Contact`, whose values may stand on several lines.
pub(super) fn contacts<'a>(values: impl Iterator<Item = &'a str>) -> Result<Contacts, FieldError> {
    let (mut all, mut some) = (0, Vec::new());
    for value in values {
        if value == "*" {
            all += 1;
        } else {
            some.extend(list(value, contact)?);
        }
    }
    match (all, some.is_empty()) {
        (0, true) => Ok(Contacts::None),
        (0, false) => Ok(Contacts::Some(some)),
        (1, true) => Ok(Contacts::All),
        _ => Err(FieldError::Asterisk),
    }
}

fn contact(cursor: &mut Cursor<'_>) -> Result<Contact, FieldError> {
    let mut address = name_address(cursor)?;
    let expires = extract(&mut address.parameters, "expires", |value| {
        Some(value.and_then(|digits| number(digits).ok()).unwrap_or(MALFORMED_EXPIRES))
    })?;
    let q = extract(&mut address.parameters, "q", |value| thousandths(value?))?;
    Ok(Contact { address, expires, q })
}

/// A `qvalue`: 0 to 1 with up to three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 {
        return None;
    }
    let fraction: u16 = number(&format!("{decimals:0<3}")).ok()?;
    let q = 1000 * u16::from(whole == "1") + fraction;
    (q <= 1000).then_some(q)
}

pub(super) fn call_id(cursor: &mut Cursor<'_>) -> Result<Arc<str>, FieldError> {
    let id = cursor.run(|c| {
        is_token(c)
            || matches!(c, '(' | ')' | '<' | '>' | ':' | '\\' | '"' | '/' | '[' | ']' | '?')
            || matches!(c, '{' | '}' | '@')
    });
    if id.is_empty() { Err(cursor.unexpected()) } else { Ok(id.into()) }
}

pub(super) fn sequence(cursor: &mut Cursor<'_>) -> Result<(u32, Method), FieldError> {
    let digits = cursor.token()?;
    let sequence = number(digits)?;
    if sequence > MAX_SEQUENCE {
        return Err(FieldError::Number(digits.to_owned()));
    }
    if !cursor.space() {
        return Err(cursor.unexpected());
    }
    Ok((sequence, cursor.token()?.into()))
}

pub(super) fn event(cursor: &mut Cursor<'_>) -> Result<EventPackage, FieldError> {
    let package = cursor.token()?.into();
    let mut parameters = cursor.parameters()?;
    let id = extract(&mut parameters, "id", token)?;
    Ok(EventPackage { package, id })
}

/// `None` of a state that is not known here.
pub(super) fn subscription_state(
    cursor: &mut Cursor<'_>,
) -> Result<Option<SubscriptionState>, FieldError> {
    let state = cursor.token()?;
    let mut parameters = cursor.parameters()?;
    let seconds = |parameters: &mut Vec<Parameter>, name| {
        extract(parameters, name, |value| number(value?).ok())
    };
    Ok(if state.eq_ignore_ascii_case("active") {
        Some(SubscriptionState::Active { expires: seconds(&mut parameters, "expires")? })
    } else if state.eq_ignore_ascii_case("pending") {
        Some(SubscriptionState::Pending { expires: seconds(&mut parameters, "expires")? })
    } else if state.eq_ignore_ascii_case("terminated") {
        let reason = extract(&mut parameters, "reason", token)?;
        let retry_after = seconds(&mut parameters, "retry-after")?;
        Some(SubscriptionState::Terminated { reason, retry_after })
    } else {
        None
    })
}

/// Seconds, and what may follow them in `Retry-After`: a comment and parameters, left out.
pub(super) fn retry_after(cursor: &mut Cursor<'_>) -> Result<u32, FieldError> {
    let seconds = number(cursor.run(|c| c.is_ascii_digit()))?;
    while cursor.separator('(') {
        comment(cursor)?;
    }
    cursor.parameters()?;
    Ok(seconds)
}

/// A comment whose opening bracket was taken, with those in it.
fn comment(cursor: &mut Cursor<'_>) -> Result<(), FieldError> {
    let mut depth = 1;
    while depth > 0 {
        cursor.run(|c| !matches!(c, '(' | ')' | '\\'));
        if cursor.take('(') {
            depth += 1;
        } else if cursor.take(')') {
            depth -= 1;
        } else if cursor.take('\\') {
            cursor.skip();
        } else {
            return Err(FieldError::Unquoted);
        }
    }
    Ok(())
}

/// A token alone.
pub(super) fn word(cursor: &mut Cursor<'_>) -> Result<Arc<str>, FieldError> {
    Ok(cursor.token()?.into())
}
