//! Whole exchanges between two hosts, with exact times; loss, duplicates, crashes.

use super::pair::{A, B, Host, Pair, Wire};
use super::*;
use crate::time::SimTime;

/// A message of so many octets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text(u32);

impl Body for Text {
    fn wire_len(&self) -> u32 {
        self.0
    }
    fn digest(&self) -> u64 {
        u64::from(self.0)
    }
}

/// What a host does with its connections.
#[derive(Debug)]
enum Role {
    /// Connects and closes.
    Probe,
    /// Sends this, waits for a message, closes.
    Ask(u32),
    /// Answers each message with this.
    Serve(u32),
    /// Lets everything be.
    Idle,
}

struct End {
    tcp: Tcp<Text>,
    role: Role,
    told: Vec<(u64, Upcall<Text>)>,
}

impl End {
    fn new(role: Role, port: Option<Port>) -> Self {
        let mut tcp = Tcp::new(4);
        if let Some(port) = port {
            tcp.listen(port);
        }
        Self { tcp, role, told: Vec::new() }
    }

    fn take(&mut self, ctx: &mut Wire<Self>, upcalls: Upcalls<Text>) {
        for upcall in upcalls {
            self.told.push((ctx.now.as_nanos() / 1_000_000, upcall.clone()));
            match (&self.role, upcall) {
                (Role::Probe, Upcall::Connected(id)) => self.tcp.close(ctx, id),
                (Role::Ask(octets), Upcall::Connected(id)) => {
                    assert!(self.tcp.send(ctx, id, Text(*octets)));
                }
                (Role::Ask(_), Upcall::Received(id, _)) => self.tcp.close(ctx, id),
                (Role::Serve(octets), Upcall::Received(id, _)) => {
                    assert!(self.tcp.send(ctx, id, Text(*octets)));
                }
                _ => {}
            }
        }
    }
}

impl Host for End {
    type Data = Text;
    type Timer = TcpTimer;
    type Observation = ();

    fn receive(&mut self, ctx: &mut Wire<Self>, from: Endpoint, segment: Segment<Text>) {
        let upcalls = self.tcp.receive(ctx, from, segment);
        self.take(ctx, upcalls);
    }
    fn timer(&mut self, ctx: &mut Wire<Self>, timer: TcpTimer) {
        let upcalls = self.tcp.timer(ctx, timer);
        self.take(ctx, upcalls);
    }
}

const SERVICE: Port = Port(80);
const LONG: SimDuration = SimDuration::from_secs(1000);

/// `a` plays a role towards `b`, which listens on [`SERVICE`]; 10 ms one way.
fn pair(role: Role, server: Role) -> Pair<End, End> {
    Pair::new(End::new(role, None), End::new(server, Some(SERVICE)), 10)
}

fn connect(pair: &mut Pair<End, End>, port: Port, timeout: SimDuration) -> ConnectionId {
    pair.a.tcp.connect(&mut pair.ctx_a, B.at(port), timeout).unwrap()
}

fn run(pair: &mut Pair<End, End>, port: Port, timeout: SimDuration) {
    connect(pair, port, timeout);
    pair.run(SimTime::from_secs(300));
}

/// Nothing is left of the connections, at either end.
fn assert_clean(pair: &Pair<End, End>) {
    assert_eq!((pair.a.tcp.connections(), pair.b.tcp.connections(), pair.timers()), (0, 0, 0));
}

fn told(end: &End) -> Vec<String> {
    let name = |upcall: &Upcall<Text>| match upcall {
        Upcall::Connected(_) => "connected".to_owned(),
        Upcall::Refused(_) => "refused".to_owned(),
        Upcall::TimedOut(_) => "timed out".to_owned(),
        Upcall::Unreachable(_) => "unreachable".to_owned(),
        Upcall::Accepted(_, port) => format!("accepted {port}"),
        Upcall::Received(_, Text(octets)) => format!("received {octets}"),
        Upcall::Closed(_, ending) => format!("closed {ending:?}"),
    };
    end.told.iter().map(|(millis, upcall)| format!("{millis} {}", name(upcall))).collect()
}

