//! The address of a user as a script writes it: `user@domain` or `sip:user@domain`, the plainest
//! form of a SIP URI (RFC 3261 §19.1). A port, parameters and headers would not name another user.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::super::walk::is_domain;

/// Why a text is no address, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The octets that are wrong.
    pub(super) span: Range<usize>,
    /// What is wrong with them.
    pub(super) why: &'static str,
}

/// What may stand in a user beside letters and digits: `unreserved` and `user-unreserved`.
const USER_MARKS: &str = "-_.!~*'()&=+$,;?/%";

/// Splits an address into user and domain.
pub(super) fn split(text: &str) -> Result<(&str, &str), Malformed> {
    let wrong = |span: Range<usize>, why| Err(Malformed { span, why });
    let start = match text.split_once(':') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("sip") => "sip:".len(),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("sips") => {
            return wrong(0..scheme.len(), "`sips` is not spoken here, only `sip`");
        }
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            return wrong(0..scheme.len(), "the scheme is not `sip`");
        }
        _ => 0,
    };
    let Some(at) = text[start..].find('@').map(|at| start + at) else {
        return wrong(0..text.len(), "there is no `@` between user and domain");
    };
    if at == start {
        return wrong(at..at + 1, "there is no user before the `@`");
    }
    let (user, domain) = (&text[start..at], &text[at + 1..]);
    let allowed = |c: char| c.is_ascii_alphanumeric() || USER_MARKS.contains(c);
    if let Some((place, found)) = user.char_indices().find(|(_, c)| !allowed(*c)) {
        let place = start + place;
        return wrong(place..place + found.len_utf8(), "this cannot stand in the name of a user");
    }
    let (begin, end) = (at + 1, text.len());
    if domain.is_empty() {
        return wrong(at..end, "there is no domain after the `@`");
    }
    if let Some(place) = domain.find('@') {
        return wrong(begin + place..begin + place + 1, "there is a second `@`");
    }
    if domain.starts_with('[') || domain.parse::<Ipv4Addr>().is_ok() {
        return wrong(begin..end, "a user belongs to a domain, not to an address");
    }
    if let Some(place) = domain.find([':', ';', '?']) {
        return wrong(begin + place..end, "only user and domain stand here");
    }
    if !is_domain(domain) {
        return wrong(begin..end, "this is not a domain name");
    }
    Ok((user, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split() {
        for (text, user, domain) in [
            ("bob@chord.dyndns.org", "bob", "chord.dyndns.org"),
            ("sip:bob@chord.dyndns.org", "bob", "chord.dyndns.org"),
            ("SIP:Bob.1+x@A.org", "Bob.1+x", "A.org"),
        ] {
            assert_eq!(split(text), Ok((user, domain)));
        }
    }

    #[test]
    fn what_is_none_says_why_and_where() {
        for (text, wrong, why) in [
            ("bob", "bob", "there is no `@` between user and domain"),
            ("", "", "there is no `@` between user and domain"),
            ("tel:+27466038111", "tel", "the scheme is not `sip`"),
            ("sips:bob@a.org", "sips", "`sips` is not spoken here, only `sip`"),
            ("bob:secret@a.org", "bob", "the scheme is not `sip`"),
            ("sip:bob:secret@a.org", ":", "this cannot stand in the name of a user"),
            ("@a.org", "@", "there is no user before the `@`"),
            ("sip:@a.org", "@", "there is no user before the `@`"),
            ("bo b@a.org", " ", "this cannot stand in the name of a user"),
            ("b\u{f6}b@a.org", "\u{f6}", "this cannot stand in the name of a user"),
            ("bob@", "@", "there is no domain after the `@`"),
            ("bob@a@b", "@", "there is a second `@`"),
            ("bob@10.0.0.1", "10.0.0.1", "a user belongs to a domain, not to an address"),
            ("bob@[::1]", "[::1]", "a user belongs to a domain, not to an address"),
            ("bob@a.org:5060", ":5060", "only user and domain stand here"),
            ("bob@a.org;lr", ";lr", "only user and domain stand here"),
            ("bob@a..org", "a..org", "this is not a domain name"),
        ] {
            let Err(malformed) = split(text) else { panic!("{text} is accepted") };
            assert_eq!((&text[malformed.span], malformed.why), (wrong, why), "{text}");
        }
    }
}
