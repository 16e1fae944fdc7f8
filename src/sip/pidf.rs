//! Presence documents (RFC 3863): whether somebody is there.
//!
//! One tuple with a basic status is written. What is read may have several (one that is open is
//! enough), other elements beside them, comments, any prefix; namespaces are not resolved, elements
//! go by their local names. Document type declarations are refused. Notes, contacts, priorities and
//! time stamps are left out.

use std::fmt::Write;

use thiserror::Error;

use crate::sip::message::Body;
use crate::sip::uri::Uri;

/// The `Content-Type`.
pub const CONTENT_TYPE: &str = "application/pidf+xml";

/// Who is there, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The presentity.
    pub entity: Uri,
    /// Whether it can be reached: the basic status is `open`. Also `false` where none is given.
    pub open: bool,
}

/// Why octets are no presence document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PidfError {
    /// Not UTF-8.
    #[error("the presence document is not UTF-8")]
    NotText,
    /// Markup that breaks the grammar, or is not modelled.
    #[error("{0:?} is no markup of a presence document")]
    Markup(String),
    /// An element does not end where it must.
    #[error("element {0} does not end where it must")]
    Unbalanced(String),
    /// The root is no `presence` with an entity that is a URI.
    #[error("there is no presence element with an entity")]
    NoEntity,
    /// Neither `open` nor `closed`.
    #[error("{0:?} is no basic status")]
    Status(String),
}

impl Presence {
    /// The octets.
    #[must_use]
    pub fn body(&self) -> Body {
        let entity = escaped(&self.entity.to_string());
        let status = if self.open { "open" } else { "closed" };
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{entity}\">\
             <tuple id=\"sip\"><status><basic>{status}</basic></status></tuple></presence>\n"
        );
        text.into_bytes().into()
    }

    /// The presence in these octets.
    ///
    /// # Errors
    ///
    /// Says what breaks the grammar or is missing.
    pub fn parse(octets: &[u8]) -> Result<Self, PidfError> {
        let text = std::str::from_utf8(octets).map_err(|_| PidfError::NotText)?;
        let mut scanner = Scanner { rest: text.strip_prefix('\u{feff}').unwrap_or(text) };
        let mut path: Vec<&str> = Vec::new();
        let mut entity = None;
        let mut open = false;
        while let Some(piece) = scanner.next()? {
            match piece {
                Piece::Begin { name, attributes, empty } => {
                    if path.is_empty() {
                        let first = entity.is_none() && local(name) == "presence";
                        let uri = attribute(attributes, "entity").filter(|_| first);
                        entity = uri.and_then(|uri| uri.parse().ok());
                        if entity.is_none() {
                            return Err(PidfError::NoEntity);
                        }
                    }
                    if !empty {
                        path.push(name);
                    }
                }
                Piece::End(name) => {
                    if path.pop() != Some(name) {
                        return Err(PidfError::Unbalanced(name.to_owned()));
                    }
                }
                Piece::Text(text) => {
                    let basic = ["presence", "tuple", "status", "basic"];
                    if path.iter().map(|name| local(name)).eq(basic) {
                        open |= status(text)?;
                    }
                }
            }
        }
        match (entity, path.last()) {
            (Some(entity), None) => Ok(Self { entity, open }),
            (None, _) => Err(PidfError::NoEntity),
            (_, Some(name)) => Err(PidfError::Unbalanced((*name).to_owned())),
        }
    }
}

fn status(text: &str) -> Result<bool, PidfError> {
    match text.trim() {
        "open" => Ok(true),
        "closed" => Ok(false),
        other => Err(PidfError::Status(other.to_owned())),
    }
}

/// A piece of a document.
enum Piece<'a> {
    /// A tag that begins an element; `empty` when it ends it too.
    Begin { name: &'a str, attributes: &'a str, empty: bool },
    /// A tag that ends one.
    End(&'a str),
    /// Text that is not only white space.
    Text(&'a str),
}

/// A document from a piece on.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn next(&mut self) -> Result<Option<Piece<'a>>, PidfError> {
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            if !self.rest.starts_with('<') {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                if !text.trim().is_empty() {
                    return Ok(Some(Piece::Text(text)));
                }
            } else if self.rest.starts_with("<!--") {
                self.up_to("-->")?;
            } else if self.rest.starts_with("<?") {
                self.up_to("?>")?;
            } else {
                return self.tag().map(Some);
            }
        }
    }

    /// What stands up to this text and with it, which is taken.
    fn up_to(&mut self, end: &str) -> Result<&'a str, PidfError> {
        let at = self.rest.find(end).ok_or_else(|| self.markup())?;
        let (taken, rest) = self.rest.split_at(at + end.len());
        self.rest = rest;
        Ok(taken)
    }

    fn tag(&mut self) -> Result<Piece<'a>, PidfError> {
        let mut quote = None;
        let end = self.rest.find(|c| match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(c);
                false
            }
            (Some(open), _) => {
                if c == open {
                    quote = None;
                }
                false
            }
            (None, _) => c == '>',
        });
        let end = end.ok_or_else(|| self.markup())?;
        let inner = &self.rest[1..end];
        let markup = self.markup();
        self.rest = &self.rest[end + 1..];
        let named = |name: &str| {
            name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && !name.contains(['<', '"', '\'', '=', '/', '&'])
        };
        if let Some(name) = inner.strip_prefix('/').map(str::trim_end) {
            return if named(name) { Ok(Piece::End(name)) } else { Err(markup) };
        }
        let (inner, empty) = match inner.strip_suffix('/') {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        let (name, attributes) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        if named(name) { Ok(Piece::Begin { name, attributes, empty }) } else { Err(markup) }
    }

    /// The error of what comes next: its beginning.
    fn markup(&self) -> PidfError {
        PidfError::Markup(self.rest.chars().take(40).collect())
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// The value of an attribute, if it is there and all before it keeps to the grammar.
fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes.trim_start();
    loop {
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = value[1..].split_once(quote)?;
        if name.trim_end() == wanted {
            return unescaped(value);
        }
        rest = after.trim_start();
    }
}