#[test]
fn a_probe_is_six_segments() {
    let mut pair = pair(Role::Probe, Role::Idle);
    run(&mut pair, SERVICE, LONG);
    let expected = ["0 a SYN", "10 b SYN-ACK", "20 a ACK", "20 a FIN", "30 b FIN-ACK", "40 a ACK"];
    assert_eq!(pair.chart(), expected);
    // 2 segments with SYN of 60 octets and 4 of 52.
    assert_eq!(pair.octets(), 2 * 60 + 4 * 52);
    assert_eq!(told(&pair.a), ["20 connected"]);
    assert_eq!(told(&pair.b), ["30 accepted 80", "30 closed Fin"]);
    assert_clean(&pair);
}

#[test]
fn a_request_and_its_response_are_ten_segments() {
    let mut pair = pair(Role::Ask(126), Role::Serve(152));
    run(&mut pair, SERVICE, LONG);
    let expected = [
        "0 a SYN",
        "10 b SYN-ACK",
        "20 a ACK",
        "20 a data",
        "30 b ACK",
        "30 b data",
        "40 a ACK",
        "40 a FIN",
        "50 b FIN-ACK",
        "60 a ACK",
    ];
    assert_eq!(pair.chart(), expected);
    assert_eq!(pair.octets(), 2 * 60 + 8 * 52 + 126 + 152);
    assert_eq!(told(&pair.a), ["20 connected", "40 received 152"]);
    assert_eq!(told(&pair.b), ["30 accepted 80", "30 received 126", "50 closed Fin"]);
    assert_clean(&pair);
}

#[test]
fn a_closed_port_refuses() {
    let mut pair = pair(Role::Probe, Role::Idle);
    run(&mut pair, ECHO, LONG);
    assert_eq!(pair.chart(), ["0 a SYN", "10 b RST"]);
    assert_eq!(told(&pair.a), ["20 refused"]);
    assert_clean(&pair);
}

#[test]
fn a_silent_host_is_asked_again_after_1_3_7_seconds_until_the_caller_or_tcp_gives_up() {
    for (timeout, syns, given_up) in [
        (SimDuration::from_secs(5), vec![0, 1, 3], 5),
        (SimDuration::from_secs(7), vec![0, 1, 3], 7),
        (SimDuration::from_secs(21), vec![0, 1, 3, 7, 15], 21),
        // Linux: 6 retries, given up 1 + 2 + … + 64 = 127 s after the first.
        (LONG, vec![0, 1, 3, 7, 15, 31, 63], 127),
    ] {
        let mut pair = pair(Role::Probe, Role::Idle);
        pair.lose = |_, _| true;
        run(&mut pair, SERVICE, timeout);
        let sent: Vec<String> =
            syns.iter().map(|second| format!("{} a SYN", second * 1000)).collect();
        assert_eq!(pair.chart(), sent);
        assert_eq!(told(&pair.a), [format!("{} timed out", given_up * 1000)]);
        assert_clean(&pair);
    }
}

#[test]
fn an_icmp_error_ends_what_is_connecting_to_that_port_and_nothing_else() {
    let mut pair = pair(Role::Idle, Role::Idle);
    let standing = connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_secs(1));
    pair.lose = |_, _| true;
    connect(&mut pair, SERVICE, LONG);
    connect(&mut pair, ECHO, LONG);
    let upcalls = pair.a.tcp.unreachable(&mut pair.ctx_a, B.at(SERVICE));
    assert!(matches!(upcalls[..], [Upcall::Unreachable(id)] if id != standing), "{upcalls:?}");
    assert_eq!(pair.a.tcp.connections(), 2);
    assert_eq!(pair.a.tcp.peer(standing), Some(B.at(SERVICE)));
}

