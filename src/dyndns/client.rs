//! One update, as a program makes it that uses an HTTP library.
//!
//! With [`Authentication::Challenge`] (the paper: a Java `Authenticator`) the first request carries
//! no credentials, is answered 401, and is repeated with them on a new connection; with
//! [`Authentication::Preemptive`] (ddclient, inadyn) one request does. The client neither resolves
//! names nor tries again: those are the node's policies.

use super::request::PATH;
use super::{Hostname, ReturnCode, UpdateSegment};
use crate::address::{Address, Endpoint, Port};
use crate::http::{Credentials, Message, Request, Response, Status};
use crate::net::tcp::{ConnectionId, Ending, Tcp, TcpTimer, Upcall, Upcalls};
use crate::sim::{Context, Timer};
use crate::time::SimDuration;

/// One update, the closing of its former connection, and those of an update that was given up.
const CONNECTIONS: u16 = 8;

/// How a client works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// When it shows its credentials.
    pub authentication: Authentication,
    /// Which ones.
    pub credentials: Credentials,
    /// The endpoint's name, for the `Host` field.
    pub host: String,
    /// `User-Agent`, by the provider's rule "Company - Device - Version"; empty: none is sent.
    pub user_agent: String,
    /// How long the whole update may take.
    pub timeout: SimDuration,
}

impl ClientSettings {
    /// The paper's client, with these credentials: it waits for the challenge. Java's own library
    /// has no time-out; ddclient's is 120 s.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            authentication: Authentication::Challenge,
            credentials,
            host: "members.dyndns.org".to_owned(),
            user_agent: "OverCord - DiscoveryLayer - 1.0".to_owned(),
            timeout: SimDuration::from_secs(120),
        }
    }
}

/// When a client shows its credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// When it is asked for them.
    #[default]
    Challenge,
    /// At once.
    Preemptive,
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// The service answered.
    Code(ReturnCode),
    /// The service answered with an HTTP error, or with nothing that the protocol knows.
    HttpError(Status),
    /// It did not answer.
    NetworkError(NetworkError),
}

/// Why the service did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// Nothing listens there.
    Refused,
    /// The network says that the endpoint cannot be reached.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The connection ended before the answer.
    Closed,
    /// Too many former connections are still being closed.
    Exhausted,
}

/// The client's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientTimer {
    /// The update as a whole takes too long.
    Timeout,
    /// Of a connection.
    Tcp(TcpTimer),
}

impl ClientTimer {
    /// How many timer slots a client has.
    pub const SLOTS: u32 = 1 + CONNECTIONS as u32;
}

impl Timer for ClientTimer {
    fn slot(self) -> u32 {
        match self {
            Self::Timeout => 0,
            Self::Tcp(timer) => 1 + timer.slot(),
        }
    }
}

impl From<TcpTimer> for ClientTimer {
    fn from(timer: TcpTimer) -> Self {
        Self::Tcp(timer)
    }
}

/// The client: at most one update at a time.
#[derive(Debug)]
pub struct UpdateClient {
    settings: ClientSettings,
    tcp: Tcp<Message>,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    Updating(Attempt),
}

/// An update under way.
#[derive(Debug)]
struct Attempt {
    endpoint: Endpoint,
    target: String,
    stage: Stage,
    connection: ConnectionId,
}

/// Whether the request that is under way carries credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Anonymous,
    Authorized,
}

impl UpdateClient {
    /// A client that does nothing yet.
    #[must_use]
    pub fn new(settings: ClientSettings) -> Self {
        Self { settings, tcp: Tcp::new(CONNECTIONS), state: State::Idle }
    }

    /// Whether an update is under way.
    #[must_use]
    pub fn is_updating(&self) -> bool {
        matches!(self.state, State::Updating(_))
    }

