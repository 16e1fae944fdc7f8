//! Sound scenarios: what their plans hold, and that the effective scenario says the same.
