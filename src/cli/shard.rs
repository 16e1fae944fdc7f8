//! A share of the runs of a study, for one machine of several.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::outcome::Failure;

/// Shard `number` of `of`, counted from 1: every `of`-th run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    of: u32,
}

/// Not a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoShard {
    /// Not two numbers.
    #[error("expected i/n, such as 1/4")]
    Form,
    /// There is no such shard.
    #[error("shards are numbered from 1: of {of} there are 1/{of} to {of}/{of}")]
    Range {
        /// How many there are.
        of: u32,
    },
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (number, of) = text.split_once('/').ok_or(NoShard::Form)?;
        let parse = |text: &str| text.parse::<u32>().map_err(|_| NoShard::Form);
        let (number, of) = (parse(number)?, parse(of)?);
        match of {
            0 => Err(NoShard::Form),
            _ if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(NoShard::Range { of }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Shard {
    /// Whether a run is one of its own. Runs of one point take about as long as each other, so that
    /// every shard gets some of each.
    #[must_use]
    pub fn holds(self, run: u32) -> bool {
        run % self.of == self.number - 1
    }

    /// Whether a study has as many runs as this has shards: a shard without runs is a slip.
    pub fn fits(self, runs: usize) -> Result<(), Failure> {
        if runs < self.of as usize {
            return Err(Failure::EmptyShards { shards: self.of, runs });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_and_hold_every_run() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].map(|it| it.parse().unwrap()).into();
        for run in 0..100 {
            assert_eq!(shards.iter().filter(|shard| shard.holds(run)).count(), 1, "{run}");
        }
        assert_eq!(shards[1].to_string(), "2/3");
    }

    #[test]
    fn what_is_no_shard_is_told() {
        for (text, told) in [
            ("3", "expected i/n, such as 1/4"),
            ("a/4", "expected i/n, such as 1/4"),
            ("1/0", "expected i/n, such as 1/4"),
            ("0/4", "shards are numbered from 1: of 4 there are 1/4 to 4/4"),
            ("5/4", "shards are numbered from 1: of 4 there are 1/4 to 4/4"),
        ] {
            assert_eq!(text.parse::<Shard>().unwrap_err().to_string(), told);
        }
    }
}
