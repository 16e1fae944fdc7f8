//! Which format a trace file has.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A format of trace files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
    /// Godfrey's availability traces: a node a line, `id n start1 end1 start2 end2 …`, separated
    /// by tabs or blanks; seconds from the start of the measurement; `#` begins a comment.
    Avt,
    /// An event a line, by time: `time id up` or `time id down`, in seconds; `#` begins a comment.
    Events,
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

const SUPPORTED: &str = "avt, events";

impl TraceFormat {
    /// The format of a file: as told by `format`, or else by the extension of the file's name.
    ///
    /// # Errors
    /// When neither names a format that is read.
    pub fn of(file: &str, format: Option<&str>) -> Result<Self, FormatError> {
        if let Some(name) = format {
            return name.parse();
        }
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase().parse(),
            _ => Err(FormatError::Untold { file: name.to_owned() }),
        }
    }
}

impl FromStr for TraceFormat {
    type Err = FormatError;

    fn from_str(name: &str) -> Result<Self, FormatError> {
        match name {
            "avt" => Ok(Self::Avt),
            "events" => Ok(Self::Events),
            _ => Err(FormatError::Unknown { got: name.to_owned() }),
        }
    }
}

impl fmt::Display for TraceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Avt => "avt",
            Self::Events => "events",
        })
    }
}
