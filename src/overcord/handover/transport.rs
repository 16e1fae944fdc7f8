//! Tests of the proxy peer, and the connections of the node: probes of its own, probes of others,
//! and the update client's.

use crate::address::{Address, Endpoint, Port};
use crate::http;
use crate::net::icmp::{Code, Echo, Icmp, Quoted, Unreachable};
use crate::net::tcp::{ECHO, Ending, Kind, Segment, Upcall};
use crate::overcord::Observation;
use crate::overcord::discovery::{Discovery, Test};
use crate::overcord::handover::Handover;
use crate::overcord::message::NodeTimer;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::policy::{HostFirewall, ProbeKind, Probing};

/// What happens to a node's connections besides segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportEvent {
    /// A timer of the update client.
    ClientTimer(crate::dyndns::ClientTimer),
    /// A timer of a connection.
    TcpTimer(crate::net::tcp::TcpTimer),
    /// Nobody is there.
    Unreachable(Endpoint),
}

impl Handover {
    /// Starts a test; its result if that is known at once.
    pub(super) fn start_test<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        test: Test,
        address: Address,
    ) -> Option<bool> {
        let Probing { kind, port, mut timeout, .. } = self.settings.probing;
        if test == Test::Reachable {
            timeout = timeout.min(self.strategy.patience());
        }
        let to = match (test, kind) {
            (Test::Reachable, ProbeKind::Icmp) => {
                self.echoes = self.echoes.wrapping_add(1);
                let echo = Echo { identifier: 0, sequence: self.echoes };
                ctx.send(address.at(Port(0)), Icmp::EchoRequest(echo).into());
                ctx.set_after(NodeTimer::Ping.into(), timeout);
                return None;
            }
            (Test::Reachable, ProbeKind::Options) => {
                // Where there is no SIP at all there is nobody to ask: as good as no answer.
                let Some(user) = self.user_agent.as_deref_mut() else { return Some(false) };
                user.probe(ctx, address, timeout, &mut self.dice);
                return None;
            }
            (Test::Reachable, ProbeKind::Tcp7) => address.at(ECHO),
            (Test::Reachable, ProbeKind::Tcp) | (Test::Listening, _) => address.at(port),
        };
        self.connection = self.tcp.connect(&mut ctx.lift::<_, _, Observation>(), to, timeout);
        // Without a free connection the node can't tell: as good as no answer.
        if self.connection.is_none() { Some(false) } else { None }
    }

    pub(super) fn test_ended<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        passed: bool,
    ) {
        self.connection = None;
        if let Discovery::Testing(test, address) = self.discovery
            && let Some(step) = self.discovery.tested(test, address, passed)
        {
            self.perform(ctx, plugin, step);
        }
    }

    /// An echo was answered by this address (`passed`), or could not be delivered to it.
    pub fn echoed<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        (address, echo): (Address, Echo),
        passed: bool,
    ) {
        let awaited = self.discovery == Discovery::Testing(Test::Reachable, address);
        if awaited && echo.sequence == self.echoes {
            self.ping_ended(ctx, plugin, passed);
        }
    }

    /// The test by echo ended.
    pub fn ping_ended<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        passed: bool,
    ) {
        let pinging = matches!(self.discovery, Discovery::Testing(Test::Reachable, _))
            && self.settings.probing.kind == ProbeKind::Icmp;
        if pinging {
            ctx.cancel(NodeTimer::Ping.into());
            self.test_ended(ctx, plugin, passed);
        }
    }

    /// The test by a SIP request ended.
    pub fn options_ended<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        passed: bool,
    ) {
        if matches!(self.discovery, Discovery::Testing(Test::Reachable, _)) {
            self.test_ended(ctx, plugin, passed);
        }
    }

    /// Somebody sent an echo request.
    pub fn echo_asked<C: NodeContext>(&self, ctx: &mut C, from: Endpoint, echo: Echo) {
        let answer = match self.firewall {
            HostFirewall::Answers => echo.reply(),
            HostFirewall::Rejects => {
                let (code, quoted) = (Code::Prohibited, Quoted::Echo(echo));
                Icmp::Unreachable(Unreachable { code, destination: self.own, quoted })
            }
            HostFirewall::Drops => return,
        };
        ctx.send(from, answer.into());
    }

    /// Whether the host's firewall keeps a segment from its connections. One that rejects sends a
    /// reset, as a closed port does by itself.
    fn keeps_out(&self, segment: &Segment<http::Message>) -> bool {
        let Segment::Control(control) = segment else { return false };
        self.firewall == HostFirewall::Drops
            && control.kind == Kind::Syn
            && control.header.flow.port != self.settings.probing.port
    }

    /// A TCP segment arrived.
    pub fn segment<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        from: Endpoint,
        segment: Segment<http::Message>,
    ) {
        if segment.header().flow.port == Port::HTTP {
            return self
                .with_http_client(ctx, plugin, |client, ctx| client.receive(ctx, from, segment));
        }
        if self.keeps_out(&segment) {
            return;
        }
        for upcall in self.tcp.receive(&mut ctx.lift::<_, _, Observation>(), from, segment) {
            self.tcp_upcall(ctx, plugin, upcall);
        }
    }

    /// A timer of the update client or of a connection went off, or the network reported that an
    /// endpoint cannot be reached.
    pub fn transport<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        event: TransportEvent,
    ) {
        match event {
            TransportEvent::ClientTimer(timer) => {
                self.with_http_client(ctx, plugin, |client, ctx| client.timer(ctx, timer));
            }
            TransportEvent::TcpTimer(timer) => {
                for upcall in self.tcp.timer(&mut ctx.lift::<_, _, Observation>(), timer) {
                    self.tcp_upcall(ctx, plugin, upcall);
                }
            }
            TransportEvent::Unreachable(to) => {
                for upcall in self.tcp.unreachable(&mut ctx.lift::<_, _, Observation>(), to) {
                    self.tcp_upcall(ctx, plugin, upcall);
                }
                self.with_http_client(ctx, plugin, |client, ctx| client.unreachable(ctx, to));
            }
        }
    }

    fn tcp_upcall<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        upcall: Upcall<http::Message>,
    ) {
        let (id, passed) = match upcall {
            Upcall::Connected(id) => {
                self.tcp.close(&mut ctx.lift::<_, _, Observation>(), id);
                (id, true)
            }
            // A reset shows that the host is alive, and that nothing listens.
            Upcall::Refused(id) => {
                (id, matches!(self.discovery, Discovery::Testing(Test::Reachable, _)))
            }
            Upcall::TimedOut(id) | Upcall::Unreachable(id) => (id, false),
            // A probe of another node: accepting it was the answer.
            Upcall::Closed(id, Ending::Fin) => {
                return self.tcp.close(&mut ctx.lift::<_, _, Observation>(), id);
            }
            Upcall::Accepted(..) | Upcall::Received(..) | Upcall::Closed(..) => return,
        };
        if self.connection == Some(id) {
            self.test_ended(ctx, plugin, passed);
        }
    }
}
