//! What a node knows of its links: round-trip times, and who has kept it waiting.
//!
//! Time-outs are TCP's (RFC 6298): the smoothed round-trip time and four times its mean deviation.
//! A sample counts only if its request was sent once (Karn's algorithm). One that was waited for in
//! vain is doubled, and stays so for all that is sent over this link until there is a sample (5.5 to
//! 5.7): so a link that is slower than its time-out comes to be known. Only a look-up that can go
//! around the node does not wait the longer for that.

use std::collections::BTreeMap;

use super::Config;
use crate::overlay::NodeRef;
use crate::time::SimDuration;

/// One link.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// Mean and mean deviation of the round-trip time, in nanoseconds; `None` before the first
    /// sample.
    times: Option<(u64, u64)>,
    /// The time-out since one was over, in force until the next sample.
    backed_off: Option<SimDuration>,
    /// Whether it did not answer when it was asked last.
    suspect: bool,
}

/// The links of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(BTreeMap<NodeRef, Link>);

impl Links {
    /// A node answered after this time.
    pub(super) fn sample(&mut self, node: NodeRef, time: SimDuration) {
        let link = self.0.entry(node).or_default();
        let sample = time.as_nanos();
        link.backed_off = None;
        link.times = Some(match link.times {
            None => (sample, sample / 2),
            Some((mean, deviation)) => {
                let deviation = deviation - deviation / 4 + mean.abs_diff(sample) / 4;
                (mean - mean / 8 + sample / 8, deviation)
            }
        });
    }

    /// For how long to wait for an answer of this node.
    pub(super) fn timeout(&self, node: NodeRef, config: &Config) -> SimDuration {
        let backed_off = self.0.get(&node).and_then(|link| link.backed_off);
        backed_off.unwrap_or_else(|| self.usual_timeout(node, config))
    }

    /// The same for one that can go around it: silence has not made it longer.
    pub(super) fn usual_timeout(&self, node: NodeRef, config: &Config) -> SimDuration {
        let times = self.0.get(&node).and_then(|link| link.times);
        times.map_or(config.initial_timeout, |(mean, deviation)| {
            let wait = SimDuration::from_nanos(mean.saturating_add(4 * deviation));
            wait.max(config.min_timeout).min(config.max_timeout)
        })
    }

    /// It did not answer within this time. For how long to wait from now on.
    pub(super) fn back_off(
        &mut self,
        node: NodeRef,
        waited: SimDuration,
        config: &Config,
    ) -> SimDuration {
        let link = self.0.entry(node).or_default();
        // Requests that wait at the same time tell of the same silence.
        let timeout = doubled(waited, config).max(link.backed_off.unwrap_or(SimDuration::ZERO));
        link.backed_off = Some(timeout);
        timeout
    }

    /// How far away it is; `None` when it was never heard from.
    pub(super) fn round_trip(&self, node: NodeRef) -> Option<u64> {
        self.0.get(&node)?.times.map(|(mean, _)| mean)
    }

    /// It did not answer.
    pub(super) fn suspect(&mut self, node: NodeRef) {
        self.0.entry(node).or_default().suspect = true;
    }

    /// It is there.
    pub(super) fn clear(&mut self, node: NodeRef) {
        if let Some(link) = self.0.get_mut(&node) {
            link.suspect = false;
        }
    }

    pub(super) fn is_suspect(&self, node: NodeRef) -> bool {
        self.0.get(&node).is_some_and(|link| link.suspect)
    }

    /// Forgets a node.
    pub(super) fn forget(&mut self, node: NodeRef) {
        self.0.remove(&node);
    }

    /// Keeps only these.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(NodeRef) -> bool) {
        self.0.retain(|&node, _| keep(node));
    }
}

/// Twice the time, or the longest.
pub(super) fn doubled(timeout: SimDuration, config: &Config) -> SimDuration {
    timeout.saturating_add(timeout).min(config.max_timeout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, Purpose};

    /// By hand from RFC 6298: R = 100 ms gives 100 + 4 * 50 = 300 ms; then R = 180 ms: deviation
    /// 3/4 * 50 + 1/4 * 80 = 57.5, mean 7/8 * 100 + 1/8 * 180 = 110: 340 ms.
    #[test]
    fn time_outs_follow_mean_and_deviation() {
        let config = Config::new(Draws::new(1, Purpose::Protocol));
        let ms = SimDuration::from_millis;
        let node = NodeRef::new(3);
        let mut links = Links::default();
        assert_eq!(links.timeout(node, &config), ms(1_500));
        links.sample(node, ms(100));
        assert_eq!(links.timeout(node, &config), ms(300));
        links.sample(node, ms(180));
        assert_eq!(links.timeout(node, &config), ms(340));
        assert_eq!(links.round_trip(node), Some(110_000_000));
        // Steady: the deviation fades, the shortest time-out remains.
        (0..40).for_each(|_| links.sample(node, ms(110)));
        assert_eq!(links.timeout(node, &config), ms(200));
        // Far away: the longest, which is not that of an unknown link.
        links.sample(node, ms(60_000));
        assert_eq!(links.timeout(node, &config), ms(60_000));
        let far = NodeRef::new(4);
        links.sample(far, ms(1_600));
        assert_eq!(links.timeout(far, &config), ms(4_800));
    }

    /// Doubled each time, up to the longest; requests that wait together count once; a sample ends it.
    #[test]
    fn silence_doubles_the_time_out_until_there_is_a_sample() {
        let config = Config::new(Draws::new(1, Purpose::Protocol));
        let ms = SimDuration::from_millis;
        let node = NodeRef::new(3);
        let mut links = Links::default();
        assert_eq!(links.back_off(node, ms(1_500), &config), ms(3_000));
        assert_eq!(links.back_off(node, ms(1_500), &config), ms(3_000));
        assert_eq!(links.timeout(node, &config), ms(3_000));
        assert_eq!(links.back_off(node, ms(3_000), &config), ms(6_000));
        links.clear(node);
        assert_eq!(links.timeout(node, &config), ms(6_000), "an answer without a sample");
        assert_eq!(links.usual_timeout(node, &config), ms(1_500));
        assert_eq!(links.back_off(node, ms(40_000), &config), ms(60_000));
        links.sample(node, ms(1_600));
        assert_eq!(links.timeout(node, &config), ms(4_800));
    }

    #[test]
    fn suspicion_comes_and_goes_and_leaves_the_times() {
        let node = NodeRef::new(3);
        let mut links = Links::default();
        links.clear(node);
        assert!(!links.is_suspect(node));
        links.sample(node, SimDuration::from_millis(10));
        links.suspect(node);
        assert!(links.is_suspect(node));
        links.clear(node);
        assert!(!links.is_suspect(node));
        assert!(links.round_trip(node).is_some());
        links.retain(|_| false);
        assert!(links.round_trip(node).is_none());
    }
}
