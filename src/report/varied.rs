//! What a study varies, as figures and the table on the terminal show it: one dimension a key, its
//! values as numbers where they are such, and words short enough to stand beside a drawing.
//!
//! * A key whose values are all numbers of one kind (plain ones, durations, shares, rates) is
//!   *numeric*; any other has words. A whole table is told by what sets it apart from the others.
//! * Listed points that have names, or leave keys out, are one dimension together: `name`, the keys
//!   that not every point sets, and those that follow from these. Its words are the names, or else
//!   what the point sets.
//! * A key with a single value is no dimension, nor is one that follows from another.

use std::collections::{BTreeMap, BTreeSet};

use crate::units::{Duration, Rate, Ratio};

/// The label of a listed point stands in this column.
const NAME: &str = "name";

/// No word beside a drawing is longer.
pub(crate) const LONGEST_WORD: usize = 40;

/// What the numbers of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Plain numbers.
    Number,
    /// Seconds.
    Time,
    /// Parts of a whole.
    Share,
    /// Times a second.
    Rate,
}

/// One value of a dimension.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Level {
    /// What it is called.
    pub(crate) label: String,
    /// Its number, where the dimension is numeric.
    pub(crate) number: f64,
}

/// One thing that the points of a study differ in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dimension {
    /// Its key; of listed points nothing, or the keys that they set.
    pub(crate) key: String,
    /// What its numbers are; `None` when it has words.
    pub(crate) measure: Option<Measure>,
    /// Its values: numbers in ascending order, words as they come.
    pub(crate) levels: Vec<Level>,
    /// Which of them each point has.
    pub(crate) of_point: Vec<usize>,
    /// Keys that are no dimensions because their values follow from this one's.
    pub(crate) along: Vec<String>,
}

impl Dimension {
    /// Of two that say the same, the one of the higher rank stays, or else the first: points were
    /// named on purpose, and numbers tell more than words.
    fn rank(&self) -> u8 {
        match self.measure {
            _ if self.key.is_empty() => 2,
            Some(_) => 1,
            None => 0,
        }
    }

    /// Whether all points with the same value here have the same one of the other, too.
    fn determines(&self, other: &Dimension) -> bool {
        follows(&self.of_point, &other.of_point)
    }

    /// The value as a heading tells it: `dns.ttl = 5s`.
    pub(crate) fn told(&self, level: usize) -> String {
        let label = &self.levels[level].label;
        if self.key.is_empty() { label.clone() } else { format!("{} = {label}", self.key) }
    }
}

/// Whether each value of the first goes with only one of the second.
fn follows(first: &[usize], second: &[usize]) -> bool {
    let pairs: BTreeSet<_> = first.iter().zip(second).collect();
    let firsts: BTreeSet<_> = first.iter().collect();
    pairs.len() == firsts.len()
}

/// The dimensions of a study, in the order of its keys: `points` are the values of the keys `varied`
/// at each.
pub(crate) fn dimensions<'a>(varied: &[String], points: &[&'a [String]]) -> Vec<Dimension> {
    let mut keys: Vec<Dimension> = varied
        .iter()
        .enumerate()
        .map(|(index, key)| {
            let value = |values: &&'a [String]| values.get(index).map_or("", String::as_str);
            of_key(key, points.iter().map(value))
        })
        .collect();
    if let Some(listed) = listed(&mut keys, points.len()) {
        keys.insert(0, listed);
    }
    let (mut dimensions, mut others) = (Vec::new(), Vec::new());
    for (index, key) in keys.iter().enumerate().filter(|(_, key)| key.levels.len() > 1) {
        let says_it_all = |&(other, it): &(usize, &Dimension)| {
            let instead = || (it.rank(), index) > (key.rank(), other);
            other != index && it.determines(key) && (!key.determines(it) || instead())
        };
        match keys.iter().enumerate().find(says_it_all) {
            Some(_) => others.push(key),
            None => dimensions.push(key.clone()),
        }
    }
    for other in others {
        let main = dimensions.iter_mut().find(|it| it.determines(other) && !it.key.is_empty());
        if let Some(main) = main {
            main.along.push(other.key.clone());
        }
    }
    dimensions
}

