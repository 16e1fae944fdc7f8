//! One node and what it sends to members of another overlay, who are played by the test.

use super::*;
use crate::address::Address;
use crate::overcord::message::{Message, Observation};
use crate::overlay::plugin::Kind;
use crate::overlay::{Directory, OverlayId, chord};
use crate::rng::{Draws, NameHash, Purpose};
use crate::sim::Recorder;

/// The port of the other overlay.
const PORT: Port = Port(Port::OVERLAY.0 + 1);
const PLACE: Place = Place(0);

/// A node's context.
struct Desk {
    recorder: Recorder<Message, Timer, Observation>,
    directory: Directory,
}

impl Context for Desk {
    type Message = Message;
    type Timer = Timer;
    type Observation = Observation;

    fn now(&self) -> SimTime {
        self.recorder.now()
    }
    fn send(&mut self, to: Endpoint, message: Message) {
        self.recorder.send(to, message);
    }
    fn set(&mut self, timer: Timer, at: SimTime) {
        self.recorder.set(timer, at);
    }
    fn cancel(&mut self, timer: Timer) {
        self.recorder.cancel(timer);
    }
    fn observe(&mut self, observation: Observation) {
        self.recorder.observe(observation);
    }
}

impl Facts for Desk {
    fn contact(&self, node: NodeRef) -> Contact {
        self.directory.contact(node)
    }
}

impl Desk {
    /// What was sent to other overlays since the last call.
    fn sent(&mut self) -> Vec<(Endpoint, plugin::Message)> {
        let overlay = |(to, message)| match message {
            Message::Overlay(message) => Some((to, message)),
            _ => None,
        };
        self.recorder.take_sent().into_iter().filter_map(overlay).collect()
    }

    /// Whom the node asked last, and the token of the question.
    fn question(&mut self) -> Option<(Endpoint, u16)> {
        let sent = self.sent();
        let [(to, plugin::Message::Description(message))] = &sent[..] else { return None };
        match **message {
            description::Message::Question(token, Kind::Chord) => Some((*to, token)),
            _ => None,
        }
    }
}

fn known(domain: &str, port: Port, id_bits: u8) -> Arc<Known> {
    let mut config = chord::Config::new(Draws::new(1, Purpose::Protocol));
    config.id_bits = id_bits;
    let plugin = plugin::Config::Chord(Arc::new(config));
    let description = Description { domain: domain.into(), kind: Kind::Chord, id_bits };
    Arc::new(Known { description, plugin, port })
}

/// A node at 10.0.0.9 that has just started and knows two members of the other overlay.
fn node() -> (Desk, Others) {
    let mut desk = Desk { recorder: Recorder::new(), directory: Directory::new() };
    let mut contact = |last: u32| {
        let endpoint = Address::from_bits(0x0a00_0000 + last).at(PORT);
        desk.directory.add(Contact { id: RingId(u64::from(last) << 50), endpoint })
    };
    let (me, peers) = (contact(9), [contact(1), contact(2)]);
    let dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of("node"));
    let beside = Beside::new(known("two.test", PORT, 160), me, peers, dice);
    let mut others = Others::new(known("one.test", Port::OVERLAY, 160), vec![beside]);
    others.begin(&mut desk);
    (desk, others)
}

fn answer_of(token: u16, domain: &str, id_bits: u8) -> plugin::Message {
    let description = Description { domain: domain.into(), kind: Kind::Chord, id_bits };
    description::Message::Answer(token, OverlayId(5), description).into()
}

/// Fires the next timer, which is that of the one overlay; what is new then.
fn go_on(desk: &mut Desk, others: &mut Others) -> NewsList {
    match desk.recorder.next_timer() {
        Some(Timer::Beside(place, timer)) => others.timer(desk, place, timer),
        other => panic!("{other:?}"),
    }
}

/// The same; when that is.
fn fire(desk: &mut Desk, others: &mut Others) -> SimTime {
    let _ = go_on(desk, others);
    desk.now()
}

#[test]
fn whoever_is_silent_is_passed_over_and_after_all_there_is_a_pause() {
    let (mut desk, mut others) = node();
    let (first, _) = desk.question().expect("it asks");
    // A member that does not answer in 1.5 s: the other is asked.
    assert_eq!(fire(&mut desk, &mut others), SimTime::ZERO + PATIENCE);
    let (second, late) = desk.question().expect("it asks the other");
    assert_ne!(first, second);
    assert_eq!((first.port, second.port), (PORT, PORT));
    // Nor does that one: a pause of half a minute, then all again.
    assert_eq!(fire(&mut desk, &mut others), SimTime::ZERO + PATIENCE * 2);
    assert!(desk.sent().is_empty());
    assert_eq!(fire(&mut desk, &mut others), SimTime::ZERO + PATIENCE * 2 + REJOIN_AFTER);
    let (_, token) = desk.question().expect("it asks again");
    // An answer to the earlier question is none to this one.
    assert_ne!(token, late);
    assert!(others.receive(&mut desk, PLACE, second, answer_of(late, "two.test", 160)).is_empty());
    assert!(desk.sent().is_empty());
}

