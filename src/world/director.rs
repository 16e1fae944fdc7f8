//! The Director: what is going to happen that no component decides. It holds the script and the
//! plans of the bounds; [`life`](super::life) and [`bounds`](super::bounds) carry them out.
//!
//! Everything it does is an event of the kernel: a [`Command`] to a host. Times that are drawn
//! (`spread`) and choices among members come from the churn stream of the entity `!director`.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::address::Address;
use crate::net::Partition;
use crate::rng::sample::uniform_u64;
use crate::rng::{NameHash, Purpose, stream};
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::partition::Partitions;
use crate::world::population::MemberId;

/// The name of the Director's host and of its stream: no host's name begins with that sign.
pub const NAME: &str = "!director";

/// Who takes over when the proxy peer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// There is no proxy role.
    None,
    /// Nobody: one member plays the role whenever it is up.
    Static,
    /// Whoever finds out by tests.
    Tests,
    /// A member chosen at the instant of departure, published without delay.
    Oracle,
    /// A member chosen this long ahead of the departure: one TTL.
    Clairvoyant(SimDuration),
}

/// A line of the script.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When.
    pub when: When,
    /// The moment is drawn uniformly from [when, when + spread).
    pub spread: SimDuration,
    /// What.
    pub action: Action,
}

/// When a line is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once.
    At(SimTime),
    /// At this time and every multiple of it.
    Every(SimDuration),
}

/// What a line does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Members, or a SIP server, go.
    Depart {
        /// Which.
        target: Target,
        /// They return after this; `None`: they stay away until told otherwise.
        back_after: Option<SimDuration>,
        /// Whether they announce it.
        graceful: bool,
    },
    /// Departed ones may come back.
    Return {
        /// Which.
        target: Target,
    },
    /// The update service stops answering.
    ServiceDown {
        /// It answers again after this; `None`: until told otherwise.
        back_after: Option<SimDuration>,
    },
    /// The update service answers again.
    ServiceUp,
    /// The update service lifts a block for abuse.
    ServiceReset,
    /// Hosts cannot reach the others any more.
    Part {
        /// Which partition it is: each line has its own.
        partition: Partition,
        /// The hosts on its far side.
        hosts: Arc<[HostId]>,
        /// Whether whoever is in the binding then is there too.
        proxy: bool,
        /// It is over after this; `None`: when the script says so.
        lasting: Option<SimDuration>,
    },
    /// All partitions are over.
    Heal,
    /// Members that are up get other addresses.
    Readdress {
        /// Which.
        target: Target,
    },
    /// A user does something.
    User {
        /// The host of the user's agent.
        host: HostId,
        /// What.
        action: crate::sip::agent::Action,
    },
}

/// Whom a line is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// Whoever is in the binding.
    Binding,
    /// This one.
    Member(MemberId),
    /// A share in (0, 1] of those members that it can apply to, drawn at the moment.
    Share(f64),
    /// The conventional SIP server on this host, which embeds no peer.
    Server(HostId),
}

/// What the Director tells a host to do. The kernel carries its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The current interval of a scheduled member ends.
    Toggle(MemberId),
    /// A member starts for the first time.
    Start(MemberId),
    /// The script lets a member go.
    Release(MemberId),
    /// A member learns that its session will end at this time.
    Foretell(MemberId, SimTime),
    /// The script sends a member away that was told before, for so long.
    SendAway(MemberId, Option<SimDuration>),
    /// This line of the script is played.
    Play(usize),
    /// The update service answers again.
    ServiceUp,
    /// The SIP server on the host that is told so is switched on, unless it was told to stay off for
    /// longer.
    ServerUp,
    /// A successor of this member, who will leave at that time, is chosen.
    Succeed(MemberId, SimTime),
    /// A partition is over, unless it was told to last longer.
    Heal(Partition),
    /// This phone is switched on.
    StartPhone(u32),
    /// This generated user acts.
    Act(u32),
    /// A member gets another address, if it is up.
    ChangeAddress(MemberId),
    /// A member's address is over, by chance, and will be again.
    AddressExpires(MemberId),
    /// The node of a member notices that this is its address now.
    NoticeAddress(MemberId, Address),
}

/// The Director's plans.
#[derive(Debug)]
pub struct Director {
    /// Its own host, on no network.
    pub host: HostId,
    /// Who takes over.
    pub strategy: Strategy,
    /// The script.
    pub script: Vec<Line>,
    /// When each line is played next; `SimTime::MAX` when never again.
    pub next_play: Vec<SimTime>,
    /// Whom a line about the binding concerns, when a successor was chosen ahead.
    pub fixed: Vec<Option<MemberId>>,
    /// How members begin.
    pub opening: Opening,
    /// Which partitions are in force.
    pub partitions: Partitions,
    /// The member of the static binding.
    pub permanent: Option<MemberId>,
    /// Numbered commands, oldest first.
    commands: Vec<Command>,
    /// The member on each host.
    by_host: Vec<Option<MemberId>>,
    rng: ChaCha8Rng,
    presence: PresenceIntegral,
}

