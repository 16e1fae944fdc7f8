//! The order in which services are tried (RFC 2782).

use std::collections::VecDeque;

use crate::rng::Dice;
use crate::sip::locate::Service;

/// What decides among services of equal priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Chance, by their weights, anew for each location.
    Weighted,
    /// The heaviest first, always; of equal weights the one that was received first. So SER does
    /// with `dns_srv_lb` off.
    HeaviestFirst,
}

/// The services in the order in which they are to be tried.
///
/// Weighted, each place goes to the first service whose running sum of weights reaches a number
/// drawn from 0 to the sum of all that are left, both included; those without weight stand in
/// front. So a service without weight has a small chance.
#[must_use]
pub fn ordered(mut services: Vec<Service>, order: Order, dice: &mut Dice) -> VecDeque<Service> {
    if order == Order::HeaviestFirst {
        services.sort_by_key(|service| (service.priority, std::cmp::Reverse(service.weight)));
        return services.into();
    }
    services.sort_by_key(|service| (service.priority, service.weight != 0));
    let mut ordered = VecDeque::with_capacity(services.len());
    while let Some(first) = services.first() {
        let priority = first.priority;
        let equals = services.iter().take_while(|service| service.priority == priority).count();
        // Alone, a service needs no chance.
        let index = if equals == 1 { 0 } else { draw(&services[..equals], dice) };
        ordered.push_back(services.remove(index));
    }
    ordered
}

fn draw(services: &[Service], dice: &mut Dice) -> usize {
    let weight = |service: &Service| u64::from(service.weight);
    let sum: u64 = services.iter().map(weight).sum();
    // A uniform integer of 0 to sum: the upper half of a product of 128 bits.
    let drawn = ((u128::from(dice.bits()) * u128::from(sum + 1)) >> 64) as u64;
    let mut running = 0;
    let reaches = |service: &Service| {
        running += weight(service);
        running >= drawn
    };
    services.iter().position(reaches).expect("the last sum is the sum of all")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Port;
    use crate::rng::{Draws, NameHash, Purpose};

    fn dice() -> Dice {
        Dice::new(Draws::new(11, Purpose::Protocol), NameHash::of("locator"))
    }

    fn service(priority: u16, weight: u16, target: &str) -> Service {
        Service { priority, weight, port: Port::SIP, target: target.into() }
    }

    fn names(services: &VecDeque<Service>) -> String {
        services.iter().map(|service| &*service.target).collect()
    }

    #[test]
    fn priorities_are_never_mixed() {
        let services =
            || vec![service(2, 9, "c"), service(1, 0, "a"), service(3, 0, "e"), service(2, 0, "d")];
        assert_eq!(names(&ordered(services(), Order::HeaviestFirst, &mut dice())), "acde");
        let mut dice = dice();
        for _ in 0..100 {
            let order = names(&ordered(services(), Order::Weighted, &mut dice));
            assert!(["acde", "adce"].contains(&order.as_str()), "{order}");
        }
    }

    #[test]
    fn the_heaviest_comes_first_where_weights_are_not_drawn() {
        let services = vec![service(1, 5, "b"), service(1, 5, "c"), service(1, 7, "a")];
        assert_eq!(names(&ordered(services, Order::HeaviestFirst, &mut dice())), "abc");
    }

    #[test]
    fn a_service_is_first_as_often_as_its_weight_says() {
        const DRAWS: u32 = 40_000;
        // Weights 0, 1, 2: of the numbers 0 to 3, 0 falls to the first, 1 to the second, 2 and 3 to
        // the third. All zero: only 0 is drawn, and the first is taken. Weights 3 and 1: of 0 to 4,
        // 0 to 3 reach the first.
        let cases: [(&[u16], &[f64]); 4] = [
            (&[0, 1, 2], &[0.25, 0.25, 0.5]),
            (&[2, 0, 1], &[0.5, 0.25, 0.25]),
            (&[0, 0], &[1.0, 0.0]),
            (&[3, 1], &[0.8, 0.2]),
        ];
        let mut dice = dice();
        for (weights, shares) in cases {
            let mut counts = vec![0_u32; weights.len()];
            for _ in 0..DRAWS {
                let services = (0..).zip(weights);
                let services = services
                    .map(|(at, &weight)| Service { port: Port(at), ..service(1, weight, "x") });
                let order = ordered(services.collect(), Order::Weighted, &mut dice);
                assert_eq!(order.len(), weights.len());
                counts[usize::from(order[0].port.0)] += 1;
            }
            for (&count, &share) in counts.iter().zip(shares) {
                // Four standard deviations of a binomial share.
                let tolerance = 4.0 * (share * (1.0 - share) / f64::from(DRAWS)).sqrt();
                let seen = f64::from(count) / f64::from(DRAWS);
                assert!((seen - share).abs() <= tolerance, "{weights:?}: {seen} of {share}");
            }
        }
    }

    #[test]
    fn what_is_left_is_drawn_by_its_own_weights() {
        // With weights 4, 2, 1 the chances of the order a, b, c: a of 0..=7 is 0..=4, 5/8; then b
        // of 0..=3 is 0..=2, 3/4: 15/32 in all.
        let mut dice = dice();
        let hits = (0..40_000)
            .filter(|_| {
                let services = vec![service(1, 4, "a"), service(1, 2, "b"), service(1, 1, "c")];
                names(&ordered(services, Order::Weighted, &mut dice)) == "abc"
            })
            .count();
        // 18,750 ± 4 · sqrt(40,000 · 15/32 · 17/32) = ± 400.
        assert!((18_350..=19_150).contains(&hits), "{hits}");
    }
}