/// Each single segment of an exchange may be lost: everything arrives once all the same, nothing
/// is left, and who waits for what was lost is late by one second.
#[test]
fn any_one_segment_may_be_lost() {
    let losses: [fn(usize, &pair::Sighting) -> bool; 10] = [
        |n, _| n == 0,
        |n, _| n == 1,
        |n, _| n == 2,
        |n, _| n == 3,
        |n, _| n == 4,
        |n, _| n == 5,
        |n, _| n == 6,
        |n, _| n == 7,
        |n, _| n == 8,
        |n, _| n == 9,
    ];
    // SYN and SYN-ACK, the request and the response delay what `a` receives (at 40 ms otherwise).
    let late = [true, true, false, true, false, true, false, false, false, false];
    for (lost, (lose, late)) in losses.into_iter().zip(late).enumerate() {
        let mut pair = pair(Role::Ask(126), Role::Serve(152));
        pair.lose = lose;
        run(&mut pair, SERVICE, LONG);
        let at = if late { 1040 } else { 40 };
        let received: Vec<String> =
            told(&pair.a).into_iter().filter(|what| what.contains("received")).collect();
        assert_eq!(received, [format!("{at} received 152")], "segment {lost}");
        let served: Vec<&Upcall<Text>> = pair.b.told.iter().map(|(_, upcall)| upcall).collect();
        assert!(
            matches!(served[..], [Upcall::Accepted(..), Upcall::Received(..), Upcall::Closed(..)]),
            "segment {lost}: {served:?}"
        );
        assert_clean(&pair);
    }
}

/// Whatever is lost, doubled and reordered: messages arrive at most once, the caller is told one
/// end, and nothing is left at either side.
#[test]
fn a_bad_wire_neither_repeats_messages_nor_leaves_connections() {
    let mut arrived = 0;
    for salt in 0..2_000 {
        let mut pair = pair(Role::Ask(126), Role::Serve(152));
        (pair.salt, pair.chance) = (salt, 10 + salt % 30);
        connect(&mut pair, SERVICE, LONG);
        pair.run(SimTime::from_secs(600));
        assert_clean(&pair);
        let count =
            |end: &End, what: &str| told(end).iter().filter(|line| line.contains(what)).count();
        let (asked, answered) = (count(&pair.b, "received"), count(&pair.a, "received"));
        assert!(answered <= asked && asked <= 1, "salt {salt}: {:#?}", pair.chart());
        assert!(count(&pair.b, "accepted") <= 1, "salt {salt}: {:#?}", pair.chart());
        let ends = answered + count(&pair.a, "timed out") + count(&pair.a, "closed");
        assert_eq!(ends, 1, "salt {salt}: {:?}", told(&pair.a));
        arrived += answered;
    }
    // Seven attempts each: at 39 % loss a message fails with a chance of about 0.0014.
    assert!(arrived > 1_950, "{arrived}");
}

#[test]
fn data_that_is_never_acknowledged_is_sent_seven_times() {
    let mut pair = pair(Role::Ask(126), Role::Serve(152));
    pair.lose = |_, sighting| ["data", "RST"].contains(&sighting.what);
    connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_secs(300));
    let data: Vec<u64> = pair.seen.iter().filter(|s| s.what == "data").map(|s| s.millis).collect();
    assert_eq!(data, [20, 1020, 3020, 7020, 15_020, 31_020, 63_020]);
    // 20 ms + 127 s.
    assert_eq!(told(&pair.a), ["20 connected", "127020 closed Silence"]);
    // The server has heard nothing since 30 ms and forgets the client after 60 s.
    assert_eq!(told(&pair.b), ["30 accepted 80", "60030 closed Silence"]);
    assert_clean(&pair);
}

#[test]
fn a_half_open_connection_is_forgotten_after_63_seconds_and_unknown_to_the_owner() {
    let mut pair = pair(Role::Idle, Role::Idle);
    pair.lose = |_, sighting| sighting.sender == 'b';
    let id = connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_nanos(5_000_000));
    // The client dies after its first SYN.
    pair.a.tcp.close(&mut pair.ctx_a, id);
    pair.run(SimTime::from_secs(300));
    let answers: Vec<u64> = pair.seen.iter().skip(1).map(|s| s.millis).collect();
    assert_eq!(answers, [10, 1010, 3010, 7010, 15_010, 31_010]);
    assert!(pair.b.told.is_empty());
    assert_clean(&pair);
}

