//! Checks of the delay between hosts.

use super::super::document::Path;
use super::super::file::{Latency, LatencyModel};
use super::super::plan::{Enclosure, GraphFormat, GraphPlan, LatencyPlan, Placement, TopologyPlan};
use super::super::problem::{Fault, NetworkFault, either};
use super::Check;
use super::systems::millis_or;

/// The keys that each model takes.
const KEYS: [(LatencyModel, &str, &[&str]); 5] = [
    (LatencyModel::Constant, "constant", &["value"]),
    (LatencyModel::Uniform, "uniform", &["min", "max"]),
    (LatencyModel::Lognormal, "lognormal", &["median", "sigma"]),
    (
        LatencyModel::Topology,
        "topology",
        &["routers", "links", "min_link", "max_link", "access", "file", "weight"],
    ),
    (
        LatencyModel::Coordinates,
        "coordinates",
        &["dimensions", "side", "min_height", "max_height", "file"],
    ),
];

impl Check<'_> {
    pub(super) fn latency(&mut self, latency: &Latency) -> LatencyPlan {
        let table = Path::of("network.latency");
        let own = KEYS.iter().find(|(model, ..)| *model == latency.model);
        let (name, taken) = own.map_or(("", &[][..]), |(_, name, keys)| (*name, *keys));
        let mut others: Vec<&str> = Vec::new();
        for key in KEYS.iter().flat_map(|(_, _, keys)| keys.iter().copied()) {
            if taken.contains(&key) || others.contains(&key) {
                continue;
            }
            others.push(key);
            let having = KEYS.iter().filter(|(_, _, keys)| keys.contains(&key));
            let having: Vec<String> = having.map(|(_, name, _)| format!("\"{name}\"")).collect();
            let with = format!("model \"{name}\"; it has one with {}", either(&having));
            self.meaningless(&table, &[key], &with);
        }
        match latency.model {
            LatencyModel::Constant => LatencyPlan::Constant { value: millis_or(latency.value, 40) },
            LatencyModel::Uniform => {
                let (min, max) = (millis_or(latency.min, 20), millis_or(latency.max, 60));
                self.ordered(&table, ("min", min), ("max", max));
                LatencyPlan::Uniform { min, max }
            }
            LatencyModel::Lognormal => LatencyPlan::LogNormal {
                median: millis_or(latency.median, 40),
                sigma: latency.sigma.unwrap_or(0.5),
            },
            LatencyModel::Topology => match &latency.file {
                Some(file) => LatencyPlan::Graph(self.graph(latency, file, &table)),
                None => {
                    let why = "a random graph; it belongs to `file`";
                    self.meaningless(&table, &["weight"], why);
                    LatencyPlan::Topology(self.topology(latency, &table))
                }
            },
            LatencyModel::Coordinates => self.coordinates(latency, &table),
        }
    }

    fn topology(&mut self, latency: &Latency, table: &Path) -> TopologyPlan {
        let routers = latency.routers.unwrap_or(100);
        // A router has no more neighbours than there are others.
        let links = latency.links.unwrap_or(2.min(routers - 1));
        if latency.links.is_some() && links >= routers {
            self.fault(
                &table.then("links"),
                Fault::Relation {
                    found: links.to_string(),
                    relation: "be below",
                    other: "routers",
                    limit: routers.to_string(),
                },
            );
        }
        let (min_link, max_link) =
            (millis_or(latency.min_link, 2), millis_or(latency.max_link, 20));
        self.ordered(table, ("min_link", min_link), ("max_link", max_link));
        TopologyPlan { routers, links, min_link, max_link, access: millis_or(latency.access, 5) }
    }

    /// A graph from a file, whose extension tells how it is written.
    fn graph(&mut self, latency: &Latency, written: &str, table: &Path) -> GraphPlan {
        let beside = "`file`: the graph is not random";
        self.meaningless(table, &["routers", "links", "min_link", "max_link"], beside);
        let path = table.then("file");
        let extension = written.rsplit_once('.').map(|(_, extension)| extension);
        let weight = latency.weight.clone().unwrap_or_else(|| "latency".to_owned());
        let format = match extension {
            Some("edges") => {
                self.meaningless(table, &["weight"], "a list of edges, which has no names for it");
                GraphFormat::Edges
            }
            Some("graphml") => GraphFormat::GraphMl { weight },
            _ => {
                let fault = NetworkFault::GraphFormat { path: written.to_owned() };
                self.fault(&path, fault.into());
                GraphFormat::Edges
            }
        };
        let file = Enclosure::named(self.file_path(&path, written));
        GraphPlan { file, format, access: millis_or(latency.access, 5) }
    }

    fn coordinates(&mut self, latency: &Latency, table: &Path) -> LatencyPlan {
        if let Some(written) = &latency.file {
            let beside = "`file`: places are not random";
            let keys = ["dimensions", "side", "min_height", "max_height"];
            self.meaningless(table, &keys, beside);
            let path = self.file_path(&table.then("file"), written);
            return LatencyPlan::Listed(Enclosure::named(path));
        }
        let (min_height, max_height) =
            (millis_or(latency.min_height, 2), millis_or(latency.max_height, 20));
        self.ordered(table, ("min_height", min_height), ("max_height", max_height));
        LatencyPlan::Placed(Placement {
            dimensions: u8::try_from(latency.dimensions.unwrap_or(2)).unwrap_or(u8::MAX),
            side: millis_or(latency.side, 60),
            min_height,
            max_height,
        })
    }
}
