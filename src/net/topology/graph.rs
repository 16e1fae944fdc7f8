//! A graph of routers as a file describes it: GraphML, or a list of edges.
//!
//! *GraphML* (Brandes et al., <http://graphml.graphdrawing.org>): `<node id>` are routers,
//! `<edge source target>` links, whose latency is the `<data>` of the `<key for="edge">` with the
//! given `attr.name`, or that key's `<default>`. Other data is skipped.
//!
//! *A list of edges*: a line each, two names and a latency, between blanks or commas; `#` begins a
//! comment.
//!
//! A latency is a number of milliseconds, or has a unit. Links lead both ways, whatever the file
//! says of directions; of several between two routers the fastest counts. Nodes of nested graphs
//! count as all others. Left out: ports, hyperedges.

use std::collections::BTreeMap;

use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::visit::Dfs;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::TopologyParameters;
use crate::net::file::{FileError, FileFault, delay, error_at, error_in, lines, text};
use crate::time::SimDuration;

/// Routers and the links between them: connected, and not too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// The names of the routers.
    pub routers: Vec<String>,
    /// Two routers by their places, and a latency.
    pub links: Vec<(usize, usize, SimDuration)>,
}

/// How a graph is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    /// GraphML, with the name of the edges' latency.
    GraphMl {
        /// The `attr.name` of the latency.
        weight: String,
    },
    /// A list of edges.
    Edges,
}

impl Graph {
    /// Reads a whole file.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(bytes: &[u8], format: &GraphFormat) -> Result<Self, FileError> {
        let text = text(bytes)?;
        let draft = match format {
            GraphFormat::GraphMl { weight } => graphml(text, weight)?,
            GraphFormat::Edges => edges(text)?,
        };
        let graph = Self { routers: draft.routers, links: draft.links };
        graph.judge().map_err(|kind| error_at(text, 0, kind))?;
        Ok(graph)
    }

    fn judge(&self) -> Result<(), FileFault> {
        let (found, most) = (self.routers.len(), usize::from(TopologyParameters::MAX_ROUTERS));
        if found == 0 {
            return Err(FileFault::Empty("nodes"));
        }
        if found > most {
            return Err(FileFault::TooMany { found, most });
        }
        let graph = self.linked();
        let mut reached = vec![false; found];
        let mut walk = Dfs::new(&graph, NodeIndex::new(0));
        while let Some(router) = walk.next(&graph) {
            reached[router.index()] = true;
        }
        match reached.iter().position(|reached| !reached) {
            None => Ok(()),
            Some(other) => {
                let [from, to] = [0, other].map(|place| self.routers[place].clone());
                Err(FileFault::Unconnected { from, to })
            }
        }
    }

    /// As a graph to walk on.
    pub(super) fn linked(&self) -> UnGraph<(), SimDuration> {
        let mut graph = UnGraph::new_undirected();
        for _ in &self.routers {
            graph.add_node(());
        }
        for &(a, b, latency) in &self.links {
            graph.add_edge(NodeIndex::new(a), NodeIndex::new(b), latency);
        }
        graph
    }
}

/// A graph while it is read.
#[derive(Debug, Default)]
struct Draft {
    routers: Vec<String>,
    places: BTreeMap<String, usize>,
    links: Vec<(usize, usize, SimDuration)>,
}

impl Draft {
    /// The router of this name; a new one if there is none.
    fn router(&mut self, name: &str) -> usize {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let place = self.routers.len();
        self.routers.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }
}

fn edges(text: &str) -> Result<Draft, FileError> {
    let mut draft = Draft::default();
    for (number, line) in lines(text) {
        let is_gap = |c: char| c.is_ascii_whitespace() || c == ',';
        let words: Vec<&str> = line.split(is_gap).filter(|word| !word.is_empty()).collect();
        let &[from, to, latency] = &words[..] else {
            let expected = "two nodes and a delay".to_owned();
            let kind = FileFault::Row { expected, found: words.len() };
            return Err(FileError { line: number, column: 1, kind });
        };
        let latency = delay(latency).ok_or_else(|| {
            error_in((number, line), latency, FileFault::Delay(latency.to_owned()))
        })?;
        let (from, to) = (draft.router(from), draft.router(to));
        draft.links.push((from, to, latency));
    }
    Ok(draft)
}

/// A key of edges that holds the latency.
#[derive(Debug)]
struct Key {
    id: String,
    default: Option<SimDuration>,
}

/// An edge of a file.
#[derive(Debug)]
struct Edge {
    offset: usize,
    from: String,
    to: String,
    latency: Option<SimDuration>,
}

/// What the text that comes next is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expecting {
    Nothing,
    Default,
    Latency,
}

/// A GraphML file while it is read.
struct GraphMl<'a> {
    text: &'a str,
    weight: &'a str,
    has_begun: bool,
    draft: Draft,
    key: Option<Key>,
    /// Names of the weights of edges.
    known: Vec<String>,
    edges: Vec<Edge>,
    /// Whether the last key, or the last edge, is still open.
    in_key: bool,
    in_edge: bool,
    expecting: Expecting,
    value: String,
}