/// The server has heard nothing since 30 ms and resets the connection after 60 s. A reset with a
/// number that is not due is an old one, and ignored.
#[test]
fn a_silent_connection_is_reset_and_an_old_reset_ignored() {
    let mut pair = pair(Role::Idle, Role::Idle);
    let id = connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_secs(1));
    let flow = Flow { number: 1, port: SERVICE, sender: Side::Responder };
    let header = Header { flow, sequence: 30_000, acknowledgement: 0 };
    pair.inject(false, Control { header, kind: Kind::Rst }.into());
    pair.run(SimTime::from_secs(60));
    assert_eq!(pair.a.tcp.peer(id), Some(B.at(SERVICE)));
    pair.run(SimTime::from_secs(300));
    assert_eq!(told(&pair.a), ["20 connected", "60040 closed Reset"]);
    assert_eq!(told(&pair.b), ["30 accepted 80", "60030 closed Silence"]);
    assert_clean(&pair);
}

#[test]
fn both_may_close_at_once() {
    let mut pair = pair(Role::Idle, Role::Idle);
    let id = connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_secs(1));
    let Some((_, Upcall::Accepted(accepted, _))) = pair.b.told.first().cloned() else {
        panic!("{:?}", pair.b.told)
    };
    pair.a.tcp.close(&mut pair.ctx_a, id);
    pair.b.tcp.close(&mut pair.ctx_b, accepted);
    pair.run(SimTime::from_secs(30));
    let chart = pair.chart();
    assert_eq!(chart[3..], ["1000 a FIN", "1000 b FIN", "1010 b ACK", "1010 a ACK"]);
    assert_clean(&pair);
}

#[test]
fn a_restarted_host_is_told_from_its_former_self() {
    let mut pair = pair(Role::Idle, Role::Serve(5));
    connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_secs(1));
    // The host forgets everything and numbers its connections from the beginning.
    pair.a = End::new(Role::Ask(9), None);
    run(&mut pair, SERVICE, LONG);
    assert_eq!(told(&pair.a), ["1020 connected", "1040 received 5"]);
    assert_eq!(
        told(&pair.b),
        [
            "30 accepted 80",
            "1010 closed Reset",
            "1030 accepted 80",
            "1030 received 9",
            "1050 closed Fin"
        ]
    );
    assert_clean(&pair);
}

/// The client's host gets another address after 15 ms: neither a FIN nor a RST tells the server,
/// whose connection ends by its own timers.
#[test]
fn a_host_that_moves_forgets_its_connections_in_silence() {
    let mut pair = pair(Role::Idle, Role::Idle);
    connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_nanos(15_000_000));
    let before = pair.chart().len();
    pair.a.tcp.forget_connections(&mut pair.ctx_a);
    assert_eq!((pair.a.tcp.connections(), pair.b.tcp.connections()), (0, 1));
    assert_eq!(pair.chart().len(), before);
    pair.a.tcp.listen(SERVICE);
    pair.a.tcp.forget_connections(&mut pair.ctx_a);
    assert!(pair.a.tcp.is_listening(SERVICE));
}

#[test]
fn what_belongs_to_no_connection_is_reset_and_a_reset_is_never_answered() {
    let mut pair = pair(Role::Idle, Role::Idle);
    let flow = Flow { number: 9, port: SERVICE, sender: Side::Initiator };
    let header = Header { flow, sequence: 5, acknowledgement: 6 };
    pair.inject(true, Segment::Data(Box::new(Data { header, body: Text(1) })));
    pair.run(SimTime::from_secs(1));
    assert_eq!(pair.chart(), ["0 a data", "10 b RST"]);
}

