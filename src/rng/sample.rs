//! Distributions by inverse transform, on `libm` only.
