//! What stands in the way of datagrams: partitions, bursts of losses, translators of addresses,
//! and addresses that change.

use std::num::NonZeroU32;

use super::Network;
use crate::address::{Address, Endpoint, Port};
use crate::net::bursts::Bursts;
use crate::net::latency::Latency;
use crate::net::packet::{Booked, Packet};
use crate::net::payload::Account;
use crate::net::{Knock, Nats, Packed, Partition, Payload, Sides};
use crate::sim::{HostId, Timer};

impl<P: Payload, T: Timer> Network<P, T> {
    /// Lets messages be lost in bursts, before anything is sent.
    pub fn lose_in_bursts(&mut self, bursts: Bursts) {
        self.bursts = Some(Box::new(bursts));
        self.is_random = true;
        self.find_only_delay();
    }

    /// Gives a host that is up another address, in place of the one that it had. What is on its way
    /// to the former one will be lost, as is what is sent there from now on; timers go on. Its
    /// translator, if it has one, has mapped nothing yet under the new one.
    pub fn readdress(&mut self, host: HostId, address: Address) {
        let bits = NonZeroU32::new(address.bits()).expect("no host holds 0.0.0.0");
        let former = self.kernel.state_mut(host).replace(bits);
        assert!(former.is_some(), "a host that is down has no address to change");
        self.holders.assign(address, host);
        if let Some(nats) = &mut self.nats {
            nats.forget(host);
        }
    }

    /// Finds out whether the delay is the same for all now, and nothing else decides.
    pub(super) fn find_only_delay(&mut self) {
        self.only_delay = match self.latency {
            Latency::Constant(delay) if !self.is_random && !self.sides.is_parted() => Some(delay),
            _ => None,
        };
    }

    /// Cuts these hosts off from all others. What is on its way arrives.
    pub fn cut(&mut self, partition: Partition, hosts: &[HostId]) {
        self.sides.cut(partition, hosts);
        self.find_only_delay();
    }

    /// A partition is over.
    pub fn heal(&mut self, partition: Partition) {
        self.sides.heal(partition);
        self.find_only_delay();
    }

    /// Who reaches whom.
    #[must_use]
    pub fn sides(&self) -> &Sides {
        &self.sides
    }

    /// Puts hosts behind translators of addresses, before anything is sent.
    pub fn translate(&mut self, nats: Nats) {
        self.nats = Some(Box::new(nats));
    }

    /// Whether a packet that was [popped](Self::pop) stops before its receiver, at a translator.
    #[must_use]
    #[inline]
    pub fn is_kept_out(&self, host: HostId, packet: &Packet) -> bool {
        self.nats.as_ref().is_some_and(|nats| self.keeps_out(nats, host, packet))
    }

    /// Only who is there is asked for: who is gone is lost otherwise.
    #[cold]
    fn keeps_out(&self, nats: &Nats, host: HostId, packet: &Packet) -> bool {
        if self.address(host) != Some(packet.to) {
            return false;
        }
        let (from, to, carried) = self.look_into(packet);
        let knock = match carried {
            Packed::Hot(words) => P::unpack(words).knock(),
            Packed::Cold(message) => message.knock(),
        };
        nats.keeps_out(self.kernel.now(), host, knock, to.port, from)
    }

    /// The same where there are translators: a message whose port is another one outside waits in
    /// the slab with it.
    #[cold]
    pub(super) fn translate_and_transmit(
        &mut self,
        origin: HostId,
        from: Address,
        to: Endpoint,
        message: Packed<P>,
    ) {
        let message = match message {
            Packed::Hot(words) => P::unpack(words),
            Packed::Cold(message) => message,
        };
        let (now, knock) = (self.kernel.now(), message.knock());
        // Parties that have the same port are told apart by it, which is the one inside.
        let inside = self.port_inside(self.holders.holder(to.address), knock, to.port);
        let local = message.sent_from(inside);
        let nats = self.nats.as_mut().expect("it was asked for");
        let source = nats.outbound(now, origin, knock, local, to);
        let as_told = source == message.sent_from(to.port);
        match message.pack() {
            Packed::Hot(words) if as_told && inside == to.port => {
                let Account { class, bytes } = P::hot_account(words);
                self.transmit_hot(origin, from, to, Booked::new(class.into(), bytes), words);
            }
            Packed::Hot(words) => {
                self.transmit_cold(origin, from, to, P::unpack(words), Some(source));
            }
            Packed::Cold(message) => {
                let source = (!as_told).then_some(source);
                self.transmit_cold(origin, from, to, message, source);
            }
        }
    }

    /// The port at a host that a datagram to this port gets to.
    pub(super) fn port_inside(&self, host: Option<HostId>, knock: Knock, port: Port) -> Port {
        match (&self.nats, host) {
            (Some(nats), Some(host)) => nats.inside(host, knock, port),
            _ => port,
        }
    }
}
