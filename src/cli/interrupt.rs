//! Ctrl-C: asks what is going on to stop; the second time, ends the process.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::outcome::{Failure, Outcome};

/// Whether the user has asked to stop.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for Ctrl-C from now on. Ending the process at once does no harm: a file is there
    /// whole or not at all.
    pub fn listen() -> Result<Self, Failure> {
        let interrupt = Self::default();
        let asked = Arc::clone(&interrupt.0);
        let handler = move || {
            if asked.swap(true, Ordering::Relaxed) {
                process::exit(Outcome::Interrupted.code().into());
            }
        };
        ctrlc::set_handler(handler).map_err(Failure::Signals)?;
        Ok(interrupt)
    }

    /// Whether the user has asked to stop.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