/// One key with its values by point.
fn of_key<'a>(key: &str, values: impl Iterator<Item = &'a str> + Clone) -> Dimension {
    let mut distinct: Vec<&str> = Vec::new();
    for value in values.clone() {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    let measured = measured(&distinct);
    let mut levels: Vec<(Level, &str)> = match &measured {
        Some((_, numbers)) => numbers
            .iter()
            .zip(&distinct)
            .map(|(&number, &value)| (Level { label: value.to_owned(), number }, value))
            .collect(),
        None => words(&distinct, LONGEST_WORD)
            .into_iter()
            .zip(&distinct)
            .map(|(label, &value)| (Level { label, number: 0.0 }, value))
            .collect(),
    };
    if measured.is_some() {
        levels.sort_by(|(a, _), (b, _)| a.number.total_cmp(&b.number));
    }
    let level = |value: &str| levels.iter().position(|(_, it)| *it == value).unwrap_or(0);
    Dimension {
        key: key.to_owned(),
        measure: measured.map(|(measure, _)| measure),
        of_point: values.map(level).collect(),
        levels: levels.into_iter().map(|(level, _)| level).collect(),
        along: Vec::new(),
    }
}

/// The listed points as one dimension, taken out of the keys, if there are any.
fn listed(keys: &mut Vec<Dimension>, points: usize) -> Option<Dimension> {
    let unset = |key: &Dimension| key.levels.iter().any(|level| level.label.is_empty());
    let core: Vec<usize> =
        (0..keys.len()).filter(|&it| keys[it].key == NAME || unset(&keys[it])).collect();
    let first = core.first()?;
    let mut groups: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    let mut of_point = Vec::new();
    for point in 0..points {
        let values = core.iter().map(|&it| keys[it].of_point[point]).collect();
        let next = groups.len();
        of_point.push(*groups.entry(values).or_insert(next));
    }
    let named = keys[*first].key == NAME;
    // A name tells all that it stands for; without one, what the points set is told.
    let within = |key: &Dimension| {
        key.key == NAME || unset(key) || (named && follows(&of_point, &key.of_point))
    };
    let (taken, rest): (Vec<_>, Vec<_>) =
        std::mem::take(keys).into_iter().partition(|key| within(key));
    *keys = rest;
    let alone = taken.len() == 1;
    let label = |group: usize| {
        let point = of_point.iter().position(|it| *it == group).unwrap_or(0);
        let value = |key: &Dimension| key.levels[key.of_point[point]].label.clone();
        if let Some(name) = taken.iter().find(|it| it.key == NAME).map(value)
            && !name.is_empty()
        {
            return Level { label: shortened(&name, LONGEST_WORD), number: 0.0 };
        }
        let set = taken.iter().filter(|key| key.key != NAME && !value(key).is_empty());
        let set: Vec<String> = match alone {
            true => set.map(value).collect(),
            false => set.map(|key| format!("{} = {}", last(&key.key), value(key))).collect(),
        };
        let label = if set.is_empty() { "as in the file".to_owned() } else { set.join(", ") };
        Level { label: shortened(&label, LONGEST_WORD), number: 0.0 }
    };
    let key = match (named, &taken[..]) {
        (false, [only]) => only.key.clone(),
        _ => String::new(),
    };
    let levels = (0..groups.len()).map(label).collect();
    Some(Dimension { key, measure: None, levels, of_point, along: Vec::new() })
}

/// The last part of a key.
pub(crate) fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// The values as numbers of one kind, if they are that.
fn measured(values: &[&str]) -> Option<(Measure, Vec<f64>)> {
    fn plain(text: &str) -> Option<f64> {
        let number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        text.parse().ok().filter(|value: &f64| number && value.is_finite())
    }
    fn time(text: &str) -> Option<f64> {
        text.parse::<Duration>().ok().map(|it| it.0.as_secs_f64())
    }
    fn share(text: &str) -> Option<f64> {
        text.parse::<Ratio>().ok().map(|it| it.0)
    }
    fn rate(text: &str) -> Option<f64> {
        text.parse::<Rate>().ok().map(|it| 1.0 / it.interval.as_secs_f64())
    }
    type Reader = fn(&str) -> Option<f64>;
    let kinds: [(Measure, Reader); 4] = [
        (Measure::Number, plain),
        (Measure::Time, time),
        (Measure::Share, share),
        (Measure::Rate, rate),
    ];
    kinds.into_iter().find_map(|(measure, read)| {
        let numbers: Option<Vec<f64>> = values.iter().map(|value| read(value)).collect();
        Some((measure, numbers?))
    })
}

/// Values in words of at most so many characters: of tables what not all have in common.
pub(crate) fn words(values: &[&str], longest: usize) -> Vec<String> {
    let tables: Option<Vec<Vec<&str>>> = values.iter().map(|value| pairs(value)).collect();
    let told: Vec<String> = match tables {
        Some(tables) if tables.len() > 1 => {
            let common = |pair: &&str| tables.iter().all(|table| table.contains(pair));
            let kind = kind(&tables);
            let rest = |table: &Vec<&str>| {
                let told = |pair: &&str| match kind.and_then(|kind| pair.strip_prefix(kind)) {
                    Some(word) => unquoted(word),
                    None => unquoted(pair),
                };
                // The kind first, whatever letter its key begins with.
                let is_kind = |pair: &&str| kind.is_some_and(|kind| pair.starts_with(kind));
                let mut rest: Vec<&str> = table.iter().copied().filter(|it| !common(it)).collect();
                rest.sort_by_key(|pair| !is_kind(pair));
                let rest: Vec<String> = rest.iter().map(told).collect();
                if rest.is_empty() { "{ }".to_owned() } else { rest.join(", ") }
            };
            tables.iter().map(rest).collect()
        }
        _ => values.iter().map(|value| (*value).to_owned()).collect(),
    };
    told.into_iter().map(|word| shortened(&word, longest)).collect()
}

/// The key, with what stands between it and its value, that says what kind of thing each of several
/// tables is: `model = `. All have it, and its values are words.
fn kind<'a>(tables: &[Vec<&'a str>]) -> Option<&'a str> {
    let wordy = |pair: &&str, head: &str| {
        let word = pair.strip_prefix(head).and_then(|value| value.strip_prefix('"'));
        word.is_some_and(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    tables[0].iter().find_map(|pair| {
        let head = &pair[..pair.find(" = ")? + " = ".len()];
        let all = |table: &Vec<&str>| table.iter().any(|pair| wordy(pair, head));
        let differ = tables.iter().any(|table| !table.contains(pair));
        (differ && tables.iter().all(all)).then_some(head)
    })
}

/// The pairs of a table in one line, `{ key = value, … }`.
fn pairs(value: &str) -> Option<Vec<&str>> {
    let inner = value.strip_prefix("{ ")?.strip_suffix(" }")?;
    let (mut depth, mut quoted, mut escaped, mut start) = (0, false, false, 0);
    let mut pairs = Vec::new();
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                pairs.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    pairs.push(inner[start..].trim());
    Some(pairs)
}

fn unquoted(pair: &str) -> String {
    pair.replace('"', "")
}

/// A text of at most `longest` characters: its middle is left out, since both ends tell apart.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let length = text.chars().count();
    if length <= longest {
        return text.to_owned();
    }
    let kept = longest.saturating_sub(1);
    let behind = kept / 3;
    let head: String = text.chars().take(kept - behind).collect();
    let tail: String = text.chars().skip(length - behind).collect();
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

/// Words in lines of so many characters.
pub(crate) fn wrapped(text: &str, longest: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= longest => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dimensions of points written as `a|b|c` under keys `k1|k2|k3`.
    fn of(keys: &str, points: &[&str]) -> Vec<Dimension> {
        let split = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let points: Vec<Vec<String>> = points.iter().map(|point| split(point)).collect();
        let points: Vec<&[String]> = points.iter().map(Vec::as_slice).collect();
        dimensions(&split(keys), &points)
    }

    fn labels(dimension: &Dimension) -> Vec<&str> {
        dimension.levels.iter().map(|level| level.label.as_str()).collect()
    }

    #[test]
    fn keys_are_numeric_when_all_their_values_are_numbers_of_one_kind() {
        for (values, measure, numbers) in [
            (["5s", "1m", "0.5h"], Some(Measure::Time), &[5.0, 60.0, 1800.0][..]),
            (["100", "20", "3.5"], Some(Measure::Number), &[3.5, 20.0, 100.0]),
            (["0%", "2%", "150%"], Some(Measure::Share), &[0.0, 0.02, 1.5]),
            (["1/10s", "6/min", "2/s"], Some(Measure::Rate), &[0.1, 0.1, 2.0]),
            (["0s", "30s", "forever"], None, &[0.0, 0.0, 0.0]),
            (["inf", "nan", "1"], None, &[0.0, 0.0, 0.0]),
            (["true", "false", "5s"], None, &[0.0, 0.0, 0.0]),
        ] {
            let [dimension] = &of("k", &values)[..] else { panic!("one key") };
            assert_eq!(dimension.measure, measure, "{values:?}");
            let got: Vec<f64> = dimension.levels.iter().map(|level| level.number).collect();
            assert_eq!(got, numbers, "{values:?}");
        }
    }

    #[test]
    fn numbers_ascend_and_words_come_in_their_order() {
        let of = of("ttl|design", &["60s|b", "60s|a", "5s|b", "5s|a"]);
        let [ttl, design] = &of[..] else { panic!("{of:?}") };
        assert_eq!((labels(ttl), labels(design)), (vec!["5s", "60s"], vec!["b", "a"]));
        assert_eq!(
            (&ttl.of_point[..], &design.of_point[..]),
            (&[1, 1, 0, 0][..], &[0, 1, 0, 1][..])
        );
        assert_eq!(ttl.told(1), "ttl = 60s");
    }

    #[test]
    fn tables_are_told_by_what_sets_them_apart() {
        let exponential = "{ model = \"exponential\", session_mean = \"1h\" }";
        let weibull = "{ model = \"weibull\", session_mean = \"1h\", shape = 0.5 }";
        let nested = "{ model = \"a, b\", session_mean = \"1h\", list = [1, { x = 2 }] }";
        let of = of("churn", &[exponential, weibull, nested]);
        assert_eq!(
            labels(&of[0]),
            ["exponential", "weibull, shape = 0.5", "a, b, list = [1, { x = 2 }]"]
        );
        assert_eq!(of[0].told(0), "churn = exponential");
        let of = super::tests::of(
            "latency",
            &["{ n = 1, value = \"1ms\" }", "{ n = 2, value = \"9ms\" }"],
        );
        assert_eq!(labels(&of[0]), ["n = 1, value = 1ms", "n = 2, value = 9ms"]);
        let long = "x".repeat(30) + &"y".repeat(30);
        // 39 characters are kept: 26 in front, 13 behind.
        let expected = format!("{}…{}", "x".repeat(26), "y".repeat(13));
        assert_eq!(shortened(&long, 40), expected);
        assert_eq!(shortened("short", 5), "short");
    }

    #[test]
    fn named_points_are_one_dimension_and_go_through_the_grid() {
        let of = of(
            "name|reading|strategy|ttl",
            &["letter|literal||5s", "letter|literal||60s", "fixed||static|5s", "fixed||static|60s"],
        );
        let [listed, ttl] = &of[..] else { panic!("{of:?}") };
        assert_eq!((listed.key.as_str(), labels(listed)), ("", vec!["letter", "fixed"]));
        assert_eq!((listed.measure, listed.told(0)), (None, "letter".to_owned()));
        assert_eq!((ttl.key.as_str(), ttl.measure), ("ttl", Some(Measure::Time)));
    }

    #[test]
    fn points_without_names_are_told_by_what_they_set() {
        let of = of("a.reading|b.strategy", &["literal|", "|static", "literal|static", "|"]);
        let [listed] = &of[..] else { panic!("{of:?}") };
        let told = [
            "reading = literal",
            "strategy = static",
            "reading = literal, strategy = static",
            "as in the file",
        ];
        assert_eq!(labels(listed), told);
        let of = super::tests::of("a.reading", &["literal", ""]);
        assert_eq!(
            (of[0].key.as_str(), labels(&of[0])),
            ("a.reading", vec!["literal", "as in the file"])
        );
    }

    #[test]
    fn what_does_not_vary_or_only_follows_is_no_dimension() {
        // The strategy is the same everywhere; each TTL has a probe interval of its own.
        let of = of("ttl|probe|strategy", &["5s|10s|x", "60s|60s|x", "300s|90s|x"]);
        let [ttl] = &of[..] else { panic!("{of:?}") };
        assert_eq!((ttl.key.as_str(), &ttl.along[..]), ("ttl", &["probe".to_owned()][..]));
        // A number tells more than the word that goes with it, but a name was given on purpose.
        let of = super::tests::of("word|ttl", &["low|5s", "high|60s"]);
        assert_eq!(of.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["ttl"]);
        let of = super::tests::of("name|ttl", &["low|5s", "high|60s"]);
        assert_eq!(of.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), [""]);
        let of = super::tests::of("kind|ttl", &["low|5s", "high|60s", "high|300s"]);
        assert_eq!(of.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["ttl"]);
        assert!(super::tests::of("ttl", &["5s", "5s"]).is_empty());
    }
}
