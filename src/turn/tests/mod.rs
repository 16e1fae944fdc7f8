mod codec;
mod lifetimes;
mod pair;
mod refusals;
