//! Which format a trace file has.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A format of trace files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TraceFormat {
    /// Godfrey's availability traces: a node a line, `id n start1 end1 start2 end2 …`, separated
    /// by tabs or blanks; seconds from the start of the measurement; `#` begins a comment.
    Avt,
    /// An event a line, by time: `time id up` or `time id down`, in seconds; `#` begins a comment.
    Events,
    /// OverSim's `TraceChurn`: a command a line, by time: `time id JOIN` or `time id LEAVE`, in
    /// seconds; other commands are skipped. Numbers of nodes are read as C reads them.
    OverSim,
    /// The Failure Trace Archive's `event_trace.tab`: a row a stretch of time, nine columns between
    /// tabs; `event_type` is 1 (up) or 0 (down); seconds of any epoch; a header with or without `#`.
    Fta,
    /// p2psim's churn file: a node a line, `address alive|dead t1 t2 …`, its state at the start
    /// and when it changes, in milliseconds; `#` begins a comment.
    P2psim,
    /// SPLAY's churn trace: a peer a line, `on off on off …`, in seconds; an odd count stays up.
    Splay,
    /// SimGrid's state profile, a host a file: `time 0|1` a line, in seconds, on until told
    /// otherwise; `LOOPAFTER n` (so long after the last change) or `PERIODICITY n` (so long after
    /// the start) repeats it; `#` or `%` begins a comment.
    SimGrid,
}

/// A format that is not read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The name of a format, or an extension.
    #[error("`{got}` is no trace format that can be read; `format` is one of {SUPPORTED}")]
    Unknown {
        /// As given.
        got: String,
    },
    /// A file name without an extension, and no format given.
    #[error(
        "`{file}` has no extension to tell its format by; say `format`, which is one of \
         {SUPPORTED}"
    )]
    Untold {
        /// The file's name.
        file: String,
    },
}

const SUPPORTED: &str = "avt, events, oversim, fta, p2psim, splay, simgrid";

impl TraceFormat {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Avt,
        Self::Events,
        Self::OverSim,
        Self::Fta,
        Self::P2psim,
        Self::Splay,
        Self::SimGrid,
    ];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avt => "avt",
            Self::Events => "events",
            Self::OverSim => "oversim",
            Self::Fta => "fta",
            Self::P2psim => "p2psim",
            Self::Splay => "splay",
            Self::SimGrid => "simgrid",
        }
    }

    /// The format of a file: as told by `format`, or else by the extension of the file's name, which
    /// is the format's name, or `tab` for the Failure Trace Archive's.
    ///
    /// # Errors
    /// When neither names a format that is read.
    pub fn of(file: &str, format: Option<&str>) -> Result<Self, FormatError> {
        if let Some(name) = format {
            return name.parse();
        }
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => match extension.to_ascii_lowercase() {
                tab if tab == "tab" => Ok(Self::Fta),
                extension => extension.parse(),
            },
            _ => Err(FormatError::Untold { file: name.to_owned() }),
        }
    }
}

impl FromStr for TraceFormat {
    type Err = FormatError;

    fn from_str(name: &str) -> Result<Self, FormatError> {
        let named = Self::ALL.into_iter().find(|format| format.name() == name);
        named.ok_or_else(|| FormatError::Unknown { got: name.to_owned() })
    }
}

impl fmt::Display for TraceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