#[test]
fn a_plugin_is_created_only_for_the_overlay_that_it_is_for() {
    for (domain, id_bits, refusal) in [
        ("two.test", 160, None),
        ("three.test", 160, Some(Mismatch::Overlay { found: "three.test".into() })),
        ("two.test", 32, Some(Mismatch::Identifiers { found: 32, own: 160 })),
    ] {
        let (mut desk, mut others) = node();
        let (asked, token) = desk.question().expect("it asks");
        let _ = others.receive(&mut desk, PLACE, asked, answer_of(token, domain, id_bits));
        assert_eq!(others.refusal(PLACE), refusal.as_ref(), "{domain} {id_bits}");
        // The plug-in asks the member that answered to be let in; without one nothing is sent.
        let sent = desk.sent();
        let joins = |(to, message): &(Endpoint, plugin::Message)| {
            *to == asked && matches!(message, plugin::Message::Chord(_))
        };
        assert_eq!(sent.iter().filter(|it| joins(it)).count(), usize::from(refusal.is_none()));
        assert_eq!(sent.len(), usize::from(refusal.is_none()));
        assert_eq!(others.by_domain("two.test"), None, "it is no member yet");
    }
}

#[test]
fn nobody_at_the_address_is_as_good_as_silence_only_sooner() {
    let (mut desk, mut others) = node();
    let (first, _) = desk.question().expect("it asks");
    assert!(others.unreachable(&mut desk, PLACE, first).is_empty());
    let (second, _) = desk.question().expect("it asks the other");
    assert_ne!(first, second);
    assert_eq!(others.by_port(PORT), Some(PLACE));
    assert_eq!(others.by_port(Port::OVERLAY), None, "that is its own");
}

/// The next message of Chord that the node sent.
fn small(desk: &mut Desk) -> (Endpoint, chord::Small) {
    let is_small = |(to, message)| match message {
        plugin::Message::Chord(chord::Message::Small(small)) => Some((to, small)),
        _ => None,
    };
    desk.sent().into_iter().find_map(is_small).expect("it sent one")
}

/// A ring of two, whose other member dies while a record is being fetched from it. Isolation ends
/// the fetch as well, although the time for it is not over.
#[test]
fn isolation_ends_what_the_plugin_was_asked_for() {
    use chord::{Large, Small};
    let (mut desk, mut others) = node();
    let (asked, token) = desk.question().expect("it asks");
    let _ = others.receive(&mut desk, PLACE, asked, answer_of(token, "two.test", 160));
    let member = (0..3).map(NodeRef::new).find(|&node| desk.contact(node).endpoint == asked);
    let member = member.expect("it is one of the contacts");
    let (_, Small::Find(header, ..)) = small(&mut desk) else { panic!("it looks for its place") };
    let found = chord::Message::from(Small::Found(header, [Some(member), None, None]));
    let _ = others.receive(&mut desk, PLACE, asked, found.into());
    let (_, Small::Join(header, me)) = small(&mut desk) else { panic!("it asks to be let in") };
    let welcome = Large::Welcome(header, OverlayId(5), Some(member), [me].into_iter().collect());
    let news = others.receive(&mut desk, PLACE, asked, chord::Message::from(welcome).into());
    assert!(matches!(news[..], [News::In(PLACE)]), "{news:?}");
    // It is asked for its neighbours, or whether it is there; the fetch begins after that.
    while !desk.sent().iter().any(|(to, _)| *to == asked) {
        assert!(go_on(&mut desk, &mut others).is_empty());
    }
    let key = desk.contact(member).id;
    let (fetch, at_once) = others.get(&mut desk, PLACE, key).expect("it is a member");
    assert!(at_once.is_empty());
    let begun = desk.now();
    let news = loop {
        let news = go_on(&mut desk, &mut others);
        if !news.is_empty() {
            break news;
        }
    };
    assert!(matches!(news[..], [News::Got(PLACE, id, None)] if id == fetch), "{news:?}");
    assert!(desk.now() <= begun + PATIENCE);
    assert!(others.get(&mut desk, PLACE, key).is_none(), "it is outside");
}
