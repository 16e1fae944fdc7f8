//! RTP (RFC 3550) as far as a call needs it: packets of one audio stream each way.
//!
//! [`Streams`] are the calls of one user agent: each sends a packet every interval, and hears those
//! of the other end. Where the interval is longer than that of a real codec, 20 ms, the packets are
//! a sample of what would be sent, of the same size each, and their bytes are not those of the whole.
//! A user agent that hears nothing for long enough gives the call up, as linphone does after 30 s.
//!
//! The names of streams come from the call, so that each end knows the other's. Left out: RTCP,
//! video, silence suppression, jitter buffers (a packet that arrives is heard), the learning of
//! another address than the one that the session description names.

use std::collections::BTreeMap;

use crate::address::{Endpoint, Port};
use crate::net::{Class, Packed, Payload, Protocol, Purpose, Transport, Words};
use crate::rng::{mix, mix2};
use crate::sim;
use crate::time::{SimDuration, SimTime};

/// Octets of a header without contributing sources (RFC 3550 §5.1).
const HEADER: usize = 12;
/// G.711's samples in a second.
const SAMPLE_RATE: u64 = 8_000;
/// The octet of silence in G.711 µ-law.
const SILENCE: u8 = 0xff;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Whose stream it is: the synchronization source.
    pub source: u32,
    /// Its number in the stream.
    pub sequence: u16,
    /// When it was said, in samples.
    pub timestamp: u32,
    /// Octets of voice.
    pub payload: u16,
}

impl Packet {
    /// The octets: version 2, payload type 0, and silence.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut octets = vec![0x80, 0];
        octets.extend(self.sequence.to_be_bytes());
        octets.extend(self.timestamp.to_be_bytes());
        octets.extend(self.source.to_be_bytes());
        octets.resize(HEADER + usize::from(self.payload), SILENCE);
        octets
    }

    /// The packet in these octets, if they are one of version 2.
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let (header, voice) = octets.split_at_checked(HEADER)?;
        let &[first, _, a, b, c, d, e, f, g, h, i, j] = header else { return None };
        (first >> 6 == 2).then_some(Self {
            source: u32::from_be_bytes([g, h, i, j]),
            sequence: u16::from_be_bytes([a, b]),
            timestamp: u32::from_be_bytes([c, d, e, f]),
            payload: u16::try_from(voice.len()).ok()?,
        })
    }
}

impl Payload for Packet {
    fn pack(self) -> Packed<Self> {
        Packed::Cold(self)
    }
    fn unpack(words: Words) -> Self {
        unreachable!("no packet of media is packed into {words:?}")
    }
    fn transport(&self) -> Transport {
        Transport::Udp
    }
    fn source_port(&self) -> Port {
        Port::AUDIO
    }
    fn wire_len(&self) -> u32 {
        HEADER as u32 + u32::from(self.payload)
    }
    fn class(&self) -> Class {
        Class { protocol: Protocol::Rtp, purpose: Purpose::Media }
    }
    fn digest(&self) -> u64 {
        let Self { source, sequence, timestamp, payload } = *self;
        let number = u64::from(sequence) << 16 | u64::from(payload);
        mix2(u64::from(source) << 32 | u64::from(timestamp), number)
    }
}

/// How user agents talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The time between two packets.
    pub interval: SimDuration,
    /// Octets of voice in each.
    pub payload: u16,
    /// After how long without a packet the call is given up.
    pub patience: SimDuration,
}

/// A call, by a number that both ends have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call(pub u64);

/// An end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Who called.
    Caller,
    /// Who was called.
    Callee,
}

impl End {
    const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }

    /// The name of the stream that comes from this end of a call.
    const fn source(self, call: Call) -> u32 {
        (mix(call.0 ^ self as u64) >> 32) as u32
    }
}

/// What the observer is told of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// An end begins to talk.
    Began(End),
    /// A packet is sent.
    Sent,
    /// A packet is heard.
    Heard,
    /// Nothing has been heard for so long that the call is given up.
    Silent,
}

/// The timer of what is said, one for all calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer;

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        0
    }
}

/// What is to be done now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// To be sent.
    pub packets: Vec<(Endpoint, Packet)>,
    /// Calls in which nothing has been heard for too long; each once.
    pub silent: Vec<Call>,
}

/// What is said in the calls of one user agent.
#[derive(Clone, Debug)]
pub struct Streams {
    settings: Settings,
    all: BTreeMap<Call, Stream>,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    /// Where the other end listens.
    to: Endpoint,
    /// The names of the own stream and the other's.
    own: u32,
    other: u32,
    /// Packets sent.
    sent: u32,
    /// When the next is sent.
    next: SimTime,
    /// When the call is given up unless something is heard; never, once it has been.
    silent: SimTime,
}

