//! TURN and RTP, in words.

use crate::address::Endpoint;
use crate::rtp::Packet;
use crate::sip;
use crate::turn::message::{Body, Data, Indication, Request, Success};

/// A packet of media.
pub(super) fn rtp(packet: &Packet) -> String {
    format!("RTP {} of {:08x}", packet.sequence, packet.source)
}

/// What is relayed, in its own words.
fn relayed(data: &Data) -> String {
    if let Some(packet) = data.first().filter(|it| **it >= 128).and_then(|_| Packet::decode(data)) {
        return rtp(&packet);
    }
    match sip::decode(data) {
        Ok(message) => super::sip(&message),
        Err(_) => format!("{} octets", data.len()),
    }
}

fn end(endpoint: &Endpoint) -> String {
    format!("{}:{}", endpoint.address, endpoint.port)
}

/// A message between a relay and a client.
pub(super) fn turn(body: &Body) -> String {
    match body {
        Body::Request { request, auth, .. } => {
            let who = if auth.is_some() { "" } else { ", unsigned" };
            let what = match request {
                Request::Binding => "Binding".to_owned(),
                Request::Allocate { .. } => "Allocate".to_owned(),
                Request::Refresh { lifetime } => format!("Refresh for {lifetime} s"),
                Request::CreatePermission { peer } => format!("CreatePermission {peer}"),
                Request::ChannelBind { channel, peer } => {
                    format!("ChannelBind {:#06x} {}", channel.0, end(peer))
                }
            };
            format!("TURN {what}{who}")
        }
        Body::Success { success, .. } => match success {
            Success::Binding { mapped } => format!("TURN Binding: {}", end(mapped)),
            Success::Allocate { relayed, lifetime, .. } => {
                format!("TURN Allocate: {} for {lifetime} s", end(relayed))
            }
            Success::Refresh { lifetime } => format!("TURN Refresh: {lifetime} s"),
            Success::CreatePermission => "TURN CreatePermission: done".to_owned(),
            Success::ChannelBind => "TURN ChannelBind: done".to_owned(),
        },
        Body::Failure { method, failure, .. } => {
            format!("TURN {method:?}: {} {}", failure.code.0, failure.code.reason())
        }
        Body::Indication { indication, .. } => match indication {
            Indication::Binding => "TURN keep-alive".to_owned(),
            Indication::Send { peer, data } => {
                format!("TURN Send to {}: {}", end(peer), self::relayed(data))
            }
            Indication::Data { peer, data } => {
                format!("TURN Data from {}: {}", end(peer), self::relayed(data))
            }
        },
        Body::ChannelData { channel, data } => {
            format!("TURN {:#06x}: {}", channel.0, relayed(data))
        }
    }
}