#[test]
fn slots_are_bounded_and_used_again_while_names_are_not() {
    let mut pair = pair(Role::Idle, Role::Idle);
    pair.lose = |_, _| true;
    let ids: Vec<ConnectionId> = (0..4).map(|_| connect(&mut pair, SERVICE, LONG)).collect();
    assert_eq!(pair.a.tcp.connect(&mut pair.ctx_a, B.at(SERVICE), LONG), None);
    pair.a.tcp.close(&mut pair.ctx_a, ids[2]);
    let again = connect(&mut pair, SERVICE, LONG);
    assert_eq!(again.slot, ids[2].slot);
    assert_ne!(again, ids[2]);
    assert!(!pair.a.tcp.send(&mut pair.ctx_a, ids[2], Text(1)), "the old name is dead");
    // A full server answers no SYN: the client's next one may find room.
    let mut full = self::pair(Role::Idle, Role::Idle);
    for _ in 0..4 {
        connect(&mut full, SERVICE, LONG);
    }
    full.run(SimTime::from_secs(1));
    let mut other = Wire::<End>::default_at(full.ctx_b.now);
    let flow = Flow { number: 77, port: SERVICE, sender: Side::Initiator };
    let syn = Control { header: Header { flow, sequence: 0, acknowledgement: 0 }, kind: Kind::Syn };
    assert!(full.b.tcp.receive(&mut other, A.at(Port::EPHEMERAL), syn.into()).is_empty());
    assert!(other.is_silent());
}

#[test]
fn a_port_that_is_no_longer_listened_on_refuses_and_keeps_what_stands() {
    let mut pair = pair(Role::Idle, Role::Idle);
    let id = connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_secs(1));
    pair.b.tcp.unlisten(&mut pair.ctx_b, SERVICE);
    connect(&mut pair, SERVICE, LONG);
    pair.run(SimTime::from_secs(2));
    assert_eq!(told(&pair.a), ["20 connected", "1020 refused"]);
    assert_eq!(pair.a.tcp.peer(id), Some(B.at(SERVICE)));
    assert_eq!(pair.b.tcp.connections(), 1);
}

#[test]
fn control_segments_are_small_and_digests_tell_segments_apart() {
    assert_eq!(size_of::<Control>(), 12);
    assert!(align_of::<Control>() <= 4);
    let flow = Flow { number: 1, port: SERVICE, sender: Side::Initiator };
    let header = Header { flow, sequence: 2, acknowledgement: 3 };
    let other = Header { sequence: 3, ..header };
    let reverse = Header { flow: Flow { sender: Side::Responder, ..flow }, ..header };
    let segments: [Segment<Text>; 6] = [
        Control { header, kind: Kind::Syn }.into(),
        Control { header, kind: Kind::Ack }.into(),
        Control { header: other, kind: Kind::Ack }.into(),
        Control { header: reverse, kind: Kind::Ack }.into(),
        Segment::Data(Box::new(Data { header, body: Text(1) })),
        Segment::Data(Box::new(Data { header, body: Text(2) })),
    ];
    let mut digests: Vec<u64> = segments.iter().map(Segment::digest).collect();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), segments.len());
}

#[test]
fn purpose_and_protocol_are_told_by_port_and_data() {
    use crate::net::{Class, Protocol, Purpose};
    let class = |port, data: bool| {
        let flow = Flow { number: 1, port, sender: Side::Responder };
        let header = Header { flow, sequence: 0, acknowledgement: 0 };
        let segment: Segment<Text> = if data {
            Segment::Data(Box::new(Data { header, body: Text(1) }))
        } else {
            Control { header, kind: Kind::Ack }.into()
        };
        segment.class()
    };
    let tcp = |purpose| Class { protocol: Protocol::Tcp, purpose };
    assert_eq!(class(Port::PROXY, false), tcp(Purpose::Probe));
    assert_eq!(class(ECHO, false), tcp(Purpose::Probe));
    assert_eq!(class(Port::HTTP, false), tcp(Purpose::DynDns));
    let http = Class { protocol: Protocol::Http, purpose: Purpose::DynDns };
    assert_eq!(class(Port::HTTP, true), http);
}