impl Streams {
    /// Nobody talks.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings, all: BTreeMap::new() }
    }

    /// A call is up: `end` is this one, and the other listens at `to`. The first packet goes out
    /// after one interval.
    pub fn begin(&mut self, now: SimTime, call: Call, end: End, to: Endpoint) {
        let Settings { interval, patience, .. } = self.settings;
        let stream = Stream {
            to,
            own: end.source(call),
            other: end.other().source(call),
            sent: 0,
            next: now.saturating_add(interval),
            silent: now.saturating_add(patience),
        };
        self.all.insert(call, stream);
    }

    /// A call is over: where the other end was, if anything was said in it.
    pub fn end(&mut self, call: Call) -> Option<Endpoint> {
        self.all.remove(&call).map(|stream| stream.to)
    }

    /// A packet has arrived; whether it is of a call that is up.
    pub fn hear(&mut self, now: SimTime, packet: &Packet) -> bool {
        let of_call = self.all.values_mut().find(|stream| stream.other == packet.source);
        let Some(stream) = of_call else { return false };
        if stream.silent != SimTime::MAX {
            stream.silent = now.saturating_add(self.settings.patience);
        }
        true
    }

    /// When there is something to do next.
    #[must_use]
    pub fn next(&self) -> Option<SimTime> {
        self.all.values().map(|stream| stream.next.min(stream.silent)).min()
    }

    /// What is to be done by now.
    pub fn due(&mut self, now: SimTime) -> Due {
        let mut due = Due::default();
        let Settings { interval, payload, .. } = self.settings;
        let samples = interval.as_nanos() / (1_000_000_000 / SAMPLE_RATE);
        for (&call, stream) in &mut self.all {
            if stream.silent <= now {
                stream.silent = SimTime::MAX;
                due.silent.push(call);
            }
            while stream.next <= now {
                let packet = Packet {
                    source: stream.own,
                    sequence: stream.sent as u16,
                    timestamp: (u64::from(stream.sent) * samples) as u32,
                    payload,
                };
                due.packets.push((stream.to, packet));
                stream.sent += 1;
                stream.next = stream.next.saturating_add(interval);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    const SETTINGS: Settings = Settings {
        interval: SimDuration::from_millis(20),
        payload: 160,
        patience: SimDuration::from_secs(30),
    };
    const CALL: Call = Call(7);

    fn there() -> Endpoint {
        Address::from_bits(1).at(Port::AUDIO)
    }

    #[test]
    fn a_packet_is_read_as_it_was_written() {
        let packet = Packet { source: 0xdead_beef, sequence: 513, timestamp: 82_080, payload: 160 };
        let octets = packet.encode();
        // 20 ms of G.711 are 160 octets behind twelve.
        assert_eq!(octets.len(), 172);
        assert_eq!(packet.wire_len(), 172);
        assert_eq!(Packet::decode(&octets), Some(packet));
        assert_eq!(Packet::decode(&octets[..11]), None);
        assert_eq!(Packet::decode(&[0x40; 12]), None, "version 1");
    }

    #[test]
    fn a_call_of_a_second_has_fifty_packets() {
        let at = |millis: u64| SimTime::ZERO + SimDuration::from_millis(millis);
        let mut streams = Streams::new(SETTINGS);
        streams.begin(at(0), CALL, End::Caller, there());
        let mut sent = Vec::new();
        while let Some(next) = streams.next().filter(|&next| next <= at(1_000)) {
            sent.extend(streams.due(next).packets);
        }
        assert_eq!(sent.len(), 50);
        let last = sent[49].1;
        // The fiftieth begins 49 times 160 samples behind the first.
        assert_eq!((last.sequence, last.timestamp), (49, 7_840));
        assert_eq!(streams.end(CALL), Some(there()));
        assert_eq!(streams.next(), None);
    }

    #[test]
    fn each_end_hears_the_other_and_not_itself() {
        let mut ends = [End::Caller, End::Callee].map(|end| {
            let mut streams = Streams::new(SETTINGS);
            streams.begin(SimTime::ZERO, CALL, end, there());
            streams
        });
        let first = ends[0].due(SimTime::from_secs(1)).packets[0].1;
        assert!(ends[1].hear(SimTime::ZERO, &first));
        assert!(!ends[0].hear(SimTime::ZERO, &first));
        ends[1].end(CALL);
        assert!(!ends[1].hear(SimTime::ZERO, &first), "it has hung up");
    }

    #[test]
    fn silence_is_told_once_and_counts_from_what_was_heard_last() {
        let mut streams = Streams::new(SETTINGS);
        streams.begin(SimTime::ZERO, CALL, End::Caller, there());
        let source = End::Callee.source(CALL);
        let packet = Packet { source, sequence: 0, timestamp: 0, payload: 160 };
        assert!(streams.hear(SimTime::from_secs(10), &packet));
        assert_eq!(streams.due(SimTime::from_secs(39)).silent, []);
        assert_eq!(streams.due(SimTime::from_secs(40)).silent, [CALL]);
        assert_eq!(streams.due(SimTime::from_secs(90)).silent, []);
    }
}
