//! User agents against each other, against scripted servers and through a proxy, on a real network
//! with 50 ms of delay.

mod answers;
mod calls;
mod harness;
mod leases;
mod losses;
mod presence;
mod routes;