const ENTITIES: [(&str, char); 5] =
    [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];

fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match ENTITIES.iter().find(|(_, stood_for)| *stood_for == c) {
            Some((name, _)) => {
                write!(written, "&{name};").expect("a string takes everything");
            }
            None => written.push(c),
        }
    }
    written
}

/// The text with references replaced; `None` if one means nothing.
fn unescaped(text: &str) -> Option<String> {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        read.push_str(before);
        let (name, after) = after.split_once(';')?;
        let named = ENTITIES.iter().find(|(entity, _)| *entity == name).map(|(_, c)| *c);
        read.push(named.or_else(|| numbered(name))?);
        rest = after;
    }
    read.push_str(rest);
    Some(read)
}

/// A character reference by number.
fn numbered(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    char::from_u32(code.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice(open: bool) -> Presence {
        Presence { entity: "sip:alice@chord.dyndns.org".parse().unwrap(), open }
    }

    #[test]
    fn a_presence_is_read_as_it_was_written() {
        for open in [true, false] {
            assert_eq!(Presence::parse(&alice(open).body()), Ok(alice(open)));
        }
        // An ampersand and a quote are lawful in a user part; both mean something in XML.
        let entity = "sip:a&b'c@example.com".parse().unwrap();
        let odd = Presence { entity, open: true };
        assert_eq!(Presence::parse(&odd.body()), Ok(odd));
    }

    #[test]
    fn documents_of_others_are_read() {
        let document = |inside: &str| {
            format!(
                "\u{feff}<?xml version='1.0'?>\r\n<!-- <presence> -->\r\n<p:presence \
                 xmlns:p = \"urn:ietf:params:xml:ns:pidf\" x='a>b' \
                 entity='pres:someone&#64;example&#x2e;com' >{inside}</p:presence >\r\n"
            )
        };
        let tuple =
            |status: &str| format!("<p:tuple id='a'><p:status>{status}</p:status></p:tuple>");
        let closed = tuple("<p:basic>\r\n closed </p:basic>");
        let open = tuple("<im:im>busy</im:im><p:basic>open</p:basic>");
        for (inside, expected) in [
            (closed.clone(), false),
            // One that is open is enough.
            (format!("{closed}{open}{closed}"), true),
            // No status at all; text and elements elsewhere mean nothing.
            (format!("<p:note>open</p:note>{}", tuple("<p:other/>")), false),
            (String::new(), false),
        ] {
            let read = Presence::parse(document(&inside).as_bytes()).unwrap();
            assert_eq!(read.open, expected, "{inside}");
            assert_eq!(read.entity.to_string(), "pres:someone@example.com");
        }
    }

    #[test]
    fn what_is_no_presence_document_is_refused_with_the_reason() {
        let good = String::from_utf8(alice(true).body().to_vec()).unwrap();
        let change = |from: &str, to: &str| Presence::parse(good.replace(from, to).as_bytes());
        assert_eq!(change("entity", "identity"), Err(PidfError::NoEntity));
        assert_eq!(change("sip:alice@", "alice@"), Err(PidfError::NoEntity));
        assert_eq!(change("sip:alice@", "sip:&alice;@"), Err(PidfError::NoEntity));
        assert_eq!(change("<presence", "<absence"), Err(PidfError::NoEntity));
        assert_eq!(change(">open<", ">ajar<"), Err(PidfError::Status("ajar".into())));
        assert_eq!(change("</tuple>", ""), Err(PidfError::Unbalanced("presence".into())));
        assert_eq!(change("</presence>", ""), Err(PidfError::Unbalanced("presence".into())));
        assert_eq!(
            change("<presence", "<!DOCTYPE a []><presence"),
            Err(PidfError::Markup("<!DOCTYPE a []><presence xmlns=\"urn:ietf".into()))
        );
        assert_eq!(Presence::parse(b""), Err(PidfError::NoEntity));
        assert_eq!(Presence::parse(&[0xff]), Err(PidfError::NotText));
    }
}
