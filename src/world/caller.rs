//! A conventional SIP domain that only looks up: one server whose users make it ask for the
//! overlay's domain. It has no cache of its own; it asks its resolver through a stub.

use crate::address::Endpoint;
use crate::dns::stub::{self, Outcome, QuestionId, Stub};
use crate::dns::{self, Binding};
use crate::sim::{self, Context};
use crate::time::SimTime;
use crate::workload::ArrivalTimes;
use crate::world::observation::Answer;
use crate::world::stage::in_short;

/// The server of one domain.
#[derive(Debug)]
pub struct Caller {
    stub: Stub,
    target: Binding,
    users: Vec<ArrivalTimes>,
    /// Look-ups begun so far.
    begun: u64,
    under_way: Vec<(QuestionId, u64)>,
}

/// A caller's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The stub's.
    Stub(stub::Timer),
    /// This user looks up.
    User(u16),
}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        match self {
            Self::Stub(timer) => timer.slot(),
            Self::User(user) => 1 + u32::from(user),
        }
    }
}

impl From<stub::Timer> for Timer {
    fn from(timer: stub::Timer) -> Self {
        Self::Stub(timer)
    }
}

/// What a caller lets the observer know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A look-up begins.
    Started(u64),
    /// It ends.
    Ended(u64, Answer),
}

impl Caller {
    /// A domain whose users look this binding up at these times.
    #[must_use]
    pub fn new(stub: Stub, target: Binding, users: Vec<ArrivalTimes>) -> Self {
        Self { stub, target, users, begun: 0, under_way: Vec::new() }
    }

    /// The server is switched on.
    pub fn start<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = dns::Message, Timer = Timer, Observation = Observation>,
    {
        for (user, arrivals) in (0..).zip(&mut self.users) {
            ctx.set(Timer::User(user), arrivals.first(SimTime::ZERO));
        }
    }

    /// A response arrived.
    pub fn receive<C>(&mut self, ctx: &mut C, from: Endpoint, message: &dns::Message)
    where
        C: Context<Message = dns::Message, Timer = Timer, Observation = Observation>,
    {
        let ended = self.stub.receive(&mut ctx.lift::<_, _, Observation>(), from, message);
        self.end(ctx, ended);
    }

    /// A timer went off.
    pub fn timer<C>(&mut self, ctx: &mut C, timer: Timer)
    where
        C: Context<Message = dns::Message, Timer = Timer, Observation = Observation>,
    {
        match timer {
            Timer::Stub(timer) => {
                let ended = self.stub.timer(&mut ctx.lift::<_, _, Observation>(), timer);
                self.end(ctx, ended);
            }
            Timer::User(user) => {
                let now = ctx.now();
                ctx.set(timer, self.users[usize::from(user)].next(now));
                self.begun += 1;
                ctx.observe(Observation::Started(self.begun));
                let stub = &mut ctx.lift::<_, _, Observation>();
                let dns::Question { name, rtype } = self.target.question().clone();
                let question = self.stub.resolve(stub, name, rtype);
                self.under_way.push((question, self.begun));
            }
        }
    }

    fn end<C>(&mut self, ctx: &mut C, ended: Option<(QuestionId, Outcome)>)
    where
        C: Context<Observation = Observation>,
    {
        let Some((question, outcome)) = ended else { return };
        let place = self.under_way.iter().position(|&(asked, _)| asked == question);
        let (_, request) = self.under_way.swap_remove(place.expect("the caller asked it"));
        let answer = in_short(&self.target, &outcome.answer());
        ctx.observe(Observation::Ended(request, answer));
    }
}
