//! The processes of a SIP server that receive requests (`children` in SER).
//!
//! Each handles one datagram after the other, takes no time for it, but is busy while it waits for
//! DNS. What arrives while all are busy stands in the receive buffer of their common socket, in
//! order, until one is free; what does not fit there is dropped by the system without a word. So a
//! silent resolver stops the whole server, answers to its own requests included.

use std::collections::VecDeque;

/// `net.core.rmem_default` of Linux: the receive buffer of a socket, in bytes as the system counts
/// them.
pub const RECEIVE_BUFFER: u32 = 212_992;
/// What a datagram takes in a receive buffer beside its own octets: `SKB_TRUESIZE(0)` of Linux on
/// 64 bits, 256 + 320. The default buffer is sized by it: 256 datagrams of 256 octets.
pub const DATAGRAM_OVERHEAD: u32 = 576;

/// One of the processes, numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u16);

/// The processes and the socket before them; `J` is what arrives.
#[derive(Clone, Debug)]
pub struct Workers<J> {
    /// Those without work that have worked before; the next is taken from the end.
    idle: Vec<WorkerId>,
    /// The first that has never worked: where there are many, most never do.
    fresh: u16,
    count: u16,
    /// With the room that each takes.
    waiting: VecDeque<(J, u64)>,
    buffered: u64,
    dropped: u64,
}

/// What becomes of a datagram that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission<J> {
    /// This worker, busy from now on, has it.
    Taken(WorkerId, J),
    /// All are busy: it waits in the socket.
    Waiting,
    /// The socket is full: it is lost.
    Dropped(J),
}

impl<J> Workers<J> {
    /// So many workers, all idle; at least one.
    #[must_use]
    pub fn new(count: u16) -> Self {
        assert!(count > 0, "a server without workers does nothing");
        let (idle, waiting) = (Vec::new(), VecDeque::new());
        Self { idle, fresh: 0, count, waiting, buffered: 0, dropped: 0 }
    }

    /// A datagram with so many octets of payload arrives.
    pub fn arrive(&mut self, job: J, octets: u32) -> Admission<J> {
        if let Some(worker) = self.idle.pop().or_else(|| self.begin()) {
            return Admission::Taken(worker, job);
        }
        // The system looks at what is there before the datagram is added to it.
        if self.buffered > u64::from(RECEIVE_BUFFER) {
            self.dropped += 1;
            return Admission::Dropped(job);
        }
        let size = u64::from(octets) + u64::from(DATAGRAM_OVERHEAD);
        self.buffered += size;
        self.waiting.push_back((job, size));
        Admission::Waiting
    }

    /// One that has never worked.
    fn begin(&mut self) -> Option<WorkerId> {
        let worker = WorkerId(self.fresh);
        (self.fresh < self.count).then(|| {
            self.fresh += 1;
            worker
        })
    }

    /// This worker is done with what it had. What has waited longest is its next work, if there is
    /// any: then it stays busy, and is to be told again when it is done with that.
    pub fn done(&mut self, worker: WorkerId) -> Option<J> {
        assert!(worker.0 < self.fresh && !self.idle.contains(&worker), "{worker:?} has no work");
        let Some((job, size)) = self.waiting.pop_front() else {
            self.idle.push(worker);
            return None;
        };
        self.buffered -= size;
        Some(job)
    }

    /// How many are busy.
    #[must_use]
    pub fn busy(&self) -> usize {
        usize::from(self.fresh) - self.idle.len()
    }

    /// How many datagrams wait in the socket.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many datagrams were dropped so far because the socket was full.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_all_busy_waits_in_the_order_of_arrival() {
        let mut workers = Workers::new(2);
        let [first, second] = [WorkerId(0), WorkerId(1)];
        assert_eq!(workers.arrive('a', 300), Admission::Taken(first, 'a'));
        assert_eq!(workers.arrive('b', 300), Admission::Taken(second, 'b'));
        for job in ['c', 'd', 'e'] {
            assert_eq!(workers.arrive(job, 300), Admission::Waiting);
        }
        assert_eq!((workers.busy(), workers.waiting()), (2, 3));
        // Whoever is done first takes what came first, and stays busy.
        assert_eq!(workers.done(second), Some('c'));
        assert_eq!(workers.done(second), Some('d'));
        assert_eq!(workers.done(first), Some('e'));
        assert_eq!(workers.done(first), None);
        assert_eq!((workers.busy(), workers.waiting()), (1, 0));
        assert_eq!(workers.arrive('f', 300), Admission::Taken(first, 'f'));
        assert_eq!(workers.done(second), None);
        assert_eq!(workers.arrive('g', 300), Admission::Taken(second, 'g'));
    }

    #[test]
    fn the_socket_takes_what_the_system_s_default_buffer_takes() {
        // (octets of payload, how many fit): a datagram is taken as long as those before it do not
        // exceed 212,992. 256 + 576 = 832 and 256 · 832 = 212,992 exactly, so one more is taken;
        // 500 + 576 = 1,076 goes 197.9 times into it: after 198 it is exceeded; 0: 369.8 times.
        for (octets, fit) in [(256, 257), (500, 198), (0, 370), (u32::MAX, 1)] {
            let mut workers = Workers::new(1);
            assert_eq!(workers.arrive(0, octets), Admission::Taken(WorkerId(0), 0));
            for job in 1..=fit {
                assert_eq!(workers.arrive(job, octets), Admission::Waiting, "{octets}: {job}");
            }
            assert_eq!(workers.arrive(-1, octets), Admission::Dropped(-1));
            assert_eq!(workers.dropped(), 1);
            // One that is taken out makes room for one.
            assert_eq!(workers.done(WorkerId(0)), Some(1));
            assert_eq!(workers.arrive(-2, 0), Admission::Waiting);
        }
    }

    #[test]
    #[should_panic(expected = "has no work")]
    fn a_worker_is_done_once() {
        Workers::<char>::new(1).done(WorkerId(0));
    }
}