/// How the run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Whether the members that are up at the start stand in a converged overlay.
    pub converged: bool,
    /// How long before its end a graceful leave is known to whoever leaves.
    pub notice: SimDuration,
    /// They begin to test, or to join, uniformly spread over this span.
    pub start_spread: SimDuration,
    /// The seed of the run.
    pub seed: u64,
}

/// Time that members were up, summed.
#[derive(Clone, Copy, Debug, Default)]
struct PresenceIntegral {
    from: SimTime,
    since: SimTime,
    up: u64,
    nanos: u128,
}

impl PresenceIntegral {
    fn change(&mut self, now: SimTime, by: i64) {
        self.nanos += self.pending(now);
        self.since = now;
        self.up = self.up.saturating_add_signed(by);
    }

    fn pending(&self, now: SimTime) -> u128 {
        let since = self.since.max(self.from);
        u128::from(self.up) * u128::from(now.since(since).as_nanos())
    }
}

impl Director {
    /// A Director with these plans. `by_host` says which member lives on which host.
    #[must_use]
    pub fn new(
        host: HostId,
        strategy: Strategy,
        script: Vec<Line>,
        opening: Opening,
        by_host: Vec<Option<MemberId>>,
        warmup: SimTime,
    ) -> Self {
        let lines = script.len();
        Self {
            host,
            strategy,
            script,
            next_play: vec![SimTime::MAX; lines],
            fixed: vec![None; lines],
            opening,
            partitions: Partitions::default(),
            permanent: None,
            commands: Vec::new(),
            by_host,
            rng: stream(opening.seed, Purpose::Churn, NameHash::of(NAME)),
            presence: PresenceIntegral { from: warmup, ..PresenceIntegral::default() },
        }
    }

    /// The member that lives on a host.
    #[must_use]
    pub fn member_on(&self, host: HostId) -> Option<MemberId> {
        self.by_host[host.index()]
    }

    /// Numbers a command. Toggles, of which there are many, are numbered by their member.
    pub fn number(&mut self, command: Command) -> u32 {
        if let Command::Toggle(member) = command {
            return 2 * member.0;
        }
        self.commands.push(command);
        2 * (self.commands.len() as u32 - 1) + 1
    }

    /// The command with this number.
    #[must_use]
    pub fn command(&self, number: u32) -> Command {
        if number.is_multiple_of(2) {
            return Command::Toggle(MemberId(number / 2));
        }
        self.commands[(number / 2) as usize]
    }

    /// A member came up or went down.
    pub fn count_presence(&mut self, now: SimTime, up: bool) {
        self.presence.change(now, if up { 1 } else { -1 });
    }

    /// Time that members were up, summed, in nanoseconds, after the warm-up.
    #[must_use]
    pub fn member_nanos(&self, now: SimTime) -> u128 {
        self.presence.nanos + self.presence.pending(now)
    }

    /// A uniform choice.
    pub fn choose<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let last = from.len().checked_sub(1)?;
        Some(from[uniform_u64(&mut self.rng, 0, last as u64) as usize])
    }

    /// So many of them, drawn without replacement, in their order.
    pub fn sample<T: Copy + Ord>(&mut self, from: &[T], share: f64) -> Vec<T> {
        let wanted = ((from.len() as f64 * share).round() as usize).min(from.len());
        let mut pool = from.to_vec();
        for place in 0..wanted {
            let other = uniform_u64(&mut self.rng, place as u64, pool.len() as u64 - 1) as usize;
            pool.swap(place, other);
        }
        pool.truncate(wanted);
        pool.sort_unstable();
        pool
    }

    /// A moment drawn from [from, from + spread).
    pub fn moment(&mut self, from: SimTime, spread: SimDuration) -> SimTime {
        if spread.is_zero() {
            return from;
        }
        let offset = uniform_u64(&mut self.rng, 0, spread.as_nanos() - 1);
        from.saturating_add(SimDuration::from_nanos(offset))
    }

    /// When the script lets this member go next, or gives it another address, by a line about it or
    /// about the binding, with the line; who is drawn from a share is not known before. A line about
    /// the binding whose moment has been foreseen concerns only the member that was in the binding
    /// then.
    #[must_use]
    pub fn scripted_leave(&self, member: MemberId, from: SimTime) -> Option<(SimTime, usize)> {
        let concerns = |line: usize| match self.script[line].action {
            Action::Depart { target: Target::Binding, .. }
            | Action::Readdress { target: Target::Binding } => {
                self.fixed[line].is_none_or(|fixed| fixed == member)
            }
            Action::Depart { target: Target::Member(other), .. }
            | Action::Readdress { target: Target::Member(other) } => other == member,
            _ => false,
        };
        let ends = |line: usize| match self.script[line].action {
            // Whoever announces it goes later.
            Action::Depart { graceful: true, .. } => {
                self.next_play[line].saturating_add(self.opening.notice)
            }
            _ => self.next_play[line],
        };
        (0..self.script.len())
            .filter(|&line| self.next_play[line] > from && concerns(line))
            .map(|line| (ends(line), line))
            .min()
    }
}
