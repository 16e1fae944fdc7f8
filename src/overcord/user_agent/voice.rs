//! What is said in a node's calls.

use std::collections::BTreeMap;

use super::{At, UserAgent, relay};
use crate::address::Endpoint;
use crate::overcord::message::{Message, Observation, Timer};
use crate::overcord::node::NodeContext;
use crate::rtp::{self, Call, End, Packet, Streams};
use crate::sip::RequestKey;
use crate::sip::agent::Upcall;

/// The streams of a node's calls.
#[derive(Debug)]
pub(super) struct Voice {
    streams: Streams,
    /// How many calls have this as their other end, through the relay.
    relayed: BTreeMap<Endpoint, u32>,
}

impl Voice {
    pub(super) const fn new(settings: rtp::Settings) -> Self {
        Self { streams: Streams::new(settings), relayed: BTreeMap::new() }
    }
}

impl UserAgent {
    /// Its agent tells something that may concern media.
    pub(super) fn attend<C: NodeContext>(&mut self, at: &mut At<'_, C>, upcall: &Upcall) {
        let now = at.ctx.now();
        match *upcall {
            Upcall::CallEstablished { key, caller, media: Some(to), .. } => {
                if self.voice.is_none() {
                    return;
                }
                let through = self.open_channel(at, to);
                let Some(voice) = &mut self.voice else { return };
                let end = if caller { End::Caller } else { End::Callee };
                voice.streams.begin(now, Call(key.0), end, to);
                if through {
                    *voice.relayed.entry(to).or_default() += 1;
                }
                at.ctx.observe(Observation::Media(rtp::Observation::Began(end)));
            }
            Upcall::CallEnded { key, .. } => {
                let ended = self.voice.as_mut().and_then(|voice| voice.streams.end(Call(key.0)));
                if let Some(to) = ended.filter(|&to| self.is_last_there(to)) {
                    self.close_channel(to);
                }
            }
            _ => return,
        }
        self.arm_voice(at);
    }

    /// A call with this end through the relay is over: whether there is no other.
    fn is_last_there(&mut self, to: Endpoint) -> bool {
        let Some(voice) = &mut self.voice else { return false };
        let Some(calls) = voice.relayed.get_mut(&to) else { return false };
        *calls -= 1;
        if *calls == 0 {
            voice.relayed.remove(&to);
        }
        !voice.relayed.contains_key(&to)
    }

    fn arm_voice<C: NodeContext>(&self, at: &mut At<'_, C>) {
        match self.voice.as_ref().and_then(|voice| voice.streams.next()) {
            Some(next) => at.ctx.set(Timer::Media, next),
            None => at.ctx.cancel(Timer::Media),
        }
    }

    /// A packet has arrived.
    pub fn hear<C: NodeContext>(&mut self, at: &mut At<'_, C>, packet: &Packet) {
        let now = at.ctx.now();
        if self.voice.as_mut().is_some_and(|voice| voice.streams.hear(now, packet)) {
            at.ctx.observe(Observation::Media(rtp::Observation::Heard));
        }
    }

    /// It is time to say something, or to give a call up in which nothing is heard.
    pub fn speak<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        let now = at.ctx.now();
        let Some(voice) = &mut self.voice else { return };
        let rtp::Due { packets, silent } = voice.streams.due(now);
        for (to, packet) in packets {
            at.ctx.observe(Observation::Media(rtp::Observation::Sent));
            if self.voice.as_ref().is_some_and(|voice| voice.relayed.contains_key(&to)) {
                self.send_relayed(at, to, packet);
            } else {
                at.ctx.send(to, Message::Rtp(packet));
            }
        }
        for Call(key) in silent {
            at.ctx.observe(Observation::Media(rtp::Observation::Silent));
            let ctx = &mut relay::wire(at.ctx, &mut self.side);
            let upcalls = self.agent.hang_up(ctx, &mut self.tx, RequestKey(key));
            self.agent_upcalls(at, upcalls);
        }
        self.arm_voice(at);
    }
}
