//! Words of a script for Slurm: what `sbatch` is told, checked, and the quoting of shells.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Why a word is not for Slurm.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoWord {
    /// Not a time.
    #[error(
        "expected a time as Slurm writes it: 90 (minutes), 90:00, 1:30:00, 2-12 (days and hours), \
         2-12:00:00, or UNLIMITED"
    )]
    Time,
    /// Not a size.
    #[error("expected a size as Slurm writes it, such as 500M or 4G (K, M, G or T)")]
    Memory,
    /// Not a name.
    #[error("expected the name of a partition, or several with commas")]
    Partition,
    /// Not an option.
    #[error("expected an option of sbatch on one line, such as --account=sip")]
    Line,
    /// An option that is the script's own.
    #[error(
        "which tasks there are is said by --tasks; to have fewer at a time, submit with \
         `sbatch --array=1-N%FEWER`"
    )]
    Array,
}

/// A limit of time, as Slurm writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLimit(String);

impl FromStr for TimeLimit {
    type Err = NoWord;

    fn from_str(text: &str) -> Result<Self, NoWord> {
        let number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        let known = match text.split_once('-') {
            Some((days, rest)) => number(days) && (1..=3).contains(&numbers(rest, number)),
            None => (1..=3).contains(&numbers(text, number)),
        };
        if known || ["UNLIMITED", "INFINITE"].contains(&text) {
            return Ok(Self(text.to_owned()));
        }
        Err(NoWord::Time)
    }
}

/// How many numbers there are with colons between them; none if something else is there.
fn numbers(text: &str, number: impl Fn(&str) -> bool) -> usize {
    if text.split(':').all(number) { text.split(':').count() } else { 0 }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A limit of memory, as Slurm writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory(String);

impl FromStr for Memory {
    type Err = NoWord;

    fn from_str(text: &str) -> Result<Self, NoWord> {
        let digits = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
            return Err(NoWord::Memory);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The partitions in which a job may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partitions(String);

impl FromStr for Partitions {
    type Err = NoWord;

    fn from_str(text: &str) -> Result<Self, NoWord> {
        let fits = |it: char| it.is_ascii_alphanumeric() || "_-.+".contains(it);
        let name =
            |name: &str| !name.is_empty() && !name.starts_with('-') && name.chars().all(fits);
        if text.split(',').all(name) { Ok(Self(text.to_owned())) } else { Err(NoWord::Partition) }
    }
}

impl fmt::Display for Partitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An option for `sbatch` as the user wrote it, quoted where it needs that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SbatchLine(String);

impl FromStr for SbatchLine {
    type Err = NoWord;

    fn from_str(text: &str) -> Result<Self, NoWord> {
        let line = text.strip_prefix("#SBATCH").unwrap_or(text).trim();
        if !line.starts_with('-') || line.contains(char::is_control) {
            return Err(NoWord::Line);
        }
        // Names of options may be cut short, and no other begins like this.
        let array = |word: &str| word.starts_with("--ar") || word.starts_with("-a");
        if line.split_whitespace().any(array) {
            return Err(NoWord::Array);
        }
        Ok(Self(line.to_owned()))
    }
}

impl fmt::Display for SbatchLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A word as every POSIX shell reads it back.
#[must_use]
pub(super) fn quoted(word: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "_-./:=,@%+".contains(it);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_slurm() {
        for text in ["90", "90:00", "1:30:00", "2-12", "2-12:30", "2-12:30:00", "UNLIMITED"] {
            assert_eq!(text.parse::<TimeLimit>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "1h", "1:2:3:4", "-3", "2-", "1-2-3", "5 ", "1::2", "5\n#SBATCH -x"] {
            assert_eq!(text.parse::<TimeLimit>(), Err(NoWord::Time), "{text}");
        }
    }

    #[test]
    fn sizes_and_names_are_those_of_slurm() {
        for text in ["2000", "500M", "4G", "1T"] {
            assert_eq!(text.parse::<Memory>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "G", "4GB", "1.5G", "-1"] {
            assert_eq!(text.parse::<Memory>(), Err(NoWord::Memory), "{text}");
        }
        for text in ["debug", "long,big-mem.2"] {
            assert_eq!(text.parse::<Partitions>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "a,", "a b", "--x", "$(x)"] {
            assert_eq!(text.parse::<Partitions>(), Err(NoWord::Partition), "{text}");
        }
    }

    #[test]
    fn lines_for_sbatch_are_options_but_not_the_array() {
        for text in ["--account=sip", "#SBATCH --account=sip", " --account=sip "] {
            let line = text.parse::<SbatchLine>().map(|it| it.to_string());
            assert_eq!(line, Ok("--account=sip".to_owned()));
        }
        for text in ["", "account", "--a\n--b", "#SBATCH", "rm -rf"] {
            assert_eq!(text.parse::<SbatchLine>(), Err(NoWord::Line), "{text}");
        }
        for text in ["--array=1-3", "--array 1-3", "-a 1", "--qos=x -a1-3"] {
            assert_eq!(text.parse::<SbatchLine>(), Err(NoWord::Array), "{text}");
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_not_leave_them_alone() {
        for (word, expected) in [
            ("results/a-b_1.toml", "results/a-b_1.toml"),
            ("dns.ttl=5s", "dns.ttl=5s"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$HOME `x` \"y\" \\", "'$HOME `x` \"y\" \\'"),
            ("~", "'~'"),
            ("ö", "'ö'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
