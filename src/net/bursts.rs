//! Losses in bursts: the model of Gilbert (1960) and Elliott (1963), in continuous time.
//!
//! The way from one host to another is good or bad; in each state datagrams are lost independently,
//! with a probability of its own. Times in both states are exponential, so that the state at one
//! datagram says how likely each state is at the next one, however long after: nothing happens in
//! between. Each direction of each pair has its own state, which begins in equilibrium; the traffic
//! of others changes nobody's luck.

use rustc_hash::FxHashMap;

use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};

/// The bursts of all ways.
#[derive(Debug)]
pub struct Bursts {
    loss_when_bad: f64,
    /// The share of time in which a way is bad.
    share: f64,
    /// How fast a state is forgotten, a second.
    rate: f64,
    /// When a way was last looked at, and whether it was bad. Never iterated.
    ways: FxHashMap<(HostId, HostId), (SimTime, bool)>,
}

impl Bursts {
    /// Bursts of this mean length, with this mean time from the end of one to the beginning of the
    /// next; neither is zero. In them, this share of datagrams is lost.
    #[must_use]
    pub fn new(length: SimDuration, gap: SimDuration, loss: f64) -> Self {
        let (length, gap) = (length.as_secs_f64(), gap.as_secs_f64());
        let share = length / (length + gap);
        Self {
            loss_when_bad: loss,
            share,
            rate: 1.0 / length + 1.0 / gap,
            ways: FxHashMap::default(),
        }
    }

    /// The probability that a datagram is lost now that is lost with probability `loss` outside of
    /// bursts; `luck`, uniform in [0, 1), decides about the state.
    pub fn loss(&mut self, now: SimTime, way: (HostId, HostId), luck: f64, loss: f64) -> f64 {
        let likely = match self.ways.get(&way) {
            None => self.share,
            Some(&(then, was_bad)) => {
                let kept = libm::exp(-self.rate * now.since(then).as_secs_f64());
                self.share + (f64::from(u8::from(was_bad)) - self.share) * kept
            }
        };
        let is_bad = luck < likely;
        self.ways.insert(way, (now, is_bad));
        if is_bad { self.loss_when_bad } else { loss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{mix, unit_from_bits};

    const WAY: (HostId, HostId) = (HostId(1), HostId(2));

    /// States of one way, looked at every so many milliseconds.
    fn states(step: u64, count: u64) -> Vec<bool> {
        let mut bursts = Bursts::new(SimDuration::from_secs(2), SimDuration::from_secs(8), 1.0);
        let look = |n| {
            let now = SimTime::ZERO + SimDuration::from_millis(step * n);
            bursts.loss(now, WAY, unit_from_bits(mix(n)), 0.0) > 0.5
        };
        (0..count).map(look).collect()
    }

    /// Bad 2 s of 10; what is left of the state after t is exp(-t (1/2 + 1/8)).
    #[test]
    fn a_way_is_bad_for_its_share_and_as_long_as_it_should() {
        for step in [100, 1_000, 60_000] {
            let states = states(step, 400_000);
            let count = |wanted: &dyn Fn(&[bool]) -> bool| {
                states.windows(2).filter(|pair| wanted(pair)).count() as f64
            };
            let bad = count(&|pair| pair[0]);
            let share = bad / 399_999.0;
            // Correlated over 1.6 s: at a step of 0.1 s, 32 looks count as one; standard error
            // 0.4 / sqrt(400,000 / 32) = 0.0036.
            assert!((share - 0.2).abs() < 0.011, "{step}: {share}");
            let kept = libm::exp(-(step as f64) / 1_600.0);
            let stays = count(&|pair| pair[0] && pair[1]) / bad;
            // 80,000 looks: standard error at most 0.0018.
            assert!((stays - (0.2 + 0.8 * kept)).abs() < 0.006, "{step}: {stays}");
        }
    }

    #[test]
    fn outside_of_bursts_the_usual_share_is_lost_and_ways_are_their_own() {
        let mut bursts = Bursts::new(SimDuration::from_secs(1), SimDuration::from_secs(9), 0.7);
        assert_eq!(bursts.loss(SimTime::ZERO, WAY, 0.099, 0.01), 0.7);
        let back = (WAY.1, WAY.0);
        assert_eq!(bursts.loss(SimTime::ZERO, back, 0.101, 0.01), 0.01);
        // At the same instant both are as they were, whatever the luck.
        assert_eq!(bursts.loss(SimTime::ZERO, WAY, 0.999, 0.01), 0.7);
        assert_eq!(bursts.loss(SimTime::ZERO, back, 0.0, 0.01), 0.01);
    }
}
