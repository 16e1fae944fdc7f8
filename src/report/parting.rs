//! The first event at which two runs part, as text.

use crate::experiment::parting::{Line, Parting, Version};
use crate::time::SimTime;

/// What is said of where two runs part: when and on which host, the event as each run has it, and
/// what was before; `names` are what the two runs are called. Every line is indented.
#[must_use]
pub fn parting(parting: &Parting, names: [&str; 2]) -> String {
    let Parting { at, host, versions, others, before } = parting;
    let mut text = format!("  they part at {} s, on {host}:\n", moment(*at));
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for ((name, version), others) in names.iter().zip(versions).zip(others) {
        let told = told(version.as_ref());
        text.push_str(&format!("    {name:<width$}  {told}{}\n", and_others(*others)));
    }
    let [first, second] = before;
    if first == second {
        lines(&mut text, "before that, there, in both:", first);
    } else {
        for (name, before) in names.iter().zip(before) {
            lines(&mut text, &format!("before that, there, {name}:"), before);
        }
    }
    text
}

fn told(version: Option<&Version>) -> String {
    version.map_or_else(
        || "nothing else".to_owned(),
        |version| format!("{}  [{:016x}]", version.words, version.digest),
    )
}

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => "; and another event at that moment".to_owned(),
        _ => format!("; and {others} others at that moment"),
    }
}

fn lines(text: &mut String, title: &str, lines: &[Line]) {
    text.push_str(&format!("    {title}{}\n", if lines.is_empty() { " nothing" } else { "" }));
    for Line { at, words } in lines {
        text.push_str(&format!("      {:>15}  {words}\n", moment(*at)));
    }
}

/// Seconds with all nine decimals: two runs may part by a nanosecond.
fn moment(at: SimTime) -> String {
    let nanos = at.as_nanos();
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(nanos: u64, words: &str) -> Line {
        Line { at: SimTime::from_nanos(nanos), words: words.to_owned() }
    }

    #[test]
    fn both_versions_and_what_was_before() {
        let version = |words: &str, digest| Some(Version { words: words.to_owned(), digest });
        let before =
            vec![line(1_000_000_001, "a -> b  Chord ping"), line(2_500_000_000, "b: goes")];
        let mut found = Parting {
            at: SimTime::from_nanos(614_071_850_003),
            host: "b".to_owned(),
            versions: [version("a -> b  Chord pong", 0xbeef), None],
            others: [0, 2],
            before: [before.clone(), before],
        };
        let expected = "  they part at 614.071850003 s, on b:
    as usual  a -> b  Chord pong  [000000000000beef]
    shuffled  nothing else; and 2 others at that moment
    before that, there, in both:
          1.000000001  a -> b  Chord ping
          2.500000000  b: goes
";
        assert_eq!(parting(&found, ["as usual", "shuffled"]), expected);
        found.before[1].clear();
        found.others = [1, 0];
        let expected = "  they part at 614.071850003 s, on b:
    A      a -> b  Chord pong  [000000000000beef]; and another event at that moment
    other  nothing else
    before that, there, A:
          1.000000001  a -> b  Chord ping
          2.500000000  b: goes
    before that, there, other: nothing
";
        assert_eq!(parting(&found, ["A", "other"]), expected);
    }
}
