//! Two hosts, a timer and a lost datagram: the smallest program on the kernel and the network.
//!
//! The client sends a ping every second; the network loses a fifth of all datagrams; a ping that is
//! not answered within 400 ms is reported. Run it with `cargo run --example ping`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use overcord::address::{Endpoint, Port};
use overcord::net::lab::{Device, Lab, LabLink};
use overcord::net::{Class, Packed, Payload, Protocol, Purpose, Transport, Words};
use overcord::sim::{Context, Timer};
use overcord::time::{SimDuration, SimTime};

#[derive(Clone, Copy, Debug)]
enum Message {
    Ping(u32),
    Pong(u32),
}

#[rustfmt::skip]
impl Payload for Message {
    // Up to 16 octets travel inside the event; larger messages would return `Cold`.
    fn pack(self) -> Packed<Self> { Packed::Hot(match self { Self::Ping(n) => Words(0, n.into()), Self::Pong(n) => Words(1, n.into()) }) }
    fn unpack(Words(kind, n): Words) -> Self { if kind == 0 { Self::Ping(n as u32) } else { Self::Pong(n as u32) } }
    fn transport(&self) -> Transport { Transport::Udp }
    fn source_port(&self) -> Port { Port(7) }
    fn wire_len(&self) -> u32 { 8 }
    fn class(&self) -> Class { Class { protocol: Protocol::Test, purpose: Purpose::Probe } }
    fn digest(&self) -> u64 { match *self { Self::Ping(n) => u64::from(n), Self::Pong(n) => !u64::from(n) } }
}

#[derive(Clone, Copy, PartialEq)]
enum Alarm {
    NextPing,
    GiveUp,
}

impl Timer for Alarm {
    fn slot(self) -> u32 {
        self as u32
    }
}

struct Host {
    peer: Option<Endpoint>,
    sent: u32,
}

impl Device for Host {
    type Message = Message;
    type Timer = Alarm;
    type Observation = String;

    fn start(&mut self, ctx: &mut LabLink<'_, Self>) {
        if self.peer.is_some() {
            ctx.set_after(Alarm::NextPing, SimDuration::from_secs(1));
        }
    }

    fn receive(&mut self, ctx: &mut LabLink<'_, Self>, from: Endpoint, message: Message) {
        match message {
            Message::Ping(n) => ctx.send(from, Message::Pong(n)),
            Message::Pong(n) => {
                ctx.cancel(Alarm::GiveUp);
                ctx.observe(format!("ping {n} answered by {from}"));
            }
        }
    }

    fn timer(&mut self, ctx: &mut LabLink<'_, Self>, alarm: Alarm) {
        match alarm {
            Alarm::GiveUp => ctx.observe(format!("ping {} lost", self.sent)),
            Alarm::NextPing => {
                self.sent += 1;
                ctx.send(self.peer.expect("only the client pings"), Message::Ping(self.sent));
                ctx.set_after(Alarm::GiveUp, SimDuration::from_millis(400));
                ctx.set_after(Alarm::NextPing, SimDuration::from_secs(1));
            }
        }
    }
}

fn main() {
    let server = Lab::<Host>::address_of(1).at(Port(7));
    let hosts = vec![Host { peer: Some(server), sent: 0 }, Host { peer: None, sent: 0 }];
    let mut lab = Lab::new(hosts, SimDuration::from_millis(50), 0.2, 2009);
    lab.run_until(SimTime::from_secs(10));
    for (at, _, what) in &lab.notebook.0 {
        println!("{at:>5} s  {what}");
    }
}