    /// Whether neither an update is under way nor a connection is being closed: the client may be
    /// dropped without leaving the server in doubt.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.is_updating() && self.tcp.connections() == 0
    }

    /// Begins to give `hostname` the address `address` at the service at `endpoint`; an update that
    /// is still under way is given up. The outcome comes from a later input, or is returned at once
    /// when too many connections are still being closed.
    pub fn update<C>(
        &mut self,
        ctx: &mut C,
        endpoint: Address,
        hostname: &Hostname,
        address: Address,
    ) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        self.cancel(ctx);
        ctx.set_after(ClientTimer::Timeout, self.settings.timeout);
        let stage = match self.settings.authentication {
            Authentication::Challenge => Stage::Anonymous,
            Authentication::Preemptive => Stage::Authorized,
        };
        let target = format!("{PATH}?hostname={hostname}&myip={address}");
        self.ask(ctx, endpoint.at(Port::HTTP), target, stage)
    }

    /// Gives up the update that is under way, if any.
    pub fn cancel<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        if let State::Updating(attempt) = std::mem::replace(&mut self.state, State::Idle) {
            ctx.cancel(ClientTimer::Timeout);
            self.tcp.abort(&mut ctx.lift::<_, TcpTimer, C::Observation>(), attempt.connection);
        }
    }

    /// The host has another address: the update that is under way is given up, and no connection
    /// goes on.
    pub fn forget_connections<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        if self.is_updating() {
            self.state = State::Idle;
            ctx.cancel(ClientTimer::Timeout);
        }
        self.tcp.forget_connections(&mut ctx.lift::<_, TcpTimer, C::Observation>());
    }

    /// A segment arrived.
    pub fn receive<C>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        segment: UpdateSegment,
    ) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        let tcp = &mut ctx.lift::<_, TcpTimer, C::Observation>();
        let upcalls = self.tcp.receive(tcp, from, segment);
        self.take(ctx, upcalls)
    }

    /// A timer went off.
    pub fn timer<C>(&mut self, ctx: &mut C, timer: ClientTimer) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        match timer {
            ClientTimer::Timeout if self.is_updating() => {
                self.cancel(ctx);
                Some(UpdateOutcome::NetworkError(NetworkError::TimedOut))
            }
            ClientTimer::Timeout => None,
            ClientTimer::Tcp(timer) => {
                let tcp = &mut ctx.lift::<_, TcpTimer, C::Observation>();
                let upcalls = self.tcp.timer(tcp, timer);
                self.take(ctx, upcalls)
            }
        }
    }

    /// The network reported that `to` cannot be reached.
    pub fn unreachable<C>(&mut self, ctx: &mut C, to: Endpoint) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        let upcalls = self.tcp.unreachable(&mut ctx.lift::<_, TcpTimer, C::Observation>(), to);
        self.take(ctx, upcalls)
    }

    /// Connects and queues the request behind the handshake.
    fn ask<C>(
        &mut self,
        ctx: &mut C,
        endpoint: Endpoint,
        target: String,
        stage: Stage,
    ) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        let request = self.request(&target, stage);
        let tcp = &mut ctx.lift::<_, TcpTimer, C::Observation>();
        let Some(connection) = self.tcp.connect(tcp, endpoint, self.settings.timeout) else {
            return self.end(ctx, UpdateOutcome::NetworkError(NetworkError::Exhausted));
        };
        self.tcp.send(tcp, connection, Message::Request(request));
        self.state = State::Updating(Attempt { endpoint, target, stage, connection });
        None
    }

    fn request(&self, target: &str, stage: Stage) -> Request {
        let settings = &self.settings;
        let mut request = Request::get(target).with("Host", settings.host.as_str());
        if stage == Stage::Authorized {
            request = request.with("Authorization", settings.credentials.to_header());
        }
        if !settings.user_agent.is_empty() {
            request = request.with("User-Agent", settings.user_agent.as_str());
        }
        request.with("Accept", "*/*")
    }

    fn take<C>(&mut self, ctx: &mut C, upcalls: Upcalls<Message>) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        let mut outcome = None;
        for upcall in upcalls {
            outcome = self.take_one(ctx, upcall).or(outcome);
        }
        outcome
    }

    fn take_one<C>(&mut self, ctx: &mut C, upcall: Upcall<Message>) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        let State::Updating(Attempt { connection: current, .. }) = &self.state else { return None };
        let current = *current;
        let (id, error) = match upcall {
            Upcall::Received(id, Message::Response(response)) if id == current => {
                return self.take_response(ctx, &response);
            }
            Upcall::Refused(id) => (id, NetworkError::Refused),
            Upcall::TimedOut(id) => (id, NetworkError::TimedOut),
            Upcall::Closed(id, Ending::Silence) => (id, NetworkError::TimedOut),
            Upcall::Unreachable(id) => (id, NetworkError::Unreachable),
            Upcall::Closed(id, Ending::Fin | Ending::Reset) => (id, NetworkError::Closed),
            Upcall::Connected(_) | Upcall::Accepted(..) | Upcall::Received(..) => return None,
        };
        if id == current { self.end(ctx, UpdateOutcome::NetworkError(error)) } else { None }
    }

    fn take_response<C>(&mut self, ctx: &mut C, response: &Response) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        let State::Updating(attempt) = std::mem::replace(&mut self.state, State::Idle) else {
            return None;
        };
        self.tcp.close(&mut ctx.lift::<_, TcpTimer, C::Observation>(), attempt.connection);
        let is_challenge = response.status == Status::UNAUTHORIZED
            && response.headers.value("WWW-Authenticate").is_some();
        if is_challenge && attempt.stage == Stage::Anonymous {
            return self.ask(ctx, attempt.endpoint, attempt.target, Stage::Authorized);
        }
        let code = response.body.lines().next().and_then(ReturnCode::parse);
        let outcome = match (response.status, code) {
            // Services say `badauth` with either status.
            (Status::OK | Status::UNAUTHORIZED, Some(code)) => UpdateOutcome::Code(code),
            (status, _) => UpdateOutcome::HttpError(status),
        };
        self.end(ctx, outcome)
    }

    fn end<C>(&mut self, ctx: &mut C, outcome: UpdateOutcome) -> Option<UpdateOutcome>
    where
        C: Context<Message = UpdateSegment, Timer = ClientTimer>,
    {
        self.state = State::Idle;
        ctx.cancel(ClientTimer::Timeout);
        Some(outcome)
    }
}
