use super::*;
use crate::net::topology::Topology;
use crate::rng::NameHash;

const MS: SimDuration = SimDuration::from_millis(1);

/// Four routers in a ring of 10, 20, 30 and 40 ms, and a slower way beside the first link.
const RING: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="node" attr.name="latency" attr.type="string"/>
  <key id="d1" for="edge" attr.name="latency" attr.type="double"><default>20</default></key>
  <key id="d2" for="edge" attr.name="label" attr.type="string"/>
  <graph edgedefault="undirected">
    <node id="a"><data key="d0">not a delay</data></node>
    <node id="b"/>
    <node id="c"/>
    <node id="&quot;d&quot;"/>
    <edge source="a" target="b"><data key="d2">10</data><data key="d1">10.0</data></edge>
    <edge source="b" target="c"/>
    <edge source="c" target="&quot;d&quot;"><data key="d1"> 30 ms </data></edge>
    <edge source="&quot;d&quot;" target="a"><data key="d1">0.04s</data></edge>
    <edge source="b" target="a"><data key="d1">15</data></edge>
  </graph>
</graphml>
"#;

fn latency() -> GraphFormat {
    GraphFormat::GraphMl { weight: "latency".to_owned() }
}

#[test]
fn both_formats_give_the_same_graph() {
    let graph = Graph::parse(RING.as_bytes(), &latency()).unwrap();
    assert_eq!(graph.routers, ["a", "b", "c", "\"d\""]);
    let links =
        [(0, 1, MS * 10), (1, 2, MS * 20), (2, 3, MS * 30), (3, 0, MS * 40), (1, 0, MS * 15)];
    assert_eq!(graph.links, links);
    let list = "# a ring\na b 10\nb,c,20ms\nc\t\"d\" 30 # slow\n\n\"d\" a 40\nb a 0.015s\n";
    assert_eq!(Graph::parse(list.as_bytes(), &GraphFormat::Edges).unwrap(), graph);
}

/// From `a`: b 10, c 30 by b, d 40 straight; from b: d 50 either way; from c: d 30.
#[test]
fn datagrams_take_the_fastest_way() {
    let graph = Graph::parse(RING.as_bytes(), &latency()).unwrap();
    let topology = Topology::of_graph(3, &graph, MS * 5);
    let expected = [[0, 10, 30, 40], [10, 0, 20, 50], [30, 20, 0, 30], [40, 50, 30, 0]];
    for (a, row) in expected.iter().enumerate() {
        for (b, &millis) in row.iter().enumerate() {
            assert_eq!(topology.path(a, b), MS * millis, "{a} {b}");
        }
    }
    let mut hosts = [0; 4];
    for n in 0..4_000 {
        let host = NameHash::of(&format!("node-{n:05}"));
        let (router, access) = topology.attach(host);
        hosts[router] += 1;
        assert_eq!(access, MS * 5);
        let other = NameHash::of("alice");
        let way = topology.path(router, topology.attach(other).0);
        assert_eq!(topology.base(host, other), way + MS * 10);
    }
    // 1,000 each, standard deviation 27.
    assert!(hosts.iter().all(|count| (880..1_120).contains(count)), "{hosts:?}");
}

fn told(text: &str, format: &GraphFormat) -> String {
    Graph::parse(text.as_bytes(), format).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_with_graphml_is_told_with_its_place() {
    let key = "<graphml>\n<key id=\"k\" for=\"edge\" attr.name=\"latency\"/>\n<graph>\n";
    let nodes = "<node id=\"a\"/><node id=\"b\"/>\n";
    for (text, expected) in [
        ("", "line 1, column 1: the file has no <graphml>"),
        ("<svg/>", "line 1, column 1: expected <graphml>, found <svg>"),
        ("<graphml></graphml>", "line 1, column 1: the file has no nodes"),
        ("<graphml><node/></graphml>", "line 1, column 10: <node> has no attribute `id`"),
        (
            "<graphml>\n <node id=\"a\"/>\n <node id=\"a\"/></graphml>",
            "line 3, column 2: `a` is there already",
        ),
        (
            "<graphml>\n<hyperedge/></graphml>",
            "line 2, column 1: a <hyperedge> is no link between two routers",
        ),
        (
            &RING.replace("attr.name=\"latency\" attr.type=\"double\"", "attr.name=\"delay\""),
            "line 1, column 1: no <key> for edges has attr.name=\"latency\"; there are: delay, label",
        ),
        (
            &format!("{key}{nodes}<edge source=\"a\" target=\"b\"/></graph></graphml>"),
            "line 5, column 1: the edge from `a` to `b` has no `latency`, and there is no default",
        ),
        (
            &format!("{key}{nodes}<edge source=\"a\" target=\"c\"/></graph></graphml>"),
            "line 5, column 1: there is no node `c`",
        ),
        (
            &RING.replace("10.0", "soon"),
            "line 11, column 76: expected a delay, in milliseconds or with a unit, such as `12.5` \
             or `12.5ms`, found `soon`",
        ),
        (
            &format!("{key}{nodes}</graph></graphml>"),
            "line 1, column 1: no way leads from `a` to `b`",
        ),
    ] {
        assert_eq!(told(text, &latency()), expected, "{text}");
    }
    let torn = told("<graphml>\n<graph>\n</graphml>", &latency());
    assert!(torn.starts_with("line 3, column 1: this is not well-formed XML: "), "{torn}");
}

#[test]
fn what_is_wrong_with_a_list_of_edges_is_told_with_its_place() {
    let many: String = (0..2_048).map(|n| format!("r{n} r{} 1\n", n + 1)).collect();
    for (text, expected) in [
        ("# none\n", "line 1, column 1: the file has no nodes"),
        ("a b 1\na b\n", "line 2, column 1: expected two nodes and a delay, found 2 of them"),
        (
            "a b -1",
            "line 1, column 5: expected a delay, in milliseconds or with a unit, such as `12.5` or \
             `12.5ms`, found `-1`",
        ),
        ("a b 1\nc d 1", "line 1, column 1: no way leads from `a` to `c`"),
        (&many, "line 1, column 1: there are 2049 nodes; 2048 are the most"),
    ] {
        assert_eq!(told(text, &GraphFormat::Edges), expected, "{text}");
    }
    let bytes = Graph::parse(b"a b 1\na \xff 2\n", &GraphFormat::Edges).unwrap_err();
    assert_eq!((bytes.line, bytes.column), (2, 3));
}
