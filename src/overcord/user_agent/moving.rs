//! A user agent whose host has another address.
//!
//! What it sends from now on names the new one, and its location is stored anew when its node is a
//! member again. Left out: it tells nobody in a dialog; what others send there goes to the former
//! address and is lost. Its addresses on a relay are found to be gone by the next renewal, since the
//! relay knows its clients by where they are.

use super::UserAgent;
use crate::address::{Address, Port};
use crate::sip::HostPart;

/// How many former addresses it remembers: those that may still be in the record of its location.
const FORMER: usize = 4;

impl UserAgent {
    /// It is at this address from now on.
    pub fn move_to(&mut self, own: Address) {
        let former = std::mem::replace(&mut self.own, own);
        if self.former.len() == FORMER {
            self.former.remove(0);
        }
        self.former.push(former);
        let endpoint = own.at(Port::SIP);
        self.tx.move_to(HostPart::Address(own), endpoint.port);
        self.agent.move_to(endpoint);
        self.say_where();
        self.proxy.move_to(endpoint);
    }
}
