//! Where periodic timers begin: each at a uniform phase of its period, so that nodes that start at
//! the same time do not act at the same time.

use crate::overlay::RingId;
use crate::rng::{Draws, mix2};
use crate::sim::{Context, Timer};
use crate::time::SimDuration;

/// Sets each of these timers at a phase of its period. By position and time: the same whoever else
/// is there, another at each join.
pub(super) fn set_at_phases<C: Context, const N: usize>(
    ctx: &mut C,
    draws: &Draws,
    id: RingId,
    periods: [(C::Timer, SimDuration); N],
) where
    C::Timer: Copy,
{
    for (timer, period) in periods {
        let counter = mix2(ctx.now().as_nanos(), u64::from(timer.slot()));
        ctx.set_after(timer, period.mul_f64(draws.unit(id.0, counter)));
    }
}
