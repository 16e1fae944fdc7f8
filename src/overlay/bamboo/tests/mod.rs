//! Bamboo among its like.
