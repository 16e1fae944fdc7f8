//! Hosts at places of a space, as Vivaldi gives them (Dabek et al., SIGCOMM 2004): the latency of a
//! pair is the distance of their places, the way through the core, and the heights of both above
//! it, their access lines. So latencies keep the triangle inequality up to the heights, and near
//! hosts have the same hosts near.
//!
//! Places are drawn, uniform in a cube whose side is a latency, with heights uniform between two
//! bounds; or come from a file: a table with a header, columns separated by commas, `x_ms` and
//! perhaps `y_ms` and `z_ms`, `height_ms`, and `host`, which is empty or left out for places of
//! nobody in particular. A host that the file names is at its place; every other one is dealt a
//! place by a draw from its name, of those that name nobody, or of all if there are none.
//!
//! Left out: coordinates that change, and how nodes would learn them.

use std::collections::BTreeMap;

use crate::net::file::{FileError, FileFault, error_at, error_in, lines, millis, text};
use crate::net::latency::{Latency, LatencyError, check_range, share};
use crate::rng::{Draws, NameHash, Purpose, unit_from_bits};
use crate::time::SimDuration;

/// The most dimensions; Vivaldi gains little from more than two and a height.
pub const MAX_DIMENSIONS: u8 = 3;
const DIMENSIONS: usize = MAX_DIMENSIONS as usize;

/// Where a host is: nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    position: [f64; DIMENSIONS],
    height: f64,
}

impl Place {
    /// How long a datagram travels from one place to another.
    #[must_use]
    pub fn latency_to(&self, other: &Self) -> SimDuration {
        let squares = (0..DIMENSIONS).map(|axis| {
            let way = self.position[axis] - other.position[axis];
            way * way
        });
        // Differences, products, sums and a square root are exact IEEE operations, and the order of
        // the two places changes none of them.
        let nanos = squares.sum::<f64>().sqrt() + (self.height + other.height);
        SimDuration::from_nanos(nanos as u64).max(Latency::FLOOR)
    }
}

/// What places are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Dimensions of the space, 1 to [`MAX_DIMENSIONS`].
    pub dimensions: u8,
    /// The side of the cube.
    pub side: SimDuration,
    /// The least height, above zero.
    pub min_height: SimDuration,
    /// The greatest height.
    pub max_height: SimDuration,
}

/// Places that a file lists; at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    listed: Vec<Place>,
    /// The places of those that are named.
    named: BTreeMap<NameHash, u32>,
    /// The places of nobody in particular, or of all.
    open: Vec<u32>,
}

/// Where hosts are.
#[derive(Clone, Debug)]
pub struct Coordinates {
    draws: Draws,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Drawn(Placement),
    Listed(Places),
}

impl Coordinates {
    /// Places that are drawn.
    ///
    /// # Errors
    /// When the heights are zero or in the wrong order, or there are too many dimensions.
    pub fn drawn(seed: u64, placement: Placement) -> Result<Self, LatencyError> {
        check_range(placement.min_height, placement.max_height)?;
        if !(1..=MAX_DIMENSIONS).contains(&placement.dimensions) {
            return Err(LatencyError::Dimensions(placement.dimensions));
        }
        let draws = Draws::new(seed, Purpose::Latency);
        Ok(Self { draws, source: Source::Drawn(placement) })
    }

    /// Places of a file.
    #[must_use]
    pub fn listed(seed: u64, places: Places) -> Self {
        Self { draws: Draws::new(seed, Purpose::Latency), source: Source::Listed(places) }
    }

    /// Where a host is.
    #[must_use]
    pub fn place(&self, host: NameHash) -> Place {
        match &self.source {
            Source::Drawn(placement) => self.draw(placement, host),
            Source::Listed(places) => {
                let dealt = || {
                    let bits = u128::from(self.draws.bits(host.0, 0));
                    places.open[((bits * places.open.len() as u128) >> 64) as usize]
                };
                let place = places.named.get(&host).copied().unwrap_or_else(dealt);
                places.listed[place as usize]
            }
        }
    }

