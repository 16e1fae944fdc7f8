//! Partitions: who can reach whom.
//!
//! A [`Partition`] cuts a set of hosts off from all others, until it is healed. Several can be in
//! force at a time: two hosts reach each other when no partition that is in force has one of them
//! on its far side and the other on its near side. So hosts fall into *sides*, and those of one side
//! reach each other.
//!
//! Left out: ways that work in one direction only, and routers that tell of a cut; a datagram that
//! would have to cross is lost in silence.

use crate::sim::HostId;

/// A partition, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(u8);

impl Partition {
    /// How many there can be.
    pub const MOST: usize = u32::BITS as usize;

    /// The partition with this number.
    ///
    /// # Panics
    /// When it is not below [`Self::MOST`].
    #[must_use]
    pub fn new(number: usize) -> Self {
        assert!(number < Self::MOST, "a side is a word of {} bits", Self::MOST);
        Self(number as u8)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0 as usize
    }

    const fn bit(self) -> u32 {
        1 << self.0
    }
}

/// On which side of the partitions that are in force each host is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// A bit for each partition in force that has the host on its far side; hosts behind the end
    /// are on the near side of all.
    far: Vec<u32>,
    in_force: u32,
}

impl Sides {
    /// Whether any partition is in force.
    #[must_use]
    pub const fn is_parted(&self) -> bool {
        self.in_force != 0
    }

    /// Whether this partition is in force.
    #[must_use]
    pub const fn is_in_force(&self, partition: Partition) -> bool {
        self.in_force & partition.bit() != 0
    }

    /// Cuts these hosts off from all others. If the partition is in force already, these take the
    /// place of those that it cut off.
    pub fn cut(&mut self, partition: Partition, hosts: &[HostId]) {
        self.heal(partition);
        self.in_force |= partition.bit();
        for host in hosts {
            if host.index() >= self.far.len() {
                self.far.resize(host.index() + 1, 0);
            }
            self.far[host.index()] |= partition.bit();
        }
    }

    /// The partition is over.
    pub fn heal(&mut self, partition: Partition) {
        self.in_force &= !partition.bit();
        for side in &mut self.far {
            *side &= !partition.bit();
        }
    }

    /// The side that a host is on: equal for two hosts that reach each other.
    #[must_use]
    #[inline]
    pub fn side(&self, host: HostId) -> u32 {
        self.far.get(host.index()).copied().unwrap_or(0)
    }

    /// Whether two hosts cannot reach each other.
    #[must_use]
    #[inline]
    pub fn part(&self, a: HostId, b: HostId) -> bool {
        self.is_parted() && self.side(a) != self.side(b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: [HostId; 5] = [HostId(0), HostId(1), HostId(2), HostId(3), HostId(4)];

    /// Who reaches whom, as a letter for each host: equal letters reach each other.
    fn show(sides: &Sides) -> String {
        let first = |host| HOSTS.iter().position(|&other| !sides.part(host, other));
        let letter = |host| char::from(b'a' + first(host).expect("it reaches itself") as u8);
        HOSTS.map(letter).iter().collect()
    }

    #[test]
    fn hosts_reach_each_other_when_no_partition_is_between_them() {
        let [one, other] = [0, 31].map(Partition::new);
        let mut sides = Sides::default();
        assert_eq!(show(&sides), "aaaaa");
        sides.cut(one, &[HOSTS[1], HOSTS[2]]);
        assert_eq!(show(&sides), "abbaa");
        sides.cut(other, &[HOSTS[2], HOSTS[3]]);
        // Four sides: neither, the one, both, the other.
        assert_eq!(show(&sides), "abcda");
        assert!(sides.is_in_force(one) && sides.is_in_force(other));
        sides.cut(one, &[HOSTS[4]]);
        assert_eq!(show(&sides), "aacce");
        sides.heal(other);
        assert_eq!(show(&sides), "aaaae");
        sides.heal(one);
        assert_eq!(show(&sides), "aaaaa");
        assert!(!sides.is_parted());
    }

    #[test]
    fn a_host_that_was_never_named_is_on_the_near_side() {
        let mut sides = Sides::default();
        sides.cut(Partition::new(3), &[HostId(1)]);
        assert!(sides.part(HostId(1), HostId(1_000)) && !sides.part(HostId(0), HostId(1_000)));
    }
}
