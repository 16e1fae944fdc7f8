//! A handful of hosts of one kind on a real [`Network`], for tests and examples: two of them make
//! the classic pair of a client and a server.

use crate::address::{Address, Endpoint};
use crate::net::latency::Latency;
use crate::net::{Arrival, DepartedHosts, Link, Network, Observer, Payload, Settings};
use crate::rng::NameHash;
use crate::sim::{HostId, Timer};
use crate::time::{SimDuration, SimTime};

/// A host that consists of one component.
pub trait Device {
    /// What it sends and receives.
    type Message: Payload;
    /// Its timers.
    type Timer: Timer;
    /// What it observes.
    type Observation;

    /// It was switched on.
    fn start(&mut self, ctx: &mut LabLink<'_, Self>);
    /// A message arrives.
    fn receive(&mut self, ctx: &mut LabLink<'_, Self>, from: Endpoint, message: Self::Message);
    /// A timer goes off.
    fn timer(&mut self, ctx: &mut LabLink<'_, Self>, timer: Self::Timer);
}

/// What a device of the laboratory acts through.
pub type LabLink<'a, D> =
    Link<'a, <D as Device>::Message, <D as Device>::Timer, Notebook<<D as Device>::Observation>>;

/// What was observed, with the time and the host.
#[derive(Debug)]
pub struct Notebook<O>(pub Vec<(SimTime, HostId, O)>);

impl<O> Observer for Notebook<O> {
    type Observation = O;
    fn observe(&mut self, now: SimTime, host: HostId, observation: O) {
        self.0.push((now, host, observation));
    }
}

/// The laboratory: device `i` has the host id `i` and the address [`Lab::address_of`].
pub struct Lab<D: Device> {
    /// The network between the devices.
    pub network: Network<D::Message, D::Timer>,
    /// The devices, by host id.
    pub devices: Vec<D>,
    /// What they observed.
    pub notebook: Notebook<D::Observation>,
}

impl<D: Device> Lab<D> {
    /// Switches the devices on, on a network with this constant delay and loss.
    #[must_use]
    pub fn new(devices: Vec<D>, delay: SimDuration, loss: f64, seed: u64) -> Self {
        let settings = Settings {
            seed,
            latency: Latency::Constant(delay),
            jitter: 0.0,
            loss,
            departed_hosts: DepartedHosts::Silent,
            epoch: SimDuration::from_secs(60),
            tick: SimDuration::from_millis(1),
        };
        let names: Vec<NameHash> =
            (0..devices.len()).map(|index| NameHash::of(&format!("device-{index}"))).collect();
        let mut lab = Self {
            network: Network::new(settings, &names),
            devices,
            notebook: Notebook(Vec::new()),
        };
        for index in 0..lab.devices.len() {
            lab.network.bring_up(Self::host(index), Self::address_of(index));
        }
        for index in 0..lab.devices.len() {
            let mut link = lab.network.link(Self::host(index), &mut lab.notebook);
            lab.devices[index].start(&mut link);
        }
        lab
    }

    fn host(index: usize) -> HostId {
        HostId(u32::try_from(index).expect("a laboratory is small"))
    }

    /// The address of the device at this index: 10.0.0.1 for the first.
    #[must_use]
    pub fn address_of(index: usize) -> Address {
        Address::from_bits(0x0a00_0001 + Self::host(index).0)
    }

    /// Lets a device act on its own account, outside of any input.
    pub fn act<R>(
        &mut self,
        index: usize,
        action: impl FnOnce(&mut D, &mut LabLink<'_, D>) -> R,
    ) -> R {
        let mut link = self.network.link(Self::host(index), &mut self.notebook);
        action(&mut self.devices[index], &mut link)
    }

    /// Runs to this instant.
    pub fn run_until(&mut self, limit: SimTime) {
        while self.step(limit) {}
    }

    /// Handles one event no later than `limit`; false when there is none.
    pub fn step(&mut self, limit: SimTime) -> bool {
        let Some((host, arrival)) = self.network.next(limit) else { return false };
        let mut link = self.network.link(host, &mut self.notebook);
        let device = &mut self.devices[host.index()];
        match arrival {
            Arrival::Message(delivery) => {
                let from = delivery.from;
                device.receive(&mut link, from, delivery.unpack());
            }
            Arrival::Timer(timer) => device.timer(&mut link, timer),
            Arrival::Command(_) => {}
        }
        true
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.network.now()
    }
}
