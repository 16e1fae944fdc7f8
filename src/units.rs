//! Quantities with units: how they are written in scenarios.
