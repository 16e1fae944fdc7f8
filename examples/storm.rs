use overcord::experiment::simulator::Simulator;
use overcord::scenario::Scenario;
use std::path::Path;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let bytes = std::fs::read(&a[1]).unwrap();
    let metrics: Vec<&str> = a[2].split(',').collect();
    let sc = Scenario::parse(&a[1], &bytes, Path::new(&a[1]).parent().unwrap(), &a[3..])
        .unwrap_or_else(|r| {
            println!("{r}");
            std::process::exit(2)
        });
    let sim = Simulator::new(sc.plan.clone(), None, true);
    let t = std::time::Instant::now();
    let mut sums = vec![(0f64, 0f64, 0u32); metrics.len()];
    for i in 0..sc.plan.replications {
        let o = sim.run(i, sc.plan.seed + i as u64, None, &mut |_| {}).unwrap();
        for (m, s) in metrics.iter().zip(&mut sums) {
            if let Some(v) = o.headline.value(m) {
                s.0 += v;
                s.1 += v * v;
                s.2 += 1;
            }
        }
    }
    for (m, s) in metrics.iter().zip(&sums) {
        let n = s.2 as f64;
        let mean = s.0 / n;
        let sd = ((s.1 / n - mean * mean) * n / (n - 1.0)).sqrt();
        println!("{m}: mean {mean:.4} sd {sd:.3} se {:.4} n {}", sd / n.sqrt(), s.2);
    }
    println!("{:?}", t.elapsed());
}