    fn draw(&self, placement: &Placement, host: NameHash) -> Place {
        let side = placement.side.as_nanos() as f64;
        let mut position = [0.0; DIMENSIONS];
        for (axis, along) in (1..).zip(&mut position[..usize::from(placement.dimensions)]) {
            *along = side * unit_from_bits(self.draws.bits(host.0, axis));
        }
        let width = placement.max_height - placement.min_height;
        let height = placement.min_height + share(self.draws.bits(host.0, 0), width);
        Place { position, height: height.as_nanos() as f64 }
    }

    /// How long a datagram travels from one host to another, or back.
    #[must_use]
    pub fn base(&self, a: NameHash, b: NameHash) -> SimDuration {
        self.place(a).latency_to(&self.place(b))
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Host,
    Axis(usize),
    Height,
}

const AXES: [&str; DIMENSIONS] = ["x_ms", "y_ms", "z_ms"];
const HEIGHT: &str = "height_ms";

impl Places {
    /// Reads a whole file.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, FileError> {
        let text = text(bytes)?;
        let mut lines = lines(text);
        let first = lines.next().ok_or_else(|| error_at(text, 0, FileFault::Empty("header")))?;
        let columns = header(first)?;
        let mut places = Self { listed: Vec::new(), named: BTreeMap::new(), open: Vec::new() };
        for line in lines {
            places.add(line, &columns)?;
        }
        if places.listed.is_empty() {
            return Err(error_at(text, text.len(), FileFault::Empty("places")));
        }
        if places.open.is_empty() {
            places.open = (0..places.listed.len() as u32).collect();
        }
        Ok(places)
    }

