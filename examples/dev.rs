use overcord::experiment::simulator::Simulator;
use overcord::scenario::Scenario;
use std::path::Path;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let bytes = std::fs::read(&a[1]).unwrap();
    let sc = Scenario::parse(&a[1], &bytes, Path::new(&a[1]).parent().unwrap(), &a[2..])
        .unwrap_or_else(|r| {
            println!("{r}");
            std::process::exit(2)
        });
    let trace = sc.trace().map(|t| {
        overcord::churn::trace::parse(
            &std::fs::read(&t.path).unwrap(),
            overcord::churn::trace::TraceFormat::Avt,
        )
        .unwrap()
    });
    let sc = match &trace {
        Some(t) => sc.with_trace_span(t.span).unwrap_or_else(|r| {
            println!("{r}");
            std::process::exit(2)
        }),
        None => sc,
    };
    let sim = Simulator::new(sc.plan.clone(), trace, true);
    let t = std::time::Instant::now();
    let n = sc.plan.replications;
    for i in 0..n.min(1) {
        let world =
            sim.world(sc.plan.seed + i as u64, std::env::var("LOGHOST").ok().as_deref()).unwrap();
        let names = world.names.clone();
        let out = world.run(&mut |l| println!("{l}"), &mut |_| true).unwrap();
        for v in &out.violations {
            println!("VIOLATION {v}");
        }
        println!("events {} {:?}", out.events, t.elapsed());
        let o = overcord::metrics::collect::collect(0, 1, &names, &out);
        for (k, v) in o.headline.iter() {
            if let Some(v) = v {
                println!("{k} = {v}");
            }
        }
        if std::env::var("TL").is_ok() {
            let mut last = 0;
            for r in o.timeline.iter() {
                if r.overlays != last || !r.binding_valid {
                    println!(
                        "t={} members={} believers={} valid={} stale={} overlays={}",
                        r.time,
                        r.members,
                        r.believers,
                        r.binding_valid,
                        r.stale_resolvers,
                        r.overlays
                    );
                    last = r.overlays;
                }
            }
            println!(
                "split_overlay {:?} departures {:?}",
                out.report.totals.split_overlay,
                out.report
                    .departures
                    .iter()
                    .filter(|d| d.kind.is_full())
                    .take(40)
                    .map(|d| (d.at.to_string(), d.kind, d.claimants))
                    .collect::<Vec<_>>()
            );
        }
        for r in o.handovers.iter().take(10) {
            println!("{r:?}");
        }
    }
}
