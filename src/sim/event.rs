//! What waits in the queue.

use std::cmp::Ordering;

use crate::time::SimTime;

/// A host, by the rank of its name among all hosts of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

impl HostId {
    /// The position in tables of hosts.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One event: `Copy`, and at most 48 bytes for the simulator's own input (a test of `world` asserts
/// it), since memory traffic decides the speed of a large run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Event<I> {
    /// When it happens.
    pub at: SimTime,
    /// Who caused it: the rank of a host's name, after the salt of
    /// [`Kernel::shuffle_ties`](crate::sim::Kernel::shuffle_ties).
    pub origin: u32,
    /// How many events that origin had caused before.
    pub counter: u32,
    /// To whom it happens.
    pub host: HostId,
    /// What happens.
    pub input: I,
}

/// What can happen to a host.
#[derive(Clone, Copy, Debug)]
pub enum Input<M, T> {
    /// A message arrives.
    Message(M),
    /// The timer of this name goes off, if neither the host has restarted nor the timer was set
    /// again since: if the host still waits for an event with this counter.
    Timer(T),
    /// The scenario's script acts; the number is the script's own.
    Command(u32),
}

/// What an event carries in the queue: plain words. An enum would be copied in pieces and read back
/// in others, which a processor waits for.
pub type Words = [u32; 7];

/// A message as the kernel keeps it.
pub trait Parcel: Copy {
    /// The message as words, of which the first is at least [`Parcel::LEAST`].
    fn into_words(self) -> Words;
    /// The message that these words were.
    fn from_words(words: Words) -> Self;

    /// The least first word of a message.
    const LEAST: u32 = 1 << 16;
}

impl<I> Event<I> {
    /// The total order: by content, unique because an origin never uses a counter twice.
    #[must_use]
    #[inline]
    pub fn key(&self) -> u128 {
        (u128::from(self.at.as_nanos()) << 64)
            | (u128::from(self.origin) << 32)
            | u128::from(self.counter)
    }
}

impl<I> PartialEq for Event<I> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<I> Eq for Event<I> {}

impl<I> PartialOrd for Event<I> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<I> Ord for Event<I> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}