    fn add(&mut self, line: (u32, &str), columns: &[Column]) -> Result<(), FileError> {
        let fields: Vec<&str> = line.1.split(',').map(str::trim_ascii).collect();
        if fields.len() != columns.len() {
            let expected = format!("{} fields", columns.len());
            let kind = FileFault::Row { expected, found: fields.len() };
            return Err(error_in(line, line.1, kind));
        }
        let index = self.listed.len() as u32;
        let mut place = Place { position: [0.0; DIMENSIONS], height: 0.0 };
        let mut host = "";
        for (&field, column) in fields.iter().zip(columns) {
            let number = |least| {
                let wrong = || error_in(line, field, FileFault::Number(field.to_owned()));
                millis(field, least).map(|number| number * 1e6).ok_or_else(wrong)
            };
            match *column {
                Column::Host => host = field,
                Column::Axis(axis) => place.position[axis] = number(-1e9)?,
                Column::Height => place.height = number(0.0)?,
            }
        }
        self.listed.push(place);
        if host.is_empty() {
            self.open.push(index);
        } else if self.named.insert(NameHash::of(host), index).is_some() {
            return Err(error_in(line, host, FileFault::Twice(host.to_owned())));
        }
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// Whether there are none: never, of a file that was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

fn header(line: (u32, &str)) -> Result<Vec<Column>, FileError> {
    let mut columns = Vec::new();
    for field in line.1.split(',').map(str::trim_ascii) {
        let column = match field {
            "host" => Column::Host,
            HEIGHT => Column::Height,
            _ => match AXES.iter().position(|axis| *axis == field) {
                Some(axis) => Column::Axis(axis),
                None => {
                    let kind = FileFault::UnknownColumn(field.to_owned());
                    return Err(error_in(line, field, kind));
                }
            },
        };
        if columns.contains(&column) {
            return Err(error_in(line, field, FileFault::Twice(field.to_owned())));
        }
        columns.push(column);
    }
    for (needed, name) in [(Column::Axis(0), AXES[0]), (Column::Height, HEIGHT)] {
        if !columns.contains(&needed) {
            return Err(error_in(line, line.1, FileFault::NoColumn(name)));
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: SimDuration = SimDuration::from_millis(1);

    fn host(name: &str) -> NameHash {
        NameHash::of(name)
    }

    /// 3-4-5 and 6-8-10 triangles: 5 ms and heights of 1 and 2 ms, and so on.
    #[test]
    fn a_latency_is_the_distance_and_both_heights() {
        let table = b"# three\nhost,x_ms,y_ms,height_ms\na,0,0,1\nb,3,4,2\nc, -3 ,-4,0.5\n";
        let places = Places::parse(table).unwrap();
        assert_eq!(places.len(), 3);
        let coordinates = Coordinates::listed(1, places);
        for (one, other, millis) in [("a", "b", 8.0), ("a", "c", 6.5), ("b", "c", 12.5)] {
            let expected = SimDuration::from_secs_f64(millis / 1e3);
            assert_eq!(coordinates.base(host(one), host(other)), expected);
            assert_eq!(coordinates.base(host(other), host(one)), expected);
        }
        // Each on the other's place: two heights of 0.5 ms.
        let same = Places::parse(b"height_ms,x_ms\n0.5,7\n").unwrap();
        assert_eq!(Coordinates::listed(1, same).base(host("a"), host("b")), MS);
    }

    #[test]
    fn hosts_that_the_file_does_not_name_are_dealt_the_places_of_nobody() {
        let table = b"host,x_ms,height_ms\nalice,100,1\n,0,2\n,10,3\n";
        let coordinates = Coordinates::listed(7, Places::parse(table).unwrap());
        let mut dealt = [0; 2];
        for n in 0..1_000 {
            let place = coordinates.place(host(&format!("node-{n:05}")));
            assert!(place.position[0] < 100e6);
            dealt[usize::from(place.position[0] > 0.0)] += 1;
        }
        // 500 each, standard deviation 15.8.
        assert!(dealt.iter().all(|count| (440..560).contains(count)), "{dealt:?}");
        assert_eq!(coordinates.place(host("alice")).position[0], 100e6);
    }

    #[test]
    fn places_fill_the_cube_and_keep_the_triangle_inequality() {
        let placement =
            Placement { dimensions: 2, side: MS * 60, min_height: MS * 2, max_height: MS * 20 };
        let coordinates = Coordinates::drawn(5, placement).unwrap();
        let hosts: Vec<NameHash> = (0..20_000).map(|n| host(&format!("node-{n:05}"))).collect();
        let pairs = hosts.chunks(2).map(|pair| coordinates.base(pair[0], pair[1]).as_secs_f64());
        let mean = pairs.sum::<f64>() * 1e3 / 10_000.0;
        // The mean distance of two places in a square is 0.5214 sides, 31.28 ms, with a standard
        // deviation of 0.2479 sides; two heights of 11 ms: 53.28, standard error 0.17.
        assert!((mean - 53.28).abs() < 0.7, "{mean}");
        for three in hosts.chunks(3).take(2_000).filter(|three| three.len() == 3) {
            let way = |a: usize, b: usize| coordinates.base(three[a], three[b]);
            let twice = SimDuration::from_nanos(2 * coordinates.place(three[1]).height as u64);
            let around = way(0, 1) + way(1, 2) - twice + SimDuration::from_nanos(3);
            assert!(way(0, 2) <= around, "{} {around}", way(0, 2));
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (table, told) in [
            ("", "line 1, column 1: the file has no header"),
            ("x_ms,height_ms\n", "line 2, column 1: the file has no places"),
            ("y_ms,height_ms\n", "line 1, column 1: the header names no column `x_ms`"),
            ("x_ms,y_ms\n", "line 1, column 1: the header names no column `height_ms`"),
            (
                "x_ms,hight\n",
                "line 1, column 6: unknown column `hight`; there are `host`, `x_ms`, `y_ms`, \
                 `z_ms` and `height_ms`",
            ),
            ("x_ms,x_ms\n", "line 1, column 6: `x_ms` is there already"),
            ("x_ms,height_ms\n1\n", "line 2, column 1: expected 2 fields, found 1 of them"),
            (
                "x_ms,height_ms\n1,2\n1, -2\n",
                "line 3, column 4: expected a number of milliseconds, found `-2`",
            ),
            ("host,x_ms,height_ms\na,1,2\na,3,4\n", "line 3, column 1: `a` is there already"),
        ] {
            assert_eq!(Places::parse(table.as_bytes()).unwrap_err().to_string(), told, "{table}");
        }
        let flat =
            |dimensions, min_height| Placement { dimensions, side: MS, min_height, max_height: MS };
        let refused = |placement| Coordinates::drawn(1, placement).unwrap_err();
        assert_eq!(refused(flat(4, MS)), LatencyError::Dimensions(4));
        assert_eq!(refused(flat(2, SimDuration::ZERO)), LatencyError::Zero);
    }
}