fn graphml(text: &str, weight: &str) -> Result<Draft, FileError> {
    let mut file = GraphMl {
        text,
        weight,
        has_begun: false,
        draft: Draft::default(),
        key: None,
        known: Vec::new(),
        edges: Vec::new(),
        in_key: false,
        in_edge: false,
        expecting: Expecting::Nothing,
        value: String::new(),
    };
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    loop {
        let offset = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|error| {
            let offset = reader.error_position() as usize;
            error_at(text, offset, FileFault::Xml(error.to_string()))
        })?;
        match event {
            Event::Start(start) => file.start(&start, offset, true)?,
            Event::Empty(start) => file.start(&start, offset, false)?,
            Event::Text(words) if file.expecting != Expecting::Nothing => {
                file.value.push_str(&words.xml10_content());
            }
            Event::End(end) => file.end(end.name().as_ref(), offset)?,
            Event::Eof => break,
            _ => {}
        }
    }
    file.finish()
}

impl GraphMl<'_> {
    fn error(&self, offset: usize, kind: FileFault) -> FileError {
        error_at(self.text, offset, kind)
    }

    fn attribute(
        &self,
        start: &BytesStart<'_>,
        offset: usize,
        name: &str,
    ) -> Result<Option<String>, FileError> {
        let wrong = |message: String| self.error(offset, FileFault::Xml(message));
        let found = start.try_get_attribute(name).map_err(|error| wrong(error.to_string()))?;
        let Some(found) = found else { return Ok(None) };
        let value = found.normalized_value(XmlVersion::Implicit1_0);
        value.map(|value| Some(value.into_owned())).map_err(|error| wrong(error.to_string()))
    }

    fn needed(
        &self,
        start: &BytesStart<'_>,
        offset: usize,
        (element, attribute): (&'static str, &'static str),
    ) -> Result<String, FileError> {
        let missing = || self.error(offset, FileFault::NoAttribute { element, attribute });
        self.attribute(start, offset, attribute)?.ok_or_else(missing)
    }

    /// An element begins, and goes on if it is `open`.
    fn start(
        &mut self,
        start: &BytesStart<'_>,
        offset: usize,
        open: bool,
    ) -> Result<(), FileError> {
        let name = start.name();
        let name: &str = name.as_ref();
        if !std::mem::replace(&mut self.has_begun, true) && name != "graphml" {
            return Err(self.error(offset, FileFault::NotGraphMl(name.to_owned())));
        }
        match name {
            "key" => self.key(start, offset, open)?,
            "node" => {
                let id = self.needed(start, offset, ("node", "id"))?;
                if self.draft.places.contains_key(&id) {
                    return Err(self.error(offset, FileFault::Twice(id)));
                }
                self.draft.router(&id);
            }
            "edge" => {
                let from = self.needed(start, offset, ("edge", "source"))?;
                let to = self.needed(start, offset, ("edge", "target"))?;
                let latency = self.key.as_ref().and_then(|key| key.default);
                self.edges.push(Edge { offset, from, to, latency });
                self.in_edge = open;
            }
            "hyperedge" => return Err(self.error(offset, FileFault::Hyperedge)),
            "default" if self.in_key && open => self.expecting = Expecting::Default,
            "data" if self.in_edge && open => {
                let key = self.needed(start, offset, ("data", "key"))?;
                if self.key.as_ref().is_some_and(|latency| latency.id == key) {
                    self.expecting = Expecting::Latency;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A key for edges, perhaps that of the latency.
    fn key(&mut self, start: &BytesStart<'_>, offset: usize, open: bool) -> Result<(), FileError> {
        let of = self.attribute(start, offset, "for")?;
        let name = self.attribute(start, offset, "attr.name")?.unwrap_or_default();
        if !matches!(of.as_deref(), None | Some("edge" | "all")) {
            return Ok(());
        }
        if name == self.weight && self.key.is_none() {
            let id = self.needed(start, offset, ("key", "id"))?;
            self.key = Some(Key { id, default: None });
            self.in_key = open;
        }
        self.known.push(name);
        Ok(())
    }

    /// An element ends; the delay that it was to hold is read.
    fn end(&mut self, name: &str, offset: usize) -> Result<(), FileError> {
        match name {
            "key" => self.in_key = false,
            "edge" => self.in_edge = false,
            "default" | "data" => {
                let value = std::mem::take(&mut self.value);
                let expecting = std::mem::replace(&mut self.expecting, Expecting::Nothing);
                if expecting == Expecting::Nothing {
                    return Ok(());
                }
                let value = value.trim();
                let latency = delay(value)
                    .ok_or_else(|| self.error(offset, FileFault::Delay(value.to_owned())))?;
                if expecting == Expecting::Default {
                    self.key.iter_mut().for_each(|key| key.default = Some(latency));
                } else if let Some(edge) = self.edges.last_mut() {
                    edge.latency = Some(latency);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Draft, FileError> {
        if !self.has_begun {
            return Err(self.error(0, FileFault::Empty("<graphml>")));
        }
        if self.key.is_none() && !self.edges.is_empty() {
            let (weight, known) = (self.weight.to_owned(), self.known.join(", "));
            let known = if known.is_empty() { "none".to_owned() } else { known };
            return Err(self.error(0, FileFault::NoKey { weight, known }));
        }
        for Edge { offset, from, to, latency } in std::mem::take(&mut self.edges) {
            let ends = [&from, &to].map(|name| self.draft.places.get(name).copied());
            let [Some(one), Some(other)] = ends else {
                let unknown = if ends[0].is_none() { from } else { to };
                return Err(self.error(offset, FileFault::UnknownVertex(unknown)));
            };
            let Some(latency) = latency else {
                let weight = self.weight.to_owned();
                return Err(self.error(offset, FileFault::NoWeight { from, to, weight }));
            };
            self.draft.links.push((one, other, latency));
        }
        Ok(self.draft)
    }
}

#[cfg(test)]
mod tests;
