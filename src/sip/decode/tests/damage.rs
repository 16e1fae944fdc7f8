//! A million inputs, damaged and made up: none stops the program, and each that is read reads the
//! same again after it was written.

use super::super::decode;
use super::samples;
use super::torture;
use crate::rng::mix;
use crate::sip::encode::{encode, encoded_len};
use crate::sip::pidf::Presence;
use crate::sip::sdp::Session;
use crate::sip::uri::Uri;

/// Octets that mean something somewhere in a message.
const MEANT: &[u8] = b" \t\r\n;:,=<>\"\\/@%?*.[]()&#'0a\x00\x80\xff";

/// A source of choices, the same in every run.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 += 1;
        (mix(self.0) % limit as u64) as usize
    }

    fn octet(&mut self) -> u8 {
        match self.below(4) {
            0 => self.below(256) as u8,
            _ => MEANT[self.below(MEANT.len())],
        }
    }

    /// A part of the octets, up to this long.
    fn part<'a>(&mut self, octets: &'a [u8], longest: usize) -> &'a [u8] {
        let start = self.below(octets.len() + 1);
        let length = self.below(longest + 1).min(octets.len() - start);
        &octets[start..start + length]
    }

    /// One of these, damaged in one or two places, or octets that are made up.
    fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        if self.below(32) == 0 {
            return (0..self.below(200)).map(|_| self.octet()).collect();
        }
        let mut octets = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(2) {
            self.damage(&mut octets, corpus);
        }
        octets
    }

    fn damage(&mut self, octets: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(octets.len() + 1);
        let end = (at + self.below(8)).min(octets.len());
        match self.below(8) {
            0 => octets.truncate(at),
            1 => drop(octets.drain(at..end)),
            2 => {
                // A line is doubled, or one of another message comes in.
                let other = &corpus[self.below(corpus.len())];
                let lines: Vec<&[u8]> = other.split_inclusive(|octet| *octet == b'\n').collect();
                let line = lines[self.below(lines.len())].to_vec();
                let start = octets[..at].iter().rposition(|octet| *octet == b'\n');
                let start = start.map_or(0, |before| before + 1);
                octets.splice(start..start, line);
            }
            3 => {
                let other = &corpus[self.below(corpus.len())];
                let part = self.part(other, 16).to_vec();
                octets.splice(at..end, part);
            }
            4 => octets.insert(at, self.octet()),
            _ if at < octets.len() => octets[at] = self.octet(),
            _ => {}
        }
    }
}

/// Tries so many inputs; how many were read.
fn read(seed: u64, tries: u32, corpus: &[Vec<u8>], again: impl Fn(&[u8]) -> bool) -> u32 {
    let mut noise = Noise(mix(seed));
    (0..tries).map(|_| u32::from(again(&noise.input(corpus)))).sum()
}

#[test]
fn a_million_inputs_are_read_or_refused() {
    let mut corpus: Vec<Vec<u8>> = samples::all().iter().map(|(_, it)| encode(it)).collect();
    corpus.extend(torture::names().map(torture::octets));
    let reads = read(1, 1_000_000, &corpus, |octets| {
        let Ok(message) = decode(octets) else { return false };
        let written = encode(&message);
        assert_eq!(written.len(), encoded_len(&message) as usize);
        assert_eq!(decode(&written).as_ref(), Ok(&message), "{}", octets.escape_ascii());
        true
    });
    // Neither all nor none, or the damage would be too light or too heavy to find anything.
    assert!((100_000..800_000).contains(&reads), "{reads} of a million were read");
}

#[test]
fn damaged_uris_and_bodies_are_read_or_refused() {
    let text = |text: &str| text.as_bytes().to_vec();
    let uris = [
        text("sip:alice:pw@example.com:5060;lr;transport=udp?subject=a%20b&to=c"),
        text("sips:[2001:db8::1]:5061"),
        text("sip:j%40s0n@192.0.2.1;maddr=239.255.255.1;ttl=15"),
        text("tel:+1-201-555-0123;ext=5"),
    ];
    let reads = read(2, 100_000, &uris, |octets| {
        let Ok(uri) = std::str::from_utf8(octets).unwrap_or_default().parse::<Uri>() else {
            return false;
        };
        assert_eq!(uri.to_string().parse().as_ref(), Ok(&uri));
        true
    });
    assert!((5_000..80_000).contains(&reads), "{reads} URIs");

    let entity: Uri = "sip:a&b@example.com".parse().unwrap();
    let documents = [
        Presence { entity: entity.clone(), open: true }.body().to_vec(),
        text("<?xml?><!-- x --><p:presence a='>' entity=\"pres:a&#64;b\"><p:note/></p:presence>"),
    ];
    let reads = read(3, 100_000, &documents, |octets| {
        let Ok(presence) = Presence::parse(octets) else { return false };
        assert_eq!(Presence::parse(&presence.body()).as_ref(), Ok(&presence));
        true
    });
    assert!((5_000..80_000).contains(&reads), "{reads} presence documents");

    let sessions = [
        text(
            "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9/2 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n",
        ),
        text(
            "v=0\no=a 3 4 IN IP6 ::1\nc=IN IP4 192.0.2.1\nm=video 5 RTP/AVP 31\nm=audio 7 RTP/AVP 8\n",
        ),
    ];
    let reads = read(4, 100_000, &sessions, |octets| {
        let Ok(session) = Session::parse(octets) else { return false };
        assert_eq!(Session::parse(&session.body()).as_ref(), Ok(&session));
        true
    });
    assert!((5_000..80_000).contains(&reads), "{reads} sessions");
}
